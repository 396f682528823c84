/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/*
 * libaccel: compressed neural networks on the EIE engine, its simulator, or the CPU.
 *
 * Conventions
 * - Functions return 0 or a negative errno value. Those that can fail for a reason worth telling take a caller-owned
 *   struct accel_error *, which may be NULL; it is written only on failure.
 * - Objects are opaque and reference counted where they are shared: *_ref / *_unref. NULL may be unref'd.
 * - accel_model and accel_program are immutable after creation and may be used by any number of threads.
 *   An accel_session belongs to one thread at a time. An accel_device may serve several sessions of several threads.
 * - No global state. Strings that functions return belong to the object that they were asked of.
 * - Tensors are int16 with one float scale (real = q * scale) and zero point 0, dense, row-major, batch outermost.
 */
#ifndef ACCEL_H
#define ACCEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* The library is built with hidden visibility; what this header declares is what it exports. */
#pragma GCC visibility push(default)

#define ACCEL_MAX_DIMS 6

struct accel_error {
	int code;          /* the negative errno value that was returned */
	char layer[64];    /* layer, tensor or field concerned, or "" */
	char text[400];    /* one line: what is wrong, where, and what to do */
};

/* Version of the library, "MAJOR.MINOR.PATCH". */
const char *accel_version(void);

/* ---------------------------------------------------------------- models */

struct accel_model;

/*
 * Loads an .eie file. Every field is checked; errors: -ENOENT, -EACCES ... from opening, -EBADMSG (not an .eie file,
 * truncated, checksum, inconsistent), -ENOTSUP (a newer file that must be understood and is not), -ENOMEM.
 */
int accel_model_open(const char *path, struct accel_model **model, struct accel_error *err);
/* The same from memory; name is used in error texts. The bytes are not kept. */
int accel_model_load(const void *data, size_t size, const char *name, struct accel_model **model, struct accel_error *err);
/* Writes under a temporary name beside path, flushes, renames: an older file stays intact on any failure. */
int accel_model_save(const struct accel_model *model, const char *path, struct accel_error *err);
struct accel_model *accel_model_ref(struct accel_model *model);
void accel_model_unref(struct accel_model *model);

/*
 * FC: fully connected, CONV: convolution, MAX_POOL, AVERAGE_POOL, CONCAT: joins channels, MULTIPLY: two tensors value by value, TABLE: a function of one number;
 * int16, for the engine. OP: an operator of ONNX in float32 (or as ONNX quantises it), for the CPU.
 */
enum accel_layer_kind {
	ACCEL_LAYER_FC = 1, ACCEL_LAYER_OP = 2, ACCEL_LAYER_CONV = 3, ACCEL_LAYER_MAX_POOL = 4, ACCEL_LAYER_CONCAT = 5, ACCEL_LAYER_AVERAGE_POOL = 6,
	ACCEL_LAYER_MULTIPLY = 7, ACCEL_LAYER_TABLE = 8
};
/* Elements of a tensor. INT16: quantised, real = q * scale; the others are what they say. */
enum accel_dtype {
	ACCEL_DTYPE_INT16 = 0, ACCEL_DTYPE_FLOAT32 = 1, ACCEL_DTYPE_INT64 = 2, ACCEL_DTYPE_INT32 = 3, ACCEL_DTYPE_UINT8 = 4,
	ACCEL_DTYPE_INT8 = 5, ACCEL_DTYPE_BOOL = 6
};
enum accel_activation { ACCEL_ACT_NONE = 0, ACCEL_ACT_RELU = 1, ACCEL_ACT_RELU6 = 2 };

struct accel_tensor_info {
	const char *name;
	unsigned int ndim;                 /* without the batch; 0 for a number alone */
	uint32_t dims[ACCEL_MAX_DIMS];
	uint64_t count;                    /* product of dims */
	float scale;                       /* real = q * scale; 0 like the next two unless int16 */
	int16_t lo, hi;                    /* range that q is clamped to */
	bool calibrated;                   /* false: the range was guessed from seeded inputs */
	enum accel_dtype dtype;
};

struct accel_layer_info {
	const char *name;
	enum accel_layer_kind kind;
	enum accel_activation activation;
	unsigned int input, output;        /* tensor numbers; of a network's segment, or 0 for an operator; CONCAT, MULTIPLY: the first input */
	uint32_t rows, cols;               /* 0 for a layer without weights, like the next three */
	uint64_t nonzeros;
	unsigned int code_bits;            /* 4 or 8 */
	unsigned int codebook_size;        /* non-zero values in use */
	uint64_t file_bytes_codes, file_bytes_index, file_bytes_other; /* in the .eie file; 0 when never saved or loaded */
	const char *op;                    /* operator of ONNX, "FC", "Conv", "MaxPool", "AveragePool", "Concat", "Mul", or the function of a TABLE */
	uint64_t weights;                  /* operator: constants that it reads, elements */
	uint32_t groups;                   /* rows * cols / groups weights could be there; 1 but for convolutions in groups, and of what was shuffled or added */
};

