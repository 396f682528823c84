// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * AVX-512: sixteen places a vector. An entry's weights are broadcast, vpdpwssd multiplies both channels of sixteen pixels by them and adds the products to
 * the sums, which stay in registers until a tile's last entry.
 */
#include "cpu_conv.h"

#if defined(__x86_64__)

#include <immintrin.h>

#define TARGET __attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,avx512vnni,popcnt")))
#define INLINE __attribute__((always_inline)) inline

#define LANES 16u

/* 32 registers: group * tile sums, tile words, one weight. */
static const uint32_t tile_max[CONV_GROUP_MAX + 1] = { [1] = 8, [2] = 8, [4] = 6 };

/*
 * Cycles: two products a cycle, two loads a cycle, and a load that is not aligned counts twice, for it meets two lines of the cache.
 */
static double cost(uint32_t group, double entries, bool aligned)
{
	double words = tile_max[group], loads = words * (aligned ? 1 : 2) + group, products = words * group;

	return entries * (loads > products ? loads : products) / words;
}

static int layout(const struct accel_layer *layer, struct conv_layout **l)
{
	return conv_layout_new(layer, LANES, tile_max, cost, l);
}

/* accel_requant() of eight sums of one row. */
TARGET static INLINE __m512i requant8(__m256i sums, __m512i mult, __m512i half, __m128i shift)
{
	return _mm512_sra_epi64(_mm512_add_epi64(_mm512_mul_epi32(_mm512_cvtepi32_epi64(sums), mult), half), shift);
}

struct requant {
	__m512i mult, half, lo, hi;
	__m128i shift;
	bool count_lo, count_hi;
};

TARGET static INLINE __m256i requant16(const struct requant *q, __m512i sums, uint32_t valid, uint64_t *saturated)
{
	__m512i a = requant8(_mm512_castsi512_si256(sums), q->mult, q->half, q->shift);
	__m512i b = requant8(_mm512_extracti64x4_epi64(sums, 1), q->mult, q->half, q->shift);

	if (q->count_hi) {
		uint32_t over = _mm512_cmpgt_epi64_mask(a, q->hi) | (uint32_t)_mm512_cmpgt_epi64_mask(b, q->hi) << 8;

		*saturated += (unsigned int)__builtin_popcount(over & valid);
	}
	if (q->count_lo) {
		uint32_t under = _mm512_cmplt_epi64_mask(a, q->lo) | (uint32_t)_mm512_cmplt_epi64_mask(b, q->lo) << 8;

		*saturated += (unsigned int)__builtin_popcount(under & valid);
	}
	a = _mm512_max_epi64(_mm512_min_epi64(a, q->hi), q->lo);
	b = _mm512_max_epi64(_mm512_min_epi64(b, q->hi), q->lo);
	return _mm256_set_m128i(_mm512_cvtepi64_epi16(b), _mm512_cvtepi64_epi16(a));
}

/* Writes the outputs among n vectors of a row. */
TARGET static INLINE void store(const struct cpu_conv_job *job, uint32_t row, uint32_t vector, const __m512i *sums, uint32_t n, uint64_t *saturated)
{
	const struct accel_window *w = &job->layer->window;
	const struct conv_layout *l = job->layout;
	const unsigned int shift = job->layer->shift[row];
	const struct requant q = {
		.mult = _mm512_set1_epi64(job->layer->mult[row]),
		.half = _mm512_set1_epi64((int64_t)1 << (shift - 1)),
		.lo = _mm512_set1_epi64(job->out->lo),
		.hi = _mm512_set1_epi64(job->out->hi),
		.shift = _mm_cvtsi32_si128((int)shift),
		.count_lo = job->out->lo == -32767,
		.count_hi = job->out->hi == 32767,
	};
	int16_t *y = job->y + (size_t)row * w->out_height * w->out_width;

#pragma GCC unroll 8
	for (uint32_t v = 0; v < n; v++) {
		uint32_t first = l->line_first[vector + v], end = l->line_first[vector + v + 1], valid = 0;
		__m256i values;

		for (uint32_t i = first; i < end; i++)
			valid |= l->lines[i].mask;
		values = requant16(&q, sums[v], valid, saturated);
		for (uint32_t i = first; i < end; i++)
			_mm256_mask_storeu_epi16(y + l->lines[i].to, (__mmask16)l->lines[i].mask, values);
	}
}

