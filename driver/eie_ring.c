// SPDX-License-Identifier: GPL-2.0
/*
 * Queue pairs of the hardware: rings in memory, doorbell, interrupts, completion.
 *
 * The way of a job that meets no trouble has one access to the device, the doorbell:
 * whether it has ended, and where the device is in its rings, is read in memory.
 */
#include <linux/dma-mapping.h>
#include <linux/ktime.h>
#include <linux/slab.h>

#include <drm/drm_drv.h>
#include <drm/drm_managed.h>
#include <drm/drm_print.h>

#include "eie_device.h"
#include "eie_job.h"
#include "eie_ring.h"
#include "eie_trace.h"
#include "eie_vm.h"

static unsigned int eie_timeout_ms = 1000;
module_param_named(timeout_ms, eie_timeout_ms, uint, 0444);
MODULE_PARM_DESC(timeout_ms, "milliseconds after which a job is looked at, and again (default 1000)");

static const char *eie_fence_driver_name(struct dma_fence *fence)
{
	return "eie";
}

static const char *eie_fence_timeline_name(struct dma_fence *fence)
{
	return "ring";
}

static void eie_fence_release_work(struct work_struct *work)
{
	eie_fence_free(container_of(work, struct eie_fence, release));
}

/* From any context, while the last reference to the device goes away in process context. */
static void eie_fence_release(struct dma_fence *base)
{
	struct eie_fence *fence = container_of(base, struct eie_fence, base);

	queue_work(eie_release_wq, &fence->release);
}

static const struct dma_fence_ops eie_fence_ops = {
	.get_driver_name = eie_fence_driver_name,
	.get_timeline_name = eie_fence_timeline_name,
	.release = eie_fence_release,
};

/**
 * eie_fence_alloc - a fence that the ring will initialise
 * @edev: device
 *
 * Return: the fence, or NULL without memory. It goes back with eie_fence_free() until the
 * ring has taken it, with dma_fence_put() later.
 */
struct eie_fence *eie_fence_alloc(struct eie_device *edev)
{
	struct eie_fence *fence = kzalloc(sizeof(*fence), GFP_KERNEL);

	if (!fence)
		return NULL;
	spin_lock_init(&fence->lock);
	INIT_WORK(&fence->release, eie_fence_release_work);
	fence->drm = &edev->drm;
	drm_dev_get(fence->drm);
	__module_get(THIS_MODULE);
	return fence;
}

void eie_fence_free(struct eie_fence *fence)
{
	BUILD_BUG_ON(offsetof(struct eie_fence, base));
	drm_dev_put(fence->drm);
	dma_fence_free(&fence->base);
	module_put(THIS_MODULE);
}

static struct eie_job **eie_ring_slot(struct eie_ring *ring, u16 i)
{
	return &ring->jobs[i % EIE_RING_SIZE];
}

/* Write the descriptor of the next job and ring for it; the caller has made sure of room. */
static void eie_ring_emit(struct eie_ring *ring, struct eie_job *job)
{
	struct eie_desc *desc = &ring->sq[ring->tail % EIE_RING_SIZE];

	*desc = job->desc;
	desc->fence = cpu_to_le64(job->fence->base.seqno);
	*eie_ring_slot(ring, ring->tail++) = job;
}

static void eie_ring_doorbell(struct eie_ring *ring)
{
	/* writel() orders the descriptors before the doorbell */
	eie_ring_write(ring, EIE_REG_Q_DOORBELL,
		       EIE_PUT(Q_DOORBELL_SQ_TAIL, ring->tail) |
		       EIE_PUT(Q_DOORBELL_CQ_HEAD, ring->head));
}

/**
 * eie_ring_push - give a job to the device
 * @ring: ring
 * @job: job; its fence is initialised
 *
 * The scheduler's credits keep the number of jobs in the ring below its size.
 *
 * Return: 0, or the errno that the job shall end with: the device can run none any more.
 */
