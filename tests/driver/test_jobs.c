// SPDX-License-Identifier: GPL-2.0 OR MIT
/* Jobs that meet no trouble but their own: results, order, synchronisation, power. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "eie_hw.h"
#include "frame.h"
#include "job.h"
#include "kselftest_harness.h"
#include "usage.h"

FIXTURE(jobs)
{
	struct client c;
};

FIXTURE_SETUP(jobs)
{
	ASSERT_EQ(0, client_open(&self->c));
}

FIXTURE_TEARDOWN(jobs)
{
	/* what one_register_write_a_job may have changed */
	pci_write(0, "power/control", "auto");
	client_close(&self->c);
}

TEST_F(jobs, copy_on_every_level)
{
	struct drm_eie_result r;

	for (unsigned int level = 0; level < CLIENT_QUEUES; level++) {
		ASSERT_EQ(0, client_run(&self->c, level, level, JOB_COPY, &r));
		EXPECT_EQ(EIE_STATUS_OK, r.status);
		EXPECT_EQ(0, r.error);
		EXPECT_EQ(3, r.commands);
		EXPECT_EQ(r.cycles, r.time_end - r.time_start);
		EXPECT_TRUE(client_copied(&self->c, level));
	}
}

/* the fast path with messages: a job costs one doorbell and one message, nothing is read from the device; counted by the device */
TEST_F(jobs, one_register_write_a_job)
{
	uint32_t reads, writes, messages;
	struct drm_eie_result r;
	struct drm_eie_job job;
	struct testcap cap;

	/* no power-up in between, which writes registers */
	ASSERT_EQ(0, pci_write(0, "power/control", "on"));
	ASSERT_EQ(0, testcap_open(&cap, 0));
	reads = testcap_read(&cap, TESTCAP_MMIO_READS);
	for (unsigned int level = 0; level < CLIENT_QUEUES; level++) {
		writes = testcap_read(&cap, TESTCAP_MMIO_WRITES);
		messages = testcap_read(&cap, TESTCAP_INTERRUPTS);
		for (int i = 0; i < 10; i++) {
			ASSERT_EQ(0, client_run(&self->c, level, i, JOB_COPY, &r));
			EXPECT_EQ(EIE_STATUS_OK, r.status);
		}
		EXPECT_EQ(writes + 10, testcap_read(&cap, TESTCAP_MMIO_WRITES));
		EXPECT_EQ(messages + 10, testcap_read(&cap, TESTCAP_INTERRUPTS));
	}

	/* neither more for jobs that wait for each other */
	client_job(&self->c, 0, JOB_COPY, &job);
	writes = testcap_read(&cap, TESTCAP_MMIO_WRITES);
	messages = testcap_read(&cap, TESTCAP_INTERRUPTS);
	for (int i = 0; i < 100; i++)
		ASSERT_EQ(0, client_submit_job(&self->c, 2, &job, 0, NULL));
	ASSERT_EQ(0, client_wait(&self->c, 60));
	EXPECT_GE(writes + 100, testcap_read(&cap, TESTCAP_MMIO_WRITES));
	EXPECT_GE(messages + 100, testcap_read(&cap, TESTCAP_INTERRUPTS));
	EXPECT_EQ(reads, testcap_read(&cap, TESTCAP_MMIO_READS));
	testcap_close(&cap);
}

TEST_F(jobs, failures_have_their_status)
{
	struct drm_eie_result r;

	ASSERT_EQ(0, client_run(&self->c, 3, 0, JOB_FAULT, &r));
	EXPECT_EQ(EIE_STATUS_PAGE_FAULT, r.status);
	EXPECT_EQ(-EFAULT, r.error);
	EXPECT_EQ(0x1234567890ull, r.fault_addr);
	EXPECT_EQ(DRM_EIE_RESULT_FAULT_CMD, r.flags);
	EXPECT_EQ(0, r.fault_index);
	ASSERT_EQ(0, client_run(&self->c, 3, 1, JOB_BAD, &r));
	EXPECT_EQ(EIE_STATUS_BAD_COMMAND, r.status);
	EXPECT_EQ(-EINVAL, r.error);
	EXPECT_EQ(1, r.fault_index);
	ASSERT_EQ(0, client_run(&self->c, 3, 2, JOB_COPY, &r));
	EXPECT_EQ(EIE_STATUS_OK, r.status);
}

