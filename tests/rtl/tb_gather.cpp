// SPDX-License-Identifier: GPL-2.0 OR MIT
//
// Unit test of eie_gather, with TB_CLUSTERS clusters: random geometries against the definition of docs/vector_mode.md, column by column;
// the clusters hold it up, granules are unwritten, jobs are flushed. And how many cycles it takes, where nothing holds it up.
// Prints "ok NAME" or "not ok NAME" for each test.

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <vector>

#include <eie_hw.h>

#include "Vtop.h"
#include "verilated.h"

typedef uint64_t u64;
typedef uint32_t u32;

static const u32 K = TB_CLUSTERS, kGranules = 1 << 18;
static bool failed;

#define CHECK(c) do { if (!(c)) { printf("# %s:%d: %s\n", __FILE__, __LINE__, #c); failed = true; } } while (0)

static u32 seed;
static u32 rnd() { seed ^= seed << 13; seed ^= seed >> 17; seed ^= seed << 5; return seed; }
static u32 pick(u32 lo, u32 hi) { return lo + rnd() % (hi - lo + 1); }

struct Geometry {
	u32 channels, width, height, origin, kx, ky, sx, sy, dx, dy, px, py, out_x, first_x, first_y, groups, tail, rows, plane, in, ptr;
};

struct Column {
	int16_t pixel[8];
	u32 ptr, word;
};

struct Bench {
	VerilatedContext ctx;
	Vtop d{&ctx};
	std::vector<int16_t> abuf = std::vector<int16_t>(kGranules * 8);
	std::vector<bool> written = std::vector<bool>(kGranules, true);
	std::vector<Column> got;
	u64 cycles = 0;
	u32 lost = 0, hold = 0;       // unwritten granules reported; percent of cycles that are held up

	void tick()
	{
		// what the read of this cycle will bring
		d.eval();
		bool re = d.ab_re_o;
		u32 addr = d.ab_addr_o;
		d.clk_i = 1;
		d.eval();
		if (re) {
			CHECK(addr < kGranules);
			for (int i = 0; i < 4; i++)
				d.ab_data_i[i] = u32(uint16_t(abuf[addr * 8 + 2 * i])) | u32(uint16_t(abuf[addr * 8 + 2 * i + 1])) << 16;
			d.ab_written_i = written[addr];
		} else {
			for (int i = 0; i < 4; i++)
				d.ab_data_i[i] = rnd();
			d.ab_written_i = 0;
		}
		d.hold_i = pick(0, 99) < hold;
		d.clk_i = 0;
		d.eval();
		cycles++;
		lost += d.unwritten_o;
		if (d.col_valid_o) {
			Column c;
			for (int i = 0; i < 8; i++)
				c.pixel[i] = int16_t(d.col_pixels_o[i / 2] >> (16 * (i % 2)));
			c.ptr = d.col_ptr_o;
			c.word = d.col_word_o;
			got.push_back(c);
		}
	}

	void reset()
	{
		d.clk_i = d.rst_ni = d.flush_i = d.start_i = 0;
		d.eval();
		for (int i = 0; i < 3; i++)
			tick();
		d.rst_ni = 1;
		tick();
	}

	void put(int dw, int shift, u32 value) { d.cmd_i[dw] |= value << shift; }

	void start(const Geometry &g)
	{
		for (int i = 0; i < 8; i++)
			d.cmd_i[i] = 0;
#define F(name, value) put(EIE_CMD_VMAC_##name##_DW, EIE_CMD_VMAC_##name##_SHIFT, value)
		F(ORIGIN, g.origin); F(IN, g.in); F(KERNEL_Y, g.ky); F(KERNEL_X, g.kx); F(PTR, g.ptr); F(PLANE, g.plane);
		F(CHANNELS, g.channels); F(IN_X, g.width); F(IN_Y, g.height); F(STRIDE_X, g.sx); F(STRIDE_Y, g.sy); F(OUT_X, g.out_x);
		F(ROWS, g.rows); F(DILATE_X, g.dx); F(DILATE_Y, g.dy); F(FIRST_X, g.first_x); F(FIRST_Y, g.first_y); F(PAD_X, g.px);
		F(PAD_Y, g.py); F(GROUPS, g.groups); F(TAIL, g.tail);
		got.clear();
		lost = 0;
		d.start_i = 1;
		d.tag_i = rnd() & 1;
		tick();
		d.start_i = 0;
		for (int i = 0; i < 8; i++)
			d.cmd_i[i] = rnd();   // it must not be looked at any more
	}

