/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/* Suite noop: what a job costs that does nothing. */
#ifndef EIE_BENCH_NOOP_H
#define EIE_BENCH_NOOP_H

#include "json.h"
#include "tool.h"

/* j: or NULL. Measures for about `seconds`. */
int bench_noop(const struct tool *tool, struct accel_device *device, double seconds,
	       struct json *j);

#endif
