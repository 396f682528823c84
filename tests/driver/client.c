// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * The smallest useful client of the driver: ioctls only, one job, one tiny layer. Written to be read beside docs/uapi.md and
 * docs/programmers_guide.md. Usage: client [/dev/accel/accelN]; prints one TAP result.
 *
 * The layer: row j of every cluster holds one weight, in column j: y[j] = bias[j] + 10 * (j + 1) * x[j], j = 0..7.
 */
#include <err.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include <libfdt.h>

#include <drm/eie_accel.h>
#include "eie_hw.h"

/* Field F of a command; command c is a local variable. */
#define SET(field, value) (c[EIE_CMD_##field##_DW] |= (__u32)(value) << EIE_CMD_##field##_SHIFT)

/* where things are in the one buffer; base 0 is its start */
enum { CMDS = 0, BASES = 0x200, X = 0x300, WEIGHTS = 0x310, POINTERS = 0x320, PARAMS = 0x340, CODEBOOK = 0x380, Y = 0x400, BYTES = 0x1000 };

static int fd;

static void call(unsigned long request, void *args, const char *name)
{
	if (ioctl(fd, request, args))
		err(1, "%s", name);
}

/* Clusters of the array, from the device tree that the hardware carries. */
static unsigned int clusters(void)
{
	static char dt[EIE_DT_BYTES_MAX];
	struct drm_eie_query query = { .topic = DRM_EIE_QUERY_DEVICE_TREE, .size = sizeof(dt), .ptr = (__u64)(unsigned long)dt };
	const fdt32_t *prop;
	int len;

	call(DRM_IOCTL_EIE_QUERY, &query, "DRM_IOCTL_EIE_QUERY");
	if (query.size > sizeof(dt) || fdt_check_header(dt) || fdt_totalsize(dt) > query.size)
		errx(1, "the device tree is broken");
	prop = fdt_getprop(dt, 0, "eie,clusters", &len);
	if (!prop || len != sizeof(*prop))
		errx(1, "the device tree has no eie,clusters");
	return fdt32_ld(prop);
}

/* A LOAD or STORE of `len` granules a row between memory and a buffer; the cluster buffers get `rows` copies. */
static __u32 *xfer(__u32 *c, unsigned int op, unsigned int buf, unsigned int offset, unsigned int addr, unsigned int len,
		   unsigned int rows)
{
	SET(OPCODE, op);
	SET(XFER_TARGET, buf);
	SET(XFER_OFFSET, offset);
	SET(XFER_ADDR, addr);
	SET(XFER_LEN, len);
	SET(XFER_ROWS, rows);
	return c;
}

static unsigned int put_commands(__u32 (*cmd)[8], unsigned int k)
{
	unsigned int n = 0;
	__u32 *c;

	xfer(cmd[n++], EIE_OP_LOAD, EIE_BUF_ABUF, X, 0, 1, 1);
	xfer(cmd[n++], EIE_OP_LOAD, EIE_BUF_WBUF, WEIGHTS, 0, 1, k);
	xfer(cmd[n++], EIE_OP_LOAD, EIE_BUF_PBUF, POINTERS, 0, 2, k);
	xfer(cmd[n++], EIE_OP_LOAD, EIE_BUF_RBUF, PARAMS, 0, 4, k);
	c = xfer(cmd[n++], EIE_OP_LOAD, EIE_BUF_CBUF, CODEBOOK, 0, 2, 1);
	SET(SIGNAL_NEXT, 1);	/* loads complete in order: all of them are there */

	c = cmd[n++];
	SET(OPCODE, EIE_OP_MAC);
	SET(WAIT_PREV, 1);
	SET(MAC_LEN, 1);	/* one granule: 8 columns, from granule 0 of every buffer */

	c = cmd[n++];
	SET(OPCODE, EIE_OP_DRAIN);
	SET(SIGNAL_NEXT, 1);
	SET(DRAIN_OUT, 16);	/* a multiple of any number of clusters */
	SET(DRAIN_STRIDE, 16);
	SET(DRAIN_STEPS, 1);
	SET(DRAIN_LO, (__u16)-32767);
	SET(DRAIN_HI, 32767);

	c = xfer(cmd[n++], EIE_OP_STORE, EIE_BUF_ABUF, Y, 16, k, 1);
	SET(WAIT_PREV, 1);
	return n;
}

static int bias(int row)
{
	return 100 - 7 * row;
}

