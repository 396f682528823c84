// SPDX-License-Identifier: GPL-2.0 OR MIT
/* accel_model_compress(): goals are met, layers do as they are told, the same gives the same bytes, and bad weights have a name. */
#include <errno.h>
#include <math.h>
#include <unistd.h>
#include "container.h"
#include "net.h"
#include "onnx_build.h"
#include "seed.h"

#define FILE_NAME "compress-test.onnx"
#define CONV_WEIGHTS (32 * 8 * 9)
#define FC_WEIGHTS (40 * 800)

static float *seeded(uint64_t seed, size_t n)
{
	float *w = malloc(n * sizeof(*w));

	/* a sum of uniform numbers is nearly normal */
	for (size_t i = 0; i < n; i++) {
		double sum = 0;

		for (unsigned int k = 0; k < 6; k++)
			sum += seed_uniform(&seed) - 0.5;
		w[i] = (float)(0.1 * sum);
	}
	return w;
}

static bool uneven;                /* rows of write_network() are of different sizes */

/* x [1, 8, 5, 5] -> Conv, ReLU -> Gemm "fc" -> y [1, 40]. bad: value 5 of the Gemm's weights, 0 for none. */
static void write_network(float bad)
{
	static const int64_t image[4] = { 1, 8, 5, 5 }, kernel[4] = { 32, 8, 3, 3 }, matrix[2] = { 40, 800 }, pads[4] = { 1, 1, 1, 1 };
	float *conv = seeded(1, CONV_WEIGHTS), *fc = seeded(2, FC_WEIGHTS);
	struct ob *b = ob_new(13);
	Onnx__NodeProto *n;

	if (bad != 0)
		fc[5] = bad;
	for (size_t i = 0; uneven && i < CONV_WEIGHTS; i++)
		conv[i] *= (float)(1 << i / (8 * 9) % 5);
	ob_input(b, "x", 1, 4, image);
	ob_floats(b, "conv.weight", 4, kernel, conv);
	ob_floats(b, "fc.weight", 2, matrix, fc);
	n = ob_node(b, "Conv", "x,conv.weight", "a");
	strcpy(n->name, "conv");
	ob_attr_ints(b, n, "pads", 4, pads);
	ob_node(b, "Relu", "a", "b");
	ob_node(b, "Flatten", "b", "c");
	n = ob_node(b, "Gemm", "c,fc.weight", "y");
	strcpy(n->name, "fc");
	ob_attr_int(b, n, "transB", 1);
	ob_output(b, "y");
	ob_save(b, FILE_NAME);
	free(conv);
	free(fc);
	ob_free(b);
}

static int setup(void **state)
{
	(void)state;
	write_network(0);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	return unlink(FILE_NAME);
}

/* ---------------------------------------------------------------- what is told */

struct seen {
	unsigned int n, steps, rounds, corrections;
	struct accel_correct_info corrected;
	char why[128];             /* not */
	struct accel_compress_info layer[4];
	char name[4][16];
	unsigned int cancel_at;
	const struct accel_onnx_options *onnx;
};

static void see(void *arg, const struct accel_compress_info *info)
{
	struct seen *s = arg;

	assert_true(s->n < 4);
	s->layer[s->n] = *info;
	snprintf(s->name[s->n++], sizeof(s->name[0]), "%s", info->layer);
}

static void see_correction(void *arg, const struct accel_correct_info *info)
{
	struct seen *s = arg;

	s->corrected = *info;
	snprintf(s->why, sizeof(s->why), "%s", info->why ? info->why : "");
}

static int step(void *arg, const char *layer, unsigned int done, unsigned int total)
{
	struct seen *s = arg;

	if (total == UINT32_MAX) {
		assert_true(!strcmp(layer, "(calibration)") || !strcmp(layer, "(sensitivity)") || !strcmp(layer, "(correction)"));
		s->corrections += !strcmp(layer, "(correction)");
		return ++s->steps == s->cancel_at;
	}
	assert_int_equal(total, 2);
	assert_in_range(done, 0, 2);
	assert_int_equal(!*layer, done == total);
	s->rounds += !done;
	return ++s->steps == s->cancel_at;
}

/* The model, or NULL and the error. */
static struct accel_model *compressed(struct accel_compress_options o, struct seen *s, int *ret, struct accel_error *err)
{
	struct accel_model *model = NULL;

