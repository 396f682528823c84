// SPDX-License-Identifier: GPL-2.0 OR MIT
/* Building a model by calls. */
#include "graph.h"
#include "quant.h"
#include "table.h"
#include "window.h"

#include <eie_hw.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

int accel_graph_new(struct accel_graph **graph)
{
	struct accel_graph *g = calloc(1, sizeof(*g));

	if (!g)
		return -ENOMEM;
	g->model = accel_model_alloc();
	if (!g->model) {
		free(g);
		return -ENOMEM;
	}
	*graph = g;
	return 0;
}

void accel_graph_free(struct accel_graph *graph)
{
	if (!graph)
		return;
	accel_model_unref(graph->model);
	free(graph->measured);
	free(graph);
}

static int no_memory(struct accel_error *err, const char *name)
{
	return accel_fail(err, -ENOMEM, name, "no memory for '%s'", name);
}

static int check_open(const struct accel_graph *graph, struct accel_error *err)
{
	return graph->model ? 0 : accel_fail(err, -EINVAL, NULL, "the graph was finished; make a new one");
}

/* An array with room for one more element, or NULL: then the old one is still there. */
static void *grow(void *array, unsigned int n, size_t size)
{
	return realloc(array, (n + (size_t)1) * size);
}

/* Appends a tensor; its number is model->ntensors - 1. The name must have been checked. */
static int add_tensor(struct accel_graph *graph, const char *name, unsigned int ndim, const uint32_t *dims,
		      struct accel_error *err)
{
	struct accel_model *model = graph->model;
	struct accel_tensor *tensors, *t;
	bool *measured;

	if (model->ntensors >= ACCEL_MAX_NODES)
		return accel_fail(err, -EINVAL, name, "more than %u tensors", ACCEL_MAX_NODES);
	tensors = grow(model->tensors, model->ntensors, sizeof(*tensors));
	if (!tensors)
		return no_memory(err, name);
	model->tensors = tensors;
	measured = grow(graph->measured, model->ntensors, sizeof(*measured));
	if (!measured)
		return no_memory(err, name);
	graph->measured = measured;
	t = &model->tensors[model->ntensors];
	*t = (struct accel_tensor) { .ndim = ndim, .count = 1 };
	for (unsigned int i = 0; i < ndim; i++) {
		t->dims[i] = dims[i];
		t->count *= dims[i];
	}
	t->name = strdup(name);
	if (!t->name)
		return no_memory(err, name);
	graph->measured[model->ntensors++] = false;
	return 0;
}

/* Legal, and not the name of another tensor (a layer's tensor has the layer's name). */
static int check_name(const struct accel_graph *graph, const char *name, const char *what, struct accel_error *err)
{
	int ret = accel_name_check("graph", name, -EINVAL, what, err);

	if (ret)
		return ret;
	for (unsigned int i = 0; i < graph->model->ntensors; i++)
		if (!strcmp(graph->model->tensors[i].name, name))
			return accel_fail(err, -EEXIST, name, "%s '%s': the name is taken", what, name);
	return 0;
}

int accel_graph_input(struct accel_graph *graph, const char *name, unsigned int ndim, const uint32_t *dims,
		      float lo, float hi, unsigned int *tensor, struct accel_error *err)
{
	struct accel_model *model = graph->model;
	unsigned int *inputs;
	uint64_t count = 1;
	int ret = check_open(graph, err);

	if (!ret)
		ret = check_name(graph, name, "input", err);
	if (ret)
		return ret;
	if (!ndim || ndim > ACCEL_MAX_DIMS)
		return accel_fail(err, -EINVAL, name, "input '%s': %u dimensions; 1 to %d are allowed", name, ndim,
				  ACCEL_MAX_DIMS);
	for (unsigned int i = 0; i < ndim; i++)
		if (!dims[i] || dims[i] > ACCEL_MAX_DIM || (count *= dims[i]) > ACCEL_MAX_DIM)
			return accel_fail(err, -EINVAL, name, "input '%s': dimension %u is %u; a tensor has 1 to %u values", name,
					  i, dims[i], ACCEL_MAX_DIM);
	if (!isfinite(lo) || !isfinite(hi) || lo >= hi)
		return accel_fail(err, -EINVAL, name, "input '%s': range %g .. %g; give the smallest and the largest value", name,
				  (double)lo, (double)hi);
	inputs = grow(model->inputs, model->ninputs, sizeof(*inputs));
	if (!inputs)
		return no_memory(err, name);
	model->inputs = inputs;
	ret = add_tensor(graph, name, ndim, dims, err);
	if (ret)
		return ret;
	*tensor = model->ntensors - 1;
	model->tensors[*tensor].range_lo = lo;
	model->tensors[*tensor].range_hi = hi;
	model->tensors[*tensor].calibrated = true;
	graph->measured[*tensor] = true;
	model->inputs[model->ninputs++] = *tensor;
	return 0;
}

