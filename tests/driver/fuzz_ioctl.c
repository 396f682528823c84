// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Random sequences of system calls on the driver's node: ioctls with the structure that they should have, some fields changed, on
 * handles that exist, did exist or never did; commands that are sound, broken or noise; mmap, munmap, dup, fork and close between.
 * Several processes do so at once, on files of their own and on one that they share.
 *
 * The kernel's log is the judge (tests/machine). Besides: no call gives an errno that docs/uapi.md does not know, at the end
 * everything was given back, and the device works. Environment: EIE_SECONDS (60), EIE_SEED (the time).
 */
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "eie_hw.h"
#include "frame.h"
#include "job.h"
#include "rng.h"
#include "usage.h"

/* not in Debian 12's libdrm; its structure has 24 bytes */
#define SYNCOBJ_EVENTFD DRM_IOWR(0xCF, uint64_t[3])

#define WORKERS	3
#define FILES	3	/* a worker's; file 0 is everybody's */
#define BOS	12
#define NAMES	8	/* queues, syncobjs */
#define FDS	6

struct file {
	int fd;
	struct { uint32_t handle; uint64_t addr, size; uint8_t *map; } bo[BOS];
	uint32_t queue[NAMES], sync[NAMES];
	uint64_t seqno;
};

static struct rng r;
static struct file files[FILES];
static int fds[FDS];		/* dma-bufs, sync files, copies of files */
static uint64_t calls, good;
static int worst;		/* an errno that there should not be */
static unsigned long worst_call;

static uint32_t pick(uint32_t n)
{
	return rng_range(&r, 0, n - 1);
}

/* An errno that docs/uapi.md, or DRM for its own ioctls, knows. */
static bool known(int error)
{
	static const int list[] = { 0, EINVAL, E2BIG, ENOENT, ENOTTY, EFAULT, ENOMEM, ENOSPC, EBUSY, ETIME, ENODATA, EINTR, EACCES, EBADF,
				    EPERM, EOPNOTSUPP, ENOSYS };

	for (unsigned int i = 0; i < sizeof(list) / sizeof(list[0]); i++)
		if (list[i] == error)
			return true;
	return false;
}

static int do_ioctl(int fd, unsigned long request, void *args)
{
	int error = ioctl(fd, request, args) ? errno : 0;

	calls++;
	good += !error;
	if (!known(error)) {
		worst = error;
		worst_call = request;
	}
	return error;
}

static uint64_t odd_value(void)
{
	static const uint64_t list[] = { 0, 1, 2, 3, 4, 7, 8, 15, 16, 63, 64, 65, 255, 256, 4095, 4096, 4097, 0xffff, 1 << 20, 0x200000, 0x7fffffff,
					 0x80000000, 0xffffffff, 1ull << 38, 1ull << 39, 1ull << 63, UINT64_MAX, 0xffff888000000000 };

	return list[pick(sizeof(list) / sizeof(list[0]))];
}

/* Changes some 32- or 64-bit words of a structure, one time in five; the caller's pointers among them. */
static void mutate(void *args, size_t size)
{
	uint8_t *at = args;

	if (!rng_permille(&r, 200))
		return;
	for (unsigned int n = 1 + pick(2); n; n--) {
		uint64_t v = rng_permille(&r, 700) ? odd_value() : 1ull << pick(64);
		size_t bytes = rng_permille(&r, 500) || size < 8 ? 4 : 8;

		memcpy(at + pick((uint32_t)(size / bytes)) * bytes, &v, bytes);
	}
}

static unsigned long sized(unsigned long request)
{
	static const unsigned int more[] = { 0, 4, 8, 24, 64 };

	if (!rng_permille(&r, 60))
		return request;
	return _IOC(_IOC_DIR(request), _IOC_TYPE(request), _IOC_NR(request),
		    rng_permille(&r, 500) ? pick(_IOC_SIZE(request) + 1) : _IOC_SIZE(request) + more[pick(5)]);
}

/* A name that is in use, was, or never will be; kept ones stay in the tables when they are destroyed. */
static uint32_t name_of(const uint32_t *table, unsigned int n)
{
	return rng_permille(&r, 900) ? table[pick(n)] : rng_permille(&r, 500) ? pick(16) : (uint32_t)odd_value();
}

static uint32_t bo_of(struct file *f)
{
	return rng_permille(&r, 900) ? f->bo[pick(BOS)].handle : pick(24);
}

