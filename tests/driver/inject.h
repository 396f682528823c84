/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/* Failures on demand: the n-th allocation, or copy from or to user space, of a thread. Debug kernels only. */
#ifndef EIE_TEST_INJECT_H
#define EIE_TEST_INJECT_H

#include <stdbool.h>

/* Makes allocations that may wait, and those of pages, fail as well; for the thread that calls. 0 or -errno. */
int inject_setup(void);
void inject_end(void);

/* The n-th point of failure of this thread from now on fails; 0: none. */
void inject_at(unsigned int n);
/* Has it failed? */
bool inject_happened(void);

#endif
