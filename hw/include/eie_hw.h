/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/* Generated from hw/eie_hw.def by hw/gen/eie_gen.c; do not edit. */
#ifndef EIE_HW_H
#define EIE_HW_H

#include <linux/types.h>

/*
 * A field F of a structure is dword F_DW, bits F_SHIFT and up, F_MASK when shifted down;
 * a register field is the same without F_DW.
 */

/* Identity and fixed sizes: Sizes that do not depend on the configuration; those that do are in the device tree of the BAR. */
#define EIE_ID_VALUE 0x31454945 /* value of register ID: "EIE1" */
#define EIE_ISA_MAJOR 0x1 /* incremented when a program for the older version no longer runs */
#define EIE_ISA_MINOR 0x3 /* incremented when something is added */
#define EIE_GRANULE_BYTES 0x10 /* unit of on-chip buffers and of DMA, whatever the width of the bus */
#define EIE_GRANULE_VALUES 0x8 /* int16 values in a granule; also rows drained a cycle and cluster */
#define EIE_BAR_BYTES 0x10000 /* size of the register window */
#define EIE_QUEUE_BASE 0x1000 /* byte offset of queue 0's registers */
#define EIE_QUEUE_STRIDE 0x100 /* byte distance of one queue's registers from the next */
#define EIE_DT_BASE 0x8000 /* byte offset of the flattened device tree */
#define EIE_DT_BYTES_MAX 0x2000 /* size of its window */
#define EIE_MAX_BASES 0x10 /* entries of a job's base table at the most */
#define EIE_MAX_BURST 0x10 /* granules of one AXI burst at the most; no burst crosses 4 KiB */
#define EIE_CMD_BYTES 0x20 /* size of a command */
#define EIE_DESC_BYTES 0x80 /* size of a job descriptor */
#define EIE_CPL_BYTES 0x80 /* size of a completion entry */
#define EIE_PTRS_PER_GRANULE 0x4 /* column pointers in a granule of PBUF */
#define EIE_ROWS_PER_PGRANULE 0x2 /* row parameters in a granule of RBUF */
#define EIE_CBUF_GRANULES 0x40 /* granules of the codebook memory: 512 int16 entries */
#define EIE_LOAD_BURSTS 0x40 /* bursts that the load engine may have outstanding */
#define EIE_LOAD_BEATS 0x100 /* granules that it may have outstanding */
#define EIE_TOKENS_MAX 0x3f /* tokens that may wait between two engines */
#define EIE_PERF_BASE 0x400 /* byte offset of the engine counters (ISA minor 2) */
#define EIE_PERF_STRIDE 0x8 /* byte distance of one counter from the next: low half, high half */
#define EIE_PERF_COUNTERS 0x32 /* counters there are */
#define EIE_PCI_VENDOR 0x1234 /* PCI vendor of the simulated device (the id that QEMU's own devices use); a board maker uses his own */
#define EIE_PCI_DEVICE 0xe1e0 /* PCI device of the simulated device; BAR 0: these registers; message vectors: one a queue, then the fault vector */

/* Global registers: 32-bit, little-endian, aligned accesses only. An access to an unnamed offset reads zero and is ignored on write. */
#define EIE_REG_ID 0x000 /* ro, reset 0x31454945: identity */
#define EIE_REG_VERSION 0x004 /* ro, reset 0x10003: ISA version */
#define   EIE_VERSION_MINOR_SHIFT 0 /* ISA_MINOR */
#define   EIE_VERSION_MINOR_MASK 0xffff
#define   EIE_VERSION_MAJOR_SHIFT 16 /* ISA_MAJOR */
#define   EIE_VERSION_MAJOR_MASK 0xffff
#define EIE_REG_CTRL 0x008 /* rw, reset 0x0: device control */
#define   EIE_CTRL_ENABLE_SHIFT 0 /* queues may start jobs */
#define   EIE_CTRL_ENABLE_MASK 0x1
#define   EIE_CTRL_ABORT_SHIFT 1 /* while set: the running job ends with status ABORTED, no job starts; see STATUS.QUIESCED */
#define   EIE_CTRL_ABORT_MASK 0x1
#define   EIE_CTRL_RESET_SHIFT 2 /* write 1: abort, wait until quiet, then clear every queue register, TLB, on-chip validity and residency; reads 1 until done; ENABLE, IRQ_STATUS and IRQ_ENABLE stay */
#define   EIE_CTRL_RESET_MASK 0x1
#define EIE_REG_STATUS 0x00c /* ro, reset 0x0: device status */
#define   EIE_STATUS_BUSY_SHIFT 0 /* a job is on the chip */
#define   EIE_STATUS_BUSY_MASK 0x1
#define   EIE_STATUS_QUIESCED_SHIFT 1 /* CTRL.ABORT is set, no job is on the chip and no bus transaction is outstanding */
#define   EIE_STATUS_QUIESCED_MASK 0x1
#define EIE_REG_IRQ_STATUS 0x010 /* w1c, reset 0x0: pending interrupts; write ones to clear */
#define   EIE_IRQ_STATUS_QUEUES_SHIFT 0 /* bit q: queue q wrote a completion entry */
#define   EIE_IRQ_STATUS_QUEUES_MASK 0xffff
#define   EIE_IRQ_STATUS_FAULT_SHIFT 31 /* a queue stopped: its Q_STATUS.ERROR was set */
#define   EIE_IRQ_STATUS_FAULT_MASK 0x1
#define EIE_REG_IRQ_ENABLE 0x014 /* rw, reset 0x0: mask of the level interrupt line; message vectors are not masked here */
#define EIE_REG_TLB_INV 0x018 /* rw, reset 0x0: a write starts an invalidation and clears INV_STATUS.DONE */
#define   EIE_TLB_INV_ASID_SHIFT 0 /* address space to forget */
#define   EIE_TLB_INV_ASID_MASK 0xffff
#define   EIE_TLB_INV_ALL_SHIFT 16 /* forget all address spaces */
#define   EIE_TLB_INV_ALL_MASK 0x1
#define EIE_REG_INV_STATUS 0x01c /* ro, reset 0x1: progress of the invalidation */
#define   EIE_INV_STATUS_DONE_SHIFT 0 /* entries are gone and every transaction that used them has ended */
#define   EIE_INV_STATUS_DONE_MASK 0x1
#define EIE_REG_TIME_LO 0x030 /* ro, reset 0x0: cycles since reset, low half; a read latches TIME_HI */
#define EIE_REG_TIME_HI 0x034 /* ro, reset 0x0: cycles since reset, high half at the last read of TIME_LO */
#define EIE_REG_NQUEUES 0x038 /* ro, reset 0x4: queue pairs present */
#define EIE_REG_DT_SIZE 0x03c /* ro, reset 0x0: bytes of the flattened device tree at DT_BASE */
#define EIE_REG_PROGRESS 0x040 /* ro, reset 0x0: free-running, cleared by nothing: commands completed, plus granules that went over the bus for a job (base table, commands, page tables, loads, stores) */

