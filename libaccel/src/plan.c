// SPDX-License-Identifier: GPL-2.0 OR MIT
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "order.h"
#include "plan_int.h"
#include "stream.h"

/* Offsets in commands have 32 bits; with this many values even one item is near that. */
#define COUNT_MAX (1u << 27)
/* Chunks of streamed weights: small enough that the array starts soon, large enough that commands do not matter. */
#define STREAM_CHUNK_GRANULES 512

static uint32_t round_up(uint64_t value, uint32_t to)
{
	return (uint32_t)((value + to - 1) / to * to);
}

/*
 * One limit for all layers, so that the order of outputs does not depend on where weights lie: a row tile must fit an accumulator
 * half, the length field of pointers, and the smallest slots a streamed layer may get (a quarter of WBUF in two slots must hold
 * eight full columns of 8-bit codes; RBUF two tiles; a quarter of ABUF one tile of outputs).
 */
static uint32_t row_limit(const struct eie_params *p)
{
	uint32_t limit = plan_min(plan_min(p->rows, STREAM_ROWS_MAX), plan_min(p->wbuf / 8, p->rbuf));

	return plan_min(limit, p->abuf / 4 / p->clusters * 8) / 8 * 8;
}

/* Two tables behind everything else in ABUF, so that quarters of the rest begin with cluster 0. */
static uint32_t table_granules(const struct accel_model *m, const struct eie_params *p)
{
	for (unsigned int l = 0; l < m->nlayers; l++)
		if (m->layers[l].kind == ACCEL_LAYER_TABLE)
			return round_up(2 * EIE_TABLE_GRANULES, 4 * p->clusters);
	return 0;
}

static int check_model(const struct accel_model *m, struct accel_error *err)
{
	if (!m->nlayers)
		return accel_fail(err, -EINVAL, NULL, "the model has no layers");
	for (unsigned int t = 0; t < m->ntensors; t++)
		if (m->tensors[t].count > COUNT_MAX)
			return accel_fail(err, -E2BIG, m->tensors[t].name, "tensor \"%s\" has %llu values; the engine takes %u at most",
					  m->tensors[t].name, (unsigned long long)m->tensors[t].count, COUNT_MAX);
	return 0;
}

static bool read_as_image(const struct accel_model *m, unsigned int tensor)
{
	for (unsigned int l = 0; l < m->nlayers; l++) {
		const unsigned int *inputs;
		unsigned int n = accel_layer_inputs(&m->layers[l], &inputs);

		for (unsigned int i = 0; m->layers[l].kind != ACCEL_LAYER_FC && i < n; i++)
			if (inputs[i] == tensor)
				return true;
	}
	return false;
}

static int plan_inputs(struct plan *plan)
{
	const struct accel_model *m = plan->model;

	for (unsigned int t = 0; t < m->ntensors; t++) {
		plan->tensors[t].segment = NO_SEGMENT;
		plan->tensors[t].whole = NO_TENSOR;
	}
	for (unsigned int i = 0; i < m->ninputs; i++) {
		struct tensor_plan *t = &plan->tensors[m->inputs[i]];
		uint64_t count = m->tensors[m->inputs[i]].count;

		if (read_as_image(m, m->inputs[i])) {
			if (plan_image(plan, m->inputs[i], m->tensors[m->inputs[i]].dims[0], NULL))
				return -ENOMEM;
			continue;
		}
		t->granules = (uint32_t)((count + 7) / 8);
		t->own_slot = malloc(count * sizeof(*t->own_slot));
		if (!t->own_slot)
			return -ENOMEM;
		for (uint32_t v = 0; v < count; v++)
			t->own_slot[v] = v;
		t->slot = t->own_slot;
	}
	return 0;
}

/* ---------------------------------------------------------------- residency */

static bool has_image(const struct layer_plan *lp)
{
	return lp->image.rows;
}

