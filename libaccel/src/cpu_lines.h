/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/*
 * What convolutions and pooling do to lines of pixels beside multiplying, and what is done value by value. x of stride s: x[0], x[s], x[2 * s], ... Words are packed pixels: two or four channels
 * in 32 bits (cpu_image.h).
 */
#ifndef ACCEL_CPU_LINES_H
#define ACCEL_CPU_LINES_H

#include <stddef.h>
#include <stdint.h>

/* y[i] = the largest of pixels x[i * stride + ky * line + kx * dilate], ky < ny, kx < nx; both at least 1. Pixels: int16, or words, whose channels are compared apart. */
typedef void cpu_largest(void *y, uint32_t n, const void *x, uint32_t stride, uint32_t ny, size_t line, uint32_t nx, uint32_t dilate);

/* Of products: the layer's multiplier, shift and clamp. */
struct cpu_scale {
	uint16_t mult;
	uint8_t shift;
	int16_t lo, hi;
};

/* y[i] = accel_interpolate(table, x[i]). */
typedef void cpu_interpolate(const int16_t *table, const int16_t *x, size_t n, int16_t *y);
/* y[i] = accel_requant(a[i] * b[i * step]), step 0 or 1; *saturated is added to. */
typedef void cpu_product(const struct cpu_scale *scale, const int16_t *a, const int16_t *b, unsigned int step, size_t n, int16_t *y, uint64_t *saturated);

struct cpu_lines {
	/* Adds to count[0] and count[1] the even and the odd halves of n words that are not 0. */
	void (*nonzeros)(const int32_t *x, size_t n, uint64_t count[2]);
	/* to[i] = the word {a, b} of pixel i of two lines; b NULL: zeros. */
	void (*interleave)(const int16_t *a, const int16_t *b, uint32_t n, uint32_t stride, int32_t *to);
	/* to[i] = the word of pixel i of four lines, of 8 bits after zero was added; NULL: zeros. */
	void (*quads)(const int16_t *const x[4], uint8_t zero, uint32_t n, uint32_t stride, int32_t *to);
	/* to[i] = word i. */
	void (*pick)(const int32_t *x, uint32_t n, uint32_t stride, int32_t *to);
	cpu_largest *largest[3];   /* of int16, of words of two, of words of four */
	/* The sum of ny lines of nx pixels, modulo 2^32; line: int16s from one to the next. stride 1, or 2: halves of words. */
	uint32_t (*sum)(const int16_t *x, uint32_t ny, size_t line, uint32_t nx, uint32_t stride);
	cpu_interpolate *interpolate;
	cpu_product *product;
	/* q[i] = accel_quantised(x[i]) for n numbers. */
	void (*quantise)(const float *x, size_t n, float scale, int16_t lo, int16_t hi, int16_t *q);
};

extern const struct cpu_lines cpu_lines_portable, cpu_lines_avx2, cpu_lines_avx512;

/* What of cpu_lines_avx2 is not portable. */
extern cpu_largest cpu_largest_words_avx2, cpu_largest_bytes_avx2;
extern cpu_interpolate cpu_interpolate_avx2;
extern cpu_product cpu_product_avx2;

#endif
