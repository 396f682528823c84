// SPDX-License-Identifier: GPL-2.0 OR MIT
/* Densities of layers. One number decides on all: the share of what a layer's weights are worth that pruning may cost it. */
#include "compress.h"

#include <math.h>

#define STEPS 60           /* of bisection */

void compress_choose(struct compress *c, double loss)
{
	for (unsigned int i = 0; i < c->n; i++) {
		struct compress_layer *l = &c->layer[i];

		l->keep = l->n;
		if (!l->bits)
			continue;
		if (l->density > 0)
			l->keep = (uint64_t)ceil(l->density * (double)l->n);
		else
			l->keep = prune_keep(&l->curve, loss);
		/* a layer of zeros alone would cut the network in two */
		if (!l->keep)
			l->keep = 1;
	}
}

double compress_density(const struct compress *c)
{
	double weights = 0, stay = 0;

	for (unsigned int i = 0; i < c->n; i++) {
		weights += (double)c->layer[i].n;
		stay += (double)c->layer[i].keep;
	}
	return stay / weights;
}

double compress_loss_of_density(struct compress *c, double density)
{
	double lo = 0, hi = 1;

	for (unsigned int i = 0; i < STEPS; i++) {
		double middle = (lo + hi) / 2;

		compress_choose(c, middle);
		if (compress_density(c) > density)
			lo = middle;
		else
			hi = middle;
	}
	return hi;
}
