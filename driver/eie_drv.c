// SPDX-License-Identifier: GPL-2.0
/*
 * The DRM driver: files, ioctls, fdinfo, module.
 */
#include <linux/compat.h>
#include <linux/module.h>
#include <linux/sched/signal.h>
#include <linux/uaccess.h>
#include <linux/wait.h>

#include <drm/drm_accel.h>
#include <drm/drm_drv.h>
#include <drm/drm_file.h>
#include <drm/drm_gem.h>
#include <drm/drm_ioctl.h>
#include <drm/drm_print.h>
#include <drm/eie_accel.h>

#include "eie_device.h"
#include "eie_gem.h"
#include "eie_job.h"
#include "eie_ring.h"
#include "eie_vm.h"

/* how long a closed file's jobs may go on before they are ended */
#define EIE_CLOSE_JIFFIES	HZ

/* frees what jobs held; global, because the last job may be freed after its device */
struct workqueue_struct *eie_release_wq;

static void eie_query_info(struct eie_device *edev, struct drm_eie_info *info)
{
	info->isa_version = edev->isa_version;
	info->flags = edev->coherent ? DRM_EIE_INFO_COHERENT : 0;
	info->priorities = edev->num_rings;
	info->default_priority = eie_default_priority(edev);
	info->va_start = EIE_VA_START;
	info->va_size = EIE_VA_SIZE;
	info->max_cycles = min_not_zero(eie_max_cycles, U32_MAX);
	info->max_jobs = EIE_MAX_JOBS;
	info->max_job_bos = EIE_MAX_JOB_BOS;
	info->max_job_syncs = EIE_MAX_JOB_SYNCS;
	info->max_queues = EIE_MAX_QUEUES;
	info->results = EIE_RESULTS;
	info->max_pending = EIE_MAX_PENDING;
}

static int eie_ioctl_query(struct drm_device *drm, void *data, struct drm_file *file)
{
	struct eie_device *edev = to_eie_device(drm);
	struct drm_eie_query *args = data;
	struct drm_eie_info info = {};
	const void *answer;
	u32 size;

	switch (args->topic) {
	case DRM_EIE_QUERY_INFO:
		eie_query_info(edev, &info);
		answer = &info;
		size = sizeof(info);
		break;
	case DRM_EIE_QUERY_DEVICE_TREE:
		answer = edev->dt;
		size = edev->dt_size;
		break;
	default:
		return -EINVAL;
	}
	if (args->ptr && copy_to_user(u64_to_user_ptr(args->ptr), answer, min(size, args->size)))
		return -EFAULT;
	args->size = size;
	return 0;
}

static const struct drm_ioctl_desc eie_ioctls[] = {
	DRM_IOCTL_DEF_DRV(EIE_QUERY, eie_ioctl_query, 0),
	DRM_IOCTL_DEF_DRV(EIE_BO_CREATE, eie_ioctl_bo_create, 0),
	DRM_IOCTL_DEF_DRV(EIE_BO_INFO, eie_ioctl_bo_info, 0),
	DRM_IOCTL_DEF_DRV(EIE_BO_PREP, eie_ioctl_bo_prep, 0),
	DRM_IOCTL_DEF_DRV(EIE_BO_FINI, eie_ioctl_bo_fini, 0),
	DRM_IOCTL_DEF_DRV(EIE_BO_WAIT, eie_ioctl_bo_wait, 0),
	DRM_IOCTL_DEF_DRV(EIE_QUEUE_CREATE, eie_ioctl_queue_create, 0),
	DRM_IOCTL_DEF_DRV(EIE_QUEUE_DESTROY, eie_ioctl_queue_destroy, 0),
	DRM_IOCTL_DEF_DRV(EIE_SUBMIT, eie_ioctl_submit, 0),
	DRM_IOCTL_DEF_DRV(EIE_RESULT, eie_ioctl_result, 0),
};

/*
 * What the DRM core does not check: it drops the end of a structure that is longer than the
 * driver's, and answers -EINVAL for numbers that the driver does not have. Files of accel
 * nodes have no master, which two ioctls follow a pointer to. Numbers of other subsystems
 * are taken for DRM's when they come from 32-bit user space.
 */
static int eie_check_ioctl(unsigned int cmd, unsigned long arg)
{
	unsigned int nr = _IOC_NR(cmd), known, size = _IOC_SIZE(cmd);
	int ret;

	if (_IOC_TYPE(cmd) != DRM_IOCTL_BASE)
		return -ENOTTY;
	if (nr == _IOC_NR(DRM_IOCTL_GET_UNIQUE) || nr == _IOC_NR(DRM_IOCTL_GET_MAGIC))
		return -EACCES;
	if (nr < DRM_COMMAND_BASE || nr >= DRM_COMMAND_END)
		return 0;
	nr -= DRM_COMMAND_BASE;
	if (nr >= ARRAY_SIZE(eie_ioctls))
		return -ENOTTY;
	known = _IOC_SIZE(eie_ioctls[array_index_nospec(nr, ARRAY_SIZE(eie_ioctls))].cmd);
	if (size <= known || !(cmd & IOC_IN))
		return 0;
	ret = check_zeroed_user((const char __user *)arg + known, size - known);
	return ret > 0 ? 0 : ret ? ret : -E2BIG;
}

