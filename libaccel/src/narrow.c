// SPDX-License-Identifier: GPL-2.0 OR MIT
#include "narrow.h"
#include "quant.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <eie_hw.h>

/* A copy of n values, or NULL for none. *failed is set without memory. */
static void *copy(const void *from, size_t n, size_t each, bool *failed)
{
	void *to = from ? calloc(n + 1, each) : NULL;

	if (to)
		memcpy(to, from, n * each);
	*failed = *failed || (from && !to);
	return to;
}

/* All that accel_quantise_narrow() writes is the copy's own. */
static bool own_layer(struct accel_layer *layer)
{
	const size_t rows = layer->kind == ACCEL_LAYER_MULTIPLY ? 1 : layer->rows;
	bool failed = false;

	layer->codebook_q = copy(layer->codebook_q, layer->ncodes, sizeof(*layer->codebook_q), &failed);
	layer->bias_q = copy(layer->bias_q, rows, sizeof(*layer->bias_q), &failed);
	layer->mult = copy(layer->mult, rows, sizeof(*layer->mult), &failed);
	layer->shift = copy(layer->shift, rows, sizeof(*layer->shift), &failed);
	layer->table = copy(layer->table, EIE_TABLE_VALUES, sizeof(*layer->table), &failed);
	return !failed;
}

int narrow_new(const struct accel_model *model, struct accel_model **narrow, struct accel_error *err)
{
	struct accel_model *n = calloc(1, sizeof(*n));
	bool failed = !n;
	int ret;

	*narrow = NULL;
	if (n) {
		n->ninputs = model->ninputs;
		n->noutputs = model->noutputs;
		n->inputs = model->inputs;
		n->outputs = model->outputs;
		n->ntensors = model->ntensors;
		n->tensors = copy(model->tensors, model->ntensors, sizeof(*n->tensors), &failed);
		n->layers = copy(model->layers, model->nlayers, sizeof(*n->layers), &failed);
	}
	/* layers are counted when all that they have is their own */
	for (unsigned int l = 0; !failed && l < model->nlayers; l++) {
		failed = !own_layer(&n->layers[l]);
		n->nlayers++;
	}
	ret = failed ? accel_fail(err, -ENOMEM, NULL, "no memory for the integers of the int8 mode") : accel_quantise_narrow(n, err);
	if (ret)
		narrow_free(n);
	else
		*narrow = n;
	return ret;
}

void narrow_free(struct accel_model *n)
{
	if (!n)
		return;
	for (unsigned int l = 0; l < n->nlayers; l++) {
		free(n->layers[l].codebook_q);
		free(n->layers[l].bias_q);
		free(n->layers[l].mult);
		free(n->layers[l].shift);
		free(n->layers[l].table);
	}
	free(n->tensors);
	free(n->layers);
	free(n);
}
