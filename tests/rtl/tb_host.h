// SPDX-License-Identifier: GPL-2.0 OR MIT
//
// What stands around eie_host in its test: a bus with random stalls, latency, reordering between IDs and
// errors on demand; engines that ask for what a test puts into their queues; the driver's side of the rings
// and page tables. Every completion entry is checked against a log of what the counters saw.

#ifndef TB_HOST_H
#define TB_HOST_H

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <array>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "Veie_host.h"
#include "verilated.h"
#include "eie_hw.h"

typedef uint64_t u64;
typedef uint32_t u32;
typedef std::array<uint8_t, 16> Beat;

static const int kScrub = 32;   // ScrubDepth of the build
static bool failed;

#define CHECK(c) do { if (!(c)) { printf("# %s:%d: %s\n", __FILE__, __LINE__, #c); failed = true; } } while (0)
#define EQ(a, b) do { u64 a_ = (a), b_ = (b); if (a_ != b_) { \
	printf("# %s:%d: %s = 0x%llx, want 0x%llx\n", __FILE__, __LINE__, #a, \
	       (unsigned long long)a_, (unsigned long long)b_); failed = true; } } while (0)

static u32 seed;
static u32 rnd() { seed ^= seed << 13; seed ^= seed >> 17; seed ^= seed << 5; return seed; }
static bool chance(int percent) { return percent >= 100 || int(rnd() % 100) < percent; }

// Memory and bus ---------------------------------------------------------------------------------

struct Memory {
	std::map<u64, std::array<uint8_t, 4096>> pages;
	uint8_t *at(u64 a) { return &pages[a >> 12][a & 4095]; }
	u64 r64(u64 a) { u64 v; memcpy(&v, at(a), 8); return v; }
	u32 r32(u64 a) { u32 v; memcpy(&v, at(a), 4); return v; }
	void w64(u64 a, u64 v) { memcpy(at(a), &v, 8); }
	void w32(u64 a, u32 v) { memcpy(at(a), &v, 4); }
	Beat beat(u64 a) { Beat b; memcpy(b.data(), at(a), 16); return b; }
};

struct Burst { u64 addr; int len, beat; u64 due; int id; Beat first; };
struct Req { u64 va; int len; u32 cmd; };

// What the counters saw in one cycle.
struct Seen { uint16_t macs, sats; uint8_t moved; bool drain, mac, engine, load, store, sync, fetch, disp, start, rbeat, wbeat; };

struct Bench {
	VerilatedContext ctx;
	std::unique_ptr<Veie_host> d;
	Memory m;
	u64 now = 0;                      // TIME of the current cycle
	bool rst = false;
	std::vector<Seen> log;

	// bus knobs
	int p_ar = 60, p_r = 70, p_aw = 60, p_w = 60, p_b = 60, lat_lo = 1, lat_hi = 20;
	bool stop_w = false, stop_r = false, stop_ar = false, stop_aw = false;
	std::set<u64> rd_err, wr_err;     // 16-byte granules that answer with an error
	std::deque<Burst> rq[4], wq, bq[2];
	int r_cur = -1, b_cur = -1;
	bool ar_on = false, aw_on = false, w_on = false;
	u64 ars[4] = {}, aws = 0, w_zero = 0, w_full = 0, rd_out = 0;
	u64 last_b_time = 0;
	std::set<u64> forbid;             // pages that must not be addressed
	std::map<u64, int> outstanding;   // per page, reads and writes
	std::vector<u64> vec[3];          // times of the interrupt pulses
	std::vector<u32> scrubbed;
	u64 epoch_pulses = 0, clears = 0;

	// engines
	std::deque<Req> cpq, ldq, stq, cp_out, ld_out;
	std::deque<Beat> st_data;
	std::vector<Beat> cp_data, ld_data;
	int st_left = 0, hold = 0, clear_busy = 0, p_req = 80, p_dat = 70, p_ld = 80, p_mac = 30;
	bool running = false, done_pulse = false, hang = false, stop_dat = false, quiet_counters = false;
	bool off_cp = false, off_ld = false, off_st = false;
	struct { bool valid = false; u32 status = 0; u64 addr = 0; u32 cmd = 0; } flt[4];
	std::function<void(bool, u64, u32)> on_start;
	int starts = 0, restores = 0;

