// SPDX-License-Identifier: GPL-2.0 OR MIT
/* Codes and positions of non-zeros: of the engine's layers, and of a network's constants that share few values. docs/eie_format.md. */
#include "container_reader.h"
#include "container_writer.h"
#include "entropy.h"
#include "gaps.h"
#include "graph.h"
#include "net_codes.h"
#include "pool.h"
#include "rice.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define WORTH              48u /* bytes that a coding must win: its properties take room in the tree */
#define WORTH_THREADS      (1u << 17)              /* codes */
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

/* Blob `codes`, found and checked; what is left is decoding, which needs the reader no more. */
struct codes {
	enum entropy_coding coding;
	const uint8_t *blob;
	uint64_t bytes, n;
	unsigned int bits;
	struct entropy_alphabet alphabet;
	uint8_t order[ENTROPY_MAX_SYMBOLS];
	uint8_t *code;             /* [n] the caller's */
	const char *wrong;
};

/* memory only for what the file has shown */
static int check_expansion(struct eie_reader *r, const char *name, uint64_t n, uint64_t bytes)
{
	return n <= ENTROPY_EXPAND * bytes ? 0 : BAD(r, "%s: %llu symbols in %llu bytes; %u a byte are allowed", name, (unsigned long long)n, (unsigned long long)bytes, ENTROPY_EXPAND);
}

/* Bytes of an entropy-coded blob. */
static int get_coded(struct eie_reader *r, int blob_node, const char *name, enum entropy_coding coding, const uint8_t **blob, uint64_t *bytes)
{
	if (!r->entropy)
		return BAD(r, "%s: coding '%s' in a file that does not name the feature '%s'", name, entropy_names[coding], EIE_FEATURE_ENTROPY);
	return eie_get_blob(r, blob_node, name, UINT64_MAX, blob, bytes);
}

int eie_read_symbols(struct eie_reader *r, int blob_node, const char *name, enum entropy_coding coding, const struct entropy_alphabet *a, uint64_t n,
		     uint8_t **symbols, uint64_t *bytes)
{
	const uint8_t *blob;
	const char *wrong;
	int ret = get_coded(r, blob_node, name, coding, &blob, bytes);

	ret = ret ? ret : check_expansion(r, name, n, *bytes);
	if (ret)
		return ret;
	*symbols = malloc(n ? n : 1);
	if (!*symbols)
		return eie_no_memory(r);
	wrong = entropy_decode(coding, blob, *bytes, a, *symbols, n);
	return wrong ? BAD(r, "%s: %s", name, wrong) : 0;
}

static int open_codes(struct eie_reader *r, int node, const float *codebook, struct codes *c)
{
	int blob_node, ret = eie_find_blob(r, node, "codes", &blob_node);

	ret = ret ? ret : eie_get_coding(r, blob_node, "codes", "none", &c->coding);
	if (!ret && c->coding != ENTROPY_NONE) {
		sort_codes(codebook, c->alphabet.n, c->order);
		c->alphabet.order = c->order;
		ret = get_coded(r, blob_node, "codes", c->coding, &c->blob, &c->bytes);
		ret = ret ? ret : check_expansion(r, "codes", c->n, c->bytes);
	} else if (!ret) {
		ret = eie_get_blob(r, blob_node, "codes", c->bits == 4 ? c->n / 2 + c->n % 2 : c->n, &c->blob, &c->bytes);
	}
	if (ret)
		return ret;
	c->code = malloc(c->n ? c->n : 1);
	return c->code ? 0 : eie_no_memory(r);
}

static void decode_codes(struct codes *c)
{
	if (c->coding != ENTROPY_NONE) {
		c->wrong = entropy_decode(c->coding, c->blob, c->bytes, &c->alphabet, c->code, c->n);
		return;
	}
	for (uint64_t i = 0; i < c->n; i++)
		c->code[i] = c->bits == 8 ? c->blob[i] : c->blob[i / 2] >> 4 * (i % 2) & 15;
	if (c->bits == 4 && c->n % 2 && c->blob[c->bytes - 1] >> 4)
		c->wrong = "the last half byte is not zero";
}

/* Blob `index`, the same way. */
struct positions {
	enum entropy_coding coding;
	const uint8_t *blob;
	uint64_t bytes;
	uint32_t rows, cols, nnz, k, symbols;
	struct entropy_alphabet alphabet;
	uint8_t *symbol;           /* [symbols], freed by decode_positions() */
	uint32_t *rowptr, *col;    /* the caller's */
	const char *wrong;
};

static int open_positions(struct eie_reader *r, int node, struct positions *x)
{
	int blob_node, ret = eie_find_blob(r, node, "index", &blob_node);

	ret = ret ? ret : eie_get_coding(r, blob_node, "index", "rice", &x->coding);
	if (!ret && x->coding == ENTROPY_NONE) {
		ret = eie_get_u32(r, blob_node, "rice-bits", &x->k);
		if (!ret && x->k > RICE_K_MAX)
			ret = BAD(r, "index: rice-bits is %u; 0 to %u are allowed", x->k, RICE_K_MAX);
		ret = ret ? ret : eie_get_blob(r, blob_node, "index", UINT64_MAX, &x->blob, &x->bytes);
	} else if (!ret) {
		ret = eie_get_u32(r, blob_node, "alphabet", &x->alphabet.n);
		if (!ret && (x->alphabet.n < 2 || x->alphabet.n > ENTROPY_MAX_SYMBOLS))
			ret = BAD(r, "index: an alphabet of %u symbols; 2 to %u are allowed", x->alphabet.n, ENTROPY_MAX_SYMBOLS);
		ret = ret ? ret : eie_get_u32(r, blob_node, "symbols", &x->symbols);
		ret = ret ? ret : get_coded(r, blob_node, "index", x->coding, &x->blob, &x->bytes);
		ret = ret ? ret : check_expansion(r, "index", x->symbols, x->bytes);
		x->symbol = ret ? NULL : malloc(x->symbols + (size_t)1);
		if (!ret && !x->symbol)
			ret = eie_no_memory(r);
	}
	if (ret)
		return ret;
	x->rowptr = malloc((x->rows + (size_t)1) * sizeof(*x->rowptr));
	x->col = malloc((x->nnz + (size_t)1) * sizeof(*x->col));
	return x->rowptr && x->col ? 0 : eie_no_memory(r);
}

