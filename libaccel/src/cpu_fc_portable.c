// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Portable C: panels of rows in compressed sparse columns, so that a zero activation costs nothing, as on the engine. The sums of a panel stay in
 * the first-level cache.
 */
#include "cpu_fc.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define PANEL_ROWS 1024u

struct entry {
	uint16_t row;   /* within the panel */
	int16_t weight;
};

struct panel {
	uint32_t *colptr;        /* [cols + 1] */
	struct entry *entries;
};

struct portable {
	uint32_t npanels;
	struct panel panels[];
};

static bool usable(void)
{
	return true;
}

static uint32_t panel_rows(const struct accel_layer *layer, uint32_t panel)
{
	uint32_t left = layer->rows - panel * PANEL_ROWS;

	return left < PANEL_ROWS ? left : PANEL_ROWS;
}

/* Counting sort of a panel's rows by column; rows stay in order within a column. */
static int build_panel(struct panel *panel, const struct accel_layer *layer, uint32_t first_row, uint32_t rows)
{
	uint32_t first = layer->rowptr[first_row], last = layer->rowptr[first_row + rows];
	uint32_t *colptr = calloc(layer->cols + (size_t)2, sizeof(*colptr));

	/* one more than used: colptr[c + 1] is the write position of column c while filling, its end afterwards */
	panel->colptr = colptr;
	panel->entries = cpu_weights_alloc(last - first + (size_t)1, sizeof(*panel->entries));
	if (!colptr || !panel->entries)
		return -ENOMEM;
	for (uint32_t i = first; i < last; i++)
		colptr[layer->col[i] + 2]++;
	for (uint32_t c = 1; c <= layer->cols; c++)
		colptr[c + 1] += colptr[c];
	for (uint32_t r = 0; r < rows; r++) {
		uint32_t row = first_row + r;

		for (uint32_t i = layer->rowptr[row]; i < layer->rowptr[row + 1]; i++)
			panel->entries[colptr[layer->col[i] + 1]++] = (struct entry) {
				.row = (uint16_t)r,
				.weight = layer->codebook_q[layer->code[i]],
			};
	}
	return 0;
}

static void release(void *weights)
{
	struct portable *w = weights;

	for (uint32_t p = 0; w && p < w->npanels; p++) {
		free(w->panels[p].colptr);
		free(w->panels[p].entries);
	}
	free(w);
}

static int build(const struct accel_layer *layer, void **weights, size_t *bytes)
{
	uint32_t n = (layer->rows + PANEL_ROWS - 1) / PANEL_ROWS;
	struct portable *w = calloc(1, sizeof(*w) + n * sizeof(w->panels[0]));

	if (!w)
		return -ENOMEM;
	w->npanels = n;
	for (uint32_t p = 0; p < n; p++) {
		if (build_panel(&w->panels[p], layer, p * PANEL_ROWS, panel_rows(layer, p))) {
			release(w);
			return -ENOMEM;
		}
	}
	*weights = w;
	*bytes = layer->nnz * sizeof(struct entry) + n * (layer->cols + (size_t)2) * sizeof(uint32_t);
	return 0;
}

static uint32_t tasks(const void *weights)
{
	return ((const struct portable *)weights)->npanels;
}

static void run(const struct cpu_fc_job *job, uint32_t task, uint64_t *saturated)
{
	const struct portable *w = job->weights;
	const struct accel_layer *layer = job->layer;
	const struct panel *panel = &w->panels[task];
	uint32_t first = task * PANEL_ROWS, rows = panel_rows(layer, task);

	/* the panel's weights stay in the cache for the whole batch */
	for (size_t b = 0; b < job->batch; b++) {
		const int16_t *x = job->x + b * layer->cols;
		int16_t *y = job->y + b * layer->rows + first;
		uint32_t sums[PANEL_ROWS];   /* unsigned: they wrap */

		memcpy(sums, layer->bias_q + first, rows * sizeof(*sums));
		for (uint32_t c = 0; c < layer->cols; c++) {
			uint32_t end = panel->colptr[c + 1];
			int32_t activation = x[c];

			if (!activation)
				continue;
			for (uint32_t i = panel->colptr[c]; i < end; i++)
				sums[panel->entries[i].row] += (uint32_t)(panel->entries[i].weight * activation);
		}
		for (uint32_t r = 0; r < rows; r++)
			y[r] = accel_requant((int32_t)sums[r], layer->mult[first + r], layer->shift[first + r], job->out->lo,
					     job->out->hi, saturated);
	}
}

static uint64_t live(const int16_t *x, const uint32_t *n, uint32_t count)
{
	uint64_t sum = 0;

	for (uint32_t i = 0; i < count; i++)
		sum += x[i] ? n[i] : 0;
	return sum;
}

const struct cpu_fc_level cpu_fc_portable = {
	.name = "portable",
	.usable = usable,
	.build = build,
	.release = release,
	.tasks = tasks,
	.run = run,
	.live = live,
};
