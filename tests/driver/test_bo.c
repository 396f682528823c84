// SPDX-License-Identifier: GPL-2.0 OR MIT
/* Buffers: contents, mappings, sharing, waiting, and what becomes of them when they are closed or memory runs out. */
#include <errno.h>
#include <fcntl.h>
#include <linux/dma-buf.h>
#include <linux/udmabuf.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "eie_hw.h"
#include "frame.h"
#include "job.h"
#include "kselftest_harness.h"
#include "usage.h"

#define MIB (1024 * 1024ull)
#define LIMIT 120	/* seconds of a test */

/* ioctls of libdrm's headers */
static int bo_close(int fd, uint32_t handle)
{
	struct drm_gem_close args = { .handle = handle };

	return call(fd, DRM_IOCTL_GEM_CLOSE, &args);
}

static int prime_export(int fd, uint32_t handle)
{
	struct drm_prime_handle args = { .handle = handle, .flags = DRM_CLOEXEC | DRM_RDWR, .fd = -1 };
	int ret = call(fd, DRM_IOCTL_PRIME_HANDLE_TO_FD, &args);

	return ret ? ret : args.fd;
}

static int prime_import(int fd, int dmabuf, uint32_t *handle)
{
	struct drm_prime_handle args = { .fd = dmabuf };
	int ret = call(fd, DRM_IOCTL_PRIME_FD_TO_HANDLE, &args);

	*handle = args.handle;
	return ret;
}

static int bo_info(int fd, uint32_t handle, struct drm_eie_bo_info *info)
{
	*info = (struct drm_eie_bo_info){ .handle = handle };
	return call(fd, DRM_IOCTL_EIE_BO_INFO, info);
}

static uint8_t *bo_map(int fd, const struct drm_eie_bo_create *bo)
{
	return mmap(NULL, bo->size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, (off_t)bo->mmap_offset);
}

static void fill(uint8_t *at, size_t n, unsigned int seed)
{
	for (size_t i = 0; i < n; i++)
		at[i] = (uint8_t)(seed + i * 13 + (i >> 8) * 7);
}

static size_t nonzero(const uint8_t *at, size_t n)
{
	size_t count = 0;

	for (size_t i = 0; i < n; i++)
		count += at[i] != 0;
	return count;
}

FIXTURE(bo)
{
	struct client c;
	struct testcap cap;
};

FIXTURE_SETUP(bo)
{
	struct usage u;

	ASSERT_EQ(0, testcap_open(&self->cap, 0));
	ASSERT_EQ(0, client_open(&self->c));
	/* what the test before left to workers must not meet memory that is held */
	ASSERT_TRUE(usage_settles(1, &u));
}

FIXTURE_TEARDOWN(bo)
{
	EXPECT_EQ(0, hold_end(&self->cap));
	client_close(&self->c);
	testcap_close(&self->cap);
}

/* Copies 256 bytes on the device: the job's status, or a negative errno. */
static int copy(struct client *c, uint64_t from, uint64_t to, struct drm_eie_result *r)
{
	struct drm_eie_job job;
	uint64_t seqno;
	int ret;

	client_copy(c, 0, from, to, &job);
	ret = client_submit_job(c, 2, &job, 0, &seqno);
	if (!ret)
		ret = client_wait(c, 60);
	if (!ret)
		ret = client_result(c, 2, seqno, r);
	return ret ? ret : (int)r->status;
}

TEST_F_TIMEOUT(bo, zeroed_though_used_before, LIMIT)
{
	static const uint64_t sizes[] = { 4096, 65536, 2 * MIB, 3 * MIB + 4096 };

	for (int i = 0; i < 32; i++) {
		struct drm_eie_bo_create bo = { .size = sizes[i % 4] };
		uint8_t *mem;

		ASSERT_EQ(0, call(self->c.fd, DRM_IOCTL_EIE_BO_CREATE, &bo));
		mem = bo_map(self->c.fd, &bo);
		ASSERT_NE(MAP_FAILED, mem);
		EXPECT_EQ(0, nonzero(mem, bo.size));
		memset(mem, 0xa5, bo.size);
		munmap(mem, bo.size);
		ASSERT_EQ(0, bo_close(self->c.fd, bo.handle));
	}
}

