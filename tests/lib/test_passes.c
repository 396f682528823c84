// SPDX-License-Identifier: GPL-2.0 OR MIT
/* Graph passes: each does what it is for, and seeded random networks compute the same with and without them. */
#include <errno.h>
#include "pass_check.h"

/* ---------------------------------------------------------------- one pass each */

static void test_batch_norm(void **state)
{
	struct test_rng rng = { 1 };
	struct accel_network *net;

	(void)state;
	for (int bias = 0; bias < 2; bias++) {
		struct ob *b = image_network(3);

		conv(b, &rng, "x", "y", 3, 5, 3, bias);
		batch_norm(b, &rng, "y", "z", 5);
		ob_output(b, "z");
		net = compare(b, 1e-5);
		assert_int_equal(net->nnodes, 1);
		assert_int_equal(count(net, "Conv"), 1);
		net_free(net);
		ob_free(b);
	}
}

/* With what scales and shifts behind it, and the activation, one convolution of a pixel. */
static void test_batch_norm_alone(void **state)
{
	struct test_rng rng = { 1 };
	struct accel_network *net;
	struct ob *b = image_network(3);
	const int64_t shape[3] = { 5, 1, 1 };
	float v[5];

	(void)state;
	/* the convolution's own result is wanted too */
	conv(b, &rng, "x", "y", 3, 5, 3, true);
	batch_norm(b, &rng, "y", "z", 5);
	ob_output(b, "z");
	ob_output(b, "y");
	net = compare(b, 1e-5);
	assert_int_equal(count(net, "BatchNormalization"), 0);
	assert_int_equal(net->nnodes, 2);
	net_free(net);
	ob_free(b);

	/* nothing before it is a convolution, and the factors are those of Caffe's two layers */
	b = image_network(5);
	batch_norm(b, &rng, "x", "y", 5);
	random_floats(&rng, v, 5, -2, 2);
	ob_floats(b, "factor", 3, shape, v);
	random_floats(&rng, v, 5, -2, 2);
	ob_floats(b, "shift", 3, shape, v);
	ob_node(b, "Mul", "y,factor", "z");
	ob_node(b, "Add", "shift,z", "u");
	ob_node(b, "Relu", "u", "w");
	ob_output(b, "w");
	net = compare(b, 1e-5);
	assert_int_equal(net->nnodes, 1);
	assert_string_equal(net->nodes[0].op->name, "Conv");
	assert_int_equal(net->nodes[0].act.kind, NET_ACT_CLIP);
	net_free(net);
	ob_free(b);
}

static void test_channel_factors(void **state)
{
	const int64_t shape[3] = { 5, 1, 1 };
	struct test_rng rng = { 2 };
	struct accel_network *net;
	struct ob *b = image_network(3);
	float v[5];

	(void)state;
	random_floats(&rng, v, 5, -2, 2);
	ob_floats(b, "factor", 3, shape, v);
	random_floats(&rng, v, 5, -2, 2);
	ob_floats(b, "shift", 3, shape, v);
	conv(b, &rng, "x", "y", 3, 5, 1, false);
	ob_node(b, "Mul", "factor,y", "z");
	ob_node(b, "Add", "z,shift", "u");
	ob_node(b, "Relu", "u", "v");
	ob_output(b, "v");
	net = compare(b, 1e-5);
	assert_int_equal(net->nnodes, 1);
	assert_int_equal(net->nodes[0].act.kind, NET_ACT_CLIP);
	net_free(net);
	ob_free(b);
}

static void test_pad(void **state)
{
	const int64_t pads[8] = { 0, 0, 1, 2, 0, 0, 3, 0 };
	struct test_rng rng = { 3 };
	struct accel_network *net;
	struct ob *b = image_network(3);

	(void)state;
	ob_ints(b, "pads", 8, pads);
	ob_node(b, "Pad", "x,pads", "p");
	conv(b, &rng, "p", "y", 3, 4, 3, true);
	ob_output(b, "y");
	net = compare(b, 0);
	assert_int_equal(net->nnodes, 1);
	net_free(net);
	ob_free(b);
}

