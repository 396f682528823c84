/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/*
 * Positions of the non-zeros of a matrix, flattened row by row: for each the number of zeros passed since the one before, in a
 * Rice code (Golomb 1966 with a power of two): quotient q = gap >> k as q zero bits and a one, then the k low bits of the gap,
 * lowest first. Bits fill bytes from the lowest up. Gaps of a pruned layer are nearly geometric, for which this code is
 * within a few percent of the entropy.
 */
#ifndef ACCEL_RICE_H
#define ACCEL_RICE_H

#include <stddef.h>
#include <stdint.h>

#define RICE_K_MAX 24u

/* The k that makes the code shortest, and its length in bits. */
unsigned int rice_best(const uint32_t *rowptr, const uint32_t *col, uint32_t rows, uint32_t cols, uint64_t *bits);
/* blob: zeroed, of the length rice_best told. */
void rice_encode(const uint32_t *rowptr, const uint32_t *col, uint32_t rows, uint32_t cols, unsigned int k, uint8_t *blob);
/*
 * Fills rowptr [rows + 1] and col [nnz]; columns come out in order whatever the bytes are. NULL, or what is wrong with them.
 * rows and cols at most 2^24, k at most RICE_K_MAX.
 */
const char *rice_decode(const uint8_t *blob, uint64_t size, unsigned int k, uint32_t rows, uint32_t cols, uint32_t nnz,
			uint32_t *rowptr, uint32_t *col);

#endif
