/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/* A model on a device against its definition: every output bit, the count of multiplications and of saturated outputs. For cmocka tests. */
#ifndef MODEL_CHECK_H
#define MODEL_CHECK_H

#include "device.h"
#include "each_device.h"
#include "program.h"
#include "race_check.h"
#include "random_model.h"

/* Runs every layer's output against the definition; place_is: what the first layer's place must be, or NULL for any. */
static inline void check_model(struct accel_model *m, unsigned int batch, const char *place_is)
{
	const struct accel_compile_options options = { sizeof(options), batch, false };
	struct accel_program *program;
	struct accel_session *session;
	struct accel_place_info place;
	struct accel_stats stats;
	struct accel_error err = { 0 };
	int16_t **values = calloc(m->ntensors, sizeof(*values));
	uint64_t macs, saturated;

	if (accel_program_compile(m, device, &options, &program, &err))
		fail_msg("compile: %s", err.text);
	assert_true(race_free(program));
	accel_program_place(program, 0, &place);
	if (place_is && strcmp(place.where, place_is))
		fail_msg("on %s: %s", place.where, place.reason);
	if (accel_session_open(program, device, &session, &err))
		fail_msg("session: %s", err.text);
	for (unsigned int i = 0; i < m->ninputs; i++) {
		values[m->inputs[i]] = random_values(i + 3, &m->tensors[m->inputs[i]], batch);
		assert_int_equal(accel_session_input_raw(session, i, values[m->inputs[i]], NULL), 0);
	}
	if (accel_session_run(session, &err))
		fail_msg("run: %s", err.text);
	dense_run(m, batch, values, &macs, &saturated);
	for (unsigned int o = 0; o < m->noutputs; o++) {
		uint64_t n = m->tensors[m->outputs[o]].count * batch;
		int16_t *y = malloc(n * sizeof(*y));

		assert_int_equal(accel_session_output_raw(session, o, y, NULL), 0);
		assert_memory_equal(y, values[m->outputs[o]], n * sizeof(*y));
		free(y);
	}
	assert_int_equal(accel_session_stats(session, &stats), 0);
	assert_int_equal(stats.macs, macs);
	assert_int_equal(stats.saturated, saturated);
	for (unsigned int t = 0; t < m->ntensors; t++)
		free(values[t]);
	free(values);
	accel_session_close(session);
	accel_program_unref(program);
}

/* Where a model runs that needs these features. */
static inline const char *where(uint32_t features)
{
	return device->backend && !(features & ~device->params.features) ? "device" : "cpu";
}

/* Padding so that the output is as large as the input, for stride 1. */
static inline struct accel_window same(uint32_t channels, uint32_t height, uint32_t width, uint32_t kernel)
{
	return (struct accel_window){ channels, height, width, kernel, kernel, 1, 1, 1, 1, (kernel - 1) / 2, (kernel - 1) / 2, height,
				      width, 1 };
}

static inline struct accel_graph *image_graph(const struct accel_window *w, unsigned int *tensor)
{
	const uint32_t dims[] = { w->channels, w->height, w->width };
	struct accel_error err = { 0 };
	struct accel_graph *g;

	random_check(accel_graph_new(&g), &err);
	random_check(accel_graph_input(g, "in", 3, dims, -1, 1, tensor, &err), &err);
	return g;
}

static inline struct accel_model *finish(struct accel_graph *g)
{
	struct accel_error err = { 0 };
	struct accel_model *m;

	random_check(accel_graph_finish(g, &m, &err), &err);
	accel_graph_free(g);
	return m;
}

#endif
