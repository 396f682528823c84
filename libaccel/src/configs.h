/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/* Flattened device trees of the hardware configurations, compiled into the library (generated from hw/config/). */
#ifndef ACCEL_CONFIGS_H
#define ACCEL_CONFIGS_H

#include <stddef.h>

struct accel_config {
	const char *name;
	const unsigned char *dtb;
	size_t bytes;
};

extern const struct accel_config accel_configs[];   /* ends with a NULL name */

#endif
