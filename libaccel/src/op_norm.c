// SPDX-License-Identifier: GPL-2.0 OR MIT
/* Normalisation, softmax. */
#include "op.h"

#include <errno.h>
#include <math.h>
#include <string.h>

struct norm {
	float epsilon, alpha, beta, bias;
	int64_t size;
	uint64_t outer, n, inner;   /* around and in the normalised dimensions */
	int kind;
};

/* Inputs first .. last are floats of one dimension with n elements. */
static int want_vectors(const struct op_infer *c, unsigned int first, unsigned int last, uint64_t n)
{
	for (unsigned int i = first; i <= last; i++) {
		const struct net_value *v = op_in(c, i);
		int ret = op_want(c, i, NET_F32);

		if (ret)
			return ret;
		if (v && (v->ndim != 1 || v->count != n))
			return OP_FAIL(c, -EINVAL, "input %u is of shape %s; %llu numbers are needed", i,
				       net_shape_text(v->ndim, v->dims).s, (unsigned long long)n);
	}
	return 0;
}

/* ---------------------------------------------------------------- BatchNormalization */

int op_batch_norm_infer(const struct op_infer *c)
{
	const struct net_value *x = op_in(c, 0);
	struct norm *p = op_plan(c, sizeof(*p));
	int64_t training, spatial;
	int ret = p ? op_want(c, 0, NET_F32) : -ENOMEM;

	ret = ret ? ret : op_attr_float(c, "epsilon", 1e-5f, &p->epsilon);
	ret = ret ? ret : op_attr_int(c, "training_mode", 0, 0, 1, &training);
	ret = ret ? ret : op_attr_int(c, "spatial", 1, 0, 1, &spatial);
	if (ret)
		return ret;
	if (training || !spatial)
		return OP_FAIL(c, -ENOTSUP, "training and non-spatial statistics are not supported: export the network for inference");
	for (unsigned int i = 1; i < c->node->nout; i++)
		if (op_out(c, i))
			return OP_FAIL(c, -ENOTSUP, "outputs of training are not supported: export the network for inference");
	if (x->ndim < 2)
		return OP_FAIL(c, -EINVAL, "an input of shape %s", net_shape_text(x->ndim, x->dims).s);
	ret = want_vectors(c, 1, 4, x->dims[1]);
	p->inner = op_product(x->dims, 2, x->ndim);
	return ret ? ret : op_set_like(c, 0, x);
}

static void batch_norm_channels(void *arg, uint64_t first, uint64_t last)
{
	const struct op_run *r = arg;
	const struct norm *p = r->node->plan;

	for (uint64_t i = first; i < last; i++) {
		uint64_t c = i % r->in[0].dims[1];
		float scale = r->in[1].f[c] / sqrtf(r->in[4].f[c] + p->epsilon), mean = r->in[3].f[c], shift = r->in[2].f[c];
		const float *x = r->in[0].f + i * p->inner;
		float *y = r->out[0].f + i * p->inner;

		for (uint64_t k = 0; k < p->inner; k++)
			y[k] = (x[k] - mean) * scale + shift;
		op_activate(&r->node->act, y, p->inner);
	}
}

void op_batch_norm_run(const struct op_run *r)
{
	if (r->out[0].count)
		op_parallel(r->pool, (uint64_t)r->in[0].dims[0] * r->in[0].dims[1], 1, batch_norm_channels, (void *)r);
}

/* ---------------------------------------------------------------- InstanceNormalization */

int op_instance_norm_infer(const struct op_infer *c)
{
	const struct net_value *x = op_in(c, 0);
	struct norm *p = op_plan(c, sizeof(*p));
	int ret = p ? op_want(c, 0, NET_F32) : -ENOMEM;

	ret = ret ? ret : op_attr_float(c, "epsilon", 1e-5f, &p->epsilon);
	if (ret)
		return ret;
	if (x->ndim < 3)
		return OP_FAIL(c, -EINVAL, "an input of shape %s", net_shape_text(x->ndim, x->dims).s);
	ret = want_vectors(c, 1, 2, x->dims[1]);
	p->inner = op_product(x->dims, 2, x->ndim);
	return ret ? ret : op_set_like(c, 0, x);
}

/* Mean and 1 / sqrt(variance + epsilon) of n numbers. */
static void moments(const float *x, uint64_t n, float epsilon, float *mean, float *scale)
{
	double sum = 0, square = 0, m;

	for (uint64_t k = 0; k < n; k++)
		sum += (double)x[k];
	m = sum / (double)n;
	for (uint64_t k = 0; k < n; k++)
		square += ((double)x[k] - m) * ((double)x[k] - m);
	*mean = (float)m;
	*scale = (float)(1 / sqrt(square / (double)n + (double)epsilon));
}

