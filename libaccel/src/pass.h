/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/* What graph passes share. A pass clears nodes (net_node_clear); pass_dead() closes the gaps, and renumbers nodes, never values. */
#ifndef ACCEL_PASS_H
#define ACCEL_PASS_H

#include "net.h"

struct pass_users {
	uint32_t *maker;      /* [nvalues] node, or NET_NONE */
	uint32_t *reader;     /* [nvalues] the last node that reads it, or NET_NONE */
	uint32_t *readers;    /* [nvalues] how often it is read; outputs of the network count twice more */
};

int pass_users_new(const struct accel_network *net, struct pass_users *users, struct accel_error *err);
void pass_users_free(struct pass_users *users);
bool pass_is(const struct net_node *node, const char *op);
/* The node that alone reads value, once, or NULL. */
struct net_node *pass_only_reader(struct accel_network *net, const struct pass_users *users, uint32_t value);
/* Values that nothing uses go, the others are numbered anew. */
int pass_renumber(struct accel_network *net, struct accel_error *err);
/* A constant of one float. */
bool pass_scalar(const struct accel_network *net, uint32_t value, float *f);
/* `from` goes; `to` makes its first output. */
void pass_take_output(struct net_node *to, struct net_node *from);

#endif
