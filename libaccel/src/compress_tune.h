/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/* What the float network says of calibration items (compress_teacher.c), for those that follow it (compress_tune.c). */
#ifndef ACCEL_COMPRESS_TUNE_H
#define ACCEL_COMPRESS_TUNE_H

#include "compress.h"
#include "grad.h"

/* The inputs of an item. */
void tune_fill(struct grad *g, const struct accel_network *net, const struct tune *t, uint64_t item);
/* [nvalues] weights and biases of layers that are compressed; the caller's, or NULL. */
bool *tune_wanted(const struct compress *c, const struct accel_network *net);
/*
 * Of one item, y and right [t->count]: squares of what differs, of the mean energy (added to *squares, too); of scores the divergence as well. d [t->count] gets the derivatives; NULL: nobody wants them.
 */
double tune_loss(const struct tune *t, const float *y, const float *right, float *d, double *squares);
/* Adds derivatives of what the outputs of layers differ by, each by its energy. */
void tune_add_hidden(const struct tune *t, struct grad *g, uint64_t item);

#endif
