// SPDX-License-Identifier: GPL-2.0
/*
 * Address spaces: Sv39 page tables, ASIDs, and buffers mapped into them.
 */
#include <linux/dma-mapping.h>
#include <linux/iopoll.h>
#include <linux/pm_runtime.h>
#include <linux/scatterlist.h>
#include <linux/sizes.h>
#include <linux/slab.h>

#include <drm/drm_drv.h>
#include <drm/drm_print.h>
#include <drm/eie_accel.h>

#include "eie_device.h"
#include "eie_gem.h"
#include "eie_ring.h"
#include "eie_trace.h"
#include "eie_vm.h"

/*
 * The device's pages have 4 KiB and 2 MiB whatever PAGE_SIZE is. Level 2 is the root; a
 * leaf of level 1 maps 2 MiB, one of level 0 4 KiB.
 */
#define EIE_PT_SHIFT		12
#define EIE_PT_BITS		9
#define EIE_PT_ENTRIES		BIT(EIE_PT_BITS)
#define EIE_PT_BYTES		(EIE_PT_ENTRIES * sizeof(__le64))
#define EIE_PT_ROOT_LEVEL	2

/* an invalidation waits for the accesses of one address space that are on the bus */
#define EIE_INV_TIMEOUT_US	(5 * USEC_PER_SEC)

/* a page table, and what the CPU must know about it */
struct eie_pt {
	__le64 *entries;
	dma_addr_t dma;
	/* entries that are valid */
	unsigned int used;
	/* in the list of tables to be freed after the invalidation */
	struct list_head link;
	/* the tables that entries point to; levels 2 and 1 only */
	struct eie_pt *sub[];
};

static unsigned int eie_pt_index(u64 va, int level)
{
	return (va >> (EIE_PT_SHIFT + level * EIE_PT_BITS)) & (EIE_PT_ENTRIES - 1);
}

static u64 eie_pt_span(int level)
{
	return 1ULL << (EIE_PT_SHIFT + level * EIE_PT_BITS);
}

static struct eie_pt *eie_pt_alloc(struct eie_device *edev, int level)
{
	struct eie_pt *pt;

	pt = kzalloc(struct_size(pt, sub, level ? EIE_PT_ENTRIES : 0), GFP_KERNEL);
	if (!pt)
		return NULL;
	pt->entries = dma_alloc_coherent(edev->drm.dev, EIE_PT_BYTES, &pt->dma, GFP_KERNEL);
	if (!pt->entries) {
		kfree(pt);
		return NULL;
	}
	return pt;
}

static void eie_pt_free(struct eie_device *edev, struct eie_pt *pt)
{
	dma_free_coherent(edev->drm.dev, EIE_PT_BYTES, pt->entries, pt->dma);
	kfree(pt);
}

static void eie_pt_free_tree(struct eie_device *edev, struct eie_pt *pt, int level)
{
	int i;

	for (i = 0; level && i < EIE_PT_ENTRIES; i++) {
		if (pt->sub[i])
			eie_pt_free_tree(edev, pt->sub[i], level - 1);
	}
	eie_pt_free(edev, pt);
}

static void eie_pt_set(struct eie_pt *pt, unsigned int i, dma_addr_t pa, u64 bits)
{
	u64 pte = ((u64)pa >> EIE_PT_SHIFT) << EIE_PTE_PPN_LSB | bits;

	/* the device may walk at any time: an entry changes in one piece */
	WRITE_ONCE(pt->entries[i], cpu_to_le64(pte));
	pt->used++;
}

static void eie_pt_clear(struct eie_pt *pt, unsigned int i)
{
	WRITE_ONCE(pt->entries[i], 0);
	pt->used--;
}

/* Enter a leaf of @level; tables on the way are added. */
static int eie_vm_map_leaf(struct eie_vm *vm, u64 va, dma_addr_t pa, int level, u64 bits)
{
	struct eie_pt *pt = vm->root;
	int l;

	for (l = EIE_PT_ROOT_LEVEL; l > level; l--) {
		unsigned int i = eie_pt_index(va, l);

		if (!pt->sub[i]) {
			struct eie_pt *sub = eie_pt_alloc(vm->edev, l - 1);

			if (!sub)
				return -ENOMEM;
			pt->sub[i] = sub;
			/* the table is zero in memory before anything points to it */
			dma_wmb();
			eie_pt_set(pt, i, sub->dma, EIE_PTE_V);
		}
		pt = pt->sub[i];
	}
	eie_pt_set(pt, eie_pt_index(va, level), pa, bits);
	return 0;
}

