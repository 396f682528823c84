/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/*
 * Options of a subcommand: one table parses them, prints the help, and knows the nearest name of a
 * mistyped one.
 */
#ifndef EIE_ARGS_H
#define EIE_ARGS_H

#include "tool.h"

enum arg_type {
	ARG_FLAG,    /* bool */
	ARG_TEXT,    /* const char * */
	ARG_LIST,    /* struct arg_list; takes all values up to the next option */
	ARG_EACH,    /* struct arg_list; one value, may be repeated */
	ARG_COUNT,   /* uint64_t, at least 1 */
	ARG_SECONDS, /* double, above 0 */
};

struct arg_list {
	unsigned int n;
	const char **item; /* owned; the strings are argv's */
};

struct arg {
	const char *name; /* without the dashes; NULL ends the table */
	char letter;	  /* or 0 */
	enum arg_type type;
	void *to;
	const char *value; /* name of the value in the help */
	const char *help;
};

/* Options of every command that opens an ONNX file. */
#define ONNX_ARGS(shapes, fixed, sparse) \
	{ "shape", 0, ARG_EACH, &(shapes), "NAME=N,N,...", \
	  "ONNX: the shape of an input that the file leaves open" }, \
	{ "fix", 0, ARG_EACH, &(fixed), "NAME=NUMBER", "ONNX: an input that is always this number" }, \
	{ "sparse", 0, ARG_EACH, &(sparse), "NAME=G.npz", \
	  "ONNX: an input that is a sparse matrix (scipy's save_npz)" }

/* And what a model that is being imported says about pictures. */
#define PICTURE_ARGS(preprocess, classes) \
	{ "preprocess", 0, ARG_TEXT, &(preprocess), "HOW", \
	  "pictures: unit, symmetric, imagenet, caffe, resize=N,..." }, \
	{ "classes", 0, ARG_TEXT, &(classes), "FILE", "names of the classes, one a line" }

struct arg_command {
	const char *name, *synopsis, *summary, *example;
	unsigned int min, max; /* positional arguments, max at most 2 */
	const char *missing;   /* name of the positional argument, for messages */
	const struct arg *options;
};

/* Any other value is an exit status: help was printed, or an error. */
#define ARGS_GO (-1)

/* argv[0] is the subcommand. Every command has --help, -q and -v. Positionals not given are NULL. */
int args_parse(struct tool *tool, const struct arg_command *cmd, int argc, char **argv,
	       const char *pos[2]);
/* "eie: ..." and where the help is; returns EXIT_USAGE. */
int usage(const char *command, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* The nearest of n names, or NULL when none is near. Skips NULL names. */
const char *nearest(const char *word, const char *const *names, unsigned int n);

#endif
