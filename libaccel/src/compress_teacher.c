// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * The float network, whom the compressed one follows: what it makes of the calibration items, and how far another is from that. Distillation: Hinton et al., arXiv 1503.02531.
 */
#include "compress_judge.h"
#include "compress_tune.h"
#include "pass.h"
#include "wide.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define EPOCHS       24u
#define LEAST_EPOCHS 4u
#define LEAST_ITEMS  40u           /* fewer say too little of the inputs that will come */
#define WORK         2e11          /* steps of all epochs of one phase: a minute or two */
#define MOST_BYTES   (1u << 28)    /* of outputs that are kept */
#define TEMPERATURE  2.0
#define HIDDEN       0.3           /* of the loss: what the outputs of layers count, all together */

/* ---------------------------------------------------------------- the float network */

/* What is compared: before a softmax the scores are. */
static void find_output(struct tune *t, const struct accel_network *net)
{
	const struct net_value *v;

	t->out = judge_output(net, &t->scores);
	v = &net->values[t->out];
	t->count = v->count;
	t->row = v->ndim ? v->dims[v->ndim - 1] : 1;
	t->scores = (t->scores || v->ndim == 2) && t->row > 1;
}

const float *tune_item(const struct accel_network *net, const struct tune *t, unsigned int k, uint64_t item)
{
	return t->list[k] + item * t->all / t->items * net->values[net->inputs[k]].count;
}

void tune_fill(struct grad *g, const struct accel_network *net, const struct tune *t, uint64_t item)
{
	for (unsigned int k = 0; k < net->ninputs; k++) {
		const struct net_value *v = &net->values[net->inputs[k]];

		if (t->list[k])
			memcpy(grad_value(g, net->inputs[k]), tune_item(net, t, k, item), v->count * sizeof(float));
	}
}

/* Sums of each value of an item's over the items, and of its squares: [count] of the output, and behind them [each] of the layers. */
struct spread {
	double *sum, *squares;
};

static void add_values(struct spread *s, uint64_t at, const float *values, uint64_t n)
{
	for (uint64_t k = 0; k < n; k++) {
		s->sum[at + k] += (double)values[k];
		s->squares[at + k] += (double)values[k] * (double)values[k];
	}
}

/* Mean over the items of the squares about the means, of n values. */
static double energy_of(const struct spread *s, uint64_t items, uint64_t at, uint64_t n)
{
	double energy = 0;

	for (uint64_t k = at; k < at + n; k++)
		energy += fmax(s->squares[k] - s->sum[k] * s->sum[k] / (double)items, 0) / (double)items;
	return energy;
}

/*
 * Outputs of layers: a deep network learns little of what its first layers should do from its last one. Where the float network does not run beside the other, they are kept: from the last one back as far as there is room.
 */
static int choose_hidden(struct compress *c, const struct accel_network *net)
{
	struct tune *t = &c->tune;

	t->hidden = calloc(c->n + (size_t)1, sizeof(*t->hidden));
	for (unsigned int i = c->n; t->hidden && i-- > 0;) {
		uint32_t value = net->nodes[c->layer[i].node].out[0];
		const struct net_value *v = &net->values[value];

		if (value == t->out || v->type != NET_F32)
			continue;
		if (!t->beside && (t->each + v->count) * t->items > MOST_BYTES / sizeof(float))
			break;
		t->hidden[t->nhidden++] = (struct tune_hidden){ .value = value, .count = v->count, .at = t->each };
		t->each += v->count;
	}
	t->inside = t->beside ? NULL : malloc((t->items * t->each + 1) * sizeof(*t->inside));
	return t->hidden && (t->beside || t->inside) ? 0 : -ENOMEM;
}

static void take_item(struct tune *t, struct grad *g, uint64_t item, struct spread *s)
{
	const float *y = grad_value(g, t->out);

	memcpy(t->right + item * t->count, y, t->count * sizeof(*t->right));
	add_values(s, 0, y, t->count);
	for (unsigned int i = 0; i < t->nhidden; i++) {
		const struct tune_hidden *h = &t->hidden[i];

		y = grad_value(g, h->value);
		if (t->inside)
			memcpy(t->inside + item * t->each + h->at, y, h->count * sizeof(*t->inside));
		add_values(s, t->count + h->at, y, h->count);
	}
}

/* What the float network, which g runs, makes of all items. */
static int take_items(struct tune *t, const struct accel_network *net, struct grad *g)
{
	struct spread s = { calloc(t->count + t->each + 1, sizeof(*s.sum)), calloc(t->count + t->each + 1, sizeof(*s.squares)) };
	int ret = s.sum && s.squares ? 0 : -ENOMEM;

	for (uint64_t i = 0; !ret && i < t->items; i++) {
		tune_fill(g, net, t, i);
		grad_run(g);
		take_item(t, g, i, &s);
	}
	if (!ret) {
		t->energy = energy_of(&s, t->items, 0, t->count);
		for (unsigned int i = 0; i < t->nhidden; i++)
			t->hidden[i].energy = energy_of(&s, t->items, t->count + t->hidden[i].at, t->hidden[i].count);
	}
	free(s.sum);
	free(s.squares);
	return ret;
}

/* Weights and biases of layers that are compressed. */
bool *tune_wanted(const struct compress *c, const struct accel_network *net)
{
	bool *wanted = calloc(net->nvalues + (size_t)1, sizeof(*wanted));

	for (unsigned int i = 0; wanted && i < c->n; i++) {
		if (!c->layer[i].bits)
			continue;
		wanted[c->layer[i].value] = true;
		if (c->layer[i].bias != NET_NONE)
			wanted[c->layer[i].bias] = true;
	}
	return wanted;
}