TEST_F(jobs, fences_carry_errors)
{
	uint32_t good = sync_create(self->c.fd), bad = sync_create(self->c.fd);

	ASSERT_EQ(0, client_submit(&self->c, 1, 0, JOB_FAULT, bad, NULL));
	ASSERT_EQ(0, client_submit(&self->c, 1, 1, JOB_COPY, good, NULL));
	ASSERT_EQ(0, sync_wait(self->c.fd, good, 60));
	EXPECT_EQ(-EFAULT, sync_status(self->c.fd, bad));
	EXPECT_EQ(0, sync_status(self->c.fd, good));
}

/* more jobs than a ring holds, at once */
TEST_F(jobs, two_hundred_in_order)
{
	struct drm_eie_result r;
	uint64_t last = 0, seqno, end = 0;
	struct drm_eie_job job[2];

	client_job(&self->c, 0, JOB_COPY, &job[0]);
	client_job(&self->c, 1, JOB_EMPTY, &job[1]);
	for (int i = 0; i < 200; i++) {
		ASSERT_EQ(0, client_submit_job(&self->c, 2, &job[i % 3 != 0], 0, &seqno));
		EXPECT_EQ(last + 1, seqno);
		last = seqno;
	}
	ASSERT_EQ(0, client_wait(&self->c, 120));
	for (seqno = 1; seqno <= last; seqno++) {
		ASSERT_EQ(0, client_result(&self->c, 2, seqno, &r));
		EXPECT_EQ(EIE_STATUS_OK, r.status);
		EXPECT_GE(r.time_start, end);
		end = r.time_end;
	}
	EXPECT_EQ(-EINVAL, client_result(&self->c, 2, last + 1, &r));
	EXPECT_EQ(-EINVAL, client_result(&self->c, 2, 0, &r));
}

TEST_F(jobs, old_results_are_gone)
{
	struct drm_eie_result r;
	uint64_t seqno;

	for (int i = 0; i < 257; i++)
		ASSERT_EQ(0, client_submit(&self->c, 2, 0, JOB_EMPTY, 0, &seqno));
	ASSERT_EQ(257, seqno);
	ASSERT_EQ(0, client_wait(&self->c, 120));
	EXPECT_EQ(-ENODATA, client_result(&self->c, 2, 1, &r));
	EXPECT_EQ(0, client_result(&self->c, 2, 2, &r));
	EXPECT_EQ(0, client_result(&self->c, 2, 257, &r));
}

TEST_F(jobs, cycle_limit)
{
	struct drm_eie_bo_ref ref = { self->c.handle, DRM_EIE_ACCESS_READ };
	struct drm_eie_submit submit = { .queue = self->c.queue[2] };
	struct drm_eie_result r;
	struct drm_eie_job job;

	client_job(&self->c, 0, JOB_HANG, &job);
	job.cycle_limit = 5000;
	job.bos = (struct drm_eie_array){ sizeof(ref), 1, (uintptr_t)&ref };
	submit.jobs = (struct drm_eie_array){ sizeof(job), 1, (uintptr_t)&job };
	ASSERT_EQ(0, call(self->c.fd, DRM_IOCTL_EIE_SUBMIT, &submit));
	ASSERT_EQ(0, client_wait(&self->c, 60));
	ASSERT_EQ(0, client_result(&self->c, 2, submit.seqno, &r));
	EXPECT_EQ(EIE_STATUS_TIMEOUT, r.status);
	EXPECT_EQ(-ETIME, r.error);
}

