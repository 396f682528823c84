// SPDX-License-Identifier: GPL-2.0 OR MIT
/* Operators that put elements elsewhere by a fixed rule: one strided copy does them all. */
#include "op.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define MOVE_DIMS (2 * NET_MAX_DIMS)

/* out[i0][i1]... = in[base + i0 * stride0 + i1 * stride1 ...]; neighbours that can be walked as one dimension are merged. */
struct move {
	unsigned int ndim;
	uint32_t dims[MOVE_DIMS];
	int64_t stride[MOVE_DIMS];
	int64_t base;
	uint64_t rows, inner;
};

static void add_dim(struct move *m, uint32_t dim, int64_t stride)
{
	if (dim == 1)
		return;
	if (m->ndim && m->stride[m->ndim - 1] == stride * (int64_t)dim) {
		m->dims[m->ndim - 1] *= dim;
		m->stride[m->ndim - 1] = stride;
		return;
	}
	m->dims[m->ndim] = dim;
	m->stride[m->ndim++] = stride;
}

static void finish(struct move *m)
{
	if (!m->ndim)
		m->dims[m->ndim++] = 1;
	m->inner = m->dims[m->ndim - 1];
	m->rows = op_product(m->dims, 0, m->ndim - 1);
}

static void input_strides(const struct net_value *x, int64_t *stride)
{
	int64_t s = 1;

	for (unsigned int i = x->ndim; i-- > 0; s *= x->dims[i])
		stride[i] = s;
}

#define COPY_STRIDED(ctype) \
	do { \
		const ctype *from = (const ctype *)r->in[0].p + at; \
		ctype *to = (ctype *)r->out[0].p + row * m->inner; \
		for (uint64_t i = 0; i < m->inner; i++) \
			to[i] = from[(int64_t)i * step]; \
	} while (0)

static void move_rows(void *arg, uint64_t first, uint64_t last)
{
	const struct op_run *r = arg;
	const struct move *m = r->node->plan;
	size_t size = net_type_size(r->out[0].type);
	int64_t step = m->stride[m->ndim - 1];

	for (uint64_t row = first; row < last; row++) {
		uint64_t rest = row;
		int64_t at = m->base;

		for (unsigned int i = m->ndim - 1; i-- > 0;) {
			at += (int64_t)(rest % m->dims[i]) * m->stride[i];
			rest /= m->dims[i];
		}
		if (step == 1 || m->inner == 1)
			memcpy(r->out[0].u8 + row * m->inner * size, r->in[0].u8 + at * (int64_t)size, m->inner * size);
		else if (size == 4)
			COPY_STRIDED(uint32_t);
		else if (size == 8)
			COPY_STRIDED(uint64_t);
		else
			COPY_STRIDED(uint8_t);
	}
}

static void move_run(const struct op_run *r)
{
	const struct move *m = r->node->plan;

	if (r->out[0].count)
		op_parallel(r->pool, m->rows, (1 << 14) / m->inner + 1, move_rows, (void *)r);
}

/* ---------------------------------------------------------------- Transpose */

int op_transpose_infer(const struct op_infer *c)
{
	const struct net_value *x = op_in(c, 0);
	struct move *m = op_plan(c, sizeof(*m));
	int64_t perm[NET_MAX_DIMS], stride[NET_MAX_DIMS];
	bool used[NET_MAX_DIMS] = { false };
	uint32_t dims[NET_MAX_DIMS];
	int ret;

	if (!m)
		return -ENOMEM;
	for (unsigned int i = 0; i < x->ndim; i++)
		perm[i] = x->ndim - 1 - i;
	ret = op_attr_ints(c, "perm", x->ndim, 0, (int64_t)x->ndim - 1, perm);
	if (ret)
		return ret;
	input_strides(x, stride);
	for (unsigned int i = 0; i < x->ndim; i++) {
		if (used[perm[i]])
			return OP_FAIL(c, -EINVAL, "dimension %lld is twice in the permutation", (long long)perm[i]);
		used[perm[i]] = true;
		dims[i] = x->dims[perm[i]];
		add_dim(m, dims[i], stride[perm[i]]);
	}
	finish(m);
	return op_set(c, 0, x->type, x->ndim, dims);
}

void op_transpose_run(const struct op_run *r)
{
	move_run(r);
}

/* ---------------------------------------------------------------- Slice */

