// SPDX-License-Identifier: GPL-2.0 OR MIT
#include "cpu_element.h"

void cpu_multiply(const struct accel_layer *layer, const struct accel_tensor *out, const struct cpu_lines *lines, const int16_t *a, const int16_t *b,
		  uint64_t repeat, int16_t *y, uint64_t first, uint64_t end, uint64_t *saturated)
{
	const struct cpu_scale scale = { .mult = layer->mult[0], .shift = layer->shift[0], .lo = out->lo, .hi = out->hi };
	uint64_t same;

	for (uint64_t i = first; i < end; i = same) {
		same = repeat == 1 ? end : (i / repeat + 1) * repeat;
		same = same < end ? same : end;
		lines->product(&scale, a + i, b + i / repeat, repeat == 1, same - i, y + i, saturated);
	}
}
