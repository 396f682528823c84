/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/*
 * Linear maps of images, moved over them by a window, and what two of them behind each other, or several beside each other, are as one: a convolution again
 * (RepVGG, Ding et al., arXiv 2101.03697; Diverse Branch Block, Ding et al., arXiv 2103.13425). Exact but for rounding, or refused.
 */
#ifndef ACCEL_BRANCH_H
#define ACCEL_BRANCH_H

#include "op_window.h"

struct branch {
	uint32_t x, y;                     /* value that it reads, and that it makes */
	struct window w;
	uint32_t groups, cin, cout;        /* channels of all groups */
	const float *weights;              /* [cout, cin / groups, kernel], the network's; NULL: `tap` at each place */
	const float *bias;                 /* [cout], the network's; NULL: none */
	double tap;
	uint64_t n;                        /* weights that a file has of it */
};

/* A convolution with constant weights or average pooling, without an activation. Convolutions whose weights share values are none: they would be other values. */
bool branch_of(const struct accel_network *net, const struct net_node *node, struct branch *b);
/* What is the value x as it is. */
struct branch branch_identity(const struct accel_network *net, uint32_t x);

/*
 * The shape of first, then second; of n side by side, added. false: there is no such convolution, because of what padding makes of the border, or because windows do not fit
 * each other. Neither looks at numbers but at whether there is a bias.
 */
bool branch_sequence(const struct branch *first, const struct branch *second, struct branch *merged);
bool branch_sum(const struct branch *b, unsigned int n, struct branch *merged);
uint64_t branch_weights(const struct branch *b);
/* Multiplications that the numbers of a sequence take. */
uint64_t branch_work(const struct branch *first, const struct branch *second);

/*
 * The numbers, in double precision before they are rounded once: weights [branch_weights(merged)], bias [cout]. -ENOMEM, or -ERANGE: one is beyond float32, and nothing can be done.
 */
int branch_multiply(const struct branch *first, const struct branch *second, const struct branch *merged, float *weights, float *bias);
int branch_add(const struct branch *b, unsigned int n, const struct branch *merged, float *weights, float *bias);

#endif