static void instance_norm_channels(void *arg, uint64_t first, uint64_t last)
{
	const struct op_run *r = arg;
	const struct norm *p = r->node->plan;

	for (uint64_t i = first; i < last; i++) {
		uint64_t c = i % r->in[0].dims[1];
		const float *x = r->in[0].f + i * p->inner;
		float *y = r->out[0].f + i * p->inner, mean, scale;

		moments(x, p->inner, p->epsilon, &mean, &scale);
		for (uint64_t k = 0; k < p->inner; k++)
			y[k] = (x[k] - mean) * scale * r->in[1].f[c] + r->in[2].f[c];
	}
}

void op_instance_norm_run(const struct op_run *r)
{
	if (r->out[0].count)
		op_parallel(r->pool, (uint64_t)r->in[0].dims[0] * r->in[0].dims[1], 1, instance_norm_channels, (void *)r);
}

/* ---------------------------------------------------------------- LayerNormalization */

int op_layer_norm_infer(const struct op_infer *c)
{
	const struct net_value *x = op_in(c, 0);
	struct norm *p = op_plan(c, sizeof(*p));
	uint32_t dims[NET_MAX_DIMS];
	unsigned int axis;
	int64_t a;
	int ret = p ? op_want(c, 0, NET_F32) : -ENOMEM;

	ret = ret ? ret : op_attr_float(c, "epsilon", 1e-5f, &p->epsilon);
	ret = ret ? ret : op_attr_int(c, "axis", -1, INT32_MIN, INT32_MAX, &a);
	ret = ret ? ret : op_axis(c, a, x->ndim, &axis);
	ret = ret ? ret : op_want(c, 1, NET_F32);
	ret = ret ? ret : op_want(c, 2, NET_F32);
	if (ret)
		return ret;
	p->outer = op_product(x->dims, 0, axis);
	p->n = op_product(x->dims, axis, x->ndim);
	for (unsigned int i = 1; i < 3; i++)
		if (op_in(c, i) && op_in(c, i)->count != p->n)
			return OP_FAIL(c, -ENOTSUP, "input %u has %llu elements, the normalised part %llu", i,
				       (unsigned long long)op_in(c, i)->count, (unsigned long long)p->n);
	for (unsigned int i = 0; i < x->ndim; i++)
		dims[i] = i < axis ? x->dims[i] : 1;
	ret = op_set_like(c, 0, x);
	ret = ret ? ret : op_set(c, 1, NET_F32, x->ndim, dims);
	return ret ? ret : op_set(c, 2, NET_F32, x->ndim, dims);
}

static void layer_norm_rows(void *arg, uint64_t first, uint64_t last)
{
	const struct op_run *r = arg;
	const struct norm *p = r->node->plan;
	const float *shift = r->node->nin > 2 ? r->in[2].f : NULL;

	for (uint64_t i = first; i < last; i++) {
		const float *x = r->in[0].f + i * p->n;
		float *y = r->out[0].f + i * p->n, mean, scale;

		moments(x, p->n, p->epsilon, &mean, &scale);
		for (uint64_t k = 0; k < p->n; k++)
			y[k] = (x[k] - mean) * scale * r->in[1].f[k] + (shift ? shift[k] : 0);
		if (r->node->nout > 1 && r->out[1].f)
			r->out[1].f[i] = mean;
		if (r->node->nout > 2 && r->out[2].f)
			r->out[2].f[i] = scale;
	}
}

void op_layer_norm_run(const struct op_run *r)
{
	const struct norm *p = r->node->plan;

	if (r->out[0].count)
		op_parallel(r->pool, p->outer, 1, layer_norm_rows, (void *)r);
}

/* ---------------------------------------------------------------- LRN */

int op_lrn_infer(const struct op_infer *c)
{
	const struct net_value *x = op_in(c, 0);
	struct norm *p = op_plan(c, sizeof(*p));
	int ret = p ? op_want(c, 0, NET_F32) : -ENOMEM;

	ret = ret ? ret : op_attr_float(c, "alpha", 1e-4f, &p->alpha);
	ret = ret ? ret : op_attr_float(c, "beta", 0.75f, &p->beta);
	ret = ret ? ret : op_attr_float(c, "bias", 1, &p->bias);
	ret = ret ? ret : op_attr_int(c, "size", 0, 1, 1 << 24, &p->size);
	if (ret)
		return ret;
	if (x->ndim < 2 || !p->size)
		return OP_FAIL(c, -EINVAL, "an input of shape %s, or no size", net_shape_text(x->ndim, x->dims).s);
	p->inner = op_product(x->dims, 2, x->ndim);
	c->node->work = x->count * (uint64_t)p->size;
	return op_set_like(c, 0, x);
}

