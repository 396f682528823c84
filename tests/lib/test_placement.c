// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Images in networks: which operators become layers of the engine, and that they compute the same.
 * test_placement [DEVICE ...]   (cpu ref:2x2)
 */
#include <errno.h>
#include "container.h"
#include "network_check.h"

/*
 * Three convolutions: a strided one with ReLU6, one in groups, one with a window of a pixel, with pooling between and behind them: one segment. The engine
 * runs it where it has vector mode, else the CPU with the same bytes, and both are close to float32.
 */
static struct ob *convolutions(void)
{
	const int64_t image[4] = { 1, 1, SIDE, SIDE }, k1[4] = { 6, 1, 3, 3 }, k2[4] = { 6, 3, 3, 2 }, k3[4] = { CLASSES, 6, 1, 1 };
	const int64_t pads1[4] = { 1, 1, 1, 1 }, pads2[4] = { 1, 0, 1, 1 }, two[2] = { 2, 2 }, b1[1] = { 6 };
	struct test_rng rng = { 12 };
	float w[6 * 3 * 9], six = 6, zero = 0;
	struct ob *b = ob_new(13);
	Onnx__NodeProto *n;

	ob_input(b, "image", 1, 4, image);
	codebook_weights(&rng, w, 54, 15);
	ob_floats(b, "k1", 4, k1, w);
	random_weights(&rng, w, 6);
	ob_floats(b, "bias1", 1, b1, w);
	n = ob_node(b, "Conv", "image,k1,bias1", "a");
	ob_attr_ints(b, n, "pads", 4, pads1);
	ob_attr_ints(b, n, "strides", 2, two);
	ob_floats(b, "zero", 0, NULL, &zero);
	ob_floats(b, "six", 0, NULL, &six);
	ob_node(b, "Clip", "a,zero,six", "a6");
	codebook_weights(&rng, w, 108, 100);
	ob_floats(b, "k2", 4, k2, w);
	n = ob_node(b, "Conv", "a6,k2", "b");
	ob_attr_ints(b, n, "pads", 4, pads2);
	ob_attr_int(b, n, "group", 2);
	n = ob_node(b, "MaxPool", "b", "p");
	ob_attr_ints(b, n, "kernel_shape", 2, two);
	codebook_weights(&rng, w, 60, 15);
	ob_floats(b, "k3", 4, k3, w);
	ob_node(b, "Conv", "p,k3", "c");
	ob_node(b, "GlobalAveragePool", "c", "y");
	ob_output(b, "y");
	return b;
}

static void test_convolutions(void **state)
{
	static float items[ITEMS * SIDE * SIDE];
	struct accel_model *model;
	struct accel_layer_info info;

	(void)state;
	random_items(items);
	model = place_all(convolutions(), true, items, ITEMS);
	assert_int_equal(model->net->nnodes, 1);
	assert_int_equal(model->net->nodes[0].segment->nlayers, 5);
	assert_int_equal(accel_model_layer(model, 0, &info), 0);
	assert_true(info.kind == ACCEL_LAYER_CONV && info.rows == 6 && info.cols == 9 && info.activation == ACCEL_ACT_RELU6);
	assert_string_equal(info.op, "Conv");
	assert_int_equal(accel_model_layer(model, 1, &info), 0);
	assert_true(info.rows == 6 && info.cols == 36 && info.groups == 2 && info.code_bits == 8);
	check_devices(model, items, 1e-3f);
	accel_model_unref(model);
}

/*
 * A residual block, pooling, a fire module, average pooling, a classifier: whatever ResNet and SqueezeNet have. What the engine has is two segments, images and
 * vectors; the CPU has the softmax.
 */
static struct ob *residual(void)
{
	const int64_t image[4] = { 1, 1, SIDE, SIDE }, two[2] = { 2, 2 }, fc[2] = { 9, CLASSES }, pads[4] = { 1, 1, 1, 1 }, three[2] = { 3, 3 };
	struct test_rng rng = { 14 };
	float w[9 * CLASSES];
	struct ob *b = ob_new(13);
	Onnx__NodeProto *n;

