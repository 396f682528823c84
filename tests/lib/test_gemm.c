// SPDX-License-Identifier: GPL-2.0 OR MIT
/* The matrix kernels give the bits of the plain loop that gemm.h describes, for every shape. */
#include <stdlib.h>
#include <string.h>
#include "gemm.h"
#include "models.h"

static void fill(struct test_rng *rng, float *v, size_t n)
{
	for (size_t i = 0; i < n; i++)
		v[i] = (float)(test_uniform(rng) - 0.5);
}

static void test_panel(void **state)
{
	static const size_t ks[] = { 0, 1, 2, 7, 64, 301 };
	struct test_rng rng = { 1 };
	float *a = malloc(20 * 310 * sizeof(*a)), *panel = aligned_alloc(64, 301 * GEMM_COLS * sizeof(*panel));
	float *tile = aligned_alloc(64, 20 * GEMM_COLS * sizeof(*tile)), init[20];

	(void)state;
	fill(&rng, a, 20 * 310);
	fill(&rng, panel, 301 * GEMM_COLS);
	fill(&rng, init, 20);
	for (size_t rows = 1; rows <= 20; rows++) {
		for (size_t k = 0; k < sizeof(ks) / sizeof(ks[0]); k++) {
			for (int with = 0; with < 2; with++) {
				gemm_panel(a, 310, rows, ks[k], panel, with ? init : NULL, tile);
				for (size_t r = 0; r < rows; r++) {
					for (size_t c = 0; c < GEMM_COLS; c++) {
						float sum = with ? init[r] : 0;

						for (size_t i = 0; i < ks[k]; i++) {
							/* volatile: a compiler may not fuse the product into the sum */
							volatile float product = a[r * 310 + i] * panel[i * GEMM_COLS + c];

							sum += product;
						}
						assert_memory_equal(&sum, &tile[r * GEMM_COLS + c], sizeof(sum));
					}
				}
			}
		}
	}
	free(a);
	free(panel);
	free(tile);
}

static void test_axpy(void **state)
{
	struct test_rng rng = { 2 };
	float x[100], y[100], want[100];

	(void)state;
	for (size_t n = 0; n <= 100; n++) {
		fill(&rng, x, 100);
		fill(&rng, y, 100);
		memcpy(want, y, sizeof(y));
		for (size_t i = 0; i < n; i++) {
			volatile float product = 0.7f * x[i];

			want[i] += product;
		}
		gemm_axpy(y, 0.7f, x, n);
		assert_memory_equal(want, y, sizeof(y));
	}
}

static void test_dot(void **state)
{
	struct test_rng rng = { 3 };
	float x[100], y[100];

	(void)state;
	for (size_t n = 0; n <= 100; n++) {
		float sums[16] = { 0 }, got;

		fill(&rng, x, 100);
		fill(&rng, y, 100);
		for (size_t i = 0; i < n; i++) {
			volatile float product = x[i] * y[i];

			sums[i % 16] += product;
		}
		for (size_t half = 8; half; half /= 2)
			for (size_t i = 0; i < half; i++)
				sums[i] += sums[i + half];
		got = gemm_dot(x, y, n);
		assert_memory_equal(&sums[0], &got, sizeof(got));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_panel), cmocka_unit_test(test_axpy), cmocka_unit_test(test_dot) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
