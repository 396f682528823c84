// SPDX-License-Identifier: GPL-2.0 OR MIT
/* Reductions and ArgMax, ArgMin. */
#include "op.h"

#include <errno.h>
#include <math.h>
#include <string.h>

enum reduction { R_SUM, R_MEAN, R_MAX, R_MIN, R_PROD, R_L1, R_L2, R_SUM_SQUARE, R_LOG_SUM, R_LOG_SUM_EXP, NREDUCTIONS };

struct reduce {
	enum reduction op;
	unsigned int nkept, nreduced;
	uint32_t kept[NET_MAX_DIMS], reduced[NET_MAX_DIMS];
	uint64_t kept_stride[NET_MAX_DIMS], reduced_stride[NET_MAX_DIMS];
	uint64_t n;         /* elements that go into one */
};

/* Sorts the dimensions into kept and reduced ones; out gets the shape. */
static void arrange(struct reduce *p, const struct net_value *x, const bool *drop, bool keep, unsigned int *ndim, uint32_t *out)
{
	uint64_t stride[NET_MAX_DIMS], s = 1;

	for (unsigned int i = x->ndim; i-- > 0; s *= x->dims[i])
		stride[i] = s;
	*ndim = 0;
	p->n = 1;
	for (unsigned int i = 0; i < x->ndim; i++) {
		if (!drop[i]) {
			p->kept[p->nkept] = x->dims[i];
			p->kept_stride[p->nkept++] = stride[i];
			out[(*ndim)++] = x->dims[i];
			continue;
		}
		p->reduced[p->nreduced] = x->dims[i];
		p->reduced_stride[p->nreduced++] = stride[i];
		p->n *= x->dims[i];
		if (keep)
			out[(*ndim)++] = 1;
	}
}

int op_reduce_infer(const struct op_infer *c)
{
	static const char *const names[NREDUCTIONS] = { "ReduceSum", "ReduceMean", "ReduceMax", "ReduceMin", "ReduceProd", "ReduceL1",
							"ReduceL2", "ReduceSumSquare", "ReduceLogSum", "ReduceLogSumExp" };
	const struct net_value *x = op_in(c, 0);
	struct reduce *p = op_plan(c, sizeof(*p));
	int64_t axes[NET_MAX_DIMS], keep, noop;
	bool drop[NET_MAX_DIMS] = { false };
	uint32_t dims[NET_MAX_DIMS];
	unsigned int ndim, axis;
	int n, ret;

	if (!p)
		return -ENOMEM;
	for (int i = 0; i < NREDUCTIONS; i++)
		if (!strcmp(names[i], c->node->op->name))
			p->op = (enum reduction)i;
	ret = op_want_any(c, 0, 1u << NET_F32 | (p->op <= R_PROD && p->op != R_MEAN ? 1u << NET_I64 | 1u << NET_I32 : 0));
	ret = ret ? ret : op_attr_int(c, "keepdims", 1, 0, 1, &keep);
	ret = ret ? ret : op_attr_int(c, "noop_with_empty_axes", 0, 0, 1, &noop);
	ret = ret ? ret : op_ints_attr_or_in(c, "axes", 1, NET_MAX_DIMS, axes, &n);
	for (int i = 0; !ret && i < n; i++) {
		ret = op_axis(c, axes[i], x->ndim, &axis);
		if (!ret)
			drop[axis] = true;
	}
	if (ret)
		return ret;
	if (n <= 0 && !noop)
		memset(drop, true, sizeof(drop));
	arrange(p, x, drop, keep, &ndim, dims);
	return op_set(c, 0, x->type, ndim, dims);
}

/* Offset of the first element that goes into output i. */
static uint64_t kept_offset(const struct reduce *p, uint64_t i)
{
	uint64_t at = 0;

	for (unsigned int d = p->nkept; d-- > 0; i /= p->kept[d])
		at += i % p->kept[d] * p->kept_stride[d];
	return at;
}

static uint64_t reduced_offset(const struct reduce *p, uint64_t i)
{
	uint64_t at = 0;

	for (unsigned int d = p->nreduced; d-- > 0; i /= p->reduced[d])
		at += i % p->reduced[d] * p->reduced_stride[d];
	return at;
}

