// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Commands and tokens.
 *
 * Tokens are placed when somebody needs them: a load that overwrites what a compute command read makes that command (already
 * written) signal, unless the load engine has taken a token of it or of a later one before; commands of an engine complete in order,
 * so one token stands for all earlier commands. A DRAIN over something that is being stored does the same with the STORE. So every
 * signal has its wait, every wait has an earlier signal, no counter ever holds more than a few, and all are zero at the job's end.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "emit.h"
#include "emit_int.h"
#include "window.h"

/* The first input of a job is loaded in pieces, so that its first MAC starts early: granules of the first. */
#define FIRST_PIECE 8

/* Appends a command; returns its index, or NOBODY when memory has run out. */
int64_t emit_add(struct emit *e, uint32_t layer, const struct eie_cmd *cmd)
{
	struct accel_program *p = e->program;

	if (!e->nomem && p->ncmds == e->capacity) {
		uint32_t capacity = e->capacity * 2 + 64;
		struct eie_cmd *cmds = realloc(p->cmds, capacity * sizeof(*cmds));
		uint32_t *layers = realloc(p->cmd_layer, capacity * sizeof(*layers));

		p->cmds = cmds ? cmds : p->cmds;
		p->cmd_layer = layers ? layers : p->cmd_layer;
		e->capacity = capacity;
		e->nomem = !cmds || !layers;
	}
	if (e->nomem)
		return NOBODY;
	p->cmds[p->ncmds] = *cmd;
	p->cmd_layer[p->ncmds] = layer;
	return p->ncmds++;
}

struct eie_cmd emit_xfer(uint32_t opcode, unsigned int base, uint64_t offset, uint32_t target, uint32_t addr, uint32_t len)
{
	struct eie_cmd cmd = { { 0 } };

	CMD_SET(&cmd, OPCODE, opcode);
	CMD_SET(&cmd, XFER_TARGET, target);
	CMD_SET(&cmd, XFER_BASE, base);
	CMD_SET(&cmd, XFER_OFFSET, offset);
	CMD_SET(&cmd, XFER_ADDR, addr);
	CMD_SET(&cmd, XFER_LEN, len);
	CMD_SET(&cmd, XFER_ROWS, 1);
	return cmd;
}

/* Constants, as one row or as one a cluster. */
struct eie_cmd emit_load_constant(const struct emit *e, size_t offset, uint32_t target, uint32_t addr, uint32_t len)
{
	struct eie_cmd cmd = emit_xfer(EIE_OP_LOAD, BASE_CONST, offset, target, addr, len);

	if (target != EIE_BUF_CBUF) {
		CMD_SET(&cmd, XFER_ROWS, e->plan->params.clusters);
		CMD_SET(&cmd, XFER_MEM_STRIDE, (uint64_t)len * EIE_GRANULE_BYTES);
	}
	return cmd;
}

/* ------------------------------------------------------------------- loads */

/* The slot that holds id, or the one that shall: *load tells which. */
unsigned int emit_pick(struct pool *pool, uint64_t id, bool *load)
{
	for (unsigned int i = 0; i < pool->n; i++) {
		if (pool->slot[i].id == id) {
			*load = false;
			return pool->last = i;
		}
	}
	*load = true;
	pool->last = (pool->last + 1) % pool->n;
	pool->slot[pool->last].id = id;
	return pool->last;
}

/* A load over what compute command `user` reads (NOBODY: nothing). */
void emit_load(struct emit *e, struct stage *st, uint32_t layer, struct eie_cmd cmd, int64_t user)
{
	if (CMD_GET(&cmd, XFER_BASE) != BASE_CONST && e->barrier > user)
		user = e->barrier;
	if (user > e->compute_known) {
		MARK(e, user, SIGNAL_PREV);
		CMD_SET(&cmd, WAIT_NEXT, 1);
		e->compute_known = user;
	}
	e->program->places[layer].info.bytes_loaded += xfer_bytes(&cmd);
	st->load = e->last_load = emit_add(e, layer, &cmd);
}

void emit_load_codebook(struct emit *e, struct stage *st, uint32_t layer)
{
	const struct layer_plan *lp = &e->plan->layers[layer];

	if (lp->codebook_resident || e->codebook_of == e->segment)
		return;
	emit_load(e, st, layer, emit_load_constant(e, lp->codebook_offset, EIE_BUF_CBUF, lp->codebook,
					 codebook_granules(&e->plan->model->layers[layer])), e->codebook_user[lp->codebook >= EIE_CBUF_GRANULES / 2]);
	e->codebook_of = e->segment;
}