/* Encodes a layer as if it had the chip for itself; leaves it without an image when it is too large for that. */
static int try_resident(struct plan *plan, unsigned int l)
{
	const struct accel_layer *layer = &plan->model->layers[l];
	const struct eie_params *p = &plan->params;
	struct layer_plan *lp = &plan->layers[l];
	uint32_t in = plan->tensors[layer->input].granules, out = plan->tensors[layer->output].granules;
	struct tile_limits limits = { EIE_GRANULE_VALUES, in, p->wbuf, p->pbuf, true };
	bool fits = false;

	if (layer->nnz * stream_unit(layer->code_bits == 8) > (uint64_t)p->wbuf * p->clusters * EIE_GRANULE_BYTES ||
	    in > p->pbuf / 2 || round_up(in, p->clusters) + (uint64_t)out > p->abuf)
		return 0;
	/* without the gaps, if it is them that do not fit */
	for (int packed = 0; !fits && packed < 2; packed++) {
		int ret;

		limits.aligned = !packed;
		ret = tile_encode(layer, p, &lp->rows, plan->tensors[layer->input].slot, in, &limits, &lp->image);
		if (ret)
			return ret;
		fits = lp->image.wlen <= p->wbuf && lp->image.plen <= p->pbuf && lp->image.rlen <= p->rbuf;
		for (uint32_t t = 0; t < lp->rows.ntiles; t++)
			fits = fits && lp->image.rows[t].nchunks <= 1;
		if (!fits)
			tile_image_free(&lp->image);
	}
	return 0;
}

static int share_rows(struct plan *plan, unsigned int l, bool tail)
{
	const struct accel_layer *layer = &plan->model->layers[l];
	struct layer_plan *lp = &plan->layers[l];

	tile_rows_free(&lp->rows);
	if (tile_balance(layer, &plan->params, plan->row_limit, tail, &lp->rows))
		return -ENOMEM;
	plan->tensors[layer->output].slot = lp->rows.slot;
	plan->tensors[layer->output].granules = lp->rows.granules;
	return 0;
}

/*
 * Pointers of one more row tile may be what does not fit, and streamed weights go without a small last tile: that of a tile is hidden behind
 * the loads of the next.
 */
static int place_resident(struct plan *plan, unsigned int l)
{
	int ret = share_rows(plan, l, true);

	ret = ret ? ret : try_resident(plan, l);
	if (ret || has_image(&plan->layers[l]))
		return ret;
	ret = share_rows(plan, l, false);
	return ret ? ret : try_resident(plan, l);
}

struct candidate {
	uint64_t wlen;
	unsigned int layer;
};

static int smaller_first(const void *a, const void *b)
{
	const struct candidate *x = a, *y = b;

	if (x->wlen != y->wlen)
		return x->wlen < y->wlen ? -1 : 1;
	return x->layer < y->layer ? -1 : 1;
}

/* Makes layers resident while they fit into so many granules; returns whether all did. */
static bool keep(struct plan *plan, const struct candidate *order, unsigned int n, uint32_t w, uint32_t p, uint32_t r)
{
	struct stream_area *area = &plan->area;
	bool all = n == plan->model->nlayers;

	*area = (struct stream_area){ 0 };
	for (unsigned int i = 0; i < n; i++) {
		struct layer_plan *lp = &plan->layers[order[i].layer];
		const struct tile_image *image = &lp->image;

		lp->resident = area->w + image->wlen <= w && area->p + image->plen <= p && area->r + image->rlen <= r;
		all = all && lp->resident;
		if (!lp->resident)
			continue;
		lp->w = area->w;
		lp->p = area->p;
		lp->r = area->r;
		area->w += (uint32_t)image->wlen;
		area->p += (uint32_t)image->plen;
		area->r += (uint32_t)image->rlen;
	}
	return all;
}

/* As many layers as fit, the small ones first, with room for the slots of the others. The area starts where they end. */
static int choose_residents(struct plan *plan)
{
	const struct eie_params *p = &plan->params;
	struct stream_area *area = &plan->area;
	struct candidate *order = calloc(plan->model->nlayers, sizeof(*order));
	unsigned int n = 0;

	if (!order)
		return -ENOMEM;
	for (unsigned int l = 0; l < plan->model->nlayers; l++)
		if (has_image(&plan->layers[l]))
			order[n++] = (struct candidate){ plan->layers[l].image.wlen, l };
	qsort(order, n, sizeof(*order), smaller_first);
	if (!keep(plan, order, n, p->wbuf, p->pbuf, p->rbuf))
		keep(plan, order, n, p->wbuf - p->wbuf / 4, p->pbuf - p->pbuf / 4, p->rbuf - plan->row_limit);
	free(order);

	area->w_slot = (p->wbuf - area->w) / 2;
	area->p_slot = (p->pbuf - area->p) / 2;
	area->r_slot = (p->rbuf - area->r) / 2;
	return 0;
}