/* Queue registers: Queue q's are at QUEUE_BASE + q * QUEUE_STRIDE. Bases and sizes take effect, and counters restart at zero, when Q_CTRL.ENABLE goes from 0 to 1. Queue q is priority level q: whenever the chip is free, the job at the head of the lowest q that has one is next. */
#define EIE_REG_Q_SQ_BASE_LO 0x000 /* rw, reset 0x0: bus address of the submission ring, 128-byte aligned, low half */
#define EIE_REG_Q_SQ_BASE_HI 0x004 /* rw, reset 0x0: high half */
#define EIE_REG_Q_CQ_BASE_LO 0x008 /* rw, reset 0x0: bus address of the completion ring, 128-byte aligned, low half */
#define EIE_REG_Q_CQ_BASE_HI 0x00c /* rw, reset 0x0: high half */
#define EIE_REG_Q_SIZE 0x010 /* rw, reset 0x0: ring sizes */
#define   EIE_Q_SIZE_SQ_LOG2_SHIFT 0 /* log2 of the submission ring's entries, 1..12 */
#define   EIE_Q_SIZE_SQ_LOG2_MASK 0xf
#define   EIE_Q_SIZE_CQ_LOG2_SHIFT 8 /* log2 of the completion ring's entries, 1..12 */
#define   EIE_Q_SIZE_CQ_LOG2_MASK 0xf
#define EIE_REG_Q_CTRL 0x014 /* rw, reset 0x0: queue control */
#define   EIE_Q_CTRL_ENABLE_SHIFT 0 /* the queue takes doorbells; cleared: no further job of it starts */
#define   EIE_Q_CTRL_ENABLE_MASK 0x1
#define   EIE_Q_CTRL_RESET_SHIFT 1 /* write 1: no further job of the queue starts, its job on the chip ends with status ABORTED (entry and interrupt as ever), then the queue's registers are cleared; reads 1 until done, and whatever is written to the queue's registers meanwhile is lost */
#define   EIE_Q_CTRL_RESET_MASK 0x1
#define EIE_REG_Q_STATUS 0x018 /* ro, reset 0x0: queue status */
#define   EIE_Q_STATUS_ERROR_SHIFT 0 /* the queue stopped (CAUSE): no further job of it starts until ENABLE goes 0 to 1, or a reset */
#define   EIE_Q_STATUS_ERROR_MASK 0x1
#define   EIE_Q_STATUS_RUNNING_SHIFT 1 /* the job on the chip is this queue's */
#define   EIE_Q_STATUS_RUNNING_MASK 0x1
#define   EIE_Q_STATUS_CAUSE_SHIFT 8 /* enum halt: why ERROR was set */
#define   EIE_Q_STATUS_CAUSE_MASK 0xff
#define EIE_REG_Q_DOORBELL 0x01c /* rw, reset 0x0: one write submits: both counters run freely modulo 65536, ring index = counter modulo size */
#define   EIE_Q_DOORBELL_SQ_TAIL_SHIFT 0 /* jobs submitted since ENABLE */
#define   EIE_Q_DOORBELL_SQ_TAIL_MASK 0xffff
#define   EIE_Q_DOORBELL_CQ_HEAD_SHIFT 16 /* completion entries consumed since ENABLE; a job starts only when its entry has room */
#define   EIE_Q_DOORBELL_CQ_HEAD_MASK 0xffff
#define EIE_REG_Q_HEADS 0x020 /* ro, reset 0x0: for debugging: the fast path never reads it */
#define   EIE_Q_HEADS_SQ_HEAD_SHIFT 0 /* jobs taken since ENABLE */
#define   EIE_Q_HEADS_SQ_HEAD_MASK 0xffff
#define   EIE_Q_HEADS_CQ_TAIL_SHIFT 16 /* completion entries written since ENABLE */
#define   EIE_Q_HEADS_CQ_TAIL_MASK 0xffff
#define EIE_REG_Q_FAULT_ADDR_LO 0x024 /* ro, reset 0x0: bus address of what CAUSE is about, 0 for DOORBELL; low half */
#define EIE_REG_Q_FAULT_ADDR_HI 0x028 /* ro, reset 0x0: high half */

/* enum halt: Q_STATUS.CAUSE: why the queue stopped; the other queues go on */
#define EIE_HALT_NONE 0x0 /* nothing */
#define EIE_HALT_DESC_READ 0x1 /* bus error when reading a job descriptor; that job was not taken (SQ_HEAD) */
#define EIE_HALT_CPL_WRITE 0x2 /* bus error when writing a completion entry; the job has ended, CQ_TAIL counts the lost entry */
#define EIE_HALT_DOORBELL 0x3 /* doorbell refused: more jobs than the ring holds, or entries consumed that were not written */

/* Engine counters: Read only, at PERF_BASE + PERF_STRIDE * number. A read of the low half latches the high half of the same counter. They run from power-on, modulo 2^48, and nothing clears them: take differences. In each cycle of a job, from TIME_START to TIME_END of its completion entry, each of the four engines adds one to exactly one of its counters; so the differences of an engine's counters over a job add up to its CYCLES. Granules are counted when they go over the bus. They tell of all address spaces: only the driver may read them. */

/* enum perf: Engine counters; the first cause that is true counts */
#define EIE_PERF_JOBS 0x0 /* jobs that became quiet */
#define EIE_PERF_CYCLES 0x1 /* cycles of jobs */
#define EIE_PERF_CMD_BUSY 0x2 /* command processor: a command went into the queue of its engine */
#define EIE_PERF_CMD_LOAD 0x3 /* command processor: the next command is a load, whose queue is full */
#define EIE_PERF_CMD_COMPUTE 0x4 /* command processor: it is a compute command, whose queue is full */
#define EIE_PERF_CMD_STORE 0x5 /* command processor: it is a store, whose queue is full */
#define EIE_PERF_CMD_FETCH 0x6 /* command processor: it has not come from memory, or is being checked */
#define EIE_PERF_CMD_DONE 0x7 /* command processor: all commands are in queues or complete */
#define EIE_PERF_CMD_IDLE 0x8 /* command processor: no command buffer was given to it, or a fault stopped it */
#define EIE_PERF_LOAD_BUSY 0x9 /* load: a granule went into a buffer */
#define EIE_PERF_LOAD_BUFFER 0xa /* load: a granule is there, the buffer does not take it (a drain writes to ABUF) */
#define EIE_PERF_LOAD_MEMORY 0xb /* load: bursts are asked for, no granule has come */
#define EIE_PERF_LOAD_ADDRESS 0xc /* load: nothing is asked for, the first burst waits for its translation or for the bus */
#define EIE_PERF_LOAD_SETUP 0xd /* load: a command starts, or a fault of one waits for what is before it */
#define EIE_PERF_LOAD_TOKEN 0xe /* load: the next command lacks a token of compute */
#define EIE_PERF_LOAD_CMD 0xf /* load: no command, some are left to dispatch */
#define EIE_PERF_LOAD_IDLE 0x10 /* load: no command, and none left */
#define EIE_PERF_COMPUTE_BUSY 0x11 /* compute: at least one lane multiplied (CPL.BUSY) */
#define EIE_PERF_COMPUTE_DRAIN 0x12 /* compute: accumulators were drained (CPL.STALL_DRAIN) */
#define EIE_PERF_COMPUTE_ARRAY 0x13 /* compute: a MAC was in the array (CPL.STALL_ARRAY) */
#define EIE_PERF_COMPUTE_LOAD 0x14 /* compute: the next command lacks a token of load (CPL.STALL_LOAD) */
#define EIE_PERF_COMPUTE_STORE 0x15 /* compute: the next command lacks a token of store (CPL.STALL_STORE) */
#define EIE_PERF_COMPUTE_SYNC 0x16 /* compute: a command waited for an earlier one or was being set up (CPL.STALL_SYNC) */
#define EIE_PERF_COMPUTE_CMD 0x17 /* compute: no command, some are left to dispatch (CPL.STALL_CMD) */
#define EIE_PERF_COMPUTE_FRONT 0x18 /* compute: no command was asked for yet (CPL.STALL_FRONT) */
#define EIE_PERF_COMPUTE_TAIL 0x19 /* compute: no command, and none left (CPL.STALL_TAIL) */
#define EIE_PERF_STORE_BUSY 0x1a /* store: a granule went to the bus master */
#define EIE_PERF_STORE_BUS 0x1b /* store: a granule is there, the bus master does not take it */
#define EIE_PERF_STORE_ABUF 0x1c /* store: granules are being read from ABUF, or it refuses */
#define EIE_PERF_STORE_ADDRESS 0x1d /* store: a burst waits for its translation or for the bus */
#define EIE_PERF_STORE_ANSWER 0x1e /* store: all is written, responses are owed */
#define EIE_PERF_STORE_SETUP 0x1f /* store: a command starts, or a fault of one waits for what is before it */
#define EIE_PERF_STORE_TOKEN 0x20 /* store: the next command lacks a token of compute */
#define EIE_PERF_STORE_CMD 0x21 /* store: no command, some are left to dispatch */
#define EIE_PERF_STORE_IDLE 0x22 /* store: no command, and none left */
#define EIE_PERF_READ_DESCRIPTORS 0x23 /* granules read: job descriptors */
#define EIE_PERF_READ_BASES 0x24 /* granules read: base tables */
#define EIE_PERF_READ_COMMANDS 0x25 /* granules read: commands */
#define EIE_PERF_READ_TABLES 0x26 /* granules read: page tables (an entry each) */
#define EIE_PERF_READ_ABUF 0x27 /* granules read: to ABUF, that is input (and tables of VTABLE) */
#define EIE_PERF_READ_WBUF 0x28 /* granules read: to WBUF, weights */
#define EIE_PERF_READ_PBUF 0x29 /* granules read: to PBUF, column pointers */
#define EIE_PERF_READ_RBUF 0x2a /* granules read: to RBUF, row parameters */
#define EIE_PERF_READ_CBUF 0x2b /* granules read: to CBUF, codebooks */
#define EIE_PERF_WRITE_ABUF 0x2c /* granules written: stores */
#define EIE_PERF_WRITE_COMPLETIONS 0x2d /* granules written: completion entries */
#define EIE_PERF_READ_DROPPED 0x2e /* granules read for a job that has failed, and dropped */
#define EIE_PERF_WRITE_DROPPED 0x2f /* granules that such a job owed, written with no byte enabled */
#define EIE_PERF_WEIGHT_SPAN 0x30 /* cycles from the first to the last granule to WBUF, both included, of each job */
#define EIE_PERF_WEIGHT_BEATS 0x31 /* granules to all buffers in these cycles */

