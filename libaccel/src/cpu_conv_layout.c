// SPDX-License-Identifier: GPL-2.0 OR MIT
#include "cpu_conv_layout.h"
#include "cpu_fc.h"
#include "op_window.h"
#include "window.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define BLOCK_BYTES   (32u << 10)
#define BLOCK_ENTRIES 32u

static uint32_t phases(const struct accel_window *w)
{
	return w->stride_y * w->stride_x;
}

/* Words of a pair of channels. */
static size_t pair_words(const struct conv_layout *l, const struct accel_window *w)
{
	return (size_t)phases(w) * l->shifts * l->plane;
}

/* Offset of a tap (y, x) in pixels of the padded image: the plane of its phase and shift, and its place there. */
static size_t offset_of(const struct conv_layout *l, const struct accel_window *w, uint32_t pair, uint32_t y, uint32_t x)
{
	size_t phase = (size_t)(y % w->stride_y) * w->stride_x + x % w->stride_x;
	uint32_t along = x / w->stride_x, shift = l->shifts > 1 ? along : 0;

	return pair * pair_words(l, w) + (phase * l->shifts + shift) * l->plane + (size_t)(y / w->stride_y) * l->width + along - shift;
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

/* Merges the items of rows [row, row + n) by place. to: where entries go, or NULL to count them; first [nblocks]: entries before each block's. */
static size_t merge(const struct conv_layout *l, const struct accel_layer *layer, const struct sparse_rows *all, uint32_t row, uint32_t n,
		    uint32_t group, int32_t *to, size_t *first)
{
	uint32_t block = 0;
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
		for (; to && block < l->nblocks && (place == UINT32_MAX || place / taps >= block * l->block_pairs); block++)
			first[block] = count;
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
		n += merge(l, layer, all, g * group, rows_of(layer, group, g), group, NULL, NULL);
	return n;
}

static int make_entries(struct conv_layout *l, const struct accel_layer *layer, const struct sparse_rows *all)
{
	size_t n = count_entries(l, layer, all, l->group);

	l->first = calloc((size_t)l->ngroups * l->nblocks + 1, sizeof(*l->first));
	l->entries = cpu_weights_alloc(n + 1, (1 + l->group) * sizeof(*l->entries));
	if (!l->first || !l->entries)
		return -ENOMEM;
	n = 0;
	for (uint32_t g = 0; g < l->ngroups; g++) {
		size_t *first = l->first + (size_t)g * l->nblocks, before = n;

		n += merge(l, layer, all, g * l->group, rows_of(layer, l->group, g), l->group, l->entries + n * (1 + l->group), first);
		for (uint32_t b = 0; b < l->nblocks; b++)
			first[b] += before;
	}
	l->first[(size_t)l->ngroups * l->nblocks] = n;
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

/* Shifts that the taps of a window ask for. */
static uint32_t shifts(const struct accel_window *w)
{
	return (w->kernel_x - 1) * w->dilate_x / w->stride_x + 1;
}

static void set_places(struct conv_layout *l, const struct accel_window *w, uint32_t lanes, bool shifted)
{
	uint32_t wide = (w->out_width - 1) * w->stride_x + (w->kernel_x - 1) * w->dilate_x + 1;
	uint32_t high = (w->out_height - 1) * w->stride_y + (w->kernel_y - 1) * w->dilate_y + 1;

	l->pairs = (w->channels + 1) / 2;
	l->shifts = shifted ? shifts(w) : 1;
	l->width = shifted ? (w->out_width + lanes - 1) / lanes * lanes : (wide + w->stride_x - 1) / w->stride_x;
	l->height = (high + w->stride_y - 1) / w->stride_y;
	/* planes begin where vectors do, for the taps whose offset in a plane is 0 */
	l->plane = ((size_t)l->width * l->height + lanes - 1) / lanes * lanes;
	l->whole = !shifted && phases(w) == 1 && l->width == w->width && l->height == w->height && !w->pad_left && !w->pad_top;
	l->lanes = lanes;
	l->nvectors = (uint32_t)((((size_t)w->out_height - 1) * l->width + w->out_width + lanes - 1) / lanes);
	l->words = pair_words(l, w) * l->pairs + (size_t)(CONV_TILE_MAX + 1) * lanes;
}

typedef double cost_fn(uint32_t group, double entries, bool aligned);

/* Cycles of the copy, roughly. */
static double copy_cost(const struct conv_layout *l, const struct accel_window *w)
{
	return (double)l->pairs * phases(w) * (double)l->plane * (1.2 + 0.6 * (l->shifts - 1));
}

static void choose(struct conv_layout *l, const struct accel_layer *layer, uint32_t lanes, const struct sparse_rows *all, cost_fn *cost)
{
	const struct accel_window *w = &layer->window;
	double best = 0;
	uint32_t group = 1;
	bool shifted = false;

	for (uint32_t g = 1; g <= CONV_GROUP_MAX; g *= 2) {
		double entries = (double)count_entries(l, layer, all, g);

		for (unsigned int s = 0; s < (shifts(w) > 1 ? 2 : 1); s++) {
			double c;

			set_places(l, w, lanes, s);
			if (s && l->words > INT32_MAX)
				continue;
			c = cost(g, entries, s || window_taps(w) == 1) * l->nvectors + copy_cost(l, w);
			if (g > 1 || s ? c >= best : false)
				continue;
			best = c;
			group = g;
			shifted = s;
		}
	}
	set_places(l, w, lanes, shifted);
	l->group = group;
}

/* Pairs of a block: what the windows of a tile read of them fits a first-level cache, unless rows have too few entries then to be begun anew each time. */
static void set_blocks(struct conv_layout *l, const struct accel_window *w, size_t entries)
{
	size_t most = entries / ((size_t)l->ngroups * BLOCK_ENTRIES) + 1;
	size_t tile = (size_t)l->tile * l->lanes, around = (size_t)((w->kernel_y - 1) * w->dilate_y / w->stride_y) * l->width;
	size_t words = (tile + around < l->plane ? tile + around : l->plane) * phases(w) * l->shifts;
	size_t pairs = BLOCK_BYTES / sizeof(int32_t) / words;

	pairs = pairs < 1 ? 1 : pairs;
	l->nblocks = (uint32_t)((l->pairs + pairs - 1) / pairs);
	l->nblocks = l->nblocks < most ? l->nblocks : (uint32_t)most;
	l->block_pairs = (l->pairs + l->nblocks - 1) / l->nblocks;
	l->nblocks = (l->pairs + l->block_pairs - 1) / l->block_pairs;
}

/* At least sixteen tasks where there are that many groups, so that no thread waits long for another; sums of a task between blocks have little room. */
static void set_tasks(struct conv_layout *l)
{
	uint32_t tasks = (16 + l->ntiles - 1) / l->ntiles, most = CONV_PARTIAL / (uint32_t)(l->group * l->tile * l->lanes * sizeof(int32_t));

	l->task_groups = (l->ngroups + tasks - 1) / tasks;
	if (l->nblocks > 1 && l->task_groups > most)
		l->task_groups = most;
}

int conv_layout_new(const struct accel_layer *layer, uint32_t lanes, const uint32_t tile_max[CONV_GROUP_MAX + 1], cost_fn *cost,
		    struct conv_layout **layout)
{
	struct conv_layout *l = calloc(1, sizeof(*l));
	struct sparse_rows all = { 0 };
	int ret = -ENOMEM;

	if (!l)
		return -ENOMEM;
	set_places(l, &layer->window, lanes, false);
	if (l->words > INT32_MAX) {
		free(l);
		*layout = NULL;
		return 0;
	}
	if (collect(layer, &all))
		goto out;
	choose(l, layer, lanes, &all, cost);
	l->ngroups = (layer->rows + l->group - 1) / l->group;
	l->ntiles = (l->nvectors + tile_max[l->group] - 1) / tile_max[l->group];
	l->tile = (l->nvectors + l->ntiles - 1) / l->ntiles;
	l->ntiles = (l->nvectors + l->tile - 1) / l->tile;
	set_blocks(l, &layer->window, count_entries(l, layer, &all, l->group));
	set_tasks(l);
	l->live = calloc(layer->cols + (size_t)1, sizeof(*l->live));
	if (phases(&layer->window) > 1)
		l->counts = calloc((size_t)l->pairs * layer->window.height, layer->window.stride_x * sizeof(*l->counts));
	if (!l->live || (phases(&layer->window) > 1 && !l->counts) || make_entries(l, layer, &all) || make_lines(l, &layer->window))
		goto out;
	for (uint64_t i = 0; i < layer->nnz; i++)
		l->live[layer->col[i]]++;
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
	free(l->counts);
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

/* Pixels that are not 0 of a line, by phase: line_counts[line * stride_x + phase]. */
static void count_lines(const struct accel_window *w, const struct cpu_lines *lines, const int16_t *plane, uint32_t *counts)
{
	for (uint32_t y = 0; y < w->height; y++, plane += w->width)
		for (uint32_t phase = 0; phase < w->stride_x; phase++)
			*counts++ = phase < w->width ? lines->nonzeros(plane + phase, (w->width - phase + w->stride_x - 1) / w->stride_x, w->stride_x) : 0;
}

/* Pixels of a tap that are not 0: of its phase on each of its lines, without those beside its first and its last. */
static uint64_t tap_pixels(const struct accel_window *w, const uint32_t *counts, const int16_t *plane, int32_t dy, int32_t dx)
{
	uint32_t y0, y1, x0, x1, first, phase, end;
	uint64_t n = 0;

	window_range(w->out_height, w->stride_y, dy, w->height, &y0, &y1);
	window_range(w->out_width, w->stride_x, dx, w->width, &x0, &x1);
	if (x0 >= x1)
		return 0;
	first = (uint32_t)((int64_t)x0 * w->stride_x + dx);
	end = first + (x1 - x0) * w->stride_x;
	phase = first % w->stride_x;
	for (uint32_t y = y0; y < y1; y++) {
		size_t at = (size_t)((int64_t)y * w->stride_y + dy);
		const int16_t *line = plane + at * w->width;

		n += counts[at * w->stride_x + phase];
		for (uint32_t x = phase; x < first; x += w->stride_x)
			n -= line[x] != 0;
		for (uint32_t x = end; x < w->width; x += w->stride_x)
			n -= line[x] != 0;
	}
	return n;
}

/* Products of a channel: for each tap the pixels that it meets and that are not zero, times the weights that are there. */
static uint64_t products(const struct conv_layout *l, const struct accel_window *w, const struct cpu_lines *lines, const int16_t *plane, uint32_t channel,
			 uint32_t *counts)
{
	const uint64_t *live = l->live + (size_t)channel * window_taps(w);
	bool dense = phases(w) == 1;
	uint64_t sum = 0, all = dense ? lines->nonzeros(plane, (uint32_t)window_in_pixels(w), 1) : 0;

	if (!dense)
		count_lines(w, lines, plane, counts);

	for (uint32_t tap = 0; tap < window_taps(w); tap++) {
		int32_t dy = (int32_t)(tap / w->kernel_x * w->dilate_y) - (int32_t)w->pad_top;
		int32_t dx = (int32_t)(tap % w->kernel_x * w->dilate_x) - (int32_t)w->pad_left;

		if (live[tap])
			sum += live[tap] * (dense ? rectangle(w, lines, plane, all, dy, dx) : tap_pixels(w, counts, plane, dy, dx));
	}
	return sum;
}

/* A line of the padded image, of two channels, beginning with the pixel `from` of it; b NULL: there is no odd channel. */
static void copy_plane_line(const struct conv_layout *l, const struct accel_window *w, const struct cpu_lines *lines, const int16_t *a, const int16_t *b,
			    uint32_t from, int32_t *to)
{
	/* words before the first pixel that is in the image, and that pixel */
	uint32_t skip = w->pad_left > from ? (w->pad_left - from + w->stride_x - 1) / w->stride_x : 0;
	uint32_t x = skip * w->stride_x + from - w->pad_left, n;

	if (skip >= l->width || x >= w->width)
		return;
	n = (w->width - x + w->stride_x - 1) / w->stride_x;
	n = n < l->width - skip ? n : l->width - skip;
	lines->interleave(a + x, b ? b + x : NULL, n, w->stride_x, to + skip);
}

static void copy_line(const struct conv_layout *l, const struct accel_window *w, const struct cpu_lines *lines, const int16_t *a, const int16_t *b,
		      int32_t *to)
{
	for (uint32_t phase = 0; phase < w->stride_x; phase++)
		for (uint32_t shift = 0; shift < l->shifts; shift++, to += l->plane)
			copy_plane_line(l, w, lines, a, b, shift * w->stride_x + phase, to);
}

uint64_t conv_layout_copy(const struct conv_layout *l, const struct accel_layer *layer, const struct cpu_lines *lines, const int16_t *x, uint32_t pair,
			  int32_t *to)
{
	const struct accel_window *w = &layer->window;
	const int16_t *a = x + (size_t)2 * pair * window_in_pixels(w), *b = 2 * pair + 1 < w->channels ? a + window_in_pixels(w) : NULL;
	uint32_t *counts = l->counts ? l->counts + (size_t)pair * w->height * w->stride_x : NULL;

	to += pair * pair_words(l, w);
	if (l->whole) {
		lines->interleave(a, b, (uint32_t)window_in_pixels(w), 1, to);
		return products(l, w, lines, a, 2 * pair, counts) + (b ? products(l, w, lines, b, 2 * pair + 1, counts) : 0);
	}
	memset(to, 0, pair_words(l, w) * sizeof(*to));
	for (uint32_t y = 0; y < w->height; y++) {
		uint32_t py = y + w->pad_top;

		if (py / w->stride_y >= l->height)
			break;
		copy_line(l, w, lines, a + (size_t)y * w->width, b ? b + (size_t)y * w->width : NULL,
			  to + (size_t)(py % w->stride_y) * w->stride_x * l->shifts * l->plane + (size_t)(py / w->stride_y) * l->width);
	}
	return products(l, w, lines, a, 2 * pair, counts) + (b ? products(l, w, lines, b, 2 * pair + 1, counts) : 0);
}
