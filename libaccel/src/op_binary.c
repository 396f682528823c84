// SPDX-License-Identifier: GPL-2.0 OR MIT
/* Functions of two numbers, broadcast; and those of any number of tensors, two at a time. */
#include "op_bcast.h"

#include <errno.h>
#include <math.h>
#include <string.h>

enum binary_op { ADD, SUB, MUL, DIV, POW, MOD, FMOD, MIN, MAX, NBINARY };

struct binary {
	enum binary_op op;
	struct bcast b;
};

static uint64_t wrap_pow(uint64_t base, int64_t exponent)
{
	uint64_t y = 1;

	if (exponent < 0)
		return base == 1 ? 1 : base == UINT64_MAX ? exponent & 1 ? base : 1 : 0;
	for (; exponent; exponent >>= 1, base *= base)
		if (exponent & 1)
			y *= base;
	return y;
}

/* Integers wrap; what has no result (division by 0) is 0. Mod: the sign of the divisor, as Python; fmod: of the dividend. */
static int64_t integers(enum binary_op op, int64_t a, int64_t b)
{
	int64_t m;

	switch (op) {
	case ADD:
		return (int64_t)((uint64_t)a + (uint64_t)b);
	case SUB:
		return (int64_t)((uint64_t)a - (uint64_t)b);
	case MUL:
		return (int64_t)((uint64_t)a * (uint64_t)b);
	case DIV:
		return b == 0 ? 0 : b == -1 ? (int64_t)-(uint64_t)a : a / b;
	case POW:
		return (int64_t)wrap_pow((uint64_t)a, b);
	case MOD:
		m = b == 0 || b == -1 ? 0 : a % b;
		return m && (m < 0) != (b < 0) ? m + b : m;
	case FMOD:
		return b == 0 || b == -1 ? 0 : a % b;
	case MIN:
		return a < b ? a : b;
	case MAX:
	case NBINARY:
		break;
	}
	return a > b ? a : b;
}

#define LOOP(expression) \
	do { \
		if (sa && sb) \
			for (uint64_t i = 0; i < n; i++) { \
				float a = pa[i], b = pb[i]; \
				y[i] = expression; \
			} \
		else if (sa) \
			for (uint64_t i = 0; i < n; i++) { \
				float a = pa[i], b = pb[0]; \
				y[i] = expression; \
			} \
		else \
			for (uint64_t i = 0; i < n; i++) { \
				float a = pa[0], b = pb[i * sb]; \
				y[i] = expression; \
			} \
	} while (0)

static void floats(enum binary_op op, const float *pa, uint64_t sa, const float *pb, uint64_t sb, float *y, uint64_t n)
{
	switch (op) {
	case ADD:
		LOOP(a + b);
		break;
	case SUB:
		LOOP(a - b);
		break;
	case MUL:
		LOOP(a * b);
		break;
	case DIV:
		LOOP(a / b);
		break;
	case POW:
		/* squares are what networks mostly want */
		if (!sb && pb[0] == 2)
			LOOP(((void)b, a * a));
		else
			LOOP(powf(a, b));
		break;
	case MOD:
	case FMOD:
		LOOP(fmodf(a, b));
		break;
	case MIN:
		LOOP(isnan(a) || a < b ? a : b);
		break;
	case MAX:
	case NBINARY:
		LOOP(isnan(a) || a > b ? a : b);
		break;
	}
}

static int64_t load(const struct tensor *t, uint64_t i)
{
	switch (t->type) {
	case NET_I64:
		return t->i64[i];
	case NET_I32:
		return t->i32[i];
	case NET_I8:
		return t->i8[i];
	case NET_F32:
	case NET_U8:
	case NET_BOOL:
	case NET_NTYPES:
		break;
	}
	return t->u8[i];
}

static void store(const struct tensor *t, uint64_t i, int64_t v)
{
	switch (t->type) {
	case NET_I64:
		t->i64[i] = v;
		break;
	case NET_I32:
		t->i32[i] = (int32_t)v;
		break;
	case NET_F32:
	case NET_I8:
	case NET_U8:
	case NET_BOOL:
	case NET_NTYPES:
		t->u8[i] = (uint8_t)v;
		break;
	}
}

/* Pow alone mixes types: the result has the base's. */
static void mixed_pow(const struct tensor *a, uint64_t i, const struct tensor *b, uint64_t k, const struct tensor *y, uint64_t o)
{
	double base = a->type == NET_F32 ? (double)a->f[i] : (double)load(a, i);
	double exponent = b->type == NET_F32 ? (double)b->f[k] : (double)load(b, k), v = pow(base, exponent);

	if (y->type == NET_F32)
		y->f[o] = (float)v;
	else
		store(y, o, v >= -0x1p63 && v < 0x1p63 ? (int64_t)v : 0);
}

