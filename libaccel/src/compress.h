/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/* Deep Compression (Han et al., ICLR 2016) of a network: which constants are weights, how many of them stay, and which values they share. */
#ifndef ACCEL_COMPRESS_H
#define ACCEL_COMPRESS_H

#include "import.h"
#include "net.h"
#include "prune.h"
#include "second.h"

#include <math.h>

#define COMPRESS_MOST   64.0   /* the largest loss that is looked for: measured errors may add up to more than the output */
#define COMPRESS_GROUPS 256u   /* of rows, of a layer */
#define COMPRESS_POINTS 10u
#define COMPRESS_FINE   96u    /* densities that are thought of */
#define COMPRESS_BITS   9u     /* 2 to 8 are thought of */
#define COMPRESS_SHARES 3u     /* ways of sharing with so many bits */
extern const double compress_points[COMPRESS_POINTS];   /* densities, decreasing from 1 */

/* What rounding of one kind does to a layer. */
struct compress_rounding {
	double error;              /* of the network's output, that it adds */
	double bits, values;       /* of each code by its entropy; shared values */
};

struct compress_layer {
	uint32_t node, value;      /* the first node that reads these weights, and their number */
	uint32_t bias;             /* number of the constant that is added to the node's rows, and to nothing else; or NET_NONE */
	char *name;                /* of the node, owned */
	const char *op;
	bool conv;
	bool rows_first;           /* rows of the output are the first dimension of the weights */
	uint64_t n;                /* weights */
	double positions;          /* that each weight is multiplied at, in a run */
	unsigned int bits;         /* 2^bits - 1 shared values, two of 1 bit; 0: the layer stays as it is */
	unsigned int uniform;      /* not 0: values of cells of equal width in their place, with the squared error of the best of those; of half of that for each above 1 */
	bool bits_given;           /* for this layer */
	double density;            /* given for this layer, or 0 */
	struct second *second;     /* what its inputs say, or NULL: by magnitude */
	struct prune_curve curve;
	double *error;             /* [COMPRESS_POINTS] measured at compress_points[] with the others as they were, of the network's output; or NULL */
	/* With bits to be chosen: error[] is measured with 8; and what fewer add, with all weights. NULL: bits stay. */
	struct compress_rounding (*rounding)[COMPRESS_BITS];   /* [COMPRESS_SHARES] of uniform, bits */
	double *fine;              /* [COMPRESS_FINE] error[] between its points */
	unsigned int at;           /* chosen, of fine[] */
	uint64_t keep;             /* chosen */
	/* what came of it */
	uint64_t nonzeros;
	unsigned int shared;       /* values in use, without zero */
	double code_bits;          /* entropy of the codes of weights that are not zero, where bits are chosen */
	double signal, noise;      /* sums of squares: of the weights, and of what was changed; with `second` of the outputs */
};

struct tune_hidden {
	uint32_t value;
	uint64_t count, at;        /* of its values among `each` */
	double energy;
};

/* What the float network makes of calibration items, for those that follow it: compress_teacher.c. */
struct tune {
	const float **list;        /* [ninputs] of the inputs, owned; values are the caller's */
	uint64_t all, items;       /* items that there are, and that are used; 0: nothing is tuned */
	unsigned int epochs;       /* at most */
	uint64_t part;             /* items that are learnt from, at most; 0: all */
	uint32_t out;              /* value that is compared: the first output, or what goes into its softmax */
	uint64_t count;            /* of it */
	uint32_t row;              /* values that a softmax is over */
	bool scores;               /* it is scores of classes: compared as probabilities, too */
	float *right;              /* [items, count] */
	double energy;             /* mean over the items of the squares about the means */
	unsigned int nhidden;      /* layers whose own outputs are compared, too */
	struct tune_hidden *hidden;
	uint64_t each;             /* values of all of them, for an item */
	bool beside;               /* the float network runs beside the other one, for it is small */
	float *inside;             /* else: [items, each] what it has there */
	bool as_they_are;          /* items: what is near them only disturbs */
	char why[128];             /* not */
	struct accel_correct_info told;
};

/* What all rounds share. Each opens the file again: a copy of the weights would cost as much memory as they do. */
struct compress_source {
	const char *path;
	const struct accel_compress_options *options;
	struct accel_onnx_options onnx;
	struct onnx_options import;
};

struct compress {
	const struct accel_compress_options *options;
	const char *file;
	const struct compress_source *source;
	struct blas blas;          /* when layers have `second` */
	unsigned int n;
	struct compress_layer *layer;   /* [n], in the order of the nodes */
	struct tune tune;
	bool tuning;               /* compress_all() tunes */
	double pruning;            /* where bits are chosen: what errors of pruning count, times those of rounding */
	struct accel_error *err;
};

/*
 * compress_rows.c: layers of which several codebooks are wanted become groups of rows, each a layer by itself, named LAYER.rowsA-B, and their Concat. Convolutions of one group, Gemm and MatMul, whose weights
 * nobody else reads; groups of at least 256 weights. -ENOMEM, -E2BIG with err.
 */
int compress_split_rows(const struct accel_compress_options *o, struct accel_network *net, struct accel_error *err);
/* The layer that a group of rows is of. */
bool compress_row_group(const char *name, char *layer, size_t size);

/* compress_layers.c: finds the layers of net, and what the options say of each. -EINVAL, -EDOM, -ENOMEM with err. Free in any case. */
int compress_find(struct compress *c, const struct accel_network *net);
void compress_free(struct compress *c);

