// SPDX-License-Identifier: GPL-2.0 OR MIT
#include "branch.h"
#include "net_codes.h"
#include "op_conv.h"
#include "pass.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define MOST_SIZE ((int64_t)1 << 20)      /* of a stride, a dilation, a kernel */
#define MOST_K    ((uint64_t)1 << 20)     /* products of an output: what Conv takes */

/* ---------------------------------------------------------------- from nodes */

static bool of_conv(const struct accel_network *net, const struct net_node *node, struct branch *b)
{
	const struct net_value *w = &net->values[node->in[1]], *bias = node->nin > 2 && node->in[2] != NET_NONE ? &net->values[node->in[2]] : NULL;
	const struct conv *conv = node->plan;
	float codebook[256];
	unsigned int n;
	bool pixel = conv->w.kernel_count == 1 && conv->cin == 1 && conv->cout == 1;

	/* factors of channels: a codebook of one value is how pass_scaling() writes them, not what somebody trained */
	if (!w->data || w->type != NET_F32 || (bias && !bias->data) || (!pixel && (w->codebook || net_shares_values(w, codebook, &n))))
		return false;
	b->w = conv->w;
	b->groups = conv->groups;
	b->cin = conv->cin * conv->groups;
	b->cout = conv->cout * conv->groups;
	b->weights = w->data;
	b->bias = bias ? bias->data : NULL;
	b->n = w->count;
	return true;
}

/* Every window has the same divisor: zeros around the image are counted, or there are none. */
static bool of_pool(const struct accel_network *net, const struct net_node *node, struct branch *b)
{
	const struct pooling *pool = node->plan;
	const struct window *w = &pool->w;

	for (unsigned int d = 0; d < WINDOW_DIMS; d++) {
		int64_t span = (int64_t)(w->kernel[d] - 1) * w->dilation[d] + 1;

		if ((!pool->count_pad && (w->pad[d] || w->pad_end[d])) ||
		    (int64_t)(w->out[d] - 1) * w->stride[d] + span > w->in[d] + w->pad[d] + w->pad_end[d])
			return false;
	}
	b->w = *w;
	b->groups = b->cin = b->cout = net->values[node->in[0]].dims[1];
	b->tap = 1.0 / (double)w->kernel_count;
	return true;
}

bool branch_of(const struct accel_network *net, const struct net_node *node, struct branch *b)
{
	*b = (struct branch){ 0 };
	if (!node->name || !node->plan || node->act.kind || node->nout != 1 || !net->values[node->out[0]].count)
		return false;
	b->x = node->in[0];
	b->y = node->out[0];
	if (pass_is(node, "Conv"))
		return of_conv(net, node, b);
	return pass_is(node, "AveragePool") && of_pool(net, node, b);
}

struct branch branch_identity(const struct accel_network *net, uint32_t x)
{
	const struct net_value *v = &net->values[x];
	struct branch b = { .x = x, .y = x, .groups = v->dims[1], .cin = v->dims[1], .cout = v->dims[1], .tap = 1 };

	b.w = (struct window){ .ndim = v->ndim - 2, .kernel_count = 1 };
	for (unsigned int d = 0; d < WINDOW_DIMS; d++) {
		unsigned int lead = WINDOW_DIMS - b.w.ndim;

		b.w.in[d] = b.w.out[d] = d < lead ? 1 : v->dims[2 + d - lead];
		b.w.kernel[d] = b.w.stride[d] = b.w.dilation[d] = 1;
	}
	return b;
}

/* ---------------------------------------------------------------- windows */

static int64_t gcd(int64_t a, int64_t b)
{
	while (b) {
		int64_t rest = a % b;

		a = b;
		b = rest;
	}
	return a;
}

/* Kernel of this span from pad before the image on, stride and out as they are in w: the padding behind it. */
static bool set_window(struct window *w, unsigned int d, int64_t span, int64_t dilation, int64_t pad)
{
	int64_t behind = (int64_t)(w->out[d] - 1) * w->stride[d] + span + 1 - w->in[d] - pad;

	behind = behind > 0 ? behind : 0;
	w->kernel[d] = (uint32_t)(span / dilation + 1);
	w->dilation[d] = (uint32_t)dilation;
	w->pad[d] = pad;
	w->pad_end[d] = behind;
	return span < MOST_SIZE && pad < MOST_SIZE && behind < MOST_SIZE && (w->in[d] + pad + behind - span - 1) / w->stride[d] + 1 == w->out[d];
}

