// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Which candidates the engine gets, and in which segments. Every node has a level: what can run first has the lowest, levels of the CPU are even, of the engine
 * odd, and each time that the data change sides the level rises. All of the engine's nodes of a level are one segment: no path leads from it through the
 * CPU back into it, and no graph needs fewer changes of side.
 */
#include "onnx_place.h"
#include "candidate.h"
#include "candidate_pool.h"
#include "graph.h"
#include "onnx_weigh.h"
#include "sparse.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A segment is small below one such part of the largest; how far from that products are believed. */
#define SMALL_SHARE 100
#define UNCLEAR 10

struct placer {
	struct accel_network *net;
	struct accel_error *err;
	const struct placement *how;
	const struct calib *calib;
	struct calib *guess;       /* calib, if nobody brought one */
	struct candidate *c;       /* [nnodes] */
	struct layout *layouts;    /* [nvalues] */
	bool *gone;                /* [nnodes] makes views, and all that read them read what those are of */
	uint32_t *level;           /* [nnodes] */
	uint32_t *maker;           /* [nvalues] node that makes it, or NET_NONE; a layer makes what it took in */
	uint32_t *group;           /* [nnodes] lowest node of what is connected within a level */
	unsigned int *tensor;      /* [nvalues] of the segment that is being made; NET_NONE: none */
};

static bool on_engine(const struct placer *p, uint32_t n)
{
	return p->c[n].kind > CANDIDATE_TAKEN_IN && !p->gone[n];
}

/* The CPU's or a layer. */
static bool is_there(const struct placer *p, uint32_t n)
{
	return p->c[n].kind != CANDIDATE_TAKEN_IN && !p->gone[n];
}

/* Inputs of a node that others make; a layer's constants are its own. */
static unsigned int inputs_of(const struct placer *p, uint32_t n)
{
	return on_engine(p, n) ? candidate_inputs(&p->c[n], &p->net->nodes[n]) : p->net->nodes[n].nin;
}

static uint32_t input_of(const struct placer *p, uint32_t n, unsigned int i)
{
	return on_engine(p, n) ? candidate_input(&p->c[n], &p->net->nodes[n], i) : p->net->nodes[n].in[i];
}

/* The node that makes input i, or NET_NONE. */
static uint32_t maker_of(const struct placer *p, uint32_t n, unsigned int i)
{
	uint32_t v = input_of(p, n, i);

	return v == NET_NONE ? NET_NONE : p->maker[v];
}

/* Whether the node that makes input i is in the same segment. */
static bool is_inside(const struct placer *p, uint32_t n, unsigned int i)
{
	uint32_t m = maker_of(p, n, i);

	return m != NET_NONE && on_engine(p, m) && on_engine(p, n) && p->level[m] == p->level[n] && !p->c[m].sparse && !p->c[n].sparse;
}

/* ---------------------------------------------------------------- levels */

/* Whether node r, which reads a view as its input i, reads what that is of instead. */
static bool reads_through(const struct placer *p, uint32_t r, unsigned int i)
{
	const struct candidate *c = &p->c[r];

	return c->kind == CANDIDATE_CONV ? c->channels && i == 0 : c->kind > CANDIDATE_TAKEN_IN && c->views && c->views[p->net->nodes[r].in[i]].channels;
}

/* Whether what node n makes is read through views alone. */
static bool is_only_viewed(const struct placer *p, uint32_t n)
{
	const struct net_node *node = &p->net->nodes[n];
	bool any = false;

	for (unsigned int o = 0; o < node->nout; o++) {
		for (unsigned int i = 0; i < p->net->noutputs; i++)
			if (p->net->outputs[i] == node->out[o])
				return false;
		for (uint32_t r = n + 1; r < p->net->nnodes; r++) {
			for (unsigned int i = 0; i < p->net->nodes[r].nin; i++) {
				if (p->net->nodes[r].in[i] != node->out[o])
					continue;
				if (!p->gone[r] && !reads_through(p, r, i))
					return false;
				any = true;
			}
		}
	}
	return any;
}

