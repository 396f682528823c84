// SPDX-License-Identifier: GPL-2.0 OR MIT
#include "candidate.h"
#include "candidate_pool.h"
#include "candidate_weights.h"
#include "graph.h"
#include "op_conv.h"
#include "table.h"
#include "window.h"

#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int candidate_refuse(const struct accel_network *net, struct net_node *node, struct candidate *c, struct accel_error *err, const char *fmt, ...)
{
	va_list args;
	int n;

	c->kind = CANDIDATE_NONE;
	va_start(args, fmt);
	free(node->device_reason);
	n = vasprintf(&node->device_reason, fmt, args);
	va_end(args);
	if (n >= 0)
		return 0;
	node->device_reason = NULL;
	return accel_fail(err, -ENOMEM, NULL, "%s: out of memory", net->file);
}

void candidate_give_back(const struct accel_network *net, uint32_t n, struct candidate *all)
{
	uint32_t v = net->nodes[n].out[0];

	for (uint32_t m = n + 1; m < net->nnodes && v != all[n].out; m++) {
		const struct net_node *node = &net->nodes[m];

		if (all[m].kind != CANDIDATE_TAKEN_IN || (node->in[0] != v && node->in[1] != v))
			continue;
		all[m].kind = CANDIDATE_NONE;
		v = node->out[0];
	}
}

/* ---------------------------------------------------------------- which nodes */

/* What the candidates are looked for in. */
struct finder {
	struct accel_network *net;
	const struct pass_users *users;
	const struct view *views;  /* [nvalues] */
	const uint32_t *maps;      /* [nnodes] */
	struct candidate *all;     /* [nnodes] */
	struct layout *layouts;    /* [nvalues] */
	const struct placement *how;
	struct accel_error *err;
};

#define REFUSE(s, n, fmt, ...) candidate_refuse((s)->net, &(s)->net->nodes[n], &(s)->all[n], (s)->err, fmt, ##__VA_ARGS__)

/* How the value lies, or, if nobody has decided and its shape is an image's, would lie. */
static bool layout_of(const struct finder *s, uint32_t value, struct layout *l)
{
	*l = s->layouts[value];
	return l->kind != LAYOUT_NONE || layout_as_image(&s->net->values[value], l);
}

/* An image of one item, of two dimensions, as operators with windows read it. */
static bool is_image(const struct finder *s, uint32_t value)
{
	struct layout l;

	return layout_of(s, value, &l) && l.kind == LAYOUT_IMAGE && s->net->values[value].ndim == 4;
}

/* The value is of the shape of y and lies like l, as others of that shape do, or may. */
static bool may_lie_like(const struct finder *s, uint32_t value, const struct layout *l, const struct net_value *y)
{
	const struct net_value *v = &s->net->values[value];

	if (v->type != NET_F32 || v->data || v->count != y->count || v->ndim != y->ndim)
		return false;
	return !s->layouts[value].kind || layout_same(&s->layouts[value], l);
}

static struct accel_window pixel_of(const struct layout *l, uint32_t groups)
{
	return (struct accel_window){ l->channels, l->height, l->width, 1, 1, 1, 1, 1, 1, 0, 0, l->height, l->width, groups };
}

static bool activation_of(const struct net_act *act, enum accel_activation *activation)
{
	*activation = ACCEL_ACT_NONE;
	if (act->kind == NET_ACT_NONE)
		return true;
	if (act->kind != NET_ACT_CLIP || act->a != 0 || (act->b != 6 && act->b != INFINITY))
		return false;
	*activation = act->b == 6 ? ACCEL_ACT_RELU6 : ACCEL_ACT_RELU;
	return true;
}

static float attr_float(const struct net_node *node, const char *name)
{
	const struct net_attr *a = op_attr(node, name);

	return a ? a->floats[0] : 1;
}

static bool attr_flag(const struct net_node *node, const char *name)
{
	const struct net_attr *a = op_attr(node, name);

	return a && a->ints[0];
}

static void take_weights(struct candidate *f, const struct net_value *w)
{
	f->weights = w->data;
	f->weight_count = w->count;
	f->codebook = w->codebook;
	f->ncodes = w->codebook ? w->ncodes : 0;
}

