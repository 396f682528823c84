// SPDX-License-Identifier: GPL-2.0 OR MIT
#include "candidate.h"
#include "candidate_pool.h"
#include "candidate_weights.h"
#include "graph.h"
#include "op_conv.h"
#include "order.h"
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
	const struct placement *how;
	struct accel_error *err;
};

#define REFUSE(s, n, fmt, ...) candidate_refuse((s)->net, &(s)->net->nodes[n], &(s)->all[n], (s)->err, fmt, ##__VA_ARGS__)

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
	if (x->count != f->cols || y->count != f->rows)
		return REFUSE(s, n, "fully connected for %llu vectors an item: this library makes commands for one",
			      (unsigned long long)(x->count / f->cols));
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

		if (net->values[add->out[0]].count == f->rows && take_bias(net, f, add->in[other])) {
			taken_in = s->users->reader[node->out[0]];
			f->out = add->out[0];
			act = &add->act;
		}
	}
	if (!activation_of(act, &f->activation))
		return REFUSE(s, n, "the activation behind it is not one of this engine (ReLU, ReLU6)");
	if (f->kind && check_weights(s, n, "fully connected"))
		return -ENOMEM;
	if (f->kind && taken_in != NET_NONE)
		s->all[taken_in].kind = CANDIDATE_TAKEN_IN;
	return 0;
}

/* An image: batch 1, two dimensions of pixels, something in it. */
static bool is_image(const struct net_value *v)
{
	return v->type == NET_F32 && !v->data && v->ndim == 4 && v->dims[0] == 1 && v->count;
}

static struct accel_window window_of(const struct window *w, uint32_t channels, uint32_t groups)
{
	return (struct accel_window){
		channels, w->in[1], w->in[2], w->kernel[1], w->kernel[2], w->stride[1], w->stride[2], w->dilation[1], w->dilation[2],
		(uint32_t)w->pad[1], (uint32_t)w->pad[2], w->out[1], w->out[2], groups
	};
}

