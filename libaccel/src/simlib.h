/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/* libeie_sim.so, loaded when it is needed: the one place that names its functions (sim/eie_sim.h). */
#ifndef ACCEL_SIMLIB_H
#define ACCEL_SIMLIB_H

#include <accel.h>
#include <eie_sim.h>

#define SIMLIB_FUNCTIONS(F) \
	F(create) F(destroy) F(reset) F(read32) F(write32) F(run) F(cycles) F(irq_level) F(configs) F(mmio_counts) \
	F(assert_failed)

struct simlib {
	void *handle;
#define F(name) __typeof__(&eie_sim_##name) name;
	SIMLIB_FUNCTIONS(F)
#undef F
};

/* Looks for $EIE_SIM_LIB; without it beside this library or executable, then in the loader's path. -ENODEV tells where it looked. */
int simlib_open(struct simlib *lib, struct accel_error *err);
void simlib_close(struct simlib *lib);

#endif
