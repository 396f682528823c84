// SPDX-License-Identifier: GPL-2.0 OR MIT
/* From a network of floats to a compressed model: docs/compression.md. */
#include "compress.h"
#include "kmeans.h"
#include "onnx.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define SHORTEST   5u      /* bits of significands of shared values and biases */
#define LONGEST    8u
#define LOSS       0.02    /* of what the weights are worth, when nobody wants anything: about 17 dB below them */

static struct accel_compress_options copy_options(const struct accel_compress_options *options)
{
	struct accel_compress_options o = { 0 };

	if (options)
		memcpy(&o, options, options->size < sizeof(o) ? options->size : sizeof(o));
	return o;
}

static int check_options(const struct accel_compress_options *o, bool calibrated, struct accel_error *err)
{
	if (!(o->density >= 0) || o->density > 1)
		return accel_fail(err, -EINVAL, NULL, "density %g; above 0, at most 1 makes sense", o->density);
	if (o->conv_bits > 8 || o->fc_bits > 8)
		return accel_fail(err, -EINVAL, NULL, "%u bits; 1 to 8 are possible", o->conv_bits > 8 ? o->conv_bits : o->fc_bits);
	if (o->prune > ACCEL_PRUNE_SECOND_ORDER)
		return accel_fail(err, -EINVAL, NULL, "pruning %d is unknown", (int)o->prune);
	if (o->prune == ACCEL_PRUNE_SECOND_ORDER && !calibrated)
		return accel_fail(err, -EINVAL, NULL, "second-order pruning without calibration inputs");
	if (o->correct > ACCEL_CORRECT_DISTIL)
		return accel_fail(err, -EINVAL, NULL, "correction %d is unknown", (int)o->correct);
	if (o->correct == ACCEL_CORRECT_DISTIL && !calibrated)
		return accel_fail(err, -EINVAL, NULL, "correction without calibration inputs");
	if (o->choose_bits && (!calibrated || o->prune == ACCEL_PRUNE_MAGNITUDE))
		return accel_fail(err, -EINVAL, NULL, "bits to be chosen without calibration inputs, or by magnitude: nothing says what rounding does to the output");
	if (!(o->effort >= 0) || o->effort > 1e6)
		return accel_fail(err, -EINVAL, NULL, "an effort of %g; above 0 to a million", o->effort);
	if (o->scales > ACCEL_SCALES_ROW)
		return accel_fail(err, -EINVAL, NULL, "scales %d are unknown", (int)o->scales);
	if (o->share > ACCEL_SHARE_RANDOM)
		return accel_fail(err, -EINVAL, NULL, "weight sharing %d is unknown", (int)o->share);
	if ((o->density > 0) + (o->file_bytes > 0) + (o->cycles > 0) + (o->max_drop > 0) > 1)
		return accel_fail(err, -EINVAL, NULL, "several of density, size, cycles and drop of accuracy: one of them decides how much is pruned");
	if (o->search && !calibrated && !(o->max_drop > 0))
		return accel_fail(err, -EINVAL, NULL, "a search without calibration inputs, and without labelled ones: nothing says what is better");
	if (!(o->max_drop >= 0) || o->max_drop > 100 || (o->max_drop > 0 && (!o->nlabelled || !o->labelled || !o->labels)))
		return accel_fail(err, -EINVAL, NULL, "a drop of accuracy of %g points; above 0 to 100, and with labelled items", o->max_drop);
	if (o->row_groups > COMPRESS_GROUPS)
		return accel_fail(err, -EINVAL, NULL, "%u groups of rows; at most %u are possible", o->row_groups, COMPRESS_GROUPS);
	for (unsigned int i = 0; i < o->noverrides; i++) {
		const struct accel_compress_layer *l = &o->overrides[i];

		if (l->row_groups > COMPRESS_GROUPS)
			return accel_fail(err, -EINVAL, l->pattern, "layer '%s': %u groups of rows; at most %u are possible", l->pattern ? l->pattern : "", l->row_groups,
					  COMPRESS_GROUPS);
		if (!l->pattern || !(l->density >= 0) || l->density > 1 || l->bits > 8)
			return accel_fail(err, -EINVAL, l->pattern, "layer '%s': density %g and %u bits; at most 1, and at most 8", l->pattern ? l->pattern : "",
					  l->density, l->bits);
	}
	return 0;
}

int compress_progress(const struct compress *c, const char *what, unsigned int done, unsigned int total)
{
	if (!c->options->progress || !c->options->progress(c->options->progress_arg, what, done, total))
		return 0;
	return accel_fail(c->err, -ECANCELED, NULL, "%s: cancelled", c->file);
}

/* ---------------------------------------------------------------- layers */

static int make_curve(struct compress *c, struct compress_layer *l, const float *weights)
{
	const struct second_scores scores = { l->second, weights };
	int ret;

	if (!l->second) {
		ret = prune_curve_new(l->n, prune_square, weights, 0, &l->curve);
	} else {
		ret = second_factor(&c->blas, l->second, weights);
		ret = ret ? ret : prune_curve_new(l->n, second_score, &scores, l->second->energy, &l->curve);
	}
	return ret ? accel_fail(c->err, ret, NULL, "%s: out of memory", c->file) : 0;
}

