// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Every ioctl: its valid use, then the same with one field broken; structures shorter and longer than the kernel's; numbers,
 * handles and queues that do not exist, any more or in this file. Built for 64-bit and for 32-bit user space.
 */
#include <errno.h>
#include <stddef.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "eie_hw.h"
#include "frame.h"
#include "job.h"
#include "kselftest_harness.h"
#include "usage.h"

/* One layout for all of user space: these are the sizes of the first version, for ever. */
_Static_assert(sizeof(struct drm_eie_array) == 16, "layout");
_Static_assert(sizeof(struct drm_eie_query) == 16, "layout");
_Static_assert(sizeof(struct drm_eie_info) == 64, "layout");
_Static_assert(sizeof(struct drm_eie_bo_create) == 32, "layout");
_Static_assert(sizeof(struct drm_eie_bo_info) == 32, "layout");
_Static_assert(sizeof(struct drm_eie_bo_prep) == 16, "layout");
_Static_assert(sizeof(struct drm_eie_bo_fini) == 8, "layout");
_Static_assert(sizeof(struct drm_eie_bo_wait) == 16, "layout");
_Static_assert(sizeof(struct drm_eie_queue_create) == 16, "layout");
_Static_assert(sizeof(struct drm_eie_queue_destroy) == 8, "layout");
_Static_assert(sizeof(struct drm_eie_sync) == 16, "layout");
_Static_assert(sizeof(struct drm_eie_bo_ref) == 8, "layout");
_Static_assert(sizeof(struct drm_eie_job) == 104, "layout");
_Static_assert(sizeof(struct drm_eie_submit) == 32, "layout");
_Static_assert(sizeof(struct drm_eie_result) == 128, "layout");

#define NO_SUCH 0x7fffffffu
#define KERNEL_ADDR 0xffff888000000000ull

/* Valid arguments of all ioctls, and what they point to. */
struct args {
	struct drm_eie_query query;
	struct drm_eie_bo_create bo_create;
	struct drm_eie_bo_info bo_info;
	struct drm_eie_bo_prep bo_prep;
	struct drm_eie_bo_fini bo_fini;
	struct drm_eie_bo_wait bo_wait;
	struct drm_eie_queue_create queue_create;
	struct drm_eie_queue_destroy queue_destroy;
	struct drm_eie_submit submit;
	struct drm_eie_result result;

	struct drm_eie_info info;
	struct drm_eie_job job;
	struct drm_eie_bo_ref ref;
	struct drm_eie_sync in, out;
};

/* A client, one job of it that has ended, a queue to destroy, and valid arguments for everything. */
struct caller {
	struct client c;
	struct args args;
};

static void caller_open(struct __test_metadata *_metadata, struct caller *s)
{
	uint32_t in = 0, out = 0;
	struct drm_eie_queue_create queue = { .priority = 3 };
	struct drm_eie_result result;
	struct args *a = &s->args;

	memset(a, 0, sizeof(*a));
	ASSERT_EQ(0, client_open(&s->c));
	in = sync_create(s->c.fd);
	out = sync_create(s->c.fd);
	ASSERT_NE(0, in);
	ASSERT_NE(0, out);
	ASSERT_EQ(0, client_submit(&s->c, 2, 0, JOB_EMPTY, in, NULL));
	ASSERT_EQ(0, client_wait(&s->c, 60));
	ASSERT_EQ(0, client_result(&s->c, 2, 1, &result));
	ASSERT_EQ(0, call(s->c.fd, DRM_IOCTL_EIE_QUEUE_CREATE, &queue));

	a->query = (struct drm_eie_query){ DRM_EIE_QUERY_INFO, 0x1000, (uintptr_t)&a->info };
	a->bo_create.size = 4096;
	a->bo_info.handle = s->c.handle;
	a->bo_prep = (struct drm_eie_bo_prep){ s->c.handle, DRM_EIE_ACCESS_READ, 0 };
	a->bo_fini = (struct drm_eie_bo_fini){ s->c.handle, DRM_EIE_ACCESS_READ };
	a->bo_wait.handle = s->c.handle;
	a->queue_create.priority = 3;
	a->queue_destroy.queue = queue.queue;
	a->submit.queue = s->c.queue[2];
	a->submit.jobs = (struct drm_eie_array){ sizeof(a->job), 1, (uintptr_t)&a->job };
	a->result.queue = s->c.queue[2];
	a->result.seqno = 1;
	client_job(&s->c, 0, JOB_EMPTY, &a->job);
	a->ref = (struct drm_eie_bo_ref){ s->c.handle, DRM_EIE_ACCESS_READ | DRM_EIE_ACCESS_WRITE };
	a->job.bos = (struct drm_eie_array){ sizeof(a->ref), 1, (uintptr_t)&a->ref };
	a->in.handle = in;
	a->job.in_syncs = (struct drm_eie_array){ sizeof(a->in), 1, (uintptr_t)&a->in };
	a->out.handle = out;
	a->job.out_syncs = (struct drm_eie_array){ sizeof(a->out), 1, (uintptr_t)&a->out };
}