static void test_pad_stays(void **state)
{
	const int64_t channels[8] = { 0, 1, 0, 0, 0, 0, 0, 0 }, spatial[8] = { 0, 0, 1, 1, 0, 0, 1, 1 };

	(void)state;
	for (int i = 0; i < 2; i++) {
		struct test_rng rng = { 4 };
		struct accel_network *net;
		struct ob *b = image_network(3);

		/* channels are added; ones are added */
		ob_ints(b, "pads", 8, i ? spatial : channels);
		ob_scalar(b, "one", 1);
		ob_node(b, "Pad", i ? "x,pads,one" : "x,pads", "p");
		conv(b, &rng, "p", "y", i ? 3 : 4, 4, 3, true);
		ob_output(b, "y");
		net = compare(b, 0);
		assert_int_equal(count(net, "Pad"), 1);
		net_free(net);
		ob_free(b);
	}
}

static void test_hard_swish(void **state)
{
	/* as exporters write it: the bits of the first stay, the others round products elsewhere */
	static const char *const ways[][3][3] = {
		{ { "Mul", "x,r", "m" }, { "Div", "m,six", "y" } },
		{ { "Mul", "r,x", "m" }, { "Div", "m,six", "y" } },
		{ { "Div", "r,six", "m" }, { "Mul", "x,m", "y" } },
		{ { "Div", "r,six", "m" }, { "Mul", "m,x", "y" } },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++) {
		struct accel_network *net;
		struct ob *b = image_network(3);

		ob_scalar(b, "three", 3);
		ob_scalar(b, "zero", 0);
		ob_scalar(b, "six", 6);
		ob_node(b, "Add", i % 2 ? "three,x" : "x,three", "a");
		ob_node(b, "Clip", "a,zero,six", "r");
		for (int k = 0; k < 2; k++)
			ob_node(b, ways[i][k][0], ways[i][k][1], ways[i][k][2]);
		ob_output(b, "y");
		net = compare(b, i < 2 ? 0 : 1e-6);
		assert_int_equal(net->nnodes, 1);
		assert_int_equal(count(net, "HardSwish"), 1);
		net_free(net);
		ob_free(b);
	}
}

