// SPDX-License-Identifier: GPL-2.0 OR MIT
#include "cpu_image.h"
#include "cpu_conv_layout.h"
#include "cpu_fc.h"
#include "narrow.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define LINE  16u    /* words of a line of the cache: packs begin where one does */
#define ALIAS 1024u  /* words a first-level cache's ways are long: packs so far apart push each other out */
#define NOWHERE SIZE_MAX
#define BEHIND 256u  /* words behind the last that vectors may read, and do not use */

/* Zeros around an image that its readers ask for. */
struct margin {
	uint32_t top, side, bottom, pitch;
};

struct placing {
	const struct accel_model *model;
	unsigned int batch;
	struct cpu_tensor *tensors;
	struct margin *margins;
	size_t *offset;      /* [ntensors] bytes in the memory of all */
	size_t bytes;
};

static uint32_t max(uint32_t a, uint32_t b)
{
	return a > b ? a : b;
}

/* ----------------------------------------------------------------- packing */

static bool is_boundary(const struct accel_model *model, unsigned int tensor)
{
	for (unsigned int i = 0; i < model->ninputs; i++)
		if (model->inputs[i] == tensor)
			return true;
	for (unsigned int i = 0; i < model->noutputs; i++)
		if (model->outputs[i] == tensor)
			return true;
	return false;
}

static bool same_words(const struct cpu_image *a, const struct cpu_image *b)
{
	return a->packed && b->packed && a->each == b->each && a->zero == b->zero;
}

/* Whether the layer's tensors may be packed, as far as it is concerned. */
static bool can_pack(const struct placing *p, const struct accel_layer *layer)
{
	const struct cpu_image *in = &p->tensors[layer->input].image, *out = &p->tensors[layer->output].image;

	if (layer->kind == ACCEL_LAYER_CONV)
		return conv_layout_words(&layer->window) <= INT32_MAX / 8;
	if (layer->kind == ACCEL_LAYER_MAX_POOL)
		return same_words(in, out);
	if (layer->kind == ACCEL_LAYER_AVERAGE_POOL)
		return !(in->packed && in->each == 4) && !(out->packed && out->each == 4);
	if (layer->kind != ACCEL_LAYER_CONCAT)
		return false;
	/* all or none, and each begins with a word */
	for (unsigned int i = 0; i < layer->nparts; i++)
		if (!same_words(&p->tensors[layer->parts[i]].image, out) ||
		    (i + 1 < layer->nparts && p->model->tensors[layer->parts[i]].dims[0] % out->each))
			return false;
	return true;
}

/* Of tensors of eight bits that convolutions with weights of eight bits read. */
static void choose_words(struct placing *p, unsigned int pack)
{
	for (unsigned int t = 0; t < p->model->ntensors; t++)
		p->tensors[t].image.each = pack == 4 && narrow_tensor(&p->model->tensors[t]) ? 4 : 2;
	for (unsigned int l = 0; l < p->model->nlayers; l++) {
		const struct accel_layer *layer = &p->model->layers[l];

		for (unsigned int i = 0; layer->kind == ACCEL_LAYER_CONV && i < layer->ncodes; i++)
			if (layer->codebook_q[i] < -127 || layer->codebook_q[i] > 127)
				p->tensors[layer->input].image.each = 2;
	}
	for (unsigned int t = 0; t < p->model->ntensors; t++)
		if (p->tensors[t].image.each == 4)
			p->tensors[t].image.zero = (uint8_t)narrow_zero(&p->model->tensors[t]);
}

static void choose_packed(struct placing *p)
{
	bool changed = true;

	for (unsigned int t = 0; t < p->model->ntensors; t++) {
		const struct accel_tensor *tensor = &p->model->tensors[t];

		p->tensors[t].image.packed = tensor->ndim == 3 && !is_boundary(p->model, t);
	}
	while (changed) {
		changed = false;
		for (unsigned int l = 0; l < p->model->nlayers; l++) {
			const struct accel_layer *layer = &p->model->layers[l];
			const unsigned int *inputs;
			unsigned int n = accel_layer_inputs(layer, &inputs);

			if (can_pack(p, layer))
				continue;
			for (unsigned int i = 0; i <= n; i++) {
				struct cpu_image *image = &p->tensors[i < n ? inputs[i] : layer->output].image;

				changed = changed || image->packed;
				image->packed = false;
			}
		}
	}
}

