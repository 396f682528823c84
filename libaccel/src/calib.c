// SPDX-License-Identifier: GPL-2.0 OR MIT
#include "calib.h"
#include "netrun.h"
#include "seed.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define GUESS_ITEMS  4
#define GUESS_MARGIN 4.0f  /* two spare bits */
#define MARGIN       1.25f /* of min-max: inputs that were not seen go a little further; costs a third of a bit */
#define BINS         4096  /* of |x| / max |x| */

/* One run over all items, which looks at each value when it is made. */
struct look {
	const struct accel_network *net;
	struct calib *calib;
	struct netrun *run;
	double items;
	uint64_t *bins;            /* [nvalues, BINS], or NULL */
	void (*each)(struct look *look, uint32_t v, const float *x);
};

/* ---------------------------------------------------------------- what is looked at */

static void least_and_greatest(struct look *look, uint32_t v, const float *x)
{
	struct calib_range *r = &look->calib->range[v];
	float lo = r->least, hi = r->greatest;

	for (uint64_t i = 0; i < look->net->values[v].count; i++) {
		r->finite = r->finite && isfinite(x[i]);
		lo = x[i] < lo ? x[i] : lo;
		hi = x[i] > hi ? x[i] : hi;
	}
	r->least = lo;
	r->greatest = hi;
}

/* Values of v that have one mean: the pixels of a channel, or one. */
static uint64_t pixels_of(const struct net_value *v)
{
	return v->ndim == 4 ? (uint64_t)v->dims[2] * v->dims[3] : 1;
}

static void add_means(struct look *look, uint32_t v, const float *x)
{
	uint64_t pixels = pixels_of(&look->net->values[v]), channels = look->net->values[v].count / pixels;
	float *mean = look->calib->mean[v];

	for (uint64_t c = 0; mean && c < channels; c++) {
		double sum = 0;

		for (uint64_t i = 0; i < pixels; i++)
			sum += (double)x[c * pixels + i];
		mean[c] += (float)(sum / (double)pixels / look->items);
	}
}

static void add_token_means(struct look *look, uint32_t v, const float *x)
{
	const struct net_value *value = &look->net->values[v];
	uint64_t channels = value->dims[value->ndim - 1], pixels = value->count / channels;
	float *mean = look->calib->token_mean[v];

	for (uint64_t c = 0; c < channels; c++) {
		double sum = 0;

		for (uint64_t i = 0; i < pixels; i++)
			sum += (double)x[i * channels + c];
		mean[c] += (float)(sum / (double)pixels / look->items);
	}
}

static void range_and_mean(struct look *look, uint32_t v, const float *x)
{
	least_and_greatest(look, v, x);
	add_means(look, v, x);
	if (look->calib->token_mean[v])
		add_token_means(look, v, x);
}

static float most(float lo, float hi)
{
	return -lo > hi ? -lo : hi;
}

static void count_bins(struct look *look, uint32_t v, const float *x)
{
	const struct calib_range *r = &look->calib->range[v];
	uint64_t *bins = look->bins + (size_t)v * BINS;
	float max = most(r->least, r->greatest);

	/* ReLU's zeros say nothing about the range */
	for (uint64_t i = 0; r->finite && max > 0 && i < look->net->values[v].count; i++)
		if (x[i] != 0)
			bins[(unsigned int)(fabsf(x[i]) / max * (BINS - 1) + 0.5f)]++;
}

static void count_noise(struct look *look, uint32_t v, const float *x)
{
	struct calib_range *r = &look->calib->range[v];
	double scale = (double)most(r->lo, r->hi) / 32767;

	if (!r->finite)
		return;
	for (uint64_t i = 0; i < look->net->values[v].count; i++) {
		double q = x[i] < r->lo ? (double)r->lo : x[i] > r->hi ? (double)r->hi : rint((double)x[i] / scale) * scale;

		r->signal += (double)x[i] * (double)x[i];
		r->noise += ((double)x[i] - q) * ((double)x[i] - q);
		r->saturated += x[i] < r->lo || x[i] > r->hi;
	}
	r->values += look->net->values[v].count;
}

/* ---------------------------------------------------------------- runs */

static void look_at(struct look *look, uint32_t v)
{
	if (v != NET_NONE && look->calib->range[v].known)
		look->each(look, v, netrun_value(look->run, v));
}

