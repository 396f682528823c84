// SPDX-License-Identifier: GPL-2.0 OR MIT
//
// The lanes of a cluster: each decodes the weight stream of its job, multiplies by the job's activation, and
// adds to a private bank of accumulators.
//
//   Decode: an entry a cycle, with the escape before it if there is one    -> code, row
//   Stage 1 reads the codebook, stage 2 multiplies and reads the accumulator, stage 3 adds and writes.
//
// The lanes are alike and independent, so that each step is one loop over all of them; in simulation a loop
// stays one (sim/rules.mk), and the compiler makes vector instructions of it. Decode and stages meet in
// code, row and act_q only.
//
// Jobs of a VMAC (Vector, eight lanes) go to lane 0 alone. What it decodes, all lanes multiply,
// each with its own pixel; the rows of their banks are then those of eight different outputs, and
// are drained one by one. With SPLIT every lane has jobs of its own, as in scalar mode, and only the
// places of its rows are a VMAC's.

module eie_lanes #(
  parameter int unsigned Lanes = 2,
  parameter int unsigned Rows = 64,
  parameter int unsigned WbufDepth = 1024,
  parameter bit          Vector = 1'b0,
  localparam int unsigned Wa = $clog2(WbufDepth),
  localparam int unsigned Jw = Wa + 4 + 12 + 16 + 1,     // job: first byte, entries, activation, tag
  localparam int unsigned Words = Rows / 8,
  localparam int unsigned Ww = (Words > 1) ? $clog2(Words) : 1,
  localparam int unsigned Lq = Wa + 4 + 12 + Ww + 1,
  localparam int unsigned Groups = (Lanes + 3) / 4
) (
  input  logic                  clk_i,
  input  logic                  clk_buf_i,        // of drain and writes to buffers, may rest between them
  input  logic                  rst_ni,
  input  logic                  flush_i,

  input  logic [7:0]            epoch_i,
  input  logic                  scrub_i,
  input  logic [Wa-2:0]         scrub_addr_i,    // pair of words
  input  logic                  wbuf_we_i,
  input  logic [Wa-1:0]         wbuf_addr_i,
  input  logic                  cbuf_we_i,
  input  logic [5:0]            cbuf_addr_i,
  input  logic [127:0]          buf_data_i,

  // settings of the two MAC commands in flight, by tag
  input  logic [1:0]            cfg_half_i,
  input  logic [1:0]            cfg_wide_i,
  input  logic [9:0]            cfg_cb_i,        // codebook, in units of 16 entries
  input  logic [1:0]            cfg_vec_i,       // a VMAC
  // verilator lint_off UNUSEDSIGNAL
  input  logic                  cfg_split_i,     // with SPLIT
  input  logic                  clk_own_i,       // rests without
  input  logic [23:0]           cfg_rows_i,      // VMAC: rows of a group

  // the two oldest jobs
  input  logic [1:0]            job_valid_i,
  input  logic [Jw-1:0]         job0_i,
  input  logic [Jw-1:0]         job1_i,
  output logic [1:0]            job_pop_o,
  input  logic [127+Ww:0]       job_vec_i,       // of a VMAC's job: word of the group, pixels

  // SPLIT: the oldest job of each lane: first byte, entries, word of the group, tag; its pixel
  input  logic [Lanes-1:0]      own_valid_i,
  input  logic [Lanes*Lq-1:0]   own_jobs_i,
  input  logic [16*Lanes-1:0]   own_pixels_i,
  output logic [Lanes-1:0]      own_pop_o,

  // drain: part_o is the sum over four lanes each, two cycles after dr_step_i; the word is zeroed.
  // VDRAIN: dr_re_i reads a word, dr_step_i takes a row of it, the lanes' sums of which come
  // unadded.
  input  logic                  dr_step_i,
  input  logic                  dr_vec_i,
  input  logic [2:0]            dr_row_i,
  // verilator lint_on UNUSEDSIGNAL
  input  logic                  dr_re_i,
  input  logic                  dr_half_i,
  input  logic [Ww-1:0]         dr_word_i,
  output logic [256*Groups-1:0] part_o,
  input  logic [1:0]            clear_i,         // by half
  input  logic [Ww-1:0]         clear_word_i,

  output logic [Lanes-1:0]      macs_o,          // lanes that multiply
  output logic [1:0]            busy_o,          // jobs of the tag are here
  output logic [1:0]            unwritten_o,     // faults, by tag
  output logic [1:0]            bad_stream_o
);

  localparam int unsigned Lw = $clog2(Lanes);
  localparam int unsigned Sw = Lw + 1;
  localparam int unsigned Slots = 2 * Lanes;     // job slots, see eie_fetch
  localparam int unsigned Rw = $clog2(Rows + 1);

  logic [Slots-1:0] active, tag, side, here, there, fresh, next;
  logic [Slots-1:0] ends, leave, bad;            // both bits of a lane
  logic [Lanes-1:0] fire;
  logic [Lw-1:0]    lane0, lane1;
  logic             fill0, fill1;
  logic [Sw-1:0]    slot0, slot1;
  logic [127:0]     word0, word1;

  eie_fetch #(
    .Lanes     (Lanes),
    .WbufDepth (WbufDepth),
    .Vector    (Vector)
  ) u_fetch (
    .clk_i,
    .clk_buf_i    (clk_buf_i),
    .rst_ni, .flush_i,
    .clear_i      (&clear_i),
    .epoch_i, .scrub_i, .scrub_addr_i,
    .wbuf_we_i, .wbuf_addr_i,
    .wbuf_data_i  (buf_data_i),
    .cfg_wide_i, .cfg_vec_i,
    .job_valid_i, .job0_i, .job1_i,
    .job_put_o    (put),
    .own_valid_i,
    .own0_i       ({own0[Lq-1:Ww+1], own0[0]}),
    .own1_i       ({own1[Lq-1:Ww+1], own1[0]}),
    .own_o        (own),
    .own_lane0_o  (from0),
    .own_lane1_o  (from1),
    .own_pop_o,
    .job_lane0_o  (lane0),
    .job_lane1_o  (lane1),
    .active_o     (active),
    .tag_o        (tag),
    .side_o       (side),
    .here_o       (here),
    .there_o      (there),
    .fresh_o      (fresh),
    .next_o       (next),
    .ends_i       (ends),
    .leave_i      (leave),
    .fill0_o      (fill0),
    .fill1_o      (fill1),
    .fill0_slot_o (slot0),
    .fill1_slot_o (slot1),
    .word0_o      (word0),
    .word1_o      (word1),
    .busy_o, .unwritten_o
  );

  assign bad_stream_o = {(bad & active & tag) != '0, (bad & active & ~tag) != '0};

  // What came for the lanes: jobs, until they are loaded, and words: {slot, bank, 32 bits}

  logic [15:0] job_todo [0:Lanes-1];              // entries, first byte in its word
  logic [15:0] job_act [0:Lanes-1];
  logic [31:0] words [0:16*Lanes-1];

  logic [1:0]    put;
  logic          own;
  logic [Lw-1:0] from0, from1;                    // SPLIT: queues that they are of
  // verilator lint_off UNUSEDSIGNAL
  logic [Lq-1:0] own0, own1;                      // SPLIT: the jobs that go to them, of their queues
  // verilator lint_on UNUSEDSIGNAL

  assign job_pop_o = own ? 2'b00 : put;

  always_comb begin
    {own0, own1} = '0;
    if (own) begin
      own0 = own_jobs_i[Lq*from0 +: Lq];
      own1 = own_jobs_i[Lq*from1 +: Lq];
    end
  end

  always_ff @(posedge clk_i) begin
    if (put[0]) begin
      job_todo[lane0] <= own ? {own0[Ww+1 +: 12], own0[Ww+13 +: 4]} : {job0_i[28:17], job0_i[32:29]};
      job_act[lane0]  <= own ? own_pixels_i[16*from0 +: 16] : job0_i[16:1];
    end
    if (put[1]) begin
      job_todo[lane1] <= own ? {own1[Ww+1 +: 12], own1[Ww+13 +: 4]} : {job1_i[28:17], job1_i[32:29]};
      job_act[lane1]  <= own ? own_pixels_i[16*from1 +: 16] : job1_i[16:1];
    end
  end

  always_ff @(posedge clk_i) begin
    if (fill0) begin
      words[{slot0, 3'd0}] <= word0[31:0];
      words[{slot0, 3'd1}] <= word0[63:32];
      words[{slot0, 3'd2}] <= word0[95:64];
      words[{slot0, 3'd3}] <= word0[127:96];
    end
    if (fill1) begin
      words[{slot1, 3'd4}] <= word1[31:0];
      words[{slot1, 3'd5}] <= word1[63:32];
      words[{slot1, 3'd6}] <= word1[95:64];
      words[{slot1, 3'd7}] <= word1[127:96];
    end
  end

  // VMAC: what lane 0 works on is a VMAC's job, for all lanes; its rows, its pixels

  logic          vec, vec_tag, split;
  logic [15:0]   limit0, limit1;                 // rows that a column may have, by tag
  logic [Ww-1:0] vec_word;
  logic [16*Lanes-1:0] vec_pixels;
  logic [Lanes-1:0] vec_live;                    // pixels that are not zero

  if (Vector) begin : gen_vec
    logic [127+Ww:0] job_vec_q, vec_q;

    // both tags have one mode
    assign vec_tag = tag[0] | tag[Lanes];
    assign vec     = cfg_vec_i[0] && !cfg_split_i;
    assign split   = cfg_vec_i[0] && cfg_split_i;
    assign limit0  = cfg_vec_i[0] ? 16'(cfg_rows_i[11:0]) : 16'(Rows);
    assign limit1  = cfg_vec_i[1] ? 16'(cfg_rows_i[23:12]) : 16'(Rows);
    assign {vec_word, vec_pixels} = vec_q;

    // as job_act and act_q of lane 0
    always_ff @(posedge clk_i) begin
      if (job_pop_o[0] && cfg_vec_i[job0_i[0]]) begin
        job_vec_q <= job_vec_i;
      end
      if (entry[0][8] ? (next[0] || next[Lanes]) : (fresh[0] || fresh[Lanes])) begin
        vec_q <= job_vec_q;
      end
    end

    always_comb begin
      vec_live = '0;
      if (vec) begin
        for (int unsigned l = 0; l < Lanes; l++) begin
          vec_live[l] = vec_pixels[16*l +: 16] != '0;
        end
      end
    end
  end else begin : gen_no_vec
    assign vec        = 1'b0;
    assign vec_tag    = 1'b0;
    assign split      = 1'b0;
    assign limit0     = 16'(Rows);
    assign limit1     = 16'(Rows);
    assign vec_word   = '0;
    assign vec_pixels = '0;
    assign vec_live   = '0;
  end

  // Decode

  logic [15:0]      todo_q [0:Lanes-1];           // entries left, byte in the word
  logic [15:0]      act_q [0:Lanes-1];
  logic [Rw-1:0]    row_q [0:Lanes-1];            // row after the last one; Rows: beyond
  logic [15:0]      todo_d [0:Lanes-1];
  logic [15:0]      act_d [0:Lanes-1];
  logic [Rw-1:0]    row_d [0:Lanes-1];

  logic [15:0]      place [0:Lanes-1];            // byte that is decoded next: slot, bank, byte in the word
  logic [15:0]      word_lo [0:Lanes-1];          // of words: that byte's, the one after it, in the other bank perhaps
  logic [15:0]      word_hi [0:Lanes-1];
  logic [15:0]      unit0 [0:Lanes-1];            // the next two entries, or more than that
  logic [15:0]      unit1 [0:Lanes-1];
  logic [15:0]      row [0:Lanes-1];
  logic [11:0]      entry [0:Lanes-1];            // no such row or no weight after an escape, a weight,
                                                  // the last one of the word, the last one; code
  logic [Slots-1:0] wide;
  logic [Slots-1:0] mine [0:Lanes-1];             // the slots of a lane
  logic [15:0]      number [0:Lanes-1];           // a lane's share of place

  assign wide = (tag & {Slots{cfg_wide_i[1]}}) | (active & ~tag & {Slots{cfg_wide_i[0]}});

  for (genvar l = 0; l < Lanes; l++) begin : gen_mine
    assign mine[l]   = {2{Lanes'(1) << l}};
    assign number[l] = 16'(l) << 5;
  end

  // Conditions are 16 bits all alike, and multiplexers AND and OR: of this C++ compilers make vector
  // instructions.
  always_comb begin
    logic [Slots-1:0] v_second, v_side;
    logic [15:0]      at;
    v_second = active & {{Lanes{1'b1}}, {Lanes{1'b0}}};
    v_side   = side;
    at       = '0;
    for (int unsigned l = 0; l < Lanes; l++) begin
      at         = number[l] | ({16{(v_second & mine[l]) != '0}} & (16'(Lanes) << 5)) |
                   ({16{(v_side & mine[l]) != '0}} & 16'd16) | (todo_q[l] & 16'd15);
      place[l]   = at;
      word_lo[l] = at >> 2;
      word_hi[l] = ((at >> 2) & 16'hfff8) | (((at >> 2) + 16'd1) & 16'd7);
    end
  end

  always_comb begin
    // verilator lint_off UNUSEDSIGNAL
    logic [63:0] window;             // an entry of two bytes may begin at its fourth byte
    // verilator lint_on UNUSEDSIGNAL
    window = '0;
    for (int unsigned l = 0; l < Lanes; l++) begin
      window   = {words[word_hi[l][Sw+2:0]], words[word_lo[l][Sw+2:0]]} >> {place[l][1:0], 3'b0};
      unit0[l] = window[15:0];
      unit1[l] = window[31:16];
    end
  end

  always_comb begin
    logic [15:0]      wide_m, here_m, esc_m, pair_m, last_m, out_m, over_m, bad_m, load_m, work_m, keep_m;
    logic [15:0]      next0, next1, code0, code1, skip0, skip1, step, pos1, pos2, todo, left;
    logic [15:0]      row0, row1, row2, gap, limit, v_limit, v_other;
    logic [Slots-1:0] v_wide, v_here, v_there, v_next, v_fresh, v_tag;
    {wide_m, here_m, esc_m, pair_m, last_m, out_m, over_m, bad_m, load_m, work_m, keep_m} = '0;
    {next0, next1, code0, code1, skip0, skip1, step, pos1, pos2, todo, left} = '0;
    {row0, row1, row2, gap, limit} = '0;
    v_wide  = wide;
    v_here  = here;
    v_there = there;
    v_next  = next;
    v_fresh = fresh;
    v_tag   = tag;
    v_limit = limit0;
    v_other = limit0 ^ limit1;
    for (int unsigned l = 0; l < Lanes; l++) begin
      wide_m = {16{(v_wide & mine[l]) != '0}};
      here_m = {16{(v_here & mine[l]) != '0}};
      next0  = unit0[l];
      next1  = unit1[l];
      todo   = todo_q[l];
      row0   = 16'(row_q[l]);
      code0  = next0 & ((wide_m & 16'h00f0) | 16'h000f);
      skip0  = ((next0 >> 8) & wide_m) | ((next0 >> 4) & ~wide_m & 16'h000f);
      code1  = (next1 & wide_m & 16'h00ff) | ((next0 >> 8) & ~wide_m & 16'h000f);
      skip1  = ((next1 >> 8) & wide_m) | ((next0 >> 12) & ~wide_m);
      step   = 16'd1 + (wide_m & 16'd1);
      pos1   = (todo & 16'd15) + step;
      esc_m  = {16{code0 == '0}};
      // an escape and the entry after it, unless that is not there
      pair_m = esc_m & {16{code1 != '0}} & {16{todo >= 16'd32}} &
               ({16{(pos1 & 16'd16) == '0}} | {16{(v_there & mine[l]) != '0}});
      pos2   = pos1 + (step & pair_m);
      left   = (todo & 16'hfff0) - 16'd16 - (pair_m & 16'd16);
      last_m = here_m & {16{left == '0}};
      out_m  = here_m & {16{(pos2 & 16'd16) != '0}};
      // an escape stands for 16 * (n + 1) rows, in wide streams for 256 * (n + 1)
      gap    = (skip0 & ~esc_m) | (((skip0 + 16'd1) << 4) & esc_m & ~wide_m) |
               ((((skip0 & 16'd127) + 16'd1) << 8) & esc_m & wide_m);
      row1   = row0 + gap + (skip1 & pair_m);
      limit  = v_limit ^ (v_other & {16{(v_tag & mine[l]) != '0}});
      over_m = {16{row1 >= limit}} | (esc_m & wide_m & {16{(skip0 & 16'd128) != '0}});
      row2   = (16'(Rows) & over_m) | ((row1 + (16'd1 & (~esc_m | pair_m))) & ~over_m);
      bad_m  = here_m & ((esc_m & ~pair_m & last_m) | ((~esc_m | pair_m) & over_m));
      load_m = {16{(((v_next & {Slots{last_m[0]}}) | (v_fresh & {Slots{!last_m[0]}})) & mine[l]) != '0}};
      work_m = here_m & ~load_m;
      keep_m = ~here_m & ~load_m;
      row[l]    = row1;
      entry[l]  = 12'((bad_m & 16'h0800) | (here_m & ~over_m & (~esc_m | pair_m) & 16'h0400) |
                      (out_m & 16'h0200) | (last_m & 16'h0100) | code0 | (code1 & esc_m));
      todo_d[l] = (job_todo[l] & load_m) | ((left | (pos2 & 16'd15)) & work_m) | (todo & keep_m);
      act_d[l]  = (job_act[l] & load_m) | (act_q[l] & ~load_m);
      row_d[l]  = Rw'((row2 & work_m) | (row0 & keep_m));
    end
  end

  always_comb begin
    logic [Slots-1:0] v_ends, v_leave, v_good, v_bad;
    {v_ends, v_leave, v_good, v_bad} = '0;
    for (int unsigned l = 0; l < Lanes; l++) begin
      v_ends  = v_ends  | (mine[l] & {Slots{entry[l][8]}});
      v_leave = v_leave | (mine[l] & {Slots{entry[l][9]}});
      v_good  = v_good  | (mine[l] & {Slots{entry[l][10]}});
      v_bad   = v_bad   | (mine[l] & {Slots{entry[l][11]}});
    end
    ends  = v_ends;
    leave = v_leave;
    fire  = v_good[Lanes-1:0];
    bad   = v_bad;
  end

  for (genvar l = 0; l < Lanes; l++) begin : gen_decode
    always_ff @(posedge clk_i) begin
      todo_q[l] <= todo_d[l];
      act_q[l]  <= act_d[l];
      row_q[l]  <= row_d[l];
    end
  end

  // SPLIT: first row of the job's group, as job_act and act_q
  logic [15:0] base_q [0:Lanes-1];

  if (Vector) begin : gen_base
    logic [15:0] job_base [0:Lanes-1];

    always_ff @(posedge clk_own_i) begin
      if (put[0]) begin
        job_base[lane0] <= 16'({own0[1 +: Ww], 3'b0});
      end
      if (put[1]) begin
        job_base[lane1] <= 16'({own1[1 +: Ww], 3'b0});
      end
    end

    for (genvar l = 0; l < Lanes; l++) begin : gen_lane_base
      always_ff @(posedge clk_own_i) begin
        if (((entry[l][8] ? next : fresh) & mine[l]) != '0) begin
          base_q[l] <= job_base[l];
        end
      end
    end
  end else begin : gen_no_base
    for (genvar l = 0; l < Lanes; l++) begin : gen_zero
      assign base_q[l] = '0;
    end
  end

  // Multiply and accumulate

  logic [Lanes-1:0]   s1_valid_q, s2_valid_q, s3_valid_q;
  logic [Lanes-1:0]   s1_half_q, s2_half_q, s3_half_q;
  logic [8:0]         s0_code [0:Lanes-1];        // entry of the codebook memory
  logic [15:0]        s0_weight [0:Lanes-1];
  logic [15:0]        s0_act [0:Lanes-1];
  logic [Ww+2:0]      s0_row [0:Lanes-1];
  logic [15:0]        s1_act_q [0:Lanes-1];
  logic [15:0]        s1_weight_q [0:Lanes-1];
  logic [Ww+2:0]      s1_row_q [0:Lanes-1];
  logic [Ww+2:0]      s2_row_q [0:Lanes-1];
  logic [Ww+2:0]      s3_row_q [0:Lanes-1];
  logic signed [31:0] product [0:Lanes-1];
  logic signed [31:0] s2_prod_q [0:Lanes-1];
  logic [31:0]        sum [0:Lanes-1];
  logic [31:0]        s3_sum_q [0:Lanes-1];
  logic [31:0]        s2_acc [0:Lanes-1];

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      s1_valid_q <= '0;
      s2_valid_q <= '0;
      s3_valid_q <= '0;
    end else begin
      s1_valid_q <= flush_i ? '0 : vec ? {Lanes{fire[0]}} & vec_live : fire;
      s2_valid_q <= flush_i ? '0 : s1_valid_q;
      s3_valid_q <= flush_i ? '0 : s2_valid_q;
    end
  end

  always_ff @(posedge clk_i) begin
    s1_half_q <= vec ? {Lanes{cfg_half_i[vec_tag]}} :
                 ((tag[Lanes-1:0] | tag[Slots-1:Lanes]) & {Lanes{cfg_half_i[1]}}) |
                 (~(tag[Lanes-1:0] | tag[Slots-1:Lanes]) & {Lanes{cfg_half_i[0]}});
    s2_half_q <= s1_half_q;
    s3_half_q <= s2_half_q;
  end

  assign macs_o = s1_valid_q;

  always_comb begin
    logic [Slots-1:0] v_tag;
    logic [8:0]       cb0, cb1;
    v_tag = tag;
    cb0   = {cfg_cb_i[4:0], 4'b0};
    cb1   = {cfg_cb_i[9:5], 4'b0};
    for (int unsigned l = 0; l < Lanes; l++) begin
      s0_code[l] = (((v_tag & mine[l]) != '0) ? cb1 : cb0) | {1'b0, entry[l][7:0]};
    end
  end

  // A read port a lane: synthesis makes a copy for each.
  logic [15:0] codebook [0:511];

  always_ff @(posedge clk_buf_i) begin
    if (cbuf_we_i) begin
      codebook[{cbuf_addr_i, 3'd0}] <= buf_data_i[15:0];
      codebook[{cbuf_addr_i, 3'd1}] <= buf_data_i[31:16];
      codebook[{cbuf_addr_i, 3'd2}] <= buf_data_i[47:32];
      codebook[{cbuf_addr_i, 3'd3}] <= buf_data_i[63:48];
      codebook[{cbuf_addr_i, 3'd4}] <= buf_data_i[79:64];
      codebook[{cbuf_addr_i, 3'd5}] <= buf_data_i[95:80];
      codebook[{cbuf_addr_i, 3'd6}] <= buf_data_i[111:96];
      codebook[{cbuf_addr_i, 3'd7}] <= buf_data_i[127:112];
    end
  end

  always_comb begin
    for (int unsigned l = 0; l < Lanes; l++) begin
      s0_weight[l] = codebook[s0_code[l]];
    end
    if (vec) begin
      for (int unsigned l = 1; l < Lanes; l++) begin
        s0_weight[l] = s0_weight[0];
      end
    end
  end

  always_comb begin
    for (int unsigned l = 0; l < Lanes; l++) begin
      s0_act[l] = act_q[l];
      s0_row[l] = row[l][Ww+2:0];
    end
    if (split) begin
      for (int unsigned l = 0; l < Lanes; l++) begin
        s0_row[l] = row[l][Ww+2:0] + base_q[l][Ww+2:0];
      end
    end
    if (vec) begin
      for (int unsigned l = 0; l < Lanes; l++) begin
        s0_act[l] = vec_pixels[16*l +: 16];
        s0_row[l] = row[0][Ww+2:0] + {vec_word, 3'b0};
      end
    end
  end

  always_comb begin
    for (int unsigned l = 0; l < Lanes; l++) begin
      product[l] = signed'(s1_weight_q[l]) * signed'(s1_act_q[l]);
    end
  end

  // The accumulator was read while the weight before this one was being added; columns that follow each
  // other may hit the same row.
  always_comb begin
    logic [Slots-1:0] v_same;
    logic [31:0]      fed, acc;
    logic             same;
    v_same = {2{s3_valid_q & ~(s3_half_q ^ s2_half_q)}};
    {fed, acc, same} = '0;
    for (int unsigned l = 0; l < Lanes; l++) begin
      same   = (v_same & mine[l]) != '0 && s3_row_q[l] == s2_row_q[l];
      fed    = s3_sum_q[l];
      acc    = s2_acc[l];
      sum[l] = (same ? fed : acc) + s2_prod_q[l];
    end
  end

  // Drain

  logic          d1_valid_q, d1_read_q, d1_half_q;
  logic [Ww-1:0] d1_word_q, zero_word;
  logic [1:0]    dr_re, zero;

  assign dr_re     = {dr_re_i && dr_half_i, dr_re_i && !dr_half_i};
  // clears come when nothing is drained
  assign zero      = clear_i | {d1_read_q && d1_half_q, d1_read_q && !d1_half_q};
  assign zero_word = (clear_i != '0) ? clear_word_i : d1_word_q;

  always_ff @(posedge clk_buf_i or negedge rst_ni) begin
    if (!rst_ni) begin
      d1_valid_q <= 1'b0;
      d1_read_q  <= 1'b0;
    end else begin
      d1_valid_q <= dr_step_i;
      d1_read_q  <= dr_re_i;
    end
  end

  always_ff @(posedge clk_buf_i) begin
    if (dr_re_i) begin
      d1_half_q <= dr_half_i;
      d1_word_q <= dr_word_i;
    end
  end

  logic [2*Lanes-1:0] read, add;                  // by half

  assign read = {{Lanes{dr_re[1]}} | (s1_valid_q & s1_half_q), {Lanes{dr_re[0]}} | (s1_valid_q & ~s1_half_q)};
  assign add  = {s2_valid_q & s2_half_q, s2_valid_q & ~s2_half_q};

  for (genvar l = 0; l < Lanes; l++) begin : gen_lane
    always_ff @(posedge clk_i) begin
      s1_weight_q[l] <= s0_weight[l];
      s1_row_q[l]    <= s0_row[l];
      s1_act_q[l]    <= s0_act[l];
      s2_row_q[l]    <= s1_row_q[l];
      s2_prod_q[l]   <= product[l];
      s3_row_q[l]    <= s2_row_q[l];
      s3_sum_q[l]    <= sum[l];
    end

    // Each accumulator half is a memory of its own, eight rows a word, so that one half drains eight rows a
    // cycle while the other accumulates.
    for (genvar h = 0; h < 2; h++) begin : gen_half
      logic [255:0] mem [0:Words-1];
      logic [255:0] rd_q;

      always_ff @(posedge clk_i) begin
        if (read[h*Lanes+l]) begin
          rd_q <= mem[dr_re[h] ? dr_word_i : s1_row_q[l][Ww+2:3]];
        end
      end

      always_ff @(posedge clk_i) begin
        if (zero[h]) begin
          mem[zero_word] <= '0;
        end else if (add[h*Lanes+l]) begin
          mem[s2_row_q[l][Ww+2:3]][{s2_row_q[l][2:0], 5'b0} +: 32] <= sum[l];
        end
      end
    end

    assign s2_acc[l] = s2_half_q[l] ? gen_half[1].rd_q[{s2_row_q[l][2:0], 5'b0} +: 32] :
                                      gen_half[0].rd_q[{s2_row_q[l][2:0], 5'b0} +: 32];
  end

  // VDRAIN: row d1_row_q of the lanes' words

  logic [255:0] vec_part;

  if (Vector) begin : gen_vec_part
    logic [2:0] d1_row_q;

    always_ff @(posedge clk_buf_i) begin
      if (dr_step_i) begin
        d1_row_q <= dr_row_i;
      end
    end

    for (genvar l = 0; l < 8; l++) begin : gen_pixel
      assign vec_part[32*l +: 32] = d1_half_q ?
        gen_lane[l].gen_half[1].rd_q[{d1_row_q, 5'b0} +: 32] :
        gen_lane[l].gen_half[0].rd_q[{d1_row_q, 5'b0} +: 32];
    end
  end else begin : gen_no_vec_part
    assign vec_part = '0;
  end

  for (genvar g = 0; g < Groups; g++) begin : gen_part
    logic [255:0] part;

    if (Lanes >= 4) begin : gen_four
      always_comb begin
        part = '0;
        if (d1_valid_q) begin
          for (int unsigned i = 0; i < 8; i++) begin
            part[32*i +: 32] = d1_half_q ?
              gen_lane[4*g].gen_half[1].rd_q[32*i +: 32] + gen_lane[4*g+1].gen_half[1].rd_q[32*i +: 32] +
              gen_lane[4*g+2].gen_half[1].rd_q[32*i +: 32] + gen_lane[4*g+3].gen_half[1].rd_q[32*i +: 32] :
              gen_lane[4*g].gen_half[0].rd_q[32*i +: 32] + gen_lane[4*g+1].gen_half[0].rd_q[32*i +: 32] +
              gen_lane[4*g+2].gen_half[0].rd_q[32*i +: 32] + gen_lane[4*g+3].gen_half[0].rd_q[32*i +: 32];
          end
        end
      end
    end else begin : gen_two
      always_comb begin
        part = '0;
        if (d1_valid_q) begin
          for (int unsigned i = 0; i < 8; i++) begin
            part[32*i +: 32] = d1_half_q ?
              gen_lane[0].gen_half[1].rd_q[32*i +: 32] + gen_lane[1].gen_half[1].rd_q[32*i +: 32] :
              gen_lane[0].gen_half[0].rd_q[32*i +: 32] + gen_lane[1].gen_half[0].rd_q[32*i +: 32];
          end
        end
      end
    end

    always_ff @(posedge clk_buf_i) begin
      if (d1_valid_q) begin
        part_o[256*g +: 256] <= !dr_vec_i ? part : (g == 0) ? vec_part : '0;
      end
    end
  end


  // Assertions

`ifndef SYNTHESIS
  assert property (@(posedge clk_i) dr_re[0] |-> ((s1_valid_q & ~s1_half_q) | add[Lanes-1:0]) == '0);
  assert property (@(posedge clk_i) dr_re[1] |-> ((s1_valid_q & s1_half_q) | add[2*Lanes-1:Lanes]) == '0);
`endif

endmodule
