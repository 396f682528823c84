// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * eie-device as a virtual machine sees it: configuration space, registers, jobs with message interrupts, the faults of the test
 * capability, and what a client may get wrong.
 *   test_device EIE_DEVICE
 */
#include <errno.h>
#include <linux/pci_regs.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#include "client.h"
#include "eie_hw.h"
#include "testcap.h"

#define RAM_ADDR	0x40000000u
#define RAM_BYTES	0x10000u
#define SQ		0x1000u		/* offsets in RAM */
#define CQ		0x2000u
#define RING_LOG2	3

static const char *program;

struct machine {
	struct client c;
	int ram_fd, event;
	uint8_t *ram;
	unsigned int msix, testcap;	/* capabilities */
	uint16_t tail;
};

static uint32_t config(struct machine *m, unsigned int offset)
{
	return client_read(&m->c, CONFIG_REGION, offset, 4);
}

static uint32_t reg(struct machine *m, unsigned int offset)
{
	return client_read(&m->c, 0, offset, 4);
}

static void set_reg(struct machine *m, unsigned int offset, uint32_t value)
{
	client_write(&m->c, 0, offset, value, 4);
}

static uint32_t test_word(struct machine *m, unsigned int word)
{
	return config(m, m->testcap + word);
}

static void set_test_word(struct machine *m, unsigned int word, uint32_t value)
{
	client_write(&m->c, CONFIG_REGION, m->testcap + word, value, 4);
}

/* Byte offset of a capability; 0: there is none. */
static unsigned int find_cap(struct machine *m, uint8_t id)
{
	unsigned int at = config(m, PCI_CAPABILITY_LIST) & 0xff;

	for (int left = 48; at && left; left--) {
		uint32_t header = config(m, at);

		if ((header & 0xff) == id)
			return at;
		at = header >> 8 & 0xff;
	}
	return 0;
}

static void enable(struct machine *m)
{
	client_write(&m->c, CONFIG_REGION, PCI_COMMAND, PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER, 2);
	client_write(&m->c, CONFIG_REGION, m->msix + PCI_MSIX_FLAGS, PCI_MSIX_FLAGS_ENABLE, 2);
}

/* Queue 0 with its rings in RAM. */
static void enable_queue(struct machine *m)
{
	memset(m->ram, 0, RAM_BYTES);
	m->tail = 0;
	set_reg(m, EIE_QUEUE_BASE + EIE_REG_Q_SQ_BASE_LO, RAM_ADDR + SQ);
	set_reg(m, EIE_QUEUE_BASE + EIE_REG_Q_CQ_BASE_LO, RAM_ADDR + CQ);
	set_reg(m, EIE_QUEUE_BASE + EIE_REG_Q_SIZE, RING_LOG2 << EIE_Q_SIZE_SQ_LOG2_SHIFT | RING_LOG2 << EIE_Q_SIZE_CQ_LOG2_SHIFT);
	set_reg(m, EIE_QUEUE_BASE + EIE_REG_Q_CTRL, 1 << EIE_Q_CTRL_ENABLE_SHIFT);
	set_reg(m, EIE_REG_CTRL, 1 << EIE_CTRL_ENABLE_SHIFT);
}

static int set_up(void **state)
{
	struct machine *m = calloc(1, sizeof(*m));

	client_start(&m->c, program);
	m->ram_fd = memfd_create("ram", MFD_CLOEXEC);
	assert_int_equal(ftruncate(m->ram_fd, RAM_BYTES), 0);
	m->ram = mmap(NULL, RAM_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, m->ram_fd, 0);
	assert_ptr_not_equal(m->ram, MAP_FAILED);
	assert_int_equal(client_map(&m->c, RAM_ADDR, RAM_BYTES, m->ram_fd, 0), 0);
	m->event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	assert_int_equal(client_eventfd(&m->c, 0, 1, m->event), 0);
	m->msix = find_cap(m, PCI_CAP_ID_MSIX);
	m->testcap = find_cap(m, TESTCAP_ID);
	enable(m);
	*state = m;
	return 0;
}

static int tear_down(void **state)
{
	struct machine *m = *state;
	int status = client_stop(&m->c);

	munmap(m->ram, RAM_BYTES);
	close(m->ram_fd);
	close(m->event);
	free(m);
	return status;
}

