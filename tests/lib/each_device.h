/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/* main() of tests that run on the devices of the command line, or on their own list of them. For cmocka. */
#ifndef EACH_DEVICE_H
#define EACH_DEVICE_H

#include <stdio.h>

#include "accel.h"

static struct accel_device *device;   /* under test */

#define each_device(argc, argv, defaults, tests) each_device_(argc, argv, defaults, sizeof(defaults) / sizeof(*(defaults)), tests, sizeof(tests) / sizeof(*(tests)))

/* Returns how many tests failed, on all devices. */
static inline int each_device_(int argc, char **argv, char **defaults, size_t ndefaults, const struct CMUnitTest *tests, size_t ntests)
{
	char **names = argc > 1 ? argv + 1 : defaults;
	size_t n = argc > 1 ? (size_t)argc - 1 : ndefaults;
	int failed = 0;

	for (size_t i = 0; i < n; i++) {
		struct accel_error err;

		if (accel_device_open(names[i], &device, &err)) {
			fprintf(stderr, "%s: %s\n", names[i], err.text);
			return failed + 1;
		}
		failed += _cmocka_run_group_tests(names[i], tests, ntests, NULL, NULL);
		accel_device_unref(device);
	}
	return failed;
}

#endif
