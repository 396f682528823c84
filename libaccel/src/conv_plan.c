// SPDX-License-Identifier: GPL-2.0 OR MIT
#include "conv_plan.h"

#include <errno.h>
#include <stdlib.h>

#include "window.h"

static uint32_t min32(uint32_t a, uint32_t b)
{
	return a < b ? a : b;
}

/* Parts of n, not more of them than with `most` a part, but of one size: two slots cannot hide the load of a long one behind a short one. */
static uint32_t even(uint32_t n, uint32_t most)
{
	uint32_t parts = (n + most - 1) / most;

	return (n + parts - 1) / parts;
}

/* Words of eight rows of eight sums in an accumulator half. */
static uint32_t half_words(const struct eie_params *p)
{
	return p->rows * min32(p->lanes, EIE_GRANULE_VALUES) / EIE_GRANULE_VALUES / 8;
}

uint32_t conv_row_limit(const struct eie_params *p)
{
	/* one group of outputs must fit a quarter of ABUF */
	return min32(8 * half_words(p), p->abuf / 4 / p->clusters) / 8 * 8;
}

void conv_band(const struct accel_window *w, uint32_t first, uint32_t groups, struct conv_band *band)
{
	uint64_t last = (uint64_t)(first + groups) * EIE_GRANULE_VALUES - 1, pixels = window_out_pixels(w);
	uint32_t first_y = first * EIE_GRANULE_VALUES / w->out_width, last_y, begin, end;

	last_y = (uint32_t)((last < pixels ? last : pixels - 1) / w->out_width);
	begin = first_y * w->stride_y;
	begin = begin > w->pad_top ? begin - w->pad_top : 0;
	end = last_y * w->stride_y + (w->kernel_y - 1) * w->dilate_y + 1;
	end = end > w->pad_top ? min32(end - w->pad_top, w->height) : 0;
	/* windows that lie above or below the image as a whole get a row that they do not see */
	band->y = min32(begin, w->height - 1);
	band->rows = end > band->y ? end - band->y : 1;
	band->first_y = min32(first_y, (w->pad_top + band->y) / w->stride_y);
	band->origin = band->y * w->width % EIE_GRANULE_VALUES;
	band->group = band->y * w->width / EIE_GRANULE_VALUES;
	band->groups = (band->origin + band->rows * w->width + EIE_GRANULE_VALUES - 1) / EIE_GRANULE_VALUES;
}

/* The most pixel groups of input that n batches in a row need, whichever they are. */
static uint32_t widest_band(const struct accel_window *w, const struct conv_plan *conv, uint32_t plane, uint32_t n)
{
	uint32_t most = 0;

	for (uint32_t first = 0; first < plane; first += n * conv->groups) {
		struct conv_band band;

		conv_band(w, first, min32(n * conv->groups, plane - first), &band);
		most = band.groups > most ? band.groups : most;
	}
	return most;
}

int conv_plan_cut(const struct accel_layer *layer, const struct eie_params *p, const struct tile_rows *tiles, uint32_t x_slot, uint32_t y_slot,
		  struct conv_plan *conv)
{
	const struct accel_window *w = &layer->window;
	uint32_t plane = (uint32_t)((window_out_pixels(w) + 7) / 8), rows = 1;

	for (uint32_t t = 0; t < tiles->ntiles; t++)
		rows = conv->tile_rows[t] > rows ? conv->tile_rows[t] : rows;
	conv->groups = min32(half_words(p) / ((rows + 7) / 8), y_slot / (rows * p->clusters));
	conv->groups = min32(conv->groups, plane);
	for (;; conv->groups /= 2) {
		if (!conv->groups)
			return -E2BIG;
		conv->chunk_blocks = min32(conv->blocks, x_slot / (widest_band(w, conv, plane, 1) * p->clusters));
		if (conv->chunk_blocks)
			break;
	}
	conv->chunk_blocks = even(conv->blocks, conv->chunk_blocks);
	conv->batches = (plane + conv->groups - 1) / conv->groups;
	conv->band_batches = 1;
	while (conv->band_batches < conv->batches &&
	       (uint64_t)widest_band(w, conv, plane, conv->band_batches + 1) * conv->chunk_blocks * p->clusters <= x_slot)
		conv->band_batches++;
	conv->bands = (conv->batches + conv->band_batches - 1) / conv->band_batches;
	return 0;
}

int conv_plan_make(const struct accel_layer *layer, const struct eie_params *params, const struct tile_rows *rows,
		   const struct image_plan *in, uint32_t x_slot, uint32_t y_slot, struct conv_plan *conv)
{
	*conv = (struct conv_plan){ .blocks = image_blocks(in, params->clusters) };
	conv->tile_rows = calloc(rows->ntiles, sizeof(*conv->tile_rows));
	conv->tile_base = calloc((size_t)rows->ntiles + 1, sizeof(*conv->tile_base));
	if (!conv->tile_rows || !conv->tile_base)
		return -ENOMEM;
	for (uint32_t t = 0; t < rows->ntiles; t++) {
		const uint32_t *bin = &rows->bin_first[t * params->clusters];
		uint32_t n = 1;   /* a tile without rows would be none */

		for (uint32_t c = 0; c < params->clusters; c++)
			n = bin[c + 1] - bin[c] > n ? bin[c + 1] - bin[c] : n;
		conv->tile_rows[t] = n;
		conv->tile_base[t + 1] = conv->tile_base[t] + n;
	}
	return conv_plan_cut(layer, params, rows, x_slot, y_slot, conv);
}

int pool_plan_make(const struct accel_layer *layer, const struct eie_params *params, const struct image_plan *in, uint32_t x_slot, uint32_t y_slot,
		   struct conv_plan *conv)
{
	const struct accel_window *w = &layer->window;
	uint32_t k = params->clusters, plane = (uint32_t)((window_out_pixels(w) + 7) / 8), band;

	*conv = (struct conv_plan){ .blocks = image_blocks(in, k), .band_batches = 1 };
	conv->groups = min32(min32(plane, y_slot / k), EIE_CMD_VPOOL_OUT_PLANE_MASK);
	for (;; conv->groups /= 2) {
		if (!conv->groups)
			return -E2BIG;
		band = widest_band(w, conv, plane, 1);
		if ((uint64_t)band * k <= x_slot)
			break;
	}
	conv->groups = even(plane, conv->groups);
	conv->batches = conv->bands = (plane + conv->groups - 1) / conv->groups;
	conv->chunk_blocks = min32(x_slot / (k * band), y_slot / (k * conv->groups));
	conv->chunk_blocks = min32(min32(conv->chunk_blocks, conv->blocks), EIE_CMD_VPOOL_CHANNELS_MASK / k);
	return 0;
}

void element_plan_make(const struct eie_params *params, const struct image_plan *in, uint32_t slot, struct conv_plan *conv)
{
	uint32_t k = params->clusters;

	*conv = (struct conv_plan){ .blocks = image_blocks(in, k), .band_batches = 1 };
	conv->groups = even(in->plane, min32(min32(in->plane, slot / k), EIE_CMD_VMUL_GROUPS_MASK));
	conv->batches = conv->bands = (in->plane + conv->groups - 1) / conv->groups;
	conv->chunk_blocks = even(conv->blocks, min32(min32(slot / (k * conv->groups), conv->blocks), EIE_CMD_VMUL_CHANNELS_MASK / k));
}

void conv_plan_free(struct conv_plan *conv)
{
	free(conv->tile_rows);
	free(conv->tile_base);
}
