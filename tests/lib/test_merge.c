// SPDX-License-Identifier: GPL-2.0 OR MIT
/* Convolutions that pass_merge() makes one of: what they compute is what they computed, and what cannot be is left alone. */
#include "pass_check.h"

#define ROUNDING 1e-5

/* What a convolution has beside its weights. */
struct how {
	int64_t pad, stride, dilation, group;
	bool bias;
};

static Onnx__NodeProto *put(struct ob *b, struct test_rng *rng, const char *in, const char *out, int64_t cin, int64_t cout, int64_t ky, int64_t kx, struct how how)
{
	int64_t group = how.group ? how.group : 1, dims[4] = { cout, cin / group, ky, kx };
	int64_t pads[4] = { how.pad, how.pad, how.pad, how.pad };
	int64_t strides[2] = { how.stride ? how.stride : 1, how.stride ? how.stride : 1 }, dilations[2] = { how.dilation ? how.dilation : 1, how.dilation ? how.dilation : 1 };
	float w[8192], v[64];
	char list[160], name[64];
	Onnx__NodeProto *n;

	assert_true(dims[0] * dims[1] * ky * kx <= 8192 && cout <= 64);
	random_floats(rng, w, (size_t)(dims[0] * dims[1] * ky * kx), -1, 1);
	random_floats(rng, v, (size_t)cout, -1, 1);
	snprintf(name, sizeof(name), "%.50s.w", out);
	ob_floats(b, name, 4, dims, w);
	snprintf(list, sizeof(list), how.bias ? "%.40s,%.50s.w,%.50s.b" : "%.40s,%.50s.w", in, out, out);
	if (how.bias) {
		snprintf(name, sizeof(name), "%.50s.b", out);
		ob_floats(b, name, 1, &cout, v);
	}
	n = ob_node(b, "Conv", list, out);
	ob_attr_ints(b, n, "pads", 4, pads);
	ob_attr_ints(b, n, "strides", 2, strides);
	ob_attr_ints(b, n, "dilations", 2, dilations);
	ob_attr_int(b, n, "group", group);
	return n;
}

static void pool(struct ob *b, const char *in, const char *out, int64_t k, int64_t pad, int64_t stride, bool count)
{
	int64_t kernel[2] = { k, k }, pads[4] = { pad, pad, pad, pad }, strides[2] = { stride, stride };
	Onnx__NodeProto *n = ob_node(b, "AveragePool", in, out);

	ob_attr_ints(b, n, "kernel_shape", 2, kernel);
	ob_attr_ints(b, n, "pads", 4, pads);
	ob_attr_ints(b, n, "strides", 2, strides);
	ob_attr_int(b, n, "count_include_pad", count);
}

/* Both ways compute the same, and so many convolutions of how many nodes are left. */
static struct accel_network *check(struct ob *b, unsigned int nodes, unsigned int convolutions)
{
	struct accel_network *net = compare(b, ROUNDING);

	assert_int_equal(net->nnodes, nodes);
	assert_int_equal(count(net, "Conv"), convolutions);
	ob_free(b);
	return net;
}

static const struct net_value *weights_of(const struct accel_network *net)
{
	return &net->values[net->nodes[0].in[1]];
}

/* ---------------------------------------------------------------- behind each other */

struct two {
	int64_t cin, mid, cout, k[2][2];
	struct how how[2];
	bool merged;
	int64_t kernel[2];
};

