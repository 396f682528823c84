// SPDX-License-Identifier: GPL-2.0 OR MIT
#include "bench_runs.h"
#include "tool.h"

#include <stdlib.h>
#include <time.h>

#define SETTLE_NS    1000000
#define SETTLE_LOOKS 200

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

void bench_sort(double *times, unsigned int n)
{
	qsort(times, n, sizeof(*times), compare);
}

double bench_median(const double *sorted, unsigned int n)
{
	return n % 2 ? sorted[n / 2] : (sorted[n / 2 - 1] + sorted[n / 2]) / 2;
}

void bench_settle(void)
{
	for (unsigned int i = 0; i < SETTLE_LOOKS; i++) {
		double before = seconds_cpu();

		nanosleep(&(struct timespec){ .tv_nsec = SETTLE_NS }, NULL);
		if (seconds_cpu() - before < 0.1e-9 * SETTLE_NS)
			return;
	}
}