static void after_node(void *arg, const struct net_node *node)
{
	for (unsigned int i = 0; i < node->nout; i++)
		look_at(arg, node->out[i]);
}

static void fill_input(struct netrun *run, const struct accel_network *net, const struct calib_inputs *in, unsigned int k, uint64_t item,
		       uint64_t *state)
{
	const struct net_value *v = &net->values[net->inputs[k]];
	float *to = netrun_value(run, net->inputs[k]);

	if (v->type != NET_F32)
		return;   /* zeros: what is a good index or flag is not known */
	if (in->n && in->values[k]) {
		memcpy(to, in->values[k] + item * v->count, v->count * sizeof(*to));
		return;
	}
	for (uint64_t i = 0; i < v->count; i++)
		to[i] = (float)seed_uniform(state);
}

static int run_all(struct look *look, const struct calib_inputs *in, struct accel_error *err)
{
	uint64_t state = SEED_START, items = in->n ? in->n : GUESS_ITEMS;
	int ret = netrun_new(look->net, 1, 0, NULL, NULL, &look->run, err);

	if (ret)
		return ret;
	netrun_observe(look->run, after_node, look);
	look->items = (double)items;
	for (uint64_t i = 0; !ret && i < items; i++) {
		for (unsigned int k = 0; k < look->net->ninputs; k++) {
			fill_input(look->run, look->net, in, k, i, &state);
			look_at(look, look->net->inputs[k]);
		}
		ret = netrun_run(look->run, err);
	}
	netrun_free(look->run);
	return ret;
}

/* ---------------------------------------------------------------- methods */

/* So many of 100 non-zero values are within it. */
static float percentile_of(const uint64_t *bins, float max, double percent)
{
	uint64_t all = 0, sum = 0;

	for (unsigned int b = 0; b < BINS; b++)
		all += bins[b];
	for (unsigned int b = 0; b < BINS; b++) {
		sum += bins[b];
		if ((double)sum >= percent / 100 * (double)all)
			return max * (float)(b + 0.5) / (BINS - 1);
	}
	return max;
}

/* Where rounding and clamping of int16 numbers together cost least, by the middles of the bins. */
static float least_error(const uint64_t *bins, float max)
{
	double best = INFINITY;
	unsigned int at = BINS - 1;

	for (unsigned int t = BINS / 64; t < BINS; t++) {
		double step = (t + 0.5) / 32767, error = 0;

		for (unsigned int b = 0; b < BINS; b++) {
			double over = b > t ? (double)(b - t) : 0;

			error += (double)bins[b] * (over ? over * over : step * step / 12);
		}
		if (error < best) {
			best = error;
			at = t;
		}
	}
	return max * (float)((at + 0.5) / (BINS - 1));
}

static void choose(const struct calib_inputs *in, const uint64_t *bins, struct calib_range *r)
{
	float max = most(r->least, r->greatest), limit = max;

	if (!in->n || in->method == ACCEL_CALIB_MINMAX) {
		float margin = in->n ? MARGIN : GUESS_MARGIN;

		r->lo = r->least * margin;
		r->hi = r->greatest * margin;
		return;
	}
	if (max > 0)
		limit = in->method == ACCEL_CALIB_PERCENTILE ? percentile_of(bins, max, in->percentile) : least_error(bins, max);
	r->lo = r->least > -limit ? r->least : -limit;
	r->hi = r->greatest < limit ? r->greatest : limit;
}

/* What an activation never exceeds, whatever the margin; and no range is empty. */
static void bound(const struct accel_network *net, struct calib *calib)
{
	for (unsigned int n = 0; n < net->nnodes; n++) {
		const struct net_node *node = &net->nodes[n];
		struct calib_range *r = &calib->range[node->out[0]];

		if (node->out[0] == NET_NONE || node->act.kind != NET_ACT_CLIP)
			continue;
		r->lo = r->lo < node->act.a && node->act.a <= 0 ? node->act.a : r->lo;
		r->hi = r->hi > node->act.b && node->act.b >= 0 ? node->act.b : r->hi;
	}
	for (uint32_t v = 0; v < calib->n; v++)
		if (calib->range[v].known && calib->range[v].lo == calib->range[v].hi)
			calib->range[v].hi = 1;
}

