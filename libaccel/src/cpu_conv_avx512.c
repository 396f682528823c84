// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * AVX-512: sixteen places a vector. An entry's weights are broadcast, vpdpwssd multiplies both channels of sixteen pixels by them and adds the products to
 * the sums, which stay in registers until a tile's last entry: four rows of six vectors, beside four weights and the words.
 */
#include "cpu_conv.h"

#if defined(__x86_64__)

#include <immintrin.h>

#define TARGET __attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,avx512vnni,popcnt,prfchw")))
#define INLINE __attribute__((always_inline)) inline

#define LANES 16u

/* accel_requant() where the layout has multipliers, not yet clamped. */
TARGET static INLINE __m512i scaled(__m512i sums, __m512i mult)
{
	const __m512i half = _mm512_set1_epi64((int64_t)1 << 31);
	__m512i even = _mm512_add_epi64(_mm512_mul_epi32(sums, mult), half);
	__m512i odd = _mm512_add_epi64(_mm512_mul_epi32(_mm512_srli_epi64(sums, 32), mult), half);

	return _mm512_mask_shuffle_epi32(odd, 0x5555, even, _MM_PERM_CDAB);
}

TARGET static INLINE __m256i scaled_half(const struct accel_layer *layer, uint32_t row, __m256i sums)
{
	const unsigned int shift = layer->shift[row];
	__m512i product = _mm512_mul_epi32(_mm512_cvtepi32_epi64(sums), _mm512_set1_epi64(layer->mult[row]));

	product = _mm512_add_epi64(product, _mm512_set1_epi64((int64_t)1 << (shift - 1)));
	return _mm512_cvtsepi64_epi32(_mm512_sra_epi64(product, _mm_cvtsi32_si128((int)shift)));
}

/* The same for any shift. */
TARGET static INLINE __m512i scaled_wide(const struct accel_layer *layer, uint32_t row, __m512i sums)
{
	return _mm512_inserti64x4(_mm512_castsi256_si512(scaled_half(layer, row, _mm512_castsi512_si256(sums))),
				  scaled_half(layer, row, _mm512_extracti64x4_epi64(sums, 1)), 1);
}

/* As scaled(), of row and where there may be none. */
TARGET static INLINE __m512i scaled_row(const struct cpu_conv_job *job, uint32_t row, __m512i sums)
{
	return job->layout->mults ? scaled(sums, _mm512_set1_epi64(job->layout->mults[row])) : scaled_wide(job->layer, row, sums);
}

/* Outputs beyond +-32767 where the clamp is there, of n vectors of a row; few tiles have any. */
TARGET static __attribute__((noinline)) uint64_t beyond(const struct cpu_conv_job *job, uint32_t row, uint32_t vector, const __m512i *sums, uint32_t n)
{
	const struct conv_layout *l = job->layout;
	uint64_t count = 0;

	for (uint32_t v = 0; v < n; v++) {
		__m512i values = scaled_row(job, row, sums[v]);
		uint32_t over = job->out->hi == 32767 ? _mm512_cmpgt_epi32_mask(values, _mm512_set1_epi32(32767)) : 0, valid = 0;

		over |= job->out->lo == -32767 ? _mm512_cmplt_epi32_mask(values, _mm512_set1_epi32(-32767)) : 0;
		for (uint32_t i = l->line_first[vector + v]; i < l->line_first[vector + v + 1]; i++)
			valid |= l->lines[i].mask;
		count += (unsigned int)__builtin_popcount(over & valid);
	}
	return count;
}

/* Where n vectors of a pack of the output go, or wait until put_lines() takes them to several places. */
struct place {
	int32_t *to;
	const struct conv_line *lines;   /* [n] with the masks */
	__m512i zeros, wait[CONV_TILE_MAX];
};

