// SPDX-License-Identifier: GPL-2.0 OR MIT
//
// Unit test of eie_host: registers, job life, MMU, bus masters. Built with two queues and a short sweep:
//   verilator --cc --exe --build --assert --top-module eie_host -GQueues=2 -GScrubDepth=32 ...
// Prints "ok NAME" or "not ok NAME" for each test; one name as argument runs only that.

#include "tb_host.h"

static void t_regs() {
	Device d;
	EQ(d.rd(EIE_REG_ID), EIE_ID_VALUE);
	EQ(d.rd(EIE_REG_VERSION), EIE_ISA_MAJOR << 16 | EIE_ISA_MINOR);
	EQ(d.rd(EIE_REG_NQUEUES), 2);
	EQ(d.rd(EIE_REG_INV_STATUS), 1);
	u32 size = d.rd(EIE_REG_DT_SIZE), words = (size + 3) / 4;
	EQ(d.rd(EIE_DT_BASE), 0xedfe0dd0);
	EQ(__builtin_bswap32(d.rd(EIE_DT_BASE + 4)), size);
	EQ(d.rd(EIE_DT_BASE + 4 * words), 0);
	EQ(d.rd(EIE_DT_BASE + EIE_DT_BYTES_MAX - 4), 0);
	EQ(d.rd(0x024), 0); EQ(d.rd(0x002), 0); EQ(d.rd(0x1200), 0); EQ(d.rd(0x7ffc), 0); EQ(d.rd(EIE_DT_BASE + 2), 0);
	d.wr(EIE_REG_IRQ_ENABLE, 0xffffffff);
	EQ(d.rd(EIE_REG_IRQ_ENABLE), 0x80000003);
	d.wr(EIE_REG_IRQ_ENABLE, 0, 7);                       // not a full word: ignored
	EQ(d.rd(EIE_REG_IRQ_ENABLE), 0x80000003);
	d.wr(EIE_REG_ID, 5);
	EQ(d.rd(EIE_REG_ID), EIE_ID_VALUE);
	for (int i = 0; i < 2; i++) {
		d.wr(d.q(i, EIE_REG_Q_SQ_BASE_LO), 0xffffffff);
		EQ(d.rd(d.q(i, EIE_REG_Q_SQ_BASE_LO)), 0xffffff80);
		EQ(d.rd(d.q(1 - i, EIE_REG_Q_CQ_BASE_LO)), 0);
		d.wr(d.q(i, EIE_REG_Q_SIZE), 0xffffffff);
		EQ(d.rd(d.q(i, EIE_REG_Q_SIZE)), 0xf0f);
	}
	u64 before = d.now;
	u32 t = d.rd(EIE_REG_TIME_LO);
	CHECK(t >= before && t <= d.now);
	EQ(d.rd(EIE_REG_TIME_HI), 0);
	EQ(d.scrubbed.size(), kScrub);
	for (int i = 0; i < kScrub; i++) EQ(d.scrubbed[i], i);
}

static void t_job() {
	Device d;
	d.enable();
	d.wr(EIE_REG_IRQ_ENABLE, 1);
	for (int i = 0; i < 4; i++) { d.map(7, 0x5000 + 4096 * i, kData + 4096 * (3 - i)); d.fill(kData + 4096 * i, 4096); }
	for (int odd = 0; odd < 2; odd++) {
		eie_desc j = d.desc(7);
		j.nbases = 16 - odd;
		j.bases = 0x5fd0;                                 // the table crosses a page
		j.ncmds = 5; j.cmds = 0x7000;
		j.nrestore = 3; j.restore = 0x7100;
		Beat want[4];
		int runs = 0;
		d.on_start = [&](bool restore, u64 va, u32 count) {
			EQ(restore, runs == 0);
			EQ(va, restore ? 0x7100 : 0x7000);
			EQ(count, restore ? 3 : 5);
			EQ(d.d->epoch_o, 1);
			EQ(d.d->nbases_o, j.nbases);
			for (int i = 0; i < j.nbases; i++) {
				u64 v;
				memcpy(&v, &d.d->bases_o[2 * i], 8);
				EQ(v, d.m.r64(i < 6 ? kData + 3 * 4096 + 0xfd0 + 8 * i : kData + 2 * 4096 + 8 * (i - 6)));
			}
			runs++;
			d.fetch(va, 4);
			d.load(0x5000, 16);
			d.load(0x6ff0, 1);
			d.store(0x8010, 3);
			for (int i = 0; i < 3; i++) want[i] = d.st_data[i];
		};
		eie_cpl c = d.run(j);
		EQ(c.status, EIE_STATUS_OK);
		EQ(c.restored, 1);
		EQ(runs, 2);
		EQ(c.read_beats, 8 + 2 * (4 + 17));
		EQ(c.write_beats, 6);
		EQ(c.fault_addr, 0); EQ(c.fault_cmd, 0);
		if (!odd) EQ(c.tlb_misses, 4);
		for (int i = 0; i < 3; i++) CHECK(d.m.beat(kData + 0x10 + 16 * i) == want[i]);
	}
	EQ(d.epoch_pulses, 1);
	EQ(d.clears, 2);
	EQ(d.rd(EIE_REG_IRQ_STATUS), 1);
	EQ(d.d->irq_o, 1);
	d.wr(EIE_REG_IRQ_STATUS, 1);
	EQ(d.d->irq_o, 0);
	int starts = d.starts;
	d.expect(d.desc(7), EIE_STATUS_OK);                   // neither commands nor bases
	EQ(d.starts, starts);
}

