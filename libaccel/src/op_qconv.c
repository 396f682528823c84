// SPDX-License-Identifier: GPL-2.0 OR MIT
/* QLinearConv, ConvInteger, QLinearMatMul, MatMulInteger: sums of integers in int32, as ONNX defines them. */
#include "op_bcast.h"
#include "op_conv.h"
#include "op_quant.h"

#include <errno.h>
#include <math.h>
#include <string.h>

#define QUANTISED (1u << NET_U8 | 1u << NET_I8)

/* Where an operator keeps its inputs; -1: it has none. */
struct places {
	int x, x_scale, x_zero, w, w_scale, w_zero, y_scale, y_zero, bias;
};

static const struct places qlinear = { 0, 1, 2, 3, 4, 5, 6, 7, 8 };
static const struct places integer = { 0, -1, 2, 1, -1, 3, -1, -1, -1 };

struct qconv {
	struct conv conv;
	struct places at;
};

struct qmatmul {
	uint32_t m, n, k;
	struct bcast batch;
	struct places at;
};

static const struct tensor *place(const struct op_run *r, int i)
{
	return i >= 0 && (unsigned int)i < r->node->nin && r->in[i].p ? &r->in[i] : NULL;
}

/* Scale or zero point: one number or n. A missing one is not an error. */
static int want_count(const struct op_infer *c, int i, uint64_t n)
{
	const struct net_value *v = i < 0 ? NULL : op_in(c, (unsigned int)i);

	if (v && v->count != 1 && v->count != n)
		return OP_FAIL(c, -EINVAL, "input %d has %llu numbers; 1 or %llu are allowed", i, (unsigned long long)v->count,
			       (unsigned long long)n);
	return 0;
}

static int check_types(const struct op_infer *c, const struct places *p)
{
	const int floats[] = { p->x_scale, p->w_scale, p->y_scale };
	int ret = op_want_any(c, (unsigned int)p->x, QUANTISED);

	ret = ret ? ret : op_want_any(c, (unsigned int)p->w, QUANTISED);
	for (int i = 0; !ret && i < 3; i++)
		ret = floats[i] < 0 ? 0 : op_want(c, (unsigned int)floats[i], NET_F32);
	if (!ret && p->x_zero >= 0)
		ret = op_want(c, (unsigned int)p->x_zero, op_in(c, (unsigned int)p->x)->type);
	if (!ret && p->w_zero >= 0)
		ret = op_want(c, (unsigned int)p->w_zero, op_in(c, (unsigned int)p->w)->type);
	if (!ret && p->y_zero >= 0)
		ret = op_want_any(c, (unsigned int)p->y_zero, QUANTISED);
	if (!ret && p->bias >= 0)
		ret = op_want(c, (unsigned int)p->bias, NET_I32);
	ret = ret ? ret : want_count(c, p->x_scale, 1);
	ret = ret ? ret : want_count(c, p->y_scale, 1);
	return ret ? ret : want_count(c, p->y_zero, 1);
}

static int32_t zero_of(const struct tensor *t, uint64_t i)
{
	return t ? quant_load(t, t->count == 1 ? 0 : i) : 0;
}

/* What ONNX Runtime and the operator's text agree on: the sum times one float, rounded to even, plus the zero point. */
static void requantise(const struct op_run *r, const struct places *at, uint64_t i, int32_t sum, uint64_t channel)
{
	const struct tensor *ws = place(r, at->w_scale);
	float scale;

	if (!ws) {
		r->out[0].i32[i] = sum;
		return;
	}
	scale = place(r, at->x_scale)->f[0] * ws->f[ws->count == 1 ? 0 : channel] / place(r, at->y_scale)->f[0];
	quant_store(&r->out[0], i, rintf((float)sum * scale) + (float)zero_of(place(r, at->y_zero), 0));
}

/* ---------------------------------------------------------------- convolution */

static int infer_conv(const struct op_infer *c, const struct places *at)
{
	struct qconv *p = op_plan(c, sizeof(*p));
	const struct net_value *w = op_in(c, (unsigned int)at->w), *bias = at->bias < 0 ? NULL : op_in(c, (unsigned int)at->bias);
	int ret = p ? check_types(c, at) : -ENOMEM;

	if (ret)
		return ret;
	p->at = *at;
	ret = conv_make(c, op_in(c, 0), w, at->y_zero < 0 ? NET_I32 : op_in(c, (unsigned int)at->y_zero)->type, &p->conv);
	ret = ret ? ret : want_count(c, at->x_zero, 1);
	ret = ret ? ret : want_count(c, at->w_zero, w->dims[0]);
	ret = ret ? ret : want_count(c, at->w_scale, w->dims[0]);
	if (!ret && bias && (bias->ndim != 1 || bias->dims[0] != w->dims[0]))
		ret = OP_FAIL(c, -EINVAL, "a bias of shape %s for %u channels", net_shape_text(bias->ndim, bias->dims).s, w->dims[0]);
	c->node->scratch = p->conv.w.out_count * sizeof(int32_t);
	return ret;
}

int op_qlinear_conv_infer(const struct op_infer *c)
{
	return infer_conv(c, &qlinear);
}

int op_conv_integer_infer(const struct op_infer *c)
{
	return infer_conv(c, &integer);
}

