/* SPDX-License-Identifier: GPL-2.0 OR MIT */
#ifndef ACCEL_SQUEEZENET_H
#define ACCEL_SQUEEZENET_H

#include "net.h"

/* SqueezeNet v1.0 for 227 x 227 pixels, 1000 classes, weights zero. file names it in errors. */
int squeezenet_new(const char *file, struct accel_network **net, struct accel_error *err);

#endif