static void put_data(char *mem, __u64 dev_addr)
{
	__s16 *x = (__s16 *)(mem + X), *codebook = (__s16 *)(mem + CODEBOOK);
	__u32 *pointers = (__u32 *)(mem + POINTERS);

	*(__u64 *)(mem + BASES) = dev_addr;
	for (int j = 0; j < 8; j++) {
		x[j] = (__s16)(5 * j - 11);
		mem[WEIGHTS + j] = (char)((j + 1) | j << 4);			/* code j + 1, skip j rows */
		pointers[j] = (__u32)j | 1u << EIE_PTR_START_BITS;		/* entry j, one entry */
		*(__s32 *)(mem + PARAMS + 8 * j) = bias(j);
		*(__u16 *)(mem + PARAMS + 8 * j + 4) = 2;			/* (acc * 2 + 1) >> 1: no scaling */
		mem[PARAMS + 8 * j + 6] = 1;
	}
	for (int i = 1; i < 16; i++)
		codebook[i] = (__s16)(10 * i);
}

static int wrong_outputs(const char *mem, unsigned int k)
{
	const __s16 *x = (const __s16 *)(mem + X), *y = (const __s16 *)(mem + Y);
	int wrong = 0;

	for (unsigned int i = 0; i < 8 * k; i++) {
		int j = i % 8, want = bias(j) + 10 * (j + 1) * x[j];

		if (y[i] != want) {
			printf("# output %u is %d, not %d\n", i, y[i], want);
			wrong++;
		}
	}
	return wrong;
}

int main(int argc, char **argv)
{
	const char *path = argc > 1 ? argv[1] : "/dev/accel/accel0";
	struct drm_eie_bo_create bo = { .size = BYTES };
	struct drm_eie_queue_create queue = { .priority = 3 };
	struct drm_eie_bo_ref ref = { .access = DRM_EIE_ACCESS_READ | DRM_EIE_ACCESS_WRITE };
	struct drm_eie_job job = { .bos = { sizeof(ref), 1, (__u64)(unsigned long)&ref } };
	struct drm_eie_submit submit = { .jobs = { sizeof(job), 1, (__u64)(unsigned long)&job } };
	struct drm_eie_bo_prep prep = { .access = DRM_EIE_ACCESS_READ };
	struct drm_eie_bo_fini fini = { .access = DRM_EIE_ACCESS_READ };
	struct drm_eie_result result = { 0 };
	struct timespec now;
	unsigned int k;
	char *mem;
	int bad;

	printf("TAP version 13\n1..1\n");
	fd = open(path, O_RDWR | O_CLOEXEC);
	if (fd < 0)
		err(1, "%s", path);
	k = clusters();

	call(DRM_IOCTL_EIE_BO_CREATE, &bo, "DRM_IOCTL_EIE_BO_CREATE");
	mem = mmap(NULL, bo.size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, (off_t)bo.mmap_offset);
	if (mem == MAP_FAILED)
		err(1, "mmap");
	prep.handle = fini.handle = ref.handle = bo.handle;
	put_data(mem, bo.dev_addr);
	job.ncmds = put_commands((__u32 (*)[8])(mem + CMDS), k);
	job.cmds = bo.dev_addr + CMDS;
	job.bases = bo.dev_addr + BASES;
	job.nbases = 1;
	fini.access = DRM_EIE_ACCESS_WRITE;
	call(DRM_IOCTL_EIE_BO_FINI, &fini, "DRM_IOCTL_EIE_BO_FINI");

	call(DRM_IOCTL_EIE_QUEUE_CREATE, &queue, "DRM_IOCTL_EIE_QUEUE_CREATE");
	submit.queue = queue.queue;
	call(DRM_IOCTL_EIE_SUBMIT, &submit, "DRM_IOCTL_EIE_SUBMIT");

	clock_gettime(CLOCK_MONOTONIC, &now);
	prep.timeout_ns = (now.tv_sec + 30) * 1000000000ll;
	call(DRM_IOCTL_EIE_BO_PREP, &prep, "DRM_IOCTL_EIE_BO_PREP");
	result.queue = queue.queue;
	result.seqno = submit.seqno;
	call(DRM_IOCTL_EIE_RESULT, &result, "DRM_IOCTL_EIE_RESULT");
	bad = result.status != EIE_STATUS_OK || result.macs != 8 * k || wrong_outputs(mem, k);
	printf("# status %u, %u cycles, %llu multiply-accumulates\n", result.status, result.cycles, (unsigned long long)result.macs);
	printf("%s 1 one job, its outputs and its result\n", bad ? "not ok" : "ok");
	return bad;
}