	*s = (struct seen){ .cancel_at = s->cancel_at, .onnx = s->onnx };
	o.size = sizeof(o);
	o.progress = step;
	o.report = see;
	o.corrected = see_correction;
	o.progress_arg = o.report_arg = s;
	*ret = accel_model_compress(FILE_NAME, s->onnx, &o, &model, err);
	return *ret ? NULL : model;
}

static struct accel_model *good_with(struct accel_compress_options o, const struct accel_onnx_options *onnx, struct seen *s)
{
	struct accel_error err = { 0 };
	struct accel_model *model;
	int ret;

	s->cancel_at = 0;
	s->onnx = onnx;
	model = compressed(o, s, &ret, &err);
	if (ret)
		fail_msg("%d: %s", ret, err.text);
	assert_int_equal(s->n, 2);
	assert_string_equal(s->name[0], "conv");
	assert_string_equal(s->name[1], "fc");
	return model;
}

static struct accel_model *good(struct accel_compress_options o, struct seen *s)
{
	return good_with(o, NULL, s);
}

static void refused(struct accel_compress_options o, int code, const char *part)
{
	struct accel_error err = { 0 };
	struct seen s = { 0 };
	int ret;

	assert_null(compressed(o, &s, &ret, &err));
	if (ret != code || !strstr(err.text, part))
		fail_msg("%d, not %d: '%s' should say '%s'", ret, code, err.text, part);
	assert_int_equal(s.n, 0);
}

static uint64_t file_bytes(const struct accel_model *model)
{
	size_t size;
	void *data;

	assert_int_equal(eie_encode(model, &data, &size, NULL, NULL), 0);
	free(data);
	return size;
}

/* ---------------------------------------------------------------- tests */

/* The engine gets just what was told: as many weights, of as many values. */
static void check_layers(const struct accel_model *model, const struct seen *s)
{
	struct accel_layer_info l;
	unsigned int found = 0;

	for (unsigned int i = 0; !accel_model_layer(model, i, &l); i++) {
		for (unsigned int k = 0; k < s->n; k++) {
			if (strcmp(l.name, s->name[k]) || l.kind == ACCEL_LAYER_OP)
				continue;
			assert_int_equal(l.nonzeros, s->layer[k].nonzeros);
			assert_true(l.codebook_size <= s->layer[k].shared);
			found++;
		}
	}
	assert_int_equal(found, s->n);
}

static void test_default(void **state)
{
	struct accel_model *model;
	struct seen s;

	(void)state;
	model = good((struct accel_compress_options){ 0 }, &s);
	check_layers(model, &s);
	assert_int_equal(s.rounds, 1);
	assert_int_equal(s.layer[0].weights, CONV_WEIGHTS);
	assert_int_equal(s.layer[1].weights, FC_WEIGHTS);
	assert_int_equal(s.layer[0].bits, 8);
	assert_int_equal(s.layer[0].shared, 255);
	assert_int_equal(s.layer[1].bits, 4);
	assert_int_equal(s.layer[1].shared, 15);
	/* 2 % of the squares go: 17 dB, and what sharing adds */
	assert_true(s.layer[0].snr > 16 && s.layer[0].snr < 17.2);
	assert_true(s.layer[1].snr > 14 && s.layer[1].snr < 17);
	accel_model_unref(model);
}

static void test_density(void **state)
{
	(void)state;
	for (double density = 0.05; density <= 1; density += 0.19) {
		struct accel_model *model;
		struct seen s;
		double all;

		model = good((struct accel_compress_options){ .density = density, .conv_bits = 5, .fc_bits = 3 }, &s);
		all = (double)(s.layer[0].nonzeros + s.layer[1].nonzeros) / (CONV_WEIGHTS + FC_WEIGHTS);
		assert_true(fabs(all - density) < 0.002);
		assert_int_equal(s.layer[0].shared, 31);
		assert_int_equal(s.layer[1].shared, 7);
		check_layers(model, &s);
		accel_model_unref(model);
	}
}

