// SPDX-License-Identifier: GPL-2.0 OR MIT
//
// Unit test of eie_axi_width for the bus width TB_BITS: an engine of 128 bits on one side, a bus that stalls, interleaves beats of
// different IDs and answers with errors on the other. Every granule, strobe, error and last beat is checked, and the rules of AXI.
// Prints "ok NAME" or "not ok NAME" for each test.

#include <array>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <set>
#include <vector>

#include "Vtop.h"
#include "verilated.h"

typedef uint64_t u64;
typedef uint32_t u32;

static const int kBeat = TB_BITS / 8, kGranule = 16;
static const u64 kBytes = 1 << 16;
static bool failed;

#define CHECK(c) do { if (!(c)) { printf("# %s:%d: %s\n", __FILE__, __LINE__, #c); failed = true; } } while (0)
#define EQ(a, b) do { u64 a_ = (a), b_ = (b); if (a_ != b_) { \
	printf("# %s:%d: %s = 0x%llx, want 0x%llx\n", __FILE__, __LINE__, #a, \
	       (unsigned long long)a_, (unsigned long long)b_); failed = true; } } while (0)

static u32 seed;
static u32 rnd() { seed ^= seed << 13; seed ^= seed >> 17; seed ^= seed << 5; return seed; }
static bool chance(int percent) { return percent >= 100 || int(rnd() % 100) < percent; }

// What the engine asked for, and how far it is.
struct Burst { u64 addr; int n, at; int id; };
// The same burst as the bus saw it: bytes from addr to end, beats of `size` bytes.
struct BusBurst { u64 addr, end; int size, beats, at, id; };
struct Address { bool valid; u64 addr; int len, size, id; };

struct Bench {
	VerilatedContext ctx;
	Vtop d{&ctx};
	std::vector<uint8_t> mem = std::vector<uint8_t>(kBytes), want;
	std::set<u64> bad;                       // granules that are read with an error
	std::deque<Burst> asked[4], writes, owed;
	std::deque<BusBurst> rq[4], wq, bq;
	int p_engine = 70, p_bus = 70, r_cur = -1;
	bool b_on = false;
	Address ar_was = {}, aw_was = {};
	bool w_wait = false;
	std::array<uint8_t, kBeat> w_was = {};
	u32 w_strb_was = 0;
	u64 cycles = 0, granules_read = 0, granules_written = 0, resps = 0;
	bool ar_on = false, aw_on = false, w_on = false;
	Burst ar = {}, aw = {};
	std::deque<std::array<uint8_t, 16>> data;
	std::deque<bool> full;
	int reads_left = 0, writes_left = 0;

	Bench() {
		for (auto &x : mem) x = rnd();
		want = mem;
		d.rst_ni = 0;
		d.s_arvalid_i = d.s_awvalid_i = d.s_wvalid_i = d.m_rvalid_i = d.m_bvalid_i = 0;
		for (int i = 0; i < 3; i++) edge();
		d.rst_ni = 1;
	}
	~Bench() { d.final(); }

	void eval() { d.eval(); ctx.timeInc(1); }
	void edge() { d.clk_i = 0; eval(); d.clk_i = 1; eval(); }

	Burst some(int id) {
		int n = chance(30) ? 1 : 1 + rnd() % 16;
		u64 addr = rnd() % kBytes & ~15ull;
		if (addr % 4096 + 16 * n > 4096) addr -= 16 * (n - 1);
		return {addr, n, 0, id};
	}

	// Engine side
	void drive_engine() {
		if (!ar_on && reads_left && chance(p_engine)) {
			int id = rnd() % 4;
			if (asked[id].size() < (id == 3 ? 16 : 4)) { ar = some(id); ar_on = true; }
		}
		d.s_arvalid_i = ar_on;
		d.s_arid_i = ar.id; d.s_araddr_i = ar.addr; d.s_arlen_i = ar.n - 1; d.s_arsize_i = 4; d.s_arburst_i = 1;
		if (!aw_on && writes_left && owed.size() < 15 && writes.size() < 16 && chance(p_engine)) { aw = some(rnd() % 2); aw_on = true; }
		d.s_awvalid_i = aw_on;
		d.s_awid_i = aw.id; d.s_awaddr_i = aw.addr; d.s_awlen_i = aw.n - 1; d.s_awsize_i = 4; d.s_awburst_i = 1;
		if (!w_on && !owed.empty() && chance(p_engine)) w_on = true;   // data only behind their address
		d.s_wvalid_i = w_on;
		if (w_on) {
			for (int i = 0; i < 4; i++) memcpy(&d.s_wdata_i[i], &data[0][4 * i], 4);
			d.s_wstrb_i = full[0] ? 0xffff : 0;
			d.s_wlast_i = owed[0].at + 1 == owed[0].n;
		}
		d.s_rready_i = chance(p_engine);
		d.s_bready_i = 1;
	}