/*
 * Of a model that was imported from ONNX the tensors are its inputs and outputs, and its layers are operators with fully connected
 * layers between them. A leading dimension 1 that all inputs and outputs have is the batch, and not in their dims.
 */
unsigned int accel_model_tensors(const struct accel_model *model);
unsigned int accel_model_layers(const struct accel_model *model);
unsigned int accel_model_inputs(const struct accel_model *model);
unsigned int accel_model_outputs(const struct accel_model *model);
/* -ERANGE when the index is too large. */
int accel_model_tensor(const struct accel_model *model, unsigned int index, struct accel_tensor_info *info);
int accel_model_layer(const struct accel_model *model, unsigned int index, struct accel_layer_info *info);
int accel_model_input(const struct accel_model *model, unsigned int index, struct accel_tensor_info *info);
int accel_model_output(const struct accel_model *model, unsigned int index, struct accel_tensor_info *info);
/*
 * How a picture becomes the values of a model's first input. It is resized (antialiased bilinear), its centre is cut to the input's size, and each
 * byte becomes (byte - mean) * scale. A grey input takes mean[0], scale[0] of the luminance (ITU-R BT.601).
 */
enum accel_resize {
	ACCEL_RESIZE_NONE = 0,             /* it must have the input's size */
	ACCEL_RESIZE_STRETCH = 1,          /* to the input's size, whatever becomes of its proportions */
	ACCEL_RESIZE_SHORTER = 2           /* until the shorter side has `size` pixels */
};
enum accel_layout { ACCEL_LAYOUT_AUTO = 0, ACCEL_LAYOUT_CHW = 1, ACCEL_LAYOUT_HWC = 2 };   /* AUTO: from the input's shape */
struct accel_preprocess {
	enum accel_resize resize;
	uint32_t size;                     /* SHORTER: pixels; 0 before import: 256 for inputs up to that, 8/7 of larger ones */
	enum accel_layout layout;
	bool bgr;                          /* channels in the order blue, green, red; else red, green, blue */
	float mean[3], scale[3];           /* in the order of the channels */
};
/*
 * Reads a description: a preset (unit: 0 to 1; symmetric: -1 to 1; imagenet; caffe) or parts like "resize=256,order=bgr,mean=104:117:123,scale=1",
 * or a preset with parts behind it that change it. -EINVAL names the part that is not understood.
 */
int accel_preprocess_parse(const char *text, struct accel_preprocess *preprocess, struct accel_error *err);
/* NULL: the model does not say; pictures must then have the input's size, and their bytes are multiplied by the picture scale. */
const struct accel_preprocess *accel_model_preprocess(const struct accel_model *model);
/*
 * Reads a .jpg or .png file as values [count] of input `input`. -EBADMSG: damaged or no picture, -EINVAL: of a size or shape that does not fit,
 * -E2BIG: more than 67 million pixels, and those of opening files.
 */
int accel_model_picture(const struct accel_model *model, unsigned int input, const char *path, float *values, struct accel_error *err);

/* Name of class i of the output, or NULL. */
const char *accel_model_class(const struct accel_model *model, unsigned int i);
/* Real value of picture byte 0..255 is byte * picture_scale (1/255 unless the model says otherwise). */
float accel_model_picture_scale(const struct accel_model *model);
/* Size in bytes of the file that the model was loaded from or saved to last, else 0. */
uint64_t accel_model_file_bytes(const struct accel_model *model);

/* ---------------------------------------------------------------- graphs */

struct accel_graph;

int accel_graph_new(struct accel_graph **graph);
void accel_graph_free(struct accel_graph *graph);

/* Adds a graph input of real range [lo, hi]; *tensor receives its number. */
int accel_graph_input(struct accel_graph *graph, const char *name, unsigned int ndim, const uint32_t *dims,
		      float lo, float hi, unsigned int *tensor, struct accel_error *err);

/* Compressed sparse rows with a codebook, as Deep Compression (Han et al., ICLR 2016) leaves them. */
struct accel_csr {
	uint32_t rows, cols;
	const uint32_t *rowptr;     /* [rows + 1] */
	const uint32_t *col;        /* [nnz], increasing within a row */
	const uint8_t *code;        /* [nnz], 1 .. ncodes - 1 */
	const float *codebook;      /* [ncodes]; codebook[0] must be 0 */
	unsigned int ncodes;        /* at most 16 (4-bit codes) or 256 (8-bit codes) */
	const float *bias;          /* [rows], or NULL */
	const float *row_scale;     /* [rows], normal numbers above 0: the weights of row r are row_scale[r] * codebook[code]; NULL: 1 for all */
};

/* Adds output = activation(W input + bias); everything is copied. The input is taken flattened. */
int accel_graph_add_fc_csr(struct accel_graph *graph, const char *name, unsigned int input, const struct accel_csr *csr,
			   enum accel_activation activation, unsigned int *output, struct accel_error *err);
