/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/*
 * How convolutions lie in memory for kernels with vector registers. No im2col: the image is copied once, with its padding, and every place of a window
 * is an offset into the copy.
 *
 * Words. Two channels of a pixel are one 32-bit word {even, odd}, so that one multiply-add instruction takes both.
 * Phases. Pixels whose coordinates have the same remainders by the strides form a plane of their own: what windows one step apart read then lies side by
 *   side, whatever the stride. Output pixel (oy, ox) at place oy * width + ox reads, for a tap, the word at that place plus the tap's offset.
 * Shifts. A vector that begins anywhere meets two lines of the cache and takes two loads. Where that is what limits, there is a plane for every shift along a line
 *   that a tap asks for, and lines begin where vectors do: then all offsets are multiples of a vector.
 * Blocks. Of pairs of channels, whose words fit the first-level cache; sums of a block are kept in memory for the next one.
 * Entries. Rows of the weight matrix are taken `group` at a time; an entry is an offset and the two weights of each of these rows, and there is one for
 *   every place where any of them has a weight: {offset, weights[group]}, 32 bits each.
 * Places are computed in vectors of `lanes`; those at the end of a line that are no output are not stored.
 */
#ifndef ACCEL_CPU_CONV_LAYOUT_H
#define ACCEL_CPU_CONV_LAYOUT_H

#include "cpu_lines.h"
#include "model.h"

#define CONV_GROUP_MAX 4u
#define CONV_TILE_MAX  16u  /* vectors */
#define CONV_PARTIAL   (64u << 10)   /* bytes of a task's sums between blocks */

/* Lanes of a vector that lie in one line of the output: lane l goes to plane[to + l]. */
struct conv_line {
	int32_t to;
	uint32_t mask;
};

struct conv_layout {
	uint32_t pairs;             /* of channels */
	uint32_t width, height;     /* of a plane */
	uint32_t shifts;            /* planes of a phase */
	size_t plane;               /* words from a plane to the next */
	size_t words;               /* of the copy, with what vectors read behind it */
	bool whole;                 /* the copy is the image: lines follow each other, nothing is around them */
	uint32_t lanes, nvectors, tile, ntiles;   /* vectors of all places; tile: vectors that are computed at once */
	uint32_t group, ngroups, task_groups;     /* rows; groups of a task */
	uint32_t nblocks, block_pairs;
	size_t *first;              /* [ngroups * nblocks + 1] entries, block by block of each group */
	int32_t *entries;
	struct conv_line *lines;
	uint32_t *line_first;       /* [nvectors + 1] */
	uint64_t *live;             /* [columns] non-zero weights */
	uint32_t *counts;           /* [pairs, height of the image, stride_x] for the copy, where strides are not 1 */
	size_t bytes;               /* of all that */
};

/*
 * cost(group, entries, aligned): cycles that a vector takes for that many entries; aligned: all offsets are multiples of a vector. The cheapest group of
 * 1, 2, 4 is taken, and shifts where they are cheaper than loads; tile_max[group]: vectors that registers have room for. 0, with NULL for an image of 8 GiB, whose offsets do not fit an entry; or -ENOMEM.
 */
int conv_layout_new(const struct accel_layer *layer, uint32_t lanes, const uint32_t tile_max[CONV_GROUP_MAX + 1],
		    double (*cost)(uint32_t group, double entries, bool aligned), struct conv_layout **layout);
void conv_layout_free(struct conv_layout *layout);

/* Tasks of the copy: pairs. x: one item, [channels, height, width]; to [words]. Returns the products of those two channels that are not zero. */
uint64_t conv_layout_copy(const struct conv_layout *layout, const struct accel_layer *layer, const struct cpu_lines *lines, const int16_t *x, uint32_t pair,
			  int32_t *to);

#endif
