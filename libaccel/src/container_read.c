// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Reads .eie files: docs/eie_format.md. Files come from anywhere: every size is compared with the size of the file before memory
 * is taken or anything read, and accel_model_check has the last word.
 */
#include "container_derived.h"
#include "container_reader.h"
#include "crc32c.h"
#include "fdtcheck.h"
#include "file.h"
#include "graph.h"
#include "netmodel.h"
#include "pool.h"
#include "table.h"

#include <eie_hw.h>
#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

/* ---------------------------------------------------------------- nodes */

static int read_codebook(struct eie_reader *r, int node, struct accel_layer *layer)
{
	const fdt32_t *cells;
	unsigned int n;
	int ret = eie_get_codebook(r, node, 256, &layer->codebook, &layer->ncodes, &layer->file_bytes_other);

	if (ret)
		return ret;
	if (r->bare)
		return 0;
	layer->codebook_q = malloc(layer->ncodes * sizeof(*layer->codebook_q));
	if (!layer->codebook_q)
		return eie_no_memory(r);
	ret = eie_get_float(r, node, "codebook-scale", &layer->codebook_scale);
	if (r->derived && !fdt_getprop(r->fdt, node, "codebook-q", NULL)) {
		for (unsigned int i = 0; i < layer->ncodes; i++)
			layer->codebook_q[i] = eie_derived_code(layer->codebook[i], layer->codebook_scale);
		return ret;
	}
	ret = ret ? ret : eie_get_cells(r, node, "codebook-q", layer->ncodes, layer->ncodes, &cells, &n);
	for (unsigned int i = 0; !ret && i < layer->ncodes; i++)
		ret = eie_get_s16(r, "codebook-q", fdt32_ld(cells + i), &layer->codebook_q[i]);
	layer->file_bytes_other += layer->ncodes * (uint64_t)4;
	return ret;
}

static int read_bias_q(struct eie_reader *r, int node, const struct accel_model *model, struct accel_layer *layer)
{
	void *values;
	int ret;

	if ((layer->row_scale ? r->rows : r->derived) && fdt_subnode_offset(r->fdt, node, "bias-q") < 0) {
		if (layer->input >= model->ntensors)
			return BAD(r, "input %u; there are %u tensors", layer->input, model->ntensors);
		layer->bias_q = malloc(layer->rows * sizeof(*layer->bias_q));
		if (!layer->bias_q)
			return eie_no_memory(r);
		for (uint32_t i = 0; i < layer->rows; i++)
			layer->bias_q[i] = eie_derived_bias(layer->bias[i], model->tensors[layer->input].scale, layer->codebook_scale, accel_row_scale(layer, i));
		return 0;
	}
	ret = eie_copy_blob(r, node, "bias-q", layer->rows, sizeof(*layer->bias_q), &values);
	if (ret)
		return ret;
	layer->bias_q = values;
	layer->file_bytes_other += layer->rows * (uint64_t)4;
	return 0;
}

static int derive_requant(struct eie_reader *r, const struct accel_model *model, struct accel_layer *layer)
{
	if (layer->input >= model->ntensors || layer->output >= model->ntensors)
		return BAD(r, "tensors %u and %u; there are %u", layer->input, layer->output, model->ntensors);
	layer->mult = malloc(layer->rows * sizeof(*layer->mult));
	layer->shift = malloc(layer->rows * sizeof(*layer->shift));
	if (!layer->mult || !layer->shift)
		return eie_no_memory(r);
	for (uint32_t i = 0; i < layer->rows; i++)
		if (eie_derived_requant(layer, model->tensors[layer->input].scale, model->tensors[layer->output].scale, i, &layer->mult[i], &layer->shift[i]))
			return BAD(r, "no factor follows for row %u from its scales", i);
	return 0;
}

