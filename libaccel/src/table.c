// SPDX-License-Identifier: GPL-2.0 OR MIT
#include "table.h"
#include "op.h"

#include <eie_hw.h>
#include <math.h>
#include <string.h>

#define KNOTS  EIE_TABLE_VALUES
#define STEP   (65536 / (KNOTS - 1))   /* inputs from one knot to the next */
#define POINTS 16                      /* of an interval that are looked at */

/*
 * No jump, no pole, and bounded slopes: straight lines between values that are a 256th of the range apart come near them. Below lo and above hi they are constant to
 * a few steps of 16 bits.
 */
static const struct known {
	const char *name;
	double lo, hi;
	bool exact;            /* no function of the C library has a say */
} known[] = {
	{ "Abs", -INFINITY, INFINITY, true }, { "Celu", -INFINITY, INFINITY, false }, { "Clip", -INFINITY, INFINITY, true }, { "Elu", -10, INFINITY, false },
	{ "Erf", -3, 3, false }, { "Gelu", -5, INFINITY, false }, { "GeluTanh", -5, INFINITY, false }, { "HardSigmoid", -INFINITY, INFINITY, true },
	{ "HardSwish", -3, INFINITY, true }, { "Identity", -INFINITY, INFINITY, true }, { "LeakyRelu", -INFINITY, INFINITY, true },
	{ "Mish", -14, INFINITY, false }, { "Relu", 0, INFINITY, true }, { "Selu", -10, INFINITY, false }, { "Sigmoid", -10, 10, false },
	{ "Softplus", -10, INFINITY, false }, { "Softsign", -INFINITY, INFINITY, true }, { "Tanh", -6, 6, false },
};

static const struct known *find(const char *name)
{
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (!strcmp(known[i].name, name))
			return &known[i];
	return NULL;
}

bool table_knows(const char *function)
{
	return find(function);
}

bool table_follows(const char *function)
{
	const struct known *k = find(function);

	return k && k->exact;
}

bool table_parameters_ok(const struct accel_function *f)
{
	return !isnan(f->p) && !isnan(f->q) && isfinite(f->factor) && isfinite(f->offset);
}

void table_bounds(const struct accel_function *f, double *lo, double *hi)
{
	const struct known *k = find(f->name);

	*lo = k->lo;
	*hi = k->hi;
	if (!strcmp(f->name, "Clip")) {
		*lo = (double)f->p;
		*hi = (double)f->q;
	} else if (!strcmp(f->name, "HardSigmoid") && f->p > 0) {
		*lo = -(double)f->q / (double)f->p;
		*hi = (1 - (double)f->q) / (double)f->p;
	}
}

void table_function(const struct accel_layer *layer, const float *x, float *y, uint64_t n)
{
	const struct accel_function *f = &layer->function;

	op_unary_function(f->name)(f->p, f->q, x, y, n);
	for (uint64_t i = 0; i < n; i++)
		y[i] = f->factor * y[i] + f->offset;
}

/* What x, in steps of the input, should become, in steps of the output. */
static double wanted(const struct accel_layer *layer, const struct accel_tensor *in, const struct accel_tensor *out, int x)
{
	float v = (float)(x * (double)in->scale);

	table_function(layer, &v, &v, 1);
	return (double)v / (double)out->scale;
}

/*
 * Lines between values of a function lie on one side of it wherever it is curved, and what errs to one side adds up in the sums of the next layer. So from each
 * value is taken what the lines err by around it, on average, weighted by what the value has to say there. Where the function is straight that is nothing.
 */
void table_fill(struct accel_layer *layer, const struct accel_tensor *in, const struct accel_tensor *out)
{
	double f[KNOTS], error[KNOTS] = { 0 };

	for (int i = 0; i < KNOTS; i++)
		f[i] = wanted(layer, in, out, i * STEP - 32768);
	for (int i = 0; i + 1 < KNOTS; i++) {
		for (int p = 1; p < POINTS; p++) {
			double at = (double)p / POINTS, e = f[i] + (f[i + 1] - f[i]) * at - wanted(layer, in, out, i * STEP + p * (STEP / POINTS) - 32768);

			/* the weights of an interval's points sum up to half of those of a value */
			error[i] += e * (1 - at) / POINTS;
			error[i + 1] += e * at / POINTS;
		}
	}
	for (int i = 0; i < KNOTS; i++) {
		double q = rint(f[i] - error[i]);

		/* not a number where the function leaves float32, beyond what inputs reach: any value will do */
		layer->table[i] = (int16_t)(q > out->hi ? out->hi : q >= out->lo ? q : out->lo);
	}
}
