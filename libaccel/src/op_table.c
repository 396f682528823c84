// SPDX-License-Identifier: GPL-2.0 OR MIT
/* Which operators there are. docs/operators.md is made of this table and of what the operator tests say. */
#include "op.h"

#include <stdlib.h>
#include <string.h>

#define NOT_YET "this engine (ISA 1.x) has no command for it"
#define IMAGES  "the engine has it for images, beside convolutions of its own"
#define SHUFFLE "it moves data and computes nothing"
#define FLOAT   "the engine has no such operation"
#define WEIGHTS "its weights are no codebook of a fully connected layer"
#define QUANT   "a quantised operator, computed exactly as ONNX defines it"

/* name, inputs, outputs, inputs that must be constant, infer and run, why on the CPU; sorted by name */
#define OP(op_name, in0, in1, out0, out1, constant, function, why) \
	{ .name = op_name, .min_in = in0, .max_in = in1, .min_out = out0, .max_out = out1, .const_in = constant, \
	  .infer = function##_infer, .run = function##_run, .why_cpu = why }

static const struct op table[] = {
	OP("Abs", 1, 1, 1, 1, 0, op_unary, IMAGES),
	OP("Acos", 1, 1, 1, 1, 0, op_unary, FLOAT),
	OP("Acosh", 1, 1, 1, 1, 0, op_unary, FLOAT),
	OP("Add", 2, 2, 1, 1, 0, op_binary, IMAGES),
	OP("And", 2, 2, 1, 1, 0, op_logic, FLOAT),
	OP("ArgMax", 1, 1, 1, 1, 0, op_arg, FLOAT),
	OP("ArgMin", 1, 1, 1, 1, 0, op_arg, FLOAT),
	OP("Asin", 1, 1, 1, 1, 0, op_unary, FLOAT),
	OP("Asinh", 1, 1, 1, 1, 0, op_unary, FLOAT),
	OP("Atan", 1, 1, 1, 1, 0, op_unary, FLOAT),
	OP("Atanh", 1, 1, 1, 1, 0, op_unary, FLOAT),
	OP("AveragePool", 1, 1, 1, 1, 0, op_pool, IMAGES),
	OP("BatchNormalization", 5, 5, 1, 5, 0, op_batch_norm, "no convolution before it took it in"),
	OP("Cast", 1, 1, 1, 1, 0, op_cast, FLOAT),
	OP("CastLike", 2, 2, 1, 1, 0, op_cast_like, FLOAT),
	OP("Ceil", 1, 1, 1, 1, 0, op_unary, FLOAT),
	OP("Celu", 1, 1, 1, 1, 0, op_unary, IMAGES),
	OP("Clip", 1, 3, 1, 1, 6, op_clip, IMAGES),
	OP("Concat", 1, OP_ANY, 1, 1, 0, op_concat, SHUFFLE),
	OP("ConstantOfShape", 1, 2, 1, 1, 3, op_constant_of_shape, SHUFFLE),
	OP("Conv", 2, 3, 1, 1, 0, op_conv, "convolution, imported in float32 (--conv float32)"),
	OP("ConvInteger", 2, 4, 1, 1, 0, op_conv_integer, QUANT),
	OP("ConvTranspose", 2, 3, 1, 1, 0, op_conv_transpose, "transposed convolution: " NOT_YET),
	OP("Cos", 1, 1, 1, 1, 0, op_unary, FLOAT),
	OP("Cosh", 1, 1, 1, 1, 0, op_unary, FLOAT),
	OP("DepthToSpace", 1, 1, 1, 1, 0, op_depth_to_space, SHUFFLE),
	OP("DequantizeLinear", 2, 3, 1, 1, 0, op_dequantize, QUANT),
	OP("Div", 2, 2, 1, 1, 0, op_binary, FLOAT),
	OP("Dropout", 1, 3, 1, 2, 4, op_dropout, SHUFFLE),
	OP("DynamicQuantizeLinear", 1, 1, 1, 3, 0, op_dynamic_quantize, QUANT),
	OP("Elu", 1, 1, 1, 1, 0, op_unary, IMAGES),
	OP("Equal", 2, 2, 1, 1, 0, op_compare, FLOAT),
	OP("Erf", 1, 1, 1, 1, 0, op_unary, IMAGES),
	OP("Exp", 1, 1, 1, 1, 0, op_unary, FLOAT),
	OP("Expand", 2, 2, 1, 1, 2, op_expand, SHUFFLE),
	OP("Flatten", 1, 1, 1, 1, 0, op_flatten, SHUFFLE),
	OP("Floor", 1, 1, 1, 1, 0, op_unary, FLOAT),
	OP("Gather", 2, 2, 1, 1, 0, op_gather, SHUFFLE),
	OP("GatherElements", 2, 2, 1, 1, 0, op_gather_elements, SHUFFLE),
	OP("Gelu", 1, 1, 1, 1, 0, op_unary, IMAGES),
	OP("Gemm", 2, 3, 1, 1, 0, op_gemm, WEIGHTS),
	OP("GlobalAveragePool", 1, 1, 1, 1, 0, op_global_pool, IMAGES),
	OP("GlobalMaxPool", 1, 1, 1, 1, 0, op_global_pool, IMAGES),
	OP("Greater", 2, 2, 1, 1, 0, op_compare, FLOAT),
	OP("GreaterOrEqual", 2, 2, 1, 1, 0, op_compare, FLOAT),
	OP("HardSigmoid", 1, 1, 1, 1, 0, op_unary, IMAGES),
	OP("HardSwish", 1, 1, 1, 1, 0, op_unary, IMAGES),
	OP("Hardmax", 1, 1, 1, 1, 0, op_softmax, FLOAT),
	OP("Identity", 1, 1, 1, 1, 0, op_identity, SHUFFLE),
	OP("InstanceNormalization", 3, 3, 1, 1, 0, op_instance_norm, FLOAT),
	OP("LRN", 1, 1, 1, 1, 0, op_lrn, FLOAT),
	OP("LSTM", 3, 8, 0, 3, 0, op_lstm, FLOAT),
	OP("LayerNormalization", 2, 3, 1, 3, 0, op_layer_norm, FLOAT),
	OP("LeakyRelu", 1, 1, 1, 1, 0, op_unary, IMAGES),
	OP("Less", 2, 2, 1, 1, 0, op_compare, FLOAT),
	OP("LessOrEqual", 2, 2, 1, 1, 0, op_compare, FLOAT),
	OP("Log", 1, 1, 1, 1, 0, op_unary, FLOAT),
	OP("LogSoftmax", 1, 1, 1, 1, 0, op_softmax, FLOAT),
	OP("MatMul", 2, 2, 1, 1, 0, op_matmul, WEIGHTS),
	OP("MatMulInteger", 2, 4, 1, 1, 0, op_matmul_integer, QUANT),
	OP("Max", 1, OP_ANY, 1, 1, 0, op_variadic, FLOAT),
	OP("MaxPool", 1, 1, 1, 2, 0, op_pool, IMAGES),
	OP("Mean", 1, OP_ANY, 1, 1, 0, op_variadic, FLOAT),
	OP("Min", 1, OP_ANY, 1, 1, 0, op_variadic, FLOAT),
	OP("Mish", 1, 1, 1, 1, 0, op_unary, IMAGES),
	OP("Mod", 2, 2, 1, 1, 0, op_binary, FLOAT),
	OP("Mul", 2, 2, 1, 1, 0, op_binary, IMAGES),
	OP("Neg", 1, 1, 1, 1, 0, op_unary, FLOAT),
	OP("Not", 1, 1, 1, 1, 0, op_not, FLOAT),
	OP("Or", 2, 2, 1, 1, 0, op_logic, FLOAT),
	OP("PRelu", 2, 2, 1, 1, 0, op_prelu, FLOAT),
	OP("Pad", 1, 4, 1, 1, 0xa, op_pad, SHUFFLE),
	OP("Pow", 2, 2, 1, 1, 0, op_binary, FLOAT),
	OP("QLinearConv", 8, 9, 1, 1, 0, op_qlinear_conv, QUANT),
	OP("QLinearMatMul", 8, 8, 1, 1, 0, op_qlinear_matmul, QUANT),
	OP("QuantizeLinear", 2, 3, 1, 1, 0, op_quantize, QUANT),
	OP("Range", 3, 3, 1, 1, 7, op_range, SHUFFLE),
	OP("Reciprocal", 1, 1, 1, 1, 0, op_unary, FLOAT),
	OP("ReduceL1", 1, 2, 1, 1, 2, op_reduce, FLOAT),
	OP("ReduceL2", 1, 2, 1, 1, 2, op_reduce, FLOAT),
	OP("ReduceLogSum", 1, 2, 1, 1, 2, op_reduce, FLOAT),
	OP("ReduceLogSumExp", 1, 2, 1, 1, 2, op_reduce, FLOAT),
	OP("ReduceMax", 1, 2, 1, 1, 2, op_reduce, FLOAT),
	OP("ReduceMean", 1, 2, 1, 1, 2, op_reduce, IMAGES),
	OP("ReduceMin", 1, 2, 1, 1, 2, op_reduce, FLOAT),
	OP("ReduceProd", 1, 2, 1, 1, 2, op_reduce, FLOAT),
	OP("ReduceSum", 1, 2, 1, 1, 2, op_reduce, FLOAT),
	OP("ReduceSumSquare", 1, 2, 1, 1, 2, op_reduce, FLOAT),
	OP("Relu", 1, 1, 1, 1, 0, op_unary, IMAGES),
	OP("Reshape", 1, 2, 1, 1, 2, op_reshape, SHUFFLE),
	OP("Resize", 1, 4, 1, 1, 0xe, op_resize, FLOAT),
	OP("Round", 1, 1, 1, 1, 0, op_unary, FLOAT),
	OP("Selu", 1, 1, 1, 1, 0, op_unary, IMAGES),
	OP("Shape", 1, 1, 1, 1, 0, op_shape, SHUFFLE),
	OP("Shrink", 1, 1, 1, 1, 0, op_unary, FLOAT),
	OP("Sigmoid", 1, 1, 1, 1, 0, op_unary, IMAGES),
	OP("Sign", 1, 1, 1, 1, 0, op_unary, FLOAT),
	OP("Sin", 1, 1, 1, 1, 0, op_unary, FLOAT),
	OP("Sinh", 1, 1, 1, 1, 0, op_unary, FLOAT),
	OP("Size", 1, 1, 1, 1, 0, op_size, SHUFFLE),
	OP("Slice", 1, 5, 1, 1, 0x1e, op_slice, SHUFFLE),
	OP("Softmax", 1, 1, 1, 1, 0, op_softmax, FLOAT),
	OP("Softplus", 1, 1, 1, 1, 0, op_unary, IMAGES),
	OP("Softsign", 1, 1, 1, 1, 0, op_unary, IMAGES),
	OP("SpaceToDepth", 1, 1, 1, 1, 0, op_space_to_depth, SHUFFLE),
	OP("Split", 1, 2, 1, OP_ANY, 2, op_split, SHUFFLE),
	OP("Sqrt", 1, 1, 1, 1, 0, op_unary, FLOAT),
	OP("Squeeze", 1, 2, 1, 1, 2, op_squeeze, SHUFFLE),
	OP("Sub", 2, 2, 1, 1, 0, op_binary, FLOAT),
	OP("Sum", 1, OP_ANY, 1, 1, 0, op_variadic, IMAGES),
	OP("Tan", 1, 1, 1, 1, 0, op_unary, FLOAT),
	OP("Tanh", 1, 1, 1, 1, 0, op_unary, IMAGES),
	OP("ThresholdedRelu", 1, 1, 1, 1, 0, op_unary, FLOAT),
	OP("Tile", 2, 2, 1, 1, 2, op_tile, SHUFFLE),
	OP("Transpose", 1, 1, 1, 1, 0, op_transpose, SHUFFLE),
	OP("Unsqueeze", 1, 2, 1, 1, 2, op_unsqueeze, SHUFFLE),
	OP("Upsample", 1, 2, 1, 1, 2, op_resize, FLOAT),
	OP("Where", 3, 3, 1, 1, 0, op_where, FLOAT),
	OP("Xor", 2, 2, 1, 1, 0, op_logic, FLOAT),
};

static int compare(const void *name, const void *op)
{
	return strcmp(name, ((const struct op *)op)->name);
}

const struct op *op_find(const char *name)
{
	return bsearch(name, table, sizeof(table) / sizeof(table[0]), sizeof(table[0]), compare);
}

bool op_takes_act(const struct op *op)
{
	return op->run == op_conv_run || op->run == op_conv_transpose_run || op->run == op_gemm_run || op->run == op_matmul_run ||
	       op->run == op_binary_run || op->run == op_batch_norm_run || !strcmp(op->name, "Sum");
}

const struct op *op_table(unsigned int *n)
{
	*n = sizeof(table) / sizeof(table[0]);
	return table;
}
