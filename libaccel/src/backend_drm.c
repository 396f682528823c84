// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * The drm backend: /dev/accel/accelN, driver eie.ko. One open file, which is one address space, one queue and one timeline syncobj, whose
 * point n is signalled when job n of the queue has ended.
 */
#include <dirent.h>
#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include <drm/eie_accel.h>
#include <xf86drm.h>

#include "device.h"
#include "results.h"

#define NODES "/dev/accel"

struct drm_dev {
	pthread_mutex_t lock;        /* of results, collected, submitted */
	int fd;
	char name[32];               /* of the node: "accel0" */
	struct drm_eie_info info;
	void *device_tree;
	size_t device_tree_bytes;
	uint32_t queue, syncobj;
	uint64_t submitted;          /* sequence number of the last job */
	uint64_t collected;          /* results up to this one are in the list, or were taken */
	struct result *results;
};

/* -------------------------------------------------------------------- opening */

/* -ENOTTY: a node of another driver. */
static int check_driver(int fd, const char *path, struct accel_error *err)
{
	drmVersionPtr v = drmGetVersion(fd);
	int ret = 0;

	if (!v || strcmp(v->name, "eie"))
		ret = accel_fail(err, -ENOTTY, NULL, "%s: not a device of driver eie but of \"%s\"", path, v ? v->name : "no DRM driver");
	else if (v->version_major != DRM_EIE_VERSION_MAJOR)
		ret = accel_fail(err, -EPROTO, NULL, "%s: driver eie has interface %d.%d, this library was built for %d.%d: install a %s",
				 path, v->version_major, v->version_minor, DRM_EIE_VERSION_MAJOR, DRM_EIE_VERSION_MINOR,
				 v->version_major > DRM_EIE_VERSION_MAJOR ? "newer library" : "newer driver");
	drmFreeVersion(v);
	return ret;
}

static int open_path(const char *path, int *fd, struct accel_error *err)
{
	int ret;

	*fd = open(path, O_RDWR | O_CLOEXEC);
	if (*fd < 0)
		return accel_fail(err, -errno, NULL, "%s: %s%s", path, strerror(errno),
				  errno == EACCES ? ": nodes belong to group render, is this user in it?" : "");
	ret = check_driver(*fd, path, err);
	if (ret)
		close(*fd);
	return ret;
}

static int is_node(const struct dirent *entry)
{
	return !strncmp(entry->d_name, "accel", 5);
}

/* The first node of the driver. When there is none, the first failure that names the driver's own node is told. */
static int find_node(char *path, int *fd, struct accel_error *err)
{
	struct accel_error first = { 0 }, last;
	struct dirent **list = NULL;
	int n = scandir(NODES, &list, is_node, alphasort), ret = -ENODEV;

	for (int i = 0; i < n; i++) {
		if (ret) {
			snprintf(path, PATH_MAX, NODES "/%.200s", list[i]->d_name);
			ret = open_path(path, fd, &last);
			if (ret && ret != -ENOTTY && !first.code)
				first = last;
		}
		free(list[i]);
	}
	free(list);
	if (!ret)
		return 0;
	if (first.code) {
		if (err)
			*err = first;
		return first.code;
	}
	return accel_fail(err, -ENODEV, NULL, "no accelerator: " NODES " has no node of driver eie; is the module loaded (modprobe eie)?");
}

static int query(const struct drm_dev *d, uint32_t topic, void *to, uint32_t *size)
{
	struct drm_eie_query q = { .topic = topic, .size = *size, .ptr = (uintptr_t)to };

	if (drmIoctl(d->fd, DRM_IOCTL_EIE_QUERY, &q))
		return -errno;
	*size = q.size;
	return 0;
}

