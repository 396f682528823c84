// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * The derivation of docs/numbers.md. Every tensor has a number of steps qx: amax = qx * scale; every layer a number qw for its
 * codebook. Both are 32767 unless a sum could leave int32; then the missing factor is shared between the two, or the codebook, where it is of small integers
 * that stay exact, gives what it has first. Tensors that pooling or concatenation
 * joins are a group: one amax, one qx. Their scales are one, or the average pooling between them decides how they differ (factor).
 * Of the int8 mode, which takes amax and factors alike, qx is 255 or 127, and qw 127, but for groups that stay wide.
 */
#include "quant.h"
#include <eie_hw.h>
#include "table.h"
#include "window.h"

#include <errno.h>
#include <float.h>
#include <math.h>
#include <stdlib.h>

#define Q_MAX  32767
#define QW_MIN 4095   /* 12 significant bits: below this, weights that differ in the codebook begin to coincide */
#define QX_MIN 127    /* less than 8-bit activations is no number format any more */
#define Q_NARROW        127   /* of the int8 mode: weights, and tensors with values on both sides of zero */
#define Q_NARROW_ABOVE  255   /* tensors without values below zero */
#define QW_NARROW_MIN   31

void accel_code_terms(const struct accel_layer *layer, int32_t xlo, int32_t xhi, struct accel_term *term)
{
	if (layer->kind == ACCEL_LAYER_CONV) {   /* padding is zero, whatever the image is */
		xlo = xlo < 0 ? xlo : 0;
		xhi = xhi > 0 ? xhi : 0;
	}
	for (unsigned int i = 0; i < layer->ncodes; i++) {
		int32_t w = layer->codebook_q[i];

		term[i] = (struct accel_term){ w * (w > 0 ? xlo : xhi), w * (w > 0 ? xhi : xlo) };
	}
}

void accel_row_interval(const struct accel_layer *layer, const struct accel_term *term, uint32_t row, int64_t *lo, int64_t *hi)
{
	int64_t sum_lo = 0, sum_hi = 0;

	/* at most 2^24 terms of 2^30 at most */
	for (uint32_t i = layer->rowptr[row]; i < layer->rowptr[row + 1]; i++) {
		const struct accel_term *t = &term[layer->code[i]];

		sum_lo += t->lo;
		sum_hi += t->hi;
	}
	*lo = sum_lo;
	*hi = sum_hi;
}

int accel_requant_params(double ratio, uint16_t *mult, uint8_t *shift)
{
	int exponent;
	double m;

	if (!(ratio > 0) || !isfinite(ratio))
		return -ERANGE;
	m = rint(frexp(ratio, &exponent) * 65536);
	if (m == 65536) {
		m = 32768;
		exponent++;
	}
	if (exponent > 15)
		return -ERANGE;
	if (exponent < 16 - 47) {
		/* too small for a normalised m: 2^47 is the largest divisor, and m loses bits, down to 0 */
		m = rint(ldexp(ratio, 47));
		exponent = 16 - 47;
	}
	*mult = (uint16_t)m;
	*shift = (uint8_t)(16 - exponent);
	return 0;
}

/* All arrays are [ntensors]. */
struct solver {
	struct accel_model *model;
	uint32_t *group;           /* of each tensor: its lowest member */
	double *amax;              /* by group: largest magnitude / factor; 1 where that is 0, as any scale will do */
	double *factor;            /* of each tensor: its scale / the scale of the group */
	double *bound_lo, *bound_hi;   /* of each tensor: what is beyond makes no difference, because a table alone reads it */
	int32_t *steps;            /* by group */
	bool *wide;                /* by group: keeps its 16 bits in the int8 mode; NULL: not that mode */
	uint64_t *work;            /* weights and rows that may be looked at yet */
};

/* Of the int8 mode: the layer has 8-bit activations and weights. */
static bool is_narrow(const struct solver *s, const struct accel_layer *layer)
{
	return s->wide && !s->wide[s->group[layer->input]];
}

