// SPDX-License-Identifier: GPL-2.0 OR MIT
/* Canonical Huffman codes of at most 12 bits: the lengths say all. Codes of a length follow each other in the order of the alphabet. */
#include "bits.h"
#include "entropy.h"

#include <errno.h>
#include <stdlib.h>

#define LENGTH_MAX  12u
#define LENGTH_BITS 4u     /* of a length in the blob */

/* ---------------------------------------------------------------- lengths */

struct leaf {
	uint64_t count;
	unsigned int at;       /* place in the order of the alphabet */
};

static int by_count(const void *a, const void *b)
{
	const struct leaf *x = a, *y = b;

	if (x->count != y->count)
		return x->count < y->count ? -1 : 1;
	return x->at < y->at ? -1 : 1;
}

/*
 * Depths of an optimal tree, in place: Moffat and Katajainen, "In-place calculation of minimum-redundancy codes", 1995. w: n >= 2 counts, increasing; they
 * become depths, decreasing.
 */
static void tree_depths(uint64_t *w, unsigned int n)
{
	unsigned int leaf = 2, root = 0, next, used, avail;
	uint64_t depth;

	w[0] += w[1];
	for (next = 1; next < n - 1; next++) {
		if (leaf >= n || w[root] < w[leaf]) {
			w[next] = w[root];
			w[root++] = next;
		} else {
			w[next] = w[leaf++];
		}
		if (leaf >= n || (root < next && w[root] < w[leaf])) {
			w[next] += w[root];
			w[root++] = next;
		} else {
			w[next] += w[leaf++];
		}
	}
	w[n - 2] = 0;
	for (unsigned int i = n - 2; i-- > 0;)
		w[i] = w[w[i]] + 1;
	avail = 1;
	used = 0;
	depth = 0;
	root = n - 2;
	next = n - 1;
	for (bool more = true; avail; depth++, avail = 2 * used, used = 0) {
		while (more && w[root] == depth) {
			used++;
			more = root > 0;
			root -= more;
		}
		for (; avail > used; avail--)
			w[next--] = depth;
	}
}

/* Lengths above the limit become the limit, and as many shorter ones longer as the code then lacks room. lengths: how many there are of each. */
static void limit_lengths(uint64_t *lengths)
{
	uint64_t room = 0;

	for (unsigned int l = 1; l <= LENGTH_MAX; l++)
		room += lengths[l] << (LENGTH_MAX - l);
	for (; room > 1u << LENGTH_MAX; room--) {
		unsigned int l = LENGTH_MAX - 1;

		while (!lengths[l])
			l--;
		lengths[LENGTH_MAX]--;
		lengths[l]--;
		lengths[l + 1] += 2;
	}
}

void huffman_plan(const uint64_t *count, const struct entropy_alphabet *a, struct entropy_plan *plan)
{
	struct leaf leaves[ENTROPY_MAX_SYMBOLS];
	uint64_t depth[ENTROPY_MAX_SYMBOLS], lengths[LENGTH_MAX + 1] = { 0 }, bits = LENGTH_BITS * a->n;
	unsigned int n = 0, length = LENGTH_MAX;

	*plan = (struct entropy_plan){ .coding = ENTROPY_HUFFMAN };
	for (unsigned int i = 0; i < a->n; i++)
		if (count[entropy_symbol(a, i)])
			leaves[n++] = (struct leaf){ count[entropy_symbol(a, i)], i };
	qsort(leaves, n, sizeof(*leaves), by_count);
	for (unsigned int i = 0; i < n; i++)
		depth[i] = leaves[i].count;
	if (n > 1)
		tree_depths(depth, n);
	else
		depth[0] = 1;
	for (unsigned int i = 0; i < n; i++)
		lengths[depth[i] < LENGTH_MAX ? depth[i] : LENGTH_MAX]++;
	limit_lengths(lengths);
	/* the rarest get the longest */
	for (unsigned int i = 0; i < n; i++) {
		while (!lengths[length])
			length--;
		lengths[length]--;
		plan->freq[entropy_symbol(a, leaves[i].at)] = (uint16_t)length;
		bits += length * leaves[i].count;
	}
	plan->bytes = (bits + 7) / 8;
}

