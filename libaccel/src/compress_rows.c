// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Groups of rows (output channels) with a codebook each: the layer becomes several that share its input, and Concat puts their outputs behind each other, which costs the engine nothing, for it is
 * done by addresses.
 */
#include "compress.h"
#include "graph.h"
#include "op.h"
#include "pass.h"

#include <errno.h>
#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LEAST_WEIGHTS 256u         /* of a group: fewer are not worth a codebook */
#define ALIGNED       8u           /* rows: of so many a pixel's outputs lie together in the engine's memory */
#define SUFFIX        ".rows"

/* What is split, and where. */
struct rows {
	struct accel_network *net;
	const struct net_node *node;
	unsigned int axis;         /* of the weights: the rows */
	uint32_t n;                /* of them */
	unsigned int groups;
};

bool compress_row_group(const char *name, char *layer, size_t size)
{
	const char *last = NULL;
	unsigned int from, to;
	int end = 0;

	for (const char *p = name; (p = strstr(p, SUFFIX)); p++)
		last = p;
	if (!last || sscanf(last, SUFFIX "%u-%u%n", &from, &to, &end) != 2 || last[end])
		return false;
	snprintf(layer, size, "%.*s", (int)(last - name), name);
	return true;
}

static unsigned int wanted(const struct accel_compress_options *o, const char *name)
{
	unsigned int groups = o->row_groups;

	for (unsigned int i = 0; i < o->noverrides; i++)
		if (o->overrides[i].row_groups && !fnmatch(o->overrides[i].pattern, name, 0))
			groups = o->overrides[i].row_groups;
	return groups;
}

/* The dimension of the weights that rows are in; false: it cannot be split. */
static bool row_axis(const struct accel_network *net, const struct pass_users *users, const struct net_node *node, unsigned int *axis)
{
	const struct net_value *w, *bias = node->nin > 2 && node->in[2] != NET_NONE ? &net->values[node->in[2]] : NULL;
	const struct net_attr *group = op_attr(node, "group"), *turned = op_attr(node, "transB");

	if (!pass_is(node, "Conv") && !pass_is(node, "Gemm") && !pass_is(node, "MatMul"))
		return false;
	if (node->nin < 2 || node->in[1] == NET_NONE || users->readers[node->in[1]] != 1)
		return false;
	w = &net->values[node->in[1]];
	if (!w->data || w->type != NET_F32 || w->ndim < 2 || (!pass_is(node, "Conv") && w->ndim != 2) || (group && group->ints[0] != 1))
		return false;
	*axis = pass_is(node, "Conv") || (turned && turned->ints[0]) ? 0 : 1;
	return !bias || (bias->data && bias->type == NET_F32 && bias->ndim == 1 && bias->dims[0] == w->dims[*axis]);
}

/* First row of group g. */
static uint32_t first_row(const struct rows *r, unsigned int g)
{
	uint32_t at = (uint32_t)((uint64_t)r->n * g / r->groups);

	return g == r->groups || r->n / r->groups < 2 * ALIGNED ? at : at / ALIGNED * ALIGNED;
}

static void name_group(const struct rows *r, unsigned int g, char *name, size_t size)
{
	snprintf(name, size, "%.220s" SUFFIX "%u-%u", r->node->name, first_row(r, g), first_row(r, g + 1) - 1);
}

static bool names_are_free(const struct rows *r)
{
	for (unsigned int g = 0; g < r->groups; g++) {
		char name[ACCEL_MAX_NAME + 1];

		name_group(r, g, name, sizeof(name));
		for (unsigned int n = 0; n < r->net->nnodes; n++)
			if (!strcmp(r->net->nodes[n].name, name))
				return false;
	}
	return true;
}

static bool choose(const struct accel_compress_options *o, const struct pass_users *users, struct rows *r)
{
	const struct net_value *w;

	r->groups = wanted(o, r->node->name);
	if (r->groups < 2 || !row_axis(r->net, users, r->node, &r->axis))
		return false;
	w = &r->net->values[r->node->in[1]];
	r->n = w->dims[r->axis];
	if (r->groups > w->count / LEAST_WEIGHTS)
		r->groups = (unsigned int)(w->count / LEAST_WEIGHTS);
	r->groups = r->groups > r->n ? r->n : r->groups;
	return r->groups > 1 && names_are_free(r);
}

/* A new constant: elements first to last of this dimension. */
static int slice(struct accel_network *net, uint32_t from, unsigned int axis, uint32_t first, uint32_t last, uint32_t *number, struct accel_error *err)
{
	struct net_value v = net->values[from];
	uint64_t outer = op_product(v.dims, 0, axis), inner = op_product(v.dims, axis + 1, v.ndim), all = v.dims[axis], n = last - first;
	void *data;
	int ret;

	v.dims[axis] = (uint32_t)n;
	ret = net_add_constant(net, "", NET_F32, v.ndim, v.dims, number, &data, err);
	if (ret)
		return ret;
	net->values[*number].merged = v.merged;
	net->values[*number].stored_bytes = v.stored_bytes * n / all;
	for (uint64_t i = 0; i < outer; i++)
		memcpy((float *)data + i * n * inner, (const float *)v.data + (i * all + first) * inner, n * inner * sizeof(float));
	return 0;
}

