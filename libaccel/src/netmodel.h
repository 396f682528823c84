/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/* A network as a model: what callers ask of it, and its device segments. */
#ifndef ACCEL_NETMODEL_H
#define ACCEL_NETMODEL_H

#include "net.h"

/* A model of net, which it takes over; its tensors are the network's inputs and outputs. The network must have passed net_check(). */
int netmodel_new(struct accel_network *net, struct accel_model **model, struct accel_error *err);
/* The same for a model that a loader builds: fills tensors, inputs and outputs. */
int netmodel_tensors(struct accel_model *model, struct accel_error *err);

/* Layers: each operator, and each layer of each segment, in the order of the nodes. */
unsigned int netmodel_layers(const struct accel_network *net);
/* Node of layer index; *layer: its number in the node's segment. NULL when the index is too large. */
const struct net_node *netmodel_find(const struct accel_network *net, unsigned int index, unsigned int *layer);
int netmodel_layer(const struct accel_network *net, unsigned int index, struct accel_layer_info *info);
/* accel_model_check() of a network. */
int netmodel_check(const struct accel_model *model, const char *name, struct accel_error *err);

/* accel_model_run_float() of a network with one input. */
int netmodel_run_float(const struct accel_model *model, const float *inputs, uint64_t n, float *outputs, struct accel_error *err);

#endif
