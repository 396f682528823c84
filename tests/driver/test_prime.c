// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Buffers shared with another DRM driver, vgem: what one writes the other's users see, jobs wait for its fences, and whoever goes
 * first, the memory stays until the last has gone, and goes then.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/dma-buf.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <drm_mode.h>

#include "eie_hw.h"
#include "frame.h"
#include "job.h"
#include "kselftest_harness.h"
#include "usage.h"

/* vgem_drm.h, which Debian 12 does not have */
struct drm_vgem_fence_attach {
	uint32_t handle, flags, out_fence, pad;
};
struct drm_vgem_fence_signal {
	uint32_t fence, flags;
};
#define VGEM_FENCE_WRITE		0x1
#define DRM_IOCTL_VGEM_FENCE_ATTACH	DRM_IOWR(DRM_COMMAND_BASE + 1, struct drm_vgem_fence_attach)
#define DRM_IOCTL_VGEM_FENCE_SIGNAL	DRM_IOW(DRM_COMMAND_BASE + 2, struct drm_vgem_fence_signal)

#define LIMIT	120	/* seconds of a test */
#define BYTES	(64 * 1024u)

static int gem_close(int fd, uint32_t handle)
{
	struct drm_gem_close args = { .handle = handle };

	return call(fd, DRM_IOCTL_GEM_CLOSE, &args);
}

static int to_dmabuf(int fd, uint32_t handle)
{
	struct drm_prime_handle args = { .handle = handle, .flags = DRM_CLOEXEC | DRM_RDWR, .fd = -1 };
	int ret = call(fd, DRM_IOCTL_PRIME_HANDLE_TO_FD, &args);

	return ret ? ret : args.fd;
}

static int from_dmabuf(int fd, int dmabuf, uint32_t *handle)
{
	struct drm_prime_handle args = { .fd = dmabuf };
	int ret = call(fd, DRM_IOCTL_PRIME_FD_TO_HANDLE, &args);

	*handle = args.handle;
	return ret;
}

/* The node of the driver vgem, whatever its number; -1. */
static int vgem_open(void)
{
	for (unsigned int i = 0; i < 8; i++) {
		char path[32], name[16] = "";
		struct drm_version version = { .name = name, .name_len = sizeof(name) - 1 };
		int fd;

		snprintf(path, sizeof(path), "/dev/dri/card%u", i);
		fd = open(path, O_RDWR | O_CLOEXEC);
		if (fd >= 0 && !call(fd, DRM_IOCTL_VERSION, &version) && !strcmp(name, "vgem"))
			return fd;
		if (fd >= 0)
			close(fd);
	}
	return -1;
}

/* A buffer of vgem, mapped. */
static int vgem_create(int vgem, uint32_t *handle, uint8_t **mem)
{
	struct drm_mode_create_dumb create = { .width = BYTES / 4, .height = 1, .bpp = 32 };
	struct drm_mode_map_dumb map = { 0 };
	int ret = call(vgem, DRM_IOCTL_MODE_CREATE_DUMB, &create);

	if (ret)
		return ret;
	*handle = map.handle = create.handle;
	ret = call(vgem, DRM_IOCTL_MODE_MAP_DUMB, &map);
	if (ret)
		return ret;
	*mem = mmap(NULL, BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, vgem, (off_t)map.offset);
	return *mem == MAP_FAILED ? -errno : 0;
}

static void fill(uint8_t *at, unsigned int seed)
{
	for (unsigned int i = 0; i < 256; i++)
		at[i] = (uint8_t)(seed + i * 13);
}

FIXTURE(prime)
{
	struct client c;
	int vgem;
	struct usage before;
	int64_t memory;
};

FIXTURE_SETUP(prime)
{
	ASSERT_EQ(0, client_open(&self->c));
	self->vgem = vgem_open();
	ASSERT_GE(self->vgem, 0);
	ASSERT_TRUE(usage_settles(1, &self->before));
	self->memory = fdinfo(self->c.fd, "drm-total-memory");
	ASSERT_GE(self->memory, CLIENT_BYTES);
}

