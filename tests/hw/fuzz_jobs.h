/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/* The two kinds of batches: token-ordered jobs held to the interpreter, and racing ones held to their address space. */
#ifndef FUZZ_JOBS_H
#define FUZZ_JOBS_H

#include "fuzz_machine.h"

#define FUZZ_STATUSES (EIE_STATUS_ABORTED + 1)
#define FUZZ_OPCODES 256u
#define FUZZ_BATCH 50u   /* jobs of a batch: a machine, and a seed, each */

struct fuzz_stats {
	unsigned long jobs[2][FUZZ_STATUSES];   /* [racing][status] */
	unsigned long resets[2];                /* jobs cut off by a reset: no status */
	unsigned long both[2];                  /* jobs that loaded and multiplied, pooled or mapped values */
	unsigned long ran[2][FUZZ_OPCODES];     /* [racing][opcode]: commands of jobs that ended with OK */
	uint64_t macs, cycles;
	uint32_t features;                      /* of the configuration */
	char why[240];                          /* of the batch that failed */
};

/* false: stats->why says what went wrong in which job of the batch. */
bool fuzz_ordered_batch(const char *config, uint64_t seed, struct fuzz_stats *stats);
bool fuzz_racing_batch(const char *config, uint64_t seed, struct fuzz_stats *stats);

/* Memory or the simulator is missing: says so and ends the program. */
void fuzz_fatal(const char *what) __attribute__((noreturn));

/* Counts a job and its completion entry. */
void fuzz_count(struct fuzz_stats *stats, bool racing, const struct fuzz_job *j, const struct eie_cpl *cpl);

#endif
