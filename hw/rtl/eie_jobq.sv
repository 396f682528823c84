// SPDX-License-Identifier: GPL-2.0 OR MIT
//
// A cluster's job queue: up to two in and two out a cycle. Even and odd entries are in memories of their
// own, so that each has one write and one read port.

module eie_jobq #(
  parameter int unsigned Width = 32,
  parameter int unsigned Depth = 16,     // power of two, at least 4
  localparam int unsigned Aw = $clog2(Depth)
) (
  input  logic               clk_i,
  input  logic               rst_ni,
  input  logic               clr_i,
  input  logic [1:0]         push_i,     // 00, 01 or 11: the first of two is in the lower half
  input  logic [2*Width-1:0] wdata_i,
  input  logic [1:0]         pop_i,      // 00, 01 or 11
  output logic [2*Width-1:0] rdata_o,
  output logic [Aw:0]        count_o
);

  logic [Width-1:0] even [0:Depth/2-1];
  logic [Width-1:0] odd  [0:Depth/2-1];
  logic [Aw-1:0]    wptr_q, rptr_q;
  logic [Aw-2:0]    wnext, rnext;     // pair of the entry after
  logic [Width-1:0] rd_even, rd_odd, w0, w1;

  assign w0    = wdata_i[Width-1:0];
  assign w1    = wdata_i[2*Width-1:Width];
  assign wnext = wptr_q[Aw-1:1] + (Aw - 1)'(wptr_q[0]);
  assign rnext = rptr_q[Aw-1:1] + (Aw - 1)'(rptr_q[0]);

  // the even entry of two neighbours is the second one when the first is odd
  assign rd_even = even[rnext];
  assign rd_odd  = odd[rptr_q[Aw-1:1]];
  assign rdata_o = rptr_q[0] ? {rd_even, rd_odd} : {rd_odd, rd_even};

  always_ff @(posedge clk_i) begin
    if (wptr_q[0] ? push_i[1] : push_i[0]) begin
      even[wnext] <= wptr_q[0] ? w1 : w0;
    end
    if (wptr_q[0] ? push_i[0] : push_i[1]) begin
      odd[wptr_q[Aw-1:1]] <= wptr_q[0] ? w0 : w1;
    end
  end

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      wptr_q  <= '0;
      rptr_q  <= '0;
      count_o <= '0;
    end else if (clr_i) begin
      wptr_q  <= '0;
      rptr_q  <= '0;
      count_o <= '0;
    end else begin
      wptr_q  <= wptr_q + Aw'(push_i[0]) + Aw'(push_i[1]);
      rptr_q  <= rptr_q + Aw'(pop_i[0]) + Aw'(pop_i[1]);
      count_o <= count_o + (Aw + 1)'(push_i[0]) + (Aw + 1)'(push_i[1]) -
                 (Aw + 1)'(pop_i[0]) - (Aw + 1)'(pop_i[1]);
    end
  end

  // Assertions

`ifndef SYNTHESIS
  assert property (@(posedge clk_i) disable iff (!rst_ni) count_o <= (Aw + 1)'(Depth));
  assert property (@(posedge clk_i) disable iff (!rst_ni) pop_i[0] |-> count_o >= 1);
  assert property (@(posedge clk_i) disable iff (!rst_ni) pop_i[1] |-> pop_i[0] && count_o >= 2);
  assert property (@(posedge clk_i) disable iff (!rst_ni) push_i[1] |-> push_i[0]);
`endif

endmodule
