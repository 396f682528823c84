/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/*
 * OpenBLAS, opened when it is wanted: it starts threads as soon as it is loaded, and nobody but compression with calibration data needs it.
 */
#ifndef ACCEL_BLAS_H
#define ACCEL_BLAS_H

#include <accel.h>

/* Names, results and arguments as OpenBLAS has them; integers are of 32 bits. */
#define BLAS_FUNCTIONS(F) \
	F(void, cblas_sgemm, (int order, int transa, int transb, int m, int n, int k, float alpha, const float *a, int lda, const float *b, int ldb, \
			      float beta, float *c, int ldc)) \
	F(void, cblas_ssyrk, (int order, int uplo, int trans, int n, int k, float alpha, const float *a, int lda, float beta, float *c, int ldc)) \
	F(int, openblas_get_num_threads, (void)) \
	F(void, openblas_set_num_threads, (int threads)) \
	F(void, dpotrf_, (const char *uplo, const int *n, double *a, const int *lda, int *info)) \
	F(void, dtrtri_, (const char *uplo, const char *diag, const int *n, double *a, const int *lda, int *info))

enum { BLAS_ROW_MAJOR = 101, BLAS_PLAIN = 111, BLAS_TRANSPOSED = 112, BLAS_UPPER = 121 };

struct blas {
	void *handle;
#define F(type, name, arguments) type (*name) arguments;
	BLAS_FUNCTIONS(F)
#undef F
};

/* -ENOENT when it is not installed; the text says what to do. */
int blas_open(struct blas *blas, struct accel_error *err);
void blas_close(struct blas *blas);

#endif
