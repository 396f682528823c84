// SPDX-License-Identifier: GPL-2.0 OR MIT
/* Codebooks of groups of rows: accel_model_compress() with row_groups. The same bytes on all devices given.   test_row_groups [DEVICE ...]   (cpu, ref:2x2) */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "network_check.h"

#define FILE_NAME "groups.onnx"

enum { CHANNELS = 32, PIXELS = 12, IMAGE = 8 * SIDE * SIDE };

/* x [1, 8, 8, 8] -> Conv "conv", ReLU -> Conv "depthwise" -> Conv "tail" -> y [1, 12, 6, 6]. Rows of `conv` differ by powers of two between eights: values of one codebook are bad for most. */
static void write_network(void)
{
	static const int64_t image[4] = { 1, 8, SIDE, SIDE }, kernel[4] = { CHANNELS, 8, 3, 3 }, depth[4] = { CHANNELS, 1, 3, 3 }, pixel[4] = { PIXELS, CHANNELS, 1, 1 };
	struct test_rng rng = { 3 };
	float conv[CHANNELS * 8 * 9], bias[CHANNELS], depthwise[CHANNELS * 9], tail[PIXELS * CHANNELS];
	struct ob *b = ob_new(13);
	static const int64_t pads[4] = { 1, 1, 1, 1 };
	Onnx__NodeProto *n;

	random_weights(&rng, conv, CHANNELS * 8 * 9);
	for (unsigned int i = 0; i < CHANNELS * 8 * 9; i++)
		conv[i] *= ldexpf(1, -3 * (int)(i / (8 * 8 * 9)));
	random_weights(&rng, bias, CHANNELS);
	random_weights(&rng, depthwise, CHANNELS * 9);
	random_weights(&rng, tail, PIXELS * CHANNELS);
	ob_input(b, "x", 1, 4, image);
	ob_floats(b, "w1", 4, kernel, conv);
	ob_floats(b, "b1", 1, kernel, bias);
	ob_floats(b, "w2", 4, depth, depthwise);
	ob_floats(b, "w3", 4, pixel, tail);
	n = ob_node(b, "Conv", "x,w1,b1", "a");
	strcpy(n->name, "conv");
	ob_attr_ints(b, n, "pads", 4, pads);
	ob_node(b, "Relu", "a", "b");
	n = ob_node(b, "Conv", "b,w2", "c");
	strcpy(n->name, "depthwise");
	ob_attr_int(b, n, "group", CHANNELS);
	n = ob_node(b, "Conv", "c,w3", "y");
	strcpy(n->name, "tail");
	ob_output(b, "y");
	ob_save(b, FILE_NAME);
	ob_free(b);
}

struct seen {
	unsigned int n;
	struct accel_compress_info layer[16];
	char name[16][32];
};

static void see(void *arg, const struct accel_compress_info *info)
{
	struct seen *s = arg;

	assert_true(s->n < 16);
	s->layer[s->n] = *info;
	snprintf(s->name[s->n++], sizeof(s->name[0]), "%s", info->layer);
}

static float items[ITEMS * IMAGE];

static struct accel_model *compressed(struct accel_compress_options o, struct seen *s)
{
	const struct accel_onnx_options onnx = { .size = sizeof(onnx), .calib = items, .ncalib = ITEMS };
	struct accel_model *model;
	struct accel_error err;

	*s = (struct seen){ 0 };
	o.size = sizeof(o);
	o.report = see;
	o.report_arg = s;
	if (accel_model_compress(FILE_NAME, &onnx, &o, &model, &err))
		fail_msg("%s", err.text);
	return model;
}

static int setup(void **state)
{
	struct test_rng rng = { 9 };

	(void)state;
	for (unsigned int i = 0; i < ITEMS * IMAGE; i++)
		items[i] = (float)test_uniform(&rng) - 0.5f;
	write_network();
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	return unlink(FILE_NAME);
}

static const char *const four[] = { "conv.rows0-7", "conv.rows8-15", "conv.rows16-23", "conv.rows24-31" };

/* Layers as the engine has them: a codebook each. */
static unsigned int codebooks(const struct accel_model *model, const char *prefix)
{
	struct accel_layer_info l;
	unsigned int n = 0;

	for (unsigned int i = 0; !accel_model_layer(model, i, &l); i++)
		n += l.kind == ACCEL_LAYER_CONV && !strncmp(l.name, prefix, strlen(prefix)) && l.codebook_size > 0;
	return n;
}

