/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/* Random models and their outputs by dense arithmetic, for tests of compiler, interpreter and hardware. */
#ifndef RANDOM_MODEL_H
#define RANDOM_MODEL_H

#include <accel.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model.h"

/* xorshift64*; seeds are fixed, so a failure repeats. */
static inline uint32_t random_next(uint64_t *state)
{
	*state ^= *state >> 12;
	*state ^= *state << 25;
	*state ^= *state >> 27;
	return (uint32_t)(*state * 0x2545f4914f6cdd1du >> 32);
}

static inline double random_unit(uint64_t *state)
{
	return random_next(state) / 4294967296.0;
}

/* Gives up the test program: a broken fixture is no test result. */
static inline void random_check(int ret, const struct accel_error *err)
{
	if (ret) {
		fprintf(stderr, "random_model: %d: %s\n", ret, err->text);
		exit(2);
	}
}

/*
 * Adds a layer with density in 0..1 and 4- or 8-bit codes; skew > 0 makes rows uneven; some rows and columns stay empty. With a window it is
 * a convolution.
 */
static inline unsigned int random_any_layer(struct accel_graph *graph, uint64_t *seed, const char *name, unsigned int input,
					uint32_t rows, uint32_t cols, double density, unsigned int bits, double skew,
					const struct accel_window *window)
{
	uint32_t groups = window ? window->groups : 1;
	unsigned int ncodes = bits == 8 ? 256 : 16, output;
	uint32_t *rowptr = malloc(((size_t)rows + 1) * sizeof(*rowptr)), *col = malloc((size_t)rows * cols * sizeof(*col) + 4);
	uint8_t *code = malloc((size_t)rows * cols + 1);
	float codebook[256] = { 0 }, *bias = malloc(rows * sizeof(*bias)), *scale = malloc(rows * sizeof(*scale));
	/* rows of 8-bit codes have scales of their own */
	struct accel_csr csr = { rows, cols, rowptr, col, code, codebook, ncodes, bias, bits == 8 ? scale : NULL };
	struct accel_error err = { 0 };
	uint32_t n = 0;

	for (unsigned int i = 1; i < ncodes; i++)
		codebook[i] = (float)(random_unit(seed) - 0.5) + (i % 2 ? 0.01f : -0.01f);
	for (uint32_t r = 0; r < rows; r++) {
		double d = density * (1 + skew * (random_unit(seed) - 0.5));

		rowptr[r] = n;
		bias[r] = (float)(random_unit(seed) - 0.5);
		scale[r] = (float)(1 + r % 3) / 2;
		for (uint32_t c = 0; c < cols; c++) {
			bool keep = random_unit(seed) < d;

			if (density < 1 && (r % 13 == 5 || c % 17 == 11))
				keep = false;
			if (r * groups / rows != c * groups / cols)   /* of another group */
				keep = false;
			if (keep) {
				col[n] = c;
				code[n++] = (uint8_t)(1 + random_next(seed) % (ncodes - 1));
			}
		}
	}
	rowptr[rows] = n;
	random_check(window ? accel_graph_add_conv_csr(graph, name, input, &csr, window, ACCEL_ACT_RELU, &output, &err) :
			      accel_graph_add_fc_csr(graph, name, input, &csr, ACCEL_ACT_RELU, &output, &err), &err);
	free(rowptr);
	free(col);
	free(code);
	free(bias);
	free(scale);
	return output;
}

static inline unsigned int random_layer(struct accel_graph *graph, uint64_t *seed, const char *name, unsigned int input,
					uint32_t rows, uint32_t cols, double density, unsigned int bits, double skew)
{
	return random_any_layer(graph, seed, name, input, rows, cols, density, bits, skew, NULL);
}

/* A chain of layers: sizes[0] inputs, then n layers of sizes[1..n] outputs. */
static inline struct accel_model *random_chain(uint64_t seed, unsigned int n, const uint32_t *sizes, double density,
					       unsigned int bits, double skew)
{
	struct accel_error err = { 0 };
	struct accel_graph *graph;
	struct accel_model *model;
	unsigned int tensor;
	char name[16];

	seed = seed * 2654435761u + 1;
	random_check(accel_graph_new(&graph), &err);
	random_check(accel_graph_input(graph, "in", 1, sizes, -1, 1, &tensor, &err), &err);
	for (unsigned int l = 0; l < n; l++) {
		snprintf(name, sizeof(name), "fc%u", l + 1);
		tensor = random_layer(graph, &seed, name, tensor, sizes[l + 1], sizes[l], density, bits, skew);
	}
	random_check(accel_graph_finish(graph, &model, &err), &err);
	accel_graph_free(graph);
	return model;
}

