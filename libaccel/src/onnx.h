/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/* ONNX files: from protobuf to a network. docs/onnx.md says what is supported. */
#ifndef ACCEL_ONNX_H
#define ACCEL_ONNX_H

#include "net.h"
#include "onnx.pb-c.h"
#include "onnx_skeleton.h"

/* A tensor that is known before the network runs. */
struct onnx_known {
	const char *input;               /* name of a graph input */
	struct net_value value;          /* with data, which stays the caller's */
	bool if_needed;                  /* made a constant only where an operator's shapes depend on it */
	bool is_number;                  /* one number of whatever type the input has, in place of value */
	double number;
};

struct onnx_shape {
	const char *input;
	unsigned int ndim;
	uint32_t dims[NET_MAX_DIMS];
};

struct onnx_options {
	unsigned int nshapes, nknown;
	const struct onnx_shape *shapes;
	const struct onnx_known *known;
	uint64_t max_bytes, max_fold_work;   /* of all constants, and of folding; 0: the defaults */
	bool keep;                       /* every node that is not constant stays: for tests that compare with the network as it was */
};

/* Errors name file, node and operator: -EBADMSG no ONNX file or damaged, -EINVAL broken graph, -ENOTSUP, -E2BIG, -ENOMEM. */
int onnx_open(const char *path, const struct onnx_options *options, struct accel_network **net, struct accel_error *err);
/* The same from memory. folder: where external data are looked for; NULL: they are refused. */
int onnx_load(const void *data, size_t size, const char *name, const char *folder, const struct onnx_options *options,
	      struct accel_network **net, struct accel_error *err);

/* The same by way of its skeleton: every tensor is cut. For tests: onnx_open() does so with large files. */
int onnx_load_cut(const void *data, size_t size, const char *name, const struct onnx_options *options, struct accel_network **net,
		  struct accel_error *err);

/* Where elements of tensors are that are not in the message; NULL: nowhere. */
struct onnx_source {
	const char *folder;                      /* of external data, or NULL: they are refused */
	const struct onnx_skeleton *skeleton;    /* or NULL */
};

/* onnx_import.c: what has been unpacked (NULL: what could not be) as a network; takes m over. */
int onnx_import(Onnx__ModelProto *m, const char *name, const struct onnx_source *source, const struct onnx_options *options,
		struct accel_network **net, struct accel_error *err);

/* onnx_tensor.c: element type (TensorProto.DataType) and shape, without elements. what names it in errors. */
int onnx_type(const char *file, const char *what, int32_t data_type, enum net_type *type, struct accel_error *err);
/* A constant of the network named name. */
int onnx_constant(struct accel_network *net, const Onnx__TensorProto *t, const char *name, const struct onnx_source *source,
		  uint32_t *number, struct accel_error *err);
/* A TensorProto file of the ONNX operator tests as a network of one constant. */
int onnx_tensor_load(const char *path, struct accel_network **net, struct accel_error *err);

/* onnx_node.c: attributes of a node; those that are tensors become inputs behind the others (ConstantOfShape). */
int onnx_attrs(struct accel_network *net, const Onnx__NodeProto *n, const struct onnx_source *source, struct net_node *node,
	       struct accel_error *err);

#endif
