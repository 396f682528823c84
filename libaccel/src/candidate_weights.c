// SPDX-License-Identifier: GPL-2.0 OR MIT
#include "candidate_weights.h"
#include "kmeans.h"
#include "window.h"

#include <errno.h>
#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define LINEAR_STEPS 127            /* of a row's largest weight: codes 1 .. 127 are 1 .. 127, codes 128 .. 254 are -1 .. -127 */
#define BIAS_STEPS   (1 << 14)      /* a bias is at most so many times the product of largest input and scale of the row: 2^29 in the sum of 32 bits */
#define FIT_STEPS    4095           /* that quantisation gives the largest value of a codebook at least; quant.c */
#define FIT_INPUT_STEPS 2047        /* of the largest input: fewer would be more noise than a better codebook saves */
#define FIT_BIAS     16             /* largest bias / (largest input * scale of a row): with FIT_STEPS about 2^29 in the sum */
#define BIAS_WEIGHTS 32             /* shared weights have a scale that nobody chose: a bias of more of the row's largest weight would take their bits */

/* A weight that a row may have: of a convolution those of its group. */
struct entry {
	uint32_t col;
	float w;
};

static uint32_t entries_of_row(const struct candidate *f)
{
	return f->kind == CANDIDATE_CONV ? (uint32_t)(f->weight_count / f->rows) : f->cols;
}

static int compare_columns(const void *a, const void *b)
{
	uint32_t x = ((const struct entry *)a)->col, y = ((const struct entry *)b)->col;

	return x < y ? -1 : x > y;
}

/* Those of row r, in the order of the columns; e: [entries_of_row()]. */
static void take_row(const struct candidate *f, uint32_t r, struct entry *e)
{
	uint32_t n = entries_of_row(f), taps, first;

	if (f->row_stride) {
		for (uint32_t c = 0; c < n; c++)
			e[c] = (struct entry){ c, f->weights[r * f->row_stride + c * f->col_stride] };
		return;
	}
	taps = window_taps(&f->window);
	first = r / (f->rows / f->groups) * (n / taps);   /* channel of the group */
	for (uint32_t i = 0; i < n; i++) {
		uint32_t channel = first + i / taps;

		e[i] = (struct entry){ (f->channels ? f->channels[channel] : channel) * taps + i % taps, f->weights[(uint64_t)r * n + i] };
	}
	if (f->channels)
		qsort(e, n, sizeof(*e), compare_columns);
}

static float bias(const struct candidate *f, uint32_t r)
{
	return f->bias ? f->beta * f->bias[r * f->bias_stride] : 0;
}

/* ---------------------------------------------------------------- shared weights */

/* Values that weights may have, and the codes of those; own: as the author of the network gave it. */
struct codebook {
	float value[256];          /* [0] = 0 */
	unsigned int n;            /* 257: too many */
	float sorted[256];         /* n - 1 values in order, or fewer where some are equal, and the code of each */
	uint8_t code[256];
	unsigned int nsorted;
};

/* Place of w in sorted, or where it had to be. */
static unsigned int place_of(const struct codebook *b, float w)
{
	unsigned int lo = 0, hi = b->nsorted;

	while (lo < hi) {
		unsigned int middle = (lo + hi) / 2;

		if (b->sorted[middle] < w)
			lo = middle + 1;
		else
			hi = middle;
	}
	return lo;
}

/* Code of a weight; 0: it is not there. */
static uint8_t code_of(const struct codebook *b, float w)
{
	unsigned int at = place_of(b, w);

	return at < b->nsorted && b->sorted[at] == w ? b->code[at] : 0;
}

/* The same for a product of a value and the row's factor, both rounded to float: the nearest value, if it is no further than that explains. */
static uint8_t code_of_product(const struct codebook *b, double w, double factor)
{
	double value = factor > 0 ? w / factor : 0, least = INFINITY;
	unsigned int at = place_of(b, (float)value);
	uint8_t code = 0;

	for (unsigned int i = at ? at - 1 : 0; i <= at && i < b->nsorted; i++) {
		double off = fabs(value - (double)b->sorted[i]);

		if (off < least && off <= 0x1p-20 * fabs((double)b->sorted[i]))
			code = b->code[i];
		least = fmin(least, off);
	}
	return code;
}

