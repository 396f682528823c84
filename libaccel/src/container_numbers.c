// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Segments without their derived numbers: scales, clamps, integers, factors and shifts all follow from reals, by accel_quantise_again(), which writer and reader share. What the
 * writer had is in the file as a checksum, so that no reader runs other numbers. docs/eie_format.md, "Numbers that follow".
 */
#include "container_reader.h"
#include "container_writer.h"
#include "crc32c.h"
#include "quant.h"
#include "table.h"

#include <eie_hw.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define MOST   1024u   /* tensors, layers: groups and factors take the square of them to find */
#define WORTH  1024u   /* bytes of all segments together; fewer are written out, so that older releases can read small models */
#define NUMBER 8u      /* bytes that a tensor, or a layer with weights, is counted with */
#define PROPERTY "numbers-crc32c"

/* The derived numbers of a segment, behind each other. */
struct numbers {
	uint8_t *bytes;   /* NULL: they are only counted */
	size_t size;
};

static void add(struct numbers *n, const void *values, size_t size)
{
	if (n->bytes && size)
		memcpy(n->bytes + n->size, values, size);
	n->size += size;
}

static void add_layer(struct numbers *n, const struct accel_layer *layer)
{
	uint32_t rows = accel_layer_weighted(layer) ? layer->rows : layer->kind == ACCEL_LAYER_MULTIPLY ? 1 : 0;

	if (layer->kind == ACCEL_LAYER_AVERAGE_POOL)
		add(n, &layer->sum_shift, sizeof(uint32_t));
	if (layer->kind == ACCEL_LAYER_TABLE && table_follows(layer->function.name))
		add(n, layer->table, EIE_TABLE_VALUES * sizeof(*layer->table));
	if (accel_layer_weighted(layer)) {
		add(n, &layer->codebook_scale, sizeof(layer->codebook_scale));
		add(n, layer->codebook_q, layer->ncodes * sizeof(*layer->codebook_q));
		add(n, layer->bias_q, rows * sizeof(*layer->bias_q));
	}
	add(n, layer->mult, rows * sizeof(*layer->mult));
	add(n, layer->shift, rows * sizeof(*layer->shift));
}

static void add_all(struct numbers *n, const struct accel_model *segment)
{
	n->size = 0;
	for (unsigned int i = 0; i < segment->ntensors; i++) {
		const struct accel_tensor *t = &segment->tensors[i];

		add(n, &t->scale, sizeof(t->scale));
		add(n, &t->lo, sizeof(t->lo));
		add(n, &t->hi, sizeof(t->hi));
	}
	for (unsigned int i = 0; i < segment->nlayers; i++)
		add_layer(n, &segment->layers[i]);
}

/* False: no memory. */
static bool gather(const struct accel_model *segment, struct numbers *n)
{
	*n = (struct numbers){ 0 };
	add_all(n, segment);
	n->bytes = malloc(n->size ? n->size : 1);
	if (!n->bytes)
		return false;
	add_all(n, segment);
	return true;
}

/* ---------------------------------------------------------------- memory for them */

static void drop_numbers(struct accel_layer *layer)
{
	free(layer->codebook_q);
	free(layer->bias_q);
	free(layer->mult);
	free(layer->shift);
	free(layer->table);
}

bool eie_alloc_numbers(struct accel_layer *layer)
{
	bool weighted = accel_layer_weighted(layer), table = layer->kind == ACCEL_LAYER_TABLE && !layer->table;
	size_t rows = weighted ? layer->rows : layer->kind == ACCEL_LAYER_MULTIPLY ? 1 : 0;

	layer->codebook_q = weighted ? calloc(layer->ncodes, sizeof(*layer->codebook_q)) : NULL;
	layer->bias_q = weighted ? calloc(rows, sizeof(*layer->bias_q)) : NULL;
	layer->mult = rows ? calloc(rows, sizeof(*layer->mult)) : NULL;
	layer->shift = rows ? calloc(rows, sizeof(*layer->shift)) : NULL;
	if (table)
		layer->table = calloc(EIE_TABLE_VALUES, sizeof(*layer->table));
	return (!weighted || (layer->codebook_q && layer->bias_q)) && (!rows || (layer->mult && layer->shift)) && (!table || layer->table);
}

/* ---------------------------------------------------------------- writing */

/* A segment with the reals of this one and numbers of its own, which it shares nothing of; freed by free_twin(). */
static bool make_twin(const struct accel_model *segment, struct accel_model *twin)
{
	bool done;

	*twin = (struct accel_model){ .ntensors = segment->ntensors, .nlayers = segment->nlayers, .ninputs = segment->ninputs, .noutputs = segment->noutputs,
				      .inputs = segment->inputs, .outputs = segment->outputs };
	twin->tensors = malloc(segment->ntensors * sizeof(*twin->tensors));
	twin->layers = calloc(segment->nlayers, sizeof(*twin->layers));
	done = twin->tensors && twin->layers;
	if (done)
		memcpy(twin->tensors, segment->tensors, segment->ntensors * sizeof(*twin->tensors));
	for (unsigned int i = 0; done && i < segment->nlayers; i++) {
		twin->layers[i] = segment->layers[i];
		twin->layers[i].table = NULL;
		done = eie_alloc_numbers(&twin->layers[i]);
	}
	return done;
}