TARGET static INLINE void place_of(const struct cpu_conv_job *job, uint32_t pack, uint32_t vector, struct place *place)
{
	static const struct conv_line whole[CONV_TILE_MAX] = { [0 ... CONV_TILE_MAX - 1] = { .mask = UINT16_MAX } };
	const struct conv_layout *l = job->layout;

	place->to = l->even ? (int32_t *)job->y + pack * l->to_plane + l->lines[0].to + (size_t)vector * LANES : (int32_t *)place->wait;
	place->lines = l->even ? l->lines + vector : whole;
	place->zeros = _mm512_set1_epi8((char)l->to_zero);
}

TARGET static INLINE void put(const struct place *place, uint32_t v, __m512i words)
{
	/* masked stores are slow on some processors */
	_mm512_storeu_si512(place->to + v * LANES, _mm512_mask_mov_epi32(place->zeros, (__mmask16)place->lines[v].mask, words));
}

TARGET static __attribute__((noinline)) void put_lines(const struct cpu_conv_job *job, uint32_t pack, uint32_t vector, const struct place *place, uint32_t n)
{
	const struct conv_layout *l = job->layout;
	int32_t *y = (int32_t *)job->y + pack * l->to_plane;

	for (uint32_t v = 0; v < n; v++) {
		for (uint32_t i = l->line_first[vector + v]; i < l->line_first[vector + v + 1]; i++) {
			const struct conv_line *line = &l->lines[i];

			if (line->zeros)
				_mm512_storeu_si512(y + line->to, _mm512_mask_mov_epi32(place->zeros, (__mmask16)line->mask, place->wait[v]));
			else
				_mm512_mask_storeu_epi32(y + line->to, (__mmask16)line->mask, place->wait[v]);
		}
	}
}

TARGET static INLINE void store_plain(const struct cpu_conv_job *job, uint32_t row, uint32_t vector, __m256i values)
{
	const struct conv_layout *l = job->layout;
	int16_t *y = job->y + row * l->to_plane;

	for (const struct conv_line *line = l->lines + l->line_first[vector], *end = l->lines + l->line_first[vector + 1]; line < end; line++) {
		if (line->mask == UINT16_MAX)
			_mm256_storeu_si256((__m256i *)(y + line->to), values);
		else
			_mm256_mask_storeu_epi16(y + line->to, (__mmask16)line->mask, values);
	}
}

/* Scaled sums as outputs: of each 128 bits four of a, four of b. */
TARGET static INLINE __m512i clamped(__m512i a, __m512i b, __m512i lo, __m512i hi)
{
	return _mm512_min_epi16(_mm512_max_epi16(_mm512_packs_epi32(a, b), lo), hi);
}

/* Whether some of them may have been beyond +-32767; places that are no outputs may be, too. */
TARGET static INLINE bool at_ends(const struct cpu_conv_job *job, __m512i least, __m512i most)
{
	return (job->out->hi == 32767 && _mm512_cmpeq_epi16_mask(most, _mm512_set1_epi16(32767))) ||
	       (job->out->lo == -32767 && _mm512_cmpeq_epi16_mask(least, _mm512_set1_epi16(-32767)));
}

