// SPDX-License-Identifier: GPL-2.0 OR MIT
#include "progen.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

uint32_t pg_depth(const struct pg *pg, unsigned int buf)
{
	switch (buf) {
	case EIE_BUF_ABUF:
		return pg->p.abuf;
	case EIE_BUF_WBUF:
		return pg->p.wbuf;
	case EIE_BUF_PBUF:
		return pg->p.pbuf;
	case EIE_BUF_RBUF:
		return pg->p.rbuf;
	default:
		return EIE_CBUF_GRANULES;
	}
}

static bool per_cluster(unsigned int buf)
{
	return buf == EIE_BUF_WBUF || buf == EIE_BUF_PBUF || buf == EIE_BUF_RBUF;
}

static size_t touches(const struct pg *pg, unsigned int buf)
{
	return (size_t)pg_depth(pg, buf) * (per_cluster(buf) ? pg->p.clusters : 1);
}

void pg_free(struct pg *pg)
{
	free(pg->cmds);
	free(pg->mem);
	for (unsigned int b = 0; b < 5; b++)
		free(pg->buf[b]);
	for (unsigned int from = 0; from < PG_ENGINES; from++)
		for (unsigned int to = 0; to < PG_ENGINES; to++)
			free(pg->signal_seq[from][to]);
}

/* ---- bare commands */

static struct eie_cmd xfer(unsigned int op, unsigned int base, const struct pg_xfer *x)
{
	struct eie_cmd c = { { 0 } };

	PG_SET(&c, OPCODE, op);
	PG_SET(&c, XFER_TARGET, x->buf);
	PG_SET(&c, XFER_BASE, base);
	PG_SET(&c, XFER_OFFSET, x->mem * EIE_GRANULE_BYTES);
	PG_SET(&c, XFER_CLUSTER, x->cluster);
	PG_SET(&c, XFER_ADDR, x->addr);
	PG_SET(&c, XFER_LEN, x->len);
	PG_SET(&c, XFER_MEM_STRIDE, x->mem_stride * EIE_GRANULE_BYTES);
	PG_SET(&c, XFER_BUF_STRIDE, x->buf_stride);
	PG_SET(&c, XFER_ROWS, x->rows);
	return c;
}

struct eie_cmd pg_cmd_load(unsigned int base, const struct pg_xfer *x)
{
	return xfer(EIE_OP_LOAD, base, x);
}

struct eie_cmd pg_cmd_select(unsigned int base, const struct pg_xfer *x, const struct pg_select *s)
{
	struct eie_cmd c = xfer(EIE_OP_SELECT, base, x);

	PG_SET(&c, SELECT_IN, s->in);
	PG_SET(&c, SELECT_LEN, s->len);
	PG_SET(&c, SELECT_PTR, s->ptr);
	PG_SET(&c, SELECT_WIDE, s->wide);
	return c;
}

struct eie_cmd pg_cmd_store(unsigned int base, const struct pg_xfer *x)
{
	return xfer(EIE_OP_STORE, base, x);
}

struct eie_cmd pg_cmd_mac(const struct pg_mac *m)
{
	struct eie_cmd c = { { 0 } };

	PG_SET(&c, OPCODE, EIE_OP_MAC);
	PG_SET(&c, MAC_HALF, m->half);
	PG_SET(&c, MAC_WIDE, m->wide);
	PG_SET(&c, MAC_IN, m->in);
	PG_SET(&c, MAC_LEN, m->len);
	PG_SET(&c, MAC_PTR, m->ptr);
	PG_SET(&c, MAC_WEIGHTS, m->weights);
	PG_SET(&c, MAC_CODEBOOK, m->codebook);
	return c;
}

struct eie_cmd pg_cmd_drain(const struct pg_drain *d)
{
	struct eie_cmd c = { { 0 } };

	PG_SET(&c, OPCODE, EIE_OP_DRAIN);
	PG_SET(&c, DRAIN_HALF, d->half);
	PG_SET(&c, DRAIN_OUT, d->out);
	PG_SET(&c, DRAIN_STRIDE, d->stride);
	PG_SET(&c, DRAIN_STEPS, d->steps);
	PG_SET(&c, DRAIN_PARAM, d->param);
	PG_SET(&c, DRAIN_LO, d->lo);
	PG_SET(&c, DRAIN_HI, d->hi);
	return c;
}

