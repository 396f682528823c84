// SPDX-License-Identifier: GPL-2.0 OR MIT
//
// Bench of eie_array: random programs, whole or with one fault in them.
#ifndef EIE_TB_ARRAY_GEN_H
#define EIE_TB_ARRAY_GEN_H

#include <random>

#include "tb_array.h"

namespace tb {

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

inline void put(std::vector<uint8_t> &s, bool wide, int code, int skip)
{
	if (wide) {
		s.push_back(code);
		s.push_back(skip);
	} else {
		s.push_back(code | skip << 4);
	}
}

// The stream of one column; short escapes are used now and then where one long would do.
inline std::vector<uint8_t> encode(Rng &r, bool wide, const std::vector<int> &rows, bool chains)
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
					put(s, wide, 0, 0);
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

} // namespace tb

#endif