static void test_overrides(void **state)
{
	const struct accel_compress_layer some[] = { { .pattern = "*", .bits = 1 }, { .pattern = "f?", .density = 0.25 }, { .pattern = "conv", .keep = true } };
	struct accel_model *model;
	struct accel_layer_info l;
	struct seen s;

	(void)state;
	model = good((struct accel_compress_options){ .noverrides = 2, .overrides = some }, &s);
	assert_int_equal(s.layer[0].shared, 2);
	assert_int_equal(s.layer[1].shared, 2);
	assert_int_equal(s.layer[1].nonzeros, FC_WEIGHTS / 4);
	accel_model_unref(model);
	model = good((struct accel_compress_options){ .noverrides = 3, .overrides = some }, &s);
	assert_int_equal(s.layer[0].bits, 0);
	assert_int_equal(s.layer[0].nonzeros, CONV_WEIGHTS);
	assert_true(isinf(s.layer[0].snr));
	/* and it runs in float32 */
	assert_int_equal(accel_model_layer(model, 0, &l), 0);
	assert_string_equal(l.name, "conv");
	assert_int_equal(l.kind, ACCEL_LAYER_OP);
	accel_model_unref(model);
}

static void test_size(void **state)
{
	static const uint64_t goals[] = { 9000, 14000, 20000 };

	(void)state;
	for (unsigned int i = 0; i < 3; i++) {
		struct accel_model *model;
		struct seen s;
		uint64_t bytes;

		model = good((struct accel_compress_options){ .file_bytes = goals[i] }, &s);
		bytes = file_bytes(model);
		assert_in_range(bytes, goals[i] * 95 / 100, goals[i]);
		/* what is told is of the round that was taken */
		check_layers(model, &s);
		accel_model_unref(model);
	}
	/* more than all of it takes */
	{
		struct accel_model *model;
		struct seen s;

		model = good((struct accel_compress_options){ .file_bytes = 1 << 20 }, &s);
		assert_true(file_bytes(model) <= 1 << 20);
		assert_int_equal(s.layer[1].nonzeros, FC_WEIGHTS);
		accel_model_unref(model);
	}
	refused((struct accel_compress_options){ .file_bytes = 500 }, -ERANGE, "no file of 500 bytes");
}

/* Who asks for too little is told what can be had: and that can. */
static void test_least(void **state)
{
	static const char *const before[] = { "no file of 500 bytes: ", "no run of 10 cycles: " };

	(void)state;
	for (unsigned int k = 0; k < 2; k++) {
		struct accel_compress_options o = { .file_bytes = k ? 0 : 500, .cycles = k ? 10 : 0 };
		struct accel_error err = { 0 };
		struct accel_model *model;
		struct seen s = { 0 };
		const char *least;
		uint64_t amount;
		char *end;
		int ret;

		assert_null(compressed(o, &s, &ret, &err));
		assert_int_equal(ret, -ERANGE);
		least = strstr(err.text, before[k]);
		assert_non_null(least);
		amount = strtoull(least + strlen(before[k]), &end, 10);
		assert_true(amount > 500);
		assert_non_null(strstr(end, "with as much pruned as makes sense"));
		/* next to no weights are left: fewer bits would not be noticed */
		assert_null(strstr(end, "--bits"));
		model = good((struct accel_compress_options){ .file_bytes = k ? 0 : amount, .cycles = k ? amount : 0 }, &s);
		if (!k)
			assert_true(file_bytes(model) <= amount);
		accel_model_unref(model);
	}
	/* all weights have to stay: there they are */
	{
		const struct accel_compress_layer all = { .pattern = "*", .density = 1 };

		refused((struct accel_compress_options){ .file_bytes = 9000, .noverrides = 1, .overrides = &all }, -ERANGE, "; fewer --bits help");
		accel_model_unref(good((struct accel_compress_options){ .file_bytes = 9000, .noverrides = 1, .overrides = &all, .conv_bits = 1, .fc_bits = 1 }, &(struct seen){ 0 }));
	}
}

static void test_share(void **state)
{
	double optimal = 0;

	(void)state;
	for (enum accel_share share = ACCEL_SHARE_OPTIMAL; share <= ACCEL_SHARE_RANDOM; share++) {
		struct accel_model *model;
		struct seen s;

		model = good((struct accel_compress_options){ .density = 0.5, .share = share, .seed = 9 }, &s);
		optimal = share ? optimal : s.layer[1].snr;
		assert_true(s.layer[1].snr <= optimal + 1e-9);
		accel_model_unref(model);
	}
}

