// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Processes cannot reach each other through the device. One computes random programs and holds every byte of the results against
 * the library's interpreter; another one runs broken, mutated and made-up command buffers, with addresses of the first, and must
 * never see the marker that the first leaves in memory and on the chip. Environment: EIE_JOBS (2000), EIE_SEED (1).
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "backend.h"
#include "frame.h"
#include "job.h"
#include "kselftest_harness.h"
#include "random_job.h"
#include "usage.h"

#define MARKER		0x5ec4e75ec4e75ec4ull
#define MEM_BYTES	(128u * 1024)	/* memory of a random program */
#define CMD_BYTES	(512u * 32)
#define BO_BYTES	(MEM_BYTES + CMD_BYTES + 4096)
#define BATCH		8u		/* hostile jobs of a call */
#define HOSTILE_CMDS	48u

/* A process's open file and a buffer that has a program's memory, its commands and base tables. */
struct party {
	struct client c;
	struct drm_eie_bo_create bo;
	uint8_t *mem;
	struct eie_cmd *cmds;
	uint64_t *bases;
	struct eie_params params;
};

static int party_open(struct party *p)
{
	static char dt[EIE_DT_BYTES_MAX];
	struct drm_eie_query query = { DRM_EIE_QUERY_DEVICE_TREE, sizeof(dt), (uintptr_t)dt };
	int ret = client_open(&p->c);

	p->bo = (struct drm_eie_bo_create){ .size = BO_BYTES };
	if (!ret)
		ret = call(p->c.fd, DRM_IOCTL_EIE_QUERY, &query);
	if (!ret)
		ret = eie_params_read(dt, query.size, &p->params, NULL);
	if (!ret)
		ret = call(p->c.fd, DRM_IOCTL_EIE_BO_CREATE, &p->bo);
	if (ret)
		return ret;
	p->mem = mmap(NULL, BO_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, p->c.fd, (off_t)p->bo.mmap_offset);
	if (p->mem == MAP_FAILED)
		return -errno;
	p->cmds = (struct eie_cmd *)(p->mem + MEM_BYTES);
	p->bases = (uint64_t *)(p->mem + MEM_BYTES + CMD_BYTES);
	return 0;
}

static void party_close(struct party *p)
{
	munmap(p->mem, BO_BYTES);
	client_close(&p->c);
}

/* Submits jobs with the party's buffer in their lists and waits for them; *seqno is the last one's. */
static int party_run(struct party *p, unsigned int level, struct drm_eie_job *jobs, uint32_t count, uint64_t *seqno)
{
	struct drm_eie_bo_ref ref = { p->bo.handle, DRM_EIE_ACCESS_READ | DRM_EIE_ACCESS_WRITE };
	struct drm_eie_bo_wait wait = { .handle = p->bo.handle, .timeout_ns = in_milliseconds(120000) };
	struct drm_eie_submit submit = { .queue = p->c.queue[level], .jobs = { sizeof(*jobs), count, (uintptr_t)jobs } };
	int ret;

	for (uint32_t i = 0; i < count; i++)
		jobs[i].bos = (struct drm_eie_array){ sizeof(ref), 1, (uintptr_t)&ref };
	ret = call(p->c.fd, DRM_IOCTL_EIE_SUBMIT, &submit);
	*seqno = submit.seqno;
	return ret ? ret : call(p->c.fd, DRM_IOCTL_EIE_BO_WAIT, &wait);
}

/* ---- the victim's results */

static uint32_t ref_read(void *ctx, uint64_t va, void *buf, size_t len)
{
	const uint8_t *image = ctx;

	if (va > BO_BYTES - len)
		return EIE_STATUS_PAGE_FAULT;
	memcpy(buf, image + va, len);
	return EIE_STATUS_OK;
}

static uint32_t ref_write(void *ctx, uint64_t va, const void *buf, size_t len)
{
	uint8_t *image = ctx;

	if (va > BO_BYTES - len)
		return EIE_STATUS_PAGE_FAULT;
	memcpy(image + va, buf, len);
	return EIE_STATUS_OK;
}

