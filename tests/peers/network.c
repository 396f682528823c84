// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Whole networks on ONNX Runtime: from an ONNX file, or written from a model, dense: in float32, and in int8 as its tools would have it (QuantizeLinear and
 * DequantizeLinear around each layer, uint8 activations by the model's ranges, int8 weights with a scale a layer).
 */
#include "peer.h"

#include <accel.h>
#include <math.h>
#include <onnxruntime_c_api.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model.h"
#include "onnx.pb-c.h"

#define WHY 160

enum { FLOAT = 1, INT = 2, INTS = 7, UINT8 = 2, INT8 = 3, INT32 = 6 };   /* AttributeProto and TensorProto types */

/* A graph that is being made, with all memory of it. */
struct maker {
	Onnx__GraphProto graph;
	void **blocks;
	size_t nblocks;
	char *why;          /* [WHY] */
	jmp_buf *failed;
};

__attribute__((noreturn, format(printf, 2, 3))) static void die(struct maker *g, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(g->why, WHY, fmt, ap);
	va_end(ap);
	longjmp(*g->failed, 1);
}

/* Zeroed; it lives as long as the maker. */
static void *get(struct maker *g, size_t bytes)
{
	void **blocks = g->nblocks % 256 ? g->blocks : realloc(g->blocks, (g->nblocks + 256) * sizeof(*blocks));
	void *p = blocks ? calloc(1, bytes + 1) : NULL;

	g->blocks = blocks ? blocks : g->blocks;
	if (!p)
		die(g, "out of memory");
	return g->blocks[g->nblocks++] = p;
}

static void release(struct maker *g)
{
	for (size_t i = 0; i < g->nblocks; i++)
		free(g->blocks[i]);
	free(g->blocks);
}

/* --------------------------------------------------------------- the graph */

static char *text(struct maker *g, const char *fmt, unsigned int n)
{
	char *s = get(g, 32);

	snprintf(s, 32, fmt, n);
	return s;
}

static void add_ints(struct maker *g, Onnx__NodeProto *node, char *name, unsigned int n, const int64_t *values)
{
	Onnx__AttributeProto *a = get(g, sizeof(*a));

	onnx__attribute_proto__init(a);
	a->name = name;
	a->has_type = 1;
	a->type = n ? INTS : INT;
	a->n_ints = n;
	a->ints = get(g, n * sizeof(*a->ints));
	memcpy(a->ints, values, n * sizeof(*values));
	if (!n) {
		a->has_i = 1;
		a->i = *values;
	}
	node->attribute[node->n_attribute++] = a;
}

static Onnx__NodeProto *add_node(struct maker *g, char *op, unsigned int nin, char *out)
{
	Onnx__NodeProto *node = get(g, sizeof(*node));

	onnx__node_proto__init(node);
	node->op_type = op;
	node->input = get(g, nin * sizeof(*node->input));
	node->n_output = 1;
	node->output = get(g, sizeof(*node->output));
	node->output[0] = out;
	node->attribute = get(g, 8 * sizeof(*node->attribute));
	g->graph.node[g->graph.n_node++] = node;
	return node;
}

static char *add_constant(struct maker *g, char *name, int type, size_t each, unsigned int n, const int64_t *dims, const void *values)
{
	Onnx__TensorProto *t = get(g, sizeof(*t));
	size_t count = 1;

	onnx__tensor_proto__init(t);
	t->name = name;
	t->n_dims = n;
	t->dims = get(g, n * sizeof(*dims));
	for (unsigned int i = 0; i < n; i++)
		count *= (size_t)(t->dims[i] = dims[i]);
	t->has_data_type = t->has_raw_data = 1;
	t->data_type = type;
	t->raw_data.len = count * each;
	t->raw_data.data = get(g, count * each);
	memcpy(t->raw_data.data, values, count * each);
	g->graph.initializer[g->graph.n_initializer++] = t;
	return name;
}

/* Values in eight bits. */
struct code {
	float scale;
	uint8_t zero;
};

static struct code code_of(const struct accel_tensor *t)
{
	float lo = t->range_lo < 0 ? t->range_lo : 0, hi = t->range_hi > 0 ? t->range_hi : 0;
	struct code c = { hi > lo ? (hi - lo) / 255 : 1, 0 };

	c.zero = (uint8_t)lrintf(-lo / c.scale);
	return c;
}

