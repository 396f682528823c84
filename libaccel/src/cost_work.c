// SPDX-License-Identifier: GPL-2.0 OR MIT
/* What the cost model has to know of a MAC, VMAC: which columns are not zero, and how many entries each has in each cluster. */
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "commands.h"
#include "cost.h"
#include "stream.h"

static void tile_unref(struct cost_tile *t)
{
	if (!t || --t->refs)
		return;
	free(t->column);
	free(t->pointer);
	free(t->stream);
	free(t);
}

void cost_work_free(struct cost_work *work)
{
	tile_unref(work->tile);
	free(work->live);
	free(work->runs);
	*work = (struct cost_work){ 0 };
}

void cost_recorder_free(struct cost_recorder *r)
{
	for (size_t i = 0; i < sizeof(r->tile) / sizeof(r->tile[0]); i++) {
		tile_unref(r->tile[i]);
		r->tile[i] = NULL;
	}
}

static bool overlap(uint32_t a, uint32_t a_end, uint32_t b, uint32_t b_end)
{
	return a < b_end && b < a_end;
}

/* What is loaded over is no longer what it was. */
static void forget(struct cost_recorder *r, uint32_t target, uint32_t first, uint32_t end)
{
	for (size_t i = 0; i < sizeof(r->tile) / sizeof(r->tile[0]); i++) {
		const struct cost_tile *t = r->tile[i];

		if (t && (target == EIE_BUF_PBUF ? overlap(first, end, t->ptr, t->ptr + (t->columns + EIE_PTRS_PER_GRANULE - 1) / EIE_PTRS_PER_GRANULE) :
			  overlap(first, end, t->weights + t->first, t->weights + t->end))) {
			tile_unref(r->tile[i]);
			r->tile[i] = NULL;
		}
	}
}

static uint32_t pointer_of(const struct eie_ref *ref, uint32_t ptr, uint32_t column, uint32_t cluster)
{
	const struct ref_buffer *b = &ref->buf[EIE_BUF_PBUF];

	return ref_load32(ref_granule(b, (size_t)cluster * b->depth + ptr + column / EIE_PTRS_PER_GRANULE) + 4 * (column % EIE_PTRS_PER_GRANULE));
}

/* eie_lanes.sv: an entry a cycle, with the escape before it if there is one. */
static struct cost_column column_of(const uint8_t *stream, uint32_t weights, uint32_t start, uint32_t len, bool wide)
{
	uint32_t unit = stream_unit(wide), at = start * unit, end = at + len * unit;
	uint32_t begin = at / EIE_GRANULE_BYTES, last = (end - 1) / EIE_GRANULE_BYTES, words = last - begin + 1, steps = 0, first = 0;
	bool joined = false;

	while (at < end) {
		bool escape = !(wide ? stream[at] : stream[at] & 15), pair;

		pair = escape && at + unit < end && (wide ? stream[at + unit] : stream[at + unit] & 15);
		first += at / EIE_GRANULE_BYTES == begin;
		joined |= pair && at / EIE_GRANULE_BYTES == begin && (at + unit) / EIE_GRANULE_BYTES != begin;
		at += pair ? 2 * unit : unit;
		steps++;
	}
	return (struct cost_column){ (uint16_t)steps, (uint16_t)words, (uint8_t)first, (weights + begin) & 1, wide, joined };
}

struct cost_tile *cost_tile(const uint8_t *pointers, size_t pointer_bytes, const uint8_t *streams, size_t stream_bytes, uint32_t clusters,
			    uint32_t columns, bool wide)
{
	struct cost_tile *t = calloc(1, sizeof(*t));

	if (!t)
		return NULL;
	*t = (struct cost_tile){ .refs = 1, .vector = true, .wide = wide, .columns = columns };
	t->column = calloc((size_t)columns * clusters + 1, sizeof(*t->column));
	for (size_t i = 0; t->column && i < (size_t)columns * clusters; i++) {
		uint32_t c = (uint32_t)(i % clusters), p = ref_load32(pointers + c * pointer_bytes + i / clusters * sizeof(uint32_t));
		uint32_t len = p >> EIE_PTR_START_BITS;

		if (len)
			t->column[i] = column_of(streams + c * stream_bytes, 0, p & ((1u << EIE_PTR_START_BITS) - 1), len, wide);
	}
	if (t->column)
		return t;
	tile_unref(t);
	return NULL;
}

