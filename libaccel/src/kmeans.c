// SPDX-License-Identifier: GPL-2.0 OR MIT
#include "kmeans.h"
#include "seed.h"

#include <errno.h>
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define EXACT     4096u        /* points that dynamic programming takes */
#define KEY_BITS  20           /* of a float's order-preserving bits: sign, exponent, 11 of the significand */
#define BINS      (1u << KEY_BITS)
#define MAX_STEPS 1000         /* of Lloyd's algorithm */

/* ---------------------------------------------------------------- points */

/* Bits of a float that are in the order of the values. */
static uint32_t ordered(float f)
{
	uint32_t bits;

	memcpy(&bits, &f, sizeof(bits));
	return bits >> 31 ? ~bits : bits | 0x80000000u;
}

static int by_value(const void *a, const void *b)
{
	float x = *(const float *)a, y = *(const float *)b;

	return (x > y) - (x < y);
}

/* Each different value is a point. */
static int exact_points(const float *values, uint64_t n, uint32_t nonzeros, struct kmeans_points *p)
{
	float *sorted = malloc((nonzeros + (size_t)1) * sizeof(*sorted));
	uint32_t at = 0;

	if (!sorted)
		return -ENOMEM;
	for (uint64_t i = 0; i < n; i++)
		if (values[i] != 0)
			sorted[at++] = values[i];
	qsort(sorted, nonzeros, sizeof(*sorted), by_value);
	for (uint32_t i = 0; i < nonzeros; i++) {
		if (!p->n || p->value[p->n - 1] != (double)sorted[i]) {
			p->value[p->n] = (double)sorted[i];
			p->weight[p->n++] = 0;
		}
		p->weight[p->n - 1]++;
	}
	free(sorted);
	return 0;
}

static int binned_points(const float *values, uint64_t n, struct kmeans_points *p)
{
	double *sum = calloc(BINS, sizeof(*sum)), *squares = calloc(BINS, sizeof(*squares)), *count = calloc(BINS, sizeof(*count));
	int ret = sum && squares && count ? 0 : -ENOMEM;

	for (uint64_t i = 0; !ret && i < n; i++) {
		uint32_t bin = ordered(values[i]) >> (32 - KEY_BITS);

		if (values[i] == 0)
			continue;
		count[bin]++;
		sum[bin] += (double)values[i];
		squares[bin] += (double)values[i] * (double)values[i];
	}
	for (uint32_t b = 0; !ret && b < BINS; b++) {
		if (!count[b])
			continue;
		p->value[p->n] = sum[b] / count[b];
		p->weight[p->n++] = count[b];
		p->spread += fmax(squares[b] - sum[b] * sum[b] / count[b], 0);
	}
	free(sum);
	free(squares);
	free(count);
	return ret;
}

int kmeans_points_new(const float *values, uint64_t n, struct kmeans_points *p)
{
	uint64_t nonzeros = 0, room;
	int ret;

	*p = (struct kmeans_points){ 0 };
	for (uint64_t i = 0; i < n; i++)
		nonzeros += values[i] != 0;
	room = nonzeros < BINS ? nonzeros : BINS;
	p->value = malloc((room + 1) * sizeof(*p->value));
	p->weight = malloc((room + 1) * sizeof(*p->weight));
	if (!p->value || !p->weight)
		ret = -ENOMEM;
	else
		ret = nonzeros <= EXACT ? exact_points(values, n, (uint32_t)nonzeros, p) : binned_points(values, n, p);
	if (ret)
		kmeans_points_free(p);
	return ret;
}

void kmeans_points_free(struct kmeans_points *p)
{
	free(p->value);
	free(p->weight);
	*p = (struct kmeans_points){ 0 };
}

/* ---------------------------------------------------------------- Lloyd's algorithm */

/* Means of the points that are nearest to each centre; empty clusters keep theirs. Returns the sum of squares with the centres that came in. */
static double lloyd_step(const struct kmeans_points *p, unsigned int k, double *centre)
{
	double cost = 0;
	uint32_t i = 0;

	for (unsigned int c = 0; c < k; c++) {
		double end = c + 1 < k ? (centre[c] + centre[c + 1]) / 2 : INFINITY, sum = 0, weight = 0;

		for (; i < p->n && p->value[i] < end; i++) {
			double d = p->value[i] - centre[c];

			sum += p->weight[i] * p->value[i];
			weight += p->weight[i];
			cost += p->weight[i] * d * d;
		}
		/* borders are between centres as they came in: the next one has not moved yet */
		if (weight > 0)
			centre[c] = sum / weight;
	}
	return cost;
}

