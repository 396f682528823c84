// SPDX-License-Identifier: GPL-2.0 OR MIT
/* Derivatives of operators: each rule adds, to what is there of the inputs, what the output's derivatives make of them. */
#include "depthwise.h"
#include "gemm.h"
#include "grad.h"
#include "op.h"
#include "op_bcast.h"
#include "op_conv.h"
#include "pass.h"
#include "wide.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const struct net_value *value_of(const struct grad_step *s, unsigned int in)
{
	return in < s->node->nin && s->node->in[in] != NET_NONE ? &s->net->values[s->node->in[in]] : NULL;
}

static const float *x_of(const struct grad_step *s, unsigned int in)
{
	return s->value[s->node->in[in]];
}

/* Derivatives by input `in`, or NULL. */
static float *d_of(const struct grad_step *s, unsigned int in)
{
	return value_of(s, in) ? s->d[s->node->in[in]] : NULL;
}

static const struct net_value *out_of(const struct grad_step *s)
{
	return &s->net->values[s->node->out[0]];
}

static const float *dy_of(const struct grad_step *s)
{
	return s->d[s->node->out[0]];
}

static int64_t number(const struct net_node *node, const char *name, int64_t otherwise)
{
	const struct net_attr *a = op_attr(node, name);

	return a ? a->ints[0] : otherwise;
}

static float real(const struct net_node *node, const char *name, float otherwise)
{
	const struct net_attr *a = op_attr(node, name);

	return a ? a->floats[0] : otherwise;
}

/* ---------------------------------------------------------------- functions of one number */

WIDE void grad_activate(const struct net_act *act, const float *x, float *d, uint64_t n)
{
	const float a = act->a, b = act->b;

	switch (act->kind) {
	case NET_ACT_CLIP:
		for (uint64_t i = 0; i < n; i++)
			d[i] = (x[i] >= a) & (x[i] <= b) ? d[i] : 0;
		break;
	case NET_ACT_HARD_SIGMOID:
		for (uint64_t i = 0; i < n; i++) {
			float y = a * x[i] + b;

			d[i] = (y > 0) & (y < 1) ? a * d[i] : 0;
		}
		break;
	case NET_ACT_HARD_SWISH:
		for (uint64_t i = 0; i < n; i++) {
			float slope = (2 * x[i] + 3) / 6;

			slope = x[i] <= -3 ? 0 : slope;
			d[i] *= x[i] >= 3 ? 1 : slope;
		}
		break;
	case NET_ACT_SIGMOID:
		for (uint64_t i = 0; i < n; i++) {
			float y = 1 / (1 + expf(-x[i]));

			d[i] *= y * (1 - y);
		}
		break;
	case NET_ACT_NONE:
	case NET_ACT_NKINDS:
		break;
	}
}

static void unary(const struct grad_step *s, struct net_act act)
{
	const float *x = x_of(s, 0), *dy = dy_of(s);
	float *d = d_of(s, 0);
	uint64_t n = out_of(s)->count;

	for (uint64_t first = 0; d && first < n; first += 256) {
		uint64_t some = n - first < 256 ? n - first : 256;
		float part[256];

		memcpy(part, dy + first, some * sizeof(*part));
		grad_activate(&act, x + first, part, some);
		for (uint64_t i = 0; i < some; i++)
			d[first + i] += part[i];
	}
}

static void hard_sigmoid(const struct grad_step *s)
{
	unary(s, (struct net_act){ NET_ACT_HARD_SIGMOID, real(s->node, "alpha", 0.2f), real(s->node, "beta", 0.5f) });
}

static void hard_swish(const struct grad_step *s)
{
	unary(s, (struct net_act){ NET_ACT_HARD_SWISH, 0, 0 });
}

static void sigmoid(const struct grad_step *s)
{
	unary(s, (struct net_act){ NET_ACT_SIGMOID, 0, 0 });
}

