// SPDX-License-Identifier: GPL-2.0 OR MIT
/* Life of a network, and the check that kernels rely on. */
#include "graph.h"
#include "layout.h"
#include "op.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *const net_type_names[NET_NTYPES] = {
	[NET_F32] = "float32", [NET_I64] = "int64", [NET_I32] = "int32", [NET_U8] = "uint8", [NET_I8] = "int8", [NET_BOOL] = "bool",
};

size_t net_type_size(enum net_type type)
{
	static const uint8_t sizes[NET_NTYPES] = {
		[NET_F32] = 4, [NET_I64] = 8, [NET_I32] = 4, [NET_U8] = 1, [NET_I8] = 1, [NET_BOOL] = 1,
	};

	return sizes[type];
}

/* ---------------------------------------------------------------- life */

struct accel_network *net_new(const char *file)
{
	struct accel_network *net = calloc(1, sizeof(*net));

	if (!net)
		return NULL;
	net->max_bytes = NET_MAX_BYTES;
	net->fold_work = NET_FOLD_WORK;
	net->file = strdup(file);
	if (!net->file) {
		free(net);
		return NULL;
	}
	return net;
}

void net_node_clear(struct net_node *node)
{
	for (unsigned int i = 0; i < node->nattrs; i++) {
		free(node->attrs[i].name);
		free(node->attrs[i].ints);
	}
	accel_model_unref(node->segment);
	free(node->attrs);
	free(node->name);
	free(node->in);
	free(node->out);
	free(node->device_reason);
	free(node->plan);
	*node = (struct net_node){ 0 };
}

void net_drop_constant(struct net_value *value)
{
	free(value->data);
	free(value->codebook);
	free(value->row_scale);
	value->data = NULL;
	value->codebook = value->row_scale = NULL;
	value->ncodes = 0;
}

void net_free(struct accel_network *net)
{
	if (!net)
		return;
	for (unsigned int i = 0; i < net->nvalues; i++) {
		free(net->values[i].name);
		net_drop_constant(&net->values[i]);
	}
	for (unsigned int i = 0; i < net->nnodes; i++)
		net_node_clear(&net->nodes[i]);
	free(net->values);
	free(net->nodes);
	free(net->inputs);
	free(net->outputs);
	free(net->file);
	free(net);
}

/* ---------------------------------------------------------------- values */

uint64_t net_count(unsigned int ndim, const uint32_t *dims)
{
	uint64_t count = 1;

	/* any zero first: the other dimensions do not matter then */
	for (unsigned int i = 0; i < ndim; i++)
		if (!dims[i])
			return 0;
	for (unsigned int i = 0; i < ndim; i++) {
		count *= dims[i];
		if (count > NET_MAX_COUNT)
			return UINT64_MAX;
	}
	return count;
}

struct net_shape_text net_shape_text(unsigned int ndim, const uint32_t *dims)
{
	struct net_shape_text t = { "[" };
	size_t at = 1;

	/* eight numbers of ten digits fit */
	for (unsigned int i = 0; i < ndim && at < sizeof(t.s) - 14; i++)
		at += (size_t)snprintf(t.s + at, sizeof(t.s) - at, "%s%u", i ? ", " : "", dims[i]);
	snprintf(t.s + at, sizeof(t.s) - at, "]");
	return t;
}

static int no_memory(const struct accel_network *net, struct accel_error *err)
{
	return accel_fail(err, -ENOMEM, NULL, "%s: out of memory", net->file);
}

int net_add_value(struct accel_network *net, const char *name, enum net_type type, unsigned int ndim, const uint32_t *dims,
		  uint32_t *number, struct accel_error *err)
{
	struct net_value *v;

	if (ndim > NET_MAX_DIMS)
		return accel_fail(err, -ENOTSUP, name, "%s: tensor '%s' has %u dimensions; at most %d are supported", net->file, name,
				  ndim, NET_MAX_DIMS);
	if (net_count(ndim, dims) == UINT64_MAX)
		return accel_fail(err, -E2BIG, name, "%s: tensor '%s' of %s has more than 2^28 values", net->file, name,
				  net_shape_text(ndim, dims).s);
	if (net->nvalues >= 16 * ACCEL_MAX_NODES)
		return accel_fail(err, -E2BIG, name, "%s: more than %u tensors", net->file, 16 * ACCEL_MAX_NODES);
	if (net->nvalues == net->room_values) {
		unsigned int room = 2 * net->room_values + 64;
		struct net_value *bigger = realloc(net->values, room * sizeof(*bigger));

		if (!bigger)
			return no_memory(net, err);
		net->values = bigger;
		net->room_values = room;
	}
	v = &net->values[net->nvalues];
	*v = (struct net_value){ .type = type, .ndim = ndim, .count = net_count(ndim, dims), .name = strdup(name) };
	if (!v->name)
		return no_memory(net, err);
	if (ndim)
		memcpy(v->dims, dims, ndim * sizeof(*dims));
	*number = net->nvalues++;
	return 0;
}

