// SPDX-License-Identifier: GPL-2.0 OR MIT
//
// The host side of the engine: registers, front end, MMU and bus masters, wired together. Toward
// the engines the handshakes of hw/README.md: read clients cp (command processor) and ld (load),
// write client st (store).

module eie_host #(
  parameter int unsigned Queues = 1,
  parameter int unsigned TlbEntries = 4,
  parameter int unsigned ScrubDepth = 64    // granules of the deepest buffer
) (
  input  logic               clk_i,
  input  logic               clk_host_i,     // of all but time and counters, may rest while rest_o
  output logic               rest_o,
  input  logic               rst_ni,

  // AXI4-Lite slave
  input  logic               s_awvalid_i,
  output logic               s_awready_o,
  input  logic [15:0]        s_awaddr_i,
  input  logic               s_wvalid_i,
  output logic               s_wready_o,
  input  logic [31:0]        s_wdata_i,
  input  logic [3:0]         s_wstrb_i,
  output logic               s_bvalid_o,
  input  logic               s_bready_i,
  output logic [1:0]         s_bresp_o,
  input  logic               s_arvalid_i,
  output logic               s_arready_o,
  input  logic [15:0]        s_araddr_i,
  output logic               s_rvalid_o,
  input  logic               s_rready_i,
  output logic [31:0]        s_rdata_o,
  output logic [1:0]         s_rresp_o,

  // AXI4 master
  output logic               m_arvalid_o,
  input  logic               m_arready_i,
  output logic [3:0]         m_arid_o,
  output logic [63:0]        m_araddr_o,
  output logic [7:0]         m_arlen_o,
  output logic [2:0]         m_arsize_o,
  output logic [1:0]         m_arburst_o,
  input  logic               m_rvalid_i,
  output logic               m_rready_o,
  input  logic [3:0]         m_rid_i,
  input  logic [127:0]       m_rdata_i,
  input  logic [1:0]         m_rresp_i,
  input  logic               m_rlast_i,
  output logic               m_awvalid_o,
  input  logic               m_awready_i,
  output logic [3:0]         m_awid_o,
  output logic [63:0]        m_awaddr_o,
  output logic [7:0]         m_awlen_o,
  output logic [2:0]         m_awsize_o,
  output logic [1:0]         m_awburst_o,
  output logic               m_wvalid_o,
  input  logic               m_wready_i,
  output logic [127:0]       m_wdata_o,
  output logic [15:0]        m_wstrb_o,
  output logic               m_wlast_o,
  input  logic               m_bvalid_i,
  output logic               m_bready_o,
  input  logic [3:0]         m_bid_i,
  input  logic [1:0]         m_bresp_i,

  output logic               irq_o,          // level
  output logic [Queues:0]    irq_vec_o,      // pulses: one a queue, then the fault vector

  // Read and write clients
  input  logic               cp_req_valid_i,
  output logic               cp_req_ready_o,
  input  logic [63:0]        cp_req_va_i,
  input  logic [3:0]         cp_req_len_i,
  input  logic [31:0]        cp_req_cmd_i,
  output logic               cp_rsp_valid_o,
  input  logic               ld_req_valid_i,
  output logic               ld_req_ready_o,
  input  logic [63:0]        ld_req_va_i,
  input  logic [3:0]         ld_req_len_i,
  input  logic [31:0]        ld_req_cmd_i,
  output logic               ld_rsp_valid_o,
  input  logic               ld_rsp_ready_i,
  output logic [127:0]       rsp_data_o,     // of both
  output logic               rsp_last_o,
  input  logic               st_req_valid_i,
  output logic               st_req_ready_o,
  input  logic [63:0]        st_req_va_i,
  input  logic [3:0]         st_req_len_i,
  input  logic [31:0]        st_req_cmd_i,
  input  logic               st_dat_valid_i,
  output logic               st_dat_ready_o,
  input  logic [127:0]       st_dat_data_i,
  output logic               st_rsp_valid_o,

  // Job
  output logic               flush_o,
  input  logic               cp_idle_i,
  input  logic               ld_idle_i,
  input  logic               st_idle_i,
  input  logic               ar_idle_i,
  output logic [7:0]         epoch_o,
  output logic               epoch_new_o,
  output logic               scrub_o,
  output logic [23:0]        scrub_addr_o,
  output logic               clear_o,
  input  logic               clear_busy_i,
  output logic               cmd_start_o,
  output logic [63:0]        cmd_va_o,
  output logic [23:0]        cmd_count_o,
  output logic               cmd_restore_o,
  input  logic               cmd_done_i,
  output logic [eie_pkg::MaxBases*64-1:0] bases_o,
  output logic [4:0]         nbases_o,

  // Faults of command processor, load, store and array
  input  logic               cp_fault_valid_i,
  input  logic [7:0]         cp_fault_status_i,
  input  logic [63:0]        cp_fault_addr_i,
  input  logic [31:0]        cp_fault_cmd_i,
  input  logic               ld_fault_valid_i,
  input  logic [7:0]         ld_fault_status_i,
  input  logic [63:0]        ld_fault_addr_i,
  input  logic [31:0]        ld_fault_cmd_i,
  input  logic               st_fault_valid_i,
  input  logic [7:0]         st_fault_status_i,
  input  logic [63:0]        st_fault_addr_i,
  input  logic [31:0]        st_fault_cmd_i,
  input  logic               ar_fault_valid_i,
  input  logic [7:0]         ar_fault_status_i,
  input  logic [63:0]        ar_fault_addr_i,
  input  logic [31:0]        ar_fault_cmd_i,

  // What the counters watch
  input  logic [8:0]         macs_i,
  input  logic               mac_active_i,
  input  logic               drain_active_i,
  input  logic               engine_active_i,
  input  logic [8:0]         sats_i,
  input  logic               sync_wait_i,
  input  logic               wait_load_i,
  input  logic               wait_store_i,
  input  logic               fetching_i,
  input  logic               dispatched_i,
  input  logic [1:0]         retired_i,      // commands completed in this cycle
  input  logic [2:0]         cp_class_i,     // the next six: eie_perf
  input  logic [1:0]         ld_queue_i,
  input  logic [4:0]         ld_doing_i,
  input  logic [3:0]         ld_target_i,
  input  logic [1:0]         st_queue_i,
  input  logic [5:0]         st_doing_i
);

  localparam int unsigned Sources = 7;

  logic [63:0]          now;
  logic                 enable, abort, ctrl_clear, busy, ready;
  logic [Queues-1:0]    stop;
  logic [7:0]           stop_cause;
  logic [63:0]          stop_addr;
  logic [2:0]           progress;
  logic [Queues-1:0]    completed, running, pop, push, restarted, q_reset, job, cpl_phase;
  logic [Queues*64-1:0] desc_addr, cpl_addr;
  logic [Queues*16-1:0] sq_head;
  logic                 inv, inv_all, inv_busy;
  logic [15:0]          inv_asid, asid;
  logic [55:0]          root;
  logic                 mmu_idle, rd_idle, wr_idle, bus_idle, quiet, miss, regs_rest, fe_rest;

  logic                 fe_rd_valid, fe_rd_ready, fe_rd_phys, fe_wr_valid, fe_wr_ready;
  logic [63:0]          fe_rd_va, fe_wr_pa;
  logic [3:0]           fe_rd_len;
  logic                 fe_dat_valid;
  logic [127:0]         fe_dat_data;

  logic                 rd_valid, rd_ready, wr_valid, wr_ready, wr_id, rsp_err;
  logic [1:0]           rd_id, dat_ready, wr_rsp_valid;
  logic [63:0]          rd_pa, rd_va, wr_pa, wr_va;
  logic [3:0]           rd_len, wr_len, rd_room, rd_last_room, rd_rsp_valid;
  logic [31:0]          rd_cmd, wr_cmd;

  logic                 mmu_fault, rd_fault, wr_fault, rd_beat, wr_beat, wr_beat_id, wr_dropped;
  logic                 run, ended, base, perf_re;
  logic [3:0]           compute_class;
  logic [$clog2(eie_pkg::PerfCounters)-1:0] perf_index;
  logic [63:0]          perf;
  logic [63:0]          mmu_fault_addr, rd_fault_addr, wr_fault_addr;
  logic [31:0]          mmu_fault_cmd, rd_fault_cmd, wr_fault_cmd;

  assign bus_idle = rd_idle && wr_idle;
  assign rest_o   = bus_idle && mmu_idle && !inv && !inv_busy && !fe_rd_valid && !fe_wr_valid && !fe_dat_valid &&
                    regs_rest && fe_rest && progress == '0;
  assign quiet    = bus_idle && mmu_idle && cp_idle_i && ld_idle_i && st_idle_i && ar_idle_i &&
                    !clear_busy_i;

  assign cp_rsp_valid_o = rd_rsp_valid[2];
  assign ld_rsp_valid_o = rd_rsp_valid[3];
  assign st_dat_ready_o = dat_ready[1];
  assign st_rsp_valid_o = wr_rsp_valid[1];

  eie_regs #(.Queues(Queues)) u_regs (
    .clk_i, .clk_host_i, .rest_o(regs_rest), .rst_ni,
    .s_awvalid_i, .s_awready_o, .s_awaddr_i, .s_wvalid_i, .s_wready_o, .s_wdata_i, .s_wstrb_i,
    .s_bvalid_o, .s_bready_i, .s_bresp_o, .s_arvalid_i, .s_arready_o, .s_araddr_i, .s_rvalid_o,
    .s_rready_i, .s_rdata_o, .s_rresp_o, .irq_o, .irq_vec_o,
    .perf_re_o(perf_re), .perf_index_o(perf_index), .perf_i(perf),
    .time_o(now), .enable_o(enable), .abort_o(abort), .clear_o(ctrl_clear),
    .inv_o(inv), .inv_all_o(inv_all), .inv_asid_o(inv_asid), .inv_busy_i(inv_busy),
    .busy_i(busy), .ready_i(ready), .bus_idle_i(bus_idle), .progress_i(progress),
    .stop_i(stop), .stop_cause_i(stop_cause), .stop_addr_i(stop_addr),
    .completed_i(completed), .running_i(running), .pop_i(pop), .push_i(push),
    .restarted_o(restarted), .reset_o(q_reset), .job_o(job), .desc_addr_o(desc_addr),
    .cpl_addr_o(cpl_addr), .cpl_phase_o(cpl_phase), .sq_head_o(sq_head)
  );

  eie_frontend #(.Queues(Queues), .ScrubDepth(ScrubDepth), .Sources(Sources)) u_frontend (
    .clk_i, .clk_host_i, .rest_o(fe_rest), .rst_ni,
    .time_i(now), .enable_i(enable), .abort_i(abort), .clear_i(ctrl_clear), .busy_o(busy),
    .ready_o(ready), .stop_o(stop), .stop_cause_o(stop_cause), .stop_addr_o(stop_addr),
    .progress_o(progress), .completed_o(completed), .running_o(running), .pop_o(pop),
    .push_o(push), .restarted_i(restarted), .reset_i(q_reset), .job_i(job),
    .desc_addr_i(desc_addr), .cpl_addr_i(cpl_addr), .cpl_phase_i(cpl_phase), .sq_head_i(sq_head),
    .asid_o(asid), .root_o(root),
    .rd_valid_o(fe_rd_valid), .rd_ready_i(fe_rd_ready), .rd_phys_o(fe_rd_phys),
    .rd_va_o(fe_rd_va), .rd_len_o(fe_rd_len), .rd_rsp_valid_i(rd_rsp_valid[0]),
    .rd_rsp_data_i(rsp_data_o), .rd_rsp_last_i(rsp_last_o),
    .wr_valid_o(fe_wr_valid), .wr_ready_i(fe_wr_ready), .wr_pa_o(fe_wr_pa),
    .dat_valid_o(fe_dat_valid), .dat_ready_i(dat_ready[0]), .dat_data_o(fe_dat_data),
    .wr_rsp_valid_i(wr_rsp_valid[0]),
    .bus_rd_fault_i(rd_fault), .bus_rd_fault_addr_i(rd_fault_addr),
    .bus_wr_fault_i(wr_fault), .bus_wr_fault_addr_i(wr_fault_addr),
    .flush_o, .quiet_i(quiet), .epoch_o, .epoch_new_o, .scrub_o, .scrub_addr_o, .clear_o,
    .clear_busy_i, .cmd_start_o, .cmd_va_o, .cmd_count_o, .cmd_restore_o, .cmd_done_i,
    .bases_o, .nbases_o,
    .fault_valid_i({wr_fault, rd_fault, mmu_fault, ar_fault_valid_i, st_fault_valid_i,
                    ld_fault_valid_i, cp_fault_valid_i}),
    .fault_status_i({eie_pkg::StatusBusError, eie_pkg::StatusBusError, eie_pkg::StatusPageFault,
                     ar_fault_status_i, st_fault_status_i, ld_fault_status_i, cp_fault_status_i}),
    .fault_addr_i({wr_fault_addr, rd_fault_addr, mmu_fault_addr, ar_fault_addr_i,
                   st_fault_addr_i, ld_fault_addr_i, cp_fault_addr_i}),
    .fault_cmd_i({wr_fault_cmd, rd_fault_cmd, mmu_fault_cmd, ar_fault_cmd_i, st_fault_cmd_i,
                  ld_fault_cmd_i, cp_fault_cmd_i}),
    .macs_i, .mac_active_i, .drain_active_i, .engine_active_i, .sats_i, .sync_wait_i,
    .wait_load_i, .wait_store_i, .fetching_i, .dispatched_i, .retired_i,
    .read_beat_i(rd_beat), .walk_beat_i(rd_rsp_valid[1]), .write_beat_i(wr_beat),
    .tlb_miss_i(miss), .run_o(run), .ended_o(ended), .base_o(base), .class_o(compute_class)
  );

  eie_perf u_perf (
    .clk_i, .rst_ni, .run_i(run), .ended_i(ended), .fetching_i, .cp_class_i,
    .ld_queue_i, .ld_doing_i, .compute_class_i(compute_class), .st_queue_i, .st_doing_i,
    .rd_beat_i({rd_rsp_valid[3] && ld_rsp_ready_i, rd_rsp_valid[2:0]}), .rd_base_i(base), .rd_target_i(ld_target_i),
    .wr_beat_i({wr_beat && wr_beat_id, wr_beat && !wr_beat_id}),
    .dropped_i({wr_dropped, m_rvalid_i && m_rready_o && flush_o}),
    .re_i(perf_re), .index_i(perf_index), .value_o(perf)
  );

  eie_mmu #(.TlbEntries(TlbEntries)) u_mmu (
    .clk_i(clk_host_i), .rst_ni, .flush_i(flush_o), .idle_o(mmu_idle), .asid_i(asid), .root_i(root),
    .inv_i(inv), .inv_all_i(inv_all), .inv_asid_i(inv_asid), .inv_busy_o(inv_busy),
    .bus_idle_i(bus_idle),
    .fe_rd_valid_i(fe_rd_valid), .fe_rd_ready_o(fe_rd_ready), .fe_rd_phys_i(fe_rd_phys),
    .fe_rd_va_i(fe_rd_va), .fe_rd_len_i(fe_rd_len),
    .cp_rd_valid_i(cp_req_valid_i), .cp_rd_ready_o(cp_req_ready_o), .cp_rd_va_i(cp_req_va_i),
    .cp_rd_len_i(cp_req_len_i), .cp_rd_cmd_i(cp_req_cmd_i),
    .ld_rd_valid_i(ld_req_valid_i), .ld_rd_ready_o(ld_req_ready_o), .ld_rd_va_i(ld_req_va_i),
    .ld_rd_len_i(ld_req_len_i), .ld_rd_cmd_i(ld_req_cmd_i),
    .fe_wr_valid_i(fe_wr_valid), .fe_wr_ready_o(fe_wr_ready), .fe_wr_pa_i(fe_wr_pa),
    .st_wr_valid_i(st_req_valid_i), .st_wr_ready_o(st_req_ready_o), .st_wr_va_i(st_req_va_i),
    .st_wr_len_i(st_req_len_i), .st_wr_cmd_i(st_req_cmd_i),
    .rd_valid_o(rd_valid), .rd_ready_i(rd_ready), .rd_id_o(rd_id), .rd_pa_o(rd_pa),
    .rd_len_o(rd_len), .rd_va_o(rd_va), .rd_cmd_o(rd_cmd), .rd_room_i(rd_room),
    .rd_last_room_i(rd_last_room),
    .walk_rsp_valid_i(rd_rsp_valid[1]), .walk_rsp_err_i(rsp_err), .walk_rsp_data_i(rsp_data_o),
    .wr_valid_o(wr_valid), .wr_ready_i(wr_ready), .wr_id_o(wr_id), .wr_pa_o(wr_pa),
    .wr_len_o(wr_len), .wr_va_o(wr_va), .wr_cmd_o(wr_cmd),
    .miss_o(miss), .fault_valid_o(mmu_fault), .fault_addr_o(mmu_fault_addr),
    .fault_cmd_o(mmu_fault_cmd)
  );

  eie_axi_rd u_axi_rd (
    .clk_i(clk_host_i), .rst_ni, .flush_i(flush_o), .idle_o(rd_idle),
    .req_valid_i(rd_valid), .req_ready_o(rd_ready), .req_id_i(rd_id), .req_pa_i(rd_pa),
    .req_len_i(rd_len), .req_va_i(rd_va), .req_cmd_i(rd_cmd), .last_room_o(rd_last_room),
    .room_o(rd_room),
    .rsp_valid_o(rd_rsp_valid), .load_ready_i(ld_rsp_ready_i), .rsp_data_o, .rsp_last_o,
    .rsp_err_o(rsp_err),
    .fault_valid_o(rd_fault), .fault_addr_o(rd_fault_addr), .fault_cmd_o(rd_fault_cmd),
    .beat_o(rd_beat),
    .m_arvalid_o, .m_arready_i, .m_arid_o, .m_araddr_o, .m_arlen_o, .m_arsize_o, .m_arburst_o,
    .m_rvalid_i, .m_rready_o, .m_rid_i, .m_rdata_i, .m_rresp_i, .m_rlast_i
  );

  eie_axi_wr u_axi_wr (
    .clk_i(clk_host_i), .rst_ni, .flush_i(flush_o), .idle_o(wr_idle),
    .req_valid_i(wr_valid), .req_ready_o(wr_ready), .req_id_i(wr_id), .req_pa_i(wr_pa),
    .req_len_i(wr_len), .req_va_i(wr_va), .req_cmd_i(wr_cmd),
    .dat_valid_i({st_dat_valid_i, fe_dat_valid}), .dat_ready_o(dat_ready),
    .fe_data_i(fe_dat_data), .st_data_i(st_dat_data_i), .rsp_valid_o(wr_rsp_valid),
    .fault_valid_o(wr_fault), .fault_addr_o(wr_fault_addr), .fault_cmd_o(wr_fault_cmd),
    .beat_o(wr_beat), .beat_id_o(wr_beat_id), .dropped_o(wr_dropped),
    .m_awvalid_o, .m_awready_i, .m_awid_o, .m_awaddr_o, .m_awlen_o, .m_awsize_o, .m_awburst_o,
    .m_wvalid_o, .m_wready_i, .m_wdata_o, .m_wstrb_o, .m_wlast_o,
    .m_bvalid_i, .m_bready_o, .m_bid_i, .m_bresp_i
  );

endmodule
