/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/* PNG pictures as network inputs. */
#ifndef EIE_PICTURE_H
#define EIE_PICTURE_H

#include "tool.h"

/*
 * Reads a picture for a tensor of shape [H, W], [1, H, W], [H, W, 1] (grey), [3, H, W] or [H, W, 3]
 * (RGB), or [H * W] (grey), and writes its bytes times byte_scale in the tensor's order. Colours
 * become luminance where the tensor is grey, transparent pixels are laid on black. Prints an error;
 * returns an exit status.
 */
int read_picture(const char *path, const struct accel_tensor_info *tensor, float byte_scale,
		 float *out);

#endif
