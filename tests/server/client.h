/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/* A small vfio-user client: starts eie-device and is its virtual machine. Failures of the transport end the test. */
#ifndef EIE_TEST_CLIENT_H
#define EIE_TEST_CLIENT_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define CONFIG_REGION 7

enum {
	VFU_VERSION = 1, VFU_DMA_MAP = 2, VFU_DMA_UNMAP = 3, VFU_GET_INFO = 4, VFU_GET_REGION_INFO = 5, VFU_GET_IRQ_INFO = 7,
	VFU_SET_IRQS = 8, VFU_REGION_READ = 9, VFU_REGION_WRITE = 10, VFU_RESET = 13,
};

struct client {
	pid_t pid;
	int sock;
	uint16_t id;
	char path[64];
	uint8_t answer[70000];
	size_t answer_len;
};

/* Starts `program` (eie-device), configuration 2x2, connects to it and agrees on the version. */
void client_start(struct client *c, const char *program);
/* Closes the connection; returns the exit status of the device process. */
int client_stop(struct client *c);

/* Sends a message of any header; `fd` of -1: none. */
void client_send(struct client *c, uint16_t command, uint32_t size, uint32_t flags, const void *payload, size_t len, int fd);
/* A command with a reply: its error number, 0 for none; the payload is in c->answer. */
int client_call(struct client *c, uint16_t command, const void *payload, size_t len, int fd);
/* 1 when the device has closed the connection. */
int client_closed(struct client *c);

uint32_t client_read(struct client *c, uint32_t region, uint64_t offset, uint32_t len);
void client_write(struct client *c, uint32_t region, uint64_t offset, uint32_t value, uint32_t len);
int client_map(struct client *c, uint64_t addr, uint64_t size, int fd, uint64_t offset);
int client_eventfd(struct client *c, uint32_t vector, uint32_t count, int fd);

#endif