/* ---- ordering */

/* A command under construction: what it must come after, one sequence number (+1) an engine. */
struct order {
	uint32_t after[PG_ENGINES];
	bool fence;
};

static void after(struct order *o, unsigned int engine, uint32_t seq1)
{
	if (seq1 > o->after[engine])
		o->after[engine] = seq1;
}

static void reads(struct pg *pg, struct order *o, unsigned int engine, const struct pg_touch *t)
{
	for (unsigned int e = 0; e < PG_ENGINES; e++)
		if (e != engine)
			after(o, e, t->written[e]);
	/* what writes within the compute engine starts when all that read there before have completed; who reads must fence */
	if (engine == PG_COMPUTE && t->written[PG_COMPUTE] > pg->fenced)
		o->fence = true;
	/* a load that reads what is on the chip, a SELECT, starts when all loads before but for the last one have completed */
	if (engine == PG_LOAD && t->written[PG_LOAD] && t->written[PG_LOAD] == pg->seq[PG_LOAD])
		o->fence = true;
}

static void writes(struct pg *pg, struct order *o, unsigned int engine, const struct pg_touch *t)
{
	(void)pg;
	for (unsigned int e = 0; e < PG_ENGINES; e++)
		if (e != engine) {
			after(o, e, t->written[e]);
			after(o, e, t->read[e]);
		}
}

static void set_flags(struct eie_cmd *c, unsigned int engine, unsigned int other, bool wait)
{
	if (wait && other < engine)
		PG_SET(c, WAIT_PREV, 1);
	else if (wait)
		PG_SET(c, WAIT_NEXT, 1);
	else if (other < engine)
		PG_SET(c, SIGNAL_PREV, 1);
	else
		PG_SET(c, SIGNAL_NEXT, 1);
}

static bool append(struct pg *pg, unsigned int engine, const struct eie_cmd *c)
{
	if (pg->n == pg->max)
		return false;
	pg->cmds[pg->n++] = *c;
	pg->seq[engine]++;
	return true;
}

/* A command of the engine that does no harm, to carry a token. */
static struct eie_cmd dummy(const struct pg *pg, unsigned int engine)
{
	struct pg_xfer x = { .buf = EIE_BUF_ABUF, .len = 1, .rows = 1, .mem = pg->trash_mem };
	struct eie_cmd c = { { 0 } };

	if (engine == PG_LOAD) {
		x.addr = pg->trash_load;
		return pg_cmd_load(pg->mem_base, &x);
	}
	if (engine == PG_STORE) {
		x.addr = pg->trash_store;
		return pg_cmd_store(pg->mem_base, &x);
	}
	PG_SET(&c, OPCODE, EIE_OP_SYNC);
	return c;
}

static bool add_dummy(struct pg *pg, unsigned int engine, unsigned int other, bool wait)
{
	struct eie_cmd c = dummy(pg, engine);

	set_flags(&c, engine, other, wait);
	if (wait)
		pg->waits[engine][other]++;
	else
		pg->signal_seq[engine][other][pg->signals[engine][other]++] = pg->seq[engine];
	return append(pg, engine, &c);
}

void pg_restart(struct pg *pg)
{
	for (unsigned int b = 0; b < 5; b++)
		memset(pg->buf[b], 0, touches(pg, b) * sizeof(struct pg_touch));
	memset(pg->mem, 0, pg->mem_granules * sizeof(struct pg_touch));
	memset(pg->seq, 0, sizeof(pg->seq));
	memset(pg->signals, 0, sizeof(pg->signals));
	memset(pg->waits, 0, sizeof(pg->waits));
	pg->n = pg->fenced = 0;

	/* Dummy stores need something written to store: it is loaded before the first token that a store can take. */
	{
		struct pg_xfer x = { .buf = EIE_BUF_ABUF, .addr = pg->trash_store, .len = 1, .rows = 1, .mem = pg->trash_mem };
		struct eie_cmd c = pg_cmd_load(pg->mem_base, &x);

		set_flags(&c, PG_LOAD, PG_COMPUTE, false);
		pg->signal_seq[PG_LOAD][PG_COMPUTE][pg->signals[PG_LOAD][PG_COMPUTE]++] = pg->seq[PG_LOAD];
		append(pg, PG_LOAD, &c);
		c = dummy(pg, PG_COMPUTE);
		set_flags(&c, PG_COMPUTE, PG_LOAD, true);
		pg->waits[PG_COMPUTE][PG_LOAD]++;
		set_flags(&c, PG_COMPUTE, PG_STORE, false);
		pg->signal_seq[PG_COMPUTE][PG_STORE][pg->signals[PG_COMPUTE][PG_STORE]++] = pg->seq[PG_COMPUTE];
		append(pg, PG_COMPUTE, &c);
	}
}

