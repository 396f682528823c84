// SPDX-License-Identifier: GPL-2.0 OR MIT
//
// The checks of a command that need nothing but the command, the configuration and the number of
// bases: "Commands" in docs/programmers_guide.md. Where several fail the lowest status number
// counts, and the three that exist here are in that order: BAD_COMMAND, BAD_RANGE, MISALIGNED.

module eie_cmdcheck #(
  parameter int unsigned Clusters = 8,   // power of two
  parameter int unsigned Rows = 256,
  parameter int unsigned AbufDepth = 4096,
  parameter int unsigned WbufDepth = 4096,
  parameter int unsigned PbufDepth = 1024,
  parameter int unsigned RbufDepth = 256,
  parameter bit          Vector = 1'b0,
  parameter bit          Select = 1'b0
) (
  input  logic               valid_i,   // else status_o is StatusOk; spares the simulator the work
  input  logic [255:0]       cmd_i,
  input  logic [4:0]         nbases_i,
  output logic [7:0]         status_o
);

  localparam int unsigned StepsMax = Rows / 8;
  localparam int unsigned StepsW = $clog2(StepsMax + 1);
  localparam int unsigned NarrowGranules = 2;    // a codebook of 16 entries
  localparam int unsigned WideGranules = 32;     // of 256

  // Bits that each kind of command may set
  localparam logic [255:0] BitsLoad = {
    32'h0000_ffff, 32'h00ff_ffff, 32'hffff_ffff, 32'h00ff_ffff,
    32'h00ff_ffff, 32'h0000_00ff, 32'hffff_ffff, 32'hff0f_0aff
  };
  localparam logic [255:0] BitsStore = {BitsLoad[255:32], 32'hff0f_05ff};
  localparam logic [255:0] BitsSelect = {
    32'hffff_ffff, 32'h00ff_ffff, 32'hffff_ffff, 32'h00ff_ffff,
    32'h00ff_ffff, 32'hffff_ffff, 32'hffff_ffff, 32'hff1f_1aff
  };
  localparam logic [255:0] BitsSync = {224'b0, 32'h0000_1fff};
  localparam logic [255:0] BitsMac = {
    32'h0, 32'h0, 32'h0000_00ff, 32'h00ff_ffff,
    32'h00ff_ffff, 32'h00ff_ffff, 32'h00ff_ffff, 32'h0003_1fff
  };
  localparam logic [255:0] BitsDrain = {
    32'h0, 32'h0, 32'hffff_ffff, 32'h00ff_ffff,
    32'h0000_ffff, 32'h00ff_ffff, 32'h00ff_ffff, 32'h0001_1fff
  };

  localparam logic [255:0] BitsVmac = {
    32'h007f_ffff, 32'hffff_ffff, 32'hffff_ffff, 32'hffff_ffff,
    32'hffff_ffff, 32'hffff_ffff, 32'hffff_ffff, 32'hff3f_1fff
  };
  localparam logic [255:0] BitsVdrain = {
    32'h0, 32'h0, 32'hffff_ffff, 32'h00ff_ffff,
    32'h00ff_ffff, 32'h000f_ffff, 32'h00ff_ffff, 32'h001d_1fff
  };

  localparam logic [255:0] BitsVpool = {
    32'h007f_ffff, 32'hffff_ffff, 32'hffff_ffff, 32'hffff_ffff,
    32'hffff_ffff, 32'h00ff_ffff, 32'hffff_ffff, 32'h1f1d_1fff
  };
  localparam logic [255:0] BitsVmul = {
    32'h00ff_ffff, 32'h0fff_ffff, 32'hffff_ffff, 32'h00ff_ffff,
    32'hffff_ffff, 32'h00ff_ffff, 32'h3fff_ffff, 32'h001d_1fff
  };
  localparam logic [255:0] BitsVtable = {
    32'h00ff_ffff, 32'h0, 32'h0, 32'h00ff_ffff,
    32'hffff_ffff, 32'h00ff_ffff, 32'h00ff_ffff, 32'h001c_1fff
  };

  // Fields, by their names in eie_hw.def
  logic [3:0]  x_target;
  logic [7:0]  x_base, x_cluster, m_codebook;
  logic [23:0] x_addr, x_len, x_buf_stride;
  logic [15:0] x_rows, d_steps, s_len;
  logic [23:0] s_in, s_ptr;
  logic        s_pointers;
  logic [23:0] m_in, m_len, m_ptr, m_weights, d_out, d_stride, d_param;
  logic        m_wide;
  logic signed [15:0] d_lo, d_hi;

  assign x_target     = cmd_i[eie_pkg::CmdXferTargetLsb+:4];
  assign x_base       = cmd_i[eie_pkg::CmdXferBaseLsb+:8];
  assign x_cluster    = cmd_i[eie_pkg::CmdXferClusterLsb+:8];
  assign x_addr       = cmd_i[eie_pkg::CmdXferAddrLsb+:24];
  assign x_len        = cmd_i[eie_pkg::CmdXferLenLsb+:24];
  assign x_buf_stride = cmd_i[eie_pkg::CmdXferBufStrideLsb+:24];
  assign x_rows       = cmd_i[eie_pkg::CmdXferRowsLsb+:16];
  assign s_in         = cmd_i[eie_pkg::CmdSelectInLsb+:24];
  assign s_ptr        = cmd_i[eie_pkg::CmdSelectPtrLsb+:24];
  assign s_len        = cmd_i[eie_pkg::CmdSelectLenLsb+:16];
  assign s_pointers   = x_target == eie_pkg::BufPbuf[3:0];
  assign m_wide       = cmd_i[eie_pkg::CmdMacWideLsb];
  assign m_in         = cmd_i[eie_pkg::CmdMacInLsb+:24];
  assign m_len        = cmd_i[eie_pkg::CmdMacLenLsb+:24];
  assign m_ptr        = cmd_i[eie_pkg::CmdMacPtrLsb+:24];
  assign m_weights    = cmd_i[eie_pkg::CmdMacWeightsLsb+:24];
  assign m_codebook   = cmd_i[eie_pkg::CmdMacCodebookLsb+:8];
  assign d_out        = cmd_i[eie_pkg::CmdDrainOutLsb+:24];
  assign d_stride     = cmd_i[eie_pkg::CmdDrainStrideLsb+:24];
  assign d_steps      = cmd_i[eie_pkg::CmdDrainStepsLsb+:16];
  assign d_param      = cmd_i[eie_pkg::CmdDrainParamLsb+:24];
  assign d_lo         = cmd_i[eie_pkg::CmdDrainLoLsb+:16];
  assign d_hi         = cmd_i[eie_pkg::CmdDrainHiLsb+:16];

  logic        v_bad, v_range;                   // of a command of vector mode
  logic        bad, range, misaligned, shared;
  logic [24:0] x_depth;

  // One memory for the array, or one a cluster
  assign shared = x_target == eie_pkg::BufAbuf[3:0] || x_target == eie_pkg::BufCbuf[3:0];

  always_comb begin
    unique case (x_target)
      eie_pkg::BufAbuf[3:0]: x_depth = 25'(AbufDepth);
      eie_pkg::BufWbuf[3:0]: x_depth = 25'(WbufDepth);
      eie_pkg::BufPbuf[3:0]: x_depth = 25'(PbufDepth);
      eie_pkg::BufRbuf[3:0]: x_depth = 25'(RbufDepth);
      default:               x_depth = 25'(eie_pkg::CbufGranules);
    endcase
  end

  // The last granule of a DRAIN. Only looked at when d_steps is 1 .. StepsMax, so its low bits do.
  logic [StepsW-1:0]  d_steps1;
  logic [24+StepsW:0] d_end;

  assign d_steps1 = d_steps[StepsW-1:0] - 1'b1;

  always_comb begin
    bad        = 1'b0;
    range      = 1'b0;
    misaligned = 1'b0;
    d_end      = '0;
    if (valid_i) begin
      unique case (cmd_i[eie_pkg::CmdOpcodeLsb+:8])
        eie_pkg::OpLoad, eie_pkg::OpStore: begin
          bad = x_target > eie_pkg::BufCbuf[3:0] || x_len == '0 || x_rows == '0 ||
                (shared ? x_cluster != '0 : x_buf_stride != '0);
          if (cmd_i[eie_pkg::CmdOpcodeLsb+:8] == eie_pkg::OpLoad) begin
            bad = bad || (cmd_i & ~BitsLoad) != '0;
          end else begin
            bad = bad || (cmd_i & ~BitsStore) != '0 || x_target != eie_pkg::BufAbuf[3:0];
          end
          range = x_base >= 8'(nbases_i) || 25'(x_addr) + 25'(x_len) > x_depth ||
                  (!shared && 17'(x_cluster) + 17'(x_rows) > 17'(Clusters));
          misaligned = cmd_i[eie_pkg::CmdXferOffsetLsb+:4] != '0 ||
                       cmd_i[eie_pkg::CmdXferMemStrideLsb+:4] != '0;
        end
        eie_pkg::OpSelect: begin
          bad = !Select || (cmd_i & ~BitsSelect) != '0 || x_len == '0 || x_rows == '0 || s_len == '0 ||
                (x_target != eie_pkg::BufWbuf[3:0] && !s_pointers) ||
                (s_pointers && (s_ptr != '0 || cmd_i[eie_pkg::CmdSelectWideLsb] ||
                                x_len != {7'b0, s_len, 1'b0}));
          range = x_base >= 8'(nbases_i) || 25'(x_addr) + 25'(x_len) > x_depth ||
                  17'(x_cluster) + 17'(x_rows) > 17'(Clusters) ||
                  25'(s_in) + 25'(s_len) > 25'(AbufDepth) ||
                  (!s_pointers && 25'(s_ptr) + {8'b0, s_len, 1'b0} > 25'(PbufDepth));
          misaligned = cmd_i[eie_pkg::CmdXferOffsetLsb+:4] != '0 ||
                       cmd_i[eie_pkg::CmdXferMemStrideLsb+:4] != '0;
        end
        eie_pkg::OpSync: begin
          bad = (cmd_i & ~BitsSync) != '0;
        end
        eie_pkg::OpMac: begin
          bad   = (cmd_i & ~BitsMac) != '0 || m_len == '0;
          range = 25'(m_in) + 25'(m_len) > 25'(AbufDepth) ||
                  26'(m_ptr) + {1'b0, m_len, 1'b0} > 26'(PbufDepth) ||
                  m_weights >= 24'(WbufDepth) ||
                  (m_wide ? m_codebook[4:0] != '0 : m_codebook[0]) ||
                  9'(m_codebook) + 9'(m_wide ? WideGranules : NarrowGranules) >
                      9'(eie_pkg::CbufGranules);
        end
        eie_pkg::OpDrain: begin
          bad   = (cmd_i & ~BitsDrain) != '0 || d_steps == '0 || d_lo > d_hi || d_lo == 16'sh8000 ||
                  d_stride < 24'(Clusters);
          d_end = (25 + StepsW)'(d_out) + (25 + StepsW)'(d_stride) * (25 + StepsW)'(d_steps1) +
                  (25 + StepsW)'(Clusters);
          range = d_steps > 16'(StepsMax) || d_end > (25 + StepsW)'(AbufDepth) ||
                  26'(d_param) + {8'b0, d_steps, 2'b0} > 26'(RbufDepth) ||
                  ((d_out | d_stride) & 24'(Clusters - 1)) != '0;
        end
        eie_pkg::OpVmac, eie_pkg::OpVdrain, eie_pkg::OpVpool,
        eie_pkg::OpVmul, eie_pkg::OpVtable: begin
          bad   = v_bad;
          range = v_range;
        end
        default: begin
          bad = 1'b1;
        end
      endcase
    end
  end

  // Vector mode: docs/vector_mode.md, "What is malformed"

  if (Vector) begin : gen_vector
    localparam int unsigned Kw = $clog2(Clusters);

    logic [11:0] rows, groups, channels;
    logic [19:0] plane;
    logic [23:0] base;
    logic [8:0]  words;                          // of a group
    logic [19:0] columns;
    logic [23:0] pixels;
    logic [23:0] v_codebook;
    logic        is_pool, is_drain, is_mul, is_element, wide;
    logic [39:0] end_in, end_b, end_out;
    logic [23:0] b, out;                         // of commands without accumulators
    logic [11:0] b_plane, out_plane;
    logic        no_window, too_many_sums;

    // Input, its plane, channels and groups lie in the same bits of all but VDRAIN, image and
    // windows in those of VMAC and VPOOL, operands in those of VMUL and VTABLE.
    assign is_pool    = cmd_i[eie_pkg::CmdOpcodeLsb +: 8] == eie_pkg::OpVpool;
    assign is_drain   = cmd_i[eie_pkg::CmdOpcodeLsb +: 8] == eie_pkg::OpVdrain;
    assign is_mul     = cmd_i[eie_pkg::CmdOpcodeLsb +: 8] == eie_pkg::OpVmul;
    assign is_element = is_mul || cmd_i[eie_pkg::CmdOpcodeLsb +: 8] == eie_pkg::OpVtable;
    assign rows       = is_drain ? cmd_i[eie_pkg::CmdVdrainRowsLsb +: 12] :
                                   cmd_i[eie_pkg::CmdVmacRowsLsb +: 12];
    assign groups     = is_drain ? cmd_i[eie_pkg::CmdVdrainGroupsLsb +: 12] :
                                   cmd_i[eie_pkg::CmdVmacGroupsLsb +: 12];
    assign plane      = is_drain ? cmd_i[eie_pkg::CmdVdrainPlaneLsb +: 20] :
                                   cmd_i[eie_pkg::CmdVmacPlaneLsb +: 20];
    assign base       = cmd_i[eie_pkg::CmdVmacInLsb +: 24];        // CmdVdrainOutLsb is the same
    assign channels   = cmd_i[eie_pkg::CmdVmacChannelsLsb +: 12];
    assign b          = cmd_i[eie_pkg::CmdVmulBLsb +: 24];         // CmdVtableTableLsb is the same
    assign b_plane    = cmd_i[eie_pkg::CmdVmulBPlaneLsb +: 12];
    assign out        = is_element ? cmd_i[eie_pkg::CmdVmulOutLsb +: 24] :
                                     cmd_i[eie_pkg::CmdVpoolOutLsb +: 24];
    assign out_plane  = is_element ? cmd_i[eie_pkg::CmdVmulOutPlaneLsb +: 12] :
                                     cmd_i[eie_pkg::CmdVpoolOutPlaneLsb +: 12];
    assign wide     = cmd_i[eie_pkg::CmdVmacWideLsb];
    assign v_codebook = 24'(cmd_i[eie_pkg::CmdVmacCodebookLsb +: 8]);
    assign words    = 9'((13'(rows) + 13'd7) >> 3);

    always_comb begin
      columns = '0;
      pixels  = '0;
      end_in  = '0;
      end_b   = '0;
      end_out = '0;
      no_window     = 1'b0;
      too_many_sums = 1'b0;
      v_bad   = 1'b1;
      v_range = 1'b0;
      if (valid_i) begin
        columns = 20'(channels) * 20'(cmd_i[eie_pkg::CmdVmacKernelXLsb +: 4]) *
                  20'(cmd_i[eie_pkg::CmdVmacKernelYLsb +: 4]);
        pixels  = 24'(cmd_i[eie_pkg::CmdVmacInXLsb +: 12]) *
                  24'(cmd_i[eie_pkg::CmdVmacInYLsb +: 12]);
        end_in  = ((40'(channels) + 40'(Clusters) - 40'd1) >> Kw) * 40'(plane);
        end_in  = 40'(base) + (end_in << Kw);
        end_b   = is_mul ? 40'(b) + 40'(channels) * 40'(b_plane) :
                           40'(b) + 40'(eie_pkg::TableGranules);
        if (is_drain) begin
          end_out = 40'(base) + (((40'(rows) - 40'd1) * 40'(plane) + 40'(groups)) << Kw);
        end else begin
          end_out = ((40'(channels) >> Kw) - 40'd1) * 40'(out_plane) + 40'(groups);
          end_out = 40'(out) + (end_out << Kw);
        end
        no_window = columns == '0 || pixels == '0 || plane == '0 || groups == '0 ||
                    cmd_i[eie_pkg::CmdVmacStrideXLsb +: 4] == '0 ||
                    cmd_i[eie_pkg::CmdVmacStrideYLsb +: 4] == '0 ||
                    cmd_i[eie_pkg::CmdVmacDilateXLsb +: 4] == '0 ||
                    cmd_i[eie_pkg::CmdVmacDilateYLsb +: 4] == '0 ||
                    cmd_i[eie_pkg::CmdVmacFirstXLsb +: 12] >= cmd_i[eie_pkg::CmdVmacOutXLsb +: 12];
        too_many_sums = 21'(groups) * 21'(words) > 21'(Rows / 8);

        v_range = (base & 24'(Clusters - 1)) != '0;
        if (!is_drain) begin
          v_range = v_range || end_in > 40'(AbufDepth);
        end
        if (!is_drain && !is_element) begin
          v_range = v_range || 25'(pixels) + 25'(cmd_i[eie_pkg::CmdVmacOriginLsb +: 3]) >
                               {2'b0, plane, 3'b0};
        end
        if (is_pool || is_element) begin
          v_range = v_range || ((out | 24'(channels)) & 24'(Clusters - 1)) != '0;
        end
        if (is_pool || is_element || is_drain) begin
          v_range = v_range || end_out > 40'(AbufDepth);
        end
        if (is_element) begin
          v_bad = channels == '0 || groups == '0 || plane < 20'(groups) || out_plane < groups ||
                  (cmd_i & ~(is_mul ? BitsVmul : BitsVtable)) != '0;
          v_range = v_range || end_b > 40'(AbufDepth);
          if (is_mul) begin
            v_bad = v_bad || d_lo > d_hi || d_lo == 16'sh8000 ||
                    b_plane < (cmd_i[eie_pkg::CmdVmulChannelLsb] ? 12'd1 : groups) ||
                    cmd_i[eie_pkg::CmdVmulSLsb +: 6] == '0 ||
                    cmd_i[eie_pkg::CmdVmulSLsb +: 6] > 6'(eie_pkg::ShiftMax);
            v_range = v_range || (b & 24'(Clusters - 1)) != '0;
          end
        end else if (is_pool) begin
          v_bad = (cmd_i & ~BitsVpool) != '0 || no_window || groups > out_plane ||
                  (!cmd_i[eie_pkg::CmdVpoolSumLsb] &&
                   cmd_i[eie_pkg::CmdVpoolShiftLsb +: 5] != '0);
        end else if (is_drain) begin
          v_bad = (cmd_i & ~BitsVdrain) != '0 || rows == '0 || groups == '0 ||
                  plane < 20'(groups) || d_lo > d_hi || d_lo == 16'sh8000;
          v_range = v_range || too_many_sums ||
                    25'(d_param) + ((25'(rows) + 25'd1) >> 1) > 25'(RbufDepth);
        end else begin
          v_bad = (cmd_i & ~BitsVmac) != '0 || no_window || rows == '0;
          v_range = v_range || too_many_sums ||
                    21'(cmd_i[eie_pkg::CmdVmacPtrLsb +: 16]) + ((21'(columns) + 21'd3) >> 2) >
                        21'(PbufDepth) ||
                    32'(cmd_i[eie_pkg::CmdVmacWeightsLsb +: 16]) >= WbufDepth ||
                    (wide ? v_codebook[4:0] != '0 : v_codebook[0]) ||
                    v_codebook + 24'(wide ? WideGranules : NarrowGranules) >
                        24'(eie_pkg::CbufGranules);
        end
      end
    end
  end else begin : gen_scalar
    assign v_bad   = 1'b1;
    assign v_range = 1'b0;
  end

  always_comb begin
    if (bad) begin
      status_o = eie_pkg::StatusBadCommand;
    end else if (range) begin
      status_o = eie_pkg::StatusBadRange;
    end else if (misaligned) begin
      status_o = eie_pkg::StatusMisaligned;
    end else begin
      status_o = eie_pkg::StatusOk;
    end
  end

endmodule