/* All of an ioctl that the tests below need: its number without a size, and where its arguments are. */
struct ioctl_case {
	unsigned long request;
	size_t at;
};
#define CASE(NAME, member) { DRM_IOCTL_EIE_##NAME, offsetof(struct args, member) }
static const struct ioctl_case ioctls[] = {
	CASE(QUERY, query), CASE(BO_CREATE, bo_create), CASE(BO_INFO, bo_info), CASE(BO_PREP, bo_prep), CASE(BO_FINI, bo_fini),
	CASE(BO_WAIT, bo_wait), CASE(QUEUE_CREATE, queue_create), CASE(SUBMIT, submit), CASE(RESULT, result),
	CASE(QUEUE_DESTROY, queue_destroy),
};
#define IOCTLS (sizeof(ioctls) / sizeof(ioctls[0]))

static unsigned long resized(unsigned long request, size_t size)
{
	return _IOC(_IOC_DIR(request), _IOC_TYPE(request), _IOC_NR(request), size);
}

/* ---- one field broken */

FIXTURE(broken)
{
	struct caller s;
};

FIXTURE_VARIANT(broken)
{
	unsigned long request;
	size_t args, field, bytes;
	uint64_t value;
	int error;
};

FIXTURE_SETUP(broken)
{
	caller_open(_metadata, &self->s);
}

FIXTURE_TEARDOWN(broken)
{
	client_close(&self->s.c);
}

/* BROKEN(name, ioctl, its structure in struct args, the field in struct args, its bad value, errno) */
#define BROKEN(label, NAME, member, path, bad, err) \
	FIXTURE_VARIANT_ADD(broken, label) { \
		.request = DRM_IOCTL_EIE_##NAME, .args = offsetof(struct args, member), .field = offsetof(struct args, path), \
		.bytes = sizeof(((struct args *)0)->path), .value = (bad), .error = (err), \
	}

BROKEN(query_topic, QUERY, query, query.topic, 2, -EINVAL);
BROKEN(query_topic_high, QUERY, query, query.topic, 0x80000000, -EINVAL);
BROKEN(query_ptr, QUERY, query, query.ptr, 1, -EFAULT);
BROKEN(query_ptr_kernel, QUERY, query, query.ptr, KERNEL_ADDR, -EFAULT);

BROKEN(bo_create_size_zero, BO_CREATE, bo_create, bo_create.size, 0, -EINVAL);
BROKEN(bo_create_size_beyond_addresses, BO_CREATE, bo_create, bo_create.size, 1ull << 40, -ENOSPC);
BROKEN(bo_create_size_max, BO_CREATE, bo_create, bo_create.size, UINT64_MAX, -ENOSPC);
BROKEN(bo_create_size_beyond_memory, BO_CREATE, bo_create, bo_create.size, 1ull << 36, -ENOMEM);
BROKEN(bo_create_flags, BO_CREATE, bo_create, bo_create.flags, 4, -EINVAL);
BROKEN(bo_create_flags_high, BO_CREATE, bo_create, bo_create.flags, 0x80000001, -EINVAL);

BROKEN(bo_info_handle_zero, BO_INFO, bo_info, bo_info.handle, 0, -ENOENT);
BROKEN(bo_info_handle, BO_INFO, bo_info, bo_info.handle, NO_SUCH, -ENOENT);
BROKEN(bo_info_flags, BO_INFO, bo_info, bo_info.flags, 1, -EINVAL);

BROKEN(bo_prep_handle_zero, BO_PREP, bo_prep, bo_prep.handle, 0, -ENOENT);
BROKEN(bo_prep_handle, BO_PREP, bo_prep, bo_prep.handle, NO_SUCH, -ENOENT);
BROKEN(bo_prep_access_zero, BO_PREP, bo_prep, bo_prep.access, 0, -EINVAL);
BROKEN(bo_prep_access, BO_PREP, bo_prep, bo_prep.access, 5, -EINVAL);

BROKEN(bo_fini_handle_zero, BO_FINI, bo_fini, bo_fini.handle, 0, -ENOENT);
BROKEN(bo_fini_handle, BO_FINI, bo_fini, bo_fini.handle, NO_SUCH, -ENOENT);
BROKEN(bo_fini_access_zero, BO_FINI, bo_fini, bo_fini.access, 0, -EINVAL);
BROKEN(bo_fini_access, BO_FINI, bo_fini, bo_fini.access, 5, -EINVAL);

