// SPDX-License-Identifier: GPL-2.0 OR MIT
/* Strides 1 and 2; the portable functions do others. Ends of lines are masked: nothing behind the last pixel is read. */
#include "cpu_lines.h"

#if defined(__x86_64__)

#include <immintrin.h>
#include <stdbool.h>

#define TARGET __attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,popcnt")))
#define INLINE __attribute__((always_inline)) inline

/* The first n of 32 lanes, all from 32 on. */
TARGET static INLINE __mmask32 first(uint32_t n)
{
	return n < 32 ? (1u << n) - 1 : UINT32_MAX;
}

/* The sum of the 16-bit lanes, even and odd. */
TARGET static void add_lanes(__m512i lanes, uint64_t count[2])
{
	const __m512i ones = _mm512_set1_epi32(1);

	count[0] += (uint32_t)_mm512_reduce_add_epi32(_mm512_madd_epi16(lanes, ones));
	count[1] += (uint32_t)_mm512_reduce_add_epi32(_mm512_srli_epi32(lanes, 16));
}

TARGET static void nonzeros(const int32_t *x, size_t n, uint64_t count[2])
{
	const __m512i one = _mm512_set1_epi16(1);

	while (n) {
		/* 16-bit counters, of which madd takes 32767 for the largest */
		size_t some = n < 16 * 16384 ? n : 16 * 16384, i = 0;
		__m512i lanes = _mm512_setzero_si512();

		for (; i + 16 <= some; i += 16)
			lanes = _mm512_add_epi16(lanes, _mm512_min_epu16(_mm512_loadu_si512(x + i), one));
		lanes = _mm512_add_epi16(lanes, _mm512_min_epu16(_mm512_maskz_loadu_epi32((__mmask16)((1u << (some - i)) - 1), x + i), one));
		add_lanes(lanes, count);
		x += some;
		n -= some;
	}
}

/* Sixteen pixels of a line as 32-bit words, or the n that are left of it. */
TARGET static INLINE __m512i spread(const int16_t *x, uint32_t n, uint32_t stride)
{
	if (stride == 1)
		return _mm512_cvtepu16_epi32(_mm256_maskz_loadu_epi16((__mmask16)first(n < 16 ? n : 16), x));
	return _mm512_maskz_loadu_epi16(first(n < 16 ? 2 * n - 1 : 31) & 0x55555555, x);
}

TARGET static void interleave(const int16_t *a, const int16_t *b, uint32_t n, uint32_t stride, int32_t *to)
{
	if (stride > 2) {
		cpu_lines_portable.interleave(a, b, n, stride, to);
		return;
	}
	for (uint32_t i = 0; i < n; i += 16) {
		__m512i v = spread(a + (size_t)i * stride, n - i, stride);

		if (b)
			v = _mm512_or_si512(v, _mm512_slli_epi32(spread(b + (size_t)i * stride, n - i, stride), 16));
		_mm512_mask_storeu_epi32(to + i, (__mmask16)first(n - i < 16 ? n - i : 16), v);
	}
}

TARGET static void quads(const int16_t *const x[4], uint8_t zero, uint32_t n, uint32_t stride, int32_t *to)
{
	if (stride > 2) {
		cpu_lines_portable.quads(x, zero, n, stride, to);
		return;
	}
	for (uint32_t i = 0; i < n; i += 16) {
		__m512i word = _mm512_setzero_si512();

#pragma GCC unroll 4
		for (uint32_t c = 0; c < 4; c++) {
			__m512i v = x[c] ? spread(x[c] + (size_t)i * stride, n - i, stride) : _mm512_setzero_si512();

			v = _mm512_and_si512(_mm512_add_epi32(v, _mm512_set1_epi32(zero)), _mm512_set1_epi32(255));
			word = _mm512_or_si512(word, _mm512_sll_epi32(v, _mm_cvtsi32_si128(8 * (int)c)));
		}
		_mm512_mask_storeu_epi32(to + i, (__mmask16)first(n - i < 16 ? n - i : 16), word);
	}
}

TARGET static void pick(const int32_t *x, uint32_t n, uint32_t stride, int32_t *to)
{
	const __m512i even = _mm512_set_epi32(30, 28, 26, 24, 22, 20, 18, 16, 14, 12, 10, 8, 6, 4, 2, 0);
	uint32_t i = 0;

	/* the last words one by one: nothing behind them is read */
	for (; stride <= 2 && i + 16 < n; i += 16) {
		__m512i a = _mm512_loadu_si512(x + (size_t)i * stride);

		_mm512_storeu_si512(to + i, stride == 1 ? a : _mm512_permutex2var_epi32(a, even, _mm512_loadu_si512(x + (size_t)i * stride + 16)));
	}
	cpu_lines_portable.pick(x + (size_t)i * stride, n - i, stride, to + i);
}

