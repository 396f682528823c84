// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Networks with device segments: placement, equal bits on every device, .eie files of them and each of their fields broken.
 * test_network [DEVICE ...]   (cpu ref:2x2)
 */
#include <errno.h>
#include <math.h>
#include "models.h"
#include "container.h"
#include "eie_edit.h"
#include "net.h"
#include "netmodel.h"
#include "onnx_build.h"
#include "onnx_place.h"

static const char *const default_devices[] = { "cpu", "ref:2x2" };
static const char *const *devices = default_devices;
static int ndevices = 2;

/* Weights of few different values, a good part of them zero; of many, none zero, when more are asked for than a codebook holds. */
static void codebook_weights(struct test_rng *rng, float *w, size_t n, unsigned int values)
{
	for (size_t i = 0; i < n; i++)
		w[i] = values <= 255 && test_random(rng) % 3 ? 0 : ((float)(1 + test_random(rng) % values) - (float)values / 2 - 0.5f) / (float)values;
}

static void random_weights(struct test_rng *rng, float *w, size_t n)
{
	for (size_t i = 0; i < n; i++)
		w[i] = (float)(test_uniform(rng) - 0.5);
}

enum { SIDE = 8, MAPS = 4, FLAT = SIDE * SIDE * MAPS, HIDDEN = 40, CLASSES = 10 };

/* Convolution, two fully connected layers of codebooks, softmax. values: different weights of the second layer. */
static struct ob *classifier(unsigned int values)
{
	const int64_t image[4] = { 1, 1, SIDE, SIDE }, kernel[4] = { MAPS, 1, 3, 3 }, pads[4] = { 1, 1, 1, 1 };
	const int64_t fc1[2] = { HIDDEN, FLAT }, fc2[2] = { HIDDEN, CLASSES }, hidden[1] = { HIDDEN }, classes[1] = { CLASSES };
	struct test_rng rng = { 11 };
	static float w[HIDDEN * FLAT];
	struct ob *b = ob_new(13);
	Onnx__NodeProto *n;

	ob_input(b, "image", 1, 4, image);
	random_weights(&rng, w, MAPS * 9);
	ob_floats(b, "kernel", 4, kernel, w);
	n = ob_node(b, "Conv", "image,kernel", "maps");
	ob_attr_ints(b, n, "pads", 4, pads);
	ob_node(b, "Relu", "maps", "maps_relu");
	ob_node(b, "Flatten", "maps_relu", "flat");
	codebook_weights(&rng, w, HIDDEN * FLAT, 15);
	ob_floats(b, "w1", 2, fc1, w);
	random_weights(&rng, w, HIDDEN);
	ob_floats(b, "b1", 1, hidden, w);
	n = ob_node(b, "Gemm", "flat,w1,b1", "h");
	ob_attr_int(b, n, "transB", 1);
	ob_node(b, "Relu", "h", "h_relu");
	codebook_weights(&rng, w, HIDDEN * CLASSES, values);
	ob_floats(b, "w2", 2, fc2, w);
	random_weights(&rng, w, CLASSES);
	ob_floats(b, "b2", 1, classes, w);
	ob_node(b, "MatMul", "h_relu,w2", "logits");
	ob_node(b, "Add", "logits,b2", "logits_b");
	ob_node(b, "Softmax", "logits_b", "scores");
	ob_output(b, "scores");
	ob_output(b, "flat");
	return b;
}

/* Placed, as a model; conv: convolutions too. Frees b. calib: [n, SIDE * SIDE] or NULL. */
static struct accel_model *place_all(struct ob *b, bool conv, const float *calib, uint64_t n)
{
	const struct calib_inputs inputs = { .n = n, .values = &calib };
	const struct placement how = { .conv = conv };
	struct calib *ranges = NULL;
	struct accel_network *net;
	struct accel_model *model;
	struct accel_error err;

	if (ob_load(b, NULL, &net, &err) || (n && calib_new(net, &inputs, &ranges, &err)) || onnx_place(net, &how, ranges, &err) ||
	    net_check(net, &err) || netmodel_new(net, &model, &err))
		fail_msg("%s", err.text);
	calib_free(ranges);
	ob_free(b);
	return model;
}

static struct accel_model *place(struct ob *b, const float *calib, uint64_t n)
{
	return place_all(b, false, calib, n);
}

