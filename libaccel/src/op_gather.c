// SPDX-License-Identifier: GPL-2.0 OR MIT
/* Concat, Split, Gather, GatherElements, Pad. */
#include "op.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* ---------------------------------------------------------------- Concat, Split */

struct axis_plan {
	uint64_t outer;      /* product of the dimensions before the axis */
	uint64_t part[];     /* [inputs or outputs] bytes of one outer index */
};

int op_concat_infer(const struct op_infer *c)
{
	const struct net_value *x = op_in(c, 0);
	struct axis_plan *p = op_plan(c, sizeof(*p) + c->node->nin * sizeof(p->part[0]));
	uint32_t dims[NET_MAX_DIMS];
	unsigned int axis;
	uint64_t sum = 0;
	int64_t a;
	int ret = p ? op_attr_int(c, "axis", 1, INT32_MIN, INT32_MAX, &a) : -ENOMEM;

	ret = ret ? ret : op_axis(c, a, x->ndim, &axis);
	if (ret)
		return ret;
	memcpy(dims, x->dims, sizeof(dims));
	p->outer = op_product(x->dims, 0, axis);
	for (unsigned int i = 0; i < c->node->nin; i++) {
		const struct net_value *v = op_in(c, i);

		if (!v || v->type != x->type || v->ndim != x->ndim)
			return OP_FAIL(c, -EINVAL, "input %u is missing, or of another type or number of dimensions than input 0", i);
		for (unsigned int d = 0; d < v->ndim; d++)
			if (d != axis && v->dims[d] != dims[d])
				return OP_FAIL(c, -EINVAL, "input %u is of shape %s, input 0 of %s: only dimension %u may differ", i,
					       net_shape_text(v->ndim, v->dims).s, net_shape_text(x->ndim, x->dims).s, axis);
		sum += v->dims[axis];
		p->part[i] = op_product(v->dims, axis, v->ndim) * net_type_size(v->type);
	}
	if (sum > NET_MAX_COUNT)
		return OP_FAIL(c, -E2BIG, "dimension %u would be %llu", axis, (unsigned long long)sum);
	dims[axis] = (uint32_t)sum;
	return op_set(c, 0, x->type, x->ndim, dims);
}

void op_concat_run(const struct op_run *r)
{
	const struct axis_plan *p = r->node->plan;
	uint8_t *to = r->out[0].p;

	for (uint64_t o = 0; o < p->outer && r->out[0].count; o++) {
		for (unsigned int i = 0; i < r->node->nin; i++) {
			memcpy(to, r->in[i].u8 + o * p->part[i], p->part[i]);
			to += p->part[i];
		}
	}
}

int op_split_infer(const struct op_infer *c)
{
	const struct net_value *x = op_in(c, 0);
	unsigned int n = c->node->nout, axis = 0;
	struct axis_plan *p = op_plan(c, sizeof(*p) + n * sizeof(p->part[0]));
	int64_t *sizes, a, outputs;
	uint64_t sum = 0;
	int given, ret;

	if (!p)
		return -ENOMEM;
	sizes = calloc(n, sizeof(*sizes));
	if (!sizes)
		return OP_FAIL(c, -ENOMEM, "out of memory");
	ret = op_attr_int(c, "axis", 0, INT32_MIN, INT32_MAX, &a);
	ret = ret ? ret : op_axis(c, a, x->ndim, &axis);
	ret = ret ? ret : op_attr_int(c, "num_outputs", n, 1, INT32_MAX, &outputs);
	ret = ret ? ret : op_ints_attr_or_in(c, "split", 1, n, sizes, &given);
	if (!ret && (outputs != n || (given >= 0 && given != (int)n)))
		ret = OP_FAIL(c, -EINVAL, "%u outputs, but %lld are said, of %d sizes", n, (long long)outputs, given);
	if (!ret && given < 0) {
		int64_t part = ((int64_t)x->dims[axis] + n - 1) / n;   /* the last one may be smaller */

		for (unsigned int i = 0; i < n; i++)
			sizes[i] = i + 1 < n ? part : (int64_t)x->dims[axis] - (n - 1) * part;
	}
	for (unsigned int i = 0; !ret && i < n; i++) {
		uint32_t dims[NET_MAX_DIMS];

		if (sizes[i] < 0 || (sum += (uint64_t)sizes[i]) > x->dims[axis]) {
			ret = OP_FAIL(c, -EINVAL, "part %u has size %lld of dimension %u", i, (long long)sizes[i], x->dims[axis]);
			break;
		}
		memcpy(dims, x->dims, sizeof(dims));
		dims[axis] = (uint32_t)sizes[i];
		p->part[i] = op_product(dims, axis, x->ndim) * net_type_size(x->type);
		ret = op_set(c, i, x->type, x->ndim, dims);
	}
	if (!ret && sum != x->dims[axis])
		ret = OP_FAIL(c, -EINVAL, "the parts have %llu in all, dimension %u has %u", (unsigned long long)sum, axis, x->dims[axis]);
	free(sizes);
	if (!ret)
		p->outer = op_product(x->dims, 0, axis);
	return ret;
}

