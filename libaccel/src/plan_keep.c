// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Images that stay in ABUF from the layer that makes them to the last one that reads them, instead of a way through memory and back. Each lies there as a whole, for all items
 * of the batch, in a place that nothing else has meanwhile; layers whose input or output is not kept have slots for it beside that.
 *
 * What a job leaves in ABUF is gone, so all from the first maker to the last reader is one job, and such runs are kept short.
 */
#include <stdlib.h>

#include "plan_int.h"
#include "window.h"

/* Makers and readers of a tensor that is not part of another; its parts' are its own. */
struct life {
	unsigned int tensor;
	uint32_t first, last;     /* segments */
	uint64_t granules;        /* of all items */
	bool can, kept;
};

struct keep {
	struct plan *plan;
	struct life *lives;       /* [tensors]; those of parts are not used */
	double *work;             /* [segments] cycles */
	struct life **order;
	uint32_t n;
};

static unsigned int root(const struct plan *plan, unsigned int tensor)
{
	while (plan->tensors[tensor].whole != NO_TENSOR)
		tensor = plan->tensors[tensor].whole;
	return tensor;
}

static bool has_slots(const struct segment *s)
{
	return s->conv || s->pool || s->element;
}

static unsigned int output_of(const struct plan *plan, const struct segment *s)
{
	uint32_t table = plan->layers[s->first_layer].table;

	return plan->model->layers[table == NO_LAYER ? s->first_layer : table].output;
}

static void use(struct keep *k, unsigned int tensor, uint32_t segment)
{
	struct life *life = &k->lives[root(k->plan, tensor)];

	life->first = segment < life->first ? segment : life->first;
	life->last = segment > life->last ? segment : life->last;
}

static void refuse(struct keep *k, unsigned int tensor)
{
	k->lives[root(k->plan, tensor)].can = false;
}

/* A product a slot, or a value a cycle: about what the run limit needs to know. */
static double work_of(const struct plan *plan, const struct segment *s)
{
	const struct accel_layer *layer = &plan->model->layers[s->first_layer];
	double pixels = s->conv ? (double)window_out_pixels(&layer->window) : 1;

	if (!s->conv)
		return plan->tensors[layer->output].granules * (s->pool ? (double)window_taps(&layer->window) / plan->params.clusters : 1) * plan->batch;
	return (double)layer->nnz * pixels / (plan->params.clusters * plan->params.lanes) * plan->batch;
}

static void find_lives(struct keep *k)
{
	const struct plan *plan = k->plan;
	const struct accel_model *m = plan->model;

	for (unsigned int t = 0; t < m->ntensors; t++)
		k->lives[t] = (struct life){ .tensor = t, .first = UINT32_MAX, .granules = (uint64_t)plan->tensors[t].granules * plan->batch,
					     .can = plan->tensors[t].whole == NO_TENSOR && plan->tensors[t].image.places };
	for (uint32_t i = 0; i < plan->nsegments; i++) {
		const struct segment *s = &plan->segments[i];

		for (uint32_t l = s->first_layer; l < s->first_layer + s->nlayers; l++) {
			const unsigned int *inputs;
			unsigned int n = accel_layer_inputs(&m->layers[l], &inputs);

			if (has_slots(s)) {
				k->work[i] = work_of(plan, s);
				use(k, output_of(plan, s), i);
				for (unsigned int j = 0; j < n; j++) {
					use(k, inputs[j], i);
					/* a product or table of some groups of a plane would seem to reach behind its end */
					if (s->element && plan->tensors[inputs[j]].image.plane * plan->params.clusters > plan_operand_slot(plan, &m->layers[l]))
						refuse(k, inputs[j]);
				}
			} else if (m->layers[l].kind == ACCEL_LAYER_FC) {
				refuse(k, m->layers[l].output);
				refuse(k, inputs[0]);
			}
		}
	}
	for (unsigned int i = 0; i < m->ninputs; i++)
		refuse(k, m->inputs[i]);
	for (unsigned int i = 0; i < m->noutputs; i++)
		refuse(k, m->outputs[i]);
	for (unsigned int t = 0; t < m->ntensors; t++) {
		struct life *life = &k->lives[t];

		/* rows of a plane in the commands that have fewest bits for it */
		if (plan->tensors[t].image.plane > EIE_CMD_VPOOL_OUT_PLANE_MASK || life->granules > plan->params.abuf || life->first >= life->last)
			life->can = false;
		for (uint32_t i = life->first; life->can && i < life->last; i++)
			life->can = plan->model->layers[plan->segments[i].first_layer].kind != ACCEL_LAYER_FC;
	}
}

/* Short lives first: they take room from few; then small ones. */
static int shorter_first(const void *a, const void *b)
{
	const struct life *x = *(struct life *const *)a, *y = *(struct life *const *)b;
	uint32_t lx = x->last - x->first, ly = y->last - y->first;

	if (lx != ly)
		return lx < ly ? -1 : 1;
	if (x->granules != y->granules)
		return x->granules < y->granules ? -1 : 1;
	return x->tensor < y->tensor ? -1 : 1;
}

/* The lowest place of n granules that is free from segment first to last; what does not end in ABUF is no place. */
static uint64_t find_place(const struct keep *k, uint32_t first, uint32_t last, uint64_t n, uint64_t beside, uint64_t beside_n)
{
	uint64_t at = 0;
	bool moved = true;

	while (moved) {
		moved = false;
		if (at < beside + beside_n && beside < at + n) {
			at = beside + beside_n;
			moved = true;
		}
		for (uint32_t i = 0; i < k->n; i++) {
			const struct life *life = k->order[i];
			uint64_t there = k->plan->tensors[life->tensor].abuf;

			if (life->kept && life->first <= last && first <= life->last && at < there + life->granules && there < at + n) {
				at = there + life->granules;
				moved = true;
			}
		}
	}
	return at;
}