/* Binary and ternary weights of a convolution with a scale of each row: rows of very different sizes all keep their shape. */
static void test_row_scales(void **state)
{
	double snr[2];

	(void)state;
	for (unsigned int density = 0; density < 2; density++) {
		for (enum accel_scales scales = ACCEL_SCALES_LAYER; scales <= ACCEL_SCALES_ROW; scales++) {
			const struct accel_model *segment = NULL;
			struct accel_model *model;
			unsigned int scaled = 0;
			struct seen s;

			uneven = true;
			write_network(0);
			model = good((struct accel_compress_options){ .density = density ? 0.6 : 1, .conv_bits = 1, .fc_bits = 1, .scales = scales }, &s);
			uneven = false;
			check_layers(model, &s);
			assert_int_equal(s.layer[0].shared, 2);
			assert_int_equal(s.layer[1].shared, 2);
			snr[scales] = s.layer[0].snr;
			for (unsigned int n = 0; n < model->net->nnodes; n++) {
				segment = model->net->nodes[n].op ? segment : model->net->nodes[n].segment;
				for (unsigned int l = 0; segment && l < segment->nlayers; l++)
					scaled += segment->layers[l].row_scale != NULL;
				segment = NULL;
			}
			assert_int_equal(scaled, scales == ACCEL_SCALES_ROW);
			accel_model_unref(model);
		}
		/* of rows that differ by factors of up to 16; pruning takes the small ones */
		if (!density && snr[ACCEL_SCALES_ROW] <= snr[ACCEL_SCALES_LAYER])
			fail_msg("%g dB by row, %g dB by layer", snr[ACCEL_SCALES_ROW], snr[ACCEL_SCALES_LAYER]);
	}
	write_network(0);
	refused((struct accel_compress_options){ .scales = 2 }, -EINVAL, "scales 2");
}

static void test_same_bytes(void **state)
{
	const struct accel_compress_options o = { .density = 0.3, .share = ACCEL_SHARE_RANDOM, .seed = 4 };
	size_t size[2];
	void *data[2];
	struct seen s;

	(void)state;
	for (unsigned int i = 0; i < 2; i++) {
		struct accel_model *model = good(o, &s);

		assert_int_equal(eie_encode(model, &data[i], &size[i], NULL, NULL), 0);
		accel_model_unref(model);
	}
	assert_int_equal(size[0], size[1]);
	assert_memory_equal(data[0], data[1], size[0]);
	free(data[0]);
	free(data[1]);
}

static void test_options(void **state)
{
	const struct accel_compress_layer gone = { .pattern = "gone", .bits = 4 }, wrong = { .pattern = "fc", .bits = 9 };

	(void)state;
	refused((struct accel_compress_options){ .density = 1.5 }, -EINVAL, "density 1.5");
	refused((struct accel_compress_options){ .density = NAN }, -EINVAL, "density");
	refused((struct accel_compress_options){ .conv_bits = 9 }, -EINVAL, "9 bits");
	refused((struct accel_compress_options){ .fc_bits = 9 }, -EINVAL, "9 bits");
	refused((struct accel_compress_options){ .share = 4 }, -EINVAL, "sharing 4");
	refused((struct accel_compress_options){ .prune = 3 }, -EINVAL, "pruning 3");
	refused((struct accel_compress_options){ .prune = ACCEL_PRUNE_SECOND_ORDER }, -EINVAL, "without calibration inputs");
	refused((struct accel_compress_options){ .density = 0.1, .file_bytes = 1000 }, -EINVAL, "one of them");
	refused((struct accel_compress_options){ .noverrides = 1, .overrides = &gone }, -EINVAL, "'gone'; the first is 'conv'");
	refused((struct accel_compress_options){ .noverrides = 1, .overrides = &wrong }, -EINVAL, "'fc'");
}

static void test_cancel(void **state)
{
	(void)state;
	for (unsigned int at = 1; at <= 3; at++) {
		struct seen s = { .cancel_at = at };
		struct accel_error err = { 0 };
		int ret;

		assert_null(compressed((struct accel_compress_options){ 0 }, &s, &ret, &err));
		assert_int_equal(ret, -ECANCELED);
		assert_int_equal(s.steps, at);
	}
}

