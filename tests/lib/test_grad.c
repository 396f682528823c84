// SPDX-License-Identifier: GPL-2.0 OR MIT
/* Gradients against differences: of every rule, with strides, dilation, groups, padding, broadcasting and shared constants among them. */
#include <errno.h>
#include <math.h>
#include "grad.h"
#include "onnx_build.h"
#include "op.h"
#include "seed.h"

static uint64_t state = 77;
static struct blas blas;

static float *seeded(size_t n, double scale)
{
	float *w = malloc(n * sizeof(*w));

	assert_non_null(w);
	for (size_t i = 0; i < n; i++)
		w[i] = (float)(scale * (2 * seed_uniform(&state) - 1));
	return w;
}

static void constant(struct ob *b, const char *name, unsigned int ndim, const int64_t *dims, double scale)
{
	size_t n = 1;
	float *w;

	for (unsigned int i = 0; i < ndim; i++)
		n *= (size_t)dims[i];
	w = seeded(n, scale);
	ob_floats(b, name, ndim, dims, w);
	free(w);
}

#define DIMS(...) sizeof((int64_t[]){ __VA_ARGS__ }) / sizeof(int64_t), (int64_t[]){ __VA_ARGS__ }

static void ints(struct ob *b, Onnx__NodeProto *n, const char *name, unsigned int count, const int64_t *v)
{
	ob_attr_ints(b, n, name, count, v);
}

/*
 * Two images of three channels through convolutions (strided, dilated, in groups, padded on one side more), all activations, both poolings, a join, a gate as of squeeze and excitation,
 * and two matrices. Passes run: what they fuse, as activations into convolutions, is asked, too.
 */
static struct accel_network *network(void)
{
	struct ob *b = ob_new(14);
	struct accel_network *net;
	struct accel_error err = { 0 };
	Onnx__NodeProto *n;
	int ret;

	ob_input(b, "x", 1, DIMS(1, 4, 9, 11));
	constant(b, "w1", DIMS(6, 4, 3, 3), 0.4);
	constant(b, "b1", DIMS(6), 0.3);
	n = ob_node(b, "Conv", "x,w1,b1", "c1");
	ints(b, n, "pads", DIMS(1, 0, 1, 2));
	ints(b, n, "strides", DIMS(1, 2));
	ob_node(b, "HardSwish", "c1", "h1");
	constant(b, "w2", DIMS(6, 1, 3, 3), 0.5);
	n = ob_node(b, "Conv", "h1,w2", "c2");
	ob_attr_int(b, n, "group", 6);
	ints(b, n, "pads", DIMS(2, 2, 2, 2));
	ints(b, n, "dilations", DIMS(2, 2));
	ob_node(b, "Relu", "c2", "r2");
	constant(b, "w3", DIMS(4, 3, 1, 1), 0.6);
	n = ob_node(b, "Conv", "r2,w3", "c3");
	ob_attr_int(b, n, "group", 2);
	ob_node(b, "Sigmoid", "c3", "s3");
	n = ob_node(b, "LeakyRelu", "h1", "l1");
	n = ob_node(b, "Concat", "s3,l1,r2", "j");
	ob_attr_int(b, n, "axis", 1);
	n = ob_node(b, "MaxPool", "j", "m");
	ints(b, n, "kernel_shape", DIMS(3, 2));
	ints(b, n, "strides", DIMS(2, 1));
	ints(b, n, "pads", DIMS(1, 0, 1, 1));
	n = ob_node(b, "AveragePool", "m", "a");
	ints(b, n, "kernel_shape", DIMS(2, 3));
	ints(b, n, "pads", DIMS(1, 1, 0, 1));
	/* a gate for each channel */
	ob_node(b, "GlobalAveragePool", "a", "g");
	constant(b, "w4", DIMS(16, 16, 1, 1), 0.5);
	ob_node(b, "Conv", "g,w4", "g1");
	ob_node(b, "HardSigmoid", "g1", "g2");
	ob_node(b, "Mul", "a,g2", "mu");
	ob_node(b, "Tanh", "mu", "t");
	constant(b, "k1", DIMS(16, 1, 1), 0.7);
	ob_node(b, "Add", "t,k1", "ad");
	ob_node(b, "Sub", "ad,a", "su");
	constant(b, "k2", DIMS(1, 16, 5, 6), 0.2);
	ob_node(b, "Abs", "k2", "k3");
	ob_node(b, "Add", "k3,one", "k4");
	ob_floats(b, "one", 0, NULL, (float[]){ 1 });
	ob_node(b, "Div", "su,k4", "di");
	ob_node(b, "Flatten", "di", "f");
	constant(b, "m1", DIMS(12, 480), 0.1);
	constant(b, "mb", DIMS(12), 0.4);
	n = ob_node(b, "Gemm", "f,m1,mb", "y1");
	ob_attr_int(b, n, "transB", 1);
	ob_node(b, "Identity", "y1", "i");
	constant(b, "m2", DIMS(12, 5), 0.5);
	ob_node(b, "MatMul", "i,m2", "y2");
	constant(b, "m3", DIMS(5, 4), 0.5);
	ob_node(b, "Gemm", "y2,m3", "y");
	ob_output(b, "y");
	ret = ob_load(b, NULL, &net, &err);
	if (ret)
		fail_msg("%s", err.text);
	ob_free(b);
	return net;
}

