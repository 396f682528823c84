/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/* The model as the parts of the library see it: compiler, CPU kernels and container read it, graph and container make it. */
#ifndef ACCEL_MODEL_H
#define ACCEL_MODEL_H

#include <accel.h>
#include <math.h>
#include <stdatomic.h>

struct accel_tensor {
	char *name;
	unsigned int ndim;
	uint32_t dims[ACCEL_MAX_DIMS];
	uint64_t count;
	float range_lo, range_hi;   /* calibrated real range: the source of truth */
	bool calibrated;
	float scale;                /* derived: real = q * scale */
	int16_t lo, hi;             /* derived: clamp of the producer */
	enum accel_dtype dtype;     /* int16, but for inputs and outputs of a network */
};

struct accel_layer {
	char *name;
	enum accel_layer_kind kind;
	enum accel_activation activation;
	unsigned int input, output;  /* tensor numbers */
	unsigned int *parts, nparts; /* CONCAT: tensors that are joined, MULTIPLY: the two; [0] = input. Else NULL */
	uint32_t rows, cols;         /* 0, like all that follows but window, sum_shift and what MULTIPLY and TABLE have, without weights */
	struct accel_window window;  /* CONV, pooling */
	uint32_t weight_groups;      /* CONV: groups that the weights had before their channels were taken from elsewhere, for statistics; 0: the window's */
	unsigned int sum_shift;      /* AVERAGE_POOL, derived: output = sum / 2^sum_shift */
	uint64_t nnz;
	uint32_t *rowptr;            /* [rows + 1] */
	uint32_t *col;               /* [nnz], increasing within a row */
	uint8_t *code;               /* [nnz], 1 .. ncodes - 1 */
	unsigned int code_bits;      /* 4 or 8: which weight-stream the engine gets */
	unsigned int ncodes;         /* entries of the codebooks, the zero of code 0 included */
	float *codebook;             /* [ncodes], source of truth */
	float *bias;                 /* [rows], source of truth (zeros when the graph had none) */
	float *row_scale;            /* [rows], source of truth: weights of row r are row_scale[r] * codebook[code]; NULL: 1 for all */
	float codebook_scale;        /* derived: codebook[i] ~ codebook_q[i] * codebook_scale */
	int16_t *codebook_q;         /* [ncodes], [0] = 0 */
	int32_t *bias_q;             /* [rows], in units of input scale * codebook_scale * row scale */
	uint16_t *mult;              /* [rows] m; MULTIPLY: [1] */
	uint8_t *shift;              /* [rows] s, 1..47; MULTIPLY: [1] */
	struct accel_function function;   /* TABLE; source of truth, name owned */
	int16_t *table;              /* TABLE, derived: [EIE_TABLE_VALUES], at inputs -32768, -32512 .. 32768 */
	uint64_t file_bytes_codes, file_bytes_index, file_bytes_other;
};

static inline bool accel_layer_weighted(const struct accel_layer *layer)
{
	return layer->kind == ACCEL_LAYER_FC || layer->kind == ACCEL_LAYER_CONV;
}

/* Gives its output a scale of its own; what others make has their inputs' scale, or one that follows from it. */
static inline bool accel_layer_rescales(const struct accel_layer *layer)
{
	return accel_layer_weighted(layer) || layer->kind == ACCEL_LAYER_MULTIPLY || layer->kind == ACCEL_LAYER_TABLE;
}

static inline double accel_row_scale(const struct accel_layer *layer, uint32_t row)
{
	return layer->row_scale ? (double)layer->row_scale[row] : 1;
}

static inline bool accel_layer_pools(const struct accel_layer *layer)
{
	return layer->kind == ACCEL_LAYER_MAX_POOL || layer->kind == ACCEL_LAYER_AVERAGE_POOL;
}

/* b is a pixel for every channel of a. */
static inline bool accel_is_per_channel(const struct accel_tensor *a, const struct accel_tensor *b)
{
	return a->ndim == 3 && b->ndim == 3 && a->dims[0] == b->dims[0] && b->dims[1] == 1 && b->dims[2] == 1;
}