static int fill_tile(const struct eie_ref *ref, struct cost_tile *t)
{
	const struct ref_buffer *w = &ref->buf[EIE_BUF_WBUF];
	uint32_t k = ref->p.clusters, unit = stream_unit(t->wide), first = UINT32_MAX, end = 0;
	size_t n = (size_t)t->columns * k;

	t->pointer = malloc((n + 1) * sizeof(*t->pointer));
	if (!t->pointer)
		return -ENOMEM;
	for (uint32_t j = 0; j < t->columns; j++) {
		for (uint32_t c = 0; c < k; c++) {
			uint32_t p = pointer_of(ref, t->ptr, j, c), start = p & ((1u << EIE_PTR_START_BITS) - 1), len = p >> EIE_PTR_START_BITS;
			uint32_t from = start * unit / EIE_GRANULE_BYTES, to = ((start + len) * unit + EIE_GRANULE_BYTES - 1) / EIE_GRANULE_BYTES;

			/* the hardware stops at such a column, and the model is asked of sound programs only */
			if (len && (uint64_t)t->weights + to > w->depth)
				p = len = 0;
			t->pointer[j * k + c] = p;
			first = len && from < first ? from : first;
			end = len && to > end ? to : end;
		}
	}
	t->first = first < end ? first : 0;
	t->end = first < end ? end : 0;
	if (t->vector) {
		t->column = malloc((n + 1) * sizeof(*t->column));
		for (size_t i = 0; t->column && i < n; i++) {
			const uint8_t *stream = ref_granule(w, (size_t)(i % k) * w->depth + t->weights);
			uint32_t p = t->pointer[i], len = p >> EIE_PTR_START_BITS;

			t->column[i] = len ? column_of(stream, t->weights, p & ((1u << EIE_PTR_START_BITS) - 1), len, t->wide) : (struct cost_column){ 0 };
		}
		free(t->pointer);
		t->pointer = NULL;
		return t->column ? 0 : -ENOMEM;
	}
	/* a decoder looks at the entry behind an escape before it knows whether there is one */
	t->stride = (size_t)(t->end - t->first + 1) * EIE_GRANULE_BYTES;
	t->stream = calloc(k, t->stride);
	for (uint32_t c = 0; t->stream && c < k; c++)
		memcpy(t->stream + c * t->stride, ref_granule(w, (size_t)c * w->depth + t->weights + t->first), t->stride - EIE_GRANULE_BYTES);
	for (size_t i = 0; t->stream && i < n; i++)
		if (t->pointer[i] >> EIE_PTR_START_BITS)
			t->pointer[i] -= t->first * EIE_GRANULE_BYTES / unit;
	return t->stream ? 0 : -ENOMEM;
}

static struct cost_tile *tile_of(struct cost_recorder *r, bool vector, bool wide, uint32_t ptr, uint32_t columns, uint32_t weights)
{
	struct cost_tile *t;

	for (size_t i = 0; i < sizeof(r->tile) / sizeof(r->tile[0]); i++) {
		t = r->tile[i];
		if (t && t->vector == vector && t->wide == wide && t->ptr == ptr && t->columns == columns && t->weights == weights) {
			t->refs++;
			return t;
		}
	}
	t = calloc(1, sizeof(*t));
	if (!t)
		return NULL;
	*t = (struct cost_tile){ .refs = 1, .vector = vector, .wide = wide, .ptr = ptr, .columns = columns, .weights = weights };
	if (fill_tile(r->ref, t)) {
		tile_unref(t);
		return NULL;
	}
	tile_unref(r->tile[r->next]);
	t->refs++;
	r->tile[r->next] = t;
	r->next = (r->next + 1) % (sizeof(r->tile) / sizeof(r->tile[0]));
	return t;
}

/* splitmix64: Steele, Lea, Flood, "Fast splittable pseudorandom number generators", 2014. */
static double chance(struct cost_recorder *r)
{
	uint64_t z = r->seed += 0x9e3779b97f4a7c15;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
	z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
	return (double)((z ^ (z >> 31)) >> 11) * 0x1p-53;
}

