// SPDX-License-Identifier: GPL-2.0
/*
 * Queues of user space, and the results of their jobs.
 */
#include <linux/capability.h>
#include <linux/nospec.h>
#include <linux/slab.h>

#include <drm/drm_file.h>
#include <drm/eie_accel.h>

#include "eie_device.h"
#include "eie_job.h"
#include "eie_ring.h"
#include "eie_vm.h"

static void eie_queue_release(struct kref *ref)
{
	struct eie_queue *queue = container_of(ref, struct eie_queue, ref);

	mutex_destroy(&queue->lock);
	kvfree(queue->results);
	kfree(queue);
}

void eie_queue_put(struct eie_queue *queue)
{
	kref_put(&queue->ref, eie_queue_release);
}

/**
 * eie_queue_lookup - find a queue of a file
 * @efile: file
 * @id: identifier
 *
 * Return: the queue with a reference for the caller, or NULL.
 */
struct eie_queue *eie_queue_lookup(struct eie_file *efile, u32 id)
{
	struct eie_queue *queue;

	xa_lock(&efile->queues);
	queue = xa_load(&efile->queues, id);
	if (queue)
		kref_get(&queue->ref);
	xa_unlock(&efile->queues);
	return queue;
}

int eie_ioctl_queue_create(struct drm_device *drm, void *data, struct drm_file *file)
{
	struct eie_device *edev = to_eie_device(drm);
	struct eie_file *efile = file->driver_priv;
	struct drm_eie_queue_create *args = data;
	struct drm_gpu_scheduler *sched;
	struct eie_queue *queue;
	u32 id;
	int ret;

	if (args->flags || args->pad || args->priority >= edev->num_rings)
		return -EINVAL;
	if (args->priority < eie_default_priority(edev) && !capable(CAP_SYS_NICE))
		return -EACCES;

	queue = kzalloc(sizeof(*queue), GFP_KERNEL);
	if (!queue)
		return -ENOMEM;
	kref_init(&queue->ref);
	mutex_init(&queue->lock);
	spin_lock_init(&queue->results_lock);
	queue->ring = &edev->rings[array_index_nospec(args->priority, edev->num_rings)];
	queue->vm = efile->vm;

	ret = -ENOMEM;
	queue->results = kvcalloc(EIE_RESULTS, sizeof(*queue->results), GFP_KERNEL);
	if (!queue->results)
		goto err_put;
	sched = &queue->ring->sched;
	ret = drm_sched_entity_init(&queue->entity, DRM_SCHED_PRIORITY_NORMAL, &sched, 1, NULL);
	if (ret)
		goto err_put;
	/* writes the identifier on failure too */
	ret = xa_alloc(&efile->queues, &id, queue, XA_LIMIT(1, EIE_MAX_QUEUES), GFP_KERNEL);
	if (ret)
		goto err_entity;
	args->queue = id;
	return 0;

err_entity:
	drm_sched_entity_fini(&queue->entity);
err_put:
	eie_queue_put(queue);
	return ret == -EBUSY ? -ENOSPC : ret;
}

/* The queue is out of the table; ioctls that found it before may still hold it. */
static void eie_queue_kill(struct eie_queue *queue)
{
	mutex_lock(&queue->lock);
	queue->dead = true;
	mutex_unlock(&queue->lock);
	drm_sched_entity_fini(&queue->entity);
	eie_queue_put(queue);
}

int eie_ioctl_queue_destroy(struct drm_device *drm, void *data, struct drm_file *file)
{
	struct eie_file *efile = file->driver_priv;
	struct drm_eie_queue_destroy *args = data;
	struct eie_queue *queue;

	if (args->pad)
		return -EINVAL;
	queue = xa_erase(&efile->queues, args->queue);
	if (!queue)
		return -ENOENT;
	eie_queue_kill(queue);
	return 0;
}

/**
 * eie_queue_destroy_all - destroy the queues of a file that is closed
 * @efile: file
 */
void eie_queue_destroy_all(struct eie_file *efile)
{
	struct eie_queue *queue;
	unsigned long id;

	xa_for_each(&efile->queues, id, queue)
		eie_queue_kill(queue);
	xa_destroy(&efile->queues);
}

