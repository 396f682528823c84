// SPDX-License-Identifier: GPL-2.0 OR MIT
/* How much may be pruned for a drop of accuracy: by trying. */
#include "compress.h"
#include "netrun.h"

#include <errno.h>
#include <math.h>
#include <string.h>

#define LEAST  1e-5        /* loss: next to nothing is pruned */
#define ROUNDS 10          /* of bisection over its logarithm */
#define EPOCHS 6u          /* of correction in each of them: what is taken gets more */

int compress_check_labels(const struct compress *c, const struct accel_network *net)
{
	const struct accel_compress_options *o = c->options;
	const struct net_value *in = net->ninputs ? &net->values[net->inputs[0]] : NULL, *out = &net->values[net->outputs[0]];

	if (net->ninputs != 1 || in->type != NET_F32 || out->type != NET_F32)
		return accel_fail(c->err, -EINVAL, NULL, "%s: accuracy is measured of networks with one input and scores, all float32", c->file);
	for (uint64_t i = 0; i < o->nlabelled; i++)
		if (o->labels[i] >= out->count)
			return accel_fail(c->err, -EINVAL, NULL, "%s: label %u of item %llu; the output has %llu values", c->file, o->labels[i],
					  (unsigned long long)i, (unsigned long long)out->count);
	for (uint64_t i = 0; i < o->nlabelled * in->count; i++)
		if (!isfinite(o->labelled[i]))
			return accel_fail(c->err, -EDOM, NULL, "%s: labelled item %llu: value %llu is not finite", c->file,
					  (unsigned long long)(i / in->count), (unsigned long long)(i % in->count));
	return 0;
}

/* Items whose greatest value is at their label, of equal ones the first. */
int compress_count_right(const struct compress *c, const struct accel_network *net, uint64_t *right)
{
	const struct accel_compress_options *o = c->options;
	const struct net_value *in = &net->values[net->inputs[0]], *out = &net->values[net->outputs[0]];
	struct netrun *run;
	int ret = netrun_new(net, 1, 0, NULL, NULL, &run, c->err);

	if (ret)
		return ret;
	*right = 0;
	for (uint64_t i = 0; !ret && i < o->nlabelled; i++) {
		const float *y = netrun_value(run, net->outputs[0]);
		uint64_t best = 0;

		memcpy(netrun_value(run, net->inputs[0]), o->labelled + i * in->count, in->count * sizeof(float));
		ret = netrun_run(run, c->err);
		for (uint64_t k = 1; k < out->count; k++)
			best = y[k] > y[best] ? k : best;
		*right += best == o->labels[i];
	}
	netrun_free(run);
	return ret;
}

static int try_loss(struct compress *c, const struct compress_source *s, double loss, uint64_t *right)
{
	struct accel_network *net;
	int ret = compress_open(s, &net, c->err);

	if (ret)
		return ret;
	compress_choose(c, loss);
	ret = compress_all(c, net);
	ret = ret ? ret : compress_count_right(c, net, right);
	net_free(net);
	return ret;
}

int compress_find_loss(struct compress *c, const struct compress_source *s, const struct accel_network *net, double *loss)
{
	double lo = log(LEAST), hi = log(COMPRESS_MOST), items = (double)c->options->nlabelled;
	unsigned int epochs = c->tune.epochs;
	uint64_t before, right;
	int ret = compress_check_labels(c, net);

	ret = ret ? ret : compress_count_right(c, net, &before);
	c->tune.epochs = epochs < EPOCHS ? epochs : EPOCHS;
	ret = ret ? ret : try_loss(c, s, LEAST, &right);
	if (!ret && 100 * ((double)before - (double)right) / items > c->options->max_drop)
		return accel_fail(c->err, -ERANGE, NULL, "%s: %.2f points are lost with hardly anything pruned (%.2f %% right before, %.2f %% now): more bits help", c->file,
				  100 * ((double)before - (double)right) / items, 100 * (double)before / items, 100 * (double)right / items);
	for (unsigned int i = 0; !ret && i < ROUNDS; i++) {
		double middle = (lo + hi) / 2;

		ret = try_loss(c, s, exp(middle), &right);
		if (100 * ((double)before - (double)right) / items <= c->options->max_drop)
			lo = middle;
		else
			hi = middle;
	}
	c->tune.epochs = epochs;
	*loss = exp(lo);
	return ret;
}
