// SPDX-License-Identifier: GPL-2.0 OR MIT
/* From the pixels of a picture to the values of an input, as the model describes it. */
#include "picture.h"
#include "file.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---------------------------------------------------------------- description */

struct preset {
	const char *name;
	struct accel_preprocess pre;
};

/* A scale of s and a mean of m: (byte / 255 - m / 255) / (1 / (255 * s)). */
static const struct preset presets[] = {
	{ "unit", { ACCEL_RESIZE_SHORTER, 0, ACCEL_LAYOUT_AUTO, false, { 0, 0, 0 }, { 1 / 255.0f, 1 / 255.0f, 1 / 255.0f } } },
	{ "symmetric",
	  { ACCEL_RESIZE_SHORTER, 0, ACCEL_LAYOUT_AUTO, false, { 127.5f, 127.5f, 127.5f }, { 1 / 127.5f, 1 / 127.5f, 1 / 127.5f } } },
	/* what torchvision's networks were trained with: mean and deviation of ImageNet's channels */
	{ "imagenet",
	  { ACCEL_RESIZE_SHORTER, 0, ACCEL_LAYOUT_AUTO, false, { 123.675f, 116.28f, 103.53f },
	    { (float)(1 / 58.395), (float)(1 / 57.12), (float)(1 / 57.375) } } },
	/* what Caffe's were trained with */
	{ "caffe", { ACCEL_RESIZE_SHORTER, 0, ACCEL_LAYOUT_AUTO, true, { 104, 117, 123 }, { 1, 1, 1 } } },
};

#define NPRESETS (sizeof(presets) / sizeof(presets[0]))

/* "1", or "1:2:3"; the end must be a comma or the end of the text. */
static int parse_numbers(const char *text, float to[3])
{
	unsigned int n = 0;

	for (;;) {
		char *end;
		float v = strtof(text, &end);

		if (end == text || !isfinite(v) || n == 3)
			return -EINVAL;
		to[n++] = v;
		if (*end != ':') {
			if ((*end && *end != ',') || n == 2)
				return -EINVAL;
			break;
		}
		text = end + 1;
	}
	for (; n < 3; n++)
		to[n] = to[0];
	return 0;
}

static int parse_size(const char *text, uint32_t *size)
{
	char *end;
	unsigned long v;

	if (*text < '0' || *text > '9')
		return -EINVAL;
	errno = 0;
	v = strtoul(text, &end, 10);
	if (errno || (*end && *end != ',') || !v || v > 1 << 16)
		return -EINVAL;
	*size = (uint32_t)v;
	return 0;
}

static bool word_is(const char *text, size_t len, const char *word)
{
	return strlen(word) == len && !strncmp(text, word, len);
}

/* One part between commas. */
static int parse_part(const char *text, size_t len, bool first, struct accel_preprocess *pre)
{
	const char *value = memchr(text, '=', len);
	size_t key = value ? (size_t)(value - text) : len, rest = value ? len - key - 1 : 0;

	for (size_t i = 0; first && !value && i < NPRESETS; i++) {
		if (word_is(text, len, presets[i].name)) {
			*pre = presets[i].pre;
			return 0;
		}
	}
	if (!value)
		return -EINVAL;
	value++;
	if (word_is(text, key, "mean"))
		return parse_numbers(value, pre->mean);
	if (word_is(text, key, "scale"))
		return parse_numbers(value, pre->scale);
	if (word_is(text, key, "order") && (word_is(value, rest, "rgb") || word_is(value, rest, "bgr"))) {
		pre->bgr = *value == 'b';
		return 0;
	}
	if (word_is(text, key, "layout") && (word_is(value, rest, "chw") || word_is(value, rest, "hwc"))) {
		pre->layout = *value == 'c' ? ACCEL_LAYOUT_CHW : ACCEL_LAYOUT_HWC;
		return 0;
	}
	if (word_is(text, key, "resize") && word_is(value, rest, "none"))
		pre->resize = ACCEL_RESIZE_NONE;
	else if (word_is(text, key, "resize") && word_is(value, rest, "stretch"))
		pre->resize = ACCEL_RESIZE_STRETCH;
	else if (word_is(text, key, "resize")) {
		pre->resize = ACCEL_RESIZE_SHORTER;
		return parse_size(value, &pre->size);
	} else
		return -EINVAL;
	pre->size = 0;
	return 0;
}

