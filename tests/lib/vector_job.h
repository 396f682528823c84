/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/*
 * A job of vector mode from a random geometry: image, sparse weights and parameters are loaded, VMAC, VDRAIN, store; and what must
 * come out, computed from the dense weights by the definition of a convolution.
 */
#ifndef VECTOR_JOB_H
#define VECTOR_JOB_H

#include <endian.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "backend.h"
#include "commands.h"
#include "stream.h"

#define VJOB_VA 0x100000ull
#define VJOB_BYTES 0x100000u

enum { VJOB_LOAD_IN, VJOB_LOAD_W, VJOB_LOAD_P, VJOB_LOAD_R, VJOB_LOAD_C, VJOB_VMAC, VJOB_VDRAIN, VJOB_STORE, VJOB_NCMDS };

struct vgeometry {
	uint32_t channels, width, height, origin;    /* image */
	uint32_t kx, ky, sx, sy, dx, dy, px, py;     /* window: size, stride, dilation, padding */
	uint32_t out_x, first_x, first_y, groups;
	uint32_t rows, plane, out_plane, tail;       /* rows a cluster; planes in pixel groups */
	bool wide;
	unsigned int density;                        /* of weights, percent */
	unsigned int zeros;                          /* of activations, percent */
	int16_t lo, hi;
	bool split;                                  /* where the hardware has it */
};

struct vjob {
	struct eie_params p;
	struct vgeometry g;
	uint8_t memory[VJOB_BYTES];
	uint32_t used;                               /* bytes of memory */
	uint32_t in, out, in_granules, out_granules;
	struct eie_cmd cmd[64];
	unsigned int ncmds;
	struct eie_desc desc;
	int16_t *image;                              /* [channels][height][width] */
	int16_t *weight;                             /* [rows * clusters][channels * ky * kx], row r of cluster c at r * clusters + c */
	int32_t *bias;                               /* [rows * clusters] */
	uint16_t *m;
	uint8_t *s;
	int16_t *want;                               /* [rows * clusters][groups * 8] */
	uint64_t want_macs, want_saturated;
};

static inline uint32_t vrandom(uint64_t *seed)
{
	*seed = *seed * 6364136223846793005u + 1442695040888963407u;
	return (uint32_t)(*seed >> 33);
}

static inline uint32_t vpick(uint64_t *seed, uint32_t lo, uint32_t hi)
{
	return lo + vrandom(seed) % (hi - lo + 1);
}

static inline uint32_t vcolumns(const struct vgeometry *g)
{
	return g->channels * g->ky * g->kx;
}

static inline uint32_t vround(uint32_t value, uint32_t to)
{
	return (value + to - 1) / to * to;
}

/* Memory for n granules; the offset of the first. */
static inline uint32_t vplace(struct vjob *j, uint32_t granules)
{
	uint32_t at = j->used;

	j->used += granules * EIE_GRANULE_BYTES;
	if (j->used > VJOB_BYTES)
		abort();
	return at;
}

static inline void vput32(uint8_t *p, uint32_t v)
{
	v = htole32(v);
	memcpy(p, &v, sizeof(v));
}

static inline void vput16(uint8_t *p, uint16_t v)
{
	v = htole16(v);
	memcpy(p, &v, sizeof(v));
}

static inline struct eie_cmd vxfer(uint32_t op, uint32_t target, uint32_t offset, uint32_t len, uint32_t rows)
{
	struct eie_cmd cmd = { { 0 } };

	CMD_SET(&cmd, OPCODE, op);
	CMD_SET(&cmd, XFER_TARGET, target);
	CMD_SET(&cmd, XFER_OFFSET, offset);
	CMD_SET(&cmd, XFER_LEN, len);
	CMD_SET(&cmd, XFER_ROWS, rows);
	if (rows > 1)
		CMD_SET(&cmd, XFER_MEM_STRIDE, len * EIE_GRANULE_BYTES);
	return cmd;
}

