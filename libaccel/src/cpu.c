// SPDX-License-Identifier: GPL-2.0 OR MIT
/* Runs a model's layers with the kernels of one level: cpu_fc.h, cpu_conv.h. */
#include "cpu.h"
#include "cpu_conv.h"
#include "cpu_element.h"
#include "cpu_fc.h"
#include "window.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define ALIGN 64

struct cpu_layer {
	const struct cpu_fc_level *level;   /* fully connected, else NULL */
	void *weights;
	uint32_t *live;                     /* [cols] non-zero weights of each column */
	struct conv_layout *layout;         /* convolutions with kernels of the level, else NULL */
};

struct accel_cpu {
	const struct accel_model *model;
	unsigned int batch;
	struct pool *pool;                  /* the caller's, or NULL */
	const struct cpu_conv_level *conv;  /* or NULL: the portable one */
	const struct cpu_lines *lines;
	struct cpu_layer *layers;
	int16_t **tensors;
	bool *inside;                       /* the tensor lies in that of a concatenation */
	unsigned int nparts;                /* of layers that are split by channels: one a thread */
	uint64_t plane;                     /* pixels of the largest output plane */
	uint32_t *sums;                     /* [nparts][plane]; unsigned: they wrap */
	int32_t *words;                     /* copy of an image, as large as any layer's */
	size_t weight_bytes;
};

static int build_fc(struct accel_cpu *c, struct cpu_layer *dst, const struct accel_layer *layer, const struct cpu_fc_level *level)
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

static int build_layer(struct accel_cpu *c, unsigned int l, const struct cpu_fc_level *level, size_t *words)
{
	const struct accel_layer *layer = &c->model->layers[l];
	int ret;

	if (layer->kind == ACCEL_LAYER_FC)
		return build_fc(c, &c->layers[l], layer, level);
	if (layer->kind != ACCEL_LAYER_CONV && !accel_layer_pools(layer))
		return 0;
	c->plane = window_out_pixels(&layer->window) > c->plane ? window_out_pixels(&layer->window) : c->plane;
	if (layer->kind != ACCEL_LAYER_CONV || !c->conv)
		return 0;
	ret = c->conv->layout(layer, &c->layers[l].layout);
	if (ret || !c->layers[l].layout)
		return ret;
	c->weight_bytes += c->layers[l].layout->bytes;
	*words = c->layers[l].layout->words > *words ? c->layers[l].layout->words : *words;
	return 0;
}

/* Parts of a concatenation are computed where they belong; with a batch they do not lie there in one piece. */
static int place_tensors(struct accel_cpu *c)
{
	const struct accel_model *model = c->model;

	for (unsigned int l = model->nlayers; c->batch == 1 && l-- > 0;) {
		const struct accel_layer *layer = &model->layers[l];
		uint64_t at = 0;

		if (layer->kind != ACCEL_LAYER_CONCAT)
			continue;
		if (!c->tensors[layer->output])
			c->tensors[layer->output] = tensor_new(model->tensors[layer->output].count, 1);
		if (!c->tensors[layer->output])
			return -ENOMEM;
		for (unsigned int i = 0; i < layer->nparts; at += model->tensors[layer->parts[i++]].count) {
			/* one that lies elsewhere already, or comes twice, is copied */
			if (c->tensors[layer->parts[i]])
				continue;
			c->tensors[layer->parts[i]] = c->tensors[layer->output] + at;
			c->inside[layer->parts[i]] = true;
		}
	}
	for (unsigned int i = 0; i < model->ntensors; i++) {
		if (!c->tensors[i])
			c->tensors[i] = tensor_new(model->tensors[i].count, c->batch);
		if (!c->tensors[i])
			return -ENOMEM;
	}
	return 0;
}

static int build(struct accel_cpu *c, const struct cpu_fc_level *level)
{
	const struct accel_model *model = c->model;
	size_t words = 0;

	c->layers = calloc(model->nlayers, sizeof(*c->layers));
	c->tensors = calloc(model->ntensors, sizeof(*c->tensors));
	c->inside = calloc(model->ntensors, sizeof(*c->inside));
	if (!c->layers || !c->tensors || !c->inside || place_tensors(c))
		return -ENOMEM;
	for (unsigned int i = 0; i < model->nlayers; i++) {
		int ret = build_layer(c, i, level, &words);

		if (ret)
			return ret;
	}
	c->words = cpu_weights_alloc(words + 1, sizeof(*c->words));
	c->sums = cpu_weights_alloc(c->plane + 1, c->nparts * sizeof(*c->sums));
	return c->words && c->sums ? 0 : -ENOMEM;
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
	c->nparts = pool ? pool_threads(pool) : 1;
	c->conv = cpu_conv_level(level->name);
	c->lines = cpu_lines_level(level->name);
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
		conv_layout_free(cpu->layers[i].layout);
	}
	for (unsigned int i = 0; cpu->tensors && cpu->inside && i < cpu->model->ntensors; i++)
		if (!cpu->inside[i])
			free(cpu->tensors[i]);
	free(cpu->layers);
	free(cpu->tensors);
	free(cpu->inside);
	free(cpu->sums);
	free(cpu->words);
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

/* ------------------------------------------------------------------- runs */

/* A layer, and for all but fully connected ones an item of the batch; tasks of it run at the same time. */
struct layer_run {
	const struct accel_cpu *cpu;
	const struct accel_layer *layer;
	const struct cpu_layer *own;
	const struct accel_tensor *out;
	const int16_t *x, *factors;         /* factors of a product: for `repeat` values each */
	uint64_t repeat;
	int16_t *y;
	atomic_uint_fast64_t products, saturated;
};

