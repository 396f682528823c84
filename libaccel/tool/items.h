/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/* Inputs of a network, from .npy files, pictures, directories and standard input. */
#ifndef EIE_ITEMS_H
#define EIE_ITEMS_H

#include "tool.h"

struct item_source {
	const char *file; /* owned by the items */
	int64_t index;	  /* within the file, or -1: the file holds one item */
};

struct items {
	uint64_t n, count;	    /* items, values an item */
	float *real;		    /* [n, count]; NULL when raw */
	int16_t *raw;		    /* [n, count]; NULL when real */
	struct item_source *source; /* [n] */
	unsigned int nfiles;
	char **files;
};

/*
 * Appends what path holds: a .npy file (one item or [n, ...]; float32 or float64 values, uint8
 * picture bytes, or with raw int16 values), a .png picture, "-" (a .npy file on standard input), or
 * a directory of such files, in the order of their names. A set is either raw or not. Prints an
 * error; returns an exit status.
 */
int items_read(const struct tool *tool, struct items *items, const char *path,
	       const struct accel_tensor_info *tensor, float byte_scale, bool raw);
void items_free(struct items *items);

#endif
