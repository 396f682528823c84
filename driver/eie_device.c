// SPDX-License-Identifier: GPL-2.0
/*
 * The device whatever its bus: what it is, start, interrupts, power, removal.
 */
#include <linux/delay.h>
#include <linux/dma-mapping.h>
#include <linux/interrupt.h>
#include <linux/pm_runtime.h>
#include <linux/property.h>

#include <drm/drm_drv.h>
#include <drm/drm_managed.h>
#include <drm/drm_print.h>

#include "eie_device.h"
#include "eie_gem.h"
#include "eie_ring.h"
#include "eie_trace.h"
#include "eie_vm.h"

#define EIE_DMA_BITS		(EIE_PTE_PPN_BITS + 12)
#define EIE_AUTOSUSPEND_MS	100
/* a suspend waits as long for jobs that are on the device; programs are cut to milliseconds */
#define EIE_SUSPEND_MS		10000

unsigned int eie_max_cycles = U32_MAX;
module_param_named(max_cycles, eie_max_cycles, uint, 0444);
MODULE_PARM_DESC(max_cycles, "every job's cycle limit is cut to this (default 2^32 - 1)");

/* Is it one that we know? What there is to know about it that does not change. */
static int eie_device_identify(struct eie_device *edev)
{
	struct drm_device *drm = &edev->drm;
	u32 id = eie_read(edev, EIE_REG_ID);
	u32 version = eie_read(edev, EIE_REG_VERSION);
	unsigned int i;
	__le32 *dt;

	if (id != EIE_ID_VALUE) {
		drm_err(drm, "register ID is %#x, not %#x: no EIE, or not alive\n", id,
			EIE_ID_VALUE);
		return -ENODEV;
	}
	if (EIE_GET(VERSION_MAJOR, version) != EIE_ISA_MAJOR ||
	    EIE_GET(VERSION_MINOR, version) < EIE_ISA_MINOR) {
		drm_err(drm, "hardware version %u.%u, this driver needs %u.%u or a later %u.x\n",
			EIE_GET(VERSION_MAJOR, version), EIE_GET(VERSION_MINOR, version),
			EIE_ISA_MAJOR, EIE_ISA_MINOR, EIE_ISA_MAJOR);
		return -ENODEV;
	}
	edev->isa_version = version;

	edev->num_rings = eie_read(edev, EIE_REG_NQUEUES);
	edev->dt_size = eie_read(edev, EIE_REG_DT_SIZE);
	if (!edev->num_rings || edev->num_rings > EIE_MAX_RINGS ||
	    edev->dt_size > EIE_DT_BYTES_MAX) {
		drm_err(drm, "hardware reports %u queues and %u bytes of device tree\n",
			edev->num_rings, edev->dt_size);
		return -ENODEV;
	}
	dt = drmm_kzalloc(drm, ALIGN(edev->dt_size, 4), GFP_KERNEL);
	if (!dt)
		return -ENOMEM;
	for (i = 0; i < DIV_ROUND_UP(edev->dt_size, 4); i++)
		dt[i] = cpu_to_le32(eie_read(edev, EIE_DT_BASE + 4 * i));
	edev->dt = dt;
	return 0;
}

static void eie_device_destroy_wq(struct drm_device *drm, void *wq)
{
	destroy_workqueue(wq);
}

/**
 * eie_device_init - find out what the device is and make it ready to be started
 * @edev: device
 * @regs: its registers, BAR_BYTES
 * @bus: its bus
 *
 * Interrupts can be requested afterwards.
 *
 * Return: 0 or a negative errno, with a message where the device is to blame.
 */