uint32_t emit_piece(uint32_t at, uint32_t n, uint32_t first)
{
	uint32_t len = at + first;

	return n - at < 2 * len ? n - at : len;
}

/*
 * Pieces pay when no MAC of an item before overlaps the load. They are kept simple: one input from memory, which the first command, a
 * MAC, reads.
 */
static bool in_pieces(const struct emit *e)
{
	const struct segment *s = e->segment;
	uint32_t segment = (uint32_t)(s - e->plan->segments), first = e->plan->model->layers[s->first_layer].input;
	const struct tile_image *image = &e->plan->layers[s->first_layer].image;

	for (uint32_t l = s->first_layer + 1; l < s->first_layer + s->nlayers; l++) {
		unsigned int input = e->plan->model->layers[l].input;

		if (input != first && e->plan->tensors[input].segment != segment)
			return false;
	}
	return image->rows[0].nchunks && image->chunks[image->rows[0].first_chunk].units == e->plan->tensors[first].granules;
}

static void stage_chain(struct emit *e, const struct task *task, bool starts, struct stage *st)
{
	const struct segment *s = e->segment;
	uint32_t segment = (uint32_t)(s - e->plan->segments);
	bool fresh;

	emit_load_codebook(e, st, s->first_layer);
	st->x = emit_pick(&e->x, emit_id(e, task->item), &fresh);
	for (uint32_t l = s->first_layer; l < s->first_layer + s->nlayers; l++) {
		unsigned int input = e->plan->model->layers[l].input;
		const struct tensor_plan *t = &e->plan->tensors[input];
		bool again = false;

		for (uint32_t before = s->first_layer; before < l; before++)
			again |= e->plan->model->layers[before].input == input;
		if (again || t->segment == segment)
			continue;
		if (starts && in_pieces(e)) {
			st->pieces = true;
			for (uint32_t at = 0, n; at < t->granules; at += n) {
				n = emit_piece(at, t->granules, FIRST_PIECE);
				emit_load(e, st, l, emit_xfer(EIE_OP_LOAD, t->base, item_offset(t, task->item) + (uint64_t)at * EIE_GRANULE_BYTES,
						    EIE_BUF_ABUF, st->x * s->set_granules + t->abuf + at, n), e->x.slot[st->x].user);
				MARK(e, st->load, SIGNAL_NEXT);
			}
			continue;
		}
		emit_load(e, st, l, emit_xfer(EIE_OP_LOAD, t->base, item_offset(t, task->item), EIE_BUF_ABUF,
				    st->x * s->set_granules + t->abuf, t->granules), e->x.slot[st->x].user);
	}
}

bool emit_stage_pointers(struct emit *e, const struct tile_chunk *c, struct stage *st)
{
	uint32_t layer = e->segment->first_layer;
	const struct layer_plan *lp = &e->plan->layers[layer];
	const struct stream_area *area = &e->plan->area;
	bool fresh;

	st->w = emit_pick(&e->w, emit_id(e, (uint64_t)(c - lp->image.chunks)), &fresh);
	if (fresh)
		emit_load(e, st, layer, emit_load_constant(e, lp->image_offset + c->p_offset, EIE_BUF_PBUF, area->p + st->w * area->p_slot, c->plen),
			  e->w.slot[st->w].user);
	return fresh;
}

void emit_stage_stream(struct emit *e, const struct tile_chunk *c, struct stage *st, uint32_t first, uint32_t n)
{
	uint32_t layer = e->segment->first_layer;
	const struct stream_area *area = &e->plan->area;
	struct eie_cmd cmd = emit_load_constant(e, e->plan->layers[layer].image_offset + c->w_offset + (size_t)first * EIE_GRANULE_BYTES,
						EIE_BUF_WBUF, area->w + st->w * area->w_slot + first, n);

	CMD_SET(&cmd, XFER_MEM_STRIDE, (uint64_t)c->wlen * EIE_GRANULE_BYTES);
	emit_load(e, st, layer, cmd, e->w.slot[st->w].user);
}

void emit_stage_params(struct emit *e, const struct task *task, struct stage *st)
{
	uint32_t layer = e->segment->first_layer;
	const struct layer_plan *lp = &e->plan->layers[layer];
	const struct tile_row *row = &lp->image.rows[task->tile];
	const struct stream_area *area = &e->plan->area;
	bool fresh;

	if (!task->drains)
		return;
	st->r = emit_pick(&e->r, emit_id(e, task->tile), &fresh);
	if (fresh)
		emit_load(e, st, layer, emit_load_constant(e, lp->image_offset + row->r_offset, EIE_BUF_RBUF, area->r + st->r * area->r_slot, row->rlen),
			  e->r.slot[st->r].user);
}

