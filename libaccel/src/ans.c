// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Range ANS: two states of 32 bits take turns, words of 16 bits. A state of value x in [2^16, 2^32) holds symbols; decoding one of frequency f, cumulated c, of
 * 2^bits turns x into f * (x >> bits) + (x mod 2^bits) - c, and a word is read when that is below 2^16. Both states end at 2^16: what was cut off is
 * noticed, and most of what was changed; the blob's checksum is for the rest.
 */
#include "bits.h"
#include "entropy.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>

#define LEAST_BITS 8u
#define MOST_BITS  14u
#define LOW        (1u << 16)      /* least value of a state */
#define STATES     2u
/* of the table */
#define BITS_BITS  3u              /* bits - LEAST_BITS */
#define RICE_BITS  4u

/* ---------------------------------------------------------------- frequencies */

/* Frequencies near the shares of the counts, at least 1, that add up to 2^bits; false when there are too many symbols for that. */
static bool share_out(const uint64_t *count, unsigned int n, uint64_t all, unsigned int bits, uint16_t *freq)
{
	uint32_t sum = 0, want = 1u << bits;
	unsigned int used = 0;

	for (unsigned int s = 0; s < n; s++) {
		double share = (double)count[s] / (double)all * want;

		freq[s] = (uint16_t)(!count[s] ? 0 : share < 1 ? 1 : floor(share + 0.5));
		sum += freq[s];
		used += count[s] > 0;
	}
	if (used > want)
		return false;
	while (sum != want) {
		unsigned int best = n;
		double worth = 0;

		/* the step that wins most, or costs least: the derivative of count * log(freq) between here and there */
		for (unsigned int s = 0; s < n; s++) {
			double w = (double)count[s] / (sum < want ? freq[s] + 0.5 : freq[s] - 0.5);

			if (!count[s] || (sum > want && freq[s] == 1))
				continue;
			if (best == n || (sum < want ? w > worth : w < worth)) {
				best = s;
				worth = w;
			}
		}
		freq[best] = (uint16_t)(sum < want ? freq[best] + 1 : freq[best] - 1);
		sum += sum < want ? 1 : -1u;
	}
	return true;
}

/* ---------------------------------------------------------------- table */

static uint64_t zigzag(int32_t v)
{
	return v < 0 ? 2 * (uint64_t)-v - 1 : 2 * (uint64_t)v;
}

/* Frequencies in the order of the alphabet, or what each differs from the one before. */
static void put_frequencies(struct bits_writer *w, const uint16_t *freq, const struct entropy_alphabet *a, bool differences, unsigned int k)
{
	int32_t before = 0;

	for (unsigned int i = 0; i < a->n; i++) {
		int32_t f = freq[entropy_symbol(a, i)];

		bits_put_rice(w, differences ? zigzag(f - before) : (uint64_t)f, k);
		before = f;
	}
}

/* Longest quotient that a reader takes. */
static bool quotients_fit(const uint16_t *freq, const struct entropy_alphabet *a, bool differences, unsigned int k)
{
	int32_t before = 0;

	for (unsigned int i = 0; i < a->n; i++) {
		int32_t f = freq[entropy_symbol(a, i)];

		if ((differences ? zigzag(f - before) : (uint64_t)f) >> k > 56 - 8)
			return false;
		before = f;
	}
	return true;
}

/* The shortest table; w->p NULL: only its length. */
static void put_table(struct bits_writer *w, const uint16_t *freq, unsigned int bits, const struct entropy_alphabet *a)
{
	unsigned int best_k = MOST_BITS;
	bool best_differences = false;
	uint64_t best = UINT64_MAX;

	for (unsigned int k = 0; k <= MOST_BITS; k++) {
		for (int differences = 0; differences <= 1; differences++) {
			struct bits_writer count = { 0 };

			if (!quotients_fit(freq, a, differences, k))
				continue;
			put_frequencies(&count, freq, a, differences, k);
			if (count.pos >= best)
				continue;
			best = count.pos;
			best_k = k;
			best_differences = differences;
		}
	}
	bits_put(w, bits - LEAST_BITS, BITS_BITS);
	bits_put(w, best_differences, 1);
	bits_put(w, best_k, RICE_BITS);
	put_frequencies(w, freq, a, best_differences, best_k);
}

