/* SPDX-License-Identifier: GPL-2.0 */
#ifndef EIE_VM_H
#define EIE_VM_H

#include <linux/atomic.h>
#include <linux/kref.h>
#include <linux/mutex.h>

#include <drm/drm_mm.h>

struct eie_bo;
struct eie_device;
struct eie_pt;

/* Device addresses are canonical Sv39; the lower half, but for the first 2 MiB, is used. */
#define EIE_VA_START	((u64)SZ_2M)
#define EIE_VA_SIZE	((1ULL << (EIE_VA_BITS - 1)) - EIE_VA_START)

/**
 * struct eie_vm - an address space: ASID, page tables and what is mapped
 *
 * A file has one; jobs hold references, so that it lives until the last has been freed.
 */
struct eie_vm {
	struct kref ref;
	struct eie_device *edev;

	/** @asid: 1 .. 65535 */
	u32 asid;

	/** @lock: protects @mm, @mappings and the page tables */
	struct mutex lock;
	struct drm_mm mm;
	struct list_head mappings;

	/** @root: the root table; NULL when the device is gone */
	struct eie_pt *root;
	dma_addr_t root_dma;

	/** @live: the device may have translations of this ASID; never cleared */
	bool live;

	/** @pending: jobs of this address space that the scheduler has */
	atomic_t pending;
	/** @idle: woken when @pending falls to zero */
	wait_queue_head_t idle;

	/**
	 * @held: jobs that have not been freed, and those that a submission has room for.
	 * More than @pending, so that it bounds the memory.
	 */
	atomic_t held;
	/** @room: woken when @held falls */
	wait_queue_head_t room;

	/** @engine_ns: time that jobs spent on the device; @cycles: the same in its cycles */
	atomic64_t engine_ns;
	atomic64_t cycles;
	/** @jobs: jobs that ended */
	atomic64_t jobs;
};

/**
 * struct eie_mapping - a buffer in an address space
 *
 * References are held by the file for each handle of the buffer, and by jobs. The
 * translation goes away with the last one, before the buffer is put.
 */
struct eie_mapping {
	struct kref ref;
	struct eie_vm *vm;
	struct eie_bo *bo;

	/** @handles: handles of the file that stand for it */
	unsigned int handles;

	/** @node: device addresses */
	struct drm_mm_node node;

	/** @link: in &eie_vm.mappings */
	struct list_head link;
};

struct eie_vm *eie_vm_create(struct eie_device *edev);
struct eie_vm *eie_vm_get(struct eie_vm *vm);
void eie_vm_put(struct eie_vm *vm);
void eie_vm_unplug_all(struct eie_device *edev);

int eie_vm_open_bo(struct eie_vm *vm, struct eie_bo *bo);
void eie_vm_close_bo(struct eie_vm *vm, struct eie_bo *bo);
struct eie_mapping *eie_vm_find_mapping(struct eie_vm *vm, struct eie_bo *bo);
void eie_mapping_put(struct eie_mapping *map);

#endif