static void find_gone(const struct placer *p)
{
	memset(p->gone, 0, p->net->nnodes * sizeof(*p->gone));
	for (uint32_t n = p->net->nnodes; n-- > 0;)
		p->gone[n] = views_operator(&p->net->nodes[n]) && is_only_viewed(p, n);
}

static void find_makers(const struct placer *p)
{
	memset(p->maker, 0xff, p->net->nvalues * sizeof(*p->maker));
	for (uint32_t n = 0; n < p->net->nnodes; n++)
		for (unsigned int i = 0; is_there(p, n) && i < p->net->nodes[n].nout; i++)
			if (p->net->nodes[n].out[i] != NET_NONE)
				p->maker[p->net->nodes[n].out[i]] = n;
	for (uint32_t n = 0; n < p->net->nnodes; n++)
		if (on_engine(p, n))
			p->maker[p->c[n].out] = n;
}

/*
 * Images and values in a row are never in one segment: an image is not made by a fully connected layer, and an engine without vector mode has the fully connected
 * segments all the same. Sparse products are segments of their own: nothing of their level reads what they make, or makes what they read.
 */
static void find_levels(const struct placer *p)
{
	for (uint32_t n = 0; n < p->net->nnodes; n++) {
		p->level[n] = on_engine(p, n) ? 1 : 0;
		for (unsigned int i = 0; i < inputs_of(p, n); i++) {
			uint32_t m = maker_of(p, n, i), least;

			if (m == NET_NONE)
				continue;
			least = p->level[m];
			if (on_engine(p, m) != on_engine(p, n))
				least++;
			else if (on_engine(p, n) && (candidate_is_flat(&p->c[m]) != candidate_is_flat(&p->c[n]) || p->c[m].sparse || p->c[n].sparse))
				least += 2;
			p->level[n] = least > p->level[n] ? least : p->level[n];
		}
	}
}

static uint32_t root(uint32_t *group, uint32_t n)
{
	while (group[n] != n)
		n = group[n] = group[group[n]];
	return n;
}

static void find_groups(const struct placer *p)
{
	for (uint32_t n = 0; n < p->net->nnodes; n++)
		p->group[n] = n;
	for (uint32_t n = 0; n < p->net->nnodes; n++) {
		for (unsigned int i = 0; on_engine(p, n) && i < inputs_of(p, n); i++) {
			uint32_t a, b;

			if (!is_inside(p, n, i))
				continue;
			a = root(p->group, maker_of(p, n, i));
			b = root(p->group, n);
			p->group[a > b ? a : b] = a > b ? b : a;
		}
	}
}

/* Leaves a candidate to the CPU. */
#define LEAVE(p, n, fmt, ...) candidate_refuse((p)->net, &(p)->net->nodes[n], &(p)->c[n], (p)->err, fmt, ##__VA_ARGS__)

static bool is_shape_only(const struct candidate *c)
{
	return c->kind == CANDIDATE_RESHAPE || c->kind == CANDIDATE_ALIAS;
}

/* What no layer with weights is connected with is not worth the way to the engine. *again: something was left. */
static int leave_lonely(const struct placer *p, bool *again)
{
	bool *has_weights = calloc(p->net->nnodes + (size_t)1, sizeof(*has_weights));
	int ret = has_weights ? 0 : -ENOMEM;

	find_groups(p);
	for (uint32_t n = 0; !ret && n < p->net->nnodes; n++)
		if (p->c[n].kind == CANDIDATE_FC || (p->c[n].kind == CANDIDATE_CONV && !candidate_scales(&p->c[n])))
			has_weights[root(p->group, n)] = true;
	for (uint32_t n = 0; !ret && n < p->net->nnodes; n++) {
		if (!on_engine(p, n) || has_weights[root(p->group, n)])
			continue;
		*again = true;
		candidate_give_back(p->net, n, p->c);
		ret = LEAVE(p, n, "%s", is_shape_only(&p->c[n]) ? "it moves data and computes nothing" :
									    "no layer with weights beside it is the engine's");
	}
	free(has_weights);
	return ret;
}

