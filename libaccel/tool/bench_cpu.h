/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/* `eie bench cpu`: kernels of fully connected layers, warm and cold, and whole networks, beside those of other libraries. */
#ifndef EIE_BENCH_CPU_H
#define EIE_BENCH_CPU_H

#include "bench_network.h"

/*
 * networks: seed, and seconds for each layer and number of threads, and each kernel that is measured, too. peers: the kernels of libeie_peers.so, which fills
 * networks->peers. reference gives the outputs that ours must have. j is NULL for a report as text. Returns an exit status: 1 when an output was wrong.
 */
int bench_cpu(const struct tool *tool, struct accel_device *reference, const struct bench_networks *networks, bool peers, struct json *j);

#endif
