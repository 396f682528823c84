// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Commands of a convolution. A task is one VMAC: a batch of pixel groups times the weights of a chunk. A row tile that is one chunk is
 * loaded once for all batches of a band; else two batches at a time share each chunk, one in each accumulator half.
 */
#include <stdlib.h>

#include "emit_int.h"
#include "stream.h"
#include "window.h"

static const struct accel_layer *layer_of(const struct emit *e)
{
	return &e->plan->model->layers[e->segment->first_layer];
}

static const struct conv_plan *conv_of(const struct emit *e)
{
	return &e->plan->layers[e->segment->first_layer].conv;
}

static const struct tensor_plan *input_of(const struct emit *e)
{
	return &e->plan->tensors[layer_of(e)->input];
}

/* An input slot, or the image that is kept, holds all channels of a band, or those of one chunk. */
static bool keeps_channels(const struct emit *e)
{
	return conv_of(e)->chunk_blocks == conv_of(e)->blocks;
}

static void band_of(const struct emit *e, uint32_t number, struct conv_band *band)
{
	const struct conv_plan *conv = conv_of(e);
	uint32_t first = number * conv->band_batches * conv->groups, n = conv->band_batches * conv->groups;
	uint32_t plane = e->plan->tensors[layer_of(e)->output].image.plane;

	if (input_of(e)->kept) {
		*band = (struct conv_band){ .rows = layer_of(e)->window.height, .groups = input_of(e)->image.plane };
		return;
	}
	conv_band(&layer_of(e)->window, first, n < plane - first ? n : plane - first, band);
}

/* The task's band of blocks first .. first + n - 1 of the input slot. */
static void load_blocks(struct emit *e, const struct task *task, struct stage *st, uint32_t first, uint32_t n)
{
	uint32_t k = e->plan->params.clusters, base = keeps_channels(e) ? 0 : task->chunk->first;
	const struct tensor_plan *t = input_of(e);
	uint64_t stride = (uint64_t)t->image.plane * k * EIE_GRANULE_BYTES;
	struct conv_band band;
	struct eie_cmd cmd;

	band_of(e, task->band, &band);
	cmd = emit_xfer(EIE_OP_LOAD, t->base, item_offset(t, task->item) + (base + first) * stride + (uint64_t)band.group * k * EIE_GRANULE_BYTES,
			EIE_BUF_ABUF, emit_x_slot(e, st) + first * band.groups * k, band.groups * k);
	CMD_SET(&cmd, XFER_ROWS, n);
	CMD_SET(&cmd, XFER_MEM_STRIDE, stride);
	CMD_SET(&cmd, XFER_BUF_STRIDE, band.groups * k);
	emit_load(e, st, e->segment->first_layer, cmd, e->x.slot[st->x].user);
}

/* Each piece, some blocks of channels, is a VMAC of its own, whose pointers must begin a granule. */
static bool in_pieces(const struct emit *e)
{
	return e->plan->params.clusters * window_taps(&layer_of(e)->window) % EIE_PTRS_PER_GRANULE == 0;
}

/* Granules of a cluster's stream that the chunk's columns below `columns` need, where most are needed. */
static uint32_t stream_granules(const struct emit *e, const struct tile_chunk *c, uint32_t columns)
{
	const struct layer_plan *lp = &e->plan->layers[e->segment->first_layer];
	uint32_t most = 0;

	for (uint32_t i = 0; i < e->plan->params.clusters; i++) {
		const uint8_t *pointers = lp->image.data + c->p_offset + (size_t)i * c->plen * EIE_GRANULE_BYTES;
		uint32_t end = stream_end(pointers, columns);

		most = end > most ? end : most;
	}
	return (most * stream_unit(layer_of(e)->code_bits == 8) + EIE_GRANULE_BYTES - 1) / EIE_GRANULE_BYTES;
}

