// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Every cause of BAD_DESCRIPTOR, BAD_COMMAND, BAD_RANGE and MISALIGNED, one at a time in a job that works without it; after every
 * failing job that very job, repaired, gives the right bytes.
 */
#include <stdlib.h>

#include "fixture.h"

static struct fixture *f;

/* ---- descriptors */

static void bad_descriptor(struct process *p)
{
	const struct eie_desc broken = p->desc;

	process_fails(p, EIE_STATUS_BAD_DESCRIPTOR, -1, 0);
	process_cmds(p);
	process_works(p);
	p->desc = broken;
}

static void test_reserved_bytes(void **state)
{
	struct process p = process_new(f);

	(void)state;
	for (size_t i = 0; i < sizeof(p.desc.rsvd0); i++) {
		p.desc.rsvd0[i] = (uint8_t)(1u << i % 8);
		process_fails(&p, EIE_STATUS_BAD_DESCRIPTOR, -1, 0);
		p.desc.rsvd0[i] = 0;
	}
	process_works(&p);
}

static void test_root(void **state)
{
	static const unsigned int bits[] = { 0, 3, 4, 11, 56, 57, 63 };
	struct process p = process_new(f);

	(void)state;
	for (size_t i = 0; i < sizeof(bits) / sizeof(bits[0]); i++) {
		p.desc.root = p.s.root | 1ull << bits[i];
		bad_descriptor(&p);
	}
}

static void test_counts(void **state)
{
	struct process p = process_new(f);

	(void)state;
	p.desc.nbases = EIE_MAX_BASES + 1;
	bad_descriptor(&p);
	process_cmds(&p);
	p.desc.nbases = 0x8002;
	bad_descriptor(&p);
	for (unsigned int bit = 24; bit < 32; bit++) {
		process_cmds(&p);
		p.desc.ncmds |= 1u << bit;
		bad_descriptor(&p);
		process_cmds(&p);
		p.desc.nrestore = 1u << bit;
		bad_descriptor(&p);
	}
}

static void test_misaligned_addresses(void **state)
{
	struct process p = process_new(f);

	(void)state;
	for (unsigned int bit = 0; bit < 5; bit++) {
		process_cmds(&p);
		p.desc.cmds |= 1u << bit;
		bad_descriptor(&p);
		process_cmds(&p);
		p.desc.nrestore = 1;
		p.desc.restore |= 1u << bit;
		bad_descriptor(&p);
		process_cmds(&p);
		p.desc.bases |= 1u << bit;
		if (bit < 4)
			bad_descriptor(&p);
	}
}

/* Addresses that no count makes use of are not looked at, and a job without commands is legal. */
static void test_unused_addresses(void **state)
{
	struct process p = process_new(f);

	(void)state;
	p.desc.restore = ~0ull;
	process_works(&p);
	p.desc.ncmds = p.desc.nbases = 0;
	p.desc.cmds = p.desc.bases = ~0ull;
	process_works(&p);
	p.desc.root = (1ull << 56) - 4096;   /* nothing to translate */
	process_works(&p);
}

/* A bad descriptor of another address space does not take the chip. */
static void test_takes_nothing(void **state)
{
	struct process p = process_new(f), q = process_new(f);

	(void)state;
	process_works(&p);
	q.desc.rsvd0[5] = 1;
	process_fails(&q, EIE_STATUS_BAD_DESCRIPTOR, -1, 0);
	p.cmds[0] = store1(1, 0, OUT_AT, 1);   /* still written: nobody else had the chip */
	p.desc.ncmds = 1;
	process_works(&p);
}

/* ---- commands */

enum unit { NUMBER, ABUF, WBUF, PBUF, RBUF, CLUSTERS, STEPS_MAX };

static uint32_t unit_value(enum unit unit)
{
	const struct eie_params *p = &f->b.params;
	const uint32_t values[] = { 0, p->abuf, p->wbuf, p->pbuf, p->rbuf, p->clusters, p->rows / 8 };

	return values[unit];
}

struct cause {
	const char *name;
	unsigned int cmd;
	unsigned int dw, shift;
	uint32_t mask;
	enum unit unit;      /* the field becomes the unit's size plus value */
	int64_t value;
	uint32_t status;
};

