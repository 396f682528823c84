/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/* Whole networks of `eie bench cpu`, seeded ones and those of files: int16 and int8, from floats to floats, beside ONNX Runtime. */
#ifndef EIE_BENCH_NETWORK_H
#define EIE_BENCH_NETWORK_H

#include "json.h"
#include "peer.h"
#include "tool.h"

struct bench_networks {
	const char *const *names;   /* [n] of files: MODEL, or MODEL=ONNX: a file of the same network, for the peers */
	unsigned int n;
	const char *picture;        /* input of networks that take pictures, or NULL: seeded reals, as of the others */
	uint64_t seed;
	double seconds;             /* for each kind of kernels, number of threads and network */
	const struct peer_networks *const *peers;   /* or NULL */
};

/* j is NULL for a report as text. Returns an exit status: 1 when an output was wrong. */
int bench_networks(const struct tool *tool, const struct bench_networks *what, struct json *j);

#endif
