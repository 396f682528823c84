// SPDX-License-Identifier: GPL-2.0 OR MIT
/* A job in time: eie_frontend.sv, and the classes of eie_counters.sv. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cost_int.h"

enum { FRONT_CHECK, FRONT_BASE_REQ, FRONT_BASE, FRONT_CLEAR, FRONT_LAUNCH, FRONT_RUN, FRONT_DRAIN, FRONT_END };

struct front {
	unsigned int state;
	bool restore, asked, settled;
	uint64_t clear_end, base_va;
	uint32_t base_left;     /* beats */
};

int cost_engine_new(const struct eie_params *params, struct cost_engine **out)
{
	struct cost_engine *e = calloc(1, sizeof(*e));

	if (!e)
		return -ENOMEM;
	e->params = *params;
	e->bus.entries = params->tlb < sizeof(e->bus.tlb) / sizeof(e->bus.tlb[0]) ? params->tlb : sizeof(e->bus.tlb) / sizeof(e->bus.tlb[0]);
	e->bus.beat = params->bus_bits < 128 ? 128 / params->bus_bits : 1;
	e->compute.array.k = params->clusters;
	e->compute.array.lanes = params->lanes;
	e->compute.array.jobs = params->jobs;
	e->compute.words = params->rows / EIE_GRANULE_VALUES;
	if (vector_new(&e->compute.vector, params)) {
		free(e);
		return -ENOMEM;
	}
	*out = e;
	return 0;
}

void cost_engine_free(struct cost_engine *e)
{
	if (!e)
		return;
	vector_free(&e->compute.vector);
	free(e);
}

void cost_engine_forget(struct cost_engine *e)
{
	memset(e->bus.tlb, 0, sizeof(e->bus.tlb));
	memset(e->bus.l0_valid, 0, sizeof(e->bus.l0_valid));
	e->bus.l1_valid = false;
}

void cost_engine_trace(struct cost_engine *e, cost_trace trace, void *arg)
{
	e->trace = trace;
	e->trace_arg = arg;
}

void engine_took(struct cost_engine *e, unsigned int engine, uint32_t cmd, uint64_t now)
{
	e->taken[engine][e->ntaken[engine] % 64] = now;
	e->taken_cmd[engine][e->ntaken[engine]++ % 64] = cmd;
}

void engine_ended(struct cost_engine *e, unsigned int engine, bool restore, uint64_t now)
{
	unsigned int at = e->nended[engine]++ % 64;

	if (e->trace)
		e->trace(e->trace_arg, engine, e->taken_cmd[engine][at], restore, e->taken[engine][at], now);
}

/* ---------------------------------------------------------------- counters */

/* Takes the marks away, for cycles to come. */
static uint64_t busy_cycles(struct cost_vector *v, uint64_t from, uint64_t to)
{
	uint64_t n = 0;

	for (; from < to; from = (from | 63) + 1) {
		uint64_t *word = &v->busy[(from & v->busy_mask) / 64], mask = ~UINT64_C(0) << (from & 63);

		if ((from | 63) >= to)
			mask &= ~UINT64_C(0) >> (63 - ((to - 1) & 63));
		n += (unsigned int)__builtin_popcountll(*word & mask);
		*word &= ~mask;
	}
	return n;
}

struct counting {
	const struct cost_job *job;
	struct cost_cycles *layers;
	struct cost_totals *totals;
	uint32_t next;          /* compute command that begins next: nothing before it is left to begin */
};

/* The layer that a cycle is for: of the oldest compute command, or of the one that begins next. */
static struct cost_cycles *layer_of(const struct cost_engine *e, const struct front *f, struct counting *n)
{
	const uint32_t *layers = f->restore ? n->job->restore_layer : n->job->cmd_layer;
	const struct eie_cmd *cmds = f->restore ? n->job->restore : n->job->cmds;
	uint32_t count = f->restore ? n->job->nrestore : n->job->ncmds, at;

	if (!count || !layers)
		return &n->layers[0];
	if (f->state != FRONT_RUN)
		at = f->state < FRONT_RUN ? 0 : count - 1;
	else if (e->compute.count)
		at = e->compute.flight[0].cmd;
	else
		at = n->next;
	while (f->state < FRONT_DRAIN && at < count && (eie_op_loads(CMD_GET(&cmds[at], OPCODE)) || CMD_GET(&cmds[at], OPCODE) == EIE_OP_STORE))
		at++;
	n->next = f->state == FRONT_RUN ? at : n->next;
	return &n->layers[layers[at < count ? at : count - 1]];
}

static void count(struct cost_engine *e, const struct front *f, struct counting *n, bool wait_load, bool wait_store, bool head, uint64_t from, uint64_t to,
		  struct cost_cycles *layer, bool mac, bool drain, bool array_waits, bool fetching)
{
	uint64_t cycles = to - from, busy = busy_cycles(&e->compute.vector, from, to), rest = cycles - busy;
	struct cost_cycles *both[2] = { &n->totals->cycles, layer };

	for (unsigned int i = 0; i < 2; i++) {
		struct cost_cycles *c = both[i];

		c->cycles += cycles;
		c->busy += busy;
		*(drain ? &c->drain : mac ? &c->array : wait_load ? &c->load : wait_store ? &c->store : head || array_waits ? &c->sync :
		  fetching ? &c->cmd : !f->asked ? &c->front : &c->tail) += rest;
	}
}

/* ---------------------------------------------------------------- front end */