/* One random program on the device and on the interpreter: 0 when memory is the same to the bit. */
static int victim_job(struct party *p, struct eie_ref *ref, struct random_job *j, struct rng *r, uint8_t *image)
{
	const struct eie_ref_mem ops = { ref_read, ref_write, image };
	struct eie_desc desc = { .asid = 1, .nbases = 1, .bases = MEM_BYTES + CMD_BYTES, .cmds = MEM_BYTES };
	struct drm_eie_job job = { .cmds = p->bo.dev_addr + MEM_BYTES, .bases = p->bo.dev_addr + MEM_BYTES + CMD_BYTES, .nbases = 1 };
	struct drm_eie_result result;
	struct eie_cpl cpl;
	uint64_t seqno, marker = MARKER;

	random_job_make(j, r, false);
	desc.ncmds = job.ncmds = j->pg.n;
	memcpy(p->mem, j->mem, MEM_BYTES);
	memcpy(p->cmds, j->pg.cmds, j->pg.n * sizeof(struct eie_cmd));
	/* what the program does not use: it loads some of it as well, to order its commands */
	for (uint64_t at = (j->used + 1) * EIE_GRANULE_BYTES; at + 8 <= MEM_BYTES; at += 8)
		memcpy(p->mem + at, &marker, 8);
	p->bases[0] = 0;
	memcpy(image, p->mem, BO_BYTES);
	eie_ref_run(ref, &desc, &ops, &cpl);
	p->bases[0] = p->bo.dev_addr;
	if (cpl.status != EIE_STATUS_OK || party_run(p, 2, &job, 1, &seqno) || client_result(&p->c, 2, seqno, &result))
		return -EIO;
	if (result.status != EIE_STATUS_OK || result.error)
		return -EPROTO;
	return memcmp(p->mem, image, MEM_BYTES) ? -EBADMSG : 0;
}

/* Markers all over the chip's activation buffer, as the last thing that this process leaves there. */
static int victim_mark(struct party *p)
{
	struct drm_eie_job job = { .cmds = p->bo.dev_addr + MEM_BYTES, .ncmds = 1, .nbases = 1,
				   .bases = p->bo.dev_addr + MEM_BYTES + CMD_BYTES };
	struct pg_xfer x = { .buf = EIE_BUF_ABUF, .len = p->params.abuf < 4096 ? p->params.abuf : 4096, .rows = 1 };
	uint64_t seqno, marker = MARKER;

	for (uint32_t at = 0; at < MEM_BYTES; at += 8)
		memcpy(p->mem + at, &marker, 8);
	p->bases[0] = p->bo.dev_addr;
	p->cmds[0] = pg_cmd_load(0, &x);
	return party_run(p, 2, &job, 1, &seqno);
}

struct shared {
	volatile bool stop;
	volatile unsigned int jobs;	/* of the victim, all right */
	volatile uint64_t va;		/* its buffer's address */
};

static int victim(struct shared *shared, uint64_t seed)
{
	uint8_t *image = malloc(BO_BYTES);
	struct rng r = rng_seed(seed);
	struct random_job j;
	struct eie_ref *ref;
	struct party p;
	int ret = party_open(&p);

	if (ret || !image || eie_ref_new(&p.params, &ref) || random_job_init(&j, &p.params, MEM_BYTES))
		return 2;
	shared->va = p.bo.dev_addr;
	while (!ret && !shared->stop) {
		ret = victim_job(&p, ref, &j, &r, image);
		if (!ret)
			ret = victim_mark(&p);
		if (!ret)
			shared->jobs++;
		else
			printf("# the victim's program %u: %d\n", shared->jobs, ret);
	}
	fflush(stdout);
	party_close(&p);
	return ret ? 1 : 0;
}

/* ---- the attacker */

static uint64_t hostile_address(struct party *p, struct rng *r, uint64_t va)
{
	switch (rng_range(r, 0, 5)) {
	case 0:
		return va + 16ull * rng_range(r, 0, BO_BYTES / 16);		/* the victim's, or the attacker's own at that address */
	case 1:
		return 4096ull * rng_range(r, 0, 1 << 18);			/* what may be an address of memory */
	case 2:
		return rng_next(r);
	default:
		return p->bo.dev_addr + 16ull * rng_range(r, 0, MEM_BYTES / 16);
	}
}