static bool is_kept(const struct keep *k, unsigned int tensor)
{
	return k->lives[root(k->plan, tensor)].kept;
}

/* Places of the slots of all segments beside what is kept; false: there is not room enough. */
static bool place_slots(struct keep *k)
{
	struct plan *plan = k->plan;
	uint32_t slot = plan->params.abuf / 4;

	for (uint32_t i = 0; i < plan->nsegments; i++) {
		struct segment *s = &plan->segments[i];
		const unsigned int *inputs;
		unsigned int n = accel_layer_inputs(&plan->model->layers[s->first_layer], &inputs);
		uint64_t x = 0, x_granules = 0, y = 2 * slot;

		if (!has_slots(s))
			continue;
		for (unsigned int j = 0; j < n; j++)
			x_granules = is_kept(k, inputs[j]) ? x_granules : 2 * slot;
		if (x_granules)
			x = find_place(k, i, i, x_granules, 0, 0);
		if (!is_kept(k, output_of(plan, s)))
			y = find_place(k, i, i, 2 * slot, x, x_granules);
		if (x + x_granules > plan->params.abuf || y + 2 * slot > plan->params.abuf)
			return false;
		s->x = (uint32_t)x;
		s->y = (uint32_t)y;
	}
	return true;
}

/* Cycles of all that would be one job with segments first .. last. */
static double run_of(const struct keep *k, uint32_t first, uint32_t last)
{
	double cycles = 0;
	bool grown = true;

	while (grown) {
		grown = false;
		for (uint32_t i = 0; i < k->n; i++) {
			const struct life *life = k->order[i];

			if (life->kept && life->first <= last && first <= life->last && (life->first < first || life->last > last)) {
				first = life->first < first ? life->first : first;
				last = life->last > last ? life->last : last;
				grown = true;
			}
		}
	}
	for (uint32_t i = first; i <= last; i++)
		cycles += k->work[i];
	return cycles;
}

static void choose(struct keep *k)
{
	const struct plan *plan = k->plan;
	bool more = true;

	for (unsigned int t = 0; t < plan->model->ntensors; t++)
		if (k->lives[t].can && !plan->layer_jobs)
			k->order[k->n++] = &k->lives[t];
	qsort(k->order, k->n, sizeof(struct life *), shorter_first);
	/* what is kept may free the slots that were in the way of another */
	while (more) {
		more = false;
		for (uint32_t i = 0; i < k->n; i++) {
			struct life *life = k->order[i];
			uint64_t at = find_place(k, life->first, life->last, life->granules, 0, 0);

			if (life->kept || at + life->granules > plan->params.abuf || run_of(k, life->first, life->last) > PLAN_JOB_CYCLES)
				continue;
			plan->tensors[life->tensor].abuf = (uint32_t)at;
			life->kept = true;
			life->kept = place_slots(k);
			more |= life->kept;
		}
	}
	place_slots(k);
}

/* What is part of a kept tensor lies in it. */
static void keep_parts(struct keep *k)
{
	struct plan *plan = k->plan;

	for (unsigned int t = 0; t < plan->model->ntensors; t++) {
		struct tensor_plan *tp = &plan->tensors[t];

		if (!is_kept(k, t))
			continue;
		tp->kept = true;
		tp->abuf = plan->tensors[root(plan, t)].abuf;
		tp->item_granules = plan->tensors[root(plan, t)].granules;
		for (unsigned int part = t; plan->tensors[part].whole != NO_TENSOR; part = plan->tensors[part].whole)
			tp->abuf += plan->tensors[part].whole_granule;
	}
}

/* Segments: where jobs may begin, and where the places of slots change. */
static void mark_segments(struct keep *k)
{
	const struct plan *plan = k->plan;
	const struct segment *before = NULL;
	uint32_t slot = plan->params.abuf / 4;

	for (uint32_t i = 0; i < plan->nsegments; i++) {
		struct segment *s = &plan->segments[i];
		const unsigned int *inputs;
		unsigned int n = accel_layer_inputs(&plan->model->layers[s->first_layer], &inputs), out;

		if (!has_slots(s))
			continue;
		out = output_of(plan, s);
		s->out = is_kept(k, out) ? root(plan, out) : NO_TENSOR;
		s->uses_x = false;
		for (unsigned int j = 0; j < n; j++)
			s->uses_x |= !is_kept(k, inputs[j]);
		for (uint32_t j = 0; j < k->n; j++) {
			const struct life *life = k->order[j];

			s->keeps |= life->kept && life->first <= i && i <= life->last;
			s->joined |= life->kept && life->first < i && i <= life->last;
		}
		s->moved = before && ((s->uses_x && !(before->uses_x && before->x == s->x)) || s->out != before->out ||
				      (s->out == NO_TENSOR && s->y != before->y));
		s->x_slot = s->uses_x ? slot : plan->params.abuf;
		s->y_slot = s->out == NO_TENSOR ? slot : plan->params.abuf;
		before = s;
	}
}

int plan_keep(struct plan *plan)
{
	struct keep k = {
		.plan = plan,
		.lives = calloc(plan->model->ntensors, sizeof(*k.lives)),
		.work = calloc(plan->nsegments, sizeof(*k.work)),
		.order = calloc(plan->model->ntensors, sizeof(struct life *)),
	};
	int ret = k.lives && k.work && k.order ? 0 : -ENOMEM;

	if (!ret) {
		find_lives(&k);
		choose(&k);
		keep_parts(&k);
		mark_segments(&k);
	}
	free(k.lives);
	free(k.work);
	free(k.order);
	return ret;
}
