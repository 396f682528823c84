// SPDX-License-Identifier: GPL-2.0 OR MIT
/* AVX2: eight places a vector; vpmaddwd multiplies both channels of eight pixels by an entry's weights. */
#include "cpu_conv.h"

#if defined(__x86_64__)

#include <immintrin.h>

#define TARGET __attribute__((target("avx2")))
#define INLINE __attribute__((always_inline)) inline

#define LANES 8u

/* 16 registers: group * tile sums, a weight, tile words or one at a time. */
static const uint32_t tile_max[CONV_GROUP_MAX + 1] = { [1] = 8, [2] = 4, [4] = 2 };

/* Instructions for a vector: a product and an addition a row, and loads, of which two go in a cycle and some meet two lines of the cache. */
static double cost(uint32_t group, double entries, bool aligned)
{
	double words = tile_max[group], loads = words * (aligned ? 1 : 1.5) + group, sums = 2 * words * group;

	return entries * (loads + sums) / words;
}

static int layout(const struct accel_layer *layer, struct conv_layout **l)
{
	return conv_layout_new(layer, LANES, tile_max, cost, l);
}

/* Writes the outputs among eight places of a row. */
TARGET static INLINE void store(const struct cpu_conv_job *job, uint32_t row, uint32_t vector, __m256i sums, uint64_t *saturated)
{
	const struct accel_window *w = &job->layer->window;
	const struct conv_layout *l = job->layout;
	int16_t *y = job->y + (size_t)row * w->out_height * w->out_width;
	int32_t values[LANES];

	_mm256_storeu_si256((__m256i *)values, sums);
	for (uint32_t i = l->line_first[vector]; i < l->line_first[vector + 1]; i++)
		for (int32_t lane = 0; lane < (int32_t)LANES; lane++)
			if (l->lines[i].mask >> lane & 1)
				y[l->lines[i].to + lane] = accel_requant(values[lane], job->layer->mult[row], job->layer->shift[row],
									 job->out->lo, job->out->hi, saturated);
}

/* n vectors of a group of rows; both are constants where this is inlined. */
TARGET static INLINE void tile(const struct cpu_conv_job *job, const struct conv_piece *p, uint32_t group, uint32_t n, uint64_t *saturated)
{
	const int32_t *words = job->words + (size_t)p->vector * LANES;
	uint32_t rows = job->layer->rows - p->group * group;
	__m256i sums[CONV_GROUP_MAX][CONV_TILE_MAX];

#pragma GCC unroll 4
	for (uint32_t r = 0; r < group; r++) {
		const __m256i bias = _mm256_set1_epi32(r < rows ? job->layer->bias_q[p->group * group + r] : 0);

#pragma GCC unroll 8
		for (uint32_t v = 0; v < n; v++)
			sums[r][v] = p->begins ? bias : _mm256_load_si256((const __m256i *)(p->partial + (r * n + v) * LANES));
	}
	for (const int32_t *e = p->entries; e < p->end; e += 1 + group) {
#pragma GCC unroll 4
		for (uint32_t r = 0; r < group; r++) {
			const __m256i weight = _mm256_set1_epi32(e[1 + r]);

#pragma GCC unroll 8
			for (uint32_t v = 0; v < n; v++)
				sums[r][v] = _mm256_add_epi32(sums[r][v], _mm256_madd_epi16(_mm256_loadu_si256((const __m256i *)(words + e[0] + v * LANES)),
											    weight));
		}
	}
	if (p->ends) {
#pragma GCC unroll 4
		for (uint32_t r = 0; r < group; r++) {
#pragma GCC unroll 8
			for (uint32_t v = 0; v < n; v++)
				if (r < rows)
					store(job, p->group * group + r, p->vector + v, sums[r][v], saturated);
		}
		return;
	}
#pragma GCC unroll 4
	for (uint32_t r = 0; r < group; r++) {
#pragma GCC unroll 8
		for (uint32_t v = 0; v < n; v++)
			_mm256_store_si256((__m256i *)(p->partial + (r * n + v) * LANES), sums[r][v]);
	}
}

#define TILE(group, n) \
	TARGET static void tile_##group##_##n(const struct cpu_conv_job *job, const struct conv_piece *piece, uint64_t *saturated) \
	{ \
		tile(job, piece, group, n, saturated); \
	}
TILE(1, 1) TILE(1, 2) TILE(1, 3) TILE(1, 4) TILE(1, 5) TILE(1, 6) TILE(1, 7) TILE(1, 8)
TILE(2, 1) TILE(2, 2) TILE(2, 3) TILE(2, 4)
TILE(4, 1) TILE(4, 2)

const struct cpu_conv_level cpu_conv_avx2 = {
	.name = "avx2",
	.layout = layout,
	.tiles = {
		[1] = { NULL, tile_1_1, tile_1_2, tile_1_3, tile_1_4, tile_1_5, tile_1_6, tile_1_7, tile_1_8 },
		[2] = { NULL, tile_2_1, tile_2_2, tile_2_3, tile_2_4 },
		[4] = { NULL, tile_4_1, tile_4_2 },
	},
};

#endif
