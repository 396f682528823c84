// SPDX-License-Identifier: GPL-2.0 OR MIT
//
// Bench for the unit test of command processor, load, store and ABUF (tb_engines.sv), 2x2 configuration.
// Memory and the array are played here with random delays. Model runs a program one command after the other;
// the played array does not compute: DRAIN writes a pattern made of its parameters, MAC reads its inputs.

#ifndef EIE_TB_ENGINES_H
#define EIE_TB_ENGINES_H

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <map>
#include <vector>

#include "Vtb_engines.h"
#include "eie_hw.h"
#include "verilated.h"

namespace {

constexpr unsigned kClusters = 2, kRows = 64, kAbuf = 1024, kWbuf = 1024, kPbuf = 256, kRbuf = 128;
constexpr uint64_t kMemVa = 0x40000000;
constexpr size_t kMemBytes = 1 << 20;
constexpr uint64_t kCmdOffset = 0xf0000;   // commands live in the last 64 KiB of memory
constexpr uint64_t kPtrOffset = 0xe0000;   // in front of them are pointers, of columns in the first kPtrGranules of a row
constexpr unsigned kPtrGranules = 8;
constexpr unsigned kCmdMax = 2000;
constexpr unsigned kBases = 3;
constexpr uint64_t kBaseOffset[kBases] = {0, 0x10010, 0x80000};

uint32_t rng_state = 1;

uint32_t rnd(uint32_t n)
{
	rng_state ^= rng_state << 13;
	rng_state ^= rng_state >> 17;
	rng_state ^= rng_state << 5;
	return (rng_state >> 2) % n;
}

struct Granule {
	uint32_t w[4];
	bool operator==(const Granule &o) const { return !memcmp(w, o.w, sizeof(w)); }
};

struct Cmd {
	uint32_t dw[8] = {};
	uint32_t get(unsigned d, unsigned shift, uint32_t mask) const { return dw[d] >> shift & mask; }
	Cmd &set(unsigned d, unsigned shift, uint32_t mask, uint32_t v)
	{
		dw[d] = (dw[d] & ~(mask << shift)) | (v & mask) << shift;
		return *this;
	}
};

#define F(name) EIE_CMD_##name##_DW, EIE_CMD_##name##_SHIFT, EIE_CMD_##name##_MASK

Cmd op(uint32_t opcode)
{
	return Cmd().set(F(OPCODE), opcode);
}

Cmd xfer(uint32_t opcode, uint32_t target, uint32_t base, uint32_t offset, uint32_t addr, uint32_t len,
	 uint32_t rows = 1, uint32_t mem_stride = 0, uint32_t buf_stride = 0, uint32_t cluster = 0)
{
	return op(opcode).set(F(XFER_TARGET), target).set(F(XFER_BASE), base).set(F(XFER_OFFSET), offset)
		.set(F(XFER_ADDR), addr).set(F(XFER_LEN), len).set(F(XFER_ROWS), rows)
		.set(F(XFER_MEM_STRIDE), mem_stride).set(F(XFER_BUF_STRIDE), buf_stride)
		.set(F(XFER_CLUSTER), cluster);
}

// To PBUF (ptr and wide 0, granules twice len), or to WBUF
Cmd select(uint32_t target, uint32_t offset, uint32_t addr, uint32_t granules, uint32_t rows, uint32_t mem_stride, uint32_t cluster,
	   uint32_t in, uint32_t len, uint32_t ptr = 0, uint32_t wide = 0)
{
	return xfer(EIE_OP_SELECT, target, 0, offset, addr, granules, rows, mem_stride, 0, cluster).set(F(SELECT_IN), in)
		.set(F(SELECT_LEN), len).set(F(SELECT_PTR), ptr).set(F(SELECT_WIDE), wide).set(F(FENCE), 1);
}

Cmd mac(uint32_t in, uint32_t len)
{
	return op(EIE_OP_MAC).set(F(MAC_IN), in).set(F(MAC_LEN), len);
}

Cmd drain(uint32_t out, uint32_t stride, uint32_t steps, uint32_t param)
{
	return op(EIE_OP_DRAIN).set(F(DRAIN_OUT), out).set(F(DRAIN_STRIDE), stride)
		.set(F(DRAIN_STEPS), steps).set(F(DRAIN_PARAM), param)
		.set(F(DRAIN_LO), 0x8001).set(F(DRAIN_HI), 0x7fff);
}

// Which values of a drain's granules are pixels: all, but sometimes
uint8_t drain_pixels(const Cmd &c, unsigned t)
{
	uint32_t p = c.get(F(DRAIN_PARAM)) * 0x9e3779b1u + c.get(F(DRAIN_OUT)) + t;
	return t % 4 == 3 ? p >> 8 : 0xff;
}

// What a drain hands over, and what of it is to be in ABUF afterwards
Granule drain_pattern(const Cmd &c, unsigned t, unsigned cluster)
{
	uint32_t p = c.get(F(DRAIN_PARAM)) * 0x9e3779b1u + c.get(F(DRAIN_OUT)) * 0x85ebca6bu;
	return {{p, p ^ t, ~p + cluster, 0xd0000000u + t * 16 + cluster}};
}

Granule drain_written(const Cmd &c, unsigned t, unsigned cluster)
{
	Granule g = drain_pattern(c, t, cluster);

	for (unsigned i = 0; i < 8; i++)
		if (!(drain_pixels(c, t) >> i & 1))
			g.w[i / 2] &= ~(0xffffu << (i % 2 * 16));
	return g;
}

uint32_t mix(uint32_t sum, const Granule &g)
{
	for (uint32_t w : g.w)
		sum = (sum ^ w) * 0x01000193u;
	return sum;
}

// The checks of docs/programmers_guide.md, written a second time, field by field.
int static_status(const Cmd &c, unsigned nbases)
{
	static const uint32_t allow_load[8] = {0xff0f0aff, ~0u, 0xff, 0xffffff, 0xffffff, ~0u, 0xffffff, 0xffff};
	static const uint32_t allow_select[8] = {0xff1f1aff, ~0u, ~0u, 0xffffff, 0xffffff, ~0u, 0xffffff, ~0u};
	static const uint32_t allow_sync[8] = {0x1fff};
	static const uint32_t allow_mac[8] = {0x31fff, 0xffffff, 0xffffff, 0xffffff, 0xffffff, 0xff};
	static const uint32_t allow_drain[8] = {0x11fff, 0xffffff, 0xffffff, 0xffff, 0xffffff, ~0u};
	const uint32_t *allow;
	uint32_t opcode = c.get(F(OPCODE));
	bool bad = false, range = false, misaligned = false;

	switch (opcode) {
	case EIE_OP_LOAD: case EIE_OP_STORE: allow = allow_load; break;
	case EIE_OP_SELECT: allow = allow_select; break;
	case EIE_OP_SYNC: allow = allow_sync; break;
	case EIE_OP_MAC: allow = allow_mac; break;
	case EIE_OP_DRAIN: allow = allow_drain; break;
	default: return EIE_STATUS_BAD_COMMAND;
	}
	for (int i = 0; i < 8; i++) {
		uint32_t a = allow[i];
		if (i == 0 && opcode == EIE_OP_STORE)
			a = 0xff0f05ff;
		bad |= (c.dw[i] & ~a) != 0;
	}
	if (opcode == EIE_OP_LOAD || opcode == EIE_OP_STORE) {
		static const uint64_t depth[] = {kAbuf, kWbuf, kPbuf, kRbuf, EIE_CBUF_GRANULES};
		unsigned target = c.get(F(XFER_TARGET));
		bool shared = target == EIE_BUF_ABUF || target == EIE_BUF_CBUF;
		uint64_t len = c.get(F(XFER_LEN)), rows = c.get(F(XFER_ROWS));

		bad |= target > 4 || (opcode == EIE_OP_STORE && target != EIE_BUF_ABUF) || !len || !rows;
		bad |= shared && c.get(F(XFER_CLUSTER));
		bad |= !shared && c.get(F(XFER_BUF_STRIDE));
		if (target <= 4)
			range |= c.get(F(XFER_ADDR)) + len > depth[target];
		range |= c.get(F(XFER_BASE)) >= nbases;
		range |= !shared && c.get(F(XFER_CLUSTER)) + rows > kClusters;
		misaligned = (c.get(F(XFER_OFFSET)) | c.get(F(XFER_MEM_STRIDE))) & 15;
	} else if (opcode == EIE_OP_SELECT) {
		unsigned target = c.get(F(XFER_TARGET));
		bool pointers = target == EIE_BUF_PBUF;
		uint64_t len = c.get(F(XFER_LEN)), rows = c.get(F(XFER_ROWS)), granules = c.get(F(SELECT_LEN));

		bad |= (target != EIE_BUF_WBUF && !pointers) || !len || !rows || !granules;
		bad |= pointers && (c.get(F(SELECT_PTR)) || c.get(F(SELECT_WIDE)) || len != 2 * granules);
		range |= c.get(F(XFER_ADDR)) + len > (pointers ? kPbuf : kWbuf);
		range |= c.get(F(XFER_BASE)) >= nbases || c.get(F(XFER_CLUSTER)) + rows > kClusters;
		range |= c.get(F(SELECT_IN)) + granules > kAbuf || (!pointers && c.get(F(SELECT_PTR)) + 2 * granules > kPbuf);
		misaligned = (c.get(F(XFER_OFFSET)) | c.get(F(XFER_MEM_STRIDE))) & 15;
	} else if (opcode == EIE_OP_MAC) {
		uint64_t len = c.get(F(MAC_LEN));
		unsigned granules = c.get(F(MAC_WIDE)) ? 32 : 2, book = c.get(F(MAC_CODEBOOK));

		bad |= !len;
		range |= c.get(F(MAC_IN)) + len > kAbuf || c.get(F(MAC_PTR)) + 2 * len > kPbuf;
		range |= c.get(F(MAC_WEIGHTS)) >= kWbuf;
		range |= book % granules || book + granules > EIE_CBUF_GRANULES;
	} else if (opcode == EIE_OP_DRAIN) {
		int lo = (int16_t)c.get(F(DRAIN_LO)), hi = (int16_t)c.get(F(DRAIN_HI));
		uint64_t steps = c.get(F(DRAIN_STEPS)), stride = c.get(F(DRAIN_STRIDE)), out = c.get(F(DRAIN_OUT));

		bad |= !steps || lo > hi || lo == -32768 || stride < kClusters;
		range |= steps > kRows / 8 || out % kClusters || stride % kClusters;
		range |= out + (steps - 1) * stride + kClusters > kAbuf;
		range |= c.get(F(DRAIN_PARAM)) + 4 * steps > kRbuf;
	}
	return bad ? EIE_STATUS_BAD_COMMAND : range ? EIE_STATUS_BAD_RANGE :
	       misaligned ? EIE_STATUS_MISALIGNED : EIE_STATUS_OK;
}

// What programs do, one command after the other
struct Model {
	std::vector<Granule> mem = std::vector<Granule>(kMemBytes / 16);
	std::map<uint32_t, Granule> buffers;          // target, cluster, address -> what LOAD or DRAIN wrote
	std::deque<uint32_t> sums;                    // of each MAC