static int make_curves(struct compress *c, const struct accel_network *net)
{
	int ret = 0;

	for (unsigned int i = 0; !ret && i < c->n; i++)
		if (c->layer[i].bits)
			ret = make_curve(c, &c->layer[i], net->values[c->layer[i].value].data);
	return ret;
}

static double energy(const float *w, uint64_t n)
{
	double sum = 0;

	for (uint64_t i = 0; i < n; i++)
		sum += (double)w[i] * (double)w[i];
	return sum;
}

static int prune_least(struct compress_layer *l, float *w)
{
	int ret;

	l->signal = energy(w, l->n);
	ret = prune_weights(w, l->n, l->keep, prune_square, w);
	l->noise = l->signal - energy(w, l->n);
	return ret;
}

/* The same with compensation for what goes. */
static int prune_second(struct compress *c, struct compress_layer *l, float *w, float *bias)
{
	const struct second_scores scores = { l->second, w };
	float least;
	int ret = prune_threshold(l->n, l->keep, second_score, &scores, &least);

	l->signal = l->second->energy;
	return ret ? ret : second_sweep(&c->blas, l->second, w, bias, least, NULL, &l->noise);
}

static float *bias_of(const struct compress_layer *l, struct accel_network *net)
{
	return l->bias == NET_NONE ? NULL : net->values[l->bias].data;
}

int compress_prune(struct compress *c, struct compress_layer *l, struct accel_network *net)
{
	float *w = net->values[l->value].data;
	int ret = l->second ? prune_second(c, l, w, bias_of(l, net)) : prune_least(l, w);

	return ret ? accel_fail(c->err, ret, NULL, "%s: out of memory", c->file) : 0;
}

int compress_round(struct compress *c, struct compress_layer *l, struct accel_network *net)
{
	return compress_share(c, l, &net->values[l->value], l->second ? bias_of(l, net) : NULL);
}

int compress_one(struct compress *c, struct compress_layer *l, struct accel_network *net)
{
	int ret = compress_prune(c, l, net);

	return ret ? ret : compress_round(c, l, net);
}

/* The nearest float with a significand of so many bits, below 24; halves to even. */
static void shorten(float *v, uint64_t n, unsigned int significand)
{
	const unsigned int drop = 24 - significand;

	for (uint64_t i = 0; i < n; i++) {
		uint32_t bits;
		float near;

		memcpy(&bits, &v[i], sizeof(bits));
		bits = (bits + (1u << (drop - 1)) - 1 + (bits >> drop & 1)) >> drop << drop;
		memcpy(&near, &bits, sizeof(near));
		v[i] = isfinite(near) ? near : v[i];
	}
}

/* What the codebook and the scales give, as whoever looks for codes computes it. */
static void expand(struct net_value *v)
{
	uint64_t n = v->count / v->dims[0];
	float *w = v->data;

	for (uint64_t i = 0; i < v->count; i++) {
		float scale = v->row_scale[i / n];

		if (w[i] != 0)
			w[i] = scale * v->codebook[1 + kmeans_nearest(v->codebook + 1, v->ncodes - 1, w[i] / scale)];
	}
}

/* For what has `wanted` bits of its own. */
static unsigned int float_bits(unsigned int wanted)
{
	return wanted < SHORTEST ? SHORTEST : wanted > LONGEST ? LONGEST : wanted;
}

/*
 * Shared values and biases need not be exact: of small layers they would take as much of the file as the codes. With two bits more than the codes have, a shared value moves by an eighth of what is
 * between it and the next at most; with one bit more, biases have less noise than the sums that they are added to.
 */
static void shorten_floats(const struct compress *c, struct accel_network *net)
{
	for (unsigned int i = 0; i < c->n; i++) {
		const struct compress_layer *l = &c->layer[i];
		struct net_value *v = &net->values[l->value];

		if (!l->bits)
			continue;
		shorten(v->codebook, v->ncodes, float_bits(l->bits + 2));
		if (v->row_scale && v->ncodes > 1)
			expand(v);
		else
			shorten(v->data, v->count, float_bits(l->bits + 2));
		if (l->bias != NET_NONE)
			shorten(net->values[l->bias].data, net->values[l->bias].count, float_bits(l->bits + 1));
	}
}

int compress_all(struct compress *c, struct accel_network *net)
{
	int ret = 0;

	for (unsigned int i = 0; !ret && i < c->n; i++) {
		struct compress_layer *l = &c->layer[i];

		ret = compress_progress(c, l->name, i, c->n);
		l->nonzeros = l->n;
		if (!ret && l->bits)
			ret = c->tuning ? compress_prune(c, l, net) : compress_one(c, l, net);
	}
	if (!ret && c->tuning)
		ret = compress_tune(c, net, false);
	for (unsigned int i = 0; !ret && c->tuning && i < c->n; i++)
		if (c->layer[i].bits)
			ret = compress_round(c, &c->layer[i], net);
	if (!ret && c->tuning)
		ret = compress_tune(c, net, true);
	if (!ret)
		shorten_floats(c, net);
	return ret ? ret : compress_progress(c, "", c->n, c->n);
}

