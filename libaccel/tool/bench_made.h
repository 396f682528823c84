/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/* Seeded networks for measurements: topologies and densities as published, values random. */
#ifndef EIE_BENCH_MADE_H
#define EIE_BENCH_MADE_H

#include "tool.h"

/* Their names; NULL ends the list. */
extern const char *const bench_made_names[];

/* Prints an error; returns an exit status. The name is one of the list. */
int bench_made(const char *name, uint64_t seed, struct accel_model **model);

#endif
