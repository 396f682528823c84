// SPDX-License-Identifier: GPL-2.0 OR MIT
/* Depthwise convolutions and their derivatives, of random geometries, against sums written down plainly. */
#include <math.h>
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>
#include "depthwise.h"
#include "seed.h"

#define CASES 400u

static uint64_t state = 5;

static uint32_t below(uint32_t n)
{
	return (uint32_t)(seed_uniform(&state) * n);
}

static float *seeded(uint64_t n)
{
	float *p = malloc((n + 1) * sizeof(*p));

	assert_non_null(p);
	for (uint64_t i = 0; i < n; i++)
		p[i] = (float)(2 * seed_uniform(&state) - 1);
	return p;
}

/* A window of up to three dimensions; false: it would have no output. */
static bool random_window(struct window *w)
{
	w->ndim = 3;
	w->in_count = w->out_count = w->kernel_count = 1;
	for (unsigned int d = 0; d < WINDOW_DIMS; d++) {
		bool line = d == 2;
		int64_t room;

		w->in[d] = 1 + below(line ? 70 : d ? 9 : 3);
		w->kernel[d] = 1 + below(line ? 8 : d ? 5 : 2);
		w->stride[d] = line ? 1 : 1 + below(3);
		w->dilation[d] = line ? 1 : 1 + below(2);
		w->pad[d] = below(w->kernel[d]);
		w->pad_end[d] = below(w->kernel[d]);
		room = w->in[d] + w->pad[d] + w->pad_end[d] - (int64_t)(w->kernel[d] - 1) * w->dilation[d] - 1;
		if (room < 0)
			return false;
		w->out[d] = (uint32_t)(room / w->stride[d]) + 1;
		w->in_count *= w->in[d];
		w->out_count *= w->out[d];
		w->kernel_count *= w->kernel[d];
	}
	return true;
}

/* Calls for each product of an output, an input and a weight. */
static void products(const struct window *w, void (*each)(void *arg, uint64_t out, uint64_t in, uint64_t weight), void *arg)
{
	for (uint64_t o = 0; o < w->out_count; o++) {
		for (uint64_t k = 0; k < w->kernel_count; k++) {
			uint64_t left_o = o, left_k = k, in = 0, step = 1;
			bool there = true;

			for (unsigned int d = WINDOW_DIMS; d-- > 0;) {
				int64_t at = (int64_t)(left_o % w->out[d]) * w->stride[d] + (int64_t)(left_k % w->kernel[d]) * w->dilation[d] - w->pad[d];

				there = there && at >= 0 && at < w->in[d];
				in += (uint64_t)at * step;
				step *= w->in[d];
				left_o /= w->out[d];
				left_k /= w->kernel[d];
			}
			if (there)
				each(arg, o, in, k);
		}
	}
}

struct numbers {
	const float *x, *weight, *dy;
	double *y, *dx, *dw;
};

static void add_product(void *arg, uint64_t out, uint64_t in, uint64_t weight)
{
	struct numbers *n = arg;

	n->y[out] += (double)n->x[in] * (double)n->weight[weight];
	n->dx[in] += (double)n->dy[out] * (double)n->weight[weight];
	n->dw[weight] += (double)n->dy[out] * (double)n->x[in];
}

static void assert_near(const float *got, const double *want, uint64_t n, const char *what)
{
	for (uint64_t i = 0; i < n; i++)
		if (!(fabs((double)got[i] - want[i]) <= 1e-5 * (1 + fabs(want[i]))))
			fail_msg("%s %llu is %g, not %g", what, (unsigned long long)i, (double)got[i], want[i]);
}

static void one(const struct window *w)
{
	float *x = seeded(w->in_count), *weight = seeded(w->kernel_count), *dy = seeded(w->out_count);
	float *y = seeded(w->out_count), *dx = seeded(w->in_count), *dw = seeded(w->kernel_count);
	/* just so many: the sanitizer's twin of this test sees what is beside it */
	float *scratch = malloc(depthwise_scratch(w) * sizeof(*scratch)), *back = malloc(depthwise_back_scratch(w) * sizeof(*back));
	struct numbers n = { x, weight, dy, calloc(w->out_count, sizeof(double)), calloc(w->in_count, sizeof(double)), calloc(w->kernel_count, sizeof(double)) };

	assert_true(scratch && back && n.y && n.dx && n.dw);
	/* what was in the scratch is nobody's business */
	memset(scratch, 0xff, depthwise_scratch(w) * sizeof(*scratch));
	memset(back, 0xff, depthwise_back_scratch(w) * sizeof(*back));
	for (uint64_t i = 0; i < w->out_count; i++)
		n.y[i] = 0.5;
	for (uint64_t i = 0; i < w->in_count; i++)
		n.dx[i] = (double)dx[i];
	for (uint64_t i = 0; i < w->kernel_count; i++)
		n.dw[i] = (double)dw[i];
	products(w, add_product, &n);
	depthwise_run(w, x, weight, 0.5f, y, scratch);
	assert_near(y, n.y, w->out_count, "output");
	depthwise_back(w, x, weight, dy, dx, NULL, back);
	depthwise_back(w, x, weight, dy, NULL, dw, back);
	assert_near(dx, n.dx, w->in_count, "derivative by input");
	assert_near(dw, n.dw, w->kernel_count, "derivative by weight");
	free(x);
	free(weight);
	free(dy);
	free(y);
	free(dx);
	free(dw);
	free(scratch);
	free(back);
	free(n.y);
	free(n.dx);
	free(n.dw);
}

static void test_random(void **unused)
{
	unsigned int taken = 0;

	(void)unused;
	while (taken < CASES) {
		struct window w = { 0 };

		if (!random_window(&w))
			continue;
		assert_true(depthwise_takes(&w));
		one(&w);
		taken++;
	}
}

static void test_not_taken(void **unused)
{
	struct window w = { .ndim = 2, .in = { 1, 9, 9 }, .out = { 1, 9, 9 }, .kernel = { 1, 3, 3 }, .stride = { 1, 1, 1 }, .dilation = { 1, 1, 1 }, .pad = { 0, 1, 1 } };

	(void)unused;
	assert_true(depthwise_takes(&w));
	w.stride[2] = 2;
	assert_false(depthwise_takes(&w));
	w.stride[2] = 1;
	w.dilation[2] = 2;
	assert_false(depthwise_takes(&w));
	w.dilation[2] = 1;
	w.kernel[2] = 9;
	assert_false(depthwise_takes(&w));
	w.kernel[2] = 3;
	w.pad[2] = 3;
	assert_false(depthwise_takes(&w));
	w.pad[2] = 1;
	w.kernel[1] = 65;
	assert_false(depthwise_takes(&w));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_random),
		cmocka_unit_test(test_not_taken),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
