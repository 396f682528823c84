// SPDX-License-Identifier: GPL-2.0 OR MIT
#include "picture.h"

#include <errno.h>
#include <inttypes.h>
#include <png.h>
#include <stdlib.h>
#include <string.h>

struct layout {
	uint32_t width, height; /* 0: any of height * width == count */
	unsigned int channels;
	bool planar;
};

static bool picture_layout(const struct accel_tensor_info *t, struct layout *l)
{
	const uint32_t *d = t->dims;

	*l = (struct layout){ .channels = 1 };
	switch (t->ndim) {
	case 1:
		return true;
	case 2:
		l->height = d[0];
		l->width = d[1];
		return true;
	case 3:
		if (d[0] == 1 || d[0] == 3) {
			*l = (struct layout){
				.channels = d[0], .height = d[1], .width = d[2], .planar = true
			};
			return true;
		}
		if (d[2] == 1 || d[2] == 3) {
			*l = (struct layout){ .channels = d[2], .height = d[0], .width = d[1] };
			return true;
		}
	}
	return false;
}

int read_picture(const char *path, const struct accel_tensor_info *tensor, float byte_scale,
		 float *out)
{
	png_image image = { .version = PNG_IMAGE_VERSION };
	const png_color black = { 0, 0, 0 };
	struct layout l;
	uint8_t *bytes;
	FILE *file;
	bool ok;

	if (!picture_layout(tensor, &l))
		return fail("%s: input %s has shape %s, which is no picture: give an .npy file",
			    path, tensor->name, text_shape(tensor).s);
	file = fopen(path, "rbe");
	if (!file)
		return fail("%s: %s", path, strerror(errno));
	if (!png_image_begin_read_from_stdio(&image, file)) {
		fclose(file);
		return fail("%s: not a readable PNG file: %s", path, image.message);
	}
	/* before the pixels are decoded: what a small file unpacks to is then bounded by the model */
	if (l.width ? image.width != l.width || image.height != l.height :
		      (uint64_t)image.width * image.height != tensor->count) {
		uint32_t width = image.width, height = image.height;

		png_image_free(&image);
		fclose(file);
		if (!l.width)
			return fail("%s: the picture is %" PRIu32 " x %" PRIu32
				    ", input %s takes %" PRIu64 " pixels",
				    path, width, height, tensor->name, tensor->count);
		return fail("%s: the picture is %" PRIu32 " x %" PRIu32 ", input %s takes %" PRIu32
			    " x %" PRIu32 " (width x height): resize it",
			    path, width, height, tensor->name, l.width, l.height);
	}
	image.format = l.channels == 3 ? PNG_FORMAT_RGB : PNG_FORMAT_GRAY;
	bytes = malloc(PNG_IMAGE_SIZE(image));
	if (!bytes) {
		png_image_free(&image);
		fclose(file);
		return fail("%s: out of memory", path);
	}
	ok = png_image_finish_read(&image, &black, bytes, 0, NULL);
	fclose(file);
	for (uint64_t i = 0; ok && i < tensor->count; i++) {
		uint64_t pixels = tensor->count / l.channels;
		uint64_t at = l.planar ? i % pixels * l.channels + i / pixels : i;

		out[i] = (float)bytes[at] * byte_scale;
	}
	free(bytes);
	if (!ok)
		return fail("%s: damaged PNG file: %s", path, image.message);
	return EXIT_OK;
}
