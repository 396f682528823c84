/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/* What importers of networks share: options, and the way from a network to a model. */
#ifndef ACCEL_IMPORT_H
#define ACCEL_IMPORT_H

#include "calib.h"
#include "net.h"
#include "onnx.h"

/* A caller built against another version of the header has a shorter or a longer structure; NULL: none. */
struct accel_onnx_options import_copy(const struct accel_onnx_options *options);

struct import_lists {
	struct onnx_shape *shapes;
	struct onnx_known *known;
	unsigned int nsparse;
	float **sparse;            /* [nsparse] matrices with their zeros */
};

/* The importer's options; lists hold what they point to, and are freed in any case. */
int import_options(const struct accel_onnx_options *o, struct import_lists *lists, struct onnx_options *to, struct accel_error *err);
void import_lists_free(struct import_lists *lists);

/* Inputs to calibrate with, as the options give them; *list [ninputs] is the caller's, also on failure. */
int import_calibration(const struct accel_network *net, const struct accel_onnx_options *o, struct calib_inputs *in, const float ***list,
		       struct accel_error *err);

/* Ranges, placement, description. Takes net over, also on failure. path names the file in errors. */
int import_finish(struct accel_network *net, const char *path, const struct accel_onnx_options *o, struct accel_model **model,
		  struct accel_error *err);

#endif
