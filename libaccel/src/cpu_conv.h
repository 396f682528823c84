/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/* Convolutions on the CPU, of one item; bit-exact with the engine. */
#ifndef ACCEL_CPU_CONV_H
#define ACCEL_CPU_CONV_H

#include "cpu_conv_layout.h"
#include "model.h"

/* One layer and item. */
struct cpu_conv_job {
	const struct conv_layout *layout;
	const struct accel_layer *layer;
	const struct accel_tensor *out;   /* its clamp */
	const int32_t *words;             /* the copy of the image, or the input from the layout's origin on */
	int16_t *y;                       /* the output's item */
};

/* Of a tile of vectors and a group of rows: the entries of a block of packs. */
struct conv_piece {
	uint32_t group, vector;
	const int32_t *entries;
	const uint32_t *ends;             /* [CONV_SETS] */
	bool begins, completes;           /* with the bias, with the outputs; else with partial */
	int32_t *partial;                 /* [CONV_GROUP, vectors, lanes] */
};

typedef void conv_tile(const struct cpu_conv_job *job, const struct conv_piece *piece, uint64_t *saturated);

/* Kernels of one instruction set; cpu_fc.h has those of fully connected layers. */
struct cpu_conv_level {
	const char *name;
	uint32_t lanes, tile_max;                 /* for conv_layout_new() */
	uint32_t each;                            /* most channels of a word: 2, or 4 where there are kernels for bytes */
	conv_tile *tiles[2][CONV_TILE_MAX + 1];   /* [four channels a word][vectors] */
};

extern const struct cpu_conv_level cpu_conv_avx512, cpu_conv_avxvnni, cpu_conv_avx2;

/* The level of that name, or NULL: then cpu_conv() does it, one weight after the other. */
const struct cpu_conv_level *cpu_conv_level(const char *name);
const struct cpu_lines *cpu_lines_level(const char *name);   /* never NULL */

static inline uint32_t conv_tasks(const struct conv_layout *l)
{
	return l->ntiles * ((l->ngroups + l->task_groups - 1) / l->task_groups);
}

/* Task of conv_tasks(); tasks may run at the same time. *saturated is added to. */
void cpu_conv_run(const struct cpu_conv_level *level, const struct cpu_conv_job *job, uint32_t task, uint64_t *saturated);

/*
 * Portable: x [channels, height, width], y [rows, out_height, out_width]. sums has room for one plane of the output. Rows [first, end) alone.
 * products and saturated are added to.
 */
void cpu_conv(const struct accel_layer *layer, const struct accel_tensor *out, const int16_t *x, int16_t *y, uint32_t first, uint32_t end,
	      uint32_t *sums, uint64_t *products, uint64_t *saturated);

#endif
