// SPDX-License-Identifier: GPL-2.0 OR MIT
//
// Counters of a job. Every cycle from TIME_START to TIME_END falls under exactly one of the nine
// classes, in the order of their descriptions in hw/eie_hw.def.

module eie_counters (
  input  logic        clk_i,
  input  logic        rst_ni,
  input  logic        clear_i,           // TIME_START: the next cycle is the first that counts
  input  logic        run_i,

  input  logic        asked_i,           // the first command was asked for
  input  logic [8:0]  macs_i,
  input  logic        mac_active_i,
  input  logic        drain_active_i,
  input  logic        engine_active_i,
  input  logic [8:0]  sats_i,
  input  logic        sync_wait_i,
  input  logic        wait_load_i,
  input  logic        wait_store_i,
  input  logic        fetching_i,
  input  logic        dispatched_i,
  input  logic        read_beat_i,
  input  logic        write_beat_i,
  input  logic        tlb_miss_i,

  output logic [3:0]  class_o,           // of this cycle: PerfComputeBusy + class_o
  output logic [63:0] macs_o,
  output logic [31:0] cycles_o,
  output logic [31:0] busy_o,
  output logic [31:0] drain_o,
  output logic [31:0] array_o,
  output logic [31:0] load_o,
  output logic [31:0] store_o,
  output logic [31:0] sync_o,
  output logic [31:0] cmd_o,
  output logic [31:0] front_o,
  output logic [31:0] tail_o,
  output logic [31:0] engine_cycles_o,
  output logic [31:0] saturated_o,
  output logic [31:0] read_beats_o,
  output logic [31:0] write_beats_o,
  output logic [31:0] tlb_misses_o,
  output logic [31:0] commands_o
);

  always_comb begin
    if (macs_i != 9'd0) begin
      class_o = 4'd0;
    end else if (drain_active_i) begin
      class_o = 4'd1;
    end else if (mac_active_i) begin
      class_o = 4'd2;
    end else if (wait_load_i) begin
      class_o = 4'd3;
    end else if (wait_store_i) begin
      class_o = 4'd4;
    end else if (sync_wait_i) begin
      class_o = 4'd5;
    end else if (fetching_i) begin
      class_o = 4'd6;
    end else if (!asked_i) begin
      class_o = 4'd7;
    end else begin
      class_o = 4'd8;
    end
  end

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      cycles_o <= '0;
      busy_o   <= '0;
      drain_o  <= '0;
      array_o  <= '0;
      load_o   <= '0;
      store_o  <= '0;
      sync_o   <= '0;
      cmd_o    <= '0;
      front_o  <= '0;
      tail_o   <= '0;
    end else if (clear_i) begin
      cycles_o <= '0;
      busy_o   <= '0;
      drain_o  <= '0;
      array_o  <= '0;
      load_o   <= '0;
      store_o  <= '0;
      sync_o   <= '0;
      cmd_o    <= '0;
      front_o  <= '0;
      tail_o   <= '0;
    end else if (run_i) begin
      cycles_o <= cycles_o + 32'd1;
      unique case (class_o)
        4'd0:    busy_o <= busy_o + 32'd1;
        4'd1:    drain_o <= drain_o + 32'd1;
        4'd2:    array_o <= array_o + 32'd1;
        4'd3:    load_o <= load_o + 32'd1;
        4'd4:    store_o <= store_o + 32'd1;
        4'd5:    sync_o <= sync_o + 32'd1;
        4'd6:    cmd_o <= cmd_o + 32'd1;
        4'd7:    front_o <= front_o + 32'd1;
        default: tail_o <= tail_o + 32'd1;
      endcase
    end
  end

  always_ff @(posedge clk_i) begin
    if (clear_i) begin
      macs_o          <= '0;
      engine_cycles_o <= '0;
      saturated_o     <= '0;
      read_beats_o    <= '0;
      write_beats_o   <= '0;
      tlb_misses_o    <= '0;
      commands_o      <= '0;
    end else if (run_i) begin
      if (macs_i != 9'd0) begin
        macs_o <= macs_o + 64'(macs_i);
      end
      if (engine_active_i) begin
        engine_cycles_o <= engine_cycles_o + 32'd1;
      end
      if (sats_i != 9'd0) begin
        saturated_o <= saturated_o + 32'(sats_i);
      end
      if (read_beat_i) begin
        read_beats_o <= read_beats_o + 32'd1;
      end
      if (write_beat_i) begin
        write_beats_o <= write_beats_o + 32'd1;
      end
      if (tlb_miss_i) begin
        tlb_misses_o <= tlb_misses_o + 32'd1;
      end
      if (dispatched_i) begin
        commands_o <= commands_o + 32'd1;
      end
    end
  end

  // Assertions -----------------------------------------------------------------------------------

`ifndef SYNTHESIS
  assert property (@(posedge clk_i) disable iff (!rst_ni)
    cycles_o == busy_o + drain_o + array_o + load_o + store_o + sync_o + cmd_o + front_o + tail_o);
`endif

endmodule