/* Runs items on a device; out: [n, CLASSES]. */
static void run(struct accel_model *model, const char *spec, unsigned int batch, const float *items, float *out)
{
	const struct accel_compile_options options = { .size = sizeof(options), .batch = batch };
	struct accel_device *device;
	struct accel_program *program;
	struct accel_session *session;
	struct accel_error err;

	if (accel_device_open(spec, &device, &err) || accel_program_compile(model, device, &options, &program, &err) ||
	    accel_session_open(program, device, &session, &err) || accel_session_input(session, 0, items, &err) ||
	    accel_session_run(session, &err) || accel_session_output(session, 0, out, &err))
		fail_msg("%s: %s", spec, err.text);
	accel_session_close(session);
	accel_program_unref(program);
	accel_device_unref(device);
}

#define ITEMS 5

/* Items in one batch: the same bytes on every device, and close to float32. */
static void check_devices(struct accel_model *model, const float *items, float tolerance)
{
	size_t n = ITEMS * model->tensors[model->outputs[0]].count;
	float *flat = malloc(n * sizeof(*flat)), *first = malloc(n * sizeof(*first)), *out = malloc(n * sizeof(*out));

	assert_int_equal(accel_model_run_float(model, items, ITEMS, flat, NULL), 0);
	for (int d = 0; d < ndevices; d++) {
		run(model, devices[d], ITEMS, items, d ? out : first);
		if (d)
			assert_memory_equal(first, out, n * sizeof(*out));
	}
	for (size_t i = 0; i < n; i++)
		if (!(fabsf(first[i] - flat[i]) < tolerance))
			fail_msg("value %zu: %g, in float32 %g", i, (double)first[i], (double)flat[i]);
	free(flat);
	free(first);
	free(out);
}

static void random_items(float *items)
{
	struct test_rng rng = { 5 };

	for (int i = 0; i < ITEMS * SIDE * SIDE; i++)
		items[i] = (float)test_uniform(&rng);
}

/* ---------------------------------------------------------------- placement */

static void test_placement(void **state)
{
	struct accel_model *model = place(classifier(15), NULL, 0);
	const struct accel_network *net = model->net;
	struct accel_layer_info info;

	(void)state;
	/* convolution with its ReLU, flatten, one segment of two layers, softmax */
	assert_int_equal(net->nnodes, 4);
	assert_null(net->nodes[2].op);
	assert_int_equal(net->nodes[2].segment->nlayers, 2);
	assert_int_equal(accel_model_layers(model), 5);
	assert_int_equal(accel_model_layer(model, 2, &info), 0);
	assert_int_equal(info.kind, ACCEL_LAYER_FC);
	assert_true(info.rows == HIDDEN && info.cols == FLAT && info.activation == ACCEL_ACT_RELU && info.code_bits == 4);
	assert_int_equal(accel_model_layer(model, 3, &info), 0);
	assert_true(info.rows == CLASSES && info.cols == HIDDEN && info.activation == ACCEL_ACT_NONE);
	assert_int_equal(accel_model_layer(model, 0, &info), 0);
	assert_true(info.kind == ACCEL_LAYER_OP && info.weights == MAPS * 9);
	assert_string_equal(info.op, "Conv");
	assert_int_equal(accel_model_layer(model, 5, &info), -ERANGE);
	/* the batch is no dimension of inputs and outputs */
	assert_int_equal(model->tensors[model->inputs[0]].ndim, 3);
	assert_int_equal(model->tensors[model->outputs[0]].ndim, 1);
	assert_int_equal(model->tensors[model->outputs[0]].dtype, ACCEL_DTYPE_FLOAT32);
	accel_model_unref(model);
}

static void test_reasons(void **state)
{
	struct accel_model *model = place(classifier(100000), NULL, 0);
	struct accel_place_info place_info;
	struct accel_program *program;
	struct accel_device *device;
	unsigned int on_device = 0;

	(void)state;
	assert_int_equal(accel_device_open("ref:2x2", &device, NULL), 0);
	assert_int_equal(accel_program_compile(model, device, NULL, &program, NULL), 0);
	/* the Add behind the product, which its layer would have taken, is one of its own */
	assert_int_equal(accel_program_places(program), 6);
	for (unsigned int i = 0; !accel_program_place(program, i, &place_info); i++) {
		on_device += !strcmp(place_info.where, "device");
		if (!strcmp(place_info.layer, "Conv0"))
			assert_string_equal(place_info.reason, "convolution, imported in float32 (--conv float32)");
		if (!strcmp(place_info.layer, "MatMul5"))
			if (!strstr(place_info.reason, "more than 255 different weights"))
				fail_msg("%s", place_info.reason);
	}
	assert_int_equal(on_device, 1);
	accel_program_unref(program);
	accel_device_unref(device);
	accel_model_unref(model);
}

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