#define FIELD(name) EIE_CMD_##name##_DW, EIE_CMD_##name##_SHIFT, (uint32_t)EIE_CMD_##name##_MASK
#define BAD EIE_STATUS_BAD_COMMAND
#define RANGE EIE_STATUS_BAD_RANGE

static const struct cause causes[] = {
	{ "opcode 0", C_X, FIELD(OPCODE), NUMBER, 0, BAD },
	{ "opcode of no engine", C_X, FIELD(OPCODE), NUMBER, 0x40, BAD },
	{ "opcode next to LOAD", C_X, FIELD(OPCODE), NUMBER, 0x11, BAD },
	{ "opcode next to DRAIN", C_DRAIN, FIELD(OPCODE), NUMBER, 0x23, BAD },
	{ "opcode next to STORE", C_STORE, FIELD(OPCODE), NUMBER, 0x31, BAD },
	{ "LOAD waits for a previous engine", C_X, FIELD(WAIT_PREV), NUMBER, 1, BAD },
	{ "LOAD signals a previous engine", C_X, FIELD(SIGNAL_PREV), NUMBER, 1, BAD },
	{ "LOAD with FENCE", C_X, FIELD(FENCE), NUMBER, 1, BAD },
	{ "STORE waits for a next engine", C_STORE, FIELD(WAIT_NEXT), NUMBER, 1, BAD },
	{ "STORE signals a next engine", C_STORE, FIELD(SIGNAL_NEXT), NUMBER, 1, BAD },
	{ "STORE with FENCE", C_STORE, FIELD(FENCE), NUMBER, 1, BAD },
	{ "LOAD to target 5", C_X, FIELD(XFER_TARGET), NUMBER, 5, BAD },
	{ "LOAD to target 15", C_X, FIELD(XFER_TARGET), NUMBER, 15, BAD },
	{ "STORE from WBUF", C_STORE, FIELD(XFER_TARGET), NUMBER, EIE_BUF_WBUF, BAD },
	{ "STORE from CBUF", C_STORE, FIELD(XFER_TARGET), NUMBER, EIE_BUF_CBUF, BAD },
	{ "LOAD of no granules", C_WEIGHTS, FIELD(XFER_LEN), NUMBER, 0, BAD },
	{ "LOAD of no rows", C_WEIGHTS, FIELD(XFER_ROWS), NUMBER, 0, BAD },
	{ "STORE of no granules", C_STORE, FIELD(XFER_LEN), NUMBER, 0, BAD },
	{ "STORE of no rows", C_STORE, FIELD(XFER_ROWS), NUMBER, 0, BAD },
	{ "cluster of ABUF", C_X, FIELD(XFER_CLUSTER), NUMBER, 1, BAD },
	{ "cluster of CBUF", C_CODEBOOK, FIELD(XFER_CLUSTER), NUMBER, 1, BAD },
	{ "cluster in STORE", C_STORE, FIELD(XFER_CLUSTER), NUMBER, 1, BAD },
	{ "buffer stride of WBUF", C_WEIGHTS, FIELD(XFER_BUF_STRIDE), NUMBER, 1, BAD },
	{ "buffer stride of PBUF", C_PTRS, FIELD(XFER_BUF_STRIDE), NUMBER, 1, BAD },
	{ "buffer stride of RBUF", C_PARAMS, FIELD(XFER_BUF_STRIDE), NUMBER, 1, BAD },
	{ "MAC of no columns", C_MAC, FIELD(MAC_LEN), NUMBER, 0, BAD },
	{ "DRAIN of no steps", C_DRAIN, FIELD(DRAIN_STEPS), NUMBER, 0, BAD },
	{ "lower clamp above the upper", C_DRAIN, FIELD(DRAIN_HI), NUMBER, 0x8000, BAD },
	{ "lower clamp -32768", C_DRAIN, FIELD(DRAIN_LO), NUMBER, 0x8000, BAD },
	{ "DRAIN without stride", C_DRAIN, FIELD(DRAIN_STRIDE), NUMBER, 0, BAD },
	{ "DRAIN stride below K", C_DRAIN, FIELD(DRAIN_STRIDE), CLUSTERS, -1, BAD },

	{ "base beyond the table", C_X, FIELD(XFER_BASE), NUMBER, 2, RANGE },
	{ "base 255", C_STORE, FIELD(XFER_BASE), NUMBER, 255, RANGE },
	{ "base 16: low bits of base 0", C_X, FIELD(XFER_BASE), NUMBER, 16, RANGE },
	{ "cluster beyond the last", C_WEIGHTS, FIELD(XFER_CLUSTER), CLUSTERS, 0, RANGE },
	{ "rows beyond the last cluster", C_WEIGHTS, FIELD(XFER_CLUSTER), NUMBER, 1, RANGE },
	{ "cluster 255", C_PTRS, FIELD(XFER_CLUSTER), NUMBER, 255, RANGE },
	{ "more rows than clusters", C_PARAMS, FIELD(XFER_ROWS), CLUSTERS, 1, RANGE },
	{ "LOAD beyond ABUF", C_X, FIELD(XFER_ADDR), ABUF, 1 - (int)X_LEN, RANGE },
	{ "LOAD beyond WBUF", C_WEIGHTS, FIELD(XFER_ADDR), WBUF, 1 - (int)WEIGHT_LEN, RANGE },
	{ "LOAD beyond PBUF", C_PTRS, FIELD(XFER_ADDR), PBUF, 1 - (int)PTR_LEN, RANGE },
	{ "LOAD beyond RBUF", C_PARAMS, FIELD(XFER_ADDR), RBUF, 1 - (int)PARAM_LEN, RANGE },
	{ "LOAD beyond CBUF", C_CODEBOOK, FIELD(XFER_ADDR), NUMBER, EIE_CBUF_GRANULES - 1, RANGE },
	{ "LOAD at the largest address", C_X, FIELD(XFER_ADDR), NUMBER, 0xffffff, RANGE },
	{ "LOAD of the largest length", C_X, FIELD(XFER_LEN), NUMBER, 0xffffff, RANGE },
	{ "STORE beyond ABUF", C_STORE, FIELD(XFER_ADDR), ABUF, -1, RANGE },
	{ "MAC input beyond ABUF", C_MAC, FIELD(MAC_IN), ABUF, 1 - (int)X_LEN, RANGE },
	{ "MAC input at the largest address", C_MAC, FIELD(MAC_IN), NUMBER, 0xffffff, RANGE },
	{ "MAC of the largest length", C_MAC, FIELD(MAC_LEN), NUMBER, 0xffffff, RANGE },
	{ "MAC pointers beyond PBUF", C_MAC, FIELD(MAC_PTR), PBUF, 1 - (int)PTR_LEN, RANGE },
	{ "MAC weights beyond WBUF", C_MAC, FIELD(MAC_WEIGHTS), WBUF, 0, RANGE },
	{ "codebook beyond CBUF", C_MAC, FIELD(MAC_CODEBOOK), NUMBER, EIE_CBUF_GRANULES, RANGE },
	{ "odd codebook", C_MAC, FIELD(MAC_CODEBOOK), NUMBER, 1, RANGE },
	{ "DRAIN of too many steps", C_DRAIN, FIELD(DRAIN_STEPS), STEPS_MAX, 1, RANGE },
	{ "DRAIN of 65535 steps", C_DRAIN, FIELD(DRAIN_STEPS), NUMBER, 0xffff, RANGE },
	{ "DRAIN output not a multiple of K", C_DRAIN, FIELD(DRAIN_OUT), CLUSTERS, 1, RANGE },
	{ "DRAIN stride not a multiple of K", C_DRAIN, FIELD(DRAIN_STRIDE), CLUSTERS, 1, RANGE },
	{ "DRAIN output beyond ABUF", C_DRAIN, FIELD(DRAIN_OUT), ABUF, 0, RANGE },
	{ "DRAIN last step beyond ABUF", C_DRAIN, FIELD(DRAIN_STRIDE), ABUF, -(int)OUT_AT, RANGE },
	{ "DRAIN of the largest stride", C_DRAIN, FIELD(DRAIN_STRIDE), NUMBER, 0xfffff0, RANGE },
	{ "DRAIN parameters beyond RBUF", C_DRAIN, FIELD(DRAIN_PARAM), RBUF, 1 - (int)PARAM_LEN, RANGE },

	{ "LOAD offset", C_X, FIELD(XFER_OFFSET), NUMBER, 8, EIE_STATUS_MISALIGNED },
	{ "LOAD row distance", C_WEIGHTS, FIELD(XFER_MEM_STRIDE), NUMBER, 65, EIE_STATUS_MISALIGNED },
	{ "STORE offset", C_STORE, FIELD(XFER_OFFSET), NUMBER, 1, EIE_STATUS_MISALIGNED },
	{ "STORE row distance", C_STORE, FIELD(XFER_MEM_STRIDE), NUMBER, 4, EIE_STATUS_MISALIGNED },
};