void op_split_run(const struct op_run *r)
{
	const struct axis_plan *p = r->node->plan;
	const uint8_t *from = r->in[0].p;

	for (uint64_t o = 0; o < p->outer && r->in[0].count; o++) {
		for (unsigned int i = 0; i < r->node->nout; i++) {
			if (r->out[i].p)
				memcpy(r->out[i].u8 + o * p->part[i], from, p->part[i]);
			from += p->part[i];
		}
	}
}

/* ---------------------------------------------------------------- Gather */

struct gather {
	uint64_t outer, inner;   /* elements before and behind the axis */
	uint32_t size;           /* of the axis */
};

static int64_t index_at(const struct tensor *t, uint64_t i)
{
	return t->type == NET_I64 ? t->i64[i] : t->i32[i];
}

/* Indices that are known are checked; others that are out of range read as zeros. */
static int check_indices(const struct op_infer *c, uint32_t size)
{
	const struct net_value *v = op_in(c, 1);
	struct tensor t = { .type = v->type, .p = v->data };

	for (uint64_t i = 0; v->data && i < v->count; i++)
		if (index_at(&t, i) < -(int64_t)size || index_at(&t, i) >= size)
			return OP_FAIL(c, -EINVAL, "index %lld of a dimension of %u", (long long)index_at(&t, i), size);
	return 0;
}

int op_gather_infer(const struct op_infer *c)
{
	const struct net_value *x = op_in(c, 0), *index = op_in(c, 1);
	struct gather *p = op_plan(c, sizeof(*p));
	uint32_t dims[2 * NET_MAX_DIMS];
	unsigned int axis, ndim;
	int64_t a;
	int ret = p ? op_want_any(c, 1, 1u << NET_I64 | 1u << NET_I32) : -ENOMEM;

	ret = ret ? ret : op_attr_int(c, "axis", 0, INT32_MIN, INT32_MAX, &a);
	ret = ret ? ret : op_axis(c, a, x->ndim, &axis);
	ret = ret ? ret : check_indices(c, x->dims[axis]);
	if (ret)
		return ret;
	p->outer = op_product(x->dims, 0, axis);
	p->inner = op_product(x->dims, axis + 1, x->ndim);
	p->size = x->dims[axis];
	ndim = x->ndim - 1 + index->ndim;
	memcpy(dims, x->dims, axis * sizeof(*dims));
	memcpy(dims + axis, index->dims, index->ndim * sizeof(*dims));
	memcpy(dims + axis + index->ndim, x->dims + axis + 1, (x->ndim - axis - 1) * sizeof(*dims));
	return op_set(c, 0, x->type, ndim, dims);
}

void op_gather_run(const struct op_run *r)
{
	const struct gather *p = r->node->plan;
	size_t size = net_type_size(r->out[0].type), bytes = p->inner * size;
	uint8_t *to = r->out[0].p;

	for (uint64_t o = 0; o < p->outer && r->out[0].count; o++) {
		for (uint64_t i = 0; i < r->in[1].count; i++, to += bytes) {
			int64_t at = index_at(&r->in[1], i);

			at = at < 0 ? at + p->size : at;
			if (at < 0 || at >= p->size)
				memset(to, 0, bytes);
			else
				memcpy(to, r->in[0].u8 + (o * p->size + (uint64_t)at) * bytes, bytes);
		}
	}
}

