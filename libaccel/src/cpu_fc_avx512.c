// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * AVX-512: slices of 16 rows, two weights a row and step, a window of 64 activations in two registers. vpermi2w takes each slot's activation out of
 * the window, vpermw its weight out of the codebook, vpdpwssd multiplies both and adds them to the row's sum. The window begins at a multiple of 32 activations: loads that cross
 * cache lines took a third of the time, empty slots more take a tenth. Cold, memory limits, so slots are packed: a block of eight steps takes
 *   4-bit codes: five vectors of 32 words, 10 bits a slot. Vector i < 4: bits 0-5 offset of step 2i, 6-11 offset of step 2i + 1, 12-15 code of
 *   step 2i; vector 4: the codes of the steps 1, 3, 5, 7, from the low bits up;
 *   8-bit codes: twelve vectors, 24 bits a slot, for a codebook of 256 fits no register. Vector i < 4: offsets in the two bytes; 4-11: weights.
 */
#include "cpu_fc.h"
#include "cpu_sell.h"

#if defined(__x86_64__)

#include <errno.h>
#include <immintrin.h>
#include <stdlib.h>
#include <string.h>

#define TARGET __attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,avx512vnni,popcnt")))
#define INLINE __attribute__((always_inline)) inline

#define ROWS    16u   /* of a slice */
#define STEPS   8u    /* of a block */
#define WORDS   32u   /* of a vector */
#define SEGMENT 256u  /* rows that are sorted by length among themselves; threads write to different ones */
#define AHEAD   16u   /* blocks that are prefetched: 5 KiB */
#define ITEMS   4u    /* of a batch that share a look at the weights */

struct slice {
	uint32_t row[ROWS];                    /* of the layer; UINT32_MAX: none */
	int32_t bias[ROWS];
	uint32_t mult[ROWS], shift[ROWS];
	uint32_t first, blocks;
};

struct weights {
	uint32_t nslices, per_task;
	bool wide;                             /* 8-bit codes */
	struct slice *slices;
	uint8_t (*advance)[STEPS];             /* [blocks] */
	uint16_t *words;                       /* [blocks] */
	int16_t codebook[WORDS];               /* 4 bits: twice, so that bit 4 of an index does not matter */
};

static const struct sell_shape shape = { .rows = ROWS, .each = 2, .window = 64, .align = WORDS, .multiple = STEPS };

static bool usable(void)
{
	return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512dq") &&
	       __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512vnni");
}

/* ------------------------------------------------------------ transcoding */

static size_t block_words(bool wide)
{
	return (wide ? 12 : 5) * WORDS;
}

static void pack_narrow(const struct sell_step *steps, uint16_t *words)
{
	for (uint32_t s = 0; s < WORDS; s++) {
		uint32_t codes = 0;

		for (uint32_t i = 0; i < STEPS / 2; i++) {
			const struct sell_step *even = &steps[2 * i], *odd = even + 1;

			words[i * WORDS + s] = (uint16_t)(even->offset[s] | odd->offset[s] << 6 | even->code[s] << 12);
			codes |= (uint32_t)odd->code[s] << 4 * i;
		}
		words[4 * WORDS + s] = (uint16_t)codes;
	}
}

