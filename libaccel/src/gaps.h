/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/*
 * Positions of non-zeros as a stream of symbols: of each the number of zeros since the one before. The last symbol of the alphabet stands for as many zeros as its
 * number, and no non-zero: what a padding entry is in Deep Compression.
 */
#ifndef ACCEL_GAPS_H
#define ACCEL_GAPS_H

#include "entropy.h"

struct gaps_plan {
	unsigned int alphabet;     /* 2 to 256 */
	uint64_t symbols;
	struct entropy_plan entropy;
};

/* The best alphabet and code for these positions; coding NONE when there is none. */
int gaps_plan(const uint32_t *rowptr, const uint32_t *col, uint32_t rows, uint32_t cols, struct gaps_plan *plan);
/* The blob; the caller's. -ENOMEM. */
int gaps_encode(const struct gaps_plan *plan, const uint32_t *rowptr, const uint32_t *col, uint32_t rows, uint32_t cols, uint8_t **blob, size_t *size);
/*
 * Fills rowptr [rows + 1] and col [nnz] from symbols [n], which are below alphabet; columns come out in order. NULL, or what is wrong. rows and cols at most 2^24.
 */
const char *gaps_decode(const uint8_t *symbols, uint64_t n, unsigned int alphabet, uint32_t rows, uint32_t cols, uint32_t nnz, uint32_t *rowptr,
			uint32_t *col);

#endif
