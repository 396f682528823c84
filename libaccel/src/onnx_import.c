// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * The graph of an ONNX file becomes a network, node by node in the file's order: each node is inferred at once, and computed at once
 * when its inputs are constants. So the arithmetic on shapes that exporters leave in graphs is gone when the import ends, every
 * shape is known, and an If whose condition is constant is replaced by the branch that is taken.
 */
#include "graph.h"
#include "onnx.h"
#include "op.h"

#include <errno.h>
#include <math.h>
#include <search.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_DEPTH 16   /* of If in If */

/* Names seen so far; a subgraph sees those of the graphs around it. */
struct scope {
	const struct scope *outer;
	void *names;                 /* tsearch tree of struct binding */
	void *read;                  /* tsearch tree of strings: what nodes and subgraphs of the graph read, if it was collected */
	unsigned int depth;
};

struct binding {
	char *name;
	uint32_t value;
};

struct import {
	struct accel_network *net;
	const struct onnx_options *options;
	struct onnx_source source;
	unsigned int opset;
	void *node_names;            /* tsearch tree of strings */
	struct accel_error *err;
};

static int import_graph(struct import *im, const Onnx__GraphProto *g, struct scope *scope);

static int no_memory(const struct import *im)
{
	return accel_fail(im->err, -ENOMEM, NULL, "%s: out of memory", im->net->file);
}

/* ---------------------------------------------------------------- names */

static int compare_bindings(const void *a, const void *b)
{
	return strcmp(((const struct binding *)a)->name, ((const struct binding *)b)->name);
}

static int compare_texts(const void *a, const void *b)
{
	return strcmp(a, b);
}

static void free_binding(void *p)
{
	struct binding *e = p;

	free(e->name);
	free(e);
}

static int define(struct import *im, struct scope *scope, const char *name, uint32_t value)
{
	struct binding *e = malloc(sizeof(*e)), **found;

	if (e)
		*e = (struct binding){ strdup(name), value };
	if (!e || !e->name) {
		free(e);
		return no_memory(im);
	}
	found = tsearch(e, &scope->names, compare_bindings);
	if (found && *found == e)
		return 0;
	free_binding(e);
	if (!found)
		return no_memory(im);
	return accel_fail(im->err, -EINVAL, name, "%s: two tensors are named '%s'", im->net->file, name);
}

static bool find(const struct scope *scope, const char *name, uint32_t *value)
{
	const struct binding key = { (char *)name, 0 };

	for (; scope; scope = scope->outer) {
		struct binding **found = tfind(&key, &scope->names, compare_bindings);

		if (found) {
			*value = (*found)->value;
			return true;
		}
	}
	return false;
}

/* A legal name that no node before has: the node's own, or one made of operator and number. */
static char *node_name(struct import *im, const Onnx__NodeProto *n)
{
	const char *op = n->op_type ? n->op_type : "";
	char *name = NULL, **found;

	if (!accel_name_check("", n->name, -EINVAL, "", NULL))
		name = strdup(n->name);
	else if (asprintf(&name, "%.64s_%u", accel_name_check("", op, -EINVAL, "", NULL) ? "node" : op, im->net->nnodes) < 0)
		name = NULL;
	for (unsigned int i = 2; name; i++) {
		char *next;

		found = tsearch(name, &im->node_names, compare_texts);
		if (found && *found == name)
			return strdup(name);
		if (!found || asprintf(&next, "%.200s.%u", name, i) < 0)
			next = NULL;
		free(name);
		name = next;
	}
	return NULL;
}

/* ---------------------------------------------------------------- readers */

static int note_read(struct import *im, void **names, const char *name)
{
	char *copy = *name ? strdup(name) : NULL, **found;

	if (!*name)
		return 0;
	found = copy ? tsearch(copy, names, compare_texts) : NULL;
	if (!found || *found != copy)
		free(copy);
	return found ? 0 : no_memory(im);
}

