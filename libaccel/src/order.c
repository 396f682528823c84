// SPDX-License-Identifier: GPL-2.0 OR MIT
#include "order.h"

#include <errno.h>
#include <stdlib.h>

static bool keeps_order(const struct accel_layer *layer)
{
	return !accel_layer_weighted(layer) && layer->kind != ACCEL_LAYER_CONCAT;
}

unsigned int order_source(const struct accel_model *model, unsigned int tensor)
{
	for (unsigned int l = model->nlayers; l-- > 0;)
		if (model->layers[l].output == tensor && keeps_order(&model->layers[l]))
			tensor = model->layers[l].input;
	return tensor;
}

bool order_is_joined(const struct accel_model *model, unsigned int tensor)
{
	for (unsigned int l = 0; l < model->nlayers; l++)
		if (model->layers[l].output == tensor)
			return model->layers[l].kind == ACCEL_LAYER_CONCAT;
	return false;
}

/* Both get one leader: an input, or what is made first. turn: by layer, inputs have none. */
static void unite(const struct accel_model *model, const unsigned int *turn, unsigned int *leader, unsigned int a, unsigned int b)
{
	unsigned int first = turn[a] <= turn[b] ? a : b, last = a == first ? b : a;

	for (unsigned int t = 0; a != b && t < model->ntensors; t++)
		if (leader[t] == last)
			leader[t] = first;
}

int order_leaders(const struct accel_model *model, unsigned int **leader)
{
	unsigned int *lead = malloc(model->ntensors * sizeof(*lead)), *source = malloc(model->ntensors * sizeof(*source));
	unsigned int *turn = calloc(model->ntensors, sizeof(*turn));
	int ret = lead && source && turn ? 0 : -ENOMEM;

	for (unsigned int t = 0; !ret && t < model->ntensors; t++)
		lead[t] = source[t] = t;
	for (unsigned int l = 0; !ret && l < model->nlayers; l++) {
		const struct accel_layer *layer = &model->layers[l];

		turn[layer->output] = l + 1;
		if (keeps_order(layer))
			source[layer->output] = source[layer->input];
		if (layer->kind == ACCEL_LAYER_MULTIPLY)
			unite(model, turn, lead, lead[source[layer->parts[0]]], lead[source[layer->parts[1]]]);
	}
	free(source);
	free(turn);
	if (ret)
		free(lead);
	else
		*leader = lead;
	return ret;
}
