/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/* Labelled data: IDX files as MNIST is distributed, gzip-compressed or not, .npy files, or pictures. */
#ifndef EIE_DATASET_H
#define EIE_DATASET_H

#include "items.h"

struct dataset {
	char *images, *labels; /* paths */
	struct items items;
	uint32_t *label; /* [items.n] */
};

/*
 * Inputs of the model's only input. data: an IDX or .npy file of inputs, a directory in which one is found (the t10k set first), or
 * a directory of pictures (picture_set.c).
 * labels: NULL for the IDX file that belongs to the images, or what picture_set.c finds. At most limit items are kept (0: all).
 * Prints an error; returns an exit status.
 */
int dataset_open(const struct tool *tool, struct dataset *d, const char *data, const char *labels,
		 const struct accel_model *model, uint64_t limit);
void dataset_close(struct dataset *d);

/*
 * Pictures of a directory, labelled by (the first that is there): labels, a text file with a line "FILE LABEL" for each picture or a line
 * "LABEL" for each in the order of names; labels.txt in the directory, the same; sub-directories named by their pictures' class; names of
 * pictures that begin with the first word of a class name. A LABEL is a number, a class name, or its first word.
 */
int picture_set_open(const struct tool *tool, struct dataset *d, const char *dir, const char *labels,
		     const struct accel_model *model, uint64_t limit);

#endif
