// SPDX-License-Identifier: GPL-2.0 OR MIT
#include "calibration.h"
#include "classes.h"
#include "made.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static int make_model(const char *path, const struct calibration *calib, const struct onnx_args *onnx,
		      struct accel_model **model)
{
	struct onnx_args with_calib = *onnx;
	struct accel_preprocess preprocess;
	struct accel_graph *graph = NULL;
	struct accel_error err = { 0 };
	struct classes classes = { 0 };
	int status;

	if (has_suffix(path, ".onnx") || has_suffix(path, ".net")) {
		with_calib.calib = calib ? calib->values : NULL;
		with_calib.ncalib = calib ? calib->n : 0;
		return open_model(path, &with_calib, model);
	}
	if (onnx->shapes->n || onnx->fixed->n || onnx->sparse->n || onnx->float_conv)
		return fail("%s: --shape, --fix, --sparse and --conv are for ONNX files", path);
	if (onnx->method != ACCEL_CALIB_MINMAX || onnx->report)
		return fail("%s: --calib-method and --calib-report are for networks (.onnx, .net)", path);
	if (*onnx->preprocess && accel_preprocess_parse(*onnx->preprocess, &preprocess, &err))
		return fail_accel("--preprocess", &err);
	status = *onnx->classes ? classes_read(*onnx->classes, &classes) : EXIT_OK;
	if (status) {
		classes_free(&classes);
		return status;
	}
	if (accel_graph_from_npz(path, &graph, &err) ||
	    (*onnx->preprocess && accel_graph_preprocess(graph, &preprocess, &err)))
		status = fail_accel(path, &err);
	else if (classes.n && accel_graph_class_names(graph, classes.n, (const char *const *)classes.name))
		status = fail("%s: not names of classes: 1 to 255 bytes each, no control characters", *onnx->classes);
	else if ((calib && accel_graph_calibrate(graph, calib->values[0], calib->n, &err)) ||
	    accel_graph_finish(graph, model, &err))
		status = fail_accel(path, &err);
	accel_graph_free(graph);
	classes_free(&classes);
	return status;
}

/* What rounding weights did to the layers; kept while the model is made. */
struct rounding {
	uint64_t layers;
	double signal, noise, worst; /* worst: signal to noise of a layer, as a ratio */
	char layer[256];	     /* which */
};

static void count_rounded(void *arg, const struct accel_rounded_info *info)
{
	struct rounding *r = arg;
	double ratio = info->noise > 0 ? info->signal / info->noise : INFINITY;

	if (!r->layers || ratio < r->worst) {
		r->worst = ratio;
		snprintf(r->layer, sizeof(r->layer), "%s", info->layer);
	}
	r->layers++;
	r->signal += info->signal;
	r->noise += info->noise;
}

static void report_rounding(const struct tool *tool, const struct rounding *r)
{
	if (!r->layers)
		return;
	report(tool, "Rounded", "weights of %s layer%s, to 8 bits and a scale a row: signal to noise %.1f dB; least %.1f dB, '%s'. --weights exact keeps them, on the CPU",
	       text_count(r->layers).s, r->layers > 1 ? "s" : "", 10 * log10(r->signal / r->noise), 10 * log10(r->worst), r->layer);
}

static int check_names(const char *in, const char *out, const char *graph)
{
	if (has_suffix(in, ".eie"))
		return fail("%s: is imported already; look at it with: eie inspect %s", in, in);
	if (!has_suffix(in, ".npz") && !has_suffix(in, ".onnx") && !has_suffix(in, ".net"))
		return fail(
			"%s: unknown kind of file; supported: .onnx, .net (Deep Compression), and .npz with scipy.sparse CSR matrices",
			in);
	if (graph && !has_suffix(in, ".net"))
		return fail("%s: --graph is for .net files, which hold weights alone", in);
	if (made_same_file(in, out))
		return fail("%s: would be overwritten by the model; give another name to -o", in);
	return EXIT_OK;
}

