// SPDX-License-Identifier: GPL-2.0 OR MIT
/* Comparison, logic, choice, conversion. */
#include "half.h"
#include "op_bcast.h"

#include <errno.h>
#include <math.h>
#include <string.h>

/* ---------------------------------------------------------------- comparison and logic */

enum logic_op { EQUAL, LESS, GREATER, LESS_EQUAL, GREATER_EQUAL, AND, OR, XOR, NLOGIC };

struct logic {
	enum logic_op op;
	struct bcast b;
};

static bool holds_floats(enum logic_op op, float a, float b)
{
	switch (op) {
	case EQUAL:
		return a == b;
	case LESS:
		return a < b;
	case GREATER:
		return a > b;
	case LESS_EQUAL:
		return a <= b;
	default:
		return a >= b;
	}
}

static bool holds_integers(enum logic_op op, int64_t a, int64_t b)
{
	switch (op) {
	case EQUAL:
		return a == b;
	case LESS:
		return a < b;
	case GREATER:
		return a > b;
	case LESS_EQUAL:
		return a <= b;
	case GREATER_EQUAL:
		return a >= b;
	case AND:
		return a && b;
	case OR:
		return a || b;
	case XOR:
	case NLOGIC:
		break;
	}
	return !a != !b;
}

static int64_t load(const struct tensor *t, uint64_t i)
{
	switch (t->type) {
	case NET_F32:
		return (int64_t)t->f[i];
	case NET_I64:
		return t->i64[i];
	case NET_I32:
		return t->i32[i];
	case NET_I8:
		return t->i8[i];
	case NET_U8:
	case NET_BOOL:
	case NET_NTYPES:
		break;
	}
	return t->u8[i];
}

static int infer_logic(const struct op_infer *c)
{
	static const char *const names[NLOGIC] = { "Equal", "Less", "Greater", "LessOrEqual", "GreaterOrEqual", "And", "Or", "Xor" };
	const struct net_value *v[2] = { op_in(c, 0), op_in(c, 1) };
	struct logic *p = op_plan(c, sizeof(*p));
	unsigned int ndim = v[0]->ndim;
	uint32_t dims[NET_MAX_DIMS];
	int ret;

	if (!p)
		return -ENOMEM;
	for (int i = 0; i < NLOGIC; i++)
		if (!strcmp(names[i], c->node->op->name))
			p->op = (enum logic_op)i;
	if (v[0]->type != v[1]->type)
		return OP_FAIL(c, -EINVAL, "inputs are of type %s and %s", net_type_names[v[0]->type], net_type_names[v[1]->type]);
	memcpy(dims, v[0]->dims, sizeof(dims));
	ret = op_broadcast(c, &ndim, dims, v[1]);
	if (ret)
		return ret;
	bcast_make(&p->b, ndim, dims, 2, v);
	return op_set(c, 0, NET_BOOL, ndim, dims);
}

int op_compare_infer(const struct op_infer *c)
{
	return infer_logic(c);
}

int op_logic_infer(const struct op_infer *c)
{
	int ret = op_want(c, 0, NET_BOOL);

	return ret ? ret : infer_logic(c);
}

static void run_logic(void *arg, uint64_t first, uint64_t last)
{
	const struct op_run *r = arg;
	const struct logic *p = r->node->plan;
	const struct tensor *a = &r->in[0], *b = &r->in[1];
	uint64_t at[2];

	for (uint64_t row = first; row < last; row++) {
		bcast_row(&p->b, row, 2, at);
		for (uint64_t i = 0; i < p->b.inner; i++) {
			uint64_t ia = at[0] + i * p->b.stride[0][0], ib = at[1] + i * p->b.stride[1][0];

			r->out[0].u8[row * p->b.inner + i] = a->type == NET_F32 ? holds_floats(p->op, a->f[ia], b->f[ib]) :
									      holds_integers(p->op, load(a, ia), load(b, ib));
		}
	}
}

void op_compare_run(const struct op_run *r)
{
	const struct logic *p = r->node->plan;

	if (r->out[0].count)
		op_parallel(r->pool, p->b.rows, (1 << 14) / p->b.inner + 1, run_logic, (void *)r);
}

void op_logic_run(const struct op_run *r)
{
	op_compare_run(r);
}

int op_not_infer(const struct op_infer *c)
{
	int ret = op_want(c, 0, NET_BOOL);

	return ret ? ret : op_set_like(c, 0, op_in(c, 0));
}

void op_not_run(const struct op_run *r)
{
	for (uint64_t i = 0; i < r->out[0].count; i++)
		r->out[0].u8[i] = !r->in[0].u8[i];
}

/* ---------------------------------------------------------------- Where */

int op_where_infer(const struct op_infer *c)
{
	const struct net_value *v[3] = { op_in(c, 0), op_in(c, 1), op_in(c, 2) };
	struct bcast *b = op_plan(c, sizeof(*b));
	unsigned int ndim = v[0]->ndim;
	uint32_t dims[NET_MAX_DIMS];
	int ret = b ? op_want(c, 0, NET_BOOL) : -ENOMEM;

	if (ret)
		return ret;
	if (v[1]->type != v[2]->type)
		return OP_FAIL(c, -EINVAL, "the choices are of type %s and %s", net_type_names[v[1]->type], net_type_names[v[2]->type]);
	memcpy(dims, v[0]->dims, sizeof(dims));
	ret = op_broadcast(c, &ndim, dims, v[1]);
	ret = ret ? ret : op_broadcast(c, &ndim, dims, v[2]);
	if (ret)
		return ret;
	bcast_make(b, ndim, dims, 3, v);
	return op_set(c, 0, v[1]->type, ndim, dims);
}

