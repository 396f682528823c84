/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/* Inside of the cost model. A cycle's registers are those of hw/rtl; `now` is the cycle that is computed. */
#ifndef ACCEL_COST_INT_H
#define ACCEL_COST_INT_H

#include "commands.h"
#include "cost.h"

#define NEVER UINT64_MAX
#define COST_CLUSTERS 16
#define COST_LANES 16
#define COST_SLOTS (2 * COST_LANES)
#define COST_JOBS 64
/* eie_cluster.sv: columns that may be between the broadcast and a queue when it says that it is full. */
#define COST_ON_THE_WAY 6

/* ---------------------------------------------------------------- array, scalar mode: cost_array.c */

struct array_job {
	uint32_t start, len;   /* byte of the cluster's stream, entries */
	uint8_t tag;
};

/* eie_cluster.sv, eie_jobq.sv, eie_fetch.sv, eie_lanes.sv; a bit a slot, slot s of lane l is l + s * lanes. */
struct array_cluster {
	struct array_job queue[COST_JOBS], waiting[COST_LANES];   /* waiting: put into a slot, not loaded by its lane */
	unsigned int head, count;
	uint32_t valid, active, fresh, tag, need, next, side, full[2], fly[2], turn[2];
	uint32_t word[COST_SLOTS], final[COST_SLOTS];             /* of the stream */
	uint32_t at[COST_LANES], left[COST_LANES];                /* next byte, entries left */
	uint8_t busy, last_tag;                                   /* a bit a tag */
};

struct array_mac {
	const struct cost_tile *tile;
	const uint8_t *live;
};

struct cost_array {
	unsigned int k, lanes, jobs;
	struct array_mac mac[2];
	struct array_cluster cluster[COST_CLUSTERS];
	/* eie_bcast.sv */
	bool start, start_tag;
	uint32_t in, len, left, undone, at, read_at, fifo[4], current;
	unsigned int nfifo, nout, nptr, tag, ptr_tag;
	bool read;
	uint8_t todo;
	uint32_t out[2], ptr[2];                                  /* columns on their way: bc_valid, p_valid */
	uint8_t sent1, sent2, work1, work2, work3;                /* eie_array.sv */
	bool active;                                              /* something is in it */
	bool multiplies;                                          /* in the next cycle a lane does */
};

/* Starts a broadcast of `granules`, from granule `in` of ABUF on: bc_start_o in this cycle. */
void array_start(struct cost_array *a, unsigned int tag, const struct cost_tile *tile, const uint8_t *live, uint32_t in, uint32_t granules);
void array_step(struct cost_array *a);
/* ab_re_o: it reads granule *at of ABUF in this cycle. */
static inline bool array_reads(const struct cost_array *a, uint32_t *at)
{
	*at = a->in + a->at;
	return a->left && a->nfifo + a->read < 4;
}
static inline bool array_broadcasts(const struct cost_array *a)
{
	return a->undone || a->todo;
}
/* Tags that are at work, as eie_compute sees it. */
static inline uint8_t array_work(const struct cost_array *a)
{
	uint8_t work = a->sent2;

	for (unsigned int c = 0; c < a->k; c++)
		work |= a->cluster[c].busy;
	return work | a->work1 | a->work2 | a->work3;
}

/* ---------------------------------------------------------------- vector mode: cost_vector.c */

/* A cluster's lane 0 and its queue; times are cycles. */
struct vector_cluster {
	uint64_t njobs, pop[COST_JOBS];       /* jobs ever; when the last ones left the queue */
	uint64_t end, end_before;             /* last decodes of the last job and of the one before */
};

/* A lane's own queue, and a cluster whose lanes have them: cost_split.c. A bit a slot, slot s of lane l is l + 8 * s. */
#define SPLIT_JOBS 128

struct split_queue {
	const struct cost_column *column[SPLIT_JOBS];
	unsigned int head, count;
};

struct split_cluster {
	struct split_queue queue[8];
	const struct cost_column *waiting[8];   /* put into a slot, not loaded by its lane */
	uint32_t queued;                        /* a bit a lane: its queue has jobs */
	uint32_t joined;                        /* a bit a lane: struct cost_column, until the first word is used up */
	uint32_t valid, active, fresh, need, next, side, full[2], fly[2], turn[2], own_turn;
	uint32_t words[16];                     /* left to fetch */
	uint32_t left[8], in_word[8], per_word[8];   /* decodes: of the job, until its word is used up, of a whole word */
};