/* Job descriptor: An entry of the submission ring, written by the kernel. */
struct eie_desc {
	__le64 fence;
	__le64 root;
	__le16 asid;
	__le16 nbases;
	__le32 cycle_limit;
	__le64 residency;
	__le64 bases;
	__le64 cmds;
	__le64 restore;
	__le32 ncmds;
	__le32 nrestore;
	__u8 rsvd0[64];
};
#define EIE_DESC_FENCE_OFFSET 0x00 /* copied to the completion entry */
#define EIE_DESC_ROOT_OFFSET 0x08 /* bus address of the Sv39 root table, 4 KiB aligned, below 2^56 */
#define EIE_DESC_ASID_OFFSET 0x10 /* address space */
#define EIE_DESC_NBASES_OFFSET 0x12 /* entries of the base table, 0..MAX_BASES */
#define EIE_DESC_CYCLE_LIMIT_OFFSET 0x14 /* cycles the job may take from descriptor to quiet; 0: 2^32 - 1 */
#define EIE_DESC_RESIDENCY_OFFSET 0x18 /* residency tag; 0: this job leaves nothing resident */
#define EIE_DESC_BASES_OFFSET 0x20 /* device address of the base table: NBASES 64-bit device addresses; 16-byte aligned */
#define EIE_DESC_CMDS_OFFSET 0x28 /* device address of the commands, 32-byte aligned */
#define EIE_DESC_RESTORE_OFFSET 0x30 /* device address of the restore commands, 32-byte aligned */
#define EIE_DESC_NCMDS_OFFSET 0x38 /* number of commands, below 2^24 */
#define EIE_DESC_NRESTORE_OFFSET 0x3c /* number of restore commands, below 2^24; they run first unless (ASID, RESIDENCY) is what the chip holds */

/* Completion entry: Written in one burst after the last write response of the job. The phase bit is in the last beat. */
struct eie_cpl {
	__le64 fence;
	__le64 fault_addr;
	__le64 time_start;
	__le64 time_end;
	__le64 macs;
	__le32 cycles;
	__le32 busy;
	__le32 stall_drain;
	__le32 stall_array;
	__le32 stall_load;
	__le32 stall_store;
	__le32 stall_sync;
	__le32 stall_cmd;
	__le32 stall_front;
	__le32 stall_tail;
	__le32 engine_cycles;
	__le32 saturated;
	__le32 read_beats;
	__le32 write_beats;
	__le32 tlb_misses;
	__le32 commands;
	__le32 fault_cmd;
	__u8 rsvd0[4];
	__le32 status;
	__le32 sq_head;
	__le32 restored;
	__le32 phase;
};
#define EIE_CPL_FENCE_OFFSET 0x00 /* DESC.FENCE */
#define EIE_CPL_FAULT_ADDR_OFFSET 0x08 /* device address of a page fault or bus error, else 0 */
#define EIE_CPL_TIME_START_OFFSET 0x10 /* TIME when the descriptor had been read */
#define EIE_CPL_TIME_END_OFFSET 0x18 /* TIME when the job was quiet */
#define EIE_CPL_MACS_OFFSET 0x20 /* multiply-accumulates done */
#define EIE_CPL_CYCLES_OFFSET 0x28 /* TIME_END - TIME_START; the sum of the next nine */
#define EIE_CPL_BUSY_OFFSET 0x2c /* cycles in which at least one lane multiplied */
#define EIE_CPL_STALL_DRAIN_OFFSET 0x30 /* cycles, no lane multiplied: accumulators were drained */
#define EIE_CPL_STALL_ARRAY_OFFSET 0x34 /* cycles, neither: a MAC command was in the array (pipeline fill, weight ports, zero scan) */
#define EIE_CPL_STALL_LOAD_OFFSET 0x38 /* cycles, none of these: the compute engine waited for a token of the load engine */
#define EIE_CPL_STALL_STORE_OFFSET 0x3c /* cycles, none of these: it waited for a token of the store engine */
#define EIE_CPL_STALL_SYNC_OFFSET 0x40 /* cycles, none of these: a compute command waited for an earlier one or was being set up */
#define EIE_CPL_STALL_CMD_OFFSET 0x44 /* cycles, none of these: no compute command had arrived though commands were left to fetch */
#define EIE_CPL_STALL_FRONT_OFFSET 0x48 /* cycles before the first command was asked for */
#define EIE_CPL_STALL_TAIL_OFFSET 0x4c /* cycles, none of these: all commands fetched, loads and stores finished, the job became quiet */
#define EIE_CPL_ENGINE_CYCLES_OFFSET 0x50 /* sum over runs of the array: first broadcast to last accumulator drained */
#define EIE_CPL_SATURATED_OFFSET 0x54 /* outputs cut by a clamp at +-32767 */
#define EIE_CPL_READ_BEATS_OFFSET 0x58 /* granules read for commands, bases and loads */
#define EIE_CPL_WRITE_BEATS_OFFSET 0x5c /* granules stored */
#define EIE_CPL_TLB_MISSES_OFFSET 0x60 /* translations that needed a page walk */
#define EIE_CPL_COMMANDS_OFFSET 0x64 /* commands dispatched, restore commands included */
#define EIE_CPL_FAULT_CMD_OFFSET 0x68 /* command that failed */
#define   EIE_CPL_FAULT_INDEX_DW 26 /* its index */
#define   EIE_CPL_FAULT_INDEX_SHIFT 0
#define   EIE_CPL_FAULT_INDEX_MASK 0xffffff
#define   EIE_CPL_FAULT_RESTORE_DW 26 /* it is a restore command */
#define   EIE_CPL_FAULT_RESTORE_SHIFT 30
#define   EIE_CPL_FAULT_RESTORE_MASK 0x1
#define   EIE_CPL_FAULT_VALID_DW 26 /* the failure belongs to a command */
#define   EIE_CPL_FAULT_VALID_SHIFT 31
#define   EIE_CPL_FAULT_VALID_MASK 0x1
#define EIE_CPL_STATUS_OFFSET 0x70 /* enum status */
#define EIE_CPL_SQ_HEAD_OFFSET 0x74 /* jobs taken from the submission ring since ENABLE, modulo 65536 */
#define EIE_CPL_RESTORED_OFFSET 0x78 /* 1: the restore commands ran */
#define EIE_CPL_PHASE_OFFSET 0x7c /* 1 in the first pass over the ring, 0 in the second, and so on */

