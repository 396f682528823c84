// SPDX-License-Identifier: GPL-2.0 OR MIT
/* The report: one HTML page with its pictures as SVG and its figures as JSON; no script, nothing from elsewhere. */
#include "profile.h"

#include "json.h"
#include "runner.h"

#include <math.h>
#include <string.h>

#define WIDTH 1100	/* of a picture */
#define LABEL 170	/* of it, for names */
#define BAR 18
#define PIXELS (WIDTH - LABEL)

static void text(FILE *out, const char *s)
{
	for (; s && *s; s++) {
		if (*s == '<')
			fputs("&lt;", out);
		else if (*s == '&')
			fputs("&amp;", out);
		else if (*s == '"')
			fputs("&quot;", out);
		else
			fputc(*s, out);
	}
}

static void begin(FILE *out, const char *id, const char *title, const char *about, unsigned int height)
{
	fprintf(out, "<h2>%s</h2>\n<p>%s</p>\n<svg id=\"%s\" viewBox=\"0 0 %d %u\" width=\"%d\" height=\"%u\" role=\"img\" aria-label=\"%s\">\n",
		title, about, id, WIDTH, height, WIDTH, height, title);
}

static void label(FILE *out, double x, double y, const char *s)
{
	fprintf(out, "<text x=\"%.1f\" y=\"%.1f\">", x, y);
	text(out, s);
	fputs("</text>\n", out);
}

/* name: what a pointer over it shows. */
static void box(FILE *out, const char *class, double x, double y, double w, double h, const char *name, double value)
{
	fprintf(out, "<rect class=\"%s\" x=\"%.2f\" y=\"%.1f\" width=\"%.2f\" height=\"%.1f\"><title>", class, x, y, w > 0.3 ? w : 0.3, h);
	text(out, name);
	fprintf(out, ": %.10g</title></rect>\n", value);
}

static bool on_engine(const struct profile_layer *l)
{
	return l->model.cycles > 0;
}

static uint64_t engine_layers(const struct profile *p)
{
	uint64_t n = 0;

	for (uint64_t i = 0; i < p->nlayers; i++)
		n += on_engine(&p->layer[i]);
	return n;
}

/* A lane: the share of each pixel's time in which its engine had a command. */
static void lane(const struct profile *p, FILE *out, const char *engine, double y, double scale)
{
	static double used[PIXELS];
	struct accel_span span;
	double reach = 0;

	memset(used, 0, sizeof(used));
	for (uint64_t i = 0; !accel_estimate_span(p->estimate, i, &span); i++) {
		double from, to;

		if (strcmp(span.engine, engine))
			continue;
		from = (double)(p->job[span.job].start + span.start) * scale;
		to = (double)(p->job[span.job].start + span.end) * scale;
		/* commands overlap; time counts once */
		from = from > reach ? from : reach;
		reach = to > reach ? to : reach;
		for (int x = (int)from; x < PIXELS && x < to; x++) {
			double a = from > x ? from : x, b = to < x + 1 ? to : x + 1;

			used[x] += b > a ? b - a : 0;
		}
	}
	label(out, 0, y + 13, engine);
	for (int x = 0; x < PIXELS; x++)
		if (used[x] > 0.001)
			fprintf(out, "<rect class=\"%s\" x=\"%d\" y=\"%.1f\" width=\"1\" height=\"%d\" opacity=\"%.2f\"/>\n", engine,
				LABEL + x, y, BAR - 2, used[x] < 1 ? 0.15 + 0.85 * used[x] : 1);
}

static void timeline(const struct profile *p, FILE *out)
{
	const struct profile_job *last = &p->job[p->njobs - 1];
	uint64_t end = last->start + (last->cycles > last->model_cycles ? last->cycles : last->model_cycles);
	double scale = (double)PIXELS / (double)(end ? end : 1);
	char name[200];

	begin(out, "timeline", "Timeline",
	      p->measured ? "Jobs as the device timed them; inside of a job the cost model tells when each engine had commands." :
			    "The device has no clock: jobs and what is inside of them are the cost model's.", 4 * BAR + 20);
	label(out, 0, 13, p->measured ? "jobs (measured)" : "jobs (model)");
	for (uint64_t i = 0; i < p->njobs; i++) {
		snprintf(name, sizeof(name), "job %llu, %s to %s, cycles", (unsigned long long)i,
			 p->layer[p->job[i].first_layer].place.layer, p->layer[p->job[i].last_layer].place.layer);
		box(out, i % 2 ? "job odd" : "job", LABEL + (double)p->job[i].start * scale, 0, (double)p->job[i].cycles * scale, BAR - 2,
		    name, (double)p->job[i].cycles);
	}
	lane(p, out, "load", BAR, scale);
	lane(p, out, "compute", 2 * BAR, scale);
	lane(p, out, "store", 3 * BAR, scale);
	snprintf(name, sizeof(name), "0 to %s cycles", text_count(end).s);
	label(out, LABEL, 4 * BAR + 14, name);
	fputs("</svg>\n", out);
}

