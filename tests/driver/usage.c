// SPDX-License-Identifier: GPL-2.0 OR MIT
#include "usage.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "frame.h"

/* A file of device 0 in debugfs; NULL with errno. */
static FILE *debugfs_open(const char *file)
{
	char name[32], path[96];

	if (pci_name(0, name))
		return NULL;
	snprintf(path, sizeof(path), "/sys/kernel/debug/accel/%s/%s", name, file);
	return fopen(path, "re");
}

int usage_read(struct usage *u)
{
	FILE *f = debugfs_open("vms");
	unsigned int n, jobs;
	char line[160];

	memset(u, 0, sizeof(*u));
	if (!f)
		return -errno;
	while (fgets(line, sizeof(line), f)) {
		if (sscanf(line, "asid %*u jobs %u pending %u", &jobs, &n) == 2) {
			u->spaces++;
			u->pending += n;
		} else if (sscanf(line, " va %*s size %*s handles %u", &n) == 1) {
			u->mappings++;
			u->handles += n;
		}
	}
	fclose(f);
	return 0;
}

bool usage_settles(unsigned int spaces, struct usage *got)
{
	for (int i = 0; i < 1000; i++) {
		if (!usage_read(got) && got->spaces == spaces && !got->pending)
			return true;
		usleep(10000);
	}
	return false;
}

bool usage_becomes(const struct usage *want, struct usage *got)
{
	for (int i = 0; i < 1000; i++) {
		if (!usage_read(got) && !memcmp(want, got, sizeof(*got)))
			return true;
		usleep(10000);
	}
	return false;
}

int64_t fdinfo(int fd, const char *key)
{
	size_t len = strlen(key);
	int64_t value = -ENOENT;
	char path[64], line[160];
	FILE *f;

	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", fd);
	f = fopen(path, "re");
	if (!f)
		return -errno;
	while (fgets(line, sizeof(line), f)) {
		char *end;

		if (strncmp(line, key, len) || line[len] != ':')
			continue;
		value = strtoll(line + len + 1, &end, 10);
		if (!strncmp(end, " KiB", 4))
			value <<= 10;
		else if (!strncmp(end, " MiB", 4))
			value <<= 20;
	}
	fclose(f);
	return value;
}

int resets_read(void)
{
	FILE *f = debugfs_open("rings");
	char line[160], *at;
	int n = 0;

	if (!f)
		return -errno;
	while (fgets(line, sizeof(line), f)) {
		at = strstr(line, " resets ");
		if (at)
			n += atoi(at + 8);
	}
	fclose(f);
	return n;
}

bool device_sleeps(void)
{
	char name[32], path[128], state[16];

	if (pci_name(0, name))
		return false;
	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/power/runtime_status", name);
	for (int i = 0; i < 1000; i++) {
		FILE *f = fopen(path, "re");
		bool sleeps = f && fgets(state, sizeof(state), f) && !strcmp(state, "suspended\n");

		if (f)
			fclose(f);
		if (sleeps)
			return true;
		usleep(10000);
	}
	return false;
}

int file_write(const char *path, const char *value)
{
	ssize_t len = (ssize_t)strlen(value), n;
	int fd = open(path, O_WRONLY | O_CLOEXEC), ret = 0;

	if (fd < 0)
		return -errno;
	n = write(fd, value, (size_t)len);
	if (n != len)
		ret = n < 0 ? -errno : -EIO;
	close(fd);
	return ret;
}

int hang_cycles_set(const char *value)
{
	return file_write("/sys/module/eie/parameters/hang_cycles", value);
}

int hold_begin(const struct testcap *cap)
{
	if (hang_cycles_set("4000000000") || pci_write(0, "power/control", "on"))
		return -1;
	return testcap_write(cap, TESTCAP_HOLD, 1);
}

int hold_end(const struct testcap *cap)
{
	/* jobs reach the rings from the scheduler's workers, which say nothing when they have done it */
	usleep(200000);
	return testcap_write(cap, TESTCAP_HOLD, 0) || pci_write(0, "power/control", "auto") ? -1 : 0;
}
