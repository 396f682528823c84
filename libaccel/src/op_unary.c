// SPDX-License-Identifier: GPL-2.0 OR MIT
/* Functions of one number. */
#include "op.h"

#include <errno.h>
#include <math.h>
#include <string.h>

struct unary {
	op_function *fn;
	float a, b;
};

#define FUNCTION(name, expression) \
	static void name(float a, float b, const float *px, float *py, uint64_t n) \
	{ \
		(void)a; \
		(void)b; \
		for (uint64_t i = 0; i < n; i++) { \
			float x = px[i]; \
			py[i] = expression; \
		} \
	}

FUNCTION(do_abs, fabsf(x))
FUNCTION(do_acos, acosf(x))
FUNCTION(do_acosh, acoshf(x))
FUNCTION(do_asin, asinf(x))
FUNCTION(do_asinh, asinhf(x))
FUNCTION(do_atan, atanf(x))
FUNCTION(do_atanh, atanhf(x))
FUNCTION(do_ceil, ceilf(x))
FUNCTION(do_celu, (x > 0 ? x : 0) + (x < 0 ? a * expm1f(x / a) : 0))
FUNCTION(do_cos, cosf(x))
FUNCTION(do_cosh, coshf(x))
FUNCTION(do_elu, x < 0 ? a * expm1f(x) : x)
FUNCTION(do_erf, erff(x))
FUNCTION(do_exp, expf(x))
FUNCTION(do_floor, floorf(x))
FUNCTION(do_gelu, 0.5f * x * (1 + erff(x * (float)M_SQRT1_2)))
FUNCTION(do_gelu_tanh, 0.5f * x * (1 + tanhf(0.7978845608f * (x + 0.044715f * x * x * x))))
FUNCTION(do_identity, x)
FUNCTION(do_leaky_relu, x < 0 ? a * x : x)
FUNCTION(do_log, logf(x))
FUNCTION(do_mish, x * tanhf(x > 20 ? x : log1pf(expf(x))))
FUNCTION(do_neg, -x)
FUNCTION(do_reciprocal, 1 / x)
FUNCTION(do_relu, x < 0 ? 0 : x)
FUNCTION(do_round, rintf(x))
FUNCTION(do_selu, x > 0 ? b * x : b * a * expm1f(x))
FUNCTION(do_sign, (float)((x > 0) - (x < 0)))
FUNCTION(do_sin, sinf(x))
FUNCTION(do_sinh, sinhf(x))
FUNCTION(do_softplus, x > 20 ? x : log1pf(expf(x)))
FUNCTION(do_softsign, x / (1 + fabsf(x)))
FUNCTION(do_sqrt, sqrtf(x))
FUNCTION(do_tan, tanf(x))
FUNCTION(do_tanh, tanhf(x))
FUNCTION(do_thresholded_relu, x > a ? x : 0)
FUNCTION(do_shrink, x < -a ? x + b : x > a ? x - b : 0)

/* those that op_activate has too give the same bits */
static void do_hard_sigmoid(float a, float b, const float *x, float *y, uint64_t n)
{
	if (x != y)
		memcpy(y, x, n * sizeof(*y));
	op_activate(&(struct net_act){ NET_ACT_HARD_SIGMOID, a, b }, y, n);
}

static void do_hard_swish(float a, float b, const float *x, float *y, uint64_t n)
{
	if (x != y)
		memcpy(y, x, n * sizeof(*y));
	op_activate(&(struct net_act){ NET_ACT_HARD_SWISH, a, b }, y, n);
}

static void do_sigmoid(float a, float b, const float *x, float *y, uint64_t n)
{
	if (x != y)
		memcpy(y, x, n * sizeof(*y));
	op_activate(&(struct net_act){ NET_ACT_SIGMOID, a, b }, y, n);
}

static void do_clip(float a, float b, const float *x, float *y, uint64_t n)
{
	if (x != y)
		memcpy(y, x, n * sizeof(*y));
	op_activate(&(struct net_act){ NET_ACT_CLIP, a, b }, y, n);
}