static void find_known(const struct accel_network *net, struct calib *calib)
{
	for (unsigned int i = 0; i < net->ninputs; i++)
		calib->range[net->inputs[i]].known = true;
	for (unsigned int n = 0; n < net->nnodes; n++)
		for (unsigned int i = 0; i < net->nodes[n].nout; i++)
			if (net->nodes[n].out[i] != NET_NONE)
				calib->range[net->nodes[n].out[i]].known = true;
	for (uint32_t v = 0; v < net->nvalues; v++)
		calib->range[v].known = calib->range[v].finite = calib->range[v].known && net->values[v].type == NET_F32 && !net->values[v].data;
}

/* Room for the means of what layers with weights may read: images, rows of values, tokens. */
static int find_means(const struct accel_network *net, struct calib *calib)
{
	for (uint32_t v = 0; v < net->nvalues; v++) {
		const struct net_value *x = &net->values[v];

		if (!calib->range[v].known || !x->count)
			continue;
		if (x->ndim > 1) {
			calib->token_mean[v] = calloc(x->dims[x->ndim - 1], sizeof(**calib->token_mean));
			if (!calib->token_mean[v])
				return -ENOMEM;
		}
		if (x->ndim == 4 ? x->dims[0] != 1 : x->ndim > 2)
			continue;
		calib->mean[v] = calloc(x->count / pixels_of(x), sizeof(**calib->mean));
		if (!calib->mean[v])
			return -ENOMEM;
	}
	return 0;
}

int calib_new(const struct accel_network *net, const struct calib_inputs *inputs, struct calib **calib, struct accel_error *err)
{
	struct calib *c = calloc(1, sizeof(*c));
	struct look look = { .net = net, .calib = c, .each = range_and_mean };
	bool histogram = inputs->n && inputs->method != ACCEL_CALIB_MINMAX;
	int ret;

	if (c) {
		c->range = calloc(net->nvalues + (size_t)1, sizeof(*c->range));
		c->mean = calloc(net->nvalues + (size_t)1, sizeof(*c->mean));
		c->token_mean = calloc(net->nvalues + (size_t)1, sizeof(*c->token_mean));
		c->n = net->nvalues;
	}
	if (histogram)
		look.bins = calloc((size_t)net->nvalues + 1, BINS * sizeof(*look.bins));
	if (!c || !c->range || !c->mean || !c->token_mean || (histogram && !look.bins)) {
		ret = accel_fail(err, -ENOMEM, NULL, "%s: no memory for calibration", net->file);
		goto out;
	}
	c->guessed = !inputs->n;
	find_known(net, c);
	if (inputs->n && find_means(net, c)) {
		ret = accel_fail(err, -ENOMEM, NULL, "%s: no memory for calibration", net->file);
		goto out;
	}
	ret = run_all(&look, inputs, err);
	look.each = count_bins;
	if (!ret && histogram)
		ret = run_all(&look, inputs, err);
	for (uint32_t v = 0; !ret && v < net->nvalues; v++)
		if (c->range[v].finite)
			choose(inputs, histogram ? look.bins + (size_t)v * BINS : NULL, &c->range[v]);
	if (!ret) {
		bound(net, c);
		if (calib_groups(net, c))
			ret = accel_fail(err, -ENOMEM, NULL, "%s: no memory for calibration", net->file);
	}
out:
	free(look.bins);
	if (ret)
		calib_free(c);
	else
		*calib = c;
	return ret;
}

int calib_report(const struct accel_network *net, const struct calib_inputs *inputs, struct calib *calib, struct accel_error *err)
{
	struct look look = { .net = net, .calib = calib, .each = count_noise };

	for (uint32_t v = 0; v < calib->n; v++) {
		calib->range[v].signal = calib->range[v].noise = 0;
		calib->range[v].values = calib->range[v].saturated = 0;
	}
	return run_all(&look, inputs, err);
}

void calib_free(struct calib *calib)
{
	if (!calib)
		return;
	for (unsigned int v = 0; calib->mean && v < calib->n; v++)
		free(calib->mean[v]);
	for (unsigned int v = 0; calib->token_mean && v < calib->n; v++)
		free(calib->token_mean[v]);
	free(calib->mean);
	free(calib->token_mean);
	free(calib->range);
	free(calib);
}
