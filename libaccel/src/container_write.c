// SPDX-License-Identifier: GPL-2.0 OR MIT
/* Writes .eie files: docs/eie_format.md. */
#include "container_derived.h"
#include "container_writer.h"
#include "crc32c.h"
#include "file.h"
#include "net.h"
#include "table.h"

#include <eie_hw.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PLACES_WORTH 1024u /* bytes of all layers together */

/* ---------------------------------------------------------------- nodes */

/* All integers are what a reader gets from the reals. */
static bool follows(const struct accel_model *model, const struct accel_layer *layer)
{
	for (unsigned int i = 0; i < layer->ncodes; i++)
		if (layer->codebook_q[i] != eie_derived_code(layer->codebook[i], layer->codebook_scale))
			return false;
	for (uint32_t r = 0; r < layer->rows; r++)
		if (layer->bias_q[r] != eie_derived_bias(layer->bias[r], model->tensors[layer->input].scale, layer->codebook_scale, accel_row_scale(layer, r)))
			return false;
	return true;
}

static bool requant_follows(const struct accel_model *model, const struct accel_layer *layer)
{
	for (uint32_t r = 0; r < layer->rows; r++) {
		uint16_t mult;
		uint8_t shift;

		if (eie_derived_requant(layer, model->tensors[layer->input].scale, model->tensors[layer->output].scale, r, &mult, &shift) ||
		    mult != layer->mult[r] || shift != layer->shift[r])
			return false;
	}
	return true;
}

/* What a layer with scales of rows need not have: integers of the codebook and the biases, factors and shifts. */
static uint64_t row_bytes(const struct accel_model *model, const struct accel_layer *layer)
{
	return accel_layer_weighted(layer) && layer->row_scale && follows(model, layer) && requant_follows(model, layer) ? 4 * layer->ncodes + 7 * (uint64_t)layer->rows : 0;
}

