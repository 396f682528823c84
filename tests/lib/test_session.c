// SPDX-License-Identifier: GPL-2.0 OR MIT
/* The session calls: conversions, errors, and equal bytes on all devices given.   test_session [DEVICE ...]   (ref:2x2) */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <math.h>
#include <string.h>

#include "commands.h"
#include "device.h"
#include "program.h"
#include "random_model.h"

static const char *spec = "ref:2x2";
static const uint32_t sizes[] = { 20, 30, 10 };

struct fixture {
	struct accel_model *model;
	struct accel_device *device;
	struct accel_program *program;
	struct accel_session *session;
	struct accel_error err;
};

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	const struct accel_compile_options options = { .size = sizeof(options), .batch = 2 };

	*state = f;
	f->model = random_chain(3, 2, sizes, 0.5, 4, 0);
	if (accel_device_open(spec, &f->device, &f->err) ||
	    accel_program_compile(f->model, f->device, &options, &f->program, &f->err) ||
	    accel_session_open(f->program, f->device, &f->session, &f->err)) {
		fprintf(stderr, "%s\n", f->err.text);
		return -1;
	}
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	/* In the wrong order: each holds a reference to what it needs. */
	accel_device_unref(f->device);
	accel_model_unref(f->model);
	accel_program_unref(f->program);
	accel_session_close(f->session);
	free(f);
	return 0;
}

static void test_conversion(void **state)
{
	struct fixture *f = *state;
	const struct accel_tensor *in = &f->model->tensors[f->model->inputs[0]];
	float real[40] = { 0 }, y[20];
	int16_t raw[40] = { 0 }, want[20], got[20];

	/* Ties go to even, what is too large is clamped. */
	real[0] = 2.5f * in->scale;
	real[1] = 3.5f * in->scale;
	real[2] = -2.5f * in->scale;
	real[3] = INFINITY;
	real[4] = -1e30f;
	real[39] = 7 * in->scale;
	for (int i = 0; i < 40; i++) {
		double q = rint((double)real[i] / (double)in->scale);

		raw[i] = (int16_t)fmax(in->lo, fmin(in->hi, q));
	}
	assert_int_equal(raw[3], in->hi);
	assert_int_equal(accel_session_input_raw(f->session, 0, raw, NULL), 0);
	assert_int_equal(accel_session_run(f->session, NULL), 0);
	assert_int_equal(accel_session_output_raw(f->session, 0, want, NULL), 0);
	assert_int_equal(accel_session_input(f->session, 0, real, NULL), 0);
	assert_int_equal(accel_session_run(f->session, NULL), 0);
	assert_int_equal(accel_session_output_raw(f->session, 0, got, NULL), 0);
	assert_memory_equal(got, want, sizeof(want));
	assert_int_equal(accel_session_output(f->session, 0, y, NULL), 0);
	for (int i = 0; i < 20; i++)
		assert_true(y[i] == (float)got[i] * f->model->tensors[f->model->outputs[0]].scale);
}

static void test_refused_inputs(void **state)
{
	struct fixture *f = *state;
	const struct accel_tensor *in = &f->model->tensors[f->model->inputs[0]];
	float real[40] = { 0 };
	int16_t raw[40] = { 0 };

	real[21] = NAN;
	assert_int_equal(accel_session_input(f->session, 0, real, &f->err), -EDOM);
	assert_int_equal(f->err.code, -EDOM);
	assert_string_equal(f->err.layer, in->name);
	assert_non_null(strstr(f->err.text, "value 1 of item 1"));
	raw[5] = -32768;
	assert_int_equal(accel_session_input_raw(f->session, 0, raw, &f->err), -ERANGE);
	assert_non_null(strstr(f->err.text, "-32768"));
	assert_int_equal(accel_session_input(f->session, 1, real, &f->err), -ERANGE);
	assert_int_equal(accel_session_output(f->session, 0, real, &f->err), -ENODATA);
}

static void test_order(void **state)
{
	struct fixture *f = *state;
	int16_t raw[40] = { 0 };
	struct accel_stats stats;

	assert_int_equal(accel_session_wait(f->session, -1, NULL), -EINVAL);
	assert_int_equal(accel_session_submit(f->session, NULL), 0);
	assert_int_equal(accel_session_submit(f->session, &f->err), -EBUSY);
	assert_int_equal(accel_session_input_raw(f->session, 0, raw, NULL), -EBUSY);
	assert_int_equal(accel_session_output_raw(f->session, 0, raw, NULL), -EBUSY);
	assert_int_equal(accel_session_wait(f->session, -1, NULL), 0);
	assert_int_equal(accel_session_output_raw(f->session, 1, raw, NULL), -ERANGE);
	assert_int_equal(accel_session_output_raw(f->session, 0, raw, NULL), 0);
	assert_int_equal(accel_session_stats(f->session, &stats), 0);
	assert_int_equal(stats.jobs, 1);
	assert_int_equal(stats.restores, 1);
	/* Closing waits. */
	assert_int_equal(accel_session_submit(f->session, NULL), 0);
}

