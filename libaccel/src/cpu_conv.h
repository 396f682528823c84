/* SPDX-License-Identifier: GPL-2.0 OR MIT */
#ifndef ACCEL_CPU_CONV_H
#define ACCEL_CPU_CONV_H

#include "model.h"

/*
 * A convolution of one item, bit-exact with the engine: x [channels, height, width], y [rows, out_height, out_width]. sums has room for one
 * plane of the output. products and saturated are added to.
 */
void cpu_conv(const struct accel_layer *layer, const struct accel_tensor *out, const int16_t *x, int16_t *y, uint32_t *sums,
	      uint64_t *products, uint64_t *saturated);

/* Max pooling of one item: docs/vector_mode.md, VPOOL. */
void cpu_max_pool(const struct accel_window *window, const int16_t *x, int16_t *y);
/* sums has room for one plane of the output. */
void cpu_average_pool(const struct accel_layer *layer, const int16_t *x, int16_t *y, uint32_t *sums, uint64_t *saturated);

#endif
