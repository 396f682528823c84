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

/* The layer at each density, with all others as they were. */
static int sense_layer(struct compress *c, struct compress_layer *l, struct accel_network *net, const struct judge *j, struct netrun *run)
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
		ret = ret ? ret : judge_error(j, net, run, &l->error[i], c->err);
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