/* A program that is broken on purpose: the text says what, where and of which layer. */
static void test_failed_job(void **state)
{
	struct fixture *f = *state;
	struct accel_session *session;
	uint32_t last = f->program->restore_first - 1;
	struct eie_cmd good = f->program->cmds[last];
	int16_t raw[40];

	CMD_SET(&f->program->cmds[last], XFER_LEN, 0);
	assert_int_equal(accel_session_open(f->program, f->device, &session, NULL), 0);
	f->program->cmds[last] = good;
	assert_int_equal(accel_session_run(session, &f->err), -EIO);
	assert_int_equal(f->err.code, -EIO);
	assert_string_equal(f->err.layer, "fc2");
	assert_non_null(strstr(f->err.text, "BAD_COMMAND"));
	assert_non_null(strstr(f->err.text, "STORE"));
	assert_int_equal(accel_session_output_raw(session, 0, raw, NULL), -ENODATA);
	accel_session_close(session);
	/* The next job of the device runs. */
	assert_int_equal(accel_session_run(f->session, &f->err), 0);
}

/* Two sessions of one program take turns: the weights of one serve the other. */
static void test_two_sessions(void **state)
{
	struct fixture *f = *state;
	struct accel_session *other;
	struct accel_stats stats;
	int16_t a[20], b[20], *x = random_values(4, &f->model->tensors[f->model->inputs[0]], 2);

	assert_int_equal(accel_session_open(f->program, f->device, &other, NULL), 0);
	assert_int_equal(accel_session_input_raw(f->session, 0, x, NULL), 0);
	assert_int_equal(accel_session_input_raw(other, 0, x, NULL), 0);
	assert_int_equal(accel_session_submit(f->session, NULL), 0);
	assert_int_equal(accel_session_submit(other, NULL), 0);
	assert_int_equal(accel_session_wait(other, -1, NULL), 0);
	assert_int_equal(accel_session_wait(f->session, -1, NULL), 0);
	assert_int_equal(accel_session_output_raw(f->session, 0, a, NULL), 0);
	assert_int_equal(accel_session_output_raw(other, 0, b, NULL), 0);
	assert_memory_equal(a, b, sizeof(a));
	accel_session_stats(other, &stats);
	assert_int_equal(stats.restores, 0);
	accel_session_close(other);
	free(x);
}

/* The cpu backend gives the same bytes. */
static void test_cpu(void **state)
{
	struct fixture *f = *state;
	const struct accel_compile_options options = { .size = sizeof(options), .batch = 2 };
	struct accel_device *cpu;
	struct accel_program *program;
	struct accel_session *session;
	struct accel_place_info place;
	int16_t a[20], b[20], *x = random_values(4, &f->model->tensors[f->model->inputs[0]], 2);

	assert_int_equal(accel_device_open("cpu", &cpu, NULL), 0);
	assert_int_equal(accel_program_compile(f->model, cpu, &options, &program, NULL), 0);
	assert_int_equal(accel_program_place(program, 0, &place), 0);
	assert_string_equal(place.where, "cpu");
	assert_int_equal(accel_session_open(program, f->device, &session, &f->err), -EINVAL);
	assert_int_equal(accel_session_open(f->program, cpu, &session, &f->err), -EINVAL);
	assert_int_equal(accel_session_open(program, cpu, &session, &f->err), 0);
	assert_int_equal(accel_session_input_raw(session, 0, x, NULL), 0);
	assert_int_equal(accel_session_input_raw(f->session, 0, x, NULL), 0);
	assert_int_equal(accel_session_run(session, NULL), 0);
	assert_int_equal(accel_session_run(f->session, NULL), 0);
	assert_int_equal(accel_session_output_raw(session, 0, a, NULL), 0);
	assert_int_equal(accel_session_output_raw(f->session, 0, b, NULL), 0);
	assert_memory_equal(a, b, sizeof(a));
	accel_session_close(session);
	accel_program_unref(program);
	accel_device_unref(cpu);
	free(x);
}