/* A program of slot i of a batch: a sound one with bits changed, opcodes with noise, or stores of what was never loaded. */
static void hostile_program(struct party *p, struct random_job *j, struct rng *r, unsigned int i, uint64_t va, struct drm_eie_job *job)
{
	struct eie_cmd *cmds = p->cmds + i * HOSTILE_CMDS;
	unsigned int kind = i ? rng_range(r, 0, 2) : 0, n = HOSTILE_CMDS;

	if (kind == 0) {
		random_job_make(j, r, false);
		n = j->pg.n < n ? j->pg.n : n;
		memcpy(cmds, j->pg.cmds, n * sizeof(*cmds));
		/* the first of a batch has the data that it was made for, and is often sound */
		if (!i)
			memcpy(p->mem, j->mem, MEM_BYTES);
		for (unsigned int k = rng_range(r, 0, i ? 3 : 1); k; k--)
			cmds[rng_range(r, 0, n - 1)].dw[rng_range(r, 0, 7)] ^= 1u << rng_range(r, 0, 31);
	} else {
		for (unsigned int k = 0; k < n; k++) {
			for (unsigned int d = 0; d < 8; d++)
				cmds[k].dw[d] = rng_permille(r, 850) ? 0 : (uint32_t)(rng_next(r) >> 32);
			if (kind == 1) {
				PG_SET(&cmds[k], OPCODE, rng_range(r, 0, 6));
			} else {
				struct pg_xfer x = { .buf = EIE_BUF_ABUF, .addr = rng_range(r, 0, p->params.abuf - 1),
						     .len = rng_range(r, 1, 64), .rows = 1, .mem = rng_range(r, 0, 4000) };

				cmds[k] = pg_cmd_store(rng_range(r, 0, 15), &x);
			}
		}
	}
	for (unsigned int k = 0; k < 16; k++)
		p->bases[16 * i + k] = hostile_address(p, r, va);
	/* half of the programs get somewhere */
	if (rng_permille(r, 500))
		p->bases[16 * i] = p->bo.dev_addr;
	*job = (struct drm_eie_job){
		.cmds = rng_permille(r, 950) ? p->bo.dev_addr + MEM_BYTES + i * HOSTILE_CMDS * 32 : hostile_address(p, r, va),
		.bases = rng_permille(r, 950) ? p->bo.dev_addr + MEM_BYTES + CMD_BYTES + i * 128 : hostile_address(p, r, va),
		.ncmds = n, .nbases = 16, .cycle_limit = 3000, .residency = rng_range(r, 0, 1),
	};
	if (rng_permille(r, 200)) {
		job->restore = job->cmds;
		job->nrestore = n / 2;
	}
}

static bool has_marker(const struct party *p)
{
	const uint64_t *mem = (const uint64_t *)p->mem;

	for (unsigned int i = 0; i < BO_BYTES / 8; i++)
		if (mem[i] == MARKER)
			return true;
	return false;
}

static unsigned long setting(const char *name, unsigned long otherwise)
{
	const char *text = getenv(name);

	return text && *text ? strtoul(text, NULL, 0) : otherwise;
}

FIXTURE(isolation)
{
	struct party p;
};

FIXTURE_SETUP(isolation)
{
	ASSERT_EQ(0, party_open(&self->p));
}

FIXTURE_TEARDOWN(isolation)
{
	party_close(&self->p);
}