/* Bias of one number, or of one a row, that is constant. */
static bool take_bias(const struct accel_network *net, struct candidate *f, uint32_t value)
{
	const struct net_value *v = &net->values[value];

	if (!v->data || v->type != NET_F32 || (v->count != 1 && (v->count != f->rows || v->dims[v->ndim - 1] != f->rows)))
		return false;
	f->bias = v->data;
	f->bias_stride = v->count == 1 ? 0 : 1;
	return true;
}

/* With so many weights of 127 steps and activations of as many a sum still fits 32 bits, whatever the weights are. */
#define LINEAR_ROW_MAX (1u << 17)

/* Weights that a codebook does not hold are rounded, or leave the layer to the CPU. */
static int check_weights(const struct finder *s, uint32_t n, const char *what)
{
	struct candidate *f = &s->all[n];
	enum weights_kind kind = weights_look(f);

	if (kind == WEIGHTS_SHARED)
		return 0;
	if (kind == WEIGHTS_INFINITE)
		return REFUSE(s, n, "%s with weights or biases that are not finite", what);
	f->linear = s->how->linear;
	if (f->linear && f->weight_count / f->rows > LINEAR_ROW_MAX)
		return REFUSE(s, n, "%s of rows with more than %u weights: rounded, their sums might leave 32 bits", what, LINEAR_ROW_MAX);
	if (f->linear)
		return 0;
	if (kind == WEIGHTS_MANY)
		return REFUSE(s, n, "%s, but with more than 255 different weights: the engine has codebooks of 255; import rounds them unless told otherwise (--weights)", what);
	return REFUSE(s, n, "%s, but its few weights are nearly all different: nobody pruned or quantised them; import rounds them unless told otherwise (--weights)", what);
}

/* The engine's limits. */
static int check_limits(const struct finder *s, uint32_t n)
{
	struct accel_error why;

	return accel_window_check("engine", s->net->nodes[n].name, &s->all[n].window, -ENOTSUP, &why) ? REFUSE(s, n, "%s", why.text) : 0;
}

/* A fully connected layer of many vectors: a convolution with a window of one pixel, of which each is one. */
static int make_tokens(const struct finder *s, uint32_t n)
{
	const struct net_node *node = &s->net->nodes[n];
	struct candidate *f = &s->all[n];
	struct layout *x = &s->layouts[node->in[0]], l = *x;

	if (!s->how->conv)
		return REFUSE(s, n, "fully connected for many vectors an item is a convolution, which is to stay float32");
	if ((!l.kind && !layout_as_tokens(&s->net->values[node->in[0]], &l)) || l.kind != LAYOUT_TOKENS || l.channels != f->cols)
		return REFUSE(s, n, "fully connected for the rows of an image, whose channels lie elsewhere on the engine");
	f->kind = CANDIDATE_CONV;
	f->groups = 1;
	f->window = pixel_of(&l, 1);
	if (check_limits(s, n) || !f->kind)
		return f->kind ? -ENOMEM : 0;
	*x = l;
	l.channels = f->rows;
	s->layouts[f->out] = l;
	return 0;
}

/*
 * A matrix of the network times a value [columns, n]: rows of the value are channels, n pixels each. Whoever makes and reads the value may have it turned: the
 * segment of this layer alone has it as the network has.
 */
static int find_sparse(const struct finder *s, uint32_t n)
{
	const struct net_node *node = &s->net->nodes[n];
	const struct net_value *w = &s->net->values[node->in[0]], *x = &s->net->values[node->in[1]];
	struct layout l = { LAYOUT_IMAGE, w->dims[1], 1, x->dims[x->ndim - 1] };
	struct candidate *f = &s->all[n];

	*f = (struct candidate){ .kind = CANDIDATE_CONV, .out = node->out[0], .has_source = true, .source = node->in[1], .sparse = true, .beta = 1, .rows = w->dims[0],
				 .cols = w->dims[1], .row_stride = w->dims[1], .col_stride = 1, .groups = 1, .window = pixel_of(&l, 1) };
	take_weights(f, w);
	if (!activation_of(&node->act, &f->activation))
		return REFUSE(s, n, "the activation behind it is not one of this engine (ReLU, ReLU6)");
	if (check_limits(s, n) || (f->kind && check_weights(s, n, "matrix times a value")))
		return -ENOMEM;
	return 0;
}

