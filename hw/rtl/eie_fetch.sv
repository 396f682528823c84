// SPDX-License-Identifier: GPL-2.0 OR MIT
//
// Brings jobs and weights to the lanes of a cluster: dispatch, the two weight banks and who may read them.
//
// A lane has two job slots and works on the active one; the other waits with its first words prefetched,
// and the lane goes over to it without a lost cycle. A slot holds two 128-bit words of its weight stream,
// one from the bank of even words, one from the bank of odd words. What is one bit a slot is a vector over
// all slots, slot s of lane l at s * Lanes + l: dispatch and arbitration are then a few operations for all
// lanes, in gates as in simulation.
//
// Of lanes that have queues of their own (a VMAC with SPLIT) an even and an odd one a cycle take a job into a free
// slot, in turn: no more words than that come for them either.
//
// The first word of a job is asked for in the cycle after it was put into a slot; that of a VMAC's at once, if no
// slot wants the bank: jobs of one entry are then decoded one a cycle, for two slots and two cycles.

module eie_fetch #(
  parameter int unsigned Lanes = 2,
  parameter int unsigned WbufDepth = 1024,
  parameter bit          Vector = 1'b0,
  localparam int unsigned Wa = $clog2(WbufDepth),
  localparam int unsigned Jw = Wa + 4 + 12 + 16 + 1,     // job: first byte, entries, activation, tag
  localparam int unsigned Ow = Wa + 4 + 12 + 1,          // job of a lane's own queue
  localparam int unsigned Lw = $clog2(Lanes),
  localparam int unsigned Sw = Lw + 1,
  localparam int unsigned Slots = 2 * Lanes
) (
  input  logic             clk_i,
  input  logic             clk_buf_i,       // of writes to the banks, may rest between them
  input  logic             rst_ni,
  input  logic             flush_i,
  input  logic             clear_i,         // start of a job of the queue: forget whose turn it is

  input  logic [7:0]       epoch_i,
  input  logic             scrub_i,
  input  logic [Wa-2:0]    scrub_addr_i,    // pair of words
  input  logic             wbuf_we_i,
  input  logic [Wa-1:0]    wbuf_addr_i,
  input  logic [127:0]     wbuf_data_i,
  input  logic [1:0]       cfg_wide_i,      // by tag
  input  logic [1:0]       cfg_vec_i,       // jobs of a VMAC: lane 0 decodes for all

  // the two oldest jobs
  input  logic [1:0]       job_valid_i,
  // verilator lint_off UNUSEDSIGNAL
  input  logic [Jw-1:0]    job0_i,          // activation and entries go to the lane directly
  input  logic [Jw-1:0]    job1_i,
  // verilator lint_on UNUSEDSIGNAL
  output logic [1:0]       job_put_o,
  output logic [Lw-1:0]    job_lane0_o,     // the lanes that get them
  output logic [Lw-1:0]    job_lane1_o,
  // SPLIT: lanes that have jobs in their queues, and of those that get one: first byte, entries, tag
  input  logic [Lanes-1:0] own_valid_i,
  input  logic [Ow-1:0]    own0_i,
  input  logic [Ow-1:0]    own1_i,
  output logic             own_o,           // one has, and then those of job_valid_i wait
  output logic [Lw-1:0]    own_lane0_o,
  output logic [Lw-1:0]    own_lane1_o,
  output logic [Lanes-1:0] own_pop_o,

  // Lanes, a bit a slot, of slots that are in use: the slot is, tag of its job, bank of its word, the word
  // and the other one are here, a job came that the lane has not loaded. next_o: a job waits there.
  output logic [Slots-1:0] active_o,
  output logic [Slots-1:0] tag_o,
  output logic [Slots-1:0] side_o,
  output logic [Slots-1:0] here_o,
  output logic [Slots-1:0] there_o,
  output logic [Slots-1:0] fresh_o,
  output logic [Slots-1:0] next_o,
  // both bits of a lane
  input  logic [Slots-1:0] ends_i,          // its job ends
  input  logic [Slots-1:0] leave_i,         // it has used up the word

  // words for the slots: even bank, odd bank
  output logic             fill0_o,
  output logic             fill1_o,
  output logic [Sw-1:0]    fill0_slot_o,
  output logic [Sw-1:0]    fill1_slot_o,
  output logic [127:0]     word0_o,
  output logic [127:0]     word1_o,

  output logic [1:0]       busy_o,          // jobs of the tag are here
  output logic [1:0]       unwritten_o      // fault, by tag
);

  localparam int unsigned Ba = Wa + 4;
  localparam logic [Slots-1:0] Evens = {Lanes{2'b01}};            // slots of even lanes
  localparam logic [Slots-1:0] Firsts = {{Lanes{1'b0}}, {Lanes{1'b1}}};
  localparam logic [Slots-1:0] Leader = {2{Lanes'(1)}};          // both slots of lane 0

  logic [Slots-1:0] valid_q;                      // holds a job
  logic [Slots-1:0] active_q;                     // the one of the two that its lane works on
  logic [Slots-1:0] fresh_q;                      // its lane has not loaded it yet
  logic [Slots-1:0] tag_q;
  logic [Slots-1:0] need_q;                       // words are left to fetch
  logic [Slots-1:0] next_q;                       // bank of the next one
  logic [Slots-1:0] side_q;                       // bank of the word being decoded
  logic [Slots-1:0] full0_q, full1_q;             // word of the bank is here
  logic [Slots-1:0] fly0_q, fly1_q;               // was granted the cycle before

  // What the lanes see

  logic [Slots-1:0] ends, leave, load;

  assign active_o = active_q;
  assign tag_o    = active_q & tag_q;
  assign side_o   = active_q & side_q;
  assign here_o   = active_q & valid_q & ((side_q & full1_q) | (~side_q & full0_q));
  assign there_o  = active_q & ((side_q & full0_q) | (~side_q & full1_q));
  assign fresh_o  = active_q & fresh_q;
  assign next_o   = ~active_q & valid_q;

  assign ends     = ends_i & active_q;
  assign leave    = leave_i & active_q;
  assign load     = (ends_i & next_o) | (~ends_i & fresh_o);

  // Dispatch: a job goes to an idle lane, else beside a job whose words are all fetched. Earlier would
  // leave jobs waiting behind long ones at the end of a MAC. A VMAC's have no other lane to go to: its
  // jobs go beside any other.

  logic [Slots-1:0] idle, late, ready, again, beside, to0, to1, in0, in1, put, able;
  logic             vec, own;

  assign vec    = Vector && cfg_vec_i[job0_i[0]];
  assign able   = {Slots{!vec}} | Leader;
  assign idle   = active_q & ~valid_q & able;
  assign late   = active_q & valid_q & (~need_q | {Slots{vec}}) & able;
  assign beside = ({late[Lanes-1:0], late[Slots-1:Lanes]} & ~valid_q) | again;

  // a slot whose job ends now, and the one that its lane goes over to has all its words, or is a VMAC's
  assign again  = ends & {ready[Lanes-1:0], ready[Slots-1:Lanes]} & able;
  assign ready  = next_o & (~need_q | {Slots{vec}});

  // SPLIT: the active slot of a lane if it is free, else the other one. One whose job ends now is free in the
  // next cycle only, or the decoders would be in the way to the word that is fetched. Nothing of it is shared
  // with the choice for other jobs, or synthesis sees a way from the decoders by both.
  assign own    = Vector && own_valid_i != '0;

  logic [Slots-1:0] turn_q, pick0, pick1;

  always_comb begin
    logic [Slots-1:0] free, even, odd;
    {free, even, odd, pick0, pick1, own_pop_o} = '0;
    if (own) begin
      // the slot holds no job, and is the active one or the other one holds one
      free  = {2{own_valid_i}} & ~valid_q & (active_q | {valid_q[Lanes-1:0], valid_q[Slots-1:Lanes]});
      even  = free & Evens;
      odd   = free & ~Evens;
      even  = ((even & turn_q) != '0) ? even & turn_q : even;
      odd   = ((odd & turn_q) != '0) ? odd & turn_q : odd;
      pick0 = even & (~even + 1'b1);
      pick1 = odd & (~odd + 1'b1);
      own_pop_o = pick0[Lanes-1:0] | pick0[Slots-1:Lanes] | pick1[Lanes-1:0] | pick1[Slots-1:Lanes];
    end
  end

  // in most cycles nobody is free
  always_comb begin
    logic [Slots-1:0] first, rest;
    {first, rest} = '0;
    {to0, to1, in0, in1} = '0;
    if (own) begin
      {to0, to1, in0, in1} = {pick0, pick1, pick0, pick1};
    end else if ((idle | beside) != '0) begin
      first = (idle != '0) ? idle : beside;
      to0   = first & (~first + 1'b1);
      rest  = (idle | beside) & ~to0;
      to1   = rest & (~rest + 1'b1);
      in0   = job_valid_i[0] ? to0 : '0;
      in1   = (job_valid_i[1] && !vec) ? to1 : '0;
    end
  end

  assign own_o     = own;
  assign put       = in0 | in1;
  assign job_put_o = {in1 != '0, in0 != '0};

  // Weight banks: words of active slots go before those that are fetched ahead; slots take turns.

  logic [Slots-1:0] req0, req1, now0, now1, up0, up1, grant0, grant1, turn0_q, turn1_q;
  logic             any0, any1;

  assign req0   = valid_q & need_q & ~next_q & ~full0_q & ~fly0_q;
  assign req1   = valid_q & need_q & next_q & ~full1_q & ~fly1_q;
  assign any0   = req0 != '0;
  assign any1   = req1 != '0;
  assign now0   = ((req0 & active_q) != '0) ? req0 & active_q : req0;
  assign now1   = ((req1 & active_q) != '0) ? req1 & active_q : req1;
  assign up0    = ((now0 & turn0_q) != '0) ? now0 & turn0_q : now0;
  assign up1    = ((now1 & turn1_q) != '0) ? now1 & turn1_q : now1;
  assign grant0 = up0 & (~up0 + 1'b1);
  assign grant1 = up1 & (~up1 + 1'b1);

  // Numbers of the chosen slots

  logic [Sw-1:0] d0, d1, g0, g1;

  for (genvar k = 0; k < Sw; k++) begin : gen_number
    // slots whose number has bit k
    localparam logic [Slots-1:0] Mask = {(Slots >> (k + 1)){{(1 << k){1'b1}}, {(1 << k){1'b0}}}};
    assign d0[k] = |(to0 & Mask);
    assign d1[k] = |(to1 & Mask);
    assign g0[k] = |(grant0 & Mask);
    assign g1[k] = |(grant1 & Mask);
    if (k < Lw) begin : gen_own
      always_comb begin
        {own_lane0_o[k], own_lane1_o[k]} = '0;
        if (own) begin
          {own_lane0_o[k], own_lane1_o[k]} = {|(pick0 & Mask), |(pick1 & Mask)};
        end
      end
    end
  end

  assign job_lane0_o = d0[Lw-1:0];
  assign job_lane1_o = d1[Lw-1:0];

  // Which words

  logic [Wa-1:0] fetch [0:Slots-1];               // next word
  logic [Wa-1:0] final_word [0:Slots-1];
  logic [Wa-1:0] fetch0, fetch1, end0, end1;
  logic [Ba-1:0] start0, start1, bytes0, bytes1;
  logic [11:0]   entries0, entries1;
  logic          tag0, tag1;

  assign fetch0 = fetch[g0];
  assign fetch1 = fetch[g1];
  always_comb begin
    {start0, entries0, tag0} = {job0_i[Jw-1:17], job0_i[0]};
    {start1, entries1, tag1} = {job1_i[Jw-1:17], job1_i[0]};
    if (own) begin
      {start0, entries0, tag0} = own0_i;
      {start1, entries1, tag1} = own1_i;
    end
  end

  // Who reads which row of the banks: slots that ask, and jobs of a VMAC that are put, if nobody asks for the bank
  // of their first word. Which row that would be does not depend on a slot that is free for it, or decoders would be
  // in the way to the bank.
  logic             hasty;
  logic [1:0]       read;
  logic [Wa-2:0]    row0, row1;
  logic [Sw-1:0]    slot0, slot1;
  logic [Slots-1:0] early0, early1, only;        // slots that jobs are put into; of those that have one word
  logic [1:0]       at_once;                     // by job

  assign hasty = own || vec;

  always_comb begin
    logic [Ba-1:0]    start;
    logic [Slots-1:0] slot;
    logic [12:0]      bytes;
    {start, slot, bytes, at_once, only, slot0, slot1, early0, early1} = '0;
    read = {any1, any0};
    row0 = fetch0[Wa-1:1];
    row1 = fetch1[Wa-1:1];
    if (hasty) begin
      for (int unsigned j = 0; j < 2; j++) begin
        start = (j == 0) ? start0 : start1;
        slot  = (j == 0) ? in0 : in1;
        bytes = cfg_wide_i[(j == 0) ? tag0 : tag1] ? {(j == 0) ? entries0 : entries1, 1'b0} :
                                                     {1'b0, (j == 0) ? entries0 : entries1};
        at_once[j] = !read[start[4]] && (own ? ((j == 0) ? pick0 : pick1) != '0 : j == 0 && job_valid_i[0]);
        if (at_once[j]) begin
          read[start[4]] = 1'b1;
          only = only | ((14'(start[3:0]) + 14'(bytes) <= 14'd16) ? slot : '0);
          if (start[4]) begin
            {row1, slot1, early1} = {start[Ba-1:5], (j == 0) ? d0 : d1, slot};
          end else begin
            {row0, slot0, early0} = {start[Ba-1:5], (j == 0) ? d0 : d1, slot};
          end
        end
      end
    end
  end

  logic [Slots-1:0] last;

  assign last = ((fetch0 == final_word[g0]) ? grant0 : '0) | ((fetch1 == final_word[g1]) ? grant1 : '0);

  // the checks before the queue keep the last byte inside the buffer
  assign bytes0 = cfg_wide_i[tag0] ? Ba'({entries0, 1'b0}) : Ba'(entries0);
  assign bytes1 = cfg_wide_i[tag1] ? Ba'({entries1, 1'b0}) : Ba'(entries1);
  assign end0   = Wa'((start0 + bytes0 - 1'b1) >> 4);
  assign end1   = Wa'((start1 + bytes1 - 1'b1) >> 4);

  always_ff @(posedge clk_i) begin
    if (job_put_o[0]) begin
      fetch[d0]      <= start0[Ba-1:4] + Wa'(at_once[0]);
      final_word[d0] <= end0;
    end
    if (job_put_o[1]) begin
      fetch[d1]      <= start1[Ba-1:4] + Wa'(at_once[1]);
      final_word[d1] <= end1;
    end
    if (any0) begin
      fetch[g0] <= fetch0 + 1'b1;
    end
    if (any1) begin
      fetch[g1] <= fetch1 + 1'b1;
    end
  end

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      valid_q  <= '0;
      active_q <= Firsts;
      fresh_q  <= '0;
      full0_q  <= '0;
      full1_q  <= '0;
      fly0_q   <= '0;
      fly1_q   <= '0;
      turn0_q  <= '0;
      turn1_q  <= '0;
      turn_q   <= '0;
    end else if (flush_i) begin
      valid_q  <= '0;
      active_q <= Firsts;
      fresh_q  <= '0;
      full0_q  <= '0;
      full1_q  <= '0;
      fly0_q   <= '0;
      fly1_q   <= '0;
    end else begin
      valid_q  <= (valid_q & ~ends) | put;
      active_q <= clear_i ? Firsts : active_q ^ ends_i;
      fresh_q  <= (fresh_q & ~load) | put;
      full0_q  <= (full0_q | fly0_q) & ~ends & ~(leave & ~side_q);
      full1_q  <= (full1_q | fly1_q) & ~ends & ~(leave & side_q);
      fly0_q   <= grant0;
      fly1_q   <= grant1;
      if (hasty) begin
        fly0_q <= grant0 | early0;
        fly1_q <= grant1 | early1;
      end
      // cleared with the accumulators, or a job's timing tells of the one before it
      if (clear_i) begin
        turn0_q <= '0;
        turn1_q <= '0;
        turn_q  <= '0;
      end else begin
        if (any0) turn0_q <= ~(grant0 | (grant0 - 1'b1));
        if (any1) turn1_q <= ~(grant1 | (grant1 - 1'b1));
        if (own) begin
          turn_q <= (((pick0 != '0) ? ~(pick0 | (pick0 - 1'b1)) : turn_q) & Evens) |
                    (((pick1 != '0) ? ~(pick1 | (pick1 - 1'b1)) : turn_q) & ~Evens);
        end
      end
    end
  end

  always_ff @(posedge clk_i) begin
    tag_q  <= (tag_q & ~put) | (tag0 ? in0 : '0) | (tag1 ? in1 : '0);
    need_q <= (need_q & ~last) | put;
    next_q <= ((next_q ^ (grant0 | grant1)) & ~put) | (start0[4] ? in0 : '0) | (start1[4] ? in1 : '0);
    side_q <= ((side_q ^ leave) & ~put) | (start0[4] ? in0 : '0) | (start1[4] ? in1 : '0);
    fill0_slot_o <= g0;
    fill1_slot_o <= g1;
    if (hasty) begin
      need_q <= (need_q & ~(last | only)) | (put & ~only);
      next_q <= ((next_q ^ (grant0 | grant1)) & ~put) | ((start0[4] ^ at_once[0]) ? in0 : '0) |
                ((start1[4] ^ at_once[1]) ? in1 : '0);
      fill0_slot_o <= any0 ? g0 : slot0;
      fill1_slot_o <= any1 ? g1 : slot1;
    end
  end

  logic [1:0]       written;
  logic [Slots-1:0] lost;

  assign fill0_o = fly0_q != '0;
  assign fill1_o = fly1_q != '0;

  eie_tagram #(
    .Depth (WbufDepth / 2)
  ) u_even (
    .clk_i,
    .wclk_i       (clk_buf_i),
    .epoch_i, .scrub_i,
    .scrub_addr_i,
    .we_i         (wbuf_we_i && !wbuf_addr_i[0]),
    .waddr_i      (wbuf_addr_i[Wa-1:1]),
    .wdata_i      (wbuf_data_i),
    .re_i         (read[0]),
    .raddr_i      (row0),
    .rdata_o      (word0_o),
    .written_o    (written[0])
  );

  eie_tagram #(
    .Depth (WbufDepth / 2)
  ) u_odd (
    .clk_i,
    .wclk_i       (clk_buf_i),
    .epoch_i, .scrub_i,
    .scrub_addr_i,
    .we_i         (wbuf_we_i && wbuf_addr_i[0]),
    .waddr_i      (wbuf_addr_i[Wa-1:1]),
    .wdata_i      (wbuf_data_i),
    .re_i         (read[1]),
    .raddr_i      (row1),
    .rdata_o      (word1_o),
    .written_o    (written[1])
  );

  assign lost        = (written[0] ? '0 : fly0_q) | (written[1] ? '0 : fly1_q);
  assign busy_o      = {(valid_q & tag_q) != '0, (valid_q & ~tag_q) != '0};
  assign unwritten_o = {(lost & tag_q) != '0, (lost & ~tag_q) != '0};

  // Assertions

`ifndef SYNTHESIS
  assert property (@(posedge clk_i) disable iff (!rst_ni)
    active_q[Slots-1:Lanes] == ~active_q[Lanes-1:0]);
  assert property (@(posedge clk_i) disable iff (!rst_ni)
    (next_o & {idle[Lanes-1:0], idle[Slots-1:Lanes]}) == '0);
  assert property (@(posedge clk_i) disable iff (!rst_ni) (fly0_q & ~valid_q) == '0 && (fly1_q & ~valid_q) == '0);
  assert property (@(posedge clk_i) disable iff (!rst_ni) (put & valid_q & ~ends) == '0);
  assert property (@(posedge clk_i) disable iff (!rst_ni) own |-> !job_valid_i[0]);
`endif

endmodule
