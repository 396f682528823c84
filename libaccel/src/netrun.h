/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/*
 * Runs a network: operators on a pool of threads, device segments by a function of the caller. One netrun belongs to one thread at a
 * time; the network must outlive it.
 */
#ifndef ACCEL_NETRUN_H
#define ACCEL_NETRUN_H

#include "net.h"

struct netrun;

/*
 * Runs segment `node` for all items of the batch: in [batch, count of its input] float32, out [batch, count of its output]. 0, or a
 * negative errno with err.
 */
typedef int (*netrun_segment)(void *arg, const struct net_node *node, const float *in, float *out, struct accel_error *err);

/* Memory for batch items. threads 0: one a processor. segment NULL: the network has no segments. */
int netrun_new(const struct accel_network *net, unsigned int batch, unsigned int threads, netrun_segment segment, void *arg,
	       struct netrun **run, struct accel_error *err);
void netrun_free(struct netrun *run);
/* [batch, count] of an input (to fill) or output (to read) of the network; elements as the value's type. */
void *netrun_value(struct netrun *run, uint32_t value);
/* fn(arg, node) is called after each node: only then is memory of intermediate values their own. NULL: nobody. */
void netrun_observe(struct netrun *run, void (*fn)(void *arg, const struct net_node *node), void *arg);
/* Runs all nodes. Fails only where a segment does. */
int netrun_run(struct netrun *run, struct accel_error *err);

#endif
