// SPDX-License-Identifier: GPL-2.0 OR MIT
/* The state of a search as a text file: numbers of floats exactly, in hexadecimal; a check sum at the end. */
#include "compress_search.h"
#include "crc32c.h"
#include "file.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define TITLE "eie search 2"

/* ---------------------------------------------------------------- fingerprint */

/* FNV-1a over words of eight bytes (and what is left): of hundreds of megabytes. */
static void add(uint64_t *hash, const void *data, uint64_t n)
{
	const uint8_t *p = data;

	for (; n; ) {
		uint64_t word = 0, part = n < 8 ? n : 8;

		memcpy(&word, p, part);
		*hash = (*hash ^ word) * 0x100000001b3ull;
		/* a product moves nothing down */
		*hash ^= *hash >> 29;
		p += part;
		n -= part;
	}
}

static void add_number(uint64_t *hash, double v)
{
	add(hash, &v, sizeof(v));
}

static void add_options(uint64_t *hash, const struct accel_compress_options *o)
{
	const double numbers[] = { o->density, (double)o->file_bytes, (double)o->cycles, o->conv_bits, o->fc_bits, o->max_drop, (double)o->nlabelled, o->prune, o->share,
				   (double)(o->seed >> 32), (double)(o->seed & UINT32_MAX), o->noverrides, o->correct, o->scales, o->choose_bits, o->effort, o->row_groups };

	add(hash, numbers, sizeof(numbers));
	for (unsigned int i = 0; i < o->noverrides; i++) {
		const struct accel_compress_layer *l = &o->overrides[i];

		add(hash, l->pattern, strlen(l->pattern) + 1);
		add_number(hash, l->density);
		add_number(hash, l->bits);
		add_number(hash, l->keep);
		add_number(hash, l->row_groups);
	}
}

uint64_t search_fingerprint(const struct compress *c, const struct compress_source *s, const struct accel_network *net)
{
	const struct accel_compress_options *o = c->options;
	uint64_t hash = 0xcbf29ce484222325ull;
	const struct net_value *in = net->ninputs ? &net->values[net->inputs[0]] : NULL;

	add(&hash, accel_version(), strlen(accel_version()));
	add_options(&hash, o);
	for (unsigned int n = 0; n < net->nnodes; n++) {
		add(&hash, net->nodes[n].name, strlen(net->nodes[n].name) + 1);
		add(&hash, net_op_name(&net->nodes[n]), strlen(net_op_name(&net->nodes[n])) + 1);
	}
	for (unsigned int v = 0; v < net->nvalues; v++) {
		const struct net_value *value = &net->values[v];

		add(&hash, value->dims, value->ndim * sizeof(*value->dims));
		if (value->data)
			add(&hash, value->data, value->count * net_type_size(value->type));
	}
	add_number(&hash, (double)s->onnx.ncalib);
	for (unsigned int k = 0; s->onnx.ncalib && k < net->ninputs; k++) {
		const float *values = s->onnx.calib_inputs ? s->onnx.calib_inputs[k] : k ? NULL : s->onnx.calib;

		if (values)
			add(&hash, values, s->onnx.ncalib * net->values[net->inputs[k]].count * sizeof(float));
	}
	if (o->nlabelled && o->labels && in)
		add(&hash, o->labels, o->nlabelled * sizeof(*o->labels));
	if (o->nlabelled && o->labelled && in)
		add(&hash, o->labelled, o->nlabelled * in->count * sizeof(*o->labelled));
	return hash;
}

/* ---------------------------------------------------------------- file */

int search_save(const struct search *h)
{
	const char *path = h->c->options->search_state;
	char *text = NULL;
	size_t size;
	FILE *out;
	int ret;

	if (!path)
		return 0;
	out = open_memstream(&text, &size);
	if (!out)
		return accel_fail(h->c->err, -ENOMEM, NULL, "%s: out of memory", path);
	fprintf(out, TITLE "\n%016" PRIx64 "\n%u %u %016" PRIx64 "\n%a %a %a\n%" PRIu64 " %" PRIu64 " %" PRIu64 "\n%u\n", h->fingerprint, h->tried, h->better, h->random,
		h->error, h->first_error, h->offset, h->amount, h->first_amount, h->goal, h->c->n);
	for (unsigned int i = 0; i < h->c->n; i++)
		fprintf(out, "%" PRIu64 " %u %u\n", h->best[i].keep, h->best[i].uniform, h->best[i].bits);
	fflush(out);
	fprintf(out, "%08" PRIx32 "\n", accel_crc32c(0, text, size));
	ret = fclose(out) ? -ENOMEM : 0;
	ret = ret ? accel_fail(h->c->err, ret, NULL, "%s: out of memory", path) : accel_file_write(path, text, size, h->c->err);
	free(text);
	return ret;
}

/* The text before the check sum, with a zero behind it; false: it is not what was written. */
static bool checked(char *text, size_t size)
{
	unsigned long sum;
	char *end;

	if (size < 10 || text[size - 1] != '\n' || text[size - 10] != '\n')
		return false;
	text[size - 1] = 0;
	sum = strtoul(text + size - 9, &end, 16);
	if (end != text + size - 1 || sum != accel_crc32c(0, text, size - 9))
		return false;
	text[size - 9] = 0;
	return true;
}

static bool parse(struct search *h, const char *text, uint64_t *fingerprint)
{
	unsigned int n;
	int at;

	if (sscanf(text, TITLE " %" SCNx64 "%n", fingerprint, &at) != 1)
		return false;
	/* what follows is only as long as expected when it is of this network */
	if (*fingerprint != h->fingerprint)
		return true;
	text += at;
	if (sscanf(text, "%u %u %" SCNx64 " %la %la %la %" SCNu64 " %" SCNu64 " %" SCNu64 " %u%n", &h->tried, &h->better, &h->random, &h->error, &h->first_error, &h->offset,
		   &h->amount, &h->first_amount, &h->goal, &n, &at) != 10 || n != h->c->n)
		return false;
	for (unsigned int i = 0; i < n; i++) {
		const struct compress_layer *l = &h->c->layer[i];

		text += at;
		if (sscanf(text, "%" SCNu64 " %u %u%n", &h->best[i].keep, &h->best[i].uniform, &h->best[i].bits, &at) != 3 || h->best[i].uniform >= COMPRESS_SHARES || !h->best[i].keep || h->best[i].keep > l->n ||
		    h->best[i].bits > 8 || !h->best[i].bits != !l->bits)
			return false;
	}
	return true;
}

int search_load(struct search *h, bool *found)
{
	const char *path = h->c->options->search_state;
	uint64_t fingerprint = 0;
	size_t size;
	void *text;
	bool good;
	int ret;

	*found = false;
	if (!path || (access(path, F_OK) && errno == ENOENT))
		return 0;
	ret = accel_file_read(path, &text, &size, h->c->err);
	if (ret)
		return ret;
	good = checked(text, size) && parse(h, text, &fingerprint);
	free(text);
	if (!good)
		return accel_fail(h->c->err, -EBADMSG, NULL, "%s: is no state of a search, or damaged; remove it to begin anew", path);
	if (fingerprint != h->fingerprint)
		return accel_fail(h->c->err, -EEXIST, NULL, "%s: is of a search with another network, other options or other inputs; repeat that, or remove the file to begin anew",
				  path);
	*found = true;
	return 0;
}