/* memcpy of n elements into new memory; n may be 0, and src NULL for zeros. */
static void *copy(const void *src, size_t n, size_t size)
{
	void *dst = calloc(n ? n : 1, size);

	if (dst && src && n)
		memcpy(dst, src, n * size);
	return dst;
}

/* Any layer: `input` and the matrix have been found to fit each other; dims are those of the output. */
static int add_layer(struct accel_graph *graph, const char *name, unsigned int input, const struct accel_csr *csr,
		     const struct accel_window *window, enum accel_activation activation, unsigned int ndim, const uint32_t *dims,
		     unsigned int *output, struct accel_error *err)
{
	struct accel_model *model = graph->model;
	struct accel_layer *layers, *layer;
	size_t nnz;
	int ret;

	layers = grow(model->layers, model->nlayers, sizeof(*layers));
	if (!layers)
		return no_memory(err, name);
	model->layers = layers;

	nnz = csr->rowptr[csr->rows];
	layer = &model->layers[model->nlayers];
	*layer = (struct accel_layer) {
		.kind = window ? ACCEL_LAYER_CONV : ACCEL_LAYER_FC,
		.activation = activation,
		.input = input,
		.output = model->ntensors,
		.rows = csr->rows,
		.cols = csr->cols,
		.nnz = nnz,
		.code_bits = csr->ncodes <= 16 ? 4 : 8,
		.ncodes = csr->ncodes,
		.name = strdup(name),
		.rowptr = copy(csr->rowptr, csr->rows + (size_t)1, sizeof(*layer->rowptr)),
		.col = copy(csr->col, nnz, sizeof(*layer->col)),
		.code = copy(csr->code, nnz, sizeof(*layer->code)),
		.codebook = copy(csr->codebook, csr->ncodes, sizeof(*layer->codebook)),
		.bias = copy(csr->bias, csr->rows, sizeof(*layer->bias)),
		.codebook_q = copy(NULL, csr->ncodes, sizeof(*layer->codebook_q)),
		.bias_q = copy(NULL, csr->rows, sizeof(*layer->bias_q)),
		.mult = copy(NULL, csr->rows, sizeof(*layer->mult)),
		.shift = copy(NULL, csr->rows, sizeof(*layer->shift)),
	};
	if (window)
		layer->window = *window;
	if (csr->row_scale)
		layer->row_scale = copy(csr->row_scale, csr->rows, sizeof(*layer->row_scale));
	if (layer->name && layer->rowptr && layer->col && layer->code && layer->codebook && layer->bias &&
	    (layer->row_scale || !csr->row_scale) && layer->codebook_q && layer->bias_q && layer->mult && layer->shift)
		ret = add_tensor(graph, name, ndim, dims, err);
	else
		ret = no_memory(err, name);
	if (ret) {
		accel_layer_clear(layer);
		return ret;
	}
	model->nlayers++;
	*output = layer->output;
	return 0;
}

/* A layer without weights, whose parts, if it has some, are copied. Takes over the rest of what it owns. */
static int add_plain_layer(struct accel_graph *graph, const char *name, struct accel_layer layer, const uint32_t *dims, unsigned int *output,
			   struct accel_error *err)
{
	struct accel_model *model = graph->model;
	struct accel_layer *layers = grow(model->layers, model->nlayers, sizeof(*layers));
	bool parts = layer.parts;
	int ret;

	model->layers = layers ? layers : model->layers;
	layer.name = strdup(name);
	layer.output = model->ntensors;
	if (parts) {
		layer.input = layer.parts[0];
		layer.parts = copy(layer.parts, layer.nparts, sizeof(*layer.parts));
	}
	ret = layers && layer.name && (layer.parts || !parts) ? add_tensor(graph, name, 3, dims, err) : no_memory(err, name);
	if (ret) {
		accel_layer_clear(&layer);
		return ret;
	}
	model->layers[model->nlayers++] = layer;
	*output = layer.output;
	return 0;
}

