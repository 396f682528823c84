// SPDX-License-Identifier: GPL-2.0 OR MIT
/* Weight sharing: the weights of a layer that are not zero get the nearest of a few values. */
#include "compress.h"
#include "kmeans.h"
#include "net_codes.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>

unsigned int compress_values(unsigned int bits)
{
	return bits == 1 ? 2 : (1u << bits) - 1;
}

/* Shared values in order; none of them is 0. Returns how many, or -ENOMEM. */
static int find_centres(const struct compress *c, const struct compress_layer *l, const float *w, float *shared)
{
	static const enum kmeans_init inits[] = {
		[ACCEL_SHARE_LINEAR] = KMEANS_LINEAR, [ACCEL_SHARE_DENSITY] = KMEANS_DENSITY, [ACCEL_SHARE_RANDOM] = KMEANS_RANDOM,
	};
	double centre[KMEANS_MAX];
	struct kmeans_points points;
	int n, used = 0, ret = kmeans_points_new(w, l->n, &points);

	if (ret)
		return ret;
	if (c->options->share == ACCEL_SHARE_OPTIMAL)
		n = kmeans_optimal(&points, compress_values(l->bits), centre);
	else
		n = kmeans_lloyd(&points, compress_values(l->bits), inits[c->options->share], c->options->seed + 1, centre);
	kmeans_points_free(&points);
	/* as float32 two may be one, and the one of weights around zero may be zero, which needs no code */
	for (int i = 0; i < n; i++)
		if ((float)centre[i] != 0 && (!used || shared[used - 1] < (float)centre[i]))
			shared[used++] = (float)centre[i];
	return n < 0 ? n : used;
}

/* The nearest value for each by itself. */
static void take_nearest(struct compress_layer *l, float *w, const float *shared, unsigned int n)
{
	for (uint64_t i = 0; i < l->n; i++) {
		float near;

		if (w[i] == 0)
			continue;
		near = shared[kmeans_nearest(shared, n, w[i])];
		l->noise += ((double)w[i] - (double)near) * ((double)w[i] - (double)near);
		w[i] = near;
	}
}

int compress_share(struct compress *c, struct compress_layer *l, struct net_value *v, float *bias)
{
	float shared[KMEANS_MAX], codebook[KMEANS_MAX], *w = v->data;
	int n = find_centres(c, l, w, shared);
	double loss = 0;

	if (n < 0)
		return accel_fail(c->err, n, NULL, "%s: out of memory", c->file);
	l->shared = (unsigned int)n;
	l->nonzeros = 0;
	/* nothing but zeros: there is nothing to share */
	if (!n)
		return 0;
	codebook[0] = 0;
	for (int i = 0; i < n; i++)
		codebook[i + 1] = shared[i];
	if (!l->second) {
		take_nearest(l, w, shared, (unsigned int)n);
	} else if (second_sweep(&c->blas, l->second, w, bias, 0, shared, (unsigned int)n, &loss)) {
		return accel_fail(c->err, -ENOMEM, NULL, "%s: out of memory", c->file);
	}
	l->noise += loss;
	for (uint64_t i = 0; i < l->n; i++)
		l->nonzeros += w[i] != 0;
	if (net_keep_codebook(v, codebook, (unsigned int)n + 1))
		return accel_fail(c->err, -ENOMEM, NULL, "%s: out of memory", c->file);
	return 0;
}