/* mult and shift: one for all rows as properties, or one a row as blobs; or they follow. */
static int read_requant(struct eie_reader *r, int node, const struct accel_model *model, struct accel_layer *layer)
{
	void *values;
	uint32_t mult, shift;
	int ret;

	if (r->rows && layer->row_scale && fdt_subnode_offset(r->fdt, node, "mult") < 0 && !fdt_getprop(r->fdt, node, "mult", NULL))
		return derive_requant(r, model, layer);
	if (fdt_subnode_offset(r->fdt, node, "mult") >= 0) {
		ret = eie_copy_blob(r, node, "mult", layer->rows, sizeof(*layer->mult), &values);
		if (ret)
			return ret;
		layer->mult = values;
		ret = eie_copy_blob(r, node, "shift", layer->rows, sizeof(*layer->shift), &values);
		if (ret)
			return ret;
		layer->shift = values;
		layer->file_bytes_other += layer->rows * (uint64_t)3;
		return 0;
	}
	ret = eie_get_u32(r, node, "mult", &mult);
	if (!ret)
		ret = eie_get_u32(r, node, "shift", &shift);
	if (ret)
		return ret;
	if (mult > UINT16_MAX || shift > UINT8_MAX)
		return BAD(r, "mult %u, shift %u: out of range", mult, shift);
	layer->mult = malloc(layer->rows * sizeof(*layer->mult));
	layer->shift = malloc(layer->rows * sizeof(*layer->shift));
	if (!layer->mult || !layer->shift)
		return eie_no_memory(r);
	for (uint32_t i = 0; i < layer->rows; i++) {
		layer->mult[i] = (uint16_t)mult;
		layer->shift[i] = (uint8_t)shift;
	}
	return 0;
}

static int read_row_scale(struct eie_reader *r, int node, struct accel_layer *layer)
{
	if (fdt_subnode_offset(r->fdt, node, "row-scale") < 0 && !(r->has_reals && fdt_getprop(r->fdt, node, "row-scaled", NULL)))
		return 0;
	if (!r->row_scales)
		return BAD(r, "blob 'row-scale' in a file that does not name the feature '%s'", EIE_FEATURE_ROW_SCALES);
	return eie_get_floats(r, node, REALS_ROW_SCALES, "row-scale", layer->rows, &layer->row_scale, &layer->file_bytes_other);
}

int eie_read_label(struct eie_reader *r, int node, char **name)
{
	const char *label;
	int ret = eie_get_string(r, node, "label", &label);

	if (!ret)
		ret = accel_name_check(r->file, label, -EBADMSG, "a label", r->err);
	if (ret)
		return ret;
	*name = strdup(label);
	if (!*name)
		return eie_no_memory(r);
	r->where = *name;
	return 0;
}