TEST_F(jobs, runtime_suspend_between_jobs)
{
	struct drm_eie_result r;

	for (int round = 0; round < 3; round++) {
		ASSERT_EQ(0, client_run(&self->c, 2, 0, JOB_COPY, &r));
		EXPECT_TRUE(client_copied(&self->c, 0));
		EXPECT_TRUE(device_sleeps());
	}
}

/* system sleep, as far as the drivers: jobs on the device end first, the others run when it wakes up */
TEST_F(jobs, sleep_with_jobs_in_the_queue)
{
	struct drm_eie_result r;
	struct drm_eie_job job;
	uint64_t seqno;

	ASSERT_EQ(0, file_write("/sys/power/pm_test", "devices"));
	client_job(&self->c, 0, JOB_COPY, &job);
	for (int i = 0; i < 100; i++)
		ASSERT_EQ(0, client_submit_job(&self->c, 2, &job, 0, &seqno));
	ASSERT_EQ(0, file_write("/sys/power/state", "freeze"));
	ASSERT_EQ(0, client_wait(&self->c, 60));
	for (uint64_t i = 1; i <= seqno; i++) {
		ASSERT_EQ(0, client_result(&self->c, 2, i, &r));
		EXPECT_EQ(EIE_STATUS_OK, r.status);
	}
	ASSERT_EQ(0, file_write("/sys/power/pm_test", "none"));
}

TEST_F(jobs, wrong_calls)
{
	struct { struct drm_eie_bo_wait wait; uint64_t more; } longer = { .wait.handle = self->c.handle };
	struct drm_eie_bo_create bo = { .size = 4096, .flags = 0x100 };
	struct drm_eie_queue_create queue = { .priority = 4 };

	EXPECT_EQ(-ENOTTY, call(self->c.fd, DRM_IO(DRM_COMMAND_BASE + 0x40), NULL));
	EXPECT_EQ(0, call(self->c.fd, DRM_IOW(DRM_COMMAND_BASE + DRM_EIE_BO_WAIT, longer), &longer));
	longer.more = 1;
	EXPECT_EQ(-E2BIG, call(self->c.fd, DRM_IOW(DRM_COMMAND_BASE + DRM_EIE_BO_WAIT, longer), &longer));
	EXPECT_EQ(-EINVAL, call(self->c.fd, DRM_IOCTL_EIE_BO_CREATE, &bo));
	bo.flags = 0;
	bo.size = 0;
	EXPECT_EQ(-EINVAL, call(self->c.fd, DRM_IOCTL_EIE_BO_CREATE, &bo));
	bo.size = 1ull << 40;
	EXPECT_EQ(-ENOSPC, call(self->c.fd, DRM_IOCTL_EIE_BO_CREATE, &bo));
	EXPECT_EQ(-EINVAL, call(self->c.fd, DRM_IOCTL_EIE_QUEUE_CREATE, &queue));
}

/* a buffer of another file of the device, and one of another driver */
TEST_F(jobs, prime)
{
	struct drm_prime_handle prime = { .handle = self->c.handle, .flags = DRM_CLOEXEC | DRM_RDWR };
	struct drm_eie_bo_info info = { 0 };
	struct client other;

	ASSERT_EQ(0, call(self->c.fd, DRM_IOCTL_PRIME_HANDLE_TO_FD, &prime));
	ASSERT_EQ(0, client_open(&other));
	ASSERT_EQ(0, call(other.fd, DRM_IOCTL_PRIME_FD_TO_HANDLE, &prime));
	info.handle = prime.handle;
	ASSERT_EQ(0, call(other.fd, DRM_IOCTL_EIE_BO_INFO, &info));
	EXPECT_EQ(CLIENT_BYTES, info.size);
	EXPECT_NE(other.dev_addr, info.dev_addr);
	close(prime.fd);
	client_close(&other);
}

TEST_HARNESS_MAIN