static double amax_of(const struct solver *s, unsigned int tensor)
{
	return s->amax[s->group[tensor]] * s->factor[tensor];
}

static double magnitude(const struct accel_tensor *t)
{
	return fmax(fabs((double)t->range_lo), fabs((double)t->range_hi));
}

/* Reads of a tensor, by layers and by whoever runs the model. */
static unsigned int count_readers(const struct accel_model *m, unsigned int tensor)
{
	unsigned int n = 0;

	for (unsigned int l = 0; l < m->nlayers; l++) {
		const unsigned int *inputs;
		unsigned int count = accel_layer_inputs(&m->layers[l], &inputs);

		for (unsigned int i = 0; i < count; i++)
			n += inputs[i] == tensor;
	}
	for (unsigned int i = 0; i < m->noutputs; i++)
		n += m->outputs[i] == tensor;
	return n;
}

static bool has_own_scale(const struct accel_model *m, unsigned int tensor)
{
	for (unsigned int l = 0; l < m->nlayers; l++)
		if (m->layers[l].output == tensor)
			return accel_layer_rescales(&m->layers[l]);
	return false;
}

/* Where a table is constant its input need not tell values apart: the steps are for where it is not. */
static void set_bounds(const struct solver *s)
{
	const struct accel_model *m = s->model;

	for (unsigned int t = 0; t < m->ntensors; t++) {
		s->bound_lo[t] = -INFINITY;
		s->bound_hi[t] = INFINITY;
	}
	for (unsigned int l = 0; l < m->nlayers; l++) {
		unsigned int x = m->layers[l].input;

		if (m->layers[l].kind == ACCEL_LAYER_TABLE && has_own_scale(m, x) && count_readers(m, x) == 1)
			table_bounds(&m->layers[l].function, &s->bound_lo[x], &s->bound_hi[x]);
	}
}

static double clamp(double v, double lo, double hi)
{
	return v < lo ? lo : v > hi ? hi : v;
}

/* The least shift with which the calibrated averages do not saturate; sums of so many pixels need no more than the limit. */
static unsigned int choose_shift(const struct accel_layer *layer, const struct accel_tensor *in, const struct accel_tensor *out)
{
	double ratio = magnitude(in) > 0 ? magnitude(out) / magnitude(in) : 1, n = window_taps(&layer->window);
	unsigned int shift = 0;

	ratio = ratio < 1 ? ratio : 1;
	while (ldexp(1, (int)shift) < n * ratio)
		shift++;
	return shift;
}

/* The average pooling that makes the tensor, or NULL. */
static struct accel_layer *average_of(const struct solver *s, unsigned int tensor)
{
	for (unsigned int l = 0; l < s->model->nlayers; l++)
		if (s->model->layers[l].output == tensor)
			return s->model->layers[l].kind == ACCEL_LAYER_AVERAGE_POOL ? &s->model->layers[l] : NULL;
	return NULL;
}

/* Averages over a power of two may have their input's scale: a larger shift than they need costs bits of them, but joins them without a multiplication. */
static bool match_factor(const struct solver *s, unsigned int tensor, double want)
{
	struct accel_layer *pool = average_of(s, tensor);
	int exponent;

	if (!pool || frexp(want / s->factor[pool->input] * window_taps(&pool->window), &exponent) != 0.5)
		return false;
	if (exponent - 1 <= (int)pool->sum_shift || exponent - 1 > (int)EIE_CMD_VPOOL_SHIFT_MASK)
		return false;
	pool->sum_shift = (unsigned int)exponent - 1;
	return true;
}

