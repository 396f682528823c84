// SPDX-License-Identifier: GPL-2.0 OR MIT
/* Convolutions and pooling of every level of kernels that this processor has, in int16 and int8, against their definitions, pixel by pixel (random_model.h). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <eie_hw.h>
#include <math.h>
#include "cpu.h"
#include "cpu_conv.h"
#include "cpu_fc.h"
#include "narrow.h"
#include "random_model.h"
#include "window.h"

static struct accel_model *one_conv(const struct accel_window *w, uint32_t rows, double density, unsigned int bits, uint64_t seed)
{
	const uint32_t dims[] = { w->channels, w->height, w->width };
	struct accel_error err = { 0 };
	struct accel_graph *g;
	struct accel_model *m;
	unsigned int in;

	random_check(accel_graph_new(&g), &err);
	random_check(accel_graph_input(g, "in", 3, dims, -1, 1, &in, &err), &err);
	random_any_layer(g, &seed, "conv", in, rows, window_columns(w), density, bits, 1, w);
	random_check(accel_graph_finish(g, &m, &err), &err);
	accel_graph_free(g);
	return m;
}

static struct accel_model *one_pool(const struct accel_window *w, bool average)
{
	const uint32_t dims[] = { w->channels, w->height, w->width };
	struct accel_error err = { 0 };
	struct accel_graph *g;
	struct accel_model *m;
	unsigned int in, out;

	random_check(accel_graph_new(&g), &err);
	random_check(accel_graph_input(g, "in", 3, dims, -1, 1, &in, &err), &err);
	random_check(average ? accel_graph_add_average_pool(g, "pool", in, w, &out, &err) : accel_graph_add_max_pool(g, "pool", in, w, &out, &err), &err);
	random_check(accel_graph_finish(g, &m, &err), &err);
	accel_graph_free(g);
	return m;
}

/* want_macs NULL: they are not counted. */
static void run_level(const struct accel_model *m, unsigned int batch, struct pool *pool, int16_t **want, const uint64_t *want_macs, uint64_t want_saturated)
{
	const unsigned int last = m->outputs[0];
	const struct accel_tensor *in = &m->tensors[m->inputs[0]], *out = &m->tensors[last];
	uint64_t saturated = 1;
	struct accel_cpu *cpu;

	assert_int_equal(accel_cpu_new(m, batch, pool, NULL, &cpu, NULL), 0);
	assert_int_equal(accel_cpu_products(cpu), 0);
	memcpy(accel_cpu_tensor(cpu, m->inputs[0]), want[m->inputs[0]], batch * in->count * sizeof(int16_t));
	/* twice: nothing of the first run may stay */
	accel_cpu_run(cpu, want_macs, &saturated);
	memset(accel_cpu_tensor(cpu, last), 0x55, batch * out->count * sizeof(int16_t));
	accel_cpu_run(cpu, want_macs, &saturated);
	assert_memory_equal(accel_cpu_tensor(cpu, last), want[last], batch * out->count * sizeof(int16_t));
	/* the next inputs may be there when products are asked for, and they may be asked for twice */
	memset(accel_cpu_tensor(cpu, m->inputs[0]), 0, batch * in->count * sizeof(int16_t));
	for (int turn = 0; turn < 2; turn++)
		assert_int_equal(accel_cpu_products(cpu), want_macs ? *want_macs : 0);
	assert_int_equal(saturated, want_saturated);
	accel_cpu_free(cpu);
}

/* Every level against the definition, with any inputs or, extreme, the ends of their range. */
static void compare(const struct accel_model *m, unsigned int batch, uint64_t seed, bool extreme, bool counts)
{
	const struct accel_tensor *in = &m->tensors[m->inputs[0]];
	struct pool *pool = pool_new(3);
	int16_t **values = calloc(m->ntensors, sizeof(*values));
	uint64_t macs = 0, saturated = 0;

	assert_non_null(pool);
	assert_non_null(values);
	values[m->inputs[0]] = random_values(seed, in, batch);
	for (uint64_t i = 0; extreme && i < batch * in->count; i++)
		values[m->inputs[0]][i] = i % 3 ? in->hi : in->lo;
	dense_run(m, batch, values, &macs, &saturated);
	for (unsigned int i = 0; cpu_fc_levels[i]; i++) {
		if (!cpu_fc_levels[i]->usable())
			continue;
		assert_int_equal(setenv("EIE_CPU_LEVEL", cpu_fc_levels[i]->name, 1), 0);
		run_level(m, batch, NULL, values, counts ? &macs : NULL, saturated);
		run_level(m, batch, pool, values, counts ? &macs : NULL, saturated);
	}
	unsetenv("EIE_CPU_LEVEL");
	for (unsigned int t = 0; t < m->ntensors; t++)
		free(values[t]);
	free(values);
	pool_free(pool);
}