	Bench() {
		d = std::make_unique<Veie_host>(&ctx);
		d->rst_ni = 0;
		for (int i = 0; i < 4; i++) tick();
		d->rst_ni = 1;
		rst = true;
	}
	~Bench() { d->final(); }

	void touch(u64 addr, int n) { outstanding[addr >> 12] += n; }

	void bus_address(u64 addr, int len, int size, int burst) {
		EQ(addr & 15, 0);
		EQ(size, 4);
		EQ(burst, 1);
		CHECK(len < 16 && (addr & 4095) + 16 * (len + 1) <= 4096);
		if (forbid.count(addr >> 12)) {
			printf("# address %llx is forbidden\n", (unsigned long long)addr);
			failed = true;
		}
		touch(addr, 1);
	}

	void drive() {
		// reads
		ar_on = !stop_ar && chance(p_ar);
		d->m_arready_i = ar_on;
		if (r_cur < 0 && !stop_r && chance(p_r)) {
			int first = rnd() % 4;
			for (int i = 0; i < 4 && r_cur < 0; i++) {
				int id = (first + i) % 4;
				if (!rq[id].empty() && rq[id].front().due <= now) r_cur = id;
			}
		}
		d->m_rvalid_i = r_cur >= 0;
		if (r_cur >= 0) {
			Burst &b = rq[r_cur].front();
			u64 a = b.addr + 16 * b.beat;
			Beat v = b.beat ? m.beat(a) : b.first;
			for (int i = 0; i < 4; i++) memcpy(&d->m_rdata_i[i], &v[4 * i], 4);
			d->m_rid_i = r_cur;
			d->m_rlast_i = b.beat == b.len;
			d->m_rresp_i = rd_err.count(a) ? 2 + rnd() % 2 : 0;
		}
		// writes
		d->m_awready_i = !stop_aw && chance(p_aw);
		d->m_wready_i = !stop_w && chance(p_w);
		if (b_cur < 0 && chance(p_b)) {
			int first = rnd() % 2;
			for (int i = 0; i < 2 && b_cur < 0; i++) {
				int id = (first + i) % 2;
				if (!bq[id].empty() && bq[id].front().due <= now) b_cur = id;
			}
		}
		d->m_bvalid_i = b_cur >= 0;
		if (b_cur >= 0) {
			d->m_bid_i = b_cur;
			d->m_bresp_i = wr_err.count(bq[b_cur].front().addr) ? 2 : 0;
		}
		// engines
		off_cp = !cpq.empty() && (off_cp || chance(p_req));
		off_ld = !ldq.empty() && (off_ld || chance(p_req));
		off_st = !stq.empty() && (off_st || chance(p_req));
		d->cp_req_valid_i = off_cp;
		if (off_cp) { d->cp_req_va_i = cpq[0].va; d->cp_req_len_i = cpq[0].len; d->cp_req_cmd_i = cpq[0].cmd; }
		d->ld_req_valid_i = off_ld;
		if (off_ld) { d->ld_req_va_i = ldq[0].va; d->ld_req_len_i = ldq[0].len; d->ld_req_cmd_i = ldq[0].cmd; }
		d->st_req_valid_i = off_st;
		if (off_st) { d->st_req_va_i = stq[0].va; d->st_req_len_i = stq[0].len; d->st_req_cmd_i = stq[0].cmd; }
		d->ld_rsp_ready_i = chance(p_ld);
		d->st_dat_valid_i = !st_data.empty() && !stop_dat && chance(p_dat);
		if (!st_data.empty()) for (int i = 0; i < 4; i++) memcpy(&d->st_dat_data_i[i], &st_data[0][4 * i], 4);
		bool idle = cpq.empty() && ldq.empty() && stq.empty() && !running;
		d->cp_idle_i = idle;
		d->ld_idle_i = ldq.empty() && ld_out.empty();
		d->st_idle_i = stq.empty() && !st_left;
		d->ar_idle_i = 1;
		d->clear_busy_i = clear_busy > 0;
		done_pulse = running && !hang && !hold && cpq.empty() && ldq.empty() && stq.empty() &&
			     cp_out.empty() && ld_out.empty() && !st_left;
		d->cmd_done_i = done_pulse;
		d->cp_fault_valid_i = flt[0].valid; d->cp_fault_status_i = flt[0].status;
		d->cp_fault_addr_i = flt[0].addr; d->cp_fault_cmd_i = flt[0].cmd;
		d->ld_fault_valid_i = flt[1].valid; d->ld_fault_status_i = flt[1].status;
		d->ld_fault_addr_i = flt[1].addr; d->ld_fault_cmd_i = flt[1].cmd;
		d->st_fault_valid_i = flt[2].valid; d->st_fault_status_i = flt[2].status;
		d->st_fault_addr_i = flt[2].addr; d->st_fault_cmd_i = flt[2].cmd;
		d->ar_fault_valid_i = flt[3].valid; d->ar_fault_status_i = flt[3].status;
		d->ar_fault_addr_i = flt[3].addr; d->ar_fault_cmd_i = flt[3].cmd;
		bool z = quiet_counters;
		d->macs_i = !z && chance(p_mac) ? rnd() % 257 : 0;
		d->sats_i = !z && chance(10) ? rnd() % 257 : 0;
		d->drain_active_i = !z && chance(20); d->mac_active_i = !z && chance(20);
		d->engine_active_i = !z && chance(50); d->sync_wait_i = !z && chance(20);
		d->wait_load_i = !z && chance(20); d->wait_store_i = !z && chance(20);
		d->fetching_i = !z && running && chance(20); d->dispatched_i = !z && running && chance(20);
		d->retired_i = !z && running && chance(20) ? rnd() % 4 : 0;
	}

