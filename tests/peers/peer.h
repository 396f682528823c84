/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/*
 * Other people's kernels for `eie bench cpu --peers`: libeie_peers.so, which the command opens at run time. The library knows nothing of them.
 */
#ifndef EIE_PEER_H
#define EIE_PEER_H

#include <stdbool.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* A fully connected layer of batch 1 in float32, y = W x. It lives as long as what was opened for it. */
struct peer_layer {
	uint32_t rows, cols;
	const float *dense;         /* [rows, cols] */
	const uint32_t *rowptr;     /* the same as compressed sparse rows */
	const uint32_t *col;
	const float *value;
	float weight_max;           /* largest magnitude of a weight */
	const float *x;             /* [cols], none below 0 */
	float x_max, y_max;         /* largest of x, largest magnitude of y: what a calibration finds */
};

struct peer {
	const char *name;
	double tolerance;           /* largest |error| / y_max that its number format explains */
	/* Packs the weights. NULL: cannot; then why [160] says the reason. */
	void *(*open)(const struct peer_layer *layer, unsigned int threads, char *why);
	void (*run)(void *state);   /* from x in the peer's format to y in the peer's format */
	void (*output)(void *state, float *y);
	void (*close)(void *state);
};

struct accel_model;

/* A whole network, batch 1, one float32 input and output. It lives while it is opened. */
struct peer_network {
	const struct accel_model *model;   /* its only segment, or NULL: it has several */
	const char *file;           /* the same network as ONNX, or NULL */
	const float *x;             /* [inputs] */
	uint64_t inputs, outputs;
	unsigned int ndim;          /* of the input, without the batch */
	const uint32_t *dims;
};

/* Who runs networks; as struct peer, from floats to floats. */
struct peer_networks {
	const char *name;
	double tolerance;
	bool int8;
	void *(*open)(const struct peer_network *network, unsigned int threads, char *why);
	void (*run)(void *state);
	void (*output)(void *state, float *y);
	void (*close)(void *state);
};

/* What libeie_peers.so exports. Lists end with NULL; the text names versions and flags, and belongs to the library. */
const struct peer *const *eie_peers(void);
const char *eie_peers_versions(void);
const struct peer_networks *const *eie_peer_networks(void);

#ifdef __cplusplus
}
#endif

#endif
