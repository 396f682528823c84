/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/* Which nodes of a network the engine gets. */
#ifndef ACCEL_ONNX_PLACE_H
#define ACCEL_ONNX_PLACE_H

#include "calib.h"
#include "candidate.h"

/*
 * Replaces fully connected layers, and as how says convolutions, whose weights fit a codebook by device segments, as long as chains of them go; calib has their
 * number ranges, by the values of net as it is; NULL: they are guessed from seeded inputs if there are such layers. Layers that could have been but are not get
 * their device_reason.
 */
int onnx_place(struct accel_network *net, const struct placement *how, const struct calib *calib, struct accel_error *err);

#endif
