// SPDX-License-Identifier: GPL-2.0 OR MIT
/* Goals that are looked for: a size of the file, or cycles of the engine. */
#include "compress.h"
#include "container.h"
#include "onnx.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define ROUNDS 8           /* towards a goal */
#define ITEMS  512u        /* calibration inputs that ranges are measured with on the way there */
#define CORRECTED_ROUNDS 3 /* of what is corrected at last */
#define CLOSE  0.99        /* of the goal is near enough */
#define LEAST_PART 0.1     /* of the way between what fitted and what did not */
#define TRIED_EPOCHS 6u    /* of a correction that tells which of several is best, at most */
#define TRIED_ITEMS  2048u /* that it learns from */
#define PART   0.1         /* of a file, that codes are worth a word about */
#define ENGINE "ref:8x8"   /* whose cycles are counted */
#define MULTIPLIERS 64.0   /* that it has */

int compress_open(const void *arg, struct accel_network **net, struct accel_error *err)
{
	const struct compress_source *s = arg;

	int ret = onnx_open(s->path, &s->import, net, err);

	ret = ret ? ret : compress_split_rows(s->options, *net, err);
	if (ret)
		net_free(*net);
	return ret;
}

/* ---------------------------------------------------------------- measured */

static int count_cycles(const struct compress *c, struct accel_model *model, uint64_t *cycles)
{
	struct accel_device *device;
	struct accel_program *program = NULL;
	struct accel_estimate *estimate = NULL;
	struct accel_stats stats;
	int ret = accel_device_open(ENGINE, &device, c->err);

	if (ret)
		return ret;
	ret = accel_program_compile(model, device, NULL, &program, c->err);
	ret = ret ? ret : accel_program_estimate(program, NULL, &estimate, c->err);
	ret = ret ? ret : accel_estimate_total(estimate, &stats);
	*cycles = ret ? 0 : stats.cycles;
	accel_estimate_free(estimate);
	accel_program_unref(program);
	accel_device_unref(device);
	return ret;
}

static int count_bytes(const struct compress *c, const struct accel_model *model, uint64_t *bytes)
{
	size_t size;
	void *data;
	int ret = eie_encode(model, &data, &size, NULL, c->err);

	if (ret)
		return ret;
	free(data);
	*bytes = size;
	return 0;
}

int compress_finish(const struct compress *c, const struct compress_source *s, struct accel_network *net, struct accel_model **model, uint64_t *amount)
{
	int ret = import_finish(net, s->path, &s->onnx, model, c->err);

	if (ret || !amount)
		return ret;
	ret = c->options->cycles ? count_cycles(c, *model, amount) : count_bytes(c, *model, amount);
	if (ret)
		accel_model_unref(*model);
	return ret;
}

int compress_once(struct compress *c, const struct compress_source *s, struct accel_network *net, struct accel_model **model, uint64_t *amount)
{
	int ret = compress_all(c, net);

	if (ret) {
		net_free(net);
		return ret;
	}
	return compress_finish(c, s, net, model, amount);
}

/* ---------------------------------------------------------------- estimated */

double compress_estimate(const struct compress *c)
{
	double amount = 0;

	for (unsigned int i = 0; i < c->n; i++) {
		const struct compress_layer *l = &c->layer[i];
		double d = (double)l->keep / (double)l->n;

		if (c->options->cycles)
			amount += (double)l->keep * l->positions / MULTIPLIERS;
		else
			amount += l->bits ? compress_bytes(l, d, compress_entropy(d), l->uniform, l->bits) : 4 * (double)l->n;
	}
	return amount;
}

uint64_t compress_goal(const struct compress *c)
{
	return c->options->cycles ? c->options->cycles : c->options->file_bytes;
}

/* Chooses for so many estimated bytes, or cycles; with bits to be chosen what that leaves of bytes is filled. Returns the loss. */
static double choose_for(struct compress *c, double wanted)
{
	double loss = compress_loss_of_estimate(c, wanted);

	compress_choose(c, loss);
	if (c->options->choose_bits && !c->options->cycles)
		compress_fill(c, wanted - compress_estimate(c));
	return loss;
}

double compress_most(struct compress *c)
{
	compress_choose(c, 0);
	return compress_estimate(c);
}

double compress_loss_of_estimate(struct compress *c, double amount)
{
	double lo = 0, hi = COMPRESS_MOST;

	for (unsigned int i = 0; i < 60; i++) {
		double middle = (lo + hi) / 2;

		compress_choose(c, middle);
		if (compress_estimate(c) > amount)
			lo = middle;
		else
			hi = middle;
	}
	return hi;
}

/* ---------------------------------------------------------------- looked for */

