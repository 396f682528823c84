/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/*
 * Pruning and rounding by second-order information: Optimal Brain Surgeon (Hassibi and Stork 1993) for the squared error of a layer's output, whose Hessian is
 * the sum of x x^T over its inputs x; column by column with compensation in the others, as SparseGPT (Frantar and Alistarh, arXiv 2301.00774) and GPTQ
 * (Frantar et al., arXiv 2210.17323) do it.
 */
#ifndef ACCEL_SECOND_H
#define ACCEL_SECOND_H

#include "blas.h"
#include "calib.h"
#include "net.h"

#define SECOND_MOST 2047u      /* columns of a block; with the bias 2,048 */

/* Some columns of a group's weights, and behind them, as a column whose input is 1, the bias. */
struct second_block {
	uint32_t first, n;     /* n: with the bias */
	float *h;              /* [n, n] the sum of x x^T; second_factor() makes of it U, upper, with H^-1 = U^T U */
	float *inverse;        /* [n] the diagonal of H^-1 */
};

struct second {
	uint32_t rows, cols, groups;            /* rows and columns of a group */
	uint64_t row_stride, col_stride;        /* weight (r, c) of group g: g * rows * cols + r * row_stride + c * col_stride */
	unsigned int nblocks;                   /* of a group */
	struct second_block *block;             /* [groups * nblocks] */
	uint64_t samples;
	double energy;                          /* sum of squares of the outputs about their means, blocks by themselves */
};

/* second_collect.c */
struct second_target {
	uint32_t node;
	struct second *second;                  /* filled; NULL: nothing is wanted of this one */
};

/* A layer's shape; false for one that this cannot do: computed inputs of another form, or nothing to multiply. */
bool second_can(const struct accel_network *net, const struct net_node *node);
int second_new(const struct accel_network *net, const struct net_node *node, struct second **second);
void second_free(struct second *second);
/* Runs all items through the network and sums x x^T of the layers' inputs. cancel (NULL: never) is asked before each. -ENOMEM, -ECANCELED. */
int second_collect(const struct blas *blas, const struct accel_network *net, const struct calib_inputs *in, unsigned int n, const struct second_target *targets,
		   int (*cancel)(void *arg, uint64_t item), void *arg, struct accel_error *err);

/* second.c */
/* After collection: U, the diagonal of H^-1, and the energy of these weights. -ENOMEM. */
int second_factor(const struct blas *blas, struct second *second, const float *weights);
/* What a weight is worth: the least by which the sum of squares grows without it. */
struct second_scores {
	const struct second *second;
	const float *weights;
};
float second_score(const void *scores, uint64_t i);
/* Values that weights may have: those of row r of all groups' rows scale[r] (NULL: 1) times these. */
struct second_values {
	const float *value;                     /* [n], increasing */
	unsigned int n;
	const float *scale;                     /* [groups * rows] powers of two, or NULL */
};
/*
 * Weights whose score is below least become 0; with shared (not NULL) the others become the nearest of these. What that changes in the output is compensated by weights not
 * yet decided, and by bias (NULL: none), which has one value a row. *loss: sum of squares of the change that is left. -ENOMEM.
 */
int second_sweep(const struct blas *blas, const struct second *second, float *weights, float *bias, float least, const struct second_values *shared,
		 double *loss);

#endif
