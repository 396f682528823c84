// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * What a Verilated configuration looks like to the C interface: the abstract class, made by one function for each
 * configuration (model.cpp, compiled once for each).
 */
#ifndef EIE_MODEL_HPP
#define EIE_MODEL_HPP

#include <cstdint>

#include "eie_sim.h"

struct eie_sim {
	virtual ~eie_sim() = default;
	virtual void reset() = 0;
	virtual uint32_t read32(uint32_t offset) = 0;
	virtual void write32(uint32_t offset, uint32_t value) = 0;
	virtual uint64_t run(uint64_t cycles) = 0;
	virtual void hold(bool on) = 0;
	virtual bool irq_level() const = 0;
	virtual bool failed() const = 0;

	uint64_t cycles = 0, reads = 0, writes = 0;
};

namespace eie {

using Factory = eie_sim *(const eie_sim_params &params, const eie_sim_ops &ops, void *ctx);

#define EIE_CONFIG(name) Factory make_##name;
#include "configs.inc"
#undef EIE_CONFIG

} // namespace eie

#endif