/* Without activations the columns that are live must be the same ones for a MAC and the loads of its weights: they follow from where the activation lies. */
static bool live_at(const struct cost_recorder *r, uint32_t granule, unsigned int value)
{
	struct cost_recorder of = { .seed = (uint64_t)granule * EIE_GRANULE_VALUES + value };

	return r->share ? r->share >= 1 || chance(&of) < r->share :
	       ref_load16(ref_granule(&r->ref->buf[EIE_BUF_ABUF], granule) + 2 * value) != 0;
}

static int record_mac(struct cost_recorder *r, const struct eie_cmd *cmd, struct cost_work *work)
{
	uint32_t len = CMD_GET(cmd, MAC_LEN), in = CMD_GET(cmd, MAC_IN);

	work->tile = tile_of(r, false, CMD_GET(cmd, MAC_WIDE), CMD_GET(cmd, MAC_PTR), len * EIE_GRANULE_VALUES, CMD_GET(cmd, MAC_WEIGHTS));
	work->live = calloc(len, 1);
	work->groups = 1;
	if (!work->tile || !work->live)
		return -ENOMEM;
	for (uint32_t j = 0; j < len * EIE_GRANULE_VALUES; j++) {
		bool live = live_at(r, in + j / EIE_GRANULE_VALUES, j % EIE_GRANULE_VALUES);

		work->live[j / EIE_GRANULE_VALUES] |= (uint8_t)(live << j % EIE_GRANULE_VALUES);
	}
	return 0;
}

/* Of the eight windows of a group those that have a pixel that is not zero in the column. */
static uint8_t live_pixels(const struct ref_buffer *a, uint32_t plane, uint32_t k, const int64_t *pixel, unsigned int n)
{
	unsigned int live = 0;

	for (unsigned int l = 0; l < n; l++)
		if (pixel[l] >= 0 && ref_load16(ref_granule(a, plane + (size_t)(pixel[l] / EIE_GRANULE_VALUES) * k) +
						2 * ((size_t)pixel[l] % EIE_GRANULE_VALUES)))
			live |= 1u << l;
	return (uint8_t)live;
}

/* The same where a share is not zero. */
static uint8_t chance_pixels(struct cost_recorder *r, const int64_t *pixel, unsigned int n)
{
	unsigned int live = 0;

	for (unsigned int l = 0; l < n; l++)
		live |= (unsigned int)(pixel[l] >= 0 && (r->share >= 1 || chance(r) < r->share)) << l;
	return (uint8_t)live;
}

static int record_vmac(struct cost_recorder *r, const struct eie_cmd *cmd, struct cost_work *work)
{
	const struct ref_buffer *a = &r->ref->buf[EIE_BUF_ABUF];
	uint32_t kx = CMD_GET(cmd, VMAC_KERNEL_X), ky = CMD_GET(cmd, VMAC_KERNEL_Y), channels = CMD_GET(cmd, VMAC_CHANNELS);
	uint32_t columns = channels * kx * ky, groups = CMD_GET(cmd, VMAC_GROUPS), k = r->ref->p.clusters, plane = CMD_GET(cmd, VMAC_PLANE);
	uint32_t tail = CMD_GET(cmd, VMAC_TAIL), out_x = CMD_GET(cmd, VMAC_OUT_X), width = CMD_GET(cmd, VMAC_IN_X), height = CMD_GET(cmd, VMAC_IN_Y);
	uint32_t first = CMD_GET(cmd, VMAC_FIRST_Y) * out_x + CMD_GET(cmd, VMAC_FIRST_X);
	bool split = CMD_GET(cmd, VMAC_SPLIT);

	work->tile = tile_of(r, true, CMD_GET(cmd, VMAC_WIDE), CMD_GET(cmd, VMAC_PTR), columns, CMD_GET(cmd, VMAC_WEIGHTS));
	if (!work->tile)
		return -ENOMEM;
	work->groups = groups;
	work->split = split;
	work->live = calloc(split ? (size_t)groups * columns : ((size_t)groups * columns + 7) / 8, 1);
	if (!work->live)
		return -ENOMEM;
	for (uint32_t g = 0; g < groups; g++) {
		unsigned int n = g == groups - 1 && tail ? tail : EIE_GRANULE_VALUES;

		for (uint32_t tap = 0; tap < kx * ky; tap++) {
			int64_t pixel[EIE_GRANULE_VALUES];
			bool inside = false;

			for (unsigned int l = 0; l < n; l++) {
				uint32_t number = first + g * EIE_GRANULE_VALUES + l;
				int64_t x = (int64_t)(number % out_x * CMD_GET(cmd, VMAC_STRIDE_X)) - CMD_GET(cmd, VMAC_PAD_X) +
					    tap % kx * CMD_GET(cmd, VMAC_DILATE_X);
				int64_t y = (int64_t)(number / out_x * CMD_GET(cmd, VMAC_STRIDE_Y)) - CMD_GET(cmd, VMAC_PAD_Y) +
					    tap / kx * CMD_GET(cmd, VMAC_DILATE_Y);
				bool in = x >= 0 && y >= 0 && x < width && y < height;

				pixel[l] = in ? CMD_GET(cmd, VMAC_ORIGIN) + y * width + x : -1;
				inside |= in;
			}
			for (uint32_t ch = 0; inside && ch < channels; ch++) {
				size_t bit = (size_t)g * columns + ch * kx * ky + tap;
				uint8_t live = r->share ? chance_pixels(r, pixel, n) :
					       live_pixels(a, CMD_GET(cmd, VMAC_IN) + ch / k * plane * k + ch % k, k, pixel, n);

				if (split)
					work->live[bit] = live;
				else
					work->live[bit / 8] |= (uint8_t)((live != 0) << bit % 8);
			}
		}
	}
	return 0;
}