/* "p5" = DequantizeLinear of a constant. */
static char *add_coded(struct maker *g, const char *of, unsigned int i, int type, size_t each, unsigned int n, const int64_t *dims, const void *values,
		       float scale)
{
	char *name = text(g, "%u", i), *full = get(g, 48), *codes = get(g, 48), *step = get(g, 48);
	Onnx__NodeProto *node;

	snprintf(full, 48, "%s%s", of, name);
	snprintf(codes, 48, "%s%s_codes", of, name);
	snprintf(step, 48, "%s%s_scale", of, name);
	node = add_node(g, "DequantizeLinear", 2, full);
	node->n_input = 2;
	node->input[0] = add_constant(g, codes, type, each, n, dims, values);
	node->input[1] = add_constant(g, step, FLOAT, sizeof(float), 0, NULL, &scale);
	return full;
}

/* Tensor t by way of eight bits, from "f5" to "t5". */
static void add_rounding(struct maker *g, const struct accel_model *m, unsigned int t)
{
	const struct code c = code_of(&m->tensors[t]);
	char *scale = add_constant(g, text(g, "s%u", t), FLOAT, sizeof(float), 0, NULL, &c.scale);
	char *zero = add_constant(g, text(g, "z%u", t), UINT8, 1, 0, NULL, &c.zero);
	Onnx__NodeProto *node = add_node(g, "QuantizeLinear", 3, text(g, "q%u", t));

	for (unsigned int i = 0; i < 2; i++) {
		node->n_input = 3;
		node->input[0] = text(g, i ? "q%u" : "f%u", t);
		node->input[1] = scale;
		node->input[2] = zero;
		if (!i)
			node = add_node(g, "DequantizeLinear", 3, text(g, "t%u", t));
	}
}

static void set_window(struct maker *g, Onnx__NodeProto *node, const struct accel_window *w)
{
	int64_t bottom = (int64_t)(w->out_height - 1) * w->stride_y + (w->kernel_y - 1) * w->dilate_y + 1 - w->pad_top - w->height;
	int64_t right = (int64_t)(w->out_width - 1) * w->stride_x + (w->kernel_x - 1) * w->dilate_x + 1 - w->pad_left - w->width;
	const int64_t pads[] = { w->pad_top, w->pad_left, bottom < 0 ? 0 : bottom, right < 0 ? 0 : right };

	add_ints(g, node, "kernel_shape", 2, (int64_t[]){ w->kernel_y, w->kernel_x });
	add_ints(g, node, "strides", 2, (int64_t[]){ w->stride_y, w->stride_x });
	add_ints(g, node, "pads", 4, pads);
	if (w->dilate_y > 1 || w->dilate_x > 1)
		add_ints(g, node, "dilations", 2, (int64_t[]){ w->dilate_y, w->dilate_x });
}

/* Weights and bias of a layer; dense [dims]. */
static void add_weights(struct maker *g, const struct accel_model *m, const struct accel_layer *l, unsigned int i, bool int8, Onnx__NodeProto *node,
			unsigned int ndim, const int64_t *dims, const float *dense)
{
	const int64_t rows = l->rows;
	size_t n = 1;
	int8_t *codes;
	int32_t *bias = get(g, l->rows * sizeof(*bias));
	float most = 0, in = code_of(&m->tensors[l->input]).scale;

	for (unsigned int d = 0; d < ndim; d++)
		n *= (size_t)dims[d];
	codes = get(g, n);
	if (!int8) {
		node->input[1] = add_constant(g, text(g, "w%u", i), FLOAT, sizeof(float), ndim, dims, dense);
		node->input[2] = add_constant(g, text(g, "b%u", i), FLOAT, sizeof(float), 1, &rows, l->bias);
		return;
	}
	for (size_t k = 0; k < n; k++)
		most = fmaxf(most, fabsf(dense[k]));
	most = most > 0 ? most / 127 : 1;
	for (size_t k = 0; k < n; k++)
		codes[k] = (int8_t)lrintf(dense[k] / most);
	for (uint32_t r = 0; r < l->rows; r++)
		bias[r] = (int32_t)lrintf(l->bias[r] / (most * in));
	node->input[1] = add_coded(g, "w", i, INT8, 1, ndim, dims, codes, most);
	node->input[2] = add_coded(g, "b", i, INT32, sizeof(*bias), 1, &rows, bias, most * in);
}