/* Only when it is asked for; raw inputs are int16's own, and outputs near int16's. */
static void test_eight_bits(void **state)
{
	static const char *const specs[] = { "cpu", "cpu:int8", NULL };   /* NULL: its reference */
	static const uint32_t shape[] = { 300, 200, 50 };
	struct accel_model *m = random_chain(8, 2, shape, 0.5, 4, 0);
	const struct accel_tensor *in = &m->tensors[m->inputs[0]], *out = &m->tensors[m->outputs[0]];
	int16_t *x = random_values(4, in, 1), y[3][50], again[50];
	struct accel_device *device[3];
	struct accel_device_info info;
	struct accel_error err;
	float real[300];
	double error = 0;

	(void)state;
	for (uint32_t i = 0; i < 300; i++)
		real[i] = (float)x[i] * in->scale;
	for (int d = 0; d < 3; d++) {
		struct accel_program *program;
		struct accel_session *s;
		struct accel_stats stats;

		assert_int_equal(d < 2 ? accel_device_open(specs[d], &device[d], &err) : accel_device_open_reference(device[1], &device[2], &err), 0);
		assert_int_equal(accel_program_compile(m, device[d], NULL, &program, &err), 0);
		assert_int_equal(accel_session_open(program, device[d], &s, &err), 0);
		assert_int_equal(accel_session_input_raw(s, 0, x, &err), 0);
		assert_int_equal(accel_session_run(s, &err), 0);
		assert_int_equal(accel_session_output_raw(s, 0, y[d], &err), 0);
		assert_int_equal(accel_session_stats(s, &stats), 0);
		assert_int_equal(stats.macs != 0, d == 0);
		assert_int_equal(accel_session_input(s, 0, real, &err), 0);
		assert_int_equal(accel_session_run(s, &err), 0);
		assert_int_equal(accel_session_output_raw(s, 0, again, &err), 0);
		assert_memory_equal(again, y[d], sizeof(again));
		accel_session_close(s);
		accel_program_unref(program);
	}
	accel_device_info(device[1], &info);
	assert_string_equal(info.backend, "cpu");
	assert_string_equal(info.config, "int8");
	assert_memory_equal(y[1], y[2], sizeof(y[1]));
	assert_memory_not_equal(y[0], y[1], sizeof(y[0]));
	for (int i = 0; i < 50; i++)
		error = fmax(error, fabs((double)y[0][i] - y[1][i]));
	assert_true(error < 0.05 * out->hi);
	for (int d = 0; d < 3; d++)
		accel_device_unref(device[d]);
	accel_model_unref(m);
	free(x);
}

static void test_mismatch(void **state)
{
	struct fixture *f = *state;
	bool small = f->device->params.clusters == 2;
	struct accel_device *other;
	struct accel_session *session;
	char made_for[32];

	assert_int_equal(accel_device_open(small ? "ref" : "ref:2x2", &other, NULL), 0);
	assert_int_equal(accel_session_open(f->program, other, &session, &f->err), -EINVAL);
	snprintf(made_for, sizeof(made_for), "compiled for %ux%u", f->device->params.clusters, f->device->params.lanes);
	assert_non_null(strstr(f->err.text, made_for));
	assert_non_null(strstr(f->err.text, small ? "ref:8x8 has 8x8" : "ref:2x2 has 2x2"));
	accel_device_unref(other);
}

static void test_specs(void **state)
{
	struct fixture *f = *state;
	struct accel_device *d;
	struct accel_device_info info;

	assert_int_equal(accel_device_open("reff", &d, &f->err), -ENODEV);
	assert_non_null(strstr(f->err.text, "did you mean \"ref\"?"));
	assert_int_equal(accel_device_open("", &d, &f->err), -ENODEV);
	assert_int_equal(accel_device_open("gpu-with-a-name-longer-than-any-other-name", &d, &f->err), -ENODEV);
	assert_int_equal(accel_device_open("ref:2x3", &d, &f->err), -ENODEV);
	assert_non_null(strstr(f->err.text, "did you mean \"2x2\"?"));
	assert_int_equal(accel_device_open("cpu:int4", &d, &f->err), -EINVAL);
	assert_non_null(strstr(f->err.text, "int8"));
	assert_int_equal(accel_device_open("cpu,int8", &d, &f->err), -EINVAL);
	assert_int_equal(accel_device_open("ref:2x2,seed=1", &d, &f->err), -EINVAL);
	assert_int_equal(accel_device_open("cpu:2x2", &d, &f->err), -EINVAL);
	assert_int_equal(accel_device_open("ref:2x2", &d, &f->err), 0);
	assert_int_equal(accel_device_info(d, &info), 0);
	assert_string_equal(info.backend, "ref");
	assert_string_equal(info.config, "2x2");
	assert_int_equal(info.clusters, 2);
	assert_int_equal(info.isa_major, EIE_ISA_MAJOR);
	assert_non_null(info.device_tree);
	accel_device_unref(d);
	accel_device_unref(NULL);
	accel_program_unref(NULL);
	accel_session_close(NULL);
}

