// SPDX-License-Identifier: GPL-2.0 OR MIT
/* How much the network's output suffers when one layer is pruned: measured, layer by layer and density by density. */
#include "compress.h"
#include "netrun.h"
#include "seed.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define MOST_ITEMS  64u
#define LEAST_ITEMS 8u
#define WORK        2e11           /* steps of all runs together: a minute or two */
#define MOST_COPY   (1u << 24)     /* weights of a layer that a copy is made of; larger ones go by their curve */
#define FLOOR       1e-9           /* errors below are none: curves are of logarithms */

const double compress_points[COMPRESS_POINTS] = { 1, 0.7, 0.5, 0.35, 0.25, 0.17, 0.12, 0.08, 0.05, 0.025 };

struct sense {
	struct netrun *run;
	const struct accel_network *net;
	const struct calib_inputs *in;
	uint64_t items, count;             /* values of the first output */
	float *right;                      /* [items, count] */
	double variance;                   /* sum of squares about the means; of one item, or of outputs that never change, about zero */
};

/* One item through the network; inputs without data stay zero. */
static int run_item(const struct sense *s, uint64_t item, const float **out, struct accel_error *err)
{
	const struct accel_network *net = s->net;
	int ret;

	for (unsigned int k = 0; k < net->ninputs; k++) {
		const struct net_value *v = &net->values[net->inputs[k]];

		if (s->in->values[k])
			memcpy(netrun_value(s->run, net->inputs[k]), s->in->values[k] + item * v->count, v->count * sizeof(float));
	}
	ret = netrun_run(s->run, err);
	*out = netrun_value(s->run, net->outputs[0]);
	return ret;
}

/* Items are spread over all that there are. */
static uint64_t item_of(const struct sense *s, uint64_t i)
{
	return i * s->in->n / s->items;
}

static int take_right(struct sense *s, struct accel_error *err)
{
	double about_zero = 0;
	const float *out;
	int ret = 0;

	for (uint64_t i = 0; !ret && i < s->items; i++) {
		ret = run_item(s, item_of(s, i), &out, err);
		if (!ret)
			memcpy(s->right + i * s->count, out, s->count * sizeof(*out));
	}
	s->variance = 0;
	for (uint64_t k = 0; !ret && k < s->count; k++) {
		double sum = 0, squares = 0;

		for (uint64_t i = 0; i < s->items; i++) {
			double y = (double)s->right[i * s->count + k];

			sum += y;
			squares += y * y;
		}
		s->variance += fmax(squares - sum * sum / (double)s->items, 0);
		about_zero += squares;
	}
	if (s->variance <= FLOOR * about_zero)
		s->variance = about_zero;
	return ret;
}

static int measure(const struct sense *s, double *error, struct accel_error *err)
{
	double sum = 0;
	const float *out;
	int ret = 0;

	for (uint64_t i = 0; !ret && i < s->items; i++) {
		ret = run_item(s, item_of(s, i), &out, err);
		for (uint64_t k = 0; !ret && k < s->count; k++) {
			double d = (double)out[k] - (double)s->right[i * s->count + k];

			sum += d * d;
		}
	}
	*error = isfinite(sum) ? fmax(sum / s->variance, FLOOR) : 1;
	return ret;
}

/* The layer at each density, with all others as they were. */
static int sense_layer(struct compress *c, struct compress_layer *l, struct accel_network *net, const struct sense *s)
{
	float *w = net->values[l->value].data, *b = l->bias == NET_NONE ? NULL : net->values[l->bias].data;
	uint64_t rows = b ? net->values[l->bias].count : 0;
	float *weights = malloc(l->n * sizeof(*weights)), *bias = malloc((rows + 1) * sizeof(*bias));
	int ret = 0;

	l->error = malloc(COMPRESS_POINTS * sizeof(*l->error));
	if (!weights || !bias || !l->error)
		ret = accel_fail(c->err, -ENOMEM, NULL, "%s: out of memory", c->file);
	if (!ret) {
		memcpy(weights, w, l->n * sizeof(*weights));
		if (b)
			memcpy(bias, b, rows * sizeof(*bias));
	}
	for (unsigned int i = 0; !ret && i < COMPRESS_POINTS; i++) {
		l->keep = (uint64_t)ceil(compress_points[i] * (double)l->n);
		ret = compress_one(c, l, net);
		ret = ret ? ret : measure(s, &l->error[i], c->err);
		/* fewer weights are never better: what says so is noise */
		if (i && l->error[i] < l->error[i - 1])
			l->error[i] = l->error[i - 1];
		memcpy(w, weights, l->n * sizeof(*weights));
		if (b)
			memcpy(b, bias, rows * sizeof(*bias));
	}
	free(weights);
	free(bias);
	return ret;
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
	struct sense s = { .net = net, .in = in, .items = items_for(c, net, in->n), .count = net->values[net->outputs[0]].count };
	int ret;

	/* an output of another type has no error that could be squared */
	if (net->values[net->outputs[0]].type != NET_F32)
		return 0;
	s.right = malloc(s.items * s.count * sizeof(*s.right) + 1);
	if (!s.right)
		return accel_fail(c->err, -ENOMEM, NULL, "%s: out of memory", c->file);
	ret = netrun_new(net, 1, 0, NULL, NULL, &s.run, c->err);
	ret = ret ? ret : take_right(&s, c->err);
	/* outputs of zeros alone tell of no layer: all go by their curves */
	for (unsigned int i = 0; !ret && s.variance > 0 && i < c->n; i++) {
		struct compress_layer *l = &c->layer[i];

		if (!l->second || l->density > 0 || l->n > MOST_COPY)
			continue;
		ret = compress_progress(c, "(sensitivity)", i, UINT32_MAX);
		ret = ret ? ret : sense_layer(c, l, net, &s);
	}
	netrun_free(s.run);
	free(s.right);
	return ret;
}
