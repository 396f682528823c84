// SPDX-License-Identifier: GPL-2.0 OR MIT
/* From a network of floats to a compressed model: docs/compression.md. */
#include "compress.h"
#include "container.h"
#include "import.h"
#include "onnx.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define LOSS       0.02    /* of what the weights are worth, when nobody wants anything: about 17 dB below them */
#define ROUNDS     6       /* towards a size */
#define CLOSE      0.97    /* of the size that was asked for is near enough */

/* What all rounds share. Each opens the file again: a copy of the weights would cost as much memory as they do. */
struct source {
	const char *path;
	struct accel_onnx_options onnx;
	struct onnx_options import;
};

static struct accel_compress_options copy_options(const struct accel_compress_options *options)
{
	struct accel_compress_options o = { 0 };

	if (options)
		memcpy(&o, options, options->size < sizeof(o) ? options->size : sizeof(o));
	return o;
}

static int check_options(const struct accel_compress_options *o, struct accel_error *err)
{
	if (!(o->density >= 0) || o->density > 1)
		return accel_fail(err, -EINVAL, NULL, "density %g; above 0, at most 1 makes sense", o->density);
	if (o->conv_bits > 8 || o->fc_bits > 8)
		return accel_fail(err, -EINVAL, NULL, "%u bits; 1 to 8 are possible", o->conv_bits > 8 ? o->conv_bits : o->fc_bits);
	if (o->share > ACCEL_SHARE_RANDOM)
		return accel_fail(err, -EINVAL, NULL, "weight sharing %d is unknown", (int)o->share);
	if (o->density > 0 && o->file_bytes)
		return accel_fail(err, -EINVAL, NULL, "a density and a size: one of them decides how much is pruned");
	for (unsigned int i = 0; i < o->noverrides; i++) {
		const struct accel_compress_layer *l = &o->overrides[i];

		if (!l->pattern || !(l->density >= 0) || l->density > 1 || l->bits > 8)
			return accel_fail(err, -EINVAL, l->pattern, "layer '%s': density %g and %u bits; at most 1, and at most 8", l->pattern ? l->pattern : "",
					  l->density, l->bits);
	}
	return 0;
}

static int tell_progress(const struct compress *c, const char *layer, unsigned int done)
{
	if (!c->options->progress || !c->options->progress(c->options->progress_arg, layer, done, c->n))
		return 0;
	return accel_fail(c->err, -ECANCELED, layer, "%s: cancelled", c->file);
}

/* ---------------------------------------------------------------- layers */

static int make_curves(struct compress *c, const struct accel_network *net)
{
	for (unsigned int i = 0; i < c->n; i++) {
		struct compress_layer *l = &c->layer[i];

		if (l->bits && prune_curve_new(l->n, prune_square, net->values[l->value].data, 0, &l->curve))
			return accel_fail(c->err, -ENOMEM, NULL, "%s: out of memory", c->file);
	}
	return 0;
}

static double energy(const float *w, uint64_t n)
{
	double sum = 0;

	for (uint64_t i = 0; i < n; i++)
		sum += (double)w[i] * (double)w[i];
	return sum;
}

static int compress_layer(struct compress *c, struct compress_layer *l, struct net_value *v)
{
	float *w = v->data;

	l->signal = energy(w, l->n);
	if (prune_weights(w, l->n, l->keep, prune_square, w))
		return accel_fail(c->err, -ENOMEM, NULL, "%s: out of memory", c->file);
	l->noise = l->signal - energy(w, l->n);
	return compress_share(c, l, v);
}

static int compress_all(struct compress *c, struct accel_network *net)
{
	int ret = 0;

	for (unsigned int i = 0; !ret && i < c->n; i++) {
		struct compress_layer *l = &c->layer[i];

		ret = tell_progress(c, l->name, i);
		if (!ret && l->bits)
			ret = compress_layer(c, l, &net->values[l->value]);
		else
			l->nonzeros = l->n;
	}
	return ret ? ret : tell_progress(c, "", c->n);
}

static void report(const struct compress *c)
{
	for (unsigned int i = 0; c->options->report && i < c->n; i++) {
		const struct compress_layer *l = &c->layer[i];
		const struct accel_compress_info info = {
			.layer = l->name, .op = l->op, .weights = l->n, .nonzeros = l->nonzeros, .bits = l->bits, .shared = l->shared,
			.snr = l->bits && l->noise > 0 ? 10 * log10(l->signal / l->noise) : INFINITY,
		};

		c->options->report(c->options->report_arg, &info);
	}
}

/* ---------------------------------------------------------------- goals */

static int open_network(const struct source *s, struct accel_network **net, struct accel_error *err)
{
	return onnx_open(s->path, &s->import, net, err);
}