	ob_input(b, "image", 1, 4, image);
	codebook_conv(b, &rng, "a", "image", 6, 1, 3);
	ob_node(b, "Relu", "a", "a_relu");
	codebook_conv(b, &rng, "b", "a_relu", 8, 6, 3);
	ob_node(b, "Relu", "b", "b_relu");
	codebook_conv(b, &rng, "c", "b_relu", 6, 8, 1);
	ob_node(b, "Add", "c,a_relu", "sum");
	ob_node(b, "Relu", "sum", "sum_relu");
	n = ob_node(b, "MaxPool", "sum_relu", "p");
	ob_attr_ints(b, n, "kernel_shape", 2, three);
	ob_attr_ints(b, n, "pads", 4, pads);
	ob_attr_ints(b, n, "strides", 2, two);
	codebook_conv(b, &rng, "d", "p", 4, 6, 1);
	codebook_conv(b, &rng, "e", "p", 5, 6, 3);
	n = ob_node(b, "Concat", "d,e", "de");
	ob_attr_int(b, n, "axis", 1);
	ob_node(b, "GlobalAveragePool", "de", "g");
	ob_node(b, "Flatten", "g", "flat");
	codebook_weights(&rng, w, 9 * CLASSES, 15);
	ob_floats(b, "fc", 2, fc, w);
	ob_node(b, "MatMul", "flat,fc", "y");
	ob_node(b, "Softmax", "y", "scores");
	ob_output(b, "scores");
	return b;
}

static void test_residual(void **state)
{
	static float items[ITEMS * SIDE * SIDE];
	struct accel_model *model;
	const struct accel_network *net;

	(void)state;
	random_items(items);
	model = place_all(residual(), true, items, ITEMS);
	net = model->net;
	assert_int_equal(net->nnodes, 3);
	assert_null(net->nodes[0].op);
	assert_null(net->nodes[1].op);
	assert_string_equal(net_op_name(&net->nodes[2]), "Softmax");
	/* a, b, c, operands, sum, p, d, e, concat, average */
	assert_int_equal(net->nodes[0].segment->nlayers, 10);
	assert_int_equal(net->nodes[1].segment->nlayers, 1);
	check_devices(model, items, 1e-3f);
	accel_model_unref(model);
}

/* An addition reads two channels a row, and says so behind a file, too. */
static void test_weight_groups(void **state)
{
	static float items[ITEMS * SIDE * SIDE];
	struct accel_model *model, *again;
	struct accel_layer *layer = NULL;
	struct accel_layer_info info;
	struct accel_error err;
	unsigned int found = 0;
	void *file;
	size_t size;

	(void)state;
	random_items(items);
	model = place_all(residual(), true, items, ITEMS);
	assert_int_equal(eie_encode(model, &file, &size, NULL, &err), 0);
	assert_int_equal(accel_model_load(file, size, "f", &again, &err), 0);
	free(file);
	for (unsigned int i = 0; !accel_model_layer(again, i, &info); i++) {
		if (strncmp(info.name, "Add", 3) || strstr(info.name, ".operands"))
			continue;
		found++;
		assert_true(info.rows == 6 && info.cols == 12 && info.groups == 6);
		layer = &model->net->nodes[0].segment->layers[i];
		assert_string_equal(layer->name, info.name);
	}
	assert_int_equal(found, 1);
	accel_model_unref(again);
	layer->weight_groups = 65537;
	assert_int_equal(eie_encode(model, &file, &size, NULL, &err), 0);
	assert_int_equal(accel_model_load(file, size, "f", &again, &err), -EBADMSG);
	assert_non_null(strstr(err.text, "65537 groups"));
	free(file);
	accel_model_unref(model);
}

