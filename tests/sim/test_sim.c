// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * libeie_sim: every configuration answers, copies memory through its activation buffer, survives a reset and bus
 * errors, and does the same again with the same seed. Whether the engine computes is tested elsewhere.
 */
#include <errno.h>
#include <libfdt.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "eie_hw.h"
#include "eie_sim.h"

#define MEM_BYTES 0x200000u /* one 2 MiB page, device address = bus address */
#define SQ 0x1000u
#define CQ 0x2000u
#define ROOT 0x3000u
#define LEVEL1 0x4000u
#define BASES 0x5000u
#define CMDS 0x6000u
#define SRC 0x100050u /* not on a 4 KiB boundary, so that transfers are split */
#define DST 0x180020u
#define GRANULES 300u
#define BYTES (GRANULES * EIE_GRANULE_BYTES)
#define RING_LOG2 2u
#define JOB_CYCLES 100000u

struct bench {
	struct eie_sim *sim;
	uint8_t *mem;
	uint64_t bad_from, bad_to; /* accesses that touch this range fail */
	uint64_t hash;             /* of every callback */
	unsigned int irqs[5], calls, tail; /* irqs: of four queues, then the fault vector */
};

static void note(struct bench *b, uint64_t value)
{
	b->hash = (b->hash ^ value) * 0x100000001b3;
	b->calls++;
}

static int allowed(const struct bench *b, uint64_t addr, size_t len)
{
	return addr + len <= MEM_BYTES && (addr >= b->bad_to || addr + len <= b->bad_from);
}

static int bus_read(void *ctx, uint64_t addr, void *buf, size_t len)
{
	struct bench *b = ctx;

	note(b, addr);
	if (!allowed(b, addr, len))
		return -1;
	memcpy(buf, b->mem + addr, len);
	return 0;
}

static int bus_write(void *ctx, uint64_t addr, const void *buf, size_t len)
{
	struct bench *b = ctx;

	note(b, addr);
	for (size_t i = 0; i < len; i++)
		note(b, ((const uint8_t *)buf)[i]);
	if (!allowed(b, addr, len))
		return -1;
	memcpy(b->mem + addr, buf, len);
	return 0;
}

static void irq(void *ctx, unsigned int vector)
{
	struct bench *b = ctx;

	assert_true(vector < sizeof(b->irqs) / sizeof(b->irqs[0]));
	b->irqs[vector]++;
}

static void put64(struct bench *b, uint32_t addr, uint64_t value)
{
	value = htole64(value);
	memcpy(b->mem + addr, &value, sizeof(value));
}

static void put_cmd(struct bench *b, unsigned int index, uint32_t dw0)
{
	const uint32_t len = (dw0 & EIE_CMD_OPCODE_MASK) == EIE_OP_SYNC ? 0 : GRANULES;
	struct eie_cmd cmd = { .dw = { [0] = htole32(dw0) } };

	cmd.dw[EIE_CMD_XFER_LEN_DW] = htole32(len);
	cmd.dw[EIE_CMD_XFER_ROWS_DW] = htole32(len ? 1 : 0);
	memcpy(b->mem + CMDS + index * sizeof(cmd), &cmd, sizeof(cmd));
}

/* The whole memory mapped one to one, and a program that copies SRC to DST. */
static void fill_memory(struct bench *b)
{
	for (uint32_t i = 0; i < BYTES; i++)
		b->mem[SRC + i] = (uint8_t)(i * 7 + i / 256);
	put64(b, ROOT, (uint64_t)LEVEL1 >> 12 << EIE_PTE_PPN_LSB | EIE_PTE_V);
	put64(b, LEVEL1, EIE_PTE_V | EIE_PTE_R | EIE_PTE_W);
	put64(b, BASES, SRC);
	put64(b, BASES + 8, DST);
	put_cmd(b, 0, EIE_OP_LOAD | 1u << EIE_CMD_SIGNAL_NEXT_SHIFT);
	put_cmd(b, 1, EIE_OP_SYNC | 1u << EIE_CMD_WAIT_PREV_SHIFT | 1u << EIE_CMD_SIGNAL_NEXT_SHIFT);
	put_cmd(b, 2, EIE_OP_STORE | 1u << EIE_CMD_WAIT_PREV_SHIFT | 1u << EIE_CMD_XFER_BASE_SHIFT);
}

