// SPDX-License-Identifier: GPL-2.0 OR MIT
#include "function.h"

#include <linux/pci_regs.h>
#include <string.h>

#include "eie_hw.h"
#include "testcap.h"

#define CAP_MSIX	0x40
#define CAP_PM		0x50
#define CAP_TEST	0x60
#define MSIX_PBA	0x800

static uint32_t get32(const uint8_t *p)
{
	return p[0] | p[1] << 8 | p[2] << 16 | (uint32_t)p[3] << 24;
}

static void put(uint8_t *p, uint32_t value, unsigned int bytes)
{
	for (unsigned int i = 0; i < bytes; i++)
		p[i] = (uint8_t)(value >> 8 * i);
}

static void put_config(struct function *f, unsigned int offset, uint32_t value, uint32_t writable, unsigned int bytes)
{
	put(f->config + offset, value, bytes);
	put(f->writable + offset, writable, bytes);
}

static void config_reset(struct function *f)
{
	memset(f->config, 0, sizeof(f->config));
	memset(f->writable, 0, sizeof(f->writable));
	put_config(f, PCI_VENDOR_ID, EIE_PCI_VENDOR, 0, 2);
	put_config(f, PCI_DEVICE_ID, EIE_PCI_DEVICE, 0, 2);
	put_config(f, PCI_COMMAND, 0, PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER | PCI_COMMAND_INTX_DISABLE, 2);
	put_config(f, PCI_STATUS, PCI_STATUS_CAP_LIST, 0, 2);
	put_config(f, PCI_REVISION_ID, EIE_ISA_MAJOR, 0, 1);
	put_config(f, PCI_CLASS_DEVICE, 0x1200, 0, 2);		/* processing accelerator */
	put_config(f, PCI_CACHE_LINE_SIZE, 0, 0xff, 1);
	put_config(f, PCI_BASE_ADDRESS_0, 0, ~(EIE_BAR_BYTES - 1u), 4);
	put_config(f, PCI_BASE_ADDRESS_2, 0, ~(FUNCTION_MSIX_BAR_BYTES - 1u), 4);
	put_config(f, PCI_SUBSYSTEM_VENDOR_ID, EIE_PCI_VENDOR, 0, 2);
	put_config(f, PCI_SUBSYSTEM_ID, EIE_PCI_DEVICE, 0, 2);
	put_config(f, PCI_CAPABILITY_LIST, CAP_MSIX, 0, 1);
	put_config(f, PCI_INTERRUPT_LINE, 0, 0xff, 1);

	put_config(f, CAP_MSIX, PCI_CAP_ID_MSIX | CAP_PM << 8, 0, 2);
	put_config(f, CAP_MSIX + PCI_MSIX_FLAGS, f->engine.nvectors - 1, PCI_MSIX_FLAGS_ENABLE | PCI_MSIX_FLAGS_MASKALL, 2);
	put_config(f, CAP_MSIX + PCI_MSIX_TABLE, 0 | FUNCTION_MSIX_BAR, 0, 4);
	put_config(f, CAP_MSIX + PCI_MSIX_PBA, MSIX_PBA | FUNCTION_MSIX_BAR, 0, 4);

	put_config(f, CAP_PM, PCI_CAP_ID_PM | CAP_TEST << 8, 0, 2);
	put_config(f, CAP_PM + PCI_PM_PMC, 3, 0, 2);		/* version 1.2 of the PM specification */
	put_config(f, CAP_PM + PCI_PM_CTRL, 0, PCI_PM_CTRL_STATE_MASK, 2);

	put_config(f, CAP_TEST, TESTCAP_ID | TESTCAP_LENGTH << 16 | (uint32_t)TESTCAP_VERSION << 24, 0, 4);
}

static bool sleeping(const struct function *f)
{
	return f->config[CAP_PM + PCI_PM_CTRL] & PCI_PM_CTRL_STATE_MASK;
}

static bool answers(const struct function *f)
{
	return !f->engine.dead && !sleeping(f) && f->config[PCI_COMMAND] & PCI_COMMAND_MEMORY;
}

static void update_master(struct function *f)
{
	engine_set_master(&f->engine, !sleeping(f) && f->config[PCI_COMMAND] & PCI_COMMAND_MASTER);
}

void function_reset(struct function *f)
{
	engine_reset(&f->engine);
	config_reset(f);
	memset(f->msix_table, 0, sizeof(f->msix_table));
	for (unsigned int v = 0; v < f->engine.nvectors; v++)
		f->msix_table[v][3] = PCI_MSIX_ENTRY_CTRL_MASKBIT;
	f->msix_pending = 0;
	update_master(f);
}

