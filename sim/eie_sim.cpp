// SPDX-License-Identifier: GPL-2.0 OR MIT
// The C interface, and the table of configurations that the Makefile asked for (configs.inc).
#pragma GCC visibility push(default)
#include "eie_sim.h"
#pragma GCC visibility pop

#include <cerrno>
#include <cstring>
#include <new>

#include "model.hpp"

namespace {

#define EIE_CONFIG(name) #name,
const char *const names[] = {
#include "configs.inc"
	nullptr
};
#undef EIE_CONFIG

#define EIE_CONFIG(name) eie::make_##name,
eie::Factory *const factories[] = {
#include "configs.inc"
};
#undef EIE_CONFIG

const char DefaultConfig[] = "8x8";

} // namespace

int eie_sim_create(struct eie_sim **sim, const struct eie_sim_params *params, const struct eie_sim_ops *ops, void *ctx)
{
	const char *config = params->config ? params->config : DefaultConfig;

	*sim = nullptr;
	for (unsigned int i = 0; names[i]; i++) {
		if (strcmp(names[i], config))
			continue;
		try {
			*sim = factories[i](*params, *ops, ctx);
			return 0;
		} catch (const std::bad_alloc &) {
			return -ENOMEM;
		}
	}
	return -ENOENT;
}

void eie_sim_destroy(struct eie_sim *sim)
{
	delete sim;
}

void eie_sim_reset(struct eie_sim *sim)
{
	sim->reset();
}

uint32_t eie_sim_read32(struct eie_sim *sim, uint32_t offset)
{
	return sim->read32(offset);
}

void eie_sim_write32(struct eie_sim *sim, uint32_t offset, uint32_t value)
{
	sim->write32(offset, value);
}

uint64_t eie_sim_run(struct eie_sim *sim, uint64_t cycles)
{
	return sim->run(cycles);
}

void eie_sim_hold(struct eie_sim *sim, int on)
{
	sim->hold(on);
}

uint64_t eie_sim_cycles(const struct eie_sim *sim)
{
	return sim->cycles;
}

int eie_sim_irq_level(const struct eie_sim *sim)
{
	return sim->irq_level();
}

const char *const *eie_sim_configs(void)
{
	return names;
}

void eie_sim_mmio_counts(const struct eie_sim *sim, uint64_t *reads, uint64_t *writes)
{
	*reads = sim->reads;
	*writes = sim->writes;
}

int eie_sim_assert_failed(const struct eie_sim *sim)
{
	return sim->failed();
}
