// SPDX-License-Identifier: GPL-2.0 OR MIT
#include "netmodel.h"
#include "graph.h"
#include "layout.h"
#include "netrun.h"
#include "op.h"
#include "picture.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static const enum accel_dtype dtypes[NET_NTYPES] = {
	[NET_F32] = ACCEL_DTYPE_FLOAT32, [NET_I64] = ACCEL_DTYPE_INT64, [NET_I32] = ACCEL_DTYPE_INT32, [NET_U8] = ACCEL_DTYPE_UINT8,
	[NET_I8] = ACCEL_DTYPE_INT8, [NET_BOOL] = ACCEL_DTYPE_BOOL,
};

/* Guessed ranges of one segment touch every output. */
static bool all_calibrated(const struct accel_network *net)
{
	for (unsigned int n = 0; n < net->nnodes; n++)
		for (unsigned int t = 0; !net->nodes[n].op && t < net->nodes[n].segment->ntensors; t++)
			if (!net->nodes[n].segment->tensors[t].calibrated)
				return false;
	return true;
}

static int fill_tensor(const struct accel_network *net, uint32_t value, unsigned int skip, struct accel_tensor *t,
		       struct accel_error *err)
{
	const struct net_value *v = &net->values[value];

	if (v->ndim - skip > ACCEL_MAX_DIMS || !v->count || v->count > ACCEL_MAX_DIM)
		return accel_fail(err, -ENOTSUP, v->name, "%s: '%s' is of shape %s; inputs and outputs have at most %d dimensions and 1 to %u values",
				  net->file, v->name, net_shape_text(v->ndim, v->dims).s, ACCEL_MAX_DIMS, ACCEL_MAX_DIM);
	*t = (struct accel_tensor){ .ndim = v->ndim - skip, .count = v->count, 
				    .calibrated = all_calibrated(net), .dtype = dtypes[v->type], .name = strdup(v->name) };
	if (!t->name)
		return accel_fail(err, -ENOMEM, NULL, "%s: out of memory", net->file);
	memcpy(t->dims, v->dims + skip, t->ndim * sizeof(*t->dims));
	return 0;
}

int netmodel_tensors(struct accel_model *model, struct accel_error *err)
{
	const struct accel_network *net = model->net;
	unsigned int n = net->ninputs + net->noutputs, skip = net_batched(net) ? 1 : 0;

	model->tensors = calloc(n, sizeof(*model->tensors));
	model->inputs = calloc(net->ninputs + 1, sizeof(*model->inputs));
	model->outputs = calloc(net->noutputs + 1, sizeof(*model->outputs));
	if (!model->tensors || !model->inputs || !model->outputs)
		return accel_fail(err, -ENOMEM, NULL, "%s: out of memory", net->file);
	for (unsigned int i = 0; i < n; i++) {
		int ret = fill_tensor(net, i < net->ninputs ? net->inputs[i] : net->outputs[i - net->ninputs], skip, &model->tensors[i], err);

		if (ret)
			return ret;
		model->ntensors++;
		if (i < net->ninputs)
			model->inputs[model->ninputs++] = i;
		else
			model->outputs[model->noutputs++] = i;
	}
	if (model->has_preprocess && !model->ninputs)
		return accel_fail(err, -EBADMSG, NULL, "%s: preprocessing, but no input", net->file);
	return model->has_preprocess ? preprocess_check(&model->preprocess, net->file, model->tensors[0].ndim, model->tensors[0].dims, err) : 0;
}

int netmodel_new(struct accel_network *net, struct accel_model **model, struct accel_error *err)
{
	struct accel_model *m = accel_model_alloc();
	int ret;

	if (!m) {
		net_free(net);
		return accel_fail(err, -ENOMEM, NULL, "out of memory");
	}
	m->net = net;
	ret = netmodel_tensors(m, err);
	if (ret)
		accel_model_unref(m);
	else
		*model = m;
	return ret;
}

/* ---------------------------------------------------------------- layers */

unsigned int netmodel_layers(const struct accel_network *net)
{
	unsigned int n = 0;

	for (unsigned int i = 0; i < net->nnodes; i++)
		n += net->nodes[i].op ? 1 : net->nodes[i].segment->nlayers;
	return n;
}

