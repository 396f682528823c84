/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/* What a segment takes on the engine, for those who decide whether it is worth one. */
#ifndef ACCEL_ONNX_WEIGH_H
#define ACCEL_ONNX_WEIGH_H

#include "accel.h"

/*
 * Cycles of a run on the engine of the default configuration, 8x8, by the cost model: loads and stores of a segment's ends included, no activation taken for zero.
 * 0: no layer of it fits. -ENOMEM, and errors of compiling.
 */
int onnx_weigh(struct accel_model *segment, double *cycles, struct accel_error *err);

#endif
