// SPDX-License-Identifier: GPL-2.0 OR MIT
/* Resize and Upsample: each dimension has a table of the input positions and weights that make an output position. */
#include "op.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define MAX_TAPS 4

struct tap {
	int32_t n;                   /* taps; 0: outside of the cropped part, the extrapolation value */
	uint32_t at[MAX_TAPS];
	float weight[MAX_TAPS];
};

struct resize {
	unsigned int ndim;
	uint32_t in[NET_MAX_DIMS], out[NET_MAX_DIMS];
	const struct tap *taps[NET_MAX_DIMS];   /* [out] */
	float outside;
	struct tap tables[];
};

struct settings {
	const char *mode, *transform, *nearest;
	float cubic_a, outside;
	int64_t exclude_outside;
	double scale[NET_MAX_DIMS];
	uint32_t out[NET_MAX_DIMS];
	double roi[2 * NET_MAX_DIMS];
};

static int read_settings(const struct op_infer *c, struct settings *s)
{
	int64_t antialias;
	const char *policy;
	bool old = c->node->opset < 11;
	int ret = op_attr_text(c, "mode", "nearest", &s->mode);

	ret = ret ? ret : op_attr_text(c, "coordinate_transformation_mode", old ? "asymmetric" : "half_pixel", &s->transform);
	ret = ret ? ret : op_attr_text(c, "nearest_mode", old ? "floor" : "round_prefer_floor", &s->nearest);
	ret = ret ? ret : op_attr_float(c, "cubic_coeff_a", -0.75f, &s->cubic_a);
	ret = ret ? ret : op_attr_float(c, "extrapolation_value", 0, &s->outside);
	ret = ret ? ret : op_attr_int(c, "exclude_outside", 0, 0, 1, &s->exclude_outside);
	ret = ret ? ret : op_attr_int(c, "antialias", 0, 0, 1, &antialias);
	ret = ret ? ret : op_attr_text(c, "keep_aspect_ratio_policy", "stretch", &policy);
	if (ret)
		return ret;
	if (antialias || strcmp(policy, "stretch"))
		return OP_FAIL(c, -ENOTSUP, "antialias and keep_aspect_ratio_policy are not supported");
	if (strcmp(s->mode, "nearest") && strcmp(s->mode, "linear") && strcmp(s->mode, "cubic"))
		return OP_FAIL(c, -ENOTSUP, "attribute 'mode' is '%s'; nearest, linear and cubic are known", s->mode);
	return 0;
}

/* Scales and sizes of all dimensions, from the inputs (or the attribute of Upsample-7); axes may name a few of them. */
static int read_sizes(const struct op_infer *c, struct settings *s)
{
	const struct net_value *x = op_in(c, 0), *roi = NULL, *scales, *sizes = NULL;
	const struct net_attr *attr = op_attr(c->node, "scales"), *axes = op_attr(c->node, "axes");
	unsigned int n = axes ? axes->n : x->ndim, axis;
	bool old = c->node->opset < 11;
	int ret;

	scales = op_in(c, old ? 1 : 2);
	if (!old) {
		roi = op_in(c, 1);
		sizes = op_in(c, 3);
	}
	for (unsigned int i = 0; i < x->ndim; i++) {
		s->scale[i] = 1;
		s->out[i] = x->dims[i];
		s->roi[i] = 0;
		s->roi[i + x->ndim] = 1;
	}
	if (axes && axes->type != NET_INTS)
		return OP_FAIL(c, -EINVAL, "attribute 'axes' is not a list of integers");
	/* an empty input counts as none */
	scales = scales && scales->count ? scales : NULL;
	sizes = sizes && sizes->count ? sizes : NULL;
	if ((scales && (scales->type != NET_F32 || scales->count != n)) || (sizes && (sizes->type != NET_I64 || sizes->count != n)) ||
	    (!scales && !sizes && (!attr || attr->type != NET_FLOATS || attr->n != n)))
		return OP_FAIL(c, -EINVAL, "%u scales or sizes are needed, one a dimension", n);
	for (unsigned int i = 0; i < n; i++) {
		double scale = 0;

		ret = op_axis(c, axes ? axes->ints[i] : i, x->ndim, &axis);
		if (ret)
			return ret;
		if (roi && roi->count == 2 * n && roi->type == NET_F32) {
			s->roi[axis] = (double)((const float *)roi->data)[i];
			s->roi[axis + x->ndim] = (double)((const float *)roi->data)[i + n];
		}
		if (sizes) {
			int64_t size = ((const int64_t *)sizes->data)[i];

			if (size < 1 || size > 1 << 24 || !x->dims[axis])
				return OP_FAIL(c, -EINVAL, "a size of %lld", (long long)size);
			s->out[axis] = (uint32_t)size;
			s->scale[axis] = (double)size / x->dims[axis];
			continue;
		}
		scale = (double)(scales ? ((const float *)scales->data)[i] : attr->floats[i]);
		if (!(scale > 0) || scale * x->dims[axis] > 1 << 24)
			return OP_FAIL(c, -EINVAL, "a scale of %g", scale);
		s->scale[axis] = scale;
		s->out[axis] = (uint32_t)floor(x->dims[axis] *
					       (strcmp(s->transform, "tf_crop_and_resize") ? 1 :
						s->roi[axis + x->ndim] - s->roi[axis]) * scale);
	}
	return 0;
}