/* Whether somebody outside the segment of node n reads the value, or the network's user does. */
static bool is_read_outside(const struct placer *p, uint32_t n, uint32_t value)
{
	for (unsigned int i = 0; i < p->net->noutputs; i++)
		if (p->net->outputs[i] == value)
			return true;
	for (uint32_t r = 0; r < p->net->nnodes; r++)
		for (unsigned int i = 0; is_there(p, r) && i < inputs_of(p, r); i++)
			if (input_of(p, r, i) == value && !(on_engine(p, r) && p->level[r] == p->level[n]))
				return true;
	return false;
}

/* A reshaped tensor is the tensor itself: it can be no output of the segment, which may have it as an output, or an input, already. */
static int check_reshape(const struct placer *p, uint32_t n, bool *again)
{
	if (!is_read_outside(p, n, p->c[n].out))
		return 0;
	*again = true;
	/* no alias, but perhaps values in a row that only fully connected layers read */
	if (p->c[n].kind == CANDIDATE_ALIAS && !pass_is(&p->net->nodes[n], "Transpose")) {
		p->c[n].kind = CANDIDATE_RESHAPE;
		return 0;
	}
	return LEAVE(p, n, "it moves data and computes nothing");
}

/* ---------------------------------------------------------------- segments */

/* What is in a constant, for its tensor. */
static void set_constant_range(struct accel_graph *graph, unsigned int tensor, const struct net_value *v)
{
	struct accel_tensor *t = &graph->model->tensors[tensor];
	const float *f = v->data;

	t->range_lo = t->range_hi = f[0];
	for (uint64_t i = 1; i < v->count; i++) {
		t->range_lo = f[i] < t->range_lo ? f[i] : t->range_lo;
		t->range_hi = f[i] > t->range_hi ? f[i] : t->range_hi;
	}
	t->calibrated = true;
	graph->measured[tensor] = true;
}

/* What calibration says of the value, for its tensor. */
static int set_range(const struct placer *p, struct accel_graph *graph, unsigned int tensor, uint32_t value)
{
	const struct calib_range *r = &p->calib->range[value];
	struct accel_tensor *t = &graph->model->tensors[tensor];

	if (!r->finite)
		return accel_fail(p->err, -EDOM, t->name, "%s: '%s' has values that are not finite: calibrate with typical inputs", p->net->file,
				  t->name);
	t->range_lo = r->lo;
	t->range_hi = r->hi;
	t->calibrated = !p->calib->guessed;
	graph->measured[tensor] = true;
	return 0;
}

/* An operator's tensors between its inputs and its output have the range of both, an addition's operands, unless they have theirs. */
static int set_inner_ranges(const struct placer *p, struct accel_graph *graph, unsigned int first, uint32_t n)
{
	int ret = 0;

	for (unsigned int t = first; !ret && t < graph->model->ntensors; t++)
		if (!graph->measured[t])
			ret = set_range(p, graph, t, t == p->tensor[p->c[n].out] ? p->c[n].out : input_of(p, n, 0));
	return ret;
}

/* Inputs and outputs of a segment: values of the network, in the order of the model. */
struct ends {
	unsigned int nin, nout;
	uint32_t *in, *out;        /* [nvalues] */
	uint32_t sparse;           /* node of the segment's sparse product, or NET_NONE */
};

/* Attribute `name` of a segment's node: numbers of the values that lie turned, if there are any. */
static int keep_turned(const struct placer *p, struct net_node *node, const char *name, unsigned int n, const uint32_t *values)
{
	int64_t *turned = malloc((n + (size_t)1) * sizeof(*turned));
	uint32_t nturned = 0;
	struct net_attr *a = NULL;

	for (unsigned int i = 0; turned && i < n; i++)
		if (layout_is_turned(&p->layouts[values[i]]))
			turned[nturned++] = i;
	if (turned && nturned)
		a = net_node_add_attr(node, name, NET_INTS, nturned, turned);
	if (a)
		a->list = true;
	free(turned);
	return turned && (a || !nturned) ? 0 : -ENOMEM;
}

