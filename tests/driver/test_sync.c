// SPDX-License-Identifier: GPL-2.0 OR MIT
/* What starts before what, and who gets to know of it: queues, syncobjs, timelines, sync files, signals, fork and close. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include "eie_hw.h"
#include "frame.h"
#include "job.h"
#include "kselftest_harness.h"
#include "usage.h"

#define LIMIT 120	/* seconds of a test */

/* newer than Debian 12's libdrm */
struct syncobj_eventfd {
	uint32_t handle, flags;
	uint64_t point;
	int32_t fd;
	uint32_t pad;
};
#define SYNCOBJ_EVENTFD DRM_IOWR(0xCF, struct syncobj_eventfd)

FIXTURE(sync)
{
	struct client c;
	struct testcap cap;
};

FIXTURE_SETUP(sync)
{
	struct usage u;

	/* the test of unloading may have failed */
	if (!accel_count())
		ASSERT_EQ(0, driver_load(""));
	ASSERT_EQ(0, testcap_open(&self->cap, 0));
	ASSERT_EQ(0, client_open(&self->c));
	/* what the test before left to workers must not meet memory that is held */
	ASSERT_TRUE(usage_settles(1, &u));
}

FIXTURE_TEARDOWN(sync)
{
	EXPECT_EQ(0, hold_end(&self->cap));
	client_close(&self->c);
	testcap_close(&self->cap);
}

/* Submits a job without a list of buffers: nothing orders it but its queue, and one in_sync and one out_sync, or NULL. */
static int submit(struct client *c, unsigned int level, struct drm_eie_job *job, const struct drm_eie_sync *in,
		  const struct drm_eie_sync *out, uint64_t *seqno)
{
	struct drm_eie_submit args = { .queue = c->queue[level], .jobs = { sizeof(*job), 1, (uintptr_t)job } };
	int ret;

	job->in_syncs = (struct drm_eie_array){ sizeof(*in), in != NULL, (uintptr_t)in };
	job->out_syncs = (struct drm_eie_array){ sizeof(*out), out != NULL, (uintptr_t)out };
	ret = call(c->fd, DRM_IOCTL_EIE_SUBMIT, &args);
	if (seqno)
		*seqno = args.seqno;
	return ret;
}

/* Copies slot's 256 bytes of CLIENT_OUT to the next slot's. */
static void shift_job(struct client *c, unsigned int slot, struct drm_eie_job *job)
{
	client_copy(c, slot, c->dev_addr + CLIENT_OUT + slot * 256, c->dev_addr + CLIENT_OUT + (slot + 1) * 256, job);
}

static int sync_import(int fd, int file)
{
	struct drm_syncobj_handle args = {
		.handle = sync_create(fd), .flags = DRM_SYNCOBJ_FD_TO_HANDLE_FLAGS_IMPORT_SYNC_FILE, .fd = file,
	};
	int ret = call(fd, DRM_IOCTL_SYNCOBJ_FD_TO_HANDLE, &args);

	return ret ? ret : (int)args.handle;
}

static int timeline_wait(int fd, uint32_t handle, uint64_t point, unsigned int flags, int64_t timeout)
{
	struct drm_syncobj_timeline_wait args = {
		.handles = (uintptr_t)&handle, .points = (uintptr_t)&point, .count_handles = 1, .timeout_nsec = timeout, .flags = flags,
	};

	return call(fd, DRM_IOCTL_SYNCOBJ_TIMELINE_WAIT, &args);
}

/* Point that a timeline has reached. */
static uint64_t timeline_point(int fd, uint32_t handle)
{
	uint64_t point = UINT64_MAX;
	struct drm_syncobj_timeline_array args = { .handles = (uintptr_t)&handle, .points = (uintptr_t)&point, .count_handles = 1 };

	return call(fd, DRM_IOCTL_SYNCOBJ_QUERY, &args) ? UINT64_MAX : point;
}

