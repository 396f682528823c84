// SPDX-License-Identifier: GPL-2.0 OR MIT
#include "inject.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "usage.h"

static int fail_file = -1;

int inject_setup(void)
{
	static const char *const on[][2] = {
		{ "failslab/ignore-gfp-wait", "N" }, { "fail_page_alloc/ignore-gfp-wait", "N" },
		{ "fail_page_alloc/ignore-gfp-highmem", "N" }, { "fail_page_alloc/min-order", "0" },
	};
	char path[96];
	int ret;

	for (unsigned int i = 0; i < 4; i++) {
		snprintf(path, sizeof(path), "/sys/kernel/debug/%s", on[i][0]);
		ret = file_write(path, on[i][1]);
		if (ret)
			return ret;
	}
	fail_file = open("/proc/thread-self/fail-nth", O_RDWR | O_CLOEXEC);
	return fail_file < 0 ? -errno : 0;
}

void inject_end(void)
{
	close(fail_file);
	fail_file = -1;
}

void inject_at(unsigned int n)
{
	char text[16];
	int len = snprintf(text, sizeof(text), "%u", n);

	/* a fault may hit the copy of this very text */
	while (pwrite(fail_file, text, (size_t)len, 0) != len)
		;
}

bool inject_happened(void)
{
	char text[16] = "";

	/* the file tells how many points are left; when the copy fails it is the fault that was left */
	return pread(fail_file, text, sizeof(text) - 1, 0) > 0 && atoi(text) == 0;
}
