// SPDX-License-Identifier: GPL-2.0 OR MIT
/* The derivation of docs/numbers.md, held against the document and against float. */
#include <stdio.h>
#include <string.h>
#include <errno.h>
#include "models.h"
#include "cpu.h"
#include "model.h"
#include "quant.h"

static void test_params(void **p)
{
	struct test_rng rng = { 1 };
	uint16_t m;
	uint8_t s;

	(void)p;
	for (int i = 0; i < 100000; i++) {
		double ratio = ldexp(1 + test_uniform(&rng), -31 + (int)(test_random(&rng) % 46));

		assert_int_equal(accel_requant_params(ratio, &m, &s), 0);
		assert_in_range(s, 1, 47);
		assert_in_range(m, 32768, 65535);
		/* the nearest: half a step of m */
		assert_true(fabs(ldexp(m, -s) - ratio) <= ldexp(0.5, -s));
	}
	assert_int_equal(accel_requant_params(1, &m, &s), 0);
	assert_true(m == 32768 && s == 15);
	/* rounds up into the next power of two */
	assert_int_equal(accel_requant_params(1 - 1e-9, &m, &s), 0);
	assert_true(m == 32768 && s == 15);
	assert_int_equal(accel_requant_params(32767.4, &m, &s), 0);
	assert_true(m == 65535 && s == 1);
	assert_int_equal(accel_requant_params(32768, &m, &s), -ERANGE);
	assert_int_equal(accel_requant_params(0, &m, &s), -ERANGE);
	assert_int_equal(accel_requant_params(-1, &m, &s), -ERANGE);
	assert_int_equal(accel_requant_params(NAN, &m, &s), -ERANGE);
	assert_int_equal(accel_requant_params(INFINITY, &m, &s), -ERANGE);
	/* beyond the largest shift m becomes small, then 0 */
	assert_int_equal(accel_requant_params(ldexp(1, -31), &m, &s), 0);
	assert_true(m == 0x8000 && s == 46);
	assert_int_equal(accel_requant_params(ldexp(3, -40), &m, &s), 0);
	assert_true(m == 3 << 7 && s == 47);
	assert_int_equal(accel_requant_params(1e-300, &m, &s), 0);
	assert_true(m == 0 && s == 47);
}

static struct accel_graph *graph_of(const struct accel_csr *csr, float lo, float hi, enum accel_activation activation)
{
	struct accel_graph *graph;
	unsigned int t;

	assert_int_equal(accel_graph_new(&graph), 0);
	assert_int_equal(accel_graph_input(graph, "x", 1, &csr->cols, lo, hi, &t, NULL), 0);
	assert_int_equal(accel_graph_add_fc_csr(graph, "fc", t, csr, activation, &t, NULL), 0);
	return graph;
}

static void test_rules(void **p)
{
	uint32_t rowptr[] = { 0, 3 }, col[] = { 0, 1, 2 };
	uint8_t code[] = { 1, 2, 3 };
	float codebook[] = { 0, 0.25f, -0.5f, 1e-9f }, bias[] = { 0.125f };
	struct accel_csr csr = { 1, 3, rowptr, col, code, codebook, 4, bias, NULL };
	float item[] = { 1, -1, 0 };   /* y = .25 + .5 + .125 */
	struct accel_graph *graph = graph_of(&csr, -0.5f, 2, ACCEL_ACT_NONE);
	const struct accel_layer *l;
	struct accel_model *model;
	double unit, ratio;

	(void)p;
	assert_int_equal(accel_graph_calibrate(graph, item, 1, NULL), 0);
	model = test_finish(graph);
	l = &model->layers[0];
	assert_true(model->tensors[0].scale == (float)(2.0 / 32767));
	assert_int_equal(model->tensors[0].lo, -8192);   /* rint(-.5 / scale) */
	assert_int_equal(model->tensors[0].hi, 32767);
	/* -1 is clamped to -.5 before it is measured */
	assert_true(model->tensors[1].range_hi == 1.25f * 0.625f && model->tensors[1].range_lo == 0);
	assert_true(model->tensors[1].scale == (float)(1.25 * 0.625 / 32767));
	assert_int_equal(model->tensors[1].lo, -32767);
	assert_true(l->codebook_scale == (float)(0.5 / 32767));
	assert_int_equal(l->codebook_q[0], 0);
	assert_int_equal(l->codebook_q[1], 16384);   /* 16383.5 to even */
	assert_int_equal(l->codebook_q[2], -32767);
	assert_int_equal(l->codebook_q[3], 1);       /* never 0 */
	unit = (double)model->tensors[0].scale * (double)l->codebook_scale;
	assert_int_equal(l->bias_q[0], (int32_t)rint(0.125 / unit));
	ratio = unit / (double)model->tensors[1].scale;
	assert_true(fabs(ldexp(l->mult[0], -l->shift[0]) / ratio - 1) < 1.0 / 65536);
	accel_model_unref(model);
}