/* Whether codes, as they were tried last, are a part of the file that fewer bits would be noticed in. */
static bool bits_matter(const struct compress *c, uint64_t bytes)
{
	double codes = 0;

	for (unsigned int i = 0; i < c->n; i++)
		codes += c->layer[i].bits > 1 ? (double)c->layer[i].keep * c->layer[i].bits / 8 : 0;
	return codes > PART * (double)bytes;
}

int compress_out_of_reach(const struct compress *c, uint64_t amount)
{
	const char *what = c->options->cycles ? "cycles" : "bytes";
	struct accel_error last = { 0 };

	if (!amount) {
		if (c->err)
			last = *c->err;
		return accel_fail(c->err, -ERANGE, NULL, "%s: no %s of %llu %s, and no other that integers hold, either: %s", c->file, c->options->cycles ? "run" : "file",
				  (unsigned long long)compress_goal(c), what, last.text);
	}
	return accel_fail(c->err, -ERANGE, NULL, "%s: no %s of %llu %s: %llu with as much pruned as makes sense%s", c->file, c->options->cycles ? "run" : "file",
			  (unsigned long long)compress_goal(c), what, (unsigned long long)amount, !c->options->cycles && bits_matter(c, amount) ? "; fewer --bits help" : "");
}

/* What is as near to the goal as was found, not corrected. */
struct found {
	struct compress_layer *layers;   /* what was chosen */
	struct accel_model *model;       /* or NULL: nothing fits */
	double pruning, asked;           /* estimated bytes, or cycles, that it was chosen for */
	uint64_t least;                  /* that any had */
	double error;                    /* of the output, when it is corrected a little */
};

/* What is corrected in the end is measured once more; ranges have next to no say in the size. */
static struct compress_source quick_source(const struct compress *c, const struct compress_source *s)
{
	struct compress_source quick = *s;

	if (c->tune.items && quick.onnx.ncalib > ITEMS)
		quick.onnx.ncalib = ITEMS;
	return quick;
}

/* What was asked for as an estimate, and what came of it. */
struct asked {
	double wanted;
	uint64_t amount;           /* 0: nothing was asked for */
};

/* On both sides of the goal: the most that fitted, and the least that did not. */
struct bracket {
	struct asked below, above;
};

static void narrow(struct bracket *b, double wanted, uint64_t amount, uint64_t goal)
{
	const struct asked a = { wanted, amount };

	if (amount <= goal && (!b->below.amount || wanted > b->below.wanted))
		b->below = a;
	if (amount > goal && (!b->above.amount || wanted < b->above.wanted))
		b->above = a;
}

/* What to ask for next. The estimate is wrong by much the same each time; but where it is not, that alone would go to and fro about the goal for ever. */
static double next_wanted(const struct bracket *b, double estimated, uint64_t amount, uint64_t goal)
{
	const double target = 0.5 * (1 + CLOSE) * (double)goal;
	double part;

	if (!b->below.amount || !b->above.amount || b->below.wanted >= b->above.wanted)
		return estimated - ((double)amount - target);
	part = (target - (double)b->below.amount) / ((double)b->above.amount - (double)b->below.amount);
	return b->below.wanted + fmin(fmax(part, LEAST_PART), 1 - LEAST_PART) * (b->above.wanted - b->below.wanted);
}

/* In f also when it fails: the caller forgets it. */
static int find(struct compress *c, const struct compress_source *s, struct found *f)
{
	struct compress_source quick = quick_source(c, s);
	uint64_t goal = compress_goal(c), amount = 0, best = 0;
	double wanted = (double)goal, fits = compress_most(c);
	struct bracket bracket = { 0 };
	int ret = 0;

	f->layers = calloc(c->n, sizeof(*f->layers));
	if (!f->layers)
		return accel_fail(c->err, -ENOMEM, NULL, "%s: out of memory", c->file);
	for (unsigned int round = 0; round < ROUNDS + !best && (double)best < CLOSE * (double)goal; round++) {
		struct accel_network *net = NULL;
		struct accel_model *m;
		double loss = COMPRESS_MOST, estimated;

		/* nothing has fitted: whether anything does, the least tells */
		if (round < ROUNDS)
			loss = choose_for(c, wanted);
		else
			compress_choose(c, loss);
		estimated = compress_estimate(c);
		ret = compress_open(s, &net, c->err);
		ret = ret ? ret : compress_once(c, &quick, net, &m, &amount);
		/* so little is left that integers do not hold what is added up: half of the way back */
		if (ret == -ERANGE) {
			ret = 0;
			wanted = (estimated + fits) / 2;
			continue;
		}
		if (ret)
			break;
		fits = estimated;
		f->least = f->least && f->least < amount ? f->least : amount;
		if (amount > goal || amount <= best) {
			accel_model_unref(m);
		} else {
			accel_model_unref(f->model);
			f->model = m;
			best = amount;
			f->asked = wanted;
			memcpy(f->layers, c->layer, c->n * sizeof(*f->layers));
		}
		/* all of it stays, and the goal is reached; or next to nothing stays, and it is not */
		if ((amount <= goal && loss < 1e-12) || (amount > goal && loss >= COMPRESS_MOST))
			break;
		narrow(&bracket, wanted, amount, goal);
		wanted = next_wanted(&bracket, estimated, amount, goal);
	}
	return ret;
}

