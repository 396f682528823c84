// SPDX-License-Identifier: GPL-2.0 OR MIT
/* The interpreter: one job that is right, then one field broken a test, with the exact status and the command that is blamed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>

#include "job_fixture.h"

static const struct eie_params params = {
	.isa_major = 1, .clusters = 4, .lanes = 2, .rows = 64, .abuf = 256, .wbuf = 64, .pbuf = 64, .rbuf = 64,
	.queues = 1, .tlb = 4, .jobs = 16
};

struct fixture {
	struct job_fixture job;
	struct eie_ref *ref;
	struct eie_cpl cpl;
	uint64_t bus_error;   /* device address that answers with an error, or 0 */
};

static uint32_t reach(struct fixture *f, uint64_t va, size_t len)
{
	if (f->bus_error && va <= f->bus_error && va + len > f->bus_error)
		return EIE_STATUS_BUS_ERROR;
	assert_true(va % 16 == 0 && len % 16 == 0 && va / 4096 == (va + len - 1) / 4096);
	return va < JOB_VA || va + len > JOB_VA + JOB_BYTES ? EIE_STATUS_PAGE_FAULT : EIE_STATUS_OK;
}

static uint32_t mem_read(void *ctx, uint64_t va, void *buf, size_t len)
{
	struct fixture *f = ctx;
	uint32_t status = reach(f, va, len);

	if (!status)
		memcpy(buf, f->job.memory + (va - JOB_VA), len);
	return status;
}

static uint32_t mem_write(void *ctx, uint64_t va, const void *buf, size_t len)
{
	struct fixture *f = ctx;
	uint32_t status = reach(f, va, len);

	if (!status)
		memcpy(f->job.memory + (va - JOB_VA), buf, len);
	return status;
}

static uint32_t run(struct fixture *f)
{
	const struct eie_ref_mem mem = { mem_read, mem_write, f };

	job_finish(&f->job);
	f->job.desc.fence = 0x1234;
	eie_ref_run(f->ref, &f->job.desc, &mem, &f->cpl);
	assert_int_equal(f->cpl.fence, 0x1234);
	return f->cpl.status;
}

/* The job fails with this status, and command `index` is named. */
static void expect(struct fixture *f, uint32_t status, uint32_t index)
{
	assert_int_equal(run(f), status);
	assert_int_equal(f->cpl.fault_cmd, 1u << EIE_CPL_FAULT_VALID_SHIFT | index);
}

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	if (!f || eie_ref_new(&params, &f->ref))
		return -1;
	job_init(&f->job, &params);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	eie_ref_free(f->ref);
	free(f);
	return 0;
}

static int16_t out(const struct fixture *f, unsigned int i)
{
	return (int16_t)(f->job.memory[JOB_OUT + 2 * i] | f->job.memory[JOB_OUT + 2 * i + 1] << 8);
}

static void test_good(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(run(f), EIE_STATUS_OK);
	for (unsigned int c = 0; c < params.clusters; c++)
		for (unsigned int i = 0; i < 8; i++)
			assert_int_equal(out(f, 8 * c + i), i ? 7 : 22);
	assert_int_equal(f->cpl.macs, 4);
	assert_int_equal(f->cpl.saturated, 0);
	assert_int_equal(f->cpl.commands, JOB_NCMDS);
	assert_int_equal(f->cpl.fault_cmd, 0);
	assert_int_equal(f->cpl.fault_addr, 0);
	/* Again: the drain has cleared the accumulators. */
	assert_int_equal(run(f), EIE_STATUS_OK);
	assert_int_equal(out(f, 0), 22);
}

