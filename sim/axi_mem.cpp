// SPDX-License-Identifier: GPL-2.0 OR MIT
#include "axi_mem.hpp"

#include <algorithm>
#include <cinttypes>
#include <cstdio>
#include <cstring>

namespace eie {

enum Channel { ChannelAr, ChannelAw, ChannelW, ChannelR, ChannelB, Channels };

constexpr unsigned int LostBits = 12;
constexpr unsigned int DefaultLatency = 64;
constexpr unsigned int MaxReports = 16;
constexpr uint8_t RespOkay = 0, RespSlvErr = 2;
constexpr uint8_t BurstIncr = 1, SizeBeat = 4;

AxiMem::AxiMem(const eie_sim_params &params, const eie_sim_ops &ops, void *ctx)
	: ops_(ops), ctx_(ctx), latency_(params.latency ? params.latency : DefaultLatency), jitter_(params.jitter),
	  // a channel that loses every cycle would hang for ever
	  stall_(std::min(params.stall_permille, 999u) * (1u << LostBits) / 1000), seed_(params.seed)
{
	reset();
}

void AxiMem::reset()
{
	out = AxiSlave();
	out.ar_ready = out.aw_ready = out.w_ready = true;
	reads_.count = aw_.count = b_.count = 0;
	r_.beats = 0;
	w_beats_ = 0;
	w_last_ = false;
	ar_wait_.valid = aw_wait_.valid = w_wait_ = false;
	idle_ = true;
}

void AxiMem::Queue::push(const Burst &burst)
{
	unsigned int i = count++;

	for (; i > 0 && at[i - 1].due > burst.due; i--)
		at[i] = at[i - 1];
	at[i] = burst;
}

AxiMem::Burst AxiMem::Queue::pop()
{
	Burst first = at[0];

	count--;
	std::copy(at + 1, at + 1 + count, at);
	return first;
}

// splitmix64 (Steele, Lea, Flood: Fast splittable pseudorandom number generators, 2014)
uint64_t AxiMem::random()
{
	uint64_t z = seed_ += 0x9e3779b97f4a7c15;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
	z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
	return z ^ (z >> 31);
}

// Bit c: channel c loses the coming cycle.
unsigned int AxiMem::lost_channels()
{
	unsigned int lost = 0;

	if (held_)
		return (1u << Channels) - 1;
	if (!stall_)
		return 0;
	uint64_t bits = random();
	for (unsigned int c = 0; c < Channels; c++, bits >>= LostBits)
		if ((bits & ((1u << LostBits) - 1)) < stall_)
			lost |= 1u << c;
	return lost;
}

// Never before an earlier burst of the same ID: that keeps the order that AXI asks for.
uint64_t AxiMem::due(uint64_t &last)
{
	uint64_t time = now_ + latency_;

	if (jitter_)
		time += random() % (uint64_t(jitter_) + 1);
	return last = std::max(last, time);
}

void AxiMem::broken(const char *channel, const char *what, uint64_t addr)
{
	if (failures_++ < MaxReports)
		fprintf(stderr, "eie_sim: AXI rule broken in cycle %" PRIu64 ": %s %s (address 0x%" PRIx64 ")\n", now_,
			channel, what, addr);
}

void AxiMem::check_addr(const char *channel, const AxiAddr &a, bool ready, Waiting &waiting)
{
	if (waiting.valid) {
		const AxiAddr &was = waiting.was;

		if (!a.valid)
			broken(channel, "dropped valid before ready", was.addr);
		else if (a.addr != was.addr || a.id != was.id || a.len != was.len || a.size != was.size ||
			 a.burst != was.burst)
			broken(channel, "changed while waiting", was.addr);
	}
	waiting.valid = a.valid && !ready;
	if (waiting.valid)
		waiting.was = a;
	if (!a.valid || !ready)
		return;
	if (a.size != SizeBeat || a.burst != BurstIncr)
		broken(channel, "is not an INCR burst of 16-byte beats", a.addr);
	if (a.addr % BeatBytes)
		broken(channel, "is not aligned to a beat", a.addr);
	if (a.addr % 4096 + (a.len + 1u) * BeatBytes > 4096)
		broken(channel, "crosses 4 KiB", a.addr);
}

void AxiMem::check_w(const AxiMaster &m)
{
	if (w_wait_) {
		if (!m.w_valid)
			broken("W", "dropped valid before ready", 0);
		else if (m.w_last != w_wait_last_ || m.w_strb != w_wait_strb_ ||
			 memcmp(m.w_data, w_wait_data_, BeatBytes))
			broken("W", "changed while waiting", 0);
	}
	w_wait_ = m.w_valid && !out.w_ready;
	if (w_wait_) {
		w_wait_last_ = m.w_last;
		w_wait_strb_ = m.w_strb;
		memcpy(w_wait_data_, m.w_data, BeatBytes);
	}
}

void AxiMem::read_step(const AxiMaster &m, unsigned int lost)
{
	check_addr("AR", m.ar, out.ar_ready, ar_wait_);
	if (m.ar.valid && out.ar_ready)
		reads_.push({ due(r_due_[m.ar.id]), m.ar.addr, m.ar.id, RespOkay, uint16_t(m.ar.len + 1) });

	if (out.r_valid && m.r_ready) {
		out.r_valid = false;
		if (++r_beat_ == r_.beats)
			r_.beats = 0;
	}
	if (!out.r_valid && !(lost & 1u << ChannelR)) {
		if (!r_.beats && reads_.count && reads_.at[0].due <= now_ + 1) {
			r_ = reads_.pop();
			r_beat_ = 0;
			if (ops_.read(ctx_, r_.addr, r_data_, r_.beats * BeatBytes)) {
				r_.resp = RespSlvErr;
				memset(r_data_, 0xa5, r_.beats * BeatBytes);
			}
		}
		if (r_.beats) {
			out.r_valid = true;
			out.r_data = r_data_ + r_beat_ * BeatBytes;
			out.r_id = r_.id;
			out.r_resp = r_.resp;
			out.r_last = r_beat_ + 1 == r_.beats;
		}
	}
	out.ar_ready = reads_.count < MaxBursts && !(lost & 1u << ChannelAr);
}

void AxiMem::take_w(const AxiMaster &m)
{
	memcpy(w_data_ + w_beats_ * BeatBytes, m.w_data, BeatBytes);
	w_strb_[w_beats_++] = m.w_strb;
	w_last_ = m.w_last;
	if (w_beats_ == MaxBeats && !w_last_) {
		broken("W", "burst has no last beat", 0);
		w_last_ = true;
	}
}

// Has the oldest write address all its beats? Data that came first may turn out too short or too long for it.
bool AxiMem::w_complete()
{
	if (!aw_.count || (!w_last_ && w_beats_ < aw_.at[0].beats))
		return false;
	if (!w_last_ || w_beats_ != aw_.at[0].beats)
		broken("W", "last beat is not where AWLEN says", aw_.at[0].addr);
	return true;
}

uint8_t AxiMem::write_out(const Burst &burst)
{
	unsigned int bytes = std::min<unsigned int>(w_beats_, burst.beats) * BeatBytes;
	uint8_t resp = RespOkay;

	for (unsigned int i = 0, start = 0; i <= bytes; i++) {
		if (i < bytes && (w_strb_[i / BeatBytes] >> i % BeatBytes & 1))
			continue;
		if (i > start && ops_.write(ctx_, burst.addr + start, w_data_ + start, i - start))
			resp = RespSlvErr;
		start = i + 1;
	}
	return resp;
}

void AxiMem::write_step(const AxiMaster &m, unsigned int lost)
{
	check_addr("AW", m.aw, out.aw_ready, aw_wait_);
	if (m.aw.valid && out.aw_ready) // all due at once: the queue keeps their order
		aw_.push({ 0, m.aw.addr, m.aw.id, RespOkay, uint16_t(m.aw.len + 1) });
	check_w(m);
	if (m.w_valid && out.w_ready)
		take_w(m);
	if (w_beats_ && w_complete()) {
		Burst burst = aw_.pop();

		burst.resp = write_out(burst);
		burst.due = due(b_due_[burst.id]);
		b_.push(burst);
		w_beats_ = 0;
		w_last_ = false;
	}

	if (out.b_valid && m.b_ready)
		out.b_valid = false;
	if (!out.b_valid && b_.count && b_.at[0].due <= now_ + 1 && !(lost & 1u << ChannelB)) {
		Burst burst = b_.pop();

		out.b_valid = true;
		out.b_id = burst.id;
		out.b_resp = burst.resp;
	}
	out.aw_ready = aw_.count + b_.count < MaxBursts && !(lost & 1u << ChannelAw);
	out.w_ready = !w_last_ && !(lost & 1u << ChannelW);
}

void AxiMem::busy_step(const AxiMaster &m)
{
	unsigned int lost = lost_channels();

	read_step(m, lost);
	write_step(m, lost);
	idle_ = !reads_.count && !r_.beats && !aw_.count && !b_.count && !out.b_valid && !w_beats_ && !ar_wait_.valid &&
		!aw_wait_.valid && !w_wait_;
}

} // namespace eie