static void forget(struct found *f)
{
	accel_model_unref(f->model);
	free(f->layers);
	*f = (struct found){ 0 };
}

static bool same(const struct compress *c, const struct found *a, const struct found *b)
{
	for (unsigned int i = 0; i < c->n; i++)
		if (a->layers[i].keep != b->layers[i].keep || a->layers[i].bits != b->layers[i].bits || a->layers[i].uniform != b->layers[i].uniform)
			return false;
	return true;
}

/* A part of the correction, with a part of the items. What is beyond the goal then asks for less. */
static int correct_a_little(struct compress *c, const struct compress_source *s, struct found *f)
{
	struct compress_source quick = quick_source(c, s);
	struct accel_network *net = NULL;
	struct accel_model *m = NULL;
	unsigned int epochs = c->tune.epochs;
	uint64_t amount = 0;
	int ret = compress_open(s, &net, c->err);

	if (ret)
		return ret;
	memcpy(c->layer, f->layers, c->n * sizeof(*f->layers));
	c->tuning = true;
	c->tune.part = TRIED_ITEMS;
	c->tune.epochs = epochs < TRIED_EPOCHS ? epochs : TRIED_EPOCHS;
	ret = compress_once(c, &quick, net, &m, &amount);
	c->tune.epochs = epochs;
	c->tune.part = 0;
	c->tuning = false;
	/* integers do not hold what is added up then: the other one may do */
	if (ret)
		return ret == -ERANGE ? 0 : ret;
	accel_model_unref(m);
	f->error = c->tune.told.after;
	if (amount > compress_goal(c))
		f->asked -= 1.2 * (double)(amount - compress_goal(c));
	return 0;
}

/*
 * Errors of pruning and of rounding are measured without correction, and what it can do about each differs between networks: those with weights to spare are better pruned, those without
 * better rounded. So both are tried.
 */
static int find_best(struct compress *c, const struct compress_source *s, struct found *best)
{
	static const double pruning[] = { 1, 64 };
	const bool several = c->options->choose_bits && c->tune.items && !c->options->cycles;
	int ret = 0;

	for (unsigned int k = 0; !ret && k < (several ? sizeof(pruning) / sizeof(pruning[0]) : 1); k++) {
		struct found f = { .pruning = pruning[k], .error = INFINITY };

		c->pruning = f.pruning;
		ret = find(c, s, &f);
		if (!ret && f.model && several && !(best->model && same(c, best, &f)))
			ret = correct_a_little(c, s, &f);
		if (!k || (!ret && f.model && (!best->model || f.error < best->error))) {
			forget(best);
			*best = f;
		} else {
			forget(&f);
		}
	}
	return ret;
}

/*
 * Correction takes its time: what was chosen without it gets it in the end. The codes that come of it may take a little more room; when it does not fit after all, what was found stays.
 */
static int correct_to_goal(struct compress *c, const struct compress_source *s, struct found *f)
{
	uint64_t goal = compress_goal(c), amount = 0;
	double wanted = f->asked;
	int ret = 0;

	c->tuning = true;
	for (unsigned int round = 0; !ret && round < CORRECTED_ROUNDS; round++) {
		struct accel_network *net = NULL;
		struct accel_model *m;

		choose_for(c, wanted);
		ret = compress_open(s, &net, c->err);
		ret = ret ? ret : compress_once(c, s, net, &m, &amount);
		if (ret)
			break;
		if (amount <= goal) {
			accel_model_unref(f->model);
			f->model = m;
			return 0;
		}
		wanted -= 1.2 * (double)(amount - goal);
		accel_model_unref(m);
	}
	memcpy(c->layer, f->layers, c->n * sizeof(*f->layers));
	c->tune.told = (struct accel_correct_info){ .why = "the corrected network was always beyond the goal" };
	return ret;
}

int compress_to_goal(struct compress *c, const struct compress_source *s, struct accel_model **model)
{
	struct found f = { 0 };
	int ret = find_best(c, s, &f);

	if (!ret && !f.model)
		ret = compress_out_of_reach(c, f.least);
	if (!ret) {
		c->pruning = f.pruning;
		memcpy(c->layer, f.layers, c->n * sizeof(*f.layers));
		if (c->tune.items)
			ret = correct_to_goal(c, s, &f);
	}
	if (!ret) {
		*model = f.model;
		f.model = NULL;
	}
	forget(&f);
	return ret;
}