static void start_queue(struct bench *b)
{
	memset(b->mem + CQ, 0, EIE_CPL_BYTES << RING_LOG2);
	b->tail = 0;
	eie_sim_write32(b->sim, EIE_QUEUE_BASE + EIE_REG_Q_SQ_BASE_LO, SQ);
	eie_sim_write32(b->sim, EIE_QUEUE_BASE + EIE_REG_Q_CQ_BASE_LO, CQ);
	eie_sim_write32(b->sim, EIE_QUEUE_BASE + EIE_REG_Q_SIZE,
			RING_LOG2 << EIE_Q_SIZE_SQ_LOG2_SHIFT | RING_LOG2 << EIE_Q_SIZE_CQ_LOG2_SHIFT);
	eie_sim_write32(b->sim, EIE_QUEUE_BASE + EIE_REG_Q_CTRL, 1);
	eie_sim_write32(b->sim, EIE_REG_CTRL, 1);
}

static void open_bench(struct bench *b, const char *config, uint64_t seed, unsigned int stall, unsigned int jitter)
{
	const struct eie_sim_params params = {
		.config = config, .seed = seed, .latency = 20, .stall_permille = stall, .jitter = jitter
	};
	static const struct eie_sim_ops ops = { bus_read, bus_write, irq };

	memset(b, 0, sizeof(*b));
	b->mem = calloc(1, MEM_BYTES);
	assert_non_null(b->mem);
	assert_int_equal(eie_sim_create(&b->sim, &params, &ops, b), 0);
	fill_memory(b);
	start_queue(b);
}

static void close_bench(struct bench *b)
{
	assert_int_equal(eie_sim_assert_failed(b->sim), 0);
	eie_sim_destroy(b->sim);
	free(b->mem);
}

static void submit(struct bench *b)
{
	const struct eie_desc desc = {
		.fence = htole64(0x1234567890 + b->tail), .root = htole64(ROOT), .asid = htole16(1),
		.nbases = htole16(2), .bases = htole64(BASES), .cmds = htole64(CMDS), .ncmds = htole32(3),
	};

	memcpy(b->mem + SQ + EIE_DESC_BYTES * (b->tail % (1u << RING_LOG2)), &desc, sizeof(desc));
	eie_sim_write32(b->sim, EIE_QUEUE_BASE + EIE_REG_Q_DOORBELL,
			(b->tail + 1) << EIE_Q_DOORBELL_SQ_TAIL_SHIFT | b->tail << EIE_Q_DOORBELL_CQ_HEAD_SHIFT);
	b->tail++;
}

/* Submits a job, runs until its interrupt, returns its status. */
static uint32_t job(struct bench *b, struct eie_cpl *cpl)
{
	const unsigned int before = b->irqs[0], slot = b->tail % (1u << RING_LOG2);

	submit(b);
	eie_sim_run(b->sim, JOB_CYCLES);
	assert_int_equal(b->irqs[0], before + 1);
	memcpy(cpl, b->mem + CQ + EIE_CPL_BYTES * slot, sizeof(*cpl));
	assert_int_equal(le64toh(cpl->fence), 0x1234567890 + b->tail - 1);
	return le32toh(cpl->status);
}

static void copy_works(struct bench *b)
{
	struct eie_cpl cpl;

	memset(b->mem + DST, 0, BYTES);
	assert_int_equal(job(b, &cpl), EIE_STATUS_OK);
	assert_memory_equal(b->mem + DST, b->mem + SRC, BYTES);
	assert_int_equal(b->mem[DST + BYTES], 0);
	assert_int_equal(le32toh(cpl.write_beats), GRANULES);
}

