// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * The cost model against the simulated RTL: the nine layers of the EIE paper, random networks, SqueezeNet a layer a job. Cycles, what they went for, beats.
 *   test_cost                   on sim:8x8 and sim:2x2
 *   test_cost squeezenet        that alone, on sim:8x8: the simulator takes its time
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <math.h>
#include <unistd.h>

#include "cost_check.h"
#include "device.h"

/* Scalar mode is modelled cycle by cycle. */
static const struct cost_limit exactly = { 0.001, 2 };
/* Loads that meet what pooling writes, and stores what element-wise commands read, in ABUF's banks are not. */
static const struct cost_limit vector_limit = { 0.002, 10 };

static bool is_8x8(void)
{
	return device->params.clusters == 8;
}

static struct accel_compile_options options_of(unsigned int batch, bool stream, bool layer_jobs)
{
	return (struct accel_compile_options){ sizeof(struct accel_compile_options), batch, stream, layer_jobs };
}

/* Han et al., ISCA 2016, Table III: sizes, densities of weights. Half of the activations are zero here. */
static void test_nine_layers(void **state)
{
	static const struct {
		uint32_t in, out;
		double density;
	} layers[] = { { 9216, 4096, 0.09 }, { 4096, 4096, 0.09 }, { 4096, 1000, 0.25 }, { 25088, 4096, 0.04 }, { 4096, 4096, 0.04 },
		       { 4096, 1000, 0.23 }, { 4096, 600, 0.10 }, { 600, 8791, 0.11 }, { 1201, 2400, 0.10 } };
	const struct accel_compile_options options = options_of(1, false, false);

	(void)state;
	for (size_t i = 0; is_8x8() && i < sizeof(layers) / sizeof(layers[0]); i++) {
		const uint32_t sizes[] = { layers[i].in, layers[i].out };
		struct accel_model *m = random_chain(i + 1, 1, sizes, layers[i].density, 4, 1);

		cost_check(m, &options, &exactly);
		accel_model_unref(m);
	}
}

static void test_chains(void **state)
{
	static const uint32_t small[] = { 40, 24, 60, 7 }, large[] = { 300, 700, 90 };

	(void)state;
	for (unsigned int bits = 4; bits <= 8; bits += 4) {
		for (unsigned int batch = 1; batch <= 3; batch++) {
			for (unsigned int kind = 0; kind < 3; kind++) {
				const struct accel_compile_options options = options_of(batch, kind == 1, kind == 2);
				struct accel_model *m = random_chain(batch, 3, small, 0.3, bits, 1);

				cost_check(m, &options, &exactly);
				accel_model_unref(m);
				m = random_chain(bits, 2, large, 0.1, bits, 1.5);
				cost_check(m, &options, &exactly);
				accel_model_unref(m);
			}
		}
	}
}

/* Streamed weights without columns of zero activations. */
static void test_selected(void **state)
{
	static const uint32_t sizes[] = { 60, 700, 1100 };

	(void)state;
	for (unsigned int bits = 4; is_8x8() && bits <= 8; bits += 4) {
		const struct accel_compile_options options = options_of(1, true, false);
		struct accel_model *m = random_chain(bits, 2, sizes, bits == 4 ? 0.5 : 0.25, bits, 1);
		struct accel_program *p;
		struct accel_error err;

		random_check(accel_program_compile(m, device, &options, &p, &err), &err);
		assert_true(p->needs & EIE_FEATURE_SELECT);
		accel_program_unref(p);
		cost_check(m, &options, &exactly);
		accel_model_unref(m);
	}
}

static unsigned int conv(struct accel_graph *g, uint64_t *seed, const char *name, unsigned int input, uint32_t rows, double density, const struct accel_window *w)
{
	return random_any_layer(g, seed, name, input, rows, w->channels * w->kernel_y * w->kernel_x, density, random_next(seed) % 2 ? 4 : 8, 1, w);
}

