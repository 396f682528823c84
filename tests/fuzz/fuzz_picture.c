// SPDX-License-Identifier: GPL-2.0 OR MIT
/* JPEG and PNG files, and what becomes of the pixels that are taken: resized, cut, and every value finite. */
#include <math.h>
#include <stdlib.h>
#include "picture.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const how[] = { "imagenet,resize=16", "resize=stretch,order=bgr,layout=hwc" };
	static const uint32_t dims[2][3] = { { 3, 12, 16 }, { 12, 16, 3 } };
	/* small enough that time goes into files, not into pixels */
	const struct picture_want want = { .max_pixels = 1 << 16 };
	struct picture pic;

	if (picture_decode(data, size, "fuzz", &want, &pic, NULL))
		return 0;
	for (int i = 0; i < 2; i++) {
		float values[12 * 16 * 3];
		struct picture_layout layout;
		struct accel_preprocess pre;

		if (accel_preprocess_parse(how[i], &pre, NULL) || preprocess_settle(&pre, "fuzz", 3, dims[i], NULL) ||
		    !picture_layout(3, dims[i], pre.layout, &layout))
			abort();
		if (picture_values(&pic, "fuzz", &layout, 12 * 16 * 3, &pre, 1, values, NULL))
			continue;
		for (unsigned int v = 0; v < 12 * 16 * 3; v++)
			if (!isfinite(values[v]))
				abort();
	}
	picture_free(&pic);
	return 0;
}