/* Submits one empty job; it needs no page table. */
static void submit(struct machine *m, uint64_t fence)
{
	uint8_t *desc = m->ram + SQ + EIE_DESC_BYTES * (m->tail % (1 << RING_LOG2));

	memset(desc, 0, EIE_DESC_BYTES);
	memcpy(desc + EIE_DESC_FENCE_OFFSET, &fence, sizeof(fence));
	m->tail++;
	set_reg(m, EIE_QUEUE_BASE + EIE_REG_Q_DOORBELL, m->tail << EIE_Q_DOORBELL_SQ_TAIL_SHIFT |
		(uint32_t)(m->tail - 1) << EIE_Q_DOORBELL_CQ_HEAD_SHIFT);
}

/* Waits for a message; 1: it came. */
static int message_comes(struct machine *m, int timeout_ms)
{
	struct pollfd p = { .fd = m->event, .events = POLLIN };
	uint64_t n;

	return poll(&p, 1, timeout_ms) == 1 && read(m->event, &n, sizeof(n)) == sizeof(n);
}

static uint64_t completed_fence(struct machine *m)
{
	uint64_t fence;

	memcpy(&fence, m->ram + CQ + EIE_CPL_BYTES * ((m->tail - 1u) % (1 << RING_LOG2)) + EIE_CPL_FENCE_OFFSET, sizeof(fence));
	return fence;
}

static void expect_job_runs(struct machine *m, uint64_t fence)
{
	submit(m, fence);
	assert_true(message_comes(m, 10000));
	assert_true(completed_fence(m) == fence);
}

/* ---- what a driver relies on */

static void test_identity(void **state)
{
	struct machine *m = *state;

	assert_int_equal(config(m, PCI_VENDOR_ID), EIE_PCI_VENDOR | (uint32_t)EIE_PCI_DEVICE << 16);
	assert_int_equal(reg(m, EIE_REG_ID), EIE_ID_VALUE);
	/* a vector for each queue, and the fault vector */
	assert_int_equal(config(m, m->msix) >> 16 & PCI_MSIX_FLAGS_QSIZE, reg(m, EIE_REG_NQUEUES));
}

static void test_bar_sizes(void **state)
{
	struct machine *m = *state;

	client_write(&m->c, CONFIG_REGION, PCI_BASE_ADDRESS_0, 0xffffffff, 4);
	assert_int_equal(config(m, PCI_BASE_ADDRESS_0), ~(EIE_BAR_BYTES - 1u));
	client_write(&m->c, CONFIG_REGION, PCI_BASE_ADDRESS_1, 0xffffffff, 4);
	assert_int_equal(config(m, PCI_BASE_ADDRESS_1), 0);
	client_write(&m->c, CONFIG_REGION, PCI_BASE_ADDRESS_2, 0xffffffff, 4);
	assert_int_equal(config(m, PCI_BASE_ADDRESS_2), 0xfffff000);
}

static void test_no_answer_without_decoding(void **state)
{
	struct machine *m = *state;

	client_write(&m->c, CONFIG_REGION, PCI_COMMAND, 0, 2);
	assert_int_equal(reg(m, EIE_REG_ID), 0xffffffff);
	enable(m);
	assert_int_equal(reg(m, EIE_REG_ID), EIE_ID_VALUE);
}

static void test_parts_of_registers(void **state)
{
	struct machine *m = *state;

	assert_int_equal(client_read(&m->c, 0, EIE_REG_ID + 1, 1), EIE_ID_VALUE >> 8 & 0xff);
	assert_int_equal(client_read(&m->c, 0, EIE_REG_ID + 2, 2), EIE_ID_VALUE >> 16);
	/* no register takes less than a dword */
	client_write(&m->c, 0, EIE_REG_IRQ_ENABLE, 0x55, 1);
	assert_int_equal(reg(m, EIE_REG_IRQ_ENABLE), 0);
	assert_int_equal(client_read(&m->c, 0, EIE_BAR_BYTES, 4), 0xffffffff);
	assert_int_equal(client_read(&m->c, 0, UINT64_MAX, 4), 0xffffffff);
	assert_int_equal(client_read(&m->c, 3, 0, 4), 0xffffffff);
}