BROKEN(bo_wait_handle_zero, BO_WAIT, bo_wait, bo_wait.handle, 0, -ENOENT);
BROKEN(bo_wait_handle, BO_WAIT, bo_wait, bo_wait.handle, NO_SUCH, -ENOENT);
BROKEN(bo_wait_pad, BO_WAIT, bo_wait, bo_wait.pad, 1, -EINVAL);

BROKEN(queue_create_priority, QUEUE_CREATE, queue_create, queue_create.priority, 4, -EINVAL);
BROKEN(queue_create_priority_max, QUEUE_CREATE, queue_create, queue_create.priority, UINT32_MAX, -EINVAL);
BROKEN(queue_create_flags, QUEUE_CREATE, queue_create, queue_create.flags, 1, -EINVAL);
BROKEN(queue_create_pad, QUEUE_CREATE, queue_create, queue_create.pad, 1, -EINVAL);

BROKEN(queue_destroy_queue_zero, QUEUE_DESTROY, queue_destroy, queue_destroy.queue, 0, -ENOENT);
BROKEN(queue_destroy_queue, QUEUE_DESTROY, queue_destroy, queue_destroy.queue, NO_SUCH, -ENOENT);
BROKEN(queue_destroy_pad, QUEUE_DESTROY, queue_destroy, queue_destroy.pad, 1, -EINVAL);

BROKEN(submit_queue_zero, SUBMIT, submit, submit.queue, 0, -ENOENT);
BROKEN(submit_queue, SUBMIT, submit, submit.queue, NO_SUCH, -ENOENT);
BROKEN(submit_flags, SUBMIT, submit, submit.flags, 1, -EINVAL);
BROKEN(submit_jobs_count_zero, SUBMIT, submit, submit.jobs.count, 0, -EINVAL);
BROKEN(submit_jobs_count, SUBMIT, submit, submit.jobs.count, 65, -EINVAL);
BROKEN(submit_jobs_stride_zero, SUBMIT, submit, submit.jobs.stride, 0, -EINVAL);
BROKEN(submit_jobs_stride_short, SUBMIT, submit, submit.jobs.stride, sizeof(struct drm_eie_job) - 8, -EINVAL);
BROKEN(submit_jobs_stride_odd, SUBMIT, submit, submit.jobs.stride, sizeof(struct drm_eie_job) + 4, -EINVAL);
BROKEN(submit_jobs_stride_long, SUBMIT, submit, submit.jobs.stride, 4104, -E2BIG);
BROKEN(submit_jobs_ptr_zero, SUBMIT, submit, submit.jobs.ptr, 0, -EFAULT);
BROKEN(submit_jobs_ptr_kernel, SUBMIT, submit, submit.jobs.ptr, KERNEL_ADDR, -EFAULT);

BROKEN(job_ncmds, SUBMIT, submit, job.ncmds, 1 << 24, -EINVAL);
BROKEN(job_nrestore, SUBMIT, submit, job.nrestore, 1 << 24, -EINVAL);
BROKEN(job_nbases, SUBMIT, submit, job.nbases, 17, -EINVAL);
BROKEN(job_flags, SUBMIT, submit, job.flags, 1, -EINVAL);
BROKEN(job_pad, SUBMIT, submit, job.pad, 1, -EINVAL);
BROKEN(job_bos_count, SUBMIT, submit, job.bos.count, 4097, -EINVAL);
BROKEN(job_bos_stride_zero, SUBMIT, submit, job.bos.stride, 0, -EINVAL);
BROKEN(job_bos_stride_odd, SUBMIT, submit, job.bos.stride, 12, -EINVAL);
BROKEN(job_bos_stride_long, SUBMIT, submit, job.bos.stride, 4104, -E2BIG);
BROKEN(job_bos_ptr_zero, SUBMIT, submit, job.bos.ptr, 0, -EFAULT);
BROKEN(job_in_syncs_count, SUBMIT, submit, job.in_syncs.count, 65, -EINVAL);
BROKEN(job_in_syncs_stride_short, SUBMIT, submit, job.in_syncs.stride, 8, -EINVAL);
BROKEN(job_in_syncs_stride_odd, SUBMIT, submit, job.in_syncs.stride, 20, -EINVAL);
BROKEN(job_in_syncs_stride_long, SUBMIT, submit, job.in_syncs.stride, 4104, -E2BIG);
BROKEN(job_in_syncs_ptr_kernel, SUBMIT, submit, job.in_syncs.ptr, KERNEL_ADDR, -EFAULT);
BROKEN(job_out_syncs_count, SUBMIT, submit, job.out_syncs.count, 65, -EINVAL);
BROKEN(job_out_syncs_stride_short, SUBMIT, submit, job.out_syncs.stride, 8, -EINVAL);
BROKEN(job_out_syncs_stride_odd, SUBMIT, submit, job.out_syncs.stride, 20, -EINVAL);
BROKEN(job_out_syncs_stride_long, SUBMIT, submit, job.out_syncs.stride, 4104, -E2BIG);
BROKEN(job_out_syncs_ptr_zero, SUBMIT, submit, job.out_syncs.ptr, 0, -EFAULT);

