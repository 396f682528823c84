/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/*
 * Who decides in which order the channels of an image lie on the engine. A convolution balances its rows over the clusters, and its output's channels lie where their rows
 * were; poolings, products and tables leave them where they are; an input of the graph has the order of its channels, a concatenation that of its parts.
 * The operands of a product must have one order.
 */
#ifndef ACCEL_ORDER_H
#define ACCEL_ORDER_H

#include "model.h"

/* The tensor from which the order comes: an input, or what a layer with weights or a concatenation makes. */
unsigned int order_source(const struct accel_model *model, unsigned int tensor);
/* A concatenation makes it. */
bool order_is_joined(const struct accel_model *model, unsigned int tensor);
/* *leader, [ntensors], the caller's: of each tensor that is a source, the one whose order it must have; itself, but for operands of products. -ENOMEM. */
int order_leaders(const struct accel_model *model, unsigned int **leader);

#endif
