// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Every allocation while the driver is bound to the device fails once: the first, then the second, until binding no longer gets
 * as far (EIE_STEP=n: every n-th of them). It must then have failed with the errno of that, or have done without, and have left
 * nothing: the next attempt meets no trace, the last one succeeds, the device works, and kmemleak finds nothing at the end of the machine.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "eie_hw.h"
#include "inject.h"
#include "frame.h"
#include "job.h"
#include "kselftest_harness.h"
#include "usage.h"

#define DRIVER	"/sys/bus/pci/drivers/eie/"
#define LIMIT	1800	/* seconds of the sweep */
#define MOST	2000	/* points of failure: more mean that the sweep does not end */
#define LEAST	100	/* points that must refuse to bind: a sweep that injects nothing proves nothing */

FIXTURE(probe)
{
};

FIXTURE_SETUP(probe)
{
	ASSERT_EQ(0, inject_setup());
}

FIXTURE_TEARDOWN(probe)
{
	inject_end();
}

TEST_F_TIMEOUT(probe, every_allocation_fails_once, LIMIT)
{
	unsigned int n, refused = 0, step = getenv("EIE_STEP") ? (unsigned int)atoi(getenv("EIE_STEP")) : 1;
	struct drm_eie_result r;
	bool injected = true;
	struct client c;
	char name[32];
	int ret = 0;

	ASSERT_EQ(0, pci_name(0, name));
	/* whoever has no memory reports it, in words of its own; complaints still count */
	ASSERT_EQ(0, kmsg_expect("eie|accel|drm|memory|dentries|rescuer"));
	ASSERT_EQ(0, file_write(DRIVER "unbind", name));
	for (n = 1; n < MOST && injected; n += step) {
		inject_at(n);
		ret = file_write(DRIVER "bind", name);
		injected = inject_happened();
		inject_at(0);
		if (!ret) {
			/* the kernel may do without a node's folder or name in /dev, and say nothing */
			EXPECT_TRUE(injected || accel_count() == 1);
			if (injected)
				ASSERT_EQ(0, file_write(DRIVER "unbind", name));
			continue;
		}
		/* the PCI core's words, whatever the reason: ENOSPC for too few interrupt vectors, EBUSY for a BAR that it cannot have */
		EXPECT_TRUE(ret == -ENOMEM || ret == -EFAULT || ret == -ENOSPC || ret == -EBUSY) {
			TH_LOG("failure %u: %d", n, ret);
		}
		EXPECT_EQ(0, accel_count()) {
			TH_LOG("failure %u: a node is left", n);
		}
		refused++;
	}
	EXPECT_FALSE(injected);
	EXPECT_EQ(0, ret);
	EXPECT_GE(refused, LEAST / step);
	printf("# bind: %u points of failure in steps of %u, %u refused it\n", n - 1 - step, step, refused);

	ASSERT_EQ(1, accel_count());
	ASSERT_EQ(0, client_open(&c));
	for (unsigned int level = 0; level < CLIENT_QUEUES; level++) {
		EXPECT_EQ(0, client_run(&c, level, level, JOB_COPY, &r));
		EXPECT_EQ(EIE_STATUS_OK, r.status);
		EXPECT_TRUE(client_copied(&c, level));
	}
	client_close(&c);
}

TEST_HARNESS_MAIN