	static uint32_t key(unsigned target, unsigned cluster, unsigned addr)
	{
		return target << 28 | cluster << 24 | addr;
	}

	void run(const Cmd &c)
	{
		uint32_t opcode = c.get(F(OPCODE));

		if (opcode == EIE_OP_LOAD || opcode == EIE_OP_STORE) {
			unsigned target = c.get(F(XFER_TARGET));
			bool shared = target == EIE_BUF_ABUF || target == EIE_BUF_CBUF;

			for (unsigned r = 0; r < c.get(F(XFER_ROWS)); r++)
				for (unsigned i = 0; i < c.get(F(XFER_LEN)); i++) {
					size_t m = (kBaseOffset[c.get(F(XFER_BASE))] + c.get(F(XFER_OFFSET)) +
						    (uint64_t)r * c.get(F(XFER_MEM_STRIDE))) / 16 + i;
					unsigned a = c.get(F(XFER_ADDR)) + i + r * c.get(F(XFER_BUF_STRIDE));
					uint32_t k = key(target, shared ? 0 : c.get(F(XFER_CLUSTER)) + r, a);
					if (opcode == EIE_OP_LOAD)
						buffers[k] = mem.at(m);
					else
						mem.at(m) = buffers.at(k);
				}
		} else if (opcode == EIE_OP_SELECT) {
			for (unsigned r = 0; r < c.get(F(XFER_ROWS)); r++)
				for (unsigned j = 0, end = 0; j < 8 * c.get(F(SELECT_LEN)); j++)
					end = select(c, r, j, end);
		} else if (opcode == EIE_OP_DRAIN) {
			for (unsigned t = 0; t < c.get(F(DRAIN_STEPS)); t++)
				for (unsigned k = 0; k < kClusters; k++)
					buffers[key(0, 0, c.get(F(DRAIN_OUT)) + t * c.get(F(DRAIN_STRIDE)) + k)] =
						drain_written(c, t, k);
		} else if (opcode == EIE_OP_MAC) {
			uint32_t sum = 0;
			for (unsigned i = 0; i < c.get(F(MAC_LEN)); i++)
				sum = mix(sum, buffers.at(key(0, 0, c.get(F(MAC_IN)) + i)));
			sums.push_back(sum);
		}
	}
	// What column j of row r of a SELECT needs, behind the end of the columns before it; returns the new end
	unsigned select(const Cmd &c, unsigned r, unsigned j, unsigned end)
	{
		unsigned target = c.get(F(XFER_TARGET)), cluster = c.get(F(XFER_CLUSTER)) + r, first = j / 4, stop = first + 1;
		size_t m = (kBaseOffset[c.get(F(XFER_BASE))] + c.get(F(XFER_OFFSET)) + (uint64_t)r * c.get(F(XFER_MEM_STRIDE))) / 16;

		if (!(buffers.at(key(0, 0, c.get(F(SELECT_IN)) + j / 8)).w[j % 8 / 2] >> j % 2 * 16 & 0xffff))
			return end;
		if (target == EIE_BUF_WBUF) {
			uint32_t p = buffers.at(key(EIE_BUF_PBUF, cluster, c.get(F(SELECT_PTR)) + j / 4)).w[j % 4];
			uint32_t unit = c.get(F(SELECT_WIDE)) ? 2 : 1, start = p & ((1u << EIE_PTR_START_BITS) - 1);
			uint32_t len = p >> EIE_PTR_START_BITS;

			if (!len)
				return end;
			first = start * unit / 16;
			stop = ((start + len) * unit + 15) / 16;
		}
		for (unsigned g = first > end ? first : end; g < stop; g++)
			buffers[key(target, cluster, c.get(F(XFER_ADDR)) + g)] = mem.at(m + g);
		return stop > end ? stop : end;
	}
	bool written(unsigned a) const { return buffers.count(key(0, 0, a)); }
};

struct Result {
	bool done = false, hang = false;
	int status = -1;        // of the first fault
	uint32_t fault_cmd = 0;
	unsigned cycles = 0, dispatched = 0, wait_load = 0, wait_store = 0, fetching = 0;
};

class Bench {
public:
	Bench()
	{
		d_.rst_ni = 0;
		for (int i = 0; i < 4; i++)
			clock();
		d_.rst_ni = 1;
		scrub();
		epoch_ = 1;
		set_base(0, kMemVa + kBaseOffset[0]);
		set_base(1, kMemVa + kBaseOffset[1]);
		set_base(2, kMemVa + kBaseOffset[2]);
		nbases = kBases;
	}

