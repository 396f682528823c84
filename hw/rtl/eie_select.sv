// SPDX-License-Identifier: GPL-2.0 OR MIT
//
// Cuts a SELECT command into bursts: of each row those granules in which a column with an activation
// that is not zero has entries (WBUF) or its pointer (PBUF), in ascending order, none twice.
//
//   ABUF, PBUF -> columns: first granule, granule behind the last -> steps -> runs -> bursts
//
// A step is four columns with one granule of pointers, or, to PBUF, the two granules of pointers of
// eight columns. It runs ahead of memory: a step a cycle, or as many cycles as runs end in it.
//
// Faults wait until all earlier bursts are complete (quiet_i), as in eie_xfer.

module eie_select #(
  parameter int unsigned WbufDepth = 4096,
  parameter int unsigned PbufDepth = 1024
) (
  input  logic                    clk_i,
  input  logic                    rst_ni,
  input  logic                    flush_i,
  output logic                    idle_o,
  input  logic [eie_pkg::MaxBases*64-1:0] bases_i,
  input  logic                    quiet_i,
  input  logic                    go_i,              // what it reads is in the buffers
  // command
  input  logic                    cmd_valid_i,
  output logic                    cmd_ready_o,
  input  logic [255:0]            cmd_i,
  input  logic [31:0]             cmd_idx_i,
  output logic                    fence_o,           // of the command under way
  // ABUF, and PBUF of one cluster: both or none
  output logic                    ab_re_o,
  output logic [23:0]             ab_addr_o,
  input  logic                    ab_gnt_i,
  input  logic [127:0]            ab_data_i,         // the cycle after the grant
  input  logic                    ab_written_i,
  output logic                    pb_re_o,
  output logic [3:0]              pb_cluster_o,
  output logic [23:0]             pb_addr_o,
  input  logic                    pb_free_i,         // a read would be granted
  input  logic [127:0]            pb_data_i,
  input  logic                    pb_written_i,
  // bursts; the end of the command comes behind the last one, for there may be none
  output logic                    burst_valid_o,
  input  logic                    burst_ready_i,
  output logic [63:0]             burst_va_o,
  output logic [3:0]              burst_len_o,       // beats - 1
  output logic [3:0]              burst_target_o,
  output logic [3:0]              burst_cluster_o,
  output logic [23:0]             burst_addr_o,
  output logic                    burst_signal_o,    // the command signals when complete
  output logic [31:0]             burst_cmd_o,
  output logic                    end_valid_o,
  input  logic                    end_ready_i,
  // fault
  output logic                    fault_valid_o,
  output logic [7:0]              fault_status_o,
  output logic [31:0]             fault_cmd_o
);

  localparam int unsigned MaxDepth = WbufDepth > PbufDepth ? WbufDepth : PbufDepth;
  localparam int unsigned Gw = $clog2(MaxDepth + 1);     // a granule of a row, or the one behind it
  localparam int unsigned Steps = 4;                     // covers the latency of the buffers
  localparam int unsigned Runs = 16;

  // What ends with a step, and is told behind its last run
  localparam logic [2:0] ThenNothing   = 3'd0;
  localparam logic [2:0] ThenRow       = 3'd1;
  localparam logic [2:0] ThenEnd       = 3'd2;
  localparam logic [2:0] ThenUnwritten = 3'd3;
  localparam logic [2:0] ThenBadStream = 3'd4;

  // Command --------------------------------------------------------------------------------------

  logic        active_q, dead_q;     // dead: a fault was reported, flush follows
  logic [31:0] idx_q;
  logic        signal_q, pointers_q, wide_q, misaligned, take;
  logic [3:0]  cluster_q;
  logic [63:0] row_va_q;
  logic [31:0] mem_stride_q;
  logic [23:0] in_q, ptr_q, addr_q;
  logic [Gw-1:0] len_q;
  logic [15:0] cols_q;               // granules of activations
  logic [4:0]  rows_q;

  assign idle_o      = !active_q;
  assign cmd_ready_o = !active_q && !flush_i;
  assign take        = cmd_valid_i && cmd_ready_o;

  always_ff @(posedge clk_i) begin
    if (take) begin
      idx_q        <= cmd_idx_i;
      signal_q     <= cmd_i[eie_pkg::CmdSignalNextLsb];
      fence_o      <= cmd_i[eie_pkg::CmdFenceLsb];
      pointers_q   <= cmd_i[eie_pkg::CmdXferTargetLsb+:4] == eie_pkg::BufPbuf[3:0];
      wide_q       <= cmd_i[eie_pkg::CmdSelectWideLsb];
      mem_stride_q <= cmd_i[eie_pkg::CmdXferMemStrideLsb+:32];
      addr_q       <= cmd_i[eie_pkg::CmdXferAddrLsb+:24];
      len_q        <= cmd_i[eie_pkg::CmdXferLenLsb+:Gw];
      in_q         <= cmd_i[eie_pkg::CmdSelectInLsb+:24];
      ptr_q        <= cmd_i[eie_pkg::CmdSelectPtrLsb+:24];
      cols_q       <= cmd_i[eie_pkg::CmdSelectLenLsb+:16];
      rows_q       <= cmd_i[eie_pkg::CmdXferRowsLsb+:5];
    end
  end

  // Reads ----------------------------------------------------------------------------------------

  logic        scan_q, half_q, room, want, fire, cols_last, row_end;
  logic [15:0] col_q;                // granule of activations
  logic [4:0]  row_q;
  logic [3:0]  scan_cluster_q;

  assign want         = scan_q && go_i && room && !misaligned && !flush_i;
  assign ab_re_o      = want && (pointers_q || pb_free_i);
  assign ab_addr_o    = in_q + 24'(col_q);
  assign fire         = ab_re_o && ab_gnt_i;
  assign pb_re_o      = fire && !pointers_q;
  assign pb_cluster_o = scan_cluster_q;
  assign pb_addr_o    = ptr_q + {7'b0, col_q, half_q};
  assign cols_last    = col_q == cols_q - 1'b1;
  assign row_end      = cols_last && (pointers_q || half_q);

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      scan_q <= 1'b0;
    end else if (flush_i) begin
      scan_q <= 1'b0;
    end else if (take) begin
      scan_q <= 1'b1;
    end else if (fire && row_end && row_q == rows_q - 1'b1) begin
      scan_q <= 1'b0;
    end
  end

  always_ff @(posedge clk_i) begin
    if (take) begin
      col_q          <= '0;
      half_q         <= 1'b0;
      row_q          <= '0;
      scan_cluster_q <= cmd_i[eie_pkg::CmdXferClusterLsb+:4];
    end else if (fire) begin
      half_q <= !pointers_q && !half_q;
      if (row_end) begin
        col_q          <= '0;
        row_q          <= row_q + 1'b1;
        scan_cluster_q <= scan_cluster_q + 1'b1;
      end else if (pointers_q || half_q) begin
        col_q <= col_q + 1'b1;
      end
    end
  end

  // Columns: what each asks for ------------------------------------------------------------------

  logic            read_q, read_half_q, read_row_q, read_end_q;
  logic [15:0]     read_col_q;
  logic [7:0]      live;
  logic [3:0]      four, use_col, over;
  logic [4*Gw-1:0] col_first, col_stop;      // granules of the row
  logic [3:0]      c_use_d, c_use_q;
  logic [4*Gw-1:0] c_first_q, c_stop_q;
  logic [2:0]      c_then_d, c_then_q;
  logic            c_valid_q;

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      read_q    <= 1'b0;
      c_valid_q <= 1'b0;
    end else begin
      read_q    <= fire && !flush_i;
      c_valid_q <= read_q && !flush_i;
    end
  end

  always_ff @(posedge clk_i) begin
    if (fire) begin
      read_half_q <= half_q;
      read_col_q  <= col_q;
      read_row_q  <= row_end;
      read_end_q  <= row_q == rows_q - 1'b1;
    end
  end

  always_comb begin
    for (int unsigned i = 0; i < 8; i++) begin
      live[i] = ab_data_i[16*i+:16] != '0;
    end
  end

  assign four = read_half_q ? live[7:4] : live[3:0];

  for (genvar i = 0; i < 4; i++) begin : gen_column
    logic [eie_pkg::PtrStartBits-1:0] start;
    logic [eie_pkg::PtrLenBits-1:0]   len;
    logic [eie_pkg::PtrStartBits+1:0] first, stop;     // bytes
    logic [Gw-1:0]                    ptr_first, ptr_stop, of_ptrs;

    assign {len, start} = pb_data_i[32*i+:32];
    assign first        = wide_q ? {1'b0, start, 1'b0} : {2'b0, start};
    assign stop         = first + (wide_q ? (eie_pkg::PtrStartBits + 2)'({len, 1'b0}) :
                                            (eie_pkg::PtrStartBits + 2)'(len));
    assign use_col[i]   = four[i] && len != '0;
    assign over[i]      = use_col[i] && (eie_pkg::PtrStartBits + 3)'(stop) >
                                        (eie_pkg::PtrStartBits + 3)'({len_q, 4'b0});
    assign ptr_first    = Gw'(first >> 4);
    assign ptr_stop     = Gw'(((eie_pkg::PtrStartBits + 3)'(stop) + (eie_pkg::PtrStartBits + 3)'(15)) >> 4);
    assign of_ptrs      = Gw'({read_col_q, 1'b0}) + Gw'(i);
    assign col_first[Gw*i+:Gw] = pointers_q ? of_ptrs : ptr_first;
    assign col_stop[Gw*i+:Gw]  = pointers_q ? of_ptrs + 1'b1 : ptr_stop;
  end

  always_comb begin
    c_use_d  = pointers_q ? {2'b0, |live[7:4], |live[3:0]} : use_col;
    c_then_d = !read_row_q ? ThenNothing : read_end_q ? ThenEnd : ThenRow;
    if (!ab_written_i || (!pointers_q && four != '0 && !pb_written_i)) begin
      c_use_d  = '0;
      c_then_d = ThenUnwritten;
    end else if (!pointers_q && over != '0) begin
      // the columns before the first one that leaves the row
      c_use_d  = use_col & (over - 1'b1) & ~over;
      c_then_d = ThenBadStream;
    end
  end

  always_ff @(posedge clk_i) begin
    if (read_q) begin
      c_use_q   <= c_use_d;
      c_first_q <= col_first;
      c_stop_q  <= col_stop;
      c_then_q  <= c_then_d;
    end
  end

  // Steps: where the columns up to each one end, and whether it begins behind those of its step ------

  logic [3:0]      w_gap, s_use, s_gap;
  logic [4*Gw-1:0] s_first, s_stop;
  logic [Gw-1:0]   w_stop0, w_stop1, w_stop2, w_stop3;
  logic [2:0]      s_then, step_count;
  logic            s_valid, s_done, step_ready;

  assign w_stop0 = c_use_q[0] ? c_stop_q[0+:Gw] : '0;
  assign w_stop1 = c_use_q[1] && c_stop_q[Gw+:Gw] > w_stop0 ? c_stop_q[Gw+:Gw] : w_stop0;
  assign w_stop2 = c_use_q[2] && c_stop_q[2*Gw+:Gw] > w_stop1 ? c_stop_q[2*Gw+:Gw] : w_stop1;
  assign w_stop3 = c_use_q[3] && c_stop_q[3*Gw+:Gw] > w_stop2 ? c_stop_q[3*Gw+:Gw] : w_stop2;
  assign w_gap   = {c_first_q[3*Gw+:Gw] > w_stop2 || w_stop2 == '0,
                    c_first_q[2*Gw+:Gw] > w_stop1 || w_stop1 == '0,
                    c_first_q[Gw+:Gw] > w_stop0 || w_stop0 == '0, 1'b1};

  assign room = step_count + 3'(read_q) + 3'(c_valid_q) < 3'(Steps);

  eie_fifo #(
    .Width (8 * Gw + 11),
    .Depth (Steps)
  ) u_steps (
    .clk_i, .rst_ni,
    .clr_i    (flush_i),
    .wvalid_i (c_valid_q),
    .wready_o (step_ready),
    .wdata_i  ({c_use_q, w_gap, c_then_q, c_first_q, w_stop3, w_stop2, w_stop1, w_stop0}),
    .rvalid_o (s_valid),
    .rready_i (s_done),
    .rdata_o  ({s_use, s_gap, s_then, s_first, s_stop}),
    .count_o  (step_count)
  );

  // Runs: columns that touch or overlap ----------------------------------------------------------

  logic          open_q, open_d, run_emit, run_ready, run_push;
  logic [Gw-1:0] first_q, first_d, stop_q, stop_d, run_stop, before_gap, to_stop;
  logic [3:0]    done_q, done_d, todo, gaps, later;
  logic [2:0]    run_then;

  assign todo = s_use & ~done_q;

  always_comb begin
    gaps       = '0;
    later      = '0;
    before_gap = '0;                 // where the columns of the step before the first gap end
    first_d    = first_q;
    stop_d     = stop_q;
    open_d     = open_q;
    done_d     = '1;
    s_done     = 1'b0;
    run_emit   = 1'b0;
    run_then   = ThenNothing;
    run_stop   = stop_q;
    to_stop    = s_stop[3*Gw+:Gw];   // where those end that are taken now
    if (s_valid) begin
      for (int unsigned i = 0; i < 4; i++) begin
        gaps[i] = todo[i] && s_gap[i] && (!open_q || s_first[Gw*i+:Gw] > stop_q);
      end
      later = gaps & (gaps - 1'b1);
      for (int i = 3; i >= 0; i--) begin
        if (later[i]) begin
          to_stop = s_stop[Gw*((i+3)%4)+:Gw];
          done_d  = 4'((5'd1 << i) - 5'd1);
        end
        if (gaps[i]) begin
          first_d    = s_first[Gw*i+:Gw];
          before_gap = i == 0 ? '0 : s_stop[Gw*((i+3)%4)+:Gw];
        end
      end
      if (gaps != '0) begin
        // the open run ends before the first gap; the next one begins there and goes up to the second
        run_emit = open_q;
        run_stop = before_gap > stop_q ? before_gap : stop_q;
        stop_d   = to_stop;
        open_d   = 1'b1;
        s_done   = later == '0 && s_then == ThenNothing;
      end else begin
        run_stop = todo != '0 && to_stop > stop_q ? to_stop : stop_q;
        stop_d   = run_stop;
        s_done   = 1'b1;
        if (s_then != ThenNothing) begin
          run_emit = 1'b1;
          run_then = s_then;
          open_d   = 1'b0;
        end
      end
      if (run_emit && !run_ready) begin
        s_done = 1'b0;
      end
    end
  end

  assign run_push = run_emit && run_ready;

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      open_q <= 1'b0;
      done_q <= '0;
    end else if (flush_i) begin
      open_q <= 1'b0;
      done_q <= '0;
    end else if (s_valid && (!run_emit || run_ready)) begin
      open_q <= open_d;
      done_q <= s_done ? '0 : done_d;
    end
  end

  always_ff @(posedge clk_i) begin
    if (s_valid && (!run_emit || run_ready)) begin
      first_q <= first_d;
      stop_q  <= stop_d;
    end
  end

  logic          r_valid, r_pop, r_open;
  logic [Gw-1:0] r_first, r_stop;
  logic [2:0]    r_then;

  // verilator lint_off PINCONNECTEMPTY
  eie_fifo #(
    .Width (2 * Gw + 4),
    .Depth (Runs)
  ) u_runs (
    .clk_i, .rst_ni,
    .clr_i    (flush_i),
    .wvalid_i (run_push),
    .wready_o (run_ready),
    .wdata_i  ({open_q, first_q, run_stop, run_then}),
    .rvalid_o (r_valid),
    .rready_i (r_pop),
    .rdata_o  ({r_open, r_first, r_stop, r_then}),
    .count_o  ()
  );
  // verilator lint_on PINCONNECTEMPTY

  // Bursts ---------------------------------------------------------------------------------------

  logic          run_q, end_q, accept, run_last;
  logic [2:0]    then_q;
  logic [63:0]   va_q;
  logic [3:0]    run_cluster_q;
  logic [23:0]   to_q;
  logic [Gw-1:0] left_q;
  logic [4:0]    beats;
  logic [8:0]    page_beats;

  assign page_beats = 9'd256 - {1'b0, va_q[11:4]};

  always_comb begin
    beats = 5'(eie_pkg::MaxBurst);
    if (page_beats < 9'(eie_pkg::MaxBurst)) begin
      beats = page_beats[4:0];
    end
    if ((Gw + 5)'(left_q) < (Gw + 5)'(beats)) begin
      beats = 5'(left_q);
    end
  end

  assign run_last        = (Gw + 5)'(left_q) == (Gw + 5)'(beats);
  assign burst_valid_o   = run_q && !flush_i;
  assign burst_va_o      = va_q;
  assign burst_len_o     = 4'(beats - 1'b1);
  assign burst_target_o  = pointers_q ? eie_pkg::BufPbuf[3:0] : eie_pkg::BufWbuf[3:0];
  assign burst_cluster_o = run_cluster_q;
  assign burst_addr_o    = to_q;
  assign burst_signal_o  = signal_q;
  assign burst_cmd_o     = idx_q;
  assign accept          = burst_valid_o && burst_ready_i;
  assign r_pop           = r_valid && !end_q && (!run_q || (accept && run_last));
  assign end_valid_o     = end_q && then_q == ThenEnd && !run_q && !flush_i;

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      active_q <= 1'b0;
      dead_q   <= 1'b0;
      run_q    <= 1'b0;
      end_q    <= 1'b0;
    end else if (flush_i) begin
      active_q <= 1'b0;
      dead_q   <= 1'b0;
      run_q    <= 1'b0;
      end_q    <= 1'b0;
    end else begin
      if (take) begin
        active_q <= 1'b1;
      end else if (end_valid_o && end_ready_i) begin
        active_q <= 1'b0;
      end
      if (r_pop) begin
        run_q <= r_open;
      end else if (accept && run_last) begin
        run_q <= 1'b0;
      end
      if (r_pop && r_then != ThenNothing && r_then != ThenRow) begin
        end_q <= 1'b1;
      end else if (end_valid_o && end_ready_i) begin
        end_q <= 1'b0;
      end
      if (fault_valid_o) begin
        dead_q <= 1'b1;
      end
    end
  end

  always_ff @(posedge clk_i) begin
    if (take) begin
      row_va_q  <= bases_i[64*cmd_i[eie_pkg::CmdXferBaseLsb+:4]+:64] + 64'(cmd_i[eie_pkg::CmdXferOffsetLsb+:32]);
      cluster_q <= cmd_i[eie_pkg::CmdXferClusterLsb+:4];
    end else if (r_pop && r_then == ThenRow) begin
      row_va_q  <= row_va_q + 64'(mem_stride_q);
      cluster_q <= cluster_q + 1'b1;
    end
    if (r_pop) begin
      va_q          <= row_va_q + {{(60-Gw){1'b0}}, r_first, 4'b0};
      to_q          <= addr_q + 24'(r_first);
      left_q        <= r_stop - r_first;
      run_cluster_q <= cluster_q;
      then_q        <= r_then;
    end else if (accept) begin
      va_q   <= va_q + {55'b0, beats, 4'b0};
      to_q   <= to_q + 24'(beats);
      left_q <= left_q - Gw'(beats);
    end
  end

  // Faults ---------------------------------------------------------------------------------------

  assign misaligned     = row_va_q[3:0] != '0;    // offset and stride are multiples of 16
  assign fault_valid_o  = active_q && !dead_q && !flush_i && quiet_i &&
                          (misaligned || (end_q && then_q != ThenEnd && !run_q));
  assign fault_status_o = misaligned ? eie_pkg::StatusMisaligned :
                          then_q == ThenUnwritten ? eie_pkg::StatusUnwritten : eie_pkg::StatusBadStream;
  assign fault_cmd_o    = idx_q;

  // Assertions

  // verilator lint_off UNUSEDSIGNAL
  logic unused;    // room is counted; fields that cmdcheck keeps small
  assign unused = ^{step_ready, cmd_i};
  // verilator lint_on UNUSEDSIGNAL

`ifndef SYNTHESIS
  assert property (@(posedge clk_i) disable iff (!rst_ni) c_valid_q |-> step_ready);
  assert property (@(posedge clk_i) disable iff (!rst_ni)
                   burst_valid_o |-> 9'(burst_len_o) < page_beats && beats != '0);
  assert property (@(posedge clk_i) disable iff (!rst_ni)
                   burst_valid_o |-> 32'(to_q) - 32'(addr_q) + 32'(left_q) <= 32'(len_q));
  assert property (@(posedge clk_i) disable iff (!rst_ni)
                   burst_valid_o && !burst_ready_i |=> flush_i ||
                   (burst_valid_o && $stable(burst_va_o) && $stable(burst_len_o)));
`endif

endmodule