/* Names that the graph reads: by its nodes, as outputs, in the branches of an If. */
static int collect_reads(struct import *im, const Onnx__GraphProto *g, void **names, unsigned int depth)
{
	int ret = 0;

	for (size_t i = 0; !ret && i < g->n_output; i++)
		ret = note_read(im, names, g->output[i]->name ? g->output[i]->name : "");
	for (size_t i = 0; !ret && i < g->n_node; i++) {
		const Onnx__NodeProto *n = g->node[i];

		for (size_t k = 0; !ret && k < n->n_input; k++)
			ret = note_read(im, names, n->input[k]);
		for (size_t k = 0; !ret && k < n->n_attribute; k++) {
			Onnx__GraphProto *inner;

			if (!n->attribute[k]->has_g)
				continue;
			inner = depth < MAX_DEPTH ? onnx__graph_proto__unpack(NULL, n->attribute[k]->g.len, n->attribute[k]->g.data) : NULL;
			if (!inner)
				return accel_fail(im->err, -EBADMSG, n->name, "%s: node '%s': a branch is damaged, or more than %d deep", im->net->file,
						  n->name ? n->name : "", MAX_DEPTH);
			ret = collect_reads(im, inner, names, depth + 1);
			onnx__graph_proto__free_unpacked(inner, NULL);
		}
	}
	return ret;
}

static bool has_mask(const Onnx__NodeProto *n)
{
	return n->op_type && !strcmp(n->op_type, "Dropout") && n->n_output > 1 && *n->output[1];
}

/* Of graphs with a Dropout whose mask somebody might read. */
static int find_reads(struct import *im, const Onnx__GraphProto *g, struct scope *scope)
{
	for (size_t i = 0; i < g->n_node; i++)
		if (has_mask(g->node[i]))
			return collect_reads(im, g, &scope->read, scope->depth);
	return 0;
}

/* ---------------------------------------------------------------- graph inputs */

static const struct onnx_known *known(const struct import *im, const char *name)
{
	for (unsigned int i = 0; i < im->options->nknown; i++)
		if (!strcmp(im->options->known[i].input, name))
			return &im->options->known[i];
	return NULL;
}

/* The shape of an input: what the file says, and --shape where it leaves something open. A batch that is open is one item. */
static int input_shape(struct import *im, const Onnx__ValueInfoProto *v, unsigned int *ndim, uint32_t *dims)
{
	const Onnx__TensorShapeProto *shape = v->type->tensor_type->shape;
	const struct onnx_shape *given = NULL;

	for (unsigned int i = 0; i < im->options->nshapes; i++)
		if (!strcmp(im->options->shapes[i].input, v->name))
			given = &im->options->shapes[i];
	*ndim = shape ? (unsigned int)shape->n_dim : given ? given->ndim : 0;
	if (!shape && !given)
		return accel_fail(im->err, -EINVAL, v->name, "%s: input '%s' has no shape: give one with --shape %s=N,N,...", im->net->file,
				  v->name, v->name);
	if (given && given->ndim != *ndim)
		return accel_fail(im->err, -EINVAL, v->name, "%s: input '%s' has %u dimensions, --shape gives %u", im->net->file, v->name,
				  *ndim, given->ndim);
	if (*ndim > NET_MAX_DIMS)
		return accel_fail(im->err, -ENOTSUP, v->name, "%s: input '%s' has %u dimensions; at most %d are supported", im->net->file,
				  v->name, *ndim, NET_MAX_DIMS);
	for (unsigned int i = 0; i < *ndim; i++) {
		const Onnx__TensorShapeProto__Dimension *d = shape ? shape->dim[i] : NULL;
		/* exporters write 0 and -1 for what is open */
		bool open = !d || !d->has_dim_value || d->dim_value < 1;

		/* the operator tests have dimensions that are really 0: those inputs are given */
		if (d && d->has_dim_value && d->dim_value == 0 && known(im, v->name))
			open = false;
		if (!open && (d->dim_value > (int64_t)NET_MAX_COUNT || (given && given->dims[i] != d->dim_value)))
			return accel_fail(im->err, -EINVAL, v->name, "%s: input '%s': dimension %u is %lld%s", im->net->file, v->name, i,
					  (long long)d->dim_value, given ? ", --shape gives another" : "");
		if (open && !given && i > 0)
			return accel_fail(im->err, -EINVAL, v->name,
					  "%s: input '%s': dimension %u%s%s%s is open: fix all with --shape %s=N,N,...", im->net->file,
					  v->name, i, d && d->dim_param ? " ('" : "", d && d->dim_param ? d->dim_param : "",
					  d && d->dim_param ? "')" : "", v->name);
		dims[i] = !open ? (uint32_t)d->dim_value : given ? given->dims[i] : 1;
	}
	return 0;
}

