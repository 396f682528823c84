// SPDX-License-Identifier: GPL-2.0 OR MIT
/* Calibration items as they could have been: between two of them, moved, always the same ones, and never made of what is held out. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>
#include "compress_tune.h"
#include "onnx_build.h"

enum { ITEMS = 64, CHANNELS = 2, HEIGHT = 16, WIDTH = 24, COUNT = CHANNELS * HEIGHT * WIDTH, TRIES = 4000 };

struct fixture {
	struct accel_network *net;
	struct blas blas;
	struct grad *g;
	struct tune tune;
	const float **list;
	float *items;
};

/* Item i is everywhere its number plus a fraction of its place: what is mixed tells of both. Held-out items are far off. */
static float value_at(unsigned int item, unsigned int k)
{
	return (tune_held(item) ? 1e6f : (float)item) + (float)k / (2 * COUNT);
}

static int setup(void **state)
{
	static const int64_t image[4] = { 1, CHANNELS, HEIGHT, WIDTH };
	struct fixture *f = calloc(1, sizeof(*f));
	struct ob *b = ob_new(13);
	struct accel_error err;
	bool none[8] = { false };

	ob_input(b, "x", 1, 4, image);
	ob_node(b, "Relu", "x", "y");
	ob_output(b, "y");
	if (ob_load(b, NULL, &f->net, &err) || blas_open(&f->blas, &err) || f->net->nvalues > 8 || grad_new(&f->blas, f->net, none, f->net->outputs[0], 1, &f->g, &err))
		return -1;
	ob_free(b);
	f->items = malloc(ITEMS * COUNT * sizeof(*f->items));
	for (unsigned int i = 0; i < ITEMS * COUNT; i++)
		f->items[i] = value_at(i / COUNT, i % COUNT);
	f->list = malloc(sizeof(*f->list));
	f->list[0] = f->items;
	f->tune = (struct tune){ .list = f->list, .all = ITEMS, .items = ITEMS };
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	grad_free(f->g);
	blas_close(&f->blas);
	net_free(f->net);
	free(f->items);
	free(f->list);
	free(f);
	return 0;
}

/* The share that is varied, and none of it when nothing is to be. */
static void test_share(void **state)
{
	struct fixture *f = *state;

	for (double share = 0; share <= 1; share += 0.25) {
		unsigned int varied = 0;

		for (uint64_t i = 0; i < TRIES; i++)
			varied += tune_vary(f->g, f->net, &f->tune, i % ITEMS, share, (i + 1) * 0x9e3779b97f4a7c15ull);
		if (fabs((double)varied / TRIES - share) > 0.03)
			fail_msg("%u of %u for %g", varied, TRIES, share);
	}
}

/* Where in the image the plane begins, from the value in its corner: a fraction of the place, whatever it is mixed with, for both have the same. */
static void test_inputs(void **state)
{
	struct fixture *f = *state;
	float *x = grad_value(f->g, f->net->inputs[0]), again[COUNT];
	unsigned int alone = 0, moved = 0;

	for (uint64_t i = 0; i < TRIES; i++) {
		uint64_t random = (i + 1) * 0x9e3779b97f4a7c15ull;
		unsigned int item = i % ITEMS;
		double base;

		if (tune_held(item))
			continue;
		assert_true(tune_vary(f->g, f->net, &f->tune, item, 1, random));
		memcpy(again, x, sizeof(again));
		memset(x, 0, sizeof(again));
		assert_true(tune_vary(f->g, f->net, &f->tune, item, 1, random));
		assert_memory_equal(again, x, sizeof(again));
		/* the least value of a plane is that of its first place */
		base = INFINITY;
		for (unsigned int k = 0; k < COUNT; k++)
			base = fmin(base, (double)x[k]);
		/* between the item and another one, no more than half of the way; nothing of a held-out one */
		assert_true(base > -0.01 && base < ITEMS);
		assert_true(fabs(base - item) <= 0.51 * (ITEMS - 1));
		alone += fabs(base - item) < 1e-3;
		moved += fabs((double)x[0] - base) > 1e-4;
		for (unsigned int k = 0; k < COUNT; k++)
			assert_true((double)x[k] >= base - 1e-4 && (double)x[k] <= base + 0.5 + 1e-4);
	}
	/* half of them are mixed, and nearly all are moved */
	assert_in_range(alone, TRIES * 7 / 8 * 45 / 100, TRIES * 7 / 8 * 57 / 100);
	assert_in_range(moved, TRIES * 7 / 8 * 85 / 100, TRIES);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test_setup_teardown(test_share, setup, teardown), cmocka_unit_test_setup_teardown(test_inputs, setup, teardown) };

	return cmocka_run_group_tests_name("vary", tests, NULL, NULL);
}