static int add_input(const struct placer *p, struct accel_graph *graph, uint32_t n, uint32_t value, struct ends *ends)
{
	const struct net_value *v = &p->net->values[value];
	const struct accel_window *w = &p->c[n].window;
	const struct layout l = p->c[n].sparse ? (struct layout){ LAYOUT_IMAGE, w->channels, w->height, w->width } : p->layouts[value];
	const uint32_t count = (uint32_t)v->count, planes[3] = { l.channels, l.height, l.width };
	bool image = candidate_is_image(&p->c[n]);
	char name[ACCEL_MAX_NAME + 1];
	int ret;

	snprintf(name, sizeof(name), ends->nin ? "%.240s.input%u" : "%.240s.input", p->net->nodes[n].name, ends->nin);
	if (v->count > ACCEL_MAX_DIM)
		return accel_fail(p->err, -E2BIG, name, "%s: '%s' has %llu values; %u are allowed", p->net->file, name,
				  (unsigned long long)v->count, ACCEL_MAX_DIM);
	/* any range: the measured one follows */
	ret = accel_graph_input(graph, name, image ? 3 : 1, image ? planes : &count, 0, 1, &p->tensor[value], p->err);
	ends->in[ends->nin++] = value;
	if (!ret && v->data)
		set_constant_range(graph, p->tensor[value], v);
	else if (!ret)
		ret = set_range(p, graph, p->tensor[value], value);
	return ret;
}

/* Input i of node n, if it is a view that must be made: *tensor is what it is of, and becomes the view. */
static int select_channels(const struct placer *p, struct accel_graph *graph, uint32_t n, unsigned int i, unsigned int *tensor)
{
	const struct candidate *c = &p->c[n];
	uint32_t value = candidate_value(c, &p->net->nodes[n], i);
	char name[ACCEL_MAX_NAME + 1];

	if (!c->views || !c->views[value].channels)
		return 0;
	snprintf(name, sizeof(name), "%.230s.select%u", p->net->nodes[n].name, i);
	return candidate_select(graph, name, &c->views[value], p->net->values[value].dims[1], *tensor, tensor, p->err);
}

/* Node n as a layer. */
static int add_node(const struct placer *p, struct accel_graph *graph, uint32_t n, struct ends *ends)
{
	unsigned int *inputs = calloc(inputs_of(p, n), sizeof(*inputs)), first;
	int ret = inputs ? 0 : accel_fail(p->err, -ENOMEM, NULL, "%s: out of memory", p->net->file);

	for (unsigned int i = 0; !ret && i < inputs_of(p, n); i++) {
		uint32_t value = input_of(p, n, i);

		if (p->tensor[value] == NET_NONE)
			ret = add_input(p, graph, n, value, ends);
		inputs[i] = p->tensor[value];
		ret = ret ? ret : select_channels(p, graph, n, i, &inputs[i]);
	}
	first = graph->model->ntensors;
	p->c[n].mean = p->c[n].sparse ? NULL : p->layouts[input_of(p, n, 0)].kind == LAYOUT_TOKENS ? p->calib->token_mean[input_of(p, n, 0)] : p->calib->mean[input_of(p, n, 0)];
	ret = ret ? ret : candidate_add(p->net, n, &p->c[n], p->how, graph, inputs, &p->tensor[p->c[n].out], p->err);
	free(inputs);
	ret = ret ? ret : set_inner_ranges(p, graph, first, n);
	if (!ret && is_read_outside(p, n, p->c[n].out)) {
		ret = accel_graph_output(graph, p->tensor[p->c[n].out], p->err);
		ends->out[ends->nout++] = p->c[n].out;
	}
	return ret;
}

/* The engine's nodes of a level but sparse products, or the one sparse product of ends, become one model. */
static int make_segment(const struct placer *p, uint32_t level, struct ends *ends, struct accel_model **segment)
{
	struct accel_graph *graph = NULL;
	int ret = accel_graph_new(&graph);

	if (ret)
		return accel_fail(p->err, ret, NULL, "%s: out of memory", p->net->file);
	memset(p->tensor, 0xff, p->net->nvalues * sizeof(*p->tensor));
	ends->nin = ends->nout = 0;
	for (uint32_t n = 0; !ret && n < p->net->nnodes; n++)
		if (ends->sparse == NET_NONE ? on_engine(p, n) && p->level[n] == level && !p->c[n].sparse : n == ends->sparse)
			ret = add_node(p, graph, n, ends);
	ret = ret ? ret : accel_graph_finish(graph, segment, p->err);
	accel_graph_free(graph);
	return ret;
}

