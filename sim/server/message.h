/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/* Messages with file descriptors over a stream socket, as vfio-user and vhost-user send them. */
#ifndef EIE_SERVER_MESSAGE_H
#define EIE_SERVER_MESSAGE_H

#include <stddef.h>

#define MESSAGE_FDS 16

struct message_fds {
	int fd[MESSAGE_FDS];	/* -1: taken */
	unsigned int n;
};

/*
 * Receives exactly `len` bytes, and the descriptors that came with the first of them (more than MESSAGE_FDS is an error).
 * 0; -ECONNRESET: the other side closed; or another negative errno. fds may be NULL: none are expected; any are closed.
 */
int message_receive(int sock, void *buf, size_t len, struct message_fds *fds);
int message_send(int sock, const void *buf, size_t len);
/* Takes descriptor i out of the list, for the caller to close; -1: there is none. */
int message_take_fd(struct message_fds *fds, unsigned int i);
void message_close_fds(struct message_fds *fds);

/* Listening Unix socket at `path` (a stale one there is removed), or a negative errno (-ENAMETOOLONG). */
int message_listen(const char *path);

#endif
