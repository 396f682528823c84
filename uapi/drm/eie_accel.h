/* SPDX-License-Identifier: (GPL-2.0 WITH Linux-syscall-note) OR MIT */
#ifndef _UAPI_DRM_EIE_ACCEL_H_
#define _UAPI_DRM_EIE_ACCEL_H_

#include "drm.h"

#if defined(__cplusplus)
extern "C" {
#endif

/**
 * DOC: Contract
 *
 * The device node is /dev/accel/accelN of a driver that DRM_IOCTL_VERSION names "eie".
 *
 * - Every structure has the same layout for 32-bit and 64-bit user space.
 * - Padding must be zero, unknown flags must not be set: -EINVAL otherwise.
 * - Structures may grow at their end. The kernel reads missing fields as zero. A
 *   structure longer than the kernel's is accepted when what the kernel does not know is
 *   zero, and refused with -E2BIG otherwise.
 * - Arrays are passed as struct drm_eie_array, whose stride is the size of one element as
 *   user space was compiled; the same rule holds for each element.
 * - Pointers are __u64. Time limits are absolute CLOCK_MONOTONIC nanoseconds; zero or a
 *   time gone by polls. Every ioctl can be restarted after -EINTR with the same arguments.
 * - A handle or queue that does not exist: -ENOENT. An ioctl number that the driver does
 *   not know: -ENOTTY. A device that is gone: -ENODEV.
 * - An ioctl that fails has changed nothing that user space can see.
 *
 * One open file is one address space. Buffers appear in it at a device address that the
 * kernel chooses (DRM_EIE_BO_CREATE, DRM_EIE_BO_INFO), for as long as the file has a handle
 * and, for buffers in a job's list, until the job has ended. Whatever a command buffer
 * holds, the device reaches nothing outside of the address space of the job's file; that
 * is why the kernel does not look at commands.
 *
 * docs/uapi.md has an example and explains the fields at length.
 */

#define DRM_EIE_VERSION_MAJOR 1	/* of this interface; see DRM_IOCTL_VERSION */
#define DRM_EIE_VERSION_MINOR 0 /* incremented when something is added */

/**
 * enum drm_eie_ioctl_id - driver ioctl numbers, relative to DRM_COMMAND_BASE
 */
enum drm_eie_ioctl_id {
	/** @DRM_EIE_QUERY: what the device and the driver are */
	DRM_EIE_QUERY = 0,

	/** @DRM_EIE_BO_CREATE: create a buffer and map it into the address space */
	DRM_EIE_BO_CREATE,

	/** @DRM_EIE_BO_INFO: size, device address and mmap offset of a buffer */
	DRM_EIE_BO_INFO,

	/** @DRM_EIE_BO_PREP: wait for a buffer and give it to the CPU */
	DRM_EIE_BO_PREP,

	/** @DRM_EIE_BO_FINI: give a buffer back to the device */
	DRM_EIE_BO_FINI,

	/** @DRM_EIE_BO_WAIT: wait until no job uses a buffer */
	DRM_EIE_BO_WAIT,

	/** @DRM_EIE_QUEUE_CREATE: create a queue of a priority */
	DRM_EIE_QUEUE_CREATE,

	/** @DRM_EIE_QUEUE_DESTROY: destroy a queue */
	DRM_EIE_QUEUE_DESTROY,

	/** @DRM_EIE_SUBMIT: submit jobs to a queue */
	DRM_EIE_SUBMIT,

	/** @DRM_EIE_RESULT: how a job ended, and its counters */
	DRM_EIE_RESULT,
};

/**
 * struct drm_eie_array - an array of structures that may grow
 */
struct drm_eie_array {
	/** @stride: bytes from an element to the next; at least the first version's size */
	__u32 stride;

	/** @count: number of elements; 0: the other fields are not looked at */
	__u32 count;

	/** @ptr: user pointer to the first element */
	__u64 ptr;
};

/**
 * enum drm_eie_query_topic - topics of DRM_EIE_QUERY
 */
enum drm_eie_query_topic {
	/** @DRM_EIE_QUERY_INFO: struct drm_eie_info */
	DRM_EIE_QUERY_INFO = 0,

	/**
	 * @DRM_EIE_QUERY_DEVICE_TREE: the flattened device tree that the hardware carries;
	 * bytes to be read with libfdt. It holds what the hardware was synthesised with.
	 */
	DRM_EIE_QUERY_DEVICE_TREE,
};

/**
 * struct drm_eie_query - arguments of DRM_EIE_QUERY
 *
 * Unknown topics: -EINVAL.
 */
struct drm_eie_query {
	/** @topic: in: enum drm_eie_query_topic */
	__u32 topic;

	/** @size: in: bytes at @ptr; out: bytes that the topic has. The smaller are written. */
	__u32 size;

	/** @ptr: in: user pointer to the answer; 0: only @size is answered */
	__u64 ptr;
};

/** DRM_EIE_INFO_COHERENT - @drm_eie_info.flags: PREP and FINI never touch caches here */
#define DRM_EIE_INFO_COHERENT 0x1

/**
 * struct drm_eie_info - answer to DRM_EIE_QUERY_INFO
 */
struct drm_eie_info {
	/** @isa_version: major << 16 | minor of the commands that the hardware runs */
	__u32 isa_version;

	/** @flags: DRM_EIE_INFO_* */
	__u32 flags;

	/** @priorities: priority levels (hardware queues); level 0 is served first */
	__u32 priorities;

	/**
	 * @default_priority: the most urgent level that every process may use; those before
	 * it need CAP_SYS_NICE
	 */
	__u32 default_priority;

	/** @va_start: lowest device address of an address space */
	__u64 va_start;

	/** @va_size: bytes of device addresses from @va_start */
	__u64 va_size;

	/** @max_cycles: every job's cycle limit is cut to this */
	__u32 max_cycles;

	/** @max_jobs: jobs that one DRM_EIE_SUBMIT takes at the most */
	__u32 max_jobs;

	/** @max_job_bos: buffers in a job's list at the most */
	__u32 max_job_bos;

	/** @max_job_syncs: elements of a job's in_syncs, and of its out_syncs, at the most */
	__u32 max_job_syncs;

	/** @max_queues: queues of an open file at the most */
	__u32 max_queues;

	/** @results: jobs of a queue, counted from the newest, whose results are kept */
	__u32 results;

	/** @max_pending: unfinished jobs of an open file at the most; DRM_EIE_SUBMIT waits */
	__u32 max_pending;

	/** @pad: zero */
	__u32 pad;
};

/** DRM_EIE_BO_WC - the CPU maps the buffer write-combined instead of cached */
#define DRM_EIE_BO_WC	0x1
/** DRM_EIE_BO_READONLY - the device may read, not write, the buffer */
#define DRM_EIE_BO_READONLY 0x2

/**
 * struct drm_eie_bo_create - arguments of DRM_EIE_BO_CREATE
 *
 * The buffer is filled with zeros and pinned. Errors: -EINVAL (size 0, flags), -ENOMEM (no
 * memory), -ENOSPC (no device addresses left).
 */
struct drm_eie_bo_create {
	/** @size: in: bytes; out: rounded up to pages */
	__u64 size;

	/** @flags: in: DRM_EIE_BO_* */
	__u32 flags;

	/** @handle: out: GEM handle; DRM_IOCTL_GEM_CLOSE frees it */
	__u32 handle;

	/** @dev_addr: out: device address, page aligned, 2 MiB aligned when that large */
	__u64 dev_addr;

	/** @mmap_offset: out: offset for mmap() on the device file */
	__u64 mmap_offset;
};

/**
 * struct drm_eie_bo_info - arguments of DRM_EIE_BO_INFO
 *
 * The way to the device address of an imported buffer (DRM_IOCTL_PRIME_FD_TO_HANDLE).
 */
struct drm_eie_bo_info {
	/** @handle: in: GEM handle */
	__u32 handle;

	/** @flags: out: DRM_EIE_BO_*; in: zero */
	__u32 flags;

	/** @size: out: bytes */
	__u64 size;

	/** @dev_addr: out: device address in the address space of this file */
	__u64 dev_addr;

	/** @mmap_offset: out: offset for mmap(); 0 for an imported buffer, map its dma-buf */
	__u64 mmap_offset;
};

/** DRM_EIE_ACCESS_READ - the CPU, or in a job's list the device, reads */
#define DRM_EIE_ACCESS_READ	0x1
/** DRM_EIE_ACCESS_WRITE - it writes */
#define DRM_EIE_ACCESS_WRITE	0x2

/**
 * struct drm_eie_bo_prep - arguments of DRM_EIE_BO_PREP
 *
 * Waits for the jobs that write the buffer (@access READ) or use it at all (WRITE), and
 * makes what the device wrote visible to the CPU. Until DRM_EIE_BO_FINI no job should use
 * the buffer. Errors: -EBUSY (polled and busy), -ETIME (waited in vain).
 */
struct drm_eie_bo_prep {
	/** @handle: in: GEM handle */
	__u32 handle;

	/** @access: in: DRM_EIE_ACCESS_*, what the CPU is about to do; not zero */
	__u32 access;

	/** @timeout_ns: in: absolute time limit */
	__s64 timeout_ns;
};

/**
 * struct drm_eie_bo_fini - arguments of DRM_EIE_BO_FINI
 *
 * Makes what the CPU wrote visible to the device.
 */
struct drm_eie_bo_fini {
	/** @handle: in: GEM handle */
	__u32 handle;

	/** @access: in: DRM_EIE_ACCESS_* as given to DRM_EIE_BO_PREP */
	__u32 access;
};

/**
 * struct drm_eie_bo_wait - arguments of DRM_EIE_BO_WAIT
 *
 * As DRM_EIE_BO_PREP with DRM_EIE_ACCESS_WRITE, without the caches.
 */
struct drm_eie_bo_wait {
	/** @handle: in: GEM handle */
	__u32 handle;

	/** @pad: in: zero */
	__u32 pad;

	/** @timeout_ns: in: absolute time limit */
	__s64 timeout_ns;
};

/**
 * struct drm_eie_queue_create - arguments of DRM_EIE_QUEUE_CREATE
 *
 * Jobs of a queue run in the order of their submission. A job that is ready at a lower
 * level number goes first, but never interrupts one that runs. Errors: -EINVAL (level,
 * flags), -EACCES (level needs CAP_SYS_NICE), -ENOSPC (too many queues).
 */
struct drm_eie_queue_create {
	/** @priority: in: level, below drm_eie_info.priorities */
	__u32 priority;

	/** @flags: in: zero */
	__u32 flags;

	/** @queue: out: identifier, not zero */
	__u32 queue;

	/** @pad: in: zero */
	__u32 pad;
};

/**
 * struct drm_eie_queue_destroy - arguments of DRM_EIE_QUEUE_DESTROY
 *
 * Jobs that have not gone to the device are cancelled: their fences hold -ESRCH. Those that
 * have end as ever.
 */
struct drm_eie_queue_destroy {
	/** @queue: in: identifier */
	__u32 queue;

	/** @pad: in: zero */
	__u32 pad;
};

/**
 * struct drm_eie_sync - a synchronisation object, or a point on its timeline
 */
struct drm_eie_sync {
	/** @handle: syncobj handle */
	__u32 handle;

	/** @flags: zero */
	__u32 flags;

	/** @point: timeline point; 0: the syncobj is binary */
	__u64 point;
};

/**
 * struct drm_eie_bo_ref - a buffer that a job uses
 */
struct drm_eie_bo_ref {
	/** @handle: GEM handle */
	__u32 handle;

	/** @access: DRM_EIE_ACCESS_*, what the device does with it; not zero */
	__u32 access;
};

/**
 * struct drm_eie_job - one job
 *
 * The hardware's job descriptor (docs/programmers_guide.md), with lists for the kernel. All
 * addresses are device addresses. Device addresses are checked by the hardware: one that is
 * not mapped, or not aligned, ends the job with a status.
 */
struct drm_eie_job {
	/** @cmds: address of the commands, 32-byte aligned */
	__u64 cmds;

	/** @restore: address of the restore commands, 32-byte aligned */
	__u64 restore;

	/** @bases: address of the base table, 16-byte aligned */
	__u64 bases;

	/**
	 * @residency: tag of what the restore commands bring onto the chip; 0: nothing stays.
	 * The restore commands are skipped when the chip holds this tag for this file.
	 */
	__u64 residency;

	/** @ncmds: number of commands, below 2^24 */
	__u32 ncmds;

	/** @nrestore: number of restore commands, below 2^24 */
	__u32 nrestore;

	/** @nbases: entries of the base table, at most 16 */
	__u32 nbases;

	/** @cycle_limit: cycles after which the job fails; 0: drm_eie_info.max_cycles */
	__u32 cycle_limit;

	/** @flags: zero */
	__u32 flags;

	/** @pad: zero */
	__u32 pad;

	/**
	 * @bos: struct drm_eie_bo_ref: buffers that the job waits for and that stay mapped
	 * until it has ended
	 */
	struct drm_eie_array bos;

	/** @in_syncs: struct drm_eie_sync: the job starts after all of them */
	struct drm_eie_array in_syncs;

	/** @out_syncs: struct drm_eie_sync: signalled when the job has ended */
	struct drm_eie_array out_syncs;
};

/**
 * struct drm_eie_submit - arguments of DRM_EIE_SUBMIT
 *
 * Either all jobs are submitted or none. An in_sync means its fence of before the call.
 * Errors: -EINVAL (a field; an in_sync without a fence; write access to a read-only
 * buffer), -ENOENT (queue, buffer or syncobj), -E2BIG (a field that the kernel does not
 * know), -ENOMEM, -EIO (the device did not recover from a fault), -ENODEV.
 */
struct drm_eie_submit {
	/** @queue: in: identifier */
	__u32 queue;

	/** @flags: in: zero */
	__u32 flags;

	/** @jobs: in: struct drm_eie_job, at least one */
	struct drm_eie_array jobs;

	/**
	 * @seqno: out: sequence number in the queue of the last job, from 1. The jobs of a
	 * call have consecutive numbers.
	 */
	__u64 seqno;
};

/** DRM_EIE_STATUS_LOST - @drm_eie_result.status: the device did not report */
#define DRM_EIE_STATUS_LOST	0xffffffffu

/** DRM_EIE_RESULT_RESTORED - @drm_eie_result.flags: the restore commands ran */
#define DRM_EIE_RESULT_RESTORED		0x1
/** DRM_EIE_RESULT_FAULT_CMD - fault_index names the command that failed */
#define DRM_EIE_RESULT_FAULT_CMD	0x2
/** DRM_EIE_RESULT_FAULT_RESTORE - it is one of the restore commands */
#define DRM_EIE_RESULT_FAULT_RESTORE	0x4

/**
 * struct drm_eie_result - arguments of DRM_EIE_RESULT
 *
 * Errors: -EBUSY (the job has not ended), -EINVAL (the queue has not had such a job),
 * -ENODATA (as many younger jobs as drm_eie_info.results have ended since).
 */
struct drm_eie_result {
	/** @queue: in: identifier */
	__u32 queue;

	/** @flags: in: zero; out: DRM_EIE_RESULT_* */
	__u32 flags;

	/** @seqno: in: sequence number of the job */
	__u64 seqno;

	/**
	 * @status: out: enum status of the hardware (docs/registers.md), 0 when all is well,
	 * or DRM_EIE_STATUS_LOST
	 */
	__u32 status;

	/** @error: out: what the job's fence holds: 0 or a negative errno, see docs/uapi.md */
	__s32 error;

	/** @fault_addr: out: device address of a page fault or bus error, else 0 */
	__u64 fault_addr;

	/** @fault_index: out: index of the command that failed */
	__u32 fault_index;

	/** @cycles: out: time_end - time_start; the sum of the next nine */
	__u32 cycles;

	/** @busy: out: cycles in which at least one lane multiplied */
	__u32 busy;

	/** @stall_drain: out: cycles, no lane multiplied: accumulators were drained */
	__u32 stall_drain;

	/** @stall_array: out: cycles, neither: a MAC command was in the array */
	__u32 stall_array;

	/** @stall_load: out: cycles, none of these: compute waited for loads */
	__u32 stall_load;

	/** @stall_store: out: cycles, none of these: compute waited for stores */
	__u32 stall_store;

	/** @stall_sync: out: cycles, none of these: compute waited for itself */
	__u32 stall_sync;

	/** @stall_cmd: out: cycles, none of these: commands had not arrived */
	__u32 stall_cmd;

	/** @stall_front: out: cycles before the first command was asked for */
	__u32 stall_front;

	/** @stall_tail: out: cycles, none of these: the job was finishing */
	__u32 stall_tail;

	/** @engine_cycles: out: cycles in which the array was in use */
	__u32 engine_cycles;

	/** @saturated: out: outputs cut by a clamp at +-32767 */
	__u32 saturated;

	/** @read_beats: out: data beats read for commands, bases and loads */
	__u32 read_beats;

	/** @write_beats: out: data beats stored */
	__u32 write_beats;

	/** @tlb_misses: out: translations that needed a page walk */
	__u32 tlb_misses;

	/** @commands: out: commands dispatched */
	__u32 commands;

	/** @pad: zero */
	__u32 pad;

	/** @macs: out: multiply-accumulates done */
	__u64 macs;

	/** @time_start: out: device cycle in which the descriptor had been read */
	__u64 time_start;

	/** @time_end: out: device cycle in which the job was quiet */
	__u64 time_end;
};

/**
 * DOC: Device core dump
 *
 * A queue that is reset because it hung or stopped leaves a core dump in
 * /sys/class/devcoredump: struct drm_eie_dump_header, then @sections times struct
 * drm_eie_dump_section, then the data of the sections. All of it is little-endian.
 */
#define DRM_EIE_DUMP_MAGIC	"EIEDUMP"
#define DRM_EIE_DUMP_VERSION	1

/**
 * enum drm_eie_dump_type - what a section holds
 */
enum drm_eie_dump_type {
	/** @DRM_EIE_DUMP_REGS: global registers, 32-bit words from offset 0 */
	DRM_EIE_DUMP_REGS = 1,

	/** @DRM_EIE_DUMP_QUEUE_REGS: registers of queue @index, 32-bit words */
	DRM_EIE_DUMP_QUEUE_REGS,

	/** @DRM_EIE_DUMP_SQ: submission ring of queue @index: job descriptors */
	DRM_EIE_DUMP_SQ,

	/** @DRM_EIE_DUMP_CQ: completion ring of queue @index: completion entries */
	DRM_EIE_DUMP_CQ,

	/** @DRM_EIE_DUMP_CMDS: commands of the oldest job, from number @index */
	DRM_EIE_DUMP_CMDS,

	/** @DRM_EIE_DUMP_RESTORE: restore commands of the oldest job, from number @index */
	DRM_EIE_DUMP_RESTORE,
};

/**
 * enum drm_eie_dump_reason - why the queue was reset
 */
enum drm_eie_dump_reason {
	/** @DRM_EIE_DUMP_HANG: its job made no progress */
	DRM_EIE_DUMP_HANG = 1,

	/** @DRM_EIE_DUMP_STOPPED: bus error on one of its rings, or a refused doorbell */
	DRM_EIE_DUMP_STOPPED,

	/** @DRM_EIE_DUMP_PROTOCOL: it wrote a completion entry that is none */
	DRM_EIE_DUMP_PROTOCOL,
};

/**
 * struct drm_eie_dump_header - start of a core dump
 */
struct drm_eie_dump_header {
	/** @magic: DRM_EIE_DUMP_MAGIC with its terminating zero */
	__u8 magic[8];

	/** @version: DRM_EIE_DUMP_VERSION; a reader refuses others */
	__le32 version;

	/** @size: bytes of the whole dump */
	__le32 size;

	/** @sections: number of sections */
	__le32 sections;

	/** @reason: enum drm_eie_dump_reason */
	__le32 reason;

	/** @queue: hardware queue concerned */
	__le32 queue;

	/** @asid: address space of its oldest job, 0 when there was none */
	__le32 asid;

	/** @fence: DESC.FENCE of that job */
	__le64 fence;

	/** @time_ns: CLOCK_REALTIME of the dump */
	__le64 time_ns;
};

/**
 * struct drm_eie_dump_section - where a section is
 */
struct drm_eie_dump_section {
	/** @type: enum drm_eie_dump_type */
	__le32 type;

	/** @index: see enum drm_eie_dump_type */
	__le32 index;

	/** @offset: byte offset from the start of the dump */
	__le32 offset;

	/** @size: bytes */
	__le32 size;
};

#define DRM_IOCTL_EIE_QUERY \
	DRM_IOWR(DRM_COMMAND_BASE + DRM_EIE_QUERY, struct drm_eie_query)
#define DRM_IOCTL_EIE_BO_CREATE \
	DRM_IOWR(DRM_COMMAND_BASE + DRM_EIE_BO_CREATE, struct drm_eie_bo_create)
#define DRM_IOCTL_EIE_BO_INFO \
	DRM_IOWR(DRM_COMMAND_BASE + DRM_EIE_BO_INFO, struct drm_eie_bo_info)
#define DRM_IOCTL_EIE_BO_PREP \
	DRM_IOW(DRM_COMMAND_BASE + DRM_EIE_BO_PREP, struct drm_eie_bo_prep)
#define DRM_IOCTL_EIE_BO_FINI \
	DRM_IOW(DRM_COMMAND_BASE + DRM_EIE_BO_FINI, struct drm_eie_bo_fini)
#define DRM_IOCTL_EIE_BO_WAIT \
	DRM_IOW(DRM_COMMAND_BASE + DRM_EIE_BO_WAIT, struct drm_eie_bo_wait)
#define DRM_IOCTL_EIE_QUEUE_CREATE \
	DRM_IOWR(DRM_COMMAND_BASE + DRM_EIE_QUEUE_CREATE, struct drm_eie_queue_create)
#define DRM_IOCTL_EIE_QUEUE_DESTROY \
	DRM_IOW(DRM_COMMAND_BASE + DRM_EIE_QUEUE_DESTROY, struct drm_eie_queue_destroy)
#define DRM_IOCTL_EIE_SUBMIT \
	DRM_IOWR(DRM_COMMAND_BASE + DRM_EIE_SUBMIT, struct drm_eie_submit)
#define DRM_IOCTL_EIE_RESULT \
	DRM_IOWR(DRM_COMMAND_BASE + DRM_EIE_RESULT, struct drm_eie_result)

#if defined(__cplusplus)
}
#endif

#endif /* _UAPI_DRM_EIE_ACCEL_H_ */