/* A column that is on its way to the queues. */
struct split_pending {
	const struct cost_column *column;       /* [clusters] */
	uint64_t seen;                          /* cycle in which the queues have it */
	uint8_t pixels;                         /* that are not zero */
};

struct cost_split {
	struct split_cluster cluster[COST_CLUSTERS];
	uint64_t now;                           /* cycles before it are done */
	uint64_t told;                          /* cycles before it have been marked, and perhaps counted: what goes on from a VMAC's last column does them again */
	struct split_pending pending[8];
	unsigned int npending;
};

#define READS_ALL 0xff

struct cost_vector {
	struct cost_split split;
	unsigned int k, jobs;
	struct vector_cluster cluster[COST_CLUSTERS];
	uint64_t sent[4], counts[4][COST_CLUSTERS];   /* last columns: when they left the FIFO, jobs with them */
	uint64_t nsent;
	uint64_t *busy;                       /* a bit a cycle, modulo its size: a lane multiplies */
	uint8_t *reads;                       /* a byte a cycle of the last command: bank of ABUF that the gather reads, from 1 on, or READS_ALL; 0: none */
	uint64_t busy_mask;                   /* of both */
};

struct vector_times {
	uint64_t idle;       /* gather is not busy from here on */
	uint64_t complete;   /* the command's work is over: fin_q */
	uint64_t first;      /* first column goes out; NEVER: none does */
	/* cycles that cost_vector.reads has */
	uint64_t read_from, read_to;
};

void split_reset(struct cost_split *s);
/* The first cycle from `at` on in which no lane's queue says that it may be full. */
uint64_t split_unheld(struct cost_vector *v, uint64_t at);
void split_push(struct cost_vector *v, const struct cost_column *column, uint8_t pixels, uint64_t seen);
/* The last cycle in which a lane decodes, when nothing else comes; 0: none does. */
uint64_t split_end(struct cost_vector *v);
int vector_new(struct cost_vector *v, const struct eie_params *params);
void vector_free(struct cost_vector *v);
/* ga_start_o in cycle `start`. */
void vector_mac(struct cost_vector *v, const struct eie_cmd *cmd, const struct cost_work *work, uint64_t start, struct vector_times *times);
void vector_pool(const struct cost_vector *v, const struct eie_cmd *cmd, uint64_t start, struct vector_times *times);
void vector_element(const struct eie_cmd *cmd, uint64_t start, struct vector_times *times);

/* ---------------------------------------------------------------- compute: cost_compute.c */

enum { KIND_SYNC, KIND_MAC, KIND_DRAIN };

struct compute_mac {
	bool open, fin, sent, vector;         /* mac_q, fin_q, sent_q */
	unsigned int settle;
	struct vector_times times;
};

struct cost_compute {
	struct cost_array array;
	struct cost_vector vector;
	struct flight {
		uint32_t cmd;
		uint8_t kind, tag;
		bool prev, next;
	} flight[4];
	unsigned int count;
	struct compute_mac mac[2];
	unsigned int tag, mac_tag;            /* of the next MAC, of the last one */
	bool setup;                           /* a MAC was taken the cycle before */
	const struct eie_cmd *setup_cmd;
	const struct cost_work *setup_work;
	bool drain, run, drained;
	uint8_t wait, drain_half;
	uint32_t steps;
	uint64_t drain_start, drain_end;      /* writes of the drain: first cycle, cycle behind the last */
	bool mode[2], split;                  /* mode_q, cfg_split_o */
	uint64_t cleared;                     /* a half is zeroed until then */
	bool done, done_prev, done_next;      /* done_o */
	uint32_t done_cmd;
	bool engine;                          /* engine_q */
	uint32_t words;                       /* of a half */
};

