/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/* Core dumps of driver eie (uapi/drm/eie_accel.h, "Device core dump"), in words. */
#ifndef EIE_COREDUMP_H
#define EIE_COREDUMP_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/*
 * Checks the whole dump, then prints it. Returns NULL, or what is wrong with the dump (static text; nothing was printed then).
 * bold, reset: "" or how a terminal begins and ends a heading.
 */
const char *coredump_print(FILE *out, const void *data, size_t size, const char *bold, const char *reset);

#endif
