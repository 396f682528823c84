/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/* What writes commands: emit.c has the engine of it and fully connected layers, emit_conv.c convolutions, emit_pool.c pooling. */
#ifndef ACCEL_EMIT_INT_H
#define ACCEL_EMIT_INT_H

#include "commands.h"
#include "plan.h"

#define NOBODY (-1)

/* A region of a buffer that holds one thing at a time. */
struct slot {
	uint64_t id;     /* what it holds; 0: nothing */
	int64_t user;    /* last compute command that reads it */
	int64_t load;    /* p, x: command that brings it */
};

struct pool {
	struct slot slot[3];
	unsigned int n, last;   /* slots; the one used last */
};

struct task {
	const struct segment *segment;    /* set when it is queued */
	uint32_t item, tile;
	const struct tile_chunk *chunk;   /* streams, images: NULL when the tile has no weights */
	unsigned int half;                /* streams, images: accumulator half and output slot */
	uint32_t band, group, groups;     /* images: part of the input; first pixel group of the output, and how many */
	uint32_t block, blocks;           /* pooling: blocks of channels */
	bool begins;                      /* nothing is left in the accumulators: a job may begin here */
	bool drains;
	double cycles;                    /* emit_weight() */
};

/* Slots of a task whose loads have been written, and the last of these loads. */
struct stage {
	unsigned int x, w, p, r;   /* p: pointers, of streams that are selected; else they are in w's */
	int64_t load;
	bool pieces;   /* the input comes in pieces, each with a token */
};

struct emit {
	struct plan *plan;
	struct accel_program *program;
	uint32_t capacity;
	bool nomem;                  /* sticky: add() does nothing from then on */
	const struct segment *segment;
	/* Of the job being written: */
	struct pool x, w, p, r;
	int64_t last_load;           /* last command of the load engine */
	int64_t stored[2];           /* last STORE of each output slot */
	int64_t compute_known;       /* compute command that the load engine knows to be complete */
	int64_t store_known;         /* STORE that the compute engine knows to be complete */
	unsigned int half;           /* chains: accumulator half of the next row tile */
	bool fence;                  /* the next VMAC reads what earlier commands have left in ABUF */
	const struct segment *codebook_of, *table_of;   /* segment whose codebook, table, is loaded */
	int64_t codebook_user[2], table_user[2];        /* last compute commands that used what lies in each of the places */
	int64_t barrier;             /* compute command that a load of what the job stored has to wait for */
	uint32_t complete;           /* segments before this one have stored all they make, when the barrier has passed */
	struct task *queue;          /* of segments whose jobs can be joined */
	uint64_t nqueue, room;
};

/* Sets one bit of a command that has been added. */
#define MARK(e, index, field) \
	do { \
		int64_t mark_ = (index); \
		if (mark_ != NOBODY) \
			CMD_SET(&(e)->program->cmds[mark_], field, 1); \
	} while (0)

static inline uint64_t item_offset(const struct tensor_plan *t, uint32_t item)
{
	return t->offset + item * t->item_bytes;
}

static inline uint64_t xfer_bytes(const struct eie_cmd *cmd)
{
	return (uint64_t)CMD_GET(cmd, XFER_LEN) * CMD_GET(cmd, XFER_ROWS) * EIE_GRANULE_BYTES;
}

/* Appends a command; returns its index, or NOBODY when memory has run out. */
int64_t emit_add(struct emit *e, uint32_t layer, const struct eie_cmd *cmd);
struct eie_cmd emit_xfer(uint32_t opcode, unsigned int base, uint64_t offset, uint32_t target, uint32_t addr, uint32_t len);
/* Constants, as one row or as one a cluster. */
struct eie_cmd emit_load_constant(const struct emit *e, size_t offset, uint32_t target, uint32_t addr, uint32_t len);
/* Ids of slots are a segment's own. */
static inline uint64_t emit_id(const struct emit *e, uint64_t n)
{
	return ((uint64_t)(e->segment - e->plan->segments) + 1) << 40 | n;
}

/* Granule of ABUF where the task's slot of input, of output begins. */
static inline uint32_t emit_x_slot(const struct emit *e, const struct stage *st)
{
	return e->segment->x + st->x * e->segment->x_slot;
}

static inline uint32_t emit_y_slot(const struct emit *e, const struct task *task)
{
	return e->segment->y + task->half * e->segment->y_slot;
}

/* Where a block of K channels of an image begins in ABUF, and the groups of its plane there. */
struct emit_place {
	uint32_t granule, plane;
};

/* Of an image that is kept. */
static inline struct emit_place emit_kept(const struct emit *e, const struct tensor_plan *t, uint32_t item, uint32_t block, uint32_t group)
{
	return (struct emit_place){ t->abuf + item * t->item_granules + (block * t->image.plane + group) * e->plan->params.clusters, t->image.plane };
}