FIXTURE_TEARDOWN(prime)
{
	client_close(&self->c);
	close(self->vgem);
}

static void expect_nothing_left(struct __test_metadata *_metadata, struct client *c, const struct usage *before, int64_t memory)
{
	struct usage after;

	EXPECT_TRUE(usage_becomes(before, &after));
	EXPECT_EQ(memory, fdinfo(c->fd, "drm-total-memory"));
}

/* Submits a copy of 256 bytes with the client's buffer and another one in its list. */
static int submit_copy(struct client *c, unsigned int slot, uint32_t shared, uint32_t access, uint64_t from, uint64_t to, uint64_t *seqno)
{
	struct drm_eie_bo_ref refs[2] = { { c->handle, DRM_EIE_ACCESS_READ | DRM_EIE_ACCESS_WRITE }, { shared, access } };
	struct drm_eie_submit args = { .queue = c->queue[2] };
	struct drm_eie_job job;
	int ret;

	client_copy(c, slot, from, to, &job);
	job.bos = (struct drm_eie_array){ sizeof(refs[0]), 2, (uintptr_t)refs };
	args.jobs = (struct drm_eie_array){ sizeof(job), 1, (uintptr_t)&job };
	ret = call(c->fd, DRM_IOCTL_EIE_SUBMIT, &args);
	*seqno = args.seqno;
	return ret;
}

/* The status of a job that copies, or -errno. */
static int copy(struct client *c, uint32_t shared, uint32_t access, uint64_t from, uint64_t to)
{
	struct drm_eie_result r;
	uint64_t seqno;
	int ret = submit_copy(c, 0, shared, access, from, to, &seqno) ?: client_wait(c, 60) ?: client_result(c, 2, seqno, &r);

	return ret ? ret : (int)r.status;
}

static int cpu_access(int dmabuf, uint64_t flags)
{
	struct dma_buf_sync sync = { .flags = flags };

	return call(dmabuf, DMA_BUF_IOCTL_SYNC, &sync);
}

/* A buffer of vgem in a job: read and written on the device, seen by the CPU through vgem. Every order of going. */
TEST_F_TIMEOUT(prime, import_from_vgem, LIMIT)
{
	for (int order = 0; order < 4; order++) {
		uint32_t theirs, ours, again;
		struct drm_eie_bo_info info = { 0 };
		uint8_t *mem;
		int dmabuf, vgem = vgem_open();

		ASSERT_GE(vgem, 0);
		ASSERT_EQ(0, vgem_create(vgem, &theirs, &mem));
		dmabuf = to_dmabuf(vgem, theirs);
		ASSERT_GE(dmabuf, 0);
		ASSERT_EQ(0, from_dmabuf(self->c.fd, dmabuf, &ours));
		ASSERT_EQ(0, from_dmabuf(self->c.fd, dmabuf, &again));
		EXPECT_EQ(ours, again);
		info.handle = ours;
		ASSERT_EQ(0, call(self->c.fd, DRM_IOCTL_EIE_BO_INFO, &info));
		EXPECT_EQ(BYTES, info.size);
		EXPECT_EQ(0, info.mmap_offset);

		/* from every page of theirs to ours, and back to the next one */
		for (unsigned int page = 0; page < BYTES / 4096 - 1; page++) {
			uint64_t at = info.dev_addr + page * 4096;

			ASSERT_EQ(0, cpu_access(dmabuf, DMA_BUF_SYNC_START | DMA_BUF_SYNC_WRITE));
			fill(mem + page * 4096, page + 100 * (unsigned int)order);
			ASSERT_EQ(0, cpu_access(dmabuf, DMA_BUF_SYNC_END | DMA_BUF_SYNC_WRITE));
			ASSERT_EQ(EIE_STATUS_OK, copy(&self->c, ours, DRM_EIE_ACCESS_READ, at, self->c.dev_addr + CLIENT_OUT));
			EXPECT_EQ(0, memcmp(self->c.mem + CLIENT_OUT, mem + page * 4096, 256));
			ASSERT_EQ(EIE_STATUS_OK, copy(&self->c, ours, DRM_EIE_ACCESS_WRITE, self->c.dev_addr + CLIENT_OUT, at + 4096));
			ASSERT_EQ(0, cpu_access(dmabuf, DMA_BUF_SYNC_START | DMA_BUF_SYNC_READ));
			EXPECT_EQ(0, memcmp(mem + page * 4096, mem + page * 4096 + 4096, 256));
			ASSERT_EQ(0, cpu_access(dmabuf, DMA_BUF_SYNC_END | DMA_BUF_SYNC_READ));
		}

		/* they go first, and the device still has the memory; or we do, and the CPU has it */
		if (order & 1) {
			ASSERT_EQ(0, gem_close(self->c.fd, ours));
			EXPECT_EQ(EIE_STATUS_PAGE_FAULT, copy(&self->c, self->c.handle, DRM_EIE_ACCESS_READ, info.dev_addr, self->c.dev_addr));
			fill(mem, 7);
		}
		if (order & 2)
			close(dmabuf);
		munmap(mem, BYTES);
		ASSERT_EQ(0, gem_close(vgem, theirs));
		close(vgem);
		if (!(order & 1)) {
			EXPECT_EQ(EIE_STATUS_OK, copy(&self->c, ours, DRM_EIE_ACCESS_READ | DRM_EIE_ACCESS_WRITE, info.dev_addr, info.dev_addr + 256));
			ASSERT_EQ(0, gem_close(self->c.fd, ours));
		}
		if (!(order & 2))
			close(dmabuf);
		expect_nothing_left(_metadata, &self->c, &self->before, self->memory);
	}
}

