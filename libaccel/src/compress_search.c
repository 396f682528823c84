// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Densities and bits of layers by trying (AMC, He et al., arXiv 1802.03494, learns where to look; here a walk does, which begins at what the sensitivities of the layers say). A try takes weights
 * or bits from one layer and gives another what that is worth, is compressed, corrected a little, and judged by the outputs. What is better is where the walk goes on.
 */
#include "compress_search.h"
#include "seed.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define TRIES       40u
#define FEW_EPOCHS  6u         /* of correction in a try */
#define MOVES       50u        /* that are thought of before one fits */
#define ROUNDS      6          /* towards the goal, before the first try */
#define CLOSE       0.97       /* of the goal is near enough */
#define LEAST_STEP  0.05       /* of a logarithm of a density */
#define MOST_STEP   0.5
#define LEAST_GAIN  0.005      /* of the amount, that a try under a limit of accuracy is to save */
#define MOST_GAIN   0.05
#define LEAST_KEPT  0.002      /* of a layer's weights */
#define WORTH       4u         /* weights for each shared value */
#define ALL_ITEMS   40u        /* with fewer there is no correction, and none is held out */
#define HELD        8u
#define MOST_ITEMS  256u
#define LEAST_ITEMS 8u
#define WORK        4e11       /* steps of all judging together */

static bool drops(const struct search *h)
{
	return h->c->options->max_drop > 0;
}

/* ---------------------------------------------------------------- amounts */

static void apply(struct search *h, const struct search_place *place)
{
	for (unsigned int i = 0; i < h->c->n; i++) {
		h->c->layer[i].keep = place[i].keep;
		h->c->layer[i].uniform = place[i].uniform;
		h->c->layer[i].bits = place[i].bits;
	}
}

static void note(const struct search *h, struct search_place *place)
{
	for (unsigned int i = 0; i < h->c->n; i++)
		place[i] = (struct search_place){ h->c->layer[i].keep, h->c->layer[i].uniform, h->c->layer[i].bits };
}

/* With a density for a goal weights are counted, and exactly. */
static bool counts_weights(const struct search *h)
{
	return h->c->options->density > 0;
}

static uint64_t kept(const struct search *h)
{
	uint64_t sum = 0;

	for (unsigned int i = 0; i < h->c->n; i++)
		sum += h->c->layer[i].keep;
	return sum;
}

static double estimate(struct search *h, const struct search_place *place)
{
	apply(h, place);
	return counts_weights(h) ? (double)kept(h) : compress_estimate(h->c);
}

/* ---------------------------------------------------------------- tries */

static int judge(struct search *h, struct accel_network *net, double *error)
{
	struct netrun *run;
	uint64_t right;
	int ret;

	if (drops(h)) {
		ret = compress_count_right(h->c, net, &right);
		*error = 100 * ((double)h->right - (double)right) / (double)h->c->options->nlabelled;
		return ret;
	}
	ret = netrun_new(net, 1, 0, NULL, NULL, &run, h->c->err);
	if (ret)
		return ret;
	ret = judge_error(&h->judge, net, run, error, h->c->err);
	netrun_free(run);
	return ret;
}

static bool promising(const struct search *h, double error)
{
	return drops(h) ? error <= h->c->options->max_drop : error < h->error;
}

/* Compresses as place says. *amount is UINT64_MAX, and *model NULL, when it is not promising and not wanted for sure; the caller owns *model. */
static int attempt(struct search *h, const struct search_place *place, unsigned int epochs, bool sure, double *error, uint64_t *amount, struct accel_model **model)
{
	struct accel_network *net = NULL;
	int ret = compress_open(h->s, &net, h->c->err);

	*model = NULL;
	*amount = UINT64_MAX;
	if (ret)
		return ret;
	apply(h, place);
	h->c->tune.epochs = epochs;
	ret = compress_all(h->c, net);
	ret = ret ? ret : judge(h, net, error);
	if (ret || (!sure && !promising(h, *error))) {
		net_free(net);
		return ret;
	}
	ret = compress_finish(h->c, h->s, net, model, counts_weights(h) ? NULL : amount);
	if (ret)
		*model = NULL;
	else if (counts_weights(h))
		*amount = kept(h);
	return ret;
}

/* ---------------------------------------------------------------- moves */

static unsigned int below(struct search *h, unsigned int n)
{
	return (unsigned int)(seed_uniform(&h->random) * n);
}

static uint64_t least(const struct compress_layer *l)
{
	return (uint64_t)fmax(1, ceil(LEAST_KEPT * (double)l->n));
}

/* The most weights of layer j with which the estimate is no more than budget. false: not even the least. */
static bool fit(struct search *h, unsigned int j, double budget)
{
	const struct compress_layer *l = &h->c->layer[j];
	uint64_t lo = least(l), hi = l->n;

	h->now[j].keep = lo;
	if (estimate(h, h->now) > budget)
		return false;
	while (lo < hi) {
		uint64_t middle = lo + (hi - lo + 1) / 2;

		h->now[j].keep = middle;
		if (estimate(h, h->now) > budget)
			hi = middle - 1;
		else
			lo = middle;
	}
	h->now[j].keep = lo;
	return true;
}

