// SPDX-License-Identifier: GPL-2.0 OR MIT
#include "cpu_conv_layout.h"
#include "cpu_fc.h"
#include "window.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define BLOCK_BYTES   (32u << 10)
#define BLOCK_ENTRIES 256u   /* of a group that are worth to keep sums in memory for */

static uint32_t phases(const struct accel_window *w)
{
	return w->stride_y * w->stride_x;
}

/* Offset of a tap (y, x) in pixels of the padded image: the plane of its phase, and its place there. */
static size_t offset_of(const struct conv_layout *l, const struct accel_window *w, uint32_t y, uint32_t x)
{
	size_t phase = (size_t)(y % w->stride_y) * w->stride_x + x % w->stride_x;

	return phase * l->plane + (size_t)(y / w->stride_y) * l->pitch + x / w->stride_x;
}

/* ----------------------------------------------------------------- entries */

/* Weights of the rows of a group for the channels of a word. */
struct slot {
	int16_t weight[CONV_GROUP][4];
};

/* A column's word, and which part of it. */
struct spot {
	uint32_t place, part;
};

struct build {
	struct conv_layout *l;
	const struct accel_layer *layer;
	uint32_t taps;
	struct spot *spots;   /* [cols] */
	uint32_t *offsets;    /* [taps] words from a place to what the tap meets */
	struct slot *slots;   /* [packs * taps] of a group */
	uint8_t *sets;        /* [packs * taps] rows that have weights there */
};

static struct spot spot_of(const struct build *b, uint32_t col)
{
	const uint32_t channel = col / b->taps, tap = col % b->taps, kx = tap % b->layer->window.kernel_x;

	if (!b->l->folded || channel / 2 + 1 < b->l->packs)
		return (struct spot){ channel / b->l->each * b->taps + tap, channel % b->l->each };
	return (struct spot){ channel / 2 * b->taps + tap - kx % 2, kx % 2 };
}

/* As words of the image. */
static int32_t weights_word(const struct build *b, const int16_t weight[4])
{
	if (b->l->each == 2)
		return (int32_t)((uint32_t)(uint16_t)weight[1] << 16 | (uint16_t)weight[0]);
	return (int32_t)((uint32_t)(uint8_t)weight[3] << 24 | (uint32_t)(uint8_t)weight[2] << 16 | (uint32_t)(uint8_t)weight[1] << 8 | (uint8_t)weight[0]);
}

/* Lays the group's weights out by place. */
static void spread(struct build *b, uint32_t group)
{
	const struct accel_layer *layer = b->layer;

	for (uint32_t r = 0; r < CONV_GROUP && group * CONV_GROUP + r < layer->rows; r++) {
		uint32_t row = group * CONV_GROUP + r;

		for (uint32_t i = layer->rowptr[row]; i < layer->rowptr[row + 1]; i++) {
			const struct spot *spot = &b->spots[layer->col[i]];
			const int16_t weight = layer->codebook_q[layer->code[i]];

			/* of few steps some weights are zero */
			b->slots[spot->place].weight[r][spot->part] = weight;
			b->sets[spot->place] |= (uint8_t)(weight ? 1u << r : 0);
		}
	}
}

/* An offset, and the weights of the rows. */
static size_t words_of(uint8_t set)
{
	static const uint8_t words[CONV_SETS] = { 0, 2, 2, 3, 2, 3, 3, 4, 2, 3, 3, 4, 3, 4, 4, 5 };

	return words[set];
}

/* Entries of all groups, and their words. */
static size_t count_entries(struct build *b, size_t *words)
{
	const size_t places = (size_t)b->l->packs * b->taps;
	size_t entries = 0;

	*words = 0;
	for (uint32_t g = 0; g < b->l->ngroups; g++) {
		spread(b, g);
		for (size_t p = 0; p < places; p++) {
			entries += b->sets[p] != 0;
			*words += words_of(b->sets[p]);
		}
		memset(b->sets, 0, places);
	}
	memset(b->slots, 0, places * sizeof(*b->slots));
	return entries;
}

