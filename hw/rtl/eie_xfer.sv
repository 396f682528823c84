// SPDX-License-Identifier: GPL-2.0 OR MIT
//
// Cuts a LOAD or STORE command into bursts: rows of memory at base + offset + r * stride, at most
// 16 beats each, none across 4 KiB. One burst a cycle while the other side takes them; a new
// command costs a cycle.
//
// What only shows at run time is checked here: the alignment of the base, and the buffer addresses
// of later rows. Such a fault waits until all earlier bursts are complete (quiet_i), so that a
// page fault or bus error of an earlier row or command is the one that is reported.

module eie_xfer #(
  parameter int unsigned AbufDepth = 4096,
  parameter int unsigned WbufDepth = 4096,
  parameter int unsigned PbufDepth = 1024,
  parameter int unsigned RbufDepth = 256
) (
  input  logic                    clk_i,
  input  logic                    rst_ni,
  input  logic                    flush_i,
  output logic                    idle_o,
  input  logic [eie_pkg::MaxBases*64-1:0] bases_i,
  input  logic                    quiet_i,
  // command
  input  logic                    cmd_valid_i,
  output logic                    cmd_ready_o,
  input  logic [255:0]            cmd_i,
  input  logic [31:0]             cmd_idx_i,
  // bursts
  output logic                    burst_valid_o,
  input  logic                    burst_ready_i,
  output logic [63:0]             burst_va_o,
  output logic [3:0]              burst_len_o,       // beats - 1
  output logic [3:0]              burst_target_o,
  output logic [3:0]              burst_cluster_o,
  output logic [23:0]             burst_addr_o,
  output logic                    burst_last_o,      // of its command
  output logic                    burst_signal_o,    // the command signals when complete
  output logic [31:0]             burst_cmd_o,
  // fault
  output logic                    fault_valid_o,
  output logic [7:0]              fault_status_o,
  output logic [31:0]             fault_cmd_o
);

  logic        active_q, dead_q;    // dead: a fault was reported, flush follows
  logic [31:0] idx_q;
  logic        signal_q;
  logic [3:0]  target_q, cluster_q;
  logic [63:0] va_q, row_va_q;
  logic [24:0] addr_q, row_addr_q;
  logic [23:0] len_q, left_q, buf_stride_q;
  logic [31:0] mem_stride_q;
  logic [15:0] rows_q;              // this one included

  logic        accept, row_last, misaligned, outside;
  logic [4:0]  beats;
  logic [8:0]  page_beats;
  logic [25:0] depth;

  assign idle_o      = !active_q;
  assign cmd_ready_o = !active_q && !flush_i;

  // Checks

  always_comb begin
    unique case (target_q)
      eie_pkg::BufAbuf[3:0]: depth = 26'(AbufDepth);
      eie_pkg::BufWbuf[3:0]: depth = 26'(WbufDepth);
      eie_pkg::BufPbuf[3:0]: depth = 26'(PbufDepth);
      eie_pkg::BufRbuf[3:0]: depth = 26'(RbufDepth);
      default:               depth = 26'(eie_pkg::CbufGranules);
    endcase
  end

  assign misaligned = va_q[3:0] != '0;    // offset and stride are multiples of 16
  assign outside    = 26'(row_addr_q) + 26'(len_q) > depth;

  assign fault_valid_o  = active_q && !dead_q && !flush_i && (misaligned || outside) && quiet_i;
  assign fault_status_o = outside ? eie_pkg::StatusBadRange : eie_pkg::StatusMisaligned;
  assign fault_cmd_o    = idx_q;

  // Bursts

  assign page_beats = 9'd256 - {1'b0, va_q[11:4]};

  always_comb begin
    beats = 5'(eie_pkg::MaxBurst);
    if (page_beats < 9'(eie_pkg::MaxBurst)) begin
      beats = page_beats[4:0];
    end
    if (left_q < 24'(beats)) begin
      beats = left_q[4:0];
    end
  end

  assign burst_valid_o   = active_q && !misaligned && !outside && !flush_i;
  assign burst_va_o      = va_q;
  assign burst_len_o     = 4'(beats - 1'b1);
  assign burst_target_o  = target_q;
  assign burst_cluster_o = cluster_q;
  assign burst_addr_o    = addr_q[23:0];
  assign burst_last_o    = row_last && rows_q == 16'd1;
  assign burst_signal_o  = signal_q;
  assign burst_cmd_o     = idx_q;

  assign accept   = burst_valid_o && burst_ready_i;
  assign row_last = left_q == 24'(beats);

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      active_q <= 1'b0;
      dead_q   <= 1'b0;
    end else if (flush_i) begin
      active_q <= 1'b0;
      dead_q   <= 1'b0;
    end else begin
      if (cmd_valid_i && cmd_ready_o) begin
        active_q <= 1'b1;
      end else if (accept && burst_last_o) begin
        active_q <= 1'b0;
      end
      if (fault_valid_o) begin
        dead_q <= 1'b1;
      end
    end
  end

  logic [63:0] start_va, next_row_va;
  logic [24:0] next_row_addr;

  assign start_va      = bases_i[64*cmd_i[eie_pkg::CmdXferBaseLsb+:4]+:64] +
                         64'(cmd_i[eie_pkg::CmdXferOffsetLsb+:32]);
  assign next_row_va   = row_va_q + 64'(mem_stride_q);
  assign next_row_addr = row_addr_q + 25'(buf_stride_q);

  always_ff @(posedge clk_i) begin
    if (cmd_valid_i && cmd_ready_o) begin
      idx_q        <= cmd_idx_i;
      // only one of the two can be set
      signal_q     <= cmd_i[eie_pkg::CmdSignalPrevLsb] || cmd_i[eie_pkg::CmdSignalNextLsb];
      target_q     <= cmd_i[eie_pkg::CmdXferTargetLsb+:4];
      cluster_q    <= cmd_i[eie_pkg::CmdXferClusterLsb+:4];
      va_q         <= start_va;
      row_va_q     <= start_va;
      addr_q       <= 25'(cmd_i[eie_pkg::CmdXferAddrLsb+:24]);
      row_addr_q   <= 25'(cmd_i[eie_pkg::CmdXferAddrLsb+:24]);
      len_q        <= cmd_i[eie_pkg::CmdXferLenLsb+:24];
      left_q       <= cmd_i[eie_pkg::CmdXferLenLsb+:24];
      mem_stride_q <= cmd_i[eie_pkg::CmdXferMemStrideLsb+:32];
      buf_stride_q <= cmd_i[eie_pkg::CmdXferBufStrideLsb+:24];
      rows_q       <= cmd_i[eie_pkg::CmdXferRowsLsb+:16];
    end else if (accept && row_last) begin
      va_q       <= next_row_va;
      row_va_q   <= next_row_va;
      addr_q     <= next_row_addr;
      row_addr_q <= next_row_addr;
      left_q     <= len_q;
      rows_q     <= rows_q - 1'b1;
      if (target_q != eie_pkg::BufAbuf[3:0] && target_q != eie_pkg::BufCbuf[3:0]) begin
        cluster_q <= cluster_q + 1'b1;
      end
    end else if (accept) begin
      va_q   <= va_q + {55'b0, beats, 4'b0};
      addr_q <= addr_q + 25'(beats);
      left_q <= left_q - 24'(beats);
    end
  end

  // Assertions

`ifndef SYNTHESIS
  assert property (@(posedge clk_i) disable iff (!rst_ni)
                   burst_valid_o |-> 9'(burst_len_o) < page_beats && beats != '0);
  assert property (@(posedge clk_i) disable iff (!rst_ni)
                   burst_valid_o && !burst_ready_i |=> flush_i ||
                   (burst_valid_o && $stable(burst_va_o) && $stable(burst_len_o)));
`endif

endmodule
