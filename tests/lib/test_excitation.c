// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Products and functions of images in networks: squeeze and excitation, activations other than a clamp, numbers that are multiplied and added.
 * test_excitation [DEVICE ...]   (cpu ref:2x2)
 */
#include <errno.h>
#include "container.h"
#include "network_check.h"

static void all_on_device(const struct accel_model *model)
{
	for (unsigned int k = 0; k < model->net->nnodes; k++)
		if (model->net->nodes[k].op)
			fail_msg("%s: %s", model->net->nodes[k].name, model->net->nodes[k].device_reason);
	assert_int_equal(model->net->nnodes, 1);
}

static const struct accel_layer *layer_named(const struct accel_model *model, const char *name)
{
	const struct accel_model *segment = model->net->nodes[0].segment;

	for (unsigned int l = 0; l < segment->nlayers; l++)
		if (!strcmp(segment->layers[l].name, name))
			return &segment->layers[l];
	fail_msg("there is no layer '%s'", name);
	return NULL;
}

/* A block of MobileNet V3 (Howard et al., arXiv 1905.02244), hard-swish and the mean as exporters write them. */
static void test_block(void **state)
{
	const int64_t image[4] = { 1, 1, SIDE, SIDE }, axes[2] = { 2, -1 };
	const float three = 3, six = 6, zero = 0, sixth = 1.0f / 6;
	static float items[ITEMS * SIDE * SIDE];
	struct test_rng rng = { 41 };
	struct ob *b = ob_new(13);
	struct accel_model *model;
	Onnx__NodeProto *n;

	(void)state;
	random_items(items);
	ob_input(b, "image", 1, 4, image);
	ob_floats(b, "three", 0, NULL, &three);
	ob_floats(b, "six", 0, NULL, &six);
	ob_floats(b, "zero", 0, NULL, &zero);
	codebook_conv(b, &rng, "x", "image", 11, 1, 3);
	ob_node(b, "Add", "x,three", "x3");
	ob_node(b, "Clip", "x3,zero,six", "x6");
	ob_node(b, "Mul", "x,x6", "xx");
	ob_node(b, "Div", "xx,six", "swish");
	n = ob_node(b, "ReduceMean", "swish", "mean");
	ob_attr_ints(b, n, "axes", 2, axes);
	codebook_conv(b, &rng, "few", "mean", 4, 11, 1);
	ob_node(b, "Relu", "few", "few_relu");
	codebook_conv(b, &rng, "many", "few_relu", 11, 4, 1);
	n = ob_node(b, "HardSigmoid", "many", "gate");
	ob_attr_float(b, n, "alpha", sixth);
	ob_node(b, "Mul", "gate,swish", "scaled");
	codebook_conv(b, &rng, "y", "scaled", 3, 11, 1);
	ob_output(b, "y");
	model = place_all(b, true, items, ITEMS);
	all_on_device(model);
	assert_int_equal(layers_named(model, "HardSwish"), 1);
	assert_int_equal(layers_named(model, "HardSigmoid"), 1);
	check_devices(model, items, 2e-3f);
	accel_model_unref(model);
}

/* What is multiplied and added behind a function is the table's; where there is none, a table of its own. */
static void test_numbers(void **state)
{
	const int64_t image[4] = { 1, 1, SIDE, SIDE };
	const float half = 0.5f, two = 2, tenth = 0.1f;
	static float items[ITEMS * SIDE * SIDE];
	const struct accel_layer *layer;
	struct test_rng rng = { 42 };
	struct ob *b = ob_new(13);
	struct accel_model *model;
	Onnx__NodeProto *node;

	(void)state;
	random_items(items);
	ob_input(b, "image", 1, 4, image);
	ob_floats(b, "half", 0, NULL, &half);
	ob_floats(b, "two", 0, NULL, &two);
	ob_floats(b, "tenth", 0, NULL, &tenth);
	codebook_conv(b, &rng, "x", "image", 9, 1, 3);
	ob_node(b, "Sigmoid", "x", "s");
	ob_node(b, "Mul", "half,s", "s_half");
	ob_node(b, "Add", "s_half,tenth", "s_tenth");
	ob_node(b, "Div", "s_tenth,two", "s_quarter");   /* 0.25 sigmoid + 0.05 */
	node = codebook_conv(b, &rng, "z", "s_quarter", 5, 9, 3);
	node->name = ob_own(b, strdup("Conv0.Sigmoid"));   /* what is taken apart needs another name */
	ob_node(b, "Mul", "z,z", "square");
	ob_node(b, "Sub", "square,tenth", "less");
	codebook_conv(b, &rng, "y", "less", 3, 5, 1);
	ob_output(b, "y");
	model = place_all(b, true, items, ITEMS);
	all_on_device(model);
	assert_int_equal(layer_named(model, "Conv0.Sigmoid")->kind, ACCEL_LAYER_CONV);
	layer = layer_named(model, "Conv0.Sigmoid2");
	assert_string_equal(layer->function.name, "Sigmoid");
	assert_float_equal(layer->function.factor, 0.25f, 1e-6);
	assert_float_equal(layer->function.offset, 0.05f, 1e-6);
	assert_int_equal(layers_named(model, "Sub"), 1);
	check_devices(model, items, 2e-3f);
	accel_model_unref(model);
}

