/* SPDX-License-Identifier: GPL-2.0 */
#ifndef EIE_GEM_H
#define EIE_GEM_H

#include <drm/drm_gem_shmem_helper.h>

struct eie_device;

/**
 * struct eie_bo - a buffer
 */
struct eie_bo {
	struct drm_gem_shmem_object base;

	/** @flags: DRM_EIE_BO_* */
	u32 flags;

	/** @link: in &eie_device.bos while &drm_gem_shmem_object.sgt is mapped for DMA */
	struct list_head link;
};

static inline struct eie_bo *to_eie_bo(struct drm_gem_object *obj)
{
	return container_of(to_drm_gem_shmem_obj(obj), struct eie_bo, base);
}

struct drm_gem_object *eie_gem_create_object(struct drm_device *drm, size_t size);
struct drm_gem_object *eie_gem_prime_import_sg_table(struct drm_device *drm,
						     struct dma_buf_attachment *attach,
						     struct sg_table *sgt);
void eie_gem_unmap_all(struct eie_device *edev);

int eie_ioctl_bo_create(struct drm_device *drm, void *data, struct drm_file *file);
int eie_ioctl_bo_info(struct drm_device *drm, void *data, struct drm_file *file);
int eie_ioctl_bo_prep(struct drm_device *drm, void *data, struct drm_file *file);
int eie_ioctl_bo_fini(struct drm_device *drm, void *data, struct drm_file *file);
int eie_ioctl_bo_wait(struct drm_device *drm, void *data, struct drm_file *file);

#endif
