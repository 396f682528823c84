// SPDX-License-Identifier: GPL-2.0 OR MIT
/* Codes and positions of non-zeros: of the engine's layers, and of a network's constants that share few values. docs/eie_format.md. */
#include "container_reader.h"
#include "container_writer.h"
#include "entropy.h"
#include "gaps.h"
#include "graph.h"
#include "net_codes.h"
#include "rice.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define WORTH              48u /* bytes that a coding must win: its properties take room in the tree */
#define ELEMENTS           (2 * NET_CODES_SPARSE)   /* of a constant to a byte of its codes, at most */

/* ---------------------------------------------------------------- writing */

/* Bits of a float in the order of the values: codes of neighbours are about as frequent, and no file may hold floats that have no order. */
static uint32_t sort_key(float f)
{
	uint32_t bits = eie_float_bits(f);

	return bits >> 31 ? ~bits : bits | 0x80000000u;
}

/* Codes by the values that they stand for; of equal ones the lower first. */
static void sort_codes(const float *codebook, unsigned int n, uint8_t *order)
{
	for (unsigned int i = 0; i < n; i++) {
		unsigned int at = i;

		for (; at && sort_key(codebook[order[at - 1]]) > sort_key(codebook[i]); at--)
			order[at] = order[at - 1];
		order[at] = (uint8_t)i;
	}
}

/* A blob of symbols; its node stays open. Takes coded over. */
static void put_coded_blob(struct eie_writer *w, const char *name, enum entropy_coding coding, uint8_t *coded, size_t size)
{
	uint8_t *blob = eie_blob_alloc(w, size);

	if (blob)
		memcpy(blob, coded, size);
	free(coded);
	eie_blob_node(w, name, blob, size);
	eie_put_string(w, "coding", entropy_names[coding]);
	w->entropy = true;
}

uint64_t eie_put_codes(struct eie_writer *w, const uint8_t *code, uint64_t nnz, unsigned int bits, const float *codebook, unsigned int ncodes,
		       uint64_t elements)
{
	size_t size = bits == 4 ? nnz / 2 + nnz % 2 : nnz;
	uint8_t order[ENTROPY_MAX_SYMBOLS], *blob;
	const struct entropy_alphabet a = { ncodes, order };
	uint64_t count[ENTROPY_MAX_SYMBOLS] = { 0 };
	struct entropy_plan plan;

	sort_codes(codebook, ncodes, order);
	for (uint64_t i = 0; i < nnz; i++)
		count[code[i]]++;
	entropy_plan(count, &a, &plan);
	if (plan.coding != ENTROPY_NONE && plan.bytes + WORTH < size && elements / ELEMENTS < plan.bytes) {
		if (entropy_encode(&plan, &a, code, nnz, &blob, &size)) {
			w->no_memory = true;
			return 0;
		}
		put_coded_blob(w, "codes", plan.coding, blob, size);
		eie_end(w);
		return size;
	}
	blob = eie_blob_alloc(w, size);
	for (uint64_t i = 0; blob && i < nnz; i++) {
		if (bits == 8)
			blob[i] = code[i];
		else
			blob[i / 2] |= (uint8_t)(code[i] << 4 * (i % 2));
	}
	eie_blob_node(w, "codes", blob, size);
	eie_end(w);
	return size;
}

uint64_t eie_put_index(struct eie_writer *w, const uint32_t *rowptr, const uint32_t *col, uint32_t rows, uint32_t cols)
{
	uint64_t bits;
	unsigned int k = rice_best(rowptr, col, rows, cols, &bits);
	size_t size = (bits + 7) / 8;
	struct gaps_plan plan;
	uint8_t *blob;
	int ret = gaps_plan(rowptr, col, rows, cols, &plan);

	if (!ret && plan.entropy.coding != ENTROPY_NONE && plan.entropy.bytes + WORTH < size) {
		ret = gaps_encode(&plan, rowptr, col, rows, cols, &blob, &size);
		if (!ret) {
			put_coded_blob(w, "index", plan.entropy.coding, blob, size);
			eie_put_u32(w, "alphabet", plan.alphabet);
			eie_put_u32(w, "symbols", (uint32_t)plan.symbols);
			eie_end(w);
			return size;
		}
	}
	w->no_memory = w->no_memory || ret;
	blob = eie_blob_alloc(w, size);
	if (blob)
		rice_encode(rowptr, col, rows, cols, k, blob);
	eie_blob_node(w, "index", blob, size);
	eie_put_string(w, "coding", "rice");
	eie_put_u32(w, "rice-bits", k);
	eie_end(w);
	return size;
}

