/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/* Weights of a candidate as the engine has them: codes of one codebook, and a scale for each row where that is needed. */
#ifndef ACCEL_CANDIDATE_WEIGHTS_H
#define ACCEL_CANDIDATE_WEIGHTS_H

#include "candidate.h"

enum weights_kind {
	WEIGHTS_SHARED,            /* few different values, with a factor a row at most: codes hold them as they are */
	WEIGHTS_FEW,               /* a codebook would hold them, but so would it any weights as few as these: nobody shared or pruned them */
	WEIGHTS_MANY,              /* more than 255 different values */
	WEIGHTS_INFINITE,          /* not all are finite */
};

enum weights_kind weights_look(const struct candidate *f);

struct coded_weights {
	struct accel_csr csr;      /* points to what follows */
	uint32_t *rowptr, *col;
	uint8_t *code;
	float codebook[256];
	float *bias, *row_scale;
	double signal, noise;      /* sums of squares: of the weights, of what rounding changed */
};

/*
 * Codes of the weights: rounded if f->linear, else they must be WEIGHTS_SHARED. What rounding changes in a row's sum for the mean input goes into its bias. amax: largest magnitude of the layer's input, which bounds how small the
 * scale of a row may be beside its bias. to is to be freed whatever happens. -ENOMEM.
 */
int weights_code(const struct candidate *f, double amax, struct coded_weights *to);
void weights_free(struct coded_weights *w);

#endif
