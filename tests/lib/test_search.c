// SPDX-License-Identifier: GPL-2.0 OR MIT
/* Searches: better at the same size, the same bytes by the same seed, broken off or not; what is left of another one is refused. */
#include <errno.h>
#include <math.h>
#include <unistd.h>
#include "container.h"
#include "net.h"
#include "onnx_build.h"
#include "seed.h"

#define FILE_NAME "search-test.onnx"
#define STATE     "search-test.state"
#define ITEMS     320u
#define UNSEEN    64u
#define IN        24u
#define OUT       8u
#define TRIES     10u

static const unsigned int widths[4] = { IN, 128, 64, OUT };
static float calib[(ITEMS + UNSEEN) * IN];
static uint32_t labels[ITEMS];
static unsigned int used = 96;     /* items; where something is to be proved of others it takes more */

static double normal(uint64_t *seed)
{
	double sum = 0;

	for (unsigned int k = 0; k < 6; k++)
		sum += seed_uniform(seed) - 0.5;
	return sum;
}

/* Three layers, of which the first two are of uneven worth: half of the first one's rows hardly matter. changed: one weight is another one. */
static void write_network(bool changed)
{
	static const int64_t x[2] = { 1, IN };
	uint64_t seed = SEED_START;
	struct ob *b = ob_new(13);
	char in[16] = "x", w[16], y[16], list[40];

	ob_input(b, "x", 1, 2, x);
	for (unsigned int l = 0; l < 3; l++) {
		int64_t dims[2] = { widths[l + 1], widths[l] };
		float *v = malloc((size_t)(dims[0] * dims[1]) * sizeof(*v));
		Onnx__NodeProto *n;

		for (int64_t i = 0; i < dims[0] * dims[1]; i++)
			v[i] = (float)(normal(&seed) * (l == 0 && i / dims[1] % 2 ? 0.05 : 1) / sqrt((double)dims[1]));
		v[7] += changed ? 0.5f : 0;
		snprintf(w, sizeof(w), "w%u", l);
		snprintf(y, sizeof(y), "y%u", l);
		snprintf(list, sizeof(list), "%s,%s", in, w);
		ob_floats(b, w, 2, dims, v);
		free(v);
		n = ob_node(b, "Gemm", list, y);
		ob_attr_int(b, n, "transB", 1);
		if (l < 2) {
			snprintf(in, sizeof(in), "r%u", l);
			ob_node(b, "Relu", y, in);
		}
	}
	ob_output(b, y);
	ob_save(b, FILE_NAME);
	ob_free(b);
}

struct seen {
	unsigned int searches, cancel_at;
	struct accel_search_info info;
	bool told;
};

static int step(void *arg, const char *layer, unsigned int done, unsigned int total)
{
	struct seen *s = arg;

	(void)done;
	(void)total;
	return !strcmp(layer, "(search)") && ++s->searches == s->cancel_at;
}

static void see(void *arg, const struct accel_search_info *info)
{
	struct seen *s = arg;

	s->info = *info;
	s->told = true;
}

static int search_with(struct accel_compress_options o, const struct accel_onnx_options *onnx, struct seen *s, struct accel_model **model, struct accel_error *err)
{
	*s = (struct seen){ .cancel_at = s->cancel_at };
	o.size = sizeof(o);
	o.progress = step;
	o.progress_arg = o.report_arg = s;
	o.searched = see;
	return accel_model_compress(FILE_NAME, onnx, &o, model, err);
}

static struct accel_onnx_options with_items(unsigned int n)
{
	return (struct accel_onnx_options){ .size = sizeof(struct accel_onnx_options), .calib = calib, .ncalib = n };
}

static struct accel_model *search(struct accel_compress_options o, struct seen *s)
{
	const struct accel_onnx_options onnx = with_items(used);
	struct accel_error err = { 0 };
	struct accel_model *model = NULL;
	int ret = search_with(o, &onnx, s, &model, &err);

	if (ret)
		fail_msg("%d: %s", ret, err.text);
	return model;
}

static void refused(struct accel_compress_options o, unsigned int items, int code, const char *part)
{
	const struct accel_onnx_options onnx = with_items(items);
	struct accel_error err = { 0 };
	struct accel_model *model = NULL;
	struct seen s = { 0 };
	int ret = search_with(o, items ? &onnx : NULL, &s, &model, &err);

	if (ret != code || !strstr(err.text, part))
		fail_msg("%d, not %d: '%s' should say '%s'", ret, code, err.text, part);
}

static void *bytes_of(struct accel_model *model, size_t *size)
{
	void *data;

	assert_int_equal(eie_encode(model, &data, size, NULL, NULL), 0);
	accel_model_unref(model);
	return data;
}

