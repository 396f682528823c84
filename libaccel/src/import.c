// SPDX-License-Identifier: GPL-2.0 OR MIT
#include "import.h"
#include "graph.h"
#include "netmodel.h"
#include "onnx_place.h"
#include "picture.h"

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
	free(lists->shapes);
	free(lists->known);
	*lists = (struct import_lists){ 0 };
}

int import_options(const struct accel_onnx_options *o, struct import_lists *lists, struct onnx_options *to, struct accel_error *err)
{
	struct onnx_shape *shapes = calloc(o->nshapes + (size_t)1, sizeof(*shapes));
	struct onnx_known *known = calloc(o->nfixed + (size_t)1, sizeof(*known));

	*lists = (struct import_lists){ shapes, known };
	*to = (struct onnx_options){ .nshapes = o->nshapes, .nknown = o->nfixed, .shapes = shapes, .known = known };
	if (!shapes || !known)
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
	return 0;
}

static int check_calibration(const struct accel_network *net, const struct accel_onnx_options *o, struct accel_error *err)
{
	uint64_t count;

	if (!o->ncalib)
		return 0;
	if (!net->ninputs || net->values[net->inputs[0]].type != NET_F32)
		return accel_fail(err, -EINVAL, NULL, "%s: the first input is no float32 tensor: it cannot be calibrated", net->file);
	count = net->values[net->inputs[0]].count;
	for (uint64_t i = 0; i < o->ncalib * count; i++)
		if (!isfinite(o->calib[i]))
			return accel_fail(err, -EDOM, NULL, "calibration input %llu: value %llu is not finite",
					  (unsigned long long)(i / count), (unsigned long long)(i % count));
	return 0;
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
	int ret = check_calibration(net, o, err);

	ret = ret ? ret : onnx_place(net, o->calib, o->ncalib, err);
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
