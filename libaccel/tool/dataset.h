/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/* Labelled data: IDX files as MNIST is distributed, gzip-compressed or not, or .npy files. */
#ifndef EIE_DATASET_H
#define EIE_DATASET_H

#include "items.h"

struct dataset {
	char *images, *labels; /* paths */
	struct items items;
	uint32_t *label; /* [items.n] */
};

/*
 * data: an IDX or .npy file of inputs, or a directory in which one is found (the t10k set first).
 * labels: NULL for the IDX file that belongs to the images. At most limit items are kept (0: all).
 * Prints an error; returns an exit status.
 */
int dataset_open(const struct tool *tool, struct dataset *d, const char *data, const char *labels,
		 const struct accel_tensor_info *tensor, float byte_scale, uint64_t limit);
void dataset_close(struct dataset *d);

#endif
