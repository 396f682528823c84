// SPDX-License-Identifier: GPL-2.0 OR MIT
/* Pictures: what decoders take and refuse, resizing against the filter's definition, and the values that networks get. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <errno.h>
#include <math.h>
#include "picture.h"
#include "picture_make.h"
#include <zlib.h>

static const struct picture_want any = { .max_pixels = PICTURE_MAX_PIXELS };

static void expect(const struct picture *pic, uint32_t x, uint32_t y, int r, int g, int b, int tolerance)
{
	const uint8_t *p = pic->rgb + 3 * ((size_t)y * pic->width + x);
	const int want[3] = { r, g, b };

	for (int c = 0; c < 3; c++)
		if (abs(p[c] - want[c]) > tolerance)
			fail_msg("pixel (%u, %u) channel %d is %d, not %d", x, y, c, p[c], want[c]);
}

static void decode(struct bytes *file, struct picture *pic)
{
	struct accel_error err = { 0 };

	if (picture_decode(file->p, file->n, "file", &any, pic, &err))
		fail_msg("%s", err.text);
	free(file->p);
}

static void png_kinds(void **state)
{
	uint8_t grey[4] = { 0, 80, 160, 255 }, rgb[6] = { 1, 2, 3, 250, 251, 252 }, rgba[8] = { 200, 100, 50, 128, 9, 9, 9, 0 };
	uint8_t deep[6] = { 0x00, 0x00, 0x80, 0x00, 0xff, 0xff }, bits[1] = { 0xa0 }, index[1] = { 0x1b };
	struct picture pic;
	struct bytes file;

	(void)state;
	for (int interlace = 0; interlace < 2; interlace++) {
		file = make_png(2, 2, 8, PNG_COLOR_TYPE_GRAY, interlace, grey, 2);
		decode(&file, &pic);
		expect(&pic, 1, 0, 80, 80, 80, 0);
		expect(&pic, 0, 1, 160, 160, 160, 0);
		picture_free(&pic);
		file = make_png(2, 1, 8, PNG_COLOR_TYPE_RGB, interlace, rgb, 6);
		decode(&file, &pic);
		expect(&pic, 0, 0, 1, 2, 3, 0);
		expect(&pic, 1, 0, 250, 251, 252, 0);
		picture_free(&pic);
		file = make_png(2, 1, 8, PNG_COLOR_TYPE_RGB_ALPHA, interlace, rgba, 8);
		decode(&file, &pic);
		expect(&pic, 0, 0, 100, 50, 25, 0);
		expect(&pic, 1, 0, 0, 0, 0, 0);
		picture_free(&pic);
		/* 16 bits are rounded, not cut: 0x8000 / 257 is 127.5 */
		file = make_png(3, 1, 16, PNG_COLOR_TYPE_GRAY, interlace, deep, 6);
		decode(&file, &pic);
		expect(&pic, 0, 0, 0, 0, 0, 0);
		expect(&pic, 1, 0, 128, 128, 128, 0);
		expect(&pic, 2, 0, 255, 255, 255, 0);
		picture_free(&pic);
		file = make_png(4, 1, 1, PNG_COLOR_TYPE_GRAY, interlace, bits, 1);
		decode(&file, &pic);
		expect(&pic, 0, 0, 255, 255, 255, 0);
		expect(&pic, 1, 0, 0, 0, 0, 0);
		picture_free(&pic);
		file = make_png(4, 1, 2, PNG_COLOR_TYPE_PALETTE, interlace, index, 1);
		decode(&file, &pic);
		expect(&pic, 0, 0, 255, 0, 0, 0);
		expect(&pic, 3, 0, 9, 8, 7, 0);
		picture_free(&pic);
	}
}

