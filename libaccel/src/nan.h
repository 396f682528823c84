/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/* Inputs that are no numbers are refused; to look for one must not cost what converting them does. */
#ifndef ACCEL_NAN_H
#define ACCEL_NAN_H

#include <stdint.h>

/* As many of n values from the first on as are known to be numbers: all but the last few, if all are. */
static inline uint64_t leading_numbers(const float *data, uint64_t n)
{
	enum { LANES = 4, SOME = 64 };
	typedef float floats __attribute__((vector_size(LANES * sizeof(float)), aligned(sizeof(float)), may_alias));
	typedef int32_t flags __attribute__((vector_size(LANES * sizeof(int32_t))));
	uint64_t i = 0;

	for (; i + SOME <= n; i += SOME) {
		flags found = { 0 };

		for (unsigned int k = 0; k < SOME; k += LANES) {
			floats x = *(const floats *)(data + i + k);

			found |= x != x;
		}
		if (found[0] | found[1] | found[2] | found[3])
			break;
	}
	return i;
}

#endif
