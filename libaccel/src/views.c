// SPDX-License-Identifier: GPL-2.0 OR MIT
#include "views.h"
#include "op.h"

#include <errno.h>
#include <stdlib.h>

static bool is_image(const struct net_value *v)
{
	return v->type == NET_F32 && !v->data && v->ndim == 4 && v->dims[0] == 1 && v->count;
}

/* `to` is channels first, first + 1, ... of x, taken as a matrix of so many rows that is read column by column. A view of a view is one of its source. */
static int add_view(const struct accel_network *net, struct view *views, uint32_t to, uint32_t x, uint32_t first, uint32_t rows, struct accel_error *err)
{
	uint32_t n = net->values[to].dims[1], *channels = malloc(n * sizeof(*channels));

	if (!channels)
		return accel_fail(err, -ENOMEM, NULL, "%s: out of memory", net->file);
	for (uint32_t c = 0; c < n; c++) {
		/* a matrix of so many rows, read column by column */
		uint32_t channel = first + c % rows * (n / rows) + c / rows;

		channels[c] = views[x].channels ? views[x].channels[channel] : channel;
	}
	views[to] = (struct view){ views[x].channels ? views[x].source : x, channels };
	return 0;
}

static bool has_dims(const struct net_value *v, unsigned int n, const uint32_t *dims)
{
	for (unsigned int i = 0; v->ndim == n && i < n; i++)
		if (v->dims[i] != dims[i])
			return false;
	return v->ndim == n;
}

/*
 * Channel shuffle (Zhang et al., arXiv 1707.01083), as exporters write it: [1, groups * n, H, W] reshaped to [1, groups, n, H, W], the groups and their channels
 * exchanged, and reshaped again.
 */
static int find_shuffle(const struct accel_network *net, const struct pass_users *users, const struct net_node *last, struct view *views,
			struct accel_error *err)
{
	static const int64_t exchanged[5] = { 0, 2, 1, 3, 4 };
	const struct net_value *y = &net->values[last->out[0]], *apart, *x;
	const struct net_node *turn, *first;
	const struct net_attr *perm;

	if (!is_image(y) || users->maker[last->in[0]] == NET_NONE)
		return 0;
	turn = &net->nodes[users->maker[last->in[0]]];
	perm = pass_is(turn, "Transpose") ? op_attr(turn, "perm") : NULL;
	if (!perm || perm->n != 5 || users->maker[turn->in[0]] == NET_NONE)
		return 0;
	for (unsigned int i = 0; i < 5; i++)
		if (perm->ints[i] != exchanged[i])
			return 0;
	first = &net->nodes[users->maker[turn->in[0]]];
	if (!pass_is(first, "Reshape"))
		return 0;
	apart = &net->values[turn->in[0]];
	x = &net->values[first->in[0]];
	if (!is_image(x) || !has_dims(y, 4, x->dims) || apart->dims[0] != 1 || (uint64_t)apart->dims[1] * apart->dims[2] != x->dims[1] ||
	    apart->dims[3] != x->dims[2] || apart->dims[4] != x->dims[3])
		return 0;
	return add_view(net, views, last->out[0], first->in[0], 0, apart->dims[1], err);
}

static int find_split(const struct accel_network *net, const struct net_node *node, struct view *views, struct accel_error *err)
{
	const struct net_attr *axis = op_attr(node, "axis");
	uint32_t first = 0;
	int ret = 0;

	if (!is_image(&net->values[node->in[0]]) || !axis || (axis->ints[0] != 1 && axis->ints[0] != -3))
		return 0;
	for (unsigned int i = 0; !ret && i < node->nout; i++) {
		if (node->out[i] == NET_NONE)
			return ret;   /* how many channels it had is nowhere said */
		ret = net->values[node->out[i]].count ? add_view(net, views, node->out[i], node->in[0], first, 1, err) : 0;
		first += net->values[node->out[i]].dims[1];
	}
	return ret;
}