static void put_codebook(struct eie_writer *w, const struct accel_layer *layer, bool bare, bool derived, uint64_t *bytes)
{
	fdt32_t *cells;

	eie_put_codebook(w, layer->codebook, layer->ncodes, bytes);
	if (!bare)
		eie_put_float(w, "codebook-scale", layer->codebook_scale);
	if (derived)
		return;
	cells = eie_put_cells(w, "codebook-q", layer->ncodes);
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

/* The fields of struct accel_window in their order. */
static void put_window(struct eie_writer *w, const struct accel_window *window)
{
	const uint32_t fields[] = {
		window->channels, window->height, window->width, window->kernel_y, window->kernel_x, window->stride_y, window->stride_x,
		window->dilate_y, window->dilate_x, window->pad_top, window->pad_left, window->out_height, window->out_width,
		window->groups,
	};
	fdt32_t *cells = eie_put_cells(w, "window", sizeof(fields) / sizeof(fields[0]));

	for (size_t i = 0; cells && i < sizeof(fields) / sizeof(fields[0]); i++)
		cells[i] = cpu_to_fdt32(fields[i]);
}

static const char *const activations[] = {
	[ACCEL_ACT_NONE] = "none", [ACCEL_ACT_RELU] = "relu", [ACCEL_ACT_RELU6] = "relu6",
};

/* The table is what a reader gets from the function. */
static bool table_is_derived(const struct accel_model *model, const struct accel_layer *layer)
{
	int16_t table[EIE_TABLE_VALUES];
	struct accel_layer copy = *layer;

	if (layer->kind != ACCEL_LAYER_TABLE || !table_follows(layer->function.name))
		return false;
	copy.table = table;
	table_fill(&copy, &model->tensors[layer->input], &model->tensors[layer->output]);
	return !memcmp(table, layer->table, sizeof(table));
}

/* A small layer that reads what the one before it makes does not say so. */
static void put_input(struct eie_writer *w, const struct accel_model *model, const struct accel_layer *layer)
{
	if (layer == model->layers || layer[-1].output != layer->input || !eie_numbers_follow(w, model))
		eie_put_u32(w, "input", layer->input);
}

static void put_plain_layer(struct eie_writer *w, const struct accel_model *model, const struct accel_layer *layer, const bool *owned, struct eie_layer_bytes *bytes)
{
	bool bare = eie_numbers_follow(w, model);

	eie_put_string(w, "label", layer->name);
	eie_put_output(w, model, layer, owned);
	if (accel_layer_pools(layer)) {
		eie_put_string(w, "kind", layer->kind == ACCEL_LAYER_MAX_POOL ? "max-pool" : "average-pool");
		put_input(w, model, layer);
		if (layer->kind == ACCEL_LAYER_AVERAGE_POOL && !bare)
			eie_put_u32(w, "sum-shift", layer->sum_shift);
		put_window(w, &layer->window);
	} else if (layer->kind == ACCEL_LAYER_TABLE) {
		eie_put_string(w, "kind", "table");
		put_input(w, model, layer);
		eie_put_string(w, "function", layer->function.name);
		eie_put_pair(w, "parameters", eie_float_bits(layer->function.p), eie_float_bits(layer->function.q));
		eie_put_pair(w, "factor-offset", eie_float_bits(layer->function.factor), eie_float_bits(layer->function.offset));
		bytes->other = 0;
		/* properties come before nodes */
		if ((!w->tables && !bare) || !table_is_derived(model, layer)) {
			eie_put_blob(w, "table", layer->table, EIE_TABLE_VALUES * sizeof(*layer->table));
			bytes->other = EIE_TABLE_VALUES * sizeof(*layer->table);
		}
	} else {
		eie_put_string(w, "kind", layer->kind == ACCEL_LAYER_CONCAT ? "concat" : "multiply");
		eie_put_list(w, "inputs", layer->parts, layer->nparts);
	}
	if (layer->kind == ACCEL_LAYER_MULTIPLY) {
		eie_put_string(w, "activation", activations[layer->activation]);
		if (!bare) {
			eie_put_u32(w, "mult", layer->mult[0]);
			eie_put_u32(w, "shift", layer->shift[0]);
		}
	}
}

/* Bytes that are won at least when positions are counted among the places that there are: a bit a weight. */
static uint64_t places_won(const struct accel_layer *layer)
{
	uint32_t groups = accel_layer_weighted(layer) ? eie_groups_of(layer) : 1;

	return accel_layer_weighted(layer) && (groups > 1 || layer->nnz == (uint64_t)layer->rows * layer->cols) ? layer->nnz / 8 : 0;
}

static void put_layer(struct eie_writer *w, const struct accel_model *model, unsigned int index, const bool *owned, struct eie_layer_bytes *bytes)
{
	const struct accel_layer *layer = &model->layers[index];
	/* without its derived numbers, as all of its segment */
	bool bare = eie_numbers_follow(w, model);
	bool weighted = accel_layer_weighted(layer), once = same_requant(layer), rows = bare || (w->rows && row_bytes(model, layer));
	bool derived = weighted && !bare && !layer->row_scale && follows(model, layer);
	uint32_t groups = w->places && places_won(layer) ? eie_groups_of(layer) : 0;
	uint64_t derivable = derived ? 4 * (layer->ncodes + (uint64_t)layer->rows) : 0;
	char name[16];

	/* there are enough of them to leave them out */
	w->derivable += derivable;
	derived = derivable >= EIE_DERIVED_WORTH || (derived && w->derive_all) || rows;
	snprintf(name, sizeof(name), "l%u", index);
	eie_begin(w, name);
	if (!weighted) {
		put_plain_layer(w, model, layer, owned, bytes);
		eie_end(w);
		return;
	}
	eie_put_string(w, "label", layer->name);
	eie_put_string(w, "kind", layer->kind == ACCEL_LAYER_CONV ? "conv" : "fc");
	eie_put_string(w, "activation", activations[layer->activation]);
	put_input(w, model, layer);
	eie_put_output(w, model, layer, owned);
	eie_put_pair(w, "shape", layer->rows, layer->cols);
	if (layer->kind == ACCEL_LAYER_CONV)
		put_window(w, &layer->window);
	if (layer->weight_groups)
		eie_put_u32(w, "weight-groups", layer->weight_groups);
	/* all places are taken: as many as there are */
	if (!bare || !groups || layer->nnz != (uint64_t)layer->rows * (layer->cols / groups))
		eie_put_u32(w, "nnz", (uint32_t)layer->nnz);
	eie_put_u32(w, "code-bits", layer->code_bits);
	bytes->other = 0;
	put_codebook(w, layer, bare, derived, &bytes->other);
	if (once && !rows) {
		eie_put_u32(w, "mult", layer->mult[0]);
		eie_put_u32(w, "shift", layer->shift[0]);
	}
	if (layer->row_scale && w->pool)
		eie_put(w, "row-scaled", "", 0);
	if (groups)
		eie_put_u32(w, "places", groups);
	/* properties come before nodes */
	bytes->codes = eie_put_codes(w, layer->code, layer->nnz, layer->code_bits, layer->codebook, layer->ncodes, 0);
	bytes->index = groups ? eie_put_places(w, layer, groups) : eie_put_index(w, layer->rowptr, layer->col, layer->rows, layer->cols);
	if (!eie_put_reals(w, REALS_BIASES, layer->bias, layer->rows, &bytes->other))
		eie_put_blob(w, "bias", layer->bias, layer->rows * sizeof(*layer->bias));
	if (!derived) {
		eie_put_blob(w, "bias-q", layer->bias_q, layer->rows * sizeof(*layer->bias_q));
		bytes->other += layer->ncodes * (uint64_t)4 + layer->rows * (uint64_t)4;
	}
	w->derived = w->derived || (derived && !bare);
	if (!once && !rows) {
		eie_put_blob(w, "mult", layer->mult, layer->rows * sizeof(*layer->mult));
		eie_put_blob(w, "shift", layer->shift, layer->rows * sizeof(*layer->shift));
		bytes->other += layer->rows * (uint64_t)3;
	}
	if (layer->row_scale && !eie_put_reals(w, REALS_ROW_SCALES, layer->row_scale, layer->rows, &bytes->other))
		eie_put_blob(w, "row-scale", layer->row_scale, layer->rows * sizeof(*layer->row_scale));
	eie_end(w);
}

static size_t classes_bytes(const struct accel_model *model)
{
	size_t bytes = 0;

	for (unsigned int i = 0; i < model->nclasses; i++)
		bytes += strlen(model->classes[i]) + 1;
	return bytes;
}

static void put_classes(struct eie_writer *w, const struct accel_model *model)
{
	void *space = NULL;
	char *p;

	if (!model->nclasses)
		return;
	eie_note(w, fdt_property_placeholder(w->fdt, "classes", (int)classes_bytes(model), &space));
	p = w->fdt_error ? NULL : space;
	for (unsigned int i = 0; p && i < model->nclasses; i++)
		p = stpcpy(p, model->classes[i]) + 1;
}

void eie_put_layers(struct eie_writer *w, const struct accel_model *model, struct eie_layer_bytes *bytes)
{
	bool *owned = eie_find_owned(w, model);

	if (!owned)
		return;
	eie_put_list(w, "inputs", model->inputs, model->ninputs);
	eie_put_list(w, "outputs", model->outputs, model->noutputs);
	eie_put_numbers(w, model);
	eie_put_tensors(w, model, owned);
	eie_begin(w, "layers");
	for (unsigned int i = 0; i < model->nlayers; i++)
		put_layer(w, model, i, owned, &bytes[i]);
	eie_end(w);
	free(owned);
}

/* Sum over the layers, those of a network's segments, too; but: not of segments whose numbers are left out anyway. */
static uint64_t sum_layers(const struct eie_writer *but, const struct accel_model *model, uint64_t (*of)(const struct accel_model *model, const struct accel_layer *layer))
{
	uint64_t sum = 0;

	for (unsigned int i = 0; i < model->nlayers && !(but && eie_numbers_follow(but, model)); i++)
		sum += of(model, &model->layers[i]);
	for (unsigned int n = 0; model->net && n < model->net->nnodes; n++)
		if (!model->net->nodes[n].op)
			sum += sum_layers(but, model->net->nodes[n].segment, of);
	return sum;
}

static uint64_t has_row_scale(const struct accel_model *model, const struct accel_layer *layer)
{
	(void)model;
	return layer->row_scale != NULL;
}

static uint64_t table_bytes(const struct accel_model *model, const struct accel_layer *layer)
{
	return table_is_derived(model, layer) ? EIE_TABLE_VALUES * sizeof(*layer->table) : 0;
}

static uint64_t place_bytes(const struct accel_model *model, const struct accel_layer *layer)
{
	(void)model;
	return places_won(layer);
}

static void put_features(struct eie_writer *w, const struct accel_model *model)
{
	char list[128];
	size_t len = 0;

	if (model->net)
		len += (size_t)sprintf(list + len, "%s", EIE_FEATURE_NETWORK) + 1;
	if (model->net && eie_has_coded(model->net))
		len += (size_t)sprintf(list + len, "%s", EIE_FEATURE_CODES) + 1;
	if (model->has_preprocess)
		len += (size_t)sprintf(list + len, "%s", EIE_FEATURE_PREPROCESS) + 1;
	if (model->net && eie_has_ends(model->net))
		len += (size_t)sprintf(list + len, "%s", EIE_FEATURE_ENDS) + 1;
	if (sum_layers(NULL, model, has_row_scale))
		len += (size_t)sprintf(list + len, "%s", EIE_FEATURE_ROW_SCALES) + 1;
	if (w->name_entropy)
		len += (size_t)sprintf(list + len, "%s", EIE_FEATURE_ENTROPY) + 1;
	if (w->pool)
		len += (size_t)sprintf(list + len, "%s", EIE_FEATURE_REALS) + 1;
	if (w->apart)
		len += (size_t)sprintf(list + len, "%s", EIE_FEATURE_KINDS) + 1;
	if (w->name_derived)
		len += (size_t)sprintf(list + len, "%s", EIE_FEATURE_DERIVED) + 1;
	if (w->rows)
		len += (size_t)sprintf(list + len, "%s", EIE_FEATURE_ROWS) + 1;
	if (w->tables)
		len += (size_t)sprintf(list + len, "%s", EIE_FEATURE_TABLES) + 1;
	if (w->places)
		len += (size_t)sprintf(list + len, "%s", EIE_FEATURE_PLACES) + 1;
	if (w->nnumbers)
		len += (size_t)sprintf(list + len, "%s", EIE_FEATURE_NUMBERS) + 1;
	if (len)
		eie_put(w, "must-understand", list, len);
}

/* data-size is not known before the blobs are: its value is set at the end, like the checksum. */
static void put_tree(struct eie_writer *w, const struct accel_model *model, struct eie_layer_bytes *bytes)
{
	eie_note(w, fdt_finish_reservemap(w->fdt));
	eie_begin(w, "");
	eie_put_string(w, "compatible", EIE_COMPATIBLE);
	put_features(w, model);
	eie_put_u32(w, EIE_HEADER_CRC, 0);
	eie_put_u64(w, "data-size", 0);
	eie_put_float(w, "picture-scale", model->picture_scale);
	put_classes(w, model);
	if (model->net)
		eie_put_network(w, model->net);
	else
		eie_put_layers(w, model, bytes);
	/* properties come before nodes */
	if (model->has_preprocess)
		eie_put_preprocess(w, &model->preprocess);
	if (w->pool)
		eie_put_pool(w);
	eie_end(w);
	eie_note(w, fdt_finish(w->fdt));
	if (w->fdt_error)
		return;
	eie_note(w, fdt_setprop_inplace_u64(w->fdt, 0, "data-size", w->used));
	if (!w->fdt_error)
		eie_note(w, fdt_setprop_inplace_u32(w->fdt, 0, EIE_HEADER_CRC,
						accel_crc32c(0, w->fdt, fdt_totalsize(w->fdt))));
}

/* Names are limited, the rest is counted generously. */
size_t eie_layers_room(const struct accel_model *model)
{
	size_t room = 4 * ((size_t)model->ninputs + model->noutputs) + model->ntensors * (size_t)640;

	for (unsigned int i = 0; i < model->nlayers; i++)
		room += 2048 + 8 * (size_t)model->layers[i].ncodes + 4 * (size_t)model->layers[i].nparts;
	return room;
}

static size_t tree_room(const struct accel_model *model)
{
	return 4096 + classes_bytes(model) + (model->net ? eie_network_room(model->net) : eie_layers_room(model));
}

int eie_encode(const struct accel_model *model, void **data, size_t *size, struct eie_layer_bytes *bytes,
	       struct accel_error *err)
{
	struct eie_layer_bytes *mine = bytes ? bytes : calloc(model->nlayers + (size_t)1, sizeof(*mine));
	size_t room = tree_room(model), tree, start;
	struct eie_writer w = { .fdt = malloc(room), .entropy = true, .derived = true };
	uint8_t *file = NULL;
	int ret = 0;

	w.no_memory = !w.fdt || !mine || room > INT32_MAX;
	/* small models stay readable for older releases */
	if (!w.no_memory)
		eie_find_numbers(&w, model);
	w.rows = sum_layers(&w, model, row_bytes) >= EIE_DERIVED_MANY;
	w.tables = sum_layers(&w, model, table_bytes) >= EIE_DERIVED_MANY;
	w.places = sum_layers(NULL, model, place_bytes) >= PLACES_WORTH;
	/* only when all is written is it known what must be understood, which stands at the beginning */
	for (bool again = !w.no_memory; again && !w.no_memory && !w.fdt_error;) {
		w.name_entropy = w.entropy;
		w.name_derived = w.derived;
		w.entropy = w.derived = false;
		w.used = w.derivable = w.blobs = 0;
		eie_reals_again(&w);
		eie_note(&w, fdt_create(w.fdt, (int)room));
		put_tree(&w, model, mine);
		again = w.entropy != w.name_entropy || w.derived != w.name_derived;
		if (!w.derive_all && w.derivable >= EIE_DERIVED_MANY)
			w.derive_all = again = true;
		if (!w.pool && !w.no_memory && eie_reals_pay(&w))
			w.pool = again = true;
		if (!again && !w.stream && !w.no_memory && !w.fdt_error)
			w.stream = again = eie_stream_pays(&w);
	}
	if (!w.fdt_error && !w.no_memory)
		eie_pack(&w);
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
	free(w.numbers);
	eie_reals_free(&w);
	if (!bytes)
		free(mine);
	return ret;
}

int accel_model_save(const struct accel_model *model, const char *path, struct accel_error *err)
{
	struct eie_layer_bytes *bytes = calloc(model->nlayers + (size_t)1, sizeof(*bytes));
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