/* what another process left on the chip can't be stored, and its addresses lead nowhere */
TEST_F_TIMEOUT(isolation, residue_and_foreign_addresses, 120)
{
	struct pg_xfer x = { .buf = EIE_BUF_ABUF, .len = 16, .rows = 1 };
	struct party *p = &self->p, other;
	struct drm_eie_bo_create far = { .size = 1 << 20 };
	struct drm_eie_result result;
	struct drm_eie_job job;
	uint64_t seqno;

	ASSERT_EQ(0, party_open(&other));
	ASSERT_EQ(0, call(other.c.fd, DRM_IOCTL_EIE_BO_CREATE, &far));
	ASSERT_EQ(0, victim_mark(&other));
	for (x.addr = 0; x.addr < 4096 && x.addr + 16 <= p->params.abuf; x.addr += 1 + x.addr) {
		memset(p->mem, 0xee, MEM_BYTES);
		job = (struct drm_eie_job){ .cmds = p->bo.dev_addr + MEM_BYTES, .ncmds = 1, .nbases = 1,
					    .bases = p->bo.dev_addr + MEM_BYTES + CMD_BYTES };
		p->bases[0] = p->bo.dev_addr;
		p->cmds[0] = pg_cmd_store(0, &x);
		ASSERT_EQ(0, party_run(p, 2, &job, 1, &seqno));
		ASSERT_EQ(0, client_result(&p->c, 2, seqno, &result));
		EXPECT_EQ(EIE_STATUS_UNWRITTEN, result.status);
		EXPECT_EQ(-EINVAL, result.error);
		for (unsigned int i = 0; i < 256; i++)
			EXPECT_EQ(0xee, p->mem[i]);
	}
	/* commands, base table and data at an address that only the other file has */
	for (int i = 0; i < 3; i++) {
		client_copy(&p->c, 0, i == 0 ? far.dev_addr : p->c.dev_addr, i == 1 ? far.dev_addr : p->c.dev_addr + CLIENT_OUT, &job);
		if (i == 2)
			job.cmds = far.dev_addr;
		ASSERT_EQ(0, client_submit_job(&p->c, 2, &job, 0, &seqno));
		ASSERT_EQ(0, client_wait(&p->c, 60));
		ASSERT_EQ(0, client_result(&p->c, 2, seqno, &result));
		EXPECT_EQ(EIE_STATUS_PAGE_FAULT, result.status);
		EXPECT_EQ(far.dev_addr, result.fault_addr);
	}
	party_close(&other);
}

TEST_F_TIMEOUT(isolation, hostile_programs, 86400)
{
	struct shared *shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	unsigned long jobs = setting("EIE_JOBS", 2000), seed = setting("EIE_SEED", 1), ends[EIE_STATUS_ABORTED + 1] = { 0 };
	struct drm_eie_job batch[BATCH];
	struct party *p = &self->p;
	struct rng r = rng_seed(seed);
	struct drm_eie_result result;
	struct random_job j;
	uint64_t seqno;
	int status;
	pid_t pid;

	TH_LOG("EIE_SEED=%lu EIE_JOBS=%lu", seed, jobs);
	ASSERT_NE(MAP_FAILED, shared);
	ASSERT_EQ(0, random_job_init(&j, &p->params, MEM_BYTES));
	fflush(stdout);
	pid = fork();
	ASSERT_GE(pid, 0);
	if (!pid)
		_exit(victim(shared, seed + 1000));
	while (!shared->jobs && !waitpid(pid, &status, WNOHANG))
		usleep(10000);
	ASSERT_NE(0, shared->jobs);

	for (unsigned long done = 0; done < jobs; done += BATCH) {
		memset(p->mem, 0xee, MEM_BYTES);
		for (unsigned int i = 0; i < BATCH; i++)
			hostile_program(p, &j, &r, i, shared->va, &batch[i]);
		ASSERT_EQ(0, party_run(p, 2, batch, BATCH, &seqno));
		for (unsigned int i = 0; i < BATCH; i++) {
			ASSERT_EQ(0, client_result(&p->c, 2, seqno - i, &result));
			ASSERT_LE(result.status, EIE_STATUS_ABORTED);
			ends[result.status]++;
		}
		ASSERT_FALSE(has_marker(p)) {
			TH_LOG("the marker of another process, in jobs %lu to %lu", done, done + BATCH - 1);
		}
	}
	shared->stop = true;
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(0, status);
	/* neither may have worked alone */
	EXPECT_GE(shared->jobs, jobs / 100);
	EXPECT_GE(ends[EIE_STATUS_PAGE_FAULT], jobs / 50);
	EXPECT_GE(ends[EIE_STATUS_UNWRITTEN], jobs / 50);
	EXPECT_GE(ends[EIE_STATUS_OK], jobs / 200);
	EXPECT_EQ(0, ends[EIE_STATUS_ABORTED]);
	TH_LOG("%u programs of the victim right; %lu page faults, %lu reads of unwritten memory, %lu ended well, %lu at their limit",
	       shared->jobs, ends[EIE_STATUS_PAGE_FAULT], ends[EIE_STATUS_UNWRITTEN], ends[EIE_STATUS_OK], ends[EIE_STATUS_TIMEOUT]);
	EXPECT_EQ(0, resets_read());
	random_job_free(&j);
}

TEST_HARNESS_MAIN