static void test_unknown_config(void **state)
{
	const struct eie_sim_params params = { .config = "3x3" };
	const struct eie_sim_ops ops = { bus_read, bus_write, NULL };
	struct eie_sim *sim;

	(void)state;
	assert_int_equal(eie_sim_create(&sim, &params, &ops, NULL), -ENOENT);
}

static void test_identity(void **state)
{
	(void)state;
	for (const char *const *config = eie_sim_configs(); *config; config++) {
		struct bench b;
		uint32_t *dt, bytes;
		const char *model;
		int len;

		open_bench(&b, *config, 0, 0, 0);
		assert_int_equal(eie_sim_read32(b.sim, EIE_REG_ID), EIE_ID_VALUE);
		assert_int_equal(eie_sim_read32(b.sim, EIE_REG_VERSION), EIE_ISA_MAJOR << 16 | EIE_ISA_MINOR);
		bytes = eie_sim_read32(b.sim, EIE_REG_DT_SIZE);
		assert_in_range(bytes, sizeof(struct fdt_header), EIE_DT_BYTES_MAX);
		dt = calloc((bytes + 3) / 4, 4);
		assert_non_null(dt);
		for (uint32_t i = 0; i * 4 < bytes; i++)
			dt[i] = htole32(eie_sim_read32(b.sim, EIE_DT_BASE + i * 4));
		assert_int_equal(fdt_check_full(dt, bytes), 0);
		model = fdt_getprop(dt, 0, "model", &len);
		assert_non_null(model);
		assert_string_equal(model, *config);
		free(dt);
		close_bench(&b);
	}
}

static void test_copy(void **state)
{
	(void)state;
	for (const char *const *config = eie_sim_configs(); *config; config++) {
		struct bench b;

		open_bench(&b, *config, 1, 0, 0);
		for (int i = 0; i < 6; i++) /* round the ring */
			copy_works(&b);
		close_bench(&b);
	}
}

static void test_outside_window(void **state)
{
	struct bench b;

	(void)state;
	open_bench(&b, "2x2", 0, 0, 0);
	assert_int_equal(eie_sim_read32(b.sim, EIE_BAR_BYTES), UINT32_MAX);
	assert_int_equal(eie_sim_read32(b.sim, 2), UINT32_MAX);
	close_bench(&b);
}

static void test_mmio_counts(void **state)
{
	uint64_t reads[2], writes[2];
	struct bench b;

	(void)state;
	open_bench(&b, "2x2", 0, 0, 0);
	eie_sim_mmio_counts(b.sim, &reads[0], &writes[0]);
	copy_works(&b);
	eie_sim_mmio_counts(b.sim, &reads[1], &writes[1]);
	assert_int_equal(reads[1], reads[0]);
	assert_int_equal(writes[1], writes[0] + 1); /* the doorbell */
	close_bench(&b);
}

static void test_irq_level(void **state)
{
	struct bench b;

	(void)state;
	open_bench(&b, "2x2", 0, 0, 0);
	copy_works(&b);
	eie_sim_run(b.sim, 4);
	assert_int_equal(eie_sim_irq_level(b.sim), 0); /* masked */
	eie_sim_write32(b.sim, EIE_REG_IRQ_ENABLE, 1);
	eie_sim_run(b.sim, 4);
	assert_int_equal(eie_sim_irq_level(b.sim), 1);
	assert_int_equal(eie_sim_read32(b.sim, EIE_REG_IRQ_STATUS), 1);
	eie_sim_write32(b.sim, EIE_REG_IRQ_STATUS, 1);
	eie_sim_run(b.sim, 4);
	assert_int_equal(eie_sim_irq_level(b.sim), 0);
	close_bench(&b);
}

struct outcome {
	uint64_t seed, cycles, hash;
	uint8_t bytes[BYTES];
};

/* Also run by threads of their own: no cmocka assertion beside what open and job check. */
static void *disturbed_run(void *arg)
{
	struct outcome *o = arg;
	struct eie_cpl cpl;
	struct bench b;

	open_bench(&b, "2x2", o->seed, 200, 50);
	for (int i = 0; i < 3; i++)
		job(&b, &cpl);
	o->cycles = eie_sim_cycles(b.sim);
	o->hash = b.hash;
	memcpy(o->bytes, b.mem + DST, BYTES);
	close_bench(&b);
	return NULL;
}