/* Ranges are asked for only by who makes segments: guessed where nobody has measured them. */
static int need_ranges(struct placer *p)
{
	const struct calib_inputs seeded = { 0 };
	int ret;

	if (p->calib)
		return 0;
	ret = calib_new(p->net, &seeded, &p->guess, p->err);
	p->calib = p->guess;
	return ret;
}

/* ---------------------------------------------------------------- small segments */

/* Products of the engine's nodes by level, infinite where a matrix that comes at run time asks for it; and the lowest and highest level of the CPU's. */
static void weigh_levels(const struct placer *p, double *work, uint32_t *lowest, uint32_t *highest)
{
	*lowest = UINT32_MAX;
	*highest = 0;
	for (uint32_t n = 0; n < p->net->nnodes; n++) {
		if (on_engine(p, n)) {
			work[p->level[n]] += p->c[n].sparse ? INFINITY : (double)p->net->nodes[n].work;
		} else if (is_there(p, n)) {
			*lowest = p->level[n] < *lowest ? p->level[n] : *lowest;
			*highest = p->level[n] > *highest ? p->level[n] : *highest;
		}
	}
}

/* Cycles of the engine's nodes of a level. */
static int level_cycles(struct placer *p, uint32_t level, double *cycles)
{
	struct ends ends = { 0, 0, malloc((p->net->nvalues + (size_t)1) * sizeof(*ends.in)), malloc((p->net->nvalues + (size_t)1) * sizeof(*ends.out)), NET_NONE };
	struct accel_model *segment = NULL;
	int ret = ends.in && ends.out ? need_ranges(p) : accel_fail(p->err, -ENOMEM, NULL, "%s: out of memory", p->net->file);

	ret = ret ? ret : make_segment(p, level, &ends, &segment);
	ret = ret ? ret : onnx_weigh(segment, cycles, p->err);
	accel_model_unref(segment);
	free(ends.in);
	free(ends.out);
	return ret;
}

/*
 * Of each level whether its segment is small. A network of weights that are mostly gone, or of activations that are mostly moved, takes other cycles than its products say:
 * the cost model is asked where these leave it open.
 */
static int find_small(struct placer *p, const double *work, uint32_t lowest, uint32_t highest, bool *small)
{
	double most = 0, most_cycles = 0, cycles;
	uint32_t largest = 0;
	int ret = 0;

	for (uint32_t n = 0; n < p->net->nnodes; n++) {
		if (on_engine(p, n) && isfinite(work[p->level[n]]) && work[p->level[n]] > most) {
			largest = p->level[n];
			most = work[largest];
		}
	}
	for (uint32_t level = lowest; !ret && level <= highest && level <= 2 * p->net->nnodes; level++) {
		small[level] = work[level] * SMALL_SHARE < most;
		if (work[level] == 0 || work[level] * SMALL_SHARE * UNCLEAR < most || work[level] * SMALL_SHARE / UNCLEAR >= most)
			continue;
		if (most_cycles == 0)
			ret = level_cycles(p, largest, &most_cycles);
		ret = ret ? ret : level_cycles(p, level, &cycles);
		small[level] = cycles * SMALL_SHARE < most_cycles;
	}
	return ret;
}

/* A segment between two of the CPU's takes the data there and back, and cuts what could be one: it must have a hundredth of the cycles of the largest. */
static int leave_small(struct placer *p, bool *again)
{
	/* a level rises by two at most with each node */
	const size_t levels = 2 * (p->net->nnodes + (size_t)1);
	double *work = calloc(levels, sizeof(*work));
	bool *small = calloc(levels, sizeof(*small));
	uint32_t lowest, highest;
	int ret = work && small ? 0 : accel_fail(p->err, -ENOMEM, NULL, "%s: out of memory", p->net->file);

	if (!ret) {
		weigh_levels(p, work, &lowest, &highest);
		ret = find_small(p, work, lowest, highest, small);
	}
	for (uint32_t n = 0; !ret && n < p->net->nnodes; n++) {
		if (!on_engine(p, n) || !small[p->level[n]])
			continue;
		*again = true;
		candidate_give_back(p->net, n, p->c);
		ret = LEAVE(p, n, "it would be a segment of less than a hundredth of the cycles, between two of the CPU's");
	}
	free(work);
	free(small);
	return ret;
}

