// SPDX-License-Identifier: GPL-2.0 OR MIT
//
// STORE: ABUF to memory. A burst that was accepted is read from ABUF into a small FIFO, one
// granule a cycle; a granule whose tag is stale never gets into the FIFO, so never to the bus. Up
// to 16 bursts are without an answer, across rows and commands; a command is complete with its
// last answer.

module eie_store #(
  parameter int unsigned AbufDepth = 4096
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
  output logic                   done_o,
  output logic                   done_prev_o,
  // read port of ABUF
  output logic                   st_re_o,
  output logic [23:0]            st_addr_o,
  input  logic                   st_gnt_i,
  input  logic [127:0]           st_data_i,
  input  logic                   st_written_i,
  // write client
  output logic                   req_valid_o,
  input  logic                   req_ready_i,
  output logic [63:0]            req_va_o,
  output logic [3:0]             req_len_o,
  output logic [31:0]            req_cmd_o,
  output logic                   dat_valid_o,
  input  logic                   dat_ready_i,
  output logic [127:0]           dat_data_o,
  input  logic                   rsp_valid_i,
  // fault
  output logic                   fault_valid_o,
  output logic [7:0]             fault_status_o,
  output logic [31:0]            fault_cmd_o,
  // for the counters: a command is being cut into bursts, answers are owed, a burst is offered, granules are read from ABUF, one is
  // there, it is taken
  output logic [5:0]             doing_o
);

  localparam int unsigned Bursts = 16;     // without an answer
  localparam int unsigned Sources = 8;     // of them, not read from ABUF
  localparam int unsigned Ahead = 4;       // granules read and not sent: covers the latency of ABUF
  localparam int unsigned SrcW = 24 + 4 + 32;

  // Bursts

  logic        xfer_idle, burst_valid, burst_ready, burst_last, burst_signal, burst;
  logic [23:0] burst_addr;
  logic        xfer_fault;
  logic [7:0]  xfer_status;
  logic [31:0] xfer_cmd;
  logic        src_wready, src_valid, src_pop;
  logic [23:0] src_addr;
  logic [3:0]  src_len;
  logic [31:0] src_cmd;
  logic        ans_wready, ans_valid, ans_last, ans_signal;

  assign burst_ready = req_ready_i && src_wready && ans_wready;
  assign burst       = burst_valid && burst_ready;
  assign req_valid_o = burst_valid && src_wready && ans_wready;

  // verilator lint_off PINCONNECTEMPTY
  eie_xfer #(
    .AbufDepth(AbufDepth),
    .WbufDepth(1),            // a STORE has no other target
    .PbufDepth(1),
    .RbufDepth(1)
  ) u_xfer (
    .clk_i,
    .rst_ni,
    .flush_i,
    .idle_o         (xfer_idle),
    .bases_i,
    .quiet_i        (!ans_valid),
    .cmd_valid_i,
    .cmd_ready_o,
    .cmd_i,
    .cmd_idx_i,
    .burst_valid_o  (burst_valid),
    .burst_ready_i  (burst_ready),
    .burst_va_o     (req_va_o),
    .burst_len_o    (req_len_o),
    .burst_target_o (),
    .burst_cluster_o(),
    .burst_addr_o   (burst_addr),
    .burst_last_o   (burst_last),
    .burst_signal_o (burst_signal),
    .burst_cmd_o    (req_cmd_o),
    .fault_valid_o  (xfer_fault),
    .fault_status_o (xfer_status),
    .fault_cmd_o    (xfer_cmd)
  );

  eie_fifo #(
    .Width(SrcW),
    .Depth(Sources)
  ) u_source (
    .clk_i,
    .rst_ni,
    .clr_i   (flush_i),
    .wvalid_i(burst),
    .wready_o(src_wready),
    .wdata_i ({burst_addr, req_len_o, req_cmd_o}),
    .rvalid_o(src_valid),
    .rready_i(src_pop),
    .rdata_o ({src_addr, src_len, src_cmd}),
    .count_o ()
  );

  eie_fifo #(
    .Width(2),
    .Depth(Bursts)
  ) u_answer (
    .clk_i,
    .rst_ni,
    .clr_i   (flush_i),
    .wvalid_i(burst),
    .wready_o(ans_wready),
    .wdata_i ({burst_last, burst_signal}),
    .rvalid_o(ans_valid),
    .rready_i(rsp_valid_i),
    .rdata_o ({ans_last, ans_signal}),
    .count_o ()
  );
  // verilator lint_on PINCONNECTEMPTY

  // Data: as many reads as the FIFO has room for

  localparam int unsigned AheadW = $clog2(Ahead + 1);

  logic [AheadW-1:0] have;
  logic [3:0]        count_q;        // granules read of the oldest burst
  logic              read, read_q;   // read_q: the answer of ABUF is there
  logic              dead_q;         // a stale granule was met, flush follows
  logic [31:0]       read_cmd_q;
  logic              dat_wready, dat_rvalid, stale;

  assign st_re_o   = src_valid && !flush_i && !dead_q && !stale &&
                     have + AheadW'(read_q) < AheadW'(Ahead);
  assign st_addr_o = src_addr + 24'(count_q);
  assign read      = st_re_o && st_gnt_i;
  assign src_pop   = read && count_q == src_len;
  assign stale     = read_q && !st_written_i;

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      count_q <= '0;
      read_q  <= 1'b0;
      dead_q  <= 1'b0;
    end else if (flush_i) begin
      count_q <= '0;
      read_q  <= 1'b0;
      dead_q  <= 1'b0;
    end else begin
      read_q <= read;
      if (read) begin
        count_q <= src_pop ? '0 : count_q + 1'b1;
      end
      if (stale) begin
        dead_q <= 1'b1;
      end
    end
  end

  always_ff @(posedge clk_i) begin
    if (read) begin
      read_cmd_q <= src_cmd;
    end
  end

  eie_fifo #(
    .Width(128),
    .Depth(Ahead)
  ) u_data (
    .clk_i,
    .rst_ni,
    .clr_i   (flush_i),
    .wvalid_i(read_q && st_written_i),
    .wready_o(dat_wready),
    .wdata_i (st_data_i),
    .rvalid_o(dat_rvalid),
    .rready_i(dat_ready_i && !flush_i),
    .rdata_o (dat_data_o),
    .count_o (have)
  );

  assign dat_valid_o = dat_rvalid && !flush_i;

  assign doing_o = {!xfer_idle, ans_valid, req_valid_o, src_valid || read_q, dat_valid_o, dat_valid_o && dat_ready_i};

  // Completion and faults

  assign idle_o = xfer_idle && !ans_valid && !done_o;

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      done_o <= 1'b0;
    end else begin
      done_o <= rsp_valid_i && ans_valid && ans_last && !flush_i;
    end
  end

  always_ff @(posedge clk_i) begin
    if (rsp_valid_i) begin
      done_prev_o <= ans_signal;
    end
  end

  // The faults of eie_xfer need quiet, so never come with a stale granule.
  assign fault_valid_o  = xfer_fault || (stale && !dead_q && !flush_i);
  assign fault_status_o = xfer_fault ? xfer_status : eie_pkg::StatusUnwritten;
  assign fault_cmd_o    = xfer_fault ? xfer_cmd : read_cmd_q;

  // Assertions

  // verilator lint_off UNUSEDSIGNAL
  logic unused;    // st_re_o counts the room
  assign unused = dat_wready;
  // verilator lint_on UNUSEDSIGNAL

`ifndef SYNTHESIS
  assert property (@(posedge clk_i) disable iff (!rst_ni) read_q && st_written_i |-> dat_wready);
  assert property (@(posedge clk_i) disable iff (!rst_ni) rsp_valid_i && !flush_i |-> ans_valid);
  assert property (@(posedge clk_i) disable iff (!rst_ni) xfer_fault |-> !stale);
  assert property (@(posedge clk_i) disable iff (!rst_ni)
                   dat_valid_o && !dat_ready_i |=> flush_i || (dat_valid_o && $stable(dat_data_o)));
`endif

endmodule
