/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/* Pictures from files, and as inputs of networks. Files come from anywhere; libjpeg and libpng parse them. */
#ifndef ACCEL_PICTURE_H
#define ACCEL_PICTURE_H

#include "model.h"

#define PICTURE_MAX_PIXELS ((uint64_t)1 << 26)   /* a photograph of 67 megapixels, 200 MB */

struct picture {
	uint32_t width, height;
	uint8_t *rgb;               /* [height, width, 3], owned; grey pictures have three equal channels */
};

/* What a file may hold: seen in its header, before memory is taken. */
struct picture_want {
	uint64_t max_pixels;
	uint32_t width, height;     /* exactly these, or 0 for any */
};

/*
 * Decodes a JPEG or PNG file in memory, told apart by its first bytes; name is for error texts. Transparent pixels are laid on black, 16-bit
 * channels rounded to 8 bits, CMYK turned to RGB without a colour profile; EXIF orientation is not looked at. -EBADMSG: no picture, damaged or
 * truncated; -E2BIG: more than max_pixels; -EINVAL: another size than wanted; -ENOMEM. *pic is the caller's on success: picture_free().
 */
int picture_decode(const void *data, size_t size, const char *name, const struct picture_want *want, struct picture *pic, struct accel_error *err);
void picture_free(struct picture *pic);

/* For the decoders: memory of a picture whose size a header has promised. Fails as picture_decode() does. */
int picture_alloc(struct picture *pic, const char *name, uint64_t width, uint64_t height, const struct picture_want *want, struct accel_error *err);
int picture_jpeg(const void *data, size_t size, const char *name, const struct picture_want *want, struct picture *pic, struct accel_error *err);
int picture_png(const void *data, size_t size, const char *name, const struct picture_want *want, struct picture *pic, struct accel_error *err);

/*
 * resample.c: to width x height, both at least 1, by a triangle filter that widens when it shrinks (antialiased bilinear), in fixed point: the
 * bytes of Pillow's Image.resize(BILINEAR). -ENOMEM.
 */
int picture_resize(const struct picture *from, uint32_t width, uint32_t height, struct picture *to);

/* preprocess.c: where the values of a picture lie in an input, from its shape and the model's word. */
struct picture_layout {
	uint32_t width, height;     /* 0: any of height * width == count */
	unsigned int channels;      /* 1 or 3 */
	bool planar;                /* [channels, height, width] */
};

/* false: a tensor of this shape is no picture. */
bool picture_layout(unsigned int ndim, const uint32_t *dims, enum accel_layout wish, struct picture_layout *layout);
/* Values of pic as an input [count]; pre: NULL for bytes times byte_scale at exactly the input's size. */
int picture_values(const struct picture *pic, const char *name, const struct picture_layout *layout, uint64_t count,
		   const struct accel_preprocess *pre, float byte_scale, float *values, struct accel_error *err);
/* Fills what depends on the input's shape; -EINVAL when it does not fit it. what: the file, for error texts. */
int preprocess_settle(struct accel_preprocess *pre, const char *what, unsigned int ndim, const uint32_t *dims, struct accel_error *err);
/* 0, or -EBADMSG: what a settled description of an input of these dimensions must be. */
int preprocess_check(const struct accel_preprocess *pre, const char *what, unsigned int ndim, const uint32_t *dims, struct accel_error *err);

#endif