/* Input coordinate of output position o of dimension d. */
static double coordinate(const struct settings *s, unsigned int ndim, unsigned int d, uint32_t in, uint32_t o)
{
	double out = s->out[d], scale = s->scale[d], start = s->roi[d], end = s->roi[d + ndim];

	if (!strcmp(s->transform, "asymmetric"))
		return o / scale;
	if (!strcmp(s->transform, "align_corners"))
		return in * scale > 1 ? o * (in - 1.0) / (in * scale - 1) : 0;
	if (!strcmp(s->transform, "pytorch_half_pixel"))
		return out > 1 ? (o + 0.5) / scale - 0.5 : 0;
	if (!strcmp(s->transform, "tf_half_pixel_for_nn"))
		return (o + 0.5) / scale;
	if (!strcmp(s->transform, "tf_crop_and_resize"))
		return out > 1 ? start * (in - 1.0) + o * (end - start) * (in - 1.0) / (out - 1) : 0.5 * (start + end) * (in - 1.0);
	if (!strcmp(s->transform, "half_pixel_symmetric")) {
		double adjustment = out / (scale * in), center = in / 2.0;

		return center * (1 - adjustment) + (o + 0.5) / scale - 0.5;
	}
	return (o + 0.5) / scale - 0.5;
}

static double nearest(const char *mode, double x)
{
	if (!strcmp(mode, "floor"))
		return floor(x);
	if (!strcmp(mode, "ceil"))
		return ceil(x);
	if (!strcmp(mode, "round_prefer_ceil"))
		return floor(x + 0.5);
	return ceil(x - 0.5);
}

static uint32_t clamp(double x, uint32_t n)
{
	return x < 0 ? 0 : x > n - 1.0 ? n - 1 : (uint32_t)x;
}

static struct tap make_tap(const struct settings *s, unsigned int ndim, unsigned int d, uint32_t in, uint32_t o)
{
	double x = coordinate(s, ndim, d, in, o), base = floor(x), t = x - base, a = (double)s->cubic_a, sum = 0, w[4];
	struct tap tap = { .n = 1, .weight = { 1 } };