/* Where the task leaves its first group of block `block` of the tensor. */
static inline struct emit_place emit_output(const struct emit *e, const struct task *task, unsigned int tensor, uint32_t block)
{
	const struct tensor_plan *t = &e->plan->tensors[tensor];

	return t->kept ? emit_kept(e, t, task->item, block, task->group) : (struct emit_place){ emit_y_slot(e, task), task->groups };
}

/* The slot that holds id, or the one that shall: *load tells which. */
unsigned int emit_pick(struct pool *pool, uint64_t id, bool *load);
/* A load over what compute command `user` reads (NOBODY: nothing). */
void emit_load(struct emit *e, struct stage *st, uint32_t layer, struct eie_cmd cmd, int64_t user);
void emit_load_codebook(struct emit *e, struct stage *st, uint32_t layer);
/* A drain into output slot `out_slot` waits until the store of what is there is done. */
void emit_wait_stored(struct emit *e, struct eie_cmd *drain, unsigned int out_slot);
/* Units of the piece of an input of n that starts at unit `at`: `first` at the beginning, then twice as many each time, and no small rest. */
uint32_t emit_piece(uint32_t at, uint32_t n, uint32_t first);
/* Streamed layers: weights of the task's chunk, parameters of its row tile. */
void emit_stage_weights(struct emit *e, const struct task *task, struct stage *st);
/* The same by parts: true when pointers were loaded, and the stream is to follow, granules first .. first + n - 1 of each cluster's. */
bool emit_stage_pointers(struct emit *e, const struct tile_chunk *c, struct stage *st);
void emit_stage_stream(struct emit *e, const struct tile_chunk *c, struct stage *st, uint32_t first, uint32_t n);
void emit_stage_params(struct emit *e, const struct task *task, struct stage *st);
/* What a task adds to its job, to cut jobs by: about a cycle each. What it takes is not known before there are commands: accel_program_estimate(). */
double emit_weight(const struct emit *e, uint64_t nonzeros, uint64_t bytes);
/*
 * Loads of a task, and what computes it (the last such command is returned) and stores what came out; chains store while they compute. after: the task
 * behind it in the job, or NULL. starts: the job starts with this task.
 */
void emit_stage(struct emit *e, const struct task *task, const struct task *after, bool starts, struct stage *st);
int64_t emit_compute(struct emit *e, const struct task *task, const struct stage *st);
void emit_store(struct emit *e, const struct task *task, int64_t computed);

/* emit_job.c: */
/* Appends a segment's tasks; those of several segments share jobs. */
void emit_queue(struct emit *e, const struct task *tasks, uint64_t n);
/* Writes what is in the queue, cut into jobs. */
void emit_flush(struct emit *e);

/* Addresses of one row tile of a fully connected layer. */
struct emit_tile {
	uint32_t in, ptr, weights, param, out;
};
/* granules: of input; the chunk's, or a piece of it. */
int64_t emit_mac(struct emit *e, uint32_t layer, uint32_t granules, unsigned int half, bool fence, const struct emit_tile *at);
/* out_slot: index into stored[], of the slot that is written. */
int64_t emit_drain(struct emit *e, uint32_t layer, uint32_t tile, unsigned int half, unsigned int out_slot, const struct emit_tile *at);

/* emit_fc.c: as their namesakes in emit.c, for a segment that is a fully connected layer whose weights are streamed. */
void emit_fc(struct emit *e);
void emit_stage_fc(struct emit *e, const struct task *task, const struct task *after, struct stage *st);
void emit_compute_fc(struct emit *e, const struct task *task, const struct stage *st);

/* emit_conv.c: as their namesakes in emit.c, for a segment that is a convolution. */
void emit_conv(struct emit *e);
void emit_stage_conv(struct emit *e, const struct task *task, bool starts, struct stage *st);
/* The same but for weights and parameters, which were staged before. */
void emit_stage_conv_input(struct emit *e, const struct task *task, struct stage *st);
void emit_compute_conv(struct emit *e, const struct task *task, const struct stage *st);
int64_t emit_store_conv(struct emit *e, const struct task *task);

/* emit_pool.c: the same for pooling. */
void emit_stage_pool(struct emit *e, const struct task *task, struct stage *st);
void emit_compute_pool(struct emit *e, const struct task *task, const struct stage *st);

/* emit_element.c: the same for products and tables. */
void emit_stage_element(struct emit *e, const struct task *task, struct stage *st);
void emit_compute_element(struct emit *e, const struct task *task, const struct stage *st);
/* The table of a layer that has one, once a job. */
void emit_load_table(struct emit *e, struct stage *st, uint32_t layer);
/* What lies at `in` through the table, to `out`: so many blocks and groups, of which the task's are the last. */
void emit_vtable(struct emit *e, const struct task *task, uint32_t layer, uint32_t blocks, uint32_t groups, struct emit_place in, struct emit_place out);
/* Poolings, too: tasks of blocks of channels times batches of groups, with so many cycles for each granule of the output; their stores. */
void emit_blocks(struct emit *e, double granule_cycles);
int64_t emit_store_blocks(struct emit *e, const struct task *task);

#endif
