// SPDX-License-Identifier: GPL-2.0 OR MIT
#include "file.h"
#include "model.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#define READ_STEP  65536
#define READ_LIMIT ((size_t)1 << 36)
#define NAME_TRIES 16

/* Reads to the end; size_hint is what the file is expected to hold. */
static int read_all(int fd, size_t size_hint, void **data, size_t *size)
{
	size_t room = size_hint + 1, used = 0;   /* one more: the end is seen without growing */
	char *buf = malloc(room);

	while (buf) {
		ssize_t n = read(fd, buf + used, room - used);
		int ret = -errno;

		if (n < 0 && ret == -EINTR)
			continue;
		if (n < 0) {
			free(buf);
			return ret;
		}
		if (!n) {
			*data = buf;
			*size = used;
			return 0;
		}
		used += (size_t)n;
		if (used == room) {
			char *bigger;

			if (room >= READ_LIMIT) {
				free(buf);
				return -EFBIG;
			}
			room += room < READ_STEP ? READ_STEP : room;
			bigger = realloc(buf, room);
			if (!bigger)
				free(buf);
			buf = bigger;
		}
	}
	return -ENOMEM;
}

int accel_file_read(const char *path, void **data, size_t *size, struct accel_error *err)
{
	struct stat st;
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	int ret;

	if (fd < 0) {
		ret = -errno;
		return accel_fail(err, ret, NULL, "%s: %s", path, strerror(-ret));
	}
	if (fstat(fd, &st))
		ret = -errno;
	else if (S_ISREG(st.st_mode) && (uint64_t)st.st_size > READ_LIMIT)
		ret = -EFBIG;
	else
		ret = read_all(fd, S_ISREG(st.st_mode) ? (size_t)st.st_size : READ_STEP, data, size);
	close(fd);
	return ret ? accel_fail(err, ret, NULL, "%s: %s", path, strerror(-ret)) : 0;
}

static int write_all(int fd, const char *data, size_t size)
{
	while (size) {
		ssize_t n = write(fd, data, size);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		data += n;
		size -= (size_t)n;
	}
	return 0;
}

/* Writes, flushes and closes fd whatever happens. Devices and pipes cannot be flushed. */
static int write_close(int fd, const void *data, size_t size, bool flush)
{
	int ret = write_all(fd, data, size);

	if (!ret && flush && fsync(fd))
		ret = -errno;
	if (close(fd) && !ret)
		ret = -errno;
	return ret;
}

/* Creates a file beside path; *name is the caller's. Unlike mkstemp the umask decides on the mode. */
static int create_beside(const char *path, char **name)
{
	const char *slash = strrchr(path, '/');
	int dir = slash ? (int)(slash - path) + 1 : 0;

	for (int try = 0; try < NAME_TRIES; try++) {
		uint64_t random;
		int fd;

		if (getrandom(&random, sizeof(random), 0) != sizeof(random))
			return -errno;
		/* not derived from path's last part: that one may be as long as names can be */
		if (asprintf(name, "%.*s.accel-%016llx.tmp", dir, path, (unsigned long long)random) < 0)
			return -ENOMEM;
		fd = open(*name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
		if (fd >= 0)
			return fd;
		fd = -errno;
		free(*name);
		if (fd != -EEXIST)
			return fd;
	}
	return -EEXIST;
}

static int replace(const char *path, const void *data, size_t size)
{
	char *name;
	int fd = create_beside(path, &name);
	int ret;

	if (fd < 0)
		return fd;
	ret = write_close(fd, data, size, true);
	if (!ret && rename(name, path))
		ret = -errno;
	if (ret)
		unlink(name);
	free(name);
	return ret;
}

int accel_file_write(const char *path, const void *data, size_t size, struct accel_error *err)
{
	struct stat st;
	int ret;

	if (stat(path, &st)) {
		ret = errno == ENOENT ? replace(path, data, size) : -errno;
	} else if (S_ISREG(st.st_mode)) {
		/* a symbolic link stays one: its target is replaced */
		char *target = realpath(path, NULL);

		ret = target ? replace(target, data, size) : -errno;
		free(target);
	} else {
		int fd = open(path, O_WRONLY | O_CLOEXEC);

		ret = fd < 0 ? -errno : write_close(fd, data, size, false);
	}
	return ret ? accel_fail(err, ret, NULL, "%s: cannot write: %s", path, strerror(-ret)) : 0;
}
