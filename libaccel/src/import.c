// SPDX-License-Identifier: GPL-2.0 OR MIT
#include "import.h"
#include "graph.h"
#include "netmodel.h"
#include "onnx_place.h"
#include "op.h"
#include "picture.h"
#include "sparse.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

struct accel_onnx_options import_copy(const struct accel_onnx_options *options)
{
	struct accel_onnx_options o = { 0 };

	if (options)
		memcpy(&o, options, options->size < sizeof(o) ? options->size : sizeof(o));
	return o;
}

void import_lists_free(struct import_lists *lists)
{
	for (unsigned int i = 0; i < lists->nsparse; i++)
		free(lists->sparse[i]);
	free(lists->sparse);
	free(lists->shapes);
	free(lists->known);
	*lists = (struct import_lists){ 0 };
}

int import_options(const struct accel_onnx_options *o, struct import_lists *lists, struct onnx_options *to, struct accel_error *err)
{
	struct onnx_shape *shapes = calloc(o->nshapes + (size_t)o->nsparse + 1, sizeof(*shapes));
	struct onnx_known *known = calloc(o->nfixed + (size_t)o->nsparse + 1, sizeof(*known));
	float **sparse = calloc(o->nsparse + (size_t)1, sizeof(*sparse));

	*lists = (struct import_lists){ shapes, known, o->nsparse, sparse };
	*to = (struct onnx_options){ .nshapes = o->nshapes + o->nsparse, .nknown = o->nfixed + o->nsparse, .shapes = shapes, .known = known };
	if (!sparse)
		lists->nsparse = 0;
	if (!shapes || !known || !sparse)
		return accel_fail(err, -ENOMEM, NULL, "out of memory");
	for (unsigned int i = 0; i < o->nshapes; i++) {
		const struct accel_onnx_shape *s = &o->shapes[i];

		if (s->ndim > NET_MAX_DIMS)
			return accel_fail(err, -EINVAL, s->input, "input '%s': a shape of %u dimensions; at most %d are supported", s->input,
					  s->ndim, NET_MAX_DIMS);
		shapes[i] = (struct onnx_shape){ .input = s->input, .ndim = s->ndim };
		memcpy(shapes[i].dims, s->dims, s->ndim * sizeof(*s->dims));
	}
	for (unsigned int i = 0; i < o->nfixed; i++) {
		if (!isfinite(o->fixed[i].value))
			return accel_fail(err, -EINVAL, o->fixed[i].input, "input '%s': %g is not a finite number", o->fixed[i].input,
					  o->fixed[i].value);
		known[i] = (struct onnx_known){ .input = o->fixed[i].input, .is_number = true, .number = o->fixed[i].value };
	}
	for (unsigned int i = 0; i < o->nsparse; i++) {
		const struct accel_sparse *m = &o->sparse[i].matrix;
		const char *input = o->sparse[i].input;
		const uint64_t count = (uint64_t)m->rows * m->cols;
		int ret = sparse_check(input, m, err);

		if (!ret && count > NET_MAX_COUNT)
			ret = accel_fail(err, -E2BIG, input, "input '%s': a matrix of %u x %u, with its zeros more than 2^28 elements", input, m->rows, m->cols);
		if (ret)
			return ret;
		sparse[i] = calloc(count, sizeof(**sparse));
		if (!sparse[i])
			return accel_fail(err, -ENOMEM, NULL, "out of memory");
		sparse_fill(m, sparse[i]);
		shapes[o->nshapes + i] = (struct onnx_shape){ .input = input, .ndim = 2, .dims = { m->rows, m->cols } };
		known[o->nfixed + i] = (struct onnx_known){
			.input = input, .value = { .type = NET_F32, .ndim = 2, .dims = { m->rows, m->cols }, .count = count, .data = sparse[i] }
		};
	}
	return 0;
}

int import_calibration(const struct accel_network *net, const struct accel_onnx_options *o, struct calib_inputs *in,
		       const float ***list, struct accel_error *err)
{
	const float **values = calloc(net->ninputs + (size_t)1, sizeof(*values));

	*list = values;
	*in = (struct calib_inputs){ .n = o->ncalib, .values = values, .method = o->calib_method,
				     .percentile = o->calib_percentile ? o->calib_percentile : 99.99 };
	if (!values)
		return accel_fail(err, -ENOMEM, NULL, "%s: out of memory", net->file);
	if (o->calib_method > ACCEL_CALIB_MSE)
		return accel_fail(err, -EINVAL, NULL, "%s: calibration method %d is unknown", net->file, (int)o->calib_method);
	if (!(in->percentile > 50) || in->percentile > 100)
		return accel_fail(err, -EINVAL, NULL, "%s: calibration by the percentile %g; above 50, at most 100 makes sense", net->file,
				  in->percentile);
	if (!net->ninputs)
		return accel_fail(err, -EINVAL, NULL, "%s: no input, nothing to calibrate with", net->file);
	for (unsigned int k = 0; k < net->ninputs; k++) {
		const struct net_value *v = &net->values[net->inputs[k]];

		values[k] = o->calib_inputs ? o->calib_inputs[k] : k ? NULL : o->calib;
		if (values[k] && v->type != NET_F32)
			return accel_fail(err, -EINVAL, v->name, "%s: input '%s' is no float32 tensor: it cannot be calibrated", net->file, v->name);
		for (uint64_t i = 0; values[k] && i < o->ncalib * v->count; i++)
			if (!isfinite(values[k][i]))
				return accel_fail(err, -EDOM, v->name, "calibration input %llu: value %llu of '%s' is not finite",
						  (unsigned long long)(i / v->count), (unsigned long long)(i % v->count), v->name);
	}
	if (!values[0])
		return accel_fail(err, -EINVAL, NULL, "%s: calibration without the first input, '%s'", net->file,
				  net->values[net->inputs[0]].name);
	return 0;
}