static void test_sequences(void **state)
{
	static const struct two cases[] = {
		/* a pixel, then a window: the bias would have to stop at the border */
		{ 4, 4, 5, { { 1, 1 }, { 3, 3 } }, { { .bias = true }, { .bias = true } }, true, { 3, 3 } },
		{ 4, 4, 5, { { 1, 1 }, { 3, 3 } }, { { .bias = false }, { .pad = 1, .bias = true } }, true, { 3, 3 } },
		{ 4, 4, 5, { { 1, 1 }, { 3, 3 } }, { { .bias = true }, { .pad = 1 } }, false, { 0 } },
		/* DBB: the border of the first is its bias, too */
		{ 4, 4, 5, { { 1, 1 }, { 3, 3 } }, { { .pad = 1, .bias = true }, { .bias = true } }, true, { 3, 3 } },
		{ 4, 4, 5, { { 1, 1 }, { 3, 3 } }, { { .pad = 1 }, { .pad = 1, .bias = true } }, true, { 3, 3 } },
		{ 4, 4, 5, { { 1, 1 }, { 3, 3 } }, { { .stride = 2 }, { .pad = 1, .bias = true } }, true, { 3, 3 } },
		{ 4, 4, 5, { { 1, 1 }, { 3, 3 } }, { { .bias = true }, { .stride = 2, .dilation = 2, .bias = true } }, true, { 3, 3 } },
		/* a window, then a pixel */
		{ 4, 5, 4, { { 3, 3 }, { 1, 1 } }, { { .pad = 1, .bias = true }, { .bias = true } }, true, { 3, 3 } },
		{ 4, 5, 4, { { 3, 3 }, { 1, 1 } }, { { .pad = 2, .stride = 2, .dilation = 2, .bias = true }, { .stride = 2 } }, true, { 3, 3 } },
		/* zeros around what the first one makes of zeros and of the image */
		{ 4, 5, 4, { { 3, 3 }, { 1, 1 } }, { { .pad = 1 }, { .pad = 1 } }, false, { 0 } },
		/* two windows: where that pays */
		{ 2, 12, 2, { { 3, 3 }, { 3, 3 } }, { { .pad = 1, .bias = true }, { .bias = true } }, true, { 5, 5 } },
		{ 2, 12, 2, { { 3, 3 }, { 3, 3 } }, { { .pad = 1, .stride = 2, .bias = true }, { .bias = true } }, true, { 7, 7 } },
		{ 2, 12, 2, { { 3, 3 }, { 3, 3 } }, { { .dilation = 2 }, { .dilation = 2, .bias = true } }, true, { 5, 5 } },
		{ 2, 12, 2, { { 3, 3 }, { 3, 3 } }, { { .pad = 1 }, { .pad = 1 } }, false, { 0 } },
		{ 4, 4, 4, { { 3, 3 }, { 3, 3 } }, { { .bias = true }, { .bias = true } }, false, { 0 } },
		{ 2, 12, 2, { { 1, 3 }, { 3, 1 } }, { { .bias = true }, { .bias = true } }, true, { 3, 3 } },
		/* what has few channels in the middle has fewer weights as two */
		{ 8, 2, 8, { { 1, 1 }, { 1, 1 } }, { { .bias = true }, { .bias = true } }, false, { 0 } },
		/* groups: the same, those of one inside those of the other, and one that would fill in what is not there */
		{ 4, 4, 8, { { 1, 1 }, { 3, 3 } }, { { .group = 2, .bias = true }, { .group = 2, .bias = true } }, true, { 3, 3 } },
		{ 4, 4, 4, { { 1, 1 }, { 3, 3 } }, { { .group = 4, .bias = true }, { .group = 2, .bias = true } }, true, { 3, 3 } },
		{ 4, 4, 4, { { 3, 3 }, { 1, 1 } }, { { .group = 4, .bias = true }, { .bias = true } }, false, { 0 } },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct two *c = &cases[i];
		struct test_rng rng = { 10 + i };
		struct ob *b = image_network(c->cin);
		struct accel_network *net;

		put(b, &rng, "x", "y", c->cin, c->mid, c->k[0][0], c->k[0][1], c->how[0]);
		put(b, &rng, "y", "z", c->mid, c->cout, c->k[1][0], c->k[1][1], c->how[1]);
		ob_node(b, "Relu", "z", "r");
		ob_output(b, "r");
		net = check(b, c->merged ? 1 : 2, c->merged ? 1 : 2);
		for (unsigned int d = 0; c->merged && d < 2; d++)
			if (weights_of(net)->dims[2 + d] != c->kernel[d])
				fail_msg("case %zu: a kernel of %s", i, net_shape_text(4, weights_of(net)->dims).s);
		net_free(net);
	}
}

/* Somebody else reads what is between them, or an activation is there. */
static void test_sequences_that_stay(void **state)
{
	(void)state;
	for (int i = 0; i < 2; i++) {
		struct test_rng rng = { 40 };
		struct ob *b = image_network(4);

		put(b, &rng, "x", "y", 4, 4, 1, 1, (struct how){ .bias = true });
		if (i)
			ob_node(b, "Relu", "y", "u");
		put(b, &rng, i ? "u" : "y", "z", 4, 4, 3, 3, (struct how){ .bias = true });
		ob_output(b, "z");
		if (!i)
			ob_output(b, "y");
		net_free(check(b, 2, 2));
	}
}

