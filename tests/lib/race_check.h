/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/*
 * Order of a job's commands, proven from the rules of docs/programmers_guide.md alone: the interpreter runs commands one by one and
 * cannot see a missing token or fence, hardware sees it only when the timing is unlucky.
 *
 * Each command knows, when it starts, how many commands of each engine are complete. Two commands that touch the same granule, one
 * of them writing, must be ordered by that.
 */
#ifndef RACE_CHECK_H
#define RACE_CHECK_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "commands.h"
#include "program.h"

enum { RACE_LOAD, RACE_COMPUTE, RACE_STORE, RACE_ENGINES };

/* Commands of each engine that are complete. */
struct race_clock {
	uint32_t done[RACE_ENGINES];
};

/* Last accesses of a granule: number of the command within its engine, counted from 1; 0: none. */
struct race_granule {
	uint32_t write[RACE_ENGINES], read[RACE_ENGINES];
};

struct race {
	struct race_granule *granules[5];
	uint32_t *stored[NBASES];      /* number of the last store of each granule of memory; NULL: constants */
	uint32_t *wlen;                /* of the load that starts at a granule of WBUF */
	struct race_clock *tokens[4];  /* clocks of given tokens, in order */
	uint32_t given[4], taken[4];
	struct race_clock last_start[RACE_ENGINES], last_end[RACE_ENGINES];
	bool in_place;                 /* the command may write what it has read */
	uint32_t count[RACE_ENGINES], last_mac, last_drain[2], last_compute;
};

static inline void race_merge(struct race_clock *to, const struct race_clock *from)
{
	for (int e = 0; e < RACE_ENGINES; e++)
		if (from->done[e] > to->done[e])
			to->done[e] = from->done[e];
}

/* Returns whether the access is ordered after all accesses that it conflicts with. */
static inline bool race_access(struct race *r, unsigned int buf, uint32_t first, uint32_t n, bool write, int engine,
			       const struct race_clock *start)
{
	for (uint32_t g = first; g < first + n; g++) {
		struct race_granule *x = &r->granules[buf][g];

		for (int e = 0; e < RACE_ENGINES; e++) {
			/* Drains write in order; loads are not relied upon to. */
			bool in_order = engine == RACE_COMPUTE && e == RACE_COMPUTE && write;

			/* A command that works in place reads a granule before it writes it. */
			bool own = r->in_place && e == engine && x->read[e] == r->count[e];

			if ((x->write[e] > start->done[e] && !in_order) || (write && x->read[e] > start->done[e] && !own)) {
				fprintf(stderr, "race: engine %d command %u, buffer %u granule %u against engine %d\n", engine,
					r->count[engine], buf, g, e);
				return false;
			}
		}
		(write ? x->write : x->read)[engine] = r->count[engine];
	}
	return true;
}

/* Loads read what stores have written, when these are complete. */
static inline bool race_memory(struct race *r, const struct eie_cmd *cmd, const struct race_clock *start)
{
	uint32_t base = CMD_GET(cmd, XFER_BASE);
	bool store = CMD_GET(cmd, OPCODE) == EIE_OP_STORE;

	for (uint32_t row = 0; r->stored[base] && row < CMD_GET(cmd, XFER_ROWS); row++) {
		uint64_t first = (CMD_GET(cmd, XFER_OFFSET) + (uint64_t)row * CMD_GET(cmd, XFER_MEM_STRIDE)) / EIE_GRANULE_BYTES;

		for (uint64_t g = first; g < first + CMD_GET(cmd, XFER_LEN); g++) {
			if (store)
				r->stored[base][g] = r->count[RACE_STORE];
			if (r->stored[base][g] > (store ? r->count[RACE_STORE] : start->done[RACE_STORE])) {
				fprintf(stderr, "race: load %u, base %u granule %llu before store %u\n", r->count[RACE_LOAD], base, (unsigned long long)g,
					r->stored[base][g]);
				return false;
			}
		}
	}
	return true;
}

