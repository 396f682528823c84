/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/*
 * What the fuzzer of the interpreter reads: a descriptor, the length of the next part (16 bits, little-endian), a read-only part
 * for base table and commands, and the beginning of the memory that the job may read and write (the rest of it is zero).
 */
#ifndef REF_INPUT_H
#define REF_INPUT_H

#include <stdlib.h>
#include <string.h>

#include "backend.h"
#include "configs.h"

/* The smallest hardware of the library's, and all that hw/config/2x8-vector.cfg has beyond it. */
static inline void ref_input_params(struct eie_params *p)
{
	const struct accel_config *c = accel_configs;

	while (c->name && strcmp(c->name, "2x2"))
		c++;
	if (!c->name || eie_params_read(c->dtb, c->bytes, p, NULL))
		abort();
	p->lanes = 8;
	p->features = EIE_FEATURE_VECTOR | EIE_FEATURE_POOL | EIE_FEATURE_ELEMENT | EIE_FEATURE_SPLIT | EIE_FEATURE_SELECT;
}

#define REF_VA_CODE  0x10000000ull
#define REF_CODE_MAX 0x4000u
#define REF_VA_MEM   0x40000000ull
#define REF_MEM      0x8000u
#define REF_VA_ERROR 0x50000000ull   /* a page where the bus answers with an error */
#define REF_CMDS     0x80u           /* seeds: offset of the commands in the first part, behind the base table */

#endif
