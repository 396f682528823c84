// SPDX-License-Identifier: GPL-2.0 OR MIT
/* Command processor, load and store: eie_cmdproc.sv, eie_cmdq.sv, eie_tokens.sv, eie_xfer.sv, eie_load.sv, eie_store.sv. Names are those of the RTL. */
#include <string.h>

#include "cost_int.h"

#define FETCH_DEPTH 32
/* Commands of an engine that have started and are not complete. */
#define BUSY_DEPTH 32
#define BURST_CMDS (EIE_MAX_BURST / 2)
/* Bursts of a load in flight; of a store without an answer, and of them not read from ABUF; granules read ahead. */
#define LOAD_BURSTS  EIE_LOAD_BURSTS
#define STORE_BURSTS 16
#define SOURCES 8
#define AHEAD   4

void cmd_start(struct cost_cmd *c, const struct cost_job *job, bool restore)
{
	*c = (struct cost_cmd){
		.active = true,
		.cmds = restore ? job->restore : job->cmds,
		.ncmds = restore ? job->nrestore : job->ncmds,
		.room = FETCH_DEPTH,
		.va = job->commands.va + (restore ? job->restore_offset : job->cmd_offset),
		.large_end = job->commands.large_end,
	};
	c->left = c->unfetched = c->ncmds;
}

bool cmd_complete(const struct cost_cmd *c)
{
	bool empty = !c->left;

	for (unsigned int i = 0; i < COST_ENGINES; i++)
		empty = empty && !c->engine[i].count && !c->engine[i].started;
	return empty;
}

/* ---------------------------------------------------------------- bursts of a transfer */

static unsigned int to_page_end(uint64_t va)
{
	return (unsigned int)(4096 - va % 4096) / EIE_GRANULE_BYTES;
}

static uint32_t least(uint32_t a, uint32_t b)
{
	return a < b ? a : b;
}

static uint32_t beats_of(const struct cmd_xfer *x)
{
	return least(least(EIE_MAX_BURST, to_page_end(x->va)), x->left);
}

static struct cmd_burst burst_of(const struct cmd_xfer *x)
{
	uint32_t beats = beats_of(x);

	return (struct cmd_burst){ .cmd = x->cmd, .addr = x->addr, .len = beats, .target = x->target,
				   .last = x->select ? !x->left : x->left == beats && x->rows == 1, .signal = x->signal };
}

static void begin_xfer(struct cmd_xfer *x, const struct cost_job *job, const struct eie_cmd *cmd, const struct cost_work *work, uint32_t index)
{
	const struct cost_buffer *base = &job->base[CMD_GET(cmd, XFER_BASE)];
	uint64_t va = base->va + CMD_GET(cmd, XFER_OFFSET);

	*x = (struct cmd_xfer){ .active = true, .signal = CMD_GET(cmd, SIGNAL_PREV) || CMD_GET(cmd, SIGNAL_NEXT), .large_end = base->large_end,
				.cmd = index, .target = CMD_GET(cmd, XFER_TARGET), .addr = CMD_GET(cmd, XFER_ADDR), .row_addr = CMD_GET(cmd, XFER_ADDR),
				.left = CMD_GET(cmd, XFER_LEN), .len = CMD_GET(cmd, XFER_LEN), .buf_stride = CMD_GET(cmd, XFER_BUF_STRIDE),
				.rows = CMD_GET(cmd, XFER_ROWS), .va = va, .row_va = va, .mem_stride = CMD_GET(cmd, XFER_MEM_STRIDE) };
	if (CMD_GET(cmd, OPCODE) != EIE_OP_SELECT)
		return;
	x->select = true;
	x->fence = CMD_GET(cmd, FENCE);
	x->left = 0;
	select_start(&x->scan, cmd, work);
}

static void accept_burst(struct cmd_xfer *x)
{
	uint32_t beats = beats_of(x);

	if (!x->select && x->left == beats && x->rows == 1) {
		x->active = false;
	} else if (!x->select && x->left == beats) {
		x->rows--;
		x->va = x->row_va += x->mem_stride;
		x->addr = x->row_addr += x->buf_stride;
		x->left = x->len;
	} else {
		x->va += (uint64_t)beats * EIE_GRANULE_BYTES;
		x->addr += beats;
		x->left -= beats;
	}
}

static uint32_t fetch_burst(const struct cost_cmd *c)
{
	return least(BURST_CMDS - (uint32_t)(c->va / EIE_CMD_BYTES % BURST_CMDS), c->unfetched);
}

static struct bus_request request_of(const struct cmd_xfer *x)
{
	return (struct bus_request){ .valid = true, .len = beats_of(x), .va = x->va, .large = x->va < x->large_end };
}