/* A buffer of ours that vgem has imported: the CPU writes and reads it through the dma-buf, a job reads and writes it. */
TEST_F_TIMEOUT(prime, export_to_vgem, LIMIT)
{
	for (int order = 0; order < 4; order++) {
		struct drm_eie_bo_create bo = { .size = BYTES };
		uint32_t theirs, back;
		uint8_t *mem;
		int dmabuf, vgem = vgem_open();

		ASSERT_GE(vgem, 0);
		ASSERT_EQ(0, call(self->c.fd, DRM_IOCTL_EIE_BO_CREATE, &bo));
		dmabuf = to_dmabuf(self->c.fd, bo.handle);
		ASSERT_GE(dmabuf, 0);
		ASSERT_EQ(0, from_dmabuf(vgem, dmabuf, &theirs));
		mem = mmap(NULL, BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, dmabuf, 0);
		ASSERT_NE(MAP_FAILED, mem);
		ASSERT_EQ(0, cpu_access(dmabuf, DMA_BUF_SYNC_START | DMA_BUF_SYNC_RW));
		fill(mem + 8192, 50 + (unsigned int)order);
		ASSERT_EQ(0, cpu_access(dmabuf, DMA_BUF_SYNC_END | DMA_BUF_SYNC_RW));
		ASSERT_EQ(EIE_STATUS_OK, copy(&self->c, bo.handle, DRM_EIE_ACCESS_READ | DRM_EIE_ACCESS_WRITE, bo.dev_addr + 8192,
					      bo.dev_addr + 4096));
		ASSERT_EQ(0, cpu_access(dmabuf, DMA_BUF_SYNC_START | DMA_BUF_SYNC_READ));
		EXPECT_EQ(0, memcmp(mem + 4096, mem + 8192, 256));
		ASSERT_EQ(0, cpu_access(dmabuf, DMA_BUF_SYNC_END | DMA_BUF_SYNC_READ));
		munmap(mem, BYTES);

		if (order & 1)
			close(dmabuf);
		if (order & 2) {
			/* ours goes, vgem keeps the memory, and gives it back */
			ASSERT_EQ(0, gem_close(self->c.fd, bo.handle));
			if (order & 1)
				dmabuf = to_dmabuf(vgem, theirs);
			ASSERT_GE(dmabuf, 0);
			ASSERT_EQ(0, from_dmabuf(self->c.fd, dmabuf, &back));
			bo.handle = back;
		} else {
			ASSERT_EQ(0, gem_close(vgem, theirs));
			theirs = 0;
		}
		if (order & 2 || !(order & 1))
			close(dmabuf);
		if (theirs)
			ASSERT_EQ(0, gem_close(vgem, theirs));
		/* the pages are those from before, wherever they are mapped now */
		{
			struct drm_eie_bo_info info = { .handle = bo.handle };

			ASSERT_EQ(0, call(self->c.fd, DRM_IOCTL_EIE_BO_INFO, &info));
			ASSERT_EQ(EIE_STATUS_OK, copy(&self->c, bo.handle, DRM_EIE_ACCESS_READ, info.dev_addr + 4096,
						      self->c.dev_addr + CLIENT_OUT));
		}
		fill(self->c.mem + CLIENT_IN, 50 + (unsigned int)order);
		EXPECT_EQ(0, memcmp(self->c.mem + CLIENT_IN, self->c.mem + CLIENT_OUT, 256));
		ASSERT_EQ(0, gem_close(self->c.fd, bo.handle));
		close(vgem);
		expect_nothing_left(_metadata, &self->c, &self->before, self->memory);
	}
}

