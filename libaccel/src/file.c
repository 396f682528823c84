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

/* Devices and pipes cannot be flushed. */
static int write_out(int fd, const void *data, size_t size, bool flush)
{
	int ret = write_all(fd, data, size);

	if (!ret && flush && fsync(fd))
		ret = -errno;
	return ret;
}

/* The folder of path, with its slash; "" for the present one. */
static int folder_length(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? (int)(slash - path) + 1 : 0;
}

/*
 * Gives make(arg, name) names beside path until it does not say that one is taken. *name is the caller's, also its file, after a success.
 * Names are not derived from path's last part: that one may be as long as names can be.
 */
static int with_name(const char *path, int (*make)(int arg, const char *name), int arg, char **name)
{
	for (int try = 0; try < NAME_TRIES; try++) {
		uint64_t random;
		int ret;

		if (getrandom(&random, sizeof(random), 0) != sizeof(random))
			return -errno;
		if (asprintf(name, "%.*s.accel-%016llx.tmp", folder_length(path), path, (unsigned long long)random) < 0)
			return -ENOMEM;
		ret = make(arg, *name);
		if (ret >= 0)
			return ret;
		free(*name);
		if (ret != -EEXIST)
			return ret;
	}
	return -EEXIST;
}

/* Unlike mkstemp the umask decides on the mode. */
static int create(int arg, const char *name)
{
	int fd = open(name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);

	(void)arg;
	return fd >= 0 ? fd : -errno;
}

static int give_name(int fd, const char *name)
{
	char self[32];

	snprintf(self, sizeof(self), "/proc/self/fd/%d", fd);
	return linkat(AT_FDCWD, self, AT_FDCWD, name, AT_SYMLINK_FOLLOW) ? -errno : 0;
}

/* A file without a name, which is gone when the process is, even killed. Not all file systems have such. */
static int create_nameless(const char *path)
{
	char *folder;
	int fd;

	if (asprintf(&folder, "%.*s.", folder_length(path), path) < 0)
		return -ENOMEM;
	fd = open(folder, O_WRONLY | O_TMPFILE | O_CLOEXEC, 0666);
	fd = fd >= 0 ? fd : -errno;
	free(folder);
	return fd;
}

/* The file gets a name only when all of it is there; -ENOTSUP when that cannot be. */
static int replace_nameless(const char *path, const void *data, size_t size, char **name)
{
	int fd = create_nameless(path), ret;

	if (fd < 0)
		return fd == -EOPNOTSUPP || fd == -EISDIR || fd == -EINVAL ? -ENOTSUP : fd;
	ret = write_out(fd, data, size, true);
	if (!ret)
		ret = with_name(path, give_name, fd, name);
	/* no /proc */
	if (ret == -ENOENT)
		ret = -ENOTSUP;
	if (close(fd) && !ret) {
		ret = -errno;
		unlink(*name);
		free(*name);
	}
	return ret;
}

static int replace_named(const char *path, const void *data, size_t size, char **name)
{
	int fd = with_name(path, create, 0, name), ret;

	if (fd < 0)
		return fd;
	ret = write_out(fd, data, size, true);
	if (close(fd) && !ret)
		ret = -errno;
	if (ret) {
		unlink(*name);
		free(*name);
	}
	return ret;
}

static int replace(const char *path, const void *data, size_t size)
{
	char *name;
	int ret = replace_nameless(path, data, size, &name);

	if (ret == -ENOTSUP)
		ret = replace_named(path, data, size, &name);
	if (ret)
		return ret;
	if (rename(name, path)) {
		ret = -errno;
		unlink(name);
	}
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

		ret = fd < 0 ? -errno : write_out(fd, data, size, false);
		if (fd >= 0 && close(fd) && !ret)
			ret = -errno;
	}
	return ret ? accel_fail(err, ret, NULL, "%s: cannot write: %s", path, strerror(-ret)) : 0;
}
