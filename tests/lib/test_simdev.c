// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * The simulated device without a kernel: memory and page tables alone, then the engine: every single-error job of the fixture
 * ends as the interpreter says.   test_simdev [CONFIG,key=value...]   (2x2; needs libeie_sim.so, see simlib.h)
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "job_fixture.h"
#include "simdev.h"

#define CYCLES 100000

static const char *spec = "2x2";

/* ------------------------------------------------------------ no engine needed */

static void test_parse(void **state)
{
	struct simdev_options o;
	struct accel_error err;

	(void)state;
	assert_int_equal(simdev_parse("", &o, NULL), 0);
	assert_string_equal(o.config, "8x8");
	assert_int_equal(simdev_parse("2x2,seed=0x10,latency=7,stall=250,jitter=3", &o, NULL), 0);
	assert_string_equal(o.config, "2x2");
	assert_int_equal(o.seed, 16);
	assert_int_equal(o.latency, 7);
	assert_int_equal(o.stall_permille, 250);
	assert_int_equal(o.jitter, 3);
	assert_int_equal(simdev_parse(",seed=2", &o, NULL), 0);
	assert_string_equal(o.config, "8x8");
	assert_int_equal(simdev_parse("2x2,sed=1", &o, &err), -EINVAL);
	assert_non_null(strstr(err.text, "\"sed\""));
	assert_int_equal(simdev_parse("2x2,stall=1000", &o, NULL), -EINVAL);
	assert_int_equal(simdev_parse("2x2,stall=-1", &o, NULL), -EINVAL);
	assert_int_equal(simdev_parse("2x2,stall=", &o, NULL), -EINVAL);
	assert_int_equal(simdev_parse("2x2,stall=1x", &o, NULL), -EINVAL);
	assert_int_equal(simdev_parse("2x2,", &o, NULL), -EINVAL);
}

static void test_bus(void **state)
{
	struct simbus *bus;
	uint64_t a, b, c;
	uint8_t buf[16];

	(void)state;
	assert_int_equal(simbus_new(&bus), 0);
	assert_int_equal(simbus_alloc(bus, 5000, SIMBUS_PAGE, &a), 0);
	assert_int_equal(simbus_alloc(bus, SIMBUS_LARGE_PAGE, SIMBUS_LARGE_PAGE, &b), 0);
	assert_int_equal(b % SIMBUS_LARGE_PAGE, 0);
	assert_int_equal(simbus_alloc(bus, 1, SIMBUS_PAGE, &c), 0);
	assert_int_equal(c, a + 8192);
	memset(simbus_ptr(bus, a, 8192), 0xff, 8192);
	assert_null(simbus_ptr(bus, c, 4097));
	assert_null(simbus_ptr(bus, 0, 1));
	assert_int_equal(simbus_read(bus, c + 4096, buf, 16), -1);
	/* Freed pages are found again, zeroed. */
	simbus_release(bus, a, 5000);
	assert_null(simbus_ptr(bus, a, 1));
	assert_int_equal(simbus_alloc(bus, 8192, SIMBUS_PAGE, &a), 0);
	assert_int_equal(((uint8_t *)simbus_ptr(bus, a, 8192))[4095], 0);
	assert_int_equal(simbus_fail(bus, a + 32, 16, true, false), 0);
	assert_int_equal(simbus_read(bus, a + 16, buf, 16), 0);
	assert_int_equal(simbus_read(bus, a + 32, buf, 16), -1);
	assert_int_equal(simbus_write(bus, a + 32, buf, 16), 0);
	simbus_fail_none(bus);
	assert_int_equal(simbus_read(bus, a + 32, buf, 16), 0);
	assert_int_equal(simbus_alloc(bus, (size_t)1 << 40, SIMBUS_PAGE, &b), -ENOMEM);
	simbus_free(bus);
}

