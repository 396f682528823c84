/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/* Programs and sessions of networks: one of each for every device segment, and a netrun for what is between them. */
#ifndef ACCEL_NETPROGRAM_H
#define ACCEL_NETPROGRAM_H

#include "pool.h"
#include "program.h"

/* Fills places and segments of p, whose model is a network. */
int netprogram_compile(struct accel_program *p, const struct accel_device *device, const struct accel_compile_options *options,
		       struct accel_error *err);

struct netsession;

/* threads: as of pool_new(). */
int netsession_new(struct accel_program *program, struct accel_device *device, unsigned int threads, struct netsession **session,
		   struct accel_error *err);
void netsession_free(struct netsession *session);
/* Input or output `index`, all items: [batch, count]. Indices have been checked. */
int netsession_input(struct netsession *session, unsigned int index, const float *data, struct accel_error *err);
void netsession_output(struct netsession *session, unsigned int index, float *data);
/* accel_session_sparse(), with a matrix that is sound. */
int netsession_sparse(struct netsession *session, struct accel_device *device, const char *name, const struct accel_sparse *matrix, struct accel_error *err);
/* Runs all nodes in the caller's thread. */
int netsession_run(struct netsession *session, struct accel_error *err);
/* Sums over the segments that the last run has come through. */
void netsession_stats(const struct netsession *session, struct accel_stats *stats);

/* As accel_session_job(). */
int netsession_job(const struct netsession *session, uint64_t index, struct accel_job_info *info);

/* Adds every count to the sum. */
void accel_stats_add(struct accel_stats *sum, const struct accel_stats *stats);

/* session.c: accel_session_open(), but layers on the CPU share the pool's threads. The pool must outlive the session; NULL: a pool of its own. */
int session_open(struct accel_program *program, struct accel_device *device, struct pool *pool, struct accel_session **session,
		 struct accel_error *err);

#endif