static void add_value(struct codebook *b, float w, unsigned int code)
{
	unsigned int at = place_of(b, w);

	if (w == 0 || (at < b->nsorted && b->sorted[at] == w))
		return;
	memmove(b->sorted + at + 1, b->sorted + at, (b->nsorted - at) * sizeof(*b->sorted));
	memmove(b->code + at + 1, b->code + at, b->nsorted - at);
	b->sorted[at] = w;
	b->code[at] = (uint8_t)code;
	b->nsorted++;
}

/* Factor of the row that weight i is in. */
static double factor_of(const struct candidate *f, uint64_t i)
{
	return f->row_scale ? fabs((double)f->row_scale[i / (f->weight_count / f->rows)]) : 1;
}

/* Factors are positive on the engine: the others' rows take the negative values, which the codebook must have then. false: no room. */
static bool add_negatives(const struct candidate *f, struct codebook *b)
{
	unsigned int n = b->n;
	bool negative = false;

	for (uint32_t r = 0; f->row_scale && r < f->rows; r++)
		negative = negative || f->row_scale[r] < 0;
	for (unsigned int i = 1; negative && i < n; i++) {
		if (b->value[i] == 0 || code_of(b, -b->value[i]))
			continue;
		if (b->n == 256)
			return false;
		b->value[b->n] = -b->value[i];
		add_value(b, -b->value[i], b->n++);
	}
	return true;
}

/* The codebook that the weights came with, if it still has all of them. */
static bool own_codebook(const struct candidate *f, struct codebook *b)
{
	*b = (struct codebook){ .n = f->ncodes };
	for (unsigned int i = 0; i < f->ncodes; i++) {
		b->value[i] = f->codebook[i];
		add_value(b, f->codebook[i], i);
	}
	if (!f->ncodes || !add_negatives(f, b))
		return false;
	for (uint64_t i = 0; i < f->weight_count; i++) {
		float w = f->weights[i];

		if (w != 0 && !(f->row_scale ? code_of_product(b, (double)w, factor_of(f, i)) : code_of(b, w)))
			return false;
	}
	return true;
}

/* Or the different values in order; more than 255 end the search. *scaled: the rows have factors. */
static void find_codebook(const struct candidate *f, struct codebook *b, bool *scaled)
{
	*scaled = f->row_scale;
	if (own_codebook(f, b))
		return;
	*scaled = false;
	*b = (struct codebook){ .n = 1 };
	for (uint64_t i = 0; i < f->weight_count; i++) {
		if (f->weights[i] == 0 || code_of(b, f->weights[i]))
			continue;
		if (b->nsorted == 255) {
			b->n = 257;
			return;
		}
		add_value(b, f->weights[i], 1);
	}
	b->n = b->nsorted + 1;
	for (unsigned int i = 0; i < b->nsorted; i++) {
		b->value[i + 1] = b->sorted[i];
		b->code[i] = (uint8_t)(i + 1);
	}
}

/* A bias beside factors that are next to nothing has no room in the sum: such rows are better rounded. */
static bool biases_fit(const struct candidate *f, const struct codebook *b)
{
	double amax = 0;

	for (unsigned int i = 1; i < b->n; i++)
		amax = fmax(amax, fabs((double)b->value[i]));
	for (uint32_t r = 0; r < f->rows; r++) {
		double factor = fabs((double)f->row_scale[r]);

		if (factor > 0 && (factor < (double)FLT_MIN || fabs((double)bias(f, r)) > BIAS_WEIGHTS * amax * factor))
			return false;
	}
	return true;
}

enum weights_kind weights_look(const struct candidate *f)
{
	struct codebook b;
	bool scaled;

