/* SPDX-License-Identifier: GPL-2.0 */
#ifndef EIE_JOB_H
#define EIE_JOB_H

#include <linux/kref.h>
#include <linux/mutex.h>
#include <linux/xarray.h>

#include <drm/gpu_scheduler.h>
#include <drm/eie_accel.h>

#include "eie_hw.h"

struct eie_bo;
struct eie_device;
struct eie_fence;
struct eie_mapping;
struct eie_ring;
struct eie_vm;

#define EIE_RESULTS		256
#define EIE_MAX_QUEUES		64
#define EIE_MAX_JOBS		64
#define EIE_MAX_JOB_BOS		4096
#define EIE_MAX_JOB_SYNCS	64
#define EIE_MAX_PENDING		1024

/**
 * struct eie_file - an open file
 */
struct eie_file {
	struct eie_vm *vm;
	/** @queues: struct eie_queue by identifier */
	struct xarray queues;
};

/**
 * struct eie_result - how a job ended
 */
struct eie_result {
	/** @seqno: of the job; 0: none yet */
	u64 seqno;
	s32 error;
	/** @lost: the device did not report, @cpl is empty */
	bool lost;
	struct eie_cpl cpl;
};

/**
 * struct eie_queue - a queue of user space: an entity of a ring's scheduler
 *
 * References: the file's table, ioctls, and jobs.
 */
struct eie_queue {
	struct kref ref;
	struct eie_ring *ring;
	struct eie_vm *vm;
	struct drm_sched_entity entity;

	/** @lock: keeps arm and push of a submission together; protects @seqno, @dead */
	struct mutex lock;
	u64 seqno;
	bool dead;

	/** @results_lock: protects @results */
	spinlock_t results_lock;
	/** @results: of job n in element n mod EIE_RESULTS */
	struct eie_result *results;
};

/**
 * struct eie_job - a job
 *
 * Owned by the submission until it is pushed, then by the scheduler, which calls free_job.
 */
struct eie_job {
	struct drm_sched_job base;
	struct eie_device *edev;
	struct eie_queue *queue;
	struct eie_vm *vm;

	/** @desc: the descriptor, but for FENCE */
	struct eie_desc desc;

	/** @fence: the end of the job on the device */
	struct eie_fence *fence;
	/** @seqno: in the queue */
	u64 seqno;

	/** @maps, @access: buffers of the job and DRM_EIE_ACCESS_*, @num_maps of them */
	struct eie_mapping **maps;
	u8 *access;
	unsigned int num_maps;

	/** @cmds, @restore: buffers that hold the commands, for a core dump; or NULL */
	struct eie_mapping *cmds;
	struct eie_mapping *restore;

	/** @start: when it was given to the device */
	ktime_t start;
	/** @retries: how often a reset gave it to the device again though it was the head */
	unsigned int retries;
	/** @cancelled: its file was closed; it ends with -ECANCELED */
	bool cancelled;
	/** @inited: @base was initialised; @powered: it keeps the device awake */
	bool inited;
	bool powered;

	/** @release: frees all of it where sleeping and waiting are allowed */
	struct work_struct release;
};

static inline struct eie_job *to_eie_job(struct drm_sched_job *job)
{
	return container_of(job, struct eie_job, base);
}

/* eie_job.c */
extern const struct drm_sched_backend_ops eie_sched_ops;
struct eie_job *eie_job_alloc(struct eie_queue *queue);
void eie_job_free(struct eie_job *job);
int eie_job_reserve(struct eie_vm *vm, unsigned int n);
void eie_job_unreserve(struct eie_vm *vm, unsigned int n);
void eie_job_complete(struct eie_job *job, const struct eie_cpl *cpl, int error);
int eie_job_error(u32 status);

/* eie_queue.c */
struct eie_queue *eie_queue_lookup(struct eie_file *efile, u32 id);
void eie_queue_put(struct eie_queue *queue);
void eie_queue_destroy_all(struct eie_file *efile);
void eie_queue_set_result(struct eie_queue *queue, u64 seqno, const struct eie_cpl *cpl,
			  int error);
int eie_ioctl_queue_create(struct drm_device *drm, void *data, struct drm_file *file);
int eie_ioctl_queue_destroy(struct drm_device *drm, void *data, struct drm_file *file);
int eie_ioctl_result(struct drm_device *drm, void *data, struct drm_file *file);

/* eie_submit.c */
int eie_ioctl_submit(struct drm_device *drm, void *data, struct drm_file *file);

#endif
