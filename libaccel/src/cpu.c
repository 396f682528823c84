// SPDX-License-Identifier: GPL-2.0 OR MIT
/* Runs a model's layers with the kernels of one level: cpu_fc.h, cpu_conv.h. */
#include "cpu.h"
#include "cpu_conv.h"
#include "cpu_element.h"
#include "cpu_fc.h"
#include "cpu_image.h"
#include "cpu_pool.h"
#include "window.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

struct cpu_layer {
	const struct cpu_fc_level *level;   /* fully connected, else NULL */
	void *weights;
	uint32_t *live;                     /* [cols] non-zero weights of each column */
	size_t bytes;                       /* of the transcoded weights */
	struct conv_layout *layout;         /* convolutions with kernels of the level, else NULL */
	bool counts_at_once;                /* its products: callers may change what it reads */
};

struct accel_cpu {
	const struct accel_model *model;
	unsigned int batch;
	struct pool *pool;                  /* the caller's, or NULL */
	const struct cpu_conv_level *conv;  /* or NULL: the portable one */
	const struct cpu_lines *lines;
	struct cpu_layer *layers;
	struct cpu_tensor *tensors;
	int16_t *memory;                    /* of all tensors */
	unsigned int nparts;                /* of layers that are split by channels: one a thread */
	uint64_t plane;                     /* pixels of the largest output plane */
	uint32_t *sums;                     /* [nparts][plane]; unsigned: they wrap */
	int32_t *words;                     /* copy of an image, as large as any layer's */
	bool counts;                        /* the last run did */
	uint64_t products;                  /* that it counted at once */
};

static int build_fc(struct cpu_layer *dst, const struct accel_layer *layer, const struct cpu_fc_level *level)
{
	dst->level = level->takes && !level->takes(layer) ? &cpu_fc_portable : level;
	dst->live = calloc(layer->cols + (size_t)1, sizeof(*dst->live));
	if (!dst->live)
		return -ENOMEM;
	for (uint64_t i = 0; i < layer->nnz; i++)
		dst->live[layer->col[i]]++;
	return dst->level->build(layer, &dst->weights, &dst->bytes);
}

/* Whether what the layer reads is an input of the model, or lies where one does. */
static bool reads_input(const struct accel_cpu *c, const struct accel_layer *layer)
{
	const struct cpu_tensor *from = &c->tensors[layer->input];

	for (unsigned int i = 0; i < c->model->ninputs; i++) {
		const struct cpu_tensor *in = &c->tensors[c->model->inputs[i]];

		if (in->values < from->values + c->batch * from->item && from->values < in->values + c->batch * in->item)
			return true;
	}
	return false;
}

struct build {
	struct accel_cpu *cpu;
	const struct cpu_fc_level *level;
	atomic_bool failed;
};

/* A layer. */
static void build_task(void *arg, size_t l, void *scratch)
{
	struct build *b = arg;
	struct accel_cpu *c = b->cpu;
	const struct accel_layer *layer = &c->model->layers[l];
	struct cpu_layer *own = &c->layers[l];
	int ret = 0;

	(void)scratch;
	if (layer->kind == ACCEL_LAYER_FC)
		ret = build_fc(own, layer, b->level);
	else if (layer->kind == ACCEL_LAYER_CONV && c->conv)
		ret = conv_layout_new(layer, &c->tensors[layer->input].image, &c->tensors[layer->output].image, c->conv->lanes, c->conv->tile_max,
				      &own->layout);
	if (own->layout)
		own->bytes = own->layout->bytes;
	own->counts_at_once = reads_input(c, layer);
	if (ret)
		atomic_store(&b->failed, true);
}

static int build(struct accel_cpu *c, const struct cpu_fc_level *level)
{
	const struct accel_model *model = c->model;
	struct build b = { .cpu = c, .level = level };
	size_t words = 0;

	c->layers = calloc(model->nlayers + (size_t)1, sizeof(*c->layers));
	c->tensors = calloc(model->ntensors + (size_t)1, sizeof(*c->tensors));
	if (!c->layers || !c->tensors || cpu_tensors_new(model, c->batch, c->conv ? c->conv->each : 0, c->tensors, &c->memory))
		return -ENOMEM;
	if (c->pool)
		pool_run(c->pool, model->nlayers, build_task, &b);
	for (unsigned int l = 0; !c->pool && l < model->nlayers; l++)
		build_task(&b, l, NULL);
	if (b.failed)
		return -ENOMEM;
	for (unsigned int l = 0; l < model->nlayers; l++) {
		const struct accel_layer *layer = &model->layers[l];

		if (layer->kind == ACCEL_LAYER_CONV && !c->layers[l].layout && window_out_pixels(&layer->window) > c->plane)
			c->plane = window_out_pixels(&layer->window);
		if (c->layers[l].layout && c->layers[l].layout->words > words)
			words = c->layers[l].layout->words;
	}
	c->words = cpu_weights_alloc(words + 1, sizeof(*c->words));
	c->sums = cpu_weights_alloc(c->plane + 1, c->nparts * sizeof(*c->sums));
	return c->words && c->sums ? 0 : -ENOMEM;
}