static uint64_t addr_of(struct file *f)
{
	uint64_t addr = f->bo[pick(BOS)].addr;

	if (rng_permille(&r, 100))
		return odd_value();
	return addr + (rng_permille(&r, 600) ? 0 : 16ull * pick(4096));
}

/* ---- calls */

static void bo_create(struct file *f)
{
	struct { struct drm_eie_bo_create a; uint64_t more[8]; } args = { 0 };
	unsigned int i = pick(BOS);

	args.a.size = rng_permille(&r, 970) ? 4096ull * (1 + pick(16)) : 2ull << 20;
	args.a.flags = rng_permille(&r, 700) ? 0 : pick(4);
	mutate(&args.a, sizeof(args.a));
	/* refused at once, or small: a buffer of half the machine is the OOM killer's business */
	if (args.a.size > 2ull << 20 && args.a.size < 1ull << 32)
		args.a.size = 2ull << 20;
	if (do_ioctl(f->fd, sized(DRM_IOCTL_EIE_BO_CREATE), &args) || !args.a.dev_addr)
		return;
	if (f->bo[i].handle) {
		struct drm_gem_close gem = { .handle = f->bo[i].handle };

		do_ioctl(f->fd, DRM_IOCTL_GEM_CLOSE, &gem);
	}
	if (f->bo[i].map)
		munmap(f->bo[i].map, f->bo[i].size);
	f->bo[i].handle = args.a.handle;
	f->bo[i].addr = args.a.dev_addr;
	f->bo[i].size = args.a.size;
	f->bo[i].map = mmap(NULL, args.a.size, PROT_READ | PROT_WRITE, MAP_SHARED, f->fd, (off_t)args.a.mmap_offset);
	if (f->bo[i].map == MAP_FAILED)
		f->bo[i].map = NULL;
}

static void bo_close(struct file *f)
{
	struct drm_gem_close args = { .handle = bo_of(f) };

	do_ioctl(f->fd, DRM_IOCTL_GEM_CLOSE, &args);
}

static void bo_other(struct file *f)
{
	union {
		struct drm_eie_bo_info info;
		struct drm_eie_bo_prep prep;
		struct drm_eie_bo_fini fini;
		struct drm_eie_bo_wait wait;
		uint64_t more[16];
	} args = { .info.handle = bo_of(f) };
	int64_t soon = in_milliseconds(pick(20));

	switch (pick(4)) {
	case 0:
		mutate(&args.info, sizeof(args.info));
		do_ioctl(f->fd, sized(DRM_IOCTL_EIE_BO_INFO), &args);
		break;
	case 1:
		args.prep.access = 1 + pick(3);
		mutate(&args.prep, 8);
		args.prep.timeout_ns = soon;
		do_ioctl(f->fd, sized(DRM_IOCTL_EIE_BO_PREP), &args);
		break;
	case 2:
		args.fini.access = 1 + pick(3);
		mutate(&args.fini, sizeof(args.fini));
		do_ioctl(f->fd, sized(DRM_IOCTL_EIE_BO_FINI), &args);
		break;
	default:
		args.wait.timeout_ns = soon;
		mutate(&args.wait, 8);
		do_ioctl(f->fd, sized(DRM_IOCTL_EIE_BO_WAIT), &args);
	}
}

static void map_or_unmap(struct file *f)
{
	unsigned int i = pick(BOS);

	if (f->bo[i].map) {
		/* a page first, sometimes; then what is left, which would keep buffer and file for ever */
		if (rng_permille(&r, 500))
			munmap(f->bo[i].map + (f->bo[i].size > 4096 && rng_permille(&r, 300) ? 4096 : 0), 4096);
		munmap(f->bo[i].map, f->bo[i].size);
		f->bo[i].map = NULL;
	} else {
		void *map = mmap(NULL, 4096, PROT_READ, MAP_SHARED, f->fd, (off_t)(0x100000000 + 4096ull * pick(64)));

		if (map != MAP_FAILED)
			munmap(map, 4096);
	}
}