/* A table in the place of a 2 MiB leaf would have to be invalidated first: go on using it. */
static bool eie_vm_slot_is_free(struct eie_vm *vm, u64 va)
{
	struct eie_pt *pt = vm->root->sub[eie_pt_index(va, 2)];

	return !pt || !pt->sub[eie_pt_index(va, 1)];
}

/**
 * eie_vm_map_pages - enter the pages of a buffer
 * @vm: address space, locked
 * @va: first device address
 * @size: bytes, a multiple of 4 KiB
 * @sgt: the pages, mapped for DMA
 * @bits: permissions, EIE_PTE_R and EIE_PTE_W
 *
 * On failure some pages may be mapped.
 */
static int eie_vm_map_pages(struct eie_vm *vm, u64 va, u64 size, struct sg_table *sgt, u64 bits)
{
	u64 end = va + size;
	struct scatterlist *sg;
	int i, ret;

	for_each_sgtable_dma_sg(sgt, sg, i) {
		dma_addr_t pa = sg_dma_address(sg);
		u64 len = min_t(u64, sg_dma_len(sg), end - va);

		/* an exporter of dma-bufs may know smaller pages than we do */
		if (!IS_ALIGNED(pa | len, SZ_4K))
			return -EINVAL;
		while (len) {
			int level = IS_ALIGNED(va | pa, SZ_2M) && len >= SZ_2M &&
				    eie_vm_slot_is_free(vm, va);

			ret = eie_vm_map_leaf(vm, va, pa, level, bits | EIE_PTE_V);
			if (ret)
				return ret;
			va += eie_pt_span(level);
			pa += eie_pt_span(level);
			len -= eie_pt_span(level);
		}
	}
	return va == end ? 0 : -EINVAL;
}

/* Clear the entries of a range; tables that became empty go to @empty. */
static void eie_vm_clear_pages(struct eie_vm *vm, u64 va, u64 size, struct list_head *empty)
{
	u64 end = va + size;

	while (va < end) {
		u64 next = min(end, ALIGN_DOWN(va, SZ_2M) + SZ_2M);
		unsigned int i2 = eie_pt_index(va, 2), i1 = eie_pt_index(va, 1);
		struct eie_pt *pt1 = vm->root->sub[i2];
		struct eie_pt *pt0 = pt1 ? pt1->sub[i1] : NULL;

		if (pt0) {
			for (; va < next; va += SZ_4K) {
				unsigned int i = eie_pt_index(va, 0);

				if (pt0->entries[i])
					eie_pt_clear(pt0, i);
			}
			if (!pt0->used) {
				pt1->sub[i1] = NULL;
				eie_pt_clear(pt1, i1);
				list_add(&pt0->link, empty);
			}
		} else if (pt1 && pt1->entries[i1]) {
			eie_pt_clear(pt1, i1);
		}
		if (pt1 && !pt1->used) {
			vm->root->sub[i2] = NULL;
			eie_pt_clear(vm->root, i2);
			list_add(&pt1->link, empty);
		}
		va = next;
	}
}

/*
 * After this the device has forgotten cleared entries, and no access that used them is on
 * the bus. A device that was powered down, or is reset because it does not answer, has
 * forgotten all.
 */
static void eie_vm_invalidate(struct eie_vm *vm)
{
	struct eie_device *edev = vm->edev;
	struct device *dev = edev->drm.dev;
	int idx, awake, ret;
	u32 status;

	/* pairs with eie_ring_push(): either it sees the cleared entries, or we see live */
	smp_mb();
	if (!READ_ONCE(vm->live) || !drm_dev_enter(&edev->drm, &idx))
		return;
	/* a device that was given up cannot reach memory at all */
	awake = READ_ONCE(edev->wedged) ? 0 : eie_device_get_if_awake(edev);
	if (awake) {
		mutex_lock(&edev->tlb_lock);
		eie_write(edev, EIE_REG_TLB_INV, EIE_PUT(TLB_INV_ASID, vm->asid));
		ret = readl_poll_timeout(edev->regs + EIE_REG_INV_STATUS, status,
					 EIE_GET(INV_STATUS_DONE, status), 10,
					 EIE_INV_TIMEOUT_US);
		trace_eie_tlb_inv(vm, ret);
		if (ret)
			eie_reset_device(edev, "TLB invalidation does not end");
		mutex_unlock(&edev->tlb_lock);
	}
	if (awake > 0)
		pm_runtime_put_autosuspend(dev);
	drm_dev_exit(idx);
}

static void eie_vm_unmap(struct eie_vm *vm, u64 va, u64 size)
{
	struct eie_pt *pt, *next;
	LIST_HEAD(empty);

	lockdep_assert_held(&vm->lock);
	if (!vm->root)
		return;
	eie_vm_clear_pages(vm, va, size, &empty);
	eie_vm_invalidate(vm);
	list_for_each_entry_safe(pt, next, &empty, link)
		eie_pt_free(vm->edev, pt);
}

