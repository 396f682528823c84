// SPDX-License-Identifier: GPL-2.0 OR MIT
#include "job.h"

#include <errno.h>
#include <linux/sync_file.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "eie_hw.h"
#include "frame.h"

#define SLOT_BYTES	256u
#define COPY_BYTES	256u
#define BASES_BYTES	64u

int call(int fd, unsigned long request, void *args)
{
	int ret;

	do
		ret = ioctl(fd, request, args);
	while (ret && (errno == EINTR || errno == EAGAIN));
	return ret ? -errno : 0;
}

int64_t in_milliseconds(int64_t ms)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000000000ll + now.tv_nsec + ms * 1000000;
}

/* c->fd is open */
static int client_fill(struct client *c)
{
	struct drm_eie_bo_create bo = { .size = CLIENT_BYTES };
	int ret;

	ret = call(c->fd, DRM_IOCTL_EIE_BO_CREATE, &bo);
	if (ret)
		goto fail;
	c->handle = bo.handle;
	c->dev_addr = bo.dev_addr;
	c->mem = mmap(NULL, CLIENT_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, c->fd, (off_t)bo.mmap_offset);
	if (c->mem == MAP_FAILED) {
		ret = -errno;
		goto fail;
	}
	for (unsigned int level = 0; level < CLIENT_QUEUES && !ret; level++) {
		struct drm_eie_queue_create queue = { .priority = level };

		ret = call(c->fd, DRM_IOCTL_EIE_QUEUE_CREATE, &queue);
		c->queue[level] = queue.queue;
	}
	if (!ret)
		return 0;
	munmap(c->mem, CLIENT_BYTES);
fail:
	close(c->fd);
	return ret;
}

int client_open_node(struct client *c, unsigned int index)
{
	memset(c, 0, sizeof(*c));
	c->fd = accel_open(index);
	return c->fd < 0 ? -errno : client_fill(c);
}

int client_open(struct client *c)
{
	memset(c, 0, sizeof(*c));
	c->fd = -1;
	for (unsigned int index = 0; index < 16 && c->fd < 0; index++)
		c->fd = accel_open(index);
	return c->fd < 0 ? -errno : client_fill(c);
}

void client_close(struct client *c)
{
	munmap(c->mem, CLIENT_BYTES);
	close(c->fd);
}

#define SET(cmd, field, value) ((cmd)[EIE_CMD_##field##_DW] |= (uint32_t)(value) << EIE_CMD_##field##_SHIFT)

static void put_xfer(uint32_t *cmd, unsigned int op, unsigned int base, uint32_t offset)
{
	SET(cmd, OPCODE, op);
	SET(cmd, XFER_TARGET, EIE_BUF_ABUF);
	SET(cmd, XFER_BASE, base);
	SET(cmd, XFER_OFFSET, offset);
	SET(cmd, XFER_LEN, COPY_BYTES / EIE_GRANULE_BYTES);
	SET(cmd, XFER_ROWS, 1);
}

static unsigned int put_copy(uint32_t (*cmd)[8], unsigned int from_base, uint32_t from, unsigned int to_base, uint32_t to)
{
	put_xfer(cmd[0], EIE_OP_LOAD, from_base, from);
	SET(cmd[0], SIGNAL_NEXT, 1);
	SET(cmd[1], OPCODE, EIE_OP_SYNC);
	SET(cmd[1], WAIT_PREV, 1);
	SET(cmd[1], SIGNAL_NEXT, 1);
	put_xfer(cmd[2], EIE_OP_STORE, to_base, to);
	SET(cmd[2], WAIT_PREV, 1);
	return 3;
}

void client_job(struct client *c, unsigned int slot, enum client_job kind, struct drm_eie_job *job)
{
	uint32_t (*cmd)[8] = (uint32_t (*)[8])(c->mem + CLIENT_CMDS + slot * SLOT_BYTES);
	uint64_t *bases = (uint64_t *)(c->mem + CLIENT_BASES);

	memset(job, 0, sizeof(*job));
	memset(cmd, 0, SLOT_BYTES);
	memset(c->mem + CLIENT_OUT + slot * COPY_BYTES, 0xee, COPY_BYTES);
	bases[0] = c->dev_addr;
	bases[1] = 0x123456789000ull >> 8;	/* never an address of a buffer: beyond any that these tests create */
	job->cmds = c->dev_addr + CLIENT_CMDS + slot * SLOT_BYTES;
	job->bases = c->dev_addr + CLIENT_BASES;
	job->nbases = 2;
	switch (kind) {
	case JOB_COPY:
		for (unsigned int i = 0; i < COPY_BYTES; i++)
			c->mem[CLIENT_IN + i] = (uint8_t)(i * 7 + 1);
		job->ncmds = put_copy(cmd, 0, CLIENT_IN, 0, CLIENT_OUT + slot * COPY_BYTES);
		break;
	case JOB_EMPTY:
		break;
	case JOB_HANG:
		SET(cmd[0], OPCODE, EIE_OP_SYNC);
		SET(cmd[0], WAIT_PREV, 1);
		job->ncmds = 1;
		break;
	case JOB_FAULT:
		put_xfer(cmd[0], EIE_OP_LOAD, 1, 0);
		job->ncmds = 1;
		break;
	case JOB_BAD:
		SET(cmd[0], OPCODE, EIE_OP_SYNC);
		SET(cmd[1], OPCODE, 0xff);
		job->ncmds = 2;
		break;
	}
}