static int check_place(const struct accel_graph *graph, const char *name, unsigned int input, struct accel_error *err)
{
	int ret = check_open(graph, err);

	ret = ret ? ret : check_name(graph, name, "layer", err);
	if (!ret && input >= graph->model->ntensors)
		ret = accel_fail(err, -EINVAL, name, "layer '%s': there is no tensor %u", name, input);
	return ret;
}

static int check_new_layer(const struct accel_graph *graph, const char *name, unsigned int input, const struct accel_csr *csr,
			   enum accel_activation activation, struct accel_error *err)
{
	int ret = check_place(graph, name, input, err);

	if (ret)
		return ret;
	if (activation > ACCEL_ACT_RELU6)
		return accel_fail(err, -EINVAL, name, "layer '%s': activation %d is unknown", name, (int)activation);
	return accel_csr_check("graph", name, csr, -EINVAL, err);
}

int accel_graph_add_fc_csr(struct accel_graph *graph, const char *name, unsigned int input, const struct accel_csr *csr,
			   enum accel_activation activation, unsigned int *output, struct accel_error *err)
{
	int ret = check_new_layer(graph, name, input, csr, activation, err);
	const struct accel_tensor *in;

	if (ret)
		return ret;
	in = &graph->model->tensors[input];
	if (in->count != csr->cols)
		return accel_fail(err, -EINVAL, name, "layer '%s' has %u columns, its input '%s' has %llu values", name, csr->cols, in->name,
				  (unsigned long long)in->count);
	return add_layer(graph, name, input, csr, NULL, activation, 1, &csr->rows, output, err);
}

static int check_window(const struct accel_graph *graph, const char *name, unsigned int input, const struct accel_window *window,
			struct accel_error *err)
{
	const struct accel_tensor *in = &graph->model->tensors[input];
	int ret = accel_window_check("graph", name, window, -EINVAL, err);

	if (!ret && (in->ndim != 3 || in->dims[0] != window->channels || in->dims[1] != window->height || in->dims[2] != window->width))
		ret = accel_fail(err, -EINVAL, name, "layer '%s' takes an image of %u channels, %u x %u; its input '%s' is another", name,
				 window->channels, window->height, window->width, in->name);
	return ret;
}

int accel_graph_add_conv_csr(struct accel_graph *graph, const char *name, unsigned int input, const struct accel_csr *csr,
			     const struct accel_window *window, enum accel_activation activation, unsigned int *output,
			     struct accel_error *err)
{
	const uint32_t dims[] = { csr->rows, window->out_height, window->out_width };
	int ret = check_new_layer(graph, name, input, csr, activation, err);

	ret = ret ? ret : check_window(graph, name, input, window, err);
	if (ret)
		return ret;
	ret = accel_window_csr_check("graph", name, window, csr, -EINVAL, err);
	if (ret)
		return ret;
	if (csr->rows * window_out_pixels(window) > ACCEL_MAX_DIM)
		return accel_fail(err, -EINVAL, name, "layer '%s': an output of %llu values; %u are allowed", name,
				  (unsigned long long)(csr->rows * window_out_pixels(window)), ACCEL_MAX_DIM);
	return add_layer(graph, name, input, csr, window, activation, 3, dims, output, err);
}

static int add_pool(struct accel_graph *graph, const char *name, enum accel_layer_kind kind, unsigned int input,
		    const struct accel_window *window, unsigned int *output, struct accel_error *err)
{
	const uint32_t dims[] = { window->channels, window->out_height, window->out_width };
	int ret = check_place(graph, name, input, err);

	ret = ret ? ret : check_window(graph, name, input, window, err);
	if (ret)
		return ret;
	if (window->groups != 1)
		return accel_fail(err, -EINVAL, name, "layer '%s': pooling with a window of %u groups; give 1", name, window->groups);
	if (window->channels * window_out_pixels(window) > ACCEL_MAX_DIM)
		return accel_fail(err, -EINVAL, name, "layer '%s': an output of %llu values; %u are allowed", name,
				  (unsigned long long)(window->channels * window_out_pixels(window)), ACCEL_MAX_DIM);
	return add_plain_layer(graph, name, (struct accel_layer){ .kind = kind, .input = input, .window = *window }, dims, output, err);
}

int accel_graph_add_max_pool(struct accel_graph *graph, const char *name, unsigned int input, const struct accel_window *window,
			     unsigned int *output, struct accel_error *err)
{
	return add_pool(graph, name, ACCEL_LAYER_MAX_POOL, input, window, output, err);
}

int accel_graph_add_average_pool(struct accel_graph *graph, const char *name, unsigned int input, const struct accel_window *window,
				 unsigned int *output, struct accel_error *err)
{
	return add_pool(graph, name, ACCEL_LAYER_AVERAGE_POOL, input, window, output, err);
}