static struct eie_mapping *eie_vm_find_locked(struct eie_vm *vm, struct eie_bo *bo)
{
	struct eie_mapping *map;

	list_for_each_entry(map, &vm->mappings, link) {
		if (map->bo == bo)
			return map;
	}
	return NULL;
}

static struct eie_mapping *eie_mapping_create(struct eie_vm *vm, struct eie_bo *bo)
{
	u64 size = bo->base.base.size;
	u64 bits = bo->flags & DRM_EIE_BO_READONLY ? EIE_PTE_R : EIE_PTE_R | EIE_PTE_W;
	struct eie_mapping *map;
	int ret;

	if (!vm->root)
		return ERR_PTR(-ENODEV);
	map = kzalloc(sizeof(*map), GFP_KERNEL);
	if (!map)
		return ERR_PTR(-ENOMEM);
	ret = drm_mm_insert_node_generic(&vm->mm, &map->node, size,
					 size >= SZ_2M ? SZ_2M : PAGE_SIZE, 0,
					 DRM_MM_INSERT_BEST);
	if (ret)
		goto err_free;
	ret = eie_vm_map_pages(vm, map->node.start, size, bo->base.sgt, bits);
	if (ret)
		goto err_unmap;

	kref_init(&map->ref);
	map->vm = vm;
	map->bo = bo;
	drm_gem_object_get(&bo->base.base);
	list_add(&map->link, &vm->mappings);
	trace_eie_map(vm, map->node.start, size);
	return map;

err_unmap:
	eie_vm_unmap(vm, map->node.start, size);
	drm_mm_remove_node(&map->node);
err_free:
	kfree(map);
	return ERR_PTR(ret);
}

static void eie_mapping_release(struct kref *ref)
{
	struct eie_mapping *map = container_of(ref, struct eie_mapping, ref);
	struct eie_vm *vm = map->vm;

	trace_eie_unmap(vm, map->node.start, map->node.size);
	list_del(&map->link);
	eie_vm_unmap(vm, map->node.start, map->node.size);
	drm_mm_remove_node(&map->node);
	mutex_unlock(&vm->lock);
	drm_gem_object_put(&map->bo->base.base);
	kfree(map);
}

/**
 * eie_mapping_put - give a reference back
 * @map: mapping or NULL
 *
 * The last one waits until the device has forgotten the translation: never on the way to
 * signal a fence.
 */
void eie_mapping_put(struct eie_mapping *map)
{
	if (map)
		kref_put_mutex(&map->ref, eie_mapping_release, &map->vm->lock);
}

/**
 * eie_vm_find_mapping - look a buffer up
 * @vm: address space
 * @bo: buffer
 *
 * Return: the mapping with a reference for the caller, or NULL.
 */
struct eie_mapping *eie_vm_find_mapping(struct eie_vm *vm, struct eie_bo *bo)
{
	struct eie_mapping *map;

	mutex_lock(&vm->lock);
	map = eie_vm_find_locked(vm, bo);
	if (map)
		kref_get(&map->ref);
	mutex_unlock(&vm->lock);
	return map;
}

/**
 * eie_vm_open_bo - a handle of a buffer is created
 * @vm: address space
 * @bo: buffer with its pages mapped for DMA
 *
 * Return: 0, -ENOSPC without device addresses, -ENOMEM, -ENODEV.
 */
int eie_vm_open_bo(struct eie_vm *vm, struct eie_bo *bo)
{
	struct eie_mapping *map;
	int ret = 0;

	mutex_lock(&vm->lock);
	map = eie_vm_find_locked(vm, bo);
	if (map)
		kref_get(&map->ref);
	else
		map = eie_mapping_create(vm, bo);
	if (IS_ERR(map))
		ret = PTR_ERR(map);
	else
		map->handles++;
	mutex_unlock(&vm->lock);
	return ret;
}

/**
 * eie_vm_close_bo - a handle of a buffer is deleted
 * @vm: address space
 * @bo: buffer
 */
void eie_vm_close_bo(struct eie_vm *vm, struct eie_bo *bo)
{
	struct eie_mapping *map;

	mutex_lock(&vm->lock);
	map = eie_vm_find_locked(vm, bo);
	if (drm_WARN_ON(&vm->edev->drm, !map || !map->handles)) {
		mutex_unlock(&vm->lock);
		return;
	}
	map->handles--;
	mutex_unlock(&vm->lock);
	eie_mapping_put(map);
}