static void test_causes(void **state)
{
	struct process p = process_new(f);
	struct eie_cmd good[C_COUNT];

	(void)state;
	memcpy(good, p.cmds, sizeof(good));
	for (size_t i = 0; i < sizeof(causes) / sizeof(causes[0]); i++) {
		const struct cause *c = &causes[i];
		uint32_t value = (uint32_t)(unit_value(c->unit) + c->value) & c->mask, *dw = &p.cmds[c->cmd].dw[c->dw];
		struct eie_cpl cpl;

		*dw = (*dw & ~(c->mask << c->shift)) | value << c->shift;
		process_run(&p, &cpl);
		if (cpl.status != c->status || cpl.fault_cmd != (1u << EIE_CPL_FAULT_VALID_SHIFT | c->cmd))
			fail_msg("%s: status %u, command 0x%x", c->name, cpl.status, cpl.fault_cmd);
		memcpy(p.cmds, good, sizeof(good));
		process_works(&p);
	}
}

/* Rows of a wide codebook are checked against another multiple. */
static void test_wide_codebook(void **state)
{
	static const uint32_t places[] = { 1, 2, 16, 31, 33, 48, 64, 255 };
	struct process p = process_new(f);

	(void)state;
	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		PG_SET(&p.cmds[C_MAC], MAC_WIDE, 1);
		PG_SET(&p.cmds[C_MAC], MAC_CODEBOOK, places[i]);
		process_fails(&p, EIE_STATUS_BAD_RANGE, C_MAC, 0);
	}
	process_cmds(&p);
	process_works(&p);
}

