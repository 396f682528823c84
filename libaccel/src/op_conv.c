// SPDX-License-Identifier: GPL-2.0 OR MIT
/* Convolution in float32: tiles of 64 pixels times blocks of rows; depthwise convolution directly. */
#include "depthwise.h"
#include "gemm.h"
#include "op_conv.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define BLOCK_ROWS 128u                /* output channels a task computes for its tile: what gathering the tile costs is small beside it */
#define MAX_TILE_K ((uint64_t)1 << 20) /* bounds the scratch memory to 256 MiB a worker */

int conv_make(const struct op_infer *c, const struct net_value *x, const struct net_value *w, enum net_type type, struct conv *p)
{
	int64_t kernel[NET_MAX_DIMS], said[NET_MAX_DIMS], groups;
	uint32_t dims[NET_MAX_DIMS];
	int ret = op_attr_int(c, "group", 1, 1, 1 << 24, &groups);

	if (ret)
		return ret;
	if (w->ndim != x->ndim || x->ndim < 3)
		return OP_FAIL(c, -EINVAL, "weights of shape %s for an input of shape %s", net_shape_text(w->ndim, w->dims).s,
			       net_shape_text(x->ndim, x->dims).s);
	for (unsigned int i = 2; i < w->ndim; i++)
		said[i - 2] = kernel[i - 2] = w->dims[i];
	ret = op_attr_ints(c, "kernel_shape", w->ndim - 2, 1, 1 << 24, said);
	ret = ret ? ret : window_make(c, x, kernel, false, &p->w);
	if (ret)
		return ret;
	if (memcmp(said, kernel, (w->ndim - 2) * sizeof(*kernel)))
		return OP_FAIL(c, -EINVAL, "kernel_shape is not that of the weights %s", net_shape_text(w->ndim, w->dims).s);
	if (x->dims[1] % groups || w->dims[0] % groups || x->dims[1] / groups != w->dims[1] || !w->dims[0] || !w->dims[1])
		return OP_FAIL(c, -EINVAL, "%u channels in %lld groups with weights of shape %s", x->dims[1], (long long)groups,
			       net_shape_text(w->ndim, w->dims).s);
	p->batch = x->dims[0];
	p->groups = (uint32_t)groups;
	p->cin = w->dims[1];
	p->cout = w->dims[0] / p->groups;
	p->k = p->cin * p->w.kernel_count;
	if (p->k > MAX_TILE_K)
		return OP_FAIL(c, -ENOTSUP, "%llu products an output; at most %llu are supported", (unsigned long long)p->k,
			       (unsigned long long)MAX_TILE_K);
	dims[0] = x->dims[0];
	dims[1] = w->dims[0];
	for (unsigned int i = 0; i < p->w.ndim; i++)
		dims[2 + i] = p->w.out[WINDOW_DIMS - p->w.ndim + i];
	ret = op_set(c, 0, type, x->ndim, dims);
	c->node->work = ret ? 0 : op_out(c, 0)->count * p->k;
	return ret;
}

/* Few channels of each input channel alone: a matrix of windows would be copied for a handful of rows. */
static bool is_depthwise(const struct conv *p)
{
	return p->cin == 1 && p->cout <= 4;
}

int op_conv_infer(const struct op_infer *c)
{
	const struct net_value *x = op_in(c, 0), *w = op_in(c, 1), *bias = op_in(c, 2);
	struct conv *p = op_plan(c, sizeof(*p));
	int ret = p ? op_want(c, 0, NET_F32) : -ENOMEM;

	ret = ret ? ret : op_want(c, 1, NET_F32);
	ret = ret ? ret : op_want(c, 2, NET_F32);
	ret = ret ? ret : conv_make(c, x, w, NET_F32, p);
	if (ret)
		return ret;
	if (bias && (bias->ndim != 1 || bias->dims[0] != w->dims[0]))
		return OP_FAIL(c, -EINVAL, "a bias of shape %s for %u channels", net_shape_text(bias->ndim, bias->dims).s, w->dims[0]);
	p->tiles = (p->w.out_count + GEMM_COLS - 1) / GEMM_COLS;
	p->blocks = (p->cout + BLOCK_ROWS - 1) / BLOCK_ROWS;
	c->node->scratch = (p->k + BLOCK_ROWS) * GEMM_COLS * sizeof(float);
	if (is_depthwise(p))
		c->node->scratch = depthwise_takes(&p->w) ? depthwise_scratch(&p->w) * sizeof(float) : 0;
	return 0;
}

