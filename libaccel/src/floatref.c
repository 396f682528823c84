// SPDX-License-Identifier: GPL-2.0 OR MIT
/* The float network: what the integers approximate. Slow and plain; sums in double, in the order of the columns. */
#include "graph.h"
#include "netmodel.h"

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

void accel_float_run(const struct accel_model *model, float **values)
{
	for (unsigned int i = 0; i < model->nlayers; i++) {
		const struct accel_layer *layer = &model->layers[i];
		const float *x = values[layer->input];
		float *y = values[layer->output];

		for (uint32_t r = 0; r < layer->rows; r++) {
			double sum = (double)layer->bias[r];

			for (uint32_t k = layer->rowptr[r]; k < layer->rowptr[r + 1]; k++)
				sum += (double)layer->codebook[layer->code[k]] * (double)x[layer->col[k]];
			if (layer->activation != ACCEL_ACT_NONE && sum < 0)
				sum = 0;
			if (layer->activation == ACCEL_ACT_RELU6 && sum > 6)
				sum = 6;
			y[r] = (float)sum;
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
