// SPDX-License-Identifier: GPL-2.0 OR MIT
#include "bench_layer.h"

#include <math.h>
#include <stdlib.h>

#define NCODES 16

const struct bench_layer eie_paper_layers[EIE_PAPER_LAYERS] = {
	{ "Alex-6", 9216, 4096, 0.09, 0.351, 30.3 }, { "Alex-7", 4096, 4096, 0.09, 0.353, 12.2 },
	{ "Alex-8", 4096, 1000, 0.25, 0.375, 9.9 },  { "VGG-6", 25088, 4096, 0.04, 0.183, 34.4 },
	{ "VGG-7", 4096, 4096, 0.04, 0.375, 8.7 },   { "VGG-8", 4096, 1000, 0.23, 0.411, 8.4 },
	{ "NT-We", 4096, 600, 0.10, 1, 8.0 },	     { "NT-Wd", 600, 8791, 0.11, 1, 13.9 },
	{ "NT-LSTM", 1201, 2400, 0.10, 1, 7.5 },
};

static uint64_t next(struct random *r)
{
	r->state ^= r->state >> 12;
	r->state ^= r->state << 25;
	r->state ^= r->state >> 27;
	return r->state * 0x2545f4914f6cdd1dULL;
}

double random_unit(struct random *r)
{
	return (double)((next(r) >> 11) + 1) * 0x1p-53;
}

struct arrays {
	uint32_t *rowptr, *col;
	uint8_t *code;
	float *input;
};

static void arrays_free(struct arrays *a)
{
	free(a->rowptr);
	free(a->col);
	free(a->code);
	free(a->input);
}

static int add_weight(const struct bench_layer *layer, struct random *r, struct arrays *a, uint64_t *nnz,
		      uint64_t *room, uint64_t at)
{
	uint32_t col = (uint32_t)(at % layer->cols);

	if (*nnz == *room) {
		uint64_t more = *room + *room / 2 + 1024;
		uint32_t *cols = realloc(a->col, more * sizeof(*cols));
		uint8_t *codes = cols ? realloc(a->code, more) : NULL;

		a->col = cols ? cols : a->col;
		a->code = codes ? codes : a->code;
		if (!cols || !codes)
			return fail("%s: out of memory", layer->name);
		*room = more;
	}
	a->col[*nnz] = col;
	a->code[(*nnz)++] = (uint8_t)(1 + next(r) % (NCODES - 1));
	a->rowptr[at / layer->cols + 1]++;
	return EXIT_OK;
}

/* The gaps between places that all have the same chance are geometric. */
static int fill_uniform(const struct bench_layer *layer, struct random *r, struct arrays *a)
{
	uint64_t size = (uint64_t)layer->rows * layer->cols, nnz = 0, room = 0, at = 0;
	int status = EXIT_OK;

	for (; !status; at++) {
		at += (uint64_t)(log(random_unit(r)) / log1p(-layer->weights));
		if (at >= size)
			break;
		status = add_weight(layer, r, a, &nnz, &room, at);
	}
	return status;
}

/* Log-normal numbers with mean 1 (Box and Muller 1958), to be freed; NULL: out of memory. */
static double *factors(struct random *r, uint32_t n)
{
	const double sigma = 0.5, turn = 2 * 3.14159265358979323846;
	double *f = malloc(n * sizeof(*f));

	for (uint32_t i = 0; f && i < n; i++) {
		double radius = sqrt(-2 * log(random_unit(r)));

		f[i] = exp(sigma * radius * cos(turn * random_unit(r)) - sigma * sigma / 2);
	}
	return f;
}

static int fill_uneven(const struct bench_layer *layer, struct random *r, struct arrays *a)
{
	double *rows = factors(r, layer->rows), *cols = factors(r, layer->cols);
	uint64_t nnz = 0, room = 0;
	int status = rows && cols ? EXIT_OK : fail("%s: out of memory", layer->name);

	for (uint32_t i = 0; !status && i < layer->rows; i++)
		for (uint32_t j = 0; !status && j < layer->cols; j++)
			if (random_unit(r) <= layer->weights * rows[i] * cols[j])
				status = add_weight(layer, r, a, &nnz, &room, (uint64_t)i * layer->cols + j);
	free(rows);
	free(cols);
	return status;
}

static int fill(const struct bench_layer *layer, enum bench_sparsity sparsity, struct random *r, struct arrays *a,
		uint64_t *macs)
{
	int status;

	a->rowptr = calloc((size_t)layer->rows + 1, sizeof(*a->rowptr));
	a->input = calloc(layer->cols, sizeof(*a->input));
	if (!a->rowptr || !a->input)
		return fail("%s: out of memory", layer->name);

	/* what is not zero is at least a quarter of the range: quantising must not make more zeros */
	for (uint32_t i = 0; i < layer->cols; i++)
		if (layer->activations >= 1 || random_unit(r) <= layer->activations)
			a->input[i] = (float)(0.25 + 0.75 * random_unit(r));
	status = sparsity == BENCH_UNEVEN ? fill_uneven(layer, r, a) : fill_uniform(layer, r, a);
	for (uint32_t i = 0; i < layer->rows; i++)
		a->rowptr[i + 1] += a->rowptr[i];
	*macs = 0;
	for (uint32_t e = 0; !status && e < a->rowptr[layer->rows]; e++)
		*macs += a->input[a->col[e]] > 0;
	return status;
}

int bench_layer_make(const struct bench_layer *layer, enum bench_sparsity sparsity, uint64_t seed,
		     struct accel_model **model, float **input, uint64_t *macs)
{
	struct random r = { .state = seed ? seed : 1 };
	struct accel_graph *graph = NULL;
	struct accel_error err = { 0 };
	struct arrays a = { 0 };
	float codebook[NCODES] = { 0 };
	struct accel_csr csr = {
		.rows = layer->rows,
		.cols = layer->cols,
		.codebook = codebook,
		.ncodes = NCODES,
	};
	unsigned int in, out;
	int status;

	for (unsigned int i = 1; i < NCODES; i++)
		codebook[i] = ((float)i - 8.25f) / 64;
	status = fill(layer, sparsity, &r, &a, macs);
	csr.rowptr = a.rowptr;
	csr.col = a.col;
	csr.code = a.code;
	if (!status &&
	    (accel_graph_new(&graph) ||
	     accel_graph_input(graph, "input", 1, &layer->cols, 0, 1, &in, &err) ||
	     accel_graph_add_fc_csr(graph, layer->name, in, &csr, ACCEL_ACT_RELU, &out, &err) ||
	     accel_graph_calibrate(graph, a.input, 1, &err) ||
	     accel_graph_finish(graph, model, &err)))
		status = fail_accel(layer->name, &err);
	accel_graph_free(graph);
	if (!status) {
		*input = a.input;
		a.input = NULL;
	}
	arrays_free(&a);
	return status;
}
