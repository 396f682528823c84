/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/* What the cpu backend does value by value: docs/vector_mode.md, VMUL and VTABLE. */
#ifndef ACCEL_CPU_ELEMENT_H
#define ACCEL_CPU_ELEMENT_H

#include "model.h"

/* Values first .. end - 1 of a product; b has one for each, or one for `repeat` of them that follow each other. *saturated is added to. */
void cpu_multiply(const struct accel_layer *layer, const struct accel_tensor *out, const int16_t *a, const int16_t *b, uint64_t repeat, int16_t *y,
		  uint64_t first, uint64_t end, uint64_t *saturated);
void cpu_table(const struct accel_layer *layer, const int16_t *x, int16_t *y, uint64_t first, uint64_t end);

#endif
