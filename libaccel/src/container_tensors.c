// SPDX-License-Identifier: GPL-2.0 OR MIT
/* Tensors of .eie files: nodes of their own; or, in segments without derived numbers, what is left of them in the layers that make them. docs/eie_format.md, "Tensors" and "Numbers that follow". */
#include "container_reader.h"
#include "container_writer.h"
#include "graph.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* count from the dimensions; false: more than 64 bits hold. */
static bool set_count(struct accel_tensor *t)
{
	t->count = 1;
	for (unsigned int i = 0; i < t->ndim; i++)
		if (__builtin_mul_overflow(t->count, (uint64_t)t->dims[i], &t->count))
			return false;
	return true;
}

static bool shape_concat(const struct accel_model *model, const struct accel_layer *layer, struct accel_tensor *t)
{
	uint64_t channels = 0;

	for (unsigned int i = 0; i < layer->nparts; i++) {
		const struct accel_tensor *part = &model->tensors[layer->parts[i]];

		if (part->ndim != 3)
			return false;
		channels += part->dims[0];
	}
	memcpy(t->dims, model->tensors[layer->parts[0]].dims, sizeof(t->dims));
	t->dims[0] = channels > ACCEL_MAX_DIM ? 0 : (uint32_t)channels;
	return true;
}

/* The shape that a layer's output has if nothing says otherwise. False: its inputs have none. */
static bool shape_output(const struct accel_model *model, const struct accel_layer *layer, struct accel_tensor *t)
{
	const struct accel_window *w = &layer->window;
	const unsigned int *inputs;
	unsigned int n = accel_layer_inputs(layer, &inputs);

	for (unsigned int i = 0; i < n; i++)
		if (inputs[i] >= model->ntensors || !model->tensors[inputs[i]].ndim)
			return false;
	memset(t->dims, 0, sizeof(t->dims));
	if (layer->kind == ACCEL_LAYER_FC) {
		t->ndim = 1;
		t->dims[0] = layer->rows;
	} else if (layer->kind == ACCEL_LAYER_CONV || accel_layer_pools(layer)) {
		t->ndim = 3;
		memcpy(t->dims, (uint32_t[]){ layer->kind == ACCEL_LAYER_CONV ? layer->rows : w->channels, w->out_height, w->out_width }, 3 * sizeof(*t->dims));
	} else if (layer->kind == ACCEL_LAYER_CONCAT) {
		t->ndim = 3;
		if (!shape_concat(model, layer, t))
			return false;
	} else {
		t->ndim = model->tensors[inputs[0]].ndim;
		memcpy(t->dims, model->tensors[inputs[0]].dims, sizeof(t->dims));
	}
	return set_count(t);
}

/* ---------------------------------------------------------------- writing */

static void put_range(struct eie_writer *w, const struct accel_tensor *t)
{
	eie_put_pair(w, "range", eie_float_bits(t->range_lo), eie_float_bits(t->range_hi));
	if (t->calibrated)
		eie_put(w, "calibrated", "", 0);
}

static void put_tensor(struct eie_writer *w, const struct accel_tensor *t, unsigned int index, bool bare)
{
	char name[16];
	fdt32_t *dims;

	snprintf(name, sizeof(name), "t%u", index);
	eie_begin(w, name);
	eie_put_string(w, "label", t->name);
	dims = eie_put_cells(w, "dims", t->ndim);
	for (unsigned int i = 0; dims && i < t->ndim; i++)
		dims[i] = cpu_to_fdt32(t->dims[i]);
	put_range(w, t);
	if (!bare) {
		eie_put_float(w, "scale", t->scale);
		eie_put_pair(w, "clamp", (uint32_t)(int32_t)t->lo, (uint32_t)(int32_t)t->hi);
	}
	eie_end(w);
}

bool *eie_find_owned(struct eie_writer *w, const struct accel_model *model)
{
	bool *owned = calloc(model->ntensors + (size_t)1, sizeof(*owned));
	unsigned int next = 0;

	w->no_memory = w->no_memory || !owned;
	for (unsigned int i = 0; owned && eie_numbers_follow(w, model) && i < model->nlayers; i++) {
		const struct accel_layer *layer = &model->layers[i];
		const struct accel_tensor *t = &model->tensors[layer->output];
		struct accel_tensor shape;

		/* numbers go up with the layers: else a reader would not know which is which */
		if (layer->output < next || strcmp(layer->name, t->name) || !shape_output(model, layer, &shape) || shape.ndim != t->ndim ||
		    memcmp(shape.dims, t->dims, t->ndim * sizeof(*t->dims)))
			continue;
		owned[layer->output] = true;
		next = layer->output + 1;
	}
	return owned;
}

void eie_put_tensors(struct eie_writer *w, const struct accel_model *model, const bool *owned)
{
	eie_begin(w, "tensors");
	for (unsigned int i = 0; i < model->ntensors; i++)
		if (!owned[i])
			put_tensor(w, &model->tensors[i], i, eie_numbers_follow(w, model));
	eie_end(w);
}

