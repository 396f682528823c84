// SPDX-License-Identifier: GPL-2.0 OR MIT
/* Operators that change a tensor's shape but not its elements, and those that are about shapes. */
#include "op.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static void copy(const struct op_run *r)
{
	if (r->out[0].count && r->out[0].p != r->in[0].p)
		memcpy(r->out[0].p, r->in[0].p, r->out[0].count * net_type_size(r->out[0].type));
}

/* ---------------------------------------------------------------- Reshape, Flatten, Squeeze, Unsqueeze */

int op_reshape_infer(const struct op_infer *c)
{
	const struct net_value *x = op_in(c, 0);
	int64_t shape[NET_MAX_DIMS], allow_zero;
	uint32_t dims[NET_MAX_DIMS];
	unsigned int n;
	int unknown = -1, given;
	uint64_t rest = 1;
	int ret = op_ints_attr_or_in(c, "shape", 1, NET_MAX_DIMS, shape, &given);

	ret = ret ? ret : op_attr_int(c, "allowzero", 0, 0, 1, &allow_zero);
	if (ret)
		return ret;
	if (given < 0)
		return OP_FAIL(c, -EINVAL, "the shape is missing");
	n = (unsigned int)given;
	for (unsigned int i = 0; i < n; i++) {
		if (shape[i] == 0 && !allow_zero) {
			if (i >= x->ndim)
				return OP_FAIL(c, -EINVAL, "dimension %u is to be copied, the input has %u", i, x->ndim);
			shape[i] = x->dims[i];
		}
		if (shape[i] == -1 && unknown < 0) {
			unknown = (int)i;
			continue;
		}
		if (shape[i] < 0 || shape[i] > (int64_t)NET_MAX_COUNT)
			return OP_FAIL(c, -EINVAL, "dimension %u is %lld", i, (long long)shape[i]);
		dims[i] = (uint32_t)shape[i];
		if (__builtin_mul_overflow(rest, dims[i], &rest))
			return OP_FAIL(c, -EINVAL, "the shape has too many elements");
	}
	if (unknown >= 0) {
		uint64_t d = rest ? x->count / rest : 0;

		if (!rest || d * rest != x->count || d > NET_MAX_COUNT)
			return OP_FAIL(c, -EINVAL, "%s cannot be given a shape of which all but dimension %d has %llu elements",
				       net_shape_text(x->ndim, x->dims).s, unknown, (unsigned long long)rest);
		dims[unknown] = (uint32_t)d;
	} else if (rest != x->count) {
		return OP_FAIL(c, -EINVAL, "%s cannot become %s", net_shape_text(x->ndim, x->dims).s, net_shape_text(n, dims).s);
	}
	return op_set(c, 0, x->type, n, dims);
}

void op_reshape_run(const struct op_run *r)
{
	copy(r);
}

int op_flatten_infer(const struct op_infer *c)
{
	const struct net_value *x = op_in(c, 0);
	int64_t axis;
	uint32_t dims[2];
	uint64_t a, b;
	int ret = op_attr_int(c, "axis", 1, -(int64_t)x->ndim, x->ndim, &axis);

	if (ret)
		return ret;
	axis = axis < 0 ? axis + x->ndim : axis;
	a = op_product(x->dims, 0, (unsigned int)axis);
	b = op_product(x->dims, (unsigned int)axis, x->ndim);
	if (a > NET_MAX_COUNT || b > NET_MAX_COUNT)
		return OP_FAIL(c, -E2BIG, "the shape has too many elements");
	dims[0] = (uint32_t)a;
	dims[1] = (uint32_t)b;
	return op_set(c, 0, x->type, 2, dims);
}

void op_flatten_run(const struct op_run *r)
{
	copy(r);
}

