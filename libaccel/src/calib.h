/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/*
 * Number ranges of a network's tensors, from inputs that run through it in float32. Whoever places layers on the engine asks here what a
 * tensor's int16 numbers must hold.
 */
#ifndef ACCEL_CALIB_H
#define ACCEL_CALIB_H

#include "net.h"

struct calib_range {
	bool known;                /* a float32 value that a node makes, or an input */
	bool finite;               /* no NaN and no infinity was seen: else there are no ranges */
	float least, greatest;     /* seen; 0 is among them */
	float lo, hi;              /* chosen by the method */
	/*
	 * Values joined by concatenation, splitting, addition, pooling or moving have to share a scale when the engine joins them: the number of the
	 * lowest of them, and the union of their ranges.
	 */
	uint32_t group;
	float group_lo, group_hi;
	/* of int16 numbers of scale max(|lo|, |hi|) / 32767, clamped to [lo, hi], when calib_report() has run */
	double signal, noise;      /* sums of squares: of values, of what rounding and clamping changed */
	uint64_t values, saturated;
};

struct calib {
	unsigned int n;
	struct calib_range *range; /* [net->nvalues] */
	float **mean;              /* [net->nvalues] of each channel of an image, and of each value of rows; NULL of other shapes, and of seeded inputs */
	float **token_mean;        /* [net->nvalues] of what has one place in the last dimension, of values of two dimensions and more; NULL of seeded inputs */
	bool guessed;              /* from seeded inputs */
};

struct calib_inputs {
	uint64_t n;                       /* items; 0: a few seeded ones, and two spare bits */
	const float *const *values;       /* [ninputs] of [n, count], or NULL for seeded inputs; the first is given */
	enum accel_calib_method method;
	double percentile;                /* of PERCENTILE: above 50, at most 100 */
};

/* Runs the network, which has no segments yet, once for min-max and twice for the other methods. */
int calib_new(const struct accel_network *net, const struct calib_inputs *inputs, struct calib **calib, struct accel_error *err);
/* Runs it once more to measure signal, noise and saturation. */
int calib_report(const struct accel_network *net, const struct calib_inputs *inputs, struct calib *calib, struct accel_error *err);
void calib_free(struct calib *calib);

/* calib_group.c: fills group, group_lo, group_hi. */
int calib_groups(const struct accel_network *net, struct calib *calib);

#endif