/* Operands that are joined, an input, a view's source; x * sigmoid(x). */
static void test_operands(void **state)
{
	const int64_t image[4] = { 1, 1, SIDE, SIDE };
	static float items[ITEMS * SIDE * SIDE];
	struct test_rng rng = { 43 };
	struct ob *b = ob_new(13);
	struct accel_model *model;
	Onnx__NodeProto *n;

	(void)state;
	random_items(items);
	ob_input(b, "image", 1, 4, image);
	codebook_conv(b, &rng, "a", "image", 3, 1, 3);
	codebook_conv(b, &rng, "c", "image", 6, 1, 3);
	n = ob_node(b, "Concat", "a,c", "joined");
	ob_attr_int(b, n, "axis", 1);
	codebook_conv(b, &rng, "d", "joined", 9, 9, 1);
	ob_node(b, "Sigmoid", "d", "s");
	ob_node(b, "Mul", "d,s", "swish");
	ob_node(b, "Mul", "joined,swish", "p");
	codebook_conv(b, &rng, "one", "p", 1, 9, 1);
	ob_node(b, "Mul", "one,image", "q");
	codebook_conv(b, &rng, "y", "q", 4, 1, 1);
	ob_output(b, "y");
	model = place_all(b, true, items, ITEMS);
	all_on_device(model);
	assert_int_equal(layers_named(model, ".copy0"), 1);
	check_devices(model, items, 3e-3f);
	accel_model_unref(model);
}

/* The CPU's, with the reason; a convolution that stays there has its activation back. */
static void test_left(void **state)
{
	const int64_t image[4] = { 1, 1, SIDE, SIDE }, row[4] = { 1, 1, 1, SIDE };
	static float items[ITEMS * SIDE * SIDE];
	struct test_rng rng = { 44 };
	float w[SIDE];
	struct ob *b = ob_new(13);
	struct accel_model *model;
	const float half = 0.5f;
	unsigned int swishes = 0;

	(void)state;
	random_items(items);
	random_weights(&rng, w, SIDE);
	ob_input(b, "image", 1, 4, image);
	ob_floats(b, "row", 4, row, w);
	codebook_conv(b, &rng, "x", "image", 4, 1, 3);
	ob_node(b, "Mul", "x,row", "rows");            /* a number for each column */
	codebook_conv(b, &rng, "z", "rows", 2, 4, 3);
	ob_node(b, "ReduceMax", "z", "most");
	ob_node(b, "Mul", "z,most", "y");              /* a number that is computed */
	ob_output(b, "y");
	model = place_all(b, true, items, ITEMS);
	assert_non_null(strstr(reason_of(model, "Mul1"), "product"));
	assert_non_null(strstr(reason_of(model, "Mul4"), "product"));
	check_devices(model, items, 1e-3f);
	accel_model_unref(model);

	/* without weights beside it nothing goes to the engine, and what a table had taken in is there again */
	b = ob_new(13);
	ob_input(b, "image", 1, 4, image);
	ob_floats(b, "half", 0, NULL, &half);
	ob_node(b, "Sigmoid", "image", "s");
	ob_node(b, "Mul", "s,half", "m");
	ob_node(b, "Add", "half,m", "y");
	ob_output(b, "y");
	model = place_all(b, true, items, ITEMS);
	assert_int_equal(model->net->nnodes, 3);
	check_devices(model, items, 1e-6f);
	accel_model_unref(model);

	b = ob_new(13);
	ob_input(b, "image", 1, 4, image);
	ob_node(b, "Softmax", "image", "w");           /* weights that are computed */
	ob_node(b, "Conv", "image,w", "x");
	ob_node(b, "HardSwish", "x", "y");
	ob_output(b, "y");
	model = place_all(b, true, items, ITEMS);
	for (unsigned int n = 0; n < model->net->nnodes; n++)
		swishes += !strcmp(net_op_name(&model->net->nodes[n]), "HardSwish");
	assert_int_equal(model->net->nnodes, 2);
	assert_int_equal(swishes, 0);
	accel_model_unref(model);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_block), cmocka_unit_test(test_numbers), cmocka_unit_test(test_operands), cmocka_unit_test(test_left),
	};

	take_devices(argc, argv);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
