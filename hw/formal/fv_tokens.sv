// SPDX-License-Identifier: GPL-2.0 OR MIT
//
// eie_tokens: a counter is what was given less what was taken, unless an overflow has been reported.

module fv_tokens (
  input logic clk_i,
  input logic clr_i,
  input logic give_i,
  input logic take_i
);

  logic rst_n = 1'b0;
  always_ff @(posedge clk_i) rst_n <= 1'b1;

  logic some, overflow;
  eie_tokens #(.Counters(1)) u_dut (
    .clk_i, .rst_ni(rst_n), .clr_i, .give_i, .take_i, .some_o(some), .overflow_o(overflow)
  );

  logic [15:0] model_q;                  // tokens that are there
  logic        lost_q;
  always_ff @(posedge clk_i) begin
    if (!rst_n || clr_i) begin
      model_q <= '0;
      lost_q  <= 1'b0;
    end else begin
      model_q <= model_q + (give_i && !overflow) - take_i;
      lost_q  <= give_i && !take_i && model_q == 16'(eie_pkg::TokensMax);
    end
  end

  (* probe = "u_dut.gen_counter[0].count_q" *) logic [5:0] count;
  always_comb begin
    if (rst_n) begin
      assume (!take_i || some);           // eie_cmdproc takes only what is there
      assert (count == model_q && some == (model_q != '0));
      assert (overflow == (give_i && !take_i && model_q == 16'(eie_pkg::TokensMax)));
    end
    cover (rst_n && give_i && take_i && model_q == 3 && !overflow);
    cover (rst_n && take_i && !give_i && model_q == 2 && !clr_i);
  end

endmodule
