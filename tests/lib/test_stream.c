// SPDX-License-Identifier: GPL-2.0 OR MIT
/* Weight streams decoded as docs/programmers_guide.md says. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <eie_hw.h>
#include <stdlib.h>
#include <string.h>

#include "random_model.h"
#include "stream.h"

static uint32_t decode(const uint8_t *in, uint32_t entries, bool wide, uint32_t *rows, uint8_t *codes)
{
	int64_t row = -1;
	uint32_t n = 0;

	for (uint32_t e = 0; e < entries; e++) {
		uint32_t code = wide ? in[2 * e] : in[e] & 15, skip = wide ? in[2 * e + 1] : in[e] >> 4;

		if (!code) {
			row += (int64_t)(wide ? EIE_WIDE_SPAN : EIE_NARROW_SPAN) * (skip + 1);
			assert_true(e + 1 < entries);
			continue;
		}
		row += skip + 1;
		rows[n] = (uint32_t)row;
		codes[n++] = (uint8_t)code;
	}
	return n;
}

static void check(const uint32_t *rows, uint32_t n, bool wide, uint32_t entries)
{
	static uint8_t codes[4096], stream[4 * 4096], got_codes[4096];
	static uint32_t got_rows[4096];

	for (uint32_t i = 0; i < n; i++)
		codes[i] = (uint8_t)(1 + i % (wide ? 255 : 15));
	assert_int_equal(stream_entries(rows, n, wide), entries);
	assert_int_equal(stream_encode(rows, codes, n, wide, stream), entries);
	assert_int_equal(decode(stream, entries, wide, got_rows, got_codes), n);
	assert_memory_equal(got_rows, rows, n * sizeof(*rows));
	assert_memory_equal(got_codes, codes, n);
}

static void test_skips(void **state)
{
	/* first row, and the fewest entries that reach it: 16 rows of skip, escapes of 16 to 256 rows */
	static const struct { uint32_t row, narrow, wide; } cases[] = {
		{ 0, 1, 1 }, { 1, 1, 1 }, { 15, 1, 1 }, { 16, 2, 1 }, { 31, 2, 1 }, { 255, 2, 1 }, { 256, 2, 2 }, { 271, 2, 2 },
		{ 272, 3, 2 }, { 511, 3, 2 }, { 512, 3, 2 }, { 527, 3, 2 }, { 528, 4, 2 }, { 4087, 17, 2 }, { 65535, 257, 2 },
		{ 65536, 257, 2 }, { 65791, 258, 2 }, { 65792, 258, 3 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		uint32_t two[2] = { cases[i].row, cases[i].row + 1 };

		check(two, 1, false, cases[i].narrow);
		check(two, 1, true, cases[i].wide);
		check(two, 2, false, cases[i].narrow + 1);
		check(two, 2, true, cases[i].wide + 1);
	}
	check(NULL, 0, false, 0);
}

/* The length field of pointers holds every column of as many rows as the compiler allows. */
static void test_longest(void **state)
{
	static uint32_t rows[STREAM_ROWS_MAX];

	(void)state;
	for (uint32_t step = 1; step < 40; step++) {
		uint32_t n = 0;

		for (uint32_t r = 0; r < STREAM_ROWS_MAX; r += step)
			rows[n++] = r;
		assert_true(stream_entries(rows, n, false) < 1u << EIE_PTR_LEN_BITS);
		assert_true(stream_entries(rows, n, true) < 1u << EIE_PTR_LEN_BITS);
		check(rows, n, false, stream_entries(rows, n, false));
		check(rows, n, true, stream_entries(rows, n, true));
	}
}

static void test_random(void **state)
{
	static uint32_t rows[4096];
	uint64_t seed = 3;

	(void)state;
	for (int i = 0; i < 200; i++) {
		uint32_t gap = 1 + random_next(&seed) % 700, n = 0;

		for (uint32_t r = random_next(&seed) % gap; r < STREAM_ROWS_MAX; r += 1 + random_next(&seed) % gap)
			rows[n++] = r;
		check(rows, n, i & 1, stream_entries(rows, n, i & 1));
	}
}

static void test_pointer(void **state)
{
	(void)state;
	assert_int_equal(stream_pointer(5, 3), 5 | 3 << EIE_PTR_START_BITS);
	assert_int_equal(stream_pointer(1 << 20, 0), 0);   /* an empty column behind the last byte */
	assert_int_equal(stream_pointer((1 << 20) - 1, 4095), 0xffffffff);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_skips), cmocka_unit_test(test_longest), cmocka_unit_test(test_random),
		cmocka_unit_test(test_pointer),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
