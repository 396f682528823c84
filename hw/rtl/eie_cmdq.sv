// SPDX-License-Identifier: GPL-2.0 OR MIT
//
// Commands on their way through one engine: the queue of those that have not started, and the
// indices of those that have and are not complete. Engines complete in order, so the oldest index
// is the one a done pulse is about; it is needed when the tokens of that command overflow.

module eie_cmdq #(
  parameter int unsigned QueueDepth = 8,
  parameter int unsigned BusyDepth = 32   // more than any engine overlaps
) (
  input  logic               clk_i,
  input  logic               rst_ni,
  input  logic               clr_i,
  // from dispatch
  input  logic               valid_i,
  output logic               ready_o,
  input  logic [255:0]       cmd_i,
  input  logic [23:0]        index_i,
  // to the engine
  output logic               head_o,        // cmd_o is a command
  input  logic               go_i,          // ... and the tokens it waits for are there
  output logic               cmd_valid_o,
  input  logic               cmd_ready_i,
  output logic [255:0]       cmd_o,
  output logic [23:0]        index_o,
  input  logic               done_i,
  output logic [23:0]        done_index_o,
  output logic               empty_o        // nothing queued, nothing started
);

  logic               busy_ready, busy_valid, start;

  assign cmd_valid_o = head_o && go_i && busy_ready;
  assign start       = cmd_valid_o && cmd_ready_i;
  assign empty_o     = !head_o && !busy_valid;

  // verilator lint_off PINCONNECTEMPTY
  eie_fifo #(
    .Width(256 + 24),
    .Depth(QueueDepth)
  ) u_queue (
    .clk_i,
    .rst_ni,
    .clr_i,
    .wvalid_i(valid_i),
    .wready_o(ready_o),
    .wdata_i ({index_i, cmd_i}),
    .rvalid_o(head_o),
    .rready_i(start),
    .rdata_o ({index_o, cmd_o}),
    .count_o ()
  );

  eie_fifo #(
    .Width(24),
    .Depth(BusyDepth)
  ) u_busy (
    .clk_i,
    .rst_ni,
    .clr_i,
    .wvalid_i(start),
    .wready_o(busy_ready),
    .wdata_i (index_o),
    .rvalid_o(busy_valid),
    .rready_i(done_i),
    .rdata_o (done_index_o),
    .count_o ()
  );
  // verilator lint_on PINCONNECTEMPTY

  // Assertions

`ifndef SYNTHESIS
  assert property (@(posedge clk_i) disable iff (!rst_ni) done_i && !clr_i |-> busy_valid);
`endif

endmodule