/* Streams, pointers and their loads; weights are `code`s, [rows * clusters][columns], 0: none. */
static inline void vweights(struct vjob *j, const uint8_t *code)
{
	const struct vgeometry *g = &j->g;
	uint32_t k = j->p.clusters, columns = vcolumns(g), plen = (columns + 3) / 4, wlen = 1, w = 0, p = 0;
	uint32_t *rows = calloc(g->rows, sizeof(*rows));
	uint8_t *codes = calloc(g->rows, 1);

	for (int pass = 0; pass < 2; pass++) {
		if (pass) {
			w = vplace(j, k * wlen);
			p = vplace(j, k * plen);
		}
		for (uint32_t c = 0; c < k; c++) {
			uint32_t start = 0;

			for (uint32_t col = 0; col < columns; col++) {
				uint32_t n = 0, entries;

				for (uint32_t r = 0; r < g->rows; r++) {
					uint8_t here = code[(size_t)(r * k + c) * columns + col];

					if (here) {
						rows[n] = r;
						codes[n++] = here;
					}
				}
				entries = stream_entries(rows, n, g->wide);
				if (pass) {
					stream_encode(rows, codes, n, g->wide, j->memory + w + c * wlen * EIE_GRANULE_BYTES +
						      start * stream_unit(g->wide));
					vput32(j->memory + p + c * plen * EIE_GRANULE_BYTES + 4 * col, stream_pointer(start, entries));
				}
				start += entries;
			}
			start = (start * stream_unit(g->wide) + EIE_GRANULE_BYTES - 1) / EIE_GRANULE_BYTES;
			wlen = start > wlen ? start : wlen;
		}
	}
	j->cmd[VJOB_LOAD_W] = vxfer(EIE_OP_LOAD, EIE_BUF_WBUF, w, wlen, k);
	j->cmd[VJOB_LOAD_P] = vxfer(EIE_OP_LOAD, EIE_BUF_PBUF, p, plen, k);
	free(rows);
	free(codes);
}

/* The definition. Windows behind the tail see zeros, and are not counted. */
static inline void vexpect(struct vjob *j)
{
	const struct vgeometry *g = &j->g;
	uint32_t outputs = g->rows * j->p.clusters, pixels = g->groups * 8, columns = vcolumns(g);

	j->want = calloc((size_t)outputs * pixels, sizeof(*j->want));
	for (uint32_t r = 0; r < outputs; r++) {
		for (uint32_t i = 0; i < pixels; i++) {
			uint32_t p = g->first_y * g->out_x + g->first_x + i;
			int64_t top = (int64_t)(p / g->out_x) * g->sy - g->py, left = (int64_t)(p % g->out_x) * g->sx - g->px;
			int64_t sum = j->bias[r], v;
			bool beyond = g->tail && i >= pixels - 8 + g->tail;

			for (uint32_t col = 0; col < columns; col++) {
				int64_t x = left + col % g->kx * g->dx, y = top + col / g->kx % g->ky * g->dy;
				int16_t a = 0, w = j->weight[(size_t)r * columns + col];

				if (!beyond && x >= 0 && y >= 0 && x < g->width && y < g->height)
					a = j->image[((size_t)(col / (g->kx * g->ky)) * g->height + (size_t)y) * g->width + (size_t)x];
				sum += (int64_t)w * a;
				j->want_macs += w && a;
			}
			v = ((int64_t)(int32_t)(uint32_t)sum * j->m[r] + ((int64_t)1 << (j->s[r] - 1))) >> j->s[r];
			if (beyond)
				continue;
			j->want_saturated += (v > g->hi && g->hi == 32767) || (v < g->lo && g->lo == -32767);
			v = v > g->hi ? g->hi : v < g->lo ? g->lo : v;
			j->want[(size_t)r * pixels + i] = (int16_t)v;
		}
	}
}

static inline void vjob_free(struct vjob *j)
{
	free(j->image);
	free(j->weight);
	free(j->bias);
	free(j->m);
	free(j->s);
	free(j->want);
	free(j);
}

