// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Every allocation, and every copy from or to user space, that a call makes fails once: the first, then the second, until the call
 * no longer gets as far. It must then have failed with the errno of that, and have changed nothing: the same call works
 * afterwards, and nothing is left behind (usage_becomes() here, kmemleak at the end of the machine).
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/udmabuf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "eie_hw.h"
#include "inject.h"
#include "frame.h"
#include "job.h"
#include "kselftest_harness.h"
#include "usage.h"

#define LIMIT 300	/* seconds of a test */
#define MOST 300	/* points of failure in a call: more mean that the sweep does not end */

/* What the calls work with and leave behind; undo() takes the latter back: fields that are not 0, or -1 for files. */
struct state {
	struct client c;
	uint32_t in, out;	/* syncobjs; in has a fence */
	uint32_t bo, queue, sync;
	int fd, dmabuf;
	void *map;
	bool late_fault;	/* -EFAULT, though the buffer or queue was made: args could not be written */
};

/* A call to be swept. prepare() may be NULL; no fault is injected into it, nor into undo. */
struct sweep {
	const char *name;
	int (*prepare)(struct state *s);
	int (*run)(struct state *s);	/* 0 or -errno */
	unsigned int least;		/* points that must refuse the call: a sweep that injects nothing proves nothing */
	bool late_fault;		/* the last copy to args may fail: docs/uapi.md */
};

static void undo(struct state *s)
{
	struct drm_eie_queue_destroy destroy = { .queue = s->queue };
	struct drm_syncobj_destroy sync = { .handle = s->sync };
	struct drm_gem_close gem = { .handle = s->bo };

	if (s->map)
		munmap(s->map, 8192);
	if (s->fd >= 0)
		close(s->fd);
	if (s->dmabuf >= 0)
		close(s->dmabuf);
	if (s->bo)
		call(s->c.fd, DRM_IOCTL_GEM_CLOSE, &gem);
	if (s->queue)
		call(s->c.fd, DRM_IOCTL_EIE_QUEUE_DESTROY, &destroy);
	if (s->sync)
		call(s->c.fd, DRM_IOCTL_SYNCOBJ_DESTROY, &sync);
}

static void sweep(struct __test_metadata *_metadata, const struct state *start, const struct sweep *w)
{
	unsigned int n, refused = 0, late = 0;
	struct usage before, after;
	bool injected;
	int ret;

	ASSERT_TRUE(usage_settles(1, &before));
	for (n = 0; n < MOST; n++) {	/* the first time nothing fails: it touches the pages of this program */
		struct state s = *start;

		ASSERT_EQ(0, w->prepare ? w->prepare(&s) : 0);
		inject_at(n);
		ret = w->run(&s);
		injected = inject_happened();
		inject_at(0);
		if (ret) {
			/* a call may get along without; when it fails then for this reason */
			EXPECT_TRUE(ret == -ENOMEM || ret == -EFAULT) {
				TH_LOG("%s, failure %u: %d", w->name, n, ret);
			}
			refused++;
			late += s.late_fault;
		}
		undo(&s);
		EXPECT_TRUE(usage_becomes(&before, &after)) {
			TH_LOG("%s, failure %u, result %d: something is left", w->name, n, ret);
		}
		if (n && !injected)
			break;
	}
	EXPECT_LT(n, MOST);
	EXPECT_EQ(0, ret);
	EXPECT_GE(refused, w->least);
	EXPECT_TRUE(!late || w->late_fault);
	printf("# %s: %u points of failure, %u refused the call\n", w->name, n - 1, refused);
}

FIXTURE(fail)
{
	struct state s;
};

FIXTURE_SETUP(fail)
{
	struct state *s = &self->s;

	ASSERT_EQ(0, inject_setup());
	memset(s, 0, sizeof(*s));
	s->fd = s->dmabuf = -1;
	ASSERT_EQ(0, client_open(&s->c));
	s->in = sync_create(s->c.fd);
	s->out = sync_create(s->c.fd);
	ASSERT_EQ(0, client_submit(&s->c, 2, 0, JOB_COPY, s->in, NULL));
	ASSERT_EQ(0, client_wait(&s->c, 60));
}

FIXTURE_TEARDOWN(fail)
{
	client_close(&self->s.c);
	inject_end();
}

