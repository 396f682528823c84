// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Kernels of fully connected layers without the rest of the library, so that they can be built for another architecture and run under qemu-user. Every level that
 * the processor has, against dense sums in 64 bits: random layers, all sizes around those of slices and windows, sums that wrap.
 *     fc_levels LEVEL...    exits with 1 as well when one of these levels is not there
 */
#include "cpu_fc.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NCODES_MAX 256

static uint64_t state = 88172645463325252u;

static uint32_t next(void)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return (uint32_t)(state >> 32);
}

static void *get(size_t bytes)
{
	void *p = calloc(1, bytes + 1);

	if (!p) {
		fprintf(stderr, "fc_levels: out of memory\n");
		exit(2);
	}
	return p;
}

/* Bits of the numbers: full, or at the ends of their types. */
static int16_t number(bool extreme)
{
	return extreme ? (next() % 2 ? 32767 : -32767) : (int16_t)(next() % 65535 - 32767);
}

static struct accel_layer *layer_new(uint32_t rows, uint32_t cols, unsigned int ncodes, uint32_t per_mille, bool extreme)
{
	struct accel_layer *l = get(sizeof(*l));

	*l = (struct accel_layer){ .kind = ACCEL_LAYER_FC, .rows = rows, .cols = cols, .ncodes = ncodes };
	l->rowptr = get((rows + (size_t)1) * sizeof(*l->rowptr));
	l->col = get((size_t)rows * cols * sizeof(*l->col));
	l->code = get((size_t)rows * cols);
	l->codebook_q = get(NCODES_MAX * sizeof(*l->codebook_q));
	l->bias_q = get(rows * sizeof(*l->bias_q));
	l->mult = get(rows * sizeof(*l->mult));
	l->shift = get(rows);
	for (unsigned int i = 1; i < ncodes; i++)
		l->codebook_q[i] = number(extreme);
	for (uint32_t r = 0; r < rows; r++) {
		/* uneven rows, some of them empty */
		uint32_t share = r % 11 == 3 ? 0 : r % 7 == 2 ? 3 * per_mille : per_mille;

		for (uint32_t c = 0; c < cols; c++) {
			if (next() % 1000 >= share)
				continue;
			l->col[l->nnz] = c;
			l->code[l->nnz++] = (uint8_t)(1 + next() % (ncodes - 1));
		}
		l->rowptr[r + 1] = (uint32_t)l->nnz;
		l->bias_q[r] = (int32_t)next();
		l->mult[r] = (uint16_t)next();
		l->shift[r] = (uint8_t)(1 + next() % 47);
	}
	return l;
}

static void layer_free(struct accel_layer *l)
{
	free(l->rowptr);
	free(l->col);
	free(l->code);
	free(l->codebook_q);
	free(l->bias_q);
	free(l->mult);
	free(l->shift);
	free(l);
}

/* Row r of one item, by the definition in docs/programmers_guide.md. */
static int16_t expected(const struct accel_layer *l, const struct accel_tensor *out, uint32_t r, const int16_t *x, uint64_t *macs,
			uint64_t *saturated)
{
	int64_t sum = l->bias_q[r], v;

	for (uint32_t i = l->rowptr[r]; i < l->rowptr[r + 1]; i++) {
		sum += (int64_t)l->codebook_q[l->code[i]] * x[l->col[i]];
		*macs += x[l->col[i]] != 0;
	}
	v = ((int64_t)(int32_t)(uint32_t)sum * l->mult[r] + (INT64_C(1) << (l->shift[r] - 1))) >> l->shift[r];
	*saturated += (v > out->hi && out->hi == 32767) || (v < out->lo && out->lo == -32767);
	return (int16_t)(v > out->hi ? out->hi : v < out->lo ? out->lo : v);
}

