// SPDX-License-Identifier: GPL-2.0 OR MIT
#include "random_job.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define GRANULE EIE_GRANULE_BYTES

int random_job_init(struct random_job *j, const struct eie_params *p, size_t bytes)
{
	*j = (struct random_job){ .bytes = bytes };
	j->mem = malloc(bytes);
	if (!j->mem)
		return -ENOMEM;
	if (pg_init(&j->pg, p, 512, 0, bytes / GRANULE)) {
		free(j->mem);
		return -ENOMEM;
	}
	return 0;
}

void random_job_free(struct random_job *j)
{
	pg_free(&j->pg);
	free(j->mem);
}

bool random_take(struct random_job *j, uint64_t granules, uint64_t *at)
{
	if (j->used + granules > j->bytes / GRANULE - 1)   /* the last is the dummies' */
		return false;
	*at = j->used;
	j->used += granules;
	return true;
}

static uint32_t min_u32(uint32_t a, uint32_t b)
{
	return a < b ? a : b;
}

/* Most tiles small, some as large as allowed. */
static uint32_t some(struct rng *r, uint32_t max, bool big)
{
	uint32_t cap = big ? max : min_u32(max, 12);

	if (rng_permille(r, 100))
		return cap;
	return rng_permille(r, 500) ? rng_range(r, 1, cap) : rng_range(r, 1, min_u32(cap, 4));
}

static unsigned int some_density(struct rng *r)
{
	static const uint16_t list[] = { 0, 2, 20, 90, 300, 500, 900, 1000 };

	return list[rng_range(r, 0, 7)];
}

uint32_t random_place(const struct random_job *j, struct rng *r, unsigned int buf, uint32_t len, uint32_t align)
{
	uint32_t depth = pg_depth(&j->pg, buf) - (buf == EIE_BUF_ABUF ? 2 : 0);

	/* a few addresses are met again and again, so that overwriting is common */
	uint32_t span = depth - len, at = rng_permille(r, 400) ? rng_range(r, 0, min_u32(span, 64)) : rng_range(r, 0, span);

	return at / align * align;
}

bool random_load(struct random_job *j, struct rng *r, const struct pg_xfer *x)
{
	struct pg_xfer part = *x;

	if (x->rows > 1 && rng_permille(r, 300)) {
		part.rows = 1;
		for (uint32_t k = 0; k < x->rows; k++) {
			part.cluster = x->cluster + (x->buf != EIE_BUF_ABUF && x->buf != EIE_BUF_CBUF ? k : 0);
			part.addr = x->addr + k * x->buf_stride;
			part.mem = x->mem + (uint64_t)k * x->mem_stride;
			if (!pg_load(&j->pg, &part))
				return false;
		}
		return true;
	}
	if (x->len > 1 && rng_permille(r, 300)) {
		part.len = rng_range(r, 1, x->len - 1);
		if (!pg_load(&j->pg, &part))
			return false;
		part.mem += part.len;
		part.addr += part.len;
		part.len = x->len - part.len;
	}
	return pg_load(&j->pg, &part);
}

/* ---- data of a tile */

struct tile {
	bool wide;
	uint32_t len;          /* input granules */
	uint32_t steps;
	uint32_t words;        /* WBUF granules, longest cluster */
	uint64_t mem_w, mem_p;
};

/* Appends one column's entries; rows are taken with the given density. Returns units written, 0 when the room is too small. */
static uint32_t column(struct rng *r, uint8_t *out, uint32_t room, uint32_t rows, unsigned int density, bool wide, bool far)
{
	uint32_t span = wide ? EIE_WIDE_SPAN : EIE_NARROW_SPAN, unit = wide ? 2 : 1, n = 0, last = 0;   /* last: next free row */

	for (uint32_t row = 0; row < rows; row++) {
		uint32_t skip;

		if (far ? row != rows - 1 : !rng_permille(r, density))
			continue;
		skip = row - last;
		while (skip >= span) {
			/* sometimes more escapes than needed: all splits are legal */
			uint32_t most = min_u32(skip / span, span), k = rng_permille(r, 300) ? rng_range(r, 1, most) : most;

			if ((n + 2) * unit > room)
				return 0;
			out[n * unit] = 0;
			if (wide)
				out[n * unit + 1] = (uint8_t)(k - 1);
			else
				out[n] = (uint8_t)((k - 1) << 4);
			n++;
			skip -= k * span;
		}
		if ((n + 1) * unit > room || n + 1 > (1u << EIE_PTR_LEN_BITS) - 1)
			return 0;
		if (wide) {
			out[n * unit] = (uint8_t)rng_range(r, 1, 255);
			out[n * unit + 1] = (uint8_t)skip;
		} else {
			out[n] = (uint8_t)(rng_range(r, 1, 15) | skip << 4);
		}
		n++;
		last = row + 1;
	}
	return n;
}