/* n vectors of a group of rows; both are constants where this is inlined. */
TARGET static INLINE void tile(const struct cpu_conv_job *job, uint32_t g, uint32_t vector, uint32_t group, uint32_t n, uint64_t *saturated)
{
	const struct conv_layout *l = job->layout;
	const int32_t *words = job->words + (size_t)vector * LANES;
	const int32_t *e = l->entries + l->first[g] * (1 + group), *end = l->entries + l->first[g + 1] * (1 + group);
	uint32_t rows = job->layer->rows - g * group;
	__m512i sums[CONV_GROUP_MAX][CONV_TILE_MAX];

#pragma GCC unroll 4
	for (uint32_t r = 0; r < group; r++) {
		const __m512i bias = _mm512_set1_epi32(r < rows ? job->layer->bias_q[g * group + r] : 0);

#pragma GCC unroll 8
		for (uint32_t v = 0; v < n; v++)
			sums[r][v] = bias;
	}
	for (; e < end; e += 1 + group) {
		__m512i x[CONV_TILE_MAX];

#pragma GCC unroll 8
		for (uint32_t v = 0; v < n; v++)
			x[v] = _mm512_loadu_si512(words + e[0] + v * LANES);
#pragma GCC unroll 4
		for (uint32_t r = 0; r < group; r++) {
			const __m512i weight = _mm512_set1_epi32(e[1 + r]);

#pragma GCC unroll 8
			for (uint32_t v = 0; v < n; v++)
				sums[r][v] = _mm512_dpwssd_epi32(sums[r][v], x[v], weight);
		}
	}
#pragma GCC unroll 4
	for (uint32_t r = 0; r < group; r++)
		if (r < rows)
			store(job, g * group + r, vector, sums[r], n, saturated);
}

typedef void tile_fn(const struct cpu_conv_job *job, uint32_t g, uint32_t vector, uint64_t *saturated);

#define TILE(group, n) \
	TARGET static void tile_##group##_##n(const struct cpu_conv_job *job, uint32_t g, uint32_t vector, uint64_t *saturated) \
	{ \
		tile(job, g, vector, group, n, saturated); \
	}
TILE(1, 1) TILE(1, 2) TILE(1, 3) TILE(1, 4) TILE(1, 5) TILE(1, 6) TILE(1, 7) TILE(1, 8)
TILE(2, 1) TILE(2, 2) TILE(2, 3) TILE(2, 4) TILE(2, 5) TILE(2, 6) TILE(2, 7) TILE(2, 8)
TILE(4, 1) TILE(4, 2) TILE(4, 3) TILE(4, 4) TILE(4, 5) TILE(4, 6)

/* [group][vectors] */
static tile_fn *const tiles[CONV_GROUP_MAX + 1][CONV_TILE_MAX + 1] = {
	[1] = { NULL, tile_1_1, tile_1_2, tile_1_3, tile_1_4, tile_1_5, tile_1_6, tile_1_7, tile_1_8 },
	[2] = { NULL, tile_2_1, tile_2_2, tile_2_3, tile_2_4, tile_2_5, tile_2_6, tile_2_7, tile_2_8 },
	[4] = { NULL, tile_4_1, tile_4_2, tile_4_3, tile_4_4, tile_4_5, tile_4_6, NULL, NULL },
};

static void run(const struct cpu_conv_job *job, uint32_t task, uint64_t *saturated)
{
	const struct conv_layout *l = job->layout;
	/* tiles of the same weights are neighbours: the weights stay in the cache */
	uint32_t vector = task % l->ntiles * l->tile, first = task / l->ntiles * l->task_groups;
	uint32_t n = l->nvectors - vector < l->tile ? l->nvectors - vector : l->tile;
	uint32_t last = l->ngroups - first < l->task_groups ? l->ngroups : first + l->task_groups;

	for (uint32_t g = first; g < last; g++)
		tiles[l->group][n](job, g, vector, saturated);
}

const struct cpu_conv_level cpu_conv_avx512 = {
	.name = "avx512",
	.layout = layout,
	.run = run,
};

#endif
