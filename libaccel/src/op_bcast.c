// SPDX-License-Identifier: GPL-2.0 OR MIT
#include "op_bcast.h"

#include <string.h>

void bcast_make(struct bcast *b, unsigned int ndim, const uint32_t *dims, unsigned int n, const struct net_value *const *v)
{
	uint64_t s[3][NET_MAX_DIMS];

	*b = (struct bcast){ .ndim = 1, .dims = { 1 } };
	for (unsigned int k = 0; k < n; k++)
		op_strides(ndim, dims, v[k]->ndim, v[k]->dims, s[k]);
	/* from the last dimension on: merge it with the one before where every tensor goes on without a gap */
	b->ndim = 0;
	for (unsigned int i = ndim; i-- > 0;) {
		bool merge = b->ndim > 0;

		if (dims[i] == 1)
			continue;
		for (unsigned int k = 0; k < n && merge; k++)
			merge = s[k][i] == b->stride[k][b->ndim - 1] * b->dims[b->ndim - 1];
		if (merge) {
			b->dims[b->ndim - 1] *= dims[i];
			continue;
		}
		b->dims[b->ndim] = dims[i];
		for (unsigned int k = 0; k < n; k++)
			b->stride[k][b->ndim] = s[k][i];
		b->ndim++;
	}
	if (!b->ndim) {
		b->dims[0] = 1;
		b->ndim = 1;
	}
	/* dimension 0 is the inner one */
	b->inner = b->dims[0];
	b->rows = op_product(b->dims, 1, b->ndim);
}

void bcast_row(const struct bcast *b, uint64_t row, unsigned int n, uint64_t *offset)
{
	memset(offset, 0, n * sizeof(*offset));
	for (unsigned int i = 1; i < b->ndim; i++) {
		uint64_t at = row % b->dims[i];

		row /= b->dims[i];
		for (unsigned int k = 0; k < n; k++)
			offset[k] += at * b->stride[k][i];
	}
}
