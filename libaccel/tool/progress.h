/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/*
 * One line on the terminal's stderr: how far, how fast, how long still. Nothing when stderr is no
 * terminal.
 */
#ifndef EIE_PROGRESS_H
#define EIE_PROGRESS_H

#include "tool.h"

struct progress {
	bool on;
	uint64_t total;
	double start, drawn;
};

void progress_start(struct progress *p, const struct tool *tool, uint64_t total);
void progress_step(struct progress *p, uint64_t done);
void progress_end(struct progress *p); /* erases the line */

#endif
