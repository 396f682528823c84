/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/*
 * Pooling that is more than one command. Of a whole image, however large: several poolings of windows that the engine has. Averages over as many pixels as each
 * window has in the image: averages that count the padding, and a product with a constant image.
 */
#ifndef ACCEL_CANDIDATE_POOL_H
#define ACCEL_CANDIDATE_POOL_H

#include "net.h"

/*
 * *maps: [nnodes], the caller's: for each AveragePool of an image whose windows have different numbers of pixels in it a new constant of the shape of its output: pixels
 * of the window / pixels of it that are inside, 0 where there are none. NET_NONE for all others. -ENOMEM, -E2BIG.
 */
int pool_maps(struct accel_network *net, uint32_t **maps, struct accel_error *err);
/* The window is the image, and larger than the engine's are, but not for three poolings. */
bool pool_in_stages(const struct accel_window *w);
/* Adds the layers, the last of which has the name. Tensors in between get the range of the input. Errors are those of the graph. */
int add_pool_in_stages(struct accel_graph *graph, const char *name, enum accel_layer_kind kind, const struct accel_window *w, unsigned int input,
		       unsigned int *output, struct accel_error *err);
/* Gives tensor `to` the range of `from`. */
void copy_range(struct accel_graph *graph, unsigned int to, unsigned int from);
/* A weight for each channel, all of them the same, and perhaps a number [channels] that is added: the tensor at another scale, times a number, shifted. */
int add_diagonal(struct accel_graph *graph, const char *name, float factor, const float *bias, enum accel_activation activation, unsigned int input, unsigned int *output,
		 struct accel_error *err);
/* The same, without a number that is added and without an activation. */
int add_factor(struct accel_graph *graph, const char *name, float factor, unsigned int input, unsigned int *output, struct accel_error *err);

#endif
