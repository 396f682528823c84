/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/*
 * How a convolution is cut: docs/vector_mode.md has the commands. Images lie in memory as in ABUF, in channel planes of pixel groups. The
 * outputs of a layer are computed batch by batch, a batch being as many groups as an accumulator half (and an output slot of ABUF)
 * holds. A band is the part of the input that some batches need: whole rows of the image, all channels or a chunk of them.
 */
#ifndef ACCEL_CONV_PLAN_H
#define ACCEL_CONV_PLAN_H

#include "tile.h"

/* Where an image tensor lies. Channel places of a layer's output are row * clusters + cluster. */
struct image_plan {
	uint32_t places;      /* of channels; 0: not an image */
	uint32_t plane;       /* pixel groups a channel */
};

struct conv_plan {
	uint32_t *tile_rows;  /* [row tiles] rows of the cluster with most rows */
	uint32_t *tile_base;  /* [row tiles] row of the output where it starts */
	uint32_t blocks;      /* of `clusters` channels of the input */
	uint32_t chunk_blocks;/* most of them that an input slot holds */
	uint32_t groups;      /* of a batch */
	uint32_t batches, band_batches, bands;
	bool split;           /* VMAC_SPLIT */
	uint64_t together_cycles, apart_cycles;   /* by which that was decided: of a few groups by the cost model; 0: it was not asked */
};

/* Rows y .. y + rows - 1 of the input; windows are counted from row first_y of the output, where their padding is not below 0. */
struct conv_band {
	uint32_t y, rows, first_y;
	uint32_t group, groups, origin;   /* pixel groups of the input that hold them; first pixel in the first group */
};

/* Rows a cluster and tile that vector mode has room for, a multiple of 8; 0: none. */
uint32_t conv_row_limit(const struct eie_params *params);

/*
 * Cuts the layer for input and output slots of so many granules; rows: from tile_balance(). conv is to be freed whatever happens. -ENOMEM, or
 * -E2BIG: not even eight windows of one block of channels fit.
 */
int conv_plan_make(const struct accel_layer *layer, const struct eie_params *params, const struct tile_rows *rows,
		   const struct image_plan *in, uint32_t x_slot, uint32_t y_slot, struct conv_plan *conv);
/* Cuts it anew, for other slots. -E2BIG. */
int conv_plan_cut(const struct accel_layer *layer, const struct eie_params *params, const struct tile_rows *rows, uint32_t x_slot, uint32_t y_slot,
		  struct conv_plan *conv);
/*
 * The same for pooling: batches and bands are one, a task takes chunk_blocks of the blocks. Slots of input and output have so many granules. -E2BIG: not
 * even eight windows of one block fit.
 */
int pool_plan_make(const struct accel_layer *layer, const struct eie_params *params, const struct image_plan *in, uint32_t x_slot, uint32_t y_slot,
		   struct conv_plan *conv);
/* The same for what goes value by value, with so many granules for each operand's part, and for the result's. */
void element_plan_make(const struct eie_params *params, const struct image_plan *in, uint32_t slot, struct conv_plan *conv);
void conv_plan_free(struct conv_plan *conv);

/* The band that windows of pixel groups first .. first + groups - 1 need. */
void conv_band(const struct accel_window *w, uint32_t first, uint32_t groups, struct conv_band *band);

/* Place of value `index` of an image whose channel has place `place`, as int16 index. */
static inline uint32_t image_slot(const struct image_plan *image, uint32_t clusters, uint32_t place, uint32_t pixel)
{
	return ((place / clusters * image->plane + pixel / EIE_GRANULE_VALUES) * clusters + place % clusters) * EIE_GRANULE_VALUES +
	       pixel % EIE_GRANULE_VALUES;
}

/* The other way round: place of the channel that has its pixel 0 at `slot`. */
static inline uint32_t image_place(const struct image_plan *image, uint32_t clusters, uint32_t slot)
{
	uint32_t granule = slot / EIE_GRANULE_VALUES;

	return granule / (image->plane * clusters) * clusters + granule % clusters;
}

static inline uint32_t image_blocks(const struct image_plan *image, uint32_t clusters)
{
	return (image->places + clusters - 1) / clusters;
}

static inline uint32_t image_granules(const struct image_plan *image, uint32_t clusters)
{
	return image_blocks(image, clusters) * image->plane * clusters;
}

#endif