/* what the reference computes for a device, a program of the device must be able to run on it */
static void test_reference(void **state)
{
	struct fixture *f = *state;
	struct accel_device *cpu, *reference;
	struct accel_device_info of, info;
	struct accel_session *session;

	assert_int_equal(accel_device_open_reference(f->device, &reference, &f->err), 0);
	accel_device_info(f->device, &of);
	accel_device_info(reference, &info);
	assert_string_equal(info.backend, "ref");
	assert_string_equal(info.config, of.config);
	assert_int_equal(info.device_tree_bytes, of.device_tree_bytes);
	assert_ptr_not_equal(info.device_tree, of.device_tree);
	assert_memory_equal(info.device_tree, of.device_tree, of.device_tree_bytes);
	assert_int_equal(accel_session_open(f->program, reference, &session, &f->err), 0);
	accel_session_close(session);
	accel_device_unref(reference);

	assert_int_equal(accel_device_open("cpu", &cpu, NULL), 0);
	assert_int_equal(accel_device_open_reference(cpu, &reference, &f->err), 0);
	accel_device_info(reference, &info);
	assert_string_equal(info.config, "8x8");
	accel_device_unref(reference);
	accel_device_unref(cpu);
}

static uint64_t moved(const struct accel_counter *before, const struct accel_counter *after, int n, const char *prefix)
{
	uint64_t sum = 0;

	for (int i = 0; i < n; i++)
		if (!strncmp(after[i].name, prefix, strlen(prefix)))
			sum += after[i].value - before[i].value;
	return sum;
}

/* What each engine did in a run adds up to the cycles of the run. */
static void test_counters(void **state)
{
	static const char *const engines[] = { "CMD_", "LOAD_", "COMPUTE_", "STORE_" };
	struct fixture *f = *state;
	struct accel_counter before[EIE_PERF_COUNTERS], after[EIE_PERF_COUNTERS], first[2] = { 0 };
	struct accel_stats stats;
	int n = accel_device_counters(f->device, before, EIE_PERF_COUNTERS, &f->err);

	if (strncmp(spec, "sim", 3)) {
		assert_int_equal(n, -ENOTSUP);
		assert_non_null(strstr(f->err.text, "engine counters"));
		return;
	}
	assert_int_equal(n, EIE_PERF_COUNTERS);
	assert_int_equal(accel_session_run(f->session, NULL), 0);
	assert_int_equal(accel_session_stats(f->session, &stats), 0);
	assert_int_equal(accel_device_counters(f->device, after, EIE_PERF_COUNTERS, NULL), n);
	for (int i = 0; i < n; i++)
		assert_true(after[i].name && after[i].text && after[i].value >= before[i].value);
	assert_string_equal(after[EIE_PERF_LOAD_MEMORY].name, "LOAD_MEMORY");
	for (size_t i = 0; i < sizeof(engines) / sizeof(engines[0]); i++)
		assert_int_equal(moved(before, after, n, engines[i]), stats.cycles);
	assert_int_equal(moved(before, after, n, "CYCLES"), stats.cycles);
	assert_int_equal(moved(before, after, n, "JOBS"), stats.jobs);
	assert_int_equal(moved(before, after, n, "CMD_BUSY"), stats.commands);
	assert_int_equal(moved(before, after, n, "WRITE_ABUF"), stats.write_beats);

	/* no room is no error, and nothing behind it is touched */
	assert_int_equal(accel_device_counters(f->device, first, 1, NULL), n);
	assert_non_null(first[0].name);
	assert_null(first[1].name);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		TEST(test_conversion), TEST(test_refused_inputs), TEST(test_order), TEST(test_failed_job), TEST(test_two_sessions),
		TEST(test_cpu), TEST(test_eight_bits), TEST(test_mismatch), TEST(test_specs), TEST(test_reference), TEST(test_counters),
	};
	int failed = 0;

	for (int i = argc > 1 ? 1 : 0; i < (argc > 1 ? argc : 1); i++) {
		spec = argc > 1 ? argv[i] : spec;
		failed += cmocka_run_group_tests_name(spec, tests, NULL, NULL);
	}
	return failed;
}