static bool is_sparse_product(const struct finder *s, const struct net_node *node)
{
	const struct net_value *w = &s->net->values[node->in[0]], *x = &s->net->values[node->in[1]];

	return s->how->conv && pass_is(node, "MatMul") && w->data && w->type == NET_F32 && w->ndim == 2 && w->count && !x->data && x->type == NET_F32 && x->count &&
	       (x->ndim == 2 || (x->ndim == 3 && x->dims[0] == 1));
}

/* MatMul and Gemm. */
static int find_fc(const struct finder *s, uint32_t n)
{
	struct accel_network *net = s->net;
	struct net_node *node = &net->nodes[n], *add;
	const struct net_value *x = &net->values[node->in[0]], *w = &net->values[node->in[1]], *y = &net->values[node->out[0]];
	bool gemm = pass_is(node, "Gemm"), turned = gemm && attr_flag(node, "transB");
	const struct net_act *act = &node->act;
	struct candidate *f = &s->all[n];
	uint32_t taken_in = NET_NONE;

	*f = (struct candidate){ .kind = CANDIDATE_FC, .out = node->out[0], .beta = 1 };
	if (!w->data || w->ndim != 2 || !x->count || !y->count)
		return REFUSE(s, n, "product of matrices that are both computed, or empty: this engine (ISA 1.x) has no command for it");
	f->rows = w->dims[turned ? 0 : 1];
	f->cols = w->dims[turned ? 1 : 0];
	f->row_stride = turned ? f->cols : 1;
	f->col_stride = turned ? 1 : f->rows;
	take_weights(f, w);
	if (gemm && (attr_float(node, "alpha") != 1 || attr_flag(node, "transA")))
		return REFUSE(s, n, "Gemm with alpha or transA, which the engine has not");
	if (gemm) {
		f->beta = attr_float(node, "beta");
		if (node->nin > 2 && node->in[2] != NET_NONE && !take_bias(net, f, node->in[2]))
			return REFUSE(s, n, "its bias is not one constant a row");
	}
	add = act->kind ? NULL : pass_only_reader(net, s->users, node->out[0]);
	if (!f->bias && add && pass_is(add, "Add")) {
		unsigned int other = add->in[0] == node->out[0] ? 1 : 0;

		if (net->values[add->out[0]].count == y->count && take_bias(net, f, add->in[other])) {
			taken_in = s->users->reader[node->out[0]];
			f->out = add->out[0];
			act = &add->act;
		}
	}
	if (!activation_of(act, &f->activation))
		return REFUSE(s, n, "the activation behind it is not one of this engine (ReLU, ReLU6)");
	if ((x->count != f->cols && make_tokens(s, n)) || (f->kind && check_weights(s, n, "fully connected")))
		return -ENOMEM;
	if (f->kind && taken_in != NET_NONE)
		s->all[taken_in].kind = CANDIDATE_TAKEN_IN;
	return 0;
}

static struct accel_window window_of(const struct window *w, uint32_t channels, uint32_t groups)
{
	return (struct accel_window){
		channels, w->in[1], w->in[2], w->kernel[1], w->kernel[2], w->stride[1], w->stride[2], w->dilation[1], w->dilation[2],
		(uint32_t)w->pad[1], (uint32_t)w->pad[2], w->out[1], w->out[2], groups
	};
}

