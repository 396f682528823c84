// SPDX-License-Identifier: GPL-2.0 OR MIT
#include "onnx_place.h"
#include "graph.h"
#include "op_conv.h"
#include "pass.h"
#include "window.h"

#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A fully connected layer: MatMul or Gemm, perhaps with the Add behind it; or a convolution. */
struct candidate {
	uint32_t node, add;        /* numbers of nodes; add: NET_NONE when there is none */
	uint32_t in, out;          /* values */
	uint32_t rows, cols;
	uint64_t row_stride, col_stride;
	const float *weights;      /* [row * row_stride + col * col_stride] */
	uint64_t weight_count;
	const float *codebook;     /* [ncodes] that they were made of, or NULL */
	unsigned int ncodes;
	const float *bias;         /* or NULL */
	uint64_t bias_stride;      /* 0: one number for all rows */
	float beta;
	enum accel_activation activation;
	bool begins, ends;         /* of its segment */
	bool conv;                 /* weights are [rows, channels of a group, kernel]; a row has zeros for the other groups */
	uint32_t groups;
	struct accel_window window;
	uint64_t in_count;         /* values of the input */
};

/* Weight of row r, column c. */
static float weight(const struct candidate *f, uint32_t r, uint32_t c)
{
	uint32_t own = f->cols / f->groups;   /* columns of a group */

	if (!f->conv)
		return f->weights[r * f->row_stride + c * f->col_stride];
	return r / (f->rows / f->groups) == c / own ? f->weights[(uint64_t)r * own + c % own] : 0;
}

/* ---------------------------------------------------------------- which layers */

static int refuse(const struct accel_network *net, struct net_node *node, struct accel_error *err, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));

/* Leaves the node on the CPU and says why. */
static int refuse(const struct accel_network *net, struct net_node *node, struct accel_error *err, const char *fmt, ...)
{
	va_list args;
	int n;

	va_start(args, fmt);
	free(node->device_reason);
	n = vasprintf(&node->device_reason, fmt, args);
	va_end(args);
	if (n >= 0)
		return 0;
	node->device_reason = NULL;
	return accel_fail(err, -ENOMEM, NULL, "%s: out of memory", net->file);
}

/* Values that weights may have, and the codes of those; own: as the author of the network gave it. */
struct codebook {
	float value[256];          /* [0] = 0 */
	unsigned int n;            /* 257: too many */
	float sorted[256];         /* n - 1 values in order, or fewer where some are equal, and the code of each */
	uint8_t code[256];
	unsigned int nsorted;
};

/* Place of w in sorted, or where it had to be. */
static unsigned int place_of(const struct codebook *b, float w)
{
	unsigned int lo = 0, hi = b->nsorted;

	while (lo < hi) {
		unsigned int middle = (lo + hi) / 2;

		if (b->sorted[middle] < w)
			lo = middle + 1;
		else
			hi = middle;
	}
	return lo;
}

/* Code of a weight; 0: it is not there. */
static uint8_t code_of(const struct codebook *b, float w)
{
	unsigned int at = place_of(b, w);

	return at < b->nsorted && b->sorted[at] == w ? b->code[at] : 0;
}

static void add_value(struct codebook *b, float w, unsigned int code)
{
	unsigned int at = place_of(b, w);

	if (w == 0 || (at < b->nsorted && b->sorted[at] == w))
		return;
	memmove(b->sorted + at + 1, b->sorted + at, (b->nsorted - at) * sizeof(*b->sorted));
	memmove(b->code + at + 1, b->code + at, b->nsorted - at);
	b->sorted[at] = w;
	b->code[at] = (uint8_t)code;
	b->nsorted++;
}

/* The codebook that the weights came with, if it still has all of them. */
static bool own_codebook(const struct candidate *f, struct codebook *b)
{
	*b = (struct codebook){ .n = f->ncodes };
	for (unsigned int i = 0; i < f->ncodes; i++) {
		b->value[i] = f->codebook[i];
		add_value(b, f->codebook[i], i);
	}
	for (uint64_t i = 0; i < f->weight_count; i++)
		if (f->weights[i] != 0 && !code_of(b, f->weights[i]))
			return false;
	return f->ncodes;
}