static void run_rows(const struct binary *p, const struct tensor *a, const struct tensor *b, const struct tensor *y,
		     uint64_t first, uint64_t last)
{
	uint64_t sa = p->b.stride[0][0], sb = p->b.stride[1][0], n = p->b.inner, at[2];

	for (uint64_t r = first; r < last; r++) {
		bcast_row(&p->b, r, 2, at);
		if (a->type == NET_F32 && b->type == NET_F32) {
			floats(p->op, a->f + at[0], sa, b->f + at[1], sb, y->f + r * n, n);
			continue;
		}
		for (uint64_t i = 0; i < n; i++) {
			if (a->type == NET_F32 || b->type == NET_F32)
				mixed_pow(a, at[0] + i * sa, b, at[1] + i * sb, y, r * n + i);
			else
				store(y, r * n + i, integers(p->op, load(a, at[0] + i * sa), load(b, at[1] + i * sb)));
		}
	}
}

static int find_op(const char *name, enum binary_op *op)
{
	static const char *const names[NBINARY] = { "Add", "Sub", "Mul", "Div", "Pow", "Mod", "", "Min", "Max" };

	for (int i = 0; i < NBINARY; i++) {
		if (!strcmp(names[i], name)) {
			*op = (enum binary_op)i;
			return 0;
		}
	}
	return -EINVAL;
}

int op_binary_infer(const struct op_infer *c)
{
	const struct net_value *v[2] = { op_in(c, 0), op_in(c, 1) };
	struct binary *p = op_plan(c, sizeof(*p));
	unsigned int ndim = v[0]->ndim;
	uint32_t dims[NET_MAX_DIMS];
	int64_t fmod_flag = 0;
	int ret;

	if (!p)
		return -ENOMEM;
	ret = find_op(c->node->op->name, &p->op);
	if (p->op == MOD)
		ret = op_attr_int(c, "fmod", 0, 0, 1, &fmod_flag);
	if (ret)
		return ret;
	if (p->op == MOD && !fmod_flag && v[0]->type == NET_F32)
		return OP_FAIL(c, -EINVAL, "fmod must be 1 for floats");
	if (fmod_flag)
		p->op = FMOD;
	/* before opset 7 shapes could be matched from any dimension on; what names none is today's rule */
	if (c->node->opset < 7 && op_attr(c->node, "axis"))
		return OP_FAIL(c, -ENOTSUP, "attribute 'axis' of old operator sets is not supported: convert the file to operator set 7 or later");
	if (v[0]->type == NET_BOOL || v[1]->type == NET_BOOL)
		return OP_FAIL(c, -EINVAL, "an input is of type bool");
	if (v[0]->type != v[1]->type && p->op != POW)
		return OP_FAIL(c, -EINVAL, "inputs are of type %s and %s", net_type_names[v[0]->type], net_type_names[v[1]->type]);
	memcpy(dims, v[0]->dims, sizeof(dims));
	ret = op_broadcast(c, &ndim, dims, v[1]);
	if (ret)
		return ret;
	bcast_make(&p->b, ndim, dims, 2, v);
	return op_set(c, 0, v[0]->type, ndim, dims);
}

static void run_binary(void *arg, uint64_t first, uint64_t last)
{
	const struct op_run *r = arg;

	run_rows(r->node->plan, &r->in[0], &r->in[1], &r->out[0], first, last);
	if (r->node->act.kind) {
		const struct binary *p = r->node->plan;

		op_activate(&r->node->act, r->out[0].f + first * p->b.inner, (last - first) * p->b.inner);
	}
}

void op_binary_run(const struct op_run *r)
{
	const struct binary *p = r->node->plan;

	if (r->out[0].count)
		op_parallel(r->pool, p->b.rows, (1 << 14) / p->b.inner + 1, run_binary, (void *)r);
}

/* ---------------------------------------------------------------- PRelu */

int op_prelu_infer(const struct op_infer *c)
{
	const struct net_value *v[2] = { op_in(c, 0), op_in(c, 1) };
	struct bcast *b = op_plan(c, sizeof(*b));
	unsigned int ndim = v[0]->ndim;
	uint32_t dims[NET_MAX_DIMS];
	int ret = b ? op_want(c, 0, NET_F32) : -ENOMEM;

	ret = ret ? ret : op_want(c, 1, NET_F32);
	if (ret)
		return ret;
	memcpy(dims, v[0]->dims, sizeof(dims));
	ret = op_broadcast(c, &ndim, dims, v[1]);
	if (ret)
		return ret;
	if (ndim != v[0]->ndim || memcmp(dims, v[0]->dims, ndim * sizeof(*dims)))
		return OP_FAIL(c, -EINVAL, "the slope's shape %s does not fit the input's", net_shape_text(v[1]->ndim, v[1]->dims).s);
	bcast_make(b, ndim, dims, 2, v);
	return op_set_like(c, 0, v[0]);
}

