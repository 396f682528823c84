/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/* Whole files: read, and replaced in one step. */
#ifndef ACCEL_FILE_H
#define ACCEL_FILE_H

#include <accel.h>

/* Reads all of a file (a pipe too) into new memory; the caller frees *data. Errors: what open and read say, -EFBIG, -ENOMEM. */
int accel_file_read(const char *path, void **data, size_t *size, struct accel_error *err);

/*
 * Writes a new file beside path, flushes it, and renames it over path: on any failure an older file is as it was and
 * nothing is left behind. What is no regular file (/dev/stdout, a pipe) is written to directly.
 */
int accel_file_write(const char *path, const void *data, size_t size, struct accel_error *err);

#endif
