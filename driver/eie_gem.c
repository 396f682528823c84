// SPDX-License-Identifier: GPL-2.0
/*
 * Buffers: GEM objects in shared memory, pinned and mapped for DMA from their creation.
 */
#include <linux/dma-buf.h>
#include <linux/dma-mapping.h>
#include <linux/mm.h>
#include <linux/pagemap.h>
#include <linux/slab.h>

#include <drm/drm_drv.h>
#include <drm/drm_file.h>
#include <drm/drm_utils.h>
#include <drm/eie_accel.h>

#include "eie_device.h"
#include "eie_gem.h"
#include "eie_job.h"
#include "eie_vm.h"

EIE_IMPORT_NS(DMA_BUF);

static void eie_gem_free(struct drm_gem_object *obj)
{
	struct eie_device *edev = to_eie_device(obj->dev);
	struct eie_bo *bo = to_eie_bo(obj);

	mutex_lock(&edev->bos_lock);
	list_del_init(&bo->link);
	mutex_unlock(&edev->bos_lock);
	drm_gem_shmem_free(&bo->base);
}

static int eie_gem_open(struct drm_gem_object *obj, struct drm_file *file)
{
	struct eie_file *efile = file->driver_priv;
	int idx, ret;

	if (!drm_dev_enter(obj->dev, &idx))
		return -ENODEV;
	ret = eie_vm_open_bo(efile->vm, to_eie_bo(obj));
	drm_dev_exit(idx);
	return ret;
}

static void eie_gem_close(struct drm_gem_object *obj, struct drm_file *file)
{
	struct eie_file *efile = file->driver_priv;

	eie_vm_close_bo(efile->vm, to_eie_bo(obj));
}

static enum drm_gem_object_status eie_gem_status(struct drm_gem_object *obj)
{
	return DRM_GEM_OBJECT_RESIDENT;
}

static const struct drm_gem_object_funcs eie_gem_funcs = {
	.free = eie_gem_free,
	.open = eie_gem_open,
	.close = eie_gem_close,
	.status = eie_gem_status,
	.print_info = drm_gem_shmem_object_print_info,
	.pin = drm_gem_shmem_object_pin,
	.unpin = drm_gem_shmem_object_unpin,
	.get_sg_table = drm_gem_shmem_object_get_sg_table,
	.vmap = drm_gem_shmem_object_vmap,
	.vunmap = drm_gem_shmem_object_vunmap,
	.mmap = drm_gem_shmem_object_mmap,
	.vm_ops = &drm_gem_shmem_vm_ops,
};

/* &drm_driver.gem_create_object: for our own buffers and imported ones */
struct drm_gem_object *eie_gem_create_object(struct drm_device *drm, size_t size)
{
	struct eie_bo *bo = kzalloc(sizeof(*bo), GFP_KERNEL);

	if (!bo)
		return ERR_PTR(-ENOMEM);
	INIT_LIST_HEAD(&bo->link);
	bo->base.base.funcs = &eie_gem_funcs;
	return &bo->base.base;
}

/* From here on the buffer is unmapped when the device goes away before it. */
static int eie_gem_track(struct eie_device *edev, struct eie_bo *bo)
{
	int ret = 0;

	mutex_lock(&edev->bos_lock);
	if (edev->unmapped)
		ret = -ENODEV;
	else
		list_add(&bo->link, &edev->bos);
	mutex_unlock(&edev->bos_lock);
	return ret;
}

/* &drm_driver.gem_prime_import_sg_table; the caller unmaps the attachment on failure */
struct drm_gem_object *eie_gem_prime_import_sg_table(struct drm_device *drm,
						     struct dma_buf_attachment *attach,
						     struct sg_table *sgt)
{
	struct drm_gem_object *obj;
	int ret;

	obj = drm_gem_shmem_prime_import_sg_table(drm, attach, sgt);
	if (IS_ERR(obj))
		return obj;
	ret = eie_gem_track(to_eie_device(drm), to_eie_bo(obj));
	if (ret) {
		to_eie_bo(obj)->base.sgt = NULL;
		drm_gem_object_put(obj);
		return ERR_PTR(ret);
	}
	return obj;
}

/**
 * eie_gem_unmap_all - unmap all buffers from DMA, the device is quiet for good
 * @edev: device
 *
 * Nothing may stay mapped after the driver has been unbound, but user space may hold
 * buffers for as long as it likes. Their memory stays theirs.
 */
