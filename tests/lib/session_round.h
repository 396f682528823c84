/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/* A run of a session on random inputs against the model's definition. For cmocka tests. */
#ifndef SESSION_ROUND_H
#define SESSION_ROUND_H

#include "random_model.h"

/* Input i is made of seed + i. Every bit of the outputs, multiplications and saturated outputs; *stats get those of the run. */
static inline void session_round(struct accel_session *session, const struct accel_model *m, unsigned int batch, uint64_t seed, struct accel_stats *stats)
{
	int16_t **values = calloc(m->ntensors, sizeof(*values));
	uint64_t macs, saturated;
	struct accel_error err = { 0 };

	for (unsigned int i = 0; i < m->ninputs; i++) {
		values[m->inputs[i]] = random_values(seed + i, &m->tensors[m->inputs[i]], batch);
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
	assert_int_equal(accel_session_stats(session, stats), 0);
	assert_int_equal(stats->macs, macs);
	assert_int_equal(stats->saturated, saturated);
	for (unsigned int t = 0; t < m->ntensors; t++)
		free(values[t]);
	free(values);
}

#endif