/* Parts of a concatenation must have one factor. *again: one got another shift for it. */
static int join_factors(const struct solver *s, const struct accel_layer *layer, bool *again, struct accel_error *err)
{
	double want = 0;

	for (unsigned int i = 0; i < layer->nparts; i++)
		want = fmax(want, s->factor[layer->parts[i]]);
	for (unsigned int i = 0; i < layer->nparts; i++) {
		if (!average_of(s, layer->parts[i])) {
			want = s->factor[layer->parts[i]];
			break;
		}
	}
	for (unsigned int i = 0; i < layer->nparts; i++) {
		if (s->factor[layer->parts[i]] == want)
			continue;
		if (!match_factor(s, layer->parts[i], want))
			return accel_fail(err, -EINVAL, layer->name,
					  "layer '%s' joins '%s' with others, but an average pooling makes its scale another: put a convolution between",
					  layer->name, s->model->tensors[layer->parts[i]].name);
		*again = true;
	}
	return 0;
}

/* Factors of what layers without weights make; what they join must have one. */
static int set_factors(const struct solver *s, struct accel_error *err)
{
	bool again = true;
	int ret = 0;

	for (unsigned int t = 0; t < s->model->ntensors; t++)
		s->factor[t] = 1;
	for (unsigned int l = 0; l < s->model->nlayers; l++) {
		struct accel_layer *layer = &s->model->layers[l];

		if (layer->kind == ACCEL_LAYER_AVERAGE_POOL)
			layer->sum_shift = choose_shift(layer, &s->model->tensors[layer->input], &s->model->tensors[layer->output]);
	}
	/* shifts only grow */
	while (!ret && again) {
		again = false;
		for (unsigned int l = 0; !ret && l < s->model->nlayers; l++) {
			const struct accel_layer *layer = &s->model->layers[l];

			if (accel_layer_rescales(layer))
				continue;
			s->factor[layer->output] = s->factor[layer->input];
			if (layer->kind == ACCEL_LAYER_AVERAGE_POOL)
				s->factor[layer->output] *= ldexp(1, (int)layer->sum_shift) / window_taps(&layer->window);
			if (layer->kind == ACCEL_LAYER_CONCAT)
				ret = join_factors(s, layer, &again, err);
		}
	}
	return ret;
}

/* Members of two groups become one; the lowest number names it. */
static void join(const struct solver *s, unsigned int a, unsigned int b)
{
	uint32_t lower = s->group[a] < s->group[b] ? s->group[a] : s->group[b], higher = s->group[a] + s->group[b] - lower;

	for (unsigned int t = 0; t < s->model->ntensors; t++)
		if (s->group[t] == higher)
			s->group[t] = lower;
}

static void make_groups(const struct solver *s)
{
	for (unsigned int t = 0; t < s->model->ntensors; t++)
		s->group[t] = t;
	for (unsigned int l = 0; l < s->model->nlayers; l++) {
		const struct accel_layer *layer = &s->model->layers[l];
		const unsigned int *inputs;
		unsigned int n = accel_layer_inputs(layer, &inputs);

		for (unsigned int i = 0; !accel_layer_rescales(layer) && i < n; i++)
			join(s, inputs[i], layer->output);
	}
	for (unsigned int t = 0; t < s->model->ntensors; t++) {
		const struct accel_tensor *tensor = &s->model->tensors[t];
		double lo = clamp((double)tensor->range_lo, s->bound_lo[t], s->bound_hi[t]), hi = clamp((double)tensor->range_hi, s->bound_lo[t], s->bound_hi[t]);
		double amax = fmax(fabs(lo), fabs(hi)) / s->factor[t];

		s->amax[s->group[t]] = fmax(s->amax[s->group[t]], amax);
	}
	for (unsigned int t = 0; t < s->model->ntensors; t++)
		if (s->group[t] == t && !(s->amax[t] > 0))
			s->amax[t] = 1;
}

/* Whoever runs the model sees int16, and a table has a value for every 256th int16: all others are narrow. */
static void make_wide(const struct solver *s)
{
	const struct accel_model *m = s->model;

	for (unsigned int i = 0; i < m->noutputs; i++)
		s->wide[s->group[m->outputs[i]]] = true;
	for (unsigned int l = 0; l < m->nlayers; l++)
		if (m->layers[l].kind == ACCEL_LAYER_TABLE)
			s->wide[s->group[m->layers[l].input]] = true;
}

