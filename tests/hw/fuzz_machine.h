/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/*
 * A board, the shadow that watches its bus, the interpreter beside it, and three address spaces: the fuzzed job's own, a victim's
 * whose pages lie between the own ones, and a known job's. Own memory is mapped page by page onto shuffled bus pages.
 */
#ifndef FUZZ_MACHINE_H
#define FUZZ_MACHINE_H

#include "board.h"
#include "fuzz_shadow.h"
#include "random_job.h"
#include "rng.h"

#define FUZZ_VA_CMDS    0x10000000ull
#define FUZZ_VA_BASES   0x10100000ull
#define FUZZ_VA_MEM     0x40000000ull            /* read and write */
#define FUZZ_VA_ALIAS   0x48000000ull            /* the same pages, read only */
#define FUZZ_VA_HOLE    0x50000000ull            /* nothing */
#define FUZZ_VA_FOREIGN 0x58000000ull            /* where the bus answers with an error */
#define FUZZ_VA_SECRET  0x60000000ull            /* mapped in the victim's space only */
#define FUZZ_VA_TOP     (0ull - (1ull << 30))    /* the same pages as MEM, read and write, in the upper half */
#define FUZZ_CMDS_MAX   1024u
#define FUZZ_CYCLES     4000000u                 /* no job takes so long: a sweep of the largest buffers included */

/* Entries of the own base table. */
enum {
	FUZZ_BASE_MEM, FUZZ_BASE_ALIAS, FUZZ_BASE_TOP, FUZZ_BASE_HOLE, FUZZ_BASE_FOREIGN, FUZZ_BASE_ODD, FUZZ_BASE_FAR,
	FUZZ_BASE_SECRET, FUZZ_BASE_CMDS, FUZZ_BASE_END, FUZZ_BASES
};

/* A program: commands and the memory behind base 0. */
struct fuzz_job {
	struct eie_cmd cmds[FUZZ_CMDS_MAX];
	uint32_t n;
	uint8_t *mem;
	struct eie_desc desc;
};

struct fuzz_space {
	struct space space;
	uint64_t *mem_pages;   /* bus address of each page of MEM (the victim: of SECRET) */
	uint64_t bus_cmds, bus_bases;
};

struct fuzz_machine {
	struct board b;
	struct shadow shadow;
	struct eie_ref *ref;          /* follows the ordered jobs */
	struct eie_ref *scratch_ref;  /* for questions in between */
	size_t mem_bytes;
	struct fuzz_space own, victim, known;
	struct fuzz_job known_job;
	uint8_t *known_result;      /* memory after the known job */
	uint8_t *scratch;           /* mem_bytes */
	uint32_t known_cycles;      /* from a cold start on a bus without random numbers, else 0 */
	bool quiet;                 /* such a bus */
	uint16_t asid;              /* last one given to a fuzzed job or to the victim */
	unsigned int queue;         /* that jobs are submitted to; all are enabled */
	const char *why;            /* NULL, or what is wrong */
	char text[200];
};

enum { FUZZ_ASID_KNOWN = 1, FUZZ_ASID_FIRST = 16 };

/* quiet: a bus without stalls and jitter. Equal arguments give machines that behave alike to the cycle. 0 or -errno. */
int fuzz_machine_open(struct fuzz_machine *m, const char *config, uint64_t seed, bool quiet);
void fuzz_machine_close(struct fuzz_machine *m);
/* Bytes of memory that a machine of that configuration gives a job. */
size_t fuzz_mem_bytes(const struct eie_params *p);

/* Remembers what is wrong (the first time) and returns false. */
bool fuzz_wrong(struct fuzz_machine *m, const char *format, ...) __attribute__((format(printf, 2, 3)));

uint16_t fuzz_new_asid(struct fuzz_machine *m);
void fuzz_mem_put(struct fuzz_machine *m, const struct fuzz_space *s, const uint8_t *mem);
void fuzz_mem_get(struct fuzz_machine *m, const struct fuzz_space *s, uint8_t *mem);
/* Commands, base table and memory into the machine. */
void fuzz_job_place(struct fuzz_machine *m, const struct fuzz_space *s, const struct fuzz_job *j);
/* Root, base table and commands into the job's descriptor; its other fields stay. */
void fuzz_job_describe(const struct fuzz_space *s, struct fuzz_job *j);

/* Submits; shadow on. */
void fuzz_submit(struct fuzz_machine *m, const struct fuzz_space *s, const struct eie_desc *d);
/* Waits for the entry; checks what is true of every entry, the shadow and the assertions. */
bool fuzz_finish(struct fuzz_machine *m, const struct eie_desc *d, struct eie_cpl *cpl);
/* The same without waiting: for an entry that is there. */
bool fuzz_check(struct fuzz_machine *m, const struct eie_desc *d, const struct eie_cpl *cpl);
/* Aborts the job `cycles` after now; false: not taken yet, so it runs afterwards and must be waited for. */
bool fuzz_abort(struct fuzz_machine *m, uint64_t cycles);
/* CTRL.RESET and the queues again. */
bool fuzz_reset(struct fuzz_machine *m);
/* Q_CTRL.RESET of the job's queue `cycles` after now, and the queue again. *entry: the job was taken, and cpl tells how it ended. */
bool fuzz_reset_queue(struct fuzz_machine *m, uint64_t cycles, const struct eie_desc *d, struct eie_cpl *cpl, bool *entry);

/* The known job gives its known bytes; after a reset (cold) on a quiet bus in its known cycles. */
bool fuzz_known_works(struct fuzz_machine *m, bool cold);

/* What the interpreter does with the job, over a copy `mem` of the own memory. log may be NULL. */
struct fuzz_log {
	struct fuzz_store {
		uint32_t granule, next;   /* next: index + 1 of an earlier value of the granule, 0: none */
		uint8_t value[EIE_GRANULE_BYTES];
	} *stores;
	uint32_t n, max;
	uint32_t *head;                   /* of each granule: index + 1 */
};
void fuzz_ref_run(struct fuzz_machine *m, struct eie_ref *ref, const struct fuzz_job *j, uint8_t *mem, struct fuzz_log *log,
		  struct eie_cpl *cpl);
int fuzz_log_open(struct fuzz_log *log, size_t mem_bytes);
void fuzz_log_close(struct fuzz_log *log);
void fuzz_log_clear(struct fuzz_log *log, size_t mem_bytes);

#endif
