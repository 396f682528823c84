// SPDX-License-Identifier: GPL-2.0 OR MIT
/* Commands of a pooling. A task is one VPOOL: some blocks of channels times a batch of pixel groups, with the rows of the image that it sees. */
#include <stdlib.h>

#include "emit_int.h"
#include "window.h"

static const struct accel_layer *layer_of(const struct emit *e)
{
	return &e->plan->model->layers[e->segment->first_layer];
}

static const struct tensor_plan *input_of(const struct emit *e)
{
	return &e->plan->tensors[layer_of(e)->input];
}

static void band_of(const struct emit *e, const struct task *task, struct conv_band *band)
{
	if (input_of(e)->kept) {
		*band = (struct conv_band){ .rows = layer_of(e)->window.height, .groups = input_of(e)->image.plane };
		return;
	}
	conv_band(&layer_of(e)->window, task->group, task->groups, band);
}

void emit_stage_pool(struct emit *e, const struct task *task, struct stage *st)
{
	uint32_t layer = e->segment->first_layer, k = e->plan->params.clusters;
	const struct tensor_plan *t = input_of(e);
	const struct conv_plan *conv = &e->plan->layers[layer].conv;
	struct conv_band band;
	struct eie_cmd cmd;
	bool fresh;

	if (t->kept)
		return;
	band_of(e, task, &band);
	st->x = emit_pick(&e->x, emit_id(e, ((uint64_t)task->item * conv->blocks + task->block) * conv->batches + task->band), &fresh);
	if (!fresh)
		return;
	cmd = emit_xfer(EIE_OP_LOAD, t->base, item_offset(t, task->item) + ((uint64_t)task->block * t->image.plane + band.group) * k * EIE_GRANULE_BYTES,
			EIE_BUF_ABUF, emit_x_slot(e, st), band.groups * k);
	CMD_SET(&cmd, XFER_ROWS, task->blocks);
	CMD_SET(&cmd, XFER_MEM_STRIDE, (uint64_t)t->image.plane * k * EIE_GRANULE_BYTES);
	CMD_SET(&cmd, XFER_BUF_STRIDE, band.groups * k);
	emit_load(e, st, layer, cmd, e->x.slot[st->x].user);
}

void emit_compute_pool(struct emit *e, const struct task *task, const struct stage *st)
{
	const struct accel_window *w = &layer_of(e)->window;
	struct emit_place out = emit_output(e, task, layer_of(e)->output, task->block);
	uint32_t in = input_of(e)->kept ? emit_kept(e, input_of(e), task->item, task->block, 0).granule : emit_x_slot(e, st);
	uint32_t k = e->plan->params.clusters, window = task->group * EIE_GRANULE_VALUES;
	uint32_t plane = e->plan->tensors[layer_of(e)->output].image.plane;
	struct eie_cmd cmd = { { 0 } };
	struct conv_band band;

	band_of(e, task, &band);
	CMD_SET(&cmd, OPCODE, EIE_OP_VPOOL);
	CMD_SET(&cmd, VPOOL_SUM, layer_of(e)->kind == ACCEL_LAYER_AVERAGE_POOL);
	CMD_SET(&cmd, VPOOL_SHIFT, layer_of(e)->sum_shift);
	CMD_SET(&cmd, VPOOL_ORIGIN, band.origin);
	CMD_SET(&cmd, VPOOL_IN, in);
	CMD_SET(&cmd, VPOOL_KERNEL_Y, w->kernel_y);
	CMD_SET(&cmd, VPOOL_KERNEL_X, w->kernel_x);
	CMD_SET(&cmd, VPOOL_OUT, out.granule);
	CMD_SET(&cmd, VPOOL_PLANE, band.groups);
	CMD_SET(&cmd, VPOOL_CHANNELS, task->blocks * k);
	CMD_SET(&cmd, VPOOL_IN_X, w->width);
	CMD_SET(&cmd, VPOOL_IN_Y, band.rows);
	CMD_SET(&cmd, VPOOL_STRIDE_X, w->stride_x);
	CMD_SET(&cmd, VPOOL_STRIDE_Y, w->stride_y);
	CMD_SET(&cmd, VPOOL_OUT_X, w->out_width);
	CMD_SET(&cmd, VPOOL_OUT_PLANE, out.plane);
	CMD_SET(&cmd, VPOOL_DILATE_X, w->dilate_x);
	CMD_SET(&cmd, VPOOL_DILATE_Y, w->dilate_y);
	CMD_SET(&cmd, VPOOL_FIRST_X, window % w->out_width);
	CMD_SET(&cmd, VPOOL_FIRST_Y, window / w->out_width - band.first_y);
	CMD_SET(&cmd, VPOOL_PAD_X, w->pad_left);
	CMD_SET(&cmd, VPOOL_PAD_Y, w->pad_top + band.y - band.first_y * w->stride_y);   /* as VMAC_PAD_Y in emit_conv.c */
	CMD_SET(&cmd, VPOOL_GROUPS, task->groups);
	if (task->group + task->groups == plane)
		CMD_SET(&cmd, VPOOL_TAIL, window_out_pixels(w) % EIE_GRANULE_VALUES);
	emit_wait_stored(e, &cmd, task->half);
	emit_add(e, e->segment->first_layer, &cmd);
}