/* The single integer of an attribute, or of a constant input; false: it is none. */
static bool single(const struct accel_network *net, const struct net_node *node, const char *name, unsigned int in, int64_t *number)
{
	const struct net_attr *a = op_attr(node, name);
	const struct net_value *v = in < node->nin && node->in[in] != NET_NONE ? &net->values[node->in[in]] : NULL;

	if (a && a->n == 1)
		*number = a->ints[0];
	else if (v && v->data && v->count == 1 && v->type == NET_I64)
		*number = *(const int64_t *)v->data;
	else if (v && v->data && v->count == 1 && v->type == NET_I32)
		*number = *(const int32_t *)v->data;
	else
		return false;
	return true;
}

static int find_slice(const struct accel_network *net, const struct net_node *node, struct view *views, struct accel_error *err)
{
	const struct net_value *x = &net->values[node->in[0]], *y = &net->values[node->out[0]];
	int64_t start, axis, step = 1;

	if (!is_image(x) || !is_image(y) || !single(net, node, "starts", 1, &start) || !single(net, node, "axes", 3, &axis))
		return 0;
	if (node->nin > 4 && node->in[4] != NET_NONE && (!single(net, node, "steps", 4, &step) || step != 1))
		return 0;
	if (axis != 1 && axis != -3)
		return 0;
	start += start < 0 ? x->dims[1] : 0;
	start = start < 0 ? 0 : start;
	return start + y->dims[1] <= x->dims[1] ? add_view(net, views, node->out[0], node->in[0], (uint32_t)start, 1, err) : 0;
}

/* Gather of constant channels, each at most once: a convolution has one weight for each. */
static int find_gather(const struct accel_network *net, const struct net_node *node, struct view *views, struct accel_error *err)
{
	const struct net_value *x = &net->values[node->in[0]], *which = &net->values[node->in[1]];
	const struct view *from = &views[node->in[0]];
	const struct net_attr *axis = op_attr(node, "axis");
	uint32_t *channels;
	bool *seen;
	int ret = 0;

	if (!is_image(x) || !is_image(&net->values[node->out[0]]) || !axis || (axis->ints[0] != 1 && axis->ints[0] != -3) || !which->data || which->ndim != 1 ||
	    (which->type != NET_I64 && which->type != NET_I32))
		return 0;
	channels = malloc((which->count + 1) * sizeof(*channels));
	seen = calloc(x->dims[1], sizeof(*seen));
	if (!channels || !seen)
		ret = accel_fail(err, -ENOMEM, NULL, "%s: out of memory", net->file);
	for (uint64_t c = 0; !ret && c < which->count; c++) {
		/* in range: inference has looked at constants */
		int64_t at = which->type == NET_I64 ? ((const int64_t *)which->data)[c] : ((const int32_t *)which->data)[c];

		at += at < 0 ? x->dims[1] : 0;
		if (seen[at])
			break;
		seen[at] = true;
		channels[c] = from->channels ? from->channels[at] : (uint32_t)at;
		if (c + 1 == which->count) {
			views[node->out[0]] = (struct view){ from->channels ? from->source : node->in[0], channels };
			channels = NULL;
		}
	}
	free(channels);
	free(seen);
	return ret;
}

bool views_operator(const struct net_node *node)
{
	return pass_is(node, "Gather") || pass_is(node, "Reshape") || pass_is(node, "Transpose") || pass_is(node, "Split") || pass_is(node, "Slice");
}

int views_find(const struct accel_network *net, const struct pass_users *users, struct view **views, struct accel_error *err)
{
	struct view *v = calloc(net->nvalues + (size_t)1, sizeof(*v));
	int ret = v ? 0 : accel_fail(err, -ENOMEM, NULL, "%s: out of memory", net->file);

	for (uint32_t n = 0; !ret && n < net->nnodes; n++) {
		const struct net_node *node = &net->nodes[n];

		if (pass_is(node, "Reshape"))
			ret = find_shuffle(net, users, node, v, err);
		else if (pass_is(node, "Split"))
			ret = find_split(net, node, v, err);
		else if (pass_is(node, "Slice"))
			ret = find_slice(net, node, v, err);
		else if (pass_is(node, "Gather"))
			ret = find_gather(net, node, v, err);
	}
	*views = v;
	return ret;
}

void views_free(const struct accel_network *net, struct view *views)
{
	for (uint32_t v = 0; views && v < net->nvalues; v++)
		free(views[v].channels);
	free(views);
}