static void t_rings() {
	Device d;
	d.ring[0].sl = 1;
	d.ring[0].cl = 2;
	d.ring[0].cq = 0xff0000000ff80;                       // above 32 bits, entries in two pages
	d.enable();
	for (int i = 0; i < 11; i++) d.expect(d.desc(i & 1), EIE_STATUS_OK);
	EQ(d.rd(d.q(0, EIE_REG_Q_HEADS)), 11 * 0x10001);
	// Full completion ring: the fifth job waits until an entry has been consumed.
	std::vector<eie_desc> j;
	uint16_t head = d.ring[0].head;
	for (int i = 0; i < 5; i++) {
		j.push_back(d.desc(1));
		d.put(&j[i]);
		uint16_t seen = d.ring[0].head;
		d.ring[0].head = head;
		d.bell();
		d.ring[0].head = seen;
		if (i < 4) d.wait(j[i]);
	}
	d.ticks(500);
	CHECK(d.idle());
	d.bell();
	d.wait(j[4]);
}

static void t_residency() {
	Device d;
	d.enable();
	struct { int asid; u64 tag; u32 restored; bool fail; } s[] = {
		{1, 5, 1, false}, {1, 5, 0, false}, {1, 6, 1, false}, {1, 5, 1, false}, {2, 5, 1, false}, {1, 5, 1, false},
		{1, 0, 1, false}, {1, 5, 1, false}, {1, 5, 0, true}, {1, 5, 1, false}, {1, 5, 0, false},
		{1, 1ull << 63 | 5, 1, false}};
	for (auto &x : s) {
		eie_desc j = d.desc(x.asid);
		j.residency = x.tag;
		j.nrestore = 2; j.ncmds = 1;
		int n = 0;
		d.on_start = [&](bool r, u64, u32) {
			EQ(r, n == 0 && x.restored);
			n++;
			d.hold = 5;
			if (x.fail) d.flt[3] = {true, EIE_STATUS_BAD_STREAM, 77, 0x80000005};
		};
		EQ(d.expect(j, x.fail ? EIE_STATUS_BAD_STREAM : 0, 0, x.fail ? 0x80000005 : 0).restored, x.restored);
	}
	// A reset forgets it, and what is on chip.
	eie_desc j = d.desc(1);
	j.residency = 9; j.nrestore = 1;
	d.on_start = nullptr;
	EQ(d.run(j).restored, 1);
	EQ(d.run(j).restored, 0);
	u64 pulses = d.epoch_pulses;
	d.reset();
	d.enable();
	EQ(d.run(j).restored, 1);
	EQ(d.epoch_pulses, pulses + 1);
}

static void t_epochs() {
	Device d;
	d.quiet_counters = true;
	d.enable();
	d.p_ar = d.p_r = d.p_aw = d.p_w = d.p_b = 100; d.lat_hi = 2;
	int last = 0;
	for (int i = 0; i < 260; i++) {
		eie_desc j = d.job(i & 1, [&] {
			EQ(d.d->epoch_o, last % 255 + 1);
			last = d.d->epoch_o;
		});
		j.cycle_limit = 25;                               // less than the sweep takes
		d.expect(j, EIE_STATUS_OK);
		EQ(d.scrubbed.size(), i < 255 ? kScrub : 2 * kScrub);
	}
	EQ(d.epoch_pulses, 260);
}

static void t_walks() {
	Device d;
	d.enable();
	u64 high = 0xffffffc000000000;                        // top half of the address space
	for (int i = 0; i < 8; i++) d.map(3, high + 4096 * i, kData + 4096 * i, EIE_PTE_R);
	d.map(3, 0x40200000, kData + 0x400000, EIE_PTE_R | EIE_PTE_W, 1);
	d.fill(kData, 8 * 4096);
	d.fill(kData + 0x400000 + 0x123000, 4096);
	auto go = [&](u64 va, u64 pa, u32 misses, u64 walks) {
		d.ld_data.clear();
		u64 before = d.ars[1];
		EQ(d.expect(d.job(3, [&] { d.load(va, 2); }), EIE_STATUS_OK).tlb_misses, misses);
		EQ(d.ars[1] - before, walks);
		EQ(d.ld_data.size(), 2);
		for (size_t i = 0; i < d.ld_data.size(); i++) CHECK(d.ld_data[i] == d.m.beat(pa + 16 * i));
	};
	go(high, kData, 1, 3);
	go(high + 0x20, kData + 0x20, 0, 0);
	go(high + 4096, kData + 4096, 1, 1);                  // upper levels are kept
	go(0x40200000 + 0x123fe0, kData + 0x523fe0, 1, 2);
	go(0x403ff000, kData + 0x5ff000, 0, 0);
	for (int i = 2; i < 8; i++) go(high + 4096 * i, kData + 4096 * i, 1, 1);
	go(0x40200000, kData + 0x400000, 1, 1);               // replaced; its level-1 table is kept
	d.inval(3, false);
	go(high + 4096 * 7, kData + 4096 * 7, 1, 3);
	go(0x40200000, kData + 0x400000, 1, 2);
	d.inval(4, false);                                    // another's
	go(0x40200000, kData + 0x400000, 0, 0);
	d.inval(4, true);
	go(0x40200000, kData + 0x400000, 1, 2);
	d.reset();
	d.enable();
	go(0x40200000, kData + 0x400000, 1, 2);
}