/* ----------------------------------------------------------------- margins */

/* What a convolution of stride 1 reads of a packed image around its pixels. */
static struct margin needs(const struct accel_window *w)
{
	int64_t bottom = (int64_t)w->out_height - 1 + (int64_t)(w->kernel_y - 1) * w->dilate_y - w->pad_top - (w->height - 1);
	int64_t right = (int64_t)w->out_width - 1 + (int64_t)(w->kernel_x - 1) * w->dilate_x - w->pad_left - (w->width - 1);

	return (struct margin){ .top = w->pad_top, .bottom = bottom > 0 ? (uint32_t)bottom : 0, .side = max(w->pad_left, right > 0 ? (uint32_t)right : 0),
				.pitch = w->out_width };
}

static bool widen(struct margin *m, const struct margin *by)
{
	struct margin old = *m;

	m->top = max(m->top, by->top);
	m->side = max(m->side, by->side);
	m->bottom = max(m->bottom, by->bottom);
	m->pitch = max(m->pitch, by->pitch);
	return memcmp(&old, m, sizeof(old));
}

static bool join(struct placing *p, unsigned int a, unsigned int b)
{
	bool widened = widen(&p->margins[a], &p->margins[b]);

	return widen(&p->margins[b], &p->margins[a]) || widened;
}

/* Of the output of a convolution that reads a copy: lines as long as the copy's, if they are not much longer, for then all places of a vector go to one place. */
static struct margin copied(const struct accel_window *w)
{
	const uint32_t pitch = conv_layout_copy_pitch(w);

	return (struct margin){ .pitch = pitch - w->out_width <= w->out_width / 16 ? pitch : 0 };
}

/* Parts of a concatenation have its margins; so have inputs and outputs of a layer that are of one size, for the same reason. */
static void choose_margins(struct placing *p)
{
	const struct accel_model *model = p->model;
	bool changed = true;

	for (unsigned int l = 0; l < model->nlayers; l++) {
		const struct accel_layer *layer = &model->layers[l];
		const bool strides = layer->window.stride_y > 1 || layer->window.stride_x > 1;
		struct margin m;

		if (layer->kind != ACCEL_LAYER_CONV)
			continue;
		m = strides ? (struct margin){ 0 } : needs(&layer->window);
		widen(&p->margins[layer->input], &m);
		m = strides || !p->tensors[layer->input].image.packed ? copied(&layer->window) : (struct margin){ 0 };
		widen(&p->margins[layer->output], &m);
	}
	while (changed) {
		changed = false;
		for (unsigned int l = 0; l < model->nlayers; l++) {
			const struct accel_layer *layer = &model->layers[l];
			const struct accel_tensor *in = &model->tensors[layer->input], *out = &model->tensors[layer->output];
			const unsigned int *inputs;
			unsigned int n = accel_layer_inputs(layer, &inputs);

			if (!p->tensors[layer->input].image.packed || !p->tensors[layer->output].image.packed || in->dims[1] != out->dims[1] ||
			    in->dims[2] != out->dims[2])
				continue;
			for (unsigned int i = 0; i < n; i++)
				changed = join(p, inputs[i], layer->output) || changed;
		}
	}
}

static void set_image(const struct placing *p, unsigned int t)
{
	const uint32_t height = p->model->tensors[t].dims[1], width = p->model->tensors[t].dims[2];
	const struct margin *m = &p->margins[t];
	struct cpu_image *image = &p->tensors[t].image;

	image->pitch = max(width + m->side, m->pitch);
	image->first = ((size_t)m->top * image->pitch + m->side + LINE - 1) / LINE * LINE;
	image->plane = image->first + ((size_t)height + m->bottom) * image->pitch + m->side;
	image->plane = (image->plane + LINE - 1) / LINE * LINE;
	if (image->plane % ALIAS == 0)
		image->plane += LINE;
}