static float reduce_floats(const struct reduce *p, const float *x)
{
	double sum = p->op == R_PROD ? 1 : 0;
	float most = p->op == R_MIN ? INFINITY : -INFINITY;

	/* the largest first: exponentials of the differences do not overflow */
	if (p->op == R_LOG_SUM_EXP)
		for (uint64_t k = 0; k < p->n; k++)
			most = fmaxf(most, x[reduced_offset(p, k)]);
	for (uint64_t k = 0; k < p->n; k++) {
		float v = x[p->nreduced == 1 ? k * p->reduced_stride[0] : reduced_offset(p, k)];

		switch (p->op) {
		case R_SUM:
		case R_MEAN:
		case R_LOG_SUM:
			sum += (double)v;
			break;
		case R_MAX:
			most = v > most || isnan(v) ? v : most;
			break;
		case R_MIN:
			most = v < most || isnan(v) ? v : most;
			break;
		case R_PROD:
			sum *= (double)v;
			break;
		case R_L1:
			sum += (double)fabsf(v);
			break;
		case R_L2:
		case R_SUM_SQUARE:
			sum += (double)v * (double)v;
			break;
		case R_LOG_SUM_EXP:
		case NREDUCTIONS:
			sum += exp((double)v - (double)most);
			break;
		}
	}
	switch (p->op) {
	case R_MEAN:
		return (float)(sum / (double)p->n);
	case R_MAX:
	case R_MIN:
		return most;
	case R_L2:
		return (float)sqrt(sum);
	case R_LOG_SUM:
		return (float)log(sum);
	case R_LOG_SUM_EXP:
		return (float)(log(sum) + (double)most);
	case R_SUM:
	case R_PROD:
	case R_L1:
	case R_SUM_SQUARE:
	case NREDUCTIONS:
		break;
	}
	return (float)sum;
}

static int64_t reduce_integers(const struct reduce *p, const struct tensor *x, uint64_t at)
{
	uint64_t sum = p->op == R_PROD ? 1 : 0;
	int64_t most = p->op == R_MIN ? INT64_MAX : INT64_MIN;

	for (uint64_t k = 0; k < p->n; k++) {
		uint64_t i = at + reduced_offset(p, k);
		int64_t v = x->type == NET_I64 ? x->i64[i] : x->i32[i];

		sum = p->op == R_PROD ? sum * (uint64_t)v : sum + (uint64_t)v;
		most = (p->op == R_MIN ? v < most : v > most) ? v : most;
	}
	return p->op == R_MAX || p->op == R_MIN ? most : (int64_t)sum;
}

static void reduce_outputs(void *arg, uint64_t first, uint64_t last)
{
	const struct op_run *r = arg;
	const struct reduce *p = r->node->plan;

	for (uint64_t i = first; i < last; i++) {
		uint64_t at = kept_offset(p, i);

		if (r->in[0].type == NET_F32)
			r->out[0].f[i] = reduce_floats(p, r->in[0].f + at);
		else if (r->in[0].type == NET_I64)
			r->out[0].i64[i] = reduce_integers(p, &r->in[0], at);
		else
			r->out[0].i32[i] = (int32_t)reduce_integers(p, &r->in[0], at);
	}
}

void op_reduce_run(const struct op_run *r)
{
	const struct reduce *p = r->node->plan;

	op_parallel(r->pool, r->out[0].count, (1 << 12) / (p->n + 1) + 1, reduce_outputs, (void *)r);
}

/* ---------------------------------------------------------------- ArgMax, ArgMin */

struct arg {
	struct reduce r;
	bool min, last;
};

int op_arg_infer(const struct op_infer *c)
{
	const struct net_value *x = op_in(c, 0);
	struct arg *p = op_plan(c, sizeof(*p));
	bool drop[NET_MAX_DIMS] = { false };
	uint32_t dims[NET_MAX_DIMS];
	unsigned int axis, ndim;
	int64_t a, keep, last;
	int ret = p ? op_want(c, 0, NET_F32) : -ENOMEM;

	ret = ret ? ret : op_attr_int(c, "axis", 0, INT32_MIN, INT32_MAX, &a);
	ret = ret ? ret : op_axis(c, a, x->ndim, &axis);
	ret = ret ? ret : op_attr_int(c, "keepdims", 1, 0, 1, &keep);
	ret = ret ? ret : op_attr_int(c, "select_last_index", 0, 0, 1, &last);
	if (ret)
		return ret;
	if (!x->dims[axis])
		return OP_FAIL(c, -EINVAL, "dimension %u is empty", axis);
	p->min = !strcmp(c->node->op->name, "ArgMin");
	p->last = last;
	drop[axis] = true;
	arrange(&p->r, x, drop, keep, &ndim, dims);
	return op_set(c, 0, NET_I64, ndim, dims);
}

static void arg_outputs(void *arg, uint64_t first, uint64_t last)
{
	const struct op_run *r = arg;
	const struct arg *p = r->node->plan;

	for (uint64_t i = first; i < last; i++) {
		const float *x = r->in[0].f + kept_offset(&p->r, i);
		uint64_t best = 0;

		for (uint64_t k = 1; k < p->r.n; k++) {
			float v = x[k * p->r.reduced_stride[0]], b = x[best * p->r.reduced_stride[0]];

			if ((p->min ? v < b : v > b) || (p->last && v == b))
				best = k;
		}
		r->out[0].i64[i] = (int64_t)best;
	}
}

void op_arg_run(const struct op_run *r)
{
	op_parallel(r->pool, r->out[0].count, 64, arg_outputs, (void *)r);
}