TEST_F_TIMEOUT(bo, mappings, LIMIT)
{
	struct drm_eie_bo_create bo = { .size = 16384 };
	uint8_t *one, *two;
	struct client other;
	int fd = self->c.fd;

	ASSERT_EQ(0, call(fd, DRM_IOCTL_EIE_BO_CREATE, &bo));
	one = bo_map(fd, &bo);
	two = bo_map(fd, &bo);
	ASSERT_NE(MAP_FAILED, one);
	ASSERT_NE(MAP_FAILED, two);
	ASSERT_NE(one, two);
	fill(one, bo.size, 3);
	EXPECT_EQ(0, memcmp(one, two, bo.size));

	/* no more than the buffer, nothing between buffers, no private copies, nothing of others */
	EXPECT_EQ(MAP_FAILED, mmap(NULL, bo.size + 4096, PROT_READ, MAP_SHARED, fd, (off_t)bo.mmap_offset));
	EXPECT_EQ(EINVAL, errno);
	EXPECT_EQ(MAP_FAILED, mmap(NULL, 4096, PROT_READ, MAP_SHARED, fd, (off_t)bo.mmap_offset + 4096));
	EXPECT_EQ(EINVAL, errno);
	EXPECT_EQ(MAP_FAILED, mmap(NULL, 4096, PROT_READ, MAP_SHARED, fd, 0));
	EXPECT_EQ(EINVAL, errno);
	EXPECT_EQ(MAP_FAILED, mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, (off_t)bo.mmap_offset));
	EXPECT_EQ(EINVAL, errno);
	ASSERT_EQ(0, client_open(&other));
	EXPECT_EQ(MAP_FAILED, mmap(NULL, 4096, PROT_READ, MAP_SHARED, other.fd, (off_t)bo.mmap_offset));
	EXPECT_EQ(EACCES, errno);
	client_close(&other);

	/* the memory is there as long as it is mapped; it can't be mapped anew */
	ASSERT_EQ(0, bo_close(fd, bo.handle));
	EXPECT_EQ(MAP_FAILED, mmap(NULL, 4096, PROT_READ, MAP_SHARED, fd, (off_t)bo.mmap_offset));
	EXPECT_NE(0, errno == EINVAL || errno == EACCES);
	EXPECT_EQ(0, memcmp(one, two, bo.size));
	fill(two, bo.size, 9);
	EXPECT_EQ(0, memcmp(one, two, bo.size));
	munmap(one, bo.size);
	munmap(two, bo.size);
}

TEST_F_TIMEOUT(bo, mapping_outlives_the_file, LIMIT)
{
	struct client other;
	uint8_t *mem;

	ASSERT_EQ(0, client_open(&other));
	mem = other.mem;
	close(other.fd);
	fill(mem, CLIENT_BYTES, 5);
	EXPECT_EQ(5, mem[0]);
	munmap(mem, CLIENT_BYTES);
}

/* the device sees every page of every kind of buffer where the kernel said */
TEST_F_TIMEOUT(bo, the_device_sees_every_kind, LIMIT)
{
	static const struct { uint64_t size; uint32_t flags; } kinds[] = {
		{ 4096, 0 }, { 4096, DRM_EIE_BO_WC }, { 64 * 1024, DRM_EIE_BO_WC }, { 2 * MIB - 4096, 0 }, { 2 * MIB, 0 },
		{ 4 * MIB + 8192, DRM_EIE_BO_WC },
	};
	struct drm_eie_result r;

	for (unsigned int i = 0; i < 6; i++) {
		struct drm_eie_bo_create bo = { .size = kinds[i].size, .flags = kinds[i].flags };
		struct drm_eie_bo_info info;
		uint8_t *mem, *last;

		ASSERT_EQ(0, call(self->c.fd, DRM_IOCTL_EIE_BO_CREATE, &bo));
		EXPECT_EQ(0, bo.dev_addr % (bo.size >= 2 * MIB ? 2 * MIB : 4096));
		ASSERT_EQ(0, bo_info(self->c.fd, bo.handle, &info));
		EXPECT_EQ(kinds[i].flags, info.flags);
		mem = bo_map(self->c.fd, &bo);
		ASSERT_NE(MAP_FAILED, mem);
		last = mem + bo.size - 256;
		fill(mem, 256, i + 1);
		EXPECT_EQ(EIE_STATUS_OK, copy(&self->c, bo.dev_addr, bo.dev_addr + bo.size - 256, &r));
		EXPECT_EQ(0, memcmp(mem, last, 256));
		/* behind it is nothing */
		EXPECT_EQ(EIE_STATUS_PAGE_FAULT, copy(&self->c, bo.dev_addr + bo.size, bo.dev_addr, &r));
		EXPECT_EQ(bo.dev_addr + bo.size, r.fault_addr);
		munmap(mem, bo.size);
		ASSERT_EQ(0, bo_close(self->c.fd, bo.handle));
	}
}