int eie_device_init(struct eie_device *edev, void __iomem *regs, const struct eie_bus *bus)
{
	struct device *dev = edev->drm.dev;
	int ret;

	edev->regs = regs;
	edev->bus = bus;
	edev->coherent = device_get_dma_attr(dev) != DEV_DMA_NON_COHERENT;
	spin_lock_init(&edev->engine_lock);
	xa_init_flags(&edev->vms, XA_FLAGS_ALLOC1);
	INIT_LIST_HEAD(&edev->bos);
	INIT_WORK(&edev->stop_work, eie_reset_stopped);
	ret = drmm_mutex_init(&edev->drm, &edev->reset_lock);
	if (!ret)
		ret = drmm_mutex_init(&edev->drm, &edev->tlb_lock);
	if (!ret)
		ret = drmm_mutex_init(&edev->drm, &edev->vms_lock);
	if (!ret)
		ret = drmm_mutex_init(&edev->drm, &edev->bos_lock);
	if (ret)
		return ret;

	ret = eie_device_identify(edev);
	if (ret)
		return ret;
	ret = dma_set_mask_and_coherent(dev, DMA_BIT_MASK(EIE_DMA_BITS));
	if (ret)
		return dev_err_probe(dev, ret, "no DMA with %u bits\n", EIE_DMA_BITS);
	dma_set_max_seg_size(dev, UINT_MAX);

	/* ordered: one reset at a time; it signals fences, so memory must not hold it up */
	edev->timeout_wq = alloc_ordered_workqueue("eie-timeout", WQ_MEM_RECLAIM);
	if (!edev->timeout_wq)
		return -ENOMEM;
	ret = drmm_add_action_or_reset(&edev->drm, eie_device_destroy_wq, edev->timeout_wq);
	if (ret)
		return ret;
	return eie_rings_init(edev);
}

/**
 * eie_device_register - start the device and show it to user space
 * @edev: device whose interrupts are requested
 *
 * Return: 0 or a negative errno.
 */
int eie_device_register(struct eie_device *edev)
{
	struct device *dev = edev->drm.dev;
	int ret;

	ret = eie_device_start(edev);
	if (ret) {
		eie_device_stop(edev, -ENODEV);
		return dev_err_probe(dev, ret, "device does not become quiet\n");
	}

	eie_debugfs_init(edev);
	ret = drm_dev_register(&edev->drm, 0);
	if (ret) {
		eie_device_stop(edev, -ENODEV);
		return ret;
	}
	pm_runtime_set_autosuspend_delay(dev, EIE_AUTOSUSPEND_MS);
	pm_runtime_use_autosuspend(dev);
	drm_info(&edev->drm, "version %u.%u, %u queues\n",
		 EIE_GET(VERSION_MAJOR, edev->isa_version),
		 EIE_GET(VERSION_MINOR, edev->isa_version), edev->num_rings);
	return 0;
}

/**
 * eie_device_remove - the driver is unbound, maybe because the device is gone
 * @edev: device
 *
 * Afterwards nothing is mapped for DMA. Open files stay, and get -ENODEV.
 */
void eie_device_remove(struct eie_device *edev)
{
	drm_dev_unplug(&edev->drm);
	eie_device_stop(edev, -ENODEV);
	cancel_work_sync(&edev->stop_work);
	eie_vm_unplug_all(edev);
	eie_gem_unmap_all(edev);
}

/**
 * eie_device_shutdown - the machine goes down
 * @edev: device
 */
void eie_device_shutdown(struct eie_device *edev)
{
	eie_device_stop(edev, -ENODEV);
}

/**
 * eie_device_level_irq - the one interrupt line of devices without messages
 * @irq: number
 * @arg: device
 */
irqreturn_t eie_device_level_irq(int irq, void *arg)
{
	struct eie_device *edev = arg;
	u32 status = eie_read(edev, EIE_REG_IRQ_STATUS);
	unsigned int i;

	if (!status || status == U32_MAX)
		return IRQ_NONE;
	/* before the rings are read: what ends later raises the line again */
	eie_write(edev, EIE_REG_IRQ_STATUS, status);
	for (i = 0; i < edev->num_rings; i++) {
		if (status & BIT(i))
			eie_ring_poll(&edev->rings[i]);
	}
	if (EIE_GET(IRQ_STATUS_FAULT, status))
		queue_work(edev->timeout_wq, &edev->stop_work);
	return IRQ_HANDLED;
}

