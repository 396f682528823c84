/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/* ONNX files made by tests: nodes and tensors are appended, then packed. Everything is freed with ob_free(). */
#ifndef TESTS_LIB_ONNX_BUILD_H
#define TESTS_LIB_ONNX_BUILD_H

#include <assert.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "onnx.h"

#define OB_MOST 512

struct ob {
	Onnx__ModelProto model;
	Onnx__GraphProto graph;
	Onnx__OperatorSetIdProto opset, *opsets[1];
	Onnx__NodeProto *nodes[OB_MOST];
	Onnx__TensorProto *tensors[OB_MOST];
	Onnx__ValueInfoProto *inputs[OB_MOST], *outputs[OB_MOST];
	void **owned;
	size_t nowned;
};

static inline void *ob_own(struct ob *b, void *p)
{
	assert_non_null(p);
	b->owned = realloc(b->owned, (b->nowned + 1) * sizeof(*b->owned));
	assert_non_null(b->owned);
	return b->owned[b->nowned++] = p;
}

static inline void *ob_new_memory(struct ob *b, size_t size)
{
	return ob_own(b, calloc(1, size ? size : 1));
}

static inline struct ob *ob_new(int64_t opset)
{
	struct ob *b = calloc(1, sizeof(*b));

	assert_non_null(b);
	onnx__model_proto__init(&b->model);
	onnx__graph_proto__init(&b->graph);
	onnx__operator_set_id_proto__init(&b->opset);
	b->opset.has_version = 1;
	b->opset.version = opset;
	b->opsets[0] = &b->opset;
	b->model.opset_import = b->opsets;
	b->model.n_opset_import = 1;
	b->model.graph = &b->graph;
	b->graph.node = b->nodes;
	b->graph.initializer = b->tensors;
	b->graph.input = b->inputs;
	b->graph.output = b->outputs;
	return b;
}

static inline void ob_free(struct ob *b)
{
	for (size_t i = 0; i < b->nowned; i++)
		free(b->owned[i]);
	free(b->owned);
	free(b);
}

/* ndim < 0: no shape. A dimension of 0 is symbolic, named "N". */
static inline void ob_input(struct ob *b, const char *name, int32_t type, int ndim, const int64_t *dims)
{
	Onnx__ValueInfoProto *v = ob_new_memory(b, sizeof(*v));
	Onnx__TypeProto *t = ob_new_memory(b, sizeof(*t));
	Onnx__TypeProto__Tensor *tt = ob_new_memory(b, sizeof(*tt));
	Onnx__TensorShapeProto *s = ob_new_memory(b, sizeof(*s));

	onnx__value_info_proto__init(v);
	onnx__type_proto__init(t);
	onnx__type_proto__tensor__init(tt);
	onnx__tensor_shape_proto__init(s);
	v->name = ob_own(b, strdup(name));
	v->type = t;
	t->tensor_type = tt;
	tt->has_elem_type = 1;
	tt->elem_type = type;
	tt->shape = ndim < 0 ? NULL : s;
	s->n_dim = ndim < 0 ? 0 : (size_t)ndim;
	s->dim = ob_new_memory(b, (s->n_dim + 1) * sizeof(*s->dim));
	for (int i = 0; i < ndim; i++) {
		s->dim[i] = ob_new_memory(b, sizeof(*s->dim[i]));
		onnx__tensor_shape_proto__dimension__init(s->dim[i]);
		s->dim[i]->has_dim_value = dims[i] > 0;
		s->dim[i]->dim_value = dims[i];
		if (!dims[i])
			s->dim[i]->dim_param = ob_own(b, strdup("N"));
	}
	assert_true(b->graph.n_input < OB_MOST);
	b->inputs[b->graph.n_input++] = v;
}

static inline void ob_output(struct ob *b, const char *name)
{
	Onnx__ValueInfoProto *v = ob_new_memory(b, sizeof(*v));

	onnx__value_info_proto__init(v);
	v->name = ob_own(b, strdup(name));
	assert_true(b->graph.n_output < OB_MOST);
	b->outputs[b->graph.n_output++] = v;
}

/* An initialiser of raw bytes; type as TensorProto.DataType. The caller may change it. */
static inline Onnx__TensorProto *ob_tensor(struct ob *b, const char *name, int32_t type, int ndim, const int64_t *dims,
					   const void *data, size_t bytes)
{
	Onnx__TensorProto *t = ob_new_memory(b, sizeof(*t));

	onnx__tensor_proto__init(t);
	t->name = ob_own(b, strdup(name));
	t->has_data_type = 1;
	t->data_type = type;
	t->n_dims = (size_t)ndim;
	t->dims = ob_new_memory(b, (size_t)ndim * sizeof(*t->dims));
	if (ndim)
		memcpy(t->dims, dims, (size_t)ndim * sizeof(*t->dims));
	t->has_raw_data = 1;
	t->raw_data.len = bytes;
	t->raw_data.data = ob_new_memory(b, bytes);
	if (bytes)
		memcpy(t->raw_data.data, data, bytes);
	assert_true(b->graph.n_initializer < OB_MOST);
	return b->tensors[b->graph.n_initializer++] = t;
}