int accel_preprocess_parse(const char *text, struct accel_preprocess *pre, struct accel_error *err)
{
	struct accel_preprocess p = presets[0].pre;
	const char *at = text;

	for (bool first = true;; first = false) {
		size_t len = strcspn(at, ",");

		if (parse_part(at, len, first, &p))
			return accel_fail(err, -EINVAL, NULL,
					  "preprocessing '%s': '%.*s' is not understood; it is a preset (unit, symmetric, imagenet, caffe) or "
					  "resize=none|stretch|SIZE, order=rgb|bgr, layout=chw|hwc, mean=M[:M:M], scale=S[:S:S], joined by commas",
					  text, (int)len, at);
		if (!at[len])
			break;
		at += len + 1;
	}
	*pre = p;
	return 0;
}

bool picture_layout(unsigned int ndim, const uint32_t *d, enum accel_layout wish, struct picture_layout *l)
{
	*l = (struct picture_layout){ .channels = 1 };
	if (ndim == 4 && d[0] == 1)
		return picture_layout(3, d + 1, wish, l);
	if (ndim == 1)
		return true;
	if (ndim == 2) {
		l->height = d[0];
		l->width = d[1];
		return true;
	}
	if (ndim != 3)
		return false;
	if (wish != ACCEL_LAYOUT_HWC && (d[0] == 1 || d[0] == 3)) {
		*l = (struct picture_layout){ .channels = d[0], .height = d[1], .width = d[2], .planar = true };
		return true;
	}
	if (wish != ACCEL_LAYOUT_CHW && (d[2] == 1 || d[2] == 3)) {
		*l = (struct picture_layout){ .channels = d[2], .height = d[0], .width = d[1] };
		return true;
	}
	return false;
}

static int check(const struct accel_preprocess *pre, const char *what, unsigned int ndim, const uint32_t *dims, int code,
		 struct accel_error *err)
{
	struct picture_layout l;

	if (!picture_layout(ndim, dims, pre->layout, &l) || !l.width || !l.height)
		return accel_fail(err, code, NULL, "%s: preprocessing of pictures, but the first input is not [3, H, W], [H, W, 3], [1, H, W] or [H, W]",
				  what);
	if (pre->resize == ACCEL_RESIZE_SHORTER && (pre->size < l.width || pre->size < l.height || pre->size > 1 << 16))
		return accel_fail(err, code, NULL, "%s: preprocessing: %u pixels for the shorter side; the input takes %u x %u, at most 65536 are possible",
				  what, pre->size, l.width, l.height);
	for (unsigned int c = 0; c < 3; c++)
		if (!isfinite(pre->mean[c]) || !isfinite(pre->scale[c]) || pre->scale[c] == 0)
			return accel_fail(err, code, NULL, "%s: preprocessing: mean %g, scale %g", what, (double)pre->mean[c], (double)pre->scale[c]);
	return 0;
}

int preprocess_check(const struct accel_preprocess *pre, const char *what, unsigned int ndim, const uint32_t *dims, struct accel_error *err)
{
	return check(pre, what, ndim, dims, -EBADMSG, err);
}

int preprocess_settle(struct accel_preprocess *pre, const char *what, unsigned int ndim, const uint32_t *dims, struct accel_error *err)
{
	struct picture_layout l;

	if (picture_layout(ndim, dims, pre->layout, &l)) {
		uint32_t most = l.width > l.height ? l.width : l.height;

		if (l.planar || ndim < 3)
			pre->layout = ACCEL_LAYOUT_CHW;
		else
			pre->layout = ACCEL_LAYOUT_HWC;
		/* 256 for 224, as everyone does; in proportion beyond */
		if (pre->resize == ACCEL_RESIZE_SHORTER && !pre->size)
			pre->size = most < 192 ? most : most <= 256 ? 256 : most <= 57344 ? most * 8 / 7 : most;
	}
	return check(pre, what, ndim, dims, -EINVAL, err);
}

/* ---------------------------------------------------------------- values */

/* ITU-R BT.601, as Pillow and libjpeg weigh channels. */
static float grey(const uint8_t *rgb)
{
	return (float)((rgb[0] * 19595u + rgb[1] * 38470u + rgb[2] * 7471u + 0x8000) >> 16);
}

