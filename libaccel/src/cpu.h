/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/*
 * The cpu backend: runs a model straight from its layers, bit-exact with the engine. One struct accel_cpu holds the
 * transcoded weights and the tensors of one batch; it belongs to one thread at a time.
 */
#ifndef ACCEL_CPU_H
#define ACCEL_CPU_H

#include "model.h"
#include "pool.h"

#include <stdbool.h>

struct accel_cpu;

/*
 * The model must outlive the accel_cpu (the caller holds a reference), and so must the pool, which runs share their work on; NULL: the caller's thread
 * does it all. batch 0 means 1. level names the kernels (cpu_fc.h); NULL: the environment's EIE_CPU_LEVEL does, or without it they are the fastest that the
 * processor can run. -EINVAL, -ENOTSUP: not that level; -ENOMEM.
 */
int accel_cpu_new(const struct accel_model *model, unsigned int batch, struct pool *pool, const char *level, struct accel_cpu **cpu, struct accel_error *err);
void accel_cpu_free(struct accel_cpu *cpu);
/* An input or output of the model: [batch, count] int16, row-major, 64-byte aligned. The caller writes inputs within [lo, hi] and reads outputs. */
int16_t *accel_cpu_tensor(struct accel_cpu *cpu, unsigned int tensor);
/* Reals, all of them numbers, as values of an item of a tensor [count]; as accel_quantised() makes them. */
void accel_cpu_quantise(const struct accel_cpu *cpu, const float *x, const struct accel_tensor *tensor, int16_t *values);
/* What the transcoded weights occupy. */
size_t accel_cpu_weight_bytes(const struct accel_cpu *cpu);
/*
 * Runs all layers; allocates nothing and cannot fail. *saturated, which may be NULL, is set. counts: accel_cpu_products() may be asked after it; false for a
 * model of narrow.h.
 */
void accel_cpu_run(struct accel_cpu *cpu, bool counts, uint64_t *saturated);
/*
 * Products of the last run whose activation is not zero. Most of them are counted now, in the tensors, which lie as the run left them but for the inputs: counting
 * with every run would take a thirtieth of it.
 */
uint64_t accel_cpu_products(struct accel_cpu *cpu);

#endif