/* A chain of them, batch normalisation between, is one; its layer has the name of the largest. */
static void test_chain(void **state)
{
	struct test_rng rng = { 41 };
	struct ob *b = image_network(4);
	struct accel_network *net;

	(void)state;
	put(b, &rng, "x", "a", 4, 4, 1, 1, (struct how){ .pad = 1 });
	batch_norm(b, &rng, "a", "b", 4);
	put(b, &rng, "b", "c", 4, 6, 3, 3, (struct how){ .bias = true });
	batch_norm(b, &rng, "c", "d", 6);
	put(b, &rng, "d", "e", 6, 4, 1, 1, (struct how){ .bias = true });
	ob_output(b, "e");
	net = check(b, 1, 1);
	assert_string_equal(net->nodes[0].name, "Conv2");
	net_free(net);
}

/* Batch normalisation in front of a convolution, and pooling beside a convolution that it can go into. */
static void test_norm_before(void **state)
{
	struct test_rng rng = { 42 };

	(void)state;
	for (int padded = 0; padded < 2; padded++) {
		struct ob *b = image_network(4);

		batch_norm(b, &rng, "x", "y", 4);
		put(b, &rng, "y", "z", 4, 5, 3, 3, (struct how){ .pad = padded, .bias = true });
		ob_output(b, "z");
		net_free(check(b, padded ? 2 : 1, padded ? 2 : 1));
	}
}

/* Few shared values stay what they are: `eie import` encodes them without touching one. */
static void test_shared_values(void **state)
{
	(void)state;
	for (int shared = 0; shared < 2; shared++) {
		struct test_rng rng = { 43 };
		struct ob *b = image_network(4);
		float *w;

		put(b, &rng, "x", "y", 4, 4, 1, 1, (struct how){ .bias = true });
		put(b, &rng, "y", "z", 4, 8, 3, 3, (struct how){ .bias = true });
		w = (float *)b->tensors[2]->raw_data.data;
		for (size_t i = 0; shared && i < b->tensors[2]->raw_data.len / sizeof(*w); i++)
			w[i] = w[i] < 0 ? -0.5f : 0.25f;
		ob_output(b, "z");
		net_free(check(b, shared ? 2 : 1, shared ? 2 : 1));
	}
}

/* A product that float32 does not hold. */
static void test_overflow(void **state)
{
	struct accel_network *net;
	struct test_rng rng = { 44 };
	struct ob *b = image_network(2);

	(void)state;
	put(b, &rng, "x", "y", 2, 2, 1, 1, (struct how){ 0 });
	put(b, &rng, "y", "z", 2, 4, 3, 3, (struct how){ 0 });
	((float *)b->tensors[0]->raw_data.data)[0] = 1e30f;
	((float *)b->tensors[1]->raw_data.data)[0] = 1e30f;
	ob_output(b, "z");
	assert_int_equal(ob_load(b, NULL, &net, NULL), 0);
	assert_int_equal(count(net, "Conv"), 2);
	net_free(net);
	ob_free(b);
}

/* ---------------------------------------------------------------- side by side */

/* RepVGG's block: 3x3, 1x1 and the image itself, each with batch normalisation; with a stride there is no third. */
static void test_repvgg(void **state)
{
	(void)state;
	for (int64_t stride = 1; stride <= 2; stride++) {
		for (int64_t group = 1; group <= 2; group++) {
			struct test_rng rng = { 50 };
			struct ob *b = image_network(6);
			struct accel_network *net;

			put(b, &rng, "x", "a", 6, 6, 3, 3, (struct how){ .pad = 1, .stride = stride, .group = group });
			batch_norm(b, &rng, "a", "b", 6);
			put(b, &rng, "x", "c", 6, 6, 1, 1, (struct how){ .stride = stride, .group = group });
			batch_norm(b, &rng, "c", "d", 6);
			ob_node(b, "Add", "b,d", "e");
			if (stride == 1) {
				batch_norm(b, &rng, "x", "f", 6);
				ob_node(b, "Add", "f,e", "g");
			}
			ob_node(b, "Relu", stride == 1 ? "g" : "e", "y");
			ob_output(b, "y");
			net = check(b, 1, 1);
			assert_int_equal(net->nodes[0].act.kind, NET_ACT_CLIP);
			assert_int_equal(weights_of(net)->count, 6 * 6 / group * 9);
			net_free(net);
		}
	}
}