/* alpha and beta by the names of their attributes; NULL: the function has none */
static const struct {
	const char *name;
	op_function *fn;
	const char *a, *b;
	float def_a, def_b;
} functions[] = {
	{ "Abs", do_abs, NULL, NULL, 0, 0 },
	{ "Acos", do_acos, NULL, NULL, 0, 0 },
	{ "Acosh", do_acosh, NULL, NULL, 0, 0 },
	{ "Asin", do_asin, NULL, NULL, 0, 0 },
	{ "Asinh", do_asinh, NULL, NULL, 0, 0 },
	{ "Atan", do_atan, NULL, NULL, 0, 0 },
	{ "Atanh", do_atanh, NULL, NULL, 0, 0 },
	{ "Ceil", do_ceil, NULL, NULL, 0, 0 },
	{ "Celu", do_celu, "alpha", NULL, 1, 0 },
	{ "Clip", do_clip, NULL, NULL, 0, 0 },   /* its operator has its own infer and run, below */
	{ "Cos", do_cos, NULL, NULL, 0, 0 },
	{ "Cosh", do_cosh, NULL, NULL, 0, 0 },
	{ "Elu", do_elu, "alpha", NULL, 1, 0 },
	{ "Erf", do_erf, NULL, NULL, 0, 0 },
	{ "Exp", do_exp, NULL, NULL, 0, 0 },
	{ "Floor", do_floor, NULL, NULL, 0, 0 },
	{ "Gelu", do_gelu, NULL, NULL, 0, 0 },
	{ "GeluTanh", do_gelu_tanh, NULL, NULL, 0, 0 },   /* no operator: Gelu's approximation */
	{ "HardSigmoid", do_hard_sigmoid, "alpha", "beta", 0.2f, 0.5f },
	{ "HardSwish", do_hard_swish, NULL, NULL, 0, 0 },
	{ "Identity", do_identity, NULL, NULL, 0, 0 },   /* its operator moves any type */
	{ "LeakyRelu", do_leaky_relu, "alpha", NULL, 0.01f, 0 },
	{ "Log", do_log, NULL, NULL, 0, 0 },
	{ "Mish", do_mish, NULL, NULL, 0, 0 },
	{ "Neg", do_neg, NULL, NULL, 0, 0 },
	{ "Reciprocal", do_reciprocal, NULL, NULL, 0, 0 },
	{ "Relu", do_relu, NULL, NULL, 0, 0 },
	{ "Round", do_round, NULL, NULL, 0, 0 },
	{ "Selu", do_selu, "alpha", "gamma", 1.67326319217681884765625f, 1.05070102214813232421875f },
	{ "Shrink", do_shrink, "lambd", "bias", 0.5f, 0 },
	{ "Sigmoid", do_sigmoid, NULL, NULL, 0, 0 },
	{ "Sign", do_sign, NULL, NULL, 0, 0 },
	{ "Sin", do_sin, NULL, NULL, 0, 0 },
	{ "Sinh", do_sinh, NULL, NULL, 0, 0 },
	{ "Softplus", do_softplus, NULL, NULL, 0, 0 },
	{ "Softsign", do_softsign, NULL, NULL, 0, 0 },
	{ "Sqrt", do_sqrt, NULL, NULL, 0, 0 },
	{ "Tan", do_tan, NULL, NULL, 0, 0 },
	{ "Tanh", do_tanh, NULL, NULL, 0, 0 },
	{ "ThresholdedRelu", do_thresholded_relu, "alpha", NULL, 1, 0 },
};

op_function *op_unary_function(const char *name)
{
	for (size_t i = 0; i < sizeof(functions) / sizeof(functions[0]); i++)
		if (!strcmp(functions[i].name, name))
			return functions[i].fn;
	return NULL;
}

int op_unary_infer(const struct op_infer *c)
{
	const char *name = c->node->op->name, *approximate;
	struct unary *u = op_plan(c, sizeof(*u));
	bool integers = !strcmp(name, "Neg") || !strcmp(name, "Abs") || !strcmp(name, "Sign");
	int ret = u ? op_want_any(c, 0, 1u << NET_F32 | (integers ? 1u << NET_I64 | 1u << NET_I32 : 0)) : -ENOMEM;

	for (size_t i = 0; !ret && i < sizeof(functions) / sizeof(functions[0]); i++) {
		if (strcmp(functions[i].name, name))
			continue;
		u->fn = functions[i].fn;
		if (functions[i].a)
			ret = op_attr_float(c, functions[i].a, functions[i].def_a, &u->a);
		if (!ret && functions[i].b)
			ret = op_attr_float(c, functions[i].b, functions[i].def_b, &u->b);
	}
	if (!ret && !strcmp(name, "Gelu")) {
		ret = op_attr_text(c, "approximate", "none", &approximate);
		if (!ret && !strcmp(approximate, "tanh"))
			u->fn = do_gelu_tanh;
		else if (!ret && strcmp(approximate, "none"))
			ret = OP_FAIL(c, -ENOTSUP, "attribute 'approximate' is '%s'; 'none' and 'tanh' are known", approximate);
	}
	return ret ? ret : op_set_like(c, 0, op_in(c, 0));
}

/* Neg, Abs and Sign of integers; the smallest one is its own negative. */
static int64_t integer(const char *name, int64_t x)
{
	if (!strcmp(name, "Sign"))
		return (x > 0) - (x < 0);
	return x > 0 && !strcmp(name, "Abs") ? x : (int64_t)-(uint64_t)x;
}