/* Fences in the buffer, whosever it is: a job waits for vgem's, and who polls the dma-buf waits for the job's. */
TEST_F_TIMEOUT(prime, fences_order_both_drivers, LIMIT)
{
	for (int import = 0; import < 2; import++) {
		uint32_t theirs, ours;
		struct drm_vgem_fence_attach attach = { .flags = VGEM_FENCE_WRITE };
		struct drm_eie_bo_create bo = { .size = BYTES };
		struct drm_eie_bo_info info = { 0 };
		struct drm_vgem_fence_signal signal = { 0 };
		struct pollfd poll_fd = { .events = POLLOUT };
		struct drm_eie_result r;
		uint8_t *mem = NULL;
		uint64_t seqno;

		if (import) {
			ASSERT_EQ(0, vgem_create(self->vgem, &theirs, &mem));
			poll_fd.fd = to_dmabuf(self->vgem, theirs);
			ASSERT_GE(poll_fd.fd, 0);
			ASSERT_EQ(0, from_dmabuf(self->c.fd, poll_fd.fd, &ours));
		} else {
			ASSERT_EQ(0, call(self->c.fd, DRM_IOCTL_EIE_BO_CREATE, &bo));
			ours = bo.handle;
			poll_fd.fd = to_dmabuf(self->c.fd, ours);
			ASSERT_GE(poll_fd.fd, 0);
			ASSERT_EQ(0, from_dmabuf(self->vgem, poll_fd.fd, &theirs));
		}
		info.handle = ours;
		ASSERT_EQ(0, call(self->c.fd, DRM_IOCTL_EIE_BO_INFO, &info));

		attach.handle = theirs;
		ASSERT_EQ(0, call(self->vgem, DRM_IOCTL_VGEM_FENCE_ATTACH, &attach));
		ASSERT_EQ(0, submit_copy(&self->c, 0, ours, DRM_EIE_ACCESS_WRITE, self->c.dev_addr + CLIENT_IN, info.dev_addr, &seqno));
		usleep(200000);
		EXPECT_EQ(-EBUSY, client_result(&self->c, 2, seqno, &r));
		EXPECT_EQ(0, poll(&poll_fd, 1, 0));
		signal.fence = attach.out_fence;
		ASSERT_EQ(0, call(self->vgem, DRM_IOCTL_VGEM_FENCE_SIGNAL, &signal));
		ASSERT_EQ(1, poll(&poll_fd, 1, 60000));
		ASSERT_EQ(0, client_result(&self->c, 2, seqno, &r));
		EXPECT_EQ(EIE_STATUS_OK, r.status);

		if (mem)
			munmap(mem, BYTES);
		ASSERT_EQ(0, gem_close(self->c.fd, ours));
		ASSERT_EQ(0, gem_close(self->vgem, theirs));
		close(poll_fd.fd);
		expect_nothing_left(_metadata, &self->c, &self->before, self->memory);
	}
}

TEST_HARNESS_MAIN