/* What the engine cannot join, or what is not worth it, stays on the CPU with its reason, and the rest of the network is right all the same. */
static void test_joins_left(void **state)
{
	const int64_t image[4] = { 1, 3, SIDE, SIDE }, two[2] = { 2, 2 };
	static float items[ITEMS * 3 * SIDE * SIDE];
	struct test_rng rng = { 21 };
	struct ob *b = ob_new(13);
	struct accel_model *model;
	Onnx__NodeProto *n;

	(void)state;
	for (size_t i = 0; i < sizeof(items) / sizeof(items[0]); i++)
		items[i] = (float)test_uniform(&rng);
	ob_input(b, "image", 1, 4, image);
	n = ob_node(b, "MaxPool", "image", "lonely");   /* MaxPool0 */
	ob_attr_ints(b, n, "kernel_shape", 2, two);
	ob_node(b, "Sin", "lonely", "s");               /* Sin1 */
	codebook_conv(b, &rng, "a", "s", 4, 3, 3);      /* Conv2 */
	codebook_conv(b, &rng, "c", "s", 4, 3, 3);      /* Conv3 */
	n = ob_node(b, "Concat", "a,c", "first");       /* Concat4 */
	ob_attr_int(b, n, "axis", 1);
	n = ob_node(b, "Concat", "c,s", "input");       /* Concat5: c has its place */
	ob_attr_int(b, n, "axis", 1);
	n = ob_node(b, "Concat", "first,input", "all"); /* Concat6 */
	ob_attr_int(b, n, "axis", 1);
	ob_node(b, "Add", "a,a", "twice");              /* Add7 */
	n = ob_node(b, "Concat", "all,twice", "y");     /* Concat8 */
	ob_attr_int(b, n, "axis", 1);
	ob_output(b, "y");
	model = place_all(b, true, items, ITEMS);
	assert_non_null(strstr(reason_of(model, "MaxPool0"), "no layer with weights beside it"));
	/* c is part of two, s comes from the CPU: copies of them are joined */
	assert_string_equal(reason_of(model, "Conv2"), "on the engine");
	assert_int_equal(layers_named(model, "Concat5.copy0") + layers_named(model, "Concat5.copy1"), 2);
	assert_non_null(strstr(reason_of(model, "Add7"), "with itself"));
	check_devices(model, items, 2e-3f);
	accel_model_unref(model);
}

/*
 * An average of nine has a scale of its own, which a convolution of ones takes away before it is joined; one of four gets its input's. Through another pooling,
 * too, and as the operand of an addition.
 */
static void test_averages_joined(void **state)
{
	const int64_t image[4] = { 1, 1, SIDE, SIDE }, three[2] = { 3, 3 }, two[2] = { 2, 2 };
	static float items[ITEMS * SIDE * SIDE];
	struct test_rng rng = { 23 };
	struct ob *b = ob_new(13);
	struct accel_model *model;
	const struct accel_model *segment;
	Onnx__NodeProto *n;

	(void)state;
	random_items(items);
	ob_input(b, "image", 1, 4, image);
	codebook_conv(b, &rng, "a", "image", 4, 1, 1);
	n = ob_node(b, "AveragePool", "a", "nine");
	ob_attr_ints(b, n, "kernel_shape", 2, three);
	n = ob_node(b, "MaxPool", "nine", "nine_most");
	ob_attr_ints(b, n, "kernel_shape", 2, two);
	n = ob_node(b, "MaxPool", "a", "most");
	ob_attr_ints(b, n, "kernel_shape", 2, two);
	n = ob_node(b, "MaxPool", "most", "most3");
	ob_attr_ints(b, n, "kernel_shape", 2, three);
	n = ob_node(b, "AveragePool", "most3", "four");
	ob_attr_ints(b, n, "kernel_shape", 2, two);
	codebook_conv(b, &rng, "c", "four", 5, 4, 3);
	n = ob_node(b, "AveragePool", "nine_most", "nine_four");
	ob_attr_ints(b, n, "kernel_shape", 2, two);
	n = ob_node(b, "Concat", "c,four,nine_four", "all");
	ob_attr_int(b, n, "axis", 1);
	codebook_conv(b, &rng, "d", "all", 4, 13, 1);
	n = ob_node(b, "AveragePool", "most", "nine_again");
	ob_attr_ints(b, n, "kernel_shape", 2, three);
	n = ob_node(b, "AveragePool", "nine_again", "eighth");
	ob_attr_ints(b, n, "kernel_shape", 2, two);
	ob_node(b, "Add", "d,eighth", "y");
	ob_output(b, "y");
	model = place_all(b, true, items, ITEMS);
	assert_int_equal(model->net->nnodes, 1);
	segment = model->net->nodes[0].segment;
	for (unsigned int l = 0; l < segment->nlayers; l++)
		if (!strcmp(segment->layers[l].name, "AveragePool5"))
			assert_int_equal(segment->layers[l].sum_shift, 2);
	/* nine_four, and eighth */
	assert_int_equal(layers_named(model, ".rescaled"), 2);
	check_devices(model, items, 2e-3f);
	accel_model_unref(model);
}