	void observe_engine() {
		if (d.s_arvalid_i && d.s_arready_o) { asked[ar.id].push_back(ar); ar_on = false; reads_left--; }
		if (d.s_rvalid_o && d.s_rready_i) {
			int id = d.s_rid_o & 3;
			CHECK(!asked[id].empty());
			if (!asked[id].empty()) {
				Burst &b = asked[id].front();
				u64 a = b.addr + 16 * b.at;
				uint8_t v[16];
				for (int i = 0; i < 4; i++) memcpy(v + 4 * i, &d.s_rdata_o[i], 4);
				CHECK(!memcmp(v, &mem[a], 16));
				EQ(d.s_rresp_o >> 1 & 1, erroneous(a, b));
				EQ(d.s_rlast_o, b.at + 1 == b.n);
				granules_read++;
				if (++b.at == b.n) asked[id].pop_front();
			}
		}
		if (d.s_awvalid_i && d.s_awready_o) {
			aw_on = false;
			writes_left--;
			owed.push_back(aw);
			writes.push_back(aw);
			for (int i = 0; i < aw.n; i++) {
				std::array<uint8_t, 16> v;
				for (auto &x : v) x = rnd();
				data.push_back(v);
				full.push_back(chance(80));
				if (full.back()) memcpy(&want[aw.addr + 16 * i], v.data(), 16);
			}
		}
		if (d.s_wvalid_i && d.s_wready_o) {
			w_on = false;
			data.pop_front();
			full.pop_front();
			granules_written++;
			if (++owed[0].at == owed[0].n) owed.pop_front();
		}
		if (d.s_bvalid_o) {
			EQ(d.s_bid_o, writes[0].id);
			EQ(d.s_bresp_o, writes[0].addr >> 4 & 2);
			writes.pop_front();
			resps++;
		}
	}

	// The error of a granule is that of its beats: of one granule, or of two unless the burst starts in the middle or is narrow.
	bool erroneous(u64 a, const Burst &b) {
		u64 first = kBeat > kGranule && b.n > 1 ? a & ~u64(kBeat - 1) : a, end = kBeat > kGranule && b.n > 1 ? first + kBeat : a + kGranule;
		for (u64 g = first; g < end; g += 16) if (g >= b.addr && bad.count(g)) return true;
		return false;
	}

	// Bus side
	BusBurst bus_burst(const Address &a) {
		int size = 1 << a.size;
		CHECK(size <= kBeat && (size == kBeat || !a.len));
		BusBurst b = {a.addr, (a.addr & ~u64(size - 1)) + u64(size) * (a.len + 1), size, a.len + 1, 0, a.id};
		CHECK(a.addr % 16 == 0 && (b.end - 1) >> 12 == a.addr >> 12);
		return b;
	}

	void check_stable(const Address &now, bool ready, Address &was) {
		if (was.valid) CHECK(now.valid && now.addr == was.addr && now.len == was.len && now.size == was.size && now.id == was.id);
		was = now;
		was.valid = now.valid && !ready;
	}

	uint8_t *rdata() { return reinterpret_cast<uint8_t *>(&d.m_rdata_i); }
	const uint8_t *wdata() { return reinterpret_cast<const uint8_t *>(&d.m_wdata_o); }

	void drive_bus() {
		d.m_arready_i = chance(p_bus);
		d.m_awready_i = chance(p_bus);
		d.m_wready_i = chance(p_bus);
		if (r_cur < 0 && chance(p_bus)) {
			int first = rnd() % 4;
			for (int i = 0; i < 4 && r_cur < 0; i++) if (!rq[(first + i) % 4].empty()) r_cur = (first + i) % 4;
			if (r_cur >= 0) for (int i = 0; i < kBeat; i++) rdata()[i] = rnd();   // lanes that carry nothing
		}
		d.m_rvalid_i = r_cur >= 0;
		if (r_cur >= 0) {
			BusBurst &b = rq[r_cur].front();
			u64 base = (b.addr & ~u64(b.size - 1)) + u64(b.size) * b.at;
			bool err = false;
			for (u64 a = base; a < base + b.size; a++) {
				if (a < b.addr) continue;
				rdata()[a % kBeat] = mem[a];
				err |= bad.count(a & ~15ull);
			}
			d.m_rid_i = b.id;
			d.m_rlast_i = b.at + 1 == b.beats;
			d.m_rresp_i = err ? 2 : 0;
		}
		b_on = b_on || (!bq.empty() && chance(p_bus));
		d.m_bvalid_i = b_on;
		if (b_on) { d.m_bid_i = bq[0].id; d.m_bresp_i = bq[0].addr >> 4 & 2; }
	}