static int describe_device(struct drm_dev *d)
{
	uint32_t size = sizeof(d->info);
	int ret = query(d, DRM_EIE_QUERY_INFO, &d->info, &size);

	if (!ret) {
		size = 0;
		ret = query(d, DRM_EIE_QUERY_DEVICE_TREE, NULL, &size);
	}
	if (ret)
		return ret;
	d->device_tree = malloc(size);
	if (!d->device_tree)
		return -ENOMEM;
	d->device_tree_bytes = size;
	return query(d, DRM_EIE_QUERY_DEVICE_TREE, d->device_tree, &size);
}

static int make_queue(struct drm_dev *d)
{
	struct drm_eie_queue_create q = { .priority = d->info.default_priority };

	if (drmIoctl(d->fd, DRM_IOCTL_EIE_QUEUE_CREATE, &q))
		return -errno;
	d->queue = q.queue;
	return drmSyncobjCreate(d->fd, 0, &d->syncobj) ? -errno : 0;
}

static void backend_close(void *ctx)
{
	struct drm_dev *d = ctx;

	results_free(&d->results);
	close(d->fd);   /* buffers, queue and syncobj go with the file */
	free(d->device_tree);
	pthread_mutex_destroy(&d->lock);
	free(d);
}

static int backend_open(const char *options, void **out, struct accel_error *err)
{
	struct drm_dev *d = calloc(1, sizeof(*d));
	char path[PATH_MAX];
	int ret;

	if (!d)
		return accel_fail(err, -ENOMEM, NULL, "out of memory");
	if (*options)
		ret = snprintf(path, sizeof(path), "%s", options) < (int)sizeof(path) ?
			      open_path(path, &d->fd, err) :
			      accel_fail(err, -ENAMETOOLONG, NULL, "device drm: the path is too long");
	else
		ret = find_node(path, &d->fd, err);
	if (ret) {
		free(d);
		return ret;
	}
	pthread_mutex_init(&d->lock, NULL);
	snprintf(d->name, sizeof(d->name), "%.31s", strrchr(path, '/') ? strrchr(path, '/') + 1 : path);
	ret = describe_device(d);
	if (!ret)
		ret = make_queue(d);
	if (ret) {
		backend_close(d);
		return accel_fail(err, ret, NULL, "%s: %s", path, strerror(-ret));
	}
	*out = d;
	return 0;
}

static int backend_describe(void *ctx, const char **config, const void **blob, size_t *bytes)
{
	struct drm_dev *d = ctx;

	*config = d->name;
	*blob = d->device_tree;
	*bytes = d->device_tree_bytes;
	return 0;
}

/* -------------------------------------------------------------------- buffers */

static int backend_buffer_new(void *ctx, size_t size, bool device_writes, struct accel_buffer *buf, struct accel_error *err)
{
	struct drm_dev *d = ctx;
	struct drm_eie_bo_create bo = { .size = size, .flags = device_writes ? 0 : DRM_EIE_BO_READONLY };
	void *map;

	if (drmIoctl(d->fd, DRM_IOCTL_EIE_BO_CREATE, &bo))
		return accel_fail(err, -errno, NULL, "%s: no buffer of %zu bytes: %s", d->name, size, strerror(errno));
	map = mmap(NULL, bo.size, PROT_READ | PROT_WRITE, MAP_SHARED, d->fd, (off_t)bo.mmap_offset);
	if (map == MAP_FAILED) {
		int ret = -errno;

		drmCloseBufferHandle(d->fd, bo.handle);
		return accel_fail(err, ret, NULL, "%s: a buffer of %zu bytes cannot be mapped: %s", d->name, size, strerror(-ret));
	}
	*buf = (struct accel_buffer){ map, bo.size, bo.dev_addr, bo.handle, device_writes };
	return 0;
}

static void backend_buffer_free(void *ctx, struct accel_buffer *buf)
{
	struct drm_dev *d = ctx;

	munmap(buf->map, buf->size);
	drmCloseBufferHandle(d->fd, buf->handle);
	*buf = (struct accel_buffer){ 0 };
}

