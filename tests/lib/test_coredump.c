// SPDX-License-Identifier: GPL-2.0 OR MIT
/* Core dumps in words: a whole one, and ones that lie. */
#include <endian.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <drm/eie_accel.h>
#include "commands.h"
#include "coredump.h"

#define SECTIONS 5

/* What the driver writes when a job of queue 2 waits for a token that never comes. */
struct dump {
	struct drm_eie_dump_header header;
	struct drm_eie_dump_section section[SECTIONS];
	uint32_t regs[32], queue_regs[16];
	struct eie_desc sq[4];
	struct eie_cpl cq[4];
	struct eie_cmd cmds[3];
};

static void make(struct dump *d)
{
	struct { uint32_t type, index; size_t offset, size; } parts[SECTIONS] = {
		{ DRM_EIE_DUMP_REGS, 0, offsetof(struct dump, regs), sizeof(d->regs) },
		{ DRM_EIE_DUMP_QUEUE_REGS, 2, offsetof(struct dump, queue_regs), sizeof(d->queue_regs) },
		{ DRM_EIE_DUMP_SQ, 2, offsetof(struct dump, sq), sizeof(d->sq) },
		{ DRM_EIE_DUMP_CQ, 2, offsetof(struct dump, cq), sizeof(d->cq) },
		{ DRM_EIE_DUMP_CMDS, 40, offsetof(struct dump, cmds), sizeof(d->cmds) },
	};

	memset(d, 0, sizeof(*d));
	memcpy(d->header.magic, DRM_EIE_DUMP_MAGIC, sizeof(d->header.magic));
	d->header.version = htole32(DRM_EIE_DUMP_VERSION);
	d->header.size = htole32(sizeof(*d));
	d->header.sections = htole32(SECTIONS);
	d->header.reason = htole32(DRM_EIE_DUMP_HANG);
	d->header.queue = htole32(2);
	d->header.asid = htole32(7);
	d->header.fence = htole64(0x1234567890ab);
	d->header.time_ns = htole64(1000000000000000000);
	for (int i = 0; i < SECTIONS; i++)
		d->section[i] = (struct drm_eie_dump_section){ htole32(parts[i].type), htole32(parts[i].index),
							       htole32((uint32_t)parts[i].offset), htole32((uint32_t)parts[i].size) };
	d->regs[EIE_REG_ID / 4] = htole32(EIE_ID_VALUE);
	d->regs[EIE_REG_CTRL / 4] = htole32(1);
	d->queue_regs[EIE_REG_Q_DOORBELL / 4] = htole32(3 << 16 | 4);
	d->sq[3].asid = htole16(7);
	d->sq[3].cmds = htole64(0x40000000);
	d->cq[1].status = htole32(EIE_STATUS_PAGE_FAULT);
	d->cq[1].fault_addr = htole64(0xdead000);
	CMD_SET(&d->cmds[0], OPCODE, EIE_OP_LOAD);
	CMD_SET(&d->cmds[0], XFER_TARGET, EIE_BUF_WBUF);
	CMD_SET(&d->cmds[0], XFER_LEN, 12);
	CMD_SET(&d->cmds[1], OPCODE, EIE_OP_MAC);
	CMD_SET(&d->cmds[1], WAIT_PREV, 1);
	CMD_SET(&d->cmds[1], MAC_LEN, 9);
	CMD_SET(&d->cmds[2], OPCODE, EIE_OP_SELECT);
	CMD_SET(&d->cmds[2], FENCE, 1);
	CMD_SET(&d->cmds[2], XFER_TARGET, EIE_BUF_PBUF);
	CMD_SET(&d->cmds[2], XFER_ROWS, 8);
	CMD_SET(&d->cmds[2], SELECT_PTR, 6);
	CMD_SET(&d->cmds[2], SELECT_LEN, 3);
}

/* The caller frees. */
static char *text(const void *data, size_t size, const char **wrong)
{
	char *s = NULL;
	size_t n = 0;
	FILE *out = open_memstream(&s, &n);

	assert_non_null(out);
	*wrong = coredump_print(out, data, size, "<", ">");
	fclose(out);
	return s;
}

