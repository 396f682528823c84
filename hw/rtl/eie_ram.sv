// SPDX-License-Identifier: GPL-2.0 OR MIT
//
// One write port, one synchronous read port. A read of the address written in the same cycle gives the
// old word; nobody here depends on it.

module eie_ram #(
  parameter int unsigned Width = 128,
  parameter int unsigned Depth = 64,
  localparam int unsigned Aw = $clog2(Depth)
) (
  input  logic             clk_i,
  input  logic             wclk_i,    // clk_i, or the same clock resting while we_i is low
  input  logic             we_i,
  input  logic [Aw-1:0]    waddr_i,
  input  logic [Width-1:0] wdata_i,
  input  logic             re_i,
  input  logic [Aw-1:0]    raddr_i,
  output logic [Width-1:0] rdata_o   // valid the cycle after re_i, held until the next
);

  logic [Width-1:0] mem [0:Depth-1];

  always_ff @(posedge wclk_i) begin
    if (we_i) begin
      mem[waddr_i] <= wdata_i;
    end
  end

  always_ff @(posedge clk_i) begin
    if (re_i) begin
      rdata_o <= mem[raddr_i];
    end
  end

endmodule
