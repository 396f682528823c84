// SPDX-License-Identifier: GPL-2.0 OR MIT
/* Hangs, resets, lost interrupts, bus errors, and a device that goes away. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "eie_hw.h"
#include "frame.h"
#include "job.h"
#include "kselftest_harness.h"
#include "usage.h"

/* the PCI core's words */
#define DOES_NOT_WAKE	"Unable to change power state from .*, device inaccessible"

/* the newest core dump: 0 and its first bytes, or -1; it is deleted */
static int take_dump(struct drm_eie_dump_header *header)
{
	DIR *dir = opendir("/sys/class/devcoredump");
	struct dirent *entry;
	int ret = -1;

	while (dir && (entry = readdir(dir))) {
		char path[300];
		int fd;

		if (strncmp(entry->d_name, "devcd", 5))
			continue;
		snprintf(path, sizeof(path), "/sys/class/devcoredump/%s/data", entry->d_name);
		fd = open(path, O_RDWR);
		if (fd < 0)
			continue;
		if (read(fd, header, sizeof(*header)) == sizeof(*header))
			ret = 0;
		if (write(fd, "1", 1) != 1)
			ret = -1;
		close(fd);
	}
	if (dir)
		closedir(dir);
	return ret;
}

/* A worker writes the dump; jobs do not wait for it. */
static int await_dump(struct drm_eie_dump_header *header)
{
	int ret = take_dump(header);

	for (int i = 0; ret && i < 1000; i++) {
		usleep(10000);
		ret = take_dump(header);
	}
	return ret;
}

FIXTURE(recovery)
{
	struct client c;
	struct testcap cap;
};

FIXTURE_SETUP(recovery)
{
	struct drm_eie_dump_header header;

	while (!take_dump(&header))
		;
	ASSERT_EQ(0, hang_cycles_set("20000"));
	ASSERT_EQ(0, client_open(&self->c));
	ASSERT_EQ(0, testcap_open(&self->cap, 0));
}

FIXTURE_TEARDOWN(recovery)
{
	/* what a_bus_error_at_every_burst may have changed */
	pci_write(0, "power/control", "auto");
	testcap_close(&self->cap);
	client_close(&self->c);
}

static void expect_works(struct __test_metadata *_metadata, struct client *c)
{
	struct drm_eie_result r;

	for (unsigned int level = 0; level < CLIENT_QUEUES; level++) {
		ASSERT_EQ(0, client_run(c, level, 31, JOB_COPY, &r));
		EXPECT_EQ(EIE_STATUS_OK, r.status);
		EXPECT_TRUE(client_copied(c, 31));
	}
}

/* the fences of the last jobs hold the module until a worker has freed them */
static int unload(void)
{
	int ret = driver_unload();

	for (int i = 0; ret && i < 1000; i++) {
		usleep(10000);
		ret = driver_unload();
	}
	return ret;
}