void emit_stage_weights(struct emit *e, const struct task *task, struct stage *st)
{
	if (task->chunk && emit_stage_pointers(e, task->chunk, st))
		emit_stage_stream(e, task->chunk, st, 0, task->chunk->wlen);
	emit_stage_params(e, task, st);
}

void emit_stage(struct emit *e, const struct task *task, const struct task *after, bool starts, struct stage *st)
{
	*st = (struct stage){ .load = NOBODY };
	if (e->segment->chain)
		stage_chain(e, task, starts, st);
	else if (e->segment->conv)
		emit_stage_conv(e, task, starts, st);
	else if (e->segment->pool)
		emit_stage_pool(e, task, st);
	else if (e->segment->element)
		emit_stage_element(e, task, st);
	else
		emit_stage_fc(e, task, after, st);
	MARK(e, st->load, SIGNAL_NEXT);
}

/* ----------------------------------------------------------------- compute */

int64_t emit_mac(struct emit *e, uint32_t layer, uint32_t granules, unsigned int half, bool fence, const struct emit_tile *at)
{
	struct eie_cmd cmd = { { 0 } };

	CMD_SET(&cmd, OPCODE, EIE_OP_MAC);
	CMD_SET(&cmd, FENCE, fence);
	CMD_SET(&cmd, MAC_HALF, half);
	CMD_SET(&cmd, MAC_WIDE, e->plan->model->layers[layer].code_bits == 8);
	CMD_SET(&cmd, MAC_IN, at->in);
	CMD_SET(&cmd, MAC_LEN, granules);
	CMD_SET(&cmd, MAC_PTR, at->ptr);
	CMD_SET(&cmd, MAC_WEIGHTS, at->weights);
	CMD_SET(&cmd, MAC_CODEBOOK, e->plan->layers[layer].codebook);
	return emit_add(e, layer, &cmd);
}

/* One MAC a piece of the input, each after the token of its load. */
static void add_mac_pieces(struct emit *e, uint32_t layer, uint32_t granules, unsigned int half, const struct emit_tile *at)
{
	for (uint32_t first = 0, n; first < granules; first += n) {
		struct emit_tile part = *at;

		n = emit_piece(first, granules, FIRST_PIECE);
		part.in += first;
		part.ptr += first * (EIE_GRANULE_VALUES / EIE_PTRS_PER_GRANULE);
		MARK(e, emit_mac(e, layer, n, half, false, &part), WAIT_PREV);
	}
}

void emit_wait_stored(struct emit *e, struct eie_cmd *drain, unsigned int out_slot)
{
	if (e->stored[out_slot] > e->store_known) {
		MARK(e, e->stored[out_slot], SIGNAL_PREV);
		CMD_SET(drain, WAIT_NEXT, 1);
		e->store_known = e->stored[out_slot];
	}
}

int64_t emit_drain(struct emit *e, uint32_t layer, uint32_t tile, unsigned int half, unsigned int out_slot,
			 const struct emit_tile *at)
{
	const struct accel_tensor *t = &e->plan->model->tensors[e->plan->model->layers[layer].output];
	struct eie_cmd cmd = { { 0 } };

	CMD_SET(&cmd, OPCODE, EIE_OP_DRAIN);
	CMD_SET(&cmd, DRAIN_HALF, half);
	CMD_SET(&cmd, DRAIN_OUT, at->out);
	CMD_SET(&cmd, DRAIN_STRIDE, e->plan->params.clusters);
	CMD_SET(&cmd, DRAIN_STEPS, e->plan->layers[layer].rows.steps[tile]);
	CMD_SET(&cmd, DRAIN_PARAM, at->param);
	CMD_SET(&cmd, DRAIN_LO, (uint16_t)t->lo);
	CMD_SET(&cmd, DRAIN_HI, (uint16_t)t->hi);
	emit_wait_stored(e, &cmd, out_slot);
	return emit_add(e, layer, &cmd);
}

static int64_t add_store(struct emit *e, uint32_t layer, uint64_t offset, uint32_t addr, uint32_t len)
{
	const struct tensor_plan *t = &e->plan->tensors[e->plan->model->layers[layer].output];
	struct eie_cmd cmd = emit_xfer(EIE_OP_STORE, t->base, offset, EIE_BUF_ABUF, addr, len);

	e->program->places[layer].info.bytes_stored += xfer_bytes(&cmd);
	return emit_add(e, layer, &cmd);
}