BROKEN(ref_handle_zero, SUBMIT, submit, ref.handle, 0, -ENOENT);
BROKEN(ref_handle, SUBMIT, submit, ref.handle, NO_SUCH, -ENOENT);
BROKEN(ref_access_zero, SUBMIT, submit, ref.access, 0, -EINVAL);
BROKEN(ref_access, SUBMIT, submit, ref.access, 4, -EINVAL);
BROKEN(in_sync_handle_zero, SUBMIT, submit, in.handle, 0, -ENOENT);
BROKEN(in_sync_handle, SUBMIT, submit, in.handle, NO_SUCH, -ENOENT);
BROKEN(in_sync_flags, SUBMIT, submit, in.flags, 1, -EINVAL);
BROKEN(in_sync_point_of_nothing, SUBMIT, submit, in.point, 1ull << 40, -EINVAL);
BROKEN(out_sync_handle_zero, SUBMIT, submit, out.handle, 0, -ENOENT);
BROKEN(out_sync_handle, SUBMIT, submit, out.handle, NO_SUCH, -ENOENT);
BROKEN(out_sync_flags, SUBMIT, submit, out.flags, 1, -EINVAL);

BROKEN(result_queue_zero, RESULT, result, result.queue, 0, -ENOENT);
BROKEN(result_queue, RESULT, result, result.queue, NO_SUCH, -ENOENT);
BROKEN(result_flags, RESULT, result, result.flags, 1, -EINVAL);
BROKEN(result_seqno_zero, RESULT, result, result.seqno, 0, -EINVAL);
BROKEN(result_seqno_ahead, RESULT, result, result.seqno, 3, -EINVAL);
BROKEN(result_seqno_max, RESULT, result, result.seqno, UINT64_MAX, -EINVAL);

/* the bad value has its errno and changes nothing; without it the call succeeds: nothing else was wrong */
TEST_F(broken, field)
{
	struct args *a = &self->s.args, good = *a, bad;
	uint8_t *bytes = (uint8_t *)a;
	struct usage before, after;

	ASSERT_TRUE(usage_settles(1, &before));
	memcpy(bytes + variant->field, &variant->value, variant->bytes);
	bad = *a;
	EXPECT_EQ(variant->error, call(self->s.c.fd, variant->request, bytes + variant->args));
	EXPECT_EQ(0, memcmp(&bad, a, sizeof(bad)));
	EXPECT_TRUE(usage_becomes(&before, &after));
	*a = good;
	EXPECT_EQ(0, call(self->s.c.fd, variant->request, bytes + variant->args));
}

/* ---- sizes and numbers */

FIXTURE(ioctl)
{
	struct caller s;
};

FIXTURE_SETUP(ioctl)
{
	caller_open(_metadata, &self->s);
}

FIXTURE_TEARDOWN(ioctl)
{
	client_close(&self->s.c);
}

TEST_F(ioctl, answers)
{
	struct args *a = &self->s.args;
	struct drm_version version = { 0 };
	char name[8] = "";
	int fd = self->s.c.fd;

	version.name = name;
	version.name_len = sizeof(name);
	ASSERT_EQ(0, call(fd, DRM_IOCTL_VERSION, &version));
	EXPECT_STREQ("eie", name);
	EXPECT_EQ(DRM_EIE_VERSION_MAJOR, version.version_major);
	EXPECT_EQ(DRM_EIE_VERSION_MINOR, version.version_minor);

	ASSERT_EQ(0, call(fd, DRM_IOCTL_EIE_QUERY, &a->query));
	EXPECT_EQ(sizeof(a->info), a->query.size);
	EXPECT_EQ(EIE_ISA_MAJOR, a->info.isa_version >> 16);
	EXPECT_EQ(4, a->info.priorities);
	EXPECT_EQ(2, a->info.default_priority);
	EXPECT_EQ(0, a->info.va_start % 4096);
	EXPECT_EQ(1ull << (EIE_VA_BITS - 1), a->info.va_start + a->info.va_size);
	EXPECT_EQ(64, a->info.max_jobs);
	EXPECT_EQ(4096, a->info.max_job_bos);
	EXPECT_EQ(64, a->info.max_job_syncs);
	EXPECT_EQ(64, a->info.max_queues);
	EXPECT_EQ(256, a->info.results);
	EXPECT_EQ(1024, a->info.max_pending);
	EXPECT_EQ(0, a->info.pad);

	a->bo_create.size = 5000;
	ASSERT_EQ(0, call(fd, DRM_IOCTL_EIE_BO_CREATE, &a->bo_create));
	EXPECT_EQ(8192, a->bo_create.size);
	EXPECT_NE(0, a->bo_create.handle);
	EXPECT_GE(a->bo_create.dev_addr, a->info.va_start);
	EXPECT_LE(a->bo_create.dev_addr + 8192, a->info.va_start + a->info.va_size);
	a->bo_info.handle = a->bo_create.handle;
	ASSERT_EQ(0, call(fd, DRM_IOCTL_EIE_BO_INFO, &a->bo_info));
	EXPECT_EQ(8192, a->bo_info.size);
	EXPECT_EQ(0, a->bo_info.flags);
	EXPECT_EQ(a->bo_create.dev_addr, a->bo_info.dev_addr);
	EXPECT_EQ(a->bo_create.mmap_offset, a->bo_info.mmap_offset);
}

