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
static const uint32_t tile_max[CONV_GROUP_MAX + 1] = { [1] = 16, [2] = 8, [4] = 6 };

/* Measured on Zen 5: nearly two products a cycle, 1.6 loads; a load that is not aligned counts twice, for it meets two lines of the cache. */
static double cost(uint32_t group, double entries, bool aligned)
{
	static const double cycles[CONV_GROUP_MAX + 1][2] = { [1] = { 1.12, 0.70 }, [2] = { 1.29, 1.03 }, [4] = { 2.06, 2.03 } };

	return entries * cycles[group][aligned];
}

static int layout(const struct accel_layer *layer, struct conv_layout **l)
{
	return conv_layout_new(layer, LANES, tile_max, cost, l);
}

/* The multiplication of accel_requant() for a row, and its clamp. */
struct requant {
	__m512i mult, half;
	__m128i shift;
	__m256i lo, hi;
	bool count_lo, count_hi;
};

/* Eight sums; clamped to 16 bits, which the clamp that follows never exceeds. */
TARGET static INLINE __m512i scaled(const struct requant *q, __m256i sums)
{
	return _mm512_sra_epi64(_mm512_add_epi64(_mm512_mul_epi32(_mm512_cvtepi32_epi64(sums), q->mult), q->half), q->shift);
}

/* Outputs among a and b that are beyond +-32767; few vectors have any. */
TARGET static __attribute__((noinline)) uint64_t beyond(const struct requant *q, __m512i a, __m512i b, const struct conv_line *line, const struct conv_line *end)
{
	uint32_t valid = 0;
	const __m512i hi = _mm512_set1_epi64(32767), lo = _mm512_set1_epi64(-32767);
	uint32_t over = _mm512_cmpgt_epi64_mask(a, hi) | (uint32_t)_mm512_cmpgt_epi64_mask(b, hi) << 8;
	uint32_t under = _mm512_cmplt_epi64_mask(a, lo) | (uint32_t)_mm512_cmplt_epi64_mask(b, lo) << 8;

	for (; line < end; line++)
		valid |= line->mask;
	return (unsigned int)__builtin_popcount(((q->count_hi ? over : 0) | (q->count_lo ? under : 0)) & valid);
}

TARGET static INLINE __m256i requant16(const struct requant *q, __m512i sums, const struct conv_line *line, const struct conv_line *end, uint64_t *saturated)
{
	__m512i a = scaled(q, _mm512_castsi512_si256(sums)), b = scaled(q, _mm512_extracti64x4_epi64(sums, 1));
	__m256i v = _mm256_set_m128i(_mm512_cvtsepi64_epi16(b), _mm512_cvtsepi64_epi16(a));

	/* only what has come to an end of the range can be beyond it */
	if ((q->count_hi || q->count_lo) && _mm256_cmpge_epu16_mask(_mm256_abs_epi16(v), _mm256_set1_epi16(32767)))
		*saturated += beyond(q, a, b, line, end);
	return _mm256_min_epi16(_mm256_max_epi16(v, q->lo), q->hi);
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
		.lo = _mm256_set1_epi16(job->out->lo),
		.hi = _mm256_set1_epi16(job->out->hi),
		.shift = _mm_cvtsi32_si128((int)shift),
		.count_lo = job->out->lo == -32767,
		.count_hi = job->out->hi == 32767,
	};
	int16_t *y = job->y + (size_t)row * w->out_height * w->out_width;

#pragma GCC unroll 16
	for (uint32_t v = 0; v < n; v++) {
		const struct conv_line *line = l->lines + l->line_first[vector + v], *end = l->lines + l->line_first[vector + v + 1];
		__m256i values = requant16(&q, sums[v], line, end, saturated);

		for (; line < end; line++) {
			/* masks are slow on some processors */
			if (line->mask == UINT16_MAX)
				_mm256_storeu_si256((__m256i *)(y + line->to), values);
			else
				_mm256_mask_storeu_epi16(y + line->to, (__mmask16)line->mask, values);
		}
	}
}

