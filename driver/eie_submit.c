// SPDX-License-Identifier: GPL-2.0
/*
 * DRM_EIE_SUBMIT: all that can fail comes first, then all jobs are armed and pushed.
 */
#include <linux/dma-fence-chain.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include <drm/drm_exec.h>
#include <drm/drm_file.h>
#include <drm/drm_gem.h>
#include <drm/drm_syncobj.h>
#include <drm/eie_accel.h>

#include "eie_device.h"
#include "eie_gem.h"
#include "eie_job.h"
#include "eie_ring.h"
#include "eie_trace.h"
#include "eie_vm.h"

/* sizes of the first version of the structures in arrays: the least stride */
#define EIE_JOB_SIZE_V1		offsetofend(struct drm_eie_job, out_syncs)
#define EIE_SYNC_SIZE_V1	offsetofend(struct drm_eie_sync, point)
#define EIE_BO_REF_SIZE_V1	offsetofend(struct drm_eie_bo_ref, access)

#define EIE_MAX_COUNT		((1u << 24) - 1)	/* of commands in a descriptor */

/*
 * A fence of this submission in a buffer replaces an older one of the same queue, unless
 * it reads and the older one wrote.
 */
#define EIE_FENCES_A_BO		2

struct eie_out_sync {
	struct drm_syncobj *syncobj;
	/* for the point; NULL when the syncobj is binary */
	struct dma_fence_chain *chain;
	u64 point;
};

/* a job, NULL once it is pushed, and what is needed until then */
struct eie_submit_job {
	struct eie_job *job;
	struct dma_fence *finished;
	struct eie_out_sync *outs;
	unsigned int num_outs;
};

struct eie_submit {
	struct drm_file *file;
	struct eie_file *efile;
	struct eie_queue *queue;
	struct drm_exec exec;
	struct eie_submit_job *jobs;
	unsigned int num_jobs;
	/* jobs that there is room for, but which have not been allocated */
	unsigned int reserved;
};

/* Copy element @i of an array; the caller's structure is the newest version. */
static int eie_copy_element(void *to, size_t size, const struct drm_eie_array *array, u32 i)
{
	return copy_struct_from_user(to, size, u64_to_user_ptr(array->ptr + (u64)i * array->stride),
				     array->stride);
}

static int eie_check_array(const struct drm_eie_array *array, size_t size_v1, u32 max)
{
	if (!array->count)
		return 0;
	if (array->count > max || array->stride < size_v1 || array->stride % 8)
		return -EINVAL;
	return array->stride > PAGE_SIZE ? -E2BIG : 0;
}

static int eie_submit_bos(struct eie_submit *sub, struct eie_job *job,
			  const struct drm_eie_array *array)
{
	struct drm_gem_object *obj;
	u32 i;
	int ret;

	ret = eie_check_array(array, EIE_BO_REF_SIZE_V1, EIE_MAX_JOB_BOS);
	if (ret || !array->count)
		return ret;
	job->maps = kvcalloc(array->count, sizeof(*job->maps), GFP_KERNEL_ACCOUNT);
	job->access = kvcalloc(array->count, sizeof(*job->access), GFP_KERNEL_ACCOUNT);
	if (!job->maps || !job->access)
		return -ENOMEM;

	for (i = 0; i < array->count; i++) {
		struct drm_eie_bo_ref ref;

		ret = eie_copy_element(&ref, sizeof(ref), array, i);
		if (ret)
			return ret;
		if (!ref.access || ref.access & ~(DRM_EIE_ACCESS_READ | DRM_EIE_ACCESS_WRITE))
			return -EINVAL;
		obj = drm_gem_object_lookup(sub->file, ref.handle);
		if (!obj)
			return -ENOENT;
		job->maps[i] = eie_vm_find_mapping(sub->efile->vm, to_eie_bo(obj));
		drm_gem_object_put(obj);
		if (!job->maps[i])
			return -ENOENT;
		job->access[i] = ref.access;
		job->num_maps = i + 1;
		if (ref.access & DRM_EIE_ACCESS_WRITE &&
		    job->maps[i]->bo->flags & DRM_EIE_BO_READONLY)
			return -EINVAL;
	}
	return 0;
}

static int eie_submit_in_syncs(struct eie_submit *sub, struct eie_job *job,
			       const struct drm_eie_array *array)
{
	struct dma_fence *fence;
	u32 i;
	int ret;

	ret = eie_check_array(array, EIE_SYNC_SIZE_V1, EIE_MAX_JOB_SYNCS);
	if (ret)
		return ret;
	for (i = 0; i < array->count; i++) {
		struct drm_eie_sync sync;

		ret = eie_copy_element(&sync, sizeof(sync), array, i);
		if (ret)
			return ret;
		if (sync.flags)
			return -EINVAL;
		/* drm_sched_job_add_syncobj_dependency() cuts points to 32 bits */
		ret = drm_syncobj_find_fence(sub->file, sync.handle, sync.point, 0, &fence);
		if (ret)
			return ret;
		ret = drm_sched_job_add_dependency(&job->base, fence);
		if (ret)
			return ret;
	}
	return 0;
}

