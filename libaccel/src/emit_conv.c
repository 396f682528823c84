// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Commands of a convolution. A task is one VMAC: a batch of pixel groups times the weights of a chunk. A row tile that is one chunk is
 * loaded once for all batches of a band; else two batches at a time share each chunk, one in each accumulator half.
 */
#include <stdlib.h>

#include "emit_int.h"
#include "window.h"

static const struct accel_layer *layer_of(const struct emit *e)
{
	return &e->plan->model->layers[e->segment->first_layer];
}

static const struct conv_plan *conv_of(const struct emit *e)
{
	return &e->plan->layers[e->segment->first_layer].conv;
}

/* An input slot holds all channels of a band, or those of one chunk. */
static bool keeps_channels(const struct emit *e)
{
	return conv_of(e)->chunk_blocks == conv_of(e)->blocks;
}

static void band_of(const struct emit *e, uint32_t number, struct conv_band *band)
{
	const struct conv_plan *conv = conv_of(e);
	uint32_t first = number * conv->band_batches * conv->groups, n = conv->band_batches * conv->groups;
	uint32_t plane = e->plan->tensors[layer_of(e)->output].image.plane;

	conv_band(&layer_of(e)->window, first, n < plane - first ? n : plane - first, band);
}

void emit_stage_conv(struct emit *e, const struct task *task, struct stage *st)
{
	uint32_t layer = e->segment->first_layer, k = e->plan->params.clusters;
	const struct tensor_plan *t = &e->plan->tensors[layer_of(e)->input];
	const struct conv_plan *conv = conv_of(e);
	const struct stream_area *area = &e->plan->area;
	const struct tile_chunk *c = task->chunk;

	if (c) {
		uint32_t first = keeps_channels(e) ? 0 : c->first, blocks = keeps_channels(e) ? conv->blocks : c->units;
		uint64_t number = keeps_channels(e) ? 0 : (uint64_t)(c - e->plan->layers[layer].image.chunks);
		bool fresh;

		emit_load_codebook(e, st, layer);
		st->x = emit_pick(&e->x, (number * conv->bands + task->band) * e->plan->batch + task->item + 1, &fresh);
		if (fresh) {
			uint64_t offset = item_offset(t, task->item);
			struct conv_band band;
			struct eie_cmd cmd;

			band_of(e, task->band, &band);
			offset += ((uint64_t)first * t->image.plane + band.group) * k * EIE_GRANULE_BYTES;
			cmd = emit_xfer(EIE_OP_LOAD, t->base, offset, EIE_BUF_ABUF, area->x + st->x * area->x_slot, band.groups * k);
			CMD_SET(&cmd, XFER_ROWS, blocks);
			CMD_SET(&cmd, XFER_MEM_STRIDE, (uint64_t)t->image.plane * k * EIE_GRANULE_BYTES);
			CMD_SET(&cmd, XFER_BUF_STRIDE, band.groups * k);
			emit_load(e, st, layer, cmd, e->x.slot[st->x].user);
		}
	}
	emit_stage_weights(e, task, st);
}

/* Windows in the last of the task's groups; 0: eight. */
static uint32_t tail_of(const struct emit *e, const struct task *task)
{
	uint32_t plane = e->plan->tensors[layer_of(e)->output].image.plane;

	return task->group + task->groups == plane ? (uint32_t)(window_out_pixels(&layer_of(e)->window) % EIE_GRANULE_VALUES) : 0;
}

