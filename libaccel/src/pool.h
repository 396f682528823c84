/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/* A few threads that share loops. They sleep when there has been nothing to do for a tenth of a millisecond, and are not woken for less than that. */
#ifndef ACCEL_POOL_H
#define ACCEL_POOL_H

#include <stddef.h>

struct pool;

/* threads: the caller included; 0: as many as the machine has processors for this process. NULL without memory. */
struct pool *pool_new(unsigned int threads);
void pool_free(struct pool *pool);
unsigned int pool_threads(const struct pool *pool);
/* scratch memory of each worker, 64-byte aligned; -ENOMEM. Only between runs. */
int pool_reserve(struct pool *pool, size_t bytes);
/*
 * Calls fn(arg, task, scratch) for every task below n and returns when all have returned. One run at a time: a pool belongs to one
 * session. scratch is the worker's memory, its contents are undefined. Tasks may wait for each other only if there are no more of them than threads.
 */
void pool_run(struct pool *pool, size_t n, void (*fn)(void *arg, size_t task, void *scratch), void *arg);

#endif
