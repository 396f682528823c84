// SPDX-License-Identifier: GPL-2.0 OR MIT
/* Layers of images: which rows, pixels and channels go where. */
#include <errno.h>
#include <stdlib.h>

#include "plan_int.h"

/* Channel c of an image has place places[c], or c when that is NULL. */
int plan_image(struct plan *plan, unsigned int tensor, uint32_t nplaces, const uint32_t *places)
{
	const struct accel_tensor *tensor_of = &plan->model->tensors[tensor];
	struct tensor_plan *t = &plan->tensors[tensor];
	uint32_t pixels = tensor_of->dims[1] * tensor_of->dims[2], k = plan->params.clusters;

	t->image = (struct image_plan){ nplaces, (pixels + 7) / 8 };
	t->granules = image_granules(&t->image, k);
	t->own_slot = malloc(tensor_of->count * sizeof(*t->own_slot));
	if (!t->own_slot)
		return -ENOMEM;
	for (uint32_t v = 0; v < tensor_of->count; v++)
		t->own_slot[v] = image_slot(&t->image, k, places ? places[v / pixels] : v / pixels, v % pixels);
	t->slot = t->own_slot;
	return 0;
}

/* Rows to clusters and tiles: balanced, or as those of the layer that decides. */
static int share_rows(const struct plan *plan, unsigned int l, uint32_t limit, struct tile_rows *rows)
{
	const struct accel_model *m = plan->model;
	unsigned int lead = plan->leader[m->layers[l].output];

	if (lead == m->layers[l].output)
		return tile_balance(&m->layers[l], &plan->params, limit, false, rows);
	for (unsigned int i = 0; i < m->ninputs; i++)
		if (m->inputs[i] == lead)
			return tile_follow(&m->layers[l], &plan->params, limit, NULL, rows);
	for (unsigned int before = 0; before < l; before++)
		if (m->layers[before].output == lead && plan_is_conv(plan, before))
			return tile_follow(&m->layers[l], &plan->params, limit, &plan->layers[before].rows, rows);
	return tile_balance(&m->layers[l], &plan->params, limit, false, rows);
}

/* Rows to clusters, pixels to batches and bands, channels to places. */
int plan_conv(struct plan *plan, unsigned int l, struct accel_error *err)
{
	const struct accel_layer *layer = &plan->model->layers[l];
	const struct eie_params *p = &plan->params;
	const struct image_plan *in = &plan->tensors[layer->input].image;
	struct layer_plan *lp = &plan->layers[l];
	uint32_t limit = plan_min(plan->row_limit, conv_row_limit(p)), *places;
	int ret;

	if (!in->places)
		return accel_fail(err, -ENOTSUP, layer->name,
				  "convolution \"%s\" reads \"%s\", which a fully connected layer makes: its values are not in the order of an image",
				  layer->name, plan->model->tensors[layer->input].name);
	if (!limit)
		return accel_fail(err, -E2BIG, layer->name, "convolution \"%s\": the accumulators of this hardware are too small for vector mode",
				  layer->name);
	if (share_rows(plan, l, limit, &lp->rows))
		return plan_no_memory(err);
	ret = conv_plan_make(layer, p, &lp->rows, in, p->abuf / 4, p->abuf / 4, &lp->conv);
	if (ret == -E2BIG)
		return accel_fail(err, ret, layer->name,
				  "convolution \"%s\": %u channels of the rows that eight of its windows see do not fit a quarter of the activation buffer of this hardware",
				  layer->name, p->clusters);
	places = ret ? NULL : malloc(layer->rows * sizeof(*places));
	if (!places)
		return plan_no_memory(err);
	for (uint32_t b = 0; b < lp->rows.ntiles * p->clusters; b++)
		for (uint32_t i = lp->rows.bin_first[b]; i < lp->rows.bin_first[b + 1]; i++)
			places[lp->rows.order[i]] = (lp->conv.tile_base[b / p->clusters] + i - lp->rows.bin_first[b]) * p->clusters +
						    b % p->clusters;
	ret = plan_image(plan, layer->output, lp->conv.tile_base[lp->rows.ntiles] * p->clusters, places);
	free(places);
	return ret ? plan_no_memory(err) : 0;
}

