// SPDX-License-Identifier: GPL-2.0
/**
 * DOC: When things go wrong
 *
 * A job that fails ends with a status; that is no matter for this file. Here are
 *
 * - jobs that hang. A job whose time runs out is looked at: as long as the device counts
 *   progress (PROGRESS: commands completed, bus beats), of whatever job, it goes on. Jobs
 *   end without an upper limit but the one that cycle_limit gives them.
 * - queues of the hardware that stopped: bus error on a ring, doorbell refused, or a
 *   completion entry that makes no sense.
 *
 * The answer is a core dump and a reset of the one queue. The job at its head fails; the
 * others of that ring are given to the device once more, they have not begun. Other rings
 * notice nothing. When the queue does not become quiet the device is reset, with the same
 * result. When that fails too the device is cut off from memory, and all jobs fail, until
 * it is unbound.
 *
 * A device that does not wake up has no job to lose: the submission that needed it fails,
 * and the next one tries again (eie_device_wake()).
 */
#include <linux/delay.h>
#include <linux/iopoll.h>

#include <drm/drm_drv.h>
#include <drm/drm_print.h>
#include <drm/eie_accel.h>

#include "eie_device.h"
#include "eie_job.h"
#include "eie_ring.h"
#include "eie_trace.h"
#include "eie_vm.h"

/* resets wait for answers of the bus only */
#define EIE_RESET_POLL_US	10
#define EIE_RESET_TIMEOUT_US	(5 * USEC_PER_SEC)

/* looks at a job in which the device's clock stands still before it counts as hung */
#define EIE_MAX_STANDSTILLS	5

/* the longest command of the largest device so far takes two million cycles */
static unsigned int eie_hang_cycles = 1 << 22;
module_param_named(hang_cycles, eie_hang_cycles, uint, 0644);
MODULE_PARM_DESC(hang_cycles, "device cycles without progress after which a job hangs (default 4194304)");

/* The registers of a device that fell off the bus, or whose power is gone, read all ones. */
static bool eie_device_is_lost(struct eie_device *edev)
{
	return eie_read(edev, EIE_REG_ID) != EIE_ID_VALUE;
}

/* No job runs any more; those that were given to the device fail with @error. */
static void eie_device_wedge(struct eie_device *edev, int error, const char *why)
{
	unsigned int i;

	lockdep_assert_held(&edev->reset_lock);
	if (edev->wedged)
		return;
	if (error != -ENODEV)
		drm_err(&edev->drm, "%s; device disabled\n", why);
	WRITE_ONCE(edev->wedged, error);
	edev->bus->quiesce(edev);
	for (i = 0; i < edev->num_rings; i++)
		eie_ring_fail_all(&edev->rings[i], error);
}

static void eie_sched_start(struct eie_ring *ring)
{
	lockdep_assert_held(&ring->edev->reset_lock);
	if (!ring->edev->paused)
		drm_sched_wqueue_start(&ring->sched);
}

static void eie_scheds_start(struct eie_device *edev)
{
	unsigned int i;

	for (i = 0; i < edev->num_rings; i++)
		eie_sched_start(&edev->rings[i]);
}

/**
 * eie_device_pause - no job is given to the device, until eie_device_unpause()
 * @edev: device
 *
 * Those that are in the rings go on.
 */
void eie_device_pause(struct eie_device *edev)
{
	unsigned int i;

	mutex_lock(&edev->reset_lock);
	edev->paused = true;
	for (i = 0; i < edev->num_rings; i++)
		drm_sched_wqueue_stop(&edev->rings[i].sched);
	mutex_unlock(&edev->reset_lock);
}

void eie_device_unpause(struct eie_device *edev)
{
	mutex_lock(&edev->reset_lock);
	edev->paused = false;
	eie_scheds_start(edev);
	mutex_unlock(&edev->reset_lock);
}

/* Wait until a bit of a CTRL register that was written 1 reads 0. */
static int eie_wait_reset(struct eie_device *edev, void __iomem *ctrl_reg, u32 bit)
{
	u32 ctrl;
	int ret;

	ret = readl_poll_timeout(ctrl_reg, ctrl, !(ctrl & bit) || ctrl == U32_MAX,
				 EIE_RESET_POLL_US, EIE_RESET_TIMEOUT_US);
	return eie_device_is_lost(edev) ? -ENODEV : ret;
}

