// SPDX-License-Identifier: GPL-2.0 OR MIT
/* Commands of products and tables. A task is one VMUL or VTABLE: some blocks of channels times a batch of pixel groups. */
#include <stdlib.h>

#include "emit_int.h"

static const struct accel_layer *layer_of(const struct emit *e)
{
	return &e->plan->model->layers[e->segment->first_layer];
}

static const struct tensor_plan *output_of(const struct emit *e)
{
	return &e->plan->tensors[layer_of(e)->output];
}

/* Pixels in the last of the task's groups; 0: eight. */
static uint32_t tail_of(const struct emit *e, const struct accel_layer *layer, const struct task *task)
{
	const struct accel_tensor *t = &e->plan->model->tensors[layer->output];

	return task->group + task->groups == e->plan->tensors[layer->output].image.plane ? t->dims[1] * t->dims[2] % EIE_GRANULE_VALUES : 0;
}

/* Granule of a job's operand i in the input slot: each has a part of it. */
static uint32_t operand(const struct emit *e, const struct stage *st, unsigned int i)
{
	return emit_x_slot(e, st) + i * plan_operand_slot(e->plan, layer_of(e));
}

/* The second operand has a value a channel: one group. */
static bool is_per_channel(const struct emit *e)
{
	const struct accel_layer *layer = layer_of(e);

	const struct accel_tensor *t = e->plan->model->tensors;

	return layer->kind == ACCEL_LAYER_MULTIPLY && t[layer->parts[0]].count != t[layer->parts[1]].count;
}

/* Where operand i, a part of the tensor or of its one group, is. */
static struct emit_place operand_place(const struct emit *e, const struct task *task, const struct stage *st, unsigned int tensor, unsigned int i, bool one)
{
	const struct tensor_plan *t = &e->plan->tensors[tensor];

	return t->kept ? emit_kept(e, t, task->item, task->block, one ? 0 : task->group) : (struct emit_place){ operand(e, st, i), one ? 1 : task->groups };
}

static void load_operand(struct emit *e, const struct task *task, struct stage *st, unsigned int tensor, unsigned int i, uint32_t group, uint32_t groups)
{
	uint32_t k = e->plan->params.clusters;
	const struct tensor_plan *t = &e->plan->tensors[tensor];
	struct eie_cmd cmd;

	if (t->kept)
		return;
	cmd = emit_xfer(EIE_OP_LOAD, t->base, item_offset(t, task->item) + ((uint64_t)task->block * t->image.plane + group) * k * EIE_GRANULE_BYTES,
			EIE_BUF_ABUF, operand(e, st, i), groups * k);
	CMD_SET(&cmd, XFER_ROWS, task->blocks);
	CMD_SET(&cmd, XFER_MEM_STRIDE, (uint64_t)t->image.plane * k * EIE_GRANULE_BYTES);
	CMD_SET(&cmd, XFER_BUF_STRIDE, groups * k);
	emit_load(e, st, e->segment->first_layer, cmd, e->x.slot[st->x].user);
}

void emit_load_table(struct emit *e, struct stage *st, uint32_t layer)
{
	const struct layer_plan *lp = &e->plan->layers[layer];

	if (layer == NO_LAYER || !e->plan->model->layers[layer].table || e->table_of == e->segment)
		return;
	emit_load(e, st, layer, emit_xfer(EIE_OP_LOAD, BASE_CONST, lp->codebook_offset, EIE_BUF_ABUF, e->plan->params.abuf + lp->codebook, EIE_TABLE_GRANULES),
		  e->table_user[lp->codebook != 0]);
	e->table_of = e->segment;
}

void emit_stage_element(struct emit *e, const struct task *task, struct stage *st)
{
	const struct conv_plan *conv = &e->plan->layers[e->segment->first_layer].conv;
	const struct accel_layer *layer = layer_of(e);
	bool fresh;

	emit_load_table(e, st, e->segment->first_layer);
	if (!e->segment->uses_x)
		return;
	st->x = emit_pick(&e->x, emit_id(e, ((uint64_t)task->item * conv->blocks + task->block) * conv->batches + task->band), &fresh);
	if (!fresh)
		return;
	load_operand(e, task, st, layer->input, 0, task->group, task->groups);
	if (layer->kind == ACCEL_LAYER_MULTIPLY)
		load_operand(e, task, st, layer->parts[1], 1, is_per_channel(e) ? 0 : task->group, is_per_channel(e) ? 1 : task->groups);
}

void emit_vtable(struct emit *e, const struct task *task, uint32_t layer, uint32_t blocks, uint32_t groups, struct emit_place in, struct emit_place out)
{
	struct eie_cmd cmd = { { 0 } };

	CMD_SET(&cmd, OPCODE, EIE_OP_VTABLE);
	CMD_SET(&cmd, VTABLE_TAIL, tail_of(e, &e->plan->model->layers[layer], task));
	CMD_SET(&cmd, VTABLE_IN, in.granule);
	CMD_SET(&cmd, VTABLE_TABLE, e->plan->params.abuf + e->plan->layers[layer].codebook);
	CMD_SET(&cmd, VTABLE_PLANE, in.plane);
	CMD_SET(&cmd, VTABLE_CHANNELS, blocks * e->plan->params.clusters);
	CMD_SET(&cmd, VTABLE_OUT, out.granule);
	CMD_SET(&cmd, VTABLE_GROUPS, groups);
	CMD_SET(&cmd, VTABLE_OUT_PLANE, out.plane);
	emit_wait_stored(e, &cmd, task->half);
	e->table_user[e->plan->layers[layer].codebook != 0] = emit_add(e, layer, &cmd);
}

