// SPDX-License-Identifier: GPL-2.0 OR MIT
#include <accel.h>

const char *accel_version(void)
{
	return "0.1.0";
}