/* Entries of places [first, end), which are cleared, from `to` on; ends: of each set. Returns their words. */
static size_t put_entries(struct build *b, size_t first, size_t end, int32_t *to, uint32_t ends[CONV_SETS])
{
	uint32_t at[CONV_SETS] = { 0 };
	size_t word = first / b->taps * b->l->pack;
	uint32_t tap = 0;

	for (size_t p = first; p < end; p++)
		at[b->sets[p]] += (uint32_t)words_of(b->sets[p]);
	for (uint32_t s = 0, sum = 0; s < CONV_SETS; s++) {
		sum += at[s];
		ends[s] = sum;
		at[s] = sum - at[s];
	}
	/* places of a pack of channels are neighbours */
	for (size_t p = first; p < end; p++, tap++) {
		const uint32_t set = b->sets[p];
		int32_t *entry = to + at[set];

		if (tap == b->taps) {
			tap = 0;
			word += b->l->pack;
		}
		if (!set)
			continue;
		*entry++ = (int32_t)(word + b->offsets[tap]);
		for (uint32_t r = 0; r < CONV_GROUP; r++)
			if (set >> r & 1)
				*entry++ = weights_word(b, b->slots[p].weight[r]);
		at[set] += (uint32_t)words_of((uint8_t)set);
		b->slots[p] = (struct slot){ 0 };
		b->sets[p] = 0;
	}
	return ends[CONV_SETS - 1];
}

static int make_entries(struct build *b, size_t words)
{
	struct conv_layout *l = b->l;
	const size_t pieces = (size_t)l->ngroups * l->nblocks;
	size_t at = 0;

	l->first = malloc(pieces * sizeof(*l->first));
	l->ends = malloc(pieces * sizeof(*l->ends));
	l->entries = cpu_weights_alloc(words + 1, sizeof(*l->entries));
	if (!l->first || !l->ends || !l->entries)
		return -ENOMEM;
	for (uint32_t g = 0; g < l->ngroups; g++) {
		spread(b, g);
		for (uint32_t i = 0; i < l->nblocks; i++) {
			uint32_t first = i * l->block_packs, end = i + 1 < l->nblocks ? first + l->block_packs : l->packs;
			size_t piece = (size_t)g * l->nblocks + i;

			l->first[piece] = at;
			at += put_entries(b, (size_t)first * b->taps, (size_t)end * b->taps, l->entries + at, l->ends[piece]);
		}
	}
	l->bytes += pieces * (sizeof(*l->first) + sizeof(*l->ends)) + words * sizeof(*l->entries);
	return 0;
}

static int make_bias(struct build *b)
{
	const struct accel_layer *layer = b->layer;
	const size_t rows = (size_t)b->l->ngroups * CONV_GROUP;

	b->l->bias = calloc(rows, sizeof(*b->l->bias));
	if (!b->l->bias)
		return -ENOMEM;
	b->l->bytes += rows * sizeof(*b->l->bias);
	for (uint32_t r = 0; r < layer->rows; r++) {
		uint32_t bias = (uint32_t)layer->bias_q[r];   /* it wraps */

		for (uint32_t i = layer->rowptr[r]; i < layer->rowptr[r + 1]; i++)
			bias -= (uint32_t)(b->l->zero * layer->codebook_q[layer->code[i]]);
		b->l->bias[r] = (int32_t)bias;
	}
	return 0;
}

static int make_mults(struct build *b)
{
	const struct accel_layer *layer = b->layer;
	const size_t rows = (size_t)b->l->ngroups * CONV_GROUP;

	b->l->mults = calloc(rows, sizeof(*b->l->mults));
	if (!b->l->mults)
		return -ENOMEM;
	for (uint32_t r = 0; r < layer->rows; r++) {
		if (accel_requant_upper(layer->mult[r], layer->shift[r], &b->l->mults[r]))
			continue;
		free(b->l->mults);
		b->l->mults = NULL;
		return 0;
	}
	b->l->bytes += rows * sizeof(*b->l->mults);
	return 0;
}

static int count_live(struct build *b)
{
	struct conv_layout *l = b->l;
	size_t places = (size_t)l->packs * b->taps;

	if (l->each != 2)
		return 0;
	l->live = calloc(places, sizeof(*l->live));
	if (!l->live)
		return -ENOMEM;
	for (uint64_t i = 0; i < b->layer->nnz; i++) {
		const struct spot *spot = &b->spots[b->layer->col[i]];

		l->live[spot->place][spot->part]++;
	}
	l->bytes += places * sizeof(*l->live);
	return 0;
}

