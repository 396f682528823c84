// SPDX-License-Identifier: GPL-2.0 OR MIT
/* Strides 1 and 2; the portable functions do others. Ends of lines are masked: nothing behind the last pixel is read. */
#include "cpu_lines.h"

#if defined(__x86_64__)

#include <immintrin.h>
#include <stdbool.h>

#define TARGET __attribute__((target("avx512f,avx512bw,avx512vl,popcnt")))
#define INLINE __attribute__((always_inline)) inline

/* The first n of 32 lanes, all from 32 on. */
TARGET static INLINE __mmask32 first(uint32_t n)
{
	return n < 32 ? (1u << n) - 1 : UINT32_MAX;
}

TARGET static uint32_t nonzeros(const int16_t *x, uint32_t n, uint32_t stride)
{
	const uint32_t lanes = stride == 2 ? 0x55555555 : UINT32_MAX;
	size_t pixels = n ? (size_t)(n - 1) * stride + 1 : 0;
	uint32_t sum = 0;

	if (stride > 2)
		return cpu_lines_portable.nonzeros(x, n, stride);
	for (size_t i = 0; i < pixels; i += 32) {
		__m512i v = _mm512_maskz_loadu_epi16(first(pixels - i < 32 ? (uint32_t)(pixels - i) : 32), x + i);

		sum += (uint32_t)__builtin_popcount(_mm512_test_epi16_mask(v, v) & lanes);
	}
	return sum;
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

TARGET static void largest(int16_t *y, uint32_t n, const int16_t *x, uint32_t stride, uint32_t ny, size_t line, uint32_t nx, uint32_t dilate)
{
	if (stride > 2) {
		cpu_lines_portable.largest(y, n, x, stride, ny, line, nx, dilate);
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
		_mm512_mask_storeu_epi16(y + i, first(left), best);
	}
}

TARGET static uint32_t sum(const int16_t *x, uint32_t n)
{
	__m512i s = _mm512_setzero_si512();

	for (uint32_t i = 0; i < n; i += 32)
		s = _mm512_add_epi32(s, _mm512_madd_epi16(_mm512_maskz_loadu_epi16(first(n - i), x + i), _mm512_set1_epi16(1)));
	return (uint32_t)_mm512_reduce_add_epi32(s);
}

const struct cpu_lines cpu_lines_avx512 = { nonzeros, interleave, largest, sum };

#endif
