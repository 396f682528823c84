// SPDX-License-Identifier: GPL-2.0 OR MIT
//
// eie_cmdq: every command given starts once, in order and with its index, and its completion names it. One command is
// followed, chosen freely, from dispatch to completion.

module fv_cmdq #(
  parameter int unsigned QueueDepth = 2,
  parameter int unsigned BusyDepth = 2,
  localparam int unsigned Qw = $clog2(QueueDepth),
  localparam int unsigned Bw = $clog2(BusyDepth)
) (
  input logic         clk_i,
  input logic         clr_i,
  input logic         valid_i,
  input logic [7:0]   data_i,
  input logic [23:0]  index_i,
  input logic         go_i,
  input logic         ready_i,
  input logic         done_i,
  input logic         follow_i
);

  logic rst_n = 1'b0;
  always_ff @(posedge clk_i) rst_n <= 1'b1;

  logic         room, head, valid, empty;
  logic [255:0] cmd_i, cmd;
  assign cmd_i = {248'b0, data_i};     // nothing in the queue looks at the command: what holds for a bit holds for all
  logic [23:0]  index, done_index;

  eie_cmdq #(.QueueDepth(QueueDepth), .BusyDepth(BusyDepth)) u_dut (
    .clk_i, .rst_ni(rst_n), .clr_i, .valid_i, .ready_o(room), .cmd_i, .index_i, .head_o(head), .go_i,
    .cmd_valid_o(valid), .cmd_ready_i(ready_i), .cmd_o(cmd), .index_o(index), .done_i,
    .done_index_o(done_index), .empty_o(empty)
  );

  logic given, start, done;
  assign given = valid_i && room;
  assign start = valid && ready_i;
  assign done  = done_i;

  // counts of the queue's two halves, and where in them the followed command is
  logic [Qw:0]  waiting_q, ahead_q;
  logic [Bw:0]  busy_q, before_q;
  logic         in_wait_q, in_busy_q;
  logic [7:0]   cmd_q;
  logic [23:0]  index_q;

  always_ff @(posedge clk_i) begin
    if (!rst_n || clr_i) begin
      waiting_q <= '0;
      busy_q    <= '0;
      in_wait_q <= 1'b0;
      in_busy_q <= 1'b0;
    end else begin
      waiting_q <= waiting_q + given - start;
      busy_q    <= busy_q + start - done;
      if (!in_wait_q && !in_busy_q && given && follow_i) begin
        in_wait_q <= 1'b1;
        ahead_q   <= waiting_q - start;
        index_q   <= index_i;
        cmd_q     <= data_i;
      end
      if (in_wait_q && start) begin
        in_wait_q <= ahead_q != '0;
        in_busy_q <= ahead_q == '0;
        before_q  <= busy_q - done;
        ahead_q   <= ahead_q - 1'b1;
      end
      if (in_busy_q && done) begin
        in_busy_q <= before_q != '0;
        before_q  <= before_q - 1'b1;
      end
    end
  end

  // an engine completes what it has started
  always_comb begin
    if (rst_n) begin
      assume (!done_i || busy_q != '0);
    end
  end

  (* probe = "u_dut.u_queue.rptr_q" *) logic [Qw:0] q_rptr;
  (* probe = "u_dut.u_queue.count_o" *) logic [Qw:0] q_count;
  (* probe = "u_dut.u_queue.mem[]" *) logic [280*QueueDepth-1:0] q_mem;
  (* probe = "u_dut.u_busy.rptr_q" *) logic [Bw:0] b_rptr;
  (* probe = "u_dut.u_busy.count_o" *) logic [Bw:0] b_count;
  (* probe = "u_dut.u_busy.mem[]" *) logic [24*BusyDepth-1:0] b_mem;
  logic [Qw-1:0]  q_place;
  logic [Bw-1:0]  b_place;
  assign q_place = q_rptr[Qw-1:0] + ahead_q[Qw-1:0];
  assign b_place = b_rptr[Bw-1:0] + before_q[Bw-1:0];

  always_comb begin
    if (rst_n) begin
      assert (q_count == waiting_q && b_count == busy_q && waiting_q <= QueueDepth && busy_q <= BusyDepth);
      assert (empty == (waiting_q == '0 && busy_q == '0));
      assert (!valid || (head && go_i));
      assert (!(in_wait_q && in_busy_q));
      if (in_wait_q) begin
        assert (ahead_q < waiting_q);
        for (int i = 0; i < QueueDepth; i++) begin
          assert (q_place != Qw'(i) || q_mem[280*i +: 8] == cmd_q);
          assert (q_place != Qw'(i) || q_mem[280*i + 256 +: 24] == index_q);
        end
        assert (ahead_q != '0 || (head && index == index_q && cmd[7:0] == cmd_q));
      end
      if (in_busy_q) begin
        assert (before_q < busy_q);
        for (int i = 0; i < BusyDepth; i++) begin
          assert (b_place != Bw'(i) || b_mem[24*i +: 24] == index_q);
        end
        assert (before_q != '0 || done_index == index_q);
      end
    end
    cover (in_busy_q && done && before_q == '0 && busy_q == BusyDepth && index_q == 24'hab);
    cover (in_wait_q && waiting_q == QueueDepth && busy_q == BusyDepth && head && go_i && ready_i && !valid);
  end

endmodule