void eie_put_output(struct eie_writer *w, const struct accel_model *model, const struct accel_layer *layer, const bool *owned)
{
	if (owned[layer->output])
		put_range(w, &model->tensors[layer->output]);
	else
		eie_put_u32(w, "output", layer->output);
}

/* ---------------------------------------------------------------- reading */

static int read_range(struct eie_reader *r, int node, struct accel_tensor *t)
{
	const void *empty;
	uint32_t lo, hi;
	int ret = eie_get_pair(r, node, "range", &lo, &hi);

	if (ret)
		return ret;
	t->range_lo = eie_float_from_bits(lo);
	t->range_hi = eie_float_from_bits(hi);
	t->calibrated = fdt_getprop(r->fdt, node, "calibrated", NULL);
	return t->calibrated ? eie_get_bytes(r, node, "calibrated", 0, &empty) : 0;
}

static int read_tensor(struct eie_reader *r, int node, struct accel_tensor *t)
{
	const fdt32_t *dims;
	uint32_t a, b;
	int ret = eie_read_label(r, node, &t->name);

	if (!ret)
		ret = eie_get_cells(r, node, "dims", 1, ACCEL_MAX_DIMS, &dims, &t->ndim);
	if (ret)
		return ret;
	for (unsigned int i = 0; i < t->ndim; i++)
		t->dims[i] = fdt32_ld(dims + i);
	if (!set_count(t))
		return BAD(r, "property 'dims': too many values");
	ret = read_range(r, node, t);
	if (ret || r->bare)
		return ret;
	ret = eie_get_float(r, node, "scale", &t->scale);
	if (!ret)
		ret = eie_get_pair(r, node, "clamp", &a, &b);
	if (!ret)
		ret = eie_get_s16(r, "clamp", a, &t->lo);
	return ret ? ret : eie_get_s16(r, "clamp", b, &t->hi);
}

bool eie_owns_output(const struct eie_reader *r, int layer)
{
	return r->bare && !fdt_getprop(r->fdt, layer, "output", NULL);
}

/* Children of `tensors` and layers that make others; a sum above the limit is all the same. */
static unsigned int count_tensors(struct eie_reader *r, int base, int tensors)
{
	int layers = fdt_subnode_offset(r->fdt, base, "layers"), child;
	unsigned int n = 0;

	fdt_for_each_subnode(child, r->fdt, tensors)
		n += n <= ACCEL_MAX_NODES;
	if (layers >= 0)
		fdt_for_each_subnode(child, r->fdt, layers)
			n += n <= ACCEL_MAX_NODES && eie_owns_output(r, child);
	return n;
}

/* With gaps for what layers make. */
static int number_of(struct eie_reader *r, int child, unsigned int least, unsigned int *number)
{
	const char *name = fdt_get_name(r->fdt, child, NULL);
	unsigned long n;
	char *end;

	if (!name || name[0] != 't' || !(name[1] >= '0' && name[1] <= '9'))
		return BAD(r, "node 'tensors': child '%s' where a tensor should be", name ? name : "");
	n = strtoul(name + 1, &end, 10);
	if (*end || n < least || n >= ACCEL_MAX_NODES)
		return BAD(r, "node 'tensors': child '%s' where 't%u' or a later one should be", name, least);
	*number = (unsigned int)n;
	return 0;
}

int eie_read_tensors(struct eie_reader *r, int base, struct accel_model *model)
{
	int parent, child;
	int count = eie_count_children(r, base, "tensors", r->bare ? 0 : 't', &parent);
	unsigned int next = 0, total;

	if (count < 0)
		return count;
	total = count_tensors(r, base, parent);
	if (total > ACCEL_MAX_NODES)
		return BAD(r, "more than %u tensors", ACCEL_MAX_NODES);
	model->tensors = calloc((size_t)total + 1, sizeof(*model->tensors));
	if (!model->tensors)
		return eie_no_memory(r);
	/* what they own is freed with the model */
	model->ntensors = total;
	r->next_tensor = 0;
	fdt_for_each_subnode(child, r->fdt, parent) {
		unsigned int number = 0;
		int ret;

		r->where = NULL;
		ret = number_of(r, child, next, &number);
		if (!ret && number >= total)
			ret = BAD(r, "node 'tensors': child 't%u'; there are %u tensors", number, total);
		ret = ret ? ret : read_tensor(r, child, &model->tensors[number]);
		if (ret)
			return ret;
		next = number + 1;
	}
	return 0;
}

int eie_read_output(struct eie_reader *r, int node, struct accel_model *model, struct accel_layer *layer)
{
	struct accel_tensor *t;

	/* the lowest that is not there yet: as many as layers like this one */
	while (r->next_tensor < model->ntensors && model->tensors[r->next_tensor].ndim)
		r->next_tensor++;
	if (r->next_tensor >= model->ntensors)
		return BAD(r, "no tensor is left for its output");
	layer->output = r->next_tensor;
	t = &model->tensors[layer->output];
	if (!shape_output(model, layer, t))
		return BAD(r, "no shape follows for its output");
	t->name = strdup(layer->name);
	return t->name ? read_range(r, node, t) : eie_no_memory(r);
}