TEST_F_TIMEOUT(bo, readonly, LIMIT)
{
	struct drm_eie_bo_create bo = { .size = 4096, .flags = DRM_EIE_BO_READONLY };
	struct drm_eie_bo_ref ref = { .access = DRM_EIE_ACCESS_WRITE };
	struct drm_eie_submit submit = { .queue = self->c.queue[2] };
	struct drm_eie_result r;
	struct drm_eie_job job;
	uint8_t *mem;

	ASSERT_EQ(0, call(self->c.fd, DRM_IOCTL_EIE_BO_CREATE, &bo));
	mem = bo_map(self->c.fd, &bo);
	ASSERT_NE(MAP_FAILED, mem);
	fill(mem, 4096, 77);
	EXPECT_EQ(EIE_STATUS_OK, copy(&self->c, bo.dev_addr, self->c.dev_addr + CLIENT_OUT, &r));
	EXPECT_EQ(0, memcmp(mem, self->c.mem + CLIENT_OUT, 256));
	EXPECT_EQ(EIE_STATUS_PAGE_FAULT, copy(&self->c, self->c.dev_addr + CLIENT_IN, bo.dev_addr + 512, &r));
	EXPECT_EQ(-EFAULT, r.error);
	EXPECT_EQ(bo.dev_addr + 512, r.fault_addr);
	EXPECT_EQ((uint8_t)(77 + 512 * 13 + 14), mem[512]);

	client_job(&self->c, 0, JOB_EMPTY, &job);
	ref.handle = bo.handle;
	job.bos = (struct drm_eie_array){ sizeof(ref), 1, (uintptr_t)&ref };
	submit.jobs = (struct drm_eie_array){ sizeof(job), 1, (uintptr_t)&job };
	EXPECT_EQ(-EINVAL, call(self->c.fd, DRM_IOCTL_EIE_SUBMIT, &submit));
	ref.access = DRM_EIE_ACCESS_READ;
	EXPECT_EQ(0, call(self->c.fd, DRM_IOCTL_EIE_SUBMIT, &submit));
	munmap(mem, 4096);
}

/* ---- closed */

TEST_F_TIMEOUT(bo, a_freed_buffer_is_out_of_reach, LIMIT)
{
	struct drm_eie_bo_create bo = { .size = 4096 }, again = { .size = 4096 };
	uint64_t out = self->c.dev_addr + CLIENT_OUT;
	struct drm_eie_result r;

	for (int i = 0; i < 8; i++) {
		/* twice: the device's TLB knows it well */
		bo.size = again.size = i % 2 ? 4096 : 2 * MIB;
		ASSERT_EQ(0, call(self->c.fd, DRM_IOCTL_EIE_BO_CREATE, &bo));
		EXPECT_EQ(EIE_STATUS_OK, copy(&self->c, bo.dev_addr, out, &r));
		EXPECT_EQ(EIE_STATUS_OK, copy(&self->c, out, bo.dev_addr, &r));
		ASSERT_EQ(0, bo_close(self->c.fd, bo.handle));
		EXPECT_EQ(EIE_STATUS_PAGE_FAULT, copy(&self->c, bo.dev_addr, out, &r));
		EXPECT_EQ(bo.dev_addr, r.fault_addr);
		EXPECT_EQ(EIE_STATUS_PAGE_FAULT, copy(&self->c, out, bo.dev_addr, &r));
		EXPECT_EQ(bo.dev_addr, r.fault_addr);

		/* the next one at this address is another one */
		ASSERT_EQ(0, call(self->c.fd, DRM_IOCTL_EIE_BO_CREATE, &again));
		EXPECT_EQ(bo.dev_addr, again.dev_addr);
		memset(self->c.mem + CLIENT_OUT, 0xee, 256);
		EXPECT_EQ(EIE_STATUS_OK, copy(&self->c, again.dev_addr, out, &r));
		EXPECT_EQ(0, nonzero(self->c.mem + CLIENT_OUT, 256));
		ASSERT_EQ(0, bo_close(self->c.fd, again.handle));
	}
}