int pg_init(struct pg *pg, const struct eie_params *p, uint32_t max_cmds, unsigned int mem_base, uint64_t mem_granules)
{
	bool ok;

	*pg = (struct pg){ .p = *p, .max = max_cmds, .mem_granules = mem_granules, .mem_base = mem_base };
	pg->trash_load = p->abuf - 1;
	pg->trash_store = p->abuf - 2;
	pg->trash_mem = mem_granules - 1;
	pg->cmds = calloc(max_cmds, sizeof(*pg->cmds));
	pg->mem = calloc(mem_granules, sizeof(*pg->mem));
	ok = pg->cmds && pg->mem;
	for (unsigned int b = 0; b < 5; b++) {
		pg->buf[b] = calloc(touches(pg, b), sizeof(struct pg_touch));
		ok = ok && pg->buf[b];
	}
	for (unsigned int from = 0; from < PG_ENGINES; from++)
		for (unsigned int to = 0; to < PG_ENGINES; to++) {
			pg->signal_seq[from][to] = calloc(max_cmds, sizeof(uint32_t));
			ok = ok && pg->signal_seq[from][to];
		}
	if (ok) {
		pg_restart(pg);
		return 0;
	}
	pg_free(pg);
	return -ENOMEM;
}

/* Lets the next command of engine `at` wait until command seq1 - 1 of the neighbour `from` is complete: all but the last of the
 * tokens are taken by dummies; true in *last when the command itself must take one. */
static bool need(struct pg *pg, unsigned int at, unsigned int from, uint32_t seq1, bool *last)
{
	uint32_t n = 0;

	*last = false;
	if (!seq1)
		return true;
	while (n < pg->signals[from][at] && pg->signal_seq[from][at][n] < seq1 - 1)
		n++;
	if (n == pg->signals[from][at] && !add_dummy(pg, from, at, false))
		return false;
	n++;   /* that many tokens must have been taken */
	if (pg->waits[at][from] >= n)
		return true;
	while (pg->waits[at][from] + 1 < n)
		if (!add_dummy(pg, at, from, true))
			return false;
	*last = true;
	return true;
}

static bool emit(struct pg *pg, unsigned int engine, struct eie_cmd *c, const struct order *o)
{
	bool last;

	/* load and store are no neighbours: a SYNC of the compute engine passes the token on */
	if (engine != PG_COMPUTE && o->after[2 - engine]) {
		unsigned int far = 2 - engine;
		struct eie_cmd sync = dummy(pg, PG_COMPUTE);
		struct order mine = *o;

		if (!need(pg, PG_COMPUTE, far, o->after[far], &last))
			return false;
		if (last) {
			set_flags(&sync, PG_COMPUTE, far, true);
			pg->waits[PG_COMPUTE][far]++;
		}
		if (!append(pg, PG_COMPUTE, &sync))
			return false;
		mine.after[far] = 0;
		after(&mine, PG_COMPUTE, pg->seq[PG_COMPUTE]);
		return emit(pg, engine, c, &mine);
	}
	for (unsigned int e = 0; e < PG_ENGINES; e++) {
		if (e == engine || !o->after[e])
			continue;
		if (!need(pg, engine, e, o->after[e], &last))
			return false;
		if (last) {
			set_flags(c, engine, e, true);
			pg->waits[engine][e]++;
		}
	}
	if (o->fence) {
		PG_SET(c, FENCE, 1);
		if (engine == PG_COMPUTE)
			pg->fenced = pg->seq[PG_COMPUTE];
	}
	for (unsigned int e = 0; e < PG_ENGINES; e++) {
		/* every command signals its neighbours while there is room: the finest ordering that tokens can give */
		bool neighbour = engine == PG_COMPUTE ? e != PG_COMPUTE : e == PG_COMPUTE;

		if (neighbour && pg->signals[engine][e] - pg->waits[e][engine] < EIE_TOKENS_MAX / 2) {
			set_flags(c, engine, e, false);
			pg->signal_seq[engine][e][pg->signals[engine][e]++] = pg->seq[engine];
		}
	}
	for (unsigned int from = 0; from < PG_ENGINES; from++)
		for (unsigned int to = 0; to < PG_ENGINES; to++)
			if (pg->signals[from][to] - pg->waits[to][from] >= EIE_TOKENS_MAX)
				return false;
	return append(pg, engine, c);
}