/* ------------------------------------------------------------------- lines */

/* Lanes outside the mask that fall on no pixel and stay within the plane. */
static bool zeros_fit(const struct conv_layout *l, const struct accel_window *w, const struct cpu_image *out, const struct conv_line *line)
{
	if (!out->packed)
		return false;
	for (uint32_t lane = 0; lane < l->lanes; lane++) {
		int64_t at = (int64_t)line->to + lane, from = at - (int64_t)out->first;

		if (line->mask >> lane & 1)
			continue;
		if (at < 0 || at >= (int64_t)out->plane)
			return false;
		if (from >= 0 && from / out->pitch < w->out_height && from % out->pitch < w->out_width)
			return false;
	}
	return true;
}

static int make_lines(struct conv_layout *l, const struct accel_window *w, const struct cpu_image *out)
{
	size_t most = (size_t)l->nvectors * l->lanes / l->pitch + 2 + 2 * (size_t)l->nvectors, n = 0;
	uint32_t pitch = out->packed ? out->pitch : w->out_width;

	l->packed = out->packed;
	l->to_each = out->each;
	l->to_zero = out->zero;
	l->to_plane = out->packed ? out->plane : (size_t)w->out_height * w->out_width;
	l->lines = calloc(most, sizeof(*l->lines));
	l->line_first = calloc(l->nvectors + (size_t)1, sizeof(*l->line_first));
	if (!l->lines || !l->line_first)
		return -ENOMEM;
	for (uint32_t v = 0; v < l->nvectors; v++) {
		for (uint32_t lane = 0; lane < l->lanes; lane++) {
			size_t place = (size_t)v * l->lanes + lane;
			uint32_t y = (uint32_t)(place / l->pitch), x = (uint32_t)(place % l->pitch);
			int32_t to = (int32_t)((int64_t)y * pitch + x - lane + (int64_t)(out->packed ? out->first : 0));

			if (y >= w->out_height || x >= w->out_width)
				continue;
			if (n == l->line_first[v] || l->lines[n - 1].to != to)
				l->lines[n++] = (struct conv_line){ .to = to };
			l->lines[n - 1].mask |= 1u << lane;
		}
		l->line_first[v + 1] = (uint32_t)n;
	}
	l->even = out->packed && n == l->nvectors;
	for (size_t i = 0; i < n; i++) {
		l->lines[i].zeros = zeros_fit(l, w, out, &l->lines[i]);
		l->even = l->even && l->lines[i].zeros && l->line_first[i] == i && l->lines[i].to == l->lines[0].to + (int32_t)(i * l->lanes);
	}
	l->bytes += most * sizeof(*l->lines);
	return 0;
}

/* ------------------------------------------------------------------ layout */

uint32_t conv_layout_copy_pitch(const struct accel_window *w)
{
	return ((w->out_width - 1) * w->stride_x + (w->kernel_x - 1) * w->dilate_x + w->stride_x) / w->stride_x;
}

/* Of the copy's planes. */
static uint32_t copy_height(const struct accel_window *w)
{
	return ((w->out_height - 1) * w->stride_y + (w->kernel_y - 1) * w->dilate_y + w->stride_y) / w->stride_y;
}

uint64_t conv_layout_words(const struct accel_window *w)
{
	return ((uint64_t)conv_layout_copy_pitch(w) * copy_height(w) + 64) * phases(w) * cpu_packs(w->channels, 2) + 1024;
}

static void set_places(struct conv_layout *l, const struct accel_window *w, const struct cpu_image *in, uint32_t lanes)
{
	l->each = in->each;
	l->zero = in->zero;
	l->packs = cpu_packs(w->channels, l->each);
	l->direct = in->packed && phases(w) == 1;
	l->folded = !in->packed && l->each == 2 && w->channels % 2 && w->kernel_x > 1;
	if (l->direct) {
		l->pitch = in->pitch;
		l->height = w->out_height + (w->kernel_y - 1) * w->dilate_y;
		l->origin = in->first - (size_t)w->pad_top * in->pitch - w->pad_left;
		l->plane = l->pack = in->plane;
	} else {
		l->pitch = conv_layout_copy_pitch(w);
		l->height = copy_height(w);
		/* planes begin where vectors do */
		l->plane = ((size_t)l->pitch * l->height + lanes - 1) / lanes * lanes;
		l->pack = l->plane * phases(w);
		l->words = l->pack * l->packs + (size_t)(CONV_TILE_MAX + 1) * lanes;
	}
	l->lanes = lanes;
	l->nvectors = (uint32_t)((((size_t)w->out_height - 1) * l->pitch + w->out_width + lanes - 1) / lanes);
}