static void jpeg_kinds(void **state)
{
	uint8_t rgb[16 * 16 * 3], cmyk[16 * 16 * 4], inverted[16 * 16 * 4], grey[16 * 16];
	struct picture pic;
	struct bytes file;

	(void)state;
	for (int i = 0; i < 256; i++) {
		memcpy(rgb + 3 * i, (uint8_t[]){ 200, 100, 50 }, 3);
		/* cyan 0, magenta 50 %, yellow 100 %, black 20 % */
		memcpy(cmyk + 4 * i, (uint8_t[]){ 0, 127, 255, 51 }, 4);
		memcpy(inverted + 4 * i, (uint8_t[]){ 255, 128, 0, 204 }, 4);
		grey[i] = 77;
	}
	for (int progressive = 0; progressive < 2; progressive++) {
		file = make_jpeg(16, 16, JCS_RGB, progressive, false, rgb);
		decode(&file, &pic);
		expect(&pic, 7, 9, 200, 100, 50, 2);
		picture_free(&pic);
		file = make_jpeg(16, 16, JCS_GRAYSCALE, progressive, false, grey);
		decode(&file, &pic);
		expect(&pic, 15, 0, 77, 77, 77, 1);
		picture_free(&pic);
		file = make_jpeg(16, 16, JCS_CMYK, progressive, false, cmyk);
		decode(&file, &pic);
		expect(&pic, 0, 15, 204, 102, 0, 2);
		picture_free(&pic);
		file = make_jpeg(16, 16, JCS_CMYK, progressive, true, inverted);
		decode(&file, &pic);
		expect(&pic, 0, 15, 204, 102, 0, 2);
		picture_free(&pic);
	}
}

/* A file cut anywhere is no picture; only what follows the last pixel may be missing from a JPEG. */
static void truncated(void **state)
{
	uint8_t rgb[32 * 24 * 3];
	struct bytes files[3];
	struct picture pic;

	(void)state;
	for (size_t i = 0; i < sizeof(rgb); i++)
		rgb[i] = (uint8_t)(i * 2654435761u >> 24);
	files[0] = make_png(32, 24, 8, PNG_COLOR_TYPE_RGB, 1, rgb, 96);
	files[1] = make_jpeg(32, 24, JCS_RGB, false, false, rgb);
	files[2] = make_jpeg(32, 24, JCS_RGB, true, false, rgb);
	for (int f = 0; f < 3; f++) {
		for (size_t n = 0; n < files[f].n - 2; n++) {
			struct accel_error err = { 0 };
			uint8_t *cut = malloc(n ? n : 1);
			int ret;

			memcpy(cut, files[f].p, n);
			ret = picture_decode(cut, n, "cut", &any, &pic, &err);
			free(cut);
			if (ret != -EBADMSG || strncmp(err.text, "cut: ", 5))
				fail_msg("file %d cut to %zu of %zu bytes: %d %s", f, n, files[f].n, ret, err.text);
		}
		free(files[f].p);
	}
}

static void set_be(uint8_t *p, uint32_t v, int bytes)
{
	for (int i = 0; i < bytes; i++)
		p[i] = (uint8_t)(v >> 8 * (bytes - 1 - i));
}

/* Headers that promise more than there is, or more than anyone wants. */
static void lying(void **state)
{
	uint8_t rgb[8 * 8 * 3] = { 0 };
	struct picture_want small = { .max_pixels = 63 }, other = { .max_pixels = 64, .width = 4, .height = 8 };
	struct accel_error err;
	struct picture pic;
	struct bytes file = make_jpeg(8, 8, JCS_RGB, false, false, rgb);
	uint8_t *frame = NULL;

	(void)state;
	assert_int_equal(picture_decode(file.p, file.n, "j", &small, &pic, &err), -E2BIG);
	assert_non_null(strstr(err.text, "8 x 8 pixels"));
	assert_int_equal(picture_decode(file.p, file.n, "j", &other, &pic, &err), -EINVAL);
	assert_non_null(strstr(err.text, "8 x 8, the input takes 4 x 8"));
	for (size_t i = 0; i + 9 < file.n && !frame; i++)
		if (file.p[i] == 0xff && file.p[i + 1] == 0xc0)
			frame = file.p + i + 5;
	assert_non_null(frame);
	set_be(frame, 65000, 2);
	set_be(frame + 2, 65000, 2);
	assert_int_equal(picture_decode(file.p, file.n, "j", &any, &pic, &err), -E2BIG);
	set_be(frame + 2, 1000, 2);
	assert_int_equal(picture_decode(file.p, file.n, "j", &any, &pic, &err), -EBADMSG);
	assert_non_null(strstr(err.text, "truncated JPEG file: its header promises 1000 x 65000"));
	free(file.p);
	file = make_png(8, 8, 8, PNG_COLOR_TYPE_RGB, 0, rgb, 24);
	set_be(file.p + 16, 8192, 4);
	set_be(file.p + 20, 8192, 4);
	/* the checksum of the header, so that the promise itself is what is wrong */
	set_be(file.p + 29, (uint32_t)crc32(0, file.p + 12, 17), 4);
	assert_int_equal(picture_decode(file.p, file.n, "p", &any, &pic, &err), -EBADMSG);
	assert_non_null(strstr(err.text, "truncated PNG file: its header promises 8192 x 8192"));
	free(file.p);
	assert_int_equal(picture_decode("GIF89a..", 8, "g", &any, &pic, &err), -EBADMSG);
	assert_non_null(strstr(err.text, "g: neither a PNG nor a JPEG file"));
}

