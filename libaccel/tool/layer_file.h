/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/* What `eie compress --layers` reads: lines "NAME density=D bits=N" or "NAME keep"; NAME may hold * and ?, lines that begin with # are comments. */
#ifndef EIE_LAYER_FILE_H
#define EIE_LAYER_FILE_H

#include "tool.h"

struct layer_file {
	unsigned int n;
	struct accel_compress_layer *layer; /* [n]; the patterns are owned */
};

/* Prints an error that names file and line; returns an exit status. Free in any case. */
int layer_file_read(const char *path, struct layer_file *file);
void layer_file_free(struct layer_file *file);

#endif