uint32_t eie_groups_of(const struct accel_layer *layer)
{
	uint32_t groups = layer->kind == ACCEL_LAYER_CONV ? layer->window.groups : 1, wide;

	if (groups < 2 || layer->rows % groups || layer->cols % groups)
		return 1;
	wide = layer->cols / groups;
	for (uint32_t r = 0; r < layer->rows; r++)
		for (uint32_t i = layer->rowptr[r]; i < layer->rowptr[r + 1]; i++)
			if (layer->col[i] / wide != r / (layer->rows / groups))
				return 1;
	return groups;
}

uint64_t eie_put_places(struct eie_writer *w, const struct accel_layer *layer, uint32_t groups)
{
	uint32_t wide = layer->cols / groups, *col;
	uint64_t bytes;

	if (layer->nnz == (uint64_t)layer->rows * wide)
		return 0;
	col = malloc((layer->nnz + 1) * sizeof(*col));
	if (!col) {
		w->no_memory = true;
		return 0;
	}
	for (uint64_t i = 0; i < layer->nnz; i++)
		col[i] = layer->col[i] % wide;
	bytes = eie_put_index(w, layer->rowptr, col, layer->rows, wide);
	free(col);
	return bytes;
}

/* The shorter of plain and coded; of codebooks the constant's own if that makes it shorter at all. */
static int choose(const struct net_value *v, struct net_codes *c, bool *coded)
{
	uint64_t bits;

	for (int own = 1; own >= 0; own--) {
		int ret = net_codes_new(v, own, c, coded);

		if (ret)
			return ret;
		if (!*coded)
			continue;
		rice_best(c->rowptr, c->col, c->rows, c->cols, &bits);
		/* blobs and properties of their own take room in the tree */
		if (bits / 8 + (uint64_t)c->nnz * c->bits / 8 + c->n * sizeof(float) + 256 < v->count * sizeof(float))
			return 0;
		net_codes_free(c);
		*coded = false;
	}
	return 0;
}

bool eie_is_coded(const struct net_value *v)
{
	struct net_codes c;
	bool coded;

	/* one that cannot be coded for want of memory cannot be written either, and that says so */
	if (choose(v, &c, &coded))
		return true;
	if (coded)
		net_codes_free(&c);
	return coded;
}

void eie_put_coded(struct eie_writer *w, const struct net_value *v)
{
	struct net_codes c;
	uint64_t bytes = 0;
	bool coded;

	if (choose(v, &c, &coded) || !coded) {
		w->no_memory = true;
		return;
	}
	eie_put_u32(w, "nnz", c.nnz);
	eie_put_u32(w, "code-bits", c.bits);
	eie_put_codebook(w, c.codebook, c.n, &bytes);
	eie_put_codes(w, c.code, c.nnz, c.bits, c.codebook, c.n, v->count);
	eie_put_index(w, c.rowptr, c.col, c.rows, c.cols);
	net_codes_free(&c);
}

/* ---------------------------------------------------------------- reading */

int eie_read_symbols(struct eie_reader *r, int blob_node, const char *name, enum entropy_coding coding, const struct entropy_alphabet *a, uint64_t n,
		     uint8_t **symbols, uint64_t *bytes)
{
	const uint8_t *blob;
	const char *wrong;
	int ret = r->entropy ? eie_get_blob(r, blob_node, name, UINT64_MAX, &blob, bytes) :
			       BAD(r, "%s: coding '%s' in a file that does not name the feature '%s'", name, entropy_names[coding], EIE_FEATURE_ENTROPY);

	if (ret)
		return ret;
	/* memory only for what the file has shown */
	if (n > ENTROPY_EXPAND * *bytes)
		return BAD(r, "%s: %llu symbols in %llu bytes; %u a byte are allowed", name, (unsigned long long)n, (unsigned long long)*bytes, ENTROPY_EXPAND);
	*symbols = malloc(n ? n : 1);
	if (!*symbols)
		return eie_no_memory(r);
	wrong = entropy_decode(coding, blob, *bytes, a, *symbols, n);
	return wrong ? BAD(r, "%s: %s", name, wrong) : 0;
}

