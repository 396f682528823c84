// SPDX-License-Identifier: GPL-2.0 OR MIT
#include "bench_noop.h"

#include <stdlib.h>

#define SAMPLES 100000 /* at the most */
#define DEPTH 32       /* jobs in flight when the rate is measured */

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static int one(struct accel_device *device, unsigned int jobs, unsigned int depth, double *seconds)
{
	struct accel_error err = { 0 };
	double before = seconds_wall();

	if (accel_device_noop(device, jobs, depth, &err))
		return fail_accel("noop", &err);
	*seconds = seconds_wall() - before;
	return EXIT_OK;
}

/* us: room for SAMPLES; the first job, which finds nothing in any cache, does not count. */
static int measure(struct accel_device *device, double seconds, double *us, unsigned int *n,
		   double *rate)
{
	double until, took = 0;
	int status = one(device, 1, 1, &took);

	until = seconds_wall() + seconds / 2;
	for (*n = 0; !status && *n < SAMPLES && (*n < 10 || seconds_wall() < until); (*n)++) {
		status = one(device, 1, 1, &took);
		us[*n] = 1e6 * took;
	}
	if (!status) {
		/* as many as took the other half of the time one by one */
		unsigned int jobs = *n < DEPTH ? DEPTH : *n;

		qsort(us, *n, sizeof(*us), compare);
		status = one(device, jobs, DEPTH, &took);
		*rate = took > 0 ? jobs / took : 0;
	}
	return status;
}

int bench_noop(const struct tool *tool, struct accel_device *device, double seconds, struct json *j)
{
	double *us = malloc(SAMPLES * sizeof(*us)), rate = 0;
	struct accel_device_info info;
	unsigned int n = 0;
	int status = us ? measure(device, seconds, us, &n, &rate) : fail("out of memory");

	accel_device_info(device, &info);
	if (!status && j) {
		json_text(j, "device", info.backend);
		json_text(j, "config", info.config);
		json_number(j, "us_median", us[n / 2]);
		json_number(j, "us_p99", us[n - 1 - n / 100]);
		json_count(j, "runs", n);
		json_number(j, "jobs_per_second", rate);
		json_count(j, "depth", DEPTH);
	} else if (!status) {
		report(tool, "One job", "%.1f us from submission to result (median of %s), 99 %% within %.1f us",
		       us[n / 2], text_count(n).s, us[n - 1 - n / 100]);
		report(tool, "Rate", "%s jobs a second with %d in flight",
		       text_count((uint64_t)rate).s, DEPTH);
	}
	free(us);
	return status;
}
