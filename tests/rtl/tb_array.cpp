// SPDX-License-Identifier: GPL-2.0 OR MIT
//
// Bench of eie_array: random programs against a model that walks the buffers as the programmer's guide
// says, with a fake ABUF and command feed.
//   tb_array [SEEDS [FIRST]]    random programs, with faults and aborts; every output is compared
//   tb_array bench [LAYER]      layers of the EIE paper: engine cycles over ideal, simulated cycles a second
// Build with TB_* as eie_array's parameters (-DTB_LANES=8 beside -GLanes=8).

#include <sys/resource.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <memory>
#include <numeric>
#include <random>
#include <string>
#include <vector>

#include "Vtop.h"
#include "eie_hw.h"
#include "verilated.h"

#ifndef TB_CLUSTERS
#define TB_CLUSTERS 2
#define TB_LANES 2
#define TB_ROWS 64
#define TB_WBUF 1024
#define TB_PBUF 256
#define TB_RBUF 128
#define TB_ABUF 1024
#endif

namespace {

constexpr int K = TB_CLUSTERS, L = TB_LANES, R = TB_ROWS;
constexpr int kDepth[5] = {TB_ABUF, TB_WBUF, TB_PBUF, TB_RBUF, EIE_CBUF_GRANULES};

struct Granule {
	uint8_t b[16];
};

using Cmd = std::vector<uint32_t>;

uint32_t get(const Cmd &c, int dw, int shift, uint32_t mask) { return c[dw] >> shift & mask; }
void set(Cmd &c, int dw, int shift, uint32_t v) { c[dw] |= v << shift; }
#define GET(c, f) get(c, EIE_CMD_##f##_DW, EIE_CMD_##f##_SHIFT, EIE_CMD_##f##_MASK)
#define SET(c, f, v) set(c, EIE_CMD_##f##_DW, EIE_CMD_##f##_SHIFT, v)

// One on-chip buffer: of the array (ABUF, CBUF) or of a cluster.
struct Buffer {
	std::vector<Granule> data;
	std::vector<bool> written;

	explicit Buffer(int depth = 0) : data(depth), written(depth) {}
	int16_t value(size_t i) const
	{
		int16_t v;
		memcpy(&v, &data[i / 8].b[i % 8 * 2], 2);
		return v;
	}
	uint32_t word(size_t i) const
	{
		uint32_t v;
		memcpy(&v, &data[i / 4].b[i % 4 * 4], 4);
		return v;
	}
};

struct Fault {
	int status = 0, index = -1;
	bool operator==(const Fault &o) const { return status == o.status && index == o.index; }
};

struct Image {
	Buffer abuf{kDepth[EIE_BUF_ABUF]}, cbuf{kDepth[EIE_BUF_CBUF]};
	std::vector<Buffer> cl[4];      // by EIE_BUF_*, then cluster

	Image()
	{
		for (int b : {EIE_BUF_WBUF, EIE_BUF_PBUF, EIE_BUF_RBUF})
			cl[b].assign(K, Buffer(kDepth[b]));
	}
};

// The model: programmer's guide, "Commands".
struct Model {
	Image m;
	std::vector<int32_t> acc[2];
	uint64_t macs = 0, sats = 0;

	explicit Model(const Image &image) : m(image)
	{
		for (auto &a : acc)
			a.assign(K * R, 0);
	}

	int column(int c, uint32_t ptr, uint32_t weights, bool wide, int cb, int half, int x)
	{
		uint64_t unit = wide ? 2 : 1, start = ptr & 0xfffff, len = ptr >> 20;
		uint64_t byte = 16ull * weights + start * unit, row = ~0ull;
		const Buffer &w = m.cl[EIE_BUF_WBUF][c];

		if (!len)
			return 0;
		if (byte + len * unit > 16ull * kDepth[EIE_BUF_WBUF])
			return EIE_STATUS_BAD_STREAM;
		for (uint64_t e = 0; e < len; e++, byte += unit) {
			if (!w.written[byte / 16])
				return EIE_STATUS_UNWRITTEN;
			uint32_t v = w.data[byte / 16].b[byte % 16];
			uint32_t code = v & 15, skip = v >> 4, span = EIE_NARROW_SPAN;
			if (wide) {
				code = v;
				skip = w.data[byte / 16].b[byte % 16 + 1];
				span = EIE_WIDE_SPAN;
			}
			if (!code) {
				row += span * (skip + 1);
				if (e == len - 1)
					return EIE_STATUS_BAD_STREAM;
				continue;
			}
			row += skip + 1;
			if (row >= uint64_t(R))
				return EIE_STATUS_BAD_STREAM;
			int32_t &a = acc[half][c * R + row];
			a = int32_t(uint32_t(a) + uint32_t(int32_t(m.cbuf.value(8 * cb + code)) * x));
			macs++;
		}
		return 0;
	}