TEST_F_TIMEOUT(bo, closed_while_a_job_uses_it, LIMIT)
{
	struct drm_eie_bo_create bo = { .size = 4096 };
	struct drm_eie_bo_ref refs[2] = { { self->c.handle, DRM_EIE_ACCESS_READ }, { 0, DRM_EIE_ACCESS_WRITE } };
	struct drm_eie_submit submit = { .queue = self->c.queue[2] };
	struct usage before, after;
	struct drm_eie_result r;
	struct drm_eie_job job;
	uint8_t *mem;

	ASSERT_TRUE(usage_settles(1, &before));
	ASSERT_EQ(0, call(self->c.fd, DRM_IOCTL_EIE_BO_CREATE, &bo));
	mem = bo_map(self->c.fd, &bo);
	ASSERT_NE(MAP_FAILED, mem);
	client_copy(&self->c, 0, self->c.dev_addr + CLIENT_IN, bo.dev_addr, &job);
	fill(self->c.mem + CLIENT_IN, 256, 42);
	refs[1].handle = bo.handle;
	job.bos = (struct drm_eie_array){ sizeof(refs[0]), 2, (uintptr_t)refs };
	submit.jobs = (struct drm_eie_array){ sizeof(job), 1, (uintptr_t)&job };

	ASSERT_EQ(0, hold_begin(&self->cap));
	ASSERT_EQ(0, call(self->c.fd, DRM_IOCTL_EIE_SUBMIT, &submit));
	ASSERT_EQ(0, bo_close(self->c.fd, bo.handle));
	ASSERT_EQ(0, usage_read(&after));
	EXPECT_EQ(before.mappings + 1, after.mappings);
	EXPECT_EQ(before.handles, after.handles);
	ASSERT_EQ(0, hold_end(&self->cap));
	ASSERT_EQ(0, client_wait(&self->c, 60));
	ASSERT_EQ(0, client_result(&self->c, 2, submit.seqno, &r));
	EXPECT_EQ(EIE_STATUS_OK, r.status);
	EXPECT_EQ(0, memcmp(mem, self->c.mem + CLIENT_IN, 256));
	EXPECT_TRUE(usage_becomes(&before, &after));
	EXPECT_EQ(EIE_STATUS_PAGE_FAULT, copy(&self->c, bo.dev_addr, self->c.dev_addr + CLIENT_OUT, &r));
	munmap(mem, 4096);
}

/* ---- waiting */

