// SPDX-License-Identifier: GPL-2.0 OR MIT
// The AXI memory alone, driven by a small master: order, latency, strobes, errors, and that broken rules are seen.
#include <csetjmp>
#include <cstdarg>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <vector>
extern "C" {
#include <cmocka.h>
}

#include "axi_mem.hpp"

using eie::AxiAddr;
using eie::AxiMaster;
using eie::MaxBeatBytes;

namespace {

constexpr uint64_t MemBytes = 1 << 16; // addresses from here on answer with an error
constexpr unsigned int Patience = 20000;

struct Call {
	bool write;
	uint64_t addr;
	size_t len;
};

struct Beat {
	uint64_t cycle;
	uint8_t id, resp, first;
	bool last;
	uint8_t upper; // byte 16 of a beat that has one
};

struct Bench {
	explicit Bench(eie_sim_params params = {}, unsigned int width = 16)
		: beat(width), size(width == 8 ? 3 : width == 16 ? 4 : 5), mem(params, { read, write, nullptr }, this, width)
	{
		bytes.resize(MemBytes);
		for (size_t i = 0; i < MemBytes; i++)
			bytes[i] = uint8_t(i / 16);
		m.r_ready = m.b_ready = true;
	}

	static int read(void *ctx, uint64_t addr, void *buf, size_t len)
	{
		Bench &b = *static_cast<Bench *>(ctx);

		b.calls.push_back({ false, addr, len });
		if (addr + len > MemBytes)
			return -1;
		memcpy(buf, &b.bytes[addr], len);
		return 0;
	}

	static int write(void *ctx, uint64_t addr, const void *buf, size_t len)
	{
		Bench &b = *static_cast<Bench *>(ctx);

		b.calls.push_back({ true, addr, len });
		if (addr + len > MemBytes)
			return -1;
		memcpy(&b.bytes[addr], buf, len);
		return 0;
	}

	void step()
	{
		if (mem.out.r_valid && m.r_ready)
			beats.push_back({ cycle, mem.out.r_id, mem.out.r_resp, mem.out.r_data[0], mem.out.r_last,
					  mem.out.r_data[beat / 2] });
		if (mem.out.b_valid && m.b_ready)
			resps.push_back({ cycle, mem.out.b_id, mem.out.b_resp, 0, true, 0 });
		mem.step(m);
		cycle++;
	}

	// Offers an address until it is taken; returns the cycle in which it was.
	uint64_t address(AxiAddr &channel, const bool &ready, uint8_t id, uint64_t addr, unsigned int beats_)
	{
		channel = { true, id, uint8_t(beats_ - 1), size, 1, addr };
		for (bool taken = false; !taken; step())
			taken = ready;
		channel.valid = false;
		return cycle - 1;
	}

	uint64_t ar(uint8_t id, uint64_t addr, unsigned int n) { return address(m.ar, mem.out.ar_ready, id, addr, n); }
	uint64_t aw(uint8_t id, uint64_t addr, unsigned int n) { return address(m.aw, mem.out.aw_ready, id, addr, n); }

	void w(uint8_t value, uint32_t strb, bool last)
	{
		memset(data, value, sizeof(data));
		m.w_data = data;
		m.w_strb = strb;
		m.w_last = last;
		m.w_valid = true;
		for (bool taken = false; !taken; step())
			taken = mem.out.w_ready;
		m.w_valid = false;
	}

	void wait(size_t n_beats, size_t n_resps)
	{
		for (unsigned int i = 0; i < Patience && (beats.size() < n_beats || resps.size() < n_resps); i++)
			step();
		assert_int_equal(beats.size(), n_beats);
		assert_int_equal(resps.size(), n_resps);
	}

