// SPDX-License-Identifier: GPL-2.0 OR MIT
#include "cpu_sell.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static struct sell_step *new_step(struct sell_slice *slice, uint32_t advance)
{
	struct sell_step *step;

	if (slice->nsteps == slice->room) {
		size_t room = slice->room * 2 + 64;
		struct sell_step *steps = realloc(slice->steps, room * sizeof(*steps));

		if (!steps)
			return NULL;
		slice->steps = steps;
		slice->room = room;
	}
	step = &slice->steps[slice->nsteps++];
	memset(step, 0, sizeof(*step));
	step->advance = (uint8_t)advance;
	return step;
}

/* The window begins at the first column that any row still needs, or as little before it as its alignment wants. False: no row needs one. */
static bool next_column(const struct accel_layer *layer, uint32_t align, const uint32_t *at, const uint32_t *end, uint32_t n, uint32_t *column)
{
	bool any = false;

	for (uint32_t r = 0; r < n; r++) {
		if (at[r] == end[r] || (any && layer->col[at[r]] >= *column))
			continue;
		*column = layer->col[at[r]];
		any = true;
	}
	*column &= ~(align - 1);
	return any;
}

int sell_append(const struct accel_layer *layer, const struct sell_shape *shape, const uint32_t *rows, uint32_t n, struct sell_slice *slice)
{
	uint32_t at[SELL_SLOTS_MAX], end[SELL_SLOTS_MAX], base = 0, column = 0;
	const uint32_t furthest = SELL_ADVANCE_MAX & ~(shape->align - 1);
	size_t first = slice->nsteps;

	for (uint32_t r = 0; r < n; r++) {
		at[r] = layer->rowptr[rows[r]];
		end[r] = layer->rowptr[rows[r] + 1];
	}
	while (next_column(layer, shape->align, at, end, n, &column)) {
		struct sell_step *step;

		for (; column - base > furthest; base += furthest)
			if (!new_step(slice, furthest))
				return -ENOMEM;
		step = new_step(slice, column - base);
		if (!step)
			return -ENOMEM;
		base = column;
		for (uint32_t r = 0; r < n; r++) {
			for (uint32_t i = 0; i < shape->each && at[r] < end[r] && layer->col[at[r]] - base < shape->window; i++, at[r]++) {
				step->offset[r * shape->each + i] = (uint8_t)(layer->col[at[r]] - base);
				step->code[r * shape->each + i] = layer->code[at[r]];
			}
		}
	}
	while ((slice->nsteps - first) % shape->multiple)
		if (!new_step(slice, 0))
			return -ENOMEM;
	return 0;
}

struct length {
	uint32_t row, entries;
};

static int longest_first(const void *a, const void *b)
{
	const struct length *x = a, *y = b;

	/* then by number: the same order on every machine */
	return x->entries != y->entries ? (x->entries < y->entries ? 1 : -1) : (x->row > y->row) - (x->row < y->row);
}

void sell_sort(const struct accel_layer *layer, uint32_t first, uint32_t n, uint32_t *rows)
{
	struct length lengths[SELL_SORT_MAX];

	for (uint32_t r = 0; r < n; r++)
		lengths[r] = (struct length){ first + r, layer->rowptr[first + r + 1] - layer->rowptr[first + r] };
	qsort(lengths, n, sizeof(*lengths), longest_first);
	for (uint32_t r = 0; r < n; r++)
		rows[r] = lengths[r].row;
}
