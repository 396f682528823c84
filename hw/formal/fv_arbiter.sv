// SPDX-License-Identifier: GPL-2.0 OR MIT
//
// The arbiters of eie_mmu: none is served that did not ask or has no room, one at a time; the front end goes first, and while it is
// silent the other two readers take turns. Of the two slots that share the TLB the writer's waits at most
// for one look-up of the reader's, unless the reader waits for the walker.

module fv_arbiter (
  input logic         clk_i,
  input logic         flush_i,
  input logic [15:0]  asid_i,
  input logic [55:0]  root_i,
  input logic         inv_i,
  input logic         inv_all_i,
  input logic [15:0]  inv_asid_i,
  input logic         bus_idle_i,
  input logic         fe_valid_i,
  input logic         fe_phys_i,
  input logic [63:0]  fe_va_i,
  input logic         cp_valid_i,
  input logic [63:0]  cp_va_i,
  input logic         ld_valid_i,
  input logic [63:0]  ld_va_i,
  input logic         fw_valid_i,
  input logic         st_valid_i,
  input logic [63:0]  st_va_i,
  input logic         rd_ready_i,
  input logic         wr_ready_i,
  input logic [3:0]   room_i,
  input logic [3:0]   last_room_i,
  input logic         walk_valid_i,
  input logic         walk_err_i,
  input logic [127:0] walk_data_i
);

  logic rst_n = 1'b0;
  always_ff @(posedge clk_i) rst_n <= 1'b1;

  logic       fe_ready, cp_ready, ld_ready, fw_ready, st_ready, rd_valid, wr_valid, wr_id, idle;
  logic [1:0] rd_id;

  eie_mmu #(.TlbEntries(2)) u_mmu (
    .clk_i, .rst_ni(rst_n), .flush_i, .idle_o(idle), .asid_i, .root_i, .inv_i, .inv_all_i, .inv_asid_i,
    .bus_idle_i, .fe_rd_valid_i(fe_valid_i), .fe_rd_ready_o(fe_ready), .fe_rd_phys_i(fe_phys_i),
    .fe_rd_va_i(fe_va_i), .fe_rd_len_i(4'd0),
    .cp_rd_valid_i(cp_valid_i), .cp_rd_ready_o(cp_ready), .cp_rd_va_i(cp_va_i), .cp_rd_len_i(4'd0),
    .cp_rd_cmd_i(32'b0), .ld_rd_valid_i(ld_valid_i), .ld_rd_ready_o(ld_ready), .ld_rd_va_i(ld_va_i),
    .ld_rd_len_i(4'd0), .ld_rd_cmd_i(32'b0), .fe_wr_valid_i(fw_valid_i), .fe_wr_ready_o(fw_ready),
    .fe_wr_pa_i(64'b0), .st_wr_valid_i(st_valid_i), .st_wr_ready_o(st_ready), .st_wr_va_i(st_va_i),
    .st_wr_len_i(4'd0), .st_wr_cmd_i(32'b0),
    .rd_valid_o(rd_valid), .rd_ready_i, .rd_id_o(rd_id), .rd_room_i(room_i), .rd_last_room_i(last_room_i),
    .walk_rsp_valid_i(walk_valid_i), .walk_rsp_err_i(walk_err_i), .walk_rsp_data_i(walk_data_i),
    .wr_valid_o(wr_valid), .wr_ready_i, .wr_id_o(wr_id)
  );

  // since the command processor, or load, began to wait with room: how often the other has been served
  logic [3:0] cp_passed_q, ld_passed_q;
  logic       cp_room, ld_room;
  (* probe = "u_mmu.cp_room" *) logic in_cp_room;
  (* probe = "u_mmu.ld_room" *) logic in_ld_room;
  (* probe = "u_mmu.rd_ld_last_q" *) logic ld_last;
  assign cp_room = in_cp_room;
  assign ld_room = in_ld_room;
  always_ff @(posedge clk_i) begin
    cp_passed_q <= !rst_n || !cp_valid_i || !cp_room || cp_ready || fe_valid_i ? 4'd0 : cp_passed_q + ld_ready;
    ld_passed_q <= !rst_n || !ld_valid_i || !ld_room || ld_ready || fe_valid_i ? 4'd0 : ld_passed_q + cp_ready;
  end

  (* probe = "u_mmu.rd_lookup" *) logic rd_lookup;
  (* probe = "u_mmu.wr_lookup" *) logic wr_lookup;
  (* probe = "u_mmu.rd_walk" *) logic rd_walk;
  logic [3:0] wr_passed_q;
  always_ff @(posedge clk_i) begin
    wr_passed_q <= rst_n && wr_lookup && rd_lookup && !rd_walk ? wr_passed_q + 4'd1 : 4'd0;
  end
  (* probe = "u_mmu.u_rd_slot.state_q" *) logic [2:0] r_state;

  always_comb begin
    if (rst_n) begin
      assert ((!fe_ready || fe_valid_i) && (!cp_ready || cp_valid_i) && (!ld_ready || ld_valid_i));
      assert (fe_ready + cp_ready + ld_ready <= 2'd1);
      assert ((!fe_ready || room_i[0]) && (!cp_ready || room_i[2]) && (!ld_ready || room_i[3]));
      assert (!(fe_valid_i && room_i[0] && !last_room_i[0]) || !(cp_ready || ld_ready));
      assert (!(fw_valid_i && st_ready));
      assert (cp_passed_q <= 4'd1 && ld_passed_q <= 4'd1);
      assert (cp_passed_q == 4'd0 || ld_last);
      assert (ld_passed_q == 4'd0 || !ld_last);
      assert (wr_passed_q <= 4'd1 && (wr_passed_q == 4'd0 || r_state != 3'd1));
    end
    cover (cp_passed_q == 4'd1 && cp_ready);
    cover (ld_passed_q == 4'd1 && ld_ready);
    cover (rst_n && fe_ready && cp_valid_i && ld_valid_i);
    cover (wr_passed_q == 4'd1 && wr_lookup);
  end

endmodule
