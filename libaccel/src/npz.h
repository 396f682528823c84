/* SPDX-License-Identifier: GPL-2.0 OR MIT */
#ifndef ACCEL_NPZ_H
#define ACCEL_NPZ_H

#include <accel.h>

/* accel_graph_from_npz from memory; name is for error texts. The bytes are not kept. */
int npz_graph(const void *data, size_t size, const char *name, struct accel_graph **graph, struct accel_error *err);

/* A sparse matrix as scipy.sparse.save_npz writes one, of floats, integers or booleans. */
struct npz_matrix {
	struct accel_sparse csr;   /* points to what follows */
	uint32_t *rowptr, *col;
	float *value;
};

/* Errors as accel_graph_from_npz(). What is in the matrix is not checked but for its shape: sparse_check() does. */
int npz_matrix_read(const char *path, struct npz_matrix *matrix, struct accel_error *err);
void npz_matrix_free(struct npz_matrix *matrix);

#endif