	const unsigned int beat;
	uint8_t size; // of the next address
	std::vector<uint8_t> bytes;
	std::vector<Call> calls;
	std::vector<Beat> beats, resps;
	uint64_t cycle = 0;
	uint8_t data[MaxBeatBytes] = {};
	AxiMaster m = {};
	eie::AxiMem mem;
};

eie_sim_params noisy(uint64_t seed)
{
	eie_sim_params p = {};

	p.seed = seed;
	p.stall_permille = 300;
	p.jitter = 100;
	return p;
}

void test_latency_and_rate(void **)
{
	eie_sim_params p = {};

	p.latency = 10;
	Bench b(p);
	uint64_t taken = b.ar(3, 0x100, 16);

	for (unsigned int i = 1; i < 4; i++)
		b.ar(3, 0x100 + 0x100 * i, 16);
	b.wait(64, 0);
	for (unsigned int i = 0; i < 64; i++) {
		assert_int_equal(b.beats[i].cycle, taken + 10 + i);
		assert_int_equal(b.beats[i].first, 0x10 + i);
		assert_int_equal(b.beats[i].last, i % 16 == 15);
		assert_int_equal(b.beats[i].id, 3);
		assert_int_equal(b.beats[i].resp, 0);
	}
	assert_int_equal(b.calls.size(), 4);
	assert_int_equal(b.calls[0].len, 256);
	assert_int_equal(b.mem.failures(), 0);
}

void test_order(void **)
{
	Bench b(noisy(1));
	std::vector<uint8_t> seen[2], all;
	bool reordered = false;

	for (unsigned int i = 0; i < 100; i++)
		b.ar(i % 2, 0x10 * i, 1);
	b.wait(100, 0);
	for (const Beat &beat : b.beats) {
		if (!seen[beat.id].empty())
			assert_true(seen[beat.id].back() < beat.first);
		if (!all.empty() && all.back() > beat.first)
			reordered = true;
		seen[beat.id].push_back(beat.first);
		all.push_back(beat.first);
	}
	assert_true(reordered);
	assert_int_equal(b.mem.failures(), 0);
}

void test_read_error(void **)
{
	Bench b;

	b.ar(1, MemBytes, 4);
	b.ar(1, 0, 1);
	b.wait(5, 0);
	for (unsigned int i = 0; i < 4; i++)
		assert_int_equal(b.beats[i].resp, 2);
	assert_int_equal(b.beats[4].resp, 0);
}

void test_strobes(void **)
{
	Bench b;

	b.aw(0, 0x200, 3);
	b.w(0xaa, 0xfff0, false);
	b.w(0xbb, 0xffff, false);
	b.w(0xcc, 0x8003, true);
	b.wait(0, 1);
	assert_int_equal(b.calls.size(), 2);
	assert_int_equal(b.calls[0].addr, 0x204);
	assert_int_equal(b.calls[0].len, 12 + 16 + 2);
	assert_int_equal(b.calls[1].addr, 0x22f);
	assert_int_equal(b.calls[1].len, 1);
	assert_int_equal(b.bytes[0x203], 0x20);
	assert_int_equal(b.bytes[0x204], 0xaa);
	assert_int_equal(b.bytes[0x221], 0xcc);

	b.calls.clear();
	b.aw(0, MemBytes, 1); // no strobe: nothing is written, so nothing fails
	b.w(0xdd, 0, true);
	b.wait(0, 2);
	assert_int_equal(b.calls.size(), 0);
	assert_int_equal(b.resps[1].resp, 0);

	b.aw(5, MemBytes, 1);
	b.w(0xdd, 1, true);
	b.wait(0, 3);
	assert_int_equal(b.resps[2].resp, 2);
	assert_int_equal(b.resps[2].id, 5);
	assert_int_equal(b.mem.failures(), 0);
}

void test_data_before_address(void **)
{
	Bench b;

	b.w(1, 0xffff, false);
	b.w(2, 0xffff, true);
	assert_int_equal(b.calls.size(), 0);
	b.aw(0, 0, 2);
	b.wait(0, 1);
	assert_int_equal(b.bytes[0], 1);
	assert_int_equal(b.bytes[16], 2);
	assert_int_equal(b.mem.failures(), 0);
}

// Many of both kinds at once, with all the disturbance there is; and the same again.
uint64_t mixed(uint64_t seed)
{
	Bench b(noisy(seed));
	const size_t bursts = 64;

	for (size_t i = 0; i < bursts; i++) {
		b.aw(i % 3, 0x100 * i, 4);
		b.ar(i % 5, 0x8000 + 0x40 * i, 4);
		for (unsigned int k = 0; k < 4; k++)
			b.w(uint8_t(i + k), 0xffff, k == 3);
	}
	b.wait(4 * bursts, bursts);
	for (size_t i = 0; i < bursts; i++)
		for (unsigned int k = 0; k < 4; k++)
			assert_int_equal(b.bytes[0x100 * i + 16 * k], uint8_t(i + k));
	assert_int_equal(b.mem.failures(), 0);
	return b.cycle;
}

void test_deterministic(void **)
{
	assert_int_equal(mixed(7), mixed(7));
	assert_int_not_equal(mixed(7), mixed(8));
}

void test_outstanding(void **)
{
	eie_sim_params p = {};

	p.latency = 1000;
	Bench b(p);

	for (unsigned int i = 0; i < eie::MaxBursts; i++)
		b.ar(0, 0, 1);
	assert_false(b.mem.out.ar_ready);
	b.ar(0, 0, 1);
	b.wait(eie::MaxBursts + 1, 0);
}

// Puts the memory where it refuses addresses, so that one that waits can be spoiled.
void fill(Bench &b)
{
	for (unsigned int i = 0; i < eie::MaxBursts; i++) {
		b.ar(0, 0, 1);
		b.aw(0, 0, 1);
		b.w(0, 0, true);
	}
	b.m.ar = b.m.aw = { true, 0, 0, 4, 1, 0x40 };
	b.w(0, 0, true); // no address for it, hence no second one
	b.m.w_valid = true;
	b.step();
	assert_int_equal(b.mem.failures(), 0);
}

void test_waiting_rules(void **)
{
	eie_sim_params p = {};

	p.latency = 1000;
	for (unsigned int which = 0; which < 7; which++) {
		Bench b(p);

		fill(b);
		switch (which) {
		case 0:
			b.m.ar.valid = false;
			break;
		case 1:
			b.m.ar.addr += 16;
			break;
		case 2:
			b.m.aw.valid = false;
			break;
		case 3:
			b.m.aw.len++;
			break;
		case 4:
			b.m.w_valid = false;
			break;
		case 5:
			b.data[15] ^= 1;
			break;
		case 6:
			b.m.w_last = false;
			break;
		}
		b.step();
		assert_int_equal(b.mem.failures(), 1);
	}
}

void test_burst_rules(void **)
{
	for (unsigned int which = 0; which < 6; which++) {
		Bench b;

		switch (which) {
		case 0: // crosses 4 KiB
			b.ar(0, 0xff0, 2);
			break;
		case 1:
			b.aw(0, 0xff0, 2);
			break;
		case 2: // not aligned
			b.ar(0, 0x8, 1);
			break;
		case 3: // last too early
			b.aw(0, 0, 2);
			b.w(0, 0, true);
			break;
		case 4: // last missing
			b.aw(0, 0, 2);
			b.w(0, 0, false);
			b.w(0, 0, false);
			break;
		case 5: // last too late, data first
			b.w(0, 0, false);
			b.w(0, 0, true);
			b.aw(0, 0, 1);
			break;
		}
		b.step();
		assert_int_equal(b.mem.failures(), 1);
	}
	Bench b;

	b.ar(0, 0xf00, 16); // up to the boundary is right
	assert_int_equal(b.mem.failures(), 0);
}

// Two beats a granule.
void test_narrow_bus(void **)
{
	Bench b({}, 8);

	b.ar(2, 0x110, 6);
	b.wait(6, 0);
	for (unsigned int i = 0; i < 6; i++) {
		assert_int_equal(b.beats[i].first, 0x11 + i / 2);
		assert_int_equal(b.beats[i].last, i == 5);
	}
	assert_int_equal(b.calls[0].len, 48);
	b.aw(0, 0x20, 4);
	for (unsigned int i = 0; i < 4; i++)
		b.w(uint8_t(0xa0 + i), i == 2 ? 0 : 0xff, i == 3);
	b.wait(6, 1);
	assert_int_equal(b.bytes[0x20], 0xa0);
	assert_int_equal(b.bytes[0x2f], 0xa1);
	assert_int_equal(b.bytes[0x30], 0x03);
	assert_int_equal(b.bytes[0x3f], 0xa3);
	assert_int_equal(b.mem.failures(), 0);
	b.ar(0, 0xff0, 3); // granules 255 and half of the next page's first
	assert_int_equal(b.mem.failures(), 2);
}

// Two granules a beat: a burst starts where its address says; lanes outside it carry garbage.
void test_wide_bus(void **)
{
	Bench b({}, 32);

	b.ar(1, 0x110, 2);
	b.wait(2, 0);
	assert_int_equal(b.beats[0].first, 0xa5);
	assert_int_equal(b.beats[0].upper, 0x11);
	assert_int_equal(b.beats[1].first, 0x12);
	assert_int_equal(b.beats[1].upper, 0x13);
	assert_int_equal(b.calls[0].addr, 0x110);
	assert_int_equal(b.calls[0].len, 48);
	b.size = 4; // one narrow beat: its granule alone, on its own lane
	b.ar(1, 0x150, 1);
	b.ar(1, 0x160, 1);
	b.wait(4, 0);
	assert_int_equal(b.beats[2].first, 0xa5);
	assert_int_equal(b.beats[2].upper, 0x15);
	assert_int_equal(b.beats[3].first, 0x16);
	assert_int_equal(b.beats[3].upper, 0xa5);
	assert_int_equal(b.calls[2].len, 16);
	b.aw(0, 0x190, 1);
	b.w(0xbb, 0xffff0000, true);
	b.size = 5;
	b.aw(0, 0x1b0, 2);
	b.w(0xcc, 0xffff0000, false);
	b.w(0xdd, 0x0000ffff, true);
	b.wait(4, 2);
	for (unsigned int i = 0x180; i < 0x1e0; i += 16) {
		uint8_t want = i == 0x190 ? 0xbb : i == 0x1b0 ? 0xcc : i == 0x1c0 ? 0xdd : uint8_t(i / 16);

		assert_int_equal(b.bytes[i], want);
		assert_int_equal(b.bytes[i + 15], want);
	}
	b.ar(0, 0xe10, 16); // the last beat ends where the page does
	assert_int_equal(b.mem.failures(), 0);
	b.aw(0, 0x210, 1);
	b.w(0xee, 0xffffffff, true); // the lower half is not the burst's
	assert_true(b.mem.failures() >= 1);
	unsigned int before = b.mem.failures();
	b.size = 4;
	b.ar(0, 0x300, 2); // narrow beats come alone
	assert_int_equal(b.mem.failures(), before + 1);
}

} // namespace

int main()
{
	const CMUnitTest tests[] = {
		cmocka_unit_test(test_latency_and_rate), cmocka_unit_test(test_order),
		cmocka_unit_test(test_read_error),	 cmocka_unit_test(test_strobes),
		cmocka_unit_test(test_data_before_address), cmocka_unit_test(test_deterministic),
		cmocka_unit_test(test_outstanding),	 cmocka_unit_test(test_waiting_rules),
		cmocka_unit_test(test_burst_rules),	 cmocka_unit_test(test_narrow_bus),
		cmocka_unit_test(test_wide_bus),
	};

	return cmocka_run_group_tests(tests, nullptr, nullptr);
}
