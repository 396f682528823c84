// SPDX-License-Identifier: GPL-2.0 OR MIT
/* MatMul and Gemm in float32. */
#include "gemm.h"
#include "op_bcast.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define BLOCK_ROWS 128u

/* y[m][n] = alpha * a[m][k] b[k][n] + beta * bias; a and b by their strides. */
struct product {
	uint32_t m, n, k;
	uint64_t a_row, a_col, b_row, b_col;
	float alpha, beta;
	uint64_t tiles, blocks;
	uint64_t bias_row, bias_col;
	struct bcast batch;          /* of whole matrices: MatMul */
	bool dot;                    /* rows of a and columns of b are both contiguous, and few rows: dot products */
};

static int product_finish(const struct op_infer *c, struct product *p)
{
	c->node->work = (uint64_t)p->m * p->n * p->k * (p->batch.ndim ? p->batch.rows * p->batch.inner : 1);
	p->tiles = (p->n + GEMM_COLS - 1) / GEMM_COLS;
	p->blocks = (p->m + BLOCK_ROWS - 1) / BLOCK_ROWS;
	p->dot = p->a_col == 1 && p->b_row == 1 && p->m <= 4;
	if (p->k > 1 << 20 && !p->dot)
		return OP_FAIL(c, -ENOTSUP, "sums of %u products; at most 2^20 are supported", p->k);
	c->node->scratch = p->dot ? 0 : ((size_t)p->k * (GEMM_COLS + BLOCK_ROWS) + (size_t)BLOCK_ROWS * GEMM_COLS) * sizeof(float);
	return 0;
}

int op_gemm_infer(const struct op_infer *c)
{
	const struct net_value *a = op_in(c, 0), *b = op_in(c, 1), *bias = op_in(c, 2);
	struct product *p = op_plan(c, sizeof(*p));
	int64_t ta, tb;
	uint32_t dims[2];
	int ret = p ? 0 : -ENOMEM;

	for (unsigned int i = 0; !ret && i < 3; i++)
		ret = op_want(c, i, NET_F32);
	ret = ret ? ret : op_attr_int(c, "transA", 0, INT32_MIN, INT32_MAX, &ta);
	ret = ret ? ret : op_attr_int(c, "transB", 0, INT32_MIN, INT32_MAX, &tb);
	ret = ret ? ret : op_attr_float(c, "alpha", 1, &p->alpha);
	ret = ret ? ret : op_attr_float(c, "beta", 1, &p->beta);
	if (ret)
		return ret;
	if (a->ndim != 2 || b->ndim != 2)
		return OP_FAIL(c, -EINVAL, "inputs of shape %s and %s; two dimensions are needed", net_shape_text(a->ndim, a->dims).s,
			       net_shape_text(b->ndim, b->dims).s);
	p->m = a->dims[!!ta];
	p->k = a->dims[!ta];
	p->n = b->dims[!tb];
	if (b->dims[!!tb] != p->k)
		return OP_FAIL(c, -EINVAL, "matrices of %s and %s do not fit", net_shape_text(2, a->dims).s, net_shape_text(2, b->dims).s);
	p->a_row = ta ? 1 : p->k;
	p->a_col = ta ? p->m : 1;
	p->b_row = tb ? 1 : p->n;
	p->b_col = tb ? p->k : 1;
	dims[0] = p->m;
	dims[1] = p->n;
	if (bias) {
		unsigned int ndim = 2;
		uint32_t all[NET_MAX_DIMS] = { p->m, p->n };
		uint64_t stride[2];

		ret = op_broadcast(c, &ndim, all, bias);
		if (ret)
			return ret;
		if (ndim != 2 || all[0] != p->m || all[1] != p->n)
			return OP_FAIL(c, -EINVAL, "a bias of shape %s for %s", net_shape_text(bias->ndim, bias->dims).s,
				       net_shape_text(2, dims).s);
		op_strides(2, dims, bias->ndim, bias->dims, stride);
		p->bias_row = stride[0];
		p->bias_col = stride[1];
	}
	p->batch.rows = 1;
	ret = product_finish(c, p);
	return ret ? ret : op_set(c, 0, NET_F32, 2, dims);
}