static void layers(const struct profile *p, FILE *out)
{
	uint64_t most = 1;
	double y = 0;

	for (uint64_t i = 0; i < p->nlayers; i++) {
		const struct profile_layer *l = &p->layer[i];

		most = l->model.cycles > most ? l->model.cycles : most;
		most = l->memory_cycles > most ? l->memory_cycles : most;
		most = on_engine(l) && l->place.ideal_cycles > most ? l->place.ideal_cycles : most;
	}
	begin(out, "cycles", "Cycles of each layer",
	      "By the cost model, with the activations of this input. The thick bar is what the layer took, dark where it multiplied; below it "
	      "the ideal (all activations non-zero, every multiplier busy), then its bytes at 16 a cycle.",
	      (unsigned int)(engine_layers(p) * 26 + 4));
	for (uint64_t i = 0; i < p->nlayers; i++) {
		const struct profile_layer *l = &p->layer[i];
		double scale = (double)(PIXELS - 90) / (double)most;

		if (!on_engine(l))
			continue;
		label(out, 0, y + 12, l->place.layer);
		box(out, "cycles", LABEL, y, (double)l->model.cycles * scale, 12, "cycles", (double)l->model.cycles);
		box(out, "busy", LABEL, y, (double)l->model.busy * scale, 12, "multiplying", (double)l->model.busy);
		box(out, "ideal", LABEL, y + 13, (double)l->place.ideal_cycles * scale, 4, "ideal", (double)l->place.ideal_cycles);
		box(out, "memory", LABEL, y + 18, (double)l->memory_cycles * scale, 4, "memory", (double)l->memory_cycles);
		label(out, LABEL + (double)l->model.cycles * scale + 5, y + 11, text_count(l->model.cycles).s);
		y += 26;
	}
	fputs("</svg>\n", out);
}

/* Williams, Waterman, Patterson, "Roofline", 2009: products a cycle against products a byte, both axes logarithmic. */
static void roofline(const struct profile *p, FILE *out)
{
	const double x0 = 0.1, x1 = 10000, y0 = 0.25, y1 = p->clusters * p->lanes * 1.5, h = 300, roof = p->clusters * p->lanes;
	const double sx = (WIDTH - 80) / log(x1 / x0), sy = (h - 30) / log(y1 / y0), knee = roof / 16;

	begin(out, "roofline", "Roofline",
	      "Products a cycle against products a byte that goes to or from memory. The line is the bound of an engine that skips no zero: to the left memory's 16 bytes a "
	      "cycle, to the right the multipliers. All products count as if no activation were zero, so skipped zeros lift a layer above it.", 310);
	fprintf(out, "<polyline class=\"roof\" points=\"%.1f,%.1f %.1f,%.1f %.1f,%.1f\"/>\n", 60.0, h - 30 - sy * log(16 * x0 / y0 > 1 ? 16 * x0 / y0 : 1),
		60 + sx * log(knee / x0), h - 30 - sy * log(roof / y0), 60 + sx * log(x1 / x0), h - 30 - sy * log(roof / y0));
	for (uint64_t i = 0; i < p->nlayers; i++) {
		const struct profile_layer *l = &p->layer[i];
		double products = (double)l->place.ideal_cycles * roof, bytes = (double)(l->place.bytes_loaded + l->place.bytes_stored), x, y;

		if (!on_engine(l) || products <= 0)
			continue;
		x = products / (bytes > 0 ? bytes : 1);
		y = products / (double)l->model.cycles;
		x = x < x0 ? x0 : x > x1 ? x1 : x;
		y = y < y0 ? y0 : y > y1 ? y1 : y;
		fprintf(out, "<circle class=\"dot\" cx=\"%.1f\" cy=\"%.1f\" r=\"5\"><title>", 60 + sx * log(x / x0), h - 30 - sy * log(y / y0));
		text(out, l->place.layer);
		fprintf(out, ": %.3g products a cycle, %.3g a byte</title></circle>\n", products / (double)l->model.cycles, products / (bytes > 0 ? bytes : 1));
	}
	label(out, 60, h - 5, "0.1 products a byte");
	label(out, WIDTH - 130, h - 5, "10,000");
	label(out, 0, h - 30 - sy * log(roof / y0) + 4, text_count((uint64_t)roof).s);
	fputs("</svg>\n", out);
}

