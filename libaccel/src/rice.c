// SPDX-License-Identifier: GPL-2.0 OR MIT
#include "rice.h"

#include <stdbool.h>
#include <string.h>

/* ---------------------------------------------------------------- encoding */

static uint64_t code_bits(const uint32_t *rowptr, const uint32_t *col, uint32_t rows, uint32_t cols, unsigned int k)
{
	uint64_t next = 0, bits = 0;

	for (uint32_t r = 0; r < rows; r++) {
		for (uint32_t i = rowptr[r]; i < rowptr[r + 1]; i++) {
			uint64_t at = (uint64_t)r * cols + col[i];

			bits += ((at - next) >> k) + 1 + k;
			next = at + 1;
		}
	}
	return bits;
}

unsigned int rice_best(const uint32_t *rowptr, const uint32_t *col, uint32_t rows, uint32_t cols, uint64_t *bits)
{
	unsigned int k = 0;

	*bits = code_bits(rowptr, col, rows, cols, 0);
	/* the length is convex in k: the first rise ends it */
	while (k < RICE_K_MAX) {
		uint64_t next = code_bits(rowptr, col, rows, cols, k + 1);

		if (next >= *bits)
			break;
		*bits = next;
		k++;
	}
	return k;
}

void rice_encode(const uint32_t *rowptr, const uint32_t *col, uint32_t rows, uint32_t cols, unsigned int k, uint8_t *blob)
{
	uint64_t next = 0, pos = 0;

	for (uint32_t r = 0; r < rows; r++) {
		for (uint32_t i = rowptr[r]; i < rowptr[r + 1]; i++) {
			uint64_t at = (uint64_t)r * cols + col[i], gap = at - next;

			next = at + 1;
			pos += gap >> k;
			blob[pos / 8] |= (uint8_t)(1 << pos % 8);
			pos++;
			for (unsigned int b = 0; b < k; b++, pos++)
				blob[pos / 8] |= (uint8_t)((gap >> b & 1) << pos % 8);
		}
	}
}

/* ---------------------------------------------------------------- decoding */

#define PEEK_BITS 57   /* what peek shows at least, whatever the bit in the byte */

struct bits {
	const uint8_t *p;
	uint64_t pos, end;
};

/* Bits from pos (at most end) on, zeros behind the end. */
static uint64_t peek(const struct bits *b)
{
	uint64_t first = b->pos / 8, left = b->end / 8 - first, window = 0;

	memcpy(&window, b->p + first, left < 8 ? left : 8);
	return window >> b->pos % 8;
}

/* One number up to max; false when it is larger, or not complete. */
static bool get(struct bits *b, unsigned int k, uint64_t max, uint64_t *value)
{
	uint64_t quotient = 0, window;

	while (!(window = peek(b))) {
		quotient += PEEK_BITS;
		b->pos += PEEK_BITS;
		if (b->pos >= b->end)
			return false;
	}
	quotient += (unsigned int)__builtin_ctzll(window);
	b->pos += (unsigned int)__builtin_ctzll(window) + 1;
	if (quotient > max >> k || b->end - b->pos < k)
		return false;
	*value = quotient << k | (peek(b) & ((1ull << k) - 1));
	b->pos += k;
	return *value <= max;
}

const char *rice_decode(const uint8_t *blob, uint64_t size, unsigned int k, uint32_t rows, uint32_t cols, uint32_t nnz,
			uint32_t *rowptr, uint32_t *col)
{
	struct bits b = { blob, 0, 8 * size };
	uint64_t total = (uint64_t)rows * cols, next = 0, row_start = 0;
	uint32_t row = 0;

	rowptr[0] = 0;
	for (uint32_t i = 0; i < nnz; i++) {
		uint64_t gap;

		if (next == total)
			return "more non-zeros than the matrix has places";
		if (!get(&b, k, total - 1 - next, &gap))
			return "a non-zero lies outside the matrix, or the bytes end before it";
		next += gap;
		while (next - row_start >= cols) {
			rowptr[++row] = i;
			row_start += cols;
		}
		col[i] = (uint32_t)(next - row_start);
		next++;
	}
	while (row < rows)
		rowptr[++row] = nnz;
	if (b.end - b.pos >= 8 || peek(&b))
		return "something follows the last non-zero";
	return NULL;
}
