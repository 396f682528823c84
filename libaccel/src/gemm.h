/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/*
 * Products of float32 matrices, as convolutions and MatMul need them. Every element is one sum in the order of k, each product rounded
 * before it is added: the bits depend neither on the instruction set nor on how the work is split between threads.
 */
#ifndef ACCEL_GEMM_H
#define ACCEL_GEMM_H

#include <stddef.h>

#define GEMM_COLS 64u   /* columns of a panel */

/* tile[rows][GEMM_COLS] = init[row] + a[rows][k] (row stride lda) * panel[k][GEMM_COLS]. init NULL: zeros. panel and tile: 64-byte aligned. */
void gemm_panel(const float *a, size_t lda, size_t rows, size_t k, const float *panel, const float *init, float *tile);
/* y[n] += w * x[n] */
void gemm_axpy(float *y, float w, const float *x, size_t n);
/* Sum of x[n] * y[n] over 16 interleaved sums that are added pairwise in the end. */
float gemm_dot(const float *x, const float *y, size_t n);

#endif