	void observe() {
		bool ar = d->m_arvalid_o && d->m_arready_i, r = d->m_rvalid_i && d->m_rready_o;
		bool aw = d->m_awvalid_o && d->m_awready_i, w = d->m_wvalid_o && d->m_wready_i;
		bool b = d->m_bvalid_i && d->m_bready_o, fl = d->flush_o;
		u64 due = now + lat_lo + (lat_hi > lat_lo ? rnd() % (lat_hi - lat_lo) : 0);
		Seen s = {};
		s.macs = d->macs_i; s.sats = d->sats_i; s.drain = d->drain_active_i; s.mac = d->mac_active_i;
		s.engine = d->engine_active_i; s.load = d->wait_load_i; s.store = d->wait_store_i;
		s.sync = d->sync_wait_i; s.fetch = d->fetching_i; s.disp = d->dispatched_i;
		s.start = d->cmd_start_o;
		s.rbeat = r && !fl && r_cur != 1;
		s.wbeat = w && d->m_wstrb_o;
		s.moved = fl ? 0 : (d->retired_i + r + s.wbeat);   // page walks included
		log.resize(now + 1);
		log[now] = s;

		if (ar) {
			int id = d->m_arid_o;
			CHECK(id < 4);
			bus_address(d->m_araddr_o, d->m_arlen_o, d->m_arsize_o, d->m_arburst_o);
			// read early: a page-table entry may change before the answer arrives
			rq[id & 3].push_back({d->m_araddr_o, d->m_arlen_o, 0, due, id, m.beat(d->m_araddr_o)});
			ars[id & 3]++;
		}
		if (r) {
			Burst &q = rq[r_cur].front();
			Beat v;
			for (int i = 0; i < 4; i++) memcpy(&v[4 * i], &d->rsp_data_o[i], 4);
			EQ(d->cp_rsp_valid_o, r_cur == 2 && !fl);
			EQ(d->ld_rsp_valid_o, r_cur == 3 && !fl);
			if (!fl && r_cur == 2 && !cp_out.empty()) {
				cp_data.push_back(v);
				if (d->rsp_last_o) cp_out.pop_front();
			}
			if (!fl && r_cur == 3 && !ld_out.empty()) {
				ld_data.push_back(v);
				if (d->rsp_last_o) ld_out.pop_front();
			}
			if (q.beat++ == q.len) { touch(q.addr, -1); rq[r_cur].pop_front(); }
			r_cur = -1;
		}
		if (aw) {
			int id = d->m_awid_o;
			CHECK(id < 2);
			bus_address(d->m_awaddr_o, d->m_awlen_o, d->m_awsize_o, d->m_awburst_o);
			wq.push_back({d->m_awaddr_o, d->m_awlen_o, 0, 0, id & 1, {}});
			aws++;
		}
		if (w) {
			CHECK(!wq.empty());
			if (!wq.empty()) {
				Burst &q = wq.front();
				EQ(d->m_wlast_o, q.beat == q.len);
				CHECK(d->m_wstrb_o == 0 || d->m_wstrb_o == 0xffff);
				if (d->m_wstrb_o) {
					for (int i = 0; i < 4; i++) memcpy(m.at(q.addr + 16 * q.beat) + 4 * i, &d->m_wdata_o[i], 4);
					w_full++;
				} else {
					w_zero++;
				}
				if (q.beat++ == q.len) { q.due = due; bq[q.id].push_back(q); wq.pop_front(); }
			}
		}
		if (b) {
			touch(bq[b_cur].front().addr, -1);
			bq[b_cur].pop_front();
			if (b_cur == 0) last_b_time = now;
			b_cur = -1;
		}
		if (d->cp_req_valid_i && d->cp_req_ready_o) { cp_out.push_back(cpq[0]); cpq.pop_front(); off_cp = false; }
		if (d->ld_req_valid_i && d->ld_req_ready_o) { ld_out.push_back(ldq[0]); ldq.pop_front(); off_ld = false; }
		if (d->st_req_valid_i && d->st_req_ready_o) { st_left++; stq.pop_front(); off_st = false; }
		if (d->st_dat_valid_i && d->st_dat_ready_o) st_data.pop_front();
		if (d->st_rsp_valid_o) st_left--;
		for (int i = 0; i < 3; i++) if (d->irq_vec_o >> i & 1) vec[i].push_back(now);
		if (d->scrub_o) scrubbed.push_back(d->scrub_addr_o);
		if (d->epoch_new_o) epoch_pulses++;
		if (clear_busy) clear_busy--;
		if (d->clear_o) { clears++; clear_busy = 5; }
		if (hold) hold--;
		for (auto &f : flt) f.valid = false;
		if (done_pulse) running = false;
		if (fl) {
			cpq.clear(); ldq.clear(); stq.clear(); cp_out.clear(); ld_out.clear(); st_data.clear();
			st_left = 0; running = false;
			off_cp = off_ld = off_st = false;
		}
		if (d->cmd_start_o) {
			running = true;
			starts++;
			restores += d->cmd_restore_o;
			CHECK(!clear_busy);
			if (on_start) on_start(d->cmd_restore_o, d->cmd_va_o, d->cmd_count_o);
		}
	}

