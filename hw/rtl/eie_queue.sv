// SPDX-License-Identifier: GPL-2.0 OR MIT
//
// Registers and ring arithmetic of one submission/completion queue pair. Q_SQ_BASE, Q_CQ_BASE and
// Q_SIZE are copied when ENABLE rises, so that rewriting them does not move a ring in use.

module eie_queue (
  input  logic        clk_i,
  input  logic        rst_ni,
  input  logic        clear_i,        // end of CTRL.RESET

  input  logic        we_i,
  input  logic [7:0]  waddr_i,
  input  logic [31:0] wdata_i,
  input  logic [7:0]  raddr_i,
  output logic [31:0] rdata_o,
  output logic        refused_o,      // pulse: doorbell refused
  output logic        restarted_o,    // pulse: ENABLE rose, counters are zero again

  input  logic        running_i,      // the job on the chip is of this queue
  output logic        job_o,          // a job may start
  output logic [63:0] desc_addr_o,    // of the next job's descriptor
  output logic [63:0] cpl_addr_o,     // of the next completion entry
  output logic        cpl_phase_o,
  output logic [15:0] sq_head_o,
  input  logic        pop_i,          // a job was taken
  input  logic        push_i          // a completion entry is on its way
);

  logic [63:7] sq_base_q, cq_base_q, sq_act_q, cq_act_q;
  logic [3:0]  sq_log2_q, cq_log2_q, sq_log2_act_q, cq_log2_act_q;
  logic        enable_q, error_q;
  logic [15:0] sq_tail_q, sq_head_q, cq_tail_q, cq_head_q;

  // Registers ------------------------------------------------------------------------------------

  logic we_ctrl, we_bell, rise;
  assign we_ctrl     = we_i && waddr_i == eie_pkg::RegQCtrl[7:0];
  assign we_bell     = we_i && waddr_i == eie_pkg::RegQDoorbell[7:0] && enable_q && !error_q;
  assign rise        = we_ctrl && wdata_i[0] && !enable_q;
  assign restarted_o = rise || clear_i;

  // A doorbell may not promise more jobs than the ring holds, nor consume entries that were not
  // written. The completion tail moves when the entry is sent, so software cannot be ahead of it.
  logic [15:0] sq_size, cq_size, jobs, unread;
  assign sq_size   = 16'd1 << sq_log2_act_q;
  assign cq_size   = 16'd1 << cq_log2_act_q;
  assign jobs      = wdata_i[15:0] - sq_head_q;
  assign unread    = cq_tail_q - wdata_i[31:16];
  assign refused_o = we_bell && (jobs > sq_size || unread > cq_size);

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      sq_base_q <= '0;
      cq_base_q <= '0;
      sq_log2_q <= '0;
      cq_log2_q <= '0;
      enable_q  <= 1'b0;
      error_q   <= 1'b0;
      sq_tail_q <= '0;
      sq_head_q <= '0;
      cq_tail_q <= '0;
      cq_head_q <= '0;
    end else if (clear_i) begin
      sq_base_q <= '0;
      cq_base_q <= '0;
      sq_log2_q <= '0;
      cq_log2_q <= '0;
      enable_q  <= 1'b0;
      error_q   <= 1'b0;
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
          eie_pkg::RegQCtrl[7:0]: enable_q <= wdata_i[0];
          default: ;
        endcase
      end
      if (pop_i) begin
        sq_head_q <= sq_head_q + 16'd1;
      end
      if (push_i) begin
        cq_tail_q <= cq_tail_q + 16'd1;
      end
      if (rise) begin
        error_q   <= 1'b0;
        sq_tail_q <= '0;
        sq_head_q <= '0;
        cq_tail_q <= '0;
        cq_head_q <= '0;
      end else if (refused_o) begin
        error_q <= 1'b1;
      end else if (we_bell) begin
        sq_tail_q <= wdata_i[eie_pkg::QDoorbellSqTailLsb +: eie_pkg::QDoorbellSqTailWidth];
        cq_head_q <= wdata_i[eie_pkg::QDoorbellCqHeadLsb +: eie_pkg::QDoorbellCqHeadWidth];
      end
    end
  end

  always_ff @(posedge clk_i) begin
    if (rise) begin
      sq_act_q      <= sq_base_q;
      cq_act_q      <= cq_base_q;
      sq_log2_act_q <= sq_log2_q;
      cq_log2_act_q <= cq_log2_q;
    end
  end

  always_comb begin
    unique case (raddr_i)
      eie_pkg::RegQSqBaseLo[7:0]: rdata_o = {sq_base_q[31:7], 7'b0};
      eie_pkg::RegQSqBaseHi[7:0]: rdata_o = sq_base_q[63:32];
      eie_pkg::RegQCqBaseLo[7:0]: rdata_o = {cq_base_q[31:7], 7'b0};
      eie_pkg::RegQCqBaseHi[7:0]: rdata_o = cq_base_q[63:32];
      eie_pkg::RegQSize[7:0]:     rdata_o = {20'b0, cq_log2_q, 4'b0, sq_log2_q};
      eie_pkg::RegQCtrl[7:0]:     rdata_o = {31'b0, enable_q};
      eie_pkg::RegQStatus[7:0]:   rdata_o = {30'b0, running_i, error_q};
      eie_pkg::RegQDoorbell[7:0]: rdata_o = {cq_head_q, sq_tail_q};
      eie_pkg::RegQHeads[7:0]:    rdata_o = {cq_tail_q, sq_head_q};
      default:           rdata_o = '0;
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

endmodule