static void t_permissions() {
	Device d;
	d.enable();
	u64 va = 0x123456000;
	int n = 0;
	auto fault = [&](u64 a, bool write) {
		u32 cmd = 0x80000000 | ++n;
		d.expect(d.job(1, [&, a, write, cmd] {
			if (write) d.store(a, 1, cmd); else d.load(a, 1, cmd);
			d.load(0x1000, 16);
			d.fetch(0x1000, 16);
		}), EIE_STATUS_PAGE_FAULT, a, cmd);
	};
	auto fine = [&](u64 a, bool write) {
		d.expect(d.job(1, [&, a, write] { if (write) d.store(a, 1); else d.load(a, 1); }), EIE_STATUS_OK);
	};
	d.map(1, 0x1000, kData + 0x10000);
	fault(va + 0x10, false);                              // no table
	d.map(1, va, kData, EIE_PTE_R);
	fine(va + 0x10, false);                               // no TLB_INV needed after adding
	for (int hot = 0; hot < 2; hot++) fault(va, true);    // through walk and TLB
	u64 e = d.pte(1, va, 0), good = kData >> 12 << EIE_PTE_PPN_LSB | EIE_PTE_V | EIE_PTE_R | EIE_PTE_W;
	auto set = [&](u64 v) { d.m.w64(e, v); d.inval(1, false); };
	set(good); fine(va, true);
	set(good | 0x3f8); fine(va, true);                    // U, X, G, A, D, RSW are not looked at
	set(good & ~EIE_PTE_V); fault(va, false);
	set(good & ~EIE_PTE_R); fault(va, true); fault(va, false);
	set(good & ~(EIE_PTE_R | EIE_PTE_W)); fault(va, false);   // a pointer at the last level
	for (int b = 54; b < 64; b++) { set(good | 1ull << b); fault(va, false); }
	set(good);
	e = d.pte(1, va, 1);
	u64 table = d.m.r64(e);
	set(table | 1ull << 60); fault(va, false);
	set(good | 1ull << 12); fault(va, true);              // misaligned 2 MiB
	set(table); fine(va, false);
	e = d.pte(1, va, 2);
	table = d.m.r64(e);
	set(0x40000000 >> 12 << EIE_PTE_PPN_LSB | 7); fault(va, false);   // 1 GiB
	set(0); fault(va, true);
	set(table); fine(va, true);
	for (int b = 39; b < 64; b++) fault(va | 1ull << b, b & 1);
	fault(va | 1ull << 38, false);
	fault((0xffffff8000000000 ^ 1ull << 38) | va, true);
	// the base table's fault names no command; a command fetch's names none either
	eie_desc j = d.desc(1);
	j.nbases = 3; j.bases = 0x9000;
	d.expect(j, EIE_STATUS_PAGE_FAULT, 0x9000);
	d.expect(d.job(1, [&] { d.fetch(0x9040, 2); }), EIE_STATUS_PAGE_FAULT, 0x9040);
}

static void t_invalidate() {
	Device d;
	d.enable();
	for (int i = 0; i < 6; i++) d.map(1, 0x10000 + 4096 * i, kData + 4096 * i);
	for (int round = 0; round < 40; round++) {
		eie_desc j = d.job(1, [&] {
			for (int i = 0; i < 40; i++) {
				d.load(0x10000 + 256 * (rnd() % 96), 16);
				d.store(0x10000 + 256 * (rnd() % 96), 16);
				d.fetch(0x10000 + 256 * (rnd() % 96), 4);
			}
		});
		d.put(&j);
		d.bell();
		d.ticks(rnd() % 400);
		int p = rnd() % 6;
		u64 e = d.pte(1, 0x10000 + 4096 * p, 0), old = d.m.r64(e) >> EIE_PTE_PPN_LSB;
		u64 fresh = (kData >> 12) + 0x100 + 8 * round + p;
		d.m.w64(e, fresh << EIE_PTE_PPN_LSB | 7);
		d.inval(1, round & 1);
		EQ(d.outstanding[old], 0);
		d.forbid.insert(old);
		EQ(d.wait(j).status, EIE_STATUS_OK);
	}
}