int eie_read_codes(struct eie_reader *r, int node, uint64_t nnz, unsigned int bits, const float *codebook, unsigned int ncodes, uint8_t **code,
		   uint64_t *bytes)
{
	uint8_t order[ENTROPY_MAX_SYMBOLS];
	const struct entropy_alphabet a = { ncodes, order };
	enum entropy_coding coding = ENTROPY_NONE;
	const uint8_t *blob;
	int blob_node;
	int ret = eie_find_blob(r, node, "codes", &blob_node);

	ret = ret ? ret : eie_get_coding(r, blob_node, "codes", "none", &coding);
	if (!ret && coding != ENTROPY_NONE) {
		sort_codes(codebook, ncodes, order);
		return eie_read_symbols(r, blob_node, "codes", coding, &a, nnz, code, bytes);
	}
	if (!ret)
		ret = eie_get_blob(r, blob_node, "codes", bits == 4 ? nnz / 2 + nnz % 2 : nnz, &blob, bytes);
	if (ret)
		return ret;
	*code = malloc(nnz ? nnz : 1);
	if (!*code)
		return eie_no_memory(r);
	for (uint64_t i = 0; i < nnz; i++)
		(*code)[i] = bits == 8 ? blob[i] : blob[i / 2] >> 4 * (i % 2) & 15;
	if (bits == 4 && nnz % 2 && blob[*bytes - 1] >> 4)
		return BAD(r, "codes: the last half byte is not zero");
	return 0;
}

static int read_rice(struct eie_reader *r, int blob_node, uint32_t rows, uint32_t cols, uint32_t nnz, uint32_t *rowptr, uint32_t *col, uint64_t *bytes)
{
	const char *wrong;
	const uint8_t *blob;
	uint32_t k = 0;
	int ret = eie_get_u32(r, blob_node, "rice-bits", &k);

	if (!ret && k > RICE_K_MAX)
		ret = BAD(r, "index: rice-bits is %u; 0 to %u are allowed", k, RICE_K_MAX);
	if (!ret)
		ret = eie_get_blob(r, blob_node, "index", UINT64_MAX, &blob, bytes);
	if (ret)
		return ret;
	wrong = rice_decode(blob, *bytes, k, rows, cols, nnz, rowptr, col);
	return wrong ? BAD(r, "index: %s", wrong) : 0;
}

static int read_gaps(struct eie_reader *r, int blob_node, enum entropy_coding coding, uint32_t rows, uint32_t cols, uint32_t nnz, uint32_t *rowptr,
		     uint32_t *col, uint64_t *bytes)
{
	struct entropy_alphabet a = { 0 };
	uint8_t *symbols = NULL;
	const char *wrong;
	uint32_t n;
	int ret = eie_get_u32(r, blob_node, "alphabet", &a.n);

	if (!ret && (a.n < 2 || a.n > ENTROPY_MAX_SYMBOLS))
		ret = BAD(r, "index: an alphabet of %u symbols; 2 to %u are allowed", a.n, ENTROPY_MAX_SYMBOLS);
	ret = ret ? ret : eie_get_u32(r, blob_node, "symbols", &n);
	ret = ret ? ret : eie_read_symbols(r, blob_node, "index", coding, &a, n, &symbols, bytes);
	if (!ret) {
		wrong = gaps_decode(symbols, n, a.n, rows, cols, nnz, rowptr, col);
		ret = wrong ? BAD(r, "index: %s", wrong) : 0;
	}
	free(symbols);
	return ret;
}

int eie_read_index(struct eie_reader *r, int node, uint32_t rows, uint32_t cols, uint32_t nnz, uint32_t **rowptr, uint32_t **col,
		   uint64_t *bytes)
{
	enum entropy_coding coding = ENTROPY_NONE;
	int blob_node;
	int ret = eie_find_blob(r, node, "index", &blob_node);

	ret = ret ? ret : eie_get_coding(r, blob_node, "index", "rice", &coding);
	if (ret)
		return ret;
	*rowptr = malloc((rows + (size_t)1) * sizeof(**rowptr));
	*col = malloc((nnz ? nnz : 1) * sizeof(**col));
	if (!*rowptr || !*col)
		return eie_no_memory(r);
	if (coding == ENTROPY_NONE)
		return read_rice(r, blob_node, rows, cols, nnz, *rowptr, *col, bytes);
	return read_gaps(r, blob_node, coding, rows, cols, nnz, *rowptr, *col, bytes);
}

