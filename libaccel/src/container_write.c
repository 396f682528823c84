// SPDX-License-Identifier: GPL-2.0 OR MIT
/* Writes .eie files: docs/eie_format.md. */
#include "container.h"
#include "crc32c.h"
#include "file.h"
#include "rice.h"

#include <errno.h>
#include <libfdt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The first failure of libfdt or malloc sticks; all later calls do nothing. */
struct writer {
	void *fdt;
	int fdt_error;
	bool no_memory;
	uint8_t *data;        /* blobs */
	size_t used, room;
};

/* ---------------------------------------------------------------- properties */

static void note(struct writer *w, int ret)
{
	if (!w->fdt_error && ret)
		w->fdt_error = ret;
}

static void begin(struct writer *w, const char *name)
{
	note(w, fdt_begin_node(w->fdt, name));
}

static void end(struct writer *w)
{
	note(w, fdt_end_node(w->fdt));
}

static void put(struct writer *w, const char *name, const void *value, size_t len)
{
	note(w, fdt_property(w->fdt, name, value, (int)len));
}

static void put_u32(struct writer *w, const char *name, uint32_t value)
{
	note(w, fdt_property_u32(w->fdt, name, value));
}

static void put_u64(struct writer *w, const char *name, uint64_t value)
{
	note(w, fdt_property_u64(w->fdt, name, value));
}

static void put_string(struct writer *w, const char *name, const char *value)
{
	put(w, name, value, strlen(value) + 1);
}

static uint32_t float_bits(float f)
{
	uint32_t bits;

	memcpy(&bits, &f, sizeof(bits));
	return bits;
}

static void put_float(struct writer *w, const char *name, float value)
{
	put_u32(w, name, float_bits(value));
}

static void put_pair(struct writer *w, const char *name, uint32_t a, uint32_t b)
{
	fdt32_t cells[2] = { cpu_to_fdt32(a), cpu_to_fdt32(b) };

	put(w, name, cells, sizeof(cells));
}

/* Room for n cells that the caller fills; NULL after a failure. */
static fdt32_t *put_cells(struct writer *w, const char *name, size_t n)
{
	void *cells = NULL;

	note(w, fdt_property_placeholder(w->fdt, name, (int)(n * sizeof(fdt32_t)), &cells));
	return w->fdt_error ? NULL : cells;
}

/* ---------------------------------------------------------------- blobs */

/* size zero bytes (0 is fine) at the next aligned place; NULL after a failure. Valid until the next call. */
static uint8_t *blob_alloc(struct writer *w, size_t size)
{
	size_t start = (w->used + EIE_BLOB_ALIGN - 1) / EIE_BLOB_ALIGN * EIE_BLOB_ALIGN;

	if (w->no_memory)
		return NULL;
	if (start + size >= w->room) {
		size_t room = 2 * (start + size) + 4096;
		uint8_t *bigger = realloc(w->data, room);

		if (!bigger) {
			w->no_memory = true;
			return NULL;
		}
		w->data = bigger;
		w->room = room;
	}
	memset(w->data + w->used, 0, start + size - w->used);
	w->used = start + size;
	return w->data + start;
}

/* The node of a blob that blob_alloc has just made and the caller has filled. */
static void blob_node(struct writer *w, const char *name, const uint8_t *blob, size_t size)
{
	begin(w, name);
	if (blob) {
		put_u64(w, "offset", (uint64_t)(blob - w->data));
		put_u64(w, "size", size);
		put_u32(w, "crc32c", accel_crc32c(0, blob, size));
	}
}

static void put_blob(struct writer *w, const char *name, const void *data, size_t size)
{
	uint8_t *blob = blob_alloc(w, size);

	if (blob && size)
		memcpy(blob, data, size);
	blob_node(w, name, blob, size);
	end(w);
}

static uint64_t put_codes(struct writer *w, const struct accel_layer *layer)
{
	size_t size = layer->code_bits == 4 ? layer->nnz / 2 + layer->nnz % 2 : layer->nnz;
	uint8_t *blob = blob_alloc(w, size);

	for (uint64_t i = 0; blob && i < layer->nnz; i++) {
		if (layer->code_bits == 8)
			blob[i] = layer->code[i];
		else
			blob[i / 2] |= (uint8_t)(layer->code[i] << 4 * (i % 2));
	}
	blob_node(w, "codes", blob, size);
	end(w);
	return size;
}

static uint64_t put_index(struct writer *w, const struct accel_layer *layer)
{
	uint64_t bits;
	unsigned int k = rice_best(layer->rowptr, layer->col, layer->rows, layer->cols, &bits);
	size_t size = (bits + 7) / 8;
	uint8_t *blob = blob_alloc(w, size);

	if (blob)
		rice_encode(layer->rowptr, layer->col, layer->rows, layer->cols, k, blob);
	blob_node(w, "index", blob, size);
	put_string(w, "coding", "rice");
	put_u32(w, "rice-bits", k);
	end(w);
	return size;
}