	if (in == s->out[d] && s->scale[d] == 1 && strcmp(s->transform, "tf_crop_and_resize")) {
		tap.at[0] = o;
		return tap;
	}
	if (!strcmp(s->transform, "tf_crop_and_resize") && (x < 0 || x > in - 1.0)) {
		tap.n = 0;
		return tap;
	}
	if (!strcmp(s->mode, "nearest")) {
		tap.at[0] = clamp(nearest(s->nearest, x), in);
		return tap;
	}
	if (!strcmp(s->mode, "linear")) {
		tap.n = 2;
		tap.at[0] = clamp(base, in);
		tap.at[1] = clamp(base + 1, in);
		tap.weight[0] = (float)(1 - t);
		tap.weight[1] = (float)t;
		return tap;
	}
	/* Keys' cubic convolution, IEEE ASSP 1981, with parameter a */
	w[0] = ((a * (t + 1) - 5 * a) * (t + 1) + 8 * a) * (t + 1) - 4 * a;
	w[1] = ((a + 2) * t - (a + 3)) * t * t + 1;
	w[2] = ((a + 2) * (1 - t) - (a + 3)) * (1 - t) * (1 - t) + 1;
	w[3] = ((a * (2 - t) - 5 * a) * (2 - t) + 8 * a) * (2 - t) - 4 * a;
	tap.n = 4;
	for (int i = 0; i < 4; i++) {
		double at = base - 1 + i;

		tap.at[i] = clamp(at, in);
		w[i] = s->exclude_outside && (at < 0 || at >= in) ? 0 : w[i];
		sum += w[i];
	}
	for (int i = 0; i < 4; i++)
		tap.weight[i] = (float)(s->exclude_outside ? w[i] / sum : w[i]);
	return tap;
}

int op_resize_infer(const struct op_infer *c)
{
	const struct net_value *x = op_in(c, 0);
	struct settings s;
	struct resize *p;
	struct tap *table;
	uint64_t sum = 0;
	int ret = op_want(c, 0, NET_F32);

	ret = ret ? ret : read_settings(c, &s);
	ret = ret ? ret : read_sizes(c, &s);
	if (ret)
		return ret;
	for (unsigned int d = 0; d < x->ndim; d++)
		sum += s.out[d];
	/* tables of 36 bytes a position */
	if (sum > 1 << 20)
		return OP_FAIL(c, -ENOTSUP, "an output of %s is too large", net_shape_text(x->ndim, s.out).s);
	p = op_plan(c, sizeof(*p) + sum * sizeof(*table));
	if (!p)
		return -ENOMEM;
	p->ndim = x->ndim;
	p->outside = s.outside;
	table = p->tables;
	for (unsigned int d = 0; d < x->ndim; d++) {
		p->in[d] = x->dims[d];
		p->out[d] = s.out[d];
		p->taps[d] = table;
		for (uint32_t o = 0; o < s.out[d]; o++)
			*table++ = make_tap(&s, x->ndim, d, x->dims[d], o);
	}
	c->node->work = net_count(x->ndim, s.out) * (uint64_t)MAX_TAPS * MAX_TAPS;
	return op_set(c, 0, NET_F32, x->ndim, s.out);
}

/* Weighted sum over dimensions d and up of the element at offset `at` of the dimensions before. */
static float interpolate(const struct resize *p, const struct tap *const *tap, const float *x, unsigned int d, uint64_t at)
{
	float sum = 0;

	if (d == p->ndim)
		return x[at];
	if (tap[d]->n == 1)
		return interpolate(p, tap, x, d + 1, at * p->in[d] + tap[d]->at[0]);
	for (int i = 0; i < tap[d]->n; i++)
		sum += tap[d]->weight[i] * interpolate(p, tap, x, d + 1, at * p->in[d] + tap[d]->at[i]);
	return sum;
}

static void resize_elements(void *arg, uint64_t first, uint64_t last)
{
	const struct op_run *r = arg;
	const struct resize *p = r->node->plan;

	for (uint64_t i = first; i < last; i++) {
		const struct tap *tap[NET_MAX_DIMS];
		uint64_t rest = i;
		bool outside = false;

		for (unsigned int d = p->ndim; d-- > 0; rest /= p->out[d]) {
			tap[d] = &p->taps[d][rest % p->out[d]];
			outside = outside || !tap[d]->n;
		}
		r->out[0].f[i] = outside ? p->outside : interpolate(p, tap, r->in[0].f, 0, 0);
	}
}

void op_resize_run(const struct op_run *r)
{
	op_parallel(r->pool, r->out[0].count, 1 << 12, resize_elements, (void *)r);
}
