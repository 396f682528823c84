// SPDX-License-Identifier: GPL-2.0 OR MIT
/* Batch normalisation and constant factors go into the weights of the convolution before them, padding into its window. */
#include "net_codes.h"
#include "op.h"
#include "pass.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static int no_memory(const struct accel_network *net, struct accel_error *err)
{
	return accel_fail(err, -ENOMEM, NULL, "%s: out of memory", net->file);
}

/* ---------------------------------------------------------------- batch normalisation */

/* Factor and shift of each channel: y = x * factor + shift. */
struct affine {
	uint32_t n;
	double *factor, *shift;
};

static int affine_new(struct affine *a, uint32_t n)
{
	*a = (struct affine){ n, calloc(n, sizeof(double)), calloc(n, sizeof(double)) };
	return a->factor && a->shift ? 0 : -ENOMEM;
}

static void affine_free(struct affine *a)
{
	free(a->factor);
	free(a->shift);
}

static const float *constant(const struct accel_network *net, const struct net_node *node, unsigned int i, uint32_t n)
{
	const struct net_value *v = i < node->nin && node->in[i] != NET_NONE ? &net->values[node->in[i]] : NULL;

	return v && v->data && v->type == NET_F32 && v->count == n ? v->data : NULL;
}

/* A constant of one number a channel, [1, n, 1, 1] or [n, 1, 1], or of one number. */
static const float *per_channel(const struct accel_network *net, uint32_t value, unsigned int ndim, uint32_t n, bool *one)
{
	const struct net_value *v = value == NET_NONE ? NULL : &net->values[value];

	if (!v || !v->data || v->type != NET_F32 || v->ndim > ndim)
		return NULL;
	*one = v->count == 1;
	if (*one)
		return v->data;
	if (v->count != n || v->ndim + 1 < ndim || v->dims[v->ndim + 1 - ndim] != n)
		return NULL;
	return v->data;
}

/* What the node behind a convolution does to a channel, before its activation; false: nothing that weights could do. */
static bool affine_of(const struct accel_network *net, const struct net_node *node, uint32_t x, struct affine *a)
{
	unsigned int other = node->in[0] == x ? 1 : 0;
	const float *v;
	bool one;

	if (pass_is(node, "BatchNormalization") && node->in[0] == x) {
		const float *scale = constant(net, node, 1, a->n), *shift = constant(net, node, 2, a->n);
		const float *mean = constant(net, node, 3, a->n), *variance = constant(net, node, 4, a->n);
		const struct net_attr *e = op_attr(node, "epsilon");
		double epsilon = e ? (double)e->floats[0] : 1e-5;

		if (!scale || !shift || !mean || !variance)
			return false;
		for (uint32_t c = 0; c < a->n; c++) {
			a->factor[c] = (double)scale[c] / sqrt((double)variance[c] + epsilon);
			a->shift[c] = (double)shift[c] - (double)mean[c] * a->factor[c];
		}
		return true;
	}
	if (!pass_is(node, "Mul") && !pass_is(node, "Add"))
		return false;
	v = per_channel(net, node->in[other], net->values[x].ndim, a->n, &one);
	if (!v)
		return false;
	for (uint32_t c = 0; c < a->n; c++) {
		double k = (double)v[one ? 0 : c];

		a->factor[c] = pass_is(node, "Mul") ? k : 1;
		a->shift[c] = pass_is(node, "Mul") ? 0 : k;
	}
	return true;
}

/* Weights that share few values keep them: what multiplies a row becomes a factor beside the codebook. -ENOMEM. */
static int keep_codebook(const struct net_value *old, const struct affine *a, struct net_value *to)
{
	float codebook[256];
	unsigned int n = old->ncodes;
	bool scaled = old->row_scale;

	if (old->codebook)
		memcpy(codebook, old->codebook, n * sizeof(*codebook));
	else if (!net_shares_values(old, codebook, &n))
		return 0;
	for (uint32_t c = 0; c < a->n; c++)
		scaled = scaled || a->factor[c] != 1;
	to->row_scale = scaled ? malloc(a->n * sizeof(*to->row_scale)) : NULL;
	if (scaled && !to->row_scale)
		return -ENOMEM;
	for (uint32_t c = 0; scaled && c < a->n; c++)
		to->row_scale[c] = (float)(a->factor[c] * (old->row_scale ? (double)old->row_scale[c] : 1));
	return net_keep_codebook(to, codebook, n);
}

