/* SPDX-License-Identifier: GPL-2.0 OR MIT */
#ifndef ACCEL_DEVICE_H
#define ACCEL_DEVICE_H

#include <stdatomic.h>

#include "backend.h"
#include "model.h"

struct accel_device {
	atomic_uint refs;
	const struct accel_backend *backend;   /* NULL: cpu */
	bool narrow;                           /* cpu: the int8 mode */
	bool portable;                         /* and on portable kernels, as reference of the others */
	void *dev;                             /* the backend's */
	struct eie_params params;
	const char *config;
	const void *device_tree;
	size_t device_tree_bytes;
};

/*
 * What backends get as options is the device's name less the backend's: CONFIG and ",key=value"s, each may be missing.
 * Copies CONFIG (8x8 when missing) to config[size] and returns the options behind it ("" or ",..."); NULL: the name is too long.
 */
const char *accel_spec_config(const char *options, char *config, size_t size);

/* An interpreter with these parameters, and no device tree. -ENOMEM. */
int device_open_params(const struct eie_params *params, struct accel_device **device, struct accel_error *err);

/* The name of the list (NULL-terminated) that looks most like `name`, or NULL when none does. */
const char *accel_nearest(const char *name, const char *const *list);

/* The descriptor of a job; ROOT and ASID are left zero for the backend to set. */
void accel_job_descriptor(const struct accel_job *job, uint64_t fence, struct eie_desc *desc);

#endif