void client_copy(struct client *c, unsigned int slot, uint64_t from, uint64_t to, struct drm_eie_job *job)
{
	uint32_t (*cmd)[8] = (uint32_t (*)[8])(c->mem + CLIENT_CMDS + slot * SLOT_BYTES);
	uint32_t table = CLIENT_BASES + BASES_BYTES * (slot + 1);
	uint64_t *bases = (uint64_t *)(c->mem + table);

	memset(job, 0, sizeof(*job));
	memset(cmd, 0, SLOT_BYTES);
	bases[0] = from;
	bases[1] = to;
	job->cmds = c->dev_addr + CLIENT_CMDS + slot * SLOT_BYTES;
	job->bases = c->dev_addr + table;
	job->nbases = 2;
	job->ncmds = put_copy(cmd, 0, 0, 1, 0);
}

int client_submit_job(struct client *c, unsigned int level, struct drm_eie_job *job, uint32_t out_sync, uint64_t *seqno)
{
	struct drm_eie_bo_ref ref = { c->handle, DRM_EIE_ACCESS_READ | DRM_EIE_ACCESS_WRITE };
	struct drm_eie_sync sync = { .handle = out_sync };
	struct drm_eie_submit submit = { .queue = c->queue[level] };
	int ret;

	job->bos = (struct drm_eie_array){ sizeof(ref), 1, (uintptr_t)&ref };
	job->out_syncs = (struct drm_eie_array){ sizeof(sync), !!out_sync, (uintptr_t)&sync };
	submit.jobs = (struct drm_eie_array){ sizeof(*job), 1, (uintptr_t)job };
	ret = call(c->fd, DRM_IOCTL_EIE_SUBMIT, &submit);
	if (seqno)
		*seqno = submit.seqno;
	return ret;
}

int client_submit(struct client *c, unsigned int level, unsigned int slot, enum client_job kind, uint32_t out_sync, uint64_t *seqno)
{
	struct drm_eie_job job;

	client_job(c, slot, kind, &job);
	return client_submit_job(c, level, &job, out_sync, seqno);
}

int client_result(struct client *c, unsigned int level, uint64_t seqno, struct drm_eie_result *result)
{
	memset(result, 0, sizeof(*result));
	result->queue = c->queue[level];
	result->seqno = seqno;
	return call(c->fd, DRM_IOCTL_EIE_RESULT, result);
}

int client_wait(struct client *c, unsigned int seconds)
{
	struct drm_eie_bo_wait wait = { .handle = c->handle, .timeout_ns = in_milliseconds(seconds * 1000ll) };

	return call(c->fd, DRM_IOCTL_EIE_BO_WAIT, &wait);
}

int client_run(struct client *c, unsigned int level, unsigned int slot, enum client_job kind, struct drm_eie_result *result)
{
	uint64_t seqno;
	int ret = client_submit(c, level, slot, kind, 0, &seqno);

	if (!ret)
		ret = client_wait(c, 60);
	return ret ? ret : client_result(c, level, seqno, result);
}

bool client_copied(const struct client *c, unsigned int slot)
{
	return !memcmp(c->mem + CLIENT_OUT + slot * COPY_BYTES, c->mem + CLIENT_IN, COPY_BYTES);
}

uint32_t sync_create(int fd)
{
	struct drm_syncobj_create create = { 0 };

	return call(fd, DRM_IOCTL_SYNCOBJ_CREATE, &create) ? 0 : create.handle;
}

int sync_export(int fd, uint32_t handle)
{
	struct drm_syncobj_handle args = { .handle = handle, .flags = DRM_SYNCOBJ_HANDLE_TO_FD_FLAGS_EXPORT_SYNC_FILE, .fd = -1 };
	int ret = call(fd, DRM_IOCTL_SYNCOBJ_HANDLE_TO_FD, &args);

	return ret ? ret : args.fd;
}

int sync_status(int fd, uint32_t handle)
{
	struct sync_file_info info = { 0 };
	int file = sync_export(fd, handle), ret;

	if (file < 0)
		return file;
	ret = call(file, SYNC_IOC_FILE_INFO, &info);
	close(file);
	return ret ? ret : info.status == 1 ? 0 : info.status == 0 ? -EBUSY : info.status;
}

int sync_wait(int fd, uint32_t handle, unsigned int seconds)
{
	struct drm_syncobj_wait wait = { .handles = (uintptr_t)&handle, .count_handles = 1, .timeout_nsec = in_milliseconds(seconds * 1000ll) };

	return call(fd, DRM_IOCTL_SYNCOBJ_WAIT, &wait);
}