/* Abort all and forget all: rings, translations, what is on the chip; take what has ended. */
static int eie_device_hw_reset(struct eie_device *edev)
{
	u32 bit = EIE_PUT(CTRL_RESET, 1);
	unsigned int i;
	int ret;

	if (eie_device_is_lost(edev))
		return -ENODEV;
	eie_write(edev, EIE_REG_CTRL, bit);
	ret = eie_wait_reset(edev, edev->regs + EIE_REG_CTRL, bit);
	for (i = 0; i < edev->num_rings; i++)
		eie_ring_poll(&edev->rings[i]);
	return ret;
}

/* The device was reset: set it up, jobs that are in rings run. */
static void eie_device_setup(struct eie_device *edev)
{
	u32 irqs = GENMASK(edev->num_rings - 1, 0) | EIE_PUT(IRQ_STATUS_FAULT, 1);
	unsigned int i;

	eie_write(edev, EIE_REG_IRQ_STATUS, irqs);
	eie_write(edev, EIE_REG_IRQ_ENABLE, edev->bus->level_irq ? irqs : 0);
	for (i = 0; i < edev->num_rings; i++)
		eie_ring_enable(&edev->rings[i]);
	eie_write(edev, EIE_REG_CTRL, EIE_PUT(CTRL_ENABLE, 1));

	WRITE_ONCE(edev->started, true);
	eie_scheds_start(edev);
}

/**
 * eie_device_start - make the device serve its rings
 * @edev: device, after power-up or resume
 *
 * Ends a pause, unless it fails. A device that was given up stays so.
 *
 * Return: 0, -ETIMEDOUT when the device does not become quiet, -ENODEV when it is gone.
 */
int eie_device_start(struct eie_device *edev)
{
	int ret = 0;

	mutex_lock(&edev->reset_lock);
	if (!edev->wedged)
		ret = eie_device_hw_reset(edev);
	if (!ret)
		edev->paused = false;
	if (!ret && !edev->wedged)
		eie_device_setup(edev);
	/* jobs that wait for a device that was given up fail now */
	if (edev->wedged)
		eie_scheds_start(edev);
	mutex_unlock(&edev->reset_lock);
	return ret;
}

/**
 * eie_device_stop - the device shall do nothing any more
 * @edev: device, which may be gone
 * @error: for jobs that it has not ended
 *
 * For unbind and shutdown, and when it does not come back from system sleep. Ends a pause:
 * schedulers go on, and every job that they run fails.
 */
void eie_device_stop(struct eie_device *edev, int error)
{
	mutex_lock(&edev->reset_lock);
	if (edev->started) {
		eie_write(edev, EIE_REG_IRQ_ENABLE, 0);
		eie_device_hw_reset(edev);
	}
	eie_device_wedge(edev, error, "stopped");
	edev->paused = false;
	eie_scheds_start(edev);
	mutex_unlock(&edev->reset_lock);
}

/*
 * The second resort. @ring: the one that did not become quiet, its head job fails; or NULL.
 */
static void eie_reset_device_locked(struct eie_device *edev, struct eie_ring *ring, int error,
				    const char *why)
{
	struct eie_job *head;
	unsigned int i;
	int ret;

	lockdep_assert_held(&edev->reset_lock);
	if (edev->wedged || !edev->started)
		return;
	dev_notice_ratelimited(edev->drm.dev, "%s; device reset\n", why);
	for (i = 0; i < edev->num_rings; i++) {
		drm_sched_wqueue_stop(&edev->rings[i].sched);
		eie_ring_disable(&edev->rings[i]);
	}
	head = ring ? eie_ring_head(ring) : NULL;
	ret = eie_device_hw_reset(edev);
	trace_eie_reset(edev, NULL, ret);
	if (ret) {
		eie_device_wedge(edev, ret == -ENODEV ? -ENODEV : -EIO, "device reset failed");
		eie_scheds_start(edev);
		return;
	}
	edev->resets++;
	if (head && eie_ring_head(ring) == head)
		eie_ring_fail_head(ring, error);
	eie_device_setup(edev);
}

/**
 * eie_reset_device - reset the whole device
 * @edev: device
 * @why: for the log
 *
 * The job that runs fails, the others run again. Afterwards the device makes no access that
 * began before.
 */
void eie_reset_device(struct eie_device *edev, const char *why)
{
	mutex_lock(&edev->reset_lock);
	eie_reset_device_locked(edev, NULL, -ECANCELED, why);
	mutex_unlock(&edev->reset_lock);
}

/* what becomes of a job at the head of a ring that a reset leaves there */
enum eie_blame {
	EIE_BLAME_NONE,		/* it runs again */
	EIE_BLAME_TWICE,	/* it runs again, but only once */
	EIE_BLAME_HEAD,		/* it fails */
};

/*
 * The first resort: reset one queue. The job of it that is on the chip ends with status
 * ABORTED and @error.
 */
