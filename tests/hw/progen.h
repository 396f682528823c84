/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/*
 * Builds command buffers whose result does not depend on timing: every command that reads or overwrites what another engine
 * touches is ordered behind it by tokens or a FENCE, and by nothing more than it needs. So the engines overlap as much as the
 * rules allow, and a sequential interpreter must still agree with the hardware on every byte.
 */
#ifndef PROGEN_H
#define PROGEN_H

#include "backend.h"

enum { PG_LOAD, PG_COMPUTE, PG_STORE, PG_ENGINES };

struct pg_touch {
	uint32_t written[PG_ENGINES], read[PG_ENGINES];   /* 1 + sequence number of the engine's last access, or 0 */
};

struct pg {
	struct eie_params p;
	struct eie_cmd *cmds;
	uint32_t n, max;
	uint32_t seq[PG_ENGINES];                       /* commands of each engine so far */
	uint32_t signals[PG_ENGINES][PG_ENGINES];       /* [from][to]: signals given so far */
	uint32_t waits[PG_ENGINES][PG_ENGINES];         /* [at][from]: tokens taken so far */
	uint32_t *signal_seq[PG_ENGINES][PG_ENGINES];   /* sequence number of each signal */
	uint32_t fenced;                                /* compute commands below this are complete for later ones */
	struct pg_touch *buf[5];                        /* by enum buf; cluster buffers: [cluster * depth + granule] */
	struct pg_touch *mem;                           /* granules of the memory that is loaded and stored */
	uint64_t mem_granules;
	uint32_t trash_load, trash_store;               /* ABUF granules that nothing else uses */
	uint64_t trash_mem;                             /* granule of mem likewise */
	unsigned int mem_base;                          /* base-table index of mem */
};

/* A region of memory of mem_granules granules behind base-table entry mem_base; its last granule is taken for dummies. */
int pg_init(struct pg *pg, const struct eie_params *p, uint32_t max_cmds, unsigned int mem_base, uint64_t mem_granules);
void pg_free(struct pg *pg);
void pg_restart(struct pg *pg);

/* Granules of a buffer, one cluster's for the cluster buffers. ABUF's last two are taken. */
uint32_t pg_depth(const struct pg *pg, unsigned int buf);

struct pg_xfer {
	unsigned int buf, cluster;
	uint32_t addr, len, rows, buf_stride;
	uint64_t mem;          /* granule */
	uint32_t mem_stride;   /* granules */
};

/* Of a SELECT, whose rows are those of a pg_xfer to WBUF or PBUF; ptr, wide: to WBUF only. */
struct pg_select {
	uint32_t in, len, ptr;
	bool wide;
};

struct pg_mac {
	unsigned int half;
	bool wide;
	uint32_t in, len, ptr, weights, codebook;
	uint32_t words;        /* granules of WBUF that its columns may lie in, from weights */
};

struct pg_drain {
	unsigned int half;
	uint32_t out, stride, steps, param;
	int16_t lo, hi;
};

/* Each appends the command with the ordering it needs; false when the buffer is full or tokens would run over. */
bool pg_load(struct pg *pg, const struct pg_xfer *x);
bool pg_select(struct pg *pg, const struct pg_xfer *x, const struct pg_select *s);
bool pg_store(struct pg *pg, const struct pg_xfer *x);
bool pg_mac(struct pg *pg, const struct pg_mac *m);
bool pg_drain(struct pg *pg, const struct pg_drain *d);
/*
 * A VMAC, VDRAIN, VPOOL, VMUL or VTABLE as it is, but for its order: whole planes count as read. words: granules of WBUF that a
 * VMAC's columns may lie in, from its first.
 */
bool pg_vector(struct pg *pg, const struct eie_cmd *cmd, uint32_t words);

/* The bare commands, for tests that order (or spoil) them themselves. */
struct eie_cmd pg_cmd_load(unsigned int base, const struct pg_xfer *x);
struct eie_cmd pg_cmd_select(unsigned int base, const struct pg_xfer *x, const struct pg_select *s);
struct eie_cmd pg_cmd_store(unsigned int base, const struct pg_xfer *x);
struct eie_cmd pg_cmd_mac(const struct pg_mac *m);
struct eie_cmd pg_cmd_drain(const struct pg_drain *d);

#define PG_SET(cmd, field, value) \
	((cmd)->dw[EIE_CMD_##field##_DW] = ((cmd)->dw[EIE_CMD_##field##_DW] & ~(EIE_CMD_##field##_MASK << EIE_CMD_##field##_SHIFT)) | \
					   (((uint32_t)(value) & EIE_CMD_##field##_MASK) << EIE_CMD_##field##_SHIFT))
#define PG_GET(cmd, field) (((cmd)->dw[EIE_CMD_##field##_DW] >> EIE_CMD_##field##_SHIFT) & EIE_CMD_##field##_MASK)

#endif
