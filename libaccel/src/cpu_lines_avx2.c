// SPDX-License-Identifier: GPL-2.0 OR MIT
/* What pays with AVX2: maxima of windows two pixels apart, tables, products. Nothing behind the last pixel is read. */
#include "cpu_lines.h"
#include "model.h"

#if defined(__x86_64__)

#include <immintrin.h>
#include <stdbool.h>

#define TARGET __attribute__((target("avx2")))
#define INLINE __attribute__((always_inline)) inline

#include "cpu_requant_256.h"

TARGET static INLINE __m256i larger(__m256i a, __m256i b, uint32_t each)
{
	return each == 4 ? _mm256_max_epu8(a, b) : _mm256_max_epi16(a, b);
}

/* The largest of ny words one below the other, of the first `lanes` columns from x on: 8 or 7. */
TARGET static INLINE __m256i column(const int32_t *x, uint32_t ny, size_t line, uint32_t lanes, uint32_t each)
{
	const __m256i seven = _mm256_set_epi32(0, -1, -1, -1, -1, -1, -1, -1);
	__m256i best = lanes == 8 ? _mm256_loadu_si256((const __m256i *)x) : _mm256_maskload_epi32(x, seven);

	for (uint32_t ky = 1; ky < ny; ky++) {
		x += line;
		best = larger(best, lanes == 8 ? _mm256_loadu_si256((const __m256i *)x) : _mm256_maskload_epi32(x, seven), each);
	}
	return best;
}

/* Every second word of two vectors, from the first or from the second one on. */
TARGET static INLINE __m256i second(__m256i a, __m256i b, bool odd)
{
	const __m256 x = _mm256_castsi256_ps(a), y = _mm256_castsi256_ps(b);

	return _mm256_permute4x64_epi64(_mm256_castps_si256(odd ? _mm256_shuffle_ps(x, y, 0xdd) : _mm256_shuffle_ps(x, y, 0x88)), 0xd8);
}

TARGET static INLINE void largest_packed(void *y, uint32_t n, const void *from, uint32_t stride, uint32_t ny, size_t line, uint32_t nx, uint32_t dilate, uint32_t each)
{
	if (stride != 2 || dilate != 1 || n < 8 || (nx != 2 && nx != 3)) {
		cpu_lines_portable.largest[each / 2](y, n, from, stride, ny, line, nx, dilate);
		return;
	}
	for (uint32_t i = 0; i < n; i += 8) {
		/* the last eight, of which some may be there already */
		const uint32_t at = n - i < 8 ? n - 8 : i;
		const int32_t *x = (const int32_t *)from + 2 * (size_t)at;
		__m256i a = column(x, ny, line, 8, each), b = column(x + 8, ny, line, 8, each), best = larger(second(a, b, false), second(a, b, true), each);

		if (nx == 3)
			best = larger(best, second(column(x + 2, ny, line, 8, each), column(x + 10, ny, line, 7, each), false), each);
		_mm256_storeu_si256((__m256i *)((int32_t *)y + at), best);
	}
}

TARGET void cpu_largest_words_avx2(void *y, uint32_t n, const void *x, uint32_t stride, uint32_t ny, size_t line, uint32_t nx, uint32_t dilate)
{
	largest_packed(y, n, x, stride, ny, line, nx, dilate, 2);
}

TARGET void cpu_largest_bytes_avx2(void *y, uint32_t n, const void *x, uint32_t stride, uint32_t ny, size_t line, uint32_t nx, uint32_t dilate)
{
	largest_packed(y, n, x, stride, ny, line, nx, dilate, 4);
}

/* Sixteen bits of each lane. */
TARGET static INLINE __m128i halves(__m256i v)
{
	return _mm_packs_epi32(_mm256_castsi256_si128(v), _mm256_extracti128_si256(v, 1));
}

/* from + ((to - from) * part + 128 >> 8) = from * (256 - part) + to * part + 128 >> 8; a pair of entries is a word. */
TARGET void cpu_interpolate_avx2(const int16_t *table, const int16_t *x, size_t n, int16_t *y)
{
	size_t i = 0;

	for (; i + 8 <= n; i += 8) {
		const __m256i u = _mm256_add_epi32(_mm256_cvtepi16_epi32(_mm_loadu_si128((const __m128i *)(x + i))), _mm256_set1_epi32(32768));
		const __m256i part = _mm256_and_si256(u, _mm256_set1_epi32(255));
		const __m256i weights = _mm256_or_si256(_mm256_sub_epi32(_mm256_set1_epi32(256), part), _mm256_slli_epi32(part, 16));
		const __m256i pairs = _mm256_i32gather_epi32((const int *)(const void *)table, _mm256_srli_epi32(u, 8), 2);
		__m256i v = _mm256_add_epi32(_mm256_madd_epi16(pairs, weights), _mm256_set1_epi32(128));

		_mm_storeu_si128((__m128i *)(y + i), halves(_mm256_srai_epi32(v, 8)));
	}
	cpu_lines_portable.interpolate(table, x + i, n - i, y + i);
}

TARGET void cpu_product_avx2(const struct cpu_scale *s, const int16_t *a, const int16_t *b, unsigned int step, size_t n, int16_t *y, uint64_t *saturated)
{
	int64_t upper;
	const bool fast = accel_requant_upper(s->mult, s->shift, &upper);
	size_t i = 0;

	for (; fast && i + 8 <= n; i += 8) {
		const __m256i factors = step ? _mm256_cvtepi16_epi32(_mm_loadu_si128((const __m128i *)(b + i))) : _mm256_set1_epi32(*b);
		const __m256i products = _mm256_mullo_epi32(_mm256_cvtepi16_epi32(_mm_loadu_si128((const __m128i *)(a + i))), factors);

		_mm_storeu_si128((__m128i *)(y + i), halves(requant_upper(products, upper, s->lo, s->hi, 255, saturated)));
	}
	cpu_lines_portable.product(s, a + i, step ? b + i : b, step, n - i, y + i, saturated);
}

#endif