void cmd_requests(const struct cost_engine *e, struct bus_ports *p, uint64_t now)
{
	const struct cost_cmd *c = &e->cmd;
	uint32_t burst = c->unfetched ? fetch_burst(c) : 0;

	if (c->active && burst && c->room >= burst)
		p->want[ID_COMMANDS] = (struct bus_request){ .valid = true, .len = 2 * burst, .va = c->va, .large = c->va < c->large_end };
	if (c->load.active && c->load.left && c->ndest < LOAD_BURSTS && c->owed <= EIE_LOAD_BEATS - EIE_MAX_BURST)
		p->want[ID_LOAD] = request_of(&c->load);
	if (c->store.active && c->nsource < SOURCES && c->nanswer < STORE_BURSTS)
		p->store = request_of(&c->store);
	p->store_data = c->have;
	p->load_ready = !c->ndest || (c->dest[c->dest_head].len && (c->dest[c->dest_head].target != EIE_BUF_ABUF || !compute_writes(&e->compute, now)));
}

/* ---------------------------------------------------------------- engines */

/* st_re_o */
static bool store_wants(const struct cost_cmd *c)
{
	return c->nsource && c->have + c->read < AHEAD;
}

static uint32_t store_bank(const struct cost_engine *e)
{
	const struct cost_cmd *c = &e->cmd;

	return (c->source[c->source_head].addr + c->store_beat) % e->compute.array.k;
}

/* eie_abuf.sv, eie_array.sv: a SELECT reads where nobody else does. */
static bool select_granted(const struct cost_engine *e, uint64_t now)
{
	const struct cost_cmd *c = &e->cmd;
	const struct cost_array *a = &e->compute.array;
	uint32_t bank = select_address(&c->load.scan) % a->k;

	if (compute_reads(&e->compute, now, bank) || (store_wants(c) && store_bank(e) == bank))
		return false;
	return c->load.scan.pointers || a->nout < 2;
}

/* A cycle of a SELECT's scan; what comes of it is asked for from the next one on. */
static void step_select(const struct cost_engine *e, struct cmd_xfer *x, uint64_t now)
{
	const unsigned int flight = e->cmd.engine[COST_LOAD].started;
	const bool goes = flight == 1 || (flight == 2 && !x->fence);
	const struct cost_run *run;

	if (!select_step(&x->scan, goes && select_granted(e, now), !x->left, &run) || !run)
		return;
	x->va = x->row_va + run->row * x->mem_stride + (uint64_t)run->first * EIE_GRANULE_BYTES;
	x->addr = x->row_addr + run->first;
	x->left = run->n;
}

static bool step_load(struct cost_engine *e, const struct bus_ports *p, struct cmd_engine *now_done, uint64_t now)
{
	struct cost_cmd *c = &e->cmd;
	const bool ends = c->load.active && c->load.select && c->load.scan.end && !c->load.left && c->ndest < LOAD_BURSTS;
	const bool ended = c->ndest && !c->dest[c->dest_head].len, selects = c->load.active && c->load.select;

	c->owed -= p->beat == ID_LOAD;
	if (ended || (p->beat == ID_LOAD && ++c->load_beat == c->dest[c->dest_head].len)) {
		const struct cmd_burst *d = &c->dest[c->dest_head];

		c->load_beat = 0;
		now_done->done = d->last;
		now_done->done_next = d->signal;
		c->dest_head = (c->dest_head + 1) % LOAD_BURSTS;
		c->ndest--;
	}
	if (p->granted[ID_LOAD] || ends) {
		c->owed += beats_of(&c->load);
		c->dest[(c->dest_head + c->ndest++) % LOAD_BURSTS] = burst_of(&c->load);
		if (ends)
			c->load.active = false;
		else
			accept_burst(&c->load);
	}
	if (selects && !ends)
		step_select(e, &c->load, now);
	return selects || ended;
}

static bool step_store(struct cost_engine *e, const struct bus_ports *p, struct cmd_engine *now_done, uint64_t now)
{
	struct cost_cmd *c = &e->cmd;
	bool wants = store_wants(c), read = wants && !compute_reads(&e->compute, now, store_bank(e)), changed = c->read || wants;

	if (p->answer) {
		const struct cmd_burst *a = &c->answer[c->answer_head];

		now_done->done = a->last;
		now_done->done_prev = a->signal;
		c->answer_head = (c->answer_head + 1) % STORE_BURSTS;
		c->nanswer--;
	}
	c->have += (c->read ? 1 : 0) - (p->store_taken ? 1 : 0);
	c->read = read;
	if (read && ++c->store_beat == c->source[c->source_head].len) {
		c->store_beat = 0;
		c->source_head = (c->source_head + 1) % SOURCES;
		c->nsource--;
	}
	if (p->store_granted) {
		struct cmd_burst burst = burst_of(&c->store);

		c->source[(c->source_head + c->nsource++) % SOURCES] = burst;
		c->answer[(c->answer_head + c->nanswer++) % STORE_BURSTS] = burst;
		accept_burst(&c->store);
	}
	return changed;
}

static unsigned int engine_of(const struct eie_cmd *cmd)
{
	uint32_t op = CMD_GET(cmd, OPCODE);

	return eie_op_loads(op) ? COST_LOAD : op == EIE_OP_STORE ? COST_STORE : COST_COMPUTE;
}

