// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Convolutions that are one: a pixel's before or behind a larger one (Diverse Branch Block, arXiv 2103.13425), two that depth pruning has left without anything between them, and what is added up
 * of one image: convolutions, the image itself, its average pooling (RepVGG, arXiv 2101.03697). Only where no more weights come of it than there were.
 */
#include "branch.h"
#include "pass.h"

#include <errno.h>
#include <stdlib.h>

#define MOST 16u           /* branches of a sum */

struct merge {
	struct accel_network *net;
	struct pass_users *users;
	struct branch b[MOST], merged;
	unsigned int n;
	bool sequence;             /* b[0], then b[1]; else the sum of n */
};

static int no_memory(const struct accel_network *net, struct accel_error *err)
{
	return accel_fail(err, -ENOMEM, NULL, "%s: out of memory", net->file);
}

/* ---------------------------------------------------------------- the convolution that comes of it */

static int add_list(struct net_node *node, const char *name, unsigned int n, const int64_t *values)
{
	struct net_attr *a = net_node_add_attr(node, name, NET_INTS, n, values);

	if (a)
		a->list = true;
	return a ? 0 : -ENOMEM;
}

static int set_attrs(struct net_node *node, const struct branch *m)
{
	const unsigned int n = m->w.ndim, lead = WINDOW_DIMS - n;
	int64_t stride[WINDOW_DIMS], dilation[WINDOW_DIMS], pads[2 * WINDOW_DIMS], groups = m->groups;

	for (unsigned int d = 0; d < n; d++) {
		stride[d] = m->w.stride[lead + d];
		dilation[d] = m->w.dilation[lead + d];
		pads[d] = m->w.pad[lead + d];
		pads[n + d] = m->w.pad_end[lead + d];
	}
	return !net_node_add_attr(node, "group", NET_INTS, 1, &groups) || add_list(node, "strides", n, stride) || add_list(node, "dilations", n, dilation) ||
	       add_list(node, "pads", 2 * n, pads) ? -ENOMEM : 0;
}

/* New weights and bias of a node that reads what all began with. -ERANGE without an error: float32 does not hold them. */
static int make(const struct merge *how, struct net_node *node, struct accel_error *err)
{
	struct accel_network *net = how->net;
	const struct branch *m = &how->merged;
	const unsigned int lead = WINDOW_DIMS - m->w.ndim;
	uint32_t dims[NET_MAX_DIMS] = { m->cout, m->cin / m->groups };
	void *weights, *bias;
	int ret;

	for (unsigned int d = 0; d < m->w.ndim; d++)
		dims[2 + d] = m->w.kernel[lead + d];
	ret = net_add_constant(net, "", NET_F32, 2 + m->w.ndim, dims, &node->in[1], &weights, err);
	ret = ret ? ret : net_add_constant(net, "", NET_F32, 1, dims, &node->in[2], &bias, err);
	if (ret)
		return ret;
	net->values[node->in[1]].merged = true;
	node->in[0] = m->x;
	ret = set_attrs(node, m);
	if (!ret)
		ret = how->sequence ? branch_multiply(&how->b[0], &how->b[1], m, weights, bias) : branch_add(how->b, how->n, m, weights, bias);
	return ret == -ENOMEM ? no_memory(net, err) : ret;
}

/* ---------------------------------------------------------------- patterns */

static uint64_t weights_of(const struct merge *m)
{
	uint64_t sum = 0;

	for (unsigned int i = 0; i < m->n; i++)
		sum += m->b[i].n;
	return sum;
}

static struct net_node *maker(const struct merge *m, uint32_t value)
{
	return value == NET_NONE || m->users->maker[value] == NET_NONE ? NULL : &m->net->nodes[m->users->maker[value]];
}

static bool same_window(const struct window *a, const struct window *b)
{
	for (unsigned int d = 0; d < WINDOW_DIMS; d++)
		if (a->kernel[d] != b->kernel[d] || a->stride[d] != b->stride[d] || a->dilation[d] != b->dilation[d] || a->pad[d] != b->pad[d])
			return false;
	return true;
}

/* What comes of the sequence, batch normalisation behind it, is added to a convolution of the same shape and image, and goes into that. */
static bool beside(const struct merge *m)
{
	uint32_t y = m->merged.y;
	const struct net_node *sum = pass_only_reader(m->net, m->users, y);

	if (sum && pass_is(sum, "BatchNormalization")) {
		y = sum->out[0];
		sum = pass_only_reader(m->net, m->users, y);
	}
	if (!sum || (!pass_is(sum, "Add") && !pass_is(sum, "Sum")))
		return false;
	for (unsigned int i = 0; i < sum->nin; i++) {
		const struct net_node *node = sum->in[i] == y ? NULL : maker(m, sum->in[i]);
		struct branch b;

		if (node && m->users->readers[sum->in[i]] == 1 && branch_of(m->net, node, &b) && b.x == m->merged.x && b.groups == m->merged.groups &&
		    b.cout == m->merged.cout && b.weights && same_window(&b.w, &m->merged.w))
			return true;
	}
	return false;
}

