// SPDX-License-Identifier: GPL-2.0 OR MIT
#include "cpu_lines.h"

static uint32_t nonzeros(const int16_t *x, uint32_t n, uint32_t stride)
{
	uint32_t sum = 0;

	for (uint32_t i = 0; i < n; i++)
		sum += x[(size_t)i * stride] != 0;
	return sum;
}

static void interleave(const int16_t *a, const int16_t *b, uint32_t n, uint32_t stride, int32_t *to)
{
	for (uint32_t i = 0; i < n; i++) {
		uint16_t even = (uint16_t)a[(size_t)i * stride], odd = b ? (uint16_t)b[(size_t)i * stride] : 0;

		to[i] = (int32_t)((uint32_t)odd << 16 | even);
	}
}

static void largest(int16_t *y, uint32_t n, const int16_t *x, uint32_t stride, uint32_t ny, size_t line, uint32_t nx, uint32_t dilate)
{
	for (uint32_t i = 0; i < n; i++, x += stride) {
		y[i] = x[0];
		for (uint32_t ky = 0; ky < ny; ky++)
			for (uint32_t kx = 0; kx < nx; kx++)
				y[i] = x[ky * line + (size_t)kx * dilate] > y[i] ? x[ky * line + (size_t)kx * dilate] : y[i];
	}
}

static uint32_t sum(const int16_t *x, uint32_t n)
{
	uint32_t sum = 0;

	for (uint32_t i = 0; i < n; i++)
		sum += (uint32_t)x[i];
	return sum;
}

const struct cpu_lines cpu_lines_portable = { nonzeros, interleave, largest, sum };
