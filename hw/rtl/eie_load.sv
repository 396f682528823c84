// SPDX-License-Identifier: GPL-2.0 OR MIT
//
// LOAD, SELECT: memory to on-chip buffers. Bursts go out as fast as they are taken, up to Bursts of
// them and LoadBeats granules ahead of the data and across rows and commands; a FIFO remembers where
// the beats of each belong. Beats go straight from the bus to the buffer, one a cycle.

module eie_load #(
  parameter int unsigned AbufDepth = 4096,
  parameter int unsigned WbufDepth = 4096,
  parameter int unsigned PbufDepth = 1024,
  parameter int unsigned RbufDepth = 256,
  parameter int unsigned Bursts = eie_pkg::LoadBursts,
  parameter bit          Select = 1'b0
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
  // read ports of ABUF and PBUF, for SELECT (eie_select)
  output logic                   ab_re_o,
  output logic [23:0]            ab_addr_o,
  input  logic                   ab_gnt_i,
  input  logic [127:0]           ab_data_i,
  input  logic                   ab_written_i,
  output logic                   pb_re_o,
  output logic [3:0]             pb_cluster_o,
  output logic [23:0]            pb_addr_o,
  input  logic                   pb_free_i,
  input  logic [127:0]           pb_data_i,
  input  logic                   pb_written_i,
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

  localparam int unsigned DestW = 1 + 4 + 4 + 24 + 4 + 1 + 1;
  localparam int unsigned OwedW = $clog2(eie_pkg::LoadBeats + 1);
  localparam int unsigned FlightW = 6;    // commands: eie_cmdq lets fewer start

  // Of eie_xfer, of eie_select, and of the one that has a command

  logic        x_idle, x_ready, x_valid, x_last, x_signal, x_fault;
  logic        s_idle, s_ready, s_valid, s_signal, s_fault, s_end, s_fence;
  logic [3:0]  x_len, x_target, x_cluster, s_len, s_target, s_cluster;
  logic [7:0]  x_status, s_status;
  logic [23:0] x_addr, s_addr;
  logic [31:0] x_cmd, s_cmd, x_fault_cmd, s_fault_cmd;
  logic [63:0] x_va, s_va;

  logic        is_select, take, room, burst_valid, burst_ready, end_ready, push;
  logic        dest_wready, dest_valid, dest_null, dest_end, pop, ended, beat, beat_last;
  logic [3:0]  dest_target, dest_cluster, dest_len;
  logic [23:0] dest_addr;
  logic        dest_last, dest_signal;    // the command's last; it signals
  logic [3:0]  count_q;                   // beats of the oldest burst that are in
  logic [OwedW-1:0]   owed_q;             // beats of all bursts that are not
  logic [FlightW-1:0] flight_q;           // commands that are not complete

  assign is_select   = Select && cmd_i[eie_pkg::CmdOpcodeLsb+:8] == eie_pkg::OpSelect;
  assign cmd_ready_o = x_idle && s_idle && (is_select ? s_ready : x_ready);
  assign take        = cmd_valid_i && cmd_ready_o;

  eie_xfer #(
    .AbufDepth(AbufDepth),
    .WbufDepth(WbufDepth),
    .PbufDepth(PbufDepth),
    .RbufDepth(RbufDepth)
  ) u_xfer (
    .clk_i,
    .rst_ni,
    .flush_i,
    .idle_o         (x_idle),
    .bases_i,
    .quiet_i        (!dest_valid),
    .cmd_valid_i    (take && !is_select),
    .cmd_ready_o    (x_ready),
    .cmd_i,
    .cmd_idx_i,
    .burst_valid_o  (x_valid),
    .burst_ready_i  (burst_ready),
    .burst_va_o     (x_va),
    .burst_len_o    (x_len),
    .burst_target_o (x_target),
    .burst_cluster_o(x_cluster),
    .burst_addr_o   (x_addr),
    .burst_last_o   (x_last),
    .burst_signal_o (x_signal),
    .burst_cmd_o    (x_cmd),
    .fault_valid_o  (x_fault),
    .fault_status_o (x_status),
    .fault_cmd_o    (x_fault_cmd)
  );

  if (Select) begin : gen_select
    eie_select #(
      .WbufDepth(WbufDepth),
      .PbufDepth(PbufDepth)
    ) u_select (
      .clk_i,
      .rst_ni,
      .flush_i,
      .idle_o         (s_idle),
      .bases_i,
      .quiet_i        (!dest_valid),
      // the commands before it have completed, or, without a fence, all but the last of them
      .go_i           (flight_q == FlightW'(1) || (flight_q == FlightW'(2) && !s_fence)),
      .cmd_valid_i    (take && is_select),
      .cmd_ready_o    (s_ready),
      .cmd_i,
      .cmd_idx_i,
      .fence_o        (s_fence),
      .ab_re_o,
      .ab_addr_o,
      .ab_gnt_i,
      .ab_data_i,
      .ab_written_i,
      .pb_re_o,
      .pb_cluster_o,
      .pb_addr_o,
      .pb_free_i,
      .pb_data_i,
      .pb_written_i,
      .burst_valid_o  (s_valid),
      .burst_ready_i  (burst_ready),
      .burst_va_o     (s_va),
      .burst_len_o    (s_len),
      .burst_target_o (s_target),
      .burst_cluster_o(s_cluster),
      .burst_addr_o   (s_addr),
      .burst_signal_o (s_signal),
      .burst_cmd_o    (s_cmd),
      .end_valid_o    (s_end),
      .end_ready_i    (end_ready),
      .fault_valid_o  (s_fault),
      .fault_status_o (s_status),
      .fault_cmd_o    (s_fault_cmd)
    );
  end else begin : gen_no_select
    logic unused;
    assign unused = ^{s_fence, flight_q, ab_gnt_i, ab_data_i, ab_written_i, pb_free_i, pb_data_i, pb_written_i, end_ready};
    assign {s_idle, s_ready} = 2'b11;
    assign {s_valid, s_signal, s_fault, s_end, s_fence} = '0;
    assign {s_len, s_target, s_cluster, s_status, s_addr, s_cmd, s_fault_cmd, s_va} = '0;
    assign {ab_re_o, ab_addr_o, pb_re_o, pb_cluster_o, pb_addr_o} = '0;
  end

  assign burst_valid    = x_valid || s_valid;
  assign req_va_o       = s_idle ? x_va : s_va;
  assign req_len_o      = s_idle ? x_len : s_len;
  assign req_cmd_o      = s_idle ? x_cmd : s_cmd;
  assign fault_valid_o  = x_fault || s_fault;
  assign fault_status_o = s_idle ? x_status : s_status;
  assign fault_cmd_o    = s_idle ? x_fault_cmd : s_fault_cmd;

  // room for any burst: what waits in memory must not hold up the others' reads for long
  assign room        = dest_wready && owed_q <= OwedW'(eie_pkg::LoadBeats - eie_pkg::MaxBurst);
  assign req_valid_o = burst_valid && room;
  assign burst_ready = req_ready_i && room;
  assign end_ready   = dest_wready;
  assign push        = (burst_valid && burst_ready) || (s_end && end_ready);
  assign idle_o      = x_idle && s_idle && !dest_valid && !done_o;

  // An entry is a burst, or the end of a SELECT.

  // verilator lint_off PINCONNECTEMPTY
  eie_fifo #(
    .Width(DestW),
    .Depth(Bursts)
  ) u_dest (
    .clk_i,
    .rst_ni,
    .clr_i   (flush_i),
    .wvalid_i(push),
    .wready_o(dest_wready),
    .wdata_i (s_idle ? {1'b0, x_target, x_cluster, x_addr, x_len, x_last, x_signal} :
                       {s_end, s_target, s_cluster, s_addr, s_len, s_end, s_signal}),
    .rvalid_o(dest_valid),
    .rready_i(pop),
    .rdata_o ({dest_null, dest_target, dest_cluster, dest_addr, dest_len, dest_last, dest_signal}),
    .count_o ()
  );
  // verilator lint_on PINCONNECTEMPTY

  assign dest_end      = dest_valid && dest_null;
  assign ended         = pop && dest_last;
  assign pop           = dest_end || (beat && beat_last);
  assign buf_we_o      = rsp_valid_i && dest_valid && !dest_end && !flush_i;
  assign buf_target_o  = dest_target;
  assign buf_cluster_o = dest_cluster;
  assign buf_addr_o    = dest_addr + 24'(count_q);
  assign buf_data_o    = rsp_data_i;
  assign rsp_ready_o   = buf_ready_i && !dest_end;

  assign beat      = buf_we_o && buf_ready_i;
  assign beat_last = count_q == dest_len;

  assign doing_o = {!(x_idle && s_idle), req_valid_o, dest_valid, buf_we_o, beat};

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      count_q  <= '0;
      owed_q   <= '0;
      flight_q <= '0;
      done_o   <= 1'b0;
    end else if (flush_i) begin
      count_q  <= '0;
      owed_q   <= '0;
      flight_q <= '0;
      done_o   <= 1'b0;
    end else begin
      if (beat) begin
        count_q <= beat_last ? '0 : count_q + 1'b1;
      end
      owed_q   <= owed_q + (push && !s_end ? OwedW'(req_len_o) + 1'b1 : '0) - OwedW'(beat);
      flight_q <= flight_q + FlightW'(take) - FlightW'(ended);
      done_o   <= ended;
    end
  end

  always_ff @(posedge clk_i) begin
    if (ended) begin
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
                   rsp_valid_i && rsp_ready_o && !flush_i |-> dest_valid && rsp_last_i == beat_last);
  assert property (@(posedge clk_i) disable iff (!rst_ni) !(x_valid && s_valid) && flight_q <= FlightW'(33));
  assert property (@(posedge clk_i) disable iff (!rst_ni)
                   req_valid_o && !req_ready_i |=> flush_i || req_valid_o);
`endif

endmodule