/* ---------------------------------------------------------------- dense and grouped */

/* A run of output pixels in one row: n of them from (z, y, x) on, in columns at ... of the panel. */
struct pixels {
	uint32_t z, y, x, n, at;
};

/* Row `to` of the panel gets what one weight position (of one channel) sees of these pixels. */
static void gather_run(const struct window *w, const struct pixels *p, const float *plane, const uint32_t *at, float *to)
{
	int64_t z = (int64_t)p->z * w->stride[0] + (int64_t)at[0] * w->dilation[0] - w->pad[0];
	int64_t y = (int64_t)p->y * w->stride[1] + (int64_t)at[1] * w->dilation[1] - w->pad[1];
	int64_t x = (int64_t)p->x * w->stride[2] + (int64_t)at[2] * w->dilation[2] - w->pad[2];
	uint32_t first, last;
	const float *from;

	if (z < 0 || z >= w->in[0] || y < 0 || y >= w->in[1]) {
		memset(to, 0, p->n * sizeof(*to));
		return;
	}
	window_range(p->n, w->stride[2], x, w->in[2], &first, &last);
	from = plane + (z * w->in[1] + y) * w->in[2];
	memset(to, 0, first * sizeof(*to));
	memset(to + last, 0, (p->n - last) * sizeof(*to));
	if (w->stride[2] == 1) {
		if (last > first)
			memcpy(to + first, from + x + first, (last - first) * sizeof(*to));
		return;
	}
	for (uint32_t i = first; i < last; i++)
		to[i] = from[x + (int64_t)i * w->stride[2]];
}

/* panel[k][64]: column j is what output pixel first + j sees. */
static void gather_tile(const struct conv *p, const float *x, uint64_t first, uint32_t n, float *panel)
{
	const struct window *w = &p->w;
	struct pixels runs[GEMM_COLS];
	unsigned int nruns = 0;
	float *to = panel;

	for (uint32_t j = 0; j < n; j += runs[nruns++].n) {
		uint64_t pixel = first + j;
		struct pixels *r = &runs[nruns];

		r->at = j;
		r->x = (uint32_t)(pixel % w->out[2]);
		r->y = (uint32_t)(pixel / w->out[2] % w->out[1]);
		r->z = (uint32_t)(pixel / w->out[2] / w->out[1]);
		r->n = w->out[2] - r->x < n - j ? w->out[2] - r->x : n - j;
	}
	for (uint32_t c = 0; c < p->cin; c++, x += w->in_count) {
		uint32_t at[WINDOW_DIMS];

		for (at[0] = 0; at[0] < w->kernel[0]; at[0]++) {
			for (at[1] = 0; at[1] < w->kernel[1]; at[1]++) {
				for (at[2] = 0; at[2] < w->kernel[2]; at[2]++, to += GEMM_COLS) {
					for (unsigned int i = 0; i < nruns; i++)
						gather_run(w, &runs[i], x, at, to + runs[i].at);
					memset(to + n, 0, (GEMM_COLS - n) * sizeof(*to));
				}
			}
		}
	}
}