static double refine(const struct kmeans_points *p, unsigned int k, double *centre)
{
	double old[KMEANS_MAX], cost = INFINITY;

	for (unsigned int step = 0; step < MAX_STEPS; step++) {
		double now;

		memcpy(old, centre, k * sizeof(*old));
		now = lloyd_step(p, k, centre);
		if (now >= cost * (1 - 1e-9))
			break;
		cost = now;
	}
	return cost;
}

/* Distinct and in order; returns how many are left. */
static unsigned int order_centres(double *centre, unsigned int k)
{
	unsigned int n = 0;

	for (unsigned int i = 1; i < k; i++) {
		double c = centre[i];
		unsigned int at = i;

		for (; at && centre[at - 1] > c; at--)
			centre[at] = centre[at - 1];
		centre[at] = c;
	}
	for (unsigned int i = 0; i < k; i++)
		if (!n || centre[i] > centre[n - 1])
			centre[n++] = centre[i];
	return n;
}

/* The point below which so much of the weight lies. */
static double quantile(const struct kmeans_points *p, double below)
{
	double sum = 0;

	for (uint32_t i = 0; i < p->n; i++) {
		sum += p->weight[i];
		if (sum > below)
			return p->value[i];
	}
	return p->value[p->n - 1];
}

int kmeans_lloyd(const struct kmeans_points *p, unsigned int k, enum kmeans_init init, uint64_t seed, double *centre)
{
	double all = 0;

	if (!p->n)
		return 0;
	if (p->n <= k) {
		memcpy(centre, p->value, p->n * sizeof(*centre));
		return (int)p->n;
	}
	for (uint32_t i = 0; i < p->n; i++)
		all += p->weight[i];
	for (unsigned int c = 0; c < k; c++) {
		if (init == KMEANS_LINEAR)
			centre[c] = p->value[0] + (k > 1 ? c / (double)(k - 1) : 0.5) * (p->value[p->n - 1] - p->value[0]);
		else
			centre[c] = quantile(p, all * (init == KMEANS_DENSITY ? (c + 0.5) / k : seed_uniform(&seed)));
	}
	k = order_centres(centre, k);
	refine(p, k, centre);
	return (int)order_centres(centre, k);
}

/* ---------------------------------------------------------------- dynamic programming */

/*
 * best[c][j]: the least sum of squares of points 0 .. j - 1 in c clusters. The place where the last cluster begins does not decrease with j, so that a
 * row of the table takes O(n log n) by dividing (Wu 1991; Groenlund et al., arXiv 1701.07204, have the history).
 */
struct table {
	const double *count, *sum, *squares;   /* [n + 1] prefix sums */
	const double *before;                  /* [n + 1] best with a cluster less */
	double *now;
	uint16_t *begin;                       /* [n + 1] where the last cluster begins */
};

/* Sum of squares of points i .. j - 1 as one cluster. */
static double within(const struct table *t, uint32_t i, uint32_t j)
{
	double w = t->count[j] - t->count[i], s = t->sum[j] - t->sum[i];

	return t->squares[j] - t->squares[i] - (w > 0 ? s * s / w : 0);
}

/* Columns lo to hi, whose last cluster begins from first to last. */
static void fill_row(const struct table *t, uint32_t lo, uint32_t hi, uint32_t first, uint32_t last)
{
	while (lo <= hi) {
		uint32_t j = lo + (hi - lo) / 2, end = last < j - 1 ? last : j - 1, at = first;
		double best = INFINITY;

		for (uint32_t i = first; i <= end; i++) {
			double cost = t->before[i] + within(t, i, j);

			if (cost < best) {
				best = cost;
				at = i;
			}
		}
		t->now[j] = best;
		t->begin[j] = (uint16_t)at;
		if (j > lo)
			fill_row(t, lo, j - 1, first, at);
		lo = j + 1;
		first = at;
	}
}

static int dynamic(const struct kmeans_points *p, unsigned int k, double *centre)
{
	size_t n = p->n + (size_t)1;
	double *memory = calloc(5 * n, sizeof(*memory)), *count = memory, *sum = memory + n, *squares = sum + n, *now = squares + n, *before = now + n;
	uint16_t *begin = malloc(k * n * sizeof(*begin));
	double middle = 0, weight = 0;
	uint32_t end = p->n;

	if (!memory || !begin) {
		free(memory);
		free(begin);
		return -ENOMEM;
	}
	/* from the mean: less is lost when sums are subtracted */
	for (uint32_t i = 0; i < p->n; i++) {
		middle += p->weight[i] * p->value[i];
		weight += p->weight[i];
	}
	middle /= weight;
	for (uint32_t i = 0; i < p->n; i++) {
		double x = p->value[i] - middle;

		count[i + 1] = count[i] + p->weight[i];
		sum[i + 1] = sum[i] + p->weight[i] * x;
		squares[i + 1] = squares[i] + p->weight[i] * x * x;
	}
	for (uint32_t j = 1; j <= p->n; j++)
		before[j] = INFINITY;
	for (unsigned int c = 0; c < k; c++) {
		const struct table t = { count, sum, squares, before, now, begin + c * n };
		double *swap = before;

		now[0] = INFINITY;
		for (uint32_t j = 1; j <= c; j++)
			now[j] = INFINITY;
		fill_row(&t, c + 1, p->n, c, p->n - 1);
		before = now;
		now = swap;
	}
	for (unsigned int c = k; c-- > 0;) {
		uint32_t from = begin[c * n + end];

		centre[c] = middle + (sum[end] - sum[from]) / (count[end] - count[from]);
		end = from;
	}
	free(memory);
	free(begin);
	return 0;
}

