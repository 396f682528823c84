// SPDX-License-Identifier: GPL-2.0 OR MIT
/* The ref backend: the oracle of ref.c over host memory. Jobs run within submit. */
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "backend.h"
#include "configs.h"
#include "device.h"
#include "results.h"

struct ref_buffer {
	struct ref_buffer *next;
	uint8_t *map;
	size_t size;
	uint64_t va;
	bool device_writes;
};

struct ref_dev {
	pthread_mutex_t lock;            /* of all below */
	struct eie_ref *ref;
	char config[32];
	void *device_tree;
	size_t device_tree_bytes;
	struct ref_buffer *buffers;
	struct result *results;          /* not yet waited for */
	uint64_t next_va, seq;
};

/* Like a page table: whole access within one buffer, else a fault. */
static uint8_t *translate(struct ref_dev *dev, uint64_t va, size_t len, bool write)
{
	for (struct ref_buffer *b = dev->buffers; b; b = b->next)
		if (va >= b->va && va - b->va < b->size && len <= b->size - (va - b->va))
			return write && !b->device_writes ? NULL : b->map + (va - b->va);
	return NULL;
}

static uint32_t ref_read(void *ctx, uint64_t va, void *buf, size_t len)
{
	const uint8_t *p = translate(ctx, va, len, false);

	if (!p)
		return EIE_STATUS_PAGE_FAULT;
	memcpy(buf, p, len);
	return EIE_STATUS_OK;
}

static uint32_t ref_write(void *ctx, uint64_t va, const void *buf, size_t len)
{
	uint8_t *p = translate(ctx, va, len, true);

	if (!p)
		return EIE_STATUS_PAGE_FAULT;
	memcpy(p, buf, len);
	return EIE_STATUS_OK;
}

static int unknown_config(const char *name, struct accel_error *err)
{
	const char *names[32] = { NULL };
	char list[200] = "";
	const char *near;

	for (size_t i = 0; i < 31 && accel_configs[i].name; i++) {
		names[i] = accel_configs[i].name;
		if (strlen(list) + strlen(names[i]) + 2 < sizeof(list))
			strcat(strcat(list, " "), names[i]);
	}
	near = accel_nearest(name, names);
	return accel_fail(err, -ENODEV, NULL, "no configuration \"%s\"%s%s%s; there are:%s", name, near ? ": did you mean \"" : "",
			  near ? near : "", near ? "\"?" : "", list);
}

int accel_ref_open_params(const struct eie_params *params, void **out, struct accel_error *err)
{
	struct ref_dev *dev = calloc(1, sizeof(*dev));

	if (!dev || eie_ref_new(params, &dev->ref)) {
		free(dev);
		return accel_fail(err, -ENOMEM, NULL, "out of memory for the interpreter");
	}
	pthread_mutex_init(&dev->lock, NULL);
	dev->next_va = 1ull << 32;
	*out = dev;
	return 0;
}

int accel_ref_open_tree(const char *config, const void *blob, size_t bytes, void **out, struct accel_error *err)
{
	struct eie_params params;
	struct ref_dev *dev;
	int ret = eie_params_read(blob, bytes, &params, err);

	ret = ret ? ret : accel_ref_open_params(&params, out, err);
	if (ret)
		return ret;
	dev = *out;
	dev->device_tree = malloc(bytes);
	if (!dev->device_tree) {
		accel_backend_ref.close(dev);
		return accel_fail(err, -ENOMEM, NULL, "out of memory for device ref:%s", config);
	}
	snprintf(dev->config, sizeof(dev->config), "%s", config);
	memcpy(dev->device_tree, blob, bytes);
	dev->device_tree_bytes = bytes;
	return 0;
}

void accel_ref_observe(void *ctx, eie_ref_observer observe, void *arg)
{
	struct ref_dev *dev = ctx;

	eie_ref_observe(dev->ref, observe, arg);
}

