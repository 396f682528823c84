// SPDX-License-Identifier: GPL-2.0 OR MIT
#include "grad.h"
#include "op.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct grad {
	const struct blas *blas;
	const struct accel_network *net;
	uint32_t out;
	bool *needs;               /* [nvalues] a derivative by it is wanted, or leads to one */
	void **value;              /* [nvalues] */
	float **before;            /* [nnodes] the output before the node's activation, or NULL */
	float **d;                 /* [nvalues] or NULL */
	float *scratch;
	struct tensor *tensors;
	struct pool *pool;
};

/* Marks what depends on wanted values, and of that what out depends on: needs [nvalues]. */
static int mark(const struct accel_network *net, const bool *wanted, uint32_t out, bool *needs)
{
	bool *leads = calloc(net->nvalues + (size_t)1, sizeof(*leads));

	if (!leads)
		return -ENOMEM;
	memcpy(needs, wanted, net->nvalues * sizeof(*needs));
	for (unsigned int n = 0; n < net->nnodes; n++) {
		const struct net_node *node = &net->nodes[n];
		bool any = false;

		for (unsigned int i = 0; i < node->nin; i++)
			any = any || (node->in[i] != NET_NONE && needs[node->in[i]]);
		for (unsigned int i = 0; any && i < node->nout; i++)
			if (node->out[i] != NET_NONE)
				needs[node->out[i]] = true;
	}
	leads[out] = true;
	for (unsigned int n = net->nnodes; n-- > 0;) {
		const struct net_node *node = &net->nodes[n];
		bool any = false;

		for (unsigned int i = 0; i < node->nout; i++)
			any = any || (node->out[i] != NET_NONE && leads[node->out[i]]);
		for (unsigned int i = 0; any && i < node->nin; i++)
			if (node->in[i] != NET_NONE)
				leads[node->in[i]] = true;
	}
	for (uint32_t v = 0; v < net->nvalues; v++)
		needs[v] = needs[v] && leads[v];
	free(leads);
	return 0;
}

static bool takes_part(const struct net_node *node, const bool *needs)
{
	for (unsigned int i = 0; i < node->nout; i++)
		if (node->out[i] != NET_NONE && needs[node->out[i]])
			return true;
	return false;
}

int grad_missing(const struct accel_network *net, const bool *wanted, uint32_t out, const struct net_node **missing)
{
	bool *needs = calloc(net->nvalues + (size_t)1, sizeof(*needs));

	*missing = NULL;
	if (!needs || mark(net, wanted, out, needs)) {
		free(needs);
		return -ENOMEM;
	}
	for (unsigned int n = 0; !*missing && n < net->nnodes; n++)
		if (takes_part(&net->nodes[n], needs) && !grad_find(net, &net->nodes[n]))
			*missing = &net->nodes[n];
	free(needs);
	return 0;
}

static int take_memory(struct grad *g, unsigned int threads)
{
	const struct accel_network *net = g->net;
	size_t scratch = 0, most = 1, work = 0;

	for (uint32_t v = 0; v < net->nvalues; v++) {
		const struct net_value *value = &net->values[v];

		g->value[v] = value->data ? value->data : calloc(value->count + 1, net_type_size(value->type));
		if (g->needs[v])
			g->d[v] = calloc(value->count + 1, sizeof(float));
		if (!g->value[v] || (g->needs[v] && !g->d[v]))
			return -ENOMEM;
	}
	for (unsigned int n = 0; n < net->nnodes; n++) {
		const struct net_node *node = &net->nodes[n];
		bool part = takes_part(node, g->needs);

		if (part && node->act.kind) {
			g->before[n] = malloc((net->values[node->out[0]].count + 1) * sizeof(float));
			if (!g->before[n])
				return -ENOMEM;
		}
		if (part && grad_scratch(net, node) > scratch)
			scratch = grad_scratch(net, node);
		most = node->nin + node->nout > most ? node->nin + node->nout : most;
		work = node->scratch > work ? node->scratch : work;
	}
	g->scratch = malloc((scratch + 1) * sizeof(float));
	g->tensors = calloc(most, sizeof(*g->tensors));
	g->pool = pool_new(threads);
	return g->scratch && g->tensors && g->pool ? pool_reserve(g->pool, work) : -ENOMEM;
}

