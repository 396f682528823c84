/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/* Seeded networks for tests. */
#ifndef TESTS_LIB_MODELS_H
#define TESTS_LIB_MODELS_H

#include <accel.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

struct test_rng {
	uint64_t state;
};

static inline uint32_t test_random(struct test_rng *rng)
{
	/* PCG's multiplier, high half: good enough to choose weights */
	rng->state = rng->state * 6364136223846793005ull + 1442695040888963407ull;
	return (uint32_t)(rng->state >> 32);
}

static inline double test_uniform(struct test_rng *rng)
{
	return test_random(rng) / 4294967296.0;
}

/* A csr matrix of the given density and ncodes random codebook values; free with test_csr_free. */
static inline struct accel_csr test_csr(struct test_rng *rng, uint32_t rows, uint32_t cols, double density, unsigned int ncodes)
{
	uint32_t *rowptr = calloc(rows + (size_t)1, sizeof(*rowptr)), nnz = 0;
	uint32_t *col = malloc((size_t)rows * cols * sizeof(*col));
	uint8_t *code = malloc((size_t)rows * cols);
	float *codebook = calloc(ncodes, sizeof(*codebook)), *bias = malloc(rows * sizeof(*bias));

	assert_true(rowptr && col && code && codebook && bias);
	for (unsigned int i = 1; i < ncodes; i++)
		codebook[i] = (float)((0.05 + test_uniform(rng)) * (i % 2 ? 0.5 : -0.5));
	for (uint32_t r = 0; r < rows; r++) {
		bias[r] = (float)(test_uniform(rng) - 0.5);
		for (uint32_t c = 0; c < cols; c++) {
			if (ncodes < 2 || test_uniform(rng) >= density)
				continue;
			col[nnz] = c;
			code[nnz++] = (uint8_t)(1 + test_random(rng) % (ncodes - 1));
		}
		rowptr[r + 1] = nnz;
	}
	return (struct accel_csr) {
		.rows = rows,
		.cols = cols,
		.rowptr = rowptr,
		.col = col,
		.code = code,
		.codebook = codebook,
		.ncodes = ncodes,
		.bias = bias,
	};
}

static inline void test_csr_free(struct accel_csr *csr)
{
	free((void *)csr->rowptr);
	free((void *)csr->col);
	free((void *)csr->code);
	free((void *)csr->codebook);
	free((void *)csr->bias);
}

/* dims[0] inputs in [-1, 1], then one layer a further dimension, ReLU but for the last. ncodes alternates 16 and 256. */
static inline struct accel_graph *test_graph(uint64_t seed, unsigned int n, const uint32_t *dims, double density)
{
	struct test_rng rng = { seed };
	struct accel_error err = { 0 };
	struct accel_graph *graph;
	unsigned int tensor;

	assert_int_equal(accel_graph_new(&graph), 0);
	assert_int_equal(accel_graph_input(graph, "image", 1, dims, -1, 1, &tensor, &err), 0);
	for (unsigned int i = 1; i < n; i++) {
		struct accel_csr csr = test_csr(&rng, dims[i], dims[i - 1], density, i % 2 ? 16 : 256);
		char name[16];

		snprintf(name, sizeof(name), "fc%u", i);
		if (accel_graph_add_fc_csr(graph, name, tensor, &csr, i + 1 < n ? ACCEL_ACT_RELU : ACCEL_ACT_NONE, &tensor, &err))
			fail_msg("%s", err.text);
		test_csr_free(&csr);
	}
	return graph;
}

static inline struct accel_model *test_finish(struct accel_graph *graph)
{
	struct accel_error err = { 0 };
	struct accel_model *model;

	if (accel_graph_finish(graph, &model, &err))
		fail_msg("%s", err.text);
	accel_graph_free(graph);
	return model;
}

#endif