#define SWEEP(label, ...) \
	TEST_F_TIMEOUT(fail, label, LIMIT) \
	{ \
		static const struct sweep w = { .name = #label, __VA_ARGS__ }; \
\
		sweep(_metadata, &self->s, &w); \
	}

/* ---- files */

static int run_open(struct state *s)
{
	s->fd = accel_open(0);
	return s->fd < 0 ? -errno : 0;
}

SWEEP(open, .run = run_open, .least = 4)

/* closing does not fail, whatever does */
static int prepare_close(struct state *s)
{
	struct client other;
	int ret = client_open(&other);

	if (!ret)
		ret = client_submit(&other, 2, 0, JOB_COPY, 0, NULL);
	munmap(other.mem, CLIENT_BYTES);
	s->fd = other.fd;
	return ret;
}

static int run_close(struct state *s)
{
	int fd = s->fd;

	s->fd = -1;
	return close(fd) ? -errno : 0;
}

SWEEP(close, .prepare = prepare_close, .run = run_close)

/* ---- buffers */

static int make_bo(struct state *s, uint64_t size)
{
	struct drm_eie_bo_create args = { .size = size };
	int ret = call(s->c.fd, DRM_IOCTL_EIE_BO_CREATE, &args);

	s->bo = args.handle;
	if (ret == -EFAULT) {
		/* handles are given out from the lowest free one */
		struct drm_gem_close gem = { .handle = s->c.handle + 1 };

		s->late_fault = !call(s->c.fd, DRM_IOCTL_GEM_CLOSE, &gem);
		s->bo = 0;
	}
	return ret;
}

static int run_bo_create(struct state *s)
{
	return make_bo(s, 8192);
}

SWEEP(bo_create, .run = run_bo_create, .least = 5, .late_fault = true)

/* a buffer of which one page is in a page table that there is, and the other in one that must be made */
TEST_F_TIMEOUT(fail, bo_create_across_tables, LIMIT)
{
	static const struct sweep w = { .name = "bo_create_across_tables", .run = run_bo_create, .least = 5, .late_fault = true };
	struct drm_eie_bo_create filler = { .size = (2 << 20) - CLIENT_BYTES - 4096 };

	ASSERT_EQ(0, call(self->s.c.fd, DRM_IOCTL_EIE_BO_CREATE, &filler));
	ASSERT_EQ((2 << 20) - 4096, (filler.dev_addr + filler.size) % (2 << 20));
	/* make_bo() knows the handle before its own */
	self->s.c.handle = filler.handle;
	sweep(_metadata, &self->s, &w);
}

static int run_bo_info(struct state *s)
{
	struct drm_eie_bo_info args = { .handle = s->c.handle };

	return call(s->c.fd, DRM_IOCTL_EIE_BO_INFO, &args);
}

SWEEP(bo_info, .run = run_bo_info, .least = 2)

static int run_bo_access(struct state *s)
{
	struct drm_eie_bo_prep prep = { s->c.handle, DRM_EIE_ACCESS_WRITE, 0 };
	struct drm_eie_bo_fini fini = { s->c.handle, DRM_EIE_ACCESS_WRITE };
	struct drm_eie_bo_wait wait = { .handle = s->c.handle };

	return call(s->c.fd, DRM_IOCTL_EIE_BO_PREP, &prep) ?: call(s->c.fd, DRM_IOCTL_EIE_BO_FINI, &fini) ?:
	       call(s->c.fd, DRM_IOCTL_EIE_BO_WAIT, &wait);
}

SWEEP(bo_prep_fini_wait, .run = run_bo_access, .least = 3)

/* mapped, and touched: a fault on a page is tried again */
static int run_mmap(struct state *s)
{
	struct drm_eie_bo_info args = { .handle = s->bo };
	int ret = call(s->c.fd, DRM_IOCTL_EIE_BO_INFO, &args);
	uint8_t *map;

	if (ret)
		return ret;
	map = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_SHARED, s->c.fd, (off_t)args.mmap_offset);
	if (map == MAP_FAILED)
		return -errno;
	s->map = map;
	map[0] = map[4096] = 1;
	return 0;
}

SWEEP(mmap, .prepare = run_bo_create, .run = run_mmap, .least = 2)

static int prepare_export(struct state *s)
{
	s->fd = dup(s->c.fd);
	close(s->fd);
	return run_bo_create(s);
}

static int run_export(struct state *s)
{
	struct drm_prime_handle args = { .handle = s->bo, .flags = DRM_CLOEXEC | DRM_RDWR, .fd = -1 };
	int next = s->fd, ret = call(s->c.fd, DRM_IOCTL_PRIME_HANDLE_TO_FD, &args);

	s->fd = -1;
	/* files have the lowest free number too */
	if (ret == -EFAULT)
		s->late_fault = !close(next);
	else if (!ret)
		s->dmabuf = args.fd;
	return ret;
}

SWEEP(prime_export, .prepare = prepare_export, .run = run_export, .least = 3, .late_fault = true)

static int run_import(struct state *s)
{
	struct drm_prime_handle args = { .fd = s->dmabuf };
	int ret = call(s->c.fd, DRM_IOCTL_PRIME_FD_TO_HANDLE, &args);

	s->bo = args.handle;
	if (ret == -EFAULT) {
		struct drm_gem_close gem = { .handle = s->c.handle + 1 };

		s->late_fault = !call(s->c.fd, DRM_IOCTL_GEM_CLOSE, &gem);
		s->bo = 0;
	}
	return ret;
}