/* The most steps that each group may have. Wide ones keep the scales that the model has. */
static void set_most(const struct solver *s)
{
	const struct accel_model *m = s->model;

	for (unsigned int t = 0; t < m->ntensors; t++)
		s->steps[t] = s->wide && !s->wide[t] ? Q_NARROW_ABOVE : Q_MAX;
	for (unsigned int t = 0; s->wide && t < m->ntensors; t++)
		if (s->wide[s->group[t]])
			s->steps[s->group[t]] = (int32_t)rint(amax_of(s, t) / (double)m->tensors[t].scale);
	for (unsigned int i = 0; s->wide && i < m->ninputs; i++) {
		int32_t *steps = &s->steps[s->group[m->inputs[i]]];

		if (m->tensors[m->inputs[i]].range_lo < 0 && *steps == Q_NARROW_ABOVE)
			*steps = Q_NARROW;
	}
	for (unsigned int l = 0; s->wide && l < m->nlayers; l++) {
		int32_t *steps = &s->steps[s->group[m->layers[l].output]];

		if (accel_layer_rescales(&m->layers[l]) && !m->layers[l].activation && *steps == Q_NARROW_ABOVE)
			*steps = Q_NARROW;
	}
}

/* What goes through unchanged keeps the clamps of where it comes from; an empty window gives 0. */
static void take_clamp(const struct accel_model *model, const struct accel_layer *layer)
{
	struct accel_tensor *t = &model->tensors[layer->output];
	const unsigned int *inputs;
	unsigned int n = accel_layer_inputs(layer, &inputs);

	t->lo = t->hi = 0;
	for (unsigned int i = 0; i < n; i++) {
		const struct accel_tensor *in = &model->tensors[inputs[i]];

		t->lo = in->lo < t->lo ? in->lo : t->lo;
		t->hi = in->hi > t->hi ? in->hi : t->hi;
	}
	if (layer->kind == ACCEL_LAYER_AVERAGE_POOL) {
		t->lo = accel_average_limit(layer, t->lo);
		t->hi = accel_average_limit(layer, t->hi);
	}
}

/* scale, lo and hi from the number of steps; producer is NULL for a graph input. */
static int set_tensor(const struct solver *s, unsigned int number, const struct accel_layer *producer, struct accel_error *err)
{
	struct accel_tensor *t = &s->model->tensors[number];
	int32_t steps = s->steps[s->group[number]];

	t->scale = (float)(amax_of(s, number) / steps);
	/* normal numbers only: a subnormal scale has lost the precision that the integers promise */
	if (!(t->scale >= FLT_MIN) || !isfinite(t->scale))
		return accel_fail(err, -ERANGE, t->name, "tensor '%s': range %g .. %g is too small for a float scale", t->name,
				  (double)t->range_lo, (double)t->range_hi);
	t->hi = (int16_t)steps;
	t->lo = (int16_t)-steps;
	if (!producer) {
		t->lo = (int16_t)clamp(rint((double)t->range_lo / (double)t->scale), -steps, steps);
		t->hi = (int16_t)clamp(rint((double)t->range_hi / (double)t->scale), -steps, steps);
	} else if (!accel_layer_rescales(producer)) {
		take_clamp(s->model, producer);
	} else if (producer->activation == ACCEL_ACT_RELU) {
		t->lo = 0;
	} else if (producer->activation == ACCEL_ACT_RELU6) {
		t->lo = 0;
		t->hi = (int16_t)clamp(rint(6 / (double)t->scale), 0, steps);
		/* what ends at six by definition is no saturation, which is counted at Q_MAX */
		if (t->hi == Q_MAX && t->range_hi >= 6)
			t->hi = Q_MAX - 1;
	}
	/* nor is what ends where the table that reads it is constant */
	if (t->lo == -Q_MAX && (double)t->range_lo < s->bound_lo[number])
		t->lo = -Q_MAX + 1;
	if (t->hi == Q_MAX && (double)t->range_hi > s->bound_hi[number])
		t->hi = Q_MAX - 1;
	return 0;
}

