// SPDX-License-Identifier: GPL-2.0 OR MIT
//
// Registers and ring arithmetic of one submission/completion queue pair. Q_SQ_BASE, Q_CQ_BASE and
// Q_SIZE are copied when ENABLE rises, so that rewriting them does not move a ring in use. A reset
// of the queue waits until its job is off the chip; until then the ring takes the job's entry.

module eie_queue (
  input  logic        clk_i,
  input  logic        rst_ni,
  input  logic        clear_i,        // end of CTRL.RESET

  input  logic        we_i,
  input  logic [7:0]  waddr_i,
  input  logic [31:0] wdata_i,
  input  logic [7:0]  raddr_i,
  output logic [31:0] rdata_o,
  output logic        stopped_o,      // pulse: Q_STATUS.ERROR is set in the next cycle
  output logic        restarted_o,    // pulse: ENABLE rose, counters are zero again
  output logic        reset_o,        // Q_CTRL.RESET: the queue's job is to end

  input  logic        running_i,      // the job on the chip is of this queue
  output logic        job_o,          // a job may start
  output logic [63:0] desc_addr_o,    // of the next job's descriptor
  output logic [63:0] cpl_addr_o,     // of the next completion entry
  output logic        cpl_phase_o,
  output logic [15:0] sq_head_o,
  input  logic        pop_i,          // a job was taken
  input  logic        push_i,         // a completion entry is on its way
  input  logic        stop_i,         // pulse, with the two below: bus error on an entry of a ring
  input  logic [7:0]  stop_cause_i,
  input  logic [63:0] stop_addr_i
);

  logic [63:7] sq_base_q, cq_base_q, sq_act_q, cq_act_q;
  logic [3:0]  sq_log2_q, cq_log2_q, sq_log2_act_q, cq_log2_act_q;
  logic        enable_q, error_q, reset_q;
  logic [7:0]  cause_q;
  logic [63:0] fault_addr_q;
  logic [15:0] sq_tail_q, sq_head_q, cq_tail_q, cq_head_q;

  // Registers ------------------------------------------------------------------------------------

  logic we_ctrl, we_reset, we_bell, rise, clear, refused;
  assign we_ctrl     = we_i && waddr_i == eie_pkg::RegQCtrl[7:0] && !reset_q;
  assign we_reset    = we_ctrl && wdata_i[eie_pkg::QCtrlResetLsb];
  assign we_bell     = we_i && waddr_i == eie_pkg::RegQDoorbell[7:0] && enable_q && !error_q;
  assign rise        = we_ctrl && !we_reset && wdata_i[eie_pkg::QCtrlEnableLsb] && !enable_q;
  assign restarted_o = rise || clear_i;
  assign clear       = clear_i || (reset_q && !running_i);
  assign reset_o     = reset_q;

  // A doorbell may not promise more jobs than the ring holds, nor consume entries that were not
  // written. The completion tail moves when the entry is sent, so software cannot be ahead of it.
  logic [15:0] sq_size, cq_size, jobs, unread;
  assign sq_size   = 16'd1 << sq_log2_act_q;
  assign cq_size   = 16'd1 << cq_log2_act_q;
  assign jobs      = wdata_i[15:0] - sq_head_q;
  assign unread    = cq_tail_q - wdata_i[31:16];
  assign refused   = we_bell && (jobs > sq_size || unread > cq_size);
  assign stopped_o = refused || stop_i;

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      sq_base_q <= '0;
      cq_base_q <= '0;
      sq_log2_q <= '0;
      cq_log2_q <= '0;
      enable_q  <= 1'b0;
      error_q   <= 1'b0;
      reset_q   <= 1'b0;
      cause_q   <= eie_pkg::HaltNone;
      sq_tail_q <= '0;
      sq_head_q <= '0;
      cq_tail_q <= '0;
      cq_head_q <= '0;
    end else if (clear) begin
      sq_base_q <= '0;
      cq_base_q <= '0;
      sq_log2_q <= '0;
      cq_log2_q <= '0;
      enable_q  <= 1'b0;
      error_q   <= 1'b0;
      reset_q   <= 1'b0;
      cause_q   <= eie_pkg::HaltNone;
      sq_tail_q <= '0;
      sq_head_q <= '0;
      cq_tail_q <= '0;
      cq_head_q <= '0;
    end else begin
      if (we_i) begin
        unique case (waddr_i)
          eie_pkg::RegQSqBaseLo[7:0]: sq_base_q[31:7]  <= wdata_i[31:7];
          eie_pkg::RegQSqBaseHi[7:0]: sq_base_q[63:32] <= wdata_i;
          eie_pkg::RegQCqBaseLo[7:0]: cq_base_q[31:7]  <= wdata_i[31:7];
          eie_pkg::RegQCqBaseHi[7:0]: cq_base_q[63:32] <= wdata_i;
          eie_pkg::RegQSize[7:0]: begin
            sq_log2_q <= wdata_i[eie_pkg::QSizeSqLog2Lsb +: eie_pkg::QSizeSqLog2Width];
            cq_log2_q <= wdata_i[eie_pkg::QSizeCqLog2Lsb +: eie_pkg::QSizeCqLog2Width];
          end
          default: ;
        endcase
      end
      if (we_ctrl) begin
        enable_q <= wdata_i[eie_pkg::QCtrlEnableLsb] && !we_reset;
        reset_q  <= we_reset;
      end
      if (pop_i) begin
        sq_head_q <= sq_head_q + 16'd1;
      end
      if (push_i) begin
        cq_tail_q <= cq_tail_q + 16'd1;
      end
      if (rise) begin
        error_q   <= 1'b0;
        cause_q   <= eie_pkg::HaltNone;
        sq_tail_q <= '0;
        sq_head_q <= '0;
        cq_tail_q <= '0;
        cq_head_q <= '0;
      end else if (we_bell && !refused) begin
        sq_tail_q <= wdata_i[eie_pkg::QDoorbellSqTailLsb +: eie_pkg::QDoorbellSqTailWidth];
        cq_head_q <= wdata_i[eie_pkg::QDoorbellCqHeadLsb +: eie_pkg::QDoorbellCqHeadWidth];
      end
      if (stop_i) begin
        error_q <= 1'b1;
        cause_q <= stop_cause_i;
      end else if (refused) begin
        error_q <= 1'b1;
        cause_q <= eie_pkg::HaltDoorbell;
      end
    end
  end

  always_ff @(posedge clk_i) begin
    if (stop_i) begin
      fault_addr_q <= stop_addr_i;
    end
    if (rise) begin
      sq_act_q      <= sq_base_q;
      cq_act_q      <= cq_base_q;
      sq_log2_act_q <= sq_log2_q;
      cq_log2_act_q <= cq_log2_q;
    end
  end

  logic addressed;    // the cause is one with an address
  assign addressed = cause_q == eie_pkg::HaltDescRead || cause_q == eie_pkg::HaltCplWrite;

  always_comb begin
    unique case (raddr_i)
      eie_pkg::RegQSqBaseLo[7:0]: rdata_o = {sq_base_q[31:7], 7'b0};
      eie_pkg::RegQSqBaseHi[7:0]: rdata_o = sq_base_q[63:32];
      eie_pkg::RegQCqBaseLo[7:0]: rdata_o = {cq_base_q[31:7], 7'b0};
      eie_pkg::RegQCqBaseHi[7:0]: rdata_o = cq_base_q[63:32];
      eie_pkg::RegQSize[7:0]:     rdata_o = {20'b0, cq_log2_q, 4'b0, sq_log2_q};
      eie_pkg::RegQCtrl[7:0]:     rdata_o = {30'b0, reset_q, enable_q};
      eie_pkg::RegQStatus[7:0]:   rdata_o = {16'b0, cause_q, 6'b0, running_i, error_q};
      eie_pkg::RegQDoorbell[7:0]: rdata_o = {cq_head_q, sq_tail_q};
      eie_pkg::RegQHeads[7:0]:    rdata_o = {cq_tail_q, sq_head_q};
      eie_pkg::RegQFaultAddrLo[7:0]: rdata_o = addressed ? fault_addr_q[31:0] : '0;
      eie_pkg::RegQFaultAddrHi[7:0]: rdata_o = addressed ? fault_addr_q[63:32] : '0;
      default:                    rdata_o = '0;
    endcase
  end

  // Rings ----------------------------------------------------------------------------------------

  logic [15:0] cq_used;
  assign cq_used = cq_tail_q - cq_head_q;
  assign job_o   = enable_q && !error_q && sq_tail_q != sq_head_q && cq_used < cq_size;

  assign desc_addr_o = {sq_act_q, 7'b0} + {41'b0, sq_head_q & (sq_size - 16'd1), 7'b0};
  assign cpl_addr_o  = {cq_act_q, 7'b0} + {41'b0, cq_tail_q & (cq_size - 16'd1), 7'b0};
  assign cpl_phase_o = (cq_tail_q & cq_size) == 16'b0;
  assign sq_head_o   = sq_head_q;

  // Assertions -----------------------------------------------------------------------------------

`ifndef SYNTHESIS
  assert property (@(posedge clk_i) disable iff (!rst_ni) pop_i || push_i || stop_i |-> running_i);
  assert property (@(posedge clk_i) disable iff (!rst_ni) error_q == (cause_q != eie_pkg::HaltNone));
  assert property (@(posedge clk_i) disable iff (!rst_ni) reset_q |-> !enable_q && !job_o);
`endif

endmodule
