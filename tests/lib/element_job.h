/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/* A job of a VMUL or VTABLE: the operands are loaded, multiplied or looked up, stored. */
#ifndef ELEMENT_JOB_H
#define ELEMENT_JOB_H

#include "vector_job.h"

enum { ELEMENT_LOAD_A, ELEMENT_LOAD_B, ELEMENT_OP, ELEMENT_STORE, ELEMENT_NCMDS };

struct element {
	bool table, channel;                         /* VTABLE; B has a value a channel */
	bool in_place, into_b;                       /* the output is where A or B was */
	uint32_t channels, groups, tail;             /* channels: a multiple of the clusters */
	uint32_t plane, b_plane, out_plane;
	uint16_t m;
	uint8_t s;
	int16_t lo, hi;
};

/* Granules of the second operand. */
static inline uint32_t element_b_granules(const struct element *e, const struct eie_params *p)
{
	return e->table ? vround(EIE_TABLE_GRANULES, p->clusters) : e->channels * e->b_plane;
}

static inline struct element element_random(const struct eie_params *p, uint64_t *seed)
{
	struct element e;

	do {
		e = (struct element){
			.table = vpick(seed, 0, 1), .channel = vpick(seed, 0, 1), .channels = vpick(seed, 1, 5) * p->clusters,
			.groups = vpick(seed, 1, 20), .tail = vpick(seed, 0, 7), .m = (uint16_t)vrandom(seed),
			.s = (uint8_t)(vpick(seed, 0, 3) ? vpick(seed, 26, 33) : vpick(seed, 1, EIE_SHIFT_MAX)),
			.lo = (int16_t)(vpick(seed, 0, 1) ? -32767 : (int)vpick(seed, 0, 8000) - 4000),
			.hi = (int16_t)(vpick(seed, 0, 1) ? 32767 : vpick(seed, 4000, 9000)),
		};
		e.channel = e.channel && !e.table;
		e.plane = e.groups + vpick(seed, 0, 3);
		e.b_plane = e.channel ? vpick(seed, 1, 3) : e.groups + vpick(seed, 0, 2);
		e.out_plane = e.groups + vpick(seed, 0, 2);
		if (vpick(seed, 0, 3) == 0) {
			e.in_place = true;
			e.out_plane = e.plane;
		} else if (!e.table && !e.channel && vpick(seed, 0, 2) == 0) {
			e.into_b = true;
			e.out_plane = e.b_plane;
		}
	} while (e.channels * (e.plane + e.out_plane) + element_b_granules(&e, p) > p->abuf);
	return e;
}

/* One value in eight is one of those where a product or a table has its corners. */
static inline uint16_t element_value(uint64_t *seed)
{
	static const int16_t corners[] = { -32768, -32767, 32767, -1, 0, 1, 256, -256 };
	uint32_t r = vrandom(seed);

	return r % 8 ? (uint16_t)vrandom(seed) : (uint16_t)corners[r / 8 % 8];
}

static inline struct vjob *element_new(const struct eie_params *p, const struct element *e, uint64_t seed)
{
	struct vjob *j = calloc(1, sizeof(*j));
	uint32_t k = p->clusters, a = e->channels * e->plane, b = element_b_granules(e, p), blocks = e->channels / k, out;
	uint64_t bases[1] = { htole64(VJOB_VA) };
	struct eie_cmd *cmd = &j->cmd[ELEMENT_OP], *store = &j->cmd[ELEMENT_STORE];

	j->p = *p;
	memcpy(j->memory + vplace(j, 1), bases, sizeof(bases));
	j->used = 0x1000;   /* base table, commands */
	j->in_granules = a + b;
	j->in = vplace(j, a + b);
	for (uint32_t i = 0; i < (a + b) * 8; i++)
		vput16(j->memory + j->in + 2 * i, element_value(&seed));
	j->cmd[ELEMENT_LOAD_A] = vxfer(EIE_OP_LOAD, EIE_BUF_ABUF, j->in, a, 1);
	j->cmd[ELEMENT_LOAD_B] = vxfer(EIE_OP_LOAD, EIE_BUF_ABUF, j->in + a * EIE_GRANULE_BYTES, b, 1);
	CMD_SET(&j->cmd[ELEMENT_LOAD_B], XFER_ADDR, a);
	CMD_SET(&j->cmd[ELEMENT_LOAD_B], SIGNAL_NEXT, 1);

	out = e->in_place ? 0 : e->into_b ? a : a + b;
	CMD_SET(cmd, OPCODE, e->table ? EIE_OP_VTABLE : EIE_OP_VMUL);
	CMD_SET(cmd, WAIT_PREV, 1);
	CMD_SET(cmd, SIGNAL_NEXT, 1);
	CMD_SET(cmd, VMUL_TAIL, e->tail);
	CMD_SET(cmd, VMUL_PLANE, e->plane);
	CMD_SET(cmd, VMUL_CHANNELS, e->channels);
	CMD_SET(cmd, VMUL_OUT, out);
	CMD_SET(cmd, VMUL_GROUPS, e->groups);
	CMD_SET(cmd, VMUL_OUT_PLANE, e->out_plane);
	if (e->table) {
		CMD_SET(cmd, VTABLE_TABLE, a);
	} else {
		CMD_SET(cmd, VMUL_CHANNEL, e->channel);
		CMD_SET(cmd, VMUL_B, a);
		CMD_SET(cmd, VMUL_B_PLANE, e->b_plane);
		CMD_SET(cmd, VMUL_M, e->m);
		CMD_SET(cmd, VMUL_S, e->s);
		CMD_SET(cmd, VMUL_LO, (uint16_t)e->lo);
		CMD_SET(cmd, VMUL_HI, (uint16_t)e->hi);
	}

	j->out_granules = e->channels * e->groups;
	j->out = vplace(j, j->out_granules);
	*store = vxfer(EIE_OP_STORE, EIE_BUF_ABUF, j->out, e->groups * k, blocks);
	CMD_SET(store, XFER_ADDR, out);
	CMD_SET(store, XFER_BUF_STRIDE, e->out_plane * k);
	CMD_SET(store, XFER_MEM_STRIDE, e->groups * k * EIE_GRANULE_BYTES);
	CMD_SET(store, WAIT_PREV, 1);
	j->ncmds = ELEMENT_NCMDS;
	j->g.groups = e->groups;   /* of vjob_out() */
	j->desc.nbases = htole16(1);
	j->desc.bases = htole64(VJOB_VA);
	j->desc.cmds = htole64(VJOB_VA + 0x100);
	return j;
}

#endif
