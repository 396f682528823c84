/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/*
 * Tiles of a fully connected layer. Rows are shared out over clusters and row tiles (one row tile fills an accumulator half at most);
 * within a row tile the columns are cut into chunks whose streams, pointers and activations fit the buffers.
 */
#ifndef ACCEL_TILE_H
#define ACCEL_TILE_H

#include "backend.h"
#include "model.h"

/* Which rows go where. Bin t * clusters + c holds the rows of cluster c in row tile t. */
struct tile_rows {
	uint32_t ntiles;
	uint32_t *steps;       /* [ntiles] of 8 rows, of the cluster with most rows */
	uint32_t *out;         /* [ntiles] first granule of the tile in the output vector */
	uint32_t *bin_first;   /* [ntiles * clusters + 1] */
	uint32_t *order;       /* [rows] rows of the layer, bin after bin, in local order */
	uint32_t *slot;        /* [rows] where a row's output lies in the output vector */
	uint32_t granules;     /* of the output vector */
	double balance;        /* time of the busiest clusters / mean */
};

/* row_limit: rows a cluster and tile, a multiple of 8. tail: the last tile may be a small one, which takes more pointers. */
int tile_balance(const struct accel_layer *layer, const struct eie_params *params, uint32_t row_limit, bool tail, struct tile_rows *rows);
/* The same in the order of another layer with as many rows, or, where that is NULL, of their numbers: row r is cluster r mod clusters' row r / clusters. */
int tile_follow(const struct accel_layer *layer, const struct eie_params *params, uint32_t row_limit, const struct tile_rows *order, struct tile_rows *rows);
void tile_rows_free(struct tile_rows *rows);

/*
 * Limits of one chunk, in granules but for input. Columns come in units that are not cut: the eight of a granule of a vector, or those of
 * a block of channels of an image. A unit of full columns must fit the weights.
 */
struct tile_limits {
	uint32_t unit;               /* columns */
	uint32_t input;              /* units */
	uint32_t wbuf, pbuf;
	bool aligned;                /* columns lie in as few words of WBUF as they can, with gaps between them */
};

/* One MAC command's worth. Offsets are bytes into the image's data. */
struct tile_chunk {
	uint32_t first, units;       /* of the input */
	uint32_t wlen, plen;         /* granules a cluster; streams are padded to the longest */
	size_t w_offset, p_offset;
	uint64_t nonzeros;
};

struct tile_row {
	uint32_t first_chunk, nchunks;   /* chunks without any weight are left out */
	uint32_t rlen;                   /* granules of row parameters a cluster */
	size_t r_offset;
};

struct tile_image {
	struct tile_row *rows;       /* [tile_rows.ntiles] */
	struct tile_chunk *chunks;
	uint32_t nchunks;
	uint8_t *data;
	size_t bytes, capacity;
	uint64_t wlen, plen, rlen;   /* sums of all chunks and tiles, granules a cluster */
};

/* slot[col] is where input col lies among the columns of `units` units. -E2BIG: a unit is too large for the limits. */
int tile_encode(const struct accel_layer *layer, const struct eie_params *params, const struct tile_rows *rows,
		const uint32_t *slot, uint32_t units, const struct tile_limits *limits, struct tile_image *image);
void tile_image_free(struct tile_image *image);

#endif