/* Nothing overlaps with a job's first loads, nor with those behind a barrier: what the first VMAC needs comes first. ahead: weights are there already. */
static void load_pieces(struct emit *e, const struct task *task, bool ahead, struct stage *st)
{
	const struct tile_chunk *c = task->chunk;
	uint32_t column_block = e->plan->params.clusters * window_taps(&layer_of(e)->window), streamed = 0;

	if (!ahead) {
		emit_stage_pointers(e, c, st);
		emit_stage_params(e, task, st);
	}
	st->pieces = true;
	for (uint32_t at = 0, n; at < c->units; at += n) {
		uint32_t need;

		n = emit_piece(at, c->units, 1);
		/* one at least, though nothing of it is read where columns are empty: the place has then been loaded for whoever proves the order */
		need = ahead ? 0 : at + n == c->units ? c->wlen : stream_granules(e, c, (at + n) * column_block);
		need = ahead || need ? need : 1;
		if (need > streamed)
			emit_stage_stream(e, c, st, streamed, need - streamed);
		streamed = need;
		load_blocks(e, task, st, at, n);
		MARK(e, st->load, SIGNAL_NEXT);
	}
	if (keeps_channels(e) && c->units < conv_of(e)->blocks) {
		int64_t last = st->load;

		/* for the chunks to come; the token of the next one's weights stands for it */
		load_blocks(e, task, st, c->units, conv_of(e)->blocks - c->units);
		st->load = last;
	}
}

/* Codebook, table, and the band. True: it was loaded in pieces, as it is where nothing is computed meanwhile, with the weights and parameters that were not ahead. */
static bool stage_input(struct emit *e, const struct task *task, bool starts, bool ahead, struct stage *st)
{
	uint32_t layer = e->segment->first_layer;
	const struct conv_plan *conv = conv_of(e);
	const struct tile_chunk *c = task->chunk;
	bool fresh = false;

	if (c) {
		uint64_t number = keeps_channels(e) ? 0 : (uint64_t)(c - e->plan->layers[layer].image.chunks);

		emit_load_codebook(e, st, layer);
		if (!input_of(e)->kept)
			st->x = emit_pick(&e->x, emit_id(e, (number * conv->bands + task->band) * e->plan->batch + task->item), &fresh);
	}
	emit_load_table(e, st, e->plan->layers[layer].table);
	if (fresh && starts && in_pieces(e)) {
		load_pieces(e, task, ahead, st);
		return true;
	}
	if (fresh)
		load_blocks(e, task, st, 0, keeps_channels(e) ? conv->blocks : c->units);
	return false;
}

void emit_stage_conv(struct emit *e, const struct task *task, bool starts, struct stage *st)
{
	if (!stage_input(e, task, starts, false, st))
		emit_stage_weights(e, task, st);
}

void emit_stage_conv_input(struct emit *e, const struct task *task, struct stage *st)
{
	stage_input(e, task, true, true, st);
}

/* Windows in the last of the task's groups; 0: eight. */
static uint32_t tail_of(const struct emit *e, const struct task *task)
{
	uint32_t plane = e->plan->tensors[layer_of(e)->output].image.plane;

	return task->group + task->groups == plane ? (uint32_t)(window_out_pixels(&layer_of(e)->window) % EIE_GRANULE_VALUES) : 0;
}

/* Of the chunk's blocks first .. first + n - 1. */
static int64_t add_vmac(struct emit *e, const struct task *task, const struct stage *st, uint32_t first, uint32_t n)
{
	uint32_t layer = e->segment->first_layer, k = e->plan->params.clusters;
	const struct accel_window *w = &layer_of(e)->window;
	const struct tile_chunk *c = task->chunk;
	const struct stream_area *area = &e->plan->area;
	uint32_t in = input_of(e)->kept ? emit_kept(e, input_of(e), task->item, 0, 0).granule : emit_x_slot(e, st);
	uint32_t places = input_of(e)->image.places - (c->first + first) * k, window = task->group * EIE_GRANULE_VALUES;
	struct eie_cmd cmd = { { 0 } };
	struct conv_band band;

	band_of(e, task->band, &band);
	CMD_SET(&cmd, OPCODE, EIE_OP_VMAC);
	CMD_SET(&cmd, FENCE, e->fence);
	e->fence = false;
	CMD_SET(&cmd, VMAC_HALF, task->half);
	CMD_SET(&cmd, VMAC_WIDE, layer_of(e)->code_bits == 8);
	CMD_SET(&cmd, VMAC_ORIGIN, band.origin);
	CMD_SET(&cmd, VMAC_CODEBOOK, e->plan->layers[layer].codebook);
	CMD_SET(&cmd, VMAC_IN, in + ((keeps_channels(e) ? c->first : 0) + first) * band.groups * k);
	CMD_SET(&cmd, VMAC_KERNEL_Y, w->kernel_y);
	CMD_SET(&cmd, VMAC_KERNEL_X, w->kernel_x);
	CMD_SET(&cmd, VMAC_PTR, area->p + st->w * area->p_slot + first * k * window_taps(w) / EIE_PTRS_PER_GRANULE);
	CMD_SET(&cmd, VMAC_WEIGHTS, area->w + st->w * area->w_slot);
	CMD_SET(&cmd, VMAC_PLANE, band.groups);
	CMD_SET(&cmd, VMAC_CHANNELS, places < n * k ? places : n * k);
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
	CMD_SET(&cmd, VMAC_SPLIT, conv_of(e)->split);
	return emit_add(e, layer, &cmd);
}