static void t_bus_errors() {
	Device d;
	d.enable();
	d.map(1, 0x1000, kData);
	d.map(1, 0x2000, kData + 0x1000);
	auto again = [&] { d.expect(d.job(1, [&] { d.load(0x1000, 4); d.store(0x1000, 4); }), EIE_STATUS_OK); };
	for (int beat = 0; beat < 4; beat++) {
		d.rd_err = {kData + 0x100 + 16u * beat};
		d.expect(d.job(1, [&] { d.load(0x1000, 4); d.load(0x1100, 4, 0x80000003); d.load(0x1200, 16); }),
			 EIE_STATUS_BUS_ERROR, 0x1100, 0x80000003);
		d.expect(d.job(1, [&] { d.load(0x1000, 4); d.fetch(0x1100, 4, 0); d.load(0x1200, 16); }),
			 EIE_STATUS_BUS_ERROR, 0x1100);
		again();
	}
	eie_desc j = d.desc(1);
	j.nbases = 4; j.bases = 0x1100;
	d.rd_err = {kData + 0x110};
	d.expect(j, EIE_STATUS_BUS_ERROR, 0x1100);
	d.rd_err.clear();
	again();
	d.wr_err = {kData + 0x200};
	d.expect(d.job(1, [&] { for (int i = 0; i < 8; i++) d.store(0x1000 + 0x100 * i, 16, 0x80000000 | i); }),
		 EIE_STATUS_BUS_ERROR, 0x1200, 0x80000002);
	d.wr_err.clear();
	again();
	for (int level = 0; level < 3; level++) {             // page tables
		d.inval(1, false);
		d.rd_err = {d.pte(1, 0x2000, level) & ~15ull};
		d.expect(d.job(1, [&] { d.store(0x2340, 2, 0x80000009); }), EIE_STATUS_BUS_ERROR, 0x2340, 0x80000009);
		d.rd_err.clear();
		again();
	}
	for (int which = 0; which < 2; which++) {             // the device's own accesses
		u64 a = which ? d.ring[0].cq + 128 * (d.ring[0].head & 7) : d.ring[0].sq + 128 * (d.ring[0].tail & 7);
		d.rd_err.clear();
		if (which) d.wr_err = {a}; else d.rd_err = {a + 48};
		size_t pulses = d.vec[2].size(), irqs = d.vec[0].size();
		j = d.desc(1);
		d.put(&j);
		d.bell();
		d.ticks(600);
		EQ(d.rd(EIE_REG_STATUS), 0);
		EQ(d.rd(d.q(0, EIE_REG_Q_STATUS)), (which ? EIE_HALT_CPL_WRITE : EIE_HALT_DESC_READ) << 8 | 1);
		EQ(d.rd(d.q(0, EIE_REG_Q_FAULT_ADDR_LO)) | u64(d.rd(d.q(0, EIE_REG_Q_FAULT_ADDR_HI))) << 32, a);
		EQ(d.vec[2].size(), pulses + 1);
		EQ(d.vec[0].size(), irqs);
		CHECK(d.rd(EIE_REG_IRQ_STATUS) >> 31);
		d.wr(EIE_REG_CTRL, 3);
		EQ(d.rd(EIE_REG_STATUS), 2);
		d.reset();
		EQ(d.rd(EIE_REG_STATUS), 0);
		EQ(d.rd(d.q(0, EIE_REG_Q_STATUS)), 0);
		d.wr_err.clear();
		d.rd_err.clear();
		d.enable();
		again();
	}
}

static void t_limit() {
	Device d;
	d.enable();
	d.quiet_counters = true;
	d.p_ar = d.p_r = d.p_aw = d.p_w = d.p_b = d.p_req = d.p_ld = d.p_dat = 100;
	d.lat_lo = d.lat_hi = 9;
	d.map(1, 0x1000, kData);
	eie_desc j = d.job(1, [&] { d.load(0x1000, 16); d.store(0x1000, 16); });
	d.run(j);
	u32 cycles = d.run(j).cycles;
	EQ(d.run(j).cycles, cycles);
	j.cycle_limit = cycles;
	EQ(d.run(j).status, EIE_STATUS_OK);
	for (u32 limit = cycles - 1; limit > 0; limit -= limit > 20 ? 7 : 1) {
		j.cycle_limit = limit;
		eie_cpl c = d.expect(j, EIE_STATUS_TIMEOUT);
		CHECK(c.cycles > limit);
	}
	d.hang = true;
	j.cycle_limit = 1000;
	eie_cpl c = d.expect(j, EIE_STATUS_TIMEOUT);
	CHECK(c.cycles > 1000 && c.cycles < 1010);
	d.hang = false;
	j.cycle_limit = 0;
	EQ(d.run(j).status, EIE_STATUS_OK);
}