	void finish()
	{
		for (u32 i = 0; d.busy_o || d.col_valid_o; i++) {
			tick();
			if (i > 3000000) {
				printf("# it does not end\n");
				failed = true;
				return;
			}
		}
		for (int i = 0; i < 4; i++)
			tick();
	}

	// Granule of ABUF and value in it of a pixel.
	u32 place(const Geometry &g, u32 ch, u32 x, u32 y, u32 *value) const
	{
		u32 p = g.origin + y * g.width + x;
		*value = p % 8;
		return g.in + ch / K * g.plane * K + p / 8 * K + ch % K;
	}

	// What must come, and whether an unwritten granule is among what is read.
	std::vector<Column> expect(const Geometry &g, bool *unwritten) const
	{
		std::vector<Column> want;
		u32 words = (g.rows + 7) / 8;
		*unwritten = false;
		for (u32 group = 0; group < g.groups; group++) {
			for (u32 j = 0; j < g.channels * g.ky * g.kx; j++) {
				Column c = {};
				bool any = false;
				for (u32 l = 0; l < 8; l++) {
					u32 n = g.first_y * g.out_x + g.first_x + 8 * group + l, value;
					int x = int(n % g.out_x * g.sx) - int(g.px) + int(j % g.kx * g.dx);
					int y = int(n / g.out_x * g.sy) - int(g.py) + int(j / g.kx % g.ky * g.dy);
					if (x < 0 || y < 0 || x >= int(g.width) || y >= int(g.height) || (group == g.groups - 1 && g.tail && l >= g.tail))
						continue;
					u32 granule = place(g, j / (g.kx * g.ky), u32(x), u32(y), &value);
					*unwritten |= !written[granule];
					c.pixel[l] = abuf[granule * 8 + value];
					any |= c.pixel[l] != 0;
				}
				c.ptr = g.ptr * 4 + j;
				c.word = group * words;
				if (any)
					want.push_back(c);
			}
		}
		return want;
	}

	Geometry random_geometry(u32 zeros)
	{
		Geometry g;
		for (;;) {
			g.channels = pick(1, 3 * K);
			g.width = pick(1, 40);
			g.height = pick(1, 12);
			g.origin = pick(0, 7);
			g.kx = pick(1, rnd() % 4 ? 5 : 15);
			g.ky = pick(1, rnd() % 4 ? 5 : 15);
			g.sx = pick(1, rnd() % 4 ? 4 : 15);
			g.sy = pick(1, rnd() % 4 ? 3 : 15);
			g.dx = pick(1, rnd() % 4 ? 3 : 15);
			g.dy = pick(1, rnd() % 4 ? 3 : 15);
			g.px = pick(0, rnd() % 8 ? 6 : 255);
			g.py = pick(0, rnd() % 8 ? 6 : 255);
			g.out_x = pick(0, 3) ? (g.width + 2 * g.px + g.sx - 1) / g.sx : pick(1, 60);
			g.first_x = pick(0, g.out_x - 1);
			g.first_y = pick(0, (g.height + 2 * g.py + g.sy - 1) / g.sy);
			g.rows = pick(1, 20);
			g.groups = pick(1, 8 / ((g.rows + 7) / 8));
			g.tail = pick(0, 7);
			g.plane = (g.origin + g.width * g.height + 7) / 8 + pick(0, 2);
			g.in = pick(0, 20) * K;
			g.ptr = pick(0, 20);
			if (g.ptr + (g.channels * g.kx * g.ky + 3) / 4 <= 256)
				break;
		}
		for (u32 i = 0; i < (g.in + (g.channels + K - 1) / K * K * g.plane) * 8; i++)
			abuf[i] = pick(0, 99) < zeros ? 0 : int16_t(rnd());
		return g;
	}

	void compare(const std::vector<Column> &want)
	{
		CHECK(got.size() == want.size());
		for (size_t i = 0; i < want.size() && i < got.size(); i++) {
			bool same = !memcmp(got[i].pixel, want[i].pixel, sizeof(want[i].pixel)) && got[i].ptr == want[i].ptr &&
				    got[i].word == want[i].word;
			if (!same) {
				printf("# column %zu of %zu: pointer %u, want %u; word %u, want %u\n", i, want.size(), got[i].ptr, want[i].ptr,
				       got[i].word, want[i].word);
				failed = true;
				return;
			}
		}
	}
};

