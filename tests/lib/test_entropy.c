// SPDX-License-Identifier: GPL-2.0 OR MIT
/* Huffman and ANS: what goes in comes out, in as many bytes as the entropy says, and what was cut, extended or changed is refused or stays in the alphabet. */
#include <assert.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include "bits.h"
#include "gaps.h"
#include "seed.h"

static const enum entropy_coding codings[] = { ENTROPY_HUFFMAN, ENTROPY_ANS };

/* ---------------------------------------------------------------- streams */

enum kind { UNIFORM, NORMAL, GEOMETRIC, ONE, TWO, RARE, NKINDS };

static uint8_t draw(enum kind kind, unsigned int alphabet, uint64_t *seed)
{
	double u = seed_uniform(seed), sum = 0;

	switch (kind) {
	case UNIFORM:
		return (uint8_t)(u * alphabet);
	case NORMAL:
		for (unsigned int i = 0; i < 6; i++)
			sum += seed_uniform(seed) / 6;
		return (uint8_t)(sum * alphabet);
	case GEOMETRIC:
		u = floor(log(1 - u) / log(0.7));
		return (uint8_t)(u < alphabet ? u : alphabet - 1);
	case ONE:
		return (uint8_t)(alphabet / 2);
	case TWO:
		return (uint8_t)(u < 0.3 ? 0 : alphabet - 1);
	default:
		return (uint8_t)(u < 0.0005 ? 1000 * u * alphabet : 0);
	}
}

struct stream {
	uint8_t *s;
	uint64_t n, count[ENTROPY_MAX_SYMBOLS];
	double bits;                           /* entropy, of all symbols together */
};

static struct stream make(enum kind kind, unsigned int alphabet, uint64_t n, uint64_t seed)
{
	struct stream t = { .s = malloc(n + 1), .n = n };

	for (uint64_t i = 0; i < n; i++)
		t.count[t.s[i] = draw(kind, alphabet, &seed)]++;
	for (unsigned int s = 0; s < alphabet; s++)
		t.bits += t.count[s] ? -(double)t.count[s] * log2((double)t.count[s] / (double)n) : 0;
	return t;
}

static void plan_with(enum entropy_coding coding, const struct stream *t, const struct entropy_alphabet *a, struct entropy_plan *plan)
{
	if (coding == ENTROPY_ANS)
		ans_plan(t->count, a, plan);
	else
		huffman_plan(t->count, a, plan);
	assert_int_equal(plan->coding, coding);
}

static void round_trip(enum entropy_coding coding, const struct stream *t, const struct entropy_alphabet *a)
{
	struct entropy_plan plan;
	uint8_t *blob, *back = malloc(t->n + 1);
	const char *wrong;
	size_t size;

	plan_with(coding, t, a, &plan);
	assert_int_equal(entropy_encode(&plan, a, t->s, t->n, &blob, &size), 0);
	/* what is planned is what comes; symbols that are rarer than the frequencies can say cost a little more, the last words a little */
	assert_true(fabs((double)size - (double)plan.bytes) <= 8 + 0.001 * (double)size);
	if (coding == ENTROPY_ANS)
		assert_true((double)size <= t->bits / 8 * 1.01 + 16 + 2 * a->n);
	else
		assert_true((double)size <= (t->bits + (double)t->n) / 8 + 1 + a->n / 2.0);
	wrong = entropy_decode(coding, blob, size, a, back, t->n);
	if (wrong)
		fail_msg("%s of %llu symbols: %s", entropy_names[coding], (unsigned long long)t->n, wrong);
	assert_memory_equal(back, t->s, t->n);
	free(back);
	free(blob);
}

static void test_round_trips(void **state)
{
	static const unsigned int alphabets[] = { 1, 2, 3, 16, 100, 256 };
	static const uint64_t lengths[] = { 1, 2, 3, 31, 1000, 100001 };
	uint8_t order[ENTROPY_MAX_SYMBOLS];

	(void)state;
	for (unsigned int i = 0; i < ENTROPY_MAX_SYMBOLS; i++)
		order[i] = (uint8_t)(i * 77);          /* 77 is odd: a permutation of 256 */
	for (enum kind kind = 0; kind < NKINDS; kind++) {
		for (unsigned int l = 0; l < 36; l++) {
			const struct entropy_alphabet plain = { alphabets[l % 6], NULL }, turned = { 256, order };
			struct stream t = make(kind, plain.n, lengths[l / 6], l);

			for (unsigned int c = 0; c < 2; c++) {
				round_trip(codings[c], &t, &plain);
				if (plain.n == 256)
					round_trip(codings[c], &t, &turned);
			}
			free(t.s);
		}
	}
}