static void t_abort() {
	u64 zeros = 0;
	for (int round = 0; round < 60; round++) {
		Device d;
		d.enable();
		d.map(1, 0x1000, kData);
		d.map(1, 0x2000, kData + 0x1000);
		d.p_dat = round % 3 ? 30 : 70;
		eie_desc j = d.job(1, [&] {
			for (int i = 0; i < 40; i++) { d.load(0x1000, 16); d.store(0x2000, 16); d.fetch(0x1000, 16); }
		});
		j.residency = 3; j.nrestore = 1;
		d.put(&j);
		d.bell();
		d.ticks(round < 20 ? 8 * round : 150 + rnd() % 200);
		if (round & 1) { d.stop_dat = true; d.ticks(60); }
		if (round & 2) d.stop_w = true;
		if (round & 4) d.stop_ar = d.stop_aw = true;
		if (round & 8) d.stop_r = true;
		d.wr(EIE_REG_CTRL, 3);
		if (round % 5 == 0) d.wr(EIE_REG_TLB_INV, 1 << 16);
		d.ticks(4);
		bool pending = !d.wq.empty();                     // what stop_r and stop_w hold up
		for (auto &q : d.rq) pending |= !q.empty();
		CHECK(d.d->flush_o || d.starts == 0 || !pending || !(d.stop_r || d.stop_w));
		bool cut = d.d->flush_o;
		u64 owed = 0, full = d.w_full;
		for (auto &b : d.wq) owed += b.len + 1 - b.beat;
		u64 reads = d.ars[0] + d.ars[1] + d.ars[2] + d.ars[3], writes = d.aws;
		d.ticks(30);
		if (d.d->flush_o) {                               // at most the one already offered
			CHECK(d.ars[0] + d.ars[1] + d.ars[2] + d.ars[3] <= reads + 1);
			CHECK(d.aws <= writes + 1);
			if (d.stop_r || d.stop_w) CHECK(!(d.rd(EIE_REG_STATUS) & 2) || (d.rq[0].empty() && d.wq.empty()));
		}
		d.stop_w = d.stop_r = d.stop_ar = d.stop_aw = false;
		int n = 2000;
		while (!(d.rd(EIE_REG_STATUS) & 2) && --n) {}
		CHECK(n);
		EQ(d.rd(EIE_REG_STATUS), 2);
		EQ(d.rd(EIE_REG_INV_STATUS), 1);
		for (auto &o : d.outstanding) EQ(o.second, 0);
		if (cut) {
			full = d.w_full - full - (d.unread() ? 8 : 0);
			CHECK(full <= 1);                         // one beat may have been on the bus
			CHECK(d.w_zero >= owed - (owed ? full : 0));
			zeros += d.w_zero;
		}
		if (d.unread()) {
			eie_cpl c;
			memcpy(&c, d.m.at(d.ring[0].cq), 128);
			EQ(c.status, EIE_STATUS_ABORTED);
			EQ(c.fault_addr, 0);
			EQ(c.fault_cmd, 0);
			EQ(c.fence, j.fence);
			d.ring[0].head++;
		} else {
			EQ(d.rd(d.q(0, EIE_REG_Q_HEADS)), 0);             // the descriptor had not arrived
		}
		d.stop_dat = false;
		bool taken = d.ring[0].head;
		d.wr(EIE_REG_CTRL, 1);
		if (!taken) EQ(d.wait(j).status, EIE_STATUS_OK);
		eie_cpl c = d.run(j);
		EQ(c.status, EIE_STATUS_OK);
		EQ(c.restored, taken);
	}
	CHECK(zeros > 100);
}

static void t_reset() {
	for (int round = 0; round < 20; round++) {
		Device d;
		d.enable();
		d.map(1, 0x1000, kData);
		eie_desc j = d.job(1, [&] { for (int i = 0; i < 40; i++) { d.load(0x1000, 16); d.store(0x1000, 16); } });
		d.put(&j);
		d.bell();
		d.ticks(rnd() % 300);
		d.reset();
		EQ(d.rd(EIE_REG_CTRL), 1);
		EQ(d.rd(EIE_REG_STATUS), 0);
		for (u32 r = 0; r <= EIE_REG_Q_FAULT_ADDR_HI; r += 4) EQ(d.rd(d.q(0, r)), 0);
		for (auto &o : d.outstanding) EQ(o.second, 0);
		d.enable();
		EQ(d.run(j).status, EIE_STATUS_OK);
	}
}

