/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/* accel_requant() of eight sums, for the levels of AVX2, which define TARGET and INLINE before they include it. */
#include <immintrin.h>
#include <stdint.h>

/* upper: of accel_requant_upper(). valid: lanes that are counted in *saturated. */
TARGET static INLINE __m256i requant_upper(__m256i sums, int64_t upper, int16_t least, int16_t most, uint32_t valid, uint64_t *saturated)
{
	const __m256i lo = _mm256_set1_epi32(least), hi = _mm256_set1_epi32(most), half = _mm256_set1_epi64x((int64_t)1 << 31);
	const __m256i mult = _mm256_set1_epi64x(upper);
	__m256i even = _mm256_add_epi64(_mm256_mul_epi32(sums, mult), half);
	__m256i odd = _mm256_add_epi64(_mm256_mul_epi32(_mm256_srli_epi64(sums, 32), mult), half);
	__m256i values = _mm256_blend_epi32(_mm256_shuffle_epi32(even, 0xf5), odd, 0xaa), beyond;

	beyond = most == 32767 ? _mm256_cmpgt_epi32(values, hi) : _mm256_setzero_si256();
	beyond = least == -32767 ? _mm256_or_si256(beyond, _mm256_cmpgt_epi32(lo, values)) : beyond;
	*saturated += (unsigned int)__builtin_popcount((uint32_t)_mm256_movemask_ps(_mm256_castsi256_ps(beyond)) & valid);
	return _mm256_min_epi32(_mm256_max_epi32(values, lo), hi);
}
