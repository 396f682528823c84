/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/* The int8 mode of the CPU: a model's second set of integers, docs/numbers.md "Eight bits". */
#ifndef ACCEL_NARROW_H
#define ACCEL_NARROW_H

#include "model.h"

/*
 * A copy of a model (without operators) whose activations and weights have eight bits, but for tensors that stay wide; all kernels take it as they take
 * any other model. Outputs have the model's own numbers, inputs do not. Names, weights and reals are the model's, which must outlive the copy.
 * -ENOMEM; -ERANGE names the layer that does not fit.
 */
int narrow_new(const struct accel_model *model, struct accel_model **narrow, struct accel_error *err);
/* NULL is allowed. */
void narrow_free(struct accel_model *narrow);

/* The tensor's values fit 8 bits, once -128 has been taken from those of signed ones. */
static inline bool narrow_tensor(const struct accel_tensor *t)
{
	return t->lo >= -127 && t->hi <= (t->lo < 0 ? 127 : 255);
}

/* What 8-bit values of the tensor have been raised by, so that they are not negative. */
static inline int narrow_zero(const struct accel_tensor *t)
{
	return t->lo < 0 ? 128 : 0;
}

#endif
