/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/*
 * Constrained-random jobs: legal programs over random data. Every task is one of scalar mode, or, where the hardware has it, one
 * of vector mode.
 */
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

/* ---- for random_vector.c */

/* A contiguous vector of drained values in ABUF, or len 0. */
struct random_vector {
	uint32_t granule, len;
};

/* A tensor of pixel groups in ABUF: channels planes, of which the first groups are written. channels 0: none yet. */
struct random_image {
	uint32_t granule, channels, plane, groups;
};

/* Memory for so many granules; false when there is no more. */
bool random_take(struct random_job *j, uint64_t granules, uint64_t *at);
/* A buffer window of len granules at a random place. */
uint32_t random_place(const struct random_job *j, struct rng *r, unsigned int buf, uint32_t len, uint32_t align);
/* One LOAD or several pieces. */
bool random_load(struct random_job *j, struct rng *r, const struct pg_xfer *x);

/*
 * A convolution, pooling, product or table, of data of its own or of *image; *image and *vector become its output. False when memory
 * or commands ran out.
 */
bool random_vector_task(struct random_job *j, struct rng *r, bool big, struct random_image *image, struct random_vector *vector);
/* One of the five commands of vector mode, as a task has it before it is placed. */
struct eie_cmd random_vector_command(const struct eie_params *p, struct rng *r);

#endif
