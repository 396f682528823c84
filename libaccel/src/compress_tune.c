// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * The compressed network follows the float one on calibration inputs, without labels: distillation (Hinton et al., arXiv 1503.02531) of what the network gives, by gradient descent (Adam,
 * Kingma and Ba, arXiv 1412.6980) on the weights that pruning has left, and on the shared values once they are chosen.
 */
#include "compress_tune.h"
#include "kmeans.h"
#include "pool.h"
#include "prune.h"
#include "seed.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define BATCH        32u
#define PRUNED       0.2           /* of an even share of the epochs is for the pruned weights: what rounding does costs more, and is learnt more slowly */
#define NOTHING      1e-6          /* of a loss: nothing was pruned, and there is nothing to correct */
#define MANY         800.0         /* steps: of more each is smaller, so that all together lead no farther */
#define TRIED_PACE   0.35          /* where a few items tell which of several is best: all begin alike, and not with steps of which chance says whether they are too large */
#define PROBE        12u           /* steps that tell whether they are too large */
#define WORSE        1.02          /* times the loss: they are */
#define WARM         24u           /* steps until they are full ones */
#define BY_HEART     1.5           /* times the loss of the items that are learnt, that of the held-out ones: too much */
#define VARY         0.25          /* so many more of them are varied then */
#define MOST_VARIED  0.75
#define TRIED        3u            /* epochs that may be without anything better with them */
#define PATIENCE     0.5           /* of the epochs without anything better: then from the best again, in smaller steps */
#define SLOWER       0.4           /* times the steps */
#define FAR          1.5           /* times the best loss: no more patience */
#define SLOWEST      0.005         /* of the first steps: the end */
#define LANES        4u            /* of a batch, each with derivatives of its own: threads share them, and their number has no say in the sums */
#define RATE         0.02          /* of a step, of the root mean square of what is tuned */
#define RATE_SHARED  0.004
#define RATE_LATENT  0.004
#define LEAST_PACE   0.01
#define RETURN       16u           /* steps after which it is decided again which weights are zero */
#define ITEM_START   0xbf58476d1ce4e5b9ull   /* one of SplitMix64's: what varies an item depends on the step and on its number */

/* ---------------------------------------------------------------- what is tuned */

/* Numbers that Adam moves: weights that are not zero, shared values, biases. */
struct part {
	uint32_t value;
	uint64_t n;                /* numbers */
	float *p;                  /* [n] the constant's own elements, or the shared values */
	uint8_t *code;             /* shared: which value each element has; 0: zero */
	uint64_t zeros;            /* of them */
	struct part *latent;       /* shared: the weights as they would be, of which the nearest values are taken */
	bool masked;               /* numbers that are zero stay so */
	float *m, *v, *best, *g;   /* [n] moments, the best so far, gradient (shared only) */
	uint8_t *best_code;
	const float *scale;        /* of the constant's rows of `row` elements, or NULL */
	uint64_t row;
	double rate;
	float *pace;               /* times the rate, of each row; NULL: 1 */
};

/* Each LANES-th item of a batch. */
struct lane {
	struct grad *g, *teacher;  /* teacher: the float network, or NULL: items are learnt as they are */
	float *d;                  /* [t->count] */
	double loss, squares;
};

struct run {
	struct compress *c;
	struct accel_network *net, *floats;   /* floats: NULL without teachers */
	struct tune *t;
	unsigned int lanes;
	struct lane lane[LANES];
	struct pool *pool;
	const uint64_t *item;      /* [items] of the batch, or those that are looked at */
	uint64_t items;
	unsigned int n;
	struct part *part;
	uint64_t step, steps, since;   /* since: steps since the moments were nothing */
	double pace;               /* times all rates */
	double vary;               /* share of the items that are varied */
	int ret;                   /* of a step: -ENOMEM */
};

static double rms(const float *p, uint64_t n)
{
	double sum = 0;
	uint64_t some = 0;

	for (uint64_t i = 0; i < n; i++) {
		sum += (double)p[i] * (double)p[i];
		some += p[i] != 0;
	}
	return some ? sqrt(sum / (double)some) : 0;
}

static int add_part(struct run *r, uint32_t value, float *p, uint64_t n, double rate)
{
	struct part *q = &r->part[r->n++];

	*q = (struct part){ .value = value, .n = n, .p = p, .rate = rate };
	q->m = calloc(n + 1, sizeof(*q->m));
	q->v = calloc(n + 1, sizeof(*q->v));
	q->best = malloc((n + 1) * sizeof(*q->best));
	return q->m && q->v && q->best ? 0 : -ENOMEM;
}

