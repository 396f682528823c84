/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/* Constrained-random jobs: legal programs over random data, everything the scalar mode can do. */
#ifndef RANDOM_JOB_H
#define RANDOM_JOB_H

#include "progen.h"
#include "rng.h"

struct random_job {
	struct pg pg;
	uint8_t *mem;          /* the job's memory: base-table entry 0, inputs and outputs */
	size_t bytes;
	uint64_t used;         /* granules */
};

/* bytes of memory, at most 512 commands a job */
int random_job_init(struct random_job *j, const struct eie_params *p, size_t bytes);
void random_job_free(struct random_job *j);
/* A new job in j->pg.cmds[0 .. j->pg.n - 1] and j->mem. big: tiles up to the configuration's limits. */
void random_job_make(struct random_job *j, struct rng *r, bool big);

#endif