int op_gather_elements_infer(const struct op_infer *c)
{
	const struct net_value *x = op_in(c, 0), *index = op_in(c, 1);
	struct gather *p = op_plan(c, sizeof(*p));
	unsigned int axis;
	int64_t a;
	int ret = p ? op_want_any(c, 1, 1u << NET_I64 | 1u << NET_I32) : -ENOMEM;

	ret = ret ? ret : op_attr_int(c, "axis", 0, INT32_MIN, INT32_MAX, &a);
	ret = ret ? ret : op_axis(c, a, x->ndim, &axis);
	ret = ret ? ret : check_indices(c, x->dims[axis]);
	if (ret)
		return ret;
	for (unsigned int d = 0; d < x->ndim; d++)
		if (index->ndim != x->ndim || (d != axis && index->dims[d] != x->dims[d]))
			return OP_FAIL(c, -ENOTSUP, "indices of shape %s for %s: only dimension %u may differ",
				       net_shape_text(index->ndim, index->dims).s, net_shape_text(x->ndim, x->dims).s, axis);
	p->outer = op_product(x->dims, 0, axis);
	p->inner = op_product(x->dims, axis + 1, x->ndim);
	p->size = x->dims[axis];
	return op_set(c, 0, x->type, index->ndim, index->dims);
}

void op_gather_elements_run(const struct op_run *r)
{
	const struct gather *p = r->node->plan;
	size_t size = net_type_size(r->out[0].type);
	uint64_t outer_out = p->outer ? r->out[0].count / p->outer : 0;

	for (uint64_t i = 0; i < r->out[0].count; i++) {
		uint64_t o = i / outer_out, inner = i % p->inner;
		int64_t at = index_at(&r->in[1], i);

		at = at < 0 ? at + p->size : at;
		if (at < 0 || at >= p->size)
			memset(r->out[0].u8 + i * size, 0, size);
		else
			memcpy(r->out[0].u8 + i * size,
			       r->in[0].u8 + ((o * p->size + (uint64_t)at) * p->inner + inner) * size, size);
	}
}

/* ---------------------------------------------------------------- Pad */

struct pad {
	unsigned int ndim;
	uint32_t dims[NET_MAX_DIMS];   /* of the output */
	uint32_t *from[NET_MAX_DIMS];  /* [dims] coordinate in the input, or NET_NONE: the constant */
	uint32_t tables[];
};

/* Source coordinate of a coordinate at (before the beginning: below 0) in a dimension of size n > 0. */
static uint32_t padded(const char *mode, int64_t at, int64_t n)
{
	if (at >= 0 && at < n)
		return (uint32_t)at;
	if (!strcmp(mode, "edge"))
		return at < 0 ? 0 : (uint32_t)(n - 1);
	if (!strcmp(mode, "wrap"))
		return (uint32_t)((at % n + n) % n);
	if (!strcmp(mode, "constant"))
		return NET_NONE;
	/* reflect: period 2n - 2, the edges once */
	if (n == 1)
		return 0;
	at = (at % (2 * n - 2) + (2 * n - 2)) % (2 * n - 2);
	return (uint32_t)(at < n ? at : 2 * n - 2 - at);
}

static int pad_amounts(const struct op_infer *c, int64_t *pads)
{
	const struct net_value *x = op_in(c, 0);
	int64_t given[2 * NET_MAX_DIMS], axes[NET_MAX_DIMS];
	unsigned int axis, count = x->ndim;
	int n, naxes = -1, ret = op_ints_attr_or_in(c, "pads", 1, 2 * NET_MAX_DIMS, given, &n);

	ret = ret ? ret : op_ints_attr_or_in(c, "", 3, NET_MAX_DIMS, axes, &naxes);
	if (ret)
		return ret;
	count = naxes >= 0 ? (unsigned int)naxes : x->ndim;
	if (n != 2 * (int)count)
		return OP_FAIL(c, -EINVAL, "%d pads for %u dimensions", n, count);
	memset(pads, 0, 2 * x->ndim * sizeof(*pads));
	for (unsigned int i = 0; i < count; i++) {
		ret = op_axis(c, naxes >= 0 ? axes[i] : i, x->ndim, &axis);
		if (ret)
			return ret;
		if (given[i] < -(int64_t)NET_MAX_COUNT || given[i] > (int64_t)NET_MAX_COUNT ||
		    given[i + count] < -(int64_t)NET_MAX_COUNT || given[i + count] > (int64_t)NET_MAX_COUNT)
			return OP_FAIL(c, -EINVAL, "pads %lld and %lld", (long long)given[i], (long long)given[i + count]);
		pads[axis] = given[i];
		pads[axis + x->ndim] = given[i + count];
	}
	return 0;
}

