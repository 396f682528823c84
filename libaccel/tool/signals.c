// SPDX-License-Identifier: GPL-2.0 OR MIT
#include "signals.h"

#include <sys/stat.h>

void signals_hold(const char *path, sigset_t *before)
{
	struct stat st;
	sigset_t held;

	sigemptyset(&held);
	if (stat(path, &st) || S_ISREG(st.st_mode)) {
		sigaddset(&held, SIGINT);
		sigaddset(&held, SIGTERM);
		sigaddset(&held, SIGHUP);
		sigaddset(&held, SIGQUIT);
	}
	sigprocmask(SIG_BLOCK, &held, before);
}

void signals_release(const sigset_t *before)
{
	sigprocmask(SIG_SETMASK, before, NULL);
}
