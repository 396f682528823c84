// SPDX-License-Identifier: GPL-2.0 OR MIT
//
// For the longest path only: what a cell passes on within a cycle. The read of a memory in LUTs becomes a LUT of its address,
// a DSP48E1 becomes an LTP_DSP (one level) of the inputs that it does not register. This netlist is not used further.

module RAM32M (
  output [1:0] DOA, DOB, DOC, DOD,
  input  [4:0] ADDRA, ADDRB, ADDRC, ADDRD,
  input  [1:0] DIA, DIB, DIC, DID,
  input        WCLK, WE
);
  parameter [63:0] INIT_A = 0, INIT_B = 0, INIT_C = 0, INIT_D = 0;
  parameter [0:0]  IS_WCLK_INVERTED = 0;
  genvar i;
  for (i = 0; i < 2; i = i + 1) begin : g
    LUT5 a (.O(DOA[i]), .I0(ADDRA[0]), .I1(ADDRA[1]), .I2(ADDRA[2]), .I3(ADDRA[3]), .I4(ADDRA[4]));
    LUT5 b (.O(DOB[i]), .I0(ADDRB[0]), .I1(ADDRB[1]), .I2(ADDRB[2]), .I3(ADDRB[3]), .I4(ADDRB[4]));
    LUT5 c (.O(DOC[i]), .I0(ADDRC[0]), .I1(ADDRC[1]), .I2(ADDRC[2]), .I3(ADDRC[3]), .I4(ADDRC[4]));
    LUT5 d (.O(DOD[i]), .I0(ADDRD[0]), .I1(ADDRD[1]), .I2(ADDRD[2]), .I3(ADDRD[3]), .I4(ADDRD[4]));
  end
endmodule

module RAM64M (
  output       DOA, DOB, DOC, DOD,
  input  [5:0] ADDRA, ADDRB, ADDRC, ADDRD,
  input        DIA, DIB, DIC, DID, WCLK, WE
);
  parameter [63:0] INIT_A = 0, INIT_B = 0, INIT_C = 0, INIT_D = 0;
  parameter [0:0]  IS_WCLK_INVERTED = 0;
  LUT6 a (.O(DOA), .I0(ADDRA[0]), .I1(ADDRA[1]), .I2(ADDRA[2]), .I3(ADDRA[3]), .I4(ADDRA[4]), .I5(ADDRA[5]));
  LUT6 b (.O(DOB), .I0(ADDRB[0]), .I1(ADDRB[1]), .I2(ADDRB[2]), .I3(ADDRB[3]), .I4(ADDRB[4]), .I5(ADDRB[5]));
  LUT6 c (.O(DOC), .I0(ADDRC[0]), .I1(ADDRC[1]), .I2(ADDRC[2]), .I3(ADDRC[3]), .I4(ADDRC[4]), .I5(ADDRC[5]));
  LUT6 d (.O(DOD), .I0(ADDRD[0]), .I1(ADDRD[1]), .I2(ADDRD[2]), .I3(ADDRD[3]), .I4(ADDRD[4]), .I5(ADDRD[5]));
endmodule

module RAM64X1D (
  output DPO, SPO,
  input  D, WCLK, WE, A0, A1, A2, A3, A4, A5, DPRA0, DPRA1, DPRA2, DPRA3, DPRA4, DPRA5
);
  parameter [63:0] INIT = 0;
  parameter [0:0]  IS_WCLK_INVERTED = 0;
  LUT6 a (.O(SPO), .I0(A0), .I1(A1), .I2(A2), .I3(A3), .I4(A4), .I5(A5));
  LUT6 b (.O(DPO), .I0(DPRA0), .I1(DPRA1), .I2(DPRA2), .I3(DPRA3), .I4(DPRA4), .I5(DPRA5));
endmodule