	int mac(const Cmd &c)
	{
		bool wide = GET(c, MAC_WIDE);
		uint32_t in = GET(c, MAC_IN), len = GET(c, MAC_LEN), cb = GET(c, MAC_CODEBOOK);

		for (int g = 0; g < (wide ? 32 : 2); g++)
			if (!m.cbuf.written[cb + g])
				return EIE_STATUS_UNWRITTEN;
		for (uint32_t j = 0; j < 8 * len; j++) {
			if (!m.abuf.written[in + j / 8])
				return EIE_STATUS_UNWRITTEN;
			int x = m.abuf.value(8 * in + j);
			for (int k = 0; x && k < K; k++) {
				const Buffer &p = m.cl[EIE_BUF_PBUF][k];
				if (!p.written[GET(c, MAC_PTR) + j / 4])
					return EIE_STATUS_UNWRITTEN;
				int s = column(k, p.word(4 * GET(c, MAC_PTR) + j), GET(c, MAC_WEIGHTS), wide, cb, GET(c, MAC_HALF), x);
				if (s)
					return s;
			}
		}
		return 0;
	}

	int drain(const Cmd &c)
	{
		int lo = int16_t(GET(c, DRAIN_LO)), hi = int16_t(GET(c, DRAIN_HI));

		for (uint32_t t = 0; t < GET(c, DRAIN_STEPS); t++)
			for (int k = 0; k < K; k++) {
				const Buffer &p = m.cl[EIE_BUF_RBUF][k];
				size_t out = GET(c, DRAIN_OUT) + t * GET(c, DRAIN_STRIDE) + k;
				for (int i = 0; i < 8; i++) {
					uint32_t g = GET(c, DRAIN_PARAM) + 4 * t + i / 2;
					if (!p.written[g])
						return EIE_STATUS_UNWRITTEN;
					uint32_t bias = p.word(4 * g + i % 2 * 2), scale = p.word(4 * g + i % 2 * 2 + 1);
					int s = scale >> 16 & 255;
					if (s < 1 || s > EIE_SHIFT_MAX || scale >> 24)
						return EIE_STATUS_BAD_PARAM;
					int32_t &a = acc[GET(c, DRAIN_HALF)][k * R + 8 * t + i];
					int64_t v = int64_t(int32_t(uint32_t(a) + bias)) * int64_t(scale & 0xffff);
					v = (v + (int64_t(1) << (s - 1))) >> s;
					sats += (v > hi && hi == 32767) || (v < lo && lo == -32767);
					int16_t y = int16_t(std::min<int64_t>(std::max<int64_t>(v, lo), hi));
					memcpy(&m.abuf.data[out].b[2 * i], &y, 2);
					a = 0;
				}
				m.abuf.written[out] = true;
			}
		return 0;
	}

	Fault run(const std::vector<Cmd> &program)
	{
		for (size_t i = 0; i < program.size(); i++) {
			uint32_t op = GET(program[i], OPCODE);
			int s = op == EIE_OP_MAC ? mac(program[i]) : op == EIE_OP_DRAIN ? drain(program[i]) : 0;
			if (s)
				return Fault{s, int(i)};
		}
		return Fault{};
	}
};

struct Device {
	std::unique_ptr<Vtop> t{new Vtop};
	Buffer abuf{kDepth[EIE_BUF_ABUF]};
	uint64_t cycles = 0, macs = 0, sats = 0, engine = 0, mac_busy = 0;
	uint8_t epoch = 0;
	std::vector<int> done;          // SIGNAL bits in order of completion
	Fault fault;

	Device()
	{
		t->flush_i = t->epoch_i = t->epoch_new_i = t->scrub_i = t->clear_i = t->cmd_valid_i = t->buf_we_i = 0;
		t->rst_ni = 0;
		for (int i = 0; i < 3; i++)
			step();
		t->rst_ni = 1;
		t->scrub_i = 1;
		for (int i = 0; i < *std::max_element(kDepth, kDepth + 5); i++) {
			t->scrub_addr_i = i;
			step();
		}
		t->scrub_i = 0;
	}

