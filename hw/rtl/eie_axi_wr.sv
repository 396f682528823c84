// SPDX-License-Identifier: GPL-2.0 OR MIT
//
// AXI4 write side: addresses out, data in the order of the addresses, responses back. Data follow
// their address only once that has been accepted. After a flush the beats still owed go out with
// strobes zero.

module eie_axi_wr #(
  parameter int unsigned Depth = 16       // outstanding bursts of the store client, power of two
) (
  input  logic         clk_i,
  input  logic         rst_ni,
  input  logic         flush_i,
  output logic         idle_o,            // no address accepted without its response

  // One request; ID 0 front end, 1 store.
  input  logic         req_valid_i,
  output logic         req_ready_o,
  input  logic         req_id_i,
  input  logic [63:0]  req_pa_i,
  input  logic [3:0]   req_len_i,
  input  logic [63:0]  req_va_i,          // as reported by an error
  input  logic [31:0]  req_cmd_i,

  input  logic [1:0]   dat_valid_i,       // per ID
  output logic [1:0]   dat_ready_o,
  input  logic [127:0] fe_data_i,
  input  logic [127:0] st_data_i,
  output logic [1:0]   rsp_valid_o,       // per ID

  output logic         fault_valid_o,
  output logic [63:0]  fault_addr_o,
  output logic [31:0]  fault_cmd_o,
  output logic         beat_o,            // a beat went out with its strobes set
  output logic         beat_id_o,         // its ID
  output logic         dropped_o,         // a beat went out with its strobes zero

  output logic         m_awvalid_o,
  input  logic         m_awready_i,
  output logic [3:0]   m_awid_o,
  output logic [63:0]  m_awaddr_o,
  output logic [7:0]   m_awlen_o,
  output logic [2:0]   m_awsize_o,
  output logic [1:0]   m_awburst_o,
  output logic         m_wvalid_o,
  input  logic         m_wready_i,
  output logic [127:0] m_wdata_o,
  output logic [15:0]  m_wstrb_o,
  output logic         m_wlast_o,
  input  logic         m_bvalid_i,
  output logic         m_bready_o,
  input  logic [3:0]   m_bid_i,
  input  logic [1:0]   m_bresp_i
);

  localparam int unsigned Aw = $clog2(Depth);

  // Addresses ------------------------------------------------------------------------------------

  logic        awvalid_q, awid_q;
  logic [63:0] awaddr_q;
  logic [3:0]  awlen_q;
  logic        req_fire, aw_fire;
  logic [1:0]  space;
  logic [Aw:0] owed_count;

  // One place among the owed bursts is kept for the address that waits in the register.
  assign req_ready_o = !flush_i && (!awvalid_q || m_awready_i) && space[req_id_i] &&
                       owed_count < (Aw + 1)'(Depth - 1);
  assign req_fire    = req_valid_i && req_ready_o;
  assign aw_fire     = awvalid_q && m_awready_i;

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      awvalid_q <= 1'b0;
    end else if (!awvalid_q || m_awready_i) begin
      awvalid_q <= req_fire;
    end
  end

  always_ff @(posedge clk_i) begin
    if (req_fire) begin
      awid_q   <= req_id_i;
      awaddr_q <= req_pa_i;
      awlen_q  <= req_len_i;
    end
  end

  assign m_awvalid_o = awvalid_q;
  assign m_awid_o    = {3'b0, awid_q};
  assign m_awaddr_o  = awaddr_q;
  assign m_awlen_o   = {4'b0, awlen_q};
  assign m_awsize_o  = 3'd4;
  assign m_awburst_o = 2'b01;

  // Data -----------------------------------------------------------------------------------------

  logic         owed_valid, owed_id, owed_pop, owed_space;
  logic [3:0]   owed_len, beat_q;
  logic         w_free, w_load;
  logic         wvalid_q, wlast_q, wstrb_q, wid_q;
  logic [127:0] wdata_q;

  eie_fifo #(.Width(5), .Depth(Depth)) u_owed (
    .clk_i, .rst_ni, .clr_i(1'b0),
    .wvalid_i(aw_fire), .wready_o(owed_space), .wdata_i({awid_q, awlen_q}),
    .rvalid_o(owed_valid), .rready_i(owed_pop), .rdata_o({owed_id, owed_len}),
    .count_o(owed_count)
  );

  assign w_free      = !wvalid_q || m_wready_i;
  assign dat_ready_o = owed_valid && w_free && !flush_i ? 2'b1 << owed_id : 2'b0;
  assign w_load      = owed_valid && w_free && (flush_i || dat_valid_i[owed_id]);
  assign owed_pop    = w_load && beat_q == owed_len;

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      wvalid_q <= 1'b0;
      beat_q   <= '0;
    end else begin
      if (w_free) begin
        wvalid_q <= w_load;
      end
      if (w_load) begin
        beat_q <= owed_pop ? 4'd0 : beat_q + 4'd1;
      end
    end
  end

  always_ff @(posedge clk_i) begin
    if (w_load) begin
      wlast_q <= owed_pop;
      wstrb_q <= !flush_i;
      wid_q   <= owed_id;
      wdata_q <= owed_id ? st_data_i : fe_data_i;
    end
  end

  assign m_wvalid_o = wvalid_q;
  assign m_wdata_o  = wdata_q;
  assign m_wstrb_o  = {16{wstrb_q}};
  assign m_wlast_o  = wlast_q;
  assign beat_o     = wvalid_q && m_wready_i && wstrb_q;
  assign beat_id_o  = wid_q;
  assign dropped_o  = wvalid_q && m_wready_i && !wstrb_q;

  // Responses ------------------------------------------------------------------------------------

  logic [95:0] fe_start, st_start;
  logic [1:0]  fe_count;
  logic [Aw:0] st_count;
  logic [1:0]  pending, pop;
  logic        bid;

  assign bid = m_bid_i[0];
  assign pop = m_bvalid_i ? 2'b1 << bid : 2'b0;

  eie_fifo #(.Width(96), .Depth(2)) u_fe_start (
    .clk_i, .rst_ni, .clr_i(1'b0),
    .wvalid_i(req_fire && !req_id_i), .wready_o(space[0]), .wdata_i({req_cmd_i, req_va_i}),
    .rvalid_o(pending[0]), .rready_i(pop[0]), .rdata_o(fe_start),
    .count_o(fe_count)
  );

  eie_fifo #(.Width(96), .Depth(Depth)) u_st_start (
    .clk_i, .rst_ni, .clr_i(1'b0),
    .wvalid_i(req_fire && req_id_i), .wready_o(space[1]), .wdata_i({req_cmd_i, req_va_i}),
    .rvalid_o(pending[1]), .rready_i(pop[1]), .rdata_o(st_start),
    .count_o(st_count)
  );

  // A response comes after its last beat: no response outstanding means nothing is.
  assign idle_o        = pending == 2'b0;
  assign m_bready_o    = 1'b1;
  assign rsp_valid_o   = flush_i ? 2'b0 : pop;
  assign fault_valid_o = m_bvalid_i && !flush_i && m_bresp_i[1];
  assign {fault_cmd_o, fault_addr_o} = bid ? st_start : fe_start;

  logic unused;
  assign unused = ^{m_bid_i[3:1], m_bresp_i[0], owed_space, fe_count, st_count};

  // Assertions -----------------------------------------------------------------------------------

`ifndef SYNTHESIS
  assert property (@(posedge clk_i) disable iff (!rst_ni)
    m_awvalid_o && !m_awready_i |=> m_awvalid_o && $stable({m_awid_o, m_awaddr_o, m_awlen_o}));
  assert property (@(posedge clk_i) disable iff (!rst_ni)
    m_wvalid_o && !m_wready_i |=> m_wvalid_o && $stable({m_wdata_o, m_wstrb_o, m_wlast_o}));
  // No address during a flush but the one already offered.
  assert property (@(posedge clk_i) disable iff (!rst_ni)
    flush_i |=> !m_awvalid_o || $past(m_awvalid_o && !m_awready_i));
  assert property (@(posedge clk_i) disable iff (!rst_ni) aw_fire |-> owed_space);
  // The bus answers only what was asked.
  assert property (@(posedge clk_i) disable iff (!rst_ni)
    m_bvalid_i |-> m_bid_i[3:1] == 3'b0 && pending[bid]);
`endif

endmodule