static int encode_chunks(struct plan *plan, unsigned int l)
{
	const struct accel_layer *layer = &plan->model->layers[l];
	const struct stream_area *area = &plan->area;
	struct layer_plan *lp = &plan->layers[l];
	struct tile_limits limits = { EIE_GRANULE_VALUES, plan->params.abuf / 4, area->w_slot, plan_pointer_slot(plan, lp), false };

	/* With more items large chunks are better: when a row tile is one chunk it is loaded once for all of them. */
	if (plan->batch <= 2) {
		uint32_t chunk = plan->row_limit > STREAM_CHUNK_GRANULES ? plan->row_limit : STREAM_CHUNK_GRANULES;

		limits.wbuf = plan_min(limits.wbuf, chunk);
	}
	tile_image_free(&lp->image);
	return tile_encode(layer, &plan->params, &lp->rows, plan->tensors[layer->input].slot,
			   plan->tensors[layer->input].granules, &limits, &lp->image);
}

/* Both ways where that may be worth it, and what plan_better_selected() says. */
static int encode_streamed(struct plan *plan, unsigned int l)
{
	struct layer_plan *lp = &plan->layers[l];
	struct select_cycles all_cycles = { 0 }, cycles = { 0 };
	struct tile_image all;
	int ret = encode_chunks(plan, l);

	if (ret || !lp->image.nchunks || !plan_may_select(plan, l))
		return ret;
	ret = plan_select_cycles(plan, l, &all_cycles);
	all = lp->image;
	lp->image = (struct tile_image){ 0 };
	lp->selects = lp->may_select = true;
	ret = ret ? ret : encode_chunks(plan, l);
	ret = ret ? ret : plan_select_cycles(plan, l, &cycles);
	if (!ret && plan_better_selected(&all_cycles, &cycles)) {
		tile_image_free(&all);
		return 0;
	}
	tile_image_free(&lp->image);
	lp->image = all;
	lp->selects = false;
	/* its slots of pointers, that are smaller, may be too small for eight columns */
	return ret == -E2BIG ? 0 : ret;
}

/*
 * Codebooks of resident layers have places of their own, those of 8-bit codes first for they need alignment. The others share a
 * place at the end. Returns the size of the shared place that turned out to be needed, given one of `shared` granules.
 */
static uint32_t place_codebooks(struct plan *plan, uint32_t shared)
{
	uint32_t next = 0, need = 0;

	for (int pass = 0; pass < 2; pass++) {
		for (unsigned int l = 0; l < plan->model->nlayers; l++) {
			struct layer_plan *lp = &plan->layers[l];
			uint32_t granules = codebook_granules(&plan->model->layers[l]);

			if (!accel_layer_weighted(&plan->model->layers[l]))
				continue;
			if ((granules == 32) != (pass == 0))
				continue;
			lp->codebook_resident = lp->resident && next + granules <= EIE_CBUF_GRANULES - shared;
			if (lp->codebook_resident) {
				lp->codebook = next;
				next += granules;
			} else {
				lp->codebook = EIE_CBUF_GRANULES - granules;
				need = granules > need ? granules : need;
			}
		}
	}
	return need;
}

/* Models without resident weights have two places for codebooks, and tables have two: that of the next layer is loaded while this one computes. */
static void take_turns(struct plan *plan)
{
	uint32_t codebooks = 0, tables = 0;
	bool resident = false;

	for (unsigned int l = 0; l < plan->model->nlayers; l++)
		resident = resident || plan->layers[l].resident;
	for (unsigned int l = 0; l < plan->model->nlayers; l++) {
		if (!resident && accel_layer_weighted(&plan->model->layers[l]))
			plan->layers[l].codebook = codebooks++ % 2 * (EIE_CBUF_GRANULES / 2);
		if (plan->model->layers[l].table)
			plan->layers[l].codebook = tables++ % 2 * EIE_TABLE_GRANULES;
	}
}

/* ----------------------------------------------------------------- segments */

uint64_t plan_place_chain(struct plan *plan, uint32_t first, uint32_t n)
{
	const struct accel_layer *layers = plan->model->layers;
	uint64_t next = 0;

	for (unsigned int t = 0; t < plan->model->ntensors; t++) {
		bool used = false;

		for (uint32_t l = first; l < first + n; l++)
			used |= layers[l].input == t || layers[l].output == t;
		if (!used)
			continue;
		plan->tensors[t].abuf = (uint32_t)next;
		next += round_up(plan->tensors[t].granules, plan->params.clusters);
	}
	return next;
}

static bool can_join(const struct layer_plan *lp)
{
	return lp->resident && lp->codebook_resident;
}