/* the device tree in pieces: the size alone, too little room, exactly enough */
TEST_F(ioctl, query_writes_no_more_than_there_is_room_for)
{
	struct drm_eie_query query = { .topic = DRM_EIE_QUERY_DEVICE_TREE };
	uint8_t part[64], whole[EIE_DT_BYTES_MAX];
	int fd = self->s.c.fd;
	uint32_t size;

	ASSERT_EQ(0, call(fd, DRM_IOCTL_EIE_QUERY, &query));
	size = query.size;
	ASSERT_GT(size, 40);
	ASSERT_LE(size, sizeof(whole));
	query.ptr = (uintptr_t)whole;
	ASSERT_EQ(0, call(fd, DRM_IOCTL_EIE_QUERY, &query));
	EXPECT_EQ(size, query.size);
	memset(part, 0xa5, sizeof(part));
	query.size = 40;
	query.ptr = (uintptr_t)part;
	ASSERT_EQ(0, call(fd, DRM_IOCTL_EIE_QUERY, &query));
	EXPECT_EQ(size, query.size);
	EXPECT_EQ(0, memcmp(part, whole, 40));
	EXPECT_EQ(0xa5, part[40]);
	query.size = 0;
	query.ptr = KERNEL_ADDR;
	EXPECT_EQ(0, call(fd, DRM_IOCTL_EIE_QUERY, &query));
}

/* an old program's structure: the fields that it lacks are zero, and are not written */
TEST_F(ioctl, shorter_structures)
{
	struct args *a = &self->s.args;
	int fd = self->s.c.fd;

	EXPECT_EQ(0, call(fd, resized(DRM_IOCTL_EIE_QUERY, 8), &a->query));
	EXPECT_EQ(sizeof(a->info), a->query.size);
	EXPECT_EQ(0, a->info.priorities);
	a->bo_wait.timeout_ns = INT64_MAX;
	EXPECT_EQ(0, call(fd, resized(DRM_IOCTL_EIE_BO_WAIT, 8), &a->bo_wait));
	EXPECT_EQ(0, call(fd, resized(DRM_IOCTL_EIE_BO_PREP, 8), &a->bo_prep));
	EXPECT_EQ(-EINVAL, call(fd, resized(DRM_IOCTL_EIE_BO_PREP, 4), &a->bo_prep));
	a->bo_create.dev_addr = 0x5a5a;
	EXPECT_EQ(0, call(fd, resized(DRM_IOCTL_EIE_BO_CREATE, 16), &a->bo_create));
	EXPECT_NE(0, a->bo_create.handle);
	EXPECT_EQ(0x5a5a, a->bo_create.dev_addr);
	EXPECT_EQ(-EINVAL, call(fd, resized(DRM_IOCTL_EIE_BO_CREATE, 0), &a->bo_create));
	a->queue_create.pad = 77;
	EXPECT_EQ(0, call(fd, resized(DRM_IOCTL_EIE_QUEUE_CREATE, 12), &a->queue_create));
	EXPECT_NE(0, a->queue_create.queue);
	EXPECT_EQ(77, a->queue_create.pad);
	a->result.cycles = 0x5a5a;
	a->result.status = 0x5a5a;
	EXPECT_EQ(0, call(fd, resized(DRM_IOCTL_EIE_RESULT, 24), &a->result));
	EXPECT_EQ(0, a->result.status);
	EXPECT_EQ(0x5a5a, a->result.cycles);
	a->submit.seqno = 0x5a5a;
	EXPECT_EQ(0, call(fd, resized(DRM_IOCTL_EIE_SUBMIT, 24), &a->submit));
	EXPECT_EQ(0x5a5a, a->submit.seqno);
	EXPECT_EQ(-EINVAL, call(fd, resized(DRM_IOCTL_EIE_SUBMIT, 8), &a->submit));
	a->queue_destroy.pad = 77;
	EXPECT_EQ(0, call(fd, resized(DRM_IOCTL_EIE_QUEUE_DESTROY, 4), &a->queue_destroy));
}

