/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/* From reals to the engine's integers: docs/numbers.md. */
#ifndef ACCEL_QUANT_H
#define ACCEL_QUANT_H

#include "model.h"

/*
 * Derives scale, lo and hi of every tensor, and codebook_scale, codebook_q, bias_q, mult and shift of every layer (their
 * arrays must be there) from ranges, codebooks and biases. -ERANGE names the layer that does not fit.
 */
int accel_quantise(struct accel_model *model, struct accel_error *err);
/*
 * The same of a model that says which integers it had, and may come from anybody (container_numbers.c): tables that do not follow (table_follows) stay as they are,
 * and -ERANGE is also what takes more than QUANT_LOOKS looks at each weight.
 */
int accel_quantise_again(struct accel_model *model, struct accel_error *err);
#define QUANT_LOOKS 64u
/* As accel_quantise for the int8 mode of the CPU, of a model whose tensors have scales: outputs keep theirs. */
int accel_quantise_narrow(struct accel_model *model, struct accel_error *err);

/* Least and greatest w * x for one value w of a codebook. */
struct accel_term {
	int32_t lo, hi;
};

#define ACCEL_MAX_CODES 256u

/* term [layer->ncodes], at most ACCEL_MAX_CODES: for every x in [xlo, xhi]; of a convolution x may be 0, too. */
void accel_code_terms(const struct accel_layer *layer, int32_t xlo, int32_t xhi, struct accel_term *term);
/* Exact interval of sum(w * x) of a row, without bias. */
void accel_row_interval(const struct accel_layer *layer, const struct accel_term *term, uint32_t row, int64_t *lo, int64_t *hi);

/* m / 2^s nearest to ratio, m as large as 16 bits allow. -ERANGE when ratio is too large for s = 1, or not a positive number. */
int accel_requant_params(double ratio, uint16_t *mult, uint8_t *shift);

#endif