static void test_relu6(void **p)
{
	uint32_t rowptr[] = { 0, 1 }, col[] = { 0 };
	uint8_t code[] = { 1 };
	float codebook[] = { 0, 1 }, item[] = { 3 }, ten[] = { 10 }, y;
	struct accel_csr csr = { 1, 1, rowptr, col, code, codebook, 2, NULL, NULL };
	struct accel_graph *graph;
	struct accel_model *model;

	(void)p;
	graph = graph_of(&csr, 0, 10, ACCEL_ACT_RELU6);
	assert_int_equal(accel_graph_calibrate(graph, item, 1, NULL), 0);
	model = test_finish(graph);
	assert_int_equal(model->tensors[1].hi, 32767);   /* 1.25 times 3, the calibrated range */
	assert_int_equal(model->tensors[1].lo, 0);
	accel_model_unref(model);
	/* uncalibrated: four times what was seen, but never above 6 */
	model = test_finish(graph_of(&csr, 0, 10, ACCEL_ACT_RELU6));
	assert_true(model->tensors[1].range_hi == 6);
	assert_int_equal(model->tensors[1].hi, 32766);   /* which is not counted as saturation */
	assert_int_equal(accel_model_run_float(model, ten, 1, &y, NULL), 0);
	assert_true(y == 6);
	accel_model_unref(model);
}

/* Exact bounds of a layer's sums, computed differently from quant.c: corner by corner. */
static double worst_sum(const struct accel_model *model, const struct accel_layer *l)
{
	const struct accel_tensor *in = &model->tensors[l->input];
	double worst = 0;

	for (uint32_t r = 0; r < l->rows; r++) {
		double up = l->bias_q[r], down = l->bias_q[r];

		for (uint32_t i = l->rowptr[r]; i < l->rowptr[r + 1]; i++) {
			double a = (double)l->codebook_q[l->code[i]] * in->lo, b = (double)l->codebook_q[l->code[i]] * in->hi;

			up += fmax(a, b);
			down += fmin(a, b);
		}
		worst = fmax(worst, fmax(up / 2147483647.0, -down / 2147483648.0));
	}
	return worst;
}

/* A row of n equal weights needs log2(n) - 1 bits more than int32 has. */
static struct accel_model *wide(uint32_t n, float lo, struct accel_error *err)
{
	float codebook[] = { 0, 1, -0.5f };
	struct accel_csr csr = { .rows = 1, .cols = n, .codebook = codebook, .ncodes = 3 };
	uint32_t *col = malloc(n * sizeof(*col)), rowptr[] = { 0, n };
	uint8_t *code = malloc(n);
	struct accel_graph *graph;
	struct accel_model *model = NULL;

	for (uint32_t i = 0; i < n; i++) {
		col[i] = i;
		code[i] = 1;
	}
	csr.rowptr = rowptr;
	csr.col = col;
	csr.code = code;
	graph = graph_of(&csr, lo, 1, ACCEL_ACT_NONE);
	if (!accel_graph_finish(graph, &model, err))
		assert_int_equal(accel_model_check(model, "wide", err), 0);
	accel_graph_free(graph);
	free(col);
	free(code);
	return model;
}

