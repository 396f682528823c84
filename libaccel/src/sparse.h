/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/* Sparse operands that are given at run time: struct accel_sparse of accel.h, and the segments that are made of one. */
#ifndef ACCEL_SPARSE_H
#define ACCEL_SPARSE_H

#include "net.h"

/*
 * Text attribute of a segment's node: its one layer multiplies a matrix of the network with a value, and a session may be given another one. The text is the name of the network's input
 * that the matrix was given for, or empty.
 */
#define SPARSE_ATTR "sparse"

/* Row pointers and columns in range, no column twice in a row, values finite. what names the matrix in errors: -EINVAL, -ENOMEM. */
int sparse_check(const char *what, const struct accel_sparse *matrix, struct accel_error *err);
/* [rows, cols], zeroed by the caller. */
void sparse_fill(const struct accel_sparse *matrix, float *dense);
/* The node has such a layer, and goes by the name: its own, or its operand's. */
bool sparse_is_named(const struct net_node *node, const char *name);
/*
 * The segment of the node with the weights of the matrix, which is sound: its layer's codebook, and factors of rows, have all values. Everything else stays as it is, ranges
 * included; numbers are derived anew. -EINVAL: other rows and columns; -EDOM: a value that the codebook has not; -ENOTSUP: no such segment.
 */
int sparse_segment(const struct net_node *node, const struct accel_sparse *matrix, struct accel_model **segment, struct accel_error *err);

#endif