static void decode_positions(struct positions *x)
{
	if (x->coding == ENTROPY_NONE) {
		x->wrong = rice_decode(x->blob, x->bytes, x->k, x->rows, x->cols, x->nnz, x->rowptr, x->col);
	} else {
		x->wrong = entropy_decode(x->coding, x->blob, x->bytes, &x->alphabet, x->symbol, x->symbols);
		if (!x->wrong)
			x->wrong = gaps_decode(x->symbol, x->symbols, x->alphabet.n, x->rows, x->cols, x->nnz, x->rowptr, x->col);
	}
}

/* Codes and positions are streams of their own: two threads decode them. */
struct both {
	struct codes codes;
	struct positions positions;
};

static void decode_one(void *arg, size_t task, void *scratch)
{
	struct both *b = arg;

	(void)scratch;
	if (task)
		decode_positions(&b->positions);
	else
		decode_codes(&b->codes);
}

static void decode_both(struct eie_reader *r, struct both *b)
{
	bool worth = b->codes.n >= WORTH_THREADS;

	if (worth && !r->pool)
		r->pool = pool_new(2);
	if (worth && r->pool) {
		pool_run(r->pool, 2, decode_one, b);
		return;
	}
	decode_one(b, 0, NULL);
	decode_one(b, 1, NULL);
}

/* Of [rows, cols], nnz of them. What is made is the caller's, also after a failure. */
static int read_weights(struct eie_reader *r, int node, struct both *b, const float *codebook)
{
	int ret = open_codes(r, node, codebook, &b->codes);

	ret = ret ? ret : open_positions(r, node, &b->positions);
	if (!ret)
		decode_both(r, b);
	free(b->positions.symbol);
	if (!ret && b->codes.wrong)
		ret = BAD(r, "codes: %s", b->codes.wrong);
	if (!ret && b->positions.wrong)
		ret = BAD(r, "index: %s", b->positions.wrong);
	return ret;
}

/* All places of [rows, wide] are taken. */
static int fill_places(struct eie_reader *r, struct accel_layer *layer, uint32_t wide)
{
	layer->rowptr = malloc((layer->rows + (size_t)1) * sizeof(*layer->rowptr));
	layer->col = malloc((layer->nnz + 1) * sizeof(*layer->col));
	if (!layer->rowptr || !layer->col)
		return eie_no_memory(r);
	for (uint32_t row = 0; row <= layer->rows; row++)
		layer->rowptr[row] = row * wide;
	for (uint32_t i = 0; i < layer->nnz; i++)
		layer->col[i] = i % wide;
	return 0;
}

int eie_read_weights(struct eie_reader *r, int node, uint32_t groups, struct accel_layer *layer)
{
	uint32_t wide = groups ? layer->cols / groups : 0;
	struct both b = { .codes = { .n = layer->nnz, .bits = layer->code_bits, .alphabet.n = layer->ncodes },
			  .positions = { .rows = layer->rows, .cols = wide, .nnz = (uint32_t)layer->nnz } };
	int ret;

	if (!groups || layer->rows % groups || layer->cols % groups)
		return BAD(r, "%u x %u weights in %u groups", layer->rows, layer->cols, groups);
	if (r->places && fdt_getprop(r->fdt, node, "places", NULL) && layer->nnz == (uint64_t)layer->rows * wide) {
		ret = open_codes(r, node, layer->codebook, &b.codes);
		if (!ret)
			decode_codes(&b.codes);
		ret = !ret && b.codes.wrong ? BAD(r, "codes: %s", b.codes.wrong) : ret;
		ret = ret ? ret : fill_places(r, layer, wide);
	} else {
		ret = read_weights(r, node, &b, layer->codebook);
		layer->rowptr = b.positions.rowptr;
		layer->col = b.positions.col;
	}
	layer->code = b.codes.code;
	layer->file_bytes_codes = b.codes.bytes;
	layer->file_bytes_index = b.positions.bytes;
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
	struct both b;
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
	b = (struct both){ .codes = { .n = c->nnz, .bits = c->bits, .alphabet.n = c->n }, .positions = { .rows = c->rows, .cols = c->cols, .nnz = c->nnz } };
	ret = ret ? ret : read_weights(r, node, &b, c->codebook);
	c->code = b.codes.code;
	c->rowptr = b.positions.rowptr;
	c->col = b.positions.col;
	v->stored_bytes += b.codes.bytes + b.positions.bytes;
	/* the codes are there before memory is taken for what they stand for: at most ELEMENTS a byte */
	if (!ret && v->count / ELEMENTS > b.codes.bytes)
		ret = BAD(r, "codes: %llu elements in %llu bytes", (unsigned long long)v->count, (unsigned long long)b.codes.bytes);
	if (ret)
		return ret;
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
