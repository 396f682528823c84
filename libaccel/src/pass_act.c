// SPDX-License-Identifier: GPL-2.0 OR MIT
/* Activations go into the node before them, or out of it; what exporters write for hard-swish becomes one operator. */
#include "graph.h"
#include "op.h"
#include "pass.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---------------------------------------------------------------- activations */

static bool is_float(const struct accel_network *net, uint32_t value)
{
	return net->values[value].type == NET_F32;
}

/* The limits of a Clip on floats, whose limits, where they are inputs, are constants. */
static bool clip_limits(const struct accel_network *net, const struct net_node *node, float *lo, float *hi)
{
	const struct net_attr *min = op_attr(node, "min"), *max = op_attr(node, "max");

	*lo = -INFINITY;
	*hi = INFINITY;
	if (node->opset < 11) {
		*lo = min ? min->floats[0] : *lo;
		*hi = max ? max->floats[0] : *hi;
		return true;
	}
	if (node->nin > 1 && node->in[1] != NET_NONE && !pass_scalar(net, node->in[1], lo))
		return false;
	return node->nin < 3 || node->in[2] == NET_NONE || pass_scalar(net, node->in[2], hi);
}

static float attr_float(const struct net_node *node, const char *name, float def)
{
	const struct net_attr *a = op_attr(node, name);

	return a ? a->floats[0] : def;
}

static bool act_of(const struct accel_network *net, const struct net_node *node, struct net_act *act)
{
	if (!node->op || !is_float(net, node->in[0]))
		return false;
	if (pass_is(node, "Relu"))
		*act = (struct net_act){ NET_ACT_CLIP, 0, INFINITY };
	else if (pass_is(node, "Sigmoid"))
		*act = (struct net_act){ .kind = NET_ACT_SIGMOID };
	else if (pass_is(node, "HardSwish"))
		*act = (struct net_act){ .kind = NET_ACT_HARD_SWISH };
	else if (pass_is(node, "HardSigmoid"))
		*act = (struct net_act){ NET_ACT_HARD_SIGMOID, attr_float(node, "alpha", 0.2f), attr_float(node, "beta", 0.5f) };
	else if (pass_is(node, "Clip")) {
		*act = (struct net_act){ .kind = NET_ACT_CLIP };
		return clip_limits(net, node, &act->a, &act->b);
	} else {
		return false;
	}
	return true;
}

static bool takes_act(const struct accel_network *net, const struct net_node *node)
{
	return node->op && op_takes_act(node->op) && !node->act.kind && node->nout == 1 && is_float(net, node->out[0]);
}

int pass_activation(struct accel_network *net, bool *changed, struct accel_error *err)
{
	struct pass_users users;
	int ret = pass_users_new(net, &users, err);

	if (ret)
		return ret;
	for (unsigned int n = 0; n < net->nnodes; n++) {
		struct net_node *node = &net->nodes[n], *next;
		struct net_act act;

		if (!node->name || !takes_act(net, node))
			continue;
		next = pass_only_reader(net, &users, node->out[0]);
		if (!next || !act_of(net, next, &act))
			continue;
		pass_take_output(node, next);
		node->act = act;
		*changed = true;
	}
	pass_users_free(&users);
	return 0;
}

/* ---------------------------------------------------------------- and apart */

static bool is_apart(const struct net_node *node)
{
	const struct net_act *act = &node->act;

	if (!node->op || act->kind == NET_ACT_NONE || (act->kind == NET_ACT_CLIP && act->a == 0 && (act->b == 6 || act->b == INFINITY)))
		return false;
	return pass_is(node, "Conv") || pass_is(node, "Add") || pass_is(node, "Sum") || pass_is(node, "Mul");
}

/* NODE.OPERATOR, and a number where the file has such a node already. */
static void name_part(const struct accel_network *net, const struct net_node *node, const char *op, char *name, size_t size)
{
	bool taken = true;

	snprintf(name, size, "%.220s.%s", node->name, op);
	for (unsigned int k = 2; taken; k++) {
		taken = false;
		for (unsigned int n = 0; n < net->nnodes; n++)
			taken = taken || (net->nodes[n].name && !strcmp(net->nodes[n].name, name));
		if (taken)
			snprintf(name, size, "%.220s.%s%u", node->name, op, k);
	}
}