int op_squeeze_infer(const struct op_infer *c)
{
	const struct net_value *x = op_in(c, 0);
	int64_t axes[NET_MAX_DIMS];
	bool drop[NET_MAX_DIMS] = { false };
	uint32_t dims[NET_MAX_DIMS];
	unsigned int ndim = 0;
	int n, ret = op_ints_attr_or_in(c, "axes", 1, NET_MAX_DIMS, axes, &n);

	for (int i = 0; !ret && i < n; i++) {
		unsigned int axis = 0;

		ret = op_axis(c, axes[i], x->ndim, &axis);
		if (!ret && x->dims[axis] != 1)
			ret = OP_FAIL(c, -EINVAL, "dimension %u of %s is not 1", axis, net_shape_text(x->ndim, x->dims).s);
		if (!ret)
			drop[axis] = true;
	}
	if (ret)
		return ret;
	for (unsigned int i = 0; i < x->ndim; i++)
		if (n < 0 ? x->dims[i] != 1 : !drop[i])
			dims[ndim++] = x->dims[i];
	return op_set(c, 0, x->type, ndim, dims);
}

void op_squeeze_run(const struct op_run *r)
{
	copy(r);
}

int op_unsqueeze_infer(const struct op_infer *c)
{
	const struct net_value *x = op_in(c, 0);
	int64_t axes[NET_MAX_DIMS];
	bool added[NET_MAX_DIMS] = { false };
	uint32_t dims[NET_MAX_DIMS];
	unsigned int ndim, from = 0;
	int n, ret = op_ints_attr_or_in(c, "axes", 1, NET_MAX_DIMS, axes, &n);

	if (ret)
		return ret;
	if (n < 0)
		return OP_FAIL(c, -EINVAL, "the axes are missing");
	ndim = x->ndim + (unsigned int)n;
	if (ndim > NET_MAX_DIMS)
		return OP_FAIL(c, -ENOTSUP, "%u dimensions; at most %d are supported", ndim, NET_MAX_DIMS);
	for (int i = 0; i < n; i++) {
		unsigned int axis;

		ret = op_axis(c, axes[i], ndim, &axis);
		if (ret)
			return ret;
		if (added[axis])
			return OP_FAIL(c, -EINVAL, "axis %u is given twice", axis);
		added[axis] = true;
	}
	for (unsigned int i = 0; i < ndim; i++)
		dims[i] = added[i] ? 1 : x->dims[from++];
	return op_set(c, 0, x->type, ndim, dims);
}

void op_unsqueeze_run(const struct op_run *r)
{
	copy(r);
}

int op_identity_infer(const struct op_infer *c)
{
	return op_set_like(c, 0, op_in(c, 0));
}

void op_identity_run(const struct op_run *r)
{
	copy(r);
}

/* Inference only: the input goes through, the mask is all true. */
int op_dropout_infer(const struct op_infer *c)
{
	const struct net_value *training = op_in(c, 2);
	int ret;

	if (training && (!training->data || training->type != NET_BOOL || !training->count || *(const uint8_t *)training->data))
		return OP_FAIL(c, -ENOTSUP, "dropout for training is not supported: export the network for inference");
	ret = op_set_like(c, 0, op_in(c, 0));
	/* until opset 9 the mask has the input's type */
	return ret ? ret : op_set(c, 1, c->node->opset < 10 ? op_in(c, 0)->type : NET_BOOL, op_in(c, 0)->ndim, op_in(c, 0)->dims);
}

void op_dropout_run(const struct op_run *r)
{
	copy(r);
	if (r->node->nout > 1 && r->out[1].p) {
		for (uint64_t i = 0; i < r->out[1].count; i++) {
			if (r->out[1].type == NET_F32)
				r->out[1].f[i] = 1;
			else
				r->out[1].u8[i * net_type_size(r->out[1].type)] = 1;
		}
	}
}

/* ---------------------------------------------------------------- Shape, Size */

int op_shape_infer(const struct op_infer *c)
{
	const struct net_value *x = op_in(c, 0);
	int64_t start, end, *range;
	uint32_t n;
	int ret = op_attr_int(c, "start", 0, INT32_MIN, INT32_MAX, &start);

	ret = ret ? ret : op_attr_int(c, "end", x->ndim, INT32_MIN, INT32_MAX, &end);
	if (ret)
		return ret;
	range = op_plan(c, 2 * sizeof(*range));
	if (!range)
		return -ENOMEM;
	start = start < 0 ? start + x->ndim : start;
	end = end < 0 ? end + x->ndim : end;
	start = start < 0 ? 0 : start > x->ndim ? x->ndim : start;
	end = end < start ? start : end > x->ndim ? x->ndim : end;
	range[0] = start;
	range[1] = end;
	n = (uint32_t)(end - start);
	return op_set(c, 0, NET_I64, 1, &n);
}

