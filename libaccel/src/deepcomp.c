// SPDX-License-Identifier: GPL-2.0 OR MIT
#include "deepcomp.h"
#include "file.h"
#include "import.h"
#include "net_codes.h"
#include "onnx.h"
#include "op.h"
#include "pass.h"
#include "squeezenet.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct layer {
	struct net_node *node;
	uint32_t rows, cols;       /* outputs, weights of each */
	bool turned;               /* the network has them [cols, rows] */
	unsigned int bits;         /* of a code: 8 in convolutions, 4 in fully connected layers */
};

struct source {
	const char *name;
	const uint8_t *at;
	size_t left;
	struct accel_error *err;
};

/* ---------------------------------------------------------------- layers */

static int64_t flag(const struct net_node *node, const char *name)
{
	const struct net_attr *a = op_attr(node, name);

	return a ? a->ints[0] : 0;
}

/* The layers, in order; *n at most. */
static int find_layers(struct accel_network *net, struct layer *layers, unsigned int *n, const char *name, struct accel_error *err)
{
	*n = 0;
	for (unsigned int i = 0; i < net->nnodes; i++) {
		struct net_node *node = &net->nodes[i];
		bool gemm = pass_is(node, "Gemm");
		const struct net_value *w;

		if (!gemm && !pass_is(node, "Conv"))
			continue;
		w = &net->values[node->in[1]];
		if (!w->data || w->type != NET_F32 || !w->count)
			return NET_FAIL(net, node, -EINVAL, err, "its weights are not constants of the graph: %s cannot replace them", name);
		if (gemm && (flag(node, "transA") || (op_attr(node, "alpha") && op_attr(node, "alpha")->floats[0] != 1) ||
			     (op_attr(node, "beta") && op_attr(node, "beta")->floats[0] != 1)))
			return NET_FAIL(net, node, -ENOTSUP, err, "transA, alpha or beta; %s has weights of plain layers", name);
		for (unsigned int k = 0; k < *n; k++)
			if (layers[k].node->in[1] == node->in[1])
				return NET_FAIL(net, node, -ENOTSUP, err, "shares its weights with '%s'; %s has weights a layer",
						layers[k].node->name, name);
		layers[*n] = (struct layer){ .node = node, .bits = gemm ? 4 : 8, .turned = gemm && !flag(node, "transB") };
		layers[*n].rows = w->dims[layers[*n].turned ? 1 : 0];
		layers[*n].cols = (uint32_t)(w->count / layers[*n].rows);
		++*n;
	}
	return 0;
}

/* ---------------------------------------------------------------- file */

static int take(struct source *s, const struct layer *l, const char *what, size_t n, const uint8_t **bytes)
{
	if (n > s->left)
		return accel_fail(s->err, -EBADMSG, l->node->name,
				  "%s: layer '%s': truncated, or another graph's: %s takes %zu bytes, the file has %zu more", s->name,
				  l->node->name, what, n, s->left);
	*bytes = s->at;
	s->at += n;
	s->left -= n;
	return 0;
}

static int take_floats(struct source *s, const struct layer *l, const char *what, uint32_t n, float *to)
{
	const uint8_t *bytes = NULL;
	int ret = take(s, l, what, n * sizeof(*to), &bytes);

	if (ret)
		return ret;
	memcpy(to, bytes, n * sizeof(*to));
	for (uint32_t i = 0; i < n; i++)
		if (!isfinite(to[i]))
			return accel_fail(s->err, -EBADMSG, l->node->name, "%s: layer '%s': %s: value %u is not finite", s->name, l->node->name,
					  what, i);
	return 0;
}

/* The constant that the node adds, made when it has none. */
static int bias_of(struct accel_network *net, struct net_node *node, uint32_t rows, float **bias, struct accel_error *err)
{
	uint32_t number, *in;
	void *data;
	int ret;

	if (node->nin > 2 && node->in[2] != NET_NONE) {
		struct net_value *v = &net->values[node->in[2]];

		if (!v->data || v->type != NET_F32 || v->count != rows)
			return NET_FAIL(net, node, -EINVAL, err, "its bias is not a constant of %u values", rows);
		*bias = v->data;
		return 0;
	}
	if (node->nin < 3) {
		in = realloc(node->in, 3 * sizeof(*in));
		if (!in)
			return accel_fail(err, -ENOMEM, NULL, "%s: out of memory", net->file);
		node->in = in;
		node->nin = 3;
	}
	node->in[2] = NET_NONE;
	ret = net_add_constant(net, "", NET_F32, 1, &rows, &number, &data, err);
	if (ret)
		return ret;
	node->in[2] = number;
	*bias = data;
	/* what inference worked out knows of no bias */
	return net_infer(net, node, err);
}