/* n vectors of two rows, both of which there are. */
TARGET static INLINE void store_pair(const struct cpu_conv_job *job, uint32_t row, uint32_t vector, const __m512i *a, const __m512i *b, uint32_t n,
				     uint64_t *saturated)
{
	const __m512i turn = _mm512_broadcast_i32x4(_mm_set_epi8(15, 14, 7, 6, 13, 12, 5, 4, 11, 10, 3, 2, 9, 8, 1, 0));
	const __m512i mult_a = _mm512_set1_epi64(job->layout->mults[row]), mult_b = _mm512_set1_epi64(job->layout->mults[row + 1]);
	const __m512i lo = _mm512_set1_epi16(job->out->lo), hi = _mm512_set1_epi16(job->out->hi);
	__m512i least = _mm512_set1_epi16(INT16_MAX), most = _mm512_set1_epi16(INT16_MIN);
	struct place place;

	place_of(job, row / 2, vector, &place);
#pragma GCC unroll 6
	for (uint32_t v = 0; v < n; v++) {
		__m512i values = clamped(scaled(a[v], mult_a), scaled(b[v], mult_b), lo, hi);

		least = _mm512_min_epi16(least, values);
		most = _mm512_max_epi16(most, values);
		put(&place, v, _mm512_shuffle_epi8(values, turn));
	}
	if (!job->layout->even)
		put_lines(job, row / 2, vector, &place, n);
	if (at_ends(job, least, most)) {
		__m512i copy[2][CONV_TILE_MAX];

#pragma GCC unroll 6
		for (uint32_t v = 0; v < n; v++) {
			copy[0][v] = a[v];
			copy[1][v] = b[v];
		}
		*saturated += beyond(job, row, vector, copy[0], n) + beyond(job, row + 1, vector, copy[1], n);
	}
}

/* n vectors of rows of any number and shifts, to any place. */
TARGET static __attribute__((noinline)) void store_rows(const struct cpu_conv_job *job, uint32_t row, uint32_t rows, uint32_t vector,
							__m512i sums[CONV_GROUP][CONV_TILE_MAX], uint32_t n, uint64_t *saturated)
{
	const __m512i lo = _mm512_set1_epi16(job->out->lo), hi = _mm512_set1_epi16(job->out->hi);

	for (uint32_t r = 0; r < rows; r += 2) {
		__m512i least = _mm512_set1_epi16(INT16_MAX), most = _mm512_set1_epi16(INT16_MIN);
		const bool two = r + 1 < rows;
		struct place place;

		if (job->layout->packed)
			place_of(job, (row + r) / 2, vector, &place);
		for (uint32_t v = 0; v < n; v++) {
			__m512i a = scaled_row(job, row + r, sums[r][v]), b = two ? scaled_row(job, row + r + 1, sums[r + 1][v]) : a;
			__m512i values = clamped(a, b, lo, hi);

			least = _mm512_min_epi16(least, values);
			most = _mm512_max_epi16(most, values);
			/* in order: those of a, then those of b */
			values = _mm512_permutexvar_epi64(_mm512_set_epi64(7, 5, 3, 1, 6, 4, 2, 0), values);
			a = _mm512_cvtepu16_epi32(_mm512_castsi512_si256(values));
			b = _mm512_cvtepu16_epi32(_mm512_extracti64x4_epi64(values, 1));
			if (job->layout->packed) {
				put(&place, v, two ? _mm512_or_si512(a, _mm512_slli_epi32(b, 16)) : a);
				continue;
			}
			store_plain(job, row + r, vector + v, _mm512_castsi512_si256(values));
			if (two)
				store_plain(job, row + r + 1, vector + v, _mm512_extracti64x4_epi64(values, 1));
		}
		if (job->layout->packed && !job->layout->even)
			put_lines(job, (row + r) / 2, vector, &place, n);
		for (uint32_t i = r; at_ends(job, least, most) && i < r + 2 && i < rows; i++)
			*saturated += beyond(job, row + i, vector, sums[i], n);
	}
}