	// Outputs seen now belong to this cycle; the edge follows, then the answers to them.
	void tick()
	{
		bool re = t->ab_re_o && t->rst_ni;
		uint32_t addr = t->ab_addr_o;

		if (!t->rst_ni) {
			t->clk_i = 1;
			t->eval();
			t->clk_i = 0;
			return;
		}
		macs += t->macs_o;
		sats += t->sats_o;
		engine += t->engine_active_o;
		mac_busy += t->mac_active_o;
		if (t->dr_we_o)
			for (int k = 0; k < K; k++) {
				memcpy(abuf.data.at(t->dr_addr_o + k).b, &t->dr_data_o[4 * k], 16);
				abuf.written[t->dr_addr_o + k] = true;
			}
		if (t->done_o)
			done.push_back(t->done_prev_o | t->done_next_o << 1);
		if (t->fault_o && !fault.status)
			fault = Fault{t->fault_status_o, int(t->fault_cmd_o)};
		t->clk_i = 1;
		t->eval();
		t->clk_i = 0;
		if (re) {
			memcpy(&t->ab_data_i[0], abuf.data.at(addr).b, 16);
			t->ab_written_i = abuf.written[addr];
		}
		cycles++;
	}
	void step()
	{
		tick();
		t->eval();
	}

	void write(int target, int cluster, const Buffer &b)
	{
		for (size_t i = 0; i < b.data.size(); i++) {
			if (!b.written[i])
				continue;
			t->buf_we_i = 1;
			t->buf_target_i = target;
			t->buf_cluster_i = cluster;
			t->buf_addr_i = i;
			memcpy(&t->buf_data_i[0], b.data[i].b, 16);
			step();
		}
		t->buf_we_i = 0;
	}

	void load(const Image &m)
	{
		epoch = epoch % 255 + 1;
		t->epoch_i = epoch;
		t->epoch_new_i = 1;
		t->clear_i = 1;
		step();
		t->epoch_new_i = 0;
		t->clear_i = 0;
		abuf = m.abuf;
		write(EIE_BUF_CBUF, 0, m.cbuf);
		for (int b : {EIE_BUF_WBUF, EIE_BUF_PBUF, EIE_BUF_RBUF})
			for (int k = 0; k < K; k++)
				write(b, k, m.cl[b][k]);
		while (t->clear_busy_o)
			step();
		macs = sats = engine = mac_busy = 0;
		done.clear();
		fault = Fault{};
	}

	void flush(int hold)
	{
		t->cmd_valid_i = 0;
		t->flush_i = 1;
		for (int i = 0; i < hold || !t->idle_o; i++) {
			step();
			if (i > 100000)
				break;
		}
		t->flush_i = 0;
		t->eval();
	}

	// Feeds the commands; gap(): cycles before the next is offered. False: it hung.
	bool run(const std::vector<Cmd> &program, const std::function<int()> &gap, uint64_t limit, uint64_t abort_at = ~0ull)
	{
		size_t next = 0;
		uint64_t end = cycles + limit, stop = abort_at == ~0ull ? abort_at : cycles + abort_at;
		int wait = gap();

		while (done.size() < program.size() && !fault.status && cycles < stop) {
			t->cmd_valid_i = next < program.size() && wait == 0;
			if (t->cmd_valid_i) {
				memcpy(&t->cmd_i[0], program[next].data(), 32);
				t->cmd_idx_i = next;
			} else if (wait) {
				wait--;
			}
			t->eval();
			bool taken = t->cmd_valid_i && t->cmd_ready_o;
			tick();
			if (taken) {
				next++;
				wait = gap();
			}
			if (cycles > end)
				return false;
		}
		t->cmd_valid_i = 0;
		t->eval();
		return true;
	}
};

// Random programs

struct Rng {
	std::mt19937_64 g;
	explicit Rng(uint64_t seed) : g(seed) {}
	int operator()(int n) { return int(g() % uint64_t(n)); }
	bool chance(int percent) { return (*this)(100) < percent; }
	int16_t value()
	{
		static const int16_t extreme[] = {-32768, 32767, 1, -1, -32767, 16384};
		return chance(20) ? extreme[(*this)(6)] : int16_t(g());
	}
};

void put(std::vector<uint8_t> &s, bool wide, int code, int skip)
{
	if (wide) {
		s.push_back(code);
		s.push_back(skip);
	} else {
		s.push_back(code | skip << 4);
	}
}

// The stream of one column; short escapes are used now and then where one long would do.
std::vector<uint8_t> encode(Rng &r, bool wide, const std::vector<int> &rows, bool chains)
{
	std::vector<uint8_t> s;
	int last = -1, span = wide ? 256 : 16, most = span;

	for (int row : rows) {
		int gap = row - last - 1;
		while (gap >= span) {
			int n = std::min(gap / span, most);
			if (chains && n > 1 && r.chance(50))
				n = 1 + r(n);
			put(s, wide, 0, n - 1);
			gap -= n * span;
		}
		put(s, wide, 1 + r(wide ? 255 : 15), gap);
		last = row;
	}
	return s;
}

struct Program {
	Image image;
	std::vector<Cmd> cmds;
};

enum Inject { kNone, kAbuf, kPbuf, kWbuf, kRbuf, kCbuf, kRow, kFarRow, kEscape, kBeyond, kShift0, kShift48, kReserved, kInjects };

struct Generator {
	Rng &r;
	Program p;
	Inject inject;
	int wtop = 0, ptop = 0, atop = 0, rtop = 0;
	bool once;                      // the fault has been placed