/* The base table: up to 16 beats, cut at the page's end. */
static void front_request(const struct front *f, const struct cost_job *job, struct bus_ports *p)
{
	uint32_t to_end = (uint32_t)(4096 - f->base_va % 4096) / EIE_GRANULE_BYTES;

	if (f->state == FRONT_BASE_REQ)
		p->want[ID_FRONT] = (struct bus_request){ .valid = true, .len = f->base_left < to_end ? f->base_left : to_end, .va = f->base_va,
							  .large = f->base_va < job->commands.large_end };
}

static bool front_step(struct cost_engine *e, struct front *f, const struct cost_job *job, const struct bus_ports *p, bool complete, bool quiet, uint64_t now)
{
	const unsigned int before = f->state;
	bool run_restore = false;

	switch (f->state) {
	case FRONT_CHECK:
		f->clear_end = now + 1 + e->compute.words;
		f->base_va = job->commands.va + job->bases_offset;
		f->base_left = COST_BASES / 2;
		f->state = FRONT_BASE_REQ;
		break;
	case FRONT_BASE_REQ:
		if (p->granted[ID_FRONT]) {
			f->base_va += (uint64_t)p->want[ID_FRONT].len * EIE_GRANULE_BYTES;
			f->base_left -= p->want[ID_FRONT].len;
			f->state = FRONT_BASE;
		}
		break;
	case FRONT_BASE:
		if (p->beat == ID_FRONT && p->beat_last)
			f->state = f->base_left ? FRONT_BASE_REQ : FRONT_CLEAR;
		break;
	case FRONT_CLEAR:
		if (now >= f->clear_end) {
			f->restore = job->nrestore;
			f->state = job->nrestore || job->ncmds ? FRONT_LAUNCH : FRONT_DRAIN;
		}
		break;
	case FRONT_LAUNCH:
		/* cmd_start_o */
		cmd_start(&e->cmd, job, f->restore);
		memset(e->ntaken, 0, sizeof(e->ntaken));
		memset(e->nended, 0, sizeof(e->nended));
		f->asked = true;
		f->state = FRONT_RUN;
		break;
	case FRONT_RUN:
		if (!e->cmd.active || !complete)
			break;
		e->cmd.active = false;
		run_restore = f->restore && job->ncmds;
		f->state = run_restore ? FRONT_LAUNCH : FRONT_DRAIN;
		f->restore = false;
		break;
	case FRONT_DRAIN:
		if (f->settled && quiet)
			f->state = FRONT_END;
		f->settled = quiet;
		return true;
	default:
		break;
	}
	return f->state != before;
}

/* What has to do nothing before the job is over. */
static bool quiet_now(const struct cost_engine *e)
{
	const struct cost_cmd *c = &e->cmd;

	return bus_idle(&e->bus) && !c->active && !c->load.active && !c->ndest && !c->engine[COST_LOAD].done && !c->store.active && !c->nanswer &&
	       !c->engine[COST_STORE].done && !e->compute.count && !e->compute.done && !e->compute.array.active;
}

int cost_run(struct cost_engine *e, const struct cost_job *job, struct cost_cycles *layers, struct cost_totals *totals)
{
	struct counting n = { .job = job, .layers = layers, .totals = totals };
	struct front f = { 0 };
	uint64_t now = 0;

	bus_reset(&e->bus);
	compute_reset(&e->compute);
	memset(&e->cmd, 0, sizeof(e->cmd));
	while (f.state != FRONT_END) {
		struct bus_ports ports = { .beat = -1 };
		const struct cmd_engine *m = &e->cmd.engine[COST_COMPUTE];
		const struct eie_cmd *head = m->count ? &e->cmd.cmds[m->queue[m->head]] : NULL;
		const bool wait_load = head && CMD_GET(head, WAIT_PREV) && !e->cmd.tokens[LOAD_COMPUTE];
		const bool wait_store = head && CMD_GET(head, WAIT_NEXT) && !e->cmd.tokens[STORE_COMPUTE];
		const bool mac = compute_mac_active(&e->compute), drain = compute_drain_active(&e->compute), flying = e->compute.count;
		const bool fetching = e->cmd.active && e->cmd.left, engine = compute_engine(&e->compute, now), quiet = quiet_now(e);
		const bool complete = e->cmd.active && cmd_complete(&e->cmd);
		struct cost_cycles *layer = layer_of(e, &f, &n);
		const struct front was = f;
		uint64_t next = now + 1;
		bool changed;

		front_request(&f, job, &ports);
		cmd_requests(e, &ports, now);
		changed = bus_step(&e->bus, &ports, now);
		changed |= cmd_step(e, job, f.restore ? NULL : job->works, &ports, now);
		changed |= front_step(e, &f, job, &ports, complete, quiet, now);
		if (!changed) {
			uint64_t wake = compute_wake(&e->compute, now), bus = bus_wake(&e->bus, now);

			next = bus < wake ? bus : wake;
			if (f.state == FRONT_CLEAR && f.clear_end > now && f.clear_end < next)
				next = f.clear_end;
			/* nothing will ever happen: a wait that no signal meets */
			if (next >= NEVER - 1)
				return -EDEADLK;
		}
		count(e, &was, &n, wait_load, wait_store, head != NULL, now, next, layer, mac, drain, flying, fetching);
		totals->engine_cycles += engine ? next - now : 0;
		now = next;
	}
	totals->read_beats += e->bus.read_beats;
	totals->write_beats += e->bus.write_beats;
	totals->tlb_misses += e->bus.misses;
	return 0;
}