/*
 * A convolution over an image of dims [channels, height, width]; the output has [rows of the matrix, out_height, out_width]. Output (y, x)
 * reads the pixels (y * stride_y - pad_top + ky * dilate_y, x * stride_x - pad_left + kx * dilate_x), zeros outside the image, so what
 * is below and to the right of it needs no number. Of `groups` groups of rows (depthwise: as many as
 * channels) each has weights in its own channels only. Limits: kernel, stride, dilation 1 to 15,
 * padding up to 255, no window beginning more than 254 pixels behind the image, sides 1 to 4095.
 */
struct accel_window {
	uint32_t channels, height, width;
	uint32_t kernel_y, kernel_x, stride_y, stride_x, dilate_y, dilate_x;
	uint32_t pad_top, pad_left;
	uint32_t out_height, out_width;
	uint32_t groups;
};

/*
 * Adds output = activation(conv(input) + bias). Column (channel * kernel_y + ky) * kernel_x + kx of the matrix, of all channels, is a place in the
 * window. Everything is copied.
 */
int accel_graph_add_conv_csr(struct accel_graph *graph, const char *name, unsigned int input, const struct accel_csr *csr,
			     const struct accel_window *window, enum accel_activation activation, unsigned int *output,
			     struct accel_error *err);
/*
 * Adds the largest value of each window in each channel; padding takes no part, and a window that lies in it as a whole gives 0. Input and output have one
 * scale. window->groups must be 1. Errors as accel_graph_add_conv_csr().
 */
int accel_graph_add_max_pool(struct accel_graph *graph, const char *name, unsigned int input, const struct accel_window *window,
			     unsigned int *output, struct accel_error *err);
/*
 * Adds the sum of each window in each channel, divided by kernel_y * kernel_x whatever part of it is padding. The output's scale follows from the input's: only where
 * the window is of a power of two can it be joined with others; accel_graph_finish() refuses the rest. Errors as accel_graph_add_max_pool().
 */
int accel_graph_add_average_pool(struct accel_graph *graph, const char *name, unsigned int input, const struct accel_window *window,
				 unsigned int *output, struct accel_error *err);
/*
 * Adds the images inputs[0 .. n - 1], of one size, joined along their channels. The engine copies nothing: their layers write into one tensor. So they are
 * outputs of layers, each in one concatenation at most (which may be part of another one), and get one scale. -EINVAL.
 */
int accel_graph_add_concat(struct accel_graph *graph, const char *name, unsigned int n, const unsigned int *inputs, unsigned int *output,
			   struct accel_error *err);
/*
 * Adds a * b, value by value, for images of one size; or b has a single pixel, which every pixel of its channel is multiplied with. -EINVAL. What b comes from takes over
 * the order of a's channels: one of them has been made by a convolution, not by a concatenation, or accel_compile() refuses.
 */
int accel_graph_add_multiply(struct accel_graph *graph, const char *name, unsigned int a, unsigned int b, enum accel_activation activation,
			     unsigned int *output, struct accel_error *err);
/*
 * What a table is of: y = factor * f(x) + offset. name is what ONNX calls f: Abs, Celu, Clip (p: least, q: greatest), Elu, Erf, Gelu, GeluTanh (its approximation by
 * tanh), HardSigmoid, HardSwish, LeakyRelu, Mish, Relu, Selu, Sigmoid, Softplus, Softsign or Tanh; p and q are its attributes in the order of their names (alpha; alpha and
 * beta or gamma), 0 where it has none.
 */
struct accel_function {
	const char *name;
	float p, q, factor, offset;
};

/* Adds a function of every value of an image, by a table of 257 with straight lines between them: 128 for each half of the input's range. -EINVAL. */
int accel_graph_add_table(struct accel_graph *graph, const char *name, unsigned int input, const struct accel_function *function, unsigned int *output,
			  struct accel_error *err);
/* Makes a tensor an output of the graph. Without any call the last layer's tensor is the output. */
int accel_graph_output(struct accel_graph *graph, unsigned int tensor, struct accel_error *err);
int accel_graph_class_names(struct accel_graph *graph, unsigned int n, const char *const *names);
int accel_graph_picture_scale(struct accel_graph *graph, float scale);
/* For the first input, which must be there and a picture: -EINVAL. */
int accel_graph_preprocess(struct accel_graph *graph, const struct accel_preprocess *preprocess, struct accel_error *err);

/* Widens the ranges of all tensors by running n inputs [n, count] through the float network (first graph input). */
int accel_graph_calibrate(struct accel_graph *graph, const float *inputs, uint64_t n, struct accel_error *err);
/*
 * Derives the int16 numbers (docs/numbers.md) and makes the model. Without calibration
 * ranges come from 32 seeded inputs with two spare bits, and the tensors are marked (accel_tensor_info.calibrated).
 * Success gives the graph's contents to the model: the graph can only be freed then. After a failure it is as it was.
 */
int accel_graph_finish(struct accel_graph *graph, struct accel_model **model, struct accel_error *err);