	Generator(Rng &rng, Inject i) : r(rng), inject(i), once(i == kNone) {}

	bool hit(Inject a, int percent) { return inject == a && !once && r.chance(percent) && (once = true); }

	static void poke(Buffer &b, size_t byte, const void *v, size_t n)
	{
		for (size_t i = 0; i < n; i++) {
			b.data[(byte + i) / 16].b[(byte + i) % 16] = static_cast<const uint8_t *>(v)[i];
			b.written[(byte + i) / 16] = true;
		}
	}

	int vector(int len, int density)
	{
		int at = atop;
		for (int j = 0; j < 8 * len; j++) {
			int16_t x = r.chance(density) ? r.value() : 0;
			poke(p.image.abuf, 16 * at + 2 * j, &x, 2);
		}
		atop += len;
		return at;
	}

	// One MAC on fresh weights; false when a buffer is full.
	bool mac(int half)
	{
		static const int densities[] = {0, 1, 5, 20, 50, 100};
		int len = 1 + r(r.chance(30) ? 12 : 4), wd = densities[r(6)], ad = densities[r(6)];
		bool wide = r.chance(40), chains = r.chance(30);
		int limit = kDepth[EIE_BUF_WBUF], rows = 1 + r(R), wend = wtop;

		if (ptop + 2 * len + 1 > kDepth[EIE_BUF_PBUF] || atop + len > kDepth[EIE_BUF_ABUF] / 2)
			return false;
		if (wtop + (len * 8 * rows * (wide ? 2 : 1) * (wd + 5) * 2 / 100 + 200) / 16 > limit)
			return false;
		Cmd c(8);
		int in = vector(len, ad), ptr = ptop + r(2);
		ptop = ptr + 2 * len;
		for (int k = 0; k < K; k++) {
			size_t byte = 16 * wtop;
			for (int j = 0; j < 8 * len; j++) {
				std::vector<int> rs;
				int x = p.image.abuf.value(8 * in + j);
				if (!r.chance(10))
					for (int i = 0; i < rows; i++)
						if (r.chance(wd))
							rs.push_back(i);
				std::vector<uint8_t> s = encode(r, wide, rs, chains);
				size_t unit = wide ? 2 : 1, entries = s.size() / unit;
				if (r.chance(30))
					byte += unit * r(20);
				if (x && hit(kRow, 10)) {
					put(s, wide, 0, (R / (wide ? 256 : 16)) & (wide ? 255 : 15));
					put(s, wide, 1, R % (wide ? 256 : 16));
				} else if (x && hit(kFarRow, 10)) {
					// far enough that a narrow row counter would wrap to a good row
					for (int n = 0; n < 300; n++)
						put(s, wide, 0, wide ? 255 : 15);
					put(s, wide, 1, 0);
				} else if (x && hit(kEscape, 10)) {
					put(s, wide, 0, 0);
				}
				entries = s.size() / unit;
				if (byte + s.size() > size_t(16 * limit))
					return false;
				uint32_t start = (byte - 16 * wtop) / unit;
				if (x && hit(kBeyond, 10)) {
					entries = entries ? entries : 1;
					start = (16 * (limit - wtop) / unit) - entries + 1;
				}
				uint32_t v = start | uint32_t(entries) << 20;
				poke(p.image.cl[EIE_BUF_PBUF][k], 16 * ptr + 4 * j, &v, 4);
				poke(p.image.cl[EIE_BUF_WBUF][k], byte, s.data(), s.size());
				if (x && entries && hit(kWbuf, 10))
					p.image.cl[EIE_BUF_WBUF][k].written[(byte + r(s.size())) / 16] = false;
				byte += s.size();
				// bytes between the streams are not part of any granule's promise, but written
				if (byte % 16)
					poke(p.image.cl[EIE_BUF_WBUF][k], byte, "", 1);
			}
			wend = std::max<int>(wend, (byte + 15) / 16);
			if (hit(kPbuf, 30))
				p.image.cl[EIE_BUF_PBUF][k].written[ptr + r(2 * len)] = false;
		}
		if (hit(kAbuf, 30))
			p.image.abuf.written[in + r(len)] = false;
		SET(c, OPCODE, EIE_OP_MAC);
		SET(c, MAC_HALF, half);
		SET(c, MAC_WIDE, wide);
		SET(c, MAC_IN, in);
		SET(c, MAC_LEN, len);
		SET(c, MAC_PTR, ptr);
		SET(c, MAC_WEIGHTS, wtop);
		SET(c, MAC_CODEBOOK, wide ? 32 * r(2) : 2 * r(32));
		if (hit(kCbuf, 30))
			p.image.cbuf.written[GET(c, MAC_CODEBOOK) + r(wide ? 32 : 2)] = false;
		p.cmds.push_back(c);
		wtop = wend;
		return true;
	}