void compute_reset(struct cost_compute *c);
/* cmd_ready_o for the command; may begin to zero a half for it (*changed). */
bool compute_ready(struct cost_compute *c, const struct eie_cmd *cmd, uint64_t now, bool *changed);
/* The rest of a cycle; cmd: taken in it, or NULL. True: a register changed. */
bool compute_step(struct cost_compute *c, const struct eie_cmd *cmd, const struct cost_work *work, uint32_t index, uint64_t now);
/* The next cycle in which something happens by itself. */
uint64_t compute_wake(const struct cost_compute *c, uint64_t now);
/* engine_active_o, and what of it is a register: engine_q for the next cycle. */
bool compute_engine(struct cost_compute *c, uint64_t now);
static inline bool compute_mac_active(const struct cost_compute *c)
{
	return (c->mac[0].open && !c->mac[0].fin) || (c->mac[1].open && !c->mac[1].fin);
}
static inline bool compute_drain_active(const struct cost_compute *c)
{
	return c->run && !c->drained;
}
/* eie_abuf.sv: a drain writes */
static inline bool compute_writes(const struct cost_compute *c, uint64_t now)
{
	return c->run && now >= c->drain_start && now < c->drain_end;
}
/* ab_re_o: of that bank. */
bool compute_reads(const struct cost_compute *c, uint64_t now, uint32_t bank);

/* ---------------------------------------------------------------- memory: cost_bus.c */

enum { ID_FRONT, ID_WALK, ID_COMMANDS, ID_LOAD, NREADERS };
enum { SLOT_EMPTY, SLOT_LOOKUP, SLOT_WALK, SLOT_READY };
enum { WALK_IDLE, WALK_READ, WALK_WAIT, WALK_CHECK };

struct bus_request {
	bool valid;
	unsigned int id, len;                 /* beats */
	uint64_t va;
	bool large;
};

struct bus_slot {
	unsigned int state;
	bool missed;
	struct bus_request req;
};

struct bus_burst {
	uint64_t due;
	unsigned int id, len;
};

#define BUS_BURSTS 128

struct cost_bus {
	unsigned int entries, beat;           /* of the TLB; cycles a beat */
	/* eie_tlb.sv, eie_walker.sv: what stays from job to job */
	struct tlb_entry {
		bool valid, large;
		uint64_t page;
	} tlb[256];
	unsigned int victim, l0_victim;
	bool l1_valid, l0_valid[4];
	uint64_t l1, l0[4];
	bool load_last;                       /* rd_ld_last_q */
	/* of a job: */
	struct bus_slot rd, wr;
	unsigned int walk, level;
	bool walk_for_rd, walk_large;
	uint64_t walk_va;
	struct bus_burst ar, aw;              /* register in front of the bus; len 0: empty */
	unsigned int reading[NREADERS];       /* bursts outstanding */
	struct bus_burst reads[BUS_BURSTS], data;   /* data: on the bus, len beats left */
	unsigned int nreads, read_head;
	bool r_valid;
	uint64_t r_next;                      /* a narrow bus takes its time */
	unsigned int writing;                 /* bursts without an answer */
	struct bus_burst owed[16];            /* accepted addresses whose data have not gone out */
	unsigned int nowed, owed_head, owed_beat;
	bool w_valid, w_last;
	uint64_t w_next;
	uint64_t answers[BUS_BURSTS];         /* when they are due */
	unsigned int nanswers, answer_head;
	unsigned int on_bus;                  /* write addresses that the memory has taken and not answered */
	bool b_valid;
	uint64_t misses, read_beats, write_beats;
};

/* What the clients want in this cycle, and what they get. */
struct bus_ports {
	struct bus_request want[NREADERS], store;   /* not the walker's */
	bool load_ready;                      /* for a beat of a load */
	bool store_data;                      /* a granule is there to be written */
	bool granted[NREADERS], store_granted, store_taken, answer;
	int beat;                             /* reader that gets a beat; -1: none */
	bool beat_last;
};

void bus_reset(struct cost_bus *bus);
/* One cycle. True: a register changed. */
bool bus_step(struct cost_bus *bus, struct bus_ports *ports, uint64_t now);
uint64_t bus_wake(const struct cost_bus *bus, uint64_t now);
bool bus_idle(const struct cost_bus *bus);

/* ---------------------------------------------------------------- commands, load, store: cost_cmd.c */

