/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/*
 * A machine around the simulated engine: memory, page tables, one queue. It keeps nothing from the tests: they may map pages as
 * they like, submit any descriptor, spoil memory, and make addresses fail.
 */
#ifndef BOARD_H
#define BOARD_H

#include <eie_hw.h>
#include <eie_sim.h>
#include <stdbool.h>

#include "backend.h"

#define BOARD_RAM_BASE 0x180000000ull   /* above 4 GiB: no address may lose its upper half */

struct board {
	struct eie_sim *sim;
	struct eie_params params;
	uint8_t *ram;
	size_t ram_size, used;
	uint64_t sq, cq;              /* bus addresses */
	unsigned int sq_log2, cq_log2;
	uint16_t tail, cq_head;       /* free-running */
	unsigned int irqs, faults;    /* pulses of vector 0 and of the fault vector */
	uint64_t bad_lo, bad_hi;      /* bus addresses that answer with an error */
	bool bad_reads, bad_writes;
	uint64_t reads, writes;       /* bursts seen */
	uint64_t written;             /* bytes whose strobe was set */
	/* NULL, or told of every burst before it is answered; of writes the runs of bytes whose strobes are set */
	void (*watch)(void *ctx, uint64_t addr, size_t len, bool write);
	void *watch_ctx;
};

struct space {
	struct board *board;
	uint64_t root;
	uint16_t asid;
};

/* -errno of eie_sim_create, or -EPROTO. The device is enabled, queue 0 too. */
int board_open(struct board *b, const struct eie_sim_params *params, size_t ram_size, unsigned int sq_log2, unsigned int cq_log2);
void board_close(struct board *b);
/* Queue registers again, after a reset; counters restart at zero. */
void board_start_queue(struct board *b);

/* Zeroed memory; bus address. Aborts the program when it runs out: the test asked for too little. */
uint64_t board_alloc(struct board *b, size_t size, size_t align);
void *board_at(struct board *b, uint64_t bus);

struct space space_new(struct board *b, uint16_t asid);
/* Maps size bytes at va to bus, in 4 KiB pages, or 2 MiB pages when huge. perm: EIE_PTE_R | EIE_PTE_W. */
void space_map(struct space *s, uint64_t va, uint64_t bus, size_t size, unsigned int perm, bool huge);
/* Address of the leaf entry of va (4 KiB level), for tests that spoil it. */
uint64_t *space_entry(struct space *s, uint64_t va);
/* Bus address of va, or 0. */
uint64_t space_walk(const struct space *s, uint64_t va);

void board_submit(struct board *b, const struct eie_desc *desc);
/* Waits for the next completion entry; false when it does not come within the cycles. */
bool board_wait(struct board *b, struct eie_cpl *cpl, uint64_t cycles);
/* TLB_INV and INV_STATUS; false when DONE does not come. */
bool board_invalidate(struct board *b, uint16_t asid);

#endif