int eie_ring_push(struct eie_ring *ring, struct eie_job *job)
{
	struct eie_device *edev = ring->edev;
	unsigned long flags;
	int ret;

	spin_lock_irqsave(&ring->lock, flags);
	ret = READ_ONCE(edev->wedged);
	if (!ret && drm_WARN_ON_ONCE(&edev->drm, !ring->enabled ||
				     (u16)(ring->tail - ring->head) >= EIE_RING_SIZE))
		ret = -EIO;
	if (ret)
		goto out;

	dma_fence_init(&job->fence->base, &eie_fence_ops, &job->fence->lock, ring->context,
		       ++ring->seqno);
	job->start = ktime_get();
	if (!READ_ONCE(job->vm->live)) {
		WRITE_ONCE(job->vm->live, true);
		/* pairs with eie_vm_invalidate() */
		smp_mb();
	}
	eie_ring_emit(ring, job);
	trace_eie_job_run(ring, job);
	eie_ring_doorbell(ring);
out:
	spin_unlock_irqrestore(&ring->lock, flags);
	return ret;
}

/* The head job has ended: with an entry of the device, or in @error without one. */
static void eie_ring_retire(struct eie_ring *ring, const struct eie_cpl *cpl, int error)
{
	struct eie_job *job = *eie_ring_slot(ring, ring->head);
	struct dma_fence *fence = &job->fence->base;

	lockdep_assert_held(&ring->lock);
	*eie_ring_slot(ring, ring->head++) = NULL;
	WRITE_ONCE(ring->last_asid, job->vm->asid);
	eie_job_complete(job, cpl, error);

	/* once signalled the job may be freed, and its address space with it */
	dma_fence_get(fence);
	if (error)
		dma_fence_set_error(fence, error);
	dma_fence_signal(fence);
	dma_fence_put(fence);
}

static void eie_ring_poll_locked(struct eie_ring *ring)
{
	while (ring->head != ring->tail && !ring->broken) {
		struct eie_cpl *cpl = &ring->cq[ring->head % EIE_RING_SIZE];
		struct eie_job *job = *eie_ring_slot(ring, ring->head);
		u32 phase = !(ring->head & EIE_RING_SIZE);
		u32 status;
		int error;

		if (le32_to_cpu(READ_ONCE(cpl->phase)) != phase)
			break;
		/* the phase is in the last beat: with it the whole entry has arrived */
		dma_rmb();
		if (le64_to_cpu(cpl->fence) != job->fence->base.seqno) {
			ring->broken = true;
			queue_work(ring->edev->timeout_wq, &ring->edev->stop_work);
			break;
		}
		status = le32_to_cpu(cpl->status);
		error = eie_job_error(status);
		if (status == EIE_STATUS_ABORTED && ring->abort_error)
			error = ring->abort_error;
		if (job->cancelled)
			error = -ECANCELED;
		eie_ring_retire(ring, cpl, error);
	}
}

/**
 * eie_ring_reject - end a job that the device shall not see
 * @job: job
 * @error: for its fence
 *
 * The scheduler would take an error instead of a fence, but only a fence keeps the device
 * for those who hold the job's (see struct eie_fence). It has a timeline of its own:
 * earlier jobs may still be in the ring.
 */
void eie_ring_reject(struct eie_job *job, int error)
{
	struct dma_fence *fence = &job->fence->base;

	dma_fence_init(fence, &eie_fence_ops, &job->fence->lock, dma_fence_context_alloc(1), 1);
	eie_queue_set_result(job->queue, job->seqno, NULL, error);
	dma_fence_set_error(fence, error);
	dma_fence_signal(fence);
}

/**
 * eie_ring_poll - take note of jobs that have ended
 * @ring: ring
 *
 * From interrupts, and from those who do not rely on them.
 */