static void test_overflow(void **p)
{
	struct accel_error err = { 0 };
	struct accel_model *m;
	int steps, qw;

	(void)p;
	m = wide(2, -1, &err);   /* 2 * 32767^2 just fits */
	assert_int_equal(m->tensors[0].hi, 32767);
	assert_int_equal(m->layers[0].codebook_q[1], 32767);
	accel_model_unref(m);

	m = wide(32, -1, &err);  /* 4 bits missing: 2 each */
	assert_in_range(m->tensors[0].hi, 8100, 8192);
	assert_int_equal(m->tensors[0].lo, -m->tensors[0].hi);
	assert_in_range(m->layers[0].codebook_q[1], 8100, 8250);
	assert_true(worst_sum(m, &m->layers[0]) <= 1 && worst_sum(m, &m->layers[0]) > 0.99);
	accel_model_unref(m);

	m = wide(1024, 0, &err); /* 9 missing: 3 from the codebook, 6 from the input */
	steps = m->tensors[0].hi;
	qw = m->layers[0].codebook_q[1];
	assert_in_range(qw, 4095, 4110);
	assert_in_range(steps, 505, 515);
	assert_int_equal(m->tensors[0].lo, 0);
	assert_true(worst_sum(m, &m->layers[0]) <= 1 && worst_sum(m, &m->layers[0]) > 0.99);
	accel_model_unref(m);

	m = wide(4000, 0, &err);
	assert_in_range(m->tensors[0].hi, 127, 135);
	accel_model_unref(m);
	assert_null(wide(5000, 0, &err));
	assert_int_equal(err.code, -ERANGE);
	assert_string_equal(err.layer, "fc");
}

static int codebook_steps(const struct accel_layer *l)
{
	int steps = 0;

	for (unsigned int i = 0; i < l->ncodes; i++)
		steps = abs(l->codebook_q[i]) > steps ? abs(l->codebook_q[i]) : steps;
	return steps;
}

/* Two readers: the tightest decides on the tensor, the other one keeps its codebook. */
static void test_shared_input(void **p)
{
	struct test_rng rng = { 5 };
	uint32_t cols = 400;
	struct accel_csr dense = test_csr(&rng, 20, cols, 1, 16), sparse = test_csr(&rng, 20, cols, 0.005, 16);
	struct accel_graph *graph;
	struct accel_model *model;
	unsigned int x, y;

	(void)p;
	assert_int_equal(accel_graph_new(&graph), 0);
	assert_int_equal(accel_graph_input(graph, "x", 1, &cols, -1, 1, &x, NULL), 0);
	assert_int_equal(accel_graph_add_fc_csr(graph, "sparse", x, &sparse, ACCEL_ACT_NONE, &y, NULL), 0);
	assert_int_equal(accel_graph_add_fc_csr(graph, "dense", x, &dense, ACCEL_ACT_NONE, &y, NULL), 0);
	model = test_finish(graph);
	assert_true(model->tensors[0].hi < 16384);
	assert_true(worst_sum(model, &model->layers[0]) <= 1);
	assert_true(worst_sum(model, &model->layers[1]) <= 1 && worst_sum(model, &model->layers[1]) > 0.98);
	assert_int_equal(codebook_steps(&model->layers[0]), 32767);
	assert_in_range(codebook_steps(&model->layers[1]), 4095, 16384);
	accel_model_unref(model);
	test_csr_free(&dense);
	test_csr_free(&sparse);
}

