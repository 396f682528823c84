/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/*
 * The PCI function round the engine, whatever carries its accesses:
 *   BAR 0   EIE_BAR_BYTES, 32-bit memory: the engine's registers
 *   BAR 2   4 KiB, 32-bit memory: MSI-X table and pending bits
 *   MSI-X   a vector for each queue, then the fault vector; no INTx, no MSI
 *   PM      D0 and D3hot, which loses the state (No_Soft_Reset is 0)
 *   vendor-specific capability for tests, see testcap.h
 */
#ifndef EIE_SERVER_FUNCTION_H
#define EIE_SERVER_FUNCTION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "engine.h"
#include "memory.h"

#define FUNCTION_CONFIG_BYTES	256
#define FUNCTION_MSIX_BAR	2
#define FUNCTION_MSIX_BAR_BYTES	0x1000
#define FUNCTION_VECTORS_MAX	64

struct function {
	struct memory mem;
	struct engine engine;
	uint8_t config[FUNCTION_CONFIG_BYTES];
	uint8_t writable[FUNCTION_CONFIG_BYTES];	/* bits of config that the guest may change */
	uint32_t msix_table[FUNCTION_VECTORS_MAX][4];	/* address, address high, data, control */
	uint64_t msix_pending;
	uint32_t lose_irqs, lost, storm;
	uint32_t interrupts;				/* messages sent; the transport counts them */
};

/* `f` is filled in place, and must not move. 0, or a negative errno of eie_sim_create. */
int function_create(struct function *f, const struct eie_sim_params *params);
void function_destroy(struct function *f);
/* As after power-on: configuration space, MSI-X table, engine. Memory, counters and faults stay. */
void function_reset(struct function *f);

/* Size of BAR `bar`, 0 when there is none. */
size_t function_bar_size(unsigned int bar);

/*
 * Configuration space and BARs. Any size and alignment may be asked for: bytes outside, of no BAR, or of a function that does
 * not answer (memory decoding off, D3hot, dead) read all ones. A register takes writes of whole aligned dwords only.
 */
void function_config_read(struct function *f, uint64_t offset, void *buf, size_t len);
void function_config_write(struct function *f, uint64_t offset, const void *buf, size_t len);
void function_bar_read(struct function *f, unsigned int bar, uint64_t offset, void *buf, size_t len);
void function_bar_write(struct function *f, unsigned int bar, uint64_t offset, const void *buf, size_t len);

bool function_wants_clock(const struct function *f);
/*
 * Clocks the engine a little when it has work. Returns the vectors, a bit each, for which a message is due now. A transport that
 * keeps the MSI-X table itself sends them all; one that does not asks function_message for each.
 */
uint64_t function_run(struct function *f);

/*
 * Address and data of a vector's message by the guest's MSI-X table. False: masked; the pending bit is set, and function_run
 * returns the vector again after it was unmasked.
 */
bool function_message(struct function *f, unsigned int vector, uint64_t *addr, uint32_t *data);

#endif
