/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/* xorshift64*, Marsaglia 2003 / Vigna 2016: the same numbers on every machine and in every release. */
#ifndef ACCEL_SEED_H
#define ACCEL_SEED_H

#include <math.h>
#include <stdint.h>

#define SEED_START 0x9e3779b97f4a7c15ull

static inline uint64_t seed_next(uint64_t *state)
{
	*state ^= *state >> 12;
	*state ^= *state << 25;
	*state ^= *state >> 27;
	return *state * 0x2545f4914f6cdd1dull;
}

/* 0 to 1 */
static inline double seed_uniform(uint64_t *state)
{
	return ldexp((double)(seed_next(state) >> 11), -53);
}

#endif
