// SPDX-License-Identifier: GPL-2.0 OR MIT
#include "compress_report.h"
#include "file.h"
#include "signals.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define STRIP 900.0 /* width of the picture of the file, in pixels */
#define BAR   240.0 /* of the largest layer */

/* Parts of a file, in the order in which they are drawn. */
enum part { CODES, POSITIONS, FLOATS, REST, PARTS };

static const struct {
	const char *name, *colour;
} parts[PARTS] = {
	[CODES] = { "codes", "#3b6ea5" },
	[POSITIONS] = { "positions", "#e0a030" },
	[FLOATS] = { "codebooks, biases and other numbers", "#5a9a5a" },
	[REST] = { "description of the network", "#b0b0b0" },
};

void compress_report_add(struct compress_report *r, const struct accel_compress_info *info)
{
	struct report_layer *bigger = realloc(r->layer, (r->n + (size_t)1) * sizeof(*bigger));

	if (!bigger) {
		r->no_memory = true;
		return;
	}
	r->layer = bigger;
	bigger[r->n] = (struct report_layer){ strdup(info->layer), info->bits, info->snr };
	r->no_memory = r->no_memory || !bigger[r->n].name;
	r->n += bigger[r->n].name != NULL;
}

void compress_report_free(struct compress_report *r)
{
	for (unsigned int i = 0; i < r->n; i++)
		free(r->layer[i].name);
	free(r->layer);
	*r = (struct compress_report){ 0 };
}

static const struct report_layer *find(const struct compress_report *r, const char *name)
{
	for (unsigned int i = 0; i < r->n; i++)
		if (!strcmp(r->layer[i].name, name))
			return &r->layer[i];
	return NULL;
}

/* ---------------------------------------------------------------- text */

/* Bytes of the UTF-8 sequence at s, 0 when it is none (overlong, a surrogate, beyond Unicode): XML has no place for that. */
static unsigned int sequence(const unsigned char *s)
{
	unsigned int n = *s < 0xc2 || *s > 0xf4 ? 0 : *s < 0xe0 ? 2 : *s < 0xf0 ? 3 : 4;

	for (unsigned int i = 1; i < n; i++)
		if ((s[i] & 0xc0) != 0x80)
			return 0;
	if ((*s == 0xe0 && s[1] < 0xa0) || (*s == 0xed && s[1] > 0x9f) || (*s == 0xf0 && s[1] < 0x90) || (*s == 0xf4 && s[1] > 0x8f))
		return 0;
	return n;
}

static void escape(FILE *out, const char *text)
{
	const unsigned char *s = (const unsigned char *)text;

	while (*s) {
		unsigned int n = *s < 0x80 ? 1 : sequence(s);

		if (*s == '&')
			fputs("&amp;", out);
		else if (*s == '<')
			fputs("&lt;", out);
		else if (*s == '>')
			fputs("&gt;", out);
		else if (*s == '"')
			fputs("&quot;", out);
		else if (!n || *s < 0x20 || *s == 0x7f)
			fputc('?', out);
		else
			fwrite(s, 1, n, out);
		s += n ? n : 1;
	}
}

/* A cell that also has the plain number, for programs. */
static void number(FILE *out, const char *what, uint64_t n)
{
	fprintf(out, "<td class=\"%s\" data-n=\"%" PRIu64 "\">%s</td>", what, n, text_count(n).s);
}

static void rectangle(FILE *out, double x, double width, double height, enum part part, uint64_t bytes)
{
	if (bytes)
		fprintf(out, "<rect x=\"%.2f\" width=\"%.2f\" height=\"%g\" fill=\"%s\"><title>%s: %s bytes</title></rect>", x, width, height,
			parts[part].colour, parts[part].name, text_count(bytes).s);
}

/* ---------------------------------------------------------------- page */

struct page {
	uint64_t file, floats, weights, nonzeros, part[PARTS], largest; /* largest: bytes of a layer */
};

static uint64_t layer_bytes(const struct accel_layer_info *l)
{
	return l->file_bytes_codes + l->file_bytes_index + l->file_bytes_other;
}

static uint64_t layer_weights(const struct accel_layer_info *l)
{
	return (uint64_t)l->rows * l->cols / l->groups + l->weights;
}

static struct page sum_up(const struct accel_model *model)
{
	struct page p = { .file = accel_model_file_bytes(model) };
	struct accel_layer_info l;

	for (unsigned int i = 0; !accel_model_layer(model, i, &l); i++) {
		p.floats += layer_float_bytes(&l);
		p.weights += layer_weights(&l);
		p.nonzeros += l.nonzeros;
		p.part[CODES] += l.file_bytes_codes;
		p.part[POSITIONS] += l.file_bytes_index;
		p.part[FLOATS] += l.file_bytes_other;
		p.largest = layer_bytes(&l) > p.largest ? layer_bytes(&l) : p.largest;
	}
	p.part[REST] = p.file - p.part[CODES] - p.part[POSITIONS] - p.part[FLOATS];
	return p;
}