/*
 * Reads layers from a NumPy .npz: one scipy.sparse CSR matrix, or several with the keys of docs/npz.md. Weights are taken as they
 * are: at most 15 (4-bit) or 255 (8-bit) distinct non-zero values a layer, else -EDOM.
 */
int accel_graph_from_npz(const char *path, struct accel_graph **graph, struct accel_error *err);

struct accel_onnx_shape {
	const char *input;
	unsigned int ndim;
	const uint32_t *dims;              /* [ndim], the batch included */
};

/* An input of one number that is the same for all time, and chooses a branch of the graph, say: a sampling rate. */
struct accel_onnx_fixed {
	const char *input;
	double value;
};

/*
 * How the range of a tensor follows from what it had: MINMAX: all of it and a quarter more; PERCENTILE: so many of 100 non-zero values; MSE: where
 * rounding and clamping of int16 numbers together cost least.
 */
enum accel_calib_method { ACCEL_CALIB_MINMAX = 0, ACCEL_CALIB_PERCENTILE = 1, ACCEL_CALIB_MSE = 2 };

/* What calibration found for an input or the first output of a layer; strings are valid during the call. */
struct accel_calib_info {
	const char *layer, *op;            /* op: "input" for inputs */
	float least, greatest, lo, hi;     /* seen (0 is always among them), and chosen */
	double snr;                        /* decibels: values against what int16 numbers of this range change; INFINITY: nothing */
	uint64_t values, saturated;        /* seen, and beyond the chosen range */
	unsigned int group;                /* the same number: tensors whose scale must be one where the engine joins them */
	float group_lo, group_hi;          /* union of their ranges */
};

/* What becomes of layers with more different weights than a codebook has room for: EXACT: they stay float32 on the CPU; LINEAR: the engine gets them, rounded. */
enum accel_weights { ACCEL_WEIGHTS_EXACT = 0, ACCEL_WEIGHTS_LINEAR = 1 };

/* A layer whose weights were rounded, to -127 .. 127 times a scale for each row; strings are valid during the call. */
struct accel_rounded_info {
	const char *layer, *op;
	uint32_t rows;
	uint64_t weights;
	double signal, noise;              /* sums of squares: of the weights, of what rounding changed */
};

/* Compressed sparse rows: entry i of row r, rowptr[r] <= i < rowptr[r + 1], is value[i] in column col[i]. No column twice in a row, in any order; all finite. */
struct accel_sparse {
	uint32_t rows, cols;
	const uint32_t *rowptr;     /* [rows + 1], [0] = 0 */
	const uint32_t *col;        /* [nnz] */
	const float *value;         /* [nnz] */
};

/* A network's input of two dimensions that is a sparse matrix, an adjacency matrix say. */
struct accel_onnx_sparse {
	const char *input;
	struct accel_sparse matrix;
};

struct accel_onnx_options {
	size_t size;                       /* sizeof(struct accel_onnx_options): later versions append */
	unsigned int nshapes, nfixed;
	const struct accel_onnx_shape *shapes;   /* for dimensions that the file leaves open */
	const struct accel_onnx_fixed *fixed;
	const float *calib;                /* [ncalib, count of the first input]: typical inputs, or NULL */
	uint64_t ncalib;
	const struct accel_preprocess *preprocess;   /* NULL: "unit" if the first input is [3, H, W] or [H, W, 3], else none */
	unsigned int nclasses;
	const char *const *classes;        /* names of the values of the first output, or NULL */
	const float *const *calib_inputs;  /* in place of calib: [inputs] of [ncalib, count]; NULL ones get seeded numbers */
	enum accel_calib_method calib_method;
	double calib_percentile;           /* of PERCENTILE; 0: 99.99 */
	void (*calib_report)(void *arg, const struct accel_calib_info *info);   /* called for each layer, in order; or NULL: costs a run more */
	void *calib_report_arg;
	bool float_convolutions;           /* convolutions stay float32 on the CPU, whatever their weights are */
	enum accel_weights weights;
	void (*rounded)(void *arg, const struct accel_rounded_info *info);   /* called for each layer that LINEAR rounds; or NULL */
	void *rounded_arg;
	unsigned int nsparse;
	const struct accel_onnx_sparse *sparse;   /* inputs that become matrices of the network; sessions may be given others of their values: accel_session_sparse() */
};

/*
 * Imports an ONNX file: docs/onnx.md says what is supported. Convolutions and fully connected layers whose weights have at most 255 different values
 * (with ACCEL_WEIGHTS_LINEAR the others too) are for the engine, with number ranges from calib or guessed; the rest is for the CPU. An engine without vector mode leaves the convolutions to the
 * CPU, which computes the same numbers. options may be NULL. Errors name file, node and operator: -EBADMSG (no ONNX file, damaged), -EINVAL (graph or options wrong), -ENOTSUP, -E2BIG, -ENOMEM, and those of reading.
 */
int accel_model_from_onnx(const char *path, const struct accel_onnx_options *options, struct accel_model **model,
			  struct accel_error *err);