TEST_F_TIMEOUT(bo, wait_and_prep, LIMIT)
{
	struct drm_eie_bo_prep prep = { .handle = self->c.handle };
	struct drm_eie_bo_fini fini = { .handle = self->c.handle, .access = DRM_EIE_ACCESS_READ | DRM_EIE_ACCESS_WRITE };
	struct drm_eie_bo_wait wait = { .handle = self->c.handle };
	struct drm_eie_bo_ref ref = { self->c.handle, DRM_EIE_ACCESS_READ };
	struct drm_eie_submit submit = { .queue = self->c.queue[2] };
	struct drm_eie_job job;
	int fd = self->c.fd;
	int64_t start;

	client_job(&self->c, 0, JOB_EMPTY, &job);
	job.bos = (struct drm_eie_array){ sizeof(ref), 1, (uintptr_t)&ref };
	submit.jobs = (struct drm_eie_array){ sizeof(job), 1, (uintptr_t)&job };

	/* a job that only reads: the CPU may read too */
	ASSERT_EQ(0, hold_begin(&self->cap));
	ASSERT_EQ(0, call(fd, DRM_IOCTL_EIE_SUBMIT, &submit));
	prep.access = DRM_EIE_ACCESS_READ;
	EXPECT_EQ(0, call(fd, DRM_IOCTL_EIE_BO_PREP, &prep));
	prep.access = DRM_EIE_ACCESS_WRITE;
	EXPECT_EQ(-EBUSY, call(fd, DRM_IOCTL_EIE_BO_PREP, &prep));
	EXPECT_EQ(-EBUSY, call(fd, DRM_IOCTL_EIE_BO_WAIT, &wait));

	/* one that writes */
	ref.access = DRM_EIE_ACCESS_WRITE;
	ASSERT_EQ(0, call(fd, DRM_IOCTL_EIE_SUBMIT, &submit));
	prep.access = DRM_EIE_ACCESS_READ;
	EXPECT_EQ(-EBUSY, call(fd, DRM_IOCTL_EIE_BO_PREP, &prep));
	prep.timeout_ns = wait.timeout_ns = 1;
	EXPECT_EQ(-EBUSY, call(fd, DRM_IOCTL_EIE_BO_PREP, &prep));
	prep.timeout_ns = wait.timeout_ns = -1;
	EXPECT_EQ(-EBUSY, call(fd, DRM_IOCTL_EIE_BO_WAIT, &wait));
	start = in_milliseconds(0);
	prep.timeout_ns = in_milliseconds(200);
	EXPECT_EQ(-ETIME, call(fd, DRM_IOCTL_EIE_BO_PREP, &prep));
	EXPECT_GE(in_milliseconds(0), prep.timeout_ns);
	wait.timeout_ns = in_milliseconds(200);
	EXPECT_EQ(-ETIME, call(fd, DRM_IOCTL_EIE_BO_WAIT, &wait));
	EXPECT_GE(in_milliseconds(0), wait.timeout_ns);
	EXPECT_LT(in_milliseconds(0), start + 30 * 1000000000ll);

	ASSERT_EQ(0, hold_end(&self->cap));
	wait.timeout_ns = prep.timeout_ns = INT64_MAX;
	EXPECT_EQ(0, call(fd, DRM_IOCTL_EIE_BO_WAIT, &wait));
	prep.access = DRM_EIE_ACCESS_READ | DRM_EIE_ACCESS_WRITE;
	EXPECT_EQ(0, call(fd, DRM_IOCTL_EIE_BO_PREP, &prep));
	EXPECT_EQ(0, call(fd, DRM_IOCTL_EIE_BO_FINI, &fini));
}

/* ---- sharing */

TEST_F_TIMEOUT(bo, prime_between_files, LIMIT)
{
	struct drm_eie_bo_create bo = { .size = 8192 };
	struct drm_eie_bo_info info;
	struct drm_eie_result r;
	struct client other;
	uint32_t handle, again;
	uint8_t *mem, *direct;
	int dmabuf;

	ASSERT_EQ(0, client_open(&other));
	ASSERT_EQ(0, call(self->c.fd, DRM_IOCTL_EIE_BO_CREATE, &bo));
	mem = bo_map(self->c.fd, &bo);
	ASSERT_NE(MAP_FAILED, mem);
	dmabuf = prime_export(self->c.fd, bo.handle);
	ASSERT_GE(dmabuf, 0);

	/* back into its own file: the same handle */
	ASSERT_EQ(0, prime_import(self->c.fd, dmabuf, &handle));
	EXPECT_EQ(bo.handle, handle);
	/* into another: the same memory at another address, and twice the same handle */
	ASSERT_EQ(0, prime_import(other.fd, dmabuf, &handle));
	ASSERT_EQ(0, prime_import(other.fd, dmabuf, &again));
	EXPECT_EQ(handle, again);
	ASSERT_EQ(0, bo_info(other.fd, handle, &info));
	EXPECT_EQ(8192, info.size);
	EXPECT_EQ(bo.mmap_offset, info.mmap_offset);
	direct = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_SHARED, dmabuf, 0);
	ASSERT_NE(MAP_FAILED, direct);
	close(dmabuf);
	fill(mem, 8192, 21);
	EXPECT_EQ(0, memcmp(mem, direct, 8192));
	EXPECT_EQ(EIE_STATUS_OK, copy(&other, info.dev_addr + 4096, info.dev_addr, &r));
	EXPECT_EQ(0, memcmp(mem, mem + 4096, 256));

	/* whoever is left has it */
	ASSERT_EQ(0, bo_close(self->c.fd, bo.handle));
	munmap(mem, 8192);
	EXPECT_EQ(EIE_STATUS_OK, copy(&other, info.dev_addr + 4096, info.dev_addr + 512, &r));
	EXPECT_EQ(0, memcmp(direct + 4096, direct + 512, 256));
	munmap(direct, 8192);
	client_close(&other);
}

