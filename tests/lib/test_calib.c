// SPDX-License-Identifier: GPL-2.0 OR MIT
/* Calibration: ranges of each method from known values, scale groups, signal to noise and saturation counted again by hand. */
#include "onnx_build.h"

#include <errno.h>
#include <math.h>
#include "calib.h"
#include "onnx.h"

#define N 1000

/* a = relu(x), b = x * 2, c = concat(a, b), p = maxpool(c), s = a + y, z = log(x): not finite below 0 */
static struct accel_network *network(void)
{
	static const int64_t dims[4] = { 1, 1, 1, N }, kernel[2] = { 1, 1 };
	struct onnx_options options = { .keep = true };
	struct accel_network *net = NULL;
	struct accel_error err = { 0 };
	struct ob *b = ob_new(13);

	ob_input(b, "x", 1, 4, dims);
	ob_input(b, "y", 1, 4, dims);
	ob_scalar(b, "two", 2);
	ob_node(b, "Relu", "x", "a");
	ob_node(b, "Mul", "x,two", "b");
	ob_attr_int(b, ob_node(b, "Concat", "a,b", "c"), "axis", 1);
	ob_attr_ints(b, ob_node(b, "MaxPool", "c", "p"), "kernel_shape", 2, kernel);
	ob_node(b, "Add", "a,y", "s");
	ob_node(b, "Log", "x", "z");
	ob_output(b, "p");
	ob_output(b, "s");
	ob_output(b, "z");
	if (ob_load(b, &options, &net, &err))
		fail_msg("%s", err.text);
	ob_free(b);
	return net;
}

static const struct calib_range *range(const struct accel_network *net, const struct calib *c, const char *name)
{
	for (uint32_t v = 0; v < net->nvalues; v++)
		if (!strcmp(net->values[v].name, name))
			return &c->range[v];
	fail_msg("no value %s", name);
	return NULL;
}

/* Two items: -1 to 1 evenly, one value of 100 in the second. */
static void fill(float *x)
{
	for (int i = 0; i < 2 * N; i++)
		x[i] = (float)(i % N) / (N / 2) - 1;
	x[N + 7] = 100;
}

static void methods(void **state)
{
	static float x[2 * N], y[2 * N];
	const float *values[2] = { x, y };
	struct calib_inputs in = { .n = 2, .values = values };
	struct accel_network *net = network();
	struct calib *c;

	(void)state;
	fill(x);
	for (int i = 0; i < 2 * N; i++)
		y[i] = 3;
	assert_int_equal(calib_new(net, &in, &c, NULL), 0);
	assert_true(range(net, c, "x")->least == -1 && range(net, c, "x")->greatest == 100);
	assert_true(range(net, c, "x")->lo == -1.25f && range(net, c, "x")->hi == 125);
	assert_true(range(net, c, "a")->lo == 0 && range(net, c, "a")->hi == 125);
	assert_true(range(net, c, "b")->lo == -2.5f && range(net, c, "b")->hi == 250);
	assert_true(range(net, c, "s")->least == 0 && range(net, c, "s")->greatest == 103);
	assert_true(!range(net, c, "z")->finite && range(net, c, "s")->finite && !c->guessed);
	calib_free(c);

	/* one of 2000 is far away: 99.9 % leave it out, 99.99 % do not */
	in.method = ACCEL_CALIB_PERCENTILE;
	in.percentile = 99.9;
	assert_int_equal(calib_new(net, &in, &c, NULL), 0);
	assert_true(range(net, c, "x")->hi < 1.1f && range(net, c, "x")->hi > 0.98f && range(net, c, "x")->lo >= -1);
	assert_int_equal(calib_report(net, &in, c, NULL), 0);
	assert_int_equal(range(net, c, "x")->saturated, 1);
	assert_int_equal(range(net, c, "x")->values, 2 * N);
	calib_free(c);
	in.percentile = 99.99;
	assert_int_equal(calib_new(net, &in, &c, NULL), 0);
	assert_true(range(net, c, "x")->hi > 99);
	calib_free(c);

	/* no margin and no worse than the widest range */
	in.method = ACCEL_CALIB_MSE;
	assert_int_equal(calib_new(net, &in, &c, NULL), 0);
	assert_true(range(net, c, "y")->hi <= 3 && range(net, c, "y")->hi > 2.99f);
	assert_int_equal(calib_report(net, &in, c, NULL), 0);
	{
		const struct calib_range *r = range(net, c, "x");
		double scale = (double)r->hi / 32767, noise = 0, signal = 0;
		uint64_t cut = 0;

		for (int i = 0; i < 2 * N; i++) {
			double v = (double)x[i], q = rint(v / scale) * scale;

			q = v > (double)r->hi ? (double)r->hi : v < (double)r->lo ? (double)r->lo : q;
			cut += v > (double)r->hi || v < (double)r->lo;
			noise += (v - q) * (v - q);
			signal += v * v;
		}
		assert_true(fabs(r->noise - noise) <= 1e-9 * noise && fabs(r->signal - signal) <= 1e-9 * signal);
		assert_int_equal(r->saturated, cut);
	}
	calib_free(c);
	net_free(net);
}

static void groups(void **state)
{
	static float x[N], y[N];
	const float *values[2] = { x, y };
	struct calib_inputs in = { .n = 1, .values = values };
	struct accel_network *net = network();
	struct calib *c;
	uint32_t g;

	(void)state;
	for (int i = 0; i < N; i++) {
		x[i] = (float)i - N / 2;
		y[i] = i ? -4 : 0;
	}
	assert_int_equal(calib_new(net, &in, &c, NULL), 0);
	/* a, b, c and p are joined by Concat and MaxPool; y by Add; s, the sum, is not */
	g = range(net, c, "a")->group;
	assert_true(range(net, c, "b")->group == g && range(net, c, "c")->group == g && range(net, c, "p")->group == g);
	assert_true(range(net, c, "y")->group == g && range(net, c, "s")->group != g && range(net, c, "x")->group != g);
	assert_true(range(net, c, "y")->lo == -5 && range(net, c, "y")->group_lo == -1250 && range(net, c, "y")->group_hi == 1.25f * 998);
	assert_true(range(net, c, "x")->group_lo == range(net, c, "x")->lo);
	calib_free(c);
	net_free(net);
}

/* Without inputs: seeded ones, the same each time, with a margin; one input alone may be given. */
static void seeded(void **state)
{
	static float y[N];
	const float *values[2] = { NULL, y };
	struct calib_inputs in = { 0 }, some = { .n = 1, .values = values };
	struct accel_network *net = network();
	struct calib *c, *again;

	(void)state;
	assert_int_equal(calib_new(net, &in, &c, NULL), 0);
	assert_int_equal(calib_new(net, &in, &again, NULL), 0);
	assert_true(c->guessed && range(net, c, "x")->hi > 3.9f && range(net, c, "x")->hi <= 4);
	for (uint32_t v = 0; v < net->nvalues; v++)
		assert_true(c->range[v].hi == again->range[v].hi && c->range[v].lo == again->range[v].lo);
	calib_free(c);
	calib_free(again);
	assert_int_equal(calib_new(net, &some, &c, NULL), 0);
	/* all zeros: a range must not be empty */
	assert_true(range(net, c, "y")->lo == 0 && range(net, c, "y")->hi == 1 && range(net, c, "x")->hi > 1.2f);
	calib_free(c);
	net_free(net);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(methods), cmocka_unit_test(groups), cmocka_unit_test(seeded) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
