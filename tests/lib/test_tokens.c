// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Values whose channels are their last dimension - batches of vectors, rows of tokens - as images of the engine: fully connected layers of many vectors, what is between
 * them, and convolutions before and behind.
 * test_tokens [DEVICE ...]   (cpu ref:2x2)
 */
#include <errno.h>
#include "container.h"
#include "network_check.h"

/* A fully connected layer of 15 different weights and a bias, behind a MatMul an Add. */
static void dense(struct ob *b, uint64_t seed, const char *op, const char *name, const char *in, int64_t inputs, int64_t outputs)
{
	const int64_t dims[2] = { !strcmp(op, "Gemm") ? outputs : inputs, !strcmp(op, "Gemm") ? inputs : outputs };
	struct test_rng rng = { seed };
	float *w = malloc((size_t)(inputs * outputs) * sizeof(*w));
	char weights[32], bias[32], product[32], reads[128];

	assert_non_null(w);
	snprintf(weights, sizeof(weights), "%s_w", name);
	snprintf(bias, sizeof(bias), "%s_b", name);
	snprintf(product, sizeof(product), "%s_product", name);
	codebook_weights(&rng, w, (size_t)(inputs * outputs), 15);
	ob_floats(b, weights, 2, dims, w);
	random_weights(&rng, w, (size_t)outputs);
	ob_floats(b, bias, 1, &outputs, w);
	if (!strcmp(op, "Gemm")) {
		snprintf(reads, sizeof(reads), "%s,%s,%s", in, weights, bias);
		ob_attr_int(b, ob_node(b, "Gemm", reads, name), "transB", 1);
	} else {
		snprintf(reads, sizeof(reads), "%s,%s", in, weights);
		ob_node(b, "MatMul", reads, product);
		snprintf(reads, sizeof(reads), "%s,%s", bias, product);
		ob_node(b, "Add", reads, name);
	}
	free(w);
}

static void turn(struct ob *b, const char *in, const char *out, size_t n, const int64_t *perm)
{
	ob_attr_ints(b, ob_node(b, "Transpose", in, out), "perm", n, perm);
}

static void norm(struct ob *b, uint64_t seed, const char *in, const char *out, int64_t channels)
{
	struct test_rng rng = { seed };
	float w[64];
	char scale[32], shift[32], reads[128];

	assert_true(channels <= 64);
	snprintf(scale, sizeof(scale), "%s_scale", out);
	snprintf(shift, sizeof(shift), "%s_shift", out);
	random_weights(&rng, w, (size_t)channels);
	ob_floats(b, scale, 1, &channels, w);
	random_weights(&rng, w, (size_t)channels);
	ob_floats(b, shift, 1, &channels, w);
	snprintf(reads, sizeof(reads), "%s,%s,%s", in, scale, shift);
	ob_attr_int(b, ob_node(b, "LayerNormalization", reads, out), "axis", -1);
}

/* A batch of vectors: two layers, ReLU between. */
static struct ob *vectors(void)
{
	const int64_t dims[2] = { 11, 20 };
	struct ob *b = ob_new(20);

	ob_input(b, "x", 1, 2, dims);
	dense(b, 1, "Gemm", "a", "x", 20, 33);
	ob_node(b, "Relu", "a", "r");
	dense(b, 2, "MatMul", "y", "r", 33, 9);
	ob_output(b, "y");
	return b;
}

/* A batch of rows: a function, a residual addition, two halves joined and their product. */
static struct ob *rows(void)
{
	const int64_t dims[3] = { 2, 7, 12 };
	struct ob *b = ob_new(20);

	ob_input(b, "x", 1, 3, dims);
	dense(b, 3, "MatMul", "a", "x", 12, 18);
	ob_node(b, "Gelu", "a", "g");
	dense(b, 4, "MatMul", "c", "g", 18, 12);
	ob_node(b, "Add", "c,x", "sum");
	ob_node(b, "Sigmoid", "sum", "gate");
	ob_node(b, "Mul", "gate,c", "gated");
	ob_attr_int(b, ob_node(b, "Concat", "gated,sum", "joined"), "axis", 2);
	dense(b, 5, "MatMul", "y", "joined", 24, 5);
	ob_output(b, "y");
	return b;
}

/* An image becomes tokens and an image again: nothing is moved. */
static struct ob *there_and_back(void)
{
	const int64_t image[4] = { 1, 1, SIDE, SIDE }, flat[3] = { 1, 10, SIDE * SIDE }, grid[4] = { 1, 10, SIDE, SIDE };
	const int64_t perm[3] = { 0, 2, 1 };
	struct test_rng rng = { 6 };
	struct ob *b = ob_new(20);

