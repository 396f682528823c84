// SPDX-License-Identifier: GPL-2.0 OR MIT
//
// The command processor: fetches a command buffer, checks each command, hands it to the queue of
// its engine, and starts the head of each queue once the tokens it waits for are there.
//
//   fetch -> FIFO -> check (registered with its verdict) -> eie_cmdq x 3 -> engines
//
// Commands enter the queues in the order of the buffer; a full queue holds back what follows. That
// cannot hang a program whose waits are met by earlier commands: all of those are in a queue
// already.

module eie_cmdproc #(
  parameter int unsigned Clusters = 8,
  parameter int unsigned Rows = 256,
  parameter int unsigned AbufDepth = 4096,
  parameter int unsigned WbufDepth = 4096,
  parameter int unsigned PbufDepth = 1024,
  parameter int unsigned RbufDepth = 256,
  parameter bit          Vector = 1'b0,
  parameter bit          Select = 1'b0
) (
  input  logic               clk_i,
  input  logic               rst_ni,
  input  logic               flush_i,
  output logic               idle_o,
  output logic               rest_o,             // no register changes: clk_i may stop
  // one run over a command buffer
  input  logic               cmd_start_i,
  input  logic [63:0]        cmd_va_i,
  input  logic [23:0]        cmd_count_i,
  input  logic               cmd_restore_i,
  output logic               cmd_done_o,
  input  logic [4:0]         nbases_i,
  // read client; answers are never held up
  output logic               req_valid_o,
  input  logic               req_ready_i,
  output logic [63:0]        req_va_o,
  output logic [3:0]         req_len_o,
  output logic [31:0]        req_cmd_o,
  input  logic               rsp_valid_i,
  output logic               rsp_ready_o,
  input  logic [127:0]       rsp_data_i,
  // fault
  output logic               fault_valid_o,
  output logic [7:0]         fault_status_o,
  output logic [31:0]        fault_cmd_o,
  // engines
  output logic               load_cmd_valid_o,
  input  logic               load_cmd_ready_i,
  output logic [255:0]       load_cmd_o,
  output logic [31:0]        load_cmd_idx_o,
  input  logic               load_done_i,
  input  logic               load_done_next_i,
  output logic               comp_cmd_valid_o,
  input  logic               comp_cmd_ready_i,
  output logic [255:0]       comp_cmd_o,
  output logic [31:0]        comp_cmd_idx_o,
  input  logic               comp_done_i,
  input  logic               comp_done_prev_i,
  input  logic               comp_done_next_i,
  output logic               store_cmd_valid_o,
  input  logic               store_cmd_ready_i,
  output logic [255:0]       store_cmd_o,
  output logic [31:0]        store_cmd_idx_o,
  input  logic               store_done_i,
  input  logic               store_done_prev_i,
  // for the counters
  output logic               wait_load_o,    // next compute command lacks a token of a load
  output logic               wait_store_o,   // ... of a store
  output logic               fetching_o,     // commands are left that no queue has
  output logic               dispatched_o,   // pulse: a command entered its queue
  output logic [2:0]         class_o,        // of this cycle: PerfCmdBusy + class_o
  output logic [1:0]         load_queue_o,   // a load is queued, and lacks a token
  output logic [1:0]         store_queue_o,
  output logic [1:0]         retired_o       // commands that completed in this cycle
);

  localparam int unsigned FetchDepth = 32;    // commands; four bursts ahead
  localparam int unsigned BurstCmds = eie_pkg::MaxBurst / 2;
  localparam int unsigned Fw = $clog2(FetchDepth + 1);

  // Counters of eie_tokens, named from -> to
  localparam int unsigned LoadToComp = 0;
  localparam int unsigned CompToLoad = 1;
  localparam int unsigned CompToStore = 2;
  localparam int unsigned StoreToComp = 3;

  logic        active_q, restore_q;
  logic        fault, clr;

  function automatic logic [31:0] fault_cmd(input logic restore, input logic [23:0] index);
    fault_cmd = {1'b1, restore, 6'b0, index};
  endfunction

  assign clr    = flush_i || cmd_start_i;
  assign idle_o = !active_q;

  // Fetch: bursts end at multiples of 256 bytes, hence never cross 4 KiB

  logic [63:0]   fetch_va_q;
  logic [23:0]   fetch_left_q;
  logic [Fw-1:0] room_q;       // commands the FIFO can still be promised
  logic [3:0]    burst_cmds;
  logic          req_accept, pop;

  always_comb begin
    burst_cmds = 4'(BurstCmds) - {1'b0, fetch_va_q[7:5]};
    if (fetch_left_q < 24'(burst_cmds)) begin
      burst_cmds = fetch_left_q[3:0];
    end
  end

  assign req_valid_o = active_q && !flush_i && fetch_left_q != '0 && room_q >= Fw'(burst_cmds);
  assign req_va_o    = fetch_va_q;
  assign req_len_o   = {burst_cmds[2:0] - 1'b1, 1'b1};
  assign req_cmd_o   = '0;    // a fetch that fails is no command's failure
  assign req_accept  = req_valid_o && req_ready_i;
  assign rsp_ready_o = 1'b1;

  always_ff @(posedge clk_i) begin
    if (cmd_start_i) begin
      fetch_va_q <= cmd_va_i;
      room_q     <= Fw'(FetchDepth);
    end else if (req_accept || pop) begin
      fetch_va_q <= fetch_va_q + (req_accept ? {55'b0, burst_cmds, 5'b0} : 64'b0);
      room_q     <= room_q - (req_accept ? Fw'(burst_cmds) : '0) + Fw'(pop);
    end
  end

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      fetch_left_q <= '0;
    end else if (cmd_start_i) begin
      fetch_left_q <= cmd_count_i;
    end else if (req_accept) begin
      fetch_left_q <= fetch_left_q - 24'(burst_cmds);
    end
  end

  // Two beats make a command

  logic               half_q;
  logic [127:0]       low_q;
  logic               rsp_take;
  logic               fifo_ready, fifo_valid;
  logic [255:0]       fifo_cmd;

  assign rsp_take = rsp_valid_i && active_q && !flush_i;

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      half_q <= 1'b0;
    end else if (clr) begin
      half_q <= 1'b0;
    end else if (rsp_take) begin
      half_q <= !half_q;
    end
  end

  always_ff @(posedge clk_i) begin
    if (rsp_take && !half_q) begin
      low_q <= rsp_data_i;
    end
  end

  // verilator lint_off PINCONNECTEMPTY
  eie_fifo #(
    .Width(eie_pkg::CmdBits),
    .Depth(FetchDepth)
  ) u_fetched (
    .clk_i,
    .rst_ni,
    .clr_i   (clr),
    .wvalid_i(rsp_take && half_q),
    .wready_o(fifo_ready),
    .wdata_i ({rsp_data_i, low_q}),
    .rvalid_o(fifo_valid),
    .rready_i(pop),
    .rdata_o (fifo_cmd),
    .count_o ()
  );
  // verilator lint_on PINCONNECTEMPTY

  // Check and dispatch: the verdict is registered with the command

  logic               head_valid_q;
  logic [255:0]       head_q;
  logic [7:0]         head_status_q, status;
  logic [23:0]        left_q, index_q;    // commands not dispatched; index of the head
  logic [2:0]         q_push, q_ready;    // load, compute, store
  logic               dispatch;

  assign pop = fifo_valid && active_q && (!head_valid_q || dispatch);

  eie_cmdcheck #(
    .Clusters (Clusters),
    .Rows     (Rows),
    .AbufDepth(AbufDepth),
    .WbufDepth(WbufDepth),
    .PbufDepth(PbufDepth),
    .RbufDepth(RbufDepth),
    .Vector   (Vector),
    .Select   (Select)
  ) u_check (
    .valid_i (pop),
    .cmd_i   (fifo_cmd),
    .nbases_i,
    .status_o(status)
  );

  // The high digit of a checked opcode names the engine
  assign q_push[0] = dispatch && head_q[eie_pkg::CmdOpcodeLsb+4+:4] == eie_pkg::OpLoad[7:4];
  assign q_push[1] = dispatch && head_q[eie_pkg::CmdOpcodeLsb+4+:4] == eie_pkg::OpSync[7:4];
  assign q_push[2] = dispatch && head_q[eie_pkg::CmdOpcodeLsb+4+:4] == eie_pkg::OpStore[7:4];

  always_comb begin
    dispatch = head_valid_q && head_status_q == eie_pkg::StatusOk && active_q && !flush_i;
    unique case (head_q[eie_pkg::CmdOpcodeLsb+4+:4])
      eie_pkg::OpLoad[7:4]: dispatch = dispatch && q_ready[0];
      eie_pkg::OpSync[7:4]: dispatch = dispatch && q_ready[1];
      default:     dispatch = dispatch && q_ready[2];
    endcase
  end

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      head_valid_q <= 1'b0;
      left_q       <= '0;
    end else if (clr) begin
      head_valid_q <= 1'b0;
      left_q       <= cmd_start_i ? cmd_count_i : '0;
    end else begin
      if (pop) begin
        head_valid_q <= 1'b1;
      end else if (dispatch) begin
        head_valid_q <= 1'b0;
      end
      if (dispatch) begin
        left_q <= left_q - 1'b1;
      end
    end
  end

  always_ff @(posedge clk_i) begin
    if (pop) begin
      head_q        <= fifo_cmd;
      head_status_q <= status;
    end
    if (cmd_start_i) begin
      index_q   <= '0;
      restore_q <= cmd_restore_i;
    end else if (dispatch) begin
      index_q <= index_q + 1'b1;
    end
  end

  // Tokens

  logic [3:0] give, take, some, overflow;
  logic       load_head, comp_head, store_head;
  logic       load_go, comp_go, store_go;
  logic       load_start, comp_start, store_start;

  assign give[LoadToComp]  = load_done_i && load_done_next_i;
  assign give[CompToLoad]  = comp_done_i && comp_done_prev_i;
  assign give[CompToStore] = comp_done_i && comp_done_next_i;
  assign give[StoreToComp] = store_done_i && store_done_prev_i;

  assign take[LoadToComp]  = comp_start && comp_cmd_o[eie_pkg::CmdWaitPrevLsb];
  assign take[CompToLoad]  = load_start && load_cmd_o[eie_pkg::CmdWaitNextLsb];
  assign take[CompToStore] = store_start && store_cmd_o[eie_pkg::CmdWaitPrevLsb];
  assign take[StoreToComp] = comp_start && comp_cmd_o[eie_pkg::CmdWaitNextLsb];

  eie_tokens u_tokens (
    .clk_i,
    .rst_ni,
    .clr_i     (clr),
    .give_i    (give),
    .take_i    (take),
    .some_o    (some),
    .overflow_o(overflow)
  );

  assign wait_load_o  = comp_head && comp_cmd_o[eie_pkg::CmdWaitPrevLsb] && !some[LoadToComp];
  assign wait_store_o = comp_head && comp_cmd_o[eie_pkg::CmdWaitNextLsb] && !some[StoreToComp];

  logic load_wait, store_wait;

  assign load_wait  = load_cmd_o[eie_pkg::CmdWaitNextLsb] && !some[CompToLoad];
  assign store_wait = store_cmd_o[eie_pkg::CmdWaitPrevLsb] && !some[CompToStore];

  assign load_queue_o  = {load_head && load_wait, load_head};
  assign store_queue_o = {store_head && store_wait, store_head};

  assign load_go  = active_q && !flush_i && !load_wait;
  assign comp_go  = active_q && !flush_i && !wait_load_o && !wait_store_o;
  assign store_go = active_q && !flush_i && !store_wait;

  assign load_start  = load_cmd_valid_o && load_cmd_ready_i;
  assign comp_start  = comp_cmd_valid_o && comp_cmd_ready_i;
  assign store_start = store_cmd_valid_o && store_cmd_ready_i;

  // Queues

  logic [23:0] load_index, comp_index, store_index;
  logic [23:0] load_done_index, comp_done_index, store_done_index;
  logic [2:0]  q_empty;

  eie_cmdq u_load (
    .clk_i,
    .rst_ni,
    .clr_i       (clr),
    .valid_i     (q_push[0]),
    .ready_o     (q_ready[0]),
    .cmd_i       (head_q),
    .index_i     (index_q),
    .head_o      (load_head),
    .go_i        (load_go),
    .cmd_valid_o (load_cmd_valid_o),
    .cmd_ready_i (load_cmd_ready_i),
    .cmd_o       (load_cmd_o),
    .index_o     (load_index),
    .done_i      (load_done_i),
    .done_index_o(load_done_index),
    .empty_o     (q_empty[0])
  );

  eie_cmdq u_comp (
    .clk_i,
    .rst_ni,
    .clr_i       (clr),
    .valid_i     (q_push[1]),
    .ready_o     (q_ready[1]),
    .cmd_i       (head_q),
    .index_i     (index_q),
    .head_o      (comp_head),
    .go_i        (comp_go),
    .cmd_valid_o (comp_cmd_valid_o),
    .cmd_ready_i (comp_cmd_ready_i),
    .cmd_o       (comp_cmd_o),
    .index_o     (comp_index),
    .done_i      (comp_done_i),
    .done_index_o(comp_done_index),
    .empty_o     (q_empty[1])
  );

  eie_cmdq u_store (
    .clk_i,
    .rst_ni,
    .clr_i       (clr),
    .valid_i     (q_push[2]),
    .ready_o     (q_ready[2]),
    .cmd_i       (head_q),
    .index_i     (index_q),
    .head_o      (store_head),
    .go_i        (store_go),
    .cmd_valid_o (store_cmd_valid_o),
    .cmd_ready_i (store_cmd_ready_i),
    .cmd_o       (store_cmd_o),
    .index_o     (store_index),
    .done_i      (store_done_i),
    .done_index_o(store_done_index),
    .empty_o     (q_empty[2])
  );

  assign load_cmd_idx_o  = fault_cmd(restore_q, load_index);
  assign comp_cmd_idx_o  = fault_cmd(restore_q, comp_index);
  assign store_cmd_idx_o = fault_cmd(restore_q, store_index);

  // Status, faults and the end. After a fault nothing more starts; the frontend flushes.

  logic check_fault;

  assign fetching_o   = active_q && left_q != '0;
  assign dispatched_o = dispatch;
  always_comb begin
    class_o = 3'(eie_pkg::PerfCmdIdle - eie_pkg::PerfCmdBusy);
    if (dispatch) begin
      class_o = '0;
    end else if (active_q && !flush_i) begin
      if (head_valid_q && head_status_q == eie_pkg::StatusOk) begin
        unique case (head_q[eie_pkg::CmdOpcodeLsb+4+:4])
          eie_pkg::OpLoad[7:4]: class_o = 3'(eie_pkg::PerfCmdLoad - eie_pkg::PerfCmdBusy);
          eie_pkg::OpSync[7:4]: class_o = 3'(eie_pkg::PerfCmdCompute - eie_pkg::PerfCmdBusy);
          default:              class_o = 3'(eie_pkg::PerfCmdStore - eie_pkg::PerfCmdBusy);
        endcase
      end else if (fetching_o) begin
        class_o = 3'(eie_pkg::PerfCmdFetch - eie_pkg::PerfCmdBusy);
      end else begin
        class_o = 3'(eie_pkg::PerfCmdDone - eie_pkg::PerfCmdBusy);
      end
    end
  end

  assign retired_o    = 2'(load_done_i) + 2'(comp_done_i) + 2'(store_done_i);
  assign cmd_done_o   = active_q && !fault && left_q == '0 && q_empty == '1;

  assign check_fault   = head_valid_q && head_status_q != eie_pkg::StatusOk;
  assign fault         = check_fault || overflow != '0;
  assign fault_valid_o = active_q && !flush_i && fault;

  always_comb begin
    fault_status_o = eie_pkg::StatusTokenOverflow;
    fault_cmd_o    = fault_cmd(restore_q, store_done_index);
    if (check_fault) begin
      fault_status_o = head_status_q;
      fault_cmd_o    = fault_cmd(restore_q, index_q);
    end else if (overflow[LoadToComp]) begin
      fault_cmd_o = fault_cmd(restore_q, load_done_index);
    end else if (overflow[CompToLoad] || overflow[CompToStore]) begin
      fault_cmd_o = fault_cmd(restore_q, comp_done_index);
    end
  end

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      active_q <= 1'b0;
    end else if (flush_i) begin
      active_q <= 1'b0;
    end else if (cmd_start_i) begin
      active_q <= 1'b1;
    end else if (cmd_done_o || fault_valid_o) begin
      active_q <= 1'b0;
    end
  end

  // Every register has an enable; these are all of them.
  assign rest_o = !(clr || req_accept || rsp_take || pop || dispatch || load_start || comp_start || store_start ||
                    load_done_i || comp_done_i || store_done_i || cmd_done_o || fault_valid_o);

  // Assertions

  // verilator lint_off UNUSEDSIGNAL
  logic unused;    // room_q keeps the FIFO from being full
  assign unused = fifo_ready;
  // verilator lint_on UNUSEDSIGNAL

`ifndef SYNTHESIS
  assert property (@(posedge clk_i) disable iff (!rst_ni) rsp_take && half_q |-> fifo_ready);
  assert property (@(posedge clk_i) disable iff (!rst_ni) cmd_start_i |-> !active_q);
  assert property (@(posedge clk_i) disable iff (!rst_ni)
                   req_valid_o && !req_ready_i |=> flush_i || !active_q ||
                   (req_valid_o && $stable(req_va_o)));
`endif

endmodule