/* 32 pixels of a line, or the n that are left of it. */
TARGET static INLINE __m512i pixels(const int16_t *x, uint32_t n, uint32_t stride)
{
	uint32_t last = 2 * n - 1;

	if (stride == 1)
		return _mm512_maskz_loadu_epi16(first(n), x);
	/* the low halves of 32-bit words */
	return _mm512_inserti64x4(_mm512_castsi256_si512(_mm512_cvtepi32_epi16(_mm512_maskz_loadu_epi16(first(last), x))),
				  _mm512_cvtepi32_epi16(_mm512_maskz_loadu_epi16(last > 32 ? first(last - 32) : 0, x + 32)), 1);
}

/* The largest of ny pixels one below the other, of 32 columns or the n that are left. */
TARGET static INLINE __m512i column(const int16_t *x, uint32_t n, uint32_t ny, size_t line)
{
	__m512i best = _mm512_maskz_loadu_epi16(first(n), x);

	for (uint32_t ky = 1; ky < ny; ky++)
		best = _mm512_max_epi16(best, _mm512_maskz_loadu_epi16(first(n), x + ky * line));
	return best;
}

/* Windows up to three pixels wide, two pixels apart: 31 of them lie in two vectors of columns. */
TARGET static void largest_apart(int16_t *y, uint32_t n, const int16_t *x, uint32_t ny, size_t line, uint32_t nx)
{
	const __m512i even = _mm512_cvtepi8_epi16(_mm256_set_epi8(62, 60, 58, 56, 54, 52, 50, 48, 46, 44, 42, 40, 38, 36, 34, 32, 30, 28, 26, 24, 22, 20, 18,
								  16, 14, 12, 10, 8, 6, 4, 2, 0));

	for (uint32_t i = 0; i < n; i += 31, x += 62) {
		uint32_t left = n - i < 31 ? n - i : 31, wide = 2 * (left - 1) + nx;
		__m512i a = column(x, wide, ny, line), b = column(x + 32, wide > 32 ? wide - 32 : 0, ny, line);
		__m512i best = _mm512_permutex2var_epi16(a, even, b);

		for (uint32_t kx = 1; kx < nx; kx++)
			best = _mm512_max_epi16(best, _mm512_permutex2var_epi16(a, _mm512_add_epi16(even, _mm512_set1_epi16((int16_t)kx)), b));
		_mm512_mask_storeu_epi16(y + i, first(left), best);
	}
}

TARGET static void largest(void *y, uint32_t n, const void *from, uint32_t stride, uint32_t ny, size_t line, uint32_t nx, uint32_t dilate)
{
	const int16_t *x = from;

	if (stride > 2) {
		cpu_lines_portable.largest[0](y, n, x, stride, ny, line, nx, dilate);
		return;
	}
	if (stride == 2 && nx <= 3 && dilate == 1) {
		largest_apart(y, n, x, ny, line, nx);
		return;
	}
	for (uint32_t i = 0; i < n; i += 32) {
		uint32_t left = n - i < 32 ? n - i : 32;
		__m512i best = _mm512_set1_epi16(INT16_MIN);

		for (uint32_t ky = 0; ky < ny; ky++)
			for (uint32_t kx = 0; kx < nx; kx++)
				best = _mm512_max_epi16(best, pixels(x + (size_t)i * stride + ky * line + (size_t)kx * dilate, left, stride));
		_mm512_mask_storeu_epi16((int16_t *)y + i, first(left), best);
	}
}

/* Of words of two channels or of four. */
TARGET static INLINE __m512i larger(__m512i a, __m512i b, uint32_t each)
{
	return each == 4 ? _mm512_max_epu8(a, b) : _mm512_max_epi16(a, b);
}

/* The largest of ny words one below the other, of 16 columns or the n that are left; channels apart. */
TARGET static INLINE __m512i word_column(const int32_t *x, uint32_t n, uint32_t ny, size_t line, uint32_t each)
{
	const __mmask16 mask = (__mmask16)first(n);
	__m512i best = _mm512_maskz_loadu_epi32(mask, x);

	for (uint32_t ky = 1; ky < ny; ky++)
		best = larger(best, _mm512_maskz_loadu_epi32(mask, x + ky * line), each);
	return best;
}

#define AHEAD 1024   /* words */

