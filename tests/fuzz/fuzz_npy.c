// SPDX-License-Identifier: GPL-2.0 OR MIT
/* .npy arrays: every element of what is accepted is read. */
#include <stdlib.h>
#include <string.h>
#include "npy.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	volatile double sum = 0;
	struct accel_error err;
	struct npy a;

	if (npy_parse(data, size, "fuzz", &a, &err))
		return 0;
	for (uint64_t i = 0; i < a.count; i++) {
		int64_t v;

		if (a.kind == 'S')
			free(npy_string(&a, i));
		else
			sum = sum + npy_double(&a, i);
		if (a.kind != 'S' && a.kind != 'f' && !npy_int(&a, i, &v))
			sum = sum + (double)v;
	}
	return 0;
}
