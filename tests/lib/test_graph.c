// SPDX-License-Identifier: GPL-2.0 OR MIT
/* The graph calls: what they build, and each of their refusals. */
#include <stdio.h>
#include <string.h>
#include <errno.h>
#include "models.h"
#include "model.h"

/* A valid 3 x 4 layer; each test breaks one thing. */
static uint32_t rowptr[] = { 0, 2, 2, 4 }, col[] = { 0, 3, 1, 2 };
static uint8_t code[] = { 1, 2, 2, 1 };
static float codebook[] = { 0, 0.5f, -1 }, bias[] = { 0.25f, 0, -0.5f };
static const uint32_t four[] = { 4 };

struct state {
	struct accel_graph *graph;
	unsigned int input, output;
	struct accel_csr csr;
	struct accel_error err;
};

static int setup(void **p)
{
	struct state *s = calloc(1, sizeof(*s));

	s->csr = (struct accel_csr) { 3, 4, rowptr, col, code, codebook, 3, bias, NULL };
	assert_int_equal(accel_graph_new(&s->graph), 0);
	assert_int_equal(accel_graph_input(s->graph, "x", 1, four, -1, 1, &s->input, &s->err), 0);
	*p = s;
	return 0;
}

static int teardown(void **p)
{
	struct state *s = *p;

	accel_graph_free(s->graph);
	free(s);
	return 0;
}

static int add(struct state *s, const char *name)
{
	return accel_graph_add_fc_csr(s->graph, name, s->input, &s->csr, ACCEL_ACT_RELU, &s->output, &s->err);
}

static void test_builds(void **p)
{
	struct state *s = *p;
	static const char *const names[] = { "a", "b", "c" };
	struct accel_layer_info layer;
	struct accel_tensor_info tensor;
	struct accel_model *model;

	assert_int_equal(add(s, "fc"), 0);
	assert_int_equal(accel_graph_class_names(s->graph, 3, names), 0);
	assert_int_equal(accel_graph_picture_scale(s->graph, 0.5f), 0);
	assert_int_equal(accel_graph_finish(s->graph, &model, &s->err), 0);
	assert_int_equal(accel_model_tensors(model), 2);
	assert_int_equal(accel_model_layers(model), 1);
	assert_int_equal(accel_model_inputs(model), 1);
	assert_int_equal(accel_model_outputs(model), 1);
	assert_int_equal(accel_model_layer(model, 0, &layer), 0);
	assert_string_equal(layer.name, "fc");
	assert_int_equal(layer.kind, ACCEL_LAYER_FC);
	assert_int_equal(layer.activation, ACCEL_ACT_RELU);
	assert_int_equal(layer.rows, 3);
	assert_int_equal(layer.cols, 4);
	assert_int_equal(layer.nonzeros, 4);
	assert_int_equal(layer.code_bits, 4);
	assert_int_equal(layer.codebook_size, 2);
	assert_int_equal(layer.file_bytes_codes, 0);
	assert_int_equal(accel_model_input(model, 0, &tensor), 0);
	assert_string_equal(tensor.name, "x");
	assert_int_equal(tensor.lo, -32767);
	assert_int_equal(tensor.hi, 32767);
	assert_true(tensor.calibrated);
	assert_int_equal(accel_model_output(model, 0, &tensor), 0);
	assert_string_equal(tensor.name, "fc");
	assert_int_equal(tensor.count, 3);
	assert_int_equal(tensor.lo, 0);
	assert_false(tensor.calibrated);
	assert_int_equal(accel_model_tensor(model, 2, &tensor), -ERANGE);
	assert_int_equal(accel_model_layer(model, 1, &layer), -ERANGE);
	assert_int_equal(accel_model_input(model, 1, &tensor), -ERANGE);
	assert_int_equal(accel_model_output(model, 1, &tensor), -ERANGE);
	assert_string_equal(accel_model_class(model, 1), "b");
	assert_null(accel_model_class(model, 3));
	assert_true(accel_model_picture_scale(model) == 0.5f);
	assert_int_equal(accel_model_file_bytes(model), 0);
	/* the graph has given its model away */
	assert_int_equal(add(s, "late"), -EINVAL);
	assert_int_equal(accel_graph_finish(s->graph, &model, &s->err), -EINVAL);
	assert_ptr_equal(accel_model_ref(model), model);
	accel_model_unref(model);
	accel_model_unref(model);
	accel_model_unref(NULL);
	accel_graph_free(NULL);
}