static void free_twin(struct accel_model *twin)
{
	for (unsigned int i = 0; twin->layers && i < twin->nlayers; i++)
		drop_numbers(&twin->layers[i]);
	free(twin->tensors);
	free(twin->layers);
}

/* All numbers are what a reader gets; -ENOMEM, or 0 and *crc with what they are, or 1: they are others. */
static int follow(const struct accel_model *segment, uint32_t *crc)
{
	struct numbers had = { 0 }, follows = { 0 };
	struct accel_model twin;
	int ret = make_twin(segment, &twin) ? 0 : -ENOMEM;

	ret = ret ? ret : accel_quantise_again(&twin, NULL);
	if (!ret && (!gather(segment, &had) || !gather(&twin, &follows)))
		ret = -ENOMEM;
	if (!ret && !memcmp(had.bytes, follows.bytes, had.size))
		*crc = accel_crc32c(0, had.bytes, had.size);
	else if (ret != -ENOMEM)
		ret = 1;
	free(had.bytes);
	free(follows.bytes);
	free_twin(&twin);
	return ret;
}

static uint64_t worth(const struct accel_model *segment)
{
	uint64_t bytes = segment->ntensors * (uint64_t)NUMBER;

	for (unsigned int i = 0; i < segment->nlayers; i++)
		bytes += accel_layer_weighted(&segment->layers[i]) ? NUMBER : 0;
	return segment->ntensors <= MOST && segment->nlayers <= MOST ? bytes : 0;
}

/* The segments of a model: itself, or those of its network. Calls for each, and adds up. */
static uint64_t sum_segments(struct eie_writer *w, const struct accel_model *model, uint64_t (*of)(struct eie_writer *w, const struct accel_model *segment))
{
	uint64_t sum = model->net ? 0 : of(w, model);

	for (unsigned int n = 0; model->net && n < model->net->nnodes; n++)
		if (!model->net->nodes[n].op)
			sum += of(w, model->net->nodes[n].segment);
	return sum;
}

static uint64_t could_win(struct eie_writer *w, const struct accel_model *segment)
{
	(void)w;
	return worth(segment);
}

/* Notes the segment if its numbers follow. */
static uint64_t wins(struct eie_writer *w, const struct accel_model *segment)
{
	uint64_t bytes = worth(segment);
	struct eie_numbers *more;
	uint32_t crc;
	int ret = bytes && !w->no_memory ? follow(segment, &crc) : 1;

	more = ret ? NULL : realloc(w->numbers, (w->nnumbers + (size_t)1) * sizeof(*more));
	w->no_memory = w->no_memory || ret == -ENOMEM || (!ret && !more);
	if (!more)
		return 0;
	w->numbers = more;
	w->numbers[w->nnumbers++] = (struct eie_numbers){ segment, crc };
	return bytes;
}

void eie_find_numbers(struct eie_writer *w, const struct accel_model *model)
{
	if (sum_segments(w, model, could_win) >= WORTH && sum_segments(w, model, wins) < WORTH)
		w->nnumbers = 0;
}

static const struct eie_numbers *find(const struct eie_writer *w, const struct accel_model *segment)
{
	for (unsigned int i = 0; i < w->nnumbers; i++)
		if (w->numbers[i].segment == segment)
			return &w->numbers[i];
	return NULL;
}

bool eie_numbers_follow(const struct eie_writer *w, const struct accel_model *segment)
{
	return find(w, segment);
}

void eie_put_numbers(struct eie_writer *w, const struct accel_model *segment)
{
	const struct eie_numbers *n = find(w, segment);

	if (n)
		eie_put_u32(w, PROPERTY, n->crc);
}

/* ---------------------------------------------------------------- reading */

bool eie_lacks_numbers(const struct eie_reader *r, int node)
{
	return r->numbers && fdt_getprop(r->fdt, node, PROPERTY, NULL);
}

int eie_derive_numbers(struct eie_reader *r, int node, struct accel_model *segment)
{
	struct accel_error err = { 0 };
	struct numbers n;
	uint32_t crc;
	int ret = eie_get_u32(r, node, PROPERTY, &crc);

	r->where = NULL;
	if (!ret && (segment->ntensors > MOST || segment->nlayers > MOST))
		ret = BAD(r, "%u tensors and %u layers without their numbers; %u are allowed", segment->ntensors, segment->nlayers, MOST);
	ret = ret ? ret : accel_model_check_reals(segment, r->file, r->err);
	if (ret)
		return ret;
	ret = accel_quantise_again(segment, &err);
	if (ret && ret != -ENOMEM)
		return BAD(r, "numbers: %s", err.text);
	if (ret || !gather(segment, &n))
		return eie_no_memory(r);
	if (accel_crc32c(0, n.bytes, n.size) != crc)
		ret = BAD(r, "numbers: those that follow from the reals are not those that the writer had");
	free(n.bytes);
	return ret;
}