/* New weights and bias: a constant may have other readers. */
static int scale_weights(struct accel_network *net, struct net_node *conv, const struct affine *a, bool transposed, struct accel_error *err)
{
	struct net_value w = net->values[conv->in[1]], bias = { 0 };
	const float *old = w.data;
	uint64_t inner = op_product(w.dims, 2, w.ndim);
	uint32_t number, group = transposed ? w.dims[1] : 0, groups = transposed ? a->n / w.dims[1] : 0;
	float *to;
	void *data;
	int ret;

	if (conv->nin > 2 && conv->in[2] != NET_NONE)
		bias = net->values[conv->in[2]];
	ret = net_add_constant(net, "", NET_F32, w.ndim, w.dims, &number, &data, err);
	if (ret)
		return ret;
	to = data;
	for (uint64_t i = 0; i < w.count; i++) {
		/* weights are [out, in / groups, ...], those of a transposed convolution [in, out / groups, ...] */
		uint64_t c = transposed ? i / inner / group / (w.dims[0] / groups) * group + i / inner % group : i / (w.count / a->n);

		to[i] = (float)((double)old[i] * a->factor[c]);
	}
	if (!transposed && keep_codebook(&w, a, &net->values[number]))
		return no_memory(net, err);
	net->values[number].merged = w.merged;
	conv->in[1] = number;
	ret = net_add_constant(net, "", NET_F32, 1, &a->n, &number, &data, err);
	if (ret)
		return ret;
	to = data;
	for (uint32_t c = 0; c < a->n; c++)
		to[c] = (float)((bias.data ? (double)((const float *)bias.data)[c] : 0) * a->factor[c] + a->shift[c]);
	if (conv->nin < 3) {
		uint32_t *in = realloc(conv->in, 3 * sizeof(*in));

		if (!in)
			return no_memory(net, err);
		conv->in = in;
		conv->nin = 3;
	}
	conv->in[2] = number;
	return 0;
}

static bool takes_affine(const struct accel_network *net, const struct net_node *node)
{
	if ((!pass_is(node, "Conv") && !pass_is(node, "ConvTranspose")) || node->act.kind || !net->values[node->in[1]].data)
		return false;
	return node->nin < 3 || node->in[2] == NET_NONE || net->values[node->in[2]].data;
}

int pass_batch_norm(struct accel_network *net, bool *changed, struct accel_error *err)
{
	struct pass_users users;
	int ret = pass_users_new(net, &users, err);

	if (ret)
		return ret;
	for (unsigned int n = 0; !ret && n < net->nnodes; n++) {
		struct net_node *conv = &net->nodes[n], *next;
		struct affine a = { 0 };
		uint32_t x;

		if (!conv->name || !takes_affine(net, conv))
			continue;
		x = conv->out[0];
		next = pass_only_reader(net, &users, x);
		if (!next || !next->op)
			continue;
		if (affine_new(&a, net->values[x].dims[1])) {
			ret = no_memory(net, err);
		} else if (affine_of(net, next, x, &a)) {
			ret = scale_weights(net, conv, &a, pass_is(conv, "ConvTranspose"), err);
			if (!ret) {
				struct net_act act = next->act;

				pass_take_output(conv, next);
				conv->act = act;
				/* bias and weights are other values now: the plan looks at their shapes only, but they may be new */
				ret = net_infer(net, conv, err);
				*changed = true;
			}
		}
		affine_free(&a);
	}
	pass_users_free(&users);
	return ret;
}

/* ---------------------------------------------------------------- batch normalisation by itself */

/* A convolution of one pixel, in each channel: ones, with the factors beside them, and the shifts as biases. */
static int scaling_conv(struct accel_network *net, const struct net_node *norm, const struct affine *a, struct net_node *conv, struct accel_error *err)
{
	static const float ones[2] = { 0, 1 };
	const uint32_t dims[4] = { a->n, 1, 1, 1 };
	const int64_t groups = a->n;
	struct net_value *w;
	void *weights, *bias;
	int ret = net_add_constant(net, "", NET_F32, 4, dims, &conv->in[1], &weights, err);

	ret = ret ? ret : net_add_constant(net, "", NET_F32, 1, dims, &conv->in[2], &bias, err);
	if (ret)
		return ret;
	w = &net->values[conv->in[1]];
	w->row_scale = malloc(a->n * sizeof(*w->row_scale));
	if (!w->row_scale || net_keep_codebook(w, ones, 2) || !net_node_add_attr(conv, "group", NET_INTS, 1, &groups))
		return no_memory(net, err);
	for (uint32_t c = 0; c < a->n; c++) {
		((float *)weights)[c] = w->row_scale[c] = (float)a->factor[c];
		((float *)bias)[c] = (float)a->shift[c];
	}
	conv->in[0] = norm->in[0];
	conv->out[0] = norm->out[0];
	return net_infer(net, conv, err);
}