/* Caches matter only where the bus does not keep them coherent. */
static int backend_buffer_owner(void *ctx, const struct accel_buffer *buf, bool device, struct accel_error *err)
{
	struct drm_dev *d = ctx;
	uint32_t access = DRM_EIE_ACCESS_READ | DRM_EIE_ACCESS_WRITE;
	struct drm_eie_bo_prep prep = { .handle = buf->handle, .access = access, .timeout_ns = INT64_MAX };
	struct drm_eie_bo_fini fini = { .handle = buf->handle, .access = access };
	int ret;

	if (d->info.flags & DRM_EIE_INFO_COHERENT)
		return 0;
	ret = device ? drmIoctl(d->fd, DRM_IOCTL_EIE_BO_FINI, &fini) : drmIoctl(d->fd, DRM_IOCTL_EIE_BO_PREP, &prep);
	return ret ? accel_fail(err, -errno, NULL, "%s: a buffer does not change hands: %s", d->name, strerror(errno)) : 0;
}

/* ----------------------------------------------------------------------- jobs */

static int64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static void completion(const struct drm_eie_result *r, struct eie_cpl *cpl)
{
	uint32_t fault = r->fault_index & EIE_CPL_FAULT_INDEX_MASK;

	if (r->flags & DRM_EIE_RESULT_FAULT_CMD)
		fault |= 1u << EIE_CPL_FAULT_VALID_SHIFT;
	if (r->flags & DRM_EIE_RESULT_FAULT_RESTORE)
		fault |= 1u << EIE_CPL_FAULT_RESTORE_SHIFT;
	*cpl = (struct eie_cpl){
		.fence = htole64(r->seqno),
		.fault_addr = htole64(r->fault_addr),
		.time_start = htole64(r->time_start),
		.time_end = htole64(r->time_end),
		.macs = htole64(r->macs),
		.cycles = htole32(r->cycles),
		.busy = htole32(r->busy),
		.stall_drain = htole32(r->stall_drain),
		.stall_array = htole32(r->stall_array),
		.stall_load = htole32(r->stall_load),
		.stall_store = htole32(r->stall_store),
		.stall_sync = htole32(r->stall_sync),
		.stall_cmd = htole32(r->stall_cmd),
		.stall_front = htole32(r->stall_front),
		.stall_tail = htole32(r->stall_tail),
		.engine_cycles = htole32(r->engine_cycles),
		.saturated = htole32(r->saturated),
		.read_beats = htole32(r->read_beats),
		.write_beats = htole32(r->write_beats),
		.tlb_misses = htole32(r->tlb_misses),
		.commands = htole32(r->commands),
		.fault_cmd = htole32(fault),
		.status = htole32(r->status),
		.restored = htole32(r->flags & DRM_EIE_RESULT_RESTORED ? 1 : 0),
	};
}

/* 0, -ETIMEDOUT, or what the kernel said. end_ns: absolute. */
static int wait_for(struct drm_dev *d, uint64_t seq, int64_t end_ns)
{
	int ret = drmSyncobjTimelineWait(d->fd, &d->syncobj, &seq, 1, end_ns, DRM_SYNCOBJ_WAIT_FLAGS_WAIT_ALL, NULL);

	return ret == -ETIME ? -ETIMEDOUT : ret;
}

static int fetch(struct drm_dev *d, uint64_t seq, struct eie_cpl *cpl, struct accel_error *err)
{
	struct drm_eie_result r = { .queue = d->queue, .seqno = seq };

	if (drmIoctl(d->fd, DRM_IOCTL_EIE_RESULT, &r))
		return accel_fail(err, -errno, NULL, "%s: no result of job %llu: %s", d->name, (unsigned long long)seq, strerror(errno));
	if (r.status == DRM_EIE_STATUS_LOST)
		return accel_fail(err, r.error ? r.error : -EIO, NULL, "%s: the device was reset while job %llu was in flight (%s)", d->name,
				  (unsigned long long)seq, strerror(r.error ? -r.error : EIO));
	completion(&r, cpl);
	return 0;
}

