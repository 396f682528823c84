// SPDX-License-Identifier: GPL-2.0 OR MIT
#include "candidate_pool.h"
#include "graph.h"
#include "op_window.h"
#include "pass.h"
#include "window.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define STAGES 3
#define MOST   (WINDOW_KERNEL_MAX * WINDOW_KERNEL_MAX * WINDOW_KERNEL_MAX)

void copy_range(struct accel_graph *graph, unsigned int to, unsigned int from)
{
	struct accel_tensor *t = &graph->model->tensors[to];
	const struct accel_tensor *f = &graph->model->tensors[from];

	t->range_lo = f->range_lo;
	t->range_hi = f->range_hi;
	t->calibrated = f->calibrated;
	graph->measured[to] = true;
}

int add_diagonal(struct accel_graph *graph, const char *name, float factor, const float *bias, enum accel_activation activation, unsigned int input, unsigned int *output,
		 struct accel_error *err)
{
	const float codebook[2] = { 0, factor };
	const struct accel_tensor *x = &graph->model->tensors[input];
	const struct accel_window pixel = { x->dims[0], x->dims[1], x->dims[2], 1, 1, 1, 1, 1, 1, 0, 0, x->dims[1], x->dims[2], x->dims[0] };
	uint32_t rows = x->dims[0], *rowptr = malloc(((size_t)rows + 1) * sizeof(*rowptr));
	uint8_t *code = malloc(rows);
	/* weight r is in row and column r, so that the pointers are the columns, too */
	const struct accel_csr csr = { rows, rows, rowptr, rowptr, code, codebook, 2, bias, NULL };
	int ret = rowptr && code ? 0 : accel_fail(err, -ENOMEM, NULL, "out of memory");

	for (uint32_t r = 0; !ret && r <= rows; r++)
		rowptr[r] = r;
	if (!ret)
		memset(code, 1, rows);
	ret = ret ? ret : accel_graph_add_conv_csr(graph, name, input, &csr, &pixel, activation, output, err);
	free(rowptr);
	free(code);
	return ret;
}

int add_factor(struct accel_graph *graph, const char *name, float factor, unsigned int input, unsigned int *output, struct accel_error *err)
{
	return add_diagonal(graph, name, factor, NULL, ACCEL_ACT_NONE, input, output, err);
}

bool pool_in_stages(const struct accel_window *w)
{
	return (w->kernel_y > WINDOW_KERNEL_MAX || w->kernel_x > WINDOW_KERNEL_MAX) && w->kernel_y == w->height && w->kernel_x == w->width &&
	       w->height <= MOST && w->width <= MOST && w->out_height == 1 && w->out_width == 1 && !w->pad_top && !w->pad_left &&
	       w->dilate_y == 1 && w->dilate_x == 1 && w->channels <= WINDOW_CHANNELS_MAX;
}

/* Windows whose product is n, if that can be, else a little more: then the last ones stick out of the image. */
static void choose_stages(uint32_t n, uint32_t *sizes)
{
	uint32_t left = n;

	for (unsigned int i = 0; i < STAGES; i++) {
		sizes[i] = left < WINDOW_KERNEL_MAX ? left : WINDOW_KERNEL_MAX;
		while (left % sizes[i])
			sizes[i]--;
		left /= sizes[i];
	}
	if (left == 1)
		return;
	left = n;
	for (unsigned int i = 0; i < STAGES; i++) {
		uint32_t stages = left > WINDOW_KERNEL_MAX * WINDOW_KERNEL_MAX ? 3 : left > WINDOW_KERNEL_MAX ? 2 : 1;

		/* stages that follow take WINDOW_KERNEL_MAX pixels each at most */
		sizes[i] = left;
		for (unsigned int k = 1; k < stages; k++)
			sizes[i] = (sizes[i] + WINDOW_KERNEL_MAX - 1) / WINDOW_KERNEL_MAX;
		left = (left + sizes[i] - 1) / sizes[i];
	}
}

static int add_stage(struct accel_graph *graph, const char *name, enum accel_layer_kind kind, const struct accel_window *w, unsigned int input,
		     unsigned int *output, struct accel_error *err)
{
	if (kind == ACCEL_LAYER_MAX_POOL)
		return accel_graph_add_max_pool(graph, name, input, w, output, err);
	return accel_graph_add_average_pool(graph, name, input, w, output, err);
}

