// SPDX-License-Identifier: GPL-2.0 OR MIT
//
// AXI4 read side: bursts out, beats back to the client of their ID. The bus may interleave and
// reorder different IDs; per ID a FIFO remembers where each outstanding burst started, for error
// reports. Beats that come back during a flush belong to nobody and are swallowed.

module eie_axi_rd #(
  parameter int unsigned LoadDepth = eie_pkg::LoadBursts   // outstanding bursts of the load client, power of two
) (
  input  logic         clk_i,
  input  logic         rst_ni,
  input  logic         flush_i,
  output logic         idle_o,            // no address accepted without its last beat

  // One request; ID 0 front end, 1 walker, 2 command processor, 3 load.
  input  logic         req_valid_i,
  output logic         req_ready_o,
  input  logic [1:0]   req_id_i,
  input  logic [63:0]  req_pa_i,
  input  logic [3:0]   req_len_i,
  input  logic [63:0]  req_va_i,          // as reported by an error
  input  logic [31:0]  req_cmd_i,
  output logic [3:0]   last_room_o,       // per ID: room for exactly one more burst
  output logic [3:0]   room_o,            // per ID: room for a burst

  output logic [3:0]   rsp_valid_o,       // per ID
  input  logic         load_ready_i,      // the other clients always take their beats
  output logic [127:0] rsp_data_o,
  output logic         rsp_last_o,
  output logic         rsp_err_o,

  output logic         fault_valid_o,
  output logic [63:0]  fault_addr_o,
  output logic [31:0]  fault_cmd_o,
  output logic         beat_o,            // a beat for a client, page tables not counted

  output logic         m_arvalid_o,
  input  logic         m_arready_i,
  output logic [3:0]   m_arid_o,
  output logic [63:0]  m_araddr_o,
  output logic [7:0]   m_arlen_o,
  output logic [2:0]   m_arsize_o,
  output logic [1:0]   m_arburst_o,
  input  logic         m_rvalid_i,
  output logic         m_rready_o,
  input  logic [3:0]   m_rid_i,
  input  logic [127:0] m_rdata_i,
  input  logic [1:0]   m_rresp_i,
  input  logic         m_rlast_i
);

  localparam logic [1:0] IdWalker = 2'd1;
  localparam logic [1:0] IdLoad   = 2'd3;
  localparam int unsigned SmallDepth = 4;
  localparam int unsigned LoadAw = $clog2(LoadDepth);

  logic        arvalid_q;
  logic [1:0]  arid_q;
  logic [63:0] araddr_q;
  logic [3:0]  arlen_q;
  logic        req_fire, r_fire;
  logic [1:0]  rid;
  logic [3:0]  space, pending;

  // Requests -------------------------------------------------------------------------------------

  assign req_ready_o = !flush_i && (!arvalid_q || m_arready_i) && space[req_id_i];
  assign req_fire    = req_valid_i && req_ready_o;

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      arvalid_q <= 1'b0;
    end else if (!arvalid_q || m_arready_i) begin
      arvalid_q <= req_fire;
    end
  end

  always_ff @(posedge clk_i) begin
    if (req_fire) begin
      arid_q   <= req_id_i;
      araddr_q <= req_pa_i;
      arlen_q  <= req_len_i;
    end
  end

  assign m_arvalid_o = arvalid_q;
  assign m_arid_o    = {2'b0, arid_q};
  assign m_araddr_o  = araddr_q;
  assign m_arlen_o   = {4'b0, arlen_q};
  assign m_arsize_o  = 3'd4;
  assign m_arburst_o = 2'b01;

  // Outstanding bursts ---------------------------------------------------------------------------

  logic [3:0]              push, pop;
  logic [4*96-1:0]         start;
  logic [3*3-1:0]          small_count;
  logic [LoadAw:0]         load_count;

  assign push = req_fire ? 4'b1 << req_id_i : 4'b0;
  assign pop  = r_fire && m_rlast_i ? 4'b1 << rid : 4'b0;

  for (genvar i = 0; i < 3; i++) begin : g_small
    eie_fifo #(.Width(96), .Depth(SmallDepth)) u_start (
      .clk_i, .rst_ni, .clr_i(1'b0),
      .wvalid_i(push[i]), .wready_o(space[i]), .wdata_i({req_cmd_i, req_va_i}),
      .rvalid_o(pending[i]), .rready_i(pop[i]), .rdata_o(start[96*i +: 96]),
      .count_o(small_count[3*i +: 3])
    );
    assign last_room_o[i] = small_count[3*i +: 3] == 3'(SmallDepth - 1);
  end

  eie_fifo #(.Width(96), .Depth(LoadDepth)) u_load_start (
    .clk_i, .rst_ni, .clr_i(1'b0),
    .wvalid_i(push[3]), .wready_o(space[3]), .wdata_i({req_cmd_i, req_va_i}),
    .rvalid_o(pending[3]), .rready_i(pop[3]), .rdata_o(start[96*3 +: 96]),
    .count_o(load_count)
  );
  assign last_room_o[3] = load_count == (LoadAw + 1)'(LoadDepth - 1);

  assign room_o = space;
  assign idle_o = pending == 4'b0;

  // Beats ----------------------------------------------------------------------------------------

  assign rid        = m_rid_i[1:0];
  assign m_rready_o = flush_i || rid != IdLoad || load_ready_i;
  assign r_fire     = m_rvalid_i && m_rready_o;

  // An erroneous beat is handed on as well, so that the client's count stays right until the flush.
  assign rsp_valid_o = m_rvalid_i && !flush_i ? 4'b1 << rid : 4'b0;
  // what a bus carries with an error is anybody's: it must not reach a buffer that a job can store from
  assign rsp_data_o  = m_rresp_i[1] ? '0 : m_rdata_i;
  assign rsp_last_o  = m_rlast_i;
  assign rsp_err_o   = m_rresp_i[1];
  assign beat_o      = r_fire && !flush_i && rid != IdWalker;

  assign fault_valid_o = r_fire && !flush_i && m_rresp_i[1];
  assign {fault_cmd_o, fault_addr_o} = start[96*rid +: 96];

  logic unused;
  assign unused = ^{m_rid_i[3:2], m_rresp_i[0]};

  // Assertions -----------------------------------------------------------------------------------

`ifndef SYNTHESIS
  assert property (@(posedge clk_i) disable iff (!rst_ni)
    m_arvalid_o && !m_arready_i |=> m_arvalid_o && $stable({m_arid_o, m_araddr_o, m_arlen_o}));
  // No address during a flush but the one already offered.
  assert property (@(posedge clk_i) disable iff (!rst_ni)
    flush_i |=> !m_arvalid_o || $past(m_arvalid_o && !m_arready_i));
  // The bus answers only what was asked.
  assert property (@(posedge clk_i) disable iff (!rst_ni)
    m_rvalid_i |-> m_rid_i[3:2] == 2'b0 && pending[rid]);
`endif

endmodule
