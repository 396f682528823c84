// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * AVX-512: sixteen places a vector. An entry's weights are broadcast, vpdpwssd multiplies both channels of sixteen pixels by them and adds the products to
 * the sums, which stay in registers until a tile's last entry: four rows of six vectors, beside four weights and the words.
 */
#include "cpu_conv.h"

#if defined(__x86_64__)

#include <immintrin.h>

#define TARGET __attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,avx512vnni,popcnt")))
#define INLINE __attribute__((always_inline)) inline

#define LANES 16u

/* The multiplication of accel_requant() for a row. */
struct requant {
	__m512i mult, half;
	__m128i shift;
	bool narrow;   /* shifts of 17 to 32: with a multiplier that many times as large the result is the upper half of 64 bits */
};

TARGET static INLINE struct requant requant_of(const struct accel_layer *layer, uint32_t row)
{
	const unsigned int shift = layer->shift[row];
	const bool narrow = shift >= 17 && shift <= 32;

	return (struct requant){
		.mult = _mm512_set1_epi64(narrow ? (int64_t)layer->mult[row] << (32 - shift) : layer->mult[row]),
		.half = _mm512_set1_epi64((int64_t)1 << (narrow ? 31 : shift - 1)),
		.shift = _mm_cvtsi32_si128((int)shift),
		.narrow = narrow,
	};
}

TARGET static INLINE __m256i scaled_wide(const struct requant *q, __m256i sums)
{
	__m512i product = _mm512_mul_epi32(_mm512_cvtepi32_epi64(sums), q->mult);

	return _mm512_cvtsepi64_epi32(_mm512_sra_epi64(_mm512_add_epi64(product, q->half), q->shift));
}

/* Scaled, rounded, not yet clamped. */
TARGET static INLINE __m512i scaled(const struct requant *q, __m512i sums)
{
	__m512i even, odd;

	if (!q->narrow)
		return _mm512_inserti64x4(_mm512_castsi256_si512(scaled_wide(q, _mm512_castsi512_si256(sums))),
					  scaled_wide(q, _mm512_extracti64x4_epi64(sums, 1)), 1);
	even = _mm512_add_epi64(_mm512_mul_epi32(sums, q->mult), q->half);
	odd = _mm512_add_epi64(_mm512_mul_epi32(_mm512_srli_epi64(sums, 32), q->mult), q->half);
	return _mm512_mask_shuffle_epi32(odd, 0x5555, even, _MM_PERM_CDAB);
}

/* Outputs beyond +-32767 where the clamp is there, of n vectors of a row; few tiles have any. */
TARGET static __attribute__((noinline)) uint64_t beyond(const struct cpu_conv_job *job, uint32_t row, uint32_t vector, const __m512i *sums, uint32_t n)
{
	const struct requant q = requant_of(job->layer, row);
	const struct conv_layout *l = job->layout;
	uint64_t count = 0;

	for (uint32_t v = 0; v < n; v++) {
		__m512i values = scaled(&q, sums[v]);
		uint32_t over = job->out->hi == 32767 ? _mm512_cmpgt_epi32_mask(values, _mm512_set1_epi32(32767)) : 0, valid = 0;

		over |= job->out->lo == -32767 ? _mm512_cmplt_epi32_mask(values, _mm512_set1_epi32(-32767)) : 0;
		for (uint32_t i = l->line_first[vector + v]; i < l->line_first[vector + v + 1]; i++)
			valid |= l->lines[i].mask;
		count += (unsigned int)__builtin_popcount(over & valid);
	}
	return count;
}

/* Scales n sums of a row; whoever stores bytes clamps them. */
TARGET static INLINE void scale(const struct cpu_conv_job *job, uint32_t row, __m512i *sums, uint32_t n)
{
	const struct requant q = requant_of(job->layer, row);

#pragma GCC unroll 6
	for (uint32_t v = 0; v < n; v++)
		sums[v] = scaled(&q, sums[v]);
}

