/* SPDX-License-Identifier: GPL-2.0 */
#ifndef EIE_DEVICE_H
#define EIE_DEVICE_H

#include <linux/io.h>
#include <linux/irqreturn.h>
#include <linux/mutex.h>
#include <linux/wait.h>
#include <linux/workqueue.h>
#include <linux/xarray.h>

#include <drm/drm_device.h>

#include "eie_compat.h"
#include "eie_hw.h"

struct eie_device;
struct eie_ring;
struct eie_vm;
struct reset_control;

#define EIE_MAX_RINGS	16	/* bits of IRQ_STATUS.QUEUES */

/* the fields of the generated header: GET(CTRL_RESET, value), PUT(CTRL_RESET, 1) */
#define EIE_GET(field, value) (((value) >> EIE_##field##_SHIFT) & EIE_##field##_MASK)
#define EIE_PUT(field, value) (((u32)(value) & EIE_##field##_MASK) << EIE_##field##_SHIFT)

/**
 * struct eie_bus - what the bus that the device sits on must do for the driver
 */
struct eie_bus {
	/** @quiesce: the device makes no access to memory any more, whatever it does */
	void (*quiesce)(struct eie_device *edev);

	/** @level_irq: one interrupt line instead of a message for each ring */
	bool level_irq;
};

/**
 * struct eie_device - the device
 *
 * Locks, outer to inner: @vms_lock, &eie_vm.lock, @tlb_lock, @reset_lock,
 * &eie_ring.lock. @reset_lock is taken on the way to signal fences: nobody who holds it
 * may allocate memory with GFP_KERNEL, or wait for a fence.
 */
struct eie_device {
	struct drm_device drm;

	/** @regs: the registers, BAR_BYTES long */
	void __iomem *regs;
	const struct eie_bus *bus;
	/** @reset: reset line of a platform device, or NULL */
	struct reset_control *reset;

	/** @isa_version: register VERSION */
	u32 isa_version;
	/** @coherent: the CPU's caches see the device's accesses */
	bool coherent;

	/** @dt: copy of the device tree in the registers, @dt_size bytes */
	void *dt;
	u32 dt_size;

	/** @rings: the hardware's queue pairs, one a priority level */
	struct eie_ring *rings;
	unsigned int num_rings;

	/** @timeout_wq: ordered; time limits of all rings and @stop_work run here */
	struct workqueue_struct *timeout_wq;
	/** @stop_work: looks for rings that have stopped */
	struct work_struct stop_work;

	/** @reset_lock: resets, suspend and resume, and the fields below */
	struct mutex reset_lock;
	/** @started: the device serves its rings; false while suspended; read without a lock */
	bool started;
	/** @paused: schedulers must not be started, a suspend goes on */
	bool paused;
	/** @wedged: 0, or why no job can run any more; read without a lock */
	int wedged;
	/** @resets: device resets so far */
	unsigned int resets;

	/** @tlb_lock: there is one TLB_INV register */
	struct mutex tlb_lock;

	/** @vms: address spaces by ASID */
	struct xarray vms;
	/** @vms_lock: their tables come and go */
	struct mutex vms_lock;
	/** @next_asid: where xa_alloc_cyclic() goes on */
	u32 next_asid;

	/** @bos: buffers that are mapped for DMA */
	struct list_head bos;
	/** @bos_lock: protects @bos */
	struct mutex bos_lock;
	/** @unmapped: nothing may be mapped any more; @vms_lock or @bos_lock */
	bool unmapped;

	/** @engine_lock: protects @engine_idle */
	spinlock_t engine_lock;
	/** @engine_idle: when the last job ended, for drm-engine in fdinfo */
	ktime_t engine_idle;
};

static inline struct eie_device *to_eie_device(struct drm_device *drm)
{
	return container_of(drm, struct eie_device, drm);
}

/* the most urgent level that needs no capability: the third of four */
static inline u32 eie_default_priority(struct eie_device *edev)
{
	return edev->num_rings / 2;
}

static inline u32 eie_read(struct eie_device *edev, u32 reg)
{
	return readl(edev->regs + reg);
}

static inline void eie_write(struct eie_device *edev, u32 reg, u32 value)
{
	writel(value, edev->regs + reg);
}

/* eie_drv.c */
extern struct workqueue_struct *eie_release_wq;
struct eie_device *eie_device_alloc(struct device *parent);

/* eie_device.c */
extern unsigned int eie_max_cycles;
int eie_device_init(struct eie_device *edev, void __iomem *regs, const struct eie_bus *bus);
int eie_device_register(struct eie_device *edev);
void eie_device_remove(struct eie_device *edev);
void eie_device_shutdown(struct eie_device *edev);
int eie_device_suspend(struct device *dev);
int eie_device_resume(struct device *dev);
int eie_device_runtime_suspend(struct device *dev);
int eie_device_runtime_resume(struct device *dev);
int eie_device_wake(struct eie_device *edev);
int eie_device_get_if_awake(struct eie_device *edev);
irqreturn_t eie_device_level_irq(int irq, void *arg);
irqreturn_t eie_device_fault_irq(int irq, void *arg);

/* eie_reset.c */
int eie_device_start(struct eie_device *edev);
void eie_device_stop(struct eie_device *edev, int error);
void eie_device_pause(struct eie_device *edev);
void eie_device_unpause(struct eie_device *edev);
void eie_reset_watch(struct eie_ring *ring);
void eie_reset_stopped(struct work_struct *work);
void eie_reset_device(struct eie_device *edev, const char *why);
void eie_reset_cancel(struct eie_device *edev, struct eie_vm *vm);

/* eie_coredump.c */
#ifdef CONFIG_DEV_COREDUMP
void eie_coredump(struct eie_ring *ring, u32 reason);
#else
static inline void eie_coredump(struct eie_ring *ring, u32 reason)
{
}
#endif

/* eie_debugfs.c */
#ifdef CONFIG_DEBUG_FS
void eie_debugfs_init(struct eie_device *edev);
#else
static inline void eie_debugfs_init(struct eie_device *edev)
{
}
#endif

/* eie_pci.c, eie_platform.c */
#ifdef CONFIG_PCI
int eie_pci_register(void);
void eie_pci_unregister(void);
#else
static inline int eie_pci_register(void)
{
	return 0;
}

static inline void eie_pci_unregister(void)
{
}
#endif

#ifdef CONFIG_OF
int eie_platform_register(void);
void eie_platform_unregister(void);
#else
static inline int eie_platform_register(void)
{
	return 0;
}

static inline void eie_platform_unregister(void)
{
}
#endif

#endif