/* Random activations, about half of them zero, within the tensor's clamp. */
static inline int16_t *random_values(uint64_t seed, const struct accel_tensor *t, unsigned int batch)
{
	int16_t *v = malloc(t->count * batch * sizeof(*v));

	seed = seed * 40503 + 7;
	for (uint64_t i = 0; i < t->count * batch; i++)
		v[i] = random_next(&seed) & 1 ? 0 : (int16_t)(t->lo + (int)(random_unit(&seed) * (t->hi - t->lo + 1)));
	return v;
}

/* A convolution by its definition, every place of every window; bounds are looked at for each pixel. */
static inline int16_t *dense_conv(const struct accel_layer *layer, const struct accel_tensor *in, const struct accel_tensor *out,
				  unsigned int batch, const int16_t *x, uint64_t *macs, uint64_t *saturated)
{
	const struct accel_window *w = &layer->window;
	int16_t *y = malloc((size_t)batch * out->count * sizeof(*y)), *row = malloc(layer->cols * sizeof(*row));
	uint8_t *has = malloc(layer->cols);

	for (uint32_t r = 0; r < layer->rows; r++) {
		memset(row, 0, layer->cols * sizeof(*row));
		memset(has, 0, layer->cols);
		for (uint32_t e = layer->rowptr[r]; e < layer->rowptr[r + 1]; e++) {
			row[layer->col[e]] = layer->codebook_q[layer->code[e]];
			has[layer->col[e]] = 1;
		}
		for (uint32_t i = 0; i < batch * w->out_height * w->out_width; i++) {
			uint32_t b = i / (w->out_height * w->out_width), p = i % (w->out_height * w->out_width);
			int64_t sum = layer->bias_q[r], top = (int64_t)(p / w->out_width) * w->stride_y - w->pad_top;
			int64_t left = (int64_t)(p % w->out_width) * w->stride_x - w->pad_left;

			for (uint32_t c = 0; c < layer->cols; c++) {
				int64_t py = top + c / w->kernel_x % w->kernel_y * w->dilate_y, px = left + c % w->kernel_x * w->dilate_x;
				int16_t a = 0;

				if (py >= 0 && px >= 0 && py < w->height && px < w->width)
					a = x[(size_t)b * in->count + ((size_t)(c / w->kernel_x / w->kernel_y) * w->height + (size_t)py) * w->width +
					      (size_t)px];
				sum += (int64_t)row[c] * a;
				*macs += has[c] && a;
			}
			y[(size_t)b * out->count + (size_t)r * w->out_height * w->out_width + p] =
				accel_requant((int32_t)(uint32_t)sum, layer->mult[r], layer->shift[r], out->lo, out->hi, saturated);
		}
	}
	free(row);
	free(has);
	return y;
}

/* Pooling by its definition, a window at a time. */
static inline void dense_pool(const struct accel_layer *layer, const int16_t *x, int16_t *y, uint64_t *saturated)
{
	const struct accel_window *w = &layer->window;
	int64_t half = layer->sum_shift ? (int64_t)1 << (layer->sum_shift - 1) : 0;

	for (uint32_t i = 0; i < w->channels * w->out_height * w->out_width; i++) {
		uint32_t p = i % (w->out_height * w->out_width);
		int64_t top = (int64_t)(p / w->out_width) * w->stride_y - w->pad_top, left = (int64_t)(p % w->out_width) * w->stride_x - w->pad_left;
		const int16_t *plane = x + (size_t)(i / (w->out_height * w->out_width)) * w->height * w->width;
		int best = INT16_MIN;
		int64_t sum = 0;

		for (int64_t py = top; py < top + w->kernel_y * w->dilate_y; py += w->dilate_y)
			for (int64_t px = left; px < left + w->kernel_x * w->dilate_x; px += w->dilate_x)
				if (py >= 0 && px >= 0 && py < w->height && px < w->width) {
					best = plane[py * w->width + px] > best ? plane[py * w->width + px] : best;
					sum += plane[py * w->width + px];
				}
		y[i] = best == INT16_MIN ? 0 : (int16_t)best;
		if (layer->kind == ACCEL_LAYER_MAX_POOL)
			continue;
		sum = (sum + half) >> layer->sum_shift;
		*saturated += sum > 32767 || sum < -32767;
		y[i] = (int16_t)(sum > 32767 ? 32767 : sum < -32767 ? -32767 : sum);
	}
}

