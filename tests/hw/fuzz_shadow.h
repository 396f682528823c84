/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/*
 * What the running job may touch, found by walking its page tables independently of the hardware, and the check of every burst on
 * the bus against it. While no job runs nothing may be touched.
 */
#ifndef FUZZ_SHADOW_H
#define FUZZ_SHADOW_H

#include "board.h"

struct shadow {
	struct board *board;
	uint8_t *pages;              /* SHADOW_* of every page of the board's memory */
	size_t npages;
	uint64_t *foreign;           /* mapped pages outside the memory, as bus address | SHADOW_* */
	unsigned int nforeign;
	bool active;                 /* a job has been submitted and its entry has not been written */
	uint64_t desc, cpl;          /* bus addresses of its ring entries */
	unsigned long violations;
	uint64_t bad_addr;           /* of the first violation */
	size_t bad_len;
	bool bad_write;
};

/* Watches the board; -ENOMEM. */
int shadow_open(struct shadow *s, struct board *b);
void shadow_close(struct shadow *s);
/* A job of the space is about to be submitted to the queue: its next ring entries, its tables, its pages. */
void shadow_begin(struct shadow *s, const struct space *space, unsigned int queue);
/* The job is over: its entry has been read, or the device has been reset. */
void shadow_end(struct shadow *s);

#endif
