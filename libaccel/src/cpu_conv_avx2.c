// SPDX-License-Identifier: GPL-2.0 OR MIT
/* AVX2: eight places a vector; vpmaddwd multiplies both channels of eight pixels by an entry's weights. */
#include "cpu_conv.h"

#if defined(__x86_64__)

#include <immintrin.h>

#define TARGET __attribute__((target("avx2")))
#define INLINE __attribute__((always_inline)) inline

#define LANES 8u

/* Writes the outputs among eight places of a row. */
TARGET static INLINE void store(const struct cpu_conv_job *job, uint32_t row, uint32_t vector, __m256i sums, uint64_t *saturated)
{
	const struct conv_layout *l = job->layout;
	const uint32_t each = l->packed ? 2 : 1;
	int16_t *y = job->y + (l->packed ? row / 2 * l->to_plane * 2 + row % 2 : row * l->to_plane);
	int32_t values[LANES];

	_mm256_storeu_si256((__m256i *)values, sums);
	for (uint32_t i = l->line_first[vector]; i < l->line_first[vector + 1]; i++)
		for (int32_t lane = 0; lane < (int32_t)LANES; lane++)
			if (l->lines[i].mask >> lane & 1)
				y[(ptrdiff_t)(l->lines[i].to + lane) * each] = accel_requant(values[lane], job->layer->mult[row], job->layer->shift[row],
											     job->out->lo, job->out->hi, saturated);
}

/* Entries of one set of rows. */
TARGET static INLINE const int32_t *multiply(const int32_t *entry, const int32_t *end, const int32_t *words, __m256i sums[CONV_GROUP][CONV_TILE_MAX],
					     uint32_t n, uint32_t set)
{
	while (entry < end) {
		const __m256i *x = (const __m256i *)(words + *entry++);

#pragma GCC unroll 4
		for (uint32_t r = 0; r < CONV_GROUP; r++) {
			if (!(set >> r & 1))
				continue;
			const __m256i weight = _mm256_set1_epi32(*entry++);

#pragma GCC unroll 3
			for (uint32_t v = 0; v < n; v++)
				sums[r][v] = _mm256_add_epi32(sums[r][v], _mm256_madd_epi16(_mm256_loadu_si256(x + v), weight));
		}
	}
	return entry;
}

/* n vectors of a group of rows; n is a constant where this is inlined. */
TARGET static INLINE void tile(const struct cpu_conv_job *job, const struct conv_piece *p, uint32_t n, uint64_t *saturated)
{
	const int32_t *words = job->words + (size_t)p->vector * LANES, *entry = p->entries;
	uint32_t row = p->group * CONV_GROUP, rows = job->layer->rows - row;
	__m256i sums[CONV_GROUP][CONV_TILE_MAX];

#pragma GCC unroll 4
	for (uint32_t r = 0; r < CONV_GROUP; r++) {
		const __m256i bias = _mm256_set1_epi32(r < rows ? job->layer->bias_q[row + r] : 0);

#pragma GCC unroll 3
		for (uint32_t v = 0; v < n; v++)
			sums[r][v] = p->begins ? bias : _mm256_load_si256((const __m256i *)(p->partial + (r * n + v) * LANES));
	}
#pragma GCC unroll 16
	for (uint32_t set = 1; set < CONV_SETS; set++)
		entry = multiply(entry, p->entries + p->ends[set], words, sums, n, set);
#pragma GCC unroll 4
	for (uint32_t r = 0; r < CONV_GROUP; r++) {
#pragma GCC unroll 3
		for (uint32_t v = 0; v < n; v++) {
			if (!p->completes)
				_mm256_store_si256((__m256i *)(p->partial + (r * n + v) * LANES), sums[r][v]);
			else if (r < rows)
				store(job, row + r, p->vector + v, sums[r][v], saturated);
		}
	}
}

#define TILE(n) \
	TARGET static void tile_##n(const struct cpu_conv_job *job, const struct conv_piece *piece, uint64_t *saturated) \
	{ \
		tile(job, piece, n, saturated); \
	}
TILE(1) TILE(2) TILE(3)

/* 16 registers: four rows of three sums, a weight, words. */
const struct cpu_conv_level cpu_conv_avx2 = {
	.name = "avx2",
	.lanes = LANES,
	.tile_max = 3,
	.tiles = { NULL, tile_1, tile_2, tile_3 },
};

#endif
