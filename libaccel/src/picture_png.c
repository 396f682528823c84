// SPDX-License-Identifier: GPL-2.0 OR MIT
#include "picture.h"

#include <errno.h>
#include <png.h>
#include <setjmp.h>
#include <stdlib.h>
#include <string.h>

/* deflate packs at most 1032 bytes into one: what a header promises beyond that is not in the file */
#define DEFLATE_MOST 1032
#define CHUNK_MOST   (8u << 20)   /* of ancillary chunks, unpacked; none of them is used */

struct source {
	const uint8_t *at;
	size_t left;
	char message[128];
};

struct decoder {
	png_structp png;
	png_infop info;
	struct source from;
	uint8_t *rgba;             /* [height, width, 4], when there is transparency */
	png_bytep *rows;
};

static void read_bytes(png_structp png, png_bytep to, size_t n)
{
	struct source *from = png_get_io_ptr(png);

	if (n > from->left)
		png_error(png, "truncated");
	memcpy(to, from->at, n);
	from->at += n;
	from->left -= n;
}

static void on_error(png_structp png, png_const_charp message)
{
	struct source *from = png_get_error_ptr(png);

	strncpy(from->message, message, sizeof(from->message) - 1);
	png_longjmp(png, 1);
}

static void on_warning(png_structp png, png_const_charp message)
{
	(void)png;
	(void)message;
}

/* 8-bit RGB or RGBA, whatever the file holds; returns the channels. */
static unsigned int ask_for_rgb(png_structp png, png_infop info)
{
	png_set_expand(png);
	png_set_scale_16(png);
	png_set_gray_to_rgb(png);
	png_set_interlace_handling(png);
	png_read_update_info(png, info);
	return png_get_channels(png, info);
}

static void lay_on_black(struct picture *pic, const uint8_t *rgba)
{
	for (size_t i = 0; i < (size_t)pic->width * pic->height; i++)
		for (unsigned int c = 0; c < 3; c++)
			pic->rgb[3 * i + c] = (uint8_t)((rgba[4 * i + c] * rgba[4 * i + 3] + 127) / 255);
}

static int decode(struct decoder *d, const char *name, const struct picture_want *want, struct picture *pic, struct accel_error *err)
{
	uint64_t width, height;
	unsigned int channels;
	size_t packed;
	uint8_t *to;
	int ret;

	png_set_read_fn(d->png, &d->from, read_bytes);
	png_set_user_limits(d->png, 0x7fffffff, 0x7fffffff);
	png_set_chunk_malloc_max(d->png, CHUNK_MOST);
	packed = d->from.left;
	png_read_info(d->png, d->info);
	width = png_get_image_width(d->png, d->info);
	height = png_get_image_height(d->png, d->info);
	if (width <= want->max_pixels / height && png_get_rowbytes(d->png, d->info) > packed * DEFLATE_MOST / height)
		return accel_fail(err, -EBADMSG, NULL, "%s: truncated PNG file: its header promises %llu x %llu pixels", name,
				  (unsigned long long)width, (unsigned long long)height);
	ret = picture_alloc(pic, name, width, height, want, err);
	if (ret)
		return ret;
	channels = ask_for_rgb(d->png, d->info);
	if (channels != 3 && channels != 4)
		return accel_fail(err, -EBADMSG, NULL, "%s: a PNG file of %u channels", name, channels);
	if (channels == 4)
		d->rgba = calloc(width * height, 4);
	d->rows = calloc(height, sizeof(*d->rows));
	if (!d->rows || (channels == 4 && !d->rgba))
		return accel_fail(err, -ENOMEM, NULL, "%s: no memory for %llu x %llu pixels", name, (unsigned long long)width,
				  (unsigned long long)height);
	to = channels == 4 ? d->rgba : pic->rgb;
	for (uint64_t y = 0; y < height; y++)
		d->rows[y] = to + y * width * channels;
	png_read_image(d->png, d->rows);
	png_read_end(d->png, NULL);
	if (channels == 4)
		lay_on_black(pic, d->rgba);
	return 0;
}

/* A frame of its own: nothing that longjmp could lose lives in it. */
static int guarded(struct decoder *d, const char *name, const struct picture_want *want, struct picture *pic, struct accel_error *err)
{
	if (setjmp(png_jmpbuf(d->png)))
		return accel_fail(err, -EBADMSG, NULL, "%s: damaged PNG file: %s", name, d->from.message);
	return decode(d, name, want, pic, err);
}

int picture_png(const void *data, size_t size, const char *name, const struct picture_want *want, struct picture *pic, struct accel_error *err)
{
	struct decoder d = { .from = { .at = data, .left = size } };
	int ret;

	d.png = png_create_read_struct(PNG_LIBPNG_VER_STRING, &d.from, on_error, on_warning);
	d.info = d.png ? png_create_info_struct(d.png) : NULL;
	ret = d.info ? guarded(&d, name, want, pic, err) : accel_fail(err, -ENOMEM, NULL, "%s: no memory", name);
	if (d.png)
		png_destroy_read_struct(&d.png, &d.info, NULL);
	free(d.rgba);
	free(d.rows);
	return ret;
}