static void test_bad_weights(void **state)
{
	(void)state;
	write_network(NAN);
	refused((struct accel_compress_options){ 0 }, -EDOM, "weights 'fc.weight' of layer 'fc': value 5 is NaN");
	write_network(-INFINITY);
	refused((struct accel_compress_options){ 0 }, -EDOM, "value 5 is infinite");
	/* one that is vast takes all of the values' range, and nothing breaks */
	write_network(3e38f);
	{
		struct accel_model *model;
		struct seen s;

		model = good((struct accel_compress_options){ .density = 0.5 }, &s);
		check_layers(model, &s);
		accel_model_unref(model);
	}
	write_network(0);
}

#define ITEMS 200
#define INPUTS 200         /* values of x */

/* Typical inputs: a few patterns and noise, some pixels always 0. */
static float *typical(void)
{
	float *noise = seeded(8, ITEMS * INPUTS), *patterns = seeded(9, 12 * INPUTS);

	for (unsigned int i = 0; i < ITEMS * INPUTS; i++) {
		unsigned int item = i / INPUTS, at = i % INPUTS;

		noise[i] = at % 10 ? 0.2f * noise[i] + 5 * patterns[item % 12 * INPUTS + at] : 0;
	}
	free(patterns);
	return noise;
}

/* Sum of squared differences of two models' outputs for the same inputs. */
static double difference(const struct accel_model *a, const struct accel_model *b, const float *inputs)
{
	float *y = malloc(2 * ITEMS * 40 * sizeof(*y));
	double sum = 0;

	assert_int_equal(accel_model_run_float(a, inputs, ITEMS, y, NULL), 0);
	assert_int_equal(accel_model_run_float(b, inputs, ITEMS, y + ITEMS * 40, NULL), 0);
	for (unsigned int i = 0; i < ITEMS * 40; i++)
		sum += ((double)y[i] - (double)y[ITEMS * 40 + i]) * ((double)y[i] - (double)y[ITEMS * 40 + i]);
	free(y);
	return sum;
}

/* With calibration inputs the outputs suffer less than half as much from as much pruning. */
static void test_second_order(void **state)
{
	float *inputs = typical();
	const struct accel_onnx_options onnx = { .size = sizeof(onnx), .calib = inputs, .ncalib = ITEMS }, plain = { .size = sizeof(plain) };
	struct accel_model *original, *magnitude, *second, *again;
	struct accel_compress_options o = { .density = 0.3, .correct = ACCEL_CORRECT_NONE };
	struct seen s;
	size_t size[2];
	void *data[2];

	(void)state;
	assert_int_equal(accel_model_from_onnx(FILE_NAME, &plain, &original, NULL), 0);
	o.prune = ACCEL_PRUNE_MAGNITUDE;
	magnitude = good_with(o, &onnx, &s);
	o.prune = ACCEL_PRUNE_AUTO;
	second = good_with(o, &onnx, &s);
	assert_true(fabs((double)(s.layer[0].nonzeros + s.layer[1].nonzeros) / (CONV_WEIGHTS + FC_WEIGHTS) - 0.3) < 0.02);
	check_layers(second, &s);
	if (difference(original, second, inputs) > 0.5 * difference(original, magnitude, inputs))
		fail_msg("second order: %g, magnitude: %g", difference(original, second, inputs), difference(original, magnitude, inputs));
	again = good_with(o, &onnx, &s);
	assert_int_equal(eie_encode(second, &data[0], &size[0], NULL, NULL), 0);
	assert_int_equal(eie_encode(again, &data[1], &size[1], NULL, NULL), 0);
	assert_int_equal(size[0], size[1]);
	assert_memory_equal(data[0], data[1], size[0]);
	free(data[0]);
	free(data[1]);
	accel_model_unref(original);
	accel_model_unref(magnitude);
	accel_model_unref(second);
	accel_model_unref(again);
	/* it can be ended in each of its parts */
	for (unsigned int at = 1; at < ITEMS + 5; at += 67) {
		struct accel_error err = { 0 };
		int ret;

		s.cancel_at = at;
		s.onnx = &onnx;
		assert_null(compressed(o, &s, &ret, &err));
		assert_int_equal(ret, -ECANCELED);
	}
	free(inputs);
}

/* Corrected, the outputs follow much closer with as many weights and as few values; and again the same gives the same bytes. */
/* One input has no variance: what the outputs lose is taken of themselves. */
static void test_one_calibration_item(void **state)
{
	float *inputs = typical();
	const struct accel_onnx_options onnx = { .size = sizeof(onnx), .calib = inputs, .ncalib = 1 };
	struct seen s;

	(void)state;
	accel_model_unref(good_with((struct accel_compress_options){ .density = 0.3 }, &onnx, &s));
	assert_true(fabs((double)(s.layer[0].nonzeros + s.layer[1].nonzeros) / (CONV_WEIGHTS + FC_WEIGHTS) - 0.3) < 0.02);
	free(inputs);
}