static int find_conv(const struct finder *s, uint32_t n)
{
	struct net_node *node = &s->net->nodes[n];
	const struct net_value *x = &s->net->values[node->in[0]], *w = &s->net->values[node->in[1]];
	const struct conv *plan = node->plan;
	const struct view *view = &s->views[node->in[0]];
	struct candidate *f = &s->all[n];

	*f = (struct candidate){ .kind = CANDIDATE_CONV, .out = node->out[0], .beta = 1 };
	if (!w->data || !s->net->values[f->out].count)
		return REFUSE(s, n, "convolution with weights that are computed, or empty");
	if (!is_image(s, node->in[0]) || (view->channels && !is_image(s, view->source)))
		return REFUSE(s, n, "convolution over %u dimensions of a batch of %u: the engine has two, and takes items one by one",
			      plan->w.ndim, plan->batch);
	f->rows = w->dims[0];
	f->groups = plan->groups;
	if (view->channels) {
		/* whose groups are groups no more */
		f->has_source = true;
		f->source = view->source;
		f->channels = view->channels;
		x = &s->net->values[view->source];
	}
	f->cols = x->dims[1] * plan->w.kernel[1] * plan->w.kernel[2];
	take_weights(f, w);
	f->row_scale = w->row_scale;
	f->window = window_of(&plan->w, x->dims[1], f->channels ? 1 : plan->groups);
	if (check_limits(s, n))
		return -ENOMEM;
	if (f->kind && node->nin > 2 && node->in[2] != NET_NONE && !take_bias(s->net, f, node->in[2]))
		return REFUSE(s, n, "its bias is not one constant a channel");
	if (f->kind && !activation_of(&node->act, &f->activation))
		return REFUSE(s, n, "the activation behind it is not one of this engine (ReLU, ReLU6)");
	if (f->kind && check_weights(s, n, "convolution"))
		return -ENOMEM;
	if (f->kind) {
		layout_of(s, candidate_input(f, node, 0), &s->layouts[candidate_input(f, node, 0)]);
		layout_as_image(&s->net->values[f->out], &s->layouts[f->out]);
	}
	return 0;
}

/* The mean of each channel of an image, as some exporters write GlobalAveragePool. */
static bool is_global_mean(const struct accel_network *net, const struct net_node *node)
{
	const struct net_attr *keep = op_attr(node, "keepdims"), *attr = op_attr(node, "axes");
	const struct net_value *in = node->nin > 1 && node->in[1] != NET_NONE ? &net->values[node->in[1]] : NULL;
	const int64_t *axes = attr ? attr->ints : in && in->type == NET_I64 ? in->data : NULL;
	uint64_t n = attr ? attr->n : in ? in->count : 0;
	unsigned int seen = 0;

	if (!pass_is(node, "ReduceMean") || (keep && !keep->ints[0]) || !axes || net->values[node->in[0]].ndim != 4)
		return false;
	for (uint64_t i = 0; i < n; i++)
		seen |= 1u << (axes[i] < 0 ? axes[i] + 4 : axes[i]);   /* inference has checked them */
	return seen == (1u << 2 | 1u << 3);
}

static int find_pool(const struct finder *s, uint32_t n)
{
	struct net_node *node = &s->net->nodes[n];
	const struct net_value *x = &s->net->values[node->in[0]];
	bool global = pass_is(node, "GlobalMaxPool") || pass_is(node, "GlobalAveragePool") || pass_is(node, "ReduceMean");
	bool max = pass_is(node, "MaxPool") || pass_is(node, "GlobalMaxPool");
	struct candidate *f = &s->all[n];

	*f = (struct candidate){ .kind = max ? CANDIDATE_MAX_POOL : CANDIDATE_AVERAGE_POOL, .out = node->out[0], .map = s->maps[n] };
	if (!is_image(s, node->in[0]) || !s->net->values[f->out].count)
		return REFUSE(s, n, "pooling of what is no image of one item");
	if (node->act.kind || (node->nout > 1 && node->out[1] != NET_NONE))
		return REFUSE(s, n, "pooling with an activation behind it, or with the places of the largest values: this engine (ISA 1.x) has no command for it");
	if (global) {
		f->window = (struct accel_window){ x->dims[1], x->dims[2], x->dims[3], x->dims[2], x->dims[3], 1, 1, 1, 1, 0, 0, 1, 1, 1 };
	} else {
		const struct pooling *p = node->plan;

		f->window = window_of(&p->w, x->dims[1], 1);
	}
	if (!pool_in_stages(&f->window) && check_limits(s, n))
		return -ENOMEM;
	if (f->kind) {
		layout_of(s, node->in[0], &s->layouts[node->in[0]]);
		s->layouts[f->out] = (struct layout){ LAYOUT_IMAGE, f->window.channels, f->window.out_height, f->window.out_width };
		if (candidate_has_map(f))
			s->layouts[f->map] = s->layouts[f->out];
	}
	return 0;
}

