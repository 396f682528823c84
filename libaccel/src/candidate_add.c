// SPDX-License-Identifier: GPL-2.0 OR MIT
/* Candidates that the engine gets, as layers of a graph. */
#include "candidate.h"
#include "candidate_pool.h"
#include "candidate_weights.h"
#include "graph.h"
#include "op.h"
#include "order.h"
#include "window.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A view may have fewer channels than what it is of: then rows have weights for a part of them in any case. */
static uint32_t weight_groups(const struct candidate *f)
{
	return (uint32_t)((uint64_t)f->rows * f->cols / f->weight_count);
}

/* The layer as compressed sparse rows with a codebook. */
static int add_weighted(struct accel_graph *graph, const struct net_node *node, const struct candidate *f, unsigned int input,
			const struct placement *how, unsigned int *output, struct accel_error *err)
{
	const struct accel_tensor *x = &graph->model->tensors[input];
	struct coded_weights w;
	int ret = weights_code(f, fmax(fabs((double)x->range_lo), fabs((double)x->range_hi)), &w);

	if (ret)
		ret = accel_fail(err, -ENOMEM, NULL, "out of memory");
	else if (f->kind == CANDIDATE_CONV)
		ret = accel_graph_add_conv_csr(graph, node->name, input, &w.csr, &f->window, f->activation, output, err);
	else
		ret = accel_graph_add_fc_csr(graph, node->name, input, &w.csr, f->activation, output, err);
	if (!ret && f->channels)
		graph->model->layers[graph->model->nlayers - 1].weight_groups = weight_groups(f);
	if (!ret && f->linear && how->rounded) {
		const struct accel_rounded_info info = { .layer = node->name, .op = node->op->name, .rows = f->rows, .weights = f->weight_count,
							 .signal = w.signal, .noise = w.noise };

		how->rounded(how->rounded_arg, &info);
	}
	weights_free(&w);
	return ret;
}

/* Layers that join multiply nothing, but an average pooling leaves its output a scale of its own. Quantisation finds a common one for averages over powers of two. */
static bool needs_rescale(const struct accel_model *m, unsigned int tensor)
{
	bool first = true, average = false;   /* the tensor itself is an average, whose shift quantisation may choose */

	for (unsigned int l = m->nlayers; l-- > 0;) {
		const struct accel_layer *layer = &m->layers[l];
		uint32_t taps = window_taps(&layer->window);

		if (layer->output != tensor)
			continue;
		if (!accel_layer_pools(layer))
			return false;
		average = average || (first && layer->kind == ACCEL_LAYER_AVERAGE_POOL);
		if (layer->kind == ACCEL_LAYER_AVERAGE_POOL && (!average || (taps & (taps - 1))))
			return true;
		first = false;
		tensor = layer->input;
	}
	return false;
}

/* A tensor has one place: inputs of the graph, and what is part of another concatenation, are joined as a copy. */
static bool needs_copy(const struct accel_model *m, unsigned int tensor)
{
	for (unsigned int i = 0; i < m->ninputs; i++)
		if (m->inputs[i] == tensor)
			return true;
	for (unsigned int l = 0; l < m->nlayers; l++)
		for (unsigned int i = 0; m->layers[l].kind == ACCEL_LAYER_CONCAT && i < m->layers[l].nparts; i++)
			if (m->layers[l].parts[i] == tensor)
				return true;
	return false;
}

static int add_concat(struct accel_graph *graph, const char *layer, const char *name, unsigned int n, const unsigned int *inputs,
		      unsigned int *output, struct accel_error *err)
{
	unsigned int *parts = malloc(n * sizeof(*parts));
	int ret = parts ? 0 : accel_fail(err, -ENOMEM, NULL, "out of memory");

	for (unsigned int i = 0; !ret && i < n; i++) {
		char label[ACCEL_MAX_NAME + 1];

		parts[i] = inputs[i];
		if (needs_rescale(graph->model, parts[i]))
			snprintf(label, sizeof(label), "%.230s.rescaled%u", layer, i);
		else if (needs_copy(graph->model, parts[i]))
			snprintf(label, sizeof(label), "%.230s.copy%u", layer, i);
		else
			continue;
		ret = add_factor(graph, label, 1, inputs[i], &parts[i], err);
		if (!ret)
			copy_range(graph, parts[i], inputs[i]);
	}
	ret = ret ? ret : accel_graph_add_concat(graph, name, n, parts, output, err);
	free(parts);
	return ret;
}

/*
 * Operands as one image of n times the channels, and a convolution with a one for each in every row: a sum is a sparse matrix. It is rounded and clamped
 * once, like any convolution's.
 */
static int add_sum(struct accel_graph *graph, const char *name, const struct candidate *c, unsigned int n, const unsigned int *inputs,
		   unsigned int *output, struct accel_error *err)
{
	static const float codebook[2] = { 0, 1 };
	const uint32_t *y = graph->model->tensors[inputs[0]].dims;
	const struct accel_window pixel = { n * y[0], y[1], y[2], 1, 1, 1, 1, 1, 1, 0, 0, y[1], y[2], 1 };
	uint32_t rows = y[0], nnz = rows * n, *rowptr = calloc((size_t)rows + 1, sizeof(*rowptr)), *col = malloc(nnz * sizeof(*col));
	uint8_t *code = malloc(nnz);
	const struct accel_csr csr = { rows, nnz, rowptr, col, code, codebook, 2, NULL, NULL };
	char operands[ACCEL_MAX_NAME + 1];
	unsigned int joined;
	int ret = rowptr && col && code ? 0 : accel_fail(err, -ENOMEM, NULL, "out of memory");

	for (uint32_t r = 0; !ret && r < rows; r++) {
		for (uint32_t i = 0; i < n; i++)
			col[r * n + i] = i * rows + r;
		rowptr[r + 1] = (r + 1) * n;
	}
	if (!ret)
		memset(code, 1, nnz);
	snprintf(operands, sizeof(operands), "%.240s.operands", name);
	ret = ret ? ret : add_concat(graph, name, operands, n, inputs, &joined, err);
	ret = ret ? ret : accel_graph_add_conv_csr(graph, name, joined, &csr, &pixel, c->activation, output, err);
	if (!ret)
		graph->model->layers[graph->model->nlayers - 1].weight_groups = rows;   /* a weight for each operand */
	free(rowptr);
	free(col);
	free(code);
	return ret;
}

