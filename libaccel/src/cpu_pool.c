// SPDX-License-Identifier: GPL-2.0 OR MIT
#include "cpu_pool.h"
#include "op_window.h"
#include "window.h"

#include <string.h>

/* The part of a window of `taps` pixels, `dilate` apart, that lies in [0, size); at: where it begins. */
static uint32_t inside(int64_t at, uint32_t taps, uint32_t dilate, uint32_t size, uint32_t *first)
{
	uint32_t end = taps;

	*first = at < 0 ? (uint32_t)((-at + dilate - 1) / dilate) : 0;
	while (end > *first && at + (int64_t)(end - 1) * dilate >= size)
		end--;
	return end;
}

/* A plane of pixels: int16s of one channel, or words of several. */
struct plane {
	const char *pixels;
	uint32_t pitch;
	unsigned int size;   /* bytes of a pixel */
	cpu_largest *largest, *largest_one;   /* of a line of windows, of one */
	uint8_t zero;        /* bytes of zeros */
	uint32_t first, end; /* outputs whose windows lie between the sides of the image */
};

static const void *pixel(const struct plane *p, int64_t y, int64_t x)
{
	return p->pixels + (y * p->pitch + x) * p->size;
}

static void find_inside(const struct accel_window *w, struct plane *in)
{
	uint32_t first, end;

	window_range(w->out_width, w->stride_x, -(int64_t)w->pad_left, w->width, &in->first, &in->end);
	window_range(w->out_width, w->stride_x, (int64_t)((w->kernel_x - 1) * w->dilate_x) - w->pad_left, w->width, &first, &end);
	in->end = end < in->end ? end : in->end;
	in->end = in->end < in->first ? in->first : in->end;
}

/* A line of outputs. top: line of the image where the windows begin. */
static void pool_line(const struct accel_window *w, const struct plane *in, int64_t top, char *y)
{
	uint32_t ky, ky_end = inside(top, w->kernel_y, w->dilate_y, w->height, &ky);
	const size_t line = (size_t)w->dilate_y * in->pitch;

	top += (int64_t)ky * w->dilate_y;
	for (uint32_t ox = 0; ox < w->out_width; ox++) {
		int64_t left = (int64_t)ox * w->stride_x - w->pad_left;
		uint32_t kx, kx_end;

		if (ox == in->first && in->end > ox && ky < ky_end) {
			in->largest(y + (size_t)ox * in->size, in->end - ox, pixel(in, top, left), w->stride_x, ky_end - ky, line, w->kernel_x, w->dilate_x);
			ox = in->end - 1;
			continue;
		}
		kx_end = inside(left, w->kernel_x, w->dilate_x, w->width, &kx);
		memset(y + (size_t)ox * in->size, in->zero, in->size);   /* a window that lies in the padding as a whole */
		if (kx < kx_end && ky < ky_end)
			in->largest_one(y + (size_t)ox * in->size, 1, pixel(in, top, left + (int64_t)kx * w->dilate_x), 1, ky_end - ky, line,
					kx_end - kx, w->dilate_x);
	}
}

void cpu_max_pool(const struct cpu_pool_job *job, uint32_t first, uint32_t end)
{
	const struct accel_window *w = &job->layer->window;
	const unsigned int kind = job->in->packed ? job->in->each / 2 : 0;
	struct plane in = {
		.pitch = w->width, .size = sizeof(int16_t), .largest = job->lines->largest[kind], .largest_one = cpu_lines_portable.largest[kind],
	};

	find_inside(w, &in);
	for (uint32_t c = first; c < end; c++) {
		char *y = (char *)(job->y + c * window_out_pixels(w));
		size_t line = w->out_width * sizeof(int16_t);

		in.pixels = (const char *)(job->x + c * window_in_pixels(w));
		if (job->in->packed) {
			in.pixels = (const char *)((const int32_t *)job->x + c * job->in->plane + job->in->first);
			in.pitch = job->in->pitch;
			in.size = sizeof(int32_t);
			in.zero = job->in->zero;
			y = (char *)((int32_t *)job->y + c * job->out->plane + job->out->first);
			line = job->out->pitch * sizeof(int32_t);
		}
		for (uint32_t oy = 0; oy < w->out_height; oy++, y += line)
			pool_line(w, &in, (int64_t)oy * w->stride_y - w->pad_top, y);
	}
}

/* The sum of ny lines of nx pixels; each: int16s from a pixel to the next. */
static uint32_t window_sum(const struct accel_window *w, const struct cpu_lines *lines, const int16_t *x, uint32_t pitch, uint32_t each, uint32_t ny, uint32_t nx)
{
	uint32_t sum = 0;

	if (nx == w->width && w->dilate_x == 1 && w->dilate_y == 1) {
		/* they follow each other, with zeros between them if they are packed */
		nx += (ny - 1) * pitch;
		ny = 1;
	}
	if (w->dilate_x == 1)
		return lines->sum(x, ny, (size_t)w->dilate_y * pitch * each, nx, each);
	for (; ny; ny--, x += (size_t)w->dilate_y * pitch * each)
		for (uint32_t kx = 0; kx < nx; kx++)
			sum += (uint32_t)x[(size_t)kx * w->dilate_x * each];
	return sum;
}

/* Where a channel begins, and int16s from a pixel and from a line to the next. */
static size_t channel(const struct cpu_image *image, uint32_t c, uint64_t pixels, uint32_t width, uint32_t *each, uint32_t *pitch)
{
	*each = image->packed ? 2 : 1;
	*pitch = image->packed ? image->pitch : width;
	return image->packed ? 2 * (c / 2 * image->plane + image->first) + c % 2 : c * pixels;
}

void cpu_average_pool(const struct cpu_pool_job *job, uint32_t first, uint32_t end, uint64_t *saturated)
{
	const struct accel_window *w = &job->layer->window;

	for (uint32_t c = first; c < end; c++) {
		uint32_t each, pitch, to_each, to_pitch;
		const int16_t *x = job->x + channel(job->in, c, window_in_pixels(w), w->width, &each, &pitch);
		int16_t *y = job->y + channel(job->out, c, window_out_pixels(w), w->out_width, &to_each, &to_pitch);

		for (uint32_t oy = 0; oy < w->out_height; oy++) {
			int64_t top = (int64_t)oy * w->stride_y - w->pad_top;
			uint32_t ky, ky_end = inside(top, w->kernel_y, w->dilate_y, w->height, &ky);

			for (uint32_t ox = 0; ox < w->out_width; ox++) {
				int64_t left = (int64_t)ox * w->stride_x - w->pad_left;
				uint32_t kx, kx_end = inside(left, w->kernel_x, w->dilate_x, w->width, &kx), sum = 0;

				if (ky < ky_end && kx < kx_end)
					sum = window_sum(w, job->lines,
							 x + ((top + (int64_t)ky * w->dilate_y) * pitch + left + (int64_t)kx * w->dilate_x) * each,
							 pitch, each, ky_end - ky, kx_end - kx);
				y[((size_t)oy * to_pitch + ox) * to_each] = accel_shift((int32_t)sum, job->layer->sum_shift, saturated);
			}
		}
	}
}
