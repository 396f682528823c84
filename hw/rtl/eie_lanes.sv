// SPDX-License-Identifier: GPL-2.0 OR MIT
//
// The lanes of a cluster and what feeds them: job slots, weight banks, decoders.
//
// A lane has two job slots and works on the active one; the other waits with its first words prefetched,
// and the lane goes over to it without a lost cycle. A slot holds two 128-bit words of its weight stream,
// one from the bank of even words, one from the bank of odd words. Job slot i = 2 * lane + s; what is one
// bit a slot is kept as a vector over all slots: that is also what makes simulation quick.

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
  input  logic [2*Jw-1:0]       job_i,
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

  localparam int unsigned Slots = 2 * Lanes;
  localparam int unsigned Sw = $clog2(Slots);
  localparam int unsigned Lw = Sw - 1;
  localparam int unsigned Ba = Wa + 4;
  localparam int unsigned Rw = $clog2(Rows + 1);
  localparam int unsigned Cw = 18;                // row counter plus escape (2^16) plus skip
  localparam logic [Slots-1:0] Evens = {Lanes{2'b01}};

  // One bit a slot
  logic [Slots-1:0] valid_q;                      // holds a job
  logic [Slots-1:0] active_q;                     // the one of the two that its lane works on
  logic [Slots-1:0] fresh_q;                      // its lane has not loaded it yet
  logic [Slots-1:0] tag_q;
  logic [Slots-1:0] need_q;                       // words are left to fetch
  logic [Slots-1:0] next_q;                       // bank of the next one
  logic [Slots-1:0] side_q;                       // bank of the word being decoded
  logic [Slots-1:0] full0_q, full1_q;             // word of the bank is here
  logic [Slots-1:0] fly0_q, fly1_q;               // was granted the cycle before

  // From the decoders: the active slot's job ends; its word is used up; BAD_STREAM
  logic [Slots-1:0] ends, leave, bad;
  logic [Slots-1:0] here, there;                  // word being decoded, the word after it
  logic [Slots-1:0] turn;                         // both slots of the lanes whose job ends
  logic [Slots-1:0] load;                         // the lane loads this slot

  assign here  = valid_q & active_q & ((side_q & full1_q) | (~side_q & full0_q));
  assign there = (side_q & full0_q) | (~side_q & full1_q);
  assign turn  = ends | ((ends & Evens) << 1) | ((ends >> 1) & Evens);
  assign load  = (turn & valid_q & ~active_q) | (~turn & fresh_q & active_q);

  // Dispatch: a job goes to an idle lane, else beside a job whose words are all fetched. Earlier would
  // leave jobs waiting behind long ones at the end of a MAC.

  logic [Slots-1:0] idle, late, to0, to1, want1;
  logic [Sw-1:0]    d0, d1;

  assign idle  = active_q & ~valid_q;
  assign late  = valid_q & active_q & ~need_q;
  assign want1 = (idle | ((((late & Evens) << 1) | ((late >> 1) & Evens)) & ~valid_q)) & ~to0;

  always_comb begin
    to0 = (idle != '0) ? idle : (((late & Evens) << 1) | ((late >> 1) & Evens)) & ~valid_q;
    to0 = to0 & (~to0 + 1'b1);
    to1 = want1 & (~want1 + 1'b1);
  end

  assign job_pop_o[0] = job_valid_i[0] && to0 != '0;
  assign job_pop_o[1] = job_valid_i[1] && to1 != '0;

  // Weight banks: words of active slots go before those that are fetched ahead; slots take turns.

  logic [Slots-1:0] grant0, grant1, turn0_q, turn1_q;
  logic [Sw-1:0]    g0, g1, f0_q, f1_q;
  logic             any0, any1;
  logic [127:0]     word0, word1;
  logic [1:0]       written, fly_tag_q;

  always_comb begin
    logic [Slots-1:0] r0, r1, u0, u1;
    r0 = valid_q & need_q & ~next_q & ~full0_q & ~fly0_q;
    r1 = valid_q & need_q & next_q & ~full1_q & ~fly1_q;
    any0 = r0 != '0;
    any1 = r1 != '0;
    if ((r0 & active_q) != '0) r0 = r0 & active_q;
    if ((r1 & active_q) != '0) r1 = r1 & active_q;
    u0 = r0 & turn0_q;
    u1 = r1 & turn1_q;
    if (u0 != '0) r0 = u0;
    if (u1 != '0) r1 = u1;
    grant0 = r0 & (~r0 + 1'b1);
    grant1 = r1 & (~r1 + 1'b1);
  end

  for (genvar k = 0; k < Sw; k++) begin : gen_index
    // slots whose number has bit k
    localparam logic [Slots-1:0] Mask = {(Slots >> (k + 1)){{(1 << k){1'b1}}, {(1 << k){1'b0}}}};
    assign d0[k] = |(to0 & Mask);
    assign d1[k] = |(to1 & Mask);
    assign g0[k] = |(grant0 & Mask);
    assign g1[k] = |(grant1 & Mask);
  end

  // Job slots

  logic [Wa-1:0]  fetch [0:Slots-1];              // next word
  logic [Wa-1:0]  final_word [0:Slots-1];
  logic [4:0]     first [0:Slots-1];              // first byte, in the two words
  logic [11:0]    len [0:Slots-1];
  logic [15:0]    act [0:Slots-1];
  logic [127:0]   stream [0:2*Slots-1];           // slot, bank

  logic [Wa-1:0]  fetch0, fetch1;
  logic [Jw-1:0]  job0, job1;
  logic [Ba-1:0]  start0, start1;
  logic [Wa-1:0]  end0, end1;

  assign fetch0 = fetch[g0];
  assign fetch1 = fetch[g1];
  assign job0   = job_i[Jw-1:0];
  assign job1   = job_i[2*Jw-1:Jw];
  assign start0 = job0[Jw-1:29];
  assign start1 = job1[Jw-1:29];
  // the checks before the queue keep the last byte inside the buffer
  assign end0   = Wa'((start0 + (cfg_wide_i[job0[0]] ? Ba'({job0[28:17], 1'b0}) : Ba'(job0[28:17])) -
                       1'b1) >> 4);
  assign end1   = Wa'((start1 + (cfg_wide_i[job1[0]] ? Ba'({job1[28:17], 1'b0}) : Ba'(job1[28:17])) -
                       1'b1) >> 4);

  always_ff @(posedge clk_i) begin
    if (job_pop_o[0]) begin
      fetch[d0]      <= start0[Ba-1:4];
      final_word[d0] <= end0;
      first[d0]      <= start0[4:0];
      len[d0]        <= job0[28:17];
      act[d0]        <= job0[16:1];
    end
    if (job_pop_o[1]) begin
      fetch[d1]      <= start1[Ba-1:4];
      final_word[d1] <= end1;
      first[d1]      <= start1[4:0];
      len[d1]        <= job1[28:17];
      act[d1]        <= job1[16:1];
    end
    if (any0) begin
      fetch[g0] <= fetch0 + 1'b1;
    end
    if (any1) begin
      fetch[g1] <= fetch1 + 1'b1;
    end
    if (fly0_q != '0) begin
      stream[{f0_q, 1'b0}] <= word0;
    end
    if (fly1_q != '0) begin
      stream[{f1_q, 1'b1}] <= word1;
    end
  end

  logic [Slots-1:0] in0, in1, put, last;

  assign in0  = job_pop_o[0] ? to0 : '0;
  assign in1  = job_pop_o[1] ? to1 : '0;
  assign put  = in0 | in1;
  assign last = ((fetch0 == final_word[g0]) ? grant0 : '0) | ((fetch1 == final_word[g1]) ? grant1 : '0);

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      valid_q  <= '0;
      active_q <= Evens;
      fresh_q  <= '0;
      full0_q  <= '0;
      full1_q  <= '0;
      fly0_q   <= '0;
      fly1_q   <= '0;
      turn0_q  <= '0;
      turn1_q  <= '0;
    end else if (flush_i) begin
      valid_q  <= '0;
      active_q <= Evens;
      fresh_q  <= '0;
      full0_q  <= '0;
      full1_q  <= '0;
      fly0_q   <= '0;
      fly1_q   <= '0;
    end else begin
      valid_q  <= (valid_q & ~ends) | put;
      active_q <= clear_i ? Evens : active_q ^ turn;
      fresh_q  <= (fresh_q & ~load) | put;
      full0_q  <= (full0_q | fly0_q) & ~ends & ~(leave & ~side_q);
      full1_q  <= (full1_q | fly1_q) & ~ends & ~(leave & side_q);
      fly0_q   <= grant0;
      fly1_q   <= grant1;
      // cleared with the accumulators, or a job's timing tells of the one before it
      if (clear_i) begin
        turn0_q <= '0;
        turn1_q <= '0;
      end else begin
        if (any0) turn0_q <= ~(grant0 | (grant0 - 1'b1));
        if (any1) turn1_q <= ~(grant1 | (grant1 - 1'b1));
      end
    end
  end

  always_ff @(posedge clk_i) begin
    tag_q  <= (tag_q & ~put) | (job0[0] ? in0 : '0) | (job1[0] ? in1 : '0);
    need_q <= (need_q & ~last) | put;
    next_q <= ((next_q ^ (grant0 | grant1)) & ~put) | (start0[4] ? in0 : '0) | (start1[4] ? in1 : '0);
    side_q <= ((side_q ^ leave) & ~put) | (start0[4] ? in0 : '0) | (start1[4] ? in1 : '0);
    f0_q   <= g0;
    f1_q   <= g1;
    fly_tag_q <= {(grant1 & tag_q) != '0, (grant0 & tag_q) != '0};
  end

  eie_tagram #(
    .Depth (WbufDepth / 2)
  ) u_even (
    .clk_i, .epoch_i, .scrub_i,
    .scrub_addr_i,
    .we_i         (wbuf_we_i && !wbuf_addr_i[0]),
    .waddr_i      (wbuf_addr_i[Wa-1:1]),
    .wdata_i      (buf_data_i),
    .re_i         (any0),
    .raddr_i      (fetch0[Wa-1:1]),
    .rdata_o      (word0),
    .written_o    (written[0])
  );

  eie_tagram #(
    .Depth (WbufDepth / 2)
  ) u_odd (
    .clk_i, .epoch_i, .scrub_i,
    .scrub_addr_i,
    .we_i         (wbuf_we_i && wbuf_addr_i[0]),
    .waddr_i      (wbuf_addr_i[Wa-1:1]),
    .wdata_i      (buf_data_i),
    .re_i         (any1),
    .raddr_i      (fetch1[Wa-1:1]),
    .rdata_o      (word1),
    .written_o    (written[1])
  );

  // Valid bits of the multiply and accumulate pipelines

  logic [Lanes-1:0] fire, s1_valid_q, s2_valid_q, s3_valid_q;

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

  assign macs_o      = 5'($countones(s1_valid_q));
  assign busy_o      = {(valid_q & tag_q) != '0, (valid_q & ~tag_q) != '0};
  assign unwritten_o = {(fly0_q != '0 && !written[0] && fly_tag_q[0]) ||
                        (fly1_q != '0 && !written[1] && fly_tag_q[1]),
                        (fly0_q != '0 && !written[0] && !fly_tag_q[0]) ||
                        (fly1_q != '0 && !written[1] && !fly_tag_q[1])};
  assign bad_stream_o = {(bad & tag_q) != '0, (bad & ~tag_q) != '0};

  // Drain

  logic          d1_valid_q, d1_half_q;
  logic [Ww-1:0] d1_word_q;
  logic [1:0]    dr_re, zero;

  assign dr_re = {dr_re_i && dr_half_i, dr_re_i && !dr_half_i};
  assign zero  = clear_i ? 2'b11 : {d1_valid_q && d1_half_q, d1_valid_q && !d1_half_q};

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

  for (genvar l = 0; l < Lanes; l++) begin : gen_lane
    // the running job
    logic          wide_q, half_q;
    logic [4:0]    cb_q, pos_q;
    logic [11:0]   rem_q;                         // entries left
    logic [15:0]   act_q;
    logic [Rw-1:0] row_q;                         // row after the last one; Rows: beyond

    // An entry, or an escape and the entry after it
    logic          sel, avail, esc, pair, done, out, over;
    logic [15:0]   unit0, unit1;
    logic [7:0]    code, skip;
    logic [Cw-1:0] row;
    logic [4:0]    pos;
    logic [11:0]   rem;
    logic [255:0]  rd0, rd1;

    assign sel = active_q[2*l+1];

    always_comb begin
      pos   = pos_q;
      avail = here[2*l +: 2] != '0;
      esc   = 1'b0;
      pair  = 1'b0;
      done  = 1'b0;
      out   = 1'b0;
      over  = 1'b0;
      code  = '0;
      skip  = '0;
      row   = '0;
      rem   = '0;
      unit0 = '0;
      unit1 = '0;
      if (avail) begin
        unit0 = stream[{Lw'(l), sel, pos_q[4]}][{pos_q[3:1], 4'b0} +: 16];
        if (!wide_q) begin
          unit0 = {4'b0, pos_q[0] ? unit0[15:12] : unit0[7:4], 4'b0, pos_q[0] ? unit0[11:8] : unit0[3:0]};
        end
        code = unit0[7:0];
        skip = unit0[15:8];
        esc  = code == '0;
        row  = Cw'(row_q) + Cw'(skip);
        rem  = rem_q - 12'd1;
        pos  = pos_q + (wide_q ? 5'd2 : 5'd1);
        if (esc) begin
          unit1 = stream[{Lw'(l), sel, pos[4]}][{pos[3:1], 4'b0} +: 16];
          if (!wide_q) begin
            unit1 = {4'b0, pos[0] ? unit1[15:12] : unit1[7:4], 4'b0, pos[0] ? unit1[11:8] : unit1[3:0]};
          end
          code = unit1[7:0];
          pair = code != '0 && rem != '0 && (pos[4] == pos_q[4] || there[{Lw'(l), sel}]);
          row  = Cw'(row_q) + (wide_q ? (Cw'(skip) + 1'b1) * Cw'(eie_pkg::WideSpan) :
                                        (Cw'(skip) + 1'b1) * Cw'(eie_pkg::NarrowSpan));
          if (pair) begin
            row = row + Cw'(unit1[15:8]);
            rem = rem - 12'd1;
            pos = pos + (wide_q ? 5'd2 : 5'd1);
          end
        end
        done = rem == '0;
        out  = pos[4] != pos_q[4];
        over = row >= Cw'(Rows);
      end
    end

    assign fire[l]         = avail && !over && (!esc || pair);
    assign ends[2*l +: 2]  = done ? active_q[2*l +: 2] : 2'b00;
    assign leave[2*l +: 2] = out ? active_q[2*l +: 2] : 2'b00;
    assign bad[2*l +: 2]   = (avail && (esc && !pair ? done : over)) ? active_q[2*l +: 2] : 2'b00;

    always_ff @(posedge clk_i) begin
      if (load[2*l +: 2] != '0) begin
        wide_q <= cfg_wide_i[tag_q[{Lw'(l), load[2*l+1]}]];
        half_q <= cfg_half_i[tag_q[{Lw'(l), load[2*l+1]}]];
        cb_q   <= tag_q[{Lw'(l), load[2*l+1]}] ? cfg_cb_i[9:5] : cfg_cb_i[4:0];
        pos_q  <= first[{Lw'(l), load[2*l+1]}];
        rem_q  <= len[{Lw'(l), load[2*l+1]}];
        act_q  <= act[{Lw'(l), load[2*l+1]}];
        row_q  <= '0;
      end else if (avail) begin
        pos_q  <= pos;
        rem_q  <= rem;
        row_q  <= over ? Rw'(Rows) : (esc && !pair) ? Rw'(row) : Rw'(row) + 1'b1;
      end
    end

    eie_lane #(
      .Rows (Rows)
    ) u_lane (
      .clk_i,
      .valid_i     (fire[l]),
      .code_i      ({cb_q, 4'b0} | {1'b0, code}),
      .row_i       ({half_q, row[Ww+2:0]}),
      .act_i       (act_q),
      .s1_valid_i  (s1_valid_q[l]),
      .s2_valid_i  (s2_valid_q[l]),
      .s3_valid_i  (s3_valid_q[l]),
      .cb_we_i     (cbuf_we_i),
      .cb_addr_i   (cbuf_addr_i),
      .cb_data_i   (buf_data_i),
      .dr_re_i     (dr_re),
      .dr_word_i,
      .rd0_o       (rd0),
      .rd1_o       (rd1),
      .zero_i      (zero),
      .zero_word_i (clear_i ? clear_word_i : d1_word_q)
    );
  end

  for (genvar g = 0; g < Groups; g++) begin : gen_part
    for (genvar i = 0; i < 8; i++) begin : gen_row
      if (Lanes >= 4) begin : gen_four
        always_ff @(posedge clk_i) begin
          if (d1_valid_q && d1_half_q) begin
            part_o[256*g + 32*i +: 32] <=
              gen_lane[4*g].rd1[32*i +: 32] + gen_lane[4*g+1].rd1[32*i +: 32] +
              gen_lane[4*g+2].rd1[32*i +: 32] + gen_lane[4*g+3].rd1[32*i +: 32];
          end else if (d1_valid_q) begin
            part_o[256*g + 32*i +: 32] <=
              gen_lane[4*g].rd0[32*i +: 32] + gen_lane[4*g+1].rd0[32*i +: 32] +
              gen_lane[4*g+2].rd0[32*i +: 32] + gen_lane[4*g+3].rd0[32*i +: 32];
          end
        end
      end else begin : gen_two
        always_ff @(posedge clk_i) begin
          if (d1_valid_q) begin
            part_o[32*i +: 32] <= d1_half_q ?
              gen_lane[0].rd1[32*i +: 32] + gen_lane[1].rd1[32*i +: 32] :
              gen_lane[0].rd0[32*i +: 32] + gen_lane[1].rd0[32*i +: 32];
          end
        end
      end
    end
  end

  // Assertions

`ifndef SYNTHESIS
  assert property (@(posedge clk_i) disable iff (!rst_ni)
    (active_q & Evens) == (~(active_q >> 1) & Evens));
  assert property (@(posedge clk_i) disable iff (!rst_ni)
    (valid_q & ~active_q & ~((idle << 1) | (idle >> 1))) == (valid_q & ~active_q) || idle != '0);
  assert property (@(posedge clk_i) disable iff (!rst_ni) (fly0_q & ~valid_q) == '0 && (fly1_q & ~valid_q) == '0);
  assert property (@(posedge clk_i) disable iff (!rst_ni) (put & valid_q) == '0);
`endif

endmodule
