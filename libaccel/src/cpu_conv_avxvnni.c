// SPDX-License-Identifier: GPL-2.0 OR MIT
/* AVX2 with AVX-VNNI: vpdpwssd and vpdpbusd multiply two or four channels of eight pixels, and add the products to the sums. */
#if defined(__x86_64__)

#include <immintrin.h>
#include <stdbool.h>

#define TARGET __attribute__((target("avx2,avxvnni")))
#define INLINE __attribute__((always_inline)) inline

TARGET static INLINE __m256i multiply_add(__m256i sums, __m256i words, __m256i weights, bool bytes)
{
	return bytes ? _mm256_dpbusd_avx_epi32(sums, words, weights) : _mm256_dpwssd_avx_epi32(sums, words, weights);
}

#include "cpu_conv_256.h"

#define TILE(n) \
	TARGET static void tile_##n(const struct cpu_conv_job *job, const struct conv_piece *piece, uint64_t *saturated) \
	{ \
		tile(job, piece, n, false, saturated); \
	} \
	TARGET static void bytes_##n(const struct cpu_conv_job *job, const struct conv_piece *piece, uint64_t *saturated) \
	{ \
		tile(job, piece, n, true, saturated); \
	}
TILE(1) TILE(2) TILE(3)

/* 16 registers: four rows of three sums, a weight, words. */
const struct cpu_conv_level cpu_conv_avxvnni = {
	.name = "avxvnni",
	.lanes = LANES,
	.tile_max = 3,
	.each = 4,
	.tiles = { { NULL, tile_1, tile_2, tile_3 }, { NULL, bytes_1, bytes_2, bytes_3 } },
};

#endif