/* Share of the variance of what inputs that nobody has seen give in the network of floats. */
static double error_of(struct accel_model *model)
{
	struct accel_model *right;
	struct accel_device *device;
	double sum = 0, energy = 0;
	struct accel_session *s[2];

	assert_int_equal(accel_model_from_onnx(FILE_NAME, &(struct accel_onnx_options){ .size = sizeof(struct accel_onnx_options), .weights = ACCEL_WEIGHTS_EXACT }, &right, NULL), 0);
	assert_int_equal(accel_device_open("cpu", &device, NULL), 0);
	for (int i = 0; i < 2; i++) {
		struct accel_program *program;

		assert_int_equal(accel_program_compile(i ? model : right, device, NULL, &program, NULL), 0);
		assert_int_equal(accel_session_open(program, device, &s[i], NULL), 0);
		accel_program_unref(program);
	}
	for (unsigned int n = ITEMS; n < ITEMS + UNSEEN; n++) {
		float out[2][OUT];

		for (int i = 0; i < 2; i++) {
			assert_int_equal(accel_session_input(s[i], 0, calib + n * IN, NULL), 0);
			assert_int_equal(accel_session_run(s[i], NULL), 0);
			assert_int_equal(accel_session_output(s[i], 0, out[i], NULL), 0);
		}
		for (unsigned int k = 0; k < OUT; k++) {
			sum += ((double)out[0][k] - (double)out[1][k]) * ((double)out[0][k] - (double)out[1][k]);
			energy += (double)out[0][k] * (double)out[0][k];
		}
	}
	for (int i = 0; i < 2; i++)
		accel_session_close(s[i]);
	accel_device_unref(device);
	accel_model_unref(right);
	return sum / energy;
}

static int setup(void **state)
{
	uint64_t seed = 77;

	(void)state;
	for (size_t i = 0; i < sizeof(calib) / sizeof(calib[0]); i++)
		calib[i] = (float)normal(&seed);
	write_network(false);
	unlink(STATE);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	unlink(STATE);
	return unlink(FILE_NAME);
}

/* ---------------------------------------------------------------- tests */

static void test_gain(void **state)
{
	const struct accel_compress_options plain = { .file_bytes = 6500 }, o = { .file_bytes = 6500, .search = true, .tries = 30, .seed = 3 };
	struct accel_model *model[2];
	struct seen s = { 0 };
	double error[2];

	(void)state;
	used = ITEMS;
	model[0] = search(plain, &s);
	assert_false(s.told);
	model[1] = search(o, &s);
	used = 96;
	assert_true(s.told);
	assert_int_equal(s.info.tries, 30);
	assert_true(s.info.better > 0);
	assert_true(s.info.after < s.info.before);
	for (int i = 0; i < 2; i++) {
		size_t size;

		error[i] = error_of(model[i]);
		free(bytes_of(model[i], &size));
		assert_true(size <= 6500);
	}
	/* on inputs that neither has seen */
	if (error[1] > 0.95 * error[0])
		fail_msg("an error of %g, %g without a search", error[1], error[0]);
}

/* Broken off at any try, it goes on to the same bytes. */
static void test_resume(void **state)
{
	struct accel_compress_options o = { .file_bytes = 6500, .search = true, .tries = TRIES, .seed = 5, .search_state = STATE };
	const struct accel_onnx_options onnx = with_items(used);
	struct accel_model *model = NULL;
	struct seen s = { 0 };
	size_t size, again;
	void *data, *other;

	(void)state;
	data = bytes_of(search(o, &s), &size);
	assert_int_equal(s.info.resumed, 0);
	unlink(STATE);
	for (unsigned int at = 1; at <= TRIES; at += 6) {
		struct accel_error err = { 0 };

		s.cancel_at = at;
		assert_int_equal(search_with(o, &onnx, &s, &model, &err), -ECANCELED);
		assert_int_equal(access(STATE, F_OK), 0);
		/* and once more, further on */
		s.cancel_at = 2;
		assert_int_equal(search_with(o, &onnx, &s, &model, &err), -ECANCELED);
		s.cancel_at = 0;
		other = bytes_of(search(o, &s), &again);
		assert_int_equal(s.info.resumed, at);
		assert_int_equal(s.searches, TRIES - at);
		assert_int_equal(size, again);
		assert_memory_equal(data, other, size);
		free(other);
		unlink(STATE);
	}
	/* without a file, too; another seed goes elsewhere */
	o.search_state = NULL;
	other = bytes_of(search(o, &s), &again);
	assert_int_equal(size, again);
	assert_memory_equal(data, other, size);
	free(other);
	o.seed++;
	other = bytes_of(search(o, &s), &again);
	assert_true(size != again || memcmp(data, other, size));
	free(other);
	free(data);
}

