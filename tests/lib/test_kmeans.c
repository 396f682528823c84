// SPDX-License-Identifier: GPL-2.0 OR MIT
/* k-means in one dimension: optimal where all partitions can be tried, and within 0.1 % of the optimum where points are binned. */
#include <assert.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include "kmeans.h"
#include "seed.h"

static double normal(uint64_t *state)
{
	double u = seed_uniform(state), v = seed_uniform(state);

	return sqrt(-2 * log(1 - u)) * cos(2 * M_PI * v);
}

static double laplace(uint64_t *state)
{
	double u = seed_uniform(state) - 0.5;

	return copysign(log(1 - 2 * fabs(u)), u);
}

/* ---------------------------------------------------------------- all partitions */

/* Sum of squares when value i belongs to cluster of[i]: contiguous or not. */
static double cost_of(const float *v, const unsigned int *of, unsigned int n, unsigned int k)
{
	double cost = 0;

	for (unsigned int c = 0; c < k; c++) {
		double sum = 0, count = 0;

		for (unsigned int i = 0; i < n; i++) {
			sum += of[i] == c ? (double)v[i] : 0;
			count += of[i] == c;
		}
		for (unsigned int i = 0; i < n; i++)
			cost += of[i] == c ? ((double)v[i] - sum / count) * ((double)v[i] - sum / count) : 0;
	}
	return cost;
}

static double brute_force(const float *v, unsigned int n, unsigned int k)
{
	unsigned int of[16] = { 0 }, i;
	double best = INFINITY;

	do {
		best = fmin(best, cost_of(v, of, n, k));
		for (i = 0; i < n && ++of[i] == k; i++)
			of[i] = 0;
	} while (i < n);
	return best;
}

static void test_brute_force(void **state)
{
	uint64_t seed = 7;

	(void)state;
	for (unsigned int trial = 0; trial < 200; trial++) {
		unsigned int k = 1 + trial % 4, n = k == 4 ? 8 : 9;
		double centre[4], cost, best;
		struct kmeans_points p;
		float v[16];
		int got;

		/* every third trial with values that are there several times */
		for (unsigned int i = 0; i < n; i++)
			v[i] = trial % 3 ? (float)normal(&seed) : (float)(1 + seed_next(&seed) % 5);
		assert_int_equal(kmeans_points_new(v, n, &p), 0);
		got = kmeans_optimal(&p, k, centre);
		assert_in_range(got, 1, k);
		cost = kmeans_cost(&p, centre, (unsigned int)got);
		best = brute_force(v, n, k);
		assert_true(fabs(cost - best) <= 1e-9 * (1 + best));
		kmeans_points_free(&p);
	}
}

/* ---------------------------------------------------------------- many values */

static int by_value(const void *a, const void *b)
{
	float x = *(const float *)a, y = *(const float *)b;

	return (x > y) - (x < y);
}

/* The plain O(k n^2) recurrence over sorted values, no bins. */
static double exact(const float *values, unsigned int n, unsigned int k)
{
	float *v = malloc(n * sizeof(*v));
	double *sum = calloc(n + 1u, sizeof(*sum)), *squares = calloc(n + 1u, sizeof(*squares)), *before = malloc((n + 1u) * sizeof(*before)),
	       *now = malloc((n + 1u) * sizeof(*now)), *swap, best;

	memcpy(v, values, n * sizeof(*v));
	qsort(v, n, sizeof(*v), by_value);
	for (unsigned int i = 0; i < n; i++) {
		sum[i + 1] = sum[i] + (double)v[i];
		squares[i + 1] = squares[i] + (double)v[i] * (double)v[i];
	}
	for (unsigned int j = 0; j <= n; j++)
		before[j] = j ? INFINITY : 0;
	for (unsigned int c = 0; c < k; c++) {
		now[0] = INFINITY;
		for (unsigned int j = 1; j <= n; j++) {
			now[j] = INFINITY;
			for (unsigned int i = c; i < j; i++) {
				double s = sum[j] - sum[i], cost = before[i] + squares[j] - squares[i] - s * s / (j - i);

				now[j] = cost < now[j] ? cost : now[j];
			}
		}
		swap = before;
		before = now;
		now = swap;
	}
	best = before[n];
	free(v);
	free(sum);
	free(squares);
	free(before);
	free(now);
	return best;
}

