// SPDX-License-Identifier: GPL-2.0 OR MIT
/* ONNX files read as a whole, and without the elements of their tensors at first: the same network, or the same error. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "onnx.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool good)
{
	if (!good)
		abort();
}

static void same_value(const struct net_value *a, const struct net_value *b)
{
	must(a->type == b->type && a->ndim == b->ndim && a->count == b->count && !strcmp(a->name, b->name) && !a->data == !b->data);
	must(!memcmp(a->dims, b->dims, a->ndim * sizeof(*a->dims)));
	must(!a->data || !memcmp(a->data, b->data, a->count * net_type_size(a->type)));
}

static void same_node(const struct net_node *a, const struct net_node *b)
{
	must(a->op == b->op && a->nin == b->nin && a->nout == b->nout && a->nattrs == b->nattrs && a->act.kind == b->act.kind && !strcmp(a->name, b->name));
	must(!a->nin || !memcmp(a->in, b->in, a->nin * sizeof(*a->in)));
	must(!a->nout || !memcmp(a->out, b->out, a->nout * sizeof(*a->out)));
}

static void same(const struct accel_network *a, const struct accel_network *b)
{
	must(a->nvalues == b->nvalues && a->nnodes == b->nnodes && a->ninputs == b->ninputs && a->noutputs == b->noutputs);
	for (unsigned int i = 0; i < a->nvalues; i++)
		same_value(&a->values[i], &b->values[i]);
	for (unsigned int i = 0; i < a->nnodes; i++)
		same_node(&a->nodes[i], &b->nodes[i]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct onnx_options options = { .max_bytes = 4 << 20, .max_fold_work = (uint64_t)1 << 20, .keep = size & 1 };
	struct accel_error whole_err = { 0 }, cut_err = { 0 };
	struct accel_network *whole, *cut;
	int ret = onnx_load(data, size, "fuzz", NULL, &options, &whole, &whole_err);

	must(onnx_load_cut(data, size, "fuzz", &options, &cut, &cut_err) == ret);
	if (ret) {
		must(!strcmp(whole_err.text, cut_err.text));
		return 0;
	}
	same(whole, cut);
	net_free(whole);
	net_free(cut);
	return 0;
}
