// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * AVX2: vpmaddwd multiplies both channels of eight pixels by an entry's weights. Tensors of eight bits take the same words: vpmaddubsw saturates at 16 bits, and
 * halves that do not would cost what is gained.
 */
#if defined(__x86_64__)

#include <immintrin.h>
#include <stdbool.h>

#define TARGET __attribute__((target("avx2")))
#define INLINE __attribute__((always_inline)) inline
#define LEVEL  cpu_conv_avx2
#define NAME   "avx2"
#define EACH   2

TARGET static INLINE __m256i multiply_add(__m256i sums, __m256i words, __m256i weights, bool bytes)
{
	(void)bytes;
	return _mm256_add_epi32(sums, _mm256_madd_epi16(words, weights));
}

#include "cpu_conv_256.h"

#endif