/* An input of the graph, or part of a concatenation. */
static bool is_taken(const struct accel_model *model, unsigned int tensor)
{
	for (unsigned int i = 0; i < model->ninputs; i++)
		if (model->inputs[i] == tensor)
			return true;
	for (unsigned int l = 0; l < model->nlayers; l++)
		for (unsigned int i = 0; model->layers[l].kind == ACCEL_LAYER_CONCAT && i < model->layers[l].nparts; i++)
			if (model->layers[l].parts[i] == tensor)
				return true;
	return false;
}

int accel_graph_add_concat(struct accel_graph *graph, const char *name, unsigned int n, const unsigned int *inputs, unsigned int *output,
			   struct accel_error *err)
{
	const struct accel_layer layer = { .kind = ACCEL_LAYER_CONCAT, .parts = (unsigned int *)inputs, .nparts = n };
	uint64_t channels = 0;
	uint32_t dims[3];
	int ret = n ? 0 : accel_fail(err, -EINVAL, name, "layer '%s': a concatenation of nothing", name);

	for (unsigned int i = 0; !ret && i < n; i++) {
		const struct accel_tensor *in, *first;

		ret = check_place(graph, name, inputs[i], err);
		if (ret)
			return ret;
		in = &graph->model->tensors[inputs[i]];
		first = &graph->model->tensors[inputs[0]];
		if (in->ndim != 3 || in->dims[1] != first->dims[1] || in->dims[2] != first->dims[2])
			return accel_fail(err, -EINVAL, name, "layer '%s': '%s' is no image, or not of the size of '%s'", name, in->name, first->name);
		for (unsigned int before = 0; before < i; before++)
			if (inputs[before] == inputs[i])
				return accel_fail(err, -EINVAL, name, "layer '%s' joins '%s' twice", name, in->name);
		if (is_taken(graph->model, inputs[i]))
			return accel_fail(err, -EINVAL, name, "layer '%s' joins '%s', which is an input of the graph or part of a concatenation already",
					  name, in->name);
		channels += in->dims[0];
		memcpy(dims, in->dims, sizeof(dims));
	}
	if (!ret && channels * dims[1] * dims[2] > ACCEL_MAX_DIM)
		ret = accel_fail(err, -EINVAL, name, "layer '%s': an output of %llu values; %u are allowed", name,
				 (unsigned long long)(channels * dims[1] * dims[2]), ACCEL_MAX_DIM);
	if (ret)
		return ret;
	dims[0] = (uint32_t)channels;
	return add_plain_layer(graph, name, layer, dims, output, err);
}

int accel_graph_add_multiply(struct accel_graph *graph, const char *name, unsigned int a, unsigned int b, enum accel_activation activation,
			     unsigned int *output, struct accel_error *err)
{
	unsigned int parts[2] = { a, b };
	struct accel_layer layer = { .kind = ACCEL_LAYER_MULTIPLY, .activation = activation, .parts = parts, .nparts = 2 };
	const struct accel_tensor *x, *y;
	uint32_t dims[3];
	int ret = check_place(graph, name, a, err);

	ret = ret ? ret : check_place(graph, name, b, err);
	if (ret)
		return ret;
	if (activation > ACCEL_ACT_RELU6)
		return accel_fail(err, -EINVAL, name, "layer '%s': activation %d is unknown", name, (int)activation);
	x = &graph->model->tensors[a];
	y = &graph->model->tensors[b];
	if (x->ndim != 3 || (!accel_is_per_channel(x, y) && (y->ndim != 3 || memcmp(x->dims, y->dims, 3 * sizeof(x->dims[0])))))
		return accel_fail(err, -EINVAL, name, "layer '%s' multiplies '%s' by '%s', which is neither an image of its size nor one pixel of its channels", name,
				  x->name, y->name);
	memcpy(dims, x->dims, sizeof(dims));
	layer.mult = calloc(1, sizeof(*layer.mult));
	layer.shift = calloc(1, sizeof(*layer.shift));
	if (layer.mult && layer.shift)
		return add_plain_layer(graph, name, layer, dims, output, err);
	free(layer.mult);
	free(layer.shift);
	return no_memory(err, name);
}

int accel_graph_add_table(struct accel_graph *graph, const char *name, unsigned int input, const struct accel_function *function, unsigned int *output,
			  struct accel_error *err)
{
	struct accel_layer layer = { .kind = ACCEL_LAYER_TABLE, .input = input, .function = *function };
	uint32_t dims[3];
	int ret = check_place(graph, name, input, err);

