/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/*
 * A large ONNX file without the elements of its tensors: those are some hundred megabytes, and protobuf-c would hold them beside the network that they become. They stay
 * in the file, and each is read where it is needed.
 */
#ifndef ACCEL_ONNX_SKELETON_H
#define ACCEL_ONNX_SKELETON_H

#include "net.h"
#include "onnx.pb-c.h"

#define ONNX_LARGE ((uint64_t)16 << 20)   /* bytes of a file that is worth it */
#define ONNX_CUT   4096u                  /* and of a tensor in it */

/* Bytes of a file, or in memory. */
struct onnx_file {
	int fd;                           /* -1: data */
	const uint8_t *data;
	uint64_t size;
};

/* Bytes [at, at + n) of the file; what of them is not there fails with -EIO. */
int onnx_file_read(const struct onnx_file *f, uint64_t at, uint64_t n, void *to);

struct onnx_cut {
	uint32_t node, index;             /* initialiser `index`; or the tensor of attribute `index` of a node, unless that is NET_NONE */
	uint64_t at, len;                 /* bytes of its elements in the file */
	const Onnx__TensorProto *t;
};

struct onnx_skeleton {
	struct onnx_file file;
	uint8_t *data;                    /* [size] a ModelProto in which the raw_data of `cut` is empty */
	uint64_t size, room;
	uint32_t ncuts, room_cuts;
	struct onnx_cut *cut;
};

/*
 * Leaves out raw_data of `least` bytes and more. -ENOTSUP: the file is written in a way that only a whole parser understands, or damaged, and should be read as a whole; -ENOMEM; what reading says.
 * All without a text. Free in any case.
 */
int onnx_skeleton_new(const struct onnx_file *f, uint64_t least, struct onnx_skeleton *s);
void onnx_skeleton_free(struct onnx_skeleton *s);
/* Tells the tensors of m, unpacked from s->data, how long they are; frees s->data. false: m is something else. */
bool onnx_skeleton_attach(struct onnx_skeleton *s, Onnx__ModelProto *m);
/* The cut that t is, or NULL; s may be NULL. */
const struct onnx_cut *onnx_skeleton_find(const struct onnx_skeleton *s, const Onnx__TensorProto *t);

#endif
