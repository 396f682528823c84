// SPDX-License-Identifier: GPL-2.0 OR MIT
#include "bench_made.h"
#include "bench_layer.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define NCODES 256

const char *const bench_made_names[] = { "SqueezeNet", "LeNet-5", NULL };

struct builder {
	struct accel_graph *graph;
	struct random random;
	unsigned int tensor;         /* the last one */
	uint32_t dims[3];            /* its channels, height and width; of a vector: its length, 1, 1 */
	unsigned int layers;         /* so far; they are named by number */
	struct accel_error err;
	int ret;                     /* the first failure sticks */
};

static char *new_name(struct builder *b, char name[16])
{
	snprintf(name, 16, "%u", ++b->layers);
	return name;
}

/* Weights of a layer: each place has the same chance; magnitudes keep activations of one size from layer to layer. */
static void add_weights(struct builder *b, uint32_t rows, uint32_t cols, double density, bool relu, const struct accel_window *window)
{
	uint32_t *rowptr = calloc(rows + (size_t)1, sizeof(*rowptr)), *col = malloc(((size_t)rows * cols + 1) * sizeof(*col)), nnz = 0;
	uint8_t *code = malloc((size_t)rows * cols + 1);
	const double step = sqrt(6 / (density * cols)) / (NCODES / 2);
	float codebook[NCODES] = { 0 };
	struct accel_csr csr = { .rows = rows, .cols = cols, .rowptr = rowptr, .col = col, .code = code, .codebook = codebook, .ncodes = NCODES };
	enum accel_activation activation = relu ? ACCEL_ACT_RELU : ACCEL_ACT_NONE;
	char name[16];

	if (!b->ret && (!rowptr || !col || !code))
		b->ret = -1;
	/* -127 .. -1, 1 .. 128 */
	for (int i = 1; i < NCODES; i++)
		codebook[i] = (float)(step * (i < NCODES / 2 ? i - NCODES / 2 : i - NCODES / 2 + 1));
	for (uint32_t r = 0; !b->ret && r < rows; r++) {
		for (uint32_t c = 0; c < cols; c++) {
			if (random_unit(&b->random) > density)
				continue;
			col[nnz] = c;
			code[nnz++] = (uint8_t)(1 + (unsigned int)(random_unit(&b->random) * (NCODES - 2)));
		}
		rowptr[r + 1] = nnz;
	}
	if (!b->ret && window)
		b->ret = accel_graph_add_conv_csr(b->graph, new_name(b, name), b->tensor, &csr, window, activation, &b->tensor, &b->err);
	else if (!b->ret)
		b->ret = accel_graph_add_fc_csr(b->graph, new_name(b, name), b->tensor, &csr, activation, &b->tensor, &b->err);
	free(rowptr);
	free(col);
	free(code);
}

/* Pixels beyond the last whole window are not read. */
static struct accel_window window_of(const struct builder *b, uint32_t kernel, uint32_t stride, uint32_t pad)
{
	return (struct accel_window){
		.channels = b->dims[0], .height = b->dims[1], .width = b->dims[2], .kernel_y = kernel, .kernel_x = kernel, .stride_y = stride,
		.stride_x = stride, .dilate_y = 1, .dilate_x = 1, .pad_top = pad, .pad_left = pad, .out_height = (b->dims[1] + 2 * pad - kernel) / stride + 1,
		.out_width = (b->dims[2] + 2 * pad - kernel) / stride + 1, .groups = 1,
	};
}

static void set_dims(struct builder *b, uint32_t channels, const struct accel_window *w)
{
	b->dims[0] = channels;
	b->dims[1] = w->out_height;
	b->dims[2] = w->out_width;
}

static void conv(struct builder *b, uint32_t rows, uint32_t kernel, uint32_t stride, uint32_t pad, double density)
{
	const struct accel_window w = window_of(b, kernel, stride, pad);

	add_weights(b, rows, w.channels * kernel * kernel, density, true, &w);
	set_dims(b, rows, &w);
}