	ob_input(b, "image", 1, 4, image);
	ob_ints(b, "flat_shape", 3, flat);
	ob_ints(b, "grid_shape", 4, grid);
	codebook_conv(b, &rng, "c", "image", 10, 1, 3);
	ob_node(b, "Reshape", "c,flat_shape", "flat");
	turn(b, "flat", "tokens", 3, perm);
	dense(b, 7, "MatMul", "a", "tokens", 10, 21);
	ob_node(b, "Relu", "a", "r");
	dense(b, 8, "MatMul", "d", "r", 21, 10);
	ob_node(b, "Add", "d,tokens", "sum");
	turn(b, "sum", "turned", 3, perm);
	ob_node(b, "Reshape", "turned,grid_shape", "grid");
	codebook_conv(b, &rng, "y", "grid", 4, 10, 3);
	ob_output(b, "y");
	return b;
}

/* ConvNeXt's block (Liu et al., arXiv 2201.03545): a large window in each channel, normalised pixels, two fully connected layers, factors, the image itself added. */
static struct ob *convnext(void)
{
	const int64_t image[4] = { 1, 2, SIDE, SIDE }, window[4] = { 12, 1, 7, 7 }, pads[4] = { 3, 3, 3, 3 }, last[4] = { 0, 2, 3, 1 }, first[4] = { 0, 3, 1, 2 };
	const int64_t channels[3] = { 12, 1, 1 };
	struct test_rng rng = { 9 };
	float w[12 * 49];
	struct ob *b = ob_new(20);
	Onnx__NodeProto *n;

	ob_input(b, "image", 1, 4, image);
	codebook_conv(b, &rng, "stem", "image", 12, 2, 1);
	codebook_weights(&rng, w, 12 * 49, 15);
	ob_floats(b, "window", 4, window, w);
	n = ob_node(b, "Conv", "stem,window", "each");
	ob_attr_ints(b, n, "pads", 4, pads);
	ob_attr_int(b, n, "group", 12);
	turn(b, "each", "pixels", 4, last);
	norm(b, 10, "pixels", "normal", 12);
	dense(b, 11, "MatMul", "wide", "normal", 12, 48);
	ob_node(b, "Gelu", "wide", "bent");
	dense(b, 12, "MatMul", "narrow", "bent", 48, 12);
	turn(b, "narrow", "planes", 4, first);
	codebook_weights(&rng, w, 12, 3);
	ob_floats(b, "gamma", 3, channels, w);
	ob_node(b, "Mul", "planes,gamma", "scaled");
	ob_node(b, "Add", "scaled,stem", "sum");
	codebook_conv(b, &rng, "y", "sum", 5, 12, 1);
	ob_output(b, "y");
	return b;
}

/* A transformer's block (Touvron et al., arXiv 2012.12877) with two heads. Normalisation and attention are the CPU's. */
static struct ob *deit(void)
{
	const int64_t dims[3] = { 1, 9, 12 }, heads[5] = { 1, 9, 3, 2, 6 }, order[5] = { 2, 0, 3, 1, 4 }, keys[4] = { 0, 1, 3, 2 }, back[4] = { 0, 2, 1, 3 }, zero = 0;
	struct ob *b = ob_new(20);

	ob_input(b, "x", 1, 3, dims);
	norm(b, 13, "x", "n1", 12);
	dense(b, 14, "MatMul", "qkv", "n1", 12, 36);
	ob_ints(b, "heads", 5, heads);
	ob_node(b, "Reshape", "qkv,heads", "five");
	turn(b, "five", "apart", 5, order);
	ob_attr_int(b, ob_node(b, "Split", "apart", "q5,k5,v5"), "num_outputs", 3);
	ob_ints(b, "axis0", 1, &zero);
	ob_node(b, "Squeeze", "q5,axis0", "q");
	ob_node(b, "Squeeze", "k5,axis0", "k");
	ob_node(b, "Squeeze", "v5,axis0", "v");
	turn(b, "k", "kt", 4, keys);
	ob_scalar(b, "root", 2.44949f);
	ob_node(b, "MatMul", "q,kt", "products");
	ob_node(b, "Div", "products,root", "scaled");
	ob_node(b, "Softmax", "scaled", "attention");
	ob_node(b, "MatMul", "attention,v", "seen");
	turn(b, "seen", "seen_turned", 4, back);
	ob_ints(b, "shape", 3, dims);
	ob_node(b, "Reshape", "seen_turned,shape", "joined");
	dense(b, 15, "MatMul", "projected", "joined", 12, 12);
	ob_node(b, "Add", "projected,x", "x1");
	norm(b, 16, "x1", "n2", 12);
	dense(b, 17, "MatMul", "wide", "n2", 12, 48);
	ob_node(b, "Gelu", "wide", "bent");
	dense(b, 18, "MatMul", "narrow", "bent", 48, 12);
	ob_node(b, "Add", "x1,narrow", "y");
	ob_output(b, "y");
	return b;
}

static void check_all_on_engine(struct accel_model *model, unsigned int layers)
{
	assert_null(model->net->nodes[0].op);
	assert_int_equal(model->net->nodes[0].segment->nlayers, layers);
	accel_model_unref(model);
}

