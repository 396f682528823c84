// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Whether the lanes of a cluster take a convolution's columns together or each its own (VMAC_SPLIT). Apart they skip each pixel's zeros, and read each column once a
 * lane instead of once: short columns wait for the weight banks. The cost model runs a few groups of pixels of the layer's first weights both ways.
 */
#include <stdlib.h>
#include <string.h>

#include "commands.h"
#include "cost.h"
#include "plan_int.h"
#include "seed.h"
#include "window.h"

/* Of activations behind a ReLU so many are taken for not zero, of others all: apart must be worth it also where few are zero. */
#define NONZERO 0.7
/* Columns that are tried: groups of pixels times those of the window and the channels, one group at least. */
#define COLUMNS 3000

/* The gather's part of a VMAC of so many groups, from the middle of the image on. */
static struct eie_cmd vmac_of(const struct accel_layer *layer, uint32_t channels, uint32_t groups, bool split)
{
	const struct accel_window *w = &layer->window;
	struct eie_cmd cmd = { { 0 } };

	CMD_SET(&cmd, OPCODE, EIE_OP_VMAC);
	CMD_SET(&cmd, VMAC_SPLIT, split);
	CMD_SET(&cmd, VMAC_WIDE, layer->code_bits == 8);
	CMD_SET(&cmd, VMAC_KERNEL_Y, w->kernel_y);
	CMD_SET(&cmd, VMAC_KERNEL_X, w->kernel_x);
	CMD_SET(&cmd, VMAC_CHANNELS, channels);
	CMD_SET(&cmd, VMAC_IN_X, w->width);
	CMD_SET(&cmd, VMAC_IN_Y, w->height);
	CMD_SET(&cmd, VMAC_STRIDE_X, w->stride_x);
	CMD_SET(&cmd, VMAC_STRIDE_Y, w->stride_y);
	CMD_SET(&cmd, VMAC_DILATE_X, w->dilate_x);
	CMD_SET(&cmd, VMAC_DILATE_Y, w->dilate_y);
	CMD_SET(&cmd, VMAC_OUT_X, w->out_width);
	CMD_SET(&cmd, VMAC_FIRST_Y, w->out_height / 2);
	CMD_SET(&cmd, VMAC_PAD_X, w->pad_left);
	CMD_SET(&cmd, VMAC_PAD_Y, w->pad_top);
	CMD_SET(&cmd, VMAC_GROUPS, groups);
	return cmd;
}

/* Activations that are not zero, of so many columns, split: a byte each, else a bit. */
static uint8_t *activations(size_t columns, bool split)
{
	uint8_t *live = calloc(columns, 1);
	uint64_t seed = 1;

	for (size_t i = 0; live && i < columns; i++) {
		unsigned int pixels = 0;

		for (unsigned int l = 0; l < EIE_GRANULE_VALUES; l++)
			pixels |= (unsigned int)(seed_uniform(&seed) < NONZERO) << l;
		if (split)
			live[i] = (uint8_t)pixels;
		else
			live[i / 8] |= (uint8_t)((pixels != 0) << i % 8);
	}
	return live;
}

/* Cycles of the chunk's VMAC, alone. */
static int cycles_of(const struct plan *plan, const struct accel_layer *layer, const struct tile_image *image, bool split, uint64_t *cycles)
{
	const struct tile_chunk *c = &image->chunks[0];
	uint32_t k = plan->params.clusters, taps = window_taps(&layer->window), columns = c->units * k * taps;
	uint32_t pixels = (uint32_t)window_out_pixels(&layer->window), rest = (pixels - layer->window.out_height / 2 * layer->window.out_width + 7) / 8;
	uint32_t groups = COLUMNS / columns ? COLUMNS / columns : 1;
	struct cost_work work = { .groups = plan_min(groups, rest), .split = split };
	const struct eie_cmd cmd = vmac_of(layer, c->units * k, work.groups, split);
	int ret = -ENOMEM;

	work.live = activations((size_t)work.groups * columns, split);
	work.tile = cost_tile(image->data + c->p_offset, (size_t)c->plen * EIE_GRANULE_BYTES, image->data + c->w_offset,
			      (size_t)c->wlen * EIE_GRANULE_BYTES, k, columns, layer->code_bits == 8);
	if (work.live && work.tile)
		ret = cost_vmac(&plan->params, &cmd, &work, cycles);
	cost_work_free(&work);
	return ret;
}

int plan_split(const struct plan *plan, unsigned int l, const struct tile_image *image, struct conv_plan *conv)
{
	const struct accel_layer *layer = &plan->model->layers[l];
	int ret;

	conv->split = false;
	conv->together_cycles = conv->apart_cycles = 0;
	if (!plan_may_split(plan, l) || !image->nchunks)
		return 0;
	ret = cycles_of(plan, layer, image, false, &conv->together_cycles);
	ret = ret ? ret : cycles_of(plan, layer, image, true, &conv->apart_cycles);
	conv->split = !ret && conv->apart_cycles < conv->together_cycles;
	return ret;
}

bool plan_may_split(const struct plan *plan, unsigned int l)
{
	const struct accel_tensor *in = &plan->model->tensors[plan->model->layers[l].input];

	return plan->params.features & EIE_FEATURE_SPLIT && plan->params.lanes == EIE_GRANULE_VALUES && in->lo >= 0;
}
