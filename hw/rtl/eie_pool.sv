// SPDX-License-Identifier: GPL-2.0 OR MIT
//
// The arithmetic of a VPOOL: eie_gather finds the pixels of eight windows, which lie at the same
// place in all channels of a block, one channel a bank of ABUF. All banks' granules come at once;
// here each window's pixel is taken from each, compared or added, and when a block's last pixels
// have been taken, a granule a bank goes back to ABUF, one a cycle.

module eie_pool #(
  parameter int unsigned Clusters = 8          // power of two, at least 2
) (
  input  logic                    clk_i,
  input  logic                    rst_ni,
  input  logic                    flush_i,

  input  logic                    sum_i,       // else the largest value
  input  logic [4:0]              shift_i,
  input  logic                    take_i,
  input  logic                    begin_i,     // with take_i: nothing of the block has been taken
  input  logic                    end_i,       // the rest is
  input  logic [23:0]             addr_i,      // of bank 0's result
  input  logic [7:0]              serve_i,     // windows that have a pixel in these granules,
  input  logic [23:0]             place_i,     // and which value it is
  input  logic [Clusters*128-1:0] data_i,
  output logic                    hold_o,      // no end_i in the next cycle
  output logic                    busy_o,

  output logic                    we_o,
  output logic [23:0]             addr_o,
  output logic [127:0]            data_o,
  output logic [7:0]              sat_o        // values that were clamped
);

  localparam int unsigned BankW = $clog2(Clusters);
  // the sum of 225 pixels at the most
  localparam int unsigned Sw = 24;

  // Eight windows of each bank

  logic [7:0]               seen_q, seen;      // windows that have had a pixel
  logic [Clusters*8*Sw-1:0] sum_q, sum;

  assign seen = serve_i | (begin_i ? '0 : seen_q);

  for (genvar b = 0; b < Clusters; b++) begin : gen_bank
    logic [8*Sw-1:0] old, now;

    assign old = sum_q[8*Sw*b +: 8*Sw];
    assign sum[8*Sw*b +: 8*Sw] = now;

    always_comb begin
      logic signed [Sw-1:0] pixel, best;
      {pixel, best} = '0;
      now = old;
      if (take_i) begin
        for (int unsigned l = 0; l < 8; l++) begin
          pixel  = Sw'($signed(data_i[128*b + 16*place_i[3*l +: 3] +: 16]));
          best = old[Sw*l +: Sw];
          if (serve_i[l]) begin
            if (begin_i || !seen_q[l]) begin
              now[Sw*l +: Sw] = pixel;
            end else if (sum_i) begin
              now[Sw*l +: Sw] = best + pixel;
            end else if (pixel > best) begin
              now[Sw*l +: Sw] = pixel;
            end
          end
        end
      end
    end
  end

  always_ff @(posedge clk_i) begin
    if (take_i) begin
      sum_q  <= sum;
      seen_q <= seen;
    end
  end

  // Results wait for their turn, those of bank 0 first.

  logic [BankW:0]           left_q;            // granules to write
  logic [7:0]               out_seen_q;
  logic [Clusters*8*Sw-1:0] out_q;

  assign we_o   = left_q != '0;
  assign busy_o = we_o;
  assign hold_o = (take_i && end_i) || left_q > (BankW+1)'(2);

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      left_q <= '0;
    end else if (flush_i) begin
      left_q <= '0;
    end else if (take_i && end_i) begin
      left_q <= (BankW+1)'(Clusters);
    end else if (we_o) begin
      left_q <= left_q - 1'b1;
    end
  end

  always_ff @(posedge clk_i) begin
    if (take_i && end_i) begin
      out_q      <= sum;
      out_seen_q <= seen;
      addr_o     <= addr_i;
    end else if (we_o) begin
      out_q      <= out_q >> (8 * Sw);
      addr_o     <= addr_o + 24'd1;
    end
  end

  always_comb begin
    logic signed [31:0] value;
    value  = '0;
    data_o = '0;
    sat_o  = '0;
    if (we_o) begin
      for (int unsigned l = 0; l < 8; l++) begin
        value = 32'($signed(out_q[Sw*l +: Sw]));
        if (shift_i != '0) begin
          value = (value + $signed(32'd1 << (shift_i - 5'd1))) >>> shift_i;
        end
        if (out_seen_q[l]) begin
          if (sum_i && value > 32'sd32767) begin
            sat_o[l] = 1'b1;
            data_o[16*l +: 16] = 16'h7fff;
          end else if (sum_i && value < -32'sd32767) begin
            sat_o[l] = 1'b1;
            data_o[16*l +: 16] = 16'h8001;
          end else begin
            data_o[16*l +: 16] = value[15:0];
          end
        end
      end
    end
  end

`ifndef SYNTHESIS
  assert property (@(posedge clk_i) disable iff (!rst_ni) take_i && end_i |-> left_q <= (BankW+1)'(1));
`endif

endmodule
