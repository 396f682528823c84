// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * CTRL.ABORT and CTRL.RESET at every moment of a job that loads and stores all the time, on a bus with random stalls: the device
 * becomes quiet, says what it did, writes nothing but the job's own output, and the next job is right.
 */
#include "fixture.h"

#define RAM_BYTES (1u << 20)
#define ENABLE (1u << EIE_CTRL_ENABLE_SHIFT)
#define ABORT (1u << EIE_CTRL_ABORT_SHIFT)
#define RESET (1u << EIE_CTRL_RESET_SHIFT)
#define BUSY (1u << EIE_STATUS_BUSY_SHIFT)
#define QUIESCED (1u << EIE_STATUS_QUIESCED_SHIFT)

static struct fixture *f;

static uint32_t job_cycles(struct process *p)
{
	struct eie_cpl cpl;

	process_run(p, &cpl);
	assert_int_equal(cpl.status, EIE_STATUS_OK);
	return cpl.cycles;
}

/* Nothing outside OUT may have changed, and in OUT a granule is what it was or what the job makes of it. */
static void check_memory(struct process *p, const uint8_t *before, const uint8_t *done)
{
	size_t out = (size_t)(p->out - f->b.ram);

	for (size_t i = f->mark; i < f->b.used; i++)
		if (i < out || i >= out + OUT_BYTES)
			assert_int_equal(f->b.ram[i], before[i]);
	for (size_t i = 0; i < OUT_BYTES; i += 16)
		if (memcmp(p->out + i, before + out + i, 16) && memcmp(p->out + i, done + i, 16))
			fail_msg("granule %zu of the output is neither old nor new", i / 16);
}

/* An entry, when the job had been taken; 0 when it is still in the ring. */
static int abort_job(struct process *p, unsigned int cycles, struct eie_cpl *cpl)
{
	uint64_t reads, writes;
	bool taken;

	board_submit(&f->b, &p->desc);
	for (unsigned int i = 0; i < cycles; i++)
		eie_sim_run(f->b.sim, 1);
	reg_write(f, EIE_REG_CTRL, ABORT | ENABLE);
	reg_await(f, EIE_REG_STATUS, QUIESCED | BUSY, QUIESCED);
	/* quiet is quiet */
	reads = f->b.reads;
	writes = f->b.writes;
	taken = board_wait(&f->b, cpl, 300);
	assert_int_equal(f->b.reads, reads);
	assert_int_equal(f->b.writes, writes);
	assert_int_equal(reg_read(f, EIE_REG_STATUS), QUIESCED);
	reg_write(f, EIE_REG_CTRL, ENABLE);
	if (taken)
		fixture_check(f, cpl);
	return taken;
}

static void test_abort(void **state)
{
	static uint8_t before[RAM_BYTES], done[OUT_BYTES];
	struct process p = process_new(f), next = process_new(f);
	unsigned int count[3] = { 0, 0, 0 };
	uint32_t cycles;

	(void)state;
	process_busy(&p);
	cycles = job_cycles(&p) + 400;
	memcpy(done, p.out, OUT_BYTES);
	for (unsigned int at = 0; at < cycles; at += fixture_step(7, 61)) {
		struct eie_cpl cpl;

		memset(p.out, 0x5a, OUT_BYTES);
		memcpy(before, f->b.ram, f->b.used);
		if (!abort_job(&p, at, &cpl)) {
			/* still in its ring: starts now, and nobody can tell that there was an abort */
			count[0]++;
			fixture_wait(f, &cpl);
			assert_int_equal(cpl.status, EIE_STATUS_OK);
		} else if (cpl.status == EIE_STATUS_OK) {
			count[1]++;
			assert_memory_equal(p.out, done, (size_t)7 * STEPS * f->b.params.clusters * 16);
		} else {
			count[2]++;
			assert_int_equal(cpl.status, EIE_STATUS_ABORTED);
			assert_int_equal(cpl.fault_cmd, 0);
		}
		assert_int_equal(cpl.fence, p.desc.fence);
		check_memory(&p, before, done);
		if (at % 3)
			process_works(&next);
		else
			process_works(&p);
	}
	/* all three happened */
	assert_true(count[0] && count[1] && count[2] > 10);
}

/* No job starts while the bit is set; the jobs behind the aborted one are not harmed. */
static void test_abort_holds(void **state)
{
	struct process p[3];
	struct eie_cpl cpl;

	(void)state;
	for (unsigned int i = 0; i < 3; i++) {
		p[i] = process_new(f);
		process_busy(&p[i]);
	}
	for (unsigned int i = 0; i < 3; i++)
		board_submit(&f->b, &p[i].desc);
	for (unsigned int i = 0; i < 600; i++)
		eie_sim_run(f->b.sim, 1);
	reg_write(f, EIE_REG_CTRL, ABORT | ENABLE);
	fixture_wait(f, &cpl);
	assert_int_equal(cpl.status, EIE_STATUS_ABORTED);
	for (unsigned int i = 0; i < 5000; i++)
		eie_sim_run(f->b.sim, 1);
	assert_int_equal(reg_read(f, EIE_QUEUE_BASE + EIE_REG_Q_HEADS) & 0xffff, f->b.q[0].tail - 2u);
	reg_write(f, EIE_REG_CTRL, ENABLE);
	for (unsigned int i = 1; i < 3; i++) {
		fixture_wait(f, &cpl);
		assert_int_equal(cpl.status, EIE_STATUS_OK);
		assert_int_equal(cpl.fence, p[i].desc.fence);
	}
}