static inline bool race_command(struct race *r, const struct eie_cmd *cmd, unsigned int clusters)
{
	static const int gives[2][RACE_ENGINES] = { { 0, 1, 3 }, { 0, 2, 0 } };   /* to the previous, to the next engine */
	static const int takes[2][RACE_ENGINES] = { { 0, 0, 2 }, { 1, 3, 0 } };
	uint32_t op = CMD_GET(cmd, OPCODE), n;
	int engine = eie_op_loads(op) ? RACE_LOAD : op == EIE_OP_STORE ? RACE_STORE : RACE_COMPUTE;
	const bool waits[2] = { CMD_GET(cmd, WAIT_PREV), CMD_GET(cmd, WAIT_NEXT) };
	const bool signals[2] = { CMD_GET(cmd, SIGNAL_PREV), CMD_GET(cmd, SIGNAL_NEXT) };
	struct race_clock start = r->last_start[engine], end;
	bool ok = true;

	r->count[engine]++;
	r->in_place = false;
	for (int i = 0; i < 2; i++) {
		int t = takes[i][engine];

		if (!waits[i])
			continue;
		if (r->taken[t] == r->given[t])
			return false;
		race_merge(&start, &r->tokens[t][r->taken[t]++]);
	}
	if (engine == RACE_COMPUTE) {
		uint32_t after = CMD_GET(cmd, FENCE) ? r->last_compute : 0;

		if ((op == EIE_OP_DRAIN || op == EIE_OP_VDRAIN) && r->last_mac > after)
			after = r->last_mac;
		/* MAC_HALF and VMAC_HALF are the same bit */
		if ((op == EIE_OP_MAC || op == EIE_OP_VMAC) && r->last_drain[CMD_GET(cmd, MAC_HALF)] > after)
			after = r->last_drain[CMD_GET(cmd, MAC_HALF)];
		if (op == EIE_OP_VPOOL || op == EIE_OP_VMUL || op == EIE_OP_VTABLE)
			after = r->last_compute;
		if (after > start.done[engine])
			start.done[engine] = after;
	}
	if (op == EIE_OP_SELECT) {
		/* it starts after all loads before it, or all but the last of them */
		uint32_t before = r->count[engine] - 1, after = CMD_GET(cmd, FENCE) ? before : before ? before - 1 : 0;

		if (after > start.done[engine])
			start.done[engine] = after;
	}
	r->last_start[engine] = start;

	switch (op) {
	case EIE_OP_SELECT:
		ok = race_access(r, EIE_BUF_ABUF, CMD_GET(cmd, SELECT_IN), CMD_GET(cmd, SELECT_LEN), false, engine, &start);
		if (ok && CMD_GET(cmd, XFER_TARGET) == EIE_BUF_WBUF)
			ok = race_access(r, EIE_BUF_PBUF, CMD_GET(cmd, SELECT_PTR), 2 * CMD_GET(cmd, SELECT_LEN), false, engine, &start);
		ok = ok && race_access(r, CMD_GET(cmd, XFER_TARGET), CMD_GET(cmd, XFER_ADDR), CMD_GET(cmd, XFER_LEN), true, engine, &start);
		if (CMD_GET(cmd, XFER_TARGET) == EIE_BUF_WBUF)
			r->wlen[CMD_GET(cmd, XFER_ADDR)] = CMD_GET(cmd, XFER_LEN);
		break;
	case EIE_OP_LOAD:
	case EIE_OP_STORE:
		/* the rows of cluster buffers are alike: BUF_STRIDE is zero */
		for (uint32_t i = 0; ok && i < (CMD_GET(cmd, XFER_BUF_STRIDE) ? CMD_GET(cmd, XFER_ROWS) : 1); i++)
			ok = race_access(r, CMD_GET(cmd, XFER_TARGET), CMD_GET(cmd, XFER_ADDR) + i * CMD_GET(cmd, XFER_BUF_STRIDE),
					 CMD_GET(cmd, XFER_LEN), op == EIE_OP_LOAD, engine, &start);
		ok = ok && race_memory(r, cmd, &start);
		if (CMD_GET(cmd, XFER_TARGET) == EIE_BUF_WBUF)
			r->wlen[CMD_GET(cmd, XFER_ADDR)] = CMD_GET(cmd, XFER_LEN);
		break;
	case EIE_OP_MAC:
		ok = race_access(r, EIE_BUF_ABUF, CMD_GET(cmd, MAC_IN), CMD_GET(cmd, MAC_LEN), false, engine, &start) &&
		     race_access(r, EIE_BUF_PBUF, CMD_GET(cmd, MAC_PTR), 2 * CMD_GET(cmd, MAC_LEN), false, engine, &start) &&
		     race_access(r, EIE_BUF_WBUF, CMD_GET(cmd, MAC_WEIGHTS), r->wlen[CMD_GET(cmd, MAC_WEIGHTS)], false, engine,
				 &start) &&
		     race_access(r, EIE_BUF_CBUF, CMD_GET(cmd, MAC_CODEBOOK), CMD_GET(cmd, MAC_WIDE) ? 32 : 2, false, engine, &start);
		r->last_mac = r->count[engine];
		break;
	case EIE_OP_DRAIN:
		ok = race_access(r, EIE_BUF_RBUF, CMD_GET(cmd, DRAIN_PARAM), 4 * CMD_GET(cmd, DRAIN_STEPS), false, engine, &start);
		for (uint32_t t = 0; ok && t < CMD_GET(cmd, DRAIN_STEPS); t++)
			ok = race_access(r, EIE_BUF_ABUF, CMD_GET(cmd, DRAIN_OUT) + t * CMD_GET(cmd, DRAIN_STRIDE), clusters, true,
					 engine, &start);
		r->last_drain[CMD_GET(cmd, DRAIN_HALF)] = r->count[engine];
		break;
	case EIE_OP_VMAC:
		n = CMD_GET(cmd, VMAC_CHANNELS) * CMD_GET(cmd, VMAC_KERNEL_X) * CMD_GET(cmd, VMAC_KERNEL_Y);
		ok = race_access(r, EIE_BUF_PBUF, CMD_GET(cmd, VMAC_PTR), (n + 3) / 4, false, engine, &start) &&
		     race_access(r, EIE_BUF_WBUF, CMD_GET(cmd, VMAC_WEIGHTS), r->wlen[CMD_GET(cmd, VMAC_WEIGHTS)], false, engine, &start) &&
		     race_access(r, EIE_BUF_CBUF, CMD_GET(cmd, VMAC_CODEBOOK), CMD_GET(cmd, VMAC_WIDE) ? 32 : 2, false, engine, &start) &&
		     race_access(r, EIE_BUF_ABUF, CMD_GET(cmd, VMAC_IN),
				 (CMD_GET(cmd, VMAC_CHANNELS) + clusters - 1) / clusters * clusters * CMD_GET(cmd, VMAC_PLANE), false, engine,
				 &start);
		r->last_mac = r->count[engine];
		break;
	case EIE_OP_VPOOL:
		ok = race_access(r, EIE_BUF_ABUF, CMD_GET(cmd, VPOOL_IN), CMD_GET(cmd, VPOOL_CHANNELS) * CMD_GET(cmd, VPOOL_PLANE), false, engine,
				 &start);
		for (uint32_t i = 0; ok && i < CMD_GET(cmd, VPOOL_CHANNELS) / clusters; i++)
			ok = race_access(r, EIE_BUF_ABUF, CMD_GET(cmd, VPOOL_OUT) + i * CMD_GET(cmd, VPOOL_OUT_PLANE) * clusters,
					 CMD_GET(cmd, VPOOL_GROUPS) * clusters, true, engine, &start);
		r->last_mac = r->count[engine];
		break;
	case EIE_OP_VMUL:
	case EIE_OP_VTABLE:
		r->in_place = CMD_GET(cmd, VMUL_IN) == CMD_GET(cmd, VMUL_OUT) && CMD_GET(cmd, VMUL_PLANE) == CMD_GET(cmd, VMUL_OUT_PLANE);
		n = op == EIE_OP_VTABLE ? EIE_TABLE_GRANULES : CMD_GET(cmd, VMUL_CHANNELS) * CMD_GET(cmd, VMUL_B_PLANE);
		ok = race_access(r, EIE_BUF_ABUF, CMD_GET(cmd, VMUL_IN), CMD_GET(cmd, VMUL_CHANNELS) * CMD_GET(cmd, VMUL_PLANE), false, engine,
				 &start) &&
		     race_access(r, EIE_BUF_ABUF, CMD_GET(cmd, VMUL_B), n, false, engine, &start);   /* and VTABLE_TABLE */
		for (uint32_t i = 0; ok && i < CMD_GET(cmd, VMUL_CHANNELS) / clusters; i++)
			ok = race_access(r, EIE_BUF_ABUF, CMD_GET(cmd, VMUL_OUT) + i * CMD_GET(cmd, VMUL_OUT_PLANE) * clusters,
					 CMD_GET(cmd, VMUL_GROUPS) * clusters, true, engine, &start);
		r->last_mac = r->count[engine];
		break;
	case EIE_OP_VDRAIN:
		ok = race_access(r, EIE_BUF_RBUF, CMD_GET(cmd, VDRAIN_PARAM), (CMD_GET(cmd, VDRAIN_ROWS) + 1) / 2, false, engine, &start);
		for (uint32_t i = 0; ok && i < CMD_GET(cmd, VDRAIN_ROWS); i++)
			ok = race_access(r, EIE_BUF_ABUF, CMD_GET(cmd, VDRAIN_OUT) + i * CMD_GET(cmd, VDRAIN_PLANE) * clusters,
					 CMD_GET(cmd, VDRAIN_GROUPS) * clusters, true, engine, &start);
		r->last_drain[CMD_GET(cmd, VDRAIN_HALF)] = r->count[engine];
		break;
	default:
		break;
	}
	if (engine == RACE_COMPUTE)
		r->last_compute = r->count[engine];

	/* Complete in order: a completion knows all that earlier ones of its engine knew. */
	end = start;
	race_merge(&end, &r->last_end[engine]);
	end.done[engine] = r->count[engine];
	r->last_end[engine] = end;
	for (int i = 0; i < 2; i++)
		if (signals[i])
			r->tokens[gives[i][engine]][r->given[gives[i][engine]]++] = end;
	return ok;
}