/* Strided, pooled, squeezed and joined, excited, averaged, with a vector behind: all that vector mode has. */
static struct accel_model *network(uint64_t seed, uint32_t size)
{
	const uint32_t half = (size + 1) / 2, quarter = (half + 1) / 2;
	const struct accel_window first = { 3, size, size, 3, 3, 2, 2, 1, 1, 1, 1, half, half, 1 };
	const struct accel_window pool = { 24, half, half, 3, 3, 2, 2, 1, 1, 1, 1, quarter, quarter, 1 };
	const struct accel_window squeeze = same(24, quarter, quarter, 1), one = same(10, quarter, quarter, 1), three = same(10, quarter, quarter, 3);
	const struct accel_window all = { 46, quarter, quarter, quarter, quarter, 1, 1, 1, 1, 0, 0, 1, 1, 1 }, pixel = same(46, 1, 1, 1);
	const struct accel_window last = same(46, quarter, quarter, 1);
	const struct accel_function swish = { "HardSwish", 0, 0, 1, 0 };
	struct accel_error err = { 0 };
	unsigned int x, parts[2], y;
	struct accel_graph *g = image_graph(&first, &x);

	x = conv(g, &seed, "first", x, 24, 0.6, &first);
	random_check(accel_graph_add_max_pool(g, "pool", x, &pool, &x, &err), &err);
	x = conv(g, &seed, "squeeze", x, 10, 0.9, &squeeze);
	parts[0] = conv(g, &seed, "one", x, 22, 0.5, &one);
	parts[1] = conv(g, &seed, "three", x, 24, 0.3, &three);
	random_check(accel_graph_add_concat(g, "joined", 2, parts, &x, &err), &err);
	x = conv(g, &seed, "mixed", x, 46, 0.2, &last);
	random_check(accel_graph_add_average_pool(g, "mean", x, &all, &y, &err), &err);
	y = conv(g, &seed, "gate", y, 46, 0.4, &pixel);
	random_check(accel_graph_add_multiply(g, "scaled", x, y, ACCEL_ACT_NONE, &x, &err), &err);
	random_check(accel_graph_add_table(g, "swish", x, &swish, &x, &err), &err);
	x = conv(g, &seed, "last", x, 20, 0.3, &last);
	random_layer(g, &seed, "fc", x, 30, 20 * quarter * quarter, 0.1, 4, 1);
	return finish(g);
}

static void test_networks(void **state)
{
	static const uint32_t image_sizes[] = { 17, 40, 57 };

	(void)state;
	for (size_t i = 0; is_8x8() && i < sizeof(image_sizes) / sizeof(image_sizes[0]); i++) {
		for (unsigned int kind = 0; kind < 3; kind++) {
			const struct accel_compile_options options = options_of(1 + (kind == 2), false, kind == 1);
			struct accel_model *m = network(i + 1, image_sizes[i]);

			cost_check(m, &options, &vector_limit);
			accel_model_unref(m);
		}
	}
}

/*
 * Depthwise: a column of eight pixels has one weight, so that clusters wait for the broadcast, of a column a cycle at best. The RTL is held to that from the first column to
 * the last sum, within the latencies: it must read ahead what strides and rows that are no multiple of eight pixels need at once. Inputs are not zero anywhere.
 */