/* Relu, Clip: what they let pass is what they do not change. */
WIDE static void passing(const struct grad_step *s)
{
	const float *x = x_of(s, 0), *y = s->value[s->node->out[0]], *dy = dy_of(s);
	float *d = d_of(s, 0);

	for (uint64_t i = 0; d && i < out_of(s)->count; i++)
		d[i] += x[i] == y[i] ? dy[i] : 0;
}

static void leaky(const struct grad_step *s)
{
	const float *x = x_of(s, 0), *dy = dy_of(s);
	float *d = d_of(s, 0), slope = real(s->node, "alpha", 0.01f);

	for (uint64_t i = 0; d && i < out_of(s)->count; i++)
		d[i] += x[i] < 0 ? slope * dy[i] : dy[i];
}

static void tangens(const struct grad_step *s)
{
	const float *y = s->value[s->node->out[0]], *dy = dy_of(s);
	float *d = d_of(s, 0);

	for (uint64_t i = 0; d && i < out_of(s)->count; i++)
		d[i] += dy[i] * (1 - y[i] * y[i]);
}

/* Elements stay in their order. */
WIDE static void moved(const struct grad_step *s)
{
	const float *dy = dy_of(s);
	float *d = d_of(s, 0);

	for (uint64_t i = 0; d && i < out_of(s)->count; i++)
		d[i] += dy[i];
}

/* ---------------------------------------------------------------- of two */

enum binary { ADD, SUB, MUL, DIV };

/* n elements of which each input has n, or one for all. */
WIDE static void binary_run(enum binary op, const float *a, bool many_a, const float *b, bool many_b, const float *dy, float *da, float *db, uint64_t n)
{
	float sum_a = 0, sum_b = 0;

	for (uint64_t i = 0; da && i < n; i++) {
		float other = b[many_b ? i : 0], d = op == MUL ? dy[i] * other : op == DIV ? dy[i] / other : dy[i];

		if (many_a)
			da[i] += d;
		else
			sum_a += d;
	}
	for (uint64_t i = 0; db && i < n; i++) {
		float x = a[many_a ? i : 0], y = b[many_b ? i : 0];
		float d = op == MUL ? dy[i] * x : op == DIV ? -dy[i] * x / (y * y) : op == SUB ? -dy[i] : dy[i];

		if (many_b)
			db[i] += d;
		else
			sum_b += d;
	}
	if (da && !many_a)
		da[0] += sum_a;
	if (db && !many_b)
		db[0] += sum_b;
}

static void binary(const struct grad_step *s, enum binary op)
{
	const struct net_value *y = out_of(s), *v[2] = { value_of(s, 0), value_of(s, 1) };
	const float *a = x_of(s, 0), *b = x_of(s, 1), *dy = dy_of(s);
	float *da = d_of(s, 0), *db = d_of(s, 1);
	struct bcast walk;

	bcast_make(&walk, y->ndim, y->dims, 2, v);
	for (uint64_t row = 0; row < walk.rows; row++) {
		uint64_t at[2];

		bcast_row(&walk, row, 2, at);
		binary_run(op, a + at[0], walk.stride[0][0], b + at[1], walk.stride[1][0], dy + row * walk.inner,
			   da ? da + at[0] : NULL, db ? db + at[1] : NULL, walk.inner);
	}
}

static void add(const struct grad_step *s)
{
	binary(s, ADD);
}

static void subtract(const struct grad_step *s)
{
	binary(s, SUB);
}

static void multiply(const struct grad_step *s)
{
	binary(s, MUL);
}

static void divide(const struct grad_step *s)
{
	binary(s, DIV);
}

static void concat(const struct grad_step *s)
{
	const struct net_value *y = out_of(s);
	int64_t axis = number(s->node, "axis", 1);
	unsigned int k = (unsigned int)(axis < 0 ? axis + y->ndim : axis);
	uint64_t outer = op_product(y->dims, 0, k), inner = op_product(y->dims, k, y->ndim), first = 0;

	for (unsigned int i = 0; i < s->node->nin; i++) {
		const struct net_value *v = value_of(s, i);
		uint64_t n = op_product(v->dims, k, v->ndim);
		float *d = d_of(s, i);

		for (uint64_t o = 0; d && o < outer; o++)
			for (uint64_t j = 0; j < n; j++)
				d[o * n + j] += dy_of(s)[o * inner + first + j];
		first += n;
	}
}