/* Turns n sums of a row into outputs. */
TARGET static INLINE void requant(const struct cpu_conv_job *job, uint32_t row, uint32_t vector, __m512i *sums, uint32_t n, uint64_t *saturated)
{
	const struct requant q = requant_of(job->layer, row);
	const __m512i lo = _mm512_set1_epi32(job->out->lo), hi = _mm512_set1_epi32(job->out->hi);
	__m512i values[CONV_TILE_MAX], least, most;

#pragma GCC unroll 6
	for (uint32_t v = 0; v < n; v++)
		values[v] = scaled(&q, sums[v]);
	most = least = values[0];
#pragma GCC unroll 6
	for (uint32_t v = 1; v < n; v++) {
		most = _mm512_max_epi32(most, values[v]);
		least = job->out->lo == -32767 ? _mm512_min_epi32(least, values[v]) : least;
	}
	/* places that are no outputs may be beyond, too */
	if ((job->out->hi == 32767 && _mm512_cmpgt_epi32_mask(most, hi)) || (job->out->lo == -32767 && _mm512_cmplt_epi32_mask(least, lo))) {
		__m512i copy[CONV_TILE_MAX];

#pragma GCC unroll 6
		for (uint32_t v = 0; v < n; v++)
			copy[v] = sums[v];
		*saturated += beyond(job, row, vector, copy, n);
	}
#pragma GCC unroll 6
	for (uint32_t v = 0; v < n; v++)
		sums[v] = _mm512_min_epi32(_mm512_max_epi32(values[v], lo), hi);
}

TARGET static INLINE void store_words(const struct cpu_conv_job *job, uint32_t pack, uint32_t vector, __m512i words)
{
	const struct conv_layout *l = job->layout;
	int32_t *y = (int32_t *)job->y + pack * l->to_plane;

	for (const struct conv_line *line = l->lines + l->line_first[vector], *end = l->lines + l->line_first[vector + 1]; line < end; line++) {
		/* masked stores are slow on some processors */
		if (line->zeros)
			_mm512_storeu_si512(y + line->to, _mm512_mask_mov_epi32(_mm512_set1_epi8((char)l->to_zero), (__mmask16)line->mask, words));
		else
			_mm512_mask_storeu_epi32(y + line->to, (__mmask16)line->mask, words);
	}
}

TARGET static INLINE void store_plain(const struct cpu_conv_job *job, uint32_t row, uint32_t vector, __m512i words)
{
	const struct conv_layout *l = job->layout;
	int16_t *y = job->y + row * l->to_plane;
	__m256i values = _mm512_cvtepi32_epi16(words);

	for (const struct conv_line *line = l->lines + l->line_first[vector], *end = l->lines + l->line_first[vector + 1]; line < end; line++) {
		if (line->mask == UINT16_MAX)
			_mm256_storeu_si256((__m256i *)(y + line->to), values);
		else
			_mm256_mask_storeu_epi16(y + line->to, (__mmask16)line->mask, values);
	}
}

/* A vector of four rows, scaled, clamped here. */
TARGET static INLINE void store_bytes(const struct cpu_conv_job *job, uint32_t pack, uint32_t vector, __m512i a, __m512i b, __m512i c, __m512i d)
{
	const __m512i turn = _mm512_broadcast_i32x4(_mm_set_epi8(15, 11, 7, 3, 14, 10, 6, 2, 13, 9, 5, 1, 12, 8, 4, 0));
	const __m512i zero = _mm512_set1_epi16(job->layout->to_zero);
	const __m512i lo = _mm512_set1_epi8((char)(job->out->lo + job->layout->to_zero)), hi = _mm512_set1_epi8((char)(job->out->hi + job->layout->to_zero));
	/* saturating: of each 128 bits four of a, of b, of c, of d */
	__m512i bytes = _mm512_packus_epi16(_mm512_adds_epi16(_mm512_packs_epi32(a, b), zero), _mm512_adds_epi16(_mm512_packs_epi32(c, d), zero));

	store_words(job, pack, vector, _mm512_shuffle_epi8(_mm512_min_epu8(_mm512_max_epu8(bytes, lo), hi), turn));
}

/* Entries of one set of rows. */
TARGET static INLINE const int32_t *multiply(const int32_t *entry, const int32_t *end, const int32_t *words, __m512i sums[CONV_GROUP][CONV_TILE_MAX],
					     uint32_t n, uint32_t set, bool bytes)
{
	while (entry < end) {
		const int32_t *x = words + *entry++;
		__m512i weight[CONV_GROUP];

#pragma GCC unroll 4
		for (uint32_t r = 0; r < CONV_GROUP; r++)
			if (set >> r & 1)
				weight[r] = _mm512_set1_epi32(*entry++);
#pragma GCC unroll 6
		for (uint32_t v = 0; v < n; v++) {
			__m512i w = _mm512_loadu_si512(x + v * LANES);

#pragma GCC unroll 4
			for (uint32_t r = 0; r < CONV_GROUP; r++)
				if (set >> r & 1)
					sums[r][v] = bytes ? _mm512_dpbusd_epi32(sums[r][v], w, weight[r]) : _mm512_dpwssd_epi32(sums[r][v], w, weight[r]);
		}
	}
	return entry;
}