static void add_vmac(struct emit *e, const struct task *task, const struct stage *st)
{
	uint32_t layer = e->segment->first_layer, k = e->plan->params.clusters;
	const struct accel_window *w = &layer_of(e)->window;
	const struct tile_chunk *c = task->chunk;
	const struct stream_area *area = &e->plan->area;
	uint32_t places = e->plan->tensors[layer_of(e)->input].image.places - c->first * k, window = task->group * EIE_GRANULE_VALUES;
	struct eie_cmd cmd = { { 0 } };
	struct conv_band band;

	band_of(e, task->band, &band);
	CMD_SET(&cmd, OPCODE, EIE_OP_VMAC);
	CMD_SET(&cmd, VMAC_HALF, task->half);
	CMD_SET(&cmd, VMAC_WIDE, layer_of(e)->code_bits == 8);
	CMD_SET(&cmd, VMAC_ORIGIN, band.origin);
	CMD_SET(&cmd, VMAC_CODEBOOK, e->plan->layers[layer].codebook);
	CMD_SET(&cmd, VMAC_IN, area->x + st->x * area->x_slot + (keeps_channels(e) ? c->first * band.groups * k : 0));
	CMD_SET(&cmd, VMAC_KERNEL_Y, w->kernel_y);
	CMD_SET(&cmd, VMAC_KERNEL_X, w->kernel_x);
	CMD_SET(&cmd, VMAC_PTR, area->p + st->w * area->p_slot);
	CMD_SET(&cmd, VMAC_WEIGHTS, area->w + st->w * area->w_slot);
	CMD_SET(&cmd, VMAC_PLANE, band.groups);
	CMD_SET(&cmd, VMAC_CHANNELS, places < c->units * k ? places : c->units * k);
	CMD_SET(&cmd, VMAC_IN_X, w->width);
	CMD_SET(&cmd, VMAC_IN_Y, band.rows);
	CMD_SET(&cmd, VMAC_STRIDE_X, w->stride_x);
	CMD_SET(&cmd, VMAC_STRIDE_Y, w->stride_y);
	CMD_SET(&cmd, VMAC_OUT_X, w->out_width);
	CMD_SET(&cmd, VMAC_ROWS, conv_of(e)->tile_rows[task->tile]);
	CMD_SET(&cmd, VMAC_DILATE_X, w->dilate_x);
	CMD_SET(&cmd, VMAC_DILATE_Y, w->dilate_y);
	CMD_SET(&cmd, VMAC_FIRST_X, window % w->out_width);
	CMD_SET(&cmd, VMAC_FIRST_Y, window / w->out_width - band.first_y);
	CMD_SET(&cmd, VMAC_PAD_X, w->pad_left);
	CMD_SET(&cmd, VMAC_PAD_Y, w->pad_top + band.y - band.first_y * w->stride_y);   /* of the band: not below 0, see conv_band() */
	CMD_SET(&cmd, VMAC_GROUPS, task->groups);
	CMD_SET(&cmd, VMAC_TAIL, tail_of(e, task));
	emit_add(e, layer, &cmd);
}

static void add_vdrain(struct emit *e, const struct task *task, const struct stage *st)
{
	const struct accel_tensor *t = &e->plan->model->tensors[layer_of(e)->output];
	const struct stream_area *area = &e->plan->area;
	struct eie_cmd cmd = { { 0 } };

	CMD_SET(&cmd, OPCODE, EIE_OP_VDRAIN);
	CMD_SET(&cmd, VDRAIN_HALF, task->half);
	CMD_SET(&cmd, VDRAIN_TAIL, tail_of(e, task));
	CMD_SET(&cmd, VDRAIN_OUT, area->y + task->half * area->y_slot);
	CMD_SET(&cmd, VDRAIN_PLANE, task->groups);
	CMD_SET(&cmd, VDRAIN_ROWS, conv_of(e)->tile_rows[task->tile]);
	CMD_SET(&cmd, VDRAIN_GROUPS, task->groups);
	CMD_SET(&cmd, VDRAIN_PARAM, area->r + st->r * area->r_slot);
	CMD_SET(&cmd, VDRAIN_LO, (uint16_t)t->lo);
	CMD_SET(&cmd, VDRAIN_HI, (uint16_t)t->hi);
	emit_wait_stored(e, &cmd, task->half);
	emit_add(e, e->segment->first_layer, &cmd);
}

void emit_compute_conv(struct emit *e, const struct task *task, const struct stage *st)
{
	if (task->chunk)
		add_vmac(e, task, st);
	if (task->drains)
		add_vdrain(e, task, st);
}

