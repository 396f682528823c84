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
 * Runs segment `node` for all items of the batch: from its inputs, netrun_value() of node->in[i], float32 [batch, count], to its outputs. 0, or a
 * negative errno with err.
 */
typedef int (*netrun_segment)(void *arg, struct netrun *run, const struct net_node *node, struct accel_error *err);

/* Memory for batch items. threads 0: one a processor. segment NULL: the network has no segments. */
int netrun_new(const struct accel_network *net, unsigned int batch, unsigned int threads, netrun_segment segment, void *arg,
	       struct netrun **run, struct accel_error *err);
/* The threads that nodes run on; for segments, which run while no node does. */
struct pool *netrun_pool(struct netrun *run);
void netrun_free(struct netrun *run);
/* [batch, count] of an input (to fill) or output (to read) of the network, or of a segment while it runs; elements as the value's type. */
void *netrun_value(struct netrun *run, uint32_t value);
/* fn(arg, node) is called after each node: only then is memory of intermediate values their own. NULL: nobody. */
void netrun_observe(struct netrun *run, void (*fn)(void *arg, const struct net_node *node), void *arg);
/* Runs all nodes. Fails only where a segment does. */
int netrun_run(struct netrun *run, struct accel_error *err);

#endif