/*
 * The chip keeps what it holds, buffers and residency, as long as jobs of one ASID follow
 * each other. A new owner of the ASID of the job that was last on the chip would find the
 * old one's data there. The last job of all is the last one of some ring.
 */
static bool eie_asid_on_chip(struct eie_device *edev, u32 asid)
{
	unsigned int i;

	for (i = 0; i < edev->num_rings; i++) {
		if (READ_ONCE(edev->rings[i].last_asid) == asid)
			return true;
	}
	return false;
}

static int eie_asid_alloc(struct eie_device *edev, struct eie_vm *vm)
{
	unsigned int tries;
	u32 held = 0;
	int ret;

	for (tries = 0; tries <= edev->num_rings; tries++) {
		ret = xa_alloc_cyclic(&edev->vms, &vm->asid, vm,
				      XA_LIMIT(1, EIE_TLB_INV_ASID_MASK), &edev->next_asid,
				      GFP_KERNEL);
		if (held)
			xa_erase(&edev->vms, held);
		if (ret < 0)
			return ret == -EBUSY ? -ENOSPC : ret;
		if (!eie_asid_on_chip(edev, vm->asid))
			return 0;
		/* keep it until the next one is found, lest it is found again */
		held = vm->asid;
	}
	xa_erase(&edev->vms, held);
	return -ENOSPC;
}

/**
 * eie_vm_create - new, empty address space
 * @edev: device
 *
 * Return: the address space with one reference, or an error pointer: -ENOMEM, -ENOSPC when
 * no ASID is left, -ENODEV.
 */
struct eie_vm *eie_vm_create(struct eie_device *edev)
{
	struct eie_vm *vm;
	int ret;

	vm = kzalloc(sizeof(*vm), GFP_KERNEL);
	if (!vm)
		return ERR_PTR(-ENOMEM);
	kref_init(&vm->ref);
	mutex_init(&vm->lock);
	INIT_LIST_HEAD(&vm->mappings);
	init_waitqueue_head(&vm->idle);
	init_waitqueue_head(&vm->room);
	vm->edev = edev;

	mutex_lock(&edev->vms_lock);
	ret = edev->unmapped ? -ENODEV : 0;
	if (!ret) {
		vm->root = eie_pt_alloc(edev, EIE_PT_ROOT_LEVEL);
		ret = vm->root ? eie_asid_alloc(edev, vm) : -ENOMEM;
	}
	if (ret && vm->root)
		eie_pt_free(edev, vm->root);
	mutex_unlock(&edev->vms_lock);
	if (ret) {
		mutex_destroy(&vm->lock);
		kfree(vm);
		return ERR_PTR(ret);
	}
	vm->root_dma = vm->root->dma;
	drm_mm_init(&vm->mm, EIE_VA_START, EIE_VA_SIZE);
	/* jobs may outlive the file, and their address space needs the device */
	drm_dev_get(&edev->drm);
	return vm;
}

struct eie_vm *eie_vm_get(struct eie_vm *vm)
{
	kref_get(&vm->ref);
	return vm;
}

static void eie_vm_release(struct kref *ref)
{
	struct eie_vm *vm = container_of(ref, struct eie_vm, ref);
	struct eie_device *edev = vm->edev;

	drm_WARN_ON(&edev->drm, !list_empty(&vm->mappings));
	eie_vm_invalidate(vm);

	mutex_lock(&edev->vms_lock);
	if (vm->root)
		eie_pt_free_tree(edev, vm->root, EIE_PT_ROOT_LEVEL);
	xa_erase(&edev->vms, vm->asid);
	mutex_unlock(&edev->vms_lock);

	drm_mm_takedown(&vm->mm);
	mutex_destroy(&vm->lock);
	kfree(vm);
	drm_dev_put(&edev->drm);
}

/**
 * eie_vm_put - give a reference back
 * @vm: address space
 *
 * As for eie_mapping_put(): never on the way to signal a fence.
 */
void eie_vm_put(struct eie_vm *vm)
{
	kref_put(&vm->ref, eie_vm_release);
}

/**
 * eie_vm_unplug_all - free what the device reads, it is quiet for good
 * @edev: device
 *
 * Address spaces of open files stay, without tables.
 */
void eie_vm_unplug_all(struct eie_device *edev)
{
	struct eie_vm *vm;
	unsigned long asid;

	mutex_lock(&edev->vms_lock);
	edev->unmapped = true;
	xa_for_each(&edev->vms, asid, vm) {
		mutex_lock(&vm->lock);
		if (vm->root)
			eie_pt_free_tree(edev, vm->root, EIE_PT_ROOT_LEVEL);
		vm->root = NULL;
		mutex_unlock(&vm->lock);
	}
	mutex_unlock(&edev->vms_lock);
}
