// SPDX-License-Identifier: GPL-2.0 OR MIT
#include "cpu_image.h"
#include "cpu_conv_layout.h"
#include "cpu_fc.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define LINE  16u    /* words of a line of the cache: packs begin where one does */
#define ALIAS 1024u  /* words a first-level cache's ways are long: packs so far apart push each other out */
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

/* Whether the layer's tensors may be packed, as far as it is concerned. */
static bool can_pack(const struct placing *p, const struct accel_layer *layer)
{
	if (layer->kind == ACCEL_LAYER_CONV)
		return conv_layout_words(&layer->window) <= INT32_MAX / 8;
	if (layer->kind == ACCEL_LAYER_MAX_POOL)
		return p->tensors[layer->input].image.packed == p->tensors[layer->output].image.packed;
	if (layer->kind != ACCEL_LAYER_CONCAT)
		return layer->kind == ACCEL_LAYER_AVERAGE_POOL;
	/* all or none, and each begins with a word */
	for (unsigned int i = 0; i < layer->nparts; i++)
		if (!p->tensors[layer->parts[i]].image.packed || (i + 1 < layer->nparts && p->model->tensors[layer->parts[i]].dims[0] % 2))
			return false;
	return p->tensors[layer->output].image.packed;
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

/* Parts of a concatenation have its margins; so have inputs and outputs of a layer that are of one size, for then all places of a vector go to one place. */
static void choose_margins(struct placing *p)
{
	const struct accel_model *model = p->model;
	bool changed = true;

	for (unsigned int l = 0; l < model->nlayers; l++) {
		const struct accel_layer *layer = &model->layers[l];
		const struct margin m = needs(&layer->window);

		if (layer->kind == ACCEL_LAYER_CONV && layer->window.stride_y == 1 && layer->window.stride_x == 1)
			widen(&p->margins[layer->input], &m);
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

/* int16s of an item of the tensor alone. */
static size_t item_size(const struct placing *p, unsigned int t)
{
	const struct cpu_image *image = &p->tensors[t].image;

	return image->packed ? 2 * image->plane * cpu_packs(p->model->tensors[t].dims[0]) : p->model->tensors[t].count;
}

static int allocate(const struct placing *p, unsigned int t)
{
	struct cpu_tensor *tensor = &p->tensors[t];
	size_t behind = tensor->image.packed ? BEHIND * sizeof(uint32_t) : CPU_READ_BEHIND, bytes;

	tensor->item = item_size(p, t);
	if (__builtin_mul_overflow(tensor->item, p->batch * sizeof(*tensor->values), &bytes) || bytes > SIZE_MAX / 2)
		return -ENOMEM;
	tensor->values = cpu_weights_alloc(bytes + behind, 1);
	return tensor->values ? 0 : -ENOMEM;
}

/* Parts are placed when their whole is; items of plain ones follow each other, for callers. */
static int place_parts(const struct placing *p, const struct accel_layer *layer)
{
	struct cpu_tensor *whole = &p->tensors[layer->output];
	size_t at = 0;

	if (!whole->image.packed && p->batch > 1)
		return 0;
	if (!whole->values && allocate(p, layer->output))
		return -ENOMEM;
	for (unsigned int i = 0; i < layer->nparts; at += item_size(p, layer->parts[i++])) {
		struct cpu_tensor *part = &p->tensors[layer->parts[i]];

		/* one that lies elsewhere already, or comes twice, is copied */
		if (part->values)
			continue;
		part->values = whole->values + at;
		part->item = whole->item;
		part->inside = true;
	}
	return 0;
}

int cpu_tensors_new(const struct accel_model *model, unsigned int batch, bool pack, struct cpu_tensor *tensors)
{
	struct placing p = { model, batch, tensors, calloc(model->ntensors + (size_t)1, sizeof(*p.margins)) };
	int ret = p.margins ? 0 : -ENOMEM;

	if (!ret && pack) {
		choose_packed(&p);
		choose_margins(&p);
		for (unsigned int t = 0; t < model->ntensors; t++)
			if (tensors[t].image.packed)
				set_image(&p, t);
	}
	for (unsigned int l = model->nlayers; !ret && l-- > 0;)
		if (model->layers[l].kind == ACCEL_LAYER_CONCAT)
			ret = place_parts(&p, &model->layers[l]);
	for (unsigned int t = 0; !ret && t < model->ntensors; t++)
		if (!tensors[t].values)
			ret = allocate(&p, t);
	free(p.margins);
	return ret;
}

void cpu_tensors_free(const struct accel_model *model, struct cpu_tensor *tensors)
{
	for (unsigned int t = 0; tensors && t < model->ntensors; t++)
		if (!tensors[t].inside)
			free(tensors[t].values);
}