static void test_bad_inputs(void **p)
{
	struct state *s = *p;
	uint32_t zero[] = { 4, 0 }, large[] = { 1u << 24, 2 }, seven[] = { 1, 1, 1, 1, 1, 1, 1 };
	unsigned int t;

	assert_int_equal(accel_graph_input(s->graph, "x", 1, four, -1, 1, &t, &s->err), -EEXIST);
	assert_int_equal(accel_graph_input(s->graph, "", 1, four, -1, 1, &t, &s->err), -EINVAL);
	assert_int_equal(accel_graph_input(s->graph, "a\nb", 1, four, -1, 1, &t, &s->err), -EINVAL);
	assert_int_equal(accel_graph_input(s->graph, "y", 0, four, -1, 1, &t, &s->err), -EINVAL);
	assert_int_equal(accel_graph_input(s->graph, "y", 7, seven, -1, 1, &t, &s->err), -EINVAL);
	assert_int_equal(accel_graph_input(s->graph, "y", 2, zero, -1, 1, &t, &s->err), -EINVAL);
	assert_int_equal(accel_graph_input(s->graph, "y", 2, large, -1, 1, &t, &s->err), -EINVAL);
	assert_int_equal(accel_graph_input(s->graph, "y", 1, four, 1, 1, &t, &s->err), -EINVAL);
	assert_int_equal(accel_graph_input(s->graph, "y", 1, four, NAN, 1, &t, &s->err), -EINVAL);
	assert_int_equal(accel_graph_input(s->graph, "y", 1, four, -1, INFINITY, &t, &s->err), -EINVAL);
	assert_string_equal(s->err.layer, "y");
	assert_int_equal(accel_graph_input(s->graph, "y", 2, seven, -1, 1, &t, NULL), 0);
	assert_int_equal(t, 1);
}

static void refuse(struct state *s, const char *text)
{
	assert_int_equal(add(s, "fc"), -EINVAL);
	assert_int_equal(s->err.code, -EINVAL);
	assert_string_equal(s->err.layer, "fc");
	if (!strstr(s->err.text, text))
		fail_msg("'%s' does not tell of '%s'", s->err.text, text);
}

static void test_bad_csr(void **p)
{
	struct state *s = *p;
	uint32_t rp[4], c[4];
	uint8_t k[4];
	float cb[3], b[3];

#define FRESH() do { \
	memcpy(rp, rowptr, sizeof(rp)); memcpy(c, col, sizeof(c)); memcpy(k, code, sizeof(k)); memcpy(cb, codebook, sizeof(cb)); \
	memcpy(b, bias, sizeof(b)); s->csr = (struct accel_csr) { 3, 4, rp, c, k, cb, 3, b, NULL }; \
} while (0)
#define REFUSE(change, text) do { FRESH(); change; refuse(s, text); } while (0)

	REFUSE(s->csr.rows = 0, "rows");
	REFUSE(s->csr.cols = 0, "columns");
	REFUSE(s->csr.rows = (1u << 24) + 1, "rows");
	REFUSE(s->csr.cols = (1u << 24) + 1, "columns");
	REFUSE(s->csr.cols = 5, "its input");
	REFUSE(s->csr.ncodes = 0, "codebook");
	REFUSE(s->csr.ncodes = 257, "codebook");
	REFUSE(cb[0] = 1, "codebook[0]");
	REFUSE(cb[1] = NAN, "codebook[1]");
	REFUSE(cb[2] = -INFINITY, "codebook[2]");
	REFUSE(b[2] = NAN, "bias[2]");
	REFUSE(b[0] = INFINITY, "bias[0]");
	REFUSE(rp[0] = 1, "rowptr[0]");
	REFUSE(rp[1] = 3, "rowptr[2]");
	REFUSE(rp[3] = 1u << 31, "rowptr[3]");
	REFUSE(c[1] = 4, "column 4 of 4");
	REFUSE(c[1] = 0, "column 0 after column 0");
	REFUSE(c[2] = 3, "column 2 after column 3");
	REFUSE(k[0] = 0, "code 0");
	REFUSE(k[3] = 3, "code 3");
	REFUSE(s->input = 7, "no tensor 7");
	s->input = 0;
	FRESH();
	assert_int_equal(accel_graph_add_fc_csr(s->graph, "fc", 0, &s->csr, (enum accel_activation)9, &s->output, &s->err), -EINVAL);
	/* nothing of all that has left a trace */
	assert_int_equal(add(s, "fc"), 0);
	assert_int_equal(s->output, 1);
	assert_int_equal(add(s, "fc"), -EEXIST);
	assert_int_equal(add(s, "x"), -EEXIST);
}