/* The kernel keeps the results of the last jobs only: older ones are fetched before it forgets them. */
static int make_room(struct drm_dev *d, struct accel_error *err)
{
	while (d->submitted - d->collected >= d->info.results / 2) {
		uint64_t seq = d->collected + 1;
		struct result *r = malloc(sizeof(*r));
		int ret = r ? wait_for(d, seq, INT64_MAX) : -ENOMEM;

		if (ret)
			accel_fail(err, ret, NULL, "%s: job %llu: %s", d->name, (unsigned long long)seq, strerror(-ret));
		else
			ret = fetch(d, seq, &r->cpl, err);
		if (ret) {
			free(r);
			return ret;
		}
		r->seq = seq;
		results_add(&d->results, r);
		d->collected = seq;
	}
	return 0;
}

static int backend_submit(void *ctx, const struct accel_job *job, uint64_t *seq, struct accel_error *err)
{
	struct drm_dev *d = ctx;
	struct drm_eie_bo_ref bos[ACCEL_JOB_BUFFERS];
	struct drm_eie_sync done = { .handle = d->syncobj };
	const struct drm_eie_job j = {
		.cmds = job->commands->va + job->cmd_offset,
		.restore = job->commands->va + job->restore_offset,
		.bases = job->commands->va + job->bases_offset,
		.residency = job->residency,
		.ncmds = job->ncmds,
		.nrestore = job->nrestore,
		.nbases = job->nbases,
		.cycle_limit = job->cycle_limit,
		.bos = { sizeof(bos[0]), job->nbuffers, (uintptr_t)bos },
		.out_syncs = { sizeof(done), 1, (uintptr_t)&done },
	};
	struct drm_eie_submit submit = { .queue = d->queue, .jobs = { sizeof(j), 1, (uintptr_t)&j } };
	int ret;

	for (unsigned int i = 0; i < job->nbuffers; i++)
		bos[i] = (struct drm_eie_bo_ref){
			job->buffers[i]->handle, DRM_EIE_ACCESS_READ | (job->buffers[i]->device_writes ? DRM_EIE_ACCESS_WRITE : 0)
		};
	pthread_mutex_lock(&d->lock);
	ret = make_room(d, err);
	if (!ret) {
		done.point = d->submitted + 1;   /* nobody else uses this queue */
		if (drmIoctl(d->fd, DRM_IOCTL_EIE_SUBMIT, &submit))
			ret = accel_fail(err, -errno, NULL, "%s: a job was refused: %s", d->name, strerror(errno));
		else
			*seq = d->submitted = submit.seqno;
	}
	pthread_mutex_unlock(&d->lock);
	return ret;
}

static int backend_wait(void *ctx, uint64_t seq, int64_t timeout_ns, struct eie_cpl *cpl, struct accel_error *err)
{
	struct drm_dev *d = ctx;
	int64_t now = now_ns();
	int64_t end = timeout_ns < 0 || timeout_ns > INT64_MAX - now ? INT64_MAX : now + timeout_ns;
	int ret = wait_for(d, seq, end);

	if (ret == -ETIMEDOUT)
		return accel_fail(err, ret, NULL, "the run is not complete yet");
	if (ret)
		return accel_fail(err, ret, NULL, "%s: job %llu: %s", d->name, (unsigned long long)seq, strerror(-ret));
	pthread_mutex_lock(&d->lock);
	if (seq > d->collected) {
		ret = fetch(d, seq, cpl, err);
		if (!ret && seq == d->collected + 1)
			d->collected = seq;
	} else if (!results_take(&d->results, seq, cpl)) {
		ret = accel_fail(err, -ENOENT, NULL, "job %llu is not in flight", (unsigned long long)seq);
	}
	pthread_mutex_unlock(&d->lock);
	return ret;
}

const struct accel_backend accel_backend_drm = {
	.name = "drm",
	.open = backend_open,
	.close = backend_close,
	.describe = backend_describe,
	.buffer_new = backend_buffer_new,
	.buffer_free = backend_buffer_free,
	.buffer_owner = backend_buffer_owner,
	.submit = backend_submit,
	.wait = backend_wait,
};