/* Which tokens the head of an engine's queue waits for. */
static bool has_tokens(const unsigned int *tokens, unsigned int engine, const struct eie_cmd *cmd, int *prev, int *next)
{
	*prev = CMD_GET(cmd, WAIT_PREV) ? engine == COST_STORE ? COMPUTE_STORE : LOAD_COMPUTE : -1;
	*next = CMD_GET(cmd, WAIT_NEXT) ? engine == COST_LOAD ? COMPUTE_LOAD : STORE_COMPUTE : -1;
	return (*prev < 0 || tokens[*prev]) && (*next < 0 || tokens[*next]);
}

bool cmd_step(struct cost_engine *e, const struct cost_job *job, const struct cost_work *works, struct bus_ports *p, uint64_t now)
{
	struct cost_cmd *c = &e->cmd;
	const bool load_idle = !c->load.active, store_idle = !c->store.active, fetched = c->fetched > c->popped;
	unsigned int tokens[NTOKENS], counts[COST_ENGINES];
	struct cmd_engine done[COST_ENGINES] = { 0 };
	const struct eie_cmd *computes = NULL;
	uint32_t compute_cmd = 0;
	bool changed = false, dispatch, pop;

	memcpy(tokens, c->tokens, sizeof(tokens));
	for (unsigned int i = 0; i < COST_ENGINES; i++)
		counts[i] = c->engine[i].count;
	/* what completes gives tokens, from the next cycle on */
	c->engine[COST_COMPUTE].done = e->compute.done;
	c->engine[COST_COMPUTE].done_prev = e->compute.done_prev;
	c->engine[COST_COMPUTE].done_next = e->compute.done_next;
	for (unsigned int i = 0; i < COST_ENGINES; i++) {
		struct cmd_engine *m = &c->engine[i];

		if (!m->done)
			continue;
		changed = true;
		m->started--;
		engine_ended(e, i, works == NULL, now);
		c->tokens[LOAD_COMPUTE] += i == COST_LOAD && m->done_next;
		c->tokens[COMPUTE_LOAD] += i == COST_COMPUTE && m->done_prev;
		c->tokens[COMPUTE_STORE] += i == COST_COMPUTE && m->done_next;
		c->tokens[STORE_COMPUTE] += i == COST_STORE && m->done_prev;
	}
	changed |= step_load(e, p, &done[COST_LOAD], now);
	changed |= step_store(e, p, &done[COST_STORE], now);
	for (unsigned int i = 0; i < COST_ENGINES; i++) {
		struct cmd_engine *m = &c->engine[i];
		const struct eie_cmd *cmd;
		uint32_t index;
		bool ready;
		int prev, next;

		m->done = done[i].done;
		m->done_prev = done[i].done_prev;
		m->done_next = done[i].done_next;
		changed |= m->done;
		if (!counts[i] || !c->active || m->started >= BUSY_DEPTH)
			continue;
		index = m->queue[m->head];
		cmd = &c->cmds[index];
		if (!has_tokens(tokens, i, cmd, &prev, &next))
			continue;
		ready = i == COST_LOAD ? load_idle : i == COST_STORE ? store_idle : compute_ready(&e->compute, cmd, now, &changed);
		if (!ready)
			continue;
		changed = true;
		if (prev >= 0)
			c->tokens[prev]--;
		if (next >= 0)
			c->tokens[next]--;
		m->head = (m->head + 1) % CMD_QUEUE;
		m->count--;
		m->started++;
		engine_took(e, i, index, now);
		if (i == COST_COMPUTE) {
			computes = cmd;
			compute_cmd = index;
		} else {
			begin_xfer(i == COST_LOAD ? &c->load : &c->store, job, cmd, works ? &works[index] : NULL, index);
		}
	}
	dispatch = c->active && c->head_valid && counts[engine_of(&c->cmds[c->head_cmd])] < CMD_QUEUE;
	pop = c->active && fetched && (!c->head_valid || dispatch);
	if (dispatch) {
		struct cmd_engine *m = &c->engine[engine_of(&c->cmds[c->head_cmd])];

		m->queue[(m->head + m->count++) % CMD_QUEUE] = c->head_cmd;
		c->left--;
		c->head_valid = false;
	}
	if (pop) {
		c->head_cmd = c->popped++;
		c->head_valid = true;
		c->room++;
	}
	if (p->beat == ID_COMMANDS) {
		c->fetched += c->half;
		c->half = !c->half;
	}
	if (p->granted[ID_COMMANDS]) {
		uint32_t burst = p->want[ID_COMMANDS].len / 2;

		c->va += (uint64_t)burst * EIE_CMD_BYTES;
		c->unfetched -= burst;
		c->room -= burst;
	}
	changed |= dispatch || pop;
	changed |= compute_step(&e->compute, computes, computes && works ? &works[compute_cmd] : NULL, compute_cmd, now);
	return changed;
}
