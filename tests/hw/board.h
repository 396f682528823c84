/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/*
 * A machine around the simulated engine: memory, page tables, rings for every queue. It keeps nothing from the tests: they may map
 * pages as they like, submit any descriptor, spoil memory, and make addresses fail.
 */
#ifndef BOARD_H
#define BOARD_H

#include <eie_hw.h>
#include <eie_sim.h>
#include <stdbool.h>

#include "backend.h"

#define BOARD_RAM_BASE 0x180000000ull   /* above 4 GiB: no address may lose its upper half */

#define BOARD_QUEUES 4

struct board_queue {
	uint64_t sq, cq;              /* bus addresses */
	unsigned int sq_log2, cq_log2;
	uint16_t tail, cq_head;       /* free-running */
	unsigned int irqs;            /* pulses of its vector */
};

struct board {
	struct eie_sim *sim;
	struct eie_params params;
	uint8_t *ram;
	size_t ram_size, used;
	struct board_queue q[BOARD_QUEUES];
	unsigned int faults;          /* pulses of the fault vector */
	uint64_t bad_lo, bad_hi;      /* bus addresses that answer with an error */
	bool bad_reads, bad_writes;
	uint64_t reads, writes;       /* bursts seen */
	uint64_t written;             /* bytes whose strobe was set */
};

struct space {
	struct board *board;
	uint64_t root;
	uint16_t asid;
};

/* -errno of eie_sim_create, or -EPROTO. All queues have rings of these sizes; the device and queue 0 are enabled. */
int board_open(struct board *b, const struct eie_sim_params *params, size_t ram_size, unsigned int sq_log2, unsigned int cq_log2);
void board_close(struct board *b);
/* Registers of queue 0 again, after a reset; counters restart at zero. */
void board_start_queue(struct board *b);
/* The same for any queue. */
void queue_start(struct board *b, unsigned int q);
/* Offset of a register EIE_REG_Q_* of queue q. */
uint32_t queue_reg(unsigned int q, uint32_t reg);

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

/* Puts a descriptor into the ring without ringing the bell; rings it with the counters as they are. */
void queue_put(struct board *b, unsigned int q, const struct eie_desc *desc);
void queue_bell(struct board *b, unsigned int q);
/* Both, for queue 0. */
void board_submit(struct board *b, const struct eie_desc *desc);
/* Takes the next completion entry when it is there. */
bool queue_completed(struct board *b, unsigned int q, struct eie_cpl *cpl);
/* Waits for the next completion entry; false when it does not come within the cycles. */
bool queue_wait(struct board *b, unsigned int q, struct eie_cpl *cpl, uint64_t cycles);
bool board_wait(struct board *b, struct eie_cpl *cpl, uint64_t cycles);
/* TLB_INV and INV_STATUS; false when DONE does not come. */
bool board_invalidate(struct board *b, uint16_t asid);

#endif