static void balance(const struct profile *p, FILE *out)
{
	double y = 0;

	begin(out, "balance", "Load balance",
	      "What the lanes of each cluster had to decode, as a share of the busiest one's. Where bars are short, a cluster waited.",
	      (unsigned int)(engine_layers(p) * 20 + 4));
	for (uint64_t i = 0; i < p->nlayers; i++) {
		const struct profile_layer *l = &p->layer[i];
		double w = (double)PIXELS / (p->clusters ? p->clusters : 1);
		uint64_t most = 0;

		for (unsigned int c = 0; c < p->clusters && c < 16; c++)
			most = l->cluster[c] > most ? l->cluster[c] : most;
		if (!on_engine(l) || !most)
			continue;
		label(out, 0, y + 13, l->place.layer);
		for (unsigned int c = 0; c < p->clusters && c < 16; c++)
			box(out, "entries", LABEL + c * w, y, (w - 4) * (double)l->cluster[c] / (double)most, 14, "entries", (double)l->cluster[c]);
		y += 20;
	}
	fputs("</svg>\n", out);
}

static void density(const struct profile *p, FILE *out)
{
	uint64_t n = 0;
	double y = 0;

	for (uint64_t i = 0; i < p->nlayers; i++)
		n += p->layer[i].layer.nonzeros > 0;
	begin(out, "density", "Density", "Share of each layer's weights that is not zero.", (unsigned int)(n * 20 + 4));
	for (uint64_t i = 0; i < p->nlayers; i++) {
		const struct profile_layer *l = &p->layer[i];
		char share[32];

		if (!l->layer.nonzeros)
			continue;
		snprintf(share, sizeof(share), "%.1f %%", 100 * l->density);
		label(out, 0, y + 13, l->place.layer);
		box(out, "density", LABEL, y, (PIXELS - 70) * l->density, 14, "density", l->density);
		label(out, LABEL + (PIXELS - 70) * l->density + 5, y + 12, share);
		y += 20;
	}
	fputs("</svg>\n", out);
}

static void summary(const struct profile *p, FILE *out)
{
	fputs("<h1>", out);
	text(out, p->model_path);
	fputs("</h1>\n<table id=\"summary\">\n<tr><th>Device</th><td>", out);
	text(out, p->device.s);
	fputs("</td></tr>\n<tr><th>Input</th><td>", out);
	text(out, p->input);
	fprintf(out, "</td></tr>\n<tr><th>Cycles</th><td id=\"total\">%s</td></tr>\n<tr><th>They are from</th><td>%s</td></tr>\n", text_count(p->stats.cycles).s,
		p->measured ? "the device's counters, the second run" : "the cost model: the device counts none");
	fprintf(out, "<tr><th>By the cost model</th><td id=\"model\">%s</td></tr>\n", text_count(p->model.cycles).s);
	if (p->stats.cycles)
		fprintf(out, "<tr><th>Multiplying</th><td id=\"busy\">%.1f %%</td></tr>\n<tr><th>Else</th><td>%s</td></tr>\n",
			100 * (double)p->stats.busy / (double)p->stats.cycles, text_stalls(&p->stats).s);
	fprintf(out, "<tr><th>Jobs, layers</th><td>%s, %s</td></tr>\n</table>\n", text_count(p->njobs).s, text_count(p->nlayers).s);
}

static void on_cpu(const struct profile *p, FILE *out)
{
	bool any = false;

	for (uint64_t i = 0; i < p->nlayers; i++) {
		const struct profile_layer *l = &p->layer[i];

		if (!strcmp(l->place.where, "device"))
			continue;
		if (!any)
			fputs("<h2>On the CPU</h2>\n<p>Their steps are counted, not their time.</p>\n<table id=\"cpu\">\n", out);
		any = true;
		fputs("<tr><td>", out);
		text(out, l->place.layer);
		fprintf(out, "</td><td>%s steps</td><td>", text_count(l->place.steps).s);
		text(out, l->place.reason);
		fputs("</td></tr>\n", out);
	}
	fputs(any ? "</table>\n" : "", out);
}

void profile_page(const struct profile *p, FILE *out)
{
	struct json j;

	fputs("<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>eie profile</title>\n<style>\n"
	      "body{font:14px sans-serif;margin:2em auto;max-width:1120px}text{font:11px sans-serif}th{text-align:left;padding-right:1em}\n"
	      "svg{background:#fafafa}.job{fill:#777}.odd{fill:#aaa}.load{fill:#2a7}.compute{fill:#26b}.store{fill:#c62}.cycles{fill:#9bd}\n"
	      ".busy{fill:#26b}.ideal{fill:#2a7}.memory{fill:#c62}.entries{fill:#26b}.density{fill:#86a}.dot{fill:#c33;opacity:.7}\n"
	      ".roof{fill:none;stroke:#333}\n</style></head><body>\n", out);
	summary(p, out);
	if (p->njobs && p->estimate)
		timeline(p, out);
	if (engine_layers(p)) {
		layers(p, out);
		roofline(p, out);
		balance(p, out);
	}
	density(p, out);
	on_cpu(p, out);
	/* json_text() leaves no '<' in names, so none ends the element */
	fputs("<script type=\"application/json\" id=\"figures\">\n", out);
	json_begin(&j, out);
	profile_figures(p, &j);
	json_end(&j);
	fputs("</script>\n</body></html>\n", out);
}