static int backend_open(const char *options, void **out, struct accel_error *err)
{
	char name[32];
	const char *rest = accel_spec_config(options, name, sizeof(name));
	const struct accel_config *config = accel_configs;

	if (!rest)
		return accel_fail(err, -ENODEV, NULL, "no configuration \"%.40s\"", options);
	if (*rest)
		return accel_fail(err, -EINVAL, NULL, "device ref takes no options, \"%.60s\" is one of the simulator", rest + 1);
	while (config->name && strcmp(config->name, name))
		config++;
	if (!config->name)
		return unknown_config(name, err);
	return accel_ref_open_tree(config->name, config->dtb, config->bytes, out, err);
}

static void backend_close(void *ctx)
{
	struct ref_dev *dev = ctx;

	results_free(&dev->results);
	for (struct ref_buffer *b = dev->buffers, *next; b; b = next) {
		next = b->next;
		free(b->map);
		free(b);
	}
	eie_ref_free(dev->ref);
	free(dev->device_tree);
	pthread_mutex_destroy(&dev->lock);
	free(dev);
}

static int backend_describe(void *ctx, const char **config, const void **blob, size_t *bytes)
{
	struct ref_dev *dev = ctx;

	*config = dev->config;
	*blob = dev->device_tree;
	*bytes = dev->device_tree_bytes;
	return 0;
}

static int backend_buffer_new(void *ctx, size_t size, bool device_writes, struct accel_buffer *buf, struct accel_error *err)
{
	struct ref_dev *dev = ctx;
	struct ref_buffer *b = calloc(1, sizeof(*b));

	size = (size + 4095) / 4096 * 4096;
	if (b)
		b->map = aligned_alloc(4096, size);
	if (!b || !b->map) {
		free(b);
		return accel_fail(err, -ENOMEM, NULL, "out of memory for a buffer of %zu bytes", size);
	}
	memset(b->map, 0, size);
	b->size = size;
	b->device_writes = device_writes;
	pthread_mutex_lock(&dev->lock);
	b->va = dev->next_va;
	dev->next_va += size + 4096;   /* a page that faults between any two */
	b->next = dev->buffers;
	dev->buffers = b;
	pthread_mutex_unlock(&dev->lock);
	*buf = (struct accel_buffer){ b->map, b->size, b->va, 0, device_writes };
	return 0;
}

static void backend_buffer_free(void *ctx, struct accel_buffer *buf)
{
	struct ref_dev *dev = ctx;

	pthread_mutex_lock(&dev->lock);
	for (struct ref_buffer **p = &dev->buffers; *p; p = &(*p)->next) {
		struct ref_buffer *b = *p;

		if (b->va == buf->va) {
			*p = b->next;
			free(b->map);
			free(b);
			break;
		}
	}
	pthread_mutex_unlock(&dev->lock);
	*buf = (struct accel_buffer){ 0 };
}

static int backend_submit(void *ctx, const struct accel_job *job, uint64_t *seq, struct accel_error *err)
{
	struct ref_dev *dev = ctx;
	const struct eie_ref_mem mem = { ref_read, ref_write, dev };
	struct result *r = calloc(1, sizeof(*r));
	struct eie_desc desc;

	if (!r)
		return accel_fail(err, -ENOMEM, NULL, "out of memory for a job");
	pthread_mutex_lock(&dev->lock);
	r->seq = *seq = ++dev->seq;
	accel_job_descriptor(job, r->seq, &desc);
	eie_ref_run(dev->ref, &desc, &mem, &r->cpl);
	results_add(&dev->results, r);
	pthread_mutex_unlock(&dev->lock);
	return 0;
}

static int backend_wait(void *ctx, uint64_t seq, int64_t timeout_ns, struct eie_cpl *cpl, struct accel_error *err)
{
	struct ref_dev *dev = ctx;
	bool found;

	(void)timeout_ns;   /* a job that has been submitted is done */
	pthread_mutex_lock(&dev->lock);
	found = results_take(&dev->results, seq, cpl);
	pthread_mutex_unlock(&dev->lock);
	return found ? 0 : accel_fail(err, -ENOENT, NULL, "job %llu is not in flight", (unsigned long long)seq);
}

const struct accel_backend accel_backend_ref = {
	.name = "ref",
	.open = backend_open,
	.close = backend_close,
	.describe = backend_describe,
	.buffer_new = backend_buffer_new,
	.buffer_free = backend_buffer_free,
	.submit = backend_submit,
	.wait = backend_wait,
};
