// SPDX-License-Identifier: GPL-2.0 OR MIT
#include "second.h"
#include "kmeans.h"

#include <errno.h>
#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define DAMPING 0.01       /* of the mean diagonal of H, as GPTQ: inputs that were never there have no say */
#define STEP    128u       /* columns decided one by one before the others are brought up to date */

static uint64_t place(const struct second *s, uint32_t g, uint32_t r, uint32_t c)
{
	return (uint64_t)g * s->rows * s->cols + r * s->row_stride + c * s->col_stride;
}

/* ---------------------------------------------------------------- factors */

/*
 * With J the reversal of order, J H J = L L^T gives H = (J L J)(J L J)^T, whose factor is upper: U = (J L J)^-1 = J L^-1 J. One factorisation and one
 * triangular inverse; H^-1 itself is never made.
 */
static int try_factor(const struct blas *blas, const struct second_block *b, double damping, double *work)
{
	const int n = (int)b->n;
	int info;

	for (int i = 0; i < n; i++)
		for (int j = 0; j <= i; j++)
			/* column-major, lower; only the upper half of h is there */
			work[(size_t)j * b->n + i] = (double)b->h[(size_t)(n - 1 - i) * b->n + (n - 1 - j)] + (i == j ? damping : 0);
	blas->dpotrf_("L", &n, work, &n, &info);
	if (!info)
		blas->dtrtri_("L", "N", &n, work, &n, &info);
	return info;
}

static int factor(const struct blas *blas, struct second_block *b)
{
	double mean = 0, damping, *work = malloc((size_t)b->n * b->n * sizeof(*work));

	if (!work)
		return -ENOMEM;
	for (uint32_t i = 0; i < b->n; i++)
		mean += (double)b->h[(size_t)i * b->n + i] / b->n;
	damping = mean > 0 ? DAMPING * mean : 1;
	/* rounding may make it indefinite: then a little more */
	while (try_factor(blas, b, damping, work))
		damping *= 10;
	for (uint32_t i = 0; i < b->n; i++) {
		b->inverse[i] = 0;
		for (uint32_t j = i; j < b->n; j++)
			b->h[(size_t)i * b->n + j] = (float)work[(size_t)(b->n - 1 - j) * b->n + (b->n - 1 - i)];
	}
	for (uint32_t i = 0; i < b->n; i++)
		for (uint32_t j = i; j < b->n; j++)
			b->inverse[j] += b->h[(size_t)i * b->n + j] * b->h[(size_t)i * b->n + j];
	free(work);
	return 0;
}

/* The block's weights as a matrix [rows, n]; the bias's column is 0: what it gets is added to the bias. */
static void gather(const struct second *s, uint32_t g, const struct second_block *b, const float *weights, float *w)
{
	for (uint32_t r = 0; r < s->rows; r++) {
		for (uint32_t c = 0; c + 1 < b->n; c++)
			w[(size_t)r * b->n + c] = weights[place(s, g, r, b->first + c)];
		w[(size_t)r * b->n + b->n - 1] = 0;
	}
}

/*
 * Sum over the rows of the output's squares about its mean, which is nothing that weights need to tell: w H w^T - (w sum x)^2 / samples. Of the symmetric H only the
 * upper half is there: twice that, without the diagonal. Its last column is the sum of x, for the bias's input is 1.
 */
static double energy(const struct blas *blas, const struct second *s, const struct second_block *b, const float *w, float *product)
{
	double sum = 0;

	blas->cblas_sgemm(BLAS_ROW_MAJOR, BLAS_PLAIN, BLAS_PLAIN, (int)s->rows, (int)b->n, (int)b->n, 1, w, (int)b->n, b->h, (int)b->n, 0, product, (int)b->n);
	for (uint32_t r = 0; r < s->rows; r++) {
		double samples = (double)b->h[(size_t)b->n * b->n - 1], mean = (double)product[(size_t)r * b->n + b->n - 1];

		sum -= samples > 0 ? mean * mean / samples : 0;
		for (uint32_t c = 0; c < b->n; c++) {
			double x = (double)w[(size_t)r * b->n + c];

			sum += x * (2 * (double)product[(size_t)r * b->n + c] - x * (double)b->h[(size_t)c * b->n + c]);
		}
	}
	return sum;
}

int second_factor(const struct blas *blas, struct second *s, const float *weights)
{
	size_t most = 0;
	float *w, *product;
	int ret = 0;

	for (uint32_t i = 0; i < s->groups * s->nblocks; i++)
		most = s->block[i].n > most ? s->block[i].n : most;
	w = malloc(s->rows * most * sizeof(*w));
	product = malloc(s->rows * most * sizeof(*product));
	if (!w || !product)
		ret = -ENOMEM;
	s->energy = 0;
	for (uint32_t i = 0; !ret && i < s->groups * s->nblocks; i++) {
		gather(s, i / s->nblocks, &s->block[i], weights, w);
		/* rounding may leave less than nothing of outputs that never change */
		s->energy += fmax(energy(blas, s, &s->block[i], w, product), 0);
		ret = factor(blas, &s->block[i]);
	}
	free(w);
	free(product);
	return ret;
}

