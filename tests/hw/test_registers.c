// SPDX-License-Identifier: GPL-2.0 OR MIT
/* What the device says of itself, its clock, and offsets where there is nothing (docs/registers.md). */
#include "configs.h"
#include "fixture.h"

static struct board b;

static int open_board(void **state)
{
	const struct eie_sim_params p = { .config = fixture_config, .seed = 11 };

	(void)state;
	return board_open(&b, &p, 1u << 20, 2, 2);
}

static int close_board(void **state)
{
	(void)state;
	board_close(&b);
	return 0;
}

static uint32_t get(uint32_t offset)
{
	return eie_sim_read32(b.sim, offset);
}

static void test_identity(void **state)
{
	(void)state;
	assert_int_equal(get(EIE_REG_ID), EIE_ID_VALUE);
	assert_int_equal(get(EIE_REG_VERSION) >> EIE_VERSION_MAJOR_SHIFT & EIE_VERSION_MAJOR_MASK, EIE_ISA_MAJOR);
	assert_int_equal(get(EIE_REG_VERSION) >> EIE_VERSION_MINOR_SHIFT & EIE_VERSION_MINOR_MASK, EIE_ISA_MINOR);
	assert_int_equal(get(EIE_REG_NQUEUES), b.params.queues);
}

/* The ROM holds the tree that was generated from the configuration, to the byte, and zeros behind it. */
static void test_device_tree(void **state)
{
	const struct accel_config *c = accel_configs;
	uint32_t bytes = get(EIE_REG_DT_SIZE);

	(void)state;
	while (c->name && strcmp(c->name, fixture_config))
		c++;
	assert_non_null(c->name);
	assert_int_equal(bytes, c->bytes);
	for (uint32_t at = 0; at < EIE_DT_BYTES_MAX; at += 4) {
		uint32_t want = 0;

		if (at < bytes)
			memcpy(&want, c->dtb + at, bytes - at < 4 ? bytes - at : 4);
		assert_int_equal(get(EIE_DT_BASE + at), want);
	}
}

/* One a cycle; the upper half is the one of the last read of the lower. */
static void test_time(void **state)
{
	uint64_t cycles = eie_sim_cycles(b.sim);
	uint32_t first = get(EIE_REG_TIME_LO), took = (uint32_t)(eie_sim_cycles(b.sim) - cycles);

	(void)state;
	eie_sim_run(b.sim, 12345);
	assert_int_equal(get(EIE_REG_TIME_LO) - first, 12345 + took);
	assert_int_equal(get(EIE_REG_TIME_HI), 0);
}

static void test_unnamed(void **state)
{
	const uint32_t beyond = EIE_QUEUE_BASE + b.params.queues * EIE_QUEUE_STRIDE;
	const uint32_t nothing[] = { 0x0fc, 0xffc, EIE_QUEUE_BASE + 0xfc, beyond, beyond + EIE_REG_Q_CTRL, EIE_DT_BASE - 4, 0xfffc };
	const uint32_t read_only[] = { EIE_REG_ID, EIE_REG_VERSION, EIE_REG_STATUS, EIE_REG_NQUEUES, EIE_REG_DT_SIZE, EIE_DT_BASE };

	(void)state;
	for (size_t i = 0; i < sizeof(nothing) / sizeof(nothing[0]); i++) {
		assert_int_equal(get(nothing[i]), 0);
		eie_sim_write32(b.sim, nothing[i], ~0u);
		assert_int_equal(get(nothing[i]), 0);
	}
	for (size_t i = 0; i < sizeof(read_only) / sizeof(read_only[0]); i++) {
		uint32_t was = get(read_only[i]);

		eie_sim_write32(b.sim, read_only[i], ~was);
		assert_int_equal(get(read_only[i]), was);
	}
	assert_int_equal(eie_sim_assert_failed(b.sim), 0);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_identity),
		cmocka_unit_test(test_device_tree),
		cmocka_unit_test(test_time),
		cmocka_unit_test(test_unnamed),
	};

	fixture_args(argc, argv);
	return cmocka_run_group_tests(tests, open_board, close_board);
}