static void test_other_state(void **state)
{
	const struct accel_compress_options o = { .file_bytes = 6500, .search = true, .tries = 4, .seed = 5, .search_state = STATE };
	struct accel_compress_options other;
	struct seen s = { 0 };
	char text[1024];
	size_t size;
	FILE *f;

	(void)state;
	accel_model_unref(search(o, &s));
	f = fopen(STATE, "r");
	assert_non_null(f);
	size = fread(text, 1, sizeof(text), f);
	fclose(f);
	other = o;
	other.file_bytes++;
	refused(other, used, -EEXIST, "another network, other options or other inputs");
	other = o;
	other.seed++;
	refused(other, used, -EEXIST, "other options");
	other = o;
	other.fc_bits = 3;
	refused(other, used, -EEXIST, "other options");
	refused(o, used - 1, -EEXIST, "other inputs");
	calib[17] += 0.25f;
	refused(o, used, -EEXIST, "other inputs");
	calib[17] -= 0.25f;
	write_network(true);
	refused(o, used, -EEXIST, "another network");
	write_network(false);
	/* more tries are the same search */
	other = o;
	other.tries = 6;
	accel_model_unref(search(other, &s));
	assert_int_equal(s.info.resumed, 4);
	for (size_t i = 0; i <= size; i += i < 20 || i + 12 > size ? 1 : 9) {
		char damaged[sizeof(text)];

		memcpy(damaged, text, size);
		if (i < size)
			damaged[i] ^= 1;
		f = fopen(STATE, "w");
		assert_non_null(f);
		/* the last one: cut short */
		assert_int_equal(fwrite(damaged, 1, i < size ? size : size - 1, f), i < size ? size : size - 1);
		fclose(f);
		refused(o, used, -EBADMSG, "damaged");
	}
	unlink(STATE);
	/* where none can be written */
	other = o;
	other.search_state = "nowhere/state";
	refused(other, used, -ENOENT, "nowhere/state");
}

static uint64_t cycles_of(struct accel_model *model)
{
	struct accel_device *device;
	struct accel_program *program;
	struct accel_estimate *estimate;
	struct accel_stats stats;

	assert_int_equal(accel_device_open("ref:8x8", &device, NULL), 0);
	assert_int_equal(accel_program_compile(model, device, NULL, &program, NULL), 0);
	assert_int_equal(accel_program_estimate(program, NULL, &estimate, NULL), 0);
	assert_int_equal(accel_estimate_total(estimate, &stats), 0);
	accel_estimate_free(estimate);
	accel_program_unref(program);
	accel_device_unref(device);
	accel_model_unref(model);
	return stats.cycles;
}

static void test_cycles(void **state)
{
	struct seen s = { 0 };
	uint64_t all, goal;

	(void)state;
	all = cycles_of(search((struct accel_compress_options){ .density = 1 }, &s));
	for (int searched = 0; searched < 2; searched++) {
		goal = all * 9 / 10;
		assert_in_range(cycles_of(search((struct accel_compress_options){ .cycles = goal, .search = searched, .tries = 8 }, &s)), goal / 2, goal);
	}
	assert_true(s.info.amount_after <= goal && s.info.after <= s.info.before);
	refused((struct accel_compress_options){ .cycles = 20 }, used, -ERANGE, "no run of 20 cycles");
	refused((struct accel_compress_options){ .cycles = 20, .search = true }, used, -ERANGE, "no run of 20 cycles");
	refused((struct accel_compress_options){ .cycles = goal, .density = 0.5 }, used, -EINVAL, "one of them");
}

static void test_density(void **state)
{
	struct accel_layer_info l;
	struct accel_model *model;
	struct seen s = { 0 };
	uint64_t nonzeros = 0, weights = 0;

	(void)state;
	model = search((struct accel_compress_options){ .density = 0.3, .search = true, .tries = 10 }, &s);
	for (unsigned int i = 0; !accel_model_layer(model, i, &l); i++) {
		nonzeros += l.nonzeros;
		weights += (uint64_t)l.rows * l.cols;
	}
	assert_true(s.info.after <= s.info.before);
	assert_true((double)nonzeros <= 0.3 * (double)weights + 3);
	accel_model_unref(model);
}

/* The class that the float network itself says: at most so many points may be lost, and the file is smaller. */
static void test_drop(void **state)
{
	struct accel_compress_options o = { .max_drop = 5, .search = true, .tries = 16, .labelled = calib, .labels = labels, .nlabelled = ITEMS };
	struct seen s = { 0 };

	(void)state;
	for (unsigned int i = 0; i < ITEMS; i++)
		labels[i] = i % OUT;
	accel_model_unref(search(o, &s));
	assert_true(s.info.better > 0 && s.info.amount_after < s.info.amount_before);
	assert_true(s.info.after <= 5);
}

static void test_options(void **state)
{
	(void)state;
	refused((struct accel_compress_options){ .file_bytes = 6500, .search = true }, 0, -EINVAL, "nothing says what is better");
	refused((struct accel_compress_options){ .file_bytes = 100, .search = true }, used, -ERANGE, "no file of 100 bytes");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_gain),    cmocka_unit_test(test_resume), cmocka_unit_test(test_other_state), cmocka_unit_test(test_cycles),
		cmocka_unit_test(test_density), cmocka_unit_test(test_drop),   cmocka_unit_test(test_options),
	};
	char folder[] = "/tmp/accel-search-XXXXXX";
	int failed;

	/* two flavours of this test may run at the same time */
	if (!mkdtemp(folder) || chdir(folder))
		return 1;
	failed = cmocka_run_group_tests(tests, setup, teardown);
	return chdir("/") || rmdir(folder) ? 1 : failed;
}