static const char *get_table(struct bits_reader *r, uint16_t *freq, unsigned int *bits, const struct entropy_alphabet *a)
{
	uint64_t b, differences, k, v, sum = 0;
	int64_t before = 0;

	if (!bits_get(r, BITS_BITS, &b) || !bits_get(r, 1, &differences) || !bits_get(r, RICE_BITS, &k))
		return "the bytes end in the table of frequencies";
	*bits = (unsigned int)b + LEAST_BITS;
	if (*bits > MOST_BITS || k > MOST_BITS)
		return "frequencies of more than 14 bits";
	for (unsigned int i = 0; i < a->n; i++) {
		int64_t f;

		if (!bits_get_rice(r, (unsigned int)k, &v))
			return "the bytes end in the table of frequencies";
		f = !differences ? (int64_t)v : before + (v & 1 ? -(int64_t)((v + 1) / 2) : (int64_t)(v / 2));
		if (f < 0 || f > 1 << *bits)
			return "a frequency out of range";
		freq[entropy_symbol(a, i)] = (uint16_t)f;
		sum += (uint64_t)f;
		before = f;
	}
	return sum == 1u << *bits ? NULL : "frequencies that do not add up";
}

void ans_plan(const uint64_t *count, const struct entropy_alphabet *a, struct entropy_plan *plan)
{
	uint64_t all = 0;

	*plan = (struct entropy_plan){ .coding = ENTROPY_ANS, .bytes = UINT64_MAX };
	for (unsigned int s = 0; s < a->n; s++)
		all += count[s];
	for (unsigned int bits = LEAST_BITS; all && bits <= MOST_BITS; bits++) {
		struct bits_writer table = { 0 };
		uint16_t freq[ENTROPY_MAX_SYMBOLS];
		double sum = 0;
		uint64_t bytes;

		if (!share_out(count, a->n, all, bits, freq))
			continue;
		for (unsigned int s = 0; s < a->n; s++)
			sum += count[s] ? (double)count[s] * (bits - log2(freq[s])) : 0;
		put_table(&table, freq, bits, a);
		bytes = (table.pos + 7) / 8 + (uint64_t)(sum / 8) + STATES * sizeof(uint32_t);
		/* more bits must be worth it: the decoder's table is to stay near the processor */
		if (plan->bits && bytes + bytes / 1024 >= plan->bytes)
			continue;
		plan->bytes = bytes;
		plan->bits = bits;
		for (unsigned int s = 0; s < a->n; s++)
			plan->freq[s] = freq[s];
	}
}

/* ---------------------------------------------------------------- streams */

int ans_encode(const struct entropy_plan *plan, const struct entropy_alphabet *a, const uint8_t *symbols, uint64_t n, uint8_t **blob, size_t *size)
{
	uint32_t before[ENTROPY_MAX_SYMBOLS + 1], state[STATES] = { LOW, LOW };
	struct bits_writer table = { 0 }, w = { 0 };
	uint64_t words = 0, at;
	size_t head;
	uint16_t *word;

	put_table(&table, plan->freq, plan->bits, a);
	head = (table.pos + 7) / 8;
	/* a symbol takes a word at most, for 2^bits is no more than one holds */
	word = malloc((n + 1) * sizeof(*word));
	if (!word)
		return -ENOMEM;
	before[0] = 0;
	for (unsigned int s = 0; s < a->n; s++)
		before[s + 1] = before[s] + plan->freq[s];
	for (uint64_t i = n; i-- > 0;) {
		uint32_t *x = &state[i % STATES], f = plan->freq[symbols[i]];

		if ((uint64_t)*x >= (uint64_t)f << (32 - plan->bits)) {
			word[words++] = (uint16_t)*x;
			*x >>= 16;
		}
		*x = (*x / f << plan->bits) + *x % f + before[symbols[i]];
	}
	*size = head + sizeof(state) + words * sizeof(*word);
	*blob = w.p = calloc(1, *size);
	if (!w.p) {
		free(word);
		return -ENOMEM;
	}
	put_table(&w, plan->freq, plan->bits, a);
	memcpy(*blob + head, state, sizeof(state));
	/* the decoder goes the other way */
	at = head + sizeof(state);
	for (uint64_t i = words; i-- > 0; at += sizeof(*word))
		memcpy(*blob + at, &word[i], sizeof(*word));
	free(word);
	return 0;
}

