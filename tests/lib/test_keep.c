// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Images that stay in the activation buffer from one layer to the next: that they do where there is room, that they do not where there is none, and that every bit is right either
 * way.
 *   test_keep [DEVICE ...]      (ref:8x8 and ref:2x2 unless given)
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <unistd.h>

#include "model_check.h"

static unsigned int conv(struct accel_graph *g, uint64_t *seed, const char *name, unsigned int input, uint32_t rows, const struct accel_window *w)
{
	uint32_t cols = w->channels * w->kernel_y * w->kernel_x;

	return random_any_layer(g, seed, name, input, rows, cols, cols < 400 ? 0.5 : 20.0 / cols, random_next(seed) % 2 ? 4 : 8, 1, w);
}

static unsigned int concat(struct accel_graph *g, const char *name, unsigned int a, unsigned int b)
{
	const unsigned int parts[] = { a, b };
	struct accel_error err = { 0 };
	unsigned int out;

	random_check(accel_graph_add_concat(g, name, 2, parts, &out, &err), &err);
	return out;
}

static void is_output(struct accel_graph *g, unsigned int tensor)
{
	struct accel_error err = { 0 };

	random_check(accel_graph_output(g, tensor, &err), &err);
}

/* The model's program for the device under test, and its bits on it. */
static struct accel_program *checked(struct accel_model *m, unsigned int batch)
{
	const struct accel_compile_options options = { .size = sizeof(options), .batch = batch };
	struct accel_program *program;
	struct accel_error err;

	check_model(m, batch, "device");
	if (accel_program_compile(m, device, &options, &program, &err))
		fail_msg("compile: %s", err.text);
	return program;
}

static uint64_t stored(const struct accel_program *p, const char *layer)
{
	for (unsigned int l = 0; l < p->model->nlayers; l++)
		if (!strcmp(p->places[l].layer, layer))
			return p->places[l].info.bytes_stored;
	fail_msg("no layer %s", layer);
	return 0;
}

static uint64_t stored_in_all(const struct accel_program *p)
{
	uint64_t bytes = 0;

	for (unsigned int l = 0; l < p->model->nlayers; l++)
		bytes += p->places[l].info.bytes_stored;
	return bytes;
}

/* An engine with room for all. */
static bool has_room(void)
{
	return device->params.abuf >= 32768;
}

/* Convolution, pooling, convolution: of three outputs the last alone is stored. */
static void test_chain(void **state)
{
	const struct accel_window first = same(5, 9, 12, 3), second = same(11, 5, 6, 1);
	const struct accel_window pooling = { 13, 9, 12, 3, 3, 2, 2, 1, 1, 1, 0, 5, 6, 1 }, third = same(13, 5, 6, 3);
	struct accel_error err = { 0 };

	(void)state;
	for (unsigned int batch = 1; batch <= 3; batch += 2) {
		uint64_t seed = batch;
		unsigned int in, x;
		struct accel_graph *g = image_graph(&first, &in);
		struct accel_program *p;
		struct accel_model *m;

		x = conv(g, &seed, "first", in, 13, &first);
		random_check(accel_graph_add_max_pool(g, "pool", x, &pooling, &x, &err), &err);
		x = conv(g, &seed, "third", x, 11, &third);
		conv(g, &seed, "last", x, 6, &second);
		m = finish(g);
		p = checked(m, batch);
		assert_int_equal(p->njobs, 1);
		if (has_room()) {
			assert_int_equal(stored_in_all(p), stored(p, "last"));
			assert_int_equal(p->scratch_bytes, 0);
		}
		accel_program_unref(p);
		accel_model_unref(m);
	}
}

/* Squeeze and excitation with a residual: one image waits while three others come and go. */
static struct accel_model *excited(uint32_t channels, uint32_t height, uint32_t width)
{
	const struct accel_window w = same(channels, height, width, 1), pixel = same(channels, 1, 1, 1), joined = same(2 * channels, height, width, 1);
	const struct accel_window whole = { channels, height, width, height, width, 1, 1, 1, 1, 0, 0, 1, 1, 1 };
	const struct accel_function swish = { .name = "HardSwish", .factor = 1 };
	struct accel_error err = { 0 };
	unsigned int in, x, s, y;
	uint64_t seed = channels;
	struct accel_graph *g = image_graph(&w, &in);

