// SPDX-License-Identifier: GPL-2.0 OR MIT
//
// The engine as the simulator drives it: inputs take effect when take_i changes. Verilator evaluates whatever
// depends on an input in every evaluation; behind registers it does so when there is something new, which
// is rare while the engine computes.

module eie_sim_top #(
  parameter int unsigned Queues = eie_cfg_pkg::Queues,
  parameter int unsigned BusBits = eie_cfg_pkg::BusBits
) (
  input  logic                     take_i,
  input  logic                     clk_i,
  input  logic                     rst_ni,
  input  logic                     s_axil_awvalid_i,
  output logic                     s_axil_awready_o,
  input  logic [15:0]              s_axil_awaddr_i,
  input  logic                     s_axil_wvalid_i,
  output logic                     s_axil_wready_o,
  input  logic [31:0]              s_axil_wdata_i,
  input  logic [3:0]               s_axil_wstrb_i,
  output logic                     s_axil_bvalid_o,
  input  logic                     s_axil_bready_i,
  output logic [1:0]               s_axil_bresp_o,
  input  logic                     s_axil_arvalid_i,
  output logic                     s_axil_arready_o,
  input  logic [15:0]              s_axil_araddr_i,
  output logic                     s_axil_rvalid_o,
  input  logic                     s_axil_rready_i,
  output logic [31:0]              s_axil_rdata_o,
  output logic [1:0]               s_axil_rresp_o,
  output logic                     m_axi_arvalid_o,
  input  logic                     m_axi_arready_i,
  output logic [3:0]               m_axi_arid_o,
  output logic [63:0]              m_axi_araddr_o,
  output logic [7:0]               m_axi_arlen_o,
  output logic [2:0]               m_axi_arsize_o,
  output logic [1:0]               m_axi_arburst_o,
  input  logic                     m_axi_rvalid_i,
  output logic                     m_axi_rready_o,
  input  logic [3:0]               m_axi_rid_i,
  input  logic [BusBits-1:0]       m_axi_rdata_i,
  input  logic [1:0]               m_axi_rresp_i,
  input  logic                     m_axi_rlast_i,
  output logic                     m_axi_awvalid_o,
  input  logic                     m_axi_awready_i,
  output logic [3:0]               m_axi_awid_o,
  output logic [63:0]              m_axi_awaddr_o,
  output logic [7:0]               m_axi_awlen_o,
  output logic [2:0]               m_axi_awsize_o,
  output logic [1:0]               m_axi_awburst_o,
  output logic                     m_axi_wvalid_o,
  input  logic                     m_axi_wready_i,
  output logic [BusBits-1:0]       m_axi_wdata_o,
  output logic [BusBits/8-1:0]     m_axi_wstrb_o,
  output logic                     m_axi_wlast_o,
  input  logic                     m_axi_bvalid_i,
  output logic                     m_axi_bready_o,
  input  logic [3:0]               m_axi_bid_i,
  input  logic [1:0]               m_axi_bresp_i,
  output logic                     irq_o,
  output logic [Queues:0]          irq_vec_o
);

  logic                     s_axil_awvalid_q;
  logic [15:0]              s_axil_awaddr_q;
  logic                     s_axil_wvalid_q;
  logic [31:0]              s_axil_wdata_q;
  logic [3:0]               s_axil_wstrb_q;
  logic                     s_axil_bready_q;
  logic                     s_axil_arvalid_q;
  logic [15:0]              s_axil_araddr_q;
  logic                     s_axil_rready_q;
  logic                     m_axi_arready_q;
  logic                     m_axi_rvalid_q;
  logic [3:0]               m_axi_rid_q;
  logic [BusBits-1:0]       m_axi_rdata_q;
  logic [1:0]               m_axi_rresp_q;
  logic                     m_axi_rlast_q;
  logic                     m_axi_awready_q;
  logic                     m_axi_wready_q;
  logic                     m_axi_bvalid_q;
  logic [3:0]               m_axi_bid_q;
  logic [1:0]               m_axi_bresp_q;

  always @(posedge take_i or negedge take_i) begin
    s_axil_awvalid_q <= s_axil_awvalid_i;
    s_axil_awaddr_q <= s_axil_awaddr_i;
    s_axil_wvalid_q <= s_axil_wvalid_i;
    s_axil_wdata_q <= s_axil_wdata_i;
    s_axil_wstrb_q <= s_axil_wstrb_i;
    s_axil_bready_q <= s_axil_bready_i;
    s_axil_arvalid_q <= s_axil_arvalid_i;
    s_axil_araddr_q <= s_axil_araddr_i;
    s_axil_rready_q <= s_axil_rready_i;
    m_axi_arready_q <= m_axi_arready_i;
    m_axi_rvalid_q <= m_axi_rvalid_i;
    m_axi_rid_q <= m_axi_rid_i;
    m_axi_rdata_q <= m_axi_rdata_i;
    m_axi_rresp_q <= m_axi_rresp_i;
    m_axi_rlast_q <= m_axi_rlast_i;
    m_axi_awready_q <= m_axi_awready_i;
    m_axi_wready_q <= m_axi_wready_i;
    m_axi_bvalid_q <= m_axi_bvalid_i;
    m_axi_bid_q <= m_axi_bid_i;
    m_axi_bresp_q <= m_axi_bresp_i;
  end

  eie_top u_top (
    .clk_i,
    .rst_ni,
    .s_axil_awvalid_i(s_axil_awvalid_q),
    .s_axil_awready_o,
    .s_axil_awaddr_i(s_axil_awaddr_q),
    .s_axil_wvalid_i(s_axil_wvalid_q),
    .s_axil_wready_o,
    .s_axil_wdata_i(s_axil_wdata_q),
    .s_axil_wstrb_i(s_axil_wstrb_q),
    .s_axil_bvalid_o,
    .s_axil_bready_i(s_axil_bready_q),
    .s_axil_bresp_o,
    .s_axil_arvalid_i(s_axil_arvalid_q),
    .s_axil_arready_o,
    .s_axil_araddr_i(s_axil_araddr_q),
    .s_axil_rvalid_o,
    .s_axil_rready_i(s_axil_rready_q),
    .s_axil_rdata_o,
    .s_axil_rresp_o,
    .m_axi_arvalid_o,
    .m_axi_arready_i(m_axi_arready_q),
    .m_axi_arid_o,
    .m_axi_araddr_o,
    .m_axi_arlen_o,
    .m_axi_arsize_o,
    .m_axi_arburst_o,
    .m_axi_rvalid_i(m_axi_rvalid_q),
    .m_axi_rready_o,
    .m_axi_rid_i(m_axi_rid_q),
    .m_axi_rdata_i(m_axi_rdata_q),
    .m_axi_rresp_i(m_axi_rresp_q),
    .m_axi_rlast_i(m_axi_rlast_q),
    .m_axi_awvalid_o,
    .m_axi_awready_i(m_axi_awready_q),
    .m_axi_awid_o,
    .m_axi_awaddr_o,
    .m_axi_awlen_o,
    .m_axi_awsize_o,
    .m_axi_awburst_o,
    .m_axi_wvalid_o,
    .m_axi_wready_i(m_axi_wready_q),
    .m_axi_wdata_o,
    .m_axi_wstrb_o,
    .m_axi_wlast_o,
    .m_axi_bvalid_i(m_axi_bvalid_q),
    .m_axi_bready_o,
    .m_axi_bid_i(m_axi_bid_q),
    .m_axi_bresp_i(m_axi_bresp_q),
    .irq_o,
    .irq_vec_o
  );

endmodule
