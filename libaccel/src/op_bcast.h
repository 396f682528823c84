/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/* Loops over up to three tensors broadcast together. */
#ifndef ACCEL_OP_BCAST_H
#define ACCEL_OP_BCAST_H

#include "op.h"

/* Dimensions that can be walked as one are merged; the last one is the inner loop, of strides 0 or 1. */
struct bcast {
	unsigned int ndim;
	uint32_t dims[NET_MAX_DIMS];
	uint64_t stride[3][NET_MAX_DIMS];
	uint64_t rows, inner;
};

/* n input tensors broadcast to dims. */
void bcast_make(struct bcast *b, unsigned int ndim, const uint32_t *dims, unsigned int n, const struct net_value *const *v);
/* Where row r begins in each of the n tensors. */
void bcast_row(const struct bcast *b, uint64_t row, unsigned int n, uint64_t *offset);

/* op_gemm.c: dims of a matrix product (MatMul and its quantised kin), and where its matrices lie: offsets count whole matrices. */
int matmul_shape(const struct op_infer *c, uint32_t *m, uint32_t *n, uint32_t *k, struct bcast *batch, unsigned int *ndim,
		 uint32_t *dims);

#endif