static void test_correction(void **state)
{
	float *inputs = typical();
	const struct accel_onnx_options onnx = { .size = sizeof(onnx), .calib = inputs, .ncalib = ITEMS }, plain = { .size = sizeof(plain) };
	const struct accel_onnx_options few = { .size = sizeof(few), .calib = inputs, .ncalib = 20 };
	struct accel_model *original, *without, *with, *again;
	struct accel_compress_options o = { .density = 0.15, .correct = ACCEL_CORRECT_NONE };
	uint64_t nonzeros;
	double before;
	struct seen s;
	size_t size[2];
	void *data[2];
	int ret;

	(void)state;
	assert_int_equal(accel_model_from_onnx(FILE_NAME, &plain, &original, NULL), 0);
	without = good_with(o, &onnx, &s);
	assert_int_equal(s.corrections, 0);
	assert_int_equal(s.corrected.items, 0);
	nonzeros = s.layer[0].nonzeros + s.layer[1].nonzeros;
	before = difference(original, without, inputs);
	o.correct = ACCEL_CORRECT_AUTO;
	with = good_with(o, &onnx, &s);
	check_layers(with, &s);
	assert_int_equal(s.layer[0].nonzeros + s.layer[1].nonzeros, nonzeros);
	assert_true(s.layer[0].shared <= 255 && s.layer[1].shared <= 15);
	assert_string_equal(s.why, "");
	assert_int_equal(s.corrections, s.corrected.epochs);
	assert_int_equal(s.corrected.held, ITEMS / 8);
	assert_int_equal(s.corrected.items, ITEMS - ITEMS / 8);
	assert_true(s.corrected.after < s.corrected.before);
	if (difference(original, with, inputs) > 0.5 * before)
		fail_msg("corrected: %g, not: %g", difference(original, with, inputs), before);
	o.correct = ACCEL_CORRECT_DISTIL;
	again = good_with(o, &onnx, &s);
	assert_int_equal(eie_encode(with, &data[0], &size[0], NULL, NULL), 0);
	assert_int_equal(eie_encode(again, &data[1], &size[1], NULL, NULL), 0);
	assert_int_equal(size[0], size[1]);
	assert_memory_equal(data[0], data[1], size[0]);
	free(data[0]);
	free(data[1]);
	accel_model_unref(original);
	accel_model_unref(without);
	accel_model_unref(with);
	accel_model_unref(again);
	/* a size is kept with it, too */
	with = good_with((struct accel_compress_options){ .file_bytes = 9000 }, &onnx, &s);
	assert_true(s.corrections > 0);
	assert_in_range(file_bytes(with), 8400, 9000);
	accel_model_unref(with);
	/* too few items: said, and not done */
	with = good_with(o, &few, &s);
	assert_string_equal(s.why, "fewer than 40 calibration items");
	assert_int_equal(s.corrections, 0);
	accel_model_unref(with);
	/* in its middle */
	s.cancel_at = ITEMS + 12;
	s.onnx = &onnx;
	{
		struct accel_error err = { 0 };

		assert_null(compressed(o, &s, &ret, &err));
		assert_int_equal(ret, -ECANCELED);
	}
	refused((struct accel_compress_options){ .correct = 3 }, -EINVAL, "correction 3");
	refused((struct accel_compress_options){ .correct = ACCEL_CORRECT_DISTIL }, -EINVAL, "without calibration inputs");
	free(inputs);
}

