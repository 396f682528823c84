// SPDX-License-Identifier: GPL-2.0 OR MIT
//
// One lane: a codebook copy, a multiplier, a private bank of accumulators.
//
// Stage 1 reads the codebook, stage 2 multiplies and reads the accumulator, stage 3 adds and writes.
// Each accumulator half is a memory of its own, eight rows a word, so that one half drains eight rows a
// cycle while the other accumulates. The valid bits of all lanes are registers of eie_lanes.

module eie_lane #(
  parameter int unsigned Rows = 64,
  localparam int unsigned Words = Rows / 8,
  localparam int unsigned Ww = (Words > 1) ? $clog2(Words) : 1
) (
  input  logic          clk_i,

  // one decoded weight
  input  logic          valid_i,
  input  logic [8:0]    code_i,       // entry of the codebook memory
  input  logic [Ww+3:0] row_i,        // half, row
  input  logic [15:0]   act_i,
  input  logic          s1_valid_i,   // valid_i of one, two, three cycles ago
  input  logic          s2_valid_i,
  input  logic          s3_valid_i,

  // codebook write: eight entries
  input  logic          cb_we_i,
  input  logic [5:0]    cb_addr_i,
  input  logic [127:0]  cb_data_i,

  // drain: a word of a half is in rd*_o the cycle after dr_re_i, and zero after dr_zero_i
  input  logic [1:0]    dr_re_i,
  input  logic [Ww-1:0] dr_word_i,
  output logic [255:0]  rd0_o,
  output logic [255:0]  rd1_o,
  input  logic [1:0]    zero_i,
  input  logic [Ww-1:0] zero_word_i
);

  logic [Ww+3:0]      s1_row_q, s2_row_q, s3_row_q;
  logic signed [15:0] s1_act_q, s1_weight_q;
  logic signed [31:0] s2_prod_q;
  logic [31:0]        s3_sum_q, sum;

  // Stage 1: codebook

  logic [15:0] codebook [0:511];

  always_ff @(posedge clk_i) begin
    if (valid_i) begin
      s1_weight_q <= codebook[code_i];
      s1_row_q    <= row_i;
      s1_act_q    <= act_i;
    end
  end

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
  end

  // Stage 2: product

  always_ff @(posedge clk_i) begin
    if (s1_valid_i) begin
      s2_prod_q <= s1_weight_q * s1_act_q;
      s2_row_q  <= s1_row_q;
    end
  end

  // Stage 3: sum. The accumulator was read while the weight before this one was being added; columns that
  // follow each other may hit the same row.

  assign sum = ((s3_valid_i && s3_row_q == s2_row_q) ? s3_sum_q :
                s2_row_q[Ww+3] ? rd1_o[{s2_row_q[2:0], 5'b0} +: 32] :
                                 rd0_o[{s2_row_q[2:0], 5'b0} +: 32]) + s2_prod_q;

  always_ff @(posedge clk_i) begin
    if (s2_valid_i) begin
      s3_sum_q <= sum;
      s3_row_q <= s2_row_q;
    end
  end

  for (genvar h = 0; h < 2; h++) begin : gen_half
    logic [255:0] mem [0:Words-1];
    logic [255:0] rd_q;

    always_ff @(posedge clk_i) begin
      if (dr_re_i[h] || (s1_valid_i && s1_row_q[Ww+3] == 1'(h))) begin
        rd_q <= mem[dr_re_i[h] ? dr_word_i : s1_row_q[Ww+2:3]];
      end
    end

    always_ff @(posedge clk_i) begin
      if (zero_i[h]) begin
        mem[zero_word_i] <= '0;
      end else if (s2_valid_i && s2_row_q[Ww+3] == 1'(h)) begin
        mem[s2_row_q[Ww+2:3]][{s2_row_q[2:0], 5'b0} +: 32] <= sum;
      end
    end
  end

  assign rd0_o = gen_half[0].rd_q;
  assign rd1_o = gen_half[1].rd_q;

  // Assertions

`ifndef SYNTHESIS
  assert property (@(posedge clk_i)
    dr_re_i[0] |-> !(s1_valid_i && !s1_row_q[Ww+3]) && !(s2_valid_i && !s2_row_q[Ww+3]));
  assert property (@(posedge clk_i)
    dr_re_i[1] |-> !(s1_valid_i && s1_row_q[Ww+3]) && !(s2_valid_i && s2_row_q[Ww+3]));
`endif

endmodule
