// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * One kernel, compiled for three widths of vectors. Why not OpenBLAS? Its thread count belongs to the whole process, not to us, and its
 * kernels differ between processors: the same network would give other bits on another machine. docs/performance.md has the times.
 */
#include "gemm.h"


/* gcc leaves these loops alone at -O2, and the sums then live in memory: half the speed. */
#ifdef __clang__
#define UNROLL
#else
#define UNROLL _Pragma("GCC unroll 8")
#endif

/* R rows times 2 vectors of W floats are kept in registers; rows beyond the last one repeat it and are not stored. */
#define PANEL_KERNEL(name, target, W, R) \
	typedef float name##_vec __attribute__((vector_size(4 * (W)), aligned(4), may_alias)); \
	target static void name(const float *a, size_t lda, size_t rows, size_t k, const float *panel, const float *init, float *tile) \
	{ \
		for (size_t r0 = 0; r0 < rows; r0 += (R)) { \
			size_t valid = rows - r0 < (R) ? rows - r0 : (R); \
			const float *row[R]; \
\
			UNROLL for (size_t r = 0; r < (R); r++) \
				row[r] = a + (r0 + (r < valid ? r : valid - 1)) * lda; \
			for (size_t j = 0; j < GEMM_COLS; j += 2 * (W)) { \
				name##_vec acc[R][2]; \
\
				UNROLL for (size_t r = 0; r < (R); r++) { \
					float start = init ? init[r0 + (r < valid ? r : valid - 1)] : 0; \
\
					acc[r][0] = (name##_vec){ 0 } + start; \
					acc[r][1] = (name##_vec){ 0 } + start; \
				} \
				for (size_t i = 0; i < k; i++) { \
					name##_vec b0 = *(const name##_vec *)(panel + i * GEMM_COLS + j); \
					name##_vec b1 = *(const name##_vec *)(panel + i * GEMM_COLS + j + (W)); \
\
					UNROLL for (size_t r = 0; r < (R); r++) { \
						acc[r][0] += row[r][i] * b0; \
						acc[r][1] += row[r][i] * b1; \
					} \
				} \
				for (size_t r = 0; r < valid; r++) { \
					*(name##_vec *)(tile + (r0 + r) * GEMM_COLS + j) = acc[r][0]; \
					*(name##_vec *)(tile + (r0 + r) * GEMM_COLS + j + (W)) = acc[r][1]; \
				} \
			} \
		} \
	}

/* What is left of a row behind the last full vector. */
typedef float four __attribute__((vector_size(16), aligned(4), may_alias));

#define AXPY_KERNEL(name, target, W) \
	typedef float name##_vec __attribute__((vector_size(4 * (W)), aligned(4), may_alias)); \
	target static void name(float *y, float w, const float *x, size_t n) \
	{ \
		size_t i = 0; \
\
		for (; i + (W) <= n; i += (W)) \
			*(name##_vec *)(y + i) += w * *(const name##_vec *)(x + i); \
		for (; i + 4 <= n; i += 4) \
			*(four *)(y + i) += w * *(const four *)(x + i); \
		for (; i < n; i++) \
			y[i] += w * x[i]; \
	}

#define DOT_KERNEL(name, target) \
	typedef float name##_vec __attribute__((vector_size(64), aligned(4), may_alias)); \
	target static float name(const float *x, const float *y, size_t n) \
	{ \
		name##_vec sum = { 0 }, last = { 0 }; \
		size_t i = 0, k = 0; \
\
		for (; i + 16 <= n; i += 16) \
			sum += *(const name##_vec *)(x + i) * *(const name##_vec *)(y + i); \
		for (; i + 4 <= n; i += 4, k += 4) \
			((four *)&last)[k / 4] = *(const four *)(x + i) * *(const four *)(y + i); \
		for (; i < n; i++, k++) \
			last[k] = x[i] * y[i]; \
		sum += last; \
		for (size_t half = 8; half; half /= 2) \
			for (size_t j = 0; j < half; j++) \
				sum[j] += sum[j + half]; \
		return sum[0]; \
	}

PANEL_KERNEL(panel_portable, , 4, 4)
AXPY_KERNEL(axpy_portable, , 4)
DOT_KERNEL(dot_portable, )

#ifdef __x86_64__
#define AVX2   __attribute__((target("avx2")))
#define AVX512 __attribute__((target("avx512f")))

PANEL_KERNEL(panel_avx2, AVX2, 8, 6)
AXPY_KERNEL(axpy_avx2, AVX2, 8)
DOT_KERNEL(dot_avx2, AVX2)
PANEL_KERNEL(panel_avx512, AVX512, 16, 8)
AXPY_KERNEL(axpy_avx512, AVX512, 16)
DOT_KERNEL(dot_avx512, AVX512)

#define DISPATCH(name, ...) \
	(__builtin_cpu_supports("avx512f") ? name##_avx512(__VA_ARGS__) : \
	 __builtin_cpu_supports("avx2") ? name##_avx2(__VA_ARGS__) : name##_portable(__VA_ARGS__))
#else
#define DISPATCH(name, ...) name##_portable(__VA_ARGS__)
#endif

void gemm_panel(const float *a, size_t lda, size_t rows, size_t k, const float *panel, const float *init, float *tile)
{
	DISPATCH(panel, a, lda, rows, k, panel, init, tile);
}

void gemm_axpy(float *y, float w, const float *x, size_t n)
{
	DISPATCH(axpy, y, w, x, n);
}

float gemm_dot(const float *x, const float *y, size_t n)
{
	return DISPATCH(dot, x, y, n);
}
