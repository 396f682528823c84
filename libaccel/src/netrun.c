// SPDX-License-Identifier: GPL-2.0 OR MIT
#include "netrun.h"
#include "op.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define ALIGN 64u

struct netrun {
	const struct accel_network *net;
	unsigned int batch;
	netrun_segment segment;
	void *arg;
	struct pool *pool;
	void **values;            /* [nvalues] [batch, count] elements; constants: the network's own, for all items */
	uint8_t *memory;          /* of all values that are not constants */
	void (*observe)(void *arg, const struct net_node *node);
	void *observe_arg;
	struct tensor *tensors;   /* [most inputs and outputs of a node] */
};

/* ---------------------------------------------------------------- memory */

/* Part of the memory that a value has from the node that makes it to the last one that reads it. */
struct block {
	uint32_t value;
	int first, last;          /* nodes; -1: before the first, nnodes: until the end */
	size_t bytes, offset;
};

static int by_size(const void *a, const void *b)
{
	const struct block *x = a, *y = b;

	/* sizes first, then numbers: the same places on every machine */
	return x->bytes != y->bytes ? (x->bytes < y->bytes ? 1 : -1) : x->value < y->value ? -1 : 1;
}

static int by_offset(const void *a, const void *b)
{
	const struct block *const *x = a, *const *y = b;

	return (*x)->offset < (*y)->offset ? -1 : (*x)->offset > (*y)->offset;
}

/*
 * Largest first, each at the lowest place that no block placed before and alive at the same time covers. Greedy by size, as Pisarchyk
 * and Lee, "Efficient memory management for deep neural net inference", 2020.
 */
static int place(struct block *blocks, size_t n, size_t *total)
{
	struct block **alive = malloc((n + 1) * sizeof(*alive));

	if (!alive)
		return -ENOMEM;
	*total = 0;
	qsort(blocks, n, sizeof(*blocks), by_size);
	for (size_t i = 0; i < n; i++) {
		size_t nalive = 0, at = 0;

		for (size_t k = 0; k < i; k++)
			if (blocks[k].first <= blocks[i].last && blocks[i].first <= blocks[k].last)
				alive[nalive++] = &blocks[k];
		qsort(alive, nalive, sizeof(struct block *), by_offset);
		for (size_t k = 0; k < nalive; k++) {
			if (alive[k]->offset >= at + blocks[i].bytes)
				break;
			if (alive[k]->offset + alive[k]->bytes > at)
				at = alive[k]->offset + alive[k]->bytes;
		}
		blocks[i].offset = at;
		if (__builtin_add_overflow(at, blocks[i].bytes, &at) || at > SIZE_MAX / 2) {
			free(alive);
			return -ENOMEM;
		}
		*total = at > *total ? at : *total;
	}
	free(alive);
	return 0;
}

/* When each value is alive. Inputs and outputs of the network always are: the caller may look at them at any time. */
static void lives(const struct accel_network *net, struct block *life)
{
	for (uint32_t v = 0; v < net->nvalues; v++)
		life[v] = (struct block){ .value = v, .first = INT32_MAX, .last = -1 };
	for (unsigned int n = 0; n < net->nnodes; n++) {
		const struct net_node *node = &net->nodes[n];

		for (unsigned int i = 0; i < node->nout; i++)
			if (node->out[i] != NET_NONE)
				life[node->out[i]].first = life[node->out[i]].last = (int)n;
		for (unsigned int i = 0; i < node->nin; i++)
			if (node->in[i] != NET_NONE)
				life[node->in[i]].last = (int)n;
	}
	for (unsigned int i = 0; i < net->ninputs; i++) {
		life[net->inputs[i]].first = -1;
		life[net->inputs[i]].last = (int)net->nnodes;
	}
	for (unsigned int i = 0; i < net->noutputs; i++) {
		if (life[net->outputs[i]].first == INT32_MAX)
			life[net->outputs[i]].first = -1;
		life[net->outputs[i]].last = (int)net->nnodes;
	}
}

