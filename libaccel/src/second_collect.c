// SPDX-License-Identifier: GPL-2.0 OR MIT
/* The Hessians of layers: sums of x x^T over the inputs that calibration items make. */
#include "netrun.h"
#include "op_conv.h"
#include "pass.h"
#include "second.h"
#include "seed.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define BATCH     256u     /* vectors that are summed at a time */
#define LEAST     8192u    /* vectors of a convolution that are looked at: this many, or */
#define TIMES     4u       /* so many times its columns, if there are */

static bool is_conv(const struct net_node *node)
{
	return pass_is(node, "Conv");
}

static bool flag(const struct net_node *node, const char *name)
{
	const struct net_attr *a = op_attr(node, name);

	return a && a->ints[0];
}

bool second_can(const struct accel_network *net, const struct net_node *node)
{
	const struct net_value *x = node->nin > 1 ? &net->values[node->in[0]] : NULL, *w = x ? &net->values[node->in[1]] : NULL;

	if (is_conv(node))
		return !x->data && x->type == NET_F32;
	return x && !x->data && w->ndim == 2 && ((pass_is(node, "Gemm") && !flag(node, "transA")) || pass_is(node, "MatMul"));
}

int second_new(const struct accel_network *net, const struct net_node *node, struct second **second)
{
	const struct net_value *w = &net->values[node->in[1]];
	struct second *s = calloc(1, sizeof(*s));

	if (!s)
		return -ENOMEM;
	if (is_conv(node)) {
		const struct conv *plan = node->plan;

		*s = (struct second){ .rows = plan->cout, .cols = (uint32_t)plan->k, .groups = plan->groups, .row_stride = plan->k, .col_stride = 1 };
	} else {
		bool turned = pass_is(node, "Gemm") && flag(node, "transB");

		*s = (struct second){ .rows = w->dims[turned ? 0 : 1], .cols = w->dims[turned ? 1 : 0], .groups = 1 };
		s->row_stride = turned ? s->cols : 1;
		s->col_stride = turned ? 1 : s->rows;
	}
	s->nblocks = (s->cols + SECOND_MOST - 1) / SECOND_MOST;
	s->block = calloc((size_t)s->groups * s->nblocks, sizeof(*s->block));
	for (uint32_t i = 0; s->block && i < s->groups * s->nblocks; i++) {
		struct second_block *b = &s->block[i];

		b->first = i % s->nblocks * SECOND_MOST;
		b->n = (s->cols - b->first < SECOND_MOST ? s->cols - b->first : SECOND_MOST) + 1;
		b->h = calloc((size_t)b->n * b->n, sizeof(*b->h));
		b->inverse = calloc(b->n, sizeof(*b->inverse));
		if (!b->h || !b->inverse) {
			second_free(s);
			return -ENOMEM;
		}
	}
	if (!s->block) {
		second_free(s);
		return -ENOMEM;
	}
	*second = s;
	return 0;
}

void second_free(struct second *s)
{
	if (!s)
		return;
	for (uint32_t i = 0; s->block && i < s->groups * s->nblocks; i++) {
		free(s->block[i].h);
		free(s->block[i].inverse);
	}
	free(s->block);
	free(s);
}

/* ---------------------------------------------------------------- vectors */

struct collector {
	const struct blas *blas;
	const struct accel_network *net;
	struct netrun *run;
	const struct second_target **of;       /* [nnodes] or NULL */
	float *rows;                           /* [BATCH, most columns + 1] */
	uint64_t items, state;
};

/* n vectors [n, columns of a group + 1], whose last value is 1, go into group g. */
static void add(const struct collector *c, struct second *s, uint32_t g, unsigned int n)
{
	for (unsigned int k = 0; k < s->nblocks; k++) {
		struct second_block *b = &s->block[g * s->nblocks + k];
		uint32_t stride = s->cols + 1;

		if (k + 1 < s->nblocks) {
			/* the bias's column belongs to each block: for the others it takes the place of the one behind them */
			float kept[BATCH];

			for (unsigned int i = 0; i < n; i++) {
				float *v = c->rows + (size_t)i * stride + b->first + b->n - 1;

				kept[i] = *v;
				*v = 1;
			}
			c->blas->cblas_ssyrk(BLAS_ROW_MAJOR, BLAS_UPPER, BLAS_TRANSPOSED, (int)b->n, (int)n, 1, c->rows + b->first, (int)stride, 1, b->h,
					     (int)b->n);
			for (unsigned int i = 0; i < n; i++)
				c->rows[(size_t)i * stride + b->first + b->n - 1] = kept[i];
			continue;
		}
		c->blas->cblas_ssyrk(BLAS_ROW_MAJOR, BLAS_UPPER, BLAS_TRANSPOSED, (int)b->n, (int)n, 1, c->rows + b->first, (int)stride, 1, b->h, (int)b->n);
	}
}

static void collect_fc(struct collector *c, struct second *s, const struct net_node *node)
{
	const struct net_value *v = &c->net->values[node->in[0]];
	const float *x = netrun_value(c->run, node->in[0]);
	uint64_t n = v->count / s->cols;

	for (uint64_t first = 0; first < n; first += BATCH) {
		unsigned int some = n - first < BATCH ? (unsigned int)(n - first) : BATCH;

		for (unsigned int i = 0; i < some; i++) {
			memcpy(c->rows + (size_t)i * (s->cols + 1), x + (first + i) * s->cols, s->cols * sizeof(*x));
			c->rows[(size_t)i * (s->cols + 1) + s->cols] = 1;
		}
		add(c, s, 0, some);
	}
	s->samples += n;
}

