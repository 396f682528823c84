// SPDX-License-Identifier: GPL-2.0 OR MIT
//
// The bus masters eie_axi_rd and eie_axi_wr: idle means that nothing is outstanding; addresses and data keep still while they wait;
// every write burst has its beats, no more and no fewer; a flush starts no address and waits for no client, only for the bus.

module fv_bus #(
  parameter int unsigned Depth = 4,
  localparam int unsigned Aw = $clog2(Depth)
) (
  input logic         clk_i,
  input logic         flush_i,
  input logic         rd_valid_i,
  input logic [1:0]   rd_id_i,
  input logic [63:0]  rd_pa_i,
  input logic [3:0]   rd_len_i,
  input logic         ld_ready_i,
  input logic         wr_valid_i,
  input logic         wr_id_i,
  input logic [63:0]  wr_pa_i,
  input logic [3:0]   wr_len_i,
  input logic [1:0]   dat_valid_i,
  input logic [127:0] fe_data_i,
  input logic [127:0] st_data_i,
  input logic         arready_i,
  input logic         rvalid_i,
  input logic [1:0]   rid_i,
  input logic [127:0] rdata_i,
  input logic [1:0]   rresp_i,
  input logic         rlast_i,
  input logic         awready_i,
  input logic         wready_i,
  input logic         bvalid_i,
  input logic         bid_i,
  input logic [1:0]   bresp_i,
  input logic         follow_i
);

  logic rst_n = 1'b0;
  always_ff @(posedge clk_i) rst_n <= 1'b1;

  logic         rd_ready, rd_idle, arvalid, rready, rd_fault, rsp_last;
  logic [3:0]   arid, rsp_valid;
  logic [63:0]  araddr;
  logic [7:0]   arlen, awlen;
  logic [127:0] rsp_data;
  logic         wr_ready, wr_idle, awvalid, wvalid, wlast;
  logic [1:0]   dat_ready, wr_rsp;
  logic [3:0]   awid;
  logic [63:0]  awaddr;
  logic [127:0] wdata;
  logic [15:0]  wstrb;

  eie_axi_rd #(.LoadDepth(Depth)) u_rd (
    .clk_i, .rst_ni(rst_n), .flush_i, .idle_o(rd_idle), .req_valid_i(rd_valid_i), .req_ready_o(rd_ready),
    .req_id_i(rd_id_i), .req_pa_i(rd_pa_i), .req_len_i(rd_len_i), .req_va_i(64'b0), .req_cmd_i(32'b0),
    .rsp_valid_o(rsp_valid), .load_ready_i(ld_ready_i), .rsp_data_o(rsp_data), .rsp_last_o(rsp_last),
    .fault_valid_o(rd_fault), .m_arvalid_o(arvalid), .m_arready_i(arready_i), .m_arid_o(arid),
    .m_araddr_o(araddr), .m_arlen_o(arlen), .m_rvalid_i(rvalid_i), .m_rready_o(rready),
    .m_rid_i({2'b0, rid_i}), .m_rdata_i(rdata_i), .m_rresp_i(rresp_i), .m_rlast_i(rlast_i)
  );

  eie_axi_wr #(.Depth(Depth)) u_wr (
    .clk_i, .rst_ni(rst_n), .flush_i, .idle_o(wr_idle), .req_valid_i(wr_valid_i), .req_ready_o(wr_ready),
    .req_id_i(wr_id_i), .req_pa_i(wr_pa_i), .req_len_i(wr_len_i), .req_va_i(64'b0), .req_cmd_i(32'b0),
    .dat_valid_i, .dat_ready_o(dat_ready), .fe_data_i, .st_data_i, .rsp_valid_o(wr_rsp),
    .m_awvalid_o(awvalid), .m_awready_i(awready_i), .m_awid_o(awid), .m_awaddr_o(awaddr),
    .m_awlen_o(awlen), .m_wvalid_o(wvalid), .m_wready_i(wready_i), .m_wdata_o(wdata),
    .m_wstrb_o(wstrb), .m_wlast_o(wlast), .m_bvalid_i(bvalid_i), .m_bid_i({3'b0, bid_i}),
    .m_bresp_i(bresp_i)
  );

  // What is outstanding --------------------------------------------------------------------------

  logic       ar_fire, aw_fire, w_fire, r_end;
  logic [7:0] on_bus_q [0:3];              // AR accepted, last beat to come
  logic [7:0] aw_q [0:1];                  // AW accepted, answer to come
  logic [7:0] owed_q, sent_q;              // bursts: accepted and not all sent; all sent and not answered
  assign ar_fire = arvalid && arready_i;
  assign aw_fire = awvalid && awready_i;
  assign w_fire  = wvalid && wready_i;
  assign r_end   = rvalid_i && rready && rlast_i;

  for (genvar i = 0; i < 4; i++) begin : g_reads
    always_ff @(posedge clk_i) begin
      on_bus_q[i] <= rst_n ? on_bus_q[i] + (ar_fire && arid == 4'(i)) - (r_end && rid_i == 2'(i)) : 8'd0;
    end
  end
  for (genvar i = 0; i < 2; i++) begin : g_writes
    always_ff @(posedge clk_i) begin
      aw_q[i] <= rst_n ? aw_q[i] + (aw_fire && awid == 4'(i)) - (bvalid_i && bid_i == 1'(i)) : 8'd0;
    end
  end
  always_ff @(posedge clk_i) begin
    owed_q <= rst_n ? owed_q + aw_fire - (w_fire && wlast) : 8'd0;
    sent_q <= rst_n ? sent_q + (w_fire && wlast) - bvalid_i : 8'd0;
  end

  // the bus answers only what was asked, a write after its last beat
  always_comb begin
    if (rst_n) begin
      assume (!rvalid_i || on_bus_q[rid_i] != 8'd0);
      assume (!bvalid_i || (sent_q != 8'd0 && aw_q[bid_i] != 8'd0));
    end
  end

  // One write burst is followed --------------------------------------------------------------------

  logic       followed_q, held, finishes;
  logic [7:0] ahead_q, beats_q;            // bursts to be sent before it; beats sent of the one that is being sent
  logic [3:0] len_q;
  assign held     = wvalid && wlast;
  assign finishes = w_fire && wlast && ahead_q == 8'd0 && followed_q;
  always_ff @(posedge clk_i) begin
    if (!rst_n) begin
      followed_q <= 1'b0;
      beats_q    <= 8'd0;
    end else begin
      if (w_fire) begin
        beats_q <= wlast ? 8'd0 : beats_q + 8'd1;
      end
      if (!followed_q && aw_fire && follow_i) begin
        followed_q <= 1'b1;
        len_q      <= awlen[3:0];
        ahead_q    <= owed_q - (w_fire && wlast);
      end else if (followed_q && w_fire && wlast) begin
        followed_q <= ahead_q != 8'd0;
        ahead_q    <= ahead_q - 8'd1;
      end
    end
  end

  // Claims -----------------------------------------------------------------------------------------

  logic         ar_wait_q, aw_wait_q, w_wait_q, flush_q, owing_q;
  logic [75:0]  ar_was_q, aw_was_q;
  logic [144:0] w_was_q;
  always_ff @(posedge clk_i) begin
    flush_q   <= rst_n && flush_i;
    ar_wait_q <= rst_n && arvalid && !arready_i;
    aw_wait_q <= rst_n && awvalid && !awready_i;
    w_wait_q  <= rst_n && wvalid && !wready_i;
    owing_q   <= rst_n && flush_i && owed_q != 8'd0 && !held;
    ar_was_q  <= {arid, araddr, arlen};
    aw_was_q  <= {awid, awaddr, awlen};
    w_was_q   <= {wlast, wstrb, wdata};
  end

  always_comb begin
    if (rst_n) begin
      assert (rd_idle == !(arvalid || on_bus_q[0] != 0 || on_bus_q[1] != 0 || on_bus_q[2] != 0 || on_bus_q[3] != 0));
      assert (wr_idle == !(awvalid || aw_q[0] != 0 || aw_q[1] != 0));
      assert (!wvalid || owed_q != 8'd0);
      assert (!ar_wait_q || (arvalid && ar_was_q == {arid, araddr, arlen}));
      assert (!aw_wait_q || (awvalid && aw_was_q == {awid, awaddr, awlen}));
      assert (!w_wait_q || (wvalid && w_was_q == {wlast, wstrb, wdata}));
      // a flush: no new address; beats are taken; beats owed are offered, whatever the clients do
      assert (!flush_q || (!arvalid || ar_wait_q) && (!awvalid || aw_wait_q));
      assert (!flush_i || (rready && rsp_valid == '0 && dat_ready == '0 && wr_rsp == '0 && !rd_fault));
      assert (!owing_q || wvalid);
      // the beats of a burst
      assert (!(wvalid && followed_q && ahead_q == 8'd0) || wlast == (beats_q == 8'(len_q)));
      // an erroneous beat carries nothing
      assert (!(rvalid_i && rresp_i[1]) || rsp_data == '0);
    end
  end

  // Inside -----------------------------------------------------------------------------------------

  (* probe = "u_rd.g_small[0].u_start.count_o" *) logic [2:0] c0;
  (* probe = "u_rd.g_small[1].u_start.count_o" *) logic [2:0] c1;
  (* probe = "u_rd.g_small[2].u_start.count_o" *) logic [2:0] c2;
  (* probe = "u_rd.u_load_start.count_o" *) logic [Aw:0] c3;
  (* probe = "u_wr.u_fe_start.count_o" *) logic [1:0] s0;
  (* probe = "u_wr.u_st_start.count_o" *) logic [Aw:0] s1;
  (* probe = "u_wr.u_owed.count_o" *) logic [Aw:0] owed;
  (* probe = "u_wr.u_owed.rptr_q" *) logic [Aw:0] owed_rptr;
  (* probe = "u_wr.u_owed.mem[]" *) logic [5*Depth-1:0] owed_mem;
  (* probe = "u_wr.beat_q" *) logic [3:0] beat;
  logic [Aw-1:0] place;
  logic [4:0]    word, head;               // the followed one's entry, the oldest entry
  assign head  = owed_mem[5*owed_rptr[Aw-1:0] +: 5];
  assign place = owed_rptr[Aw-1:0] + ahead_q[Aw-1:0] - held;
  assign word  = owed_mem[5*place +: 5];

  always_comb begin
    if (rst_n) begin
      assert (c0 == on_bus_q[0] + (arvalid && arid == 4'd0) && c0 <= 4);
      assert (c1 == on_bus_q[1] + (arvalid && arid == 4'd1) && c1 <= 4);
      assert (c2 == on_bus_q[2] + (arvalid && arid == 4'd2) && c2 <= 4);
      assert (c3 == on_bus_q[3] + (arvalid && arid == 4'd3) && c3 <= Depth);
      assert (s0 == aw_q[0] + (awvalid && awid == 4'd0) && s0 <= 2);
      assert (s1 == aw_q[1] + (awvalid && awid == 4'd1) && s1 <= Depth);
      assert (arid < 4'd4 && awid < 4'd2);
      assert (owed_q == owed + held && owed <= Depth && owed_q + sent_q == aw_q[0] + aw_q[1]);
      assert (owed + awvalid <= Depth);
      assert (beats_q < 8'd16 && sent_q <= 8'(Depth + 2));
      assert (on_bus_q[0] <= 4 && on_bus_q[1] <= 4 && on_bus_q[2] <= 4 && on_bus_q[3] <= Depth);
      assert (aw_q[0] <= 2 && aw_q[1] <= Depth);
      assert (owed != 0 ? beat <= head[3:0] : beat == 4'd0);
      assert (held ? beat == 4'd0 : beat == beats_q + wvalid);
      if (followed_q) begin
        assert (ahead_q < owed_q);
        if (!(held && ahead_q == 8'd0)) begin
          assert (word[3:0] == len_q);
        end
        if (ahead_q == 8'd0) begin
          assert (held ? beats_q == 8'(len_q) : beats_q + wvalid <= 8'(len_q));
        end
      end
    end
  end

  logic [1:0] zeros_q;                     // a burst whose beats went out with and without data
  always_ff @(posedge clk_i) begin
    zeros_q <= !rst_n || (w_fire && wlast) ? 2'b0 : zeros_q | {w_fire && wstrb == '0, w_fire && wstrb != '0};
  end
  always_comb begin
    cover (finishes && len_q == 4'd1 && zeros_q[0] && wstrb == '0 && flush_i);
    cover (rst_n && flush_i && r_end && rid_i == 2'd3 && on_bus_q[3] == 8'd2);
    cover (rst_n && arvalid && flush_q && rresp_i[1] && rvalid_i);
  end

endmodule
