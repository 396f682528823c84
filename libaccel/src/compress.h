/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/* Deep Compression (Han et al., ICLR 2016) of a network: which constants are weights, how many of them stay, and which values they share. */
#ifndef ACCEL_COMPRESS_H
#define ACCEL_COMPRESS_H

#include "net.h"
#include "prune.h"

struct compress_layer {
	uint32_t value;            /* number of the weights */
	char *name;                /* of the first node that reads them, owned */
	const char *op;
	bool conv;
	uint64_t n;                /* weights */
	unsigned int bits;         /* 2^bits - 1 shared values, two of 1 bit; 0: the layer stays as it is */
	double density;            /* given for this layer, or 0 */
	struct prune_curve curve;
	uint64_t keep;             /* chosen */
	/* what came of it */
	uint64_t nonzeros;
	unsigned int shared;       /* values in use, without zero */
	double signal, noise;      /* sums of squares: of the weights, and of what was changed */
};

struct compress {
	const struct accel_compress_options *options;
	const char *file;
	unsigned int n;
	struct compress_layer *layer;   /* [n], in the order of the nodes */
	struct accel_error *err;
};

/* compress_layers.c: finds the layers of net, and what the options say of each. -EINVAL, -EDOM, -ENOMEM with err. Free in any case. */
int compress_find(struct compress *c, const struct accel_network *net);
void compress_free(struct compress *c);

/* compress_choose.c: how many weights of each layer stay when each may lose the share `loss` of what its curve counts. */
void compress_choose(struct compress *c, double loss);
double compress_density(const struct compress *c);
/* The loss at which this density is reached, over all layers. */
double compress_loss_of_density(struct compress *c, double density);

/* compress_share.c: few values in place of the weights that are not zero. The constant gets its codebook. */
int compress_share(struct compress *c, struct compress_layer *l, struct net_value *v);
/* Shared values of so many bits. */
unsigned int compress_values(unsigned int bits);

#endif
