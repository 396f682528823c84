// SPDX-License-Identifier: GPL-2.0 OR MIT
/* Two passes, rows first, with bytes between them and coefficients of 22 bits, as Pillow's Resample.c computes (HPND licence; nothing is copied). */
#include "picture.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>

#define BITS 22

/* Of each output position: the first input and n coefficients that add up to about 1 << BITS. */
struct taps {
	uint32_t most;
	uint32_t *first, *n;       /* [outputs] */
	int32_t *coefficient;      /* [outputs, most] */
};

static void taps_free(struct taps *t)
{
	free(t->first);
	free(t->n);
	free(t->coefficient);
}

static double triangle(double x)
{
	x = fabs(x);
	return x < 1 ? 1 - x : 0;
}

static int taps_new(struct taps *t, uint32_t in, uint32_t out)
{
	double scale = (double)in / out, support = scale < 1 ? 1 : scale, *weight;

	*t = (struct taps){ .most = (uint32_t)ceil(support) * 2 + 1 };
	t->first = calloc(out, sizeof(*t->first));
	t->n = calloc(out, sizeof(*t->n));
	t->coefficient = calloc((size_t)out * t->most, sizeof(*t->coefficient));
	weight = calloc(t->most, sizeof(*weight));
	if (!t->first || !t->n || !t->coefficient || !weight) {
		free(weight);
		taps_free(t);
		return -ENOMEM;
	}
	for (uint32_t i = 0; i < out; i++) {
		double centre = (i + 0.5) * scale, sum = 0, lo = centre - support + 0.5, hi = centre + support + 0.5;
		uint32_t end = hi < in ? (uint32_t)hi : in;

		t->first[i] = lo > 0 ? (uint32_t)lo : 0;
		t->n[i] = end - t->first[i];
		for (uint32_t k = 0; k < t->n[i]; k++) {
			weight[k] = triangle((k + t->first[i] - centre + 0.5) * (1 / support));
			sum += weight[k];
		}
		for (uint32_t k = 0; k < t->n[i]; k++)
			t->coefficient[(size_t)i * t->most + k] = (int32_t)floor(0.5 + weight[k] / sum * (1 << BITS));
	}
	free(weight);
	return 0;
}

static uint8_t to_byte(int64_t sum)
{
	sum >>= BITS;
	return sum < 0 ? 0 : sum > 255 ? 255 : (uint8_t)sum;
}

/* Output position i of lines of pixels: stride is from one input of the line to the next. */
static void sum_taps(const struct taps *t, uint32_t i, const uint8_t *line, size_t stride, uint8_t *to)
{
	const int32_t *k = t->coefficient + (size_t)i * t->most;
	const uint8_t *at = line + t->first[i] * stride;
	int64_t sum[3] = { 1 << (BITS - 1), 1 << (BITS - 1), 1 << (BITS - 1) };

	for (uint32_t n = 0; n < t->n[i]; n++, at += stride)
		for (unsigned int c = 0; c < 3; c++)
			sum[c] += (int64_t)k[n] * at[c];
	for (unsigned int c = 0; c < 3; c++)
		to[c] = to_byte(sum[c]);
}

int picture_resize(const struct picture *from, uint32_t width, uint32_t height, struct picture *to)
{
	struct taps across = { 0 }, down = { 0 };
	uint8_t *narrow = calloc((size_t)width * from->height, 3);
	int ret = narrow ? taps_new(&across, from->width, width) : -ENOMEM;

	*to = (struct picture){ .width = width, .height = height, .rgb = calloc((size_t)width * height, 3) };
	ret = ret ? ret : to->rgb ? taps_new(&down, from->height, height) : -ENOMEM;
	for (uint32_t y = 0; !ret && y < from->height; y++)
		for (uint32_t x = 0; x < width; x++)
			sum_taps(&across, x, from->rgb + (size_t)3 * y * from->width, 3, narrow + 3 * ((size_t)y * width + x));
	for (uint32_t y = 0; !ret && y < height; y++)
		for (uint32_t x = 0; x < width; x++)
			sum_taps(&down, y, narrow + (size_t)3 * x, (size_t)3 * width, to->rgb + 3 * ((size_t)y * width + x));
	free(narrow);
	taps_free(&across);
	taps_free(&down);
	if (ret)
		picture_free(to);
	return ret;
}