/* [rows, cols of a row's group], and what follows a layer with weights. */
static float *dense_weights(struct maker *g, const struct accel_layer *l, uint32_t cols)
{
	float *dense = get(g, (size_t)l->rows * cols * sizeof(*dense));

	for (uint32_t r = 0; r < l->rows; r++)
		for (uint32_t k = l->rowptr[r]; k < l->rowptr[r + 1]; k++)
			dense[(size_t)r * cols + l->col[k] % cols] = (float)accel_row_scale(l, r) * l->codebook[l->code[k]];
	return dense;
}

/* Adds a layer with weights, and its ReLU. */
static void add_weighted(struct maker *g, const struct accel_model *m, const struct accel_layer *l, unsigned int i, bool int8)
{
	const struct accel_window *w = &l->window;
	const bool conv = l->kind == ACCEL_LAYER_CONV;
	uint32_t cols = conv ? l->cols / w->groups : l->cols;
	const int64_t conv_dims[] = { l->rows, conv ? w->channels / w->groups : 0, w->kernel_y, w->kernel_x }, fc_dims[] = { l->rows, cols };
	char *in = text(g, "t%u", l->input), *out = text(g, int8 ? "f%u" : "t%u", l->output), *sum = l->activation ? text(g, "a%u", i) : out;
	Onnx__NodeProto *node;

	if (l->activation == ACCEL_ACT_RELU6)
		die(g, "layer \"%s\": ReLU6 is not among what can be written for it", l->name);
	if (!conv && m->tensors[l->input].ndim > 1) {
		node = add_node(g, "Flatten", 1, text(g, "l%u", i));
		node->n_input = 1;
		node->input[0] = in;
		in = text(g, "l%u", i);
	}
	node = add_node(g, conv ? "Conv" : "Gemm", 3, sum);
	node->n_input = 3;
	node->input[0] = in;
	add_weights(g, m, l, i, int8, node, conv ? 4 : 2, conv ? conv_dims : fc_dims, dense_weights(g, l, cols));
	if (conv)
		set_window(g, node, w);
	else
		add_ints(g, node, "transB", 0, (int64_t[]){ 1 });
	if (conv && w->groups > 1)
		add_ints(g, node, "group", 0, (int64_t[]){ w->groups });
	if (l->activation) {
		node = add_node(g, "Relu", 1, out);
		node->n_input = 1;
		node->input[0] = sum;
	}
}

static void add_layer(struct maker *g, const struct accel_model *m, unsigned int i, bool int8)
{
	const struct accel_layer *l = &m->layers[i];
	Onnx__NodeProto *node;

	if (accel_layer_weighted(l)) {
		add_weighted(g, m, l, i, int8);
		return;
	}
	if (l->kind == ACCEL_LAYER_CONCAT) {
		node = add_node(g, "Concat", l->nparts, text(g, int8 ? "f%u" : "t%u", l->output));
		for (unsigned int p = 0; p < l->nparts; p++)
			node->input[node->n_input++] = text(g, "t%u", l->parts[p]);
		add_ints(g, node, "axis", 0, (int64_t[]){ 1 });
		return;
	}
	if (!accel_layer_pools(l))
		die(g, "layer \"%s\": products and tables are not among what can be written for it", l->name);
	node = add_node(g, l->kind == ACCEL_LAYER_MAX_POOL ? "MaxPool" : "AveragePool", 1, text(g, int8 ? "f%u" : "t%u", l->output));
	node->n_input = 1;
	node->input[0] = text(g, "t%u", l->input);
	set_window(g, node, &l->window);
	if (l->kind == ACCEL_LAYER_AVERAGE_POOL)
		add_ints(g, node, "count_include_pad", 0, (int64_t[]){ 1 });
}

static Onnx__ValueInfoProto **value_info(struct maker *g, char *name, const struct accel_tensor *t)
{
	Onnx__ValueInfoProto **list = get(g, sizeof(*list)), *v = list[0] = get(g, sizeof(*v));

	onnx__value_info_proto__init(v);
	onnx__type_proto__init(v->type = get(g, sizeof(*v->type)));
	onnx__type_proto__tensor__init(v->type->tensor_type = get(g, sizeof(*v->type->tensor_type)));
	onnx__tensor_shape_proto__init(v->type->tensor_type->shape = get(g, sizeof(*v->type->tensor_type->shape)));
	v->name = name;
	v->type->tensor_type->has_elem_type = 1;
	v->type->tensor_type->elem_type = FLOAT;
	v->type->tensor_type->shape->dim = get(g, (t->ndim + 1) * sizeof(*v->type->tensor_type->shape->dim));
	for (unsigned int i = 0; i <= t->ndim; i++) {
		Onnx__TensorShapeProto__Dimension *d = get(g, sizeof(*d));

		onnx__tensor_shape_proto__dimension__init(d);
		d->has_dim_value = 1;
		d->dim_value = i ? t->dims[i - 1] : 1;
		v->type->tensor_type->shape->dim[v->type->tensor_type->shape->n_dim++] = d;
	}
	return list;
}

