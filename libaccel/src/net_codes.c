// SPDX-License-Identifier: GPL-2.0 OR MIT
#include "net_codes.h"
#include "graph.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static uint32_t bits_of(float f)
{
	uint32_t bits;

	memcpy(&bits, &f, sizeof(bits));
	return bits;
}

/* Values by their bits, in a table of open addresses: 256 entries at most. */
struct table {
	uint32_t key[1024];
	uint16_t code[1024];       /* 0: free; zero itself is not in it */
};

static uint16_t *slot(struct table *t, uint32_t key)
{
	uint32_t at = key * 2654435761u >> 22;

	while (t->code[at] && t->key[at] != key)
		at = (at + 1) % 1024;
	t->key[at] = key;
	return &t->code[at];
}

static void add(struct table *t, const float *codebook, unsigned int n)
{
	for (unsigned int i = 1; i < n; i++) {
		uint16_t *code = slot(t, bits_of(codebook[i]));

		/* of equal entries the first; zeros need no code */
		if (bits_of(codebook[i]) && !*code)
			*code = (uint16_t)i;
	}
}

static bool has_all(struct table *t, const float *v, uint64_t count)
{
	for (uint64_t i = 0; i < count; i++)
		if (bits_of(v[i]) && !*slot(t, bits_of(v[i])))
			return false;
	return true;
}

/* By value, -0 before what is above it; NaNs by their bits at the end. */
static int compare(const void *a, const void *b)
{
	float x = *(const float *)a, y = *(const float *)b;
	uint32_t p = bits_of(x), q = bits_of(y);

	if (x < y || x > y)
		return x < y ? -1 : 1;
	return p < q ? -1 : p > q;
}

/* The different values; false when they are too many. */
static bool collect(struct table *t, const float *v, uint64_t count, float *codebook, unsigned int *n)
{
	*n = 1;
	for (uint64_t i = 0; i < count; i++) {
		uint16_t *code;

		if (!bits_of(v[i]))
			continue;
		code = slot(t, bits_of(v[i]));
		if (*code)
			continue;
		if (*n == 256)
			return false;
		*code = 1;
		codebook[(*n)++] = v[i];
	}
	qsort(codebook + 1, *n - 1, sizeof(*codebook), compare);
	return true;
}

bool net_shares_values(const struct net_value *value, float *codebook, unsigned int *n)
{
	struct table t = { 0 };

	codebook[0] = 0;
	return !value->merged && collect(&t, value->data, value->count, codebook, n) && 2 * (uint64_t)(*n - 1) <= value->count;
}

static int fill(struct net_codes *c, struct table *t, const float *v)
{
	uint32_t at = 0;

	c->code = malloc(c->nnz + (size_t)1);
	c->col = malloc((c->nnz + (size_t)1) * sizeof(*c->col));
	c->rowptr = calloc(c->rows + (size_t)1, sizeof(*c->rowptr));
	if (!c->code || !c->col || !c->rowptr)
		return -ENOMEM;
	for (uint32_t r = 0; r < c->rows; r++) {
		for (uint32_t k = 0; k < c->cols; k++) {
			uint32_t bits = bits_of(v[(uint64_t)r * c->cols + k]);

			if (!bits)
				continue;
			c->col[at] = k;
			c->code[at++] = (uint8_t)*slot(t, bits);
		}
		c->rowptr[r + 1] = at;
	}
	return 0;
}

int net_codes_new(const struct net_value *value, bool own, struct net_codes *c, bool *coded)
{
	const float *v = value->data;
	struct table *t;
	uint64_t nnz = 0;
	int ret = 0;

	*coded = false;
	*c = (struct net_codes){ .rows = value->ndim ? value->dims[0] : 1 };
	if (value->type != NET_F32 || !v || !value->count || value->count / c->rows > ACCEL_MAX_DIM || c->rows > ACCEL_MAX_DIM)
		return 0;
	c->cols = (uint32_t)(value->count / c->rows);
	for (uint64_t i = 0; i < value->count; i++)
		nnz += bits_of(v[i]) != 0;
	if (!nnz || value->count / nnz >= NET_CODES_SPARSE)
		return 0;
	c->nnz = (uint32_t)nnz;
	t = calloc(1, sizeof(*t));
	if (!t)
		return -ENOMEM;
	if (own) {
		c->n = value->ncodes;
		if (c->n)
			memcpy(c->codebook, value->codebook, c->n * sizeof(*c->codebook));
		add(t, c->codebook, c->n);
		*coded = c->n && has_all(t, v, value->count);
	} else if (collect(t, v, value->count, c->codebook, &c->n)) {
		*t = (struct table){ 0 };
		add(t, c->codebook, c->n);
		*coded = true;
	}
	if (*coded) {
		c->bits = c->n <= 16 ? 4 : 8;
		ret = fill(c, t, v);
	}
	free(t);
	if (ret)
		net_codes_free(c);
	return ret;
}

void net_codes_free(struct net_codes *c)
{
	free(c->code);
	free(c->rowptr);
	free(c->col);
	*c = (struct net_codes){ 0 };
}

int net_keep_codebook(struct net_value *value, const float *codebook, unsigned int n)
{
	float *copy = malloc(n * sizeof(*copy));

	if (!copy)
		return -ENOMEM;
	memcpy(copy, codebook, n * sizeof(*copy));
	free(value->codebook);
	value->codebook = copy;
	value->ncodes = n;
	return 0;
}
