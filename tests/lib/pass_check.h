/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/* Networks as they are and after the passes: parts to make them of, and both run on the same numbers. */
#ifndef TESTS_LIB_PASS_CHECK_H
#define TESTS_LIB_PASS_CHECK_H

#include <math.h>
#include "models.h"
#include "netrun.h"
#include "onnx_build.h"
#include "op.h"

static inline void random_floats(struct test_rng *rng, float *v, size_t n, double lo, double hi)
{
	for (size_t i = 0; i < n; i++)
		v[i] = (float)(lo + (hi - lo) * test_uniform(rng));
}

/* Runs a network of one float input with seeded numbers; the caller frees what is returned: [noutputs] arrays. */
static inline float **outputs(struct accel_network *net, unsigned int threads, unsigned int batch)
{
	struct test_rng rng = { 99 };
	struct accel_error err;
	struct netrun *run;
	float **out = calloc(net->noutputs, sizeof(*out));

	if (netrun_new(net, batch, threads, NULL, NULL, &run, &err))
		fail_msg("%s", err.text);
	for (unsigned int i = 0; i < net->ninputs; i++)
		random_floats(&rng, netrun_value(run, net->inputs[i]), net->values[net->inputs[i]].count * batch, -2, 2);
	assert_int_equal(netrun_run(run, &err), 0);
	for (unsigned int i = 0; i < net->noutputs; i++) {
		size_t bytes = net->values[net->outputs[i]].count * batch * sizeof(float);

		out[i] = malloc(bytes);
		memcpy(out[i], netrun_value(run, net->outputs[i]), bytes);
	}
	netrun_free(run);
	return out;
}

static inline void free_outputs(float **out, unsigned int n)
{
	for (unsigned int i = 0; i < n; i++)
		free(out[i]);
	free(out);
}

/* The network as it is and after the passes: outputs equal within tolerance (0: every bit). Returns the optimised one. */
static inline struct accel_network *compare(const struct ob *b, double tolerance)
{
	const struct onnx_options keep = { .keep = true };
	struct accel_network *plain, *optimised;
	struct accel_error err = { 0 };
	float **x, **y;

	if (ob_load(b, &keep, &plain, &err) || ob_load(b, NULL, &optimised, &err))
		fail_msg("%s", err.text);
	assert_int_equal(net_check(optimised, &err), 0);
	assert_int_equal(plain->noutputs, optimised->noutputs);
	x = outputs(plain, 1, 1);
	y = outputs(optimised, 2, 1);
	for (unsigned int i = 0; i < plain->noutputs; i++) {
		uint64_t n = plain->values[plain->outputs[i]].count;
		double most = 0;

		assert_int_equal(n, optimised->values[optimised->outputs[i]].count);
		for (uint64_t k = 0; k < n; k++)
			most = fmax(most, fabs((double)x[i][k]));
		for (uint64_t k = 0; k < n; k++)
			if (!(fabs((double)x[i][k] - (double)y[i][k]) <= tolerance * most))
				fail_msg("output %u, value %llu of %llu: %.9g, not %.9g", i, (unsigned long long)k, (unsigned long long)n,
					 (double)y[i][k], (double)x[i][k]);
	}
	free_outputs(x, plain->noutputs);
	free_outputs(y, optimised->noutputs);
	net_free(plain);
	return optimised;
}

static inline unsigned int count(const struct accel_network *net, const char *op)
{
	unsigned int n = 0;

	for (unsigned int i = 0; i < net->nnodes; i++)
		n += !strcmp(net_op_name(&net->nodes[i]), op);
	return n;
}

/* ---------------------------------------------------------------- parts of networks */

static inline void conv(struct ob *b, struct test_rng *rng, const char *in, const char *out, int64_t cin, int64_t cout, int64_t k, bool bias)
{
	int64_t dims[4] = { cout, cin, k, k }, pads[4] = { k / 2, k / 2, k / 2, k / 2 };
	float w[4096], v[64];
	char name[64], list[160];
	Onnx__NodeProto *n;

	assert_true(cout * cin * k * k <= 4096 && cout <= 64);
	random_floats(rng, w, (size_t)(cout * cin * k * k), -1, 1);
	random_floats(rng, v, (size_t)cout, -1, 1);
	snprintf(name, sizeof(name), "%.50s.w", out);
	ob_floats(b, name, 4, dims, w);
	snprintf(list, sizeof(list), "%s,%s", in, name);
	if (bias) {
		snprintf(name, sizeof(name), "%.50s.b", out);
		ob_floats(b, name, 1, dims, v);
		snprintf(list, sizeof(list), "%s,%.50s.w,%.50s.b", in, out, out);
	}
	n = ob_node(b, "Conv", list, out);
	ob_attr_ints(b, n, "pads", 4, pads);
}

static inline void batch_norm(struct ob *b, struct test_rng *rng, const char *in, const char *out, int64_t channels)
{
	static const char *const parts[] = { "scale", "shift", "mean", "variance" };
	char name[64], list[320];
	float v[64];
	int at = snprintf(list, sizeof(list), "%s", in);

	for (int i = 0; i < 4; i++) {
		random_floats(rng, v, (size_t)channels, i == 3 ? 0.5 : -1, 2);
		snprintf(name, sizeof(name), "%.40s.%s", out, parts[i]);
		ob_floats(b, name, 1, &channels, v);
		at += snprintf(list + at, sizeof(list) - (size_t)at, ",%s", name);
	}
	ob_node(b, "BatchNormalization", list, out);
}

static inline struct ob *image_network(int64_t channels)
{
	const int64_t dims[4] = { 1, channels, 9, 11 };
	struct ob *b = ob_new(13);

	ob_input(b, "x", 1, 4, dims);
	return b;
}

#endif
