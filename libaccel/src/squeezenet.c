// SPDX-License-Identifier: GPL-2.0 OR MIT
/* SqueezeNet v1.0 (Iandola et al., arXiv 1602.07360), as the prototxt beside the authors' compressed weights has it. */
#include "squeezenet.h"
#include "op.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define OPSET 13

struct builder {
	struct accel_network *net;
	struct accel_error *err;
	int ret;                   /* the first failure sticks */
};

static void note(struct builder *b, int ret)
{
	b->ret = b->ret ? b->ret : ret;
}

/* A node of one new output, named as the node; attrs are copied. */
static uint32_t add(struct builder *b, const char *op, const char *name, unsigned int nin, const uint32_t *in, unsigned int nattrs,
		    const struct net_attr *attrs)
{
	struct net_node node;
	uint32_t out = NET_NONE;

	if (b->ret)
		return NET_NONE;
	note(b, net_add_value(b->net, name, NET_F32, 0, NULL, &out, b->err));
	if (b->ret)
		return NET_NONE;
	if (net_node_init(&node, op_find(op), name, OPSET, nin, 1)) {
		note(b, accel_fail(b->err, -ENOMEM, NULL, "%s: out of memory", b->net->file));
		return NET_NONE;
	}
	memcpy(node.in, in, nin * sizeof(*in));
	node.out[0] = out;
	for (unsigned int i = 0; i < nattrs; i++) {
		struct net_attr *a = net_node_add_attr(&node, attrs[i].name, NET_INTS, attrs[i].n, attrs[i].ints);

		if (!a) {
			note(b, accel_fail(b->err, -ENOMEM, NULL, "%s: out of memory", b->net->file));
			net_node_clear(&node);
			return NET_NONE;
		}
		a->list = attrs[i].list;
	}
	note(b, net_infer(b->net, &node, b->err));
	if (b->ret)
		net_node_clear(&node);
	else
		note(b, net_add_node(b->net, &node, b->err));
	return out;
}

/* With ReLU behind it; weights and biases are zeros for now. */
static uint32_t conv(struct builder *b, const char *name, uint32_t in, uint32_t outputs, uint32_t kernel, int64_t stride, int64_t pad)
{
	int64_t strides[2] = { stride, stride }, pads[4] = { pad, pad, pad, pad };
	const struct net_attr attrs[] = {
		{ .name = (char *)(uintptr_t)"strides", .n = 2, .list = true, .ints = strides },
		{ .name = (char *)(uintptr_t)"pads", .n = 4, .list = true, .ints = pads },
	};
	uint32_t values[3] = { in, NET_NONE, NET_NONE }, dims[4] = { outputs, 0, kernel, kernel }, out;
	char text[64];
	void *data;

	if (b->ret)
		return NET_NONE;
	dims[1] = b->net->values[in].dims[1];
	snprintf(text, sizeof(text), "%s.weight", name);
	note(b, net_add_constant(b->net, text, NET_F32, 4, dims, &values[1], &data, b->err));
	snprintf(text, sizeof(text), "%s.bias", name);
	if (!b->ret)
		note(b, net_add_constant(b->net, text, NET_F32, 1, &outputs, &values[2], &data, b->err));
	out = add(b, "Conv", name, 3, values, 2, attrs);
	snprintf(text, sizeof(text), "%s.relu", name);
	return add(b, "Relu", text, 1, &out, 0, NULL);
}

static uint32_t pool(struct builder *b, const char *name, uint32_t in)
{
	int64_t shape[2] = { 3, 3 }, strides[2] = { 2, 2 };
	const struct net_attr attrs[] = {
		{ .name = (char *)(uintptr_t)"kernel_shape", .n = 2, .list = true, .ints = shape },
		{ .name = (char *)(uintptr_t)"strides", .n = 2, .list = true, .ints = strides },
	};

	return add(b, "MaxPool", name, 1, &in, 2, attrs);
}

static uint32_t fire(struct builder *b, unsigned int number, uint32_t in, uint32_t squeeze, uint32_t expand)
{
	int64_t one = 1;
	const struct net_attr axis = { .name = (char *)(uintptr_t)"axis", .n = 1, .ints = &one };
	uint32_t halves[2], small;
	char text[64];

	snprintf(text, sizeof(text), "fire%u/conv1x1_1", number);
	small = conv(b, text, in, squeeze, 1, 1, 0);
	snprintf(text, sizeof(text), "fire%u/conv1x1_2", number);
	halves[0] = conv(b, text, small, expand, 1, 1, 0);
	snprintf(text, sizeof(text), "fire%u/conv3x3_2", number);
	halves[1] = conv(b, text, small, expand, 3, 1, 1);
	snprintf(text, sizeof(text), "fire%u/concat", number);
	return add(b, "Concat", text, 2, halves, 1, &axis);
}

int squeezenet_new(const char *file, struct accel_network **net, struct accel_error *err)
{
	static const uint32_t input[4] = { 1, 3, 227, 227 };
	struct builder b = { .net = net_new(file), .err = err };
	uint32_t x = NET_NONE;

	if (!b.net || !(b.net->inputs = malloc(sizeof(*b.net->inputs))) || !(b.net->outputs = malloc(sizeof(*b.net->outputs)))) {
		net_free(b.net);
		return accel_fail(err, -ENOMEM, NULL, "%s: out of memory", file);
	}
	note(&b, net_add_value(b.net, "data", NET_F32, 4, input, &x, err));
	b.net->inputs[b.net->ninputs++] = x;
	x = pool(&b, "pool1", conv(&b, "conv1", x, 96, 7, 2, 0));
	for (unsigned int n = 2; n <= 9; n++) {
		x = fire(&b, n, x, 16 * (n / 2), 64 * (n / 2));
		if (n == 4 || n == 8)
			x = pool(&b, n == 4 ? "pool4" : "pool8", x);
	}
	/* the prototxt pads a kernel of one pixel, and the weights were trained so */
	x = conv(&b, "conv_final", x, 1000, 1, 1, 1);
	x = add(&b, "GlobalAveragePool", "pool_final", 1, &x, 0, NULL);
	b.net->outputs[b.net->noutputs++] = x;
	if (b.ret)
		net_free(b.net);
	else
		*net = b.net;
	return b.ret;
}