	if (ret)
		return ret;
	if (!function->name || !table_knows(function->name))
		return accel_fail(err, -EINVAL, name, "layer '%s': there is no table of a function '%s'", name, function->name ? function->name : "");
	if (!table_parameters_ok(function))
		return accel_fail(err, -EINVAL, name, "layer '%s': a parameter of %s is not a number, or its factor or offset is not finite", name, function->name);
	if (graph->model->tensors[input].ndim != 3)
		return accel_fail(err, -EINVAL, name, "layer '%s' is for images; its input '%s' is none", name, graph->model->tensors[input].name);
	memcpy(dims, graph->model->tensors[input].dims, sizeof(dims));
	layer.function.name = strdup(function->name);
	layer.table = calloc(EIE_TABLE_VALUES, sizeof(*layer.table));
	if (layer.function.name && layer.table)
		return add_plain_layer(graph, name, layer, dims, output, err);
	free((char *)layer.function.name);
	free(layer.table);
	return no_memory(err, name);
}

static int append_output(struct accel_model *model, unsigned int tensor, struct accel_error *err)
{
	unsigned int *outputs = grow(model->outputs, model->noutputs, sizeof(*outputs));

	if (!outputs)
		return no_memory(err, model->tensors[tensor].name);
	model->outputs = outputs;
	model->outputs[model->noutputs++] = tensor;
	return 0;
}

int accel_graph_output(struct accel_graph *graph, unsigned int tensor, struct accel_error *err)
{
	struct accel_model *model = graph->model;
	int ret = check_open(graph, err);

	if (ret)
		return ret;
	if (tensor >= model->ntensors)
		return accel_fail(err, -EINVAL, NULL, "output: there is no tensor %u", tensor);
	for (unsigned int i = 0; i < model->ninputs; i++)
		if (model->inputs[i] == tensor)
			return accel_fail(err, -EINVAL, model->tensors[tensor].name, "output: '%s' is an input",
					  model->tensors[tensor].name);
	for (unsigned int i = 0; i < model->noutputs; i++)
		if (model->outputs[i] == tensor)
			return accel_fail(err, -EEXIST, model->tensors[tensor].name, "output: '%s' is one already",
					  model->tensors[tensor].name);
	ret = append_output(model, tensor, err);
	graph->outputs_given = graph->outputs_given || !ret;
	return ret;
}

int accel_graph_class_names(struct accel_graph *graph, unsigned int n, const char *const *names)
{
	return graph->model ? accel_model_set_classes(graph->model, n, names, NULL) : -EINVAL;
}

int accel_graph_picture_scale(struct accel_graph *graph, float scale)
{
	if (!graph->model || !isfinite(scale) || scale <= 0)
		return -EINVAL;
	graph->model->picture_scale = scale;
	return 0;
}

int accel_graph_preprocess(struct accel_graph *graph, const struct accel_preprocess *preprocess, struct accel_error *err)
{
	int ret = check_open(graph, err);

	return ret ? ret : accel_model_set_preprocess(graph->model, "graph", preprocess, err);
}

int accel_graph_finish(struct accel_graph *graph, struct accel_model **model, struct accel_error *err)
{
	struct accel_model *m = graph->model;
	const struct accel_tensor *first;
	int ret = check_open(graph, err);

	if (ret)
		return ret;
	if (!m->ninputs)
		return accel_fail(err, -EINVAL, NULL, "the graph has no input");
	if (!m->nlayers)
		return accel_fail(err, -EINVAL, NULL, "the graph has no layer");
	if (!graph->outputs_given) {
		ret = append_output(m, m->layers[m->nlayers - 1].output, err);
		if (ret)
			return ret;
	}
	first = &m->tensors[m->outputs[0]];
	if (m->nclasses && m->nclasses != first->count)
		ret = accel_fail(err, -EINVAL, first->name, "%u class names for the %llu values of '%s'", m->nclasses,
				 (unsigned long long)first->count, first->name);
	if (!ret)
		ret = accel_graph_guess_ranges(graph, err);
	if (!ret)
		ret = accel_quantise(m, err);
	if (!ret)
		ret = accel_model_check(m, "graph", err);
	if (ret) {
		/* the caller may add what was missing and try again */
		if (!graph->outputs_given)
			m->noutputs = 0;
		return ret;
	}
	graph->model = NULL;
	*model = m;
	return 0;
}
