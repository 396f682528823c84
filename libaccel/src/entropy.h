/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/*
 * Order-0 coding of streams of bytes: canonical Huffman codes, as Deep Compression has them (Han et al., ICLR 2016, section 4), and range ANS (Duda,
 * arXiv 1311.2540). docs/eie_format.md has the layout of both.
 */
#ifndef ACCEL_ENTROPY_H
#define ACCEL_ENTROPY_H

#include <stddef.h>
#include <stdint.h>

#define ENTROPY_MAX_SYMBOLS 256u
#define ENTROPY_EXPAND      256u   /* symbols a byte at most: bounds what a small file may unpack to */

enum entropy_coding { ENTROPY_NONE, ENTROPY_HUFFMAN, ENTROPY_ANS };
extern const char *const entropy_names[];   /* "none", "huffman", "ans" */

/* Symbols 0 .. alphabet - 1. Tables are written in the order `order` [alphabet]: of neighbours that are about as frequent. NULL: as they are. */
struct entropy_alphabet {
	unsigned int n;
	const uint8_t *order;
};

struct entropy_plan {
	enum entropy_coding coding;
	unsigned int bits;                     /* ANS: frequencies add up to 2^bits */
	uint16_t freq[ENTROPY_MAX_SYMBOLS];    /* Huffman: length of the code */
	uint64_t bytes;                        /* of the blob; of ANS more or less */
};

/* What codes a stream of so many of each symbol in the fewest bytes; NONE when it is of one symbol and too long for ENTROPY_EXPAND, or empty. */
void entropy_plan(const uint64_t *count, const struct entropy_alphabet *a, struct entropy_plan *plan);
/* The blob of n symbols, counted in plan; the caller's. -ENOMEM. */
int entropy_encode(const struct entropy_plan *plan, const struct entropy_alphabet *a, const uint8_t *symbols, uint64_t n, uint8_t **blob, size_t *size);
/* Fills symbols [n], all below alphabet.n. NULL, or what is wrong with the blob; coding is not NONE. n is at most ENTROPY_EXPAND * size. */
const char *entropy_decode(enum entropy_coding coding, const uint8_t *blob, uint64_t size, const struct entropy_alphabet *a, uint8_t *symbols, uint64_t n);

/* huffman.c, ans.c: what entropy.c is made of */
void huffman_plan(const uint64_t *count, const struct entropy_alphabet *a, struct entropy_plan *plan);
int huffman_encode(const struct entropy_plan *plan, const struct entropy_alphabet *a, const uint8_t *symbols, uint64_t n, uint8_t **blob, size_t *size);
const char *huffman_decode(const uint8_t *blob, uint64_t size, const struct entropy_alphabet *a, uint8_t *symbols, uint64_t n);
void ans_plan(const uint64_t *count, const struct entropy_alphabet *a, struct entropy_plan *plan);
int ans_encode(const struct entropy_plan *plan, const struct entropy_alphabet *a, const uint8_t *symbols, uint64_t n, uint8_t **blob, size_t *size);
const char *ans_decode(const uint8_t *blob, uint64_t size, const struct entropy_alphabet *a, uint8_t *symbols, uint64_t n);

static inline unsigned int entropy_symbol(const struct entropy_alphabet *a, unsigned int at)
{
	return a->order ? a->order[at] : at;
}

#endif