	x = conv(g, &seed, "first", in, channels, &w);
	random_check(accel_graph_add_table(g, "table", x, &swish, &x, &err), &err);
	random_check(accel_graph_add_average_pool(g, "average", x, &whole, &s, &err), &err);
	s = conv(g, &seed, "squeeze", s, channels, &pixel);
	s = conv(g, &seed, "excite", s, channels, &pixel);
	random_check(accel_graph_add_multiply(g, "multiply", x, s, ACCEL_ACT_NONE, &y, &err), &err);
	y = conv(g, &seed, "project", y, channels, &w);
	y = concat(g, "join", x, y);
	is_output(g, conv(g, &seed, "add", y, 4, &joined));
	return finish(g);
}

static void test_excitation(void **state)
{
	struct accel_model *m = excited(10, 7, 9);

	(void)state;
	for (unsigned int batch = 1; batch <= 2; batch++) {
		struct accel_program *p = checked(m, batch);

		if (has_room())
			assert_int_equal(stored_in_all(p), stored(p, "add"));
		assert_int_equal(p->njobs, 1);
		accel_program_unref(p);
	}
	accel_model_unref(m);
}

/* Images of every size up to more than the buffer holds: the same bits, and at the end nothing is kept. */
static void test_sizes(void **state)
{
	bool kept = false, none = false;

	(void)state;
	for (uint32_t side = 3; !none; side = side * 7 / 4) {
		const struct accel_window w = same(8, side, side + 1, 1);
		uint64_t seed = side;
		unsigned int in, x;
		struct accel_graph *g = image_graph(&w, &in);
		struct accel_program *p;
		struct accel_model *m;

		x = conv(g, &seed, "first", in, 8, &w);
		x = conv(g, &seed, "second", x, 8, &w);
		conv(g, &seed, "last", x, 8, &w);
		m = finish(g);
		p = checked(m, 1);
		kept |= !stored(p, "first") && !stored(p, "second");
		none = stored(p, "first") && stored(p, "second");
		accel_program_unref(p);
		accel_model_unref(m);
	}
	assert_true(kept);
}

/* What is an output of the network, or read by a fully connected layer, is in memory. */
static void test_needed_in_memory(void **state)
{
	const struct accel_window w = same(6, 5, 8, 3), small = same(7, 5, 8, 1);
	unsigned int in, x, y;
	uint64_t seed = 5;
	struct accel_graph *g = image_graph(&w, &in);
	struct accel_program *p;
	struct accel_model *m;

	(void)state;
	x = conv(g, &seed, "shown", in, 7, &w);
	is_output(g, x);
	y = conv(g, &seed, "kept", x, 6, &small);
	y = conv(g, &seed, "flat", y, 7, &w);
	is_output(g, random_layer(g, &seed, "fc", y, 12, 7 * 40, 0.2, 4, 1));
	m = finish(g);
	p = checked(m, 1);
	assert_true(stored(p, "shown") && stored(p, "flat") && stored(p, "fc"));
	if (has_room())
		assert_int_equal(stored(p, "kept"), 0);
	accel_program_unref(p);
	accel_model_unref(m);
}

/* Others wait for a long job to end: what would make one longer than PLAN_JOB_CYCLES is not kept. */
static void test_long_run(void **state)
{
	const struct accel_window w = same(64, 28, 28, 3);
	struct accel_program *program;
	unsigned int in, x, memory = 0;
	uint64_t seed = 2;
	struct accel_graph *g;
	struct accel_model *m;

	(void)state;
	if (!has_room())
		return;
	g = image_graph(&w, &in);
	x = in;
	for (unsigned int i = 0; i < 6; i++) {
		char name[16];

		snprintf(name, sizeof(name), "conv%u", i);
		x = random_any_layer(g, &seed, name, x, 64, 576, 0.5, 4, 1, &w);
	}
	m = finish(g);
	assert_int_equal(accel_program_compile(m, device, NULL, &program, NULL), 0);
	assert_true(race_free(program));
	assert_true(program->njobs > 1);
	for (unsigned int l = 0; l < m->nlayers; l++)
		memory += program->places[l].info.bytes_stored != 0;
	assert_int_equal(memory, program->njobs);
	accel_program_unref(program);
	accel_model_unref(m);
}

int main(int argc, char **argv)
{
	static char *defaults[] = { "ref:8x8", "ref:2x2" };
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_chain), cmocka_unit_test(test_excitation), cmocka_unit_test(test_sizes), cmocka_unit_test(test_needed_in_memory),
		cmocka_unit_test(test_long_run),
	};

	return each_device(argc, argv, defaults, tests);
}