/* Commands: an op each, fields at random where they matter not, or all of it noise. */
static void write_commands(struct file *f)
{
	unsigned int i = pick(BOS);
	uint32_t *cmd = (uint32_t *)f->bo[i].map;

	if (!cmd)
		return;
	for (unsigned int n = 0; n < 64; n++)
		cmd[n] = rng_permille(&r, 600) ? 0 : (uint32_t)(rng_next(&r) >> 32);
	for (unsigned int n = 0; n < 8 && rng_permille(&r, 800); n++) {
		cmd[8 * n] &= ~0xffu;
		cmd[8 * n] |= pick(6);
	}
	for (unsigned int n = 0; n < 16; n++)
		((uint64_t *)f->bo[i].map)[256 + n] = addr_of(f);
}

static void queue(struct file *f)
{
	if (rng_permille(&r, 600)) {
		struct { struct drm_eie_queue_create a; uint64_t more[8]; } args = { .a.priority = pick(4) };

		mutate(&args.a, sizeof(args.a));
		if (!do_ioctl(f->fd, sized(DRM_IOCTL_EIE_QUEUE_CREATE), &args))
			f->queue[pick(NAMES)] = args.a.queue;
	} else {
		struct { struct drm_eie_queue_destroy a; uint64_t more[8]; } args = { .a.queue = name_of(f->queue, NAMES) };

		mutate(&args.a, sizeof(args.a));
		do_ioctl(f->fd, sized(DRM_IOCTL_EIE_QUEUE_DESTROY), &args);
	}
}

static void submit(struct file *f)
{
	struct drm_eie_bo_ref refs[4][8];
	struct drm_eie_sync ins[4][4], outs[4][4];
	struct drm_eie_job jobs[4];
	struct { struct drm_eie_submit a; uint64_t more[8]; } args = {
		.a = { .queue = name_of(f->queue, NAMES), .jobs = { sizeof(jobs[0]), 1 + pick(4), (uintptr_t)jobs } },
	};

	memset(jobs, 0, sizeof(jobs));
	for (unsigned int i = 0; i < 4; i++) {
		struct drm_eie_job *job = &jobs[i];
		uint64_t base = addr_of(f);

		for (unsigned int k = 0; k < 8; k++)
			refs[i][k] = (struct drm_eie_bo_ref){ bo_of(f), 1 + pick(3) };
		for (unsigned int k = 0; k < 4; k++) {
			ins[i][k] = (struct drm_eie_sync){ name_of(f->sync, NAMES), 0, rng_permille(&r, 800) ? 0 : 1 + pick(9) };
			outs[i][k] = (struct drm_eie_sync){ name_of(f->sync, NAMES), 0, rng_permille(&r, 700) ? 0 : 1 + pick(9) };
		}
		job->cmds = base;
		job->restore = addr_of(f);
		job->bases = rng_permille(&r, 800) ? base + 2048 : addr_of(f);
		job->ncmds = rng_permille(&r, 900) ? pick(9) : (uint32_t)odd_value();
		job->nrestore = rng_permille(&r, 800) ? 0 : pick(9);
		job->nbases = pick(17);
		job->residency = pick(3);
		job->cycle_limit = 200 + pick(5000);
		job->bos = (struct drm_eie_array){ sizeof(refs[0][0]), rng_permille(&r, 300) ? 0 : pick(3), (uintptr_t)refs[i] };
		job->in_syncs = (struct drm_eie_array){ sizeof(ins[0][0]), rng_permille(&r, 800) ? 0 : pick(4), (uintptr_t)ins[i] };
		job->out_syncs = (struct drm_eie_array){ sizeof(outs[0][0]), rng_permille(&r, 500) ? 0 : pick(3), (uintptr_t)outs[i] };
		mutate(job, sizeof(*job));
		mutate(refs[i], sizeof(refs[i]));
		mutate(ins[i], sizeof(ins[i]));
		mutate(outs[i], sizeof(outs[i]));
	}
	mutate(&args.a, sizeof(args.a));
	if (!do_ioctl(f->fd, sized(DRM_IOCTL_EIE_SUBMIT), &args))
		f->seqno = args.a.seqno;
}

static void result(struct file *f)
{
	struct { struct drm_eie_result a; uint64_t more[8]; } args = { .a.queue = name_of(f->queue, NAMES), .a.seqno = pick((uint32_t)f->seqno + 2) };

	mutate(&args.a, 16);
	do_ioctl(f->fd, sized(DRM_IOCTL_EIE_RESULT), &args);
}

