// SPDX-License-Identifier: GPL-2.0
/**
 * DOC: Jobs
 *
 * Each hardware queue (struct eie_ring) is a level of priority and has a scheduler of its
 * own. A queue of user space (struct eie_queue) is an entity of the scheduler of its
 * level: its jobs run in order, and the scheduler is fair to the entities of a level.
 * Between levels the hardware decides, job by job.
 *
 * The scheduler lets as many jobs into the ring as it has entries. The device takes them
 * one after the other; the fence of each, allocated when it was submitted, is signalled
 * from the interrupt, and carries an error when the job failed.
 *
 * A job takes along references to all that the device may touch on its behalf, and gives
 * them back in a work item of its own: unmapping waits for the device, and the scheduler's
 * own workers must never do that, for they signal fences.
 */
#include <linux/pm_runtime.h>
#include <linux/slab.h>

#include <drm/drm_drv.h>

#include "eie_device.h"
#include "eie_job.h"
#include "eie_ring.h"
#include "eie_trace.h"
#include "eie_vm.h"

/**
 * eie_job_error - what the fence of a job holds
 * @status: EIE_STATUS_* of its completion entry
 *
 * Return: 0 or a negative errno, as docs/uapi.md lists them.
 */
int eie_job_error(u32 status)
{
	switch (status) {
	case EIE_STATUS_OK:
		return 0;
	case EIE_STATUS_PAGE_FAULT:
		return -EFAULT;
	case EIE_STATUS_BUS_ERROR:
		return -EIO;
	case EIE_STATUS_TIMEOUT:
		return -ETIME;
	case EIE_STATUS_ABORTED:
		return -ECANCELED;
	default:
		return -EINVAL;
	}
}

static bool eie_job_take_room(struct eie_vm *vm, unsigned int n)
{
	int held = atomic_read(&vm->held);

	do {
		if (held + n > EIE_MAX_PENDING)
			return false;
	} while (!atomic_try_cmpxchg(&vm->held, &held, held + n));
	return true;
}

/**
 * eie_job_reserve - wait until an address space may have @n more jobs
 * @vm: address space
 * @n: jobs, at most EIE_MAX_JOBS
 *
 * Room for all of them or for none: two submissions that had a part each would wait for
 * each other. It goes back with the jobs, or with eie_job_unreserve().
 *
 * Return: 0, -ERESTARTSYS.
 */
int eie_job_reserve(struct eie_vm *vm, unsigned int n)
{
	BUILD_BUG_ON(EIE_MAX_JOBS > EIE_MAX_PENDING);
	return wait_event_interruptible(vm->room, eie_job_take_room(vm, n));
}

/**
 * eie_job_unreserve - there will not be @n jobs
 * @vm: address space
 * @n: how many of those that eie_job_reserve() made room for
 */
void eie_job_unreserve(struct eie_vm *vm, unsigned int n)
{
	if (!n)
		return;
	atomic_sub(n, &vm->held);
	wake_up_all(&vm->room);
}

/**
 * eie_job_alloc - an empty job
 * @queue: queue that it is for; there is room for the job
 *
 * Return: the job, or NULL without memory; it goes back with eie_job_free().
 */
struct eie_job *eie_job_alloc(struct eie_queue *queue)
{
	struct eie_job *job = kzalloc(sizeof(*job), GFP_KERNEL_ACCOUNT);

	if (!job)
		return NULL;
	job->fence = eie_fence_alloc(queue->ring->edev);
	if (!job->fence) {
		kfree(job);
		return NULL;
	}
	kref_get(&queue->ref);
	job->queue = queue;
	job->edev = queue->ring->edev;
	job->vm = eie_vm_get(queue->vm);
	return job;
}

/**
 * eie_job_free - give back all that a job holds
 * @job: job that is not in a ring
 *
 * May wait for the device.
 */
