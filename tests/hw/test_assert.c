// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * A violated assertion of the RTL is seen. The environment breaks a rule that eie_axi_wr asserts, "the bus answers only what was
 * asked": power fails while the memory takes a burst. The device forgets the burst, the memory answers it nevertheless.
 */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "fixture.h"

struct outage {
	struct eie_sim *sim;
	bool armed;
	unsigned int outages;
};

static struct fixture *f;
static struct outage outage;

static int fail_power(void *ctx, uint64_t addr, const void *buf, size_t len)
{
	struct outage *o = ctx;

	(void)addr;
	(void)buf;
	(void)len;
	if (o->armed) {
		o->armed = false;
		o->outages++;
		eie_sim_reset(o->sim);
	}
	return 0;
}

static int read_zeros(void *ctx, uint64_t addr, void *buf, size_t len)
{
	(void)ctx;
	(void)addr;
	memset(buf, 0, len);   /* the descriptor of a job without commands */
	return 0;
}

/* A device whose memory is all zeros and whose only write is the completion entry. */
static void run_empty_job(struct eie_sim *sim)
{
	uint32_t q = EIE_QUEUE_BASE;

	eie_sim_write32(sim, q + EIE_REG_Q_CQ_BASE_LO, 0x1000);
	eie_sim_write32(sim, q + EIE_REG_Q_SIZE, 1u << EIE_Q_SIZE_SQ_LOG2_SHIFT | 1u << EIE_Q_SIZE_CQ_LOG2_SHIFT);
	eie_sim_write32(sim, q + EIE_REG_Q_CTRL, 1u << EIE_Q_CTRL_ENABLE_SHIFT);
	eie_sim_write32(sim, EIE_REG_CTRL, 1u << EIE_CTRL_ENABLE_SHIFT);
	eie_sim_write32(sim, q + EIE_REG_Q_DOORBELL, 1u << EIE_Q_DOORBELL_SQ_TAIL_SHIFT);
	for (uint64_t ran = 0; ran < 120000;)
		ran += eie_sim_run(sim, 1000);
}

/* What the run printed on stderr; the caller frees it. */
static char *stderr_of(void (*run)(struct eie_sim *sim), struct eie_sim *sim)
{
	FILE *to = tmpfile();
	int kept = dup(2);
	char *text;
	long n;

	assert_non_null(to);
	fflush(stderr);
	assert_true(kept >= 0 && dup2(fileno(to), 2) >= 0);
	run(sim);
	fflush(stderr);
	assert_true(dup2(kept, 2) >= 0);
	close(kept);
	n = lseek(fileno(to), 0, SEEK_END);
	assert_true(n >= 0);
	text = calloc((size_t)n + 1, 1);
	assert_non_null(text);
	assert_int_equal(pread(fileno(to), text, (size_t)n, 0), n);
	fclose(to);
	return text;
}

static void test_violation_is_seen(void **state)
{
	const struct eie_sim_params params = { .config = fixture_config, .seed = 8, .latency = 10 };
	const struct eie_sim_ops ops = { read_zeros, fail_power, NULL };
	char *text;

	(void)state;
	assert_int_equal(eie_sim_create(&outage.sim, &params, &ops, &outage), 0);

	/* a sound environment first: nothing is reported */
	text = stderr_of(run_empty_job, outage.sim);
	assert_string_equal(text, "");
	free(text);
	assert_int_equal(eie_sim_assert_failed(outage.sim), 0);

	eie_sim_reset(outage.sim);
	outage.armed = true;
	text = stderr_of(run_empty_job, outage.sim);
	assert_int_equal(outage.outages, 1);
	assert_int_equal(eie_sim_assert_failed(outage.sim), 1);
	assert_non_null(strstr(text, "Assertion failed"));
	assert_non_null(strstr(text, "eie_axi_wr"));
	assert_null(strstr(text, "AXI rule broken"));   /* it was the RTL that noticed, not the memory model */
	free(text);

	/* it stays set, and is this device's alone */
	eie_sim_reset(outage.sim);
	assert_int_equal(eie_sim_assert_failed(outage.sim), 1);
	fixture_works(f);
	assert_int_equal(eie_sim_assert_failed(f->b.sim), 0);
	eie_sim_destroy(outage.sim);
}

int main(int argc, char **argv)
{
	const struct fixture_spec board = { { .seed = 8, .latency = 10 }, 1u << 20, 2, 2 };
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_violation_is_seen),
	};

	return fixture_main(argc, argv, &board, &f, tests);
}