static float scale_at(const struct part *q, uint64_t i)
{
	return q->scale ? q->scale[i / q->row] : 1;
}

static uint8_t nearest_code(const struct part *q, uint64_t i)
{
	return (uint8_t)(1 + kmeans_nearest(q->p, (unsigned int)q->n, q->latent->p[i] / scale_at(q, i)));
}

/* The code of each element by its value; what is zero stays so. */
static void find_codes(const struct part *q)
{
	for (uint64_t i = 0; i < q->latent->n; i++)
		if (q->code[i])
			q->code[i] = nearest_code(q, i);
}

/*
 * Weights that were pruned move on, too, from zero. Those that have become larger than others that are left take their place, and as many are zero as before (dynamic network surgery, Guo et al., arXiv 1608.04493).
 */
static int find_zeros(const struct part *q)
{
	const struct part *latent = q->latent;
	float least;

	if (!q->zeros)
		return 0;
	if (prune_threshold(latent->n, latent->n - q->zeros, prune_square, latent->p, &least))
		return -ENOMEM;
	/* which code the others get, find_codes() says */
	for (uint64_t i = 0; i < latent->n; i++)
		q->code[i] = prune_square(latent->p, i) >= least;
	return 0;
}

/* The weights move on, as if they were not rounded (straight-through estimator, Bengio et al., arXiv 1308.3432), and get the values that are nearest then. */
static int add_shared(struct run *r, struct net_value *v, uint32_t number)
{
	struct part *q = &r->part[r->n], *latent;
	float *w = malloc((v->count + 1) * sizeof(*w));
	double size = rms(v->data, v->count), values = v->row_scale ? rms(v->codebook + 1, v->ncodes - 1) / 2 : size;
	int ret = w ? add_part(r, number, v->codebook + 1, v->ncodes - 1, RATE_SHARED * values) : -ENOMEM;

	if (ret) {
		free(w);
		return ret;
	}
	latent = q->latent = calloc(1, sizeof(*latent));
	q->g = calloc(q->n + 1, sizeof(*q->g));
	q->code = malloc(v->count + 1);
	q->best_code = malloc(v->count + 1);
	q->scale = v->row_scale;
	q->row = v->count / v->dims[0];
	if (!latent) {
		free(w);
		return -ENOMEM;
	}
	*latent = (struct part){ .value = number, .n = v->count, .p = w, .rate = RATE_LATENT * size, .scale = v->row_scale,
				.row = q->row };
	latent->m = calloc(v->count + 1, sizeof(*latent->m));
	latent->v = calloc(v->count + 1, sizeof(*latent->v));
	latent->best = malloc((v->count + 1) * sizeof(*latent->best));
	if (!q->g || !q->code || !q->best_code || !latent->m || !latent->v || !latent->best)
		return -ENOMEM;
	memcpy(w, v->data, v->count * sizeof(*w));
	for (uint64_t i = 0; i < v->count; i++) {
		q->code[i] = w[i] == 0 ? 0 : nearest_code(q, i);
		q->zeros += w[i] == 0;
	}
	return 0;
}

/*
 * Rows (output channels) whose weights are small by nature, as batch normalisation leaves them, take steps that are small, too: of the root mean square of the row, not of the layer. pace: one for
 * each row.
 */
static float *row_pace(const float *w, uint64_t rows, uint64_t row)
{
	float *pace = malloc((rows + 1) * sizeof(*pace));
	double all = rms(w, rows * row);

	for (uint64_t i = 0; pace && i < rows; i++)
		pace[i] = all > 0 ? (float)fmax(rms(w + i * row, row) / all, LEAST_PACE) : 1;
	return pace;
}