static bool readable(int fd, int ms)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };

	return poll(&p, 1, ms) == 1 && p.revents & POLLIN;
}

/* ---- order */

/* each job reads what the one before it wrote, and nothing but the queue orders them */
TEST_F_TIMEOUT(sync, a_queue_keeps_order, LIMIT)
{
	struct drm_eie_sync out = { .handle = sync_create(self->c.fd) };
	struct drm_eie_result r;
	struct drm_eie_job job;
	uint64_t seqno, end = 0;

	memset(self->c.mem + CLIENT_OUT, 0, 31 * 256);
	memset(self->c.mem + CLIENT_OUT, 0x77, 256);
	ASSERT_EQ(0, hold_begin(&self->cap));
	for (unsigned int i = 0; i < 30; i++) {
		shift_job(&self->c, i, &job);
		ASSERT_EQ(0, submit(&self->c, 2, &job, NULL, i == 29 ? &out : NULL, &seqno));
	}
	ASSERT_EQ(0, hold_end(&self->cap));
	ASSERT_EQ(0, sync_wait(self->c.fd, out.handle, 60));
	EXPECT_EQ(0, memcmp(self->c.mem + CLIENT_OUT, self->c.mem + CLIENT_OUT + 30 * 256, 256));
	for (uint64_t i = 1; i <= seqno; i++) {
		ASSERT_EQ(0, client_result(&self->c, 2, i, &r));
		EXPECT_EQ(EIE_STATUS_OK, r.status);
		EXPECT_GE(r.time_start, end);
		end = r.time_end;
	}
}

/* a more urgent queue goes first, but not before what it waits for */
TEST_F_TIMEOUT(sync, urgent_jobs_go_first_unless_they_wait, LIMIT)
{
	struct drm_eie_sync made = { .handle = sync_create(self->c.fd) }, done = { .handle = sync_create(self->c.fd) };
	uint64_t first, producer, last, urgent, consumer;
	struct drm_eie_result a, b, c;
	struct drm_eie_job job;

	client_job(&self->c, 0, JOB_COPY, &job);
	ASSERT_EQ(0, hold_begin(&self->cap));
	ASSERT_EQ(0, submit(&self->c, 3, &job, NULL, NULL, &first));
	ASSERT_EQ(0, submit(&self->c, 3, &job, NULL, &made, &producer));
	ASSERT_EQ(0, submit(&self->c, 3, &job, NULL, &done, &last));
	ASSERT_EQ(0, submit(&self->c, 0, &job, NULL, NULL, &urgent));
	ASSERT_EQ(0, submit(&self->c, 0, &job, &made, &made, &consumer));
	ASSERT_EQ(0, hold_end(&self->cap));
	ASSERT_EQ(0, sync_wait(self->c.fd, done.handle, 60));
	ASSERT_EQ(0, sync_wait(self->c.fd, made.handle, 60));
	ASSERT_EQ(0, client_result(&self->c, 3, producer, &a));
	ASSERT_EQ(0, client_result(&self->c, 0, urgent, &b));
	ASSERT_EQ(0, client_result(&self->c, 0, consumer, &c));
	EXPECT_LE(b.time_end, a.time_start);
	EXPECT_LE(a.time_end, c.time_start);
}