static void run_prelu(void *arg, uint64_t first, uint64_t last)
{
	const struct op_run *r = arg;
	const struct bcast *b = r->node->plan;
	uint64_t at[2];

	for (uint64_t row = first; row < last; row++) {
		bcast_row(b, row, 2, at);
		for (uint64_t i = 0; i < b->inner; i++) {
			float x = r->in[0].f[at[0] + i * b->stride[0][0]];

			r->out[0].f[row * b->inner + i] = x < 0 ? x * r->in[1].f[at[1] + i * b->stride[1][0]] : x;
		}
	}
}

void op_prelu_run(const struct op_run *r)
{
	const struct bcast *b = r->node->plan;

	if (r->out[0].count)
		op_parallel(r->pool, b->rows, (1 << 14) / b->inner + 1, run_prelu, (void *)r);
}

/* ---------------------------------------------------------------- Sum, Mean, Min, Max */

struct variadic {
	bool mean;
	struct binary steps[];   /* [nin - 1]: result so far with input i + 1; the first with input 0 */
};

int op_variadic_infer(const struct op_infer *c)
{
	const char *name = c->node->op->name;
	bool sum = !strcmp(name, "Sum") || !strcmp(name, "Mean");
	struct variadic *p = op_plan(c, sizeof(*p) + c->node->nin * sizeof(struct binary));
	unsigned int ndim = 0;
	uint32_t dims[NET_MAX_DIMS];
	int ret = p ? 0 : -ENOMEM;

	for (unsigned int i = 0; !ret && i < c->node->nin; i++) {
		const struct net_value *v = op_in(c, i);

		if (!v || v->type != op_in(c, 0)->type || v->type == NET_BOOL || (sum && v->type != NET_F32))
			return OP_FAIL(c, -EINVAL, "input %u is missing or of the wrong type", i);
		ret = op_broadcast(c, &ndim, dims, v);
	}
	if (ret)
		return ret;
	p->mean = !strcmp(name, "Mean");
	/* the result has the whole shape from the first step on: input 0 broadcast, then each other one */
	for (unsigned int i = 0; i < c->node->nin; i++) {
		struct net_value whole = { .ndim = ndim };
		const struct net_value *v[2] = { i == 0 ? op_in(c, 0) : &whole, op_in(c, i) };

		memcpy(whole.dims, dims, ndim * sizeof(*dims));
		p->steps[i].op = sum ? ADD : !strcmp(name, "Min") ? MIN : MAX;
		bcast_make(&p->steps[i].b, ndim, dims, 2, v);
	}
	return op_set(c, 0, op_in(c, 0)->type, ndim, dims);
}

static void run_first(const struct op_run *r)
{
	const struct bcast *b = &((const struct variadic *)r->node->plan)->steps[0].b;
	size_t size = net_type_size(r->out[0].type);
	uint64_t at[2];

	for (uint64_t row = 0; row < b->rows; row++) {
		bcast_row(b, row, 2, at);
		for (uint64_t i = 0; i < b->inner; i++)
			memcpy(r->out[0].u8 + (row * b->inner + i) * size, r->in[0].u8 + (at[0] + i * b->stride[0][0]) * size, size);
	}
}

struct variadic_step {
	const struct op_run *r;
	unsigned int i;
};

static void run_step(void *arg, uint64_t first, uint64_t last)
{
	const struct variadic_step *s = arg;
	const struct variadic *p = s->r->node->plan;

	run_rows(&p->steps[s->i], &s->r->out[0], &s->r->in[s->i], &s->r->out[0], first, last);
}

void op_variadic_run(const struct op_run *r)
{
	const struct variadic *p = r->node->plan;

	if (!r->out[0].count)
		return;
	run_first(r);
	for (unsigned int i = 1; i < r->node->nin; i++) {
		struct variadic_step s = { r, i };

		op_parallel(r->pool, p->steps[i].b.rows, (1 << 14) / p->steps[i].b.inner + 1, run_step, &s);
	}
	for (uint64_t i = 0; p->mean && i < r->out[0].count; i++)
		r->out[0].f[i] /= (float)r->node->nin;
	if (r->node->act.kind)
		op_activate(&r->node->act, r->out[0].f, r->out[0].count);
}