static void conv_task(void *arg, size_t task, void *scratch)
{
	const struct op_run *r = arg;
	const struct conv *p = r->node->plan;
	uint64_t block = task % p->blocks, tile = task / p->blocks % p->tiles, image = task / p->blocks / p->tiles;
	uint64_t n = image / p->groups, g = image % p->groups, first = tile * GEMM_COLS, row0 = block * BLOCK_ROWS;
	uint32_t cols = p->w.out_count - first < GEMM_COLS ? (uint32_t)(p->w.out_count - first) : GEMM_COLS;
	uint32_t rows = p->cout - row0 < BLOCK_ROWS ? (uint32_t)(p->cout - row0) : BLOCK_ROWS;
	float *panel = scratch, *out = panel + p->k * GEMM_COLS, *y = r->out[0].f + conv_out(p, n, g) + row0 * p->w.out_count + first;
	const float *bias = r->node->nin > 2 && r->in[2].f ? r->in[2].f + g * p->cout + row0 : NULL;

	gather_tile(p, r->in[0].f + conv_in(p, n, g), first, cols, panel);
	gemm_panel(r->in[1].f + (g * p->cout + row0) * p->k, p->k, rows, p->k, panel, bias, out);
	for (uint32_t row = 0; row < rows; row++) {
		memcpy(y + row * p->w.out_count, out + (size_t)row * GEMM_COLS, cols * sizeof(*y));
		op_activate(&r->node->act, y + row * p->w.out_count, cols);
	}
}

/* ---------------------------------------------------------------- depthwise */

/* y += what the weights of a plane make of x, weight by weight: windows that depthwise_run() does not take. */
static void depthwise_weights(const struct window *w, const float *x, const float *weight, float *y)
{
	for (uint32_t kz = 0; kz < w->kernel[0]; kz++)
	for (uint32_t ky = 0; ky < w->kernel[1]; ky++)
	for (uint32_t kx = 0; kx < w->kernel[2]; kx++) {
		int64_t dz = (int64_t)kz * w->dilation[0] - w->pad[0], dy = (int64_t)ky * w->dilation[1] - w->pad[1];
		int64_t dx = (int64_t)kx * w->dilation[2] - w->pad[2];
		uint32_t z0, z1, y0, y1, x0, x1;
		float f = *weight++;

		window_range(w->out[0], w->stride[0], dz, w->in[0], &z0, &z1);
		window_range(w->out[1], w->stride[1], dy, w->in[1], &y0, &y1);
		window_range(w->out[2], w->stride[2], dx, w->in[2], &x0, &x1);
		for (uint32_t oz = z0; oz < z1; oz++) {
			for (uint32_t oy = y0; oy < y1; oy++) {
				const float *from = x + ((oz * (int64_t)w->stride[0] + dz) * w->in[1] + oy * (int64_t)w->stride[1] + dy) *
							w->in[2] + dx;
				float *to = y + ((uint64_t)oz * w->out[1] + oy) * w->out[2];

				if (w->stride[2] == 1) {
					gemm_axpy(to + x0, f, from + x0, x1 - x0);
					continue;
				}
				for (uint32_t ox = x0; ox < x1; ox++)
					to[ox] += f * from[ox * (int64_t)w->stride[2]];
			}
		}
	}
}

/* One output channel of one image. */
static void depthwise_task(void *arg, size_t task, void *scratch)
{
	const struct op_run *r = arg;
	const struct conv *p = r->node->plan;
	const struct window *w = &p->w;
	uint64_t channels = (uint64_t)p->groups * p->cout, channel = task % channels, n = task / channels;
	const float *x = r->in[0].f + (n * p->groups + channel / p->cout) * w->in_count, *weight = r->in[1].f + channel * p->k;
	float *y = r->out[0].f + task * w->out_count, bias = r->node->nin > 2 && r->in[2].f ? r->in[2].f[channel] : 0;

	if (depthwise_takes(w)) {
		depthwise_run(w, x, weight, bias, y, scratch);
	} else {
		for (uint64_t i = 0; i < w->out_count; i++)
			y[i] = bias;
		depthwise_weights(w, x, weight, y);
	}
	op_activate(&r->node->act, y, w->out_count);
}