/* Or the different values in order; more than 255 end the search. */
static void find_codebook(const struct candidate *f, struct codebook *b)
{
	if (own_codebook(f, b))
		return;
	*b = (struct codebook){ .n = 1 };
	for (uint64_t i = 0; i < f->weight_count; i++) {
		if (f->weights[i] == 0 || code_of(b, f->weights[i]))
			continue;
		if (b->nsorted == 255) {
			b->n = 257;
			return;
		}
		add_value(b, f->weights[i], 1);
	}
	b->n = b->nsorted + 1;
	for (unsigned int i = 0; i < b->nsorted; i++) {
		b->value[i + 1] = b->sorted[i];
		b->code[i] = (uint8_t)(i + 1);
	}
}

static bool activation_of(const struct net_act *act, enum accel_activation *activation)
{
	*activation = ACCEL_ACT_NONE;
	if (act->kind == NET_ACT_NONE)
		return true;
	if (act->kind != NET_ACT_CLIP || act->a != 0 || (act->b != 6 && act->b != INFINITY))
		return false;
	*activation = act->b == 6 ? ACCEL_ACT_RELU6 : ACCEL_ACT_RELU;
	return true;
}

static float attr_float(const struct net_node *node, const char *name)
{
	const struct net_attr *a = op_attr(node, name);

	return a ? a->floats[0] : 1;
}

static bool attr_flag(const struct net_node *node, const char *name)
{
	const struct net_attr *a = op_attr(node, name);

	return a && a->ints[0];
}

static void take_weights(struct candidate *f, const struct net_value *w)
{
	f->weights = w->data;
	f->weight_count = w->count;
	f->codebook = w->codebook;
	f->ncodes = w->codebook ? w->ncodes : 0;
}

/* Bias of one number, or of one a row, that is constant. */
static bool take_bias(const struct accel_network *net, struct candidate *f, uint32_t value)
{
	const struct net_value *v = &net->values[value];

	if (!v->data || v->type != NET_F32 || (v->count != 1 && (v->count != f->rows || v->dims[v->ndim - 1] != f->rows)))
		return false;
	f->bias = v->data;
	f->bias_stride = v->count == 1 ? 0 : 1;
	return true;
}

/* What a MatMul or Gemm is as a layer of the engine; false with its reason in the node. */
static bool as_fc(struct accel_network *net, const struct pass_users *users, uint32_t n, struct candidate *f, struct accel_error *err, int *ret)
{
	struct net_node *node = &net->nodes[n], *add;
	const struct net_value *x = &net->values[node->in[0]], *w = &net->values[node->in[1]], *y = &net->values[node->out[0]];
	bool gemm = pass_is(node, "Gemm"), turned = gemm && attr_flag(node, "transB");
	const struct net_act *act = &node->act;

	*f = (struct candidate){ .node = n, .add = NET_NONE, .in = node->in[0], .out = node->out[0], .beta = 1, .groups = 1,
				 .in_count = x->count };
	if (!w->data || w->ndim != 2 || !x->count || !y->count) {
		*ret = refuse(net, node, err, "product of matrices that are both computed, or empty: this engine (ISA 1.x) has no command for it");
		return false;
	}
	f->rows = w->dims[turned ? 0 : 1];
	f->cols = w->dims[turned ? 1 : 0];
	f->row_stride = turned ? f->cols : 1;
	f->col_stride = turned ? 1 : f->rows;
	take_weights(f, w);
	if (x->count != f->cols || y->count != f->rows) {
		*ret = refuse(net, node, err, "fully connected for %llu vectors an item: this library makes commands for one",
			      (unsigned long long)(x->count / f->cols));
		return false;
	}
	if (gemm && (attr_float(node, "alpha") != 1 || attr_flag(node, "transA"))) {
		*ret = refuse(net, node, err, "Gemm with alpha or transA, which the engine has not");
		return false;
	}
	if (gemm) {
		f->beta = attr_float(node, "beta");
		if (node->nin > 2 && node->in[2] != NET_NONE && !take_bias(net, f, node->in[2])) {
			*ret = refuse(net, node, err, "its bias is not one constant a row");
			return false;
		}
	}
	add = act->kind ? NULL : pass_only_reader(net, users, node->out[0]);
	if (!f->bias && add && pass_is(add, "Add")) {
		unsigned int other = add->in[0] == node->out[0] ? 1 : 0;

		if (net->values[add->out[0]].count == f->rows && take_bias(net, f, add->in[other])) {
			f->add = users->reader[node->out[0]];
			f->out = add->out[0];
			act = &add->act;
		}
	}
	if (!activation_of(act, &f->activation)) {
		*ret = refuse(net, node, err, "the activation behind it is not one of this engine (ReLU, ReLU6)");
		return false;
	}
	return true;
}

