// SPDX-License-Identifier: GPL-2.0 OR MIT
//
// Isolation: eie_mmu with both bus masters, and nothing known of clients, memory and bus but what is assumed below. Whatever is
// offered on AR or AW has the page and the permission that the tables of the job's address space give, or is the front end's own.
//
// One address space (Asid, Root) and one page of it (Vpn) are followed, both chosen freely, hence the proof is about all. Memory is the three
// table entries on the way to that page; what any other read gives is free, each time anew. Software may change the
// three at any time (`change_i`); from then until the end of a TLB_INV for the address space that was asked for later, old and
// new count, so nothing is claimed (`clean` is low).

module fv_mmu #(
  parameter int unsigned TlbEntries = 2,
  parameter bit          Narrow = 1'b0     // covers and mutants only: less freedom, found sooner
) (
  input logic         clk_i,
  input logic         flush_i,
  input logic [15:0]  asid_i,
  input logic [55:0]  root_i,
  input logic         inv_i,
  input logic         inv_all_i,
  input logic [15:0]  inv_asid_i,
  input logic         change_i,
  input logic [191:0] ptes_i,
  input logic         fe_rd_valid_i,
  input logic         fe_rd_phys_i,
  input logic [63:0]  fe_rd_va_i,
  input logic [3:0]   fe_rd_len_i,
  input logic         cp_rd_valid_i,
  input logic [63:0]  cp_rd_va_i,
  input logic [3:0]   cp_rd_len_i,
  input logic         ld_rd_valid_i,
  input logic [63:0]  ld_rd_va_i,
  input logic [3:0]   ld_rd_len_i,
  input logic         ld_ready_i,
  input logic         fe_wr_valid_i,
  input logic [63:0]  fe_wr_pa_i,
  input logic         st_wr_valid_i,
  input logic [63:0]  st_wr_va_i,
  input logic [3:0]   st_wr_len_i,
  input logic [1:0]   dat_valid_i,
  input logic         arready_i,
  input logic         rvalid_i,
  input logic [3:0]   rid_i,
  input logic [127:0] rdata_i,
  input logic [1:0]   rresp_i,
  input logic         rlast_i,
  input logic         awready_i,
  input logic         wready_i,
  input logic         bvalid_i,
  input logic [3:0]   bid_i
);

  logic rst_n = 1'b0;
  always_ff @(posedge clk_i) rst_n <= 1'b1;

  // Design ---------------------------------------------------------------------------------------

  logic         mmu_idle, inv_busy, rd_idle, wr_idle;
  logic         fe_rd_ready, cp_rd_ready, ld_rd_ready, fe_wr_ready, st_wr_ready;
  logic         rd_valid, rd_ready, wr_valid, wr_ready, wr_id;
  logic [1:0]   rd_id;
  logic [63:0]  rd_pa, rd_va, wr_pa, wr_va;
  logic [3:0]   rd_len, wr_len, room, last_room, rsp_valid;
  logic [127:0] rsp_data;
  logic         rsp_err, arvalid, awvalid;
  logic [3:0]   arid, awid;
  logic [63:0]  araddr, awaddr;
  logic [7:0]   arlen, awlen;

  eie_mmu #(.TlbEntries(TlbEntries)) u_mmu (
    .clk_i, .rst_ni(rst_n), .flush_i, .idle_o(mmu_idle), .asid_i, .root_i,
    .inv_i, .inv_all_i, .inv_asid_i, .inv_busy_o(inv_busy), .bus_idle_i(rd_idle && wr_idle),
    .fe_rd_valid_i, .fe_rd_ready_o(fe_rd_ready), .fe_rd_phys_i, .fe_rd_va_i, .fe_rd_len_i,
    .cp_rd_valid_i, .cp_rd_ready_o(cp_rd_ready), .cp_rd_va_i, .cp_rd_len_i, .cp_rd_cmd_i(32'b0),
    .ld_rd_valid_i, .ld_rd_ready_o(ld_rd_ready), .ld_rd_va_i, .ld_rd_len_i, .ld_rd_cmd_i(32'b0),
    .fe_wr_valid_i, .fe_wr_ready_o(fe_wr_ready), .fe_wr_pa_i,
    .st_wr_valid_i, .st_wr_ready_o(st_wr_ready), .st_wr_va_i, .st_wr_len_i, .st_wr_cmd_i(32'b0),
    .rd_valid_o(rd_valid), .rd_ready_i(rd_ready), .rd_id_o(rd_id), .rd_pa_o(rd_pa),
    .rd_len_o(rd_len), .rd_va_o(rd_va), .rd_room_i(room), .rd_last_room_i(last_room),
    .walk_rsp_valid_i(rsp_valid[1]), .walk_rsp_err_i(rsp_err), .walk_rsp_data_i(rsp_data),
    .wr_valid_o(wr_valid), .wr_ready_i(wr_ready), .wr_id_o(wr_id), .wr_pa_o(wr_pa),
    .wr_len_o(wr_len), .wr_va_o(wr_va)
  );

  eie_axi_rd #(.LoadDepth(2)) u_rd (
    .clk_i, .rst_ni(rst_n), .flush_i, .idle_o(rd_idle),
    .req_valid_i(rd_valid), .req_ready_o(rd_ready), .req_id_i(rd_id), .req_pa_i(rd_pa),
    .req_len_i(rd_len), .req_va_i(64'b0), .req_cmd_i(32'b0), .last_room_o(last_room), .room_o(room),
    .rsp_valid_o(rsp_valid), .load_ready_i(ld_ready_i), .rsp_data_o(rsp_data), .rsp_err_o(rsp_err),
    .m_arvalid_o(arvalid), .m_arready_i(arready_i), .m_arid_o(arid), .m_araddr_o(araddr),
    .m_arlen_o(arlen), .m_rvalid_i(rvalid_i), .m_rid_i(rid_i), .m_rdata_i(rdata_i),
    .m_rresp_i(rresp_i), .m_rlast_i(rlast_i)
  );

  eie_axi_wr #(.Depth(2)) u_wr (
    .clk_i, .rst_ni(rst_n), .flush_i, .idle_o(wr_idle),
    .req_valid_i(wr_valid), .req_ready_o(wr_ready), .req_id_i(wr_id), .req_pa_i(wr_pa),
    .req_len_i(wr_len), .req_va_i(64'b0), .req_cmd_i(32'b0), .dat_valid_i, .fe_data_i(128'b0), .st_data_i(128'b0),
    .m_awvalid_o(awvalid), .m_awready_i(awready_i), .m_awid_o(awid), .m_awaddr_o(awaddr),
    .m_awlen_o(awlen), .m_wready_i(wready_i), .m_bvalid_i(bvalid_i), .m_bid_i(bid_i), .m_bresp_i(2'b0)
  );

  // The address space that is followed -----------------------------------------------------------

  (* anyconst *) logic [15:0] Asid;
  (* anyconst *) logic [43:0] Root;
  (* anyconst *) logic [26:0] Vpn;
  logic [63:0] pte2_q, pte1_q, pte0_q;

  // what hw/eie_hw.def says of an entry
  logic ptr2, ptr1, mega, page, good, spec_r, spec_w;
  logic [43:0] spec_ppn, ppn2, ppn1;
  assign ppn2     = pte2_q[53:10];
  assign ppn1     = pte1_q[53:10];
  assign ptr2     = pte2_q[2:0] == 3'b001 && pte2_q[63:54] == '0;
  assign ptr1     = ptr2 && pte1_q[2:0] == 3'b001 && pte1_q[63:54] == '0;
  assign mega     = ptr2 && pte1_q[1:0] == 2'b11 && pte1_q[63:54] == '0 && pte1_q[18:10] == '0;
  assign page     = ptr1 && pte0_q[1:0] == 2'b11 && pte0_q[63:54] == '0;
  assign good     = mega || page;
  assign spec_r   = good;                       // what is not readable is no leaf
  assign spec_w   = mega ? pte1_q[2] : page && pte0_q[2];
  assign spec_ppn = mega ? {pte1_q[53:19], Vpn[8:0]} : pte0_q[53:10];

  logic [63:0] at2, at1, at0;                   // where the entries are
  assign at2 = {8'b0, Root, Vpn[26:18], 3'b0};
  assign at1 = {8'b0, ppn2, Vpn[17:9], 3'b0};
  assign at0 = {8'b0, ppn1, Vpn[8:0], 3'b0};

  // Software's side of an invalidation
  logic dirty_q, inv_asked_q, clean, ours;
  assign ours  = asid_i == Asid;
  assign clean = !dirty_q || (inv_asked_q && !inv_busy);
  always_ff @(posedge clk_i) begin
    if (change_i) begin
      {pte2_q, pte1_q, pte0_q} <= ptes_i;
    end
    if (!rst_n) begin
      dirty_q     <= 1'b0;
      inv_asked_q <= 1'b0;
    end else begin
      dirty_q <= change_i || !clean;
      if (change_i) begin
        inv_asked_q <= 1'b0;
      end else if (inv_i && (inv_all_i || inv_asid_i == Asid)) begin
        inv_asked_q <= 1'b1;
      end else if (!inv_busy) begin
        inv_asked_q <= 1'b0;
      end
    end
  end

  // Assumptions ----------------------------------------------------------------------------------

  logic [15:0] asid_q;
  logic [55:0] root_q;
  logic        idle_q, flush_q, quiet_q;
  logic [63:0] walk_pa_q;                       // of the read that the walker waits for
  logic        walk_out_q;
  logic        walk_rsp;

  always_ff @(posedge clk_i) begin
    asid_q  <= asid_i;
    root_q  <= root_i;
    idle_q  <= mmu_idle;
    flush_q <= rst_n && flush_i;
    quiet_q <= mmu_idle && rd_idle && wr_idle;
    if (rd_valid && rd_ready && rd_id == 2'd1) begin
      walk_pa_q <= rd_pa;
    end
  end

  assign walk_rsp = rvalid_i && rid_i[1:0] == 2'd1;
  always_ff @(posedge clk_i) begin
    if (!rst_n) begin
      walk_out_q <= 1'b0;
    end else if (arvalid && arready_i && arid == 4'd1) begin
      walk_out_q <= 1'b1;
    end else if (walk_rsp) begin
      walk_out_q <= 1'b0;
    end
  end

  always_comb begin
    if (rst_n) begin
      // clients: aligned, and within their page (fv_requests)
      assume (fe_rd_va_i[3:0] == '0 && fe_rd_va_i[11:4] + fe_rd_len_i < 9'd256);
      assume (cp_rd_va_i[3:0] == '0 && cp_rd_va_i[11:4] + cp_rd_len_i < 9'd256);
      assume (ld_rd_va_i[3:0] == '0 && ld_rd_va_i[11:4] + ld_rd_len_i < 9'd256);
      assume (st_wr_va_i[3:0] == '0 && st_wr_va_i[11:4] + st_wr_len_i < 9'd256);
      assume (fe_wr_pa_i[6:0] == '0);
      // front end: the address space changes only while nothing is translated
      assume (idle_q || (asid_i == asid_q && root_i == root_q));
      // front end: a flush lasts until all is quiet
      assume (flush_i || !flush_q || quiet_q);
      // software: an address space has one root
      assume (!ours || root_i == {Root, 12'b0});
      // bus: answers what was asked; a burst of one beat ends with it
      assume (!walk_rsp || (walk_out_q && rlast_i));
      // memory: the three entries
      if (clean && ours && walk_rsp) begin
        assume (walk_pa_q != {at2[63:4], 4'b0} || (at2[3] ? rdata_i[127:64] : rdata_i[63:0]) == pte2_q);
        assume (!ptr2 || walk_pa_q != {at1[63:4], 4'b0} || (at1[3] ? rdata_i[127:64] : rdata_i[63:0]) == pte1_q);
        assume (!ptr1 || walk_pa_q != {at0[63:4], 4'b0} || (at0[3] ? rdata_i[127:64] : rdata_i[63:0]) == pte0_q);
      end
    end
  end

  always_comb begin
    if (Narrow) begin
      assume (Asid == 16'd1 && Root == 44'h10 && Vpn == 27'h40201 && asid_i[15:2] == '0);
      assume (ptes_i[191:128] == {10'b0, 44'h20, 10'h1} && ptes_i[127:71] == {10'b0, 44'h200, 3'b0} &&
              ptes_i[63:7] == {10'b0, 44'h41, 3'b0} && rresp_i == '0);
      assume (pte2_q == {10'b0, 44'h20, 10'h1} && pte1_q[63:7] == {10'b0, 44'h200, 3'b0} &&
              pte0_q[63:7] == {10'b0, 44'h40, 3'b0} || changed_q);
      assume (fe_rd_va_i == {25'b0, Vpn, 12'b0} && cp_rd_va_i == {25'b0, Vpn, 12'b0} &&
              ld_rd_va_i == {25'b0, Vpn, 12'b0} && st_wr_va_i == {25'b0, Vpn, 12'b0});
      assume (fe_wr_pa_i == '0 && inv_asid_i[15:2] == '0);
    end
  end

  // What each client asked for -------------------------------------------------------------------

  logic [63:0] rd_asked_q, wr_asked_q;
  logic [1:0]  rd_who_q;
  logic [3:0]  rd_beats_q, wr_beats_q;
  logic        rd_own_q, wr_own_q;              // a bus address of the front end
  always_ff @(posedge clk_i) begin
    if (fe_rd_valid_i && fe_rd_ready) begin
      {rd_asked_q, rd_who_q, rd_own_q, rd_beats_q} <= {fe_rd_va_i, 2'd0, fe_rd_phys_i, fe_rd_len_i};
    end else if (cp_rd_valid_i && cp_rd_ready) begin
      {rd_asked_q, rd_who_q, rd_own_q, rd_beats_q} <= {cp_rd_va_i, 2'd2, 1'b0, cp_rd_len_i};
    end else if (ld_rd_valid_i && ld_rd_ready) begin
      {rd_asked_q, rd_who_q, rd_own_q, rd_beats_q} <= {ld_rd_va_i, 2'd3, 1'b0, ld_rd_len_i};
    end
    if (fe_wr_valid_i && fe_wr_ready) begin
      {wr_asked_q, wr_own_q, wr_beats_q} <= {fe_wr_pa_i, 1'b1, 4'd7};
    end else if (st_wr_valid_i && st_wr_ready) begin
      {wr_asked_q, wr_own_q, wr_beats_q} <= {st_wr_va_i, 1'b0, st_wr_len_i};
    end
  end

  // Claims ---------------------------------------------------------------------------------------

  logic rd_legal, wr_legal, walk_legal, rd_followed, wr_followed;
  logic [63:0] walk_va;
  (* probe = "u_mmu.u_walker.va_q" *) logic [63:0] w_va;
  assign walk_va     = w_va;
  assign rd_followed = clean && ours && rd_asked_q[38:12] == Vpn;
  assign wr_followed = clean && ours && wr_asked_q[38:12] == Vpn;
  assign walk_legal  = !(clean && ours && walk_va[38:12] == Vpn) || rd_pa == {at2[63:4], 4'b0} ||
                       (ptr2 && rd_pa == {at1[63:4], 4'b0}) || (ptr1 && rd_pa == {at0[63:4], 4'b0});
  assign rd_legal    = rd_own_q ? rd_pa == rd_asked_q && rd_id == 2'd0 :
                       (&rd_asked_q[63:38] || ~|rd_asked_q[63:38]) && rd_pa[11:0] == rd_asked_q[11:0] &&
                       rd_pa[63:56] == '0 &&
                       (!rd_followed || (spec_r && rd_pa[55:12] == spec_ppn));
  assign wr_legal    = wr_own_q ? wr_pa == wr_asked_q && !wr_id :
                       (&wr_asked_q[63:38] || ~|wr_asked_q[63:38]) && wr_pa[11:0] == wr_asked_q[11:0] &&
                       wr_pa[63:56] == '0 && wr_id &&
                       (!wr_followed || (spec_w && wr_pa[55:12] == spec_ppn));

  // as offered to the bus
  logic        ar_legal_q, aw_legal_q;
  logic [63:0] ar_pa_q, aw_pa_q;
  logic [3:0]  ar_len_q, aw_len_q;
  always_ff @(posedge clk_i) begin
    if (rd_valid && rd_ready) begin
      ar_legal_q <= rd_id == 2'd1 ? walk_legal && rd_len == '0 :
                    rd_legal && rd_id == rd_who_q && rd_len == rd_beats_q;
      ar_pa_q    <= rd_pa;
      ar_len_q   <= rd_len;
    end
    if (wr_valid && wr_ready) begin
      aw_legal_q <= wr_legal && wr_len == wr_beats_q;
      aw_pa_q    <= wr_pa;
      aw_len_q   <= wr_len;
    end
  end

  always_comb begin
    if (rst_n) begin
      if (arvalid) begin
        assert (ar_legal_q && araddr == ar_pa_q && arlen == {4'b0, ar_len_q});
        assert (araddr[11:4] + arlen < 9'd256 && araddr[3:0] == '0);
      end
      if (awvalid) begin
        assert (aw_legal_q && awaddr == aw_pa_q && awlen == {4'b0, aw_len_q});
        assert (awaddr[11:4] + awlen < 9'd256 && awaddr[3:0] == '0);
      end
    end
  end

`include "fv_mmu_inv.svh"

  // Covers ---------------------------------------------------------------------------------------

  logic changed_q, inv_done_q;
  always_ff @(posedge clk_i) begin
    changed_q  <= rst_n && (changed_q || change_i);
    inv_done_q <= rst_n && (inv_done_q || (dirty_q && clean && changed_q));
  end
  always_comb begin
    cover (rst_n && rd_valid && rd_ready && rd_id == 2'd3 && rd_followed && page && spec_w);
    cover (rst_n && wr_valid && wr_ready && wr_id && wr_followed && mega);
    cover (rst_n && rd_valid && rd_ready && rd_id == 2'd2 && rd_followed && inv_done_q);
    cover (rst_n && arvalid && arid == 4'd0 && rd_own_q && flush_i);
  end

endmodule