/*
 * Fewer points: neighbours join until each has the same share of the sum of (weight * width^2)^(1/3). Optimal clusters of a density p are as wide as p^(-1/3)
 * (Panter and Dite 1951), so that each then is of about as many points.
 */
static int coarse_points(const struct kmeans_points *p, struct kmeans_points *to)
{
	double all = 0, sum = 0;
	uint32_t last = UINT32_MAX;

	*to = (struct kmeans_points){ .value = calloc(EXACT, sizeof(*to->value)), .weight = calloc(EXACT, sizeof(*to->weight)) };
	if (!to->value || !to->weight) {
		kmeans_points_free(to);
		return -ENOMEM;
	}
	for (int pass = 0; pass < 2; pass++) {
		for (uint32_t i = 0; i < p->n; i++) {
			double left = i ? p->value[i - 1] : p->value[i], right = i + 1 < p->n ? p->value[i + 1] : p->value[i];
			double width = (right - left) / 2, share = cbrt(p->weight[i] * width * width);
			uint32_t at;

			if (!pass) {
				all += share;
				continue;
			}
			at = (uint32_t)(sum / all * EXACT);
			at = at < EXACT ? at : EXACT - 1;
			sum += share;
			if (at != last)
				to->n++;
			last = at;
			to->value[to->n - 1] += p->value[i] * p->weight[i];
			to->weight[to->n - 1] += p->weight[i];
		}
	}
	for (uint32_t i = 0; i < to->n; i++)
		to->value[i] /= to->weight[i];
	return 0;
}

int kmeans_optimal(const struct kmeans_points *p, unsigned int k, double *centre)
{
	struct kmeans_points coarse;
	int ret;

	if (!p->n)
		return 0;
	if (p->n <= k) {
		memcpy(centre, p->value, p->n * sizeof(*centre));
		return (int)p->n;
	}
	if (p->n <= EXACT) {
		ret = dynamic(p, k, centre);
		return ret ? ret : (int)order_centres(centre, k);
	}
	ret = coarse_points(p, &coarse);
	if (ret)
		return ret;
	k = coarse.n < k ? coarse.n : k;
	ret = dynamic(&coarse, k, centre);
	kmeans_points_free(&coarse);
	if (ret)
		return ret;
	refine(p, k, centre);
	return (int)order_centres(centre, k);
}

/* ---------------------------------------------------------------- equal width */

int kmeans_uniform(const struct kmeans_points *p, double width, double *centre)
{
	double weight = 0, last = -INFINITY;
	unsigned int n = 0;

	for (uint32_t i = 0; width > 0 && i < p->n; i++) {
		double cell = floor(p->value[i] / width);

		if (cell > last) {
			if (n == KMEANS_MAX - 1)
				return 0;
			centre[n++] = weight = 0;
			last = cell;
		}
		weight += p->weight[i];
		centre[n - 1] += (p->value[i] - centre[n - 1]) * p->weight[i] / weight;
	}
	return (int)n;
}

/* ---------------------------------------------------------------- use */

double kmeans_cost(const struct kmeans_points *p, const double *centre, unsigned int k)
{
	double cost = p->spread;
	unsigned int c = 0;

	for (uint32_t i = 0; i < p->n; i++) {
		while (c + 1 < k && fabs(p->value[i] - centre[c + 1]) <= fabs(p->value[i] - centre[c]))
			c++;
		cost += p->weight[i] * (p->value[i] - centre[c]) * (p->value[i] - centre[c]);
	}
	return cost;
}

unsigned int kmeans_nearest(const float *centre, unsigned int k, float value)
{
	unsigned int lo = 0, hi = k;

	/* the first centre that is not below value */
	while (lo < hi) {
		unsigned int middle = (lo + hi) / 2;

		if (centre[middle] < value)
			lo = middle + 1;
		else
			hi = middle;
	}
	if (lo == k || (lo && value - centre[lo - 1] <= centre[lo] - value))
		return lo - 1;
	return lo;
}
