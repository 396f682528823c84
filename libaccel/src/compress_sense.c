// SPDX-License-Identifier: GPL-2.0 OR MIT
/* How much the network's output suffers when one layer is pruned: measured, layer by layer and density by density. */
#include "compress.h"
#include "compress_judge.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define MOST_ITEMS  64u
#define LEAST_ITEMS 8u
#define WORK        2e11           /* steps of all runs together: a minute or two */
#define MOST_COPY   (1u << 24)     /* weights of a layer that a copy is made of; larger ones go by their curve */

const double compress_points[COMPRESS_POINTS] = { 1, 0.7, 0.5, 0.35, 0.25, 0.17, 0.12, 0.08, 0.05, 0.025 };

/* What is needed to try a layer, and to have it back. */
struct trial {
	struct compress *c;
	struct compress_layer *l;
	struct accel_network *net;
	const struct judge *judge;
	struct netrun *run;
	float *weights, *bias;     /* as they were */
};

/* The output's error with so many weights, rounded so, all other layers as they were. */
static int try_layer(struct trial *t, uint64_t keep, unsigned int uniform, unsigned int bits, double *error)
{
	struct compress_layer *l = t->l;
	const struct net_value *bias = l->bias == NET_NONE ? NULL : &t->net->values[l->bias];
	unsigned int own = l->bits;
	int ret;

	l->keep = keep;
	l->uniform = uniform;
	l->bits = bits;
	ret = compress_one(t->c, l, t->net);
	ret = ret ? ret : judge_error(t->judge, t->net, t->run, error, t->c->err);
	l->uniform = 0;
	l->bits = own;
	memcpy(t->net->values[l->value].data, t->weights, l->n * sizeof(*t->weights));
	if (bias)
		memcpy(bias->data, t->bias, bias->count * sizeof(*t->bias));
	return ret;
}

/* What rounding so adds, and what codes take then. */
static int try_rounding(struct trial *t, unsigned int uniform, unsigned int bits)
{
	struct compress_layer *l = t->l;
	struct compress_rounding *r = &l->rounding[uniform][bits];
	int ret = try_layer(t, l->n, uniform, bits, &r->error);

	*r = (struct compress_rounding){ r->error - l->error[0], l->code_bits, l->shared };
	return ret;
}

/* Each density; and where bits are to be chosen each number of them, with all weights. What is fewer is never better: what says so is noise. */
static int try_all(struct trial *t, bool choose)
{
	struct compress_layer *l = t->l;
	int ret = 0;

	for (unsigned int i = 0; !ret && i < COMPRESS_POINTS; i++) {
		ret = try_layer(t, (uint64_t)ceil(compress_points[i] * (double)l->n), 0, choose ? COMPRESS_BITS - 1 : l->bits, &l->error[i]);
		if (!ret && i && l->error[i] < l->error[i - 1])
			l->error[i] = l->error[i - 1];
	}
	for (unsigned int b = COMPRESS_BITS - 1; !ret && choose && b >= 2; b--) {
		double least[COMPRESS_SHARES] = { 0 };

		for (unsigned int u = COMPRESS_SHARES; !ret && u-- > 0;) {
			/* uniform ones follow each other by halves of the squares */
			if (b + 1 < COMPRESS_BITS)
				least[u] = l->rounding[u ? 1 : 0][b + 1].error;
			if (u && u + 1 < COMPRESS_SHARES)
				least[u] = l->rounding[u + 1][b].error;
			ret = try_rounding(t, u, b);
			l->rounding[u][b].error = fmax(l->rounding[u][b].error, least[u]);
		}
	}
	return ret;
}

static int sense_layer(struct compress *c, struct compress_layer *l, struct accel_network *net, const struct judge *j, struct netrun *run)
{
	const struct net_value *bias = l->bias == NET_NONE ? NULL : &net->values[l->bias];
	struct trial t = { c, l, net, j, run, malloc(l->n * sizeof(float)), malloc(((bias ? bias->count : 0) + 1) * sizeof(float)) };
	bool choose = c->options->choose_bits && !l->bits_given;
	int ret;

	l->error = malloc(COMPRESS_POINTS * sizeof(*l->error));
	l->rounding = choose ? calloc(COMPRESS_SHARES, sizeof(*l->rounding)) : NULL;
	ret = t.weights && t.bias && l->error && (!choose || l->rounding) ? 0 : -ENOMEM;
	if (!ret) {
		memcpy(t.weights, net->values[l->value].data, l->n * sizeof(float));
		if (bias)
			memcpy(t.bias, bias->data, bias->count * sizeof(float));
		ret = try_all(&t, choose);
	}
	if (!ret && c->options->choose_bits)
		ret = compress_fine(l);
	free(t.weights);
	free(t.bias);
	return ret == -ENOMEM ? accel_fail(c->err, -ENOMEM, NULL, "%s: out of memory", c->file) : ret;
}

/* As many items as there is time for. */
static uint64_t items_for(const struct compress *c, const struct accel_network *net, uint64_t all)
{
	double work = 1, items;

	for (unsigned int n = 0; n < net->nnodes; n++)
		work += (double)net->nodes[n].work;
	items = fmin(fmax(WORK / (work * COMPRESS_POINTS * c->n), LEAST_ITEMS), MOST_ITEMS);
	return items < (double)all ? (uint64_t)items : all;
}

int compress_sense(struct compress *c, struct accel_network *net, const struct calib_inputs *in)
{
	struct judge j = { .in = in, .items = items_for(c, net, in->n) };
	struct netrun *run = NULL;
	int ret;

	/* an output of another type has no error that could be squared */
	if (net->values[net->outputs[0]].type != NET_F32)
		return 0;
	j.step = in->n / j.items;
	ret = netrun_new(net, 1, 0, NULL, NULL, &run, c->err);
	ret = ret ? ret : judge_new(&j, net, run, c->err);
	/* outputs of zeros alone tell of no layer: all go by their curves */
	for (unsigned int i = 0; !ret && j.variance > 0 && i < c->n; i++) {
		struct compress_layer *l = &c->layer[i];

		if (!l->second || l->density > 0 || l->n > MOST_COPY)
			continue;
		ret = compress_progress(c, "(sensitivity)", i, UINT32_MAX);
		ret = ret ? ret : sense_layer(c, l, net, &j, run);
	}
	netrun_free(run);
	judge_free(&j);
	return ret;
}
