// SPDX-License-Identifier: GPL-2.0 OR MIT
/* QuantizeLinear, DequantizeLinear, DynamicQuantizeLinear, exactly as ONNX defines them. */
#include "op_quant.h"

#include <errno.h>
#include <math.h>
#include <string.h>

struct quantize {
	uint64_t inner, n;   /* element i belongs to scale i / inner % n */
};

/* Scale (input 1) and zero point (input 2): one number, or one for each index of the axis. */
static int scales(const struct op_infer *c, struct quantize *p, enum net_type zero)
{
	const struct net_value *x = op_in(c, 0), *scale = op_in(c, 1), *zp = op_in(c, 2);
	unsigned int axis;
	int64_t a, block;
	int ret = op_want(c, 1, NET_F32);

	ret = ret ? ret : op_want(c, 2, zero);
	ret = ret ? ret : op_attr_int(c, "axis", 1, INT32_MIN, INT32_MAX, &a);
	ret = ret ? ret : op_attr_int(c, "block_size", 0, 0, INT32_MAX, &block);
	if (ret)
		return ret;
	if (block)
		return OP_FAIL(c, -ENOTSUP, "blocks of scales are not supported");
	if (zp && zp->count != scale->count)
		return OP_FAIL(c, -EINVAL, "%llu scales and %llu zero points", (unsigned long long)scale->count,
			       (unsigned long long)zp->count);
	if (scale->count == 1) {
		p->inner = 1;
		p->n = 1;
		return 0;
	}
	ret = op_axis(c, a, x->ndim, &axis);
	if (ret)
		return ret;
	if (scale->ndim != 1 || scale->count != x->dims[axis])
		return OP_FAIL(c, -EINVAL, "scales of shape %s for dimension %u of %s", net_shape_text(scale->ndim, scale->dims).s, axis,
			       net_shape_text(x->ndim, x->dims).s);
	p->inner = op_product(x->dims, axis + 1, x->ndim);
	p->n = scale->count;
	return 0;
}

int op_quantize_infer(const struct op_infer *c)
{
	const struct net_value *x = op_in(c, 0), *zp = op_in(c, 2);
	struct quantize *p = op_plan(c, sizeof(*p));
	enum net_type type = zp ? zp->type : NET_U8;
	int64_t dtype;
	int ret = p ? op_want_any(c, 0, 1u << NET_F32 | 1u << NET_I32) : -ENOMEM;

	ret = ret ? ret : op_want_any(c, 2, 1u << NET_U8 | 1u << NET_I8);
	ret = ret ? ret : op_attr_int(c, "output_dtype", zp ? 0 : 2, 0, 255, &dtype);
	if (ret)
		return ret;
	/* numbers of TensorProto.DataType */
	if (dtype != 0 && dtype != 2 && dtype != 3)
		return OP_FAIL(c, -ENOTSUP, "output_dtype %lld; uint8 and int8 are supported", (long long)dtype);
	if (!zp)
		type = dtype == 3 ? NET_I8 : NET_U8;
	ret = scales(c, p, type);
	return ret ? ret : op_set(c, 0, type, x->ndim, x->dims);
}

static void quantize_elements(void *arg, uint64_t first, uint64_t last)
{
	const struct op_run *r = arg;
	const struct quantize *p = r->node->plan;
	const struct tensor *zp = r->node->nin > 2 && r->in[2].p ? &r->in[2] : NULL;

	for (uint64_t i = first; i < last; i++) {
		uint64_t s = i / p->inner % p->n;
		float x = r->in[0].type == NET_F32 ? r->in[0].f[i] : (float)r->in[0].i32[i];
		float q = rintf(x / r->in[1].f[s]) + (zp ? (float)quant_load(zp, s) : 0);

		quant_store(&r->out[0], i, q);
	}
}

void op_quantize_run(const struct op_run *r)
{
	op_parallel(r->pool, r->out[0].count, 1 << 14, quantize_elements, (void *)r);
}

int op_dequantize_infer(const struct op_infer *c)
{
	const struct net_value *x = op_in(c, 0);
	struct quantize *p = op_plan(c, sizeof(*p));
	int ret = p ? op_want_any(c, 0, 1u << NET_U8 | 1u << NET_I8 | 1u << NET_I32) : -ENOMEM;

	ret = ret ? ret : scales(c, p, x->type);
	return ret ? ret : op_set(c, 0, NET_F32, x->ndim, x->dims);
}

static void dequantize_elements(void *arg, uint64_t first, uint64_t last)
{
	const struct op_run *r = arg;
	const struct quantize *p = r->node->plan;
	const struct tensor *zp = r->node->nin > 2 && r->in[2].p ? &r->in[2] : NULL;

	for (uint64_t i = first; i < last; i++) {
		uint64_t s = i / p->inner % p->n;
		int64_t q = (int64_t)quant_load(&r->in[0], i) - (zp ? quant_load(zp, s) : 0);

		r->out[0].f[i] = (float)q * r->in[1].f[s];
	}
}

void op_dequantize_run(const struct op_run *r)
{
	op_parallel(r->pool, r->out[0].count, 1 << 14, dequantize_elements, (void *)r);
}

int op_dynamic_quantize_infer(const struct op_infer *c)
{
	int ret = op_want(c, 0, NET_F32);

	ret = ret ? ret : op_set(c, 0, NET_U8, op_in(c, 0)->ndim, op_in(c, 0)->dims);
	ret = ret ? ret : op_set(c, 1, NET_F32, 0, NULL);
	return ret ? ret : op_set(c, 2, NET_U8, 0, NULL);
}

void op_dynamic_quantize_run(const struct op_run *r)
{
	float lo = 0, hi = 0, scale, zero;

	for (uint64_t i = 0; i < r->in[0].count; i++) {
		lo = fminf(lo, r->in[0].f[i]);
		hi = fmaxf(hi, r->in[0].f[i]);
	}
	scale = (hi - lo) / 255;
	/* all zero: any scale does, and 0 would divide by it */
	scale = scale == 0 ? 1 : scale;
	zero = rintf(fminf(fmaxf(-lo / scale, 0), 255));
	r->out[1].f[0] = scale;
	r->out[2].u8[0] = (uint8_t)zero;
	for (uint64_t i = 0; i < r->in[0].count; i++)
		quant_store(&r->out[0], i, rintf(r->in[0].f[i] / scale) + zero);
}
