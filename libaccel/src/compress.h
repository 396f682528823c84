/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/* Deep Compression (Han et al., ICLR 2016) of a network: which constants are weights, how many of them stay, and which values they share. */
#ifndef ACCEL_COMPRESS_H
#define ACCEL_COMPRESS_H

#include "net.h"
#include "prune.h"
#include "second.h"

#define COMPRESS_MOST   64.0   /* the largest loss that is looked for: measured errors may add up to more than the output */
#define COMPRESS_POINTS 10u
extern const double compress_points[COMPRESS_POINTS];   /* densities, decreasing from 1 */

struct compress_layer {
	uint32_t node, value;      /* the first node that reads these weights, and their number */
	uint32_t bias;             /* number of the constant that is added to the node's rows, and to nothing else; or NET_NONE */
	char *name;                /* of the node, owned */
	const char *op;
	bool conv;
	uint64_t n;                /* weights */
	unsigned int bits;         /* 2^bits - 1 shared values, two of 1 bit; 0: the layer stays as it is */
	double density;            /* given for this layer, or 0 */
	struct second *second;     /* what its inputs say, or NULL: by magnitude */
	struct prune_curve curve;
	double *error;             /* [COMPRESS_POINTS] measured at compress_points[] with the others as they were, of the network's output; or NULL */
	uint64_t keep;             /* chosen */
	/* what came of it */
	uint64_t nonzeros;
	unsigned int shared;       /* values in use, without zero */
	double signal, noise;      /* sums of squares: of the weights, and of what was changed; with `second` of the outputs */
};

struct compress {
	const struct accel_compress_options *options;
	const char *file;
	struct blas blas;          /* when layers have `second` */
	unsigned int n;
	struct compress_layer *layer;   /* [n], in the order of the nodes */
	struct accel_error *err;
};

/* compress_layers.c: finds the layers of net, and what the options say of each. -EINVAL, -EDOM, -ENOMEM with err. Free in any case. */
int compress_find(struct compress *c, const struct accel_network *net);
void compress_free(struct compress *c);

/*
 * compress_choose.c: how many weights of each layer stay. Layers by themselves: each may lose the share `loss` of what its curve counts. Where errors of the network's output
 * were measured: `loss` is what they may add up to, and the layers divide it so that the fewest weights stay.
 */
void compress_choose(struct compress *c, double loss);
double compress_density(const struct compress *c);
/* The loss at which this density is reached, over all layers. */
double compress_loss_of_density(struct compress *c, double density);

/* compress.c: asks the caller; -ECANCELED. */
int compress_progress(const struct compress *c, const char *what, unsigned int done, unsigned int total);
/* Prunes and shares one layer of net, as keep and bits say. */
int compress_one(struct compress *c, struct compress_layer *l, struct accel_network *net);
/* compress_sense.c: fills `error` of the layers with second-order information. net is as it was afterwards. */
int compress_sense(struct compress *c, struct accel_network *net, const struct calib_inputs *in);

/* compress_drop.c: the largest loss that costs no more than max_drop points. open (arg, net): the network as it was. */
int compress_find_loss(struct compress *c, const struct accel_network *net, int (*open)(const void *arg, struct accel_network **net, struct accel_error *err),
		       const void *arg, double *loss);
/* compress.c: prunes and shares all layers, as keep and bits say. */
int compress_all(struct compress *c, struct accel_network *net);

/* compress_share.c: few values in place of the weights that are not zero. The constant gets its codebook. bias: as of second_sweep(). */
int compress_share(struct compress *c, struct compress_layer *l, struct net_value *v, float *bias);
/* Shared values of so many bits. */
unsigned int compress_values(unsigned int bits);

#endif
