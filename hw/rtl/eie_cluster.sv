// SPDX-License-Identifier: GPL-2.0 OR MIT
//
// A cluster owns a share of the output rows: column pointers, job queue, weight banks and row parameters
// for Lanes lanes.
//
//   broadcast -> pointer copies -> job queue -> lanes <-> weight banks
//   drain: lanes' accumulators, row parameters -> sum over the lanes -> bias -> eight eie_requant
//
// A job is a column with at least one entry here; empty columns are dropped before the queue. The
// pixels of a VMAC's columns (Vector) wait in a queue of their own beside it. Columns of a VMAC with
// SPLIT go into the queues of the lanes whose pixels are not zero instead (eie_laneq).

module eie_cluster #(
  parameter int unsigned Lanes = 2,
  parameter int unsigned Rows = 64,
  parameter int unsigned WbufDepth = 1024,
  parameter int unsigned PbufDepth = 256,
  parameter int unsigned RbufDepth = 128,
  parameter int unsigned JobDepth = 16,
  parameter bit          Vector = 1'b0,
  localparam int unsigned Wa = $clog2(WbufDepth),
  localparam int unsigned Pa = $clog2(PbufDepth),
  localparam int unsigned Ra = $clog2(RbufDepth),
  localparam int unsigned Words = Rows / 8,
  localparam int unsigned Ww = (Words > 1) ? $clog2(Words) : 1
) (
  input  logic              clk_i,
  input  logic              clk_bc_i,        // of pointers, may stop between broadcasts
  input  logic              clk_buf_i,       // of drain and writes to buffers, likewise
  // verilator lint_off UNUSEDSIGNAL
  input  logic              clk_own_i,       // of the lanes' own queues: rests unless VMACs are with SPLIT
  // verilator lint_on UNUSEDSIGNAL
  input  logic              rst_ni,
  input  logic              flush_i,

  input  logic [7:0]        epoch_i,
  input  logic              scrub_i,
  // verilator lint_off UNUSEDSIGNAL
  input  logic [23:0]       scrub_addr_i,    // every buffer takes the bits it has
  // verilator lint_on UNUSEDSIGNAL
  input  logic              wbuf_we_i,
  input  logic              pbuf_we_i,
  input  logic              rbuf_we_i,
  input  logic              cbuf_we_i,
  // verilator lint_off UNUSEDSIGNAL
  input  logic [23:0]       buf_addr_i,      // likewise
  // verilator lint_on UNUSEDSIGNAL
  input  logic [127:0]      buf_data_i,

  // settings of the two MAC commands in flight, by tag
  input  logic [1:0]        cfg_half_i,
  input  logic [1:0]        cfg_wide_i,
  input  logic [9:0]        cfg_cb_i,        // codebook, in units of 16 entries
  input  logic [2*Wa-1:0]   cfg_weights_i,
  input  logic [1:0]        cfg_vec_i,       // a VMAC
  input  logic              cfg_split_i,     // VMACs are with SPLIT
  input  logic [23:0]       cfg_rows_i,      // VMAC: rows of a group

  // broadcast: two columns; hold_o leaves room for what is on its way
  input  logic [1:0]        bc_valid_i,
  input  logic [2*Pa+3:0]   bc_ptr_i,        // pointer: granule of PBUF and word in it
  input  logic [31:0]       bc_act_i,
  input  logic              bc_tag_i,
  // verilator lint_off UNUSEDSIGNAL
  input  logic [127+Ww:0]   bc_vec_i,        // VMAC, with bc_valid_i[0]: word of the group, pixels
  // verilator lint_on UNUSEDSIGNAL
  output logic              hold_o,

  // pointers for the load engine, when the second broadcast port rests
  input  logic              sel_re_i,
  input  logic [Pa-1:0]     sel_addr_i,
  output logic [127:0]      sel_data_o,
  output logic              sel_written_o,

  // drain, and zeroing of a word of both halves
  input  logic              dr_step_i,
  input  logic              dr_vec_i,        // VDRAIN: a step is a row of the word of dr_re_i
  input  logic [2:0]        dr_row_i,
  input  logic              dr_re_i,
  input  logic              dr_half_i,
  input  logic [Ww-1:0]     dr_word_i,
  input  logic [4*(Ra-2)-1:0] dr_params_i,   // row parameters, by bank, and the bank of the first
  input  logic [1:0]        dr_rot_i,
  input  logic [15:0]       dr_lo_i,
  input  logic [15:0]       dr_hi_i,
  output logic              y_valid_o,
  output logic [127:0]      y_o,
  output logic [7:0]        y_sat_o,
  input  logic [1:0]        clear_i,
  input  logic [Ww-1:0]     clear_word_i,

  output logic [Lanes-1:0]  macs_o,          // lanes that multiply
  output logic [1:0]        busy_o,          // jobs of the tag are here
  output logic [1:0]        unwritten_o,     // faults of MACs, by tag
  output logic [1:0]        bad_stream_o,
  output logic [1:0]        param_fault_o    // of a DRAIN: 1 BAD_PARAM, 0 UNWRITTEN
);

  localparam int unsigned Ba = Wa + 4;                  // byte address in WBUF
  localparam int unsigned Jw = Ba + 12 + 16 + 1;
  localparam int unsigned Ja = $clog2(JobDepth);
  localparam int unsigned Groups = (Lanes + 3) / 4;
  // two in the pointer stage, two in the output register of eie_bcast, two being sent
  localparam int unsigned OnTheWay = 6;

  // Pointers: a copy for each broadcast port.

  logic [1:0]      p_re, p_valid_q, p_written, p_over, p_job, p_push;
  logic [2*Pa-1:0] p_addr;
  logic            p_tag_q, p_wide_q;
  logic [Wa-1:0]   p_weights_q;
  logic [2*Jw-1:0] p_data, q_wdata;

  always_ff @(posedge clk_bc_i or negedge rst_ni) begin
    if (!rst_ni) begin
      p_valid_q <= '0;
    end else begin
      p_valid_q <= flush_i ? 2'b0 : bc_valid_i;
    end
  end

  always_ff @(posedge clk_bc_i) begin
    if (bc_valid_i[0]) begin
      p_tag_q     <= bc_tag_i;
      p_wide_q    <= cfg_wide_i[bc_tag_i];
      p_weights_q <= bc_tag_i ? cfg_weights_i[2*Wa-1:Wa] : cfg_weights_i[Wa-1:0];
    end
  end

  assign p_re          = {bc_valid_i[1] || sel_re_i, bc_valid_i[0]};
  assign p_addr        = {bc_valid_i[1] ? bc_ptr_i[Pa+4 +: Pa] : sel_addr_i, bc_ptr_i[2 +: Pa]};
  assign sel_written_o = p_written[1];

  for (genvar p = 0; p < 2; p++) begin : gen_ptr
    logic [127:0]            granule;
    logic [1:0]              sel_q;
    logic [15:0]             act_q;
    logic [eie_pkg::PtrStartBits-1:0] start;
    logic [eie_pkg::PtrLenBits-1:0]   len;
    logic [24:0]             first, bytes;

    eie_tagram #(
      .Depth (PbufDepth)
    ) u_pbuf (
      .clk_i(clk_bc_i), .wclk_i(clk_bc_i), .epoch_i, .scrub_i,
      .scrub_addr_i (scrub_addr_i[Pa-1:0]),
      .we_i         (pbuf_we_i),
      .waddr_i      (buf_addr_i[Pa-1:0]),
      .wdata_i      (buf_data_i),
      .re_i         (p_re[p]),
      .raddr_i      (p_addr[Pa*p +: Pa]),
      .rdata_o      (granule),
      .written_o    (p_written[p])
    );

    always_ff @(posedge clk_bc_i) begin
      if (bc_valid_i[p]) begin
        sel_q <= bc_ptr_i[(Pa+2)*p +: 2];
        act_q <= bc_act_i[16*p +: 16];
      end
    end

    if (p == 1) begin : gen_select
      assign sel_data_o = granule;
    end
    assign {len, start} = granule[{sel_q, 5'b0} +: 32];
    assign first     = {{(21-Wa){1'b0}}, p_weights_q, 4'b0} + (p_wide_q ? {4'b0, start, 1'b0} : {5'b0, start});
    assign bytes     = p_wide_q ? {12'b0, len, 1'b0} : {13'b0, len};
    assign p_job[p]  = p_valid_q[p] && len != '0;
    assign p_over[p] = p_job[p] && first + bytes > 25'(WbufDepth * eie_pkg::GranuleBytes);
    assign p_push[p] = p_job[p] && p_written[p] && !p_over[p];
    assign p_data[Jw*p +: Jw] = {first[Ba-1:0], len, act_q, p_tag_q};
  end

  assign q_wdata = {p_data[2*Jw-1:Jw], p_push[0] ? p_data[Jw-1:0] : p_data[2*Jw-1:Jw]};

  // Job queue

  logic [1:0]      q_push, q_pop;
  logic [2*Jw-1:0] q_rdata;
  logic [Ja:0]     q_count;
  logic            q_ltag_q;              // tag of the youngest job

  assign q_push = own ? 2'b00 : {&p_push, |p_push};
  assign hold_o = q_count > (Ja + 1)'(JobDepth - OnTheWay) || lq_hold;

  eie_jobq #(
    .Width (Jw),
    .Depth (JobDepth)
  ) u_jobq (
    .clk_i, .rst_ni,
    .clr_i   (flush_i),
    .push_i  (q_push),
    .wdata_i (q_wdata),
    .pop_i   (q_pop),
    .rdata_o (q_rdata),
    .count_o (q_count)
  );

  always_ff @(posedge clk_bc_i) begin
    if (q_push[0]) begin
      q_ltag_q <= p_tag_q;
    end
  end

  // Pixels, in the order of the jobs: one a job, so both queues are as long. With SPLIT: each lane's
  // queue, twice as deep, for lanes with few zeros hold up those that have many.

  localparam int unsigned Lq = Ba + 12 + Ww + 1;        // first byte, entries, word of the group, tag

  logic [127+Ww:0]     job_vec;
  logic                own, lq_hold;             // a job for the lanes' own queues
  logic [Lanes-1:0]    lq_valid, lq_pop;
  logic [Lanes*Lq-1:0] lq_jobs;
  logic [16*Lanes-1:0] lq_pixels;
  logic [1:0]          lq_busy;

  if (Vector) begin : gen_vecq
    logic [127+Ww:0] vec_mem [0:JobDepth-1];
    logic [127+Ww:0] p_vec_q;
    logic [Ja-1:0]   wptr_q, rptr_q;
    logic            push, pop;

    assign own     = cfg_split_i && cfg_vec_i[p_tag_q];
    assign push    = p_push[0] && cfg_vec_i[p_tag_q] && !own;
    assign pop     = q_pop[0] && cfg_vec_i[q_rdata[0]];
    assign job_vec = vec_mem[rptr_q];

    always_ff @(posedge clk_i) begin
      if (bc_valid_i[0] && cfg_vec_i[bc_tag_i]) begin
        p_vec_q <= bc_vec_i;
      end
      if (push) begin
        vec_mem[wptr_q] <= p_vec_q;
      end
    end

    always_ff @(posedge clk_i or negedge rst_ni) begin
      if (!rst_ni) begin
        wptr_q <= '0;
        rptr_q <= '0;
      end else if (flush_i) begin
        wptr_q <= '0;
        rptr_q <= '0;
      end else begin
        wptr_q <= wptr_q + Ja'(push);
        rptr_q <= rptr_q + Ja'(pop);
      end
    end

    logic [Lanes-1:0] live;

    always_comb begin
      live = '0;
      if (p_push[0] && own) begin
        for (int unsigned l = 0; l < Lanes; l++) begin
          live[l] = p_vec_q[16*l +: 16] != '0;
        end
      end
    end

    eie_laneq #(
      .Lanes   (Lanes),
      .Width   (Lq),
      .Depth   (2 * JobDepth),
      .Reserve (OnTheWay)
    ) u_laneq (
      .clk_i     (clk_own_i),
      .rst_ni,
      .clr_i     (flush_i),
      .push_i    (live),
      .wdata_i   ({p_data[Jw-1:17], p_vec_q[127+Ww:128], p_tag_q}),
      .wpixels_i (p_vec_q[127:0]),
      .pop_i     (lq_pop),
      .valid_o   (lq_valid),
      .rdata_o   (lq_jobs),
      .rpixels_o (lq_pixels),
      .hold_o    (lq_hold),
      .busy_o    (lq_busy)
    );
  end else begin : gen_no_vecq
    logic unused;
    assign unused    = &{lq_pop, cfg_split_i};
    assign job_vec   = '0;
    assign own       = 1'b0;
    assign lq_hold   = 1'b0;
    assign lq_valid  = '0;
    assign lq_jobs   = '0;
    assign lq_pixels = '0;
    assign lq_busy   = '0;
  end

  // Lanes

  logic [1:0]            lane_busy, lane_lost, lane_bad;
  logic [256*Groups-1:0] d2_part;

  eie_lanes #(
    .Lanes     (Lanes),
    .Rows      (Rows),
    .WbufDepth (WbufDepth),
    .Vector    (Vector)
  ) u_lanes (
    .clk_i, .clk_buf_i, .clk_own_i, .rst_ni, .flush_i,
    .epoch_i, .scrub_i,
    .scrub_addr_i (scrub_addr_i[Wa-1:1]),
    .wbuf_we_i,
    .wbuf_addr_i  (buf_addr_i[Wa-1:0]),
    .cbuf_we_i,
    .cbuf_addr_i  (buf_addr_i[5:0]),
    .buf_data_i,
    .cfg_half_i, .cfg_wide_i, .cfg_cb_i, .cfg_vec_i, .cfg_split_i, .cfg_rows_i,
    .own_valid_i  (lq_valid),
    .own_jobs_i   (lq_jobs),
    .own_pixels_i (lq_pixels),
    .own_pop_o    (lq_pop),
    .job_valid_i  ({q_count > (Ja + 1)'(1), q_count != '0}),
    .job0_i       (q_rdata[Jw-1:0]),
    .job1_i       (q_rdata[2*Jw-1:Jw]),
    .job_pop_o    (q_pop),
    .job_vec_i    (job_vec),
    .dr_step_i, .dr_vec_i, .dr_row_i,
    .dr_re_i, .dr_half_i, .dr_word_i,
    .part_o       (d2_part),
    .clear_i, .clear_word_i,
    .macs_o,
    .busy_o       (lane_busy),
    .unwritten_o  (lane_lost),
    .bad_stream_o (lane_bad)
  );

  // Status

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      busy_o       <= '0;
      unwritten_o  <= '0;
      bad_stream_o <= '0;
    end else begin
      busy_o <= lane_busy | lq_busy | ((q_count != '0) ? (2'b01 << q_rdata[0]) | (2'b01 << q_ltag_q) : 2'b00);
      unwritten_o  <= lane_lost | ((|(p_valid_q & ~p_written)) ? 2'b01 << p_tag_q : 2'b00);
      bad_stream_o <= lane_bad | ((|(p_over & p_written)) ? 2'b01 << p_tag_q : 2'b00);
    end
  end

  // Drain, step by step: words and parameters are read, sums over up to four lanes, sums and bias,
  // eie_requant. No wide logic outside the guarded registers: simulation pays for it every cycle.

  logic                  d1_valid_q, d2_valid_q, d3_valid_q;
  logic [1:0]            d1_rot_q;
  logic [511:0]          d1_raw, d1_param, d2_param_q;
  logic [63:0]           d1_one;                 // VDRAIN: parameters of the row
  logic                  d1_lost;
  logic [3:0]            d1_written;
  logic [255:0]          d3_acc_q;
  logic [127:0]          d3_m_q;
  logic [47:0]           d3_s_q;

  for (genvar b = 0; b < 4; b++) begin : gen_rbuf
    eie_tagram #(
      .Depth (RbufDepth / 4)
    ) u_rbuf (
      .clk_i(clk_buf_i), .wclk_i(clk_buf_i), .epoch_i, .scrub_i,
      .scrub_addr_i (scrub_addr_i[Ra-1:2]),
      .we_i         (rbuf_we_i && buf_addr_i[1:0] == 2'(b)),
      .waddr_i      (buf_addr_i[Ra-1:2]),
      .wdata_i      (buf_data_i),
      .re_i         (dr_re_i),
      .raddr_i      (dr_params_i[(Ra-2)*b +: Ra-2]),
      .rdata_o      (d1_raw[128*b +: 128]),
      .written_o    (d1_written[b])
    );
  end

  always_ff @(posedge clk_buf_i or negedge rst_ni) begin
    if (!rst_ni) begin
      {d3_valid_q, d2_valid_q, d1_valid_q} <= '0;
      param_fault_o <= '0;
    end else begin
      {d3_valid_q, d2_valid_q, d1_valid_q} <= flush_i ? 3'b0 : {d2_valid_q, d1_valid_q, dr_step_i};
      param_fault_o <= '0;
      if (d1_valid_q && !flush_i) begin
        param_fault_o[0] <= dr_vec_i ? d1_lost : !(&d1_written);
        for (int unsigned i = 0; i < 8; i++) begin
          if (d1_raw[64*i+48 +: 8] == '0 || d1_raw[64*i+48 +: 8] > 8'(eie_pkg::ShiftMax) ||
              d1_raw[64*i+56 +: 8] != '0) begin
            param_fault_o[1] <= 1'b1;
          end
        end
        if (dr_vec_i) begin
          param_fault_o[1] <= d1_one[55:48] == '0 || d1_one[55:48] > 8'(eie_pkg::ShiftMax) ||
                              d1_one[63:56] != '0;
        end
      end
    end
  end

  always_comb begin
    d1_param = '0;
    if (d1_valid_q) begin
      unique case (d1_rot_q)
        2'd0:    d1_param = d1_raw;
        2'd1:    d1_param = {d1_raw[127:0], d1_raw[511:128]};
        2'd2:    d1_param = {d1_raw[255:0], d1_raw[511:256]};
        default: d1_param = {d1_raw[383:0], d1_raw[511:384]};
      endcase
    end
  end

  if (Vector) begin : gen_one
    logic [2:0] d1_row_q;
    logic [1:0] d1_bank;

    assign d1_bank = d1_row_q[2:1] + d1_rot_q;
    assign d1_one  = d1_param[{d1_row_q, 6'b0} +: 64];
    assign d1_lost = !d1_written[d1_bank];

    always_ff @(posedge clk_buf_i) begin
      if (dr_step_i) begin
        d1_row_q <= dr_row_i;
      end
    end
  end else begin : gen_no_one
    assign d1_one  = '0;
    assign d1_lost = 1'b0;
  end

  always_ff @(posedge clk_buf_i) begin
    if (dr_re_i) begin
      d1_rot_q <= dr_rot_i;
    end
    if (d1_valid_q) begin
      d2_param_q <= dr_vec_i ? {8{d1_one}} : d1_param;
    end
    if (d2_valid_q) begin
      for (int unsigned i = 0; i < 8; i++) begin
        d3_m_q[16*i +: 16] <= d2_param_q[64*i+32 +: 16];
        d3_s_q[6*i +: 6]   <= d2_param_q[64*i+48 +: 6];
      end
    end
  end

  always_ff @(posedge clk_buf_i) begin
    if (d2_valid_q) begin
      for (int unsigned i = 0; i < 8; i++) begin
        d3_acc_q[32*i +: 32] <= d2_param_q[64*i +: 32] + d2_part[32*i +: 32] +
          ((Groups > 1) ? d2_part[256*(1 % Groups) + 32*i +: 32] : '0) +
          ((Groups > 2) ? d2_part[256*(2 % Groups) + 32*i +: 32] : '0) +
          ((Groups > 3) ? d2_part[256*(3 % Groups) + 32*i +: 32] : '0);
      end
    end
  end

  eie_requant u_requant (
    .clk_i(clk_buf_i), .rst_ni, .flush_i,
    .valid_i (d3_valid_q),
    .acc_i   (d3_acc_q),
    .m_i     (d3_m_q),
    .s_i     (d3_s_q),
    .lo_i    (dr_lo_i),
    .hi_i    (dr_hi_i),
    .valid_o (y_valid_o),
    .y_o,
    .sat_o   (y_sat_o)
  );

endmodule
