// SPDX-License-Identifier: GPL-2.0 OR MIT
/* Runs a model's layers with the kernels of one level: cpu_fc.h, cpu_conv.h. */
#include "cpu.h"
#include "cpu_conv.h"
#include "cpu_fc.h"
#include "window.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#define ALIGN 64

struct cpu_layer {
	const struct cpu_fc_level *level;   /* fully connected, else NULL */
	void *weights;
	uint32_t *live;                     /* [cols] non-zero weights of each column */
};

struct accel_cpu {
	const struct accel_model *model;
	unsigned int batch;
	struct pool *pool;                  /* the caller's, or NULL */
	struct cpu_layer *layers;
	int16_t **tensors;
	uint32_t *sums;                     /* [pixels of the largest plane]; unsigned: they wrap */
	size_t weight_bytes;
};

static int build_layer(struct accel_cpu *c, struct cpu_layer *dst, const struct accel_layer *layer, const struct cpu_fc_level *level)
{
	size_t bytes = 0;
	int ret;

	dst->level = level->takes && !level->takes(layer) ? &cpu_fc_portable : level;
	dst->live = calloc(layer->cols + (size_t)1, sizeof(*dst->live));
	if (!dst->live)
		return -ENOMEM;
	for (uint64_t i = 0; i < layer->nnz; i++)
		dst->live[layer->col[i]]++;
	ret = dst->level->build(layer, &dst->weights, &bytes);
	c->weight_bytes += bytes;
	return ret;
}

static int16_t *tensor_new(uint64_t count, unsigned int batch)
{
	size_t bytes;
	int16_t *values;

	if (__builtin_mul_overflow(count, (size_t)batch * sizeof(*values), &bytes) || bytes > SIZE_MAX / 2)
		return NULL;
	bytes = (bytes + CPU_READ_BEHIND + ALIGN - 1) / ALIGN * ALIGN;
	values = aligned_alloc(ALIGN, bytes);
	if (values)
		memset(values, 0, bytes);
	return values;
}

static int build(struct accel_cpu *c, const struct cpu_fc_level *level)
{
	const struct accel_model *model = c->model;
	uint32_t most = 0;

	c->layers = calloc(model->nlayers, sizeof(*c->layers));
	c->tensors = calloc(model->ntensors, sizeof(*c->tensors));
	if (!c->layers || !c->tensors)
		return -ENOMEM;
	for (unsigned int i = 0; i < model->nlayers; i++) {
		int ret;

		if (model->layers[i].kind != ACCEL_LAYER_FC && model->layers[i].kind != ACCEL_LAYER_CONCAT) {
			uint64_t pixels = window_out_pixels(&model->layers[i].window);

			most = pixels > most ? (uint32_t)pixels : most;
		}
		if (model->layers[i].kind != ACCEL_LAYER_FC)
			continue;
		ret = build_layer(c, &c->layers[i], &model->layers[i], level);
		if (ret)
			return ret;
	}
	for (unsigned int i = 0; i < model->ntensors; i++) {
		c->tensors[i] = tensor_new(model->tensors[i].count, c->batch);
		if (!c->tensors[i])
			return -ENOMEM;
	}
	c->sums = malloc((most + (size_t)1) * sizeof(*c->sums));
	return c->sums ? 0 : -ENOMEM;
}

int accel_cpu_new(const struct accel_model *model, unsigned int batch, struct pool *pool, struct accel_cpu **cpu, struct accel_error *err)
{
	const struct cpu_fc_level *level;
	struct accel_cpu *c;
	int ret = cpu_fc_level(secure_getenv("EIE_CPU_LEVEL"), &level, err);

	if (ret)
		return ret;
	c = calloc(1, sizeof(*c));
	if (!c)
		return accel_fail(err, -ENOMEM, NULL, "no memory for the CPU's copy of the model");
	c->model = model;
	c->batch = batch ? batch : 1;
	c->pool = pool;
	if (build(c, level)) {
		accel_cpu_free(c);
		return accel_fail(err, -ENOMEM, NULL, "no memory for the CPU's copy of the model with a batch of %u", batch);
	}
	*cpu = c;
	return 0;
}