static double cost_of_values(const float *v, unsigned int n, const double *centre, int k)
{
	double cost = 0;

	for (unsigned int i = 0; i < n; i++) {
		double least = INFINITY;

		for (int c = 0; c < k; c++)
			least = fmin(least, ((double)v[i] - centre[c]) * ((double)v[i] - centre[c]));
		cost += least;
	}
	return cost;
}

/* More values than dynamic programming takes as they are; heavy tails, an outlier, pruned ones with a gap around zero. */
static void test_binned(void **state)
{
	static const unsigned int ks[] = { 3, 15, 63 };
	enum { N = 5000 };
	float v[N];

	(void)state;
	for (unsigned int kind = 0; kind < 4; kind++) {
		uint64_t seed = 100 + kind;

		for (unsigned int i = 0; i < N; i++) {
			do {
				v[i] = (float)(0.03 * (kind == 1 ? laplace(&seed) : normal(&seed)));
			} while (kind == 3 && fabsf(v[i]) < 0.02f);
		}
		if (kind == 2)
			v[N / 2] = 40;
		/* the plain recurrence takes its time: most values once */
		for (unsigned int t = 0; t < (kind == 1 ? 3 : 2); t++) {
			double centre[KMEANS_MAX], cost, best = exact(v, N, ks[t]);
			struct kmeans_points p;
			int k;

			assert_int_equal(kmeans_points_new(v, N, &p), 0);
			k = kmeans_optimal(&p, ks[t], centre);
			assert_int_equal(k, ks[t]);
			cost = cost_of_values(v, N, centre, k);
			if (cost > 1.001 * best)
				fail_msg("values %u, k = %u: %g, the optimum is %g", kind, ks[t], cost, best);
			/* kmeans_cost() knows the same without the values */
			assert_true(fabs(kmeans_cost(&p, centre, (unsigned int)k) - cost) <= 1e-3 * cost);
			kmeans_points_free(&p);
		}
	}
}

/* The most that a codebook has, and as many values as layers have: never worse than Lloyd's algorithm, wherever that begins. */
static void test_255(void **state)
{
	enum { N = 200000 };
	double centre[KMEANS_MAX], other[KMEANS_MAX], best;
	float *v = malloc(N * sizeof(*v));
	struct kmeans_points p;
	uint64_t seed = 3;

	(void)state;
	for (unsigned int i = 0; i < N; i++)
		v[i] = (float)laplace(&seed);
	assert_int_equal(kmeans_points_new(v, N, &p), 0);
	assert_int_equal(kmeans_optimal(&p, 255, centre), 255);
	best = kmeans_cost(&p, centre, 255);
	for (int i = 1; i < 255; i++)
		assert_true(centre[i] > centre[i - 1]);
	for (enum kmeans_init init = KMEANS_LINEAR; init <= KMEANS_RANDOM; init++) {
		int k = kmeans_lloyd(&p, 255, init, 5, other);

		assert_in_range(k, 1, 255);
		assert_true(kmeans_cost(&p, other, (unsigned int)k) >= best);
	}
	kmeans_points_free(&p);
	free(v);
}

/* ---------------------------------------------------------------- equal width */

/* Bits of each code of values by their nearest centre. */
static double entropy(const float *v, unsigned int n, const double *centre, unsigned int k)
{
	unsigned int count[KMEANS_MAX] = { 0 };
	float c[KMEANS_MAX];
	double bits = 0;

	for (unsigned int i = 0; i < k; i++)
		c[i] = (float)centre[i];
	for (unsigned int i = 0; i < n; i++)
		count[kmeans_nearest(c, k, v[i])]++;
	for (unsigned int i = 0; i < k; i++)
		bits += count[i] ? count[i] * log2((double)n / count[i]) / n : 0;
	return bits;
}

/* About the same squares as the best k values have, and codes that take less: each bit more halves the squares twice. Of normal values a fourteenth of a bit at least, of those with long tails more. */
static void test_uniform(void **state)
{
	enum { N = 20000 };
	static const unsigned int ks[] = { 7, 15, 31 };
	float *v = malloc(N * sizeof(*v));

	(void)state;
	assert_non_null(v);
	for (unsigned int t = 0; t < 6; t++) {
		const bool tails = t & 1;
		double best[KMEANS_MAX], centre[KMEANS_MAX], cost, more, saved;
		uint64_t random = SEED_START + t;
		struct kmeans_points p;
		int k, n;

		for (unsigned int i = 0; i < N; i++)
			v[i] = (float)(tails ? laplace(&random) : normal(&random));
		assert_int_equal(kmeans_points_new(v, N, &p), 0);
		k = kmeans_optimal(&p, ks[t / 2], best);
		cost = kmeans_cost(&p, best, (unsigned int)k);
		n = kmeans_uniform(&p, sqrt(12 * cost / N), centre);
		assert_in_range(n, k + 1, KMEANS_MAX - 1);
		for (int i = 1; i < n; i++)
			assert_true(centre[i] > centre[i - 1]);
		more = kmeans_cost(&p, centre, (unsigned int)n) / cost;
		saved = entropy(v, N, best, (unsigned int)k) - entropy(v, N, centre, (unsigned int)n);
		if (more < 0.8 || more > 1.02 || saved - 0.5 * log2(more) < (tails ? 0.15 : 0.07))
			fail_msg("case %u: %g times the squares of the best %u values, %g bits fewer", t, more, ks[t / 2], saved);
		kmeans_points_free(&p);
	}
	free(v);
}

