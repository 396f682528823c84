// SPDX-License-Identifier: GPL-2.0 OR MIT
#include "sparse.h"
#include "graph.h"
#include "op.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

int sparse_check(const char *what, const struct accel_sparse *m, struct accel_error *err)
{
	uint32_t *seen;
	int ret = 0;

	if (!m->rows || !m->cols || !m->rowptr || m->rowptr[0])
		return accel_fail(err, -EINVAL, what, "sparse matrix '%s': %u x %u, without row pointers, or with a first one that is not 0", what, m->rows, m->cols);
	for (uint32_t r = 0; r < m->rows; r++)
		if (m->rowptr[r + 1] < m->rowptr[r])
			return accel_fail(err, -EINVAL, what, "sparse matrix '%s': the pointer of row %u is %u, that of the next row %u", what, r, m->rowptr[r], m->rowptr[r + 1]);
	/* row + 1 that each column was last seen in */
	seen = calloc(m->cols, sizeof(*seen));
	if (!seen)
		return accel_fail(err, -ENOMEM, NULL, "out of memory");
	for (uint32_t r = 0; !ret && r < m->rows; r++) {
		for (uint32_t i = m->rowptr[r]; !ret && i < m->rowptr[r + 1]; i++) {
			if (m->col[i] >= m->cols)
				ret = accel_fail(err, -EINVAL, what, "sparse matrix '%s': row %u has column %u of %u", what, r, m->col[i], m->cols);
			else if (seen[m->col[i]] == r + 1)
				ret = accel_fail(err, -EINVAL, what, "sparse matrix '%s': row %u has column %u twice: add them up", what, r, m->col[i]);
			else if (!isfinite(m->value[i]))
				ret = accel_fail(err, -EINVAL, what, "sparse matrix '%s': row %u, column %u is not finite", what, r, m->col[i]);
			else
				seen[m->col[i]] = r + 1;
		}
	}
	free(seen);
	return ret;
}

void sparse_fill(const struct accel_sparse *m, float *dense)
{
	for (uint32_t r = 0; r < m->rows; r++)
		for (uint32_t i = m->rowptr[r]; i < m->rowptr[r + 1]; i++)
			dense[(size_t)r * m->cols + m->col[i]] = m->value[i];
}

bool sparse_is_named(const struct net_node *node, const char *name)
{
	const struct net_attr *a = node->op ? NULL : op_attr(node, SPARSE_ATTR);

	if (!a || a->type != NET_TEXT)
		return false;
	return (*a->text && !strcmp(a->text, name)) || (node->segment->nlayers == 1 && !strcmp(node->segment->layers[0].name, name));
}

/* The layer's code of a value in a row; 0: there is none. A product of value and factor of the row was rounded to float at least once. */
static unsigned int code_of(const struct accel_layer *layer, uint32_t row, float value)
{
	double scale = accel_row_scale(layer, row), slack = layer->row_scale ? 0x1p-20 * fabs((double)value) : 0;

	for (unsigned int c = 1; c < layer->ncodes; c++)
		if (fabs((double)layer->codebook[c] * scale - (double)value) <= slack)
			return c;
	return 0;
}

/* Weights as a layer has them; arrays are freed with free_coded(). */
struct coded {
	uint32_t *rowptr, *col;
	uint8_t *code;
};

static void free_coded(struct coded *c)
{
	free(c->rowptr);
	free(c->col);
	free(c->code);
}

/* An entry of a row that is being put in the order of the columns. */
struct entry {
	uint32_t col;
	float value;
};

static int by_column(const void *a, const void *b)
{
	uint32_t x = ((const struct entry *)a)->col, y = ((const struct entry *)b)->col;

	return x < y ? -1 : x > y;
}