static void t_doorbells() {
	Device d;
	d.enable(0);
	d.enable(1);
	d.wr(EIE_REG_IRQ_ENABLE, 1u << 31);
	auto refused = [&](int n, u32 v) {
		size_t pulses = d.vec[2].size();
		u32 heads = d.rd(d.q(n, EIE_REG_Q_HEADS));
		d.wr(d.q(n, EIE_REG_Q_DOORBELL), v);
		EQ(d.rd(d.q(n, EIE_REG_Q_STATUS)), EIE_HALT_DOORBELL << 8 | 1);
		EQ(d.rd(d.q(1 - n, EIE_REG_Q_STATUS)), 0);
		EQ(d.rd(EIE_REG_STATUS), 0);
		EQ(d.d->irq_o, 1);
		d.wr(EIE_REG_IRQ_STATUS, 1u << 31);
		EQ(d.d->irq_o, 0);
		EQ(d.vec[2].size(), pulses + 1);
		d.wr(d.q(n, EIE_REG_Q_DOORBELL), 1);               // ignored
		d.ticks(300);
		EQ(d.rd(d.q(n, EIE_REG_Q_HEADS)), heads);
		eie_desc j = d.desc(1);
		d.put(&j, 1 - n);
		d.bell(1 - n);
		EQ(d.wait(j, 1 - n).status, EIE_STATUS_OK);        // the other queue goes on
		d.enable(n);
	};
	refused(0, 9);
	refused(1, 0xffff);
	d.enable();
	refused(0, 1 | 1 << 16);                              // consumes what was not written
	for (int i = 0; i < 3; i++) d.expect(d.desc(1), EIE_STATUS_OK);
	refused(0, 3 | 4 << 16);
	for (int i = 0; i < 3; i++) d.expect(d.desc(1), EIE_STATUS_OK);
	refused(0, 3 | 0xfffau << 16);                        // 3 - 9: further back than the ring
	// A queue that is off takes no doorbell; Q_SIZE counts only once ENABLE rises.
	d.wr(d.q(0, EIE_REG_Q_CTRL), 0);
	d.wr(d.q(0, EIE_REG_Q_DOORBELL), 8);
	EQ(d.rd(d.q(0, EIE_REG_Q_DOORBELL)), 0);
	d.enable();
	d.wr(d.q(0, EIE_REG_Q_SIZE), 0x101);
	d.wr(d.q(0, EIE_REG_Q_SQ_BASE_LO), 0);
	d.expect(d.desc(1), EIE_STATUS_OK);
	EQ(d.rd(d.q(0, EIE_REG_Q_STATUS)), 0);
}

static void t_descriptors() {
	Device d;
	d.enable();
	d.on_start = [](bool, u64, u32) { CHECK(!"must not start"); };
	auto bad = [&](std::function<void(eie_desc &)> f) {
		eie_desc j = d.desc(1);
		f(j);
		d.expect(j, EIE_STATUS_BAD_DESCRIPTOR);
	};
	for (int b = 64; b < 128; b++) bad([b](eie_desc &j) { ((uint8_t *)&j)[b] = 1 << (rnd() & 7); });
	for (int b = 0; b < 12; b++) bad([b](eie_desc &j) { j.root |= 1u << b; });
	for (int b = 56; b < 64; b++) bad([b](eie_desc &j) { j.root |= 1ull << b; });
	bad([](eie_desc &j) { j.nbases = 17; });
	bad([](eie_desc &j) { j.nbases = 0x8000; });
	bad([](eie_desc &j) { j.nbases = 1; j.bases = 8; });
	for (int b = 0; b < 5; b++) {
		bad([b](eie_desc &j) { j.ncmds = 1; j.cmds = 1u << b; });
		bad([b](eie_desc &j) { j.nrestore = 1; j.restore = 1u << b; });
	}
	for (int b = 24; b < 32; b++) {
		bad([b](eie_desc &j) { j.ncmds = 1u << b; });
		bad([b](eie_desc &j) { j.nrestore = 1u << b; });
	}
	eie_desc j = d.desc(1);
	j.cmds = j.restore = j.bases = 0xff;                  // not looked at when the counts are zero
	d.expect(j, EIE_STATUS_OK);
	CHECK(d.epoch_pulses == 1);
}

static void t_fault_order() {
	Device d;
	d.enable();
	for (int round = 0; round < 60; round++) {
		u32 st[4], best = 99, who = 0;
		for (int i = 0; i < 4; i++) {
			st[i] = rnd() % 3 ? 2 + rnd() % 9 : 0;
			if (i == 3 && best == 99) st[i] = 4;
			if (st[i] && st[i] < best) { best = st[i]; who = i; }
		}
		bool addr = best == EIE_STATUS_PAGE_FAULT || best == EIE_STATUS_BUS_ERROR;
		d.expect(d.job(1, [&] {
			d.hold = 30;
			for (int i = 0; i < 4; i++) d.flt[i] = {st[i] != 0, st[i], 0x1000u + i, 0xc0000000u + i};
		}), best, addr ? 0x1000 + who : 0, 0xc0000000 + who);
	}
}