static void test_no_bias(void **p)
{
	struct state *s = *p;
	float x[] = { 1, 0, 0, 0 }, y[3];
	struct accel_model *model;

	s->csr.bias = NULL;
	assert_int_equal(add(s, "fc"), 0);
	assert_int_equal(accel_graph_finish(s->graph, &model, &s->err), 0);
	assert_int_equal(accel_model_run_float(model, x, 1, y, &s->err), 0);
	assert_true(y[0] == 0.5f && y[1] == 0 && y[2] == 0);
	accel_model_unref(model);
}

static void test_outputs(void **p)
{
	struct state *s = *p;
	struct accel_tensor_info info;
	struct accel_model *model;

	assert_int_equal(accel_graph_output(s->graph, 0, &s->err), -EINVAL);
	assert_int_equal(accel_graph_output(s->graph, 1, &s->err), -EINVAL);
	assert_int_equal(add(s, "a"), 0);
	assert_int_equal(accel_graph_output(s->graph, 1, &s->err), 0);
	assert_int_equal(accel_graph_output(s->graph, 1, &s->err), -EEXIST);
	assert_int_equal(add(s, "b"), 0);
	assert_int_equal(accel_graph_output(s->graph, 2, &s->err), 0);
	assert_int_equal(accel_graph_finish(s->graph, &model, &s->err), 0);
	assert_int_equal(accel_model_outputs(model), 2);
	assert_int_equal(accel_model_output(model, 0, &info), 0);
	assert_string_equal(info.name, "a");
	accel_model_unref(model);
}

static void test_bad_finish(void **p)
{
	struct state *s = *p;
	static const char *const two[] = { "a", "b" }, *const bad[] = { "a", "" };
	struct accel_graph *empty;
	struct accel_model *model;

	assert_int_equal(accel_graph_new(&empty), 0);
	assert_int_equal(accel_graph_finish(empty, &model, &s->err), -EINVAL);
	accel_graph_free(empty);
	assert_int_equal(accel_graph_finish(s->graph, &model, &s->err), -EINVAL);
	assert_int_equal(accel_graph_class_names(s->graph, 2, bad), -EINVAL);
	assert_int_equal(accel_graph_picture_scale(s->graph, 0), -EINVAL);
	assert_int_equal(accel_graph_picture_scale(s->graph, NAN), -EINVAL);
	assert_int_equal(add(s, "fc"), 0);
	assert_int_equal(accel_graph_class_names(s->graph, 2, two), 0);
	assert_int_equal(accel_graph_finish(s->graph, &model, &s->err), -EINVAL);
	assert_non_null(strstr(s->err.text, "2 class names"));
	/* mended, it works */
	assert_int_equal(accel_graph_class_names(s->graph, 0, NULL), 0);
	assert_int_equal(accel_graph_finish(s->graph, &model, &s->err), 0);
	accel_model_unref(model);
}