void op_conv_run(const struct op_run *r)
{
	const struct conv *p = r->node->plan;

	if (!r->out[0].count)
		return;
	if (is_depthwise(p))
		pool_run(r->pool, (size_t)p->batch * p->groups * p->cout, depthwise_task, (void *)r);
	else
		pool_run(r->pool, p->batch * p->groups * p->tiles * p->blocks, conv_task, (void *)r);
}

/* ---------------------------------------------------------------- transposed */

/* Output size and padding by ConvTranspose's own rules; the window's out is the operator's output. */
static int transposed_shape(const struct op_infer *c, const char *auto_pad, struct window *w)
{
	int64_t extra[WINDOW_DIMS] = { 0 }, shape[WINDOW_DIMS] = { 0 };
	unsigned int lead = WINDOW_DIMS - w->ndim;
	int ret = op_attr_ints(c, "output_padding", w->ndim, 0, 1 << 24, extra + lead);

	ret = ret ? ret : op_attr_ints(c, "output_shape", w->ndim, 1, 1 << 24, shape + lead);
	if (ret)
		return ret;
	for (unsigned int i = lead; i < WINDOW_DIMS; i++) {
		int64_t span = (int64_t)(w->kernel[i] - 1) * w->dilation[i] + 1, out;

		if (shape[i] || !strncmp(auto_pad, "SAME", 4)) {
			int64_t total;

			out = shape[i] ? shape[i] : (int64_t)w->in[i] * w->stride[i];
			total = (int64_t)w->stride[i] * ((int64_t)w->in[i] - 1) + extra[i] + span - out;
			total = total < 0 ? 0 : total;
			w->pad[i] = !strcmp(auto_pad, "SAME_UPPER") ? total / 2 : total - total / 2;
		} else {
			out = (int64_t)w->stride[i] * ((int64_t)w->in[i] - 1) + extra[i] + span - w->pad[i] - w->pad_end[i];
		}
		if (out < 1 || out > 1 << 24)
			return OP_FAIL(c, -EINVAL, "an output of size %lld", (long long)out);
		w->out[i] = (uint32_t)out;
	}
	for (unsigned int i = 0; i < lead; i++)
		w->out[i] = 1;
	w->out_count = net_count(WINDOW_DIMS, w->out);
	return w->out_count == UINT64_MAX ? OP_FAIL(c, -E2BIG, "the output is too large") : 0;
}

int op_conv_transpose_infer(const struct op_infer *c)
{
	const struct net_value *x = op_in(c, 0), *w = op_in(c, 1), *bias = op_in(c, 2);
	struct conv *p = op_plan(c, sizeof(*p));
	int64_t kernel[NET_MAX_DIMS], groups;
	uint32_t dims[NET_MAX_DIMS];
	const char *auto_pad;
	int ret = p ? op_want(c, 0, NET_F32) : -ENOMEM;

	ret = ret ? ret : op_want(c, 1, NET_F32);
	ret = ret ? ret : op_want(c, 2, NET_F32);
	ret = ret ? ret : op_attr_int(c, "group", 1, 1, 1 << 24, &groups);
	if (ret)
		return ret;
	if (w->ndim != x->ndim || x->ndim < 3)
		return OP_FAIL(c, -EINVAL, "weights of shape %s for an input of shape %s", net_shape_text(w->ndim, w->dims).s,
			       net_shape_text(x->ndim, x->dims).s);
	for (unsigned int i = 2; i < w->ndim; i++)
		kernel[i - 2] = w->dims[i];
	ret = window_attrs(c, x, kernel, &p->w, &auto_pad);
	ret = ret ? ret : transposed_shape(c, auto_pad, &p->w);
	if (ret)
		return ret;
	if (x->dims[1] != w->dims[0] || x->dims[1] % groups || !w->dims[1])
		return OP_FAIL(c, -EINVAL, "%u channels in %lld groups with weights of shape %s", x->dims[1], (long long)groups,
			       net_shape_text(w->ndim, w->dims).s);
	p->batch = x->dims[0];
	p->groups = (uint32_t)groups;
	p->cin = x->dims[1] / p->groups;
	p->cout = w->dims[1];
	if (bias && (bias->ndim != 1 || bias->dims[0] != (uint64_t)p->cout * p->groups))
		return OP_FAIL(c, -EINVAL, "a bias of shape %s for %u channels", net_shape_text(bias->ndim, bias->dims).s,
			       p->cout * p->groups);
	if ((uint64_t)p->cout * p->groups > NET_MAX_COUNT)
		return OP_FAIL(c, -E2BIG, "too many output channels");
	c->node->work = x->count * p->cout * p->w.kernel_count;
	dims[0] = x->dims[0];
	dims[1] = p->cout * p->groups;
	for (unsigned int i = 0; i < p->w.ndim; i++)
		dims[2 + i] = p->w.out[WINDOW_DIMS - p->w.ndim + i];
	return op_set(c, 0, NET_F32, x->ndim, dims);
}

