// SPDX-License-Identifier: GPL-2.0 OR MIT
/* Scale groups: which tensors must have one scale for the engine to join them without a multiplication. */
#include "calib.h"
#include "op.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Inputs and outputs share a scale: numbers are moved or compared, not computed. */
static const char *const movers[] = {
	"Concat", "Split", "MaxPool", "AveragePool", "GlobalMaxPool", "GlobalAveragePool", "Reshape", "Flatten", "Squeeze", "Unsqueeze",
	"Transpose", "Slice", "Pad", "Identity", "Dropout", "DepthToSpace", "SpaceToDepth", "Expand", "Tile", "Gather", "Max", "Min",
};

enum joins { JOINS_NONE, JOINS_ALL, JOINS_INPUTS };

static enum joins joins(const struct net_node *node)
{
	if (!node->op)
		return JOINS_NONE;
	for (size_t i = 0; i < sizeof(movers) / sizeof(movers[0]); i++)
		if (!strcmp(node->op->name, movers[i]))
			return JOINS_ALL;
	/* the sum is requantised, what is added is not */
	return !strcmp(node->op->name, "Add") || !strcmp(node->op->name, "Sum") ? JOINS_INPUTS : JOINS_NONE;
}

static uint32_t root(uint32_t *parent, uint32_t v)
{
	while (parent[v] != v)
		v = parent[v] = parent[parent[v]];
	return v;
}

/* The lowest number is the root. */
static void join(uint32_t *parent, uint32_t a, uint32_t b)
{
	a = root(parent, a);
	b = root(parent, b);
	if (a < b)
		parent[b] = a;
	else
		parent[a] = b;
}

int calib_groups(const struct accel_network *net, struct calib *calib)
{
	uint32_t *parent = malloc((net->nvalues + (size_t)1) * sizeof(*parent));

	if (!parent)
		return -ENOMEM;
	for (uint32_t v = 0; v < net->nvalues; v++)
		parent[v] = v;
	for (unsigned int n = 0; n < net->nnodes; n++) {
		const struct net_node *node = &net->nodes[n];
		enum joins how = joins(node);
		uint32_t first = NET_NONE;

		for (unsigned int i = 0; how && i < node->nin + (how == JOINS_ALL ? node->nout : 0); i++) {
			uint32_t v = i < node->nin ? node->in[i] : node->out[i - node->nin];

			if (v == NET_NONE || !calib->range[v].known)
				continue;
			if (first != NET_NONE)
				join(parent, first, v);
			first = first == NET_NONE ? v : first;
		}
	}
	for (uint32_t v = 0; v < net->nvalues; v++) {
		struct calib_range *r = &calib->range[v], *g = &calib->range[root(parent, v)];

		r->group = root(parent, v);
		if (!r->known || !r->finite)
			continue;
		g->group_lo = r->lo < g->group_lo ? r->lo : g->group_lo;
		g->group_hi = r->hi > g->group_hi ? r->hi : g->group_hi;
	}
	for (uint32_t v = 0; v < net->nvalues; v++) {
		calib->range[v].group_lo = calib->range[calib->range[v].group].group_lo;
		calib->range[v].group_hi = calib->range[calib->range[v].group].group_hi;
	}
	free(parent);
	return 0;
}
