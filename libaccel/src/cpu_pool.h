/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/* Pooling on the CPU, of one item; bit-exact with the engine: docs/vector_mode.md, VPOOL. Inputs and outputs lie as their images say. */
#ifndef ACCEL_CPU_POOL_H
#define ACCEL_CPU_POOL_H

#include "cpu_image.h"
#include "cpu_lines.h"

struct cpu_pool_job {
	const struct accel_layer *layer;
	const struct cpu_lines *lines;
	const struct cpu_image *in, *out;
	const int16_t *x;
	int16_t *y;
};

/* Both are packed, or none. Packs [first, end), or channels of plain images. */
void cpu_max_pool(const struct cpu_pool_job *job, uint32_t first, uint32_t end);
/* Channels [first, end). *saturated is added to. */
void cpu_average_pool(const struct cpu_pool_job *job, uint32_t first, uint32_t end, uint64_t *saturated);

#endif
