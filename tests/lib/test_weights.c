// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Scales of rows: of graphs built by calls, of batch normalisation behind shared weights, of weights that the importer rounds.
 * test_weights [DEVICE ...]   (cpu ref:2x2)
 */
#include <errno.h>
#include <float.h>
#include "container.h"
#include "eie_edit.h"
#include "network_check.h"

enum { MAPS = 6 };

/* Runs items on each device, which must agree in every byte; out: [ITEMS, values of the first output]. */
static void run_everywhere(struct accel_model *model, const float *items, float *out)
{
	size_t bytes = ITEMS * model->tensors[model->outputs[0]].count * sizeof(*out);
	float *other = malloc(bytes);

	for (int d = 0; d < ndevices; d++) {
		run(model, devices[d], ITEMS, items, d ? other : out);
		if (d)
			assert_memory_equal(out, other, bytes);
	}
	free(other);
}

static void random_floats(struct test_rng *rng, float *v, size_t n, double lo, double hi)
{
	for (size_t i = 0; i < n; i++)
		v[i] = (float)(lo + (hi - lo) * test_uniform(rng));
}

/* ---------------------------------------------------------------- by calls */

/* Rows of equal codes that differ in their scales alone, by a factor of a million. */
static void test_rows(void **state)
{
	const uint32_t rowptr[] = { 0, 2, 4, 6, 6 }, col[] = { 0, 1, 0, 1, 0, 1 }, cols = 2;
	const uint8_t code[] = { 1, 2, 1, 2, 1, 2 };
	const float codebook[] = { 0, 0.7f, -0.3f }, bias[] = { 0.25f, 0, -1e-4f, 0.125f }, scale[] = { 1, 1e-3f, 1e-6f, 2 };
	const struct accel_csr csr = { 4, 2, rowptr, col, code, codebook, 3, bias, scale };
	const float items[ITEMS * 2] = { 1, 0, -1, 1, 0.5f, 0.25f };
	float out[ITEMS * 4], flat[ITEMS * 4];
	struct accel_graph *graph;
	struct accel_model *model;
	struct accel_error err;
	const struct accel_layer *l;
	unsigned int t;

	(void)state;
	assert_int_equal(accel_graph_new(&graph), 0);
	assert_int_equal(accel_graph_input(graph, "x", 1, &cols, -1, 1, &t, NULL), 0);
	if (accel_graph_add_fc_csr(graph, "fc", t, &csr, ACCEL_ACT_NONE, &t, &err) || accel_graph_calibrate(graph, items, ITEMS, &err))
		fail_msg("%s", err.text);
	model = test_finish(graph);
	l = &model->layers[0];
	for (unsigned int r = 0; r < 4; r++) {
		double unit = (double)model->tensors[0].scale * (double)l->codebook_scale * (double)scale[r];

		assert_true(fabs(l->bias_q[r] - (double)bias[r] / unit) <= 0.5);
		assert_true(fabs(ldexp(l->mult[r], -l->shift[r]) / (unit / (double)model->tensors[1].scale) - 1) < 1.0 / 65536);
	}
	assert_int_equal(accel_model_run_float(model, items, ITEMS, flat, NULL), 0);
	run_everywhere(model, items, out);
	for (unsigned int i = 0; i < ITEMS; i++) {
		assert_true(fabsf(flat[4 * i] - (0.7f * items[2 * i] - 0.3f * items[2 * i + 1] + 0.25f)) < 1e-6f);
		assert_true(flat[4 * i + 3] == 0.125f);
	}
	/* one step of the output, which is about 1.5, is 5e-5 */
	for (unsigned int i = 0; i < ITEMS * 4; i++)
		assert_true(fabsf(out[i] - flat[i]) < 1e-4f);
	accel_model_unref(model);
}