/* A convolution that alone reads what a convolution makes. */
static bool find_sequence(struct merge *m, const struct net_node *node)
{
	struct net_node bare = *node;
	const struct net_node *before;

	/* an activation behind both stays where it is */
	bare.act = (struct net_act){ .kind = NET_ACT_NONE };
	if (!branch_of(m->net, &bare, &m->b[1]) || m->users->readers[m->b[1].x] != 1)
		return false;
	before = maker(m, m->b[1].x);
	m->n = 2;
	m->sequence = true;
	if (!before || !branch_of(m->net, before, &m->b[0]) || !(m->b[0].weights || m->b[1].weights) || !branch_sequence(&m->b[0], &m->b[1], &m->merged) ||
	    branch_work(&m->b[0], &m->b[1]) > m->net->fold_work)
		return false;
	if (branch_weights(&m->merged) > weights_of(m) && !beside(m))
		return false;
	m->net->fold_work -= branch_work(&m->b[0], &m->b[1]);
	return true;
}

static bool same_shape(const struct net_value *a, const struct net_value *b)
{
	if (a->type != b->type || a->ndim != b->ndim)
		return false;
	for (unsigned int i = 0; i < a->ndim; i++)
		if (a->dims[i] != b->dims[i])
			return false;
	return true;
}

/* What they all read: the input of one that is made by a convolution. */
static uint32_t common_input(const struct merge *m, const struct net_node *sum)
{
	struct branch b;

	for (unsigned int i = 0; i < sum->nin; i++) {
		const struct net_node *node = maker(m, sum->in[i]);

		if (node && branch_of(m->net, node, &b) && b.weights)
			return b.x;
	}
	return NET_NONE;
}

static bool find_sum(struct merge *m, const struct net_node *sum)
{
	uint32_t x;

	if ((!pass_is(sum, "Add") && !pass_is(sum, "Sum")) || sum->nin < 2 || sum->nin > MOST || sum->nout != 1)
		return false;
	x = common_input(m, sum);
	if (x == NET_NONE)
		return false;
	m->n = sum->nin;
	m->sequence = false;
	for (unsigned int i = 0; i < sum->nin; i++) {
		const struct net_node *node = maker(m, sum->in[i]);

		if (sum->in[i] == NET_NONE || !same_shape(&m->net->values[sum->in[i]], &m->net->values[sum->out[0]]))
			return false;
		if (sum->in[i] == x)
			m->b[i] = branch_identity(m->net, x);
		else if (!node || m->users->readers[sum->in[i]] != 1 || !branch_of(m->net, node, &m->b[i]))
			return false;
	}
	if (!branch_sum(m->b, m->n, &m->merged) || branch_weights(&m->merged) > weights_of(m))
		return false;
	m->merged.y = sum->out[0];
	return true;
}

/* ---------------------------------------------------------------- pass */

/* The name of the largest part is what users know these weights by. */
static const char *largest(const struct merge *m)
{
	const struct branch *best = m->b;

	for (unsigned int i = 1; i < m->n; i++)
		best = m->b[i].n > best->n ? &m->b[i] : best;
	return m->net->nodes[m->users->maker[best->y]].name;
}

/* The last node of the pattern becomes the convolution, the others go. */
static void replace(struct merge *m, uint32_t n, struct net_node *conv)
{
	struct net_node *last = &m->net->nodes[n];
	unsigned int reads = 0;

	conv->act = last->act;
	conv->out[0] = last->out[0];
	for (unsigned int i = 0; i < m->n; i++) {
		bool reader = m->b[i].x == m->merged.x;

		reads += reader;
		if (m->b[i].y != m->merged.x && m->b[i].y != last->out[0])
			net_node_clear(&m->net->nodes[m->users->maker[m->b[i].y]]);
	}
	net_node_clear(last);
	*last = *conv;
	/* for what is merged after it: all of these readers are one now */
	m->users->readers[m->merged.x] -= reads - 1;
	m->users->reader[m->merged.x] = n;
}

int pass_merge(struct accel_network *net, bool *changed, struct accel_error *err)
{
	struct pass_users users;
	struct merge m = { .net = net, .users = &users };
	int ret = pass_users_new(net, &users, err);

	if (ret)
		return ret;
	for (uint32_t n = 0; !ret && n < net->nnodes; n++) {
		struct net_node conv;

		if (!net->nodes[n].name || !(find_sum(&m, &net->nodes[n]) || find_sequence(&m, &net->nodes[n])))
			continue;
		if (net_node_init(&conv, op_find("Conv"), largest(&m), 13, 3, 1)) {
			ret = no_memory(net, err);
			break;
		}
		ret = make(&m, &conv, err);
		if (ret) {
			net_node_clear(&conv);
			/* numbers that float32 does not hold: what cannot be merged stays */
			ret = ret == -ERANGE ? 0 : ret;
			continue;
		}
		replace(&m, n, &conv);
		ret = net_infer(net, &net->nodes[n], err);
		*changed = true;
	}
	pass_users_free(&users);
	return ret;
}
