// SPDX-License-Identifier: GPL-2.0 OR MIT
//
// Bench of eie_array: random programs against a model that walks the buffers as the programmer's guide
// says, with a fake ABUF and command feed.
//   tb_array [SEEDS [FIRST]]    random programs, with faults and aborts; every output is compared
//   tb_array bench [LAYER]      layers of the EIE paper: engine cycles over ideal, simulated cycles a second
// Build with TB_* as eie_array's parameters (-DTB_LANES=8 beside -GLanes=8).

#include <sys/resource.h>

#include <cstdio>
#include <cstdlib>
#include <numeric>

#include "tb_array_gen.h"

namespace {

using namespace tb;

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