int net_add_constant(struct accel_network *net, const char *name, enum net_type type, unsigned int ndim, const uint32_t *dims,
		     uint32_t *number, void **data, struct accel_error *err)
{
	int ret = net_add_value(net, name, type, ndim, dims, number, err);

	return ret ? ret : net_make_constant(net, *number, data, err);
}

int net_make_constant(struct accel_network *net, uint32_t number, void **data, struct accel_error *err)
{
	struct net_value *v = &net->values[number];
	uint64_t bytes = v->count * net_type_size(v->type);

	if (bytes > net->max_bytes - net->constant_bytes)
		return accel_fail(err, -E2BIG, v->name, "%s: the constants have more than %llu MiB in all", net->file,
				  (unsigned long long)(net->max_bytes >> 20));
	*data = calloc(1, bytes ? bytes : 1);
	if (!*data)
		return no_memory(net, err);
	net->constant_bytes += bytes;
	v->data = *data;
	return 0;
}

/* ---------------------------------------------------------------- nodes */

int net_add_node(struct accel_network *net, struct net_node *node, struct accel_error *err)
{
	if (net->nnodes >= ACCEL_MAX_NODES) {
		net_node_clear(node);
		return accel_fail(err, -E2BIG, NULL, "%s: more than %u nodes", net->file, ACCEL_MAX_NODES);
	}
	if (net->nnodes == net->room_nodes) {
		unsigned int room = 2 * net->room_nodes + 64;
		struct net_node *bigger = realloc(net->nodes, room * sizeof(*bigger));

		if (!bigger) {
			net_node_clear(node);
			return no_memory(net, err);
		}
		net->nodes = bigger;
		net->room_nodes = room;
	}
	net->nodes[net->nnodes++] = *node;
	*node = (struct net_node){ 0 };
	return 0;
}

int net_node_init(struct net_node *node, const struct op *op, const char *name, unsigned int opset, unsigned int nin,
		  unsigned int nout)
{
	*node = (struct net_node){
		.op = op,
		.opset = opset,
		.nin = nin,
		.nout = nout,
		.name = strdup(name),
		.in = malloc((nin + (size_t)1) * sizeof(*node->in)),
		.out = malloc((nout + (size_t)1) * sizeof(*node->out)),
	};
	if (!node->name || !node->in || !node->out) {
		net_node_clear(node);
		return -ENOMEM;
	}
	memset(node->in, 0xff, nin * sizeof(*node->in));
	memset(node->out, 0xff, nout * sizeof(*node->out));
	return 0;
}

struct net_attr *net_node_add_attr(struct net_node *node, const char *name, enum net_attr_type type, uint32_t n, const void *values)
{
	static const size_t sizes[] = { [NET_INTS] = sizeof(int64_t), [NET_FLOATS] = sizeof(float), [NET_TEXT] = 1 };
	struct net_attr *bigger = realloc(node->attrs, (node->nattrs + (size_t)1) * sizeof(*bigger)), *a;

	if (!bigger)
		return NULL;
	node->attrs = bigger;
	a = &node->attrs[node->nattrs];
	*a = (struct net_attr){ .type = type, .n = n, .name = strdup(name) };
	/* one more byte: texts end with a zero */
	a->ints = calloc(1, n * sizes[type] + 1);
	if (!a->name || !a->ints) {
		free(a->name);
		free(a->ints);
		return NULL;
	}
	if (n)
		memcpy(a->ints, values, n * sizes[type]);
	node->nattrs++;
	return a;
}

int net_node_copy_attrs(struct net_node *to, const struct net_node *from)
{
	for (unsigned int i = 0; i < from->nattrs; i++) {
		struct net_attr *a = net_node_add_attr(to, from->attrs[i].name, from->attrs[i].type, from->attrs[i].n,
						       from->attrs[i].ints);

		if (!a)
			return -ENOMEM;
		a->list = from->attrs[i].list;
	}
	return 0;
}

const char *net_op_name(const struct net_node *node)
{
	return node->op ? node->op->name : "device segment";
}

/* ---------------------------------------------------------------- inference and check */

