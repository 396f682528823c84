// SPDX-License-Identifier: GPL-2.0 OR MIT
/* The one place where a struct accel_error is filled. */
#include "model.h"

#include <stdarg.h>
#include <stdio.h>

int accel_fail(struct accel_error *err, int code, const char *layer, const char *fmt, ...)
{
	va_list args;

	if (!err)
		return code;
	err->code = code;
	snprintf(err->layer, sizeof(err->layer), "%s", layer ? layer : "");
	va_start(args, fmt);
	vsnprintf(err->text, sizeof(err->text), fmt, args);
	va_end(args);
	/* Names come from files: an error stays one printable line whatever they hold. */
	for (char *p = err->text; *p; p++)
		if ((unsigned char)*p < ' ' || *p == 0x7f)
			*p = '?';
	return code;
}
