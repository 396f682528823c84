/* SPDX-License-Identifier: GPL-2.0 */
#undef TRACE_SYSTEM
#define TRACE_SYSTEM eie

#if !defined(EIE_TRACE_H) || defined(TRACE_HEADER_MULTI_READ)
#define EIE_TRACE_H

#include <linux/tracepoint.h>

#include "eie_device.h"
#include "eie_job.h"
#include "eie_ring.h"
#include "eie_vm.h"

/* a job of a queue of user space; seqno is the number that DRM_EIE_SUBMIT returned */
TRACE_EVENT(eie_job_submit,
	TP_PROTO(const struct eie_job *job),
	TP_ARGS(job),
	TP_STRUCT__entry(
		__string(dev, dev_name(job->edev->drm.dev))
		__field(u32, ring)
		__field(u32, asid)
		__field(u64, seqno)
		__field(u32, ncmds)
		__field(u32, nrestore)
	),
	TP_fast_assign(
		__assign_str(dev);
		__entry->ring = job->queue->ring->id;
		__entry->asid = job->vm->asid;
		__entry->seqno = job->seqno;
		__entry->ncmds = le32_to_cpu(job->desc.ncmds);
		__entry->nrestore = le32_to_cpu(job->desc.nrestore);
	),
	TP_printk("%s ring=%u asid=%u seqno=%llu ncmds=%u nrestore=%u", __get_str(dev),
		  __entry->ring, __entry->asid, __entry->seqno, __entry->ncmds,
		  __entry->nrestore)
);

/* the doorbell for it; fence is DESC.FENCE, the number in the ring */
TRACE_EVENT(eie_job_run,
	TP_PROTO(const struct eie_ring *ring, const struct eie_job *job),
	TP_ARGS(ring, job),
	TP_STRUCT__entry(
		__string(dev, dev_name(job->edev->drm.dev))
		__field(u32, ring)
		__field(u32, asid)
		__field(u64, seqno)
		__field(u64, fence)
	),
	TP_fast_assign(
		__assign_str(dev);
		__entry->ring = ring->id;
		__entry->asid = job->vm->asid;
		__entry->seqno = job->seqno;
		__entry->fence = job->fence->base.seqno;
	),
	TP_printk("%s ring=%u asid=%u seqno=%llu fence=%llu", __get_str(dev), __entry->ring,
		  __entry->asid, __entry->seqno, __entry->fence)
);

/* its end; status is -1 when the device did not report */
TRACE_EVENT(eie_job_done,
	TP_PROTO(const struct eie_job *job, const struct eie_cpl *cpl, int error),
	TP_ARGS(job, cpl, error),
	TP_STRUCT__entry(
		__string(dev, dev_name(job->edev->drm.dev))
		__field(u32, ring)
		__field(u32, asid)
		__field(u64, seqno)
		__field(u64, fence)
		__field(int, status)
		__field(int, error)
		__field(u32, cycles)
	),
	TP_fast_assign(
		__assign_str(dev);
		__entry->ring = job->queue->ring->id;
		__entry->asid = job->vm->asid;
		__entry->seqno = job->seqno;
		__entry->fence = job->fence->base.seqno;
		__entry->status = cpl ? (int)le32_to_cpu(cpl->status) : -1;
		__entry->error = error;
		__entry->cycles = cpl ? le32_to_cpu(cpl->cycles) : 0;
	),
	TP_printk("%s ring=%u asid=%u seqno=%llu fence=%llu status=%d error=%d cycles=%u",
		  __get_str(dev), __entry->ring, __entry->asid, __entry->seqno,
		  __entry->fence, __entry->status, __entry->error, __entry->cycles)
);

/* a reset of a ring, or of the device: ring -1 */
TRACE_EVENT(eie_reset,
	TP_PROTO(const struct eie_device *edev, const struct eie_ring *ring, int result),
	TP_ARGS(edev, ring, result),
	TP_STRUCT__entry(
		__string(dev, dev_name(edev->drm.dev))
		__field(int, ring)
		__field(int, result)
	),
	TP_fast_assign(
		__assign_str(dev);
		__entry->ring = ring ? (int)ring->id : -1;
		__entry->result = result;
	),
	TP_printk("%s ring=%d result=%d", __get_str(dev), __entry->ring, __entry->result)
);

TRACE_EVENT(eie_tlb_inv,
	TP_PROTO(const struct eie_vm *vm, int result),
	TP_ARGS(vm, result),
	TP_STRUCT__entry(
		__string(dev, dev_name(vm->edev->drm.dev))
		__field(u32, asid)
		__field(int, result)
	),
	TP_fast_assign(
		__assign_str(dev);
		__entry->asid = vm->asid;
		__entry->result = result;
	),
	TP_printk("%s asid=%u result=%d", __get_str(dev), __entry->asid, __entry->result)
);

DECLARE_EVENT_CLASS(eie_mapping,
	TP_PROTO(const struct eie_vm *vm, u64 va, u64 size),
	TP_ARGS(vm, va, size),
	TP_STRUCT__entry(
		__string(dev, dev_name(vm->edev->drm.dev))
		__field(u32, asid)
		__field(u64, va)
		__field(u64, size)
	),
	TP_fast_assign(
		__assign_str(dev);
		__entry->asid = vm->asid;
		__entry->va = va;
		__entry->size = size;
	),
	TP_printk("%s asid=%u va=%#llx size=%#llx", __get_str(dev), __entry->asid, __entry->va,
		  __entry->size)
);

DEFINE_EVENT(eie_mapping, eie_map,
	TP_PROTO(const struct eie_vm *vm, u64 va, u64 size),
	TP_ARGS(vm, va, size));

DEFINE_EVENT(eie_mapping, eie_unmap,
	TP_PROTO(const struct eie_vm *vm, u64 va, u64 size),
	TP_ARGS(vm, va, size));

#endif

#undef TRACE_INCLUDE_PATH
#define TRACE_INCLUDE_PATH .
#undef TRACE_INCLUDE_FILE
#define TRACE_INCLUDE_FILE eie_trace
#include <trace/define_trace.h>
