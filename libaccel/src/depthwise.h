/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/*
 * Depthwise convolutions of floats, plane by plane: one channel in, one out, the steps along a row of one pixel. Rows get zeros on both sides first, so that no weight has borders of its own and all are
 * multiplied while sums stay in registers.
 */
#ifndef ACCEL_DEPTHWISE_H
#define ACCEL_DEPTHWISE_H

#include "op_window.h"

/* Whether this is for such windows; and the floats of scratch that calls need. */
bool depthwise_takes(const struct window *w);
size_t depthwise_scratch(const struct window *w);
size_t depthwise_back_scratch(const struct window *w);
/* y [out] = bias + the sums over x [in], by weight [kernel], for each output in the order of the weights. */
void depthwise_run(const struct window *w, const float *x, const float *weight, float bias, float *y, float *scratch);
/* Adds to dx [in] and dw [kernel], either may be NULL, what dy [out] makes of them. */
void depthwise_back(const struct window *w, const float *x, const float *weight, const float *dy, float *dx, float *dw, float *scratch);

#endif