/* The triangle filter by its definition, in doubles, one output at a time. */
static double filtered(const struct picture *from, uint32_t width, uint32_t height, uint32_t ox, uint32_t oy, int c)
{
	double sx = (double)from->width / width, sy = (double)from->height / height, sum = 0, all = 0;
	double rx = sx < 1 ? 1 : sx, ry = sy < 1 ? 1 : sy;

	for (uint32_t y = 0; y < from->height; y++) {
		for (uint32_t x = 0; x < from->width; x++) {
			double wx = 1 - fabs(x + 0.5 - (ox + 0.5) * sx) / rx, wy = 1 - fabs(y + 0.5 - (oy + 0.5) * sy) / ry;

			if (wx <= 0 || wy <= 0)
				continue;
			sum += wx * wy * from->rgb[3 * ((size_t)y * from->width + x) + c];
			all += wx * wy;
		}
	}
	return sum / all;
}

static void resizing(void **state)
{
	static const uint32_t sizes[][4] = { { 17, 13, 8, 5 }, { 5, 7, 20, 3 }, { 1, 1, 4, 4 }, { 31, 2, 3, 9 }, { 12, 12, 12, 12 }, { 64, 48, 1, 1 } };
	struct picture from, to;

	(void)state;
	for (size_t s = 0; s < sizeof(sizes) / sizeof(sizes[0]); s++) {
		const uint32_t *n = sizes[s];

		assert_int_equal(picture_alloc(&from, "p", n[0], n[1], &any, NULL), 0);
		for (size_t i = 0; i < (size_t)3 * n[0] * n[1]; i++)
			from.rgb[i] = (uint8_t)((i + s) * 2654435761u >> 24);
		assert_int_equal(picture_resize(&from, n[2], n[3], &to), 0);
		for (uint32_t y = 0; y < n[3]; y++)
			for (uint32_t x = 0; x < n[2]; x++)
				for (int c = 0; c < 3; c++) {
					double want = filtered(&from, n[2], n[3], x, y, c), is = to.rgb[3 * ((size_t)y * n[2] + x) + c];

					/* rounded twice */
					if (fabs(want - is) > 1.01)
						fail_msg("%zu: (%u, %u) is %g, not %g", s, x, y, is, want);
				}
		picture_free(&from);
		picture_free(&to);
	}
}

static void parse(const char *text, struct accel_preprocess *pre, const uint32_t dims[3])
{
	struct accel_error err = { 0 };

	if (accel_preprocess_parse(text, pre, &err) || preprocess_settle(pre, "m", 3, dims, &err))
		fail_msg("%s: %s", text, err.text);
}

static void descriptions(void **state)
{
	static const uint32_t chw[3] = { 3, 224, 224 }, hwc[3] = { 299, 299, 3 }, none[3] = { 7, 5, 9 }, small[3] = { 3, 32, 32 };
	static const char *const wrong[] = { "", "imagenets", "unit,", "unit,unit", "mean=1:2", "mean=1:2:3:4", "mean=x", "scale=nan", "resize=0",
					     "resize=-3", "resize=70000", "resize=12x", "order=grb", "layout=whc", "size=3", "=", "mean=", "mean=1,,scale=2" };
	struct accel_preprocess p;
	struct accel_error err;

	(void)state;
	parse("imagenet", &p, chw);
	assert_true(p.resize == ACCEL_RESIZE_SHORTER && p.size == 256 && p.layout == ACCEL_LAYOUT_CHW && !p.bgr);
	assert_true(p.mean[0] == 123.675f && fabsf(p.scale[0] - 1 / 58.395f) < 1e-9f);
	parse("caffe,resize=300,mean=1:2:3,scale=0.5", &p, hwc);
	assert_true(p.size == 300 && p.bgr && p.layout == ACCEL_LAYOUT_HWC && p.mean[2] == 3 && p.scale[1] == 0.5f);
	parse("caffe", &p, hwc);
	assert_int_equal(p.size, 299 * 8 / 7);
	parse("resize=stretch,order=bgr,layout=chw", &p, chw);
	assert_true(p.resize == ACCEL_RESIZE_STRETCH && p.bgr && p.scale[0] == 1 / 255.0f);
	parse("unit", &p, small);
	assert_int_equal(p.size, 32);
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		if (accel_preprocess_parse(wrong[i], &p, &err) != -EINVAL)
			fail_msg("'%s' was taken", wrong[i]);
		assert_non_null(strstr(err.text, "is not understood"));
	}
	assert_int_equal(accel_preprocess_parse("unit", &p, NULL), 0);
	assert_int_equal(preprocess_settle(&p, "m", 3, none, &err), -EINVAL);
	assert_int_equal(accel_preprocess_parse("unit,resize=100", &p, NULL), 0);
	assert_int_equal(preprocess_settle(&p, "m", 3, chw, &err), -EINVAL);
	assert_non_null(strstr(err.text, "100 pixels for the shorter side; the input takes 224 x 224"));
	assert_int_equal(accel_preprocess_parse("layout=hwc", &p, NULL), 0);
	assert_int_equal(preprocess_settle(&p, "m", 3, chw, &err), -EINVAL);
}