/*
 * Averages over the pixels that a window has in the image: padding on all sides and on some, windows that stick out, of an image that others made and of a joined one. The
 * engine's own average and a product with a constant; the constant goes through a file, and is every item's.
 */
static void test_padded_averages(void **state)
{
	const int64_t image[4] = { 1, 1, SIDE, SIDE }, three[2] = { 3, 3 }, two[2] = { 2, 2 }, all[4] = { 1, 1, 1, 1 }, some[4] = { 0, 1, 0, 0 };
	static float items[ITEMS * SIDE * SIDE];
	struct test_rng rng = { 31 };
	struct ob *b = ob_new(13);
	struct accel_model *model, *again;
	const struct net_node *node;
	struct accel_error err;
	const float *map = NULL;
	Onnx__NodeProto *n;
	void *file;
	size_t size;

	(void)state;
	random_items(items);
	ob_input(b, "image", 1, 4, image);
	codebook_conv(b, &rng, "a", "image", 9, 1, 3);
	n = ob_node(b, "AveragePool", "a", "around");
	ob_attr_ints(b, n, "kernel_shape", 2, three);
	ob_attr_ints(b, n, "pads", 4, all);
	n = ob_node(b, "Concat", "around,a", "joined");
	ob_attr_int(b, n, "axis", 1);
	n = ob_node(b, "AveragePool", "joined", "ceiled");
	ob_attr_ints(b, n, "kernel_shape", 2, three);
	ob_attr_ints(b, n, "strides", 2, two);
	ob_attr_int(b, n, "ceil_mode", 1);
	n = ob_node(b, "AveragePool", "ceiled", "left");
	ob_attr_ints(b, n, "kernel_shape", 2, two);
	ob_attr_ints(b, n, "pads", 4, some);
	codebook_conv(b, &rng, "y", "left", 3, 18, 1);
	ob_output(b, "y");
	model = place_all(b, true, items, ITEMS);
	assert_int_equal(model->net->nnodes, 1);
	node = &model->net->nodes[0];
	assert_int_equal(node->nin, 4);
	for (unsigned int i = 0; i < node->nin; i++)
		map = map ? map : model->net->values[node->in[i]].data;
	/* a corner, an edge, the middle */
	assert_non_null(map);
	assert_true(map[0] == 9.0f / 4 && map[1] == 9.0f / 6 && map[SIDE + 1] == 1 && map[9 * SIDE * SIDE - 1] == 9.0f / 4);
	check_devices(model, items, 1e-3f);
	assert_int_equal(eie_encode(model, &file, &size, NULL, &err), 0);
	assert_int_equal(accel_model_load(file, size, "f", &again, &err), 0);
	free(file);
	check_devices(again, items, 1e-3f);
	accel_model_unref(again);
	accel_model_unref(model);
}