	for (uint64_t i = 0; i < f->weight_count; i++)
		if (!isfinite(f->weights[i]))
			return WEIGHTS_INFINITE;
	for (uint32_t r = 0; r < f->rows; r++)
		if (!isfinite(bias(f, r)))
			return WEIGHTS_INFINITE;
	find_codebook(f, &b, &scaled);
	if (b.n > 256 || (scaled && !biases_fit(f, &b)))
		return WEIGHTS_MANY;
	/*
	 * A network whose weights nobody shared has layers of few weights all the same, depthwise and squeeze layers above all. Pruned ones count as
	 * shared: they share the zero.
	 */
	return f->row_stride || f->ncodes || 2 * (uint64_t)b.nsorted <= f->weight_count ? WEIGHTS_SHARED : WEIGHTS_FEW;
}

static void code_shared(const struct candidate *f, struct entry *e, struct coded_weights *to)
{
	struct codebook b;
	uint32_t nnz = 0;
	bool scaled;

	find_codebook(f, &b, &scaled);
	memcpy(to->codebook, b.value, sizeof(to->codebook));
	to->csr.ncodes = b.n;
	for (uint32_t r = 0; r < f->rows; r++) {
		double factor = scaled ? fabs((double)f->row_scale[r]) : 1;

		to->row_scale[r] = (float)factor;
		take_row(f, r, e);
		for (uint32_t i = 0; i < entries_of_row(f); i++) {
			float w = e[i].w;

			if (w == 0)
				continue;
			to->col[nnz] = e[i].col;
			to->code[nnz++] = scaled ? code_of_product(&b, (double)w, factor) : code_of(&b, w);
			to->signal += (double)w * (double)w;
		}
		to->rowptr[r + 1] = nnz;
	}
	if (!scaled) {
		free(to->row_scale);
		to->row_scale = NULL;
	}
}

/* ---------------------------------------------------------------- rounded weights */

/* Every row has a scale of its own, with which its largest weight has LINEAR_STEPS steps. */
static void code_linear(const struct candidate *f, double amax, struct entry *e, struct coded_weights *to)
{
	uint32_t nnz = 0;

	to->csr.ncodes = 2 * LINEAR_STEPS + 1;
	for (unsigned int i = 1; i <= LINEAR_STEPS; i++) {
		to->codebook[i] = (float)i;
		to->codebook[LINEAR_STEPS + i] = -(float)i;
	}
	for (uint32_t r = 0; r < f->rows; r++) {
		double most = 0, scale;

		take_row(f, r, e);
		for (uint32_t i = 0; i < entries_of_row(f); i++)
			most = fmax(most, fabs((double)e[i].w));
		scale = fmax(most / LINEAR_STEPS, most > 0 ? fabs((double)bias(f, r)) / (amax * BIAS_STEPS) : 0);
		/* weights that a normal scale cannot express are none */
		scale = scale < (double)FLT_MIN ? 0 : (double)(float)scale;
		to->row_scale[r] = (float)scale;
		for (uint32_t i = 0; i < entries_of_row(f); i++) {
			double w = (double)e[i].w, q = scale > 0 ? rint(w / scale) : 0;

			q = fmax(-LINEAR_STEPS, fmin(LINEAR_STEPS, q));
			to->signal += w * w;
			to->noise += (w - q * scale) * (w - q * scale);
			if (q == 0)
				continue;
			to->col[nnz] = e[i].col;
			to->code[nnz++] = (uint8_t)(q > 0 ? q : LINEAR_STEPS - q);
		}
		to->rowptr[r + 1] = nnz;
	}
}

/* A codebook that fits the weights: of rows by their root mean square, all rows alike. */
struct fit {
	float *scale;              /* [rows] */
	float *weights;            /* [rows][entries of a row] / scale */
	float centre[256];         /* [n], increasing */
	unsigned int n;
};