/* Place of channel c of an image. */
static uint32_t channel_place(const struct plan *plan, unsigned int tensor, uint32_t c)
{
	const struct accel_tensor *t = &plan->model->tensors[tensor];
	const struct tensor_plan *tp = &plan->tensors[tensor];

	return image_place(&tp->image, plan->params.clusters, tp->slot[c * t->dims[1] * t->dims[2]]);
}

/* Channels of the output lie in the places of the input's. */
static int keep_places(struct plan *plan, const struct accel_layer *layer, struct accel_error *err)
{
	uint32_t channels = plan->model->tensors[layer->output].dims[0], *places = malloc(channels * sizeof(*places));
	int ret;

	if (!places)
		return plan_no_memory(err);
	for (uint32_t c = 0; c < channels; c++)
		places[c] = channel_place(plan, layer->input, c);
	ret = plan_image(plan, layer->output, plan->tensors[layer->input].image.places, places);
	free(places);
	return ret ? plan_no_memory(err) : 0;
}

int plan_pool(struct plan *plan, unsigned int l, struct accel_error *err)
{
	const struct accel_layer *layer = &plan->model->layers[l];
	const struct tensor_plan *in = &plan->tensors[layer->input];
	int ret;

	if (!in->image.places)
		return accel_fail(err, -ENOTSUP, layer->name, "pooling \"%s\" reads \"%s\", whose values are not in the order of an image",
				  layer->name, plan->model->tensors[layer->input].name);
	ret = pool_plan_make(layer, &plan->params, &in->image, plan->params.abuf / 4, plan->params.abuf / 4, &plan->layers[l].conv);
	if (ret == -E2BIG)
		return accel_fail(err, ret, layer->name,
				  "pooling \"%s\": the rows that eight of its windows see do not fit a quarter of the activation buffer of this hardware",
				  layer->name);
	return keep_places(plan, layer, err);
}

/* A product, or a table. */
int plan_element(struct plan *plan, unsigned int l, struct accel_error *err)
{
	const struct accel_layer *layer = &plan->model->layers[l];
	const unsigned int *inputs;
	unsigned int n = accel_layer_inputs(layer, &inputs);

	for (unsigned int i = 0; i < n; i++)
		if (!plan->tensors[inputs[i]].image.places)
			return accel_fail(err, -ENOTSUP, layer->name, "layer \"%s\" reads \"%s\", whose values are not in the order of an image", layer->name,
					  plan->model->tensors[inputs[i]].name);
	for (uint32_t c = 0; n == 2 && c < plan->model->tensors[inputs[0]].dims[0]; c++)
		if (channel_place(plan, inputs[0], c) != channel_place(plan, inputs[1], c))
			return accel_fail(err, -ENOTSUP, layer->name,
					  "layer \"%s\" multiplies \"%s\" by \"%s\", and the channels of one cannot be had in the order of the other: put a convolution between",
					  layer->name, plan->model->tensors[inputs[0]].name, plan->model->tensors[inputs[1]].name);
	element_plan_make(&plan->params, &plan->tensors[inputs[0]].image, plan_operand_slot(plan, layer), &plan->layers[l].conv);
	return keep_places(plan, layer, err);
}

/* Tables of what a convolution makes, and nobody else reads. */
void plan_join_tables(struct plan *plan)
{
	const struct accel_model *m = plan->model;

	for (unsigned int l = 0; l < m->nlayers; l++) {
		unsigned int maker = NO_LAYER, readers = 0, x = m->layers[l].input;

		if (m->layers[l].kind != ACCEL_LAYER_TABLE)
			continue;
		for (unsigned int i = 0; i < m->nlayers; i++) {
			const unsigned int *inputs;
			unsigned int n = accel_layer_inputs(&m->layers[i], &inputs);

			maker = m->layers[i].output == x ? i : maker;
			for (unsigned int k = 0; k < n; k++)
				readers += inputs[k] == x;
		}
		for (unsigned int i = 0; i < m->noutputs; i++)
			readers += m->outputs[i] == x;
		if (maker == NO_LAYER || !plan_is_conv(plan, maker) || readers != 1)
			continue;
		plan->layers[maker].table = l;
		plan->layers[l].done_before = true;
	}
}

