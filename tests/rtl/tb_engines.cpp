// SPDX-License-Identifier: GPL-2.0 OR MIT
//
// Unit test of command processor, load with SELECT, store and ABUF. Random programs must leave memory, the buffers and what
// the array read as the plain model has them; each check must fire with its status and command; a flush at any
// time must leave nothing behind; long transfers must run at about a beat a cycle.

#include <memory>

#include "tb_engines.h"

namespace {

// Programs -------------------------------------------------------------------------------------------------

enum Engine { kLoad, kComp, kStore };

Engine engine(const Cmd &c)
{
	return (Engine)((c.get(F(OPCODE)) >> 4) - 1);
}

// Add c after everything of another engine: through tokens, over the array where need be
void add_ordered(std::vector<Cmd> &p, Cmd c)
{
	if (!p.empty() && engine(p.back()) != engine(c)) {
		Engine from = engine(p.back()), to = engine(c);

		if (from == kLoad || (from == kComp && to == kStore))
			p.back().set(F(SIGNAL_NEXT), 1);
		else
			p.back().set(F(SIGNAL_PREV), 1);
		if (from != kComp && to != kComp) {
			p.push_back(op(EIE_OP_SYNC).set(from == kLoad ? EIE_CMD_WAIT_PREV_DW : EIE_CMD_WAIT_NEXT_DW,
				from == kLoad ? EIE_CMD_WAIT_PREV_SHIFT : EIE_CMD_WAIT_NEXT_SHIFT, 1, 1));
			from = kComp;
			if (to == kStore)
				p.back().set(F(SIGNAL_NEXT), 1);
			else
				p.back().set(F(SIGNAL_PREV), 1);
		}
		if (to == kStore || (to == kComp && from == kLoad))
			c.set(F(WAIT_PREV), 1);
		else
			c.set(F(WAIT_NEXT), 1);
	}
	p.push_back(c);
}

Cmd random_load(unsigned lo, unsigned hi)    // ABUF granules lo .. hi - 1, or another buffer
{
	static const unsigned depth[] = {0, kWbuf, kPbuf, kRbuf, EIE_CBUF_GRANULES};
	unsigned target = rnd(2) ? rnd(5) : 0;
	unsigned size = target ? depth[target] : hi - lo;
	bool shared = target == EIE_BUF_ABUF || target == EIE_BUF_CBUF;
	unsigned len = 1 + rnd(rnd(3) ? 6 : size / 3), addr = rnd(size - len + 1), rows, stride = 0, cluster = 0;

	if (shared) {
		stride = rnd(2) ? len : rnd(40);
		rows = 1 + rnd(12);
		while (addr + len + (rows - 1) * stride > size)
			rows--;
	} else {
		cluster = rnd(kClusters);
		rows = 1 + rnd(kClusters - cluster);
	}
	return xfer(EIE_OP_LOAD, target, rnd(2), 16 * rnd(0x1000), addr + (target ? 0 : lo), len, rows,
		    16 * rnd(1000), stride, cluster);
}

// A STORE of written granules of lo .. hi - 1; false when the first place tried is not written
bool random_store(const Model &m, unsigned lo, unsigned hi, Cmd *c)
{
	unsigned addr = lo + rnd(hi - lo), len = 0, want = 1 + rnd(rnd(3) ? 6 : 100), rows = 1, stride;

	while (len < want && addr + len < hi && m.written(addr + len))
		len++;
	if (!len)
		return false;
	stride = rnd(len + 1);
	while (rows < 10 && addr + rows * stride + len <= hi) {
		bool all = true;
		for (unsigned i = 0; i < len; i++)
			all &= m.written(addr + rows * stride + i);
		if (!all)
			break;
		rows++;
	}
	*c = xfer(EIE_OP_STORE, EIE_BUF_ABUF, 2, 16 * rnd(0x2000), addr, len, rows, 16 * rnd(300), stride);
	return true;
}

// A SELECT of written activations; to WBUF behind a LOAD of its pointers. False when the first place tried is not written
bool random_select(const Model &m, std::vector<Cmd> *p)
{
	unsigned in = rnd(kAbuf - 8), len = 0, cluster = rnd(kClusters), rows = 1 + rnd(kClusters - cluster), ptr = rnd(kPbuf - 16), wide = rnd(2);
	unsigned offset = 16 * rnd(0x1000), stride = 16 * rnd(1000);

	while (len < 8 && m.written(in + len))
		len++;
	if (!len)
		return false;
	if (rnd(3) == 0) {
		p->push_back(select(EIE_BUF_PBUF, offset, rnd(kPbuf - 2 * len), 2 * len, rows, stride, cluster, in, len));
	} else {
		p->push_back(xfer(EIE_OP_LOAD, EIE_BUF_PBUF, 0, kPtrOffset + 16 * rnd(1000), ptr, 2 * len, rows, 16 * rnd(1000), 0, cluster));
		p->push_back(select(EIE_BUF_WBUF, offset, rnd(kWbuf - 2 * kPtrGranules), (1 + wide) * kPtrGranules + rnd(2), rows, stride, cluster,
				    in, len, ptr, wide));
	}
	return true;
}

// Half of all 16-bit values are zero; pointers are of columns that fit a row
void random_memory(Bench &b)
{
	for (Granule &g : b.mem)
		for (uint32_t &w : g.w)
			w = (rnd(1 << 30) << 3 ^ rnd(1 << 30)) & (rnd(2) ? 0xffff0000u : 0) + (rnd(2) ? 0xffffu : 0);
	for (size_t i = kPtrOffset / 16; i < kCmdOffset / 16; i++)
		for (uint32_t &w : b.mem[i].w) {
			uint32_t start = rnd(16 * kPtrGranules), len = rnd(3) ? rnd(6) : rnd(40);

			len = start + len > 16 * kPtrGranules ? 16 * kPtrGranules - start : len;
			w = start | len << EIE_PTR_START_BITS;
		}
}

void compare(Bench &b, const Model &m)
{
	size_t n = kCmdOffset / 16;

	for (size_t i = 0; i < n; i++)
		if (!(b.mem[i] == m.mem[i])) {
			b.fail("memory differs");
			break;
		}
	if (b.buffers != m.buffers)
		b.fail("buffers differ");
	if (b.macs != m.sums)
		b.fail("the array read something else");
}

// What ABUF really holds: stored, and compared again
void compare_abuf(Bench &b, Model &m)
{
	std::vector<Cmd> p;

	b.contend = false;
	for (unsigned a = 0, end; a < kAbuf; a = end + 1) {
		for (end = a; end < kAbuf && m.written(end); end++)
			;
		if (end > a) {
			p.push_back(xfer(EIE_OP_STORE, EIE_BUF_ABUF, 2, 16 * a, a, end - a));
			m.run(p.back());
		}
	}
	m.sums.clear();
	Result r = b.run(p);
	if (!r.done)
		b.fail("reading ABUF back");
	compare(b, m);
}

std::vector<Cmd> ordered_program(Bench &b, Model &m, unsigned n)
{
	std::vector<Cmd> p;

	m.mem = b.mem;
	m.buffers = b.buffers;
	for (unsigned i = 0; i < n; i++) {
		Cmd c = op(EIE_OP_SYNC);
		unsigned what = rnd(9);
		std::vector<Cmd> some;

		if (what == 8) {
			random_select(m, &some);
		} else if (what < 3) {
			c = random_load(0, kAbuf);
		} else if (what < 6) {
			random_store(m, 0, kAbuf, &c);
		} else if (what == 6) {
			unsigned steps = 1 + rnd(kRows / 8), stride = kClusters * (1 + rnd(20));
			c = drain(kClusters * rnd((kAbuf - (steps - 1) * stride) / kClusters), stride, steps,
				  rnd(kRbuf - 4 * steps + 1));
		} else {
			unsigned in = rnd(kAbuf - 8), len = 0;
			while (len < 8 && m.written(in + len))
				len++;
			if (len)
				c = mac(in, len);
		}
		if (some.empty())
			some.push_back(c);
		for (const Cmd &s : some) {
			m.run(s);
			add_ordered(p, s);
		}
	}
	return p;
}

// Tests ----------------------------------------------------------------------------------------------------

void random_pace(Bench &b)
{
	b.latency = rnd(4) ? rnd(30) : 0;
	b.jitter = rnd(2) ? rnd(40) : 0;
	b.stall = rnd(3) ? rnd(60) : 0;
}

void expect_done(Bench &b, const Result &r, size_t n)
{
	if (r.hang)
		b.fail("hang");
	if (!r.done || r.status >= 0) {
		printf("# status %d at command %x\n", r.status, r.fault_cmd);
		b.fail("did not complete");
	}
	if (r.dispatched != n)
		b.fail("count of dispatched commands");
}

void expect_fault(Bench &b, const Result &r, int status, uint32_t index, bool restore = false)
{
	uint32_t want = 0x80000000u | (restore ? 0x40000000u : 0) | index;

	if (r.hang || r.done || r.status != status || r.fault_cmd != want) {
		printf("# status %d (want %d) command %x (want %x)\n", r.status, status, r.fault_cmd, want);
		b.fail("fault");
	}
}

void test_ordered(Bench &b)
{
	for (int i = 0; i < 40; i++) {
		Model m;
		random_pace(b);
		if (rnd(3) == 0)
			b.new_epoch();
		std::vector<Cmd> p = ordered_program(b, m, rnd(120));
		Result r = b.run(p, 0, rnd(2));
		expect_done(b, r, p.size());
		compare(b, m);
		compare_abuf(b, m);
	}
}

// No tokens at all: each engine in its own regions, the array reads and drains all the time
void test_overlapped(Bench &b)
{
	for (int i = 0; i < 20; i++) {
		Model m;
		std::vector<Cmd> p;

		random_pace(b);
		b.contend = false;
		expect_done(b, b.run({xfer(EIE_OP_LOAD, 0, 0, 16 * rnd(1000), 0, kAbuf / 4)}), 1);
		m.mem = b.mem;
		m.buffers = b.buffers;
		b.contend = true;
		for (unsigned n = rnd(200); n; n--) {
			Cmd c = op(EIE_OP_SYNC);
			switch (rnd(4)) {
			case 0: c = random_load(kAbuf / 2, kAbuf); break;
			case 1: random_store(m, 0, kAbuf / 4, &c); break;
			case 2: c = drain(kAbuf / 4 + 2 * rnd(100), 2 * (1 + rnd(3)), 1 + rnd(8), rnd(64)); break;
			default: c = mac(rnd(200), 1 + rnd(30)); break;
			}
			m.run(c);
			p.push_back(c);
		}
		Result r = b.run(p);
		expect_done(b, r, p.size());
		compare(b, m);
		compare_abuf(b, m);
	}
}

void test_static(Bench &b)
{
	const Cmd load = xfer(EIE_OP_LOAD, 0, 0, 0, 0, 2), store = xfer(EIE_OP_STORE, 0, 0, 0, 0, 1);
	const Cmd wload = xfer(EIE_OP_LOAD, EIE_BUF_WBUF, 0, 0, 0, 2);
	const Cmd m = mac(0, 2), dr = drain(0, 2, 8, 0), sync = op(EIE_OP_SYNC);
	const Cmd sel = select(EIE_BUF_PBUF, 0, kPbuf - 4, 4, 2, 64, 0, kAbuf - 2, 2), wsel = select(EIE_BUF_WBUF, 0, 0, 4, 1, 0, 0, 0, 1, 0, 1);
	const int kBad = EIE_STATUS_BAD_COMMAND, kRange = EIE_STATUS_BAD_RANGE, kMis = EIE_STATUS_MISALIGNED;
	struct { Cmd c; int status; } cases[] = {
		{op(0), kBad}, {op(0x11), kBad}, {op(0x23), kBad}, {op(0x40), kBad},
		{Cmd(load).set(F(WAIT_PREV), 1), kBad}, {Cmd(load).set(F(SIGNAL_PREV), 1), kBad},
		{Cmd(load).set(F(FENCE), 1), kBad}, {Cmd(store).set(F(FENCE), 1), kBad},
		{Cmd(store).set(F(WAIT_NEXT), 1), kBad}, {Cmd(store).set(F(SIGNAL_NEXT), 1), kBad},
		{Cmd(load).set(F(XFER_TARGET), 5), kBad}, {Cmd(store).set(F(XFER_TARGET), 1), kBad},
		{Cmd(load).set(F(XFER_LEN), 0), kBad}, {Cmd(load).set(F(XFER_ROWS), 0), kBad},
		{Cmd(load).set(F(XFER_CLUSTER), 1), kBad}, {Cmd(wload).set(F(XFER_BUF_STRIDE), 1), kBad},
		{Cmd(m).set(F(MAC_LEN), 0), kBad}, {Cmd(dr).set(F(DRAIN_STEPS), 0), kBad},
		{Cmd(dr).set(F(DRAIN_LO), 5).set(F(DRAIN_HI), 4), kBad}, {Cmd(dr).set(F(DRAIN_LO), 0x8000), kBad},
		{Cmd(dr).set(F(DRAIN_STRIDE), 1), kBad}, {Cmd(dr).set(F(DRAIN_STRIDE), 0), kBad},
		{Cmd(load).set(F(XFER_BASE), kBases), kRange}, {Cmd(load).set(F(XFER_BASE), 255), kRange},
		{Cmd(wload).set(F(XFER_ROWS), kClusters + 1), kRange},
		{Cmd(wload).set(F(XFER_CLUSTER), kClusters), kRange},
		{Cmd(load).set(F(XFER_ADDR), kAbuf - 1), kRange}, {Cmd(load).set(F(XFER_LEN), kAbuf + 1), kRange},
		{Cmd(wload).set(F(XFER_TARGET), EIE_BUF_PBUF).set(F(XFER_ADDR), kPbuf - 1), kRange},
		{Cmd(wload).set(F(XFER_TARGET), EIE_BUF_RBUF).set(F(XFER_ADDR), kRbuf - 1), kRange},
		{Cmd(wload).set(F(XFER_TARGET), EIE_BUF_CBUF).set(F(XFER_ADDR), 63), kRange},
		{Cmd(load).set(F(XFER_ADDR), 0xffffff).set(F(XFER_LEN), 0xffffff), kRange},
		{Cmd(m).set(F(MAC_IN), kAbuf - 1), kRange}, {Cmd(m).set(F(MAC_PTR), kPbuf - 3), kRange},
		{Cmd(m).set(F(MAC_WEIGHTS), kWbuf), kRange}, {Cmd(m).set(F(MAC_CODEBOOK), 1), kRange},
		{Cmd(m).set(F(MAC_CODEBOOK), 64), kRange}, {Cmd(m).set(F(MAC_WIDE), 1).set(F(MAC_CODEBOOK), 2), kRange},
		{Cmd(dr).set(F(DRAIN_STEPS), 9), kRange}, {Cmd(dr).set(F(DRAIN_OUT), 1), kRange},
		{Cmd(dr).set(F(DRAIN_STRIDE), 3), kRange}, {Cmd(dr).set(F(DRAIN_OUT), kAbuf - 14), kRange},
		{Cmd(dr).set(F(DRAIN_STRIDE), 0xfffffe), kRange}, {Cmd(dr).set(F(DRAIN_PARAM), kRbuf - 31), kRange},
		{Cmd(sel).set(F(XFER_TARGET), EIE_BUF_RBUF), kBad}, {Cmd(sel).set(F(SELECT_LEN), 0), kBad},
		{Cmd(sel).set(F(SELECT_LEN), 1), kBad}, {Cmd(sel).set(F(SELECT_PTR), 1), kBad}, {Cmd(sel).set(F(SELECT_WIDE), 1), kBad},
		{Cmd(sel).set(F(WAIT_PREV), 1), kBad}, {Cmd(sel).set(F(SELECT_IN), kAbuf - 1), kRange},
		{Cmd(sel).set(F(XFER_ADDR), kPbuf - 3), kRange}, {Cmd(sel).set(F(XFER_CLUSTER), 1), kRange},
		{Cmd(wsel).set(F(SELECT_PTR), kPbuf - 1), kRange}, {Cmd(wsel).set(F(XFER_ADDR), kWbuf - 3), kRange},
		{Cmd(wsel).set(F(XFER_MEM_STRIDE), 4), kMis},
		{Cmd(load).set(F(XFER_OFFSET), 8), kMis}, {Cmd(load).set(F(XFER_MEM_STRIDE), 4), kMis},
		{Cmd(load).set(F(XFER_OFFSET), 8).set(F(XFER_BASE), 9), kRange},
		{Cmd(load).set(F(XFER_OFFSET), 8).set(F(XFER_LEN), 0), kBad},
	};
	const Cmd good[] = {
		load, store, wload, m, dr, sync, Cmd(m).set(F(MAC_IN), 2).set(F(MAC_LEN), 1),
		Cmd(wload).set(F(XFER_ADDR), kWbuf - 2).set(F(XFER_ROWS), 2),
		Cmd(dr).set(F(DRAIN_OUT), kAbuf - 16).set(F(DRAIN_PARAM), kRbuf - 32),
		Cmd(m).set(F(MAC_WIDE), 1).set(F(MAC_CODEBOOK), 32).set(F(MAC_WEIGHTS), kWbuf - 1), sel,
	};

	expect_done(b, b.run({xfer(EIE_OP_LOAD, 0, 0, 0, 0, kAbuf)}), 1);
	for (auto &t : cases) {
		std::vector<Cmd> p(rnd(40), sync);
		random_pace(b);
		p.push_back(t.c);
		p.push_back(op(0));
		bool restore = rnd(2);
		if (static_status(t.c, kBases) != t.status)
			b.fail("the test's own check differs");
		expect_fault(b, b.run(p, 0, restore), t.status, p.size() - 2, restore);
	}
	for (const Cmd &c : good) {
		expect_done(b, b.run({c, sync}), 2);
	}
	// Any bit of a good command changed, and often another one
	for (int i = 0; i < 3000; i++) {
		Cmd c = good[rnd(sizeof(good) / sizeof(good[0]))];
		c.dw[rnd(8)] ^= 1u << rnd(32);
		if (rnd(2))
			c.dw[rnd(8)] ^= 1u << rnd(32);
		int want = static_status(c, b.nbases = rnd(4));
		if (want != EIE_STATUS_OK)
			expect_fault(b, b.run({c, sync}), want, 0);
		b.nbases = kBases;
	}
}

void test_runtime_faults(Bench &b)
{
	const Cmd sync = op(EIE_OP_SYNC);

	for (int i = 0; i < 30; i++) {
		random_pace(b);
		// A base that is not aligned, at the first command that uses it
		b.set_base(1, kMemVa + 8);
		expect_fault(b, b.run({sync, xfer(EIE_OP_LOAD, 0, 0, 0, 0, 20),
				       xfer(EIE_OP_LOAD, 0, 1, 0, 0, 1)}), EIE_STATUS_MISALIGNED, 2);
		expect_fault(b, b.run({xfer(EIE_OP_STORE, 0, 1, 0, 0, 1)}), EIE_STATUS_MISALIGNED, 0);
		b.set_base(1, kMemVa + kBaseOffset[1]);
		// A later row that leaves its buffer
		expect_fault(b, b.run({xfer(EIE_OP_LOAD, 0, 0, 0, 0, 10, 104, 16, 10)}), EIE_STATUS_BAD_RANGE, 0);
		expect_fault(b, b.run({xfer(EIE_OP_LOAD, 0, 0, 0, 0, 4, 2, 16, 0xffffff)}),
			     EIE_STATUS_BAD_RANGE, 0);
		expect_fault(b, b.run({xfer(EIE_OP_LOAD, 4, 0, 0, 0, 8, 9, 16, 8)}), EIE_STATUS_BAD_RANGE, 0);
		expect_done(b, b.run({xfer(EIE_OP_LOAD, 4, 0, 0, 0, 8, 8, 16, 8)}), 1);
		// An unwritten granule does not leave the chip, what comes before it may
		b.new_epoch();
		unsigned n = 1 + rnd(30), at = 16 * rnd(200);
		std::vector<Granule> before = b.mem;
		expect_fault(b, b.run({xfer(EIE_OP_LOAD, 0, 0, 0, 0, n).set(F(SIGNAL_NEXT), 1),
				       Cmd(sync).set(F(WAIT_PREV), 1).set(F(SIGNAL_NEXT), 1),
				       xfer(EIE_OP_STORE, 0, 2, at, 0, n + 1 + rnd(5)).set(F(WAIT_PREV), 1)}),
			     EIE_STATUS_UNWRITTEN, 2);
		for (unsigned g = 0; g < 100; g++) {
			size_t m = (kBaseOffset[2] + at) / 16 + g;
			if (!(b.mem[m] == before[m]) && (g >= n || !(b.mem[m] == before[g])))
				b.fail("an unwritten granule was stored");
		}
	}
	b.stall = 0;
	// 63 tokens fit, 64 do not; a take in between makes room
	std::vector<Cmd> p(63, Cmd(sync).set(F(SIGNAL_PREV), 1));
	expect_done(b, b.run(p), 63);
	p.push_back(p[0]);
	expect_fault(b, b.run(p), EIE_STATUS_TOKEN_OVERFLOW, 63);
	for (Cmd &c : p)
		c = Cmd(sync).set(F(SIGNAL_NEXT), 1);
	expect_fault(b, b.run(p), EIE_STATUS_TOKEN_OVERFLOW, 63);
	for (Cmd &c : p)
		c = xfer(EIE_OP_LOAD, 0, 0, 0, 0, 1).set(F(SIGNAL_NEXT), 1);
	expect_fault(b, b.run(p), EIE_STATUS_TOKEN_OVERFLOW, 63);
	p.insert(p.begin() + 63, Cmd(sync).set(F(WAIT_PREV), 1));
	p.insert(p.begin() + 1, Cmd(sync).set(F(WAIT_PREV), 1));
	expect_done(b, b.run(p), 66);
	p.assign(64, xfer(EIE_OP_STORE, 0, 2, 0, 0, 1).set(F(SIGNAL_PREV), 1));
	expect_fault(b, b.run(p), EIE_STATUS_TOKEN_OVERFLOW, 63);
	// Tokens do not outlive a run
	p.assign(1, Cmd(sync).set(F(WAIT_PREV), 1));
	Result r = b.run(p, 500);
	if (r.done || r.status >= 0)
		b.fail("a token came from an earlier run");
	if (r.wait_load < 400 || r.wait_store || r.fetching > 100)
		b.fail("status while waiting for a load");
	r = b.run({Cmd(sync).set(F(WAIT_NEXT), 1)}, 500);
	if (r.done || r.wait_store < 400 || r.wait_load || r.fetching > 100)
		b.fail("status while waiting for a store");
	expect_done(b, b.run({}), 0);
}

void test_flush(Bench &b)
{
	for (int i = 0; i < 120; i++) {
		Model m, again;

		random_pace(b);
		std::vector<Cmd> p = ordered_program(b, m, 60);
		Result r = b.run(p, 1 + rnd(rnd(2) ? 100 : 2000));
		if (r.status >= 0 || r.hang)
			b.fail("fault");
		// Buffers hold what was done until then. Nothing of the cut program may show up later.
		p = ordered_program(b, again, 20);
		expect_done(b, b.run(p), p.size());
		compare(b, again);
		compare_abuf(b, again);
	}
}

void test_speed(Bench &b)
{
	const Cmd sync = op(EIE_OP_SYNC);
	auto measure = [&](const char *what, const std::vector<Cmd> &p, unsigned beats, double limit) {
		Result r = b.run(p);
		expect_done(b, r, p.size());
		printf("# %s: %u cycles for %u beats, %.3f a beat, latency %u\n", what, r.cycles, beats,
		       (double)r.cycles / beats, b.latency);
		if (r.cycles > limit * beats + 3 * b.latency)
			b.fail("too slow");
	};

	b.stall = b.jitter = 0;
	b.latency = 64;
	expect_done(b, b.run({xfer(EIE_OP_LOAD, 0, 0, 0, 0, kAbuf)}), 1);
	measure("long loads", std::vector<Cmd>(8, xfer(EIE_OP_LOAD, 1, 0, 0, 0, kWbuf)), 8 * kWbuf, 1.01);
	measure("long loads, unaligned", std::vector<Cmd>(8, xfer(EIE_OP_LOAD, 1, 1, 80, 0, kWbuf)), 8 * kWbuf, 1.01);
	measure("loads of one burst", std::vector<Cmd>(256, xfer(EIE_OP_LOAD, 1, 0, 0, 0, 16)), 256 * 16, 1.01);
	measure("loads of rows of 4", std::vector<Cmd>(4, xfer(EIE_OP_LOAD, 0, 0, 0, 0, 4, 256, 256, 4)), 4096, 1.2);
	measure("loads of rows of 1", std::vector<Cmd>(4, xfer(EIE_OP_LOAD, 0, 0, 0, 0, 1, 256, 256, 1)), 1024, 4.5);
	measure("long stores", std::vector<Cmd>(8, xfer(EIE_OP_STORE, 0, 2, 0, 0, kAbuf)), 8 * kAbuf, 1.01);
	measure("stores of one burst", std::vector<Cmd>(256, xfer(EIE_OP_STORE, 0, 2, 0, 0, 16)), 256 * 16, 1.02);
	measure("stores of rows of 1", std::vector<Cmd>(4, xfer(EIE_OP_STORE, 0, 2, 0, 0, 1, 256, 256, 1)), 1024, 4.5);
	measure("commands (SYNC)", std::vector<Cmd>(1000, sync), 1000, 4.0);
}

} // namespace

int main(int argc, char **argv)
{
	struct { const char *name; void (*run)(Bench &); } tests[] = {
		{"engines_ordered", test_ordered}, {"engines_overlapped", test_overlapped},
		{"engines_static_checks", test_static}, {"engines_runtime_faults", test_runtime_faults},
		{"engines_flush", test_flush}, {"engines_speed", test_speed},
	};
	bool failed = false;

	Verilated::commandArgs(argc, argv);
	for (auto &t : tests) {
		auto b = std::make_unique<Bench>();

		rng_state = 12345;
		random_memory(*b);
		t.run(*b);
		printf("%s %s\n", b->errors ? "not ok" : "ok", t.name);
		fflush(stdout);
		failed |= b->errors != 0;
	}
	return failed;
}