/*
 * Imports weights that were published with Deep Compression (Han et al., ICLR 2016), docs/deep_compression.md: graph is the ONNX file of their network,
 * whose own weights are replaced, or NULL for SqueezeNet v1.0. Codebooks stay as they are, bit for bit. Errors as accel_model_from_onnx().
 */
int accel_model_from_net(const char *path, const char *graph, const struct accel_onnx_options *options, struct accel_model **model,
			 struct accel_error *err);

/* Plain float reference: outputs [n, output count] of the first output. For accuracy comparisons, not for speed. */
int accel_model_run_float(const struct accel_model *model, const float *inputs, uint64_t n, float *outputs, struct accel_error *err);

/* ----------------------------------------------------------- compression */

/*
 * Which weights go. MAGNITUDE: the least ones. SECOND_ORDER: those that the layer's output misses least, by calibration inputs, and the others make up for them
 * (Optimal Brain Surgeon, SparseGPT); opens OpenBLAS, which starts threads. AUTO: SECOND_ORDER when there are calibration inputs.
 */
enum accel_prune { ACCEL_PRUNE_AUTO = 0, ACCEL_PRUNE_MAGNITUDE = 1, ACCEL_PRUNE_SECOND_ORDER = 2 };

/* How the values that weights share are found. OPTIMAL: least sum of squares; the others: Lloyd's algorithm, begun as in Deep Compression, to compare with. */
enum accel_share { ACCEL_SHARE_OPTIMAL = 0, ACCEL_SHARE_LINEAR = 1, ACCEL_SHARE_DENSITY = 2, ACCEL_SHARE_RANDOM = 3 };

/* What is different for some layers. */
struct accel_compress_layer {
	const char *pattern;               /* name of a layer, with *, ? and [] as in file names */
	double density;                    /* share of the weights that stays; 0: as the others */
	unsigned int bits;                 /* 1 to 8; 0: as the others */
	bool keep;                         /* these weights stay as they are */
	unsigned int row_groups;           /* with a codebook each; 0: as the others */
};

/* What became of a layer; strings are valid during the call. */
struct accel_compress_info {
	const char *layer, *op;
	uint64_t weights, nonzeros;
	unsigned int bits;                 /* of a code; 0: the layer stayed as it was */
	unsigned int shared;               /* values in use, zero not counted */
	double snr;                        /* decibels: weights against what was changed; INFINITY: nothing; by SECOND_ORDER of the layer's output */
};

/* Whether weights are a shared value, or that times a power of two of the row (output channel). ROW is for convolutions with rows of eight weights or more; others: LAYER. */
enum accel_scales { ACCEL_SCALES_LAYER = 0, ACCEL_SCALES_ROW = 1 };
enum accel_correct { ACCEL_CORRECT_AUTO = 0, ACCEL_CORRECT_NONE = 1, ACCEL_CORRECT_DISTIL = 2 };   /* AUTO: DISTIL when there are calibration inputs */

/* What correction did: errors of the network's output on held-out calibration items, as a share of its variance. */
struct accel_correct_info {
	const char *why;                   /* why nothing was corrected, else NULL; valid during the call */
	uint64_t items, held;              /* that were learnt from, that were held out */
	unsigned int epochs;
	double before, after;              /* pruned only; corrected, and with shared values */
};

/* What a search did. Errors: of the first output on calibration items, the held-out ones if there was correction, as a share of its variance; with max_drop points of accuracy lost. */
struct accel_search_info {
	unsigned int tries, better;        /* made, in earlier runs too; kept */
	unsigned int resumed;              /* of the tries: made in earlier runs */
	double before, after;
	uint64_t amount_before, amount_after;   /* bytes of the file, or cycles, as the goal is */
};