/* What the low bits of a state say. */
struct slot {
	uint16_t freq, offset;     /* offset: place within the symbol's frequency */
	uint8_t symbol;
};

static void fill_slots(struct slot *slot, const uint16_t *freq, unsigned int n)
{
	for (unsigned int s = 0; s < n; s++)
		for (uint32_t i = 0; i < freq[s]; i++)
			*slot++ = (struct slot){ freq[s], (uint16_t)i, (uint8_t)s };
}

/* One symbol, of a stream that has a word left. Whether it is taken is not to be guessed, so there is no branch. */
static inline void step_fast(const struct slot *slots, unsigned int bits, uint32_t *x, const uint8_t **p, uint8_t *symbol)
{
	const struct slot *s = &slots[*x & ((1u << bits) - 1)];
	uint32_t next = s->freq * (*x >> bits) + s->offset, more = next < LOW;
	uint16_t word;

	*symbol = s->symbol;
	memcpy(&word, *p, sizeof(word));
	*x = next << 16 * more | (word & -more);
	*p += sizeof(word) * more;
}

/* The same with words up to end. */
static inline bool step(const struct slot *slots, unsigned int bits, uint32_t *x, const uint8_t **p, const uint8_t *end, uint8_t *symbol)
{
	const struct slot *s = &slots[*x & ((1u << bits) - 1)];
	uint16_t word;

	*symbol = s->symbol;
	*x = s->freq * (*x >> bits) + s->offset;
	if (*x >= LOW)
		return true;
	if ((size_t)(end - *p) < sizeof(word))
		return false;
	memcpy(&word, *p, sizeof(word));
	*p += sizeof(word);
	*x = *x << 16 | word;
	return true;
}

const char *ans_decode(const uint8_t *blob, uint64_t size, const struct entropy_alphabet *a, uint8_t *symbols, uint64_t n)
{
	struct bits_reader r = { blob, 0, 8 * size };
	struct slot slots[1u << MOST_BITS];
	const uint8_t *p, *end = blob + size;
	uint16_t freq[ENTROPY_MAX_SYMBOLS];
	uint32_t state[STATES];
	unsigned int bits;
	const char *wrong = get_table(&r, freq, &bits, a);
	uint64_t left, i = 0;

	if (wrong)
		return wrong;
	if (r.pos % 8 && bits_get(&r, 8 - r.pos % 8, &left) && left)
		return "the table of frequencies does not end with zeros";
	if (r.end - r.pos < 8 * sizeof(state))
		return "the bytes end before the first symbol";
	p = blob + r.pos / 8;
	memcpy(state, p, sizeof(state));
	p += sizeof(state);
	fill_slots(slots, freq, a->n);
	for (unsigned int k = 0; k < STATES; k++)
		if (state[k] < LOW)
			return "a state below 2^16";
	for (; i + 1 < n && end - p >= 4; i += 2) {
		step_fast(slots, bits, &state[0], &p, &symbols[i]);
		step_fast(slots, bits, &state[1], &p, &symbols[i + 1]);
	}
	for (; i + 1 < n; i += 2)
		if (!step(slots, bits, &state[0], &p, end, &symbols[i]) || !step(slots, bits, &state[1], &p, end, &symbols[i + 1]))
			return "the bytes end before the last symbol";
	if (n % 2 && !step(slots, bits, &state[0], &p, end, &symbols[n - 1]))
		return "the bytes end before the last symbol";
	if (p != end || state[0] != LOW || state[1] != LOW)
		return "the states do not end where they began: damaged";
	return NULL;
}