static void lrn_channels(void *arg, uint64_t first, uint64_t last)
{
	const struct op_run *r = arg;
	const struct norm *p = r->node->plan;
	int64_t channels = r->in[0].dims[1];

	for (uint64_t i = first; i < last; i++) {
		int64_t c = (int64_t)(i % (uint64_t)channels), lo = c - (p->size - 1) / 2, hi = c + p->size / 2;
		const float *image = r->in[0].f + (i - (uint64_t)c) * p->inner, *x = image + (uint64_t)c * p->inner;

		lo = lo < 0 ? 0 : lo;
		hi = hi > channels - 1 ? channels - 1 : hi;
		for (uint64_t k = 0; k < p->inner; k++) {
			float sum = 0;

			for (int64_t j = lo; j <= hi; j++)
				sum += image[(uint64_t)j * p->inner + k] * image[(uint64_t)j * p->inner + k];
			r->out[0].f[i * p->inner + k] = x[k] / powf(p->bias + p->alpha / (float)p->size * sum, p->beta);
		}
	}
}

void op_lrn_run(const struct op_run *r)
{
	if (r->out[0].count)
		op_parallel(r->pool, (uint64_t)r->in[0].dims[0] * r->in[0].dims[1], 1, lrn_channels, (void *)r);
}

/* ---------------------------------------------------------------- Softmax, LogSoftmax, Hardmax */

enum { SOFTMAX, LOG_SOFTMAX, HARDMAX };

/* Until opset 12 everything from the axis on is one vector (default axis 1); since then the axis alone (default -1). */
int op_softmax_infer(const struct op_infer *c)
{
	const struct net_value *x = op_in(c, 0);
	struct norm *p = op_plan(c, sizeof(*p));
	bool old = c->node->opset < 13;
	unsigned int axis;
	int64_t a;
	int ret = p ? op_want(c, 0, NET_F32) : -ENOMEM;

	ret = ret ? ret : op_attr_int(c, "axis", old ? 1 : -1, INT32_MIN, INT32_MAX, &a);
	/* a vector of one dimension with axis 1 is a row of its own in the old rule */
	if (!ret && old && a == x->ndim && a == 1)
		a = 0;
	ret = ret ? ret : op_axis(c, a, x->ndim, &axis);
	if (ret)
		return ret;
	p->kind = !strcmp(c->node->op->name, "Softmax") ? SOFTMAX : !strcmp(c->node->op->name, "Hardmax") ? HARDMAX : LOG_SOFTMAX;
	p->outer = op_product(x->dims, 0, axis);
	p->n = old ? op_product(x->dims, axis, x->ndim) : x->dims[axis];
	p->inner = old ? 1 : op_product(x->dims, axis + 1, x->ndim);
	return op_set_like(c, 0, x);
}

/* One vector of n elements, inner apart. */
static void softmax(int kind, const float *x, float *y, uint64_t n, uint64_t inner)
{
	uint64_t at = 0;
	float most = x[0], log_sum;
	double sum = 0;

	for (uint64_t k = 0; k < n; k++) {
		if (x[k * inner] > most) {
			most = x[k * inner];
			at = k;
		}
	}
	if (kind == HARDMAX) {
		for (uint64_t k = 0; k < n; k++)
			y[k * inner] = k == at;
		return;
	}
	for (uint64_t k = 0; k < n; k++) {
		float e = expf(x[k * inner] - most);

		sum += (double)e;
		y[k * inner] = kind == SOFTMAX ? e : x[k * inner] - most;
	}
	log_sum = (float)log(sum);
	for (uint64_t k = 0; k < n; k++)
		y[k * inner] = kind == SOFTMAX ? (float)((double)y[k * inner] / sum) : y[k * inner] - log_sum;
}

static void softmax_vectors(void *arg, uint64_t first, uint64_t last)
{
	const struct op_run *r = arg;
	const struct norm *p = r->node->plan;

	for (uint64_t i = first; i < last; i++) {
		uint64_t at = i / p->inner * p->n * p->inner + i % p->inner;

		softmax(p->kind, r->in[0].f + at, r->out[0].f + at, p->n, p->inner);
	}
}

void op_softmax_run(const struct op_run *r)
{
	const struct norm *p = r->node->plan;

	if (r->out[0].count)
		op_parallel(r->pool, p->outer * p->inner, (1 << 12) / p->n + 1, softmax_vectors, (void *)r);
}