static void test_cells(void **state)
{
	static const float v[6] = { -0.5f, 0.25f, 0.75f, 1, 1.5f, 7 }, zeros[2] = { 0, 0 };
	float many[KMEANS_MAX];
	double centre[KMEANS_MAX];
	struct kmeans_points p;

	(void)state;
	assert_int_equal(kmeans_points_new(v, 6, &p), 0);
	/* a border belongs to the cell above; cells without points have no value */
	assert_int_equal(kmeans_uniform(&p, 1, centre), 4);
	assert_true(centre[0] == -0.5 && centre[1] == 0.5 && centre[2] == 1.25 && centre[3] == 7);
	assert_int_equal(kmeans_uniform(&p, 0, centre), 0);
	kmeans_points_free(&p);
	assert_int_equal(kmeans_points_new(zeros, 2, &p), 0);
	assert_int_equal(kmeans_uniform(&p, 1, centre), 0);
	kmeans_points_free(&p);
	for (unsigned int i = 0; i < KMEANS_MAX; i++)
		many[i] = (float)i + 0.5f;
	assert_int_equal(kmeans_points_new(many, KMEANS_MAX - 1, &p), 0);
	assert_int_equal(kmeans_uniform(&p, 1, centre), KMEANS_MAX - 1);
	kmeans_points_free(&p);
	assert_int_equal(kmeans_points_new(many, KMEANS_MAX, &p), 0);
	assert_int_equal(kmeans_uniform(&p, 1, centre), 0);
	kmeans_points_free(&p);
}

/* ---------------------------------------------------------------- edges */

static void test_few(void **state)
{
	static const float zeros[4] = { 0, -0.0f, 0, 0 }, two[5] = { 0, 3, -1, 3, 0 };
	double centre[KMEANS_MAX];
	struct kmeans_points p;

	(void)state;
	assert_int_equal(kmeans_points_new(zeros, 4, &p), 0);
	assert_int_equal(kmeans_optimal(&p, 15, centre), 0);
	assert_int_equal(kmeans_lloyd(&p, 15, KMEANS_LINEAR, 1, centre), 0);
	kmeans_points_free(&p);
	assert_int_equal(kmeans_points_new(two, 5, &p), 0);
	assert_int_equal(kmeans_optimal(&p, 15, centre), 2);
	assert_true(centre[0] == -1 && centre[1] == 3);
	assert_int_equal(kmeans_lloyd(&p, 15, KMEANS_RANDOM, 1, centre), 2);
	assert_int_equal(kmeans_optimal(&p, 1, centre), 1);
	assert_true(fabs(centre[0] - 5.0 / 3) < 1e-12);
	kmeans_points_free(&p);
}

static void test_nearest(void **state)
{
	static const float centre[3] = { -2, 0.5f, 4 };
	float brute;

	(void)state;
	for (float v = -5; v < 8; v += 0.01f) {
		unsigned int best = 0;

		for (unsigned int c = 1; c < 3; c++)
			if (fabsf(v - centre[c]) < fabsf(v - centre[best]))
				best = c;
		brute = fabsf(v - centre[best]);
		assert_true(fabsf(v - centre[kmeans_nearest(centre, 3, v)]) == brute);
	}
	assert_int_equal(kmeans_nearest(centre, 1, 100), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_brute_force), cmocka_unit_test(test_binned), cmocka_unit_test(test_255),
		cmocka_unit_test(test_uniform), cmocka_unit_test(test_cells), cmocka_unit_test(test_few), cmocka_unit_test(test_nearest),
	};

	return cmocka_run_group_tests_name("k-means", tests, NULL, NULL);
}
