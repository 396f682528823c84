// SPDX-License-Identifier: GPL-2.0 OR MIT
#include "cpu_conv_layout.h"
#include "cpu_fc.h"
#include "op_window.h"
#include "window.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static uint32_t phases(const struct accel_window *w)
{
	return w->stride_y * w->stride_x;
}

/* Offset of a tap (y, x) in pixels of the padded image: its phase's plane, and its place there. */
static size_t offset_of(const struct conv_layout *l, const struct accel_window *w, uint32_t pair, uint32_t y, uint32_t x)
{
	size_t phase = (size_t)(y % w->stride_y) * w->stride_x + x % w->stride_x;

	return ((size_t)pair * phases(w) + phase) * l->plane + (size_t)(y / w->stride_y) * l->width + x / w->stride_x;
}

/* ----------------------------------------------------------------- entries */

/* A place where a row has weights: its pair of channels and tap, and the two weights. */
struct item {
	uint32_t place;      /* pair * taps + tap */
	int16_t weight[2];
};

/* The row's weights by place. */
static uint32_t row_items(const struct accel_layer *layer, uint32_t row, struct item *items, uint32_t *slot)
{
	uint32_t taps = window_taps(&layer->window), n = 0;

	/* columns increase: all taps of the even channel come before those of the odd one; slot[tap] finds the even one's item */
	for (uint32_t i = layer->rowptr[row]; i < layer->rowptr[row + 1]; i++) {
		uint32_t channel = layer->col[i] / taps, tap = layer->col[i] % taps, place = channel / 2 * taps + tap;
		uint32_t at = slot[tap];

		if (at >= n || items[at].place != place) {
			at = slot[tap] = n;
			items[n++] = (struct item){ .place = place };
		}
		items[at].weight[channel % 2] = layer->codebook_q[layer->code[i]];
	}
	return n;
}

static int by_place(const void *a, const void *b)
{
	const struct item *x = a, *y = b;

	return (x->place > y->place) - (x->place < y->place);
}

struct sparse_rows {
	struct item *items;   /* of all rows, each sorted by place */
	size_t *first;        /* [rows + 1] */
};

static int collect(const struct accel_layer *layer, struct sparse_rows *all)
{
	uint32_t taps = window_taps(&layer->window);
	uint32_t *slot = calloc(taps, sizeof(*slot));
	int ret = 0;

	all->items = malloc((layer->nnz + 1) * sizeof(*all->items));
	all->first = calloc(layer->rows + (size_t)1, sizeof(*all->first));
	if (!slot || !all->items || !all->first)
		ret = -ENOMEM;
	for (uint32_t r = 0; !ret && r < layer->rows; r++) {
		struct item *items = all->items + all->first[r];
		uint32_t n = row_items(layer, r, items, slot);

		qsort(items, n, sizeof(*items), by_place);
		all->first[r + 1] = all->first[r] + n;
	}
	free(slot);
	return ret;
}

/* Merges the items of rows [row, row + n) by place. to: where entries go, or NULL to count them. */
static size_t merge(const struct conv_layout *l, const struct accel_layer *layer, const struct sparse_rows *all, uint32_t row, uint32_t n,
		    uint32_t group, int32_t *to)
{
	const struct accel_window *w = &layer->window;
	uint32_t taps = window_taps(w);
	size_t at[CONV_GROUP_MAX], count = 0;

	for (uint32_t r = 0; r < n; r++)
		at[r] = all->first[row + r];
	for (;; count++) {
		uint32_t place = UINT32_MAX, tap;

		for (uint32_t r = 0; r < n; r++)
			if (at[r] < all->first[row + r + 1] && all->items[at[r]].place < place)
				place = all->items[at[r]].place;
		if (place == UINT32_MAX)
			return count;
		tap = place % taps;
		if (to)
			*to++ = (int32_t)offset_of(l, w, place / taps, tap / w->kernel_x * w->dilate_y, tap % w->kernel_x * w->dilate_x);
		for (uint32_t r = 0; r < group; r++) {
			int16_t pair[2] = { 0, 0 };

			if (r < n && at[r] < all->first[row + r + 1] && all->items[at[r]].place == place)
				memcpy(pair, all->items[at[r]++].weight, sizeof(pair));
			if (to)
				memcpy(to++, pair, sizeof(pair));
		}
	}
}

