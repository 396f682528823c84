// SPDX-License-Identifier: GPL-2.0 OR MIT
//
// The token counters between the engines. Tokens given and taken in one cycle cancel out, so a
// counter overflows only when it is full and nobody takes.

module eie_tokens #(
  parameter int unsigned Counters = 4
) (
  input  logic                clk_i,
  input  logic                rst_ni,
  input  logic                clr_i,
  input  logic [Counters-1:0] give_i,
  input  logic [Counters-1:0] take_i,      // only where some_o
  output logic [Counters-1:0] some_o,
  output logic [Counters-1:0] overflow_o   // same cycle as give_i; the token is lost
);

  localparam int unsigned Cw = $clog2(eie_pkg::TokensMax + 1);

  for (genvar i = 0; i < Counters; i++) begin : gen_counter
    logic [Cw-1:0] count_q;

    assign some_o[i]     = count_q != '0;
    assign overflow_o[i] = give_i[i] && !take_i[i] && count_q == Cw'(eie_pkg::TokensMax);

    always_ff @(posedge clk_i or negedge rst_ni) begin
      if (!rst_ni) begin
        count_q <= '0;
      end else if (clr_i) begin
        count_q <= '0;
      end else if (give_i[i] && !take_i[i] && !overflow_o[i]) begin
        count_q <= count_q + 1'b1;
      end else if (!give_i[i] && take_i[i]) begin
        count_q <= count_q - 1'b1;
      end
    end
  end

  // Assertions

`ifndef SYNTHESIS
  assert property (@(posedge clk_i) disable iff (!rst_ni) (take_i & ~some_o) == '0);
`endif

endmodule