const struct net_node *netmodel_find(const struct accel_network *net, unsigned int index, unsigned int *layer)
{
	for (unsigned int i = 0; i < net->nnodes; i++) {
		unsigned int n = net->nodes[i].op ? 1 : net->nodes[i].segment->nlayers;

		*layer = index;
		if (index < n)
			return &net->nodes[i];
		index -= n;
	}
	return NULL;
}

static uint64_t nonzeros(const struct net_value *v)
{
	uint64_t n = v->count;

	for (uint64_t i = 0; v->type == NET_F32 && i < v->count; i++)
		n -= ((const float *)v->data)[i] == 0;
	return n;
}

int netmodel_layer(const struct accel_network *net, unsigned int index, struct accel_layer_info *info)
{
	unsigned int layer;
	const struct net_node *node = netmodel_find(net, index, &layer);

	if (!node)
		return -ERANGE;
	if (!node->op)
		return accel_model_layer(node->segment, layer, info);
	*info = (struct accel_layer_info){ .name = node->name, .kind = ACCEL_LAYER_OP, .groups = 1, .op = node->op->name };
	for (unsigned int i = 0; i < node->nin; i++) {
		const struct net_value *v = node->in[i] == NET_NONE ? NULL : &net->values[node->in[i]];

		if (!v || !v->data)
			continue;
		info->weights += v->count;
		info->nonzeros += nonzeros(v);
		info->codebook_size = v->ncodes > info->codebook_size + 1 ? v->ncodes - 1 : info->codebook_size;
		info->file_bytes_other += v->stored_bytes;
	}
	return 0;
}

/* ---------------------------------------------------------------- check */

int netmodel_check(const struct accel_model *model, const char *name, struct accel_error *err)
{
	int ret = 0;

	if (!isfinite(model->picture_scale) || model->picture_scale <= 0)
		return accel_fail(err, -EBADMSG, NULL, "%s: picture scale %g", name, (double)model->picture_scale);
	for (unsigned int i = 0; !ret && i < model->net->nnodes; i++)
		if (!model->net->nodes[i].op)
			ret = accel_model_check(model->net->nodes[i].segment, name, err);
	ret = ret ? ret : net_check(model->net, err);
	if (!ret && model->nclasses && model->nclasses != model->net->values[model->net->outputs[0]].count)
		ret = accel_fail(err, -EBADMSG, NULL, "%s: %u class names for %llu output values", name, model->nclasses,
				 (unsigned long long)model->net->values[model->net->outputs[0]].count);
	return ret;
}

/* ---------------------------------------------------------------- the float network */

/* A segment in float32, one item. */
static int float_segment(void *arg, struct netrun *run, const struct net_node *node, struct accel_error *err)
{
	const struct accel_model *m = node->segment;
	float **values;
	int ret = accel_float_new(m, &values, err);

	(void)arg;
	if (ret)
		return ret;
	for (unsigned int i = 0; i < m->ninputs; i++)
		layout_to_segment(node, i, netrun_value(run, node->in[i]), values[m->inputs[i]], 1);
	accel_float_run(m, values);
	for (unsigned int i = 0; i < m->noutputs; i++)
		layout_from_segment(node, i, values[m->outputs[i]], netrun_value(run, node->out[i]), 1);
	accel_float_free(m, values);
	return 0;
}

int netmodel_run_float(const struct accel_model *model, const float *inputs, uint64_t n, float *outputs, struct accel_error *err)
{
	const struct accel_network *net = model->net;
	uint64_t in = model->tensors[model->inputs[0]].count, out = model->tensors[model->outputs[0]].count;
	struct netrun *run = NULL;
	int ret;

	if (net->values[net->inputs[0]].type != NET_F32 || net->values[net->outputs[0]].type != NET_F32)
		return accel_fail(err, -EINVAL, NULL, "%s: the first input and output must be float32", net->file);
	ret = netrun_new(net, 1, 0, float_segment, NULL, &run, err);
	for (uint64_t i = 0; !ret && i < n; i++) {
		memcpy(netrun_value(run, net->inputs[0]), inputs + i * in, in * sizeof(*inputs));
		ret = netrun_run(run, err);
		memcpy(outputs + i * out, netrun_value(run, net->outputs[0]), out * sizeof(*outputs));
	}
	netrun_free(run);
	return ret;
}
