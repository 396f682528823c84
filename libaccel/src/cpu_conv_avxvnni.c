// SPDX-License-Identifier: GPL-2.0 OR MIT
/* AVX2 with AVX-VNNI: vpdpwssd and vpdpbusd multiply two or four channels of eight pixels, and add the products to the sums. */
#if defined(__x86_64__)

#include <immintrin.h>
#include <stdbool.h>

#define TARGET __attribute__((target("avx2,avxvnni")))
#define INLINE __attribute__((always_inline)) inline
#define LEVEL  cpu_conv_avxvnni
#define NAME   "avxvnni"
#define EACH   4

TARGET static INLINE __m256i multiply_add(__m256i sums, __m256i words, __m256i weights, bool bytes)
{
	return bytes ? _mm256_dpbusd_avx_epi32(sums, words, weights) : _mm256_dpwssd_avx_epi32(sums, words, weights);
}

#include "cpu_conv_256.h"

#endif
