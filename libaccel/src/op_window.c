// SPDX-License-Identifier: GPL-2.0 OR MIT
#include "op_window.h"

#include <errno.h>
#include <string.h>

#define MAX_SIZE ((int64_t)1 << 24)

int window_attrs(const struct op_infer *c, const struct net_value *x, const int64_t *kernel, struct window *w, const char **auto_pad)
{
	unsigned int n = x->ndim - 2, lead;
	int64_t stride[WINDOW_DIMS] = { 1, 1, 1 }, dilation[WINDOW_DIMS] = { 1, 1, 1 }, pads[2 * WINDOW_DIMS] = { 0 };
	int ret;

	if (x->ndim < 3 || n > WINDOW_DIMS)
		return OP_FAIL(c, -ENOTSUP, "an input of shape %s; batch, channels and one to three spatial dimensions are supported",
			       net_shape_text(x->ndim, x->dims).s);
	ret = op_attr_ints(c, "strides", n, 1, MAX_SIZE, stride);
	ret = ret ? ret : op_attr_ints(c, "dilations", n, 1, MAX_SIZE, dilation);
	ret = ret ? ret : op_attr_ints(c, "pads", 2 * n, 0, MAX_SIZE, pads);
	ret = ret ? ret : op_attr_text(c, "auto_pad", "NOTSET", auto_pad);
	if (ret)
		return ret;
	if (strcmp(*auto_pad, "NOTSET") && strcmp(*auto_pad, "VALID") && strcmp(*auto_pad, "SAME_UPPER") &&
	    strcmp(*auto_pad, "SAME_LOWER"))
		return OP_FAIL(c, -EINVAL, "attribute 'auto_pad' is '%s'", *auto_pad);
	*w = (struct window){ .ndim = n };
	lead = WINDOW_DIMS - n;
	for (unsigned int i = 0; i < WINDOW_DIMS; i++) {
		bool there = i >= lead;
		unsigned int k = there ? i - lead : 0;

		w->in[i] = there ? x->dims[2 + k] : 1;
		w->kernel[i] = there ? (uint32_t)kernel[k] : 1;
		w->stride[i] = there ? (uint32_t)stride[k] : 1;
		w->dilation[i] = there ? (uint32_t)dilation[k] : 1;
		if (there && !strcmp(*auto_pad, "NOTSET")) {
			w->pad[i] = pads[k];
			w->pad_end[i] = pads[n + k];
		}
		if (there && (kernel[k] < 1 || kernel[k] > MAX_SIZE))
			return OP_FAIL(c, -EINVAL, "a kernel of size %lld", (long long)kernel[k]);
	}
	w->in_count = op_product(w->in, 0, WINDOW_DIMS);
	/* sizes are checked one by one: the product could pass 64 bits */
	w->kernel_count = net_count(WINDOW_DIMS, w->kernel);
	if (w->kernel_count == UINT64_MAX)
		return OP_FAIL(c, -EINVAL, "a kernel of %s", net_shape_text(WINDOW_DIMS, w->kernel).s);
	return 0;
}

int window_make(const struct op_infer *c, const struct net_value *x, const int64_t *kernel, bool ceil, struct window *w)
{
	const char *auto_pad;
	int64_t up = 0;
	int ret = window_attrs(c, x, kernel, w, &auto_pad);

	if (!ret && ceil)
		ret = op_attr_int(c, "ceil_mode", 0, 0, 1, &up);
	if (ret)
		return ret;
	for (unsigned int i = 0; i < WINDOW_DIMS; i++) {
		int64_t span = (int64_t)(w->kernel[i] - 1) * w->dilation[i] + 1, size = w->in[i], room, out;

		if (!strncmp(auto_pad, "SAME", 4)) {
			int64_t pad;

			out = (size + w->stride[i] - 1) / w->stride[i];
			pad = (out - 1) * w->stride[i] + span - size;
			pad = pad < 0 ? 0 : pad;
			w->pad[i] = !strcmp(auto_pad, "SAME_UPPER") ? pad / 2 : pad - pad / 2;
			w->pad_end[i] = pad - w->pad[i];
		} else {
			room = size + w->pad[i] + w->pad_end[i] - span;
			if (room < 0)
				return OP_FAIL(c, -EINVAL, "a window of %lld on %lld elements with padding", (long long)span,
					       (long long)(room + span));
			out = (up ? room + w->stride[i] - 1 : room) / w->stride[i] + 1;
			/* a window must begin inside the input or the padding before it */
			if (up && (out - 1) * w->stride[i] >= size + w->pad[i])
				out--;
		}
		if (out > MAX_SIZE)
			return OP_FAIL(c, -E2BIG, "an output of size %lld", (long long)out);
		w->out[i] = (uint32_t)out;
	}
	w->out_count = net_count(WINDOW_DIMS, w->out);
	if (w->out_count == UINT64_MAX)
		return OP_FAIL(c, -E2BIG, "an output of %s", net_shape_text(WINDOW_DIMS, w->out).s);
	return 0;
}

void window_range(uint32_t out, uint32_t stride, int64_t offset, uint32_t size, uint32_t *first, uint32_t *last)
{
	int64_t lo = offset < 0 ? -offset : 0, hi = (int64_t)size - offset > 0 ? (int64_t)size - offset : 0;

	/* divisions take longer than all else here */
	if (stride > 1) {
		lo = (lo + stride - 1) / stride;
		hi = (hi + stride - 1) / stride;
	}
	lo = lo > out ? out : lo;
	hi = hi > out ? out : hi;
	*first = (uint32_t)lo;
	*last = (uint32_t)(hi < lo ? lo : hi);
}
