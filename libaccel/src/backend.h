/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/*
 * What a backend that runs command buffers offers (ref, sim, drm). The cpu backend has no table of these: sessions run
 * its kernels straight from the model.
 */
#ifndef ACCEL_BACKEND_H
#define ACCEL_BACKEND_H

#include <accel.h>
#include <eie_hw.h>

/* Parameters of the hardware, from its device tree. */
struct eie_params {
	uint32_t isa_major, isa_minor;
	uint32_t clusters, lanes, rows;
	uint32_t abuf, wbuf, pbuf, rbuf;   /* granules */
	uint32_t queues, tlb, jobs;
	uint32_t bus_bits;
	uint32_t features;                 /* EIE_FEATURE_* */
};

/* A buffer that the device can address. */
struct accel_buffer {
	void *map;           /* host memory */
	size_t size;         /* multiple of 4096 */
	uint64_t va;         /* device address */
	uint32_t handle;     /* the backend's own name for it */
	bool device_writes;
};

/* Buffers that a job may use at the most. */
#define ACCEL_JOB_BUFFERS 8

struct accel_job {
	const struct accel_buffer *const *buffers;   /* [nbuffers]: all that the job uses, commands included */
	unsigned int nbuffers;                 /* at most ACCEL_JOB_BUFFERS */
	const struct accel_buffer *commands;   /* all offsets in bytes */
	uint64_t cmd_offset, restore_offset, bases_offset;
	uint32_t ncmds, nrestore, nbases;
	uint64_t residency;                    /* 0: none */
	uint32_t cycle_limit;                  /* 0: none */
};

struct accel_backend {
	const char *name;
	/* config and options are the rest of the spec after the backend's name ("" when none) */
	int (*open)(const char *options, void **dev, struct accel_error *err);
	void (*close)(void *dev);
	/* blob: the flattened device tree, owned by dev */
	int (*describe)(void *dev, const char **config, const void **blob, size_t *bytes);
	int (*buffer_new)(void *dev, size_t size, bool device_writes, struct accel_buffer *buf, struct accel_error *err);
	void (*buffer_free)(void *dev, struct accel_buffer *buf);
	/*
	 * Gives a buffer to the device (after the CPU wrote, before submit) or to the CPU (after wait): caches are cleaned or
	 * invalidated where the bus is not coherent. NULL: never needed.
	 */
	int (*buffer_owner)(void *dev, const struct accel_buffer *buf, bool device, struct accel_error *err);
	/* Queues a job; *seq identifies it. Jobs of one device run in order. */
	int (*submit)(void *dev, const struct accel_job *job, uint64_t *seq, struct accel_error *err);
	/* 0 and the completion entry (also for failed jobs), or -ETIMEDOUT. Each seq is waited for once. */
	int (*wait)(void *dev, uint64_t seq, int64_t timeout_ns, struct eie_cpl *cpl, struct accel_error *err);
	/* Engine counters (EIE_PERF_*); NULL: out of reach. 0 or -errno */
	int (*counters)(void *dev, uint64_t values[EIE_PERF_COUNTERS]);
};

extern const struct accel_backend accel_backend_ref, accel_backend_sim, accel_backend_drm;

/* Opens accel_backend_ref with the parameters of a device tree, which is copied; config is the name it goes by. */
int accel_ref_open_tree(const char *config, const void *blob, size_t bytes, void **dev, struct accel_error *err);

/* The same with parameters alone; it has no device tree. */
int accel_ref_open_params(const struct eie_params *params, void **dev, struct accel_error *err);

/* hwparams.c: reads and checks a device tree; -EPROTO names what is missing or too new. */
int eie_params_read(const void *blob, size_t bytes, struct eie_params *params, struct accel_error *err);

/*
 * ref.c: the oracle. Runs one job over memory reached by callbacks (device addresses; the callback returns 0, EIE_STATUS_PAGE_FAULT or
 * EIE_STATUS_BUS_ERROR), keeps on-chip state between jobs as the chip does, and fills the completion entry: status, fault address and
 * command, macs, saturated, restored, commands; times and cycles are zero.
 */
struct eie_ref;
struct eie_ref_mem {
	uint32_t (*read)(void *ctx, uint64_t va, void *buf, size_t len);
	uint32_t (*write)(void *ctx, uint64_t va, const void *buf, size_t len);
	void *ctx;
};
typedef void (*eie_ref_observer)(void *arg, const struct eie_ref *ref, const struct eie_cmd *cmd, bool restore, uint32_t index, uint32_t count);
/* Of a device that accel_ref_open_*() opened: who is told of each command before it runs. */
void accel_ref_observe(void *dev, eie_ref_observer observe, void *arg);
int eie_ref_new(const struct eie_params *params, struct eie_ref **ref);
void eie_ref_free(struct eie_ref *ref);
void eie_ref_observe(struct eie_ref *ref, eie_ref_observer observe, void *arg);
void eie_ref_run(struct eie_ref *ref, const struct eie_desc *desc, const struct eie_ref_mem *mem, struct eie_cpl *cpl);

#endif
