/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/* What number ranges are chosen by at import: typical inputs, a method, and a report of what was found. */
#ifndef EIE_CALIBRATION_H
#define EIE_CALIBRATION_H

#include "args.h"
#include "items.h"

struct calibration {
	unsigned int ninputs;
	struct items *items;	  /* [ninputs]; those without a file are empty */
	const float **values;	  /* [ninputs] of [n, count], or NULL */
	uint64_t n;
	bool missing;		  /* an input has no file */
};

/* Words "[NAME=]PATH" for a model whose inputs they are. Print errors; return an exit status. Free in any case. */
int calibration_read(const struct tool *tool, struct calibration *c, const struct accel_model *model, const char *path,
		     const struct arg_list *words);
void calibration_free(struct calibration *c);

/* "minmax", "percentile", "percentile:99.9", "mse" */
int calibration_method(const char *word, enum accel_calib_method *method, double *percentile);

/* A table of a line a layer on standard output: the callback of struct accel_onnx_options, arg: struct tool. */
void calibration_report(void *tool, const struct accel_calib_info *info);

#endif