static void fc(struct builder *b, uint32_t rows, double density, bool relu)
{
	add_weights(b, rows, b->dims[0] * b->dims[1] * b->dims[2], density, relu, NULL);
	b->dims[0] = rows;
	b->dims[1] = b->dims[2] = 1;
}

static void pool(struct builder *b, uint32_t kernel, uint32_t stride, bool average)
{
	const struct accel_window w = window_of(b, kernel, stride, 0);
	char name[16];

	if (!b->ret)
		b->ret = (average ? accel_graph_add_average_pool : accel_graph_add_max_pool)(b->graph, new_name(b, name), b->tensor, &w, &b->tensor, &b->err);
	set_dims(b, w.channels, &w);
}

static void fire(struct builder *b, uint32_t squeeze, uint32_t expand, double dense_squeeze, double dense_one, double dense_three)
{
	unsigned int parts[2], squeezed;
	char name[16];

	conv(b, squeeze, 1, 1, 0, dense_squeeze);
	squeezed = b->tensor;
	conv(b, expand, 1, 1, 0, dense_one);
	parts[0] = b->tensor;
	b->tensor = squeezed;
	b->dims[0] = squeeze;
	conv(b, expand, 3, 1, 1, dense_three);
	parts[1] = b->tensor;
	if (!b->ret)
		b->ret = accel_graph_add_concat(b->graph, new_name(b, name), 2, parts, &b->tensor, &b->err);
	b->dims[0] = 2 * expand;
}

/* Iandola et al., arXiv 1602.07360, v1.0; densities of the authors' compressed weights. */
static void squeezenet(struct builder *b)
{
	conv(b, 96, 7, 2, 0, 0.99);
	pool(b, 3, 2, false);
	fire(b, 16, 64, 0.99, 0.99, 0.33);
	fire(b, 16, 64, 0.99, 0.99, 0.33);
	fire(b, 32, 128, 0.99, 0.99, 0.33);
	pool(b, 3, 2, false);
	fire(b, 32, 128, 0.99, 0.99, 0.33);
	fire(b, 48, 192, 0.99, 0.5, 0.33);
	fire(b, 48, 192, 0.5, 0.99, 0.33);
	fire(b, 64, 256, 0.99, 0.5, 0.3);
	pool(b, 3, 2, false);
	fire(b, 64, 256, 0.5, 0.99, 0.3);
	conv(b, 1000, 1, 1, 1, 0.2);
	pool(b, b->dims[1], 1, true);
}

/* Caffe's LeNet-5, densities of Deep Compression (Han et al., ICLR 2016, Table 3). */
static void lenet5(struct builder *b)
{
	conv(b, 20, 5, 1, 0, 0.66);
	pool(b, 2, 2, false);
	conv(b, 50, 5, 1, 0, 0.12);
	pool(b, 2, 2, false);
	fc(b, 500, 0.08, true);
	fc(b, 10, 0.19, false);
}

int bench_made(const char *name, uint64_t seed, struct accel_model **model)
{
	const bool squeeze = !strcmp(name, bench_made_names[0]);
	struct builder b = { .random = { seed ? seed : 1 }, .dims = { squeeze ? 3 : 1, squeeze ? 227 : 28, squeeze ? 227 : 28 } };
	size_t count = (size_t)b.dims[0] * b.dims[1] * b.dims[2];
	float *x = malloc(count * sizeof(*x));

	b.ret = !x || accel_graph_new(&b.graph) ? -1 : accel_graph_input(b.graph, "x", 3, b.dims, 0, 1, &b.tensor, &b.err);
	for (size_t i = 0; x && i < count; i++)
		x[i] = (float)random_unit(&b.random);
	if (!b.ret && squeeze)
		squeezenet(&b);
	else if (!b.ret)
		lenet5(&b);
	if (!b.ret)
		b.ret = accel_graph_calibrate(b.graph, x, 1, &b.err);
	if (!b.ret)
		b.ret = accel_graph_finish(b.graph, model, &b.err);
	accel_graph_free(b.graph);
	free(x);
	return !b.ret ? EXIT_OK : b.err.code ? fail_accel(name, &b.err) : fail("%s: out of memory", name);
}
