/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/*
 * What the fuzzer of the interpreter reads: a descriptor, the length of the next part (16 bits, little-endian), a read-only part
 * for base table and commands, and the beginning of the memory that the job may read and write (the rest of it is zero).
 */
#ifndef REF_INPUT_H
#define REF_INPUT_H

#define REF_VA_CODE  0x10000000ull
#define REF_CODE_MAX 0x4000u
#define REF_VA_MEM   0x40000000ull
#define REF_MEM      0x8000u
#define REF_VA_ERROR 0x50000000ull   /* a page where the bus answers with an error */
#define REF_CMDS     0x80u           /* seeds: offset of the commands in the first part, behind the base table */

#endif
