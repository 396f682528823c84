// SPDX-License-Identifier: GPL-2.0 OR MIT
/* Jobs: tasks of one segment, or of several, one after the other, with two slots of everything. */
#include <stdlib.h>

#include "emit_int.h"

/* The last segment that writes into the tensor; 0 for an input: segments count from 1 here. */
static uint32_t last_writer(const struct plan *plan, unsigned int tensor)
{
	uint32_t last = plan->tensors[tensor].segment == NO_SEGMENT ? 0 : plan->tensors[tensor].segment + 1;

	for (unsigned int l = 0; l < plan->model->nlayers; l++) {
		const struct accel_layer *layer = &plan->model->layers[l];

		for (unsigned int i = 0; layer->output == tensor && layer->kind == ACCEL_LAYER_CONCAT && i < layer->nparts; i++) {
			uint32_t part = last_writer(plan, layer->parts[i]);

			last = i == 0 || part > last ? part : last;
		}
	}
	return last;
}

/* Whether the segment reads from memory what the job has made since the last barrier, or takes other places of ABUF than the one before. */
static bool needs_barrier(const struct emit *e)
{
	const struct accel_layer *layer = &e->plan->model->layers[e->segment->first_layer];
	const unsigned int *inputs;
	unsigned int n = accel_layer_inputs(layer, &inputs);

	for (unsigned int i = 0; i < n; i++)
		if (!e->plan->tensors[inputs[i]].kept && last_writer(e->plan, inputs[i]) > e->complete)
			return true;
	return e->segment->moved;
}

/* What loads from here on read of the job's own stores is there when this command completes. */
static void add_barrier(struct emit *e, uint32_t layer)
{
	int64_t last = e->stored[0] > e->stored[1] ? e->stored[0] : e->stored[1];
	struct eie_cmd cmd = { { 0 } };

	CMD_SET(&cmd, OPCODE, EIE_OP_SYNC);
	if (last > e->store_known) {
		MARK(e, last, SIGNAL_PREV);
		CMD_SET(&cmd, WAIT_NEXT, 1);
		e->store_known = last;
	}
	e->barrier = emit_add(e, layer, &cmd);
	e->complete = (uint32_t)(e->segment - e->plan->segments);
}

/* Weights of a segment's first task, while the one before still computes. */
static void stage_ahead(struct emit *e, const struct task *task, struct stage *st)
{
	*st = (struct stage){ .load = NOBODY };
	if (task->segment->conv)
		emit_stage_weights(e, task, st);
}

/* The rest of them, when all commands of the segment before are written. */
static void stage_behind(struct emit *e, const struct task *task, struct stage *st)
{
	if (needs_barrier(e))
		add_barrier(e, e->segment->first_layer);
	if (e->segment->conv)
		emit_stage_conv_input(e, task, st);
	else if (e->segment->pool)
		emit_stage_pool(e, task, st);
	else
		emit_stage_element(e, task, st);
	MARK(e, st->load, SIGNAL_NEXT);
}

static void emit_job(struct emit *e, const struct task *tasks, uint32_t n)
{
	struct accel_program *p = e->program;
	const struct segment *last = tasks[n - 1].segment;
	struct accel_program_job *jobs = realloc(p->jobs, (p->njobs + 1) * sizeof(*jobs));
	uint32_t first = p->ncmds;
	unsigned int slots = last->chain ? last->sets : 2;
	struct stage stages[2];

	if (!jobs) {
		e->nomem = true;
		return;
	}
	p->jobs = jobs;
	e->x = e->w = e->p = e->r = (struct pool){ .slot = { { 0, NOBODY, NOBODY }, { 0, NOBODY, NOBODY }, { 0, NOBODY, NOBODY } }, .n = slots };
	e->p.n = PLAN_POINTER_SLOTS;
	e->last_load = NOBODY;
	e->stored[0] = e->stored[1] = e->compute_known = e->store_known = e->barrier = NOBODY;
	e->codebook_user[0] = e->codebook_user[1] = e->table_user[0] = e->table_user[1] = NOBODY;
	e->half = 0;
	e->codebook_of = e->table_of = NULL;
	e->complete = (uint32_t)(tasks[0].segment - e->plan->segments);

	/* With two slots the next task's loads overwrite what the task before the present one used. */
	e->fence = false;
	for (uint32_t i = 0; i < n && !e->nomem; i++) {
		struct stage *now = &stages[i % 2], *next = &stages[(i + 1) % 2];
		bool more = i + 1 < n, other = more && tasks[i + 1].segment != tasks[i].segment;
		int64_t computed;

		e->segment = tasks[i].segment;
		if (i == 0 || slots == 1)
			emit_stage(e, &tasks[i], more ? &tasks[i + 1] : NULL, i == 0, now);
		if (more)
			e->segment = tasks[i + 1].segment;
		if (other)
			stage_ahead(e, &tasks[i + 1], next);
		else if (slots == 2 && more)
			emit_stage(e, &tasks[i + 1], i + 2 < n ? &tasks[i + 2] : NULL, false, next);
		e->segment = tasks[i].segment;
		computed = emit_compute(e, &tasks[i], now);
		emit_store(e, &tasks[i], computed);
		if (!other)
			continue;
		e->segment = tasks[i + 1].segment;
		e->fence = e->segment->joined;
		stage_behind(e, &tasks[i + 1], next);
	}
	p->jobs[p->njobs++] = (struct accel_program_job){
		first, p->ncmds - first, tasks[0].segment->first_layer, last->first_layer + last->nlayers - 1
	};
}

/* Tasks from `first` on that must be in one job; their cycles are added up. */
static uint64_t run_of(const struct emit *e, uint64_t first, double *cycles)
{
	uint64_t end = first;

	*cycles = 0;
	do
		*cycles += e->queue[end++].cycles;
	while (end < e->nqueue && !e->queue[end].begins);
	return end;
}

void emit_flush(struct emit *e)
{
	for (uint64_t first = 0, end; first < e->nqueue && !e->nomem; first = end) {
		double cycles, more;

		end = run_of(e, first, &cycles);
		for (uint64_t next; end < e->nqueue; end = next) {
			next = run_of(e, end, &more);
			cycles += more;
			if (cycles > PLAN_JOB_CYCLES)
				break;
		}
		emit_job(e, e->queue + first, (uint32_t)(end - first));
	}
	e->nqueue = 0;
}

void emit_queue(struct emit *e, const struct task *tasks, uint64_t n)
{
	/* the accumulator half of the segment before is being drained when the first task starts */
	bool turn = n && e->nqueue && e->queue[e->nqueue - 1].half == tasks[0].half;

	if (e->nqueue + n > e->room) {
		struct task *queue = realloc(e->queue, 2 * (e->nqueue + n) * sizeof(*queue));

		e->nomem = e->nomem || !queue;
		e->queue = queue ? queue : e->queue;
		e->room = queue ? 2 * (e->nqueue + n) : e->room;
	}
	for (uint64_t i = 0; i < n && !e->nomem; i++) {
		struct task *task = &e->queue[e->nqueue++];

		*task = tasks[i];
		task->segment = e->segment;
		task->half ^= turn;
		task->begins = task->begins && !(i ? e->segment->keeps : e->segment->joined);
	}
}