/* sums[out] += weight * (x - zero) over the output pixels for which kernel position at sees a pixel; sums wrap */
static void accumulate(const struct window *w, const struct tensor *x, uint64_t plane, int32_t zero, const uint32_t *at, int32_t weight,
		       uint32_t *sums)
{
	int64_t dz = (int64_t)at[0] * w->dilation[0] - w->pad[0], dy = (int64_t)at[1] * w->dilation[1] - w->pad[1];
	int64_t dx = (int64_t)at[2] * w->dilation[2] - w->pad[2];
	uint32_t z0, z1, y0, y1, x0, x1;

	window_range(w->out[0], w->stride[0], dz, w->in[0], &z0, &z1);
	window_range(w->out[1], w->stride[1], dy, w->in[1], &y0, &y1);
	window_range(w->out[2], w->stride[2], dx, w->in[2], &x0, &x1);
	for (uint32_t oz = z0; oz < z1; oz++) {
		for (uint32_t oy = y0; oy < y1; oy++) {
			uint64_t from = plane + (uint64_t)(((oz * (int64_t)w->stride[0] + dz) * w->in[1] + oy * (int64_t)w->stride[1] + dy) *
							   w->in[2] + dx);
			uint32_t *to = sums + ((uint64_t)oz * w->out[1] + oy) * w->out[2];

			for (uint32_t ox = x0; ox < x1; ox++)
				to[ox] += (uint32_t)(weight * (quant_load(x, from + (uint64_t)ox * w->stride[2]) - zero));
		}
	}
}

/* One output channel of one image. */
static void qconv_task(void *arg, size_t task, void *scratch)
{
	const struct op_run *r = arg;
	const struct qconv *q = r->node->plan;
	const struct conv *p = &q->conv;
	const struct tensor *w = place(r, q->at.w), *bias = place(r, q->at.bias);
	uint64_t channels = (uint64_t)p->groups * p->cout, channel = task % channels, n = task / channels, g = channel / p->cout;
	int32_t x_zero = zero_of(place(r, q->at.x_zero), 0), w_zero = zero_of(place(r, q->at.w_zero), channel);
	uint64_t weight = channel * p->k;
	uint32_t *sums = scratch, at[WINDOW_DIMS];

	for (uint64_t i = 0; i < p->w.out_count; i++)
		sums[i] = bias ? (uint32_t)bias->i32[channel] : 0;
	for (uint32_t c = 0; c < p->cin; c++)
		for (at[0] = 0; at[0] < p->w.kernel[0]; at[0]++)
			for (at[1] = 0; at[1] < p->w.kernel[1]; at[1]++)
				for (at[2] = 0; at[2] < p->w.kernel[2]; at[2]++)
					accumulate(&p->w, &r->in[0], conv_in(p, n, g) + c * p->w.in_count, x_zero, at,
						   quant_load(w, weight++) - w_zero, sums);
	for (uint64_t i = 0; i < p->w.out_count; i++)
		requantise(r, &q->at, task * p->w.out_count + i, (int32_t)sums[i], channel);
}

void op_qlinear_conv_run(const struct op_run *r)
{
	const struct qconv *q = r->node->plan;

	if (r->out[0].count)
		pool_run(r->pool, (size_t)q->conv.batch * q->conv.groups * q->conv.cout, qconv_task, (void *)r);
}

void op_conv_integer_run(const struct op_run *r)
{
	op_qlinear_conv_run(r);
}

/* ---------------------------------------------------------------- matrix product */

static int infer_matmul(const struct op_infer *c, const struct places *at)
{
	struct qmatmul *p = op_plan(c, sizeof(*p));
	unsigned int ndim;
	uint32_t dims[NET_MAX_DIMS];
	int ret = p ? check_types(c, at) : -ENOMEM;

	ret = ret ? ret : matmul_shape(c, &p->m, &p->n, &p->k, &p->batch, &ndim, dims);
	if (ret)
		return ret;
	p->at = *at;
	c->node->work = (uint64_t)p->m * p->n * p->k * p->batch.rows * p->batch.inner;
	ret = want_count(c, at->x_zero, p->m);
	ret = ret ? ret : want_count(c, at->w_zero, p->n);
	ret = ret ? ret : want_count(c, at->w_scale, p->n);
	return ret ? ret : op_set(c, 0, at->y_zero < 0 ? NET_I32 : op_in(c, (unsigned int)at->y_zero)->type, ndim, dims);
}

int op_qlinear_matmul_infer(const struct op_infer *c)
{
	return infer_matmul(c, &qlinear);
}

int op_matmul_integer_infer(const struct op_infer *c)
{
	return infer_matmul(c, &integer);
}

static void qmatmul_rows(void *arg, uint64_t first, uint64_t last)
{
	const struct op_run *r = arg;
	const struct qmatmul *p = r->node->plan;
	const struct tensor *a = &r->in[0], *b = place(r, p->at.w);

	for (uint64_t row = first; row < last; row++) {
		uint64_t i = row / p->m, m = row % p->m, col = i % p->batch.inner, at[2];
		int32_t a_zero = zero_of(place(r, p->at.x_zero), m);

		bcast_row(&p->batch, i / p->batch.inner, 2, at);
		at[0] = (at[0] + col * p->batch.stride[0][0]) * p->m * p->k + m * p->k;
		at[1] = (at[1] + col * p->batch.stride[1][0]) * p->k * p->n;
		for (uint32_t n = 0; n < p->n; n++) {
			int32_t b_zero = zero_of(place(r, p->at.w_zero), n);
			uint32_t sum = 0;

			for (uint32_t k = 0; k < p->k; k++)
				sum += (uint32_t)((quant_load(a, at[0] + k) - a_zero) * (quant_load(b, at[1] + (uint64_t)k * p->n + n) - b_zero));
			requantise(r, &p->at, row * p->n + n, (int32_t)sum, n);
		}
	}
}

void op_qlinear_matmul_run(const struct op_run *r)
{
	const struct qmatmul *p = r->node->plan;

	if (r->out[0].count)
		op_parallel(r->pool, p->batch.rows * p->batch.inner * p->m, 1, qmatmul_rows, (void *)r);
}

void op_matmul_integer_run(const struct op_run *r)
{
	op_qlinear_matmul_run(r);
}
