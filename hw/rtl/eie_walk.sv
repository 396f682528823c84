// SPDX-License-Identifier: GPL-2.0 OR MIT
//
// Walks the granules of a tensor in ABUF: the groups of a channel, then the next channel. Channels
// are in banks, `Clusters` of them in a block; docs/vector_mode.md, "Layout of activations".

module eie_walk #(
  parameter int unsigned Clusters = 8,         // power of two, at least 2
  localparam int unsigned BankW = $clog2(Clusters)
) (
  input  logic        clk_i,
  input  logic        start_i,                 // takes what follows
  input  logic [23:0] first_i,                 // granule of channel 0, group 0
  input  logic [19:0] plane_i,                 // groups from a block of channels to the next
  input  logic [11:0] groups_i,                // of a channel
  input  logic [11:0] channels_i,
  input  logic        step_i,
  output logic [23:0] addr_o,
  output logic        last_group_o,            // of the channel
  output logic        last_o
);

  logic [11:0]      groups_q, left_q, channels_q;
  logic [19:0]      plane_q;
  logic [23:0]      block_q, next_block;
  logic [BankW-1:0] bank_q;
  logic             wraps;

  assign wraps        = bank_q == BankW'(Clusters - 1);
  assign next_block   = block_q + 24'(plane_q) * 24'(Clusters);
  assign last_group_o = left_q == 12'd1;
  assign last_o       = last_group_o && channels_q == 12'd1;

  always_ff @(posedge clk_i) begin
    if (start_i) begin
      groups_q   <= groups_i;
      left_q     <= groups_i;
      channels_q <= channels_i;
      plane_q    <= plane_i;
      block_q    <= first_i;
      addr_o     <= first_i;
      bank_q     <= '0;
    end else if (step_i) begin
      if (!last_group_o) begin
        left_q <= left_q - 1'b1;
        addr_o <= addr_o + 24'(Clusters);
      end else begin
        left_q     <= groups_q;
        channels_q <= channels_q - 1'b1;
        bank_q     <= bank_q + 1'b1;
        if (wraps) begin
          block_q <= next_block;
          addr_o  <= next_block;
        end else begin
          addr_o  <= block_q + 24'(bank_q) + 24'd1;
        end
      end
    end
  end

endmodule
