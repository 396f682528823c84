/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/* Memory behind the simulated bus, and Sv39 page tables in it. */
#ifndef ACCEL_SIMBUS_H
#define ACCEL_SIMBUS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SIMBUS_PAGE 4096u
#define SIMBUS_LARGE_PAGE (2u << 20)
#define SIMBUS_LARGE_FROM (128u << 10)   /* bytes from which on a session's buffer has large pages */
#define SIMBUS_BASE 0x80000000u   /* bus address of the first byte; below it nothing answers */

struct simbus;

int simbus_new(struct simbus **bus);
void simbus_free(struct simbus *bus);

/* Zeroed pages; align is a power of two, 4096 at least. 0 or -ENOMEM. */
int simbus_alloc(struct simbus *bus, size_t size, size_t align, uint64_t *addr);
void simbus_release(struct simbus *bus, uint64_t addr, size_t size);
/* Host memory of allocated bytes; NULL when some are not. */
void *simbus_ptr(const struct simbus *bus, uint64_t addr, size_t len);

/* Accesses that touch [addr, addr + size) answer with an error; several ranges add up. 0 or -ENOMEM. */
int simbus_fail(struct simbus *bus, uint64_t addr, uint64_t size, bool reads, bool writes);
void simbus_fail_none(struct simbus *bus);

/* What struct eie_sim_ops wants: 0, or -1 for an error on the bus. */
int simbus_read(const struct simbus *bus, uint64_t addr, void *buf, size_t len);
int simbus_write(const struct simbus *bus, uint64_t addr, const void *buf, size_t len);

/*
 * Page tables. root: one zeroed page. flags: EIE_PTE_*. Large pages are used where addresses and size allow; one may take the place of a
 * table that has become empty, which the device may still remember: invalidate. 0, -ENOMEM, -EEXIST.
 */
int sv39_map(struct simbus *bus, uint64_t root, uint64_t va, uint64_t addr, size_t size, uint64_t flags);
/* Clears leaves; the tables stay. */
void sv39_unmap(struct simbus *bus, uint64_t root, uint64_t va, size_t size);
/* The entry of va at a level (2: root, 1: 2 MiB, 0: 4 KiB), or NULL when a table on the way is missing. */
uint64_t *sv39_entry(struct simbus *bus, uint64_t root, uint64_t va, int level);
/* Frees the tables, root included. */
void sv39_free(struct simbus *bus, uint64_t root);

#endif