	void tick() {
		drive();
		d->clk_i = d->clk_host_i = 0;
		d->eval();
		ctx.timeInc(1);
		if (rst) observe();
		d->clk_i = d->clk_host_i = 1;
		d->eval();
		ctx.timeInc(1);
		if (rst) now++;
	}

	void ticks(int n) { while (n--) tick(); }

	// registers
	void wr(u32 a, u32 v, int strb = 15) {
		bool aw = false, w = false;
		int order = rnd() % 3;          // address first, data first, together
		d->s_bready_i = 0;
		while (!aw || !w) {
			d->s_awvalid_i = !aw && (order != 1 || w);
			d->s_awaddr_i = a;
			d->s_wvalid_i = !w && (order != 0 || aw);
			d->s_wdata_i = v;
			d->s_wstrb_i = strb;
			bool awf = d->s_awvalid_i && d->s_awready_o, wf = d->s_wvalid_i && d->s_wready_o;
			tick();
			aw |= awf;
			w |= wf;
		}
		d->s_awvalid_i = d->s_wvalid_i = 0;
		ticks(rnd() % 3);
		d->s_bready_i = 1;
		while (!d->s_bvalid_o) tick();
		EQ(d->s_bresp_o, 0);
		tick();
		d->s_bready_i = 0;
	}
	u32 rd(u32 a) {
		d->s_arvalid_i = 1;
		d->s_araddr_i = a;
		d->s_rready_i = 0;
		while (!d->s_arready_o) tick();
		tick();
		d->s_arvalid_i = 0;
		ticks(rnd() % 3);
		while (!d->s_rvalid_o) tick();
		u32 v = d->s_rdata_o;
		d->s_rready_i = 1;
		tick();
		d->s_rready_i = 0;
		return v;
	}
	u32 q(int n, u32 reg) { return EIE_QUEUE_BASE + n * EIE_QUEUE_STRIDE + reg; }
};