/* What a Conv is as a layer of the engine. */
static bool as_conv(struct accel_network *net, uint32_t n, struct candidate *f, struct accel_error *err, int *ret)
{
	struct net_node *node = &net->nodes[n];
	const struct net_value *x = &net->values[node->in[0]], *w = &net->values[node->in[1]], *y = &net->values[node->out[0]];
	const struct conv *plan = node->plan;
	const struct window *window = &plan->w;
	struct accel_error why;

	*f = (struct candidate){ .node = n, .add = NET_NONE, .in = node->in[0], .out = node->out[0], .beta = 1, .conv = true,
				 .groups = plan->groups, .in_count = x->count };
	if (!w->data || !x->count || !y->count) {
		*ret = refuse(net, node, err, "convolution with weights that are computed, or empty");
		return false;
	}
	if (plan->batch != 1 || window->ndim != 2) {
		*ret = refuse(net, node, err, "convolution over %u dimensions of a batch of %u: the engine has two, and takes items one by one",
			      window->ndim, plan->batch);
		return false;
	}
	f->rows = w->dims[0];
	f->cols = x->dims[1] * window->kernel[1] * window->kernel[2];
	take_weights(f, w);
	f->window = (struct accel_window){
		x->dims[1], window->in[1], window->in[2], window->kernel[1], window->kernel[2], window->stride[1], window->stride[2],
		window->dilation[1], window->dilation[2], (uint32_t)window->pad[1], (uint32_t)window->pad[2], window->out[1], window->out[2],
		plan->groups
	};
	if (accel_window_check("engine", node->name, &f->window, -ENOTSUP, &why)) {
		*ret = refuse(net, node, err, "%s", why.text);
		return false;
	}
	if (node->nin > 2 && node->in[2] != NET_NONE && !take_bias(net, f, node->in[2])) {
		*ret = refuse(net, node, err, "its bias is not one constant a channel");
		return false;
	}
	if (!activation_of(&node->act, &f->activation)) {
		*ret = refuse(net, node, err, "the activation behind it is not one of this engine (ReLU, ReLU6)");
		return false;
	}
	return true;
}

/* Layers that the engine can have, in the order of the network. */
static int find_layers(struct accel_network *net, const struct pass_users *users, bool conv, struct candidate *layers,
		       unsigned int *nlayers, struct accel_error *err)
{
	struct codebook book;
	int ret = 0;

	*nlayers = 0;
	for (uint32_t n = 0; !ret && n < net->nnodes; n++) {
		struct candidate *f = &layers[*nlayers];
		bool image = conv && pass_is(&net->nodes[n], "Conv");

		if (!image && !pass_is(&net->nodes[n], "MatMul") && !pass_is(&net->nodes[n], "Gemm"))
			continue;
		if (image ? !as_conv(net, n, f, err, &ret) : !as_fc(net, users, n, f, err, &ret))
			continue;
		find_codebook(f, &book);
		if (book.n > 256)
			ret = refuse(net, &net->nodes[n], err,
				     "%s, but with more than 255 different weights: the engine has codebooks of 255; prune and "
				     "quantise them first", image ? "convolution" : "fully connected");
		else
			(*nlayers)++;
	}
	return ret;
}

