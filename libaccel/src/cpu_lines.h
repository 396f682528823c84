/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/* What convolutions and pooling do to lines of pixels beside multiplying. x of stride s: x[0], x[s], x[2 * s], ... */
#ifndef ACCEL_CPU_LINES_H
#define ACCEL_CPU_LINES_H

#include <stddef.h>
#include <stdint.h>

struct cpu_lines {
	/* Of n pixels, those that are not 0. */
	uint32_t (*nonzeros)(const int16_t *x, uint32_t n, uint32_t stride);
	/* to[i] = the word {a, b} of pixel i of two lines; b NULL: zeros. */
	void (*interleave)(const int16_t *a, const int16_t *b, uint32_t n, uint32_t stride, int32_t *to);
	/* y[i] = the largest of pixels x[i * stride + ky * line + kx * dilate], ky < ny, kx < nx; both at least 1. */
	void (*largest)(int16_t *y, uint32_t n, const int16_t *x, uint32_t stride, uint32_t ny, size_t line, uint32_t nx, uint32_t dilate);
	/* The sum of n pixels, modulo 2^32. */
	uint32_t (*sum)(const int16_t *x, uint32_t n);
};

extern const struct cpu_lines cpu_lines_portable, cpu_lines_avx512;

#endif