	void set_base(unsigned i, uint64_t va)
	{
		d_.bases_i[2 * i] = (uint32_t)va;
		d_.bases_i[2 * i + 1] = va >> 32;
	}

	// Everything on chip becomes unwritten, as for a new address space
	void new_epoch()
	{
		buffers.clear();
		if (++epoch_ == 8) {
			scrub();
			epoch_ = 1;
		}
	}

	// Run until done or a fault; or, stop_at cycles later, abort. Flushes after both.
	Result run(const std::vector<Cmd> &prog, unsigned stop_at = 0, bool restore = false)
	{
		Result r;
		uint64_t va = kMemVa + kCmdOffset + 32 * rnd(300);

		if (prog.size() > kCmdMax - 300)
			fail("program too long");
		if (!prog.empty())
			memcpy(&mem[(va - kMemVa) / 16], prog.data(), 32 * prog.size());
		macs.clear();
		d_.cmd_start_i = 1;
		d_.cmd_va_i = va;
		d_.cmd_count_i = prog.size();
		d_.cmd_restore_i = restore;
		d_.nbases_i = nbases;
		for (;;) {
			step(r);
			d_.cmd_start_i = 0;
			r.cycles++;
			if (r.done)
				break;
			if (r.status >= 0 || (stop_at && r.cycles == stop_at) || r.cycles > 400000) {
				r.hang = r.cycles > 400000;
				for (unsigned late = rnd(4); late; late--)    // the flush may take its time
					step(r);
				flush();
				break;
			}
		}
		if (r.done && (!rd_[0].q.empty() || !rd_[1].q.empty() || !wr_.empty() || !comp_.empty() ||
			       d_.idle_o != 7))
			fail("done while something is in flight");
		return r;
	}

