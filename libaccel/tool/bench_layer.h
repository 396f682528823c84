/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/*
 * Seeded layers for measurements: sizes and densities as published, values random, sparsity
 * uniform.
 */
#ifndef EIE_BENCH_LAYER_H
#define EIE_BENCH_LAYER_H

#include "tool.h"

struct bench_layer {
	const char *name;
	uint32_t cols, rows;	     /* inputs and outputs */
	double weights, activations; /* share that is not zero */
};

/* The nine layers of EIE (Han et al., ISCA 2016, Table III). */
#define EIE_PAPER_LAYERS 9
extern const struct bench_layer eie_paper_layers[EIE_PAPER_LAYERS];

/*
 * A model of that one layer, one input in *input [cols] (owned by the caller), and the number of
 * its multiplications: non-zero weights in columns whose activation is not zero, counted here and
 * not taken from any counter. Prints an error; returns an exit status.
 */
int bench_layer_make(const struct bench_layer *layer, uint64_t seed, struct accel_model **model,
		     float **input, uint64_t *macs);

/* xorshift64*: the same numbers on every machine. */
struct random {
	uint64_t state;
};
double random_unit(struct random *r); /* in (0, 1] */

#endif