/* Huffman's lengths are the best there are: against all lengths that make a code, for alphabets of up to five. */
static void test_optimal(void **state)
{
	uint64_t seed = 5;

	(void)state;
	for (unsigned int trial = 0; trial < 200; trial++) {
		const struct entropy_alphabet a = { 2 + trial % 4, NULL };
		uint64_t count[ENTROPY_MAX_SYMBOLS] = { 0 }, best = UINT64_MAX, got = 0;
		unsigned int length[5] = { 1, 1, 1, 1, 1 }, i;
		struct entropy_plan plan;

		for (unsigned int s = 0; s < a.n; s++)
			count[s] = 1 + seed_next(&seed) % (trial % 3 ? 1000 : 5);
		do {
			uint64_t cost = 0;
			double kraft = 0;

			for (unsigned int s = 0; s < a.n; s++) {
				kraft += ldexp(1, -(int)length[s]);
				cost += count[s] * length[s];
			}
			best = kraft <= 1 && cost < best ? cost : best;
			for (i = 0; i < a.n && ++length[i] == 6; i++)
				length[i] = 1;
		} while (i < a.n);
		huffman_plan(count, &a, &plan);
		for (unsigned int s = 0; s < a.n; s++)
			got += count[s] * plan.freq[s];
		assert_int_equal(got, best);
	}
}

/* Counts that would make codes of more than 12 bits. */
static void test_long_codes(void **state)
{
	const struct entropy_alphabet a = { 40, NULL };
	uint64_t count[ENTROPY_MAX_SYMBOLS] = { 0 }, x = 1, y = 1;
	double kraft = 0;
	struct entropy_plan plan;

	(void)state;
	for (unsigned int s = 0; s < a.n; s++) {
		count[s] = x;
		y += x;
		x = y - x;
	}
	huffman_plan(count, &a, &plan);
	for (unsigned int s = 0; s < a.n; s++) {
		assert_in_range(plan.freq[s], 1, 12);
		kraft += ldexp(1, -plan.freq[s]);
	}
	assert_true(kraft == 1);
}

/* ---------------------------------------------------------------- damage */

/* A decoder may only fail, or give symbols of the alphabet. */
static bool survives(enum entropy_coding coding, const uint8_t *bytes, size_t size, const struct entropy_alphabet *a, uint64_t n)
{
	uint8_t *copy = malloc(size ? size : 1), *back = malloc(n + 1);
	const char *wrong;

	/* of just this size: a sanitizer sees what is read behind it */
	memcpy(copy, bytes, size);
	wrong = entropy_decode(coding, copy, size, a, back, n);
	for (uint64_t i = 0; !wrong && i < n; i++)
		assert_true(back[i] < a->n);
	free(copy);
	free(back);
	return !wrong;
}

static void test_damage(void **state)
{
	(void)state;
	for (unsigned int c = 0; c < 2; c++) {
		const struct entropy_alphabet a = { 30, NULL };
		struct stream t = make(NORMAL, a.n, 2000, 4);
		struct entropy_plan plan;
		unsigned int passed = 0;
		uint8_t *blob;
		size_t size;

		plan_with(codings[c], &t, &a, &plan);
		assert_int_equal(entropy_encode(&plan, &a, t.s, t.n, &blob, &size), 0);
		blob = realloc(blob, size + 2);
		memset(blob + size, 0, 2);
		assert_true(survives(codings[c], blob, size, &a, t.n));
		for (size_t cut = 0; cut < size; cut++)
			assert_false(survives(codings[c], blob, cut, &a, t.n));
		assert_false(survives(codings[c], blob, size + 1, &a, t.n));
		assert_false(survives(codings[c], blob, size + 2, &a, t.n));
		assert_false(survives(codings[c], blob, size, &a, t.n + 9));
		/* one symbol more or fewer may be seven bits that fill the last byte of Huffman codes: the number of positions tells of that */
		assert_false(survives(codings[c], blob, size, &a, t.n - 9));
		for (size_t bit = 0; bit < 8 * size; bit++) {
			blob[bit / 8] ^= (uint8_t)(1 << bit % 8);
			passed += survives(codings[c], blob, size, &a, t.n);
			blob[bit / 8] ^= (uint8_t)(1 << bit % 8);
		}
		/* Huffman codes find back soon, and know of nothing; ANS does not */
		if (codings[c] == ENTROPY_ANS)
			assert_true(passed * 50 < 8 * size);
		free(blob);
		free(t.s);
	}
}

static void test_noise(void **state)
{
	uint64_t seed = 77;
	uint8_t noise[200];

	(void)state;
	for (unsigned int trial = 0; trial < 20000; trial++) {
		const struct entropy_alphabet a = { 1 + (unsigned int)(seed_next(&seed) % 256), NULL };
		size_t size = seed_next(&seed) % sizeof(noise);

		for (size_t i = 0; i < size; i++)
			noise[i] = (uint8_t)(seed_next(&seed) >> (trial % 2 ? 0 : 6)) & (uint8_t)seed_next(&seed);
		survives(codings[trial / 2 % 2], noise, size, &a, seed_next(&seed) % 1000);
	}
}