int accel_cpu_new(const struct accel_model *model, unsigned int batch, struct pool *pool, const char *name, struct accel_cpu **cpu, struct accel_error *err)
{
	const struct cpu_fc_level *level;
	struct accel_cpu *c;
	int ret = cpu_fc_level(name ? name : secure_getenv("EIE_CPU_LEVEL"), &level, err);

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
	free(cpu->layers);
	free(cpu->tensors);
	free(cpu->memory);
	free(cpu->sums);
	free(cpu->words);
	free(cpu);
}

int16_t *accel_cpu_tensor(struct accel_cpu *cpu, unsigned int tensor)
{
	return cpu->tensors[tensor].values;
}

void accel_cpu_quantise(const struct accel_cpu *cpu, const float *x, const struct accel_tensor *tensor, int16_t *values)
{
	cpu->lines->quantise(x, tensor->count, tensor->scale, tensor->lo, tensor->hi, values);
}

size_t accel_cpu_weight_bytes(const struct accel_cpu *cpu)
{
	size_t bytes = 0;

	for (unsigned int l = 0; l < cpu->model->nlayers; l++)
		bytes += cpu->layers[l].bytes;
	return bytes;
}

/* ------------------------------------------------------------------- runs */

/* A layer, and for all but fully connected ones an item of the batch; tasks of it run at the same time. */
struct layer_run {
	const struct accel_cpu *cpu;
	const struct accel_layer *layer;
	const struct cpu_layer *own;
	const struct accel_tensor *out;
	const struct cpu_tensor *from, *to; /* where input and output lie */
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

static void copy_task(void *arg, size_t task, void *scratch)
{
	struct layer_run *run = arg;

	(void)scratch;
	conv_layout_copy(run->own->layout, run->layer, &run->from->image, run->cpu->lines, run->x, (uint32_t)task, run->cpu->words);
}

static const int32_t *words_of(const struct layer_run *run)
{
	const struct conv_layout *l = run->own->layout;

	return l->direct ? (const int32_t *)run->x + l->origin : run->cpu->words;
}

static void conv_task(void *arg, size_t task, void *scratch)
{
	struct layer_run *run = arg;
	const struct cpu_conv_job job = {
		.layout = run->own->layout, .layer = run->layer, .out = run->out, .words = words_of(run), .y = run->y,
	};
	uint64_t saturated = 0;

	(void)scratch;
	cpu_conv_run(run->cpu->conv, &job, (uint32_t)task, &saturated);
	add(run, 0, saturated);
}

static void count_task(void *arg, size_t task, void *scratch)
{
	struct layer_run *run = arg;

	(void)scratch;
	add(run, conv_layout_products(run->own->layout, run->layer, run->cpu->lines, words_of(run), (uint32_t)task), 0);
}

/* A share of the channels of the output; where two of them are a word, of the words. */
static void part_task(void *arg, size_t task, void *scratch)
{
	struct layer_run *run = arg;
	const struct accel_layer *layer = run->layer;
	const struct cpu_pool_job pool = {
		.layer = layer, .lines = run->cpu->lines, .in = &run->from->image, .out = &run->to->image, .x = run->x, .y = run->y,
	};
	uint64_t channels = run->out->dims[0], pixels = run->out->count / channels, products = 0, saturated = 0;
	uint64_t units = layer->kind == ACCEL_LAYER_MAX_POOL && pool.in->packed ? cpu_packs((uint32_t)channels, pool.in->each) : channels;
	uint32_t first = (uint32_t)(units * task / run->cpu->nparts), end = (uint32_t)(units * (task + 1) / run->cpu->nparts);
	uint32_t *sums = run->cpu->sums + task * run->cpu->plane;

	(void)scratch;
	if (layer->kind == ACCEL_LAYER_CONV)
		cpu_conv(layer, run->out, run->x, run->y, first, end, sums, &products, &saturated);
	else if (layer->kind == ACCEL_LAYER_MAX_POOL)
		cpu_max_pool(&pool, first, end);
	else if (layer->kind == ACCEL_LAYER_MULTIPLY)
		cpu_multiply(layer, run->out, run->cpu->lines, run->x, run->factors, run->repeat, run->y, first * pixels, end * pixels, &saturated);
	else if (layer->kind == ACCEL_LAYER_TABLE)
		run->cpu->lines->interpolate(layer->table, run->x + first * pixels, (end - first) * pixels, run->y + first * pixels);
	else
		cpu_average_pool(&pool, first, end, &saturated);
	add(run, products, saturated);
}

static void run_concat(const struct accel_cpu *cpu, const struct accel_layer *layer, size_t item, int16_t *y)
{
	for (unsigned int i = 0; i < layer->nparts; i++) {
		const struct accel_tensor *tensor = &cpu->model->tensors[layer->parts[i]];
		const struct cpu_tensor *part = &cpu->tensors[layer->parts[i]];
		size_t count = cpu_image_count(&part->image, tensor);

		if (part->values + item * part->item != y)
			memcpy(y, part->values + item * part->item, count * sizeof(*y));
		y += count;
	}
}

static void copy_image(struct layer_run *run)
{
	if (!run->own->layout->direct)
		run_tasks(run, run->own->layout->packs, copy_task);
}

static void run_item(struct layer_run *run, size_t item)
{
	run->x = run->from->values + item * run->from->item;
	run->y = run->to->values + item * run->to->item;
	if (run->layer->kind == ACCEL_LAYER_MULTIPLY) {
		const struct cpu_tensor *factors = &run->cpu->tensors[run->layer->parts[1]];

		run->factors = factors->values + item * factors->item;
		run->repeat = run->cpu->model->tensors[run->layer->input].count / run->cpu->model->tensors[run->layer->parts[1]].count;
	}
	if (run->layer->kind == ACCEL_LAYER_CONCAT) {
		run_concat(run->cpu, run->layer, item, run->y);
	} else if (run->own->layout) {
		copy_image(run);
		run_tasks(run, conv_tasks(run->own->layout), conv_task);
	} else {
		run_tasks(run, run->cpu->nparts, part_task);
	}
}

/* Of a layer that has run. A layer without kernels of the level counts while it runs. */
static void count_layer(struct layer_run *run)
{
	for (size_t b = 0; b < run->cpu->batch; b++) {
		run->x = run->from->values + b * run->from->item;
		if (run->layer->kind == ACCEL_LAYER_FC) {
			add(run, run->own->level->live(run->x, run->own->live, run->layer->cols), 0);
		} else if (run->own->layout) {
			copy_image(run);
			run_tasks(run, run->own->layout->packs, count_task);
		}
	}
}

static struct layer_run run_of(const struct accel_cpu *cpu, unsigned int l)
{
	const struct accel_layer *layer = &cpu->model->layers[l];