static void test_jobs(void **state)
{
	struct machine *m = *state;
	uint32_t reads, writes;

	enable_queue(m);
	reads = test_word(m, TESTCAP_MMIO_READS);
	writes = test_word(m, TESTCAP_MMIO_WRITES);
	for (uint64_t fence = 1; fence <= 20; fence++)
		expect_job_runs(m, fence);
	/* the fast path of a job is one register write */
	assert_int_equal(test_word(m, TESTCAP_MMIO_READS), reads);
	assert_int_equal(test_word(m, TESTCAP_MMIO_WRITES), writes + 20);
	assert_int_equal(test_word(m, TESTCAP_INTERRUPTS), 20);
	assert_int_equal(test_word(m, TESTCAP_BAD_BURSTS), 0);
}

static void test_no_dma_without_mastering(void **state)
{
	struct machine *m = *state;

	enable_queue(m);
	client_write(&m->c, CONFIG_REGION, PCI_COMMAND, PCI_COMMAND_MEMORY, 2);
	submit(m, 7);
	assert_false(message_comes(m, 300));
	assert_true(completed_fence(m) == 0);
	assert_int_not_equal(test_word(m, TESTCAP_BAD_BURSTS), 0);
}

static void test_sleep_loses_state(void **state)
{
	struct machine *m = *state;
	unsigned int pm = find_cap(m, PCI_CAP_ID_PM);

	set_reg(m, EIE_REG_IRQ_ENABLE, 1);
	client_write(&m->c, CONFIG_REGION, pm + PCI_PM_CTRL, 3 /* D3hot */, 2);
	assert_int_equal(reg(m, EIE_REG_ID), 0xffffffff);
	client_write(&m->c, CONFIG_REGION, pm + PCI_PM_CTRL, 0 /* D0 */, 2);
	/* no memory decoding after a reset */
	assert_int_equal(reg(m, EIE_REG_ID), 0xffffffff);
	enable(m);
	assert_int_equal(reg(m, EIE_REG_IRQ_ENABLE), 0);
	enable_queue(m);
	expect_job_runs(m, 3);
}

/* ---- faults on demand */

static void test_lost_interrupt(void **state)
{
	struct machine *m = *state;

	enable_queue(m);
	set_test_word(m, TESTCAP_LOSE_IRQS, 1);
	submit(m, 5);
	assert_false(message_comes(m, 300));
	assert_true(completed_fence(m) == 5);
	assert_int_equal(test_word(m, TESTCAP_LOST), 1);
	expect_job_runs(m, 6);
}

static void test_storm(void **state)
{
	struct machine *m = *state;

	set_test_word(m, TESTCAP_STORM, 1000);
	assert_true(message_comes(m, 1000));
	for (int i = 0; test_word(m, TESTCAP_STORM); i++)
		assert_true(i < 10000);
	/* the vectors that nobody listens to are not counted */
	assert_int_equal(test_word(m, TESTCAP_INTERRUPTS), 1000);
	message_comes(m, 0);
	assert_false(message_comes(m, 100));
	enable_queue(m);
	expect_job_runs(m, 1);
}

static void test_failed_burst(void **state)
{
	struct machine *m = *state;

	enable_queue(m);
	set_test_word(m, TESTCAP_FAIL_BURST, 1);
	submit(m, 5);
	for (int i = 0; !test_word(m, TESTCAP_BAD_BURSTS); i++)
		assert_true(i < 10000);
	assert_int_equal(test_word(m, TESTCAP_FAIL_BURST), 0);
	assert_false(message_comes(m, 300));
	assert_true(completed_fence(m) == 0);
}

static void test_bad_address(void **state)
{
	struct machine *m = *state;

	enable_queue(m);
	set_test_word(m, TESTCAP_BAD_ADDR_LO, RAM_ADDR + SQ + EIE_DESC_BYTES);
	set_test_word(m, TESTCAP_BAD_SIZE, 1);
	expect_job_runs(m, 5);
	submit(m, 6);
	assert_false(message_comes(m, 300));
	assert_int_equal(test_word(m, TESTCAP_BAD_BURSTS), 1);
}