/* Weights of +-limit, and any scales. */
static void make_extreme(struct accel_model *m, uint64_t *seed, int16_t limit)
{
	for (unsigned int l = 0; l < m->nlayers; l++) {
		struct accel_layer *layer = &m->layers[l];

		for (unsigned int i = 1; i < layer->ncodes; i++)
			layer->codebook_q[i] = i % 3 ? limit : (int16_t)-limit;
		/* kernels multiply otherwise where all shifts are 17 to 32 */
		const bool any = random_next(seed) % 2;

		for (uint32_t r = 0; r < layer->rows; r++) {
			layer->mult[r] = (uint16_t)(random_next(seed) | 1);
			layer->shift[r] = (uint8_t)(any ? 1 + random_next(seed) % 47 : 17 + random_next(seed) % 16);
		}
	}
}

/* extreme: values at the ends of int16, so that sums wrap. */
static void check(struct accel_model *m, unsigned int batch, uint64_t seed, bool extreme)
{
	if (extreme) {
		make_extreme(m, &seed, 32767);
		m->tensors[m->inputs[0]].lo = m->tensors[m->outputs[0]].lo = -32767;
		m->tensors[m->inputs[0]].hi = m->tensors[m->outputs[0]].hi = 32767;
	}
	compare(m, batch, seed, extreme, true);
	accel_model_unref(m);
}

/* The same in the int8 mode. both: outputs of every other layer have both signs. extreme: biases are, too. */
static void check_narrow(struct accel_model *m, unsigned int batch, uint64_t seed, bool both, bool extreme)
{
	struct accel_error err = { 0 };
	struct accel_model *n;

	for (unsigned int l = 0; both && l < m->nlayers; l += 2)
		m->layers[l].activation = ACCEL_ACT_NONE;
	random_check(narrow_new(m, &n, &err), &err);
	if (extreme)
		make_extreme(n, &seed, 127);
	for (unsigned int l = 0; extreme && l < n->nlayers; l++)
		for (uint32_t r = 0; r < n->layers[l].rows; r++)
			n->layers[l].bias_q[r] = r % 2 ? INT32_MAX : INT32_MIN;
	assert_true(both || n->tensors[n->outputs[0]].scale == m->tensors[m->outputs[0]].scale);
	assert_true(n->inputs[0] == n->layers[0].input && (narrow_tensor(&n->tensors[n->inputs[0]]) || accel_layer_pools(&m->layers[0])));
	compare(n, batch, seed, extreme, false);
	narrow_free(n);
	accel_model_unref(m);
}

/* channels, height, width, kernel, stride, dilation (y and x each), padding above and left, outputs, groups */
static const struct accel_window convs[] = {
	{ 16, 13, 13, 1, 1, 1, 1, 1, 1, 0, 0, 13, 13, 1 },    /* 1x1, no line ends with a vector */
	{ 7, 16, 16, 1, 1, 1, 1, 1, 1, 0, 0, 16, 16, 1 },     /* an odd number of channels */
	{ 5, 9, 140, 3, 3, 1, 1, 1, 1, 1, 1, 9, 140, 1 },     /* lines of several tiles */
	{ 3, 40, 37, 7, 7, 2, 2, 1, 1, 0, 0, 17, 16, 1 },     /* as the first layer of SqueezeNet */
	{ 4, 20, 23, 3, 5, 3, 2, 2, 3, 4, 5, 8, 11, 1 },      /* all different in both directions */
	{ 12, 8, 8, 3, 3, 1, 1, 1, 1, 1, 1, 8, 8, 12 },       /* depthwise */
	{ 12, 9, 7, 3, 3, 2, 2, 1, 1, 1, 1, 5, 4, 3 },        /* groups that share a word of two channels */
	{ 2, 1, 1, 1, 1, 1, 1, 1, 1, 0, 0, 1, 1, 1 },         /* one pixel */
	{ 2, 3, 3, 3, 3, 1, 1, 1, 1, 9, 9, 20, 20, 1 },       /* more padding than image */
	{ 3, 11, 33, 2, 2, 4, 5, 1, 1, 0, 0, 3, 7, 1 },       /* strides beyond the kernel */
	{ 150, 12, 31, 3, 3, 1, 1, 1, 1, 1, 1, 12, 31, 1 },   /* more channels than the first-level cache holds, and taps at every place of a vector */
	{ 600, 6, 21, 1, 1, 1, 1, 1, 1, 0, 0, 6, 21, 1 },
};

