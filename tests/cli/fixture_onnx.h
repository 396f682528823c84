/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/* An ONNX file written by hand, message by message (protobuf's encoding): Gemm fc1, Relu, Gemm fc2. */
#ifndef TESTS_CLI_FIXTURE_ONNX_H
#define TESTS_CLI_FIXTURE_ONNX_H

#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct message {
	uint8_t *bytes;
	size_t n;
};

static void onnx_bytes(struct message *m, const void *bytes, size_t n)
{
	m->bytes = realloc(m->bytes, m->n + n + 1);
	if (!m->bytes)
		abort();
	memcpy(m->bytes + m->n, bytes, n);
	m->n += n;
}

static void onnx_varint(struct message *m, uint64_t v)
{
	do {
		uint8_t byte = (uint8_t)((v & 127) | (v > 127 ? 128 : 0));

		onnx_bytes(m, &byte, 1);
		v >>= 7;
	} while (v);
}

static void onnx_int(struct message *m, unsigned int field, uint64_t v)
{
	onnx_varint(m, field << 3);
	onnx_varint(m, v);
}

static void onnx_data(struct message *m, unsigned int field, const void *bytes, size_t n)
{
	onnx_varint(m, field << 3 | 2);
	onnx_varint(m, n);
	onnx_bytes(m, bytes, n);
}

static void onnx_text(struct message *m, unsigned int field, const char *text)
{
	onnx_data(m, field, text, strlen(text));
}

/* sub becomes a field of m, and is freed. */
static void onnx_sub(struct message *m, unsigned int field, struct message *sub)
{
	onnx_data(m, field, sub->bytes, sub->n);
	free(sub->bytes);
	*sub = (struct message){ 0 };
}

/* A matrix of seeded weights, nearly normal; bad: the value at place 7. */
static void onnx_weights(struct message *graph, const char *name, uint32_t rows, uint32_t cols, const float *bad)
{
	size_t n = (size_t)rows * cols;
	float *w = malloc(n * sizeof(*w));
	struct message t = { 0 };
	uint32_t random = rows;

	if (!w)
		abort();
	for (size_t i = 0; i < n; i++) {
		float sum = 0;

		for (int k = 0; k < 4; k++) {
			random = random * 1664525u + 1013904223u;
			sum += (float)(random >> 8) / (1 << 24) - 0.5f;
		}
		w[i] = bad && i == 7 ? *bad : sum;
	}
	onnx_int(&t, 1, rows);
	onnx_int(&t, 1, cols);
	onnx_int(&t, 2, 1);
	onnx_text(&t, 8, name);
	onnx_data(&t, 9, w, n * sizeof(*w));
	onnx_sub(graph, 5, &t);
	free(w);
}

static void onnx_node(struct message *graph, const char *op, const char *name, const char *in, const char *weights, const char *out)
{
	struct message n = { 0 };

	onnx_text(&n, 1, in);
	if (weights)
		onnx_text(&n, 1, weights);
	onnx_text(&n, 2, out);
	onnx_text(&n, 3, name);
	onnx_text(&n, 4, op);
	onnx_sub(graph, 1, &n);
}

static void onnx_tensor(struct message *graph, unsigned int field, const char *name, uint32_t rows, uint32_t width)
{
	struct message v = { 0 }, type = { 0 }, tensor = { 0 }, shape = { 0 }, dim = { 0 };

	onnx_int(&dim, 1, rows);
	onnx_sub(&shape, 1, &dim);
	onnx_int(&dim, 1, width);
	onnx_sub(&shape, 1, &dim);
	onnx_int(&tensor, 1, 1);
	onnx_sub(&tensor, 2, &shape);
	onnx_sub(&type, 1, &tensor);
	onnx_text(&v, 1, name);
	onnx_sub(&v, 2, &type);
	onnx_sub(graph, field, &v);
}

static void onnx_finish(struct message *graph, FILE *f)
{
	struct message model = { 0 }, opset = { 0 };

	onnx_int(&opset, 2, 13);
	onnx_int(&model, 1, 8);
	onnx_sub(&model, 7, graph);
	onnx_sub(&model, 8, &opset);
	fwrite(model.bytes, 1, model.n, f);
	free(model.bytes);
}

/* kind: "", "nan" (a weight of fc1), "big" (4 million weights), "names" (of layers that no page of HTML may take as they are) */
static void make_onnx(FILE *f, const char *kind)
{
	const bool names = !strcmp(kind, "names");
	const uint32_t middle = strcmp(kind, "big") ? 64 : 4096, last = strcmp(kind, "big") ? 32 : 1024;
	const float bad = NAN;
	struct message graph = { 0 };

	onnx_node(&graph, "Gemm", names ? "</td>&amp;<b \"'>\xc3\xa9\xff\xc0\x80" : "fc1", "x", "w1", "a");
	onnx_node(&graph, "Relu", "relu", "a", NULL, "b");
	onnx_node(&graph, "Gemm", "fc2", "b", "w2", "y");
	onnx_text(&graph, 2, "fixture");
	onnx_weights(&graph, "w1", 16, middle, strcmp(kind, "nan") ? NULL : &bad);
	onnx_weights(&graph, "w2", middle, last, NULL);
	onnx_tensor(&graph, 11, "x", 1, 16);
	onnx_tensor(&graph, 12, "y", 1, last);
	onnx_finish(&graph, f);
}

/* Two layers of graph convolution for six nodes: y = A relu(A x w1) w2. */
static void make_graph_network(FILE *f)
{
	struct message graph = { 0 };

	onnx_node(&graph, "MatMul", "mix1", "x", "w1", "a");
	onnx_node(&graph, "MatMul", "spread1", "A", "a", "b");
	onnx_node(&graph, "Relu", "relu", "b", NULL, "c");
	onnx_node(&graph, "MatMul", "mix2", "c", "w2", "d");
	onnx_node(&graph, "MatMul", "spread2", "A", "d", "y");
	onnx_text(&graph, 2, "fixture");
	onnx_weights(&graph, "w1", 4, 8, NULL);
	onnx_weights(&graph, "w2", 8, 3, NULL);
	onnx_tensor(&graph, 11, "A", 6, 6);
	onnx_tensor(&graph, 11, "x", 6, 4);
	onnx_tensor(&graph, 12, "y", 6, 3);
	onnx_finish(&graph, f);
}

#endif
