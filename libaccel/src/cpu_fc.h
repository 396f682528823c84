/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/*
 * Fully connected layers on the CPU. A level is a set of kernels for one instruction set, with a layout of the weights of its own; all give the
 * same bits (docs/numbers.md). Levels are objects of constants and functions: they keep no state.
 */
#ifndef ACCEL_CPU_FC_H
#define ACCEL_CPU_FC_H

#include "model.h"

/* Bytes behind the last activation that kernels may read, and do not use. */
#define CPU_READ_BEHIND 128u

/* One layer and batch. x [batch, cols] of the layer, and CPU_READ_BEHIND bytes behind it; y [batch, rows]. */
struct cpu_fc_job {
	const void *weights;              /* what build() made */
	const struct accel_layer *layer;
	const struct accel_tensor *out;   /* its clamp */
	const int16_t *x;
	int16_t *y;
	unsigned int batch;
};

struct cpu_fc_level {
	const char *name;                 /* of EIE_CPU_LEVEL */
	bool (*usable)(void);             /* this processor has the instructions */
	bool (*takes)(const struct accel_layer *layer);   /* the layout can hold the layer; NULL: any */
	/* Transcodes the layer's weights; the layer must outlive them. *bytes: what they occupy. 0 or -ENOMEM. */
	int (*build)(const struct accel_layer *layer, void **weights, size_t *bytes);
	void (*release)(void *weights);   /* NULL is allowed */
	uint32_t (*tasks)(const void *weights);
	/* All rows of one task, all items; tasks may run at the same time. *saturated is added to. */
	void (*run)(const struct cpu_fc_job *job, uint32_t task, uint64_t *saturated);
	/* Sum of n[i] over the i < count with x[i] not 0. */
	uint64_t (*live)(const int16_t *x, const uint32_t *n, uint32_t count);
};

/* Fastest first; the last is portable and always usable. NULL ends the list. */
extern const struct cpu_fc_level *const cpu_fc_levels[];
extern const struct cpu_fc_level cpu_fc_avx512, cpu_fc_avxvnni, cpu_fc_avx2, cpu_fc_neon, cpu_fc_portable;

/* The level of that name, or for NULL the fastest that is usable. -EINVAL: no such level, -ENOTSUP: not on this processor. */
int cpu_fc_level(const char *name, const struct cpu_fc_level **level, struct accel_error *err);

/* Memory for weights, 64-byte aligned and zeroed, in large pages where it pays; freed by free(). NULL without memory. */
void *cpu_weights_alloc(size_t count, size_t size);

#endif