static int read_kind(struct eie_reader *r, int node, struct accel_layer *layer)
{
	static const char *const kinds[] = {
		[ACCEL_LAYER_FC] = "fc", [ACCEL_LAYER_CONV] = "conv", [ACCEL_LAYER_MAX_POOL] = "max-pool", [ACCEL_LAYER_CONCAT] = "concat",
		[ACCEL_LAYER_AVERAGE_POOL] = "average-pool", [ACCEL_LAYER_MULTIPLY] = "multiply", [ACCEL_LAYER_TABLE] = "table",
	};
	const char *word;
	int ret = eie_get_string(r, node, "kind", &word);

	if (ret)
		return ret;
	for (unsigned int i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (kinds[i] && !strcmp(word, kinds[i]))
			layer->kind = (enum accel_layer_kind)i;
	return layer->kind ? 0 : eie_not_supported(r, "layer kind", word);
}

static int read_activation(struct eie_reader *r, int node, struct accel_layer *layer)
{
	const char *word;
	int ret = eie_get_string(r, node, "activation", &word);

	if (ret)
		return ret;
	if (!strcmp(word, "none"))
		layer->activation = ACCEL_ACT_NONE;
	else if (!strcmp(word, "relu"))
		layer->activation = ACCEL_ACT_RELU;
	else if (!strcmp(word, "relu6"))
		layer->activation = ACCEL_ACT_RELU6;
	else
		return eie_not_supported(r, "activation", word);
	return 0;
}

/* accel_model_check() judges the values. */
static int read_window(struct eie_reader *r, int node, struct accel_window *w)
{
	uint32_t *const fields[] = {
		&w->channels, &w->height, &w->width, &w->kernel_y, &w->kernel_x, &w->stride_y, &w->stride_x, &w->dilate_y, &w->dilate_x,
		&w->pad_top, &w->pad_left, &w->out_height, &w->out_width, &w->groups,
	};
	const unsigned int n = sizeof(fields) / sizeof(fields[0]);
	const fdt32_t *cells;
	unsigned int got;
	int ret = eie_get_cells(r, node, "window", n, n, &cells, &got);

	for (unsigned int i = 0; !ret && i < n; i++)
		*fields[i] = fdt32_ld(&cells[i]);
	return ret;
}

/* What is not said is what the layer before makes, of a segment without numbers. */
static int read_input(struct eie_reader *r, int node, const struct accel_model *model, struct accel_layer *layer)
{
	if (!r->bare || layer == model->layers || fdt_getprop(r->fdt, node, "input", NULL))
		return eie_get_u32(r, node, "input", &layer->input);
	layer->input = layer[-1].output;
	return 0;
}

/* Non-zeros, which have groups of places; of a segment without numbers they may be all that there are. */
static int read_nnz(struct eie_reader *r, int node, const struct accel_layer *layer, uint32_t *groups, uint32_t *nnz)
{
	bool places = r->places && fdt_getprop(r->fdt, node, "places", NULL);
	uint64_t all;
	int ret = 0;

	*groups = 1;
	if (places)
		ret = eie_get_u32(r, node, "places", groups);
	if (ret || !r->bare || !places || fdt_getprop(r->fdt, node, "nnz", NULL))
		return ret ? ret : eie_get_u32(r, node, "nnz", nnz);
	all = *groups ? (uint64_t)layer->rows * (layer->cols / *groups) : 0;
	*nnz = all < ACCEL_MAX_NNZ ? (uint32_t)all : ACCEL_MAX_NNZ;
	return 0;
}

static int read_weighted(struct eie_reader *r, int node, const struct accel_model *model, struct accel_layer *layer)
{
	uint32_t nnz, groups;
	int ret = read_activation(r, node, layer);

	if (!ret)
		ret = eie_get_pair(r, node, "shape", &layer->rows, &layer->cols);
	if (!ret && layer->kind == ACCEL_LAYER_CONV)
		ret = read_window(r, node, &layer->window);
	if (!ret && layer->kind == ACCEL_LAYER_CONV && fdt_getprop(r->fdt, node, "weight-groups", NULL))
		ret = eie_get_u32(r, node, "weight-groups", &layer->weight_groups);
	if (!ret)
		ret = read_nnz(r, node, layer, &groups, &nnz);
	if (!ret)
		ret = eie_get_u32(r, node, "code-bits", &layer->code_bits);
	if (ret)
		return ret;
	if (!layer->rows || layer->rows > ACCEL_MAX_DIM || !layer->cols || layer->cols > ACCEL_MAX_DIM || nnz >= ACCEL_MAX_NNZ)
		return BAD(r, "%u x %u with %u non-zeros is out of range", layer->rows, layer->cols, nnz);
	if (layer->code_bits != 4 && layer->code_bits != 8)
		return BAD(r, "codes of %u bits; 4 or 8 are allowed", layer->code_bits);
	layer->nnz = nnz;
	ret = read_codebook(r, node, layer);
	if (!ret)
		ret = eie_get_floats(r, node, REALS_BIASES, "bias", layer->rows, &layer->bias, &layer->file_bytes_other);
	if (ret)
		return ret;
	/* integers may follow from it */
	ret = read_row_scale(r, node, layer);
	if (!ret && !r->bare)
		ret = read_bias_q(r, node, model, layer);
	if (!ret && !r->bare)
		ret = read_requant(r, node, model, layer);
	return ret ? ret : eie_read_weights(r, node, groups, layer);
}

static int read_multiply(struct eie_reader *r, int node, struct accel_layer *layer)
{
	uint32_t mult, shift;
	int ret = eie_read_list(r, node, "inputs", &layer->parts, &layer->nparts);

	if (!ret && layer->nparts != 2)
		ret = BAD(r, "a product of %u tensors; it has 2", layer->nparts);
	layer->input = ret ? 0 : layer->parts[0];
	ret = ret ? ret : read_activation(r, node, layer);
	if (ret || r->bare)
		return ret;
	ret = eie_get_u32(r, node, "mult", &mult);
	ret = ret ? ret : eie_get_u32(r, node, "shift", &shift);
	if (ret)
		return ret;
	if (mult > UINT16_MAX || shift > UINT8_MAX)
		return BAD(r, "mult %u, shift %u: out of range", mult, shift);
	layer->mult = malloc(sizeof(*layer->mult));
	layer->shift = malloc(sizeof(*layer->shift));
	if (!layer->mult || !layer->shift)
		return eie_no_memory(r);
	layer->mult[0] = (uint16_t)mult;
	layer->shift[0] = (uint8_t)shift;
	return 0;
}

/* A table that is not there: what the function gives, if any machine gives the same. */
static int derive_table(struct eie_reader *r, const struct accel_model *model, struct accel_layer *layer)
{
	if (!table_follows(layer->function.name) || !table_parameters_ok(&layer->function))
		return BAD(r, "blob 'table' is missing, and does not follow from %s", layer->function.name);
	if (layer->input >= model->ntensors || layer->output >= model->ntensors)
		return BAD(r, "tensors %u and %u; there are %u", layer->input, layer->output, model->ntensors);
	layer->table = malloc(EIE_TABLE_VALUES * sizeof(*layer->table));
	if (!layer->table)
		return eie_no_memory(r);
	table_fill(layer, &model->tensors[layer->input], &model->tensors[layer->output]);
	return 0;
}

static int read_table(struct eie_reader *r, int node, const struct accel_model *model, struct accel_layer *layer)
{
	const char *function;
	uint32_t p, q, factor, offset;
	void *values;
	int ret = read_input(r, node, model, layer);

	ret = ret ? ret : eie_get_string(r, node, "function", &function);
	ret = ret ? ret : eie_get_pair(r, node, "parameters", &p, &q);
	ret = ret ? ret : eie_get_pair(r, node, "factor-offset", &factor, &offset);
	if (ret)
		return ret;
	layer->function = (struct accel_function){ strdup(function), eie_float_from_bits(p), eie_float_from_bits(q), eie_float_from_bits(factor),
						   eie_float_from_bits(offset) };
	if (!layer->function.name)
		return eie_no_memory(r);
	if (r->bare && table_follows(layer->function.name))
		return 0;
	if (r->tables && fdt_subnode_offset(r->fdt, node, "table") < 0)
		return derive_table(r, model, layer);
	ret = eie_copy_blob(r, node, "table", EIE_TABLE_VALUES, sizeof(*layer->table), &values);
	if (ret)
		return ret;
	layer->table = values;
	layer->file_bytes_other += EIE_TABLE_VALUES * sizeof(*layer->table);
	return 0;
}

static int read_layer(struct eie_reader *r, int node, const struct accel_model *model, struct accel_layer *layer)
{
	int ret = eie_read_label(r, node, &layer->name);

	if (!ret)
		ret = read_kind(r, node, layer);
	if (!ret && !eie_owns_output(r, node))
		ret = eie_get_u32(r, node, "output", &layer->output);
	if (ret)
		return ret;
	if (layer->kind == ACCEL_LAYER_CONCAT) {
		ret = eie_read_list(r, node, "inputs", &layer->parts, &layer->nparts);
		layer->input = ret ? 0 : layer->parts[0];
		return ret;
	}
	if (layer->kind == ACCEL_LAYER_MULTIPLY)
		return read_multiply(r, node, layer);
	if (layer->kind == ACCEL_LAYER_TABLE)
		return read_table(r, node, model, layer);
	ret = read_input(r, node, model, layer);
	if (!ret && layer->kind == ACCEL_LAYER_AVERAGE_POOL && !r->bare)
		ret = eie_get_u32(r, node, "sum-shift", &layer->sum_shift);
	if (!ret && accel_layer_pools(layer))
		return read_window(r, node, &layer->window);
	return ret ? ret : read_weighted(r, node, model, layer);
}

int eie_count_children(struct eie_reader *r, int base, const char *parent, char letter, int *node)
{
	int count = 0, child;

	r->where = NULL;
	*node = fdt_subnode_offset(r->fdt, base, parent);
	if (*node < 0)
		return BAD(r, "node '%s' is missing", parent);
	fdt_for_each_subnode(child, r->fdt, *node) {
		const char *name = fdt_get_name(r->fdt, child, NULL);
		char *end;

		if (letter && (!name || name[0] != letter || !(name[1] >= '0' && name[1] <= '9') ||
		    strtoul(name + 1, &end, 10) != (unsigned long)count || *end))
			return BAD(r, "node '%s': child '%s' where '%c%d' should be", parent, name ? name : "", letter, count);
		if (++count > (int)ACCEL_MAX_NODES)
			return BAD(r, "node '%s': more than %u children", parent, ACCEL_MAX_NODES);
	}
	return count;
}

static int read_layers(struct eie_reader *r, int base, struct accel_model *model)
{
	int parent, child;
	int count = eie_count_children(r, base, "layers", 'l', &parent);

	if (count < 0)
		return count;
	model->layers = calloc((size_t)count + 1, sizeof(*model->layers));
	if (!model->layers)
		return eie_no_memory(r);
	fdt_for_each_subnode(child, r->fdt, parent) {
		struct accel_layer *layer = &model->layers[model->nlayers++];
		int ret;

		r->where = NULL;
		ret = read_layer(r, child, model, layer);
		if (!ret && eie_owns_output(r, child))
			ret = eie_read_output(r, child, model, layer);
		if (!ret && r->bare && !eie_alloc_numbers(layer))
			ret = eie_no_memory(r);
		if (ret)
			return ret;
	}
	return 0;
}

int eie_read_list(struct eie_reader *r, int node, const char *name, unsigned int **list, unsigned int *n)
{
	const fdt32_t *cells;
	int ret = eie_get_cells(r, node, name, 1, ACCEL_MAX_NODES, &cells, n);

	if (ret)
		return ret;
	*list = malloc(*n * sizeof(**list));
	if (!*list)
		return eie_no_memory(r);
	for (unsigned int i = 0; i < *n; i++)
		(*list)[i] = fdt32_ld(cells + i);
	return 0;
}

static int read_classes(struct eie_reader *r, struct accel_model *model)
{
	int len, n = 0;
	const char *p = fdt_getprop(r->fdt, 0, "classes", &len);

	if (!p)
		return 0;
	if (len < 1 || p[len - 1])
		return BAD(r, "property 'classes' is no list of strings");
	for (int i = 0; i < len; i++)
		n += !p[i];
	if (n > (int)ACCEL_MAX_CLASSES)
		return BAD(r, "property 'classes': more than %u names", ACCEL_MAX_CLASSES);
	model->classes = calloc((size_t)n, sizeof(*model->classes));
	if (!model->classes)
		return eie_no_memory(r);
	while ((int)model->nclasses < n) {
		int ret = accel_name_check(r->file, p, -EBADMSG, "a class", r->err);

		if (ret)
			return ret;
		model->classes[model->nclasses] = strdup(p);
		if (!model->classes[model->nclasses])
			return eie_no_memory(r);
		model->nclasses++;
		p += strlen(p) + 1;
	}
	return 0;
}

/* ---------------------------------------------------------------- file */

/* The features that this version has, and where a reader notes them; of two what they say stands elsewhere: with the constants, with the segments. */
static const struct {
	const char *name;
	ptrdiff_t flag;            /* of struct eie_reader; -1: none */
} features[] = {
	{ EIE_FEATURE_NETWORK, offsetof(struct eie_reader, network) },
	{ EIE_FEATURE_CODES, -1 },
	{ EIE_FEATURE_ENDS, -1 },
	{ EIE_FEATURE_PREPROCESS, offsetof(struct eie_reader, preprocess) },
	{ EIE_FEATURE_ROW_SCALES, offsetof(struct eie_reader, row_scales) },
	{ EIE_FEATURE_ENTROPY, offsetof(struct eie_reader, entropy) },
	{ EIE_FEATURE_DERIVED, offsetof(struct eie_reader, derived) },
	{ EIE_FEATURE_ROWS, offsetof(struct eie_reader, rows) },
	{ EIE_FEATURE_TABLES, offsetof(struct eie_reader, tables) },
	{ EIE_FEATURE_PLACES, offsetof(struct eie_reader, places) },
	{ EIE_FEATURE_NUMBERS, offsetof(struct eie_reader, numbers) },
	{ EIE_FEATURE_PACKED, offsetof(struct eie_reader, packed) },
	{ EIE_FEATURE_STREAM, offsetof(struct eie_reader, stream) },
	{ EIE_FEATURE_REALS, offsetof(struct eie_reader, has_reals) },
	{ EIE_FEATURE_KINDS, offsetof(struct eie_reader, apart) },
};

static bool take_feature(struct eie_reader *r, const char *name)
{
	/* what was packed is not packed again, and its blobs are where the file, not the tree, says */
	if (r->unpacked && (!strcmp(name, EIE_FEATURE_PACKED) || !strcmp(name, EIE_FEATURE_STREAM)))
		return false;
	for (size_t i = 0; i < sizeof(features) / sizeof(features[0]); i++) {
		if (strcmp(name, features[i].name))
			continue;
		if (features[i].flag >= 0)
			*(bool *)((char *)r + features[i].flag) = true;
		return true;
	}
	return false;
}

/* They stand in the root only. */
static int check_features(struct eie_reader *r)
{
	for (int node = 0; node >= 0; node = fdt_next_node(r->fdt, node, NULL)) {
		const char *name = fdt_get_name(r->fdt, node, NULL);
		int n = 0;

		if (!fdt_getprop(r->fdt, node, "must-understand", NULL))
			continue;
		n = fdt_stringlist_count(r->fdt, node, "must-understand");
		if (n < 1)
			return BAD(r, "property 'must-understand' is no list of strings");
		for (int i = 0; i < n; i++) {
			const char *feature = fdt_stringlist_get(r->fdt, node, "must-understand", i, NULL);

			if (node || !feature || !take_feature(r, feature))
				return accel_fail(r->err, -ENOTSUP, NULL,
						  "%s: node '%s' needs the feature '%s', which this version does not have; use a newer library",
						  r->file, name && *name ? name : "/", feature ? feature : "");
		}
	}
	return 0;
}

static int check_compatible(struct eie_reader *r)
{
	const char *first;

	if (fdt_stringlist_search(r->fdt, 0, "compatible", EIE_COMPATIBLE) >= 0)
		return 0;
	first = fdt_stringlist_get(r->fdt, 0, "compatible", 0, NULL);
	if (first && !strncmp(first, EIE_FAMILY, strlen(EIE_FAMILY)))
		return eie_not_supported(r, "format", first);
	return BAD(r, "not an .eie file: a device tree, but of something else");
}

/* The device tree's checksum, over the tree with zero in place of the checksum. */
static int check_header_crc(struct eie_reader *r, size_t tree)
{
	uint32_t crc;
	int ret = eie_get_u32(r, 0, EIE_HEADER_CRC, &crc);

	if (ret)
		return ret;
	if (fdt_setprop_inplace_u32(r->fdt, 0, EIE_HEADER_CRC, 0))
		return BAD(r, "property '%s' cannot be read", EIE_HEADER_CRC);
	if (accel_crc32c(0, r->fdt, tree) != crc)
		return BAD(r, "checksum error in the description of the model: the file is damaged");
	return 0;
}

/* Copies the tree and finds the data. */
static int open_tree(struct eie_reader *r, const uint8_t *file, uint64_t size)
{
	uint64_t tree, start, data_size;
	int ret;

	if (size < sizeof(struct fdt_header) || fdt32_ld((const fdt32_t *)(const void *)file) != FDT_MAGIC)
		return BAD(r, "not an .eie file");
	tree = fdt32_ld((const fdt32_t *)(const void *)(file + 4));
	start = (tree + EIE_DATA_ALIGN - 1) / EIE_DATA_ALIGN * EIE_DATA_ALIGN;
	if (tree < sizeof(struct fdt_header) || tree > INT32_MAX || start > size)
		return BAD(r, "truncated: %llu bytes of description promised, the file has %llu", (unsigned long long)tree,
			   (unsigned long long)size);
	r->fdt = malloc(tree);
	if (!r->fdt)
		return eie_no_memory(r);
	memcpy(r->fdt, file, tree);
	if (fdt_check_foreign(r->fdt, tree))
		return BAD(r, "the description of the model is no sound device tree: the file is damaged");
	ret = check_compatible(r);
	if (!ret)
		ret = check_header_crc(r, tree);
	if (!ret)
		ret = check_features(r);
	if (!ret)
		ret = eie_get_u64(r, 0, "data-size", &data_size);
	if (ret)
		return ret;
	if (data_size != size - start)
		return BAD(r, "truncated, or something follows: %llu bytes of data promised, the file has %llu",
			   (unsigned long long)data_size, (unsigned long long)(size - start));
	r->data = file + start;
	r->data_size = data_size;
	if (!r->packed)
		return r->stream ? BAD(r, "feature '%s' without '%s'", EIE_FEATURE_STREAM, EIE_FEATURE_PACKED) : 0;
	ret = eie_unpack(r);
	r->unpacked = true;
	ret = ret ? ret : check_compatible(r);
	ret = ret ? ret : check_header_crc(r, fdt_totalsize(r->fdt));
	ret = ret ? ret : check_features(r);
	return ret || !r->stream ? ret : eie_place_blobs(r);
}

int eie_read_layers(struct eie_reader *r, int base, struct accel_model *model)
{
	int ret = eie_read_list(r, base, "inputs", &model->inputs, &model->ninputs);

	if (!ret)
		ret = eie_read_list(r, base, "outputs", &model->outputs, &model->noutputs);
	r->bare = eie_lacks_numbers(r, base);
	if (!ret)
		ret = eie_read_tensors(r, base, model);
	ret = ret ? ret : read_layers(r, base, model);
	return ret || !r->bare ? ret : eie_derive_numbers(r, base, model);
}

static int read_model(struct eie_reader *r, struct accel_model *model, const uint8_t *file, uint64_t size)
{
	int ret = open_tree(r, file, size);

	if (!ret)
		ret = eie_get_float(r, 0, "picture-scale", &model->picture_scale);
	if (!ret)
		ret = read_classes(r, model);
	if (!ret && r->preprocess)
		ret = eie_read_preprocess(r, model);
	if (!ret && r->has_reals)
		ret = eie_read_pool(r);
	if (!ret)
		ret = r->network ? eie_read_network(r, model) : eie_read_layers(r, 0, model);
	if (!ret)
		ret = eie_check_pool(r);
	if (!ret)
		ret = eie_check_overlap(r);
	model->file_bytes = size;
	if (!ret)
		ret = accel_model_check(model, r->file, r->err);
	return ret || !model->net ? ret : netmodel_tensors(model, r->err);
}

int accel_model_load(const void *data, size_t size, const char *name, struct accel_model **model, struct accel_error *err)
{
	struct eie_reader r = { .file = name, .err = err };
	struct accel_model *m = accel_model_alloc();
	int ret;

	if (!m)
		return eie_no_memory(&r);
	ret = read_model(&r, m, data, size);
	free(r.fdt);
	free(r.extents);
	free(r.stream_places);
	for (unsigned int k = 0; k < REALS_POOLS; k++)
		free(r.reals[k].v);
	pool_free(r.pool);
	if (ret)
		accel_model_unref(m);
	else
		*model = m;
	return ret;
}

int accel_model_open(const char *path, struct accel_model **model, struct accel_error *err)
{
	void *data;
	size_t size;
	int ret = accel_file_read(path, &data, &size, err);

	if (ret)
		return ret;
	ret = accel_model_load(data, size, path, model, err);
	free(data);
	return ret;
}
