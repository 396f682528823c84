// SPDX-License-Identifier: GPL-2.0 OR MIT
//
// Engine counters: in each cycle of a job each of the four engines adds one to exactly one of its
// counters, so that they add up to the job's cycles. What every number means is in hw/eie_hw.def.
//
// They run on the free clock: parts whose clocks rest keep still what they are judged by.

module eie_perf #(
  parameter int unsigned Width = 48    // of a counter: three days of cycles at 1 GHz
) (
  input  logic        clk_i,
  input  logic        rst_ni,

  input  logic        run_i,           // this cycle is one of a job
  input  logic        ended_i,         // and its last
  input  logic        fetching_i,      // commands are left that no queue has
  input  logic [2:0]  cp_class_i,      // eie_cmdproc
  input  logic [1:0]  ld_queue_i,
  input  logic [4:0]  ld_doing_i,      // eie_load
  input  logic [3:0]  compute_class_i, // eie_counters
  input  logic [1:0]  st_queue_i,
  input  logic [5:0]  st_doing_i,      // eie_store

  input  logic [3:0]  rd_beat_i,       // read by front end, walker, command processor, load
  input  logic        rd_base_i,       // the front end's are of a base table
  input  logic [3:0]  rd_target_i,     // buffer of the load's
  input  logic [1:0]  wr_beat_i,       // written by front end, store
  input  logic [1:0]  dropped_i,       // read, written, of a job that has failed

  input  logic        re_i,
  input  logic [$clog2(eie_pkg::PerfCounters)-1:0] index_i,
  output logic [63:0] value_o
);

  localparam int unsigned N = eie_pkg::PerfCounters;

  // Classes of load and store, in the order of their counters

  logic [3:0] load_class, store_class;

  always_comb begin
    if (ld_doing_i[0])      load_class = 4'd0;
    else if (ld_doing_i[1]) load_class = 4'd1;
    else if (ld_doing_i[2]) load_class = 4'd2;
    else if (ld_doing_i[3]) load_class = 4'd3;
    else if (ld_doing_i[4]) load_class = 4'd4;
    else if (ld_queue_i[1]) load_class = 4'd5;
    else if (ld_queue_i[0]) load_class = 4'd4;
    else if (fetching_i)    load_class = 4'd6;
    else                    load_class = 4'd7;
  end

  always_comb begin
    if (st_doing_i[0])      store_class = 4'd0;
    else if (st_doing_i[1]) store_class = 4'd1;
    else if (st_doing_i[2]) store_class = 4'd2;
    else if (st_doing_i[3]) store_class = 4'd3;
    else if (st_doing_i[4]) store_class = 4'd4;
    else if (st_doing_i[5]) store_class = 4'd5;
    else if (st_queue_i[1]) store_class = 4'd6;
    else if (st_queue_i[0]) store_class = 4'd5;
    else if (fetching_i)    store_class = 4'd7;
    else                    store_class = 4'd8;
  end

  // From weight to weight: what came since the last one counts when the next one comes.

  logic        load_beat, weight, seen_q;
  logic [31:0] gap_q, gap_beats_q;     // cycles and granules since the last weight, this cycle not included

  assign load_beat = rd_beat_i[3];
  assign weight    = load_beat && 8'(rd_target_i) == eie_pkg::BufWbuf;

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      seen_q <= 1'b0;
    end else begin
      seen_q <= run_i && !ended_i && (seen_q || weight);
    end
  end

  always_ff @(posedge clk_i) begin
    if (weight || !seen_q) begin
      gap_q       <= '0;
      gap_beats_q <= '0;
    end else begin
      gap_q       <= gap_q + 32'd1;
      gap_beats_q <= gap_beats_q + 32'(load_beat);
    end
  end

  // Counters: those that add one, and the two that add what has come

  logic [N-1:0] step;

  function automatic logic [N-1:0] one(input logic on, input logic [7:0] number);
    one = N'(on) << number;
  endfunction

  assign step = one(ended_i, eie_pkg::PerfJobs) | one(run_i, eie_pkg::PerfCycles) |
                one(run_i, eie_pkg::PerfCmdBusy + 8'(cp_class_i)) |
                one(run_i, eie_pkg::PerfLoadBusy + 8'(load_class)) |
                one(run_i, eie_pkg::PerfComputeBusy + 8'(compute_class_i)) |
                one(run_i, eie_pkg::PerfStoreBusy + 8'(store_class)) |
                one(rd_beat_i[0], rd_base_i ? eie_pkg::PerfReadBases : eie_pkg::PerfReadDescriptors) |
                one(rd_beat_i[1], eie_pkg::PerfReadTables) |
                one(rd_beat_i[2], eie_pkg::PerfReadCommands) |
                one(load_beat, eie_pkg::PerfReadAbuf + 8'(rd_target_i)) |
                one(wr_beat_i[0], eie_pkg::PerfWriteCompletions) |
                one(wr_beat_i[1], eie_pkg::PerfWriteAbuf) |
                one(dropped_i[0], eie_pkg::PerfReadDropped) |
                one(dropped_i[1], eie_pkg::PerfWriteDropped) |
                one(weight, eie_pkg::PerfWeightSpan) | one(weight, eie_pkg::PerfWeightBeats);

  logic [Width*N-1:0] counts;

  for (genvar i = 0; i < N; i++) begin : gen_counter
    logic [Width-1:0] count_q, add;

    assign counts[Width*i +: Width] = count_q;

    if (i == 32'(eie_pkg::PerfWeightSpan)) begin : gen_span
      assign add = Width'(gap_q) + 1'b1;
    end else if (i == 32'(eie_pkg::PerfWeightBeats)) begin : gen_beats
      assign add = Width'(gap_beats_q) + 1'b1;
    end else begin : gen_one
      assign add = Width'(1);
    end

    always_ff @(posedge clk_i or negedge rst_ni) begin
      if (!rst_ni) begin
        count_q <= '0;
      end else if (step[i]) begin
        count_q <= count_q + add;
      end
    end
  end

  always_comb begin
    value_o = '0;
    if (re_i) begin
      value_o = 64'(counts[Width*index_i +: Width]);
    end
  end

  // Assertions -----------------------------------------------------------------------------------

`ifndef SYNTHESIS
  localparam int unsigned Classes = 32'(eie_pkg::PerfStoreIdle) - 32'(eie_pkg::PerfCmdBusy) + 1;

  // The classes of the four lie one behind the other: nobody's number is one of its neighbour.
  assert property (@(posedge clk_i) disable iff (!rst_ni)
    $countones(step[eie_pkg::PerfCmdBusy[5:0] +: Classes]) == (run_i ? 4 : 0));
  assert property (@(posedge clk_i) disable iff (!rst_ni) run_i |->
    8'(cp_class_i) <= eie_pkg::PerfCmdIdle - eie_pkg::PerfCmdBusy &&
    8'(compute_class_i) <= eie_pkg::PerfComputeTail - eie_pkg::PerfComputeBusy);
`endif

endmodule