static void test_whole(void **state)
{
	static const char *const lines[] = {
		"<Queue 2 was reset: a job made no progress>\n",
		"2001-09-09 01:46:40 UTC\n", "address space   7\n", "0x1234567890ab\n",
		"<Global registers>\n", "  ID              0x31454945\n", "  CTRL            0x00000001  ENABLE\n",
		"<Registers of queue 2>\n", "  Q_DOORBELL      0x00030004  SQ_TAIL=4  CQ_HEAD=3\n",
		"<Submission ring of queue 2>\n", "  entry 3:  ASID=7  CMDS=0x40000000\n",
		"<Completion ring of queue 2>\n", "  entry 1:  FAULT_ADDR=0xdead000  STATUS=PAGE_FAULT\n",
		"<Commands from 40>\n", "        40  LOAD     XFER_TARGET=WBUF  XFER_LEN=12\n",
		"        41  MAC      WAIT_PREV  MAC_LEN=9\n",
		"        42  SELECT   FENCE  XFER_TARGET=PBUF  XFER_ROWS=8  SELECT_PTR=6  SELECT_LEN=3\n",
	};
	const char *wrong, *at;
	struct dump d;
	char *s;

	(void)state;
	make(&d);
	at = s = text(&d, sizeof(d), &wrong);
	assert_null(wrong);
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		const char *found = strstr(at, lines[i]);

		if (!found)
			fail_msg("missing, or out of order: %sin\n%s", lines[i], s);
		at = found;
	}
	/* entries that were never written, and registers of the other kind, are left out */
	assert_null(strstr(s, "entry 0"));
	assert_null(strstr(strstr(s, "queue 2>"), "VERSION"));
	free(s);
}

static void refused(const struct dump *d, size_t size, const char *why)
{
	const char *wrong;
	char *s = text(d, size, &wrong);

	assert_non_null(wrong);
	if (!strstr(wrong, why))
		fail_msg("\"%s\" says nothing of \"%s\"", wrong, why);
	assert_string_equal(s, "");
	free(s);
}

static void test_refused(void **state)
{
	struct dump d;

	(void)state;
	make(&d);
	refused(&d, 0, "shorter than a header");
	refused(&d, sizeof(d.header) - 1, "shorter than a header");
	refused(&d, sizeof(d) - 1, "truncated");
	d.header.magic[0] = 'X';
	refused(&d, sizeof(d), "not a core dump");
	make(&d);
	d.header.version = htole32(DRM_EIE_DUMP_VERSION + 1);
	refused(&d, sizeof(d), "another version");
	make(&d);
	d.header.sections = htole32(0x10000000);
	refused(&d, sizeof(d), "sections does not fit");
	make(&d);
	d.section[4].offset = htole32(sizeof(d) + 1);
	refused(&d, sizeof(d), "outside");
	make(&d);
	d.section[4].size = htole32(0xffffffff);
	refused(&d, sizeof(d), "outside");
}

/* Every length and a few thousand broken bytes: nothing is read that is not there (the sanitiser tells). */
static void test_broken(void **state)
{
	const char *wrong;
	struct dump d;
	uint32_t r = 1;

	(void)state;
	for (size_t size = 0; size <= sizeof(d); size++) {
		void *copy = malloc(size ? size : 1);

		make(&d);
		d.header.size = htole32((uint32_t)size);
		memcpy(copy, &d, size);
		free(text(copy, size, &wrong));
		free(copy);
	}
	for (int i = 0; i < 5000; i++) {
		make(&d);
		for (int j = 0; j < 3; j++) {
			r = r * 1664525 + 1013904223;
			((uint8_t *)&d)[(r >> 8) % sizeof(d)] = (uint8_t)(r >> 24);
		}
		free(text(&d, sizeof(d), &wrong));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_whole),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_broken),
	};

	return cmocka_run_group_tests_name("coredump", tests, NULL, NULL);
}
