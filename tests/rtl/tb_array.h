// SPDX-License-Identifier: GPL-2.0 OR MIT
//
// Bench of eie_array: the model, which walks the buffers as the programmer's guide says, and the device, which
// is the Verilated array with a fake ABUF and command feed. TB_* are eie_array's parameters.
#ifndef EIE_TB_ARRAY_H
#define EIE_TB_ARRAY_H

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <functional>
#include <memory>
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

namespace tb {

constexpr int K = TB_CLUSTERS, L = TB_LANES, R = TB_ROWS;
constexpr int kDepth[5] = {TB_ABUF, TB_WBUF, TB_PBUF, TB_RBUF, EIE_CBUF_GRANULES};

struct Granule {
	uint8_t b[16];
};

using Cmd = std::vector<uint32_t>;

inline uint32_t get(const Cmd &c, int dw, int shift, uint32_t mask) { return c[dw] >> shift & mask; }
inline void set(Cmd &c, int dw, int shift, uint32_t v) { c[dw] |= v << shift; }
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
		t->eval(); // gates take their enables while the clock is low
		macs += t->macs_o;
		sats += t->sats_o;
		engine += t->engine_active_o;
		mac_busy += t->mac_active_o;
		if (t->dr_we_o)
			for (int k = 0; k < K; k++) {
				uint8_t *b = abuf.data.at(t->dr_addr_o + k).b;

				memcpy(b, &t->dr_data_o[4 * k], 16);
				for (int i = 0; i < 8; i++)
					if (!(t->dr_pixels_o >> i & 1))
						b[2 * i] = b[2 * i + 1] = 0;
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

} // namespace tb

#endif
