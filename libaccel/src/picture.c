// SPDX-License-Identifier: GPL-2.0 OR MIT
#include "picture.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

void picture_free(struct picture *pic)
{
	free(pic->rgb);
	*pic = (struct picture){ 0 };
}

int picture_alloc(struct picture *pic, const char *name, uint64_t width, uint64_t height, const struct picture_want *want, struct accel_error *err)
{
	if (!width || !height || width > UINT32_MAX || height > UINT32_MAX)
		return accel_fail(err, -EBADMSG, NULL, "%s: a picture of %llu x %llu pixels", name, (unsigned long long)width,
				  (unsigned long long)height);
	if (want->width && (width != want->width || height != want->height))
		return accel_fail(err, -EINVAL, NULL,
				  "%s: the picture is %llu x %llu, the input takes %u x %u (width x height): resize it, or import the model with "
				  "--preprocess",
				  name, (unsigned long long)width, (unsigned long long)height, want->width, want->height);
	if (width > want->max_pixels / height)
		return accel_fail(err, -E2BIG, NULL, "%s: %llu x %llu pixels; at most %llu are read: make it smaller", name,
				  (unsigned long long)width, (unsigned long long)height, (unsigned long long)want->max_pixels);
	*pic = (struct picture){ .width = (uint32_t)width, .height = (uint32_t)height, .rgb = calloc(width * height, 3) };
	return pic->rgb ? 0 : accel_fail(err, -ENOMEM, NULL, "%s: no memory for %llu x %llu pixels", name, (unsigned long long)width,
					 (unsigned long long)height);
}

int picture_decode(const void *data, size_t size, const char *name, const struct picture_want *want, struct picture *pic, struct accel_error *err)
{
	static const uint8_t png[8] = { 0x89, 'P', 'N', 'G', '\r', '\n', 0x1a, '\n' }, jpeg[3] = { 0xff, 0xd8, 0xff };
	int ret;

	*pic = (struct picture){ 0 };
	if (!size)
		return accel_fail(err, -EBADMSG, NULL, "%s: the file is empty", name);
	if (size >= sizeof(png) && !memcmp(data, png, sizeof(png)))
		ret = picture_png(data, size, name, want, pic, err);
	else if (size >= sizeof(jpeg) && !memcmp(data, jpeg, sizeof(jpeg)))
		ret = picture_jpeg(data, size, name, want, pic, err);
	else
		return accel_fail(err, -EBADMSG, NULL, "%s: neither a PNG nor a JPEG file", name);
	if (ret)
		picture_free(pic);
	return ret;
}
