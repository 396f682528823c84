/* SPDX-License-Identifier: GPL-2.0 OR MIT */
#ifndef ACCEL_OP_CONV_H
#define ACCEL_OP_CONV_H

#include "op_window.h"

/* What a convolution is, whatever its numbers are: float32 (op_conv.c) or quantised (op_qconv.c). */
struct conv {
	struct window w;
	uint32_t batch, groups, cin, cout;   /* channels of a group */
	uint64_t k;                          /* products of an output: cin * kernel */
	uint64_t tiles, blocks;              /* float: pixel tiles of an image, row blocks of a group */
};

/* x, w: values of the data and of the weights [cout, cin / groups, kernel...]. Gives output 0 its shape, of this type. */
int conv_make(const struct op_infer *c, const struct net_value *x, const struct net_value *w, enum net_type type, struct conv *p);
/* Offset of pixel 0 of group g of image n in the input, and in the output. */
static inline uint64_t conv_in(const struct conv *p, uint64_t n, uint64_t g)
{
	return (n * p->groups + g) * p->cin * p->w.in_count;
}

static inline uint64_t conv_out(const struct conv *p, uint64_t n, uint64_t g)
{
	return (n * p->groups + g) * p->cout * p->w.out_count;
}

#endif