static void test_abort_idle(void **state)
{
	(void)state;
	reg_write(f, EIE_REG_CTRL, ABORT | ENABLE);
	assert_int_equal(reg_read(f, EIE_REG_STATUS), QUIESCED);
	reg_write(f, EIE_REG_CTRL, ENABLE);
	assert_int_equal(reg_read(f, EIE_REG_STATUS), 0);
	fixture_works(f);
}

static void expect_reset_state(void)
{
	static const uint32_t cleared[] = {
		EIE_REG_Q_SQ_BASE_LO, EIE_REG_Q_SQ_BASE_HI, EIE_REG_Q_CQ_BASE_LO, EIE_REG_Q_CQ_BASE_HI, EIE_REG_Q_SIZE,
		EIE_REG_Q_CTRL, EIE_REG_Q_STATUS, EIE_REG_Q_DOORBELL, EIE_REG_Q_HEADS, EIE_REG_Q_FAULT_ADDR_LO,
		EIE_REG_Q_FAULT_ADDR_HI,
	};

	for (unsigned int q = 0; q < BOARD_QUEUES; q++)
		for (size_t i = 0; i < sizeof(cleared) / sizeof(cleared[0]); i++)
			assert_int_equal(reg_read(f, queue_reg(q, cleared[i])), 0);
	assert_int_equal(reg_read(f, EIE_REG_CTRL), 0);
	assert_int_equal(reg_read(f, EIE_REG_STATUS), 0);
	reg_await(f, EIE_REG_INV_STATUS, 1, 1);
}

static void test_reset(void **state)
{
	static uint8_t before[RAM_BYTES], done[OUT_BYTES];
	struct process p = process_new(f), next = process_new(f);
	struct eie_cpl cpl;
	uint32_t cycles;

	(void)state;
	process_busy(&p);
	cycles = job_cycles(&p) + 400;
	memcpy(done, p.out, OUT_BYTES);
	for (unsigned int at = 0; at < cycles; at += fixture_step(19, 151)) {
		uint64_t reads, writes;

		memset(p.out, 0x5a, OUT_BYTES);
		memcpy(before, f->b.ram, f->b.used);
		board_submit(&f->b, &p.desc);
		for (unsigned int i = 0; i < at; i++)
			eie_sim_run(f->b.sim, 1);
		reg_write(f, EIE_REG_CTRL, RESET);
		reg_await(f, EIE_REG_CTRL, RESET, 0);
		expect_reset_state();
		reads = f->b.reads;
		writes = f->b.writes;
		for (unsigned int i = 0; i < 200; i++)
			eie_sim_run(f->b.sim, 1);
		assert_int_equal(f->b.reads, reads);
		assert_int_equal(f->b.writes, writes);
		check_memory(&p, before, done);
		assert_int_equal(eie_sim_assert_failed(f->b.sim), 0);

		board_start_queue(&f->b);
		/* nothing is on chip any more, not even for the same address space */
		p.cmds[C_COUNT] = store1(1, 0, 0, 1);
		p.desc.cmds = VA_CMDS + C_COUNT * EIE_CMD_BYTES;
		p.desc.ncmds = 1;
		board_submit(&f->b, &p.desc);
		fixture_wait(f, &cpl);
		assert_int_equal(cpl.status, EIE_STATUS_UNWRITTEN);
		p.desc.cmds = VA_CMDS;
		process_busy(&p);
		process_works(at % 2 ? &next : &p);
	}
}

/* An abort in front of a reset, a reset in front of a reset: the second does no harm. */
static void test_reset_twice(void **state)
{
	struct process p = process_new(f);

	(void)state;
	process_busy(&p);
	for (unsigned int at = 0; at < 900; at += 97) {
		board_submit(&f->b, &p.desc);
		for (unsigned int i = 0; i < at; i++)
			eie_sim_run(f->b.sim, 1);
		reg_write(f, EIE_REG_CTRL, ABORT);
		reg_write(f, EIE_REG_CTRL, RESET | ABORT);
		reg_write(f, EIE_REG_CTRL, RESET);
		reg_await(f, EIE_REG_CTRL, RESET, 0);
		expect_reset_state();
		board_start_queue(&f->b);
		process_works(&p);
	}
}

/* Power-on reset with transactions under way. */
static void test_power_on(void **state)
{
	struct process p = process_new(f);

	(void)state;
	process_busy(&p);
	for (unsigned int at = 100; at < 1500; at += 233) {
		board_submit(&f->b, &p.desc);
		for (unsigned int i = 0; i < at; i++)
			eie_sim_run(f->b.sim, 1);
		eie_sim_reset(f->b.sim);
		expect_reset_state();
		board_start_queue(&f->b);
		process_works(&p);
	}
}

int main(int argc, char **argv)
{
	const struct fixture_spec board = { { .seed = 7, .latency = 40, .stall_permille = 250, .jitter = 30 }, RAM_BYTES, 2, 2 };
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_abort, fixture_each),
		cmocka_unit_test_setup(test_abort_holds, fixture_each),
		cmocka_unit_test_setup(test_abort_idle, fixture_each),
		cmocka_unit_test_setup(test_reset, fixture_each),
		cmocka_unit_test_setup(test_reset_twice, fixture_each),
		cmocka_unit_test_setup(test_power_on, fixture_each),
	};

	return fixture_main(argc, argv, &board, &f, tests);
}