/* Adds what input row (z, y) sends through weights of one plane to the output rows that it reaches. */
static void scatter_plane(const struct window *w, const float *x, const float *weight, float *y)
{
	for (uint32_t kz = 0; kz < w->kernel[0]; kz++)
	for (uint32_t ky = 0; ky < w->kernel[1]; ky++)
	for (uint32_t kx = 0; kx < w->kernel[2]; kx++) {
		int64_t dz = (int64_t)kz * w->dilation[0] - w->pad[0], dy = (int64_t)ky * w->dilation[1] - w->pad[1];
		int64_t dx = (int64_t)kx * w->dilation[2] - w->pad[2];
		uint32_t z0, z1, y0, y1, x0, x1;
		float f = *weight++;

		window_range(w->in[0], w->stride[0], dz, w->out[0], &z0, &z1);
		window_range(w->in[1], w->stride[1], dy, w->out[1], &y0, &y1);
		window_range(w->in[2], w->stride[2], dx, w->out[2], &x0, &x1);
		for (uint32_t iz = z0; iz < z1; iz++) {
			for (uint32_t iy = y0; iy < y1; iy++) {
				const float *from = x + ((uint64_t)iz * w->in[1] + iy) * w->in[2];
				float *to = y + ((iz * (int64_t)w->stride[0] + dz) * w->out[1] + iy * (int64_t)w->stride[1] + dy) *
						w->out[2] + dx;

				for (uint32_t ix = x0; ix < x1; ix++)
					to[ix * (int64_t)w->stride[2]] += f * from[ix];
			}
		}
	}
}

/* One output channel of one image. */
static void transposed_task(void *arg, size_t task, void *scratch)
{
	const struct op_run *r = arg;
	const struct conv *p = r->node->plan;
	uint64_t channels = (uint64_t)p->groups * p->cout, channel = task % channels, n = task / channels, g = channel / p->cout;
	float *y = r->out[0].f + task * p->w.out_count, bias = r->node->nin > 2 && r->in[2].f ? r->in[2].f[channel] : 0;

	(void)scratch;
	for (uint64_t i = 0; i < p->w.out_count; i++)
		y[i] = bias;
	for (uint32_t c = 0; c < p->cin; c++)
		scatter_plane(&p->w, r->in[0].f + conv_in(p, n, g) + c * p->w.in_count,
			      r->in[1].f + ((g * p->cin + c) * p->cout + channel % p->cout) * p->w.kernel_count, y);
	op_activate(&r->node->act, y, p->w.out_count);
}

void op_conv_transpose_run(const struct op_run *r)
{
	const struct conv *p = r->node->plan;

	if (r->out[0].count)
		pool_run(r->pool, (size_t)p->batch * p->groups * p->cout, transposed_task, (void *)r);
}
