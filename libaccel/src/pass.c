// SPDX-License-Identifier: GPL-2.0 OR MIT
/* Passes over the whole network: which run when, dead code, and what several of them need. */
#include "op.h"
#include "pass.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

int pass_users_new(const struct accel_network *net, struct pass_users *u, struct accel_error *err)
{
	u->maker = malloc((net->nvalues + (size_t)1) * sizeof(*u->maker));
	u->reader = malloc((net->nvalues + (size_t)1) * sizeof(*u->reader));
	u->readers = calloc(net->nvalues + (size_t)1, sizeof(*u->readers));
	if (!u->maker || !u->reader || !u->readers) {
		pass_users_free(u);
		return accel_fail(err, -ENOMEM, NULL, "%s: out of memory", net->file);
	}
	memset(u->maker, 0xff, net->nvalues * sizeof(*u->maker));
	memset(u->reader, 0xff, net->nvalues * sizeof(*u->reader));
	for (unsigned int n = 0; n < net->nnodes; n++) {
		const struct net_node *node = &net->nodes[n];

		for (unsigned int i = 0; i < node->nout; i++)
			if (node->out[i] != NET_NONE)
				u->maker[node->out[i]] = n;
		for (unsigned int i = 0; i < node->nin; i++) {
			if (node->in[i] == NET_NONE)
				continue;
			u->reader[node->in[i]] = n;
			u->readers[node->in[i]]++;
		}
	}
	/* whoever runs the network reads its outputs: they are never a node's alone */
	for (unsigned int i = 0; i < net->noutputs; i++)
		u->readers[net->outputs[i]] += 2;
	return 0;
}

void pass_users_free(struct pass_users *u)
{
	free(u->maker);
	free(u->reader);
	free(u->readers);
	*u = (struct pass_users){ 0 };
}

bool pass_is(const struct net_node *node, const char *op)
{
	return node->op && !strcmp(node->op->name, op);
}

struct net_node *pass_only_reader(struct accel_network *net, const struct pass_users *u, uint32_t value)
{
	return value != NET_NONE && u->readers[value] == 1 ? &net->nodes[u->reader[value]] : NULL;
}

bool pass_scalar(const struct accel_network *net, uint32_t value, float *f)
{
	const struct net_value *v = value == NET_NONE ? NULL : &net->values[value];

	if (!v || !v->data || v->count != 1 || v->type != NET_F32)
		return false;
	*f = *(const float *)v->data;
	return true;
}

void pass_take_output(struct net_node *to, struct net_node *from)
{
	to->out[0] = from->out[0];
	net_node_clear(from);
}

/* Nodes that passes have cleared have no name. */
static void compact(struct accel_network *net)
{
	unsigned int n = 0;

	for (unsigned int i = 0; i < net->nnodes; i++)
		if (net->nodes[i].name)
			net->nodes[n++] = net->nodes[i];
	net->nnodes = n;
}

int pass_dead(struct accel_network *net, struct accel_error *err)
{
	bool *live = calloc(net->nvalues + (size_t)1, sizeof(*live));

	if (!live)
		return accel_fail(err, -ENOMEM, NULL, "%s: out of memory", net->file);
	compact(net);
	for (unsigned int i = 0; i < net->noutputs; i++)
		live[net->outputs[i]] = true;
	for (unsigned int n = net->nnodes; n-- > 0;) {
		struct net_node *node = &net->nodes[n];
		bool used = false;

		for (unsigned int i = 0; i < node->nout; i++)
			used = used || (node->out[i] != NET_NONE && live[node->out[i]]);
		for (unsigned int i = 0; used && i < node->nin; i++)
			if (node->in[i] != NET_NONE)
				live[node->in[i]] = true;
		if (!used)
			net_node_clear(node);
	}
	compact(net);
	/* constants that nothing reads go; numbers of values stay as they are */
	for (unsigned int v = 0; v < net->nvalues; v++) {
		if (!live[v])
			net_drop_constant(&net->values[v]);
	}
	free(live);
	return 0;
}

int pass_renumber(struct accel_network *net, struct accel_error *err)
{
	uint32_t *number = malloc((net->nvalues + (size_t)1) * sizeof(*number)), n = 0;

	if (!number)
		return accel_fail(err, -ENOMEM, NULL, "%s: out of memory", net->file);
	memset(number, 0xff, net->nvalues * sizeof(*number));
	/* used: 0 for now */
	for (unsigned int i = 0; i < net->ninputs; i++)
		number[net->inputs[i]] = 0;
	for (unsigned int i = 0; i < net->noutputs; i++)
		number[net->outputs[i]] = 0;
	for (unsigned int i = 0; i < net->nnodes; i++) {
		const struct net_node *node = &net->nodes[i];

		for (unsigned int k = 0; k < node->nin; k++)
			if (node->in[k] != NET_NONE)
				number[node->in[k]] = 0;
		for (unsigned int k = 0; k < node->nout; k++)
			if (node->out[k] != NET_NONE)
				number[node->out[k]] = 0;
	}
	for (uint32_t v = 0; v < net->nvalues; v++) {
		if (number[v] == NET_NONE) {
			free(net->values[v].name);
			net_drop_constant(&net->values[v]);
			continue;
		}
		number[v] = n;
		net->values[n++] = net->values[v];
	}
	net->nvalues = n;
	for (unsigned int i = 0; i < net->ninputs; i++)
		net->inputs[i] = number[net->inputs[i]];
	for (unsigned int i = 0; i < net->noutputs; i++)
		net->outputs[i] = number[net->outputs[i]];
	for (unsigned int i = 0; i < net->nnodes; i++) {
		struct net_node *node = &net->nodes[i];

		for (unsigned int k = 0; k < node->nin; k++)
			node->in[k] = node->in[k] == NET_NONE ? NET_NONE : number[node->in[k]];
		for (unsigned int k = 0; k < node->nout; k++)
			node->out[k] = node->out[k] == NET_NONE ? NET_NONE : number[node->out[k]];
	}
	free(number);
	return 0;
}

int pass_all(struct accel_network *net, struct accel_error *err)
{
	static int (*const passes[])(struct accel_network *, bool *, struct accel_error *) = {
		pass_pad, pass_batch_norm, pass_merge, pass_hard_swish, pass_gelu, pass_activation,
	};
	bool changed = true, scaled = false;
	int ret = pass_dead(net, err);

	while (!ret && changed) {
		changed = false;
		for (size_t i = 0; !ret && i < sizeof(passes) / sizeof(passes[0]); i++) {
			ret = passes[i](net, &changed, err);
			ret = ret ? ret : pass_dead(net, err);
		}
		/* what a convolution could take in has been */
		if (!ret && !changed && !scaled) {
			ret = pass_scaling(net, &changed, err);
			scaled = true;
		}
	}
	return ret ? ret : pass_renumber(net, err);
}