static void add_vdrain(struct emit *e, const struct task *task, const struct stage *st, struct emit_place out)
{
	const struct accel_tensor *t = &e->plan->model->tensors[layer_of(e)->output];
	const struct stream_area *area = &e->plan->area;
	struct eie_cmd cmd = { { 0 } };

	CMD_SET(&cmd, OPCODE, EIE_OP_VDRAIN);
	CMD_SET(&cmd, VDRAIN_HALF, task->half);
	CMD_SET(&cmd, VDRAIN_TAIL, tail_of(e, task));
	CMD_SET(&cmd, VDRAIN_OUT, out.granule);
	CMD_SET(&cmd, VDRAIN_PLANE, out.plane);
	CMD_SET(&cmd, VDRAIN_ROWS, conv_of(e)->tile_rows[task->tile]);
	CMD_SET(&cmd, VDRAIN_GROUPS, task->groups);
	CMD_SET(&cmd, VDRAIN_PARAM, area->r + st->r * area->r_slot);
	CMD_SET(&cmd, VDRAIN_LO, (uint16_t)t->lo);
	CMD_SET(&cmd, VDRAIN_HI, (uint16_t)t->hi);
	emit_wait_stored(e, &cmd, task->half);
	emit_add(e, e->segment->first_layer, &cmd);
}

/* The layer whose output is stored: the segment's convolution, or the table of what it makes. */
static uint32_t last_layer(const struct emit *e)
{
	uint32_t table = e->plan->layers[e->segment->first_layer].table;

	return table == NO_LAYER ? e->segment->first_layer : table;
}

void emit_compute_conv(struct emit *e, const struct task *task, const struct stage *st)
{
	uint32_t units = task->chunk ? task->chunk->units : 0;
	unsigned int tensor = e->plan->model->layers[last_layer(e)].output;
	struct emit_place out = emit_output(e, task, tensor, conv_of(e)->tile_base[task->tile]);
	const struct tensor_plan *t = &e->plan->tensors[tensor];

	for (uint32_t at = 0, n; at < units; at += n) {
		int64_t vmac;

		n = st->pieces ? emit_piece(at, units, 1) : units;
		vmac = add_vmac(e, task, st, at, n);
		if (st->pieces)
			MARK(e, vmac, WAIT_PREV);
	}
	if (!task->drains)
		return;
	add_vdrain(e, task, st, out);
	if (last_layer(e) == e->segment->first_layer)
		return;
	/* what is kept at once, when the last of it is there: a part of a plane would seem to reach behind its end */
	if (t->kept && task->group + task->groups < out.plane)
		return;
	if (t->kept)
		out = emit_kept(e, t, task->item, conv_of(e)->tile_base[task->tile], 0);
	emit_vtable(e, task, last_layer(e), conv_of(e)->tile_rows[task->tile], out.plane, out, out);
}

int64_t emit_store_conv(struct emit *e, const struct task *task)
{
	uint32_t layer = last_layer(e), k = e->plan->params.clusters;
	const struct tensor_plan *t = &e->plan->tensors[e->plan->model->layers[layer].output];
	uint64_t offset = item_offset(t, task->item) +
			  ((uint64_t)conv_of(e)->tile_base[task->tile] * t->image.plane + task->group) * k * EIE_GRANULE_BYTES;
	struct eie_cmd cmd;

	if (!t->in_memory)
		return NOBODY;
	cmd = emit_xfer(EIE_OP_STORE, t->base, offset, EIE_BUF_ABUF, emit_y_slot(e, task),
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
	emit_queue(e, tasks, n);
	free(tasks);
}
