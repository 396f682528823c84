// SPDX-License-Identifier: GPL-2.0 OR MIT
//
// Command processor, load, store and ABUF wired as in eie_top; memory and the array are the test's.

module tb_engines
  import eie_pkg::*;
  import eie_cfg_pkg::*;
(
  input  logic                    clk_i,
  input  logic                    rst_ni,
  input  logic                    flush_i,
  output logic [2:0]              idle_o,
  input  logic [MaxBases*64-1:0]  bases_i,
  input  logic [4:0]              nbases_i,
  input  logic [7:0]              epoch_i,
  input  logic                    scrub_i,
  input  logic [23:0]             scrub_addr_i,
  input  logic                    cmd_start_i,
  input  logic [63:0]             cmd_va_i,
  input  logic [23:0]             cmd_count_i,
  input  logic                    cmd_restore_i,
  output logic                    cmd_done_o,
  output logic                    dispatched_o,
  output logic                    fetching_o,
  output logic                    wait_load_o,
  output logic                    wait_store_o,

  output logic                    cp_req_valid_o,
  input  logic                    cp_req_ready_i,
  output logic [63:0]             cp_req_va_o,
  output logic [3:0]              cp_req_len_o,
  input  logic                    cp_rsp_valid_i,
  output logic                    cp_rsp_ready_o,
  input  logic [127:0]            cp_rsp_data_i,

  output logic                    ld_req_valid_o,
  input  logic                    ld_req_ready_i,
  output logic [63:0]             ld_req_va_o,
  output logic [3:0]              ld_req_len_o,
  input  logic                    ld_rsp_valid_i,
  output logic                    ld_rsp_ready_o,
  input  logic [127:0]            ld_rsp_data_i,
  input  logic                    ld_rsp_last_i,

  output logic                    st_req_valid_o,
  input  logic                    st_req_ready_i,
  output logic [63:0]             st_req_va_o,
  output logic [3:0]              st_req_len_o,
  output logic                    st_dat_valid_o,
  input  logic                    st_dat_ready_i,
  output logic [127:0]            st_dat_data_o,
  input  logic                    st_rsp_valid_i,

  output logic [2:0]              fault_valid_o,    // command processor, load, store
  output logic [23:0]             fault_status_o,
  output logic [95:0]             fault_cmd_o,

  output logic                    comp_cmd_valid_o,
  input  logic                    comp_cmd_ready_i,
  output logic [CmdBits-1:0]      comp_cmd_o,
  input  logic                    comp_done_i,
  input  logic                    comp_done_prev_i,
  input  logic                    comp_done_next_i,

  output logic                    pb_re_o,          // SELECT reads a pointer granule
  output logic [3:0]              pb_cluster_o,
  output logic [23:0]             pb_addr_o,
  input  logic                    pb_free_i,
  input  logic [127:0]            pb_data_i,        // the cycle after
  input  logic                    pb_written_i,

  output logic                    buf_we_o,         // and taken
  output logic [3:0]              buf_target_o,
  output logic [3:0]              buf_cluster_o,
  output logic [23:0]             buf_addr_o,
  output logic [127:0]            buf_data_o,

  input  logic                    dr_we_i,
  input  logic [23:0]             dr_addr_i,
  input  logic [7:0]              dr_pixels_i,
  input  logic [Clusters*128-1:0] dr_data_i,
  input  logic                    ab_re_i,
  input  logic [23:0]             ab_addr_i,
  output logic [127:0]            ab_data_o,
  output logic                    ab_written_o
);

  logic               load_cmd_valid, load_cmd_ready, load_done, load_done_next;
  logic               store_cmd_valid, store_cmd_ready, store_done, store_done_prev;
  logic [CmdBits-1:0] load_cmd, store_cmd;
  logic [31:0]        load_cmd_idx, store_cmd_idx;
  logic               buf_we, buf_ready, abuf_ready;
  logic               st_re, st_gnt, st_written;
  logic [23:0]        st_addr;
  logic [127:0]       st_data;
  logic               la_re, la_gnt, la_written;
  logic [23:0]        la_addr;
  logic [127:0]       la_data;

  assign buf_ready = abuf_ready || buf_target_o != BufAbuf[3:0];
  assign buf_we_o  = buf_we && buf_ready;

  // verilator lint_off PINCONNECTEMPTY
  eie_cmdproc #(
    .Clusters (Clusters),
    .Rows     (Rows),
    .AbufDepth(AbufDepth),
    .WbufDepth(WbufDepth),
    .PbufDepth(PbufDepth),
    .RbufDepth(RbufDepth),
    .Select   (1'b1)
  ) u_cmdproc (
    .clk_i,
    .rst_ni,
    .flush_i,
    .idle_o           (idle_o[0]),
    .rest_o           (),
    .cmd_start_i,
    .cmd_va_i,
    .cmd_count_i,
    .cmd_restore_i,
    .cmd_done_o,
    .nbases_i,
    .req_valid_o      (cp_req_valid_o),
    .req_ready_i      (cp_req_ready_i),
    .req_va_o         (cp_req_va_o),
    .req_len_o        (cp_req_len_o),
    .req_cmd_o        (),
    .rsp_valid_i      (cp_rsp_valid_i),
    .rsp_ready_o      (cp_rsp_ready_o),
    .rsp_data_i       (cp_rsp_data_i),
    .fault_valid_o    (fault_valid_o[0]),
    .fault_status_o   (fault_status_o[7:0]),
    .fault_cmd_o      (fault_cmd_o[31:0]),
    .load_cmd_valid_o (load_cmd_valid),
    .load_cmd_ready_i (load_cmd_ready),
    .load_cmd_o       (load_cmd),
    .load_cmd_idx_o   (load_cmd_idx),
    .load_done_i      (load_done),
    .load_done_next_i (load_done_next),
    .comp_cmd_valid_o,
    .comp_cmd_ready_i,
    .comp_cmd_o,
    .comp_cmd_idx_o   (),
    .comp_done_i,
    .comp_done_prev_i,
    .comp_done_next_i,
    .store_cmd_valid_o(store_cmd_valid),
    .store_cmd_ready_i(store_cmd_ready),
    .store_cmd_o      (store_cmd),
    .store_cmd_idx_o  (store_cmd_idx),
    .store_done_i     (store_done),
    .store_done_prev_i(store_done_prev),
    .wait_load_o,
    .wait_store_o,
    .fetching_o,
    .dispatched_o
  );

  eie_load #(
    .AbufDepth(AbufDepth),
    .WbufDepth(WbufDepth),
    .PbufDepth(PbufDepth),
    .RbufDepth(RbufDepth),
    .Select   (1'b1)
  ) u_load (
    .clk_i,
    .rst_ni,
    .flush_i,
    .idle_o        (idle_o[1]),
    .bases_i,
    .cmd_valid_i   (load_cmd_valid),
    .cmd_ready_o   (load_cmd_ready),
    .cmd_i         (load_cmd),
    .cmd_idx_i     (load_cmd_idx),
    .done_o        (load_done),
    .done_next_o   (load_done_next),
    .req_valid_o   (ld_req_valid_o),
    .req_ready_i   (ld_req_ready_i),
    .req_va_o      (ld_req_va_o),
    .req_len_o     (ld_req_len_o),
    .req_cmd_o     (),
    .rsp_valid_i   (ld_rsp_valid_i),
    .rsp_ready_o   (ld_rsp_ready_o),
    .rsp_data_i    (ld_rsp_data_i),
    .rsp_last_i    (ld_rsp_last_i),
    .ab_re_o       (la_re),
    .ab_addr_o     (la_addr),
    .ab_gnt_i      (la_gnt),
    .ab_data_i     (la_data),
    .ab_written_i  (la_written),
    .pb_re_o,
    .pb_cluster_o,
    .pb_addr_o,
    .pb_free_i,
    .pb_data_i,
    .pb_written_i,
    .buf_we_o      (buf_we),
    .buf_ready_i   (buf_ready),
    .buf_target_o,
    .buf_cluster_o,
    .buf_addr_o,
    .buf_data_o,
    .fault_valid_o (fault_valid_o[1]),
    .fault_status_o(fault_status_o[15:8]),
    .fault_cmd_o   (fault_cmd_o[63:32])
  );

  eie_store #(
    .AbufDepth(AbufDepth)
  ) u_store (
    .clk_i,
    .rst_ni,
    .flush_i,
    .idle_o        (idle_o[2]),
    .bases_i,
    .cmd_valid_i   (store_cmd_valid),
    .cmd_ready_o   (store_cmd_ready),
    .cmd_i         (store_cmd),
    .cmd_idx_i     (store_cmd_idx),
    .done_o        (store_done),
    .done_prev_o   (store_done_prev),
    .st_re_o       (st_re),
    .st_addr_o     (st_addr),
    .st_gnt_i      (st_gnt),
    .st_data_i     (st_data),
    .st_written_i  (st_written),
    .req_valid_o   (st_req_valid_o),
    .req_ready_i   (st_req_ready_i),
    .req_va_o      (st_req_va_o),
    .req_len_o     (st_req_len_o),
    .req_cmd_o     (),
    .dat_valid_o   (st_dat_valid_o),
    .dat_ready_i   (st_dat_ready_i),
    .dat_data_o    (st_dat_data_o),
    .rsp_valid_i   (st_rsp_valid_i),
    .fault_valid_o (fault_valid_o[2]),
    .fault_status_o(fault_status_o[23:16]),
    .fault_cmd_o   (fault_cmd_o[95:64])
  );
  // verilator lint_on PINCONNECTEMPTY

  eie_abuf #(
    .Clusters (Clusters),
    .AbufDepth(AbufDepth)
  ) u_abuf (
    .clk_i,
    .rst_ni,
    .epoch_i,
    .scrub_i,
    .scrub_addr_i,
    .buf_we_i    (buf_we && buf_target_o == BufAbuf[3:0]),
    .buf_ready_o (abuf_ready),
    .buf_addr_i  (buf_addr_o),
    .buf_data_i  (buf_data_o),
    .dr_we_i,
    .dr_addr_i,
    .dr_pixels_i,
    .dr_data_i,
    .pl_we_i     (1'b0),
    .pl_addr_i   ('0),
    .pl_data_i   ('0),
    .ab_re_i,
    .ab_addr_i,
    .ab_data_o,
    .ab_written_o,
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

endmodule