/* Takes net over. */
static int finish(const struct compress *c, const struct source *s, struct accel_network *net, struct accel_model **model, uint64_t *bytes)
{
	void *data;
	size_t size;
	int ret = import_finish(net, s->path, &s->onnx, model, c->err);

	if (ret || !bytes)
		return ret;
	ret = eie_encode(*model, &data, &size, NULL, c->err);
	if (ret) {
		accel_model_unref(*model);
		return ret;
	}
	free(data);
	*bytes = size;
	return 0;
}

static int run_once(struct compress *c, const struct source *s, struct accel_network *net, double loss, struct accel_model **model, uint64_t *bytes)
{
	int ret;

	compress_choose(c, loss);
	ret = compress_all(c, net);
	if (ret) {
		net_free(net);
		return ret;
	}
	return finish(c, s, net, model, bytes);
}

/* Bits of a weight that is there or not, with this probability. */
static double entropy(double p)
{
	return p > 0 && p < 1 ? -p * log2(p) - (1 - p) * log2(1 - p) : 0;
}

/* Roughly, for what is pruned: what each layer's positions, codes and codebook take. */
static double estimate(struct compress *c, double loss)
{
	double bytes = 0;

	compress_choose(c, loss);
	for (unsigned int i = 0; i < c->n; i++) {
		const struct compress_layer *l = &c->layer[i];
		double d = (double)l->keep / (double)l->n;

		bytes += l->bits ? (double)l->n * (entropy(d) + d * l->bits) / 8 : 4 * (double)l->n;
	}
	return bytes;
}

static double loss_of_estimate(struct compress *c, double bytes)
{
	double lo = 0, hi = 1;

	for (unsigned int i = 0; i < 60; i++) {
		double middle = (lo + hi) / 2;

		if (estimate(c, middle) > bytes)
			lo = middle;
		else
			hi = middle;
	}
	return hi;
}

/* The estimate is corrected by what came of it, until the file is no larger than it may be, and not much smaller. Takes net over. */
static int run_to_size(struct compress *c, const struct source *s, struct accel_network *net, struct accel_model **model)
{
	struct compress_layer *layers = calloc(c->n, sizeof(*layers));
	uint64_t goal = c->options->file_bytes, bytes = 0, best = 0;
	double wanted = (double)goal;
	int ret = 0;

	if (!layers) {
		net_free(net);
		return accel_fail(c->err, -ENOMEM, NULL, "%s: out of memory", c->file);
	}
	for (unsigned int round = 0; round < ROUNDS && (double)best < CLOSE * (double)goal; round++) {
		struct accel_model *m;
		double loss = loss_of_estimate(c, wanted), estimated = estimate(c, loss);

		ret = net ? 0 : open_network(s, &net, c->err);
		ret = ret ? ret : run_once(c, s, net, loss, &m, &bytes);
		net = NULL;
		if (ret)
			break;
		if (bytes > goal || bytes <= best) {
			accel_model_unref(m);
		} else {
			accel_model_unref(best ? *model : NULL);
			*model = m;
			best = bytes;
			memcpy(layers, c->layer, c->n * sizeof(*layers));
		}
		/* all of it stays, and the file is small enough; or next to nothing stays, and it is not */
		if ((bytes <= goal && loss < 1e-12) || (bytes > goal && loss >= 1))
			break;
		wanted = estimated - ((double)bytes - 0.5 * (1 + CLOSE) * (double)goal);
	}
	if (best)
		memcpy(c->layer, layers, c->n * sizeof(*layers));
	free(layers);
	if (ret && best)
		accel_model_unref(*model);
	if (!ret && !best)
		ret = accel_fail(c->err, -ERANGE, NULL, "%s: no file of %llu bytes: %llu with as much pruned as makes sense; fewer --bits help", c->file,
				 (unsigned long long)goal, (unsigned long long)bytes);
	return ret;
}

static int run(struct compress *c, const struct source *s, struct accel_model **model)
{
	struct accel_network *net = NULL;
	double loss = LOSS;
	int ret = open_network(s, &net, c->err);

	if (ret)
		return ret;
	ret = compress_find(c, net);
	ret = ret ? ret : make_curves(c, net);
	if (ret) {
		net_free(net);
		return ret;
	}
	if (c->options->file_bytes)
		return run_to_size(c, s, net, model);
	if (c->options->density > 0)
		loss = compress_loss_of_density(c, c->options->density);
	return run_once(c, s, net, loss, model, NULL);
}

int accel_model_compress(const char *path, const struct accel_onnx_options *onnx, const struct accel_compress_options *options,
			 struct accel_model **model, struct accel_error *err)
{
	const struct accel_compress_options o = copy_options(options);
	struct compress c = { .options = &o, .file = path, .err = err };
	struct source s = { .path = path, .onnx = import_copy(onnx) };
	struct import_lists lists = { 0 };
	int ret = check_options(&o, err);

	ret = ret ? ret : import_options(&s.onnx, &lists, &s.import, err);
	ret = ret ? ret : run(&c, &s, model);
	if (!ret)
		report(&c);
	import_lists_free(&lists);
	compress_free(&c);
	return ret;
}