module RAM128X1D (
  output      DPO, SPO,
  input       D, WCLK, WE,
  input [6:0] A, DPRA
);
  parameter [127:0] INIT = 0;
  parameter [0:0]   IS_WCLK_INVERTED = 0;
  wire [3:0] l;
  LUT6  a0 (.O(l[0]), .I0(A[0]), .I1(A[1]), .I2(A[2]), .I3(A[3]), .I4(A[4]), .I5(A[5]));
  LUT6  a1 (.O(l[1]), .I0(A[0]), .I1(A[1]), .I2(A[2]), .I3(A[3]), .I4(A[4]), .I5(A[5]));
  MUXF7 a  (.O(SPO), .I0(l[0]), .I1(l[1]), .S(A[6]));
  LUT6  b0 (.O(l[2]), .I0(DPRA[0]), .I1(DPRA[1]), .I2(DPRA[2]), .I3(DPRA[3]), .I4(DPRA[4]), .I5(DPRA[5]));
  LUT6  b1 (.O(l[3]), .I0(DPRA[0]), .I1(DPRA[1]), .I2(DPRA[2]), .I3(DPRA[3]), .I4(DPRA[4]), .I5(DPRA[5]));
  MUXF7 b  (.O(DPO), .I0(l[2]), .I1(l[3]), .S(DPRA[6]));
endmodule

module DSP48E1 (
  output [29:0] ACOUT,
  output [17:0] BCOUT,
  output [47:0] P, PCOUT,
  output [3:0]  CARRYOUT,
  output        CARRYCASCOUT, MULTSIGNOUT, OVERFLOW, PATTERNBDETECT, PATTERNDETECT, UNDERFLOW,
  input  [29:0] A, ACIN,
  input  [17:0] B, BCIN,
  input  [47:0] C, PCIN,
  input  [24:0] D,
  input  [6:0]  OPMODE,
  input  [4:0]  INMODE,
  input  [3:0]  ALUMODE,
  input  [2:0]  CARRYINSEL,
  input         CARRYCASCIN, CARRYIN, MULTSIGNIN, CLK, CEA1, CEA2, CEAD, CEALUMODE, CEB1, CEB2, CEC, CECARRYIN, CECTRL,
                CED, CEINMODE, CEM, CEP, RSTA, RSTALLCARRYIN, RSTALUMODE, RSTB, RSTC, RSTCTRL, RSTD, RSTINMODE, RSTM, RSTP
);
  parameter integer ACASCREG = 1, ADREG = 1, ALUMODEREG = 1, AREG = 1, BCASCREG = 1, BREG = 1, CARRYINREG = 1,
                    CARRYINSELREG = 1, CREG = 1, DREG = 1, INMODEREG = 1, MREG = 1, OPMODEREG = 1, PREG = 1;
  parameter AUTORESET_PATDET = "NO_RESET", A_INPUT = "DIRECT", B_INPUT = "DIRECT", SEL_MASK = "MASK",
            SEL_PATTERN = "PATTERN", USE_DPORT = "FALSE", USE_MULT = "MULTIPLY", USE_PATTERN_DETECT = "NO_PATDET",
            USE_SIMD = "ONE48";
  parameter [47:0] MASK = 0, PATTERN = 0;
  parameter [3:0]  IS_ALUMODE_INVERTED = 0;
  parameter [0:0]  IS_CARRYIN_INVERTED = 0, IS_CLK_INVERTED = 0;
  parameter [4:0]  IS_INMODE_INVERTED = 0;
  parameter [6:0]  IS_OPMODE_INVERTED = 0;

  generate
    if (PREG == 0) begin : comb
      LTP_DSP path (
        .A(AREG == 0 && MREG == 0 ? A : 30'b0),
        .B(BREG == 0 && MREG == 0 ? B : 18'b0),
        .C(CREG == 0 ? C : 48'b0),
        .PCIN(PCIN),
        .P(P),
        .PCOUT(PCOUT)
      );
    end
  endgenerate
endmodule