static void test_calibrate(void **p)
{
	struct state *s = *p;
	float items[] = { 1, 0, 0, -1, /* y = 1.75, 0, 0 */ 0, -9, 9, 0, /* clamped: -1, 1: y = .25, 0, 1 */ };
	float bad[] = { 0, NAN, 0, 0 };
	struct accel_tensor_info info;
	struct accel_model *model;

	assert_int_equal(accel_graph_calibrate(s->graph, items, 1, &s->err), -EINVAL);
	assert_int_equal(add(s, "fc"), 0);
	assert_int_equal(accel_graph_calibrate(s->graph, items, 0, &s->err), -EINVAL);
	assert_int_equal(accel_graph_calibrate(s->graph, bad, 1, &s->err), -EDOM);
	assert_int_equal(accel_graph_calibrate(s->graph, items, 2, &s->err), 0);
	assert_int_equal(accel_graph_calibrate(s->graph, items + 4, 1, &s->err), 0);
	assert_int_equal(accel_graph_finish(s->graph, &model, &s->err), 0);
	assert_int_equal(accel_model_tensor(model, 1, &info), 0);
	assert_true(info.calibrated);
	assert_true(fabs(info.scale * 32767.0 - 1.25 * 1.75) < 1e-6);
	assert_true(model->tensors[1].range_lo == 0 && model->tensors[1].range_hi == 1.25f * 1.75f);
	accel_model_unref(model);
}

/* Guessed ranges do not depend on anything but the network, and are four times as wide as what was seen. */
static void test_guess(void **p)
{
	static const uint32_t dims[] = { 20, 10, 5 };
	struct accel_model *a, *b;

	(void)p;
	a = test_finish(test_graph(3, 3, dims, 0.5));
	b = test_finish(test_graph(3, 3, dims, 0.5));
	for (unsigned int i = 0; i < 3; i++) {
		assert_memory_equal(&a->tensors[i].scale, &b->tensors[i].scale, sizeof(float));
		assert_int_equal(a->tensors[i].calibrated, i == 0);
	}
	assert_true(a->tensors[2].range_lo < 0 && a->tensors[1].range_lo == 0);
	accel_model_unref(a);
	accel_model_unref(b);
}

static void test_run_float(void **p)
{
	struct state *s = *p;
	float x[] = { 0.5f, 1, -1, 0.25f, 0, 0, 0, 0 }, y[6];
	struct accel_model *model;
	unsigned int second;

	assert_int_equal(add(s, "fc"), 0);
	assert_int_equal(accel_graph_finish(s->graph, &model, &s->err), 0);
	assert_int_equal(accel_model_run_float(model, x, 2, y, &s->err), 0);
	/* row 0: .25 + .5 * .5 - .25; row 1: 0; row 2: -.5 - 1 - .5 -> ReLU */
	assert_true(y[0] == 0.25f && y[1] == 0 && y[2] == 0);
	assert_true(y[3] == 0.25f && y[4] == 0 && y[5] == 0);
	accel_model_unref(model);

	accel_graph_free(s->graph);
	assert_int_equal(accel_graph_new(&s->graph), 0);
	assert_int_equal(accel_graph_input(s->graph, "x", 1, four, -1, 1, &s->input, &s->err), 0);
	assert_int_equal(accel_graph_input(s->graph, "y", 1, four, -1, 1, &second, &s->err), 0);
	assert_int_equal(add(s, "fc"), 0);
	assert_int_equal(accel_graph_calibrate(s->graph, x, 1, &s->err), -EINVAL);
	assert_int_equal(accel_graph_finish(s->graph, &model, &s->err), 0);
	assert_int_equal(accel_model_run_float(model, x, 1, y, &s->err), -EINVAL);
	accel_model_unref(model);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_builds, setup, teardown),
		cmocka_unit_test_setup_teardown(test_bad_inputs, setup, teardown),
		cmocka_unit_test_setup_teardown(test_bad_csr, setup, teardown),
		cmocka_unit_test_setup_teardown(test_no_bias, setup, teardown),
		cmocka_unit_test_setup_teardown(test_outputs, setup, teardown),
		cmocka_unit_test_setup_teardown(test_bad_finish, setup, teardown),
		cmocka_unit_test_setup_teardown(test_calibrate, setup, teardown),
		cmocka_unit_test(test_guess),
		cmocka_unit_test_setup_teardown(test_run_float, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