/**
 * eie_device_fault_irq - message: a ring stopped
 * @irq: number
 * @arg: device
 */
irqreturn_t eie_device_fault_irq(int irq, void *arg)
{
	struct eie_device *edev = arg;

	queue_work(edev->timeout_wq, &edev->stop_work);
	return IRQ_HANDLED;
}

static bool eie_device_is_idle(struct eie_device *edev)
{
	unsigned int i;

	for (i = 0; i < edev->num_rings; i++) {
		if (eie_ring_head(&edev->rings[i]))
			return false;
	}
	return true;
}

static void eie_device_power_down(struct eie_device *edev)
{
	mutex_lock(&edev->reset_lock);
	WRITE_ONCE(edev->started, false);
	eie_write(edev, EIE_REG_CTRL, 0);
	eie_write(edev, EIE_REG_IRQ_ENABLE, 0);
	mutex_unlock(&edev->reset_lock);
}

/**
 * eie_device_suspend - system sleep: no further job is given to the device
 * @dev: device
 *
 * Return: 0, or -EBUSY when the jobs that are on it do not end in time.
 */
int eie_device_suspend(struct device *dev)
{
	struct eie_device *edev = dev_get_drvdata(dev);
	unsigned long end = jiffies + msecs_to_jiffies(EIE_SUSPEND_MS);
	unsigned int i;

	if (pm_runtime_status_suspended(dev))
		return 0;
	eie_device_pause(edev);
	while (!eie_device_is_idle(edev)) {
		if (time_after(jiffies, end)) {
			eie_device_unpause(edev);
			dev_warn(dev, "a job takes too long to suspend now\n");
			return -EBUSY;
		}
		msleep(20);
		for (i = 0; i < edev->num_rings; i++)
			eie_ring_poll(&edev->rings[i]);
	}
	eie_device_power_down(edev);
	return 0;
}

/**
 * eie_device_resume - end of system sleep
 * @dev: device
 *
 * Jobs may wait for it: they fail when it does not answer.
 *
 * Return: 0 or a negative errno.
 */
int eie_device_resume(struct device *dev)
{
	struct eie_device *edev = dev_get_drvdata(dev);
	int ret;

	if (pm_runtime_status_suspended(dev))
		return 0;
	ret = eie_device_start(edev);
	if (ret)
		eie_device_stop(edev, -ENODEV);
	return ret;
}

/* Jobs keep the device awake, so there is none. */
int eie_device_runtime_suspend(struct device *dev)
{
	struct eie_device *edev = dev_get_drvdata(dev);

	eie_device_pause(edev);
	eie_device_power_down(edev);
	return 0;
}

int eie_device_runtime_resume(struct device *dev)
{
	return eie_device_start(dev_get_drvdata(dev));
}

/**
 * eie_device_wake - resume the device, and keep it awake
 * @edev: device
 *
 * After one resume that failed, whoever asked for it, the power management core refuses all
 * others with -EINVAL. But the device may answer by now.
 *
 * Return: 0, with a reference that goes back with pm_runtime_put_autosuspend(); or -EIO.
 */
int eie_device_wake(struct eie_device *edev)
{
	struct device *dev = edev->drm.dev;
	int ret;

	ret = pm_runtime_resume_and_get(dev);
	if (ret == -EINVAL && pm_runtime_status_suspended(dev)) {
		pm_runtime_set_suspended(dev);
		ret = pm_runtime_resume_and_get(dev);
	}
	return ret ? -EIO : 0;
}

/**
 * eie_device_get_if_awake - keep the device awake if it is
 * @edev: device
 *
 * Return: 0: it sleeps; positive: awake, with a reference that goes back with
 * pm_runtime_put_autosuspend(); negative: awake, without a reference.
 */
int eie_device_get_if_awake(struct eie_device *edev)
{
	/* the core cannot tell while eie_device_wake() clears its error */
	return READ_ONCE(edev->started) ? pm_runtime_get_if_active(edev->drm.dev) : 0;
}