static void test_tables(void **state)
{
	struct simbus *bus;
	uint64_t root, page, va = 0x2040000000 - SIMBUS_PAGE;

	(void)state;
	assert_int_equal(simbus_new(&bus), 0);
	assert_int_equal(simbus_alloc(bus, SIMBUS_PAGE, SIMBUS_PAGE, &root), 0);
	/* A small page, a large one, a small one again. */
	assert_int_equal(sv39_map(bus, root, va, 0x80000000 + SIMBUS_LARGE_PAGE - SIMBUS_PAGE,
				  SIMBUS_LARGE_PAGE + 2 * SIMBUS_PAGE, EIE_PTE_V | EIE_PTE_R), 0);
	assert_int_equal(*sv39_entry(bus, root, va, 0), (0x801ffull << EIE_PTE_PPN_LSB) | EIE_PTE_V | EIE_PTE_R);
	assert_int_equal(*sv39_entry(bus, root, va + SIMBUS_PAGE, 1), (0x80200ull << EIE_PTE_PPN_LSB) | EIE_PTE_V | EIE_PTE_R);
	assert_null(sv39_entry(bus, root, va + SIMBUS_PAGE, 0));
	assert_int_equal(*sv39_entry(bus, root, va + SIMBUS_PAGE + SIMBUS_LARGE_PAGE, 0),
			 (0x80400ull << EIE_PTE_PPN_LSB) | EIE_PTE_V | EIE_PTE_R);
	assert_int_equal(sv39_map(bus, root, va - SIMBUS_PAGE, 0x80000000, 2 * SIMBUS_PAGE, EIE_PTE_V), -EEXIST);
	assert_int_equal(*sv39_entry(bus, root, va - SIMBUS_PAGE, 0), 0);
	sv39_unmap(bus, root, va, SIMBUS_LARGE_PAGE + 2 * SIMBUS_PAGE);
	assert_int_equal(*sv39_entry(bus, root, va, 0) | *sv39_entry(bus, root, va + SIMBUS_PAGE, 1), 0);
	sv39_free(bus, root);
	/* Everything was given back: the first page is free again. */
	assert_int_equal(simbus_alloc(bus, SIMBUS_PAGE, SIMBUS_PAGE, &page), 0);
	assert_int_equal(page, root);
	simbus_free(bus);
}

static void test_no_library(void **state)
{
	struct simlib lib;
	struct accel_error err;
	char *old = getenv("EIE_SIM_LIB") ? strdup(getenv("EIE_SIM_LIB")) : NULL;

	(void)state;
	setenv("EIE_SIM_LIB", "/nowhere/libeie_sim.so", 1);
	assert_int_equal(simlib_open(&lib, &err), -ENODEV);
	assert_non_null(strstr(err.text, "/nowhere/libeie_sim.so"));
	if (old)
		setenv("EIE_SIM_LIB", old, 1);
	else
		unsetenv("EIE_SIM_LIB");
	free(old);
}

/* ------------------------------------------------------------------ the engine */

struct fixture {
	struct simdev *dev;
	struct simdev_space space;
	struct simdev_memory memory;
	struct job_fixture job;
	struct eie_cpl cpl;
	struct eie_ref *ref;     /* runs the same jobs */
	struct eie_cpl want;
};

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	struct simdev_options o;
	struct accel_error err = { 0 };

	*state = f;
	if (simdev_parse(spec, &o, &err) || simdev_open(&o, &f->dev, &err)) {
		fprintf(stderr, "%s\n", err.text);
		return -1;
	}
	if (simdev_space_open(f->dev, 5, &f->space) ||
	    simdev_memory_new(&f->space, JOB_VA, JOB_BYTES, EIE_PTE_V | EIE_PTE_R | EIE_PTE_W, &f->memory) ||
	    eie_ref_new(&f->dev->params, &f->ref))
		return -1;
	job_init(&f->job, &f->dev->params);
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;
	int bad = f->dev->lib.assert_failed(f->dev->sim);

	eie_ref_free(f->ref);
	simdev_space_close(&f->space);
	simdev_close(f->dev);
	free(f);
	return bad ? -1 : 0;
}

