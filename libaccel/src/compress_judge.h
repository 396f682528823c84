/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/*
 * How far the first output of a changed network is from the float network's, on calibration items. Of a softmax that gives it, the scores: probabilities are 0 or 1 for most items, and only the few that are
 * between would tell.
 */
#ifndef ACCEL_COMPRESS_JUDGE_H
#define ACCEL_COMPRESS_JUDGE_H

#include "calib.h"
#include "netrun.h"

#define JUDGE_FLOOR 1e-9           /* errors below are none: who takes logarithms needs a number */

struct judge {
	const struct calib_inputs *in;
	uint64_t items, first, step;       /* first, first + step, ...: so many of them */
	uint32_t out;                      /* value that is compared */
	uint64_t count;                    /* of it */
	float *right, *got;                /* [items, count]; [count] */
	double variance;          /* sum of squares about the means; of one item, or of outputs that never change, about zero */
};

/* The value that networks are compared by; *scores: what a softmax makes the output of. */
uint32_t judge_output(const struct accel_network *net, bool *scores);
/* in, items, first and step are set; net is the float network, run runs it. -ENOMEM, or what running says. Free in any case. */
int judge_new(struct judge *j, const struct accel_network *net, struct netrun *run, struct accel_error *err);
void judge_free(struct judge *j);
/* Sum of the squared errors as a share of the variance; 1 when there are infinities. net has the inputs and outputs of the float one. */
int judge_error(const struct judge *j, const struct accel_network *net, struct netrun *run, double *error, struct accel_error *err);

#endif
