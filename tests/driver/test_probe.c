// SPDX-License-Identifier: GPL-2.0 OR MIT
/* The driver binds to the device, makes its node, and goes away without a trace. */
#include <errno.h>
#include <unistd.h>

#include "frame.h"
#include "kselftest_harness.h"

/* Loading the driver and probing the device take a second or two on a busy host. */
#define SECONDS 300

FIXTURE(probe)
{
};

/* an earlier test that failed may have left the driver out */
FIXTURE_SETUP(probe)
{
	if (!accel_count())
		ASSERT_EQ(0, driver_load(""));
}

FIXTURE_TEARDOWN(probe)
{
}

TEST_F_TIMEOUT(probe, node_exists, SECONDS)
{
	int fd = accel_open(0);

	ASSERT_GE(fd, 0);
	EXPECT_EQ(1, accel_count());
	close(fd);
}

TEST_F_TIMEOUT(probe, unload_removes_the_node, SECONDS)
{
	ASSERT_EQ(0, driver_unload());
	EXPECT_EQ(0, accel_count());
	EXPECT_EQ(-1, accel_open(0));
	EXPECT_EQ(ENOENT, errno);
	ASSERT_EQ(0, driver_load(""));
	EXPECT_EQ(1, accel_count());
}

TEST_F_TIMEOUT(probe, unload_is_refused_while_open, SECONDS)
{
	int fd = accel_open(0);

	ASSERT_GE(fd, 0);
	EXPECT_EQ(-1, driver_unload());
	EXPECT_EQ(EAGAIN, errno);
	close(fd);
}

TEST_F_TIMEOUT(probe, reload_20_times, SECONDS)
{
	for (int i = 0; i < 20; i++) {
		ASSERT_EQ(0, driver_unload());
		ASSERT_EQ(0, driver_load(""));
		ASSERT_EQ(1, accel_count());
	}
}

TEST_F_TIMEOUT(probe, remove_and_rescan, SECONDS)
{
	ASSERT_EQ(0, pci_write(0, "remove", "1"));
	EXPECT_EQ(0, accel_count());
	ASSERT_EQ(0, pci_rescan());
	EXPECT_EQ(1, accel_count());
}

TEST_HARNESS_MAIN
