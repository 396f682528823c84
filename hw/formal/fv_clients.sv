// SPDX-License-Identifier: GPL-2.0 OR MIT
//
// The engines that read and write memory: a request is aligned and stays in its 4 KiB page, whatever the commands are, as fv_mmu assumes; in a flush they
// offer nothing and are idle in its second cycle, whatever the bus does, as fv_abort assumes.

module fv_clients (
  input logic                            clk_i,
  input logic                            flush_i,
  input logic [eie_pkg::MaxBases*64-1:0] bases_i,
  // commands, for both engines and the check of commands
  input logic                            ld_cmd_valid_i,
  input logic                            st_cmd_valid_i,
  input logic [255:0]                    cmd_i,
  input logic                            ld_ready_i,
  input logic                            ld_rsp_valid_i,
  input logic                            buf_ready_i,
  input logic                            st_ready_i,
  input logic                            st_gnt_i,
  input logic                            st_written_i,
  input logic                            st_dat_ready_i,
  input logic                            st_rsp_valid_i,
  input logic [127:0]                    rsp_data_i
);

  logic rst_n = 1'b0;
  always_ff @(posedge clk_i) rst_n <= 1'b1;

  logic        ld_idle, st_idle, ld_valid, st_valid, st_dat_valid, ld_we;
  logic [63:0] ld_va, st_va;
  logic [3:0]  ld_len, st_len;
  logic [7:0]  status;

  eie_load #(.AbufDepth(64), .WbufDepth(64), .PbufDepth(64), .RbufDepth(64), .Bursts(16)) u_load (
    .clk_i, .rst_ni(rst_n), .flush_i, .idle_o(ld_idle), .bases_i, .cmd_valid_i(ld_cmd_valid_i), .cmd_i,
    .cmd_idx_i(32'b0), .req_valid_o(ld_valid), .req_ready_i(ld_ready_i), .req_va_o(ld_va),
    .req_len_o(ld_len), .rsp_valid_i(ld_rsp_valid_i), .rsp_data_i, .rsp_last_i(1'b0),
    .buf_we_o(ld_we), .buf_ready_i
  );

  eie_store #(.AbufDepth(64)) u_store (
    .clk_i, .rst_ni(rst_n), .flush_i, .idle_o(st_idle), .bases_i, .cmd_valid_i(st_cmd_valid_i), .cmd_i,
    .cmd_idx_i(32'b0), .st_gnt_i, .st_data_i(128'b0), .st_written_i, .req_valid_o(st_valid),
    .req_ready_i(st_ready_i), .req_va_o(st_va), .req_len_o(st_len), .dat_valid_o(st_dat_valid),
    .dat_ready_i(st_dat_ready_i), .rsp_valid_i(st_rsp_valid_i)
  );

  eie_cmdcheck #(.Clusters(2), .Rows(64), .AbufDepth(64), .WbufDepth(64), .PbufDepth(64), .RbufDepth(64)) u_check (
    .valid_i(1'b1), .cmd_i, .nbases_i(5'd16), .status_o(status)
  );

  logic xfer;                              // a LOAD or a STORE
  assign xfer = cmd_i[eie_pkg::CmdOpcodeLsb +: 8] == eie_pkg::OpLoad || cmd_i[eie_pkg::CmdOpcodeLsb +: 8] == eie_pkg::OpStore;

  always_comb begin
    if (rst_n) begin
      // only what the check has passed gets to an engine (fv_cmdq: unchanged)
      assume (!(ld_cmd_valid_i || st_cmd_valid_i) || (xfer && status == eie_pkg::StatusOk));
    end
  end

  logic flush_q, flushed_q;
  always_ff @(posedge clk_i) begin
    flush_q   <= rst_n && flush_i;
    flushed_q <= rst_n && flush_q && flush_i;
  end

  (* probe = "u_load.u_xfer.active_q" *) logic ld_active;
  (* probe = "u_load.u_xfer.left_q" *) logic [23:0] ld_left;
  (* probe = "u_load.u_xfer.len_q" *) logic [23:0] ld_row;
  (* probe = "u_store.u_xfer.active_q" *) logic st_active;
  (* probe = "u_store.u_xfer.left_q" *) logic [23:0] st_left;
  (* probe = "u_store.u_xfer.len_q" *) logic [23:0] st_row;

  always_comb begin
    if (rst_n) begin
      assert (!ld_valid || (ld_va[3:0] == '0 && ld_va[11:4] + ld_len < 9'd256));
      assert (!st_valid || (st_va[3:0] == '0 && st_va[11:4] + st_len < 9'd256));
      assert (!flush_i || !(ld_valid || st_valid || st_dat_valid || ld_we));
      assert (!(flush_i && flush_q) || (ld_idle && st_idle));
      assert (!ld_idle || !ld_valid);
      assert (!st_idle || !st_valid);
      // inside
      assert (!ld_active || (ld_left != '0 && ld_row != '0));
      assert (!st_active || (st_left != '0 && st_row != '0));
    end
    cover (rst_n && ld_valid && ld_va[11:4] + ld_len == 9'd255 && ld_len == 4'd3);
    cover (rst_n && st_valid && st_len == 4'd15 && st_va[63:32] != '0);
    cover (rst_n && flush_q && flush_i && !flushed_q && ld_rsp_valid_i);
  end

endmodule
