/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/* results.c: completion entries of jobs that nobody has waited for yet. The caller locks. */
#ifndef ACCEL_RESULTS_H
#define ACCEL_RESULTS_H

#include <stdbool.h>
#include <stdint.h>

#include <eie_hw.h>

struct result {
	struct result *next;
	uint64_t seq;
	struct eie_cpl cpl;
};

/* Takes r, which came from malloc. */
void results_add(struct result **list, struct result *r);
/* Copies the entry of job seq to *cpl and forgets it; false when it is not there. */
bool results_take(struct result **list, uint64_t seq, struct eie_cpl *cpl);
void results_free(struct result **list);

#endif