void op_where_run(const struct op_run *r)
{
	const struct bcast *b = r->node->plan;
	size_t size = net_type_size(r->out[0].type);
	uint64_t at[3];

	for (uint64_t row = 0; row < b->rows && r->out[0].count; row++) {
		bcast_row(b, row, 3, at);
		for (uint64_t i = 0; i < b->inner; i++) {
			unsigned int k = r->in[0].u8[at[0] + i * b->stride[0][0]] ? 1 : 2;

			memcpy(r->out[0].u8 + (row * b->inner + i) * size, r->in[k].u8 + (at[k] + i * b->stride[k][0]) * size, size);
		}
	}
}

/* ---------------------------------------------------------------- Cast */

/* Rounding that a cast to a narrower float leaves behind; the value stays a float32. */
enum narrow { NARROW_NONE, NARROW_F16, NARROW_BF16 };

struct cast {
	enum narrow narrow;
};

/* TensorProto.DataType of ONNX, as attribute 'to' has it. */
static int cast_type(const struct op_infer *c, int64_t to, enum net_type *type, enum narrow *narrow)
{
	*narrow = NARROW_NONE;
	switch (to) {
	case 1:
	case 11:   /* double: computed in float32 */
		*type = NET_F32;
		return 0;
	case 10:
		*type = NET_F32;
		*narrow = NARROW_F16;
		return 0;
	case 16:
		*type = NET_F32;
		*narrow = NARROW_BF16;
		return 0;
	case 2:
		*type = NET_U8;
		return 0;
	case 3:
		*type = NET_I8;
		return 0;
	case 6:
		*type = NET_I32;
		return 0;
	case 7:
		*type = NET_I64;
		return 0;
	case 9:
		*type = NET_BOOL;
		return 0;
	}
	return OP_FAIL(c, -ENOTSUP, "type %lld is not supported; float, int64, int32, uint8, int8 and bool are", (long long)to);
}

int op_cast_infer(const struct op_infer *c)
{
	struct cast *p = op_plan(c, sizeof(*p));
	enum net_type type = NET_F32;
	int64_t to;
	int ret = p ? op_attr_int(c, "to", 0, 1, 255, &to) : -ENOMEM;

	ret = ret ? ret : cast_type(c, to, &type, &p->narrow);
	return ret ? ret : op_set(c, 0, type, op_in(c, 0)->ndim, op_in(c, 0)->dims);
}

int op_cast_like_infer(const struct op_infer *c)
{
	struct cast *p = op_plan(c, sizeof(*p));

	return p ? op_set(c, 0, op_in(c, 1)->type, op_in(c, 0)->ndim, op_in(c, 0)->dims) : -ENOMEM;
}

/* C's conversion where it has one; what an integer cannot hold becomes its nearest value, NaN becomes 0. */
static int64_t to_integer(float f, enum net_type type)
{
	double lo = type == NET_I64 ? -0x1p63 : type == NET_I32 ? -0x1p31 : type == NET_I8 ? -128 : 0;
	double hi = type == NET_I64 ? 0x1p63 : type == NET_I32 ? 0x1p31 - 1 : type == NET_I8 ? 127 : 255;

	if (isnan(f))
		return 0;
	if ((double)f <= lo)
		return type == NET_I64 ? INT64_MIN : (int64_t)lo;
	if ((double)f >= hi)
		return type == NET_I64 ? INT64_MAX : (int64_t)hi;
	return (int64_t)f;
}

static void store(const struct tensor *t, uint64_t i, int64_t v)
{
	switch (t->type) {
	case NET_F32:
		t->f[i] = (float)v;
		break;
	case NET_I64:
		t->i64[i] = v;
		break;
	case NET_I32:
		t->i32[i] = (int32_t)v;
		break;
	case NET_BOOL:
		t->u8[i] = v != 0;
		break;
	case NET_U8:
	case NET_I8:
	case NET_NTYPES:
		t->u8[i] = (uint8_t)v;
		break;
	}
}

void op_cast_run(const struct op_run *r)
{
	const struct cast *p = r->node->plan;
	const struct tensor *x = &r->in[0], *y = &r->out[0];

	for (uint64_t i = 0; i < y->count; i++) {
		if (x->type != NET_F32)
			store(y, i, load(x, i));
		else if (y->type == NET_BOOL)
			y->u8[i] = x->f[i] != 0;
		else if (y->type != NET_F32)
			store(y, i, to_integer(x->f[i], y->type));
		else
			y->f[i] = x->f[i];
		if (p->narrow == NARROW_F16)
			y->f[i] = half_to_float(float_to_half(y->f[i]));
		else if (p->narrow == NARROW_BF16)
			y->f[i] = bfloat_to_float(float_to_bfloat(y->f[i]));
	}
}

void op_cast_like_run(const struct op_run *r)
{
	op_cast_run(r);
}