/* Puts the image, the tile and the commands into memory. The geometry must fit the hardware. */
static inline struct vjob *vjob_new(const struct eie_params *p, const struct vgeometry *geometry, uint64_t seed)
{
	struct vjob *j = calloc(1, sizeof(*j));
	const struct vgeometry *g = &j->g;
	uint32_t k = p->clusters, outputs = geometry->rows * k, columns = vcolumns(geometry), ncodes = geometry->wide ? 256 : 16;
	uint32_t in, params, codebook, rlen = (geometry->rows + 1) / 2;
	uint8_t *code = calloc((size_t)outputs, columns);
	uint64_t bases[1] = { htole64(VJOB_VA) };

	j->p = *p;
	j->g = *geometry;
	memcpy(j->memory + vplace(j, 1), bases, sizeof(bases));
	j->used = 0x1000;   /* base table, commands */

	/* every value of the image's planes is written, also those that no pixel has: they must not matter */
	j->in_granules = vround(g->channels, k) * g->plane;
	in = vplace(j, j->in_granules);
	for (uint32_t i = 0; i < j->in_granules * 8; i++)
		vput16(j->memory + in + 2 * i, (uint16_t)vrandom(&seed));
	j->image = calloc((size_t)g->channels * g->height * g->width, sizeof(*j->image));
	for (uint32_t ch = 0; ch < g->channels; ch++) {
		for (uint32_t i = 0; i < g->height * g->width; i++) {
			uint32_t at = g->origin + i, granule = ch / k * g->plane * k + at / 8 * k + ch % k;
			int16_t a = vpick(&seed, 0, 99) < g->zeros ? 0 : (int16_t)vrandom(&seed);

			j->image[(size_t)ch * g->height * g->width + i] = a;
			vput16(j->memory + in + granule * EIE_GRANULE_BYTES + 2 * (at % 8), (uint16_t)a);
		}
	}
	j->cmd[VJOB_LOAD_IN] = vxfer(EIE_OP_LOAD, EIE_BUF_ABUF, in, j->in_granules, 1);

	codebook = vplace(j, ncodes / 8);
	for (uint32_t i = 0; i < ncodes; i++)
		vput16(j->memory + codebook + 2 * i, (uint16_t)vrandom(&seed) | 1);   /* entry 0 must not matter; none is zero */
	j->cmd[VJOB_LOAD_C] = vxfer(EIE_OP_LOAD, EIE_BUF_CBUF, codebook, ncodes / 8, 1);
	CMD_SET(&j->cmd[VJOB_LOAD_C], SIGNAL_NEXT, 1);
	j->weight = calloc((size_t)outputs * columns, sizeof(*j->weight));
	for (size_t i = 0; i < (size_t)outputs * columns; i++) {
		code[i] = vpick(&seed, 0, 99) < g->density ? (uint8_t)vpick(&seed, 1, ncodes - 1) : 0;
		if (code[i])
			j->weight[i] = (int16_t)(j->memory[codebook + 2 * code[i]] | j->memory[codebook + 2 * code[i] + 1] << 8);
	}
	vweights(j, code);
	free(code);

	params = vplace(j, rlen * k);
	j->bias = calloc(outputs, sizeof(*j->bias));
	j->m = calloc(outputs, sizeof(*j->m));
	j->s = calloc(outputs, sizeof(*j->s));
	for (uint32_t r = 0; r < rlen * 2; r++) {
		for (uint32_t c = 0; c < k; c++) {
			uint8_t *at = j->memory + params + (c * rlen * 2 + r) * 8;
			int32_t bias = (int32_t)(vrandom(&seed) * 2u);
			uint16_t m = (uint16_t)vrandom(&seed);
			uint8_t s = (uint8_t)(vpick(&seed, 0, 3) ? vpick(&seed, 28, 34) : vpick(&seed, 1, EIE_SHIFT_MAX));

			vput32(at, (uint32_t)bias);
			vput16(at + 4, m);
			at[6] = s;
			if (r < g->rows) {
				j->bias[r * k + c] = bias;
				j->m[r * k + c] = m;
				j->s[r * k + c] = s;
			}
		}
	}
	j->cmd[VJOB_LOAD_R] = vxfer(EIE_OP_LOAD, EIE_BUF_RBUF, params, rlen, k);

	struct eie_cmd *v = &j->cmd[VJOB_VMAC], *d = &j->cmd[VJOB_VDRAIN];

	CMD_SET(v, OPCODE, EIE_OP_VMAC);
	CMD_SET(v, WAIT_PREV, 1);
	CMD_SET(v, VMAC_WIDE, g->wide);
	CMD_SET(v, VMAC_ORIGIN, g->origin);
	CMD_SET(v, VMAC_KERNEL_X, g->kx);
	CMD_SET(v, VMAC_KERNEL_Y, g->ky);
	CMD_SET(v, VMAC_PLANE, g->plane);
	CMD_SET(v, VMAC_CHANNELS, g->channels);
	CMD_SET(v, VMAC_IN_X, g->width);
	CMD_SET(v, VMAC_IN_Y, g->height);
	CMD_SET(v, VMAC_STRIDE_X, g->sx);
	CMD_SET(v, VMAC_STRIDE_Y, g->sy);
	CMD_SET(v, VMAC_OUT_X, g->out_x);
	CMD_SET(v, VMAC_ROWS, g->rows);
	CMD_SET(v, VMAC_DILATE_X, g->dx);
	CMD_SET(v, VMAC_DILATE_Y, g->dy);
	CMD_SET(v, VMAC_FIRST_X, g->first_x);
	CMD_SET(v, VMAC_FIRST_Y, g->first_y);
	CMD_SET(v, VMAC_PAD_X, g->px);
	CMD_SET(v, VMAC_PAD_Y, g->py);
	CMD_SET(v, VMAC_GROUPS, g->groups);
	CMD_SET(v, VMAC_TAIL, g->tail);
	CMD_SET(v, VMAC_SPLIT, g->split && p->features & EIE_FEATURE_SPLIT);
	CMD_SET(d, OPCODE, EIE_OP_VDRAIN);
	CMD_SET(d, SIGNAL_NEXT, 1);
	CMD_SET(d, VDRAIN_TAIL, g->tail);
	CMD_SET(d, VDRAIN_OUT, j->in_granules);
	CMD_SET(d, VDRAIN_PLANE, g->out_plane);
	CMD_SET(d, VDRAIN_ROWS, g->rows);
	CMD_SET(d, VDRAIN_GROUPS, g->groups);
	CMD_SET(d, VDRAIN_LO, (uint16_t)g->lo);
	CMD_SET(d, VDRAIN_HI, (uint16_t)g->hi);
	j->out_granules = g->rows * g->groups * k;
	j->out = vplace(j, j->out_granules);
	j->cmd[VJOB_STORE] = vxfer(EIE_OP_STORE, EIE_BUF_ABUF, j->out, g->groups * k, g->rows);
	CMD_SET(&j->cmd[VJOB_STORE], XFER_ADDR, j->in_granules);
	CMD_SET(&j->cmd[VJOB_STORE], XFER_BUF_STRIDE, g->out_plane * k);
	CMD_SET(&j->cmd[VJOB_STORE], XFER_MEM_STRIDE, g->groups * k * EIE_GRANULE_BYTES);
	CMD_SET(&j->cmd[VJOB_STORE], WAIT_PREV, 1);
	j->ncmds = VJOB_NCMDS;
	j->desc.nbases = htole16(1);
	j->desc.bases = htole64(VJOB_VA);
	j->desc.cmds = htole64(VJOB_VA + 0x100);
	vexpect(j);
	return j;
}