/* ---- the commands */

static struct pg_touch *granule(struct pg *pg, unsigned int buf, uint32_t cluster, uint32_t addr)
{
	return &pg->buf[buf][(per_cluster(buf) ? (size_t)cluster * pg_depth(pg, buf) : 0) + addr];
}

static struct pg_touch *xfer_granule(struct pg *pg, const struct pg_xfer *x, uint32_t row, uint32_t i)
{
	return granule(pg, x->buf, x->cluster + row, x->addr + row * x->buf_stride + i);
}

bool pg_load(struct pg *pg, const struct pg_xfer *x)
{
	struct eie_cmd c = pg_cmd_load(pg->mem_base, x);
	struct order o = { { 0 }, false };

	for (uint32_t r = 0; r < x->rows; r++)
		for (uint32_t i = 0; i < x->len; i++) {
			reads(pg, &o, PG_LOAD, &pg->mem[x->mem + (uint64_t)r * x->mem_stride + i]);
			writes(pg, &o, PG_LOAD, xfer_granule(pg, x, r, i));
		}
	if (!emit(pg, PG_LOAD, &c, &o))
		return false;
	for (uint32_t r = 0; r < x->rows; r++)
		for (uint32_t i = 0; i < x->len; i++) {
			pg->mem[x->mem + (uint64_t)r * x->mem_stride + i].read[PG_LOAD] = pg->seq[PG_LOAD];
			xfer_granule(pg, x, r, i)->written[PG_LOAD] = pg->seq[PG_LOAD];
		}
	return true;
}

/* Every granule that the SELECT may touch: orders it (o), or marks it touched (o NULL). */
static void select_granules(struct pg *pg, const struct pg_xfer *x, const struct pg_select *s, struct order *o)
{
	uint32_t mark = pg->seq[PG_LOAD];

	for (uint32_t i = 0; i < s->len; i++) {
		if (o)
			reads(pg, o, PG_LOAD, granule(pg, EIE_BUF_ABUF, 0, s->in + i));
		else
			granule(pg, EIE_BUF_ABUF, 0, s->in + i)->read[PG_LOAD] = mark;
	}
	for (uint32_t r = 0; r < x->rows; r++) {
		for (uint32_t i = 0; x->buf == EIE_BUF_WBUF && i < 2 * s->len; i++) {
			struct pg_touch *t = granule(pg, EIE_BUF_PBUF, x->cluster + r, s->ptr + i);

			if (o)
				reads(pg, o, PG_LOAD, t);
			else
				t->read[PG_LOAD] = mark;
		}
		for (uint32_t i = 0; i < x->len; i++) {
			struct pg_touch *from = &pg->mem[x->mem + (uint64_t)r * x->mem_stride + i], *to = xfer_granule(pg, x, r, i);

			if (o) {
				reads(pg, o, PG_LOAD, from);
				writes(pg, o, PG_LOAD, to);
			} else {
				from->read[PG_LOAD] = to->written[PG_LOAD] = mark;
			}
		}
	}
}

bool pg_select(struct pg *pg, const struct pg_xfer *x, const struct pg_select *s)
{
	struct eie_cmd c = pg_cmd_select(pg->mem_base, x, s);
	struct order o = { { 0 }, false };

	select_granules(pg, x, s, &o);
	if (!emit(pg, PG_LOAD, &c, &o))
		return false;
	select_granules(pg, x, s, NULL);
	return true;
}

