// SPDX-License-Identifier: GPL-2.0 OR MIT
/* Densities of layers: one number decides on all. */
#include "compress.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>

#define STEPS 60u          /* of bisection */
#define LEAST 0.01         /* of them */
#define FILL_STEPS 1000u

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
	double pruning;            /* times what its errors count more than those of rounding */
	unsigned int shares;       /* ways of sharing that are thought of */
};

static struct grid grid_new(const struct compress *c)
{
	/* the engine's codes have 4 or 8 bits each, however rare their values are */
	struct grid g = { .pruning = c->pruning, .shares = c->options->cycles ? 1 : COMPRESS_SHARES };

	for (unsigned int i = 0; i < COMPRESS_FINE; i++) {
		g.density[i] = fine_density(i);
		g.positions[i] = compress_entropy(g.density[i]);
	}
	return g;
}

/* A density of a layer, and a rounding. */
struct way {
	unsigned int at, uniform, bits;     /* at: of the grid */
	double error, bytes;
};

/*
 * Errors of rounding are measured with all weights, and those of pruning with 8 bits: their sum is taken for the error of both; where bits are given there is nothing that pruning could count more than.
 */
static struct way way_of(const struct compress_layer *l, const struct grid *g, unsigned int at, unsigned int uniform, unsigned int bits)
{
	double error = l->rounding ? l->fine[0] + g->pruning * (l->fine[at] - l->fine[0]) + l->rounding[uniform][bits].error : l->fine[at];

	return (struct way){ at, uniform, bits, error, compress_bytes(l, g->density[at], g->positions[at], uniform, bits) };
}

static void take(struct compress_layer *l, const struct grid *g, const struct way *w)
{
	l->at = w->at;
	l->uniform = w->uniform;
	l->bits = w->bits;
	l->keep = (uint64_t)ceil(g->density[w->at] * (double)l->n);
}

/* The next density and rounding that are thought of; begins with that of zeros. false: there is none. */
static bool next_way(const struct compress_layer *l, const struct grid *g, struct way *w)
{
	const unsigned int fewest = l->rounding ? 2 : l->bits, most = l->rounding ? COMPRESS_BITS - 1 : l->bits, shares = l->rounding ? g->shares : 1;
	unsigned int at = w->at + 1, uniform = w->uniform, bits = w->bits;

	if (!bits) {
		at = uniform = 0;
		bits = fewest;
	}
	if (at == COMPRESS_FINE) {
		at = 0;
		bits++;
	}
	if (bits > most) {
		bits = fewest;
		uniform++;
	}
	if (uniform == shares)
		return false;
	*w = way_of(l, g, at, uniform, bits);
	return true;
}

/* Sets density and bits to where error plus price of the bytes is least; returns the error. */
static double best_bytes(struct compress_layer *l, double price, const struct grid *g)
{
	struct way best = { .error = INFINITY }, w = { 0 };

	while (next_way(l, g, &w))
		if (w.error + price * w.bytes < best.error + price * best.bytes)
			best = w;
	take(l, g, &best);
	return best.error;
}

/* What a layer could be with so many bytes more at most: where most of the error goes away for each of them. Returns that, or 0. */
static double best_step(const struct compress_layer *l, const struct grid *g, double room, struct way *step)
{
	const struct way now = way_of(l, g, l->at, l->uniform, l->bits);
	struct way w = { 0 };
	double best = 0;

	while (next_way(l, g, &w)) {
		double more = w.bytes - now.bytes;

		if (more <= 0 || more > room || (now.error - w.error) / more <= best)
			continue;
		best = (now.error - w.error) / more;
		*step = w;
	}
	return best;
}

/*
 * One price for all leaves room: of a large layer the next thing that is worth it may be 2,000 bytes more. What is left goes to those who make most of it.
 */
void compress_fill(struct compress *c, double room)
{
	const struct grid g = grid_new(c);

	for (unsigned int steps = 0; steps < FILL_STEPS; steps++) {
		struct compress_layer *who = NULL;
		struct way step, best_way = { 0 };
		double best = 0;

		for (unsigned int i = 0; i < c->n; i++) {
			struct compress_layer *l = &c->layer[i];
			double worth = l->fine && l->density <= 0 ? best_step(l, &g, room, &step) : 0;

			if (worth <= best)
				continue;
			best = worth;
			best_way = step;
			who = l;
		}
		if (!who)
			return;
		room -= best_way.bytes - way_of(who, &g, who->at, who->uniform, who->bits).bytes;
		take(who, &g, &best_way);
	}
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
	const struct grid g = grid_new(c);

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
