// SPDX-License-Identifier: GPL-2.0 OR MIT
/* Every level of kernels that this processor has, against the definition in docs/programmers_guide.md, written down a second time here. */
#include <stdio.h>
#include <string.h>
#include <errno.h>
#include "models.h"
#include "cpu.h"
#include "cpu_fc.h"
#include "model.h"

/* One layer and item by the book: row by row, 64-bit wrap to 32. */
static void reference(const struct accel_model *model, const struct accel_layer *l, const int16_t *x, int16_t *y, uint64_t *macs,
		      uint64_t *saturated)
{
	const struct accel_tensor *out = &model->tensors[l->output];

	for (uint32_t r = 0; r < l->rows; r++) {
		int64_t sum = l->bias_q[r], v;

		for (uint32_t i = l->rowptr[r]; i < l->rowptr[r + 1]; i++) {
			sum += (int64_t)l->codebook_q[l->code[i]] * x[l->col[i]];
			*macs += x[l->col[i]] != 0;
		}
		v = ((int64_t)(int32_t)(uint32_t)sum * l->mult[r] + (1ll << (l->shift[r] - 1))) >> l->shift[r];
		*saturated += (v > out->hi && out->hi == 32767) || (v < out->lo && out->lo == -32767);
		y[r] = (int16_t)(v > out->hi ? out->hi : v < out->lo ? out->lo : v);
	}
}

/* Values for the input of a turn; zeros: how many of them are 0. */
static void fill(int16_t *x, uint64_t n, struct test_rng *rng, double zeros)
{
	for (uint64_t i = 0; i < n; i++)
		x[i] = test_uniform(rng) < zeros ? 0 : (int16_t)(test_random(rng) % 65535 - 32767);
}

static void run_level(const struct accel_model *model, unsigned int batch, uint64_t seed, double zeros, struct pool *pool)
{
	uint64_t saturated = 1, want_macs = 0, want_saturated = 0;
	struct test_rng rng = { seed };
	struct accel_cpu *cpu;
	int16_t *x, *y;

	assert_int_equal(accel_cpu_new(model, batch, pool, NULL, &cpu, NULL), 0);
	x = accel_cpu_tensor(cpu, model->inputs[0]);
	assert_int_equal((uintptr_t)x % 64, 0);
	/* twice: nothing of the first run may stay */
	for (int turn = 0; turn < 2; turn++) {
		fill(x, batch * model->tensors[model->inputs[0]].count, &rng, zeros);
		accel_cpu_run(cpu, true, &saturated);
	}
	for (unsigned int l = 0; l < model->nlayers; l++) {
		const struct accel_layer *layer = &model->layers[l];

		y = malloc(layer->rows * sizeof(*y));
		for (unsigned int b = 0; b < batch; b++) {
			reference(model, layer, accel_cpu_tensor(cpu, layer->input) + (size_t)b * layer->cols, y, &want_macs,
				  &want_saturated);
			assert_memory_equal(y, accel_cpu_tensor(cpu, layer->output) + (size_t)b * layer->rows,
					    layer->rows * sizeof(*y));
		}
		free(y);
	}
	assert_int_equal(accel_cpu_products(cpu), want_macs);
	assert_int_equal(saturated, want_saturated);
	accel_cpu_free(cpu);
}

static void compare(const struct accel_model *model, unsigned int batch, uint64_t seed, double zeros)
{
	struct pool *pool = pool_new(3);

	assert_non_null(pool);
	for (unsigned int i = 0; cpu_fc_levels[i]; i++) {
		if (!cpu_fc_levels[i]->usable())
			continue;
		assert_int_equal(setenv("EIE_CPU_LEVEL", cpu_fc_levels[i]->name, 1), 0);
		run_level(model, batch, seed, zeros, NULL);
		run_level(model, batch, seed, zeros, pool);
	}
	unsetenv("EIE_CPU_LEVEL");
	run_level(model, batch, seed, zeros, NULL);
	pool_free(pool);
}

static void test_networks(void **p)
{
	static const uint32_t dims[] = { 61, 37, 50, 7 };
	static const double densities[] = { 0, 0.02, 0.3, 1 };

	(void)p;
	for (unsigned int i = 0; i < 4; i++) {
		struct accel_model *model = test_finish(test_graph(i, 4, dims, densities[i]));

		compare(model, 1, i, 0.5);
		compare(model, 3, i, 0);
		compare(model, 2, i, 1);
		accel_model_unref(model);
	}
}

/* Arbitrary row parameters and sums that wrap: nothing a graph makes, but all the same defined. */
static void test_wild_numbers(void **p)
{
	static const uint32_t dims[] = { 64, 48, 16 };
	struct accel_model *model = test_finish(test_graph(9, 3, dims, 0.8));
	struct test_rng rng = { 10 };

	(void)p;
	for (unsigned int l = 0; l < model->nlayers; l++) {
		struct accel_layer *layer = &model->layers[l];

		for (unsigned int i = 1; i < layer->ncodes; i++)
			layer->codebook_q[i] = (int16_t)(test_random(&rng) % 65535 - 32767);
		for (uint32_t r = 0; r < layer->rows; r++) {
			layer->bias_q[r] = (int32_t)test_random(&rng);
			layer->mult[r] = (uint16_t)test_random(&rng);
			layer->shift[r] = (uint8_t)(1 + test_random(&rng) % 47);
		}
	}
	compare(model, 4, 11, 0.3);
	accel_model_unref(model);
}