static void pack_wide(const struct sell_step *steps, const int16_t *codebook, uint16_t *words)
{
	for (uint32_t s = 0; s < WORDS; s++) {
		for (uint32_t i = 0; i < STEPS / 2; i++)
			words[i * WORDS + s] = (uint16_t)(steps[2 * i].offset[s] | steps[2 * i + 1].offset[s] << 8);
		for (uint32_t i = 0; i < STEPS; i++)
			words[(4 + i) * WORDS + s] = (uint16_t)codebook[steps[i].code[s]];
	}
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

static void set_rows(struct slice *slice, const struct accel_layer *layer, const uint32_t *rows, uint32_t n)
{
	for (uint32_t i = 0; i < ROWS; i++) {
		slice->row[i] = i < n ? rows[i] : UINT32_MAX;
		slice->bias[i] = i < n ? layer->bias_q[rows[i]] : 0;
		slice->mult[i] = i < n ? layer->mult[rows[i]] : 0;
		slice->shift[i] = i < n ? layer->shift[rows[i]] : 1;
	}
}

/* All steps of the layer, one slice behind the other. */
static int cut(struct weights *w, const struct accel_layer *layer, struct sell_slice *all)
{
	uint32_t order[SEGMENT];

	for (uint32_t s = 0; s < w->nslices; s++) {
		uint32_t row = s * ROWS, left = layer->rows - row, n = left < ROWS ? left : ROWS;
		size_t first = all->nsteps / STEPS;

		if (row % SEGMENT == 0)
			sell_sort(layer, row, left < SEGMENT ? left : SEGMENT, order);
		set_rows(&w->slices[s], layer, order + row % SEGMENT, n);
		if (sell_append(layer, &shape, order + row % SEGMENT, n, all) || all->nsteps / STEPS > UINT32_MAX)
			return -ENOMEM;
		w->slices[s].first = (uint32_t)first;
		w->slices[s].blocks = (uint32_t)(all->nsteps / STEPS - first);
	}
	return 0;
}

static int build(const struct accel_layer *layer, void **weights, size_t *bytes)
{
	struct weights *w = calloc(1, sizeof(*w));
	struct sell_slice all = { 0 };
	size_t blocks;
	int ret = -ENOMEM;

	if (!w)
		return -ENOMEM;
	w->wide = layer->ncodes > 16;
	w->nslices = (layer->rows + ROWS - 1) / ROWS;
	/* some tasks a thread, so that one that is late has little to do; whole segments where there are many */
	w->per_task = w->nslices >= 16 * SEGMENT / ROWS ? SEGMENT / ROWS : (w->nslices + 15) / 16;
	for (uint32_t i = 0; i < WORDS && !w->wide; i++)
		w->codebook[i] = i % 16 < layer->ncodes ? layer->codebook_q[i % 16] : 0;
	w->slices = calloc(w->nslices, sizeof(*w->slices));
	if (!w->slices || cut(w, layer, &all))
		goto out;
	blocks = all.nsteps / STEPS;
	w->advance = cpu_weights_alloc(blocks + AHEAD, sizeof(*w->advance));
	w->words = cpu_weights_alloc(blocks * block_words(w->wide) + WORDS, sizeof(*w->words));
	if (!w->advance || !w->words)
		goto out;
	for (size_t b = 0; b < blocks; b++) {
		const struct sell_step *steps = &all.steps[b * STEPS];

		for (uint32_t i = 0; i < STEPS; i++)
			w->advance[b][i] = steps[i].advance;
		if (w->wide)
			pack_wide(steps, layer->codebook_q, w->words + b * block_words(true));
		else
			pack_narrow(steps, w->words + b * block_words(false));
	}
	*bytes = blocks * (sizeof(*w->advance) + block_words(w->wide) * sizeof(*w->words)) + w->nslices * sizeof(*w->slices);
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

/* ---------------------------------------------------------------- kernels */

TARGET static INLINE __m512i words_at(const uint16_t *words, uint32_t vector)
{
	return _mm512_load_si512(words + vector * WORDS);
}

/* Activations of 32 slots; of each index word the low six bits count. */
TARGET static INLINE __m512i pick(const int16_t *window, __m512i index)
{
	return _mm512_permutex2var_epi16(_mm512_loadu_si512(window), index, _mm512_loadu_si512(window + WORDS));
}

/* A step of n items. Two accumulators an item, used in turn: vpdpwssd takes five cycles. */
TARGET static INLINE void step(__m512i sums[][2], uint32_t n, uint32_t turn, const int16_t *window, size_t stride, __m512i index, __m512i weight)
{
#pragma GCC unroll 4
	for (uint32_t b = 0; b < n; b++)
		sums[b][turn] = _mm512_dpwssd_epi32(sums[b][turn], pick(window + b * stride, index), weight);
}

TARGET static INLINE void prefetch(const void *p, uint32_t vectors)
{
#pragma GCC unroll 12
	for (uint32_t i = 0; i < vectors; i++)
		_mm_prefetch((const char *)p + 64 * i, _MM_HINT_T0);
}

/* Two steps: the code of the first is in the vector itself. */
TARGET static INLINE const int16_t *two_steps(__m512i sums[][2], uint32_t n, const int16_t *x, size_t stride, const uint8_t *advance, __m512i v,
					      __m512i odd_codes, __m512i codebook)
{
	x += advance[0];
	step(sums, n, 0, x, stride, v, _mm512_permutexvar_epi16(_mm512_srli_epi16(v, 12), codebook));
	x += advance[1];
	step(sums, n, 1, x, stride, _mm512_srli_epi16(v, 6), _mm512_permutexvar_epi16(odd_codes, codebook));
	return x;
}

TARGET static INLINE void narrow(const struct weights *w, const struct slice *slice, const int16_t *x, size_t stride, uint32_t n, __m512i sums[][2])
{
	const uint8_t (*advance)[STEPS] = w->advance + slice->first;
	const uint16_t *words = w->words + slice->first * block_words(false);
	const __m512i codebook = _mm512_loadu_si512(w->codebook);

	for (uint32_t k = 0; k < slice->blocks; k++, words += block_words(false)) {
		__m512i codes = words_at(words, 4);

		prefetch(words + AHEAD * block_words(false), 5);
		prefetch(advance[k] + 512, 1);
		x = two_steps(sums, n, x, stride, advance[k], words_at(words, 0), codes, codebook);
		x = two_steps(sums, n, x, stride, advance[k] + 2, words_at(words, 1), _mm512_srli_epi16(codes, 4), codebook);
		x = two_steps(sums, n, x, stride, advance[k] + 4, words_at(words, 2), _mm512_srli_epi16(codes, 8), codebook);
		x = two_steps(sums, n, x, stride, advance[k] + 6, words_at(words, 3), _mm512_srli_epi16(codes, 12), codebook);
	}
}

TARGET static INLINE void wide(const struct weights *w, const struct slice *slice, const int16_t *x, size_t stride, uint32_t n, __m512i sums[][2])
{
	const uint8_t (*advance)[STEPS] = w->advance + slice->first;
	const uint16_t *words = w->words + slice->first * block_words(true);

	for (uint32_t k = 0; k < slice->blocks; k++, words += block_words(true)) {
		prefetch(words + AHEAD / 2 * block_words(true), 12);
		prefetch(advance[k] + 512, 1);
#pragma GCC unroll 4
		for (uint32_t i = 0; i < STEPS / 2; i++) {
			__m512i v = words_at(words, i);

			x += advance[k][2 * i];
			step(sums, n, 0, x, stride, v, words_at(words, 4 + 2 * i));
			x += advance[k][2 * i + 1];
			step(sums, n, 1, x, stride, _mm512_srli_epi16(v, 8), words_at(words, 5 + 2 * i));
		}
	}
}

/* accel_requant() of eight rows. */
TARGET static INLINE __m128i requant8(__m256i sums, __m256i mult, __m256i shift, const struct accel_tensor *out, uint64_t *saturated)
{
	const __m512i lo = _mm512_set1_epi64(out->lo), hi = _mm512_set1_epi64(out->hi), s = _mm512_cvtepu32_epi64(shift);
	const __m512i half = _mm512_sllv_epi64(_mm512_set1_epi64(1), _mm512_sub_epi64(s, _mm512_set1_epi64(1)));
	__m512i v = _mm512_mul_epi32(_mm512_cvtepi32_epi64(sums), _mm512_cvtepu32_epi64(mult));

	v = _mm512_srav_epi64(_mm512_add_epi64(v, half), s);
	if (out->hi == 32767)
		*saturated += (unsigned int)__builtin_popcount(_mm512_cmpgt_epi64_mask(v, hi));
	if (out->lo == -32767)
		*saturated += (unsigned int)__builtin_popcount(_mm512_cmplt_epi64_mask(v, lo));
	return _mm512_cvtepi64_epi16(_mm512_max_epi64(_mm512_min_epi64(v, hi), lo));
}

TARGET static INLINE void finish(const struct slice *slice, __m512i sums, const struct accel_tensor *out, int16_t *y, uint64_t *saturated)
{
	const __m512i acc = _mm512_add_epi32(sums, _mm512_loadu_si512(slice->bias));
	const __m512i mult = _mm512_loadu_si512(slice->mult), shift = _mm512_loadu_si512(slice->shift);
	__attribute__((aligned(16))) int16_t values[ROWS];

	/* rows that do not exist have sum and multiplier 0: they do not saturate */
	_mm_store_si128((__m128i *)values, requant8(_mm512_castsi512_si256(acc), _mm512_castsi512_si256(mult),
						    _mm512_castsi512_si256(shift), out, saturated));
	_mm_store_si128((__m128i *)values + 1, requant8(_mm512_extracti64x4_epi64(acc, 1), _mm512_extracti64x4_epi64(mult, 1),
							_mm512_extracti64x4_epi64(shift, 1), out, saturated));
	for (uint32_t i = 0; i < ROWS && slice->row[i] != UINT32_MAX; i++)
		y[slice->row[i]] = values[i];
}

TARGET static INLINE void items(const struct cpu_fc_job *job, const struct slice *slice, size_t first, uint32_t n, uint64_t *saturated)
{
	const struct weights *w = job->weights;
	const int16_t *x = job->x + first * job->layer->cols;
	__m512i sums[ITEMS][2];

#pragma GCC unroll 4
	for (uint32_t b = 0; b < n; b++)
		sums[b][0] = sums[b][1] = _mm512_setzero_si512();
	if (w->wide)
		wide(w, slice, x, job->layer->cols, n, sums);
	else
		narrow(w, slice, x, job->layer->cols, n, sums);
#pragma GCC unroll 4
	for (uint32_t b = 0; b < n; b++)
		finish(slice, _mm512_add_epi32(sums[b][0], sums[b][1]), job->out, job->y + (first + b) * job->layer->rows, saturated);
}

TARGET static void run(const struct cpu_fc_job *job, uint32_t task, uint64_t *saturated)
{
	const struct weights *w = job->weights;
	uint32_t first = task * w->per_task, last = first + w->per_task;

	last = last < w->nslices ? last : w->nslices;
	for (uint32_t s = first; s < last; s++) {
		size_t b = 0;

		/* a slice's weights stay in the cache for the whole batch */
		for (; b + ITEMS <= job->batch; b += ITEMS)
			items(job, &w->slices[s], b, ITEMS, saturated);
		for (; b < job->batch; b++)
			items(job, &w->slices[s], b, 1, saturated);
	}
}

TARGET static uint64_t live(const int16_t *x, const uint32_t *n, uint32_t count)
{
	__m512i sum = _mm512_setzero_si512();
	uint32_t i = 0;

	for (; i + 16 <= count; i += 16) {
		__m256i v = _mm256_loadu_si256((const __m256i *)(x + i));
		__m512i add = _mm512_maskz_loadu_epi32(_mm256_test_epi16_mask(v, v), n + i);

		sum = _mm512_add_epi64(sum, _mm512_add_epi64(_mm512_and_si512(add, _mm512_set1_epi64(UINT32_MAX)), _mm512_srli_epi64(add, 32)));
	}
	return (uint64_t)_mm512_reduce_add_epi64(sum) + cpu_fc_portable.live(x + i, n + i, count - i);
}

const struct cpu_fc_level cpu_fc_avx512 = {
	.name = "avx512",
	.usable = usable,
	.build = build,
	.release = release,
	.tasks = tasks,
	.run = run,
	.live = live,
};

#endif