static int add_layer(struct run *r, const struct compress_layer *l, bool shared)
{
	struct net_value *v = &r->net->values[l->value];
	struct part *part = NULL;
	float *w = v->data;
	int ret;

	if (!l->bits)
		return 0;
	if (!shared) {
		ret = add_part(r, l->value, w, v->count, RATE * rms(w, v->count));
		part = &r->part[r->n - 1];
		part->masked = true;
	} else if (v->ncodes < 2) {
		return 0;
	} else {
		ret = add_shared(r, v, l->value);
		part = r->part[r->n - 1].latent;
	}
	if (!ret && l->rows_first) {
		part->row = v->count / v->dims[0];
		part->pace = row_pace(w, v->dims[0], part->row);
		ret = part->pace ? 0 : -ENOMEM;
	}
	/* a bias is of the size of what it is added to: of weights times inputs, which nobody knows here; its own size says enough */
	if (!ret && l->bias != NET_NONE)
		ret = add_part(r, l->bias, r->net->values[l->bias].data, r->net->values[l->bias].count,
			       (shared ? RATE_SHARED : RATE) * fmax(rms(r->net->values[l->bias].data, r->net->values[l->bias].count), rms(w, v->count)));
	return ret;
}

static void free_run(struct run *r)
{
	for (unsigned int i = 0; r->part && i < r->n; i++) {
		if (r->part[i].latent) {
			free(r->part[i].latent->p);
			free(r->part[i].latent->m);
			free(r->part[i].latent->v);
			free(r->part[i].latent->best);
			free(r->part[i].latent->pace);
		}
		free(r->part[i].latent);
		free(r->part[i].pace);
		free(r->part[i].code);
		free(r->part[i].best_code);
		free(r->part[i].m);
		free(r->part[i].v);
		free(r->part[i].best);
		free(r->part[i].g);
	}
	free(r->part);
	for (unsigned int k = 0; k < r->lanes; k++) {
		free(r->lane[k].d);
		grad_free(r->lane[k].g);
		grad_free(r->lane[k].teacher);
	}
	net_free(r->floats);
	pool_free(r->pool);
}

/* The constant again, from the shared values. */
static void expand(const struct run *r, const struct part *q)
{
	const struct net_value *v = &r->net->values[q->value];
	float *w = v->data;

	for (uint64_t i = 0; q->code && i < v->count; i++)
		w[i] = q->code[i] ? scale_at(q, i) * q->p[q->code[i] - 1] : 0;
}

/* ---------------------------------------------------------------- descent */

static void gather(const struct run *r, const struct part *q)
{
	float *sum = grad_sum(r->lane[0].g, q->value);
	uint64_t n = r->net->values[q->value].count;

	memset(q->g, 0, q->n * sizeof(*q->g));
	for (uint64_t i = 0; i < n; i++)
		if (q->code[i])
			q->g[q->code[i] - 1] += scale_at(q, i) * sum[i];
}

static bool increasing(const float *p, uint64_t n)
{
	for (uint64_t i = 1; i < n; i++)
		if (!(p[i] > p[i - 1]))
			return false;
	return true;
}

/* One step of Adam. */
static void descend(const struct run *r, struct part *q, const float *g)
{
	const double b1 = 0.9, b2 = 0.99, warm = fmin((double)(r->since + 1) / WARM, 1);
	const double left = r->pace * warm * 0.5 * (1 + cos(M_PI * (double)r->step / (double)r->steps));
	const double rate = q->rate * left * sqrt(1 - pow(b2, (double)r->since + 1)) / (1 - pow(b1, (double)r->since + 1));

	for (uint64_t i = 0; i < q->n; i++) {
		float to;

		if (q->masked && q->p[i] == 0)
			continue;
		q->m[i] = (float)(b1 * (double)q->m[i] + (1 - b1) * (double)g[i]);
		q->v[i] = (float)(b2 * (double)q->v[i] + (1 - b2) * (double)g[i] * (double)g[i]);
		to = (float)((double)q->p[i] - rate * (q->pace ? (double)q->pace[i / q->row] : 1) * (double)q->m[i] / (sqrt((double)q->v[i]) + 1e-12));
		/* zero is no weight: what is there stays there */
		if ((to != 0 || !(q->masked || q->code)) && isfinite(to))
			q->p[i] = to;
	}
}

/* Derivatives of all lanes, in the first one's place. */
static float *add_lanes(const struct run *r, uint32_t value)
{
	float *sum = grad_sum(r->lane[0].g, value);
	uint64_t n = r->net->values[value].count;

	for (unsigned int k = 1; k < r->lanes; k++) {
		float *more = grad_sum(r->lane[k].g, value);

		for (uint64_t i = 0; i < n; i++)
			sum[i] += more[i];
		memset(more, 0, n * sizeof(*more));
	}
	return sum;
}

