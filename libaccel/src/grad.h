/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/*
 * Gradients of a network's output with respect to its constants, item by item, in reverse order of the nodes: what fitting a compressed network to the float one needs
 * (compress_tune.c). Not all operators have one here: those of feed-forward networks of images do.
 */
#ifndef ACCEL_GRAD_H
#define ACCEL_GRAD_H

#include "blas.h"
#include "net.h"

struct grad;

/* The first node between the wanted constants and value out that has no gradient here, or NULL. wanted: [nvalues]. -ENOMEM. */
int grad_missing(const struct accel_network *net, const bool *wanted, uint32_t out, const struct net_node **missing);
/* The network must outlive it; its constants may change between runs. threads: of the runs, 0 for all that there are. -ENOMEM, with err. */
int grad_new(const struct blas *blas, const struct accel_network *net, const bool *wanted, uint32_t out, unsigned int threads, struct grad **grad,
	     struct accel_error *err);
void grad_free(struct grad *grad);
/* [count] of an input (to fill), or of any value of the last run. */
void *grad_value(struct grad *grad, uint32_t value);
void grad_run(struct grad *grad);
/* d: [count] derivatives by the values of out. Derivatives by the wanted constants are added to grad_sum(). */
void grad_back(struct grad *grad, const float *d);
/* The same in two steps, for who wants more than out to be right: all derivatives are 0; what is added to grad_by() of values on the way goes back with the rest. */
void grad_begin(struct grad *grad);
/* [count], or NULL: value does not depend on wanted constants, or out does not depend on it. */
float *grad_by(struct grad *grad, uint32_t value);
void grad_end(struct grad *grad);
/* [count] of a wanted constant; whoever uses it sets it to 0. */
float *grad_sum(struct grad *grad, uint32_t value);

/* ---- grad_op.c: rules of operators */

struct grad_step {
	const struct blas *blas;
	const struct accel_network *net;
	const struct net_node *node;
	void *const *value;        /* [nvalues] of this run; constants: the network's */
	float *const *d;           /* [nvalues] derivatives, or NULL where nobody wants them; inputs' are added to */
	float *scratch;            /* grad_scratch() floats */
};

/* NULL: there is none. */
typedef void (*grad_rule)(const struct grad_step *s);
grad_rule grad_find(const struct accel_network *net, const struct net_node *node);
size_t grad_scratch(const struct accel_network *net, const struct net_node *node);
/* d [n] *= the derivative of act at x. */
void grad_activate(const struct net_act *act, const float *x, float *d, uint64_t n);

#endif