/*
 * Scales and weights. False: rows so long that sums of a fitted codebook's finer steps would leave too few to the activations; linear ones are whole numbers up to 127, and need
 * less of the 32 bits.
 */
static bool normalise(const struct candidate *f, double amax, struct entry *e, struct fit *fit)
{
	uint32_t n = entries_of_row(f);
	double most = 0, sum = 0;

	for (uint32_t r = 0; r < f->rows; r++) {
		double square = 0, row = 0, scale;

		take_row(f, r, e);
		for (uint32_t i = 0; i < n; i++)
			square += (double)e[i].w * (double)e[i].w;
		scale = fmax(sqrt(square / n), fabs((double)bias(f, r)) / (amax * FIT_BIAS));
		scale = scale < (double)FLT_MIN ? 0 : (double)(float)scale;
		fit->scale[r] = (float)scale;
		for (uint32_t i = 0; i < n; i++) {
			double w = scale > 0 ? (double)e[i].w / scale : 0;

			fit->weights[(size_t)r * n + i] = (float)w;
			most = fmax(most, fabs(w));
			row += fabs(w);
		}
		sum = fmax(sum, row + (scale > 0 ? fabs((double)bias(f, r)) / (scale * amax) : 0));
	}
	return most > 0 && INT32_MAX / (sum / most * FIT_STEPS) >= FIT_INPUT_STEPS;
}

/* Code of the nearest value, and what that makes of w; 0 where nothing is nearer. */
static uint8_t nearest(const struct fit *fit, float w, double *value)
{
	unsigned int i = kmeans_nearest(fit->centre, fit->n, w);
	bool none = fabs((double)w) <= fabs((double)w - (double)fit->centre[i]);

	*value = none ? 0 : (double)fit->centre[i];
	return none ? 0 : (uint8_t)(i + 1);
}

static double fit_noise(const struct candidate *f, const struct fit *fit)
{
	uint32_t n = entries_of_row(f);
	double noise = 0, value;

	for (size_t i = 0; i < (size_t)f->rows * n; i++) {
		nearest(fit, fit->weights[i], &value);
		value = ((double)fit->weights[i] - value) * (double)fit->scale[i / n];
		noise += value * value;
	}
	return noise;
}

static void code_fit(const struct candidate *f, const struct fit *fit, struct entry *e, struct coded_weights *to)
{
	uint32_t n = entries_of_row(f), nnz = 0;

	memset(to->codebook, 0, sizeof(to->codebook));
	memcpy(to->codebook + 1, fit->centre, fit->n * sizeof(*fit->centre));
	to->csr.ncodes = fit->n + 1;
	memcpy(to->row_scale, fit->scale, f->rows * sizeof(*fit->scale));
	for (uint32_t r = 0; r < f->rows; r++) {
		take_row(f, r, e);
		for (uint32_t i = 0; i < n; i++) {
			double value;
			uint8_t code = nearest(fit, fit->weights[(size_t)r * n + i], &value);

			if (!code)
				continue;
			to->col[nnz] = e[i].col;
			to->code[nnz++] = code;
		}
		to->rowptr[r + 1] = nnz;
	}
}

/* Takes the place of linear codes where it is nearer to the weights. -ENOMEM. */
static int try_fit(const struct candidate *f, double amax, struct entry *e, struct coded_weights *to)
{
	size_t count = (size_t)f->rows * entries_of_row(f);
	struct fit fit = { .scale = malloc(f->rows * sizeof(*fit.scale)), .weights = malloc((count + 1) * sizeof(*fit.weights)) };
	struct kmeans_points points = { 0 };
	double centre[255], noise;
	int ret = fit.scale && fit.weights ? 0 : -ENOMEM;

	if (!ret && normalise(f, amax, e, &fit)) {
		ret = kmeans_points_new(fit.weights, count, &points);
		ret = ret ? ret : kmeans_optimal(&points, 255, centre);
		for (int i = 0; i < ret; i++)
			fit.centre[i] = (float)centre[i];
		fit.n = ret > 0 ? (unsigned int)ret : 0;
		kmeans_points_free(&points);
		noise = fit.n ? fit_noise(f, &fit) : INFINITY;
		if (noise < to->noise) {
			code_fit(f, &fit, e, to);
			to->noise = noise;
		}
	}
	free(fit.scale);
	free(fit.weights);
	return ret < 0 ? ret : 0;
}

