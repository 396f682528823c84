/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/* The virtual machine's memory, mapped into this process: what the device's DMA reaches. */
#ifndef EIE_SERVER_MEMORY_H
#define EIE_SERVER_MEMORY_H

#include <stddef.h>
#include <stdint.h>

#define MEMORY_REGIONS 64

struct memory_region {
	uint64_t addr;		/* bus address */
	uint64_t user;		/* the same in the address space that vhost-user gives ring addresses in */
	uint64_t size;
	uint8_t *host;
};

struct memory {
	struct memory_region region[MEMORY_REGIONS];
	unsigned int nregions;
};

/*
 * Maps `size` bytes of `fd` from `offset` at bus address `addr`. 0, -EINVAL (empty, wraps, overlaps another region, not
 * page-aligned, beyond the end of the file), -ENOSPC (more than MEMORY_REGIONS) or mmap's error. The caller keeps fd.
 */
int memory_map(struct memory *mem, uint64_t addr, uint64_t user, uint64_t size, int fd, uint64_t offset);
/* Unmaps the regions inside [addr, addr + size). -EINVAL when one is cut by the limits; nothing is unmapped then. */
int memory_unmap(struct memory *mem, uint64_t addr, uint64_t size);
void memory_unmap_all(struct memory *mem);

/* Host pointer to `len` bytes, contiguous in one region, at a bus or at a user address; NULL: not all of it is memory. */
void *memory_at(const struct memory *mem, uint64_t addr, uint64_t len);
void *memory_at_user(const struct memory *mem, uint64_t user, uint64_t len);

/*
 * DMA. 0, or -1: not all of it is memory; nothing was moved. Groups of 8 bytes, where alignment allows, are moved whole and in
 * ascending order, as the bus does: a guest that sees the last one of a write sees the others.
 */
int memory_read(const struct memory *mem, uint64_t addr, void *buf, size_t len);
int memory_write(const struct memory *mem, uint64_t addr, const void *buf, size_t len);

#endif
