/* SPDX-License-Identifier: GPL-2.0 OR MIT */
#ifndef ACCEL_NPZ_H
#define ACCEL_NPZ_H

#include <accel.h>

/* accel_graph_from_npz from memory; name is for error texts. The bytes are not kept. */
int npz_graph(const void *data, size_t size, const char *name, struct accel_graph **graph, struct accel_error *err);

#endif
