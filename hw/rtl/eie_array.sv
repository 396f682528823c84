// SPDX-License-Identifier: GPL-2.0 OR MIT
//
// The array: command issue, broadcast, clusters. See hw/README.md for the handshakes.

module eie_array #(
  parameter int unsigned Clusters = 2,
  parameter int unsigned Lanes = 2,
  parameter int unsigned Rows = 64,
  parameter int unsigned WbufDepth = 1024,
  parameter int unsigned PbufDepth = 256,
  parameter int unsigned RbufDepth = 128,
  parameter int unsigned JobDepth = 16,
  parameter bit          Vector = 1'b0
) (
  input  logic                    clk_i,
  input  logic                    rst_ni,
  input  logic                    flush_i,
  output logic                    idle_o,

  // job
  input  logic [7:0]              epoch_i,
  input  logic                    epoch_new_i,
  input  logic                    scrub_i,
  input  logic [23:0]             scrub_addr_i,
  input  logic                    clear_i,
  output logic                    clear_busy_o,

  // commands
  input  logic                    cmd_valid_i,
  output logic                    cmd_ready_o,
  input  logic [255:0]            cmd_i,
  input  logic [31:0]             cmd_idx_i,
  output logic                    done_o,
  output logic                    done_prev_o,
  output logic                    done_next_o,
  output logic                    fault_o,
  output logic [7:0]              fault_status_o,
  output logic [31:0]             fault_cmd_o,

  // buffer write bus
  input  logic                    buf_we_i,
  input  logic [3:0]              buf_target_i,
  input  logic [3:0]              buf_cluster_i,
  input  logic [23:0]             buf_addr_i,
  input  logic [127:0]            buf_data_i,

  // column pointers of a cluster, for the load engine: a read while free, the cycle after it
  output logic                    sel_free_o,
  input  logic                    sel_re_i,
  input  logic [3:0]              sel_cluster_i,
  // verilator lint_off UNUSEDSIGNAL
  input  logic [23:0]             sel_addr_i,
  // verilator lint_on UNUSEDSIGNAL
  output logic [127:0]            sel_data_o,
  output logic                    sel_written_o,

  // ABUF
  output logic                    ab_re_o,
  output logic                    ab_all_o,      // the row of all banks, for a VPOOL
  output logic [23:0]             ab_addr_o,
  input  logic [127:0]            ab_data_i,
  input  logic [Clusters*128-1:0] ab_banks_i,
  input  logic                    ab_written_i,
  output logic                    dr_we_o,
  output logic [23:0]             dr_addr_o,
  output logic [7:0]              dr_pixels_o,   // values of each granule that are pixels, the others are zero
  output logic [Clusters*128-1:0] dr_data_o,
  output logic                    pl_we_o,       // a granule of a VPOOL, VMUL or VTABLE
  output logic [23:0]             pl_addr_o,
  output logic [127:0]            pl_data_o,

  // status
  output logic [8:0]              macs_o,
  output logic                    mac_active_o,
  output logic                    drain_active_o,
  output logic                    engine_active_o,
  output logic [8:0]              sats_o,
  output logic                    sync_wait_o
);

  localparam int unsigned Wa = $clog2(WbufDepth);
  localparam int unsigned Pa = $clog2(PbufDepth);
  localparam int unsigned Ra = $clog2(RbufDepth);
  localparam int unsigned Cw = $clog2(Clusters);
  localparam int unsigned Words = Rows / 8;
  localparam int unsigned Ww = (Words > 1) ? $clog2(Words) : 1;

  logic [1:0]            cfg_half, cfg_wide;
  logic [9:0]            cfg_cb;
  logic [2*Wa-1:0]       cfg_weights;
  logic                  start, start_tag, bcast_busy;
  logic [23:0]           start_in, start_len;
  logic [Pa-1:0]         start_ptr;
  logic [1:0]            bc_valid;
  logic [2*Pa+3:0]       bc_ptr;
  logic [31:0]           bc_act;
  logic                  bc_tag, bc_unwritten;
  logic                  dr_re, dr_half;
  logic [Ww-1:0]         dr_word;
  logic [Ra-1:0]         dr_param;
  logic [15:0]           dr_lo, dr_hi;
  logic                  cbuf_we, compute_idle;

  // clocks that rest, and what they wait for
  logic                  bc_rest, clk_bc, clk_buf, clk_own;
  // VMAC, VDRAIN
  logic [1:0]            cfg_vec;
  logic [23:0]           cfg_rows;
  logic                  cfg_split;
  logic                  ga_start, ga_busy, hc_start, hc_half;
  logic [255:0]          ga_cmd;
  logic                  dr_step, dr_vec;
  logic [2:0]            dr_row;
  logic [127+Ww:0]       col_vec;
  logic [7:0]            pl_sat;
  logic                  dead;
  logic                  bc_re, ga_re, el_re;
  logic [23:0]           bc_addr, ga_addr, el_addr;
  // columns of either
  logic [1:0]            col_valid;
  logic [2*Pa+3:0]       col_ptr;
  logic                  col_tag, col_unwritten;

  // of the clusters
  logic [Clusters-1:0]   hold, y_valid, uw0, uw1, bs0, bs1, busy0, busy1, dr_bad, dr_uw;
  logic [8*Clusters-1:0] y_sat;
  logic [Clusters*Lanes-1:0] macs;

  assign cbuf_we = buf_we_i && 8'(buf_target_i) == eie_pkg::BufCbuf;

  eie_compute #(
    .Rows      (Rows),
    .WbufDepth (WbufDepth),
    .PbufDepth (PbufDepth),
    .RbufDepth (RbufDepth),
    .Clusters  (Clusters),
    .Vector    (Vector)
  ) u_compute (
    .clk_i, .rst_ni, .flush_i,
    .idle_o           (compute_idle),
    .cmd_valid_i, .cmd_ready_o, .cmd_i, .cmd_idx_i,
    .done_o, .done_prev_o, .done_next_o,
    .epoch_new_i,
    .cbuf_we_i        (cbuf_we),
    .cbuf_addr_i      (buf_addr_i[5:0]),
    .cfg_half_o       (cfg_half),
    .cfg_wide_o       (cfg_wide),
    .cfg_cb_o         (cfg_cb),
    .cfg_weights_o    (cfg_weights),
    .bc_start_o       (start),
    .bc_tag_o         (start_tag),
    .bc_in_o          (start_in),
    .bc_len_o         (start_len),
    .bc_ptr_o         (start_ptr),
    .bc_busy_i        (bcast_busy || ga_busy),
    .bc_valid_i       (col_valid[0]),
    .cfg_vec_o        (cfg_vec),
    .cfg_rows_o       (cfg_rows),
    .cfg_split_o      (cfg_split),
    .ga_start_o       (ga_start),
    .ga_cmd_o         (ga_cmd),
    .clear_i,
    .hc_start_o       (hc_start),
    .hc_half_o        (hc_half),
    .hc_busy_i        (clear_busy_o),
    .dr_step_o        (dr_step),
    .dr_vec_o         (dr_vec),
    .dr_row_o         (dr_row),
    .dr_pixels_o,
    .busy_i           (work | work1_q | work2_q | work3_q),
    .dr_re_o          (dr_re),
    .dr_half_o        (dr_half),
    .dr_word_o        (dr_word),
    .dr_param_o       (dr_param),
    .dr_lo_o          (dr_lo),
    .dr_hi_o          (dr_hi),
    .y_valid_i        (y_valid[0]),
    .dr_we_o, .dr_addr_o,
    .mac_unwritten_i  ({|uw1, |uw0} | (col_unwritten ? (2'b01 << col_tag) : 2'b00)),
    .mac_bad_stream_i ({|bs1, |bs0}),
    .dr_unwritten_i   (|dr_uw),
    .dr_bad_param_i   (|dr_bad),
    .fault_o, .fault_status_o, .fault_cmd_o,
    .dead_o           (dead),
    .mac_active_o, .drain_active_o, .engine_active_o, .sync_wait_o
  );

  eie_bcast #(
    .PbufDepth (PbufDepth)
  ) u_bcast (
    .clk_i       (clk_bc),
    .rst_ni, .flush_i,
    .start_i     (start),
    .tag_i       (start_tag),
    .in_i        (start_in),
    .len_i       (start_len),
    .ptr_i       (start_ptr),
    .busy_o      (bcast_busy),
    .rest_o      (bc_rest),
    .ab_re_o     (bc_re),
    .ab_addr_o   (bc_addr),
    .ab_data_i, .ab_written_i,
    .hold_i      (hold != '0),
    .bc_valid_o  (bc_valid),
    .bc_ptr_o    (bc_ptr),
    .bc_act_o    (bc_act),
    .bc_tag_o    (bc_tag),
    .unwritten_o (bc_unwritten)
  );

  // One of the three reads ABUF, for compute starts one when the others are done.

  if (Vector) begin : gen_gather
    logic          ga_valid, ga_tag, ga_unwritten, ga_rest, ga_busy_pixels, clk_ga;
    logic [Pa+1:0] ga_ptr;
    logic          ga_we, ga_all;
    logic [23:0]   ga_waddr;
    logic [127:0]  ga_wdata;
    logic [7:0]    ga_sat;
    logic          element, el_tag, el_unwritten, el_rest, el_busy, clk_el;
    logic          el_we;
    logic [23:0]   el_waddr;
    logic [127:0]  el_wdata;
    logic [7:0]    el_sat;

    assign element = ga_cmd[eie_pkg::CmdOpcodeLsb +: 8] == eie_pkg::OpVmul ||
                     ga_cmd[eie_pkg::CmdOpcodeLsb +: 8] == eie_pkg::OpVtable;

    eie_gather #(
      .Clusters  (Clusters),
      .PbufDepth (PbufDepth),
      .Rows      (Rows)
    ) u_gather (
      .clk_i        (clk_ga),
      .rst_ni, .flush_i,
      .start_i      (ga_start && !element),
      .tag_i        (start_tag),
      .cmd_i        (ga_cmd),
      .busy_o       (ga_busy_pixels),
      .rest_o       (ga_rest),
      .ab_re_o      (ga_re),
      .ab_all_o     (ga_all),
      .ab_addr_o    (ga_addr),
      .ab_data_i, .ab_banks_i, .ab_written_i,
      .hold_i       (hold != '0),
      .col_valid_o  (ga_valid),
      .col_ptr_o    (ga_ptr),
      .col_pixels_o (col_vec[127:0]),
      .col_word_o   (col_vec[127+Ww:128]),
      .col_tag_o    (ga_tag),
      .unwritten_o  (ga_unwritten),
      .pl_we_o      (ga_we),
      .pl_addr_o    (ga_waddr),
      .pl_data_o    (ga_wdata),
      .pl_sat_o     (ga_sat)
    );

    eie_clkgate u_clk_ga (
      .clk_i,
      .en_i  ((ga_start && !element) || !ga_rest || flush_i),
      .clk_o (clk_ga)
    );

    eie_element #(
      .Clusters (Clusters)
    ) u_element (
      .clk_i        (clk_el),
      .rst_ni, .flush_i,
      .start_i      (ga_start && element),
      .tag_i        (start_tag),
      .cmd_i        (ga_cmd),
      .busy_o       (el_busy),
      .rest_o       (el_rest),
      .ab_re_o      (el_re),
      .ab_addr_o    (el_addr),
      .ab_data_i, .ab_written_i,
      .tag_o        (el_tag),
      .unwritten_o  (el_unwritten),
      .we_o         (el_we),
      .addr_o       (el_waddr),
      .data_o       (el_wdata),
      .sat_o        (el_sat)
    );

    eie_clkgate u_clk_el (
      .clk_i,
      .en_i  ((ga_start && element) || !el_rest || flush_i),
      .clk_o (clk_el)
    );

    assign ga_busy  = ga_busy_pixels || el_busy;
    assign ab_all_o = ga_re && ga_all;

    // What was made of a granule that is another address space's must not become this one's.
    assign pl_we_o   = (ga_we || el_we) && !dead && !flush_i;
    assign pl_addr_o = el_we ? el_waddr : ga_waddr;
    assign pl_data_o = el_we ? el_wdata : ga_wdata;
    assign pl_sat    = el_we ? el_sat : ga_sat;

    assign col_valid     = {bc_valid[1], bc_valid[0] || ga_valid};
    assign col_ptr       = {bc_ptr[2*Pa+3:Pa+2], ga_valid ? ga_ptr : bc_ptr[Pa+1:0]};
    assign col_tag       = (ga_valid || ga_unwritten) ? ga_tag : el_unwritten ? el_tag : bc_tag;
    assign col_unwritten = bc_unwritten || ga_unwritten || el_unwritten;
  end else begin : gen_no_gather
    logic unused;
    assign unused        = &{ga_start, ga_cmd, dead, ab_banks_i};
    assign ab_all_o      = 1'b0;
    assign ga_busy       = 1'b0;
    assign pl_we_o       = 1'b0;
    assign pl_addr_o     = '0;
    assign pl_data_o     = '0;
    assign pl_sat        = '0;
    assign ga_re         = 1'b0;
    assign ga_addr       = '0;
    assign el_re         = 1'b0;
    assign el_addr       = '0;
    assign col_vec       = '0;
    assign col_valid     = bc_valid;
    assign col_ptr       = bc_ptr;
    assign col_tag       = bc_tag;
    assign col_unwritten = bc_unwritten;
  end

  assign ab_re_o   = bc_re || ga_re || el_re;
  assign ab_addr_o = ga_re ? ga_addr : el_re ? el_addr : bc_addr;

  // Zeroing of the accumulators, a word of all banks a cycle: of both halves, or of one

  logic [Ww-1:0] clear_word_q;
  logic [1:0]    clear_half_q;

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      clear_busy_o <= 1'b0;
      clear_word_q <= '0;
    end else if (clear_busy_o) begin
      clear_busy_o <= clear_word_q != Ww'(Words - 1);
      clear_word_q <= clear_word_q + 1'b1;
    end else if (clear_i || hc_start) begin
      clear_busy_o <= 1'b1;
      clear_word_q <= '0;
    end
  end

  always_ff @(posedge clk_i) begin
    if (clear_i) begin
      clear_half_q <= 2'b11;
    end else if (hc_start) begin
      clear_half_q <= {hc_half, !hc_half};
    end
  end

  // Clocks that rest: of pointers and broadcast, and of drain and writes to buffers

  logic       buf_wake, bc_wake, dr_wake;
  logic [1:0] bc_tail_q;
  logic [8:0] dr_tail_q;          // the steps of a drain

  assign buf_wake = buf_we_i || scrub_i || flush_i;
  assign bc_wake  = buf_wake || !bc_rest || col_valid != '0 || sel_re_i;
  assign dr_wake  = buf_wake || dr_step;

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      bc_tail_q <= '1;
      dr_tail_q <= '1;
    end else begin
      bc_tail_q <= {bc_tail_q[0], bc_wake};
      dr_tail_q <= {dr_tail_q[7:0], dr_wake};
    end
  end

  eie_clkgate u_clk_bc (
    .clk_i,
    .en_i  (bc_wake || bc_tail_q != '0),
    .clk_o (clk_bc)
  );

  eie_clkgate u_clk_buf (
    .clk_i,
    .en_i  (dr_wake || dr_tail_q != '0),
    .clk_o (clk_buf)
  );

  // of the lanes' own queues: SPLIT is set long before the first column and until the last sum is complete
  eie_clkgate u_clk_own (
    .clk_i,
    .en_i  (cfg_split || flush_i),
    .clk_o (clk_own)
  );

  // Row parameters of a step are four granules in four banks: granule i is in bank (i + address) mod 4.

  logic [4*(Ra-2)-1:0] dr_params;

  for (genvar b = 0; b < 4; b++) begin : gen_param
    assign dr_params[(Ra-2)*b +: Ra-2] = dr_param[Ra-1:2] + (Ra - 2)'({1'b0, dr_param[1:0]} > 3'(b));
  end

  // Work of a MAC: in the pointer stage and in the clusters. It is complete when its last sum is written, three
  // cycles after the last decode.

  logic [1:0] sent, sent1_q, sent2_q, work, work1_q, work2_q, work3_q;

  assign sent = col_valid[0] ? 2'b01 << col_tag : 2'b00;
  assign work = {|busy1, |busy0} | sent2_q;

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      {sent2_q, sent1_q}          <= '0;
      {work3_q, work2_q, work1_q} <= '0;
    end else begin
      {sent2_q, sent1_q}          <= {sent | sent1_q, flush_i ? 2'b0 : sent};
      {work3_q, work2_q, work1_q} <= {work2_q, work1_q, work};
    end
  end

  // Pointers for the load engine. Nothing wide moves while nobody asks.

  logic [Clusters*128-1:0] sel_data;
  logic [Clusters-1:0]     sel_written;
  logic                    sel_q;
  logic [Cw-1:0]           sel_cluster_q;

  assign sel_free_o = !col_valid[1];

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      sel_q <= 1'b0;
    end else begin
      sel_q <= sel_re_i;
    end
  end

  always_ff @(posedge clk_i) begin
    if (sel_re_i) begin
      sel_cluster_q <= sel_cluster_i[Cw-1:0];
    end
  end

  always_comb begin
    sel_data_o    = '0;
    sel_written_o = 1'b0;
    if (sel_q) begin
      sel_data_o    = sel_data[128*sel_cluster_q +: 128];
      sel_written_o = sel_written[sel_cluster_q];
    end
  end

  for (genvar c = 0; c < Clusters; c++) begin : gen_cluster
    logic       mine;
    logic [1:0] busy, unwritten, bad_stream, param_fault;

    assign mine = buf_we_i && buf_cluster_i == 4'(c);
    assign {busy1[c], busy0[c]} = busy;
    assign {uw1[c], uw0[c]}     = unwritten;
    assign {bs1[c], bs0[c]}     = bad_stream;
    assign {dr_bad[c], dr_uw[c]} = param_fault;

    eie_cluster #(
      .Lanes     (Lanes),
      .Rows      (Rows),
      .WbufDepth (WbufDepth),
      .PbufDepth (PbufDepth),
      .RbufDepth (RbufDepth),
      .JobDepth  (JobDepth),
      .Vector    (Vector)
    ) u_cluster (
      .clk_i,
      .clk_bc_i      (clk_bc),
      .clk_buf_i      (clk_buf),
      .clk_own_i      (clk_own),
      .rst_ni, .flush_i,
      .epoch_i, .scrub_i, .scrub_addr_i,
      .wbuf_we_i     (mine && 8'(buf_target_i) == eie_pkg::BufWbuf),
      .pbuf_we_i     (mine && 8'(buf_target_i) == eie_pkg::BufPbuf),
      .rbuf_we_i     (mine && 8'(buf_target_i) == eie_pkg::BufRbuf),
      .cbuf_we_i     (cbuf_we),
      .buf_addr_i, .buf_data_i,
      .cfg_half_i    (cfg_half),
      .cfg_wide_i    (cfg_wide),
      .cfg_cb_i      (cfg_cb),
      .cfg_weights_i (cfg_weights),
      .cfg_vec_i     (cfg_vec),
      .cfg_rows_i    (cfg_rows),
      .cfg_split_i   (cfg_split),
      .bc_valid_i    (col_valid),
      .bc_ptr_i      (col_ptr),
      .bc_act_i      (bc_act),
      .bc_tag_i      (col_tag),
      .bc_vec_i      (col_vec),
      .hold_o        (hold[c]),
      .sel_re_i      (sel_re_i && sel_cluster_i == 4'(c)),
      .sel_addr_i    (sel_addr_i[Pa-1:0]),
      .sel_data_o    (sel_data[128*c +: 128]),
      .sel_written_o (sel_written[c]),
      .dr_step_i     (dr_step),
      .dr_vec_i      (dr_vec),
      .dr_row_i      (dr_row),
      .dr_re_i       (dr_re),
      .dr_half_i     (dr_half),
      .dr_word_i     (dr_word),
      .dr_rot_i      (dr_param[1:0]),
      .dr_params_i   (dr_params),
      .dr_lo_i       (dr_lo),
      .dr_hi_i       (dr_hi),
      .y_valid_o     (y_valid[c]),
      .y_o           (dr_data_o[128*c +: 128]),
      .y_sat_o       (y_sat[8*c +: 8]),
      .clear_i       (clear_busy_o ? clear_half_q : 2'b00),
      .clear_word_i  (clear_word_q),
      .macs_o        (macs[Lanes*c +: Lanes]),
      .busy_o        (busy),
      .unwritten_o   (unwritten),
      .bad_stream_o  (bad_stream),
      .param_fault_o (param_fault)
    );
  end

  // What a flush drops does not count: it may come from a granule of another address space.
  assign macs_o = flush_i ? '0 : 9'($countones(macs));

  always_comb begin
    sats_o = '0;
    if (pl_we_o) begin
      sats_o = 9'($countones(pl_sat));
    end
    if (dr_we_o) begin
      for (int unsigned i = 0; i < 8 * Clusters; i++) begin
        sats_o = sats_o + 9'(y_sat[i] && dr_pixels_o[i % 8]);
      end
    end
  end

  assign idle_o = compute_idle && !bcast_busy && !ga_busy && col_valid == '0 &&
                  (work | work1_q | work2_q | work3_q) == '0 && y_valid == '0 && !dr_step && !clear_busy_o;

endmodule