/* One field of one command, and what comes of it. */
#define BREAK(cmd_, field_, value_, status_) \
	do { \
		struct fixture *fix_ = *state; \
		struct eie_cmd good_ = fix_->job.cmd[cmd_]; \
		CMD_SET(&fix_->job.cmd[cmd_], field_, value_); \
		expect(fix_, EIE_STATUS_##status_, cmd_); \
		fix_->job.cmd[cmd_] = good_; \
		assert_int_equal(run(fix_), EIE_STATUS_OK); \
	} while (0)

static void test_bad_command(void **state)
{
	struct fixture *f = *state;

	BREAK(JOB_LOAD_IN, OPCODE, 0, BAD_COMMAND);
	BREAK(JOB_LOAD_IN, OPCODE, 0x11, BAD_COMMAND);
	BREAK(JOB_LOAD_IN, WAIT_PREV, 1, BAD_COMMAND);
	BREAK(JOB_LOAD_IN, SIGNAL_PREV, 1, BAD_COMMAND);
	BREAK(JOB_LOAD_IN, FENCE, 1, BAD_COMMAND);
	BREAK(JOB_LOAD_IN, XFER_TARGET, 5, BAD_COMMAND);
	BREAK(JOB_LOAD_IN, XFER_LEN, 0, BAD_COMMAND);
	BREAK(JOB_LOAD_IN, XFER_ROWS, 0, BAD_COMMAND);
	BREAK(JOB_LOAD_IN, XFER_CLUSTER, 1, BAD_COMMAND);
	BREAK(JOB_LOAD_C, XFER_CLUSTER, 1, BAD_COMMAND);
	BREAK(JOB_LOAD_W, XFER_BUF_STRIDE, 1, BAD_COMMAND);
	BREAK(JOB_STORE, WAIT_NEXT, 1, BAD_COMMAND);
	BREAK(JOB_STORE, SIGNAL_NEXT, 1, BAD_COMMAND);
	BREAK(JOB_STORE, XFER_TARGET, EIE_BUF_WBUF, BAD_COMMAND);
	BREAK(JOB_MAC, MAC_LEN, 0, BAD_COMMAND);
	BREAK(JOB_DRAIN, DRAIN_STEPS, 0, BAD_COMMAND);
	BREAK(JOB_DRAIN, DRAIN_STRIDE, 0, BAD_COMMAND);
	BREAK(JOB_DRAIN, DRAIN_STRIDE, 3, BAD_COMMAND);
	BREAK(JOB_DRAIN, DRAIN_LO, 0x8000, BAD_COMMAND);
	BREAK(JOB_DRAIN, DRAIN_HI, 0x8000, BAD_COMMAND);
	/* Bits that no field names, and fields of other opcodes. */
	for (int i = 0; i < 32; i++) {
		f->job.cmd[JOB_MAC].dw[6] = 1u << i;
		expect(f, EIE_STATUS_BAD_COMMAND, JOB_MAC);
	}
	f->job.cmd[JOB_MAC].dw[6] = 0;
	BREAK(JOB_DRAIN, MAC_WIDE, 1, BAD_COMMAND);
}

static void test_bad_range(void **state)
{
	BREAK(JOB_LOAD_IN, XFER_BASE, JOB_NBASES, BAD_RANGE);
	BREAK(JOB_LOAD_IN, XFER_BASE, 255, BAD_RANGE);
	BREAK(JOB_LOAD_IN, XFER_ADDR, params.abuf, BAD_RANGE);
	BREAK(JOB_LOAD_IN, XFER_ADDR, 0xffffff, BAD_RANGE);
	BREAK(JOB_LOAD_IN, XFER_LEN, params.abuf + 1, BAD_RANGE);
	BREAK(JOB_LOAD_W, XFER_ROWS, params.clusters + 1, BAD_RANGE);
	BREAK(JOB_LOAD_W, XFER_CLUSTER, 1, BAD_RANGE);
	BREAK(JOB_LOAD_W, XFER_ADDR, params.wbuf, BAD_RANGE);
	BREAK(JOB_LOAD_P, XFER_ADDR, params.pbuf - 1, BAD_RANGE);
	BREAK(JOB_LOAD_R, XFER_ADDR, params.rbuf - 3, BAD_RANGE);
	BREAK(JOB_LOAD_C, XFER_ADDR, EIE_CBUF_GRANULES - 1, BAD_RANGE);
	BREAK(JOB_MAC, MAC_IN, params.abuf, BAD_RANGE);
	BREAK(JOB_MAC, MAC_LEN, params.abuf + 1, BAD_RANGE);
	BREAK(JOB_MAC, MAC_PTR, params.pbuf - 1, BAD_RANGE);
	BREAK(JOB_MAC, MAC_WEIGHTS, params.wbuf, BAD_RANGE);
	BREAK(JOB_MAC, MAC_CODEBOOK, 1, BAD_RANGE);
	BREAK(JOB_MAC, MAC_CODEBOOK, EIE_CBUF_GRANULES, BAD_RANGE);
	BREAK(JOB_DRAIN, DRAIN_STEPS, params.rows / 8 + 1, BAD_RANGE);
	BREAK(JOB_DRAIN, DRAIN_OUT, 1, BAD_RANGE);
	BREAK(JOB_DRAIN, DRAIN_OUT, params.abuf, BAD_RANGE);
	BREAK(JOB_DRAIN, DRAIN_STRIDE, 5, BAD_RANGE);
	BREAK(JOB_DRAIN, DRAIN_PARAM, params.rbuf - 3, BAD_RANGE);
}

static void test_misaligned(void **state)
{
	BREAK(JOB_LOAD_IN, XFER_OFFSET, JOB_IN + 8, MISALIGNED);
	BREAK(JOB_LOAD_IN, XFER_MEM_STRIDE, 8, MISALIGNED);
	BREAK(JOB_LOAD_IN, XFER_BASE, 1, MISALIGNED);
}

/* Of several the lowest. */
static void test_lowest_status(void **state)
{
	struct fixture *f = *state;
	struct eie_cmd *cmd = &f->job.cmd[JOB_LOAD_IN];

	CMD_SET(cmd, XFER_OFFSET, 8);
	CMD_SET(cmd, XFER_ADDR, params.abuf);
	expect(f, EIE_STATUS_BAD_RANGE, JOB_LOAD_IN);
	CMD_SET(cmd, XFER_LEN, 0);
	expect(f, EIE_STATUS_BAD_COMMAND, JOB_LOAD_IN);
}

static void test_page_fault(void **state)
{
	struct fixture *f = *state;

	BREAK(JOB_LOAD_IN, XFER_BASE, 2, PAGE_FAULT);
	BREAK(JOB_STORE, XFER_BASE, 2, PAGE_FAULT);
	/* The second row leaves the memory: its first burst is blamed. */
	CMD_SET(&f->job.cmd[JOB_LOAD_IN], XFER_ROWS, 2);
	CMD_SET(&f->job.cmd[JOB_LOAD_IN], XFER_MEM_STRIDE, JOB_BYTES);
	expect(f, EIE_STATUS_PAGE_FAULT, JOB_LOAD_IN);
	assert_int_equal(f->cpl.fault_addr, JOB_VA + JOB_IN + JOB_BYTES);
	job_init(&f->job, &params);
	f->job.desc.cmds = JOB_NOWHERE;
	assert_int_equal(run(f), EIE_STATUS_PAGE_FAULT);
	assert_int_equal(f->cpl.fault_cmd, 0);
	assert_int_equal(f->cpl.fault_addr, JOB_NOWHERE);
	job_init(&f->job, &params);
	f->job.desc.bases = JOB_NOWHERE;
	assert_int_equal(run(f), EIE_STATUS_PAGE_FAULT);
	assert_int_equal(f->cpl.fault_cmd, 0);
}

static void test_bus_error(void **state)
{
	struct fixture *f = *state;

	f->bus_error = JOB_VA + JOB_P + 16;
	expect(f, EIE_STATUS_BUS_ERROR, JOB_LOAD_P);
	assert_int_equal(f->cpl.fault_addr, JOB_VA + JOB_P);
	f->bus_error = JOB_VA + JOB_OUT;
	expect(f, EIE_STATUS_BUS_ERROR, JOB_STORE);
}

/* Replaces a load by nothing in a chip that has just been taken over. */
static void without(struct fixture *f, unsigned int index, uint32_t blamed)
{
	struct eie_cmd good = f->job.cmd[index], sync = { { 0 } };

	CMD_SET(&sync, OPCODE, EIE_OP_SYNC);
	CMD_SET(&sync, SIGNAL_NEXT, 0);
	f->job.cmd[index] = sync;
	if (CMD_GET(&good, SIGNAL_NEXT))
		CMD_SET(&f->job.cmd[JOB_LOAD_R], SIGNAL_NEXT, 1);
	f->job.desc.asid++;
	expect(f, EIE_STATUS_UNWRITTEN, blamed);
	f->job.cmd[index] = good;
	CMD_SET(&f->job.cmd[JOB_LOAD_R], SIGNAL_NEXT, 0);
	assert_int_equal(run(f), EIE_STATUS_OK);
}

static void test_unwritten(void **state)
{
	struct fixture *f = *state;

	without(f, JOB_LOAD_IN, JOB_MAC);
	without(f, JOB_LOAD_W, JOB_MAC);
	without(f, JOB_LOAD_P, JOB_MAC);
	without(f, JOB_LOAD_C, JOB_MAC);
	without(f, JOB_LOAD_R, JOB_DRAIN);
	/* Half a codebook. */
	CMD_SET(&f->job.cmd[JOB_LOAD_C], XFER_LEN, 1);
	f->job.desc.asid++;
	expect(f, EIE_STATUS_UNWRITTEN, JOB_MAC);
	CMD_SET(&f->job.cmd[JOB_LOAD_C], XFER_LEN, 2);
	CMD_SET(&f->job.cmd[JOB_STORE], XFER_LEN, params.clusters + 1);
	expect(f, EIE_STATUS_UNWRITTEN, JOB_STORE);
	/* Zero activations read neither pointers nor weights. */
	job_init(&f->job, &params);
	f->job.memory[JOB_IN] = 0;
	CMD_SET(&f->job.cmd[JOB_LOAD_W], XFER_ADDR, 1);
	CMD_SET(&f->job.cmd[JOB_LOAD_P], XFER_ADDR, 2);
	f->job.desc.asid = 77;
	assert_int_equal(run(f), EIE_STATUS_OK);
	assert_int_equal(f->cpl.macs, 0);
}

static void set_pointer(struct fixture *f, uint32_t start, uint32_t len)
{
	uint32_t pointer = htole32(start | len << EIE_PTR_START_BITS);

	memcpy(f->job.memory + JOB_P, &pointer, sizeof(pointer));
}

static void test_bad_stream(void **state)
{
	struct fixture *f = *state;
	uint8_t *w = f->job.memory + JOB_W;

	/* The last row, reached by an escape; one more is too far. */
	w[0] = 0 | 2 << 4;
	w[1] = 1 | 15 << 4;
	set_pointer(f, 0, 2);
	assert_int_equal(run(f), EIE_STATUS_OK);
	w[0] = 0 | 3 << 4;
	w[1] = 1;
	expect(f, EIE_STATUS_BAD_STREAM, JOB_MAC);
	/* Ends in an escape. */
	w[0] = 0;
	set_pointer(f, 0, 1);
	expect(f, EIE_STATUS_BAD_STREAM, JOB_MAC);
	/* Leaves the buffer, by one byte and by far. */
	set_pointer(f, params.wbuf * 16, 1);
	expect(f, EIE_STATUS_BAD_STREAM, JOB_MAC);
	set_pointer(f, 0xfffff, 4095);
	expect(f, EIE_STATUS_BAD_STREAM, JOB_MAC);
	/* An empty column may point anywhere. */
	set_pointer(f, 0xfffff, 0);
	assert_int_equal(run(f), EIE_STATUS_OK);
}

static void test_bad_param(void **state)
{
	struct fixture *f = *state;
	uint8_t *p = f->job.memory + JOB_R + 8 * 5;

	p[6] = 0;
	expect(f, EIE_STATUS_BAD_PARAM, JOB_DRAIN);
	p[6] = EIE_SHIFT_MAX + 1;
	expect(f, EIE_STATUS_BAD_PARAM, JOB_DRAIN);
	p[6] = EIE_SHIFT_MAX;
	assert_int_equal(run(f), EIE_STATUS_OK);
	p[7] = 1;
	expect(f, EIE_STATUS_BAD_PARAM, JOB_DRAIN);
}

static void test_tokens(void **state)
{
	struct fixture *f = *state;
	struct eie_cmd sync = { { 0 } };

	/* A wait that nobody meets, on each of the four counters. */
	CMD_SET(&f->job.cmd[JOB_LOAD_IN], WAIT_NEXT, 1);
	assert_int_equal(run(f), EIE_STATUS_TIMEOUT);
	assert_int_equal(f->cpl.fault_cmd, 0);
	job_init(&f->job, &params);
	CMD_SET(&f->job.cmd[JOB_DRAIN], WAIT_PREV, 1);
	assert_int_equal(run(f), EIE_STATUS_TIMEOUT);
	CMD_SET(&f->job.cmd[JOB_DRAIN], WAIT_PREV, 0);
	CMD_SET(&f->job.cmd[JOB_DRAIN], WAIT_NEXT, 1);
	assert_int_equal(run(f), EIE_STATUS_TIMEOUT);
	CMD_SET(&f->job.cmd[JOB_DRAIN], WAIT_NEXT, 0);
	CMD_SET(&f->job.cmd[JOB_DRAIN], SIGNAL_NEXT, 0);
	assert_int_equal(run(f), EIE_STATUS_TIMEOUT);

	CMD_SET(&sync, OPCODE, EIE_OP_SYNC);
	CMD_SET(&sync, SIGNAL_PREV, 1);
	f->job.ncmds = EIE_TOKENS_MAX;
	for (unsigned int i = 0; i < f->job.ncmds; i++)
		f->job.cmd[i] = sync;
	assert_int_equal(run(f), EIE_STATUS_OK);
	f->job.cmd[f->job.ncmds++] = sync;
	expect(f, EIE_STATUS_TOKEN_OVERFLOW, EIE_TOKENS_MAX);
}

static void test_descriptor(void **state)
{
	struct fixture *f = *state;
	const struct eie_desc good = f->job.desc;

#define BREAK_DESC(field, value) \
	do { \
		f->job.desc.field = value; \
		assert_int_equal(run(f), EIE_STATUS_BAD_DESCRIPTOR); \
		assert_int_equal(f->cpl.fault_cmd, 0); \
		f->job.desc = good; \
	} while (0)
	for (size_t i = 0; i < sizeof(good.rsvd0); i++)
		BREAK_DESC(rsvd0[i], 0x80);
	BREAK_DESC(root, 0x800);
	BREAK_DESC(root, 1ull << 56);
	BREAK_DESC(nbases, EIE_MAX_BASES + 1);
	BREAK_DESC(nrestore, 1 << 24);
	BREAK_DESC(bases, JOB_VA + 8);
	BREAK_DESC(cmds, JOB_VA + JOB_CMDS + 16);
	f->job.desc.nrestore = 1;
	BREAK_DESC(restore, JOB_VA + JOB_RESTORE + 16);
	/* Addresses of nothing are not looked at; a job without commands is legal. */
	f->job.desc.restore = 1;
	assert_int_equal(run(f), EIE_STATUS_OK);
	f->job.ncmds = 0;
	f->job.desc.cmds = 1;
	f->job.desc.bases = 1;
	f->job.desc.nbases = 0;
	assert_int_equal(run(f), EIE_STATUS_OK);
}

static void test_residency(void **state)
{
	struct fixture *f = *state;
	const unsigned int nrestore = JOB_LOAD_C - JOB_LOAD_W + 1;

	/* Constants by restore commands, which may leave a token behind. */
	memcpy(f->job.memory + JOB_RESTORE, &f->job.cmd[JOB_LOAD_W], nrestore * sizeof(f->job.cmd[0]));
	f->job.desc.nrestore = htole32(nrestore);
	memmove(&f->job.cmd[1], &f->job.cmd[JOB_MAC], 3 * sizeof(f->job.cmd[0]));
	CMD_SET(&f->job.cmd[0], SIGNAL_NEXT, 1);
	f->job.ncmds = 4;
	f->job.desc.residency = 42;
	f->job.desc.asid = 1;
	for (int i = 0; i < 3; i++) {
		assert_int_equal(run(f), EIE_STATUS_OK);
		assert_int_equal(f->cpl.restored, i == 0);
		assert_int_equal(out(f, 0), 22);
	}
	/* Another tag, another address space, no tag, and a failure each take the pair away. */
	f->job.desc.residency = 43;
	assert_int_equal(run(f), EIE_STATUS_OK);
	assert_int_equal(f->cpl.restored, 1);
	f->job.desc.asid = 2;
	assert_int_equal(run(f), EIE_STATUS_OK);
	assert_int_equal(f->cpl.restored, 1);
	f->job.desc.residency = 0;
	for (int i = 0; i < 2; i++) {
		assert_int_equal(run(f), EIE_STATUS_OK);
		assert_int_equal(f->cpl.restored, 1);
	}
	f->job.desc.residency = 43;
	assert_int_equal(run(f), EIE_STATUS_OK);
	assert_int_equal(f->cpl.restored, 1);
	CMD_SET(&f->job.cmd[3], XFER_BASE, 2);
	expect(f, EIE_STATUS_PAGE_FAULT, 3);
	assert_int_equal(f->cpl.restored, 0);
	CMD_SET(&f->job.cmd[3], XFER_BASE, 0);
	assert_int_equal(run(f), EIE_STATUS_OK);
	assert_int_equal(f->cpl.restored, 1);
	/* A restore command that fails is named as one. */
	f->job.desc.residency = 44;
	CMD_SET((struct eie_cmd *)(f->job.memory + JOB_RESTORE), XFER_LEN, 0);
	assert_int_equal(run(f), EIE_STATUS_BAD_COMMAND);
	assert_int_equal(f->cpl.fault_cmd, 1u << EIE_CPL_FAULT_VALID_SHIFT | 1u << EIE_CPL_FAULT_RESTORE_SHIFT);
}

static void test_saturation(void **state)
{
	struct fixture *f = *state;

	f->job.memory[JOB_R + 2] = 1;   /* bias 65543 */
	assert_int_equal(run(f), EIE_STATUS_OK);
	assert_int_equal(out(f, 0), 32767);
	assert_int_equal(f->cpl.saturated, params.clusters);
	CMD_SET(&f->job.cmd[JOB_DRAIN], DRAIN_HI, 100);   /* a clamp of the network, no loss */
	assert_int_equal(run(f), EIE_STATUS_OK);
	assert_int_equal(out(f, 0), 100);
	assert_int_equal(f->cpl.saturated, 0);
}

/* The largest legal transfers end by the cycle limit. */
static void test_bounded(void **state)
{
	struct fixture *f = *state;

	CMD_SET(&f->job.cmd[JOB_LOAD_IN], XFER_ROWS, 65535);
	CMD_SET(&f->job.cmd[JOB_LOAD_IN], XFER_LEN, params.abuf);
	f->job.desc.cycle_limit = htole32(100000);
	assert_int_equal(run(f), EIE_STATUS_TIMEOUT);
	assert_int_equal(f->cpl.fault_cmd, 0);
}

/* Random commands: any status, no crash (the sanitizers watch). */
static void test_hostile(void **state)
{
	struct fixture *f = *state;
	uint64_t seed = 5;

	for (int i = 0; i < 20000; i++) {
		job_init(&f->job, &params);
		f->job.desc.cycle_limit = htole32(2000);
		for (int k = 0; k < 1 + i % 4; k++) {
			seed = seed * 6364136223846793005u + 1442695040888963407u;
			f->job.cmd[seed >> 60 & 7].dw[seed >> 56 & 7] ^= htole32(1u << (seed >> 50 & 31));
			f->job.memory[seed >> 30 & (JOB_BYTES - 1)] ^= (uint8_t)(1u << (seed >> 40 & 7));
		}
		assert_true(run(f) <= EIE_STATUS_TIMEOUT);
	}
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_good), TEST(test_bad_command), TEST(test_bad_range), TEST(test_misaligned), TEST(test_lowest_status),
		TEST(test_page_fault), TEST(test_bus_error), TEST(test_unwritten), TEST(test_bad_stream), TEST(test_bad_param),
		TEST(test_tokens), TEST(test_descriptor), TEST(test_residency), TEST(test_saturation), TEST(test_bounded),
		TEST(test_hostile),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