/*
 * compress_choose.c: how many weights of each layer stay. Layers by themselves: each may lose the share `loss` of what its curve counts. Where errors of the network's output
 * were measured: `loss` is what they may add up to, and the layers divide it so that the fewest weights stay.
 */
void compress_choose(struct compress *c, double loss);
/* With bits that are chosen: gives so many bytes more, as compress_estimate() counts them, to the layers that make most of them. */
void compress_fill(struct compress *c, double room);
double compress_density(const struct compress *c);
/* Fills `fine` from error[]. -ENOMEM. */
int compress_fine(struct compress_layer *l);
/* The loss at which this density is reached, over all layers. */
double compress_loss_of_density(struct compress *c, double density);

/* compress.c: asks the caller; -ECANCELED. */
int compress_progress(const struct compress *c, const char *what, unsigned int done, unsigned int total);
/* Prunes one layer of net, as keep says; then shares, as bits say. Both. */
int compress_prune(struct compress *c, struct compress_layer *l, struct accel_network *net);
int compress_round(struct compress *c, struct compress_layer *l, struct accel_network *net);
int compress_one(struct compress *c, struct compress_layer *l, struct accel_network *net);
/* compress_sense.c: fills `error` of the layers with second-order information. net is as it was afterwards. */
int compress_sense(struct compress *c, struct accel_network *net, const struct calib_inputs *in);

/*
 * compress_teacher.c, compress_tune.c: keeps what net, which is the float network, makes of the items; takes list over, also on failure. Then, of a pruned network: the weights that stay and the biases follow
 * it; of one whose weights are shared: the values and the biases. What held-out items do not profit from is undone. -ENOMEM, -ECANCELED.
 */
int compress_tune_new(struct compress *c, struct accel_network *net, const struct calib_inputs *in, const float **list);
int compress_tune(struct compress *c, struct accel_network *net, bool shared);
void compress_tune_free(struct compress *c);

/* compress_drop.c: right answers of net on the labelled items. -EINVAL, -EDOM: the items are not for this network. */
int compress_check_labels(const struct compress *c, const struct accel_network *net);
int compress_count_right(const struct compress *c, const struct accel_network *net, uint64_t *right);
/* The largest loss that costs no more than max_drop points. net: as it was. */
int compress_find_loss(struct compress *c, const struct compress_source *s, const struct accel_network *net, double *loss);

/* compress_goal.c: the network as it was; arg is a struct compress_source. */
int compress_open(const void *arg, struct accel_network **net, struct accel_error *err);
/* The model of a compressed network, and what it takes of what there is a goal for: cycles, or else bytes of the file; amount may be NULL. Takes net over. */
int compress_finish(const struct compress *c, const struct compress_source *s, struct accel_network *net, struct accel_model **model, uint64_t *amount);
/* Compresses net, which it takes over, as was chosen, and finishes. */
int compress_once(struct compress *c, const struct compress_source *s, struct accel_network *net, struct accel_model **model, uint64_t *amount);
uint64_t compress_goal(const struct compress *c);
/* Shared values of so many bits. */
static inline unsigned int compress_values(unsigned int bits)
{
	return bits == 1 ? 2 : (1u << bits) - 1;
}

/* Bits that tell of a weight whether it is there, with this probability. */
static inline double compress_entropy(double p)
{
	return p > 0 && p < 1 ? -p * log2(p) - (1 - p) * log2(1 - p) : 0;
}

/*
 * What a layer with so many bits takes of the file, positions (bits of a weight that say whether it is there) and codebook included; shared values have 16 bits each themselves. Where codes were not measured: values that
 * are not equally frequent take a third of a bit less than their codes have.
 */
static inline double compress_bytes(const struct compress_layer *l, double density, double positions, unsigned int uniform, unsigned int bits)
{
	const struct compress_rounding guess = { .bits = bits > 1 ? bits - 0.35 : 1, .values = compress_values(bits) }, *r = l->rounding ? &l->rounding[uniform][bits] : &guess;

	return (double)l->n * (positions + density * r->bits) / 8 + 2 * r->values;
}

/* What `keep` and `bits` of the layers will take of it, roughly, and without what is always there; and the loss at which that is so much. */
double compress_estimate(const struct compress *c);
double compress_loss_of_estimate(struct compress *c, double amount);
/* The estimate with nothing pruned. */
double compress_most(struct compress *c);
/* The estimate is corrected by what came of it, until the goal is met, and not by far. -ERANGE. */
int compress_to_goal(struct compress *c, const struct compress_source *s, struct accel_model **model);

/* The error for that: amount is the least that was seen; 0: none, for a reason that err has. */
int compress_out_of_reach(const struct compress *c, uint64_t amount);

/*
 * compress_search.c: densities and bits of the layers by trying. loss: where it begins, when there is neither a size nor cycles to be reached. Takes net, which is the float network, over.
 */
int compress_search(struct compress *c, const struct compress_source *s, struct accel_network *net, double loss, struct accel_model **model);

/* compress.c: prunes and shares all layers, as keep and bits say. */
int compress_all(struct compress *c, struct accel_network *net);

/* compress_share.c: few values in place of the weights that are not zero. The constant gets its codebook. bias: as of second_sweep(). */
int compress_share(struct compress *c, struct compress_layer *l, struct net_value *v, float *bias);

#endif