/* The activation of node as a node of its own, which makes what node has made; node gets a new output. */
static int part(struct accel_network *net, struct net_node *node, struct net_node *act, struct accel_error *err)
{
	static const char *const ops[NET_ACT_NKINDS] = {
		[NET_ACT_CLIP] = "Clip", [NET_ACT_HARD_SWISH] = "HardSwish", [NET_ACT_HARD_SIGMOID] = "HardSigmoid", [NET_ACT_SIGMOID] = "Sigmoid",
	};
	static const char *const names[][2] = { [NET_ACT_CLIP] = { "min", "max" }, [NET_ACT_HARD_SIGMOID] = { "alpha", "beta" } };
	bool parameters = node->act.kind == NET_ACT_CLIP || node->act.kind == NET_ACT_HARD_SIGMOID;
	const struct net_value *y = &net->values[node->out[0]];
	uint32_t dims[NET_MAX_DIMS], fresh;
	char name[ACCEL_MAX_NAME + 1];
	int ret;

	memcpy(dims, y->dims, sizeof(dims));
	ret = net_add_value(net, "", NET_F32, y->ndim, dims, &fresh, err);
	if (ret)
		return ret;
	name_part(net, node, ops[node->act.kind], name, sizeof(name));
	/* limits of a Clip are attributes until operator set 10 */
	if (net_node_init(act, op_find(ops[node->act.kind]), name, node->act.kind == NET_ACT_HARD_SWISH ? 14 : 6, 1, 1) ||
	    (parameters && (!net_node_add_attr(act, names[node->act.kind][0], NET_FLOATS, 1, &node->act.a) ||
			    !net_node_add_attr(act, names[node->act.kind][1], NET_FLOATS, 1, &node->act.b))))
		return accel_fail(err, -ENOMEM, NULL, "%s: out of memory", net->file);
	act->in[0] = fresh;
	act->out[0] = node->out[0];
	node->out[0] = fresh;
	node->act = (struct net_act){ .kind = NET_ACT_NONE };
	ret = net_infer(net, node, err);
	return ret ? ret : net_infer(net, act, err);
}

int pass_apart(struct accel_network *net, struct accel_error *err)
{
	struct net_node *nodes = calloc(2 * (size_t)net->nnodes + 1, sizeof(*nodes));
	unsigned int n = 0;
	int ret = nodes ? 0 : accel_fail(err, -ENOMEM, NULL, "%s: out of memory", net->file);

	for (unsigned int i = 0; nodes && i < net->nnodes; i++) {
		struct net_node *node = &nodes[n++];

		*node = net->nodes[i];
		if (!ret && is_apart(node))
			ret = part(net, node, &nodes[n++], err);
	}
	if (!nodes)
		return ret;
	free(net->nodes);
	net->nodes = nodes;
	net->room_nodes = 2 * net->nnodes + 1;
	net->nnodes = n;
	return ret;
}

/* ---------------------------------------------------------------- hard-swish, Gelu */

/* One input is the constant f: the other one. */
static bool with_constant(const struct accel_network *net, const struct net_node *node, float f, uint32_t *other)
{
	float v;

	for (unsigned int i = 0; i < 2; i++) {
		/* of a quotient only the divisor */
		if ((i == 1 || !pass_is(node, "Div")) && pass_scalar(net, node->in[i], &v) && v == f) {
			*other = node->in[1 - i];
			return net->values[node->in[i]].ndim <= net->values[*other].ndim;
		}
	}
	return false;
}

static const struct net_node *maker(const struct accel_network *net, const struct pass_users *u, uint32_t value, const char *op)
{
	const struct net_node *node;

	if (u->maker[value] == NET_NONE)
		return NULL;
	node = &net->nodes[u->maker[value]];
	return node->name && pass_is(node, op) && !node->act.kind ? node : NULL;
}

/* clip(x + 3, 0, 6): x */
static bool relu6_of_x_plus_3(const struct accel_network *net, const struct pass_users *u, uint32_t value, uint32_t *x)
{
	const struct net_node *clip = maker(net, u, value, "Clip"), *add;
	float lo, hi;

	if (!clip || !clip_limits(net, clip, &lo, &hi) || lo != 0 || hi != 6)
		return false;
	add = maker(net, u, clip->in[0], "Add");
	return add && with_constant(net, add, 3, x);
}


/*
 * The three ways to write x * clip(x + 3, 0, 6) / 6 that were met: (x * clip) / 6, x * (clip / 6), and x * HardSigmoid(x) with
 * slope 1/6. The first keeps its bits; the others round a product more or less.
 */