	void fail(const char *why)
	{
		if (errors++ < 10)
			printf("# %s\n", why);
	}

	std::vector<Granule> mem = std::vector<Granule>(kMemBytes / 16);
	std::map<uint32_t, Granule> buffers;      // as written over the buffer bus and by drains
	std::deque<uint32_t> macs;
	unsigned latency = 10, jitter = 20, stall = 25, nbases = 0;   // stall: per cent of cycles
	bool contend = false;                     // array reads and drains of its own, all the time
	unsigned errors = 0;

private:
	struct Burst { uint64_t va; unsigned len, beat; unsigned due; };
	struct Reader { std::deque<Burst> q; bool offered = false; };

	void clock()
	{
		d_.clk_i = 1;
		d_.eval();
		d_.clk_i = 0;
		d_.eval();
		now_++;
	}

	void scrub()
	{
		d_.scrub_i = 1;
		for (unsigned a = 0; a < kWbuf; a++) {
			d_.scrub_addr_i = a;
			clock();
		}
		d_.scrub_i = 0;
	}

	bool yes(unsigned percent) { return rnd(100) < percent; }
	unsigned due() { return now_ + latency + (jitter ? rnd(jitter) : 0); }

	Granule &at(uint64_t va)
	{
		static Granule none;
		if (va < kMemVa || va + 16 > kMemVa + kMemBytes || va % 16) {
			fail("address out of memory");
			return none;
		}
		return mem[(va - kMemVa) / 16];
	}

