// SPDX-License-Identifier: GPL-2.0 OR MIT
/* Deep Compression .net files for a network of two convolutions. What is taken has finite weights, and all of them from its codebooks. */
#include <math.h>
#include <stdlib.h>
#include "deepcomp.h"
#include "net_codes.h"
#include "op.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(int ret)
{
	if (ret)
		abort();
}

static uint32_t conv(struct accel_network *net, uint32_t in, uint32_t outputs, uint32_t inputs, uint32_t kernel)
{
	const uint32_t dims[4] = { outputs, inputs, kernel, kernel };
	struct net_node node;
	uint32_t w, b, out;
	void *data;

	must(net_add_constant(net, "", NET_F32, 4, dims, &w, &data, NULL));
	must(net_add_constant(net, "", NET_F32, 1, &outputs, &b, &data, NULL));
	must(net_add_value(net, "", NET_F32, 0, NULL, &out, NULL));
	must(net_node_init(&node, op_find("Conv"), kernel == 1 ? "two" : "one", 13, 3, 1));
	node.in[0] = in;
	node.in[1] = w;
	node.in[2] = b;
	node.out[0] = out;
	must(net_infer(net, &node, NULL));
	must(net_add_node(net, &node, NULL));
	return out;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const uint32_t dims[4] = { 1, 2, 5, 5 };
	struct accel_network *net = net_new("fuzz");
	uint32_t x;

	must(net == NULL);
	must(net_add_value(net, "x", NET_F32, 4, dims, &x, NULL));
	conv(net, conv(net, x, 6, 2, 3), 3, 6, 1);
	if (!deepcomp_load(net, data, size, "fuzz.net", NULL)) {
		for (uint32_t v = 0; v < net->nvalues; v++) {
			const struct net_value *value = &net->values[v];
			struct net_codes codes;
			bool coded;

			for (uint64_t i = 0; value->data && i < value->count; i++)
				must(!isfinite(((const float *)value->data)[i]));
			if (!value->codebook)
				continue;
			must(net_codes_new(value, true, &codes, &coded));
			/* weights that are all zero, or nearly, are not worth codes */
			net_codes_free(&codes);
		}
	}
	net_free(net);
	return 0;
}
