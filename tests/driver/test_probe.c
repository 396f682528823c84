// SPDX-License-Identifier: GPL-2.0 OR MIT
/* The driver binds to the device, makes its node, and goes away without a trace. */
#include <errno.h>
#include <unistd.h>

#include "frame.h"
#include "kselftest_harness.h"

TEST(node_exists)
{
	int fd = accel_open(0);

	ASSERT_GE(fd, 0);
	EXPECT_EQ(1, accel_count());
	close(fd);
}

TEST(unload_removes_the_node)
{
	ASSERT_EQ(0, driver_unload());
	EXPECT_EQ(0, accel_count());
	EXPECT_EQ(-1, accel_open(0));
	EXPECT_EQ(ENOENT, errno);
	ASSERT_EQ(0, driver_load(""));
	EXPECT_EQ(1, accel_count());
}

TEST(unload_is_refused_while_open)
{
	int fd = accel_open(0);

	ASSERT_GE(fd, 0);
	EXPECT_EQ(-1, driver_unload());
	EXPECT_EQ(EAGAIN, errno);
	close(fd);
}

TEST(reload_20_times)
{
	for (int i = 0; i < 20; i++) {
		ASSERT_EQ(0, driver_unload());
		ASSERT_EQ(0, driver_load(""));
		ASSERT_EQ(1, accel_count());
	}
}

TEST(remove_and_rescan)
{
	ASSERT_EQ(0, pci_write(0, "remove", "1"));
	EXPECT_EQ(0, accel_count());
	ASSERT_EQ(0, pci_rescan());
	EXPECT_EQ(1, accel_count());
}

TEST_HARNESS_MAIN