/* a newer program's structure: what the kernel does not know must be zero, wherever in it */
TEST_F(ioctl, longer_structures)
{
	uint8_t *page = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0), *at;
	int fd = self->s.c.fd;

	ASSERT_NE(MAP_FAILED, page);
	for (unsigned int i = 0; i < IOCTLS; i++) {
		size_t size = _IOC_SIZE(ioctls[i].request);
		const void *args = (uint8_t *)&self->s.args + ioctls[i].at;

		for (unsigned int more = 1; more <= 2048; more = more == 1 ? 8 : more * 16) {
			unsigned long request = resized(ioctls[i].request, size + more);

			for (unsigned int k = 0; k < more; k += more < 16 ? 1 : more / 5) {
				memset(page, 0, 4096);
				memcpy(page, args, size);
				page[size + k] = 0x80;
				EXPECT_EQ(-E2BIG, call(fd, request, page)) {
					TH_LOG("ioctl %u, byte %u of %u more", i, k, more);
				}
			}
			/* the last ioctl destroys its queue */
			if (i + 1 < IOCTLS || more == 2048) {
				memset(page, 0, 4096);
				memcpy(page, args, size);
				EXPECT_EQ(0, call(fd, request, page)) {
					TH_LOG("ioctl %u, %u bytes of zeros", i, more);
				}
			}
		}
	}
	/* a tail that can't be read */
	ASSERT_EQ(0, mprotect(page + 4096, 4096, PROT_NONE));
	for (unsigned int i = 0; i < IOCTLS; i++) {
		size_t size = _IOC_SIZE(ioctls[i].request);

		at = page + 4096 - size;
		memcpy(at, (uint8_t *)&self->s.args + ioctls[i].at, size);
		EXPECT_EQ(-EFAULT, call(fd, resized(ioctls[i].request, size + 8), at)) {
			TH_LOG("ioctl %u", i);
		}
	}
}

/* the same for the elements of arrays */
TEST_F(ioctl, longer_elements)
{
	struct args *a = &self->s.args;
	int fd = self->s.c.fd;
	uint8_t big[4096];
	struct { struct drm_eie_array *array; size_t size; } arrays[] = {
		{ &a->submit.jobs, sizeof(a->job) }, { &a->job.bos, sizeof(a->ref) },
		{ &a->job.in_syncs, sizeof(a->in) }, { &a->job.out_syncs, sizeof(a->out) },
	};

	for (unsigned int i = 0; i < 4; i++) {
		struct drm_eie_array good = *arrays[i].array;

		for (unsigned int stride = (unsigned int)arrays[i].size + 8; stride <= 4096; stride += 1328) {
			memset(big, 0, sizeof(big));
			memcpy(big, (void *)(uintptr_t)good.ptr, arrays[i].size);
			*arrays[i].array = (struct drm_eie_array){ stride, 1, (uintptr_t)big };
			EXPECT_EQ(0, call(fd, DRM_IOCTL_EIE_SUBMIT, &a->submit)) {
				TH_LOG("array %u, stride %u", i, stride);
			}
			big[stride - 1] = 1;
			EXPECT_EQ(-E2BIG, call(fd, DRM_IOCTL_EIE_SUBMIT, &a->submit)) {
				TH_LOG("array %u, stride %u", i, stride);
			}
		}
		*arrays[i].array = good;
	}
}

/* arguments that can't be read, or not be written: the documented exception apart, -EFAULT and nothing done */
TEST_F(ioctl, bad_pointers)
{
	for (unsigned int i = 0; i < IOCTLS; i++) {
		EXPECT_EQ(-EFAULT, call(self->s.c.fd, ioctls[i].request, NULL));
		EXPECT_EQ(-EFAULT, call(self->s.c.fd, ioctls[i].request, (void *)-4096l));
	}
}

TEST_F(ioctl, unknown_numbers)
{
	uint8_t zero[256] = { 0 };

	for (unsigned int nr = DRM_COMMAND_BASE + IOCTLS; nr < DRM_COMMAND_END; nr++) {
		EXPECT_EQ(-ENOTTY, call(self->s.c.fd, DRM_IO(nr), NULL));
		EXPECT_EQ(-ENOTTY, call(self->s.c.fd, _IOC(_IOC_READ | _IOC_WRITE, DRM_IOCTL_BASE, nr, 32), zero));
	}
	/* ours, of another subsystem; TCGETS */
	EXPECT_EQ(-ENOTTY, call(self->s.c.fd, _IOWR('e', DRM_COMMAND_BASE, struct drm_eie_query), zero));
	EXPECT_EQ(-ENOTTY, call(self->s.c.fd, 0x5401, zero));
}