TEST_F_TIMEOUT(bo, prime_refuses, LIMIT)
{
	struct drm_prime_handle args = { .handle = self->c.handle, .flags = 0x10000000 };
	int fds[2];
	uint32_t handle;

	EXPECT_EQ(-EINVAL, call(self->c.fd, DRM_IOCTL_PRIME_HANDLE_TO_FD, &args));
	args = (struct drm_prime_handle){ .handle = 12345 };
	EXPECT_EQ(-ENOENT, call(self->c.fd, DRM_IOCTL_PRIME_HANDLE_TO_FD, &args));
	EXPECT_EQ(-EBADF, prime_import(self->c.fd, -1, &handle));
	ASSERT_EQ(0, pipe(fds));
	EXPECT_EQ(-EINVAL, prime_import(self->c.fd, fds[0], &handle));
	close(fds[0]);
	close(fds[1]);
}

/* A dma-buf of the udmabuf driver: `pages` pages of a new memfd, the last page first; *mem maps the memfd. */
static int udmabuf(unsigned int pages, uint8_t **mem)
{
	char room[sizeof(struct udmabuf_create_list) + 64 * sizeof(struct udmabuf_create_item)] = { 0 };
	struct udmabuf_create_list *list = (struct udmabuf_create_list *)room;
	int memfd = memfd_create("test", MFD_ALLOW_SEALING | MFD_CLOEXEC), dev = open("/dev/udmabuf", O_RDWR | O_CLOEXEC), fd = -1;

	if (memfd >= 0 && dev >= 0 && !ftruncate(memfd, pages * 4096l) && !fcntl(memfd, F_ADD_SEALS, F_SEAL_SHRINK)) {
		list->flags = UDMABUF_FLAGS_CLOEXEC;
		list->count = pages;
		for (unsigned int i = 0; i < pages; i++)
			list->list[i] = (struct udmabuf_create_item){ .memfd = memfd, .offset = 4096ull * (pages - 1 - i), .size = 4096 };
		fd = ioctl(dev, UDMABUF_CREATE_LIST, list);
		*mem = mmap(NULL, pages * 4096, PROT_READ | PROT_WRITE, MAP_SHARED, memfd, 0);
	}
	close(memfd);
	close(dev);
	return fd;
}

