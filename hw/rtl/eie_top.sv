// SPDX-License-Identifier: GPL-2.0 OR MIT
//
// The engine: wiring only. AXI4-Lite slave for the registers, AXI4 master of BusBits for
// everything in memory, a level interrupt and message pulses (one a queue, then the fault vector).

module eie_top #(
  parameter int unsigned Clusters = eie_cfg_pkg::Clusters,
  parameter int unsigned Lanes = eie_cfg_pkg::Lanes,
  parameter int unsigned Rows = eie_cfg_pkg::Rows,
  parameter int unsigned AbufDepth = eie_cfg_pkg::AbufDepth,
  parameter int unsigned WbufDepth = eie_cfg_pkg::WbufDepth,
  parameter int unsigned PbufDepth = eie_cfg_pkg::PbufDepth,
  parameter int unsigned RbufDepth = eie_cfg_pkg::RbufDepth,
  parameter int unsigned JobDepth = eie_cfg_pkg::JobDepth,
  parameter int unsigned TlbEntries = eie_cfg_pkg::TlbEntries,
  parameter int unsigned Queues = eie_cfg_pkg::Queues,
  parameter int unsigned BusBits = eie_cfg_pkg::BusBits
) (
  input  logic              clk_i,
  input  logic              rst_ni,

  input  logic              s_axil_awvalid_i,
  output logic              s_axil_awready_o,
  input  logic [15:0]       s_axil_awaddr_i,
  input  logic              s_axil_wvalid_i,
  output logic              s_axil_wready_o,
  input  logic [31:0]       s_axil_wdata_i,
  input  logic [3:0]        s_axil_wstrb_i,
  output logic              s_axil_bvalid_o,
  input  logic              s_axil_bready_i,
  output logic [1:0]        s_axil_bresp_o,
  input  logic              s_axil_arvalid_i,
  output logic              s_axil_arready_o,
  input  logic [15:0]       s_axil_araddr_i,
  output logic              s_axil_rvalid_o,
  input  logic              s_axil_rready_i,
  output logic [31:0]       s_axil_rdata_o,
  output logic [1:0]        s_axil_rresp_o,

  output logic              m_axi_arvalid_o,
  input  logic              m_axi_arready_i,
  output logic [3:0]        m_axi_arid_o,
  output logic [63:0]       m_axi_araddr_o,
  output logic [7:0]        m_axi_arlen_o,
  output logic [2:0]        m_axi_arsize_o,
  output logic [1:0]        m_axi_arburst_o,
  input  logic              m_axi_rvalid_i,
  output logic              m_axi_rready_o,
  input  logic [3:0]        m_axi_rid_i,
  input  logic [BusBits-1:0] m_axi_rdata_i,
  input  logic [1:0]        m_axi_rresp_i,
  input  logic              m_axi_rlast_i,
  output logic              m_axi_awvalid_o,
  input  logic              m_axi_awready_i,
  output logic [3:0]        m_axi_awid_o,
  output logic [63:0]       m_axi_awaddr_o,
  output logic [7:0]        m_axi_awlen_o,
  output logic [2:0]        m_axi_awsize_o,
  output logic [1:0]        m_axi_awburst_o,
  output logic              m_axi_wvalid_o,
  input  logic              m_axi_wready_i,
  output logic [BusBits-1:0] m_axi_wdata_o,
  output logic [BusBits/8-1:0] m_axi_wstrb_o,
  output logic              m_axi_wlast_o,
  input  logic              m_axi_bvalid_i,
  output logic              m_axi_bready_o,
  input  logic [3:0]        m_axi_bid_i,
  input  logic [1:0]        m_axi_bresp_i,

  output logic              irq_o,
  output logic [Queues:0]   irq_vec_o
);

  // The deepest buffer
  localparam int unsigned MaxAw = AbufDepth > WbufDepth ? AbufDepth : WbufDepth;
  localparam int unsigned MaxPr = PbufDepth > RbufDepth ? PbufDepth : RbufDepth;
  localparam int unsigned MaxAwc = MaxAw > eie_pkg::CbufGranules ? MaxAw : eie_pkg::CbufGranules;
  localparam int unsigned ScrubDepth = MaxAwc > MaxPr ? MaxAwc : MaxPr;

  // Job
  logic                   flush, cp_idle, ld_idle, st_idle, ar_idle;
  logic [7:0]             epoch;
  logic                   epoch_new, scrub, clear, clear_busy;
  logic [23:0]            scrub_addr;
  logic                   cmd_start, cmd_restore, cmd_done;
  logic [63:0]            cmd_va;
  logic [23:0]            cmd_count;
  logic [eie_pkg::MaxBases*64-1:0] bases;
  logic [4:0]             nbases;

  // Read and write clients
  logic                   cp_req_valid, cp_req_ready, cp_rsp_valid;
  logic                   ld_req_valid, ld_req_ready, ld_rsp_valid, ld_rsp_ready;
  logic                   st_req_valid, st_req_ready, st_dat_valid, st_dat_ready, st_rsp_valid;
  logic [63:0]            cp_req_va, ld_req_va, st_req_va;
  logic [3:0]             cp_req_len, ld_req_len, st_req_len;
  logic [31:0]            cp_req_cmd, ld_req_cmd, st_req_cmd;
  logic [127:0]           rsp_data, st_dat_data;
  logic                   rsp_last;

  // Faults
  logic                   cp_fault, ld_fault, st_fault, ar_fault;
  logic [7:0]             cp_fault_status, ld_fault_status, st_fault_status, ar_fault_status;
  logic [31:0]            cp_fault_cmd, ld_fault_cmd, st_fault_cmd, ar_fault_cmd;

  // Commands
  logic                   ld_cmd_valid, ld_cmd_ready, ar_cmd_valid, ar_cmd_ready;
  logic                   st_cmd_valid, st_cmd_ready;
  logic [255:0]           ld_cmd, ar_cmd, st_cmd;
  logic [31:0]            ld_cmd_idx, ar_cmd_idx, st_cmd_idx;
  logic                   ld_done, ld_done_next, ar_done, ar_done_prev, ar_done_next;
  logic                   st_done, st_done_prev;

  // Buffers
  logic                   buf_we, buf_ready, buf_abuf, abuf_ready;
  logic [3:0]             buf_target, buf_cluster;
  logic [23:0]            buf_addr;
  logic [127:0]           buf_data;
  logic                   ab_re, ab_written, dr_we, st_re, st_gnt, st_written;
  logic                   la_re, la_gnt, la_written, lp_re, lp_free, lp_written;   // SELECT: of ABUF, PBUF
  logic [3:0]             lp_cluster;
  logic [23:0]            la_addr, lp_addr;
  logic [127:0]           la_data, lp_data;
  logic [23:0]            ab_addr, dr_addr, st_addr;
  logic [127:0]           ab_data, st_data;
  logic [7:0]              dr_pixels;
  logic                    ab_all;
  logic [Clusters*128-1:0] ab_banks;
  logic                    pl_we;
  logic [23:0]             pl_addr;
  logic [127:0]            pl_data;
  logic [Clusters*128-1:0] dr_data;

  // Status for the counters
  logic [8:0]             macs, sats;
  logic                   mac_active, drain_active, engine_active, sync_wait;
  logic                   wait_load, wait_store, fetching, dispatched;
  logic [1:0]             retired, ld_queue, st_queue;
  logic [2:0]             cp_class;
  logic [4:0]             ld_doing;
  logic [5:0]             st_doing;

  // Master port of 128 bits, before its width is fitted to the bus
  logic                   g_arvalid, g_arready, g_rvalid, g_rready, g_rlast, g_awvalid, g_awready,
                          g_wvalid, g_wready, g_wlast, g_bvalid, g_bready;
  logic [1:0]             g_arburst, g_rresp, g_awburst, g_bresp;
  logic [2:0]             g_arsize, g_awsize;
  logic [3:0]             g_arid, g_rid, g_awid, g_bid;
  logic [7:0]             g_arlen, g_awlen;
  logic [15:0]            g_wstrb;
  logic [63:0]            g_araddr, g_awaddr;
  logic [127:0]           g_rdata, g_wdata;

  // Clocks that rest: host side, command processor, load and store while the array computes, the
  // activation buffer, whose registers all have enables, between accesses.

  logic       host_rest, host_wake, cp_rest, clk_host, clk_act;
  logic [1:0] host_tail_q;

  assign host_wake = !host_rest || !cp_rest || !ld_idle || !st_idle || cp_req_valid || ld_cmd_valid || st_cmd_valid ||
                     flush || g_rvalid || g_bvalid;

  // some registers follow an event by two cycles
  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      host_tail_q <= '1;
    end else begin
      host_tail_q <= {host_tail_q[0], host_wake};
    end
  end

  eie_clkgate u_clk_host (
    .clk_i,
    .en_i  (host_wake || host_tail_q != '0),
    .clk_o (clk_host)
  );

  eie_clkgate u_clk_act (
    .clk_i,
    .en_i  ((buf_we && buf_abuf) || scrub || dr_we || pl_we || ab_re || st_re || la_re),
    .clk_o (clk_act)
  );

  eie_host #(
    .Queues    (Queues),
    .TlbEntries(TlbEntries),
    .ScrubDepth(ScrubDepth)
  ) u_host (
    .clk_i,
    .clk_host_i       (clk_host),
    .rest_o           (host_rest),
    .rst_ni,
    .s_awvalid_i      (s_axil_awvalid_i),
    .s_awready_o      (s_axil_awready_o),
    .s_awaddr_i       (s_axil_awaddr_i),
    .s_wvalid_i       (s_axil_wvalid_i),
    .s_wready_o       (s_axil_wready_o),
    .s_wdata_i        (s_axil_wdata_i),
    .s_wstrb_i        (s_axil_wstrb_i),
    .s_bvalid_o       (s_axil_bvalid_o),
    .s_bready_i       (s_axil_bready_i),
    .s_bresp_o        (s_axil_bresp_o),
    .s_arvalid_i      (s_axil_arvalid_i),
    .s_arready_o      (s_axil_arready_o),
    .s_araddr_i       (s_axil_araddr_i),
    .s_rvalid_o       (s_axil_rvalid_o),
    .s_rready_i       (s_axil_rready_i),
    .s_rdata_o        (s_axil_rdata_o),
    .s_rresp_o        (s_axil_rresp_o),
    .m_arvalid_o      (g_arvalid),
    .m_arready_i      (g_arready),
    .m_arid_o         (g_arid),
    .m_araddr_o       (g_araddr),
    .m_arlen_o        (g_arlen),
    .m_arsize_o       (g_arsize),
    .m_arburst_o      (g_arburst),
    .m_rvalid_i       (g_rvalid),
    .m_rready_o       (g_rready),
    .m_rid_i          (g_rid),
    .m_rdata_i        (g_rdata),
    .m_rresp_i        (g_rresp),
    .m_rlast_i        (g_rlast),
    .m_awvalid_o      (g_awvalid),
    .m_awready_i      (g_awready),
    .m_awid_o         (g_awid),
    .m_awaddr_o       (g_awaddr),
    .m_awlen_o        (g_awlen),
    .m_awsize_o       (g_awsize),
    .m_awburst_o      (g_awburst),
    .m_wvalid_o       (g_wvalid),
    .m_wready_i       (g_wready),
    .m_wdata_o        (g_wdata),
    .m_wstrb_o        (g_wstrb),
    .m_wlast_o        (g_wlast),
    .m_bvalid_i       (g_bvalid),
    .m_bready_o       (g_bready),
    .m_bid_i          (g_bid),
    .m_bresp_i        (g_bresp),
    .irq_o,
    .irq_vec_o,
    .cp_req_valid_i   (cp_req_valid),
    .cp_req_ready_o   (cp_req_ready),
    .cp_req_va_i      (cp_req_va),
    .cp_req_len_i     (cp_req_len),
    .cp_req_cmd_i     (cp_req_cmd),
    .cp_rsp_valid_o   (cp_rsp_valid),
    .ld_req_valid_i   (ld_req_valid),
    .ld_req_ready_o   (ld_req_ready),
    .ld_req_va_i      (ld_req_va),
    .ld_req_len_i     (ld_req_len),
    .ld_req_cmd_i     (ld_req_cmd),
    .ld_rsp_valid_o   (ld_rsp_valid),
    .ld_rsp_ready_i   (ld_rsp_ready),
    .rsp_data_o       (rsp_data),
    .rsp_last_o       (rsp_last),
    .st_req_valid_i   (st_req_valid),
    .st_req_ready_o   (st_req_ready),
    .st_req_va_i      (st_req_va),
    .st_req_len_i     (st_req_len),
    .st_req_cmd_i     (st_req_cmd),
    .st_dat_valid_i   (st_dat_valid),
    .st_dat_ready_o   (st_dat_ready),
    .st_dat_data_i    (st_dat_data),
    .st_rsp_valid_o   (st_rsp_valid),
    .flush_o          (flush),
    .cp_idle_i        (cp_idle),
    .ld_idle_i        (ld_idle),
    .st_idle_i        (st_idle),
    .ar_idle_i        (ar_idle),
    .epoch_o          (epoch),
    .epoch_new_o      (epoch_new),
    .scrub_o          (scrub),
    .scrub_addr_o     (scrub_addr),
    .clear_o          (clear),
    .clear_busy_i     (clear_busy),
    .cmd_start_o      (cmd_start),
    .cmd_va_o         (cmd_va),
    .cmd_count_o      (cmd_count),
    .cmd_restore_o    (cmd_restore),
    .cmd_done_i       (cmd_done),
    .bases_o          (bases),
    .nbases_o         (nbases),
    .cp_fault_valid_i (cp_fault),
    .cp_fault_status_i(cp_fault_status),
    .cp_fault_addr_i  ('0),    // only page faults and bus errors have an address
    .cp_fault_cmd_i   (cp_fault_cmd),
    .ld_fault_valid_i (ld_fault),
    .ld_fault_status_i(ld_fault_status),
    .ld_fault_addr_i  ('0),
    .ld_fault_cmd_i   (ld_fault_cmd),
    .st_fault_valid_i (st_fault),
    .st_fault_status_i(st_fault_status),
    .st_fault_addr_i  ('0),
    .st_fault_cmd_i   (st_fault_cmd),
    .ar_fault_valid_i (ar_fault),
    .ar_fault_status_i(ar_fault_status),
    .ar_fault_addr_i  ('0),
    .ar_fault_cmd_i   (ar_fault_cmd),
    .macs_i           (macs),
    .mac_active_i     (mac_active),
    .drain_active_i   (drain_active),
    .engine_active_i  (engine_active),
    .sats_i           (sats),
    .sync_wait_i      (sync_wait),
    .wait_load_i      (wait_load),
    .wait_store_i     (wait_store),
    .fetching_i       (fetching),
    .dispatched_i     (dispatched),
    .retired_i        (retired),
    .cp_class_i       (cp_class),
    .ld_queue_i       (ld_queue),
    .ld_doing_i       (ld_doing),
    .ld_target_i      (buf_target),
    .st_queue_i       (st_queue),
    .st_doing_i       (st_doing)
  );

  eie_axi_width #(
    .BusBits(BusBits)
  ) u_width (
    .clk_i,
    .rst_ni,
    .s_arvalid_i  (g_arvalid),
    .s_arready_o  (g_arready),
    .s_arid_i     (g_arid),
    .s_araddr_i   (g_araddr),
    .s_arlen_i    (g_arlen),
    .s_arsize_i   (g_arsize),
    .s_arburst_i  (g_arburst),
    .s_rvalid_o   (g_rvalid),
    .s_rready_i   (g_rready),
    .s_rid_o      (g_rid),
    .s_rdata_o    (g_rdata),
    .s_rresp_o    (g_rresp),
    .s_rlast_o    (g_rlast),
    .s_awvalid_i  (g_awvalid),
    .s_awready_o  (g_awready),
    .s_awid_i     (g_awid),
    .s_awaddr_i   (g_awaddr),
    .s_awlen_i    (g_awlen),
    .s_awsize_i   (g_awsize),
    .s_awburst_i  (g_awburst),
    .s_wvalid_i   (g_wvalid),
    .s_wready_o   (g_wready),
    .s_wdata_i    (g_wdata),
    .s_wstrb_i    (g_wstrb),
    .s_wlast_i    (g_wlast),
    .s_bvalid_o   (g_bvalid),
    .s_bready_i   (g_bready),
    .s_bid_o      (g_bid),
    .s_bresp_o    (g_bresp),
    .m_arvalid_o  (m_axi_arvalid_o),
    .m_arready_i  (m_axi_arready_i),
    .m_arid_o     (m_axi_arid_o),
    .m_araddr_o   (m_axi_araddr_o),
    .m_arlen_o    (m_axi_arlen_o),
    .m_arsize_o   (m_axi_arsize_o),
    .m_arburst_o  (m_axi_arburst_o),
    .m_rvalid_i   (m_axi_rvalid_i),
    .m_rready_o   (m_axi_rready_o),
    .m_rid_i      (m_axi_rid_i),
    .m_rdata_i    (m_axi_rdata_i),
    .m_rresp_i    (m_axi_rresp_i),
    .m_rlast_i    (m_axi_rlast_i),
    .m_awvalid_o  (m_axi_awvalid_o),
    .m_awready_i  (m_axi_awready_i),
    .m_awid_o     (m_axi_awid_o),
    .m_awaddr_o   (m_axi_awaddr_o),
    .m_awlen_o    (m_axi_awlen_o),
    .m_awsize_o   (m_axi_awsize_o),
    .m_awburst_o  (m_axi_awburst_o),
    .m_wvalid_o   (m_axi_wvalid_o),
    .m_wready_i   (m_axi_wready_i),
    .m_wdata_o    (m_axi_wdata_o),
    .m_wstrb_o    (m_axi_wstrb_o),
    .m_wlast_o    (m_axi_wlast_o),
    .m_bvalid_i   (m_axi_bvalid_i),
    .m_bready_o   (m_axi_bready_o),
    .m_bid_i      (m_axi_bid_i),
    .m_bresp_i    (m_axi_bresp_i)
  );

  // verilator lint_off PINCONNECTEMPTY
  eie_cmdproc #(
    .Clusters (Clusters),
    .Rows     (Rows),
    .AbufDepth(AbufDepth),
    .WbufDepth(WbufDepth),
    .PbufDepth(PbufDepth),
    .RbufDepth(RbufDepth),
    .Vector   (eie_cfg_pkg::Vector),
    .Select   (eie_cfg_pkg::Select)
  ) u_cmdproc (
    .clk_i            (clk_host),
    .rst_ni,
    .flush_i          (flush),
    .idle_o           (cp_idle),
    .rest_o           (cp_rest),
    .cmd_start_i      (cmd_start),
    .cmd_va_i         (cmd_va),
    .cmd_count_i      (cmd_count),
    .cmd_restore_i    (cmd_restore),
    .cmd_done_o       (cmd_done),
    .nbases_i         (nbases),
    .req_valid_o      (cp_req_valid),
    .req_ready_i      (cp_req_ready),
    .req_va_o         (cp_req_va),
    .req_len_o        (cp_req_len),
    .req_cmd_o        (cp_req_cmd),
    .rsp_valid_i      (cp_rsp_valid),
    .rsp_ready_o      (),    // always
    .rsp_data_i       (rsp_data),
    .fault_valid_o    (cp_fault),
    .fault_status_o   (cp_fault_status),
    .fault_cmd_o      (cp_fault_cmd),
    .load_cmd_valid_o (ld_cmd_valid),
    .load_cmd_ready_i (ld_cmd_ready),
    .load_cmd_o       (ld_cmd),
    .load_cmd_idx_o   (ld_cmd_idx),
    .load_done_i      (ld_done),
    .load_done_next_i (ld_done_next),
    .comp_cmd_valid_o (ar_cmd_valid),
    .comp_cmd_ready_i (ar_cmd_ready),
    .comp_cmd_o       (ar_cmd),
    .comp_cmd_idx_o   (ar_cmd_idx),
    .comp_done_i      (ar_done),
    .comp_done_prev_i (ar_done_prev),
    .comp_done_next_i (ar_done_next),
    .store_cmd_valid_o(st_cmd_valid),
    .store_cmd_ready_i(st_cmd_ready),
    .store_cmd_o      (st_cmd),
    .store_cmd_idx_o  (st_cmd_idx),
    .store_done_i     (st_done),
    .store_done_prev_i(st_done_prev),
    .wait_load_o      (wait_load),
    .wait_store_o     (wait_store),
    .fetching_o       (fetching),
    .dispatched_o     (dispatched),
    .class_o          (cp_class),
    .load_queue_o     (ld_queue),
    .store_queue_o    (st_queue),
    .retired_o        (retired)
  );
  // verilator lint_on PINCONNECTEMPTY

  eie_load #(
    .AbufDepth(AbufDepth),
    .WbufDepth(WbufDepth),
    .PbufDepth(PbufDepth),
    .RbufDepth(RbufDepth),
    .Select   (eie_cfg_pkg::Select)
  ) u_load (
    .clk_i         (clk_host),
    .rst_ni,
    .flush_i       (flush),
    .idle_o        (ld_idle),
    .bases_i       (bases),
    .cmd_valid_i   (ld_cmd_valid),
    .cmd_ready_o   (ld_cmd_ready),
    .cmd_i         (ld_cmd),
    .cmd_idx_i     (ld_cmd_idx),
    .done_o        (ld_done),
    .done_next_o   (ld_done_next),
    .req_valid_o   (ld_req_valid),
    .req_ready_i   (ld_req_ready),
    .req_va_o      (ld_req_va),
    .req_len_o     (ld_req_len),
    .req_cmd_o     (ld_req_cmd),
    .rsp_valid_i   (ld_rsp_valid),
    .rsp_ready_o   (ld_rsp_ready),
    .rsp_data_i    (rsp_data),
    .rsp_last_i    (rsp_last),
    .ab_re_o       (la_re),
    .ab_addr_o     (la_addr),
    .ab_gnt_i      (la_gnt),
    .ab_data_i     (la_data),
    .ab_written_i  (la_written),
    .pb_re_o       (lp_re),
    .pb_cluster_o  (lp_cluster),
    .pb_addr_o     (lp_addr),
    .pb_free_i     (lp_free),
    .pb_data_i     (lp_data),
    .pb_written_i  (lp_written),
    .buf_we_o      (buf_we),
    .buf_ready_i   (buf_ready),
    .buf_target_o  (buf_target),
    .buf_cluster_o (buf_cluster),
    .buf_addr_o    (buf_addr),
    .buf_data_o    (buf_data),
    .fault_valid_o (ld_fault),
    .fault_status_o(ld_fault_status),
    .fault_cmd_o   (ld_fault_cmd),
    .doing_o       (ld_doing)
  );

  assign buf_abuf  = buf_target == eie_pkg::BufAbuf[3:0];
  assign buf_ready = abuf_ready || !buf_abuf;

  eie_store #(
    .AbufDepth(AbufDepth)
  ) u_store (
    .clk_i         (clk_host),
    .rst_ni,
    .flush_i       (flush),
    .idle_o        (st_idle),
    .bases_i       (bases),
    .cmd_valid_i   (st_cmd_valid),
    .cmd_ready_o   (st_cmd_ready),
    .cmd_i         (st_cmd),
    .cmd_idx_i     (st_cmd_idx),
    .done_o        (st_done),
    .done_prev_o   (st_done_prev),
    .st_re_o       (st_re),
    .st_addr_o     (st_addr),
    .st_gnt_i      (st_gnt),
    .st_data_i     (st_data),
    .st_written_i  (st_written),
    .req_valid_o   (st_req_valid),
    .req_ready_i   (st_req_ready),
    .req_va_o      (st_req_va),
    .req_len_o     (st_req_len),
    .req_cmd_o     (st_req_cmd),
    .dat_valid_o   (st_dat_valid),
    .dat_ready_i   (st_dat_ready),
    .dat_data_o    (st_dat_data),
    .rsp_valid_i   (st_rsp_valid),
    .fault_valid_o (st_fault),
    .fault_status_o(st_fault_status),
    .fault_cmd_o   (st_fault_cmd),
    .doing_o       (st_doing)
  );

  eie_abuf #(
    .Clusters (Clusters),
    .AbufDepth(AbufDepth)
  ) u_abuf (
    .clk_i       (clk_act),
    .rst_ni,
    .epoch_i     (epoch),
    .scrub_i     (scrub),
    .scrub_addr_i(scrub_addr),
    .buf_we_i    (buf_we && buf_abuf),
    .buf_ready_o (abuf_ready),
    .buf_addr_i  (buf_addr),
    .buf_data_i  (buf_data),
    .dr_we_i     (dr_we),
    .dr_addr_i   (dr_addr),
    .dr_pixels_i (dr_pixels),
    .dr_data_i   (dr_data),
    .pl_we_i     (pl_we),
    .pl_addr_i   (pl_addr),
    .pl_data_i   (pl_data),
    .ab_re_i     (ab_re),
    .ab_all_i    (ab_all),
    .ab_addr_i   (ab_addr),
    .ab_data_o   (ab_data),
    .ab_banks_o  (ab_banks),
    .ab_written_o(ab_written),
    .st_re_i     (st_re),
    .st_addr_i   (st_addr),
    .st_gnt_o    (st_gnt),
    .st_data_o   (st_data),
    .st_written_o(st_written),
    .ld_re_i     (la_re),
    .ld_addr_i   (la_addr),
    .ld_gnt_o    (la_gnt),
    .ld_data_o   (la_data),
    .ld_written_o(la_written)
  );

  eie_array #(
    .Clusters (Clusters),
    .Lanes    (Lanes),
    .Rows     (Rows),
    .WbufDepth(WbufDepth),
    .PbufDepth(PbufDepth),
    .RbufDepth(RbufDepth),
    .JobDepth (JobDepth),
    .Vector   (eie_cfg_pkg::Vector)
  ) u_array (
    .clk_i,
    .rst_ni,
    .flush_i        (flush),
    .idle_o         (ar_idle),
    .epoch_i        (epoch),
    .epoch_new_i    (epoch_new),
    .scrub_i        (scrub),
    .scrub_addr_i   (scrub_addr),
    .clear_i        (clear),
    .clear_busy_o   (clear_busy),
    .cmd_valid_i    (ar_cmd_valid),
    .cmd_ready_o    (ar_cmd_ready),
    .cmd_i          (ar_cmd),
    .cmd_idx_i      (ar_cmd_idx),
    .done_o         (ar_done),
    .done_prev_o    (ar_done_prev),
    .done_next_o    (ar_done_next),
    .fault_o        (ar_fault),
    .fault_status_o (ar_fault_status),
    .fault_cmd_o    (ar_fault_cmd),
    .buf_we_i       (buf_we && !buf_abuf),
    .buf_target_i   (buf_target),
    .buf_cluster_i  (buf_cluster),
    .buf_addr_i     (buf_addr),
    .buf_data_i     (buf_data),
    .sel_free_o     (lp_free),
    .sel_re_i       (lp_re),
    .sel_cluster_i  (lp_cluster),
    .sel_addr_i     (lp_addr),
    .sel_data_o     (lp_data),
    .sel_written_o  (lp_written),
    .ab_re_o        (ab_re),
    .ab_all_o       (ab_all),
    .ab_addr_o      (ab_addr),
    .ab_data_i      (ab_data),
    .ab_banks_i     (ab_banks),
    .ab_written_i   (ab_written),
    .dr_we_o        (dr_we),
    .dr_addr_o      (dr_addr),
    .dr_pixels_o    (dr_pixels),
    .dr_data_o      (dr_data),
    .pl_we_o        (pl_we),
    .pl_addr_o      (pl_addr),
    .pl_data_o      (pl_data),
    .macs_o         (macs),
    .mac_active_o   (mac_active),
    .drain_active_o (drain_active),
    .engine_active_o(engine_active),
    .sats_o         (sats),
    .sync_wait_o    (sync_wait)
  );

endmodule