/* Pooling of an image that is larger than a window: in stages that fit, or stick out of it. */
static void test_large_pools(void **state)
{
	static const struct {
		int64_t height, width;
		unsigned int stages;   /* and a convolution, when they stick out: an average's divisor is wrong by then */
		bool exact;
	} sizes[] = { { 16, 16, 2, true }, { 15, 28, 2, true }, { 30, 7, 2, true }, { 17, 20, 2, false }, { 3, 47, 2, false }, { 2, 450, 3, true },
		      { 31, 233, 3, false } };

	(void)state;
	for (unsigned int i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		const int64_t kernel[4] = { 5, 1, 1, 1 }, image[4] = { 1, 1, sizes[i].height, sizes[i].width };
		const float weights[5] = { 0.5f, -0.5f, 0.5f, 0, -0.5f };
		size_t n = ITEMS * (size_t)(sizes[i].height * sizes[i].width);
		float *items = malloc(n * sizeof(*items));
		struct test_rng rng = { 24 + i };
		struct ob *b = ob_new(13);
		const struct accel_model *segment;
		struct accel_model *model;
		Onnx__NodeProto *node;

		/* a slope, so that pixels left out, or taken twice, are seen */
		for (size_t k = 0; k < n; k++)
			items[k] = (float)(test_uniform(&rng) - 1 + (double)(k % 1001) / 1001);
		ob_input(b, "image", 1, 4, image);
		ob_floats(b, "w", 4, kernel, weights);
		ob_node(b, "Conv", "image,w", "a");
		ob_node(b, "GlobalAveragePool", "a", "mean");
		ob_node(b, "GlobalMaxPool", "a", "most");
		node = ob_node(b, "Concat", "mean,most", "y");
		ob_attr_int(b, node, "axis", 1);
		ob_output(b, "y");
		model = place_all(b, true, items, ITEMS);
		for (unsigned int k = 0; k < model->net->nnodes; k++)
			if (model->net->nodes[k].op)
				fail_msg("%s: %s", model->net->nodes[k].name, model->net->nodes[k].device_reason);
		assert_int_equal(model->net->nnodes, 1);
		segment = model->net->nodes[0].segment;
		/* conv, poolings, the divisor or else the scale of an average that is no power of two, concat */
		assert_int_equal(segment->nlayers, 3 + 2 * sizes[i].stages - (i == 0));
		assert_string_equal(segment->layers[1 + sizes[i].stages].name, sizes[i].exact ? "GlobalMaxPool2.stage0" : "GlobalAveragePool1");
		check_devices(model, items, 1e-3f);
		accel_model_unref(model);
		free(items);
	}
}

/* [1, groups * n, SIDE, SIDE], groups exchanged with their channels. */
static void shuffle(struct ob *b, const char *in, const char *out, int64_t groups, int64_t n)
{
	const int64_t apart[5] = { 1, groups, n, SIDE, SIDE }, back[4] = { 1, groups * n, SIDE, SIDE }, exchange[5] = { 0, 2, 1, 3, 4 };
	char name[4][32], read[64];
	Onnx__NodeProto *turn;

	snprintf(name[0], sizeof(name[0]), "%s_apart", out);
	snprintf(name[1], sizeof(name[1]), "%s_turned", out);
	snprintf(name[2], sizeof(name[2]), "%s_dims5", out);
	snprintf(name[3], sizeof(name[3]), "%s_dims4", out);
	ob_ints(b, name[2], 5, apart);
	ob_ints(b, name[3], 4, back);
	snprintf(read, sizeof(read), "%s,%s", in, name[2]);
	ob_node(b, "Reshape", read, name[0]);
	turn = ob_node(b, "Transpose", name[0], name[1]);
	ob_attr_ints(b, turn, "perm", 5, exchange);
	snprintf(read, sizeof(read), "%s,%s", name[1], name[3]);
	ob_node(b, "Reshape", read, out);
}

/* Convolutions in groups and of single channels behind shuffles, a split and a slice of a shuffle. outside: the CPU reads a shuffled image, too. */
static struct ob *shuffled(bool outside)
{
	const int64_t image[4] = { 1, 1, SIDE, SIDE }, parts[2] = { 5, 7 }, start[1] = { -6 }, end[1] = { 1000 }, axes[1] = { 1 };
	struct test_rng rng = { 25 };
	struct ob *b = ob_new(13);
	Onnx__NodeProto *n;