int grad_new(const struct blas *blas, const struct accel_network *net, const bool *wanted, uint32_t out, unsigned int threads, struct grad **grad,
	     struct accel_error *err)
{
	struct grad *g = calloc(1, sizeof(*g));
	int ret = g ? 0 : -ENOMEM;

	if (g) {
		*g = (struct grad){ .blas = blas, .net = net, .out = out };
		g->needs = calloc(net->nvalues + (size_t)1, sizeof(*g->needs));
		g->value = calloc(net->nvalues + (size_t)1, sizeof(*g->value));
		g->d = calloc(net->nvalues + (size_t)1, sizeof(*g->d));
		g->before = calloc(net->nnodes + (size_t)1, sizeof(*g->before));
		ret = g->needs && g->value && g->d && g->before ? mark(net, wanted, out, g->needs) : -ENOMEM;
		ret = ret ? ret : take_memory(g, threads);
	}
	if (ret) {
		grad_free(g);
		return accel_fail(err, ret, NULL, "%s: no memory for the network's values and their derivatives", net->file);
	}
	*grad = g;
	return 0;
}

void grad_free(struct grad *g)
{
	if (!g)
		return;
	for (uint32_t v = 0; v < g->net->nvalues; v++) {
		if (g->value && !g->net->values[v].data)
			free(g->value[v]);
		if (g->d)
			free(g->d[v]);
	}
	for (unsigned int n = 0; g->before && n < g->net->nnodes; n++)
		free(g->before[n]);
	pool_free(g->pool);
	free(g->needs);
	free(g->value);
	free(g->before);
	free(g->d);
	free(g->scratch);
	free(g->tensors);
	free(g);
}

void *grad_value(struct grad *g, uint32_t value)
{
	return g->value[value];
}

float *grad_sum(struct grad *g, uint32_t value)
{
	return g->d[value];
}

/* ---------------------------------------------------------------- runs */

static struct tensor tensor_of(const struct grad *g, uint32_t v)
{
	const struct net_value *value = v == NET_NONE ? NULL : &g->net->values[v];

	if (!value)
		return (struct tensor){ .p = NULL };
	return (struct tensor){ .type = value->type, .ndim = value->ndim, .dims = value->dims, .count = value->count, .p = g->value[v] };
}

void grad_run(struct grad *g)
{
	for (unsigned int n = 0; n < g->net->nnodes; n++) {
		struct net_node node = g->net->nodes[n];
		struct op_run run = { &node, g->tensors, g->tensors + node.nin, g->pool };
		struct net_act act = node.act;

		/* the activation by itself: its derivative is of what it gets */
		if (g->before[n])
			node.act.kind = NET_ACT_NONE;
		for (unsigned int i = 0; i < node.nin; i++)
			g->tensors[i] = tensor_of(g, node.in[i]);
		for (unsigned int i = 0; i < node.nout; i++)
			g->tensors[node.nin + i] = tensor_of(g, node.out[i]);
		node.op->run(&run);
		if (g->before[n]) {
			memcpy(g->before[n], run.out[0].f, run.out[0].count * sizeof(float));
			op_activate(&act, run.out[0].f, run.out[0].count);
		}
	}
}

void grad_begin(struct grad *g)
{
	for (uint32_t v = 0; v < g->net->nvalues; v++)
		if (g->d[v] && !g->net->values[v].data)
			memset(g->d[v], 0, g->net->values[v].count * sizeof(float));
}

float *grad_by(struct grad *g, uint32_t value)
{
	return g->net->values[value].data ? NULL : g->d[value];
}

void grad_end(struct grad *g)
{
	const struct accel_network *net = g->net;

	for (unsigned int n = net->nnodes; n-- > 0;) {
		const struct net_node *node = &net->nodes[n];
		const struct grad_step s = { g->blas, net, node, g->value, g->d, g->scratch };

		if (!takes_part(node, g->needs))
			continue;
		if (g->before[n])
			grad_activate(&node->act, g->before[n], g->d[node->out[0]], net->values[node->out[0]].count);
		grad_find(net, node)(&s);
	}
}

void grad_back(struct grad *g, const float *d)
{
	grad_begin(g);
	if (!g->d[g->out])
		return;
	memcpy(g->d[g->out], d, g->net->values[g->out].count * sizeof(*d));
	grad_end(g);
}
