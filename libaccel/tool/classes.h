/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/* Names of classes from a text file, one a line; lines that begin with # are comments. */
#ifndef EIE_CLASSES_H
#define EIE_CLASSES_H

#include "tool.h"

struct classes {
	unsigned int n;
	char **name;
};

/* Prints an error; returns an exit status. Free in any case. */
int classes_read(const char *path, struct classes *classes);
void classes_free(struct classes *classes);

#endif