int op_pad_infer(const struct op_infer *c)
{
	const struct net_value *x = op_in(c, 0), *value = op_in(c, 2);
	int64_t pads[2 * NET_MAX_DIMS];
	uint32_t dims[NET_MAX_DIMS], *table;
	uint64_t sum = 0;
	const char *mode;
	struct pad *p;
	float old_value;
	int ret = op_attr_text(c, "mode", "constant", &mode);

	ret = ret ? ret : op_attr_float(c, "value", 0, &old_value);
	ret = ret ? ret : pad_amounts(c, pads);
	if (ret)
		return ret;
	if (strcmp(mode, "constant") && strcmp(mode, "reflect") && strcmp(mode, "edge") && strcmp(mode, "wrap"))
		return OP_FAIL(c, -ENOTSUP, "attribute 'mode' is '%s'; constant, reflect, edge and wrap are known", mode);
	if (value && (value->type != x->type || value->count != 1))
		return OP_FAIL(c, -EINVAL, "the constant must be one value of the input's type");
	for (unsigned int i = 0; i < x->ndim; i++) {
		int64_t size = (int64_t)x->dims[i] + pads[i] + pads[i + x->ndim];

		if (size < 0 || size > (int64_t)NET_MAX_COUNT || (!x->dims[i] && size && strcmp(mode, "constant")))
			return OP_FAIL(c, -EINVAL, "dimension %u would become %lld", i, (long long)size);
		dims[i] = (uint32_t)size;
		sum += dims[i];
	}
	if (net_count(x->ndim, dims) == UINT64_MAX)
		return OP_FAIL(c, -E2BIG, "%s has more than 2^28 values", net_shape_text(x->ndim, dims).s);
	if (sum > 1 << 22)
		return OP_FAIL(c, -ENOTSUP, "an output of %s is too large", net_shape_text(x->ndim, dims).s);
	p = op_plan(c, sizeof(*p) + sum * sizeof(p->tables[0]));
	if (!p)
		return -ENOMEM;
	p->ndim = x->ndim;
	memcpy(p->dims, dims, sizeof(dims));
	table = p->tables;
	for (unsigned int i = 0; i < x->ndim; i++) {
		p->from[i] = table;
		for (uint32_t k = 0; k < dims[i]; k++)
			*table++ = padded(mode, (int64_t)k - pads[i], x->dims[i]);
	}
	return op_set(c, 0, x->type, x->ndim, dims);
}

static void pad_elements(void *arg, uint64_t first, uint64_t last)
{
	const struct op_run *r = arg;
	const struct pad *p = r->node->plan;
	size_t size = net_type_size(r->out[0].type);
	static const uint64_t zero;
	const void *constant = &zero;

	if (r->node->nin > 2 && r->in[2].p)
		constant = r->in[2].p;
	else if (r->in[0].type == NET_F32 && op_attr(r->node, "value"))
		constant = op_attr(r->node, "value")->floats;
	for (uint64_t i = first; i < last; i++) {
		uint64_t rest = i, at = 0, stride = 1;
		bool inside = true;

		for (unsigned int d = p->ndim; d-- > 0;) {
			uint32_t from = p->from[d][rest % p->dims[d]];

			inside = inside && from != NET_NONE;
			at += from * stride;
			stride *= r->in[0].dims[d];
			rest /= p->dims[d];
		}
		memcpy(r->out[0].u8 + i * size, inside ? r->in[0].u8 + at * size : constant, size);
	}
}

void op_pad_run(const struct op_run *r)
{
	op_parallel(r->pool, r->out[0].count, 1 << 14, pad_elements, (void *)r);
}
