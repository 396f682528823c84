// SPDX-License-Identifier: GPL-2.0 OR MIT
/* Core dumps, which a sick machine wrote. */
#include <stdlib.h>
#include <string.h>

#include "coredump.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static FILE *out;
	void *copy = malloc(size);   /* of exactly that size, so that a byte too far is seen */

	if (!out)
		out = fopen("/dev/null", "w");
	if (size)
		memcpy(copy, data, size);
	coredump_print(out, copy, size, "", "");
	free(copy);
	return 0;
}