static void eie_reset_ring(struct eie_ring *ring, int error, enum eie_blame blame,
			   const char *why)
{
	struct eie_device *edev = ring->edev;
	u32 bit = EIE_PUT(Q_CTRL_RESET, 1);
	struct eie_job *head;
	unsigned long flags;
	int ret;

	lockdep_assert_held(&edev->reset_lock);
	drm_sched_wqueue_stop(&ring->sched);
	eie_ring_disable(ring);
	spin_lock_irqsave(&ring->lock, flags);
	ring->abort_error = error;
	spin_unlock_irqrestore(&ring->lock, flags);
	head = eie_ring_head(ring);

	eie_ring_write(ring, EIE_REG_Q_CTRL, bit);
	ret = eie_wait_reset(edev, ring->regs + EIE_REG_Q_CTRL, bit);
	trace_eie_reset(edev, ring, ret);
	if (ret) {
		eie_reset_device_locked(edev, ring, error, "ring does not become quiet");
		return;
	}
	ring->resets++;
	eie_ring_poll(ring);
	if (head && eie_ring_head(ring) == head &&
	    (blame == EIE_BLAME_HEAD || (blame == EIE_BLAME_TWICE && head->retries++)))
		eie_ring_fail_head(ring, error);
	eie_ring_enable(ring);
	eie_sched_start(ring);
	drm_dbg(&edev->drm, "ring %u: %s; ring reset\n", ring->id, why);
}

/* Has the device, or only this ring, got anywhere since the last look? */
static bool eie_watch_progress(struct eie_ring *ring, u64 seqno)
{
	struct eie_device *edev = ring->edev;
	u32 progress = eie_read(edev, EIE_REG_PROGRESS);
	u32 now = eie_read(edev, EIE_REG_TIME_LO);

	if (ring->watch.seqno != seqno || ring->watch.progress != progress) {
		ring->watch.seqno = seqno;
		ring->watch.progress = progress;
		ring->watch.time = now;
		ring->watch.standstills = 0;
	} else if (ring->watch.last_time == now) {
		ring->watch.standstills++;
	}
	ring->watch.last_time = now;
	return now - ring->watch.time < READ_ONCE(eie_hang_cycles) &&
	       ring->watch.standstills < EIE_MAX_STANDSTILLS;
}

/*
 * Is the head of a ring the job with fence number @target, or one of @vm? @seqno gets its
 * number, or 0 when the ring is empty.
 */
static bool eie_ring_head_is(struct eie_ring *ring, u64 target, const struct eie_vm *vm,
			     u64 *seqno)
{
	struct eie_job *head;
	unsigned long flags;
	bool is = false;

	*seqno = 0;
	spin_lock_irqsave(&ring->lock, flags);
	if (ring->head != ring->tail) {
		head = ring->jobs[ring->head % EIE_RING_SIZE];
		*seqno = head->fence->base.seqno;
		is = *seqno == target || head->vm == vm;
	}
	spin_unlock_irqrestore(&ring->lock, flags);
	return is;
}

/*
 * Before a reset for the sake of one job: let no further job of the ring start, so that the
 * reset cannot hit an innocent one. If one has just taken the chip, let it end.
 *
 * Return: whether the head of the ring is still job @target, or one of @vm, or hangs as well.
 */
static bool eie_ring_hold(struct eie_ring *ring, u64 target, const struct eie_vm *vm)
{
	u64 seqno;
	u32 status;

	drm_sched_wqueue_stop(&ring->sched);
	for (;;) {
		eie_ring_write(ring, EIE_REG_Q_CTRL, 0);
		status = eie_ring_read(ring, EIE_REG_Q_STATUS);
		eie_ring_poll(ring);
		if (eie_ring_head_is(ring, target, vm, &seqno))
			return true;
		if (!EIE_GET(Q_STATUS_RUNNING, status) || status == U32_MAX)
			return false;
		if (!eie_watch_progress(ring, seqno))
			return true;
		usleep_range(100, 1000);
	}
}

static struct eie_ring *eie_running_ring(struct eie_device *edev)
{
	unsigned int i;

	for (i = 0; i < edev->num_rings; i++) {
		u32 status = eie_ring_read(&edev->rings[i], EIE_REG_Q_STATUS);

		if (EIE_GET(Q_STATUS_RUNNING, status))
			return &edev->rings[i];
	}
	return NULL;
}