static bool check(const struct cpu_fc_level *level, struct accel_layer *l, unsigned int batch, bool extreme)
{
	const struct accel_tensor out = { .lo = (int16_t)(extreme ? -32767 : -(int)(next() % 20000)), .hi = extreme ? 32767 : 20000 };
	int16_t *x = get((size_t)batch * l->cols * sizeof(*x) + CPU_READ_BEHIND), *y = get((size_t)batch * l->rows * sizeof(*y));
	uint64_t want_macs = 0, macs = 0, want_saturated = 0, saturated = 0, wrong = 0;
	uint32_t *live = get(l->cols * sizeof(*live));
	struct cpu_fc_job job = { .layer = l, .out = &out, .x = x, .y = y, .batch = batch };
	void *weights = NULL;
	size_t bytes = 0;

	for (size_t i = 0; i < (size_t)batch * l->cols; i++)
		x[i] = next() % 2 && !extreme ? 0 : number(extreme);
	/* what is behind the activations does not count */
	memset(x + (size_t)batch * l->cols, 0x7f, CPU_READ_BEHIND);
	memset(y, 0x55, (size_t)batch * l->rows * sizeof(*y));
	for (uint64_t i = 0; i < l->nnz; i++)
		live[l->col[i]]++;
	if (level->build(l, &weights, &bytes)) {
		fprintf(stderr, "fc_levels: %s: out of memory\n", level->name);
		exit(2);
	}
	job.weights = weights;
	for (uint32_t t = 0; t < level->tasks(weights); t++)
		level->run(&job, t, &saturated);
	level->release(weights);
	for (unsigned int b = 0; b < batch; b++) {
		for (uint32_t r = 0; r < l->rows; r++)
			wrong += y[(size_t)b * l->rows + r] !=
				 expected(l, &out, r, x + (size_t)b * l->cols, &want_macs, &want_saturated);
		macs += level->live(x + (size_t)b * l->cols, live, l->cols);
	}
	free(x);
	free(y);
	free(live);
	if (!wrong && macs == want_macs && saturated == want_saturated)
		return true;
	fprintf(stderr, "%s: %u x %u, %u codes, batch %u, %s: %llu of %llu values wrong, %llu products (%llu), %llu saturated (%llu)\n", level->name,
		l->rows, l->cols, l->ncodes, batch, extreme ? "extreme" : "random", (unsigned long long)wrong,
		(unsigned long long)batch * l->rows, (unsigned long long)macs, (unsigned long long)want_macs,
		(unsigned long long)saturated, (unsigned long long)want_saturated);
	return false;
}

static unsigned int check_level(const struct cpu_fc_level *level)
{
	static const uint32_t rows[] = { 1, 7, 8, 9, 16, 17, 255, 300 }, cols[] = { 1, 31, 33, 64, 65, 600 };
	static const uint32_t per_mille[] = { 1, 40, 300, 1000 };
	unsigned int failed = 0, checks = 0;

	for (unsigned int i = 0; i < 8 * 6 * 4; i++) {
		bool extreme = i % 3 == 0;
		struct accel_layer *l = layer_new(rows[i % 8], cols[i / 8 % 6], i % 5 < 2 ? 256 : 2 + i % 15, per_mille[i / 48], extreme);

		if (level->takes && !level->takes(l)) {
			fprintf(stderr, "%s: does not take %u x %u\n", level->name, l->rows, l->cols);
			failed++;
		} else {
			failed += !check(level, l, 1 + i % 6, extreme);
		}
		checks++;
		layer_free(l);
	}
	printf("%s: %u of %u layers as they should be\n", level->name, checks - failed, checks);
	return failed;
}

int main(int argc, char **argv)
{
	unsigned int failed = 0;

	for (int a = 1; a < argc; a++) {
		const struct cpu_fc_level *level;
		struct accel_error err;

		if (cpu_fc_level(argv[a], &level, &err)) {
			fprintf(stderr, "fc_levels: %s\n", err.text);
			failed++;
		}
	}
	for (unsigned int i = 0; cpu_fc_levels[i]; i++)
		if (cpu_fc_levels[i]->usable())
			failed += check_level(cpu_fc_levels[i]);
	return failed != 0;
}