/**
 * eie_queue_set_result - keep how a job ended
 * @queue: its queue
 * @seqno: its number in the queue
 * @cpl: what the device reported, or NULL
 * @error: what its fence will hold
 *
 * From any context; before the fence is signalled, so that who waited for that finds it.
 */
void eie_queue_set_result(struct eie_queue *queue, u64 seqno, const struct eie_cpl *cpl,
			  int error)
{
	struct eie_result *result = &queue->results[seqno % EIE_RESULTS];
	unsigned long flags;

	spin_lock_irqsave(&queue->results_lock, flags);
	if (seqno > result->seqno) {
		result->seqno = seqno;
		result->error = error;
		result->lost = !cpl;
		if (cpl)
			result->cpl = *cpl;
		else
			memset(&result->cpl, 0, sizeof(result->cpl));
	}
	spin_unlock_irqrestore(&queue->results_lock, flags);
}

static void eie_result_fill(struct drm_eie_result *args, const struct eie_result *result)
{
	const struct eie_cpl *cpl = &result->cpl;
	u32 fault = le32_to_cpu(cpl->fault_cmd);

	args->status = result->lost ? DRM_EIE_STATUS_LOST : le32_to_cpu(cpl->status);
	args->error = result->error;
	if (le32_to_cpu(cpl->restored))
		args->flags |= DRM_EIE_RESULT_RESTORED;
	if (EIE_GET(CPL_FAULT_VALID, fault)) {
		args->flags |= DRM_EIE_RESULT_FAULT_CMD;
		if (EIE_GET(CPL_FAULT_RESTORE, fault))
			args->flags |= DRM_EIE_RESULT_FAULT_RESTORE;
		args->fault_index = EIE_GET(CPL_FAULT_INDEX, fault);
	} else {
		args->fault_index = 0;
	}
	args->fault_addr = le64_to_cpu(cpl->fault_addr);
	args->cycles = le32_to_cpu(cpl->cycles);
	args->busy = le32_to_cpu(cpl->busy);
	args->stall_drain = le32_to_cpu(cpl->stall_drain);
	args->stall_array = le32_to_cpu(cpl->stall_array);
	args->stall_load = le32_to_cpu(cpl->stall_load);
	args->stall_store = le32_to_cpu(cpl->stall_store);
	args->stall_sync = le32_to_cpu(cpl->stall_sync);
	args->stall_cmd = le32_to_cpu(cpl->stall_cmd);
	args->stall_front = le32_to_cpu(cpl->stall_front);
	args->stall_tail = le32_to_cpu(cpl->stall_tail);
	args->engine_cycles = le32_to_cpu(cpl->engine_cycles);
	args->saturated = le32_to_cpu(cpl->saturated);
	args->read_beats = le32_to_cpu(cpl->read_beats);
	args->write_beats = le32_to_cpu(cpl->write_beats);
	args->tlb_misses = le32_to_cpu(cpl->tlb_misses);
	args->commands = le32_to_cpu(cpl->commands);
	args->pad = 0;
	args->macs = le64_to_cpu(cpl->macs);
	args->time_start = le64_to_cpu(cpl->time_start);
	args->time_end = le64_to_cpu(cpl->time_end);
}

int eie_ioctl_result(struct drm_device *drm, void *data, struct drm_file *file)
{
	struct eie_file *efile = file->driver_priv;
	struct drm_eie_result *args = data;
	struct eie_queue *queue;
	struct eie_result result;
	unsigned long flags;
	int ret = 0;
	u64 newest;

	if (args->flags)
		return -EINVAL;
	queue = eie_queue_lookup(efile, args->queue);
	if (!queue)
		return -ENOENT;

	mutex_lock(&queue->lock);
	newest = queue->seqno;
	mutex_unlock(&queue->lock);
	spin_lock_irqsave(&queue->results_lock, flags);
	result = queue->results[args->seqno % EIE_RESULTS];
	spin_unlock_irqrestore(&queue->results_lock, flags);

	if (!args->seqno || args->seqno > newest)
		ret = -EINVAL;
	else if (result.seqno > args->seqno)
		ret = -ENODATA;
	else if (result.seqno < args->seqno)
		ret = -EBUSY;
	else
		eie_result_fill(args, &result);
	eie_queue_put(queue);
	return ret;
}