/* Layers whose output goes to the next one alone share a segment. */
static void cut_segments(const struct pass_users *users, struct candidate *layers, unsigned int n)
{
	for (unsigned int i = 0; i < n; i++) {
		/* an image is not made by a fully connected layer */
		bool joins = i && layers[i].in == layers[i - 1].out && users->readers[layers[i].in] == 1 &&
			     (layers[i - 1].conv || !layers[i].conv);

		layers[i].begins = !joins;
		if (i)
			layers[i - 1].ends = !joins;
	}
	if (n)
		layers[n - 1].ends = true;
}

/* ---------------------------------------------------------------- segments */

/* The layer as compressed sparse rows with a codebook. */
static int add_layer(struct accel_graph *graph, const char *name, const struct candidate *f, unsigned int *tensor, struct accel_error *err)
{
	struct codebook book;
	uint64_t nnz = 0;
	uint32_t *rowptr = calloc((size_t)f->rows + 1, sizeof(*rowptr)), *col;
	float *bias = malloc(f->rows * sizeof(*bias));
	struct accel_csr csr;
	uint8_t *code;
	int ret;

	find_codebook(f, &book);
	for (uint64_t i = 0; i < f->weight_count; i++)
		nnz += f->weights[i] != 0;
	col = malloc((nnz + 1) * sizeof(*col));
	code = malloc(nnz + 1);
	if (!rowptr || !bias || !col || !code) {
		ret = accel_fail(err, -ENOMEM, NULL, "out of memory");
		goto out;
	}
	nnz = 0;
	for (uint32_t r = 0; r < f->rows; r++) {
		bias[r] = f->bias ? f->beta * f->bias[r * f->bias_stride] : 0;
		for (uint32_t c = 0; c < f->cols; c++) {
			float w = weight(f, r, c);

			if (w == 0)
				continue;
			col[nnz] = c;
			code[nnz++] = code_of(&book, w);
		}
		rowptr[r + 1] = (uint32_t)nnz;
	}
	csr = (struct accel_csr){ f->rows, f->cols, rowptr, col, code, book.value, book.n, bias };
	ret = f->conv ? accel_graph_add_conv_csr(graph, name, *tensor, &csr, &f->window, f->activation, tensor, err) :
			accel_graph_add_fc_csr(graph, name, *tensor, &csr, f->activation, tensor, err);
out:
	free(rowptr);
	free(bias);
	free(col);
	free(code);
	return ret;
}

/* What calibration says of the value, for the tensor that was added last. */
static int set_range(const struct accel_network *net, struct accel_graph *graph, unsigned int tensor, const struct calib *calib, uint32_t value,
		     struct accel_error *err)
{
	struct accel_tensor *t = &graph->model->tensors[tensor];

	if (!calib->range[value].finite)
		return accel_fail(err, -EDOM, t->name, "%s: '%s' has values that are not finite: calibrate with typical inputs", net->file, t->name);
	t->range_lo = calib->range[value].lo;
	t->range_hi = calib->range[value].hi;
	t->calibrated = !calib->guessed;
	graph->measured[tensor] = true;
	return 0;
}