static uint32_t rows_of(const struct accel_layer *layer, uint32_t group, uint32_t g)
{
	return layer->rows - g * group < group ? layer->rows - g * group : group;
}

static size_t count_entries(const struct conv_layout *l, const struct accel_layer *layer, const struct sparse_rows *all, uint32_t group)
{
	size_t n = 0;

	for (uint32_t g = 0; g * group < layer->rows; g++)
		n += merge(l, layer, all, g * group, rows_of(layer, group, g), group, NULL);
	return n;
}

static int make_entries(struct conv_layout *l, const struct accel_layer *layer, const struct sparse_rows *all)
{
	size_t n = count_entries(l, layer, all, l->group);

	l->ngroups = (layer->rows + l->group - 1) / l->group;
	l->first = calloc(l->ngroups + (size_t)1, sizeof(*l->first));
	l->entries = cpu_weights_alloc(n + 1, (1 + l->group) * sizeof(*l->entries));
	if (!l->first || !l->entries)
		return -ENOMEM;
	for (uint32_t g = 0; g < l->ngroups; g++)
		l->first[g + 1] = l->first[g] + merge(l, layer, all, g * l->group, rows_of(layer, l->group, g), l->group,
						      l->entries + l->first[g] * (1 + l->group));
	l->bytes += n * (1 + l->group) * sizeof(*l->entries);
	return 0;
}

/* ------------------------------------------------------------------- lines */

static int make_lines(struct conv_layout *l, const struct accel_window *w)
{
	size_t most = (size_t)l->nvectors * l->lanes / l->width + 2 + 2 * (size_t)l->nvectors, n = 0;

	l->lines = calloc(most, sizeof(*l->lines));
	l->line_first = calloc(l->nvectors + (size_t)1, sizeof(*l->line_first));
	if (!l->lines || !l->line_first)
		return -ENOMEM;
	for (uint32_t v = 0; v < l->nvectors; v++) {
		for (uint32_t lane = 0; lane < l->lanes; lane++) {
			size_t place = (size_t)v * l->lanes + lane;
			uint32_t y = (uint32_t)(place / l->width), x = (uint32_t)(place % l->width);
			int32_t to = (int32_t)((int64_t)y * w->out_width + x - lane);

			if (y >= w->out_height || x >= w->out_width)
				continue;
			if (n == l->line_first[v] || l->lines[n - 1].to != to)
				l->lines[n++] = (struct conv_line){ .to = to };
			l->lines[n - 1].mask |= 1u << lane;
		}
		l->line_first[v + 1] = (uint32_t)n;
	}
	l->bytes += most * sizeof(*l->lines);
	return 0;
}

/* ------------------------------------------------------------------ layout */

static void set_places(struct conv_layout *l, const struct accel_window *w, uint32_t lanes)
{
	uint32_t wide = (w->out_width - 1) * w->stride_x + (w->kernel_x - 1) * w->dilate_x + 1;
	uint32_t high = (w->out_height - 1) * w->stride_y + (w->kernel_y - 1) * w->dilate_y + 1;

	l->pairs = (w->channels + 1) / 2;
	l->width = (wide + w->stride_x - 1) / w->stride_x;
	l->height = (high + w->stride_y - 1) / w->stride_y;
	/* planes begin where vectors do, for the taps whose offset in a plane is 0 */
	l->plane = ((size_t)l->width * l->height + lanes - 1) / lanes * lanes;
	l->lanes = lanes;
	l->nvectors = (uint32_t)((((size_t)w->out_height - 1) * l->width + w->out_width + lanes - 1) / lanes);
	l->words = l->plane * phases(w) * l->pairs + (size_t)(CONV_TILE_MAX + 1) * lanes;
}