/* enum status: CPL.STATUS: how the job ended. When several things fail in one cycle the lowest number is reported */
#define EIE_STATUS_OK 0x0 /* all commands completed */
#define EIE_STATUS_BAD_DESCRIPTOR 0x1 /* a reserved bit of the descriptor is set, or an address or count is out of range */
#define EIE_STATUS_BAD_COMMAND 0x2 /* unknown opcode, reserved bit set, or a field that has no meaning */
#define EIE_STATUS_BAD_RANGE 0x3 /* an on-chip address, base index or count is out of range */
#define EIE_STATUS_MISALIGNED 0x4 /* a device address is not a multiple of 16 */
#define EIE_STATUS_PAGE_FAULT 0x5 /* no valid translation, or no permission (FAULT_ADDR) */
#define EIE_STATUS_BUS_ERROR 0x6 /* the bus answered with an error (FAULT_ADDR) */
#define EIE_STATUS_UNWRITTEN 0x7 /* a granule was read that this address space did not write since it took the chip */
#define EIE_STATUS_BAD_STREAM 0x8 /* a weight stream leaves its rows or its buffer, or ends in an escape */
#define EIE_STATUS_BAD_PARAM 0x9 /* a row parameter has shift 0 or above 47, or its reserved byte set */
#define EIE_STATUS_TOKEN_OVERFLOW 0xa /* more than TOKENS_MAX tokens between two engines */
#define EIE_STATUS_TIMEOUT 0xb /* DESC.CYCLE_LIMIT reached */
#define EIE_STATUS_ABORTED 0xc /* CTRL.ABORT, CTRL.RESET or the queue's Q_CTRL.RESET */

/* Page-table entry: Sv39 of the RISC-V privileged specification, section 4.4: three levels, 4 KiB and 2 MiB leaves. Bits U, X, G, A, D are not looked at; a 1 GiB leaf, W without R, a misaligned 2 MiB leaf, or bits 54 and up set is a page fault. */
#define EIE_PTE_V 0x1 /* valid */
#define EIE_PTE_R 0x2 /* readable */
#define EIE_PTE_W 0x4 /* writable */
#define EIE_PTE_PPN_LSB 0xa /* least significant bit of the physical page number */
#define EIE_PTE_PPN_BITS 0x2c /* its width */
#define EIE_VA_BITS 0x27 /* device addresses are canonical: bits 63..38 are equal */

/* Commands: 32 bytes. Engines: load, compute, store; each runs its commands in order, and hands tokens to its neighbour (load - compute - store). A command waits for its tokens before it starts and signals when it has completed. */
struct eie_cmd {
	__le32 dw[8];
};
#define   EIE_CMD_OPCODE_DW 0 /* enum op */
#define   EIE_CMD_OPCODE_SHIFT 0
#define   EIE_CMD_OPCODE_MASK 0xff
#define   EIE_CMD_WAIT_PREV_DW 0 /* take a token of the previous engine (compute: of load; store: of compute) first */
#define   EIE_CMD_WAIT_PREV_SHIFT 8
#define   EIE_CMD_WAIT_PREV_MASK 0x1
#define   EIE_CMD_WAIT_NEXT_DW 0 /* take a token of the next engine (load: of compute; compute: of store) first */
#define   EIE_CMD_WAIT_NEXT_SHIFT 9
#define   EIE_CMD_WAIT_NEXT_MASK 0x1
#define   EIE_CMD_SIGNAL_PREV_DW 0 /* give a token to the previous engine when complete */
#define   EIE_CMD_SIGNAL_PREV_SHIFT 10
#define   EIE_CMD_SIGNAL_PREV_MASK 0x1
#define   EIE_CMD_SIGNAL_NEXT_DW 0 /* give a token to the next engine when complete */
#define   EIE_CMD_SIGNAL_NEXT_SHIFT 11
#define   EIE_CMD_SIGNAL_NEXT_MASK 0x1
#define   EIE_CMD_FENCE_DW 0 /* compute, SELECT: start after all earlier commands of the engine have completed; without it a SELECT starts after all but the last of them */
#define   EIE_CMD_FENCE_SHIFT 12
#define   EIE_CMD_FENCE_MASK 0x1

/* enum feature: Bits of the device tree's eie,features (absent: none); a command of a feature that the engine does not have is an unknown opcode */
#define EIE_FEATURE_VECTOR 0x1 /* VMAC, VDRAIN: docs/vector_mode.md */
#define EIE_FEATURE_POOL 0x2 /* VPOOL: docs/vector_mode.md */
#define EIE_FEATURE_ELEMENT 0x4 /* VMUL, VTABLE: docs/vector_mode.md */
#define EIE_FEATURE_SPLIT 0x8 /* the bit VMAC_SPLIT: docs/vector_mode.md */
#define EIE_FEATURE_SELECT 0x10 /* SELECT (ISA minor 3) */