static void test_hold(void **state)
{
	struct machine *m = *state;

	enable_queue(m);
	set_test_word(m, TESTCAP_HOLD, 1);
	submit(m, 5);
	assert_false(message_comes(m, 300));
	set_reg(m, EIE_REG_CTRL, 1 << EIE_CTRL_RESET_SHIFT);
	for (int i = 0; i < 1000; i++)
		assert_int_equal(reg(m, EIE_REG_CTRL) >> EIE_CTRL_RESET_SHIFT & EIE_CTRL_RESET_MASK, 1);
	client_write(&m->c, CONFIG_REGION, PCI_COMMAND, PCI_COMMAND_MEMORY, 2);
	assert_int_equal(test_word(m, TESTCAP_HOLD), 0);
	for (int i = 0; reg(m, EIE_REG_CTRL) >> EIE_CTRL_RESET_SHIFT & EIE_CTRL_RESET_MASK; i++)
		assert_true(i < 10000);
	assert_int_not_equal(test_word(m, TESTCAP_BAD_BURSTS), 0);
	enable(m);
	enable_queue(m);
	set_test_word(m, TESTCAP_HOLD, 1);
	submit(m, 6);
	assert_false(message_comes(m, 300));
	set_test_word(m, TESTCAP_HOLD, 0);
	assert_true(message_comes(m, 10000));
	assert_true(completed_fence(m) == 6);
}

static void test_death_and_return(void **state)
{
	struct machine *m = *state;

	enable_queue(m);
	set_test_word(m, TESTCAP_DIE, 1);
	assert_int_equal(reg(m, EIE_REG_ID), 0xffffffff);
	assert_int_equal(config(m, PCI_VENDOR_ID), 0xffffffff);
	submit(m, 5);
	assert_false(message_comes(m, 300));
	set_test_word(m, TESTCAP_LOSE_IRQS, 9);
	set_test_word(m, TESTCAP_DIE, 0);
	assert_int_equal(test_word(m, TESTCAP_LOSE_IRQS), 0);
	assert_int_equal(reg(m, EIE_REG_ID), EIE_ID_VALUE);
	enable_queue(m);
	expect_job_runs(m, 8);
}

static void test_death_in_a_job(void **state)
{
	struct machine *m = *state;

	enable_queue(m);
	/* reading the descriptor takes longer */
	set_test_word(m, TESTCAP_DIE, 40);
	submit(m, 5);
	assert_false(message_comes(m, 300));
	assert_int_equal(reg(m, EIE_REG_ID), 0xffffffff);
	assert_true(completed_fence(m) == 0);
}

/* ---- what a client may get wrong: it gets an error, and the device lives */

static void test_short_payloads(void **state)
{
	static const uint16_t commands[] = {
		VFU_VERSION, VFU_DMA_MAP, VFU_DMA_UNMAP, VFU_GET_REGION_INFO, VFU_GET_IRQ_INFO, VFU_SET_IRQS, VFU_REGION_READ,
		VFU_REGION_WRITE,
	};
	struct machine *m = *state;
	uint8_t payload[64] = { 0 };

	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
		for (size_t len = 0; len < (commands[i] == VFU_VERSION ? 4 : 16); len++)
			assert_int_equal(client_call(&m->c, commands[i], payload, len, -1), EINVAL);
	}
	assert_int_equal(client_call(&m->c, 999, payload, 16, -1), EOPNOTSUPP);
	assert_int_equal(reg(m, EIE_REG_ID), EIE_ID_VALUE);
}

static void test_bad_memory(void **state)
{
	struct machine *m = *state;

	assert_int_equal(client_map(&m->c, RAM_ADDR, 0x1000, m->ram_fd, 0), EINVAL);		/* there is some already */
	assert_int_equal(client_map(&m->c, RAM_ADDR + RAM_BYTES - 0x1000, 0x2000, m->ram_fd, 0), EINVAL);
	assert_int_equal(client_map(&m->c, 0x1000, 0, m->ram_fd, 0), EINVAL);
	assert_int_equal(client_map(&m->c, 0x1001, 0x1000, m->ram_fd, 0), EINVAL);
	assert_int_equal(client_map(&m->c, 0x1000, 0x1000, m->ram_fd, 0x800), EINVAL);
	assert_int_equal(client_map(&m->c, 0x1000, 0x1000, m->ram_fd, RAM_BYTES), EINVAL);	/* beyond the file */
	assert_int_equal(client_map(&m->c, 0x1000, 0x1000, m->ram_fd, UINT64_MAX & ~0xfffull), EINVAL);
	assert_int_equal(client_map(&m->c, UINT64_MAX & ~0xfffull, 0x2000, m->ram_fd, 0), EINVAL);
	enable_queue(m);
	expect_job_runs(m, 4);
}

