// SPDX-License-Identifier: GPL-2.0 OR MIT
/* What a changed network is judged by: its first output, or the scores that a softmax makes it of. */
#include <math.h>
#include <unistd.h>
#include "compress_judge.h"
#include "onnx_build.h"
#include "seed.h"

#define FILE_NAME "judge-test.onnx"
#define ITEMS     9u
#define IN        5u
#define OUT       4u

static float weights[IN * OUT], items[ITEMS * IN];

/* x [1, IN] -> MatMul -> s [1, OUT], as large that a softmax of it is next to 0 or 1. */
static struct accel_network *network(bool softmax, bool wide)
{
	static const int64_t x[2] = { 1, IN }, w[2] = { IN, OUT };
	const struct onnx_options options = { 0 };
	struct accel_network *net = NULL;
	struct ob *b = ob_new(13);

	ob_input(b, "x", 1, 2, x);
	ob_floats(b, "w", 2, w, weights);
	ob_node(b, "MatMul", "x,w", softmax ? "s" : "y");
	if (softmax)
		ob_node(b, "Softmax", "s", "y");
	if (wide)
		ob_node(b, "Exp", "y", "z");
	ob_output(b, wide ? "z" : "y");
	ob_save(b, FILE_NAME);
	ob_free(b);
	assert_int_equal(onnx_open(FILE_NAME, &options, &net, NULL), 0);
	unlink(FILE_NAME);
	return net;
}

/* Of weights that were multiplied with 1.1: by the judge. */
static double judged(bool softmax, bool wide, uint64_t *count, uint32_t *out)
{
	const float *const values[1] = { items };
	const struct calib_inputs in = { .n = ITEMS, .values = values };
	struct judge j = { .in = &in, .items = ITEMS / 2, .first = 1, .step = 2 };
	struct accel_network *net = network(softmax, wide);
	struct netrun *run;
	double error;

	assert_int_equal(netrun_new(net, 1, 1, NULL, NULL, &run, NULL), 0);
	assert_int_equal(judge_new(&j, net, run, NULL), 0);
	assert_int_equal(judge_error(&j, net, run, &error, NULL), 0);
	assert_true(error == JUDGE_FLOOR);
	for (uint32_t v = 0; v < net->nvalues; v++)
		for (uint64_t i = 0; net->values[v].data && i < net->values[v].count; i++)
			((float *)net->values[v].data)[i] *= 1.1f;
	assert_int_equal(judge_error(&j, net, run, &error, NULL), 0);
	*count = j.count;
	*out = j.out;
	judge_free(&j);
	netrun_free(run);
	net_free(net);
	return error;
}

/* The same, from the definition: items 1, 3, 5 and 7. */
static double computed(void)
{
	double sum = 0, variance = 0;

	for (unsigned int k = 0; k < OUT; k++) {
		double all = 0, squares = 0;

		for (unsigned int i = 1; i < ITEMS; i += 2) {
			double y = 0;

			for (unsigned int c = 0; c < IN; c++)
				y += (double)items[i * IN + c] * (double)weights[c * OUT + k];
			all += y;
			squares += y * y;
			sum += 0.01 * y * y;
		}
		variance += squares - all * all / (ITEMS / 2);
	}
	return sum / variance;
}

static void test_scores(void **state)
{
	uint64_t random = SEED_START, count;
	double plain, probable;
	uint32_t out, before;

	(void)state;
	for (unsigned int i = 0; i < IN * OUT; i++)
		weights[i] = (float)(60 * (seed_uniform(&random) - 0.5));
	for (unsigned int i = 0; i < ITEMS * IN; i++)
		items[i] = (float)(seed_uniform(&random) - 0.5);
	plain = judged(false, false, &count, &out);
	assert_int_equal(count, OUT);
	if (fabs(plain - computed()) > 1e-5 * computed())
		fail_msg("%g, by definition %g", plain, computed());
	/* the same number with a softmax behind them */
	probable = judged(true, false, &count, &before);
	assert_int_equal(count, OUT);
	assert_true(probable == plain);
	/* one that is not the last node is no output's */
	assert_true(judged(true, true, &count, &out) != plain);
	assert_true(out != before);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_scores) };

	return cmocka_run_group_tests_name("judge", tests, NULL, NULL);
}
