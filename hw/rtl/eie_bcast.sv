// SPDX-License-Identifier: GPL-2.0 OR MIT
//
// Reads a MAC's input vector from ABUF, skips the zeros, and sends up to two columns a cycle to all
// clusters: the place of the column's pointer, and the activation.

module eie_bcast #(
  parameter int unsigned PbufDepth = 256,
  localparam int unsigned Pa = $clog2(PbufDepth)
) (
  input  logic            clk_i,
  input  logic            rst_ni,
  input  logic            flush_i,

  input  logic            start_i,      // only while not busy_o
  input  logic            tag_i,
  input  logic [23:0]     in_i,
  input  logic [23:0]     len_i,
  input  logic [Pa-1:0]   ptr_i,
  output logic            busy_o,
  output logic            rest_o,          // no register changes: clk_i may stop

  output logic            ab_re_o,
  output logic [23:0]     ab_addr_o,
  input  logic [127:0]    ab_data_i,    // the cycle after ab_re_o
  input  logic            ab_written_i,

  input  logic            hold_i,       // a cluster has no room
  output logic [1:0]      bc_valid_o,   // 00, 01 or 11
  output logic [2*Pa+3:0] bc_ptr_o,
  output logic [31:0]     bc_act_o,
  output logic            bc_tag_o,
  output logic            unwritten_o   // with bc_tag_o
);

  logic [23:0]   addr_q, left_q;        // granules yet to read
  logic [23:0]   undone_q;              // granules yet to broadcast, the one in cur_q included
  logic          read_q;
  logic [Pa-1:0] ptr_q;                 // pointers of the granule in cur_q: here and in the next one
  logic [127:0]  cur_q;
  logic [7:0]    todo_q;                // its non-zero values not sent yet

  // Read ahead. Of four places one may be claimed by a read in flight.

  logic          fifo_valid, fifo_pop;
  logic [127:0]  fifo_data;
  logic [2:0]    fifo_count;
  logic          fifo_ready;

  assign ab_re_o   = left_q != '0 && fifo_count + 3'(read_q) < 3'd4;
  assign ab_addr_o = addr_q;

  eie_fifo #(
    .Width (128),
    .Depth (4)
  ) u_fifo (
    .clk_i, .rst_ni,
    .clr_i    (flush_i),
    .wvalid_i (read_q),
    .wready_o (fifo_ready),
    .wdata_i  (ab_data_i),
    .rvalid_o (fifo_valid),
    .rready_i (fifo_pop),
    .rdata_o  (fifo_data),
    .count_o  (fifo_count)
  );

  // Scan

  logic [7:0] rest, after, fifo_nz;
  logic [2:0] i0, i1;
  logic       send, done;

  always_comb begin
    for (int unsigned i = 0; i < 8; i++) begin
      fifo_nz[i] = fifo_data[16*i +: 16] != '0;
    end
  end

  always_comb begin
    i0 = '0;
    i1 = '0;
    for (int i = 7; i >= 0; i--) begin
      if (todo_q[i]) i0 = 3'(i);
      if (rest[i])   i1 = 3'(i);
    end
  end

  assign rest     = todo_q & (todo_q - 1'b1);
  assign after    = rest & (rest - 1'b1);
  assign send     = todo_q != '0 && !hold_i;
  assign done     = todo_q == '0 || (send && after == '0);
  assign fifo_pop = fifo_valid && done;
  assign rest_o   = !(flush_i || start_i || send || fifo_pop || ab_re_o || read_q || unwritten_o ||
                      bc_valid_o != '0);
  assign busy_o   = undone_q != '0 || todo_q != '0;

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      left_q      <= '0;
      undone_q    <= '0;
      read_q      <= 1'b0;
      todo_q      <= '0;
      bc_valid_o  <= '0;
      unwritten_o <= 1'b0;
    end else if (flush_i) begin
      left_q      <= '0;
      undone_q    <= '0;
      read_q      <= 1'b0;
      todo_q      <= '0;
      bc_valid_o  <= '0;
      unwritten_o <= 1'b0;
    end else begin
      read_q      <= ab_re_o;
      bc_valid_o  <= {send && rest != '0, send};
      unwritten_o <= read_q && !ab_written_i;
      if (start_i) begin
        left_q   <= len_i;
        undone_q <= len_i;
      end else begin
        if (ab_re_o) begin
          left_q <= left_q - 1'b1;
        end
        if (fifo_pop) begin
          undone_q <= undone_q - 1'b1;
        end
      end
      if (fifo_pop) begin
        todo_q <= fifo_nz;
      end else if (send) begin
        todo_q <= after;
      end
    end
  end

  always_ff @(posedge clk_i) begin
    if (start_i) begin
      addr_q   <= in_i;
      ptr_q    <= ptr_i - Pa'(2);
      bc_tag_o <= tag_i;
    end else begin
      if (ab_re_o) begin
        addr_q <= addr_q + 1'b1;
      end
      if (fifo_pop) begin
        ptr_q <= ptr_q + Pa'(2);
      end
    end
    if (fifo_pop) begin
      cur_q <= fifo_data;
    end
    if (send) begin
      bc_ptr_o <= {ptr_q + Pa'(i1[2]), i1[1:0], ptr_q + Pa'(i0[2]), i0[1:0]};
      bc_act_o <= {cur_q[{i1, 4'b0} +: 16], cur_q[{i0, 4'b0} +: 16]};
    end
  end

  // Assertions

`ifndef SYNTHESIS
  assert property (@(posedge clk_i) disable iff (!rst_ni) start_i |-> !busy_o);
  assert property (@(posedge clk_i) disable iff (!rst_ni) read_q |-> fifo_ready);
`endif

endmodule