static struct accel_model *wide(void)
{
	return one_conv(&convs[sizeof(convs) / sizeof(convs[0]) - 2], 64, 0.3, 4, 1);
}

static struct accel_model *deep(void)
{
	return one_conv(&convs[sizeof(convs) / sizeof(convs[0]) - 1], 64, 0.5, 4, 1);
}

/* Blocks of channels; that the layouts have them is asserted, too. */
static void test_blocks(void **state)
{
#if defined(__x86_64__)
	static const struct cpu_image plain = { .each = 2 };
	struct accel_model *m = wide();
	struct conv_layout *l;

	assert_int_equal(conv_layout_new(&m->layers[0], &plain, &plain, 16, 6, &l), 0);
	assert_true(l->nblocks > 1);
	conv_layout_free(l);
	accel_model_unref(m);
	m = deep();
	assert_int_equal(conv_layout_new(&m->layers[0], &plain, &plain, 16, 6, &l), 0);
	assert_true(l->nblocks > 1);
	conv_layout_free(l);
	accel_model_unref(m);
#endif
	(void)state;
	check(wide(), 2, 1, false);
	check(wide(), 1, 2, true);
	check(deep(), 2, 3, false);
	check(deep(), 1, 4, true);
	check_narrow(wide(), 2, 5, false, false);
	check_narrow(deep(), 1, 6, false, true);
}

static void test_convolutions(void **state)
{
	static const double densities[] = { 0, 0.05, 0.3, 1 };

	(void)state;
	for (size_t i = 0; i < sizeof(convs) / sizeof(convs[0]); i++)
		for (unsigned int d = 0; d < 4; d++)
			check(one_conv(&convs[i], convs[i].groups * (1 + d * 3), densities[d], d % 2 ? 8 : 4, i), 1 + (i + d) % 3, i + d, false);
}

static void test_wrapping_sums(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(convs) / sizeof(convs[0]); i++)
		check(one_conv(&convs[i], convs[i].groups * 5, 0.9, 4, i), 2, i, true);
}

static const struct accel_window pools[] = {
	{ 5, 27, 55, 3, 3, 2, 2, 1, 1, 0, 0, 13, 27, 1 },
	{ 3, 13, 70, 3, 3, 1, 1, 1, 1, 1, 1, 13, 70, 1 },
	{ 4, 13, 13, 13, 13, 1, 1, 1, 1, 0, 0, 1, 1, 1 },
	{ 2, 17, 80, 2, 3, 3, 2, 2, 3, 1, 2, 6, 39, 1 },
	{ 2, 6, 6, 2, 2, 2, 2, 1, 1, 7, 9, 10, 10, 1 },   /* windows that lie in the padding as a whole */
	{ 1, 30, 30, 3, 3, 4, 5, 1, 1, 2, 2, 8, 6, 1 },
};

static void test_pooling(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(pools) / sizeof(pools[0]); i++) {
		check(one_pool(&pools[i], false), 2, i, false);
		check(one_pool(&pools[i], true), 2, i, false);
	}
}

static unsigned int add_conv(struct accel_graph *g, uint64_t *seed, const char *name, unsigned int in, uint32_t rows, const struct accel_window *w)
{
	return random_any_layer(g, seed, name, in, rows, window_columns(w), 0.4, *seed % 2 ? 8 : 4, 1, w);
}

/*
 * Images that stay packed between layers: margins that several readers ask for, odd numbers of channels, strides that need a copy, and concatenations, of which one whose
 * first part ends in the middle of a word is not packed.
 */