/* What output `at` of a group's image x sees. */
static void gather_window(const struct conv *p, const float *x, uint64_t at, float *to)
{
	const struct window *w = &p->w;
	uint32_t oz = (uint32_t)(at / w->out[2] / w->out[1]), oy = (uint32_t)(at / w->out[2] % w->out[1]), ox = (uint32_t)(at % w->out[2]);

	for (uint32_t channel = 0; channel < p->cin; channel++, x += w->in_count) {
		for (uint32_t kz = 0; kz < w->kernel[0]; kz++) {
			int64_t z = (int64_t)oz * w->stride[0] + (int64_t)kz * w->dilation[0] - w->pad[0];

			for (uint32_t ky = 0; ky < w->kernel[1]; ky++) {
				int64_t y = (int64_t)oy * w->stride[1] + (int64_t)ky * w->dilation[1] - w->pad[1];

				for (uint32_t kx = 0; kx < w->kernel[2]; kx++) {
					int64_t col = (int64_t)ox * w->stride[2] + (int64_t)kx * w->dilation[2] - w->pad[2];
					bool in = z >= 0 && z < w->in[0] && y >= 0 && y < w->in[1] && col >= 0 && col < w->in[2];

					*to++ = in ? x[(z * w->in[1] + y) * w->in[2] + col] : 0;
				}
			}
		}
	}
	*to = 1;
}

/* Of the pixels of an item so many, evenly spread from a place by chance, that all items have enough together. */
static void collect_conv(struct collector *c, struct second *s, const struct net_node *node)
{
	const struct conv *p = node->plan;
	const float *x = netrun_value(c->run, node->in[0]);
	uint64_t pixels = p->batch * p->w.out_count, want = TIMES * s->cols > LEAST ? TIMES * s->cols : LEAST;
	uint64_t n = (want + c->items - 1) / c->items, start;

	n = n < pixels ? n : pixels;
	start = (uint64_t)(seed_uniform(&c->state) * (double)pixels);
	for (uint32_t g = 0; g < s->groups; g++) {
		for (uint64_t first = 0; first < n; first += BATCH) {
			unsigned int some = n - first < BATCH ? (unsigned int)(n - first) : BATCH;

			for (unsigned int i = 0; i < some; i++) {
				uint64_t at = (start + (first + i) * pixels / n) % pixels;

				gather_window(p, x + conv_in(p, at / p->w.out_count, g), at % p->w.out_count, c->rows + (size_t)i * (s->cols + 1));
			}
			add(c, s, g, some);
		}
	}
	s->samples += n;
}

static void after_node(void *arg, const struct net_node *node)
{
	struct collector *c = arg;
	const struct second_target *t = c->of[node - c->net->nodes];

	if (t && is_conv(node))
		collect_conv(c, t->second, node);
	else if (t)
		collect_fc(c, t->second, node);
}

/* Inputs of item number `item`; those that have no data get seeded numbers. */
static void fill_inputs(struct collector *c, const struct calib_inputs *in, uint64_t item)
{
	for (unsigned int k = 0; k < c->net->ninputs; k++) {
		const struct net_value *v = &c->net->values[c->net->inputs[k]];
		float *to = netrun_value(c->run, c->net->inputs[k]);

		if (v->type != NET_F32)
			continue;
		if (in->values[k])
			memcpy(to, in->values[k] + item * v->count, v->count * sizeof(*to));
		for (uint64_t i = 0; !in->values[k] && i < v->count; i++)
			to[i] = (float)seed_uniform(&c->state);
	}
}

int second_collect(const struct blas *blas, const struct accel_network *net, const struct calib_inputs *in, unsigned int n, const struct second_target *targets,
		   int (*cancel)(void *arg, uint64_t item), void *arg, struct accel_error *err)
{
	struct collector c = { .blas = blas, .net = net, .items = in->n, .state = SEED_START };
	size_t most = 1;
	int ret = 0;

	for (unsigned int i = 0; i < n; i++)
		if (targets[i].second && targets[i].second->cols + (size_t)1 > most)
			most = targets[i].second->cols + (size_t)1;
	c.of = calloc(net->nnodes + (size_t)1, sizeof(*c.of));
	c.rows = malloc(BATCH * most * sizeof(*c.rows));
	if (!c.of || !c.rows)
		ret = accel_fail(err, -ENOMEM, NULL, "%s: out of memory", net->file);
	for (unsigned int i = 0; !ret && i < n; i++)
		if (targets[i].second)
			c.of[targets[i].node] = &targets[i];
	ret = ret ? ret : netrun_new(net, 1, 0, NULL, NULL, &c.run, err);
	if (!ret)
		netrun_observe(c.run, after_node, &c);
	for (uint64_t i = 0; !ret && i < in->n; i++) {
		ret = cancel ? cancel(arg, i) : 0;
		if (ret)
			break;
		fill_inputs(&c, in, i);
		ret = netrun_run(c.run, err);
	}
	netrun_free(c.run);
	free(c.of);
	free(c.rows);
	return ret;
}
