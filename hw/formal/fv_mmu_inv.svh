// SPDX-License-Identifier: GPL-2.0 OR MIT
//
// Of fv_mmu: what is always true inside of eie_mmu, without which the claims are not inductive. These are proved with them.

  (* probe = "u_mmu.hold_q" *) logic hold;
  (* probe = "u_mmu.u_rd_slot.state_q" *) logic [2:0] r_state;
  (* probe = "u_mmu.u_rd_slot.phys_q" *) logic r_phys;
  (* probe = "u_mmu.u_rd_slot.id_q" *) logic [1:0] r_id;
  (* probe = "u_mmu.u_rd_slot.va_q" *) logic [63:0] r_va;
  (* probe = "u_mmu.u_rd_slot.len_q" *) logic [3:0] r_len;
  (* probe = "u_mmu.u_rd_slot.ppn_q" *) logic [43:0] r_ppn;
  (* probe = "u_mmu.u_wr_slot.state_q" *) logic [2:0] s_state;
  (* probe = "u_mmu.u_wr_slot.phys_q" *) logic s_phys;
  (* probe = "u_mmu.u_wr_slot.id_q" *) logic [1:0] s_id;
  (* probe = "u_mmu.u_wr_slot.va_q" *) logic [63:0] s_va;
  (* probe = "u_mmu.u_wr_slot.len_q" *) logic [3:0] s_len;
  (* probe = "u_mmu.u_wr_slot.ppn_q" *) logic [43:0] s_ppn;
  (* probe = "u_mmu.u_tlb.valid_q" *) logic [TlbEntries-1:0] t_valid;
  (* probe = "u_mmu.u_tlb.mega_q" *) logic [TlbEntries-1:0] t_mega;
  (* probe = "u_mmu.u_tlb.w_q" *) logic [TlbEntries-1:0] t_w;
  (* probe = "u_mmu.u_tlb.r_q" *) logic [TlbEntries-1:0] t_r;
  (* probe = "u_mmu.u_tlb.asid_q[]" *) logic [16*TlbEntries-1:0] t_asid;
  (* probe = "u_mmu.u_tlb.vpn_q[]" *) logic [27*TlbEntries-1:0] t_vpn;
  (* probe = "u_mmu.u_tlb.ppn_q[]" *) logic [44*TlbEntries-1:0] t_ppn;
  (* probe = "u_mmu.u_walker.state_q" *) logic [2:0] w_state;
  (* probe = "u_mmu.u_walker.level_q" *) logic [1:0] w_level;
  (* probe = "u_mmu.u_walker.table_q" *) logic [43:0] w_table;
  (* probe = "u_mmu.u_walker.pte_q" *) logic [63:0] w_pte;
  (* probe = "u_mmu.u_walker.stale_q" *) logic w_stale;
  (* probe = "u_mmu.u_walker.l1_valid_q" *) logic l1_valid;
  (* probe = "u_mmu.u_walker.l1_asid_q" *) logic [15:0] l1_asid;
  (* probe = "u_mmu.u_walker.l1_tag_q" *) logic [8:0] l1_tag;
  (* probe = "u_mmu.u_walker.l1_ppn_q" *) logic [43:0] l1_ppn;
  (* probe = "u_mmu.u_walker.l0_valid_q" *) logic [3:0] l0_valid;
  (* probe = "u_mmu.u_walker.l0_asid_q[]" *) logic [16*4-1:0] l0_asid;
  (* probe = "u_mmu.u_walker.l0_tag_q[]" *) logic [18*4-1:0] l0_tag;
  (* probe = "u_mmu.u_walker.l0_ppn_q[]" *) logic [44*4-1:0] l0_ppn;

  localparam logic [2:0] SlotEmpty = 3'd0, SlotReady = 3'd3, SlotLast = 3'd4;
  localparam logic [2:0] WalkIdle = 3'd0, WalkRead = 3'd1, WalkWait = 3'd2, WalkCheck = 3'd3, WalkFailed = 3'd4;

  // entries and kept pointers, while the tables are as they were read
  always_comb begin
    if (rst_n) begin
      for (int i = 0; i < TlbEntries; i++) begin
        if (t_valid[i] && t_asid[16*i +: 16] == Asid) begin
          assert (!(hold && inv_asked_q));
          if (clean && t_vpn[27*i+9 +: 18] == Vpn[26:9] && (t_mega[i] || t_vpn[27*i +: 9] == Vpn[8:0])) begin
            assert (good && t_mega[i] == mega && t_w[i] == spec_w && t_r[i]);
            assert (t_ppn[44*i+9 +: 35] == spec_ppn[43:9] && (mega || t_ppn[44*i +: 9] == spec_ppn[8:0]));
          end
        end
      end
      if (l1_valid && l1_asid == Asid) begin
        assert (!(hold && inv_asked_q));
        assert (!(clean && l1_tag == Vpn[26:18]) || (ptr2 && l1_ppn == ppn2));
      end
      for (int i = 0; i < 4; i++) begin
        if (l0_valid[i] && l0_asid[16*i +: 16] == Asid) begin
          assert (!(hold && inv_asked_q));
          assert (!(clean && l0_tag[18*i +: 18] == Vpn[26:9]) || (ptr1 && l0_ppn[44*i +: 44] == ppn1));
        end
      end
    end
  end

  // the walker
  always_comb begin
    if (rst_n) begin
      assert (w_state <= WalkFailed);
      if (hold) begin
        assert (w_state == WalkIdle || w_state == WalkFailed || (w_state == WalkWait && w_stale));
      end
      if (w_state == WalkWait && !flush_i) begin
        assert (walk_pa_q == rd_walk_pa);
      end
      if (ours && w_state != WalkIdle && w_state != WalkFailed && !hold) begin
        assert (w_level != 2'd3);
        assert (w_level != 2'd2 || w_table == Root);
        if (clean) begin
          assert (w_level != 2'd1 || w_va[38:30] != Vpn[26:18] || (ptr2 && w_table == ppn2));
          assert (w_level != 2'd0 || w_va[38:21] != Vpn[26:9] || (ptr1 && w_table == ppn1));
          if (w_state == WalkCheck) begin
            assert (w_level != 2'd2 || w_va[38:30] != Vpn[26:18] || w_pte == pte2_q);
            assert (w_level != 2'd1 || w_va[38:21] != Vpn[26:9] || w_pte == pte1_q);
            assert (w_level != 2'd0 || w_va[38:12] != Vpn || w_pte == pte0_q);
          end
        end
      end
    end
  end

  // what the walker's registers say that it reads
  logic [63:0] rd_walk_pa;
  logic [8:0]  rd_walk_index;
  assign rd_walk_index = w_level == 2'd2 ? w_va[38:30] : w_level == 2'd1 ? w_va[29:21] : w_va[20:12];
  assign rd_walk_pa    = {8'b0, w_table, rd_walk_index[8:1], 4'b0};

  // the slots
  always_comb begin
    if (rst_n) begin
      assert (r_state <= SlotLast && s_state <= SlotLast);
      if (r_state != SlotEmpty) begin
        assert (r_va == rd_asked_q && r_id == rd_who_q && r_len == rd_beats_q && r_phys == rd_own_q);
        assert (r_id != 2'd1 && (!r_phys || (r_id == 2'd0 && r_state == SlotReady)));
        assert (r_va[3:0] == '0 && r_va[11:4] + r_len < 9'd256);
      end
      if (r_state == SlotReady && !r_phys) begin
        assert (!hold && (&r_va[63:38] || ~|r_va[63:38]));
        assert (!rd_followed || (spec_r && r_ppn == spec_ppn));
      end
      if (s_state != SlotEmpty) begin
        assert (s_va == wr_asked_q && s_phys == wr_own_q && s_id == {1'b0, !wr_own_q} && s_len == wr_beats_q);
        assert (!s_phys || s_state == SlotReady);
        assert (s_va[3:0] == '0 && s_va[11:4] + s_len < 9'd256);
      end
      if (s_state == SlotReady && !s_phys) begin
        assert (!hold && (&s_va[63:38] || ~|s_va[63:38]));
        assert (!wr_followed || (spec_w && s_ppn == spec_ppn));
      end
      assert (!arvalid || ar_pa_q[11:4] + ar_len_q < 9'd256);
      assert (!inv_asked_q || !dirty_q || hold || clean);
    end
  end