static void step(struct run *r)
{
	for (unsigned int i = 0; i < r->n; i++) {
		struct part *q = &r->part[i];
		float *sum = add_lanes(r, q->value);

		if (q->code)
			gather(r, q);
		descend(r, q, q->code ? q->g : sum);
		if (q->latent) {
			descend(r, q->latent, sum);
			/* values that overtook each other have no nearest one that could be searched for: the codes stay for this time */
			if (increasing(q->p, q->n)) {
				if (r->step % RETURN == RETURN - 1 && find_zeros(q))
					r->ret = -ENOMEM;
				find_codes(q);
			}
		}
		memset(sum, 0, r->net->values[q->value].count * sizeof(float));
		expand(r, q);
	}
	r->step++;
	r->since++;
}

static void look_at(void *arg, size_t task, void *scratch)
{
	struct run *r = arg;
	struct lane *lane = &r->lane[task];
	const struct tune *t = r->t;

	(void)scratch;
	lane->loss = lane->squares = 0;
	for (uint64_t i = task; i < r->items; i += r->lanes) {
		tune_fill(lane->g, r->net, t, r->item[i]);
		grad_run(lane->g);
		lane->loss += tune_loss(t, grad_value(lane->g, t->out), t->right + r->item[i] * t->count, NULL, &lane->squares);
	}
}

/* Mean loss of the held-out items. */
static double look(struct run *r, const uint64_t *held, uint64_t n, double *squares)
{
	double loss = 0;

	r->item = held;
	r->items = n;
	pool_run(r->pool, r->lanes, look_at, r);
	*squares = 0;
	for (unsigned int k = 0; k < r->lanes; k++) {
		loss += r->lane[k].loss;
		*squares += r->lane[k].squares / (double)n;
	}
	return isfinite(loss) ? loss / (double)n : INFINITY;
}

/* The float network gets what the other one has. */
static void follow(const struct accel_network *net, struct lane *lane)
{
	for (unsigned int k = 0; k < net->ninputs; k++) {
		const struct net_value *v = &net->values[net->inputs[k]];

		memcpy(grad_value(lane->teacher, net->inputs[k]), grad_value(lane->g, net->inputs[k]), v->count * net_type_size(v->type));
	}
	grad_run(lane->teacher);
}

static void learn(void *arg, size_t task, void *scratch)
{
	struct run *r = arg;
	struct lane *lane = &r->lane[task];
	const struct tune *t = r->t;

	(void)scratch;
	for (uint64_t i = task; i < r->items; i += r->lanes) {
		uint64_t item = r->item[i], random = ((r->step + 1) * SEED_START) ^ ((item + 1) * ITEM_START);
		struct grad *teacher = lane->teacher;

		if (!r->vary || !tune_vary(lane->g, r->net, t, item, r->vary, random))
			tune_fill(lane->g, r->net, t, item);
		if (teacher)
			follow(r->net, lane);
		grad_run(lane->g);
		tune_loss(t, grad_value(lane->g, t->out), teacher ? grad_value(teacher, t->out) : t->right + item * t->count, lane->d, &lane->squares);
		grad_begin(lane->g);
		/* what is compressed may lead to another output only */
		if (grad_by(lane->g, t->out))
			memcpy(grad_by(lane->g, t->out), lane->d, t->count * sizeof(*lane->d));
		tune_add_hidden(t, lane->g, teacher, item);
		grad_end(lane->g);
	}
}

static void batch(struct run *r, const uint64_t *order, uint64_t first, uint64_t n)
{
	r->item = order + first;
	r->items = n - first < BATCH ? n - first : BATCH;
	pool_run(r->pool, r->lanes, learn, r);
	step(r);
}

/* All items once, in an order that is always the same. */
static void epoch(struct run *r, const uint64_t *order, uint64_t n)
{
	for (uint64_t i = 0; i < n; i += BATCH)
		batch(r, order, i, n);
}

static void keep(struct run *r, bool back)
{
	for (unsigned int i = 0; i < r->n; i++) {
		struct part *q = &r->part[i];

		memcpy(back ? q->p : q->best, back ? q->best : q->p, q->n * sizeof(*q->p));
		if (q->code)
			memcpy(back ? q->code : q->best_code, back ? q->best_code : q->code, r->net->values[q->value].count);
		if (q->latent)
			memcpy(back ? q->latent->p : q->latent->best, back ? q->latent->best : q->latent->p, q->latent->n * sizeof(*q->latent->p));
		if (back)
			expand(r, q);
	}
}

