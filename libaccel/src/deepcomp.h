/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/*
 * Weights as the authors of Deep Compression (Han, Mao, Dally, ICLR 2016) published them: files .net, docs/deep_compression.md.
 */
#ifndef ACCEL_DEEPCOMP_H
#define ACCEL_DEEPCOMP_H

#include "net.h"

/*
 * Gives the layers of net (Conv and Gemm with constant weights, in their order) the weights and biases of a .net file in memory. The
 * file has neither names nor shapes: all sizes come from the network, and any disagreement is -EBADMSG. net must be as it was imported: no pass
 * may have changed weights. name is for error texts.
 */
int deepcomp_load(struct accel_network *net, const void *data, size_t size, const char *name, struct accel_error *err);

#endif