struct accel_compress_options {
	size_t size;                       /* sizeof(struct accel_compress_options): later versions append */
	double density;                    /* share of all weights that stays, spread over the layers; 0: chosen */
	uint64_t file_bytes;               /* the .eie file is to be no larger; 0: no matter. Not with a density */
	unsigned int conv_bits, fc_bits;   /* 1 to 8: 2^bits - 1 values are shared, with 1 bit two; 0: 8 and 4 */
	double max_drop;                   /* points (of 100) of accuracy that may be lost on the labelled items; 0: no matter. Not with a density or a size */
	uint64_t nlabelled;                /* items with a label: for max_drop, which needs them */
	const float *labelled;             /* [nlabelled, count of the first input, which is the only one] */
	const uint32_t *labels;            /* [nlabelled] place of the greatest value of the first output */
	enum accel_prune prune;
	enum accel_share share;
	uint64_t seed;                     /* of RANDOM, and of a search */
	unsigned int noverrides;
	const struct accel_compress_layer *overrides;   /* later ones change what earlier ones said */
	/*
	 * Called before each layer, and with layer "" and done = total behind the last; again and again when a goal takes several rounds. While calibration inputs run
	 * layer is "(calibration)", done their number, total UINT32_MAX; while layers are pruned to see what the output makes of it, "(sensitivity)", and before each epoch of correction "(correction)". Not 0 ends with
	 * -ECANCELED.
	 */
	int (*progress)(void *arg, const char *layer, unsigned int done, unsigned int total);
	void *progress_arg;
	/* Called for each layer with weights, in order, when all is done. */
	void (*report)(void *arg, const struct accel_compress_info *info);
	void *report_arg;
	/* What is left and the values that are shared follow the float network's output on the calibration inputs: docs/compression.md. */
	enum accel_correct correct;
	void (*corrected)(void *arg, const struct accel_correct_info *info);   /* called at the end with report_arg, when correction was wanted; or NULL */
	enum accel_scales scales;
	uint64_t cycles;                   /* of the engine for a run, by accel_program_estimate() on 8x8 with no activation zero, at most; 0: no matter. Not with another goal */
	/*
	 * Densities and bits of each layer are looked for: from what the goal alone gives, `tries` changes by the seed, of which those that the calibration inputs' (with max_drop: the labelled
	 * items') outputs profit from are kept. The bits given are where it begins.
	 */
	bool search;
	unsigned int tries;                /* 0: 40 */
	/*
	 * File that is written after each try, and from which a search that was broken off goes on, to the same result; NULL: none. What is left of other options, another network, or
	 * other items is refused (-EEXIST). The caller removes it when the model is safe.
	 */
	const char *search_state;
	void (*searched)(void *arg, const struct accel_search_info *info);   /* called at the end with report_arg; or NULL */
	/*
	 * Bits of each layer that no override gives them are chosen, 2 to 8, by what rounding to them does to the output on the calibration inputs, which it needs; conv_bits and fc_bits say nothing. Unless there
	 * is a goal of cycles layers may share more values that are rarer, at equal distances, where codes take less room so.
	 */
	bool choose_bits;
	double effort;                     /* times the time that correction takes at most, a minute or two a phase; 0: 1 */
	/*
	 * Groups of rows (output channels) that each layer's are divided into, at most, 256 at most, with a codebook, density and bits of its own each: fewer where that would be fewer than 256 weights. They are layers in the model, named
	 * LAYER.rowsA-B, and their outputs are joined. 0, 1: a codebook a layer. Not for ConvTranspose and grouped convolutions.
	 */
	unsigned int row_groups;
};

/*
 * Prunes the weights of an ONNX file, lets those that stay share few values, and imports what results: docs/compression.md. Weights are the constants of
 * Conv, ConvTranspose, Gemm and MatMul; those of a layer so small that a codebook would not pay stay float32. onnx: as for accel_model_from_onnx(), or NULL; options may be NULL. The same
 * arguments give the same model. Errors as accel_model_from_onnx(), and -EDOM (weights that are not finite), -ERANGE (the goal cannot be reached),
 * -ECANCELED.
 */
int accel_model_compress(const char *path, const struct accel_onnx_options *onnx, const struct accel_compress_options *options,
			 struct accel_model **model, struct accel_error *err);

/* --------------------------------------------------------------- devices */

struct accel_device;

/*
 * spec: "cpu", "cpu:int8" (activations and weights of 8 bits: faster, and other outputs than all others have; docs/numbers.md, "Eight bits"), "ref[:CONFIG]", "sim[:CONFIG]" (CONFIG: 2x2, 8x8 unless given, 8x8-fpga, 16x16; sim takes ",key=value" options: seed,
 * latency, stall (permille), jitter, cold=1: every job begins without translations), "drm[:PATH]" (a node of driver eie, the first one unless PATH names it). Errors: -ENODEV
 * (unknown, library or node missing), -EPROTO (hardware or driver too new).
 */
int accel_device_open(const char *spec, struct accel_device **device, struct accel_error *err);
/*
 * Opens the interpreter (backend "ref") with the hardware parameters of `device`, whatever they are, for comparing outputs; with the default
 * ones for cpu, which has none. Its config is the device's. For cpu:int8: its portable kernels. -ENOMEM.
 */
int accel_device_open_reference(const struct accel_device *device, struct accel_device **reference, struct accel_error *err);
struct accel_device *accel_device_ref(struct accel_device *device);
void accel_device_unref(struct accel_device *device);

struct accel_device_info {
	const char *backend;                  /* "cpu", "ref", "sim", "drm" */
	const char *config;                   /* "8x8"; drm: name of the node, "accel0"; "" for cpu, or "int8" */
	unsigned int isa_major, isa_minor;    /* 0.0 for cpu */
	unsigned int clusters, lanes, rows;   /* 0 for cpu, like the rest */
	unsigned int abuf_granules, wbuf_granules, pbuf_granules, rbuf_granules;
	unsigned int queues, tlb_entries;
	const void *device_tree;              /* flattened, or NULL */
	size_t device_tree_bytes;
	unsigned int bus_bits;                /* data width of the memory bus; no program depends on it */
};

int accel_device_info(const struct accel_device *device, struct accel_device_info *info);