int op_slice_infer(const struct op_infer *c)
{
	const struct net_value *x = op_in(c, 0);
	struct move *m = op_plan(c, sizeof(*m));
	int64_t start[NET_MAX_DIMS], end[NET_MAX_DIMS], axes[NET_MAX_DIMS], steps[NET_MAX_DIMS], stride[NET_MAX_DIMS];
	int64_t from[NET_MAX_DIMS] = { 0 }, by[NET_MAX_DIMS];
	uint32_t dims[NET_MAX_DIMS];
	int n, k, naxes, nsteps;
	int ret = m ? op_ints_attr_or_in(c, "starts", 1, NET_MAX_DIMS, start, &n) : -ENOMEM;

	ret = ret ? ret : op_ints_attr_or_in(c, "ends", 2, NET_MAX_DIMS, end, &k);
	ret = ret ? ret : op_ints_attr_or_in(c, "axes", 3, NET_MAX_DIMS, axes, &naxes);
	ret = ret ? ret : op_ints_attr_or_in(c, "steps", 4, NET_MAX_DIMS, steps, &nsteps);
	if (ret)
		return ret;
	if (n < 0 || n != k || (naxes >= 0 && naxes != n) || (nsteps >= 0 && nsteps != n) || n > (int)x->ndim)
		return OP_FAIL(c, -EINVAL, "%d starts, %d ends, %d axes, %d steps for %u dimensions", n, k, naxes, nsteps, x->ndim);
	for (unsigned int i = 0; i < x->ndim; i++) {
		dims[i] = x->dims[i];
		by[i] = 1;
	}
	for (int i = 0; i < n; i++) {
		unsigned int axis;
		int64_t size, lo, hi, first = start[i], last = end[i], step = nsteps < 0 ? 1 : steps[i];

		ret = op_axis(c, naxes < 0 ? i : axes[i], x->ndim, &axis);
		if (ret)
			return ret;
		if (!step || step > INT32_MAX || step < -INT32_MAX)
			return OP_FAIL(c, -EINVAL, "step %lld", (long long)step);
		size = x->dims[axis];
		first = first < 0 ? first < -size ? -1 : first + size : first;
		last = last < 0 ? last < -size ? -1 : last + size : last;
		lo = step > 0 ? 0 : -1;
		hi = step > 0 ? size : size - 1;
		/* going down, a start before the beginning is the beginning; an end there takes all */
		if (step < 0 && start[i] < -size)
			first = size ? 0 : -1;
		first = first < 0 ? 0 : first > hi ? hi : first;
		last = last < lo ? lo : last > size ? size : last;
		if (step > 0)
			size = last > first ? (last - first + step - 1) / step : 0;
		else
			size = first > last && size ? (first - last - step - 1) / -step : 0;
		dims[axis] = (uint32_t)size;
		from[axis] = size ? first : 0;
		by[axis] = step;
	}
	input_strides(x, stride);
	for (unsigned int i = 0; i < x->ndim; i++) {
		m->base += from[i] * stride[i];
		add_dim(m, dims[i], by[i] * stride[i]);
	}
	finish(m);
	return op_set(c, 0, x->type, x->ndim, dims);
}

void op_slice_run(const struct op_run *r)
{
	move_run(r);
}

/* ---------------------------------------------------------------- Expand, Tile */

int op_expand_infer(const struct op_infer *c)
{
	const struct net_value *x = op_in(c, 0);
	struct net_value want = { .ndim = 0 };
	struct move *m = op_plan(c, sizeof(*m));
	int64_t shape[NET_MAX_DIMS];
	uint64_t stride[NET_MAX_DIMS];
	unsigned int ndim = x->ndim;
	uint32_t dims[NET_MAX_DIMS];
	int ret = m ? op_const_ints(c, 1, NET_MAX_DIMS, shape, &want.ndim) : -ENOMEM;

	if (ret)
		return ret;
	for (unsigned int i = 0; i < want.ndim; i++) {
		if (shape[i] < 0 || shape[i] > (int64_t)NET_MAX_COUNT)
			return OP_FAIL(c, -EINVAL, "dimension %u is %lld", i, (long long)shape[i]);
		want.dims[i] = (uint32_t)shape[i];
	}
	memcpy(dims, x->dims, sizeof(dims));
	ret = op_broadcast(c, &ndim, dims, &want);
	if (ret)
		return ret;
	op_strides(ndim, dims, x->ndim, x->dims, stride);
	for (unsigned int i = 0; i < ndim; i++)
		add_dim(m, dims[i], (int64_t)stride[i]);
	finish(m);
	return op_set(c, 0, x->type, ndim, dims);
}

void op_expand_run(const struct op_run *r)
{
	move_run(r);
}