/* A codebook of small integers rounds nothing, whatever bits the sum leaves it: the input keeps all of its own. */
static void test_integers(void **state)
{
	float codebook[] = { 0, 127, -127, 1, 64 }, scale[] = { 1 };
	uint32_t rowptr[] = { 0, 400 }, col[400], cols = 400;
	uint8_t code[400];
	struct accel_csr csr = { 1, 400, rowptr, col, code, codebook, 5, NULL, scale };
	struct accel_graph *graph;
	struct accel_model *model;
	unsigned int t;

	(void)state;
	for (uint32_t i = 0; i < 400; i++) {
		col[i] = i;
		code[i] = (uint8_t)(1 + i % 4);
	}
	assert_int_equal(accel_graph_new(&graph), 0);
	assert_int_equal(accel_graph_input(graph, "x", 1, &cols, -1, 1, &t, NULL), 0);
	assert_int_equal(accel_graph_add_fc_csr(graph, "fc", t, &csr, ACCEL_ACT_NONE, &t, NULL), 0);
	model = test_finish(graph);
	assert_int_equal(model->tensors[0].hi, 32767);
	assert_int_equal(model->layers[0].codebook_q[1] % 127, 0);
	assert_int_equal(model->layers[0].codebook_q[1] * 64, model->layers[0].codebook_q[4] * 127);
	assert_int_equal(model->layers[0].codebook_q[1], model->layers[0].codebook_q[3] * 127);
	accel_model_unref(model);
}

static void test_bad_scales(void **state)
{
	const uint32_t rowptr[] = { 0, 1, 2 }, col[] = { 0, 0 }, cols = 1;
	const uint8_t code[] = { 1, 1 };
	const float codebook[] = { 0, 1 }, bad[] = { 0, -1, NAN, INFINITY, FLT_MIN / 2 };
	float scale[2] = { 1, 1 };
	const struct accel_csr csr = { 2, 1, rowptr, col, code, codebook, 2, NULL, scale };
	struct accel_graph *graph;
	struct accel_error err;
	unsigned int x, y;

	(void)state;
	assert_int_equal(accel_graph_new(&graph), 0);
	assert_int_equal(accel_graph_input(graph, "x", 1, &cols, -1, 1, &x, NULL), 0);
	for (unsigned int i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		scale[1] = bad[i];
		assert_int_equal(accel_graph_add_fc_csr(graph, "fc", x, &csr, ACCEL_ACT_NONE, &y, &err), -EINVAL);
		assert_non_null(strstr(err.text, "row_scale[1]"));
	}
	scale[1] = FLT_MIN;
	assert_int_equal(accel_graph_add_fc_csr(graph, "fc", x, &csr, ACCEL_ACT_NONE, &y, &err), 0);
	accel_graph_free(graph);
}

/* ---------------------------------------------------------------- networks */

/* Weights of the two convolutions, and of batch normalisation behind the first: [MAPS] each. */
struct parameters {
	float k1[MAPS * 9], k2[CLASSES * MAPS * 9], gamma[MAPS], beta[MAPS], mean[MAPS], variance[MAPS];
};

static struct ob *network(const struct parameters *p)
{
	const int64_t image[4] = { 1, 1, SIDE, SIDE }, k1[4] = { MAPS, 1, 3, 3 }, k2[4] = { CLASSES, MAPS, 3, 3 }, maps[1] = { MAPS };
	const int64_t pads[4] = { 1, 1, 1, 1 };
	struct ob *b = ob_new(13);
	Onnx__NodeProto *n;

	ob_input(b, "image", 1, 4, image);
	ob_floats(b, "k1", 4, k1, p->k1);
	ob_floats(b, "gamma", 1, maps, p->gamma);
	ob_floats(b, "beta", 1, maps, p->beta);
	ob_floats(b, "mean", 1, maps, p->mean);
	ob_floats(b, "variance", 1, maps, p->variance);
	n = ob_node(b, "Conv", "image,k1", "a");
	ob_attr_ints(b, n, "pads", 4, pads);
	ob_node(b, "BatchNormalization", "a,gamma,beta,mean,variance", "a_bn");
	ob_node(b, "Relu", "a_bn", "a_relu");
	ob_floats(b, "k2", 4, k2, p->k2);
	n = ob_node(b, "Conv", "a_relu,k2", "y");
	ob_attr_ints(b, n, "pads", 4, pads);
	ob_output(b, "y");
	return b;
}