/* Takes candidates away until the rest are sound. */
static int settle(struct placer *p)
{
	bool again = true;
	int ret = 0;

	while (!ret && again) {
		again = false;
		find_gone(p);
		find_makers(p);
		find_levels(p);
		ret = leave_lonely(p, &again);
		for (uint32_t n = 0; !ret && !again && n < p->net->nnodes; n++)
			if (is_shape_only(&p->c[n]) && on_engine(p, n))
				ret = check_reshape(p, n, &again);
		if (!ret && !again)
			ret = leave_small(p, &again);
	}
	return ret;
}

/* ---------------------------------------------------------------- the network */

static int keep_shape(const struct accel_network *net, struct net_node *node, unsigned int output, uint32_t value)
{
	const struct net_value *v = &net->values[value];
	int64_t shape[NET_MAX_DIMS];
	struct net_attr *a;
	char name[16];

	for (unsigned int i = 0; i < v->ndim; i++)
		shape[i] = v->dims[i];
	snprintf(name, sizeof(name), output ? "shape%u" : "shape", output);
	a = net_node_add_attr(node, name, NET_INTS, v->ndim, shape);
	if (a)
		a->list = true;
	return a ? 0 : -ENOMEM;
}

/* What else the node of a segment says: how its ends lie, or that a session may replace its matrix. */
static int keep_ends(const struct placer *p, struct net_node *node, const struct ends *ends)
{
	const char *operand;
	int ret;

	if (ends->sparse != NET_NONE) {
		operand = p->net->values[p->net->nodes[ends->sparse].in[0]].name;
		return net_node_add_attr(node, SPARSE_ATTR, NET_TEXT, (uint32_t)strlen(operand), operand) ? 0 : -ENOMEM;
	}
	ret = keep_turned(p, node, LAYOUT_TURNED, ends->nin, ends->in);
	return ret ? ret : keep_turned(p, node, LAYOUT_TURNED_OUT, ends->nout, ends->out);
}

/* The node of a segment, named after its first layer. Takes over segment. */
static int segment_node(const struct placer *p, const char *name, const struct ends *ends, struct accel_model *segment, struct net_node *node)
{
	int ret = net_node_init(node, NULL, name, NET_MAX_OPSET, ends->nin, ends->nout);

	if (ret) {
		accel_model_unref(segment);
		return accel_fail(p->err, -ENOMEM, NULL, "%s: out of memory", p->net->file);
	}
	node->segment = segment;
	memcpy(node->in, ends->in, ends->nin * sizeof(*node->in));
	memcpy(node->out, ends->out, ends->nout * sizeof(*node->out));
	for (unsigned int i = 0; !ret && i < ends->nout; i++)
		ret = keep_shape(p->net, node, i, ends->out[i]);
	ret = ret ? ret : keep_ends(p, node, ends);
	if (!ret)
		return 0;
	net_node_clear(node);
	return accel_fail(p->err, -ENOMEM, NULL, "%s: out of memory", p->net->file);
}

/* The nodes of a level, in their order; those of the engine as one, but sparse products each by itself. They leave their places in the network empty. */
static int move_level(const struct placer *p, uint32_t level, struct net_node *nodes, unsigned int *nnodes, struct ends *ends)
{
	struct accel_model *segment;
	const char *name = NULL;
	int ret = 0;

	for (uint32_t n = 0; !ret && n < p->net->nnodes; n++) {
		if (p->level[n] != level || !is_there(p, n))
			continue;
		if (on_engine(p, n) && p->c[n].sparse) {
			ends->sparse = n;
			ret = make_segment(p, level, ends, &segment);
			ret = ret ? ret : segment_node(p, p->net->nodes[n].name, ends, segment, &nodes[*nnodes]);
			*nnodes += !ret;
			continue;
		}
		if (on_engine(p, n)) {
			name = name ? name : p->net->nodes[n].name;
			continue;
		}
		nodes[(*nnodes)++] = p->net->nodes[n];
		p->net->nodes[n] = (struct net_node){ 0 };
	}
	if (ret || !name)
		return ret;
	ends->sparse = NET_NONE;
	ret = make_segment(p, level, ends, &segment);
	ret = ret ? ret : segment_node(p, name, ends, segment, &nodes[*nnodes]);
	*nnodes += !ret;
	return ret;
}

