/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/* Sparse matrices of the command line: --sparse NAME=GRAPH.npz, once for each. */
#ifndef EIE_SPARSE_SET_H
#define EIE_SPARSE_SET_H

#include "args.h"

struct npz_matrix;

struct sparse_set {
	unsigned int n;
	struct accel_onnx_sparse *item; /* [n] */
	struct npz_matrix *matrix;	/* [n] what they point to */
	char **name;			/* [n] */
};

/* Prints an error; returns an exit status. list may be NULL. The set is to be freed in any case. */
int sparse_set_read(const struct arg_list *list, struct sparse_set *set);
void sparse_set_free(struct sparse_set *set);

#endif