	void take_request(std::deque<Burst> &q, uint64_t va, unsigned len)
	{
		if ((va & 4095) + 16 * (len + 1) > 4096)
			fail("burst crosses 4 KiB");
		q.push_back({va, len, 0, due()});
	}

	template <class Data>
	void offer(Reader &r, uint8_t &valid, Data &data, uint8_t *last)
	{
		valid = 0;
		if (r.q.empty())
			return;
		Burst &b = r.q.front();
		if (!r.offered && (now_ < b.due || yes(stall)))
			return;
		r.offered = true;
		valid = 1;
		memcpy(&data[0], at(b.va + 16 * b.beat).w, 16);
		if (last)
			*last = b.beat == b.len;
	}

	static void taken(Reader &r)
	{
		r.offered = false;
		if (r.q.front().beat++ == r.q.front().len)
			r.q.pop_front();
	}

	// The array: one command after the other
	void array_inputs()
	{
		d_.comp_cmd_ready_i = comp_.size() < 3 && !yes(stall);
		d_.comp_done_i = 0;
		d_.dr_we_i = 0;
		d_.ab_re_i = 0;
		if (contend && yes(60)) {
			d_.ab_re_i = 1;
			d_.ab_addr_i = rnd(kAbuf);
		}
		if (comp_.empty())
			return;
		Cmd &c = comp_.front();
		uint32_t opcode = c.get(F(OPCODE));
		unsigned len = opcode == EIE_OP_MAC ? c.get(F(MAC_LEN)) :
			       opcode == EIE_OP_DRAIN ? c.get(F(DRAIN_STEPS)) : 0;
		if (array_step_ < len) {
			if (yes(stall))
				return;
			if (opcode == EIE_OP_MAC) {
				d_.ab_re_i = 1;
				d_.ab_addr_i = c.get(F(MAC_IN)) + array_step_;
			} else {
				d_.dr_we_i = 1;
				d_.dr_addr_i = c.get(F(DRAIN_OUT)) + array_step_ * c.get(F(DRAIN_STRIDE));
				d_.dr_pixels_i = drain_pixels(c, array_step_);
				for (unsigned k = 0; k < kClusters; k++) {
					Granule g = drain_pattern(c, array_step_, k);
					memcpy(&d_.dr_data_i[4 * k], g.w, 16);
					buffers[Model::key(0, 0, d_.dr_addr_i + k)] = drain_written(c, array_step_, k);
				}
			}
			array_step_++;
		} else if (!yes(stall)) {
			d_.comp_done_i = 1;
			d_.comp_done_prev_i = c.get(F(SIGNAL_PREV));
			d_.comp_done_next_i = c.get(F(SIGNAL_NEXT));
		}
	}