	bool drain(int half)
	{
		int steps = r.chance(50) ? R / 8 : 1 + r(R / 8), stride = K * (1 + r(2));
		int out = (std::max(atop, kDepth[EIE_BUF_ABUF] / 2) + K - 1) / K * K, param = rtop + r(4);
		static const int16_t bounds[] = {-32767, 32767, 0, 100, -100, 6000};
		int16_t lo = bounds[r(6)], hi = bounds[r(6)];
		Cmd c(8);

		if (param + 4 * steps > kDepth[EIE_BUF_RBUF]) {
			param = 0;
			if (inject != kNone)
				return false;
		}
		if (out + stride * steps > kDepth[EIE_BUF_ABUF])
			return false;
		if (lo > hi)
			std::swap(lo, hi);
		for (int k = 0; k < K; k++)
			for (int i = 0; i < 8 * steps; i++) {
				int s = 1 + r(r.chance(50) ? 20 : 47);
				uint32_t m = r.chance(20) ? 65535 : r(65536);
				if (hit(kShift0, 5))
					s = 0;
				if (hit(kShift48, 5))
					s = 48 + r(208);
				if (hit(kReserved, 5))
					s |= (1 + r(255)) << 8;
				uint32_t v[2] = {r.chance(50) ? uint32_t(r.g()) : uint32_t(r(1000)), m | uint32_t(s) << 16};
				poke(p.image.cl[EIE_BUF_RBUF][k], 16 * param + 8 * i, v, 8);
			}
		if (hit(kRbuf, 30))
			p.image.cl[EIE_BUF_RBUF][r(K)].written[param + r(4 * steps)] = false;
		rtop = (param + 4 * steps) % kDepth[EIE_BUF_RBUF];
		SET(c, OPCODE, EIE_OP_DRAIN);
		SET(c, DRAIN_HALF, half);
		SET(c, DRAIN_OUT, out);
		SET(c, DRAIN_STRIDE, stride);
		SET(c, DRAIN_STEPS, steps);
		SET(c, DRAIN_PARAM, param);
		SET(c, DRAIN_LO, uint16_t(lo));
		SET(c, DRAIN_HI, uint16_t(hi));
		p.cmds.push_back(c);
		atop = out + stride * steps;
		return true;
	}

	// The MAC before again, on the vector a DRAIN made if there is room for it in it.
	void again(int half)
	{
		for (size_t i = p.cmds.size(); i-- > 0;)
			if (GET(p.cmds[i], OPCODE) == EIE_OP_MAC) {
				Cmd c = p.cmds[i];
				c[EIE_CMD_MAC_HALF_DW] &= ~(EIE_CMD_MAC_HALF_MASK << EIE_CMD_MAC_HALF_SHIFT);
				SET(c, MAC_HALF, half);
				for (const Cmd &d : p.cmds)
					if (GET(d, OPCODE) == EIE_OP_DRAIN && GET(d, DRAIN_STRIDE) == uint32_t(K) &&
					    GET(d, DRAIN_STEPS) * K >= GET(c, MAC_LEN)) {
						c[EIE_CMD_MAC_IN_DW] = 0;
						SET(c, MAC_IN, GET(d, DRAIN_OUT));
						c[EIE_CMD_FENCE_DW] |= EIE_CMD_FENCE_MASK << EIE_CMD_FENCE_SHIFT;
						break;
					}
				p.cmds.push_back(c);
				return;
			}
	}

