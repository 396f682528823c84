// SPDX-License-Identifier: GPL-2.0
/*
 * debugfs, /sys/kernel/debug/accel/NAME/, NAME as in the bus's sysfs: regs, rings, vms.
 */
#include <linux/pm_runtime.h>
#include <linux/seq_file.h>

#include <drm/drm_debugfs.h>
#include <drm/drm_drv.h>

#include "eie_device.h"
#include "eie_ring.h"
#include "eie_vm.h"

static struct eie_device *eie_debugfs_device(struct seq_file *m)
{
	struct drm_debugfs_entry *entry = m->private;

	return to_eie_device(entry->dev);
}

static void eie_debugfs_print_regs(struct seq_file *m, struct eie_device *edev)
{
	unsigned int i;
	u32 reg;

	for (reg = 0; reg <= EIE_REG_PROGRESS; reg += 4)
		seq_printf(m, "%03x %08x\n", reg, eie_read(edev, reg));
	/* engine counters; zero on devices that have none */
	for (reg = 0; reg < EIE_PERF_COUNTERS * EIE_PERF_STRIDE; reg += 4)
		seq_printf(m, "%03x %08x\n", EIE_PERF_BASE + reg,
			   eie_read(edev, EIE_PERF_BASE + reg));
	for (i = 0; i < edev->num_rings; i++) {
		for (reg = 0; reg <= EIE_REG_Q_FAULT_ADDR_HI; reg += 4)
			seq_printf(m, "q%u %02x %08x\n", i, reg,
				   eie_ring_read(&edev->rings[i], reg));
	}
}

/* offset and value of every register, see docs/registers.md */
static int eie_debugfs_regs(struct seq_file *m, void *data)
{
	struct eie_device *edev = eie_debugfs_device(m);
	struct device *dev = edev->drm.dev;
	int idx, awake;

	if (!drm_dev_enter(&edev->drm, &idx))
		return -ENODEV;
	awake = eie_device_get_if_awake(edev);
	if (awake)
		eie_debugfs_print_regs(m, edev);
	else
		seq_puts(m, "suspended\n");
	if (awake > 0)
		pm_runtime_put_autosuspend(dev);
	drm_dev_exit(idx);
	return 0;
}

static int eie_debugfs_rings(struct seq_file *m, void *data)
{
	struct eie_device *edev = eie_debugfs_device(m);
	unsigned int i;

	mutex_lock(&edev->reset_lock);
	seq_printf(m, "started %d wedged %d resets %u\n", edev->started, edev->wedged,
		   edev->resets);
	for (i = 0; i < edev->num_rings; i++) {
		struct eie_ring *ring = &edev->rings[i];
		u16 head, tail;
		u64 seqno;

		spin_lock_irq(&ring->lock);
		head = ring->head;
		tail = ring->tail;
		seqno = ring->seqno;
		spin_unlock_irq(&ring->lock);
		seq_printf(m, "ring %u head %u tail %u fence %llu resets %u\n", i, head, tail,
			   seqno, ring->resets);
	}
	mutex_unlock(&edev->reset_lock);
	return 0;
}

static int eie_debugfs_vms(struct seq_file *m, void *data)
{
	struct eie_device *edev = eie_debugfs_device(m);
	struct eie_mapping *map;
	struct eie_vm *vm;
	unsigned long asid;

	mutex_lock(&edev->vms_lock);
	xa_for_each(&edev->vms, asid, vm) {
		mutex_lock(&vm->lock);
		seq_printf(m, "asid %lu jobs %lld pending %d\n", asid,
			   atomic64_read(&vm->jobs), atomic_read(&vm->pending));
		list_for_each_entry(map, &vm->mappings, link)
			seq_printf(m, "  va %#llx size %#llx handles %u\n", map->node.start,
				   map->node.size, map->handles);
		mutex_unlock(&vm->lock);
	}
	mutex_unlock(&edev->vms_lock);
	return 0;
}

static const struct drm_debugfs_info eie_debugfs_files[] = {
	{ "regs", eie_debugfs_regs },
	{ "rings", eie_debugfs_rings },
	{ "vms", eie_debugfs_vms },
};

/**
 * eie_debugfs_init - add the files of a device
 * @edev: device
 */
void eie_debugfs_init(struct eie_device *edev)
{
	drm_debugfs_add_files(&edev->drm, eie_debugfs_files, ARRAY_SIZE(eie_debugfs_files));
}