/* a buffer of another driver */
static int prepare_import(struct state *s)
{
	struct udmabuf_create create = { .flags = UDMABUF_FLAGS_CLOEXEC, .size = 32768 };
	int dev = open("/dev/udmabuf", O_RDWR | O_CLOEXEC);

	create.memfd = (uint32_t)memfd_create("test", MFD_ALLOW_SEALING | MFD_CLOEXEC);
	if (dev >= 0 && !ftruncate((int)create.memfd, 32768) && !fcntl((int)create.memfd, F_ADD_SEALS, F_SEAL_SHRINK))
		s->dmabuf = ioctl(dev, UDMABUF_CREATE, &create);
	close((int)create.memfd);
	close(dev);
	return s->dmabuf < 0 ? -ENODEV : 0;
}

SWEEP(prime_import, .prepare = prepare_import, .run = run_import, .least = 4, .late_fault = true)

/* ---- queues and jobs */

static int run_query(struct state *s)
{
	char dt[EIE_DT_BYTES_MAX];
	struct drm_eie_query args = { DRM_EIE_QUERY_DEVICE_TREE, sizeof(dt), (uintptr_t)dt };
	int ret = call(s->c.fd, DRM_IOCTL_EIE_QUERY, &args);

	return ret && args.size != sizeof(dt) ? -EIO : ret;
}

SWEEP(query, .run = run_query, .least = 1)

static int run_queue_create(struct state *s)
{
	struct drm_eie_queue_create args = { .priority = 2 };
	int ret = call(s->c.fd, DRM_IOCTL_EIE_QUEUE_CREATE, &args);

	s->queue = args.queue;
	if (ret == -EFAULT) {
		struct drm_eie_queue_destroy destroy = { .queue = s->c.queue[3] + 1 };

		s->late_fault = !call(s->c.fd, DRM_IOCTL_EIE_QUEUE_DESTROY, &destroy);
		s->queue = 0;
	}
	/* no number for a queue that there is not */
	return ret && args.queue ? -EIO : ret;
}

SWEEP(queue_create, .run = run_queue_create, .least = 2, .late_fault = true)

/* there is no way to get rid of what is not wanted any more but to destroy it: that needs no memory */
static int run_queue_destroy(struct state *s)
{
	struct drm_eie_queue_destroy args = { .queue = s->queue };
	int ret = call(s->c.fd, DRM_IOCTL_EIE_QUEUE_DESTROY, &args);

	if (!ret)
		s->queue = 0;
	return ret;
}

SWEEP(queue_destroy, .prepare = run_queue_create, .run = run_queue_destroy, .least = 1)

static int run_result(struct state *s)
{
	struct drm_eie_result args = { .queue = s->c.queue[2], .seqno = 1 };
	int ret = call(s->c.fd, DRM_IOCTL_EIE_RESULT, &args);

	return ret && args.cycles ? -EIO : ret;
}

SWEEP(result, .run = run_result, .least = 2)

static int prepare_submit(struct state *s)
{
	s->sync = sync_create(s->c.fd);
	return s->sync ? 0 : -EIO;
}

/* two jobs, each with all the lists, and a new timeline */
static int run_submit(struct state *s)
{
	struct drm_eie_bo_ref refs[2] = { { s->c.handle, DRM_EIE_ACCESS_READ }, { s->c.handle, DRM_EIE_ACCESS_WRITE } };
	struct drm_eie_sync ins[2] = { { .handle = s->in }, { .handle = s->in } };
	struct drm_eie_sync outs[2] = { { .handle = s->sync, .point = 1 }, { .handle = s->out } };
	struct drm_eie_job jobs[2];
	struct drm_eie_submit args = { .queue = s->c.queue[2], .jobs = { sizeof(jobs[0]), 2, (uintptr_t)jobs } };

	for (int i = 0; i < 2; i++) {
		client_job(&s->c, 1, JOB_EMPTY, &jobs[i]);
		jobs[i].bos = (struct drm_eie_array){ sizeof(refs[0]), 2, (uintptr_t)refs };
		jobs[i].in_syncs = (struct drm_eie_array){ sizeof(ins[0]), 2, (uintptr_t)ins };
		jobs[i].out_syncs = (struct drm_eie_array){ sizeof(outs[0]), 2 - (uint32_t)i, (uintptr_t)(outs + i) };
	}
	return call(s->c.fd, DRM_IOCTL_EIE_SUBMIT, &args);
}

SWEEP(submit, .prepare = prepare_submit, .run = run_submit, .least = 10)

TEST_HARNESS_MAIN