/* Packs of a block: what the windows of a tile read of them fits a first-level cache, unless groups have too few entries then to be begun anew each time. */
static void set_blocks(struct conv_layout *l, const struct accel_window *w, size_t entries)
{
	size_t most = entries / ((size_t)l->ngroups * BLOCK_ENTRIES) + 1;
	size_t tile = (size_t)l->tile * l->lanes, around = (size_t)((w->kernel_y - 1) * w->dilate_y / w->stride_y) * l->pitch;
	size_t words = (tile + around < l->plane ? tile + around : l->plane) * phases(w);
	size_t packs = BLOCK_BYTES / sizeof(int32_t) / words;

	packs = packs < 1 ? 1 : packs;
	l->nblocks = (uint32_t)((l->packs + packs - 1) / packs);
	l->nblocks = l->nblocks < most ? l->nblocks : (uint32_t)most;
	l->block_packs = (l->packs + l->nblocks - 1) / l->nblocks;
	l->nblocks = (l->packs + l->block_packs - 1) / l->block_packs;
}

/* At least sixteen tasks where there are that many groups, so that no thread waits long for another; sums of a task between blocks have little room. */
static void set_tasks(struct conv_layout *l)
{
	uint32_t tasks = (16 + l->ntiles - 1) / l->ntiles, most = CONV_PARTIAL / (uint32_t)(CONV_GROUP * l->tile * l->lanes * sizeof(int32_t));

	l->ngroups = l->ngroups ? l->ngroups : 1;
	l->task_groups = (l->ngroups + tasks - 1) / tasks;
	if (l->nblocks > 1 && l->task_groups > most)
		l->task_groups = most;
}

int conv_layout_new(const struct accel_layer *layer, const struct cpu_image *in, const struct cpu_image *out, uint32_t lanes, uint32_t tile_max,
		    struct conv_layout **layout)
{
	const struct accel_window *w = &layer->window;
	struct conv_layout *l = calloc(1, sizeof(*l));
	struct build b = { .l = l, .layer = layer, .taps = window_taps(w) };
	size_t places, words;
	int ret = -ENOMEM;

	*layout = NULL;
	if (!l || conv_layout_words(w) > INT32_MAX) {
		free(l);
		return l ? 0 : -ENOMEM;
	}
	set_places(l, w, in, lanes);
	places = (size_t)l->packs * b.taps;
	b.spots = malloc(layer->cols * sizeof(*b.spots));
	b.offsets = malloc(b.taps * sizeof(*b.offsets));
	b.slots = calloc(places, sizeof(*b.slots));
	b.sets = calloc(places, sizeof(*b.sets));
	if (!b.spots || !b.offsets || !b.slots || !b.sets)
		goto out;
	for (uint32_t c = 0; c < layer->cols; c++)
		b.spots[c] = spot_of(&b, c);
	for (uint32_t t = 0; t < b.taps; t++)
		b.offsets[t] = (uint32_t)offset_of(l, w, t / w->kernel_x * w->dilate_y, t % w->kernel_x * w->dilate_x);
	l->ngroups = (layer->rows + CONV_GROUP - 1) / CONV_GROUP;
	l->ntiles = (l->nvectors + tile_max - 1) / tile_max;
	l->tile = (l->nvectors + l->ntiles - 1) / l->ntiles;
	l->ntiles = (l->nvectors + l->tile - 1) / l->tile;
	set_blocks(l, w, count_entries(&b, &words));
	set_tasks(l);
	if (!make_entries(&b, words) && !make_bias(&b) && !make_mults(&b) && !count_live(&b) && !make_lines(l, w, out))
		ret = 0;
out:
	free(b.spots);
	free(b.offsets);
	free(b.slots);
	free(b.sets);
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
	free(l->ends);
	free(l->entries);
	free(l->bias);
	free(l->mults);
	free(l->lines);
	free(l->line_first);
	free(l->live);
	free(l);
}