void eie_job_free(struct eie_job *job)
{
	struct device *dev = job->edev->drm.dev;
	unsigned int i;

	if (job->inited)
		drm_sched_job_cleanup(&job->base);
	for (i = 0; i < job->num_maps; i++)
		eie_mapping_put(job->maps[i]);
	kvfree(job->maps);
	kvfree(job->access);
	if (job->powered) {
		pm_runtime_mark_last_busy(dev);
		pm_runtime_put_autosuspend(dev);
	}
	if (kref_read(&job->fence->base.refcount))
		dma_fence_put(&job->fence->base);
	else
		eie_fence_free(job->fence);
	eie_queue_put(job->queue);
	eie_job_unreserve(job->vm, 1);
	eie_vm_put(job->vm);
	kfree(job);
}

static void eie_job_release(struct work_struct *work)
{
	eie_job_free(container_of(work, struct eie_job, release));
}

/* Time on the device: since the job was given to it, or since the one before it ended. */
static void eie_job_account(struct eie_job *job, const struct eie_cpl *cpl)
{
	struct eie_device *edev = job->edev;
	ktime_t now = ktime_get(), start = job->start;

	spin_lock(&edev->engine_lock);
	if (ktime_after(edev->engine_idle, start))
		start = edev->engine_idle;
	edev->engine_idle = now;
	spin_unlock(&edev->engine_lock);

	atomic64_add(ktime_to_ns(ktime_sub(now, start)), &job->vm->engine_ns);
	atomic64_inc(&job->vm->jobs);
	if (cpl)
		atomic64_add(le32_to_cpu(cpl->cycles), &job->vm->cycles);
}

/**
 * eie_job_complete - a job has left the ring
 * @job: job, its fence not yet signalled
 * @cpl: what the device reported, or NULL
 * @error: 0 or a negative errno
 *
 * Called with the ring's lock held.
 */
void eie_job_complete(struct eie_job *job, const struct eie_cpl *cpl, int error)
{
	eie_job_account(job, cpl);
	eie_queue_set_result(job->queue, job->seqno, cpl, error);
	trace_eie_job_done(job, cpl, error);
}

static struct dma_fence *eie_job_run(struct drm_sched_job *sched_job)
{
	struct eie_job *job = to_eie_job(sched_job);
	int error = sched_job->s_fence->finished.error;
	int idx;

	if (!error) {
		if (drm_dev_enter(&job->edev->drm, &idx)) {
			error = eie_ring_push(job->queue->ring, job);
			drm_dev_exit(idx);
		} else {
			error = -ENODEV;
		}
	}
	if (error)
		eie_ring_reject(job, error);
	return dma_fence_get(&job->fence->base);
}

static enum drm_gpu_sched_stat eie_job_timedout(struct drm_sched_job *sched_job)
{
	struct eie_job *job = to_eie_job(sched_job);
	struct eie_device *edev = job->edev;
	enum drm_gpu_sched_stat stat;

	/*
	 * The ring is looked at, not this job: it may wait for its turn. Whatever comes
	 * of that, a job that ended has its fence signalled, and the scheduler finds it on
	 * its list as if its time had not run out.
	 */
	mutex_lock(&edev->reset_lock);
	eie_reset_watch(job->queue->ring);
	stat = eie_sched_keep(sched_job, !edev->paused);
	mutex_unlock(&edev->reset_lock);
	return stat;
}

static void eie_job_free_sched(struct drm_sched_job *sched_job)
{
	struct eie_job *job = to_eie_job(sched_job);

	if (atomic_dec_and_test(&job->vm->pending))
		wake_up_all(&job->vm->idle);
	INIT_WORK(&job->release, eie_job_release);
	queue_work(eie_release_wq, &job->release);
}

const struct drm_sched_backend_ops eie_sched_ops = {
	.run_job = eie_job_run,
	.timedout_job = eie_job_timedout,
	.free_job = eie_job_free_sched,
};