static int before_item(void *c, uint64_t item)
{
	return compress_progress(c, "(calibration)", (unsigned int)item, UINT32_MAX);
}

/* What calibration inputs say of each layer that can be asked. */
static int look_at_inputs(struct compress *c, struct accel_network *net, const struct accel_onnx_options *onnx)
{
	struct second_target *targets = calloc(c->n, sizeof(*targets));
	struct calib_inputs in;
	const float **list = NULL;
	int ret = targets ? import_calibration(net, onnx, &in, &list, c->err) : accel_fail(c->err, -ENOMEM, NULL, "%s: out of memory", c->file);

	ret = ret ? ret : blas_open(&c->blas, c->err);
	for (unsigned int i = 0; !ret && i < c->n; i++) {
		struct compress_layer *l = &c->layer[i];
		const struct net_node *node = &net->nodes[l->node];

		if (l->bits && second_can(net, node) && second_new(net, node, &l->second))
			ret = accel_fail(c->err, -ENOMEM, NULL, "%s: no memory for what calibration tells of layer '%s'; --prune magnitude needs none", c->file,
					 l->name);
		targets[i] = (struct second_target){ l->node, l->second };
	}
	ret = ret ? ret : second_collect(&c->blas, net, &in, c->n, targets, before_item, c, c->err);
	ret = ret ? ret : make_curves(c, net);
	ret = ret ? ret : compress_sense(c, net, &in);
	free(targets);
	if (ret || c->options->correct == ACCEL_CORRECT_NONE) {
		free(list);
		return ret;
	}
	return compress_tune_new(c, net, &in, list);
}

/* Of a code, as if all had as many. */
static unsigned int bits_of_code(const struct compress_layer *l)
{
	unsigned int bits = l->uniform ? 2 : l->bits;

	while (l->uniform && compress_values(bits) < l->shared)
		bits++;
	return bits;
}

static void report(const struct compress *c)
{
	for (unsigned int i = 0; c->options->report && i < c->n; i++) {
		const struct compress_layer *l = &c->layer[i];
		const struct accel_compress_info info = {
			.layer = l->name, .op = l->op, .weights = l->n, .nonzeros = l->nonzeros, .bits = bits_of_code(l), .shared = l->shared,
			.snr = l->bits && l->noise > 0 ? 10 * log10(l->signal / l->noise) : INFINITY,
		};

		c->options->report(c->options->report_arg, &info);
	}
	if (c->options->corrected && (c->tune.items || c->tune.told.why))
		c->options->corrected(c->options->report_arg, &c->tune.told);
}

static int run(struct compress *c, const struct compress_source *s, struct accel_model **model)
{
	const struct accel_compress_options *o = c->options;
	struct accel_network *net = NULL;
	double loss = LOSS;
	int ret = compress_open(s, &net, c->err);

	if (ret)
		return ret;
	ret = compress_find(c, net);
	if (!ret && (o->prune == ACCEL_PRUNE_SECOND_ORDER || (o->prune == ACCEL_PRUNE_AUTO && s->onnx.ncalib)))
		ret = look_at_inputs(c, net, &s->onnx);
	else if (!ret)
		ret = make_curves(c, net);
	if (!ret && o->density > 0)
		loss = compress_loss_of_density(c, o->density);
	/* a goal of size or cycles is looked for without correction, which takes its time; a search wants to see what will be */
	c->tuning = c->tune.items && (o->search || !compress_goal(c));
	if (!ret && o->max_drop > 0 && !o->search)
		ret = compress_find_loss(c, s, net, &loss);
	if (ret) {
		net_free(net);
		return ret;
	}
	if (o->search)
		return compress_search(c, s, net, loss, model);
	if (compress_goal(c)) {
		net_free(net);
		return compress_to_goal(c, s, model);
	}
	compress_choose(c, loss);
	return compress_once(c, s, net, model, NULL);
}

int accel_model_compress(const char *path, const struct accel_onnx_options *onnx, const struct accel_compress_options *options,
			 struct accel_model **model, struct accel_error *err)
{
	const struct accel_compress_options o = copy_options(options);
	struct compress c = { .options = &o, .file = path, .pruning = 1, .err = err };
	struct compress_source s = { .path = path, .options = &o, .onnx = import_copy(onnx) };
	struct import_lists lists = { 0 };
	int ret = check_options(&o, s.onnx.ncalib, err);

	c.source = &s;
	ret = ret ? ret : import_options(&s.onnx, &lists, &s.import, err);
	ret = ret ? ret : run(&c, &s, model);
	if (!ret)
		report(&c);
	import_lists_free(&lists);
	compress_free(&c);
	compress_tune_free(&c);
	blas_close(&c.blas);
	return ret;
}
