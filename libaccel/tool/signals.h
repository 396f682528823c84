/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/*
 * The library writes files under a temporary name and renames them. Held signals end the process
 * before or after that, so that an interrupted command leaves no temporary file.
 */
#ifndef EIE_SIGNALS_H
#define EIE_SIGNALS_H

#include <signal.h>

/*
 * Holds what ends a process from a terminal back until signals_release; not for pipes and devices,
 * which may block for ever.
 */
void signals_hold(const char *path, sigset_t *before);
void signals_release(const sigset_t *before);

#endif