/* Where each byte of a picture goes, for every layout and order. */
static void values(void **state)
{
	static const uint32_t shapes[4][3] = { { 3, 2, 2 }, { 2, 2, 3 }, { 1, 2, 2 }, { 2, 2, 1 } };
	static const char *const orders[] = { "resize=none,mean=1:2:3,scale=1:2:4", "resize=none,mean=1:2:3,scale=1:2:4,order=bgr" };
	uint8_t rgb[2 * 2 * 3];
	struct picture pic = { .width = 2, .height = 2, .rgb = rgb };

	(void)state;
	for (size_t i = 0; i < sizeof(rgb); i++)
		rgb[i] = (uint8_t)(10 * i);
	for (int s = 0; s < 4; s++) {
		for (int bgr = 0; bgr < 2; bgr++) {
			struct picture_layout l;
			struct accel_preprocess p;
			float got[12];

			parse(orders[bgr], &p, shapes[s]);
			assert_true(picture_layout(3, shapes[s], p.layout, &l));
			assert_int_equal(picture_values(&pic, "p", &l, 4 * l.channels, &p, 0, got, NULL), 0);
			for (unsigned int at = 0; at < 4; at++) {
				const uint8_t *b = rgb + 3 * at;

				for (unsigned int c = 0; c < l.channels; c++) {
					double v = l.channels == 3 ? b[bgr ? 2 - c : c] : round(0.299 * b[0] + 0.587 * b[1] + 0.114 * b[2]);
					float is = got[shapes[s][0] == l.channels ? c * 4 + at : l.channels * at + c];

					assert_true(is == (float)(v - (c + 1)) * (float)(1 << c));
				}
			}
		}
	}
}

/* The shorter side first, then the middle. */
static void crop(void **state)
{
	static const uint32_t dims[3] = { 3, 2, 2 };
	struct picture pic;
	struct picture_layout l;
	struct accel_preprocess p;
	struct accel_error err;
	float got[12];

	(void)state;
	assert_int_equal(picture_alloc(&pic, "p", 8, 4, &any, NULL), 0);
	for (uint32_t i = 0; i < 8 * 4; i++)
		memset(pic.rgb + 3 * i, (int)(i % 8 * 10 + i / 8), 3);
	parse("resize=4,scale=1", &p, dims);
	assert_true(picture_layout(3, dims, p.layout, &l));
	assert_int_equal(picture_values(&pic, "p", &l, 12, &p, 0, got, NULL), 0);
	assert_true(got[0] == 31 && got[1] == 41 && got[2] == 32 && got[3] == 42 && got[4] == 31);
	picture_free(&pic);
	/* a line of pixels would become a plane of a hundred millions */
	assert_int_equal(picture_alloc(&pic, "p", 1 << 20, 1, &any, NULL), 0);
	parse("resize=256", &p, dims);
	assert_int_equal(picture_values(&pic, "line", &l, 12, &p, 0, got, &err), -E2BIG);
	assert_non_null(strstr(err.text, "line: 1048576 x 1 pixels would become"));
	picture_free(&pic);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(png_kinds), cmocka_unit_test(jpeg_kinds), cmocka_unit_test(truncated), cmocka_unit_test(lying),
		cmocka_unit_test(resizing),  cmocka_unit_test(descriptions), cmocka_unit_test(values),   cmocka_unit_test(crop),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
