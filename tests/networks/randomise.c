// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Seeded random weights in place of constant ones:  randomise IN.onnx OUT.onnx SEED [CODES]
 * Every ConstantOfShape that makes floats becomes an initialiser. Weights of layers are scaled by 1 / sqrt(inputs of a sum), so that
 * activations keep their size through the network (He et al., ICCV 2015); the last layer's are small, or softmax would decide for one class.
 * With CODES a tensor of weights has so many different values at most, and batch normalisation scales all channels of a layer alike, so that they stay so few
 * when it is folded into the convolution.
 */
#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "onnx.pb-c.h"

static uint64_t state;
static unsigned int codes;   /* 0: any number */

/* xorshift64* */
static double uniform(void)
{
	state ^= state >> 12;
	state ^= state << 25;
	state ^= state >> 27;
	return (double)(state * 0x2545f4914f6cdd1dull >> 11) * 0x1p-53;
}

static void die(const char *what)
{
	perror(what);
	exit(1);
}

static void *memory(size_t size)
{
	void *p = calloc(1, size ? size : 1);

	if (!p)
		die("memory");
	return p;
}

static Onnx__TensorProto *find_tensor(const Onnx__GraphProto *g, const char *name)
{
	for (size_t i = 0; i < g->n_initializer; i++)
		if (!strcmp(g->initializer[i]->name, name))
			return g->initializer[i];
	return NULL;
}

/* What reads the value, and as which input. */
static const Onnx__NodeProto *reader(const Onnx__GraphProto *g, const char *name, size_t *input)
{
	for (size_t i = 0; i < g->n_node; i++)
		for (*input = 0; *input < g->node[i]->n_input; ++*input)
			if (!strcmp(g->node[i]->input[*input], name))
				return g->node[i];
	return NULL;
}

static bool is_float(const Onnx__NodeProto *n)
{
	for (size_t i = 0; i < n->n_attribute; i++)
		if (!strcmp(n->attribute[i]->name, "value"))
			return n->attribute[i]->t->data_type == 1;
	return true;
}

/* Leaves so many different values as the codebooks of the engine's layers have room for. */
static void reduce(const Onnx__NodeProto *to, size_t input, float *v, size_t count)
{
	if (!codes || !to)
		return;
	/* all of its constants: some files share one between several nodes */
	if (!strcmp(to->op_type, "BatchNormalization"))
		for (size_t i = 1; i < count; i++)
			v[i] = v[0];
	else if (input == 1 && (!strcmp(to->op_type, "Conv") || !strcmp(to->op_type, "Gemm")))
		for (size_t i = codes; i < count; i++)
			v[i] = v[(size_t)(uniform() * codes)];
}

/* Small constants that the file does have. */
static void reduce_initializers(const Onnx__GraphProto *g)
{
	for (size_t i = 0; codes && i < g->n_initializer; i++) {
		Onnx__TensorProto *t = g->initializer[i];
		size_t input = 0;
		const Onnx__NodeProto *to = reader(g, t->name, &input);

		if (t->data_type != 1)
			continue;
		if (t->has_raw_data)
			reduce(to, input, (float *)t->raw_data.data, t->raw_data.len / sizeof(float));
		else
			reduce(to, input, t->float_data, t->n_float_data);
	}
}

static void fill(const Onnx__GraphProto *g, const Onnx__NodeProto *n, Onnx__TensorProto *t, size_t count)
{
	double lo = -0.1, hi = 0.1;
	size_t input = 0;
	const Onnx__NodeProto *to = reader(g, n->output[0], &input);
	float *v = (float *)t->raw_data.data;

	if (to && input == 1 && (!strcmp(to->op_type, "Conv") || !strcmp(to->op_type, "Gemm"))) {
		hi = sqrt(6.0 * (double)t->dims[0] / (double)count) * (strcmp(to->op_type, "Gemm") || t->dims[0] != 1000 ? 1 : 1e-4);
		lo = -hi;
	} else if (to && !strcmp(to->op_type, "BatchNormalization") && (input == 1 || input == 4)) {
		lo = 0.5;
		hi = 1.5;
	}
	for (size_t i = 0; i < count; i++)
		v[i] = (float)(lo + (hi - lo) * uniform());
	reduce(to, input, v, count);
}