TEST_F(recovery, a_hang_hits_one_job_only)
{
	uint32_t sync = sync_create(self->c.fd);
	struct drm_eie_dump_header header;
	struct drm_eie_result r;
	struct client other;
	uint64_t hang, after, same, above;

	ASSERT_EQ(0, client_open(&other));
	ASSERT_EQ(0, client_submit(&self->c, 2, 0, JOB_HANG, sync, &hang));
	ASSERT_EQ(0, client_submit(&self->c, 2, 1, JOB_COPY, 0, &after));
	ASSERT_EQ(0, client_submit(&other, 2, 0, JOB_COPY, 0, &same));
	ASSERT_EQ(0, client_submit(&other, 1, 1, JOB_COPY, 0, &above));
	ASSERT_EQ(0, client_wait(&self->c, 60));
	ASSERT_EQ(0, client_wait(&other, 60));

	ASSERT_EQ(0, client_result(&self->c, 2, hang, &r));
	EXPECT_EQ(EIE_STATUS_ABORTED, r.status);
	EXPECT_EQ(-ETIME, r.error);
	EXPECT_EQ(-ETIME, sync_status(self->c.fd, sync));
	ASSERT_EQ(0, client_result(&self->c, 2, after, &r));
	EXPECT_EQ(EIE_STATUS_OK, r.status);
	ASSERT_EQ(0, client_result(&other, 2, same, &r));
	EXPECT_EQ(EIE_STATUS_OK, r.status);
	ASSERT_EQ(0, client_result(&other, 1, above, &r));
	EXPECT_EQ(EIE_STATUS_OK, r.status);
	EXPECT_TRUE(client_copied(&self->c, 1));
	EXPECT_TRUE(client_copied(&other, 0));
	EXPECT_TRUE(client_copied(&other, 1));

	ASSERT_EQ(0, await_dump(&header));
	EXPECT_EQ(0, memcmp(header.magic, DRM_EIE_DUMP_MAGIC, 8));
	EXPECT_EQ(DRM_EIE_DUMP_HANG, header.reason);
	EXPECT_EQ(2, header.queue);
	expect_works(_metadata, &self->c);
	client_close(&other);
}

TEST_F(recovery, closing_ends_a_hanging_job)
{
	struct client other;

	ASSERT_EQ(0, hang_cycles_set("4000000000"));
	ASSERT_EQ(0, client_open(&other));
	for (int i = 0; i < 5; i++)
		ASSERT_EQ(0, client_submit(&other, 3, i, JOB_HANG, 0, NULL));
	ASSERT_EQ(0, client_submit(&self->c, 3, 0, JOB_COPY, 0, NULL));
	client_close(&other);
	ASSERT_EQ(0, client_wait(&self->c, 60));
	EXPECT_TRUE(client_copied(&self->c, 0));
	expect_works(_metadata, &self->c);
}

TEST_F(recovery, a_killed_process_leaves_nothing)
{
	int status;
	pid_t pid;

	ASSERT_EQ(0, hang_cycles_set("4000000000"));
	pid = fork();
	ASSERT_GE(pid, 0);
	if (!pid) {
		struct drm_eie_job job;
		struct client other;

		if (client_open(&other))
			_exit(1);
		client_job(&other, 0, JOB_HANG, &job);
		for (int i = 0; i < 40; i++)
			client_submit_job(&other, 2, &job, 0, NULL);
		pause();
	}
	sleep(1);
	ASSERT_EQ(0, kill(pid, SIGKILL));
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	expect_works(_metadata, &self->c);
}

TEST_F(recovery, lost_interrupts)
{
	struct drm_eie_result r;

	ASSERT_EQ(0, testcap_write(&self->cap, TESTCAP_LOSE_IRQS, 3));
	for (int i = 0; i < 4; i++) {
		ASSERT_EQ(0, client_run(&self->c, 2, i, JOB_COPY, &r));
		EXPECT_EQ(EIE_STATUS_OK, r.status);
	}
	EXPECT_EQ(0, testcap_read(&self->cap, TESTCAP_LOSE_IRQS));
}

TEST_F(recovery, interrupt_storm)
{
	ASSERT_EQ(0, testcap_write(&self->cap, TESTCAP_STORM, 500));
	expect_works(_metadata, &self->c);
}

/* the n-th burst of a short job: descriptor, page walk, base table, commands, data, completion entry */
TEST_F(recovery, a_bus_error_at_every_burst)
{
	unsigned int lost = 0, failed = 0;
	struct drm_eie_result r;

	/* had it slept, there would be more page walks, and the n-th burst another one every time */
	ASSERT_EQ(0, pci_write(0, "power/control", "on"));
	for (unsigned int n = 1; n <= 40; n++) {
		ASSERT_EQ(0, testcap_write(&self->cap, TESTCAP_FAIL_BURST, n));
		ASSERT_EQ(0, client_run(&self->c, 2, 0, JOB_COPY, &r));
		ASSERT_EQ(0, testcap_write(&self->cap, TESTCAP_FAIL_BURST, 0));
		if (r.status == EIE_STATUS_OK)
			continue;
		EXPECT_EQ(-EIO, r.error);
		if (r.status == DRM_EIE_STATUS_LOST)
			lost++;
		else if (r.status == EIE_STATUS_BUS_ERROR)
			failed++;
		expect_works(_metadata, &self->c);
	}
	/* descriptor and completion entry; what is between them */
	EXPECT_GE(lost, 2);
	EXPECT_GE(failed, 3);
}

