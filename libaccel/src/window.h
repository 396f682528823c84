/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/* Windows of convolutions: struct accel_window of accel.h. */
#ifndef ACCEL_WINDOW_H
#define ACCEL_WINDOW_H

#include "model.h"

/* What the fields of VMAC hold; so a layer that is legal needs no further look but at the sizes of the chip's buffers. */
#define WINDOW_KERNEL_MAX 15u   /* kernel, stride and dilation */
#define WINDOW_PAD_MAX    255u
#define WINDOW_SIDE_MAX   4095u
#define WINDOW_CHANNELS_MAX 65536u

/* Columns of the weight matrix: channels * kernel_y * kernel_x. */
static inline uint32_t window_columns(const struct accel_window *w)
{
	return w->channels * w->kernel_y * w->kernel_x;
}

static inline uint32_t window_taps(const struct accel_window *w)
{
	return w->kernel_y * w->kernel_x;
}

static inline uint64_t window_in_pixels(const struct accel_window *w)
{
	return (uint64_t)w->height * w->width;
}

static inline uint64_t window_out_pixels(const struct accel_window *w)
{
	return (uint64_t)w->out_height * w->out_width;
}

/* Every field in range. `file` is for the text; fails with code. */
int accel_window_check(const char *file, const char *layer, const struct accel_window *w, int code, struct accel_error *err);
/* The matrix, which is sound, fits the window: its columns, and where groups may have weights. */
int accel_window_csr_check(const char *file, const char *layer, const struct accel_window *w, const struct accel_csr *csr, int code,
			   struct accel_error *err);

#endif
