/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/* Images that are channels of another one, in some order: shuffled, split, sliced. A convolution can read the other one instead. */
#ifndef ACCEL_VIEWS_H
#define ACCEL_VIEWS_H

#include "pass.h"

struct view {
	uint32_t source;           /* value, itself no view */
	uint32_t *channels;        /* [dims[1]] channel of source that each is; no two the same. NULL: the value is no view */
};

/* *views: [nvalues]. -ENOMEM. */
int views_find(const struct accel_network *net, const struct pass_users *users, struct view **views, struct accel_error *err);
void views_free(const struct accel_network *net, struct view *views);
/* The operators that views are made with. */
bool views_operator(const struct net_node *node);

#endif