int function_create(struct function *f, const struct eie_sim_params *params)
{
	int ret;

	memset(f, 0, sizeof(*f));
	ret = engine_create(&f->engine, params, &f->mem);
	if (ret)
		return ret;
	function_reset(f);
	return 0;
}

void function_destroy(struct function *f)
{
	engine_destroy(&f->engine);
	memory_unmap_all(&f->mem);
}

size_t function_bar_size(unsigned int bar)
{
	switch (bar) {
	case 0: return EIE_BAR_BYTES;
	case FUNCTION_MSIX_BAR: return FUNCTION_MSIX_BAR_BYTES;
	default: return 0;
	}
}

/* ---- test capability; *word is NULL for a word that only counts, or is none */

static uint32_t testcap_word(struct function *f, unsigned int offset, uint32_t **word)
{
	struct engine_faults *faults = &f->engine.faults;

	*word = NULL;
	switch (offset) {
	case TESTCAP_MMIO_READS: return f->engine.mmio_reads;
	case TESTCAP_MMIO_WRITES: return f->engine.mmio_writes;
	case TESTCAP_INTERRUPTS: return f->interrupts;
	case TESTCAP_LOST: return f->lost;
	case TESTCAP_BURSTS: return f->engine.bursts;
	case TESTCAP_BAD_BURSTS: return f->engine.bad_bursts;
	case TESTCAP_LOSE_IRQS: *word = &f->lose_irqs; break;
	case TESTCAP_STORM: *word = &f->storm; break;
	case TESTCAP_DIE: *word = &faults->die; break;
	case TESTCAP_FAIL_BURST: *word = &faults->fail_burst; break;
	case TESTCAP_BAD_ADDR_LO: return (uint32_t)faults->bad_addr;
	case TESTCAP_BAD_ADDR_HI: return (uint32_t)(faults->bad_addr >> 32);
	case TESTCAP_BAD_SIZE: *word = &faults->bad_size; break;
	case TESTCAP_SLOW: *word = &faults->slow; break;
	case TESTCAP_HOLD: return f->engine.held;
	default: return 0;
	}
	return **word;
}

static void testcap_write(struct function *f, unsigned int offset, uint32_t value)
{
	struct engine_faults *faults = &f->engine.faults;
	uint32_t *word;

	if (f->engine.dead && offset != TESTCAP_DIE)
		return;
	switch (offset) {
	case TESTCAP_BAD_ADDR_LO:
		faults->bad_addr = (faults->bad_addr & ~UINT64_C(0xffffffff)) | value;
		return;
	case TESTCAP_BAD_ADDR_HI:
		faults->bad_addr = (uint32_t)faults->bad_addr | (uint64_t)value << 32;
		return;
	case TESTCAP_HOLD:
		engine_hold(&f->engine, value && f->engine.master);
		return;
	case TESTCAP_DIE:
		faults->die = value;
		if (!value && f->engine.dead)
			engine_reset(&f->engine);
		f->engine.dead = value == 1 || (f->engine.dead && value);
		return;
	default:
		testcap_word(f, offset, &word);
		if (word)
			*word = value;
	}
}

static bool in_testcap(uint64_t offset)
{
	return offset >= CAP_TEST + 4 && offset < CAP_TEST + TESTCAP_LENGTH;
}

/* ---- configuration space */

void function_config_read(struct function *f, uint64_t offset, void *buf, size_t len)
{
	uint8_t *out = buf;
	uint32_t *word;

	memset(out, 0xff, len);
	if (f->engine.dead)
		return;
	for (size_t i = 0; i < len && offset + i < FUNCTION_CONFIG_BYTES; i++) {
		unsigned int at = (unsigned int)(offset + i);

		if (in_testcap(at))
			out[i] = (uint8_t)(testcap_word(f, (at & ~3u) - CAP_TEST, &word) >> 8 * (at % 4));
		else
			out[i] = f->config[at];
	}
}

void function_config_write(struct function *f, uint64_t offset, const void *buf, size_t len)
{
	const uint8_t *in = buf;
	bool slept = sleeping(f);

	if (in_testcap(offset)) {
		if (len == 4 && offset % 4 == 0)
			testcap_write(f, (unsigned int)offset - CAP_TEST, get32(in));
		return;
	}
	if (f->engine.dead)
		return;
	for (size_t i = 0; i < len && offset + i < FUNCTION_CONFIG_BYTES; i++) {
		uint8_t mask = f->writable[offset + i];

		f->config[offset + i] = (uint8_t)((f->config[offset + i] & ~mask) | (in[i] & mask));
	}
	if (slept && !sleeping(f))
		function_reset(f);
	update_master(f);
}