static int eie_submit_out_syncs(struct eie_submit *sub, struct eie_submit_job *sj,
				const struct drm_eie_array *array)
{
	u32 i;
	int ret;

	ret = eie_check_array(array, EIE_SYNC_SIZE_V1, EIE_MAX_JOB_SYNCS);
	if (ret || !array->count)
		return ret;
	sj->outs = kvcalloc(array->count, sizeof(*sj->outs), GFP_KERNEL);
	if (!sj->outs)
		return -ENOMEM;
	for (i = 0; i < array->count; i++) {
		struct drm_eie_sync sync;

		ret = eie_copy_element(&sync, sizeof(sync), array, i);
		if (ret)
			return ret;
		if (sync.flags)
			return -EINVAL;
		sj->outs[i].syncobj = drm_syncobj_find(sub->file, sync.handle);
		if (!sj->outs[i].syncobj)
			return -ENOENT;
		sj->num_outs = i + 1;
		if (!sync.point)
			continue;
		sj->outs[i].point = sync.point;
		sj->outs[i].chain = dma_fence_chain_alloc();
		if (!sj->outs[i].chain)
			return -ENOMEM;
	}
	return 0;
}

static struct eie_mapping *eie_job_find_addr(struct eie_job *job, u64 addr, u32 count)
{
	unsigned int i;

	for (i = 0; count && i < job->num_maps; i++) {
		struct drm_mm_node *node = &job->maps[i]->node;

		if (addr >= node->start && addr - node->start < node->size)
			return job->maps[i];
	}
	return NULL;
}

static void eie_job_fill(struct eie_job *job, const struct drm_eie_job *args)
{
	struct eie_desc *desc = &job->desc;
	u32 limit = min_not_zero(args->cycle_limit, eie_max_cycles);

	desc->root = cpu_to_le64(job->vm->root_dma);
	desc->asid = cpu_to_le16(job->vm->asid);
	desc->nbases = cpu_to_le16(args->nbases);
	desc->cycle_limit = cpu_to_le32(limit);
	desc->residency = cpu_to_le64(args->residency);
	desc->bases = cpu_to_le64(args->bases);
	desc->cmds = cpu_to_le64(args->cmds);
	desc->restore = cpu_to_le64(args->restore);
	desc->ncmds = cpu_to_le32(args->ncmds);
	desc->nrestore = cpu_to_le32(args->nrestore);

	job->cmds = eie_job_find_addr(job, args->cmds, args->ncmds);
	job->restore = eie_job_find_addr(job, args->restore, args->nrestore);
}

static int eie_submit_job(struct eie_submit *sub, struct eie_submit_job *sj,
			  const struct drm_eie_job *args)
{
	struct eie_job *job = sj->job;
	int ret;

	if (args->flags || args->pad || args->nbases > EIE_MAX_BASES ||
	    args->ncmds > EIE_MAX_COUNT || args->nrestore > EIE_MAX_COUNT)
		return -EINVAL;
	ret = eie_sched_job_init(&job->base, &sub->queue->entity, 1, sub->file,
				 sub->file->client_id);
	if (ret)
		return ret;
	job->inited = true;
	ret = eie_submit_bos(sub, job, &args->bos);
	if (ret)
		return ret;
	ret = eie_submit_in_syncs(sub, job, &args->in_syncs);
	if (ret)
		return ret;
	ret = eie_submit_out_syncs(sub, sj, &args->out_syncs);
	if (ret)
		return ret;
	eie_job_fill(job, args);
	return 0;
}

static int eie_submit_parse(struct eie_submit *sub, const struct drm_eie_array *array)
{
	u32 i;
	int ret;

	ret = eie_check_array(array, EIE_JOB_SIZE_V1, EIE_MAX_JOBS);
	if (ret)
		return ret;
	ret = eie_job_reserve(sub->efile->vm, array->count);
	if (ret)
		return ret;
	sub->reserved = array->count;
	sub->jobs = kvcalloc(array->count, sizeof(*sub->jobs), GFP_KERNEL);
	if (!sub->jobs)
		return -ENOMEM;
	for (i = 0; i < array->count; i++) {
		struct drm_eie_job args;

		ret = eie_copy_element(&args, sizeof(args), array, i);
		if (ret)
			return ret;
		sub->jobs[i].job = eie_job_alloc(sub->queue);
		if (!sub->jobs[i].job)
			return -ENOMEM;
		sub->num_jobs = i + 1;
		sub->reserved--;
		ret = eie_submit_job(sub, &sub->jobs[i], &args);
		if (ret)
			return ret;
	}
	return 0;
}