/* Largest |codebook| value. Where all are zero the bias alone decides: then what makes the largest bias 2^30. */
static double codebook_amax(const struct accel_layer *layer, double in_amax)
{
	double amax = 0, bias = 0;

	for (unsigned int i = 1; i < layer->ncodes; i++)
		amax = fmax(amax, fabs((double)layer->codebook[i]));
	if (amax > 0)
		return amax;
	for (uint32_t r = 0; r < layer->rows; r++)
		bias = fmax(bias, fabs((double)layer->bias[r]) / accel_row_scale(layer, r));
	return bias > 0 ? bias / in_amax : 1;
}

/* The fewest and the most steps of a layer's codebook. */
static int32_t least_qw(const struct solver *s, const struct accel_layer *layer)
{
	return is_narrow(s, layer) ? QW_NARROW_MIN : QW_MIN;
}

static int32_t most_qw(const struct solver *s, const struct accel_layer *layer)
{
	return is_narrow(s, layer) ? Q_NARROW : Q_MAX;
}

/* The largest magnitude of a codebook of integers, whose multiples are steps that round nothing; 0: another codebook, or large ones. */
static int32_t exact_steps(const struct solver *s, const struct accel_layer *layer)
{
	const double limit = is_narrow(s, layer) ? Q_NARROW : QW_MIN;
	double amax = 0;

	for (unsigned int i = 1; i < layer->ncodes; i++) {
		double v = (double)layer->codebook[i];

		if (v != rint(v) || fabs(v) > limit)
			return 0;
		amax = fmax(amax, fabs(v));
	}
	return (int32_t)amax;
}

/* The most steps of the codebook that are not above limit, or the fewest that it may have. */
static int32_t fewer_steps(const struct solver *s, const struct accel_layer *layer, double limit)
{
	int32_t exact = exact_steps(s, layer), most = most_qw(s, layer);

	if (!exact)
		return (int32_t)clamp(limit, least_qw(s, layer), most);
	return (int32_t)clamp(floor(limit / exact), 1, floor((double)most / exact)) * exact;
}

/*
 * Sets the layer's integers for qw steps of the codebook and returns the factor by which the largest possible sum exceeds
 * int32: all is well up to 1. bias_q is written only then, because only then it fits.
 */
static int try_codebook(const struct solver *s, struct accel_layer *layer, int32_t qw, double *excess, struct accel_error *err)
{
	const struct accel_tensor *in = &s->model->tensors[layer->input];
	struct accel_term term[ACCEL_MAX_CODES];
	double unit;   /* of a sum, but for the row's scale */

	if (*s->work < layer->nnz + layer->rows)
		return accel_fail(err, -ERANGE, layer->name, "layer '%s': its integers take too long to find", layer->name);
	*s->work -= layer->nnz + layer->rows;
	layer->codebook_scale = (float)(codebook_amax(layer, amax_of(s, layer->input)) / qw);
	if (!(layer->codebook_scale >= FLT_MIN) || !isfinite(layer->codebook_scale))
		return accel_fail(err, -ERANGE, layer->name, "layer '%s': the weights are too small or too large for a float scale",
				  layer->name);
	layer->codebook_q[0] = 0;
	for (unsigned int i = 1; i < layer->ncodes; i++) {
		double q = clamp(rint((double)layer->codebook[i] / (double)layer->codebook_scale), -qw, qw);

		/* a weight that is there stays there, unless steps are so coarse that it would grow */
		if (q == 0 && layer->codebook[i] != 0 && !is_narrow(s, layer))
			q = layer->codebook[i] > 0 ? 1 : -1;
		layer->codebook_q[i] = (int16_t)q;
	}

	unit = (double)in->scale * (double)layer->codebook_scale;
	*excess = 0;
	accel_code_terms(layer, in->lo, in->hi, term);
	for (uint32_t r = 0; r < layer->rows; r++) {
		double bias = rint((double)layer->bias[r] / (unit * accel_row_scale(layer, r)));
		int64_t lo, hi;

		accel_row_interval(layer, term, r, &lo, &hi);
		*excess = fmax(*excess, (bias + (double)hi) / INT32_MAX);
		*excess = fmax(*excess, (bias + (double)lo) / INT32_MIN);
		/* no partial result may leave int32 for the bias alone either: it is stored as one */
		*excess = fmax(*excess, fabs(bias) / INT32_MAX);
	}
	if (*excess <= 1)
		for (uint32_t r = 0; r < layer->rows; r++)
			layer->bias_q[r] = (int32_t)rint((double)layer->bias[r] / (unit * accel_row_scale(layer, r)));
	return 0;
}