/* Addresses of later rows: the last one that leaves the buffer. */
static void test_rows_beyond(void **state)
{
	struct process p = process_new(f);

	(void)state;
	PG_SET(&p.cmds[C_X], XFER_ROWS, 3);
	PG_SET(&p.cmds[C_X], XFER_BUF_STRIDE, (f->b.params.abuf - X_LEN) / 2 + 1);
	process_fails(&p, EIE_STATUS_BAD_RANGE, C_X, 0);
	PG_SET(&p.cmds[C_X], XFER_BUF_STRIDE, 0xffffff);
	process_fails(&p, EIE_STATUS_BAD_RANGE, C_X, 0);
	PG_SET(&p.cmds[C_X], XFER_ROWS, 0xffff);
	process_fails(&p, EIE_STATUS_BAD_RANGE, C_X, 0);
	process_cmds(&p);
	PG_SET(&p.cmds[C_STORE], XFER_ROWS, 2);
	PG_SET(&p.cmds[C_STORE], XFER_BUF_STRIDE, f->b.params.abuf);
	process_fails(&p, EIE_STATUS_BAD_RANGE, C_STORE, 0);
	process_cmds(&p);
	process_works(&p);
}

/* Every bit that is nobody's, alone. */
static void reserved_bits(struct eie_cmd cmd, const uint32_t known[8])
{
	struct process p = process_new(f);

	p.desc.ncmds = 1;
	for (unsigned int bit = 0; bit < 256; bit++) {
		if (known[bit / 32] >> bit % 32 & 1)
			continue;
		p.cmds[0] = cmd;
		p.cmds[0].dw[bit / 32] |= 1u << bit % 32;
		process_fails(&p, EIE_STATUS_BAD_COMMAND, 0, 0);
	}
	process_cmds(&p);
	process_works(&p);
}

static void test_reserved_load(void **state)
{
	const uint32_t known[8] = { 0xff0f0aff, ~0u, 0xff, 0xffffff, 0xffffff, ~0u, 0xffffff, 0xffff };

	(void)state;
	reserved_bits(load1(0, EIE_BUF_ABUF, 0, 0, 1), known);
}

static void test_reserved_store(void **state)
{
	const uint32_t known[8] = { 0xff0f05ff, ~0u, 0xff, 0xffffff, 0xffffff, ~0u, 0xffffff, 0xffff };

	(void)state;
	reserved_bits(store1(1, 0, 0, 1), known);
}

