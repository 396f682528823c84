/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/*
 * What tests that submit jobs share: an open file with one buffer and a queue of each level, commands that copy, fault or hang,
 * and ioctls. Functions return 0 or -errno.
 */
#ifndef EIE_TEST_JOB_H
#define EIE_TEST_JOB_H

#include <stdbool.h>
#include <stdint.h>

#include <drm/eie_accel.h>

#define CLIENT_BYTES	0x10000u
#define CLIENT_QUEUES	4

/* where a client's buffer has what */
#define CLIENT_CMDS	0x0000u		/* each job's commands: 32 slots of 256 bytes */
#define CLIENT_BASES	0x2000u		/* a table for client_job(), then one of 64 bytes for each slot of client_copy() */
#define CLIENT_IN	0x3000u		/* 256 bytes */
#define CLIENT_OUT	0x4000u		/* 256 bytes a job slot */

struct client {
	int fd;
	uint32_t handle;
	uint64_t dev_addr;
	uint8_t *mem;
	uint32_t queue[CLIENT_QUEUES];	/* of level 0..3 */
};

/* Of the first device: a node's number is not used again while files of an earlier device that had it are open. */
int client_open(struct client *c);
/* Of /dev/accel/accel`index`. */
int client_open_node(struct client *c, unsigned int index);
void client_close(struct client *c);

enum client_job {
	JOB_COPY,	/* 256 bytes through the chip, CLIENT_IN to slot's CLIENT_OUT */
	JOB_EMPTY,	/* no command */
	JOB_HANG,	/* waits for a token that nobody gives */
	JOB_FAULT,	/* loads from an address that is not mapped */
	JOB_BAD,	/* an unknown opcode, as the second command */
};

/* Writes the commands of `kind` into slot 0..31 and fills `job` in, lists excepted. */
void client_job(struct client *c, unsigned int slot, enum client_job kind, struct drm_eie_job *job);
/* As JOB_COPY, from any device address to any other, both aligned to 16 bytes; slot 0..31. */
void client_copy(struct client *c, unsigned int slot, uint64_t from, uint64_t to, struct drm_eie_job *job);
/* Submits one job that client_job() filled in, with the client's buffer in its list; `out_sync` 0: none. It may be submitted again. */
int client_submit_job(struct client *c, unsigned int level, struct drm_eie_job *job, uint32_t out_sync, uint64_t *seqno);
/* Both; no job that is under way may have the slot. */
int client_submit(struct client *c, unsigned int level, unsigned int slot, enum client_job kind, uint32_t out_sync, uint64_t *seqno);
int client_result(struct client *c, unsigned int level, uint64_t seqno, struct drm_eie_result *result);
/* Waits up to `seconds` until no job uses the buffer. */
int client_wait(struct client *c, unsigned int seconds);
/* All of it: submit, wait, result. */
int client_run(struct client *c, unsigned int level, unsigned int slot, enum client_job kind, struct drm_eie_result *result);
/* Has slot's output what CLIENT_IN has? */
bool client_copied(const struct client *c, unsigned int slot);

/* CLOCK_MONOTONIC in nanoseconds, that many milliseconds from now */
int64_t in_milliseconds(int64_t ms);

/* 0: no syncobj could be created */
uint32_t sync_create(int fd);
/* The job's errno: 0, or negative; -EBUSY while it is not signalled. */
int sync_status(int fd, uint32_t handle);
/* The fence of a syncobj as a sync_file, or -errno. */
int sync_export(int fd, uint32_t handle);
int sync_wait(int fd, uint32_t handle, unsigned int seconds);

int call(int fd, unsigned long request, void *args);

#endif
