/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/* A model on a device against its definition: every output bit, the count of multiplications and of saturated outputs. For cmocka tests. */
#ifndef MODEL_CHECK_H
#define MODEL_CHECK_H

#include <errno.h>

#include "device.h"
#include "each_device.h"
#include "program.h"
#include "race_check.h"
#include "session_round.h"

/* Runs every layer's output against the definition; place_is: what the first layer's place must be, or NULL for any. */
static inline void check_model(struct accel_model *m, unsigned int batch, const char *place_is)
{
	const struct accel_compile_options options = { .size = sizeof(options), .batch = batch };
	struct accel_program *program;
	struct accel_session *session;
	struct accel_place_info place;
	struct accel_stats stats;
	struct accel_error err = { 0 };

	if (accel_program_compile(m, device, &options, &program, &err))
		fail_msg("compile: %s", err.text);
	assert_true(race_free(program));
	accel_program_place(program, 0, &place);
	if (place_is && strcmp(place.where, place_is))
		fail_msg("on %s: %s", place.where, place.reason);
	if (accel_session_open(program, device, &session, &err))
		fail_msg("session: %s", err.text);
	session_round(session, m, batch, 3, &stats);
	accel_session_close(session);
	accel_program_unref(program);
}

/*
 * Engines that lack features leave the model to the CPU: what was compiled for the device is refused by one with these features alone, in a text that holds
 * `part`, and compiled for that one the model runs on the CPU.
 */
static inline void check_without(struct accel_model *m, uint32_t features, const char *part)
{
	uint32_t saved = device->params.features;
	struct accel_program *program;
	struct accel_session *session;
	struct accel_error err;

	assert_int_equal(accel_program_compile(m, device, NULL, &program, NULL), 0);
	device->params.features = features;
	assert_int_equal(accel_session_open(program, device, &session, &err), -EINVAL);
	assert_non_null(strstr(err.text, part));
	check_model(m, 1, "cpu");
	device->params.features = saved;
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

/* Adds a layer of a function of every value; returns its output. */
static inline unsigned int table_layer(struct accel_graph *g, const char *name, unsigned int input, const char *function)
{
	const struct accel_function f = { function, 0.2f, 0.5f, 1, 0 };
	struct accel_error err = { 0 };
	unsigned int out;

	random_check(accel_graph_add_table(g, name, input, &f, &out, &err), &err);
	return out;
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
