/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/* Elements of quantised tensors. */
#ifndef ACCEL_OP_QUANT_H
#define ACCEL_OP_QUANT_H

#include "op.h"

#include <math.h>

/* Of uint8, int8 or int32. */
static inline int32_t quant_load(const struct tensor *t, uint64_t i)
{
	return t->type == NET_U8 ? t->u8[i] : t->type == NET_I8 ? t->i8[i] : t->i32[i];
}

/* Saturates to uint8 or int8; NaN becomes the smallest value. */
static inline void quant_store(const struct tensor *t, uint64_t i, float q)
{
	if (t->type == NET_U8)
		t->u8[i] = q >= 255 ? 255 : q > 0 ? (uint8_t)q : 0;
	else
		t->i8[i] = q >= 127 ? 127 : q > -128 ? (int8_t)q : -128;
}

#endif