/*
 * What a row tile has made goes out as soon as it is drained. Returns the last command of compute; *stored is the last STORE, none of which the
 * task's own drains have to wait for.
 */
static int64_t compute_chain(struct emit *e, const struct task *task, const struct stage *st, int64_t *stored)
{
	const struct segment *s = e->segment;
	int64_t drain = NOBODY;

	*stored = NOBODY;
	for (uint32_t l = s->first_layer; l < s->first_layer + s->nlayers; l++) {
		const struct accel_layer *layer = &e->plan->model->layers[l];
		const struct layer_plan *lp = &e->plan->layers[l];
		const struct tensor_plan *in = &e->plan->tensors[layer->input], *out = &e->plan->tensors[layer->output];
		uint32_t set = st->x * s->set_granules;
		struct emit_tile at = { .in = set + in->abuf, .ptr = lp->p, .weights = lp->w, .param = lp->r };
		bool fence = in->segment == lp->segment;   /* the input comes from the drains of a layer before */

		for (uint32_t t = 0; t < lp->rows.ntiles; t++) {
			const struct tile_row *row = &lp->image.rows[t];

			if (row->nchunks) {
				const struct tile_chunk *chunk = &lp->image.chunks[row->first_chunk];

				if (st->pieces && l == s->first_layer && t == 0)
					add_mac_pieces(e, l, chunk->units, e->half, &at);
				else
					emit_mac(e, l, chunk->units, e->half, fence, &at);
				fence = false;
				at.ptr += chunk->plen;
				at.weights += chunk->wlen;
			}
			at.out = set + out->abuf + lp->rows.out[t];
			drain = emit_drain(e, l, t, e->half, st->x, &at);
			if (out->in_memory) {
				*stored = add_store(e, l, item_offset(out, task->item) + (uint64_t)lp->rows.out[t] * EIE_GRANULE_BYTES,
						    at.out, lp->rows.steps[t] * e->plan->params.clusters);
				MARK(e, drain, SIGNAL_NEXT);
				MARK(e, *stored, WAIT_PREV);
			}
			at.param += row->rlen;
			e->half ^= 1;
		}
	}
	return drain;
}

int64_t emit_compute(struct emit *e, const struct task *task, const struct stage *st)
{
	struct accel_program *p = e->program;
	int64_t first = p->ncmds, last = NOBODY, stored = NOBODY;

	if (e->segment->chain)
		last = compute_chain(e, task, st, &stored);
	else if (e->segment->conv)
		emit_compute_conv(e, task, st);
	else if (e->segment->pool)
		emit_compute_pool(e, task, st);
	else if (e->segment->element)
		emit_compute_element(e, task, st);
	else
		emit_compute_fc(e, task, st);
	if (e->nomem)
		return NOBODY;
	last = e->segment->chain ? last : (int64_t)p->ncmds - 1;
	e->stored[st->x] = stored != NOBODY ? stored : e->stored[st->x];
	if (st->load != NOBODY)
		MARK(e, first, WAIT_PREV);
	if (e->segment->chain || e->segment->pool || e->segment->element || task->chunk)
		e->x.slot[st->x].user = last;
	if (!e->segment->chain && task->chunk)
		e->w.slot[st->w].user = e->p.slot[st->p].user = last;
	if (!e->segment->chain && task->drains)
		e->r.slot[st->r].user = last;
	if (e->segment->conv || !e->segment->chain)
		e->codebook_user[e->plan->layers[e->segment->first_layer].codebook >= EIE_CBUF_GRANULES / 2] = last;
	return last;
}

/* ------------------------------------------------------------------ stores */

void emit_store(struct emit *e, const struct task *task, int64_t computed)
{
	const struct segment *s = e->segment;
	bool planes = s->conv || s->pool || s->element;
	int64_t first = NOBODY, last = NOBODY;

	if (!task->drains || s->chain)
		return;
	if (planes)
		first = last = s->conv ? emit_store_conv(e, task) : emit_store_blocks(e, task);
	for (uint32_t l = s->first_layer; !planes && l < s->first_layer + s->nlayers; l++) {
		const struct layer_plan *lp = &e->plan->layers[l];
		const struct tensor_plan *t = &e->plan->tensors[e->plan->model->layers[l].output];

		if (!t->in_memory)
			continue;
		last = add_store(e, l, item_offset(t, task->item) + (uint64_t)lp->rows.out[task->tile] * EIE_GRANULE_BYTES,
				 emit_y_slot(e, task), lp->rows.steps[task->tile] * e->plan->params.clusters);
		first = first == NOBODY ? last : first;
	}
	if (last == NOBODY)
		return;
	MARK(e, computed, SIGNAL_NEXT);
	MARK(e, first, WAIT_PREV);
	e->stored[task->half] = last;
}

