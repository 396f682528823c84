// SPDX-License-Identifier: GPL-2.0 OR MIT
#include "gaps.h"

#include <errno.h>
#include <stdlib.h>

#define SHORT 4096u        /* gaps below are counted one by one */

struct histogram {
	uint64_t count[SHORT];
	uint64_t *longer;      /* [n] */
	uint64_t n, room;
};

static int note_long(struct histogram *h, uint64_t gap)
{
	if (h->n == h->room) {
		uint64_t room = 2 * h->room + 64, *more = realloc(h->longer, room * sizeof(*more));

		if (!more)
			return -ENOMEM;
		h->longer = more;
		h->room = room;
	}
	h->longer[h->n++] = gap;
	return 0;
}

static int count_gaps(const uint32_t *rowptr, const uint32_t *col, uint32_t rows, uint32_t cols, struct histogram *h)
{
	uint64_t next = 0;

	for (uint32_t r = 0; r < rows; r++) {
		for (uint32_t i = rowptr[r]; i < rowptr[r + 1]; i++) {
			uint64_t at = (uint64_t)r * cols + col[i], gap = at - next;

			next = at + 1;
			if (gap < SHORT)
				h->count[gap]++;
			else if (note_long(h, gap))
				return -ENOMEM;
		}
	}
	return 0;
}

static void add(uint64_t *count, unsigned int alphabet, uint64_t gap, uint64_t times)
{
	count[gap % (alphabet - 1)] += times;
	count[alphabet - 1] += gap / (alphabet - 1) * times;
}

int gaps_plan(const uint32_t *rowptr, const uint32_t *col, uint32_t rows, uint32_t cols, struct gaps_plan *plan)
{
	struct histogram *h = calloc(1, sizeof(*h));
	int ret = h ? count_gaps(rowptr, col, rows, cols, h) : -ENOMEM;

	*plan = (struct gaps_plan){ .entropy.coding = ENTROPY_NONE };
	for (unsigned int alphabet = 2; !ret && alphabet <= ENTROPY_MAX_SYMBOLS; alphabet *= 2) {
		const struct entropy_alphabet a = { alphabet, NULL };
		uint64_t count[ENTROPY_MAX_SYMBOLS] = { 0 }, symbols = 0;
		struct entropy_plan e;

		for (unsigned int g = 0; g < SHORT; g++)
			if (h->count[g])
				add(count, alphabet, g, h->count[g]);
		for (uint64_t i = 0; i < h->n; i++)
			add(count, alphabet, h->longer[i], 1);
		for (unsigned int s = 0; s < alphabet; s++)
			symbols += count[s];
		entropy_plan(count, &a, &e);
		/* of those that are nearly as good the largest: fewer symbols to decode */
		if (e.coding == ENTROPY_NONE || symbols > UINT32_MAX || (plan->alphabet && e.bytes > plan->entropy.bytes + plan->entropy.bytes / 1024))
			continue;
		*plan = (struct gaps_plan){ alphabet, symbols, e };
	}
	if (h)
		free(h->longer);
	free(h);
	return ret;
}

int gaps_encode(const struct gaps_plan *plan, const uint32_t *rowptr, const uint32_t *col, uint32_t rows, uint32_t cols, uint8_t **blob, size_t *size)
{
	const struct entropy_alphabet a = { plan->alphabet, NULL };
	uint8_t *symbols = malloc(plan->symbols + 1), *s = symbols;
	unsigned int most = plan->alphabet - 1;
	uint64_t next = 0;
	int ret;

	if (!symbols)
		return -ENOMEM;
	for (uint32_t r = 0; r < rows; r++) {
		for (uint32_t i = rowptr[r]; i < rowptr[r + 1]; i++) {
			uint64_t at = (uint64_t)r * cols + col[i], gap = at - next;

			next = at + 1;
			for (; gap >= most; gap -= most)
				*s++ = (uint8_t)most;
			*s++ = (uint8_t)gap;
		}
	}
	ret = entropy_encode(&plan->entropy, &a, symbols, plan->symbols, blob, size);
	free(symbols);
	return ret;
}

const char *gaps_decode(const uint8_t *symbols, uint64_t n, unsigned int alphabet, uint32_t rows, uint32_t cols, uint32_t nnz, uint32_t *rowptr,
			uint32_t *col)
{
	uint64_t total = (uint64_t)rows * cols, next = 0, row_start = 0, i = 0;
	unsigned int most = alphabet - 1;
	uint32_t row = 0;

	rowptr[0] = 0;
	for (uint32_t k = 0; k < nnz; k++) {
		for (; i < n && symbols[i] == most; i++) {
			next += most;
			if (next >= total)
				return "zeros run beyond the matrix";
		}
		if (i == n)
			return "fewer positions than non-zeros";
		next += symbols[i++];
		if (next >= total)
			return "a non-zero lies outside the matrix";
		while (next - row_start >= cols) {
			rowptr[++row] = k;
			row_start += cols;
		}
		col[k] = (uint32_t)(next - row_start);
		next++;
	}
	if (i < n)
		return "something follows the last non-zero";
	while (row < rows)
		rowptr[++row] = nnz;
	return NULL;
}