static inline void ob_floats(struct ob *b, const char *name, int ndim, const int64_t *dims, const float *data)
{
	size_t n = 1;

	for (int i = 0; i < ndim; i++)
		n *= (size_t)dims[i];
	ob_tensor(b, name, 1, ndim, dims, data, n * sizeof(*data));
}

static inline void ob_ints(struct ob *b, const char *name, int64_t n, const int64_t *data)
{
	ob_tensor(b, name, 7, 1, &n, data, (size_t)n * sizeof(*data));
}

static inline void ob_scalar(struct ob *b, const char *name, float v)
{
	ob_tensor(b, name, 1, 0, NULL, &v, sizeof(v));
}

static inline size_t ob_split(struct ob *b, const char *list, char ***out)
{
	char *text = ob_own(b, strdup(list)), *at = text, *word;
	size_t n = 0;

	*out = ob_new_memory(b, (strlen(list) + 2) * sizeof(**out));
	while (*list && (word = strsep(&at, ",")))
		(*out)[n++] = word;
	return n;
}

/* in and out: names with commas between; an empty one is a missing input. */
static inline Onnx__NodeProto *ob_node(struct ob *b, const char *op, const char *in, const char *out)
{
	Onnx__NodeProto *n = ob_new_memory(b, sizeof(*n));

	onnx__node_proto__init(n);
	n->op_type = ob_own(b, strdup(op));
	n->name = ob_own(b, malloc(32));
	snprintf(n->name, 32, "%s%zu", op, b->graph.n_node);
	n->n_input = ob_split(b, in, &n->input);
	n->n_output = ob_split(b, out, &n->output);
	n->attribute = ob_new_memory(b, 16 * sizeof(*n->attribute));
	assert_true(b->graph.n_node < OB_MOST);
	return b->nodes[b->graph.n_node++] = n;
}

static inline Onnx__AttributeProto *ob_attr(struct ob *b, Onnx__NodeProto *n, const char *name)
{
	Onnx__AttributeProto *a = ob_new_memory(b, sizeof(*a));

	onnx__attribute_proto__init(a);
	a->name = ob_own(b, strdup(name));
	a->has_type = 1;
	assert_true(n->n_attribute < 16);
	return n->attribute[n->n_attribute++] = a;
}

static inline void ob_attr_int(struct ob *b, Onnx__NodeProto *n, const char *name, int64_t v)
{
	Onnx__AttributeProto *a = ob_attr(b, n, name);

	a->type = 2;
	a->has_i = 1;
	a->i = v;
}

static inline void ob_attr_float(struct ob *b, Onnx__NodeProto *n, const char *name, float v)
{
	Onnx__AttributeProto *a = ob_attr(b, n, name);

	a->type = 1;
	a->has_f = 1;
	a->f = v;
}

static inline void ob_attr_text(struct ob *b, Onnx__NodeProto *n, const char *name, const char *v)
{
	Onnx__AttributeProto *a = ob_attr(b, n, name);

	a->type = 3;
	a->has_s = 1;
	a->s.len = strlen(v);
	a->s.data = ob_own(b, strdup(v));
}

static inline void ob_attr_ints(struct ob *b, Onnx__NodeProto *n, const char *name, size_t count, const int64_t *v)
{
	Onnx__AttributeProto *a = ob_attr(b, n, name);

	a->type = 7;
	a->n_ints = count;
	a->ints = ob_new_memory(b, count * sizeof(*v));
	memcpy(a->ints, v, count * sizeof(*v));
}

/* The graph of sub as an attribute: a branch of an If. */
static inline void ob_attr_graph(struct ob *b, Onnx__NodeProto *n, const char *name, struct ob *sub)
{
	Onnx__AttributeProto *a = ob_attr(b, n, name);

	a->type = 5;
	a->has_g = 1;
	a->g.len = onnx__graph_proto__get_packed_size(&sub->graph);
	a->g.data = ob_new_memory(b, a->g.len);
	onnx__graph_proto__pack(&sub->graph, a->g.data);
}

/* The file's bytes; the caller frees them. */
static inline void *ob_pack(const struct ob *b, size_t *size)
{
	void *data;

	*size = onnx__model_proto__get_packed_size(&b->model);
	data = malloc(*size ? *size : 1);
	assert_non_null(data);
	onnx__model_proto__pack(&b->model, data);
	return data;
}

static inline void ob_save(const struct ob *b, const char *path)
{
	size_t size;
	void *data = ob_pack(b, &size);
	FILE *file = fopen(path, "wb");

	assert_non_null(file);
	assert_int_equal(fwrite(data, 1, size, file), size);
	assert_int_equal(fclose(file), 0);
	free(data);
}

static inline int ob_load(const struct ob *b, const struct onnx_options *options, struct accel_network **net, struct accel_error *err)
{
	size_t size;
	void *data = ob_pack(b, &size);
	int ret = onnx_load(data, size, "test.onnx", NULL, options, net, err);

	free(data);
	return ret;
}

#endif