/* ---------------------------------------------------------------- pooling */

static void global_average(const struct grad_step *s)
{
	uint64_t channels = out_of(s)->count, n = value_of(s, 0)->count / channels;
	float *d = d_of(s, 0);

	for (uint64_t i = 0; d && i < channels; i++)
		for (uint64_t k = 0; k < n; k++)
			d[i * n + k] += dy_of(s)[i] / (float)n;
}

/* A row of outputs y: what is left of their derivatives goes to the pixels that weight (column) k of the window sees; of the largest to the first that is equal. */
WIDE static void pool_line(const struct pooling *p, uint32_t k, const float *x, const float *y, float *left, float *d)
{
	const struct window *w = &p->w;
	int64_t offset = (int64_t)k * w->dilation[2] - w->pad[2], step = w->stride[2];
	uint32_t first, last;

	window_range(w->out[2], w->stride[2], offset, w->in[2], &first, &last);
	for (uint32_t o = first; !p->max && o < last; o++)
		d[o * step + offset] += left[o];
	for (uint32_t o = first; p->max && o < last; o++) {
		bool it = x[o * step + offset] == y[o];

		d[o * step + offset] += it ? left[o] : 0;
		left[o] = it ? 0 : left[o];
	}
}

/* Elements [lo, hi) of the window that output o sees of dimension d. */
static uint32_t window_part(const struct window *w, unsigned int d, uint32_t o, uint32_t *lo, uint32_t *hi)
{
	window_range(w->kernel[d], w->dilation[d], (int64_t)o * w->stride[d] - w->pad[d], w->in[d], lo, hi);
	return *hi - *lo;
}

/* scratch: a row of outputs. */
static void pool(const struct grad_step *s)
{
	const struct pooling *p = s->node->plan;
	const struct window *w = &p->w;
	const float *x = x_of(s, 0), *y = s->value[s->node->out[0]], *dy = dy_of(s);
	float *d = d_of(s, 0), *left = s->scratch;
	uint64_t lines = out_of(s)->count / w->out[2];
	uint32_t lo[WINDOW_DIMS], hi[WINDOW_DIMS];

	for (uint64_t i = 0; d && i < lines; i++, y += w->out[2], dy += w->out[2]) {
		uint32_t oy = (uint32_t)(i % w->out[1]), oz = (uint32_t)(i / w->out[1] % w->out[0]);
		uint64_t plane = i / w->out[1] / w->out[0] * w->in_count, n = (uint64_t)window_part(w, 0, oz, &lo[0], &hi[0]) * window_part(w, 1, oy, &lo[1], &hi[1]);

		for (uint32_t o = 0; o < w->out[2]; o++)
			left[o] = p->max ? dy[o] : dy[o] / (float)(p->count_pad ? w->kernel_count : n * window_part(w, 2, o, &lo[2], &hi[2]));
		for (uint32_t kz = lo[0]; kz < hi[0]; kz++) {
			for (uint32_t ky = lo[1]; ky < hi[1]; ky++) {
				int64_t at = ((int64_t)oz * w->stride[0] - w->pad[0] + (int64_t)kz * w->dilation[0]) * w->in[1] +
					     (int64_t)oy * w->stride[1] - w->pad[1] + (int64_t)ky * w->dilation[1];

				for (uint32_t kx = 0; kx < w->kernel[2]; kx++)
					pool_line(p, kx, x + plane + (uint64_t)at * w->in[2], y, left, d + plane + (uint64_t)at * w->in[2]);
			}
		}
	}
}

/* ---------------------------------------------------------------- matrices */