static int encode_row(const struct accel_layer *layer, const struct accel_sparse *m, uint32_t r, struct entry *e, struct coded *to, struct accel_error *err)
{
	uint32_t n = 0, at = to->rowptr[r];

	for (uint32_t i = m->rowptr[r]; i < m->rowptr[r + 1]; i++)
		if (m->value[i] != 0)
			e[n++] = (struct entry){ m->col[i], m->value[i] };
	qsort(e, n, sizeof(*e), by_column);
	for (uint32_t i = 0; i < n; i++, at++) {
		unsigned int code = code_of(layer, r, e[i].value);

		if (!code)
			return accel_fail(err, -EDOM, layer->name,
					  "layer '%s': row %u, column %u is %.9g, which its codebook of %u values has not: import the network with a matrix that has all values",
					  layer->name, r, e[i].col, (double)e[i].value, layer->ncodes - 1);
		to->col[at] = e[i].col;
		to->code[at] = (uint8_t)code;
	}
	to->rowptr[r + 1] = at;
	return 0;
}

static int encode(const struct accel_layer *layer, const struct accel_sparse *m, struct coded *to, struct accel_error *err)
{
	size_t nnz = m->rowptr[m->rows];
	struct entry *e = malloc((m->cols + (size_t)1) * sizeof(*e));
	int ret;

	*to = (struct coded){ calloc((size_t)m->rows + 1, sizeof(*to->rowptr)), malloc((nnz + 1) * sizeof(*to->col)), malloc(nnz + 1) };
	ret = e && to->rowptr && to->col && to->code ? 0 : accel_fail(err, -ENOMEM, NULL, "out of memory");
	for (uint32_t r = 0; !ret && r < m->rows; r++)
		ret = encode_row(layer, m, r, e, to, err);
	free(e);
	return ret;
}

static void keep_range(struct accel_graph *graph, unsigned int tensor, const struct accel_tensor *from)
{
	struct accel_tensor *t = &graph->model->tensors[tensor];

	t->range_lo = from->range_lo;
	t->range_hi = from->range_hi;
	t->calibrated = from->calibrated;
	graph->measured[tensor] = true;
}

int sparse_segment(const struct net_node *node, const struct accel_sparse *m, struct accel_model **segment, struct accel_error *err)
{
	const struct accel_model *old = node->segment;
	const struct accel_layer *layer = &old->layers[0];
	const struct accel_tensor *in = &old->tensors[layer->input], *out = &old->tensors[layer->output];
	struct accel_graph *graph = NULL;
	struct coded coded = { 0 };
	unsigned int x, y;
	int ret;

	if (old->nlayers != 1 || layer->kind != ACCEL_LAYER_CONV || layer->window.groups != 1)
		return accel_fail(err, -ENOTSUP, layer->name, "layer '%s' is not the product of a matrix alone: its weights cannot be replaced", layer->name);
	if (m->rows != layer->rows || m->cols != layer->cols)
		return accel_fail(err, -EINVAL, layer->name, "layer '%s' multiplies a matrix of %u x %u; the one given is %u x %u", layer->name, layer->rows, layer->cols,
				  m->rows, m->cols);
	ret = encode(layer, m, &coded, err);
	if (!ret && accel_graph_new(&graph))
		ret = accel_fail(err, -ENOMEM, NULL, "out of memory");
	/* any range: the old one follows */
	ret = ret ? ret : accel_graph_input(graph, in->name, in->ndim, in->dims, 0, 1, &x, err);
	if (!ret) {
		const struct accel_csr csr = { m->rows, m->cols, coded.rowptr, coded.col, coded.code, layer->codebook, layer->ncodes, layer->bias, layer->row_scale };

		keep_range(graph, x, in);
		ret = accel_graph_add_conv_csr(graph, layer->name, x, &csr, &layer->window, layer->activation, &y, err);
	}
	if (!ret) {
		keep_range(graph, y, out);
		ret = accel_graph_finish(graph, segment, err);
	}
	accel_graph_free(graph);
	free_coded(&coded);
	return ret;
}
