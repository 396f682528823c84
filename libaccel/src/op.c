// SPDX-License-Identifier: GPL-2.0 OR MIT
/* What operators share: attributes, broadcasting, activations, loops over elements. */
#include "op.h"
#include "wide.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---------------------------------------------------------------- inputs and outputs */

struct net_value *op_in(const struct op_infer *c, unsigned int i)
{
	return i < c->node->nin && c->node->in[i] != NET_NONE ? &c->net->values[c->node->in[i]] : NULL;
}

struct net_value *op_out(const struct op_infer *c, unsigned int i)
{
	return i < c->node->nout && c->node->out[i] != NET_NONE ? &c->net->values[c->node->out[i]] : NULL;
}

int op_set(const struct op_infer *c, unsigned int i, enum net_type type, unsigned int ndim, const uint32_t *dims)
{
	struct net_value *v = op_out(c, i);
	uint64_t count;

	if (!v)
		return 0;
	if (ndim > NET_MAX_DIMS)
		return OP_FAIL(c, -ENOTSUP, "output %u has %u dimensions; at most %d are supported", i, ndim, NET_MAX_DIMS);
	count = net_count(ndim, dims);
	if (count == UINT64_MAX)
		return OP_FAIL(c, -E2BIG, "output %u of %s has more than 2^28 values", i, net_shape_text(ndim, dims).s);
	v->type = type;
	v->ndim = ndim;
	v->count = count;
	if (ndim)
		memcpy(v->dims, dims, ndim * sizeof(*dims));
	return 0;
}

int op_set_like(const struct op_infer *c, unsigned int i, const struct net_value *v)
{
	return op_set(c, i, v->type, v->ndim, v->dims);
}

int op_want_any(const struct op_infer *c, unsigned int i, uint32_t types)
{
	const struct net_value *v = op_in(c, i);

	if (!v || types >> v->type & 1)
		return 0;
	return OP_FAIL(c, -ENOTSUP, "input %u '%s' is of type %s, which this operator is not supported for", i, v->name,
		       net_type_names[v->type]);
}

int op_want(const struct op_infer *c, unsigned int i, enum net_type type)
{
	return op_want_any(c, i, 1u << type);
}

void *op_plan(const struct op_infer *c, size_t bytes)
{
	c->node->plan = calloc(1, bytes);
	if (!c->node->plan)
		OP_FAIL(c, -ENOMEM, "out of memory");
	return c->node->plan;
}

/* ---------------------------------------------------------------- attributes */

const struct net_attr *op_attr(const struct net_node *node, const char *name)
{
	for (unsigned int i = 0; i < node->nattrs; i++)
		if (!strcmp(node->attrs[i].name, name))
			return &node->attrs[i];
	return NULL;
}

int op_attr_int(const struct op_infer *c, const char *name, int64_t def, int64_t lo, int64_t hi, int64_t *value)
{
	const struct net_attr *a = op_attr(c->node, name);

	*value = def;
	if (!a)
		return 0;
	if (a->type != NET_INTS || a->n != 1 || a->list)
		return OP_FAIL(c, -EINVAL, "attribute '%s' is not one integer", name);
	if (a->ints[0] < lo || a->ints[0] > hi)
		return OP_FAIL(c, -EINVAL, "attribute '%s' is %lld; %lld to %lld are allowed", name, (long long)a->ints[0],
			       (long long)lo, (long long)hi);
	*value = a->ints[0];
	return 0;
}

int op_attr_float(const struct op_infer *c, const char *name, float def, float *value)
{
	const struct net_attr *a = op_attr(c->node, name);

	*value = def;
	if (!a)
		return 0;
	if (a->type != NET_FLOATS || a->n != 1 || a->list)
		return OP_FAIL(c, -EINVAL, "attribute '%s' is not one float", name);
	*value = a->floats[0];
	return 0;
}

int op_attr_text(const struct op_infer *c, const char *name, const char *def, const char **value)
{
	const struct net_attr *a = op_attr(c->node, name);

	*value = def;
	if (!a)
		return 0;
	if (a->type != NET_TEXT)
		return OP_FAIL(c, -EINVAL, "attribute '%s' is not a text", name);
	*value = a->text;
	return 0;
}

int op_attr_ints(const struct op_infer *c, const char *name, unsigned int n, int64_t lo, int64_t hi, int64_t *values)
{
	const struct net_attr *a = op_attr(c->node, name);

	if (!a)
		return 0;
	if (a->type != NET_INTS || a->n != n)
		return OP_FAIL(c, -EINVAL, "attribute '%s' is not a list of %u integers", name, n);
	for (unsigned int i = 0; i < n; i++) {
		if (a->ints[i] < lo || a->ints[i] > hi)
			return OP_FAIL(c, -EINVAL, "attribute '%s' has the value %lld; %lld to %lld are allowed", name,
				       (long long)a->ints[i], (long long)lo, (long long)hi);
		values[i] = a->ints[i];
	}
	return 0;
}

int op_axis(const struct op_infer *c, int64_t axis, unsigned int ndim, unsigned int *out)
{
	if (axis < -(int64_t)ndim || axis >= (int64_t)ndim)
		return OP_FAIL(c, -EINVAL, "axis %lld of a tensor of %u dimensions", (long long)axis, ndim);
	*out = (unsigned int)(axis < 0 ? axis + ndim : axis);
	return 0;
}