void eie_gem_unmap_all(struct eie_device *edev)
{
	struct eie_bo *bo, *next;

	mutex_lock(&edev->bos_lock);
	edev->unmapped = true;
	list_for_each_entry_safe(bo, next, &edev->bos, link) {
		struct drm_gem_object *obj = &bo->base.base;
		struct sg_table *sgt = bo->base.sgt;

		bo->base.sgt = NULL;
		list_del_init(&bo->link);
		if (obj->import_attach) {
			dma_buf_unmap_attachment_unlocked(obj->import_attach, sgt,
							  DMA_BIDIRECTIONAL);
		} else {
			dma_unmap_sgtable(edev->drm.dev, sgt, DMA_BIDIRECTIONAL, 0);
			sg_free_table(sgt);
			kfree(sgt);
		}
	}
	mutex_unlock(&edev->bos_lock);
}

static struct eie_bo *eie_bo_create(struct eie_device *edev, u64 size, u32 flags)
{
	struct drm_gem_shmem_object *shmem;
	struct sg_table *sgt;
	struct eie_bo *bo;
	int ret;

	shmem = drm_gem_shmem_create(&edev->drm, size);
	/* shared memory says ENOSPC when it has no memory for an inode */
	if (IS_ERR(shmem))
		return PTR_ERR(shmem) == -ENOSPC ? ERR_PTR(-ENOMEM) : ERR_CAST(shmem);
	bo = to_eie_bo(&shmem->base);
	bo->flags = flags;
	shmem->map_wc = flags & DRM_EIE_BO_WC;

	/* who asks for too much gets -ENOMEM, nobody is killed for it */
	mapping_set_gfp_mask(shmem->base.filp->f_mapping,
			     GFP_HIGHUSER | __GFP_RETRY_MAYFAIL | __GFP_NOWARN);
	sgt = drm_gem_shmem_get_pages_sgt(shmem);
	ret = PTR_ERR_OR_ZERO(sgt);
	if (!ret)
		ret = eie_gem_track(edev, bo);
	if (ret) {
		drm_gem_object_put(&shmem->base);
		return ERR_PTR(ret);
	}
	return bo;
}

static u64 eie_bo_mmap_offset(struct eie_bo *bo)
{
	struct drm_gem_object *obj = &bo->base.base;

	return obj->import_attach ? 0 : drm_vma_node_offset_addr(&obj->vma_node);
}

int eie_ioctl_bo_create(struct drm_device *drm, void *data, struct drm_file *file)
{
	struct eie_device *edev = to_eie_device(drm);
	struct eie_file *efile = file->driver_priv;
	struct drm_eie_bo_create *args = data;
	struct eie_mapping *map;
	struct eie_bo *bo;
	int idx, ret;

	if (!args->size || args->flags & ~(DRM_EIE_BO_WC | DRM_EIE_BO_READONLY))
		return -EINVAL;
	if (args->size > min_t(u64, EIE_VA_SIZE, SIZE_MAX - PAGE_SIZE))
		return -ENOSPC;
	if (args->size >> PAGE_SHIFT > totalram_pages())
		return -ENOMEM;

	if (!drm_dev_enter(drm, &idx))
		return -ENODEV;
	bo = eie_bo_create(edev, args->size, args->flags);
	if (IS_ERR(bo)) {
		ret = PTR_ERR(bo);
		goto out_exit;
	}
	ret = drm_gem_handle_create(file, &bo->base.base, &args->handle);
	if (ret)
		goto out_put;
	/* another thread may guess the handle and close it at once */
	map = eie_vm_find_mapping(efile->vm, bo);
	if (!map) {
		ret = -ENOENT;
		goto out_put;
	}
	args->size = bo->base.base.size;
	args->dev_addr = map->node.start;
	args->mmap_offset = eie_bo_mmap_offset(bo);
	eie_mapping_put(map);

out_put:
	drm_gem_object_put(&bo->base.base);
out_exit:
	drm_dev_exit(idx);
	return ret;
}