void accel_cpu_free(struct accel_cpu *cpu)
{
	if (!cpu)
		return;
	for (unsigned int i = 0; cpu->layers && i < cpu->model->nlayers; i++) {
		if (cpu->layers[i].level)
			cpu->layers[i].level->release(cpu->layers[i].weights);
		free(cpu->layers[i].live);
	}
	for (unsigned int i = 0; cpu->tensors && i < cpu->model->ntensors; i++)
		free(cpu->tensors[i]);
	free(cpu->layers);
	free(cpu->tensors);
	free(cpu->sums);
	free(cpu);
}

int16_t *accel_cpu_tensor(struct accel_cpu *cpu, unsigned int tensor)
{
	return cpu->tensors[tensor];
}

size_t accel_cpu_weight_bytes(const struct accel_cpu *cpu)
{
	return cpu->weight_bytes;
}

struct fc_run {
	const struct cpu_fc_level *level;
	struct cpu_fc_job job;
	atomic_uint_fast64_t saturated;
};

static void fc_task(void *arg, size_t task, void *scratch)
{
	struct fc_run *run = arg;
	uint64_t saturated = 0;

	(void)scratch;
	run->level->run(&run->job, (uint32_t)task, &saturated);
	if (saturated)
		atomic_fetch_add(&run->saturated, saturated);
}

/* All items of a fully connected layer. */
static void run_fc(const struct accel_cpu *cpu, unsigned int l, uint64_t *products, uint64_t *saturated)
{
	const struct accel_layer *layer = &cpu->model->layers[l];
	const struct cpu_layer *weights = &cpu->layers[l];
	struct fc_run run = {
		.level = weights->level,
		.job = {
			.weights = weights->weights,
			.layer = layer,
			.out = &cpu->model->tensors[layer->output],
			.x = cpu->tensors[layer->input],
			.y = cpu->tensors[layer->output],
			.batch = cpu->batch,
		},
	};
	uint32_t tasks = run.level->tasks(run.job.weights);

	if (cpu->pool)
		pool_run(cpu->pool, tasks, fc_task, &run);
	for (uint32_t t = 0; !cpu->pool && t < tasks; t++)
		fc_task(&run, t, NULL);
	for (size_t b = 0; b < cpu->batch; b++)
		*products += run.level->live(run.job.x + b * layer->cols, weights->live, layer->cols);
	*saturated += run.saturated;
}

/* One item of a layer without weights. */
static void run_plain(const struct accel_cpu *cpu, const struct accel_layer *layer, size_t item, uint64_t *saturated)
{
	const struct accel_tensor *tensors = cpu->model->tensors;
	int16_t *y = cpu->tensors[layer->output] + item * tensors[layer->output].count;

	if (layer->kind == ACCEL_LAYER_MAX_POOL)
		cpu_max_pool(&layer->window, cpu->tensors[layer->input] + item * tensors[layer->input].count, y);
	if (layer->kind == ACCEL_LAYER_AVERAGE_POOL)
		cpu_average_pool(layer, cpu->tensors[layer->input] + item * tensors[layer->input].count, y, cpu->sums, saturated);
	for (unsigned int i = 0; i < layer->nparts; i++) {
		uint64_t count = tensors[layer->parts[i]].count;

		memcpy(y, cpu->tensors[layer->parts[i]] + item * count, count * sizeof(*y));
		y += count;
	}
}

void accel_cpu_run(struct accel_cpu *cpu, uint64_t *macs, uint64_t *saturated)
{
	uint64_t products = 0, cut = 0;

	for (unsigned int l = 0; l < cpu->model->nlayers; l++) {
		const struct accel_layer *layer = &cpu->model->layers[l];
		const struct accel_tensor *out = &cpu->model->tensors[layer->output];

		for (size_t b = 0; layer->kind == ACCEL_LAYER_CONV && b < cpu->batch; b++)
			cpu_conv(layer, out, cpu->tensors[layer->input] + b * cpu->model->tensors[layer->input].count,
				 cpu->tensors[layer->output] + b * out->count, cpu->sums, &products, &cut);
		for (size_t b = 0; !accel_layer_weighted(layer) && b < cpu->batch; b++)
			run_plain(cpu, layer, b, &cut);
		if (layer->kind == ACCEL_LAYER_FC)
			run_fc(cpu, l, &products, &cut);
	}
	if (macs)
		*macs = products;
	if (saturated)
		*saturated = cut;
}
