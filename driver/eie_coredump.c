// SPDX-License-Identifier: GPL-2.0
/*
 * Device core dumps. They are taken on the way to signal fences, where memory may not be
 * waited for, and handed to the dump device from a worker. The format is in the uapi header.
 */
#include <linux/devcoredump.h>
#include <linux/highmem.h>
#include <linux/slab.h>
#include <linux/timekeeping.h>
#include <linux/vmalloc.h>

#include <drm/drm_drv.h>
#include <drm/eie_accel.h>

#include "eie_device.h"
#include "eie_gem.h"
#include "eie_job.h"
#include "eie_ring.h"
#include "eie_vm.h"

#define EIE_DUMP_REGS_BYTES	(EIE_REG_PROGRESS + 4)
#define EIE_DUMP_QUEUE_BYTES	(EIE_REG_Q_FAULT_ADDR_HI + 4)
#define EIE_DUMP_RING_BYTES	(EIE_RING_SIZE * EIE_DESC_BYTES)
#define EIE_DUMP_CMDS		1024
#define EIE_DUMP_RESTORES	256
#define EIE_DUMP_SECTIONS	(1 + EIE_MAX_RINGS + 4)

static_assert(EIE_DESC_BYTES == EIE_CPL_BYTES);

struct eie_dump {
	struct work_struct work;
	struct drm_device *drm;
	size_t room;
	size_t size;
	u8 data[];
};

static struct drm_eie_dump_header *eie_dump_header(struct eie_dump *dump)
{
	return (struct drm_eie_dump_header *)dump->data;
}

/* Begin a section; the place for its data, or NULL when the dump is full. */
static void *eie_dump_section(struct eie_dump *dump, u32 type, u32 index, size_t size)
{
	struct drm_eie_dump_header *header = eie_dump_header(dump);
	struct drm_eie_dump_section *section;
	u32 n = le32_to_cpu(header->sections);
	void *data = dump->data + dump->size;

	if (n == EIE_DUMP_SECTIONS || dump->size + size > dump->room)
		return NULL;
	section = (struct drm_eie_dump_section *)(header + 1) + n;
	section->type = cpu_to_le32(type);
	section->index = cpu_to_le32(index);
	section->offset = cpu_to_le32(dump->size);
	section->size = cpu_to_le32(size);
	header->sections = cpu_to_le32(n + 1);
	dump->size += ALIGN(size, 8);
	return data;
}

static void eie_dump_regs(struct eie_dump *dump, u32 type, u32 index, void __iomem *regs,
			  size_t size)
{
	__le32 *to = eie_dump_section(dump, type, index, size);
	size_t i;

	for (i = 0; to && i < size / 4; i++)
		to[i] = cpu_to_le32(readl(regs + 4 * i));
}

static void eie_dump_memory(struct eie_dump *dump, u32 type, u32 index, const void *from,
			    size_t size)
{
	void *to = eie_dump_section(dump, type, index, size);

	if (to)
		memcpy(to, from, size);
}

/* Commands are in a buffer of the job, or nowhere that we can read. */
static void eie_dump_commands(struct eie_dump *dump, u32 type, struct eie_mapping *map, u64 va,
			      u32 count, u32 max)
{
	struct page **pages = map ? map->bo->base.pages : NULL;
	u64 offset, size = (u64)min(count, max) * EIE_CMD_BYTES;
	u8 *to;

	if (!pages)
		return;
	offset = va - map->node.start;
	size = min(size, map->node.size - offset);
	to = eie_dump_section(dump, type, 0, size);
	while (to && size) {
		size_t in_page = offset_in_page(offset);
		size_t chunk = min_t(u64, size, PAGE_SIZE - in_page);

		memcpy_from_page(to, pages[offset >> PAGE_SHIFT], in_page, chunk);
		to += chunk;
		offset += chunk;
		size -= chunk;
	}
}

