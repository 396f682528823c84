// SPDX-License-Identifier: GPL-2.0 OR MIT
/* Networks in .eie files: node `network`, docs/eie_format.md. Shapes of intermediate values are not stored: inference gives them again. */
#include "container_reader.h"
#include "container_writer.h"
#include "graph.h"
#include "layout.h"
#include "op.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const act_names[NET_ACT_NKINDS] = {
	[NET_ACT_NONE] = "none", [NET_ACT_CLIP] = "clip", [NET_ACT_HARD_SWISH] = "hard-swish",
	[NET_ACT_HARD_SIGMOID] = "hard-sigmoid", [NET_ACT_SIGMOID] = "sigmoid",
};
static const char *const attr_props[] = { [NET_INTS] = "ints", [NET_FLOATS] = "floats", [NET_TEXT] = "text" };

/* ---------------------------------------------------------------- writing */

/* Inputs and constants; the others are what nodes make. */
static bool is_stored(const struct accel_network *net, uint32_t v)
{
	bool stored = net->values[v].data;

	for (unsigned int i = 0; i < net->ninputs; i++)
		stored = stored || net->inputs[i] == v;
	return stored;
}

static bool is_output(const struct accel_network *net, uint32_t v)
{
	for (unsigned int i = 0; i < net->noutputs; i++)
		if (net->outputs[i] == v)
			return true;
	return false;
}

static void put_value(struct eie_writer *w, const struct accel_network *net, uint32_t number)
{
	const struct net_value *v = &net->values[number];
	bool end = is_stored(net, number) && !v->data;
	uint64_t bytes = 0;
	char name[16];

	snprintf(name, sizeof(name), "v%u", number);
	eie_begin(w, name);
	if (end || is_output(net, number))
		eie_put_string(w, "label", v->name);
	if (is_stored(net, number)) {
		eie_put_string(w, "type", net_type_names[v->type]);
		eie_put_list(w, "dims", v->dims, v->ndim);
	}
	if (v->data && eie_is_coded(v))
		eie_put_coded(w, v);
	else if (v->data && v->type == NET_F32 && v->count && v->count <= REALS_MOST && eie_put_reals(w, REALS_CONSTANTS, v->data, v->count, &bytes))
		eie_put(w, "reals", "", 0);
	else if (v->data)
		eie_put_blob(w, "data", v->data, v->count * net_type_size(v->type));
	eie_end(w);
}

static void put_attr(struct eie_writer *w, const struct net_attr *a, unsigned int index)
{
	char name[16];
	fdt32_t *cells;

	snprintf(name, sizeof(name), "a%u", index);
	eie_begin(w, name);
	eie_put_string(w, "label", a->name);
	if (a->list)
		eie_put(w, "list", "", 0);
	if (a->type == NET_TEXT) {
		eie_put_string(w, attr_props[a->type], a->text);
	} else if (a->type == NET_FLOATS) {
		cells = eie_put_cells(w, attr_props[a->type], a->n);
		for (uint32_t i = 0; cells && i < a->n; i++)
			cells[i] = cpu_to_fdt32(eie_float_bits(a->floats[i]));
	} else {
		cells = eie_put_cells(w, attr_props[a->type], 2 * (size_t)a->n);
		for (uint32_t i = 0; cells && i < a->n; i++) {
			cells[2 * i] = cpu_to_fdt32((uint32_t)((uint64_t)a->ints[i] >> 32));
			cells[2 * i + 1] = cpu_to_fdt32((uint32_t)a->ints[i]);
		}
	}
	eie_end(w);
}

static void put_segment(struct eie_writer *w, const struct accel_model *segment)
{
	struct eie_layer_bytes *bytes = calloc(segment->nlayers + (size_t)1, sizeof(*bytes));

	if (!bytes) {
		w->no_memory = true;
		return;
	}
	eie_begin(w, "segment");
	eie_put_layers(w, segment, bytes);
	eie_end(w);
	free(bytes);
}

