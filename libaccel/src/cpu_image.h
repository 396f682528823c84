/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/*
 * How the tensors of a run on the CPU lie in memory.
 *
 * Plain: [channels, height, width] int16, as callers see them. Inputs and outputs of the model are, and whatever layers read or write that are no images.
 * Packed: images between convolutions, pooling and concatenations. Two channels of a pixel are one 32-bit word {even, odd}, as multiply-add instructions want
 * them, and planes have margins of zeros, which are the padding of whoever reads them; so a convolution of stride 1 copies nothing. The zeros behind the end
 * of a line are those before the beginning of the next.
 * Tensors of eight bits (narrow.h) have four channels in a word where there are kernels for that: bytes, the first lowest. Those of signed tensors are raised
 * by 128, their zeros too, for multiply-add instructions take activations without a sign.
 */
#ifndef ACCEL_CPU_IMAGE_H
#define ACCEL_CPU_IMAGE_H

#include "model.h"

struct cpu_image {
	bool packed;
	uint8_t each;        /* channels of a word: 2 or 4; of plain tensors, of the words that convolutions make of them */
	uint8_t zero;        /* of four: the byte that is zero */
	uint32_t pitch;      /* words from a line to the next */
	size_t first;        /* word of the first pixel */
	size_t plane;        /* words from a pack of channels to the next */
};

struct cpu_tensor {
	int16_t *values;     /* of item 0; 64-byte aligned if it is no part of a concatenation */
	size_t item;         /* int16s from an item to the next */
	struct cpu_image image;
};

/* Words that hold so many channels. */
static inline uint32_t cpu_packs(uint32_t channels, uint32_t each)
{
	return (channels + each - 1) / each;
}

/* A word of zeros. */
static inline int32_t cpu_zeros(uint8_t zero)
{
	return (int32_t)(zero * 0x01010101u);
}

/* int16s of an item of the tensor alone, margins included. */
static inline size_t cpu_image_count(const struct cpu_image *image, const struct accel_tensor *tensor)
{
	return image->packed ? 2 * image->plane * cpu_packs(tensor->dims[0], image->each) : tensor->count;
}

/*
 * Places and allocates all tensors of a model, zeroed. pack: the most channels of a word that there are kernels for, 0, 2 or 4. Parts of concatenations lie where
 * they belong wherever that is possible. tensors [ntensors], zeroed, into *memory, which the caller frees. -ENOMEM, with *memory NULL.
 */
int cpu_tensors_new(const struct accel_model *model, unsigned int batch, unsigned int pack, struct cpu_tensor *tensors, int16_t **memory);

#endif
