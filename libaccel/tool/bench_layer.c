// SPDX-License-Identifier: GPL-2.0 OR MIT
#include "bench_layer.h"

#include <math.h>
#include <stdlib.h>

#define NCODES 16

const struct bench_layer eie_paper_layers[EIE_PAPER_LAYERS] = {
	{ "Alex-6", 9216, 4096, 0.09, 0.351 }, { "Alex-7", 4096, 4096, 0.09, 0.353 },
	{ "Alex-8", 4096, 1000, 0.25, 0.375 }, { "VGG-6", 25088, 4096, 0.04, 0.183 },
	{ "VGG-7", 4096, 4096, 0.04, 0.375 },  { "VGG-8", 4096, 1000, 0.23, 0.411 },
	{ "NT-We", 4096, 600, 0.10, 1 },       { "NT-Wd", 600, 8791, 0.11, 1 },
	{ "NT-LSTM", 1201, 2400, 0.10, 1 },
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

/* Every position is non-zero with the same chance: the gaps between them are then geometric. */
static int fill(const struct bench_layer *layer, struct random *r, struct arrays *a, uint64_t *macs)
{
	uint64_t size = (uint64_t)layer->rows * layer->cols, nnz = 0, at = 0;
	/* ten standard deviations above the mean */
	uint64_t room = (uint64_t)((double)size * layer->weights +
				   10 * sqrt((double)size * layer->weights)) +
			1;
	uint32_t row = 0;

	a->rowptr = calloc((size_t)layer->rows + 1, sizeof(*a->rowptr));
	a->col = malloc(room * sizeof(*a->col));
	a->code = malloc(room);
	a->input = calloc(layer->cols, sizeof(*a->input));
	if (!a->rowptr || !a->col || !a->code || !a->input)
		return fail("%s: out of memory", layer->name);

	/* what is not zero is at least a quarter of the range: quantising must not make more zeros */
	for (uint32_t i = 0; i < layer->cols; i++)
		if (layer->activations >= 1 || random_unit(r) <= layer->activations)
			a->input[i] = (float)(0.25 + 0.75 * random_unit(r));
	*macs = 0;
	for (;;) {
		at += (uint64_t)(log(random_unit(r)) / log1p(-layer->weights));
		if (at >= size || nnz == room)
			break;
		while (row < at / layer->cols)
			a->rowptr[++row] = (uint32_t)nnz;
		a->col[nnz] = (uint32_t)(at % layer->cols);
		a->code[nnz] = (uint8_t)(1 + next(r) % (NCODES - 1));
		*macs += a->input[a->col[nnz]] > 0;
		nnz++;
		at++;
	}
	while (row < layer->rows)
		a->rowptr[++row] = (uint32_t)nnz;
	return EXIT_OK;
}

int bench_layer_make(const struct bench_layer *layer, uint64_t seed, struct accel_model **model,
		     float **input, uint64_t *macs)
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
	status = fill(layer, &r, &a, macs);
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