/* Products and tables by the definition in docs/vector_mode.md, in 64 bits; one item. */
static inline void dense_element(const struct accel_model *m, const struct accel_layer *layer, unsigned int item, int16_t **values, int16_t *y, uint64_t *saturated)
{
	const struct accel_tensor *out = &m->tensors[layer->output], *second = layer->nparts ? &m->tensors[layer->parts[1]] : out;
	const int16_t *x = values[layer->input] + item * out->count;

	for (uint64_t i = 0; i < out->count; i++) {
		if (layer->table) {
			int at = (x[i] + 32768) / 256, rest = (x[i] + 32768) % 256, rise = layer->table[at + 1] - layer->table[at];

			y[i] = (int16_t)(layer->table[at] + ((rise * rest + 128) >> 8));
		} else {
			int64_t b = values[layer->parts[1]][item * second->count + i / (out->count / second->count)];
			int64_t v = (x[i] * b * layer->mult[0] + ((int64_t)1 << (layer->shift[0] - 1))) >> layer->shift[0];

			*saturated += (v > out->hi && out->hi == 32767) || (v < out->lo && out->lo == -32767);
			y[i] = (int16_t)(v > out->hi ? out->hi : v < out->lo ? out->lo : v);
		}
	}
}

/* A layer without weights, all items. */
static inline int16_t *dense_plain(const struct accel_model *m, const struct accel_layer *layer, unsigned int batch, int16_t **values,
				   uint64_t *saturated)
{
	const struct accel_tensor *out = &m->tensors[layer->output];
	int16_t *all = malloc(batch * out->count * sizeof(*all)), *y = all;

	for (unsigned int b = 0; b < batch; b++) {
		if (accel_layer_pools(layer)) {
			dense_pool(layer, values[layer->input] + b * m->tensors[layer->input].count, y, saturated);
			y += out->count;
		}
		if (layer->kind == ACCEL_LAYER_MULTIPLY || layer->kind == ACCEL_LAYER_TABLE) {
			dense_element(m, layer, b, values, y, saturated);
			y += out->count;
		}
		for (unsigned int i = 0; layer->kind == ACCEL_LAYER_CONCAT && i < layer->nparts; i++) {
			uint64_t count = m->tensors[layer->parts[i]].count;

			memcpy(y, values[layer->parts[i]] + b * count, count * sizeof(*y));
			y += count;
		}
	}
	return all;
}

/* All tensors of one batch, [batch, count] each, by dense sums in 64 bits. values[] of the graph inputs are given. */
static inline void dense_run(const struct accel_model *m, unsigned int batch, int16_t **values, uint64_t *macs,
			     uint64_t *saturated)
{
	*macs = *saturated = 0;
	for (unsigned int l = 0; l < m->nlayers; l++) {
		const struct accel_layer *layer = &m->layers[l];
		const struct accel_tensor *out = &m->tensors[layer->output], *in = &m->tensors[layer->input];
		int16_t *row = malloc(layer->cols * sizeof(*row)), *y = malloc((size_t)batch * layer->rows * sizeof(*y));

		if (layer->kind == ACCEL_LAYER_CONV) {
			free(y);
			values[layer->output] = dense_conv(layer, in, out, batch, values[layer->input], macs, saturated);
			free(row);
			continue;
		}
		if (layer->kind != ACCEL_LAYER_FC) {
			free(y);
			free(row);
			values[layer->output] = dense_plain(m, layer, batch, values, saturated);
			continue;
		}
		for (uint32_t r = 0; r < layer->rows; r++) {
			memset(row, 0, layer->cols * sizeof(*row));
			for (uint32_t e = layer->rowptr[r]; e < layer->rowptr[r + 1]; e++)
				row[layer->col[e]] = layer->codebook_q[layer->code[e]];
			for (unsigned int b = 0; b < batch; b++) {
				const int16_t *x = values[layer->input] + (size_t)b * layer->cols;
				int64_t sum = layer->bias_q[r];

				for (uint32_t c = 0; c < layer->cols; c++)
					sum += (int64_t)row[c] * x[c];
				for (uint32_t e = layer->rowptr[r]; e < layer->rowptr[r + 1]; e++)
					*macs += x[layer->col[e]] != 0;
				y[(size_t)b * layer->rows + r] = accel_requant((int32_t)(uint32_t)sum, layer->mult[r],
									       layer->shift[r], out->lo, out->hi, saturated);
			}
		}
		values[layer->output] = y;
		free(row);
	}
}

#endif