/*
 * Runs jobs that have no commands, at most depth (1 to 64) in flight, and waits for all: for measuring what a submission costs.
 * -ENOTSUP: cpu. Other errors: as accel_session_run().
 */
int accel_device_noop(struct accel_device *device, unsigned int jobs, unsigned int depth, struct accel_error *err);

struct accel_counter {
	const char *name;      /* "LOAD_MEMORY", as in docs/registers.md; static */
	const char *text;      /* what it counts */
	uint64_t value;
};

/*
 * Reads the engine counters, which run from power-on for all who use the device: fills counters[0 .. min(n, their number)) and returns their
 * number. Over a time in which jobs began and ended, and none was under way at its ends, the differences of CMD_*, of LOAD_*, of COMPUTE_* and of
 * STORE_* each add up to that of CYCLES, and READ_* and WRITE_* are granules of 16 bytes. -ENOTSUP: cpu, ref, drm (there only root sees them,
 * in debugfs), or hardware of an ISA before 1.2.
 */
int accel_device_counters(struct accel_device *device, struct accel_counter *counters, unsigned int n, struct accel_error *err);

/* -------------------------------------------------------------- programs */

struct accel_program;

struct accel_compile_options {
	size_t size;            /* sizeof(struct accel_compile_options): later versions append */
	unsigned int batch;     /* items a run; 0 means 1 */
	bool stream_weights;    /* never keep weights on chip between runs (for measurements) */
	bool layer_jobs;        /* jobs of one layer each, with nothing on chip between them (for measurements: a job has its own counters) */
};

/* Compiles for the parameters of the device; the program runs on any device with the same ones. options may be NULL. */
int accel_program_compile(struct accel_model *model, const struct accel_device *device,
			  const struct accel_compile_options *options, struct accel_program **program, struct accel_error *err);
struct accel_program *accel_program_ref(struct accel_program *program);
void accel_program_unref(struct accel_program *program);

struct accel_place_info {
	const char *layer;
	const char *where;          /* "device" or "cpu" */
	const char *reason;         /* why there, one line */
	unsigned int row_tiles, col_tiles;
	bool resident;              /* weights stay on chip between runs */
	uint64_t ideal_cycles;      /* ceil(non-zeros * output pixels / multipliers), all activations non-zero */
	uint64_t steps;             /* CPU operators: elementary steps of a run, roughly; else 0 */
	/*
	 * A run, activations and, when not resident, weights; on the CPU too. Columns of zero activations that the engine leaves out (reason says so) are in
	 * bytes_loaded: how many there are depends on the input. The estimate's read_beats are without them.
	 */
	uint64_t bytes_loaded, bytes_stored;
	uint64_t bytes_resident;
	double balance;             /* busiest cluster / mean, in entries */
};

unsigned int accel_program_places(const struct accel_program *program);
/* -ERANGE. What a layer takes is told by accel_program_estimate(). */
int accel_program_place(const struct accel_program *program, unsigned int index, struct accel_place_info *info);
unsigned int accel_program_batch(const struct accel_program *program);
/* Totals: jobs a run, commands, bytes of command and constant buffers. */
struct accel_program_totals {
	uint64_t jobs, commands, command_bytes, constant_bytes;
};
int accel_program_totals(const struct accel_program *program, struct accel_program_totals *totals);

/* -------------------------------------------------------------- sessions */

struct accel_session;

/*
 * Buffers of a program on a device. -EINVAL names both sides when program and device do not match. Layers that the CPU runs take threads of their own, one a
 * processor unless EIE_CPU_THREADS in the environment says how many (1 to 64, the caller's included; -EINVAL), and the fastest kernels that the
 * processor has instructions for unless EIE_CPU_LEVEL names others: avx512, avxvnni, avx2, neon, portable (-EINVAL, -ENOTSUP). No result depends on either.
 */
int accel_session_open(struct accel_program *program, struct accel_device *device, struct accel_session **session,
		       struct accel_error *err);
/* Waits for what is in flight, then frees. */
void accel_session_close(struct accel_session *session);

/* Sets input `index` for all batch items: [batch, count]. float32 tensors take reals as they are, integers must be whole and in range (-ERANGE).
 * Of int16 tensors reals are divided by the scale, rounded to nearest even and clamped;
 * NaN is refused (-EDOM). Raw values outside the tensor's [lo, hi] are refused (-ERANGE). */
int accel_session_input(struct accel_session *session, unsigned int index, const float *data, struct accel_error *err);
int accel_session_input_raw(struct accel_session *session, unsigned int index, const int16_t *data, struct accel_error *err);
int accel_session_output(struct accel_session *session, unsigned int index, float *data, struct accel_error *err);
int accel_session_output_raw(struct accel_session *session, unsigned int index, int16_t *data, struct accel_error *err);

/*
 * Gives the layers that multiply the matrix `name` - an input that accel_onnx_options.sparse named, or one such layer - another one, for this session: the next graph. It has as many rows and
 * columns as the old one, and no value that is not one of the old one's. Only these layers are encoded anew; number ranges stay as they are, so that a much denser graph may
 * saturate (accel_stats). The matrix is copied. A call that fails changes nothing. -ENOENT: no such layer, -EINVAL: shape or structure, -EDOM: a value that the layer's codebook
 * has not, -EBUSY, -ENOMEM, and the errors of accel_session_open().
 */
