// SPDX-License-Identifier: GPL-2.0 OR MIT
/* VMAC, VDRAIN and VPOOL: docs/vector_mode.md word by word. */
#include <string.h>

#include "commands.h"
#include "model.h"
#include "ref.h"

#define PIXELS EIE_GRANULE_VALUES

struct image {
	uint32_t in, plane, origin;      /* granule, pixel groups, value */
	uint32_t width, height;          /* pixels */
};

/* The window positions of a group of eight outputs: column and row of the window's first pixel, padding included. */
struct windows {
	int32_t x[PIXELS], y[PIXELS];
	uint32_t n;                      /* windows of the group; the rest sees zeros */
};

/* Windows or pixels of group `group` when `tail` says how many the last one has. */
static uint32_t in_group(uint32_t group, uint32_t groups, uint32_t tail)
{
	return group == groups - 1 && tail ? tail : PIXELS;
}

/* VMAC and VPOOL have the fields of image and windows in the same bits. */
static struct image image_of(const struct eie_cmd *cmd)
{
	return (struct image){
		.in = CMD_GET(cmd, VMAC_IN), .plane = CMD_GET(cmd, VMAC_PLANE), .origin = CMD_GET(cmd, VMAC_ORIGIN),
		.width = CMD_GET(cmd, VMAC_IN_X), .height = CMD_GET(cmd, VMAC_IN_Y),
	};
}

static void locate(const struct eie_cmd *cmd, uint32_t group, struct windows *w)
{
	uint32_t first = CMD_GET(cmd, VMAC_FIRST_Y) * CMD_GET(cmd, VMAC_OUT_X) + CMD_GET(cmd, VMAC_FIRST_X) + group * PIXELS;

	w->n = in_group(group, CMD_GET(cmd, VMAC_GROUPS), CMD_GET(cmd, VMAC_TAIL));
	for (uint32_t l = 0; l < PIXELS; l++) {
		uint32_t oy = (first + l) / CMD_GET(cmd, VMAC_OUT_X), ox = (first + l) % CMD_GET(cmd, VMAC_OUT_X);

		w->x[l] = (int32_t)(ox * CMD_GET(cmd, VMAC_STRIDE_X)) - (int32_t)CMD_GET(cmd, VMAC_PAD_X);
		w->y[l] = (int32_t)(oy * CMD_GET(cmd, VMAC_STRIDE_Y)) - (int32_t)CMD_GET(cmd, VMAC_PAD_Y);
	}
}

/* Pixel (dx, dy) of the eight windows in one channel; zero outside the image. *inside: a bit for each that is in it. */
static uint32_t gather(struct ref_run *run, const struct image *image, const struct windows *w, uint32_t channel, int32_t dx, int32_t dy,
		       int16_t *values, uint32_t *inside)
{
	const struct ref_buffer *a = &run->ref->buf[EIE_BUF_ABUF];
	uint32_t k = run->ref->p.clusters;
	size_t plane = image->in + (size_t)(channel / k) * image->plane * k + channel % k;

	*inside = 0;
	for (uint32_t l = 0; l < PIXELS; l++) {
		int32_t x = w->x[l] + dx, y = w->y[l] + dy;
		uint32_t pixel;
		size_t granule;

		values[l] = 0;
		if (l >= w->n || x < 0 || y < 0 || x >= (int32_t)image->width || y >= (int32_t)image->height)
			continue;
		pixel = image->origin + (uint32_t)y * image->width + (uint32_t)x;
		granule = plane + (size_t)(pixel / PIXELS) * k;
		if (!ref_is_written(a, granule))
			return EIE_STATUS_UNWRITTEN;
		values[l] = ref_load16(ref_granule(a, granule) + 2 * (pixel % PIXELS));
		*inside |= 1u << l;
	}
	run->columns++;
	return EIE_STATUS_OK;
}

uint32_t ref_vmac(struct ref_run *run, const struct eie_cmd *cmd)
{
	struct eie_ref *ref = run->ref;
	const struct image image = image_of(cmd);
	const struct ref_tile tile = {
		CMD_GET(cmd, VMAC_WIDE), CMD_GET(cmd, VMAC_WEIGHTS), CMD_GET(cmd, VMAC_CODEBOOK), CMD_GET(cmd, VMAC_ROWS)
	};
	uint32_t kx = CMD_GET(cmd, VMAC_KERNEL_X), ky = CMD_GET(cmd, VMAC_KERNEL_Y);
	uint32_t columns = CMD_GET(cmd, VMAC_CHANNELS) * kx * ky, vector_rows = ref_vector_rows(&ref->p);
	int32_t *half = ref_half(ref, CMD_GET(cmd, VMAC_HALF), true);

	if (memchr(ref->buf[EIE_BUF_CBUF].written + tile.codebook, 0, ref_codebook_granules(tile.wide)))
		return EIE_STATUS_UNWRITTEN;
	for (uint32_t g = 0; g < CMD_GET(cmd, VMAC_GROUPS); g++) {
		int32_t *acc = half + (size_t)g * ref_vector_words(tile.rows) * EIE_GRANULE_VALUES * PIXELS;
		struct windows windows;

		locate(cmd, g, &windows);
		for (uint32_t j = 0; j < columns; j++) {
			int32_t dx = (int32_t)(j % kx * CMD_GET(cmd, VMAC_DILATE_X));
			int32_t dy = (int32_t)(j / kx % ky * CMD_GET(cmd, VMAC_DILATE_Y));
			int16_t x[PIXELS];
			uint32_t inside, status = gather(run, &image, &windows, j / (kx * ky), dx, dy, x, &inside);
			bool any = false;

			for (uint32_t l = 0; l < PIXELS; l++)
				any |= x[l];
			for (uint32_t c = 0; any && !status && c < ref->p.clusters; c++)
				status = ref_column(run, &tile, c, CMD_GET(cmd, VMAC_PTR), j, x, PIXELS,
						    acc + (size_t)c * vector_rows * PIXELS);
			if (status)
				return status;
			if (ref_out_of_time(run))
				return EIE_STATUS_TIMEOUT;
		}
	}
	return EIE_STATUS_OK;
}