/* Four codebooks: the layers and their sizes, less noise than one codebook has, and the same bytes everywhere. */
static void test_groups(void **state)
{
	const struct accel_compress_options o = { .density = 1, .conv_bits = 2, .prune = ACCEL_PRUNE_MAGNITUDE };
	struct accel_compress_options split = o;
	struct seen one, s;
	struct accel_model *model = compressed(o, &one);

	(void)state;
	assert_int_equal(one.n, 3);
	assert_int_equal(codebooks(model, "conv"), 1);
	accel_model_unref(model);
	split.row_groups = 4;
	model = compressed(split, &s);
	/* the depthwise convolution stays one, and of the last one's 384 weights there are no two groups of 256 */
	assert_int_equal(s.n, 6);
	for (unsigned int i = 0; i < 4; i++) {
		assert_string_equal(s.name[i], four[i]);
		assert_int_equal(s.layer[i].weights, 8 * 8 * 9);
		assert_int_equal(s.layer[i].shared, 3);
		/* even weights of two bits: 12 dB; as one, three groups of four are next to nothing */
		assert_true(s.layer[i].snr > 9);
	}
	assert_string_equal(s.name[4], "depthwise");
	assert_string_equal(s.name[5], "tail");
	assert_int_equal(codebooks(model, "conv.rows"), 4);
	check_devices(model, items, 0.02f);
	accel_model_unref(model);
}

/* With every value kept the network is the one that it was, bit by bit. */
static void test_exact(void **state)
{
	const struct accel_compress_layer all[] = { { .pattern = "*", .keep = true } };
	float *out[2];

	(void)state;
	for (unsigned int k = 0; k < 2; k++) {
		struct seen s;
		struct accel_model *model = compressed((struct accel_compress_options){ .noverrides = 1, .overrides = all, .row_groups = k ? 3 : 0 }, &s);
		size_t n = ITEMS * model->tensors[model->outputs[0]].count;

		assert_int_equal(s.n, k ? 5 : 3);
		out[k] = malloc(n * sizeof(**out));
		run(model, "cpu", ITEMS, items, out[k]);
		if (k)
			assert_memory_equal(out[0], out[1], n * sizeof(**out));
		accel_model_unref(model);
	}
	free(out[0]);
	free(out[1]);
}

/* A layer by its name, and one of its groups. */
static void test_overrides(void **state)
{
	const struct accel_compress_layer some[] = {
		{ .pattern = "conv", .row_groups = 2, .bits = 3 }, { .pattern = "conv.rows16-31", .bits = 5, .density = 0.5 }, { .pattern = "d*", .row_groups = 2 },
	};
	struct seen s;
	struct accel_model *model = compressed((struct accel_compress_options){ .density = 1, .noverrides = 3, .overrides = some, .conv_bits = 4 }, &s);

	(void)state;
	assert_int_equal(s.n, 4);
	assert_string_equal(s.name[0], "conv.rows0-15");
	assert_int_equal(s.layer[0].bits, 3);
	assert_int_equal(s.layer[1].bits, 5);
	assert_int_equal(s.layer[1].nonzeros, 16 * 8 * 9 / 2);
	assert_int_equal(s.layer[2].bits, 4);
	check_devices(model, items, 0.1f);
	accel_model_unref(model);
}

static void test_refused(void **state)
{
	const struct accel_compress_layer some[] = { { .pattern = "conv", .row_groups = 257 } };
	struct accel_model *model;
	struct accel_error err;

	(void)state;
	for (unsigned int k = 0; k < 2; k++) {
		const struct accel_compress_options o = { .size = sizeof(o), .row_groups = k ? 0 : 257, .noverrides = k, .overrides = some };

		assert_int_equal(accel_model_compress(FILE_NAME, NULL, &o, &model, &err), -EINVAL);
		assert_non_null(strstr(err.text, "257 groups of rows"));
	}
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_groups), cmocka_unit_test(test_exact), cmocka_unit_test(test_overrides), cmocka_unit_test(test_refused),
	};
	char folder[] = "/tmp/accel-groups-XXXXXX";
	int failed;

	take_devices(argc, argv);
	if (!mkdtemp(folder) || chdir(folder))
		return 1;
	failed = cmocka_run_group_tests_name("row groups", tests, setup, teardown);
	return chdir("/") || rmdir(folder) ? 1 : failed;
}