/* ---------------------------------------------------------------- both */

/* A row without weights takes the largest scale that there is, and one that its bias has room with. */
static void fill_empty_rows(const struct candidate *f, double amax, struct coded_weights *to)
{
	float most = 0;

	for (uint32_t r = 0; r < f->rows; r++)
		most = to->row_scale[r] > most ? to->row_scale[r] : most;
	for (uint32_t r = 0; r < f->rows; r++) {
		double least = fabs((double)bias(f, r)) / (amax * BIAS_STEPS);

		if (!(to->row_scale[r] > 0))
			to->row_scale[r] = least >= (double)FLT_MIN && least > (double)most ? (float)least : most > 0 ? most : 1;
	}
}

/*
 * What rounding does to a sum for the mean input is no noise but a shift, the same for every pixel, and after ReLU means are far from zero: the bias takes it back
 * (Nagel et al. 2019, section 4.2). Padding is not looked at.
 */
static void correct_biases(const struct candidate *f, struct entry *e, struct coded_weights *to)
{
	uint32_t taps = f->kind == CANDIDATE_CONV ? window_taps(&f->window) : 1;

	for (uint32_t r = 0; r < f->rows; r++) {
		uint32_t k = to->rowptr[r];
		double shift = 0;

		take_row(f, r, e);
		for (uint32_t i = 0; i < entries_of_row(f); i++) {
			double value = 0;

			if (k < to->rowptr[r + 1] && to->col[k] == e[i].col)
				value = (double)to->codebook[to->code[k++]] * (to->row_scale ? (double)to->row_scale[r] : 1);
			shift += ((double)e[i].w - value) * (double)f->mean[e[i].col / taps];
		}
		to->bias[r] += (float)shift;
	}
}

int weights_code(const struct candidate *f, double amax, struct coded_weights *to)
{
	struct entry *e = malloc(entries_of_row(f) * sizeof(*e));
	uint64_t nnz = 0;

	*to = (struct coded_weights){ .csr = { .rows = f->rows, .cols = f->cols } };
	amax = amax > 0 ? amax : 1;
	for (uint64_t i = 0; i < f->weight_count; i++)
		nnz += f->weights[i] != 0;
	to->rowptr = calloc((size_t)f->rows + 1, sizeof(*to->rowptr));
	to->bias = malloc(f->rows * sizeof(*to->bias));
	to->row_scale = malloc(f->rows * sizeof(*to->row_scale));
	to->col = malloc((nnz + 1) * sizeof(*to->col));
	to->code = malloc(nnz + 1);
	if (!e || !to->rowptr || !to->bias || !to->row_scale || !to->col || !to->code) {
		free(e);
		return -ENOMEM;
	}
	for (uint32_t r = 0; r < f->rows; r++)
		to->bias[r] = bias(f, r);
	if (f->linear)
		code_linear(f, amax, e, to);
	else
		code_shared(f, e, to);
	if (f->linear && try_fit(f, amax, e, to)) {
		free(e);
		return -ENOMEM;
	}
	if (f->linear && f->mean)
		correct_biases(f, e, to);
	free(e);
	if (to->row_scale)
		fill_empty_rows(f, amax, to);
	to->csr.rowptr = to->rowptr;
	to->csr.col = to->col;
	to->csr.code = to->code;
	to->csr.codebook = to->codebook;
	to->csr.bias = to->bias;
	to->csr.row_scale = to->row_scale;
	return 0;
}

void weights_free(struct coded_weights *w)
{
	free(w->rowptr);
	free(w->col);
	free(w->code);
	free(w->bias);
	free(w->row_scale);
}
