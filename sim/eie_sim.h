/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/*
 * libeie_sim: the Verilated engine behind a C interface.
 *
 * Deterministic: equal parameters, calls and callback answers give equal cycles and equal bytes.
 * One object belongs to one thread at a time; objects share nothing.
 */
#ifndef EIE_SIM_H
#define EIE_SIM_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

struct eie_sim;

/* What the engine reaches over its AXI master and interrupt pins. Addresses are bus addresses. */
struct eie_sim_ops {
	/* One burst is read or written in one call; 0, or -1: the bus answers SLVERR. */
	int (*read)(void *ctx, uint64_t addr, void *buf, size_t len);
	/* Called with the bytes whose strobes were set only (contiguous runs). */
	int (*write)(void *ctx, uint64_t addr, const void *buf, size_t len);
	/* Vector 0..nqueues-1: a completion of that queue; nqueues: the fault vector. May be NULL. */
	void (*irq)(void *ctx, unsigned int vector);
};

struct eie_sim_params {
	const char *config;       /* "8x8" (NULL means this), "2x2" */
	uint64_t seed;            /* of the random behaviour below */
	unsigned int latency;     /* cycles from address to first beat (reads) or to the response (writes); 0 means 64 */
	unsigned int stall_permille;  /* each channel: chance in 1000 that a cycle is lost; 0: 16 bytes every cycle */
	unsigned int jitter;      /* up to that many further cycles of latency a burst, reordered between AXI IDs */
};

/* Returns 0, -ENOENT (no such configuration), -ENOMEM. The device comes out of reset. */
int eie_sim_create(struct eie_sim **sim, const struct eie_sim_params *params,
		   const struct eie_sim_ops *ops, void *ctx);
void eie_sim_destroy(struct eie_sim *sim);

/* Power-on reset. Bus transactions under way are forgotten. */
void eie_sim_reset(struct eie_sim *sim);

/* Aligned 32-bit accesses to the register window; each takes the cycles that AXI4-Lite takes. */
uint32_t eie_sim_read32(struct eie_sim *sim, uint32_t offset);
void eie_sim_write32(struct eie_sim *sim, uint32_t offset, uint32_t value);

/* Runs at most `cycles` cycles; ends early after a cycle that pulsed an interrupt vector. Returns cycles run. */
uint64_t eie_sim_run(struct eie_sim *sim, uint64_t cycles);

/* on: the memory answers nothing, and takes nothing, until off; the clock runs on. Survives eie_sim_reset. */
void eie_sim_hold(struct eie_sim *sim, int on);

/* Cycles since eie_sim_create, and the level of the interrupt line. */
uint64_t eie_sim_cycles(const struct eie_sim *sim);
int eie_sim_irq_level(const struct eie_sim *sim);

/* Names of the configurations in this library, NULL-terminated. */
const char *const *eie_sim_configs(void);

/* MMIO accesses and doorbells seen, for tests of the fast path. */
void eie_sim_mmio_counts(const struct eie_sim *sim, uint64_t *reads, uint64_t *writes);

/* 0, or 1 when an assertion of the RTL has failed (also printed on stderr; a model built with assertions only). */
int eie_sim_assert_failed(const struct eie_sim *sim);

#ifdef __cplusplus
}
#endif
#endif
