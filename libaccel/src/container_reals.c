// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Floats of a whole file in one place, or one a kind: their highest bytes, of which few differ, are entropy-coded with one table for all. docs/eie_format.md, "Reals".
 * They are taken in the order in which the file is read, each once, so that no small file can stand for many.
 */
#include "container_reader.h"
#include "container_writer.h"
#include "entropy.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define WORTH 512u             /* bytes that must be won; else they are written where they belong, so that older releases can read small models */

#define APART 256u             /* the same for places of their own: tables and descriptions are counted with it */

static const char *const kinds[REALS_POOLS] = {
	[REALS_CONSTANTS] = "constants", [REALS_CODEBOOKS] = "codebooks", [REALS_BIASES] = "biases", [REALS_ROW_SCALES] = "row-scales",
};
static const char *const planes[REALS_PLANES] = { "byte3", "byte2", "byte1", "byte0" };

static uint8_t byte_of(float f, unsigned int plane)
{
	return (uint8_t)(eie_float_bits(f) >> 8 * (REALS_PLANES - 1 - plane));
}

/* ---------------------------------------------------------------- writing */

static void collect(struct eie_writer *w, struct eie_reals *r, const float *v, size_t n)
{
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

/* Notes which bytes there are, and puts its number among them in place of each. */
static void number_values(struct eie_reals *r, unsigned int p, uint8_t *symbols)
{
	uint8_t number[ENTROPY_MAX_SYMBOLS] = { 0 };
	bool there[ENTROPY_MAX_SYMBOLS] = { false };

	for (size_t i = 0; i < r->n; i++)
		there[symbols[i]] = true;
	r->nvalues[p] = 0;
	for (unsigned int v = 0; v < ENTROPY_MAX_SYMBOLS; v++) {
		number[v] = (uint8_t)r->nvalues[p];
		if (there[v])
			r->value[p][r->nvalues[p]++] = (uint8_t)v;
	}
	for (size_t i = 0; i < r->n; i++)
		symbols[i] = number[symbols[i]];
}

/* apart: of one kind, whose bytes have few values. */
static bool encode_plane(struct eie_reals *r, unsigned int p, bool apart)
{
	struct entropy_alphabet a = { ENTROPY_MAX_SYMBOLS, NULL };
	uint64_t count[ENTROPY_MAX_SYMBOLS] = { 0 };
	uint8_t *symbols = malloc(r->n);
	struct entropy_plan plan;
	bool done;

	if (!symbols)
		return false;
	for (size_t i = 0; i < r->n; i++)
		symbols[i] = byte_of(r->v[i], p);
	r->nvalues[p] = 0;
	if (apart)
		number_values(r, p, symbols);
	/* a reader wants to see how many floats there are, in the highest bytes */
	if (apart && r->nvalues[p] == 1 && p) {
		r->coding[p] = ENTROPY_NONE;
		r->blob[p] = symbols;
		r->size[p] = 0;
		return true;
	}
	a.n = r->nvalues[p] > 1 ? r->nvalues[p] : a.n;
	for (size_t i = 0; i < r->n; i++)
		count[symbols[i]]++;
	entropy_plan(count, &a, &plan);
	r->coding[p] = plan.bytes + r->nvalues[p] < r->n ? plan.coding : ENTROPY_NONE;
	r->size[p] = r->n;
	r->blob[p] = symbols;
	if (r->coding[p] == ENTROPY_NONE || r->nvalues[p] == 1) {
		r->nvalues[p] = 0;
		r->coding[p] = ENTROPY_NONE;
		for (size_t i = 0; i < r->n; i++)
			symbols[i] = byte_of(r->v[i], p);
		return true;
	}
	done = !entropy_encode(&plan, &a, symbols, r->n, &r->blob[p], &r->size[p]);
	free(symbols);
	return done;
}

static void drop_planes(struct eie_reals *r)
{
	for (unsigned int p = 0; p < REALS_PLANES; p++) {
		free(r->blob[p]);
		r->blob[p] = NULL;
	}
}

/* Bytes of the pool's planes. */
static uint64_t encode_pool(struct eie_writer *w, struct eie_reals *r, bool apart)
{
	r->bytes = 0;
	r->all = r->n;
	for (unsigned int p = 0; r->n && !w->no_memory && p < REALS_PLANES; p++) {
		if (encode_plane(r, p, apart)) {
			r->bytes += r->size[p] + r->nvalues[p];
		} else {
			r->blob[p] = NULL;
			w->no_memory = true;
		}
	}
	return r->bytes;
}

bool eie_reals_pay(struct eie_writer *w)
{
	uint64_t all = encode_pool(w, &w->reals[REALS_ALL], false), apart = APART, best;

	for (unsigned int k = REALS_ALL + 1; k < REALS_POOLS; k++)
		apart += encode_pool(w, &w->reals[k], true);
	w->apart = apart <= all;
	best = w->apart ? apart : all;
	if (!w->no_memory && w->reals[REALS_ALL].n && best + WORTH <= sizeof(float) * w->reals[REALS_ALL].n)
		return true;
	w->apart = false;
	for (unsigned int k = 0; k < REALS_POOLS; k++)
		drop_planes(&w->reals[k]);
	return false;
}

void eie_reals_again(struct eie_writer *w)
{
	for (unsigned int k = 0; k < REALS_POOLS; k++)
		w->reals[k].n = 0;
}

void eie_reals_free(struct eie_writer *w)
{
	for (unsigned int k = 0; k < REALS_POOLS; k++) {
		drop_planes(&w->reals[k]);
		free(w->reals[k].v);
	}
}

bool eie_put_reals(struct eie_writer *w, enum eie_reals_kind kind, const float *v, size_t n, uint64_t *bytes)
{
	const struct eie_reals *r = &w->reals[w->apart ? kind : REALS_ALL];

	/* which of the two it is to be is known when there are all */
	if (!w->pool) {
		collect(w, &w->reals[REALS_ALL], v, n);
		collect(w, &w->reals[kind], v, n);
	}
	*bytes += w->pool ? n * r->bytes / r->all : n * sizeof(float);
	return w->pool;
}

void eie_put_codebook(struct eie_writer *w, const float *codebook, unsigned int n, uint64_t *bytes)
{
	fdt32_t *cells;

	if (eie_put_reals(w, REALS_CODEBOOKS, codebook, n, bytes)) {
		eie_put_u32(w, "codebook-size", n);
		return;
	}
	cells = eie_put_cells(w, "codebook", n);
	for (unsigned int i = 0; cells && i < n; i++)
		cells[i] = cpu_to_fdt32(eie_float_bits(codebook[i]));
}

static void put_planes(struct eie_writer *w, const struct eie_reals *r)
{
	eie_put_u32(w, "count", (uint32_t)r->all);
	for (unsigned int p = 0; p < REALS_PLANES; p++) {
		uint8_t *blob;

		if (r->nvalues[p] == 1) {
			eie_begin(w, planes[p]);
			eie_put(w, "values", r->value[p], 1);
			eie_end(w);
			continue;
		}
		blob = eie_blob_alloc(w, r->size[p]);
		if (blob)
			memcpy(blob, r->blob[p], r->size[p]);
		eie_blob_node(w, planes[p], blob, r->size[p]);
		if (r->nvalues[p])
			eie_put(w, "values", r->value[p], r->nvalues[p]);
		if (r->coding[p] != ENTROPY_NONE)
			eie_put_string(w, "coding", entropy_names[r->coding[p]]);
		w->entropy = w->entropy || r->coding[p] != ENTROPY_NONE;
		eie_end(w);
	}
}

void eie_put_pool(struct eie_writer *w)
{
	eie_begin(w, "reals");
	if (!w->apart)
		put_planes(w, &w->reals[REALS_ALL]);
	for (unsigned int k = REALS_ALL + 1; w->apart && k < REALS_POOLS; k++) {
		if (!w->reals[k].all)
			continue;
		eie_begin(w, kinds[k]);
		put_planes(w, &w->reals[k]);
		eie_end(w);
	}
	eie_end(w);
}

/* ---------------------------------------------------------------- reading */

/* The bytes that there are in a plane of one kind, going up; *n 0: all may be. */
static int read_values(struct eie_reader *r, int node, const char *name, uint8_t *value, unsigned int *n)
{
	int len;
	const uint8_t *values = fdt_getprop(r->fdt, node, "values", &len);

	*n = 0;
	if (!r->apart || !values)
		return 0;
	if (len < 1 || len > (int)ENTROPY_MAX_SYMBOLS)
		return BAD(r, "%s: property 'values' has %d bytes", name, len);
	for (int i = 0; i < len; i++) {
		if (i && values[i] <= values[i - 1])
			return BAD(r, "%s: property 'values' does not go up", name);
		value[i] = values[i];
	}
	*n = (unsigned int)len;
	return 0;
}

/* One byte of each float; the caller's, also after a failure. */
static int read_plane(struct eie_reader *r, int parent, unsigned int p, uint64_t n, uint8_t **symbols, uint64_t *bytes)
{
	struct entropy_alphabet a = { ENTROPY_MAX_SYMBOLS, NULL };
	enum entropy_coding coding = ENTROPY_NONE;
	uint8_t value[ENTROPY_MAX_SYMBOLS];
	unsigned int nvalues = 0;
	const uint8_t *blob;
	int node;
	int ret = eie_find_blob(r, parent, planes[p], &node);

	ret = ret ? ret : read_values(r, node, planes[p], value, &nvalues);
	/* the highest bytes have shown how many floats there are */
	if (!ret && nvalues == 1 && p) {
		*symbols = malloc(n);
		if (!*symbols)
			return eie_no_memory(r);
		memset(*symbols, value[0], n);
		return 0;
	}
	if (!ret && nvalues == 1)
		return BAD(r, "%s: one value, and no blob", planes[p]);
	ret = ret ? ret : eie_get_coding(r, node, planes[p], "none", &coding);
	if (ret)
		return ret;
	if (coding != ENTROPY_NONE) {
		a.n = nvalues ? nvalues : a.n;
		ret = eie_read_symbols(r, node, planes[p], coding, &a, n, symbols, bytes);
		for (uint64_t i = 0; !ret && nvalues && i < n; i++)
			(*symbols)[i] = value[(*symbols)[i]];
		return ret;
	}
	ret = eie_get_blob(r, node, planes[p], n, &blob, bytes);
	if (ret)
		return ret;
	*symbols = malloc(n);
	if (!*symbols)
		return eie_no_memory(r);
	memcpy(*symbols, blob, n);
	return 0;
}

static int read_planes(struct eie_reader *r, int node, struct eie_pool *pool)
{
	uint32_t n, *bits;
	int ret = eie_get_u32(r, node, "count", &n);

	if (!ret && (!n || n > NET_MAX_COUNT))
		ret = BAD(r, "%u floats", n);
	pool->n = n;
	for (unsigned int p = 0; !ret && p < REALS_PLANES; p++) {
		uint8_t *symbols = NULL;
		uint64_t bytes = 0;

		ret = read_plane(r, node, p, n, &symbols, &bytes);
		/* memory for as many floats once the file has shown so many highest bytes */
		if (!ret && !p) {
			pool->v = calloc(n, sizeof(*pool->v));
			ret = pool->v ? 0 : eie_no_memory(r);
		}
		bits = (uint32_t *)(void *)pool->v;
		for (uint32_t i = 0; !ret && i < n; i++)
			bits[i] |= (uint32_t)symbols[i] << 8 * (REALS_PLANES - 1 - p);
		pool->bytes += bytes;
		free(symbols);
	}
	return ret;
}

int eie_read_pool(struct eie_reader *r)
{
	int node = fdt_subnode_offset(r->fdt, 0, "reals"), ret = 0;

	if (node < 0)
		return BAD(r, "node 'reals' is missing");
	r->where = "reals";
	if (!r->apart)
		ret = read_planes(r, node, &r->reals[REALS_ALL]);
	for (unsigned int k = REALS_ALL + 1; !ret && r->apart && k < REALS_POOLS; k++) {
		int child = fdt_subnode_offset(r->fdt, node, kinds[k]);

		/* none of this kind */
		ret = child < 0 ? 0 : read_planes(r, child, &r->reals[k]);
	}
	r->where = NULL;
	return ret;
}

int eie_check_pool(struct eie_reader *r)
{
	r->where = NULL;
	for (unsigned int k = 0; k < REALS_POOLS; k++) {
		const struct eie_pool *pool = &r->reals[k];

		if (pool->taken < pool->n)
			return BAD(r, "reals: nothing takes the last %llu of %llu floats", (unsigned long long)(pool->n - pool->taken), (unsigned long long)pool->n);
	}
	return 0;
}

int eie_take_reals(struct eie_reader *r, enum eie_reals_kind kind, const char *name, uint64_t n, float **values, uint64_t *bytes)
{
	struct eie_pool *pool = &r->reals[r->apart ? kind : REALS_ALL];

	if (n > pool->n - pool->taken)
		return BAD(r, "%s: %llu floats, but only %llu are left in 'reals'", name, (unsigned long long)n, (unsigned long long)(pool->n - pool->taken));
	*values = malloc(n ? n * sizeof(**values) : 1);
	if (!*values)
		return eie_no_memory(r);
	if (!n)
		return 0;
	memcpy(*values, pool->v + pool->taken, n * sizeof(**values));
	pool->taken += n;
	*bytes += n * pool->bytes / pool->n;
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
		return ret ? ret : eie_take_reals(r, REALS_CODEBOOKS, "codebook", size, codebook, bytes);
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

int eie_get_floats(struct eie_reader *r, int node, enum eie_reals_kind kind, const char *name, uint64_t n, float **values, uint64_t *bytes)
{
	void *copy;
	int ret;

	if (r->has_reals && fdt_subnode_offset(r->fdt, node, name) < 0)
		return eie_take_reals(r, kind, name, n, values, bytes);
	ret = eie_copy_blob(r, node, name, n, sizeof(**values), &copy);
	if (ret)
		return ret;
	*values = copy;
	*bytes += n * sizeof(**values);
	return 0;
}