/* As eie_select.sv joins columns; programs are sound. */
static int record_select(struct cost_recorder *r, const struct eie_cmd *cmd, struct cost_work *work)
{
	bool pointers = CMD_GET(cmd, XFER_TARGET) == EIE_BUF_PBUF;
	uint32_t columns = CMD_GET(cmd, SELECT_LEN) * EIE_GRANULE_VALUES, rows = CMD_GET(cmd, XFER_ROWS), unit = stream_unit(CMD_GET(cmd, SELECT_WIDE));
	uint32_t wide = pointers ? EIE_GRANULE_VALUES : EIE_PTRS_PER_GRANULE;   /* columns a step */

	work->runs = malloc(((size_t)columns * rows + 1) * sizeof(*work->runs));
	if (!work->runs)
		return -ENOMEM;
	for (uint32_t row = 0; row < rows; row++) {
		uint32_t begun = work->nruns;

		for (uint32_t j = 0; j < columns; j++) {
			struct cost_run *last = work->nruns > begun ? &work->runs[work->nruns - 1] : NULL;
			uint32_t first = j / EIE_PTRS_PER_GRANULE, stop = first + 1, p;

			if (!live_at(r, CMD_GET(cmd, SELECT_IN) + j / EIE_GRANULE_VALUES, j % EIE_GRANULE_VALUES))
				continue;
			if (!pointers) {
				p = pointer_of(r->ref, CMD_GET(cmd, SELECT_PTR), j, CMD_GET(cmd, XFER_CLUSTER) + row);
				if (!(p >> EIE_PTR_START_BITS))
					continue;
				first = (p & ((1u << EIE_PTR_START_BITS) - 1)) * unit;
				stop = (first + (p >> EIE_PTR_START_BITS) * unit + EIE_GRANULE_BYTES - 1) / EIE_GRANULE_BYTES;
				first /= EIE_GRANULE_BYTES;
			}
			if (!last || first > last->first + last->n)
				work->runs[work->nruns++] = (struct cost_run){ row, first, stop - first, (row * columns + j) / wide };
			else if (stop > last->first + last->n)
				last->n = stop - last->first;
		}
	}
	return 0;
}

int cost_record(struct cost_recorder *r, const struct eie_cmd *cmd, struct cost_work *work)
{
	uint32_t op = CMD_GET(cmd, OPCODE), target, first;
	int ret = 0;

	*work = (struct cost_work){ 0 };
	if (op == EIE_OP_MAC)
		ret = record_mac(r, cmd, work);
	if (op == EIE_OP_VMAC)
		ret = record_vmac(r, cmd, work);
	if (op == EIE_OP_SELECT)
		ret = record_select(r, cmd, work);
	if (ret)
		cost_work_free(work);
	if (ret || !eie_op_loads(op))
		return ret;
	target = CMD_GET(cmd, XFER_TARGET);
	first = CMD_GET(cmd, XFER_ADDR);
	if (target == EIE_BUF_PBUF || target == EIE_BUF_WBUF)
		forget(r, target, first, first + CMD_GET(cmd, XFER_LEN));
	return 0;
}
