// SPDX-License-Identifier: GPL-2.0 OR MIT
#include "message.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static void collect_fds(struct msghdr *msg, struct message_fds *fds)
{
	for (struct cmsghdr *c = CMSG_FIRSTHDR(msg); c; c = CMSG_NXTHDR(msg, c)) {
		unsigned int n;

		if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
			continue;
		n = (unsigned int)((c->cmsg_len - CMSG_LEN(0)) / sizeof(int));
		/* the control buffer has room for no more */
		memcpy(fds->fd, CMSG_DATA(c), n * sizeof(int));
		fds->n = n;
	}
}

int message_receive(int sock, void *buf, size_t len, struct message_fds *fds)
{
	struct message_fds none;
	struct message_fds *list = fds ? fds : &none;
	char *at = buf;
	int ret = 0;

	list->n = 0;
	while (len) {
		union {
			struct cmsghdr align;
			char bytes[CMSG_SPACE(sizeof(int) * MESSAGE_FDS)];
		} control;
		struct iovec iov = { .iov_base = at, .iov_len = len };
		struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };
		ssize_t n;

		if (!list->n) {
			msg.msg_control = control.bytes;
			msg.msg_controllen = sizeof(control.bytes);
		}
		n = recvmsg(sock, &msg, MSG_CMSG_CLOEXEC);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0) {
			ret = n ? -errno : -ECONNRESET;
			break;
		}
		if (msg.msg_controllen && !list->n)
			collect_fds(&msg, list);
		if (msg.msg_flags & MSG_CTRUNC) {
			ret = -EMSGSIZE;
			break;
		}
		at += n;
		len -= (size_t)n;
	}
	if (ret || !fds)
		message_close_fds(list);
	return ret;
}

int message_send(int sock, const void *buf, size_t len)
{
	const char *at = buf;

	while (len) {
		ssize_t n = send(sock, at, len, MSG_NOSIGNAL);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		at += n;
		len -= (size_t)n;
	}
	return 0;
}

int message_take_fd(struct message_fds *fds, unsigned int i)
{
	int fd;

	if (i >= fds->n)
		return -1;
	fd = fds->fd[i];
	fds->fd[i] = -1;
	return fd;
}

void message_close_fds(struct message_fds *fds)
{
	for (unsigned int i = 0; i < fds->n; i++) {
		if (fds->fd[i] >= 0)
			close(fds->fd[i]);
	}
	fds->n = 0;
}

int message_listen(const char *path)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	int sock;

	if (strlen(path) >= sizeof(addr.sun_path))
		return -ENAMETOOLONG;
	strcpy(addr.sun_path, path);
	unlink(path);
	sock = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (sock < 0)
		return -errno;
	if (bind(sock, (struct sockaddr *)&addr, sizeof(addr)) || listen(sock, 1)) {
		int ret = -errno;

		close(sock);
		return ret;
	}
	return sock;
}