static void tell(const struct calib *calib, const char *op, const char *name, uint32_t v, const struct accel_onnx_options *o)
{
	const struct calib_range *r = &calib->range[v];
	const struct accel_calib_info info = {
		.layer = name, .op = op, .least = r->least, .greatest = r->greatest, .lo = r->lo, .hi = r->hi,
		.snr = r->noise > 0 ? 10 * log10(r->signal / r->noise) : INFINITY, .values = r->values, .saturated = r->saturated,
		.group = r->group, .group_lo = r->group_lo, .group_hi = r->group_hi,
	};

	if (r->known && r->finite)
		o->calib_report(o->calib_report_arg, &info);
}

static int calibrate(struct accel_network *net, const struct accel_onnx_options *o, struct calib **calib, struct accel_error *err)
{
	struct calib_inputs in;
	const float **list;
	int ret = import_calibration(net, o, &in, &list, err);

	ret = ret ? ret : calib_new(net, &in, calib, err);
	if (!ret && o->calib_report) {
		ret = calib_report(net, &in, *calib, err);
		for (unsigned int i = 0; !ret && i < net->ninputs; i++)
			tell(*calib, "input", net->values[net->inputs[i]].name, net->inputs[i], o);
		for (unsigned int n = 0; !ret && n < net->nnodes; n++)
			if (net->nodes[n].out[0] != NET_NONE)
				tell(*calib, net->nodes[n].op->name, net->nodes[n].name, net->nodes[n].out[0], o);
		if (ret)
			calib_free(*calib);
	}
	free(list);
	return ret;
}

/* How pictures become inputs, and class names. */
static int describe(struct accel_model *m, const char *path, const struct accel_onnx_options *o, struct accel_error *err)
{
	const struct accel_tensor *first = m->ninputs ? &m->tensors[m->inputs[0]] : NULL;
	struct picture_layout layout;
	struct accel_preprocess unit;
	int ret = 0;

	if (o->preprocess) {
		ret = accel_model_set_preprocess(m, path, o->preprocess, err);
	} else if (first && first->dtype == ACCEL_DTYPE_FLOAT32 && picture_layout(first->ndim, first->dims, ACCEL_LAYOUT_AUTO, &layout) &&
		   layout.channels == 3) {
		ret = accel_preprocess_parse("unit", &unit, err);
		ret = ret ? ret : accel_model_set_preprocess(m, path, &unit, err);
	}
	if (ret || !o->nclasses)
		return ret;
	if (!m->noutputs || o->nclasses != m->tensors[m->outputs[0]].count)
		return accel_fail(err, -EINVAL, NULL, "%s: %u class names for an output of %llu values", path, o->nclasses,
				  m->noutputs ? (unsigned long long)m->tensors[m->outputs[0]].count : 0);
	return accel_model_set_classes(m, o->nclasses, o->classes, err);
}

int import_finish(struct accel_network *net, const char *path, const struct accel_onnx_options *o, struct accel_model **model,
		  struct accel_error *err)
{
	struct accel_model *m;
	struct calib *calib = NULL;
	int ret = 0;

	if (o->weights > ACCEL_WEIGHTS_LINEAR)
		ret = accel_fail(err, -EINVAL, NULL, "%s: treatment %d of weights is unknown", path, (int)o->weights);
	if (!ret && !o->float_convolutions)
		ret = pass_apart(net, err);
	if (!ret && o->ncalib)
		ret = calibrate(net, o, &calib, err);
	if (!ret) {
		const struct placement how = { .conv = !o->float_convolutions, .linear = o->weights == ACCEL_WEIGHTS_LINEAR,
					       .rounded = o->rounded, .rounded_arg = o->rounded_arg };

		ret = onnx_place(net, &how, calib, err);
		calib_free(calib);
	}
	ret = ret ? ret : net_check(net, err);
	if (ret) {
		net_free(net);
		return ret;
	}
	ret = netmodel_new(net, &m, err);
	if (ret)
		return ret;
	ret = describe(m, path, o, err);
	if (ret)
		accel_model_unref(m);
	else
		*model = m;
	return ret;
}