static void t_queues() {
	Device d;
	d.enable(0);
	d.enable(1);
	eie_desc j = d.desc(1);
	j.ncmds = 1;
	d.on_start = [&](bool, u64, u32) { d.hold = 200; };
	for (int i = 0; i < 3; i++) d.put(&j, 1);
	d.bell(1);
	d.ticks(150);
	EQ(d.rd(d.q(1, EIE_REG_Q_STATUS)), 2);
	EQ(d.rd(d.q(0, EIE_REG_Q_STATUS)), 0);
	for (int i = 0; i < 2; i++) d.put(&j, 0);
	d.bell(0);
	d.wait(j, 1);
	d.wait(j, 0);
	d.wait(j, 0);
	EQ(d.vec[1].size(), 1);                               // lower queues first
	d.wait(j, 1);
	d.wait(j, 1);
	EQ(d.rd(EIE_REG_IRQ_STATUS), 3);
	// Enabled anew while its job runs: that job ends without an entry, the ring starts empty.
	d.put(&j, 0);
	d.bell(0);
	d.ticks(150);
	d.enable(0);
	size_t irqs = d.vec[0].size();
	u64 writes = d.aws;
	d.ticks(500);
	EQ(d.rd(EIE_REG_STATUS), 0);
	EQ(d.vec[0].size(), irqs);
	EQ(d.aws, writes);
	EQ(d.rd(d.q(0, EIE_REG_Q_HEADS)), 0);
	EQ(d.run(j).status, EIE_STATUS_OK);
	// Disabled: the running job completes, the next does not start; nor without CTRL.ENABLE.
	d.put(&j, 0);
	d.put(&j, 0);
	d.bell(0);
	d.ticks(150);
	d.wr(d.q(0, EIE_REG_Q_CTRL), 0);
	EQ(d.wait(j).status, EIE_STATUS_OK);
	d.ticks(500);
	CHECK(!d.unread());
	d.enable(0);
	d.wr(EIE_REG_CTRL, 0);
	d.put(&j, 0);
	d.bell(0);
	d.ticks(500);
	CHECK(!d.unread());
	d.wr(EIE_REG_CTRL, 1);
	EQ(d.wait(j).status, EIE_STATUS_OK);
}

// PROGRESS against the log: commands, beats and walks of the job, nothing of descriptors and entries, nothing of a flush.
static void t_progress() {
	Device d;
	d.enable();
	for (int i = 0; i < 8; i++) d.map(1, 0x10000 + 4096 * i, kData + 4096 * i);
	for (int k = 0; k < 30; k++) {
		u32 before = d.rd(EIE_REG_PROGRESS), want = 0;
		bool bad = k % 3 == 2;
		eie_desc j = d.job(1, [&] {
			for (int i = 0; i < 6; i++) { d.load(0x10000 + 4096 * (rnd() % 8), 16); d.store(0x10000 + 4096 * (rnd() % 8), 16); }
			if (bad) d.load(0x90000, 1);
			d.hold = 100;
		});
		if (k % 5 == 0) d.inval(1, false);
		EQ(d.run(j).status, bad ? EIE_STATUS_PAGE_FAULT : EIE_STATUS_OK);
		Device::Ring &r = d.ring[0];
		eie_cpl c;
		memcpy(&c, d.m.at(r.cq + 128 * ((r.head - 1) & 7)), 128);
		for (u64 t = c.time_start + 1; t <= c.time_end; t++) want += d.log[t].moved;
		EQ(d.rd(EIE_REG_PROGRESS) - before, want);
		CHECK(want > 100 || bad);
	}
}

// Q_CTRL.RESET of one queue at a random moment of random jobs in both, on a bus that stalls.
static void t_queue_reset() {
	Device d;
	int aborted = 0, finished = 0, lost = 0;
	d.lat_hi = 60;
	d.enable(0);
	d.enable(1);
	for (int i = 0; i < 8; i++) { d.map(1, 0x10000 + 4096 * i, kData + 4096 * i); d.map(2, 0x10000 + 4096 * i, kData + 0x10000 + 4096 * i); }
	for (int k = 0; k < 200; k++) {
		int n = rnd() % 2, m = 1 - n;
		eie_desc j[2] = {d.desc(1), d.desc(2)};
		for (auto &x : j) x.ncmds = 1;
		d.on_start = [&](bool, u64, u32) { for (int i = 0; i < 8; i++) { d.load(0x10000, 16); d.store(0x12000 + 256 * i, 16); } };
		d.put(&j[n], n);
		d.bell(n);
		d.ticks(rnd() % 20);
		d.put(&j[m], m);
		d.bell(m);
		d.ticks(rnd() % 900);
		size_t pulses = d.vec[n].size();
		bool unread = d.unread(n);
		d.wr(d.q(n, EIE_REG_Q_CTRL), 2);
		int limit = 5000;
		while (d.rd(d.q(n, EIE_REG_Q_CTRL)) && --limit) {}
		CHECK(limit);
		for (u32 r = 0; r <= EIE_REG_Q_FAULT_ADDR_HI; r += 4) EQ(d.rd(d.q(n, r)), 0);
		if (d.unread(n)) {
			eie_cpl c;
			memcpy(&c, d.m.at(d.ring[n].cq), 128);
			CHECK(c.status == EIE_STATUS_OK || c.status == EIE_STATUS_ABORTED);
			CHECK(unread || d.vec[n].size() == pulses + 1);
			EQ(c.fence, j[n].fence);
			c.status ? aborted++ : finished++;
		} else {
			lost++;
		}
		while (!d.unread(m)) d.tick();
		d.ticks(50);
		eie_cpl c;
		memcpy(&c, d.m.at(d.ring[m].cq + 128 * (d.ring[m].head++ & 7)), 128);
		EQ(c.status, EIE_STATUS_OK);
		EQ(c.fence, j[m].fence);
		EQ(c.write_beats, 128);
		EQ(c.read_beats, 128);
		d.enable(n);
		d.enable(m);
	}
	CHECK(aborted > 20 && finished && lost);
	for (auto &o : d.outstanding) EQ(o.second, 0);
}

