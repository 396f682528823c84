// SPDX-License-Identifier: GPL-2.0 OR MIT
#include "compress_judge.h"
#include "pass.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

uint32_t judge_output(const struct accel_network *net, bool *scores)
{
	uint32_t out = net->outputs[0], before = NET_NONE;

	for (unsigned int n = 0; n < net->nnodes; n++)
		if (pass_is(&net->nodes[n], "Softmax") && net->nodes[n].out[0] == out)
			before = net->nodes[n].in[0];
	*scores = before != NET_NONE;
	return *scores ? before : out;
}

/* Where what an intermediate value is goes, before others take its memory. */
struct copy {
	struct netrun *run;
	uint32_t value;
	uint64_t bytes;
	float *to;
};

static void after_node(void *arg, const struct net_node *node)
{
	const struct copy *c = arg;

	for (unsigned int i = 0; i < node->nout; i++)
		if (node->out[i] == c->value)
			memcpy(c->to, netrun_value(c->run, c->value), c->bytes);
}

/* Item i of those that are looked at through the network: out [count]; inputs without data stay zero. */
static int run_item(const struct judge *j, const struct accel_network *net, struct netrun *run, uint64_t i, float *out, struct accel_error *err)
{
	struct copy copy = { run, j->out, j->count * sizeof(*out), out };
	uint64_t item = j->first + i * j->step;
	int ret;

	for (unsigned int k = 0; k < net->ninputs; k++) {
		const struct net_value *v = &net->values[net->inputs[k]];

		if (j->in->values[k])
			memcpy(netrun_value(run, net->inputs[k]), j->in->values[k] + item * v->count, v->count * sizeof(float));
	}
	/* an input is no node's */
	memcpy(out, netrun_value(run, j->out), copy.bytes);
	netrun_observe(run, after_node, &copy);
	ret = netrun_run(run, err);
	netrun_observe(run, NULL, NULL);
	return ret;
}

int judge_new(struct judge *j, const struct accel_network *net, struct netrun *run, struct accel_error *err)
{
	double about_zero = 0;
	bool scores;
	int ret = 0;

	j->out = judge_output(net, &scores);
	j->count = net->values[j->out].count;
	j->variance = 0;
	j->right = malloc(j->items * j->count * sizeof(*j->right) + 1);
	j->got = malloc(j->count * sizeof(*j->got) + 1);
	if (!j->right || !j->got)
		return accel_fail(err, -ENOMEM, NULL, "%s: out of memory", net->file);
	for (uint64_t i = 0; !ret && i < j->items; i++)
		ret = run_item(j, net, run, i, j->right + i * j->count, err);
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
	free(j->got);
	j->right = j->got = NULL;
}

int judge_error(const struct judge *j, const struct accel_network *net, struct netrun *run, double *error, struct accel_error *err)
{
	double sum = 0;
	int ret = 0;

	for (uint64_t i = 0; !ret && i < j->items; i++) {
		ret = run_item(j, net, run, i, j->got, err);
		for (uint64_t k = 0; !ret && k < j->count; k++) {
			double d = (double)j->got[k] - (double)j->right[i * j->count + k];

			sum += d * d;
		}
	}
	*error = j->variance > 0 && isfinite(sum) ? fmax(sum / j->variance, JUDGE_FLOOR) : 1;
	return ret;
}