/* Through the page table, as far as the interpreter needs it: the fixture's memory or nothing. */
static uint32_t ref_access(struct fixture *f, uint64_t va, void *buf, size_t len, bool write)
{
	const uint64_t *pte = sv39_entry(f->dev->bus, f->space.root, va, 0);

	if (va < JOB_VA || va + len > JOB_VA + JOB_BYTES || !pte || !(*pte & (write ? EIE_PTE_W : EIE_PTE_R)))
		return EIE_STATUS_PAGE_FAULT;
	/* The interpreter's stores are not kept: the engine's are looked at. */
	if (!write && simbus_read(f->dev->bus, f->memory.bus + (va - JOB_VA), buf, len))
		return EIE_STATUS_BUS_ERROR;
	return EIE_STATUS_OK;
}

static uint32_t ref_read(void *ctx, uint64_t va, void *buf, size_t len)
{
	return ref_access(ctx, va, buf, len, false);
}

static uint32_t ref_write(void *ctx, uint64_t va, const void *buf, size_t len)
{
	(void)buf;
	return ref_access(ctx, va, NULL, len, true);
}

static uint32_t run(struct fixture *f)
{
	const struct eie_ref_mem mem = { ref_read, ref_write, f };

	job_finish(&f->job);
	memcpy(f->memory.map, f->job.memory, JOB_BYTES);
	f->job.desc.fence = htole64(0x0123456789abcdef);
	f->job.desc.root = htole64(f->space.root);
	if (!f->job.desc.asid)
		f->job.desc.asid = htole16(f->space.asid);
	eie_ref_run(f->ref, &f->job.desc, &mem, &f->want);
	assert_int_equal(simdev_submit(f->dev, &f->job.desc), 0);
	assert_int_equal(simdev_wait(f->dev, CYCLES, &f->cpl), 0);
	assert_int_equal(f->cpl.fence, f->want.fence);
	assert_int_equal(f->cpl.status, f->want.status);
	assert_int_equal(f->cpl.fault_addr, f->want.fault_addr);
	assert_int_equal(f->cpl.fault_cmd, f->want.fault_cmd);
	assert_int_equal(f->cpl.restored, f->want.restored);
	if (!f->want.status) {
		assert_int_equal(f->cpl.macs, f->want.macs);
		assert_int_equal(f->cpl.saturated, f->want.saturated);
		assert_int_equal(f->cpl.commands, f->want.commands);
	}
	return le32toh(f->cpl.status);
}

static int16_t out(const struct fixture *f, unsigned int i)
{
	const uint8_t *p = (const uint8_t *)f->memory.map + JOB_OUT + 2 * i;

	return (int16_t)(p[0] | p[1] << 8);
}

static void test_good(void **state)
{
	struct fixture *f = *state;

	/* Often enough for both rings to wrap, and the phase with them. */
	for (unsigned int n = 0; n < 150; n++)
		assert_int_equal(run(f), EIE_STATUS_OK);
	for (unsigned int c = 0; c < f->dev->params.clusters; c++)
		for (unsigned int i = 0; i < 8; i++)
			assert_int_equal(out(f, 8 * c + i), i ? 7 : 22);
	assert_int_equal(f->dev->irqs[0], 150);
}

/* Many at once: the ring is filled, entries come in order. */
static void test_full_ring(void **state)
{
	struct fixture *f = *state;
	unsigned int n = simdev_room(f->dev);

	assert_int_equal(run(f), EIE_STATUS_OK);
	for (unsigned int i = 0; i < n; i++) {
		f->job.desc.fence = htole64(i);
		assert_int_equal(simdev_submit(f->dev, &f->job.desc), 0);
	}
	assert_int_equal(simdev_submit(f->dev, &f->job.desc), -EAGAIN);
	for (unsigned int i = 0; i < n; i++) {
		assert_int_equal(simdev_wait(f->dev, CYCLES, &f->cpl), 0);
		assert_int_equal(le64toh(f->cpl.fence), i);
		assert_int_equal(f->cpl.status, EIE_STATUS_OK);
	}
}

