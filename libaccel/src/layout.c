// SPDX-License-Identifier: GPL-2.0 OR MIT
#include "layout.h"
#include "op.h"
#include "pass.h"

#include <string.h>

static bool is_computed(const struct net_value *v)
{
	return v->type == NET_F32 && !v->data && v->count && v->count <= UINT32_MAX;
}

bool layout_as_image(const struct net_value *v, struct layout *l)
{
	if (!is_computed(v) || v->ndim != 4 || v->dims[0] != 1)
		return false;
	*l = (struct layout){ LAYOUT_IMAGE, v->dims[1], v->dims[2], v->dims[3] };
	return true;
}

bool layout_as_tokens(const struct net_value *v, struct layout *l)
{
	uint32_t channels, width;

	if (!is_computed(v) || v->ndim < 2)
		return false;
	channels = v->dims[v->ndim - 1];
	width = v->dims[v->ndim - 2];
	*l = (struct layout){ LAYOUT_TOKENS, channels, (uint32_t)(v->count / channels / width), width };
	return true;
}

bool layout_same(const struct layout *a, const struct layout *b)
{
	return a->kind == b->kind && a->channels == b->channels && a->height == b->height && a->width == b->width;
}

/* The channels are moved from one end of the pixels' dimensions to the other. */
static bool moves_channels(const int64_t *perm, unsigned int n, enum layout_kind from)
{
	for (unsigned int i = 1; i < n; i++) {
		int64_t want = from == LAYOUT_IMAGE ? (i == n - 1 ? 1 : i + 1) : i == 1 ? n - 1 : i - 1;

		if (perm[i] != want)
			return false;
	}
	return n > 2 && perm[0] == 0;
}

bool layout_of_alias(const struct accel_network *net, const struct net_node *node, const struct layout *from, struct layout *to)
{
	const struct net_value *x = &net->values[node->in[0]], *y = &net->values[node->out[0]];
	const struct net_attr *perm = op_attr(node, "perm");

	/* a single pixel is a row of values, too: it may go to a fully connected layer */
	if (from->kind == LAYOUT_NONE || layout_pixels(from) < 2 || !is_computed(y) || node->act.kind)
		return false;
	*to = *from;
	if (pass_is(node, "Transpose")) {
		if (!perm || x->dims[0] != 1 || !moves_channels(perm->ints, x->ndim, from->kind))
			return false;
		to->kind = from->kind == LAYOUT_IMAGE ? LAYOUT_TOKENS : LAYOUT_IMAGE;
	} else if (!pass_is(node, "Reshape") && !pass_is(node, "Squeeze") && !pass_is(node, "Unsqueeze") && !pass_is(node, "Flatten")) {
		return false;
	}
	if (to->kind == LAYOUT_TOKENS)
		return y->ndim > 1 && y->dims[y->ndim - 1] == to->channels;
	if (y->ndim < 3 || y->dims[0] != 1 || y->dims[1] != to->channels)
		return false;
	return y->ndim != 4 || (y->dims[2] == to->height && y->dims[3] == to->width);
}

bool layout_turned(const struct net_node *node, bool output, unsigned int i)
{
	const struct net_attr *a = op_attr(node, output ? LAYOUT_TURNED_OUT : LAYOUT_TURNED);

	for (uint32_t k = 0; a && k < a->n; k++)
		if (a->ints[k] == i)
			return true;
	return false;
}

/* to [columns, rows] = from [rows, columns], for so many matrices one behind the other. */
static void turn(const float *from, float *to, uint64_t rows, uint64_t columns, unsigned int matrices)
{
	for (unsigned int m = 0; m < matrices; m++, from += rows * columns, to += rows * columns)
		for (uint64_t r = 0; r < rows; r++)
			for (uint64_t c = 0; c < columns; c++)
				to[c * rows + r] = from[r * columns + c];
}

void layout_to_segment(const struct net_node *node, unsigned int input, const float *from, float *to, unsigned int items)
{
	const struct accel_tensor *t = &node->segment->tensors[node->segment->inputs[input]];

	if (layout_turned(node, false, input))
		turn(from, to, t->count / t->dims[0], t->dims[0], items);
	else
		memcpy(to, from, t->count * items * sizeof(*to));
}

void layout_from_segment(const struct net_node *node, unsigned int output, const float *from, float *to, unsigned int items)
{
	const struct accel_tensor *t = &node->segment->tensors[node->segment->outputs[output]];

	if (layout_turned(node, true, output))
		turn(from, to, t->dims[0], t->count / t->dims[0], items);
	else
		memcpy(to, from, t->count * items * sizeof(*to));
}