int accel_session_sparse(struct accel_session *session, const char *name, const struct accel_sparse *matrix, struct accel_error *err);

/* Asynchronous: one run at a time a session (-EBUSY). wait: -ETIMEDOUT leaves the run going; timeout_ns < 0: for ever. */
int accel_session_submit(struct accel_session *session, struct accel_error *err);
int accel_session_wait(struct accel_session *session, int64_t timeout_ns, struct accel_error *err);
/* submit and wait. -EIO: the device refused or failed the job; the text names status, command and layer. */
int accel_session_run(struct accel_session *session, struct accel_error *err);

/* Sums over the jobs of the last finished run. cpu fills macs, which are counted when they are asked for, and saturated only, cpu:int8 the latter alone; ref those and jobs, commands, restores, ideal_cycles. */
struct accel_stats {
	uint64_t cycles, busy, engine_cycles, macs, saturated;
	uint64_t stall_drain, stall_array, stall_load, stall_store, stall_sync, stall_cmd, stall_front, stall_tail;
	uint64_t read_beats, write_beats, tlb_misses, commands, jobs, restores;
	uint64_t ideal_cycles;   /* ceil(macs / multipliers), summed over the jobs */
};
int accel_session_stats(const struct accel_session *session, struct accel_stats *stats);

/* A job of the last finished run; none on the CPU. */
struct accel_job_info {
	struct accel_stats stats;
	uint64_t start, end;             /* cycles of the device's clock; zero on ref, which has none */
	unsigned int first_layer, last_layer;   /* as accel_program_place() counts */
};

/* Jobs in the order in which they ran. -ERANGE: there are no more. */
int accel_session_job(const struct accel_session *session, uint64_t index, struct accel_job_info *info);

/* ------------------------------------------------------------- estimates */

/*
 * What the engine will take, without running it: the cost model walks the program's commands in time (docs/performance.md, "The cost model").
 * Memory is the simulator's: 16 bytes a cycle, 64 cycles until the first.
 */
struct accel_estimate;

struct accel_estimate_options {
	size_t size;            /* sizeof(struct accel_estimate_options): later versions append */
	/*
	 * [inputs of the model] of [batch, count]: one run of these on the interpreter tells which activations are zero. NULL: nobody knows, and a
	 * share of `nonzero` of them (0 stands for 1: all) is taken for not zero, in seeded order.
	 */
	const float *const *inputs;
	double nonzero;
	bool first;             /* the first run of a session, which brings resident weights in; else one that follows another */
	bool cold;              /* every job begins without translations, as with the simulator's option cold=1 */
	bool timeline;          /* keep what accel_estimate_span() tells */
};

/* options may be NULL. All is zero for layers on the CPU. -EINVAL (options), -ENOMEM, and with inputs the errors of a session. */
int accel_program_estimate(const struct accel_program *program, const struct accel_estimate_options *options,
			   struct accel_estimate **estimate, struct accel_error *err);
void accel_estimate_free(struct accel_estimate *estimate);

/* Of all jobs: all but macs, saturated, restores, ideal_cycles, which are zero. */
int accel_estimate_total(const struct accel_estimate *estimate, struct accel_stats *stats);
/* Of a layer, as accel_program_place() counts: cycles, busy and stall_*. Every cycle of a job is one layer's: that of its oldest compute command under way, or else of the next. -ERANGE. */
int accel_estimate_layer(const struct accel_estimate *estimate, unsigned int index, struct accel_stats *stats);
/* Of a job of the run, as accel_estimate_total(). -ERANGE. */
int accel_estimate_job(const struct accel_estimate *estimate, uint64_t index, struct accel_stats *stats);

/*
 * Cycles that the lanes of cluster `cluster` spent on weight entries of a layer, with a timeline: of a convolution eight an entry where lanes take columns together, else one
 * for each pixel that is not zero. Escapes are counted with their followers where that takes one cycle. -ERANGE.
 */
int accel_estimate_cluster(const struct accel_estimate *estimate, unsigned int layer, unsigned int cluster, uint64_t *entries);

/* A command on its engine. */
struct accel_span {
	const char *engine;     /* "load", "compute", "store"; static */
	const char *command;    /* "LOAD", "VMAC", ...; static */
	unsigned int layer;     /* as accel_program_place() counts */
	uint64_t job, start, end;   /* job of the run; cycles from the job's begin: it was taken, it is complete */
	uint64_t bytes;         /* of a transfer */
};

/* Spans in the order of their ends, job by job. -ERANGE: there are no more, or there is no timeline. */
int accel_estimate_span(const struct accel_estimate *estimate, uint64_t index, struct accel_span *span);

#pragma GCC visibility pop

#ifdef __cplusplus
}
#endif
#endif