/* How the inputs of a node lie, that all have one size: like the first of which that is decided, else like the first image. */
static bool common_layout(const struct finder *s, const struct net_node *node, struct layout *l)
{
	bool found = false;

	for (unsigned int i = 0; !found && i < node->nin; i++) {
		*l = s->layouts[node->in[i]];
		found = l->kind != LAYOUT_NONE;
	}
	for (unsigned int i = 0; !found && i < node->nin; i++)
		found = layout_as_image(&s->net->values[node->in[i]], l);
	return found;
}

/* A constant with a number for each channel of what lies so. */
static bool is_row_of_channels(const struct net_value *v, const struct layout *l, unsigned int ndim)
{
	unsigned int behind = l->kind == LAYOUT_IMAGE ? ndim - 2 : 0;   /* dimensions behind the channels' */

	return v->data && v->type == NET_F32 && v->count == l->channels && v->ndim <= ndim && v->ndim > behind && v->dims[v->ndim - 1 - behind] == l->channels;
}

/*
 * Input x of a node of two has channels, the other one is a constant with a number for each. A value that nobody has decided of, and that is no image, is tokens then.
 */
static bool has_channels(const struct finder *s, const struct net_node *node, unsigned int x, struct layout *l)
{
	const struct net_value *v = &s->net->values[node->in[x]], *y = &s->net->values[node->out[0]];

	if (node->nin != 2 || v->count != y->count || v->ndim != y->ndim)
		return false;
	return (layout_of(s, node->in[x], l) || layout_as_tokens(v, l)) && is_row_of_channels(&s->net->values[node->in[!x]], l, y->ndim);
}

/* Numbers that are added to channels. */
static int find_shift(const struct finder *s, uint32_t n, unsigned int x, const struct layout *l)
{
	struct net_node *node = &s->net->nodes[n];
	struct candidate *f = &s->all[n];

	*f = (struct candidate){ .kind = CANDIDATE_SHIFT, .out = node->out[0], .has_source = true, .source = node->in[x], .rows = l->channels,
				 .bias = s->net->values[node->in[!x]].data, .window = pixel_of(l, l->channels) };
	for (uint32_t r = 0; r < f->rows; r++)
		if (!isfinite(f->bias[r]))
			return REFUSE(s, n, "addition of what is not finite");
	if (check_limits(s, n))
		return -ENOMEM;
	if (f->kind && !activation_of(&node->act, &f->activation))
		return REFUSE(s, n, "the activation behind it is not one of this engine (ReLU, ReLU6)");
	if (f->kind)
		s->layouts[node->in[x]] = s->layouts[f->out] = *l;
	return 0;
}

/* Addition of values of one shape. */
static int find_add(const struct finder *s, uint32_t n)
{
	struct net_node *node = &s->net->nodes[n];
	const struct net_value *y = &s->net->values[node->out[0]];
	struct candidate *f = &s->all[n];
	struct layout l;

	for (unsigned int i = 0; i < 2 && i < node->nin; i++)
		if (has_channels(s, node, i, &l))
			return find_shift(s, n, i, &l);
	*f = (struct candidate){ .kind = CANDIDATE_ADD, .out = node->out[0] };
	if (!common_layout(s, node, &l))
		return REFUSE(s, n, "addition of what are no images of one size, of one item");
	for (unsigned int i = 0; i < node->nin; i++) {
		if (!may_lie_like(s, node->in[i], &l, y))
			return REFUSE(s, n, "addition of what are no images of one size, of one item");
		for (unsigned int before = 0; before < i; before++)
			if (node->in[before] == node->in[i])
				return REFUSE(s, n, "addition of a tensor with itself: this engine (ISA 1.x) has no command for it");
	}
	if (!activation_of(&node->act, &f->activation))
		return REFUSE(s, n, "the activation behind it is not one of this engine (ReLU, ReLU6)");
	for (unsigned int i = 0; i < node->nin; i++)
		s->layouts[node->in[i]] = l;
	s->layouts[f->out] = l;
	return 0;
}