/* Output i of a segment: its shape is an attribute, "shape" of the first, "shape1" of the second ... */
static int infer_segment_output(const struct op_infer *c, unsigned int i)
{
	const struct accel_tensor *t = &c->node->segment->tensors[c->node->segment->outputs[i]];
	const struct net_attr *shape;
	uint32_t dims[NET_MAX_DIMS];
	char name[16];

	snprintf(name, sizeof(name), i ? "shape%u" : "shape", i);
	shape = op_attr(c->node, name);
	if (!shape || shape->type != NET_INTS || shape->n > NET_MAX_DIMS)
		return OP_FAIL(c, -EINVAL, "the shape of output %u is missing or wrong", i);
	for (uint32_t k = 0; k < shape->n; k++) {
		if (shape->ints[k] < 0 || shape->ints[k] > ACCEL_MAX_DIM)
			return OP_FAIL(c, -EINVAL, "dimension %u of output %u is %lld", k, i, (long long)shape->ints[k]);
		dims[k] = (uint32_t)shape->ints[k];
	}
	if (net_count(shape->n, dims) != t->count)
		return OP_FAIL(c, -EINVAL, "output %u of the segment has %llu values, its shape %llu", i, (unsigned long long)t->count,
			       (unsigned long long)net_count(shape->n, dims));
	return op_set(c, i, NET_F32, shape->n, dims);
}

/* Only planes of pixels can be turned. */
static int check_turned(const struct op_infer *c, bool output)
{
	const struct accel_model *m = c->node->segment;
	const char *name = output ? LAYOUT_TURNED_OUT : LAYOUT_TURNED;
	const struct net_attr *a = op_attr(c->node, name);
	unsigned int n = output ? m->noutputs : m->ninputs;

	if (a && a->type != NET_INTS)
		return OP_FAIL(c, -EINVAL, "attribute '%s' is no list of integers", name);
	for (uint32_t i = 0; a && i < a->n; i++) {
		if (a->ints[i] < 0 || a->ints[i] >= n)
			return OP_FAIL(c, -EINVAL, "attribute '%s' names number %lld of %u", name, (long long)a->ints[i], n);
		if (m->tensors[output ? m->outputs[a->ints[i]] : m->inputs[a->ints[i]]].ndim != 3)
			return OP_FAIL(c, -EINVAL, "attribute '%s' names number %lld, which is no image", name, (long long)a->ints[i]);
	}
	return 0;
}

static int infer_segment(struct accel_network *net, struct net_node *node, struct accel_error *err)
{
	struct op_infer c = { net, node, err };
	const struct accel_model *m = node->segment;
	int ret = 0;

	if (!node->nin || !node->nout || node->nin != m->ninputs || node->nout != m->noutputs)
		return OP_FAIL(&c, -EINVAL, "%u inputs and %u outputs; the segment has %u and %u, and needs one of each", node->nin, node->nout,
			       m->ninputs, m->noutputs);
	for (unsigned int i = 0; !ret && i < node->nin; i++) {
		const struct accel_tensor *t = &m->tensors[m->inputs[i]];

		if (node->in[i] == NET_NONE)
			return OP_FAIL(&c, -EINVAL, "input %u is missing", i);
		ret = op_want(&c, i, NET_F32);
		if (!ret && op_in(&c, i)->count != t->count)
			return OP_FAIL(&c, -EINVAL, "input %u of the segment has %llu values, its tensor %llu", i,
				       (unsigned long long)t->count, (unsigned long long)op_in(&c, i)->count);
	}
	for (unsigned int i = 0; !ret && i < node->nout; i++)
		ret = node->out[i] == NET_NONE ? OP_FAIL(&c, -EINVAL, "output %u is missing", i) : infer_segment_output(&c, i);
	ret = ret ? ret : check_turned(&c, false);
	ret = ret ? ret : check_turned(&c, true);
	return ret;
}

int net_infer(struct accel_network *net, struct net_node *node, struct accel_error *err)
{
	const struct op *op = node->op;
	struct op_infer c = { net, node, err };
	int ret;

	free(node->plan);
	node->plan = NULL;
	node->scratch = 0;
	node->work = 0;
	if (!op)
		return infer_segment(net, node, err);
	if (node->nin < op->min_in || (op->max_in != OP_ANY && node->nin > op->max_in))
		return OP_FAIL(&c, -EINVAL, "%u inputs; it takes %u to %u", node->nin, op->min_in, op->max_in);
	if (node->nout < op->min_out || (op->max_out != OP_ANY && node->nout > op->max_out))
		return OP_FAIL(&c, -EINVAL, "%u outputs; it gives %u to %u", node->nout, op->min_out, op->max_out);
	for (unsigned int i = 0; i < op->min_in; i++)
		if (node->in[i] == NET_NONE)
			return OP_FAIL(&c, -EINVAL, "input %u is missing", i);
	for (unsigned int i = 0; i < op->min_out; i++)
		if (node->out[i] == NET_NONE)
			return OP_FAIL(&c, -EINVAL, "output %u is missing", i);
	for (unsigned int i = 0; i < node->nin && i < 32; i++) {
		const struct net_value *v = op_in(&c, i);

		if (op->const_in >> i & 1 && v && !v->data)
			return OP_FAIL(&c, -ENOTSUP,
				       "input %u '%s' is computed when the network runs, but shapes must be known before: fix sizes with --shape, "
				       "or the input that it depends on with --fix", i, v->name);
	}
	ret = op->infer(&c);
	if (ret)
		return ret;
	if (node->act.kind && (!op_takes_act(op) || op_out(&c, 0)->type != NET_F32))
		return OP_FAIL(&c, -EINVAL, "it has an activation, which this operator does not apply");
	/* at least each element is touched once */
	for (unsigned int i = 0; i < node->nin; i++)
		node->work += node->in[i] == NET_NONE ? 0 : op_in(&c, i)->count;
	for (unsigned int i = 0; i < node->nout; i++) {
		if (node->out[i] == NET_NONE)
			continue;
		node->work += op_out(&c, i)->count;
		if (op_out(&c, i)->count * net_type_size(op_out(&c, i)->type) > net->max_bytes)
			return OP_FAIL(&c, -E2BIG, "output %u of %s is too large", i,
				       net_shape_text(op_out(&c, i)->ndim, op_out(&c, i)->dims).s);
	}
	return 0;
}