static bool finish(struct branch *m)
{
	m->w.in_count = op_product(m->w.in, 0, WINDOW_DIMS);
	m->w.out_count = op_product(m->w.out, 0, WINDOW_DIMS);
	m->w.kernel_count = net_count(WINDOW_DIMS, m->w.kernel);
	if (m->w.kernel_count > MOST_K || m->cin / m->groups * m->w.kernel_count > MOST_K || branch_weights(m) > NET_MAX_COUNT)
		return false;
	m->n = branch_weights(m);
	return true;
}

uint64_t branch_weights(const struct branch *b)
{
	return (uint64_t)b->cout * (b->cin / b->groups) * b->w.kernel_count;
}

/*
 * The second one pads the image of the first with zeros; the merged one pads the input, and sees what the first one would have made there. That is zero too, when the first one has no bias
 * and its windows there lie outside of its input.
 */
static bool border(const struct branch *first, const struct branch *second, unsigned int d)
{
	const struct window *w = &first->w;
	bool before = (int64_t)(w->kernel[d] - 1) * w->dilation[d] - w->pad[d] < w->stride[d];
	bool behind = (int64_t)w->out[d] * w->stride[d] - w->pad[d] >= w->in[d];

	return (!second->w.pad[d] || (!first->bias && before)) && (!second->w.pad_end[d] || (!first->bias && behind));
}

bool branch_sequence(const struct branch *first, const struct branch *second, struct branch *merged)
{
	const struct window *a = &first->w, *b = &second->w;

	*merged = (struct branch){ .x = first->x, .y = second->y, .w = *b, .groups = (uint32_t)gcd(first->groups, second->groups), .cin = first->cin, .cout = second->cout };
	for (unsigned int d = 0; d < WINDOW_DIMS; d++) {
		int64_t step = (int64_t)b->dilation[d] * a->stride[d], stride = (int64_t)b->stride[d] * a->stride[d];
		int64_t span = (int64_t)(a->kernel[d] - 1) * a->dilation[d] + (b->kernel[d] - 1) * step;
		int64_t dilation = gcd(a->kernel[d] > 1 ? a->dilation[d] : 0, b->kernel[d] > 1 ? step : 0);

		if (!border(first, second, d) || stride > MOST_SIZE || step > MOST_SIZE)
			return false;
		merged->w.in[d] = a->in[d];
		merged->w.stride[d] = (uint32_t)stride;
		if (!set_window(&merged->w, d, span, dilation ? dilation : 1, a->pad[d] + b->pad[d] * a->stride[d]))
			return false;
	}
	return finish(merged);
}

bool branch_sum(const struct branch *b, unsigned int n, struct branch *merged)
{
	*merged = (struct branch){ .x = b->x, .w = b->w, .groups = b->groups, .cin = b->cin, .cout = b->cout };
	for (unsigned int i = 1; i < n; i++) {
		if (b[i].x != b->x || b[i].cin != b->cin || b[i].cout != b->cout || memcmp(b[i].w.out, b->w.out, sizeof(b->w.out)) ||
		    memcmp(b[i].w.stride, b->w.stride, sizeof(b->w.stride)))
			return false;
		merged->groups = (uint32_t)gcd(merged->groups, b[i].groups);
	}
	for (unsigned int d = 0; d < WINDOW_DIMS; d++) {
		int64_t pad = 0, span = 0, dilation = 0;

		for (unsigned int i = 0; i < n; i++)
			pad = b[i].w.pad[d] > pad ? b[i].w.pad[d] : pad;
		for (unsigned int i = 0; i < n; i++) {
			const struct window *w = &b[i].w;
			int64_t last = pad - w->pad[d] + (int64_t)(w->kernel[d] - 1) * w->dilation[d];

			span = last > span ? last : span;
			dilation = gcd(gcd(dilation, pad - w->pad[d]), w->kernel[d] > 1 ? w->dilation[d] : 0);
		}
		if (!set_window(&merged->w, d, span, dilation ? dilation : 1, pad))
			return false;
	}
	return finish(merged);
}

/* ---------------------------------------------------------------- numbers */

/* Where the taps of b lie in m's kernel: tap k of dimension d at (k * step[d] + pad[d]) / dilation of m. */
static uint64_t *places(const struct branch *b, const int64_t *step, const int64_t *from, const struct branch *m)
{
	uint64_t *place = malloc(b->w.kernel_count * sizeof(*place));

	for (uint64_t t = 0; place && t < b->w.kernel_count; t++) {
		uint64_t rest = t, unit = 1;

		place[t] = 0;
		for (unsigned int d = WINDOW_DIMS; d-- > 0; rest /= b->w.kernel[d], unit *= m->w.kernel[d])
			place[t] += (uint64_t)((int64_t)(rest % b->w.kernel[d]) * step[d] + from[d]) / m->w.dilation[d] * unit;
	}
	return place;
}