/* Codes at their places: each entry is so many zeros after the one before; code 0 only carries a long run on. */
static int place_codes(struct source *s, const struct layer *l, uint32_t nnz, const float *codebook, const uint8_t *codes,
		       const uint8_t *runs, float *to)
{
	uint64_t next = 0;

	memset(to, 0, (size_t)l->rows * l->cols * sizeof(*to));
	for (uint32_t i = 0; i < nnz; i++) {
		uint64_t at = next + (runs[i / 2] >> 4 * (i % 2) & 15);
		unsigned int code = l->bits == 8 ? codes[i] : codes[i / 2] >> 4 * (i % 2) & 15;

		if (at >= (uint64_t)l->rows * l->cols)
			return accel_fail(s->err, -EBADMSG, l->node->name,
					  "%s: layer '%s': entry %u lies beyond its %u x %u weights: damaged, or another graph's", s->name,
					  l->node->name, i, l->rows, l->cols);
		to[l->turned ? at % l->cols * l->rows + at / l->cols : at] = codebook[code];
		next = at + 1;
	}
	return 0;
}

static int load_layer(struct accel_network *net, const struct layer *l, uint32_t nnz, struct source *s)
{
	float codebook[256], *bias = NULL;
	const uint8_t *codes = NULL, *runs = NULL;
	struct net_value *w;
	int ret = take_floats(s, l, "the codebook", 1u << l->bits, codebook);

	if (ret)
		return ret;
	if (codebook[0] != 0 || signbit(codebook[0]))
		return accel_fail(s->err, -EBADMSG, l->node->name, "%s: layer '%s': the codebook begins with %g, not with 0: damaged, or another graph's",
				  s->name, l->node->name, (double)codebook[0]);
	if (nnz > (uint64_t)l->rows * l->cols)
		return accel_fail(s->err, -EBADMSG, l->node->name, "%s: layer '%s': %u entries for %u x %u weights: damaged, or another graph's",
				  s->name, l->node->name, nnz, l->rows, l->cols);
	ret = bias_of(net, l->node, l->rows, &bias, s->err);
	ret = ret ? ret : take_floats(s, l, "the bias", l->rows, bias);
	ret = ret ? ret : take(s, l, "the codes", l->bits == 8 ? nnz : ((size_t)nnz + 1) / 2, &codes);
	ret = ret ? ret : take(s, l, "the indices", ((size_t)nnz + 1) / 2, &runs);
	if (ret)
		return ret;
	/* the last: bias_of may have moved the values */
	w = &net->values[l->node->in[1]];
	ret = place_codes(s, l, nnz, codebook, codes, runs, w->data);
	if (!ret && net_keep_codebook(w, codebook, 1u << l->bits))
		ret = accel_fail(s->err, -ENOMEM, NULL, "%s: out of memory", s->name);
	return ret;
}

int deepcomp_load(struct accel_network *net, const void *data, size_t size, const char *name, struct accel_error *err)
{
	struct source s = { .name = name, .at = data, .left = size, .err = err };
	struct layer *layers = calloc(net->nnodes + (size_t)1, sizeof(*layers));
	const uint8_t *counts = NULL;
	unsigned int n;
	int ret;

	if (!layers)
		return accel_fail(err, -ENOMEM, NULL, "%s: out of memory", name);
	ret = find_layers(net, layers, &n, name, err);
	if (!ret && !n)
		ret = accel_fail(err, -EINVAL, NULL, "%s: the graph has no layer of weights", net->file);
	ret = ret ? ret : take(&s, &layers[0], "the number of entries of each layer", n * sizeof(uint32_t), &counts);
	for (unsigned int i = 0; !ret && i < n; i++) {
		uint32_t nnz;

		memcpy(&nnz, counts + i * sizeof(nnz), sizeof(nnz));
		ret = load_layer(net, &layers[i], nnz, &s);
	}
	if (!ret && s.left)
		ret = accel_fail(err, -EBADMSG, NULL, "%s: %zu bytes follow the last of %u layers: another graph's", name, s.left, n);
	free(layers);
	return ret;
}

/* ---------------------------------------------------------------- model */

static int open_graph(const char *path, const char *graph, const struct accel_onnx_options *o, struct accel_network **net,
		      struct accel_error *err)
{
	struct import_lists lists;
	struct onnx_options import;
	int ret;

	if (!graph)
		return squeezenet_new(path, net, err);
	ret = import_options(o, &lists, &import, err);
	import.keep = true;
	ret = ret ? ret : onnx_open(graph, &import, net, err);
	import_lists_free(&lists);
	return ret;
}

int accel_model_from_net(const char *path, const char *graph, const struct accel_onnx_options *options, struct accel_model **model,
			 struct accel_error *err)
{
	struct accel_onnx_options o = import_copy(options);
	struct accel_network *net = NULL;
	struct accel_preprocess caffe;
	void *data = NULL;
	size_t size;
	int ret = accel_file_read(path, &data, &size, err);

	ret = ret ? ret : open_graph(path, graph, &o, &net, err);
	ret = ret ? ret : deepcomp_load(net, data, size, path, err);
	free(data);
	if (ret == -EBADMSG && !graph && err) {
		size_t at = strlen(err->text);

		snprintf(err->text + at, sizeof(err->text) - at, " (taken for SqueezeNet v1.0: other networks need --graph)");
	}
	ret = ret ? ret : pass_all(net, err);
	/* these weights were trained with Caffe */
	ret = ret || o.preprocess ? ret : accel_preprocess_parse("caffe", &caffe, err);
	if (!ret && !o.preprocess)
		o.preprocess = &caffe;
	if (ret) {
		net_free(net);
		return ret;
	}
	return import_finish(net, path, &o, model, err);
}