/* -------------------------------------------------------------------- copy */

/* A line of the image; x counts its pixels, those in the padding have negative numbers, or more than there are. */
struct source {
	const int16_t *channels[4];  /* plain: of the channels of a word, or NULL; or of one, and of it again `shift` pixels to the right */
	const int32_t *words;        /* packed */
	uint32_t width, shift, each;
	uint8_t zero;
};

/* A pixel that is not in the line, but the second one of a word may be. */
static int32_t word_beside(const struct source *s, int64_t x)
{
	int64_t odd_x = x + s->shift;
	uint16_t even = s->each == 2 && !s->words && x >= 0 && x < s->width ? (uint16_t)s->channels[0][x] : 0;
	uint16_t odd = s->each == 2 && s->channels[1] && odd_x >= 0 && odd_x < s->width ? (uint16_t)s->channels[1][odd_x] : 0;

	return s->each == 2 ? (int32_t)((uint32_t)odd << 16 | even) : cpu_zeros(s->zero);
}

/* n words of every stride-th pixel from x on, which all lie in the line. */
static void copy_inside(const struct source *s, const struct cpu_lines *lines, int64_t x, uint32_t stride, uint32_t n, int32_t *to)
{
	const int16_t *channels[4];

	if (s->words) {
		lines->pick(s->words + x, n, stride, to);
		return;
	}
	for (uint32_t c = 0; c < s->each; c++)
		channels[c] = s->channels[c] ? s->channels[c] + x + (c ? s->shift : 0) : NULL;
	if (s->each == 2)
		lines->interleave(channels[0], channels[1], n, stride, to);
	else
		lines->quads(channels, s->zero, n, stride, to);
}

/* n words of every stride-th pixel from x on, which may lie in the padding. */
static void copy_plane_line(const struct source *s, const struct cpu_lines *lines, int64_t x, uint32_t stride, uint32_t n, int32_t *to)
{
	uint32_t i = 0, skip;

	/* before the line; of a channel that is paired with itself the odd half begins earlier */
	skip = x < 0 ? (uint32_t)((-x + stride - 1) / stride) : 0;
	skip = skip < n ? skip : n;
	for (; i < skip; i++, x += stride)
		to[i] = word_beside(s, x);
	if (i < n && x + s->shift < s->width) {
		uint32_t inside = (uint32_t)((s->width - s->shift - x + stride - 1) / stride);

		inside = inside < n - i ? inside : n - i;
		copy_inside(s, lines, x, stride, inside, to + i);
		i += inside;
		x += (int64_t)inside * stride;
	}
	for (; i < n; i++, x += stride)
		to[i] = word_beside(s, x);
}

void conv_layout_copy(const struct conv_layout *l, const struct accel_layer *layer, const struct cpu_image *in, const struct cpu_lines *lines,
		      const int16_t *x, uint32_t pack, int32_t *to)
{
	const struct accel_window *w = &layer->window;
	const bool folded = l->folded && pack + 1 == l->packs;

	to += pack * l->pack;
	for (uint32_t phase = 0; phase < phases(w); phase++, to += l->plane) {
		for (uint32_t y = 0; y < l->height; y++) {
			int64_t iy = (int64_t)y * w->stride_y + phase / w->stride_x - w->pad_top;
			struct source s = { .width = w->width, .shift = folded ? w->dilate_x : 0, .each = l->each, .zero = l->zero };

			if (iy < 0 || iy >= w->height) {
				memset(to + (size_t)y * l->pitch, l->zero, l->pitch * sizeof(*to));
				continue;
			}
			if (in->packed) {
				s.words = (const int32_t *)x + pack * in->plane + in->first + (size_t)iy * in->pitch;
			} else {
				for (uint32_t c = 0; c < l->each && pack * l->each + c < w->channels; c++)
					s.channels[c] = x + ((size_t)(pack * l->each + c) * w->height + (size_t)iy) * w->width;
				s.channels[1] = folded ? s.channels[0] : s.channels[1];
			}
			copy_plane_line(&s, lines, (int64_t)(phase % w->stride_x) - w->pad_left, w->stride_x, l->pitch, to + (size_t)y * l->pitch);
		}
	}
}

