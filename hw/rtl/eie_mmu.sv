// SPDX-License-Identifier: GPL-2.0 OR MIT
//
// Arbitrates the readers and the writers, and translates every address with the tables of the job.
// Reads and writes have a slot each, so that one goes on while the other's walk is under way; the
// TLB and the walker are shared. Read IDs: 0 front end, 1 walker, 2 command processor, 3 load;
// write IDs: 0 front end, 1 store. A page fault is reported and its request dropped; the flush
// that follows clears the slots.

module eie_mmu #(
  parameter int unsigned TlbEntries = 4
) (
  input  logic         clk_i,
  input  logic         rst_ni,
  input  logic         flush_i,
  output logic         idle_o,
  input  logic [15:0]  asid_i,
  input  logic [55:0]  root_i,

  // Invalidation: entries go at once; busy until what used them has left the bus.
  input  logic         inv_i,
  input  logic         inv_all_i,
  input  logic [15:0]  inv_asid_i,
  output logic         inv_busy_o,
  input  logic         bus_idle_i,

  input  logic         fe_rd_valid_i,
  output logic         fe_rd_ready_o,
  input  logic         fe_rd_phys_i,
  input  logic [63:0]  fe_rd_va_i,
  input  logic [3:0]   fe_rd_len_i,

  input  logic         cp_rd_valid_i,
  output logic         cp_rd_ready_o,
  input  logic [63:0]  cp_rd_va_i,
  input  logic [3:0]   cp_rd_len_i,
  input  logic [31:0]  cp_rd_cmd_i,

  input  logic         ld_rd_valid_i,
  output logic         ld_rd_ready_o,
  input  logic [63:0]  ld_rd_va_i,
  input  logic [3:0]   ld_rd_len_i,
  input  logic [31:0]  ld_rd_cmd_i,

  input  logic         fe_wr_valid_i,     // a completion entry: bus address, 8 beats
  output logic         fe_wr_ready_o,
  input  logic [63:0]  fe_wr_pa_i,

  input  logic         st_wr_valid_i,
  output logic         st_wr_ready_o,
  input  logic [63:0]  st_wr_va_i,
  input  logic [3:0]   st_wr_len_i,
  input  logic [31:0]  st_wr_cmd_i,

  // eie_axi_rd, eie_axi_wr
  output logic         rd_valid_o,
  input  logic         rd_ready_i,
  output logic [1:0]   rd_id_o,
  output logic [63:0]  rd_pa_o,
  output logic [3:0]   rd_len_o,
  output logic [63:0]  rd_va_o,
  output logic [31:0]  rd_cmd_o,
  input  logic [3:0]   rd_room_i,
  input  logic [3:0]   rd_last_room_i,
  input  logic         walk_rsp_valid_i,
  input  logic         walk_rsp_err_i,
  input  logic [127:0] walk_rsp_data_i,
  output logic         wr_valid_o,
  input  logic         wr_ready_i,
  output logic         wr_id_o,
  output logic [63:0]  wr_pa_o,
  output logic [3:0]   wr_len_o,
  output logic [63:0]  wr_va_o,
  output logic [31:0]  wr_cmd_o,

  output logic         miss_o,            // one pulse a translation that needed a walk
  output logic         fault_valid_o,     // page fault
  output logic [63:0]  fault_addr_o,
  output logic [31:0]  fault_cmd_o
);

  localparam logic [1:0] IdFe   = 2'd0;
  localparam logic [1:0] IdWalk = 2'd1;
  localparam logic [1:0] IdCp   = 2'd2;
  localparam logic [1:0] IdLd   = 2'd3;

  // Read arbitration: the front end reads nothing while commands run; the other two take turns.
  // Who has no room on the bus does not take the slot, or a load far ahead would hold up the
  // commands.

  logic        rd_req_valid, rd_req_ready, rd_req_phys, rd_ld_last_q;
  logic [1:0]  rd_req_id;
  logic [63:0] rd_req_va;
  logic [3:0]  rd_req_len;
  logic [31:0] rd_req_cmd;
  logic        rd_empty, fe_room, cp_room, ld_room, fe_want, cp_want, ld_want;
  logic [1:0]  slot_rd_id;

  assign fe_room = rd_room_i[IdFe] && !(rd_last_room_i[IdFe] && !rd_empty && slot_rd_id == IdFe);
  assign cp_room = rd_room_i[IdCp] && !(rd_last_room_i[IdCp] && !rd_empty && slot_rd_id == IdCp);
  assign ld_room = rd_room_i[IdLd] && !(rd_last_room_i[IdLd] && !rd_empty && slot_rd_id == IdLd);
  assign fe_want = fe_rd_valid_i && fe_room;
  assign cp_want = cp_rd_valid_i && cp_room;
  assign ld_want = ld_rd_valid_i && ld_room;

  always_comb begin
    if (fe_want) begin
      rd_req_id = IdFe;
    end else if (ld_want && !(cp_want && rd_ld_last_q)) begin
      rd_req_id = IdLd;
    end else begin
      rd_req_id = IdCp;
    end
  end

  assign rd_req_valid  = fe_want || cp_want || ld_want;
  assign fe_rd_ready_o = fe_want && rd_req_ready && rd_req_id == IdFe;
  assign cp_rd_ready_o = cp_want && rd_req_ready && rd_req_id == IdCp;
  assign ld_rd_ready_o = ld_want && rd_req_ready && rd_req_id == IdLd;

  always_comb begin
    unique case (rd_req_id)
      IdFe:    {rd_req_va, rd_req_len, rd_req_cmd} = {fe_rd_va_i, fe_rd_len_i, 32'b0};
      IdLd:    {rd_req_va, rd_req_len, rd_req_cmd} = {ld_rd_va_i, ld_rd_len_i, ld_rd_cmd_i};
      default: {rd_req_va, rd_req_len, rd_req_cmd} = {cp_rd_va_i, cp_rd_len_i, cp_rd_cmd_i};
    endcase
  end
  assign rd_req_phys = rd_req_id == IdFe && fe_rd_phys_i;

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      rd_ld_last_q <= 1'b0;
    end else if (rd_req_valid && rd_req_ready) begin
      rd_ld_last_q <= rd_req_id == IdLd;
    end
  end

  // Slots ----------------------------------------------------------------------------------------

  logic        rd_lookup, rd_walk, rd_walk_ack, rd_walking_q, rd_fault, rd_miss;
  logic        wr_lookup, wr_walk, wr_walk_ack, wr_fault, wr_miss, wr_empty, wr_req_ready;
  logic        hit, perm_r, perm_w, walk_ready, walk_done;
  logic [43:0] ppn;
  logic        slot_rd_valid, slot_rd_ready;
  logic [63:0] slot_rd_pa, slot_rd_va;
  logic [3:0]  slot_rd_len;
  logic [31:0] slot_rd_cmd;
  logic [1:0]  slot_wr_id;
  logic        hold_q;

  eie_mmu_slot u_rd_slot (
    .clk_i, .rst_ni, .flush_i, .inv_i, .hold_i(hold_q), .empty_o(rd_empty),
    .req_valid_i(rd_req_valid), .req_ready_o(rd_req_ready), .req_id_i(rd_req_id),
    .req_phys_i(rd_req_phys), .req_va_i(rd_req_va), .req_len_i(rd_req_len), .req_cmd_i(rd_req_cmd),
    .lookup_o(rd_lookup), .lookup_ack_i(1'b1), .hit_i(hit), .allowed_i(perm_r), .ppn_i(ppn),
    .walk_o(rd_walk), .walk_ack_i(rd_walk_ack), .walk_done_i(walk_done && rd_walking_q),
    .miss_o(rd_miss),
    .out_valid_o(slot_rd_valid), .out_ready_i(slot_rd_ready), .out_id_o(slot_rd_id),
    .out_pa_o(slot_rd_pa), .va_o(slot_rd_va), .out_len_o(slot_rd_len), .cmd_o(slot_rd_cmd),
    .fault_o(rd_fault)
  );

  assign fe_wr_ready_o = wr_req_ready;
  assign st_wr_ready_o = wr_req_ready && !fe_wr_valid_i;

  eie_mmu_slot u_wr_slot (
    .clk_i, .rst_ni, .flush_i, .inv_i, .hold_i(hold_q), .empty_o(wr_empty),
    .req_valid_i(fe_wr_valid_i || st_wr_valid_i), .req_ready_o(wr_req_ready),
    .req_id_i({1'b0, !fe_wr_valid_i}), .req_phys_i(fe_wr_valid_i),
    .req_va_i(fe_wr_valid_i ? fe_wr_pa_i : st_wr_va_i),
    .req_len_i(fe_wr_valid_i ? 4'd7 : st_wr_len_i),
    .req_cmd_i(fe_wr_valid_i ? 32'b0 : st_wr_cmd_i),
    .lookup_o(wr_lookup), .lookup_ack_i(!rd_lookup), .hit_i(hit), .allowed_i(perm_w), .ppn_i(ppn),
    .walk_o(wr_walk), .walk_ack_i(wr_walk_ack), .walk_done_i(walk_done && !rd_walking_q),
    .miss_o(wr_miss),
    .out_valid_o(wr_valid_o), .out_ready_i(wr_ready_i), .out_id_o(slot_wr_id),
    .out_pa_o(wr_pa_o), .va_o(wr_va_o), .out_len_o(wr_len_o), .cmd_o(wr_cmd_o),
    .fault_o(wr_fault)
  );

  assign wr_id_o = slot_wr_id[0];
  assign miss_o  = rd_miss || wr_miss;

  // Look-up and walk -----------------------------------------------------------------------------

  logic        fill, fill_mega, fill_w, fill_r, walk_idle, walk_fault, walk_req, walk_req_ready;
  logic [26:0] fill_vpn;
  logic [43:0] fill_ppn;
  logic [63:0] walk_pa, walk_va;
  logic [31:0] walk_cmd;

  eie_tlb #(.TlbEntries(TlbEntries)) u_tlb (
    .clk_i, .rst_ni, .asid_i,
    .lookup_i(rd_lookup || wr_lookup),
    .lookup_vpn_i(rd_lookup ? slot_rd_va[38:12] : wr_va_o[38:12]),
    .hit_o(hit), .w_o(perm_w), .r_o(perm_r), .ppn_o(ppn),
    .fill_i(fill), .fill_vpn_i(fill_vpn), .fill_mega_i(fill_mega), .fill_w_i(fill_w),
    .fill_r_i(fill_r), .fill_ppn_i(fill_ppn),
    .inv_i, .inv_all_i, .inv_asid_i
  );

  // Only the slot that is looked up can ask for a walk.
  assign rd_walk_ack = walk_ready;
  assign wr_walk_ack = walk_ready;

  eie_walker u_walker (
    .clk_i, .rst_ni, .flush_i, .idle_o(walk_idle), .asid_i, .root_i,
    .hold_i(hold_q), .inv_i, .inv_all_i, .inv_asid_i,
    .walk_valid_i(rd_walk || wr_walk), .walk_ready_o(walk_ready),
    .walk_va_i(rd_walk ? slot_rd_va : wr_va_o), .walk_cmd_i(rd_walk ? slot_rd_cmd : wr_cmd_o),
    .done_o(walk_done),
    .req_valid_o(walk_req), .req_ready_i(walk_req_ready), .req_pa_o(walk_pa),
    .va_o(walk_va), .cmd_o(walk_cmd),
    .rsp_valid_i(walk_rsp_valid_i), .rsp_err_i(walk_rsp_err_i), .rsp_data_i(walk_rsp_data_i),
    .fill_o(fill), .fill_vpn_o(fill_vpn), .fill_mega_o(fill_mega), .fill_w_o(fill_w),
    .fill_r_o(fill_r), .fill_ppn_o(fill_ppn),
    .fault_o(walk_fault)
  );

  always_ff @(posedge clk_i) begin
    if (walk_ready && (rd_walk || wr_walk)) begin
      rd_walking_q <= rd_walk;
    end
  end

  // The walker's rare reads go first.
  assign rd_valid_o     = walk_req || slot_rd_valid;
  assign walk_req_ready = rd_ready_i;
  assign slot_rd_ready  = rd_ready_i && !walk_req;
  assign rd_id_o        = walk_req ? IdWalk : slot_rd_id;
  assign rd_pa_o        = walk_req ? walk_pa : slot_rd_pa;
  assign rd_len_o       = walk_req ? 4'd0 : slot_rd_len;
  assign rd_va_o        = walk_req ? walk_va : slot_rd_va;
  assign rd_cmd_o       = walk_req ? walk_cmd : slot_rd_cmd;

  assign fault_valid_o = walk_fault || rd_fault || wr_fault;
  assign {fault_addr_o, fault_cmd_o} = walk_fault ? {walk_va, walk_cmd} :
                                       rd_fault   ? {slot_rd_va, slot_rd_cmd} : {wr_va_o, wr_cmd_o};

  assign idle_o = rd_empty && wr_empty && walk_idle;

  // Invalidation ---------------------------------------------------------------------------------

  // Nothing goes to the bus while it waits, so that the bus becomes idle, and translations made
  // before the invalidation but not yet on the bus are made again.
  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      hold_q <= 1'b0;
    end else if (inv_i) begin
      hold_q <= 1'b1;
    end else if (bus_idle_i && walk_idle) begin
      hold_q <= 1'b0;
    end
  end
  assign inv_busy_o = hold_q;

  logic unused;
  assign unused = slot_wr_id[1];

  // Assertions -----------------------------------------------------------------------------------

`ifndef SYNTHESIS
  assert property (@(posedge clk_i) disable iff (!rst_ni) hold_q |-> !rd_valid_o && !wr_valid_o);
  assert property (@(posedge clk_i) disable iff (!rst_ni) flush_i |-> !rd_valid_o && !wr_valid_o);
`endif

endmodule