/* dB, dA of Y [m, n] = alpha A [m, k] B, B [k, n] or, turned, [n, k]. */
static void product(const struct grad_step *s, int m, int n, int k, bool turned, float alpha)
{
	const float *a = x_of(s, 0), *b = x_of(s, 1), *dy = dy_of(s);
	float *da = d_of(s, 0), *db = d_of(s, 1);

	if (da)
		s->blas->cblas_sgemm(BLAS_ROW_MAJOR, BLAS_PLAIN, turned ? BLAS_PLAIN : BLAS_TRANSPOSED, m, k, n, alpha, dy, n, b, turned ? k : n, 1, da, k);
	if (db && turned)
		s->blas->cblas_sgemm(BLAS_ROW_MAJOR, BLAS_TRANSPOSED, BLAS_PLAIN, n, k, m, alpha, dy, n, a, k, 1, db, k);
	else if (db)
		s->blas->cblas_sgemm(BLAS_ROW_MAJOR, BLAS_TRANSPOSED, BLAS_PLAIN, k, n, m, alpha, a, k, dy, n, 1, db, n);
}

static void gemm(const struct grad_step *s)
{
	const struct net_value *y = out_of(s), *bias = value_of(s, 2);
	float *dc = d_of(s, 2), beta = real(s->node, "beta", 1);

	product(s, (int)y->dims[0], (int)y->dims[1], (int)value_of(s, 0)->dims[1], number(s->node, "transB", 0), real(s->node, "alpha", 1));
	for (uint64_t i = 0; dc && i < y->count; i++)
		dc[bias->count == 1 ? 0 : i % y->dims[1]] += beta * dy_of(s)[i];
}

static void matmul(const struct grad_step *s)
{
	const struct net_value *b = value_of(s, 1);

	product(s, (int)(value_of(s, 0)->count / b->dims[0]), (int)b->dims[1], (int)b->dims[0], false, 1);
}

/* ---------------------------------------------------------------- convolutions */

/* Outputs in whose windows a weight lies on a pixel of the image: [z0, z1) and so on; the pixel is stride * output + d. */
struct lines {
	uint32_t z0, z1, y0, y1, x0, x1;
	int64_t dz, dy, dx;
};

static struct lines lines_of(const struct window *w, uint32_t kz, uint32_t ky, uint32_t kx)
{
	struct lines l = {
		.dz = (int64_t)kz * w->dilation[0] - w->pad[0],
		.dy = (int64_t)ky * w->dilation[1] - w->pad[1],
		.dx = (int64_t)kx * w->dilation[2] - w->pad[2],
	};

	window_range(w->out[0], w->stride[0], l.dz, w->in[0], &l.z0, &l.z1);
	window_range(w->out[1], w->stride[1], l.dy, w->in[1], &l.y0, &l.y1);
	window_range(w->out[2], w->stride[2], l.dx, w->in[2], &l.x0, &l.x1);
	return l;
}

/* One row of the matrix of windows, columns [k, pixels]: from image x, or back into it. */
static void window_row(const struct window *w, struct lines l, const float *x, float *row, float *back)
{
	if (!back)
		memset(row, 0, w->out_count * sizeof(*row));
	for (uint32_t oz = l.z0; oz < l.z1; oz++) {
		for (uint32_t oy = l.y0; oy < l.y1; oy++) {
			int64_t from = ((oz * (int64_t)w->stride[0] + l.dz) * w->in[1] + oy * (int64_t)w->stride[1] + l.dy) * w->in[2] + l.dx;
			float *to = row + ((uint64_t)oz * w->out[1] + oy) * w->out[2];

			for (uint32_t ox = l.x0; ox < l.x1; ox++) {
				if (back)
					back[from + ox * (int64_t)w->stride[2]] += to[ox];
				else
					to[ox] = x[from + ox * (int64_t)w->stride[2]];
			}
		}
	}
}