/* Numbers of the items that are learnt from, shuffled, and behind them of those that are held out. */
static uint64_t *shuffled(const struct tune *t, uint64_t *n)
{
	uint64_t *order = malloc((t->items + 1) * sizeof(*order)), state = SEED_START, held = t->items;

	*n = 0;
	for (uint64_t i = 0; order && i < t->items; i++) {
		uint64_t at = (uint64_t)(seed_uniform(&state) * (double)(*n + 1));

		if (tune_held(i)) {
			order[--held] = i;
			continue;
		}
		order[*n] = order[at];
		order[at] = i;
		++*n;
	}
	return order;
}

static void go_back(struct run *r)
{
	keep(r, true);
	for (unsigned int i = 0; i < r->n; i++) {
		struct part *q = &r->part[i];

		memset(q->m, 0, q->n * sizeof(*q->m));
		memset(q->v, 0, q->n * sizeof(*q->v));
		if (!q->latent)
			continue;
		memset(q->latent->m, 0, q->latent->n * sizeof(*q->latent->m));
		memset(q->latent->v, 0, q->latent->n * sizeof(*q->latent->v));
	}
	r->since = 0;
}

/* How far it is. */
struct course {
	uint64_t n, held;          /* items that are learnt, and that are held out */
	uint64_t *order;           /* of the former, and behind them the latter */
	uint64_t patience, worse;  /* epochs: since the best */
	double best, squares;      /* of the held-out items */
	double pace;               /* when items began to be varied */
};

/* Items that are learnt by heart are varied the more, for the held-out ones profit nothing from them. */
static void vary(struct run *r, struct course *f, double loss)
{
	double squares, learnt;

	if (!r->floats || r->t->as_they_are)
		return;
	learnt = look(r, f->order, f->n < f->held ? f->n : f->held, &squares);
	if (r->vary == 0)
		f->pace = r->pace;
	if (loss > BY_HEART * learnt)
		r->vary = fmin(r->vary + VARY, MOST_VARIED);
	else
		r->vary = fmax(r->vary - VARY, 0);
}

/*
 * What the right size of a step is differs between networks by a hundred times; where it leads away from the best it is gone back to, in smaller ones. And a network that is small has no room for anything beside the items
 * themselves: it gets better with them only, and they are varied no more.
 */
static void after_epoch(struct run *r, struct course *f, double loss, double squares)
{
	f->worse++;
	if (loss < f->best) {
		f->best = loss;
		f->squares = squares;
		f->worse = 0;
		keep(r, false);
	} else if (r->vary > 0 && (f->worse >= TRIED || !(loss < FAR * f->best))) {
		go_back(r);
		r->pace = f->pace;
		r->vary = 0;
		r->t->as_they_are = true;
		f->worse = 0;
	} else if (f->worse >= f->patience || !(loss < FAR * f->best)) {
		go_back(r);
		r->pace *= SLOWER;
		f->worse = 0;
	}
	vary(r, f, loss);
}

/* The largest steps of which a few do not lead away; all is where it was then. Returns how many were taken. */
static uint64_t find_pace(struct run *r, const struct course *f)
{
	uint64_t steps = (f->n + BATCH - 1) / BATCH < PROBE ? (f->n + BATCH - 1) / BATCH : PROBE, taken = 0;
	double squares;

	for (; r->pace > SLOWEST; r->pace *= SLOWER) {
		bool good;

		for (uint64_t i = 0; i < steps; i++)
			batch(r, f->order, i * BATCH, f->n);
		taken += steps;
		good = look(r, f->order + f->n, f->held, &squares) < WORSE * f->best;
		go_back(r);
		if (good)
			break;
	}
	r->step = 0;
	return taken;
}

/* The first of them only, and as many of the held-out ones as belong to these. */
static void take_few(struct course *f, uint64_t most)
{
	if (f->n <= most)
		return;
	memmove(f->order + most, f->order + f->n, f->held * sizeof(*f->order));
	f->held = f->held < most / TUNE_HELD ? f->held : most / TUNE_HELD;
	f->n = most;
}