/* The engine's limits. */
static int check_limits(const struct finder *s, uint32_t n)
{
	struct accel_error why;

	return accel_window_check("engine", s->net->nodes[n].name, &s->all[n].window, -ENOTSUP, &why) ? REFUSE(s, n, "%s", why.text) : 0;
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
	if (!is_image(x))
		return REFUSE(s, n, "convolution over %u dimensions of a batch of %u: the engine has two, and takes items one by one",
			      plan->w.ndim, plan->batch);
	f->rows = w->dims[0];
	f->groups = plan->groups;
	if (view->channels) {
		/* whose groups are groups no more */
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
	return f->kind ? check_weights(s, n, "convolution") : 0;
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
	if (!is_image(x) || !s->net->values[f->out].count)
		return REFUSE(s, n, "pooling of what is no image of one item");
	if (node->act.kind || (node->nout > 1 && node->out[1] != NET_NONE))
		return REFUSE(s, n, "pooling with an activation behind it, or with the places of the largest values: this engine (ISA 1.x) has no command for it");
	if (global) {
		f->window = (struct accel_window){ x->dims[1], x->dims[2], x->dims[3], x->dims[2], x->dims[3], 1, 1, 1, 1, 0, 0, 1, 1, 1 };
	} else {
		const struct pooling *p = node->plan;

		f->window = window_of(&p->w, x->dims[1], 1);
	}
	return pool_in_stages(&f->window) ? 0 : check_limits(s, n);
}

static int find_join(const struct finder *s, uint32_t n)
{
	struct net_node *node = &s->net->nodes[n];
	const struct net_value *y = &s->net->values[node->out[0]];
	struct candidate *f = &s->all[n];
	const struct net_attr *axis = op_attr(node, "axis");
	bool add = pass_is(node, "Add") || pass_is(node, "Sum");

	*f = (struct candidate){ .kind = add ? CANDIDATE_ADD : CANDIDATE_CONCAT, .out = node->out[0] };
	for (unsigned int i = 0; i < node->nin; i++) {
		const struct net_value *x = &s->net->values[node->in[i]];

		if (!is_image(x) || x->dims[2] != y->dims[2] || x->dims[3] != y->dims[3] || (add && x->dims[1] != y->dims[1]))
			return REFUSE(s, n, "%s of what are no images of one size, of one item", add ? "addition" : "concatenation");
		for (unsigned int before = 0; before < i; before++)
			if (node->in[before] == node->in[i])
				return REFUSE(s, n, "%s of a tensor with itself: this engine (ISA 1.x) has no command for it",
					      add ? "addition" : "concatenation");
	}
	if (!add && (!axis || (axis->ints[0] != 1 && axis->ints[0] != -3)))
		return REFUSE(s, n, "concatenation along another dimension than the channels: the engine joins planes of channels");
	if (!activation_of(&node->act, &f->activation) || (!add && node->act.kind))
		return REFUSE(s, n, "the activation behind it is not one of this engine (ReLU, ReLU6)");
	return 0;
}

static int find_multiply(const struct finder *s, uint32_t n)
{
	struct net_node *node = &s->net->nodes[n];
	const struct net_value *y = &s->net->values[node->out[0]];
	struct candidate *f = &s->all[n];
	bool whole = false;   /* one is as large as the product, the other too or a pixel */

	*f = (struct candidate){ .kind = CANDIDATE_MULTIPLY, .out = node->out[0] };
	for (unsigned int i = 0; i < 2; i++) {
		const struct net_value *x = &s->net->values[node->in[i]];

		if (!is_image(x) || x->dims[1] != y->dims[1] || (x->count != y->count && x->count != y->dims[1]))
			return REFUSE(s, n, "product of what are neither images of one size, of one item, nor an image and a pixel for its channels");
		whole = whole || x->count == y->count;
	}
	if (!whole)
		return REFUSE(s, n, "product of which no operand has the size");
	return activation_of(&node->act, &f->activation) ? 0 : REFUSE(s, n, "the activation behind it is not one of this engine (ReLU, ReLU6)");
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
static const char *function_of(const struct accel_network *net, const struct net_node *node, struct accel_function *f)
{
	*f = (struct accel_function){ .factor = 1 };
	f->name = op_unary_of(node, &f->p, &f->q);
	if (f->name)
		return table_knows(f->name) ? f->name : NULL;
	for (unsigned int i = 0; i < node->nin && i < 2; i++)
		if (node->in[i] != NET_NONE && is_image(&net->values[node->in[i]]) && take_affine(net, node, node->in[i], f))
			return f->name = "Identity";
	return NULL;
}

/* The function, and what is multiplied with and added to its values. */
static int find_table(const struct finder *s, uint32_t n, const struct accel_function *function)
{
	struct net_node *node = &s->net->nodes[n];
	uint32_t x = node->in[0];
	struct candidate *f = &s->all[n];

	if (node->nin == 2 && !is_image(&s->net->values[x]))
		x = node->in[1];
	*f = (struct candidate){ .kind = CANDIDATE_TABLE, .out = node->out[0], .source = x, .function = *function };
	if (!is_image(&s->net->values[x]) || node->act.kind)
		return REFUSE(s, n, "function of what is no image of one item");
	for (;;) {
		struct net_node *next = pass_only_reader(s->net, s->users, f->out);

		if (!next || !take_affine(s->net, next, f->out, &f->function))
			return 0;
		s->all[s->users->reader[f->out]].kind = CANDIDATE_TAKEN_IN;
		f->out = next->out[0];
	}
}

static bool is_one_of(const struct net_node *node, const char *const *names)
{
	for (; *names; names++)
		if (pass_is(node, *names))
			return true;
	return false;
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
		    struct candidate *c, struct accel_error *err)
{
	static const char *const fcs[] = { "MatMul", "Gemm", NULL };
	static const char *const pools[] = { "MaxPool", "AveragePool", "GlobalMaxPool", "GlobalAveragePool", NULL };
	static const char *const joins[] = { "Concat", "Add", "Sum", NULL };
	static const char *const reshapes[] = { "Reshape", "Flatten", "Squeeze", "Unsqueeze", NULL };
	const struct finder s = { net, users, views, maps, c, how, err };
	struct accel_function function;
	bool conv = how->conv;
	int ret = 0;

	for (uint32_t n = 0; !ret && n < net->nnodes; n++) {
		const struct net_node *node = &net->nodes[n];

		if (c[n].kind == CANDIDATE_TAKEN_IN)
			continue;
		if (is_one_of(node, fcs))
			ret = find_fc(&s, n);
		else if (conv && node->op && function_of(net, node, &function))
			ret = find_table(&s, n, &function);
		else if (conv && pass_is(node, "Conv"))
			ret = find_conv(&s, n);
		else if (conv && (is_one_of(node, pools) || is_global_mean(net, node)))
			ret = find_pool(&s, n);
		else if (conv && is_one_of(node, joins))
			ret = find_join(&s, n);
		else if (conv && pass_is(node, "Mul"))
			ret = find_multiply(&s, n);
		else if (is_one_of(node, reshapes) && net->values[node->out[0]].type == NET_F32 && net->values[node->out[0]].count)
			c[n] = (struct candidate){ .kind = CANDIDATE_RESHAPE, .out = node->out[0] };
		if (!ret && c[n].kind > CANDIDATE_TAKEN_IN)
			ret = check_sizes(&s, n);
	}
	return ret;
}

/* ---------------------------------------------------------------- layers */

/* A view may have fewer channels than what it is of: then rows have weights for a part of them in any case. */
static uint32_t weight_groups(const struct candidate *f)
{
	return (uint32_t)((uint64_t)f->rows * f->cols / f->weight_count);
}

/* The layer as compressed sparse rows with a codebook. */
static int add_weighted(struct accel_graph *graph, const struct net_node *node, const struct candidate *f, unsigned int input,
			const struct placement *how, unsigned int *output, struct accel_error *err)
{
	const struct accel_tensor *x = &graph->model->tensors[input];
	struct coded_weights w;
	int ret = weights_code(f, fmax(fabs((double)x->range_lo), fabs((double)x->range_hi)), &w);

	if (ret)
		ret = accel_fail(err, -ENOMEM, NULL, "out of memory");
	else if (f->kind == CANDIDATE_CONV)
		ret = accel_graph_add_conv_csr(graph, node->name, input, &w.csr, &f->window, f->activation, output, err);
	else
		ret = accel_graph_add_fc_csr(graph, node->name, input, &w.csr, f->activation, output, err);
	if (!ret && f->channels)
		graph->model->layers[graph->model->nlayers - 1].weight_groups = weight_groups(f);
	if (!ret && f->linear && how->rounded) {
		const struct accel_rounded_info info = { .layer = node->name, .op = node->op->name, .rows = f->rows, .weights = f->weight_count,
							 .signal = w.signal, .noise = w.noise };

		how->rounded(how->rounded_arg, &info);
	}
	weights_free(&w);
	return ret;
}

/* Layers that join multiply nothing, but an average pooling leaves its output a scale of its own. Quantisation finds a common one for averages over powers of two. */
static bool needs_rescale(const struct accel_model *m, unsigned int tensor)
{
	bool first = true, average = false;   /* the tensor itself is an average, whose shift quantisation may choose */

	for (unsigned int l = m->nlayers; l-- > 0;) {
		const struct accel_layer *layer = &m->layers[l];
		uint32_t taps = window_taps(&layer->window);

		if (layer->output != tensor)
			continue;
		if (!accel_layer_pools(layer))
			return false;
		average = average || (first && layer->kind == ACCEL_LAYER_AVERAGE_POOL);
		if (layer->kind == ACCEL_LAYER_AVERAGE_POOL && (!average || (taps & (taps - 1))))
			return true;
		first = false;
		tensor = layer->input;
	}
	return false;
}

/* A tensor has one place: inputs of the graph, and what is part of another concatenation, are joined as a copy. */
static bool needs_copy(const struct accel_model *m, unsigned int tensor)
{
	for (unsigned int i = 0; i < m->ninputs; i++)
		if (m->inputs[i] == tensor)
			return true;
	for (unsigned int l = 0; l < m->nlayers; l++)
		for (unsigned int i = 0; m->layers[l].kind == ACCEL_LAYER_CONCAT && i < m->layers[l].nparts; i++)
			if (m->layers[l].parts[i] == tensor)
				return true;
	return false;
}

static int add_concat(struct accel_graph *graph, const char *layer, const char *name, unsigned int n, const unsigned int *inputs,
		      unsigned int *output, struct accel_error *err)
{
	unsigned int *parts = malloc(n * sizeof(*parts));
	int ret = parts ? 0 : accel_fail(err, -ENOMEM, NULL, "out of memory");

	for (unsigned int i = 0; !ret && i < n; i++) {
		char label[ACCEL_MAX_NAME + 1];

		parts[i] = inputs[i];
		if (needs_rescale(graph->model, parts[i]))
			snprintf(label, sizeof(label), "%.230s.rescaled%u", layer, i);
		else if (needs_copy(graph->model, parts[i]))
			snprintf(label, sizeof(label), "%.230s.copy%u", layer, i);
		else
			continue;
		ret = add_factor(graph, label, 1, inputs[i], &parts[i], err);
		if (!ret)
			copy_range(graph, parts[i], inputs[i]);
	}
	ret = ret ? ret : accel_graph_add_concat(graph, name, n, parts, output, err);
	free(parts);
	return ret;
}

/*
 * Operands as one image of n times the channels, and a convolution with a one for each in every row: a sum is a sparse matrix. It is rounded and clamped
 * once, like any convolution's.
 */
static int add_sum(struct accel_graph *graph, const char *name, const struct candidate *c, unsigned int n, const unsigned int *inputs,
		   const struct net_value *y, unsigned int *output, struct accel_error *err)
{
	static const float codebook[2] = { 0, 1 };
	const struct accel_window pixel = { n * y->dims[1], y->dims[2], y->dims[3], 1, 1, 1, 1, 1, 1, 0, 0, y->dims[2], y->dims[3], 1 };
	uint32_t rows = y->dims[1], nnz = rows * n, *rowptr = calloc((size_t)rows + 1, sizeof(*rowptr)), *col = malloc(nnz * sizeof(*col));
	uint8_t *code = malloc(nnz);
	const struct accel_csr csr = { rows, nnz, rowptr, col, code, codebook, 2, NULL, NULL };
	char operands[ACCEL_MAX_NAME + 1];
	unsigned int joined;
	int ret = rowptr && col && code ? 0 : accel_fail(err, -ENOMEM, NULL, "out of memory");

	for (uint32_t r = 0; !ret && r < rows; r++) {
		for (uint32_t i = 0; i < n; i++)
			col[r * n + i] = i * rows + r;
		rowptr[r + 1] = (r + 1) * n;
	}
	if (!ret)
		memset(code, 1, nnz);
	snprintf(operands, sizeof(operands), "%.240s.operands", name);
	ret = ret ? ret : add_concat(graph, name, operands, n, inputs, &joined, err);
	ret = ret ? ret : accel_graph_add_conv_csr(graph, name, joined, &csr, &pixel, c->activation, output, err);
	if (!ret)
		graph->model->layers[graph->model->nlayers - 1].weight_groups = rows;   /* a weight for each operand */
	free(rowptr);
	free(col);
	free(code);
	return ret;
}

/* The larger operand first. What joins others has an order of its own, which no factor can take over: its copy has one that another layer may give it. */
static int add_product(struct accel_graph *graph, const char *name, enum accel_activation activation, const unsigned int *inputs, unsigned int *output,
		       struct accel_error *err)
{
	bool turned = graph->model->tensors[inputs[0]].count < graph->model->tensors[inputs[1]].count;
	unsigned int operands[2] = { inputs[turned], inputs[!turned] };
	int ret = 0;

	for (unsigned int i = 0; !ret && i < 2; i++) {
		unsigned int source = order_source(graph->model, operands[i]), from = operands[i];
		char label[ACCEL_MAX_NAME + 1];

		if (!order_is_joined(graph->model, source))
			continue;
		snprintf(label, sizeof(label), "%.230s.copy%u", name, i);
		ret = add_factor(graph, label, 1, from, &operands[i], err);
		if (!ret)
			copy_range(graph, operands[i], from);
	}
	return ret ? ret : accel_graph_add_multiply(graph, name, operands[0], operands[1], activation, output, err);
}

/* Padding counts in the engine's averages: what they are to be multiplied with for that is the second input. */
static int add_mapped_average(struct accel_graph *graph, const char *name, const struct accel_window *w, const unsigned int *inputs, unsigned int *output,
			      struct accel_error *err)
{
	unsigned int operands[2] = { 0, inputs[1] };
	char label[ACCEL_MAX_NAME + 1];
	int ret;

	snprintf(label, sizeof(label), "%.230s.counted", name);
	ret = accel_graph_add_average_pool(graph, label, inputs[0], w, &operands[0], err);
	if (!ret)
		copy_range(graph, operands[0], inputs[0]);
	return ret ? ret : add_product(graph, name, ACCEL_ACT_NONE, operands, output, err);
}

int candidate_add(const struct accel_network *net, uint32_t n, const struct candidate *c, const struct placement *how, struct accel_graph *graph,
		  const unsigned int *inputs, unsigned int *output, struct accel_error *err)
{
	const struct net_node *node = &net->nodes[n];

	switch (c->kind) {
	case CANDIDATE_RESHAPE:
		*output = inputs[0];
		return 0;
	case CANDIDATE_MAX_POOL:
		if (pool_in_stages(&c->window))
			return add_pool_in_stages(graph, node->name, ACCEL_LAYER_MAX_POOL, &c->window, inputs[0], output, err);
		return accel_graph_add_max_pool(graph, node->name, inputs[0], &c->window, output, err);
	case CANDIDATE_AVERAGE_POOL:
		if (candidate_has_map(c))
			return add_mapped_average(graph, node->name, &c->window, inputs, output, err);
		if (pool_in_stages(&c->window))
			return add_pool_in_stages(graph, node->name, ACCEL_LAYER_AVERAGE_POOL, &c->window, inputs[0], output, err);
		return accel_graph_add_average_pool(graph, node->name, inputs[0], &c->window, output, err);
	case CANDIDATE_CONCAT:
		return add_concat(graph, node->name, node->name, node->nin, inputs, output, err);
	case CANDIDATE_MULTIPLY:
		return add_product(graph, node->name, c->activation, inputs, output, err);
	case CANDIDATE_TABLE:
		return accel_graph_add_table(graph, node->name, inputs[0], &c->function, output, err);
	case CANDIDATE_ADD:
		return add_sum(graph, node->name, c, node->nin, inputs, &net->values[c->out], output, err);
	default:
		return add_weighted(graph, node, c, inputs[0], how, output, err);
	}
}