/* Look at a queue that says, or of which we know, that it stopped. */
static bool eie_reset_if_stopped(struct eie_ring *ring)
{
	u32 status = eie_ring_read(ring, EIE_REG_Q_STATUS);
	u32 cause = EIE_GET(Q_STATUS_CAUSE, status);

	if (READ_ONCE(ring->broken)) {
		eie_coredump(ring, DRM_EIE_DUMP_PROTOCOL);
		eie_reset_ring(ring, -EIO, EIE_BLAME_HEAD, "completion entry of no job");
		return true;
	}
	if (!EIE_GET(Q_STATUS_ERROR, status))
		return false;
	eie_ring_poll(ring);
	eie_coredump(ring, DRM_EIE_DUMP_STOPPED);
	eie_reset_ring(ring, -EIO,
		       cause == EIE_HALT_DOORBELL ? EIE_BLAME_TWICE : EIE_BLAME_HEAD,
		       cause == EIE_HALT_DESC_READ ? "bus error on a descriptor" :
		       cause == EIE_HALT_CPL_WRITE ? "bus error on a completion entry" :
		       "doorbell refused");
	return true;
}

/**
 * eie_reset_stopped - work item of the fault interrupt
 * @work: &eie_device.stop_work
 */
void eie_reset_stopped(struct work_struct *work)
{
	struct eie_device *edev = container_of(work, struct eie_device, stop_work);
	unsigned int i;
	int idx;

	mutex_lock(&edev->reset_lock);
	if (drm_dev_enter(&edev->drm, &idx)) {
		if (edev->started && !edev->wedged) {
			if (eie_device_is_lost(edev))
				eie_device_wedge(edev, -ENODEV, "device lost");
			for (i = 0; i < edev->num_rings && !edev->wedged; i++)
				eie_reset_if_stopped(&edev->rings[i]);
		}
		drm_dev_exit(idx);
	}
	mutex_unlock(&edev->reset_lock);
}

static void eie_reset_hung(struct eie_ring *ring, enum eie_blame blame, const char *why)
{
	u64 seqno;

	eie_ring_head_is(ring, 0, NULL, &seqno);
	if (!eie_ring_hold(ring, seqno, NULL))
		blame = EIE_BLAME_NONE;
	if (blame != EIE_BLAME_NONE)
		eie_coredump(ring, DRM_EIE_DUMP_HANG);
	eie_reset_ring(ring, -ETIME, blame, why);
}

/**
 * eie_reset_watch - a job in a ring takes long
 * @ring: ring; @reset_lock is held
 */
void eie_reset_watch(struct eie_ring *ring)
{
	struct eie_device *edev = ring->edev;
	struct eie_ring *running;
	u64 seqno;
	int idx;

	lockdep_assert_held(&edev->reset_lock);
	if (!edev->started || edev->wedged || !drm_dev_enter(&edev->drm, &idx))
		return;
	if (eie_device_is_lost(edev)) {
		eie_device_wedge(edev, -ENODEV, "device lost");
		goto out;
	}
	/* interrupts get lost */
	eie_ring_poll(ring);
	if (eie_reset_if_stopped(ring))
		goto out;
	eie_ring_head_is(ring, 0, NULL, &seqno);
	if (!seqno || eie_watch_progress(ring, seqno))
		goto out;

	/* whose job is it that keeps this one from running? Maybe its own. */
	running = eie_running_ring(edev);
	if (running)
		eie_reset_hung(running, EIE_BLAME_HEAD, "job makes no progress");
	else
		eie_reset_hung(ring, EIE_BLAME_TWICE, "job does not start");
	ring->watch.seqno = 0;
out:
	drm_dev_exit(idx);
}

/**
 * eie_reset_cancel - end the jobs of a file that is closed
 * @edev: device
 * @vm: its address space, to which no job is added any more
 *
 * Those on the chip are aborted; those that wait behind a job of someone else become empty
 * and end when their turn comes.
 */
void eie_reset_cancel(struct eie_device *edev, struct eie_vm *vm)
{
	unsigned int i;
	u64 seqno;
	int idx;

	mutex_lock(&edev->reset_lock);
	if (edev->started && !edev->wedged && drm_dev_enter(&edev->drm, &idx)) {
		for (i = 0; i < edev->num_rings && !edev->wedged; i++) {
			struct eie_ring *ring = &edev->rings[i];
			bool ours;

			eie_ring_cancel(ring, vm);
			if (!eie_ring_head_is(ring, 0, vm, &seqno))
				continue;
			ours = eie_ring_hold(ring, 0, vm);
			eie_reset_ring(ring, -ECANCELED,
				       ours ? EIE_BLAME_HEAD : EIE_BLAME_NONE, "file closed");
		}
		drm_dev_exit(idx);
	}
	mutex_unlock(&edev->reset_lock);
}