static uint8_t *make_onnx(struct maker *g, const struct accel_model *m, bool int8, size_t *bytes)
{
	Onnx__OperatorSetIdProto set = ONNX__OPERATOR_SET_ID_PROTO__INIT, *sets = &set;
	Onnx__ModelProto model = ONNX__MODEL_PROTO__INIT;
	uint8_t *packed;

	onnx__graph_proto__init(&g->graph);
	g->graph.name = "network";
	g->graph.node = get(g, (7 * m->nlayers + 2) * sizeof(*g->graph.node));
	g->graph.initializer = get(g, (6 * m->nlayers + 2) * sizeof(*g->graph.initializer));
	if (int8)
		add_rounding(g, m, m->inputs[0]);
	for (unsigned int i = 0; i < m->nlayers; i++) {
		add_layer(g, m, i, int8);
		if (int8)
			add_rounding(g, m, m->layers[i].output);
	}
	g->graph.n_input = g->graph.n_output = 1;
	g->graph.input = value_info(g, text(g, int8 ? "f%u" : "t%u", m->inputs[0]), &m->tensors[m->inputs[0]]);
	g->graph.output = value_info(g, text(g, "t%u", m->outputs[0]), &m->tensors[m->outputs[0]]);
	set.has_version = model.has_ir_version = 1;
	set.version = 13;
	model.ir_version = 8;
	model.graph = &g->graph;
	model.n_opset_import = 1;
	model.opset_import = &sets;
	*bytes = onnx__model_proto__get_packed_size(&model);
	packed = get(g, *bytes);
	onnx__model_proto__pack(&model, packed);
	return packed;
}

/* ------------------------------------------------------------------- peers */

static const OrtApi *ort;

struct run {
	OrtEnv *env;
	OrtSessionOptions *options;
	OrtMemoryInfo *memory;
	OrtSession *session;
	OrtAllocator *allocator;
	OrtValue *in, *out;
	char *from, *to;
	float *x, *y;
	uint64_t outputs;
};

static void check(struct maker *g, OrtStatus *status)
{
	if (!status)
		return;
	snprintf(g->why, WHY, "%s", ort->GetErrorMessage(status));
	ort->ReleaseStatus(status);
	longjmp(*g->failed, 1);
}

static void close_run(void *state)
{
	struct run *r = state;

	if (!r)
		return;
	if (r->from)
		r->allocator->Free(r->allocator, r->from);
	if (r->to)
		r->allocator->Free(r->allocator, r->to);
	if (r->in)
		ort->ReleaseValue(r->in);
	if (r->out)
		ort->ReleaseValue(r->out);
	if (r->memory)
		ort->ReleaseMemoryInfo(r->memory);
	if (r->session)
		ort->ReleaseSession(r->session);
	if (r->options)
		ort->ReleaseSessionOptions(r->options);
	if (r->env)
		ort->ReleaseEnv(r->env);
	free(r->x);
	free(r);
}

