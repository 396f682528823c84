// SPDX-License-Identifier: GPL-2.0 OR MIT
//
// One lane: fetches and decodes the weight stream of one column job at a time (this file), multiplies and
// accumulates (eie_acc).
//
// The stream passes through two 128-bit slots; a word goes to the slot of its address bit 0, which is
// also the number of its memory bank. The next job waits beside the current one with its first word
// prefetched, and takes over without a lost cycle. A bank answers the cycle after its grant, so what is
// in flight is what was granted the cycle before.

module eie_lane #(
  parameter int unsigned Rows = 64,
  parameter int unsigned WbufDepth = 1024,
  localparam int unsigned Wa = $clog2(WbufDepth),
  localparam int unsigned Words = Rows / 8,
  localparam int unsigned Ww = (Words > 1) ? $clog2(Words) : 1
) (
  input  logic            clk_i,
  input  logic            rst_ni,
  input  logic            flush_i,

  // settings of the two MAC commands in flight, by tag
  input  logic [1:0]      cfg_half_i,
  input  logic [1:0]      cfg_wide_i,
  input  logic [9:0]      cfg_cb_i,       // codebook, in units of 16 entries

  // next job
  output logic            job_ready_o,
  input  logic            job_valid_i,
  input  logic [Wa+3:0]   job_addr_i,     // first byte
  input  logic [11:0]     job_len_i,      // entries, at least 1
  input  logic [15:0]     job_act_i,
  input  logic            job_tag_i,

  // fetch: current job and next job ask apart; bit b is for bank b
  output logic [1:0]      creq_o,
  output logic [Wa-1:0]   caddr_o,
  input  logic            cgnt_i,
  output logic [1:0]      nreq_o,
  output logic [Wa-1:0]   naddr_o,
  input  logic            ngnt_i,
  input  logic [127:0]    word0_i,
  input  logic [127:0]    word1_i,

  input  logic            cb_we_i,
  input  logic [5:0]      cb_addr_i,
  input  logic [127:0]    cb_data_i,

  input  logic            dr_re_i,
  input  logic            dr_half_i,
  input  logic [Ww-1:0]   dr_word_i,
  output logic [255:0]    rd0_o,
  output logic [255:0]    rd1_o,
  input  logic            clear_i,
  input  logic [Ww-1:0]   clear_word_i,

  output logic            mac_o,
  output logic [1:0]      busy_o,         // jobs of the tag are here
  output logic            ctag_o,
  output logic            ntag_o,
  output logic            bad_o           // BAD_STREAM in the current job
);

  // A job is taken early enough to prefetch, but not earlier: near the end of a MAC another lane may
  // have nothing to do.
  localparam int unsigned Ahead = 8;
  localparam int unsigned Rw = $clog2(Rows + 1);
  localparam int unsigned Sw = 18;         // row counter plus escape (2^16) plus skip

  // current job
  logic           cur_valid_q, cur_tag_q, cur_half_q, cur_wide_q;
  logic [4:0]     cur_cb_q;
  logic [15:0]    cur_act_q;
  logic [11:0]    rem_q;                  // entries left
  logic [4:0]     pos_q;                  // byte in the slots
  logic [Rw-1:0]  row_q;                  // row after the last one; Rows: beyond
  logic [255:0]   slot_q;
  logic [1:0]     full_q;
  logic [Wa-1:0]  fetch_q;                // next word to fetch
  logic [9:0]     left_q;                 // words left to fetch
  logic [1:0]     cfly_q;                 // in flight to the slots

  // next job
  logic           nxt_valid_q, nxt_tag_q;
  logic [Wa+3:0]  nxt_addr_q;
  logic [11:0]    nxt_len_q;
  logic [15:0]    nxt_act_q;
  logic           nxt_asked_q, nxt_fly_q;
  logic [127:0]   nxt_word_q;

  // Decode: an entry, or an escape and the entry after it.

  logic [15:0]    half0, half1, unit0, unit1;
  logic [7:0]     code0, code1, skip0, skip1, code, skip;
  logic           here, esc, there, pair, fire, last, leave, bad;
  logic [2:0]     bytes;
  logic [4:0]     pos_d;
  logic [Sw-1:0]  jump, row;

  assign half0 = slot_q[{pos_q[4:1], 4'b0} +: 16];
  assign half1 = slot_q[{4'(pos_q[4:1] + 4'd1), 4'b0} +: 16];
  assign unit0 = cur_wide_q ? half0 : {8'b0, pos_q[0] ? half0[15:8] : half0[7:0]};
  assign unit1 = cur_wide_q ? half1 : {8'b0, pos_q[0] ? half1[7:0] : half0[15:8]};
  assign code0 = cur_wide_q ? unit0[7:0] : {4'b0, unit0[3:0]};
  assign code1 = cur_wide_q ? unit1[7:0] : {4'b0, unit1[3:0]};
  assign skip0 = cur_wide_q ? unit0[15:8] : {4'b0, unit0[7:4]};
  assign skip1 = cur_wide_q ? unit1[15:8] : {4'b0, unit1[7:4]};

  assign here  = cur_valid_q && full_q[pos_q[4]];
  assign esc   = code0 == '0;
  assign there = full_q[~pos_q[4]] || !((&pos_q[3:1]) && (cur_wide_q || pos_q[0]));
  assign pair  = esc && there && code1 != '0 && rem_q != 12'd1;
  assign fire  = here && (!esc || pair);
  assign last  = here && rem_q == (pair ? 12'd2 : 12'd1);
  assign code  = pair ? code1 : code0;
  assign skip  = pair ? skip1 : skip0;
  assign jump  = !esc ? '0 :
                 cur_wide_q ? (Sw'(skip0) + Sw'(1)) * Sw'(eie_pkg::WideSpan) :
                              (Sw'(skip0) + Sw'(1)) * Sw'(eie_pkg::NarrowSpan);
  assign row   = Sw'(row_q) + jump + (fire ? Sw'(skip) : '0);
  assign bad   = here && ((fire && row >= Sw'(Rows)) || (!fire && rem_q == 12'd1));

  assign bytes = (cur_wide_q && pair) ? 3'd4 : (cur_wide_q || pair) ? 3'd2 : 3'd1;
  assign pos_d = pos_q + 5'(bytes);
  assign leave = here && pos_d[4] != pos_q[4];
  assign bad_o = bad;

  // Fetch. All words asked for belong to the job, so none is left over when it ends.

  logic        promote, nxt_wide, nxt_bank, asked;
  logic [3:0]  nxt_off;
  logic [12:0] nxt_bytes;
  logic [9:0]  nxt_words;

  assign creq_o  = (cur_valid_q && left_q != '0 && !full_q[fetch_q[0]] && !cfly_q[fetch_q[0]]) ?
                   {fetch_q[0], ~fetch_q[0]} : 2'b0;
  assign caddr_o = fetch_q;
  assign nreq_o  = (nxt_valid_q && !nxt_asked_q) ? {nxt_bank, ~nxt_bank} : 2'b0;
  assign naddr_o = nxt_addr_q[Wa+3:4];

  assign nxt_bank  = nxt_addr_q[4];
  assign nxt_off   = nxt_addr_q[3:0];
  assign nxt_wide  = cfg_wide_i[nxt_tag_q];
  assign nxt_bytes = nxt_wide ? {nxt_len_q, 1'b0} : {1'b0, nxt_len_q};
  assign nxt_words = 10'((14'(nxt_bytes) + 14'(nxt_off) + 14'd15) >> 4);
  assign asked     = nxt_asked_q || ngnt_i;
  assign promote   = nxt_valid_q && (!cur_valid_q || last);

  assign job_ready_o = !nxt_valid_q && (!cur_valid_q || rem_q <= 12'(Ahead));

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      cur_valid_q <= 1'b0;
      nxt_valid_q <= 1'b0;
      full_q      <= '0;
      cfly_q      <= '0;
      nxt_fly_q   <= 1'b0;
    end else if (flush_i) begin
      cur_valid_q <= 1'b0;
      nxt_valid_q <= 1'b0;
      full_q      <= '0;
      cfly_q      <= '0;
      nxt_fly_q   <= 1'b0;
    end else begin
      if (promote) begin
        cur_valid_q <= 1'b1;
        full_q      <= (nxt_asked_q) ? {nxt_bank, ~nxt_bank} : 2'b0;
        cfly_q      <= ngnt_i ? {nxt_bank, ~nxt_bank} : 2'b0;
      end else begin
        if (last) begin
          cur_valid_q <= 1'b0;
        end
        if (last || leave || cfly_q != '0) begin
          full_q <= last ? 2'b0 : (full_q | cfly_q) & ~(leave ? {pos_q[4], ~pos_q[4]} : 2'b0);
        end
        cfly_q <= cgnt_i ? creq_o : 2'b0;
      end
      nxt_fly_q   <= ngnt_i && !promote;
      nxt_valid_q <= job_valid_i || (nxt_valid_q && !promote);
    end
  end

  always_ff @(posedge clk_i) begin
    // slots
    if (promote && nxt_asked_q) begin
      if (nxt_bank) begin
        slot_q[255:128] <= nxt_fly_q ? word1_i : nxt_word_q;
      end else begin
        slot_q[127:0] <= nxt_fly_q ? word0_i : nxt_word_q;
      end
    end
    if (cfly_q[0]) begin
      slot_q[127:0] <= word0_i;
    end
    if (cfly_q[1]) begin
      slot_q[255:128] <= word1_i;
    end
    // current job
    if (promote) begin
      cur_tag_q  <= nxt_tag_q;
      cur_half_q <= cfg_half_i[nxt_tag_q];
      cur_wide_q <= nxt_wide;
      cur_cb_q   <= nxt_tag_q ? cfg_cb_i[9:5] : cfg_cb_i[4:0];
      cur_act_q  <= nxt_act_q;
      rem_q      <= nxt_len_q;
      pos_q      <= nxt_addr_q[4:0];
      row_q      <= '0;
      fetch_q    <= naddr_o + Wa'(asked);
      left_q     <= nxt_words - 10'(asked);
    end else begin
      if (here) begin
        rem_q <= rem_q - (pair ? 12'd2 : 12'd1);
        pos_q <= pos_d;
        row_q <= (row >= Sw'(Rows)) ? Rw'(Rows) : Rw'(row) + Rw'(fire);
      end
      if (cgnt_i) begin
        fetch_q <= fetch_q + 1'b1;
        left_q  <= left_q - 1'b1;
      end
    end
    // next job
    if (job_valid_i) begin
      nxt_addr_q  <= job_addr_i;
      nxt_len_q   <= job_len_i;
      nxt_act_q   <= job_act_i;
      nxt_tag_q   <= job_tag_i;
      nxt_asked_q <= 1'b0;
    end else if (ngnt_i) begin
      nxt_asked_q <= 1'b1;
    end
    if (nxt_fly_q) begin
      nxt_word_q <= nxt_bank ? word1_i : word0_i;
    end
  end

  assign busy_o[0] = (cur_valid_q && !cur_tag_q) || (nxt_valid_q && !nxt_tag_q);
  assign busy_o[1] = (cur_valid_q && cur_tag_q) || (nxt_valid_q && nxt_tag_q);
  assign ctag_o    = cur_tag_q;
  assign ntag_o    = nxt_tag_q;

  eie_acc #(
    .Rows (Rows)
  ) u_acc (
    .clk_i, .rst_ni, .flush_i,
    .valid_i (fire && !bad),
    .code_i  ({cur_cb_q[4:0], 4'b0} | {1'b0, code}),
    .row_i   (row[Ww+2:0]),
    .half_i  (cur_half_q),
    .act_i   (cur_act_q),
    .mac_o,
    .cb_we_i, .cb_addr_i, .cb_data_i,
    .dr_re_i, .dr_half_i, .dr_word_i, .rd0_o, .rd1_o,
    .clear_i, .clear_word_i
  );

  // Assertions

`ifndef SYNTHESIS
  assert property (@(posedge clk_i) disable iff (!rst_ni) job_valid_i |-> job_ready_o);
  assert property (@(posedge clk_i) disable iff (!rst_ni) cgnt_i |-> creq_o != '0);
  assert property (@(posedge clk_i) disable iff (!rst_ni) ngnt_i |-> nreq_o != '0);
  assert property (@(posedge clk_i) disable iff (!rst_ni) promote |-> !cgnt_i && cfly_q == '0);
`endif

endmodule
