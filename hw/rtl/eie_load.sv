// SPDX-License-Identifier: GPL-2.0 OR MIT
//
// LOAD: memory to on-chip buffers. Bursts go out as fast as they are taken, up to 16 ahead of the
// data and across rows and commands; a FIFO remembers where the beats of each belong. Beats go
// straight from the bus to the buffer, one a cycle.

module eie_load #(
  parameter int unsigned AbufDepth = 4096,
  parameter int unsigned WbufDepth = 4096,
  parameter int unsigned PbufDepth = 1024,
  parameter int unsigned RbufDepth = 256
) (
  input  logic                   clk_i,
  input  logic                   rst_ni,
  input  logic                   flush_i,
  output logic                   idle_o,
  input  logic [eie_pkg::MaxBases*64-1:0] bases_i,
  // command
  input  logic                   cmd_valid_i,
  output logic                   cmd_ready_o,
  input  logic [255:0]           cmd_i,
  input  logic [31:0]            cmd_idx_i,
  output logic                   done_o,         // its last beat is in the buffer
  output logic                   done_next_o,
  // read client
  output logic                   req_valid_o,
  input  logic                   req_ready_i,
  output logic [63:0]            req_va_o,
  output logic [3:0]             req_len_o,
  output logic [31:0]            req_cmd_o,
  input  logic                   rsp_valid_i,
  output logic                   rsp_ready_o,
  input  logic [127:0]           rsp_data_i,
  input  logic                   rsp_last_i,
  // buffer write bus
  output logic                   buf_we_o,
  input  logic                   buf_ready_i,
  output logic [3:0]             buf_target_o,
  output logic [3:0]             buf_cluster_o,
  output logic [23:0]            buf_addr_o,
  output logic [127:0]           buf_data_o,
  // fault
  output logic                   fault_valid_o,
  output logic [7:0]             fault_status_o,
  output logic [31:0]            fault_cmd_o,
  // for the counters: a command is being cut into bursts, a burst is offered, granules are owed, one is there, it is taken
  output logic [4:0]             doing_o
);

  localparam int unsigned Bursts = 16;    // in flight
  localparam int unsigned DestW = 4 + 4 + 24 + 4 + 1 + 1;

  logic        xfer_idle, burst_valid, burst_last, burst_signal;
  logic [3:0]  burst_target, burst_cluster;
  logic [23:0] burst_addr;
  logic        dest_wready, dest_valid, beat, beat_last;
  logic [3:0]  dest_target, dest_cluster, dest_len;
  logic [23:0] dest_addr;
  logic        dest_last, dest_signal;
  logic [3:0]  count_q;                   // beats of the oldest burst that are in

  eie_xfer #(
    .AbufDepth(AbufDepth),
    .WbufDepth(WbufDepth),
    .PbufDepth(PbufDepth),
    .RbufDepth(RbufDepth)
  ) u_xfer (
    .clk_i,
    .rst_ni,
    .flush_i,
    .idle_o         (xfer_idle),
    .bases_i,
    .quiet_i        (!dest_valid),
    .cmd_valid_i,
    .cmd_ready_o,
    .cmd_i,
    .cmd_idx_i,
    .burst_valid_o  (burst_valid),
    .burst_ready_i  (req_ready_i && dest_wready),
    .burst_va_o     (req_va_o),
    .burst_len_o    (req_len_o),
    .burst_target_o (burst_target),
    .burst_cluster_o(burst_cluster),
    .burst_addr_o   (burst_addr),
    .burst_last_o   (burst_last),
    .burst_signal_o (burst_signal),
    .burst_cmd_o    (req_cmd_o),
    .fault_valid_o,
    .fault_status_o,
    .fault_cmd_o
  );

  assign req_valid_o = burst_valid && dest_wready;
  assign idle_o      = xfer_idle && !dest_valid && !done_o;

  // verilator lint_off PINCONNECTEMPTY
  eie_fifo #(
    .Width(DestW),
    .Depth(Bursts)
  ) u_dest (
    .clk_i,
    .rst_ni,
    .clr_i   (flush_i),
    .wvalid_i(burst_valid && req_ready_i),
    .wready_o(dest_wready),
    .wdata_i ({burst_target, burst_cluster, burst_addr, req_len_o, burst_last, burst_signal}),
    .rvalid_o(dest_valid),
    .rready_i(beat && beat_last),
    .rdata_o ({dest_target, dest_cluster, dest_addr, dest_len, dest_last, dest_signal}),
    .count_o ()
  );
  // verilator lint_on PINCONNECTEMPTY

  assign buf_we_o      = rsp_valid_i && dest_valid && !flush_i;
  assign buf_target_o  = dest_target;
  assign buf_cluster_o = dest_cluster;
  assign buf_addr_o    = dest_addr + 24'(count_q);
  assign buf_data_o    = rsp_data_i;
  assign rsp_ready_o   = buf_ready_i;

  assign beat      = buf_we_o && buf_ready_i;
  assign beat_last = count_q == dest_len;

  assign doing_o = {!xfer_idle, req_valid_o, dest_valid, buf_we_o, beat};

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      count_q <= '0;
      done_o  <= 1'b0;
    end else if (flush_i) begin
      count_q <= '0;
      done_o  <= 1'b0;
    end else begin
      if (beat) begin
        count_q <= beat_last ? '0 : count_q + 1'b1;
      end
      done_o <= beat && beat_last && dest_last;
    end
  end

  always_ff @(posedge clk_i) begin
    if (beat) begin
      done_next_o <= dest_signal;
    end
  end

  // Assertions

  // verilator lint_off UNUSEDSIGNAL
  logic unused;    // the end of a burst is counted; rsp_last_i is only checked
  assign unused = rsp_last_i;
  // verilator lint_on UNUSEDSIGNAL

`ifndef SYNTHESIS
  assert property (@(posedge clk_i) disable iff (!rst_ni)
                   rsp_valid_i && !flush_i |-> dest_valid && rsp_last_i == beat_last);
`endif

endmodule