/* Lock all buffers and add the fences that the jobs must wait for. */
static int eie_submit_lock(struct eie_submit *sub)
{
	unsigned int i, k;
	int ret;

	drm_exec_until_all_locked(&sub->exec) {
		ret = 0;
		for (i = 0; i < sub->num_jobs && !ret; i++) {
			struct eie_job *job = sub->jobs[i].job;

			for (k = 0; k < job->num_maps && !ret; k++) {
				ret = drm_exec_prepare_obj(&sub->exec,
							   &job->maps[k]->bo->base.base,
							   EIE_FENCES_A_BO);
				drm_exec_retry_on_contention(&sub->exec);
			}
		}
		if (ret)
			return ret;
	}

	for (i = 0; i < sub->num_jobs; i++) {
		struct eie_job *job = sub->jobs[i].job;

		for (k = 0; k < job->num_maps; k++) {
			struct drm_gem_object *obj = &job->maps[k]->bo->base.base;
			bool write = job->access[k] & DRM_EIE_ACCESS_WRITE;

			ret = drm_sched_job_add_implicit_dependencies(&job->base, obj, write);
			if (ret)
				return ret;
		}
	}
	return 0;
}

/* The jobs keep the device awake until they are freed: run_job must not wait for it. */
static int eie_submit_wake(struct eie_submit *sub)
{
	unsigned int i;
	int ret;

	for (i = 0; i < sub->num_jobs; i++) {
		ret = eie_device_wake(sub->queue->ring->edev);
		if (ret)
			return ret;
		sub->jobs[i].job->powered = true;
	}
	return 0;
}

/* From here nothing fails. Jobs belong to the scheduler when the queue is unlocked. */
static int eie_submit_push(struct eie_submit *sub, u64 *seqno)
{
	struct eie_queue *queue = sub->queue;
	unsigned int i;

	mutex_lock(&queue->lock);
	if (queue->dead) {
		mutex_unlock(&queue->lock);
		return -ENOENT;
	}
	for (i = 0; i < sub->num_jobs; i++) {
		struct eie_submit_job *sj = &sub->jobs[i];
		struct eie_job *job = sj->job;
		unsigned int k;

		drm_sched_job_arm(&job->base);
		sj->finished = dma_fence_get(&job->base.s_fence->finished);
		job->seqno = ++queue->seqno;
		for (k = 0; k < job->num_maps; k++) {
			bool write = job->access[k] & DRM_EIE_ACCESS_WRITE;

			dma_resv_add_fence(job->maps[k]->bo->base.base.resv, sj->finished,
					   write ? DMA_RESV_USAGE_WRITE : DMA_RESV_USAGE_READ);
		}
		atomic_inc(&job->vm->pending);
		trace_eie_job_submit(job);
		drm_sched_entity_push_job(&job->base);
		sj->job = NULL;
	}
	*seqno = queue->seqno;
	mutex_unlock(&queue->lock);
	return 0;
}

static void eie_submit_signal_out(struct eie_submit_job *sj)
{
	unsigned int i;

	for (i = 0; i < sj->num_outs; i++) {
		struct eie_out_sync *out = &sj->outs[i];

		if (out->chain) {
			drm_syncobj_add_point(out->syncobj, out->chain, sj->finished, out->point);
			out->chain = NULL;
		} else {
			drm_syncobj_replace_fence(out->syncobj, sj->finished);
		}
	}
}

static void eie_submit_fini(struct eie_submit *sub)
{
	unsigned int i, k;

	for (i = 0; i < sub->num_jobs; i++) {
		struct eie_submit_job *sj = &sub->jobs[i];

		for (k = 0; k < sj->num_outs; k++) {
			dma_fence_chain_free(sj->outs[k].chain);
			drm_syncobj_put(sj->outs[k].syncobj);
		}
		kvfree(sj->outs);
		dma_fence_put(sj->finished);
		if (sj->job)
			eie_job_free(sj->job);
	}
	kvfree(sub->jobs);
	eie_job_unreserve(sub->efile->vm, sub->reserved);
}

int eie_ioctl_submit(struct drm_device *drm, void *data, struct drm_file *file)
{
	struct eie_device *edev = to_eie_device(drm);
	struct drm_eie_submit *args = data;
	struct eie_submit sub = { .file = file, .efile = file->driver_priv };
	unsigned int i;
	int ret;

	if (args->flags || !args->jobs.count)
		return -EINVAL;
	ret = READ_ONCE(edev->wedged);
	if (ret)
		return ret;
	sub.queue = eie_queue_lookup(sub.efile, args->queue);
	if (!sub.queue)
		return -ENOENT;
	ret = eie_submit_parse(&sub, &args->jobs);
	if (!ret)
		ret = eie_submit_wake(&sub);
	if (!ret) {
		drm_exec_init(&sub.exec,
			      DRM_EXEC_INTERRUPTIBLE_WAIT | DRM_EXEC_IGNORE_DUPLICATES, 0);
		ret = eie_submit_lock(&sub);
		if (!ret)
			ret = eie_submit_push(&sub, &args->seqno);
		drm_exec_fini(&sub.exec);
	}
	for (i = 0; !ret && i < sub.num_jobs; i++)
		eie_submit_signal_out(&sub.jobs[i]);
	eie_submit_fini(&sub);
	eie_queue_put(sub.queue);
	return ret;
}