static void run_tasks(struct layer_run *run, uint32_t n, void (*task)(void *arg, size_t task, void *scratch))
{
	if (run->cpu->pool)
		pool_run(run->cpu->pool, n, task, run);
	for (uint32_t t = 0; !run->cpu->pool && t < n; t++)
		task(run, t, NULL);
}

static void add(struct layer_run *run, uint64_t products, uint64_t saturated)
{
	if (products)
		atomic_fetch_add(&run->products, products);
	if (saturated)
		atomic_fetch_add(&run->saturated, saturated);
}

static void fc_task(void *arg, size_t task, void *scratch)
{
	struct layer_run *run = arg;
	const struct cpu_fc_job job = {
		.weights = run->own->weights, .layer = run->layer, .out = run->out, .x = run->x, .y = run->y, .batch = run->cpu->batch,
	};
	uint64_t saturated = 0;

	(void)scratch;
	run->own->level->run(&job, (uint32_t)task, &saturated);
	add(run, 0, saturated);
}

/* All items of a fully connected layer. */
static void run_fc(struct layer_run *run)
{
	const struct cpu_fc_level *level = run->own->level;

	run_tasks(run, level->tasks(run->own->weights), fc_task);
	for (size_t b = 0; b < run->cpu->batch; b++)
		add(run, level->live(run->x + b * run->layer->cols, run->own->live, run->layer->cols), 0);
}

static void copy_task(void *arg, size_t task, void *scratch)
{
	struct layer_run *run = arg;

	(void)scratch;
	add(run, conv_layout_copy(run->own->layout, run->layer, run->cpu->lines, run->x, (uint32_t)task, run->cpu->words), 0);
}

static void conv_task(void *arg, size_t task, void *scratch)
{
	struct layer_run *run = arg;
	const struct cpu_conv_job job = {
		.layout = run->own->layout, .layer = run->layer, .out = run->out, .words = run->cpu->words, .y = run->y,
	};
	uint64_t saturated = 0;

	(void)scratch;
	cpu_conv_run(run->cpu->conv, &job, (uint32_t)task, &saturated);
	add(run, 0, saturated);
}

/* A share of the channels of the output. */
static void part_task(void *arg, size_t task, void *scratch)
{
	struct layer_run *run = arg;
	const struct accel_layer *layer = run->layer;
	uint64_t channels = run->out->dims[0], pixels = run->out->count / channels, products = 0, saturated = 0;
	uint32_t first = (uint32_t)(channels * task / run->cpu->nparts), end = (uint32_t)(channels * (task + 1) / run->cpu->nparts);
	uint32_t *sums = run->cpu->sums + task * run->cpu->plane;

	(void)scratch;
	if (layer->kind == ACCEL_LAYER_CONV)
		cpu_conv(layer, run->out, run->x, run->y, first, end, sums, &products, &saturated);
	else if (layer->kind == ACCEL_LAYER_MAX_POOL)
		cpu_max_pool(&layer->window, run->cpu->lines, run->x, run->y, first, end);
	else if (layer->kind == ACCEL_LAYER_MULTIPLY)
		cpu_multiply(layer, run->out, run->x, run->factors, run->repeat, run->y, first * pixels, end * pixels, &saturated);
	else if (layer->kind == ACCEL_LAYER_TABLE)
		cpu_table(layer, run->x, run->y, first * pixels, end * pixels);
	else
		cpu_average_pool(layer, run->cpu->lines, run->x, run->y, first, end, &saturated);
	add(run, products, saturated);
}

static void run_concat(const struct accel_cpu *cpu, const struct accel_layer *layer, size_t item, int16_t *y)
{
	for (unsigned int i = 0; i < layer->nparts; i++) {
		uint64_t count = cpu->model->tensors[layer->parts[i]].count;
		const int16_t *part = cpu->tensors[layer->parts[i]] + item * count;

		if (part != y)
			memcpy(y, part, count * sizeof(*y));
		y += count;
	}
}

static void run_item(struct layer_run *run, size_t item)
{
	const struct accel_tensor *in = &run->cpu->model->tensors[run->layer->input];

	run->x = run->cpu->tensors[run->layer->input] + item * in->count;
	run->y = run->cpu->tensors[run->layer->output] + item * run->out->count;
	if (run->layer->kind == ACCEL_LAYER_MULTIPLY) {
		const struct accel_tensor *factors = &run->cpu->model->tensors[run->layer->parts[1]];

		run->factors = run->cpu->tensors[run->layer->parts[1]] + item * factors->count;
		run->repeat = in->count / factors->count;
	}
	if (run->layer->kind == ACCEL_LAYER_CONCAT) {
		run_concat(run->cpu, run->layer, item, run->y);
	} else if (run->own->layout) {
		run_tasks(run, run->own->layout->pairs, copy_task);
		run_tasks(run, conv_tasks(run->own->layout), conv_task);
	} else {
		run_tasks(run, run->cpu->nparts, part_task);
	}
}

void accel_cpu_run(struct accel_cpu *cpu, uint64_t *macs, uint64_t *saturated)
{
	uint64_t products = 0, cut = 0;

	for (unsigned int l = 0; l < cpu->model->nlayers; l++) {
		const struct accel_layer *layer = &cpu->model->layers[l];
		struct layer_run run = {
			.cpu = cpu,
			.layer = layer,
			.own = &cpu->layers[l],
			.out = &cpu->model->tensors[layer->output],
			.x = cpu->tensors[layer->input],
			.y = cpu->tensors[layer->output],
		};

		if (layer->kind == ACCEL_LAYER_FC)
			run_fc(&run);
		for (size_t b = 0; layer->kind != ACCEL_LAYER_FC && b < cpu->batch; b++)
			run_item(&run, b);
		products += run.products;
		cut += run.saturated;
	}
	if (macs)
		*macs = products;
	if (saturated)
		*saturated = cut;
}
