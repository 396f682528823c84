// SPDX-License-Identifier: GPL-2.0 OR MIT
/* Max, average and global pooling. */
#include "op_window.h"
#include "wide.h"

#include <errno.h>
#include <math.h>
#include <string.h>

int op_pool_infer(const struct op_infer *c)
{
	const struct net_value *x = op_in(c, 0);
	struct pooling *p = op_plan(c, sizeof(*p));
	int64_t kernel[NET_MAX_DIMS] = { 0 }, flag = 0, order = 0;
	uint32_t dims[NET_MAX_DIMS];
	int ret;

	if (!p)
		return -ENOMEM;
	p->max = !strcmp(c->node->op->name, "MaxPool");
	ret = op_want_any(c, 0, 1u << NET_F32 | (p->max ? 1u << NET_U8 | 1u << NET_I8 : 0));
	if (ret)
		return ret;
	if (x->ndim < 3 || x->ndim > 2 + WINDOW_DIMS || !op_attr(c->node, "kernel_shape"))
		return OP_FAIL(c, -ENOTSUP, "an input of shape %s, or no kernel_shape", net_shape_text(x->ndim, x->dims).s);
	ret = op_attr_ints(c, "kernel_shape", x->ndim - 2, 1, 1 << 24, kernel);
	ret = ret ? ret : window_make(c, x, kernel, true, &p->w);
	ret = ret ? ret : op_attr_int(c, "count_include_pad", 0, 0, 1, &flag);
	ret = ret ? ret : op_attr_int(c, "storage_order", 0, 0, 1, &order);
	if (ret)
		return ret;
	p->count_pad = flag;
	p->column_major = order;
	dims[0] = x->dims[0];
	dims[1] = x->dims[1];
	for (unsigned int i = 0; i < p->w.ndim; i++)
		dims[2 + i] = p->w.out[WINDOW_DIMS - p->w.ndim + i];
	ret = op_set(c, 0, x->type, x->ndim, dims);
	if (!ret)
		c->node->work = (op_out(c, 0) ? op_out(c, 0)->count : 0) * p->w.kernel_count;
	return ret ? ret : op_set(c, 1, NET_I64, x->ndim, dims);
}

/* The part of the window of output o that lies inside the input: elements [*first, *last) of the kernel. */
static void inside(const struct window *w, unsigned int d, uint32_t o, uint32_t *first, uint32_t *last)
{
	window_range(w->kernel[d], w->dilation[d], (int64_t)o * w->stride[d] - w->pad[d], w->in[d], first, last);
}

static float load(const struct tensor *t, uint64_t i)
{
	return t->type == NET_F32 ? t->f[i] : t->type == NET_I8 ? t->i8[i] : t->u8[i];
}

/* One output: o is its position, plane the first input element of its channel. */
static void pool_one(const struct op_run *r, const struct pooling *p, uint64_t plane, const uint32_t *o, uint64_t out)
{
	const struct window *w = &p->w;
	const struct tensor *x = &r->in[0];
	uint32_t lo[WINDOW_DIMS], hi[WINDOW_DIMS], k[WINDOW_DIMS];
	uint64_t best_at = 0, n = 0;
	float best = -INFINITY;
	double sum = 0;

	for (unsigned int d = 0; d < WINDOW_DIMS; d++)
		inside(w, d, o[d], &lo[d], &hi[d]);
	for (k[0] = lo[0]; k[0] < hi[0]; k[0]++) {
		for (k[1] = lo[1]; k[1] < hi[1]; k[1]++) {
			for (k[2] = lo[2]; k[2] < hi[2]; k[2]++) {
				uint64_t at = 0;
				float v;

				for (unsigned int d = 0; d < WINDOW_DIMS; d++)
					at = at * w->in[d] + (uint64_t)((int64_t)o[d] * w->stride[d] - w->pad[d] +
									(int64_t)k[d] * w->dilation[d]);
				v = load(x, plane + at);
				if (!n++ || v > best || isnan(v)) {
					best = v;
					best_at = at;
				}
				sum += (double)v;
			}
		}
	}
	if (!p->max) {
		/* all of the window, what ceil_mode lets stick out included: as ONNX's cases have it */
		n = p->count_pad ? w->kernel_count : n;
		r->out[0].f[out] = n ? (float)(sum / (double)n) : 0;
		return;
	}
	if (r->out[0].type == NET_F32)
		r->out[0].f[out] = best;
	else
		r->out[0].u8[out] = n ? (uint8_t)(int)best : 0;
	if (r->node->nout > 1 && r->out[1].p) {
		uint64_t z = best_at / w->in[2] / w->in[1], y = best_at / w->in[2] % w->in[1], col = best_at % w->in[2];

		r->out[1].i64[out] = (int64_t)(plane + (p->column_major ? (col * w->in[1] + y) * w->in[0] + z : best_at));
	}
}

/* The largest of the windows of a row of outputs, of what column k of the window sees: as pool_one() does, one after the other. */
WIDE static void greatest_of(const struct window *w, uint32_t k, const float *x, float *y)
{
	int64_t offset = (int64_t)k * w->dilation[2] - w->pad[2], step = w->stride[2];
	uint32_t first, last;

	window_range(w->out[2], w->stride[2], offset, w->in[2], &first, &last);
	for (uint32_t o = first; o < last; o++) {
		float v = x[o * step + offset];

		y[o] = v > y[o] || isnan(v) ? v : y[o];
	}
}