/* Weight of output channel o for channel i of its group. */
static double weight(const struct branch *b, uint32_t o, uint32_t i, uint64_t tap)
{
	return b->weights ? (double)b->weights[((uint64_t)o * (b->cin / b->groups) + i) * b->w.kernel_count + tap] : b->tap;
}

/* First input channel of the group that output channel o is in. */
static uint32_t first_in(const struct branch *b, uint32_t o)
{
	return o / (b->cout / b->groups) * (b->cin / b->groups);
}

static bool store(const double *row, uint64_t n, double shift, float *weights, float *bias)
{
	bool finite = isfinite((float)shift);

	*bias = (float)shift;
	for (uint64_t i = 0; i < n; i++) {
		weights[i] = (float)row[i];
		finite = finite && isfinite(weights[i]);
	}
	return finite;
}

uint64_t branch_work(const struct branch *first, const struct branch *second)
{
	return branch_weights(second) * (first->cin / first->groups) * first->w.kernel_count;
}

int branch_multiply(const struct branch *first, const struct branch *second, const struct branch *merged, float *weights, float *bias)
{
	const uint64_t na = first->w.kernel_count, nb = second->w.kernel_count, size = merged->cin / merged->groups * merged->w.kernel_count;
	const uint32_t ia = first->cin / first->groups, ib = second->cin / second->groups;
	int64_t steps[2][WINDOW_DIMS];
	static const int64_t zero[WINDOW_DIMS];
	uint64_t *at, *bt;
	double *row = malloc(size * sizeof(*row));
	int ret = 0;

	for (unsigned int d = 0; d < WINDOW_DIMS; d++) {
		steps[0][d] = first->w.dilation[d];
		steps[1][d] = (int64_t)second->w.dilation[d] * first->w.stride[d];
	}
	at = places(first, steps[0], zero, merged);
	bt = places(second, steps[1], zero, merged);
	if (!row || !at || !bt)
		ret = -ENOMEM;
	for (uint32_t o = 0; !ret && o < merged->cout; o++) {
		double shift = second->bias ? (double)second->bias[o] : 0;

		memset(row, 0, size * sizeof(*row));
		for (uint32_t k = 0; k < ib; k++) {
			uint32_t m = first_in(second, o) + k;
			double *to = row + (first_in(first, m) - first_in(merged, o)) * merged->w.kernel_count;

			for (uint64_t u = 0; u < nb; u++) {
				double factor = weight(second, o, k, u);

				shift += first->bias ? factor * (double)first->bias[m] : 0;
				for (uint64_t i = 0; i < ia; i++)
					for (uint64_t t = 0; t < na; t++)
						to[i * merged->w.kernel_count + at[t] + bt[u]] += factor * weight(first, m, (uint32_t)i, t);
			}
		}
		ret = store(row, size, shift, weights + o * size, bias + o) ? 0 : -ERANGE;
	}
	free(row);
	free(at);
	free(bt);
	return ret;
}

/* One of those that are added: its part of the row of output channel o. */
static void add_row(const struct branch *b, const struct branch *merged, const uint64_t *place, uint32_t o, double *row)
{
	double *to = row + (first_in(b, o) - first_in(merged, o)) * merged->w.kernel_count;

	for (uint32_t i = 0; i < b->cin / b->groups; i++)
		for (uint64_t t = 0; t < b->w.kernel_count; t++)
			to[i * merged->w.kernel_count + place[t]] += weight(b, o, i, t);
}

int branch_add(const struct branch *b, unsigned int n, const struct branch *merged, float *weights, float *bias)
{
	const uint64_t size = merged->cin / merged->groups * merged->w.kernel_count;
	uint64_t **place = calloc(n, sizeof(*place));
	double *row = malloc(size * sizeof(*row));
	int ret = place && row ? 0 : -ENOMEM;

	for (unsigned int i = 0; !ret && i < n; i++) {
		int64_t step[WINDOW_DIMS], from[WINDOW_DIMS];

		for (unsigned int d = 0; d < WINDOW_DIMS; d++) {
			step[d] = b[i].w.dilation[d];
			from[d] = merged->w.pad[d] - b[i].w.pad[d];
		}
		place[i] = places(&b[i], step, from, merged);
		ret = place[i] ? 0 : -ENOMEM;
	}
	for (uint32_t o = 0; !ret && o < merged->cout; o++) {
		double shift = 0;

		memset(row, 0, size * sizeof(*row));
		for (unsigned int i = 0; i < n; i++) {
			add_row(&b[i], merged, place[i], o, row);
			shift += b[i].bias ? (double)b[i].bias[o] : 0;
		}
		ret = store(row, size, shift, weights + o * size, bias + o) ? 0 : -ERANGE;
	}
	for (unsigned int i = 0; place && i < n; i++)
		free(place[i]);
	free(place);
	free(row);
	return ret;
}