	return (struct layer_run){
		.cpu = cpu,
		.layer = layer,
		.own = &cpu->layers[l],
		.out = &cpu->model->tensors[layer->output],
		.from = &cpu->tensors[layer->input],
		.to = &cpu->tensors[layer->output],
		.x = cpu->tensors[layer->input].values,
		.y = cpu->tensors[layer->output].values,
	};
}

void accel_cpu_run(struct accel_cpu *cpu, bool counts, uint64_t *saturated)
{
	uint64_t cut = 0;

	cpu->counts = counts;
	cpu->products = 0;
	for (unsigned int l = 0; l < cpu->model->nlayers; l++) {
		struct layer_run run = run_of(cpu, l);

		if (run.layer->kind == ACCEL_LAYER_FC)
			run_tasks(&run, run.own->level->tasks(run.own->weights), fc_task);
		for (size_t b = 0; run.layer->kind != ACCEL_LAYER_FC && b < cpu->batch; b++)
			run_item(&run, b);
		if (counts && run.own->counts_at_once)
			count_layer(&run);
		cpu->products += run.products;
		cut += run.saturated;
	}
	if (saturated)
		*saturated = cut;
}

uint64_t accel_cpu_products(struct accel_cpu *cpu)
{
	uint64_t products = cpu->products;

	for (unsigned int l = 0; cpu->counts && l < cpu->model->nlayers; l++) {
		struct layer_run run = run_of(cpu, l);

		if (!run.own->counts_at_once)
			count_layer(&run);
		products += run.products;
	}
	return cpu->counts ? products : 0;
}
