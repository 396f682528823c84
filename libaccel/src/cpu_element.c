// SPDX-License-Identifier: GPL-2.0 OR MIT
#include "cpu_element.h"

void cpu_multiply(const struct accel_layer *layer, const struct accel_tensor *out, const int16_t *a, const int16_t *b, uint64_t repeat, int16_t *y,
		  uint64_t first, uint64_t end, uint64_t *saturated)
{
	uint64_t cut = 0;

	for (uint64_t i = first; i < end;) {
		const int16_t *factor = &b[i / repeat];
		uint64_t same = (i / repeat + 1) * repeat;

		for (same = same < end ? same : end; i < same; i++)
			y[i] = accel_requant(a[i] * *factor, layer->mult[0], layer->shift[0], out->lo, out->hi, &cut);
	}
	*saturated += cut;
}

void cpu_table(const struct accel_layer *layer, const int16_t *x, int16_t *y, uint64_t first, uint64_t end)
{
	for (uint64_t i = first; i < end; i++)
		y[i] = accel_interpolate(layer->table, x[i]);
}