static void broken(struct fixture *f, unsigned int index, unsigned int dw, uint32_t value, uint32_t status)
{
	struct eie_cmd good = f->job.cmd[index];

	f->job.cmd[index].dw[dw] = htole32(value);
	assert_int_equal(run(f), status);
	f->job.cmd[index] = good;
	assert_int_equal(run(f), EIE_STATUS_OK);
}

static void test_statuses(void **state)
{
	struct fixture *f = *state;
	const struct eie_params *p = &f->dev->params;
	uint32_t good = le32toh(f->job.cmd[JOB_MAC].dw[0]);

	broken(f, JOB_LOAD_IN, 0, 0x11, EIE_STATUS_BAD_COMMAND);
	broken(f, JOB_MAC, 0, good | 1u << 31, EIE_STATUS_BAD_COMMAND);
	broken(f, JOB_LOAD_IN, EIE_CMD_XFER_ADDR_DW, p->abuf, EIE_STATUS_BAD_RANGE);
	broken(f, JOB_MAC, EIE_CMD_MAC_CODEBOOK_DW, 1, EIE_STATUS_BAD_RANGE);
	broken(f, JOB_DRAIN, EIE_CMD_DRAIN_STEPS_DW, p->rows / 8 + 1, EIE_STATUS_BAD_RANGE);
	broken(f, JOB_LOAD_IN, EIE_CMD_XFER_OFFSET_DW, JOB_IN + 8, EIE_STATUS_MISALIGNED);
	broken(f, JOB_LOAD_IN, 0, EIE_OP_LOAD | 1u << EIE_CMD_XFER_BASE_SHIFT, EIE_STATUS_MISALIGNED);
	broken(f, JOB_LOAD_IN, 0, EIE_OP_LOAD | 2u << EIE_CMD_XFER_BASE_SHIFT, EIE_STATUS_PAGE_FAULT);
	broken(f, JOB_MAC, EIE_CMD_MAC_IN_DW, p->abuf - 1, EIE_STATUS_UNWRITTEN);
	f->job.memory[JOB_W] = 0;
	assert_int_equal(run(f), EIE_STATUS_BAD_STREAM);
	f->job.memory[JOB_W] = 1;
	f->job.memory[JOB_R + 6] = 0;
	assert_int_equal(run(f), EIE_STATUS_BAD_PARAM);
	f->job.memory[JOB_R + 6] = 1;
	f->job.desc.rsvd0[63] = 1;
	assert_int_equal(run(f), EIE_STATUS_BAD_DESCRIPTOR);
	f->job.desc.rsvd0[63] = 0;
	/* A wait that nobody meets. */
	f->job.desc.cycle_limit = htole32(5000);
	CMD_SET(&f->job.cmd[JOB_LOAD_IN], WAIT_NEXT, 1);
	assert_int_equal(run(f), EIE_STATUS_TIMEOUT);
	CMD_SET(&f->job.cmd[JOB_LOAD_IN], WAIT_NEXT, 0);
	assert_int_equal(run(f), EIE_STATUS_OK);
}

static void test_bus_errors(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(simbus_fail(f->dev->bus, f->memory.bus + JOB_P, 4096, true, false), 0);
	assert_int_equal(run(f), EIE_STATUS_BUS_ERROR);
	simbus_fail_none(f->dev->bus);
	assert_int_equal(run(f), EIE_STATUS_OK);
}

