// SPDX-License-Identifier: GPL-2.0 OR MIT
/* Weight sharing: the weights of a layer that are not zero get the nearest of a few values. */
#include "compress.h"
#include "kmeans.h"
#include "net_codes.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define LEAST_ROW   8u             /* weights of a row that are worth a scale */
#define BIAS        16.0           /* times the scale that a bias may be */
#define LEAST_SCALE 1e-30
#define LEAST_PART  0x1p-12        /* of the largest scale */
#define SCALES      60.0           /* binary exponents of scales, at most */

/* The power of two that is nearest to the root mean square of what is not zero; bias: no more than BIAS of it, or the sums would have no room for both. */
static float row_scale(const float *w, uint64_t n, float bias)
{
	double sum = 0;
	uint64_t some = 0;

	for (uint64_t i = 0; i < n; i++) {
		sum += (double)w[i] * (double)w[i];
		some += w[i] != 0;
	}
	sum = fmax(some ? sqrt(sum / (double)some) : 0, fabs((double)bias) / BIAS);
	return (float)exp2(fmin(fmax(round(log2(fmax(sum, LEAST_SCALE))), -SCALES), SCALES));
}

/* Rows by themselves, if they are to be. */
static int find_scales(const struct compress *c, const struct compress_layer *l, struct net_value *v, const float *bias)
{
	uint64_t rows = v->dims[0], n = v->count / rows;
	double most = 0;

	free(v->row_scale);
	v->row_scale = NULL;
	if (c->options->scales != ACCEL_SCALES_ROW || !l->rows_first || n < LEAST_ROW)
		return 0;
	v->row_scale = malloc(rows * sizeof(*v->row_scale));
	if (!v->row_scale)
		return -ENOMEM;
	for (uint64_t r = 0; r < rows; r++) {
		v->row_scale[r] = row_scale((const float *)v->data + r * n, n, bias ? bias[r] : 0);
		most = fmax(most, (double)v->row_scale[r]);
	}
	for (uint64_t r = 0; r < rows; r++)
		v->row_scale[r] = fmaxf(v->row_scale[r], (float)(most * LEAST_PART));
	return 0;
}

static void multiply_rows(struct net_value *v, bool back)
{
	uint64_t n = v->count / v->dims[0];
	float *w = v->data;

	/* by powers of two: nothing is lost */
	for (uint64_t i = 0; v->row_scale && i < v->count; i++)
		w[i] = back ? w[i] * v->row_scale[i / n] : w[i] / v->row_scale[i / n];
}

/* Means of cells of equal width, whose squared error is that of the best values, or so many halves of it; where a codebook has no room for them the best values stay. Returns how many. */
static int equal_cells(const struct kmeans_points *points, unsigned int halves, double *centre, int n)
{
	double cells[KMEANS_MAX], weight = 0;
	int k;

	for (uint32_t i = 0; i < points->n; i++)
		weight += points->weight[i];
	/* the error is uniform over the cell: its mean square is a twelfth of the square of the width */
	k = kmeans_uniform(points, sqrt(12 * ldexp(kmeans_cost(points, centre, (unsigned int)n) / weight, -(int)halves)), cells);
	if (k)
		memcpy(centre, cells, (size_t)k * sizeof(*centre));
	return k ? k : n;
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
	if (n > 0 && l->uniform)
		n = equal_cells(&points, l->uniform - 1, centre, n);
	kmeans_points_free(&points);
	/* as float32 two may be one, and the one of weights around zero may be zero, which needs no code */
	for (int i = 0; i < n; i++)
		if ((float)centre[i] != 0 && (!used || shared[used - 1] < (float)centre[i]))
			shared[used++] = (float)centre[i];
	return n < 0 ? n : used;
}

/* Bits of each code, if they are coded by how often they are there. */
static double code_entropy(const struct net_value *v, const float *shared, unsigned int n)
{
	uint64_t count[KMEANS_MAX] = { 0 }, all = 0;
	const float *w = v->data;
	double bits = 0;

	for (uint64_t i = 0; i < v->count; i++) {
		if (w[i] == 0)
			continue;
		count[kmeans_nearest(shared, n, w[i] / (v->row_scale ? v->row_scale[i / (v->count / v->dims[0])] : 1))]++;
		all++;
	}
	for (unsigned int k = 0; k < n; k++)
		if (count[k])
			bits += (double)count[k] * log2((double)all / (double)count[k]);
	return all ? bits / (double)all : 0;
}

/* The nearest value for each by itself. */
static void take_nearest(struct compress_layer *l, const struct net_value *v, const float *shared, unsigned int n)
{
	float *w = v->data;

	for (uint64_t i = 0; i < l->n; i++) {
		float near, scale = v->row_scale ? v->row_scale[i / (v->count / v->dims[0])] : 1;

		if (w[i] == 0)
			continue;
		near = scale * shared[kmeans_nearest(shared, n, w[i] / scale)];
		l->noise += ((double)w[i] - (double)near) * ((double)w[i] - (double)near);
		w[i] = near;
	}
}

int compress_share(struct compress *c, struct compress_layer *l, struct net_value *v, float *bias)
{
	float shared[KMEANS_MAX], codebook[KMEANS_MAX], *w = v->data;
	int n = find_scales(c, l, v, bias);
	double loss = 0;

	if (!n) {
		multiply_rows(v, false);
		n = find_centres(c, l, w, shared);
		multiply_rows(v, true);
	}
	if (n < 0)
		return accel_fail(c->err, n, NULL, "%s: out of memory", c->file);
	l->shared = (unsigned int)n;
	l->nonzeros = 0;
	l->code_bits = 0;
	/* nothing but zeros: there is nothing to share */
	if (!n)
		return 0;
	codebook[0] = 0;
	for (int i = 0; i < n; i++)
		codebook[i + 1] = shared[i];
	if (!l->second) {
		take_nearest(l, v, shared, (unsigned int)n);
	} else if (second_sweep(&c->blas, l->second, w, bias, 0, &(struct second_values){ shared, (unsigned int)n, v->row_scale }, &loss)) {
		return accel_fail(c->err, -ENOMEM, NULL, "%s: out of memory", c->file);
	}
	l->noise += loss;
	for (uint64_t i = 0; i < l->n; i++)
		l->nonzeros += w[i] != 0;
	/* of large networks it takes seconds */
	if (l->rounding)
		l->code_bits = code_entropy(v, shared, (unsigned int)n);
	if (net_keep_codebook(v, codebook, (unsigned int)n + 1))
		return accel_fail(c->err, -ENOMEM, NULL, "%s: out of memory", c->file);
	return 0;
}