static void put_node(struct eie_writer *w, const struct net_node *node, unsigned int index)
{
	char name[16];

	snprintf(name, sizeof(name), "n%u", index);
	eie_begin(w, name);
	eie_put_string(w, "label", node->name);
	if (node->op) {
		eie_put_string(w, "op", node->op->name);
		eie_put_u32(w, "opset", node->opset);
	}
	eie_put_list(w, "in", node->in, node->nin);
	eie_put_list(w, "out", node->out, node->nout);
	if (node->act.kind) {
		eie_put_string(w, "activation", act_names[node->act.kind]);
		eie_put_pair(w, "activation-parameters", eie_float_bits(node->act.a), eie_float_bits(node->act.b));
	}
	if (node->device_reason)
		eie_put_string(w, "reason", node->device_reason);
	eie_begin(w, "attributes");
	for (unsigned int i = 0; i < node->nattrs; i++)
		put_attr(w, &node->attrs[i], i);
	eie_end(w);
	if (!node->op)
		put_segment(w, node->segment);
	eie_end(w);
}

bool eie_has_coded(const struct accel_network *net)
{
	for (uint32_t v = 0; v < net->nvalues; v++)
		if (net->values[v].data && eie_is_coded(&net->values[v]))
			return true;
	return false;
}

bool eie_has_ends(const struct accel_network *net)
{
	for (unsigned int n = 0; n < net->nnodes; n++) {
		const struct net_node *node = &net->nodes[n];

		if (node->op)
			continue;
		if (op_attr(node, LAYOUT_TURNED) || op_attr(node, LAYOUT_TURNED_OUT))
			return true;
		for (unsigned int i = 0; i < node->nin; i++)
			if (net->values[node->in[i]].data)
				return true;
	}
	return false;
}

void eie_put_network(struct eie_writer *w, const struct accel_network *net)
{
	eie_begin(w, "network");
	eie_put_list(w, "inputs", net->inputs, net->ninputs);
	eie_put_list(w, "outputs", net->outputs, net->noutputs);
	eie_begin(w, "values");
	for (uint32_t v = 0; v < net->nvalues; v++)
		put_value(w, net, v);
	eie_end(w);
	eie_begin(w, "nodes");
	for (unsigned int n = 0; n < net->nnodes; n++)
		put_node(w, &net->nodes[n], n);
	eie_end(w);
	eie_end(w);
}

size_t eie_network_room(const struct accel_network *net)
{
	size_t room = 1024 + 4 * ((size_t)net->ninputs + net->noutputs) + net->nvalues * (size_t)512;

	for (uint32_t v = 0; v < net->nvalues; v++)
		room += net->values[v].type == NET_F32 && net->values[v].data ? 256 * sizeof(float) : 0;

	for (unsigned int n = 0; n < net->nnodes; n++) {
		const struct net_node *node = &net->nodes[n];

		room += 1024 + 4 * ((size_t)node->nin + node->nout) + (node->device_reason ? strlen(node->device_reason) : 0);
		for (unsigned int i = 0; i < node->nattrs; i++)
			room += 128 + strlen(node->attrs[i].name) + 8 * (size_t)node->attrs[i].n;
		if (!node->op)
			room += eie_layers_room(node->segment);
	}
	return room;
}

/* ---------------------------------------------------------------- reading */

static int find_word(struct eie_reader *r, const char *what, const char *const *names, int n, const char *word)
{
	for (int i = 0; i < n; i++)
		if (!strcmp(names[i], word))
			return i;
	return eie_not_supported(r, what, word);
}

/* A list of words that may be empty. */
static int read_words(struct eie_reader *r, int node, const char *name, unsigned int max, const fdt32_t **cells, unsigned int *n)
{
	return eie_get_cells(r, node, name, 0, max, cells, n);
}

/* Type, dims and elements of a constant; type and dims of an input. */
static int read_shape(struct eie_reader *r, int node, struct net_value *v)
{
	const fdt32_t *cells;
	const char *word;
	int ret = eie_get_string(r, node, "type", &word), type = 0;

	if (!ret)
		type = find_word(r, "element type", net_type_names, NET_NTYPES, word);
	if (ret || type < 0)
		return ret ? ret : type;
	v->type = (enum net_type)type;
	ret = read_words(r, node, "dims", NET_MAX_DIMS, &cells, &v->ndim);
	for (unsigned int i = 0; !ret && i < v->ndim; i++)
		v->dims[i] = fdt32_ld(cells + i);
	if (ret)
		return ret;
	v->count = net_count(v->ndim, v->dims);
	return v->count == UINT64_MAX ? BAD(r, "property 'dims': too many values") : 0;
}