static void greatest_line(const struct window *w, const float *x, uint32_t oz, uint32_t oy, float *y)
{
	uint32_t z[2], row[2];

	for (uint32_t o = 0; o < w->out[2]; o++)
		y[o] = -INFINITY;
	inside(w, 0, oz, &z[0], &z[1]);
	inside(w, 1, oy, &row[0], &row[1]);
	for (uint32_t kz = z[0]; kz < z[1]; kz++) {
		for (uint32_t ky = row[0]; ky < row[1]; ky++) {
			int64_t line = ((int64_t)oz * w->stride[0] - w->pad[0] + (int64_t)kz * w->dilation[0]) * w->in[1] +
				       (int64_t)oy * w->stride[1] - w->pad[1] + (int64_t)ky * w->dilation[1];

			for (uint32_t kx = 0; kx < w->kernel[2]; kx++)
				greatest_of(w, kx, x + line * w->in[2], y);
		}
	}
}

static void greatest_planes(void *arg, uint64_t first, uint64_t last)
{
	const struct op_run *r = arg;
	const struct window *w = &((const struct pooling *)r->node->plan)->w;

	for (uint64_t channel = first; channel < last; channel++)
		for (uint32_t oz = 0; oz < w->out[0]; oz++)
			for (uint32_t oy = 0; oy < w->out[1]; oy++)
				greatest_line(w, r->in[0].f + channel * w->in_count, oz, oy, r->out[0].f + channel * w->out_count + ((uint64_t)oz * w->out[1] + oy) * w->out[2]);
}

static void pool_planes(void *arg, uint64_t first, uint64_t last)
{
	const struct op_run *r = arg;
	const struct pooling *p = r->node->plan;
	const struct window *w = &p->w;
	uint32_t o[WINDOW_DIMS];

	for (uint64_t channel = first; channel < last; channel++) {
		uint64_t out = channel * w->out_count;

		for (o[0] = 0; o[0] < w->out[0]; o[0]++)
			for (o[1] = 0; o[1] < w->out[1]; o[1]++)
				for (o[2] = 0; o[2] < w->out[2]; o[2]++)
					pool_one(r, p, channel * w->in_count, o, out++);
	}
}

void op_pool_run(const struct op_run *r)
{
	const struct pooling *p = r->node->plan;
	bool values = p->max && r->out[0].type == NET_F32 && !(r->node->nout > 1 && r->out[1].p);

	if (r->out[0].count)
		op_parallel(r->pool, (uint64_t)r->in[0].dims[0] * r->in[0].dims[1], 1, values ? greatest_planes : pool_planes, (void *)r);
}

/* ---------------------------------------------------------------- global */

int op_global_pool_infer(const struct op_infer *c)
{
	const struct net_value *x = op_in(c, 0);
	uint32_t dims[NET_MAX_DIMS];
	int ret = op_want(c, 0, NET_F32);

	if (ret)
		return ret;
	if (x->ndim < 3 || !x->count)
		return OP_FAIL(c, -EINVAL, "an input of shape %s", net_shape_text(x->ndim, x->dims).s);
	for (unsigned int i = 0; i < x->ndim; i++)
		dims[i] = i < 2 ? x->dims[i] : 1;
	return op_set(c, 0, NET_F32, x->ndim, dims);
}

static float greatest(const float *x, uint64_t n)
{
	float most = x[0];

	for (uint64_t k = 0; k < n; k++)
		most = x[k] > most || isnan(x[k]) ? x[k] : most;
	return most;
}

/* Each sum in the order of its values; four at a time, for one by itself would wait for each addition. */
static void sum_four(const float *x, uint64_t n, double *sum)
{
	sum[0] = sum[1] = sum[2] = sum[3] = 0;
	for (uint64_t k = 0; k < n; k++)
		for (unsigned int j = 0; j < 4; j++)
			sum[j] += (double)x[j * n + k];
}

static void global_greatest(void *arg, uint64_t first, uint64_t last)
{
	const struct op_run *r = arg;
	uint64_t n = r->in[0].count / r->out[0].count;

	for (uint64_t i = first; i < last; i++)
		r->out[0].f[i] = greatest(r->in[0].f + i * n, n);
}

static void global_average(void *arg, uint64_t first, uint64_t last)
{
	const struct op_run *r = arg;
	uint64_t n = r->in[0].count / r->out[0].count, i = first;

	for (; i + 4 <= last; i += 4) {
		double sum[4];

		sum_four(r->in[0].f + i * n, n, sum);
		for (unsigned int j = 0; j < 4; j++)
			r->out[0].f[i + j] = (float)(sum[j] / (double)n);
	}
	for (; i < last; i++) {
		double sum = 0;

		for (uint64_t k = 0; k < n; k++)
			sum += (double)r->in[0].f[i * n + k];
		r->out[0].f[i] = (float)(sum / (double)n);
	}
}

void op_global_pool_run(const struct op_run *r)
{
	op_parallel(r->pool, r->out[0].count, 16, strcmp(r->node->op->name, "GlobalMaxPool") ? global_average : global_greatest, (void *)r);
}
