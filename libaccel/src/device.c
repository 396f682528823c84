// SPDX-License-Identifier: GPL-2.0 OR MIT
#include <endian.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "device.h"

static const struct accel_backend *const backends[] = { &accel_backend_ref, &accel_backend_sim, &accel_backend_drm };
#define NBACKENDS (sizeof(backends) / sizeof(backends[0]))

const char *accel_spec_config(const char *options, char *config, size_t size)
{
	size_t n = strcspn(options, ",");

	if (n >= size)
		return NULL;
	memcpy(config, n ? options : "8x8", n ? n : 4);
	config[n ? n : 3] = '\0';
	return options + n;
}

/* Edits (insert, delete, replace) from a to b; both shorter than 32, else "far". */
static unsigned int distance(const char *a, const char *b)
{
	size_t na = strlen(a), nb = strlen(b);
	unsigned int row[32];

	if (na >= 32 || nb >= 32)
		return 32;
	for (size_t j = 0; j <= nb; j++)
		row[j] = (unsigned int)j;
	for (size_t i = 1; i <= na; i++) {
		unsigned int diagonal = row[0];

		row[0] = (unsigned int)i;
		for (size_t j = 1; j <= nb; j++) {
			unsigned int best = diagonal + (a[i - 1] != b[j - 1]);

			diagonal = row[j];
			best = row[j] + 1 < best ? row[j] + 1 : best;
			best = row[j - 1] + 1 < best ? row[j - 1] + 1 : best;
			row[j] = best;
		}
	}
	return row[nb];
}

const char *accel_nearest(const char *name, const char *const *list)
{
	const char *best = NULL;
	unsigned int least = 3;   /* farther ones are no typing errors */

	for (; *list; list++) {
		unsigned int d = distance(name, *list);

		if (d < least) {
			least = d;
			best = *list;
		}
	}
	return best;
}

void accel_job_descriptor(const struct accel_job *job, uint64_t fence, struct eie_desc *desc)
{
	uint64_t va = job->commands->va;

	*desc = (struct eie_desc){
		.fence = htole64(fence),
		.nbases = htole16((uint16_t)job->nbases),
		.cycle_limit = htole32(job->cycle_limit),
		.residency = htole64(job->residency),
		.bases = htole64(va + job->bases_offset),
		.cmds = htole64(va + job->cmd_offset),
		.restore = htole64(va + job->restore_offset),
		.ncmds = htole32(job->ncmds),
		.nrestore = htole32(job->nrestore),
	};
}

static int unknown_device(const char *spec, size_t n, struct accel_error *err)
{
	static const char *const names[] = { "cpu", "ref", "sim", "drm", NULL };
	char name[32];
	const char *near;

	if (n >= sizeof(name))
		n = sizeof(name) - 1;
	memcpy(name, spec, n);
	name[n] = '\0';
	near = accel_nearest(name, names);
	return accel_fail(err, -ENODEV, NULL, "no device \"%s\"%s%s%s; there are cpu[:int8], ref[:CONFIG], sim[:CONFIG] and drm[:PATH]", name,
			  near ? ": did you mean \"" : "", near ? near : "", near ? "\"?" : "");
}

/* What the backend has opened tells its parameters. */
static int take_parameters(struct accel_device *d, struct accel_error *err)
{
	int ret = d->backend->describe(d->dev, &d->config, &d->device_tree, &d->device_tree_bytes);
	if (ret)
		accel_fail(err, ret, NULL, "device \"%s\" does not tell its parameters: %s", d->backend->name, strerror(-ret));
	else
		ret = eie_params_read(d->device_tree, d->device_tree_bytes, &d->params, err);
	if (ret)
		d->backend->close(d->dev);
	return ret;
}

static struct accel_device *new_device(const struct accel_backend *backend)
{
	struct accel_device *d = calloc(1, sizeof(*d));

	if (d) {
		atomic_init(&d->refs, 1);
		d->backend = backend;
		d->config = "";
	}
	return d;
}

int accel_device_open(const char *spec, struct accel_device **device, struct accel_error *err)
{
	size_t n = strcspn(spec, ":,");
	const char *options = spec + n + (spec[n] == ':');
	const struct accel_backend *backend = NULL;
	struct accel_device *d;
	int ret = 0;

	if (n == 3 && !strncmp(spec, "cpu", 3) && spec[n] && strcmp(spec, "cpu:int8"))
		return accel_fail(err, -EINVAL, NULL, "device \"%s\": cpu takes no configuration but int8, and no options", spec);
	for (size_t i = 0; i < NBACKENDS; i++)
		if (strlen(backends[i]->name) == n && !strncmp(spec, backends[i]->name, n))
			backend = backends[i];
	if (!backend && (n != 3 || strncmp(spec, "cpu", 3)))
		return unknown_device(spec, n, err);
	d = new_device(backend);
	if (!d)
		return accel_fail(err, -ENOMEM, NULL, "out of memory");
	d->narrow = !backend && spec[n];
	d->config = d->narrow ? "int8" : "";
	if (backend)
		ret = backend->open(options, &d->dev, err);
	if (backend && !ret)
		ret = take_parameters(d, err);
	if (ret) {
		free(d);
		return ret;
	}
	*device = d;
	return 0;
}

int accel_device_open_reference(const struct accel_device *device, struct accel_device **reference, struct accel_error *err)
{
	struct accel_device *d;
	int ret;

	if (!device->backend && !device->narrow)
		return accel_device_open("ref", reference, err);
	d = new_device(device->narrow ? NULL : &accel_backend_ref);
	if (!d)
		return accel_fail(err, -ENOMEM, NULL, "out of memory");
	if (device->narrow) {
		d->narrow = d->portable = true;
		d->config = "int8,portable";
		*reference = d;
		return 0;
	}
	ret = accel_ref_open_tree(device->config, device->device_tree, device->device_tree_bytes, &d->dev, err);
	if (!ret)
		ret = take_parameters(d, err);
	if (ret) {
		free(d);
		return ret;
	}
	*reference = d;
	return 0;
}

int device_open_params(const struct eie_params *params, struct accel_device **device, struct accel_error *err)
{
	struct accel_device *d = new_device(&accel_backend_ref);
	int ret;

	if (!d)
		return accel_fail(err, -ENOMEM, NULL, "out of memory");
	ret = accel_ref_open_params(params, &d->dev, err);
	if (ret) {
		free(d);
		return ret;
	}
	d->params = *params;
	*device = d;
	return 0;
}

struct accel_device *accel_device_ref(struct accel_device *device)
{
	atomic_fetch_add(&device->refs, 1);
	return device;
}

void accel_device_unref(struct accel_device *device)
{
	if (!device || atomic_fetch_sub(&device->refs, 1) != 1)
		return;
	if (device->backend)
		device->backend->close(device->dev);
	free(device);
}

int accel_device_info(const struct accel_device *device, struct accel_device_info *info)
{
	const struct eie_params *p = &device->params;

	*info = (struct accel_device_info){
		.backend = device->backend ? device->backend->name : "cpu",
		.config = device->config,
		.isa_major = p->isa_major, .isa_minor = p->isa_minor,
		.clusters = p->clusters, .lanes = p->lanes, .rows = p->rows,
		.abuf_granules = p->abuf, .wbuf_granules = p->wbuf, .pbuf_granules = p->pbuf, .rbuf_granules = p->rbuf,
		.queues = p->queues, .tlb_entries = p->tlb, .bus_bits = p->bus_bits,
		.device_tree = device->device_tree, .device_tree_bytes = device->device_tree_bytes,
	};
	return 0;
}
