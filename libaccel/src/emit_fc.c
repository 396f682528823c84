// SPDX-License-Identifier: GPL-2.0 OR MIT
/* Fully connected layers whose weights are streamed. */
#include <stdlib.h>

#include "emit_int.h"

/* The whole input vector is kept when it fits, else the part that the chunk needs. */
static bool keeps_input(const struct emit *e)
{
	const struct tensor_plan *t = &e->plan->tensors[e->plan->model->layers[e->segment->first_layer].input];

	return t->granules <= e->segment->x_slot;
}

/* Granule of PBUF where the pointers of the task's chunk begin. */
static uint32_t pointers_at(const struct emit *e, const struct stage *st)
{
	const struct layer_plan *lp = &e->plan->layers[e->segment->first_layer];

	return e->plan->area.p + (lp->selects ? st->p : st->w) * plan_pointer_slot(e->plan, lp);
}

/* Makes a SELECT of a load: of the columns of chunk c, whose activations are in the slot of input. */
static void make_select(const struct emit *e, const struct tile_chunk *c, const struct stage *st, struct eie_cmd *cmd, bool fence)
{
	CMD_SET(cmd, OPCODE, EIE_OP_SELECT);
	CMD_SET(cmd, FENCE, fence);
	CMD_SET(cmd, SELECT_IN, emit_x_slot(e, st) + (keeps_input(e) ? c->first : 0));
	CMD_SET(cmd, SELECT_LEN, c->units);
}

/* Pointers of a chunk, into a slot of their own; returns which. */
static unsigned int stage_pointers(struct emit *e, const struct tile_chunk *c, struct stage *st)
{
	uint32_t layer = e->segment->first_layer;
	const struct layer_plan *lp = &e->plan->layers[layer];
	bool fresh;
	unsigned int slot = emit_pick(&e->p, emit_id(e, (uint64_t)(c - lp->image.chunks)), &fresh);
	struct eie_cmd cmd;

	if (!fresh)
		return slot;
	cmd = emit_load_constant(e, lp->image_offset + c->p_offset, EIE_BUF_PBUF, e->plan->area.p + slot * plan_pointer_slot(e->plan, lp),
				 c->plen);
	make_select(e, c, st, &cmd, e->x.slot[st->x].load == e->last_load);
	emit_load(e, st, layer, cmd, e->p.slot[slot].user);
	e->p.slot[slot].load = e->last_load;
	return slot;
}

/*
 * Weights of a chunk without its columns of zero activations. The pointers of the next one come first, so that its own SELECT has them without waiting for
 * loads that are under way. Where columns are shorter than a pointer, four columns a cycle are looked at more slowly than all of them come.
 */
static void stage_selected(struct emit *e, const struct task *task, const struct task *after, struct stage *st)
{
	uint32_t layer = e->segment->first_layer;
	const struct layer_plan *lp = &e->plan->layers[layer];
	const struct tile_chunk *c = task->chunk;
	struct eie_cmd cmd;
	bool fresh;

	st->p = stage_pointers(e, c, st);
	if (after && after->chunk && keeps_input(e))
		stage_pointers(e, after->chunk, st);
	st->w = emit_pick(&e->w, emit_id(e, (uint64_t)(c - lp->image.chunks)), &fresh);
	cmd = emit_load_constant(e, lp->image_offset + c->w_offset, EIE_BUF_WBUF, e->plan->area.w + st->w * e->plan->area.w_slot, c->wlen);
	if (c->wlen >= c->plen) {
		make_select(e, c, st, &cmd, e->p.slot[st->p].load == e->last_load || e->x.slot[st->x].load == e->last_load);
		CMD_SET(&cmd, SELECT_WIDE, e->plan->model->layers[layer].code_bits == 8);
		CMD_SET(&cmd, SELECT_PTR, pointers_at(e, st));
	}
	emit_load(e, st, layer, cmd, e->w.slot[st->w].user);
}