float second_score(const void *scores, uint64_t i)
{
	const struct second_scores *of = scores;
	const struct second *s = of->second;
	uint64_t group = (uint64_t)s->rows * s->cols, in = i % group;
	uint32_t c = (uint32_t)(s->col_stride == 1 ? in % s->cols : in / s->col_stride);
	const struct second_block *b = &s->block[i / group * s->nblocks + c / SECOND_MOST];

	return fminf(of->weights[i] * of->weights[i] / b->inverse[c - b->first], FLT_MAX);
}

/* ---------------------------------------------------------------- sweep */

/* What one block's sweep works on. */
struct sweep {
	const struct second_block *b;
	float *w;                      /* [rows, n] */
	bool *gone;                    /* [rows, n] */
	float *change;                 /* [rows, STEP] what each decision changed, over U's diagonal */
	const struct second_values *shared;
	uint32_t row;                  /* the block's first of all groups' rows */
	double loss;
};

/* Columns first to last of one row; the rest of the row learns of it later. */
static void decide(struct sweep *s, uint32_t r, uint32_t first, uint32_t last)
{
	float scale = s->shared && s->shared->scale ? s->shared->scale[s->row + r] : 1;
	float *w = s->w + (size_t)r * s->b->n, *change = s->change + (size_t)r * STEP;

	for (uint32_t c = first; c < last; c++) {
		const float *u = s->b->h + (size_t)c * s->b->n;
		float to = w[c];

		/* the bias is not pruned, and is no value of the codebook */
		if (c + 1 < s->b->n && s->gone[(size_t)r * s->b->n + c])
			to = 0;
		else if (c + 1 < s->b->n && s->shared)
			to = scale * s->shared->value[kmeans_nearest(s->shared->value, s->shared->n, w[c] / scale)];
		change[c - first] = (w[c] - to) / u[c];
		s->loss += (double)change[c - first] * (double)change[c - first];
		if (change[c - first] != 0)
			for (uint32_t k = c + 1; k < last; k++)
				w[k] -= change[c - first] * u[k];
		w[c] = to;
	}
}

static void sweep_block(const struct blas *blas, const struct second *s, struct sweep *p)
{
	const struct second_block *b = p->b;

	for (uint32_t first = 0; first < b->n; first += STEP) {
		uint32_t last = b->n - first < STEP ? b->n : first + STEP;

		for (uint32_t r = 0; r < s->rows; r++)
			decide(p, r, first, last);
		if (last < b->n)
			blas->cblas_sgemm(BLAS_ROW_MAJOR, BLAS_PLAIN, BLAS_PLAIN, (int)s->rows, (int)(b->n - last), (int)(last - first), -1, p->change, STEP,
					  b->h + (size_t)first * b->n + last, (int)b->n, 1, p->w + last, (int)b->n);
	}
}

/* Scores of the block's weights; with shared values those that are zero went before. */
static void mark_gone(const struct second *s, uint32_t g, struct sweep *p, const float *weights, float least)
{
	const struct second_scores scores = { s, weights };

	for (uint32_t r = 0; r < s->rows; r++) {
		for (uint32_t c = 0; c + 1 < p->b->n; c++) {
			uint64_t at = place(s, g, r, p->b->first + c);

			p->gone[(size_t)r * p->b->n + c] = p->shared ? weights[at] == 0 : second_score(&scores, at) < least;
		}
	}
}

static void scatter(const struct second *s, uint32_t g, const struct sweep *p, float *weights, float *bias)
{
	for (uint32_t r = 0; r < s->rows; r++) {
		const float *w = p->w + (size_t)r * p->b->n;

		for (uint32_t c = 0; c + 1 < p->b->n; c++)
			weights[place(s, g, r, p->b->first + c)] = w[c];
		if (bias)
			bias[g * s->rows + r] += w[p->b->n - 1];
	}
}

int second_sweep(const struct blas *blas, const struct second *s, float *weights, float *bias, float least, const struct second_values *shared,
		 double *loss)
{
	struct sweep p = { .shared = shared };
	size_t most = 0;
	int ret = 0;

	for (uint32_t i = 0; i < s->groups * s->nblocks; i++)
		most = s->block[i].n > most ? s->block[i].n : most;
	p.w = malloc(s->rows * most * sizeof(*p.w));
	p.gone = malloc(s->rows * most * sizeof(*p.gone));
	p.change = malloc(s->rows * (size_t)STEP * sizeof(*p.change));
	if (!p.w || !p.gone || !p.change)
		ret = -ENOMEM;
	for (uint32_t i = 0; !ret && i < s->groups * s->nblocks; i++) {
		uint32_t g = i / s->nblocks;

		p.b = &s->block[i];
		p.row = g * s->rows;
		gather(s, g, p.b, weights, p.w);
		mark_gone(s, g, &p, weights, least);
		sweep_block(blas, s, &p);
		scatter(s, g, &p, weights, bias);
	}
	*loss = p.loss;
	free(p.w);
	free(p.gone);
	free(p.change);
	return ret;
}
