/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/* What the driver holds on behalf of its users, so that a test can see that something was given back. */
#ifndef EIE_TEST_USAGE_H
#define EIE_TEST_USAGE_H

#include <stdbool.h>
#include <stdint.h>

struct usage {
	unsigned int spaces;		/* address spaces of device 0: open files, and closed ones whose jobs have not been freed */
	unsigned int mappings;		/* buffers mapped into them */
	unsigned int handles;		/* handles behind these mappings */
	unsigned int pending;		/* jobs that the scheduler has */
};

/* Reads debugfs: 0 or -errno. */
int usage_read(struct usage *u);
/*
 * Jobs are freed by a worker, and what they held with them. Both wait up to ten seconds: until there are `spaces` address spaces and
 * no job; until usage is `want`. The last reading is left in `got`.
 */
bool usage_settles(unsigned int spaces, struct usage *got);
bool usage_becomes(const struct usage *want, struct usage *got);

/* The number behind `key` ("drm-total-memory") in /proc/self/fdinfo, in bytes where a unit is given; -ENOENT without such a line. */
int64_t fdinfo(int fd, const char *key);

/* Resets of device 0 and of its rings since the driver was bound, from debugfs; -errno. */
int resets_read(void);

/* Waits up to ten seconds until device 0 is suspended, which it is soon when it has nothing to do. */
bool device_sleeps(void);

/* Writes to a file of sysfs or debugfs: 0 or -errno. */
int file_write(const char *path, const char *value);

/*
 * Memory answers device 0 no more (TESTCAP_HOLD), so that jobs stay where they are until hold_end(). The device must not hang
 * meanwhile, nor be suspended: hang_cycles stays at its highest until the driver is loaded anew.
 */
struct testcap;
int hold_begin(const struct testcap *cap);
int hold_end(const struct testcap *cap);

/* Device cycles without progress that count as a hang: the module parameter, which stays until the driver is loaded anew. */
int hang_cycles_set(const char *value);

#endif
