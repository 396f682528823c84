// SPDX-License-Identifier: GPL-2.0 OR MIT
/* Real ranges of tensors: from given inputs, or guessed from seeded ones. */
#include "graph.h"
#include "seed.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>

#define GUESS_ITEMS  32
#define GUESS_MARGIN 4   /* two spare bits */
#define CALIBRATED_MARGIN 1.25f   /* inputs that were not seen go a little further; costs a third of a bit */

/* A layer's ReLU6 never gives more than 6, whatever the margin. */
static float upper_limit(const struct accel_model *model, unsigned int layer, float hi)
{
	return model->layers[layer].activation == ACCEL_ACT_RELU6 && hi > 6 ? 6 : hi;
}

/* Smallest and largest value of a layer's output over one item; the range starts with 0 in it. */
static int widen(const struct accel_model *model, unsigned int layer, float **values, float *lo, float *hi,
		 struct accel_error *err)
{
	const struct accel_tensor *t = &model->tensors[model->layers[layer].output];
	const float *v = values[model->layers[layer].output];

	for (uint64_t i = 0; i < t->count; i++) {
		if (!isfinite(v[i]))
			return accel_fail(err, -EDOM, t->name, "layer '%s': value %llu of the float network is not finite", t->name,
					  (unsigned long long)i);
		*lo = v[i] < *lo ? v[i] : *lo;
		*hi = v[i] > *hi ? v[i] : *hi;
	}
	return 0;
}

/* Runs what is in values and widens one range a layer: lo, hi [nlayers]. */
static int measure(const struct accel_model *model, float **values, float *lo, float *hi, struct accel_error *err)
{
	int ret = 0;

	accel_float_run(model, values);
	for (unsigned int i = 0; !ret && i < model->nlayers; i++)
		ret = widen(model, i, values, &lo[i], &hi[i], err);
	return ret;
}

int accel_graph_calibrate(struct accel_graph *graph, const float *inputs, uint64_t n, struct accel_error *err)
{
	struct accel_model *model = graph->model;
	const struct accel_tensor *in;
	float **values = NULL, *lo, *hi;
	int ret = 0;

	if (!model)
		return accel_fail(err, -EINVAL, NULL, "the graph was finished; make a new one");
	if (model->ninputs != 1 || !model->nlayers)
		return accel_fail(err, -EINVAL, NULL, "calibration needs one input and a layer; the graph has %u and %u",
				  model->ninputs, model->nlayers);
	if (!n)
		return accel_fail(err, -EINVAL, NULL, "calibration without any inputs");
	in = &model->tensors[model->inputs[0]];
	lo = calloc(model->nlayers, sizeof(*lo));
	hi = calloc(model->nlayers, sizeof(*hi));
	if (!lo || !hi)
		ret = accel_fail(err, -ENOMEM, NULL, "no memory for the ranges of %u layers", model->nlayers);
	if (!ret)
		ret = accel_float_new(model, &values, err);
	for (uint64_t i = 0; !ret && i < n; i++) {
		float *x = values[model->inputs[0]];

		for (uint64_t j = 0; !ret && j < in->count; j++) {
			float v = inputs[i * in->count + j];

			if (!isfinite(v))
				ret = accel_fail(err, -EDOM, in->name, "calibration input %llu: value %llu is not finite",
						 (unsigned long long)i, (unsigned long long)j);
			/* clamped as a session clamps it */
			x[j] = v < in->range_lo ? in->range_lo : v > in->range_hi ? in->range_hi : v;
		}
		if (!ret)
			ret = measure(model, values, lo, hi, err);
	}
	/* only whole calibrations count */
	for (unsigned int i = 0; !ret && i < model->nlayers; i++) {
		unsigned int t = model->layers[i].output;
		struct accel_tensor *tensor = &model->tensors[t];

		lo[i] = CALIBRATED_MARGIN * lo[i];
		hi[i] = upper_limit(model, i, CALIBRATED_MARGIN * hi[i]);
		tensor->range_lo = graph->measured[t] && tensor->range_lo < lo[i] ? tensor->range_lo : lo[i];
		tensor->range_hi = graph->measured[t] && tensor->range_hi > hi[i] ? tensor->range_hi : hi[i];
		tensor->calibrated = true;
		graph->measured[t] = true;
	}
	accel_float_free(model, values);
	free(lo);
	free(hi);
	return ret;
}

int accel_graph_guess_ranges(struct accel_graph *graph, struct accel_error *err)
{
	struct accel_model *model = graph->model;
	uint64_t state = SEED_START;
	float **values = NULL, *lo, *hi;
	bool missing = false;
	int ret = 0;

	for (unsigned int t = 0; t < model->ntensors; t++)
		missing |= !graph->measured[t];
	if (!missing)
		return 0;
	lo = calloc(model->nlayers, sizeof(*lo));
	hi = calloc(model->nlayers, sizeof(*hi));
	if (!lo || !hi)
		ret = accel_fail(err, -ENOMEM, NULL, "no memory for the ranges of %u layers", model->nlayers);
	if (!ret)
		ret = accel_float_new(model, &values, err);
	for (unsigned int i = 0; !ret && i < GUESS_ITEMS; i++) {
		for (unsigned int k = 0; k < model->ninputs; k++) {
			const struct accel_tensor *in = &model->tensors[model->inputs[k]];
			double width = (double)in->range_hi - (double)in->range_lo;

			for (uint64_t j = 0; j < in->count; j++)
				values[model->inputs[k]][j] = (float)((double)in->range_lo +
								      width * seed_uniform(&state));
		}
		ret = measure(model, values, lo, hi, err);
	}
	for (unsigned int i = 0; !ret && i < model->nlayers; i++) {
		unsigned int t = model->layers[i].output;
		struct accel_tensor *tensor = &model->tensors[t];

		if (graph->measured[t])
			continue;
		tensor->range_lo = GUESS_MARGIN * lo[i];
		tensor->range_hi = upper_limit(model, i, GUESS_MARGIN * hi[i]);
		tensor->calibrated = false;
		if (!isfinite(tensor->range_lo) || !isfinite(tensor->range_hi))
			ret = accel_fail(err, -ERANGE, tensor->name, "layer '%s': its values leave the float range", tensor->name);
	}
	accel_float_free(model, values);
	free(lo);
	free(hi);
	return ret;
}