static void test_depthwise(void **state)
{
	static const struct {
		struct accel_window window;
		double limit;
	} layers[] = {
		{ { 64, 28, 28, 3, 3, 1, 1, 1, 1, 1, 1, 28, 28, 64 }, 1.02 },
		{ { 96, 14, 14, 5, 5, 1, 1, 1, 1, 2, 2, 14, 14, 96 }, 1.01 },
		{ { 48, 56, 56, 3, 3, 2, 2, 1, 1, 1, 1, 28, 28, 48 }, 1.02 },
	};

	(void)state;
	for (size_t i = 0; is_8x8() && i < sizeof(layers) / sizeof(layers[0]); i++) {
		const struct accel_window *w = &layers[i].window;
		const struct accel_compile_options options = options_of(1, false, false);
		const uint64_t taps = (uint64_t)w->kernel_y * w->kernel_x, columns = (w->out_height * w->out_width + 7) / 8 * taps * w->channels;
		const size_t values = (size_t)w->channels * w->height * w->width;
		float *input = malloc(values * sizeof(*input));
		struct accel_device *dev = cost_device();
		uint64_t seed = i, cycles = 0;
		struct accel_program *p;
		struct accel_session *s;
		struct accel_error err;
		struct accel_job_info job;
		unsigned int x;
		struct accel_graph *g = image_graph(w, &x);
		struct accel_model *m;

		random_any_layer(g, &seed, "depthwise", x, w->channels, (uint32_t)(w->channels * taps), 1, 8, 1, w);
		m = finish(g);
		for (size_t v = 0; v < values; v++)
			input[v] = 1;
		random_check(accel_program_compile(m, dev, &options, &p, &err), &err);
		random_check(accel_session_open(p, dev, &s, &err), &err);
		random_check(accel_session_input(s, 0, input, &err), &err);
		random_check(accel_session_run(s, &err), &err);
		for (uint64_t n = 0; !accel_session_job(s, n, &job); n++)
			cycles += job.stats.engine_cycles;
		printf("# depthwise %ux%u of %u channels: %llu columns, %llu cycles\n", w->kernel_y, w->kernel_x, w->channels, (unsigned long long)columns,
		       (unsigned long long)cycles);
		if (!cycles || (double)cycles > layers[i].limit * (double)columns)
			fail_msg("%llu cycles for %llu columns", (unsigned long long)cycles, (unsigned long long)columns);
		free(input);
		accel_session_close(s);
		accel_program_unref(p);
		accel_device_unref(dev);
		accel_model_unref(m);
	}
}

/* Without inputs: any share of the activations, more of them never taking less. */
static void test_shares(void **state)
{
	static const uint32_t sizes[] = { 500, 400, 100 };
	const struct accel_compile_options compile = options_of(1, false, false);
	struct accel_model *m = random_chain(5, 2, sizes, 0.4, 4, 1);
	struct accel_estimate_options options = { .size = sizeof(options) };
	uint64_t before = 0;
	struct accel_program *p;
	struct accel_error err;

	(void)state;
	random_check(accel_program_compile(m, device, &compile, &p, &err), &err);
	for (double share = 0.1; share < 1.05; share += 0.3) {
		struct accel_stats total, again;
		struct accel_estimate *e;

		options.nonzero = share < 1 ? share : 1;
		random_check(accel_program_estimate(p, &options, &e, &err), &err);
		accel_estimate_total(e, &total);
		assert_true(total.cycles > before);
		before = total.cycles;
		accel_estimate_free(e);
		random_check(accel_program_estimate(p, &options, &e, &err), &err);
		accel_estimate_total(e, &again);
		assert_memory_equal(&total, &again, sizeof(total));
		accel_estimate_free(e);
	}
	for (double wrong = -1; wrong < 3; wrong += 3) {
		struct accel_estimate *e;

		options.nonzero = wrong;
		assert_int_equal(accel_program_estimate(p, &options, &e, &err), -EINVAL);
	}
	accel_program_unref(p);
	accel_model_unref(m);
}