/* Commands into memory. */
static inline void vjob_finish(struct vjob *j)
{
	memcpy(j->memory + 0x100, j->cmd, j->ncmds * sizeof(j->cmd[0]));
	j->desc.ncmds = htole32(j->ncmds);
}

/* Pixel i of row r of cluster c, as the job stored it. */
static inline int16_t vjob_out(const struct vjob *j, uint32_t r, uint32_t c, uint32_t i)
{
	const uint8_t *at = j->memory + j->out + ((r * j->g.groups + i / 8) * j->p.clusters + c) * EIE_GRANULE_BYTES + 2 * (i % 8);

	return (int16_t)(at[0] | at[1] << 8);
}

/* A random geometry that fits the hardware. */
static inline struct vgeometry vgeometry_random(const struct eie_params *p, uint64_t *seed)
{
	uint32_t k = p->clusters, words = p->rows * (p->lanes < 8 ? p->lanes : 8) / 8 / 8;
	struct vgeometry g;

	for (;;) {
		uint32_t end_x, end_y, words_row;

		g = (struct vgeometry){
			.channels = vpick(seed, 1, 3 * k), .width = vpick(seed, 1, 40), .height = vpick(seed, 1, 12),
			.origin = vpick(seed, 0, 7), .kx = vpick(seed, 1, 5), .ky = vpick(seed, 1, 5), .sx = vpick(seed, 1, 4),
			.sy = vpick(seed, 1, 3), .dx = vpick(seed, 1, 3), .dy = vpick(seed, 1, 3), .px = vpick(seed, 0, 6),
			.py = vpick(seed, 0, 6), .rows = vpick(seed, 1, 8 * words < 40 ? 8 * words : 40), .tail = vpick(seed, 0, 7),
			.wide = vpick(seed, 0, 1), .split = vpick(seed, 0, 1), .density = vpick(seed, 0, 100), .zeros = vpick(seed, 0, 100),
			.lo = (int16_t)(vpick(seed, 0, 1) ? -32767 : 0), .hi = (int16_t)(vpick(seed, 0, 2) ? 32767 : 6000),
		};
		if (vpick(seed, 0, 2) == 0) {   /* a window of one pixel: what most of a network's layers have */
			g.kx = g.ky = g.sx = g.sy = g.dx = g.dy = 1;
			g.px = g.py = 0;
		}
		/* any width of the output will do, not only the one that a convolution has */
		end_x = g.width + 2 * g.px;
		end_y = g.height + 2 * g.py;
		g.out_x = vpick(seed, 0, 3) ? (end_x + g.sx - 1) / g.sx : vpick(seed, 1, 50);
		g.first_x = vpick(seed, 0, g.out_x - 1);
		g.first_y = vpick(seed, 0, (end_y + g.sy - 1) / g.sy);
		words_row = (g.rows + 7) / 8;
		g.groups = vpick(seed, 1, words / words_row < 12 ? words / words_row : 12);
		g.plane = (g.origin + g.width * g.height + 7) / 8 + vpick(seed, 0, 2);
		g.out_plane = g.groups + vpick(seed, 0, 2);
		if ((vround(g.channels, k) * g.plane + (size_t)g.rows * g.out_plane * k) <= p->abuf && (vcolumns(&g) + 3) / 4 <= p->pbuf &&
		    (g.rows + 1) / 2 <= p->rbuf && (uint64_t)vcolumns(&g) * g.rows * 2 <= (uint64_t)p->wbuf * 14)
			return g;
	}
}

#endif