static struct parameters random_parameters(uint64_t seed)
{
	struct test_rng rng = { seed };
	struct parameters p;

	random_floats(&rng, p.k1, MAPS * 9, -0.5, 0.5);
	random_floats(&rng, p.k2, CLASSES * MAPS * 9, -0.5, 0.5);
	random_floats(&rng, p.gamma, MAPS, 0.5, 2);
	random_floats(&rng, p.beta, MAPS, -0.5, 0.5);
	random_floats(&rng, p.mean, MAPS, -0.2, 0.2);
	random_floats(&rng, p.variance, MAPS, 0.5, 2);
	return p;
}

struct seen {
	unsigned int layers;
	double signal, noise;
};

static void see(void *arg, const struct accel_rounded_info *info)
{
	struct seen *s = arg;

	s->layers++;
	s->signal += info->signal;
	s->noise += info->noise;
	assert_string_equal(info->op, "Conv");
	assert_true(info->rows && info->weights);
}

static struct accel_model *place(const struct parameters *p, bool linear, const float *items, struct seen *seen)
{
	const struct placement how = { .conv = true, .linear = linear, .rounded = see, .rounded_arg = seen };
	const struct calib_inputs inputs = { .n = ITEMS, .values = &items };
	struct ob *b = network(p);
	struct calib *ranges = NULL;
	struct accel_network *net;
	struct accel_model *model;
	struct accel_error err;

	if (ob_load(b, NULL, &net, &err) || calib_new(net, &inputs, &ranges, &err) || onnx_place(net, &how, ranges, &err) ||
	    net_check(net, &err) || netmodel_new(net, &model, &err))
		fail_msg("%s", err.text);
	calib_free(ranges);
	ob_free(b);
	return model;
}

enum { OUT = ITEMS * CLASSES * SIDE * SIDE };

static float items[ITEMS * SIDE * SIDE], flat[OUT], out[OUT];

/* The network as it was, in float32. */
static void reference(const struct parameters *p)
{
	struct seen seen = { 0 };
	struct accel_model *model = place(p, false, items, &seen);

	assert_int_equal(seen.layers, 0);
	for (unsigned int n = 0; n < model->net->nnodes; n++)
		assert_non_null(model->net->nodes[n].op);
	assert_int_equal(accel_model_run_float(model, items, ITEMS, flat, NULL), 0);
	accel_model_unref(model);
}

/* What nobody shared becomes one segment, and keeps 40 dB. */
static void test_rounded(void **state)
{
	struct parameters p = random_parameters(3);
	struct test_rng rng = { 4 };
	struct seen seen = { 0 };
	struct accel_model *model;
	double signal = 0, noise = 0;

	(void)state;
	random_floats(&rng, items, ITEMS * SIDE * SIDE, -1, 1);
	/* one row of large and one of small weights: each has its own scale */
	for (unsigned int i = 0; i < 9; i++) {
		p.k1[i] *= 1000;
		p.k1[9 + i] /= 1000;
	}
	p.variance[0] *= 1e6f;
	p.variance[1] *= 1e-6f;
	p.mean[1] /= 1000;
	reference(&p);
	model = place(&p, true, items, &seen);
	assert_int_equal(model->net->nnodes, 1);
	assert_int_equal(model->net->nodes[0].segment->nlayers, 2);
	assert_int_equal(seen.layers, 2);
	assert_true(10 * log10(seen.signal / seen.noise) > 40);
	run_everywhere(model, items, out);
	for (unsigned int i = 0; i < OUT; i++) {
		signal += (double)flat[i] * (double)flat[i];
		noise += (double)(flat[i] - out[i]) * (double)(flat[i] - out[i]);
	}
	if (10 * log10(signal / noise) < 40)
		fail_msg("%g dB", 10 * log10(signal / noise));
	accel_model_unref(model);
}