/* A tensor that is wanted between two layers is one more output of the segment. */
static void test_segment_ends(void **state)
{
	struct ob *b = classifier(15);
	struct accel_model *model;

	(void)state;
	ob_output(b, "h_relu");
	model = place(b, NULL, 0);
	assert_int_equal(model->net->nnodes, 4);
	assert_null(model->net->nodes[2].op);
	assert_int_equal(model->net->nodes[2].nout, 2);
	assert_string_equal(model->net->values[model->net->nodes[2].out[0]].name, "h_relu");
	accel_model_unref(model);
}

static Onnx__NodeProto *codebook_conv(struct ob *b, struct test_rng *rng, const char *name, const char *in, int64_t outputs, int64_t inputs,
				      int64_t kernel)
{
	const int64_t dims[4] = { outputs, inputs, kernel, kernel }, pads[4] = { kernel / 2, kernel / 2, kernel / 2, kernel / 2 };
	float w[2048];
	char weights[32], reads[64];
	Onnx__NodeProto *n;

	codebook_weights(rng, w, (int)(outputs * inputs * kernel * kernel), 15);
	snprintf(weights, sizeof(weights), "%s_w", name);
	snprintf(reads, sizeof(reads), "%s,%s", in, weights);
	ob_floats(b, weights, 4, dims, w);
	n = ob_node(b, "Conv", reads, name);
	ob_attr_ints(b, n, "pads", 4, pads);
	return n;
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

static const char *reason_of(const struct accel_model *model, const char *name)
{
	for (unsigned int n = 0; n < model->net->nnodes; n++)
		if (!strcmp(model->net->nodes[n].name, name))
			return model->net->nodes[n].op ? model->net->nodes[n].device_reason : "on the engine";
	return "no such node";
}

static unsigned int layers_named(const struct accel_model *model, const char *part)
{
	unsigned int n = 0;
	struct accel_layer_info info;

	for (unsigned int i = 0; !accel_model_layer(model, i, &info); i++)
		n += !!strstr(info.name, part);
	return n;
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

/* ---------------------------------------------------------------- runs */

static void test_devices_agree(void **state)
{
	static float items[ITEMS * SIDE * SIDE], flat[ITEMS * CLASSES], first[ITEMS * CLASSES], out[ITEMS * CLASSES];

	(void)state;
	random_items(items);
	for (int calibrated = 0; calibrated < 2; calibrated++) {
		struct accel_model *model = place(classifier(15), calibrated ? items : NULL, calibrated ? ITEMS : 0);

		assert_int_equal(model->tensors[model->outputs[0]].calibrated, calibrated);
		assert_int_equal(accel_model_run_float(model, items, ITEMS, flat, NULL), 0);
		for (int d = 0; d < ndevices; d++) {
			run(model, devices[d], ITEMS, items, out);
			if (!d)
				memcpy(first, out, sizeof(out));
			assert_memory_equal(first, out, sizeof(out));
			/* items alone */
			for (int i = 0; i < ITEMS; i++)
				run(model, devices[d], 1, items + i * SIDE * SIDE, out + i * CLASSES);
			assert_memory_equal(first, out, sizeof(out));
		}
		/* 16 bits, two of them spare when not calibrated */
		for (int i = 0; i < ITEMS * CLASSES; i++)
			if (fabsf(flat[i] - first[i]) > (calibrated ? 2e-3f : 1e-2f))
				fail_msg("value %d: %g, in float32 %g", i, (double)first[i], (double)flat[i]);
		accel_model_unref(model);
	}
}

static void test_session_errors(void **state)
{
	static float items[ITEMS * SIDE * SIDE];
	static int16_t raw[ITEMS * SIDE * SIDE];
	struct accel_model *model = place(classifier(15), NULL, 0);
	struct accel_device *device;
	struct accel_program *program;
	struct accel_session *session;
	struct accel_error err;

	(void)state;
	assert_int_equal(accel_device_open("cpu", &device, NULL), 0);
	assert_int_equal(accel_program_compile(model, device, NULL, &program, NULL), 0);
	assert_int_equal(accel_session_open(program, device, &session, NULL), 0);
	assert_int_equal(accel_session_output(session, 0, items, &err), -ENODATA);
	assert_int_equal(accel_session_input_raw(session, 0, raw, &err), -EINVAL);
	assert_non_null(strstr(err.text, "is not int16"));
	assert_int_equal(accel_session_input(session, 1, items, &err), -ERANGE);
	items[3] = NAN;
	assert_int_equal(accel_session_input(session, 0, items, &err), -EDOM);
	items[3] = 0;
	assert_int_equal(accel_session_input(session, 0, items, &err), 0);
	assert_int_equal(accel_session_run(session, &err), 0);
	assert_int_equal(accel_session_output_raw(session, 0, raw, &err), -EINVAL);
	assert_int_equal(accel_session_output(session, 1, items, &err), 0);
	accel_session_close(session);
	accel_program_unref(program);
	accel_device_unref(device);
	accel_model_unref(model);
}

/* ---------------------------------------------------------------- files */

static void test_round_trip(void **state)
{
	static float items[ITEMS * SIDE * SIDE], a[ITEMS * CLASSES], b[ITEMS * CLASSES];
	struct accel_model *model = place(classifier(15), NULL, 0), *again;
	size_t size, size2;
	void *data, *data2;
	struct accel_error err;

	(void)state;
	random_items(items);
	assert_int_equal(eie_encode(model, &data, &size, NULL, &err), 0);
	if (accel_model_load(data, size, "f", &again, &err))
		fail_msg("%s", err.text);
	assert_int_equal(eie_encode(again, &data2, &size2, NULL, &err), 0);
	assert_int_equal(size, size2);
	assert_memory_equal(data, data2, size);
	run(model, "cpu", ITEMS, items, a);
	run(again, "cpu", ITEMS, items, b);
	assert_memory_equal(a, b, sizeof(a));
	free(data);
	free(data2);
	accel_model_unref(model);
	accel_model_unref(again);
}

struct file {
	uint8_t *data;
	size_t size, tree;
};

static struct file good_file(void)
{
	struct accel_model *model = place(classifier(15), NULL, 0);
	struct file f;
	void *data;

	assert_int_equal(eie_encode(model, &data, &f.size, NULL, NULL), 0);
	f.data = data;
	f.tree = fdt_totalsize(data);
	accel_model_unref(model);
	return f;
}

/* An editable copy of the tree. */
static void *tree_of(const struct file *f)
{
	void *fdt = malloc(f->tree + 65536);

	assert_non_null(fdt);
	assert_int_equal(fdt_open_into(f->data, fdt, (int)(f->tree + 65536)), 0);
	return fdt;
}

/* Assembles, loads; frees fdt. */
static int load_edited(const struct file *f, void *fdt, struct accel_error *err)
{
	size_t start = eie_data_start(f->tree), size = 0;
	uint8_t *file = eie_assemble(fdt, f->data + start, f->size - start, &size);
	struct accel_model *model = NULL;
	int ret;

	assert_non_null(file);
	ret = accel_model_load(file, size, "f", &model, err);
	accel_model_unref(model);
	free(file);
	free(fdt);
	return ret;
}

static void broken(const struct file *f, const char *path, const char *prop, const void *value, int len, int code, const char *part)
{
	void *fdt = tree_of(f);
	int node = fdt_path_offset(fdt, path);
	struct accel_error err = { 0 };
	int ret;

	assert_true(node >= 0);
	assert_int_equal(len < 0 ? fdt_delprop(fdt, node, prop) : fdt_setprop(fdt, node, prop, value, len), 0);
	ret = load_edited(f, fdt, &err);
	if (ret != code || !strstr(err.text, part))
		fail_msg("%s %s: %d, not %d: '%s' should say '%s'", path, prop, ret, code, err.text, part);
}

static void test_fields(void **state)
{
	struct file f = good_file();
	const fdt32_t far = cpu_to_fdt32(1000), set = cpu_to_fdt32(23), dims[4] = { cpu_to_fdt32(1), cpu_to_fdt32(1), cpu_to_fdt32(8), cpu_to_fdt32(9) };
	const fdt32_t shape[4] = { 0, cpu_to_fdt32(1), 0, cpu_to_fdt32(11) }, late[3] = { cpu_to_fdt32(9), cpu_to_fdt32(9), cpu_to_fdt32(9) };

	(void)state;
	broken(&f, "/", "must-understand", "telepathy", 10, -ENOTSUP, "needs the feature 'telepathy'");
	broken(&f, "/", "must-understand", "network\0telepathy", 18, -ENOTSUP, "needs the feature 'telepathy'");
	/* without it the file is one of layers, and has none */
	broken(&f, "/", "must-understand", NULL, -1, -EBADMSG, "property 'inputs' is missing");
	broken(&f, "/network/nodes/n0", "must-understand", "network", 8, -ENOTSUP, "node 'n0' needs the feature 'network'");
	broken(&f, "/network", "inputs", &far, 4, -EBADMSG, "input 0 is value 1000");
	broken(&f, "/network", "outputs", &far, 4, -EBADMSG, "output 0 is value 1000");
	broken(&f, "/network", "inputs", NULL, -1, -EBADMSG, "property 'inputs' is missing");
	broken(&f, "/network/values/v0", "type", "float64", 8, -ENOTSUP, "element type 'float64'");
	broken(&f, "/network/values/v0", "type", NULL, -1, -EBADMSG, "");
	broken(&f, "/network/nodes/n0", "op", "Konv", 5, -ENOTSUP, "operator 'Konv'");
	broken(&f, "/network/nodes/n0", "op", "Relu", 5, -EINVAL, "it takes 1 to 1");
	broken(&f, "/network/nodes/n0", "opset", &set, 4, -EBADMSG, "operator set 23");
	broken(&f, "/network/nodes/n0", "in", &far, 4, -EBADMSG, "value 1000");
	broken(&f, "/network/nodes/n0", "in", late, 8, -EBADMSG, "before anything made it");
	broken(&f, "/network/nodes/n0", "in", "abc", 3, -EBADMSG, "property 'in' has 3 bytes");
	broken(&f, "/network/nodes/n0", "out", &far, 4, -EBADMSG, "value 1000");
	broken(&f, "/network/nodes/n0", "activation", "swish", 6, -ENOTSUP, "activation 'swish'");
	broken(&f, "/network/nodes/n0", "activation-parameters", &far, 4, -EBADMSG, "activation-parameters");
	broken(&f, "/network/nodes/n0", "label", "", 1, -EBADMSG, "a node has no name");
	broken(&f, "/network/nodes/n1", "activation", "sigmoid", 8, -EBADMSG, "activation-parameters");
	broken(&f, "/network/nodes/n0/attributes/a0", "ints", "abcd", 4, -EBADMSG, "1 words are no 64-bit numbers");
	broken(&f, "/network/nodes/n0/attributes/a0", "label", NULL, -1, -EBADMSG, "property 'label' is missing");
	broken(&f, "/network/nodes/n2/attributes/a0", "ints", shape, 16, -EINVAL, "of the segment has");
	broken(&f, "/network/nodes/n2/segment/layers/l0", "kind", "pool", 5, -ENOTSUP, "layer kind 'pool'");
	/* the image is of another size than the layers behind it */
	for (int v = 0; v < 20; v++) {
		char path[64];
		void *fdt = tree_of(&f);
		int node, len;

		snprintf(path, sizeof(path), "/network/values/v%d", v);
		node = fdt_path_offset(fdt, path);
		if (node >= 0 && fdt_getprop(fdt, node, "label", &len) && fdt_getprop(fdt, node, "type", &len))
			broken(&f, path, "dims", dims, 16, -EINVAL, "of the segment has");
		free(fdt);
	}
	free(f.data);
}

/* Every property taken away, every node taken away: refused or harmless, never a crash. */
static void test_each_missing(void **state)
{
	struct file f = good_file();
	unsigned int refusals = 0, all = 0;

	(void)state;
	for (int nodes = 0; nodes < 2; nodes++) {
		for (int step = 0;; step++) {
			void *fdt = tree_of(&f);
			int node = 0, i = 0, prop = -1;
			struct accel_error err = { 0 };

			for (; node >= 0; node = fdt_next_node(fdt, node, NULL)) {
				if (nodes && node && i++ == step)
					break;
				if (nodes)
					continue;
				fdt_for_each_property_offset(prop, fdt, node)
					if (i++ == step)
						break;
				if (prop >= 0)
					break;
			}
			if (node < 0) {
				free(fdt);
				break;
			}
			if (nodes) {
				assert_int_equal(fdt_del_node(fdt, node), 0);
			} else {
				const char *name;

				fdt_getprop_by_offset(fdt, prop, &name, NULL);
				assert_int_equal(fdt_delprop(fdt, node, name), 0);
			}
			all++;
			refusals += load_edited(&f, fdt, &err) != 0;
		}
	}
	/* what may be missing: labels of attributes' lists, calibration marks, reasons and the like */
	assert_true(all > 100 && refusals * 10 > all * 9);
	free(f.data);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_convolutions), cmocka_unit_test(test_residual), cmocka_unit_test(test_joins_left), cmocka_unit_test(test_averages_joined), cmocka_unit_test(test_large_pools), cmocka_unit_test(test_views),
		cmocka_unit_test(test_placement), cmocka_unit_test(test_reasons), cmocka_unit_test(test_segment_ends),
		cmocka_unit_test(test_devices_agree),  cmocka_unit_test(test_session_errors), cmocka_unit_test(test_round_trip),
		cmocka_unit_test(test_fields),         cmocka_unit_test(test_each_missing),
	};

	if (argc > 1) {
		devices = (const char *const *)argv + 1;
		ndevices = argc - 1;
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
