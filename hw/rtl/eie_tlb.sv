// SPDX-License-Identifier: GPL-2.0 OR MIT
//
// Fully associative translation buffer: entries of 4 KiB or 2 MiB, tagged with their address
// space, round robin replacement. One look-up a cycle, answered in the same cycle.

module eie_tlb #(
  parameter int unsigned TlbEntries = 4
) (
  input  logic        clk_i,
  input  logic        rst_ni,
  input  logic [15:0] asid_i,

  input  logic        lookup_i,
  input  logic [26:0] lookup_vpn_i,
  output logic        hit_o,
  output logic        w_o,            // writable
  output logic        r_o,            // readable
  output logic [43:0] ppn_o,

  input  logic        fill_i,
  input  logic [26:0] fill_vpn_i,
  input  logic        fill_mega_i,    // 2 MiB
  input  logic        fill_w_i,
  input  logic        fill_r_i,
  input  logic [43:0] fill_ppn_i,

  input  logic        inv_i,
  input  logic        inv_all_i,
  input  logic [15:0] inv_asid_i
);

  localparam int unsigned Iw = TlbEntries > 1 ? $clog2(TlbEntries) : 1;

  logic [TlbEntries-1:0] valid_q, mega_q, w_q, r_q;
  logic [15:0]           asid_q [0:TlbEntries-1];
  logic [26:0]           vpn_q  [0:TlbEntries-1];
  logic [43:0]           ppn_q  [0:TlbEntries-1];
  logic [Iw-1:0]         victim_q;

  // At most one entry matches: a page is filled only after a miss, and a changed table needs
  // TLB_INV.
  always_comb begin
    hit_o = 1'b0;
    w_o   = 1'b0;
    r_o   = 1'b0;
    ppn_o = '0;
    if (lookup_i) begin
      for (int i = 0; i < TlbEntries; i++) begin
        if (valid_q[i] && asid_q[i] == asid_i && vpn_q[i][26:9] == lookup_vpn_i[26:9] &&
            (mega_q[i] || vpn_q[i][8:0] == lookup_vpn_i[8:0])) begin
          hit_o = 1'b1;
          w_o   = w_q[i];
          r_o   = r_q[i];
          ppn_o = {ppn_q[i][43:9], mega_q[i] ? lookup_vpn_i[8:0] : ppn_q[i][8:0]};
        end
      end
    end
  end

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      valid_q  <= '0;
      victim_q <= '0;
    end else if (inv_i) begin
      for (int i = 0; i < TlbEntries; i++) begin
        if (inv_all_i || asid_q[i] == inv_asid_i) begin
          valid_q[i] <= 1'b0;
        end
      end
    end else if (fill_i) begin
      valid_q[victim_q] <= 1'b1;
      victim_q          <= victim_q == Iw'(TlbEntries - 1) ? '0 : victim_q + 1'b1;
    end
  end

  always_ff @(posedge clk_i) begin
    if (fill_i) begin
      asid_q[victim_q] <= asid_i;
      vpn_q[victim_q]  <= fill_vpn_i;
      ppn_q[victim_q]  <= fill_ppn_i;
      mega_q[victim_q] <= fill_mega_i;
      w_q[victim_q]    <= fill_w_i;
      r_q[victim_q]    <= fill_r_i;
    end
  end

  // Assertions -----------------------------------------------------------------------------------

`ifndef SYNTHESIS
  // A result from before an invalidation must not get in.
  assert property (@(posedge clk_i) disable iff (!rst_ni) inv_i |-> !fill_i);
`endif

endmodule