/*
 * Steps for a layer's input that leave its codebook the fewest that it may have at least, with equal relative errors as far as that goes. Where the codebook
 * stays exact the input gets all it can.
 */
static int32_t share_bits(const struct solver *s, const struct accel_layer *layer, double excess)
{
	double product = (double)Q_MAX * Q_MAX / excess;
	double qw = fewer_steps(s, layer, exact_steps(s, layer) ? product / Q_MAX : sqrt(product));

	/* a little less, so that rounding of the codebook does not spoil it */
	return (int32_t)clamp(0.999 * product / qw, 0, Q_MAX);
}

/*
 * Finds the most codebook steps that fit the input's scale. When that is fewer than QW_MIN (rounding, or a reader
 * of the same tensor that share_bits did not know of), *steps of the input is lowered and -EAGAIN says to start over.
 */
static int fit_layer(const struct solver *s, struct accel_layer *layer, struct accel_error *err)
{
	int32_t qw = most_qw(s, layer), least = fewer_steps(s, layer, 0), *steps = &s->steps[s->group[layer->input]];

	for (;;) {
		double excess;
		int ret = try_codebook(s, layer, qw, &excess, err);

		if (ret || excess <= 1)
			return ret;
		if (qw == least) {
			*steps = (int32_t)clamp(0.999 * *steps / excess, 0, *steps - 1);
			return -EAGAIN;
		}
		qw = fewer_steps(s, layer, fmin(qw / excess, qw - 1));
	}
}

static int set_tensors(const struct solver *s, struct accel_error *err)
{
	int ret = 0;

	for (unsigned int i = 0; !ret && i < s->model->ninputs; i++)
		ret = set_tensor(s, s->model->inputs[i], NULL, err);
	for (unsigned int i = 0; !ret && i < s->model->nlayers; i++)
		ret = set_tensor(s, s->model->layers[i].output, &s->model->layers[i], err);
	return ret;
}

/* Fills steps: the tightest reader of a tensor decides. Ends, because every further turn lowers a tensor's steps. */
static int solve_steps(const struct solver *s, struct accel_error *err)
{
	struct accel_model *model = s->model;
	bool again;
	int ret;

	set_most(s);
	ret = set_tensors(s, err);
	if (ret)
		return ret;
	for (unsigned int i = 0; i < model->nlayers; i++) {
		struct accel_layer *layer = &model->layers[i];
		int32_t want, *steps = &s->steps[s->group[layer->input]];
		double excess;

		/* with eight bits each there is nothing to share */
		if (!accel_layer_weighted(layer) || is_narrow(s, layer))
			continue;
		ret = try_codebook(s, layer, Q_MAX, &excess, err);
		if (ret)
			return ret;
		want = excess > 1 ? share_bits(s, layer, excess) : Q_MAX;
		*steps = want < *steps ? want : *steps;
	}
	do {
		again = false;
		for (unsigned int i = 0; i < model->nlayers; i++) {
			struct accel_layer *layer = &model->layers[i];

			if (s->steps[s->group[layer->input]] < QX_MIN)
				return accel_fail(err, -ERANGE, layer->name, "layer '%s': its sums need more than 32 bits even with 8-bit activations; prune it further, split it, or check its biases",
						  layer->name);
		}
		ret = set_tensors(s, err);
		for (unsigned int i = 0; !ret && i < model->nlayers; i++) {
			if (!accel_layer_weighted(&model->layers[i]))
				continue;
			ret = fit_layer(s, &model->layers[i], err);
			if (ret == -EAGAIN) {
				again = true;
				ret = 0;
			}
		}
	} while (!ret && again);
	return ret;
}

