/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/* What the cpu backend multiplies value by value: docs/vector_mode.md, VMUL. */
#ifndef ACCEL_CPU_ELEMENT_H
#define ACCEL_CPU_ELEMENT_H

#include "cpu_lines.h"
#include "model.h"

/* Values first .. end - 1 of a product; b has one for each, or one for `repeat` of them that follow each other. *saturated is added to. */
void cpu_multiply(const struct accel_layer *layer, const struct accel_tensor *out, const struct cpu_lines *lines, const int16_t *a, const int16_t *b,
		  uint64_t repeat, int16_t *y, uint64_t first, uint64_t end, uint64_t *saturated);

#endif