/* buffers order jobs of different queues and files: a reader after the writer, the next writer after the reader */
TEST_F_TIMEOUT(sync, buffers_order_jobs, LIMIT)
{
	struct drm_prime_handle prime = { .handle = self->c.handle, .flags = DRM_CLOEXEC };
	struct drm_eie_bo_ref ref = { .access = DRM_EIE_ACCESS_WRITE };
	struct drm_eie_result r[3];
	struct drm_eie_job job;
	struct client other;
	uint64_t seqno[3];

	ASSERT_EQ(0, client_open(&other));
	ASSERT_EQ(0, call(self->c.fd, DRM_IOCTL_PRIME_HANDLE_TO_FD, &prime));
	ASSERT_EQ(0, call(other.fd, DRM_IOCTL_PRIME_FD_TO_HANDLE, &prime));
	close(prime.fd);
	ASSERT_EQ(0, hold_begin(&self->cap));
	for (unsigned int i = 0; i < 3; i++) {
		struct client *c = i == 1 ? &other : &self->c;

		/* the later, the more urgent */
		ref.handle = i == 1 ? prime.handle : self->c.handle;
		ref.access = i == 1 ? DRM_EIE_ACCESS_READ : DRM_EIE_ACCESS_WRITE;
		client_job(c, i, JOB_COPY, &job);
		job.bos = (struct drm_eie_array){ sizeof(ref), 1, (uintptr_t)&ref };
		ASSERT_EQ(0, submit(c, 2 - i, &job, NULL, NULL, &seqno[i]));
	}
	ASSERT_EQ(0, hold_end(&self->cap));
	ASSERT_EQ(0, client_wait(&self->c, 60));
	ASSERT_EQ(0, client_result(&self->c, 2, seqno[0], &r[0]));
	ASSERT_EQ(0, client_result(&other, 1, seqno[1], &r[1]));
	ASSERT_EQ(0, client_result(&self->c, 0, seqno[2], &r[2]));
	EXPECT_LE(r[0].time_end, r[1].time_start);
	EXPECT_LE(r[1].time_end, r[2].time_start);
	client_close(&other);
}

/* ---- objects */

TEST_F_TIMEOUT(sync, timeline, LIMIT)
{
	uint32_t handle = sync_create(self->c.fd);
	struct drm_eie_sync ten = { .handle = handle, .point = 10 }, far = { .handle = handle, .point = 1ull << 40 };
	struct drm_eie_result r[3];
	struct drm_eie_job job;
	int fd = self->c.fd;
	uint64_t seqno;

	client_job(&self->c, 0, JOB_COPY, &job);
	EXPECT_EQ(-EINVAL, submit(&self->c, 0, &job, &ten, NULL, NULL));
	ASSERT_EQ(0, hold_begin(&self->cap));
	ASSERT_EQ(0, submit(&self->c, 3, &job, NULL, &ten, NULL));
	ASSERT_EQ(0, submit(&self->c, 2, &job, &ten, &far, NULL));
	EXPECT_EQ(0, timeline_point(fd, handle));
	EXPECT_EQ(-ETIME, timeline_wait(fd, handle, 10, 0, in_milliseconds(50)));
	EXPECT_EQ(0, timeline_wait(fd, handle, 1ull << 40, DRM_SYNCOBJ_WAIT_FLAGS_WAIT_AVAILABLE, in_milliseconds(10000)));
	/* a point beyond 32 bits is not cut: there is nothing behind it yet */
	far.point++;
	EXPECT_EQ(-EINVAL, submit(&self->c, 1, &job, &far, NULL, NULL));
	far.point--;
	ASSERT_EQ(0, submit(&self->c, 1, &job, &far, NULL, &seqno));
	ASSERT_EQ(0, hold_end(&self->cap));
	EXPECT_EQ(0, timeline_wait(fd, handle, 1ull << 40, 0, in_milliseconds(60000)));
	EXPECT_EQ(1ull << 40, timeline_point(fd, handle));
	while (client_result(&self->c, 1, seqno, &r[2]) == -EBUSY)
		usleep(1000);
	ASSERT_EQ(0, client_result(&self->c, 3, 1, &r[0]));
	ASSERT_EQ(0, client_result(&self->c, 2, 1, &r[1]));
	EXPECT_LE(r[0].time_end, r[1].time_start);
	EXPECT_LE(r[1].time_end, r[2].time_start);
}