	void array_outputs()
	{
		bool reading = !comp_.empty() && comp_.front().get(F(OPCODE)) == EIE_OP_MAC;

		if (array_read_) {          // answer to the read of the cycle before
			Granule g;
			memcpy(g.w, &d_.ab_data_o[0], 16);
			array_sum_ = mix(array_sum_, g);
			if (!d_.ab_written_o)
				fail("the array read a granule that is not written");
		}
		array_read_ = reading && d_.ab_re_i && array_step_ > array_seen_;
		array_seen_ = array_step_;
		if (d_.comp_done_i) {
			if (reading)
				macs.push_back(array_sum_);
			comp_.pop_front();
			array_step_ = array_seen_ = array_sum_ = 0;
		}
		if (d_.comp_cmd_valid_o && d_.comp_cmd_ready_i) {
			Cmd c;
			memcpy(c.dw, &d_.comp_cmd_o[0], 32);
			comp_.push_back(c);
		}
	}

	void step(Result &r)
	{
		d_.epoch_i = epoch_;
		d_.cp_req_ready_i = !yes(stall);
		d_.ld_req_ready_i = !yes(stall);
		d_.st_req_ready_i = !yes(stall);
		offer(rd_[0], d_.cp_rsp_valid_i, d_.cp_rsp_data_i, nullptr);
		offer(rd_[1], d_.ld_rsp_valid_i, d_.ld_rsp_data_i, &d_.ld_rsp_last_i);
		d_.st_dat_ready_i = !wr_.empty() && !yes(stall);
		d_.st_rsp_valid_i = !ans_.empty() && now_ >= ans_.front() && !yes(stall);
		array_inputs();
		d_.pb_free_i = !yes(stall);
		d_.pb_written_i = pointers_ != buffers.end();
		if (d_.pb_written_i)
			memcpy(&d_.pb_data_i[0], pointers_->second.w, 16);
		d_.eval();

		if (d_.cp_req_valid_o && d_.cp_req_ready_i)
			take_request(rd_[0].q, d_.cp_req_va_o, d_.cp_req_len_o);
		if (d_.ld_req_valid_o && d_.ld_req_ready_i)
			take_request(rd_[1].q, d_.ld_req_va_o, d_.ld_req_len_o);
		if (d_.cp_rsp_valid_i) {
			if (!d_.cp_rsp_ready_o)
				fail("command answer held up");
			taken(rd_[0]);
		}
		if (d_.ld_rsp_valid_i && d_.ld_rsp_ready_o)
			taken(rd_[1]);
		if (d_.st_rsp_valid_i)
			ans_.pop_front();
		if (d_.st_dat_valid_o && d_.st_dat_ready_i) {
			Burst &b = wr_.front();
			memcpy(at(b.va + 16 * b.beat).w, &d_.st_dat_data_o[0], 16);
			if (b.beat++ == b.len) {
				wr_.pop_front();
				ans_.push_back(due());
			}
		}
		if (d_.st_req_valid_o && d_.st_req_ready_i)
			take_request(wr_, d_.st_req_va_o, d_.st_req_len_o);
		if (d_.pb_re_o)
			pointers_ = buffers.find(Model::key(EIE_BUF_PBUF, d_.pb_cluster_o, d_.pb_addr_o));
		if (d_.buf_we_o) {
			Granule g;
			memcpy(g.w, &d_.buf_data_o[0], 16);
			buffers[Model::key(d_.buf_target_o, d_.buf_cluster_o, d_.buf_addr_o)] = g;
		}
		array_outputs();
		r.dispatched += d_.dispatched_o;
		r.wait_load += d_.wait_load_o;
		r.wait_store += d_.wait_store_o;
		r.fetching += d_.fetching_o;
		r.done |= d_.cmd_done_o;
		for (int i = 0; i < 3; i++)
			if ((d_.fault_valid_o >> i & 1) && r.status < 0) {
				r.status = d_.fault_status_o >> 8 * i & 0xff;
				r.fault_cmd = d_.fault_cmd_o[i];
			}
		clock();
	}