static int bad(const struct accel_network *net, const struct net_node *node, struct accel_error *err, const char *what, uint32_t v)
{
	return NET_FAIL(net, node, -EBADMSG, err, "%s value %u of %u", what, v, net->nvalues);
}

static int check_node(struct accel_network *net, struct net_node *node, bool *made, struct accel_error *err)
{
	int ret;

	for (unsigned int i = 0; i < node->nin; i++)
		if (node->in[i] != NET_NONE && (node->in[i] >= net->nvalues || !made[node->in[i]]))
			return bad(net, node, err, "it reads, before anything made it,", node->in[i]);
	for (unsigned int i = 0; i < node->nout; i++)
		if (node->out[i] != NET_NONE && (node->out[i] >= net->nvalues || made[node->out[i]]))
			return bad(net, node, err, "it writes, though it has a writer,", node->out[i]);
	ret = net_infer(net, node, err);
	for (unsigned int i = 0; !ret && i < node->nout; i++) {
		if (node->out[i] == NET_NONE)
			continue;
		if (made[node->out[i]])
			return bad(net, node, err, "it writes twice", node->out[i]);
		made[node->out[i]] = true;
	}
	return ret;
}

static int check_ends(const struct accel_network *net, bool *made, bool outputs, struct accel_error *err)
{
	unsigned int n = outputs ? net->noutputs : net->ninputs;
	const uint32_t *list = outputs ? net->outputs : net->inputs;

	for (unsigned int i = 0; i < n; i++) {
		if (list[i] >= net->nvalues || made[list[i]] != outputs)
			return accel_fail(err, -EBADMSG, NULL, "%s: %s %u is value %u: %s", net->file, outputs ? "output" : "input", i,
					  list[i], outputs ? "nothing makes it" : "no such value, a constant, or given twice");
		if (accel_name_check(net->file, net->values[list[i]].name, -EBADMSG, outputs ? "an output" : "an input", err))
			return -EBADMSG;
		for (unsigned int j = 0; j < i; j++)
			if (!strcmp(net->values[list[i]].name, net->values[list[j]].name))
				return accel_fail(err, -EBADMSG, net->values[list[i]].name, "%s: two %s are named '%s'", net->file,
						  outputs ? "outputs" : "inputs", net->values[list[i]].name);
		if (!outputs)
			made[list[i]] = true;
	}
	return 0;
}

int net_check(struct accel_network *net, struct accel_error *err)
{
	bool *made = calloc(net->nvalues + (size_t)1, sizeof(*made));
	int ret;

	if (!made)
		return no_memory(net, err);
	for (unsigned int v = 0; v < net->nvalues; v++)
		made[v] = net->values[v].data;
	ret = check_ends(net, made, false, err);
	for (unsigned int n = 0; !ret && n < net->nnodes; n++) {
		ret = accel_name_check(net->file, net->nodes[n].name, -EBADMSG, "a node", err);
		ret = ret ? ret : check_node(net, &net->nodes[n], made, err);
	}
	ret = ret ? ret : check_ends(net, made, true, err);
	if (!ret && (!net->ninputs || !net->noutputs))
		ret = accel_fail(err, -EBADMSG, NULL, "%s: %u inputs, %u outputs", net->file, net->ninputs, net->noutputs);
	free(made);
	return ret;
}

bool net_batched(const struct accel_network *net)
{
	for (unsigned int i = 0; i < net->ninputs; i++)
		if (net->values[net->inputs[i]].ndim < 2 || net->values[net->inputs[i]].dims[0] != 1)
			return false;
	for (unsigned int i = 0; i < net->noutputs; i++)
		if (net->values[net->outputs[i]].ndim < 2 || net->values[net->outputs[i]].dims[0] != 1)
			return false;
	return true;
}