void op_shape_run(const struct op_run *r)
{
	const int64_t *range = r->node->plan;

	for (int64_t i = range[0]; i < range[1]; i++)
		r->out[0].i64[i - range[0]] = r->in[0].dims[i];
}

int op_size_infer(const struct op_infer *c)
{
	return op_set(c, 0, NET_I64, 0, NULL);
}

void op_size_run(const struct op_run *r)
{
	r->out[0].i64[0] = (int64_t)r->in[0].count;
}

/* ---------------------------------------------------------------- ConstantOfShape, Range */

/* The importer makes attribute 'value' input 1, a constant of one element, when it is there. */
int op_constant_of_shape_infer(const struct op_infer *c)
{
	const struct net_value *value = op_in(c, 1);
	int64_t shape[NET_MAX_DIMS];
	uint32_t dims[NET_MAX_DIMS];
	unsigned int n;
	int ret = op_const_ints(c, 0, NET_MAX_DIMS, shape, &n);

	if (ret)
		return ret;
	for (unsigned int i = 0; i < n; i++) {
		if (shape[i] < 0 || shape[i] > (int64_t)NET_MAX_COUNT)
			return OP_FAIL(c, -EINVAL, "dimension %u is %lld", i, (long long)shape[i]);
		dims[i] = (uint32_t)shape[i];
	}
	if (value && value->count != 1)
		return OP_FAIL(c, -EINVAL, "the value has %llu elements, not one", (unsigned long long)value->count);
	return op_set(c, 0, value ? value->type : NET_F32, n, dims);
}

void op_constant_of_shape_run(const struct op_run *r)
{
	size_t size = net_type_size(r->out[0].type);
	const void *value = r->node->nin > 1 ? r->in[1].p : NULL;

	if (!value)
		memset(r->out[0].p, 0, r->out[0].count * size);
	for (uint64_t i = 0; value && i < r->out[0].count; i++)
		memcpy(r->out[0].u8 + i * size, value, size);
}

static double scalar(const struct net_value *v)
{
	return v->type == NET_F32 ? (double)*(const float *)v->data :
	       v->type == NET_I64 ? (double)*(const int64_t *)v->data : *(const int32_t *)v->data;
}

int op_range_infer(const struct op_infer *c)
{
	double v[3], n;
	uint32_t dim;

	for (unsigned int i = 0; i < 3; i++) {
		int ret = op_want_any(c, i, 1u << NET_F32 | 1u << NET_I64 | 1u << NET_I32);

		if (ret)
			return ret;
		if (op_in(c, i)->count != 1 || op_in(c, i)->type != op_in(c, 0)->type)
			return OP_FAIL(c, -EINVAL, "input %u must be one number, of the type of the others", i);
		v[i] = scalar(op_in(c, i));
	}
	n = ceil((v[1] - v[0]) / v[2]);
	if (v[2] == 0 || isnan(n) || n > (double)NET_MAX_COUNT)
		return OP_FAIL(c, -EINVAL, "%g to %g in steps of %g", v[0], v[1], v[2]);
	dim = n < 0 ? 0 : (uint32_t)n;
	return op_set(c, 0, op_in(c, 0)->type, 1, &dim);
}

void op_range_run(const struct op_run *r)
{
	for (uint64_t i = 0; i < r->out[0].count; i++) {
		if (r->out[0].type == NET_F32)
			r->out[0].f[i] = r->in[0].f[0] + (float)i * r->in[2].f[0];
		else if (r->out[0].type == NET_I64)
			r->out[0].i64[i] = (int64_t)((uint64_t)r->in[0].i64[0] + i * (uint64_t)r->in[2].i64[0]);
		else
			r->out[0].i32[i] = (int32_t)((uint32_t)r->in[0].i32[0] + (uint32_t)i * (uint32_t)r->in[2].i32[0]);
	}
}