/* How a layer's results become its output's integers; all: tables, too, that another machine may have otherwise. */
static int set_output(const struct accel_model *model, struct accel_layer *layer, bool all, struct accel_error *err)
{
	const struct accel_tensor *in = &model->tensors[layer->input], *out = &model->tensors[layer->output];
	double ratio = (double)in->scale / (double)out->scale;
	int ret = 0;

	if (layer->kind == ACCEL_LAYER_TABLE && (all || table_follows(layer->function.name)))
		table_fill(layer, in, out);
	if (layer->kind == ACCEL_LAYER_MULTIPLY)
		ret = accel_requant_params(ratio * (double)model->tensors[layer->parts[1]].scale, layer->mult, layer->shift);
	for (uint32_t r = 0; !ret && accel_layer_weighted(layer) && r < layer->rows; r++)
		ret = accel_requant_params(ratio * (double)layer->codebook_scale * accel_row_scale(layer, r), &layer->mult[r], &layer->shift[r]);
	return ret ? accel_fail(err, ret, layer->name, "layer '%s': its output range %g .. %g is too small for its inputs and weights; calibrate with inputs that reach it",
				layer->name, (double)out->range_lo, (double)out->range_hi) : 0;
}

static int derive(struct accel_model *model, bool narrow, bool all, uint64_t work, struct accel_error *err)
{
	struct solver s = { model, malloc(model->ntensors * sizeof(*s.group)), calloc(model->ntensors, sizeof(*s.amax)),
			    malloc(model->ntensors * sizeof(*s.factor)), malloc(model->ntensors * sizeof(*s.bound_lo)),
			    malloc(model->ntensors * sizeof(*s.bound_hi)), malloc(model->ntensors * sizeof(*s.steps)),
			    narrow ? calloc(model->ntensors, sizeof(*s.wide)) : NULL, &work };
	int ret;

	if (s.group && s.amax && s.factor && s.bound_lo && s.bound_hi && s.steps && (s.wide || !narrow)) {
		set_bounds(&s);
		ret = set_factors(&s, err);
		if (!ret)
			make_groups(&s);
		if (!ret && narrow)
			make_wide(&s);
		ret = ret ? ret : solve_steps(&s, err);
	} else {
		ret = accel_fail(err, -ENOMEM, NULL, "no memory for %u tensors", model->ntensors);
	}
	free(s.group);
	free(s.amax);
	free(s.factor);
	free(s.bound_lo);
	free(s.bound_hi);
	free(s.steps);
	free(s.wide);
	for (unsigned int i = 0; !ret && i < model->nlayers; i++)
		ret = set_output(model, &model->layers[i], all, err);
	return ret;
}

int accel_quantise(struct accel_model *model, struct accel_error *err)
{
	return derive(model, false, true, UINT64_MAX, err);
}

int accel_quantise_narrow(struct accel_model *model, struct accel_error *err)
{
	return derive(model, true, true, UINT64_MAX, err);
}

int accel_quantise_again(struct accel_model *model, struct accel_error *err)
{
	uint64_t work = 0;

	for (unsigned int i = 0; i < model->nlayers; i++)
		work += QUANT_LOOKS * (model->layers[i].nnz + model->layers[i].rows);
	return derive(model, false, false, work, err);
}