// Driver and page tables -------------------------------------------------------------------------

static const u64 kRing = 0x10000000, kPageTables = 0x20000000, kData = 0x40000000;

struct Device : Bench {
	struct Ring { u64 sq, cq; int sl, cl; uint16_t tail, head; } ring[2];
	u64 next_table = kPageTables;
	std::map<u32, u64> roots;

	Device() {
		for (int i = 0; i < 2; i++) ring[i] = {kRing + 0x100000 * i + 128, kRing + 0x100000 * i + 0x80000, 3, 3, 0, 0};
		ticks(kScrub + 4);
	}
	void enable(int n = 0) {
		Ring &r = ring[n];
		r.tail = r.head = 0;
		for (int i = 0; i < 1 << r.cl; i++) memset(m.at(r.cq + 128 * i), 0, 128);
		wr(q(n, EIE_REG_Q_CTRL), 0);
		wr(q(n, EIE_REG_Q_SQ_BASE_LO), u32(r.sq));
		wr(q(n, EIE_REG_Q_SQ_BASE_HI), r.sq >> 32);
		wr(q(n, EIE_REG_Q_CQ_BASE_LO), u32(r.cq));
		wr(q(n, EIE_REG_Q_CQ_BASE_HI), r.cq >> 32);
		wr(q(n, EIE_REG_Q_SIZE), r.sl | r.cl << 8);
		wr(q(n, EIE_REG_Q_CTRL), 1);
		wr(EIE_REG_CTRL, 1);
	}
	u64 root(u32 asid) {
		if (!roots.count(asid)) { roots[asid] = next_table; next_table += 4096; }
		return roots[asid];
	}
	u64 pte(u32 asid, u64 va, int level) {      // address of the entry; makes the tables above it
		u64 t = root(asid);
		for (int l = 2; l > level; l--) {
			u64 a = t + (va >> (12 + 9 * l) & 511) * 8;
			if (!(m.r64(a) & EIE_PTE_V)) { m.w64(a, next_table >> 12 << EIE_PTE_PPN_LSB | EIE_PTE_V); next_table += 4096; }
			t = m.r64(a) >> EIE_PTE_PPN_LSB << 12;
		}
		return t + (va >> (12 + 9 * level) & 511) * 8;
	}
	void map(u32 asid, u64 va, u64 pa, int flags = EIE_PTE_R | EIE_PTE_W, int level = 0) {
		m.w64(pte(asid, va, level), pa >> 12 << EIE_PTE_PPN_LSB | flags | EIE_PTE_V);
	}
	void fill(u64 pa, int bytes) { for (int i = 0; i < bytes; i += 4) m.w32(pa + i, rnd()); }

	eie_desc desc(u32 asid) {
		eie_desc j;
		memset(&j, 0, sizeof(j));
		j.fence = (u64)rnd() << 32 | rnd();
		j.root = root(asid);
		j.asid = asid;
		return j;
	}
	void put(const void *j, int n = 0) {
		Ring &r = ring[n];
		memcpy(m.at(r.sq + 128 * (r.tail & ((1 << r.sl) - 1))), j, 128);
		r.tail++;
	}
	void bell(int n = 0) { wr(q(n, EIE_REG_Q_DOORBELL), ring[n].tail | u32(ring[n].head) << 16); }
	bool unread(int n = 0) {
		Ring &r = ring[n];
		return m.r32(r.cq + 128 * (r.head & ((1 << r.cl) - 1)) + 124) == u32(!(r.head >> r.cl & 1));
	}
	bool idle() { return !(rd(EIE_REG_STATUS) & 1); }

