// SPDX-License-Identifier: GPL-2.0 OR MIT
//
// First-word-fall-through FIFO of registers. clr_i empties it.

module eie_fifo #(
  parameter int unsigned Width = 8,
  parameter int unsigned Depth = 4,    // power of two, at least 2
  localparam int unsigned Aw = $clog2(Depth)
) (
  input  logic             clk_i,
  input  logic             rst_ni,
  input  logic             clr_i,
  input  logic             wvalid_i,
  output logic             wready_o,
  input  logic [Width-1:0] wdata_i,
  output logic             rvalid_o,
  input  logic             rready_i,
  output logic [Width-1:0] rdata_o,
  output logic [Aw:0]      count_o
);

  logic [Width-1:0] mem [0:Depth-1];
  logic [Aw:0]      wptr_q, rptr_q;

  assign count_o  = wptr_q - rptr_q;
  assign wready_o = count_o != (Aw + 1)'(Depth);
  assign rvalid_o = wptr_q != rptr_q;
  assign rdata_o  = mem[rptr_q[Aw-1:0]];

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      wptr_q <= '0;
      rptr_q <= '0;
    end else if (clr_i) begin
      wptr_q <= '0;
      rptr_q <= '0;
    end else begin
      if (wvalid_i && wready_o) begin
        wptr_q <= wptr_q + 1'b1;
      end
      if (rvalid_o && rready_i) begin
        rptr_q <= rptr_q + 1'b1;
      end
    end
  end

  always_ff @(posedge clk_i) begin
    if (wvalid_i && wready_o) begin
      mem[wptr_q[Aw-1:0]] <= wdata_i;
    end
  end

endmodule