/* The rule that bounds what a small file unpacks to holds for what is planned. */
static void test_bound(void **state)
{
	(void)state;
	for (uint64_t n = 0; n < 1000000; n = 2 * n + 1) {
		const struct entropy_alphabet a = { 16, NULL };
		uint64_t count[ENTROPY_MAX_SYMBOLS] = { n };
		struct entropy_plan plan;
		uint8_t *blob, *zeros = calloc(1, n + 1);
		size_t size;

		entropy_plan(count, &a, &plan);
		if (plan.coding != ENTROPY_NONE) {
			assert_int_equal(entropy_encode(&plan, &a, zeros, n, &blob, &size), 0);
			assert_true(n <= ENTROPY_EXPAND * size);
			free(blob);
		}
		free(zeros);
	}
}

/* ---------------------------------------------------------------- positions */

static void test_gaps(void **state)
{
	static const double densities[] = { 1, 0.9, 0.5, 0.3, 0.1, 0.02, 0.0005 };

	(void)state;
	for (unsigned int d = 0; d < 7; d++) {
		enum { ROWS = 300, COLS = 1000 };
		uint32_t *rowptr = calloc(ROWS + 1, sizeof(*rowptr)), *col = malloc(ROWS * COLS * sizeof(*col)), nnz = 0;
		uint32_t *rowptr2 = malloc((ROWS + 1) * sizeof(*rowptr2)), *col2;
		struct entropy_alphabet a = { 0 };
		struct gaps_plan plan;
		uint64_t seed = 1 + d;
		uint8_t *blob, *symbols;
		size_t size;

		for (uint32_t r = 0; r < ROWS; r++) {
			/* rows without any in between */
			for (uint32_t c = 0; r % 50 && c < COLS; c++)
				if (seed_uniform(&seed) < densities[d])
					col[nnz++] = c;
			rowptr[r + 1] = nnz;
		}
		assert_int_equal(gaps_plan(rowptr, col, ROWS, COLS, &plan), 0);
		assert_int_not_equal(plan.entropy.coding, ENTROPY_NONE);
		assert_int_equal(gaps_encode(&plan, rowptr, col, ROWS, COLS, &blob, &size), 0);
		a.n = plan.alphabet;
		symbols = malloc(plan.symbols);
		assert_null(entropy_decode(plan.entropy.coding, blob, size, &a, symbols, plan.symbols));
		col2 = malloc((nnz + 2) * sizeof(*col2));
		assert_null(gaps_decode(symbols, plan.symbols, plan.alphabet, ROWS, COLS, nnz, rowptr2, col2));
		assert_memory_equal(rowptr2, rowptr, (ROWS + 1) * sizeof(*rowptr));
		assert_memory_equal(col2, col, nnz * sizeof(*col));
		/* no larger than what geometric gaps need, and a little */
		if (densities[d] < 1) {
			double p = (double)nnz / (ROWS * COLS), bits = ROWS * COLS * (-p * log2(p) - (1 - p) * log2(1 - p));

			assert_true((double)size < bits / 8 * 1.03 + 80);
		}
		/* lies */
		assert_string_equal(gaps_decode(symbols, plan.symbols - 1, plan.alphabet, ROWS, COLS, nnz, rowptr2, col2), "fewer positions than non-zeros");
		assert_string_equal(gaps_decode(symbols, plan.symbols, plan.alphabet, ROWS, COLS, nnz - 1, rowptr2, col2), "something follows the last non-zero");
		assert_non_null(gaps_decode(symbols, plan.symbols, plan.alphabet, ROWS, COLS, nnz + 1, rowptr2, col2));
		assert_non_null(gaps_decode(symbols, plan.symbols, plan.alphabet, ROWS / 2, COLS, nnz, rowptr2, col2));
		memset(symbols, (int)plan.alphabet - 1, plan.symbols);
		assert_non_null(gaps_decode(symbols, plan.symbols, plan.alphabet, ROWS, COLS, nnz, rowptr2, col2));
		free(rowptr);
		free(rowptr2);
		free(col);
		free(col2);
		free(blob);
		free(symbols);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_round_trips), cmocka_unit_test(test_optimal), cmocka_unit_test(test_long_codes), cmocka_unit_test(test_damage),
		cmocka_unit_test(test_noise), cmocka_unit_test(test_bound), cmocka_unit_test(test_gaps),
	};

	return cmocka_run_group_tests_name("entropy", tests, NULL, NULL);
}
