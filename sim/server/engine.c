// SPDX-License-Identifier: GPL-2.0 OR MIT
#include "engine.h"

#include <unistd.h>

#include "eie_hw.h"

/* Short enough for a register access of the guest to be served soon, long enough for poll() between two not to matter. */
#define SLICE 256

static bool hits_bad_address(const struct engine_faults *f, uint64_t addr, size_t len)
{
	return f->bad_size && addr < f->bad_addr + f->bad_size && f->bad_addr < addr + len;
}

/* Counts a burst, and decides whether the bus answers it with an error whatever the memory says. */
static bool burst_fails(struct engine *e, uint64_t addr, size_t len)
{
	e->bursts++;
	if (e->faults.fail_burst && --e->faults.fail_burst == 0)
		return true;
	return !e->master || hits_bad_address(&e->faults, addr, len);
}

static int dma_read(void *ctx, uint64_t addr, void *buf, size_t len)
{
	struct engine *e = ctx;

	if (!burst_fails(e, addr, len) && !memory_read(e->mem, addr, buf, len))
		return 0;
	e->bad_bursts++;
	return -1;
}

static int dma_write(void *ctx, uint64_t addr, const void *buf, size_t len)
{
	struct engine *e = ctx;

	if (!burst_fails(e, addr, len) && !memory_write(e->mem, addr, buf, len))
		return 0;
	e->bad_bursts++;
	return -1;
}

static void vector_pulsed(void *ctx, unsigned int vector)
{
	struct engine *e = ctx;

	e->pending |= UINT64_C(1) << vector;
}

int engine_create(struct engine *e, const struct eie_sim_params *params, struct memory *mem)
{
	static const struct eie_sim_ops ops = { .read = dma_read, .write = dma_write, .irq = vector_pulsed };
	unsigned int stall = params->stall_permille > 999 ? 999 : params->stall_permille;
	int ret;

	*e = (struct engine){ .mem = mem };
	ret = eie_sim_create(&e->sim, params, &ops, e);
	if (ret)
		return ret;
	e->nvectors = eie_sim_read32(e->sim, EIE_REG_NQUEUES) + 1;
	/*
	 * A job that waits in its queue shows within a few bus round trips. When none has for that long, only a register
	 * write can start anything: a full completion ring, a disabled queue.
	 */
	e->quiet_after = 4 * ((params->latency ? params->latency : 64) + params->jitter + 64) * UINT64_C(1000) / (1000 - stall);
	e->idle = e->quiet_after;
	return 0;
}

void engine_destroy(struct engine *e)
{
	eie_sim_destroy(e->sim);
}

void engine_reset(struct engine *e)
{
	eie_sim_reset(e->sim);
	e->dead = false;
	e->pending = 0;
	e->idle = e->quiet_after;
}

/*
 * A read over PCI Express takes about a microsecond, some hundred cycles. Without them a driver on a busy host can poll for a
 * change, with a time limit of its own clock, while this process answers and never gets to clock the engine.
 */
uint32_t engine_read32(struct engine *e, uint32_t offset)
{
	e->mmio_reads++;
	engine_run(e);
	return e->dead ? UINT32_MAX : eie_sim_read32(e->sim, offset);
}

void engine_write32(struct engine *e, uint32_t offset, uint32_t value)
{
	e->mmio_writes++;
	if (e->dead)
		return;
	eie_sim_write32(e->sim, offset, value);
	e->idle = 0;
}

void engine_hold(struct engine *e, bool on)
{
	e->held = on;
	e->idle = 0;
	eie_sim_hold(e->sim, on);
}

void engine_set_master(struct engine *e, bool on)
{
	e->master = on;
	if (!on && e->held)
		engine_hold(e, false);
}

bool engine_wants_clock(const struct engine *e)
{
	return !e->dead && e->idle < e->quiet_after;
}

/* Resets and invalidations end by themselves, and take as long as the chip's memories are deep. */
static bool register_works(const struct engine *e)
{
	uint32_t reset = EIE_CTRL_RESET_MASK << EIE_CTRL_RESET_SHIFT, queue_reset = EIE_Q_CTRL_RESET_MASK << EIE_Q_CTRL_RESET_SHIFT;

	if (eie_sim_read32(e->sim, EIE_REG_CTRL) & reset ||
	    !(eie_sim_read32(e->sim, EIE_REG_INV_STATUS) >> EIE_INV_STATUS_DONE_SHIFT & EIE_INV_STATUS_DONE_MASK))
		return true;
	for (unsigned int q = 0; q + 1 < e->nvectors; q++)
		if (eie_sim_read32(e->sim, EIE_QUEUE_BASE + q * EIE_QUEUE_STRIDE + EIE_REG_Q_CTRL) & queue_reset)
			return true;
	return false;
}

void engine_run(struct engine *e)
{
	uint64_t cycles = SLICE;

	if (!engine_wants_clock(e))
		return;
	if (e->faults.die && e->faults.die <= cycles)
		cycles = e->faults.die - 1;
	cycles = eie_sim_run(e->sim, cycles);
	e->idle += cycles;
	if (e->faults.die) {
		e->faults.die -= (uint32_t)cycles;
		if (e->faults.die == 1) {
			e->dead = true;
			e->pending = 0;
			return;
		}
	}
	if (eie_sim_read32(e->sim, EIE_REG_STATUS) >> EIE_STATUS_BUSY_SHIFT & EIE_STATUS_BUSY_MASK)
		e->idle = 0;
	/* asked for only when it would stop otherwise: each answer costs the engine a few cycles */
	if (!engine_wants_clock(e) && register_works(e))
		e->idle = 0;
	if (e->faults.slow)
		usleep(e->faults.slow);
}
