/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/* Which nodes of a network the engine gets. */
#ifndef ACCEL_ONNX_PLACE_H
#define ACCEL_ONNX_PLACE_H

#include "net.h"

/*
 * Replaces fully connected layers whose weights fit a codebook by device segments, as long as chains of them go; their number ranges
 * come from n inputs [n, count] of the first input, or are guessed from seeded ones when n is 0. Layers that could have been but are
 * not get their device_reason.
 */
int onnx_place(struct accel_network *net, const float *calib, uint64_t n, struct accel_error *err);

#endif