/* The whole Diverse Branch Block: kxk, 1x1, 1x1 and kxk, 1x1 and average pooling; asymmetric windows, too. */
static void test_diverse_branches(void **state)
{
	struct test_rng rng = { 51 };
	struct ob *b = image_network(4);
	struct accel_network *net;

	(void)state;
	put(b, &rng, "x", "a0", 4, 6, 3, 3, (struct how){ .pad = 1 });
	batch_norm(b, &rng, "a0", "a", 6);
	put(b, &rng, "x", "b0", 4, 6, 1, 1, (struct how){ 0 });
	batch_norm(b, &rng, "b0", "b", 6);
	put(b, &rng, "x", "c0", 4, 4, 1, 1, (struct how){ .pad = 1 });
	batch_norm(b, &rng, "c0", "c1", 4);
	put(b, &rng, "c1", "c2", 4, 6, 3, 3, (struct how){ 0 });
	batch_norm(b, &rng, "c2", "c", 6);
	put(b, &rng, "x", "d0", 4, 6, 1, 1, (struct how){ .pad = 1 });
	batch_norm(b, &rng, "d0", "d1", 6);
	pool(b, "d1", "d2", 3, 0, 1, false);
	batch_norm(b, &rng, "d2", "d", 6);
	ob_node(b, "Sum", "a,b,c,d", "y");
	ob_output(b, "y");
	net = check(b, 1, 1);
	assert_int_equal(weights_of(net)->count, 6 * 4 * 9);
	net_free(net);
}

static void test_sums(void **state)
{
	struct test_rng rng = { 52 };
	struct ob *b = image_network(4);
	struct accel_network *net;

	(void)state;
	/* windows of other shapes, sizes and dilations inside that of the largest */
	put(b, &rng, "x", "a", 4, 4, 5, 5, (struct how){ .pad = 2, .bias = true });
	put(b, &rng, "x", "b", 4, 4, 3, 3, (struct how){ .pad = 2, .dilation = 2 });
	put(b, &rng, "x", "c", 4, 4, 3, 3, (struct how){ .pad = 1, .group = 4, .bias = true });
	pool(b, "x", "d", 3, 1, 1, true);
	ob_node(b, "Sum", "x,a,b,c,d", "y");
	ob_output(b, "y");
	net = check(b, 1, 1);
	assert_int_equal(weights_of(net)->count, 4 * 4 * 25);
	net_free(net);

	/* a residual of another image is none of this */
	b = image_network(4);
	put(b, &rng, "x", "a", 4, 4, 3, 3, (struct how){ .pad = 1, .bias = true });
	ob_node(b, "Relu", "a", "u");
	put(b, &rng, "u", "c", 4, 4, 3, 3, (struct how){ .pad = 1, .bias = true });
	ob_node(b, "Add", "c,x", "y");
	ob_output(b, "y");
	net_free(check(b, 3, 2));
}

/* Sums that stay: pooling that counts less at the border, a depthwise window that a matrix would fill, another reader, broadcasting. */
static void test_sums_that_stay(void **state)
{
	(void)state;
	for (int i = 0; i < 4; i++) {
		struct test_rng rng = { 53 };
		struct ob *b = image_network(4);

		put(b, &rng, "x", "a", 4, 4, i == 1 ? 1 : 3, i == 1 ? 1 : 3, (struct how){ .pad = i != 1, .bias = true });
		if (i == 0)
			pool(b, "x", "c", 3, 1, 1, false);
		else if (i == 3)
			ob_node(b, "GlobalAveragePool", "x", "c");
		else
			put(b, &rng, "x", "c", 4, 4, 3, 3, (struct how){ .pad = 1, .group = i == 1 ? 4 : 1 });
		ob_node(b, "Add", "a,c", "y");
		ob_output(b, "y");
		if (i == 2)
			ob_output(b, "c");
		net_free(check(b, 3, i == 1 || i == 2 ? 2 : 1));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sequences),     cmocka_unit_test(test_sequences_that_stay), cmocka_unit_test(test_chain),
		cmocka_unit_test(test_norm_before),   cmocka_unit_test(test_shared_values),       cmocka_unit_test(test_overflow),
		cmocka_unit_test(test_repvgg),        cmocka_unit_test(test_diverse_branches),    cmocka_unit_test(test_sums),
		cmocka_unit_test(test_sums_that_stay),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