/* Spans lie within their job, one engine's are complete in the order in which they were taken, and there is one for each command. */
static void check_timeline(const uint32_t *sizes, unsigned int batch)
{
	const struct accel_compile_options compile = options_of(batch, true, false);
	struct accel_model *m = random_chain(5, 2, sizes, 0.4, 4, 1);
	const struct accel_estimate_options options = { .size = sizeof(options), .nonzero = 0.4, .timeline = true };
	uint64_t spans = 0, bytes = 0, taken[3] = { 0 }, job = 0;
	struct accel_program_totals totals;
	struct accel_stats total, stats;
	struct accel_estimate *e;
	struct accel_program *p;
	struct accel_span span;
	struct accel_error err;

	random_check(accel_program_compile(m, device, &compile, &p, &err), &err);
	random_check(accel_program_estimate(p, &options, &e, &err), &err);
	for (; !accel_estimate_span(e, spans, &span); spans++) {
		unsigned int engine = !strcmp(span.engine, "load") ? 0 : !strcmp(span.engine, "compute") ? 1 : 2;

		if (span.job != job)
			memset(taken, 0, sizeof(taken));
		job = span.job;
		assert_int_equal(accel_estimate_job(e, span.job, &stats), 0);
		assert_true(span.start < span.end && span.end <= stats.cycles && span.start >= taken[engine]);
		taken[engine] = span.start;
		assert_true(span.layer < accel_program_places(p));
		bytes += span.bytes;
	}
	accel_program_totals(p, &totals);
	accel_estimate_total(e, &total);
	assert_int_equal(spans, totals.commands);
	/* beyond that there are commands and base tables */
	assert_int_equal(bytes / 16, total.read_beats + total.write_beats - 2 * totals.commands - 2 * totals.jobs);
	accel_estimate_free(e);
	accel_program_unref(p);
	accel_model_unref(m);
}

/* The second one's weights are selected, on 8x8. */
static void test_timeline(void **state)
{
	static const uint32_t sizes[] = { 500, 400, 100 }, selected[] = { 60, 700, 1100 };

	(void)state;
	check_timeline(sizes, 2);
	check_timeline(selected, 1);
}

/* Of each layer alone: cycles from the first column to the last sum that is drained, and cycles in which a slot of a lane took an entry, a lane of the array. */
static void layer_slots(struct accel_model *m, const struct eie_params *params, const float *const *inputs, uint64_t *engine, double *slots)
{
	const struct accel_compile_options compile = options_of(1, false, true);
	const struct accel_estimate_options options = { .size = sizeof(options), .inputs = inputs, .timeline = true };
	uint64_t last = UINT64_MAX;
	struct accel_program *p;
	struct accel_estimate *e;
	struct accel_device *dev;
	struct accel_span span;
	struct accel_error err;

	random_check(device_open_params(params, &dev, &err), &err);
	random_check(accel_program_compile(m, dev, &compile, &p, &err), &err);
	random_check(accel_program_estimate(p, &options, &e, &err), &err);
	for (uint64_t i = 0; !accel_estimate_span(e, i, &span); i++) {
		struct accel_stats stats;

		if (strcmp(span.engine, "compute") || span.job == last)
			continue;
		last = span.job;
		assert_int_equal(accel_estimate_job(e, span.job, &stats), 0);
		engine[span.layer] += stats.engine_cycles;
	}
	for (unsigned int l = 0; l < accel_program_places(p); l++) {
		for (unsigned int c = 0; c < params->clusters; c++) {
			uint64_t taken;

			assert_int_equal(accel_estimate_cluster(e, l, c, &taken), 0);
			slots[l] += (double)taken / (params->clusters * params->lanes);
		}
	}
	accel_estimate_free(e);
	accel_program_unref(p);
	accel_device_unref(dev);
}

/*
 * The part of the slots that is used, by what lanes that take columns together have to do: lanes that go apart do it in fewer cycles, so theirs can be above 1. Asked are
 * 0.93 of images of 55x55 and 27x27, 0.90 of 13x13.
 */
