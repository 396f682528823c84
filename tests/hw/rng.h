/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/* Small reproducible random numbers for tests (xorshift64*, Vigna 2016). */
#ifndef TEST_RNG_H
#define TEST_RNG_H

#include <stdbool.h>
#include <stdint.h>

struct rng {
	uint64_t s;
};

static inline struct rng rng_seed(uint64_t seed)
{
	return (struct rng){ seed * 0x9e3779b97f4a7c15ull + 0x1234567ull };
}

static inline uint64_t rng_next(struct rng *r)
{
	r->s ^= r->s >> 12;
	r->s ^= r->s << 25;
	r->s ^= r->s >> 27;
	return r->s * 0x2545f4914f6cdd1dull;
}

/* lo .. hi, both included */
static inline uint32_t rng_range(struct rng *r, uint32_t lo, uint32_t hi)
{
	return lo + (uint32_t)((rng_next(r) >> 16) % ((uint64_t)hi - lo + 1));
}

static inline bool rng_permille(struct rng *r, unsigned int p)
{
	return (rng_next(r) >> 20) % 1000 < p;
}

/* Extremes often, everything sometimes. */
static inline int16_t rng_value(struct rng *r)
{
	static const int16_t extreme[] = { -32768, -32767, 32767, 1, -1, 0, 16384, -16384 };

	return rng_permille(r, 120) ? extreme[rng_range(r, 0, 7)] : (int16_t)(rng_next(r) >> 24);
}

#endif
