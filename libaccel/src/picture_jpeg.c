// SPDX-License-Identifier: GPL-2.0 OR MIT
#include "picture.h"

#include <errno.h>
#include <setjmp.h>
#include <stdio.h>

#include <jpeglib.h>
#include <jerror.h>

/* Coded blocks of 64 values take a bit at least; at most 4 x 4 pixels share a value. Arithmetic coding has no such bound. */
#define HUFFMAN_MOST (8 * 64 * 16)
#define MOST_SCANS   1000          /* a progressive file has about ten: each costs a pass over the whole picture */

struct decoder {
	struct jpeg_decompress_struct jpeg;
	struct jpeg_error_mgr errors;
	struct jpeg_progress_mgr progress;
	jmp_buf failed;
	char message[JMSG_LENGTH_MAX];
	uint8_t *cmyk;             /* a row */
};

static void on_error(j_common_ptr jpeg)
{
	struct decoder *d = jpeg->client_data;

	jpeg->err->format_message(jpeg, d->message);
	longjmp(d->failed, 1);
}

/* libjpeg goes on with grey where data are missing or damaged: here that is an error, and what does no harm is not. */
static void on_message(j_common_ptr jpeg, int level)
{
	int code = jpeg->err->msg_code;

	if (level >= 0 || code == JWRN_EXTRANEOUS_DATA || code == JWRN_ADOBE_XFORM || code == JWRN_JFIF_MAJOR)
		return;
	on_error(jpeg);
}

static void on_progress(j_common_ptr jpeg)
{
	struct decoder *d = jpeg->client_data;

	if (d->jpeg.input_scan_number <= MOST_SCANS)
		return;
	snprintf(d->message, sizeof(d->message), "more than %d scans", MOST_SCANS);
	longjmp(d->failed, 1);
}

/* Adobe writes CMYK inverted, as everyone reads it. */
static void rgb_from_cmyk(const struct decoder *d, uint8_t *rgb)
{
	for (JDIMENSION x = 0; x < d->jpeg.output_width; x++) {
		const uint8_t *p = d->cmyk + 4 * x;
		unsigned int k = d->jpeg.saw_Adobe_marker ? p[3] : 255u - p[3];

		for (unsigned int c = 0; c < 3; c++)
			rgb[3 * x + c] = (uint8_t)(((d->jpeg.saw_Adobe_marker ? p[c] : 255u - p[c]) * k + 127) / 255);
	}
}

static int decode(struct decoder *d, const void *data, size_t size, const char *name, const struct picture_want *want, struct picture *pic,
		  struct accel_error *err)
{
	bool cmyk;
	int ret;

	jpeg_create_decompress(&d->jpeg);
	d->jpeg.client_data = d;
	d->jpeg.progress = &d->progress;
	jpeg_mem_src(&d->jpeg, data, size);
	jpeg_read_header(&d->jpeg, TRUE);
	if (!d->jpeg.arith_code && (uint64_t)d->jpeg.image_width * d->jpeg.image_height <= want->max_pixels &&
	    (uint64_t)d->jpeg.image_width * d->jpeg.image_height > (uint64_t)size * HUFFMAN_MOST)
		return accel_fail(err, -EBADMSG, NULL, "%s: truncated JPEG file: its header promises %u x %u pixels", name,
				  d->jpeg.image_width, d->jpeg.image_height);
	ret = picture_alloc(pic, name, d->jpeg.image_width, d->jpeg.image_height, want, err);
	if (ret)
		return ret;
	cmyk = d->jpeg.jpeg_color_space == JCS_CMYK || d->jpeg.jpeg_color_space == JCS_YCCK;
	d->jpeg.out_color_space = cmyk ? JCS_CMYK : JCS_RGB;
	/* the same bytes on every machine and in every release: no default is relied on */
	d->jpeg.dct_method = JDCT_ISLOW;
	d->jpeg.do_fancy_upsampling = TRUE;
	jpeg_start_decompress(&d->jpeg);
	if (cmyk)
		d->cmyk = d->jpeg.mem->alloc_large((j_common_ptr)&d->jpeg, JPOOL_IMAGE, (size_t)4 * pic->width);
	while (d->jpeg.output_scanline < d->jpeg.output_height) {
		uint8_t *row = pic->rgb + (size_t)3 * pic->width * d->jpeg.output_scanline;
		JSAMPROW to = cmyk ? d->cmyk : row;

		jpeg_read_scanlines(&d->jpeg, &to, 1);
		if (cmyk)
			rgb_from_cmyk(d, row);
	}
	jpeg_finish_decompress(&d->jpeg);
	return 0;
}

/* A frame of its own: nothing that longjmp could lose lives in it. */
static int guarded(struct decoder *d, const void *data, size_t size, const char *name, const struct picture_want *want, struct picture *pic,
		   struct accel_error *err)
{
	if (setjmp(d->failed))
		return accel_fail(err, -EBADMSG, NULL, "%s: damaged JPEG file: %s", name, d->message);
	return decode(d, data, size, name, want, pic, err);
}

int picture_jpeg(const void *data, size_t size, const char *name, const struct picture_want *want, struct picture *pic, struct accel_error *err)
{
	struct decoder d = { .progress = { .progress_monitor = on_progress } };
	int ret;

	d.jpeg.err = jpeg_std_error(&d.errors);
	d.errors.error_exit = on_error;
	d.errors.emit_message = on_message;
	d.jpeg.client_data = &d;
	ret = guarded(&d, data, size, name, want, pic, err);
	jpeg_destroy_decompress(&d.jpeg);
	return ret;
}
