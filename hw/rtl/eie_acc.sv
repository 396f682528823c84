// SPDX-License-Identifier: GPL-2.0 OR MIT
//
// Back end of a lane: codebook, multiplier and accumulators.
//
// Stage 1 reads the codebook, stage 2 multiplies and reads the accumulator, stage 3 adds and writes.
// Each accumulator half is a memory of its own, eight rows a word, so that one half drains eight rows a
// cycle while the other accumulates.

module eie_acc #(
  parameter int unsigned Rows = 64,
  localparam int unsigned Words = Rows / 8,
  localparam int unsigned Ww = (Words > 1) ? $clog2(Words) : 1
) (
  input  logic          clk_i,
  input  logic          rst_ni,
  input  logic          flush_i,

  // one decoded weight
  input  logic          valid_i,
  input  logic [8:0]    code_i,       // entry of the codebook memory
  input  logic [Ww+2:0] row_i,
  input  logic          half_i,
  input  logic [15:0]   act_i,
  output logic          mac_o,        // the multiplier is in use

  // codebook write: eight entries
  input  logic          cb_we_i,
  input  logic [5:0]    cb_addr_i,
  input  logic [127:0]  cb_data_i,

  // drain: a word of the half is in rd*_o the cycle after, and zero from then on
  input  logic          dr_re_i,
  input  logic          dr_half_i,
  input  logic [Ww-1:0] dr_word_i,
  output logic [255:0]  rd0_o,        // half 0
  output logic [255:0]  rd1_o,

  // zero a word of both halves
  input  logic          clear_i,
  input  logic [Ww-1:0] clear_word_i
);

  logic                 s1_valid_q, s1_half_q;
  logic [Ww+2:0]        s1_row_q;
  logic signed [15:0]   s1_act_q, s1_weight_q;

  logic                 s2_valid_q, s2_half_q;
  logic [Ww+2:0]        s2_row_q;
  logic signed [31:0]   s2_prod_q;

  logic                 s3_valid_q, s3_half_q;
  logic [Ww+2:0]        s3_row_q;
  logic [31:0]          s3_sum_q;

  logic [31:0]          old, sum;

  logic                 dr_zero_q, dr_half_q;
  logic [Ww-1:0]        dr_word_q;

  // Stage 1: codebook

  logic [15:0] codebook [0:511];

  always_ff @(posedge clk_i) begin
    if (cb_we_i) begin
      codebook[{cb_addr_i, 3'd0}] <= cb_data_i[15:0];
      codebook[{cb_addr_i, 3'd1}] <= cb_data_i[31:16];
      codebook[{cb_addr_i, 3'd2}] <= cb_data_i[47:32];
      codebook[{cb_addr_i, 3'd3}] <= cb_data_i[63:48];
      codebook[{cb_addr_i, 3'd4}] <= cb_data_i[79:64];
      codebook[{cb_addr_i, 3'd5}] <= cb_data_i[95:80];
      codebook[{cb_addr_i, 3'd6}] <= cb_data_i[111:96];
      codebook[{cb_addr_i, 3'd7}] <= cb_data_i[127:112];
    end
    if (valid_i) begin
      s1_weight_q <= codebook[code_i];
      s1_row_q    <= row_i;
      s1_half_q   <= half_i;
      s1_act_q    <= act_i;
    end
  end

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      s1_valid_q <= 1'b0;
      s2_valid_q <= 1'b0;
      s3_valid_q <= 1'b0;
      dr_zero_q  <= 1'b0;
    end else begin
      s1_valid_q <= valid_i & ~flush_i;
      s2_valid_q <= s1_valid_q & ~flush_i;
      s3_valid_q <= s2_valid_q & ~flush_i;
      dr_zero_q  <= dr_re_i;
    end
  end

  assign mac_o = s1_valid_q;

  // Stage 2: product

  always_ff @(posedge clk_i) begin
    if (s1_valid_q) begin
      s2_prod_q <= s1_weight_q * s1_act_q;
      s2_row_q  <= s1_row_q;
      s2_half_q <= s1_half_q;
    end
  end

  // Stage 3: sum. The accumulator was read while the weight before this one was being added; columns that
  // follow each other may hit the same row.

  assign old = (s3_valid_q && s3_row_q == s2_row_q && s3_half_q == s2_half_q) ? s3_sum_q :
               s2_half_q ? rd1_o[{s2_row_q[2:0], 5'b0} +: 32] : rd0_o[{s2_row_q[2:0], 5'b0} +: 32];
  assign sum = old + s2_prod_q;

  always_ff @(posedge clk_i) begin
    if (s2_valid_q) begin
      s3_sum_q  <= sum;
      s3_row_q  <= s2_row_q;
      s3_half_q <= s2_half_q;
    end
    if (dr_re_i) begin
      dr_half_q <= dr_half_i;
      dr_word_q <= dr_word_i;
    end
  end

  for (genvar h = 0; h < 2; h++) begin : gen_half
    localparam logic Half = (h == 1);

    logic [255:0] mem [0:Words-1];
    logic [255:0] rd_q;
    logic         dr_re, acc_re, zero;

    assign dr_re  = dr_re_i && dr_half_i == Half;
    assign acc_re = s1_valid_q && s1_half_q == Half;
    assign zero   = clear_i || (dr_zero_q && dr_half_q == Half);

    always_ff @(posedge clk_i) begin
      if (dr_re || acc_re) begin
        rd_q <= mem[dr_re ? dr_word_i : s1_row_q[Ww+2:3]];
      end
      if (zero) begin
        mem[clear_i ? clear_word_i : dr_word_q] <= '0;
      end else if (s2_valid_q && s2_half_q == Half) begin
        mem[s2_row_q[Ww+2:3]][{s2_row_q[2:0], 5'b0} +: 32] <= sum;
      end
    end

  end

  assign rd0_o = gen_half[0].rd_q;
  assign rd1_o = gen_half[1].rd_q;

  // Assertions

`ifndef SYNTHESIS
  assert property (@(posedge clk_i) disable iff (!rst_ni)
    dr_re_i |-> !(s1_valid_q && s1_half_q == dr_half_i) && !(s2_valid_q && s2_half_q == dr_half_i));
  assert property (@(posedge clk_i) disable iff (!rst_ni) clear_i |-> !s1_valid_q && !s2_valid_q);
`endif

endmodule
