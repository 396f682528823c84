/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/*
 * What the directed tests share: a board, the interpreter beside it, and small address spaces that each hold a complete job which
 * works. A test breaks one thing of it.
 */
#ifndef FIXTURE_H
#define FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "board.h"
#include "progen.h"
#include "rng.h"

/* Device addresses of a process: commands, restore commands and base table are readable, IN too, OUT is writable as well. */
#define VA_CMDS    0x10000000ull
#define VA_RESTORE 0x10004000ull
#define VA_BASES   0x10008000ull
#define VA_IN      0x40000000ull
#define VA_OUT     0x40100000ull
#define CMDS_BYTES 0x4000u
#define IN_BYTES   0x4000u
#define OUT_BYTES  0x2000u

/* The job of a process: 16 columns, 16 rows a cluster, results in granules OUT_AT .. of ABUF and at VA_OUT. */
enum { C_X, C_CODEBOOK, C_PTRS, C_WEIGHTS, C_PARAMS, C_MAC, C_DRAIN, C_STORE, C_COUNT };
#define X_LEN     2u
#define PTR_LEN   4u
#define WEIGHT_LEN 4u
#define STEPS     2u
#define PARAM_LEN (4u * STEPS)
#define OUT_AT    32u

struct fixture {
	struct board b;
	struct eie_ref *ref;
	uint8_t *before, *after;   /* memory before a job, and as the interpreter leaves it */
	size_t ram_size, mark;     /* mark: what every test starts from */
	uint16_t asid;             /* last one given to a process */
	struct rng rng;
};

struct process {
	struct fixture *f;
	struct space s;
	struct eie_desc desc;
	struct eie_cmd *cmds, *restore;
	uint64_t *bases;
	uint8_t *in, *out;
	uint64_t bus_cmds, bus_bases, bus_in, bus_out;
	uint32_t x, codebook, ptrs, weights, params;   /* granules of IN */
};

/* The configuration under test, from the command line. */
extern const char *fixture_config;
/* argv[1] or "2x2"; selects TAP. */
void fixture_args(int argc, char **argv);

/* The board that all tests of a program share. */
struct fixture_spec {
	struct eie_sim_params bus;   /* config is filled in */
	size_t ram_size;
	unsigned int sq_log2, cq_log2;
};

/* main() of such a program: opens the board into *f, runs the array of tests, closes it. */
#define fixture_main(argc, argv, spec, f, tests) \
	(fixture_args(argc, argv), fixture_share(spec, f), cmocka_run_group_tests(tests, fixture_begin, fixture_end))
void fixture_share(const struct fixture_spec *spec, struct fixture **f);
int fixture_begin(void **state);
int fixture_end(void **state);
/*
 * How much of a sweep or a random test a configuration can afford, since a simulated cycle of 16x16 costs fifty of 2x2: `small` on
 * 2x2 and `large` on 8x8, between them on 2x2 with another bus, beyond them on 16x16. The first is a step: odd arguments, odd result.
 */
unsigned int fixture_step(unsigned int small, unsigned int large);
unsigned int fixture_jobs(unsigned int small, unsigned int large);
/* Set-up of a test: fixture_reset() of the shared board. */
int fixture_each(void **state);

/* bus.config is filled in. Fails the test when the board cannot be opened. */
struct fixture *fixture_open(const struct eie_sim_params *bus, size_t ram_size, unsigned int sq_log2, unsigned int cq_log2);
void fixture_close(struct fixture *f);
/* Gives back the memory of earlier processes and forgets their translations. */
void fixture_reset(struct fixture *f);

/* A process of its own address space (never used before) with random data, and the job. */
struct process process_new(struct fixture *f);
/* The job's commands and data again; data from the fixture's random numbers. */
void process_fill(struct process *p);
void process_cmds(struct process *p);
/* Appends loads and stores that run at the same time, across pages; every store writes the job's result once more. */
void process_busy(struct process *p);

/*
 * Runs p->desc on the interpreter and on the RTL; status, fault address and command, and restored must agree. Of a job that is
 * OK also the counts and all memory; of another one no byte outside OUT may have changed. Counters must add up, no assertion may
 * have failed.
 */
void process_run(struct process *p, struct eie_cpl *cpl);
/* The same for a job that ends with an error. index: of the command, or -1. */
void process_fails(struct process *p, uint32_t status, int index, uint64_t fault_addr);
void process_works(struct process *p);
/* A job of another, new process works. */
void fixture_works(struct fixture *f);

/* What a job that is right leaves behind, whatever else runs between its neighbours. */
struct result {
	uint8_t out[OUT_BYTES];
	uint64_t macs;
	uint32_t saturated, commands, read_beats, write_beats;
};

/* Runs the job as process_works() does on queue 0, keeps its result, and clears OUT. */
void process_learn(struct process *p, struct result *want);
/* The entry is of this job, which is OK, and OUT is what it was then; clears OUT. */
void process_matches(struct process *p, const struct result *want, const struct eie_cpl *cpl);

/* Waits for the next completion entry (of queue 0), and checks what must be true of every one. */
void fixture_wait(struct fixture *f, struct eie_cpl *cpl);
void fixture_wait_on(struct fixture *f, unsigned int q, struct eie_cpl *cpl);
void fixture_check(struct fixture *f, const struct eie_cpl *cpl);

uint32_t reg_read(struct fixture *f, uint32_t offset);
void reg_write(struct fixture *f, uint32_t offset, uint32_t value);
/* Runs until (register & mask) == value; fails the test after many cycles. */
void reg_await(struct fixture *f, uint32_t offset, uint32_t mask, uint32_t value);
/* CTRL.RESET and queue 0 again. */
void fixture_recover(struct fixture *f);
/* Runs exactly that many cycles, interrupts or not. */
void fixture_cycles(struct fixture *f, uint64_t cycles);

/* Commands without tokens, one row: for tests that write programs of their own. base: index into the base table. */
struct eie_cmd load1(unsigned int base, unsigned int buf, uint32_t mem, uint32_t addr, uint32_t len);
struct eie_cmd loadk(struct fixture *f, unsigned int base, unsigned int buf, uint32_t mem, uint32_t addr, uint32_t len);
struct eie_cmd store1(unsigned int base, uint32_t mem, uint32_t addr, uint32_t len);
struct eie_cmd sync0(void);
/* Every command waits for the one before: tokens over SYNCs where engines differ. Returns the number of commands. */
uint32_t chain(struct eie_cmd *out, const struct eie_cmd *in, uint32_t n);

#endif
