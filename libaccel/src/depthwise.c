// SPDX-License-Identifier: GPL-2.0 OR MIT
#include "depthwise.h"

#include <string.h>

#define VECTOR 16u             /* floats that rows are a multiple of */
#define MOST_TAPS 8u           /* weights of a row */
#define MOST_ROWS 64u          /* of a window */

/* A row of a window: to[i] += w[0] * x[i] + w[1] * x[i + 1] ... */
struct taps {
	const float *x, *w;
};

/*
 * One kernel, compiled for three widths of vectors. The number of weights in a row is known where it is one of a few: then all of them are in the loop's body, and sums stay in registers.
 *
 * sum: to[i] = start + what all rows add, i < n. outer: sums[k] += d[i] * x[i + k] over i < n, in W parts of each.
 */
#define DEPTHWISE_KERNEL(name, target, W) \
	typedef float name##_vec __attribute__((vector_size(4 * (W)), aligned(4), may_alias)); \
	target static inline __attribute__((always_inline)) void name##_sum_of(float *to, size_t n, float start, const struct taps *row, unsigned int rows, unsigned int taps) \
	{ \
		for (size_t i = 0; i < n; i += (W)) { \
			name##_vec sum = (name##_vec){ 0 } + start; \
\
			for (unsigned int r = 0; r < rows; r++) \
				for (unsigned int k = 0; k < taps; k++) \
					sum += row[r].w[k] * *(const name##_vec *)(row[r].x + i + k); \
			*(name##_vec *)(to + i) = sum; \
		} \
	} \
	target static void name##_sum(float *to, size_t n, float start, const struct taps *row, unsigned int rows, unsigned int taps) \
	{ \
		switch (taps) { \
		case 3: name##_sum_of(to, n, start, row, rows, 3); break; \
		case 5: name##_sum_of(to, n, start, row, rows, 5); break; \
		default: name##_sum_of(to, n, start, row, rows, taps); \
		} \
	} \
	target static inline __attribute__((always_inline)) void name##_outer_of(float sums[][VECTOR], const float *d, const float *x, size_t n, unsigned int taps) \
	{ \
		name##_vec sum[MOST_TAPS]; \
\
		for (unsigned int k = 0; k < taps; k++) \
			sum[k] = *(const name##_vec *)sums[k]; \
		for (size_t i = 0; i < n; i += (W)) { \
			name##_vec by = *(const name##_vec *)(d + i); \
\
			for (unsigned int k = 0; k < taps; k++) \
				sum[k] += by * *(const name##_vec *)(x + i + k); \
		} \
		for (unsigned int k = 0; k < taps; k++) \
			*(name##_vec *)sums[k] = sum[k]; \
	} \
	target static void name##_outer(float sums[][VECTOR], const float *d, const float *x, size_t n, unsigned int taps) \
	{ \
		switch (taps) { \
		case 3: name##_outer_of(sums, d, x, n, 3); break; \
		case 5: name##_outer_of(sums, d, x, n, 5); break; \
		default: name##_outer_of(sums, d, x, n, taps); \
		} \
	}

DEPTHWISE_KERNEL(portable, , 4)

#ifdef __x86_64__
DEPTHWISE_KERNEL(avx2, __attribute__((target("avx2"))), 8)
DEPTHWISE_KERNEL(avx512, __attribute__((target("avx512f"))), 16)

#define DISPATCH(name, ...) \
	(__builtin_cpu_supports("avx512f") ? avx512_##name(__VA_ARGS__) : __builtin_cpu_supports("avx2") ? avx2_##name(__VA_ARGS__) : portable_##name(__VA_ARGS__))
#else
#define DISPATCH(name, ...) portable_##name(__VA_ARGS__)
#endif

/* ---------------------------------------------------------------- rows */

/* As many floats as vectors of a row have. */
static uint64_t whole(uint64_t n)
{
	return (n + VECTOR - 1) / VECTOR * VECTOR;
}

/* Floats from row to row: of x, with what is left and right of it; of the outputs' derivatives, with as many zeros on both sides as a row of the window has weights beside one. */
static uint64_t pitch_in(const struct window *w)
{
	return whole(w->out[2]) + VECTOR;
}

static uint64_t pitch_out(const struct window *w)
{
	uint64_t to_inputs = whole(w->in[2]) + (uint64_t)w->pad[2], to_weights = whole(w->out[2]);

	return (to_inputs > to_weights ? to_inputs : to_weights) + VECTOR;
}

bool depthwise_takes(const struct window *w)
{
	return w->stride[2] == 1 && w->dilation[2] == 1 && w->kernel[2] <= MOST_TAPS && w->kernel[0] * (uint64_t)w->kernel[1] <= MOST_ROWS &&
	       w->pad[2] >= 0 && w->pad[2] < w->kernel[2];
}

size_t depthwise_scratch(const struct window *w)
{
	return ((size_t)w->in[0] * w->in[1] + 1) * pitch_in(w);
}

size_t depthwise_back_scratch(const struct window *w)
{
	return depthwise_scratch(w) + ((size_t)w->out[0] * w->out[1] + 1) * pitch_out(w);
}

static void pad_rows(const float *x, uint64_t rows, uint32_t n, uint64_t left, uint64_t pitch, float *to)
{
	for (uint64_t r = 0; r < rows; r++, x += n, to += pitch) {
		uint64_t most = pitch - left < n ? pitch - left : n;

		memset(to, 0, left * sizeof(*to));
		memcpy(to + left, x, most * sizeof(*to));
		memset(to + left + most, 0, (pitch - left - most) * sizeof(*to));
	}
}

/* Where the weights of row k see output row o of this dimension: the row of the input, if there is one. */
static bool sees(const struct window *w, unsigned int d, uint32_t o, uint32_t k, uint32_t *in)
{
	int64_t at = (int64_t)o * w->stride[d] + (int64_t)k * w->dilation[d] - w->pad[d];

	*in = (uint32_t)at;
	return at >= 0 && at < w->in[d];
}

/* The output row that sees input row `in` by the weights of row k, if there is one. */
static bool seen_by(const struct window *w, unsigned int d, uint32_t in, uint32_t k, uint32_t *o)
{
	int64_t at = (int64_t)in + w->pad[d] - (int64_t)k * w->dilation[d];

	*o = (uint32_t)(at / w->stride[d]);
	return at >= 0 && at % w->stride[d] == 0 && at / w->stride[d] < w->out[d];
}

void depthwise_run(const struct window *w, const float *x, const float *weight, float bias, float *y, float *scratch)
{
	uint64_t pitch = pitch_in(w), n = whole(w->out[2]);
	float *line = scratch + (uint64_t)w->in[0] * w->in[1] * pitch;

	pad_rows(x, (uint64_t)w->in[0] * w->in[1], w->in[2], (uint64_t)w->pad[2], pitch, scratch);
	for (uint32_t oz = 0; oz < w->out[0]; oz++) {
		for (uint32_t oy = 0; oy < w->out[1]; oy++, y += w->out[2]) {
			struct taps row[MOST_ROWS];
			unsigned int rows = 0;
			uint32_t iz, iy;

			for (uint32_t kz = 0; kz < w->kernel[0]; kz++)
				for (uint32_t ky = 0; ky < w->kernel[1]; ky++)
					if (sees(w, 0, oz, kz, &iz) && sees(w, 1, oy, ky, &iy))
						row[rows++] = (struct taps){ scratch + ((uint64_t)iz * w->in[1] + iy) * pitch, weight + (kz * w->kernel[1] + ky) * w->kernel[2] };
			DISPATCH(sum, line, n, bias, row, rows, w->kernel[2]);
			memcpy(y, line, w->out[2] * sizeof(*y));
		}
	}
}

/* ---------------------------------------------------------------- derivatives */

/* d: rows of dy with kernel[2] - 1 zeros before them. */
static void back_to_inputs(const struct window *w, const float *weight, const float *d, float *dx, float *line)
{
	uint64_t pitch = pitch_out(w), n = whole(w->in[2]);
	uint32_t taps = w->kernel[2];
	float turned[MOST_ROWS][MOST_TAPS];

	for (uint32_t k = 0; k < w->kernel[0] * w->kernel[1]; k++)
		for (uint32_t i = 0; i < taps; i++)
			turned[k][i] = weight[k * taps + taps - 1 - i];
	for (uint32_t iz = 0; iz < w->in[0]; iz++) {
		for (uint32_t iy = 0; iy < w->in[1]; iy++, dx += w->in[2]) {
			struct taps row[MOST_ROWS];
			unsigned int rows = 0;
			uint32_t oz, oy;

			for (uint32_t kz = 0; kz < w->kernel[0]; kz++)
				for (uint32_t ky = 0; ky < w->kernel[1]; ky++)
					if (seen_by(w, 0, iz, kz, &oz) && seen_by(w, 1, iy, ky, &oy))
						row[rows++] = (struct taps){ d + ((uint64_t)oz * w->out[1] + oy) * pitch + w->pad[2], turned[kz * w->kernel[1] + ky] };
			if (!rows)
				continue;
			DISPATCH(sum, line, n, 0, row, rows, taps);
			for (uint32_t i = 0; i < w->in[2]; i++)
				dx[i] += line[i];
		}
	}
}

static void back_to_weights(const struct window *w, const float *x, const float *d, float *dw)
{
	uint64_t n = whole(w->out[2]);
	uint32_t taps = w->kernel[2];

	for (uint32_t kz = 0; kz < w->kernel[0]; kz++) {
		for (uint32_t ky = 0; ky < w->kernel[1]; ky++, dw += taps) {
			float sums[MOST_TAPS][VECTOR] = { 0 };
			uint32_t iz, iy;

			for (uint32_t oz = 0; oz < w->out[0]; oz++)
				for (uint32_t oy = 0; oy < w->out[1]; oy++)
					if (sees(w, 0, oz, kz, &iz) && sees(w, 1, oy, ky, &iy))
						DISPATCH(outer, sums, d + ((uint64_t)oz * w->out[1] + oy) * pitch_out(w) + taps - 1,
							 x + ((uint64_t)iz * w->in[1] + iy) * pitch_in(w), n, taps);
			for (uint32_t k = 0; k < taps; k++)
				for (unsigned int i = 0; i < VECTOR; i++)
					dw[k] += sums[k][i];
		}
	}
}

void depthwise_back(const struct window *w, const float *x, const float *weight, const float *dy, float *dx, float *dw, float *scratch)
{
	float *rows_in = scratch, *rows_out = rows_in + depthwise_scratch(w), *line = rows_out + (uint64_t)w->out[0] * w->out[1] * pitch_out(w);

	pad_rows(dy, (uint64_t)w->out[0] * w->out[1], w->out[2], w->kernel[2] - 1, pitch_out(w), rows_out);
	if (dw) {
		pad_rows(x, (uint64_t)w->in[0] * w->in[1], w->in[2], (uint64_t)w->pad[2], pitch_in(w), rows_in);
		back_to_weights(w, rows_in, rows_out, dw);
	}
	if (dx)
		back_to_inputs(w, weight, rows_out, dx, line);
}
