// SPDX-License-Identifier: GPL-2.0 OR MIT
/* Attributes of ONNX nodes. */
#include "onnx.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* AttributeProto.AttributeType */
enum { FLOAT = 1, INT, STRING, TENSOR, GRAPH, FLOATS, INTS, STRINGS };

/* Old files do not say the type: the field that is there tells. */
static int type_of(const Onnx__AttributeProto *a)
{
	if (a->has_type && a->type)
		return a->type;
	return a->has_f ? FLOAT : a->has_i ? INT : a->has_s ? STRING : a->t ? TENSOR : a->has_g ? GRAPH : a->n_floats ? FLOATS :
	       a->n_strings ? STRINGS : INTS;
}

/* Texts may hold zeros in a damaged file: they end there. */
static int add_text(struct net_node *node, const char *name, const uint8_t *text, size_t len)
{
	return net_node_add_attr(node, name, NET_TEXT, len ? (uint32_t)strnlen((const char *)text, len) : 0, text) ? 0 : -ENOMEM;
}

static int add_strings(struct net_node *node, const Onnx__AttributeProto *a)
{
	size_t len = 0, at = 0;
	char *all;
	int ret;

	for (size_t i = 0; i < a->n_strings; i++)
		len += a->strings[i].len + 1;
	all = malloc(len + 1);
	if (!all)
		return -ENOMEM;
	for (size_t i = 0; i < a->n_strings; i++) {
		if (i)
			all[at++] = ',';
		if (a->strings[i].len)
			memcpy(all + at, a->strings[i].data, a->strings[i].len);
		at += a->strings[i].len;
	}
	ret = add_text(node, a->name, (const uint8_t *)all, at);
	free(all);
	return ret;
}

static int add_tensor(struct accel_network *net, struct net_node *node, const Onnx__TensorProto *t, const struct onnx_source *source,
		      struct accel_error *err)
{
	uint32_t number, *in;
	int ret = onnx_constant(net, t, "", source, &number, err);

	if (ret)
		return ret;
	in = realloc(node->in, (node->nin + (size_t)2) * sizeof(*in));
	if (!in)
		return -ENOMEM;
	node->in = in;
	node->in[node->nin++] = number;
	return 0;
}

static int add_list(struct net_node *node, const char *name, enum net_attr_type type, size_t n, const void *values)
{
	struct net_attr *a;

	if (n > UINT32_MAX / 16)
		return -ENOMEM;
	a = net_node_add_attr(node, name, type, (uint32_t)n, values);
	if (a)
		a->list = true;
	return a ? 0 : -ENOMEM;
}

int onnx_attrs(struct accel_network *net, const Onnx__NodeProto *n, const struct onnx_source *source, struct net_node *node,
	       struct accel_error *err)
{
	for (size_t i = 0; i < n->n_attribute; i++) {
		const Onnx__AttributeProto *a = n->attribute[i];
		int64_t integer = a->i;
		int ret = 0;

		if (!a->name || !*a->name)
			return NET_FAIL(net, node, -EINVAL, err, "an attribute without a name");
		switch (type_of(a)) {
		case FLOAT:
			ret = net_node_add_attr(node, a->name, NET_FLOATS, 1, &a->f) ? 0 : -ENOMEM;
			break;
		case INT:
			ret = net_node_add_attr(node, a->name, NET_INTS, 1, &integer) ? 0 : -ENOMEM;
			break;
		case STRING:
			ret = add_text(node, a->name, a->s.data, a->s.len);
			break;
		case TENSOR:
			ret = a->t ? add_tensor(net, node, a->t, source, err) : -EINVAL;
			break;
		case FLOATS:
			ret = add_list(node, a->name, NET_FLOATS, a->n_floats, a->floats);
			break;
		case INTS:
			ret = add_list(node, a->name, NET_INTS, a->n_ints, a->ints);
			break;
		case STRINGS:
			ret = add_strings(node, a);
			break;
		default:
			return NET_FAIL(net, node, -ENOTSUP, err, "attribute '%s' is of type %d, which is not supported", a->name,
					type_of(a));
		}
		if (ret == -ENOMEM)
			return NET_FAIL(net, node, ret, err, "out of memory");
		if (ret)
			return ret;
	}
	return 0;
}