/* Group g of the node, with outputs of its own. */
static int make_group(const struct rows *r, unsigned int g, struct net_node *part, struct accel_error *err)
{
	struct accel_network *net = r->net;
	const struct net_value *y = &net->values[r->node->out[0]];
	bool biased = r->node->nin > 2 && r->node->in[2] != NET_NONE;
	uint32_t dims[NET_MAX_DIMS];
	char name[ACCEL_MAX_NAME + 1];
	int ret;

	memcpy(dims, y->dims, sizeof(dims));
	name_group(r, g, name, sizeof(name));
	if (net_node_init(part, r->node->op, name, r->node->opset, biased ? 3 : 2, 1) || net_node_copy_attrs(part, r->node))
		return accel_fail(err, -ENOMEM, NULL, "%s: out of memory", net->file);
	part->act = r->node->act;
	part->in[0] = r->node->in[0];
	ret = slice(net, r->node->in[1], r->axis, first_row(r, g), first_row(r, g + 1), &part->in[1], err);
	if (!ret && biased)
		ret = slice(net, r->node->in[2], 0, first_row(r, g), first_row(r, g + 1), &part->in[2], err);
	ret = ret ? ret : net_add_value(net, "", NET_F32, net->values[r->node->out[0]].ndim, dims, &part->out[0], err);
	return ret ? ret : net_infer(net, part, err);
}

/* The node becomes its groups and their Concat, in its place. */
static int split(const struct rows *r, struct net_node *fresh, struct accel_error *err)
{
	struct accel_network *net = r->net;
	struct net_node *whole = &fresh[r->groups];
	int64_t axis = pass_is(r->node, "Conv") ? 1 : net->values[r->node->out[0]].ndim - 1;
	int ret = 0;

	for (unsigned int g = 0; !ret && g < r->groups; g++)
		ret = make_group(r, g, &fresh[g], err);
	if (!ret && (net_node_init(whole, op_find("Concat"), r->node->name, 13, r->groups, 1) || !net_node_add_attr(whole, "axis", NET_INTS, 1, &axis)))
		ret = accel_fail(err, -ENOMEM, NULL, "%s: out of memory", net->file);
	if (ret)
		return ret;
	for (unsigned int g = 0; g < r->groups; g++)
		whole->in[g] = fresh[g].out[0];
	whole->out[0] = r->node->out[0];
	return net_infer(net, whole, err);
}

/* Takes over what fresh [n] own, in place of node `at`. */
static int replace(struct accel_network *net, unsigned int at, struct net_node *fresh, unsigned int n, struct accel_error *err)
{
	struct net_node *nodes;

	if (net->nnodes + n - 1 > ACCEL_MAX_NODES)
		return accel_fail(err, -E2BIG, NULL, "%s: more than %u nodes with the groups of rows", net->file, ACCEL_MAX_NODES);
	nodes = realloc(net->nodes, (net->nnodes + (size_t)n - 1) * sizeof(*nodes));
	if (!nodes)
		return accel_fail(err, -ENOMEM, NULL, "%s: out of memory", net->file);
	net->nodes = nodes;
	/* at once: of large layers there is no room for both */
	net_drop_constant(&net->values[nodes[at].in[1]]);
	net_node_clear(&nodes[at]);
	memmove(nodes + at + n, nodes + at + 1, (net->nnodes - at - 1) * sizeof(*nodes));
	memcpy(nodes + at, fresh, n * sizeof(*nodes));
	net->nnodes += n - 1;
	net->room_nodes = net->nnodes;
	return 0;
}

int compress_split_rows(const struct accel_compress_options *o, struct accel_network *net, struct accel_error *err)
{
	struct pass_users users;
	int ret = pass_users_new(net, &users, err);
	bool any = false;

	if (ret)
		return ret;
	for (unsigned int i = 0; !ret && i < net->nnodes; i++) {
		struct rows r = { .net = net, .node = &net->nodes[i] };
		struct net_node *fresh;

		if (!choose(o, &users, &r))
			continue;
		fresh = calloc(r.groups + (size_t)1, sizeof(*fresh));
		ret = fresh ? split(&r, fresh, err) : accel_fail(err, -ENOMEM, NULL, "%s: out of memory", net->file);
		ret = ret ? ret : replace(net, i, fresh, r.groups + 1, err);
		for (unsigned int g = 0; ret && fresh && g <= r.groups; g++)
			net_node_clear(&fresh[g]);
		free(fresh);
		i += r.groups;
		any = true;
	}
	pass_users_free(&users);
	return ret || !any ? ret : pass_renumber(net, err);
}
