// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Portable kernels: one panel of weights is compressed sparse columns, so that a zero activation costs nothing, as on the engine.
 * A panel has at most 2^16 rows: an entry is then four bytes, and the sums of a panel stay in the second-level cache.
 */
#include "cpu.h"
#include "cpu_conv.h"
#include "window.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define PANEL_ROWS 65536u
#define ALIGN      64

struct entry {
	uint16_t row;   /* within the panel */
	int16_t weight;
};

struct panel {
	uint32_t first_row, rows;
	uint32_t *colptr;        /* [cols + 1] */
	struct entry *entries;
};

struct cpu_layer {
	struct panel *panels;
	uint32_t npanels;
};

struct accel_cpu {
	const struct accel_model *model;
	unsigned int batch;
	struct cpu_layer *layers;
	int16_t **tensors;
	uint32_t *sums;          /* [rows of the largest panel, or pixels of the largest plane]; unsigned: they wrap */
};

/* Counting sort of a panel's rows by column; rows stay in order within a column. */
static int build_panel(struct panel *panel, const struct accel_layer *layer)
{
	uint32_t first = layer->rowptr[panel->first_row], last = layer->rowptr[panel->first_row + panel->rows];
	uint32_t *colptr = calloc(layer->cols + (size_t)2, sizeof(*colptr));

	/* one more than used: colptr[c + 1] is the write position of column c while filling, its end afterwards */
	panel->colptr = colptr;
	panel->entries = malloc((last - first + (size_t)1) * sizeof(*panel->entries));
	if (!colptr || !panel->entries)
		return -ENOMEM;
	for (uint32_t i = first; i < last; i++)
		colptr[layer->col[i] + 2]++;
	for (uint32_t c = 1; c <= layer->cols; c++)
		colptr[c + 1] += colptr[c];
	for (uint32_t r = 0; r < panel->rows; r++) {
		uint32_t row = panel->first_row + r;

		for (uint32_t i = layer->rowptr[row]; i < layer->rowptr[row + 1]; i++)
			panel->entries[colptr[layer->col[i] + 1]++] = (struct entry) {
				.row = (uint16_t)r,
				.weight = layer->codebook_q[layer->code[i]],
			};
	}
	return 0;
}

static int build_layer(struct cpu_layer *dst, const struct accel_layer *layer)
{
	dst->npanels = (layer->rows + PANEL_ROWS - 1) / PANEL_ROWS;
	dst->panels = calloc(dst->npanels, sizeof(*dst->panels));
	if (!dst->panels)
		return -ENOMEM;
	for (uint32_t p = 0; p < dst->npanels; p++) {
		struct panel *panel = &dst->panels[p];
		uint32_t left = layer->rows - p * PANEL_ROWS;
		int ret;

		panel->first_row = p * PANEL_ROWS;
		panel->rows = left < PANEL_ROWS ? left : PANEL_ROWS;
		ret = build_panel(panel, layer);
		if (ret)
			return ret;
	}
	return 0;
}

static int16_t *tensor_new(uint64_t count, unsigned int batch)
{
	size_t bytes;
	int16_t *values;

	if (__builtin_mul_overflow(count, (size_t)batch * sizeof(*values), &bytes) || bytes > SIZE_MAX - ALIGN)
		return NULL;
	bytes = (bytes + ALIGN - 1) / ALIGN * ALIGN;
	values = aligned_alloc(ALIGN, bytes);
	if (values)
		memset(values, 0, bytes);
	return values;
}

static int build(struct accel_cpu *c)
{
	const struct accel_model *model = c->model;
	uint32_t most = 0;

	c->layers = calloc(model->nlayers, sizeof(*c->layers));
	c->tensors = calloc(model->ntensors, sizeof(*c->tensors));
	if (!c->layers || !c->tensors)
		return -ENOMEM;
	for (unsigned int i = 0; i < model->nlayers; i++) {
		uint32_t rows = model->layers[i].rows < PANEL_ROWS ? model->layers[i].rows : PANEL_ROWS;
		int ret;

		if (model->layers[i].kind != ACCEL_LAYER_FC && model->layers[i].kind != ACCEL_LAYER_CONCAT) {
			uint64_t pixels = window_out_pixels(&model->layers[i].window);

			most = pixels > most ? (uint32_t)pixels : most;
		}
		if (model->layers[i].kind != ACCEL_LAYER_FC)
			continue;
		ret = build_layer(&c->layers[i], &model->layers[i]);
		if (ret)
			return ret;
		most = rows > most ? rows : most;
	}
	for (unsigned int i = 0; i < model->ntensors; i++) {
		c->tensors[i] = tensor_new(model->tensors[i].count, c->batch);
		if (!c->tensors[i])
			return -ENOMEM;
	}
	c->sums = malloc((most + (size_t)1) * sizeof(*c->sums));
	return c->sums ? 0 : -ENOMEM;
}

int accel_cpu_new(const struct accel_model *model, unsigned int batch, struct accel_cpu **cpu, struct accel_error *err)
{
	struct accel_cpu *c = calloc(1, sizeof(*c));

	if (!c)
		return accel_fail(err, -ENOMEM, NULL, "no memory for the CPU's copy of the model");
	c->model = model;
	c->batch = batch ? batch : 1;
	if (build(c)) {
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
		for (uint32_t p = 0; cpu->layers[i].panels && p < cpu->layers[i].npanels; p++) {
			free(cpu->layers[i].panels[p].colptr);
			free(cpu->layers[i].panels[p].entries);
		}
		free(cpu->layers[i].panels);
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

/* sums += W x over the non-zero values of x; returns the number of products. */
static uint64_t multiply(const struct panel *panel, const int16_t *x, uint32_t cols, uint32_t *sums)
{
	uint64_t products = 0;

	for (uint32_t c = 0; c < cols; c++) {
		uint32_t end = panel->colptr[c + 1];
		int32_t activation = x[c];

		if (!activation)
			continue;
		products += end - panel->colptr[c];
		for (uint32_t i = panel->colptr[c]; i < end; i++)
			sums[panel->entries[i].row] += (uint32_t)(panel->entries[i].weight * activation);
	}
	return products;
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
		/* panels outside: the weights of one stay in the cache for the whole batch */
		for (uint32_t p = 0; p < cpu->layers[l].npanels; p++) {
			const struct panel *panel = &cpu->layers[l].panels[p];

			for (size_t b = 0; b < cpu->batch; b++) {
				const int16_t *x = cpu->tensors[layer->input] + b * layer->cols;
				int16_t *y = cpu->tensors[layer->output] + b * layer->rows + panel->first_row;

				memcpy(cpu->sums, layer->bias_q + panel->first_row, panel->rows * sizeof(*cpu->sums));
				products += multiply(panel, x, layer->cols, cpu->sums);
				for (uint32_t r = 0; r < panel->rows; r++)
					y[r] = accel_requant((int32_t)cpu->sums[r], layer->mult[panel->first_row + r],
							     layer->shift[panel->first_row + r], out->lo, out->hi, &cut);
			}
		}
	}
	if (macs)
		*macs = products;
	if (saturated)
		*saturated = cut;
}
