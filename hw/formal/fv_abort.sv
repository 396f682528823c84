// SPDX-License-Identifier: GPL-2.0 OR MIT
//
// Abort: whatever the front end does, CTRL.ABORT takes the job off the chip. Others are assumed to keep it waiting for at most Patience
// cycles at a time. `rank` bounds the cycles that are left, from the state alone; it falls in every cycle, and with the
// age of the abort it never exceeds Bound. So the response is within Bound cycles, from any state, for ever.
//
// What the front end promises its neighbours is proved beside it: aligned command buffers, reads that stay in their page.

module fv_abort #(
  parameter int unsigned Patience = 15,
  parameter int unsigned Queues = 2,
  parameter int unsigned ScrubDepth = 4
) (
  input logic                 clk_i,
  input logic [63:0]          time_i,
  input logic                 enable_i,
  input logic                 abort_i,
  input logic                 clear_i,
  input logic [Queues-1:0]    restarted_i,
  input logic [Queues-1:0]    reset_i,
  input logic [Queues-1:0]    job_i,
  input logic                 rd_ready_i,
  input logic                 rd_rsp_valid_i,
  input logic [127:0]         rd_rsp_data_i,
  input logic                 rd_rsp_last_i,
  input logic                 wr_ready_i,
  input logic                 dat_ready_i,
  input logic                 wr_rsp_valid_i,
  input logic                 bus_rd_fault_i,
  input logic                 bus_wr_fault_i,
  input logic                 quiet_i,
  input logic                 clear_busy_i,
  input logic                 cmd_done_i,
  input logic                 fault_valid_i,
  input logic [7:0]           fault_status_i
);

  logic rst_n = 1'b0;
  always_ff @(posedge clk_i) rst_n <= 1'b1;

  logic                 busy, flush, rd_valid, rd_phys, wr_valid, dat_valid, cmd_start;
  logic [63:0]          rd_va, cmd_va;
  logic [3:0]           rd_len;
  logic [Queues*64-1:0] addresses;
  logic [Queues*16-1:0] heads;
  assign addresses = '0;
  assign heads     = '0;

  eie_frontend #(.Queues(Queues), .ScrubDepth(ScrubDepth), .Sources(1)) u_dut (
    .clk_i, .clk_host_i(clk_i), .rst_ni(rst_n), .time_i, .enable_i, .abort_i, .clear_i, .busy_o(busy),
    .restarted_i, .reset_i, .job_i, .desc_addr_i(addresses), .cpl_addr_i(addresses),
    .cpl_phase_i(job_i), .sq_head_i(heads),
    .rd_valid_o(rd_valid), .rd_phys_o(rd_phys), .rd_va_o(rd_va), .rd_len_o(rd_len), .rd_ready_i, .rd_rsp_valid_i, .rd_rsp_data_i, .rd_rsp_last_i,
    .wr_valid_o(wr_valid), .wr_ready_i, .dat_valid_o(dat_valid), .dat_ready_i, .wr_rsp_valid_i,
    .bus_rd_fault_i, .bus_rd_fault_addr_i(64'b0), .bus_wr_fault_i, .bus_wr_fault_addr_i(64'b0),
    .flush_o(flush), .quiet_i, .clear_busy_i, .cmd_start_o(cmd_start), .cmd_va_o(cmd_va), .cmd_done_i,
    .fault_valid_i, .fault_status_i, .fault_addr_i(64'b0), .fault_cmd_i(32'b0),
    .macs_i(9'b0), .mac_active_i(1'b0), .drain_active_i(1'b0), .engine_active_i(1'b0), .sats_i(9'b0),
    .sync_wait_i(1'b0), .wait_load_i(1'b0), .wait_store_i(1'b0), .fetching_i(1'b0),
    .dispatched_i(1'b0), .retired_i(2'b0), .read_beat_i(1'b0), .walk_beat_i(1'b0),
    .write_beat_i(1'b0), .tlb_miss_i(1'b0)
  );

  (* probe = "u_dut.state_q" *) logic [3:0] state;
  (* probe = "u_dut.beat_q" *) logic [2:0] beat;
  (* probe = "u_dut.run_q" *) logic run;
  (* probe = "u_dut.settled_q" *) logic settled;
  (* probe = "u_dut.epoch_q" *) logic [7:0] epoch;
  (* probe = "u_dut.scrub_q" *) logic [23:0] scrub;

  (* probe = "u_dut.restore_q" *) logic restore;
  (* probe = "u_dut.d_restore" *) logic [63:0] d_restore;
  (* probe = "u_dut.d_cmds" *) logic [63:0] d_cmds;
  (* probe = "u_dut.d_nrestore" *) logic [31:0] nrestore;
  (* probe = "u_dut.d_ncmds" *) logic [31:0] ncmds;
  (* probe = "u_dut.base_va_q" *) logic [63:0] base_va;
  (* probe = "u_dut.base_left_q" *) logic [3:0] base_left;

  `include "fv_frontend.svh"

  // Others ---------------------------------------------------------------------------------------

  logic       waits, comes, quiet_q;
  logic [7:0] wait_q;
  always_comb begin
    waits = 1'b1;
    comes = 1'b0;
    unique case (state)
      StDesc:    comes = rd_rsp_valid_i;
      StFlush:   comes = quiet_i;
      StCplReq:  comes = wr_ready_i;
      StCplData: comes = dat_ready_i;
      StCplResp: comes = wr_rsp_valid_i;
      default:   waits = 1'b0;
    endcase
  end

  always_ff @(posedge clk_i) begin
    wait_q  <= rst_n && waits && !comes ? wait_q + 8'd1 : 8'd0;
    quiet_q <= rst_n && flush && quiet_i;
  end

  always_comb begin
    if (rst_n) begin
      assume (!waits || comes || wait_q < Patience);
      // in a flush nothing begins, so what is quiet stays quiet
      assume (!(flush && quiet_q) || quiet_i);
    end
  end

  // What is left ---------------------------------------------------------------------------------

  localparam int unsigned Most = ScrubDepth + 16;                // events
  localparam int unsigned Bound = (Most + 1) * (Patience + 1);

  logic [15:0] events, rank, age_q;
  always_comb begin
    unique case (state)
      StIdle:    events = 16'd0;
      StDescReq: events = 16'd1;
      StDesc:    events = 16'd8 - beat;
      StCplResp: events = 16'd1;
      StCplData: events = 16'd9 - beat;
      StCplReq:  events = 16'd10;
      StFlush:   events = settled ? 16'd11 : 16'd12;
      StCheck:   events = epoch == 8'hff ? 16'(ScrubDepth + 16) : 16'd14;
      StScrub:   events = 16'(ScrubDepth + 15) - scrub[15:0];
      default:   events = 16'd13;                                // base table to drain
    endcase
    rank = events * 16'(Patience + 1) - (waits ? wait_q : 8'd0);
  end

  logic [15:0] rank_q;                                           // of the cycle before, if the abort was there already
  always_ff @(posedge clk_i) begin
    age_q  <= rst_n && abort_i && busy ? age_q + 16'd1 : 16'd0;
    rank_q <= rst_n && abort_i && busy ? rank : 16'hffff;
  end

  always_comb begin
    if (rst_n) begin
      assert (state <= StCplResp);
      assert (busy == (state != StIdle && state != StScrub) || state == StScrub);
      assert (run == (state >= StCheck && state <= StFlush));
      assert (state != StFlush || !settled || quiet_q);
      assert (state == StScrub ? scrub < ScrubDepth : scrub == '0);
      assert (wait_q <= Patience);
      // the claim
      if (abort_i && busy) begin
        assert (rank != '0 && rank < rank_q && age_q + rank <= Bound);
      end
      // requests
      assert (!cmd_start || (cmd_va[4:0] == '0 && !flush));
      assert (!rd_valid || rd_va[3:0] == '0 && rd_va[11:4] + rd_len < 9'd256);
      assert (!rd_phys || state == StDescReq);
      assert (state < StBaseReq || state > StMain || nrestore == '0 || d_restore[4:0] == '0);
      assert (state < StBaseReq || state > StMain || ncmds == '0 || d_cmds[4:0] == '0);
      assert (state < StBaseReq || state > StMain || !restore || nrestore != '0);
      assert (state != StMain || ncmds != '0);
      assert (state != StRestore || nrestore != '0);
      assert (!(state == StBaseReq || state == StBase) || base_va[3:0] == '0);
      assert (state != StBaseReq || base_left != '0);
      // nothing begins while it lasts
      assert (!(abort_i && !busy) || !(rd_valid || wr_valid || dat_valid || cmd_start || flush));
    end
  end

  logic came_q, ran_q;
  logic [3:0] from_q;
  always_ff @(posedge clk_i) begin
    ran_q  <= rst_n && (ran_q || cmd_start);
    came_q <= rst_n && abort_i && busy;
    if (!abort_i) begin
      from_q <= state;
    end
  end
  always_comb begin
    cover (came_q && abort_i && !busy && from_q == StDesc);
    cover (came_q && abort_i && !busy && from_q == StCplReq - 4'd2 && ran_q);
    cover (came_q && abort_i && !busy && from_q == StCheck);
  end

endmodule
