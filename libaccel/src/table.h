/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/* Functions of one number as tables: docs/vector_mode.md, VTABLE. */
#ifndef ACCEL_TABLE_H
#define ACCEL_TABLE_H

#include "model.h"

/* Continuous ones, by their names in accel_graph_add_table(). */
bool table_knows(const char *function);
/* No parameter is not a number, factor and offset are finite. */
bool table_parameters_ok(const struct accel_function *f);
/* Below *lo and above *hi the function is constant, or nearly so. */
void table_bounds(const struct accel_function *f, double *lo, double *hi);
/* y[i] = f(x[i]) in float32; x may be y. */
void table_function(const struct accel_layer *layer, const float *x, float *y, uint64_t n);
/* The function is computed by IEEE 754's own operations alone: the same table on every machine. */
bool table_follows(const char *function);
/* The layer's table, for the scales of its input and output and within the clamp of the latter. */
void table_fill(struct accel_layer *layer, const struct accel_tensor *in, const struct accel_tensor *out);

#endif
