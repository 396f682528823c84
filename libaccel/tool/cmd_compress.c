// SPDX-License-Identifier: GPL-2.0 OR MIT
#include "compress_report.h"
#include "dataset.h"
#include "layer_file.h"
#include "made.h"
#include "progress.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int check_names(const char *in, const char *out)
{
	if (!has_suffix(in, ".onnx"))
		return fail("%s: unknown kind of file; compress takes .onnx (weights that share values already: eie import)", in);
	if (made_same_file(in, out))
		return fail("%s: would be overwritten by the model; give another name to -o", in);
	return EXIT_OK;
}

/* ---------------------------------------------------------------- options */

static int parse_density(const char *word, double *density)
{
	char *end;

	*density = strtod(word, &end);
	if (end != word && *end == '%' && !end[1]) {
		*density /= 100;
		end++;
	}
	if (end == word || *end || !(*density > 0) || *density > 1)
		return usage("compress", "--density: '%s' is not a share of weights: above 0, at most 1 (or 100%%)", word);
	return EXIT_OK;
}

/* 500000, 500k, 1.5M: powers of 1,000 as disks have them. */
static int parse_amount(const char *option, const char *what, const char *word, uint64_t *amount)
{
	char *end;
	double n = strtod(word, &end);

	if (end != word && (*end == 'k' || *end == 'M')) {
		n *= *end == 'k' ? 1e3 : 1e6;
		end++;
	}
	if (end == word || *end || !(n >= 1) || n > 1e15)
		return usage("compress", "%s: '%s' is not a number of %s, as 500000, 500k or 1.5M", option, word, what);
	*amount = (uint64_t)n;
	return EXIT_OK;
}

static int parse_drop(const char *word, double *drop)
{
	char *end;

	*drop = strtod(word, &end);
	if (end == word || *end || !(*drop > 0) || *drop > 100)
		return usage("compress", "--max-drop: '%s' is not a number of points (of 100) above 0", word);
	return EXIT_OK;
}

/* "N", "CONV,FC" or "auto" */
static int parse_bits(const char *word, unsigned int *conv, unsigned int *fc, bool *choose)
{
	const char *second = word[0] ? word + 1 : word;

	*choose = !strcmp(word, "auto");
	if (*choose)
		return EXIT_OK;
	if (word[0] < '1' || word[0] > '8')
		goto bad;
	*conv = *fc = (unsigned int)(word[0] - '0');
	if (!*second)
		return EXIT_OK;
	if (second[0] != ',' || second[1] < '1' || second[1] > '8' || second[2])
		goto bad;
	*fc = (unsigned int)(second[1] - '0');
	return EXIT_OK;
bad:
	return usage("compress", "--bits: '%s' is not N or CONV,FC, each 1 to 8, or auto", word);
}

static int parse_share(const char *word, enum accel_share *share)
{
	static const char *const names[] = {
		[ACCEL_SHARE_OPTIMAL] = "optimal", [ACCEL_SHARE_LINEAR] = "linear", [ACCEL_SHARE_DENSITY] = "density", [ACCEL_SHARE_RANDOM] = "random",
	};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (strcmp(word, names[i]))
			continue;
		*share = (enum accel_share)i;
		return EXIT_OK;
	}
	return usage("compress", "--share: '%s' is none of optimal, linear, density, random", word);
}

static int parse_prune(const char *word, enum accel_prune *prune)
{
	*prune = strcmp(word, "magnitude") ? ACCEL_PRUNE_SECOND_ORDER : ACCEL_PRUNE_MAGNITUDE;
	if (*prune == ACCEL_PRUNE_MAGNITUDE || !strcmp(word, "second-order"))
		return EXIT_OK;
	return usage("compress", "--prune: '%s' is neither magnitude nor second-order", word);
}

static int parse_scales(const char *word, enum accel_scales *scales)
{
	*scales = strcmp(word, "row") ? ACCEL_SCALES_LAYER : ACCEL_SCALES_ROW;
	if (*scales == ACCEL_SCALES_ROW || !strcmp(word, "layer"))
		return EXIT_OK;
	return usage("compress", "--scales: '%s' is neither row nor layer", word);
}

static int parse_correct(const char *word, enum accel_correct *correct)
{
	*correct = strcmp(word, "none") ? ACCEL_CORRECT_DISTIL : ACCEL_CORRECT_NONE;
	if (*correct == ACCEL_CORRECT_NONE || !strcmp(word, "distil"))
		return EXIT_OK;
	return usage("compress", "--correct: '%s' is neither none nor distil", word);
}

