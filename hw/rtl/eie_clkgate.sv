// SPDX-License-Identifier: GPL-2.0 OR MIT
//
// Clock gate. The gate saves work, it never decides anything: en_i may be low only in cycles in which no register behind
// the gate would change its value, so that the gated clock and the free one are the same machine. The
// simulator of tests runs with the free one (EIE_FREE_CLOCKS) and compares; FPGAs, whose registers have enables, too.

module eie_clkgate (
  input  logic clk_i,
  input  logic en_i,
  output logic clk_o
);

`ifdef EIE_FREE_CLOCKS
  logic unused;
  assign unused = en_i;
  assign clk_o  = clk_i;
`else
  logic en_q;

  always_latch begin
    if (!clk_i) begin
      en_q = en_i;
    end
  end

  assign clk_o = clk_i && en_q;
`endif

endmodule
