/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/*
 * A network: operators of ONNX in an order in which they can run, every shape fixed, and device segments between them.
 * Values are dense, row-major. Operators run on the CPU; a segment is a model of its own that any backend runs.
 */
#ifndef ACCEL_NET_H
#define ACCEL_NET_H

#include "model.h"

#include <stddef.h>

#define NET_MAX_DIMS   8
#define NET_MAX_COUNT  ((uint64_t)1 << 28)   /* elements of a value */
#define NET_MAX_BYTES  ((uint64_t)1 << 33)   /* of all values of a network together */
#define NET_FOLD_WORK  ((uint64_t)1 << 32)   /* a few seconds */
#define NET_NONE       UINT32_MAX            /* an optional input or output that is not there */
#define NET_MIN_OPSET  1
#define NET_MAX_OPSET  22

/* float16, bfloat16 and float64 files are taken as float32: the CPU computes in float32. */
enum net_type { NET_F32, NET_I64, NET_I32, NET_U8, NET_I8, NET_BOOL, NET_NTYPES };

struct net_value {
	char *name;                 /* "" when it needs none: neither input nor output of the network */
	enum net_type type;
	unsigned int ndim;          /* 0: a scalar, of count 1 */
	uint32_t dims[NET_MAX_DIMS];
	uint64_t count;
	void *data;                 /* constants: [count], owned; else NULL */
	float *codebook;            /* [ncodes] that data were made of, [0] = 0, owned; or NULL. Passes may leave it behind: net_codes.h checks */
	unsigned int ncodes;        /* at most 256 */
	float *row_scale;           /* [dims[0]] factors that a pass has multiplied what the codebook gives with, owned; or NULL. Left behind like the codebook */
	bool merged;                /* pass_merge() has computed it: elements that are the same were not meant to be */
	uint64_t stored_bytes;      /* of a constant in the file that it was read from, or 0 */
};

enum net_attr_type { NET_INTS, NET_FLOATS, NET_TEXT };

struct net_attr {
	char *name;
	enum net_attr_type type;
	uint32_t n;
	bool list;                  /* ints and floats: not a single one */
	union {
		int64_t *ints;      /* [n] */
		float *floats;      /* [n] */
		char *text;
	};
};

/* What follows an operator in the same kernel. */
enum net_act_kind { NET_ACT_NONE, NET_ACT_CLIP, NET_ACT_HARD_SWISH, NET_ACT_HARD_SIGMOID, NET_ACT_SIGMOID, NET_ACT_NKINDS };

struct net_act {
	enum net_act_kind kind;
	float a, b;                 /* clip: smallest and largest; hard sigmoid: slope and offset */
};

struct op;

struct net_node {
	char *name;                 /* unique in the network */
	const struct op *op;        /* NULL: a device segment */
	struct accel_model *segment;
	unsigned int opset;         /* whose rules hold */
	unsigned int nin, nout;
	uint32_t *in, *out;         /* value numbers or NET_NONE */
	unsigned int nattrs;
	struct net_attr *attrs;
	struct net_act act;
	char *device_reason;        /* why not on the device though its kind could be; or NULL */
	void *plan;                 /* what the operator's infer function worked out; freed with free() */
	size_t scratch;             /* bytes that each worker needs while it runs */
	uint64_t work;              /* elementary steps of a run, roughly */
};

struct accel_network {
	char *file;                 /* for error texts */
	unsigned int nvalues, nnodes, ninputs, noutputs;
	struct net_value *values;
	struct net_node *nodes;
	uint32_t *inputs, *outputs;
	unsigned int room_values, room_nodes;
	uint64_t constant_bytes;    /* of all constants ever added: bounds what folding can make of a small file */
	uint64_t max_bytes;         /* NET_MAX_BYTES unless a test wants less */
	uint64_t fold_work;         /* steps that folding may still take: what would take longer is left to the run */
};

extern const char *const net_type_names[NET_NTYPES];   /* "float32" ... */
size_t net_type_size(enum net_type type);

struct accel_network *net_new(const char *file);
void net_free(struct accel_network *net);

/* Appends a value; -E2BIG with err when its size or the sum of all is out of bounds. */
int net_add_value(struct accel_network *net, const char *name, enum net_type type, unsigned int ndim, const uint32_t *dims,
		  uint32_t *number, struct accel_error *err);