/* eie_select.sv: cost_select.c. A step is what it sees with one read of the buffers. */
#define SELECT_RUNS 16

struct cost_select {
	const struct cost_run *runs;          /* all there will be */
	uint32_t nruns, begun, next, step;    /* begun: so many of them; steps: that is read next, the oldest of u_steps */
	uint32_t in, row_steps, steps;        /* granule of the first activations; steps of a row, of all rows */
	uint32_t nsteps;                      /* in u_steps */
	bool pointers, read, columns;         /* target; read_q, c_valid_q */
	bool open, end;                       /* open_q: runs[begun - 1] has not ended; end_q */
	const struct cost_run *fifo[SELECT_RUNS];   /* u_runs; NULL: the end of a row that has none open */
	bool fifo_end[SELECT_RUNS];
	unsigned int nfifo, head;
};

/* work: may be NULL, or without runs. */
void select_start(struct cost_select *s, const struct eie_cmd *cmd, const struct cost_work *work);
/* ab_addr_o: the granule of ABUF that it wants to read. */
uint32_t select_address(const struct cost_select *s);
/* A cycle. read: it may, and nobody else has the ports; through: no run is being asked for any more. True: *run is the next one, or NULL: a row had none. */
bool select_step(struct cost_select *s, bool read, bool through, const struct cost_run **run);

/* eie_xfer.sv */
struct cmd_xfer {
	bool active, signal;
	uint64_t large_end;
	uint32_t cmd, target, addr, row_addr, left, len, buf_stride, rows;
	uint64_t va, row_va, mem_stride;
	bool select, fence;
	struct cost_select scan;             /* SELECT: where its runs come from */
};

struct cmd_burst {
	uint32_t cmd, addr, len, target;
	bool last, signal;
};

#define CMD_QUEUE 8

struct cmd_engine {
	uint32_t queue[CMD_QUEUE];
	unsigned int head, count, started;   /* commands that have not started; that have and are not complete */
	bool done, done_prev, done_next;     /* pulse in this cycle */
};

struct cost_cmd {
	bool active;
	const struct eie_cmd *cmds;
	uint32_t ncmds, fetched, popped, left, unfetched, head_cmd;   /* left: not dispatched */
	unsigned int room;
	uint64_t va;
	uint64_t large_end;
	bool half, head_valid;
	struct cmd_engine engine[COST_ENGINES];
	unsigned int tokens[NTOKENS];
	struct cmd_xfer load, store;
	struct cmd_burst dest[EIE_LOAD_BURSTS], source[8], answer[16];
	unsigned int owed;                   /* granules of loads that have not come */
	unsigned int ndest, dest_head, nsource, source_head, nanswer, answer_head;
	uint32_t load_beat, store_beat;      /* beats in, granules read, of the oldest burst */
	unsigned int have;                   /* granules that were read from ABUF */
	bool read;
};

/* ---------------------------------------------------------------- the job: cost.c */

struct cost_engine {
	struct eie_params params;
	struct cost_bus bus;
	struct cost_cmd cmd;
	struct cost_compute compute;
	cost_trace trace;
	void *trace_arg;
	uint64_t taken[COST_ENGINES][64];     /* trace: cycle in which the commands in flight were taken, and which they are */
	uint32_t taken_cmd[COST_ENGINES][64];
	unsigned int ntaken[COST_ENGINES], nended[COST_ENGINES];
};

/* cmd_start_o */
void cmd_start(struct cost_cmd *c, const struct cost_job *job, bool restore);
/* One cycle of command processor, load, store. works: NULL for restore commands. True: something changed. */
struct cost_engine;
bool cmd_step(struct cost_engine *e, const struct cost_job *job, const struct cost_work *works, struct bus_ports *ports, uint64_t now);
/* Requests of this cycle, from registers. */
void cmd_requests(const struct cost_engine *e, struct bus_ports *ports, uint64_t now);
bool cmd_complete(const struct cost_cmd *c);
void engine_took(struct cost_engine *e, unsigned int engine, uint32_t cmd, uint64_t now);
void engine_ended(struct cost_engine *e, unsigned int engine, bool restore, uint64_t now);

#endif
