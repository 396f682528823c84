// SPDX-License-Identifier: GPL-2.0 OR MIT
//
// Eight outputs a cycle: y = clamp((acc * m + (1 << (s - 1))) >> s, lo, hi), see the programmer's guide,
// "Numbers". Three stages: product, shift, clamp. s is 1..47, so that product plus rounding fits 49 bits.
// Everything hangs on the valid bits: a drain is rare, and nothing should toggle (or be simulated) between.

module eie_requant (
  input  logic         clk_i,
  input  logic         rst_ni,
  input  logic         flush_i,
  input  logic         valid_i,
  input  logic [255:0] acc_i,
  input  logic [127:0] m_i,
  input  logic [47:0]  s_i,
  input  logic [15:0]  lo_i,
  input  logic [15:0]  hi_i,
  output logic         valid_o,   // three cycles after valid_i
  output logic [127:0] y_o,
  output logic [7:0]   sat_o      // the clamp cut it at +-32767
);

  logic         v1_q, v2_q;
  logic [391:0] prod_q, shifted_q;
  logic [47:0]  s_q;

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      {valid_o, v2_q, v1_q} <= '0;
    end else begin
      {valid_o, v2_q, v1_q} <= flush_i ? 3'b0 : {v2_q, v1_q, valid_i};
    end
  end

  always_ff @(posedge clk_i) begin
    if (valid_i) begin
      s_q <= s_i;
      for (int unsigned i = 0; i < 8; i++) begin
        prod_q[49*i +: 49] <= $signed({{17{acc_i[32*i+31]}}, acc_i[32*i +: 32]}) *
                              $signed({33'b0, m_i[16*i +: 16]});
      end
    end
    if (v1_q) begin
      for (int unsigned i = 0; i < 8; i++) begin
        shifted_q[49*i +: 49] <= $signed(prod_q[49*i +: 49] + (49'd1 << (s_q[6*i +: 6] - 6'd1))) >>>
                                 s_q[6*i +: 6];
      end
    end
    if (v2_q) begin
      for (int unsigned i = 0; i < 8; i++) begin
        if ($signed(shifted_q[49*i +: 49]) > $signed({{33{hi_i[15]}}, hi_i})) begin
          y_o[16*i +: 16] <= hi_i;
          sat_o[i]        <= hi_i == 16'h7fff;
        end else if ($signed(shifted_q[49*i +: 49]) < $signed({{33{lo_i[15]}}, lo_i})) begin
          y_o[16*i +: 16] <= lo_i;
          sat_o[i]        <= lo_i == 16'h8001;
        end else begin
          y_o[16*i +: 16] <= shifted_q[49*i +: 16];
          sat_o[i]        <= 1'b0;
        end
      end
    end
  end

endmodule