/* enum op: CMD.OPCODE; the high digit names the engine */
#define EIE_OP_LOAD 0x10 /* memory to on-chip buffer (fields XFER_*) */
#define EIE_OP_SELECT 0x11 /* memory to WBUF or PBUF, but for granules that belong to columns of zero activations alone (fields XFER_*, SELECT_*; FEATURE_SELECT) */
#define EIE_OP_SYNC 0x20 /* compute: nothing; carries tokens and the fence */
#define EIE_OP_MAC 0x21 /* compute: multiply a vector of ABUF with a tile of weights into an accumulator half (fields MAC_*) */
#define EIE_OP_DRAIN 0x22 /* compute: sum banks, add bias, requantise, clamp an accumulator half into ABUF, and clear it (fields DRAIN_*) */
#define EIE_OP_VMAC 0x23 /* compute: multiply windows of an image in ABUF with a tile of weights, eight pixels at a time (fields VMAC_*; FEATURE_VECTOR) */
#define EIE_OP_VDRAIN 0x24 /* compute: what DRAIN does, for the sums of VMACs (fields VDRAIN_*; FEATURE_VECTOR) */
#define EIE_OP_VPOOL 0x25 /* compute: largest value or sum of each window of an image in ABUF, eight windows at a time (fields VPOOL_*; FEATURE_POOL) */
#define EIE_OP_VMUL 0x26 /* compute: multiply two tensors in ABUF value by value, or one of them with a value a channel (fields VMUL_*; FEATURE_ELEMENT) */
#define EIE_OP_VTABLE 0x27 /* compute: interpolate a table of 257 values at every value of a tensor in ABUF (fields VTABLE_*; FEATURE_ELEMENT) */
#define EIE_OP_STORE 0x30 /* ABUF to memory (fields XFER_*) */
#define   EIE_CMD_XFER_TARGET_DW 0 /* enum buf */
#define   EIE_CMD_XFER_TARGET_SHIFT 16
#define   EIE_CMD_XFER_TARGET_MASK 0xf
#define   EIE_CMD_XFER_BASE_DW 0 /* index into the base table */
#define   EIE_CMD_XFER_BASE_SHIFT 24
#define   EIE_CMD_XFER_BASE_MASK 0xff
#define   EIE_CMD_XFER_OFFSET_DW 1 /* bytes added to the base, multiple of 16 */
#define   EIE_CMD_XFER_OFFSET_SHIFT 0
#define   EIE_CMD_XFER_OFFSET_MASK 0xffffffff
#define   EIE_CMD_XFER_CLUSTER_DW 2 /* first cluster (WBUF, PBUF, RBUF): row r goes to cluster CLUSTER + r; else 0 */
#define   EIE_CMD_XFER_CLUSTER_SHIFT 0
#define   EIE_CMD_XFER_CLUSTER_MASK 0xff
#define   EIE_CMD_XFER_ADDR_DW 3 /* first granule of the buffer */
#define   EIE_CMD_XFER_ADDR_SHIFT 0
#define   EIE_CMD_XFER_ADDR_MASK 0xffffff
#define   EIE_CMD_XFER_LEN_DW 4 /* granules a row, at least 1 */
#define   EIE_CMD_XFER_LEN_SHIFT 0
#define   EIE_CMD_XFER_LEN_MASK 0xffffff
#define   EIE_CMD_XFER_MEM_STRIDE_DW 5 /* bytes from a row to the next in memory, multiple of 16 */
#define   EIE_CMD_XFER_MEM_STRIDE_SHIFT 0
#define   EIE_CMD_XFER_MEM_STRIDE_MASK 0xffffffff
#define   EIE_CMD_XFER_BUF_STRIDE_DW 6 /* granules from a row to the next in the buffer (ABUF, CBUF); else 0 */
#define   EIE_CMD_XFER_BUF_STRIDE_SHIFT 0
#define   EIE_CMD_XFER_BUF_STRIDE_MASK 0xffffff
#define   EIE_CMD_XFER_ROWS_DW 7 /* rows, at least 1 */
#define   EIE_CMD_XFER_ROWS_SHIFT 0
#define   EIE_CMD_XFER_ROWS_MASK 0xffff
#define   EIE_CMD_SELECT_WIDE_DW 0 /* to WBUF: 0: 4-bit codes, 1: 8-bit codes, as MAC_WIDE; else 0 */
#define   EIE_CMD_SELECT_WIDE_SHIFT 20
#define   EIE_CMD_SELECT_WIDE_MASK 0x1
#define   EIE_CMD_SELECT_IN_DW 2 /* first granule of the input vector in ABUF */
#define   EIE_CMD_SELECT_IN_SHIFT 8
#define   EIE_CMD_SELECT_IN_MASK 0xffffff
#define   EIE_CMD_SELECT_PTR_DW 6 /* to WBUF: granule of PBUF with the pointer of column 0, pointers count from XFER_ADDR; else 0 */
#define   EIE_CMD_SELECT_PTR_SHIFT 0
#define   EIE_CMD_SELECT_PTR_MASK 0xffffff
#define   EIE_CMD_SELECT_LEN_DW 7 /* granules of input (columns / 8), at least 1; to PBUF: XFER_LEN / 2 */
#define   EIE_CMD_SELECT_LEN_SHIFT 16
#define   EIE_CMD_SELECT_LEN_MASK 0xffff