static struct accel_model *chain(uint64_t seed, bool odd_first)
{
	static const uint32_t dims[] = { 5, 43, 37 };
	const struct accel_window first = { 5, 43, 37, 3, 3, 1, 1, 1, 1, 1, 1, 43, 37, 1 }, pool = { 18, 43, 37, 3, 3, 2, 2, 1, 1, 0, 0, 21, 18, 1 };
	const struct accel_window squeeze = { 18, 21, 18, 1, 1, 1, 1, 1, 1, 0, 0, 21, 18, 1 }, one = { 6, 21, 18, 1, 1, 1, 1, 1, 1, 0, 0, 21, 18, 1 };
	const struct accel_window three = { 6, 21, 18, 3, 3, 1, 1, 1, 1, 1, 1, 21, 18, 1 }, same = { 15, 21, 18, 3, 3, 1, 1, 1, 1, 1, 1, 21, 18, 1 };
	const struct accel_window far = { 15, 21, 18, 5, 5, 2, 2, 1, 1, 2, 2, 11, 9, 1 }, each = { 9, 11, 9, 3, 3, 1, 1, 1, 1, 1, 1, 11, 9, 9 };
	const struct accel_window mean = { 9, 11, 9, 2, 2, 1, 1, 1, 1, 1, 1, 12, 10, 1 }, wide = { 9, 12, 10, 1, 1, 1, 1, 1, 1, 1, 2, 14, 14, 1 };
	const struct accel_window all = { 21, 14, 14, 14, 14, 1, 1, 1, 1, 0, 0, 1, 1, 1 };
	struct accel_error err = { 0 };
	struct accel_graph *g;
	struct accel_model *m;
	unsigned int t, parts[2];

	random_check(accel_graph_new(&g), &err);
	random_check(accel_graph_input(g, "in", 3, dims, -1, 1, &t, &err), &err);
	t = add_conv(g, &seed, "first", t, 18, &first);
	random_check(accel_graph_add_max_pool(g, "pool", t, &pool, &t, &err), &err);
	t = add_conv(g, &seed, "squeeze", t, 6, &squeeze);
	parts[odd_first] = add_conv(g, &seed, "one", t, 8, &one);
	parts[!odd_first] = add_conv(g, &seed, "three", t, 7, &three);
	random_check(accel_graph_add_concat(g, "join", 2, parts, &t, &err), &err);
	random_check(accel_graph_add_max_pool(g, "same", t, &same, &t, &err), &err);
	t = add_conv(g, &seed, "far", t, 9, &far);
	t = add_conv(g, &seed, "each", t, 9, &each);
	random_check(accel_graph_add_average_pool(g, "mean", t, &mean, &t, &err), &err);
	t = add_conv(g, &seed, "wide", t, 21, &wide);
	random_check(accel_graph_add_average_pool(g, "all", t, &all, &t, &err), &err);
	random_check(accel_graph_finish(g, &m, &err), &err);
	accel_graph_free(g);
	return m;
}

static void test_packed_chains(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed < 7; seed++) {
		check(chain(seed, false), 1 + seed % 3, seed, false);
		check(chain(seed, true), 1 + seed % 2, seed, false);
	}
}

/* A layer between two convolutions, so that it reads and writes images of eight bits. */
static struct accel_model *between(const struct accel_window *w, int pool, uint32_t rows, double density, uint64_t seed)
{
	const struct accel_window before = { 3, w->height, w->width, 1, 1, 1, 1, 1, 1, 0, 0, w->height, w->width, 1 };
	const struct accel_window behind = { rows, w->out_height, w->out_width, 1, 1, 1, 1, 1, 1, 0, 0, w->out_height, w->out_width, 1 };
	const uint32_t dims[] = { 3, w->height, w->width };
	struct accel_error err = { 0 };
	struct accel_graph *g;
	struct accel_model *m;
	unsigned int t;

