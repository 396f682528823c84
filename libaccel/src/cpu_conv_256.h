/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/*
 * Convolutions with vectors of eight places: the levels avx2 and avxvnni, which define TARGET, INLINE, LEVEL, the name of their struct cpu_conv_level, NAME, EACH,
 * the most channels of a word, and
 *     multiply_add(sums, words, weights, bytes)      sums + products of the two channels of each word, or of its four where bytes is set
 * before they include it, once.
 */
#include "cpu_conv.h"
#include "cpu_requant_256.h"

#define LANES 8u

/* accel_requant() of eight places of a row, one by one. */
TARGET static __attribute__((noinline)) __m256i requant_each(const struct cpu_conv_job *job, uint32_t row, uint32_t valid, __m256i sums, uint64_t *saturated)
{
	int32_t values[LANES];

	_mm256_storeu_si256((__m256i *)values, sums);
	for (uint32_t lane = 0; lane < LANES; lane++) {
		uint64_t cut = 0;

		values[lane] = accel_requant(values[lane], job->layer->mult[row], job->layer->shift[row], job->out->lo, job->out->hi, &cut);
		*saturated += valid >> lane & 1 ? cut : 0;
	}
	return _mm256_loadu_si256((const __m256i *)values);
}

/* Outputs of eight places of a row; valid: lanes that are outputs. */
TARGET static INLINE __m256i requant(const struct cpu_conv_job *job, uint32_t row, uint32_t valid, __m256i sums, uint64_t *saturated)
{
	if (!job->layout->mults)
		return requant_each(job, row, valid, sums, saturated);
	return requant_upper(sums, job->layout->mults[row], job->out->lo, job->out->hi, valid, saturated);
}

/* A vector of two rows, or of one. */
TARGET static INLINE __m256i pair(__m256i even, __m256i odd)
{
	return _mm256_blend_epi16(even, _mm256_slli_epi32(odd, 16), 0xaa);
}

/* A vector of four rows as bytes. */
TARGET static INLINE __m256i quad(const __m256i rows[CONV_GROUP], uint8_t raised)
{
	const __m256i turn = _mm256_broadcastsi128_si256(_mm_set_epi8(15, 11, 7, 3, 14, 10, 6, 2, 13, 9, 5, 1, 12, 8, 4, 0)), zero = _mm256_set1_epi16(raised);
	/* of each 128 bits four of each row */
	__m256i low = _mm256_add_epi16(_mm256_packs_epi32(rows[0], rows[1]), zero), high = _mm256_add_epi16(_mm256_packs_epi32(rows[2], rows[3]), zero);

	return _mm256_shuffle_epi8(_mm256_packus_epi16(low, high), turn);
}

/* Of each line those of its places. */
TARGET static INLINE void store_words(const struct cpu_conv_job *job, uint32_t pack, const struct conv_line *line, const struct conv_line *end, __m256i words)
{
	const __m256i bits = _mm256_set_epi32(128, 64, 32, 16, 8, 4, 2, 1);
	int32_t *y = (int32_t *)job->y + pack * job->layout->to_plane;

	for (; line < end; line++) {
		const __m256i mask = _mm256_cmpeq_epi32(_mm256_and_si256(_mm256_set1_epi32((int32_t)line->mask), bits), bits);

		/* masked stores are slow on some processors */
		if (line->zeros)
			_mm256_storeu_si256((__m256i *)(y + line->to), _mm256_blendv_epi8(_mm256_set1_epi8((char)job->layout->to_zero), words, mask));
		else
			_mm256_maskstore_epi32(y + line->to, mask, words);
	}
}

TARGET static INLINE void store_plain(const struct cpu_conv_job *job, uint32_t row, const struct conv_line *line, const struct conv_line *end, __m256i values)
{
	int16_t *y = job->y + row * job->layout->to_plane, lanes[LANES];
	const __m128i all = _mm_packs_epi32(_mm256_castsi256_si128(values), _mm256_extracti128_si256(values, 1));

	_mm_storeu_si128((__m128i *)lanes, all);
	for (; line < end; line++) {
		if (line->mask == (1u << LANES) - 1)
			_mm_storeu_si128((__m128i *)(y + line->to), all);
		for (int32_t lane = 0; lane < (int32_t)LANES && line->mask != (1u << LANES) - 1; lane++)
			if (line->mask >> lane & 1)
				y[line->to + lane] = lanes[lane];
	}
}