static void eie_dump_job(struct eie_dump *dump, struct eie_job *job)
{
	struct drm_eie_dump_header *header = eie_dump_header(dump);

	header->asid = cpu_to_le32(job->vm->asid);
	header->fence = cpu_to_le64(job->fence->base.seqno);
	eie_dump_commands(dump, DRM_EIE_DUMP_CMDS, job->cmds, le64_to_cpu(job->desc.cmds),
			  le32_to_cpu(job->desc.ncmds), EIE_DUMP_CMDS);
	eie_dump_commands(dump, DRM_EIE_DUMP_RESTORE, job->restore,
			  le64_to_cpu(job->desc.restore), le32_to_cpu(job->desc.nrestore),
			  EIE_DUMP_RESTORES);
}

static struct eie_dump *eie_dump_alloc(size_t commands)
{
	size_t room = sizeof(struct drm_eie_dump_header) +
		      EIE_DUMP_SECTIONS * sizeof(struct drm_eie_dump_section) +
		      ALIGN(EIE_DUMP_REGS_BYTES, 8) +
		      EIE_MAX_RINGS * ALIGN(EIE_DUMP_QUEUE_BYTES, 8) +
		      2 * EIE_DUMP_RING_BYTES + commands * EIE_CMD_BYTES;
	struct eie_dump *dump;

	dump = kzalloc(struct_size(dump, data, room), GFP_NOWAIT | __GFP_NOWARN);
	if (dump)
		dump->room = room;
	return dump;
}

static void eie_dump_emit(struct work_struct *work)
{
	struct eie_dump *dump = container_of(work, struct eie_dump, work);
	void *data = vmalloc(dump->size);

	if (data) {
		memcpy(data, dump->data, dump->size);
		dev_coredumpv(dump->drm->dev, data, dump->size, GFP_KERNEL);
	}
	drm_dev_put(dump->drm);
	kfree(dump);
}

/**
 * eie_coredump - dump what there is to know of a ring that is about to be reset
 * @ring: ring
 * @reason: DRM_EIE_DUMP_*
 *
 * Without memory there is a dump without commands, or none.
 */
void eie_coredump(struct eie_ring *ring, u32 reason)
{
	struct eie_device *edev = ring->edev;
	struct drm_eie_dump_header *header;
	struct eie_dump *dump;
	unsigned long flags;
	unsigned int i;

	dump = eie_dump_alloc(EIE_DUMP_CMDS + EIE_DUMP_RESTORES) ?: eie_dump_alloc(0);
	if (!dump)
		return;
	header = eie_dump_header(dump);
	dump->size = sizeof(*header) +
		     EIE_DUMP_SECTIONS * sizeof(struct drm_eie_dump_section);
	memcpy(header->magic, DRM_EIE_DUMP_MAGIC, sizeof(DRM_EIE_DUMP_MAGIC));
	header->version = cpu_to_le32(DRM_EIE_DUMP_VERSION);
	header->reason = cpu_to_le32(reason);
	header->queue = cpu_to_le32(ring->id);
	header->time_ns = cpu_to_le64(ktime_get_real_ns());

	eie_dump_regs(dump, DRM_EIE_DUMP_REGS, 0, edev->regs, EIE_DUMP_REGS_BYTES);
	for (i = 0; i < edev->num_rings; i++)
		eie_dump_regs(dump, DRM_EIE_DUMP_QUEUE_REGS, i, edev->rings[i].regs,
			      EIE_DUMP_QUEUE_BYTES);

	/* the lock keeps the job in the ring */
	spin_lock_irqsave(&ring->lock, flags);
	eie_dump_memory(dump, DRM_EIE_DUMP_SQ, ring->id, ring->sq, EIE_DUMP_RING_BYTES);
	eie_dump_memory(dump, DRM_EIE_DUMP_CQ, ring->id, ring->cq, EIE_DUMP_RING_BYTES);
	if (ring->head != ring->tail)
		eie_dump_job(dump, ring->jobs[ring->head % EIE_RING_SIZE]);
	spin_unlock_irqrestore(&ring->lock, flags);
	header->size = cpu_to_le32(dump->size);

	drm_dev_get(&edev->drm);
	dump->drm = &edev->drm;
	INIT_WORK(&dump->work, eie_dump_emit);
	queue_work(eie_release_wq, &dump->work);
}
