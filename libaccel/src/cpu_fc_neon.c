// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * NEON (AArch64, little-endian): slices of eight rows, one weight a row and step, a window of 32 activations in four registers, out of which tbl takes
 * each slot's two bytes. A step is eight halfwords: 4-bit codes: offset in bits 0-4, code in bits 8-11, whose weight tbl takes out of two more registers;
 * 8-bit codes: offsets, and eight halfwords of weights behind them.
 */
#include "cpu_fc.h"
#include "cpu_sell.h"

#if defined(__aarch64__) && defined(__AARCH64EL__)

#include <arm_neon.h>
#include <errno.h>
#include <stdlib.h>

#define ROWS    8u
#define SEGMENT 256u   /* rows that are sorted by length among themselves */
#define TASKS   16u

struct slice {
	uint32_t row[ROWS];   /* of the layer; UINT32_MAX: none */
	size_t first, last;   /* steps */
};

struct weights {
	uint32_t nslices, per_task;
	bool wide;             /* 8-bit codes */
	struct slice *slices;
	uint8_t *advance;      /* [steps] */
	uint16_t *words;       /* [steps][wide ? 16 : 8] */
	int16_t codebook[16];
};

static const struct sell_shape shape = { .rows = ROWS, .each = 1, .window = 32, .align = 1, .multiple = 1 };

static bool usable(void)
{
	return true;   /* part of AArch64 */
}

static void release(void *weights)
{
	struct weights *w = weights;

	if (!w)
		return;
	free(w->slices);
	free(w->advance);
	free(w->words);
	free(w);
}

static int cut(struct weights *w, const struct accel_layer *layer, struct sell_slice *all)
{
	uint32_t order[SEGMENT];

	for (uint32_t s = 0; s < w->nslices; s++) {
		struct slice *slice = &w->slices[s];
		uint32_t row = s * ROWS, left = layer->rows - row, n = left < ROWS ? left : ROWS;

		if (row % SEGMENT == 0)
			sell_sort(layer, row, left < SEGMENT ? left : SEGMENT, order);
		for (uint32_t i = 0; i < ROWS; i++)
			slice->row[i] = i < n ? order[row % SEGMENT + i] : UINT32_MAX;
		slice->first = all->nsteps;
		if (sell_append(layer, &shape, slice->row, n, all))
			return -ENOMEM;
		slice->last = all->nsteps;
	}
	return 0;
}

static int build(const struct accel_layer *layer, void **weights, size_t *bytes)
{
	struct weights *w = calloc(1, sizeof(*w));
	struct sell_slice all = { 0 };
	size_t words;
	int ret = -ENOMEM;

	if (!w)
		return -ENOMEM;
	w->wide = layer->ncodes > 16;
	words = w->wide ? 2 * ROWS : ROWS;
	w->nslices = (layer->rows + ROWS - 1) / ROWS;
	w->per_task = (w->nslices + TASKS - 1) / TASKS;
	for (uint32_t i = 0; i < layer->ncodes && !w->wide; i++)
		w->codebook[i] = layer->codebook_q[i];
	w->slices = calloc(w->nslices, sizeof(*w->slices));
	if (!w->slices || cut(w, layer, &all))
		goto out;
	w->advance = cpu_weights_alloc(all.nsteps + (size_t)1, sizeof(*w->advance));
	w->words = cpu_weights_alloc((all.nsteps + (size_t)1) * words, sizeof(*w->words));
	if (!w->advance || !w->words)
		goto out;
	for (size_t i = 0; i < all.nsteps; i++) {
		const struct sell_step *step = &all.steps[i];

		w->advance[i] = step->advance;
		for (uint32_t r = 0; r < ROWS; r++) {
			w->words[i * words + r] = (uint16_t)(step->offset[r] | (w->wide ? 0 : step->code[r] << 8));
			if (w->wide)
				w->words[i * words + ROWS + r] = (uint16_t)layer->codebook_q[step->code[r]];
		}
	}
	*bytes = all.nsteps * (1 + words * sizeof(*w->words)) + w->nslices * sizeof(*w->slices);
	*weights = w;
	ret = 0;
out:
	free(all.steps);
	if (ret)
		release(w);
	return ret;
}

static uint32_t tasks(const void *weights)
{
	const struct weights *w = weights;

	return (w->nslices + w->per_task - 1) / w->per_task;
}

/* Indices of halfwords to indices of their bytes. */
static inline uint8x16_t byte_indices(uint16x8_t index)
{
	return vreinterpretq_u8_u16(vmlaq_n_u16(vdupq_n_u16(0x0100), index, 0x0202));
}

static void sum_slice(const struct weights *w, const struct slice *slice, const int16_t *x, int32_t sums[ROWS])
{
	const uint8x16x2_t codebook = vld1q_u8_x2((const uint8_t *)w->codebook);
	const size_t words = w->wide ? 2 * ROWS : ROWS;
	int32x4_t low = vdupq_n_s32(0), high = low;

	for (size_t i = slice->first; i < slice->last; i++) {
		const uint16_t *p = w->words + i * words;
		uint16x8_t v = vld1q_u16(p);
		int16x8_t activation, weight;

		x += w->advance[i];
		activation = vreinterpretq_s16_u8(vqtbl4q_u8(vld1q_u8_x4((const uint8_t *)x), byte_indices(vandq_u16(v, vdupq_n_u16(31)))));
		if (w->wide)
			weight = vreinterpretq_s16_u16(vld1q_u16(p + ROWS));
		else
			weight = vreinterpretq_s16_u8(vqtbl2q_u8(codebook, byte_indices(vshrq_n_u16(v, 8))));
		low = vmlal_s16(low, vget_low_s16(activation), vget_low_s16(weight));
		high = vmlal_high_s16(high, activation, weight);
	}
	vst1q_s32(sums, low);
	vst1q_s32(sums + 4, high);
}

static void run(const struct cpu_fc_job *job, uint32_t task, uint64_t *saturated)
{
	const struct weights *w = job->weights;
	const struct accel_layer *layer = job->layer;
	uint32_t first = task * w->per_task, last = w->nslices - first < w->per_task ? w->nslices : first + w->per_task;

	for (uint32_t s = first; s < last; s++) {
		const struct slice *slice = &w->slices[s];

		for (size_t b = 0; b < job->batch; b++) {
			int32_t sums[ROWS];

			sum_slice(w, slice, job->x + b * layer->cols, sums);
			for (uint32_t i = 0; i < ROWS && slice->row[i] != UINT32_MAX; i++) {
				uint32_t r = slice->row[i], sum = (uint32_t)sums[i] + (uint32_t)layer->bias_q[r];

				job->y[b * layer->rows + r] = accel_requant((int32_t)sum, layer->mult[r], layer->shift[r], job->out->lo,
									    job->out->hi, saturated);
			}
		}
	}
}

static uint64_t live(const int16_t *x, const uint32_t *n, uint32_t count)
{
	return cpu_fc_portable.live(x, n, count);
}

const struct cpu_fc_level cpu_fc_neon = {
	.name = "neon",
	.usable = usable,
	.build = build,
	.release = release,
	.tasks = tasks,
	.run = run,
	.live = live,
};

#endif