static int cut_segments(struct plan *plan)
{
	const struct accel_model *m = plan->model;
	uint32_t slot = plan->params.abuf / 4;
	struct segment *s;

	plan->segments = calloc(m->nlayers, sizeof(*plan->segments));
	if (!plan->segments)
		return -ENOMEM;
	for (uint32_t l = 0; l < m->nlayers; l += s->nlayers) {
		s = &plan->segments[plan->nsegments];
		*s = (struct segment){ .first_layer = l, .nlayers = 1, .chain = plan->layers[l].resident, .conv = plan_is_conv(plan, l),
				       .pool = accel_layer_pools(&m->layers[l]), .element = plan_is_element(plan, l) && !plan->layers[l].done_before,
				       .x_slot = slot, .y = 2 * slot, .y_slot = slot, .out = NO_TENSOR };
		while (!plan->layer_jobs && can_join(&plan->layers[l]) && l + s->nlayers < m->nlayers && can_join(&plan->layers[l + s->nlayers]) &&
		       plan_place_chain(plan, l, s->nlayers + 1) <= plan->params.abuf)
			s->nlayers++;
		if (s->chain) {
			s->set_granules = (uint32_t)plan_place_chain(plan, l, s->nlayers);
			s->sets = plan->batch > 1 && 2 * (uint64_t)s->set_granules <= plan->params.abuf ? 2 : 1;
		}
		for (uint32_t i = l; i < l + s->nlayers; i++) {
			plan->layers[i].segment = plan->nsegments;
			plan->tensors[m->layers[i].output].segment = plan->nsegments;
		}
		plan->nsegments++;
	}
	for (uint32_t l = 0; l < m->nlayers; l++) {
		uint32_t table = plan->layers[l].table;

		if (table == NO_LAYER)
			continue;
		plan->layers[table].segment = plan->layers[l].segment;
		plan->tensors[m->layers[table].output].segment = plan->layers[l].segment;
	}
	return 0;
}

/* The parts of tensor `whole` lie in it, and theirs in them. */
static void place_parts(struct plan *plan, unsigned int whole)
{
	const struct tensor_plan *w = &plan->tensors[whole];

	for (unsigned int l = plan->model->nlayers; l-- > 0;) {
		const struct accel_layer *layer = &plan->model->layers[l];

		if (layer->output != whole)
			continue;
		for (unsigned int i = 0; layer->kind == ACCEL_LAYER_CONCAT && i < layer->nparts; i++) {
			struct tensor_plan *part = &plan->tensors[layer->parts[i]];

			part->in_memory = true;
			part->base = w->base;
			part->offset = w->offset + (uint64_t)part->whole_granule * EIE_GRANULE_BYTES;
			part->item_bytes = w->item_bytes;
			place_parts(plan, layer->parts[i]);
		}
	}
}

static int place_in_memory(struct plan *plan, unsigned int t, unsigned int base, struct accel_error *err)
{
	struct tensor_plan *tp;

	while (plan->tensors[t].whole != NO_TENSOR)
		t = plan->tensors[t].whole;
	tp = &plan->tensors[t];
	if (tp->in_memory)
		return 0;
	tp->in_memory = true;
	tp->base = base;
	tp->offset = plan->bytes[base];
	tp->item_bytes = (uint64_t)tp->granules * EIE_GRANULE_BYTES;
	plan->bytes[base] += tp->item_bytes * plan->batch;
	place_parts(plan, t);
	if (plan->bytes[base] > UINT32_MAX)
		return accel_fail(err, -E2BIG, plan->model->tensors[t].name,
				  "tensor \"%s\" with a batch of %u brings a buffer to more than 4 GiB: use a smaller batch",
				  plan->model->tensors[t].name, plan->batch);
	return 0;
}

static int place_tensors(struct plan *plan, struct accel_error *err)
{
	const struct accel_model *m = plan->model;
	int ret = 0;

	for (unsigned int i = 0; !ret && i < m->ninputs; i++)
		ret = place_in_memory(plan, m->inputs[i], BASE_INPUT, err);
	for (unsigned int i = 0; !ret && i < m->noutputs; i++) {
		if (plan->tensors[m->outputs[i]].segment == NO_SEGMENT)
			return accel_fail(err, -ENOTSUP, m->tensors[m->outputs[i]].name,
					  "output \"%s\" is an input of the graph: the engine has nothing to compute for it",
					  m->tensors[m->outputs[i]].name);
		ret = place_in_memory(plan, m->outputs[i], BASE_OUTPUT, err);
	}
	for (unsigned int l = 0; l < m->nlayers; l++) {
		const unsigned int *inputs;
		unsigned int n = accel_layer_inputs(&m->layers[l], &inputs);

		for (unsigned int i = 0; !ret && m->layers[l].kind != ACCEL_LAYER_CONCAT && i < n; i++)
			if (plan->tensors[inputs[i]].segment != plan->layers[l].segment && !plan->tensors[inputs[i]].kept)
				ret = place_in_memory(plan, inputs[i], BASE_SCRATCH, err);
	}
	return ret;
}

