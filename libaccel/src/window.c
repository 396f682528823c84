// SPDX-License-Identifier: GPL-2.0 OR MIT
#include "window.h"

#include <errno.h>

static int check_field(const char *file, const char *layer, const char *field, uint32_t value, uint32_t lo, uint32_t hi, int code,
		       struct accel_error *err)
{
	return value >= lo && value <= hi ? 0 :
	       accel_fail(err, code, layer, "%s: layer '%s': %s of the window is %u; %u to %u are allowed", file, layer, field, value, lo, hi);
}

/* Windows may lie in the padding as a whole, but not further behind the image than padding before it may be wide. */
static int check_axis(const char *file, const char *layer, const char *axis, uint32_t size, uint32_t stride, uint32_t pad, uint32_t out,
		      int code, struct accel_error *err)
{
	if ((uint64_t)(out - 1) * stride >= (uint64_t)size + pad + WINDOW_PAD_MAX)
		return accel_fail(err, code, layer, "%s: layer '%s': window %u of %u begins more than %u pixels behind the image (%s)", file,
				  layer, out - 1, out, WINDOW_PAD_MAX, axis);
	return 0;
}

int accel_window_check(const char *file, const char *layer, const struct accel_window *w, int code, struct accel_error *err)
{
	const struct {
		const char *name;
		uint32_t value, lo, hi;
	} fields[] = {
		{ "channels", w->channels, 1, WINDOW_CHANNELS_MAX }, { "height", w->height, 1, WINDOW_SIDE_MAX },
		{ "width", w->width, 1, WINDOW_SIDE_MAX }, { "kernel_y", w->kernel_y, 1, WINDOW_KERNEL_MAX },
		{ "kernel_x", w->kernel_x, 1, WINDOW_KERNEL_MAX }, { "stride_y", w->stride_y, 1, WINDOW_KERNEL_MAX },
		{ "stride_x", w->stride_x, 1, WINDOW_KERNEL_MAX }, { "dilate_y", w->dilate_y, 1, WINDOW_KERNEL_MAX },
		{ "dilate_x", w->dilate_x, 1, WINDOW_KERNEL_MAX }, { "pad_top", w->pad_top, 0, WINDOW_PAD_MAX },
		{ "pad_left", w->pad_left, 0, WINDOW_PAD_MAX }, { "out_height", w->out_height, 1, WINDOW_SIDE_MAX },
		{ "out_width", w->out_width, 1, WINDOW_SIDE_MAX }, { "groups", w->groups, 1, WINDOW_CHANNELS_MAX },
	};
	int ret = 0;

	for (size_t i = 0; !ret && i < sizeof(fields) / sizeof(fields[0]); i++)
		ret = check_field(file, layer, fields[i].name, fields[i].value, fields[i].lo, fields[i].hi, code, err);
	ret = ret ? ret : check_axis(file, layer, "rows", w->height, w->stride_y, w->pad_top, w->out_height, code, err);
	return ret ? ret : check_axis(file, layer, "columns", w->width, w->stride_x, w->pad_left, w->out_width, code, err);
}

int accel_window_csr_check(const char *file, const char *layer, const struct accel_window *w, const struct accel_csr *csr, int code,
			   struct accel_error *err)
{
	uint32_t own = w->channels / w->groups * window_taps(w);   /* columns of a group */

	if (window_columns(w) != csr->cols)
		return accel_fail(err, code, layer, "%s: layer '%s' has %u columns; its window has %u places", file, layer, csr->cols,
				  window_columns(w));
	if (w->channels % w->groups || csr->rows % w->groups)
		return accel_fail(err, code, layer, "%s: layer '%s': %u channels and %u rows are not to be divided into the %u groups of the window",
				  file, layer, w->channels, csr->rows, w->groups);
	for (uint32_t r = 0; w->groups > 1 && r < csr->rows; r++)
		for (uint32_t i = csr->rowptr[r]; i < csr->rowptr[r + 1]; i++)
			if (csr->col[i] / own != r / (csr->rows / w->groups))
				return accel_fail(err, code, layer, "%s: layer '%s': row %u has a weight in column %u, of another group of the window",
						  file, layer, r, csr->col[i]);
	return 0;
}