static void t_throughput() {
	Device d;
	d.enable();
	d.quiet_counters = true;
	d.p_ar = d.p_r = d.p_aw = d.p_w = d.p_b = d.p_req = d.p_ld = d.p_dat = 100;
	d.lat_lo = d.lat_hi = 64;
	for (int i = 0; i < 16; i++) d.map(1, 0x10000 + 4096 * i, kData + 4096 * i);
	u32 loads = d.run(d.job(1, [&] { for (int i = 0; i < 256; i++) d.load(0x10000 + 256 * i, 16); })).cycles;
	CHECK(loads < 4096 + 16 * 90 + 200);                  // a miss a page; else a beat a cycle
	d.map(1, 0x200000, kData, EIE_PTE_R | EIE_PTE_W, 1);
	loads = d.run(d.job(1, [&] { for (int i = 0; i < 256; i++) d.load(0x200000 + 256 * i, 16); })).cycles;
	CHECK(loads < 4096 + 500);
	u32 stores = d.run(d.job(1, [&] { for (int i = 0; i < 256; i++) d.store(0x200000 + 256 * i, 16); })).cycles;
	CHECK(stores < 4096 + 500);
	printf("# 4096 beats, latency 64: load %u cycles, store %u\n", loads, stores);
}

static void t_random() {
	Device d;
	d.enable();
	for (int i = 0; i < 12; i++) {
		d.map(1, 0x10000 + 4096 * i, kData + 4096 * (11 - i));
		d.map(2, 0x10000 + 4096 * i, kData + 4096 * (20 + i));
		d.fill(kData + 4096 * i, 4096);
		d.fill(kData + 4096 * (20 + i), 4096);
	}
	for (int asid = 1; asid < 3; asid++) d.map(asid, 0x40000000, kData + 0x200000, 7, 1);
	for (int round = 0; round < 60; round++) {
		d.p_ar = 20 + rnd() % 80; d.p_r = 20 + rnd() % 80; d.p_w = 20 + rnd() % 80; d.p_dat = 20 + rnd() % 80;
		d.p_ld = 20 + rnd() % 80;
		d.lat_hi = 2 + rnd() % 60;
		u32 asid = 1 + rnd() % 2;
		std::vector<Beat> loads, fetches, stores;
		std::vector<u64> where;
		eie_cpl c = d.run(d.job(asid, [&] {
			d.ld_data.clear();
			d.cp_data.clear();
			u64 out = 0x40000000 + 0x10000 * (rnd() % 16);
			for (int i = 0; i < 30; i++) {
				auto read = [&](std::vector<Beat> &v, u64 &va, int &n) {
					va = rnd() % 12 * 4096;
					n = 1 + rnd() % 16;
					va += rnd() % (257 - n) * 16;
					u64 pa = asid == 1 ? kData + 4096 * (11 - (va >> 12)) + (va & 4095) : kData + 4096 * 20 + va;
					for (int k = 0; k < n; k++) v.push_back(d.m.beat(pa + 16 * k));
				};
				u64 va;
				int n;
				read(loads, va, n); d.load(0x10000 + va, n);
				if (rnd() & 1) { read(fetches, va, n); d.fetch(0x10000 + va, n); }
				n = 1 + rnd() % 16;
				d.store(out, n);
				for (int k = 0; k < n; k++) where.push_back(out - 0x40000000 + kData + 0x200000 + 16 * k);
				out += 256;
			}
			stores.assign(d.st_data.begin(), d.st_data.end());
		}));
		EQ(c.status, EIE_STATUS_OK);
		CHECK(d.ld_data == loads);
		CHECK(d.cp_data == fetches);
		EQ(c.read_beats, loads.size() + fetches.size());
		EQ(c.write_beats, stores.size());
		for (size_t i = 0; i < where.size(); i++) CHECK(d.m.beat(where[i]) == stores[i]);
	}
}

int main(int argc, char **argv) {
	struct { const char *name; void (*run)(); } tests[] = {
		{"regs", t_regs}, {"job", t_job}, {"rings", t_rings}, {"residency", t_residency}, {"epochs", t_epochs},
		{"walks", t_walks}, {"permissions", t_permissions}, {"invalidate", t_invalidate},
		{"bus_errors", t_bus_errors}, {"limit", t_limit}, {"abort", t_abort}, {"reset", t_reset},
		{"doorbells", t_doorbells}, {"descriptors", t_descriptors}, {"fault_order", t_fault_order},
		{"queues", t_queues}, {"progress", t_progress}, {"queue_reset", t_queue_reset}, {"throughput", t_throughput}, {"random", t_random}};
	int bad = 0;
	for (auto &t : tests) {
		if (argc > 1 && strcmp(argv[1], t.name)) continue;
		failed = false;
		seed = 12345;
		t.run();
		printf("%s %s\n", failed ? "not ok" : "ok", t.name);
		fflush(stdout);
		bad += failed;
	}
	return bad != 0;
}