static long eie_ioctl(struct file *filp, unsigned int cmd, unsigned long arg)
{
	return eie_check_ioctl(cmd, arg) ?: drm_ioctl(filp, cmd, arg);
}

#ifdef CONFIG_COMPAT
static long eie_compat_ioctl(struct file *filp, unsigned int cmd, unsigned long arg)
{
	return eie_check_ioctl(cmd, (unsigned long)compat_ptr(arg)) ?:
	       drm_compat_ioctl(filp, cmd, arg);
}
#else
#define eie_compat_ioctl NULL
#endif

static int eie_open(struct drm_device *drm, struct drm_file *file)
{
	struct eie_file *efile;
	int ret;

	efile = kzalloc(sizeof(*efile), GFP_KERNEL);
	if (!efile)
		return -ENOMEM;
	xa_init_flags(&efile->queues, XA_FLAGS_ALLOC1);
	efile->vm = eie_vm_create(to_eie_device(drm));
	if (IS_ERR(efile->vm)) {
		ret = PTR_ERR(efile->vm);
		kfree(efile);
		return ret;
	}
	file->driver_priv = efile;
	return 0;
}

static void eie_postclose(struct drm_device *drm, struct drm_file *file)
{
	struct eie_file *efile = file->driver_priv;
	struct eie_vm *vm = efile->vm;
	bool killed = current->flags & PF_EXITING && current->exit_code == SIGKILL;

	wait_event_killable_timeout(vm->idle, !atomic_read(&vm->pending),
				    killed ? 0 : EIE_CLOSE_JIFFIES);
	eie_queue_destroy_all(efile);
	if (atomic_read(&vm->pending))
		eie_reset_cancel(to_eie_device(drm), vm);
	eie_vm_put(vm);
	kfree(efile);
}

static void eie_show_fdinfo(struct drm_printer *p, struct drm_file *file)
{
	struct eie_file *efile = file->driver_priv;
	struct eie_vm *vm = efile->vm;

	drm_printf(p, "drm-engine-array:\t%llu ns\n", (u64)atomic64_read(&vm->engine_ns));
	drm_printf(p, "drm-cycles-array:\t%llu\n", (u64)atomic64_read(&vm->cycles));
	drm_printf(p, "eie-jobs:\t%llu\n", (u64)atomic64_read(&vm->jobs));
	drm_show_memory_stats(p, file);
}

static const struct file_operations eie_fops = {
	.owner = THIS_MODULE,
	.open = accel_open,
	.release = drm_release,
	.unlocked_ioctl = eie_ioctl,
	.compat_ioctl = eie_compat_ioctl,
	.poll = drm_poll,
	.read = drm_read,
	.llseek = noop_llseek,
	.mmap = drm_gem_mmap,
	.show_fdinfo = drm_show_fdinfo,
	.fop_flags = FOP_UNSIGNED_OFFSET,
};

static const struct drm_driver eie_driver = {
	.driver_features = DRIVER_COMPUTE_ACCEL | DRIVER_GEM | DRIVER_SYNCOBJ |
			   DRIVER_SYNCOBJ_TIMELINE,
	.open = eie_open,
	.postclose = eie_postclose,
	.show_fdinfo = eie_show_fdinfo,
	.gem_create_object = eie_gem_create_object,
	.gem_prime_import_sg_table = eie_gem_prime_import_sg_table,
	.ioctls = eie_ioctls,
	.num_ioctls = ARRAY_SIZE(eie_ioctls),
	.fops = &eie_fops,
	.name = "eie",
	.desc = "EIE sparse neural network accelerator",
	EIE_DRIVER_DATE
	.major = DRM_EIE_VERSION_MAJOR,
	.minor = DRM_EIE_VERSION_MINOR,
};

/**
 * eie_device_alloc - allocate a device
 * @parent: device of the bus
 *
 * Return: the device, freed after the driver was unbound and the last file closed; or an
 * error pointer.
 */
struct eie_device *eie_device_alloc(struct device *parent)
{
	return devm_drm_dev_alloc(parent, &eie_driver, struct eie_device, drm);
}

static int __init eie_init(void)
{
	int ret;

	eie_release_wq = alloc_workqueue("eie-release", WQ_UNBOUND, 0);
	if (!eie_release_wq)
		return -ENOMEM;
	ret = eie_pci_register();
	if (ret)
		goto err_wq;
	ret = eie_platform_register();
	if (ret)
		goto err_pci;
	return 0;

err_pci:
	eie_pci_unregister();
err_wq:
	destroy_workqueue(eie_release_wq);
	return ret;
}

static void __exit eie_exit(void)
{
	eie_platform_unregister();
	eie_pci_unregister();
	/* no job and no fence is left, they hold the module; the last one may still return */
	destroy_workqueue(eie_release_wq);
}

module_init(eie_init);
module_exit(eie_exit);

MODULE_DESCRIPTION("EIE sparse neural network accelerator");
MODULE_LICENSE("GPL");
