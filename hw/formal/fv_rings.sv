// SPDX-License-Identifier: GPL-2.0 OR MIT
//
// The rings of a queue: eie_queue with the front end that serves it, and another queue of higher priority beside it. Jobs are taken in the order in which
// doorbells promised them, each once, none that was not promised; each that was taken has one completion entry, in order, with the phase of its lap, and
// none is written over one that software has not read. Software may write any register at any time; what it must not do is in `honest`.

module fv_rings (
  input logic         clk_i,
  input logic [63:0]  time_i,
  input logic         enable_i,
  input logic         abort_i,
  input logic         clear_i,
  // writes to the queue's registers
  input logic         we_i,
  input logic [7:0]   waddr_i,
  input logic [31:0]  wdata_i,
  // the other queue
  input logic         other_job_i,
  input logic         other_restarted_i,
  input logic         other_reset_i,
  // MMU, bus, engines
  input logic         rd_ready_i,
  input logic         rd_rsp_valid_i,
  input logic [127:0] rd_rsp_data_i,
  input logic         rd_rsp_last_i,
  input logic         wr_ready_i,
  input logic         dat_ready_i,
  input logic         wr_rsp_valid_i,
  input logic         bus_rd_fault_i,
  input logic         bus_wr_fault_i,
  input logic         quiet_i,
  input logic         clear_busy_i,
  input logic         cmd_done_i,
  input logic         fault_valid_i,
  input logic [7:0]   fault_status_i
);

  logic rst_n = 1'b0;
  always_ff @(posedge clk_i) rst_n <= 1'b1;

  logic         restarted, reset, job, phase, ready;
  logic [1:0]   stop, running, pop, push;
  logic [7:0]   cause;
  logic [63:0]  desc_addr, cpl_addr, stop_addr;
  logic [15:0]  head;
  logic         rd_valid, rd_phys, wr_valid, dat_valid;
  logic [63:0]  rd_va, wr_pa;
  logic [127:0] dat_data;

  eie_queue u_queue (
    .clk_i, .rst_ni(rst_n), .clear_i, .we_i, .waddr_i, .wdata_i, .raddr_i(8'b0), .restarted_o(restarted), .reset_o(reset),
    .running_i(running[1]), .job_o(job), .desc_addr_o(desc_addr), .cpl_addr_o(cpl_addr), .cpl_phase_o(phase), .sq_head_o(head),
    .pop_i(pop[1]), .push_i(push[1]), .stop_i(stop[1]), .stop_cause_i(cause), .stop_addr_i(stop_addr)
  );

  eie_frontend #(.Queues(2), .ScrubDepth(4), .Sources(1)) u_dut (
    .clk_i, .clk_host_i(clk_i), .rst_ni(rst_n), .time_i, .enable_i, .abort_i, .clear_i, .ready_o(ready),
    .stop_o(stop), .stop_cause_o(cause), .stop_addr_o(stop_addr), .running_o(running), .pop_o(pop), .push_o(push),
    .restarted_i({restarted, other_restarted_i}), .reset_i({reset, other_reset_i}), .job_i({job, other_job_i}), .desc_addr_i({desc_addr, 64'b0}),
    .cpl_addr_i({cpl_addr, 64'b0}), .cpl_phase_i({phase, 1'b0}), .sq_head_i({head, 16'b0}),
    .rd_valid_o(rd_valid), .rd_phys_o(rd_phys), .rd_va_o(rd_va), .rd_ready_i, .rd_rsp_valid_i, .rd_rsp_data_i, .rd_rsp_last_i,
    .wr_valid_o(wr_valid), .wr_pa_o(wr_pa), .wr_ready_i, .dat_valid_o(dat_valid), .dat_data_o(dat_data), .dat_ready_i, .wr_rsp_valid_i,
    .bus_rd_fault_i, .bus_rd_fault_addr_i(64'b0), .bus_wr_fault_i, .bus_wr_fault_addr_i(64'b0),
    .quiet_i, .clear_busy_i, .cmd_done_i, .fault_valid_i, .fault_status_i, .fault_addr_i(64'b0), .fault_cmd_i(32'b0),
    .macs_i(9'b0), .mac_active_i(1'b0), .drain_active_i(1'b0), .engine_active_i(1'b0), .sats_i(9'b0),
    .sync_wait_i(1'b0), .wait_load_i(1'b0), .wait_store_i(1'b0), .fetching_i(1'b0),
    .dispatched_i(1'b0), .retired_i(2'b0), .read_beat_i(1'b0), .walk_beat_i(1'b0),
    .write_beat_i(1'b0), .tlb_miss_i(1'b0)
  );

  (* probe = "u_dut.state_q" *) logic [3:0] state;
  (* probe = "u_dut.queue_q" *) logic served;
  (* probe = "u_dut.restarted_q" *) logic stale;
  (* probe = "u_dut.beat_q" *) logic [2:0] beat;
  (* probe = "u_dut.run_q" *) logic run;
  (* probe = "u_dut.phase_q" *) logic entry_phase;
  (* probe = "u_dut.head_q" *) logic [15:0] entry_head;
  (* probe = "u_queue.enable_q" *) logic enabled;
  (* probe = "u_queue.error_q" *) logic stopped;
  (* probe = "u_queue.reset_q" *) logic resetting;
  (* probe = "u_queue.sq_base_q" *) logic [56:0] sq_base;
  (* probe = "u_queue.cq_base_q" *) logic [56:0] cq_base;
  (* probe = "u_queue.sq_log2_q" *) logic [3:0] sq_log2;
  (* probe = "u_queue.cq_log2_q" *) logic [3:0] cq_log2;
  (* probe = "u_queue.sq_tail_q" *) logic [15:0] sq_tail;
  (* probe = "u_queue.sq_head_q" *) logic [15:0] sq_head;
  (* probe = "u_queue.cq_tail_q" *) logic [15:0] cq_tail;
  (* probe = "u_queue.cq_head_q" *) logic [15:0] cq_head;
  (* probe = "u_queue.sq_act_q" *) logic [56:0] sq_act;
  (* probe = "u_queue.cq_act_q" *) logic [56:0] cq_act;
  (* probe = "u_queue.sq_log2_act_q" *) logic [3:0] sq_log2_act;
  (* probe = "u_queue.cq_log2_act_q" *) logic [3:0] cq_log2_act;

  `include "fv_frontend.svh"

  // What software sees ---------------------------------------------------------------------------
  // All counts are since ENABLE rose last, modulo 2^16, as the doorbell's are.

  logic [15:0] promised_q, taken_q, written_q, read_q;
  logic [56:0] jobs_at_q, entries_at_q;      // granules of 128 bytes
  logic [15:0] jobs_mask_q, entries_mask_q;  // size - 1
  logic        phase_q;
  logic        ever_q;                       // ENABLE rose once
  logic [15:0] jobs_size, entries_size;
  assign jobs_size    = jobs_mask_q + 16'd1;
  assign entries_size = entries_mask_q + 16'd1;

  logic bell, rise, off, lie;
  assign bell = we_i && waddr_i == eie_pkg::RegQDoorbell[7:0] && enabled && !stopped && !off;
  assign rise = we_i && waddr_i == eie_pkg::RegQCtrl[7:0] && wdata_i[1:0] == 2'b01 && !enabled && !resetting;
  assign off  = clear_i || (resetting && !running[1]);
  // more jobs than the ring has, or entries that were not written
  assign lie  = wdata_i[15:0] - taken_q > jobs_size || written_q - wdata_i[31:16] > entries_size;

  always_ff @(posedge clk_i) begin
    if (!rst_n || off || rise) begin
      promised_q <= '0;
      taken_q    <= '0;
      written_q  <= '0;
      read_q     <= '0;
    end else begin
      if (bell && !lie) begin
        promised_q <= wdata_i[15:0];
        read_q     <= wdata_i[31:16];
      end
      taken_q   <= taken_q + pop[1];
      written_q <= written_q + push[1];
    end
    ever_q <= rst_n && (ever_q || rise);
    if (rise) begin
      jobs_at_q      <= sq_base;
      entries_at_q   <= cq_base;
      jobs_mask_q    <= (16'd1 << sq_log2) - 16'd1;
      entries_mask_q <= (16'd1 << cq_log2) - 16'd1;
    end
    if (push[1]) begin
      phase_q <= (written_q & entries_size) == '0;
    end
  end

  // Assumptions ----------------------------------------------------------------------------------

  // a doorbell takes neither promises nor what was read back
  logic honest;
  assign honest = wdata_i[15:0] - taken_q >= promised_q - taken_q && written_q - wdata_i[31:16] <= written_q - read_q;

  always_comb begin
    if (rst_n) begin
      assume (!bell || lie || honest);
      // eie_regs: the end of a device reset
      assume (!clear_i || (abort_i && ready));
    end
  end

  // Claims ---------------------------------------------------------------------------------------

  logic chosen, on_chip, entry_due;
  assign chosen    = running[1] && !stale;
  assign on_chip   = chosen && state != StDescReq && state != StDesc;
  assign entry_due = on_chip && (state <= StCplReq);

  always_comb begin
    if (rst_n) begin
      // taken: promised, in order, once
      assert (!pop[1] || promised_q != taken_q);
      assert (!pop[1] || (on_chip == 1'b0 && taken_q == written_q));
      assert (!(rd_valid && rd_phys && served) || rd_va == {jobs_at_q + (taken_q & jobs_mask_q), 7'b0});
      // entries: one a job, in order, with its lap's phase, over none that is not read
      assert (taken_q - written_q == {15'b0, entry_due});
      assert (!push[1] || (entry_due && written_q - read_q < entries_size));
      assert (!(wr_valid && served) || wr_pa == {entries_at_q + (written_q & entries_mask_q), 7'b0});
      assert (!(dat_valid && chosen && beat == 3'd7) || (dat_data[96] == phase_q && dat_data[47:32] == taken_q));
      assert (written_q - read_q <= entries_size && promised_q - taken_q <= jobs_size);
      // nobody is served when the other one is
      assert (pop != 2'b11 && push != 2'b11 && running != 2'b11);

      // that these are the registers
      assert (promised_q == sq_tail && taken_q == sq_head && written_q == cq_tail && read_q == cq_head);
      assert (ever_q || !(enabled || chosen || sq_head != sq_tail || cq_head != cq_tail));
      if (ever_q) begin
        assert (sq_act == jobs_at_q && cq_act == entries_at_q);
        assert (jobs_mask_q == (16'd1 << sq_log2_act) - 16'd1 && entries_mask_q == (16'd1 << cq_log2_act) - 16'd1);
      end
      assert (!(resetting && enabled));
      assert (state <= StCplResp);
      assert (run == (state >= StCheck && state <= StFlush));
      assert ((running != 2'b0) == (state != StIdle) || state == StScrub);
      // what was chosen is still there
      assert (!(chosen && !on_chip) || (promised_q != taken_q && written_q - read_q < entries_size));
      assert (!(chosen && state == StCplData) || (entry_phase == phase_q && entry_head == taken_q));
      assert (!entry_due || written_q - read_q < entries_size);
    end
  end

  always_comb begin
    cover (pop[1] && promised_q - taken_q == jobs_size && jobs_mask_q == 16'd1);
    cover (push[1] && entries_mask_q == 16'd0 && !enabled);
    cover (running[1] && stale && state == StDesc && enabled);
  end

endmodule