static void query(struct file *f)
{
	uint8_t answer[512];
	struct { struct drm_eie_query a; uint64_t more[8]; } args = { .a = { pick(3), pick(sizeof(answer)), (uintptr_t)answer } };

	/* with a pointer that is ours, no more bytes than there are */
	do_ioctl(f->fd, sized(DRM_IOCTL_EIE_QUERY), &args);
	args.a.ptr = odd_value();
	mutate(&args.a, 8);
	do_ioctl(f->fd, DRM_IOCTL_EIE_QUERY, &args);
}

static void syncobj(struct file *f)
{
	struct drm_syncobj_create create = { .flags = pick(2) };
	struct drm_syncobj_destroy destroy = { .handle = name_of(f->sync, NAMES) };
	uint32_t handles[2] = { name_of(f->sync, NAMES), name_of(f->sync, NAMES) };
	struct drm_syncobj_array array = { .handles = (uintptr_t)handles, .count_handles = 1 + pick(2) };
	struct drm_syncobj_wait wait = { .handles = (uintptr_t)handles, .count_handles = 1 + pick(2), .flags = pick(4),
					 .timeout_nsec = in_milliseconds(pick(10)) };

	switch (pick(6)) {
	case 0:
	case 1:
		if (!do_ioctl(f->fd, DRM_IOCTL_SYNCOBJ_CREATE, &create))
			f->sync[pick(NAMES)] = create.handle;
		break;
	case 2:
		do_ioctl(f->fd, DRM_IOCTL_SYNCOBJ_DESTROY, &destroy);
		break;
	case 3:
		do_ioctl(f->fd, rng_permille(&r, 500) ? DRM_IOCTL_SYNCOBJ_RESET : DRM_IOCTL_SYNCOBJ_SIGNAL, &array);
		break;
	default:
		do_ioctl(f->fd, DRM_IOCTL_SYNCOBJ_WAIT, &wait);
	}
}

static void keep_fd(int fd)
{
	unsigned int i = pick(FDS);

	if (fds[i] >= 0)
		close(fds[i]);
	fds[i] = fd;
}

/* buffers and fences go out by one file and come in by another, or in the wrong way */
static void share(struct file *f)
{
	struct drm_prime_handle prime = { .handle = bo_of(f), .flags = DRM_CLOEXEC | DRM_RDWR, .fd = fds[pick(FDS)] };
	struct drm_syncobj_handle sync = { .handle = name_of(f->sync, NAMES), .flags = pick(2), .fd = fds[pick(FDS)] };

	switch (pick(4)) {
	case 0:
		if (!do_ioctl(f->fd, DRM_IOCTL_PRIME_HANDLE_TO_FD, &prime))
			keep_fd(prime.fd);
		break;
	case 1:
		if (!do_ioctl(f->fd, DRM_IOCTL_PRIME_FD_TO_HANDLE, &prime)) {
			struct drm_eie_bo_info info = { .handle = prime.handle };
			unsigned int i = pick(BOS);

			if (!do_ioctl(f->fd, DRM_IOCTL_EIE_BO_INFO, &info) && !f->bo[i].map) {
				f->bo[i].handle = prime.handle;
				f->bo[i].addr = info.dev_addr;
				f->bo[i].size = info.size;
			}
		}
		break;
	case 2:
		if (!do_ioctl(f->fd, DRM_IOCTL_SYNCOBJ_HANDLE_TO_FD, &sync))
			keep_fd(sync.fd);
		break;
	default:
		if (!do_ioctl(f->fd, DRM_IOCTL_SYNCOBJ_FD_TO_HANDLE, &sync) && !sync.flags)
			f->sync[pick(NAMES)] = sync.handle;
	}
}

/*
 * Any number of any direction and size, but for calls that wait without a limit, a buffer of any size, and DRM's syncobj calls on arrays:
 * Linux 6.12 warns when it is asked for an array larger than the largest allocation.
 */
static void noise(struct file *f)
{
	uint64_t bytes[32];
	unsigned int nr = pick(256);

	for (unsigned int i = 0; i < 32; i++)
		bytes[i] = rng_permille(&r, 500) ? 0 : odd_value();
	if (nr == _IOC_NR(DRM_IOCTL_EIE_BO_CREATE) || nr == _IOC_NR(DRM_IOCTL_EIE_BO_WAIT) || nr == _IOC_NR(DRM_IOCTL_EIE_BO_PREP) ||
	    (nr >= _IOC_NR(DRM_IOCTL_SYNCOBJ_WAIT) && nr <= _IOC_NR(SYNCOBJ_EVENTFD)))
		return;
	do_ioctl(f->fd, _IOC(pick(4), rng_permille(&r, 900) ? 'd' : pick(256), nr, pick(257)), bytes);
}

