/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/* The geometry that convolutions and pooling share: a window that moves over up to three dimensions. */
#ifndef ACCEL_OP_WINDOW_H
#define ACCEL_OP_WINDOW_H

#include "op.h"

#define WINDOW_DIMS 3

/* Missing dimensions come first and are 1, so that every window has depth, height and width. */
struct window {
	unsigned int ndim;                 /* spatial dimensions of the tensor */
	uint32_t in[WINDOW_DIMS], out[WINDOW_DIMS], kernel[WINDOW_DIMS], stride[WINDOW_DIMS], dilation[WINDOW_DIMS];
	int64_t pad[WINDOW_DIMS], pad_end[WINDOW_DIMS];
	uint64_t in_count, out_count, kernel_count;   /* products */
};

/* What MaxPool and AveragePool are. */
struct pooling {
	struct window w;
	bool max, count_pad, column_major;
};

/* kernel: [x->ndim - 2] sizes. out of x's spatial size by attributes strides, dilations, pads, auto_pad and, with ceil, ceil_mode. */
int window_make(const struct op_infer *c, const struct net_value *x, const int64_t *kernel, bool ceil, struct window *w);
/* Attributes strides, dilations, pads, auto_pad and nothing more: what transposed convolution needs. */
int window_attrs(const struct op_infer *c, const struct net_value *x, const int64_t *kernel, struct window *w, const char **auto_pad);
/* Output index range [*first, *last) for which stride * o + offset lies in [0, size). */
void window_range(uint32_t out, uint32_t stride, int64_t offset, uint32_t size, uint32_t *first, uint32_t *last);

#endif
