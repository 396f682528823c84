// SPDX-License-Identifier: GPL-2.0 OR MIT
#include "cpu_lines.h"
#include "model.h"

static void nonzeros(const int32_t *x, size_t n, uint64_t count[2])
{
	for (size_t i = 0; i < n; i++) {
		count[0] += (x[i] & 0xffff) != 0;
		count[1] += (uint32_t)x[i] >> 16 != 0;
	}
}

static void interleave(const int16_t *a, const int16_t *b, uint32_t n, uint32_t stride, int32_t *to)
{
	for (uint32_t i = 0; i < n; i++) {
		uint16_t even = (uint16_t)a[(size_t)i * stride], odd = b ? (uint16_t)b[(size_t)i * stride] : 0;

		to[i] = (int32_t)((uint32_t)odd << 16 | even);
	}
}

static void quads(const int16_t *const x[4], uint8_t zero, uint32_t n, uint32_t stride, int32_t *to)
{
	for (uint32_t i = 0; i < n; i++) {
		uint32_t word = 0;

		for (uint32_t c = 0; c < 4; c++)
			word |= (uint32_t)(uint8_t)((x[c] ? x[c][(size_t)i * stride] : 0) + zero) << 8 * c;
		to[i] = (int32_t)word;
	}
}

static void pick(const int32_t *x, uint32_t n, uint32_t stride, int32_t *to)
{
	for (uint32_t i = 0; i < n; i++)
		to[i] = x[(size_t)i * stride];
}

/* each: int16s of a pixel. */
static inline void largest_of(int16_t *y, uint32_t n, const int16_t *x, uint32_t stride, uint32_t ny, size_t line, uint32_t nx, uint32_t dilate, uint32_t each)
{
	for (uint32_t i = 0; i < n; i++) {
		for (uint32_t c = 0; c < each; c++) {
			const int16_t *from = x + (size_t)i * stride * each + c;
			int16_t best = *from;

			for (uint32_t ky = 0; ky < ny; ky++)
				for (uint32_t kx = 0; kx < nx; kx++)
					best = from[(ky * line + (size_t)kx * dilate) * each] > best ? from[(ky * line + (size_t)kx * dilate) * each] : best;
			y[(size_t)i * each + c] = best;
		}
	}
}

static void largest(void *y, uint32_t n, const void *x, uint32_t stride, uint32_t ny, size_t line, uint32_t nx, uint32_t dilate)
{
	largest_of(y, n, x, stride, ny, line, nx, dilate, 1);
}

static void largest_words(void *y, uint32_t n, const void *x, uint32_t stride, uint32_t ny, size_t line, uint32_t nx, uint32_t dilate)
{
	largest_of(y, n, x, stride, ny, line, nx, dilate, 2);
}

static void largest_bytes(void *y, uint32_t n, const void *x, uint32_t stride, uint32_t ny, size_t line, uint32_t nx, uint32_t dilate)
{
	for (uint32_t i = 0; i < 4 * n; i++) {
		const uint8_t *from = (const uint8_t *)x + (size_t)(i / 4) * stride * 4 + i % 4;
		uint8_t best = 0;

		for (uint32_t ky = 0; ky < ny; ky++) {
			for (uint32_t kx = 0; kx < nx; kx++) {
				uint8_t v = from[(ky * line + (size_t)kx * dilate) * 4];

				best = v > best ? v : best;
			}
		}
		((uint8_t *)y)[i] = best;
	}
}

static uint32_t sum(const int16_t *x, uint32_t ny, size_t line, uint32_t nx, uint32_t stride)
{
	uint32_t sum = 0;

	for (uint32_t y = 0; y < ny; y++, x += line)
		for (uint32_t i = 0; i < nx; i++)
			sum += (uint32_t)x[(size_t)i * stride];
	return sum;
}

static void interpolate(const int16_t *table, const int16_t *x, size_t n, int16_t *y)
{
	for (size_t i = 0; i < n; i++)
		y[i] = accel_interpolate(table, x[i]);
}

static void product(const struct cpu_scale *scale, const int16_t *a, const int16_t *b, unsigned int step, size_t n, int16_t *y, uint64_t *saturated)
{
	for (size_t i = 0; i < n; i++)
		y[i] = accel_requant(a[i] * b[i * step], scale->mult, scale->shift, scale->lo, scale->hi, saturated);
}

static void quantise(const float *x, size_t n, float scale, int16_t lo, int16_t hi, int16_t *q)
{
	for (size_t i = 0; i < n; i++)
		q[i] = accel_quantised(x[i], scale, lo, hi);
}

const struct cpu_lines cpu_lines_portable = {
	nonzeros, interleave, quads, pick, { largest, largest_words, largest_bytes }, sum, interpolate, product, quantise,
};

#if defined(__x86_64__)
const struct cpu_lines cpu_lines_avx2 = {
	nonzeros, interleave, quads, pick, { largest, cpu_largest_words_avx2, cpu_largest_bytes_avx2 }, sum, cpu_interpolate_avx2, cpu_product_avx2, quantise,
};
#endif