/* A store to a page that may only be read; what another address space wrote; a mapping that went away. */
static void test_isolation(void **state)
{
	struct fixture *f = *state;
	uint64_t *pte = sv39_entry(f->dev->bus, f->space.root, JOB_VA + JOB_OUT, 0), good = *pte;
	struct simdev_memory large;
	uint64_t base = htole64(0x40000000);

	assert_int_equal(run(f), EIE_STATUS_OK);
	*pte &= ~(uint64_t)EIE_PTE_W;
	assert_int_equal(simdev_invalidate(f->dev, f->space.asid), 0);
	assert_int_equal(run(f), EIE_STATUS_PAGE_FAULT);
	assert_int_equal(le64toh(f->cpl.fault_addr), JOB_VA + JOB_OUT);
	*pte = good;
	assert_int_equal(simdev_invalidate(f->dev, -1), 0);

	f->job.desc.asid = htole16(9);
	CMD_SET(&f->job.cmd[JOB_LOAD_P], XFER_ADDR, 4);
	assert_int_equal(run(f), EIE_STATUS_UNWRITTEN);
	CMD_SET(&f->job.cmd[JOB_LOAD_P], XFER_ADDR, 0);
	f->job.desc.asid = htole16(f->space.asid);

	/* A large page, used, then gone. */
	assert_int_equal(simdev_memory_new(&f->space, 0x40000000, SIMBUS_LARGE_PAGE, EIE_PTE_V | EIE_PTE_R, &large), 0);
	assert_non_null(sv39_entry(f->dev->bus, f->space.root, 0x40000000, 1));
	((uint8_t *)large.map)[JOB_IN] = 4;
	memcpy(f->job.memory + JOB_BASES + 16, &base, sizeof(base));
	CMD_SET(&f->job.cmd[JOB_LOAD_IN], XFER_BASE, 2);
	job_finish(&f->job);
	memcpy(f->memory.map, f->job.memory, JOB_BYTES);
	assert_int_equal(simdev_submit(f->dev, &f->job.desc), 0);
	assert_int_equal(simdev_wait(f->dev, CYCLES, &f->cpl), 0);
	assert_int_equal(f->cpl.status, EIE_STATUS_OK);
	assert_int_equal(out(f, 0), 27);
	assert_int_equal(simdev_memory_free(&large), 0);
	assert_int_equal(run(f), EIE_STATUS_PAGE_FAULT);
	assert_int_equal(le64toh(f->cpl.fault_addr), 0x40000000 + JOB_IN);
}

static void test_reset(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(run(f), EIE_STATUS_OK);
	/* In flight when the reset comes, and a queue that met a bus error. */
	assert_int_equal(simdev_submit(f->dev, &f->job.desc), 0);
	assert_int_equal(simdev_reset(f->dev), 0);
	assert_false(simdev_completed(f->dev, &f->cpl));
	assert_int_equal(run(f), EIE_STATUS_OK);
	assert_int_equal(simbus_fail(f->dev->bus, f->dev->sq, 4096, true, false), 0);
	assert_int_equal(simdev_submit(f->dev, &f->job.desc), 0);
	assert_int_equal(simdev_wait(f->dev, CYCLES, &f->cpl), -EIO);
	assert_int_equal(simdev_read32(f->dev, EIE_QUEUE_BASE + EIE_REG_Q_STATUS) >> EIE_Q_STATUS_CAUSE_SHIFT, EIE_HALT_DESC_READ);
	simbus_fail_none(f->dev->bus);
	assert_int_equal(simdev_reset(f->dev), 0);
	/* The interpreter knows no reset: another address space gives both an empty chip. */
	f->job.desc.asid = htole16(6);
	assert_int_equal(run(f), EIE_STATUS_OK);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_parse), cmocka_unit_test(test_bus), cmocka_unit_test(test_tables),
		cmocka_unit_test(test_no_library), TEST(test_good), TEST(test_full_ring), TEST(test_statuses), TEST(test_bus_errors),
		TEST(test_isolation), TEST(test_reset),
	};

	if (argc > 1)
		spec = argv[1];
	return cmocka_run_group_tests(tests, NULL, NULL);
}