/* a sync file carries a fence to poll(), and to another file of the device */
TEST_F_TIMEOUT(sync, sync_file, LIMIT)
{
	struct drm_eie_sync out = { .handle = sync_create(self->c.fd) }, in = { 0 };
	struct drm_eie_result r, after;
	struct drm_eie_job job;
	struct client other;
	uint64_t seqno;
	int file;

	ASSERT_EQ(0, client_open(&other));
	client_job(&self->c, 0, JOB_COPY, &job);
	ASSERT_EQ(0, hold_begin(&self->cap));
	ASSERT_EQ(0, submit(&self->c, 3, &job, NULL, &out, NULL));
	file = sync_export(self->c.fd, out.handle);
	ASSERT_GE(file, 0);
	EXPECT_FALSE(readable(file, 0));
	EXPECT_EQ(-EBUSY, sync_status(self->c.fd, out.handle));
	in.handle = (uint32_t)sync_import(other.fd, file);
	client_job(&other, 0, JOB_COPY, &job);
	ASSERT_EQ(0, submit(&other, 0, &job, &in, &in, &seqno));
	ASSERT_EQ(0, hold_end(&self->cap));
	EXPECT_TRUE(readable(file, 60000));
	close(file);
	EXPECT_EQ(0, sync_status(self->c.fd, out.handle));
	ASSERT_EQ(0, sync_wait(other.fd, in.handle, 60));
	ASSERT_EQ(0, client_result(&self->c, 3, 1, &r));
	ASSERT_EQ(0, client_result(&other, 0, seqno, &after));
	EXPECT_LE(r.time_end, after.time_start);
	client_close(&other);
}

TEST_F_TIMEOUT(sync, eventfd, LIMIT)
{
	struct drm_eie_sync out = { .handle = sync_create(self->c.fd), .point = 4 };
	struct syncobj_eventfd args = { .handle = out.handle, .point = 4, .fd = eventfd(0, EFD_CLOEXEC) };
	struct drm_eie_job job;
	uint64_t count = 0;

	ASSERT_GE(args.fd, 0);
	ASSERT_EQ(0, call(self->c.fd, SYNCOBJ_EVENTFD, &args));
	client_job(&self->c, 0, JOB_COPY, &job);
	ASSERT_EQ(0, hold_begin(&self->cap));
	ASSERT_EQ(0, submit(&self->c, 2, &job, NULL, &out, NULL));
	EXPECT_FALSE(readable(args.fd, 50));
	ASSERT_EQ(0, hold_end(&self->cap));
	EXPECT_TRUE(readable(args.fd, 60000));
	EXPECT_EQ(sizeof(count), read(args.fd, &count, sizeof(count)));
	EXPECT_EQ(1, count);
	close(args.fd);
}

/* a failed job's fence has its error, in every kind of object; who waited for it runs all the same */
TEST_F_TIMEOUT(sync, errors_of_jobs, LIMIT)
{
	static const struct { enum client_job kind; uint32_t cycles; int error; } bad[] = {
		{ JOB_FAULT, 0, -EFAULT }, { JOB_BAD, 0, -EINVAL }, { JOB_HANG, 3000, -ETIME },
	};
	struct drm_eie_sync after = { .handle = sync_create(self->c.fd) };
	struct drm_eie_job job;

	for (unsigned int i = 0; i < 3; i++) {
		struct drm_eie_sync sync = { .handle = sync_create(self->c.fd) };
		struct drm_eie_result r;
		uint64_t seqno;

		client_job(&self->c, 0, bad[i].kind, &job);
		job.cycle_limit = bad[i].cycles;
		ASSERT_EQ(0, submit(&self->c, 3, &job, NULL, &sync, &seqno));
		client_job(&self->c, 1, JOB_COPY, &job);
		ASSERT_EQ(0, submit(&self->c, 1, &job, &sync, &after, NULL));
		ASSERT_EQ(0, sync_wait(self->c.fd, after.handle, 60));
		EXPECT_EQ(0, sync_status(self->c.fd, after.handle));
		EXPECT_EQ(bad[i].error, sync_status(self->c.fd, sync.handle));
		ASSERT_EQ(0, client_result(&self->c, 3, seqno, &r));
		EXPECT_EQ(bad[i].error, r.error);
		EXPECT_TRUE(client_copied(&self->c, 1));
	}
}