/* Shapes of MatMul: dims of the output, and the batch of matrices as broadcast values of one element a matrix. */
int matmul_shape(const struct op_infer *c, uint32_t *m, uint32_t *n, uint32_t *k, struct bcast *batch, unsigned int *ndim,
		 uint32_t *dims)
{
	const struct net_value *a = op_in(c, 0), *b = op_in(c, !strcmp(c->node->op->name, "QLinearMatMul") ? 3 : 1);
	struct net_value am = { .ndim = a->ndim < 2 ? 0 : a->ndim - 2 }, bm = { .ndim = b->ndim < 2 ? 0 : b->ndim - 2 };
	const struct net_value *both[2] = { &am, &bm };
	int ret;

	if (!a->ndim || !b->ndim)
		return OP_FAIL(c, -EINVAL, "a scalar has no matrix product");
	*m = a->ndim == 1 ? 1 : a->dims[a->ndim - 2];
	*k = a->dims[a->ndim - 1];
	*n = b->ndim == 1 ? 1 : b->dims[b->ndim - 1];
	if (b->dims[b->ndim == 1 ? 0 : b->ndim - 2] != *k)
		return OP_FAIL(c, -EINVAL, "matrices of %s and %s do not fit", net_shape_text(a->ndim, a->dims).s,
			       net_shape_text(b->ndim, b->dims).s);
	memcpy(am.dims, a->dims, am.ndim * sizeof(*dims));
	memcpy(bm.dims, b->dims, bm.ndim * sizeof(*dims));
	*ndim = am.ndim;
	memcpy(dims, am.dims, am.ndim * sizeof(*dims));
	ret = op_broadcast(c, ndim, dims, &bm);
	if (ret)
		return ret;
	if (net_count(*ndim, dims) == UINT64_MAX)
		return OP_FAIL(c, -E2BIG, "too many matrices");
	bcast_make(batch, *ndim, dims, 2, both);
	if (!net_count(*ndim, dims))
		batch->rows = batch->inner = 0;
	if (*ndim + 2 > NET_MAX_DIMS)
		return OP_FAIL(c, -ENOTSUP, "%u dimensions; at most %d are supported", *ndim + 2, NET_MAX_DIMS);
	if (a->ndim > 1)
		dims[(*ndim)++] = *m;
	if (b->ndim > 1)
		dims[(*ndim)++] = *n;
	return 0;
}

int op_matmul_infer(const struct op_infer *c)
{
	struct product *p = op_plan(c, sizeof(*p));
	unsigned int ndim;
	uint32_t dims[NET_MAX_DIMS];
	int ret = p ? op_want(c, 0, NET_F32) : -ENOMEM;

	ret = ret ? ret : op_want(c, 1, NET_F32);
	ret = ret ? ret : matmul_shape(c, &p->m, &p->n, &p->k, &p->batch, &ndim, dims);
	if (ret)
		return ret;
	p->alpha = 1;
	p->a_row = p->k;
	p->b_row = p->n;
	p->a_col = p->b_col = 1;
	ret = product_finish(c, p);
	return ret ? ret : op_set(c, 0, NET_F32, ndim, dims);
}

/* ---------------------------------------------------------------- kernels */

/* Where matrix i of the batch begins in a and b. */
static void matrices(const struct op_run *r, const struct product *p, uint64_t i, const float **a, const float **b)
{
	uint64_t at[2] = { 0 }, col = 0;

	if (p->batch.ndim) {
		bcast_row(&p->batch, i / p->batch.inner, 2, at);
		col = i % p->batch.inner;
	}
	*a = r->in[0].f + (at[0] + col * p->batch.stride[0][0]) * p->m * p->k;
	*b = r->in[1].f + (at[1] + col * p->batch.stride[1][0]) * p->k * p->n;
}

