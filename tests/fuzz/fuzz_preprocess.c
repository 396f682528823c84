// SPDX-License-Identifier: GPL-2.0 OR MIT
/* Descriptions of preprocessing: what is taken must settle into one that the check takes, or be refused for the input's shape. */
#include <stdlib.h>
#include <string.h>
#include "picture.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const uint32_t dims[3] = { 3, 24, 32 };
	struct accel_preprocess pre;
	char *text = strndup((const char *)data, size);

	if (text && !accel_preprocess_parse(text, &pre, NULL) && !preprocess_settle(&pre, "fuzz", 3, dims, NULL) &&
	    preprocess_check(&pre, "fuzz", 3, dims, NULL))
		abort();
	free(text);
	return 0;
}