static void check_utilisation(struct accel_model *m, const struct eie_params *params, const float *const *inputs)
{
	struct eie_params together = *params;
	uint64_t engine[64] = { 0 }, engine_together[64] = { 0 }, sum = 0, sum_together = 0;
	double slots[64] = { 0 }, work[64] = { 0 };
	unsigned int checked = 0, apart = 0;
	struct accel_layer_info info;

	together.features &= ~(uint32_t)EIE_FEATURE_SPLIT;
	assert_true(accel_model_layers(m) <= 64);
	layer_slots(m, params, inputs, engine, slots);
	layer_slots(m, &together, inputs, engine_together, work);
	for (unsigned int l = 0; !accel_model_layer(m, l, &info); l++) {
		bool small = !strncmp(info.name, "fire9", 5) || !strcmp(info.name, "conv_final");   /* 13x13 */
		double used;

		if (work[l] == 0)
			continue;
		used = work[l] / (double)engine[l];
		printf("# %-16s %8llu cycles, %8llu together: slots used %.3f\n", info.name, (unsigned long long)engine[l], (unsigned long long)engine_together[l], used);
		if (used < (small ? 0.90 : 0.93))
			fail_msg("%s uses %.3f of its slots", info.name, used);
		/* a decoder takes no more than an entry a cycle */
		assert_true(slots[l] <= (double)engine[l]);
		apart += engine[l] != engine_together[l];
		sum += engine[l];
		sum_together += engine_together[l];
		checked++;
	}
	assert_int_equal(checked, 26);
	assert_true(apart > 0 && sum < sum_together);
}

/* The authors' weights and a photograph, each layer in jobs of its own: 5 % is asked. */
static void test_squeezenet(void **state)
{
	const char *data = getenv("EIE_TEST_DATA") ? getenv("EIE_TEST_DATA") : "../shared/data";
	const struct cost_limit limit = { 0.01, 0 };
	const struct accel_compile_options options = options_of(1, false, true);
	const float *inputs[1];
	struct accel_onnx_options import = { .size = sizeof(import) };
	struct accel_program *program;
	struct accel_device *dev;
	struct accel_session *s;
	struct accel_tensor_info in;
	struct accel_error err;
	struct accel_model *m;
	char path[4096];
	float *picture;

	(void)state;
	snprintf(path, sizeof(path), "%s/squeezenet-deep-compression/compressed_SqueezeNet.net", data);
	if (access(path, R_OK))
		skip();
	picture = malloc(3 * 227 * 227 * sizeof(*picture));
	random_check(accel_model_from_net(path, NULL, NULL, &m, &err), &err);
	random_check(accel_model_input(m, 0, &in), &err);
	assert_int_equal(in.count, 3 * 227 * 227);
	snprintf(path, sizeof(path), "%s/photos/n01440764_tench.JPEG", data);
	random_check(accel_model_picture(m, 0, path, picture, &err), &err);
	accel_model_unref(m);
	/* once more, with the ranges of that picture: guessed ones have other zeros */
	import.calib = picture;
	import.ncalib = 1;
	snprintf(path, sizeof(path), "%s/squeezenet-deep-compression/compressed_SqueezeNet.net", data);
	random_check(accel_model_from_net(path, NULL, &import, &m, &err), &err);
	dev = cost_device();
	random_check(accel_program_compile(m, dev, &options, &program, &err), &err);
	random_check(accel_session_open(program, dev, &s, &err), &err);
	random_check(accel_session_input(s, 0, picture, &err), &err);
	inputs[0] = picture;
	cost_check_run(program, s, inputs, true, &limit);
	accel_session_close(s);
	accel_program_unref(program);
	check_utilisation(m, &dev->params, inputs);
	accel_device_unref(dev);
	accel_model_unref(m);
	free(picture);
}

int main(int argc, char **argv)
{
	static char *defaults[] = { "sim:8x8", "sim:2x2" };
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_nine_layers), cmocka_unit_test(test_chains), cmocka_unit_test(test_selected),
		cmocka_unit_test(test_networks),
		cmocka_unit_test(test_shares), cmocka_unit_test(test_timeline),
		cmocka_unit_test(test_depthwise),
	};
	static const struct CMUnitTest squeezenet[] = { cmocka_unit_test(test_squeezenet) };
	int failed;

	if (argc > 1 && !strcmp(argv[1], "squeezenet"))
		failed = each_device_(1, argv, defaults, 1, squeezenet, 1);
	else
		failed = each_device(argc, argv, defaults, tests);
	printf("# %u jobs; one's cycles were off by %.4f %% at the most\n", cost_jobs, 100 * cost_worst);
	return failed;
}