int add_pool_in_stages(struct accel_graph *graph, const char *name, enum accel_layer_kind kind, const struct accel_window *w, unsigned int input,
		       unsigned int *output, struct accel_error *err)
{
	uint32_t ys[STAGES], xs[STAGES], height = w->height, width = w->width;
	double places = 1;   /* that an average is divided by */
	unsigned int tensor = input;
	bool correct;
	int ret = 0;

	choose_stages(height, ys);
	choose_stages(width, xs);
	for (unsigned int i = 0; i < STAGES; i++)
		places *= ys[i] * xs[i];
	correct = kind == ACCEL_LAYER_AVERAGE_POOL && places != (double)w->height * w->width;
	for (unsigned int i = 0; !ret && (height > 1 || width > 1); i++) {
		uint32_t rows = (height + ys[i] - 1) / ys[i], columns = (width + xs[i] - 1) / xs[i];
		const struct accel_window stage = { w->channels, height, width, ys[i], xs[i], ys[i], xs[i], 1, 1, 0, 0, rows, columns, 1 };
		bool last = rows == 1 && columns == 1 && !correct;
		char label[ACCEL_MAX_NAME + 1];

		snprintf(label, sizeof(label), "%.230s.stage%u", name, i);
		ret = add_stage(graph, last ? name : label, kind, &stage, tensor, output, err);
		if (!ret && !last)
			copy_range(graph, *output, input);
		tensor = *output;
		height = rows;
		width = columns;
	}
	/* what stuck out was divided by, too */
	if (!ret && correct)
		ret = add_factor(graph, name, (float)(places / ((double)w->height * w->width)), tensor, output, err);
	return ret;
}

/* ---------------------------------------------------------------- padding that does not count */

/* Kernel elements of the window that are inside the image, along one dimension. */
static uint32_t inside(const struct window *w, unsigned int d, uint32_t o)
{
	uint32_t first, last;

	window_range(w->kernel[d], w->dilation[d], (int64_t)o * w->stride[d] - w->pad[d], w->in[d], &first, &last);
	return last - first;
}

/* All windows have as many pixels to divide by: none sticks out of the image, or the padding that is counted. */
static bool divides_evenly(const struct pooling *p)
{
	for (unsigned int d = 0; !p->count_pad && d < WINDOW_DIMS; d++)
		for (uint32_t o = 0; o < p->w.out[d]; o++)
			if (inside(&p->w, d, o) != p->w.kernel[d])
				return false;
	return true;
}

static void fill_map(const struct window *w, uint32_t channels, float *map)
{
	uint64_t pixels = (uint64_t)w->out[1] * w->out[2];

	for (uint32_t y = 0; y < w->out[1]; y++) {
		for (uint32_t x = 0; x < w->out[2]; x++) {
			uint32_t n = inside(w, 1, y) * inside(w, 2, x);

			map[(uint64_t)y * w->out[2] + x] = n ? (float)w->kernel_count / (float)n : 0;
		}
	}
	for (uint32_t c = 1; c < channels; c++)
		memcpy(map + c * pixels, map, pixels * sizeof(*map));
}

int pool_maps(struct accel_network *net, uint32_t **maps, struct accel_error *err)
{
	uint32_t *number = malloc((net->nnodes + (size_t)1) * sizeof(*number));
	int ret = number ? 0 : accel_fail(err, -ENOMEM, NULL, "%s: out of memory", net->file);

	for (uint32_t n = 0; !ret && n < net->nnodes; n++) {
		const struct net_node *node = &net->nodes[n];
		const struct pooling *p = node->plan;
		struct net_value y;
		void *map;

		number[n] = NET_NONE;
		if (!pass_is(node, "AveragePool"))
			continue;
		y = net->values[node->out[0]];   /* a copy: the values may move */
		if (y.ndim != 4 || y.dims[0] != 1 || !y.count || divides_evenly(p))
			continue;
		ret = net_add_constant(net, "", NET_F32, y.ndim, y.dims, &number[n], &map, err);
		if (!ret)
			fill_map(&p->w, y.dims[1], map);
	}
	*maps = number;
	return ret;
}