static bool change_bits(struct search *h, unsigned int i, bool more)
{
	const struct compress_layer *l = &h->c->layer[i];
	unsigned int bits = h->now[i].bits + (more ? 1 : -1u);

	if (l->bits_given || counts_weights(h) || h->c->options->cycles || bits < 2 || bits > 8 || (more && (uint64_t)compress_values(bits) * WORTH > l->n))
		return false;
	h->now[i].bits = bits;
	return true;
}

static bool change_density(struct search *h, unsigned int i)
{
	const struct compress_layer *l = &h->c->layer[i];
	double step = LEAST_STEP + (MOST_STEP - LEAST_STEP) * seed_uniform(&h->random);
	double keep = (double)h->now[i].keep * exp(below(h, 2) ? step : -step);

	if (l->density > 0)
		return false;
	h->now[i].keep = (uint64_t)fmin(fmax(keep, (double)least(l)), (double)l->n);
	return true;
}

static bool same(const struct search *h)
{
	for (unsigned int i = 0; i < h->c->n; i++)
		if (h->now[i].keep != h->best[i].keep || h->now[i].uniform != h->best[i].uniform || h->now[i].bits != h->best[i].bits)
			return false;
	return true;
}

/* Another place as near to the goal as the best, in now. false: none was thought of. */
static bool propose(struct search *h)
{
	const struct compress *c = h->c;

	for (unsigned int k = 0; k < MOVES; k++) {
		unsigned int i = below(h, c->n), j = below(h, c->n), kind = below(h, 3);
		double saved = LEAST_GAIN + (MOST_GAIN - LEAST_GAIN) * seed_uniform(&h->random);
		double budget = (drops(h) ? (double)h->amount * (1 - saved) : (double)h->goal) - h->offset;

		memcpy(h->now, h->best, c->n * sizeof(*h->now));
		if (!c->layer[i].bits || !c->layer[j].bits || c->layer[j].density > 0)
			continue;
		if (kind ? !change_bits(h, i, kind == 2) : (i == j && !drops(h)) || !change_density(h, i))
			continue;
		if (fit(h, j, budget) && !same(h))
			return true;
	}
	return false;
}

/* ---------------------------------------------------------------- begin */

static void take(struct search *h, const struct search_place *place, double error, uint64_t amount)
{
	memmove(h->best, place, h->c->n * sizeof(*place));
	h->error = error;
	h->amount = amount;
	h->offset = (double)amount - estimate(h, place);
}

/* A size or cycles: as compress_to_goal(), but corrected. */
static int begin_at_goal(struct search *h)
{
	double wanted = (double)h->goal, fits = compress_most(h->c);
	uint64_t amount = 0, least = 0;
	int ret = 0;

	h->amount = 0;
	for (unsigned int round = 0; !ret && round < ROUNDS && (double)h->amount < CLOSE * (double)h->goal; round++) {
		double loss = compress_loss_of_estimate(h->c, wanted), error = 1, estimated;
		struct accel_model *model;

		compress_choose(h->c, loss);
		note(h, h->now);
		estimated = estimate(h, h->now);
		ret = attempt(h, h->now, h->few, true, &error, &amount, &model);
		accel_model_unref(model);
		/* as in compress_to_goal() */
		if (ret == -ERANGE) {
			ret = 0;
			wanted = (estimated + fits) / 2;
			continue;
		}
		fits = estimated;
		least = least && least < amount ? least : amount;
		if (!ret && amount <= h->goal && amount > h->amount)
			take(h, h->now, error, amount);
		if ((amount <= h->goal && loss < 1e-12) || (amount > h->goal && loss >= COMPRESS_MOST))
			break;
		wanted = estimated - ((double)amount - 0.5 * (1 + CLOSE) * (double)h->goal);
	}
	return ret || h->amount ? ret : compress_out_of_reach(h->c, least);
}

/* Where the layers' sensitivities lead; net is the float network. */
static int begin(struct search *h, const struct accel_network *net, double loss)
{
	struct accel_model *model;
	uint64_t amount = 0;
	double error = 1;
	int ret = 0;

	h->goal = compress_goal(h->c);
	h->random = SEED_START ^ (h->c->options->seed + 1) * 0xd1342543de82ef95ull;
	h->random = h->random ? h->random : SEED_START;
	if (drops(h))
		ret = compress_find_loss(h->c, h->s, net, &loss);
	if (!ret && h->goal) {
		ret = begin_at_goal(h);
	} else if (!ret) {
		compress_choose(h->c, loss);
		note(h, h->now);
		ret = attempt(h, h->now, h->few, true, &error, &amount, &model);
		accel_model_unref(model);
		h->goal = amount;
		take(h, h->now, error, amount);
	}
	h->first_error = h->error;
	h->first_amount = h->amount;
	return ret ? ret : search_save(h);
}

