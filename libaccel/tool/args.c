// SPDX-License-Identifier: GPL-2.0 OR MIT
#include "args.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#define LONGEST 32 /* of the names that are compared */

int usage(const char *command, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	fputs("eie: ", stderr);
	vfprintf(stderr, fmt, args);
	fputc('\n', stderr);
	va_end(args);
	fprintf(stderr, "eie: try 'eie %s%s--help'\n", command, command[0] ? " " : "");
	return EXIT_USAGE;
}

static unsigned int min3(unsigned int a, unsigned int b, unsigned int c)
{
	unsigned int m = a < b ? a : b;

	return m < c ? m : c;
}

/* Edit distance in which exchanging two neighbours is one step (optimal string alignment). */
static unsigned int distance(const char *a, const char *b)
{
	unsigned int d[LONGEST + 1][LONGEST + 1];
	size_t n = strlen(a), m = strlen(b);

	if (n > LONGEST || m > LONGEST)
		return LONGEST;
	for (unsigned int i = 0; i <= n; i++)
		d[i][0] = i;
	for (unsigned int j = 0; j <= m; j++)
		d[0][j] = j;
	for (size_t i = 1; i <= n; i++) {
		for (size_t j = 1; j <= m; j++) {
			d[i][j] = min3(d[i - 1][j] + 1, d[i][j - 1] + 1,
				       d[i - 1][j - 1] + (a[i - 1] != b[j - 1]));
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] &&
			    d[i - 2][j - 2] + 1 < d[i][j])
				d[i][j] = d[i - 2][j - 2] + 1;
		}
	}
	return d[n][m];
}

const char *nearest(const char *word, const char *const *names, unsigned int n)
{
	const char *best = NULL;
	unsigned int least = LONGEST;

	for (unsigned int i = 0; i < n; i++) {
		size_t shorter, len = strlen(word);
		unsigned int d;

		if (!names[i])
			continue;
		shorter = strlen(names[i]) < len ? strlen(names[i]) : len;
		/* an abbreviation of three letters or more counts as one mistake */
		d = len >= 3 && !strncmp(word, names[i], len) ? 1 : distance(word, names[i]);
		/* two mistakes in a word of four letters make another word */
		if (d < least && d <= (shorter < 5 ? 1u : 2u)) {
			least = d;
			best = names[i];
		}
	}
	return best;
}

static const struct arg *find(const struct arg *options, const char *name, size_t len, char letter)
{
	for (; options->name; options++)
		if (name ? strlen(options->name) == len && !strncmp(options->name, name, len) :
			   options->letter == letter)
			return options;
	return NULL;
}

static int unknown(const struct arg_command *cmd, const char *word, size_t len)
{
	static const char *const common[] = { "help", "quiet", "verbose" };
	const char *names[32], *near;
	char name[LONGEST + 1];
	unsigned int n = 0;

	for (; n < 3; n++)
		names[n] = common[n];
	for (const struct arg *o = cmd->options; o->name && n < 32; o++)
		names[n++] = o->name;
	snprintf(name, sizeof(name), "%.*s", (int)len, word);
	near = nearest(name, names, n);
	if (near)
		return usage(cmd->name, "unknown option --%.*s; did you mean --%s?", (int)len, word,
			     near);
	return usage(cmd->name, "unknown option --%.*s", (int)len, word);
}

static int append(struct arg_list *list, const char *item)
{
	const char **grown = realloc(list->item, (list->n + 1) * sizeof(*grown));

	if (!grown)
		return fail("out of memory");
	list->item = grown;
	list->item[list->n++] = item;
	return ARGS_GO;
}

static int store(const struct arg_command *cmd, const struct arg *o, const char *text)
{
	char *end;

	errno = 0;
	switch (o->type) {
	case ARG_FLAG:
		*(bool *)o->to = true;
		return ARGS_GO;
	case ARG_TEXT:
		*(const char **)o->to = text;
		return ARGS_GO;
	case ARG_LIST:
	case ARG_EACH:
		return append(o->to, text);
	case ARG_COUNT:
		*(uint64_t *)o->to = strtoull(text, &end, 10);
		/* strtoull takes -1 for a huge number */
		if (text[0] < '0' || text[0] > '9' || *end || errno || !*(uint64_t *)o->to)
			return usage(cmd->name, "--%s: '%s' is not a whole number above 0", o->name,
				     text);
		return ARGS_GO;
	case ARG_SECONDS:
		*(double *)o->to = strtod(text, &end);
		if (end == text || *end || errno || !(*(double *)o->to > 0) ||
		    *(double *)o->to > 1e6)
			return usage(cmd->name, "--%s: '%s' is not a number of seconds above 0",
				     o->name, text);
		return ARGS_GO;
	}
	return EXIT_FAILED;
}