static bool hard_swish_of(const struct accel_network *net, const struct pass_users *u, const struct net_node *node, uint32_t *x)
{
	const struct net_node *mul, *div, *sigmoid;
	uint32_t product, other;

	if (pass_is(node, "Div") && with_constant(net, node, 6, &product)) {
		mul = maker(net, u, product, "Mul");
		for (unsigned int i = 0; mul && i < 2; i++)
			if (relu6_of_x_plus_3(net, u, mul->in[i], x) && mul->in[1 - i] == *x)
				return true;
		return false;
	}
	if (!pass_is(node, "Mul"))
		return false;
	for (unsigned int i = 0; i < 2; i++) {
		*x = node->in[1 - i];
		div = maker(net, u, node->in[i], "Div");
		if (div && with_constant(net, div, 6, &product) && relu6_of_x_plus_3(net, u, product, &other) && other == *x)
			return true;
		sigmoid = maker(net, u, node->in[i], "HardSigmoid");
		if (sigmoid && sigmoid->in[0] == *x && fabsf(attr_float(sigmoid, "alpha", 0.2f) - 1.0f / 6) < 1e-6f &&
		    attr_float(sigmoid, "beta", 0.5f) == 0.5f)
			return true;
	}
	return false;
}

/* x times a number that rounding to float32 may have changed: about f, or a quotient by about 1 / f. */
static bool scaled_by(const struct accel_network *net, const struct pass_users *u, uint32_t value, double f, uint32_t *x)
{
	const struct net_node *node = maker(net, u, value, "Mul");
	float v;

	for (unsigned int i = 0; node && i < 2; i++) {
		*x = node->in[1 - i];
		if (pass_scalar(net, node->in[i], &v) && fabs((double)v - f) < 1e-6 && net->values[node->in[i]].ndim <= net->values[*x].ndim)
			return true;
	}
	node = maker(net, u, value, "Div");
	if (!node || !pass_scalar(net, node->in[1], &v) || net->values[node->in[1]].ndim > net->values[node->in[0]].ndim)
		return false;
	*x = node->in[0];
	return fabs((double)v - 1 / f) < 1e-6;
}

/* 1 + erf(x / sqrt(2)): x */
static bool erf_and_one(const struct accel_network *net, const struct pass_users *u, uint32_t value, uint32_t *x)
{
	const struct net_node *add = maker(net, u, value, "Add"), *erf;
	uint32_t of;

	if (!add || !with_constant(net, add, 1, &of))
		return false;
	erf = maker(net, u, of, "Erf");
	return erf && scaled_by(net, u, erf->in[0], sqrt(0.5), x);
}

/* The two ways in which x * (1 + erf(x / sqrt(2))) / 2 was met before ONNX had Gelu: the half at the end, or with x. */
static bool gelu_of(const struct accel_network *net, const struct pass_users *u, const struct net_node *node, uint32_t *x)
{
	const struct net_node *mul;
	uint32_t half, product;

	if (!pass_is(node, "Mul"))
		return false;
	mul = with_constant(net, node, 0.5f, &product) ? maker(net, u, product, "Mul") : NULL;
	for (unsigned int i = 0; i < 2; i++) {
		if (mul && erf_and_one(net, u, mul->in[i], x) && mul->in[1 - i] == *x)
			return true;
		if (erf_and_one(net, u, node->in[i], x) && scaled_by(net, u, node->in[1 - i], 0.5, &half) && half == *x)
			return true;
	}
	return false;
}

/* Nodes that are the last of a pattern become the one operator that it is a function of one input with. */
static int replace(struct accel_network *net, const char *op, unsigned int opset,
		   bool (*matches)(const struct accel_network *net, const struct pass_users *u, const struct net_node *node, uint32_t *x), bool *changed,
		   struct accel_error *err)
{
	struct pass_users users;
	int ret = pass_users_new(net, &users, err);

	for (unsigned int n = 0; !ret && n < net->nnodes; n++) {
		struct net_node *node = &net->nodes[n], fresh;
		uint32_t x;

		if (!node->name || !node->op || node->act.kind || node->nout != 1 || !is_float(net, node->out[0]) || !matches(net, &users, node, &x))
			continue;
		if (net_node_init(&fresh, op_find(op), node->name, opset, 1, 1)) {
			ret = accel_fail(err, -ENOMEM, NULL, "%s: out of memory", net->file);
			break;
		}
		fresh.in[0] = x;
		fresh.out[0] = node->out[0];
		net_node_clear(node);
		*node = fresh;
		/* what it was made of is dead now, unless something else reads it */
		ret = net_infer(net, node, err);
		*changed = true;
	}
	pass_users_free(&users);
	return ret;
}

int pass_hard_swish(struct accel_network *net, bool *changed, struct accel_error *err)
{
	return replace(net, "HardSwish", 14, hard_swish_of, changed, err);
}

int pass_gelu(struct accel_network *net, bool *changed, struct accel_error *err)
{
	return replace(net, "Gelu", 20, gelu_of, changed, err);
}
