// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * AVX2: compressed sparse rows, eight entries at a time. An entry is a word {column, weight}; vpgatherdd reads two activations from the column on, and
 * vpmaddwd multiplies the first by the weight, the second by zero. Rows are padded to eight entries of column and weight 0.
 */
#include "cpu_fc.h"

#if defined(__x86_64__)

#include <cpuid.h>
#include <errno.h>
#include <immintrin.h>
#include <stdlib.h>
#include <string.h>

#define TARGET __attribute__((target("avx2")))
#define INLINE __attribute__((always_inline)) inline

#define WIDTH 8u
#define TASKS 16u
#define AHEAD 512u   /* entries that are prefetched: 2 KiB */

struct weights {
	uint32_t rows, per_task;
	size_t *first;         /* [rows + 1] entries */
	uint32_t *entries;     /* column << 16 | weight */
};

static bool usable(void)
{
	return __builtin_cpu_supports("avx2");
}

static bool usable_vnni(void)
{
	unsigned int a, b, c, d;

	/* clang 14 has no name for it: AVX-VNNI is bit 4 of EAX */
	return usable() && __get_cpuid_count(7, 1, &a, &b, &c, &d) && a >> 4 & 1;
}

static bool takes(const struct accel_layer *layer)
{
	return layer->cols <= 65536;
}

static void release(void *weights)
{
	struct weights *w = weights;

	if (!w)
		return;
	free(w->first);
	free(w->entries);
	free(w);
}

static int build(const struct accel_layer *layer, void **weights, size_t *bytes)
{
	struct weights *w = calloc(1, sizeof(*w));

	if (!w)
		return -ENOMEM;
	w->rows = layer->rows;
	w->per_task = (layer->rows + TASKS - 1) / TASKS;
	w->first = calloc(layer->rows + (size_t)1, sizeof(*w->first));
	for (uint32_t r = 0; w->first && r < layer->rows; r++)
		w->first[r + 1] = w->first[r] + (layer->rowptr[r + 1] - layer->rowptr[r] + WIDTH - 1) / WIDTH * WIDTH;
	if (w->first)
		w->entries = cpu_weights_alloc(w->first[layer->rows] + WIDTH, sizeof(*w->entries));
	if (!w->entries) {
		release(w);
		return -ENOMEM;
	}
	for (uint32_t r = 0; r < layer->rows; r++)
		for (uint32_t i = layer->rowptr[r], *e = w->entries + w->first[r]; i < layer->rowptr[r + 1]; i++)
			*e++ = layer->col[i] << 16 | (uint16_t)layer->codebook_q[layer->code[i]];
	*bytes = w->first[layer->rows] * sizeof(*w->entries) + (layer->rows + (size_t)1) * sizeof(*w->first);
	*weights = w;
	return 0;
}

static uint32_t tasks(const void *weights)
{
	const struct weights *w = weights;

	return (w->rows + w->per_task - 1) / w->per_task;
}

TARGET static INLINE __m256i products(const uint32_t *entries, const int16_t *x)
{
	__m256i e = _mm256_load_si256((const __m256i *)entries);
	__m256i pair = _mm256_i32gather_epi32((const int *)(const void *)x, _mm256_srli_epi32(e, 16), 2);

	return _mm256_madd_epi16(pair, _mm256_and_si256(e, _mm256_set1_epi32(0xffff)));
}

TARGET static INLINE uint32_t row_sum(const uint32_t *e, const uint32_t *end, const int16_t *x)
{
	__m256i a = _mm256_setzero_si256(), b = a;
	__m128i s;

	for (; e + 2 * WIDTH <= end; e += 2 * WIDTH) {
		_mm_prefetch((const char *)(e + AHEAD), _MM_HINT_T0);
		a = _mm256_add_epi32(a, products(e, x));
		b = _mm256_add_epi32(b, products(e + WIDTH, x));
	}
	if (e < end)
		a = _mm256_add_epi32(a, products(e, x));
	a = _mm256_add_epi32(a, b);
	s = _mm_add_epi32(_mm256_castsi256_si128(a), _mm256_extracti128_si256(a, 1));
	s = _mm_add_epi32(s, _mm_shuffle_epi32(s, 0x4e));
	s = _mm_add_epi32(s, _mm_shuffle_epi32(s, 0xb1));
	return (uint32_t)_mm_cvtsi128_si32(s);
}

TARGET static void run(const struct cpu_fc_job *job, uint32_t task, uint64_t *saturated)
{
	const struct weights *w = job->weights;
	const struct accel_layer *layer = job->layer;
	uint32_t first = task * w->per_task, last = w->rows - first < w->per_task ? w->rows : first + w->per_task;

	for (uint32_t r = first; r < last; r++) {
		for (size_t b = 0; b < job->batch; b++) {
			uint32_t sum = (uint32_t)layer->bias_q[r];

			sum += row_sum(w->entries + w->first[r], w->entries + w->first[r + 1], job->x + b * layer->cols);
			job->y[b * layer->rows + r] = accel_requant((int32_t)sum, layer->mult[r], layer->shift[r], job->out->lo,
								    job->out->hi, saturated);
		}
	}
}

TARGET static uint64_t live(const int16_t *x, const uint32_t *n, uint32_t count)
{
	__m256i sum = _mm256_setzero_si256();
	uint32_t i = 0;

	for (; i + WIDTH <= count; i += WIDTH) {
		__m256i v = _mm256_cvtepi16_epi32(_mm_loadu_si128((const __m128i *)(x + i)));
		__m256i zero = _mm256_cmpeq_epi32(v, _mm256_setzero_si256());
		__m256i add = _mm256_andnot_si256(zero, _mm256_loadu_si256((const __m256i *)(n + i)));

		sum = _mm256_add_epi64(sum, _mm256_add_epi64(_mm256_and_si256(add, _mm256_set1_epi64x(UINT32_MAX)), _mm256_srli_epi64(add, 32)));
	}
	return (uint64_t)_mm256_extract_epi64(sum, 0) + (uint64_t)_mm256_extract_epi64(sum, 1) + (uint64_t)_mm256_extract_epi64(sum, 2) +
	       (uint64_t)_mm256_extract_epi64(sum, 3) + cpu_fc_portable.live(x + i, n + i, count - i);
}

const struct cpu_fc_level cpu_fc_avx2 = {
	.name = "avx2",
	.usable = usable,
	.takes = takes,
	.build = build,
	.release = release,
	.tasks = tasks,
	.run = run,
	.live = live,
};

/* Gathers limit these layers, not products: the level has kernels of its own for convolutions. */
const struct cpu_fc_level cpu_fc_avxvnni = {
	.name = "avxvnni",
	.usable = usable_vnni,
	.takes = takes,
	.build = build,
	.release = release,
	.tasks = tasks,
	.run = run,
	.live = live,
};

#endif
