// SPDX-License-Identifier: GPL-2.0 OR MIT
#include "blas.h"
#include "model.h"

#include <dlfcn.h>
#include <errno.h>

#define NAME "libopenblas.so.0"

int blas_open(struct blas *blas, struct accel_error *err)
{
	const char *missing = NULL;

	/* never unloaded: its threads would lose the code that they sleep in */
	*blas = (struct blas){ .handle = dlopen(NAME, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE) };
	if (!blas->handle)
		return accel_fail(err, -ENOENT, NULL, "second-order pruning needs OpenBLAS, and " NAME " does not load (%s): install libopenblas0-pthread, "
				  "or prune by magnitude", dlerror());
	/* POSIX: a symbol's address goes into a function pointer through void *. */
#define F(type, name, arguments) \
	do { \
		*(void **)&blas->name = dlsym(blas->handle, #name); \
		if (!blas->name) \
			missing = #name; \
	} while (0);
	BLAS_FUNCTIONS(F)
#undef F
	if (!missing)
		return 0;
	blas_close(blas);
	return accel_fail(err, -ENOENT, NULL, NAME " has no function %s", missing);
}

void blas_close(struct blas *blas)
{
	if (blas->handle)
		dlclose(blas->handle);
	blas->handle = NULL;
}