/* The parts' blocks one behind the other. */
int plan_concat(struct plan *plan, unsigned int l, struct accel_error *err)
{
	const struct accel_layer *layer = &plan->model->layers[l];
	uint32_t k = plan->params.clusters, blocks = 0, n = 0, *places = malloc(plan->model->tensors[layer->output].dims[0] * sizeof(*places));
	int ret;

	if (!places)
		return plan_no_memory(err);
	for (unsigned int i = 0; i < layer->nparts; i++) {
		struct tensor_plan *part = &plan->tensors[layer->parts[i]];

		part->whole = layer->output;
		part->whole_granule = blocks * part->image.plane * k;
		for (uint32_t c = 0; c < plan->model->tensors[layer->parts[i]].dims[0]; c++)
			places[n++] = blocks * k + channel_place(plan, layer->parts[i], c);
		blocks += image_blocks(&part->image, k);
	}
	ret = plan_image(plan, layer->output, blocks * k, places);
	free(places);
	return ret ? plan_no_memory(err) : 0;
}

int plan_recut(struct plan *plan)
{
	int ret = 0;

	for (uint32_t i = 0; !ret && i < plan->nsegments; i++) {
		const struct segment *s = &plan->segments[i];
		const struct accel_layer *layer = &plan->model->layers[s->first_layer];
		const struct image_plan *in = &plan->tensors[layer->input].image;
		struct layer_plan *lp = &plan->layers[s->first_layer];
		uint32_t operand = s->uses_x ? plan_operand_slot(plan, layer) : s->x_slot;

		/* slots are larger than they were, if anything: what fitted then fits now */
		if (s->conv)
			ret = conv_plan_cut(layer, &plan->params, &lp->rows, s->x_slot, s->y_slot, &lp->conv);
		else if (s->pool)
			ret = pool_plan_make(layer, &plan->params, in, s->x_slot, s->y_slot, &lp->conv);
		else if (s->element)
			element_plan_make(&plan->params, in, plan_min(operand, s->y_slot), &lp->conv);
	}
	return ret;
}

int plan_encode_conv(struct plan *plan, unsigned int l)
{
	const struct accel_layer *layer = &plan->model->layers[l];
	const struct tensor_plan *in = &plan->tensors[layer->input];
	struct layer_plan *lp = &plan->layers[l];
	uint32_t taps = layer->window.kernel_y * layer->window.kernel_x, k = plan->params.clusters;
	uint32_t pixels = layer->window.height * layer->window.width;
	struct tile_limits limits = { k * taps, lp->conv.chunk_blocks, plan->area.w_slot, plan->area.p_slot, plan_may_split(plan, l) };
	uint32_t *slot = malloc(layer->cols * sizeof(*slot));
	int ret;

	if (!slot)
		return -ENOMEM;
	for (uint32_t c = 0; c < layer->cols; c++)
		slot[c] = image_place(&in->image, k, in->slot[c / taps * pixels]) * taps + c % taps;
	ret = tile_encode(layer, &plan->params, &lp->rows, slot, lp->conv.blocks, &limits, &lp->image);
	ret = ret ? ret : plan_split(plan, l, &lp->image, &lp->conv);
	/* lanes that take columns together read each word once: gaps are in vain */
	if (!ret && limits.aligned && !lp->conv.split) {
		limits.aligned = false;
		tile_image_free(&lp->image);
		ret = tile_encode(layer, &plan->params, &lp->rows, slot, lp->conv.blocks, &limits, &lp->image);
	}
	free(slot);
	return ret;
}