/* ---------------------------------------------------------------- products */

struct halves {
	uint64_t n[2];
};

static void take(struct halves *h, int32_t word)
{
	h->n[0] -= (word & 0xffff) != 0;
	h->n[1] -= (uint32_t)word >> 16 != 0;
}

static void take_lines(struct halves *h, const struct cpu_lines *lines, const int32_t *words, size_t n)
{
	struct halves some = { { 0, 0 } };

	lines->nonzeros(words, n, some.n);
	h->n[0] -= some.n[0];
	h->n[1] -= some.n[1];
}

/* What a tap `left` words into the lines does not meet of n lines from `line` on. */
static struct halves beside(const struct conv_layout *l, const struct accel_window *w, const int32_t *line, uint32_t n, uint32_t left)
{
	struct halves sum = { { 0, 0 } };

	for (uint32_t y = 0; y < n; y++, line += l->pitch) {
		for (uint32_t x = 0; x < left; x++)
			take(&sum, line[x]);
		for (uint32_t x = left + w->out_width; x < l->pitch; x++)
			take(&sum, line[x]);
	}
	return sum;
}

/*
 * Of all words of the plane that are not zero those that a tap meets: a rectangle, which the rest is taken away from. sides: what lies beside it in all lines
 * of the plane; those above and below are gone as a whole.
 */
static struct halves rectangle(const struct conv_layout *l, const struct accel_window *w, const struct cpu_lines *lines, const int32_t *plane,
			       const struct halves *all, const struct halves *sides, uint32_t top, uint32_t left)
{
	const uint32_t bottom = top + w->out_height, below = bottom < l->height ? l->height - bottom : 0;
	const struct halves above_sides = beside(l, w, plane, top, left), below_sides = beside(l, w, plane + (size_t)bottom * l->pitch, below, left);
	struct halves some = *all;

	take_lines(&some, lines, plane, (size_t)top * l->pitch);
	take_lines(&some, lines, plane + (size_t)bottom * l->pitch, (size_t)below * l->pitch);
	/* what is taken has negative counts */
	for (unsigned int h = 0; h < 2; h++)
		some.n[h] += sides->n[h] - above_sides.n[h] - below_sides.n[h];
	return some;
}

/* Taps of a column of the window that fall on the phase; *all is counted if it was not. */
static uint64_t column_products(const struct conv_layout *l, const struct accel_window *w, const struct cpu_lines *lines, const int32_t *plane, uint32_t phase,
				uint32_t kx, const uint32_t (*live)[2], struct halves *all, bool *counted)
{
	const uint32_t x = kx * w->dilate_x;
	struct halves sides = { { 0, 0 } };
	bool has_sides = false;
	uint64_t sum = 0;

	for (uint32_t ky = 0; ky < w->kernel_y && x % w->stride_x == phase % w->stride_x; ky++) {
		const uint32_t *rows = live[ky * w->kernel_x + kx], y = ky * w->dilate_y;
		struct halves some;

		if (!(rows[0] | rows[1]) || y % w->stride_y != phase / w->stride_x)
			continue;
		if (!*counted)
			lines->nonzeros(plane, (size_t)l->height * l->pitch, all->n);
		*counted = true;
		if (!has_sides)
			sides = beside(l, w, plane, l->height, x / w->stride_x);
		has_sides = true;
		some = rectangle(l, w, lines, plane, all, &sides, y / w->stride_y, x / w->stride_x);
		sum += rows[0] * some.n[0] + rows[1] * some.n[1];
	}
	return sum;
}

uint64_t conv_layout_products(const struct conv_layout *l, const struct accel_layer *layer, const struct cpu_lines *lines, const int32_t *words, uint32_t pack)
{
	const struct accel_window *w = &layer->window;
	const uint32_t (*live)[2] = (const uint32_t (*)[2])l->live + (size_t)pack * window_taps(w);
	uint64_t sum = 0;

	words += pack * l->pack;
	for (uint32_t phase = 0; phase < phases(w); phase++, words += l->plane) {
		struct halves all = { { 0, 0 } };
		bool counted = false;

		for (uint32_t kx = 0; kx < w->kernel_x; kx++)
			sum += column_products(l, w, lines, words, phase, kx, live, &all, &counted);
	}
	return sum;
}
