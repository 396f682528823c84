// SPDX-License-Identifier: GPL-2.0 OR MIT
/* Densities of layers: one number decides on all. */
#include "compress.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>

#define STEPS 60u          /* of bisection */
#define LEAST 0.01         /* of them */

/* ---------------------------------------------------------------- by measured errors */

/* Error at density d: between two measured ones as a power of it; below the last as its last power goes on. */
static double error_at(const struct compress_layer *l, double d)
{
	double a, b, slope;
	unsigned int i = 1;

	while (i + 1 < COMPRESS_POINTS && compress_points[i] > d)
		i++;
	a = l->error[i - 1];
	b = l->error[i];
	slope = log(b / a) / log(compress_points[i] / compress_points[i - 1]);
	return b * pow(d / compress_points[i], fmin(slope, 0));
}

static double fine_density(unsigned int i)
{
	return pow(LEAST, (double)i / (COMPRESS_FINE - 1));
}

int compress_fine(struct compress_layer *l)
{
	l->fine = malloc(COMPRESS_FINE * sizeof(*l->fine));
	for (unsigned int i = 0; l->fine && i < COMPRESS_FINE; i++)
		l->fine[i] = error_at(l, fine_density(i));
	return l->fine ? 0 : -ENOMEM;
}

/* The density at which error plus price of the weights is least. */
static double best_density(const struct compress_layer *l, double price, double *error)
{
	double best = INFINITY, at = 1;

	*error = error_at(l, 1);
	for (unsigned int i = 0; i < COMPRESS_FINE; i++) {
		double d = fine_density(i), e = error_at(l, d);

		if (e + price * d * (double)l->n >= best)
			continue;
		best = e + price * d * (double)l->n;
		at = d;
		*error = e;
	}
	return at;
}

/* Densities that are thought of, and what positions at each take: bits of each weight. */
struct grid {
	double density[COMPRESS_FINE], positions[COMPRESS_FINE];
};

static struct grid grid_new(void)
{
	struct grid g;

	for (unsigned int i = 0; i < COMPRESS_FINE; i++) {
		g.density[i] = fine_density(i);
		g.positions[i] = compress_entropy(g.density[i]);
	}
	return g;
}

/*
 * Sets density and bits to where error plus price of the bytes is least. Errors of rounding are measured with all weights, and those of pruning with 8 bits: their sum is taken for the error
 * of both, and returned.
 */
static double best_bytes(struct compress_layer *l, double price, const struct grid *g)
{
	unsigned int first = l->rounding ? 2 : l->bits, last = l->rounding ? COMPRESS_BITS - 1 : l->bits;
	double best = INFINITY, error = 0, n = (double)l->n;

	for (unsigned int b = first; b <= last; b++) {
		double rounded = l->rounding ? l->rounding[b] : 0;

		for (unsigned int i = 0; i < COMPRESS_FINE; i++) {
			double e = l->fine[i] + rounded, cost = e + price * compress_bytes(n, g->density[i], g->positions[i], b);

			if (cost >= best)
				continue;
			best = cost;
			error = e;
			l->keep = (uint64_t)ceil(g->density[i] * n);
			l->bits = b;
		}
	}
	return error;
}

/* Sets keep of the layers with measured errors for a price of weights, or of bytes where bits are chosen, too; returns what the errors add up to. */
static double at_price(struct compress *c, double price, const struct grid *g)
{
	double sum = 0;

	for (unsigned int i = 0; i < c->n; i++) {
		struct compress_layer *l = &c->layer[i];
		double error;

		if (!l->error || l->density > 0)
			continue;
		if (l->fine) {
			sum += best_bytes(l, price, g);
			continue;
		}
		l->keep = (uint64_t)ceil(best_density(l, price, &error) * (double)l->n);
		sum += error;
	}
	return sum;
}

static void choose_together(struct compress *c, double loss)
{
	double lo = -60, hi = 20;      /* logarithms of the price */
	const struct grid g = grid_new();

	for (unsigned int i = 0; i < STEPS; i++) {
		double middle = (lo + hi) / 2;

		if (at_price(c, exp(middle), &g) > loss)
			hi = middle;
		else
			lo = middle;
	}
	at_price(c, exp(lo), &g);
}

/* ---------------------------------------------------------------- all layers */

void compress_choose(struct compress *c, double loss)
{
	choose_together(c, loss);
	for (unsigned int i = 0; i < c->n; i++) {
		struct compress_layer *l = &c->layer[i];

		if (!l->bits)
			l->keep = l->n;
		else if (l->density > 0)
			l->keep = (uint64_t)ceil(l->density * (double)l->n);
		else if (!l->error)
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
	double lo = 0, hi = COMPRESS_MOST;

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