static int parse_effort(const char *word, double *effort)
{
	char *end;

	*effort = strtod(word, &end);
	if (end == word || *end || !(*effort > 0) || *effort > 1e6)
		return usage("compress", "--effort: '%s' is not a number above 0, at most a million", word);
	return EXIT_OK;
}

struct words {
	const char *density, *size, *cycles, *drop, *bits, *share, *prune, *correct, *scales, *effort;
};

static int parse_words(const struct words *w, struct accel_compress_options *o)
{
	int status = w->density ? parse_density(w->density, &o->density) : EXIT_OK;

	if (!status && w->size)
		status = parse_amount("--size", "bytes", w->size, &o->file_bytes);
	if (!status && w->cycles)
		status = parse_amount("--cycles", "cycles", w->cycles, &o->cycles);
	if (!status && w->drop)
		status = parse_drop(w->drop, &o->max_drop);
	if (!status && (w->density != NULL) + (w->size != NULL) + (w->cycles != NULL) + (w->drop != NULL) > 1)
		status = usage("compress", "--density, --size, --cycles, --max-drop: give one of them, it decides how much is pruned");
	if (!status && w->bits)
		status = parse_bits(w->bits, &o->conv_bits, &o->fc_bits, &o->choose_bits);
	if (!status && w->share)
		status = parse_share(w->share, &o->share);
	if (!status && w->prune)
		status = parse_prune(w->prune, &o->prune);
	if (!status && w->correct)
		status = parse_correct(w->correct, &o->correct);
	if (!status && w->scales)
		status = parse_scales(w->scales, &o->scales);
	if (!status && w->effort)
		status = parse_effort(w->effort, &o->effort);
	return status;
}

/* ---------------------------------------------------------------- what is told */

struct teller {
	const struct tool *tool;
	struct progress progress;
	uint64_t items; /* of calibration */
	struct compress_report report;
	bool titled;
	bool points; /* accuracy is the goal */
};

static int step(void *arg, const char *layer, unsigned int done, unsigned int total)
{
	struct teller *t = arg;

	if (total == UINT32_MAX && !strcmp(layer, "(search)")) {
		detail(t->tool, "try %u", done + 1);
		return 0;
	}
	if (total == UINT32_MAX) {
		total = (unsigned int)t->items;
		layer = "";
	}
	if (!done)
		progress_start(&t->progress, t->tool, total);
	if (*layer)
		detail(t->tool, "layer %u of %u: %s", done + 1, total, layer);
	progress_step(&t->progress, done);
	if (done == total)
		progress_end(&t->progress);
	return 0;
}

static void print_correction(void *arg, const struct accel_correct_info *info)
{
	struct teller *t = arg;

	if (info->why)
		report(t->tool, "Correction", "none: %s", info->why);
	else
		report(t->tool, "Correction", "error of the output %.2f %% of its variance, %.2f %% when only pruned, on %s held-out items; %u epochs", 100 * info->after,
		       100 * info->before, text_count(info->held).s, info->epochs);
}

static void print_search(void *arg, const struct accel_search_info *info)
{
	struct teller *t = arg;
	char again[48] = "";

	if (info->resumed)
		snprintf(again, sizeof(again), " (%u before it was broken off)", info->resumed);
	if (t->points)
		report(t->tool, "Search", "%u tries%s, %u better: %s bytes with %.2f points lost, not %s with %.2f", info->tries, again, info->better,
		       text_count(info->amount_after).s, info->after, text_count(info->amount_before).s, info->before);
	else
		report(t->tool, "Search", "%u tries%s, %u better: error of the output %.3f %% of its variance, not %.3f %%", info->tries, again, info->better,
		       100 * info->after, 100 * info->before);
}

static void print_layer(void *arg, const struct accel_compress_info *info)
{
	struct teller *t = arg;
	char snr[16] = "-";

	compress_report_add(&t->report, info);
	if (t->tool->verbosity < 0)
		return;
	if (!t->titled)
		printf("%s%-28s %-13s %12s %9s %5s %7s %8s%s\n", t->tool->bold, "layer", "operator", "weights", "density", "bits", "values", "SNR, dB",
		       t->tool->reset);
	t->titled = true;
	if (!info->bits) {
		printf("%-28s %-13s %12s   too small, or to be kept\n", info->layer, info->op, text_count(info->weights).s);
		return;
	}
	if (isfinite(info->snr))
		snprintf(snr, sizeof(snr), "%.1f", info->snr);
	printf("%-28s %-13s %12s %7.2f %% %5u %7u %8s\n", info->layer, info->op, text_count(info->weights).s,
	       100.0 * (double)info->nonzeros / (double)info->weights, info->bits, info->shared, snr);
}