void eie_ring_poll(struct eie_ring *ring)
{
	unsigned long flags;

	spin_lock_irqsave(&ring->lock, flags);
	eie_ring_poll_locked(ring);
	spin_unlock_irqrestore(&ring->lock, flags);
}

irqreturn_t eie_ring_irq(int irq, void *arg)
{
	eie_ring_poll(arg);
	return IRQ_HANDLED;
}

/**
 * eie_ring_head - the oldest job in a ring
 * @ring: ring; the caller keeps jobs from ending, or does not look into the job
 *
 * Return: the job, or NULL.
 */
struct eie_job *eie_ring_head(struct eie_ring *ring)
{
	struct eie_job *job = NULL;
	unsigned long flags;

	spin_lock_irqsave(&ring->lock, flags);
	if (ring->head != ring->tail)
		job = *eie_ring_slot(ring, ring->head);
	spin_unlock_irqrestore(&ring->lock, flags);
	return job;
}

/**
 * eie_ring_fail_head - end the oldest job that the device did not report
 * @ring: ring that the device does not serve now
 * @error: for its fence
 */
void eie_ring_fail_head(struct eie_ring *ring, int error)
{
	unsigned long flags;

	spin_lock_irqsave(&ring->lock, flags);
	if (ring->head != ring->tail)
		eie_ring_retire(ring, NULL, error);
	spin_unlock_irqrestore(&ring->lock, flags);
}

/**
 * eie_ring_fail_all - end all jobs in a ring
 * @ring: ring that the device does not serve now
 * @error: for their fences
 */
void eie_ring_fail_all(struct eie_ring *ring, int error)
{
	unsigned long flags;

	spin_lock_irqsave(&ring->lock, flags);
	eie_ring_poll_locked(ring);
	while (ring->head != ring->tail)
		eie_ring_retire(ring, NULL, error);
	spin_unlock_irqrestore(&ring->lock, flags);
}

/**
 * eie_ring_cancel - cancel the jobs of an address space that have not begun
 * @ring: ring
 * @vm: address space
 *
 * Their descriptors lose their commands, so that they cost no time when their turn comes.
 * The counts are one aligned 64-bit word, which the device reads in one beat.
 */
void eie_ring_cancel(struct eie_ring *ring, struct eie_vm *vm)
{
	unsigned long flags;
	u16 i;

	BUILD_BUG_ON(offsetof(struct eie_desc, nrestore) != offsetof(struct eie_desc, ncmds) + 4);
	BUILD_BUG_ON(offsetof(struct eie_desc, ncmds) % 8);

	spin_lock_irqsave(&ring->lock, flags);
	for (i = ring->head; i != ring->tail; i++) {
		struct eie_job *job = *eie_ring_slot(ring, i);

		if (job->vm != vm)
			continue;
		job->cancelled = true;
		job->desc.ncmds = 0;
		job->desc.nrestore = 0;
		WRITE_ONCE(*(u64 *)&ring->sq[i % EIE_RING_SIZE].ncmds, 0);
	}
	spin_unlock_irqrestore(&ring->lock, flags);
}

/**
 * eie_ring_disable - no doorbells from here on
 * @ring: ring; its scheduler is stopped
 *
 * Does not touch the hardware.
 */
void eie_ring_disable(struct eie_ring *ring)
{
	unsigned long flags;

	spin_lock_irqsave(&ring->lock, flags);
	ring->enabled = false;
	spin_unlock_irqrestore(&ring->lock, flags);
}

/**
 * eie_ring_enable - let the device serve a ring
 * @ring: ring, whose registers are as after a reset
 *
 * Jobs that are still in the ring are given to the device once more, in their order.
 */