/* Shapes and the first run, for which memory of the output is taken. */
static void start(struct maker *g, struct run *r, const struct peer_network *n)
{
	int64_t dims[ACCEL_MAX_DIMS + 1] = { 1 };
	const OrtTensorTypeAndShapeInfo *shape;
	OrtTensorTypeAndShapeInfo *made;
	OrtTypeInfo *info;
	size_t rank, count;

	check(g, ort->SessionGetInputName(r->session, 0, r->allocator, &r->from));
	check(g, ort->SessionGetOutputName(r->session, 0, r->allocator, &r->to));
	check(g, ort->SessionGetInputTypeInfo(r->session, 0, &info));
	check(g, ort->CastTypeInfoToTensorInfo(info, &shape));
	check(g, ort->GetDimensionsCount(shape, &rank));
	ort->ReleaseTypeInfo(info);
	if (rank != n->ndim && rank != n->ndim + (size_t)1)
		die(g, "its input has %zu dimensions, the model's %u", rank, n->ndim);
	for (unsigned int i = 0; i < n->ndim; i++)
		dims[rank - n->ndim + i] = n->dims[i];
	check(g, ort->CreateTensorWithDataAsOrtValue(r->memory, r->x, n->inputs * sizeof(float), dims, rank, ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT, &r->in));
	check(g, ort->Run(r->session, NULL, (const char *const *)&r->from, (const OrtValue *const *)&r->in, 1, (const char *const *)&r->to, 1, &r->out));
	check(g, ort->GetTensorTypeAndShape(r->out, &made));
	check(g, ort->GetTensorShapeElementCount(made, &count));
	ort->ReleaseTensorTypeAndShapeInfo(made);
	if (count != n->outputs)
		die(g, "it has %zu outputs, the model %llu", count, (unsigned long long)n->outputs);
	check(g, ort->GetTensorMutableData(r->out, (void **)&r->y));
}

static void open_session(struct maker *g, struct run *r, const struct peer_network *n, bool int8, unsigned int threads)
{
	r->outputs = n->outputs;
	r->x = malloc(n->inputs * sizeof(*r->x));
	if (!r->x)
		die(g, "out of memory");
	memcpy(r->x, n->x, n->inputs * sizeof(*r->x));
	check(g, ort->CreateEnv(ORT_LOGGING_LEVEL_ERROR, "eie", &r->env));
	check(g, ort->CreateSessionOptions(&r->options));
	check(g, ort->SetIntraOpNumThreads(r->options, (int)threads));
	check(g, ort->GetAllocatorWithDefaultOptions(&r->allocator));
	check(g, ort->CreateCpuMemoryInfo(OrtArenaAllocator, OrtMemTypeDefault, &r->memory));
	if (n->file && !int8) {
		check(g, ort->CreateSession(r->env, n->file, r->options, &r->session));
	} else if (n->model) {
		size_t bytes;
		uint8_t *onnx = make_onnx(g, n->model, int8, &bytes);

		check(g, ort->CreateSessionFromArray(r->env, onnx, bytes, r->options, &r->session));
	} else {
		die(g, n->file ? "int8 is written for models of one segment alone" : "it is not one segment, and no ONNX file was named");
	}
	start(g, r, n);
}

/* False: why says the reason. */
static bool opened(struct maker *g, struct run *r, const struct peer_network *n, bool int8, unsigned int threads)
{
	jmp_buf failed;

	g->failed = &failed;
	if (setjmp(failed))
		return false;
	open_session(g, r, n, int8, threads);
	return true;
}

static void *open_run(const struct peer_network *n, bool int8, unsigned int threads, char *why)
{
	struct run *r = calloc(1, sizeof(*r));
	struct maker g = { .why = why };
	bool ok;

	ort = OrtGetApiBase()->GetApi(ORT_API_VERSION);
	if (!ort || !r) {
		snprintf(why, WHY, ort ? "out of memory" : "this libonnxruntime is older than its header");
		free(r);
		return NULL;
	}
	ok = opened(&g, r, n, int8, threads);
	release(&g);
	if (ok)
		return r;
	close_run(r);
	return NULL;
}

static void *open_f32(const struct peer_network *n, unsigned int threads, char *why)
{
	return open_run(n, false, threads, why);
}

static void *open_int8(const struct peer_network *n, unsigned int threads, char *why)
{
	return open_run(n, true, threads, why);
}

static void go(void *state)
{
	struct run *r = state;
	OrtStatus *status = ort->Run(r->session, NULL, (const char *const *)&r->from, (const OrtValue *const *)&r->in, 1, (const char *const *)&r->to, 1, &r->out);

	/* it ran when it was opened */
	if (status)
		abort();
}

static void output(void *state, float *y)
{
	const struct run *r = state;

	memcpy(y, r->y, r->outputs * sizeof(*y));
}

static const struct peer_networks f32 = { "ONNX Runtime f32", 1e-3, false, open_f32, go, output, close_run };
static const struct peer_networks int8 = { "ONNX Runtime int8", 0.5, true, open_int8, go, output, close_run };

__attribute__((visibility("default"))) const struct peer_networks *const *eie_peer_networks(void)
{
	static const struct peer_networks *const all[] = { &f32, &int8, NULL };

	return all;
}