/* n vectors of a group of rows; both are constants where this is inlined. */
TARGET static INLINE void tile(const struct cpu_conv_job *job, const struct conv_piece *p, uint32_t group, uint32_t n, uint64_t *saturated)
{
	const int32_t *words = job->words + (size_t)p->vector * LANES;
	uint32_t rows = job->layer->rows - p->group * group;
	__m512i sums[CONV_GROUP_MAX][CONV_TILE_MAX];

#pragma GCC unroll 4
	for (uint32_t r = 0; r < group; r++) {
		const __m512i bias = _mm512_set1_epi32(r < rows ? job->layer->bias_q[p->group * group + r] : 0);

#pragma GCC unroll 16
		for (uint32_t v = 0; v < n; v++)
			sums[r][v] = p->begins ? bias : _mm512_load_si512(p->partial + (r * n + v) * LANES);
	}
	for (const int32_t *e = p->entries; e < p->end; e += 1 + group) {
		__m512i x[CONV_TILE_MAX];

#pragma GCC unroll 16
		for (uint32_t v = 0; v < n; v++)
			x[v] = _mm512_loadu_si512(words + e[0] + v * LANES);
#pragma GCC unroll 4
		for (uint32_t r = 0; r < group; r++) {
			const __m512i weight = _mm512_set1_epi32(e[1 + r]);

#pragma GCC unroll 16
			for (uint32_t v = 0; v < n; v++)
				sums[r][v] = _mm512_dpwssd_epi32(sums[r][v], x[v], weight);
		}
	}
	if (p->ends) {
#pragma GCC unroll 4
		for (uint32_t r = 0; r < group; r++)
			if (r < rows)
				store(job, p->group * group + r, p->vector, sums[r], n, saturated);
		return;
	}
#pragma GCC unroll 4
	for (uint32_t r = 0; r < group; r++) {
#pragma GCC unroll 16
		for (uint32_t v = 0; v < n; v++)
			_mm512_store_si512(p->partial + (r * n + v) * LANES, sums[r][v]);
	}
}

#define TILE(group, n) \
	TARGET static void tile_##group##_##n(const struct cpu_conv_job *job, const struct conv_piece *piece, uint64_t *saturated) \
	{ \
		tile(job, piece, group, n, saturated); \
	}
TILE(1, 1) TILE(1, 2) TILE(1, 3) TILE(1, 4) TILE(1, 5) TILE(1, 6) TILE(1, 7) TILE(1, 8)
TILE(1, 9) TILE(1, 10) TILE(1, 11) TILE(1, 12) TILE(1, 13) TILE(1, 14) TILE(1, 15) TILE(1, 16)
TILE(2, 1) TILE(2, 2) TILE(2, 3) TILE(2, 4) TILE(2, 5) TILE(2, 6) TILE(2, 7) TILE(2, 8)
TILE(4, 1) TILE(4, 2) TILE(4, 3) TILE(4, 4) TILE(4, 5) TILE(4, 6)

const struct cpu_conv_level cpu_conv_avx512 = {
	.name = "avx512",
	.layout = layout,
	.tiles = {
		[1] = { NULL, tile_1_1, tile_1_2, tile_1_3, tile_1_4, tile_1_5, tile_1_6, tile_1_7, tile_1_8, tile_1_9, tile_1_10, tile_1_11, tile_1_12,
			tile_1_13, tile_1_14, tile_1_15, tile_1_16 },
		[2] = { NULL, tile_2_1, tile_2_2, tile_2_3, tile_2_4, tile_2_5, tile_2_6, tile_2_7, tile_2_8 },
		[4] = { NULL, tile_4_1, tile_4_2, tile_4_3, tile_4_4, tile_4_5, tile_4_6 },
	},
};

#endif