/* ---------------------------------------------------------------- nodes */

static void put_tensor(struct writer *w, const struct accel_tensor *t, unsigned int index)
{
	char name[16];
	fdt32_t *dims;

	snprintf(name, sizeof(name), "t%u", index);
	begin(w, name);
	put_string(w, "label", t->name);
	dims = put_cells(w, "dims", t->ndim);
	for (unsigned int i = 0; dims && i < t->ndim; i++)
		dims[i] = cpu_to_fdt32(t->dims[i]);
	put_pair(w, "range", float_bits(t->range_lo), float_bits(t->range_hi));
	if (t->calibrated)
		put(w, "calibrated", "", 0);
	put_float(w, "scale", t->scale);
	put_pair(w, "clamp", (uint32_t)(int32_t)t->lo, (uint32_t)(int32_t)t->hi);
	end(w);
}

static void put_codebook(struct writer *w, const struct accel_layer *layer)
{
	fdt32_t *cells = put_cells(w, "codebook", layer->ncodes);

	for (unsigned int i = 0; cells && i < layer->ncodes; i++)
		cells[i] = cpu_to_fdt32(float_bits(layer->codebook[i]));
	put_float(w, "codebook-scale", layer->codebook_scale);
	cells = put_cells(w, "codebook-q", layer->ncodes);
	for (unsigned int i = 0; cells && i < layer->ncodes; i++)
		cells[i] = cpu_to_fdt32((uint32_t)(int32_t)layer->codebook_q[i]);
}

static bool same_requant(const struct accel_layer *layer)
{
	for (uint32_t r = 1; r < layer->rows; r++)
		if (layer->mult[r] != layer->mult[0] || layer->shift[r] != layer->shift[0])
			return false;
	return true;
}

static void put_layer(struct writer *w, const struct accel_layer *layer, unsigned int index, struct eie_layer_bytes *bytes)
{
	static const char *const activations[] = {
		[ACCEL_ACT_NONE] = "none", [ACCEL_ACT_RELU] = "relu", [ACCEL_ACT_RELU6] = "relu6",
	};
	bool once = same_requant(layer);
	char name[16];

	snprintf(name, sizeof(name), "l%u", index);
	begin(w, name);
	put_string(w, "label", layer->name);
	put_string(w, "kind", "fc");
	put_string(w, "activation", activations[layer->activation]);
	put_u32(w, "input", layer->input);
	put_u32(w, "output", layer->output);
	put_pair(w, "shape", layer->rows, layer->cols);
	put_u32(w, "nnz", (uint32_t)layer->nnz);
	put_u32(w, "code-bits", layer->code_bits);
	put_codebook(w, layer);
	if (once) {
		put_u32(w, "mult", layer->mult[0]);
		put_u32(w, "shift", layer->shift[0]);
	}
	/* properties come before nodes */
	bytes->codes = put_codes(w, layer);
	bytes->index = put_index(w, layer);
	put_blob(w, "bias", layer->bias, layer->rows * sizeof(*layer->bias));
	put_blob(w, "bias-q", layer->bias_q, layer->rows * sizeof(*layer->bias_q));
	bytes->other = layer->ncodes * (uint64_t)8 + layer->rows * (uint64_t)8;
	if (!once) {
		put_blob(w, "mult", layer->mult, layer->rows * sizeof(*layer->mult));
		put_blob(w, "shift", layer->shift, layer->rows * sizeof(*layer->shift));
		bytes->other += layer->rows * (uint64_t)3;
	}
	end(w);
}

static void put_list(struct writer *w, const char *name, const unsigned int *list, unsigned int n)
{
	fdt32_t *cells = put_cells(w, name, n);

	for (unsigned int i = 0; cells && i < n; i++)
		cells[i] = cpu_to_fdt32(list[i]);
}

static size_t classes_bytes(const struct accel_model *model)
{
	size_t bytes = 0;

	for (unsigned int i = 0; i < model->nclasses; i++)
		bytes += strlen(model->classes[i]) + 1;
	return bytes;
}

static void put_classes(struct writer *w, const struct accel_model *model)
{
	void *space = NULL;
	char *p;

	if (!model->nclasses)
		return;
	note(w, fdt_property_placeholder(w->fdt, "classes", (int)classes_bytes(model), &space));
	p = w->fdt_error ? NULL : space;
	for (unsigned int i = 0; p && i < model->nclasses; i++)
		p = stpcpy(p, model->classes[i]) + 1;
}