/* True: no two commands of any job race, no load overtakes a store that it reads, every wait has an earlier signal, all tokens are taken in the end. */
static inline bool race_free(const struct accel_program *p)
{
	const size_t memory[NBASES] = { [BASE_INPUT] = p->input_bytes, [BASE_OUTPUT] = p->output_bytes, [BASE_SCRATCH] = p->scratch_bytes };
	const uint32_t depth[5] = { p->params.abuf, p->params.wbuf, p->params.pbuf, p->params.rbuf, EIE_CBUF_GRANULES };
	struct race_clock *tokens = calloc(4 * (size_t)p->ncmds + 1, sizeof(*tokens));
	bool ok = true;

	for (uint32_t j = 0; ok && j < p->njobs; j++) {
		struct race r = { .wlen = calloc(p->params.wbuf, sizeof(*r.wlen)) };

		for (int b = 0; b < 5; b++)
			r.granules[b] = calloc(depth[b], sizeof(*r.granules[b]));
		for (int b = 0; b < NBASES; b++)
			r.stored[b] = b == BASE_CONST ? NULL : calloc(memory[b] / EIE_GRANULE_BYTES + 1, sizeof(*r.stored[b]));
		for (int t = 0; t < 4; t++)
			r.tokens[t] = tokens + (size_t)t * p->ncmds;
		for (uint32_t i = 0; i < p->nrestore; i++) {
			const struct eie_cmd *cmd = &p->cmds[p->restore_first + i];

			if (CMD_GET(cmd, XFER_TARGET) == EIE_BUF_WBUF)
				r.wlen[CMD_GET(cmd, XFER_ADDR)] = CMD_GET(cmd, XFER_LEN);
		}
		for (uint32_t i = 0; ok && i < p->jobs[j].ncmds; i++)
			ok = race_command(&r, &p->cmds[p->jobs[j].first_cmd + i], p->params.clusters);
		for (int t = 0; t < 4; t++)
			ok = ok && r.given[t] == r.taken[t];
		for (int b = 0; b < 5; b++)
			free(r.granules[b]);
		for (int b = 0; b < NBASES; b++)
			free(r.stored[b]);
		free(r.wlen);
	}
	free(tokens);
	return ok;
}

#endif