	void observe_bus() {
		Address a = {bool(d.m_arvalid_o), d.m_araddr_o, d.m_arlen_o, d.m_arsize_o, d.m_arid_o};
		check_stable(a, d.m_arready_i, ar_was);
		if (a.valid && d.m_arready_i) rq[a.id & 3].push_back(bus_burst(a));
		a = {bool(d.m_awvalid_o), d.m_awaddr_o, d.m_awlen_o, d.m_awsize_o, d.m_awid_o};
		check_stable(a, d.m_awready_i, aw_was);
		if (a.valid && d.m_awready_i) wq.push_back(bus_burst(a));
		if (d.m_rvalid_i && d.m_rready_o) {
			BusBurst &b = rq[r_cur].front();
			if (++b.at == b.beats) rq[r_cur].pop_front();
			r_cur = -1;
		}
		if (w_wait) CHECK(d.m_wvalid_o && d.m_wstrb_o == w_strb_was && !memcmp(wdata(), w_was.data(), kBeat));
		w_wait = d.m_wvalid_o && !d.m_wready_i;
		if (w_wait) { memcpy(w_was.data(), wdata(), kBeat); w_strb_was = d.m_wstrb_o; }
		if (d.m_wvalid_o && d.m_wready_i) {
			CHECK(!wq.empty());
			if (!wq.empty()) {
				BusBurst &b = wq.front();
				u64 lanes = (b.addr & ~u64(b.size - 1)) + u64(b.size) * b.at;
				lanes &= ~u64(kBeat - 1);
				for (int i = 0; i < kBeat; i++) {
					if (!(d.m_wstrb_o >> i & 1)) continue;
					CHECK(lanes + i >= b.addr && lanes + i < b.end);
					mem[(lanes + i) % kBytes] = wdata()[i];
				}
				EQ(d.m_wlast_o, b.at + 1 == b.beats);
				if (++b.at == b.beats) { bq.push_back(b); wq.pop_front(); }
			}
		}
		if (d.m_bvalid_i && d.m_bready_o) { bq.pop_front(); b_on = false; }
	}

	void tick() {
		drive_engine();
		drive_bus();
		d.clk_i = 0;
		eval();
		observe_engine();
		observe_bus();
		d.clk_i = 1;
		eval();
		cycles++;
	}

	void run(int reads, int writes_) {
		reads_left = reads;
		writes_left = writes_;
		for (int i = 0; i < 200000; i++) {
			bool busy = reads_left || writes_left || !writes.empty() || !owed.empty();
			for (auto &q : asked) busy |= !q.empty();
			if (!busy) return;
			tick();
		}
		CHECK(!"everything was answered");
	}
};

static void t_reads() {
	for (int round = 0; round < 20; round++) {
		Bench b;
		b.p_engine = round % 3 ? 70 : 100;
		b.p_bus = round % 4 ? 60 : 100;
		if (round & 1) for (int i = 0; i < 400; i++) b.bad.insert(rnd() % kBytes & ~15ull);
		b.run(500, 0);
		CHECK(b.mem == b.want);
		CHECK(b.granules_read > 2000);
	}
}

static void t_writes() {
	for (int round = 0; round < 20; round++) {
		Bench b;
		b.p_engine = round % 3 ? 70 : 100;
		b.p_bus = round % 4 ? 60 : 100;
		b.run(0, 500);
		EQ(b.resps, 500);
		CHECK(b.mem == b.want);
	}
}

// Reads of what is being written would depend on the order; only their order and errors are looked at elsewhere.
static void t_both() {
	Bench b;
	b.run(0, 300);
	CHECK(b.mem == b.want);
	b.run(300, 0);
	b.p_engine = b.p_bus = 100;
	u64 before = b.cycles, granules = b.granules_read;
	b.run(300, 0);
	// without stalls: a granule a cycle, two cycles a granule on the narrow bus
	u64 ideal = (b.granules_read - granules) * (kBeat < kGranule ? 2 : 1), took = b.cycles - before;
	printf("# %llu granules in %llu cycles\n", (unsigned long long)(b.granules_read - granules), (unsigned long long)took);
	CHECK(took <= ideal + ideal / 8 + 20);
}

int main() {
	struct { const char *name; void (*run)(); } tests[] = {{"reads", t_reads}, {"writes", t_writes}, {"both", t_both}};
	int bad = 0;
	for (auto &t : tests) {
		failed = false;
		seed = 4711;
		t.run();
		printf("%s %s\n", failed ? "not ok" : "ok", t.name);
		bad += failed;
	}
	return bad != 0;
}
