/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/*
 * Sliced ELLPACK with a sliding window. A slice of rows is walked in steps; in each step every row of it meets up to `pairs` of its weights, whose columns
 * lie in a window of the activations that vector registers hold, and that only moves forward. A row that is ahead of the slowest one has until
 * the window's end, so slots stay empty less often than with fixed blocks of columns. (SELL-C-sigma: Kreutzer et al., SIAM J. Sci. Comput. 36, 2014;
 * the window is ours.)
 */
#ifndef ACCEL_CPU_SELL_H
#define ACCEL_CPU_SELL_H

#include "model.h"

#define SELL_ADVANCE_MAX 255u
#define SELL_SLOTS_MAX   32u

struct sell_shape {
	uint32_t rows;       /* of a slice */
	uint32_t each;       /* weights of a row in a step; rows * each <= SELL_SLOTS_MAX */
	uint32_t window;     /* columns, a power of two up to 64 */
	uint32_t align;      /* a window begins at a multiple of this many columns, a power of two up to 128 */
	uint32_t multiple;   /* steps of a slice are padded to a multiple of this */
};

/* Empty slots have code 0, whose weight is 0, and offset 0. */
struct sell_step {
	uint8_t advance;                  /* columns that the window moves before the step */
	uint8_t offset[SELL_SLOTS_MAX];   /* column within the window; slot of a row: row * each + 0 .. each - 1 */
	uint8_t code[SELL_SLOTS_MAX];
};

struct sell_slice {
	struct sell_step *steps;
	size_t nsteps, room;
};

/* Appends the steps of a slice of rows[0 .. n - 1] (n <= shape->rows) to what slice has; 0 or -ENOMEM. The caller frees slice->steps. */
int sell_append(const struct accel_layer *layer, const struct sell_shape *shape, const uint32_t *rows, uint32_t n, struct sell_slice *slice);

/* Writes the layer's rows [first, first + n), longest first, to rows. Rows of like length are in one slice then. n <= SELL_SORT_MAX. */
#define SELL_SORT_MAX 256u
void sell_sort(const struct accel_layer *layer, uint32_t first, uint32_t n, uint32_t *rows);

#endif
