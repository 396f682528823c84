/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/*
 * The operators: one table entry each. `infer` checks inputs and attributes, gives the outputs type and shape and keeps what it worked
 * out in node->plan; `run` then cannot fail. Sums run in one order that depends on shapes alone: results are the same for any
 * number of threads.
 */
#ifndef ACCEL_OP_H
#define ACCEL_OP_H

#include "net.h"
#include "pool.h"

#define OP_ANY 255   /* max_in, max_out: any number */

struct op_infer {
	struct accel_network *net;
	struct net_node *node;
	struct accel_error *err;
};

/* A tensor as kernels see it; p is NULL for an optional one that is not there. */
struct tensor {
	enum net_type type;
	unsigned int ndim;
	const uint32_t *dims;
	uint64_t count;
	union {
		void *p;
		float *f;
		int64_t *i64;
		int32_t *i32;
		uint8_t *u8;
		int8_t *i8;
	};
};

struct op_run {
	const struct net_node *node;
	const struct tensor *in, *out;   /* [nin], [nout] */
	struct pool *pool;               /* NULL: run in the caller */
};

struct op {
	const char *name;
	uint8_t min_in, max_in, min_out, max_out;
	uint32_t const_in;               /* bit i: input i must be a constant, for shapes follow from it */
	int (*infer)(const struct op_infer *c);
	void (*run)(const struct op_run *r);
	const char *why_cpu;             /* one line for `eie explain`: what the engine lacks */
};

/* NULL when there is none. */
const struct op *op_find(const char *name);
/* The kernel applies node->act to what it makes. */
bool op_takes_act(const struct op *op);
/* All of them, in the order of their names. */
const struct op *op_table(unsigned int *n);

/* ---- for infer functions */

#define OP_FAIL(c, code, fmt, ...) NET_FAIL((c)->net, (c)->node, code, (c)->err, fmt, ##__VA_ARGS__)
/* Value of input or output i, or NULL. */
struct net_value *op_in(const struct op_infer *c, unsigned int i);
struct net_value *op_out(const struct op_infer *c, unsigned int i);
/* Type and shape of output i, if it is there. */
int op_set(const struct op_infer *c, unsigned int i, enum net_type type, unsigned int ndim, const uint32_t *dims);
int op_set_like(const struct op_infer *c, unsigned int i, const struct net_value *v);
/* Input i has this type (or one of a mask of 1 << type), else an error. */
int op_want(const struct op_infer *c, unsigned int i, enum net_type type);
int op_want_any(const struct op_infer *c, unsigned int i, uint32_t types);
/* zeroed memory for node->plan, NULL with an error */
void *op_plan(const struct op_infer *c, size_t bytes);

const struct net_attr *op_attr(const struct net_node *node, const char *name);
/* A single integer or float, text, or the default when the attribute is not there. */
int op_attr_int(const struct op_infer *c, const char *name, int64_t def, int64_t lo, int64_t hi, int64_t *value);
int op_attr_float(const struct op_infer *c, const char *name, float def, float *value);
int op_attr_text(const struct op_infer *c, const char *name, const char *def, const char **value);
/* A list of exactly n integers; missing leaves values as they are. */
int op_attr_ints(const struct op_infer *c, const char *name, unsigned int n, int64_t lo, int64_t hi, int64_t *values);
/* attribute 'axis': -ndim .. ndim - 1 made positive */
int op_axis(const struct op_infer *c, int64_t axis, unsigned int ndim, unsigned int *out);
/* A constant int64 or int32 input as int64: at most max elements. */
int op_const_ints(const struct op_infer *c, unsigned int i, unsigned int max, int64_t *values, unsigned int *n);
/* Integers from attribute name (older opsets) or input i (newer); *n is -1 when neither is there. */
int op_ints_attr_or_in(const struct op_infer *c, const char *name, unsigned int i, unsigned int max, int64_t *values, int *n);
/* dims of a and b broadcast together (NumPy's rule, ONNX "Broadcasting"). */
int op_broadcast(const struct op_infer *c, unsigned int *ndim, uint32_t *dims, const struct net_value *v);

/* ---- for kernels */

/* Calls fn(arg, first, last) for parts of 0 .. n - 1, in any order, perhaps at the same time; grain: elements worth a call. */
void op_parallel(struct pool *pool, uint64_t n, uint64_t grain, void (*fn)(void *arg, uint64_t first, uint64_t last), void *arg);
/* Applies act to n values in place. */
void op_activate(const struct net_act *act, float *v, uint64_t n);

/* y[i] = f(x[i]) with the parameters a and b; x may be y. */
typedef void op_function(float a, float b, const float *x, float *y, uint64_t n);
/* By ONNX's name, or "GeluTanh" for Gelu's approximation; NULL: none of one number and floats. */
op_function *op_unary_function(const char *name);
/* Which of them a node that has been inferred is, and its parameters; NULL: none. */
const char *op_unary_of(const struct net_node *node, float *a, float *b);
/* Product of dims[first .. last - 1]. */
uint64_t op_product(const uint32_t *dims, unsigned int first, unsigned int last);
/* Strides of v broadcast to dims: 0 where its dimension is 1. */
void op_strides(unsigned int ndim, const uint32_t *dims, unsigned int vdim, const uint32_t *vdims, uint64_t *strides);

/* Every kernel and infer function, named in op_table.c. */
#define OP_DECLARE(name) int name##_infer(const struct op_infer *c); void name##_run(const struct op_run *r)
OP_DECLARE(op_unary);
OP_DECLARE(op_clip);
OP_DECLARE(op_binary);
OP_DECLARE(op_prelu);
OP_DECLARE(op_variadic);
OP_DECLARE(op_compare);
OP_DECLARE(op_logic);
OP_DECLARE(op_not);
OP_DECLARE(op_where);
OP_DECLARE(op_cast);
OP_DECLARE(op_cast_like);
OP_DECLARE(op_reshape);
OP_DECLARE(op_flatten);
OP_DECLARE(op_squeeze);
OP_DECLARE(op_unsqueeze);
OP_DECLARE(op_identity);
OP_DECLARE(op_dropout);
OP_DECLARE(op_shape);
OP_DECLARE(op_size);
OP_DECLARE(op_constant_of_shape);
OP_DECLARE(op_range);
OP_DECLARE(op_transpose);
OP_DECLARE(op_concat);
OP_DECLARE(op_split);
OP_DECLARE(op_slice);
OP_DECLARE(op_gather);
OP_DECLARE(op_gather_elements);
OP_DECLARE(op_pad);
OP_DECLARE(op_expand);
OP_DECLARE(op_tile);
OP_DECLARE(op_depth_to_space);
OP_DECLARE(op_space_to_depth);
OP_DECLARE(op_conv);
OP_DECLARE(op_conv_transpose);
OP_DECLARE(op_pool);
OP_DECLARE(op_global_pool);
OP_DECLARE(op_gemm);
OP_DECLARE(op_matmul);
OP_DECLARE(op_batch_norm);
OP_DECLARE(op_instance_norm);
OP_DECLARE(op_layer_norm);
OP_DECLARE(op_lrn);
OP_DECLARE(op_softmax);
OP_DECLARE(op_reduce);
OP_DECLARE(op_arg);
OP_DECLARE(op_resize);
OP_DECLARE(op_lstm);
OP_DECLARE(op_quantize);
OP_DECLARE(op_dequantize);
OP_DECLARE(op_dynamic_quantize);
OP_DECLARE(op_qlinear_conv);
OP_DECLARE(op_conv_integer);
OP_DECLARE(op_qlinear_matmul);
OP_DECLARE(op_matmul_integer);

#endif
