/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/* Times of runs in turn, of the suite cpu. */
#ifndef EIE_BENCH_RUNS_H
#define EIE_BENCH_RUNS_H

/* Ascending. */
void bench_sort(double *times, unsigned int n);
double bench_median(const double *sorted, unsigned int n);
/* Waits until no thread of other libraries looks for work any more (XNNPACK's do for ten milliseconds): nobody is measured beside another's. */
void bench_settle(void);

#endif