/* The window of the layout's size in the middle of pic. */
static void copy_window(const struct picture *pic, const struct picture_layout *l, const struct accel_preprocess *pre, float *values)
{
	uint32_t left = (pic->width - l->width) / 2, top = (pic->height - l->height) / 2;
	uint64_t pixels = (uint64_t)l->width * l->height;

	for (uint32_t y = 0; y < l->height; y++) {
		for (uint32_t x = 0; x < l->width; x++) {
			const uint8_t *p = pic->rgb + 3 * ((size_t)(top + y) * pic->width + left + x);
			uint64_t at = (uint64_t)y * l->width + x;

			for (unsigned int c = 0; c < l->channels; c++) {
				float v = l->channels == 1 ? grey(p) : p[pre->bgr ? 2 - c : c];

				values[l->planar ? c * pixels + at : l->channels * at + c] = (v - pre->mean[c]) * pre->scale[c];
			}
		}
	}
}

/* Of the whole picture before the window is cut out. */
static int target_size(const struct picture *pic, const char *name, const struct picture_layout *l, const struct accel_preprocess *pre,
		       uint64_t *width, uint64_t *height, struct accel_error *err)
{
	bool wide = pic->width > pic->height;

	*width = pic->width;
	*height = pic->height;
	switch (pre->resize) {
	case ACCEL_RESIZE_NONE:
		return 0;   /* the decoder has compared the sizes */
	case ACCEL_RESIZE_STRETCH:
		*width = l->width;
		*height = l->height;
		break;
	case ACCEL_RESIZE_SHORTER:
		*width = wide ? (uint64_t)pre->size * pic->width / pic->height : pre->size;
		*height = wide ? pre->size : (uint64_t)pre->size * pic->height / pic->width;
		break;
	}
	/* of both passes */
	if (*width * pic->height > PICTURE_MAX_PIXELS || *width > PICTURE_MAX_PIXELS / *height)
		return accel_fail(err, -E2BIG, NULL, "%s: %u x %u pixels would become %llu x %llu, which is too much: cut it", name, pic->width,
				  pic->height, (unsigned long long)*width, (unsigned long long)*height);
	return 0;
}

int picture_values(const struct picture *pic, const char *name, const struct picture_layout *layout, uint64_t count,
		   const struct accel_preprocess *pre, float byte_scale, float *values, struct accel_error *err)
{
	const struct accel_preprocess plain = { .resize = ACCEL_RESIZE_NONE, .scale = { byte_scale, byte_scale, byte_scale } };
	struct picture_layout l = *layout;
	struct picture resized;
	uint64_t width, height;
	int ret;

	pre = pre ? pre : &plain;
	if (!l.width) {
		if ((uint64_t)pic->width * pic->height != count)
			return accel_fail(err, -EINVAL, NULL, "%s: the picture is %u x %u, the input takes %llu pixels", name, pic->width,
					  pic->height, (unsigned long long)count);
		l.width = pic->width;
		l.height = pic->height;
	}
	ret = target_size(pic, name, &l, pre, &width, &height, err);
	if (ret)
		return ret;
	if (width == pic->width && height == pic->height) {
		copy_window(pic, &l, pre, values);
		return 0;
	}
	ret = picture_resize(pic, (uint32_t)width, (uint32_t)height, &resized);
	if (ret)
		return accel_fail(err, ret, NULL, "%s: no memory for resizing", name);
	copy_window(&resized, &l, pre, values);
	picture_free(&resized);
	return 0;
}

int accel_model_picture(const struct accel_model *model, unsigned int input, const char *path, float *values, struct accel_error *err)
{
	const struct accel_preprocess *pre = input ? NULL : accel_model_preprocess(model);
	struct picture_layout layout;
	const struct accel_tensor *t;
	struct picture pic;
	struct picture_want want = { .max_pixels = PICTURE_MAX_PIXELS };
	void *data;
	size_t size;
	int ret;

	if (input >= model->ninputs)
		return accel_fail(err, -EINVAL, NULL, "%s: the model has %u inputs, no input %u", path, model->ninputs, input);
	t = &model->tensors[model->inputs[input]];
	if (!picture_layout(t->ndim, t->dims, pre ? pre->layout : ACCEL_LAYOUT_AUTO, &layout))
		return accel_fail(err, -EINVAL, t->name, "%s: input %s is of a shape that is no picture: give an .npy file", path, t->name);
	ret = accel_file_read(path, &data, &size, err);
	if (ret)
		return ret;
	/* without resizing the model bounds what a small file may unpack to */
	if (!pre || pre->resize == ACCEL_RESIZE_NONE) {
		want.max_pixels = t->count;
		want.width = layout.width;
		want.height = layout.height;
	}
	ret = picture_decode(data, size, path, &want, &pic, err);
	free(data);
	if (ret)
		return ret;
	ret = picture_values(&pic, path, &layout, t->count, pre, model->picture_scale, values, err);
	picture_free(&pic);
	return ret;
}
