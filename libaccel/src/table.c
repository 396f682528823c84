// SPDX-License-Identifier: GPL-2.0 OR MIT
#include "table.h"
#include "op.h"

#include <eie_hw.h>
#include <math.h>
#include <string.h>

#define STEP (65536 / (EIE_TABLE_VALUES - 1))

/* No jump, no pole, and bounded slopes: straight lines between values that are a 256th of the range apart come near them. */
static const char *const known[] = {
	"Abs", "Celu", "Clip", "Elu", "Erf", "Gelu", "GeluTanh", "HardSigmoid", "HardSwish", "LeakyRelu", "Mish", "Relu", "Selu", "Sigmoid", "Softplus",
	"Softsign", "Tanh",
};

bool table_knows(const char *function)
{
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (!strcmp(known[i], function))
			return true;
	return false;
}

void table_function(const struct accel_layer *layer, const float *x, float *y, uint64_t n)
{
	op_unary_function(layer->function)(layer->parameter[0], layer->parameter[1], x, y, n);
}

void table_fill(struct accel_layer *layer, const struct accel_tensor *in, const struct accel_tensor *out)
{
	for (int i = 0; i < EIE_TABLE_VALUES; i++) {
		float v = (float)((i * STEP - 32768) * (double)in->scale);
		double q;

		table_function(layer, &v, &v, 1);
		q = rint((double)v / (double)out->scale);
		/* not a number where the function leaves float32 beyond what inputs reach: any value will do */
		layer->table[i] = (int16_t)(q > out->hi ? out->hi : q >= out->lo ? q : out->lo);
	}
}