/* Two lines, behind the next ones: what was written long ago is far away, and the processor does not see what comes when lines overlap. */
TARGET static INLINE void prefetch(const int32_t *x, size_t line)
{
	_mm_prefetch((const char *)(x + AHEAD), _MM_HINT_T0);
	_mm_prefetch((const char *)(x + AHEAD + 16), _MM_HINT_T0);
	_mm_prefetch((const char *)(x + AHEAD + line), _MM_HINT_T0);
	_mm_prefetch((const char *)(x + AHEAD + line + 16), _MM_HINT_T0);
}

/* As largest_apart(), 15 windows in two vectors. */
TARGET static INLINE void largest_words_apart(int32_t *y, uint32_t n, const int32_t *x, uint32_t ny, size_t line, uint32_t nx, uint32_t each)
{
	const __m512i even = _mm512_set_epi32(30, 28, 26, 24, 22, 20, 18, 16, 14, 12, 10, 8, 6, 4, 2, 0);

	for (uint32_t i = 0; i < n; i += 15, x += 30) {
		uint32_t left = n - i < 15 ? n - i : 15, wide = 2 * (left - 1) + nx;

		prefetch(x, line);
		__m512i a = word_column(x, wide < 16 ? wide : 16, ny, line, each), b = word_column(x + 16, wide > 16 ? wide - 16 : 0, ny, line, each);
		__m512i best = _mm512_permutex2var_epi32(a, even, b);

		for (uint32_t kx = 1; kx < nx; kx++)
			best = larger(best, _mm512_permutex2var_epi32(a, _mm512_add_epi32(even, _mm512_set1_epi32((int32_t)kx)), b), each);
		_mm512_mask_storeu_epi32(y + i, (__mmask16)first(left), best);
	}
}

TARGET static INLINE void largest_packed(void *y, uint32_t n, const void *from, uint32_t stride, uint32_t ny, size_t line, uint32_t nx, uint32_t dilate, uint32_t each)
{
	const int32_t *x = from;

	if (stride == 2 && nx <= 3 && dilate == 1) {
		largest_words_apart(y, n, x, ny, line, nx, each);
		return;
	}
	if (stride > 1) {
		cpu_lines_portable.largest[each / 2](y, n, x, stride, ny, line, nx, dilate);
		return;
	}
	for (uint32_t i = 0; i < n; i += 16) {
		uint32_t left = n - i < 16 ? n - i : 16;
		__m512i best = word_column(x + i, left, ny, line, each);

		for (uint32_t kx = 1; kx < nx; kx++)
			best = larger(best, word_column(x + i + (size_t)kx * dilate, left, ny, line, each), each);
		_mm512_mask_storeu_epi32((int32_t *)y + i, (__mmask16)first(left), best);
	}
}

TARGET static void largest_words(void *y, uint32_t n, const void *x, uint32_t stride, uint32_t ny, size_t line, uint32_t nx, uint32_t dilate)
{
	largest_packed(y, n, x, stride, ny, line, nx, dilate, 2);
}

TARGET static void largest_bytes(void *y, uint32_t n, const void *x, uint32_t stride, uint32_t ny, size_t line, uint32_t nx, uint32_t dilate)
{
	largest_packed(y, n, x, stride, ny, line, nx, dilate, 4);
}

TARGET static uint32_t sum(const int16_t *x, uint32_t ny, size_t line, uint32_t nx, uint32_t stride)
{
	const __m512i ones = stride == 1 ? _mm512_set1_epi16(1) : _mm512_set1_epi32(1);
	uint32_t values = nx ? (nx - 1) * stride + 1 : 0;
	__m512i s = _mm512_setzero_si512();

	for (uint32_t y = 0; y < ny; y++, x += line)
		for (uint32_t i = 0; i < values; i += 32)
			s = _mm512_add_epi32(s, _mm512_madd_epi16(_mm512_maskz_loadu_epi16(first(values - i), x + i), ones));
	return (uint32_t)_mm512_reduce_add_epi32(s);
}

/* Entries of a table of 256 by the upper bytes of u, 64 of them at a time. */
TARGET static INLINE __m512i look_up(const __m512i table[8], __m512i u)
{
	const __m512i at = _mm512_srli_epi16(u, 8);
	const __mmask32 odd = _mm512_movepi16_mask(_mm512_slli_epi16(u, 1)), upper = _mm512_movepi16_mask(u);
	__m512i low = _mm512_mask_blend_epi16(odd, _mm512_permutex2var_epi16(table[0], at, table[1]), _mm512_permutex2var_epi16(table[2], at, table[3]));
	__m512i high = _mm512_mask_blend_epi16(odd, _mm512_permutex2var_epi16(table[4], at, table[5]), _mm512_permutex2var_epi16(table[6], at, table[7]));

	return _mm512_mask_blend_epi16(upper, low, high);
}

