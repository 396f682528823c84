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

module eie_lanes #(
  parameter int unsigned Lanes = 2,
  parameter int unsigned Rows = 64,
  parameter int unsigned WbufDepth = 1024,
  localparam int unsigned Wa = $clog2(WbufDepth),
  localparam int unsigned Jw = Wa + 4 + 12 + 16 + 1,     // job: first byte, entries, activation, tag
  localparam int unsigned Words = Rows / 8,
  localparam int unsigned Ww = (Words > 1) ? $clog2(Words) : 1,
  localparam int unsigned Groups = (Lanes + 3) / 4
) (
  input  logic                  clk_i,
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

  // the two oldest jobs
  input  logic [1:0]            job_valid_i,
  input  logic [Jw-1:0]         job0_i,
  input  logic [Jw-1:0]         job1_i,
  output logic [1:0]            job_pop_o,

  // drain: part_o is the sum over four lanes each, two cycles after dr_re_i; the word is zeroed
  input  logic                  dr_re_i,
  input  logic                  dr_half_i,
  input  logic [Ww-1:0]         dr_word_i,
  output logic [256*Groups-1:0] part_o,
  input  logic                  clear_i,
  input  logic [Ww-1:0]         clear_word_i,

  output logic [4:0]            macs_o,          // lanes that multiply
  output logic [1:0]            busy_o,          // jobs of the tag are here
  output logic [1:0]            unwritten_o,     // faults, by tag
  output logic [1:0]            bad_stream_o
);

  localparam int unsigned Lw = $clog2(Lanes);
  localparam int unsigned Sw = Lw + 1;
  localparam int unsigned Rw = $clog2(Rows + 1);
  localparam int unsigned Cw = 16;                // row counter plus escape (2^15) plus skip

  logic [Lanes-1:0] sel, tag, here, there, next, fresh;
  logic [Lanes-1:0] fire, ends, leave, bad;
  logic [Lw-1:0]    lane0, lane1;
  logic             fill0, fill1;
  logic [Sw-1:0]    slot0, slot1;
  logic [127:0]     word0, word1;

  eie_fetch #(
    .Lanes     (Lanes),
    .WbufDepth (WbufDepth)
  ) u_fetch (
    .clk_i, .rst_ni, .flush_i, .clear_i, .epoch_i, .scrub_i, .scrub_addr_i,
    .wbuf_we_i, .wbuf_addr_i,
    .wbuf_data_i  (buf_data_i),
    .cfg_wide_i,
    .job_valid_i, .job0_i, .job1_i, .job_pop_o,
    .job_lane0_o  (lane0),
    .job_lane1_o  (lane1),
    .sel_o        (sel),
    .tag_o        (tag),
    .here_o       (here),
    .there_o      (there),
    .next_o       (next),
    .fresh_o      (fresh),
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

  assign bad_stream_o = {(bad & tag) != '0, (bad & ~tag) != '0};

  // What came for the lanes: jobs, until they are loaded, and words: {slot, bank, 32 bits}

  logic [4:0]  job_pos [0:Lanes-1];
  logic [11:0] job_len [0:Lanes-1];
  logic [15:0] job_act [0:Lanes-1];
  logic [31:0] words [0:16*Lanes-1];

  always_ff @(posedge clk_i) begin
    if (job_pop_o[0]) begin
      job_pos[lane0] <= job0_i[33:29];
      job_len[lane0] <= job0_i[28:17];
      job_act[lane0] <= job0_i[16:1];
    end
    if (job_pop_o[1]) begin
      job_pos[lane1] <= job1_i[33:29];
      job_len[lane1] <= job1_i[28:17];
      job_act[lane1] <= job1_i[16:1];
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

  // Decode

  logic [4:0]       pos_q [0:Lanes-1];            // byte in the slot's two words
  logic [11:0]      rem_q [0:Lanes-1];            // entries left
  logic [Rw-1:0]    row_q [0:Lanes-1];            // row after the last one; Rows: beyond
  logic [15:0]      act_q [0:Lanes-1];
  logic [4:0]       pos_d [0:Lanes-1];
  logic [11:0]      rem_d [0:Lanes-1];
  logic [Rw-1:0]    row_d [0:Lanes-1];
  logic [15:0]      act_d [0:Lanes-1];

  logic [Lanes-1:0] wide, half;
  logic [15:0]      unit0 [0:Lanes-1];            // the next two entries, or more than that
  logic [15:0]      unit1 [0:Lanes-1];
  logic [7:0]       code [0:Lanes-1];
  logic [Cw-1:0]    row [0:Lanes-1];
  logic             done [0:Lanes-1];             // the last entry
  logic             out [0:Lanes-1];              // the last one of the word
  logic             good [0:Lanes-1];             // a weight
  logic             wrong [0:Lanes-1];            // no such row, or no weight after an escape

  // bit l, for lane l
  logic [Lanes-1:0] me [0:Lanes-1];

  for (genvar l = 0; l < Lanes; l++) begin : gen_me
    assign me[l] = Lanes'(1) << l;
  end

  assign wide = (tag & {Lanes{cfg_wide_i[1]}}) | (~tag & {Lanes{cfg_wide_i[0]}});
  assign half = (tag & {Lanes{cfg_half_i[1]}}) | (~tag & {Lanes{cfg_half_i[0]}});

  always_comb begin
    // verilator lint_off UNUSEDSIGNAL
    logic [63:0] window;               // an entry of two bytes may begin at its fourth byte
    // verilator lint_on UNUSEDSIGNAL
    logic [2:0]  at;
    window = '0;
    at     = '0;
    for (int unsigned l = 0; l < Lanes; l++) begin
      at       = pos_q[l][4:2];
      window   = {words[{sel[l], Lw'(l), at + 3'd1}], words[{sel[l], Lw'(l), at}]} >>
                 {pos_q[l][1:0], 3'b0};
      unit0[l] = window[15:0];
      unit1[l] = window[31:16];
    end
  end

  always_comb begin
    logic             w, esc, pair, avail, over, load, last;
    logic [7:0]       wm, code0, code1, skip0, skip1;     // wm: all ones in wide streams
    logic [4:0]       pos0, pos1, pos2, step;
    logic [11:0]      rem, left;
    logic [15:0]      next0, next1;
    logic [Cw-1:0]    row0, row1, gap;
    logic [Rw-1:0]    row2;
    logic [Lanes-1:0] v_wide, v_here, v_there, v_next, v_fresh;
    {w, esc, pair, avail, over, load, last} = '0;
    {wm, code0, code1, skip0, skip1} = '0;
    {pos0, pos1, pos2, step} = '0;
    {rem, left} = '0;
    {next0, next1} = '0;
    {row0, row1, gap} = '0;
    row2    = '0;
    v_wide  = wide;
    v_here  = here;
    v_there = there;
    v_next  = next;
    v_fresh = fresh;
    for (int unsigned l = 0; l < Lanes; l++) begin
      w     = (v_wide & me[l]) != '0;
      avail = (v_here & me[l]) != '0;
      wm    = {8{w}};
      step  = 5'd1 + 5'(w);
      next0 = unit0[l];
      next1 = unit1[l];
      pos0  = pos_q[l];
      rem   = rem_q[l];
      row0  = Cw'(row_q[l]);
      code0 = next0[7:0] & (wm | 8'h0f);
      skip0 = (next0[15:8] & wm) | ({4'b0, next0[7:4]} & ~wm);
      code1 = (next1[7:0] & wm)  | ({4'b0, next0[11:8]} & ~wm);
      skip1 = (next1[15:8] & wm) | ({4'b0, next0[15:12]} & ~wm);
      pos1  = pos0 + step;
      esc   = code0 == '0;
      pair  = esc && code1 != '0 && rem != 12'd1 && ((pos1 ^ pos0) < 5'd16 || (v_there & me[l]) != '0);
      pos2  = pos1 + (step & {5{pair}});
      left  = rem - 12'd1 - 12'(pair);
      last  = left == '0;
      // an escape stands for 16 * (n + 1) rows, in wide streams for 256 * (n + 1)
      gap   = (Cw'(skip0) & {Cw{!esc}}) |
              ({7'b0, 5'(skip0[3:0]) + 5'd1, 4'b0} & {Cw{esc && !w}}) |
              ({8'(skip0[6:0]) + 8'd1, 8'b0} & {Cw{esc && w}});
      row1  = row0 + gap + (Cw'(skip1) & {Cw{pair}});
      over  = (esc && w && skip0 >= 8'd128) || row1 >= Cw'(Rows);
      row2  = (Rw'(Rows) & {Rw{over}}) | ((Rw'(row1) + Rw'(!esc || pair)) & {Rw{!over}});
      load  = (((v_next & {Lanes{avail && last}}) | (v_fresh & {Lanes{!(avail && last)}})) & me[l]) != '0;
      code[l]  = code0 | (code1 & {8{esc}});
      row[l]   = row1;
      done[l]  = avail && last;
      out[l]   = avail && (pos2 ^ pos0) >= 5'd16;
      good[l]  = avail && !over && (!esc || pair);
      wrong[l] = avail && ((esc && !pair && last) || (!(esc && !pair) && over));
      pos_d[l] = (job_pos[l] & {5{load}}) | (pos2 & {5{!load && avail}}) | (pos0 & {5{!load && !avail}});
      rem_d[l] = (job_len[l] & {12{load}}) | (left & {12{!load && avail}}) | (rem & {12{!load && !avail}});
      act_d[l] = (job_act[l] & {16{load}}) | (act_q[l] & {16{!load}});
      row_d[l] = (row2 & {Rw{!load && avail}}) | (Rw'(row0) & {Rw{!load && !avail}});
    end
  end

  always_comb begin
    logic [Lanes-1:0] v_fire, v_ends, v_leave, v_bad;
    {v_fire, v_ends, v_leave, v_bad} = '0;
    for (int unsigned l = 0; l < Lanes; l++) begin
      v_fire  = v_fire  | (me[l] & {Lanes{good[l]}});
      v_ends  = v_ends  | (me[l] & {Lanes{done[l]}});
      v_leave = v_leave | (me[l] & {Lanes{out[l]}});
      v_bad   = v_bad   | (me[l] & {Lanes{wrong[l]}});
    end
    fire  = v_fire;
    ends  = v_ends;
    leave = v_leave;
    bad   = v_bad;
  end

  for (genvar l = 0; l < Lanes; l++) begin : gen_decode
    always_ff @(posedge clk_i) begin
      pos_q[l] <= pos_d[l];
      rem_q[l] <= rem_d[l];
      row_q[l] <= row_d[l];
      act_q[l] <= act_d[l];
    end
  end

  // Multiply and accumulate

  logic [Lanes-1:0]   s1_valid_q, s2_valid_q, s3_valid_q;
  logic [Lanes-1:0]   s1_half_q, s2_half_q, s3_half_q;
  logic [8:0]         s0_code [0:Lanes-1];        // entry of the codebook memory
  logic [15:0]        s0_weight [0:Lanes-1];
  logic signed [15:0] s1_act_q [0:Lanes-1];
  logic signed [15:0] s1_weight_q [0:Lanes-1];
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
      s1_valid_q <= flush_i ? '0 : fire;
      s2_valid_q <= flush_i ? '0 : s1_valid_q;
      s3_valid_q <= flush_i ? '0 : s2_valid_q;
    end
  end

  always_ff @(posedge clk_i) begin
    s1_half_q <= half;
    s2_half_q <= s1_half_q;
    s3_half_q <= s2_half_q;
  end

  assign macs_o = 5'($countones(s1_valid_q));

  always_comb begin
    logic [Lanes-1:0] v_tag;
    logic [9:0]       cb;
    v_tag = tag;
    cb    = cfg_cb_i;
    for (int unsigned l = 0; l < Lanes; l++) begin
      s0_code[l] = {((v_tag & me[l]) != '0) ? cb[9:5] : cb[4:0], 4'b0} | {1'b0, code[l]};
    end
  end

  // A read port a lane: synthesis makes a copy for each.
  logic [15:0] codebook [0:511];

  always_ff @(posedge clk_i) begin
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
  end

  always_comb begin
    for (int unsigned l = 0; l < Lanes; l++) begin
      product[l] = s1_weight_q[l] * s1_act_q[l];
    end
  end

  // The accumulator was read while the weight before this one was being added; columns that follow each
  // other may hit the same row.
  always_comb begin
    logic [Lanes-1:0] v_same;
    logic [31:0]      fed, acc;
    logic             same;
    v_same = s3_valid_q & ~(s3_half_q ^ s2_half_q);
    {fed, acc, same} = '0;
    for (int unsigned l = 0; l < Lanes; l++) begin
      same   = (v_same & me[l]) != '0 && s3_row_q[l] == s2_row_q[l];
      fed    = s3_sum_q[l];
      acc    = s2_acc[l];
      sum[l] = (same ? fed : acc) + s2_prod_q[l];
    end
  end

  // Drain

  logic          d1_valid_q, d1_half_q;
  logic [Ww-1:0] d1_word_q, zero_word;
  logic [1:0]    dr_re, zero;

  assign dr_re     = {dr_re_i && dr_half_i, dr_re_i && !dr_half_i};
  assign zero      = clear_i ? 2'b11 : {d1_valid_q && d1_half_q, d1_valid_q && !d1_half_q};
  assign zero_word = clear_i ? clear_word_i : d1_word_q;

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      d1_valid_q <= 1'b0;
    end else begin
      d1_valid_q <= dr_re_i;
    end
  end

  always_ff @(posedge clk_i) begin
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
      s1_row_q[l]    <= row[l][Ww+2:0];
      s1_act_q[l]    <= act_q[l];
      s2_row_q[l]    <= s1_row_q[l];
      s2_prod_q[l]   <= product[l];
      s3_row_q[l]    <= s2_row_q[l];
      s3_sum_q[l]    <= sum[l];
    end

    assign s2_acc[l] = s2_half_q[l] ? gen_half[1].rd_q[{s2_row_q[l][2:0], 5'b0} +: 32] :
                                      gen_half[0].rd_q[{s2_row_q[l][2:0], 5'b0} +: 32];

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

    always_ff @(posedge clk_i) begin
      if (d1_valid_q) begin
        part_o[256*g +: 256] <= part;
      end
    end
  end

  // Assertions

`ifndef SYNTHESIS
  assert property (@(posedge clk_i) dr_re[0] |-> ((s1_valid_q & ~s1_half_q) | add[Lanes-1:0]) == '0);
  assert property (@(posedge clk_i) dr_re[1] |-> ((s1_valid_q & s1_half_q) | add[2*Lanes-1:Lanes]) == '0);
`endif

endmodule