	random_check(accel_graph_new(&g), &err);
	random_check(accel_graph_input(g, "in", 3, dims, -1, 1, &t, &err), &err);
	t = random_any_layer(g, &seed, "before", t, w->channels, 3, 1, 4, 1, &before);
	if (pool)
		random_check(pool > 1 ? accel_graph_add_average_pool(g, "pool", t, w, &t, &err) : accel_graph_add_max_pool(g, "pool", t, w, &t, &err), &err);
	else
		t = random_any_layer(g, &seed, "conv", t, rows, window_columns(w), density, seed % 2 ? 8 : 4, 1, w);
	t = random_any_layer(g, &seed, "behind", t, 5, rows, 1, 4, 1, &behind);
	random_check(accel_graph_finish(g, &m, &err), &err);
	accel_graph_free(g);
	return m;
}

/* A hard swish, whose input keeps 16 bits, and channels multiplied by factors of their own. */
static struct accel_model *elements(uint64_t seed)
{
	static const uint32_t dims[] = { 6, 9, 11 };
	const struct accel_function swish = { .name = "HardSwish", .factor = 1 };
	const struct accel_window three = { 6, 9, 11, 3, 3, 1, 1, 1, 1, 1, 1, 9, 11, 1 }, mean = { 6, 9, 11, 9, 11, 1, 1, 1, 1, 0, 0, 1, 1, 1 };
	const struct accel_window one = { 6, 1, 1, 1, 1, 1, 1, 1, 1, 0, 0, 1, 1, 1 };
	struct accel_error err = { 0 };
	struct accel_graph *g;
	struct accel_model *m;
	unsigned int t, factors;

	random_check(accel_graph_new(&g), &err);
	random_check(accel_graph_input(g, "in", 3, dims, -1, 1, &t, &err), &err);
	t = add_conv(g, &seed, "first", t, 6, &three);
	random_check(accel_graph_add_table(g, "swish", t, &swish, &t, &err), &err);
	random_check(accel_graph_add_average_pool(g, "mean", t, &mean, &factors, &err), &err);
	factors = add_conv(g, &seed, "factors", factors, 6, &one);
	random_check(accel_graph_add_multiply(g, "times", t, factors, ACCEL_ACT_NONE, &t, &err), &err);
	add_conv(g, &seed, "last", t, 5, &three);
	random_check(accel_graph_finish(g, &m, &err), &err);
	accel_graph_free(g);
	return m;
}

static void test_eight_bits(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed < 5; seed++)
		check_narrow(elements(seed), 1 + seed % 2, seed, false, false);
	for (size_t i = 0; i < sizeof(convs) / sizeof(convs[0]); i++) {
		for (unsigned int d = 0; d < 3; d++) {
			const uint32_t rows = convs[i].groups * (1 + 4 * d);

			check_narrow(between(&convs[i], 0, rows, 0.2 + 0.4 * d, i + d), 1 + (i + d) % 3, i, d % 2, false);
			check_narrow(between(&convs[i], 0, rows, 0.9, i + d), 2, i, d % 2, true);
		}
		check_narrow(one_conv(&convs[i], convs[i].groups * 5, 0.6, 4, i), 2, i, i % 2, false);
	}
	for (size_t i = 0; i < sizeof(pools) / sizeof(pools[0]); i++) {
		for (unsigned int both = 0; both < 2; both++) {
			check_narrow(between(&pools[i], 1, pools[i].channels, 1, i), 2, i, both, false);
			check_narrow(between(&pools[i], 1, pools[i].channels, 1, i), 1, i, both, true);
			check_narrow(between(&pools[i], 2, pools[i].channels, 1, i), 2, i, both, false);
		}
	}
	for (uint64_t seed = 1; seed < 7; seed++) {
		check_narrow(chain(seed, false), 1 + seed % 3, seed, seed % 2, false);
		check_narrow(chain(seed, true), 1 + seed % 2, seed, seed % 2, seed % 3 == 0);
	}
}

/* Reals as inputs: halves of steps, infinities, what the clamp cuts, and nothing behind the last. */
static void test_quantised(void **state)
{
	enum { MOST = 70 };
	const float scale = 1.0f / 3;
	uint64_t seed = 5;

	(void)state;
	for (unsigned int l = 0; cpu_fc_levels[l]; l++) {
		for (uint32_t n = 0; cpu_fc_levels[l]->usable() && n < MOST; n++) {
			int16_t q[MOST + 1];
			float x[MOST];

			for (uint32_t i = 0; i < n; i++)
				x[i] = i % 9 == 8 ? (i % 2 ? INFINITY : -INFINITY)
						  : ((float)(random_next(&seed) % 3000) - 1500) / (i % 3 ? 2 : 7.3f) * (i % 5 ? scale : 40);
			q[n] = 77;
			cpu_lines_level(cpu_fc_levels[l]->name)->quantise(x, n, scale, -900, 1000, q);
			for (uint32_t i = 0; i < n; i++) {
				double step = rint((double)x[i] / (double)scale);

				assert_int_equal(q[i], (int)(step < -900 ? -900 : step > 1000 ? 1000 : step));
			}
			assert_int_equal(q[n], 77);
		}
	}
}