/* Not every activation is zero, not every lane always busy; 16 bytes a cycle. */
double emit_weight(const struct emit *e, uint64_t nonzeros, uint64_t bytes)
{
	return (double)nonzeros / (e->plan->params.clusters * e->plan->params.lanes) * 1.1 + (double)bytes / EIE_GRANULE_BYTES;
}

static void emit_chain(struct emit *e)
{
	const struct segment *s = e->segment;
	struct task *tasks = calloc(e->plan->batch, sizeof(*tasks));
	uint64_t nonzeros = 0, granules = 0;

	if (!tasks) {
		e->nomem = true;
		return;
	}
	plan_place_chain(e->plan, s->first_layer, s->nlayers);
	for (uint32_t l = s->first_layer; l < s->first_layer + s->nlayers; l++) {
		nonzeros += e->plan->model->layers[l].nnz;
		granules += e->plan->tensors[e->plan->model->layers[l].input].granules;
	}
	for (uint32_t i = 0; i < e->plan->batch; i++)
		tasks[i] = (struct task){ .item = i, .begins = true, .drains = true,
					  .cycles = emit_weight(e, nonzeros, granules * EIE_GRANULE_BYTES) };
	emit_queue(e, tasks, e->plan->batch);
	free(tasks);
}

static void restore(struct emit *e, uint32_t layer, struct eie_cmd cmd)
{
	e->program->places[layer].info.bytes_resident += xfer_bytes(&cmd);
	emit_add(e, layer, &cmd);
}

static void emit_restore(struct emit *e, uint32_t l)
{
	const struct layer_plan *lp = &e->plan->layers[l];
	uint32_t w = lp->w, p = lp->p, r = lp->r;

	if (lp->codebook_resident)
		restore(e, l, emit_load_constant(e, lp->codebook_offset, EIE_BUF_CBUF, lp->codebook,
					    codebook_granules(&e->plan->model->layers[l])));
	for (uint32_t t = 0; lp->resident && t < lp->rows.ntiles; t++) {
		const struct tile_row *row = &lp->image.rows[t];

		restore(e, l, emit_load_constant(e, lp->image_offset + row->r_offset, EIE_BUF_RBUF, r, row->rlen));
		r += row->rlen;
		if (row->nchunks) {
			const struct tile_chunk *c = &lp->image.chunks[row->first_chunk];

			restore(e, l, emit_load_constant(e, lp->image_offset + c->p_offset, EIE_BUF_PBUF, p, c->plen));
			restore(e, l, emit_load_constant(e, lp->image_offset + c->w_offset, EIE_BUF_WBUF, w, c->wlen));
			p += c->plen;
			w += c->wlen;
		}
	}
}

int emit_program(struct plan *plan, struct accel_program *program, struct accel_error *err)
{
	struct emit e = { .plan = plan, .program = program };

	for (uint32_t i = 0; i < plan->nsegments && !e.nomem; i++) {
		bool fc = plan->model->layers[plan->segments[i].first_layer].kind == ACCEL_LAYER_FC, alone = fc || plan->layer_jobs;

		if (alone)
			emit_flush(&e);
		e.segment = &plan->segments[i];
		if (e.segment->chain)
			emit_chain(&e);
		else if (e.segment->conv)
			emit_conv(&e);
		else if (e.segment->pool)
			emit_blocks(&e, window_taps(&plan->model->layers[e.segment->first_layer].window) + 2);
		else if (e.segment->element)
			emit_blocks(&e, 2);
		else if (fc)
			emit_fc(&e);
		if (alone)
			emit_flush(&e);
	}
	emit_flush(&e);
	free(e.queue);
	program->restore_first = program->ncmds;
	for (uint32_t l = 0; l < plan->model->nlayers; l++)
		emit_restore(&e, l);
	program->nrestore = program->ncmds - program->restore_first;
	if (e.nomem)
		return accel_fail(err, -ENOMEM, NULL, "out of memory while writing commands");
	for (uint32_t j = 0; j < program->njobs; j++)
		if (program->jobs[j].ncmds >> 24)
			return accel_fail(err, -E2BIG, NULL, "a job of %u commands: use a smaller batch", program->jobs[j].ncmds);
	return 0;
}
