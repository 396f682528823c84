// SPDX-License-Identifier: GPL-2.0 OR MIT
//
// AXI4-Lite slave with the registers of hw/eie_hw.def and the device-tree ROM. Only aligned writes
// with all four strobes take effect; every access is answered OKAY.

module eie_regs #(
  parameter int unsigned Queues = 1
) (
  input  logic                 clk_i,
  input  logic                 clk_host_i,    // of all but the time, may stop while rest_o
  output logic                 rest_o,
  input  logic                 rst_ni,

  input  logic                 s_awvalid_i,
  output logic                 s_awready_o,
  input  logic [15:0]          s_awaddr_i,
  input  logic                 s_wvalid_i,
  output logic                 s_wready_o,
  input  logic [31:0]          s_wdata_i,
  input  logic [3:0]           s_wstrb_i,
  output logic                 s_bvalid_o,
  input  logic                 s_bready_i,
  output logic [1:0]           s_bresp_o,
  input  logic                 s_arvalid_i,
  output logic                 s_arready_o,
  input  logic [15:0]          s_araddr_i,
  output logic                 s_rvalid_o,
  input  logic                 s_rready_i,
  output logic [31:0]          s_rdata_o,
  output logic [1:0]           s_rresp_o,

  output logic                 irq_o,
  output logic [Queues:0]      irq_vec_o,

  // eie_perf: the counter that is read
  output logic                 perf_re_o,
  output logic [$clog2(eie_pkg::PerfCounters)-1:0] perf_index_o,
  input  logic [63:0]          perf_i,

  output logic [63:0]          time_o,
  output logic                 enable_o,
  output logic                 abort_o,        // CTRL.ABORT or CTRL.RESET
  output logic                 clear_o,        // pulse: CTRL.RESET is done
  output logic                 inv_o,
  output logic                 inv_all_o,
  output logic [15:0]          inv_asid_o,
  input  logic                 inv_busy_i,

  // eie_frontend; q's bits of the vectors are queue q's
  input  logic                 busy_i,         // a job is on the chip
  input  logic                 ready_i,        // no job and no sweep: a reset may end
  input  logic                 bus_idle_i,
  input  logic [2:0]           progress_i,     // added to PROGRESS
  input  logic [Queues-1:0]    stop_i,         // pulse, with the two below
  input  logic [7:0]           stop_cause_i,
  input  logic [63:0]          stop_addr_i,
  input  logic [Queues-1:0]    completed_i,    // pulses: completion entry acknowledged
  input  logic [Queues-1:0]    running_i,
  input  logic [Queues-1:0]    pop_i,
  input  logic [Queues-1:0]    push_i,
  output logic [Queues-1:0]    restarted_o,
  output logic [Queues-1:0]    reset_o,        // the queue is being reset
  output logic [Queues-1:0]    job_o,
  output logic [Queues*64-1:0] desc_addr_o,
  output logic [Queues*64-1:0] cpl_addr_o,
  output logic [Queues-1:0]    cpl_phase_o,
  output logic [Queues*16-1:0] sq_head_o
);

  localparam logic [15:0] QBase = eie_pkg::QueueBase[15:0];
  localparam logic [15:0] PerfBase = eie_pkg::PerfBase[15:0];
  localparam logic [15:0] PerfEnd = PerfBase + 16'(eie_pkg::PerfCounters * eie_pkg::PerfStride);
  localparam logic [15:0] RomBase = eie_pkg::DtBase[15:0];
  localparam int unsigned DtAw = $clog2(eie_cfg_pkg::DtWords);

  // Bus ------------------------------------------------------------------------------------------

  logic        aw_q, w_q, bvalid_q, rvalid_q, write, we, re;
  logic [15:0] waddr_q;
  logic [31:0] wdata_q, rdata, rdata_q;
  logic        wfull_q;

  assign s_awready_o = !aw_q;
  assign s_wready_o  = !w_q;
  assign s_bvalid_o  = bvalid_q;
  assign s_bresp_o   = 2'b00;
  assign s_arready_o = !rvalid_q || s_rready_i;
  assign s_rvalid_o  = rvalid_q;
  assign s_rdata_o   = rdata_q;
  assign s_rresp_o   = 2'b00;
  assign write       = aw_q && w_q && (!bvalid_q || s_bready_i);
  assign we          = write && wfull_q;
  assign re          = s_arvalid_i && s_arready_o;

  always_ff @(posedge clk_host_i or negedge rst_ni) begin
    if (!rst_ni) begin
      aw_q     <= 1'b0;
      w_q      <= 1'b0;
      bvalid_q <= 1'b0;
      rvalid_q <= 1'b0;
    end else begin
      aw_q     <= aw_q ? !write : s_awvalid_i;
      w_q      <= w_q ? !write : s_wvalid_i;
      bvalid_q <= write || (bvalid_q && !s_bready_i);
      rvalid_q <= re || (rvalid_q && !s_rready_i);
    end
  end

  always_ff @(posedge clk_host_i) begin
    if (s_awvalid_i && !aw_q) begin
      waddr_q <= s_awaddr_i;
    end
    if (s_wvalid_i && !w_q) begin
      wdata_q <= s_wdata_i;
      wfull_q <= &s_wstrb_i;
    end
    if (re) begin
      rdata_q <= rdata;
    end
  end

  // Queues ---------------------------------------------------------------------------------------

  logic [Queues-1:0]    stopped;
  logic [Queues*32-1:0] queue_rdata;

  for (genvar q = 0; q < Queues; q++) begin : g_queue
    localparam logic [15:0] Base = QBase + 16'(q * eie_pkg::QueueStride);
    eie_queue u_queue (
      .clk_i(clk_host_i), .rst_ni, .clear_i(clear_o),
      .we_i(we && waddr_q[15:8] == Base[15:8]), .waddr_i(waddr_q[7:0]), .wdata_i(wdata_q),
      .raddr_i(s_araddr_i[7:0]), .rdata_o(queue_rdata[32*q +: 32]),
      .stopped_o(stopped[q]), .restarted_o(restarted_o[q]), .reset_o(reset_o[q]),
      .running_i(running_i[q]), .job_o(job_o[q]),
      .desc_addr_o(desc_addr_o[64*q +: 64]), .cpl_addr_o(cpl_addr_o[64*q +: 64]),
      .cpl_phase_o(cpl_phase_o[q]), .sq_head_o(sq_head_o[16*q +: 16]),
      .pop_i(pop_i[q]), .push_i(push_i[q]),
      .stop_i(stop_i[q]), .stop_cause_i, .stop_addr_i
    );
  end

  // Global registers -----------------------------------------------------------------------------

  logic              enable_q, abort_q, reset_q;
  logic [63:0]       time_q;
  logic [31:0]       time_hi_q, perf_hi_q;
  logic [Queues-1:0] irq_q, irq_enable_q, irq_clear;
  logic              irq_fault_q, irq_fault_enable_q, irq_fault_clear;
  logic [31:0]       progress_q;

  assign enable_o = enable_q;
  assign rest_o   = !s_awvalid_i && !s_wvalid_i && !s_arvalid_i && !aw_q && !w_q && !bvalid_q && !rvalid_q && !reset_q &&
                    reset_o == '0;
  assign abort_o  = abort_q || reset_q;
  assign clear_o  = reset_q && ready_i && bus_idle_i;
  assign time_o   = time_q;

  assign irq_clear       = we && waddr_q == eie_pkg::RegIrqStatus ? wdata_q[Queues-1:0] : '0;
  assign irq_fault_clear = we && waddr_q == eie_pkg::RegIrqStatus &&
                           wdata_q[eie_pkg::IrqStatusFaultLsb];

  always_ff @(posedge clk_host_i or negedge rst_ni) begin
    if (!rst_ni) begin
      enable_q           <= 1'b0;
      abort_q            <= 1'b0;
      reset_q            <= 1'b0;
      time_hi_q          <= '0;
      perf_hi_q          <= '0;
      irq_q              <= '0;
      irq_enable_q       <= '0;
      irq_fault_q        <= 1'b0;
      irq_fault_enable_q <= 1'b0;
      irq_vec_o          <= '0;
      progress_q         <= '0;
    end else begin
      irq_q       <= (irq_q & ~irq_clear) | completed_i;
      irq_fault_q <= (irq_fault_q && !irq_fault_clear) || (|stopped);
      irq_vec_o   <= {|stopped, completed_i};
      if (progress_i != 3'd0) begin
        progress_q <= progress_q + 32'(progress_i);
      end
      if (re && s_araddr_i == eie_pkg::RegTimeLo) begin
        time_hi_q <= time_q[63:32];
      end
      if (re && perf_re_o && !s_araddr_i[2]) begin
        perf_hi_q <= perf_i[63:32];
      end
      if (we && waddr_q == eie_pkg::RegCtrl) begin
        enable_q <= wdata_q[eie_pkg::CtrlEnableLsb];
        abort_q  <= wdata_q[eie_pkg::CtrlAbortLsb];
      end
      if (we && waddr_q == eie_pkg::RegCtrl && wdata_q[eie_pkg::CtrlResetLsb]) begin
        reset_q <= 1'b1;
      end else if (clear_o) begin
        reset_q <= 1'b0;
      end
      if (we && waddr_q == eie_pkg::RegIrqEnable) begin
        irq_enable_q       <= wdata_q[Queues-1:0];
        irq_fault_enable_q <= wdata_q[eie_pkg::IrqStatusFaultLsb];
      end
    end
  end

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      time_q <= '0;
    end else begin
      time_q <= time_q + 64'd1;
    end
  end

  assign irq_o = |(irq_q & irq_enable_q) || (irq_fault_q && irq_fault_enable_q);

  // The end of a reset forgets every translation, as TLB_INV does.
  assign inv_o      = clear_o || (we && waddr_q == eie_pkg::RegTlbInv);
  assign inv_all_o  = clear_o || wdata_q[eie_pkg::TlbInvAllLsb];
  assign inv_asid_o = wdata_q[eie_pkg::TlbInvAsidLsb +: eie_pkg::TlbInvAsidWidth];

  // Reading --------------------------------------------------------------------------------------

  logic [12:0] rom_word;
  logic        quiesced;
  assign rom_word = s_araddr_i[14:2];
  assign perf_index_o = ($clog2(eie_pkg::PerfCounters))'((s_araddr_i - PerfBase) / 16'(eie_pkg::PerfStride));
  assign perf_re_o    = s_arvalid_i && s_araddr_i >= PerfBase && s_araddr_i < PerfEnd && s_araddr_i[1:0] == 2'b00;
  assign quiesced = abort_q && !busy_i && bus_idle_i;

  always_comb begin
    rdata = '0;
    if (s_arvalid_i) begin
      unique case (s_araddr_i)
        eie_pkg::RegId:          rdata = eie_pkg::IdValue;
        eie_pkg::RegVersion:     rdata = {eie_pkg::IsaMajor[15:0], eie_pkg::IsaMinor[15:0]};
        eie_pkg::RegCtrl:        rdata = {29'b0, reset_q, abort_q, enable_q};
        eie_pkg::RegStatus:      rdata = {30'b0, quiesced, busy_i};
        eie_pkg::RegIrqStatus:   rdata = {irq_fault_q, 31'(irq_q)};
        eie_pkg::RegIrqEnable:   rdata = {irq_fault_enable_q, 31'(irq_enable_q)};
        eie_pkg::RegInvStatus:   rdata = {31'b0, !inv_busy_i && !inv_o};
        eie_pkg::RegTimeLo:      rdata = time_q[31:0];
        eie_pkg::RegTimeHi:      rdata = time_hi_q;
        eie_pkg::RegNqueues:     rdata = Queues;
        eie_pkg::RegDtSize:      rdata = eie_cfg_pkg::DtBytes;
        eie_pkg::RegProgress:    rdata = progress_q;
        default: begin
          for (int q = 0; q < Queues; q++) begin
            if (s_araddr_i[15:8] == QBase[15:8] + 8'(q)) begin
              rdata = queue_rdata[32*q +: 32];
            end
          end
          if (perf_re_o) begin
            rdata = s_araddr_i[2] ? perf_hi_q : perf_i[31:0];
          end
          if (s_araddr_i[15] == RomBase[15] && s_araddr_i[1:0] == 2'b00 &&
              rom_word < 13'(eie_cfg_pkg::DtWords)) begin
            rdata = eie_cfg_pkg::DtRom[32*rom_word[DtAw-1:0] +: 32];
          end
        end
      endcase
    end
  end

  // Assertions -----------------------------------------------------------------------------------

`ifndef SYNTHESIS
  assert property (@(posedge clk_host_i) disable iff (!rst_ni)
    s_bvalid_o && !s_bready_i |=> s_bvalid_o);
  assert property (@(posedge clk_host_i) disable iff (!rst_ni)
    s_rvalid_o && !s_rready_i |=> s_rvalid_o && $stable(s_rdata_o));
`endif

endmodule