int op_tile_infer(const struct op_infer *c)
{
	const struct net_value *x = op_in(c, 0);
	struct move *m = op_plan(c, sizeof(*m));
	int64_t repeat[NET_MAX_DIMS], stride[NET_MAX_DIMS];
	uint32_t dims[NET_MAX_DIMS];
	unsigned int n;
	int ret = m ? op_const_ints(c, 1, NET_MAX_DIMS, repeat, &n) : -ENOMEM;

	if (ret)
		return ret;
	if (n != x->ndim)
		return OP_FAIL(c, -EINVAL, "%u repeats for %u dimensions", n, x->ndim);
	input_strides(x, stride);
	for (unsigned int i = 0; i < n; i++) {
		if (repeat[i] < 0 || repeat[i] > (int64_t)NET_MAX_COUNT || (uint64_t)repeat[i] * x->dims[i] > NET_MAX_COUNT)
			return OP_FAIL(c, -EINVAL, "repeat %u is %lld", i, (long long)repeat[i]);
		dims[i] = (uint32_t)repeat[i] * x->dims[i];
		add_dim(m, (uint32_t)repeat[i], 0);
		add_dim(m, x->dims[i], stride[i]);
	}
	finish(m);
	return op_set(c, 0, x->type, n, dims);
}

void op_tile_run(const struct op_run *r)
{
	move_run(r);
}

/* ---------------------------------------------------------------- DepthToSpace, SpaceToDepth */

static int block_of(const struct op_infer *c, int64_t *block)
{
	int ret = op_attr_int(c, "blocksize", 0, 1, 1 << 12, block);

	if (!ret && (op_in(c, 0)->ndim != 4 || !*block))
		ret = OP_FAIL(c, -EINVAL, "the input must have 4 dimensions, and blocksize be given");
	return ret;
}

int op_depth_to_space_infer(const struct op_infer *c)
{
	const struct net_value *x = op_in(c, 0);
	struct move *m = op_plan(c, sizeof(*m));
	uint32_t dims[4], block, depth;
	const char *mode;
	int64_t b, plane, at_block, at_depth;
	int ret = m ? block_of(c, &b) : -ENOMEM;

	ret = ret ? ret : op_attr_text(c, "mode", "DCR", &mode);
	if (ret)
		return ret;
	block = (uint32_t)b;
	if (x->dims[1] % (block * block))
		return OP_FAIL(c, -EINVAL, "%u channels for blocks of %u x %u", x->dims[1], block, block);
	if (strcmp(mode, "DCR") && strcmp(mode, "CRD"))
		return OP_FAIL(c, -EINVAL, "attribute 'mode' is '%s'; 'DCR' and 'CRD' are known", mode);
	depth = x->dims[1] / (block * block);
	dims[0] = x->dims[0];
	dims[1] = depth;
	dims[2] = x->dims[2] * block;
	dims[3] = x->dims[3] * block;
	plane = (int64_t)x->dims[2] * x->dims[3];
	at_block = strcmp(mode, "CRD") ? depth * plane : plane;
	at_depth = strcmp(mode, "CRD") ? plane : plane * b * b;
	add_dim(m, dims[0], plane * x->dims[1]);
	add_dim(m, depth, at_depth);
	add_dim(m, x->dims[2], x->dims[3]);
	add_dim(m, block, at_block * b);
	add_dim(m, x->dims[3], 1);
	add_dim(m, block, at_block);
	finish(m);
	return op_set(c, 0, x->type, 4, dims);
}

void op_depth_to_space_run(const struct op_run *r)
{
	move_run(r);
}

int op_space_to_depth_infer(const struct op_infer *c)
{
	const struct net_value *x = op_in(c, 0);
	struct move *m = op_plan(c, sizeof(*m));
	uint32_t dims[4], block;
	int64_t b, width;
	int ret = m ? block_of(c, &b) : -ENOMEM;

	if (ret)
		return ret;
	block = (uint32_t)b;
	if (x->dims[2] % block || x->dims[3] % block || (uint64_t)x->dims[1] * block * block > NET_MAX_COUNT)
		return OP_FAIL(c, -EINVAL, "%u x %u pixels in blocks of %u x %u", x->dims[2], x->dims[3], block, block);
	width = x->dims[3];
	dims[0] = x->dims[0];
	dims[1] = x->dims[1] * block * block;
	dims[2] = x->dims[2] / block;
	dims[3] = x->dims[3] / block;
	add_dim(m, dims[0], (int64_t)x->dims[1] * x->dims[2] * width);
	add_dim(m, block, width);
	add_dim(m, block, 1);
	add_dim(m, x->dims[1], (int64_t)x->dims[2] * width);
	add_dim(m, dims[2], width * b);
	add_dim(m, dims[3], b);
	finish(m);
	return op_set(c, 0, x->type, 4, dims);
}

void op_space_to_depth_run(const struct op_run *r)
{
	move_run(r);
}
