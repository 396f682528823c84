/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/* A flattened device tree from outside, before anything else of libfdt sees it. */
#ifndef ACCEL_FDTCHECK_H
#define ACCEL_FDTCHECK_H

#include <libfdt.h>

/* blob is 8-byte aligned and has size bytes. 0 or a negative FDT_ERR. */
static inline int fdt_check_foreign(const void *blob, size_t size)
{
	if (size < sizeof(struct fdt_header))
		return -FDT_ERR_TRUNCATED;
	/* libfdt 1.6 follows a null pointer in fdt_check_full() when the header says a version before 16 */
	if (fdt_magic(blob) != FDT_MAGIC || fdt_version(blob) < 17)
		return -FDT_ERR_BADVERSION;
	return fdt_check_full(blob, size);
}

#endif