/* n vectors of a group of rows; n is a constant where this is inlined. */
TARGET static INLINE void tile(const struct cpu_conv_job *job, const struct conv_piece *p, uint32_t n, bool bytes, uint64_t *saturated)
{
	const int32_t *words = job->words + (size_t)p->vector * LANES, *entry = p->entries;
	uint32_t row = p->group * CONV_GROUP, rows = job->layer->rows - row;
	__m512i sums[CONV_GROUP][CONV_TILE_MAX];

#pragma GCC unroll 4
	for (uint32_t r = 0; r < CONV_GROUP; r++) {
		const __m512i bias = _mm512_set1_epi32(r < rows ? job->layout->bias[row + r] : 0);

#pragma GCC unroll 6
		for (uint32_t v = 0; v < n; v++)
			sums[r][v] = p->begins ? bias : _mm512_load_si512(p->partial + (r * n + v) * LANES);
	}
#pragma GCC unroll 16
	for (uint32_t set = 1; set < CONV_SETS; set++)
		entry = multiply(entry, p->entries + p->ends[set], words, sums, n, set, bytes);
	if (!p->completes) {
#pragma GCC unroll 4
		for (uint32_t r = 0; r < CONV_GROUP; r++) {
#pragma GCC unroll 6
			for (uint32_t v = 0; v < n; v++)
				_mm512_store_si512(p->partial + (r * n + v) * LANES, sums[r][v]);
		}
		return;
	}
	if (job->layout->packed && job->layout->to_each == 4) {
#pragma GCC unroll 4
		for (uint32_t r = 0; r < CONV_GROUP; r++)
			scale(job, r < rows ? row + r : row, sums[r], n);
#pragma GCC unroll 6
		for (uint32_t v = 0; v < n; v++)
			store_bytes(job, p->group, p->vector + v, sums[0][v], sums[1][v], sums[2][v], sums[3][v]);
		return;
	}
#pragma GCC unroll 4
	for (uint32_t r = 0; r < CONV_GROUP; r++)
		if (r < rows)
			requant(job, row + r, p->vector, sums[r], n, saturated);
	if (!job->layout->packed) {
#pragma GCC unroll 4
		for (uint32_t r = 0; r < CONV_GROUP; r++) {
#pragma GCC unroll 6
			for (uint32_t v = 0; v < n; v++)
				if (r < rows)
					store_plain(job, row + r, p->vector + v, sums[r][v]);
		}
		return;
	}
#pragma GCC unroll 2
	for (uint32_t r = 0; r < CONV_GROUP; r += 2) {
		if (r >= rows)
			return;
#pragma GCC unroll 6
		for (uint32_t v = 0; v < n; v++) {
			__m512i odd = r + 1 < rows ? _mm512_slli_epi32(sums[r + 1][v], 16) : _mm512_setzero_si512();

			store_words(job, (row + r) / 2, p->vector + v, _mm512_mask_blend_epi16(0xaaaaaaaa, sums[r][v], odd));
		}
	}
}

#define TILE(n) \
	TARGET static void tile_##n(const struct cpu_conv_job *job, const struct conv_piece *piece, uint64_t *saturated) \
	{ \
		tile(job, piece, n, false, saturated); \
	} \
	TARGET static void bytes_##n(const struct cpu_conv_job *job, const struct conv_piece *piece, uint64_t *saturated) \
	{ \
		tile(job, piece, n, true, saturated); \
	}
TILE(1) TILE(2) TILE(3) TILE(4) TILE(5) TILE(6)

const struct cpu_conv_level cpu_conv_avx512 = {
	.name = "avx512",
	.lanes = LANES,
	.tile_max = 6,
	.each = 4,
	.tiles = { { NULL, tile_1, tile_2, tile_3, tile_4, tile_5, tile_6 }, { NULL, bytes_1, bytes_2, bytes_3, bytes_4, bytes_5, bytes_6 } },
};

#endif
