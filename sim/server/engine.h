/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/* The Verilated engine with its clock, its way to memory, and the faults that tests ask for. */
#ifndef EIE_SERVER_ENGINE_H
#define EIE_SERVER_ENGINE_H

#include <stdbool.h>
#include <stdint.h>

#include "eie_sim.h"
#include "memory.h"

/* See testcap.h for the meaning of each. */
struct engine_faults {
	uint32_t die, fail_burst, bad_size, slow;
	uint64_t bad_addr;
};

struct engine {
	struct eie_sim *sim;
	struct memory *mem;
	struct engine_faults faults;
	unsigned int nvectors;		/* completion vectors and the fault vector */
	bool master;			/* may use the bus; else every burst gets an error */
	bool held;			/* memory answers nothing */
	bool dead;			/* fell off the bus */
	uint64_t quiet_after;		/* idle cycles after which nothing more can happen by itself */
	uint64_t idle;			/* cycles since something could last happen */
	uint64_t pending;		/* vectors pulsed and not yet taken, a bit each */
	uint32_t mmio_reads, mmio_writes, bursts, bad_bursts;
};

/* 0, or a negative errno of eie_sim_create. `mem` is the caller's, as long as the engine lives. */
int engine_create(struct engine *e, const struct eie_sim_params *params, struct memory *mem);
void engine_destroy(struct engine *e);
/* Power-on reset; also brings back a dead engine. Faults and counters stay. */
void engine_reset(struct engine *e);

/* Registers; offset is a multiple of 4 below EIE_BAR_BYTES. A dead engine reads all ones. */
uint32_t engine_read32(struct engine *e, uint32_t offset);
void engine_write32(struct engine *e, uint32_t offset, uint32_t value);

/* True while clocking it may change something: a job is on the chip, or a register was written a moment ago. */
bool engine_wants_clock(const struct engine *e);
/* See TESTCAP_HOLD. */
void engine_hold(struct engine *e, bool on);
/* May it use the bus? Ends a hold when not. */
void engine_set_master(struct engine *e, bool on);
/* Clocks it a little (a few milliseconds at the most), ends early when a vector was pulsed. */
void engine_run(struct engine *e);

#endif