/* The same with memory for its elements, zeroed; *data is the network's. */
int net_add_constant(struct accel_network *net, const char *name, enum net_type type, unsigned int ndim, const uint32_t *dims,
		     uint32_t *number, void **data, struct accel_error *err);
/* Frees its elements: a constant no more. */
void net_drop_constant(struct net_value *value);
/* Memory for the elements of a value that has type and shape already. */
int net_make_constant(struct accel_network *net, uint32_t number, void **data, struct accel_error *err);
/* Takes over what node owns, also on failure. Its outputs must be new values: net_infer() gives them type and shape. */
int net_add_node(struct accel_network *net, struct net_node *node, struct accel_error *err);
void net_node_clear(struct net_node *node);
/* An empty node of this operator with room for inputs and outputs (all NET_NONE). */
int net_node_init(struct net_node *node, const struct op *op, const char *name, unsigned int opset, unsigned int nin,
		  unsigned int nout);
/* A copy of n values (ints, floats, bytes of text); list is false. NULL without memory. */
struct net_attr *net_node_add_attr(struct net_node *node, const char *name, enum net_attr_type type, uint32_t n, const void *values);
int net_node_copy_attrs(struct net_node *to, const struct net_node *from);

/* Count of the dimensions' product, or UINT64_MAX when it is beyond NET_MAX_COUNT. */
uint64_t net_count(unsigned int ndim, const uint32_t *dims);
/* "[1, 3, 224, 224]" */
struct net_shape_text {
	char s[96];
} net_shape_text(unsigned int ndim, const uint32_t *dims);

/* Types and shapes of a node's outputs; checks all that its kernel relies on. -EINVAL, -ENOTSUP, -ENOMEM with err. */
int net_infer(struct accel_network *net, struct net_node *node, struct accel_error *err);
/* Error about a node: "FILE: node 'NAME' (OP): ..." */
#define NET_FAIL(net, node, code, err, fmt, ...) \
	accel_fail(err, code, (node)->name, "%s: node '%s' (%s): " fmt, (net)->file, (node)->name, net_op_name(node), ##__VA_ARGS__)
const char *net_op_name(const struct net_node *node);

/*
 * Order, names, types and shapes again from the beginning, by the operators' own rules: what loaders call. Values that are not
 * constants or inputs need nothing but their number. -EBADMSG, or what net_infer() says.
 */
int net_check(struct accel_network *net, struct accel_error *err);

/* The dims that a user sees: without the batch, if every input and output has the leading dimension 1. */
bool net_batched(const struct accel_network *net);

/* net_fold.c: runs a node whose inputs are all constants, if that is not too much work; its outputs become constants. */
bool net_can_fold(const struct accel_network *net, const struct net_node *node);
int net_fold(struct accel_network *net, struct net_node *node, struct accel_error *err);

/* pass_*.c: each leaves a network that computes the same; *changed is set when it did something. */
int pass_dead(struct accel_network *net, struct accel_error *err);
int pass_batch_norm(struct accel_network *net, bool *changed, struct accel_error *err);
/* Batch normalisation of images that no convolution takes in becomes one itself, of a pixel in each channel: whoever scales or shifts behind it goes into that. */
int pass_scaling(struct accel_network *net, bool *changed, struct accel_error *err);
int pass_pad(struct accel_network *net, bool *changed, struct accel_error *err);
/* Convolutions behind each other, and those of one image that are added up, become one where that takes no more weights: docs/onnx.md. */
int pass_merge(struct accel_network *net, bool *changed, struct accel_error *err);
int pass_hard_swish(struct accel_network *net, bool *changed, struct accel_error *err);
int pass_gelu(struct accel_network *net, bool *changed, struct accel_error *err);
int pass_activation(struct accel_network *net, bool *changed, struct accel_error *err);
/*
 * The other way round, where pass_activation() took in what the engine does by itself: behind layers that the engine may get, all but ReLU and ReLU6. What the engine does not get,
 * pass_activation() joins again.
 */
int pass_apart(struct accel_network *net, struct accel_error *err);
/* All of them until none changes anything. */
int pass_all(struct accel_network *net, struct accel_error *err);

#endif
