/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/* Derived integers that a file may leave out because they are just what docs/numbers.md gives, "Weights". */
#ifndef ACCEL_CONTAINER_DERIVED_H
#define ACCEL_CONTAINER_DERIVED_H

#include "model.h"

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

static inline int32_t eie_derived_bias(float bias, float input_scale, float codebook_scale)
{
	return (int32_t)eie_derived_round((double)bias / ((double)input_scale * (double)codebook_scale), INT32_MAX);
}

#endif