int eie_read_places(struct eie_reader *r, int node, uint32_t groups, struct accel_layer *layer)
{
	uint32_t wide = groups ? layer->cols / groups : 0;
	int ret = 0;

	if (!groups || layer->rows % groups || layer->cols % groups)
		return BAD(r, "%u x %u weights in %u groups", layer->rows, layer->cols, groups);
	if (layer->nnz != (uint64_t)layer->rows * wide) {
		ret = eie_read_index(r, node, layer->rows, wide, (uint32_t)layer->nnz, &layer->rowptr, &layer->col, &layer->file_bytes_index);
	} else {
		layer->rowptr = malloc((layer->rows + (size_t)1) * sizeof(*layer->rowptr));
		layer->col = malloc((layer->nnz + 1) * sizeof(*layer->col));
		if (!layer->rowptr || !layer->col)
			return eie_no_memory(r);
		for (uint32_t row = 0; row <= layer->rows; row++)
			layer->rowptr[row] = row * wide;
		for (uint32_t i = 0; i < layer->nnz; i++)
			layer->col[i] = i % wide;
	}
	for (uint32_t row = 0; !ret && groups > 1 && row < layer->rows; row++)
		for (uint32_t i = layer->rowptr[row]; i < layer->rowptr[row + 1]; i++)
			layer->col[i] += row / (layer->rows / groups) * wide;
	return ret;
}

/* Elements from codes; c has been filled as far as the file goes. */
static int expand(struct eie_reader *r, const struct net_codes *c, float *to)
{
	for (uint32_t row = 0; row < c->rows; row++) {
		for (uint32_t i = c->rowptr[row]; i < c->rowptr[row + 1]; i++) {
			if (!c->code[i] || c->code[i] >= c->n)
				return BAD(r, "codes: code %u; the codebook has %u entries, and 0 is no code", c->code[i], c->n);
			to[(uint64_t)row * c->cols + c->col[i]] = c->codebook[c->code[i]];
		}
	}
	return 0;
}

static int read_coded(struct eie_reader *r, int node, struct net_value *v, struct net_codes *c)
{
	float *codebook = NULL;
	uint64_t bytes = 0;
	int ret = eie_get_u32(r, node, "nnz", &c->nnz);

	ret = ret ? ret : eie_get_u32(r, node, "code-bits", &c->bits);
	if (ret)
		return ret;
	if (v->type != NET_F32 || !v->count)
		return BAD(r, "codes of a constant that is not float32, or empty");
	if (c->bits != 4 && c->bits != 8)
		return BAD(r, "codes of %u bits; 4 or 8 are allowed", c->bits);
	c->rows = v->ndim ? v->dims[0] : 1;
	c->cols = (uint32_t)(v->count / c->rows);
	if (c->rows > ACCEL_MAX_DIM || v->count / c->rows > ACCEL_MAX_DIM || !c->nnz || c->nnz > v->count ||
	    v->count / c->nnz >= NET_CODES_SPARSE)
		return BAD(r, "%u x %llu elements with %u codes", c->rows, (unsigned long long)(v->count / c->rows), c->nnz);
	ret = eie_get_codebook(r, node, 1u << c->bits, &codebook, &c->n, &v->stored_bytes);
	if (!ret)
		memcpy(c->codebook, codebook, c->n * sizeof(*codebook));
	free(codebook);
	if (!ret && eie_float_bits(c->codebook[0]))
		return BAD(r, "codebook: the first entry is not 0");
	/* the codes are there before memory is taken for what they stand for: at most ELEMENTS a byte */
	ret = ret ? ret : eie_read_codes(r, node, c->nnz, c->bits, c->codebook, c->n, &c->code, &bytes);
	v->stored_bytes += bytes;
	if (!ret && v->count / ELEMENTS > bytes)
		ret = BAD(r, "codes: %llu elements in %llu bytes", (unsigned long long)v->count, (unsigned long long)bytes);
	ret = ret ? ret : eie_read_index(r, node, c->rows, c->cols, c->nnz, &c->rowptr, &c->col, &bytes);
	if (ret)
		return ret;
	v->stored_bytes += bytes;
	v->data = calloc(v->count, sizeof(float));
	if (!v->data || net_keep_codebook(v, c->codebook, c->n))
		return eie_no_memory(r);
	return expand(r, c, v->data);
}

int eie_read_coded(struct eie_reader *r, int node, struct net_value *v)
{
	struct net_codes c = { 0 };
	int ret = read_coded(r, node, v, &c);

	net_codes_free(&c);
	return ret;
}
