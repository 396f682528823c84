/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/* What `eie compress --report` writes: a page of HTML that needs no other file, well-formed as XML, too. */
#ifndef EIE_COMPRESS_REPORT_H
#define EIE_COMPRESS_REPORT_H

#include "tool.h"

struct report_layer {
	char *name; /* owned */
	unsigned int bits;
	double snr;
};

struct compress_report {
	bool no_memory;
	unsigned int n;
	struct report_layer *layer; /* [n] */
};

/* What the library tells of a layer is kept. */
void compress_report_add(struct compress_report *report, const struct accel_compress_info *info);
/* Reads the model that was written, so that the numbers are those of `eie inspect`. Prints an error; returns an exit status. */
int compress_report_write(const char *path, const char *network, const char *model, const struct compress_report *report);
void compress_report_free(struct compress_report *report);

#endif