/* enum buf: CMD.XFER_TARGET: on-chip buffers; STORE takes ABUF only, SELECT WBUF and PBUF */
#define EIE_BUF_ABUF 0x0 /* activations: one memory for the array */
#define EIE_BUF_WBUF 0x1 /* weight streams: one a cluster */
#define EIE_BUF_PBUF 0x2 /* column pointers: one a cluster */
#define EIE_BUF_RBUF 0x3 /* row parameters: one a cluster */
#define EIE_BUF_CBUF 0x4 /* codebooks: one memory, copied to every lane */
#define   EIE_CMD_MAC_HALF_DW 0 /* accumulator half */
#define   EIE_CMD_MAC_HALF_SHIFT 16
#define   EIE_CMD_MAC_HALF_MASK 0x1
#define   EIE_CMD_MAC_WIDE_DW 0 /* 0: 4-bit codes, one byte an entry; 1: 8-bit codes, two bytes an entry */
#define   EIE_CMD_MAC_WIDE_SHIFT 17
#define   EIE_CMD_MAC_WIDE_MASK 0x1
#define   EIE_CMD_MAC_IN_DW 1 /* first granule of the input vector in ABUF */
#define   EIE_CMD_MAC_IN_SHIFT 0
#define   EIE_CMD_MAC_IN_MASK 0xffffff
#define   EIE_CMD_MAC_LEN_DW 2 /* granules of input (columns / 8), at least 1 */
#define   EIE_CMD_MAC_LEN_SHIFT 0
#define   EIE_CMD_MAC_LEN_MASK 0xffffff
#define   EIE_CMD_MAC_PTR_DW 3 /* granule of PBUF with the pointer of column 0 (2 granules of pointers a granule of input) */
#define   EIE_CMD_MAC_PTR_SHIFT 0
#define   EIE_CMD_MAC_PTR_MASK 0xffffff
#define   EIE_CMD_MAC_WEIGHTS_DW 4 /* granule of WBUF that pointers count from */
#define   EIE_CMD_MAC_WEIGHTS_SHIFT 0
#define   EIE_CMD_MAC_WEIGHTS_MASK 0xffffff
#define   EIE_CMD_MAC_CODEBOOK_DW 5 /* granule of CBUF with the codebook; multiple of 2 (4-bit) or 32 (8-bit) */
#define   EIE_CMD_MAC_CODEBOOK_SHIFT 0
#define   EIE_CMD_MAC_CODEBOOK_MASK 0xff
#define   EIE_CMD_DRAIN_HALF_DW 0 /* accumulator half */
#define   EIE_CMD_DRAIN_HALF_SHIFT 16
#define   EIE_CMD_DRAIN_HALF_MASK 0x1
#define   EIE_CMD_DRAIN_OUT_DW 1 /* granule of ABUF for step 0 of cluster 0; step t of cluster c goes to OUT + t * STRIDE + c; multiple of CLUSTERS */
#define   EIE_CMD_DRAIN_OUT_SHIFT 0
#define   EIE_CMD_DRAIN_OUT_MASK 0xffffff
#define   EIE_CMD_DRAIN_STRIDE_DW 2 /* granules from a step to the next, multiple of CLUSTERS, at least CLUSTERS */
#define   EIE_CMD_DRAIN_STRIDE_SHIFT 0
#define   EIE_CMD_DRAIN_STRIDE_MASK 0xffffff
#define   EIE_CMD_DRAIN_STEPS_DW 3 /* steps of 8 rows a cluster, 1 .. rows / 8 */
#define   EIE_CMD_DRAIN_STEPS_SHIFT 0
#define   EIE_CMD_DRAIN_STEPS_MASK 0xffff
#define   EIE_CMD_DRAIN_PARAM_DW 4 /* granule of RBUF with the parameters of row 0; 4 granules a step */
#define   EIE_CMD_DRAIN_PARAM_SHIFT 0
#define   EIE_CMD_DRAIN_PARAM_MASK 0xffffff
#define   EIE_CMD_DRAIN_LO_DW 5 /* lower clamp, int16, -32767 .. HI */
#define   EIE_CMD_DRAIN_LO_SHIFT 0
#define   EIE_CMD_DRAIN_LO_MASK 0xffff
#define   EIE_CMD_DRAIN_HI_DW 5 /* upper clamp, int16, LO .. 32767 */
#define   EIE_CMD_DRAIN_HI_SHIFT 16
#define   EIE_CMD_DRAIN_HI_MASK 0xffff
#define   EIE_CMD_VMAC_HALF_DW 0 /* accumulator half */
#define   EIE_CMD_VMAC_HALF_SHIFT 16
#define   EIE_CMD_VMAC_HALF_MASK 0x1
#define   EIE_CMD_VMAC_WIDE_DW 0 /* 0: 4-bit codes, one byte an entry; 1: 8-bit codes, two bytes an entry */
#define   EIE_CMD_VMAC_WIDE_SHIFT 17
#define   EIE_CMD_VMAC_WIDE_MASK 0x1
#define   EIE_CMD_VMAC_ORIGIN_DW 0 /* the image's pixel (0, 0) is value ORIGIN of pixel group 0 */
#define   EIE_CMD_VMAC_ORIGIN_SHIFT 18
#define   EIE_CMD_VMAC_ORIGIN_MASK 0x7
#define   EIE_CMD_VMAC_SPLIT_DW 0 /* 0: the lanes of a cluster take each column together; 1: each takes those whose pixel is not zero (FEATURE_SPLIT; else 0) */
#define   EIE_CMD_VMAC_SPLIT_SHIFT 21
#define   EIE_CMD_VMAC_SPLIT_MASK 0x1
#define   EIE_CMD_VMAC_CODEBOOK_DW 0 /* granule of CBUF with the codebook; multiple of 2 (4-bit) or 32 (8-bit) */
#define   EIE_CMD_VMAC_CODEBOOK_SHIFT 24
#define   EIE_CMD_VMAC_CODEBOOK_MASK 0xff
#define   EIE_CMD_VMAC_IN_DW 1 /* granule of ABUF of channel 0, pixel group 0; multiple of CLUSTERS */
#define   EIE_CMD_VMAC_IN_SHIFT 0
#define   EIE_CMD_VMAC_IN_MASK 0xffffff
#define   EIE_CMD_VMAC_KERNEL_Y_DW 1 /* rows of the window, at least 1 */
#define   EIE_CMD_VMAC_KERNEL_Y_SHIFT 24
#define   EIE_CMD_VMAC_KERNEL_Y_MASK 0xf
#define   EIE_CMD_VMAC_KERNEL_X_DW 1 /* columns of the window, at least 1 */
#define   EIE_CMD_VMAC_KERNEL_X_SHIFT 28
#define   EIE_CMD_VMAC_KERNEL_X_MASK 0xf
#define   EIE_CMD_VMAC_PTR_DW 2 /* granule of PBUF with the pointer of column 0 */
#define   EIE_CMD_VMAC_PTR_SHIFT 0
#define   EIE_CMD_VMAC_PTR_MASK 0xffff
#define   EIE_CMD_VMAC_WEIGHTS_DW 2 /* granule of WBUF that pointers count from */
#define   EIE_CMD_VMAC_WEIGHTS_SHIFT 16
#define   EIE_CMD_VMAC_WEIGHTS_MASK 0xffff
#define   EIE_CMD_VMAC_PLANE_DW 3 /* pixel groups a channel, at least 1 */
#define   EIE_CMD_VMAC_PLANE_SHIFT 0
#define   EIE_CMD_VMAC_PLANE_MASK 0xfffff
#define   EIE_CMD_VMAC_CHANNELS_DW 3 /* channels of input, at least 1 */
#define   EIE_CMD_VMAC_CHANNELS_SHIFT 20
#define   EIE_CMD_VMAC_CHANNELS_MASK 0xfff
#define   EIE_CMD_VMAC_IN_X_DW 4 /* pixels in a row of the image, at least 1 */
#define   EIE_CMD_VMAC_IN_X_SHIFT 0
#define   EIE_CMD_VMAC_IN_X_MASK 0xfff
#define   EIE_CMD_VMAC_IN_Y_DW 4 /* rows of the image, at least 1 */
#define   EIE_CMD_VMAC_IN_Y_SHIFT 12
#define   EIE_CMD_VMAC_IN_Y_MASK 0xfff
#define   EIE_CMD_VMAC_STRIDE_X_DW 4 /* pixels from a window to the next in a row, at least 1 */
#define   EIE_CMD_VMAC_STRIDE_X_SHIFT 24
#define   EIE_CMD_VMAC_STRIDE_X_MASK 0xf
#define   EIE_CMD_VMAC_STRIDE_Y_DW 4 /* rows from a row of windows to the next, at least 1 */
#define   EIE_CMD_VMAC_STRIDE_Y_SHIFT 28
#define   EIE_CMD_VMAC_STRIDE_Y_MASK 0xf
#define   EIE_CMD_VMAC_OUT_X_DW 5 /* windows in a row, at least 1 */
#define   EIE_CMD_VMAC_OUT_X_SHIFT 0
#define   EIE_CMD_VMAC_OUT_X_MASK 0xfff
#define   EIE_CMD_VMAC_ROWS_DW 5 /* rows of weights a cluster, at least 1 */
#define   EIE_CMD_VMAC_ROWS_SHIFT 12
#define   EIE_CMD_VMAC_ROWS_MASK 0xfff
#define   EIE_CMD_VMAC_DILATE_X_DW 5 /* pixels from a column of the window to the next, at least 1 */
#define   EIE_CMD_VMAC_DILATE_X_SHIFT 24
#define   EIE_CMD_VMAC_DILATE_X_MASK 0xf
#define   EIE_CMD_VMAC_DILATE_Y_DW 5 /* rows from a row of the window to the next, at least 1 */
#define   EIE_CMD_VMAC_DILATE_Y_SHIFT 28
#define   EIE_CMD_VMAC_DILATE_Y_MASK 0xf
#define   EIE_CMD_VMAC_FIRST_X_DW 6 /* column of the first window, below OUT_X */
#define   EIE_CMD_VMAC_FIRST_X_SHIFT 0
#define   EIE_CMD_VMAC_FIRST_X_MASK 0xfff
#define   EIE_CMD_VMAC_FIRST_Y_DW 6 /* row of the first window */
#define   EIE_CMD_VMAC_FIRST_Y_SHIFT 12
#define   EIE_CMD_VMAC_FIRST_Y_MASK 0xfff
#define   EIE_CMD_VMAC_PAD_X_DW 6 /* columns of zeros left of the image */
#define   EIE_CMD_VMAC_PAD_X_SHIFT 24
#define   EIE_CMD_VMAC_PAD_X_MASK 0xff
#define   EIE_CMD_VMAC_GROUPS_DW 7 /* groups of eight windows, at least 1 */
#define   EIE_CMD_VMAC_GROUPS_SHIFT 0
#define   EIE_CMD_VMAC_GROUPS_MASK 0xfff
#define   EIE_CMD_VMAC_PAD_Y_DW 7 /* rows of zeros above the image */
#define   EIE_CMD_VMAC_PAD_Y_SHIFT 12
#define   EIE_CMD_VMAC_PAD_Y_MASK 0xff
#define   EIE_CMD_VMAC_TAIL_DW 7 /* windows in the last group, 0: eight; those behind them see zeros */
#define   EIE_CMD_VMAC_TAIL_SHIFT 20
#define   EIE_CMD_VMAC_TAIL_MASK 0x7
#define   EIE_CMD_VDRAIN_HALF_DW 0 /* accumulator half */
#define   EIE_CMD_VDRAIN_HALF_SHIFT 16
#define   EIE_CMD_VDRAIN_HALF_MASK 0x1
#define   EIE_CMD_VDRAIN_TAIL_DW 0 /* pixels in the last group, 0: eight; the values behind them become 0 */
#define   EIE_CMD_VDRAIN_TAIL_SHIFT 18
#define   EIE_CMD_VDRAIN_TAIL_MASK 0x7
#define   EIE_CMD_VDRAIN_OUT_DW 1 /* granule of ABUF for row 0, group 0 of cluster 0; row r, group i, cluster c: OUT + r * PLANE * CLUSTERS + i * CLUSTERS + c; multiple of CLUSTERS */
#define   EIE_CMD_VDRAIN_OUT_SHIFT 0
#define   EIE_CMD_VDRAIN_OUT_MASK 0xffffff
#define   EIE_CMD_VDRAIN_PLANE_DW 2 /* pixel groups a channel of the output, at least GROUPS */
#define   EIE_CMD_VDRAIN_PLANE_SHIFT 0
#define   EIE_CMD_VDRAIN_PLANE_MASK 0xfffff
#define   EIE_CMD_VDRAIN_ROWS_DW 3 /* rows a cluster, at least 1 */
#define   EIE_CMD_VDRAIN_ROWS_SHIFT 0
#define   EIE_CMD_VDRAIN_ROWS_MASK 0xfff
#define   EIE_CMD_VDRAIN_GROUPS_DW 3 /* groups of eight pixels, at least 1 */
#define   EIE_CMD_VDRAIN_GROUPS_SHIFT 12
#define   EIE_CMD_VDRAIN_GROUPS_MASK 0xfff
#define   EIE_CMD_VDRAIN_PARAM_DW 4 /* granule of RBUF with the parameters of row 0; two rows a granule */
#define   EIE_CMD_VDRAIN_PARAM_SHIFT 0
#define   EIE_CMD_VDRAIN_PARAM_MASK 0xffffff
#define   EIE_CMD_VDRAIN_LO_DW 5 /* lower clamp, int16, -32767 .. HI */
#define   EIE_CMD_VDRAIN_LO_SHIFT 0
#define   EIE_CMD_VDRAIN_LO_MASK 0xffff
#define   EIE_CMD_VDRAIN_HI_DW 5 /* upper clamp, int16, LO .. 32767 */
#define   EIE_CMD_VDRAIN_HI_SHIFT 16
#define   EIE_CMD_VDRAIN_HI_MASK 0xffff
#define   EIE_CMD_VPOOL_ORIGIN_DW 0 /* as VMAC_ORIGIN; fields that both have lie in the same bits */
#define   EIE_CMD_VPOOL_ORIGIN_SHIFT 18
#define   EIE_CMD_VPOOL_ORIGIN_MASK 0x7
#define   EIE_CMD_VPOOL_SUM_DW 0 /* 0: the largest value; 1: the sum of all */
#define   EIE_CMD_VPOOL_SUM_SHIFT 16
#define   EIE_CMD_VPOOL_SUM_MASK 0x1
#define   EIE_CMD_VPOOL_SHIFT_DW 0 /* sums are rounded and shifted right by so many bits; 0 for the largest value */
#define   EIE_CMD_VPOOL_SHIFT_SHIFT 24
#define   EIE_CMD_VPOOL_SHIFT_MASK 0x1f
#define   EIE_CMD_VPOOL_IN_DW 1 /* granule of ABUF of channel 0, pixel group 0; multiple of CLUSTERS */
#define   EIE_CMD_VPOOL_IN_SHIFT 0
#define   EIE_CMD_VPOOL_IN_MASK 0xffffff
#define   EIE_CMD_VPOOL_KERNEL_Y_DW 1 /* rows of the window, at least 1 */
#define   EIE_CMD_VPOOL_KERNEL_Y_SHIFT 24
#define   EIE_CMD_VPOOL_KERNEL_Y_MASK 0xf
#define   EIE_CMD_VPOOL_KERNEL_X_DW 1 /* columns of the window, at least 1 */
#define   EIE_CMD_VPOOL_KERNEL_X_SHIFT 28
#define   EIE_CMD_VPOOL_KERNEL_X_MASK 0xf
#define   EIE_CMD_VPOOL_OUT_DW 2 /* granule of ABUF for channel 0, group 0; multiple of CLUSTERS */
#define   EIE_CMD_VPOOL_OUT_SHIFT 0
#define   EIE_CMD_VPOOL_OUT_MASK 0xffffff
#define   EIE_CMD_VPOOL_PLANE_DW 3 /* pixel groups a channel of the input, at least 1 */
#define   EIE_CMD_VPOOL_PLANE_SHIFT 0
#define   EIE_CMD_VPOOL_PLANE_MASK 0xfffff
#define   EIE_CMD_VPOOL_CHANNELS_DW 3 /* channels, at least 1, multiple of CLUSTERS */
#define   EIE_CMD_VPOOL_CHANNELS_SHIFT 20
#define   EIE_CMD_VPOOL_CHANNELS_MASK 0xfff
#define   EIE_CMD_VPOOL_IN_X_DW 4 /* pixels in a row of the image, at least 1 */
#define   EIE_CMD_VPOOL_IN_X_SHIFT 0
#define   EIE_CMD_VPOOL_IN_X_MASK 0xfff
#define   EIE_CMD_VPOOL_IN_Y_DW 4 /* rows of the image, at least 1 */
#define   EIE_CMD_VPOOL_IN_Y_SHIFT 12
#define   EIE_CMD_VPOOL_IN_Y_MASK 0xfff
#define   EIE_CMD_VPOOL_STRIDE_X_DW 4 /* pixels from a window to the next in a row, at least 1 */
#define   EIE_CMD_VPOOL_STRIDE_X_SHIFT 24
#define   EIE_CMD_VPOOL_STRIDE_X_MASK 0xf
#define   EIE_CMD_VPOOL_STRIDE_Y_DW 4 /* rows from a row of windows to the next, at least 1 */
#define   EIE_CMD_VPOOL_STRIDE_Y_SHIFT 28
#define   EIE_CMD_VPOOL_STRIDE_Y_MASK 0xf
#define   EIE_CMD_VPOOL_OUT_X_DW 5 /* windows in a row, at least 1 */
#define   EIE_CMD_VPOOL_OUT_X_SHIFT 0
#define   EIE_CMD_VPOOL_OUT_X_MASK 0xfff
#define   EIE_CMD_VPOOL_OUT_PLANE_DW 5 /* pixel groups a channel of the output, at least GROUPS */
#define   EIE_CMD_VPOOL_OUT_PLANE_SHIFT 12
#define   EIE_CMD_VPOOL_OUT_PLANE_MASK 0xfff
#define   EIE_CMD_VPOOL_DILATE_X_DW 5 /* pixels from a column of the window to the next, at least 1 */
#define   EIE_CMD_VPOOL_DILATE_X_SHIFT 24
#define   EIE_CMD_VPOOL_DILATE_X_MASK 0xf
#define   EIE_CMD_VPOOL_DILATE_Y_DW 5 /* rows from a row of the window to the next, at least 1 */
#define   EIE_CMD_VPOOL_DILATE_Y_SHIFT 28
#define   EIE_CMD_VPOOL_DILATE_Y_MASK 0xf
#define   EIE_CMD_VPOOL_FIRST_X_DW 6 /* column of the first window, below OUT_X */
#define   EIE_CMD_VPOOL_FIRST_X_SHIFT 0
#define   EIE_CMD_VPOOL_FIRST_X_MASK 0xfff
#define   EIE_CMD_VPOOL_FIRST_Y_DW 6 /* row of the first window */
#define   EIE_CMD_VPOOL_FIRST_Y_SHIFT 12
#define   EIE_CMD_VPOOL_FIRST_Y_MASK 0xfff
#define   EIE_CMD_VPOOL_PAD_X_DW 6 /* columns left of the image that windows may cover */
#define   EIE_CMD_VPOOL_PAD_X_SHIFT 24
#define   EIE_CMD_VPOOL_PAD_X_MASK 0xff
#define   EIE_CMD_VPOOL_GROUPS_DW 7 /* groups of eight windows, at least 1 */
#define   EIE_CMD_VPOOL_GROUPS_SHIFT 0
#define   EIE_CMD_VPOOL_GROUPS_MASK 0xfff
#define   EIE_CMD_VPOOL_PAD_Y_DW 7 /* rows above the image that windows may cover */
#define   EIE_CMD_VPOOL_PAD_Y_SHIFT 12
#define   EIE_CMD_VPOOL_PAD_Y_MASK 0xff
#define   EIE_CMD_VPOOL_TAIL_DW 7 /* windows in the last group, 0: eight; the values behind them become 0 */
#define   EIE_CMD_VPOOL_TAIL_SHIFT 20
#define   EIE_CMD_VPOOL_TAIL_MASK 0x7
#define   EIE_CMD_VMUL_CHANNEL_DW 0 /* 0: B has a value for each of A; 1: one for each channel, value 0 of its group 0 */
#define   EIE_CMD_VMUL_CHANNEL_SHIFT 16
#define   EIE_CMD_VMUL_CHANNEL_MASK 0x1
#define   EIE_CMD_VMUL_TAIL_DW 0 /* pixels in the last group, 0: eight; the values behind them become 0 */
#define   EIE_CMD_VMUL_TAIL_SHIFT 18
#define   EIE_CMD_VMUL_TAIL_MASK 0x7
#define   EIE_CMD_VMUL_IN_DW 1 /* granule of ABUF of A's channel 0, group 0; multiple of CLUSTERS */
#define   EIE_CMD_VMUL_IN_SHIFT 0
#define   EIE_CMD_VMUL_IN_MASK 0xffffff
#define   EIE_CMD_VMUL_S_DW 1 /* products are multiplied by M, rounded and shifted right by S, 1 .. 47 */
#define   EIE_CMD_VMUL_S_SHIFT 24
#define   EIE_CMD_VMUL_S_MASK 0x3f
#define   EIE_CMD_VMUL_B_DW 2 /* granule of ABUF of B's channel 0, group 0; multiple of CLUSTERS */
#define   EIE_CMD_VMUL_B_SHIFT 0
#define   EIE_CMD_VMUL_B_MASK 0xffffff
#define   EIE_CMD_VMUL_PLANE_DW 3 /* pixel groups a channel of A, at least GROUPS */
#define   EIE_CMD_VMUL_PLANE_SHIFT 0
#define   EIE_CMD_VMUL_PLANE_MASK 0xfffff
#define   EIE_CMD_VMUL_CHANNELS_DW 3 /* channels, at least 1, multiple of CLUSTERS */
#define   EIE_CMD_VMUL_CHANNELS_SHIFT 20
#define   EIE_CMD_VMUL_CHANNELS_MASK 0xfff
#define   EIE_CMD_VMUL_OUT_DW 4 /* granule of ABUF for channel 0, group 0; multiple of CLUSTERS; may be IN or B */
#define   EIE_CMD_VMUL_OUT_SHIFT 0
#define   EIE_CMD_VMUL_OUT_MASK 0xffffff
#define   EIE_CMD_VMUL_LO_DW 5 /* lower clamp, int16, -32767 .. HI */
#define   EIE_CMD_VMUL_LO_SHIFT 0
#define   EIE_CMD_VMUL_LO_MASK 0xffff
#define   EIE_CMD_VMUL_HI_DW 5 /* upper clamp, int16, LO .. 32767 */
#define   EIE_CMD_VMUL_HI_SHIFT 16
#define   EIE_CMD_VMUL_HI_MASK 0xffff
#define   EIE_CMD_VMUL_M_DW 6 /* multiplier of the products, uint16 */
#define   EIE_CMD_VMUL_M_SHIFT 0
#define   EIE_CMD_VMUL_M_MASK 0xffff
#define   EIE_CMD_VMUL_B_PLANE_DW 6 /* pixel groups a channel of B, at least GROUPS (1 with CHANNEL) */
#define   EIE_CMD_VMUL_B_PLANE_SHIFT 16
#define   EIE_CMD_VMUL_B_PLANE_MASK 0xfff
#define   EIE_CMD_VMUL_GROUPS_DW 7 /* groups of eight pixels, at least 1 */
#define   EIE_CMD_VMUL_GROUPS_SHIFT 0
#define   EIE_CMD_VMUL_GROUPS_MASK 0xfff
#define   EIE_CMD_VMUL_OUT_PLANE_DW 7 /* pixel groups a channel of the output, at least GROUPS */
#define   EIE_CMD_VMUL_OUT_PLANE_SHIFT 12
#define   EIE_CMD_VMUL_OUT_PLANE_MASK 0xfff
#define   EIE_CMD_VTABLE_TAIL_DW 0 /* as VMUL_TAIL; fields that both have lie in the same bits */
#define   EIE_CMD_VTABLE_TAIL_SHIFT 18
#define   EIE_CMD_VTABLE_TAIL_MASK 0x7
#define   EIE_CMD_VTABLE_IN_DW 1 /* granule of ABUF of the input's channel 0, group 0; multiple of CLUSTERS */
#define   EIE_CMD_VTABLE_IN_SHIFT 0
#define   EIE_CMD_VTABLE_IN_MASK 0xffffff
#define   EIE_CMD_VTABLE_TABLE_DW 2 /* granule of ABUF with the table's value 0; 257 int16 in TABLE_GRANULES granules */
#define   EIE_CMD_VTABLE_TABLE_SHIFT 0
#define   EIE_CMD_VTABLE_TABLE_MASK 0xffffff
#define   EIE_CMD_VTABLE_PLANE_DW 3 /* pixel groups a channel of the input, at least GROUPS */
#define   EIE_CMD_VTABLE_PLANE_SHIFT 0
#define   EIE_CMD_VTABLE_PLANE_MASK 0xfffff
#define   EIE_CMD_VTABLE_CHANNELS_DW 3 /* channels, at least 1, multiple of CLUSTERS */
#define   EIE_CMD_VTABLE_CHANNELS_SHIFT 20
#define   EIE_CMD_VTABLE_CHANNELS_MASK 0xfff
#define   EIE_CMD_VTABLE_OUT_DW 4 /* granule of ABUF for channel 0, group 0; multiple of CLUSTERS; may be IN */
#define   EIE_CMD_VTABLE_OUT_SHIFT 0
#define   EIE_CMD_VTABLE_OUT_MASK 0xffffff
#define   EIE_CMD_VTABLE_GROUPS_DW 7 /* groups of eight pixels, at least 1 */
#define   EIE_CMD_VTABLE_GROUPS_SHIFT 0
#define   EIE_CMD_VTABLE_GROUPS_MASK 0xfff
#define   EIE_CMD_VTABLE_OUT_PLANE_DW 7 /* pixel groups a channel of the output, at least GROUPS */
#define   EIE_CMD_VTABLE_OUT_PLANE_SHIFT 12
#define   EIE_CMD_VTABLE_OUT_PLANE_MASK 0xfff
#define EIE_TABLE_GRANULES 0x21 /* granules of a VTABLE's table */
#define EIE_TABLE_VALUES 0x101 /* values of a VTABLE's table: at inputs -32768, -32512 .. 32768 */

/* Column pointer: A 32-bit word of PBUF; all units are entries (1 byte for 4-bit codes, 2 bytes for 8-bit codes). */
#define EIE_PTR_START_BITS 0x14 /* bits 19..0: first entry, counted from MAC_WEIGHTS */
#define EIE_PTR_LEN_BITS 0xc /* bits 31..20: entries of the column, escapes included; 0: the column is empty here */

/* Weight entry: The column's row counter starts at -1. An entry with code != 0 adds skip + 1 to it and multiplies row. An entry with code 0 is an escape: it adds SKIP_SPAN * (skip + 1). A column never ends in an escape. */
#define EIE_NARROW_SPAN 0x10 /* SKIP_SPAN of 4-bit codes: entry = code | skip << 4 */
#define EIE_WIDE_SPAN 0x100 /* SKIP_SPAN of 8-bit codes: entry = code | skip << 8 */

/* Row parameter: Eight bytes of RBUF: int32 bias, uint16 m, uint8 s (1..47), a zero byte. */
#define EIE_SHIFT_MAX 0x2f /* largest s */

#endif