static void test_impossible(void **p)
{
	uint32_t rowptr[] = { 0, 1 }, col[] = { 0 };
	uint8_t code[] = { 1 };
	float codebook[] = { 0, 1e-6f }, bias[] = { 10 }, zero[] = { 0 };
	struct accel_csr csr = { 1, 1, rowptr, col, code, codebook, 2, bias, NULL };
	struct accel_error err = { 0 };
	struct accel_model *model;
	struct accel_graph *graph;

	(void)p;
	/* a bias of 10^7 weights leaves no bits for the weights */
	graph = graph_of(&csr, -1, 1, ACCEL_ACT_NONE);
	assert_int_equal(accel_graph_finish(graph, &model, &err), -ERANGE);
	assert_string_equal(err.layer, "fc");
	accel_graph_free(graph);
	/* weights that float scales cannot express */
	codebook[1] = 1e-38f;
	graph = graph_of(&csr, -1, 1, ACCEL_ACT_NONE);
	assert_int_equal(accel_graph_finish(graph, &model, &err), -ERANGE);
	accel_graph_free(graph);
	/* calibrated with nothing but zeros: the output range is the bias, far below the sums */
	codebook[1] = 1;
	bias[0] = 1e-8f;
	graph = graph_of(&csr, -1, 1, ACCEL_ACT_NONE);
	assert_int_equal(accel_graph_calibrate(graph, zero, 1, &err), 0);
	assert_int_equal(accel_graph_finish(graph, &model, &err), 0);   /* s = 2: one step of a sum is many of the output */
	accel_model_unref(model);
	accel_graph_free(graph);
	bias[0] = 1e-20f;
	graph = graph_of(&csr, -1, 1, ACCEL_ACT_NONE);
	assert_int_equal(accel_graph_calibrate(graph, zero, 1, &err), 0);
	assert_int_equal(accel_graph_finish(graph, &model, &err), -ERANGE);
	assert_non_null(strstr(err.text, "calibrate"));
	accel_graph_free(graph);
}

/* No weights at all: the bias alone decides on the scale, and comes through. */
static void test_empty_layer(void **p)
{
	uint32_t rowptr[] = { 0, 0, 0 };
	float codebook[] = { 0 }, bias[] = { 3, -1.5f };
	struct accel_csr csr = { 2, 4, rowptr, NULL, NULL, codebook, 1, bias, NULL };
	struct accel_model *model = test_finish(graph_of(&csr, -1, 1, ACCEL_ACT_NONE));
	struct accel_cpu *cpu;
	int16_t *y;

	(void)p;
	assert_int_equal(accel_cpu_new(model, 1, NULL, NULL, &cpu, NULL), 0);
	accel_cpu_run(cpu, false, NULL);
	y = accel_cpu_tensor(cpu, 1);
	assert_true(fabs((double)y[0] * (double)model->tensors[1].scale - 3) < 1e-3);
	assert_true(fabs((double)y[1] * (double)model->tensors[1].scale + 1.5) < 1e-3);
	accel_cpu_free(cpu);
	accel_model_unref(model);
}

/* The integers follow the float network closely. */
static void test_accuracy(void **p)
{
	static const uint32_t dims[] = { 100, 60, 40, 10 };
	struct accel_graph *graph = test_graph(11, 4, dims, 0.15);
	struct test_rng rng = { 12 };
	struct accel_model *model;
	struct accel_cpu *cpu;
	float x[50 * 100], y[50 * 10];
	uint64_t saturated;
	double error = 0, largest = 0;

	(void)p;
	for (int i = 0; i < 5000; i++)
		x[i] = (float)(2 * test_uniform(&rng) - 1);
	assert_int_equal(accel_graph_calibrate(graph, x, 50, NULL), 0);
	model = test_finish(graph);
	assert_int_equal(accel_model_run_float(model, x, 50, y, NULL), 0);
	assert_int_equal(accel_cpu_new(model, 50, NULL, NULL, &cpu, NULL), 0);
	for (int i = 0; i < 5000; i++)
		accel_cpu_tensor(cpu, 0)[i] = (int16_t)rint((double)x[i] / (double)model->tensors[0].scale);
	accel_cpu_run(cpu, false, &saturated);
	for (int i = 0; i < 500; i++) {
		double got = (double)accel_cpu_tensor(cpu, 3)[i] * (double)model->tensors[3].scale;

		error = fmax(error, fabs(got - (double)y[i]));
		largest = fmax(largest, fabs((double)y[i]));
	}
	/* measured: 3e-4 of the range; a wrong scale or a lost bit is far above 1e-3 */
	assert_true(error < 1e-3 * largest);
	accel_cpu_free(cpu);
	accel_model_unref(model);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_params),
		cmocka_unit_test(test_rules),
		cmocka_unit_test(test_relu6),
		cmocka_unit_test(test_overflow),
		cmocka_unit_test(test_shared_input),
		cmocka_unit_test(test_impossible),
		cmocka_unit_test(test_empty_layer),
		cmocka_unit_test(test_accuracy),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