static int fit(struct run *r, bool shared)
{
	struct tune *t = r->t;
	struct course f = { 0 };
	uint64_t batches, epochs, spent;
	unsigned int done = 0;
	double before = 0;
	int ret;

	f.order = shuffled(t, &f.n);
	f.held = t->items - f.n;
	if (t->part)
		take_few(&f, t->part);
	batches = (f.n + BATCH - 1) / BATCH;
	/* the pruned weights leave of their epochs what they did not need */
	epochs = (uint64_t)fmax(2, shared ? 2 * t->epochs - fmin(2 * t->epochs, t->told.epochs) : round(PRUNED * t->epochs));
	ret = f.order ? 0 : accel_fail(r->c->err, -ENOMEM, NULL, "%s: out of memory", r->c->file);
	keep(r, false);
	if (!ret) {
		f.best = look(r, f.order + f.n, f.held, &before);
		f.squares = before;
		epochs = f.best < NOTHING ? 0 : epochs;
	}
	if (!ret && epochs) {
		r->steps = epochs * batches;
		r->pace = fmin(t->part ? TRIED_PACE : 1, MANY / (double)r->steps);
		spent = find_pace(r, &f) / batches;
		epochs = epochs > spent + 1 ? epochs - spent : 1;
		r->steps = epochs * batches;
		f.patience = (uint64_t)fmax(3, PATIENCE * (double)epochs);
	}
	for (uint64_t e = 0; !ret && e < epochs && r->pace > SLOWEST; e++) {
		double loss, squares;

		ret = compress_progress(r->c, "(correction)", (unsigned int)e, UINT32_MAX);
		if (ret)
			break;
		epoch(r, f.order, f.n);
		done++;
		if (r->ret)
			ret = accel_fail(r->c->err, r->ret, NULL, "%s: no memory to correct the network; --correct none needs none", r->c->file);
		loss = look(r, f.order + f.n, f.held, &squares);
		after_epoch(r, &f, loss, squares);
	}
	keep(r, true);
	free(f.order);
	if (!shared) {
		t->told.before = before;
		t->told.epochs = 0;
	}
	t->told.epochs += done;
	t->told.after = f.squares;
	t->told.items = f.n;
	t->told.held = f.held;
	return ret;
}

/* The float network once more, where it is small. */
static int take_teachers(struct run *r)
{
	const struct compress *c = r->c;
	bool *none = calloc(r->net->nvalues + (size_t)1, sizeof(*none));
	int ret = none ? compress_open(c->source, &r->floats, c->err) : accel_fail(c->err, -ENOMEM, NULL, "%s: out of memory", c->file);

	if (ret)
		r->floats = NULL;
	for (unsigned int k = 0; !ret && k < r->lanes; k++)
		ret = grad_new(&c->blas, r->floats, none, c->tune.out, 1, &r->lane[k].teacher, c->err);
	free(none);
	return ret;
}

static int take_lanes(struct run *r, const bool *wanted)
{
	const struct compress *c = r->c;
	bool small = c->tune.beside;
	int ret = 0;

	r->pool = pool_new(0);
	for (unsigned int k = 0; !ret && k < (small ? LANES : 1); k++) {
		/* counted first: what it owns is freed with the others */
		struct lane *lane = &r->lane[r->lanes++];

		lane->d = malloc((c->tune.count + 1) * sizeof(*lane->d));
		ret = !lane->d || !r->pool ? accel_fail(c->err, -ENOMEM, NULL, "%s: out of memory", c->file)
					   : grad_new(&c->blas, r->net, wanted, c->tune.out, small ? 1 : 0, &lane->g, c->err);
	}
	return ret || !small ? ret : take_teachers(r);
}

int compress_tune(struct compress *c, struct accel_network *net, bool shared)
{
	struct run r = { .c = c, .net = net, .t = &c->tune, .pace = 1 };
	int ret = 0, threads;
	bool *wanted;

	if (!c->tune.items)
		return 0;
	/* what an earlier try has found says nothing of this one: a search that was broken off would not know it */
	if (!shared)
		c->tune.as_they_are = false;
	wanted = tune_wanted(c, net);
	r.part = calloc(2 * (size_t)c->n + 1, sizeof(*r.part));
	for (unsigned int i = 0; r.part && !ret && i < c->n; i++)
		ret = add_layer(&r, &c->layer[i], shared);
	if (!wanted || !r.part || ret)
		ret = accel_fail(c->err, -ENOMEM, NULL, "%s: no memory to correct the network; --correct none needs none", c->file);
	ret = ret ? ret : take_lanes(&r, wanted);
	/* lanes are threads enough: more of them would only wait for each other */
	threads = c->blas.openblas_get_num_threads();
	if (r.lanes > 1)
		c->blas.openblas_set_num_threads(1);
	ret = ret ? ret : fit(&r, shared);
	c->blas.openblas_set_num_threads(threads);
	free_run(&r);
	free(wanted);
	return ret;
}
