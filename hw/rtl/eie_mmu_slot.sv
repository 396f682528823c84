// SPDX-License-Identifier: GPL-2.0 OR MIT
//
// One request on its way through the MMU: accepted, looked up in the next cycle, offered to the
// bus side in the one after, while the next is accepted: a translation every two cycles.

module eie_mmu_slot (
  input  logic        clk_i,
  input  logic        rst_ni,
  input  logic        flush_i,
  input  logic        inv_i,          // an invalidation starts: look up anew what is not on the bus
  input  logic        hold_i,         // an invalidation waits for the bus
  output logic        empty_o,

  input  logic        req_valid_i,
  output logic        req_ready_o,
  input  logic [1:0]  req_id_i,
  input  logic        req_phys_i,
  input  logic [63:0] req_va_i,
  input  logic [3:0]  req_len_i,
  input  logic [31:0] req_cmd_i,

  output logic        lookup_o,
  input  logic        lookup_ack_i,   // this cycle's answer is for this slot
  input  logic        hit_i,
  input  logic        allowed_i,
  input  logic [43:0] ppn_i,
  output logic        walk_o,
  input  logic        walk_ack_i,
  input  logic        walk_done_i,
  output logic        miss_o,         // pulse, once a request

  output logic        out_valid_o,
  input  logic        out_ready_i,
  output logic [1:0]  out_id_o,
  output logic [63:0] out_pa_o,
  output logic [63:0] va_o,
  output logic [3:0]  out_len_o,
  output logic [31:0] cmd_o,

  output logic        fault_o         // page fault at va_o, cmd_o; then nothing until the flush
);

  typedef enum logic [2:0] {StEmpty, StLookup, StWalk, StReady, StFailed} state_e;
  state_e      state_q, state_d;
  logic        phys_q, missed_q;
  logic [1:0]  id_q;
  logic [63:0] va_q;
  logic [3:0]  len_q;
  logic [31:0] cmd_q;
  logic [43:0] ppn_q;
  logic        req_fire, out_fire, answer, canonical, found;

  assign out_valid_o = state_q == StReady && !hold_i && !flush_i;
  assign out_fire    = out_valid_o && out_ready_i;
  assign req_ready_o = (state_q == StEmpty || out_fire) && !flush_i;
  assign req_fire    = req_valid_i && req_ready_o;
  assign empty_o     = state_q == StEmpty;

  assign lookup_o  = state_q == StLookup && !hold_i && !inv_i && !flush_i;
  assign answer    = lookup_o && lookup_ack_i;
  assign canonical = (va_q[63:eie_pkg::VaBits-1] == '0) || (&va_q[63:eie_pkg::VaBits-1]);
  assign found     = answer && canonical && hit_i && allowed_i;
  assign walk_o    = answer && canonical && !hit_i;
  assign miss_o    = walk_o && walk_ack_i && !missed_q;
  assign fault_o   = answer && (!canonical || (hit_i && !allowed_i));

  always_comb begin
    state_d = state_q;
    unique case (state_q)
      StLookup: begin
        if (fault_o) begin
          state_d = StFailed;
        end else if (found) begin
          state_d = StReady;
        end else if (walk_o && walk_ack_i) begin
          state_d = StWalk;
        end
      end
      StWalk: begin
        if (walk_done_i) begin
          state_d = StLookup;
        end
      end
      StReady: begin
        if (out_fire) begin
          state_d = StEmpty;
        end else if (inv_i && !phys_q) begin
          state_d = StLookup;
        end
      end
      default: ;   // StEmpty, StFailed
    endcase
    if (req_fire) begin
      state_d = req_phys_i ? StReady : StLookup;
    end
    if (flush_i) begin
      state_d = StEmpty;
    end
  end

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      state_q <= StEmpty;
    end else begin
      state_q <= state_d;
    end
  end

  always_ff @(posedge clk_i) begin
    if (req_fire) begin
      id_q     <= req_id_i;
      phys_q   <= req_phys_i;
      va_q     <= req_va_i;
      len_q    <= req_len_i;
      cmd_q    <= req_cmd_i;
      missed_q <= 1'b0;
    end else if (miss_o) begin
      missed_q <= 1'b1;
    end
    if (found) begin
      ppn_q <= ppn_i;
    end
  end

  assign out_id_o  = id_q;
  assign out_pa_o  = phys_q ? va_q : {8'b0, ppn_q, va_q[11:0]};
  assign out_len_o = len_q;
  assign va_o      = va_q;
  assign cmd_o     = cmd_q;

  // Assertions -----------------------------------------------------------------------------------

`ifndef SYNTHESIS
  assert property (@(posedge clk_i) disable iff (!rst_ni)
    req_fire |-> req_va_i[3:0] == 4'b0 && {1'b0, req_va_i[11:4]} + {5'b0, req_len_i} < 9'd256);
`endif

endmodule