	ob_input(b, "image", 1, 4, image);
	codebook_conv(b, &rng, "a", "image", 12, 1, 3);
	shuffle(b, "a", "s1", 3, 4);
	n = codebook_conv(b, &rng, "d", "s1", 12, 1, 3);
	ob_attr_int(b, n, "group", 12);
	shuffle(b, "d", "s2", 4, 3);
	n = codebook_conv(b, &rng, "g", "s2", 8, 3, 3);
	ob_attr_int(b, n, "group", 4);
	ob_ints(b, "parts", 2, parts);
	n = ob_node(b, "Split", "s2,parts", "left,right");
	ob_attr_int(b, n, "axis", 1);
	codebook_conv(b, &rng, "l", "left", 4, 5, 3);
	codebook_conv(b, &rng, "r", "right", 4, 7, 3);
	ob_ints(b, "start", 1, start);
	ob_ints(b, "end", 1, end);
	ob_ints(b, "axes", 1, axes);
	ob_node(b, "Slice", "s2,start,end,axes", "last");
	codebook_conv(b, &rng, "e", "last", 4, 6, 3);
	n = ob_node(b, "Concat", outside ? "g,l,r,e,sin" : "g,l,r,e", "y");
	ob_attr_int(b, n, "axis", 1);
	if (outside) {
		/* before it is read */
		Onnx__NodeProto *concat = b->nodes[--b->graph.n_node];

		ob_node(b, "Sin", "s1", "sin");
		b->nodes[b->graph.n_node++] = concat;
	}
	ob_output(b, "y");
	return b;
}

static void test_views(void **state)
{
	static float items[ITEMS * SIDE * SIDE], want[ITEMS * 32 * SIDE * SIDE], flat[ITEMS * 32 * SIDE * SIDE];

	(void)state;
	random_items(items);
	for (int outside = 0; outside < 2; outside++) {
		struct accel_model *plain = place_all(shuffled(outside), false, items, ITEMS), *model = place_all(shuffled(outside), true, items, ITEMS);
		uint64_t count = ITEMS * plain->tensors[plain->outputs[0]].count;

		/* nothing moves channels any more, but for the CPU's own reader */
		assert_int_equal(model->net->nnodes, outside ? 6 : 1);
		assert_null(model->net->nodes[0].op);
		/* the network as it was, operator by operator */
		assert_int_equal(accel_model_run_float(plain, items, ITEMS, want, NULL), 0);
		assert_int_equal(accel_model_run_float(model, items, ITEMS, flat, NULL), 0);
		for (uint64_t i = 0; i < count; i++)
			assert_true(fabsf(want[i] - flat[i]) < 1e-5f);
		check_devices(model, items, 2e-3f);
		accel_model_unref(plain);
		accel_model_unref(model);
	}
}

/* What a model of the engine has no room for stays on the CPU, and does not stop the import. */
static void test_too_large(void **state)
{
	const int64_t image[4] = { 1, 2, 2896, 2896 };
	struct test_rng rng = { 26 };
	struct ob *b = ob_new(13);
	struct accel_model *model;

	(void)state;
	ob_input(b, "image", 1, 4, image);
	codebook_conv(b, &rng, "a", "image", 8, 2, 3);
	ob_node(b, "GlobalMaxPool", "a", "y");
	ob_output(b, "y");
	model = place_all(b, true, NULL, 0);
	assert_non_null(strstr(reason_of(model, "Conv0"), "a tensor of 67094528 values"));
	assert_non_null(strstr(reason_of(model, "GlobalMaxPool1"), "a tensor of 67094528 values"));
	accel_model_unref(model);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_convolutions),    cmocka_unit_test(test_residual),    cmocka_unit_test(test_joins_left),
		cmocka_unit_test(test_averages_joined), cmocka_unit_test(test_large_pools), cmocka_unit_test(test_padded_averages), cmocka_unit_test(test_views),
		cmocka_unit_test(test_too_large),       cmocka_unit_test(test_weight_groups),
	};

	take_devices(argc, argv);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
