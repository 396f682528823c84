/* SPDX-License-Identifier: GPL-2.0 OR MIT */
#ifndef EIE_BENCH_PEERS_H
#define EIE_BENCH_PEERS_H

#include "model.h"
#include "peer.h"

/*
 * Opens libeie_peers.so: EIE_PEERS_LIB, or the one beside the command. Prints an error that says how to build it; returns an exit status.
 */
int peers_load(const struct peer *const **peers, const struct peer_networks *const **networks, const char **versions);

/* The one layer of a model in float32, with its input; owns what layer points to. */
struct peer_data {
	struct peer_layer layer;
	double *y;   /* [rows], the exact product */
};

/* x [cols], in the units of scale. Returns an exit status. */
int peer_data_make(const struct accel_layer *layer, const int16_t *x, float scale, struct peer_data *data);
void peer_data_free(struct peer_data *data);
/* Largest |y - exact| / y_max. */
double peer_error(const struct peer_data *data, const float *y);

#endif