/* Dimension of the channels. */
static bool is_channel_axis(const struct layout *l, unsigned int ndim, int64_t axis)
{
	axis += axis < 0 ? ndim : 0;
	return axis == (l->kind == LAYOUT_IMAGE ? 1 : (int64_t)ndim - 1);
}

static int find_concat(const struct finder *s, uint32_t n)
{
	struct net_node *node = &s->net->nodes[n];
	const struct net_attr *axis = op_attr(node, "axis");
	struct candidate *f = &s->all[n];
	struct layout l, part;
	uint32_t channels = 0;

	*f = (struct candidate){ .kind = CANDIDATE_CONCAT, .out = node->out[0] };
	for (unsigned int i = 0; i < node->nin; i++) {
		part = (struct layout){ 0 };
		if (!layout_of(s, node->in[i], &part) || (i && (part.kind != l.kind || part.height != l.height || part.width != l.width)))
			return REFUSE(s, n, "concatenation of what are no images of one size, of one item");
		l = part;
		channels += part.channels;
		for (unsigned int before = 0; before < i; before++)
			if (node->in[before] == node->in[i])
				return REFUSE(s, n, "concatenation of a tensor with itself: this engine (ISA 1.x) has no command for it");
	}
	if (!axis || !is_channel_axis(&l, s->net->values[f->out].ndim, axis->ints[0]))
		return REFUSE(s, n, "concatenation along another dimension than the channels: the engine joins planes of channels");
	if (node->act.kind)
		return REFUSE(s, n, "the activation behind it is not one of this engine (ReLU, ReLU6)");
	for (unsigned int i = 0; i < node->nin; i++)
		layout_of(s, node->in[i], &s->layouts[node->in[i]]);
	l.channels = channels;
	s->layouts[f->out] = l;
	return 0;
}

/* Factors of channels, as a convolution with a weight for each. */
static int find_scale(const struct finder *s, uint32_t n, unsigned int x, const struct layout *l)
{
	struct net_node *node = &s->net->nodes[n];
	const struct net_value *w = &s->net->values[node->in[!x]];
	struct candidate *f = &s->all[n];

	*f = (struct candidate){ .kind = CANDIDATE_CONV, .out = node->out[0], .has_source = true, .source = node->in[x], .beta = 1, .rows = l->channels, .cols = l->channels,
				 .groups = l->channels, .window = pixel_of(l, l->channels) };
	take_weights(f, w);
	if (check_limits(s, n))
		return -ENOMEM;
	if (f->kind && !activation_of(&node->act, &f->activation))
		return REFUSE(s, n, "the activation behind it is not one of this engine (ReLU, ReLU6)");
	if (f->kind && check_weights(s, n, "factors of channels"))
		return -ENOMEM;
	if (f->kind)
		s->layouts[node->in[x]] = s->layouts[f->out] = *l;
	return 0;
}

static int find_multiply(const struct finder *s, uint32_t n)
{
	struct net_node *node = &s->net->nodes[n];
	const struct net_value *y = &s->net->values[node->out[0]];
	struct candidate *f = &s->all[n];
	struct layout l;
	bool whole = false;   /* one is as large as the product, the other too or a pixel */

	for (unsigned int i = 0; i < 2; i++)
		if (has_channels(s, node, i, &l))
			return find_scale(s, n, i, &l);
	*f = (struct candidate){ .kind = CANDIDATE_MULTIPLY, .out = node->out[0] };
	if (common_layout(s, node, &l) && may_lie_like(s, node->in[0], &l, y) && may_lie_like(s, node->in[1], &l, y)) {
		whole = true;
		s->layouts[node->in[0]] = s->layouts[node->in[1]] = l;
	}
	for (unsigned int i = 0; !whole && i < 2; i++) {
		struct layout *one = &s->layouts[node->in[i]], *other = &s->layouts[node->in[!i]];
		const struct net_value *pixel = &s->net->values[node->in[!i]];

		/* an image and a pixel for its channels */
		if (!is_image(s, node->in[i]) || s->net->values[node->in[i]].count != y->count || !is_image(s, node->in[!i]) || pixel->dims[1] != y->dims[1] ||
		    pixel->count != y->dims[1])
			continue;
		whole = true;
		layout_of(s, node->in[i], one);
		layout_of(s, node->in[!i], other);
		l = *one;
	}
	if (!whole)
		return REFUSE(s, n, "product of what are neither images of one size, of one item, nor an image and a pixel for its channels");
	s->layouts[f->out] = l;
	return activation_of(&node->act, &f->activation) ? 0 : REFUSE(s, n, "the activation behind it is not one of this engine (ReLU, ReLU6)");
}