/* n vectors of four rows as bytes; a row that there is not is whatever the first one is. */
TARGET static INLINE void store_bytes(const struct cpu_conv_job *job, uint32_t row, uint32_t rows, uint32_t vector, __m512i sums[CONV_GROUP][CONV_TILE_MAX], uint32_t n)
{
	const __m512i turn = _mm512_broadcast_i32x4(_mm_set_epi8(15, 11, 7, 3, 14, 10, 6, 2, 13, 9, 5, 1, 12, 8, 4, 0));
	const __m512i zero = _mm512_set1_epi16(job->layout->to_zero);
	const __m512i lo = _mm512_set1_epi8((char)(job->out->lo + job->layout->to_zero)), hi = _mm512_set1_epi8((char)(job->out->hi + job->layout->to_zero));
	struct place place;

#pragma GCC unroll 4
	for (uint32_t r = 0; r < CONV_GROUP; r++) {
#pragma GCC unroll 6
		for (uint32_t v = 0; v < n; v++)
			sums[r][v] = scaled_row(job, r < rows ? row + r : row, sums[r][v]);
	}
	place_of(job, row / CONV_GROUP, vector, &place);
#pragma GCC unroll 6
	for (uint32_t v = 0; v < n; v++) {
		/* saturating: of each 128 bits four of each row */
		__m512i low = _mm512_adds_epi16(_mm512_packs_epi32(sums[0][v], sums[1][v]), zero);
		__m512i high = _mm512_adds_epi16(_mm512_packs_epi32(sums[2][v], sums[3][v]), zero);
		__m512i bytes = _mm512_min_epu8(_mm512_max_epu8(_mm512_packus_epi16(low, high), lo), hi);

		put(&place, v, _mm512_shuffle_epi8(bytes, turn));
	}
	if (!job->layout->even)
		put_lines(job, row / CONV_GROUP, vector, &place, n);
}

/* The places that n vectors of a group go to come into the cache while products are made: they were written long ago, if ever. */
TARGET static INLINE void prefetch(const struct cpu_conv_job *job, uint32_t group, uint32_t vector, uint32_t n)
{
	const struct conv_layout *l = job->layout;
	const uint32_t packs = CONV_GROUP / l->to_each;
	const int32_t *y = (const int32_t *)job->y + (size_t)group * packs * l->to_plane + l->lines[l->line_first[vector]].to;

#pragma GCC unroll 6
	for (uint32_t v = 0; v < n; v++) {
		__builtin_prefetch(y + v * LANES, 1);
		if (packs > 1)
			__builtin_prefetch(y + l->to_plane + v * LANES, 1);
	}
}

/* Entries of one set of rows. */
TARGET static INLINE const int32_t *multiply(const int32_t *entry, const int32_t *end, const int32_t *words, __m512i sums[CONV_GROUP][CONV_TILE_MAX],
					     uint32_t n, uint32_t set, bool bytes)
{
	while (entry != end) {
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
	return end;
}

/* n vectors of a group of rows; n is a constant where this is inlined. */
TARGET static INLINE void tile(const struct cpu_conv_job *job, const struct conv_piece *p, uint32_t n, bool bytes, uint64_t *saturated)
{
	const int32_t *words = job->words + (size_t)p->vector * LANES, *entry = p->entries;
	const struct conv_layout *l = job->layout;
	const uint32_t row = p->group * CONV_GROUP, rows = job->layer->rows - row;
	__m512i sums[CONV_GROUP][CONV_TILE_MAX], copy[CONV_GROUP][CONV_TILE_MAX];

	if (p->completes && l->packed)
		prefetch(job, p->group, p->vector, n);
#pragma GCC unroll 4
	for (uint32_t r = 0; r < CONV_GROUP; r++) {
		const __m512i bias = _mm512_set1_epi32(l->bias[row + r]);

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
	if (l->packed && l->to_each == 4) {
		store_bytes(job, row, rows, p->vector, sums, n);
	} else if (l->packed && l->mults && rows >= CONV_GROUP) {
		store_pair(job, row, p->vector, sums[0], sums[1], n, saturated);
		store_pair(job, row + 2, p->vector, sums[2], sums[3], n, saturated);
	} else {
#pragma GCC unroll 4
		for (uint32_t r = 0; r < CONV_GROUP; r++) {
#pragma GCC unroll 6
			for (uint32_t v = 0; v < n; v++)
				copy[r][v] = sums[r][v];
		}
		store_rows(job, row, rows < CONV_GROUP ? rows : CONV_GROUP, p->vector, copy, n, saturated);
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