/* ---------------------------------------------------------------- codes */

struct code {
	uint16_t symbol, length;
};

/* Bits of the code as they are written: its highest bit first. */
static unsigned int reverse(unsigned int code, unsigned int length)
{
	unsigned int r = 0;

	for (unsigned int i = 0; i < length; i++)
		r |= (code >> i & 1) << (length - 1 - i);
	return r;
}

/* Calls each (arg, symbol, bits, length) for all codes; false when the lengths leave room, or have too little. One code alone is of one bit. */
static bool each_code(const uint16_t *length, const struct entropy_alphabet *a, void (*each)(void *arg, unsigned int symbol, unsigned int bits, unsigned int length),
		      void *arg)
{
	unsigned int next = 0, n = 0;

	for (unsigned int l = 1; l <= LENGTH_MAX; l++) {
		next <<= 1;
		for (unsigned int i = 0; i < a->n; i++) {
			unsigned int s = entropy_symbol(a, i);

			if (length[s] != l)
				continue;
			if (next >= 1u << l)
				return false;
			each(arg, s, reverse(next++, l), l);
			n++;
		}
	}
	return next == 1u << LENGTH_MAX || (n == 1 && next == 1u << (LENGTH_MAX - 1));
}

static void keep_code(void *arg, unsigned int symbol, unsigned int bits, unsigned int length)
{
	((uint16_t *)arg)[symbol] = (uint16_t)bits;
	(void)length;
}

int huffman_encode(const struct entropy_plan *plan, const struct entropy_alphabet *a, const uint8_t *symbols, uint64_t n, uint8_t **blob, size_t *size)
{
	uint16_t code[ENTROPY_MAX_SYMBOLS];
	struct bits_writer w = { calloc(1, plan->bytes + 1), 0 };

	if (!w.p)
		return -ENOMEM;
	for (unsigned int i = 0; i < a->n; i++)
		bits_put(&w, plan->freq[entropy_symbol(a, i)], LENGTH_BITS);
	each_code(plan->freq, a, keep_code, code);
	for (uint64_t i = 0; i < n; i++)
		bits_put(&w, code[symbols[i]], plan->freq[symbols[i]]);
	*blob = w.p;
	*size = plan->bytes;
	return 0;
}

/* All windows that begin with the code. */
static void fill_table(void *arg, unsigned int symbol, unsigned int bits, unsigned int length)
{
	struct code *table = arg;

	for (unsigned int i = bits; i < 1u << LENGTH_MAX; i += 1u << length)
		table[i] = (struct code){ (uint16_t)symbol, (uint16_t)length };
}

const char *huffman_decode(const uint8_t *blob, uint64_t size, const struct entropy_alphabet *a, uint8_t *symbols, uint64_t n)
{
	struct code table[1u << LENGTH_MAX] = { 0 };   /* length 0: no code begins so */
	struct bits_reader r = { blob, 0, 8 * size };
	uint16_t length[ENTROPY_MAX_SYMBOLS];
	uint64_t v, i = 0;

	for (unsigned int k = 0; k < a->n; k++) {
		if (!bits_get(&r, LENGTH_BITS, &v))
			return "the bytes end in the table of lengths";
		if (v > LENGTH_MAX)
			return "a code of more than 12 bits";
		length[entropy_symbol(a, k)] = (uint16_t)v;
	}
	if (!each_code(length, a, fill_table, table))
		return "lengths that make no code";
	while (i < n) {
		uint64_t window = bits_peek(&r);

		/* four codes are in what a look shows */
		for (unsigned int k = 0; k < 4 && i < n; k++, i++) {
			struct code c = table[window & ((1u << LENGTH_MAX) - 1)];

			if (!c.length || r.end - r.pos < c.length)
				return "no code, or the bytes end before the last one";
			symbols[i] = (uint8_t)c.symbol;
			window >>= c.length;
			r.pos += c.length;
		}
	}
	if (r.end - r.pos >= 8 || bits_peek(&r))
		return "something follows the last code";
	return NULL;
}