static void test_vectors(void **state)
{
	(void)state;
	check_all_on_engine(check_network(vectors, 1, 2e-3f), 2);
}

static void test_rows(void **state)
{
	(void)state;
	/* a, gelu, c, operands, sum, gate, gated, copies and concatenation of two that have a place, y */
	accel_model_unref(check_network(rows, 1, 5e-3f));
}

static void test_there_and_back(void **state)
{
	struct accel_model *model;

	(void)state;
	/* c, a, d, operands, sum, y */
	model = check_network(there_and_back, 1, 5e-3f);
	assert_false(layout_turned(&model->net->nodes[0], false, 0) || layout_turned(&model->net->nodes[0], true, 0));
	check_all_on_engine(model, 6);
}

static void test_convnext(void **state)
{
	struct accel_model *model;

	(void)state;
	/* segments before and behind the CPU's Transpose and LayerNormalization */
	model = check_network(convnext, 4, 1e-2f);
	assert_string_equal(net_op_name(&model->net->nodes[1]), "Transpose");
	assert_string_equal(net_op_name(&model->net->nodes[2]), "LayerNormalization");
	accel_model_unref(model);
}

static void test_deit(void **state)
{
	struct accel_model *model;
	unsigned int segments = 0;

	(void)state;
	/* LayerNormalization, qkv, 12 operators, projection and addition, LayerNormalization, the rest */
	model = check_network(deit, 18, 2e-2f);
	for (unsigned int n = 0; n < model->net->nnodes; n++)
		segments += !model->net->nodes[n].op;
	assert_int_equal(segments, 3);
	accel_model_unref(model);
}

/* A product with the rows of an image, which lie across its planes, is none of the engine's; neither are additions of what lies in two ways. */
static struct ob *across(void)
{
	const int64_t image[4] = { 1, 1, SIDE, SIDE }, last[4] = { 0, 2, 3, 1 };
	struct test_rng rng = { 19 };
	struct ob *b = ob_new(20);

	ob_input(b, "image", 1, 4, image);
	codebook_conv(b, &rng, "c", "image", SIDE, 1, 3);
	dense(b, 20, "MatMul", "a", "c", SIDE, SIDE);
	turn(b, "c", "pixels", 4, last);
	dense(b, 21, "MatMul", "d", "pixels", SIDE, SIDE);
	ob_node(b, "Add", "c,d", "y");   /* all dimensions are SIDE: shapes alone would allow it */
	ob_node(b, "Add", "a,y", "z");
	ob_output(b, "z");
	return b;
}

static void test_across(void **state)
{
	struct accel_model *model;

	(void)state;
	model = check_network(across, 5, 2e-2f);
	assert_non_null(strstr(reason_of(model, "MatMul1"), "rows of an image"));
	assert_non_null(strstr(reason_of(model, "Add6"), "no images of one size"));
	accel_model_unref(model);
}

/* Files that name what there is not. */
static void test_fields(void **state)
{
	static const struct {
		const char *name;
		int64_t value;
		const char *text;
	} broken[] = {
		{ LAYOUT_TURNED, 1, "names number 1 of 1" }, { LAYOUT_TURNED, -1, "names number -1 of 1" }, { LAYOUT_TURNED_OUT, 7, "names number 7 of 1" },
	};
	static float items[ITEMS * 11 * 20];
	struct accel_model *model = place_all(vectors(), true, items, ITEMS), *again;
	struct net_node *node = &model->net->nodes[0];
	struct accel_error err;
	void *file;
	size_t size;

	(void)state;
	for (size_t i = 0; i < sizeof(broken) / sizeof(broken[0]); i++) {
		for (unsigned int k = 0; k < node->nattrs; k++) {
			int64_t kept = node->attrs[k].ints[0];

			if (strcmp(node->attrs[k].name, broken[i].name))
				continue;
			node->attrs[k].ints[0] = broken[i].value;
			assert_int_equal(eie_encode(model, &file, &size, NULL, &err), 0);
			assert_int_equal(accel_model_load(file, size, "f", &again, &err), -EINVAL);
			if (!strstr(err.text, broken[i].text))
				fail_msg("%s", err.text);
			free(file);
			node->attrs[k].ints[0] = kept;
		}
	}
	accel_model_unref(model);
	/* vectors in a row cannot be turned */
	model = place_all(vectors(), true, items, ITEMS);
	node = &model->net->nodes[0];
	assert_true(layout_turned(node, false, 0) && layout_turned(node, true, 0));
	node->segment->tensors[node->segment->inputs[0]].ndim = 1;
	assert_int_equal(net_infer(model->net, node, &err), -EINVAL);
	assert_non_null(strstr(err.text, "which is no image"));
	accel_model_unref(model);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_vectors), cmocka_unit_test(test_rows), cmocka_unit_test(test_there_and_back), cmocka_unit_test(test_convnext),
		cmocka_unit_test(test_deit),    cmocka_unit_test(test_across), cmocka_unit_test(test_fields),
	};

	take_devices(argc, argv);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
