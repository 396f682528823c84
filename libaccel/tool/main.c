// SPDX-License-Identifier: GPL-2.0 OR MIT
/* The `eie` command: picks the subcommand. What each does is in docs/man/eie.1. */
#include "args.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const struct {
	const char *name;
	int (*run)(struct tool *tool, int argc, char **argv);
	const char *summary;
} commands[] = {
	{ "info", cmd_info, "what a device is, from its device tree" },
	{ "import", cmd_import, "turn sparse weights into an .eie model" },
	{ "compress", cmd_compress, "prune and share weights, and make an .eie model" },
	{ "inspect", cmd_inspect, "layers, shapes, density and bytes of a model" },
	{ "explain", cmd_explain, "where each layer runs, and why" },
	{ "run", cmd_run, "run a model on inputs" },
	{ "eval", cmd_eval, "accuracy and cycles over a data set" },
	{ "bench", cmd_bench, "measure a suite or a model" },
	{ "profile", cmd_profile, "a timeline and a report of a run" },
	{ "coredump", cmd_coredump, "print what the driver kept of a hang" },
};

#define NCOMMANDS (sizeof(commands) / sizeof(commands[0]))

static void help(void)
{
	printf("Usage: eie COMMAND [ARGUMENT]...\n\n"
	       "Compressed neural networks on the EIE engine, its simulator, or the CPU.\n\n"
	       "Commands:\n");
	for (size_t i = 0; i < NCOMMANDS; i++)
		printf("  %-10s %s\n", commands[i].name, commands[i].summary);
	printf("\nOptions:\n"
	       "  -q, --quiet    errors only: no warnings, no progress\n"
	       "  -v, --verbose  more detail on stderr\n"
	       "  -h, --help     this text; eie COMMAND --help has an example\n"
	       "      --version  version of the library\n");
}

static int dispatch(struct tool *tool, int argc, char **argv)
{
	const char *names[NCOMMANDS], *near;

	for (; argc > 0 && argv[0][0] == '-'; argc--, argv++) {
		if (!strcmp(argv[0], "-q") || !strcmp(argv[0], "--quiet")) {
			tool->verbosity = -1;
		} else if (!strcmp(argv[0], "-v") || !strcmp(argv[0], "--verbose")) {
			tool->verbosity = 1;
		} else if (!strcmp(argv[0], "-h") || !strcmp(argv[0], "--help")) {
			help();
			return EXIT_OK;
		} else if (!strcmp(argv[0], "--version")) {
			printf("eie %s\n", accel_version());
			return EXIT_OK;
		} else {
			return usage("", "unknown option %s", argv[0]);
		}
	}
	if (!argc)
		return usage("", "no command given");
	for (size_t i = 0; i < NCOMMANDS; i++) {
		names[i] = commands[i].name;
		if (strcmp(argv[0], commands[i].name))
			continue;
		return commands[i].run(tool, argc, argv);
	}
	if (!strcmp(argv[0], "help")) {
		help();
		return EXIT_OK;
	}
	near = nearest(argv[0], names, NCOMMANDS);
	if (near)
		return usage("", "unknown command '%s'; did you mean '%s'?", argv[0], near);
	return usage("", "unknown command '%s'", argv[0]);
}

int main(int argc, char **argv)
{
	const char *no_color = getenv("NO_COLOR"), *term = getenv("TERM");
	struct tool tool = { .bold = "", .reset = "" };
	int status;

	if (isatty(STDOUT_FILENO) && !(no_color && no_color[0])) {
		tool.bold = "\033[1m";
		tool.reset = "\033[0m";
	}
	/* so that a full disk (ulimit -f) is an error with a text, and the temporary file goes */
	signal(SIGXFSZ, SIG_IGN);
	tool.progress = isatty(STDERR_FILENO) && !(term && !strcmp(term, "dumb"));
	status = dispatch(&tool, argc > 0 ? argc - 1 : 0, argv + 1);
	/* a report that did not reach its file is a failure */
	if (fflush(stdout) || ferror(stdout))
		return fail("standard output: %s", errno ? strerror(errno) : "cannot be written");
	return status;
}