bool pg_store(struct pg *pg, const struct pg_xfer *x)
{
	struct eie_cmd c = pg_cmd_store(pg->mem_base, x);
	struct order o = { { 0 }, false };

	for (uint32_t r = 0; r < x->rows; r++)
		for (uint32_t i = 0; i < x->len; i++) {
			writes(pg, &o, PG_STORE, &pg->mem[x->mem + (uint64_t)r * x->mem_stride + i]);
			reads(pg, &o, PG_STORE, xfer_granule(pg, x, r, i));
		}
	if (!emit(pg, PG_STORE, &c, &o))
		return false;
	for (uint32_t r = 0; r < x->rows; r++)
		for (uint32_t i = 0; i < x->len; i++) {
			pg->mem[x->mem + (uint64_t)r * x->mem_stride + i].written[PG_STORE] = pg->seq[PG_STORE];
			xfer_granule(pg, x, r, i)->read[PG_STORE] = pg->seq[PG_STORE];
		}
	return true;
}

/* Every granule that the MAC may read: orders it (o), or marks it read (o NULL). */
static void mac_granules(struct pg *pg, const struct pg_mac *m, struct order *o)
{
	uint32_t mark = pg->seq[PG_COMPUTE];
	struct { unsigned int buf; uint32_t addr, len; } part[] = {
		{ EIE_BUF_ABUF, m->in, m->len },
		{ EIE_BUF_PBUF, m->ptr, 2 * m->len },
		{ EIE_BUF_WBUF, m->weights, m->words },
		{ EIE_BUF_CBUF, m->codebook, m->wide ? 32 : 2 },
	};

	for (unsigned int k = 0; k < 4; k++)
		for (uint32_t c = 0; c < (per_cluster(part[k].buf) ? pg->p.clusters : 1); c++)
			for (uint32_t i = 0; i < part[k].len; i++) {
				struct pg_touch *t = granule(pg, part[k].buf, c, part[k].addr + i);

				if (o)
					reads(pg, o, PG_COMPUTE, t);
				else
					t->read[PG_COMPUTE] = mark;
			}
}

bool pg_mac(struct pg *pg, const struct pg_mac *m)
{
	struct eie_cmd c = pg_cmd_mac(m);
	struct order o = { { 0 }, false };

	mac_granules(pg, m, &o);
	if (!emit(pg, PG_COMPUTE, &c, &o))
		return false;
	mac_granules(pg, m, NULL);
	return true;
}

bool pg_drain(struct pg *pg, const struct pg_drain *d)
{
	struct eie_cmd c = pg_cmd_drain(d);
	struct order o = { { 0 }, false };

	for (uint32_t t = 0; t < d->steps; t++)
		for (uint32_t k = 0; k < pg->p.clusters; k++) {
			for (uint32_t i = 0; i < 4; i++)
				for (unsigned int e = 0; e < PG_ENGINES; e++)
					if (e != PG_COMPUTE)
						after(&o, e, granule(pg, EIE_BUF_RBUF, k, d->param + 4 * t + i)->written[e]);
			writes(pg, &o, PG_COMPUTE, granule(pg, EIE_BUF_ABUF, 0, d->out + t * d->stride + k));
		}
	if (!emit(pg, PG_COMPUTE, &c, &o))
		return false;
	for (uint32_t t = 0; t < d->steps; t++)
		for (uint32_t k = 0; k < pg->p.clusters; k++) {
			for (uint32_t i = 0; i < 4; i++)
				granule(pg, EIE_BUF_RBUF, k, d->param + 4 * t + i)->read[PG_COMPUTE] = pg->seq[PG_COMPUTE];
			granule(pg, EIE_BUF_ABUF, 0, d->out + t * d->stride + k)->written[PG_COMPUTE] = pg->seq[PG_COMPUTE];
		}
	return true;
}

/* ---- vector mode */

/* Granules of a buffer, in rows; of the cluster buffers the same in each cluster. */
struct extent {
	unsigned int buf;
	bool write;
	uint32_t addr, len, rows, stride;
};