/* As exporters write it, the half at the end or with x, products or quotients; and what is nearly that. */
static void test_gelu(void **state)
{
	static const struct {
		const char *first, *scale, *last[2][3];
		float one;
		unsigned int gelus;
	} ways[] = {
		{ "Div", "root", { { "Mul", "x,a", "m" }, { "Mul", "m,half", "y" } }, 1, 1 },
		{ "Mul", "reciprocal", { { "Mul", "a,x", "m" }, { "Mul", "half,m", "y" } }, 1, 1 },
		{ "Div", "root", { { "Mul", "x,half", "m" }, { "Mul", "m,a", "y" } }, 1, 1 },
		{ "Mul", "root", { { "Mul", "x,a", "m" }, { "Mul", "m,half", "y" } }, 1, 0 },
		{ "Div", "root", { { "Mul", "x,a", "m" }, { "Mul", "m,half", "y" } }, 0.5f, 0 },
		{ "Div", "root", { { "Mul", "s,a", "m" }, { "Mul", "m,half", "y" } }, 1, 0 },
		{ "Div", "root", { { "Mul", "x,a", "m" }, { "Mul", "m,root", "y" } }, 1, 0 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++) {
		struct accel_network *net;
		struct ob *b = image_network(3);
		char scaled[32];

		ob_scalar(b, "root", 1.41421354f);
		ob_scalar(b, "reciprocal", 0.707106769f);
		ob_scalar(b, "half", 0.5f);
		ob_scalar(b, "one", ways[i].one);
		snprintf(scaled, sizeof(scaled), "x,%s", ways[i].scale);
		ob_node(b, ways[i].first, scaled, "s");
		ob_node(b, "Erf", "s", "e");
		ob_node(b, "Add", i % 2 ? "one,e" : "e,one", "a");
		for (int k = 0; k < 2; k++)
			ob_node(b, ways[i].last[k][0], ways[i].last[k][1], ways[i].last[k][2]);
		ob_output(b, "y");
		net = compare(b, ways[i].gelus ? 1e-6 : 0);
		assert_int_equal(count(net, "Gelu"), ways[i].gelus);
		assert_true(!ways[i].gelus || net->nnodes == 1);
		net_free(net);
		ob_free(b);
	}
}

static void test_not_hard_swish(void **state)
{
	(void)state;
	/* another slope, another factor, another limit */
	for (int i = 0; i < 3; i++) {
		struct accel_network *net;
		struct ob *b = image_network(3);

		ob_scalar(b, "three", 3);
		ob_scalar(b, "zero", 0);
		ob_scalar(b, "six", 6);
		ob_scalar(b, "five", 5);
		ob_node(b, "Add", "x,three", "a");
		ob_node(b, "Clip", i == 2 ? "a,zero,five" : "a,zero,six", "r");
		ob_node(b, "Mul", i == 1 ? "a,r" : "x,r", "m");
		ob_node(b, "Div", i == 0 ? "m,five" : "m,six", "y");
		ob_output(b, "y");
		net = compare(b, 0);
		assert_int_equal(count(net, "HardSwish"), 0);
		net_free(net);
		ob_free(b);
	}
}

static void test_activations(void **state)
{
	static const char *const acts[] = { "Relu", "Sigmoid", "HardSigmoid", "HardSwish" };

	(void)state;
	for (size_t i = 0; i < sizeof(acts) / sizeof(acts[0]); i++) {
		struct test_rng rng = { 5 };
		struct accel_network *net;
		struct ob *b = image_network(3);

		b->opset.version = 14;
		conv(b, &rng, "x", "y", 3, 4, 3, true);
		ob_node(b, acts[i], "y", "z");
		ob_output(b, "z");
		net = compare(b, 0);
		assert_int_equal(net->nnodes, 1);
		net_free(net);
		ob_free(b);
	}
}

static void test_identity_and_dead(void **state)
{
	struct test_rng rng = { 6 };
	struct accel_network *net;
	struct ob *b = image_network(3);

	(void)state;
	ob_node(b, "Identity", "x", "i");
	ob_node(b, "Dropout", "i", "d");
	conv(b, &rng, "d", "y", 3, 4, 3, true);
	conv(b, &rng, "y", "unused", 4, 4, 3, true);
	ob_node(b, "Identity", "y", "z");
	ob_output(b, "z");
	net = compare(b, 0);
	assert_int_equal(net->nnodes, 1);
	assert_string_equal(net->values[net->outputs[0]].name, "z");
	/* input, output, weights, bias: nothing of what is dead is left */
	assert_int_equal(net->nvalues, 4);
	net_free(net);
	ob_free(b);
}

/* A Dropout stays for whoever reads its mask: a node, the network's user, a branch. */
static void test_dropout(void **state)
{
	enum { NOBODY, A_NODE, THE_USER, A_BRANCH, READERS };
	const uint8_t yes = 1;

	(void)state;
	for (int reader = NOBODY; reader < READERS; reader++) {
		struct ob *b = image_network(3), *branch = ob_new(13);
		struct accel_network *net;
		struct accel_error err;
		unsigned int dropouts = 0;
		Onnx__NodeProto *n;

		ob_node(b, "Dropout", "x", "d,mask");
		ob_node(b, "Sin", "d", "y");
		ob_output(b, "y");
		if (reader == A_NODE) {
			ob_node(b, "Not", "mask", "z");
			ob_output(b, "z");
		} else if (reader == THE_USER) {
			ob_output(b, "mask");
		} else if (reader == A_BRANCH) {
			ob_node(branch, "Not", "mask", "inner");
			ob_output(branch, "inner");
			ob_tensor(b, "yes", 9, 0, NULL, &yes, 1);
			n = ob_node(b, "If", "yes", "z");
			ob_attr_graph(b, n, "then_branch", branch);
			ob_attr_graph(b, n, "else_branch", branch);
			ob_output(b, "z");
		}
		if (ob_load(b, NULL, &net, &err))
			fail_msg("%s", err.text);
		for (unsigned int i = 0; i < net->nnodes; i++)
			dropouts += !strcmp(net->nodes[i].op->name, "Dropout");
		assert_int_equal(dropouts, reader != NOBODY);
		net_free(net);
		ob_free(branch);
		ob_free(b);
	}
}

static void test_constant_folding(void **state)
{
	const int64_t tail[1] = { -1 }, zero[1] = { 0 };
	struct accel_network *net;
	struct ob *b = image_network(3);
	Onnx__NodeProto *n;

	(void)state;
	/* what exporters write for flatten: a shape made of the input's own */
	ob_ints(b, "tail", 1, tail);
	ob_ints(b, "zero", 1, zero);
	ob_node(b, "Shape", "x", "s");
	ob_node(b, "Gather", "s,zero", "n");
	n = ob_node(b, "Concat", "n,tail", "shape");
	ob_attr_int(b, n, "axis", 0);
	ob_node(b, "Reshape", "x,shape", "y");
	ob_output(b, "y");
	net = compare(b, 0);
	assert_int_equal(net->nnodes, 1);
	assert_int_equal(net->values[net->outputs[0]].dims[1], 3 * 9 * 11);
	net_free(net);
	ob_free(b);
}

/* ---------------------------------------------------------------- random networks */

/* Images of the same size all the way; names t0, t1, ...; every tensor may be read by any later node. */
static struct ob *random_network(uint64_t seed, unsigned int nodes)
{
	static const char *const unary[] = { "Relu", "Sigmoid", "HardSwish", "HardSigmoid", "Identity", "Dropout", "Tanh" };
	static const int64_t pads[8] = { 0, 0, 1, 1, 0, 0, 1, 1 };
	struct test_rng rng = { seed };
	int64_t channels[OB_MOST] = { 3 }, one = 1, dims[4] = { 1, 3, 9, 11 };
	struct ob *b = ob_new(14);

	ob_input(b, "t0", 1, 4, dims);
	ob_ints(b, "pads", 8, pads);
	ob_scalar(b, "three", 3);
	ob_scalar(b, "zero", 0);
	ob_scalar(b, "six", 6);
	for (unsigned int i = 1; i <= nodes; i++) {
		/* mostly the last tensor, so that chains come about */
		unsigned int from = test_random(&rng) % 3 ? i - 1 : test_random(&rng) % i, other;
		char in[32], out[32], mid[32], last[32], list[128];

		snprintf(in, sizeof(in), "t%u", from);
		snprintf(out, sizeof(out), "t%u", i);
		snprintf(mid, sizeof(mid), "m%u", i);
		snprintf(last, sizeof(last), "l%u", i);
		channels[i] = channels[from];
		switch (test_random(&rng) % 7) {
		case 0:
			channels[i] = 1 + test_random(&rng) % 6;
			conv(b, &rng, in, out, channels[from], channels[i], 1 + 2 * (test_random(&rng) % 2), test_random(&rng) % 2);
			break;
		case 1:
			batch_norm(b, &rng, in, out, channels[i]);
			break;
		case 2:
			ob_node(b, unary[test_random(&rng) % 7], in, out);
			break;
		case 3:
			for (other = test_random(&rng) % i; channels[other] != channels[from]; other = (other + 1) % i)
				;
			snprintf(list, sizeof(list), "%s,t%u", in, other);
			ob_node(b, test_random(&rng) % 2 ? "Add" : "Mul", list, out);
			break;
		case 4: {
			float v[8];
			int64_t shape[4] = { one, channels[i], one, one };

			random_floats(&rng, v, 8, 0.5, 1.5);
			ob_floats(b, mid, 4, shape, v);
			snprintf(list, sizeof(list), "%s,%s", mid, in);
			ob_node(b, test_random(&rng) % 2 ? "Add" : "Mul", list, out);
			break;
		}
		case 5:
			snprintf(list, sizeof(list), "%s,three", in);
			ob_node(b, "Add", list, mid);
			snprintf(list, sizeof(list), "%s,zero,six", mid);
			ob_node(b, "Clip", list, last);
			snprintf(mid, sizeof(mid), "p%u", i);
			snprintf(list, sizeof(list), "%s,%s", in, last);
			ob_node(b, "Mul", list, mid);
			snprintf(list, sizeof(list), "%s,six", mid);
			ob_node(b, "Div", list, out);
			break;
		default: {
			/* padding and a convolution that takes it away again */
			float w[64];
			int64_t shape[4] = { channels[i], one, 3, 3 };
			Onnx__NodeProto *n;

			random_floats(&rng, w, 64, -1, 1);
			ob_floats(b, last, 4, shape, w);
			snprintf(list, sizeof(list), "%s,pads", in);
			ob_node(b, "Pad", list, mid);
			snprintf(list, sizeof(list), "%s,%s", mid, last);
			n = ob_node(b, "Conv", list, out);
			ob_attr_int(b, n, "group", channels[i]);
			break;
		}
		}
	}
	/* sigmoid at the end: values of deep products stay comparable */
	for (unsigned int i = 0; i < 2; i++) {
		char in[32], out[32];

		snprintf(in, sizeof(in), "t%u", i ? nodes / 2 : nodes);
		snprintf(out, sizeof(out), "out%u", i);
		ob_node(b, "Tanh", in, out);
		ob_output(b, out);
	}
	return b;
}

static void test_random_networks(void **state)
{
	unsigned int before = 0, after = 0;

	(void)state;
	for (uint64_t seed = 1; seed <= 300; seed++) {
		const struct onnx_options keep = { .keep = true };
		struct ob *b = random_network(seed, 4 + seed % 13);
		struct accel_network *net = compare(b, 1e-3), *plain;

		assert_int_equal(ob_load(b, &keep, &plain, NULL), 0);
		before += plain->nnodes;
		after += net->nnodes;
		net_free(plain);
		net_free(net);
		ob_free(b);
	}
	/* the passes have work to do in these networks */
	assert_true(after * 3 < before * 2);
}

/* ---------------------------------------------------------------- threads and batches */

static void test_threads(void **state)
{
	static const unsigned int threads[] = { 2, 3, 7 };

	(void)state;
	for (uint64_t seed = 1; seed <= 30; seed++) {
		struct ob *b = random_network(seed, 12);
		struct accel_network *net;
		float **one;

		assert_int_equal(ob_load(b, NULL, &net, NULL), 0);
		one = outputs(net, 1, 1);
		for (size_t t = 0; t < sizeof(threads) / sizeof(threads[0]); t++) {
			float **many = outputs(net, threads[t], 1);

			for (unsigned int i = 0; i < net->noutputs; i++)
				assert_memory_equal(one[i], many[i], net->values[net->outputs[i]].count * sizeof(float));
			free_outputs(many, net->noutputs);
		}
		free_outputs(one, net->noutputs);
		net_free(net);
		ob_free(b);
	}
}

/* The first item of a batch has the numbers of a run alone: values of items do not touch each other's. */
static void test_batch(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= 30; seed++) {
		struct ob *b = random_network(seed, 12);
		struct accel_network *net;
		float **one, **many;

		assert_int_equal(ob_load(b, NULL, &net, NULL), 0);
		one = outputs(net, 2, 1);
		many = outputs(net, 2, 5);
		for (unsigned int i = 0; i < net->noutputs; i++)
			assert_memory_equal(one[i], many[i], net->values[net->outputs[i]].count * sizeof(float));
		free_outputs(one, net->noutputs);
		free_outputs(many, net->noutputs);
		net_free(net);
		ob_free(b);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_batch_norm),        cmocka_unit_test(test_batch_norm_alone), cmocka_unit_test(test_channel_factors),
		cmocka_unit_test(test_pad),               cmocka_unit_test(test_pad_stays),        cmocka_unit_test(test_hard_swish),
		cmocka_unit_test(test_not_hard_swish),    cmocka_unit_test(test_gelu),              cmocka_unit_test(test_activations),      cmocka_unit_test(test_identity_and_dead),
		cmocka_unit_test(test_constant_folding),  cmocka_unit_test(test_random_networks),  cmocka_unit_test(test_threads),
		cmocka_unit_test(test_batch),             cmocka_unit_test(test_dropout),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
