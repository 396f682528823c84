// SPDX-License-Identifier: GPL-2.0 OR MIT
/* Constant folding: with all shapes known, what depends on constants alone is computed once. */
#include "op.h"

#include <errno.h>
#include <stdlib.h>

/* Shape and Size need no elements, only the shape. */
static bool needs_shape_only(const struct net_node *node)
{
	return node->op->run == op_shape_run || node->op->run == op_size_run;
}

bool net_can_fold(const struct accel_network *net, const struct net_node *node)
{
	if (!node->op || node->work > net->fold_work)
		return false;
	for (unsigned int i = 0; i < node->nin && !needs_shape_only(node); i++)
		if (node->in[i] != NET_NONE && !net->values[node->in[i]].data)
			return false;
	return true;
}

int net_fold(struct accel_network *net, struct net_node *node, struct accel_error *err)
{
	struct tensor *tensors = calloc(node->nin + (size_t)node->nout + 1, sizeof(*tensors));
	struct pool *pool = pool_new(1);
	struct op_run run = { node, tensors, tensors + node->nin, pool };
	int ret;

	net->fold_work -= node->work;
	ret = tensors && pool && !pool_reserve(pool, node->scratch) ? 0 : -ENOMEM;

	for (unsigned int i = 0; !ret && i < node->nout; i++) {
		void *data;

		if (node->out[i] != NET_NONE)
			ret = net_make_constant(net, node->out[i], &data, err);
	}
	for (unsigned int i = 0; !ret && i < node->nin + node->nout; i++) {
		uint32_t v = i < node->nin ? node->in[i] : node->out[i - node->nin];
		const struct net_value *value = v == NET_NONE ? NULL : &net->values[v];

		if (value)
			tensors[i] = (struct tensor){ .type = value->type, .ndim = value->ndim, .dims = value->dims,
						      .count = value->count, .p = value->data };
	}
	if (!ret)
		node->op->run(&run);
	else if (ret == -ENOMEM)
		ret = NET_FAIL(net, node, ret, err, "out of memory");
	pool_free(pool);
	free(tensors);
	return ret;
}