/* Sum of the output's values times d. */
static double value_of(struct grad *g, const struct accel_network *net, const float *d)
{
	double sum = 0;
	const float *y;

	grad_run(g);
	y = grad_value(g, net->outputs[0]);
	for (uint64_t i = 0; i < net->values[net->outputs[0]].count; i++)
		sum += (double)y[i] * (double)d[i];
	return sum;
}

static void test_differences(void **unused)
{
	struct accel_network *net = network();
	bool *wanted = calloc(net->nvalues, sizeof(*wanted));
	const struct net_node *missing;
	float *x = seeded(4 * 9 * 11, 1), d[4] = { 1, -0.5f, 0.25f, 2 };
	unsigned int constants = 0, asked = 0;
	struct grad *g;

	(void)unused;
	for (uint32_t v = 0; v < net->nvalues; v++) {
		wanted[v] = net->values[v].data && net->values[v].type == NET_F32 && net->values[v].count > 1;
		constants += wanted[v];
	}
	assert_true(constants >= 9);
	assert_int_equal(grad_missing(net, wanted, net->outputs[0], &missing), 0);
	assert_null(missing);
	assert_int_equal(grad_new(&blas, net, wanted, net->outputs[0], 1, &g, NULL), 0);
	memcpy(grad_value(g, net->inputs[0]), x, 4 * 9 * 11 * sizeof(*x));
	value_of(g, net, d);
	grad_back(g, d);
	for (uint32_t v = 0; v < net->nvalues; v++) {
		float *w = net->values[v].data, *sum;
		uint64_t n = net->values[v].count;

		if (!wanted[v])
			continue;
		sum = grad_sum(g, v);
		for (uint64_t k = 0; k < 12; k++) {
			uint64_t at = k * n / 12;
			float was = w[at];
			double h = 2e-3, a, b, c, e, slope;

			/* where a piecewise function bends nearby, the two halves differ: there is no derivative to compare with */
			w[at] = was + (float)h;
			a = value_of(g, net, d);
			w[at] = was - (float)h;
			b = value_of(g, net, d);
			w[at] = was;
			c = value_of(g, net, d);
			slope = (a - b) / (2 * h);
			e = fabs((a - c) - (c - b)) / h;
			if (e > 0.01 * (fabs(slope) + 0.1))
				continue;
			asked++;
			if (fabs(slope - (double)sum[at]) > 0.02 * (fabs(slope) + 0.1))
				fail_msg("value %u '%s' element %llu of %llu: %g, by differences %g", v, net->values[v].name, (unsigned long long)at,
					 (unsigned long long)n, (double)sum[at], slope);
		}
	}
	/* most have one */
	if (asked < constants * 12 * 3 / 4)
		fail_msg("only %u of %u could be asked", asked, constants * 12);
	/* sums go on: a second run doubles them */
	{
		uint32_t v = net->nodes[0].in[1];
		float before = grad_sum(g, v)[0];

		value_of(g, net, d);
		grad_back(g, d);
		assert_true(fabsf(grad_sum(g, v)[0] - 2 * before) <= 1e-4f * fabsf(before));
	}
	grad_free(g);
	free(wanted);
	free(x);
	net_free(net);
}