int pass_scaling(struct accel_network *net, bool *changed, struct accel_error *err)
{
	int ret = 0;

	for (unsigned int n = 0; !ret && n < net->nnodes; n++) {
		struct net_node *norm = &net->nodes[n], conv = { 0 };
		const struct net_value *x;
		struct affine a = { 0 };

		if (!norm->name || !pass_is(norm, "BatchNormalization") || norm->act.kind || norm->nout != 1)
			continue;
		x = &net->values[norm->in[0]];
		if (x->type != NET_F32 || x->data || x->ndim != 4 || !x->count)
			continue;
		if (affine_new(&a, x->dims[1])) {
			ret = no_memory(net, err);
		} else if (affine_of(net, norm, norm->in[0], &a)) {
			ret = net_node_init(&conv, op_find("Conv"), norm->name, 13, 3, 1) ? no_memory(net, err) : scaling_conv(net, norm, &a, &conv, err);
			if (ret) {
				net_node_clear(&conv);
			} else {
				net_node_clear(&net->nodes[n]);
				net->nodes[n] = conv;
				*changed = true;
			}
		}
		affine_free(&a);
	}
	return ret;
}

/* ---------------------------------------------------------------- padding */

/* Zeros around the spatial dimensions, none elsewhere: amounts into pads. */
static bool zero_padding(const struct accel_network *net, const struct net_node *pad, int64_t *amounts)
{
	const struct net_value *x = &net->values[pad->in[0]];
	const struct net_value *list = pad->nin > 1 && pad->in[1] != NET_NONE ? &net->values[pad->in[1]] : NULL;
	const struct net_attr *attr = op_attr(pad, "pads"), *mode = op_attr(pad, "mode"), *value = op_attr(pad, "value");
	float constant = 0;

	if ((mode && strcmp(mode->text, "constant")) || (pad->nin > 3 && pad->in[3] != NET_NONE) || x->ndim < 3 || x->ndim > 5)
		return false;
	if (pad->nin > 2 && pad->in[2] != NET_NONE && !pass_scalar(net, pad->in[2], &constant))
		return false;
	if (value && pad->opset < 11)
		constant = value->floats[0];
	if (constant != 0)
		return false;
	if (list && list->type == NET_I64 && list->data && list->count == 2 * (uint64_t)x->ndim)
		memcpy(amounts, list->data, 2 * x->ndim * sizeof(*amounts));
	else if (!list && attr && attr->n == 2 * x->ndim)
		memcpy(amounts, attr->ints, 2 * x->ndim * sizeof(*amounts));
	else
		return false;
	for (unsigned int i = 0; i < 2 * x->ndim; i++)
		if (amounts[i] < 0 || amounts[i] > 1 << 20 || (i % x->ndim < 2 && amounts[i]))
			return false;
	return true;
}

int pass_pad(struct accel_network *net, bool *changed, struct accel_error *err)
{
	struct pass_users users;
	int ret = pass_users_new(net, &users, err);

	if (ret)
		return ret;
	for (unsigned int n = 0; !ret && n < net->nnodes; n++) {
		struct net_node *pad = &net->nodes[n], *conv;
		int64_t amounts[2 * NET_MAX_DIMS], pads[2 * NET_MAX_DIMS] = { 0 };
		const struct net_attr *old, *automatic;
		unsigned int spatial;

		if (!pad->name || !pass_is(pad, "Pad") || !zero_padding(net, pad, amounts))
			continue;
		conv = pass_only_reader(net, &users, pad->out[0]);
		if (!conv || !pass_is(conv, "Conv") || conv->in[0] != pad->out[0])
			continue;
		automatic = op_attr(conv, "auto_pad");
		if (automatic && strcmp(automatic->text, "NOTSET"))
			continue;
		spatial = net->values[pad->in[0]].ndim - 2;
		old = op_attr(conv, "pads");
		for (unsigned int i = 0; i < spatial; i++) {
			pads[i] = amounts[2 + i] + (old ? old->ints[i] : 0);
			pads[spatial + i] = amounts[spatial + 4 + i] + (old ? old->ints[spatial + i] : 0);
		}
		if (old) {
			memcpy(old->ints, pads, 2 * spatial * sizeof(*pads));
		} else {
			struct net_attr *a = net_node_add_attr(conv, "pads", NET_INTS, 2 * spatial, pads);

			if (!a)
				ret = no_memory(net, err);
			else
				a->list = true;
		}
		conv->in[0] = pad->in[0];
		net_node_clear(pad);
		ret = ret ? ret : net_infer(net, conv, err);
		*changed = true;
	}
	pass_users_free(&users);
	return ret;
}