static void reopen(struct file *f)
{
	int fd = accel_open(0);

	for (unsigned int i = 0; i < BOS; i++)
		if (f->bo[i].map)
			munmap(f->bo[i].map, f->bo[i].size);
	if (f->fd >= 0)
		close(f->fd);
	memset(f, 0, sizeof(*f));
	f->fd = fd;
}

static void report(void)
{
	if (worst)
		printf("# ioctl %#lx gave errno %d (%s)\n", worst_call, worst, strerror(worst));
	fflush(stdout);
}

static void step(void)
{
	static void (*const ops[])(struct file *f) = { bo_create, bo_create, bo_close, bo_other, bo_other, map_or_unmap, write_commands,
						       write_commands, queue, submit, submit, submit, submit, submit, result, query,
						       syncobj, syncobj, share, noise };
	struct file *f = &files[pick(FILES)];
	unsigned int op = pick(2000);
	pid_t pid;

	if (op < 10) {
		reopen(f);
	} else if (op < 20) {
		keep_fd(dup(f->fd));
	} else if (op < 22) {
		/* a child that shares all of it, does something and vanishes */
		pid = fork();
		if (!pid) {
			r = rng_seed(op + rng_next(&r));
			for (int i = 0; i < 30; i++)
				ops[pick(sizeof(ops) / sizeof(ops[0]))](&files[pick(FILES)]);
			report();
			_exit(worst ? 1 : 0);
		}
	} else {
		ops[pick(sizeof(ops) / sizeof(ops[0]))](f);
	}
}

static int work(uint64_t seed, time_t end)
{
	int status, children = 0;
	struct usage u;

	r = rng_seed(seed);
	for (unsigned int i = 1; i < FILES; i++)
		files[i].fd = accel_open(0);
	while (time(NULL) < end && !worst) {
		for (int i = 0; i < 20; i++)
			step();
		while (waitpid(-1, &status, WNOHANG) > 0)
			children |= status;
		/* calls are faster than the simulated device, and jobs keep memory: let it catch up */
		while (!usage_read(&u) && u.pending > 100 && time(NULL) < end)
			usleep(10000);
	}
	while (wait(&status) > 0)
		children |= status;
	printf("# seed %llu: %llu calls, %llu of them succeeded\n", (unsigned long long)seed, (unsigned long long)calls, (unsigned long long)good);
	report();
	/* a run that does not get anywhere proves nothing */
	return worst || children ? 1 : good < calls / 20 || !calls ? 2 : 0;
}

static long setting(const char *name, long otherwise)
{
	const char *text = getenv(name);

	return text && *text ? atol(text) : otherwise;
}

int main(void)
{
	time_t start = time(NULL), end = start + setting("EIE_SECONDS", 60);
	uint64_t seed = (uint64_t)setting("EIE_SEED", start);
	struct drm_eie_result result;
	int status, bad = 0, broken;
	struct client c;
	struct usage u;

	printf("TAP version 13\n1..3\n# EIE_SEED=%llu\n", (unsigned long long)seed);
	fflush(stdout);
	/* jobs that wait for a token for ever are as many as others: do not wait long for them */
	if (hang_cycles_set("20000"))
		errx(1, "can't set the driver's parameter hang_cycles");
	for (unsigned int i = 0; i < FDS; i++)
		fds[i] = -1;
	files[0].fd = accel_open(0);
	for (unsigned int i = 0; i < WORKERS; i++)
		if (!fork())
			_exit(work(seed * WORKERS + i, end));
	close(files[0].fd);
	while (wait(&status) > 0)
		bad |= status;
	printf("%s 1 random calls give errors that are documented, and succeed often enough\n", bad ? "not ok" : "ok");
	printf("%s 2 everything was given back\n", usage_settles(0, &u) && !u.mappings ? "ok" : "not ok");
	broken = client_open(&c) || client_run(&c, 2, 0, JOB_COPY, &result) || result.status != EIE_STATUS_OK || !client_copied(&c, 0);
	printf("%s 3 the device works\n", broken ? "not ok" : "ok");
	return bad || broken;
}