/* Batch normalisation leaves a shared codebook as it is, bit for bit; negative factors and zeros too. */
static void test_shared(void **state)
{
	static const float values[] = { 0, 0.5f, -0.25f, 0.7f };
	struct parameters p = random_parameters(5);
	struct test_rng rng = { 6 };
	struct seen seen = { 0 };
	const struct accel_layer *l;
	struct accel_model *model;
	float most = 0;

	(void)state;
	random_floats(&rng, items, ITEMS * SIDE * SIDE, -1, 1);
	for (unsigned int i = 0; i < MAPS * 9; i++)
		p.k1[i] = values[test_random(&rng) % 4];
	for (unsigned int i = 0; i < CLASSES * MAPS * 9; i++)
		p.k2[i] = values[test_random(&rng) % 4];
	p.gamma[1] = -1.5f;
	p.gamma[3] = 0;
	model = place(&p, false, items, &seen);
	assert_int_equal(model->net->nnodes, 1);
	assert_int_equal(seen.layers, 0);
	l = &model->net->nodes[0].segment->layers[0];
	/* in order, and what the row of the negative factor takes */
	assert_int_equal(l->ncodes, 7);
	assert_true(l->codebook[1] == -0.25f && l->codebook[2] == 0.5f && l->codebook[3] == 0.7f);
	assert_true(l->codebook[4] == 0.25f && l->codebook[5] == -0.5f && l->codebook[6] == -0.7f);
	for (uint32_t r = 0; r < MAPS; r++) {
		double factor = (double)p.gamma[r] / sqrt((double)p.variance[r] + 1e-5);
		uint32_t i = l->rowptr[r];

		if (r == 3) {
			assert_int_equal(l->rowptr[4], i);
			continue;
		}
		assert_true(l->row_scale[r] == (float)fabs(factor));
		for (uint32_t c = 0; c < 9; c++)
			if (p.k1[9 * r + c] != 0)
				assert_true(l->codebook[l->code[i++]] == (r == 1 ? -p.k1[9 * r + c] : p.k1[9 * r + c]));
		assert_int_equal(i, l->rowptr[r + 1]);
	}
	assert_null(model->net->nodes[0].segment->layers[1].row_scale);
	assert_int_equal(accel_model_run_float(model, items, ITEMS, flat, NULL), 0);
	run_everywhere(model, items, out);
	for (unsigned int i = 0; i < OUT; i++)
		most = fmaxf(most, fabsf(flat[i]));
	for (unsigned int i = 0; i < OUT; i++)
		assert_true(fabsf(out[i] - flat[i]) < 2e-3f * most);
	accel_model_unref(model);
}

/* Channels that training has switched off have a bias and next to no weights. */
static void test_dead_rows(void **state)
{
	struct parameters p = random_parameters(7);
	struct test_rng rng = { 8 };
	struct seen seen = { 0 };
	struct accel_model *model;
	float most = 0;

	(void)state;
	random_floats(&rng, items, ITEMS * SIDE * SIDE, -1, 1);
	p.gamma[0] = 1e-20f;
	p.gamma[2] = 1e-6f;
	p.gamma[4] = 0;
	p.gamma[5] = 1e-42f;
	p.beta[0] = p.beta[2] = 3;
	for (int shared = 0; shared < 2; shared++) {
		for (unsigned int i = 0; shared && i < MAPS * 9; i++)
			p.k1[i] = i % 3 ? 0.25f : -0.5f;
		model = place(&p, true, items, &seen);
		assert_int_equal(model->net->nnodes, 1);
		run_everywhere(model, items, out);
		assert_int_equal(accel_model_run_float(model, items, ITEMS, flat, NULL), 0);
		for (unsigned int i = 0; i < OUT; i++)
			most = fmaxf(most, fabsf(flat[i]));
		for (unsigned int i = 0; i < OUT; i++)
			assert_true(fabsf(out[i] - flat[i]) < 2e-3f * most);
		accel_model_unref(model);
	}
}