int eie_ioctl_bo_info(struct drm_device *drm, void *data, struct drm_file *file)
{
	struct eie_file *efile = file->driver_priv;
	struct drm_eie_bo_info *args = data;
	struct drm_gem_object *obj;
	struct eie_mapping *map;

	if (args->flags)
		return -EINVAL;
	obj = drm_gem_object_lookup(file, args->handle);
	if (!obj)
		return -ENOENT;
	map = eie_vm_find_mapping(efile->vm, to_eie_bo(obj));
	if (map) {
		args->flags = map->bo->flags;
		args->size = obj->size;
		args->dev_addr = map->node.start;
		args->mmap_offset = eie_bo_mmap_offset(map->bo);
	}
	drm_gem_object_put(obj);
	if (!map)
		return -ENOENT;
	eie_mapping_put(map);
	return 0;
}

static bool eie_access_valid(u32 access)
{
	return access && !(access & ~(DRM_EIE_ACCESS_READ | DRM_EIE_ACCESS_WRITE));
}

/* A CPU that writes needs the rest of the cache lines that it writes to. */
static enum dma_data_direction eie_access_direction(u32 access)
{
	return access & DRM_EIE_ACCESS_WRITE ? DMA_BIDIRECTIONAL : DMA_FROM_DEVICE;
}

static int eie_bo_wait(struct drm_gem_object *obj, u32 access, s64 timeout_ns)
{
	bool write = access & DRM_EIE_ACCESS_WRITE;
	long timeout = drm_timeout_abs_to_jiffies(timeout_ns);
	bool poll = !timeout;
	long ret;

	/* Jiffies may lag behind the caller's clock; a wait that counts them then is too short. */
	do {
		ret = dma_resv_wait_timeout(obj->resv, dma_resv_usage_rw(write), true,
					    timeout);
		if (ret)
			return ret < 0 ? ret : 0;
		timeout = drm_timeout_abs_to_jiffies(timeout_ns);
	} while (timeout);
	return poll ? -EBUSY : -ETIME;
}

int eie_ioctl_bo_prep(struct drm_device *drm, void *data, struct drm_file *file)
{
	struct drm_eie_bo_prep *args = data;
	struct drm_gem_object *obj;
	int idx, ret;

	if (!eie_access_valid(args->access))
		return -EINVAL;
	obj = drm_gem_object_lookup(file, args->handle);
	if (!obj)
		return -ENOENT;
	ret = eie_bo_wait(obj, args->access, args->timeout_ns);
	if (ret)
		goto out_put;
	if (!drm_dev_enter(drm, &idx)) {
		ret = -ENODEV;
		goto out_put;
	}
	if (obj->import_attach)
		ret = dma_buf_begin_cpu_access(obj->import_attach->dmabuf,
					       eie_access_direction(args->access));
	else
		dma_sync_sgtable_for_cpu(drm->dev, to_eie_bo(obj)->base.sgt,
					 eie_access_direction(args->access));
	drm_dev_exit(idx);
out_put:
	drm_gem_object_put(obj);
	return ret;
}

int eie_ioctl_bo_fini(struct drm_device *drm, void *data, struct drm_file *file)
{
	struct drm_eie_bo_fini *args = data;
	struct drm_gem_object *obj;
	int idx, ret = 0;

	if (!eie_access_valid(args->access))
		return -EINVAL;
	obj = drm_gem_object_lookup(file, args->handle);
	if (!obj)
		return -ENOENT;
	if (!drm_dev_enter(drm, &idx)) {
		ret = -ENODEV;
		goto out_put;
	}
	if (obj->import_attach)
		ret = dma_buf_end_cpu_access(obj->import_attach->dmabuf,
					     eie_access_direction(args->access));
	else
		dma_sync_sgtable_for_device(drm->dev, to_eie_bo(obj)->base.sgt,
					    eie_access_direction(args->access));
	drm_dev_exit(idx);
out_put:
	drm_gem_object_put(obj);
	return ret;
}

int eie_ioctl_bo_wait(struct drm_device *drm, void *data, struct drm_file *file)
{
	struct drm_eie_bo_wait *args = data;
	struct drm_gem_object *obj;
	int ret;

	if (args->pad)
		return -EINVAL;
	obj = drm_gem_object_lookup(file, args->handle);
	if (!obj)
		return -ENOENT;
	ret = eie_bo_wait(obj, DRM_EIE_ACCESS_WRITE, args->timeout_ns);
	drm_gem_object_put(obj);
	return ret;
}
