/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/*
 * The simulated device as a driver sees it, without a kernel: what driver/ does in the kernel for one queue pair is here in small, for
 * the sim backend and for tests of the RTL. Everything a test may want to do wrong can be done: raw registers, raw descriptors, page
 * tables entry by entry (sv39_entry()), bus errors (simbus_fail()).
 *
 * One object belongs to one thread at a time. Nothing moves but in simdev_run(), simdev_wait() and register accesses.
 */
#ifndef ACCEL_SIMDEV_H
#define ACCEL_SIMDEV_H

#include "backend.h"
#include "simbus.h"
#include "simlib.h"

struct simdev_options {
	char config[32];           /* "8x8" */
	uint64_t seed;
	unsigned int latency, stall_permille, jitter;   /* struct eie_sim_params */
	bool cold;                                      /* every job begins without translations */
	unsigned int sq_log2, cq_log2;                  /* entries of the rings; 0 means 64 entries */
};

struct simdev {
	struct simlib lib;
	struct eie_sim *sim;
	struct simbus *bus;
	struct simdev_options options;
	struct eie_params params;
	uint8_t *device_tree;
	size_t device_tree_bytes;
	uint64_t sq, cq;           /* bus addresses of the rings */
	unsigned int sq_log2, cq_log2;
	uint32_t submitted, consumed;   /* since the queue was enabled */
	unsigned int irqs[17];     /* pulses of each vector; the last one in use is the fault vector */
	bool faulted;              /* the fault vector has pulsed since the last reset */
};

/* "CONFIG,key=value,..." as in accel_device_open(). -EINVAL names the key. */
int simdev_parse(const char *spec, struct simdev_options *options, struct accel_error *err);

/* Loads the simulator, checks identity and version, reads the device tree, starts queue 0 with empty rings. */
int simdev_open(const struct simdev_options *options, struct simdev **dev, struct accel_error *err);
void simdev_close(struct simdev *dev);

uint32_t simdev_read32(struct simdev *dev, uint32_t reg);
void simdev_write32(struct simdev *dev, uint32_t reg, uint32_t value);
/* Runs that many cycles, or until the device has pulsed an interrupt; returns cycles run. */
uint64_t simdev_run(struct simdev *dev, uint64_t cycles);
/* Runs until (reg & mask) == value, at most that many cycles: 0 or -ETIMEDOUT. */
int simdev_poll32(struct simdev *dev, uint32_t reg, uint32_t mask, uint32_t value, uint64_t cycles);

/* CTRL.RESET, then queue 0 anew; what was in flight is forgotten. 0 or -ETIMEDOUT. */
int simdev_reset(struct simdev *dev);
/* Forgets translations of an address space (ASID < 0: of all) and waits until their transactions have ended. 0 or -ETIMEDOUT. */
int simdev_invalidate(struct simdev *dev, int asid);

/* Entries that may be submitted now. */
unsigned int simdev_room(const struct simdev *dev);
/* Puts the descriptor into the ring as it is and rings the doorbell. -EAGAIN: no room. */
int simdev_submit(struct simdev *dev, const struct eie_desc *desc);
/* Takes the next completion entry: true, or false when there is none yet. */
bool simdev_completed(struct simdev *dev, struct eie_cpl *cpl);
/* Runs until there is one, at most that many cycles: 0, -ETIMEDOUT, -EIO when the fault vector pulsed. */
int simdev_wait(struct simdev *dev, uint64_t cycles, struct eie_cpl *cpl);

/* An address space: a root table. The ASID is the caller's choice. */
struct simdev_space {
	struct simdev *dev;
	uint64_t root;
	uint16_t asid;
};

int simdev_space_open(struct simdev *dev, uint16_t asid, struct simdev_space *space);
/* Invalidates, then frees the tables (not what they point to). */
void simdev_space_close(struct simdev_space *space);

/* Maps what lies at a bus address, in large pages where addresses and size allow. As sv39_map(), and -ETIMEDOUT. */
int simdev_map(struct simdev_space *space, uint64_t va, uint64_t bus, size_t size, uint64_t flags);

/* Memory mapped at va of a space with EIE_PTE_* flags (V included). size is rounded up to pages. */
struct simdev_memory {
	struct simdev_space *space;
	void *map;
	size_t size;
	uint64_t va, bus;
};

int simdev_memory_new(struct simdev_space *space, uint64_t va, size_t size, uint64_t flags, struct simdev_memory *memory);
/* Unmaps, invalidates, waits, frees. -ETIMEDOUT: the device does not let go; the pages are kept from further use. */
int simdev_memory_free(struct simdev_memory *memory);

#endif
