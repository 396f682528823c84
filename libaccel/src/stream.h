/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/* Weight streams: the non-zeros of one column and one cluster as {code, skip} entries (hw/eie_hw.def, "Weight entry"). */
#ifndef ACCEL_STREAM_H
#define ACCEL_STREAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* More rows than this in a cluster could overflow the length field of a column pointer. */
#define STREAM_ROWS_MAX 4088

static inline unsigned int stream_unit(bool wide)
{
	return wide ? 2 : 1;   /* bytes an entry */
}

/* Entries that a column takes, escapes included. rows: n local rows, increasing. */
uint32_t stream_entries(const uint32_t *rows, uint32_t n, bool wide);
/* Writes them; returns their number. */
uint32_t stream_encode(const uint32_t *rows, const uint8_t *codes, uint32_t n, bool wide, uint8_t *out);
/* The pointer of a column. */
uint32_t stream_pointer(uint32_t start, uint32_t entries);
/* Entries of the first n columns, whose little-endian pointers these are. */
uint32_t stream_end(const uint8_t *pointers, uint32_t n);

#endif
