/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/* The cost model against the simulator, for tests: cycles, their causes, what goes over the bus. */
#ifndef COST_CHECK_H
#define COST_CHECK_H

#include "model_check.h"

/* What the model may be off by: a share of the cycles, and some cycles. */
struct cost_limit {
	double share;
	uint64_t cycles;
};

/* Jobs that were compared, and the farthest that one's cycles were off, as a share; for the test's report. */
static unsigned int cost_jobs;
static double cost_worst;

static inline void cost_close(const char *what, const char *layer, uint64_t got, uint64_t want, double reference, const struct cost_limit *limit)
{
	double off = fabs((double)got - (double)want);

	if (off > limit->share * reference + (double)limit->cycles)
		fail_msg("%s of \"%s\": the model says %llu, the simulator %llu", what, layer, (unsigned long long)got, (unsigned long long)want);
}

/* One job: its cycles and causes within the limit; beats exactly. */
static inline void cost_check_job(const struct accel_program *program, const struct accel_job_info *job, const struct accel_stats *model,
				  const struct cost_limit *limit)
{
	const struct accel_stats *sim = &job->stats;
	double reference = (double)sim->cycles, off = fabs((double)model->cycles - reference) / reference;
	struct accel_place_info place;

	accel_program_place(program, job->first_layer, &place);
	cost_jobs++;
	cost_worst = off > cost_worst ? off : cost_worst;
	cost_close("cycles", place.layer, model->cycles, sim->cycles, reference, limit);
	cost_close("busy", place.layer, model->busy, sim->busy, reference, limit);
	cost_close("engine_cycles", place.layer, model->engine_cycles, sim->engine_cycles, reference, limit);
	cost_close("stall_drain", place.layer, model->stall_drain, sim->stall_drain, reference, limit);
	cost_close("stall_array", place.layer, model->stall_array, sim->stall_array, reference, limit);
	cost_close("stall_load", place.layer, model->stall_load, sim->stall_load, reference, limit);
	cost_close("stall_store", place.layer, model->stall_store, sim->stall_store, reference, limit);
	cost_close("stall_sync", place.layer, model->stall_sync, sim->stall_sync, reference, limit);
	cost_close("stall_cmd", place.layer, model->stall_cmd, sim->stall_cmd, reference, limit);
	cost_close("stall_front", place.layer, model->stall_front, sim->stall_front, reference, limit);
	cost_close("stall_tail", place.layer, model->stall_tail, sim->stall_tail, reference, limit);
	assert_int_equal(model->read_beats, sim->read_beats);
	assert_int_equal(model->write_beats, sim->write_beats);
	assert_int_equal(model->commands, sim->commands);
}

static inline void cost_check_run(const struct accel_program *program, struct accel_session *s, const float *const *inputs, bool first,
				  const struct cost_limit *limit)
{
	const struct accel_estimate_options options = { .size = sizeof(options), .inputs = inputs, .first = first, .cold = true };
	struct accel_stats model, sum = { 0 }, total, layer;
	struct accel_estimate *e;
	struct accel_job_info job;
	struct accel_error err;
	uint64_t n = 0, layers = 0;

	random_check(accel_session_run(s, &err), &err);
	random_check(accel_program_estimate(program, &options, &e, &err), &err);
	for (; !accel_session_job(s, n, &job); n++) {
		assert_int_equal(accel_estimate_job(e, n, &model), 0);
		cost_check_job(program, &job, &model, limit);
		sum.cycles += model.cycles;
	}
	assert_true(n > 0);
	assert_int_equal(accel_estimate_job(e, n, &model), -ERANGE);
	accel_estimate_total(e, &total);
	assert_int_equal(total.cycles, sum.cycles);
	assert_int_equal(total.jobs, n);
	for (unsigned int l = 0; l < accel_program_places(program); l++) {
		accel_estimate_layer(e, l, &layer);
		layers += layer.cycles;
		assert_int_equal(layer.cycles, layer.busy + layer.stall_drain + layer.stall_array + layer.stall_load + layer.stall_store +
				 layer.stall_sync + layer.stall_cmd + layer.stall_front + layer.stall_tail);
	}
	assert_int_equal(layers, total.cycles);
	accel_estimate_free(e);
}

/* Real values of inputs, about half of them zero. */
static inline float *cost_inputs(const struct accel_model *m, unsigned int input, unsigned int batch, uint64_t seed)
{
	const struct accel_tensor *t = &m->tensors[m->inputs[input]];
	int16_t *raw = random_values(seed, t, batch);
	float *values = malloc(t->count * batch * sizeof(*values));

	for (uint64_t i = 0; i < t->count * batch; i++)
		values[i] = (float)raw[i] * t->scale;
	free(raw);
	return values;
}

/* A simulator of its own, where jobs begin without translations: pages lie where they lie in an empty memory. */
static inline struct accel_device *cost_device(void)
{
	struct accel_device *dev;
	struct accel_error err;
	char spec[64];

	snprintf(spec, sizeof(spec), "sim:%s,cold=1", device->config);
	random_check(accel_device_open(spec, &dev, &err), &err);
	return dev;
}

/* The first run of the model, with weights to bring in, and a second one. */
static inline void cost_check(struct accel_model *m, const struct accel_compile_options *options, const struct cost_limit *limit)
{
	const float **inputs = calloc(m->ninputs, sizeof(*inputs));
	struct accel_device *dev = cost_device();
	struct accel_program *program;
	struct accel_session *s;
	struct accel_error err;

	random_check(accel_program_compile(m, dev, options, &program, &err), &err);
	random_check(accel_session_open(program, dev, &s, &err), &err);
	for (unsigned int i = 0; i < m->ninputs; i++) {
		inputs[i] = cost_inputs(m, i, options->batch, i + 3);
		random_check(accel_session_input(s, i, inputs[i], &err), &err);
	}
	cost_check_run(program, s, inputs, true, limit);
	cost_check_run(program, s, inputs, false, limit);
	for (unsigned int i = 0; i < m->ninputs; i++)
		free((void *)(uintptr_t)inputs[i]);
	free(inputs);
	accel_session_close(s);
	accel_program_unref(program);
	accel_device_unref(dev);
}

#endif
