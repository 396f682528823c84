/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/* Writes the commands of a plan, jobs and restore commands, and counts the bytes that each layer moves. */
#ifndef ACCEL_EMIT_H
#define ACCEL_EMIT_H

#include "plan.h"

/* Fills cmds, cmd_layer, jobs, and of places[].info the byte counts. */
int emit_program(struct plan *plan, struct accel_program *program, struct accel_error *err);

#endif