/* ---- BARs */

static uint32_t msix_read(const struct function *f, uint32_t offset)
{
	if (offset < f->engine.nvectors * 16)
		return f->msix_table[offset / 16][offset / 4 % 4];
	if (offset == MSIX_PBA)
		return (uint32_t)f->msix_pending;
	if (offset == MSIX_PBA + 4)
		return (uint32_t)(f->msix_pending >> 32);
	return 0;
}

static void msix_write(struct function *f, uint32_t offset, uint32_t value)
{
	if (offset < f->engine.nvectors * 16)
		f->msix_table[offset / 16][offset / 4 % 4] = value;
}

static uint32_t bar_read32(struct function *f, unsigned int bar, uint32_t offset)
{
	return bar == FUNCTION_MSIX_BAR ? msix_read(f, offset) : engine_read32(&f->engine, offset);
}

void function_bar_read(struct function *f, unsigned int bar, uint64_t offset, void *buf, size_t len)
{
	size_t size = function_bar_size(bar);
	uint8_t *out = buf;
	uint32_t value = 0;

	memset(out, 0xff, len);
	if (!answers(f)) {
		f->engine.mmio_reads += !bar;
		return;
	}
	for (size_t i = 0; i < len && offset + i < size; i++) {
		uint32_t at = (uint32_t)(offset + i);

		if (i == 0 || at % 4 == 0)
			value = bar_read32(f, bar, at & ~3u);
		out[i] = (uint8_t)(value >> 8 * (at % 4));
	}
}

void function_bar_write(struct function *f, unsigned int bar, uint64_t offset, const void *buf, size_t len)
{
	size_t size = function_bar_size(bar);
	const uint8_t *in = buf;

	if (offset % 4 || len % 4 || !answers(f)) {
		f->engine.mmio_writes += !bar;
		return;
	}
	for (size_t i = 0; i < len && offset + i < size; i += 4) {
		if (bar == FUNCTION_MSIX_BAR)
			msix_write(f, (uint32_t)(offset + i), get32(in + i));
		else
			engine_write32(&f->engine, (uint32_t)(offset + i), get32(in + i));
	}
}

/* ---- interrupts and clock */

static bool msix_enabled(const struct function *f)
{
	return f->engine.master && f->config[CAP_MSIX + PCI_MSIX_FLAGS + 1] & PCI_MSIX_FLAGS_ENABLE >> 8;
}

static bool msix_masked(const struct function *f, unsigned int vector)
{
	return f->config[CAP_MSIX + PCI_MSIX_FLAGS + 1] & PCI_MSIX_FLAGS_MASKALL >> 8 ||
	       f->msix_table[vector][3] & PCI_MSIX_ENTRY_CTRL_MASKBIT;
}

bool function_message(struct function *f, unsigned int vector, uint64_t *addr, uint32_t *data)
{
	const uint32_t *entry = f->msix_table[vector];

	if (msix_masked(f, vector)) {
		f->msix_pending |= UINT64_C(1) << vector;
		return false;
	}
	*addr = entry[0] | (uint64_t)entry[1] << 32;
	*data = entry[2];
	return true;
}

bool function_wants_clock(const struct function *f)
{
	return engine_wants_clock(&f->engine) || (f->storm && !f->engine.dead);
}

uint64_t function_run(struct function *f)
{
	uint64_t due, unmasked = 0;

	engine_run(&f->engine);
	due = f->engine.pending;
	f->engine.pending = 0;
	if (f->engine.dead || !msix_enabled(f))
		return 0;
	for (unsigned int v = 0; v < f->engine.nvectors; v++) {
		if (due >> v & 1 && f->lose_irqs) {
			f->lose_irqs--;
			f->lost++;
			due &= ~(UINT64_C(1) << v);
		}
		if (f->msix_pending >> v & 1 && !msix_masked(f, v))
			unmasked |= UINT64_C(1) << v;
	}
	f->msix_pending &= ~unmasked;
	due |= unmasked;
	if (f->storm) {
		f->storm--;
		due = (UINT64_C(1) << f->engine.nvectors) - 1;
	}
	return due;
}
