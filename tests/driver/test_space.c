// SPDX-License-Identifier: GPL-2.0 OR MIT
/* The end of what the device can address: 256 GiB of an address space, and 65,535 address spaces. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "eie_hw.h"
#include "frame.h"
#include "job.h"
#include "kselftest_harness.h"
#include "usage.h"

#define LIMIT	900	/* seconds of a test */
#define BLOCK	(2ull << 20)
#define SPACES	65535	/* ASIDs: 16 bits, and 0 is none */

static int module_load(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC), ret;

	if (fd < 0)
		return -errno;
	ret = (int)syscall(SYS_finit_module, fd, "", 0) ? -errno : 0;
	close(fd);
	return ret;
}

FIXTURE(space)
{
	struct client c;
};

FIXTURE_SETUP(space)
{
	struct usage u;

	ASSERT_EQ(0, client_open(&self->c));
	ASSERT_TRUE(usage_settles(1, &u));
}

FIXTURE_TEARDOWN(space)
{
	client_close(&self->c);
}

/* ---- addresses */

/* Imports `blocks` times 2 MiB that are one and the same 2 MiB: 0 with a handle and the address, or -errno. */
static int import(struct client *c, int sparse, uint64_t blocks, uint32_t *handle, uint64_t *dev_addr)
{
	struct drm_prime_handle prime = { .fd = ioctl(sparse, 0, blocks) };
	struct drm_eie_bo_info info = { 0 };
	int ret;

	if (prime.fd < 0)
		return -errno;
	ret = call(c->fd, DRM_IOCTL_PRIME_FD_TO_HANDLE, &prime);
	close(prime.fd);
	if (ret)
		return ret;
	*handle = info.handle = prime.handle;
	ret = call(c->fd, DRM_IOCTL_EIE_BO_INFO, &info);
	*dev_addr = info.dev_addr;
	return ret;
}

static int copy(struct client *c, uint64_t from, uint64_t to)
{
	struct drm_eie_result r;
	struct drm_eie_job job;
	uint64_t seqno;
	int ret;

	client_copy(c, 0, from, to, &job);
	ret = client_submit_job(c, 2, &job, 0, &seqno) ?: client_wait(c, 60) ?: client_result(c, 2, seqno, &r);
	return ret ? ret : (int)r.status;
}

