// SPDX-License-Identifier: GPL-2.0 OR MIT
//
// eie_jobq: as fv_fifo, but up to two entries in and two out a cycle. One entry is followed, chosen freely.

module fv_jobq #(
  parameter int unsigned Width = 4,
  parameter int unsigned Depth = 8,
  localparam int unsigned Aw = $clog2(Depth)
) (
  input logic               clk_i,
  input logic               clr_i,
  input logic [1:0]         push_i,
  input logic [2*Width-1:0] wdata_i,
  input logic [1:0]         pop_i,
  input logic               follow_i,
  input logic               second_i      // of two that come together
);

  logic rst_n = 1'b0;
  always_ff @(posedge clk_i) rst_n <= 1'b1;

  logic [2*Width-1:0] rdata;
  logic [Aw:0]        count;

  eie_jobq #(.Width(Width), .Depth(Depth)) u_dut (
    .clk_i, .rst_ni(rst_n), .clr_i, .push_i, .wdata_i, .pop_i, .rdata_o(rdata), .count_o(count)
  );

  // eie_cluster's side: none pushed without room, none popped that is not there
  logic [1:0] pushed, popped;
  assign pushed = {1'b0, push_i[0]} + {1'b0, push_i[1]};
  assign popped = {1'b0, pop_i[0]} + {1'b0, pop_i[1]};
  always_comb begin
    if (rst_n) begin
      assume (push_i != 2'b10 && pop_i != 2'b10);
      assume (popped <= count && count - popped + pushed <= Depth);
    end
  end

  logic             followed_q;
  logic [Aw:0]      ahead_q, model_q;
  logic [Width-1:0] value_q;
  logic             leaves;
  assign leaves = followed_q && ahead_q < popped;

  always_ff @(posedge clk_i) begin
    if (!rst_n || clr_i) begin
      followed_q <= 1'b0;
      model_q    <= '0;
    end else begin
      model_q <= model_q + pushed - popped;
      if (!followed_q && follow_i && (second_i ? push_i[1] : push_i[0])) begin
        followed_q <= 1'b1;
        ahead_q    <= model_q - popped + second_i;
        value_q    <= second_i ? wdata_i[2*Width-1:Width] : wdata_i[Width-1:0];
      end else if (followed_q) begin
        followed_q <= !leaves;
        ahead_q    <= ahead_q - popped;
      end
    end
  end

  (* probe = "u_dut.rptr_q" *) logic [Aw-1:0] rptr;
  (* probe = "u_dut.wptr_q" *) logic [Aw-1:0] wptr;
  (* probe = "u_dut.even[]" *) logic [Depth/2*Width-1:0] even;
  (* probe = "u_dut.odd[]" *) logic [Depth/2*Width-1:0] odd;
  logic [Aw-1:0] place, distance;
  assign place    = rptr + ahead_q[Aw-1:0];
  assign distance = wptr - rptr;

  always_comb begin
    if (rst_n) begin
      assert (count == model_q && count <= Depth && distance == count[Aw-1:0]);
      if (followed_q) begin
        assert (ahead_q < model_q);
        assert ((place[0] ? odd[Width*place[Aw-1:1] +: Width] : even[Width*place[Aw-1:1] +: Width]) == value_q);
        if (ahead_q == '0) begin
          assert (rdata[Width-1:0] == value_q);
        end
        if (ahead_q == 1) begin
          assert (rdata[2*Width-1:Width] == value_q);
        end
      end
    end
    cover (leaves && ahead_q == 1 && rptr[0] && count == Depth);
    cover (leaves && pop_i == 2'b01 && push_i == 2'b11 && rptr == '0 && value_q != '0);
  end

endmodule