/* another driver's buffer, its pages in no order */
TEST_F_TIMEOUT(bo, import_from_another_driver, LIMIT)
{
	struct drm_eie_bo_prep prep = { .access = DRM_EIE_ACCESS_READ | DRM_EIE_ACCESS_WRITE };
	struct drm_eie_bo_fini fini = { .access = DRM_EIE_ACCESS_READ | DRM_EIE_ACCESS_WRITE };
	struct drm_gem_close close_args = { 0 };
	const unsigned int pages = 16;
	struct usage before, after;
	struct drm_eie_bo_info info;
	struct drm_eie_result r;
	uint32_t handle, again;
	uint8_t *mem;
	int dmabuf;

	ASSERT_TRUE(usage_settles(1, &before));
	dmabuf = udmabuf(pages, &mem);
	ASSERT_GE(dmabuf, 0);
	ASSERT_NE(MAP_FAILED, mem);
	ASSERT_EQ(0, prime_import(self->c.fd, dmabuf, &handle));
	ASSERT_EQ(0, prime_import(self->c.fd, dmabuf, &again));
	EXPECT_EQ(handle, again);
	ASSERT_EQ(0, bo_info(self->c.fd, handle, &info));
	EXPECT_EQ(pages * 4096, info.size);
	EXPECT_EQ(0, info.mmap_offset);
	EXPECT_EQ(0, info.flags);
	for (unsigned int i = 0; i < pages; i++) {
		uint8_t *page = mem + 4096 * (pages - 1 - i);

		fill(page, 256, i);
		EXPECT_EQ(EIE_STATUS_OK, copy(&self->c, info.dev_addr + 4096 * i, info.dev_addr + 4096 * i + 1024, &r));
		EXPECT_EQ(0, memcmp(page, page + 1024, 256));
	}
	prep.handle = fini.handle = handle;
	prep.timeout_ns = in_milliseconds(60000);
	EXPECT_EQ(0, call(self->c.fd, DRM_IOCTL_EIE_BO_PREP, &prep));
	EXPECT_EQ(0, call(self->c.fd, DRM_IOCTL_EIE_BO_FINI, &fini));

	/* exported again it is what it was: the same dma-buf */
	again = (uint32_t)prime_export(self->c.fd, handle);
	ASSERT_GE((int)again, 0);
	close((int)again);
	close_args.handle = handle;
	ASSERT_EQ(0, call(self->c.fd, DRM_IOCTL_GEM_CLOSE, &close_args));
	close(dmabuf);
	munmap(mem, pages * 4096);
	EXPECT_TRUE(usage_becomes(&before, &after));
	EXPECT_EQ(EIE_STATUS_PAGE_FAULT, copy(&self->c, info.dev_addr, info.dev_addr, &r));
}

/* ---- memory */

TEST_F_TIMEOUT(bo, all_memory_comes_back, LIMIT)
{
	int64_t total = fdinfo(self->c.fd, "drm-total-memory");
	struct drm_eie_bo_create bo[40];
	struct usage before, after;
	struct drm_eie_result r;
	int64_t sum = 0;

	ASSERT_GE(total, CLIENT_BYTES);
	ASSERT_TRUE(usage_settles(1, &before));
	for (unsigned int i = 0; i < 40; i++) {
		bo[i] = (struct drm_eie_bo_create){ .size = (i % 9 + 1) * (i % 4 ? 4096 : 512 * 1024), .flags = i % 4 };
		ASSERT_EQ(0, call(self->c.fd, DRM_IOCTL_EIE_BO_CREATE, &bo[i]));
		EXPECT_EQ(EIE_STATUS_OK, copy(&self->c, bo[i].dev_addr, self->c.dev_addr + CLIENT_OUT, &r));
		sum += (int64_t)bo[i].size;
	}
	EXPECT_EQ(total + sum, fdinfo(self->c.fd, "drm-total-memory"));
	for (unsigned int i = 0; i < 40; i++)
		ASSERT_EQ(0, bo_close(self->c.fd, bo[i * 7 % 40].handle));
	EXPECT_TRUE(usage_becomes(&before, &after));
	EXPECT_EQ(total, fdinfo(self->c.fd, "drm-total-memory"));
}

/* memory is refused, and nobody is killed for it */
TEST_F_TIMEOUT(bo, out_of_memory, LIMIT)
{
	struct drm_eie_bo_create bo = { .size = 32 * MIB };
	struct drm_eie_result r;
	unsigned int n = 0;
	int ret, status;
	pid_t pid;

	/* a process of its own: exit frees all */
	pid = fork();
	ASSERT_GE(pid, 0);
	if (!pid) {
		struct client other;

		if (client_open(&other))
			_exit(1);
		while (!(ret = call(other.fd, DRM_IOCTL_EIE_BO_CREATE, &bo)) && n < 4096)
			n++;
		_exit(ret == -ENOMEM && n > 4 ? 0 : 2);
	}
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(0, status);
	EXPECT_EQ(EIE_STATUS_OK, copy(&self->c, self->c.dev_addr + CLIENT_IN, self->c.dev_addr + CLIENT_OUT, &r));
	EXPECT_EQ(0, call(self->c.fd, DRM_IOCTL_EIE_BO_CREATE, &bo));
}

TEST_HARNESS_MAIN