int64_t emit_store_conv(struct emit *e, const struct task *task)
{
	uint32_t layer = e->segment->first_layer, k = e->plan->params.clusters;
	const struct tensor_plan *t = &e->plan->tensors[layer_of(e)->output];
	uint64_t offset = item_offset(t, task->item) +
			  ((uint64_t)conv_of(e)->tile_base[task->tile] * t->image.plane + task->group) * k * EIE_GRANULE_BYTES;
	struct eie_cmd cmd;

	if (!t->in_memory)
		return NOBODY;
	cmd = emit_xfer(EIE_OP_STORE, t->base, offset, EIE_BUF_ABUF, e->plan->area.y + task->half * e->plan->area.y_slot,
			task->groups * k);
	CMD_SET(&cmd, XFER_ROWS, conv_of(e)->tile_rows[task->tile]);
	CMD_SET(&cmd, XFER_MEM_STRIDE, (uint64_t)t->image.plane * k * EIE_GRANULE_BYTES);
	CMD_SET(&cmd, XFER_BUF_STRIDE, task->groups * k);
	e->program->places[layer].info.bytes_stored += xfer_bytes(&cmd);
	return emit_add(e, layer, &cmd);
}

/* What the array and the bus need for it: a decoded weight serves a group in a cycle, or two where there are half as many lanes. */
static double cycles_of(const struct emit *e, const struct task *task)
{
	const struct tile_chunk *c = task->chunk;
	uint32_t k = e->plan->params.clusters, rows = conv_of(e)->tile_rows[task->tile];
	double columns = c ? (double)c->units * k * window_taps(&layer_of(e)->window) : 0, slots;

	slots = c ? (double)c->nonzeros / k * EIE_GRANULE_VALUES / e->plan->params.lanes : 0;
	return task->groups * ((slots > columns ? slots : columns) + (task->drains ? rows : 0)) +
	       (task->drains ? (double)rows * task->groups * k : 0) + (c ? (double)k * (c->wlen + c->plen) : 0);
}

void emit_conv(struct emit *e)
{
	const struct layer_plan *lp = &e->plan->layers[e->segment->first_layer];
	const struct conv_plan *conv = conv_of(e);
	uint32_t plane = e->plan->tensors[layer_of(e)->output].image.plane;
	uint64_t ntasks = ((uint64_t)lp->image.nchunks + lp->rows.ntiles) * conv->batches * e->plan->batch, n = 0, outputs = 0;
	struct task *tasks = calloc(ntasks, sizeof(*tasks));

	if (!tasks) {
		e->nomem = true;
		return;
	}
	for (uint64_t turn = 0; turn < (uint64_t)e->plan->batch * conv->bands * lp->rows.ntiles; turn++) {
		uint32_t tile = (uint32_t)(turn % lp->rows.ntiles), band = (uint32_t)(turn / lp->rows.ntiles % conv->bands);
		const struct tile_row *row = &lp->image.rows[tile];
		uint32_t chunks = row->nchunks ? row->nchunks : 1, pair = row->nchunks > 1 ? 2 : 1;
		uint32_t first = band * conv->band_batches, end = first + conv->band_batches;

		end = end < conv->batches ? end : conv->batches;
		for (uint32_t batch = first; batch < end; batch += pair) {
			uint32_t now = batch + pair <= end ? pair : end - batch;

			for (uint32_t c = 0; c < chunks; c++) {
				for (uint32_t i = 0; i < now; i++) {
					struct task *task = &tasks[n++];
					uint32_t group = (batch + i) * conv->groups;

					*task = (struct task){
						.item = (uint32_t)(turn / lp->rows.ntiles / conv->bands), .tile = tile, .band = band,
						.chunk = row->nchunks ? &lp->image.chunks[row->first_chunk + c] : NULL,
						.half = (outputs + i) & 1, .begins = c == 0 && i == 0, .drains = c == chunks - 1,
						.group = group, .groups = conv->groups < plane - group ? conv->groups : plane - group,
					};
					task->cycles = cycles_of(e, task);
				}
			}
			outputs += now;
		}
	}
	emit_tasks(e, tasks, n);
	free(tasks);
}
