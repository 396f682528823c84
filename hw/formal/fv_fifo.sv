// SPDX-License-Identifier: GPL-2.0 OR MIT
//
// eie_fifo: what goes in comes out, once, unchanged, in order. One entry is followed, chosen freely: `ahead_q`
// entries are before it.

module fv_fifo #(
  parameter int unsigned Width = 4,
  parameter int unsigned Depth = 4,
  localparam int unsigned Aw = $clog2(Depth)
) (
  input logic             clk_i,
  input logic             clr_i,
  input logic             wvalid_i,
  input logic [Width-1:0] wdata_i,
  input logic             rready_i,
  input logic             follow_i
);

  logic rst_n = 1'b0;
  always_ff @(posedge clk_i) rst_n <= 1'b1;

  logic             wready, rvalid;
  logic [Width-1:0] rdata;
  logic [Aw:0]      count;

  eie_fifo #(.Width(Width), .Depth(Depth)) u_dut (
    .clk_i, .rst_ni(rst_n), .clr_i, .wvalid_i, .wready_o(wready), .wdata_i,
    .rvalid_o(rvalid), .rready_i, .rdata_o(rdata), .count_o(count)
  );

  // the entry followed
  logic             push, pop, followed_q = 1'b0;
  logic [Aw:0]      ahead_q, model_q = '0;
  logic [Width-1:0] value_q;
  assign push = wvalid_i && wready;
  assign pop  = rvalid && rready_i;

  always_ff @(posedge clk_i) begin
    if (!rst_n || clr_i) begin
      followed_q <= 1'b0;
      model_q    <= '0;
    end else begin
      model_q <= model_q + push - pop;
      if (!followed_q && push && follow_i) begin
        followed_q <= 1'b1;
        ahead_q    <= model_q - pop;
        value_q    <= wdata_i;
      end else if (followed_q && pop) begin
        followed_q <= ahead_q != '0;
        ahead_q    <= ahead_q - 1'b1;
      end
    end
  end

  // where it is stored
  (* probe = "u_dut.rptr_q" *) logic [Aw:0] rptr;
  (* probe = "u_dut.mem[]" *) logic [Depth*Width-1:0] mem;
  logic [Aw-1:0] place;
  assign place = rptr[Aw-1:0] + ahead_q[Aw-1:0];

  always_comb begin
    if (rst_n) begin
      assert (count == model_q && count <= Depth);
      assert (rvalid == (model_q != '0) && wready == (model_q != Depth));
      if (followed_q) begin
        assert (ahead_q < model_q);
        assert (mem[Width*place +: Width] == value_q);
        if (ahead_q == '0) begin
          assert (rvalid && rdata == value_q);
        end
      end
    end
    cover (rst_n && followed_q && pop && ahead_q == '0 && rptr == Depth + 1);
    cover (rst_n && !wready);
  end

endmodule