static Onnx__TensorProto *random_tensor(const Onnx__GraphProto *g, const Onnx__NodeProto *n)
{
	const Onnx__TensorProto *shape = find_tensor(g, n->input[0]);
	Onnx__TensorProto *t = memory(sizeof(*t));
	size_t count = 1;

	if (!shape) {
		fprintf(stderr, "%s: its shape is no constant\n", n->output[0]);
		exit(1);
	}
	onnx__tensor_proto__init(t);
	t->name = n->output[0];
	t->has_data_type = t->has_raw_data = 1;
	t->data_type = 1;
	t->n_dims = (size_t)shape->dims[0];
	t->dims = memory(t->n_dims * sizeof(*t->dims));
	for (size_t i = 0; i < t->n_dims; i++) {
		if (shape->has_raw_data)
			memcpy(&t->dims[i], shape->raw_data.data + 8 * i, 8);
		else
			t->dims[i] = shape->int64_data[i];
		count *= (size_t)t->dims[i];
	}
	t->raw_data.len = 4 * count;
	t->raw_data.data = memory(4 * count);
	fill(g, n, t, count);
	return t;
}

static Onnx__ModelProto *read_model(const char *path)
{
	FILE *f = fopen(path, "rb");
	Onnx__ModelProto *m;
	uint8_t *data;
	long size;

	if (!f || fseek(f, 0, SEEK_END) || (size = ftell(f)) < 0)
		die(path);
	rewind(f);
	data = memory((size_t)size);
	if (fread(data, 1, (size_t)size, f) != (size_t)size)
		die(path);
	fclose(f);
	m = onnx__model_proto__unpack(NULL, (size_t)size, data);
	free(data);
	if (!m || !m->graph)
		die(path);
	return m;
}

int main(int argc, char **argv)
{
	Onnx__ModelProto *m;
	Onnx__GraphProto *g;
	Onnx__TensorProto **tensors;
	size_t n = 0, size;
	uint8_t *data;
	FILE *f;

	if (argc != 4 && argc != 5)
		return 2;
	codes = argc == 5 ? (unsigned int)atoi(argv[4]) : 0;
	state = strtoull(argv[3], NULL, 10) * 0x9e3779b97f4a7c15ull + 1;
	m = read_model(argv[1]);
	g = m->graph;
	reduce_initializers(g);
	tensors = memory((g->n_initializer + g->n_node) * sizeof(*tensors));
	memcpy(tensors, g->initializer, g->n_initializer * sizeof(*tensors));
	for (size_t i = 0; i < g->n_node; i++) {
		if (strcmp(g->node[i]->op_type, "ConstantOfShape") || !is_float(g->node[i]))
			continue;
		tensors[g->n_initializer + n++] = random_tensor(g, g->node[i]);
	}
	if (!n) {
		fprintf(stderr, "%s: holds no constant weights\n", argv[1]);
		return 1;
	}
	/* readers have been looked up: now the nodes may go */
	for (size_t i = 0, to = 0, all = g->n_node; i < all; i++) {
		if (i == 0)
			g->n_node = 0;
		if (strcmp(g->node[i]->op_type, "ConstantOfShape") || !is_float(g->node[i])) {
			g->node[to++] = g->node[i];
			g->n_node = to;
		}
	}
	g->initializer = tensors;
	g->n_initializer += n;
	size = onnx__model_proto__get_packed_size(m);
	data = memory(size);
	onnx__model_proto__pack(m, data);
	f = fopen(argv[2], "wb");
	if (!f || fwrite(data, 1, size, f) != size || fclose(f))
		die(argv[2]);
	return 0;
}