/* ---------------------------------------------------------------- command */

/* Typical inputs; only a finished model tells the shapes of its inputs, and how pictures become them. */
static int read_calibration(const struct tool *tool, const char *path, const struct onnx_args *onnx, const struct arg_list *words,
			    struct calibration *measured)
{
	struct accel_model *model;
	int status = open_model(path, onnx, &model);

	if (status)
		return status;
	status = calibration_read(tool, measured, model, path, words);
	accel_model_unref(model);
	return status;
}

/* Items with labels; their values are the dataset's. */
static int read_labelled(const struct tool *tool, const char *path, const struct onnx_args *onnx, const char *data, const char *labels,
			 uint64_t limit, struct dataset *set, struct accel_compress_options *goals)
{
	struct accel_model *model;
	int status = data ? open_model(path, onnx, &model) : usage("compress", "--max-drop needs labelled data: --data DIR");

	if (status)
		return status;
	status = dataset_open(tool, set, data, labels, model, limit);
	accel_model_unref(model);
	goals->labelled = set->items.real;
	goals->labels = set->label;
	goals->nlabelled = status ? 0 : set->items.n;
	return status;
}

int cmd_compress(struct tool *tool, int argc, char **argv)
{
	const char *pos[2], *out = NULL, *preprocess = NULL, *classes = NULL, *layers = NULL, *data = NULL, *labels = NULL,
		   *html = NULL;
	struct arg_list calib = { 0 }, shapes = { 0 }, fixed = { 0 }, sparse = { 0 };
	uint64_t limit = 0, tries = 0, seed = 0, groups = 0;
	bool search = false;
	char *state = NULL;
	struct teller teller = { .tool = tool };
	struct accel_compress_options goals = { .size = sizeof(goals), .progress = step, .progress_arg = &teller,
						.report = print_layer, .report_arg = &teller, .corrected = print_correction, .searched = print_search };
	struct onnx_args onnx = { .shapes = &shapes, .fixed = &fixed, .sparse = &sparse, .preprocess = &preprocess, .classes = &classes };
	struct words words = { 0 };
	const struct arg options[] = {
		{ "output", 'o', ARG_TEXT, &out, "MODEL.eie", "the model to write" },
		{ "density", 0, ARG_TEXT, &words.density, "D", "share of the weights that stays, as 0.1 or 10%" },
		{ "size", 0, ARG_TEXT, &words.size, "BYTES", "the file is to be no larger, as 500k or 1.5M" },
		{ "cycles", 0, ARG_TEXT, &words.cycles, "N", "a run is to take the engine (8x8) no more, as 70k: by the cost model, no activation zero" },
		{ "max-drop", 0, ARG_TEXT, &words.drop, "POINTS", "accuracy that may be lost, of 100, on labelled data" },
		{ "data", 0, ARG_TEXT, &data, "DIR|FILE", "labelled data as eval takes them (default: those of --calib)" },
		{ "labels", 0, ARG_TEXT, &labels, "FILE", "labels of the data" },
		{ "limit", 0, ARG_COUNT, &limit, "N", "the first N labelled items only" },
		{ "bits", 0, ARG_TEXT, &words.bits, "N|CONV,FC|auto", "of a code, 1 to 8 (default 8,4); auto: of each layer by what it does to the output (--calib)" },
		{ "layers", 0, ARG_TEXT, &layers, "FILE", "lines \"NAME density=D bits=N row-groups=N\" or \"NAME keep\"" },
		{ "prune", 0, ARG_TEXT, &words.prune, "HOW", "magnitude, or second-order (default with --calib)" },
		{ "correct", 0, ARG_TEXT, &words.correct, "HOW", "distil: the output follows the float network's (default with --calib); none" },
		{ "effort", 0, ARG_TEXT, &words.effort, "N", "times the time that correction may take: a minute or two (default 1)" },
		{ "scales", 0, ARG_TEXT, &words.scales, "OF", "layer: weights share values (default); row: of convolutions times a power of two a row" },
		{ "row-groups", 0, ARG_COUNT, &groups, "N", "groups that each layer's rows are divided into, with a codebook each (default 1)" },
		{ "share", 0, ARG_TEXT, &words.share, "HOW", "values: optimal (default), linear, density, random" },
		{ "search", 0, ARG_FLAG, &search, NULL, "tries other densities and bits of layers; MODEL.eie.search lets a broken off search go on" },
		{ "tries", 0, ARG_COUNT, &tries, "N", "of the search (default 40)" },
		{ "seed", 0, ARG_COUNT, &seed, "S", "of the moves of a search, and of --share random" },
		{ "calib", 0, ARG_EACH, &calib, "[NAME=]DIR|FILE", "typical inputs, .npy or pictures; no labels" },
		{ "report", 0, ARG_TEXT, &html, "PAGE.html", "a page that shows where the bytes are" },
		PICTURE_ARGS(preprocess, classes),
		ONNX_ARGS(shapes, fixed, sparse),
		{ 0 },
	};
	const struct arg_command cmd = {
		.name = "compress",
		.synopsis = "MODEL.onnx [--density D|--size BYTES|--cycles N|--max-drop POINTS] [--search] [--bits N|CONV,FC|auto] [--layers FILE]\n"
			    "                    [--calib DIR|FILE] [--shape NAME=N,N,...] [--fix NAME=NUMBER]\n"
			    "                    [--preprocess HOW] [--classes FILE] [--report PAGE.html] -o MODEL.eie",
		.options = options,
		.min = 1,
		.max = 1,
		.missing = "a model (.onnx)",
		.summary = "Prunes the weights of a network, lets the others share a few values, and makes a model of it.",
		.example = "eie compress lenet5.onnx --calib calib/ --size 60k -o lenet5.eie",
	};
	struct layer_file overrides = { 0 };
	struct dataset labelled = { 0 };
	struct calibration measured = { 0 };
	struct accel_model *model = NULL;
	int status = args_parse(tool, &cmd, argc, argv, pos);

	if (status != ARGS_GO)
		goto done;
	status = out ? parse_words(&words, &goals) : usage(cmd.name, "compress needs -o MODEL.eie");
	status = status ? status : check_names(pos[0], out);
	if (!status && search && asprintf(&state, "%s.search", out) < 0) {
		state = NULL;
		status = fail("out of memory");
	}
	if (!status && (tries > UINT32_MAX || ((tries || seed) && !search && goals.share != ACCEL_SHARE_RANDOM)))
		status = usage(cmd.name, "--tries and --seed are for --search (--seed for --share random, too)");
	if (!status && groups > 256)
		status = usage(cmd.name, "--row-groups: %llu groups; at most 256 are possible", (unsigned long long)groups);
	if (!status && search && !calib.n && !words.drop)
		status = usage(cmd.name, "--search needs inputs to judge by: --calib, or --max-drop with --data");
	if (!status && html && (!strcmp(html, out) || made_same_file(pos[0], html)))
		status = fail("%s: would be overwritten by the report; give another name to --report", html);
	if (!status && layers)
		status = layer_file_read(layers, &overrides);
	if (!status && calib.n)
		status = read_calibration(tool, pos[0], &onnx, &calib, &measured);
	if (!status && words.drop)
		status = read_labelled(tool, pos[0], &onnx, data ? data : calib.n ? calib.item[0] : NULL, labels, limit, &labelled, &goals);
	else if (!status && (data || labels || limit))
		status = usage(cmd.name, "--data, --labels and --limit are for --max-drop");
	if (!status) {
		teller.items = measured.n;
		teller.points = words.drop;
		goals.noverrides = overrides.n;
		goals.overrides = overrides.layer;
		goals.search = search;
		goals.tries = (unsigned int)tries;
		goals.seed = seed;
		goals.row_groups = (unsigned int)groups;
		goals.search_state = state;
		onnx.compress = &goals;
		onnx.calib = measured.values;
		onnx.ncalib = measured.n;
		status = open_model(pos[0], &onnx, &model);
		/* an error ends what progress has drawn */
		progress_end(&teller.progress);
	}
	if (!status)
		status = made_save(model, out);
	/* the search ends when its result is safe */
	if (!status && state)
		unlink(state);
	if (!status) {
		made_summary(tool, out, model, measured.n);
		made_warnings(tool, pos[0], out, model, &measured);
	}
	if (!status && html)
		status = compress_report_write(html, pos[0], out, &teller.report);
	accel_model_unref(model);
done:
	dataset_close(&labelled);
	layer_file_free(&overrides);
	compress_report_free(&teller.report);
	calibration_free(&measured);
	onnx_args_free(&onnx);
	free(calib.item);
	free(state);
	return status;
}