int cmd_import(struct tool *tool, int argc, char **argv)
{
	const char *pos[2], *out = NULL;
	struct arg_list calib = { 0 }, shapes = { 0 }, fixed = { 0 }, sparse = { 0 };
	const char *preprocess = NULL, *classes = NULL, *graph = NULL;
	const char *method = NULL, *conv = NULL, *weights = NULL;
	struct rounding rounding = { 0 };
	bool table = false, exact;
	struct onnx_args onnx = { .shapes = &shapes,
				  .fixed = &fixed, .sparse = &sparse,
				  .preprocess = &preprocess,
				  .classes = &classes,
				  .graph = &graph,
				  .report_arg = tool,
				  .rounded_arg = &rounding };
	const struct arg options[] = {
		{ "output", 'o', ARG_TEXT, &out, "MODEL.eie", "the model to write" },
		{ "calib", 0, ARG_EACH, &calib, "[NAME=]DIR|FILE",
		  "typical inputs, .npy or pictures, to choose number ranges by" },
		{ "calib-method", 0, ARG_TEXT, &method, "METHOD",
		  "minmax (default), percentile[:P] or mse" },
		{ "calib-report", 0, ARG_FLAG, &table, NULL,
		  "print range, signal to noise and saturation of each layer" },
		{ "graph", 'g', ARG_TEXT, &graph, "G.onnx",
		  "the network of a .net file (default SqueezeNet v1.0)" },
		PICTURE_ARGS(preprocess, classes),
		ONNX_ARGS(shapes, fixed, sparse),
		{ "conv", 0, ARG_TEXT, &conv, "KIND",
		  "int16 (default): convolutions for the engine; float32: for the CPU" },
		{ "weights", 0, ARG_TEXT, &weights, "KIND",
		  "layers of more than 255 different weights: linear (default): rounded to 8 bits and a scale a row, for the engine; exact: float32, for the CPU" },
		{ 0 },
	};
	const struct arg_command cmd = {
		.name = "import",
		.synopsis = "MODEL.onnx|WEIGHTS.npz|WEIGHTS.net [--graph G.onnx] [--calib DIR|FILE] [--shape NAME=N,N,...]\n"
			"                  [--fix NAME=NUMBER] [--preprocess HOW] [--classes FILE]\n"
			"                  [--conv int16|float32] [--weights linear|exact] -o MODEL.eie",
		.options = options,
		.min = 1,
		.max = 1,
		.missing = "a model (.onnx) or a file of weights (.npz, .net)",
		.summary =
			"Converts a network, or pruned, weight-shared layers, to a model. Shared weights stay as they are; others of a network are rounded, and that is said.",
		.example = "eie import lenet_300_100.npz --calib calib/ -o lenet_300_100.eie",
	};
	struct accel_model *model = NULL;
	struct calibration measured = { 0 };
	int status = args_parse(tool, &cmd, argc, argv, pos);

	if (status == ARGS_GO && method && calibration_method(method, &onnx.method, &onnx.percentile))
		status = EXIT_USAGE;
	if (status == ARGS_GO && conv && strcmp(conv, "int16") && strcmp(conv, "float32"))
		status = usage(cmd.name, "--conv takes int16 or float32");
	onnx.float_conv = conv && !strcmp(conv, "float32");
	if (status == ARGS_GO && weights && strcmp(weights, "linear") && strcmp(weights, "exact"))
		status = usage(cmd.name, "--weights takes linear or exact");
	exact = weights && !strcmp(weights, "exact");
	if (status == ARGS_GO && (method || table) && !calib.n)
		status = usage(cmd.name, "--calib-method and --calib-report need --calib DIR");

	if (status == ARGS_GO)
		status = out ? check_names(pos[0], out, graph) :
			       usage(cmd.name, "import needs -o MODEL.eie");
	else
		goto done;
	if (!status && weights && has_suffix(pos[0], ".npz"))
		status = fail("%s: --weights is for networks (.onnx, .net)", pos[0]);
	/* only a finished model tells the shapes of its inputs; that one needs no rounding */
	onnx.weights = exact || calib.n ? ACCEL_WEIGHTS_EXACT : ACCEL_WEIGHTS_LINEAR;
	onnx.rounded = calib.n ? NULL : count_rounded;
	if (!status)
		status = make_model(pos[0], NULL, &onnx, &model);
	if (!status && calib.n) {
		status = calibration_read(tool, &measured, model, pos[0], &calib);
		accel_model_unref(model);
		model = NULL;
		onnx.report = table ? calibration_report : NULL;
		onnx.weights = exact ? ACCEL_WEIGHTS_EXACT : ACCEL_WEIGHTS_LINEAR;
		onnx.rounded = count_rounded;
		if (!status)
			status = make_model(pos[0], &measured, &onnx, &model);
	}
	if (!status)
		status = made_save(model, out);
	if (!status) {
		made_summary(tool, out, model, measured.n);
		report_rounding(tool, &rounding);
		made_warnings(tool, pos[0], out, model, &measured);
	}
	calibration_free(&measured);
	accel_model_unref(model);
done:
	onnx_args_free(&onnx);
	free(calib.item);
	return status;
}
