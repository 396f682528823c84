// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Much at once, and often: eight processes with 500 jobs each, two devices, sleep under load, and the driver bound to the device 200
 * times. The machine must have two devices. EIE_PERCENT=P in the environment: so much of the 500 and the 200, for a machine that is slow.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "eie_hw.h"
#include "frame.h"
#include "job.h"
#include "kselftest_harness.h"
#include "usage.h"

#define LIMIT	900	/* seconds of a test */
#define PROCESSES 8
#define JOBS	500
#define BINDS	200
#define AHEAD	25	/* jobs that a process has under way */

static unsigned int share(unsigned int n)
{
	const char *text = getenv("EIE_PERCENT");
	int percent = text ? atoi(text) : 0;

	return percent > 0 ? n * (unsigned int)percent / 100 : n;
}

FIXTURE(stress)
{
};

FIXTURE_SETUP(stress)
{
	ASSERT_EQ(2, accel_count());
}

FIXTURE_TEARDOWN(stress)
{
}

/*
 * `jobs` copies in batches on node `node`, one in fifty of which faults: each has the status that it should have, and what good ones
 * copied is there. 0, or where it went wrong.
 */
static int load(unsigned int node, unsigned int level, unsigned int jobs)
{
	struct drm_eie_result r;
	struct client c;
	uint64_t first;

	if (client_open_node(&c, node))
		return 1;
	for (unsigned int done = 0; done < jobs; done += AHEAD) {
		for (unsigned int i = 0; i < AHEAD; i++)
			if (client_submit(&c, level, i, (done + i) % 50 == 17 ? JOB_FAULT : JOB_COPY, 0, i ? NULL : &first))
				return 2;
		if (client_wait(&c, LIMIT))
			return 3;
		for (unsigned int i = 0; i < AHEAD; i++) {
			bool fault = (done + i) % 50 == 17;

			if (client_result(&c, level, first + i, &r))
				return 4;
			if (r.status != (fault ? EIE_STATUS_PAGE_FAULT : EIE_STATUS_OK))
				return 5;
			if (!fault && !client_copied(&c, i))
				return 6;
		}
	}
	client_close(&c);
	return 0;
}

/* Starts PROCESSES of them, on `nodes` nodes in turn. */
static void start(struct __test_metadata *_metadata, unsigned int nodes, unsigned int jobs)
{
	for (unsigned int i = 0; i < PROCESSES; i++) {
		pid_t pid = fork();

		ASSERT_GE(pid, 0);
		if (!pid)
			_exit(load(i % nodes, i / 2 % CLIENT_QUEUES, jobs));
	}
}

static void finish(struct __test_metadata *_metadata)
{
	int status;

	for (unsigned int i = 0; i < PROCESSES; i++) {
		ASSERT_GT(wait(&status), 0);
		EXPECT_EQ(0, status) {
			TH_LOG("a process ended at %d, signal %d", WEXITSTATUS(status), WTERMSIG(status));
		}
	}
}

TEST_F_TIMEOUT(stress, eight_processes, LIMIT)
{
	struct usage u;

	start(_metadata, 1, share(JOBS));
	finish(_metadata);
	EXPECT_TRUE(usage_settles(0, &u));
	EXPECT_EQ(0, resets_read());
}

TEST_F_TIMEOUT(stress, two_devices, LIMIT)
{
	struct drm_prime_handle prime = { .flags = DRM_CLOEXEC | DRM_RDWR };
	struct drm_eie_bo_info info = { 0 };
	struct drm_eie_result r;
	struct drm_eie_job job;
	struct client one, two;
	uint64_t seqno;

	start(_metadata, 2, 100);
	/* a buffer of one is used by the other */
	ASSERT_EQ(0, client_open_node(&one, 0));
	ASSERT_EQ(0, client_open_node(&two, 1));
	prime.handle = one.handle;
	ASSERT_EQ(0, call(one.fd, DRM_IOCTL_PRIME_HANDLE_TO_FD, &prime));
	ASSERT_EQ(0, call(two.fd, DRM_IOCTL_PRIME_FD_TO_HANDLE, &prime));
	close(prime.fd);
	info.handle = prime.handle;
	ASSERT_EQ(0, call(two.fd, DRM_IOCTL_EIE_BO_INFO, &info));
	EXPECT_EQ(CLIENT_BYTES, info.size);
	memset(one.mem + CLIENT_IN, 0x3c, 256);
	client_copy(&two, 0, info.dev_addr + CLIENT_IN, info.dev_addr + CLIENT_OUT, &job);
	ASSERT_EQ(0, client_submit_job(&two, 0, &job, 0, &seqno));
	ASSERT_EQ(0, client_wait(&two, LIMIT));
	ASSERT_EQ(0, client_result(&two, 0, seqno, &r));
	EXPECT_EQ(EIE_STATUS_OK, r.status);
	EXPECT_EQ(0, memcmp(one.mem + CLIENT_IN, one.mem + CLIENT_OUT, 256));
	client_close(&one);
	client_close(&two);
	finish(_metadata);
}

/* system sleep, as far as the drivers, while jobs come all the time */
TEST_F_TIMEOUT(stress, sleep_under_load, LIMIT)
{
	unsigned int slept = 0;

	ASSERT_EQ(0, file_write("/sys/power/pm_test", "devices"));
	ASSERT_EQ(0, file_write("/sys/module/suspend/parameters/pm_test_delay", "0"));
	start(_metadata, 2, 100);
	for (int i = 0; i < 10; i++) {
		int ret = file_write("/sys/power/state", "freeze");

		ASSERT_EQ(0, ret);
		slept++;
		usleep(50000);
	}
	EXPECT_EQ(10, slept);
	ASSERT_EQ(0, file_write("/sys/power/pm_test", "none"));
	finish(_metadata);
}

/* unbound and bound 200 times, now and then with a file open and a job under way */
TEST_F_TIMEOUT(stress, bound_200_times, LIMIT)
{
	struct drm_eie_result r;
	struct client c;
	char name[32];

	ASSERT_EQ(0, pci_name(0, name));
	for (unsigned int i = 0; i < share(BINDS); i++) {
		bool open = i % 20 == 7;

		if (open) {
			ASSERT_EQ(0, client_open(&c));
			ASSERT_EQ(0, client_submit(&c, 2, 0, JOB_COPY, 0, NULL));
		}
		ASSERT_EQ(0, file_write("/sys/bus/pci/drivers/eie/unbind", name));
		if (open) {
			EXPECT_EQ(-ENODEV, client_submit(&c, 2, 1, JOB_COPY, 0, NULL));
			client_close(&c);
		}
		ASSERT_EQ(0, file_write("/sys/bus/pci/drivers/eie/bind", name));
	}
	ASSERT_EQ(0, client_open(&c));
	EXPECT_EQ(0, client_run(&c, 2, 0, JOB_COPY, &r));
	EXPECT_EQ(EIE_STATUS_OK, r.status);
	client_close(&c);
}

TEST_HARNESS_MAIN