/* Writes the outputs among eight places of a group. */
TARGET static INLINE void store(const struct cpu_conv_job *job, uint32_t row, uint32_t rows, uint32_t vector, const __m256i sums[CONV_GROUP], uint64_t *saturated)
{
	const struct conv_layout *l = job->layout;
	const struct conv_line *line = l->lines + l->line_first[vector], *end = l->lines + l->line_first[vector + 1];
	__m256i values[CONV_GROUP];
	uint32_t valid = 0;

	for (const struct conv_line *i = line; i < end; i++)
		valid |= i->mask;
#pragma GCC unroll 4
	for (uint32_t r = 0; r < CONV_GROUP; r++)
		values[r] = r < rows ? requant(job, row + r, valid, sums[r], saturated) : _mm256_setzero_si256();
	if (l->packed && l->to_each == 4) {
		store_words(job, row / 4, line, end, quad(values, l->to_zero));
		return;
	}
#pragma GCC unroll 4
	for (uint32_t r = 0; r < CONV_GROUP; r++) {
		if (r < rows && !l->packed)
			store_plain(job, row + r, line, end, values[r]);
		else if (r < rows && r % 2 == 0)
			store_words(job, (row + r) / 2, line, end, pair(values[r], values[r + 1]));
	}
}

TARGET static INLINE void multiply_row(const __m256i *x, int32_t weights, __m256i *sums, uint32_t n, bool bytes)
{
	const __m256i weight = _mm256_set1_epi32(weights);

#pragma GCC unroll 3
	for (uint32_t v = 0; v < n; v++)
		sums[v] = multiply_add(sums[v], _mm256_loadu_si256(x + v), weight, bytes);
}

/* Entries of one set of rows. */
TARGET static INLINE const int32_t *multiply(const int32_t *entry, const int32_t *end, const int32_t *words, __m256i sums[CONV_GROUP][CONV_TILE_MAX],
					     uint32_t n, uint32_t set, bool bytes)
{
	while (entry != end) {
		const __m256i *x = (const __m256i *)(words + *entry++);
		/* one after the other: registers have room for one weight */
		if (set & 1)
			multiply_row(x, *entry++, sums[0], n, bytes);
		if (set & 2)
			multiply_row(x, *entry++, sums[1], n, bytes);
		if (set & 4)
			multiply_row(x, *entry++, sums[2], n, bytes);
		if (set & 8)
			multiply_row(x, *entry++, sums[3], n, bytes);
	}
	return end;
}

/* n vectors of a group of rows; n is a constant where this is inlined. */
TARGET static INLINE void tile(const struct cpu_conv_job *job, const struct conv_piece *p, uint32_t n, bool bytes, uint64_t *saturated)
{
	const int32_t *words = job->words + (size_t)p->vector * LANES, *entry = p->entries;
	uint32_t row = p->group * CONV_GROUP, rows = job->layer->rows - row;
	__m256i sums[CONV_GROUP][CONV_TILE_MAX];

#pragma GCC unroll 4
	for (uint32_t r = 0; r < CONV_GROUP; r++) {
		const __m256i bias = _mm256_set1_epi32(r < rows ? job->layout->bias[row + r] : 0);

#pragma GCC unroll 3
		for (uint32_t v = 0; v < n; v++)
			sums[r][v] = p->begins ? bias : _mm256_load_si256((const __m256i *)(p->partial + (r * n + v) * LANES));
	}
#pragma GCC unroll 16
	for (uint32_t set = 1; set < CONV_SETS; set++)
		entry = multiply(entry, p->entries + p->ends[set], words, sums, n, set, bytes);
#pragma GCC unroll 3
	for (uint32_t v = 0; v < n; v++) {
		const __m256i all[CONV_GROUP] = { sums[0][v], sums[1][v], sums[2][v], sums[3][v] };

		if (p->completes) {
			store(job, row, rows, p->vector + v, all, saturated);
			continue;
		}
#pragma GCC unroll 4
		for (uint32_t r = 0; r < CONV_GROUP; r++)
			_mm256_store_si256((__m256i *)(p->partial + (r * n + v) * LANES), all[r]);
	}
}

#define TILE(n) \
	TARGET static void tile_##n(const struct cpu_conv_job *job, const struct conv_piece *piece, uint64_t *saturated) \
	{ \
		tile(job, piece, n, false, saturated); \
	}
TILE(1) TILE(2) TILE(3)
#if EACH == 4
#define BYTES(n) \
	TARGET static void bytes_##n(const struct cpu_conv_job *job, const struct conv_piece *piece, uint64_t *saturated) \
	{ \
		tile(job, piece, n, true, saturated); \
	}
BYTES(1) BYTES(2) BYTES(3)
#endif

/* 16 registers: four rows of three sums, a weight, words. */
const struct cpu_conv_level LEVEL = {
	.name = NAME,
	.lanes = LANES,
	.tile_max = 3,
	.each = EACH,
	.tiles[0] = { NULL, tile_1, tile_2, tile_3 },
#if EACH == 4
	.tiles[1] = { NULL, bytes_1, bytes_2, bytes_3 },
#endif
};
