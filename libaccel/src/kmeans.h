/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/*
 * k-means in one dimension, for weight sharing (Han et al., ICLR 2016, section 3): optimal by dynamic programming, and Lloyd's algorithm from the
 * three beginnings of the paper to compare with. And cells of equal width.
 */
#ifndef ACCEL_KMEANS_H
#define ACCEL_KMEANS_H

#include <stdint.h>

#define KMEANS_MAX 256u        /* clusters */

/* Values in order, gathered in bins where there are many: what clusters are made of. */
struct kmeans_points {
	uint32_t n;
	double *value;         /* [n], increasing: mean of the bin */
	double *weight;        /* [n]: values in the bin */
	double spread;         /* sum of squared distances of the values from the means of their bins */
};

enum kmeans_init {
	KMEANS_LINEAR,         /* centres at equal distances from the least to the greatest value */
	KMEANS_DENSITY,        /* at equal distances of the distribution function */
	KMEANS_RANDOM,         /* values by chance */
};

/* The non-zero ones of n finite values; exact up to a few thousand, else in bins of 1/2048 of their value. -ENOMEM. */
int kmeans_points_new(const float *values, uint64_t n, struct kmeans_points *points);
void kmeans_points_free(struct kmeans_points *points);

/*
 * centre [k], increasing; returns how many there are: fewer than k when there are fewer points. k is 1 to KMEANS_MAX. -ENOMEM.
 * The sum of squares is the least possible over points, of up to a few thousand points; of more it is within 0.1 % of that (tests/lib/test_kmeans.c).
 */
int kmeans_optimal(const struct kmeans_points *points, unsigned int k, double *centre);
/* The same result as far as Lloyd's algorithm gets. */
int kmeans_lloyd(const struct kmeans_points *points, unsigned int k, enum kmeans_init init, uint64_t seed, double *centre);
/*
 * The mean of the points in each cell [i * width, (i + 1) * width) that has any. Of all quantisers whose codes are entropy-coded those with cells of equal width are next to the best: the same squares with fewer bits than
 * the best k centres, though more of them, and rare ones (Gish and Pierce, IEEE Trans. Information Theory 14(5), 1968). Returns how many; 0: there are no points, no width, or more cells than KMEANS_MAX - 1.
 */
int kmeans_uniform(const struct kmeans_points *points, double width, double *centre);
/* Sum of squared distances of all values from their nearest centre. */
double kmeans_cost(const struct kmeans_points *points, const double *centre, unsigned int k);
/* Number of the nearest centre. */
unsigned int kmeans_nearest(const float *centre, unsigned int k, float value);

#endif
