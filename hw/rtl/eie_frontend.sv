// SPDX-License-Identifier: GPL-2.0 OR MIT
//
// The life of a job, as docs/programmers_guide.md tells it: descriptor, checks, base table,
// restore run, main run, quiet, completion entry, interrupt; or fault, flush, quiet, completion
// entry, interrupt.

module eie_frontend #(
  parameter int unsigned Queues = 1,
  parameter int unsigned ScrubDepth = 64,   // granules of the deepest buffer
  parameter int unsigned Sources = 7        // of faults
) (
  input  logic                  clk_i,
  input  logic                  clk_host_i,        // of all but the counters, may stop while rest_o
  output logic                  rest_o,
  input  logic                  rst_ni,

  // eie_regs
  input  logic [63:0]           time_i,
  input  logic                  enable_i,
  input  logic                  abort_i,
  input  logic                  clear_i,        // end of CTRL.RESET
  output logic                  busy_o,
  output logic                  ready_o,
  output logic [Queues-1:0]     stop_o,         // pulse: bus error on an entry of the queue's rings
  output logic [7:0]            stop_cause_o,
  output logic [63:0]           stop_addr_o,
  output logic [2:0]            progress_o,
  output logic [Queues-1:0]     completed_o,
  output logic [Queues-1:0]     running_o,
  output logic [Queues-1:0]     pop_o,
  output logic [Queues-1:0]     push_o,
  input  logic [Queues-1:0]     restarted_i,
  input  logic [Queues-1:0]     reset_i,        // Q_CTRL.RESET
  input  logic [Queues-1:0]     job_i,
  input  logic [Queues*64-1:0]  desc_addr_i,
  input  logic [Queues*64-1:0]  cpl_addr_i,
  input  logic [Queues-1:0]     cpl_phase_i,
  input  logic [Queues*16-1:0]  sq_head_i,

  // eie_mmu
  output logic [15:0]           asid_o,
  output logic [55:0]           root_o,
  output logic                  rd_valid_o,
  input  logic                  rd_ready_i,
  output logic                  rd_phys_o,
  output logic [63:0]           rd_va_o,
  output logic [3:0]            rd_len_o,
  input  logic                  rd_rsp_valid_i,
  input  logic [127:0]          rd_rsp_data_i,
  input  logic                  rd_rsp_last_i,
  output logic                  wr_valid_o,
  input  logic                  wr_ready_i,
  output logic [63:0]           wr_pa_o,
  output logic                  dat_valid_o,
  input  logic                  dat_ready_i,
  output logic [127:0]          dat_data_o,
  input  logic                  wr_rsp_valid_i,
  input  logic                  bus_rd_fault_i,   // bus errors, for the device's own accesses
  input  logic [63:0]           bus_rd_fault_addr_i,
  input  logic                  bus_wr_fault_i,
  input  logic [63:0]           bus_wr_fault_addr_i,

  // Engines
  output logic                  flush_o,
  input  logic                  quiet_i,          // all idle, nothing outstanding on the bus
  output logic [7:0]            epoch_o,
  output logic                  epoch_new_o,
  output logic                  scrub_o,
  output logic [23:0]           scrub_addr_o,
  output logic                  clear_o,
  input  logic                  clear_busy_i,
  output logic                  cmd_start_o,
  output logic [63:0]           cmd_va_o,
  output logic [23:0]           cmd_count_o,
  output logic                  cmd_restore_o,
  input  logic                  cmd_done_i,
  output logic [eie_pkg::MaxBases*64-1:0] bases_o,
  output logic [4:0]            nbases_o,

  input  logic [Sources-1:0]    fault_valid_i,
  input  logic [Sources*8-1:0]  fault_status_i,
  input  logic [Sources*64-1:0] fault_addr_i,
  input  logic [Sources*32-1:0] fault_cmd_i,

  // Counters
  input  logic [8:0]            macs_i,
  input  logic                  mac_active_i,
  input  logic                  drain_active_i,
  input  logic                  engine_active_i,
  input  logic [8:0]            sats_i,
  input  logic                  sync_wait_i,
  input  logic                  wait_load_i,
  input  logic                  wait_store_i,
  input  logic                  fetching_i,
  input  logic                  dispatched_i,
  input  logic [1:0]            retired_i,        // commands completed in this cycle
  input  logic                  read_beat_i,
  input  logic                  walk_beat_i,
  input  logic                  write_beat_i,
  input  logic                  tlb_miss_i,
  // eie_perf
  output logic                  run_o,            // this cycle is one of a job
  output logic                  ended_o,          // and its last
  output logic                  base_o,           // what comes is of the base table, not of a descriptor
  output logic [3:0]            class_o           // PerfComputeBusy + class_o
);

  localparam int unsigned Qw = Queues > 1 ? $clog2(Queues) : 1;

  typedef enum logic [3:0] {
    StScrub, StIdle, StDescReq, StDesc, StCheck, StBaseReq, StBase, StClear, StRestore, StMain,
    StDrain, StFlush, StCplReq, StCplData, StCplResp
  } state_e;
  state_e state_q, state_d;

  // Arbitration ----------------------------------------------------------------------------------

  logic [Qw-1:0]     pick, queue_q;
  logic [Queues-1:0] queue_onehot;
  logic              restarted_q;   // the job's queue was enabled anew: no place for its entry
  logic              abort;         // of the device, or of the job's queue

  always_comb begin
    pick = '0;
    for (int q = Queues - 1; q >= 0; q--) begin
      if (job_i[q]) begin
        pick = Qw'(q);
      end
    end
  end

  assign queue_onehot = Queues'(1) << queue_q;
  assign abort        = abort_i || (|(reset_i & queue_onehot));

  always_ff @(posedge clk_host_i) begin
    if (state_q == StIdle) begin
      queue_q     <= pick;
      restarted_q <= 1'b0;
    end else if (|(restarted_i & queue_onehot)) begin
      restarted_q <= 1'b1;
    end
  end

  // Descriptor -----------------------------------------------------------------------------------

  logic [511:0] desc_q;            // the other half is reserved
  logic         reserved_q;        // a bit of it is set
  logic [2:0]   beat_q;            // of the descriptor, the base table or the completion entry
  logic         err_q;             // a beat of the descriptor came with an error
  logic         desc_beat, desc_last, desc_err, cancel;

  logic [63:0]  d_fence, d_root, d_residency, d_bases, d_cmds, d_restore;
  logic [15:0]  d_asid, d_nbases;
  logic [31:0]  d_limit, d_ncmds, d_nrestore;
  assign d_fence     = desc_q[eie_pkg::DescFenceLsb +: 64];
  assign d_root      = desc_q[eie_pkg::DescRootLsb +: 64];
  assign d_asid      = desc_q[eie_pkg::DescAsidLsb +: 16];
  assign d_nbases    = desc_q[eie_pkg::DescNbasesLsb +: 16];
  assign d_limit     = desc_q[eie_pkg::DescCycleLimitLsb +: 32];
  assign d_residency = desc_q[eie_pkg::DescResidencyLsb +: 64];
  assign d_bases     = desc_q[eie_pkg::DescBasesLsb +: 64];
  assign d_cmds      = desc_q[eie_pkg::DescCmdsLsb +: 64];
  assign d_restore   = desc_q[eie_pkg::DescRestoreLsb +: 64];
  assign d_ncmds     = desc_q[eie_pkg::DescNcmdsLsb +: 32];
  assign d_nrestore  = desc_q[eie_pkg::DescNrestoreLsb +: 32];

  logic bad_desc;
  assign bad_desc = reserved_q || d_root[63:56] != 8'b0 || d_root[11:0] != 12'b0 ||
                    d_nbases > 16'(eie_pkg::MaxBases) ||
                    d_ncmds[31:24] != 8'b0 || d_nrestore[31:24] != 8'b0 ||
                    (d_nbases != 16'b0 && d_bases[3:0] != 4'b0) ||
                    (d_ncmds != 32'b0 && d_cmds[4:0] != 5'b0) ||
                    (d_nrestore != 32'b0 && d_restore[4:0] != 5'b0);

  assign desc_beat = state_q == StDesc && rd_rsp_valid_i;
  assign desc_last = desc_beat && rd_rsp_last_i;
  assign desc_err  = err_q || bus_rd_fault_i;
  assign cancel    = abort || restarted_q;

  always_ff @(posedge clk_host_i) begin
    if (state_q == StDescReq) begin
      reserved_q <= 1'b0;
      err_q      <= 1'b0;
    end else if (desc_beat) begin
      if (!beat_q[2]) begin
        desc_q[128*beat_q[1:0] +: 128] <= rd_rsp_data_i;
      end else if (rd_rsp_data_i != 128'b0) begin
        reserved_q <= 1'b1;
      end
      if (bus_rd_fault_i) begin
        err_q <= 1'b1;
      end
    end
  end

  // On-chip state that outlives a job ------------------------------------------------------------

  logic        owned_q, same_asid, new_epoch, wrap, found, restore_q;
  logic [15:0] owner_q;
  logic [7:0]  epoch_q;
  logic        held_q;             // what the pair (owner_q, residency_q) names is on chip
  logic [63:0] residency_q;
  logic        taken, swept, ended_ok, ended;
  logic [23:0] scrub_q;

  // An epoch is a tag that no granule bears yet; after the last one all tags are swept to zero.
  assign same_asid = owned_q && owner_q == d_asid;
  assign wrap      = state_q == StCheck && !bad_desc && !same_asid && epoch_q == 8'hff;
  assign new_epoch = taken && !same_asid;
  assign found     = held_q && same_asid && d_residency != 64'b0 && residency_q == d_residency;
  assign swept     = state_q == StScrub && scrub_q == 24'(ScrubDepth - 1);

  always_ff @(posedge clk_host_i or negedge rst_ni) begin
    if (!rst_ni) begin
      owned_q     <= 1'b0;
      held_q      <= 1'b0;
      epoch_q     <= '0;
      epoch_new_o <= 1'b0;
      scrub_q     <= '0;
    end else begin
      epoch_new_o <= new_epoch;
      scrub_q     <= state_q == StScrub && !swept ? scrub_q + 24'd1 : 24'd0;
      if (swept) begin
        epoch_q <= '0;
      end else if (new_epoch) begin
        epoch_q <= epoch_q + 8'd1;
      end
      if (clear_i || swept) begin
        owned_q <= 1'b0;
      end else if (taken) begin
        owned_q <= 1'b1;
      end
      if (clear_i) begin
        held_q <= 1'b0;
      end else if (ended) begin
        held_q <= ended_ok && d_residency != 64'b0;
      end
    end
  end

  always_ff @(posedge clk_host_i) begin
    if (taken) begin
      owner_q <= d_asid;
      restore_q <= d_nrestore != 32'b0 && !found;
    end
    if (ended) begin
      residency_q <= d_residency;
    end
  end

  // Base table -----------------------------------------------------------------------------------

  logic [63:0]              base_va_q;
  logic [3:0]               base_left_q, base_burst, base_n;
  logic [8:0]               to_page_end;
  logic [eie_pkg::MaxBases*64-1:0]   bases_q;
  logic                     base_go;

  assign base_n      = 4'(d_nbases[4:1]) + 4'(d_nbases[0]);
  assign to_page_end = 9'd256 - {1'b0, base_va_q[11:4]};
  assign base_burst  = to_page_end < 9'(base_left_q) ? to_page_end[3:0] : base_left_q;
  assign base_go     = state_q == StBaseReq && rd_valid_o && rd_ready_i;

  always_ff @(posedge clk_host_i) begin
    if (taken) begin
      base_va_q   <= d_bases;
      base_left_q <= base_n;
    end else if (base_go) begin
      base_va_q   <= base_va_q + {56'b0, base_burst, 4'b0};
      base_left_q <= base_left_q - base_burst;
    end
    if (state_q == StBase && rd_rsp_valid_i) begin
      bases_q[128*beat_q +: 128] <= rd_rsp_data_i;
    end
  end

  // The table may come in two bursts; the beat number runs on.
  always_ff @(posedge clk_host_i) begin
    if (state_q == StDescReq || state_q == StCheck || state_q == StCplReq) begin
      beat_q <= '0;
    end else if (rd_rsp_valid_i || (dat_valid_o && dat_ready_i)) begin
      beat_q <= beat_q + 3'd1;
    end
  end

  // Faults ---------------------------------------------------------------------------------------

  logic        run_q, start_clock;
  logic [31:0] cycles, limit;
  logic        over, fail;
  logic [7:0]  f_status, status_q;
  logic [63:0] f_addr, fault_addr_q;
  logic [31:0] f_cmd, fault_cmd_q;
  logic        settled_q, quiet_end;

  assign quiet_end = (state_q == StDrain || state_q == StFlush) && settled_q && quiet_i;
  assign limit     = d_limit == 32'b0 ? 32'hffff_ffff : d_limit;
  assign over      = cycles == limit;   // this cycle is one too many, even if it is the last

  // The lowest status wins, then the first source.
  always_comb begin
    fail     = 1'b0;
    f_status = eie_pkg::StatusAborted;
    f_addr   = '0;
    f_cmd    = '0;
    if (run_q && state_q != StFlush) begin
      fail = abort || over || (state_q == StCheck && bad_desc) || (|fault_valid_i);
      if (over) begin
        f_status = eie_pkg::StatusTimeout;
      end
      if (|fault_valid_i) begin
        for (int i = Sources - 1; i >= 0; i--) begin
          if (fault_valid_i[i] && fault_status_i[8*i +: 8] <= f_status) begin
            f_status = fault_status_i[8*i +: 8];
            f_addr   = fault_addr_i[64*i +: 64];
            f_cmd    = fault_cmd_i[32*i +: 32];
          end
        end
      end
      if (state_q == StCheck && bad_desc) begin
        f_status = eie_pkg::StatusBadDescriptor;
        f_addr   = '0;
        f_cmd    = '0;
      end
    end
  end

  always_ff @(posedge clk_host_i) begin
    if (start_clock) begin
      status_q     <= eie_pkg::StatusOk;
      fault_addr_q <= '0;
      fault_cmd_q  <= '0;
    end else if (fail) begin
      status_q     <= f_status;
      fault_addr_q <= f_status == eie_pkg::StatusPageFault ||
                      f_status == eie_pkg::StatusBusError ? f_addr : 64'b0;
      fault_cmd_q  <= f_cmd;
    end
  end

  // Time -----------------------------------------------------------------------------------------

  logic        asked_q, restored_q;
  logic [63:0] time_start_q, time_end_q;

  // A sweep of the tags is the chip's business: the clock of the job starts again after it.
  assign start_clock = (desc_last && !desc_err && !cancel) || (swept && busy_o);
  assign ended       = quiet_end && !fail;
  assign ended_ok    = state_q == StDrain;

  always_ff @(posedge clk_host_i or negedge rst_ni) begin
    if (!rst_ni) begin
      run_q     <= 1'b0;
      settled_q <= 1'b0;
    end else begin
      if (start_clock) begin
        run_q <= 1'b1;
      end else if (ended || wrap) begin
        run_q <= 1'b0;
      end
      // Idle must last two cycles, so that what the flush has just reached can answer.
      settled_q <= (state_q == StDrain || state_q == StFlush) && state_d == state_q && quiet_i;
    end
  end

  always_ff @(posedge clk_host_i) begin
    if (start_clock) begin
      time_start_q <= time_i;
      asked_q      <= 1'b0;
      restored_q   <= 1'b0;
    end else if (cmd_start_o) begin
      asked_q <= 1'b1;
      if (cmd_restore_o) begin
        restored_q <= 1'b1;
      end
    end
    if (ended) begin
      time_end_q <= time_i;
    end
  end

  // Steps ----------------------------------------------------------------------------------------

  logic launch;   // a run of commands begins in the next cycle

  always_comb begin
    state_d = state_q;
    launch  = 1'b0;
    taken   = 1'b0;
    unique case (state_q)
      StScrub: begin
        if (swept) begin
          state_d = busy_o ? StCheck : StIdle;
        end
      end
      StIdle: begin
        if (enable_i && !abort_i && (|job_i)) begin
          state_d = StDescReq;
        end
      end
      StDescReq: begin
        if (rd_valid_o && rd_ready_i) begin
          state_d = StDesc;
        end else if (cancel) begin
          state_d = StIdle;
        end
      end
      // A job whose descriptor arrives after an abort stays in its ring.
      StDesc: begin
        if (desc_last) begin
          state_d = desc_err || cancel ? StIdle : StCheck;
        end
      end
      StCheck: begin
        if (wrap) begin
          state_d = StScrub;
        end else if (!fail) begin
          taken   = 1'b1;
          state_d = d_nbases == 16'b0 ? StClear : StBaseReq;
        end
      end
      StBaseReq: begin
        if (base_go) begin
          state_d = StBase;
        end
      end
      StBase: begin
        if (rd_rsp_valid_i && rd_rsp_last_i) begin
          state_d = base_left_q == 4'd0 ? StClear : StBaseReq;
        end
      end
      StClear: begin
        if (!clear_busy_i) begin
          if (restore_q) begin
            launch  = 1'b1;
            state_d = StRestore;
          end else if (d_ncmds != 32'b0) begin
            launch  = 1'b1;
            state_d = StMain;
          end else begin
            state_d = StDrain;
          end
        end
      end
      StRestore: begin
        if (cmd_done_i) begin
          launch  = d_ncmds != 32'b0;
          state_d = d_ncmds != 32'b0 ? StMain : StDrain;
        end
      end
      StMain: begin
        if (cmd_done_i) begin
          state_d = StDrain;
        end
      end
      StDrain, StFlush: begin
        if (quiet_end) begin
          state_d = restarted_q ? StIdle : StCplReq;
        end
      end
      StCplReq: begin
        if (restarted_q) begin
          state_d = StIdle;
        end else if (wr_ready_i) begin
          state_d = StCplData;
        end
      end
      StCplData: begin
        if (dat_ready_i && beat_q == 3'd7) begin
          state_d = StCplResp;
        end
      end
      StCplResp: begin
        if (wr_rsp_valid_i) begin
          state_d = StIdle;
        end
      end
      default: state_d = StIdle;
    endcase
    if (fail && !wrap) begin
      state_d = StFlush;
      launch  = 1'b0;
    end
  end

  always_ff @(posedge clk_host_i or negedge rst_ni) begin
    if (!rst_ni) begin
      state_q     <= StScrub;
      busy_o      <= 1'b0;
      cmd_start_o <= 1'b0;
    end else begin
      state_q     <= state_d;
      cmd_start_o <= launch;
      if (state_q == StIdle && state_d == StDescReq) begin
        busy_o <= 1'b1;
      end else if (state_d == StIdle) begin
        busy_o <= 1'b0;
      end
    end
  end

  logic job_rest;

  // Nothing happens, or the commands of a job run.
  assign rest_o    = (state_q == StIdle || state_q == StRestore || state_q == StMain) && state_d == state_q &&
                     job_rest && restarted_i == '0 && !clear_i;
  assign job_rest  = state_q != StIdle || job_i == '0;   // in StIdle the next queue is chosen
  assign ready_o   = state_q == StIdle;
  assign running_o = busy_o ? queue_onehot : '0;

  // Errors of the device's own accesses are the queue's: it stops, the others go on.
  logic cpl_err;
  assign cpl_err      = state_q == StCplResp && wr_rsp_valid_i && bus_wr_fault_i;
  assign stop_o       = (desc_last && desc_err) || cpl_err ? queue_onehot : '0;
  assign stop_cause_o = cpl_err ? eie_pkg::HaltCplWrite : eie_pkg::HaltDescRead;
  assign stop_addr_o  = cpl_err ? bus_wr_fault_addr_i : bus_rd_fault_addr_i;

  assign progress_o = run_q && !flush_o ? 3'(retired_i) + 3'(read_beat_i) + 3'(walk_beat_i) +
                                          3'(write_beat_i) : 3'd0;

  // Outputs --------------------------------------------------------------------------------------

  assign asid_o     = d_asid;
  assign root_o     = d_root[55:0];
  assign rd_phys_o  = state_q == StDescReq;
  assign rd_valid_o = (state_q == StDescReq && !cancel) || state_q == StBaseReq;
  assign rd_va_o    = rd_phys_o ? desc_addr_i[64*queue_q +: 64] : base_va_q;
  assign rd_len_o   = rd_phys_o ? 4'd7 : base_burst - 4'd1;

  assign flush_o       = state_q == StFlush;
  assign epoch_o       = epoch_q;
  assign scrub_o       = state_q == StScrub;
  assign scrub_addr_o  = scrub_q;
  assign clear_o       = taken;
  assign cmd_restore_o = state_q == StRestore;
  assign cmd_va_o      = cmd_restore_o ? d_restore : d_cmds;
  assign cmd_count_o   = cmd_restore_o ? d_nrestore[23:0] : d_ncmds[23:0];
  assign bases_o       = bases_q;
  assign nbases_o      = d_nbases[4:0];

  assign pop_o       = start_clock && desc_last ? queue_onehot : '0;
  assign push_o      = wr_valid_o && wr_ready_i ? queue_onehot : '0;
  assign completed_o = state_q == StCplResp && wr_rsp_valid_i && !bus_wr_fault_i && !restarted_q ?
                       queue_onehot : '0;

  // Completion entry -----------------------------------------------------------------------------

  logic [63:0] macs;
  logic [31:0] busy, s_drain, s_array, s_load, s_store, s_sync, s_cmd, s_front, s_tail;
  logic [31:0] engine_cycles, saturated, read_beats, write_beats, tlb_misses, commands;
  logic        phase_q;
  logic [15:0] head_q;

  eie_counters u_counters (
    .clk_i, .rst_ni, .clear_i(start_clock), .run_i(run_q), .asked_i(asked_q),
    .macs_i, .mac_active_i, .drain_active_i, .engine_active_i, .sats_i, .sync_wait_i, .wait_load_i,
    .wait_store_i, .fetching_i, .dispatched_i, .read_beat_i, .write_beat_i, .tlb_miss_i, .class_o,
    .macs_o(macs), .cycles_o(cycles), .busy_o(busy), .drain_o(s_drain), .array_o(s_array),
    .load_o(s_load), .store_o(s_store), .sync_o(s_sync), .cmd_o(s_cmd), .front_o(s_front),
    .tail_o(s_tail), .engine_cycles_o(engine_cycles), .saturated_o(saturated),
    .read_beats_o(read_beats), .write_beats_o(write_beats), .tlb_misses_o(tlb_misses),
    .commands_o(commands)
  );

  assign run_o   = run_q && !wrap;   // a job that waits for a sweep begins again behind it
  assign ended_o = ended;
  assign base_o  = state_q == StBase;

  assign wr_valid_o  = state_q == StCplReq && !restarted_q;
  assign wr_pa_o     = cpl_addr_i[64*queue_q +: 64];
  assign dat_valid_o = state_q == StCplData;

  always_ff @(posedge clk_host_i) begin
    if (state_q == StCplReq) begin
      phase_q <= cpl_phase_i[queue_q];
      head_q  <= sq_head_i[16*queue_q +: 16];
    end
  end

  always_comb begin
    dat_data_o = '0;
    if (state_q == StCplData) begin
      unique case (beat_q)
        3'd0:    dat_data_o = {fault_addr_q, d_fence};
        3'd1:    dat_data_o = {time_end_q, time_start_q};
        3'd2:    dat_data_o = {busy, cycles, macs};
        3'd3:    dat_data_o = {s_store, s_load, s_array, s_drain};
        3'd4:    dat_data_o = {s_tail, s_front, s_cmd, s_sync};
        3'd5:    dat_data_o = {write_beats, read_beats, saturated, engine_cycles};
        3'd6:    dat_data_o = {32'b0, fault_cmd_q, commands, tlb_misses};
        default: dat_data_o = {31'b0, phase_q, 31'b0, restored_q, 16'b0, head_q, 24'b0, status_q};
      endcase
    end
  end

  // Assertions -----------------------------------------------------------------------------------

`ifndef SYNTHESIS
  assert property (@(posedge clk_host_i) disable iff (!rst_ni)
    ended |=> {32'b0, cycles} == time_end_q - time_start_q);
  assert property (@(posedge clk_host_i) disable iff (!rst_ni) run_q && fail && !wrap |=> flush_o);
  // A granule of another address space never counts as written.
  assert property (@(posedge clk_host_i) disable iff (!rst_ni)
    cmd_start_o |-> epoch_q != 8'd0 && same_asid);
`endif

endmodule