static float finish(const struct op_run *r, const struct product *p, float sum, uint32_t row, uint32_t col)
{
	float v = p->alpha * sum;

	if (r->node->nin > 2 && r->in[2].f)
		v += p->beta * r->in[2].f[row * p->bias_row + col * p->bias_col];
	return v;
}

static void product_task(void *arg, size_t task, void *scratch)
{
	const struct op_run *r = arg;
	const struct product *p = r->node->plan;
	uint64_t block = task % p->blocks, tile = task / p->blocks % p->tiles, i = task / p->blocks / p->tiles;
	uint32_t row0 = (uint32_t)(block * BLOCK_ROWS), col0 = (uint32_t)(tile * GEMM_COLS);
	uint32_t rows = p->m - row0 < BLOCK_ROWS ? p->m - row0 : BLOCK_ROWS, cols = p->n - col0 < GEMM_COLS ? p->n - col0 : GEMM_COLS;
	float *panel = scratch, *out = panel + (size_t)p->k * GEMM_COLS, *turned = out + (size_t)BLOCK_ROWS * GEMM_COLS;
	float *y = r->out[0].f + i * p->m * p->n;
	const float *a, *b;

	matrices(r, p, i, &a, &b);
	a += row0 * p->a_row;
	for (uint32_t k = 0; k < p->k; k++) {
		const float *from = b + k * p->b_row + col0 * p->b_col;

		if (p->b_col == 1)
			memcpy(panel + (size_t)k * GEMM_COLS, from, cols * sizeof(*panel));
		for (uint32_t j = 0; p->b_col != 1 && j < cols; j++)
			panel[(size_t)k * GEMM_COLS + j] = from[j * p->b_col];
		memset(panel + (size_t)k * GEMM_COLS + cols, 0, (GEMM_COLS - cols) * sizeof(*panel));
	}
	if (p->a_col != 1) {
		for (uint32_t row = 0; row < rows; row++)
			for (uint32_t k = 0; k < p->k; k++)
				turned[(size_t)row * p->k + k] = a[row * p->a_row + k * p->a_col];
		a = turned;
	}
	gemm_panel(a, p->a_col != 1 ? p->k : p->a_row, rows, p->k, panel, NULL, out);
	for (uint32_t row = 0; row < rows; row++) {
		float *to = y + (uint64_t)(row0 + row) * p->n + col0;

		for (uint32_t j = 0; j < cols; j++)
			to[j] = finish(r, p, out[(size_t)row * GEMM_COLS + j], row0 + row, col0 + j);
		op_activate(&r->node->act, to, cols);
	}
}

/* 64 columns of one row. */
static void dot_task(void *arg, size_t task, void *scratch)
{
	const struct op_run *r = arg;
	const struct product *p = r->node->plan;
	uint64_t tile = task % p->tiles, row = task / p->tiles % p->m, i = task / p->tiles / p->m;
	uint32_t col0 = (uint32_t)(tile * GEMM_COLS), cols = p->n - col0 < GEMM_COLS ? p->n - col0 : GEMM_COLS;
	float *y = r->out[0].f + i * p->m * p->n + row * p->n + col0;
	const float *a, *b;

	(void)scratch;
	matrices(r, p, i, &a, &b);
	for (uint32_t j = 0; j < cols; j++)
		y[j] = finish(r, p, gemm_dot(a + row * p->a_row, b + (col0 + j) * p->b_col, p->k), (uint32_t)row, col0 + j);
	op_activate(&r->node->act, y, cols);
}

static void run_product(const struct op_run *r)
{
	const struct product *p = r->node->plan;
	uint64_t n = p->batch.ndim ? p->batch.rows * p->batch.inner : 1;

	if (!r->out[0].count)
		return;
	if (p->dot)
		pool_run(r->pool, (size_t)(n * p->m * p->tiles), dot_task, (void *)r);
	else
		pool_run(r->pool, (size_t)(n * p->tiles * p->blocks), product_task, (void *)r);
}

void op_gemm_run(const struct op_run *r)
{
	run_product(r);
}

void op_matmul_run(const struct op_run *r)
{
	run_product(r);
}