/* Bits that are chosen: to the same size the outputs suffer less than with 8 and 4 of them; what is given stays. */
static void test_choose_bits(void **state)
{
	float *inputs = typical();
	const struct accel_onnx_options onnx = { .size = sizeof(onnx), .calib = inputs, .ncalib = ITEMS }, plain = { .size = sizeof(plain) };
	const struct accel_compress_layer fc = { .pattern = "fc", .bits = 3 };
	struct accel_compress_options o = { .file_bytes = 9000, .correct = ACCEL_CORRECT_NONE };
	struct accel_model *original, *fixed, *chosen, *corrected, *given;
	struct seen s;

	(void)state;
	assert_int_equal(accel_model_from_onnx(FILE_NAME, &plain, &original, NULL), 0);
	fixed = good_with(o, &onnx, &s);
	o.choose_bits = true;
	chosen = good_with(o, &onnx, &s);
	check_layers(chosen, &s);
	assert_in_range(file_bytes(chosen), 8400, 9000);
	for (unsigned int i = 0; i < 2; i++)
		assert_in_range(s.layer[i].bits, 2, 8);
	if (difference(original, chosen, inputs) > 0.9 * difference(original, fixed, inputs))
		fail_msg("chosen: %g, given: %g", difference(original, chosen, inputs), difference(original, fixed, inputs));
	/* corrected: pruned and rounded, and rounded only, are both tried, in the size that was asked for */
	o.correct = ACCEL_CORRECT_DISTIL;
	corrected = good_with(o, &onnx, &s);
	check_layers(corrected, &s);
	assert_string_equal(s.why, "");
	assert_true(s.corrected.items == ITEMS - ITEMS / 8 && s.corrected.held == ITEMS / 8);
	assert_in_range(file_bytes(corrected), 8400, 9000);
	if (difference(original, corrected, inputs) > 0.7 * difference(original, chosen, inputs))
		fail_msg("corrected: %g, not: %g", difference(original, corrected, inputs), difference(original, chosen, inputs));
	accel_model_unref(corrected);
	o.correct = ACCEL_CORRECT_NONE;
	o.noverrides = 1;
	o.overrides = &fc;
	given = good_with(o, &onnx, &s);
	assert_int_equal(s.layer[1].bits, 3);
	assert_in_range(file_bytes(given), 8400, 9000);
	accel_model_unref(original);
	accel_model_unref(fixed);
	accel_model_unref(chosen);
	accel_model_unref(given);
	free(inputs);
	refused((struct accel_compress_options){ .choose_bits = true }, -EINVAL, "bits to be chosen without calibration inputs");
	refused((struct accel_compress_options){ .effort = -1 }, -EINVAL, "an effort of -1");
	refused((struct accel_compress_options){ .effort = NAN }, -EINVAL, "an effort of");
}

/* One price for the bytes of all layers leaves some of them: they are given to who makes most of them. Values at equal distances are among what is chosen: as many as it takes, not 2^bits - 1. */
static void test_filled_size(void **state)
{
	float *inputs = typical();
	const struct accel_onnx_options onnx = { .size = sizeof(onnx), .calib = inputs, .ncalib = ITEMS };
	struct accel_compress_options o = { .correct = ACCEL_CORRECT_NONE, .choose_bits = true };
	bool uniform = false;

	(void)state;
	for (o.file_bytes = 6000; o.file_bytes <= 12000; o.file_bytes += 750) {
		struct accel_model *model;
		struct seen s;

		model = good_with(o, &onnx, &s);
		assert_in_range(file_bytes(model), o.file_bytes * 98 / 100, o.file_bytes);
		for (unsigned int i = 0; i < s.n; i++) {
			assert_in_range(s.layer[i].shared, 1, (1u << s.layer[i].bits) - 1);
			uniform = uniform || s.layer[i].shared < (1u << s.layer[i].bits) - 1;
		}
		accel_model_unref(model);
	}
	assert_true(uniform);
	free(inputs);
}

