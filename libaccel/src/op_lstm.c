// SPDX-License-Identifier: GPL-2.0 OR MIT
/* LSTM with its default activations (sigmoid, tanh, tanh). */
#include "gemm.h"
#include "op.h"

#include <errno.h>
#include <math.h>
#include <string.h>
#include <strings.h>

enum { X, W, R, B, LENGTHS, H0, C0, P };

struct lstm {
	uint32_t time, batch, size, hidden, directions;
	bool batch_first, reverse;
	float clip;
};

/* The default ones, written out: once a direction. */
static bool default_activations(const struct net_node *node)
{
	const struct net_attr *a = op_attr(node, "activations");

	return !a || (a->type == NET_TEXT &&
		      (!strcasecmp(a->text, "Sigmoid,Tanh,Tanh") || !strcasecmp(a->text, "Sigmoid,Tanh,Tanh,Sigmoid,Tanh,Tanh")));
}

int op_lstm_infer(const struct op_infer *c)
{
	const struct net_value *x = op_in(c, X);
	struct lstm *p = op_plan(c, sizeof(*p));
	int64_t hidden, layout, forget;
	const char *direction;
	uint32_t y[4], h[3];
	int ret = p ? op_attr_int(c, "hidden_size", 0, 1, 1 << 20, &hidden) : -ENOMEM;

	ret = ret ? ret : op_attr_text(c, "direction", "forward", &direction);
	ret = ret ? ret : op_attr_int(c, "layout", 0, 0, 1, &layout);
	ret = ret ? ret : op_attr_int(c, "input_forget", 0, 0, 1, &forget);
	ret = ret ? ret : op_attr_float(c, "clip", INFINITY, &p->clip);
	for (unsigned int i = 0; !ret && i <= P; i++)
		ret = i == LENGTHS ? op_want(c, i, NET_I32) : op_want(c, i, NET_F32);
	if (ret)
		return ret;
	if (forget || !default_activations(c->node))
		return OP_FAIL(c, -ENOTSUP, "input_forget and other activations than the default ones are not supported");
	if (strcmp(direction, "forward") && strcmp(direction, "reverse") && strcmp(direction, "bidirectional"))
		return OP_FAIL(c, -EINVAL, "attribute 'direction' is '%s'", direction);
	if (x->ndim != 3 || op_in(c, W)->ndim != 3 || op_in(c, R)->ndim != 3)
		return OP_FAIL(c, -EINVAL, "input, weights and recurrence must have three dimensions");
	p->batch_first = layout;
	p->reverse = !strcmp(direction, "reverse");
	p->directions = strcmp(direction, "bidirectional") ? 1 : 2;
	p->time = x->dims[layout ? 1 : 0];
	p->batch = x->dims[layout ? 0 : 1];
	p->size = x->dims[2];
	p->hidden = hidden ? (uint32_t)hidden : op_in(c, R)->dims[2];
	/* every count that the kernel relies on */
	if (op_in(c, W)->count != (uint64_t)p->directions * 4 * p->hidden * p->size ||
	    op_in(c, R)->count != (uint64_t)p->directions * 4 * p->hidden * p->hidden ||
	    (op_in(c, B) && op_in(c, B)->count != (uint64_t)p->directions * 8 * p->hidden) ||
	    (op_in(c, P) && op_in(c, P)->count != (uint64_t)p->directions * 3 * p->hidden) ||
	    (op_in(c, LENGTHS) && op_in(c, LENGTHS)->count != p->batch) ||
	    (op_in(c, H0) && op_in(c, H0)->count != (uint64_t)p->directions * p->batch * p->hidden) ||
	    (op_in(c, C0) && op_in(c, C0)->count != (uint64_t)p->directions * p->batch * p->hidden) || !p->hidden)
		return OP_FAIL(c, -EINVAL, "an input does not fit %u directions, batch %u, %u inputs, %u hidden units", p->directions,
			       p->batch, p->size, p->hidden);
	memcpy(y, layout ? (uint32_t[]){ p->batch, p->time, p->directions, p->hidden } :
			   (uint32_t[]){ p->time, p->directions, p->batch, p->hidden }, sizeof(y));
	memcpy(h, layout ? (uint32_t[]){ p->batch, p->directions, p->hidden } : (uint32_t[]){ p->directions, p->batch, p->hidden },
	       sizeof(h));
	c->node->work = (uint64_t)p->time * p->batch * p->directions * 4 * p->hidden * (p->size + (uint64_t)p->hidden);
	/* a sequence's state and gates: h, c, and a new h while the old one is read */
	c->node->scratch = (size_t)7 * p->hidden * sizeof(float);
	ret = op_set(c, 0, NET_F32, 4, y);
	ret = ret ? ret : op_set(c, 1, NET_F32, 3, h);
	return ret ? ret : op_set(c, 2, NET_F32, 3, h);
}