/* Elements of a constant that are in node `reals`. */
static int read_reals(struct eie_reader *r, struct accel_network *net, struct net_value *v)
{
	float *data;
	int ret = v->type == NET_F32 ? eie_take_reals(r, REALS_CONSTANTS, "constant", v->count, &data, &v->stored_bytes) :
				       BAD(r, "a constant of type %s in 'reals'", net_type_names[v->type]);

	if (ret)
		return ret;
	v->data = data;
	net->constant_bytes += v->count * sizeof(float);
	return 0;
}

static int read_value(struct eie_reader *r, int node, struct accel_network *net)
{
	const char *label = "";
	struct net_value *v;
	uint32_t number;
	void *data;
	int ret = 0;

	if (fdt_getprop(r->fdt, node, "label", NULL))
		ret = eie_get_string(r, node, "label", &label);
	ret = ret ? ret : net_add_value(net, label, NET_F32, 0, NULL, &number, r->err);
	if (ret || !fdt_getprop(r->fdt, node, "type", NULL))
		return ret;
	v = &net->values[number];
	ret = read_shape(r, node, v);
	if (ret)
		return ret;
	if (r->has_reals && fdt_getprop(r->fdt, node, "reals", NULL))
		return read_reals(r, net, v);
	if (fdt_getprop(r->fdt, node, "code-bits", NULL)) {
		if (v->count * sizeof(float) > net->max_bytes - net->constant_bytes)
			return BAD(r, "constants of more than %llu bytes", (unsigned long long)net->max_bytes);
		ret = eie_read_coded(r, node, v);
		net->constant_bytes += ret ? 0 : v->count * sizeof(float);
		return ret;
	}
	if (fdt_subnode_offset(r->fdt, node, "data") < 0)
		return 0;
	/* memory only once the file has shown as many bytes */
	ret = eie_copy_blob(r, node, "data", v->count, net_type_size(v->type), &data);
	if (ret)
		return ret;
	v->data = data;
	v->stored_bytes = v->count * net_type_size(v->type);
	for (uint64_t i = 0; v->type == NET_BOOL && i < v->count; i++)
		if (((uint8_t *)data)[i] > 1)
			return BAD(r, "a bool is %u", ((uint8_t *)data)[i]);
	net->constant_bytes += v->count * net_type_size(v->type);
	return 0;
}

static int read_numbers(struct eie_reader *r, int node, const char *name, unsigned int *n, uint32_t **list)
{
	const fdt32_t *cells;
	int ret = read_words(r, node, name, ACCEL_MAX_NODES, &cells, n);

	if (ret)
		return ret;
	*list = malloc((*n + (size_t)1) * sizeof(**list));
	if (!*list)
		return eie_no_memory(r);
	for (unsigned int i = 0; i < *n; i++)
		(*list)[i] = fdt32_ld(cells + i);
	return 0;
}

static int read_attr(struct eie_reader *r, int at, struct net_node *node)
{
	const char *label, *text;
	const fdt32_t *cells;
	struct net_attr *a = NULL;
	unsigned int n;
	int ret = eie_get_string(r, at, "label", &label);

	if (ret)
		return ret;
	if (fdt_getprop(r->fdt, at, attr_props[NET_TEXT], NULL)) {
		ret = eie_get_string(r, at, attr_props[NET_TEXT], &text);
		if (!ret)
			a = net_node_add_attr(node, label, NET_TEXT, (uint32_t)strlen(text), text);
	} else if (fdt_getprop(r->fdt, at, attr_props[NET_FLOATS], NULL)) {
		ret = read_words(r, at, attr_props[NET_FLOATS], UINT32_MAX / 8, &cells, &n);
		if (!ret)
			a = net_node_add_attr(node, label, NET_FLOATS, n, cells);
		for (unsigned int i = 0; a && i < n; i++)
			a->floats[i] = eie_float_from_bits(fdt32_ld(cells + i));
	} else {
		ret = read_words(r, at, attr_props[NET_INTS], UINT32_MAX / 8, &cells, &n);
		if (!ret && n % 2)
			return BAD(r, "attribute '%s': %u words are no 64-bit numbers", label, n);
		if (!ret)
			a = net_node_add_attr(node, label, NET_INTS, n / 2, cells);
		for (unsigned int i = 0; a && i < n / 2; i++)
			a->ints[i] = (int64_t)((uint64_t)fdt32_ld(cells + 2 * i) << 32 | fdt32_ld(cells + 2 * i + 1));
	}
	if (ret)
		return ret;
	if (!a)
		return eie_no_memory(r);
	a->list = fdt_getprop(r->fdt, at, "list", NULL);
	return 0;
}

