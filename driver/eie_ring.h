/* SPDX-License-Identifier: GPL-2.0 */
#ifndef EIE_RING_H
#define EIE_RING_H

#include <linux/bits.h>
#include <linux/dma-fence.h>
#include <linux/irqreturn.h>
#include <linux/spinlock.h>

#include "eie_device.h"

struct eie_job;

#define EIE_RING_LOG2	5
#define EIE_RING_SIZE	BIT(EIE_RING_LOG2)	/* 128-byte entries: a page each */

/**
 * struct eie_fence - the end of a job on the device
 *
 * A sync_file may keep it when all files are closed and the device is gone. It keeps the
 * memory of the device, where the name of the scheduler is, and the module.
 */
struct eie_fence {
	struct dma_fence base;
	/** @lock: of @base, which may live longer than any other */
	spinlock_t lock;
	struct drm_device *drm;
	struct work_struct release;
};

/**
 * struct eie_ring - a queue pair of the hardware and its scheduler
 *
 * Both rings have EIE_RING_SIZE entries and a job writes one completion entry, so entry i
 * of the one belongs to entry i of the other and to jobs[i].
 */
struct eie_ring {
	struct eie_device *edev;
	unsigned int id;
	char name[24];
	void __iomem *regs;
	struct drm_gpu_scheduler sched;

	/** @lock: protects all of the following but the DMA addresses */
	spinlock_t lock;

	struct eie_desc *sq;
	struct eie_cpl *cq;
	dma_addr_t sq_dma;
	dma_addr_t cq_dma;

	/** @tail: jobs submitted, @head: jobs completed, since the ring was enabled */
	u16 tail;
	u16 head;
	/** @enabled: the hardware takes doorbells */
	bool enabled;
	/** @broken: the device wrote an entry that it must not write */
	bool broken;
	struct eie_job *jobs[EIE_RING_SIZE];

	/** @context, @seqno: of fences; the number is DESC.FENCE as well */
	u64 context;
	u64 seqno;

	/** @abort_error: fence error of a job that ends with status ABORTED */
	int abort_error;

	/** @last_asid: address space of the job that completed last */
	u32 last_asid;

	/* below: protected by &eie_device.reset_lock */

	/** @watch: what the last look at a job that takes long saw */
	struct {
		u64 seqno;
		u32 progress;
		u32 time;
		u32 last_time;
		unsigned int standstills;
	} watch;

	/** @resets: resets of this ring alone so far */
	unsigned int resets;
};

static inline u32 eie_ring_read(struct eie_ring *ring, u32 reg)
{
	return readl(ring->regs + reg);
}

static inline void eie_ring_write(struct eie_ring *ring, u32 reg, u32 value)
{
	writel(value, ring->regs + reg);
}

struct eie_fence *eie_fence_alloc(struct eie_device *edev);
void eie_fence_free(struct eie_fence *fence);

int eie_rings_init(struct eie_device *edev);
int eie_ring_push(struct eie_ring *ring, struct eie_job *job);
void eie_ring_reject(struct eie_job *job, int error);
void eie_ring_poll(struct eie_ring *ring);
void eie_ring_disable(struct eie_ring *ring);
void eie_ring_enable(struct eie_ring *ring);
struct eie_job *eie_ring_head(struct eie_ring *ring);
void eie_ring_fail_head(struct eie_ring *ring, int error);
void eie_ring_fail_all(struct eie_ring *ring, int error);
void eie_ring_cancel(struct eie_ring *ring, struct eie_vm *vm);
irqreturn_t eie_ring_irq(int irq, void *arg);

#endif