static unsigned int vector_extents(const struct pg *pg, const struct eie_cmd *c, uint32_t words, struct extent e[4])
{
	uint32_t k = pg->p.clusters, channels = PG_GET(c, VMAC_CHANNELS);   /* lie in the same bits in all that have them */
	uint32_t columns = channels * PG_GET(c, VMAC_KERNEL_X) * PG_GET(c, VMAC_KERNEL_Y);

	switch (PG_GET(c, OPCODE)) {
	case EIE_OP_VMAC:
		e[0] = (struct extent){ EIE_BUF_ABUF, false, PG_GET(c, VMAC_IN), (channels + k - 1) / k * k * PG_GET(c, VMAC_PLANE), 1, 0 };
		e[1] = (struct extent){ EIE_BUF_PBUF, false, PG_GET(c, VMAC_PTR), (columns + 3) / 4, 1, 0 };
		e[2] = (struct extent){ EIE_BUF_WBUF, false, PG_GET(c, VMAC_WEIGHTS), words, 1, 0 };
		e[3] = (struct extent){ EIE_BUF_CBUF, false, PG_GET(c, VMAC_CODEBOOK), PG_GET(c, VMAC_WIDE) ? 32 : 2, 1, 0 };
		return 4;
	case EIE_OP_VDRAIN:
		e[0] = (struct extent){ EIE_BUF_RBUF, false, PG_GET(c, VDRAIN_PARAM), (PG_GET(c, VDRAIN_ROWS) + 1) / 2, 1, 0 };
		e[1] = (struct extent){ EIE_BUF_ABUF, true, PG_GET(c, VDRAIN_OUT), PG_GET(c, VDRAIN_GROUPS) * k, PG_GET(c, VDRAIN_ROWS),
					PG_GET(c, VDRAIN_PLANE) * k };
		return 2;
	case EIE_OP_VPOOL:
		e[0] = (struct extent){ EIE_BUF_ABUF, false, PG_GET(c, VPOOL_IN), channels * PG_GET(c, VPOOL_PLANE), 1, 0 };
		e[1] = (struct extent){ EIE_BUF_ABUF, true, PG_GET(c, VPOOL_OUT), PG_GET(c, VPOOL_GROUPS) * k, channels / k,
					PG_GET(c, VPOOL_OUT_PLANE) * k };
		return 2;
	case EIE_OP_VMUL:
	case EIE_OP_VTABLE:
		e[0] = (struct extent){ EIE_BUF_ABUF, false, PG_GET(c, VMUL_IN), channels * PG_GET(c, VMUL_PLANE), 1, 0 };
		e[1] = (struct extent){ EIE_BUF_ABUF, false, PG_GET(c, VMUL_B), channels * PG_GET(c, VMUL_B_PLANE), 1, 0 };
		if (PG_GET(c, OPCODE) == EIE_OP_VTABLE)
			e[1] = (struct extent){ EIE_BUF_ABUF, false, PG_GET(c, VTABLE_TABLE), EIE_TABLE_GRANULES, 1, 0 };
		e[2] = (struct extent){ EIE_BUF_ABUF, true, PG_GET(c, VMUL_OUT), PG_GET(c, VMUL_GROUPS) * k, channels / k,
					PG_GET(c, VMUL_OUT_PLANE) * k };
		return 3;
	default:
		return 0;
	}
}

/* Orders the command behind what touched the extent (o), or marks it touched (o NULL). */
static void touch(struct pg *pg, const struct extent *e, struct order *o)
{
	for (uint32_t c = 0; c < (per_cluster(e->buf) ? pg->p.clusters : 1); c++)
		for (uint32_t row = 0; row < e->rows; row++)
			for (uint32_t i = 0; i < e->len; i++) {
				struct pg_touch *t = granule(pg, e->buf, c, e->addr + row * e->stride + i);

				if (o && e->write)
					writes(pg, o, PG_COMPUTE, t);
				else if (o)
					reads(pg, o, PG_COMPUTE, t);
				else
					(e->write ? t->written : t->read)[PG_COMPUTE] = pg->seq[PG_COMPUTE];
			}
}

bool pg_vector(struct pg *pg, const struct eie_cmd *cmd, uint32_t words)
{
	/* these start when all earlier compute commands have completed */
	bool alone = PG_GET(cmd, OPCODE) != EIE_OP_VMAC && PG_GET(cmd, OPCODE) != EIE_OP_VDRAIN;
	struct eie_cmd c = *cmd;
	struct order o = { { 0 }, false };
	struct extent e[4];
	unsigned int n = vector_extents(pg, &c, words, e);

	for (unsigned int i = 0; i < n; i++)
		touch(pg, &e[i], &o);
	if (alone)
		o.fence = false;
	if (!emit(pg, PG_COMPUTE, &c, &o))
		return false;
	if (alone)
		pg->fenced = pg->seq[PG_COMPUTE] - 1;
	for (unsigned int i = 0; i < n; i++)
		touch(pg, &e[i], NULL);
	return true;
}