static void put_head(FILE *out, const char *network, const char *model, const struct page *p)
{
	double x = 0;

	fputs("<!DOCTYPE html>\n<html xmlns=\"http://www.w3.org/1999/xhtml\" lang=\"en\">\n<head>\n<meta charset=\"utf-8\"/>\n<title>", out);
	escape(out, model);
	fputs("</title>\n<style>\nbody { font: 14px sans-serif; margin: 2em; }\ntable { border-collapse: collapse; }\n"
	      "td, th { padding: 0.2em 0.6em; text-align: right; border-bottom: 1px solid #ddd; white-space: nowrap; }\n"
	      "td.text, th.text { text-align: left; }\n.key { display: inline-block; width: 1em; height: 1em; margin: 0 0.3em 0 1em; }\n</style>\n"
	      "</head>\n<body>\n<h1>",
	      out);
	escape(out, model);
	fputs("</h1>\n<p>Made of ", out);
	escape(out, network);
	fprintf(out, ": <b id=\"file\" data-n=\"%" PRIu64 "\">%s bytes</b>, %.1f times smaller than its weights and biases as float32 (<span id=\"floats\" data-n=\"%" PRIu64
		     "\">%s bytes</span>); %.2f %% of %s weights are not zero.</p>\n",
		p->file, text_count(p->file).s, (double)p->floats / (double)p->file, p->floats, text_count(p->floats).s,
		p->weights ? 100 * (double)p->nonzeros / (double)p->weights : 0, text_count(p->weights).s);
	fprintf(out, "<h2>Where the bytes are</h2>\n<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%g\" height=\"32\">", STRIP);
	for (enum part i = 0; i < PARTS; i++) {
		double width = STRIP * (double)p->part[i] / (double)p->file;

		rectangle(out, x, width, 32, i, p->part[i]);
		x += width;
	}
	fputs("</svg>\n<p>", out);
	for (enum part i = 0; i < PARTS; i++)
		fprintf(out, "<span class=\"key\" style=\"background: %s\"></span>%s: <span class=\"part\" data-n=\"%" PRIu64 "\">%s</span> ", parts[i].colour, parts[i].name,
			p->part[i], text_count(p->part[i]).s);
	fputs("</p>\n", out);
}

static void put_layer(FILE *out, const struct accel_layer_info *l, const struct report_layer *told, const struct page *p)
{
	const uint64_t bytes[] = { [CODES] = l->file_bytes_codes, [POSITIONS] = l->file_bytes_index, [FLOATS] = l->file_bytes_other };
	uint64_t weights = layer_weights(l), all = layer_bytes(l);
	double x = 0;

	fputs("<tr><td class=\"text name\">", out);
	escape(out, l->name);
	fputs("</td><td class=\"text\">", out);
	escape(out, l->op);
	fputs("</td>", out);
	number(out, "weights", weights);
	number(out, "nonzeros", l->nonzeros);
	if (weights)
		fprintf(out, "<td>%.2f %%</td>", 100 * (double)l->nonzeros / (double)weights);
	else
		fputs("<td></td>", out);
	if (told && told->bits)
		number(out, "bits", told->bits);
	else
		fputs("<td></td>", out);
	number(out, "values", l->codebook_size);
	if (told && told->bits && isfinite(told->snr))
		fprintf(out, "<td class=\"snr\">%.1f</td>", told->snr);
	else
		fputs("<td></td>", out);
	number(out, "before", layer_float_bytes(l));
	number(out, "codes", l->file_bytes_codes);
	number(out, "index", l->file_bytes_index);
	number(out, "other", l->file_bytes_other);
	number(out, "after", all);
	if (all)
		fprintf(out, "<td>%.1f</td>", (double)layer_float_bytes(l) / (double)all);
	else
		fputs("<td></td>", out);
	fprintf(out, "<td class=\"text\"><svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%g\" height=\"14\">", BAR);
	for (enum part i = 0; i < REST; i++) {
		double width = p->largest ? BAR * (double)bytes[i] / (double)p->largest : 0;

		rectangle(out, x, width, 14, i, bytes[i]);
		x += width;
	}
	fputs("</svg></td></tr>\n", out);
}

static void put_page(FILE *out, const char *network, const char *path, const struct accel_model *model, const struct compress_report *r)
{
	struct page p = sum_up(model);
	struct accel_layer_info l;

	put_head(out, network, path, &p);
	fputs("<h2>Layers</h2>\n<table>\n<tr><th class=\"text\">layer</th><th class=\"text\">operator</th><th>weights</th><th>not zero</th><th>density</th><th>bits</th>"
	      "<th>values</th><th>SNR, dB</th><th>float32 bytes</th><th>codes</th><th>positions</th><th>other</th><th>bytes now</th><th>times</th><th></th></tr>\n",
	      out);
	for (unsigned int i = 0; !accel_model_layer(model, i, &l); i++)
		if (layer_weights(&l))
			put_layer(out, &l, find(r, l.name), &p);
	fputs("</table>\n<p>SNR: of the layer's output with calibration inputs, else of its weights. Layers without weights are left out.</p>\n</body>\n</html>\n", out);
}

int compress_report_write(const char *path, const char *network, const char *model_path, const struct compress_report *r)
{
	struct accel_error err = { 0 };
	struct accel_model *model;
	sigset_t before;
	size_t size = 0;
	char *page = NULL;
	FILE *out;
	int ret;

	if (accel_model_open(model_path, &model, &err))
		return fail_accel(model_path, &err);
	out = r->no_memory ? NULL : open_memstream(&page, &size);
	if (out)
		put_page(out, network, model_path, model, r);
	accel_model_unref(model);
	if (!out || fclose(out)) {
		free(page);
		return fail("%s: out of memory", path);
	}
	signals_hold(path, &before);
	ret = accel_file_write(path, page, size, &err);
	signals_release(&before);
	free(page);
	return ret ? fail_accel(path, &err) : EXIT_OK;
}
