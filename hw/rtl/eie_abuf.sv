// SPDX-License-Identifier: GPL-2.0 OR MIT
//
// ABUF: K banks, granule address modulo K is the bank. A word is a granule and the epoch it was
// written in; it counts as written in the current epoch only, and epoch 0 never exists.
//
// Writes, one port a bank: a drain writes a row of all banks, pooling a granule, never both at once,
// and neither is held up; a load waits for them. Scrubbing zeroes words, tags and data, while nobody else is at work. Reads, one port a
// bank: the array is always served, the store engine when the array is at another
// bank, the load engine (SELECT) when both are.

module eie_abuf #(
  parameter int unsigned Clusters = 8,       // power of two, at least 2
  parameter int unsigned AbufDepth = 4096
) (
  input  logic                    clk_i,
  input  logic                    rst_ni,
  input  logic [7:0]              epoch_i,
  input  logic                    scrub_i,
  input  logic [23:0]             scrub_addr_i,
  // load
  input  logic                    buf_we_i,    // for ABUF
  output logic                    buf_ready_o,
  input  logic [23:0]             buf_addr_i,
  input  logic [127:0]            buf_data_i,
  // drain
  input  logic                    dr_we_i,
  input  logic [23:0]             dr_addr_i,   // multiple of Clusters
  input  logic [7:0]              dr_pixels_i, // values of each granule; zero behind an image's last pixel
  input  logic [Clusters*128-1:0] dr_data_i,
  // pooling
  input  logic                    pl_we_i,
  input  logic [23:0]             pl_addr_i,
  input  logic [127:0]            pl_data_i,
  // array
  input  logic                    ab_re_i,
  input  logic                    ab_all_i,    // the row of all banks
  input  logic [23:0]             ab_addr_i,
  output logic [127:0]            ab_data_o,
  output logic [Clusters*128-1:0] ab_banks_o,
  output logic                    ab_written_o,
  // store
  input  logic                    st_re_i,
  input  logic [23:0]             st_addr_i,
  output logic                    st_gnt_o,
  output logic [127:0]            st_data_o,
  output logic                    st_written_o,
  // load, for SELECT
  input  logic                    ld_re_i,
  input  logic [23:0]             ld_addr_i,
  output logic                    ld_gnt_o,
  output logic [127:0]            ld_data_o,
  output logic                    ld_written_o
);

  localparam int unsigned BankW = $clog2(Clusters);
  localparam int unsigned BankDepth = AbufDepth / Clusters;
  localparam int unsigned RowW = $clog2(BankDepth);

  // Which bank, which row. Addresses are in range but for the scrub's, which counts through the
  // deepest buffer; a wrapped address is scrubbed twice.
  logic [BankW-1:0] ld_bank, sc_bank, pl_bank, ab_bank, st_bank, se_bank, ab_bank_q, st_bank_q, se_bank_q;
  logic [RowW-1:0]  ld_row, sc_row, dr_row, pl_row, ab_row, st_row, se_row;

  assign {ld_row, ld_bank} = buf_addr_i[RowW+BankW-1:0];
  assign {sc_row, sc_bank} = scrub_addr_i[RowW+BankW-1:0];
  assign dr_row            = dr_addr_i[BankW+:RowW];
  assign {pl_row, pl_bank} = pl_addr_i[RowW+BankW-1:0];
  assign {ab_row, ab_bank} = ab_addr_i[RowW+BankW-1:0];
  assign {st_row, st_bank} = st_addr_i[RowW+BankW-1:0];
  assign {se_row, se_bank} = ld_addr_i[RowW+BankW-1:0];

  assign buf_ready_o = !dr_we_i && !(pl_we_i && pl_bank == ld_bank);
  assign st_gnt_o    = st_re_i && !(ab_re_i && (ab_all_i || ab_bank == st_bank));
  assign ld_gnt_o    = ld_re_i && !(ab_re_i && (ab_all_i || ab_bank == se_bank)) &&
                       !(st_re_i && st_bank == se_bank);

  logic [Clusters*128-1:0] data;
  logic [Clusters*8-1:0]   tags;

  for (genvar b = 0; b < Clusters; b++) begin : gen_bank
    logic            ld_we, sc_we, pl_we, ab_re, st_re, se_re;
    logic [RowW-1:0] waddr;
    logic [135:0]    wdata;

    assign ld_we = buf_we_i && ld_bank == BankW'(b);
    assign sc_we = scrub_i && sc_bank == BankW'(b);
    assign pl_we = pl_we_i && pl_bank == BankW'(b);
    assign ab_re = ab_re_i && (ab_all_i || ab_bank == BankW'(b));
    assign st_re = st_re_i && st_bank == BankW'(b);
    assign se_re = ld_re_i && se_bank == BankW'(b);

    always_comb begin
      waddr = ld_row;
      wdata = '0;
      if (dr_we_i) begin
        waddr = dr_row;
        wdata = {epoch_i, dr_data_i[128*b+:128]};
        if (dr_pixels_i != '1) begin
          for (int unsigned i = 0; i < 8; i++) begin
            wdata[16*i+:16] = dr_pixels_i[i] ? dr_data_i[128*b+16*i+:16] : '0;
          end
        end
      end else if (pl_we) begin
        waddr = pl_row;
        wdata = {epoch_i, pl_data_i};
      end else if (scrub_i) begin
        waddr = sc_row;
      end else if (ld_we) begin
        wdata = {epoch_i, buf_data_i};
      end
    end

    eie_ram #(
      .Width(136),
      .Depth(BankDepth)
    ) u_ram (
      .clk_i,
      .wclk_i (clk_i),
      .we_i   (dr_we_i || pl_we || sc_we || ld_we),
      .waddr_i(waddr),
      .wdata_i(wdata),
      .re_i   (ab_re || st_re || se_re),
      .raddr_i(ab_re ? ab_row : st_re ? st_row : se_row),
      .rdata_o({tags[8*b+:8], data[128*b+:128]})
    );
  end

  always_ff @(posedge clk_i) begin
    if (ab_re_i) begin
      ab_bank_q <= ab_bank;
      ab_all_q  <= ab_all_i;
    end
    if (st_gnt_o) begin
      st_bank_q <= st_bank;
    end
    if (ld_gnt_o) begin
      se_bank_q <= se_bank;
    end
  end

  logic [7:0] ab_tag, st_tag, se_tag;
  logic       ab_all_q;

  assign ab_data_o    = data[128*ab_bank_q+:128];
  assign ab_banks_o   = data;
  assign ab_tag       = tags[8*ab_bank_q+:8];
  assign ab_written_o = (ab_all_q ? tags == {Clusters{epoch_i}} : ab_tag == epoch_i) && epoch_i != '0;
  assign st_data_o    = data[128*st_bank_q+:128];
  assign st_tag       = tags[8*st_bank_q+:8];
  assign st_written_o = st_tag == epoch_i && st_tag != '0;
  assign ld_data_o    = data[128*se_bank_q+:128];
  assign se_tag       = tags[8*se_bank_q+:8];
  assign ld_written_o = se_tag == epoch_i && se_tag != '0;

  // Assertions

  // verilator lint_off UNUSEDSIGNAL
  logic unused;    // high bits of addresses that are in range; reset, for the assertions
  assign unused = ^{rst_ni, buf_addr_i, dr_addr_i, pl_addr_i, ab_addr_i, st_addr_i, ld_addr_i, scrub_addr_i};
  // verilator lint_on UNUSEDSIGNAL

`ifndef SYNTHESIS
  assert property (@(posedge clk_i) disable iff (!rst_ni)
                   buf_we_i |-> 32'(buf_addr_i) < AbufDepth && !scrub_i);
  assert property (@(posedge clk_i) disable iff (!rst_ni)
                   dr_we_i |->
                   32'(dr_addr_i) < AbufDepth && dr_addr_i[BankW-1:0] == '0 && !scrub_i);
  assert property (@(posedge clk_i) disable iff (!rst_ni)
                   pl_we_i |-> 32'(pl_addr_i) < AbufDepth && !scrub_i && !dr_we_i);
  assert property (@(posedge clk_i) disable iff (!rst_ni) ab_re_i |-> 32'(ab_addr_i) < AbufDepth);
  assert property (@(posedge clk_i) disable iff (!rst_ni) st_re_i |-> 32'(st_addr_i) < AbufDepth);
  assert property (@(posedge clk_i) disable iff (!rst_ni) ld_re_i |-> 32'(ld_addr_i) < AbufDepth);
`endif

endmodule