/* The larger operand first. What joins others has an order of its own, which no factor can take over: its copy has one that another layer may give it. */
static int add_product(struct accel_graph *graph, const char *name, enum accel_activation activation, const unsigned int *inputs, unsigned int *output,
		       struct accel_error *err)
{
	bool turned = graph->model->tensors[inputs[0]].count < graph->model->tensors[inputs[1]].count;
	unsigned int operands[2] = { inputs[turned], inputs[!turned] };
	int ret = 0;

	for (unsigned int i = 0; !ret && i < 2; i++) {
		unsigned int source = order_source(graph->model, operands[i]), from = operands[i];
		char label[ACCEL_MAX_NAME + 1];

		if (!order_is_joined(graph->model, source))
			continue;
		snprintf(label, sizeof(label), "%.230s.copy%u", name, i);
		ret = add_factor(graph, label, 1, from, &operands[i], err);
		if (!ret)
			copy_range(graph, operands[i], from);
	}
	return ret ? ret : accel_graph_add_multiply(graph, name, operands[0], operands[1], activation, output, err);
}

/* Padding counts in the engine's averages: what they are to be multiplied with for that is the second input. */
static int add_mapped_average(struct accel_graph *graph, const char *name, const struct accel_window *w, const unsigned int *inputs, unsigned int *output,
			      struct accel_error *err)
{
	unsigned int operands[2] = { 0, inputs[1] };
	char label[ACCEL_MAX_NAME + 1];
	int ret;

	snprintf(label, sizeof(label), "%.230s.counted", name);
	ret = accel_graph_add_average_pool(graph, label, inputs[0], w, &operands[0], err);
	if (!ret)
		copy_range(graph, operands[0], inputs[0]);
	return ret ? ret : add_product(graph, name, ACCEL_ACT_NONE, operands, output, err);
}

int candidate_select(struct accel_graph *graph, const char *name, const struct view *view, uint32_t channels, unsigned int input, unsigned int *output,
		     struct accel_error *err)
{
	static const float codebook[2] = { 0, 1 };
	const struct accel_tensor *x = &graph->model->tensors[input];
	const struct accel_window pixel = { x->dims[0], x->dims[1], x->dims[2], 1, 1, 1, 1, 1, 1, 0, 0, x->dims[1], x->dims[2], 1 };
	uint32_t *rowptr = malloc(((size_t)channels + 1) * sizeof(*rowptr));
	uint8_t *code = malloc(channels);
	const struct accel_csr csr = { channels, x->dims[0], rowptr, view->channels, code, codebook, 2, NULL, NULL };
	int ret = rowptr && code ? 0 : accel_fail(err, -ENOMEM, NULL, "out of memory");

	for (uint32_t r = 0; !ret && r <= channels; r++)
		rowptr[r] = r;
	if (!ret)
		memset(code, 1, channels);
	ret = ret ? ret : accel_graph_add_conv_csr(graph, name, input, &csr, &pixel, ACCEL_ACT_NONE, output, err);
	if (!ret)
		copy_range(graph, *output, input);
	free(rowptr);
	free(code);
	return ret;
}

int candidate_add(const struct accel_network *net, uint32_t n, const struct candidate *c, const struct placement *how, struct accel_graph *graph,
		  const unsigned int *inputs, unsigned int *output, struct accel_error *err)
{
	const struct net_node *node = &net->nodes[n];

	switch (c->kind) {
	case CANDIDATE_RESHAPE:
	case CANDIDATE_ALIAS:
		*output = inputs[0];
		return 0;
	case CANDIDATE_MAX_POOL:
		if (pool_in_stages(&c->window))
			return add_pool_in_stages(graph, node->name, ACCEL_LAYER_MAX_POOL, &c->window, inputs[0], output, err);
		return accel_graph_add_max_pool(graph, node->name, inputs[0], &c->window, output, err);
	case CANDIDATE_AVERAGE_POOL:
		if (candidate_has_map(c))
			return add_mapped_average(graph, node->name, &c->window, inputs, output, err);
		if (pool_in_stages(&c->window))
			return add_pool_in_stages(graph, node->name, ACCEL_LAYER_AVERAGE_POOL, &c->window, inputs[0], output, err);
		return accel_graph_add_average_pool(graph, node->name, inputs[0], &c->window, output, err);
	case CANDIDATE_CONCAT:
		return add_concat(graph, node->name, node->name, node->nin, inputs, output, err);
	case CANDIDATE_MULTIPLY:
		return add_product(graph, node->name, c->activation, inputs, output, err);
	case CANDIDATE_SHIFT:
		return add_diagonal(graph, node->name, 1, c->bias, c->activation, inputs[0], output, err);
	case CANDIDATE_TABLE:
		return accel_graph_add_table(graph, node->name, inputs[0], &c->function, output, err);
	case CANDIDATE_ADD:
		return add_sum(graph, node->name, c, node->nin, inputs, output, err);
	default:
		return add_weighted(graph, node, c, inputs[0], how, output, err);
	}
}