uint64_t tune_weights(const struct accel_network *net, const bool *wanted)
{
	uint64_t weights = 0;

	for (uint32_t v = 0; v < net->nvalues; v++)
		weights += wanted[v] ? net->values[v].count : 0;
	return weights;
}

/* As many items and epochs as there is time for. */
static void plan(struct compress *c, const struct accel_network *net, const struct calib_inputs *in)
{
	struct tune *t = &c->tune;
	double work = 1, most, budget;

	for (unsigned int n = 0; n < net->nnodes; n++)
		work += 3 * (double)net->nodes[n].work;
	budget = WORK * (c->options->effort > 0 ? c->options->effort : 1);
	most = fmin(budget / work / LEAST_EPOCHS, MOST_BYTES / sizeof(float) / (double)(t->count + 1));
	t->all = in->n;
	t->items = most < (double)in->n ? (uint64_t)most : in->n;
	t->epochs = (unsigned int)fmin(EPOCHS * fmax(c->options->effort, 1), budget / work / (double)(t->items + 1));
	if (t->items >= LEAST_ITEMS)
		return;
	c->tune.told.why = in->n < LEAST_ITEMS ? "fewer than 40 calibration items" : "the network is too large for the time that it may take";
	t->items = 0;
}

int compress_tune_new(struct compress *c, struct accel_network *net, const struct calib_inputs *in, const float **list)
{
	struct tune *t = &c->tune;
	const struct net_node *missing = NULL;
	struct grad *g = NULL;
	bool *wanted = tune_wanted(c, net);
	int ret = wanted ? 0 : accel_fail(c->err, -ENOMEM, NULL, "%s: out of memory", c->file);

	t->list = list;
	find_output(t, net);
	t->beside = !ret && tune_weights(net, wanted) <= TUNE_SMALL;
	if (!ret && net->values[t->out].type != NET_F32)
		c->tune.told.why = "the output is not float32";
	else if (!ret && grad_missing(net, wanted, t->out, &missing))
		ret = accel_fail(c->err, -ENOMEM, NULL, "%s: out of memory", c->file);
	else if (!ret && missing)
		snprintf(t->why, sizeof(t->why), "operator %s of '%.60s' has no gradient", net_op_name(missing), missing->name);
	else if (!ret)
		plan(c, net, in);
	if (missing)
		t->told.why = t->why;
	if (!ret && t->items) {
		t->right = malloc(t->items * t->count * sizeof(*t->right));
		ret = !t->right || choose_hidden(c, net) ? accel_fail(c->err, -ENOMEM, NULL, "%s: out of memory", c->file)
							 : grad_new(&c->blas, net, wanted, t->out, 0, &g, c->err);
		if (!ret && take_items(t, net, g))
			ret = accel_fail(c->err, -ENOMEM, NULL, "%s: out of memory", c->file);
		grad_free(g);
	}
	free(wanted);
	return ret;
}

void compress_tune_free(struct compress *c)
{
	free(c->tune.list);
	free(c->tune.right);
	free(c->tune.hidden);
	free(c->tune.inside);
}

/* ---------------------------------------------------------------- loss */

/* Kullback-Leibler divergence of a row at a temperature, and its derivatives (added to d), both times the temperature squared. */
static double divergence(const float *y, const float *right, uint32_t n, double weight, float *d)
{
	double most[2] = { -INFINITY, -INFINITY }, sum[2] = { 0, 0 }, loss = 0;

	for (uint32_t i = 0; i < n; i++) {
		most[0] = fmax(most[0], (double)y[i]);
		most[1] = fmax(most[1], (double)right[i]);
	}
	for (uint32_t i = 0; i < n; i++) {
		sum[0] += exp(((double)y[i] - most[0]) / TEMPERATURE);
		sum[1] += exp(((double)right[i] - most[1]) / TEMPERATURE);
	}
	for (uint32_t i = 0; i < n; i++) {
		double a = ((double)y[i] - most[0]) / TEMPERATURE - log(sum[0]), b = ((double)right[i] - most[1]) / TEMPERATURE - log(sum[1]);

		loss += exp(b) * (b - a);
		if (d)
			d[i] += (float)(weight * TEMPERATURE * (exp(a) - exp(b)));
	}
	return weight * TEMPERATURE * TEMPERATURE * loss;
}

/* Of one item: squares of what differs, of the mean energy; of scores the divergence, too. d NULL: no derivatives. */
double tune_loss(const struct tune *t, const float *y, const float *right, float *d, double *squares)
{
	double sum = 0, loss, unit = t->energy > 0 ? 1 / t->energy : 1;

	for (uint64_t i = 0; i < t->count; i++) {
		double e = (double)y[i] - (double)right[i];

		sum += e * e;
		if (d)
			d[i] = (float)(2 * e * unit);
	}
	*squares += sum * unit;
	loss = sum * unit;
	for (uint64_t r = 0; t->scores && r < t->count / t->row; r++)
		loss += divergence(y + r * t->row, right + r * t->row, t->row, (double)t->row / (double)t->count, d ? d + r * t->row : NULL);
	return loss;
}

/* Derivatives of what the outputs of layers differ by, each by its energy. */
WIDE void tune_add_hidden(const struct tune *t, struct grad *g, struct grad *teacher, uint64_t item)
{
	for (unsigned int i = 0; i < t->nhidden; i++) {
		const struct tune_hidden *h = &t->hidden[i];
		const float *y = grad_value(g, h->value), *right = teacher ? grad_value(teacher, h->value) : t->inside + item * t->each + h->at;
		float *d = grad_by(g, h->value), unit = h->energy > 0 ? (float)(2 * HIDDEN / t->nhidden / h->energy) : 0;

		for (uint64_t k = 0; d && k < h->count; k++)
			d[k] += unit * (y[k] - right[k]);
	}
}