/* All weights and all activations at the ends of int16: sums wrap many times. */
static void test_extremes(void **p)
{
	static const uint32_t dims[] = { 1100, 40, 33 };
	struct accel_model *model = test_finish(test_graph(20, 3, dims, 0.9));

	(void)p;
	for (unsigned int l = 0; l < model->nlayers; l++) {
		struct accel_layer *layer = &model->layers[l];

		for (unsigned int i = 1; i < layer->ncodes; i++)
			layer->codebook_q[i] = i % 3 ? 32767 : -32767;
		for (uint32_t r = 0; r < layer->rows; r++) {
			layer->bias_q[r] = r % 2 ? INT32_MAX : INT32_MIN;
			layer->mult[r] = UINT16_MAX;
			layer->shift[r] = r % 3 ? 47 : 1;
		}
	}
	for (unsigned int t = 0; t < model->ntensors; t++) {
		model->tensors[t].lo = -32767;
		model->tensors[t].hi = 32767;
	}
	compare(model, 5, 21, 0);
	accel_model_unref(model);
}

/* Rows that end within a slice and a segment, windows at the last column, gaps that no step spans, batches around what is done together. */
static void test_shapes(void **p)
{
	static const struct {
		uint32_t cols, rows;
		double density;
		unsigned int batch;
	} shapes[] = {
		{ 1, 1, 1, 1 }, { 63, 15, 0.5, 4 }, { 64, 16, 0.5, 5 }, { 65, 17, 0.5, 9 }, { 1000, 257, 0.1, 1 }, { 3000, 40, 0.001, 3 },
		{ 5000, 70, 0.0005, 2 }, { 128, 513, 0.09, 1 }, { 600, 300, 0.25, 7 }, { 70000, 20, 0.01, 2 },
	};

	(void)p;
	for (size_t i = 0; i < sizeof(shapes) / sizeof(shapes[0]); i++) {
		/* both widths of codes: test_graph alternates them */
		const uint32_t narrow[] = { shapes[i].cols, shapes[i].rows }, wide[] = { 3, shapes[i].cols, shapes[i].rows };
		struct accel_model *model = test_finish(test_graph(30 + i, 2, narrow, shapes[i].density));

		compare(model, shapes[i].batch, i, 0.6);
		accel_model_unref(model);
		model = test_finish(test_graph(60 + i, 3, wide, shapes[i].density));
		compare(model, shapes[i].batch, i, 0.1);
		accel_model_unref(model);
	}
}

/* A row of its own with all weights, beside rows without any: the slice is as long as the longest. */
static void test_uneven(void **p)
{
	static const uint32_t dims[] = { 300, 64 };
	struct accel_model *model = test_finish(test_graph(90, 2, dims, 1));
	struct accel_layer *layer = &model->layers[0];
	uint32_t n = 0;

	(void)p;
	for (uint32_t r = 0; r < layer->rows; r++) {
		uint32_t first = layer->rowptr[r], keep = r == 37 ? 300 : r % 5 == 1 ? 3 * r : 0;

		for (uint32_t i = 0; i < keep; i++, n++) {
			layer->col[n] = layer->col[first + i];
			layer->code[n] = layer->code[first + i];
		}
		layer->rowptr[r] = n - keep;
	}
	layer->rowptr[layer->rows] = n;
	layer->nnz = n;
	compare(model, 2, 91, 0.3);
	accel_model_unref(model);
}

static void test_levels(void **p)
{
	const struct cpu_fc_level *level;
	struct accel_error err = { 0 };
	unsigned int n = 0;

	(void)p;
	while (cpu_fc_levels[n])
		n++;
	assert_ptr_equal(cpu_fc_levels[n - 1], &cpu_fc_portable);
	assert_int_equal(cpu_fc_level(NULL, &level, NULL), 0);
	assert_true(level->usable());
	assert_int_equal(cpu_fc_level("portable", &level, NULL), 0);
	assert_ptr_equal(level, &cpu_fc_portable);
	assert_int_equal(cpu_fc_level("mmx", &level, &err), -EINVAL);
	assert_non_null(strstr(err.text, "EIE_CPU_LEVEL"));
	assert_non_null(strstr(err.text, "portable"));
	assert_int_equal(cpu_fc_level("", &level, &err), -EINVAL);
	for (unsigned int i = 0; i < n; i++)
		if (!cpu_fc_levels[i]->usable())
			assert_int_equal(cpu_fc_level(cpu_fc_levels[i]->name, &level, &err), -ENOTSUP);
}

/* More rows than a panel holds. */
static void test_many_rows(void **p)
{
	static const uint32_t dims[] = { 5, 140000 };
	struct accel_model *model = test_finish(test_graph(13, 2, dims, 0.4));

	(void)p;
	compare(model, 2, 14, 0.3);
	accel_model_unref(model);
}

#ifdef __SANITIZE_ADDRESS__
/* malloc fails as it does without the sanitizer */
__attribute__((visibility("default"))) const char *__asan_default_options(void)
{
	return "allocator_may_return_null=1";
}
#endif

static void test_no_memory(void **p)
{
	static const uint32_t dims[] = { 1u << 20, 1 };
	struct accel_model *model = test_finish(test_graph(15, 2, dims, 0.001));
	struct accel_error err = { 0 };
	struct accel_cpu *cpu;

	(void)p;
	/* 8 PiB of activations */
	assert_int_equal(accel_cpu_new(model, 0xffffffff, NULL, NULL, &cpu, &err), -ENOMEM);
	assert_int_equal(err.code, -ENOMEM);
	accel_cpu_free(NULL);
	accel_model_unref(model);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_networks),
		cmocka_unit_test(test_wild_numbers),
		cmocka_unit_test(test_extremes),
		cmocka_unit_test(test_shapes),
		cmocka_unit_test(test_uneven),
		cmocka_unit_test(test_levels),
		cmocka_unit_test(test_many_rows),
		cmocka_unit_test(test_no_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