/* ---- processes */

static struct testcap *signal_cap;
static volatile sig_atomic_t signals;

/* the third signal lets the device go on */
static void on_alarm(int sig)
{
	(void)sig;
	if (++signals == 3)
		testcap_write(signal_cap, TESTCAP_HOLD, 0);
}

static void alarms(int flags)
{
	struct sigaction action = { .sa_handler = on_alarm, .sa_flags = flags };
	struct itimerval timer = { { 0, 100000 }, { 0, 100000 } };

	signals = 0;
	sigaction(SIGALRM, &action, NULL);
	setitimer(ITIMER_REAL, &timer, NULL);
}

static void no_alarms(void)
{
	struct itimerval timer = { 0 };

	setitimer(ITIMER_REAL, &timer, NULL);
}

/* the harness has its own use for SIGALRM: a child of ours */
static int wait_with_signals(struct client *c, struct testcap *cap)
{
	struct drm_eie_bo_wait wait = { .handle = c->handle, .timeout_ns = in_milliseconds(60000) };
	struct drm_eie_bo_prep prep = { c->handle, DRM_EIE_ACCESS_READ, wait.timeout_ns };
	int ret, n = 0;

	signal_cap = cap;
	/* without SA_RESTART each signal ends the call; the same call again goes on waiting */
	if (hold_begin(cap) || client_submit(c, 2, 0, JOB_COPY, 0, NULL))
		return 1;
	alarms(0);
	while ((ret = ioctl(c->fd, DRM_IOCTL_EIE_BO_WAIT, &wait)) && errno == EINTR)
		n++;
	no_alarms();
	if (ret || n < 2 || signals < 3)
		return 2;
	if (hold_begin(cap) || client_submit(c, 2, 0, JOB_COPY, 0, NULL))
		return 3;
	alarms(0);
	for (n = 0; (ret = ioctl(c->fd, DRM_IOCTL_EIE_BO_PREP, &prep)) && errno == EINTR;)
		n++;
	no_alarms();
	if (ret || n < 2 || signals < 3)
		return 4;
	/* with it none does */
	if (hold_begin(cap) || client_submit(c, 2, 0, JOB_COPY, 0, NULL))
		return 5;
	alarms(SA_RESTART);
	ret = ioctl(c->fd, DRM_IOCTL_EIE_BO_WAIT, &wait);
	no_alarms();
	return ret || signals < 3 ? 6 : 0;
}

TEST_F_TIMEOUT(sync, interrupted_waits, LIMIT)
{
	pid_t pid = fork();
	int status;

	ASSERT_GE(pid, 0);
	if (!pid)
		_exit(wait_with_signals(&self->c, &self->cap));
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	ASSERT_TRUE(WIFEXITED(status));
	EXPECT_EQ(0, WEXITSTATUS(status));
}

/* As many jobs as a file may have, in two queues; then one more submission. 0, or the number of the step that failed. */
static int submit_beyond_the_limit(struct client *c, struct testcap *cap, unsigned int limit)
{
	struct drm_eie_job jobs[64];
	struct drm_eie_submit args = { .jobs = { sizeof(jobs[0]), 64, (uintptr_t)jobs } };
	struct usage u;
	int ret, n = 0;

	signal_cap = cap;
	for (int i = 0; i < 64; i++)
		client_job(c, 0, JOB_EMPTY, &jobs[i]);
	if (hold_begin(cap))
		return 1;
	for (unsigned int i = 0; i < limit / 64; i++) {
		args.queue = c->queue[1 + i % 2];
		if (call(c->fd, DRM_IOCTL_EIE_SUBMIT, &args))
			return 2;
	}
	if (usage_read(&u) || u.pending != limit)
		return 3;
	/* it waits, can be interrupted, and is made again when there is room */
	alarms(0);
	while ((ret = ioctl(c->fd, DRM_IOCTL_EIE_SUBMIT, &args)) && errno == EINTR)
		n++;
	no_alarms();
	if (ret || n < 2 || signals < 3)
		return 4;
	if (args.seqno != limit / 2 + 64)
		return 5;
	/* one broken submission after the other: room is given back */
	jobs[63].flags = 1;
	for (unsigned int i = 0; i < limit / 64 + 2; i++) {
		if (call(c->fd, DRM_IOCTL_EIE_SUBMIT, &args) != -EINVAL)
			return 6;
	}
	return usage_settles(1, &u) ? 0 : 7;
}

