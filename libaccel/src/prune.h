/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/* Which weights of a layer go: by magnitude, or by any other score of what each is worth. */
#ifndef ACCEL_PRUNE_H
#define ACCEL_PRUNE_H

#include <stdbool.h>
#include <stdint.h>

/*
 * What pruning the least of n scores costs: the sum of the scores that go, as a share of `total`. Built from a histogram, so that it costs no more than
 * two looks at each score.
 */
struct prune_curve {
	uint64_t n;            /* scores */
	double total;
	unsigned int bins;
	uint64_t *count;       /* [bins] scores in a bin, from the least on */
	double *sum;           /* [bins] */
};

/* score (arg, i) is 0 or more. total 0: the sum of all. -ENOMEM. */
int prune_curve_new(uint64_t n, float (*score)(const void *arg, uint64_t i), const void *arg, double total, struct prune_curve *curve);
void prune_curve_free(struct prune_curve *curve);
/* How many scores stay when the others together cost at most the share `loss`, and what share it costs to keep so many. */
uint64_t prune_keep(const struct prune_curve *curve, double loss);
double prune_loss(const struct prune_curve *curve, uint64_t keep);

/* The least of the `keep` greatest scores: INFINITY for none, 0 for all. -ENOMEM. */
int prune_threshold(uint64_t n, uint64_t keep, float (*score)(const void *arg, uint64_t i), const void *arg, float *least);
/* Score of weights by magnitude: their squares. arg: the weights. */
float prune_square(const void *arg, uint64_t i);
/* Sets all but the `keep` weights of greatest score to +0; of equal scores the first ones stay. Those that stay and are -0 become +0 as well. -ENOMEM. */
int prune_weights(float *weights, uint64_t n, uint64_t keep, float (*score)(const void *arg, uint64_t i), const void *arg);

#endif