static void test_unmapped_memory_is_gone(void **state)
{
	struct machine *m = *state;
	struct {
		uint32_t argsz, flags;
		uint64_t addr, size;
	} half = { 24, 0, RAM_ADDR, RAM_BYTES / 2 }, whole = { 24, 0, RAM_ADDR, RAM_BYTES };

	enable_queue(m);
	assert_int_equal(client_call(&m->c, VFU_DMA_UNMAP, &half, sizeof(half), -1), EINVAL);
	expect_job_runs(m, 4);
	assert_int_equal(client_call(&m->c, VFU_DMA_UNMAP, &whole, sizeof(whole), -1), 0);
	submit(m, 5);
	assert_false(message_comes(m, 300));
	assert_true(completed_fence(m) == 0);
}

static void test_bad_accesses(void **state)
{
	struct machine *m = *state;
	struct {
		uint64_t offset;
		uint32_t region, count;
	} a = { 0, 9, 4 };

	assert_int_equal(client_call(&m->c, VFU_REGION_READ, &a, sizeof(a), -1), EINVAL);
	a.region = 0;
	a.count = 0x10001;
	assert_int_equal(client_call(&m->c, VFU_REGION_READ, &a, sizeof(a), -1), EINVAL);
	a.count = 4; /* but no data */
	assert_int_equal(client_call(&m->c, VFU_REGION_WRITE, &a, sizeof(a), -1), EINVAL);
	a.count = 0x10000;
	assert_int_equal(client_call(&m->c, VFU_REGION_READ, &a, sizeof(a), -1), 0);
	assert_int_equal(m->c.answer_len, 16 + 0x10000);
}

static void test_bad_vectors(void **state)
{
	struct machine *m = *state;
	uint32_t vectors = reg(m, EIE_REG_NQUEUES) + 1;

	assert_int_equal(client_eventfd(&m->c, vectors, 1, m->event), EINVAL);
	assert_int_equal(client_eventfd(&m->c, 0, vectors + 1, m->event), EINVAL);
	assert_int_equal(client_eventfd(&m->c, UINT32_MAX, 2, m->event), EINVAL);
	assert_int_equal(client_eventfd(&m->c, vectors - 1, 1, m->event), 0);
}

/* ---- what is no message at all ends the connection */

static void expect_refused(uint32_t size, uint32_t flags)
{
	struct client c;

	client_start(&c, program);
	client_send(&c, VFU_GET_INFO, size, flags, NULL, 0, -1);
	assert_true(client_closed(&c));
	assert_int_equal(client_stop(&c), 1);
}

static void test_no_message(void **state)
{
	(void)state;
	expect_refused(15, 0);
	expect_refused(0, 0);
	expect_refused(0xffffffff, 0);
	expect_refused(0x10000 + 1000, 0);
	expect_refused(16, 1);
}

int main(int argc, char **argv)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(test_identity), TEST(test_bar_sizes), TEST(test_no_answer_without_decoding), TEST(test_parts_of_registers),
		TEST(test_jobs), TEST(test_no_dma_without_mastering), TEST(test_sleep_loses_state),
		TEST(test_lost_interrupt), TEST(test_storm), TEST(test_failed_burst), TEST(test_bad_address),
		TEST(test_hold), TEST(test_death_and_return), TEST(test_death_in_a_job),
		TEST(test_short_payloads), TEST(test_bad_memory), TEST(test_unmapped_memory_is_gone), TEST(test_bad_accesses),
		TEST(test_bad_vectors), cmocka_unit_test(test_no_message),
	};

	if (argc != 2)
		return 2;
	program = argv[1];
	return cmocka_run_group_tests(tests, NULL, NULL);
}