void eie_ring_enable(struct eie_ring *ring)
{
	struct eie_job *jobs[EIE_RING_SIZE];
	unsigned int i, n = 0;
	unsigned long flags;

	spin_lock_irqsave(&ring->lock, flags);
	while (ring->head != ring->tail) {
		jobs[n++] = *eie_ring_slot(ring, ring->head);
		*eie_ring_slot(ring, ring->head++) = NULL;
	}
	ring->head = 0;
	ring->tail = 0;
	ring->broken = false;
	ring->abort_error = 0;
	memset(ring->cq, 0, EIE_RING_SIZE * EIE_CPL_BYTES);

	eie_ring_write(ring, EIE_REG_Q_SQ_BASE_LO, lower_32_bits(ring->sq_dma));
	eie_ring_write(ring, EIE_REG_Q_SQ_BASE_HI, upper_32_bits(ring->sq_dma));
	eie_ring_write(ring, EIE_REG_Q_CQ_BASE_LO, lower_32_bits(ring->cq_dma));
	eie_ring_write(ring, EIE_REG_Q_CQ_BASE_HI, upper_32_bits(ring->cq_dma));
	eie_ring_write(ring, EIE_REG_Q_SIZE, EIE_PUT(Q_SIZE_SQ_LOG2, EIE_RING_LOG2) |
		       EIE_PUT(Q_SIZE_CQ_LOG2, EIE_RING_LOG2));
	eie_ring_write(ring, EIE_REG_Q_CTRL, EIE_PUT(Q_CTRL_ENABLE, 1));
	ring->enabled = true;

	for (i = 0; i < n; i++)
		eie_ring_emit(ring, jobs[i]);
	if (n)
		eie_ring_doorbell(ring);
	spin_unlock_irqrestore(&ring->lock, flags);
}

static void eie_ring_fini(struct drm_device *drm, void *arg)
{
	struct eie_ring *ring = arg;

	drm_sched_fini(&ring->sched);
}

static int eie_ring_init(struct eie_device *edev, unsigned int id)
{
	struct eie_ring *ring = &edev->rings[id];
	struct device *dev = edev->drm.dev;
	struct drm_sched_init_args args = {
		.ops = &eie_sched_ops,
		.timeout_wq = edev->timeout_wq,
		.num_rqs = DRM_SCHED_PRIORITY_COUNT,
		.credit_limit = EIE_RING_SIZE,
		.name = ring->name,
		.timeout = msecs_to_jiffies(clamp(eie_timeout_ms, 10, 3600000)),
		.dev = dev,
	};
	int ret;

	ring->edev = edev;
	ring->id = id;
	ring->regs = edev->regs + EIE_QUEUE_BASE + id * EIE_QUEUE_STRIDE;
	snprintf(ring->name, sizeof(ring->name), "eie-ring%u", id);
	ring->context = dma_fence_context_alloc(1);
	spin_lock_init(&ring->lock);

	ring->sq = dmam_alloc_coherent(dev, EIE_RING_SIZE * EIE_DESC_BYTES, &ring->sq_dma,
				       GFP_KERNEL);
	ring->cq = dmam_alloc_coherent(dev, EIE_RING_SIZE * EIE_CPL_BYTES, &ring->cq_dma,
				       GFP_KERNEL);
	if (!ring->sq || !ring->cq)
		return -ENOMEM;

	ret = eie_sched_init(&ring->sched, &args);
	if (ret)
		return ret;
	/* after the last file is closed: entities of open files need it */
	return drmm_add_action_or_reset(&edev->drm, eie_ring_fini, ring);
}

/**
 * eie_rings_init - make rings and schedulers, the device does not know of them yet
 * @edev: device
 *
 * Return: 0 or a negative errno.
 */
int eie_rings_init(struct eie_device *edev)
{
	unsigned int i;
	int ret;

	edev->rings = drmm_kcalloc(&edev->drm, edev->num_rings, sizeof(*edev->rings),
				   GFP_KERNEL);
	if (!edev->rings)
		return -ENOMEM;
	for (i = 0; i < edev->num_rings; i++) {
		ret = eie_ring_init(edev, i);
		if (ret)
			return ret;
	}
	return 0;
}
