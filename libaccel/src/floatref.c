// SPDX-License-Identifier: GPL-2.0 OR MIT
/* The float network: what the integers approximate. Slow and plain; sums in double, in the order of the columns. */
#include "graph.h"
#include "netmodel.h"
#include "op_window.h"
#include "table.h"
#include "window.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

void accel_float_free(const struct accel_model *model, float **values)
{
	for (unsigned int i = 0; values && i < model->ntensors; i++)
		free(values[i]);
	free(values);
}

int accel_float_new(const struct accel_model *model, float ***values, struct accel_error *err)
{
	float **v = calloc(model->ntensors, sizeof(*v));

	for (unsigned int i = 0; v && i < model->ntensors; i++) {
		v[i] = calloc(model->tensors[i].count, sizeof(**v));
		if (!v[i]) {
			accel_float_free(model, v);
			v = NULL;
		}
	}
	if (!v)
		return accel_fail(err, -ENOMEM, NULL, "no memory for the tensors of the float network");
	*values = v;
	return 0;
}

static float activate(const struct accel_layer *layer, double sum)
{
	if (layer->activation != ACCEL_ACT_NONE && sum < 0)
		sum = 0;
	if (layer->activation == ACCEL_ACT_RELU6 && sum > 6)
		sum = 6;
	return (float)sum;
}

/* One row of windows, oy of row r, weight by weight. */
static void run_conv_row(const struct accel_layer *layer, uint32_t r, uint32_t oy, const float *x, float *y)
{
	const struct accel_window *w = &layer->window;
	double sums[WINDOW_SIDE_MAX];

	for (uint32_t i = 0; i < w->out_width; i++)
		sums[i] = (double)layer->bias[r];
	for (uint32_t k = layer->rowptr[r]; k < layer->rowptr[r + 1]; k++) {
		uint32_t tap = layer->col[k] % window_taps(w), channel = layer->col[k] / window_taps(w), first, last;
		int32_t iy = (int32_t)(oy * w->stride_y + tap / w->kernel_x * w->dilate_y) - (int32_t)w->pad_top;
		int32_t dx = (int32_t)(tap % w->kernel_x * w->dilate_x) - (int32_t)w->pad_left;
		double weight = (double)layer->codebook[layer->code[k]] * accel_row_scale(layer, r);
		const float *row;

		if (iy < 0 || iy >= (int32_t)w->height)
			continue;
		row = x + ((size_t)channel * w->height + (size_t)iy) * w->width;
		window_range(w->out_width, w->stride_x, dx, w->width, &first, &last);
		for (uint32_t i = first; i < last; i++)
			sums[i] += weight * (double)row[(int64_t)i * w->stride_x + dx];
	}
	for (uint32_t i = 0; i < w->out_width; i++)
		y[i] = activate(layer, sums[i]);
}

static void run_conv(const struct accel_layer *layer, const float *x, float *y)
{
	const struct accel_window *w = &layer->window;

	for (uint32_t r = 0; r < layer->rows; r++)
		for (uint32_t oy = 0; oy < w->out_height; oy++, y += w->out_width)
			run_conv_row(layer, r, oy, x, y);
}

/* As the engine has it: padding takes no part, an empty window gives 0. */
static void run_pool(const struct accel_window *w, bool max, const float *x, float *y)
{
	for (uint32_t c = 0; c < w->channels; c++, x += window_in_pixels(w)) {
		for (uint32_t p = 0; p < window_out_pixels(w); p++, y++) {
			bool any = false;
			double sum = 0;

			*y = 0;
			for (uint32_t tap = 0; tap < window_taps(w); tap++) {
				int64_t iy = (int64_t)(p / w->out_width) * w->stride_y + tap / w->kernel_x * w->dilate_y - w->pad_top;
				int64_t ix = (int64_t)(p % w->out_width) * w->stride_x + tap % w->kernel_x * w->dilate_x - w->pad_left;

				if (iy < 0 || ix < 0 || iy >= w->height || ix >= w->width)
					continue;
				if (!any || x[iy * w->width + ix] > *y)
					*y = x[iy * w->width + ix];
				any = true;
				sum += (double)x[iy * w->width + ix];
			}
			*y = max ? *y : (float)(sum / window_taps(w));
		}
	}
}

static void run_multiply(const struct accel_layer *layer, const struct accel_tensor *a, const struct accel_tensor *b, const float *x, const float *factors, float *y)
{
	uint64_t repeat = a->count / b->count;

	for (uint64_t i = 0; i < a->count; i++)
		y[i] = activate(layer, (double)x[i] * (double)factors[i / repeat]);
}

void accel_float_run(const struct accel_model *model, float **values)
{
	for (unsigned int i = 0; i < model->nlayers; i++) {
		const struct accel_layer *layer = &model->layers[i];
		const float *x = values[layer->input];
		float *y = values[layer->output];

		if (layer->kind == ACCEL_LAYER_CONV) {
			run_conv(layer, x, y);
			continue;
		}
		if (accel_layer_pools(layer)) {
			run_pool(&layer->window, layer->kind == ACCEL_LAYER_MAX_POOL, x, y);
			continue;
		}
		if (layer->kind == ACCEL_LAYER_MULTIPLY) {
			run_multiply(layer, &model->tensors[layer->input], &model->tensors[layer->parts[1]], x, values[layer->parts[1]], y);
			continue;
		}
		if (layer->kind == ACCEL_LAYER_TABLE) {
			table_function(layer, x, y, model->tensors[layer->output].count);
			continue;
		}
		for (unsigned int k = 0; k < layer->nparts; k++) {
			memcpy(y, values[layer->parts[k]], model->tensors[layer->parts[k]].count * sizeof(*y));
			y += model->tensors[layer->parts[k]].count;
		}
		for (uint32_t r = 0; r < layer->rows; r++) {
			double sum = (double)layer->bias[r];

			for (uint32_t k = layer->rowptr[r]; k < layer->rowptr[r + 1]; k++)
				sum += (double)layer->codebook[layer->code[k]] * accel_row_scale(layer, r) * (double)x[layer->col[k]];
			y[r] = activate(layer, sum);
		}
	}
}

int accel_model_run_float(const struct accel_model *model, const float *inputs, uint64_t n, float *outputs,
			  struct accel_error *err)
{
	const struct accel_tensor *in = &model->tensors[model->inputs[0]], *out = &model->tensors[model->outputs[0]];
	float **values;
	int ret;

	if (model->ninputs != 1)
		return accel_fail(err, -EINVAL, NULL, "the float network takes one input, the model has %u", model->ninputs);
	if (model->net)
		return netmodel_run_float(model, inputs, n, outputs, err);
	ret = accel_float_new(model, &values, err);
	if (ret)
		return ret;
	for (uint64_t i = 0; i < n; i++) {
		memcpy(values[model->inputs[0]], inputs + i * in->count, in->count * sizeof(*inputs));
		accel_float_run(model, values);
		memcpy(outputs + i * out->count, values[model->outputs[0]], out->count * sizeof(*outputs));
	}
	accel_float_free(model, values);
	return 0;
}