/* Layers first .. last - 1 become one model. */
static int make_segment(const struct accel_network *net, const struct candidate *layers, unsigned int first, unsigned int last,
			const struct calib *calib, struct accel_model **segment, struct accel_error *err)
{
	const struct net_node *node = &net->nodes[layers[first].node];
	const uint32_t image[] = { layers[first].window.channels, layers[first].window.height, layers[first].window.width };
	struct accel_graph *graph = NULL;
	unsigned int tensor;
	char name[ACCEL_MAX_NAME + 1];
	int ret = accel_graph_new(&graph);

	if (ret)
		return accel_fail(err, ret, NULL, "%s: out of memory", net->file);
	snprintf(name, sizeof(name), "%.240s.input", node->name);
	/* any range: the measured one follows */
	ret = layers[first].conv ? accel_graph_input(graph, name, 3, image, 0, 1, &tensor, err) :
				   accel_graph_input(graph, name, 1, &layers[first].cols, 0, 1, &tensor, err);
	if (!ret)
		ret = set_range(net, graph, tensor, calib, layers[first].in, err);
	for (unsigned int l = first; !ret && l < last; l++) {
		ret = add_layer(graph, net->nodes[layers[l].node].name, &layers[l], &tensor, err);
		if (!ret)
			ret = set_range(net, graph, tensor, calib, layers[l].out, err);
	}
	ret = ret ? ret : accel_graph_finish(graph, segment, err);
	accel_graph_free(graph);
	return ret;
}

/* The node of a segment, in the place of its last layer: what it reads is made by then. */
static int replace(struct accel_network *net, const struct candidate *layers, unsigned int first, unsigned int last, struct accel_model *segment,
		   struct accel_error *err)
{
	const struct candidate *end = &layers[last - 1];
	struct net_node *at = &net->nodes[end->add != NET_NONE ? end->add : end->node], fresh;
	const struct net_value *y = &net->values[end->out];
	int64_t shape[NET_MAX_DIMS];
	struct net_attr *a;

	if (net_node_init(&fresh, NULL, net->nodes[layers[first].node].name, NET_MAX_OPSET, 1, 1)) {
		accel_model_unref(segment);
		return accel_fail(err, -ENOMEM, NULL, "%s: out of memory", net->file);
	}
	fresh.segment = segment;
	fresh.in[0] = layers[first].in;
	fresh.out[0] = end->out;
	for (unsigned int i = 0; i < y->ndim; i++)
		shape[i] = y->dims[i];
	a = net_node_add_attr(&fresh, "shape", NET_INTS, y->ndim, shape);
	if (!a) {
		net_node_clear(&fresh);
		return accel_fail(err, -ENOMEM, NULL, "%s: out of memory", net->file);
	}
	a->list = true;
	for (unsigned int l = first; l < last; l++) {
		net_node_clear(&net->nodes[layers[l].node]);
		if (layers[l].add != NET_NONE)
			net_node_clear(&net->nodes[layers[l].add]);
	}
	*at = fresh;
	return net_infer(net, at, err);
}

int onnx_place(struct accel_network *net, bool conv, const struct calib *calib, struct accel_error *err)
{
	const struct calib_inputs seeded = { 0 };
	struct calib *guess = NULL;
	struct pass_users users;
	struct candidate *layers = calloc(net->nnodes + (size_t)1, sizeof(*layers));
	unsigned int nlayers = 0;
	int ret = pass_users_new(net, &users, err);

	if (ret) {
		free(layers);
		return ret;
	}
	if (!layers)
		ret = accel_fail(err, -ENOMEM, NULL, "%s: out of memory", net->file);
	ret = ret ? ret : find_layers(net, &users, conv, layers, &nlayers, err);
	cut_segments(&users, layers, ret ? 0 : nlayers);
	if (!ret && nlayers && !calib) {
		ret = calib_new(net, &seeded, &guess, err);
		calib = guess;
	}
	for (unsigned int first = 0, last; !ret && first < nlayers; first = last) {
		struct accel_model *segment;

		for (last = first + 1; !layers[last - 1].ends; last++)
			;
		ret = make_segment(net, layers, first, last, calib, &segment, err);
		ret = ret ? ret : replace(net, layers, first, last, segment, err);
	}
	free(layers);
	calib_free(guess);
	pass_users_free(&users);
	ret = ret ? ret : pass_dead(net, err);
	return ret ? ret : pass_renumber(net, err);
}