/* So many weights could fill 32 bits: the CPU has them. */
static void test_wide_row(void **state)
{
	enum { WIDE = (1 << 17) + 1 };
	const int64_t dims[2] = { 1, WIDE }, matrix[2] = { WIDE, 1 };
	const struct placement how = { .linear = true };
	float *w = malloc(WIDE * sizeof(*w));
	struct test_rng rng = { 11 };
	struct ob *b = ob_new(13);
	struct accel_network *net;
	struct accel_error err;

	(void)state;
	random_floats(&rng, w, WIDE, -1, 1);
	ob_input(b, "x", 1, 2, dims);
	ob_floats(b, "w", 2, matrix, w);
	ob_node(b, "MatMul", "x,w", "y");
	ob_output(b, "y");
	if (ob_load(b, NULL, &net, &err) || onnx_place(net, &how, NULL, &err))
		fail_msg("%s", err.text);
	assert_non_null(net->nodes[0].op);
	assert_non_null(strstr(net->nodes[0].device_reason, "might leave 32 bits"));
	net_free(net);
	ob_free(b);
	free(w);
}

/* ---------------------------------------------------------------- files */

/* With another property of the root it does not load. */
static void load_changed(const uint8_t *file, size_t size, const char *property, const void *value, int len, const char *text)
{
	size_t tree = fdt_totalsize(file), start = eie_data_start(tree), made = 0;
	void *fdt = malloc(tree + 4096);
	struct accel_model *model = NULL;
	struct accel_error err = { 0 };
	uint8_t *changed;

	assert_int_equal(fdt_open_into(file, fdt, (int)tree + 4096), 0);
	assert_int_equal(fdt_setprop(fdt, 0, property, value, len), 0);
	changed = eie_assemble(fdt, file + start, size - start, &made);
	assert_int_equal(accel_model_load(changed, made, "f", &model, &err), -EBADMSG);
	if (!strstr(err.text, text))
		fail_msg("'%s' should say '%s'", err.text, text);
	free(changed);
	free(fdt);
}

static void test_file(void **state)
{
	struct parameters p = random_parameters(9);
	struct test_rng rng = { 10 };
	struct seen seen = { 0 };
	struct accel_model *model, *again;
	const struct accel_layer *a, *b;
	static const char others[] = "reals\0network\0entropy\0derived";
	size_t skip;
	struct accel_error err;
	void *file, *second;
	size_t bytes, bytes2;

	(void)state;
	random_floats(&rng, items, ITEMS * SIDE * SIDE, -1, 1);
	model = place(&p, true, items, &seen);
	assert_int_equal(eie_encode(model, &file, &bytes, NULL, &err), 0);
	if (accel_model_load(file, bytes, "f", &again, &err))
		fail_msg("%s", err.text);
	assert_int_equal(eie_encode(again, &second, &bytes2, NULL, &err), 0);
	assert_int_equal(bytes, bytes2);
	assert_memory_equal(file, second, bytes);
	a = &model->net->nodes[0].segment->layers[0];
	b = &again->net->nodes[0].segment->layers[0];
	assert_memory_equal(a->row_scale, b->row_scale, MAPS * sizeof(float));
	run_everywhere(model, items, flat);
	run_everywhere(again, items, out);
	assert_memory_equal(flat, out, sizeof(out));
	/* a reader that ignored the scales would have other weights */
	skip = fdt_path_offset(file, "/reals") < 0 ? sizeof("reals") : 0;
	load_changed(file, bytes, "must-understand", others + skip, (int)(sizeof(others) - skip), "does not name the feature 'row-scales'");
	free(file);
	/* what no graph makes */
	a->row_scale[2] = -1;
	assert_int_equal(eie_encode(model, &file, &bytes, NULL, &err), 0);
	accel_model_unref(again);
	assert_int_equal(accel_model_load(file, bytes, "f", &again, &err), -EBADMSG);
	assert_non_null(strstr(err.text, "row_scale[2]"));
	free(file);
	free(second);
	accel_model_unref(model);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rows),   cmocka_unit_test(test_integers),  cmocka_unit_test(test_bad_scales), cmocka_unit_test(test_rounded),
		cmocka_unit_test(test_shared), cmocka_unit_test(test_dead_rows), cmocka_unit_test(test_file),
		cmocka_unit_test(test_wide_row),
	};

	take_devices(argc, argv);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