static void choose_group(struct conv_layout *l, const struct accel_layer *layer, const struct sparse_rows *all,
			 double (*cost)(uint32_t group, double entries, bool aligned))
{
	bool aligned = window_taps(&layer->window) == 1;
	double best = 0;

	for (uint32_t group = 1; group <= CONV_GROUP_MAX; group *= 2) {
		double c = cost(group, (double)count_entries(l, layer, all, group), aligned);

		if (group > 1 && c >= best)
			continue;
		best = c;
		l->group = group;
	}
}

int conv_layout_new(const struct accel_layer *layer, uint32_t lanes, const uint32_t tile_max[CONV_GROUP_MAX + 1],
		    double (*cost)(uint32_t group, double entries, bool aligned), struct conv_layout **layout)
{
	struct conv_layout *l = calloc(1, sizeof(*l));
	struct sparse_rows all = { 0 };
	uint32_t tasks;
	int ret = -ENOMEM;

	if (!l)
		return -ENOMEM;
	set_places(l, &layer->window, lanes);
	if (l->words > INT32_MAX) {
		free(l);
		*layout = NULL;
		return 0;
	}
	if (collect(layer, &all))
		goto out;
	choose_group(l, layer, &all, cost);
	l->ntiles = (l->nvectors + tile_max[l->group] - 1) / tile_max[l->group];
	l->tile = (l->nvectors + l->ntiles - 1) / l->ntiles;
	l->ntiles = (l->nvectors + l->tile - 1) / l->tile;
	l->live = calloc(layer->cols + (size_t)1, sizeof(*l->live));
	if (!l->live || make_entries(l, layer, &all) || make_lines(l, &layer->window))
		goto out;
	for (uint64_t i = 0; i < layer->nnz; i++)
		l->live[layer->col[i]]++;
	/* at least sixteen tasks where there are that many groups, so that no thread waits long for another */
	tasks = (16 + l->ntiles - 1) / l->ntiles;
	l->task_groups = (l->ngroups + tasks - 1) / tasks;
	ret = 0;
out:
	free(all.items);
	free(all.first);
	if (ret)
		conv_layout_free(l);
	else
		*layout = l;
	return ret;
}

void conv_layout_free(struct conv_layout *l)
{
	if (!l)
		return;
	free(l->first);
	free(l->entries);
	free(l->lines);
	free(l->line_first);
	free(l->live);
	free(l);
}

/* -------------------------------------------------------------------- copy */

/* Pixels of a tap that are not 0, of `all` in the plane; stride 1: a rectangle of the image, which the rest is taken away from. */
static uint64_t rectangle(const struct accel_window *w, const struct cpu_lines *lines, const int16_t *plane, uint64_t all, int32_t dy, int32_t dx)
{
	uint32_t y0, y1, x0, x1;

	window_range(w->out_height, 1, dy, w->height, &y0, &y1);
	window_range(w->out_width, 1, dx, w->width, &x0, &x1);
	if (y0 >= y1 || x0 >= x1)
		return 0;
	y0 = (uint32_t)((int64_t)y0 + dy);
	y1 = (uint32_t)((int64_t)y1 + dy);
	x0 = (uint32_t)((int64_t)x0 + dx);
	x1 = (uint32_t)((int64_t)x1 + dx);
	all -= lines->nonzeros(plane, y0 * w->width, 1) + lines->nonzeros(plane + (size_t)y1 * w->width, (w->height - y1) * w->width, 1);
	for (uint32_t y = y0; y < y1; y++) {
		const int16_t *line = plane + (size_t)y * w->width;

		for (uint32_t x = 0; x < x0; x++)
			all -= line[x] != 0;
		for (uint32_t x = x1; x < w->width; x++)
			all -= line[x] != 0;
	}
	return all;
}