TEST_F(recovery, the_device_dies_and_comes_back)
{
	struct drm_eie_result r;
	uint64_t seqno;

	ASSERT_EQ(0, hang_cycles_set("4000000000"));
	ASSERT_EQ(0, client_submit(&self->c, 2, 0, JOB_HANG, 0, &seqno));
	ASSERT_EQ(0, testcap_write(&self->cap, TESTCAP_DIE, 1));
	ASSERT_EQ(0, client_wait(&self->c, 60));
	ASSERT_EQ(0, client_result(&self->c, 2, seqno, &r));
	EXPECT_EQ(DRM_EIE_STATUS_LOST, r.status);
	EXPECT_EQ(-ENODEV, r.error);
	EXPECT_EQ(-ENODEV, client_submit(&self->c, 2, 1, JOB_COPY, 0, NULL));

	/* it answers again, but the driver has done with it until it is bound anew */
	ASSERT_EQ(0, testcap_write(&self->cap, TESTCAP_DIE, 0));
	EXPECT_EQ(-ENODEV, client_submit(&self->c, 2, 1, JOB_COPY, 0, NULL));
	ASSERT_EQ(0, pci_write(0, "remove", "1"));
	ASSERT_EQ(0, pci_rescan());
	client_close(&self->c);
	ASSERT_EQ(0, client_open(&self->c));
	expect_works(_metadata, &self->c);
}

/* with jobs of all levels on the way, however far they are; a tenth of a second later somebody looks */
TEST_F_TIMEOUT(recovery, it_dies_at_random_points, 600)
{
	const unsigned int jobs = 8, rounds = 12;
	uint32_t random = 12345;
	unsigned int lost = 0;

	ASSERT_EQ(0, kmsg_expect(DOES_NOT_WAKE));
	client_close(&self->c);
	ASSERT_EQ(0, unload());
	ASSERT_EQ(0, driver_load("timeout_ms=100"));
	for (unsigned int round = 0; round < rounds; round++) {
		uint64_t seqno[jobs];

		ASSERT_EQ(0, client_open(&self->c));
		random = random * 1664525 + 1013904223;
		/* a job takes some hundred cycles */
		ASSERT_EQ(0, testcap_write(&self->cap, TESTCAP_DIE, 2 + (random >> 8) % 2500));
		for (unsigned int i = 0; i < jobs; i++) {
			int ret = client_submit(&self->c, i % CLIENT_QUEUES, i, JOB_COPY, 0, &seqno[i]);

			if (!ret)
				continue;
			/* the device is known to be dead, or did not wake up */
			EXPECT_TRUE(ret == -ENODEV || ret == -EIO);
			seqno[i] = 0;
		}
		ASSERT_EQ(0, client_wait(&self->c, 60));
		for (unsigned int i = 0; i < jobs; i++) {
			struct drm_eie_result r;

			if (!seqno[i])
				continue;
			ASSERT_EQ(0, client_result(&self->c, i % CLIENT_QUEUES, seqno[i], &r));
			if (r.status == DRM_EIE_STATUS_LOST) {
				EXPECT_EQ(-ENODEV, r.error);
				lost++;
			} else {
				EXPECT_EQ(EIE_STATUS_OK, r.status);
				EXPECT_TRUE(client_copied(&self->c, i));
			}
		}
		client_close(&self->c);
		ASSERT_EQ(0, testcap_write(&self->cap, TESTCAP_DIE, 0));
		ASSERT_EQ(0, pci_write(0, "remove", "1"));
		ASSERT_EQ(0, pci_rescan());
		testcap_close(&self->cap);
		ASSERT_EQ(0, testcap_open(&self->cap, 0));
	}
	EXPECT_GE(lost, rounds);
	ASSERT_EQ(0, unload());
	ASSERT_EQ(0, driver_load(""));
	ASSERT_EQ(0, client_open(&self->c));
	expect_works(_metadata, &self->c);
}