/* Derivatives that begin on the way are what they are where that value is the output, and those of the output add to them. */
static void test_on_the_way(void **unused)
{
	struct accel_network *net = network();
	uint32_t inner = net->nodes[0].out[0], w = net->nodes[0].in[1];
	uint64_t n = net->values[inner].count, count = net->values[w].count;
	float *x = seeded(4 * 9 * 11, 1), *d = seeded(n, 2), last[4] = { 1, -0.5f, 0.25f, 2 }, *want = calloc(count, sizeof(*want)), *sum;
	bool *wanted = calloc(net->nvalues, sizeof(*wanted));
	struct grad *g[2];
	double most = 0;

	(void)unused;
	wanted[w] = true;
	for (int i = 0; i < 2; i++) {
		assert_int_equal(grad_new(&blas, net, wanted, i ? inner : net->outputs[0], i, &g[i], NULL), 0);
		memcpy(grad_value(g[i], net->inputs[0]), x, 4 * 9 * 11 * sizeof(*x));
		grad_run(g[i]);
		grad_back(g[i], i ? d : last);
		for (uint64_t k = 0; k < count; k++)
			want[k] += grad_sum(g[i], w)[k];
	}
	sum = grad_sum(g[0], w);
	memset(sum, 0, count * sizeof(*sum));
	grad_begin(g[0]);
	memcpy(grad_by(g[0], net->outputs[0]), last, sizeof(last));
	for (uint64_t k = 0; k < n; k++)
		grad_by(g[0], inner)[k] += d[k];
	grad_end(g[0]);
	for (uint64_t k = 0; k < count; k++)
		most = fmax(most, fabs((double)want[k]));
	assert_true(most > 0);
	for (uint64_t k = 0; k < count; k++)
		if (fabs((double)sum[k] - (double)want[k]) > 1e-4 * most)
			fail_msg("weight %llu: %g, not %g", (unsigned long long)k, (double)sum[k], (double)want[k]);
	/* inputs and constants lead nowhere */
	assert_null(grad_by(g[0], w));
	assert_null(grad_by(g[0], net->inputs[0]));
	for (int i = 0; i < 2; i++)
		grad_free(g[i]);
	free(wanted);
	free(want);
	free(x);
	free(d);
	net_free(net);
}

/* An operator without a rule is named, if it lies between; beyond, nobody cares. */
static void test_missing(void **unused)
{
	struct ob *b = ob_new(13);
	struct accel_network *net;
	struct accel_error err = { 0 };
	const struct net_node *missing;
	bool wanted[64] = { false };

	(void)unused;
	ob_input(b, "x", 1, DIMS(1, 6));
	ob_node(b, "Erf", "x", "e");
	constant(b, "w", DIMS(6, 3), 1);
	ob_node(b, "MatMul", "e,w", "y");
	ob_node(b, "Erf", "y", "z");
	ob_output(b, "z");
	if (ob_load(b, NULL, &net, &err))
		fail_msg("%s", err.text);
	for (uint32_t v = 0; v < net->nvalues; v++)
		wanted[v] = net->values[v].data;
	assert_int_equal(grad_missing(net, wanted, net->outputs[0], &missing), 0);
	assert_non_null(missing);
	assert_string_equal(net_op_name(missing), "Erf");
	assert_int_equal(missing - net->nodes, 2);
	assert_int_equal(grad_missing(net, wanted, net->nodes[1].out[0], &missing), 0);
	assert_null(missing);
	net_free(net);
	ob_free(b);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_differences), cmocka_unit_test(test_on_the_way), cmocka_unit_test(test_missing) };
	struct accel_error err = { 0 };
	int failed;

	if (blas_open(&blas, &err)) {
		fprintf(stderr, "%s\n", err.text);
		return 1;
	}
	failed = cmocka_run_group_tests_name("grad", tests, NULL, NULL);
	blas_close(&blas);
	return failed;
}