static void run_integers(const struct op_run *r)
{
	for (uint64_t i = 0; i < r->out[0].count; i++) {
		if (r->in[0].type == NET_I64)
			r->out[0].i64[i] = integer(r->node->op->name, r->in[0].i64[i]);
		else
			r->out[0].i32[i] = (int32_t)integer(r->node->op->name, r->in[0].i32[i]);
	}
}

static void run_unary(void *arg, uint64_t first, uint64_t last)
{
	const struct op_run *r = arg;
	const struct unary *u = r->node->plan;

	u->fn(u->a, u->b, r->in[0].f + first, r->out[0].f + first, last - first);
}

void op_unary_run(const struct op_run *r)
{
	if (r->in[0].type != NET_F32)
		run_integers(r);
	else
		op_parallel(r->pool, r->out[0].count, 1 << 14, run_unary, (void *)r);
}

/* ---------------------------------------------------------------- Clip */

struct clip {
	double lo, hi;   /* exact for every float and for integers up to 2^53 */
};

/* Limits are attributes until opset 10, then optional scalar inputs. */
static int clip_limit(const struct op_infer *c, unsigned int i, const char *name, double *limit)
{
	const struct net_value *v = op_in(c, i);
	float f = (float)*limit;
	int ret;

	if (c->node->opset < 11) {
		ret = op_attr_float(c, name, f, &f);
		if (op_attr(c->node, name))
			*limit = (double)f;
		return ret;
	}
	if (!v)
		return 0;
	if (v->count != 1 || v->type != op_in(c, 0)->type)
		return OP_FAIL(c, -EINVAL, "input %u must be one value of type %s", i, net_type_names[op_in(c, 0)->type]);
	switch (v->type) {
	case NET_F32:
		*limit = (double)*(const float *)v->data;
		break;
	case NET_I64:
		*limit = (double)*(const int64_t *)v->data;
		break;
	case NET_I32:
		*limit = *(const int32_t *)v->data;
		break;
	case NET_I8:
		*limit = *(const int8_t *)v->data;
		break;
	case NET_U8:
	case NET_BOOL:
	case NET_NTYPES:
		*limit = *(const uint8_t *)v->data;
		break;
	}
	return 0;
}

int op_clip_infer(const struct op_infer *c)
{
	struct clip *p = op_plan(c, sizeof(*p));
	int ret = p ? op_want_any(c, 0, 1u << NET_F32 | 1u << NET_I8 | 1u << NET_U8 | 1u << NET_I32 | 1u << NET_I64) : -ENOMEM;

	if (ret)
		return ret;
	p->lo = -INFINITY;
	p->hi = INFINITY;
	ret = clip_limit(c, 1, "min", &p->lo);
	ret = ret ? ret : clip_limit(c, 2, "max", &p->hi);
	return ret ? ret : op_set_like(c, 0, op_in(c, 0));
}

/* min(max(x, lo), hi): hi wins where the limits cross, as ONNX has it; NaN stays */
#define CLIP(member, ctype) \
	do { \
		for (uint64_t i = first; i < last; i++) { \
			double x = (double)r->in[0].member[i]; \
			x = x < p->lo ? p->lo : x; \
			x = x > p->hi ? p->hi : x; \
			r->out[0].member[i] = (ctype)x; \
		} \
	} while (0)

static void run_clip(void *arg, uint64_t first, uint64_t last)
{
	const struct op_run *r = arg;
	const struct clip *p = r->node->plan;

	switch (r->in[0].type) {
	case NET_F32:
		memcpy(r->out[0].f + first, r->in[0].f + first, (last - first) * sizeof(float));
		op_activate(&(struct net_act){ NET_ACT_CLIP, (float)p->lo, (float)p->hi }, r->out[0].f + first, last - first);
		break;
	case NET_I64:
		for (uint64_t i = first; i < last; i++) {
			int64_t x = r->in[0].i64[i];

			x = (double)x < p->lo ? (int64_t)p->lo : x;
			r->out[0].i64[i] = (double)x > p->hi ? (int64_t)p->hi : x;
		}
		break;
	case NET_I32:
		CLIP(i32, int32_t);
		break;
	case NET_I8:
		CLIP(i8, int8_t);
		break;
	case NET_U8:
	case NET_BOOL:
	case NET_NTYPES:
		CLIP(u8, uint8_t);
		break;
	}
}

void op_clip_run(const struct op_run *r)
{
	op_parallel(r->pool, r->out[0].count, 1 << 14, run_clip, (void *)r);
}

const char *op_unary_of(const struct net_node *node, float *a, float *b)
{
	*a = *b = 0;
	if (node->op->infer == op_clip_infer) {
		const struct clip *clip = node->plan;

		*a = (float)clip->lo;
		*b = (float)clip->hi;
	} else if (node->op->infer == op_unary_infer) {
		const struct unary *u = node->plan;

		*a = u->a;
		*b = u->b;
		if (u->fn == do_gelu_tanh)
			return "GeluTanh";
	} else {
		return NULL;
	}
	return node->op->name;
}