static void help(const struct arg_command *cmd)
{
	printf("Usage: eie %s %s\n\n%s\n\nOptions:\n", cmd->name, cmd->synopsis, cmd->summary);
	for (const struct arg *o = cmd->options; o->name; o++) {
		char left[64], letter[8] = "   ";

		if (o->letter)
			snprintf(letter, sizeof(letter), "-%c,", o->letter);
		snprintf(left, sizeof(left), "%s --%s%s%s", letter, o->name, o->value ? " " : "",
			 o->value ? o->value : "");
		printf("  %-29s %s\n", left, o->help);
	}
	printf("  %-29s %s\n", "-q, --quiet", "errors only: no warnings, no progress");
	printf("  %-29s %s\n", "-v, --verbose", "more detail on stderr");
	printf("  %-29s %s\n", "-h, --help", "this text");
	printf("\nExample:\n  %s\n", cmd->example);
}

static bool is_option(const char *word)
{
	return word[0] == '-' && word[1]; /* a lone dash is standard input */
}

/* One option with its values; *i is left at the last word used. */
static int option(struct tool *tool, const struct arg_command *cmd, int argc, char **argv, int *i)
{
	const char *word = argv[*i], *value = NULL;
	const struct arg *o;
	int ret;

	if (word[1] == '-') {
		size_t len = strcspn(word + 2, "=");

		if (word[2 + len])
			value = word + 2 + len + 1;
		if (!value && !strcmp(word, "--help"))
			word = "-h";
		else if (!value && !strcmp(word, "--quiet"))
			word = "-q";
		else if (!value && !strcmp(word, "--verbose"))
			word = "-v";
		o = word[1] == '-' ? find(cmd->options, word + 2, len, 0) : NULL;
		if (!o && word[1] == '-')
			return unknown(cmd, word + 2, len);
	} else if (word[2] && find(cmd->options, word + 1, strcspn(word + 1, "="), 0)) {
		return usage(cmd->name, "unknown option %s; did you mean -%s?", word, word);
	} else {
		o = find(cmd->options, NULL, 0, word[1]);
		if (word[2] && o && o->type != ARG_FLAG)
			value = word + 2; /* -oFILE */
		else if (word[2])
			return usage(cmd->name, "unknown option %s (long options have two dashes)",
				     word);
	}
	if (!o) {
		switch (word[1]) {
		case 'h':
			help(cmd);
			return EXIT_OK;
		case 'q':
			tool->verbosity = -1;
			return ARGS_GO;
		case 'v':
			tool->verbosity = 1;
			return ARGS_GO;
		}
		return usage(cmd->name, "unknown option %s", word);
	}
	if (o->type == ARG_FLAG) {
		if (value)
			return usage(cmd->name, "--%s takes no value", o->name);
		return store(cmd, o, NULL);
	}
	if (!value) {
		if (*i + 1 >= argc || is_option(argv[*i + 1]))
			return usage(cmd->name, "--%s needs a value: --%s %s", o->name, o->name,
				     o->value);
		value = argv[++*i];
	}
	ret = store(cmd, o, value);
	while (ret == ARGS_GO && o->type == ARG_LIST && *i + 1 < argc && !is_option(argv[*i + 1]))
		ret = store(cmd, o, argv[++*i]);
	return ret;
}

int args_parse(struct tool *tool, const struct arg_command *cmd, int argc, char **argv,
	       const char *pos[2])
{
	unsigned int n = 0;
	bool options = true, list = false;

	pos[0] = pos[1] = NULL;
	for (int i = 1; i < argc; i++) {
		if (options && !strcmp(argv[i], "--")) {
			options = false;
		} else if (options && is_option(argv[i])) {
			int ret = option(tool, cmd, argc, argv, &i);

			if (ret != ARGS_GO)
				return ret;
		} else if (n >= cmd->max) {
			return usage(cmd->name, "%s: unexpected argument '%s'", cmd->name, argv[i]);
		} else {
			pos[n++] = argv[i];
		}
	}
	for (const struct arg *o = cmd->options; o->name; o++)
		list = list || (o->type == ARG_LIST && ((struct arg_list *)o->to)->n);
	if (n < cmd->min)
		return usage(
			cmd->name, "%s needs %s%s", cmd->name, cmd->missing,
			list ? " (before a list of files, which takes all words up to the next option)" :
			       "");
	return ARGS_GO;
}
