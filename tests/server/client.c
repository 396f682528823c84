// SPDX-License-Identifier: GPL-2.0 OR MIT
#include "client.h"

#include <errno.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>
#include <linux/vfio.h>

struct header {
	uint16_t id, command;
	uint32_t size, flags, error;
};

void client_start(struct client *c, const char *program)
{
	static const char version[] = "\0\0\1\0{\"capabilities\":{}}";
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	static unsigned int counter;

	memset(c, 0, sizeof(*c));
	snprintf(c->path, sizeof(c->path), "/tmp/eie-test-%d-%u.sock", getpid(), counter++);
	c->pid = fork();
	assert_true(c->pid >= 0);
	if (!c->pid) {
		execl(program, program, "--transport", "vfio-user", "--config", "2x2", c->path, NULL);
		perror(program);
		_exit(127);
	}
	strcpy(addr.sun_path, c->path);
	c->sock = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	for (int i = 0; connect(c->sock, (struct sockaddr *)&addr, sizeof(addr)); i++) {
		assert_true(i < 1000);
		usleep(10000);
	}
	assert_int_equal(client_call(c, VFU_VERSION, version, sizeof(version), -1), 0);
}

int client_stop(struct client *c)
{
	int status;

	close(c->sock);
	assert_int_equal(waitpid(c->pid, &status, 0), c->pid);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

void client_send(struct client *c, uint16_t command, uint32_t size, uint32_t flags, const void *payload, size_t len, int fd)
{
	struct header h = { .id = ++c->id, .command = command, .size = size, .flags = flags };
	union {
		struct cmsghdr header;
		char bytes[CMSG_SPACE(sizeof(int))];
	} control;
	struct iovec iov[2] = { { &h, sizeof(h) }, { (void *)payload, len } };
	struct msghdr msg = { .msg_iov = iov, .msg_iovlen = 2 };

	memset(&control, 0, sizeof(control));
	if (fd >= 0) {
		msg.msg_control = control.bytes;
		msg.msg_controllen = sizeof(control.bytes);
		control.header = (struct cmsghdr){ .cmsg_len = CMSG_LEN(sizeof(int)), .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS };
		memcpy(CMSG_DATA(&control.header), &fd, sizeof(fd));
	}
	assert_int_equal(sendmsg(c->sock, &msg, MSG_NOSIGNAL), sizeof(h) + len);
}

static void receive(struct client *c, void *buf, size_t len)
{
	if (len)
		assert_int_equal(recv(c->sock, buf, len, MSG_WAITALL), len);
}

int client_call(struct client *c, uint16_t command, const void *payload, size_t len, int fd)
{
	struct header h;

	client_send(c, command, (uint32_t)(sizeof(h) + len), 0, payload, len, fd);
	receive(c, &h, sizeof(h));
	assert_int_equal(h.id, c->id);
	assert_int_equal(h.command, command);
	assert_int_equal(h.flags & 0xf, 1);
	assert_in_range(h.size, sizeof(h), sizeof(h) + sizeof(c->answer));
	c->answer_len = h.size - sizeof(h);
	receive(c, c->answer, c->answer_len);
	assert_int_equal(!!(h.flags & 0x20), h.error != 0);
	return (int)h.error;
}

int client_closed(struct client *c)
{
	char byte;

	return recv(c->sock, &byte, 1, 0) <= 0;
}

struct access {
	uint64_t offset;
	uint32_t region, count;
	uint32_t value;
} __attribute__((packed));

uint32_t client_read(struct client *c, uint32_t region, uint64_t offset, uint32_t len)
{
	struct access a = { .offset = offset, .region = region, .count = len };
	uint32_t value = 0;

	assert_int_equal(client_call(c, VFU_REGION_READ, &a, 16, -1), 0);
	assert_int_equal(c->answer_len, 16 + len);
	memcpy(&value, c->answer + 16, len);
	return value;
}

void client_write(struct client *c, uint32_t region, uint64_t offset, uint32_t value, uint32_t len)
{
	struct access a = { .offset = offset, .region = region, .count = len, .value = value };

	assert_int_equal(client_call(c, VFU_REGION_WRITE, &a, 16 + len, -1), 0);
}

int client_map(struct client *c, uint64_t addr, uint64_t size, int fd, uint64_t offset)
{
	struct {
		uint32_t argsz, flags;
		uint64_t offset, addr, size;
	} map = { 32, 3, offset, addr, size };

	return client_call(c, VFU_DMA_MAP, &map, sizeof(map), fd);
}

int client_eventfd(struct client *c, uint32_t vector, uint32_t count, int fd)
{
	struct vfio_irq_set set = {
		.argsz = sizeof(set),
		.flags = VFIO_IRQ_SET_DATA_EVENTFD | VFIO_IRQ_SET_ACTION_TRIGGER,
		.index = VFIO_PCI_MSIX_IRQ_INDEX,
		.start = vector,
		.count = count,
	};

	return client_call(c, VFU_SET_IRQS, &set, sizeof(set), fd);
}
