// SPDX-License-Identifier: GPL-2.0 OR MIT
/* The sim backend: the Verilated engine in this process. Jobs are queued by submit and run while somebody waits. */
#include <endian.h>
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "device.h"
#include "results.h"
#include "simdev.h"

#define ASID 1
/* Device addresses differ from bus addresses, so that nothing works by accident without translation. */
#define VA_OFFSET ((uint64_t)64 << 30)
/* Cycles between two looks at the clock. */
#define SLICE 20000

struct sim_dev {
	pthread_mutex_t lock;   /* of all below */
	struct simdev *dev;
	struct simdev_space space;
	struct result *results;       /* complete, not yet waited for */
	uint64_t seq, lost;           /* jobs submitted; those up to `lost` were given up */
};

static int backend_open(const char *options, void **out, struct accel_error *err)
{
	struct simdev_options o;
	struct sim_dev *s;
	int ret = simdev_parse(options, &o, err);

	if (ret)
		return ret;
	s = calloc(1, sizeof(*s));
	if (!s)
		return accel_fail(err, -ENOMEM, NULL, "out of memory");
	ret = simdev_open(&o, &s->dev, err);
	if (!ret && simdev_space_open(s->dev, ASID, &s->space)) {
		simdev_close(s->dev);
		ret = accel_fail(err, -ENOMEM, NULL, "out of memory for page tables");
	}
	if (ret) {
		free(s);
		return ret;
	}
	pthread_mutex_init(&s->lock, NULL);
	*out = s;
	return 0;
}

static void backend_close(void *ctx)
{
	struct sim_dev *s = ctx;

	results_free(&s->results);
	simdev_close(s->dev);
	pthread_mutex_destroy(&s->lock);
	free(s);
}

static int backend_describe(void *ctx, const char **config, const void **blob, size_t *bytes)
{
	struct sim_dev *s = ctx;

	*config = s->dev->options.config;
	*blob = s->dev->device_tree;
	*bytes = s->dev->device_tree_bytes;
	return 0;
}

/*
 * From SIMBUS_LARGE_FROM on a buffer is a number of large pages: a walk for 2 MiB costs as much as one for 4 KiB, and a job that streams its weights
 * stands still for each. Simulated memory that nobody touches costs nothing.
 */
static size_t buffer_bytes(size_t size)
{
	size_t page = size >= SIMBUS_LARGE_FROM ? SIMBUS_LARGE_PAGE : SIMBUS_PAGE;

	return (size + page - 1) / page * page;
}

static int backend_buffer_new(void *ctx, size_t size, bool device_writes, struct accel_buffer *buf, struct accel_error *err)
{
	struct sim_dev *s = ctx;
	struct simdev_memory m = { .space = &s->space };
	int ret;

	size = buffer_bytes(size);
	pthread_mutex_lock(&s->lock);
	/* The bus address is unique, so is the device address made from it; large ones stay aligned for large pages. */
	ret = simbus_alloc(s->dev->bus, size, size >= SIMBUS_LARGE_PAGE ? SIMBUS_LARGE_PAGE : SIMBUS_PAGE, &m.bus);
	if (!ret) {
		ret = simdev_map(&s->space, VA_OFFSET + m.bus, m.bus, size, EIE_PTE_V | EIE_PTE_R | (device_writes ? EIE_PTE_W : 0));
		if (ret)
			simbus_release(s->dev->bus, m.bus, size);
	}
	if (!ret)
		*buf = (struct accel_buffer){ simbus_ptr(s->dev->bus, m.bus, size), size, VA_OFFSET + m.bus, 0,
						device_writes };
	pthread_mutex_unlock(&s->lock);
	return ret ? accel_fail(err, ret, NULL, "no simulated memory for a buffer of %zu bytes: %s", size, strerror(-ret)) : 0;
}

static void backend_buffer_free(void *ctx, struct accel_buffer *buf)
{
	struct sim_dev *s = ctx;
	struct simdev_memory m = { &s->space, buf->map, buf->size, buf->va, buf->va - VA_OFFSET };

	pthread_mutex_lock(&s->lock);
	simdev_memory_free(&m);   /* pages that the device does not let go of stay taken */
	pthread_mutex_unlock(&s->lock);
	*buf = (struct accel_buffer){ 0 };
}

