/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/* Seeded layers for measurements: sizes and densities as published, values random. */
#ifndef EIE_BENCH_LAYER_H
#define EIE_BENCH_LAYER_H

#include "tool.h"

struct bench_layer {
	const char *name;
	uint32_t cols, rows;	     /* inputs and outputs */
	double weights, activations; /* share that is not zero */
	double paper_us;	     /* actual time on EIE, 64 elements at 800 MHz (Table IV) */
};

/*
 * Where the non-zero weights lie. Uniform: everywhere with the same chance. Uneven: the chance of a
 * place is the density times a factor of its row times a factor of its column; factors are
 * log-normal with mean 1 and sigma 0.5, so that one row in forty has more than two and a half times
 * the weights of the median one, and columns likewise.
 */
enum bench_sparsity { BENCH_UNIFORM, BENCH_UNEVEN };

/* The nine layers of EIE (Han et al., ISCA 2016, Table III). */
#define EIE_PAPER_LAYERS 9
extern const struct bench_layer eie_paper_layers[EIE_PAPER_LAYERS];

/*
 * A model of that one layer, one input in *input [cols] (owned by the caller), and the number of
 * its multiplications: non-zero weights in columns whose activation is not zero, counted here and
 * not taken from any counter. Prints an error; returns an exit status.
 */
int bench_layer_make(const struct bench_layer *layer, enum bench_sparsity sparsity, uint64_t seed,
		     struct accel_model **model, float **input, uint64_t *macs);

/* xorshift64*: the same numbers on every machine. */
struct random {
	uint64_t state;
};
double random_unit(struct random *r); /* in (0, 1] */

#endif