/* A node that moves nothing, because of how its input lies. */
static bool find_alias(const struct finder *s, uint32_t n)
{
	const struct net_node *node = &s->net->nodes[n];
	struct layout to;

	if (!node->op || !node->nin || !node->nout || !layout_of_alias(s->net, node, &s->layouts[node->in[0]], &to))
		return false;
	s->all[n] = (struct candidate){ .kind = CANDIDATE_ALIAS, .out = node->out[0] };
	s->layouts[node->out[0]] = to;
	return true;
}

/* Whether the node multiplies the value by one number, or adds one: then it goes into the function that makes the value. */
static bool take_affine(const struct accel_network *net, const struct net_node *node, uint32_t value, struct accel_function *f)
{
	unsigned int other = node->nin == 2 && node->in[0] == value ? 1 : 0;
	float v;

	if (node->nin != 2 || node->act.kind || !pass_scalar(net, node->in[other], &v) || !isfinite(v) || net->values[node->in[other]].ndim > net->values[value].ndim)
		return false;
	if (pass_is(node, "Mul") || (pass_is(node, "Div") && other == 1 && v != 0)) {
		v = pass_is(node, "Div") ? 1 / v : v;
		f->factor *= v;
		f->offset *= v;
	} else if (pass_is(node, "Add") || (pass_is(node, "Sub") && other == 1)) {
		f->offset += pass_is(node, "Sub") ? -v : v;
	} else {
		return false;
	}
	return true;
}

/* What a node makes of an image as a function of one number; or NULL. */
static const char *function_of(const struct finder *s, const struct net_node *node, struct accel_function *f)
{
	const struct accel_network *net = s->net;
	struct layout l;

	*f = (struct accel_function){ .factor = 1 };
	f->name = op_unary_of(node, &f->p, &f->q);
	if (f->name)
		return table_knows(f->name) ? f->name : NULL;
	for (unsigned int i = 0; i < node->nin && i < 2; i++)
		if (node->in[i] != NET_NONE && layout_of(s, node->in[i], &l) && take_affine(net, node, node->in[i], f))
			return f->name = "Identity";
	return NULL;
}

/* The function, and what is multiplied with and added to its values. */
static int find_table(const struct finder *s, uint32_t n, const struct accel_function *function)
{
	struct net_node *node = &s->net->nodes[n];
	uint32_t x = node->in[0];
	struct candidate *f = &s->all[n];
	struct layout l;

	if (node->nin == 2 && !layout_of(s, x, &l))
		x = node->in[1];
	*f = (struct candidate){ .kind = CANDIDATE_TABLE, .out = node->out[0], .has_source = true, .source = x, .function = *function };
	if (!layout_of(s, x, &l) || node->act.kind)
		return REFUSE(s, n, "function of what is no image of one item");
	for (;;) {
		struct net_node *next = pass_only_reader(s->net, s->users, f->out);

		if (!next || !take_affine(s->net, next, f->out, &f->function))
			break;
		s->all[s->users->reader[f->out]].kind = CANDIDATE_TAKEN_IN;
		f->out = next->out[0];
	}
	s->layouts[x] = s->layouts[f->out] = l;
	return 0;
}

static bool is_one_of(const struct net_node *node, const char *const *names)
{
	for (; *names; names++)
		if (pass_is(node, *names))
			return true;
	return false;
}