/* Weights and pointers of all clusters; false when memory ran out. Columns that do not fit any more are left empty. */
static bool make_tile(struct random_job *j, struct rng *r, struct tile *t, bool big)
{
	const struct eie_params *p = &j->pg.p;
	uint32_t cols = t->len * EIE_GRANULE_VALUES, unit = t->wide ? 2 : 1;
	uint32_t cap = (big ? p->wbuf : min_u32(p->wbuf, 512)) * GRANULE, longest = 0;
	unsigned int density = some_density(r), empty = rng_permille(r, 300) ? 500 : 20;
	uint32_t *bytes = calloc(p->clusters, sizeof(*bytes));
	uint8_t *w = calloc(p->clusters, cap);
	bool ok = bytes && w && random_take(j, (uint64_t)2 * t->len * p->clusters, &t->mem_p);

	for (uint32_t c = 0; ok && c < p->clusters; c++)
		for (uint32_t col = 0; col < cols; col++) {
			uint32_t n = 0, at = bytes[c], ptr;

			if (!rng_permille(r, empty)) {
				if (rng_permille(r, 200))   /* gaps between columns are legal */
					at += rng_range(r, 0, 9) * unit;
				if (at < cap)
					n = column(r, w + (size_t)c * cap + at, cap - at, t->steps * 8, density, t->wide,
						   rng_permille(r, 50));
			}
			if (at / unit >= 1u << EIE_PTR_START_BITS)
				n = 0;
			ptr = n ? at / unit | n << EIE_PTR_START_BITS : rng_range(r, 0, 1) * 7;
			if (n)
				bytes[c] = at + n * unit;
			memcpy(j->mem + (t->mem_p + (uint64_t)c * 2 * t->len) * GRANULE + col * 4, &ptr, 4);
		}
	for (uint32_t c = 0; ok && c < p->clusters; c++)
		longest = bytes[c] > longest ? bytes[c] : longest;
	t->words = longest ? (longest + GRANULE - 1) / GRANULE : 1;
	ok = ok && random_take(j, (uint64_t)t->words * p->clusters, &t->mem_w);
	for (uint32_t c = 0; ok && c < p->clusters; c++)
		memcpy(j->mem + (t->mem_w + (uint64_t)c * t->words) * GRANULE, w + (size_t)c * cap, (size_t)t->words * GRANULE);
	free(bytes);
	free(w);
	return ok;
}

/* ---- a task: one or two MACs into a half, drained and stored */

/* Some of the rows, then the rest; or all of them. */
static bool select_rows(struct random_job *j, struct rng *r, const struct pg_xfer *x, const struct pg_select *s)
{
	struct pg_xfer part = *x;

	if (x->rows > 1 && rng_permille(r, 300)) {
		part.rows = rng_range(r, 1, x->rows - 1);
		if (!pg_select(&j->pg, &part, s))
			return false;
		part.cluster += part.rows;
		part.mem += (uint64_t)part.rows * part.mem_stride;
		part.rows = x->rows - part.rows;
	}
	return pg_select(&j->pg, &part, s);
}

/* Weights and pointers of a MAC, all of them or those of columns that are not zero. */
static bool load_tile(struct random_job *j, struct rng *r, const struct tile *t, struct pg_mac *m)
{
	const struct eie_params *p = &j->pg.p;
	bool selects = p->features & EIE_FEATURE_SELECT && rng_permille(r, 500), pointers = selects && rng_permille(r, 500);
	struct pg_xfer weights = { .buf = EIE_BUF_WBUF, .addr = random_place(j, r, EIE_BUF_WBUF, t->words, 1), .len = t->words,
				   .rows = p->clusters, .mem = t->mem_w, .mem_stride = t->words };
	struct pg_xfer ptrs = { .buf = EIE_BUF_PBUF, .addr = random_place(j, r, EIE_BUF_PBUF, 2 * t->len, 1), .len = 2 * t->len,
				.rows = p->clusters, .mem = t->mem_p, .mem_stride = 2 * t->len };
	struct pg_select s = { .in = m->in, .len = t->len };

	m->weights = weights.addr;
	m->words = t->words;
	m->ptr = ptrs.addr;
	if (!selects)
		return random_load(j, r, &weights) && random_load(j, r, &ptrs);
	if (!(pointers ? select_rows(j, r, &ptrs, &s) : random_load(j, r, &ptrs)))
		return false;
	s.ptr = ptrs.addr;
	s.wide = t->wide;
	return select_rows(j, r, &weights, &s);
}