/* All of a group's windows. */
static void windows(const struct conv *p, const float *x, float *columns, float *back)
{
	const struct window *w = &p->w;

	for (uint32_t c = 0; c < p->cin; c++) {
		for (uint32_t kz = 0; kz < w->kernel[0]; kz++)
			for (uint32_t ky = 0; ky < w->kernel[1]; ky++)
				for (uint32_t kx = 0; kx < w->kernel[2]; kx++, columns += w->out_count)
					window_row(w, lines_of(w, kz, ky, kx), x ? x + c * w->in_count : NULL, columns, back ? back + c * w->in_count : NULL);
	}
}

/* One channel in, one out: weight by weight, along rows of pixels. */
static void depthwise(const struct window *w, const float *x, const float *weight, const float *dy, float *dx, float *dw, float *scratch)
{
	if (depthwise_takes(w)) {
		depthwise_back(w, x, weight, dy, dx, dw, scratch);
		return;
	}
	for (uint32_t kz = 0; kz < w->kernel[0]; kz++)
	for (uint32_t ky = 0; ky < w->kernel[1]; ky++)
	for (uint32_t kx = 0; kx < w->kernel[2]; kx++) {
		struct lines l = lines_of(w, kz, ky, kx);
		float sum = 0, f = *weight++;

		for (uint32_t oz = l.z0; oz < l.z1; oz++) {
			for (uint32_t oy = l.y0; oy < l.y1; oy++) {
				int64_t from = ((oz * (int64_t)w->stride[0] + l.dz) * w->in[1] + oy * (int64_t)w->stride[1] + l.dy) * w->in[2] + l.dx;
				const float *d = dy + ((uint64_t)oz * w->out[1] + oy) * w->out[2];

				if (w->stride[2] == 1) {
					sum += dw && l.x1 > l.x0 ? gemm_dot(d + l.x0, x + from + l.x0, l.x1 - l.x0) : 0;
					if (dx && l.x1 > l.x0)
						gemm_axpy(dx + from + l.x0, f, d + l.x0, l.x1 - l.x0);
					continue;
				}
				for (uint32_t ox = l.x0; dw && ox < l.x1; ox++)
					sum += d[ox] * x[from + ox * (int64_t)w->stride[2]];
				for (uint32_t ox = l.x0; dx && ox < l.x1; ox++)
					dx[from + ox * (int64_t)w->stride[2]] += f * d[ox];
			}
		}
		if (dw)
			*dw++ += sum;
	}
}

/* Windows of one pixel each: the matrix of windows is the image. */
static bool is_image(const struct conv *p)
{
	return p->w.kernel_count == 1 && p->w.in_count == p->w.out_count && !p->w.pad[0] && !p->w.pad[1] && !p->w.pad[2];
}

/* Sixteen sums at a time: one alone would wait for each addition. */
static float sum_of(const float *x, uint64_t n)
{
	float part[16] = { 0 }, sum = 0;
	uint64_t i = 0;

	for (; i + 16 <= n; i += 16)
		for (unsigned int k = 0; k < 16; k++)
			part[k] += x[i + k];
	for (; i < n; i++)
		part[0] += x[i];
	for (unsigned int k = 0; k < 16; k++)
		sum += part[k];
	return sum;
}