static int take_memory(struct netrun *r)
{
	const struct accel_network *net = r->net;
	struct block *blocks = calloc(net->nvalues + (size_t)1, sizeof(*blocks));
	size_t n = 0, total;
	int ret = 0;

	if (!blocks)
		return -ENOMEM;
	lives(net, blocks);
	for (uint32_t v = 0; v < net->nvalues && !ret; v++) {
		const struct net_value *value = &net->values[v];
		struct block b = blocks[v];

		if (value->data || b.first == INT32_MAX)
			continue;
		/* at least a byte: no two values that live at the same time have one address */
		if (__builtin_mul_overflow(value->count * net_type_size(value->type) + 1, (size_t)r->batch, &b.bytes) ||
		    b.bytes > SIZE_MAX / 2)
			ret = -ENOMEM;
		b.bytes = (b.bytes + ALIGN - 1) / ALIGN * ALIGN;
		blocks[n++] = b;
	}
	ret = ret ? ret : place(blocks, n, &total);
	if (!ret) {
		r->memory = aligned_alloc(ALIGN, total ? total : ALIGN);
		ret = r->memory ? 0 : -ENOMEM;
	}
	for (size_t i = 0; !ret && i < n; i++)
		r->values[blocks[i].value] = r->memory + blocks[i].offset;
	/* outputs that are constants get copies a batch item; the others are the network's own */
	for (uint32_t v = 0; !ret && v < net->nvalues; v++)
		if (net->values[v].data)
			r->values[v] = net->values[v].data;
	if (!ret && r->memory)
		memset(r->memory, 0, total);
	free(blocks);
	return ret;
}

/* ---------------------------------------------------------------- life */

int netrun_new(const struct accel_network *net, unsigned int batch, unsigned int threads, netrun_segment segment, void *arg,
	       struct netrun **run, struct accel_error *err)
{
	struct netrun *r = calloc(1, sizeof(*r));
	size_t scratch = 0;
	unsigned int most = 1;

	for (unsigned int n = 0; n < net->nnodes; n++) {
		scratch = net->nodes[n].scratch > scratch ? net->nodes[n].scratch : scratch;
		most = net->nodes[n].nin + net->nodes[n].nout > most ? net->nodes[n].nin + net->nodes[n].nout : most;
	}
	if (r) {
		*r = (struct netrun){ .net = net, .batch = batch, .segment = segment, .arg = arg, .pool = pool_new(threads) };
		r->values = calloc(net->nvalues + (size_t)1, sizeof(*r->values));
		r->tensors = calloc(most, sizeof(*r->tensors));
	}
	if (!r || !r->pool || !r->values || !r->tensors || pool_reserve(r->pool, scratch) || take_memory(r)) {
		netrun_free(r);
		return accel_fail(err, -ENOMEM, NULL, "%s: no memory for the tensors of %u items; use a smaller batch", net->file, batch);
	}
	*run = r;
	return 0;
}

void netrun_free(struct netrun *r)
{
	if (!r)
		return;
	pool_free(r->pool);
	free(r->values);
	free(r->tensors);
	free(r->memory);
	free(r);
}

struct pool *netrun_pool(struct netrun *r)
{
	return r->pool;
}

void *netrun_value(struct netrun *r, uint32_t value)
{
	return r->values[value];
}

void netrun_observe(struct netrun *r, void (*fn)(void *arg, const struct net_node *node), void *arg)
{
	r->observe = fn;
	r->observe_arg = arg;
}

/* ---------------------------------------------------------------- run */

static struct tensor tensor_of(const struct netrun *r, uint32_t v, unsigned int item)
{
	const struct net_value *value;
	struct tensor t = { .p = NULL };

	if (v == NET_NONE)
		return t;
	value = &r->net->values[v];
	t = (struct tensor){ .type = value->type, .ndim = value->ndim, .dims = value->dims, .count = value->count, .p = r->values[v] };
	if (!value->data)
		t.u8 += item * value->count * net_type_size(value->type);
	return t;
}

static void run_node(const struct netrun *r, const struct net_node *node, unsigned int item)
{
	struct tensor *in = r->tensors, *out = in + node->nin;
	struct op_run run = { node, in, out, r->pool };

	for (unsigned int i = 0; i < node->nin; i++)
		in[i] = tensor_of(r, node->in[i], item);
	for (unsigned int i = 0; i < node->nout; i++)
		out[i] = tensor_of(r, node->out[i], item);
	node->op->run(&run);
}

int netrun_run(struct netrun *r, struct accel_error *err)
{
	for (unsigned int n = 0; n < r->net->nnodes; n++) {
		const struct net_node *node = &r->net->nodes[n];
		int ret = 0;

		if (!node->op)
			ret = r->segment(r->arg, r, node, err);
		for (unsigned int item = 0; node->op && item < r->batch; item++)
			run_node(r, node, item);
		if (ret)
			return ret;
		if (r->observe)
			r->observe(r->observe_arg, node);
	}
	return 0;
}