static bool mac(struct random_job *j, struct rng *r, unsigned int half, uint32_t steps, bool big, struct random_vector *prev)
{
	const struct eie_params *p = &j->pg.p;
	struct tile t = { .wide = rng_permille(r, 350), .steps = steps };
	struct pg_mac m = { .half = half, .wide = t.wide };
	struct pg_xfer x = { .rows = 1 };
	unsigned int density = some_density(r);
	uint64_t at;

	if (prev->len && prev->len <= p->pbuf / 2 && rng_permille(r, 500)) {
		t.len = prev->len;
		m.in = prev->granule;
	} else {
		t.len = some(r, min_u32(p->pbuf / 2, p->abuf / 4), big);
		if (!random_take(j, t.len, &at))
			return false;
		for (uint32_t i = 0; i < t.len * EIE_GRANULE_VALUES; i++) {
			int16_t v = rng_permille(r, density) ? rng_value(r) : 0;

			memcpy(j->mem + at * GRANULE + i * 2, &v, 2);
		}
		x = (struct pg_xfer){ .buf = EIE_BUF_ABUF, .addr = random_place(j, r, EIE_BUF_ABUF, t.len, 1), .len = t.len, .rows = 1,
				      .mem = at };
		if (!random_load(j, r, &x))
			return false;
		m.in = x.addr;
		if (prev->len && x.addr < prev->granule + prev->len && prev->granule < x.addr + x.len)
			prev->len = 0;   /* overwritten: no longer wholly drained values */
	}
	m.len = t.len;
	if (!make_tile(j, r, &t, big))
		return false;

	if (!load_tile(j, r, &t, &m))
		return false;

	x = (struct pg_xfer){ .buf = EIE_BUF_CBUF, .len = t.wide ? 32 : 2, .rows = 1 };
	x.addr = rng_range(r, 0, (EIE_CBUF_GRANULES - x.len) / x.len) * x.len;
	if (!random_take(j, x.len, &x.mem))
		return false;
	for (uint32_t i = 0; i < x.len * EIE_GRANULE_VALUES; i++) {
		int16_t v = rng_value(r);

		memcpy(j->mem + x.mem * GRANULE + i * 2, &v, 2);
	}
	if (!random_load(j, r, &x))
		return false;
	m.codebook = x.addr;
	return pg_mac(&j->pg, &m);
}

static bool drain(struct random_job *j, struct rng *r, unsigned int half, uint32_t steps, struct random_vector *out)
{
	const struct eie_params *p = &j->pg.p;
	struct pg_drain d = { .half = half, .steps = steps, .stride = p->clusters * (rng_permille(r, 200) ? 2 : 1) };
	struct pg_xfer x = { .buf = EIE_BUF_RBUF, .len = 4 * steps, .rows = p->clusters, .mem_stride = 4 * steps };
	uint32_t span = (steps - 1) * d.stride + p->clusters;
	int16_t a = rng_value(r), b = rng_value(r);

	if (!random_take(j, (uint64_t)x.len * x.rows, &x.mem))
		return false;
	for (uint32_t i = 0; i < x.len * x.rows * 2; i++) {
		uint64_t bias = (uint32_t)(rng_permille(r, 200) ? rng_next(r) >> 32 : (uint64_t)(int64_t)rng_value(r));
		uint64_t m = rng_permille(r, 100) ? 0 : rng_next(r) >> 48;
		uint64_t s = rng_permille(r, 300) ? rng_range(r, 1, 47) : rng_range(r, 24, 40), v = bias | m << 32 | s << 48;

		memcpy(j->mem + x.mem * GRANULE + i * 8, &v, 8);
	}
	x.addr = random_place(j, r, EIE_BUF_RBUF, x.len, 1);
	if (!random_load(j, r, &x))
		return false;
	d.param = x.addr;

	if (a == -32768)
		a = -32767;
	if (b == -32768)
		b = -32767;
	if (rng_permille(r, 500)) {
		a = rng_permille(r, 500) ? 0 : -32767;
		b = 32767;
	}
	d.lo = a < b ? a : b;
	d.hi = a < b ? b : a;
	d.out = random_place(j, r, EIE_BUF_ABUF, span, p->clusters);
	if (!pg_drain(&j->pg, &d))
		return false;
	*out = (struct random_vector){ d.out, d.stride == p->clusters ? span : 0 };

	x = (struct pg_xfer){ .buf = EIE_BUF_ABUF, .addr = d.out, .buf_stride = d.stride, .len = p->clusters, .rows = steps,
			      .mem_stride = p->clusters };
	if (!random_take(j, (uint64_t)steps * p->clusters, &x.mem))
		return false;
	return !rng_permille(r, 900) || pg_store(&j->pg, &x);
}

void random_job_make(struct random_job *j, struct rng *r, bool big)
{
	uint32_t tasks = rng_range(r, 1, 4);
	struct random_vector prev = { 0, 0 };
	struct random_image image = { 0 };

	pg_restart(&j->pg);
	j->used = 0;
	for (size_t i = 0; i + 8 <= j->bytes; i += 8) {
		uint64_t v = rng_next(r);

		memcpy(j->mem + i, &v, 8);
	}
	/* when memory or the buffer runs out the job simply ends there: what was appended is whole commands */
	for (uint32_t k = 0; k < tasks; k++) {
		unsigned int half, macs;
		uint32_t steps;
		bool ok = true;

		if (j->pg.p.features & EIE_FEATURE_VECTOR && rng_permille(r, 500)) {
			if (!random_vector_task(j, r, big, &image, &prev))
				break;
			continue;
		}
		half = rng_range(r, 0, 1);
		macs = rng_permille(r, 300) ? 2 : 1;
		steps = some(r, j->pg.p.rows / 8, big);
		for (unsigned int i = 0; ok && i < macs; i++)
			ok = mac(j, r, half, steps, big, &prev);
		if (!ok || !drain(j, r, half, steps, &prev))
			break;
	}
}