/* false: a number that v's type does not hold */
static bool store_number(struct net_value *v, double number)
{
	double lo = v->type == NET_I64 ? -0x1p53 : v->type == NET_I32 ? -0x1p31 : v->type == NET_I8 ? -128 : 0;
	double hi = v->type == NET_I64 ? 0x1p53 : v->type == NET_I32 ? 0x1p31 - 1 : v->type == NET_I8 ? 127 : v->type == NET_U8 ? 255 : 1;

	if (v->type == NET_F32) {
		*(float *)v->data = (float)number;
		return true;
	}
	if (!(number >= lo && number <= hi) || number != rint(number))
		return false;
	if (v->type == NET_I64)
		*(int64_t *)v->data = (int64_t)number;
	else if (v->type == NET_I32)
		*(int32_t *)v->data = (int32_t)number;
	else
		*(uint8_t *)v->data = (uint8_t)(int)number;
	return true;
}

static int make_number(struct import *im, uint32_t value, double number)
{
	struct net_value *v = &im->net->values[value];
	void *data;
	int ret;

	if (v->count != 1)
		return accel_fail(im->err, -EINVAL, v->name, "%s: input '%s' has %llu values, one number is given for it", im->net->file, v->name,
				  (unsigned long long)v->count);
	ret = net_make_constant(im->net, value, &data, im->err);
	if (!ret && !store_number(v, number))
		ret = accel_fail(im->err, -ERANGE, v->name, "%s: input '%s' is of type %s, which does not hold %g", im->net->file, v->name,
				 net_type_names[v->type], number);
	return ret;
}

static int make_known(struct import *im, uint32_t value, const struct onnx_known *k)
{
	struct net_value *v = &im->net->values[value];
	void *data;
	int ret;

	if (k->is_number)
		return make_number(im, value, k->number);
	if (v->type != k->value.type || v->count != k->value.count)
		return accel_fail(im->err, -EINVAL, v->name, "%s: input '%s' is %s %s, what is given for it is %s %s", im->net->file, v->name,
				  net_type_names[v->type], net_shape_text(v->ndim, v->dims).s, net_type_names[k->value.type],
				  net_shape_text(k->value.ndim, k->value.dims).s);
	ret = net_make_constant(im->net, value, &data, im->err);
	if (!ret)
		memcpy(data, k->value.data, v->count * net_type_size(v->type));
	return ret;
}

static int append(uint32_t **list, unsigned int *n, uint32_t value)
{
	uint32_t *bigger = realloc(*list, (*n + (size_t)1) * sizeof(*bigger));

	if (!bigger)
		return -ENOMEM;
	*list = bigger;
	bigger[(*n)++] = value;
	return 0;
}

static int import_inputs(struct import *im, const Onnx__GraphProto *g, struct scope *scope)
{
	for (size_t i = 0; i < g->n_input; i++) {
		const Onnx__ValueInfoProto *v = g->input[i];
		uint32_t dims[NET_MAX_DIMS], number;
		const struct onnx_known *k;
		enum net_type type;
		unsigned int ndim;
		int ret;

		if (!v->name || find(scope, v->name, &number))
			continue;   /* before IR version 4 initialisers are listed too */
		if (accel_name_check(im->net->file, v->name, -EINVAL, "an input", im->err))
			return -EINVAL;
		if (!v->type || !v->type->tensor_type)
			return accel_fail(im->err, -ENOTSUP, v->name, "%s: input '%s' is no tensor", im->net->file, v->name);
		ret = onnx_type(im->net->file, v->name, v->type->tensor_type->elem_type, &type, im->err);
		ret = ret ? ret : input_shape(im, v, &ndim, dims);
		ret = ret ? ret : net_add_value(im->net, v->name, type, ndim, dims, &number, im->err);
		ret = ret ? ret : define(im, scope, v->name, number);
		if (ret)
			return ret;
		if (append(&im->net->inputs, &im->net->ninputs, number))
			return no_memory(im);
		k = known(im, v->name);
		if (k && !k->if_needed)
			ret = make_known(im, number, k);
		if (ret)
			return ret;
	}
	return 0;
}

