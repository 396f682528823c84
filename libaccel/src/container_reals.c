// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Floats of a whole file in one place: their highest bytes, of which few differ, are entropy-coded with one table for all. docs/eie_format.md, "Reals".
 * They are taken in the order in which the file is read, each once, so that no small file can stand for many.
 */
#include "container_reader.h"
#include "container_writer.h"
#include "entropy.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define WORTH 512u             /* bytes that must be won; else they are written where they belong, so that older releases can read small models */

static const char *const planes[REALS_PLANES] = { "byte3", "byte2", "byte1", "byte0" };

static uint8_t byte_of(float f, unsigned int plane)
{
	return (uint8_t)(eie_float_bits(f) >> 8 * (REALS_PLANES - 1 - plane));
}

/* ---------------------------------------------------------------- writing */

static void collect(struct eie_writer *w, const float *v, size_t n)
{
	struct eie_reals *r = &w->reals;

	if (w->no_memory)
		return;
	if (r->n + n > r->room) {
		size_t room = 2 * (r->n + n) + 1024;
		float *bigger = realloc(r->v, room * sizeof(*bigger));

		if (!bigger) {
			w->no_memory = true;
			return;
		}
		r->v = bigger;
		r->room = room;
	}
	if (n)
		memcpy(r->v + r->n, v, n * sizeof(*v));
	r->n += n;
}

static bool encode_plane(struct eie_reals *r, unsigned int p)
{
	const struct entropy_alphabet a = { ENTROPY_MAX_SYMBOLS, NULL };
	uint64_t count[ENTROPY_MAX_SYMBOLS] = { 0 };
	uint8_t *symbols = malloc(r->n);
	struct entropy_plan plan;
	bool done = symbols;

	for (size_t i = 0; done && i < r->n; i++)
		count[symbols[i] = byte_of(r->v[i], p)]++;
	if (done) {
		entropy_plan(count, &a, &plan);
		if (plan.bytes >= r->n)
			plan.coding = ENTROPY_NONE;
		r->coding[p] = plan.coding;
		r->size[p] = r->n;
		r->blob[p] = symbols;
		if (plan.coding != ENTROPY_NONE)
			done = !entropy_encode(&plan, &a, symbols, r->n, &r->blob[p], &r->size[p]);
		if (plan.coding != ENTROPY_NONE)
			free(symbols);
	}
	return done;
}

static void drop_planes(struct eie_reals *r)
{
	for (unsigned int p = 0; p < REALS_PLANES; p++) {
		free(r->blob[p]);
		r->blob[p] = NULL;
	}
}

bool eie_reals_pay(struct eie_writer *w)
{
	struct eie_reals *r = &w->reals;

	r->bytes = 0;
	if (!r->n || w->no_memory)
		return false;
	for (unsigned int p = 0; p < REALS_PLANES; p++) {
		if (!encode_plane(r, p)) {
			r->blob[p] = NULL;
			w->no_memory = true;
			return false;
		}
		r->bytes += r->size[p];
	}
	if (r->bytes + WORTH <= sizeof(float) * r->n)
		return true;
	drop_planes(r);
	return false;
}

void eie_reals_free(struct eie_reals *r)
{
	drop_planes(r);
	free(r->v);
}

bool eie_put_reals(struct eie_writer *w, const float *v, size_t n, uint64_t *bytes)
{
	collect(w, v, n);
	*bytes += w->pool ? n * w->reals.bytes / w->reals.all : n * sizeof(float);
	return w->pool;
}

void eie_put_codebook(struct eie_writer *w, const float *codebook, unsigned int n, uint64_t *bytes)
{
	fdt32_t *cells;

	if (eie_put_reals(w, codebook, n, bytes)) {
		eie_put_u32(w, "codebook-size", n);
		return;
	}
	cells = eie_put_cells(w, "codebook", n);
	for (unsigned int i = 0; cells && i < n; i++)
		cells[i] = cpu_to_fdt32(eie_float_bits(codebook[i]));
}

void eie_put_pool(struct eie_writer *w)
{
	struct eie_reals *r = &w->reals;

	eie_begin(w, "reals");
	eie_put_u32(w, "count", (uint32_t)r->n);
	for (unsigned int p = 0; p < REALS_PLANES; p++) {
		uint8_t *blob = eie_blob_alloc(w, r->size[p]);

		if (blob)
			memcpy(blob, r->blob[p], r->size[p]);
		eie_blob_node(w, planes[p], blob, r->size[p]);
		if (r->coding[p] != ENTROPY_NONE)
			eie_put_string(w, "coding", entropy_names[r->coding[p]]);
		w->entropy = w->entropy || r->coding[p] != ENTROPY_NONE;
		eie_end(w);
	}
	eie_end(w);
}

/* ---------------------------------------------------------------- reading */

