/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/* Constants whose elements share few values: a codebook, and a code for each element that is not zero. */
#ifndef ACCEL_NET_CODES_H
#define ACCEL_NET_CODES_H

#include "net.h"

struct net_codes {
	unsigned int bits;         /* of a code: 4 or 8 */
	unsigned int n;            /* entries of the codebook, the zero of code 0 included */
	float codebook[256];
	uint32_t nnz;              /* elements that are not +0 */
	uint8_t *code;             /* [nnz], 1 .. n - 1 */
	uint32_t rows, cols;       /* the elements as a matrix, first dimension by the rest */
	uint32_t *rowptr, *col;    /* [rows + 1], [nnz] */
};

/*
 * Codes of a float32 constant, bit for bit (-0 is a value like any other), by its own codebook (own) or by the different elements in order.
 * *coded is false when the codebook lacks an element, there are more than 255, or more than NET_CODES_SPARSE elements to a code. -ENOMEM.
 */
int net_codes_new(const struct net_value *value, bool own, struct net_codes *codes, bool *coded);
void net_codes_free(struct net_codes *codes);
/* Keeps a codebook of n entries, [0] = 0, with a constant that was made of it. -ENOMEM. */
int net_keep_codebook(struct net_value *value, const float *codebook, unsigned int n);

/* Bounds what a small file may unpack to. */
#define NET_CODES_SPARSE 256u

/*
 * The different elements of a float32 constant, in order, behind codebook[0] = 0. false: there are more than 255, too many to be the same by intention, or a pass has computed them.
 */
bool net_shares_values(const struct net_value *value, float *codebook, unsigned int *n);

#endif
