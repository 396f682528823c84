// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Portable convolutions and pooling: one weight after the other meets the part of a plane that it sees. Zero weights cost nothing, and the inner
 * loop runs along a row of pixels, of which compilers make vector instructions where the stride is 1.
 */
#include "cpu_conv.h"
#include "op_window.h"
#include "window.h"

#include <string.h>

/* sums += weight * plane, over the windows whose tap (ky, kx) lies in the image; returns the products with a pixel that is not zero. */
static uint64_t add_weight(const struct accel_window *w, const int16_t *plane, uint32_t ky, uint32_t kx, int32_t weight, uint32_t *sums)
{
	int32_t dy = (int32_t)(ky * w->dilate_y) - (int32_t)w->pad_top, dx = (int32_t)(kx * w->dilate_x) - (int32_t)w->pad_left;
	uint32_t y0, y1, x0, x1;
	uint64_t products = 0;

	window_range(w->out_height, w->stride_y, dy, w->height, &y0, &y1);
	window_range(w->out_width, w->stride_x, dx, w->width, &x0, &x1);
	for (uint32_t y = y0; y < y1; y++) {
		const int16_t *row = plane + ((int64_t)y * w->stride_y + dy) * w->width;
		uint32_t *sum = sums + (size_t)y * w->out_width, live = 0;

		for (uint32_t x = x0; x < x1; x++) {
			int32_t pixel = row[(int64_t)x * w->stride_x + dx];

			sum[x] += (uint32_t)(weight * pixel);
			live += pixel != 0;
		}
		products += live;
	}
	return products;
}

const struct cpu_conv_level *cpu_conv_level(const char *name)
{
#if defined(__x86_64__)
	if (!strcmp(name, cpu_conv_avx512.name))
		return &cpu_conv_avx512;
#endif
	(void)name;
	return NULL;
}

void cpu_conv(const struct accel_layer *layer, const struct accel_tensor *out, const int16_t *x, int16_t *y, uint32_t first, uint32_t end,
	      uint32_t *sums, uint64_t *products, uint64_t *saturated)
{
	const struct accel_window *w = &layer->window;
	uint64_t pixels = window_out_pixels(w);
	uint32_t taps = window_taps(w);

	y += first * pixels;
	for (uint32_t r = first; r < end; r++, y += pixels) {
		for (uint64_t p = 0; p < pixels; p++)
			sums[p] = (uint32_t)layer->bias_q[r];
		for (uint32_t k = layer->rowptr[r]; k < layer->rowptr[r + 1]; k++) {
			uint32_t tap = layer->col[k] % taps;

			*products += add_weight(w, x + layer->col[k] / taps * window_in_pixels(w), tap / w->kernel_x, tap % w->kernel_x,
						layer->codebook_q[layer->code[k]], sums);
		}
		for (uint64_t p = 0; p < pixels; p++)
			y[p] = accel_requant((int32_t)sums[p], layer->mult[r], layer->shift[r], out->lo, out->hi, saturated);
	}
}

/* y[i] = max(y[i], x[i]) along a line; the compiler makes vector instructions of the loop with stride 1. */
static void raise(int16_t *y, const int16_t *x, uint32_t n, uint32_t stride)
{
	if (stride == 1) {
		for (uint32_t i = 0; i < n; i++)
			y[i] = x[i] > y[i] ? x[i] : y[i];
		return;
	}
	for (uint32_t i = 0; i < n; i++)
		y[i] = x[(size_t)i * stride] > y[i] ? x[(size_t)i * stride] : y[i];
}

void cpu_max_pool(const struct accel_window *w, const int16_t *x, int16_t *y, uint32_t first, uint32_t end)
{
	uint64_t pixels = window_out_pixels(w);

	x += first * window_in_pixels(w);
	y += first * pixels;
	for (uint32_t c = first; c < end; c++, x += window_in_pixels(w), y += pixels) {
		for (uint64_t p = 0; p < pixels; p++)
			y[p] = INT16_MIN;   /* less than any activation */
		for (uint32_t tap = 0; tap < window_taps(w); tap++) {
			int32_t dy = (int32_t)(tap / w->kernel_x * w->dilate_y) - (int32_t)w->pad_top;
			int32_t dx = (int32_t)(tap % w->kernel_x * w->dilate_x) - (int32_t)w->pad_left;
			uint32_t y0, y1, x0, x1;

			window_range(w->out_height, w->stride_y, dy, w->height, &y0, &y1);
			window_range(w->out_width, w->stride_x, dx, w->width, &x0, &x1);
			for (uint32_t oy = y0; oy < y1 && x0 < x1; oy++)
				raise(y + (size_t)oy * w->out_width + x0,
				      x + ((int64_t)oy * w->stride_y + dy) * w->width + (int64_t)x0 * w->stride_x + dx, x1 - x0, w->stride_x);
		}
		for (uint64_t p = 0; p < pixels; p++)
			y[p] = y[p] == INT16_MIN ? 0 : y[p];
	}
}

void cpu_average_pool(const struct accel_layer *layer, const int16_t *x, int16_t *y, uint32_t first, uint32_t end, uint32_t *sums, uint64_t *saturated)
{
	const struct accel_window *w = &layer->window;
	uint64_t pixels = window_out_pixels(w);

	x += first * window_in_pixels(w);
	y += first * pixels;
	for (uint32_t c = first; c < end; c++, x += window_in_pixels(w), y += pixels) {
		memset(sums, 0, pixels * sizeof(*sums));
		for (uint32_t tap = 0; tap < window_taps(w); tap++)
			add_weight(w, x, tap / w->kernel_x, tap % w->kernel_x, 1, sums);
		for (uint64_t p = 0; p < pixels; p++)
			y[p] = accel_shift((int32_t)sums[p], layer->sum_shift, saturated);
	}
}
