// SPDX-License-Identifier: GPL-2.0 OR MIT
#include "frame.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/pci_regs.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "eie_hw.h"

#define PCI_DEVICES "/sys/bus/pci/devices"

int accel_open(unsigned int index)
{
	char path[64];

	snprintf(path, sizeof(path), "/dev/accel/accel%u", index);
	return open(path, O_RDWR | O_CLOEXEC);
}

int accel_count(void)
{
	struct dirent **list;
	int n = scandir("/dev/accel", &list, NULL, alphasort), count = 0;

	/* devtmpfs removes the folder with its last node */
	if (n < 0)
		return errno == ENOENT ? 0 : -1;
	for (int i = 0; i < n; i++) {
		count += !strncmp(list[i]->d_name, "accel", 5);
		free(list[i]);
	}
	free(list);
	return count;
}

int driver_load(const char *params)
{
	int fd = open(EIE_MODULE, O_RDONLY | O_CLOEXEC), ret, error;

	if (fd < 0)
		return -1;
	ret = (int)syscall(SYS_finit_module, fd, params, 0);
	error = errno;
	close(fd);
	errno = error;
	return ret;
}

int driver_unload(void)
{
	return (int)syscall(SYS_delete_module, "eie", O_NONBLOCK);
}

/* Writes a whole string to a file in one call. */
static int write_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC), error = 0;
	ssize_t n, len = (ssize_t)strlen(text);

	if (fd < 0)
		return -1;
	n = write(fd, text, (size_t)len);
	if (n != len)
		error = n < 0 ? errno : EIO;
	close(fd);
	errno = error;
	return error ? -1 : 0;
}

int kmsg_expect(const char *regex)
{
	char line[512];

	if (snprintf(line, sizeof(line), "<6>eie-test: expect: %s", regex) >= (int)sizeof(line)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	return write_file("/dev/kmsg", line);
}

/* Bytes of the device's configuration space; -1 with errno. */
static int read_config(const char *name, unsigned int offset, void *buf, size_t len)
{
	char path[128];
	ssize_t n;
	int fd;

	snprintf(path, sizeof(path), PCI_DEVICES "/%s/config", name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -1;
	n = pread(fd, buf, len, offset);
	close(fd);
	if (n == (ssize_t)len)
		return 0;
	errno = EIO;
	return -1;
}

int pci_name(unsigned int index, char *name)
{
	struct dirent **list;
	int n = scandir(PCI_DEVICES, &list, NULL, alphasort);
	bool found = false;

	if (n < 0)
		return -1;
	for (int i = 0; i < n; i++) {
		uint16_t id[2];
		char *entry = list[i]->d_name;

		/* a dead device's configuration space reads all ones; the kernel remembers the ids */
		if (!found && entry[0] != '.' && strlen(entry) < 32) {
			char path[128], text[16] = "";

			for (int k = 0; k < 2; k++) {
				int fd;

				snprintf(path, sizeof(path), PCI_DEVICES "/%s/%s", entry, k ? "device" : "vendor");
				fd = open(path, O_RDONLY | O_CLOEXEC);
				if (fd < 0 || read(fd, text, sizeof(text) - 1) <= 0)
					text[0] = 0;
				if (fd >= 0)
					close(fd);
				id[k] = (uint16_t)strtoul(text, NULL, 16);
			}
			if (id[0] == EIE_PCI_VENDOR && id[1] == EIE_PCI_DEVICE && index-- == 0) {
				strcpy(name, entry);
				found = true;
			}
		}
		free(list[i]);
	}
	free(list);
	errno = ENODEV;
	return found ? 0 : -1;
}

int pci_write(unsigned int index, const char *file, const char *value)
{
	char name[32], path[128];

	if (pci_name(index, name))
		return -1;
	snprintf(path, sizeof(path), PCI_DEVICES "/%s/%s", name, file);
	return write_file(path, value);
}

int pci_rescan(void)
{
	return write_file("/sys/bus/pci/rescan", "1");
}

int testcap_open(struct testcap *cap, unsigned int index)
{
	char name[32], path[128];
	uint8_t next, header[4];

	cap->fd = -1;
	if (pci_name(index, name) || read_config(name, PCI_CAPABILITY_LIST, &next, 1))
		return -1;
	for (unsigned int left = 48; next >= 0x40 && left; left--) {
		if (read_config(name, next, header, sizeof(header)))
			return -1;
		if (header[0] == TESTCAP_ID && header[3] == TESTCAP_VERSION) {
			snprintf(path, sizeof(path), PCI_DEVICES "/%s/config", name);
			cap->base = next;
			cap->fd = open(path, O_RDWR | O_CLOEXEC);
			return cap->fd < 0 ? -1 : 0;
		}
		next = header[1];
	}
	errno = ENOTSUP;
	return -1;
}

void testcap_close(struct testcap *cap)
{
	if (cap->fd >= 0)
		close(cap->fd);
	cap->fd = -1;
}

uint32_t testcap_read(const struct testcap *cap, unsigned int word)
{
	uint32_t value = UINT32_MAX;

	if (pread(cap->fd, &value, sizeof(value), cap->base + word) != sizeof(value))
		return UINT32_MAX;
	return value;
}

int testcap_write(const struct testcap *cap, unsigned int word, uint32_t value)
{
	return pwrite(cap->fd, &value, sizeof(value), cap->base + word) == sizeof(value) ? 0 : -1;
}
