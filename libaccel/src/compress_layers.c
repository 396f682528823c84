// SPDX-License-Identifier: GPL-2.0 OR MIT
/* Which constants of a network are weights to be compressed, and what the options say of each. */
#include "compress.h"
#include "graph.h"
#include "op.h"
#include "pass.h"

#include <errno.h>
#include <fnmatch.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define CONV_BITS 8u
#define FC_BITS   4u
#define WORTH     4u       /* weights for each shared value, or the codebook costs too much of what is won */
#define LEAST_BITS 4u      /* what a layer would have at least, if its own bits would not pay */

/* The input that is weights: a convolution's kernels, a matrix. */
static bool has_weights(const struct accel_network *net, const struct net_node *node, bool *conv)
{
	const struct net_value *w;

	*conv = pass_is(node, "Conv") || pass_is(node, "ConvTranspose");
	if (!*conv && !pass_is(node, "Gemm") && !pass_is(node, "MatMul"))
		return false;
	if (node->nin < 2 || node->in[1] == NET_NONE)
		return false;
	w = &net->values[node->in[1]];
	return w->data && w->type == NET_F32 && w->count && (*conv || w->ndim == 2);
}

static int check_finite(const struct compress *c, const struct accel_network *net, const struct net_node *node)
{
	const struct net_value *w = &net->values[node->in[1]];
	const float *v = w->data;

	for (uint64_t i = 0; i < w->count; i++)
		if (!isfinite(v[i]))
			return accel_fail(c->err, -EDOM, node->name, "%s: weights '%s' of layer '%s': value %llu is %s; train or export it again", net->file,
					  w->name, node->name, (unsigned long long)i, isnan(v[i]) ? "NaN" : "infinite");
	return 0;
}

/*
 * The codebook of a layer left to be compressed must be small beside its weights. A small one is not taken down to fewer bits for that: its codebook is small beside the file, and the first layers
 * of a network, which are small, are those that bear least.
 */
static unsigned int affordable(unsigned int bits, uint64_t n)
{
	return (uint64_t)compress_values(bits < LEAST_BITS ? bits : LEAST_BITS) * WORTH > n ? 0 : bits;
}

/* Later lines change what earlier ones said. *used [noverrides]: the ones that are about a layer. */
static void settle(const struct compress *c, const char *name, struct compress_layer *l, bool *used)
{
	const struct accel_compress_options *o = c->options;
	unsigned int wish = l->conv ? o->conv_bits : o->fc_bits;
	char layer[ACCEL_MAX_NAME + 1];
	bool group = compress_row_group(name, layer, sizeof(layer));

	l->bits = affordable(wish ? wish : l->conv ? CONV_BITS : FC_BITS, l->n);
	for (unsigned int i = 0; i < o->noverrides; i++) {
		const struct accel_compress_layer *over = &o->overrides[i];

		if (fnmatch(over->pattern, name, 0) && (!group || fnmatch(over->pattern, layer, 0)))
			continue;
		used[i] = true;
		l->bits = over->keep ? 0 : over->bits ? over->bits : l->bits;
		l->bits_given = l->bits_given || over->bits;
		l->density = over->density > 0 ? over->density : l->density;
	}
}

/* A constant of one value a row that only this node reads. */
static uint32_t own_bias(const struct accel_network *net, const struct net_node *node)
{
	uint32_t bias = node->nin > 2 ? node->in[2] : NET_NONE;
	const struct net_value *b = bias == NET_NONE ? NULL : &net->values[bias], *w = &net->values[node->in[1]];
	const struct net_attr *beta = op_attr(node, "beta"), *turned = op_attr(node, "transB");
	unsigned int readers = 0;

	if (!b || !b->data || b->type != NET_F32 || (beta && beta->floats[0] != 1))
		return NET_NONE;
	if (b->count != w->dims[pass_is(node, "Gemm") && !(turned && turned->ints[0]) ? 1 : 0])
		return NET_NONE;
	for (unsigned int n = 0; n < net->nnodes; n++)
		for (unsigned int i = 0; i < net->nodes[n].nin; i++)
			readers += net->nodes[n].in[i] == bias;
	return readers == 1 ? bias : NET_NONE;
}

static int add(struct compress *c, const struct accel_network *net, unsigned int n, bool conv, bool *used)
{
	const struct net_node *node = &net->nodes[n];
	struct compress_layer *l = &c->layer[c->n];
	int ret;

	for (unsigned int i = 0; i < c->n; i++)
		if (c->layer[i].value == node->in[1])
			return 0;
	ret = check_finite(c, net, node);
	if (ret)
		return ret;
	*l = (struct compress_layer){ .node = n, .value = node->in[1], .bias = own_bias(net, node), .name = strdup(node->name), .op = net_op_name(node), .conv = conv,
				      .n = net->values[node->in[1]].count };
	if (!l->name)
		return accel_fail(c->err, -ENOMEM, NULL, "%s: out of memory", net->file);
	/* the importer looks for scales of convolutions' rows only */
	l->rows_first = pass_is(node, "Conv");
	l->positions = (double)node->work / (double)l->n;
	settle(c, node->name, l, used);
	c->n++;
	return 0;
}

int compress_find(struct compress *c, const struct accel_network *net)
{
	const struct accel_compress_options *o = c->options;
	bool *used = calloc(o->noverrides + (size_t)1, sizeof(*used)), conv;
	int ret = 0;

	c->layer = calloc(net->nnodes + (size_t)1, sizeof(*c->layer));
	if (!used || !c->layer)
		ret = accel_fail(c->err, -ENOMEM, NULL, "%s: out of memory", net->file);
	for (unsigned int n = 0; !ret && n < net->nnodes; n++)
		if (has_weights(net, &net->nodes[n], &conv))
			ret = add(c, net, n, conv, used);
	if (!ret && !c->n)
		ret = accel_fail(c->err, -EINVAL, NULL, "%s: nothing to compress: no Conv, ConvTranspose, Gemm or MatMul has constant weights", net->file);
	for (unsigned int i = 0; !ret && i < o->noverrides; i++)
		if (!used[i])
			ret = accel_fail(c->err, -EINVAL, NULL, "%s: no layer with weights is named '%s'; the first is '%s'", net->file,
					 o->overrides[i].pattern, c->layer[0].name);
	free(used);
	return ret;
}

void compress_free(struct compress *c)
{
	for (unsigned int i = 0; i < c->n; i++) {
		free(c->layer[i].name);
		prune_curve_free(&c->layer[i].curve);
		second_free(c->layer[i].second);
		free(c->layer[i].error);
		free(c->layer[i].rounding);
		free(c->layer[i].fine);
	}
	free(c->layer);
	c->layer = NULL;
	c->n = 0;
}