/* Images one after the other, each with its codebook behind it; tables. */
static int place_constants(struct plan *plan, struct accel_error *err)
{
	size_t *bytes = &plan->bytes[BASE_CONST];

	for (unsigned int l = 0; l < plan->model->nlayers; l++) {
		struct layer_plan *lp = &plan->layers[l];

		if (!accel_layer_weighted(&plan->model->layers[l]) && plan->model->layers[l].kind != ACCEL_LAYER_TABLE)
			continue;
		lp->image_offset = *bytes;
		*bytes += lp->image.bytes;
		lp->codebook_offset = *bytes;
		*bytes += (size_t)(plan->model->layers[l].table ? EIE_TABLE_GRANULES : codebook_granules(&plan->model->layers[l])) * EIE_GRANULE_BYTES;
		if (*bytes > UINT32_MAX)
			return accel_fail(err, -E2BIG, plan->model->layers[l].name,
					  "with layer \"%s\" the weights are more than 4 GiB: split the model",
					  plan->model->layers[l].name);
	}
	return 0;
}

int plan_make(const struct accel_model *model, const struct eie_params *params, const struct accel_compile_options *options,
	      struct plan *plan, struct accel_error *err)
{
	uint32_t shared = 0, need;
	int ret = check_model(model, err);

	*plan = (struct plan){ .model = model, .params = *params, .batch = options->batch, .layer_jobs = options->layer_jobs };
	if (ret)
		return ret;
	plan->params.abuf -= table_granules(model, params);
	plan->row_limit = row_limit(&plan->params);
	plan->layers = calloc(model->nlayers, sizeof(*plan->layers));
	plan->tensors = calloc(model->ntensors, sizeof(*plan->tensors));
	if (!plan->layers || !plan->tensors || plan_inputs(plan) || order_leaders(model, &plan->leader))
		return plan_no_memory(err);
	for (unsigned int l = 0; l < model->nlayers; l++)
		plan->layers[l].table = NO_LAYER;
	plan_join_tables(plan);

	for (unsigned int l = 0; l < model->nlayers; l++) {
		const struct accel_layer *layer = &model->layers[l];

		if (layer->kind != ACCEL_LAYER_FC) {
			ret = layer->kind == ACCEL_LAYER_CONV ? plan_conv(plan, l, err) :
			      accel_layer_pools(layer)	      ? plan_pool(plan, l, err) :
			      plan_is_element(plan, l)	      ? plan_element(plan, l, err) :
								plan_concat(plan, l, err);
			if (ret)
				return ret;
			continue;
		}
		if (options->stream_weights ? share_rows(plan, l, false) : place_resident(plan, l))
			return plan_no_memory(err);
	}
	if (choose_residents(plan))
		return plan_no_memory(err);
	while ((need = place_codebooks(plan, shared)) > shared)
		shared = need;
	take_turns(plan);
	if (cut_segments(plan) || plan_keep(plan) || plan_recut(plan))
		return plan_no_memory(err);
	for (unsigned int l = 0; l < model->nlayers; l++) {
		if (!accel_layer_weighted(&model->layers[l]))
			continue;
		ret = plan_is_conv(plan, l) ? plan_encode_conv(plan, l) : plan->layers[l].resident ? 0 : encode_streamed(plan, l);
		if (ret == -E2BIG)
			return accel_fail(err, ret, model->layers[l].name,
					  "layer \"%s\": %s do not fit the weight or the pointer buffer of this hardware", model->layers[l].name,
					  plan_is_conv(plan, l) ? "the columns of a channel a cluster" : "eight columns");
		if (ret)
			return plan_no_memory(err);
	}
	ret = place_tensors(plan, err);
	return ret ? ret : place_constants(plan, err);
}

void plan_free(struct plan *plan)
{
	for (unsigned int l = 0; plan->layers && l < plan->model->nlayers; l++) {
		tile_rows_free(&plan->layers[l].rows);
		tile_image_free(&plan->layers[l].image);
		conv_plan_free(&plan->layers[l].conv);
	}
	for (unsigned int t = 0; plan->tensors && t < plan->model->ntensors; t++)
		free(plan->tensors[t].own_slot);
	free(plan->layers);
	free(plan->tensors);
	free(plan->segments);
	free(plan->leader);
}
