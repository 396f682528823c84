/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/* Streams of bits, the lowest of a byte first. */
#ifndef ACCEL_BITS_H
#define ACCEL_BITS_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

struct bits_writer {
	uint8_t *p;                /* zeroed, long enough; NULL: only the length is wanted */
	uint64_t pos;
};

static inline void bits_put(struct bits_writer *w, uint64_t value, unsigned int n)
{
	uint64_t end = w->pos + n;

	while (w->p && w->pos < end) {
		unsigned int in = w->pos % 8, take = end - w->pos < 8 - in ? (unsigned int)(end - w->pos) : 8 - in;

		w->p[w->pos / 8] |= (uint8_t)((value & ((1u << take) - 1)) << in);
		value >>= take;
		w->pos += take;
	}
	w->pos = end;
}

/* Quotient of 2^k as so many zeros and a one, then k low bits. */
static inline void bits_put_rice(struct bits_writer *w, uint64_t value, unsigned int k)
{
	w->pos += value >> k;
	bits_put(w, 1, 1);
	bits_put(w, value & ((1ull << k) - 1), k);
}

struct bits_reader {
	const uint8_t *p;
	uint64_t pos, end;         /* in bits */
};

/* At least 57 bits from pos on, zeros behind the end. pos is at most end. */
static inline uint64_t bits_peek(const struct bits_reader *r)
{
	uint64_t first = r->pos / 8, window = 0;

	if (r->end / 8 - first >= 8)
		memcpy(&window, r->p + first, 8);
	else
		memcpy(&window, r->p + first, r->end / 8 - first);
	return window >> r->pos % 8;
}

/* n is at most 57. */
static inline bool bits_get(struct bits_reader *r, unsigned int n, uint64_t *value)
{
	if (r->end - r->pos < n)
		return false;
	*value = bits_peek(r) & ((1ull << n) - 1);
	r->pos += n;
	return true;
}

/* A Rice code whose quotient is at most 56; else false. */
static inline bool bits_get_rice(struct bits_reader *r, unsigned int k, uint64_t *value)
{
	uint64_t window = bits_peek(r), low;
	unsigned int zeros;

	if (!window)
		return false;
	zeros = (unsigned int)__builtin_ctzll(window);
	if (zeros > 56 || r->end - r->pos < zeros + 1)
		return false;
	r->pos += zeros + 1;
	if (!bits_get(r, k, &low))
		return false;
	*value = (uint64_t)zeros << k | low;
	return true;
}

#endif