/* from + ((to - from) * part + 128 >> 8) = from * (256 - part) + to * part + 128 >> 8. */
TARGET static void interpolate(const int16_t *table, const int16_t *x, size_t n, int16_t *y)
{
	const __m512i half = _mm512_set1_epi32(128), sign = _mm512_set1_epi16(INT16_MIN);
	__m512i from[8], to[8];

#pragma GCC unroll 8
	for (unsigned int k = 0; k < 8; k++) {
		from[k] = _mm512_loadu_si512(table + 32 * k);
		to[k] = _mm512_loadu_si512(table + 32 * k + 1);
	}
	for (size_t i = 0; i < n; i += 32) {
		const __mmask32 mask = first(n - i < 32 ? (uint32_t)(n - i) : 32);
		const __m512i u = _mm512_xor_si512(_mm512_maskz_loadu_epi16(mask, x + i), sign);
		const __m512i part = _mm512_and_si512(u, _mm512_set1_epi16(255)), rest = _mm512_sub_epi16(_mm512_set1_epi16(256), part);
		const __m512i a = look_up(from, u), b = look_up(to, u);
		__m512i low = _mm512_madd_epi16(_mm512_unpacklo_epi16(a, b), _mm512_unpacklo_epi16(rest, part));
		__m512i high = _mm512_madd_epi16(_mm512_unpackhi_epi16(a, b), _mm512_unpackhi_epi16(rest, part));

		low = _mm512_srai_epi32(_mm512_add_epi32(low, half), 8);
		high = _mm512_srai_epi32(_mm512_add_epi32(high, half), 8);
		_mm512_mask_storeu_epi16(y + i, mask, _mm512_packs_epi32(low, high));
	}
}

/* Scaled, rounded and clamped; *saturated counts lanes of mask. */
TARGET static INLINE __m128i scaled(const struct cpu_scale *s, __m256i products, __mmask8 mask, uint64_t *saturated)
{
	const __m512i half = _mm512_set1_epi64((int64_t)1 << (s->shift - 1)), lo = _mm512_set1_epi64(s->lo), hi = _mm512_set1_epi64(s->hi);
	__m512i v = _mm512_add_epi64(_mm512_mul_epi32(_mm512_cvtepi32_epi64(products), _mm512_set1_epi64(s->mult)), half);
	__mmask8 over = 0;

	v = _mm512_sra_epi64(v, _mm_cvtsi32_si128(s->shift));
	over |= s->hi == 32767 ? _mm512_cmpgt_epi64_mask(v, hi) : 0;
	over |= s->lo == -32767 ? _mm512_cmplt_epi64_mask(v, lo) : 0;
	*saturated += (unsigned int)__builtin_popcount(over & mask);
	return _mm512_cvtepi64_epi16(_mm512_min_epi64(_mm512_max_epi64(v, lo), hi));
}

TARGET static void product(const struct cpu_scale *scale, const int16_t *a, const int16_t *b, unsigned int step, size_t n, int16_t *y, uint64_t *saturated)
{
	for (size_t i = 0; i < n; i += 8) {
		const __mmask8 mask = (__mmask8)first(n - i < 8 ? (uint32_t)(n - i) : 8);
		const __m256i x = _mm256_cvtepi16_epi32(_mm_maskz_loadu_epi16(mask, a + i));
		const __m256i factors = step ? _mm256_cvtepi16_epi32(_mm_maskz_loadu_epi16(mask, b + i)) : _mm256_set1_epi32(*b);

		_mm_mask_storeu_epi16(y + i, mask, scaled(scale, _mm256_mullo_epi32(x, factors), mask, saturated));
	}
}

TARGET static void quantise(const float *x, size_t n, float scale, int16_t lo, int16_t hi, int16_t *q)
{
	const __m512d divisor = _mm512_set1_pd(scale), least = _mm512_set1_pd(lo), most = _mm512_set1_pd(hi);

	for (size_t i = 0; i < n; i += 8) {
		const __mmask8 mask = (__mmask8)first(n - i < 8 ? (uint32_t)(n - i) : 8);
		__m512d v = _mm512_div_pd(_mm512_cvtps_pd(_mm256_maskz_loadu_ps(mask, x + i)), divisor);

		v = _mm512_min_pd(_mm512_max_pd(_mm512_roundscale_pd(v, _MM_FROUND_CUR_DIRECTION), least), most);
		_mm_mask_storeu_epi16(q + i, mask, _mm512_cvtepi64_epi16(_mm512_cvttpd_epi64(v)));
	}
}

const struct cpu_lines cpu_lines_avx512 = {
	nonzeros, interleave, quads, pick, { largest, largest_words, largest_bytes }, sum, interpolate, product, quantise,
};

#endif
