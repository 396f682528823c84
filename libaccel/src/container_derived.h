/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/* Derived integers that a file may leave out because they are just what docs/numbers.md gives, "Weights". */
#ifndef ACCEL_CONTAINER_DERIVED_H
#define ACCEL_CONTAINER_DERIVED_H

#include "model.h"
#include "quant.h"

#include <math.h>

#define EIE_DERIVED_MANY  4096u  /* bytes of all layers together: then all are left out */
#define EIE_DERIVED_WORTH 512u   /* bytes of a layer; fewer are written out, so that older releases can read small models */

/* Whatever hostile floats are: within [-limit, limit]. */
static inline double eie_derived_round(double v, double limit)
{
	v = rint(v);
	return v > limit ? limit : v >= -limit ? v : -limit;
}

static inline int16_t eie_derived_code(float value, float scale)
{
	double q = eie_derived_round((double)value / (double)scale, INT16_MAX);

	/* a weight that is there stays there */
	return (int16_t)(q == 0 && value != 0 ? value > 0 ? 1 : -1 : q);
}

static inline int32_t eie_derived_bias(float bias, float input_scale, float codebook_scale, double row_scale)
{
	return (int32_t)eie_derived_round((double)bias / ((double)input_scale * (double)codebook_scale * row_scale), INT32_MAX);
}

/* m and s of a row; -ERANGE. */
static inline int eie_derived_requant(const struct accel_layer *layer, float input_scale, float output_scale, uint32_t row, uint16_t *mult, uint8_t *shift)
{
	return accel_requant_params((double)input_scale / (double)output_scale * (double)layer->codebook_scale * accel_row_scale(layer, row), mult, shift);
}

#endif
