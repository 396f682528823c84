// SPDX-License-Identifier: GPL-2.0 OR MIT
//
// Walks the Sv39 tables of the job for one translation at a time and fills the TLB; whoever missed
// looks up again after `done`. Pointers to lower tables are kept (one to a level-1 table, four to
// level-0 tables), so a miss in a neighbouring 4 KiB page costs one read. Tables: hw/eie_hw.def,
// "Page-table entry".

module eie_walker (
  input  logic         clk_i,
  input  logic         rst_ni,
  input  logic         flush_i,
  output logic         idle_o,
  input  logic [15:0]  asid_i,
  input  logic [55:0]  root_i,

  input  logic         hold_i,         // no new read
  input  logic         inv_i,
  input  logic         inv_all_i,
  input  logic [15:0]  inv_asid_i,

  input  logic         walk_valid_i,
  output logic         walk_ready_o,
  input  logic [63:0]  walk_va_i,
  input  logic [31:0]  walk_cmd_i,
  output logic         done_o,         // pulse: look up again

  output logic         req_valid_o,
  input  logic         req_ready_i,
  output logic [63:0]  req_pa_o,
  output logic [63:0]  va_o,
  output logic [31:0]  cmd_o,
  input  logic         rsp_valid_i,
  input  logic         rsp_err_i,
  input  logic [127:0] rsp_data_i,

  output logic         fill_o,
  output logic [26:0]  fill_vpn_o,
  output logic         fill_mega_o,
  output logic         fill_w_o,
  output logic         fill_r_o,
  output logic [43:0]  fill_ppn_o,

  output logic         fault_o         // with va_o, cmd_o; then nothing happens until the flush
);

  localparam int unsigned Kept = 4;

  typedef enum logic [2:0] {StIdle, StRead, StWait, StCheck, StFailed} state_e;
  state_e      state_q, state_d;
  logic [63:0] va_q;
  logic [31:0] cmd_q;
  logic [1:0]  level_q;               // of the table that is read next
  logic [43:0] table_q;               // its page
  logic [63:0] pte_q;
  logic        stale_q;               // an invalidation came while the read was under way

  // Kept pointers --------------------------------------------------------------------------------

  logic            l1_valid_q;
  logic [15:0]     l1_asid_q;
  logic [8:0]      l1_tag_q;
  logic [43:0]     l1_ppn_q;
  logic [Kept-1:0] l0_valid_q;
  logic [15:0]     l0_asid_q [0:Kept-1];
  logic [17:0]     l0_tag_q  [0:Kept-1];
  logic [43:0]     l0_ppn_q  [0:Kept-1];
  logic [1:0]      l0_victim_q;
  logic            start, keep;
  logic [1:0]      first_level;
  logic [43:0]     first_table;

  assign walk_ready_o = state_q == StIdle && !hold_i && !inv_i && !flush_i;
  assign start        = walk_valid_i && walk_ready_o;

  always_comb begin
    first_level = 2'd2;
    first_table = root_i[55:12];
    if (start) begin
      if (l1_valid_q && l1_asid_q == asid_i && l1_tag_q == walk_va_i[38:30]) begin
        first_level = 2'd1;
        first_table = l1_ppn_q;
      end
      for (int i = 0; i < Kept; i++) begin
        if (l0_valid_q[i] && l0_asid_q[i] == asid_i && l0_tag_q[i] == walk_va_i[38:21]) begin
          first_level = 2'd0;
          first_table = l0_ppn_q[i];
        end
      end
    end
  end

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      l1_valid_q  <= 1'b0;
      l0_valid_q  <= '0;
      l0_victim_q <= '0;
    end else if (inv_i) begin
      if (inv_all_i || l1_asid_q == inv_asid_i) begin
        l1_valid_q <= 1'b0;
      end
      for (int i = 0; i < Kept; i++) begin
        if (inv_all_i || l0_asid_q[i] == inv_asid_i) begin
          l0_valid_q[i] <= 1'b0;
        end
      end
    end else if (keep && level_q == 2'd2) begin
      l1_valid_q <= 1'b1;
    end else if (keep) begin
      l0_valid_q[l0_victim_q] <= 1'b1;
      l0_victim_q             <= l0_victim_q + 2'd1;
    end
  end

  always_ff @(posedge clk_i) begin
    if (keep && level_q == 2'd2) begin
      l1_asid_q <= asid_i;
      l1_tag_q  <= va_q[38:30];
      l1_ppn_q  <= pte_q[eie_pkg::PtePpnLsb +: eie_pkg::PtePpnBits];
    end else if (keep) begin
      l0_asid_q[l0_victim_q] <= asid_i;
      l0_tag_q[l0_victim_q]  <= va_q[38:21];
      l0_ppn_q[l0_victim_q]  <= pte_q[eie_pkg::PtePpnLsb +: eie_pkg::PtePpnBits];
    end
  end

  // The entry that was read ----------------------------------------------------------------------

  logic [8:0] index;
  logic       leaf, bad;

  always_comb begin
    unique case (level_q)
      2'd2:    index = va_q[38:30];
      2'd1:    index = va_q[29:21];
      default: index = va_q[20:12];
    endcase
  end

  assign req_pa_o = {8'b0, table_q, index[8:1], 4'b0};
  assign leaf     = pte_q[1];
  assign bad      = !pte_q[0] || (pte_q[2] && !pte_q[1]) || (|pte_q[63:54]) ||
                    (leaf && level_q == 2'd2) ||
                    (leaf && level_q == 2'd1 && pte_q[eie_pkg::PtePpnLsb +: 9] != 9'b0) ||
                    (!leaf && level_q == 2'd0);

  logic checked;
  assign checked = state_q == StCheck && !inv_i && !flush_i;
  assign keep    = checked && !bad && !leaf;
  assign fill_o  = checked && !bad && leaf;
  assign fault_o = checked && bad;

  assign fill_vpn_o  = va_q[38:12];
  assign fill_mega_o = level_q == 2'd1;
  assign fill_r_o    = pte_q[1];
  assign fill_w_o    = pte_q[2];
  assign fill_ppn_o  = pte_q[eie_pkg::PtePpnLsb +: eie_pkg::PtePpnBits];

  // Steps ----------------------------------------------------------------------------------------

  assign req_valid_o = state_q == StRead && !hold_i && !flush_i;
  assign va_o        = va_q;
  assign cmd_o       = cmd_q;
  assign idle_o      = state_q == StIdle || state_q == StFailed;

  always_comb begin
    state_d = state_q;
    done_o  = 1'b0;
    unique case (state_q)
      StIdle: begin
        if (start) begin
          state_d = StRead;
        end
      end
      StRead: begin
        if (req_valid_o && req_ready_i) begin
          state_d = StWait;
        end else if (inv_i) begin
          state_d = StIdle;
          done_o  = 1'b1;
        end
      end
      StWait: begin
        if (rsp_valid_i) begin
          if (rsp_err_i) begin
            state_d = StFailed;
          end else if (inv_i || stale_q) begin
            state_d = StIdle;
            done_o  = 1'b1;
          end else begin
            state_d = StCheck;
          end
        end
      end
      StCheck: begin
        if (inv_i || fill_o) begin
          state_d = StIdle;
          done_o  = 1'b1;
        end else begin
          state_d = bad ? StFailed : StRead;
        end
      end
      default: ;   // StFailed
    endcase
    if (flush_i) begin
      state_d = StIdle;   // an answer under way is swallowed by eie_axi_rd
    end
  end

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      state_q <= StIdle;
    end else begin
      state_q <= state_d;
    end
  end

  always_ff @(posedge clk_i) begin
    if (start) begin
      va_q    <= walk_va_i;
      cmd_q   <= walk_cmd_i;
      level_q <= first_level;
      table_q <= first_table;
      stale_q <= 1'b0;
    end else begin
      if (keep) begin
        level_q <= level_q - 2'd1;
        table_q <= pte_q[eie_pkg::PtePpnLsb +: eie_pkg::PtePpnBits];
      end
      if (inv_i) begin
        stale_q <= 1'b1;
      end
    end
    if (state_q == StWait && rsp_valid_i) begin
      pte_q <= index[0] ? rsp_data_i[127:64] : rsp_data_i[63:0];
    end
  end

  // The root is 4 KiB aligned (checked by the front end); X, U, G, A, D and RSW are not looked at.
  logic unused;
  assign unused = ^{root_i[11:0], pte_q[9:3]};

endmodule
