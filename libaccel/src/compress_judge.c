// SPDX-License-Identifier: GPL-2.0 OR MIT
#include "compress_judge.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Item i of those that are looked at through the network; inputs without data stay zero. */
static int run_item(const struct judge *j, const struct accel_network *net, struct netrun *run, uint64_t i, const float **out, struct accel_error *err)
{
	uint64_t item = j->first + i * j->step;
	int ret;

	for (unsigned int k = 0; k < net->ninputs; k++) {
		const struct net_value *v = &net->values[net->inputs[k]];

		if (j->in->values[k])
			memcpy(netrun_value(run, net->inputs[k]), j->in->values[k] + item * v->count, v->count * sizeof(float));
	}
	ret = netrun_run(run, err);
	*out = netrun_value(run, net->outputs[0]);
	return ret;
}

int judge_new(struct judge *j, const struct accel_network *net, struct netrun *run, struct accel_error *err)
{
	double about_zero = 0;
	const float *out;
	int ret = 0;

	j->count = net->values[net->outputs[0]].count;
	j->variance = 0;
	j->right = malloc(j->items * j->count * sizeof(*j->right) + 1);
	if (!j->right)
		return accel_fail(err, -ENOMEM, NULL, "%s: out of memory", net->file);
	for (uint64_t i = 0; !ret && i < j->items; i++) {
		ret = run_item(j, net, run, i, &out, err);
		if (!ret)
			memcpy(j->right + i * j->count, out, j->count * sizeof(*out));
	}
	for (uint64_t k = 0; !ret && k < j->count; k++) {
		double sum = 0, squares = 0;

		for (uint64_t i = 0; i < j->items; i++) {
			double y = (double)j->right[i * j->count + k];

			sum += y;
			squares += y * y;
		}
		j->variance += fmax(squares - sum * sum / (double)j->items, 0);
		about_zero += squares;
	}
	if (j->variance <= JUDGE_FLOOR * about_zero)
		j->variance = about_zero;
	return ret;
}

void judge_free(struct judge *j)
{
	free(j->right);
	j->right = NULL;
}

int judge_error(const struct judge *j, const struct accel_network *net, struct netrun *run, double *error, struct accel_error *err)
{
	double sum = 0;
	const float *out;
	int ret = 0;

	for (uint64_t i = 0; !ret && i < j->items; i++) {
		ret = run_item(j, net, run, i, &out, err);
		for (uint64_t k = 0; !ret && k < j->count; k++) {
			double d = (double)out[k] - (double)j->right[i * j->count + k];

			sum += d * d;
		}
	}
	*error = j->variance > 0 && isfinite(sum) ? fmax(sum / j->variance, JUDGE_FLOOR) : 1;
	return ret;
}
