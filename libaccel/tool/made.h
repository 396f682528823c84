/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/* What follows when a model has been made: it is written, and what it is, is told. */
#ifndef EIE_MADE_H
#define EIE_MADE_H

#include "calibration.h"

/* Writing a model over what it is made of would lose that. */
bool made_same_file(const char *a, const char *b);
/* Prints an error; returns an exit status. */
int made_save(const struct accel_model *model, const char *path);
/* calibrated: items that its ranges were measured with, or 0. */
void made_summary(const struct tool *tool, const char *path, const struct accel_model *model, uint64_t calibrated);
/* What the user should know about the ranges of out, made of in. */
void made_warnings(const struct tool *tool, const char *in, const char *out, const struct accel_model *model,
		   const struct calibration *measured);

#endif