static void test_reserved_sync(void **state)
{
	const uint32_t known[8] = { 0x1fff };

	(void)state;
	reserved_bits(sync0(), known);
}

static void test_reserved_mac(void **state)
{
	const uint32_t known[8] = { 0x31fff, 0xffffff, 0xffffff, 0xffffff, 0xffffff, 0xff };
	const struct pg_mac mac = { .len = 1 };

	(void)state;
	reserved_bits(pg_cmd_mac(&mac), known);
}

static void test_reserved_drain(void **state)
{
	const uint32_t known[8] = { 0x11fff, 0xffffff, 0xffffff, 0xffff, 0xffffff, ~0u };
	const struct pg_drain drain = { .stride = f->b.params.clusters, .steps = 1 };

	(void)state;
	reserved_bits(pg_cmd_drain(&drain), known);
}

/* Of several causes the lowest status number. */
static void test_lowest_status(void **state)
{
	struct process p = process_new(f);

	(void)state;
	PG_SET(&p.cmds[C_X], XFER_OFFSET, 8);
	PG_SET(&p.cmds[C_X], XFER_BASE, 9);
	process_fails(&p, EIE_STATUS_BAD_RANGE, C_X, 0);
	PG_SET(&p.cmds[C_X], XFER_CLUSTER, 1);
	process_fails(&p, EIE_STATUS_BAD_COMMAND, C_X, 0);
	process_cmds(&p);
	process_works(&p);
}

/* base[]: at the first command that uses it, and only if one does. */
static void test_misaligned_base(void **state)
{
	struct process p = process_new(f);

	(void)state;
	for (unsigned int bit = 0; bit < 4; bit++) {
		p.bases[1] = VA_OUT | 1u << bit;
		process_fails(&p, EIE_STATUS_MISALIGNED, C_STORE, 0);
		p.bases[1] = VA_OUT;
		p.bases[0] = VA_IN | 1u << bit;
		process_fails(&p, EIE_STATUS_MISALIGNED, C_X, 0);
		p.bases[0] = VA_IN;
	}
	p.bases[2] = 3;
	p.desc.nbases = 3;
	process_works(&p);
}

static void test_restore_commands(void **state)
{
	struct process p = process_new(f);
	struct eie_cpl cpl;

	(void)state;
	memcpy(p.restore, p.cmds, C_COUNT * sizeof(*p.cmds));
	p.desc.nrestore = C_COUNT;
	PG_SET(&p.restore[C_MAC], MAC_LEN, 0);
	process_run(&p, &cpl);
	assert_int_equal(cpl.status, EIE_STATUS_BAD_COMMAND);
	assert_int_equal(cpl.fault_cmd, 1u << EIE_CPL_FAULT_VALID_SHIFT | 1u << EIE_CPL_FAULT_RESTORE_SHIFT | C_MAC);
	assert_int_equal(cpl.restored, 1);
	process_cmds(&p);
	process_works(&p);
}

int main(int argc, char **argv)
{
	const struct fixture_spec board = { { .seed = 1, .latency = 8 }, 1u << 20, 4, 4 };
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_reserved_bytes, fixture_each),
		cmocka_unit_test_setup(test_root, fixture_each),
		cmocka_unit_test_setup(test_counts, fixture_each),
		cmocka_unit_test_setup(test_misaligned_addresses, fixture_each),
		cmocka_unit_test_setup(test_unused_addresses, fixture_each),
		cmocka_unit_test_setup(test_takes_nothing, fixture_each),
		cmocka_unit_test_setup(test_causes, fixture_each),
		cmocka_unit_test_setup(test_wide_codebook, fixture_each),
		cmocka_unit_test_setup(test_rows_beyond, fixture_each),
		cmocka_unit_test_setup(test_reserved_load, fixture_each),
		cmocka_unit_test_setup(test_reserved_store, fixture_each),
		cmocka_unit_test_setup(test_reserved_sync, fixture_each),
		cmocka_unit_test_setup(test_reserved_mac, fixture_each),
		cmocka_unit_test_setup(test_reserved_drain, fixture_each),
		cmocka_unit_test_setup(test_lowest_status, fixture_each),
		cmocka_unit_test_setup(test_misaligned_base, fixture_each),
		cmocka_unit_test_setup(test_restore_commands, fixture_each),
	};

	return fixture_main(argc, argv, &board, &f, tests);
}
