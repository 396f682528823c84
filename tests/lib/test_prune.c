// SPDX-License-Identifier: GPL-2.0 OR MIT
/* Pruning: just as many weights stay as were asked for, those of greatest score; curves against sorted scores. */
#include <assert.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include "prune.h"
#include "seed.h"

#define N 5000

static void fill(float *w, unsigned int kind)
{
	uint64_t seed = 11 + kind;

	for (unsigned int i = 0; i < N; i++) {
		double u = seed_uniform(&seed) - 0.5;

		/* smooth; of many orders of magnitude; few different ones; zeros of both signs among them */
		w[i] = (float)(kind == 0 ? u : kind == 1 ? copysign(pow(10, 40 * fabs(u) - 15), u) : kind == 2 ? rint(6 * u) : u < 0 ? -0.0 : u);
	}
}

static int by_size(const void *a, const void *b)
{
	float x = *(const float *)a, y = *(const float *)b;

	return (x > y) - (x < y);
}

static void sorted_scores(const float *w, float *score)
{
	for (unsigned int i = 0; i < N; i++)
		score[i] = prune_square(w, i);
	qsort(score, N, sizeof(*score), by_size);
}

static void test_weights(void **state)
{
	static const uint64_t keeps[] = { 0, 1, 2, 17, 2500, N - 1, N, N + 5 };
	static float w[N], was[N], score[N];

	(void)state;
	for (unsigned int kind = 0; kind < 4; kind++) {
		for (unsigned int t = 0; t < sizeof(keeps) / sizeof(keeps[0]); t++) {
			uint64_t keep = keeps[t] < N ? keeps[t] : N, stay = 0, first_gone = N, last_kept = 0;
			float least;

			fill(w, kind);
			memcpy(was, w, sizeof(w));
			sorted_scores(w, score);
			least = keep ? score[N - keep] : INFINITY;
			assert_int_equal(prune_weights(w, N, keeps[t], prune_square, w), 0);
			for (unsigned int i = 0; i < N; i++) {
				float s = prune_square(was, i);

				assert_true(w[i] == 0 || w[i] == was[i]);
				assert_false(w[i] == 0 && signbit(w[i]));
				stay += w[i] != 0;
				if (s > least)
					assert_true(w[i] == was[i]);
				if (s < least)
					assert_true(w[i] == 0);
				/* of equal ones the first stay */
				if (s == least && was[i] != 0) {
					first_gone = w[i] == 0 && i < first_gone ? i : first_gone;
					last_kept = w[i] != 0 ? i : last_kept;
				}
			}
			assert_true(first_gone >= last_kept);
			if (kind < 2)
				assert_int_equal(stay, keep);
			else
				assert_true(stay <= keep);
		}
	}
}

static void test_curve(void **state)
{
	static float w[N], score[N];

	(void)state;
	for (unsigned int kind = 0; kind < 4; kind++) {
		struct prune_curve c;
		double all = 0, gone = 0;

		fill(w, kind);
		sorted_scores(w, score);
		for (unsigned int i = 0; i < N; i++)
			all += (double)score[i];
		assert_int_equal(prune_curve_new(N, prune_square, w, 0, &c), 0);
		assert_true(fabs(c.total - all) <= 1e-9 * all);
		/* sums of another order: the last one may stay */
		assert_true(prune_keep(&c, 1) <= 1 && prune_keep(&c, 2) == 0);
		for (unsigned int i = 0; i < N; i++) {
			double loss = prune_loss(&c, N - i), exact = gone / all;

			/* within a bin scores differ by less than 1/128 */
			if (fabs(loss - exact) > 0.01 * exact + 1e-12)
				fail_msg("scores %u: %u of them are worth %g, not %g", kind, i, exact, loss);
			gone += (double)score[i];
		}
		for (double loss = 0; loss < 1; loss += 0.01) {
			uint64_t keep = prune_keep(&c, loss);

			assert_true(keep <= N);
			assert_true(prune_loss(&c, keep) <= loss + 1e-9);
			assert_true(!keep || prune_loss(&c, keep - 1) >= loss * 0.99 - 1e-9);
		}
		prune_curve_free(&c);
	}
}

/* A total of its own: the share of something else than the sum. */
static void test_total(void **state)
{
	static const float w[4] = { 1, -2, 3, 0.5f };
	struct prune_curve c;

	(void)state;
	assert_int_equal(prune_curve_new(4, prune_square, w, 28.5, &c), 0);
	assert_int_equal(prune_keep(&c, 0.05), 2);
	assert_true(fabs(prune_loss(&c, 2) - 1.25 / 28.5) < 1e-9);
	assert_true(prune_loss(&c, 4) == 0);
	prune_curve_free(&c);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_weights), cmocka_unit_test(test_curve), cmocka_unit_test(test_total) };

	return cmocka_run_group_tests_name("prune", tests, NULL, NULL);
}