	Program make()
	{
		int n = 1 + r(10), half = r(2);

		for (int i = 0; i < 8 * EIE_CBUF_GRANULES; i++) {
			int16_t w = r.value();
			poke(p.image.cbuf, 2 * i, &w, 2);
		}
		for (int i = 0; i < n; i++) {
			int macs = r(4);
			for (int j = 0; j < macs; j++)
				mac(half);
			if (inject == kNone && r.chance(20))
				again(half);
			if (r.chance(10))
				p.cmds.push_back(Cmd{EIE_OP_SYNC, 0, 0, 0, 0, 0, 0, 0});
			if (r.chance(85))
				drain(half);
			half ^= r.chance(80);
		}
		drain(half);
		drain(half ^ 1);
		if (p.cmds.empty())
			p.cmds.push_back(Cmd{EIE_OP_SYNC, 0, 0, 0, 0, 0, 0, 0});
		for (Cmd &c : p.cmds) {
			if (r.chance(10))
				c[EIE_CMD_FENCE_DW] |= EIE_CMD_FENCE_MASK << EIE_CMD_FENCE_SHIFT;
			SET(c, SIGNAL_PREV, r(2));
			SET(c, SIGNAL_NEXT, r(2));
		}
		return p;
	}
};

int failures;

bool check(bool ok, uint64_t seed, const char *what)
{
	if (!ok) {
		printf("not ok seed %llu: %s\n", (unsigned long long)seed, what);
		failures++;
	}
	return ok;
}

void random_test(Device &d, uint64_t seed, unsigned (&seen)[kInjects])
{
	Rng r(seed);
	Inject inject = r.chance(40) ? Inject(1 + r(kInjects - 1)) : kNone;
	bool abort = inject == kNone && r.chance(15);
	int slow = r.chance(30) ? 1 + r(200) : 1;
	Program p = Generator(r, inject).make();
	Model m(p.image);
	Fault expect = m.run(p.cmds);

	d.load(p.image);
	bool ended = d.run(p.cmds, [&] { return r(slow); }, 400000, abort ? r(2000) : ~0ull);
	if (!check(ended, seed, "hangs")) {
		d.flush(1);
		return;
	}
	if (abort) {
		d.flush(1 + r(10));
		return;
	}
	if (d.fault.status != expect.status || d.fault.index != expect.index) {
		printf("# got status %d command %d, want %d command %d (inject %d)\n", d.fault.status, d.fault.index,
		       expect.status, expect.index, inject);
		check(false, seed, "fault");
	}
	if (expect.status) {
		seen[inject]++;
		for (int i = r(20); i > 0; i--)
			d.step();
		d.flush(1 + r(10));
		return;
	}
	check(d.t->idle_o || (d.step(), d.t->idle_o), seed, "not idle after the last command");
	bool same = true, signals = true;
	for (size_t i = 0; i < d.abuf.data.size(); i++)
		same = same && d.abuf.written[i] == m.m.abuf.written[i] && (!m.m.abuf.written[i] ||
		       !memcmp(d.abuf.data[i].b, m.m.abuf.data[i].b, 16));
	for (size_t i = 0; i < p.cmds.size(); i++)
		signals = signals && d.done[i] == int(GET(p.cmds[i], SIGNAL_PREV) | GET(p.cmds[i], SIGNAL_NEXT) << 1);
	check(same, seed, "ABUF differs");
	check(signals, seed, "signals differ");
	check(d.macs == m.macs, seed, "count of multiplications differs");
	check(d.sats == m.sats, seed, "count of saturated outputs differs");
}

// Layers of the EIE paper

struct Layer {
	const char *name;
	int in, out;
	double weights, acts;
};

const Layer kLayers[] = {
	{"Alex-6", 9216, 4096, .09, .351}, {"Alex-7", 4096, 4096, .09, .353}, {"Alex-8", 4096, 1000, .25, .375},
	{"VGG-6", 25088, 4096, .04, .183}, {"VGG-7", 4096, 4096, .04, .375},  {"VGG-8", 4096, 1000, .23, .411},
	{"NT-We", 4096, 600, .10, 1.0},    {"NT-Wd", 600, 8791, .11, 1.0},    {"NT-LSTM", 1201, 2400, .10, 1.0},
};

double user_time()
{
	rusage u;
	getrusage(RUSAGE_SELF, &u);
	return u.ru_utime.tv_sec + u.ru_utime.tv_usec * 1e-6;
}

// Rows go to the clusters by longest processing time; a layer with more rows than the array holds runs in
// tiles on alternating halves, one with more weights than the buffers hold in several jobs.
void bench_layer(Device &d, const Layer &l, bool wide)
{
	Rng r(7);
	std::vector<std::vector<int>> cols(l.in);
	std::vector<int> work(l.out);
	std::uniform_real_distribution<double> u(0, 1);
	for (auto &c : cols)
		for (int i = 0; i < l.out; i++)
			if (u(r.g) < l.weights) {
				c.push_back(i);
				work[i]++;
			}
	std::vector<int16_t> x(l.in);
	for (auto &v : x)
		if (u(r.g) < l.acts)
			v = 1 + r(1000);
	int tiles = (l.out + K * R - 1) / (K * R), per = (l.out + tiles - 1) / tiles;
	std::vector<int> where(l.out), cluster(l.out), local(l.out), order(l.out);
	std::iota(order.begin(), order.end(), 0);
	std::stable_sort(order.begin(), order.end(), [&](int a, int b) { return work[a] > work[b]; });
	std::vector<long> load(K * tiles);
	std::vector<int> count(K * tiles);
	int cap = std::min(R, (per + K - 1) / K + 2);
	for (int i : order) {
		int best = -1;
		for (int b = 0; b < K * tiles; b++)
			if (count[b] < cap && (best < 0 || load[b] < load[best]))
				best = b;
		where[i] = best / K;
		cluster[i] = best % K;
		local[i] = count[best]++;
		load[best] += work[i];
	}
	uint64_t engine = 0, ideal = 0, cycles = 0;
	double seconds = 0;
	for (int first = 0; first < l.in;) {
		Program p;
		int16_t w[512];
		for (int i = 0; i < 512; i++)
			w[i] = r.value();
		Generator::poke(p.image.cbuf, 0, w, sizeof w);
		// as many columns as fit, all tiles of them
		std::vector<size_t> byte(K);
		std::vector<std::vector<std::vector<uint32_t>>> ptr(tiles, std::vector<std::vector<uint32_t>>(K));
		std::vector<std::vector<std::vector<uint8_t>>> stream(tiles, std::vector<std::vector<uint8_t>>(K));
		int last = first;
		for (; last < l.in; last++) {
			size_t most = 0;
			std::vector<std::vector<std::vector<int>>> rows(tiles, std::vector<std::vector<int>>(K));
			for (int i : cols[last])
				rows[where[i]][cluster[i]].push_back(local[i]);
			for (int t = 0; t < tiles; t++)
				for (int k = 0; k < K; k++) {
					std::sort(rows[t][k].begin(), rows[t][k].end());
					std::vector<uint8_t> s = encode(r, wide, rows[t][k], false);
					std::vector<uint8_t> &all = stream[t][k];
					ptr[t][k].push_back(all.size() / (wide ? 2 : 1) | uint32_t(s.size() / (wide ? 2 : 1)) << 20);
					all.insert(all.end(), s.begin(), s.end());
				}
			for (int k = 0; k < K; k++) {
				size_t sum = 0;
				for (int t = 0; t < tiles; t++)
					sum += (stream[t][k].size() + 15) / 16;
				most = std::max(most, sum);
			}
			if (last % 8 == 7 && (most > size_t(kDepth[EIE_BUF_WBUF]) * 95 / 100 ||
			                      (last - first + 9) / 4 * tiles > kDepth[EIE_BUF_PBUF] - 8)) {
				last++;
				break;
			}
		}
		int len = (last - first + 7) / 8, wtop = 0;
		Generator::poke(p.image.abuf, 16 * len - 16, "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 16);
		Generator::poke(p.image.abuf, 0, &x[first], 2 * (last - first));
		for (int t = 0; t < tiles; t++) {
			Cmd c(8);
			int most = 0;
			for (int k = 0; k < K; k++) {
				std::vector<uint32_t> &q = ptr[t][k];
				q.resize(8 * len);
				Generator::poke(p.image.cl[EIE_BUF_PBUF][k], 16 * 2 * len * t, q.data(), 4 * q.size());
				Generator::poke(p.image.cl[EIE_BUF_WBUF][k], 16 * wtop, stream[t][k].data(), stream[t][k].size());
				most = std::max<int>(most, (stream[t][k].size() + 15) / 16);
			}
			SET(c, OPCODE, EIE_OP_MAC);
			SET(c, MAC_HALF, t & 1);
			SET(c, MAC_WIDE, wide);
			SET(c, MAC_IN, 0);
			SET(c, MAC_LEN, len);
			SET(c, MAC_PTR, 2 * len * t);
			SET(c, MAC_WEIGHTS, wtop);
			SET(c, MAC_CODEBOOK, 0);
			p.cmds.push_back(c);
			wtop += most;
			Cmd e(8);
			int steps = (cap + 7) / 8;
			for (int k = 0; k < K && t == 0; k++)
				for (int i = 0; i < 8 * steps; i++) {
					uint32_t v[2] = {uint32_t(r(1000)), uint32_t(r(65536)) | 16u << 16};
					Generator::poke(p.image.cl[EIE_BUF_RBUF][k], 8 * i, v, 8);
				}
			SET(e, OPCODE, EIE_OP_DRAIN);
			SET(e, DRAIN_HALF, t & 1);
			SET(e, DRAIN_OUT, (len + K) / K * K + t * steps * K);
			SET(e, DRAIN_STRIDE, K);
			SET(e, DRAIN_STEPS, steps);
			SET(e, DRAIN_PARAM, 0);
			SET(e, DRAIN_LO, uint16_t(-32767));
			SET(e, DRAIN_HI, 32767);
			p.cmds.push_back(e);
		}
		Model m(p.image);
		check(m.run(p.cmds).status == 0, 0, "the model refuses the layer");
		d.load(p.image);
		check(d.run(p.cmds, [] { return 0; }, 100000000), 0, "hangs");
		engine += d.engine;
		ideal += (m.macs + K * L - 1) / (K * L);
		bool same = d.fault.status == 0 && d.macs == m.macs && d.sats == m.sats;
		for (size_t i = 0; i < d.abuf.data.size(); i++)
			same = same && (!m.m.abuf.written[i] || !memcmp(d.abuf.data[i].b, m.m.abuf.data[i].b, 16));
		check(same, 0, l.name);
		first = last;
		// again and again, for the speed of simulation
		uint64_t c0 = d.cycles;
		double t0 = user_time();
		while (user_time() - t0 < 0.5) {
			d.done.clear();
			check(d.run(p.cmds, [] { return 0; }, 100000000), 0, "hangs");
		}
		seconds += user_time() - t0;
		cycles += d.cycles - c0;
	}
	printf("%-8s %s  engine %llu  ideal %llu  ratio %.4f  simulated %.3f M cycles/s\n", l.name, wide ? "8-bit" : "4-bit",
	       (unsigned long long)engine, (unsigned long long)ideal, double(engine) / double(ideal), double(cycles) / seconds * 1e-6);
	fflush(stdout);
}

} // namespace

double sc_time_stamp() { return 0; }

int main(int argc, char **argv)
{
	Verilated::commandArgs(argc, argv);
	Device d;
	bool bench = argc > 1 && !strcmp(argv[1], "bench");

	if (bench) {
		for (const Layer &l : kLayers)
			if (argc < 3 || !strcmp(argv[2], l.name))
				for (int wide = 0; wide < (argc > 3 ? 2 : 1); wide++)
					bench_layer(d, l, wide);
	} else {
		int seeds = argc > 1 ? atoi(argv[1]) : 1500;
		unsigned long long first = argc > 2 ? strtoull(argv[2], nullptr, 0) : 1;
		unsigned seen[kInjects] = {};
		for (int i = 0; i < seeds && failures < 10; i++)
			random_test(d, first + i, seen);
		if (seeds >= 1500)
			for (int i = 1; i < kInjects; i++)
				check(seen[i] > 0, i, "a kind of fault was never seen");
		if (!failures)
			printf("ok array_%dx%d: %d random programs, %llu cycles\n", K, L, seeds, (unsigned long long)d.cycles);
	}
	d.t->final();
	return failures != 0;
}
