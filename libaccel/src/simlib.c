// SPDX-License-Identifier: GPL-2.0 OR MIT
#include <dlfcn.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model.h"
#include "simlib.h"

#define NAME "libeie_sim.so"
/* Verilator's runtime keeps static state that it never frees: once loaded the library stays. */
#define FLAGS (RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE)

/* Path of NAME in the directory of the file that holds this function. */
static bool path_beside(char *path, size_t size)
{
	Dl_info self;
	const char *slash;

	if (!dladdr((void *)(uintptr_t)simlib_open, &self) || !self.dli_fname)
		return false;
	slash = strrchr(self.dli_fname, '/');
	return slash && snprintf(path, size, "%.*s/" NAME, (int)(slash - self.dli_fname), self.dli_fname) < (int)size;
}

static void *load(struct accel_error *err)
{
	const char *env = secure_getenv("EIE_SIM_LIB");
	char beside[PATH_MAX] = "";
	void *handle;

	if (env) {
		handle = dlopen(env, FLAGS);
		if (!handle)
			accel_fail(err, -ENODEV, NULL, "the simulator of EIE_SIM_LIB does not load: %s", dlerror());
		return handle;
	}
	if (path_beside(beside, sizeof(beside))) {
		handle = dlopen(beside, FLAGS);
		if (handle)
			return handle;
	}
	handle = dlopen(NAME, FLAGS);
	if (!handle)
		accel_fail(err, -ENODEV, NULL,
			   "the simulator was not found: looked for $EIE_SIM_LIB (not set), %s, and " NAME " in the loader's path (%s); "
			   "build it with make, or set EIE_SIM_LIB to it", beside[0] ? beside : NAME " beside the program", dlerror());
	return handle;
}

int simlib_open(struct simlib *lib, struct accel_error *err)
{
	const char *missing = NULL;

	*lib = (struct simlib){ .handle = load(err) };
	if (!lib->handle)
		return -ENODEV;
	/* POSIX: a symbol's address goes into a function pointer through void *. */
#define F(name) \
	do { \
		*(void **)&lib->name = dlsym(lib->handle, "eie_sim_" #name); \
		if (!lib->name) \
			missing = "eie_sim_" #name; \
	} while (0);
	SIMLIB_FUNCTIONS(F)
#undef F
	if (missing) {
		simlib_close(lib);
		return accel_fail(err, -ENODEV, NULL, "the simulator has no function %s: it is not of this version", missing);
	}
	return 0;
}

void simlib_close(struct simlib *lib)
{
	if (lib->handle)
		dlclose(lib->handle);
	lib->handle = NULL;
}