/* ------------------------------------------------------------------ memory */

static size_t item_size(const struct placing *p, unsigned int t)
{
	return cpu_image_count(&p->tensors[t].image, &p->model->tensors[t]);
}

/* A place of its own, from a line of the cache on. */
static int reserve(struct placing *p, unsigned int t)
{
	size_t bytes;

	p->tensors[t].item = item_size(p, t);
	p->offset[t] = p->bytes;
	if (__builtin_mul_overflow(p->tensors[t].item, p->batch * sizeof(int16_t), &bytes) ||
	    __builtin_add_overflow(bytes, (p->tensors[t].image.packed ? BEHIND * sizeof(uint32_t) : CPU_READ_BEHIND) + 63, &bytes) ||
	    __builtin_add_overflow(p->bytes, bytes / 64 * 64, &p->bytes))
		return -ENOMEM;
	return 0;
}

/* Parts are placed when their whole is; items of plain ones follow each other, for callers. */
static int reserve_parts(struct placing *p, const struct accel_layer *layer)
{
	const unsigned int whole = layer->output;
	size_t at = 0;

	if (!p->tensors[whole].image.packed && p->batch > 1)
		return 0;
	if (p->offset[whole] == NOWHERE && reserve(p, whole))
		return -ENOMEM;
	for (unsigned int i = 0; i < layer->nparts; at += item_size(p, layer->parts[i++])) {
		/* one that lies elsewhere already, or comes twice, is copied */
		if (p->offset[layer->parts[i]] != NOWHERE)
			continue;
		p->offset[layer->parts[i]] = p->offset[whole] + at * sizeof(int16_t);
		p->tensors[layer->parts[i]].item = p->tensors[whole].item;
	}
	return 0;
}

static int place(struct placing *p, int16_t **memory)
{
	const struct accel_model *model = p->model;
	int ret = 0;

	for (unsigned int t = 0; t < model->ntensors; t++)
		p->offset[t] = NOWHERE;
	for (unsigned int l = model->nlayers; !ret && l-- > 0;)
		if (model->layers[l].kind == ACCEL_LAYER_CONCAT)
			ret = reserve_parts(p, &model->layers[l]);
	for (unsigned int t = 0; !ret && t < model->ntensors; t++)
		if (p->offset[t] == NOWHERE)
			ret = reserve(p, t);
	/* one piece: planes of many small tensors would each begin in a page of their own */
	*memory = ret ? NULL : cpu_weights_alloc(p->bytes + 1, 1);
	for (unsigned int t = 0; *memory && t < model->ntensors; t++) {
		struct cpu_tensor *tensor = &p->tensors[t];

		tensor->values = *memory + p->offset[t] / sizeof(int16_t);
		for (size_t b = 0; tensor->image.packed && tensor->image.zero && b < p->batch; b++)
			memset(tensor->values + b * tensor->item, tensor->image.zero, item_size(p, t) * sizeof(int16_t));
	}
	return *memory ? 0 : -ENOMEM;
}

int cpu_tensors_new(const struct accel_model *model, unsigned int batch, unsigned int pack, struct cpu_tensor *tensors, int16_t **memory)
{
	struct placing p = {
		.model = model,
		.batch = batch,
		.tensors = tensors,
		.margins = calloc(model->ntensors + (size_t)1, sizeof(*p.margins)),
		.offset = calloc(model->ntensors + (size_t)1, sizeof(*p.offset)),
	};
	int ret = p.margins && p.offset ? 0 : -ENOMEM;

	if (!ret && pack) {
		choose_words(&p, pack);
		choose_packed(&p);
		choose_margins(&p);
		for (unsigned int t = 0; t < model->ntensors; t++)
			if (tensors[t].image.packed)
				set_image(&p, t);
	}
	ret = ret ? ret : place(&p, memory);
	free(p.margins);
	free(p.offset);
	return ret;
}
