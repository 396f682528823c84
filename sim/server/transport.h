/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/* How a virtual machine reaches the function: one protocol over one connected Unix socket. */
#ifndef EIE_SERVER_TRANSPORT_H
#define EIE_SERVER_TRANSPORT_H

#include <poll.h>
#include <stdbool.h>

#include "function.h"

#define TRANSPORT_FDS 4

struct transport {
	const char *name;
	/* State of a new connection over `sock`, which stays the caller's; NULL: out of memory. */
	void *(*open)(struct function *f, int sock);
	void (*close)(void *ctx);
	/* Fills what to poll for, at most TRANSPORT_FDS; returns how many. */
	unsigned int (*pollfds)(void *ctx, struct pollfd *fds);
	/*
	 * Serves what is ready. 0; -ECONNRESET: the virtual machine closed the connection; another negative errno: it broke
	 * the protocol or the connection failed (told on stderr), and the connection is of no further use.
	 */
	int (*serve)(void *ctx, const struct pollfd *fds);
	/* Sends the message of a vector, or sees to it that it is sent when that becomes possible. */
	void (*interrupt)(void *ctx, unsigned int vector);
};

extern const struct transport transport_vfio_user;	/* QEMU's vfio-user-pci */
extern const struct transport transport_pcidev;		/* virtio-pcidev over vhost-user: user-mode Linux */

#endif
