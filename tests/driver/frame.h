/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/*
 * What the driver's tests share. They run as root in a test machine (tests/machine), where /modules/eie.ko is loaded already.
 * Functions return 0 or a value, or -1 with errno set, as system calls do.
 */
#ifndef EIE_TEST_FRAME_H
#define EIE_TEST_FRAME_H

#include <stdint.h>

#include "testcap.h"

#define EIE_MODULE "/modules/eie.ko"

/* Opens /dev/accel/accel`index` for reading and writing, close-on-exec. */
int accel_open(unsigned int index);
/* Number of /dev/accel nodes. */
int accel_count(void);

/* Loads the driver with parameters ("name=value name=value", "" for none); unloads it: EBUSY, EAGAIN while it is in use. */
int driver_load(const char *params);
int driver_unload(void);

/*
 * Announces kernel messages of level error or worse that are meant to come: an extended regular expression. Others of that level
 * make the run fail. Complaints (WARNING, BUG, ... see tests/machine/complaints) can't be announced.
 */
int kmsg_expect(const char *regex);

/* PCI address ("0000:00:01.0") of the index-th accelerator, by bus address; `name` has room for 32 bytes. ENODEV: there are fewer. */
int pci_name(unsigned int index, char *name);
/* Writes `value` to a file of the device in sysfs: pci_write(0, "remove", "1"). */
int pci_write(unsigned int index, const char *file, const char *value);

/* Looks for devices that were removed. */
int pci_rescan(void);

/* The simulated device's test capability (testcap.h). ENOTSUP: the device has none; it is a real one. */
struct testcap {
	int fd;
	unsigned int base;
};

int testcap_open(struct testcap *cap, unsigned int index);
void testcap_close(struct testcap *cap);
uint32_t testcap_read(const struct testcap *cap, unsigned int word);
int testcap_write(const struct testcap *cap, unsigned int word, uint32_t value);

#endif