TEST_F_TIMEOUT(space, addresses, LIMIT)
{
	struct drm_eie_info info = { 0 };
	struct drm_eie_query query = { DRM_EIE_QUERY_INFO, sizeof(info), (uintptr_t)&info };
	struct drm_eie_bo_create bo = { .size = BLOCK };
	uint64_t addr, left, top = 0, bottom = UINT64_MAX;
	struct drm_gem_close gem = { 0 };
	struct usage before, after;
	unsigned int small = 0;
	uint8_t *mem;
	int sparse;

	ASSERT_EQ(0, call(self->c.fd, DRM_IOCTL_EIE_QUERY, &query));
	ASSERT_TRUE(usage_settles(1, &before));
	ASSERT_EQ(0, module_load("/modules/sparse.ko"));
	sparse = open("/dev/sparse", O_RDWR | O_CLOEXEC);
	ASSERT_GE(sparse, 0);

	/* this file's own buffer is in the first 2 MiB or the last; all others are taken in ever smaller pieces */
	left = info.va_size / BLOCK - 1;
	for (uint64_t piece = 1 << 16; piece; piece >>= 1) {
		uint32_t handle;

		if (piece > left)
			continue;
		ASSERT_EQ(0, import(&self->c, sparse, piece, &handle, &addr));
		EXPECT_EQ(0, addr % BLOCK);
		EXPECT_GE(addr, info.va_start);
		EXPECT_LE(addr + piece * BLOCK, info.va_start + info.va_size);
		left -= piece;
		if (addr + piece * BLOCK > top)
			top = addr + piece * BLOCK;
		if (addr < bottom)
			bottom = addr;
		/* data, through the first and the last page of the piece */
		memset(self->c.mem + CLIENT_IN, (int)(piece * 37 + 5), 256);
		EXPECT_EQ(EIE_STATUS_OK, copy(&self->c, self->c.dev_addr + CLIENT_IN, addr + piece * BLOCK - 4096));
		EXPECT_EQ(EIE_STATUS_OK, copy(&self->c, addr + BLOCK - 4096, self->c.dev_addr + CLIENT_OUT));
		EXPECT_EQ(0, memcmp(self->c.mem + CLIENT_IN, self->c.mem + CLIENT_OUT, 256));
		gem.handle = handle;
	}
	ASSERT_EQ(0, left);
	EXPECT_EQ(info.va_size - BLOCK, top - bottom);

	EXPECT_EQ(-ENOSPC, import(&self->c, sparse, 1, &bo.handle, &addr));
	EXPECT_EQ(-ENOSPC, call(self->c.fd, DRM_IOCTL_EIE_BO_CREATE, &bo));
	/* what is left of the 2 MiB that this file's buffer is in */
	for (;; small++) {
		struct drm_eie_bo_create page = { .size = 4096 };
		int ret = call(self->c.fd, DRM_IOCTL_EIE_BO_CREATE, &page);

		if (ret) {
			EXPECT_EQ(-ENOSPC, ret);
			break;
		}
	}
	EXPECT_EQ((BLOCK - CLIENT_BYTES) / 4096, small);

	/* the smallest piece goes, and its place is used again */
	ASSERT_EQ(0, call(self->c.fd, DRM_IOCTL_GEM_CLOSE, &gem));
	ASSERT_EQ(0, call(self->c.fd, DRM_IOCTL_EIE_BO_CREATE, &bo));
	mem = mmap(NULL, BLOCK, PROT_READ | PROT_WRITE, MAP_SHARED, self->c.fd, (off_t)bo.mmap_offset);
	ASSERT_NE(MAP_FAILED, mem);
	EXPECT_EQ(EIE_STATUS_OK, copy(&self->c, self->c.dev_addr + CLIENT_IN, bo.dev_addr + BLOCK - 256));
	EXPECT_EQ(0, memcmp(self->c.mem + CLIENT_IN, mem + BLOCK - 256, 256));
	munmap(mem, BLOCK);

	/* a full address space goes away as an empty one does */
	client_close(&self->c);
	close(sparse);
	ASSERT_EQ(0, client_open(&self->c));
	EXPECT_TRUE(usage_becomes(&before, &after));
	EXPECT_EQ(0, copy(&self->c, self->c.dev_addr + CLIENT_IN, self->c.dev_addr + CLIENT_OUT));
	ASSERT_EQ(0, syscall(SYS_delete_module, "sparse", O_NONBLOCK));
}

/* ---- address spaces */

TEST_F_TIMEOUT(space, asids, LIMIT)
{
	struct rlimit files = { SPACES + 1000, SPACES + 1000 };
	struct drm_eie_result r;
	struct client last;
	struct usage u;
	int *fd, n;

	ASSERT_EQ(0, setrlimit(RLIMIT_NOFILE, &files));
	fd = calloc(SPACES, sizeof(*fd));
	ASSERT_NE(NULL, fd);
	/* the ASIDs that the hardware's queues saw last are not given out: let them be this file's */
	for (unsigned int level = 0; level < CLIENT_QUEUES; level++)
		ASSERT_EQ(0, client_run(&self->c, level, level, JOB_EMPTY, &r));
	for (n = 0; n < SPACES - 1; n++) {
		fd[n] = accel_open(0);
		ASSERT_GE(fd[n], 0) {
			TH_LOG("file %d: %s", n, strerror(errno));
		}
	}
	ASSERT_EQ(0, usage_read(&u));
	EXPECT_EQ(SPACES, u.spaces);
	for (int i = 0; i < 3; i++) {
		EXPECT_EQ(-1, accel_open(0));
		EXPECT_EQ(ENOSPC, errno);
	}

	/* each that is closed makes room for one, which works */
	for (int i = 0; i < 3; i++) {
		close(fd[--n]);
		ASSERT_EQ(0, client_open_node(&last, 0));
		EXPECT_EQ(-1, accel_open(0));
		EXPECT_EQ(ENOSPC, errno);
		EXPECT_EQ(0, copy(&last, last.dev_addr + CLIENT_IN, last.dev_addr + CLIENT_OUT));
		EXPECT_EQ(0, copy(&self->c, self->c.dev_addr + CLIENT_IN, self->c.dev_addr + CLIENT_OUT));
		client_close(&last);
		ASSERT_TRUE(usage_settles(SPACES - 1, &u));
		fd[n] = accel_open(0);
		ASSERT_GE(fd[n++], 0);
	}
	while (n)
		close(fd[--n]);
	free(fd);
	EXPECT_TRUE(usage_settles(1, &u));
}

TEST_HARNESS_MAIN