/* One byte of each float; the caller's, also after a failure. */
static int read_plane(struct eie_reader *r, int parent, unsigned int p, uint8_t **symbols, uint64_t *bytes)
{
	const struct entropy_alphabet a = { ENTROPY_MAX_SYMBOLS, NULL };
	enum entropy_coding coding = ENTROPY_NONE;
	const uint8_t *blob;
	int node;
	int ret = eie_find_blob(r, parent, planes[p], &node);

	ret = ret ? ret : eie_get_coding(r, node, planes[p], "none", &coding);
	if (ret)
		return ret;
	if (coding != ENTROPY_NONE)
		return eie_read_symbols(r, node, planes[p], coding, &a, r->reals_left, symbols, bytes);
	ret = eie_get_blob(r, node, planes[p], r->reals_left, &blob, bytes);
	if (ret)
		return ret;
	*symbols = malloc(r->reals_left);
	if (!*symbols)
		return eie_no_memory(r);
	memcpy(*symbols, blob, r->reals_left);
	return 0;
}

int eie_read_pool(struct eie_reader *r)
{
	int node = fdt_subnode_offset(r->fdt, 0, "reals"), ret = 0;
	uint32_t n, *bits;

	if (node < 0)
		return BAD(r, "node 'reals' is missing");
	r->where = "reals";
	ret = eie_get_u32(r, node, "count", &n);
	if (!ret && (!n || n > NET_MAX_COUNT))
		ret = BAD(r, "%u floats", n);
	r->reals_left = n;
	for (unsigned int p = 0; !ret && p < REALS_PLANES; p++) {
		uint8_t *symbols = NULL;
		uint64_t bytes = 0;

		ret = read_plane(r, node, p, &symbols, &bytes);
		/* memory for as many floats once the file has shown so many highest bytes */
		if (!ret && !p) {
			r->reals = calloc(n, sizeof(*r->reals));
			ret = r->reals ? 0 : eie_no_memory(r);
		}
		bits = (uint32_t *)(void *)r->reals;
		for (uint32_t i = 0; !ret && i < n; i++)
			bits[i] |= (uint32_t)symbols[i] << 8 * (REALS_PLANES - 1 - p);
		r->reals_bytes += bytes;
		free(symbols);
	}
	r->reals_next = r->reals;
	r->reals_all = n;
	r->where = NULL;
	return ret;
}

int eie_check_pool(struct eie_reader *r)
{
	r->where = NULL;
	return r->reals_left ? BAD(r, "reals: nothing takes the last %llu of %llu floats", (unsigned long long)r->reals_left, (unsigned long long)r->reals_all) : 0;
}

int eie_take_reals(struct eie_reader *r, const char *name, uint64_t n, float **values, uint64_t *bytes)
{
	if (n > r->reals_left)
		return BAD(r, "%s: %llu floats, but only %llu are left in 'reals'", name, (unsigned long long)n, (unsigned long long)r->reals_left);
	*values = malloc(n ? n * sizeof(**values) : 1);
	if (!*values)
		return eie_no_memory(r);
	if (n)
		memcpy(*values, r->reals_next, n * sizeof(**values));
	r->reals_next += n;
	r->reals_left -= n;
	*bytes += n * r->reals_bytes / r->reals_all;
	return 0;
}

int eie_get_codebook(struct eie_reader *r, int node, unsigned int max, float **codebook, unsigned int *n, uint64_t *bytes)
{
	const fdt32_t *cells;
	uint32_t size;
	int ret;

	if (r->has_reals && !fdt_getprop(r->fdt, node, "codebook", NULL)) {
		ret = eie_get_u32(r, node, "codebook-size", &size);
		if (!ret && (!size || size > max))
			ret = BAD(r, "property 'codebook-size' is %u; 1 to %u are allowed", size, max);
		*n = ret ? 0 : size;
		return ret ? ret : eie_take_reals(r, "codebook", size, codebook, bytes);
	}
	ret = eie_get_cells(r, node, "codebook", 1, max, &cells, n);
	if (ret)
		return ret;
	*codebook = malloc(*n * sizeof(**codebook));
	if (!*codebook)
		return eie_no_memory(r);
	for (unsigned int i = 0; i < *n; i++)
		(*codebook)[i] = eie_float_from_bits(fdt32_ld(cells + i));
	*bytes += *n * sizeof(**codebook);
	return 0;
}

int eie_get_floats(struct eie_reader *r, int node, const char *name, uint64_t n, float **values, uint64_t *bytes)
{
	void *copy;
	int ret;

	if (r->has_reals && fdt_subnode_offset(r->fdt, node, name) < 0)
		return eie_take_reals(r, name, n, values, bytes);
	ret = eie_copy_blob(r, node, name, n, sizeof(**values), &copy);
	if (ret)
		return ret;
	*values = copy;
	*bytes += n * sizeof(**values);
	return 0;
}