/* data-size is not known before the blobs are: its value is set at the end, like the checksum. */
static void put_tree(struct writer *w, const struct accel_model *model, struct eie_layer_bytes *bytes)
{
	note(w, fdt_finish_reservemap(w->fdt));
	begin(w, "");
	put_string(w, "compatible", EIE_COMPATIBLE);
	put_u32(w, EIE_HEADER_CRC, 0);
	put_u64(w, "data-size", 0);
	put_float(w, "picture-scale", model->picture_scale);
	put_list(w, "inputs", model->inputs, model->ninputs);
	put_list(w, "outputs", model->outputs, model->noutputs);
	put_classes(w, model);
	begin(w, "tensors");
	for (unsigned int i = 0; i < model->ntensors; i++)
		put_tensor(w, &model->tensors[i], i);
	end(w);
	begin(w, "layers");
	for (unsigned int i = 0; i < model->nlayers; i++)
		put_layer(w, &model->layers[i], i, &bytes[i]);
	end(w);
	end(w);
	note(w, fdt_finish(w->fdt));
	if (w->fdt_error)
		return;
	note(w, fdt_setprop_inplace_u64(w->fdt, 0, "data-size", w->used));
	if (!w->fdt_error)
		note(w, fdt_setprop_inplace_u32(w->fdt, 0, EIE_HEADER_CRC,
						accel_crc32c(0, w->fdt, fdt_totalsize(w->fdt))));
}

/* More than the tree can take: names are limited, the rest is counted generously. */
static size_t tree_room(const struct accel_model *model)
{
	size_t room = 4096 + classes_bytes(model) + 4 * ((size_t)model->ninputs + model->noutputs);

	room += model->ntensors * (size_t)640;
	for (unsigned int i = 0; i < model->nlayers; i++)
		room += 2048 + 8 * (size_t)model->layers[i].ncodes;
	return room;
}

int eie_encode(const struct accel_model *model, void **data, size_t *size, struct eie_layer_bytes *bytes,
	       struct accel_error *err)
{
	struct eie_layer_bytes *mine = bytes ? bytes : calloc(model->nlayers, sizeof(*mine));
	size_t room = tree_room(model), tree, start;
	struct writer w = { .fdt = malloc(room) };
	uint8_t *file = NULL;
	int ret = 0;

	w.no_memory = !w.fdt || !mine || room > INT32_MAX;
	if (!w.no_memory) {
		note(&w, fdt_create(w.fdt, (int)room));
		put_tree(&w, model, mine);
	}
	if (w.fdt_error) {
		ret = accel_fail(err, -EOVERFLOW, NULL, "the description of the model does not fit a device tree: %s",
				 fdt_strerror(w.fdt_error));
	} else if (!w.no_memory) {
		tree = fdt_totalsize(w.fdt);
		start = (tree + EIE_DATA_ALIGN - 1) / EIE_DATA_ALIGN * EIE_DATA_ALIGN;
		file = calloc(1, start + w.used);
		if (file) {
			memcpy(file, w.fdt, tree);
			if (w.used)
				memcpy(file + start, w.data, w.used);
			*data = file;
			*size = start + w.used;
		}
	}
	if (!ret && !file)
		ret = accel_fail(err, -ENOMEM, NULL, "no memory for the file's %zu bytes", room + w.used);
	free(w.fdt);
	free(w.data);
	if (!bytes)
		free(mine);
	return ret;
}

int accel_model_save(const struct accel_model *model, const char *path, struct accel_error *err)
{
	struct eie_layer_bytes *bytes = calloc(model->nlayers, sizeof(*bytes));
	/* the sizes last saved are the one thing of a model that changes: only their getters, also atomic, see them */
	struct accel_model *m = (struct accel_model *)model;
	void *data;
	size_t size;
	int ret;

	if (!bytes)
		return accel_fail(err, -ENOMEM, NULL, "%s: no memory", path);
	ret = eie_encode(model, &data, &size, bytes, err);
	if (!ret) {
		ret = accel_file_write(path, data, size, err);
		free(data);
	}
	for (unsigned int i = 0; !ret && i < model->nlayers; i++) {
		__atomic_store_n(&m->layers[i].file_bytes_codes, bytes[i].codes, __ATOMIC_RELAXED);
		__atomic_store_n(&m->layers[i].file_bytes_index, bytes[i].index, __ATOMIC_RELAXED);
		__atomic_store_n(&m->layers[i].file_bytes_other, bytes[i].other, __ATOMIC_RELAXED);
	}
	if (!ret)
		__atomic_store_n(&m->file_bytes, (uint64_t)size, __ATOMIC_RELAXED);
	free(bytes);
	return ret;
}
