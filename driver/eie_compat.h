/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What differs between the kernels that the driver builds for. The conditions come from
 * the kernel's headers (probe.sh); the rest of the driver has none.
 */
#ifndef EIE_COMPAT_H
#define EIE_COMPAT_H

#include <linux/module.h>
#include <drm/gpu_scheduler.h>

#include "eie_probe.h"

#ifdef EIE_HAVE_IMPORT_NS_STRING
#define EIE_IMPORT_NS(ns) MODULE_IMPORT_NS(#ns)
#else
#define EIE_IMPORT_NS(ns) MODULE_IMPORT_NS(ns)
#endif

#ifdef EIE_HAVE_DRIVER_DATE
#define EIE_DRIVER_DATE .date = "20261122",
#else
#define EIE_DRIVER_DATE
#endif

#ifndef EIE_HAVE_SCHED_INIT_ARGS
struct drm_sched_init_args {
	const struct drm_sched_backend_ops *ops;
	struct workqueue_struct *submit_wq;
	struct workqueue_struct *timeout_wq;
	u32 num_rqs;
	u32 credit_limit;
	unsigned int hang_limit;
	long timeout;
	atomic_t *score;
	const char *name;
	struct device *dev;
};
#endif

static inline int eie_sched_init(struct drm_gpu_scheduler *sched,
				 const struct drm_sched_init_args *args)
{
#ifdef EIE_HAVE_SCHED_INIT_ARGS
	return drm_sched_init(sched, args);
#else
	return drm_sched_init(sched, args->ops, args->submit_wq, args->num_rqs,
			      args->credit_limit, args->hang_limit, args->timeout,
			      args->timeout_wq, args->score, args->name, args->dev);
#endif
}

static inline int eie_sched_job_init(struct drm_sched_job *job,
				     struct drm_sched_entity *entity, u32 credits,
				     void *owner, u64 client_id)
{
#ifdef EIE_HAVE_SCHED_CLIENT_ID
	return drm_sched_job_init(job, entity, credits, owner, client_id);
#else
	return drm_sched_job_init(job, entity, credits, owner);
#endif
}

/*
 * The end of timedout_job: the scheduler took @job off its list of pending jobs and shall
 * have it back, be it still running or ended by now. Newer schedulers do that themselves.
 * Older ones must be told to look for jobs to free: @job may have ended while it was off
 * the list. @start: false when the scheduler is stopped and shall stay so.
 */
static inline enum drm_gpu_sched_stat eie_sched_keep(struct drm_sched_job *job, bool start)
{
#ifdef EIE_HAVE_SCHED_NO_HANG
	return DRM_GPU_SCHED_STAT_NO_HANG;
#else
	struct drm_gpu_scheduler *sched = job->sched;

	spin_lock(&sched->job_list_lock);
	list_add(&job->list, &sched->pending_list);
	spin_unlock(&sched->job_list_lock);
	if (start)
		drm_sched_wqueue_start(sched);
	return DRM_GPU_SCHED_STAT_NOMINAL;
#endif
}

#endif
