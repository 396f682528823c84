/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/* What the float network says of calibration items (compress_teacher.c), for those that follow it (compress_tune.c). */
#ifndef ACCEL_COMPRESS_TUNE_H
#define ACCEL_COMPRESS_TUNE_H

#include "compress.h"
#include "grad.h"

#define TUNE_HELD 8u               /* each eighth item is held out: it tells when to stop */

#define TUNE_SMALL (1u << 22)     /* weights: of networks with more there is one copy only, and derivatives for one thread */

static inline bool tune_held(uint64_t item)
{
	return item % TUNE_HELD == TUNE_HELD - 1;
}

/* Values of input k of an item; there are some. */
const float *tune_item(const struct accel_network *net, const struct tune *t, unsigned int k, uint64_t item);
/* The inputs of an item. */
void tune_fill(struct grad *g, const struct accel_network *net, const struct tune *t, uint64_t item);
/* [nvalues] weights and biases of layers that are compressed; the caller's, or NULL. */
bool *tune_wanted(const struct compress *c, const struct accel_network *net);
/* How many they are. */
uint64_t tune_weights(const struct accel_network *net, const bool *wanted);
/*
 * Of one item, y and right [t->count]: squares of what differs, of the mean energy (added to *squares, too); of scores the divergence as well. d [t->count] gets the derivatives; NULL: nobody wants them.
 */
double tune_loss(const struct tune *t, const float *y, const float *right, float *d, double *squares);
/* Adds derivatives of what the outputs of layers differ by, each by its energy. teacher: the float network, run with the inputs that g had; or NULL: item is what it had. */
void tune_add_hidden(const struct tune *t, struct grad *g, struct grad *teacher, uint64_t item);
/* compress_vary.c: for this share of random numbers the inputs of an item that could have been, near this one; else false: the item is to be taken as it is, and g is as it was. */
bool tune_vary(struct grad *g, const struct accel_network *net, const struct tune *t, uint64_t item, double share, uint64_t random);

#endif