uint32_t ref_vdrain(struct ref_run *run, const struct eie_cmd *cmd)
{
	struct eie_ref *ref = run->ref;
	struct ref_buffer *a = &ref->buf[EIE_BUF_ABUF];
	uint32_t k = ref->p.clusters, rows = CMD_GET(cmd, VDRAIN_ROWS), groups = CMD_GET(cmd, VDRAIN_GROUPS);
	uint32_t tail = CMD_GET(cmd, VDRAIN_TAIL), words = ref_vector_words(rows), vector_rows = ref_vector_rows(&ref->p);
	int16_t lo = (int16_t)CMD_GET(cmd, VDRAIN_LO), hi = (int16_t)CMD_GET(cmd, VDRAIN_HI);
	int32_t *half = ref_half(ref, CMD_GET(cmd, VDRAIN_HALF), true);

	for (uint32_t g = 0; g < groups; g++) {
		uint32_t pixels = in_group(g, groups, tail);

		for (uint32_t r = 0; r < rows; r++, run->steps++) {
			for (uint32_t c = 0; c < k; c++) {
				size_t out = CMD_GET(cmd, VDRAIN_OUT) + ((size_t)r * CMD_GET(cmd, VDRAIN_PLANE) + g) * k + c;
				const int32_t *acc = half + (((size_t)c * vector_rows) + (size_t)g * words * EIE_GRANULE_VALUES + r) * PIXELS;
				struct ref_param p;
				uint32_t status = ref_param(run, c, CMD_GET(cmd, VDRAIN_PARAM), r, &p);

				if (status)
					return status;
				for (uint32_t l = 0; l < PIXELS; l++) {
					int32_t sum = (int32_t)((uint32_t)acc[l] + (uint32_t)p.bias);

					ref_store16(ref_granule(a, out) + 2 * l,
						    l < pixels ? accel_requant(sum, p.m, p.s, lo, hi, &run->saturated) : 0);
				}
				a->written[out] = 1;
			}
		}
		for (uint32_t c = 0; c < k; c++)
			memset(half + ((size_t)c * vector_rows + (size_t)g * words * EIE_GRANULE_VALUES) * PIXELS, 0,
			       (size_t)words * EIE_GRANULE_VALUES * PIXELS * sizeof(*half));
	}
	return EIE_STATUS_OK;
}

/* Largest value or sum of eight windows of a channel; 0 where a window has no pixel of the image. */
static uint32_t pool(struct ref_run *run, const struct eie_cmd *cmd, const struct image *image, const struct windows *w, uint32_t channel,
		     int32_t *result)
{
	uint32_t kx = CMD_GET(cmd, VPOOL_KERNEL_X), taps = kx * CMD_GET(cmd, VPOOL_KERNEL_Y), seen = 0;
	bool sum = CMD_GET(cmd, VPOOL_SUM);

	memset(result, 0, PIXELS * sizeof(*result));
	for (uint32_t t = 0; t < taps; t++) {
		int16_t x[PIXELS];
		uint32_t inside, status = gather(run, image, w, channel, (int32_t)(t % kx * CMD_GET(cmd, VPOOL_DILATE_X)),
						 (int32_t)(t / kx * CMD_GET(cmd, VPOOL_DILATE_Y)), x, &inside);

		if (status)
			return status;
		if (ref_out_of_time(run))
			return EIE_STATUS_TIMEOUT;
		for (uint32_t l = 0; l < PIXELS; l++)
			if (sum)
				result[l] += x[l];   /* zero outside the image */
			else if (inside >> l & 1 && (!(seen >> l & 1) || x[l] > result[l]))
				result[l] = x[l];
		seen |= inside;
	}
	return EIE_STATUS_OK;
}

uint32_t ref_vpool(struct ref_run *run, const struct eie_cmd *cmd)
{
	struct ref_buffer *a = &run->ref->buf[EIE_BUF_ABUF];
	const struct image image = image_of(cmd);
	uint32_t k = run->ref->p.clusters;
	bool sum = CMD_GET(cmd, VPOOL_SUM);

	for (uint32_t g = 0; g < CMD_GET(cmd, VPOOL_GROUPS); g++) {
		struct windows windows;

		locate(cmd, g, &windows);
		for (uint32_t c = 0; c < CMD_GET(cmd, VPOOL_CHANNELS); c++) {
			size_t out = CMD_GET(cmd, VPOOL_OUT) + ((size_t)(c / k) * CMD_GET(cmd, VPOOL_OUT_PLANE) + g) * k + c % k;
			int32_t result[PIXELS];
			uint32_t status = pool(run, cmd, &image, &windows, c, result);

			if (status)
				return status;
			for (uint32_t l = 0; l < PIXELS; l++)
				ref_store16(ref_granule(a, out) + 2 * l, sum ? accel_shift(result[l], CMD_GET(cmd, VPOOL_SHIFT), &run->saturated) :
									       (int16_t)result[l]);
			a->written[out] = 1;
		}
	}
	return EIE_STATUS_OK;
}