void emit_stage_fc(struct emit *e, const struct task *task, const struct task *after, struct stage *st)
{
	uint32_t layer = e->segment->first_layer;
	const struct tensor_plan *t = &e->plan->tensors[e->plan->model->layers[layer].input];
	const struct tile_chunk *c = task->chunk;
	bool fresh;

	if (c) {
		uint64_t number = (uint64_t)(c - e->plan->layers[layer].image.chunks);
		bool whole = keeps_input(e);

		emit_load_codebook(e, st, layer);
		st->x = emit_pick(&e->x, emit_id(e, whole ? task->item : number * e->plan->batch + task->item), &fresh);
		if (fresh) {
			emit_load(e, st, layer, emit_xfer(EIE_OP_LOAD, t->base,
							  item_offset(t, task->item) + (whole ? 0 : (uint64_t)c->first * EIE_GRANULE_BYTES),
							  EIE_BUF_ABUF, emit_x_slot(e, st), whole ? t->granules : c->units),
				  e->x.slot[st->x].user);
			e->x.slot[st->x].load = e->last_load;
		}
	}
	if (!e->plan->layers[layer].selects) {
		emit_stage_weights(e, task, st);
		return;
	}
	if (c)
		stage_selected(e, task, after, st);
	emit_stage_params(e, task, st);
}

void emit_compute_fc(struct emit *e, const struct task *task, const struct stage *st)
{
	const struct stream_area *area = &e->plan->area;
	uint32_t layer = e->segment->first_layer;
	struct emit_tile at = {
		.in = emit_x_slot(e, st),
		.ptr = pointers_at(e, st),
		.weights = area->w + st->w * area->w_slot,
		.param = area->r + st->r * area->r_slot,
		.out = emit_y_slot(e, task),
	};

	if (task->chunk) {
		at.in += keeps_input(e) ? task->chunk->first : 0;
		emit_mac(e, layer, task->chunk->units, task->half, false, &at);
	}
	if (task->drains)
		emit_drain(e, layer, task->tile, task->half, task->half, &at);
}

/*
 * A row tile that is one chunk serves all items; else two items at a time share each chunk, one in each accumulator half.
 */
void emit_fc(struct emit *e)
{
	const struct layer_plan *lp = &e->plan->layers[e->segment->first_layer];
	uint32_t k = e->plan->params.clusters, batch = e->plan->batch;
	uint64_t ntasks = ((uint64_t)lp->image.nchunks + lp->rows.ntiles) * batch, n = 0, outputs = 0;
	struct task *tasks = calloc(ntasks, sizeof(*tasks));

	if (!tasks) {
		e->nomem = true;
		return;
	}
	for (uint32_t t = 0; t < lp->rows.ntiles; t++) {
		const struct tile_row *row = &lp->image.rows[t];
		uint32_t chunks = row->nchunks ? row->nchunks : 1, group = row->nchunks > 1 ? 2 : 1;

		for (uint32_t item = 0; item < batch; item += group) {
			uint32_t items = item + group <= batch ? group : batch - item;

			for (uint32_t c = 0; c < chunks; c++) {
				for (uint32_t i = 0; i < items; i++) {
					struct task *task = &tasks[n++];
					const struct tile_chunk *chunk = NULL;
					bool fresh = group == 1 ? item == 0 : i == 0;

					if (row->nchunks)
						chunk = &lp->image.chunks[row->first_chunk + c];
					*task = (struct task){ .item = item + i, .tile = t, .chunk = chunk, .half = (outputs + i) & 1,
							       .begins = c == 0 && i == 0, .drains = c == chunks - 1 };
					if (chunk)
						task->cycles = emit_weight(e, chunk->nonzeros, (uint64_t)EIE_GRANULE_BYTES *
									(chunk->units + (fresh ? k * (chunk->wlen + chunk->plen) : 0)));
				}
			}
			outputs += items;
		}
	}
	emit_queue(e, tasks, n);
	free(tasks);
}
