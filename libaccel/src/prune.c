// SPDX-License-Identifier: GPL-2.0 OR MIT
#include "prune.h"

#include <errno.h>
#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define HIGH_BITS 16u      /* of the bits of a score, which for floats above 0 are in the order of their values */
#define LOW_BITS  (32u - HIGH_BITS)

static uint32_t bits_of(float f)
{
	uint32_t bits;

	memcpy(&bits, &f, sizeof(bits));
	return bits;
}

float prune_square(const void *arg, uint64_t i)
{
	const float *w = arg;

	return fminf(w[i] * w[i], FLT_MAX);
}

/* ---------------------------------------------------------------- curve */

int prune_curve_new(uint64_t n, float (*score)(const void *arg, uint64_t i), const void *arg, double total, struct prune_curve *c)
{
	double sum = 0;

	*c = (struct prune_curve){ .n = n, .bins = 1u << HIGH_BITS };
	c->count = calloc(c->bins, sizeof(*c->count));
	c->sum = calloc(c->bins, sizeof(*c->sum));
	if (!c->count || !c->sum) {
		prune_curve_free(c);
		return -ENOMEM;
	}
	for (uint64_t i = 0; i < n; i++) {
		float s = score(arg, i);
		uint32_t bin = bits_of(s) >> LOW_BITS;

		c->count[bin]++;
		c->sum[bin] += (double)s;
		sum += (double)s;
	}
	c->total = total > 0 ? total : sum;
	return 0;
}

void prune_curve_free(struct prune_curve *c)
{
	free(c->count);
	free(c->sum);
	*c = (struct prune_curve){ 0 };
}

uint64_t prune_keep(const struct prune_curve *c, double loss)
{
	double budget = loss * c->total;
	uint64_t gone = 0;

	for (unsigned int b = 0; b < c->bins; b++) {
		if (!c->count[b])
			continue;
		/* part of a bin: its scores are nearly equal */
		if (c->sum[b] > budget)
			return c->n - gone - (uint64_t)((double)c->count[b] * (budget / c->sum[b]));
		budget -= c->sum[b];
		gone += c->count[b];
	}
	return c->n - gone;
}

double prune_loss(const struct prune_curve *c, uint64_t keep)
{
	uint64_t left = keep < c->n ? c->n - keep : 0;
	double cost = 0;

	for (unsigned int b = 0; left && b < c->bins; b++) {
		if (!c->count[b])
			continue;
		if (c->count[b] > left)
			return (cost + c->sum[b] * (double)left / (double)c->count[b]) / c->total;
		cost += c->sum[b];
		left -= c->count[b];
	}
	return c->total > 0 ? cost / c->total : 0;
}

/* ---------------------------------------------------------------- selection */

/*
 * Bits of the least score that stays, and how many with just these bits stay: all above them do. Radix selection, first by the high bits, then by the low ones.
 */
static int find_threshold(uint64_t n, uint64_t keep, float (*score)(const void *arg, uint64_t i), const void *arg, uint32_t *bits, uint64_t *equal)
{
	uint64_t *count = calloc(1u << HIGH_BITS, sizeof(*count)), left = keep;
	uint32_t high, low;

	if (!count)
		return -ENOMEM;
	for (uint64_t i = 0; i < n; i++)
		count[bits_of(score(arg, i)) >> LOW_BITS]++;
	for (high = (1u << HIGH_BITS) - 1; count[high] < left; high--)
		left -= count[high];
	memset(count, 0, (1u << HIGH_BITS) * sizeof(*count));
	for (uint64_t i = 0; i < n; i++) {
		uint32_t b = bits_of(score(arg, i));

		if (b >> LOW_BITS == high)
			count[b & ((1u << LOW_BITS) - 1)]++;
	}
	for (low = (1u << LOW_BITS) - 1; count[low] < left; low--)
		left -= count[low];
	*bits = high << LOW_BITS | low;
	*equal = left;
	free(count);
	return 0;
}

int prune_threshold(uint64_t n, uint64_t keep, float (*score)(const void *arg, uint64_t i), const void *arg, float *least)
{
	uint64_t equal;
	uint32_t bits;

	*least = keep ? 0 : INFINITY;
	if (!keep || keep >= n)
		return 0;
	if (find_threshold(n, keep, score, arg, &bits, &equal))
		return -ENOMEM;
	memcpy(least, &bits, sizeof(*least));
	return 0;
}

int prune_weights(float *w, uint64_t n, uint64_t keep, float (*score)(const void *arg, uint64_t i), const void *arg)
{
	uint64_t equal = 0;
	uint32_t bits = UINT32_MAX;

	/* weights are scores: each is looked at before it is changed, and once */
	if (keep && keep < n && find_threshold(n, keep, score, arg, &bits, &equal))
		return -ENOMEM;
	for (uint64_t i = 0; i < n; i++) {
		uint32_t b = keep && keep < n ? bits_of(score(arg, i)) : 0;
		bool stays = keep >= n || b > bits || (b == bits && equal);

		equal -= keep < n && b == bits && equal;
		if (!stays || w[i] == 0)
			w[i] = 0;
	}
	return 0;
}
