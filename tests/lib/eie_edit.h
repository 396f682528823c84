/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/* Changing .eie files and making their checksums right again, so that tests and fuzzers reach what lies behind them. */
#ifndef TESTS_LIB_EIE_EDIT_H
#define TESTS_LIB_EIE_EDIT_H

#include <libfdt.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include "container.h"
#include "crc32c.h"

static inline size_t eie_data_start(size_t tree)
{
	return (tree + EIE_DATA_ALIGN - 1) / EIE_DATA_ALIGN * EIE_DATA_ALIGN;
}

/* Recomputes the checksums of all blobs that lie inside the file, of a stream that of all data, then the tree's. fdt is sound; data may be empty. */
static inline void eie_fix_checksums(void *fdt, const uint8_t *data, size_t data_size)
{
	int crc_len, root_len;

	for (int node = 0; node >= 0; node = fdt_next_node(fdt, node, NULL)) {
		int offset_len, size_len;
		const void *offset = fdt_getprop(fdt, node, "offset", &offset_len);
		const void *size = fdt_getprop(fdt, node, "size", &size_len);
		void *crc = (void *)fdt_getprop(fdt, node, "crc32c", &crc_len);

		if (!offset && size && crc && size_len == 8 && crc_len == 4)
			fdt32_st(crc, accel_crc32c(0, data, data_size));
		if (!offset || !size || !crc || offset_len != 8 || size_len != 8 || crc_len != 4)
			continue;
		if (fdt64_ld(offset) <= data_size && fdt64_ld(size) <= data_size - fdt64_ld(offset))
			fdt32_st(crc, accel_crc32c(0, data + fdt64_ld(offset), fdt64_ld(size)));
	}
	if (fdt_getprop(fdt, 0, EIE_HEADER_CRC, &root_len) && root_len == 4) {
		void *crc = (void *)fdt_getprop(fdt, 0, EIE_HEADER_CRC, NULL);

		fdt32_st(crc, 0);
		fdt32_st(crc, accel_crc32c(0, fdt, fdt_totalsize(fdt)));
	}
}

/* A file of an edited tree (room bytes of memory, packed here) and data. */
static inline uint8_t *eie_assemble(void *fdt, const uint8_t *data, size_t data_size, size_t *size)
{
	size_t start;
	uint8_t *file;

	if (fdt_pack(fdt))
		return NULL;
	start = eie_data_start(fdt_totalsize(fdt));
	eie_fix_checksums(fdt, data, data_size);
	*size = start + data_size;
	file = calloc(1, *size);
	if (file) {
		memcpy(file, fdt, fdt_totalsize(fdt));
		memcpy(file + start, data, data_size);
	}
	return file;
}

#endif
