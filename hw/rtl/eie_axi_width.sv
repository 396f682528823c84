// SPDX-License-Identifier: GPL-2.0 OR MIT
//
// Fits the engine's master port, whose beats are granules of 128 bits, to the bus. BusBits 128:
// wires. 64: two beats a granule, low half first, up to 32 a burst. 256: two granules a beat; a
// burst may start or end in the middle of one. Bursts stay one to one, so IDs, order, errors, the
// 4 KiB rule and the number of responses do too, and a granule a cycle goes through.
//
// At 256 bits a single granule is a narrow transfer. A longer burst that ends in the lower half of
// a beat reads the upper half as well (within the aligned 32 bytes, hence within the page) and
// drops it; what is written has strobes for exactly its granules.

module eie_axi_width #(
  parameter int unsigned BusBits = 128,   // 64, 128, 256
  parameter int unsigned LoadDepth = eie_pkg::LoadBursts,  // bursts outstanding: reads of ID 3,
  parameter int unsigned SmallDepth = 4,  // reads of another ID,
  parameter int unsigned WriteDepth = 16  // writes whose data are owed; powers of two
) (
  input  logic                 clk_i,
  input  logic                 rst_ni,

  // Engine: as master of 128 bits
  input  logic                 s_arvalid_i,
  output logic                 s_arready_o,
  input  logic [3:0]           s_arid_i,
  input  logic [63:0]          s_araddr_i,
  input  logic [7:0]           s_arlen_i,
  input  logic [2:0]           s_arsize_i,
  input  logic [1:0]           s_arburst_i,
  output logic                 s_rvalid_o,
  input  logic                 s_rready_i,
  output logic [3:0]           s_rid_o,
  output logic [127:0]         s_rdata_o,
  output logic [1:0]           s_rresp_o,
  output logic                 s_rlast_o,
  input  logic                 s_awvalid_i,
  output logic                 s_awready_o,
  input  logic [3:0]           s_awid_i,
  input  logic [63:0]          s_awaddr_i,
  input  logic [7:0]           s_awlen_i,
  input  logic [2:0]           s_awsize_i,
  input  logic [1:0]           s_awburst_i,
  input  logic                 s_wvalid_i,
  output logic                 s_wready_o,
  input  logic [127:0]         s_wdata_i,
  input  logic [15:0]          s_wstrb_i,
  input  logic                 s_wlast_i,
  output logic                 s_bvalid_o,
  input  logic                 s_bready_i,
  output logic [3:0]           s_bid_o,
  output logic [1:0]           s_bresp_o,

  // Bus
  output logic                 m_arvalid_o,
  input  logic                 m_arready_i,
  output logic [3:0]           m_arid_o,
  output logic [63:0]          m_araddr_o,
  output logic [7:0]           m_arlen_o,
  output logic [2:0]           m_arsize_o,
  output logic [1:0]           m_arburst_o,
  input  logic                 m_rvalid_i,
  output logic                 m_rready_o,
  input  logic [3:0]           m_rid_i,
  input  logic [BusBits-1:0]   m_rdata_i,
  input  logic [1:0]           m_rresp_i,
  input  logic                 m_rlast_i,
  output logic                 m_awvalid_o,
  input  logic                 m_awready_i,
  output logic [3:0]           m_awid_o,
  output logic [63:0]          m_awaddr_o,
  output logic [7:0]           m_awlen_o,
  output logic [2:0]           m_awsize_o,
  output logic [1:0]           m_awburst_o,
  output logic                 m_wvalid_o,
  input  logic                 m_wready_i,
  output logic [BusBits-1:0]   m_wdata_o,
  output logic [BusBits/8-1:0] m_wstrb_o,
  output logic                 m_wlast_o,
  input  logic                 m_bvalid_i,
  output logic                 m_bready_o,
  input  logic [3:0]           m_bid_i,
  input  logic [1:0]           m_bresp_i
);

  // Addresses and write responses pass; lengths and sizes are below.
  assign m_arvalid_o = s_arvalid_i;
  assign s_arready_o = m_arready_i;
  assign m_arid_o    = s_arid_i;
  assign m_araddr_o  = s_araddr_i;
  assign m_arburst_o = s_arburst_i;
  assign m_awvalid_o = s_awvalid_i;
  assign s_awready_o = m_awready_i;
  assign m_awid_o    = s_awid_i;
  assign m_awaddr_o  = s_awaddr_i;
  assign m_awburst_o = s_awburst_i;
  assign s_bvalid_o  = m_bvalid_i;
  assign m_bready_o  = s_bready_i;
  assign s_bid_o     = m_bid_i;
  assign s_bresp_o   = m_bresp_i;
  assign s_rid_o     = m_rid_i;

  if (BusBits == 64) begin : g_narrow

    assign m_arlen_o  = {s_arlen_i[6:0], 1'b1};
    assign m_awlen_o  = {s_awlen_i[6:0], 1'b1};
    assign m_arsize_o = 3'd3;
    assign m_awsize_o = 3'd3;

    // The low half waits for the high one: one place an ID, since the bus may interleave IDs.
    logic [3:0]      half_q;       // the low half is there
    logic [4*65-1:0] low_q;        // {error, data}
    logic [1:0]      rid;
    logic            low_err;
    logic [63:0]     low_data;

    assign rid                 = m_rid_i[1:0];
    assign {low_err, low_data} = low_q[65*rid +: 65];

    assign s_rvalid_o = m_rvalid_i && half_q[rid];
    assign m_rready_o = s_rready_i || !half_q[rid];
    assign s_rdata_o  = {m_rdata_i, low_data};
    assign s_rresp_o  = {m_rresp_i[1] || low_err, 1'b0};
    assign s_rlast_o  = m_rlast_i;

    for (genvar i = 0; i < 4; i++) begin : g_id
      always_ff @(posedge clk_i or negedge rst_ni) begin
        if (!rst_ni) begin
          half_q[i] <= 1'b0;
        end else if (m_rvalid_i && m_rready_o && rid == 2'(i)) begin
          half_q[i] <= !half_q[i];
        end
      end

      always_ff @(posedge clk_i) begin
        if (m_rvalid_i && !half_q[i] && rid == 2'(i)) begin
          low_q[65*i +: 65] <= {m_rresp_i[1], m_rdata_i};
        end
      end
    end

    logic high_q;                  // the high half of the granule goes out

    assign m_wvalid_o = s_wvalid_i;
    assign s_wready_o = m_wready_i && high_q;
    assign m_wdata_o  = high_q ? s_wdata_i[127:64] : s_wdata_i[63:0];
    assign m_wstrb_o  = high_q ? s_wstrb_i[15:8] : s_wstrb_i[7:0];
    assign m_wlast_o  = s_wlast_i && high_q;

    always_ff @(posedge clk_i or negedge rst_ni) begin
      if (!rst_ni) begin
        high_q <= 1'b0;
      end else if (m_wvalid_o && m_wready_i) begin
        high_q <= !high_q;
      end
    end

    logic unused;
    assign unused = ^{s_arlen_i[7], s_awlen_i[7], s_arsize_i, s_awsize_i, m_rresp_i[0],
                      m_rid_i[3:2]};

    // Assertions ---------------------------------------------------------------------------------

`ifndef SYNTHESIS
    assert property (@(posedge clk_i) disable iff (!rst_ni)
      m_rvalid_i && m_rlast_i |-> half_q[rid]);
`endif

  end else if (BusBits == 256) begin : g_wide

    logic [8:0] ar_end, aw_end;    // in granules from the first beat's lower half
    assign ar_end = {1'b0, s_arlen_i} + 9'(s_araddr_i[4]);
    assign aw_end = {1'b0, s_awlen_i} + 9'(s_awaddr_i[4]);

    assign m_arlen_o  = ar_end[8:1];
    assign m_awlen_o  = aw_end[8:1];
    assign m_arsize_o = s_arlen_i == 8'd0 ? 3'd4 : 3'd5;
    assign m_awsize_o = s_awlen_i == 8'd0 ? 3'd4 : 3'd5;

    // Reads: a beat stays on the bus until both of its granules, if it has both, have been taken.
    logic [3:0]     push, pop;
    logic [4*5-1:0] burst;         // of each ID's oldest burst: {upper half first, granules - 1}
    logic [4*4-1:0] done_q;        // granules taken of it
    logic [1:0]     rid;
    logic           first_upper, upper, r_last, r_fire;
    logic [3:0]     r_len, r_done;

    for (genvar i = 0; i < 4; i++) begin : g_id
      assign push[i] = s_arvalid_i && m_arready_i && s_arid_i[1:0] == 2'(i);
      assign pop[i]  = r_fire && r_last && rid == 2'(i);

      // verilator lint_off PINCONNECTEMPTY
      eie_fifo #(.Width(5), .Depth(i == 3 ? LoadDepth : SmallDepth)) u_burst (
        .clk_i, .rst_ni, .clr_i(1'b0),
        .wvalid_i(push[i]), .wready_o(), .wdata_i({s_araddr_i[4], s_arlen_i[3:0]}),
        .rvalid_o(), .rready_i(pop[i]), .rdata_o(burst[5*i +: 5]), .count_o()
      );
      // verilator lint_on PINCONNECTEMPTY

      always_ff @(posedge clk_i or negedge rst_ni) begin
        if (!rst_ni) begin
          done_q[4*i +: 4] <= '0;
        end else if (r_fire && rid == 2'(i)) begin
          done_q[4*i +: 4] <= r_last ? 4'd0 : r_done + 4'd1;
        end
      end
    end

    assign rid                  = m_rid_i[1:0];
    assign {first_upper, r_len} = burst[5*rid +: 5];
    assign r_done               = done_q[4*rid +: 4];
    assign upper                = first_upper ^ r_done[0];
    assign r_last               = r_done == r_len;
    assign r_fire               = m_rvalid_i && s_rready_i;

    assign s_rvalid_o = m_rvalid_i;
    assign m_rready_o = s_rready_i && (upper || r_last);
    assign s_rdata_o  = upper ? m_rdata_i[255:128] : m_rdata_i[127:0];
    assign s_rresp_o  = m_rresp_i;
    assign s_rlast_o  = r_last;

    // Writes: a lower half waits for its upper one, unless it is the last.
    logic         aw_upper, owed, w_upper, w_odd_q, w_out, w_fire, low_valid_q;
    logic [127:0] low_data_q;
    logic [15:0]  low_strb_q;

    // verilator lint_off PINCONNECTEMPTY
    eie_fifo #(.Width(1), .Depth(WriteDepth)) u_owed (
      .clk_i, .rst_ni, .clr_i(1'b0),
      .wvalid_i(s_awvalid_i && m_awready_i), .wready_o(), .wdata_i(s_awaddr_i[4]),
      .rvalid_o(owed), .rready_i(w_fire && s_wlast_i), .rdata_o(aw_upper), .count_o()
    );
    // verilator lint_on PINCONNECTEMPTY

    assign w_upper    = aw_upper ^ w_odd_q;
    assign w_out      = w_upper || s_wlast_i;
    assign s_wready_o = owed && (!w_out || m_wready_i);
    assign w_fire     = s_wvalid_i && s_wready_o;
    assign m_wvalid_o = s_wvalid_i && owed && w_out;
    assign m_wlast_o  = s_wlast_i;
    assign m_wdata_o  = w_upper ? {s_wdata_i, low_data_q} : {128'b0, s_wdata_i};
    assign m_wstrb_o  = w_upper ? {s_wstrb_i, low_valid_q ? low_strb_q : 16'b0} :
                                  {16'b0, s_wstrb_i};

    always_ff @(posedge clk_i or negedge rst_ni) begin
      if (!rst_ni) begin
        w_odd_q     <= 1'b0;
        low_valid_q <= 1'b0;
      end else if (w_fire) begin
        w_odd_q     <= !s_wlast_i && !w_odd_q;
        low_valid_q <= !w_out;
      end
    end

    always_ff @(posedge clk_i) begin
      if (w_fire && !w_out) begin
        low_data_q <= s_wdata_i;
        low_strb_q <= s_wstrb_i;
      end
    end

    logic unused;
    assign unused = ^{s_arsize_i, s_awsize_i, m_rid_i[3:2], ar_end[0], aw_end[0]};

    // Assertions ---------------------------------------------------------------------------------

`ifndef SYNTHESIS
    assert property (@(posedge clk_i) disable iff (!rst_ni)
      m_rvalid_i && m_rready_o |-> m_rlast_i == r_last);
    assert property (@(posedge clk_i) disable iff (!rst_ni)
      s_arvalid_i |-> s_arlen_i[7:4] == 4'b0 && s_arid_i[3:2] == 2'b0);
`endif

  end else begin : g_same

    assign m_arlen_o  = s_arlen_i;
    assign m_awlen_o  = s_awlen_i;
    assign m_arsize_o = s_arsize_i;
    assign m_awsize_o = s_awsize_i;
    assign s_rvalid_o = m_rvalid_i;
    assign m_rready_o = s_rready_i;
    assign s_rdata_o  = m_rdata_i;
    assign s_rresp_o  = m_rresp_i;
    assign s_rlast_o  = m_rlast_i;
    assign m_wvalid_o = s_wvalid_i;
    assign s_wready_o = m_wready_i;
    assign m_wdata_o  = s_wdata_i;
    assign m_wstrb_o  = s_wstrb_i;
    assign m_wlast_o  = s_wlast_i;

    logic unused;
    assign unused = ^{clk_i, rst_ni};

  end

endmodule