TEST_F_TIMEOUT(sync, pending_jobs_are_limited, LIMIT)
{
	struct drm_eie_info info = { 0 };
	struct drm_eie_query query = { DRM_EIE_QUERY_INFO, sizeof(info), (uintptr_t)&info };
	struct drm_eie_result r;
	int status;
	pid_t pid;

	ASSERT_EQ(0, call(self->c.fd, DRM_IOCTL_EIE_QUERY, &query));
	pid = fork();
	ASSERT_GE(pid, 0);
	if (!pid)
		_exit(submit_beyond_the_limit(&self->c, &self->cap, info.max_pending));
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	ASSERT_TRUE(WIFEXITED(status));
	EXPECT_EQ(0, WEXITSTATUS(status));
	ASSERT_EQ(0, client_run(&self->c, 2, 1, JOB_COPY, &r));
	EXPECT_EQ(EIE_STATUS_OK, r.status);
}

/* a child shares the open file: queues, buffers, addresses; it lives as long as either */
TEST_F_TIMEOUT(sync, fork_shares_the_file, LIMIT)
{
	struct drm_eie_result r;
	struct client other;
	struct usage u;
	int status;
	pid_t pid;

	ASSERT_EQ(0, client_open(&other));
	pid = fork();
	ASSERT_GE(pid, 0);
	if (!pid)
		_exit(client_run(&self->c, 2, 0, JOB_COPY, &r) || r.status || !client_copied(&self->c, 0));
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(0, status);
	ASSERT_EQ(0, client_result(&self->c, 2, 1, &r));
	EXPECT_EQ(EIE_STATUS_OK, r.status);
	ASSERT_EQ(0, client_run(&self->c, 2, 1, JOB_COPY, &r));

	/* the parent closes, the child goes on */
	pid = fork();
	ASSERT_GE(pid, 0);
	if (!pid) {
		usleep(200000);
		_exit(client_run(&other, 1, 0, JOB_COPY, &r) || r.status || !client_copied(&other, 0));
	}
	client_close(&other);
	ASSERT_EQ(0, usage_read(&u));
	EXPECT_EQ(2, u.spaces);
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(0, status);
	EXPECT_TRUE(usage_settles(1, &u));
}

/* ---- the end */

/* jobs that have not gone to the device are cancelled with their queue, those that have are not */
TEST_F_TIMEOUT(sync, a_destroyed_queue_cancels_jobs, LIMIT)
{
	struct drm_eie_sync gate = { .handle = sync_create(self->c.fd) }, on = { .handle = sync_create(self->c.fd) },
			    waiting = { .handle = sync_create(self->c.fd) };
	struct drm_eie_queue_destroy destroy = { .queue = self->c.queue[2] };
	struct drm_eie_job job;

	client_job(&self->c, 0, JOB_COPY, &job);
	ASSERT_EQ(0, hold_begin(&self->cap));
	ASSERT_EQ(0, submit(&self->c, 1, &job, NULL, &gate, NULL));
	ASSERT_EQ(0, submit(&self->c, 2, &job, NULL, &on, NULL));
	ASSERT_EQ(0, submit(&self->c, 2, &job, &gate, &waiting, NULL));
	/* the scheduler's worker gives the first to the device */
	usleep(300000);
	ASSERT_EQ(0, call(self->c.fd, DRM_IOCTL_EIE_QUEUE_DESTROY, &destroy));
	ASSERT_EQ(0, hold_end(&self->cap));
	ASSERT_EQ(0, sync_wait(self->c.fd, waiting.handle, 60));
	ASSERT_EQ(0, sync_wait(self->c.fd, on.handle, 60));
	EXPECT_EQ(0, sync_status(self->c.fd, on.handle));
	EXPECT_EQ(-ESRCH, sync_status(self->c.fd, waiting.handle));
}