/* ---------------------------------------------------------------- nodes */

static const Onnx__AttributeProto *attribute(const Onnx__NodeProto *n, const char *name)
{
	for (size_t i = 0; i < n->n_attribute; i++)
		if (n->attribute[i]->name && !strcmp(n->attribute[i]->name, name))
			return n->attribute[i];
	return NULL;
}

/* Error about a node of the file. */
#define NODE_FAIL(im, n, code, fmt, ...) \
	accel_fail((im)->err, code, (n)->name, "%s: node '%s' (%s): " fmt, (im)->net->file, (n)->name ? (n)->name : "", \
		   (n)->op_type ? (n)->op_type : "", ##__VA_ARGS__)

static int import_constant(struct import *im, const Onnx__NodeProto *n, struct scope *scope)
{
	const Onnx__AttributeProto *t = attribute(n, "value"), *f = attribute(n, "value_float"), *i = attribute(n, "value_int");
	const Onnx__AttributeProto *fs = attribute(n, "value_floats"), *is = attribute(n, "value_ints");
	uint32_t number, dims[1];
	void *data;
	int ret;

	if (n->n_output != 1)
		return NODE_FAIL(im, n, -EINVAL, "%zu outputs", n->n_output);
	if (t && t->t) {
		ret = onnx_constant(im->net, t->t, n->output[0], &im->source, &number, im->err);
	} else if (f || i) {
		int64_t integer = i ? i->i : 0;

		ret = net_add_constant(im->net, n->output[0], f ? NET_F32 : NET_I64, 0, NULL, &number, &data, im->err);
		if (!ret)
			memcpy(data, f ? (const void *)&f->f : &integer, f ? sizeof(float) : sizeof(int64_t));
	} else if (fs || is) {
		dims[0] = (uint32_t)(fs ? fs->n_floats : is->n_ints);
		ret = net_add_constant(im->net, n->output[0], fs ? NET_F32 : NET_I64, 1, dims, &number, &data, im->err);
		if (!ret && dims[0])
			memcpy(data, fs ? (const void *)fs->floats : is->ints, dims[0] * (fs ? sizeof(float) : sizeof(int64_t)));
	} else {
		return NODE_FAIL(im, n, -ENOTSUP, "a value of this kind is not supported: a tensor, floats or integers are");
	}
	return ret ? ret : define(im, scope, n->output[0], number);
}

static int find_input(struct import *im, const Onnx__NodeProto *n, const struct scope *scope, size_t i, uint32_t *value)
{
	if (i < n->n_input && find(scope, n->input[i], value))
		return 0;
	return NODE_FAIL(im, n, -EINVAL, "input %zu '%s' is made by nothing before it", i, i < n->n_input ? n->input[i] : "");
}

/* The branch that a constant condition takes, in place of the If. */
static int import_if(struct import *im, const Onnx__NodeProto *n, struct scope *scope)
{
	struct scope inner = { .outer = scope, .depth = scope->depth + 1 };
	const Onnx__AttributeProto *branch;
	const struct net_value *condition;
	Onnx__GraphProto *g;
	uint32_t value;
	int ret = find_input(im, n, scope, 0, &value);

	if (ret)
		return ret;
	condition = &im->net->values[value];
	if (!condition->data || condition->type != NET_BOOL || condition->count != 1)
		return NODE_FAIL(im, n, -ENOTSUP, "the condition '%s' is computed when the network runs; only constant conditions are supported: "
				 "fix the input that it depends on with --fix NAME=VALUE, or shapes with --shape", n->input[0]);
	branch = attribute(n, *(const uint8_t *)condition->data ? "then_branch" : "else_branch");
	if (!branch || !branch->has_g)
		return NODE_FAIL(im, n, -EINVAL, "a branch is missing");
	if (inner.depth > MAX_DEPTH)
		return NODE_FAIL(im, n, -ENOTSUP, "If in If more than %d deep", MAX_DEPTH);
	g = onnx__graph_proto__unpack(NULL, branch->g.len, branch->g.data);
	if (!g)
		return NODE_FAIL(im, n, -EBADMSG, "the branch is damaged");
	ret = import_graph(im, g, &inner);
	if (!ret && n->n_output > g->n_output)
		ret = NODE_FAIL(im, n, -EINVAL, "%zu outputs, the branch has %zu", n->n_output, g->n_output);
	for (size_t i = 0; !ret && i < n->n_output; i++) {
		if (!g->output[i]->name || !find(&inner, g->output[i]->name, &value))
			ret = NODE_FAIL(im, n, -EINVAL, "nothing makes output %zu of the branch", i);
		else if (*n->output[i])
			ret = define(im, scope, n->output[i], value);
	}
	tdestroy(inner.names, free_binding);
	tdestroy(inner.read, free);
	onnx__graph_proto__free_unpacked(g, NULL);
	return ret;
}

/* Identity and Dropout: another name for the input. */
static int import_alias(struct import *im, const Onnx__NodeProto *n, struct scope *scope)
{
	uint32_t value;
	int ret = find_input(im, n, scope, 0, &value);

	return ret ? ret : define(im, scope, n->output[0], value);
}

static bool is_alias(const struct import *im, const Onnx__NodeProto *n, const struct scope *scope)
{
	if (im->options->keep || n->n_output < 1 || !*n->output[0])
		return false;
	if (!strcmp(n->op_type, "Identity"))
		return true;
	/* a mask that somebody reads, or a flag for training, is for the operator itself to look at */
	return !strcmp(n->op_type, "Dropout") && n->n_input < 3 && !(has_mask(n) && tfind(n->output[1], &scope->read, compare_texts));
}

/* Inputs that shapes depend on become constants where the caller knows them. */
static int fix_inputs(struct import *im, const struct net_node *node)
{
	int ret = 0;

	for (unsigned int i = 0; !ret && i < node->nin && i < 32; i++) {
		const struct net_value *v = node->in[i] == NET_NONE ? NULL : &im->net->values[node->in[i]];
		const struct onnx_known *k = v && !v->data && node->op->const_in >> i & 1 ? known(im, v->name) : NULL;

		if (k)
			ret = make_known(im, node->in[i], k);
	}
	return ret;
}

static int add_outputs(struct import *im, const Onnx__NodeProto *n, struct net_node *node, struct scope *scope)
{
	for (unsigned int i = 0; i < node->nout; i++) {
		int ret;

		if (!*n->output[i])
			continue;
		ret = net_add_value(im->net, n->output[i], NET_F32, 0, NULL, &node->out[i], im->err);
		ret = ret ? ret : define(im, scope, n->output[i], node->out[i]);
		if (ret)
			return ret;
	}
	return 0;
}

static int import_node(struct import *im, const Onnx__NodeProto *n, struct scope *scope)
{
	const struct op *op = op_find(n->op_type);
	struct net_node node = { 0 };
	char *name;
	int ret;

	if (!op)
		return NODE_FAIL(im, n, -ENOTSUP, "this operator is not supported; docs/operators.md lists what is");
	if (n->n_input > 4096 || n->n_output > 4096)
		return NODE_FAIL(im, n, -E2BIG, "%zu inputs, %zu outputs", n->n_input, n->n_output);
	name = node_name(im, n);
	if (!name || net_node_init(&node, op, name, im->opset, (unsigned int)n->n_input, (unsigned int)n->n_output)) {
		free(name);
		return no_memory(im);
	}
	free(name);
	ret = 0;
	for (size_t i = 0; !ret && i < n->n_input; i++)
		if (*n->input[i])
			ret = find_input(im, n, scope, i, &node.in[i]);
	/* trailing inputs and outputs that are not there need no place */
	while (node.nin && node.in[node.nin - 1] == NET_NONE)
		node.nin--;
	ret = ret ? ret : onnx_attrs(im->net, n, &im->source, &node, im->err);
	ret = ret ? ret : fix_inputs(im, &node);
	ret = ret ? ret : add_outputs(im, n, &node, scope);
	while (node.nout && node.out[node.nout - 1] == NET_NONE)
		node.nout--;
	ret = ret ? ret : net_infer(im->net, &node, im->err);
	if (!ret && !net_can_fold(im->net, &node))
		return net_add_node(im->net, &node, im->err);
	ret = ret ? ret : net_fold(im->net, &node, im->err);
	net_node_clear(&node);
	return ret;
}

/* The network has them now; what is large need not be there twice. */
static void drop_elements(Onnx__TensorProto *t)
{
	free(t->raw_data.data);
	free(t->float_data);
	t->raw_data = (ProtobufCBinaryData){ 0 };
	t->has_raw_data = 0;
	t->float_data = NULL;
	t->n_float_data = 0;
}

static int import_graph(struct import *im, const Onnx__GraphProto *g, struct scope *scope)
{
	int ret = find_reads(im, g, scope);

	for (size_t i = 0; !ret && i < g->n_initializer; i++) {
		const char *name = g->initializer[i]->name;
		uint32_t number;

		if (!name || !*name)
			return accel_fail(im->err, -EINVAL, NULL, "%s: initialiser %zu has no name", im->net->file, i);
		ret = onnx_constant(im->net, g->initializer[i], name, &im->source, &number, im->err);
		ret = ret ? ret : define(im, scope, name, number);
		drop_elements(g->initializer[i]);
	}
	if (!ret && !scope->outer)
		ret = import_inputs(im, g, scope);
	for (size_t i = 0; !ret && i < g->n_node; i++) {
		const Onnx__NodeProto *n = g->node[i];

		if (!n->op_type)
			return accel_fail(im->err, -EINVAL, n->name, "%s: node '%s' has no operator", im->net->file, n->name ? n->name : "");
		if (n->domain && *n->domain && strcmp(n->domain, "ai.onnx"))
			return NODE_FAIL(im, n, -ENOTSUP, "operators of the domain '%s' are not supported: export with ONNX's own", n->domain);
		if (!strcmp(n->op_type, "Constant"))
			ret = import_constant(im, n, scope);
		else if (!strcmp(n->op_type, "If"))
			ret = import_if(im, n, scope);
		else if (is_alias(im, n, scope))
			ret = import_alias(im, n, scope);
		else
			ret = import_node(im, n, scope);
	}
	return ret;
}

/* ---------------------------------------------------------------- outputs */

/* An output of its own for what is an input, a constant, or an output already. */
static int copy_output(struct import *im, const char *name, uint32_t *value)
{
	struct net_node node;
	char *label;
	int ret;

	if (asprintf(&label, "output.%.200s", name) < 0)
		return no_memory(im);
	ret = net_node_init(&node, op_find("Identity"), label, im->opset, 1, 1);
	free(label);
	if (ret)
		return no_memory(im);
	node.in[0] = *value;
	ret = net_add_value(im->net, name, NET_F32, 0, NULL, &node.out[0], im->err);
	*value = node.out[0];
	ret = ret ? ret : net_infer(im->net, &node, im->err);
	if (ret) {
		net_node_clear(&node);
		return ret;
	}
	return net_add_node(im->net, &node, im->err);
}

static int import_outputs(struct import *im, const Onnx__GraphProto *g, const struct scope *scope)
{
	for (size_t i = 0; i < g->n_output; i++) {
		const char *name = g->output[i]->name;
		bool taken = false;
		uint32_t value;
		char *label;
		int ret;

		if (accel_name_check(im->net->file, name, -EINVAL, "an output", im->err))
			return -EINVAL;
		if (!find(scope, name, &value))
			return accel_fail(im->err, -EINVAL, name, "%s: nothing makes output '%s'", im->net->file, name);
		for (size_t k = 0; k < i; k++)
			if (!strcmp(name, g->output[k]->name))
				return accel_fail(im->err, -EINVAL, name, "%s: two outputs are named '%s'", im->net->file, name);
		for (unsigned int k = 0; k < im->net->ninputs; k++)
			taken = taken || im->net->inputs[k] == value;
		for (unsigned int k = 0; k < im->net->noutputs; k++)
			taken = taken || im->net->outputs[k] == value;
		if (taken || im->net->values[value].data) {
			ret = copy_output(im, name, &value);
			if (ret)
				return ret;
		}
		/* an alias may have another name */
		label = strdup(name);
		if (!label)
			return no_memory(im);
		free(im->net->values[value].name);
		im->net->values[value].name = label;
		if (append(&im->net->outputs, &im->net->noutputs, value))
			return no_memory(im);
	}
	return 0;
}

/* Inputs that became constants are inputs no more. */
static void drop_known_inputs(struct accel_network *net)
{
	unsigned int n = 0;

	for (unsigned int i = 0; i < net->ninputs; i++)
		if (!net->values[net->inputs[i]].data)
			net->inputs[n++] = net->inputs[i];
	net->ninputs = n;
}

/* ---------------------------------------------------------------- files */

static int check_options(const struct import *im, const Onnx__ModelProto *m)
{
	for (unsigned int i = 0; i < im->options->nshapes + im->options->nknown; i++) {
		unsigned int k = i - im->options->nshapes;
		const char *name = i < im->options->nshapes ? im->options->shapes[i].input : im->options->known[k].input;
		bool there = false;

		for (size_t j = 0; j < m->graph->n_input; j++)
			there = there || (m->graph->input[j]->name && !strcmp(m->graph->input[j]->name, name));
		if (!there)
			return accel_fail(im->err, -EINVAL, name, "%s: has no input '%s'; its first is '%s'", im->net->file, name,
					  m->graph->n_input && m->graph->input[0]->name ? m->graph->input[0]->name : "");
	}
	return 0;
}

static int import_model(struct import *im, const Onnx__ModelProto *m)
{
	struct scope scope = { 0 };
	int64_t opset = 0;
	int ret;

	for (size_t i = 0; i < m->n_opset_import; i++)
		if (!m->opset_import[i]->domain || !*m->opset_import[i]->domain || !strcmp(m->opset_import[i]->domain, "ai.onnx"))
			opset = m->opset_import[i]->version;
	if (!m->graph)
		return accel_fail(im->err, -EBADMSG, NULL, "%s: no ONNX model: it has no graph", im->net->file);
	if (opset < NET_MIN_OPSET || opset > NET_MAX_OPSET)
		return accel_fail(im->err, -ENOTSUP, NULL, "%s: operator set %lld; %d to %d are supported: export it again, or convert it",
				  im->net->file, (long long)opset, NET_MIN_OPSET, NET_MAX_OPSET);
	im->opset = (unsigned int)opset;
	ret = check_options(im, m);
	ret = ret ? ret : import_graph(im, m->graph, &scope);
	ret = ret ? ret : import_outputs(im, m->graph, &scope);
	tdestroy(scope.names, free_binding);
	tdestroy(scope.read, free);
	tdestroy(im->node_names, free);
	drop_known_inputs(im->net);
	return ret;
}

int onnx_import(Onnx__ModelProto *m, const char *name, const struct onnx_source *source, const struct onnx_options *options,
		struct accel_network **net, struct accel_error *err)
{
	static const struct onnx_options none;
	struct import im = { .options = options ? options : &none, .source = *source, .err = err };
	int ret;

	if (!m)
		return accel_fail(err, -EBADMSG, NULL, "%s: not an ONNX file, or damaged", name);
	im.net = net_new(name);
	if (!im.net) {
		ret = accel_fail(err, -ENOMEM, NULL, "%s: out of memory", name);
	} else {
		if (im.options->max_bytes)
			im.net->max_bytes = im.options->max_bytes;
		if (im.options->max_fold_work)
			im.net->fold_work = im.options->max_fold_work;
		ret = import_model(&im, m);
	}
	onnx__model_proto__free_unpacked(m, NULL);
	if (!ret)
		ret = im.options->keep ? 0 : pass_all(im.net, err);
	if (ret)
		net_free(im.net);
	else
		*net = im.net;
	return ret;
}