/* an accel node has no master: what belongs to masters is refused, as on render nodes */
TEST_F(ioctl, no_master)
{
	struct drm_unique unique = { 0 };
	struct drm_auth auth = { 0 };
	struct drm_set_version version = { 1, 4, -1, -1 };

	EXPECT_EQ(-EACCES, call(self->s.c.fd, DRM_IOCTL_GET_UNIQUE, &unique));
	EXPECT_EQ(-EACCES, call(self->s.c.fd, DRM_IOCTL_GET_MAGIC, &auth));
	EXPECT_EQ(-EACCES, call(self->s.c.fd, DRM_IOCTL_AUTH_MAGIC, &auth));
	EXPECT_EQ(-EACCES, call(self->s.c.fd, DRM_IOCTL_SET_VERSION, &version));
	EXPECT_EQ(-EINVAL, call(self->s.c.fd, DRM_IOCTL_SET_MASTER, NULL));
	EXPECT_EQ(-EINVAL, call(self->s.c.fd, DRM_IOCTL_DROP_MASTER, NULL));
}

/* ---- handles and queues that are gone, another file's, or have their number from another */

static int bo_info(int fd, uint32_t handle, struct drm_eie_bo_info *info)
{
	*info = (struct drm_eie_bo_info){ .handle = handle };
	return call(fd, DRM_IOCTL_EIE_BO_INFO, info);
}

static int bo_close(int fd, uint32_t handle)
{
	struct drm_gem_close args = { .handle = handle };

	return call(fd, DRM_IOCTL_GEM_CLOSE, &args);
}

/* every ioctl that takes a buffer refuses this one */
static void refused(struct __test_metadata *_metadata, struct caller *s, uint32_t handle)
{
	struct args *a = &s->args;

	a->bo_info.handle = a->bo_prep.handle = a->bo_fini.handle = a->bo_wait.handle = a->ref.handle = handle;
	EXPECT_EQ(-ENOENT, call(s->c.fd, DRM_IOCTL_EIE_BO_INFO, &a->bo_info));
	EXPECT_EQ(-ENOENT, call(s->c.fd, DRM_IOCTL_EIE_BO_PREP, &a->bo_prep));
	EXPECT_EQ(-ENOENT, call(s->c.fd, DRM_IOCTL_EIE_BO_FINI, &a->bo_fini));
	EXPECT_EQ(-ENOENT, call(s->c.fd, DRM_IOCTL_EIE_BO_WAIT, &a->bo_wait));
	EXPECT_EQ(-ENOENT, call(s->c.fd, DRM_IOCTL_EIE_SUBMIT, &a->submit));
}

TEST_F(ioctl, closed_and_reused_handles)
{
	struct drm_eie_bo_create bo = { .size = 4096 }, next = { .size = 8192 };
	struct drm_eie_bo_info info;
	int fd = self->s.c.fd;

	ASSERT_EQ(0, call(fd, DRM_IOCTL_EIE_BO_CREATE, &bo));
	ASSERT_EQ(0, bo_close(fd, bo.handle));
	EXPECT_EQ(-EINVAL, bo_close(fd, bo.handle));
	refused(_metadata, &self->s, bo.handle);
	ASSERT_EQ(0, call(fd, DRM_IOCTL_EIE_BO_CREATE, &next));
	ASSERT_EQ(bo.handle, next.handle);
	ASSERT_EQ(0, bo_info(fd, next.handle, &info));
	EXPECT_EQ(8192, info.size);
	EXPECT_EQ(next.dev_addr, info.dev_addr);
}

TEST_F(ioctl, foreign_handles_and_queues)
{
	struct drm_eie_bo_create bo = { .size = 4096 };
	struct drm_eie_queue_create queue = { .priority = 3 };
	struct args *a = &self->s.args;
	struct client other;
	uint32_t sync = 0;

	ASSERT_EQ(0, client_open(&other));
	/* numbers that the first file does not have */
	for (int i = 0; i < 8; i++) {
		ASSERT_EQ(0, call(other.fd, DRM_IOCTL_EIE_BO_CREATE, &bo));
		ASSERT_EQ(0, call(other.fd, DRM_IOCTL_EIE_QUEUE_CREATE, &queue));
		sync = sync_create(other.fd);
	}
	refused(_metadata, &self->s, bo.handle);
	a->ref.handle = self->s.c.handle;
	a->out.handle = sync;
	EXPECT_EQ(-ENOENT, call(self->s.c.fd, DRM_IOCTL_EIE_SUBMIT, &a->submit));
	a->job.out_syncs.count = 0;
	a->in.handle = sync;
	EXPECT_EQ(-ENOENT, call(self->s.c.fd, DRM_IOCTL_EIE_SUBMIT, &a->submit));
	a->job.in_syncs.count = 0;
	EXPECT_EQ(0, call(self->s.c.fd, DRM_IOCTL_EIE_SUBMIT, &a->submit));
	a->submit.queue = a->result.queue = a->queue_destroy.queue = queue.queue;
	EXPECT_EQ(-ENOENT, call(self->s.c.fd, DRM_IOCTL_EIE_SUBMIT, &a->submit));
	EXPECT_EQ(-ENOENT, call(self->s.c.fd, DRM_IOCTL_EIE_RESULT, &a->result));
	EXPECT_EQ(-ENOENT, call(self->s.c.fd, DRM_IOCTL_EIE_QUEUE_DESTROY, &a->queue_destroy));
	client_close(&other);
}