static void test_random(Bench &b)
{
	u64 columns = 0;
	for (int n = 0; n < 6000 && !failed; n++) {
		Geometry g = b.random_geometry(pick(0, 1) ? pick(0, 100) : 95);
		bool unwritten;
		b.hold = rnd() % 3 ? pick(0, 90) : 0;
		b.start(g);
		b.finish();
		std::vector<Column> want = b.expect(g, &unwritten);
		b.compare(want);
		CHECK(!b.lost);
		columns += want.size();
	}
	CHECK(columns > 60000);
}

// A granule that no window reads may be unwritten; one that a window reads is told.
static void test_unwritten(Bench &b)
{
	u32 told = 0, quiet = 0;
	for (int n = 0; n < 400 && !failed; n++) {
		Geometry g = b.random_geometry(50);
		bool unwritten;
		u32 end = g.in + (g.channels + K - 1) / K * K * g.plane;
		std::fill(b.written.begin(), b.written.end(), false);
		for (u32 i = g.in; i < end; i++)
			b.written[i] = rnd() % 50 != 0;
		b.hold = 20;
		b.start(g);
		b.finish();
		b.expect(g, &unwritten);
		CHECK(unwritten == (b.lost != 0));
		told += unwritten;
		quiet += !unwritten;
	}
	std::fill(b.written.begin(), b.written.end(), true);
	CHECK(told > 50 && quiet > 20);
}

// Flushed at any time, it is idle in the next cycle, says nothing more, and the next command is not touched by it.
static void test_flush(Bench &b)
{
	for (int n = 0; n < 400 && !failed; n++) {
		Geometry g = b.random_geometry(30);
		bool unwritten;
		b.hold = 30;
		b.start(g);
		for (u32 i = pick(0, 80); i && b.d.busy_o; i--)
			b.tick();
		b.d.flush_i = 1;
		b.tick();
		b.got.clear();
		b.lost = 0;
		CHECK(!b.d.busy_o);
		for (u32 i = pick(1, 3); i; i--)
			b.tick();
		CHECK(b.got.empty() && !b.lost);
		b.d.flush_i = 0;
		g = b.random_geometry(30);
		b.start(g);
		b.finish();
		b.compare(b.expect(g, &unwritten));
	}
}

// A column a cycle (20 cycles pass before the first of a command): what one needs more than one granule of is read before, as long as columns need no more than one on average.
static void test_cycles(Bench &b)
{
	static const struct {
		const char *name;
		u32 channels, size, kernel, stride, pad;
		double most;              // cycles a column
	} layers[] = {
		{ "1x1, 55x55", 64, 55, 1, 1, 0, 1.05 }, { "1x1, 13x13", 64, 13, 1, 1, 0, 1.05 },
		{ "3x3, 55x55", 16, 55, 3, 1, 1, 1.02 }, { "3x3, 27x27", 16, 27, 3, 1, 1, 1.02 }, { "3x3, 13x13", 16, 13, 3, 1, 1, 1.02 },
		{ "3x3/2, 55x55", 3, 55, 3, 2, 0, 1.16 }, { "11x11/4, 27x27", 3, 27, 11, 4, 0, 1.46 },
	};
	for (const auto &l : layers) {
		u32 width = (l.size - 1) * l.stride + l.kernel - 2 * l.pad, groups = 8;
		u32 plane = (width * width + 7) / 8, first = l.size * l.size / 3 / 8 * 8;
		Geometry g = { l.channels, width, width, 0, l.kernel, l.kernel, l.stride, l.stride, 1, 1, l.pad, l.pad, l.size, first % l.size,
			       first / l.size, groups, 0, 8, plane, 0, 0 };
		for (auto &a : b.abuf)
			a = 1;
		b.hold = 0;
		u64 before = b.cycles;
		b.start(g);
		b.finish();
		double each = double(b.cycles - before) / (groups * l.channels * l.kernel * l.kernel);
		printf("# %s: %.3f cycles a column\n", l.name, each);
		CHECK(each <= l.most);
	}
}

int main(int argc, char **argv)
{
	static const struct {
		const char *name;
		void (*test)(Bench &);
	} tests[] = { { "random", test_random }, { "unwritten", test_unwritten }, { "flush", test_flush }, { "cycles", test_cycles } };
	int bad = 0;

	Verilated::commandArgs(argc, argv);
	seed = 2463534242u;
	for (const auto &t : tests) {
		Bench *b = new Bench;
		failed = false;
		b->reset();
		t.test(*b);
		printf("%s %s\n", failed ? "not ok" : "ok", t.name);
		bad += failed;
		delete b;
	}
	return bad ? 1 : 0;
}
