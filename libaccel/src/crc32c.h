/* SPDX-License-Identifier: GPL-2.0 OR MIT */
#ifndef ACCEL_CRC32C_H
#define ACCEL_CRC32C_H

#include <stddef.h>
#include <stdint.h>

/* CRC-32C (Castagnoli, RFC 3720 appendix B.4). crc is 0, or the result over the bytes before these. */
uint32_t accel_crc32c(uint32_t crc, const void *data, size_t size);
/* The same without the processor's instruction: what others are tested with. */
uint32_t accel_crc32c_portable(uint32_t crc, const void *data, size_t size);

#endif
