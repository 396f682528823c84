/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/*
 * What the compiler decides before it writes commands.
 *
 * Layers are cut into segments; what goes from one segment to another goes through memory. Segments of images share jobs: a load of what the job has stored waits for a
 * barrier (emit.c), and weights of the next segment come while this one computes.
 * - A chain: layers whose weights stay on chip. A task is a batch item; its tensors lie in one of one or two sets of ABUF, so
 *   that the load of the next item and the store of the last one overlap.
 * - A stream: one layer whose weights come from memory in chunks. A task is a chunk times an item. Weights, row parameters,
 *   input and output have two slots each, so that loads and stores overlap.
 * - A convolution: a stream over an image (conv_plan.h). A task is a chunk times a batch of pixel groups; slots are those of streams.
 * - A pooling: the same without weights; a task is some blocks of channels times a batch of pixel groups.
 * - Elements: a product, or a table; the same, value by value. A table of what a convolution makes, and nobody else reads, is done where that leaves it, before it is stored.
 * - Nothing: a concatenation. Its parts lie one behind the other in its place; whoever makes them writes there.
 * Images stay in ABUF from their maker to their last reader where they fit (plan_keep.c).
 */
#ifndef ACCEL_PLAN_H
#define ACCEL_PLAN_H

#include "conv_plan.h"
#include "program.h"
#include "tile.h"

#define NO_SEGMENT UINT32_MAX
#define NO_TENSOR  UINT32_MAX
#define NO_LAYER   UINT32_MAX
/* Jobs are cut at about so many estimated cycles, so that others get their turn. */
#define PLAN_JOB_CYCLES 1000000

struct layer_plan {
	struct tile_rows rows;
	struct tile_image image;
	size_t image_offset;        /* of the image in BASE_CONST */
	size_t codebook_offset;
	bool resident;
	bool codebook_resident;     /* else it is loaded by each job into the shared place */
	uint32_t codebook;          /* granule of CBUF; of a table behind what plan->params.abuf says */
	uint32_t w, p, r;           /* resident: first granules */
	uint32_t segment;
	struct conv_plan conv;      /* convolutions, poolings, elements */
	uint32_t table;             /* convolutions: layer that is a table of what it makes, done in its segment; NO_LAYER: none */
	bool done_before;           /* that table */
	bool may_select, selects;   /* fully connected, streamed: columns of zero activations may be left out by the cost model's choice; are left out */
};

struct tensor_plan {
	uint32_t granules;          /* of one item */
	const uint32_t *slot;       /* [count] */
	uint32_t *own_slot;         /* owner of slot for graph inputs and images */
	struct image_plan image;
	unsigned int whole;         /* concatenation that it is part of; NO_TENSOR: none */
	uint32_t whole_granule;     /* where it begins there */
	uint32_t segment;           /* that makes it; NO_SEGMENT: a graph input */
	bool in_memory;
	unsigned int base;          /* when in memory: BASE_*, and where */
	uint64_t offset, item_bytes;
	uint32_t abuf;              /* chains: granule within the set, see plan_place_chain(); kept: granule of the first item */
	bool kept;                  /* in ABUF from its makers to its last reader, and nowhere else: plan_keep.c */
	uint32_t item_granules;     /* kept: from an item to the next */
};

struct segment {
	uint32_t first_layer, nlayers;
	bool chain, conv, pool, element;
	unsigned int sets;          /* chain: sets of ABUF */
	uint32_t set_granules;
	/* ABUF's slots of input and output, two of each, the second one right after the first; what is kept needs none, and may take as much as there is */
	uint32_t x, x_slot, y, y_slot;
	/* images, see plan_keep.c: */
	bool uses_x;                /* not all its inputs are kept */
	unsigned int out;           /* kept tensor that it writes into; NO_TENSOR: slots */
	bool keeps, joined;         /* something is kept while it runs; when it begins, too */
	bool moved;                 /* its slots are not where those of the segment before are */
};

/* Slots of streamed layers: two of each, the second one right after the first. */
struct stream_area {
	uint32_t w, w_slot, p, p_slot, r, r_slot;
};

struct plan {
	const struct accel_model *model;
	struct eie_params params;   /* but for abuf, which is less by what a table needs, if there are some: they lie behind it */
	unsigned int batch;
	bool layer_jobs;            /* as in struct accel_compile_options */
	uint32_t row_limit;
	struct layer_plan *layers;
	struct tensor_plan *tensors;
	unsigned int *leader;       /* [tensors] order.h */
	struct segment *segments;
	uint32_t nsegments;
	struct stream_area area;
	size_t bytes[NBASES];
};

/* options: batch is at least 1. */
int plan_make(const struct accel_model *model, const struct eie_params *params, const struct accel_compile_options *options,
	      struct plan *plan, struct accel_error *err);
/*
 * Places the tensors of a chain of layers in a set of ABUF; returns its granules. A tensor between two segments has a place in each,
 * so this is called again when a segment's commands are written.
 */
uint64_t plan_place_chain(struct plan *plan, uint32_t first_layer, uint32_t nlayers);
void plan_free(struct plan *plan);

/* Granules of one operand of a product or table in an input slot. */
static inline uint32_t plan_operand_slot(const struct plan *plan, const struct accel_layer *layer)
{
	uint32_t slot = plan->params.abuf / 4;

	return layer->kind == ACCEL_LAYER_MULTIPLY ? slot / 2 / plan->params.clusters * plan->params.clusters : slot;
}

/*
 * While the weights of a chunk come that are selected, the pointers of the one before are in use and those of the next are there: three slots of pointers,
 * where others have two.
 */
#define PLAN_POINTER_SLOTS 3

/* Granules of a slot of pointers of a fully connected layer. */
static inline uint32_t plan_pointer_slot(const struct plan *plan, const struct layer_plan *lp)
{
	return lp->selects ? 2 * plan->area.p_slot / PLAN_POINTER_SLOTS : plan->area.p_slot;
}

static inline uint32_t codebook_granules(const struct accel_layer *layer)
{
	return layer->code_bits == 8 ? 32 : 2;
}

#endif