static int read_activation(struct eie_reader *r, int at, struct net_node *node)
{
	const char *word;
	uint32_t a, b;
	int kind, ret;

	if (!fdt_getprop(r->fdt, at, "activation", NULL))
		return 0;
	ret = eie_get_string(r, at, "activation", &word);
	ret = ret ? ret : eie_get_pair(r, at, "activation-parameters", &a, &b);
	if (ret)
		return ret;
	kind = find_word(r, "activation", act_names, NET_ACT_NKINDS, word);
	if (kind < 0)
		return kind;
	node->act = (struct net_act){ (enum net_act_kind)kind, eie_float_from_bits(a), eie_float_from_bits(b) };
	return 0;
}

/* The operator by name, or the segment. */
static int read_op(struct eie_reader *r, int at, struct net_node *node)
{
	int child = fdt_subnode_offset(r->fdt, at, "segment"), ret;
	const char *word;

	if (child >= 0) {
		node->segment = accel_model_alloc();
		return node->segment ? eie_read_layers(r, child, node->segment) : eie_no_memory(r);
	}
	ret = eie_get_string(r, at, "op", &word);
	ret = ret ? ret : eie_get_u32(r, at, "opset", &node->opset);
	if (ret)
		return ret;
	node->op = op_find(word);
	if (!node->op)
		return eie_not_supported(r, "operator", word);
	if (node->opset < NET_MIN_OPSET || node->opset > NET_MAX_OPSET)
		return BAD(r, "operator set %u", node->opset);
	return 0;
}

static int read_node(struct eie_reader *r, int at, struct net_node *node)
{
	const char *text;
	int attributes, child, ret = eie_get_string(r, at, "label", &text);

	if (ret)
		return ret;
	node->name = strdup(text);
	if (!node->name)
		return eie_no_memory(r);
	r->where = node->name;
	ret = read_numbers(r, at, "in", &node->nin, &node->in);
	ret = ret ? ret : read_numbers(r, at, "out", &node->nout, &node->out);
	ret = ret ? ret : read_activation(r, at, node);
	if (!ret && fdt_getprop(r->fdt, at, "reason", NULL)) {
		ret = eie_get_string(r, at, "reason", &text);
		node->device_reason = ret ? NULL : strdup(text);
		if (!ret && !node->device_reason)
			ret = eie_no_memory(r);
	}
	if (ret)
		return ret;
	attributes = fdt_subnode_offset(r->fdt, at, "attributes");
	if (attributes < 0)
		return BAD(r, "node 'attributes' is missing");
	fdt_for_each_subnode(child, r->fdt, attributes) {
		ret = read_attr(r, child, node);
		if (ret)
			return ret;
	}
	return read_op(r, at, node);
}

static int read_nodes(struct eie_reader *r, int base, struct accel_network *net)
{
	int parent, child, count = eie_count_children(r, base, "nodes", 'n', &parent);

	if (count < 0)
		return count;
	fdt_for_each_subnode(child, r->fdt, parent) {
		struct net_node node = { 0 };
		int ret = read_node(r, child, &node);

		r->where = NULL;
		if (ret) {
			net_node_clear(&node);
			return ret;
		}
		ret = net_add_node(net, &node, r->err);
		if (ret)
			return ret;
	}
	return 0;
}

int eie_read_network(struct eie_reader *r, struct accel_model *model)
{
	struct accel_network *net = net_new(r->file);
	int base = fdt_subnode_offset(r->fdt, 0, "network"), parent, child, ret;

	model->net = net;
	if (!net)
		return eie_no_memory(r);
	if (base < 0)
		return BAD(r, "node 'network' is missing");
	ret = eie_count_children(r, base, "values", 'v', &parent);
	if (ret < 0)
		return ret;
	fdt_for_each_subnode(child, r->fdt, parent) {
		ret = read_value(r, child, net);
		if (ret)
			return ret;
	}
	ret = eie_read_list(r, base, "inputs", &net->inputs, &net->ninputs);
	ret = ret ? ret : eie_read_list(r, base, "outputs", &net->outputs, &net->noutputs);
	return ret ? ret : read_nodes(r, base, net);
}
