/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/*
 * How convolutions lie in memory for kernels with vector registers. No im2col: every place of a window is an offset into words of the image, of which the
 * input is made, if it is packed (cpu_image.h) and the strides are 1, or a copy.
 *
 * Words. Two channels of a pixel are one 32-bit word {even, odd}, so that one multiply-add instruction takes both. An odd last channel of a plain image, which has
 *   no partner, is paired with itself one tap to the right. Of 8-bit tensors four channels are a word, raised by what makes them unsigned; the bias has that taken off.
 * Phases. Pixels whose coordinates have the same remainders by the strides form a plane of their own: what windows one step apart read then lies side by
 *   side, whatever the stride. Output pixel (oy, ox) at place oy * pitch + ox reads, for a tap, the word at that place plus the tap's offset.
 * Entries. Rows of the weight matrix are taken four at a time. Where any of them has a weight there is an entry: an offset, and a word of weights for each row
 *   that has one there. Entries lie sorted by the set of rows that have weights, so that there is a loop for each set, without a test in it; a word of the image is loaded
 *   once for all of its rows, and nothing is multiplied by zero but the channels of a word that only has others.
 * Blocks. Of packs of channels, whose words fit the first-level cache; sums of a block are kept in memory for the next one.
 * Places are computed in vectors of `lanes`; those at the end of a line that are no output are not stored.
 */
#ifndef ACCEL_CPU_CONV_LAYOUT_H
#define ACCEL_CPU_CONV_LAYOUT_H

#include "cpu_image.h"
#include "cpu_lines.h"
#include "model.h"

#define CONV_GROUP    4u              /* rows */
#define CONV_SETS     16u             /* of rows; the empty one has no entries */
#define CONV_TILE_MAX 6u              /* vectors */
#define CONV_PARTIAL  (64u << 10)     /* bytes of a task's sums between blocks */

/* Lanes of a vector that lie in one line of the output: lane l goes to plane[to + l]. */
struct conv_line {
	int32_t to;
	uint32_t mask;
	bool zeros;                 /* all other lanes fall on margins: zeros may be written there */
};

struct conv_layout {
	bool direct;                /* the words are the input's own; else a copy's */
	bool folded;                /* the last channel is paired with itself */
	uint8_t each, zero;         /* channels of a word; of four: the byte that is zero */
	uint32_t packs;             /* of channels */
	uint32_t pitch, height;     /* of a plane, in words and lines */
	size_t origin;              /* of the input: its first word that a window reads */
	size_t plane, pack;         /* words from a phase and from a pack to the next */
	size_t words;               /* of the copy, with what vectors read behind it */
	uint32_t lanes, nvectors, tile, ntiles;   /* vectors of all places; tile: vectors that are computed at once */
	uint32_t ngroups, task_groups;            /* groups of rows; of a task */
	uint32_t nblocks, block_packs;
	size_t *first;              /* [ngroups * nblocks] where a group's entries of a block begin */
	uint32_t (*ends)[CONV_SETS];/* [ngroups * nblocks] where those of each set end, from there */
	int32_t *entries;
	int32_t *bias;              /* [ngroups * CONV_GROUP] of rows: what sums begin with */
	bool packed;                /* the output */
	uint8_t to_each, to_zero;   /* of a packed one */
	size_t to_plane;            /* of the output: from a pack, or from a channel if it is plain, to the next */
	struct conv_line *lines;
	uint32_t *line_first;       /* [nvectors + 1] */
	bool even;                  /* vector v of a packed output goes to lines[0].to + v * lanes as a whole, its other lanes as zeros: lines[v] has its mask */
	int64_t *mults;             /* [ngroups * CONV_GROUP] of rows: of accel_requant_upper(); NULL if that is not true of all */
	uint32_t (*live)[2];        /* [packs * taps] rows that have a weight for the even and for the odd half; of words of two */
	size_t bytes;               /* of all that */
};

/* Words of a copy: below 2^31 offsets fit an entry, and of a packed image with the margins of others, too, if they are an eighth of that. */
uint64_t conv_layout_words(const struct accel_window *window);

/* Words from a line to the next of a copy's planes, and so from a line of places to the next. */
uint32_t conv_layout_copy_pitch(const struct accel_window *window);

/*
 * tile_max: vectors that registers have room for, CONV_TILE_MAX at most. in, out: how the tensors lie. 0, with NULL if offsets do not fit an entry, for an image
 * of 8 GiB; or -ENOMEM.
 */
int conv_layout_new(const struct accel_layer *layer, const struct cpu_image *in, const struct cpu_image *out, uint32_t lanes, uint32_t tile_max,
		    struct conv_layout **layout);
void conv_layout_free(struct conv_layout *layout);

/* Tasks of the copy: packs. x: one item of the input, as `in` says; to [words]. Not for a direct one. */
void conv_layout_copy(const struct conv_layout *layout, const struct accel_layer *layer, const struct cpu_image *in, const struct cpu_lines *lines,
		      const int16_t *x, uint32_t pack, int32_t *to);

/* Products of a pack of two channels that are not zero. words: the copy, or the input from `origin` on. */
uint64_t conv_layout_products(const struct conv_layout *layout, const struct accel_layer *layer, const struct cpu_lines *lines, const int32_t *words,
			      uint32_t pack);

#endif