static uint64_t tap_pixels(const struct accel_window *w, const struct cpu_lines *lines, const int16_t *plane, int32_t dy, int32_t dx)
{
	uint32_t y0, y1, x0, x1;
	uint64_t n = 0;

	window_range(w->out_height, w->stride_y, dy, w->height, &y0, &y1);
	window_range(w->out_width, w->stride_x, dx, w->width, &x0, &x1);
	for (uint32_t y = y0; y < y1 && x0 < x1; y++)
		n += lines->nonzeros(plane + ((int64_t)y * w->stride_y + dy) * w->width + (int64_t)x0 * w->stride_x + dx, x1 - x0, w->stride_x);
	return n;
}

/* Products of a channel: for each tap the pixels that it meets and that are not zero, times the weights that are there. */
static uint64_t products(const struct conv_layout *l, const struct accel_window *w, const struct cpu_lines *lines, const int16_t *plane, uint32_t channel)
{
	const uint64_t *live = l->live + (size_t)channel * window_taps(w);
	bool dense = phases(w) == 1;
	uint64_t sum = 0, all = dense ? lines->nonzeros(plane, (uint32_t)window_in_pixels(w), 1) : 0;

	for (uint32_t tap = 0; tap < window_taps(w); tap++) {
		int32_t dy = (int32_t)(tap / w->kernel_x * w->dilate_y) - (int32_t)w->pad_top;
		int32_t dx = (int32_t)(tap % w->kernel_x * w->dilate_x) - (int32_t)w->pad_left;

		if (live[tap])
			sum += live[tap] * (dense ? rectangle(w, lines, plane, all, dy, dx) : tap_pixels(w, lines, plane, dy, dx));
	}
	return sum;
}

/* A line of the padded image, of two channels; b NULL: there is no odd channel. */
static void copy_line(const struct conv_layout *l, const struct accel_window *w, const struct cpu_lines *lines, const int16_t *a, const int16_t *b,
		      int32_t *to)
{
	for (uint32_t phase = 0; phase < w->stride_x; phase++, to += l->plane) {
		/* words of the phase before its first pixel that is in the image, and that pixel */
		uint32_t skip = w->pad_left > phase ? (w->pad_left - phase + w->stride_x - 1) / w->stride_x : 0;
		uint32_t x = skip * w->stride_x + phase - w->pad_left, n;

		if (skip >= l->width || x >= w->width)
			continue;
		n = (w->width - x + w->stride_x - 1) / w->stride_x;
		n = n < l->width - skip ? n : l->width - skip;
		lines->interleave(a + x, b ? b + x : NULL, n, w->stride_x, to + skip);
	}
}

uint64_t conv_layout_copy(const struct conv_layout *l, const struct accel_layer *layer, const struct cpu_lines *lines, const int16_t *x, uint32_t pair,
			  int32_t *to)
{
	const struct accel_window *w = &layer->window;
	const int16_t *a = x + (size_t)2 * pair * window_in_pixels(w), *b = 2 * pair + 1 < w->channels ? a + window_in_pixels(w) : NULL;

	to += (size_t)pair * phases(w) * l->plane;
	memset(to, 0, phases(w) * l->plane * sizeof(*to));
	for (uint32_t y = 0; y < w->height; y++) {
		uint32_t py = y + w->pad_top;

		if (py / w->stride_y >= l->height)
			break;
		copy_line(l, w, lines, a + (size_t)y * w->width, b ? b + (size_t)y * w->width : NULL,
			  to + (size_t)(py % w->stride_y) * w->stride_x * l->plane + (size_t)(py / w->stride_y) * l->width);
	}
	return products(l, w, lines, a, 2 * pair) + (b ? products(l, w, lines, b, 2 * pair + 1) : 0);
}