/* Inputs that are views are read from what they are of, if that lies as an image does. */
static int check_views(const struct finder *s, uint32_t n)
{
	const struct net_node *node = &s->net->nodes[n];
	struct candidate *f = &s->all[n];
	bool any = false;

	if (!candidate_is_image(f) || f->kind == CANDIDATE_CONV || f->kind == CANDIDATE_ALIAS)
		return 0;
	for (unsigned int i = 0; i < candidate_inputs(f, node); i++) {
		const struct view *view = &s->views[candidate_value(f, node, i)];

		if (view->channels && !is_image(s, view->source)) {
			candidate_give_back(s->net, n, s->all);
			return REFUSE(s, n, "channels of what is no image of one item");
		}
		if (view->channels)
			layout_of(s, view->source, &s->layouts[view->source]);
		any = any || view->channels;
	}
	f->views = any ? s->views : NULL;
	return 0;
}

/* Tensors that a model has room for; those that are added are joined first. */
static int check_sizes(const struct finder *s, uint32_t n)
{
	const struct candidate *f = &s->all[n];
	const struct net_node *node = &s->net->nodes[n];
	uint64_t most = s->net->values[f->out].count, joined = 0;

	for (unsigned int i = 0; i < candidate_inputs(f, node); i++) {
		uint64_t count = s->net->values[candidate_input(f, node, i)].count;

		most = count > most ? count : most;
		joined += count;
	}
	if (candidate_joins(f))
		most = joined;
	if (most > ACCEL_MAX_DIM)
		candidate_give_back(s->net, n, s->all);
	return most > ACCEL_MAX_DIM ? REFUSE(s, n, "a tensor of %llu values: %u are allowed", (unsigned long long)most, ACCEL_MAX_DIM) : 0;
}

int candidates_find(struct accel_network *net, const struct pass_users *users, const struct view *views, const uint32_t *maps, const struct placement *how,
		    struct candidate *c, struct layout *layouts, struct accel_error *err)
{
	static const char *const fcs[] = { "MatMul", "Gemm", NULL };
	static const char *const pools[] = { "MaxPool", "AveragePool", "GlobalMaxPool", "GlobalAveragePool", NULL };
	static const char *const reshapes[] = { "Reshape", "Flatten", "Squeeze", "Unsqueeze", NULL };
	const struct finder s = { net, users, views, maps, c, layouts, how, err };
	struct accel_function function;
	bool conv = how->conv;
	int ret = 0;

	for (uint32_t n = 0; !ret && n < net->nnodes; n++) {
		const struct net_node *node = &net->nodes[n];

		if (c[n].kind == CANDIDATE_TAKEN_IN)
			continue;
		if (is_one_of(node, fcs) && is_sparse_product(&s, node))
			ret = find_sparse(&s, n);
		else if (is_one_of(node, fcs))
			ret = find_fc(&s, n);
		else if (conv && node->op && function_of(&s, node, &function))
			ret = find_table(&s, n, &function);
		else if (conv && pass_is(node, "Conv"))
			ret = find_conv(&s, n);
		else if (conv && (is_one_of(node, pools) || is_global_mean(net, node)))
			ret = find_pool(&s, n);
		else if (conv && (pass_is(node, "Add") || pass_is(node, "Sum")))
			ret = find_add(&s, n);
		else if (conv && pass_is(node, "Concat"))
			ret = find_concat(&s, n);
		else if (conv && pass_is(node, "Mul"))
			ret = find_multiply(&s, n);
		else if (conv && find_alias(&s, n))
			;
		else if (is_one_of(node, reshapes) && net->values[node->out[0]].type == NET_F32 && net->values[node->out[0]].count)
			c[n] = (struct candidate){ .kind = CANDIDATE_RESHAPE, .out = node->out[0] };
		if (!ret && c[n].kind > CANDIDATE_TAKEN_IN)
			ret = check_views(&s, n);
		if (!ret && c[n].kind > CANDIDATE_TAKEN_IN)
			ret = check_sizes(&s, n);
	}
	return ret;
}