	// As the frontend and the bus side do it: nothing new, what comes back is nobody's
	void flush()
	{
		Result r;

		d_.flush_i = 1;
		d_.cp_rsp_valid_i = d_.ld_rsp_valid_i = d_.st_rsp_valid_i = 0;
		d_.comp_done_i = d_.dr_we_i = d_.ab_re_i = 0;
		d_.cp_req_ready_i = d_.ld_req_ready_i = d_.st_req_ready_i = d_.st_dat_ready_i = 1;
		d_.comp_cmd_ready_i = 1;
		for (int i = 0; i < 4; i++) {
			d_.eval();
			if (d_.cp_req_valid_o || d_.ld_req_valid_o || d_.st_req_valid_o || d_.st_dat_valid_o ||
			    d_.buf_we_o || d_.comp_cmd_valid_o || d_.fault_valid_o || d_.cmd_done_o)
				fail("something is offered during a flush");
			clock();
		}
		if (d_.idle_o != 7)
			fail("not idle after a flush");
		d_.flush_i = 0;
		for (Reader &q : rd_)
			q = Reader();
		wr_.clear();
		ans_.clear();
		comp_.clear();
		array_step_ = array_seen_ = array_sum_ = 0;
		array_read_ = false;
	}

	Vtb_engines d_;
	unsigned now_ = 0;
	uint8_t epoch_ = 1;
	Reader rd_[2];                 // commands, load
	std::deque<Burst> wr_;
	std::deque<unsigned> ans_;     // when each finished burst is answered
	std::deque<Cmd> comp_;
	unsigned array_step_ = 0, array_seen_ = 0;
	uint32_t array_sum_ = 0;
	bool array_read_ = false;
	std::map<uint32_t, Granule>::iterator pointers_ = buffers.end();   // what SELECT read last
};

} // namespace

#endif