static void conv(const struct grad_step *s)
{
	const struct conv *p = s->node->plan;
	const float *x = x_of(s, 0), *w = x_of(s, 1);
	float *dx = d_of(s, 0), *dw = d_of(s, 1), *db = d_of(s, 2), *columns = s->scratch;
	int pixels = (int)p->w.out_count, k = (int)p->k, rows = (int)p->cout;

	for (uint64_t i = 0; i < (uint64_t)p->batch * p->groups; i++) {
		uint64_t n = i / p->groups, g = i % p->groups;
		const float *dy = dy_of(s) + conv_out(p, n, g);

		for (uint64_t r = 0; db && r < p->cout; r++)
			db[g * p->cout + r] += sum_of(dy + r * p->w.out_count, p->w.out_count);
		if (p->cin == 1 && p->cout == 1) {
			depthwise(&p->w, x + conv_in(p, n, g), w + g * p->k, dy, dx ? dx + conv_in(p, n, g) : NULL, dw ? dw + g * p->k : NULL, s->scratch);
			continue;
		}
		if (dw) {
			if (!is_image(p))
				windows(p, x + conv_in(p, n, g), columns, NULL);
			s->blas->cblas_sgemm(BLAS_ROW_MAJOR, BLAS_PLAIN, BLAS_TRANSPOSED, rows, k, pixels, 1, dy, pixels,
					     is_image(p) ? x + conv_in(p, n, g) : columns, pixels, 1, dw + g * p->cout * p->k, k);
		}
		if (dx && is_image(p)) {
			s->blas->cblas_sgemm(BLAS_ROW_MAJOR, BLAS_TRANSPOSED, BLAS_PLAIN, k, pixels, rows, 1, w + g * p->cout * p->k, k, dy, pixels, 1,
					     dx + conv_in(p, n, g), pixels);
		} else if (dx) {
			s->blas->cblas_sgemm(BLAS_ROW_MAJOR, BLAS_TRANSPOSED, BLAS_PLAIN, k, pixels, rows, 1, w + g * p->cout * p->k, k, dy, pixels, 0, columns,
					     pixels);
			windows(p, NULL, columns, dx + conv_in(p, n, g));
		}
	}
}

/* ---------------------------------------------------------------- table */

static const struct {
	const char *op;
	grad_rule rule;
} rules[] = {
	{ "Add", add }, { "AveragePool", pool }, { "Clip", passing }, { "Concat", concat }, { "Conv", conv }, { "Div", divide }, { "Dropout", moved },
	{ "Flatten", moved }, { "Gemm", gemm }, { "GlobalAveragePool", global_average }, { "HardSigmoid", hard_sigmoid }, { "HardSwish", hard_swish },
	{ "Identity", moved }, { "LeakyRelu", leaky }, { "MatMul", matmul }, { "MaxPool", pool }, { "Mul", multiply }, { "Relu", passing }, { "Reshape", moved },
	{ "Sigmoid", sigmoid }, { "Squeeze", moved }, { "Sub", subtract }, { "Tanh", tangens }, { "Unsqueeze", moved },
};

grad_rule grad_find(const struct accel_network *net, const struct net_node *node)
{
	const struct net_value *b = node->nin > 1 && node->in[1] != NET_NONE ? &net->values[node->in[1]] : NULL;
	const struct net_value *bias = node->nin > 2 && node->in[2] != NET_NONE ? &net->values[node->in[2]] : NULL;

	for (unsigned int i = 0; i < node->nout; i++)
		if (node->out[i] != NET_NONE && i)
			return NULL;
	if (!node->op || node->out[0] == NET_NONE || net->values[node->out[0]].type != NET_F32 || !net->values[node->out[0]].count)
		return NULL;
	if (pass_is(node, "MatMul") && (b->ndim != 2 || net->values[node->in[0]].ndim < 2))
		return NULL;
	if (pass_is(node, "Gemm") && (number(node, "transA", 0) || (bias && bias->count != 1 && (bias->dims[bias->ndim - 1] != bias->count || bias->count != net->values[node->out[0]].dims[1]))))
		return NULL;
	for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++)
		if (pass_is(node, rules[i].op))
			return rules[i].rule;
	return NULL;
}

size_t grad_scratch(const struct accel_network *net, const struct net_node *node)
{
	const struct conv *p = node->plan;

	(void)net;
	if (pass_is(node, "MaxPool") || pass_is(node, "AveragePool"))
		return ((const struct pooling *)node->plan)->w.out[2];
	if (!pass_is(node, "Conv"))
		return 0;
	return p->cin == 1 && p->cout == 1 && depthwise_takes(&p->w) ? depthwise_back_scratch(&p->w) : p->k * p->w.out_count;
}
