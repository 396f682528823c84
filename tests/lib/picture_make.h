/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/* Pictures of known pixels as files in memory, written by libjpeg and libpng. */
#ifndef PICTURE_MAKE_H
#define PICTURE_MAKE_H

#include <png.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jpeglib.h>

struct bytes {
	uint8_t *p;
	size_t n;
};

static inline void png_append(png_structp png, png_bytep data, size_t n)
{
	struct bytes *to = png_get_io_ptr(png);

	to->p = realloc(to->p, to->n + n);
	memcpy(to->p + to->n, data, n);
	to->n += n;
}

static inline void png_no_flush(png_structp png)
{
	(void)png;
}

/* rows: [height] of samples as PNG has them (16 bits big-endian). */
static inline struct bytes make_png(uint32_t width, uint32_t height, int depth, int colour, int interlace, uint8_t *rows, size_t stride)
{
	png_structp png = png_create_write_struct(PNG_LIBPNG_VER_STRING, NULL, NULL, NULL);
	png_infop info = png_create_info_struct(png);
	static const png_color palette[4] = { { 255, 0, 0 }, { 0, 255, 0 }, { 0, 0, 255 }, { 9, 8, 7 } };
	struct bytes file = { 0 };
	png_bytep *row = calloc(height, sizeof(*row));

	for (uint32_t y = 0; y < height; y++)
		row[y] = rows + y * stride;
	png_set_write_fn(png, &file, png_append, png_no_flush);
	png_set_IHDR(png, info, width, height, depth, colour, interlace, PNG_COMPRESSION_TYPE_DEFAULT, PNG_FILTER_TYPE_DEFAULT);
	if (colour == PNG_COLOR_TYPE_PALETTE)
		png_set_PLTE(png, info, palette, 4);
	png_write_info(png, info);
	png_write_image(png, row);
	png_write_end(png, NULL);
	png_destroy_write_struct(&png, &info);
	free(row);
	return file;
}

/* space: JCS_GRAYSCALE, JCS_RGB (stored as YCbCr) or JCS_CMYK; adobe: with Adobe's marker, as Photoshop writes. */
static inline struct bytes make_jpeg(uint32_t width, uint32_t height, J_COLOR_SPACE space, bool progressive, bool adobe, const uint8_t *pixels)
{
	struct jpeg_compress_struct jpeg;
	struct jpeg_error_mgr errors;
	struct bytes file = { 0 };
	unsigned long size = 0;

	jpeg.err = jpeg_std_error(&errors);
	jpeg_create_compress(&jpeg);
	jpeg_mem_dest(&jpeg, &file.p, &size);
	jpeg.image_width = width;
	jpeg.image_height = height;
	jpeg.input_components = space == JCS_GRAYSCALE ? 1 : space == JCS_RGB ? 3 : 4;
	jpeg.in_color_space = space;
	jpeg_set_defaults(&jpeg);
	jpeg_set_quality(&jpeg, 100, TRUE);
	jpeg.write_Adobe_marker = adobe;
	if (progressive)
		jpeg_simple_progression(&jpeg);
	jpeg_start_compress(&jpeg, TRUE);
	while (jpeg.next_scanline < height) {
		JSAMPROW row = (JSAMPROW)(uintptr_t)(pixels + (size_t)jpeg.next_scanline * width * jpeg.input_components);

		jpeg_write_scanlines(&jpeg, &row, 1);
	}
	jpeg_finish_compress(&jpeg);
	jpeg_destroy_compress(&jpeg);
	file.n = size;
	return file;
}

#endif