/* Moves completion entries from the ring to the list. */
static int collect(struct sim_dev *s)
{
	for (;;) {
		struct result *r = malloc(sizeof(*r));

		if (!r)
			return -ENOMEM;
		if (!simdev_completed(s->dev, &r->cpl)) {
			free(r);
			return 0;
		}
		r->seq = le64toh(r->cpl.fence);
		results_add(&s->results, r);
	}
}

/* Runs for at most a slice. A device that stands still is reset: what was in flight is lost, later jobs run. */
static int advance(struct sim_dev *s, struct accel_error *err)
{
	int ret = collect(s);

	if (ret)
		return accel_fail(err, ret, NULL, "out of memory for a completion entry");
	simdev_run(s->dev, SLICE);
	if (s->dev->lib.assert_failed(s->dev->sim))
		return accel_fail(err, -EIO, NULL, "an assertion of the simulated hardware failed (see stderr)");
	if (s->dev->faulted) {
		uint32_t status = simdev_read32(s->dev, EIE_QUEUE_BASE + EIE_REG_Q_STATUS);

		s->lost = s->seq;
		ret = simdev_reset(s->dev);
		return accel_fail(err, -EIO, NULL, "the simulated device's queue stopped (Q_STATUS 0x%x) and was reset%s",
				  status, ret ? " in vain" : "");
	}
	ret = collect(s);
	return ret ? accel_fail(err, ret, NULL, "out of memory for a completion entry") : 0;
}

static int backend_submit(void *ctx, const struct accel_job *job, uint64_t *seq, struct accel_error *err)
{
	struct sim_dev *s = ctx;
	struct eie_desc desc;
	int ret = 0;

	pthread_mutex_lock(&s->lock);
	/* a job that is under way would lose its translations, too */
	while (!ret && (!simdev_room(s->dev) || (s->dev->options.cold && s->dev->submitted != s->dev->consumed)))
		ret = advance(s, err);
	if (!ret && s->dev->options.cold && simdev_invalidate(s->dev, ASID))
		ret = accel_fail(err, -EIO, NULL, "the simulated device does not forget its translations");
	if (!ret) {
		*seq = ++s->seq;
		accel_job_descriptor(job, *seq, &desc);
		desc.root = htole64(s->space.root);
		desc.asid = htole16(s->space.asid);
		ret = simdev_submit(s->dev, &desc);
		if (ret)
			accel_fail(err, ret, NULL, "the submission ring is full");
	}
	pthread_mutex_unlock(&s->lock);
	return ret;
}

static int64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static int backend_wait(void *ctx, uint64_t seq, int64_t timeout_ns, struct eie_cpl *cpl, struct accel_error *err)
{
	struct sim_dev *s = ctx;
	int64_t start = now_ns();
	int ret = 0;

	/* The lock is let go between slices, so that other sessions of the device get their turn. */
	for (bool found = false; !found && !ret;) {
		pthread_mutex_lock(&s->lock);
		found = results_take(&s->results, seq, cpl);
		if (!found && seq <= s->lost)
			ret = accel_fail(err, -EIO, NULL, "the simulated device was reset while the job was in flight");
		else if (!found)
			ret = advance(s, err);
		if (!found && !ret)
			found = results_take(&s->results, seq, cpl);
		pthread_mutex_unlock(&s->lock);
		if (!found && !ret && timeout_ns >= 0 && now_ns() - start >= timeout_ns)
			ret = accel_fail(err, -ETIMEDOUT, NULL, "the run is not complete yet");
	}
	return ret;
}

static int backend_counters(void *ctx, uint64_t values[EIE_PERF_COUNTERS])
{
	struct sim_dev *s = ctx;

	pthread_mutex_lock(&s->lock);
	for (uint32_t i = 0; i < EIE_PERF_COUNTERS; i++) {
		uint32_t reg = EIE_PERF_BASE + EIE_PERF_STRIDE * i;

		values[i] = simdev_read32(s->dev, reg);   /* latches the other half */
		values[i] |= (uint64_t)simdev_read32(s->dev, reg + 4) << 32;
	}
	pthread_mutex_unlock(&s->lock);
	return 0;
}

const struct accel_backend accel_backend_sim = {
	.name = "sim",
	.open = backend_open,
	.close = backend_close,
	.describe = backend_describe,
	.buffer_new = backend_buffer_new,
	.buffer_free = backend_buffer_free,
	.submit = backend_submit,
	.wait = backend_wait,
	.counters = backend_counters,
};