/* ---------------------------------------------------------------- search */

static int look(struct search *h, unsigned int tries)
{
	int ret = 0;

	while (!ret && h->tried < tries) {
		struct accel_model *model = NULL;
		uint64_t amount;
		double error = 1;

		ret = compress_progress(h->c, "(search)", h->tried, UINT32_MAX);
		if (ret || !propose(h))
			break;
		ret = attempt(h, h->now, h->few, false, &error, &amount, &model);
		accel_model_unref(model);
		if (ret)
			break;
		h->tried++;
		if (promising(h, error) && (drops(h) ? amount < h->amount : amount <= h->goal)) {
			take(h, h->now, error, amount);
			h->better++;
		}
		ret = search_save(h);
	}
	return ret;
}

/* Corrected as long as it takes, if that keeps what was promised; else as it was tried. */
static int end(struct search *h, struct accel_model **model)
{
	const double found = h->error;
	const bool more = h->c->tune.items && h->epochs > h->few;
	double error = 1;
	uint64_t amount;
	int ret = 0;

	if (more)
		ret = attempt(h, h->best, h->epochs, true, &error, &amount, model);
	if (more && !ret && (drops(h) ? error <= h->c->options->max_drop && amount <= h->amount : error <= found && amount <= h->goal)) {
		h->error = error;
		h->amount = amount;
		return 0;
	}
	if (more && !ret)
		accel_model_unref(*model);
	return ret ? ret : attempt(h, h->best, h->few, true, &error, &amount, model);
}

/* Items that nothing was learnt from, if there are enough. */
static void choose_items(struct search *h, const struct accel_network *net, unsigned int tries)
{
	struct judge *j = &h->judge;
	double work = 1, most;

	for (unsigned int n = 0; n < net->nnodes; n++)
		work += (double)net->nodes[n].work;
	most = fmin(fmax(WORK / work / (tries + 1), LEAST_ITEMS), MOST_ITEMS);
	j->in = &h->in;
	j->first = h->in.n >= ALL_ITEMS ? HELD - 1 : 0;
	j->step = h->in.n >= ALL_ITEMS ? HELD : 1;
	j->items = h->in.n >= ALL_ITEMS ? h->in.n / HELD : h->in.n;
	j->items = (double)j->items > most ? (uint64_t)most : j->items;
}

static int prepare(struct search *h, const struct accel_network *net, unsigned int tries)
{
	struct netrun *run;
	int ret;

	if (drops(h)) {
		ret = compress_check_labels(h->c, net);
		return ret ? ret : compress_count_right(h->c, net, &h->right);
	}
	if (net->values[net->outputs[0]].type != NET_F32)
		return accel_fail(h->c->err, -EINVAL, NULL, "%s: a search compares the first output, which is not float32", h->c->file);
	ret = import_calibration(net, &h->s->onnx, &h->in, &h->list, h->c->err);
	if (ret)
		return ret;
	choose_items(h, net, tries);
	ret = netrun_new(net, 1, 0, NULL, NULL, &run, h->c->err);
	if (ret)
		return ret;
	ret = judge_new(&h->judge, net, run, h->c->err);
	netrun_free(run);
	return ret;
}

static void tell(const struct search *h, unsigned int resumed)
{
	const struct accel_search_info info = {
		.tries = h->tried, .better = h->better, .resumed = resumed, .before = h->first_error, .after = h->error,
		.amount_before = h->first_amount, .amount_after = h->amount,
	};

	if (h->c->options->searched)
		h->c->options->searched(h->c->options->report_arg, &info);
}

int compress_search(struct compress *c, const struct compress_source *s, struct accel_network *net, double loss, struct accel_model **model)
{
	const unsigned int tries = c->options->tries ? c->options->tries : TRIES;
	struct search h = { .c = c, .s = s, .epochs = c->tune.epochs, .few = c->tune.epochs < FEW_EPOCHS ? c->tune.epochs : FEW_EPOCHS };
	unsigned int resumed = 0;
	bool found = false;
	int ret = 0;

	h.best = calloc(c->n, sizeof(*h.best));
	h.now = calloc(c->n, sizeof(*h.now));
	if (!h.best || !h.now)
		ret = accel_fail(c->err, -ENOMEM, NULL, "%s: out of memory", c->file);
	if (!ret && c->options->search_state)
		h.fingerprint = search_fingerprint(c, s, net);
	ret = ret ? ret : search_load(&h, &found);
	ret = ret ? ret : prepare(&h, net, tries);
	if (!ret && !found)
		ret = begin(&h, net, loss);
	/* each try opens the file again */
	net_free(net);
	resumed = h.tried;
	ret = ret ? ret : look(&h, tries);
	ret = ret ? ret : end(&h, model);
	if (!ret)
		tell(&h, resumed);
	c->tune.epochs = h.epochs;
	judge_free(&h.judge);
	free(h.list);
	free(h.best);
	free(h.now);
	return ret;
}