static const float *optional(const struct op_run *r, unsigned int i)
{
	return i < r->node->nin ? r->in[i].f : NULL;
}

static float clipped(const struct lstm *p, float v)
{
	return v > p->clip ? p->clip : v < -p->clip ? -p->clip : v;
}

static float sigmoid(float v)
{
	return 1 / (1 + expf(-v));
}

/* gates[4 * hidden]: input, output, forget, cell; in ONNX's order */
static void step(const struct op_run *r, const struct lstm *p, uint32_t d, const float *x, float *h, float *cell, float *gates)
{
	const float *w = r->in[W].f + (size_t)d * 4 * p->hidden * p->size, *rec = r->in[R].f + (size_t)d * 4 * p->hidden * p->hidden;
	const float *bias = optional(r, B), *peep = optional(r, P);

	if (bias)
		bias += (size_t)d * 8 * p->hidden;
	if (peep)
		peep += (size_t)d * 3 * p->hidden;
	for (uint32_t g = 0; g < 4 * p->hidden; g++)
		gates[g] = gemm_dot(w + (size_t)g * p->size, x, p->size) + gemm_dot(rec + (size_t)g * p->hidden, h, p->hidden) +
			   (bias ? bias[g] + bias[g + 4 * p->hidden] : 0);
	for (uint32_t i = 0; i < p->hidden; i++) {
		float in = gates[i], out = gates[i + p->hidden], forget = gates[i + 2 * p->hidden], c = gates[i + 3 * p->hidden];

		if (peep) {
			in += peep[i] * cell[i];
			forget += peep[i + 2 * p->hidden] * cell[i];
		}
		cell[i] = sigmoid(clipped(p, forget)) * cell[i] + sigmoid(clipped(p, in)) * tanhf(clipped(p, c));
		if (peep)
			out += peep[i + p->hidden] * cell[i];
		h[i] = sigmoid(clipped(p, out)) * tanhf(cell[i]);
	}
}

/* One sequence in one direction. */
static void lstm_task(void *arg, size_t task, void *scratch)
{
	const struct op_run *r = arg;
	const struct lstm *p = r->node->plan;
	uint32_t d = (uint32_t)(task / p->batch), b = (uint32_t)(task % p->batch), length = p->time;
	size_t state = p->batch_first ? (size_t)b * p->directions + d : task;
	float *h = scratch, *cell = h + p->hidden, *gates = cell + p->hidden;
	bool backwards = p->reverse || d == 1;

	memset(h, 0, 2 * (size_t)p->hidden * sizeof(float));
	if (optional(r, H0))
		memcpy(h, optional(r, H0) + state * p->hidden, p->hidden * sizeof(float));
	if (optional(r, C0))
		memcpy(cell, optional(r, C0) + state * p->hidden, p->hidden * sizeof(float));
	if (LENGTHS < r->node->nin && r->in[LENGTHS].p) {
		int32_t said = r->in[LENGTHS].i32[b];

		length = said < 0 ? 0 : (uint32_t)said < p->time ? (uint32_t)said : p->time;
	}
	for (uint32_t i = 0; i < p->time; i++) {
		uint32_t t = backwards && i < length ? length - 1 - i : i;
		float *y = r->out[0].f;

		if (y)
			y += (p->batch_first ? ((size_t)b * p->time + t) * p->directions + d : ((size_t)t * p->directions + d) * p->batch + b) *
			     p->hidden;
		if (i >= length) {
			if (y)
				memset(y, 0, p->hidden * sizeof(float));
			continue;
		}
		step(r, p, d, r->in[X].f + (p->batch_first ? (size_t)b * p->time + t : (size_t)t * p->batch + b) * p->size, h, cell, gates);
		if (y)
			memcpy(y, h, p->hidden * sizeof(float));
	}
	if (r->node->nout > 1 && r->out[1].f)
		memcpy(r->out[1].f + state * p->hidden, h, p->hidden * sizeof(float));
	if (r->node->nout > 2 && r->out[2].f)
		memcpy(r->out[2].f + state * p->hidden, cell, p->hidden * sizeof(float));
}

void op_lstm_run(const struct op_run *r)
{
	const struct lstm *p = r->node->plan;

	pool_run(r->pool, (size_t)p->directions * p->batch, lstm_task, (void *)r);
}
