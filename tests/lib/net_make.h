/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/* A Deep Compression .net file, written from known codes, and the network that it belongs to. */
#ifndef NET_MAKE_H
#define NET_MAKE_H

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

struct net_file {
	uint8_t *p;
	size_t n;
};

static inline void net_append(struct net_file *f, const void *data, size_t n)
{
	f->p = realloc(f->p, f->n + n + 1);
	memcpy(f->p + f->n, data, n);
	f->n += n;
}

/* code: [count], 0 where there is no weight. Runs longer than 15 zeros go through entries of code 0, as the authors' do. */
struct net_layer {
	uint32_t count, rows;
	unsigned int bits;
	const float *codebook;     /* [1 << bits] */
	const float *bias;         /* [rows] */
	const uint8_t *code;
};

static inline uint32_t net_entries(const struct net_layer *l, uint8_t *code, uint8_t *run)
{
	uint32_t n = 0, zeros = 0;

	for (uint32_t i = 0; i < l->count; i++) {
		if (!l->code[i] && zeros < 15) {
			zeros++;
			continue;
		}
		code[n] = l->code[i];
		run[n++] = (uint8_t)zeros;
		zeros = 0;
	}
	return n;
}

static inline void net_pack(struct net_file *f, const uint8_t *values, uint32_t n)
{
	for (uint32_t i = 0; i < n; i += 2) {
		uint8_t b = (uint8_t)(values[i] | (i + 1 < n ? values[i + 1] << 4 : 0));

		net_append(f, &b, 1);
	}
}

static inline struct net_file net_write(const struct net_layer *layers, unsigned int nlayers)
{
	struct net_file f = { 0 };

	for (unsigned int pass = 0; pass < 2; pass++) {
		for (unsigned int i = 0; i < nlayers; i++) {
			const struct net_layer *l = &layers[i];
			uint8_t *code = malloc(l->count), *run = malloc(l->count);
			uint32_t n = net_entries(l, code, run);

			if (!pass) {
				net_append(&f, &n, sizeof(n));
			} else {
				net_append(&f, l->codebook, sizeof(float) << l->bits);
				net_append(&f, l->bias, l->rows * sizeof(float));
				if (l->bits == 8)
					net_append(&f, code, n);
				else
					net_pack(&f, code, n);
				net_pack(&f, run, n);
			}
			free(code);
			free(run);
		}
	}
	return f;
}

#endif