/* All values through tables, of lines of any length; and nothing behind the last. */
static void test_interpolated(void **state)
{
	enum { ALL = 65536 };
	int16_t *x = malloc(ALL * sizeof(*x)), *y = malloc((ALL + 1) * sizeof(*y)), table[EIE_TABLE_VALUES];
	uint64_t seed = 6;

	(void)state;
	assert_non_null(x);
	assert_non_null(y);
	for (uint32_t i = 0; i < ALL; i++)
		x[i] = (int16_t)(i * 7 + 5);
	for (unsigned int l = 0; cpu_fc_levels[l]; l++) {
		for (uint32_t n = 0; cpu_fc_levels[l]->usable() && n <= ALL; n += n < 70 ? 1 : ALL - 70) {
			for (uint32_t i = 0; i < EIE_TABLE_VALUES; i++)
				table[i] = n % 3 ? (int16_t)random_next(&seed) : i % 2 ? INT16_MAX : INT16_MIN;
			y[n] = 77;
			cpu_lines_level(cpu_fc_levels[l]->name)->interpolate(table, x, n, y);
			for (uint32_t i = 0; i < n; i++) {
				const int32_t at = x[i] + 32768, step = table[at / 256 + 1] - table[at / 256];

				assert_int_equal(y[i], table[at / 256] + (int32_t)floor((step * (at % 256) + 128) / 256.0));
			}
			assert_int_equal(y[n], 77);
		}
	}
	free(x);
	free(y);
}

/* Products of lines of any length by a factor or by factors, of all shifts, with clamps at the ends and within. */
static void test_products(void **state)
{
	enum { MOST = 70 };
	uint64_t seed = 7;

	(void)state;
	for (unsigned int l = 0; cpu_fc_levels[l]; l++) {
		for (uint32_t turn = 0; cpu_fc_levels[l]->usable() && turn < 47 * MOST; turn++) {
			const struct cpu_scale s = {
				.mult = (uint16_t)random_next(&seed), .shift = (uint8_t)(1 + turn % 47),
				.lo = turn % 3 ? -32767 : -5, .hi = turn % 5 ? 32767 : 900,
			};
			const uint32_t n = turn / 47, step = turn % 2;
			uint64_t saturated = 3, want = 3;
			int16_t a[MOST], b[MOST], y[MOST + 1];

			for (uint32_t i = 0; i < n; i++) {
				a[i] = (int16_t)random_next(&seed);
				b[i] = i % 7 ? (int16_t)random_next(&seed) : INT16_MIN;
			}
			b[0] = (int16_t)random_next(&seed);
			y[n] = 77;
			cpu_lines_level(cpu_fc_levels[l]->name)->product(&s, a, b, step, n, y, &saturated);
			for (uint32_t i = 0; i < n; i++) {
				const double half = ldexp(1, s.shift - 1), v = floor(((double)a[i] * b[i * step] * s.mult + half) / ldexp(1, s.shift));

				assert_int_equal(y[i], (int)(v < s.lo ? s.lo : v > s.hi ? s.hi : v));
				want += (v < s.lo && s.lo == -32767) || (v > s.hi && s.hi == 32767);
			}
			assert_int_equal(y[n], 77);
			assert_int_equal(saturated, want);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_blocks),
		cmocka_unit_test(test_convolutions),
		cmocka_unit_test(test_wrapping_sums),
		cmocka_unit_test(test_pooling),
		cmocka_unit_test(test_packed_chains),
		cmocka_unit_test(test_eight_bits),
		cmocka_unit_test(test_quantised),
		cmocka_unit_test(test_interpolated),
		cmocka_unit_test(test_products),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