/* Labels are what the network itself says, so that it is always right; what is lost is no more than may be, and nearly so. */
static void test_max_drop(void **state)
{
	static const double drops[] = { 1, 10, 40 };
	float *inputs = typical(), y[ITEMS * 40];
	const struct accel_onnx_options onnx = { .size = sizeof(onnx), .calib = inputs, .ncalib = ITEMS }, plain = { .size = sizeof(plain) };
	uint32_t labels[ITEMS] = { 0 };
	struct accel_compress_options o = { .nlabelled = ITEMS, .labelled = inputs, .labels = labels, .fc_bits = 8 };
	struct accel_model *model;
	uint64_t before = UINT64_MAX;

	(void)state;
	assert_int_equal(accel_model_from_onnx(FILE_NAME, &plain, &model, NULL), 0);
	assert_int_equal(accel_model_run_float(model, inputs, ITEMS, y, NULL), 0);
	accel_model_unref(model);
	for (unsigned int i = 0; i < ITEMS; i++)
		for (unsigned int k = 1; k < 40; k++)
			labels[i] = y[i * 40 + k] > y[i * 40 + labels[i]] ? k : labels[i];
	for (unsigned int d = 0; d < 3; d++) {
		unsigned int right = 0;
		struct seen s;

		o.max_drop = drops[d];
		model = good_with(o, &onnx, &s);
		assert_int_equal(accel_model_run_float(model, inputs, ITEMS, y, NULL), 0);
		for (unsigned int i = 0; i < ITEMS; i++) {
			unsigned int best = 0;

			for (unsigned int k = 1; k < 40; k++)
				best = y[i * 40 + k] > y[i * 40 + best] ? k : best;
			right += best == labels[i];
		}
		assert_true(100.0 * (ITEMS - right) / ITEMS <= drops[d] + 0.5);
		assert_true(s.layer[0].nonzeros + s.layer[1].nonzeros < before);
		before = s.layer[0].nonzeros + s.layer[1].nonzeros;
		accel_model_unref(model);
	}
	labels[3] = 40;
	refused(o, -EINVAL, "label 40 of item 3");
	o.nlabelled = 0;
	refused(o, -EINVAL, "with labelled items");
	o.nlabelled = ITEMS;
	o.density = 0.5;
	refused(o, -EINVAL, "one of them");
	free(inputs);
}

/* No layer with weights; a layer of zeros; layers too small for a codebook; one of no columns, beside which there is none. */
static void test_odd_networks(void **state)
{
	static const int64_t shape[2] = { 1, 100 }, matrix[2] = { 100, 100 }, small[2] = { 100, 1 }, empty[2] = { 100, 0 };
	static const float zeros[10000];
	const char *const what[] = { "none", "zeros", "small", "empty" };

	(void)state;
	for (unsigned int kind = 0; kind < 4; kind++) {
		bool good = kind == 1 || kind == 2;
		struct ob *b = ob_new(13);
		struct accel_model *model = NULL;
		struct accel_error err = { 0 };
		struct seen s = { 0 };
		struct accel_compress_options o = { .size = sizeof(o), .report = see, .report_arg = &s };
		float *few = seeded(3, 100);
		int ret;

		ob_input(b, "x", 1, 2, shape);
		if (kind == 1)
			ob_floats(b, "w", 2, matrix, zeros);
		else if (kind == 2)
			ob_floats(b, "w", 2, small, few);
		else if (kind == 3)
			ob_floats(b, "w", 2, empty, few);
		ob_node(b, kind ? "MatMul" : "Relu", kind ? "x,w" : "x", "y");
		ob_output(b, "y");
		ob_save(b, "odd.onnx");
		ret = accel_model_compress("odd.onnx", NULL, &o, &model, &err);
		if (ret != (good ? 0 : -EINVAL))
			fail_msg("%s: %d: %s", what[kind], ret, err.text);
		if (!good)
			assert_non_null(strstr(err.text, "nothing to compress"));
		if (kind == 1)
			assert_int_equal(s.layer[0].nonzeros, 0);
		if (kind == 2)
			assert_int_equal(s.layer[0].shared, 15);
		if (good)
			(void)file_bytes(model);
		accel_model_unref(model);
		unlink("odd.onnx");
		free(few);
		ob_free(b);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_default), cmocka_unit_test(test_density), cmocka_unit_test(test_overrides), cmocka_unit_test(test_size), cmocka_unit_test(test_least),
		cmocka_unit_test(test_share), cmocka_unit_test(test_row_scales), cmocka_unit_test(test_same_bytes), cmocka_unit_test(test_options), cmocka_unit_test(test_cancel),
		cmocka_unit_test(test_second_order), cmocka_unit_test(test_one_calibration_item), cmocka_unit_test(test_correction), cmocka_unit_test(test_choose_bits), cmocka_unit_test(test_filled_size), cmocka_unit_test(test_max_drop),
		cmocka_unit_test(test_bad_weights), cmocka_unit_test(test_odd_networks),
	};
	char folder[] = "/tmp/accel-compress-XXXXXX";
	int failed;

	/* two flavours of this test may run at the same time */
	if (!mkdtemp(folder) || chdir(folder))
		return 1;
	failed = cmocka_run_group_tests_name("compress", tests, setup, teardown);
	return chdir("/") || rmdir(folder) ? 1 : failed;
}
