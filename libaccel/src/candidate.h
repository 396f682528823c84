/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/* Nodes of a network as layers of the engine: what each could be, by itself. onnx_place.c decides which of them the engine gets. */
#ifndef ACCEL_CANDIDATE_H
#define ACCEL_CANDIDATE_H

#include "layout.h"
#include "pass.h"
#include "views.h"

enum candidate_kind {
	CANDIDATE_NONE,            /* the CPU's */
	CANDIDATE_TAKEN_IN,        /* the Add behind a fully connected layer: that layer's bias */
	CANDIDATE_FC, CANDIDATE_RESHAPE,   /* values in a row */
	CANDIDATE_CONV, CANDIDATE_MAX_POOL, CANDIDATE_AVERAGE_POOL, CANDIDATE_CONCAT, CANDIDATE_ADD, CANDIDATE_MULTIPLY, CANDIDATE_SHIFT,
	CANDIDATE_TABLE,   /* images, and tokens: the same, turned */
	CANDIDATE_ALIAS,   /* the same image under another shape, or turned */
};

/* What the engine may get, and who wants to know. */
struct placement {
	bool conv;                 /* convolutions */
	bool linear;               /* weights that a codebook does not hold, rounded */
	void (*rounded)(void *arg, const struct accel_rounded_info *info);   /* called for each such layer; or NULL */
	void *rounded_arg;
};

struct candidate {
	enum candidate_kind kind;
	const struct view *views;  /* [nvalues]: what is a view is read from its source; CONV has channels for it, others select them first */
	uint32_t out;              /* value that it makes; the inputs are the node's, of FC, CONV and RESHAPE the first one */
	bool has_source;           /* it reads source in place of the node's first input: TABLE, CONV of a view or of a product */
	uint32_t source;
	bool sparse;               /* CONV: a matrix of the network times a value, which may be given anew: a segment of its own, in and out in the order of the network */
	const uint32_t *channels;  /* CONV of a view: which channel of source its channels are; else NULL */
	uint32_t map;              /* AVERAGE_POOL: constant image that the averages are multiplied with (pool_maps()), or NET_NONE */
	uint32_t groups;           /* CONV: of the weights; of the window too, but for views */
	enum accel_activation activation;
	uint32_t rows, cols;       /* FC, CONV */
	uint64_t row_stride, col_stride;   /* 0, 0: CONV of a Conv */
	const float *weights;      /* [row * row_stride + col * col_stride]; of a Conv: [rows, channels of a group, kernel] */
	uint64_t weight_count;
	const float *codebook;     /* [ncodes] that they were made of, or NULL */
	unsigned int ncodes;
	const float *row_scale;    /* [rows] factors, negative ones too, that the codebook was multiplied with; or NULL */
	bool linear;               /* weights are rounded to a linear codebook and a scale for each row */
	const float *bias;         /* or NULL; SHIFT: what is added to the channels */
	uint64_t bias_stride;      /* 0: one number for all rows */
	float beta;
	struct accel_window window;   /* CONV, pooling */
	struct accel_function function;   /* TABLE */
	const float *mean;         /* FC, CONV: what the input's columns (FC), channels (CONV) are on average; NULL: not known */
};

static inline bool candidate_is_flat(const struct candidate *c)
{
	return c->kind == CANDIDATE_FC || c->kind == CANDIDATE_RESHAPE;
}

static inline bool candidate_is_image(const struct candidate *c)
{
	return c->kind >= CANDIDATE_CONV;
}

/* A scale and a shift for each channel: a convolution by form alone. */
static inline bool candidate_scales(const struct candidate *c)
{
	return c->kind == CANDIDATE_CONV && c->weight_count == c->rows && c->rows == c->groups;
}

/* Joins its inputs: they lie one behind the other. */
static inline bool candidate_joins(const struct candidate *c)
{
	return c->kind == CANDIDATE_CONCAT || c->kind == CANDIDATE_ADD;
}

static inline bool candidate_has_map(const struct candidate *c)
{
	return c->kind == CANDIDATE_AVERAGE_POOL && c->map != NET_NONE;
}

/* Inputs that a layer reads as tensors. */
static inline unsigned int candidate_inputs(const struct candidate *c, const struct net_node *node)
{
	return candidate_joins(c) || c->kind == CANDIDATE_MULTIPLY ? node->nin : candidate_has_map(c) ? 2 : 1;
}

/* Value that input i is in the network, and what is read in its place. */
static inline uint32_t candidate_value(const struct candidate *c, const struct net_node *node, unsigned int i)
{
	if (i && candidate_has_map(c))
		return c->map;
	return c->has_source ? c->source : node->in[i];
}

static inline uint32_t candidate_input(const struct candidate *c, const struct net_node *node, unsigned int i)
{
	uint32_t v = candidate_value(c, node, i);

	return c->views && c->views[v].channels ? c->views[v].source : v;
}

/* Leaves the node on the CPU and says why. 0 or -ENOMEM. */
int candidate_refuse(const struct accel_network *net, struct net_node *node, struct candidate *c, struct accel_error *err, const char *fmt, ...)
	__attribute__((format(printf, 5, 6)));
/* What candidate n has taken in is nodes of its own again, the CPU's: call it before n is refused. */
void candidate_give_back(const struct accel_network *net, uint32_t n, struct candidate *all);
/* Fills c [nnodes], which points into views; maps: of pool_maps(). layouts [nvalues], empty before, gets how values lie that candidates read or make, other than
 * vectors. A node that could be one by its kind, but is not, gets its device_reason. -ENOMEM. */
int candidates_find(struct accel_network *net, const struct pass_users *users, const struct view *views, const uint32_t *maps, const struct placement *how,
		    struct candidate *c, struct layout *layouts, struct accel_error *err);
/* Adds a layer that selects the channels of a view from its source, tensor input. *output gets its tensor, with the source's range. Errors are those of the graph. */
int candidate_select(struct accel_graph *graph, const char *name, const struct view *view, uint32_t channels, unsigned int input, unsigned int *output,
		     struct accel_error *err);
/* Adds the layer of node n; inputs: its tensors in the graph. *output gets its tensor. Errors are those of the graph. */
int candidate_add(const struct accel_network *net, uint32_t n, const struct candidate *c, const struct placement *how, struct accel_graph *graph,
		  const unsigned int *inputs, unsigned int *output, struct accel_error *err);

#endif