	// Waits for the next entry of queue n and checks all that must hold for every entry.
	eie_cpl wait(const eie_desc &j, int n = 0, int limit = 40000) {
		Ring &r = ring[n];
		eie_cpl c;
		size_t irqs = vec[n].size();
		while (limit-- && (!unread(n) || vec[n].size() == irqs)) tick();
		if (limit < 0) { printf("# no completion entry\n"); failed = true; }
		memcpy(&c, m.at(r.cq + 128 * (r.head & ((1 << r.cl) - 1))), 128);
		r.head++;
		EQ(vec[n].size(), irqs + 1);
		CHECK(vec[n].back() > last_b_time);
		EQ(c.fence, j.fence);
		EQ(c.sq_head, r.head);
		EQ(c.time_end - c.time_start, c.cycles);
		u64 macs = 0, busy = 0, drain = 0, array = 0, load = 0, store = 0, sync = 0, cmd = 0, front = 0,
		    tail = 0, engine = 0, sats = 0, reads = 0, writes = 0, commands = 0;
		bool asked = false;
		for (u64 t = c.time_start + 1; t <= c.time_end; t++) {
			Seen &s = log[t];
			macs += s.macs; engine += s.engine; sats += s.sats; reads += s.rbeat; writes += s.wbeat; commands += s.disp;
			(s.macs ? busy : s.drain ? drain : s.mac ? array : s.load ? load : s.store ? store :
			 s.sync ? sync : s.fetch ? cmd : !asked ? front : tail)++;
			asked |= s.start;
		}
		EQ(c.macs, macs); EQ(c.busy, busy); EQ(c.stall_drain, drain); EQ(c.stall_array, array);
		EQ(c.stall_load, load); EQ(c.stall_store, store); EQ(c.stall_sync, sync); EQ(c.stall_cmd, cmd);
		EQ(c.stall_front, front); EQ(c.stall_tail, tail); EQ(c.engine_cycles, engine);
		EQ(c.saturated, sats); EQ(c.read_beats, reads); EQ(c.write_beats, writes); EQ(c.commands, commands);
		EQ(m.r32(r.cq + 128 * ((r.head - 1) & ((1 << r.cl) - 1)) + 0x6c), 0);
		return c;
	}
	eie_cpl run(const eie_desc &j, int n = 0) { put(&j, n); bell(n); return wait(j, n); }
	// Runs a job that must end so; returns its entry.
	eie_cpl expect(const eie_desc &j, u32 status, u64 addr = 0, u32 cmd = 0) {
		eie_cpl c = run(j);
		EQ(c.status, status); EQ(c.fault_addr, addr); EQ(c.fault_cmd, cmd);
		return c;
	}
	void load(u64 va, int beats, u32 cmd = 0x80000000) { ldq.push_back({va, beats - 1, cmd}); }
	void fetch(u64 va, int beats, u32 cmd = 0) { cpq.push_back({va, beats - 1, cmd}); }
	void store(u64 va, int beats, u32 cmd = 0x80000000) {
		stq.push_back({va, beats - 1, cmd});
		for (int i = 0; i < beats; i++) { Beat b; for (auto &x : b) x = rnd(); st_data.push_back(b); }
	}
	void reset() {
		wr(EIE_REG_CTRL, 5);
		int n = 5000;
		while ((rd(EIE_REG_CTRL) & 4) && --n) {}
		CHECK(n);
	}
	void inval(u32 asid, bool all) {
		wr(EIE_REG_TLB_INV, asid | u32(all) << 16);
		int n = 5000;
		while (!rd(EIE_REG_INV_STATUS) && --n) {}
		CHECK(n);
	}
	// A job of one command, with `act` as its traffic.
	eie_desc job(u32 asid, std::function<void()> act) {
		eie_desc j = desc(asid);
		j.ncmds = 1;
		on_start = [act](bool, u64, u32) { act(); };
		return j;
	}
};

#endif
