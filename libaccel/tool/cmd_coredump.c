// SPDX-License-Identifier: GPL-2.0 OR MIT
#include "args.h"
#include "coredump.h"
#include "file.h"

#include <stdlib.h>

int cmd_coredump(struct tool *tool, int argc, char **argv)
{
	const char *pos[2], *wrong;
	const struct arg options[] = { { 0 } };
	const struct arg_command cmd = {
		.name = "coredump",
		.synopsis = "FILE",
		.options = options,
		.min = 1,
		.max = 1,
		.missing = "a core dump",
		.summary =
			"Prints what the driver kept when it reset a queue: registers, rings, commands of the job.\n"
			"The kernel keeps it for five minutes, or until something is written to it.",
		.example = "eie coredump /sys/class/devcoredump/devcd1/data",
	};
	struct accel_error err = { 0 };
	void *data;
	size_t size;
	int status = args_parse(tool, &cmd, argc, argv, pos);

	if (status != ARGS_GO)
		return status;
	if (accel_file_read(pos[0], &data, &size, &err))
		return fail_accel(pos[0], &err);
	wrong = coredump_print(stdout, data, size, tool->bold, tool->reset);
	free(data);
	return wrong ? fail("%s: %s", pos[0], wrong) : EXIT_OK;
}