static void test_deterministic(void **state)
{
	static struct outcome a, again, other;

	(void)state;
	a.seed = again.seed = 42;
	other.seed = 43;
	disturbed_run(&a);
	disturbed_run(&again);
	disturbed_run(&other);
	assert_int_equal(a.cycles, again.cycles);
	assert_int_equal(a.hash, again.hash);
	assert_memory_equal(a.bytes, again.bytes, BYTES);
	assert_int_not_equal(a.hash, other.hash); /* times are in the completion entries */
	assert_int_not_equal(a.cycles, other.cycles);
	assert_memory_equal(a.bytes, other.bytes, BYTES);
}

static void test_threads(void **state)
{
	static struct outcome alone, o[2];
	pthread_t threads[2];

	(void)state;
	alone.seed = o[0].seed = 5;
	o[1].seed = 6;
	disturbed_run(&alone);
	for (int i = 0; i < 2; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, disturbed_run, &o[i]), 0);
	for (int i = 0; i < 2; i++)
		assert_int_equal(pthread_join(threads[i], NULL), 0);
	assert_int_equal(o[0].hash, alone.hash);
	assert_int_equal(o[0].cycles, alone.cycles);
	assert_int_not_equal(o[1].cycles, alone.cycles);
}

static void test_reset(void **state)
{
	struct bench b;
	unsigned int calls;

	(void)state;
	open_bench(&b, "2x2", 9, 0, 0);
	submit(&b);
	while (b.calls < 10 && eie_sim_cycles(b.sim) < JOB_CYCLES) /* then more bursts are under way */
		eie_sim_run(b.sim, 1);
	assert_int_equal(b.calls, 10);
	eie_sim_reset(b.sim);
	calls = b.calls;
	eie_sim_run(b.sim, 2000);
	assert_int_equal(b.calls, calls);
	assert_int_equal(b.irqs[0], 0);
	assert_int_equal(eie_sim_read32(b.sim, EIE_REG_CTRL), 0);
	start_queue(&b);
	copy_works(&b);
	close_bench(&b);
}

static void test_bus_errors(void **state)
{
	struct eie_cpl cpl;
	struct bench b;

	(void)state;
	open_bench(&b, "2x2", 3, 0, 0);
	b.bad_from = 0x101000; /* a burst of the source starts here */
	b.bad_to = 0x101010;
	assert_int_equal(job(&b, &cpl), EIE_STATUS_BUS_ERROR);
	assert_int_equal(le64toh(cpl.fault_addr), 0x101000);
	b.bad_from = 0x181000;
	b.bad_to = 0x181010;
	assert_int_equal(job(&b, &cpl), EIE_STATUS_BUS_ERROR);
	assert_int_equal(le64toh(cpl.fault_addr), 0x181000);
	b.bad_to = 0;
	copy_works(&b);

	b.bad_from = SQ; /* its own error: the queue stops and says so */
	b.bad_to = CQ;
	submit(&b);
	eie_sim_run(b.sim, JOB_CYCLES);
	assert_int_equal(b.irqs[4], 1);
	assert_int_equal(eie_sim_read32(b.sim, EIE_QUEUE_BASE + EIE_REG_Q_STATUS),
			 EIE_HALT_DESC_READ << EIE_Q_STATUS_CAUSE_SHIFT | 1u << EIE_Q_STATUS_ERROR_SHIFT);
	close_bench(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_unknown_config), cmocka_unit_test(test_identity),
		cmocka_unit_test(test_copy),           cmocka_unit_test(test_outside_window),
		cmocka_unit_test(test_mmio_counts),    cmocka_unit_test(test_irq_level),
		cmocka_unit_test(test_deterministic),  cmocka_unit_test(test_threads),
		cmocka_unit_test(test_reset),          cmocka_unit_test(test_bus_errors),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
