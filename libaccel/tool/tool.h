/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/*
 * What the subcommands of `eie` share: messages, numbers as people read them, opening models and
 * devices.
 */
#ifndef EIE_TOOL_H
#define EIE_TOOL_H

#include <accel.h>
#include <stdio.h>

/* Exit statuses, the same for every subcommand. */
enum { EXIT_OK = 0, EXIT_FAILED = 1, EXIT_USAGE = 2 };

struct tool {
	int verbosity;		  /* -1: errors only, 0, 1: more detail */
	bool progress;		  /* stderr is a terminal and may be drawn on */
	const char *bold, *reset; /* "" unless stdout is a terminal and NO_COLOR is unset */
};

struct arg_list; /* args.h */

int cmd_info(struct tool *tool, int argc, char **argv);
int cmd_import(struct tool *tool, int argc, char **argv);
int cmd_compress(struct tool *tool, int argc, char **argv);
int cmd_inspect(struct tool *tool, int argc, char **argv);
int cmd_explain(struct tool *tool, int argc, char **argv);
int cmd_run(struct tool *tool, int argc, char **argv);
int cmd_eval(struct tool *tool, int argc, char **argv);
int cmd_bench(struct tool *tool, int argc, char **argv);
int cmd_profile(struct tool *tool, int argc, char **argv);
int cmd_coredump(struct tool *tool, int argc, char **argv);

/* "eie: ..." on stderr; returns EXIT_FAILED, so that a caller can return it. */
int fail(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
/*
 * The same from what the library said; what names the file, model or device concerned unless the
 * text does.
 */
int fail_accel(const char *what, const struct accel_error *err);
/* "eie: warning: ..." unless -q. */
void warn(const struct tool *tool, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* "eie: ..." with -v only. */
void detail(const struct tool *tool, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Report lines: a label in bold in a column of its own, then text. */
void report(const struct tool *tool, const char *label, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* How pictures become inputs, when the model says it. */
void report_pictures(const struct tool *tool, const struct accel_model *model);

struct text {
	char s[48];
}; /* formatted numbers are returned by value: no buffers to size */
/* Columns of names: at least so wide, or as wide as the widest of those that were shown, up to 40. */
#define COLUMN_MIN 16
int column_width(int wide, const char *name);
struct text text_count(uint64_t n);				/* 10,000 */
struct text text_time(double seconds);
struct text text_bytes(uint64_t n);				/* 14.2 KiB */
struct text text_shape(const struct accel_tensor_info *tensor); /* [28, 28] */

bool has_suffix(const char *name, const char *suffix); /* ignores case */
double seconds_wall(void);
double seconds_cpu(void); /* of this process, all threads */

/* What importing needs: --shape NAME=N,N,..., --fix NAME=NUMBER and --sparse NAME=GRAPH.npz of ONNX files, and what a model says about pictures, as it was given. */
struct onnx_args {
	struct arg_list *shapes, *fixed, *sparse;
	bool sparse_later; /* the command gives other models their matrices itself */
	const char *const *preprocess, *const *classes; /* NULL, or where the options' values are */
	const char *const *graph; /* of weights in a .net file; the same */
	const float *const *calib; /* [inputs] of [ncalib, count], or NULL */
	uint64_t ncalib;
	enum accel_calib_method method;
	double percentile;
	void (*report)(void *arg, const struct accel_calib_info *info); /* or NULL */
	void *report_arg;
	bool float_conv; /* convolutions stay float32 */
	enum accel_weights weights;
	void (*rounded)(void *arg, const struct accel_rounded_info *info); /* or NULL */
	void *rounded_arg;
	const struct accel_compress_options *compress; /* NULL: nothing is changed */
};

void onnx_args_free(const struct onnx_args *onnx);

/* These print what went wrong and return an exit status. onnx may be NULL. */
int open_model(const char *path, const struct onnx_args *onnx, struct accel_model **model);
int open_device(const char *spec, struct accel_device **device);
/* accel_device_open_reference() */
int open_reference(const struct accel_device *device, struct accel_device **reference);

/* Name of a device with its configuration: "sim:8x8", "cpu". */
struct text text_device(const struct accel_device_info *info);
/* The text after the last slash. */
const char *base_name(const char *path);

/* Element i of an output as the runner stores them: int16 or float32 by its type. */
double value_at(const struct accel_tensor_info *tensor, const void *values, uint64_t i);
/* Items a run unless the user says: networks need much memory an item. */
uint64_t default_batch(const struct accel_model *model);
size_t value_bytes(const struct accel_tensor_info *tensor);

/* Bytes of the layer's weights and biases as dense float32. */
uint64_t layer_float_bytes(const struct accel_layer_info *layer);

#endif