/* All levels in order; the nodes become those of the network, whatever happens. */
static int rebuild(const struct placer *p)
{
	struct accel_network *net = p->net;
	struct net_node *nodes = calloc(net->nnodes + (size_t)1, sizeof(*nodes));
	struct ends ends = { 0, 0, malloc((net->nvalues + (size_t)1) * sizeof(*ends.in)), malloc((net->nvalues + (size_t)1) * sizeof(*ends.out)), NET_NONE };
	uint32_t levels = 0;
	unsigned int n = 0;
	int ret = nodes && ends.in && ends.out ? 0 : accel_fail(p->err, -ENOMEM, NULL, "%s: out of memory", net->file);

	for (uint32_t i = 0; i < net->nnodes; i++)
		levels = p->level[i] >= levels ? p->level[i] + 1 : levels;
	for (uint32_t level = 0; !ret && level < levels; level++)
		ret = move_level(p, level, nodes, &n, &ends);
	free(ends.in);
	free(ends.out);
	if (nodes) {
		for (uint32_t i = 0; i < net->nnodes; i++)
			net_node_clear(&net->nodes[i]);
		free(net->nodes);
		net->nodes = nodes;
		net->room_nodes = net->nnodes + 1;
		net->nnodes = n;
	}
	for (unsigned int i = 0; !ret && i < n; i++)
		if (!nodes[i].op)
			ret = net_infer(net, &nodes[i], p->err);
	return ret;
}

static int place(struct placer *p, const struct pass_users *users, const struct view *views, const uint32_t *maps)
{
	bool any = false;
	int ret = candidates_find(p->net, users, views, maps, p->how, p->c, p->layouts, p->err);

	ret = ret ? ret : settle(p);
	for (uint32_t n = 0; !ret && n < p->net->nnodes; n++)
		any = any || on_engine(p, n);
	if (ret || !any)
		return ret;
	ret = need_ranges(p);
	return ret ? ret : rebuild(p);
}

int onnx_place(struct accel_network *net, const struct placement *how, const struct calib *calib, struct accel_error *err)
{
	uint32_t *maps;
	int ret = pool_maps(net, &maps, err);
	size_t nodes = net->nnodes + (size_t)1, values = net->nvalues + (size_t)1;
	struct pass_users users = { 0 };
	struct view *views = NULL;
	bool changed = false;
	struct placer p = {
		.net = net, .err = err, .how = how, .calib = calib, .c = calloc(nodes, sizeof(*p.c)), .level = calloc(nodes, sizeof(*p.level)),
		.group = calloc(nodes, sizeof(*p.group)), .maker = calloc(values, sizeof(*p.maker)),
		.tensor = calloc(values, sizeof(*p.tensor)), .gone = calloc(nodes, sizeof(*p.gone)),
		.layouts = calloc(values, sizeof(*p.layouts)),
	};

	ret = ret ? ret : pass_users_new(net, &users, err);
	if (!ret && (!p.c || !p.level || !p.group || !p.maker || !p.tensor || !p.gone || !p.layouts))
		ret = accel_fail(err, -ENOMEM, NULL, "%s: out of memory", net->file);
	ret = ret ? ret : views_find(net, &users, &views, err);
	ret = ret ? ret : place(&p, &users, views, maps);
	views_free(net, views);
	pass_users_free(&users);
	calib_free(p.guess);
	free(maps);
	free(p.c);
	free(p.level);
	free(p.group);
	free(p.maker);
	free(p.tensor);
	free(p.gone);
	free(p.layouts);
	/* what pass_apart() took apart in vain */
	ret = ret ? ret : pass_activation(net, &changed, err);
	ret = ret ? ret : pass_dead(net, err);
	return ret ? ret : pass_renumber(net, err);
}