/* Tensors that a layer reads. */
static inline unsigned int accel_layer_inputs(const struct accel_layer *layer, const unsigned int **inputs)
{
	*inputs = layer->parts ? layer->parts : &layer->input;
	return layer->parts ? layer->nparts : 1;
}

struct accel_network;

struct accel_model {
	atomic_uint refs;
	struct accel_network *net;       /* operators and segments: then tensors are its inputs and outputs, and there are no layers */
	unsigned int ntensors, nlayers, ninputs, noutputs, nclasses;
	struct accel_tensor *tensors;
	struct accel_layer *layers;      /* in an order in which they can run */
	unsigned int *inputs, *outputs;  /* tensor numbers */
	char **classes;
	float picture_scale;
	bool has_preprocess;
	struct accel_preprocess preprocess;   /* of the first input; settled */
	uint64_t file_bytes;
};

/* Every index in range, rowptr and col ordered, codes below ncodes, shifts and clamps legal, sums fit int32: what the compiler, the
 * kernels and the engine rely on. The container's loader and accel_graph_finish end with it. 0, or -EBADMSG and err. */
int accel_model_check(const struct accel_model *model, const char *name, struct accel_error *err);
/* The part of it, of a model without a network, that needs no derived number: what accel_quantise relies on. */
int accel_model_check_reals(const struct accel_model *model, const char *name, struct accel_error *err);

/* error.c: fills err (may be NULL) and returns code. layer may be NULL. */
int accel_fail(struct accel_error *err, int code, const char *layer, const char *fmt, ...) __attribute__((format(printf, 4, 5)));

/* One output value, docs/programmers_guide.md "Numbers"; *saturated is incremented when the clamp at +-32767 cut. */
static inline int16_t accel_requant(int32_t acc, uint16_t m, unsigned int s, int16_t lo, int16_t hi, uint64_t *saturated)
{
	int64_t v = ((int64_t)acc * m + ((int64_t)1 << (s - 1))) >> s;

	if (v > hi) {
		*saturated += hi == 32767;
		return hi;
	}
	if (v < lo) {
		*saturated += lo == -32767;
		return lo;
	}
	return (int16_t)v;
}

/* True for shifts of 17 to 32: with *upper for m, which fits int32, and 32 for s the result is the same, the upper half of 64 bits. */
static inline bool accel_requant_upper(uint16_t m, unsigned int s, int64_t *upper)
{
	if (s < 17 || s > 32)
		return false;
	*upper = (int64_t)m << (32 - s);
	return true;
}

/* A real, which is a number, in steps of scale; rint() rounds to nearest even in the default mode, which a library leaves alone. */
static inline int16_t accel_quantised(float x, float scale, int16_t lo, int16_t hi)
{
	double q = rint((double)x / (double)scale);

	return (int16_t)(q < lo ? lo : q > hi ? hi : q);
}

/* A sum of pixels, docs/vector_mode.md "VPOOL": rounded, shifted, clamped to +-32767; *saturated is incremented when that cut. */
static inline int16_t accel_shift(int32_t sum, unsigned int shift, uint64_t *saturated)
{
	int64_t v = shift ? ((int64_t)sum + ((int64_t)1 << (shift - 1))) >> shift : sum;

	if (v > 32767 || v < -32767) {
		*saturated += 1;
		return v > 0 ? 32767 : -32767;
	}
	return (int16_t)v;
}

/* What an average pooling makes of windows that are full of this value: no window gives more. */
static inline int16_t accel_average_limit(const struct accel_layer *layer, int16_t value)
{
	uint64_t saturated = 0;

	return accel_shift(value * (int32_t)(layer->window.kernel_y * layer->window.kernel_x), layer->sum_shift, &saturated);
}

/* VTABLE's value: a table of 257 at -32768, -32512 .. 32768, linear between. */
static inline int16_t accel_interpolate(const int16_t *table, int16_t x)
{
	unsigned int u = (unsigned int)(x + 32768);
	int32_t from = table[u / 256], to = table[u / 256 + 1];

	return (int16_t)(from + (((to - from) * (int32_t)(u % 256) + 128) >> 8));
}

#endif