/* the same for the file: what its jobs wait for need not have come when it is closed */
TEST_F_TIMEOUT(sync, closed_with_jobs_that_wait, LIMIT)
{
	struct drm_eie_sync gate = { .handle = sync_create(self->c.fd) }, in = { 0 }, out = { 0 };
	struct drm_eie_job job;
	struct client other;
	struct usage u;
	int file, fence;
	uint32_t kept;

	ASSERT_EQ(0, client_open(&other));
	client_job(&self->c, 0, JOB_COPY, &job);
	ASSERT_EQ(0, hold_begin(&self->cap));
	ASSERT_EQ(0, submit(&self->c, 1, &job, NULL, &gate, NULL));
	file = sync_export(self->c.fd, gate.handle);
	ASSERT_GE(file, 0);
	in.handle = (uint32_t)sync_import(other.fd, file);
	out.handle = sync_create(other.fd);
	client_job(&other, 0, JOB_COPY, &job);
	/* not on the gate's level: there they would be in the ring behind it, where order needs no waiting */
	for (unsigned int i = 0; i < 8; i++)
		ASSERT_EQ(0, submit(&other, 2 + i % 2, &job, &in, &out, NULL));
	fence = sync_export(other.fd, out.handle);
	ASSERT_GE(fence, 0);
	client_close(&other);
	EXPECT_FALSE(readable(fence, 0));
	ASSERT_EQ(0, hold_end(&self->cap));
	EXPECT_TRUE(readable(fence, 60000));
	kept = (uint32_t)sync_import(self->c.fd, fence);
	EXPECT_EQ(-ESRCH, sync_status(self->c.fd, kept));
	EXPECT_EQ(0, sync_status(self->c.fd, gate.handle));
	close(file);
	close(fence);
	EXPECT_TRUE(usage_settles(1, &u));
}

/* open files, fences and dma-bufs each keep the module */
TEST_F_TIMEOUT(sync, no_unload_while_in_use, LIMIT)
{
	struct drm_prime_handle prime = { .handle = self->c.handle, .flags = DRM_CLOEXEC };
	struct drm_eie_sync out = { .handle = sync_create(self->c.fd) };
	struct drm_eie_job job;
	int fence, tries = 0;

	client_job(&self->c, 0, JOB_COPY, &job);
	ASSERT_EQ(0, submit(&self->c, 1, &job, NULL, &out, NULL));
	ASSERT_EQ(0, sync_wait(self->c.fd, out.handle, 60));
	fence = sync_export(self->c.fd, out.handle);
	ASSERT_GE(fence, 0);
	ASSERT_EQ(0, call(self->c.fd, DRM_IOCTL_PRIME_HANDLE_TO_FD, &prime));
	EXPECT_EQ(-1, driver_unload());
	EXPECT_EQ(EAGAIN, errno);
	client_close(&self->c);
	EXPECT_EQ(-1, driver_unload());
	EXPECT_EQ(EAGAIN, errno);
	close(fence);
	EXPECT_EQ(-1, driver_unload());
	EXPECT_EQ(EAGAIN, errno);
	close(prime.fd);
	/* the last fence is freed by a worker */
	while (driver_unload() && errno == EAGAIN && tries++ < 1000)
		usleep(10000);
	EXPECT_EQ(0, accel_count());
	ASSERT_EQ(0, driver_load(""));
	ASSERT_EQ(0, client_open(&self->c));
}

TEST_HARNESS_MAIN
