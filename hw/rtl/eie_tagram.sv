// SPDX-License-Identifier: GPL-2.0 OR MIT
//
// Memory of granules that knows which of them this address space wrote: each carries the epoch of its
// write. The scrub makes all of them unwritten (tag 0) without touching the data.

module eie_tagram #(
  parameter int unsigned Depth = 64,
  localparam int unsigned Aw = $clog2(Depth)
) (
  input  logic          clk_i,
  input  logic          wclk_i,     // clk_i, or the same clock resting between writes and scrubs
  input  logic [7:0]    epoch_i,
  input  logic          scrub_i,
  input  logic [Aw-1:0] scrub_addr_i,
  input  logic          we_i,
  input  logic [Aw-1:0] waddr_i,
  input  logic [127:0]  wdata_i,
  input  logic          re_i,
  input  logic [Aw-1:0] raddr_i,
  output logic [127:0]  rdata_o,    // valid the cycle after re_i, held until the next
  output logic          written_o
);

  logic [7:0] tag;

  assign written_o = tag == epoch_i;

  eie_ram #(
    .Width (128),
    .Depth (Depth)
  ) u_data (
    .clk_i, .wclk_i, .we_i, .waddr_i, .wdata_i, .re_i, .raddr_i, .rdata_o
  );

  eie_ram #(
    .Width (8),
    .Depth (Depth)
  ) u_tag (
    .clk_i, .wclk_i,
    .we_i    (we_i || scrub_i),
    .waddr_i (scrub_i ? scrub_addr_i : waddr_i),
    .wdata_i (scrub_i ? 8'd0 : epoch_i),
    .re_i, .raddr_i,
    .rdata_o (tag)
  );

endmodule