TEST_F(ioctl, destroyed_and_reused_queues)
{
	struct args *a = &self->s.args;
	int fd = self->s.c.fd;

	/* queue[2] has had a job; its successor of the same number has not */
	a->queue_destroy.queue = self->s.c.queue[2];
	ASSERT_EQ(0, call(fd, DRM_IOCTL_EIE_QUEUE_DESTROY, &a->queue_destroy));
	EXPECT_EQ(-ENOENT, call(fd, DRM_IOCTL_EIE_QUEUE_DESTROY, &a->queue_destroy));
	EXPECT_EQ(-ENOENT, call(fd, DRM_IOCTL_EIE_SUBMIT, &a->submit));
	EXPECT_EQ(-ENOENT, call(fd, DRM_IOCTL_EIE_RESULT, &a->result));
	ASSERT_EQ(0, call(fd, DRM_IOCTL_EIE_QUEUE_CREATE, &a->queue_create));
	ASSERT_EQ(self->s.c.queue[2], a->queue_create.queue);
	EXPECT_EQ(-EINVAL, call(fd, DRM_IOCTL_EIE_RESULT, &a->result));
	ASSERT_EQ(0, call(fd, DRM_IOCTL_EIE_SUBMIT, &a->submit));
	EXPECT_EQ(1, a->submit.seqno);
}

TEST_F(ioctl, sixty_four_queues)
{
	struct drm_eie_queue_create queue = { .priority = 3 };
	struct drm_eie_queue_destroy destroy = { 0 };
	unsigned int n = 5;	/* that there are already */

	while (!call(self->s.c.fd, DRM_IOCTL_EIE_QUEUE_CREATE, &queue)) {
		n++;
		destroy.queue = queue.queue;
	}
	EXPECT_EQ(64, n);
	EXPECT_EQ(-ENOSPC, call(self->s.c.fd, DRM_IOCTL_EIE_QUEUE_CREATE, &queue));
	ASSERT_EQ(0, call(self->s.c.fd, DRM_IOCTL_EIE_QUEUE_DESTROY, &destroy));
	EXPECT_EQ(0, call(self->s.c.fd, DRM_IOCTL_EIE_QUEUE_CREATE, &queue));
}

/* levels before default_priority take CAP_SYS_NICE, the others nothing */
TEST_F(ioctl, priorities_need_a_capability)
{
	struct drm_eie_queue_create queue = { 0 };

	ASSERT_EQ(0, setresuid(65534, 65534, 65534));
	for (queue.priority = 0; queue.priority < 2; queue.priority++)
		EXPECT_EQ(-EACCES, call(self->s.c.fd, DRM_IOCTL_EIE_QUEUE_CREATE, &queue));
	for (; queue.priority < 4; queue.priority++)
		EXPECT_EQ(0, call(self->s.c.fd, DRM_IOCTL_EIE_QUEUE_CREATE, &queue));
}

/* all jobs of a call or none, and the limits of a call */
TEST_F(ioctl, the_last_job_is_bad)
{
	struct args *a = &self->s.args;
	struct drm_eie_job jobs[64];
	int fd = self->s.c.fd;

	for (int i = 0; i < 64; i++)
		jobs[i] = a->job;
	a->submit.jobs.count = 64;
	a->submit.jobs.ptr = (uintptr_t)jobs;
	jobs[63].flags = 1;
	EXPECT_EQ(-EINVAL, call(fd, DRM_IOCTL_EIE_SUBMIT, &a->submit));
	EXPECT_EQ(0, a->submit.seqno);
	EXPECT_EQ(-EINVAL, sync_export(fd, a->out.handle));	/* it has no fence */
	jobs[63].flags = 0;
	EXPECT_EQ(0, call(fd, DRM_IOCTL_EIE_SUBMIT, &a->submit));
	EXPECT_EQ(65, a->submit.seqno);
	EXPECT_EQ(0, client_wait(&self->s.c, 60));
}

TEST_HARNESS_MAIN