int op_const_ints(const struct op_infer *c, unsigned int i, unsigned int max, int64_t *values, unsigned int *n)
{
	const struct net_value *v = op_in(c, i);
	int ret = op_want_any(c, i, 1u << NET_I64 | 1u << NET_I32);

	if (ret)
		return ret;
	if (!v->data)
		return OP_FAIL(c, -ENOTSUP, "input %u '%s' is not constant", i, v->name);
	if (v->ndim > 1 || v->count > max)
		return OP_FAIL(c, -EINVAL, "input %u is of shape %s; a list of at most %u numbers is allowed", i,
			       net_shape_text(v->ndim, v->dims).s, max);
	*n = (unsigned int)v->count;
	for (unsigned int k = 0; k < *n; k++)
		values[k] = v->type == NET_I64 ? ((const int64_t *)v->data)[k] : ((const int32_t *)v->data)[k];
	return 0;
}

int op_ints_attr_or_in(const struct op_infer *c, const char *name, unsigned int i, unsigned int max, int64_t *values, int *n)
{
	const struct net_attr *a = op_attr(c->node, name);
	unsigned int m;
	int ret;

	*n = -1;
	if (op_in(c, i)) {
		ret = op_const_ints(c, i, max, values, &m);
		*n = ret ? -1 : (int)m;
		return ret;
	}
	if (!a)
		return 0;
	if (a->n > max)
		return OP_FAIL(c, -EINVAL, "attribute '%s' has %u values; at most %u are allowed", name, a->n, max);
	ret = op_attr_ints(c, name, a->n, INT64_MIN, INT64_MAX, values);
	*n = ret ? -1 : (int)a->n;
	return ret;
}

/* ---------------------------------------------------------------- shapes */

int op_broadcast(const struct op_infer *c, unsigned int *ndim, uint32_t *dims, const struct net_value *v)
{
	uint32_t out[NET_MAX_DIMS];
	unsigned int n = *ndim > v->ndim ? *ndim : v->ndim;

	for (unsigned int i = 0; i < n; i++) {
		uint32_t a = i < n - *ndim ? 1 : dims[i - (n - *ndim)], b = i < n - v->ndim ? 1 : v->dims[i - (n - v->ndim)];

		if (a != b && a != 1 && b != 1)
			return OP_FAIL(c, -EINVAL, "shapes %s and %s do not broadcast", net_shape_text(*ndim, dims).s,
				       net_shape_text(v->ndim, v->dims).s);
		out[i] = a == 1 ? b : a;
	}
	*ndim = n;
	memcpy(dims, out, n * sizeof(*out));
	return 0;
}

uint64_t op_product(const uint32_t *dims, unsigned int first, unsigned int last)
{
	uint64_t p = 1;

	for (unsigned int i = first; i < last; i++)
		p *= dims[i];
	return p;
}

void op_strides(unsigned int ndim, const uint32_t *dims, unsigned int vdim, const uint32_t *vdims, uint64_t *strides)
{
	uint64_t stride = 1;

	(void)dims;
	for (unsigned int i = ndim; i-- > 0;) {
		unsigned int k = i - (ndim - vdim);

		if (i < ndim - vdim) {
			strides[i] = 0;
			continue;
		}
		strides[i] = vdims[k] == 1 ? 0 : stride;
		stride *= vdims[k];
	}
}

/* ---------------------------------------------------------------- loops */

struct loop {
	uint64_t n, part;
	void (*fn)(void *arg, uint64_t first, uint64_t last);
	void *arg;
};

static void loop_task(void *arg, size_t task, void *scratch)
{
	const struct loop *l = arg;
	uint64_t first = task * l->part, last = first + l->part < l->n ? first + l->part : l->n;

	(void)scratch;
	l->fn(l->arg, first, last);
}

void op_parallel(struct pool *pool, uint64_t n, uint64_t grain, void (*fn)(void *arg, uint64_t first, uint64_t last), void *arg)
{
	struct loop l = { n, grain ? grain : 1, fn, arg };

	if (n)
		pool_run(pool, (size_t)((n + l.part - 1) / l.part), loop_task, &l);
}

WIDE void op_activate(const struct net_act *act, float *v, uint64_t n)
{
	/* not through the pointer, which v might point at for all that the compiler knows */
	const float a = act->a, b = act->b;

	switch (act->kind) {
	case NET_ACT_CLIP:
		/* NaN stays NaN, as in the Clip operator */
		for (uint64_t i = 0; i < n; i++) {
			float x = v[i] < a ? a : v[i];

			v[i] = x > b ? b : x;
		}
		break;
	case NET_ACT_HARD_SIGMOID:
		for (uint64_t i = 0; i < n; i++) {
			float x = a * v[i] + b;

			x = x < 0 ? 0 : x;
			v[i] = x > 1 ? 1 : x;
		}
		break;
	case NET_ACT_HARD_SWISH:
		for (uint64_t i = 0; i < n; i++) {
			float x = v[i] + 3;

			x = x < 0 ? 0 : x;
			v[i] = v[i] * (x > 6 ? 6 : x) / 6;
		}
		break;
	case NET_ACT_SIGMOID:
		for (uint64_t i = 0; i < n; i++)
			v[i] = 1 / (1 + expf(-v[i]));
		break;
	case NET_ACT_NONE:
	case NET_ACT_NKINDS:
		break;
	}
}
