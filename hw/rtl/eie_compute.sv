// SPDX-License-Identifier: GPL-2.0 OR MIT
//
// Takes the compute engine's commands in order, up to four in flight, and completes them in order.
//
// Two MACs may be in flight, each with a tag: the next one broadcasts while the jobs of the one before are
// still being worked off. A MAC is complete when its broadcast is and no cluster has work of its tag. One
// DRAIN may be in flight; it waits for the MACs before it while a MAC of the other half goes on.
//
// VMAC and VDRAIN (Vector) are a MAC and a DRAIN of another mode. A half has the mode of its last
// command; a command of the other mode waits until the array has nothing else to do and the half
// has been zeroed. MACs of different modes are never in flight together, for the lanes work alone
// in one and all as one in the other; nor are VMACs with SPLIT and without.

module eie_compute #(
  parameter int unsigned Rows = 64,
  parameter int unsigned WbufDepth = 1024,
  parameter int unsigned PbufDepth = 256,
  parameter int unsigned RbufDepth = 128,
  parameter int unsigned Clusters = 2,
  parameter bit          Vector = 1'b0,
  localparam int unsigned Wa = $clog2(WbufDepth),
  localparam int unsigned Pa = $clog2(PbufDepth),
  localparam int unsigned Ra = $clog2(RbufDepth),
  localparam int unsigned Words = Rows / 8,
  localparam int unsigned Ww = (Words > 1) ? $clog2(Words) : 1
) (
  input  logic            clk_i,
  input  logic            rst_ni,
  input  logic            flush_i,
  output logic            idle_o,

  input  logic            cmd_valid_i,
  output logic            cmd_ready_o,
  input  logic [255:0]    cmd_i,
  input  logic [31:0]     cmd_idx_i,
  output logic            done_o,
  output logic            done_prev_o,
  output logic            done_next_o,

  // codebook granules written
  input  logic            epoch_new_i,
  input  logic            cbuf_we_i,
  input  logic [5:0]      cbuf_addr_i,

  // MAC: settings by tag, start of the broadcast
  output logic [1:0]      cfg_half_o,
  output logic [1:0]      cfg_wide_o,
  output logic [9:0]      cfg_cb_o,
  output logic [2*Wa-1:0] cfg_weights_o,
  output logic            bc_start_o,
  output logic            bc_tag_o,       // of the MAC that broadcasts
  output logic [23:0]     bc_in_o,
  output logic [23:0]     bc_len_o,
  output logic [Pa-1:0]   bc_ptr_o,
  input  logic            bc_busy_i,      // a broadcast or a gather is under way
  input  logic            bc_valid_i,
  // VMAC, VPOOL, VMUL, VTABLE: gather or element-wise unit start in the place of the broadcast
  output logic [1:0]      cfg_vec_o,
  output logic [23:0]     cfg_rows_o,
  output logic            cfg_split_o,    // of all MACs in flight
  output logic            ga_start_o,
  output logic [255:0]    ga_cmd_o,
  // zeroing of a half
  input  logic            clear_i,        // of both, at the start of a job
  output logic            hc_start_o,
  output logic            hc_half_o,
  input  logic            hc_busy_i,
  input  logic [1:0]      busy_i,         // a cluster has work of the tag

  // DRAIN: one step a cycle, results come back in order
  output logic            dr_step_o,
  output logic            dr_re_o,        // of a VDRAIN: the first step of a word reads it
  output logic            dr_half_o,
  output logic [Ww-1:0]   dr_word_o,
  output logic [Ra-1:0]   dr_param_o,
  output logic [15:0]     dr_lo_o,
  output logic [15:0]     dr_hi_o,
  output logic            dr_vec_o,       // a VDRAIN; rows of a step one by one
  output logic [2:0]      dr_row_o,
  input  logic            y_valid_i,
  output logic [7:0]      dr_pixels_o,    // with dr_we_o: values that are pixels
  output logic            dr_we_o,
  output logic [23:0]     dr_addr_o,

  // faults of MACs by tag, and of the DRAIN
  input  logic [1:0]      mac_unwritten_i,
  input  logic [1:0]      mac_bad_stream_i,
  input  logic            dr_unwritten_i,
  input  logic            dr_bad_param_i,
  output logic            fault_o,
  output logic [7:0]      fault_status_o,
  output logic [31:0]     fault_cmd_o,
  output logic            dead_o,         // from a fault to the flush nothing is written

  output logic            mac_active_o,
  output logic            drain_active_o,
  output logic            engine_active_o,
  output logic            sync_wait_o
);

  localparam logic [1:0] KindSync  = 2'd0;
  localparam logic [1:0] KindMac   = 2'd1;
  localparam logic [1:0] KindDrain = 2'd2;

  // From the last column leaving eie_bcast to the clusters' busy_o showing it.
  localparam logic [1:0] Settle = 2'd3;

  // Fields

  logic [7:0] op;
  logic       is_mac, is_drain, is_vec, is_map, is_split, half, wide;
  logic [4:0] codebook;         // in units of 16 entries

  assign op       = cmd_i[eie_pkg::CmdOpcodeLsb +: eie_pkg::CmdOpcodeWidth];
  // from ABUF to ABUF, without weights: a MAC that the array does nothing for
  assign is_map   = Vector && (op == eie_pkg::OpVpool || op == eie_pkg::OpVmul ||
                               op == eie_pkg::OpVtable);
  assign is_vec   = is_map || (Vector && (op == eie_pkg::OpVmac || op == eie_pkg::OpVdrain));
  assign is_mac   = is_map || op == eie_pkg::OpMac || (Vector && op == eie_pkg::OpVmac);
  assign is_split = Vector && op == eie_pkg::OpVmac && cmd_i[eie_pkg::CmdVmacSplitLsb];
  assign is_drain = op == eie_pkg::OpDrain || (Vector && op == eie_pkg::OpVdrain);
  assign half     = cmd_i[eie_pkg::CmdMacHalfLsb];            // one bit for all four commands
  assign wide     = cmd_i[eie_pkg::CmdMacWideLsb];
  assign codebook = is_vec ? cmd_i[eie_pkg::CmdVmacCodebookLsb+1 +: 5] :
                             cmd_i[eie_pkg::CmdMacCodebookLsb+1 +: 5];

  // Commands in flight, oldest first

  logic [2:0]  count_q;
  logic [1:0]  rptr_q, wptr_q;
  logic [7:0]  kind_q;
  logic [3:0]  tags_q, prev_q, next_q;
  logic        take, retire, dead_q;

  // MACs, by tag
  logic [1:0]  mac_q, sent_q, fin_q;                 // in flight, broadcast, complete
  logic [3:0]  settle_q;
  logic        tag_q;                                // of the next MAC
  logic        setup_q, setup_wide_q, setup_map_q;  // a MAC was taken the cycle before
  logic [63:0] idx_q;

  // DRAIN
  logic        drain_q, run_q, drained_q;            // in flight, past its wait, complete
  logic [1:0]  wait_q;                               // tags of the MACs before it that are not complete
  logic [15:0] steps_q, owed_q;                      // steps to issue, steps to write
  logic [23:0] stride_q;
  logic [31:0] drain_idx_q;

  // Modes

  logic mode_ok;                                     // the half has the command's mode
  logic other_mode;                                  // a MAC of the other mode is in flight

  if (Vector) begin : gen_mode
    logic [1:0] mode_q;                              // of the halves; 1: vector
    logic       zero_q;                              // the half is being zeroed

    assign mode_ok    = !(is_mac || is_drain) || is_map || (mode_q[half] == is_vec && !zero_q);
    assign other_mode = (mac_q & (cfg_vec_o ^ {2{is_vec}})) != '0 ||
                        (mac_q != '0 && cfg_split_o != is_split);
    assign hc_start_o = cmd_valid_i && !flush_i && !dead_q && !zero_q && !mode_ok && count_q == '0;
    assign hc_half_o  = half;

    always_ff @(posedge clk_i or negedge rst_ni) begin
      if (!rst_ni) begin
        mode_q <= '0;
        zero_q <= 1'b0;
      end else if (clear_i) begin
        mode_q <= '0;
        zero_q <= 1'b0;
      end else if (flush_i) begin
        zero_q <= 1'b0;
      end else if (hc_start_o) begin
        mode_q[half] <= is_vec;
        zero_q       <= 1'b1;
      end else if (zero_q && !hc_busy_i) begin
        zero_q <= 1'b0;
      end
    end
  end else begin : gen_one_mode
    logic unused;
    assign unused     = &{clear_i, hc_busy_i};
    assign mode_ok    = 1'b1;
    assign other_mode = 1'b0;
    assign hc_start_o = 1'b0;
    assign hc_half_o  = 1'b0;
  end

  assign cmd_ready_o = !flush_i && !dead_q && count_q != 3'd4 && mode_ok &&
                       (!(cmd_i[eie_pkg::CmdFenceLsb] || is_map) || count_q == '0) &&
                       (!is_mac || (!mac_q[tag_q] && !setup_q && !bc_busy_i && !other_mode &&
                                    !(drain_q && dr_half_o == half))) &&
                       (!is_drain || !drain_q);
  assign take = cmd_valid_i && cmd_ready_o;

  // The oldest one completes.

  logic [1:0] head;
  logic       head_tag;

  assign head     = kind_q[{rptr_q, 1'b0} +: 2];
  assign head_tag = tags_q[rptr_q];
  assign retire   = count_q != '0 && !dead_q && !fault_o &&
                    (head == KindSync || (head == KindMac && fin_q[head_tag]) ||
                     (head == KindDrain && drained_q));

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      count_q <= '0;
      rptr_q  <= '0;
      wptr_q  <= '0;
      done_o  <= 1'b0;
      dead_q  <= 1'b0;
    end else if (flush_i) begin
      count_q <= '0;
      rptr_q  <= '0;
      wptr_q  <= '0;
      done_o  <= 1'b0;
      dead_q  <= 1'b0;
    end else begin
      count_q <= count_q + 3'(take) - 3'(retire);
      rptr_q  <= rptr_q + 2'(retire);
      wptr_q  <= wptr_q + 2'(take);
      done_o  <= retire;
      // after a fault nothing signals until the flush
      dead_q  <= dead_q || fault_o;
    end
  end

  always_ff @(posedge clk_i) begin
    if (take) begin
      kind_q[{wptr_q, 1'b0} +: 2] <= is_mac ? KindMac : is_drain ? KindDrain : KindSync;
      tags_q[wptr_q] <= tag_q;
      prev_q[wptr_q] <= cmd_i[eie_pkg::CmdSignalPrevLsb];
      next_q[wptr_q] <= cmd_i[eie_pkg::CmdSignalNextLsb];
    end
    if (retire) begin
      done_prev_o <= prev_q[rptr_q];
      done_next_o <= next_q[rptr_q];
    end
  end

  // MAC

  logic [63:0] cb_valid_q;
  logic        cb_ok;

  assign cb_ok = setup_map_q ||
                 (setup_wide_q ?
                  (cfg_cb_o[bc_tag_o ? 9 : 4] ? &cb_valid_q[63:32] : &cb_valid_q[31:0]) :
                  (cb_valid_q[{bc_tag_o ? cfg_cb_o[9:5] : cfg_cb_o[4:0], 1'b0}] &&
                   cb_valid_q[{bc_tag_o ? cfg_cb_o[9:5] : cfg_cb_o[4:0], 1'b1}]));
  assign bc_start_o = setup_q && cb_ok && !flush_i && !cfg_vec_o[bc_tag_o];
  assign ga_start_o = setup_q && cb_ok && !flush_i && cfg_vec_o[bc_tag_o];

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      cb_valid_q <= '0;
    end else if (epoch_new_i) begin
      cb_valid_q <= '0;
    end else if (cbuf_we_i) begin
      cb_valid_q[cbuf_addr_i] <= 1'b1;
    end
  end

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      mac_q   <= '0;
      fin_q   <= '0;
      tag_q   <= 1'b0;
      setup_q <= 1'b0;
    end else if (flush_i) begin
      mac_q   <= '0;
      fin_q   <= '0;
      tag_q   <= 1'b0;
      setup_q <= 1'b0;
    end else begin
      setup_q <= take && is_mac;
      for (int unsigned t = 0; t < 2; t++) begin
        if (take && is_mac && tag_q == 1'(t)) begin
          mac_q[t] <= 1'b1;
          fin_q[t] <= 1'b0;
        end else if (retire && head == KindMac && head_tag == 1'(t)) begin
          mac_q[t] <= 1'b0;
        end else if (mac_q[t] && sent_q[t] && settle_q[2*t +: 2] == '0 && !busy_i[t]) begin
          fin_q[t] <= 1'b1;
        end
      end
      if (take && is_mac) begin
        tag_q <= ~tag_q;
      end
    end
  end

  always_ff @(posedge clk_i) begin
    for (int unsigned t = 0; t < 2; t++) begin
      if (take && is_mac && tag_q == 1'(t)) begin
        sent_q[t]         <= 1'b0;
        settle_q[2*t +: 2] <= Settle;
        cfg_half_o[t]     <= half;
        cfg_wide_o[t]     <= wide;
        cfg_cb_o[5*t +: 5] <= codebook;
        cfg_rows_o[12*t +: 12] <= cmd_i[eie_pkg::CmdVmacRowsLsb +: 12];
        cfg_weights_o[Wa*t +: Wa] <= is_vec ? cmd_i[eie_pkg::CmdVmacWeightsLsb +: Wa] :
                                              cmd_i[eie_pkg::CmdMacWeightsLsb +: Wa];
        idx_q[32*t +: 32] <= cmd_idx_i;
      end else if (mac_q[t]) begin
        if (bc_tag_o == 1'(t) && !setup_q && !bc_busy_i) begin
          sent_q[t] <= 1'b1;
        end
        if (sent_q[t] && settle_q[2*t +: 2] != '0) begin
          settle_q[2*t +: 2] <= settle_q[2*t +: 2] - 1'b1;
        end
      end
    end
    if (take && is_mac) begin
      // of both tags: a lane that has no job still has the tag of its last one
      cfg_vec_o    <= {2{is_vec}};
      cfg_split_o  <= is_split;
      setup_wide_q <= wide;
      setup_map_q <= is_map;
      bc_tag_o     <= tag_q;
      bc_in_o      <= cmd_i[eie_pkg::CmdMacInLsb +: 24];
      bc_len_o     <= cmd_i[eie_pkg::CmdMacLenLsb +: 24];
      bc_ptr_o     <= cmd_i[eie_pkg::CmdMacPtrLsb +: Pa];
    end
  end

  if (Vector) begin : gen_gather
    always_ff @(posedge clk_i) begin
      if (take && is_mac && is_vec) begin
        ga_cmd_o <= cmd_i;
      end
    end
  end else begin : gen_no_gather
    assign ga_cmd_o = '0;
  end

  // DRAIN

  logic [15:0] vrows;                                // rows of all groups: no more than a half has

  assign vrows   = 16'(cmd_i[eie_pkg::CmdVdrainRowsLsb +: 12]) *
                   16'(cmd_i[eie_pkg::CmdVdrainGroupsLsb +: 12]);
  assign dr_step_o = run_q && steps_q != '0 && !flush_i;
  assign dr_re_o   = dr_step_o && (!dr_vec_o || row_q[2:0] == '0);
  assign dead_o  = dead_q || fault_o;
  assign dr_we_o = y_valid_i && !dead_o;

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      drain_q   <= 1'b0;
      run_q     <= 1'b0;
      drained_q <= 1'b0;
    end else if (flush_i) begin
      drain_q   <= 1'b0;
      run_q     <= 1'b0;
      drained_q <= 1'b0;
    end else if (take && is_drain) begin
      drain_q   <= 1'b1;
      run_q     <= 1'b0;
      drained_q <= 1'b0;
    end else if (retire && head == KindDrain) begin
      drain_q   <= 1'b0;
      run_q     <= 1'b0;
    end else if (drain_q) begin
      run_q <= run_q || (wait_q & mac_q & ~fin_q) == '0;
      if (dr_we_o && owed_q == 16'd1) begin
        drained_q <= 1'b1;
      end
    end
  end

  // A VDRAIN takes a row of eight pixels a cycle: groups, words, rows of a word. What it issues and
  // what it writes are two walks over the same rows.

  logic [11:0] rows_q, row_q, wrow_q;                // rows a group; row to issue, row to write
  logic [19:0] plane_q;
  logic [2:0]  tail_q;
  logic [11:0] wleft_q;                              // groups to write
  logic [23:0] group_q;                              // granule of row 0 of the next group to write
  logic [Ra-1:0] param_q;                            // of row 0
  logic        last_row, wlast_row;

  assign last_row    = row_q == rows_q - 1'b1;
  assign wlast_row   = wrow_q == rows_q - 1'b1;
  assign dr_row_o    = row_q[2:0];
  assign dr_pixels_o = (dr_vec_o && wleft_q == 12'd1 && tail_q != '0) ? ~(8'hff << tail_q) : 8'hff;

  always_ff @(posedge clk_i) begin
    if (take && is_drain) begin
      dr_vec_o    <= is_vec;
      rows_q      <= cmd_i[eie_pkg::CmdVdrainRowsLsb +: 12];
      plane_q     <= cmd_i[eie_pkg::CmdVdrainPlaneLsb +: 20];
      tail_q      <= cmd_i[eie_pkg::CmdVdrainTailLsb +: 3];
      wleft_q     <= cmd_i[eie_pkg::CmdVdrainGroupsLsb +: 12];
      group_q     <= cmd_i[eie_pkg::CmdVdrainOutLsb +: 24] + 24'(Clusters);
      param_q     <= cmd_i[eie_pkg::CmdDrainParamLsb +: Ra];
      row_q       <= '0;
      wrow_q      <= '0;
    end else begin
      if (dr_step_o) begin
        row_q <= last_row ? '0 : row_q + 1'b1;
      end
      if (dr_we_o) begin
        wrow_q <= wlast_row ? '0 : wrow_q + 1'b1;
        if (wlast_row) begin
          wleft_q <= wleft_q - 1'b1;
          group_q <= group_q + 24'(Clusters);
        end
      end
    end
  end

  always_ff @(posedge clk_i) begin
    if (take && is_drain) begin
      wait_q      <= mac_q & ~fin_q;
      dr_half_o   <= half;
      dr_word_o   <= '0;
      dr_addr_o   <= cmd_i[eie_pkg::CmdDrainOutLsb +: 24];
      stride_q    <= cmd_i[eie_pkg::CmdDrainStrideLsb +: 24];
      steps_q     <= is_vec ? vrows : cmd_i[eie_pkg::CmdDrainStepsLsb +: 16];
      owed_q      <= is_vec ? vrows : cmd_i[eie_pkg::CmdDrainStepsLsb +: 16];
      dr_param_o  <= cmd_i[eie_pkg::CmdDrainParamLsb +: Ra];
      dr_lo_o     <= cmd_i[eie_pkg::CmdDrainLoLsb +: 16];
      dr_hi_o     <= cmd_i[eie_pkg::CmdDrainHiLsb +: 16];
      drain_idx_q <= cmd_idx_i;
    end else begin
      // a tag that was complete once may be a later MAC's by now
      wait_q <= wait_q & mac_q & ~fin_q;
      if (dr_step_o) begin
        steps_q    <= steps_q - 1'b1;
        if (!dr_vec_o || row_q[2:0] == 3'd7 || last_row) begin
          dr_word_o  <= dr_word_o + 1'b1;
          dr_param_o <= (dr_vec_o && last_row) ? param_q : dr_param_o + Ra'(4);
        end
      end
      if (dr_we_o) begin
        owed_q    <= owed_q - 1'b1;
        dr_addr_o <= !dr_vec_o ? dr_addr_o + stride_q :
                     wlast_row ? group_q : dr_addr_o + 24'(plane_q) * 24'(Clusters);
      end
    end
  end

  // Faults: the lowest status first; a MAC's with the older tag is not told apart from the younger's.

  logic [1:0] unwritten;

  assign unwritten = mac_unwritten_i | ((setup_q && !cb_ok) ? (2'b01 << bc_tag_o) : 2'b00);

  always_comb begin
    fault_o        = 1'b1;
    fault_status_o = eie_pkg::StatusUnwritten;
    fault_cmd_o    = idx_q[31:0];
    if (unwritten != '0) begin
      fault_cmd_o = unwritten[0] ? idx_q[31:0] : idx_q[63:32];
    end else if (dr_unwritten_i) begin
      fault_cmd_o = drain_idx_q;
    end else if (mac_bad_stream_i != '0) begin
      fault_status_o = eie_pkg::StatusBadStream;
      fault_cmd_o    = mac_bad_stream_i[0] ? idx_q[31:0] : idx_q[63:32];
    end else if (dr_bad_param_i) begin
      fault_status_o = eie_pkg::StatusBadParam;
      fault_cmd_o    = drain_idx_q;
    end else begin
      fault_o = 1'b0;
    end
    if (dead_q || flush_i) begin
      fault_o = 1'b0;
    end
  end

  // Status

  logic open, engine_q;

  assign open            = (mac_q & ~fin_q) != '0 || (drain_q && !drained_q);
  assign engine_active_o = open && (engine_q || bc_valid_i || run_q);
  assign mac_active_o    = (mac_q & ~fin_q) != '0;
  assign drain_active_o  = run_q && !drained_q;
  assign sync_wait_o     = cmd_valid_i || count_q != '0;
  assign idle_o          = count_q == '0 && !take && !done_o;

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      engine_q <= 1'b0;
    end else begin
      engine_q <= engine_active_o && !flush_i;
    end
  end

  // Assertions

`ifndef SYNTHESIS
  assert property (@(posedge clk_i) disable iff (!rst_ni) take |-> is_mac || is_drain || op == eie_pkg::OpSync);
  assert property (@(posedge clk_i) disable iff (!rst_ni) ga_start_o |-> cfg_vec_o[bc_tag_o]);
  assert property (@(posedge clk_i) disable iff (!rst_ni) y_valid_i |-> run_q && owed_q != '0);
`endif

endmodule