static void add_vmul(struct emit *e, const struct task *task, const struct stage *st, struct emit_place out)
{
	const struct accel_layer *layer = layer_of(e);
	struct emit_place a = operand_place(e, task, st, layer->input, 0, false), b = operand_place(e, task, st, layer->parts[1], 1, is_per_channel(e));
	const struct accel_tensor *t = &e->plan->model->tensors[layer->output];
	struct eie_cmd cmd = { { 0 } };

	CMD_SET(&cmd, OPCODE, EIE_OP_VMUL);
	CMD_SET(&cmd, VMUL_CHANNEL, is_per_channel(e));
	CMD_SET(&cmd, VMUL_TAIL, tail_of(e, layer, task));
	CMD_SET(&cmd, VMUL_IN, a.granule);
	CMD_SET(&cmd, VMUL_S, layer->shift[0]);
	CMD_SET(&cmd, VMUL_B, b.granule);
	CMD_SET(&cmd, VMUL_PLANE, a.plane);
	CMD_SET(&cmd, VMUL_CHANNELS, task->blocks * e->plan->params.clusters);
	CMD_SET(&cmd, VMUL_OUT, out.granule);
	CMD_SET(&cmd, VMUL_LO, (uint16_t)t->lo);
	CMD_SET(&cmd, VMUL_HI, (uint16_t)t->hi);
	CMD_SET(&cmd, VMUL_M, layer->mult[0]);
	CMD_SET(&cmd, VMUL_B_PLANE, b.plane);
	CMD_SET(&cmd, VMUL_GROUPS, task->groups);
	CMD_SET(&cmd, VMUL_OUT_PLANE, out.plane);
	emit_wait_stored(e, &cmd, task->half);
	emit_add(e, e->segment->first_layer, &cmd);
}

void emit_compute_element(struct emit *e, const struct task *task, const struct stage *st)
{
	struct emit_place out = emit_output(e, task, layer_of(e)->output, task->block);

	if (layer_of(e)->kind == ACCEL_LAYER_TABLE)
		emit_vtable(e, task, e->segment->first_layer, task->blocks, task->groups, operand_place(e, task, st, layer_of(e)->input, 0, false), out);
	else
		add_vmul(e, task, st, out);
}

int64_t emit_store_blocks(struct emit *e, const struct task *task)
{
	uint32_t layer = e->segment->first_layer, k = e->plan->params.clusters;
	const struct tensor_plan *t = output_of(e);
	uint64_t offset = item_offset(t, task->item) + ((uint64_t)task->block * t->image.plane + task->group) * k * EIE_GRANULE_BYTES;
	struct eie_cmd cmd;

	if (!t->in_memory)
		return NOBODY;
	cmd = emit_xfer(EIE_OP_STORE, t->base, offset, EIE_BUF_ABUF, emit_y_slot(e, task), task->groups * k);
	CMD_SET(&cmd, XFER_ROWS, task->blocks);
	CMD_SET(&cmd, XFER_MEM_STRIDE, (uint64_t)t->image.plane * k * EIE_GRANULE_BYTES);
	CMD_SET(&cmd, XFER_BUF_STRIDE, task->groups * k);
	e->program->places[layer].info.bytes_stored += xfer_bytes(&cmd);
	return emit_add(e, layer, &cmd);
}

void emit_blocks(struct emit *e, double granule_cycles)
{
	const struct conv_plan *conv = &e->plan->layers[e->segment->first_layer].conv;
	uint32_t plane = output_of(e)->image.plane, k = e->plan->params.clusters;
	uint64_t chunks = (conv->blocks + conv->chunk_blocks - 1) / conv->chunk_blocks, n = 0;
	struct task *tasks = calloc(e->plan->batch * chunks * conv->batches, sizeof(*tasks));

	if (!tasks) {
		e->nomem = true;
		return;
	}
	for (uint32_t item = 0; item < e->plan->batch; item++) {
		for (uint32_t block = 0; block < conv->blocks; block += conv->chunk_blocks) {
			for (uint32_t batch = 0; batch < conv->batches; batch++, n++) {
				uint32_t group = batch * conv->groups, left = conv->blocks - block;

				tasks[n] = (struct task){
					.item = item, .block = block, .blocks = left < conv->chunk_blocks ? left : conv->chunk_blocks,
					.band = batch, .group = group, .groups = conv->groups < plane - group ? conv->groups : plane - group,
					.half = n & 1, .begins = true, .drains = true,
				};
				tasks[n].cycles = (double)tasks[n].blocks * k * tasks[n].groups * granule_cycles;
			}
		}
	}
	emit_queue(e, tasks, n);
	free(tasks);
}