/* what needs the device fails while it does not wake up, and no longer when it does; unbound meanwhile or not */
TEST_F(recovery, it_dies_asleep_and_comes_back)
{
	struct drm_eie_result r;
	char name[32];

	ASSERT_EQ(0, kmsg_expect(DOES_NOT_WAKE));
	for (int round = 0; round < 3; round++) {
		ASSERT_TRUE(device_sleeps());
		ASSERT_EQ(0, testcap_write(&self->cap, TESTCAP_DIE, 1));
		for (int i = 0; i < 3; i++)
			EXPECT_EQ(-EIO, client_submit(&self->c, 2, 0, JOB_COPY, 0, NULL));
		ASSERT_EQ(0, testcap_write(&self->cap, TESTCAP_DIE, 0));
		expect_works(_metadata, &self->c);
	}

	ASSERT_TRUE(device_sleeps());
	ASSERT_EQ(0, pci_name(0, name));
	ASSERT_EQ(0, testcap_write(&self->cap, TESTCAP_DIE, 1));
	EXPECT_EQ(-EIO, client_submit(&self->c, 2, 0, JOB_COPY, 0, NULL));
	ASSERT_EQ(0, file_write("/sys/bus/pci/drivers/eie/unbind", name));
	EXPECT_EQ(-ENODEV, client_result(&self->c, 2, 1, &r));
	ASSERT_EQ(0, testcap_write(&self->cap, TESTCAP_DIE, 0));
	ASSERT_EQ(0, file_write("/sys/bus/pci/drivers/eie/bind", name));
	client_close(&self->c);
	ASSERT_EQ(0, client_open(&self->c));
	expect_works(_metadata, &self->c);
}

/* open files, mapped buffers and fences outlive the binding of the driver */
TEST_F(recovery, unbound_while_in_use)
{
	uint32_t sync = sync_create(self->c.fd);
	struct drm_eie_bo_create bo = { .size = 4096 };
	struct drm_eie_result r;
	struct drm_eie_job job;
	struct client fresh;
	int file;

	ASSERT_EQ(0, hang_cycles_set("4000000000"));
	client_job(&self->c, 0, JOB_HANG, &job);
	for (int i = 0; i < 40; i++)
		ASSERT_EQ(0, client_submit_job(&self->c, 2, &job, i == 35 ? sync : 0, NULL));
	file = sync_export(self->c.fd, sync);
	ASSERT_GE(file, 0);
	ASSERT_EQ(0, pci_write(0, "remove", "1"));
	EXPECT_EQ(-ENODEV, call(self->c.fd, DRM_IOCTL_EIE_BO_CREATE, &bo));
	EXPECT_EQ(-ENODEV, client_result(&self->c, 2, 1, &r));
	memset(self->c.mem, 0x5a, CLIENT_BYTES);
	ASSERT_EQ(0, pci_rescan());
	ASSERT_EQ(0, client_open(&fresh));
	expect_works(_metadata, &fresh);
	client_close(&fresh);

	/* the fence holds the module */
	client_close(&self->c);
	EXPECT_EQ(-1, driver_unload());
	EXPECT_EQ(EAGAIN, errno);
	close(file);
	ASSERT_EQ(0, client_open(&self->c));
	expect_works(_metadata, &self->c);
}

TEST_HARNESS_MAIN
