// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * What a hostile virtual machine may send, under libFuzzer. The first byte of the input chooses:
 *   even  the rest is a vfio-user byte stream
 *   odd   bit 1 clear: the rest is a vhost-user byte stream; set: it is the guest's memory with its rings, and a kick
 */
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "message.h"
#include "transport.h"

#define RAM_BYTES	0x10000u
#define RING_NUM	16u

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct function f;
static int ram_fd;

/* Reads away the answers: a full socket would block the device. */
static void *drain(void *arg)
{
	char buf[65536];

	while (read(*(int *)arg, buf, sizeof(buf)) > 0)
		;
	return NULL;
}

static void send_vhost(int sock, uint32_t request, const void *payload, uint32_t len, int fd)
{
	uint32_t header[3] = { request, 1, len };
	union {
		struct cmsghdr header;
		char bytes[CMSG_SPACE(sizeof(int))];
	} control;
	struct iovec iov[2] = { { header, sizeof(header) }, { (void *)payload, len } };
	struct msghdr msg = { .msg_iov = iov, .msg_iovlen = 2 };

	memset(&control, 0, sizeof(control));
	if (fd >= 0) {
		msg.msg_control = control.bytes;
		msg.msg_controllen = sizeof(control.bytes);
		control.header = (struct cmsghdr){ .cmsg_len = CMSG_LEN(sizeof(int)), .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS };
		memcpy(CMSG_DATA(&control.header), &fd, sizeof(fd));
	}
	if (sendmsg(sock, &msg, MSG_NOSIGNAL) < 0)
		abort();
}

/* Memory and two rings in it, as virtio_uml sets them up. The input is the memory. */
static void set_up_rings(int sock, int kick)
{
	const uint64_t mem[] = { 1, 0, RAM_BYTES, 0, 0 };

	send_vhost(sock, 5, mem, sizeof(mem), ram_fd);
	for (uint32_t i = 0; i < 2; i++) {
		const uint32_t num[] = { i, RING_NUM };
		const uint64_t addr[] = { i, i * 0x400, i * 0x400 + 0x200, i * 0x400 + 0x100, 0 };
		const uint64_t index = i;

		send_vhost(sock, 8, num, sizeof(num), -1);
		send_vhost(sock, 9, addr, sizeof(addr), -1);
		send_vhost(sock, 12, &index, sizeof(index), kick);
	}
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	const struct eie_sim_params params = { .config = "2x2" };

	(void)argc;
	(void)argv;
	ram_fd = memfd_create("ram", MFD_CLOEXEC);
	if (ram_fd < 0 || ftruncate(ram_fd, RAM_BYTES) || function_create(&f, &params))
		abort();
	/* refused messages are told on stderr */
	if (!freopen("/dev/null", "w", stdout))
		abort();
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct transport *transport;
	int sock[2], kick;
	pthread_t thread;
	uint64_t one = 1;
	void *ctx;

	if (!size || size > RAM_BYTES || socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sock))
		return 0;
	transport = data[0] & 1 ? &transport_pcidev : &transport_vfio_user;
	kick = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	function_reset(&f);
	ctx = transport->open(&f, sock[0]);
	if (!ctx || kick < 0 || pthread_create(&thread, NULL, drain, &sock[1]))
		abort();
	if ((data[0] & 3) == 3) {
		set_up_rings(sock[1], kick);
		if (pwrite(ram_fd, data + 1, size - 1, 0) < 0 || write(kick, &one, sizeof(one)) < 0)
			abort();
	} else if (send(sock[1], data + 1, size - 1, MSG_NOSIGNAL | MSG_DONTWAIT) < 0) {
		size = 0;	/* more than the socket holds: the stream ends at once */
	}
	shutdown(sock[1], SHUT_WR);
	for (int ret = 0; !ret;) {
		struct pollfd fds[TRANSPORT_FDS];
		unsigned int n = transport->pollfds(ctx, fds);
		uint64_t due;

		if (poll(fds, n, 0) < 0)
			abort();
		ret = transport->serve(ctx, fds);
		due = function_run(&f);
		for (unsigned int v = 0; v < f.engine.nvectors; v++) {
			if (due >> v & 1)
				transport->interrupt(ctx, v);
		}
	}
	transport->close(ctx);
	close(sock[0]);
	pthread_join(thread, NULL);
	close(sock[1]);
	close(kick);
	memory_unmap_all(&f.mem);
	if (ftruncate(ram_fd, 0) || ftruncate(ram_fd, RAM_BYTES))
		abort();
	return 0;
}
