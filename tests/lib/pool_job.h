/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/* A job of pooling from a random geometry of vector_job.h. */
#ifndef POOL_JOB_H
#define POOL_JOB_H

#include "vector_job.h"

enum { POOL_LOAD, POOL_VPOOL, POOL_STORE, POOL_NCMDS };

/* The job's image, pooled: LOAD, VPOOL, STORE. Of the geometry all but rows, weights and clamps counts. */
static inline struct vjob *pool_new(const struct eie_params *p, const struct vgeometry *geometry, uint64_t seed)
{
	struct vjob *j = vjob_new(p, geometry, seed);
	const struct vgeometry *g = &j->g;
	uint32_t k = p->clusters, channels = vround(g->channels, k), blocks = channels / k;
	struct eie_cmd load = j->cmd[VJOB_LOAD_IN], vmac = j->cmd[VJOB_VMAC], *v = &j->cmd[POOL_VPOOL];

	CMD_SET(&load, SIGNAL_NEXT, 1);
	j->cmd[POOL_LOAD] = load;
	*v = (struct eie_cmd){ { 0 } };
	CMD_SET(v, OPCODE, EIE_OP_VPOOL);
	CMD_SET(v, WAIT_PREV, 1);
	CMD_SET(v, SIGNAL_NEXT, 1);
	/* the fields that VMAC has too, by VMAC's names: they must lie in the same bits */
	CMD_SET(v, VMAC_ORIGIN, g->origin);
	for (unsigned int dw = 3; dw < 8; dw++)
		v->dw[dw] = vmac.dw[dw];
	v->dw[1] = vmac.dw[1];
	CMD_SET(v, VPOOL_OUT, j->in_granules);
	CMD_SET(v, VPOOL_OUT_PLANE, g->out_plane);
	CMD_SET(v, VPOOL_CHANNELS, channels);
	if (seed % 2) {
		CMD_SET(v, VPOOL_SUM, 1);
		CMD_SET(v, VPOOL_SHIFT, seed / 2 % 4 ? seed / 8 % 9 : seed / 8 % 32);
	}
	j->out_granules = channels * g->groups;
	j->out = vplace(j, j->out_granules);
	j->cmd[POOL_STORE] = vxfer(EIE_OP_STORE, EIE_BUF_ABUF, j->out, g->groups * k, blocks);
	CMD_SET(&j->cmd[POOL_STORE], XFER_ADDR, j->in_granules);
	CMD_SET(&j->cmd[POOL_STORE], XFER_BUF_STRIDE, g->out_plane * k);
	CMD_SET(&j->cmd[POOL_STORE], XFER_MEM_STRIDE, g->groups * k * EIE_GRANULE_BYTES);
	CMD_SET(&j->cmd[POOL_STORE], WAIT_PREV, 1);
	j->ncmds = POOL_NCMDS;
	return j;
}

#endif
