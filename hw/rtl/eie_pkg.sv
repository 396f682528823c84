// SPDX-License-Identifier: GPL-2.0 OR MIT
// Generated from hw/eie_hw.def by hw/gen/eie_gen.c; do not edit.
//
// <Struct><Member>Lsb is a bit position in the structure taken as one vector, byte 0 lowest.

// verilator lint_off UNUSEDPARAM
package eie_pkg;

  // Identity and fixed sizes
  parameter int unsigned IdValue = 32'h31454945;
  parameter int unsigned IsaMajor = 32'h1;
  parameter int unsigned IsaMinor = 32'h1;
  parameter int unsigned GranuleBytes = 32'h10;
  parameter int unsigned GranuleValues = 32'h8;
  parameter int unsigned BarBytes = 32'h10000;
  parameter int unsigned QueueBase = 32'h1000;
  parameter int unsigned QueueStride = 32'h100;
  parameter int unsigned DtBase = 32'h8000;
  parameter int unsigned DtBytesMax = 32'h2000;
  parameter int unsigned MaxBases = 32'h10;
  parameter int unsigned MaxBurst = 32'h10;
  parameter int unsigned CmdBytes = 32'h20;
  parameter int unsigned DescBytes = 32'h80;
  parameter int unsigned CplBytes = 32'h80;
  parameter int unsigned PtrsPerGranule = 32'h4;
  parameter int unsigned RowsPerPgranule = 32'h2;
  parameter int unsigned CbufGranules = 32'h40;
  parameter int unsigned TokensMax = 32'h3f;
  parameter int unsigned PciVendor = 32'h1234;
  parameter int unsigned PciDevice = 32'he1e0;

  // Global registers
  parameter logic [15:0] RegId = 16'h0;
  parameter logic [15:0] RegVersion = 16'h4;
  parameter int unsigned VersionMinorLsb = 0;
  parameter int unsigned VersionMinorWidth = 16;
  parameter int unsigned VersionMajorLsb = 16;
  parameter int unsigned VersionMajorWidth = 16;
  parameter logic [15:0] RegCtrl = 16'h8;
  parameter int unsigned CtrlEnableLsb = 0;
  parameter int unsigned CtrlEnableWidth = 1;
  parameter int unsigned CtrlAbortLsb = 1;
  parameter int unsigned CtrlAbortWidth = 1;
  parameter int unsigned CtrlResetLsb = 2;
  parameter int unsigned CtrlResetWidth = 1;
  parameter logic [15:0] RegStatus = 16'hc;
  parameter int unsigned StatusBusyLsb = 0;
  parameter int unsigned StatusBusyWidth = 1;
  parameter int unsigned StatusQuiescedLsb = 1;
  parameter int unsigned StatusQuiescedWidth = 1;
  parameter logic [15:0] RegIrqStatus = 16'h10;
  parameter int unsigned IrqStatusQueuesLsb = 0;
  parameter int unsigned IrqStatusQueuesWidth = 16;
  parameter int unsigned IrqStatusFaultLsb = 31;
  parameter int unsigned IrqStatusFaultWidth = 1;
  parameter logic [15:0] RegIrqEnable = 16'h14;
  parameter logic [15:0] RegTlbInv = 16'h18;
  parameter int unsigned TlbInvAsidLsb = 0;
  parameter int unsigned TlbInvAsidWidth = 16;
  parameter int unsigned TlbInvAllLsb = 16;
  parameter int unsigned TlbInvAllWidth = 1;
  parameter logic [15:0] RegInvStatus = 16'h1c;
  parameter int unsigned InvStatusDoneLsb = 0;
  parameter int unsigned InvStatusDoneWidth = 1;
  parameter logic [15:0] RegTimeLo = 16'h30;
  parameter logic [15:0] RegTimeHi = 16'h34;
  parameter logic [15:0] RegNqueues = 16'h38;
  parameter logic [15:0] RegDtSize = 16'h3c;
  parameter logic [15:0] RegProgress = 16'h40;

  // Queue registers
  parameter logic [15:0] RegQSqBaseLo = 16'h0;
  parameter logic [15:0] RegQSqBaseHi = 16'h4;
  parameter logic [15:0] RegQCqBaseLo = 16'h8;
  parameter logic [15:0] RegQCqBaseHi = 16'hc;
  parameter logic [15:0] RegQSize = 16'h10;
  parameter int unsigned QSizeSqLog2Lsb = 0;
  parameter int unsigned QSizeSqLog2Width = 4;
  parameter int unsigned QSizeCqLog2Lsb = 8;
  parameter int unsigned QSizeCqLog2Width = 4;
  parameter logic [15:0] RegQCtrl = 16'h14;
  parameter int unsigned QCtrlEnableLsb = 0;
  parameter int unsigned QCtrlEnableWidth = 1;
  parameter int unsigned QCtrlResetLsb = 1;
  parameter int unsigned QCtrlResetWidth = 1;
  parameter logic [15:0] RegQStatus = 16'h18;
  parameter int unsigned QStatusErrorLsb = 0;
  parameter int unsigned QStatusErrorWidth = 1;
  parameter int unsigned QStatusRunningLsb = 1;
  parameter int unsigned QStatusRunningWidth = 1;
  parameter int unsigned QStatusCauseLsb = 8;
  parameter int unsigned QStatusCauseWidth = 8;
  parameter logic [15:0] RegQDoorbell = 16'h1c;
  parameter int unsigned QDoorbellSqTailLsb = 0;
  parameter int unsigned QDoorbellSqTailWidth = 16;
  parameter int unsigned QDoorbellCqHeadLsb = 16;
  parameter int unsigned QDoorbellCqHeadWidth = 16;
  parameter logic [15:0] RegQHeads = 16'h20;
  parameter int unsigned QHeadsSqHeadLsb = 0;
  parameter int unsigned QHeadsSqHeadWidth = 16;
  parameter int unsigned QHeadsCqTailLsb = 16;
  parameter int unsigned QHeadsCqTailWidth = 16;
  parameter logic [15:0] RegQFaultAddrLo = 16'h24;
  parameter logic [15:0] RegQFaultAddrHi = 16'h28;

  // HALT
  parameter logic [7:0] HaltNone = 8'h0;
  parameter logic [7:0] HaltDescRead = 8'h1;
  parameter logic [7:0] HaltCplWrite = 8'h2;
  parameter logic [7:0] HaltDoorbell = 8'h3;

  // Job descriptor
  parameter int unsigned DescBits = 1024;
  parameter int unsigned DescFenceLsb = 0;
  parameter int unsigned DescRootLsb = 64;
  parameter int unsigned DescAsidLsb = 128;
  parameter int unsigned DescNbasesLsb = 144;
  parameter int unsigned DescCycleLimitLsb = 160;
  parameter int unsigned DescResidencyLsb = 192;
  parameter int unsigned DescBasesLsb = 256;
  parameter int unsigned DescCmdsLsb = 320;
  parameter int unsigned DescRestoreLsb = 384;
  parameter int unsigned DescNcmdsLsb = 448;
  parameter int unsigned DescNrestoreLsb = 480;

  // Completion entry
  parameter int unsigned CplBits = 1024;
  parameter int unsigned CplFenceLsb = 0;
  parameter int unsigned CplFaultAddrLsb = 64;
  parameter int unsigned CplTimeStartLsb = 128;
  parameter int unsigned CplTimeEndLsb = 192;
  parameter int unsigned CplMacsLsb = 256;
  parameter int unsigned CplCyclesLsb = 320;
  parameter int unsigned CplBusyLsb = 352;
  parameter int unsigned CplStallDrainLsb = 384;
  parameter int unsigned CplStallArrayLsb = 416;
  parameter int unsigned CplStallLoadLsb = 448;
  parameter int unsigned CplStallStoreLsb = 480;
  parameter int unsigned CplStallSyncLsb = 512;
  parameter int unsigned CplStallCmdLsb = 544;
  parameter int unsigned CplStallFrontLsb = 576;
  parameter int unsigned CplStallTailLsb = 608;
  parameter int unsigned CplEngineCyclesLsb = 640;
  parameter int unsigned CplSaturatedLsb = 672;
  parameter int unsigned CplReadBeatsLsb = 704;
  parameter int unsigned CplWriteBeatsLsb = 736;
  parameter int unsigned CplTlbMissesLsb = 768;
  parameter int unsigned CplCommandsLsb = 800;
  parameter int unsigned CplFaultCmdLsb = 832;
  parameter int unsigned CplFaultIndexLsb = 832;
  parameter int unsigned CplFaultIndexWidth = 24;
  parameter int unsigned CplFaultRestoreLsb = 862;
  parameter int unsigned CplFaultRestoreWidth = 1;
  parameter int unsigned CplFaultValidLsb = 863;
  parameter int unsigned CplFaultValidWidth = 1;
  parameter int unsigned CplStatusLsb = 896;
  parameter int unsigned CplSqHeadLsb = 928;
  parameter int unsigned CplRestoredLsb = 960;
  parameter int unsigned CplPhaseLsb = 992;

  // STATUS
  parameter logic [7:0] StatusOk = 8'h0;
  parameter logic [7:0] StatusBadDescriptor = 8'h1;
  parameter logic [7:0] StatusBadCommand = 8'h2;
  parameter logic [7:0] StatusBadRange = 8'h3;
  parameter logic [7:0] StatusMisaligned = 8'h4;
  parameter logic [7:0] StatusPageFault = 8'h5;
  parameter logic [7:0] StatusBusError = 8'h6;
  parameter logic [7:0] StatusUnwritten = 8'h7;
  parameter logic [7:0] StatusBadStream = 8'h8;
  parameter logic [7:0] StatusBadParam = 8'h9;
  parameter logic [7:0] StatusTokenOverflow = 8'ha;
  parameter logic [7:0] StatusTimeout = 8'hb;
  parameter logic [7:0] StatusAborted = 8'hc;

  // Page-table entry
  parameter int unsigned PteV = 32'h1;
  parameter int unsigned PteR = 32'h2;
  parameter int unsigned PteW = 32'h4;
  parameter int unsigned PtePpnLsb = 32'ha;
  parameter int unsigned PtePpnBits = 32'h2c;
  parameter int unsigned VaBits = 32'h27;

  // Commands
  parameter int unsigned CmdBits = 256;
  parameter int unsigned CmdOpcodeLsb = 0;
  parameter int unsigned CmdOpcodeWidth = 8;
  parameter int unsigned CmdWaitPrevLsb = 8;
  parameter int unsigned CmdWaitPrevWidth = 1;
  parameter int unsigned CmdWaitNextLsb = 9;
  parameter int unsigned CmdWaitNextWidth = 1;
  parameter int unsigned CmdSignalPrevLsb = 10;
  parameter int unsigned CmdSignalPrevWidth = 1;
  parameter int unsigned CmdSignalNextLsb = 11;
  parameter int unsigned CmdSignalNextWidth = 1;
  parameter int unsigned CmdFenceLsb = 12;
  parameter int unsigned CmdFenceWidth = 1;

  // FEATURE
  parameter logic [7:0] FeatureVector = 8'h1;
  parameter logic [7:0] FeaturePool = 8'h2;

  // OP
  parameter logic [7:0] OpLoad = 8'h10;
  parameter logic [7:0] OpSync = 8'h20;
  parameter logic [7:0] OpMac = 8'h21;
  parameter logic [7:0] OpDrain = 8'h22;
  parameter logic [7:0] OpVmac = 8'h23;
  parameter logic [7:0] OpVdrain = 8'h24;
  parameter logic [7:0] OpVpool = 8'h25;
  parameter logic [7:0] OpStore = 8'h30;
  parameter int unsigned CmdXferTargetLsb = 16;
  parameter int unsigned CmdXferTargetWidth = 4;
  parameter int unsigned CmdXferBaseLsb = 24;
  parameter int unsigned CmdXferBaseWidth = 8;
  parameter int unsigned CmdXferOffsetLsb = 32;
  parameter int unsigned CmdXferOffsetWidth = 32;
  parameter int unsigned CmdXferClusterLsb = 64;
  parameter int unsigned CmdXferClusterWidth = 8;
  parameter int unsigned CmdXferAddrLsb = 96;
  parameter int unsigned CmdXferAddrWidth = 24;
  parameter int unsigned CmdXferLenLsb = 128;
  parameter int unsigned CmdXferLenWidth = 24;
  parameter int unsigned CmdXferMemStrideLsb = 160;
  parameter int unsigned CmdXferMemStrideWidth = 32;
  parameter int unsigned CmdXferBufStrideLsb = 192;
  parameter int unsigned CmdXferBufStrideWidth = 24;
  parameter int unsigned CmdXferRowsLsb = 224;
  parameter int unsigned CmdXferRowsWidth = 16;

  // BUF
  parameter logic [7:0] BufAbuf = 8'h0;
  parameter logic [7:0] BufWbuf = 8'h1;
  parameter logic [7:0] BufPbuf = 8'h2;
  parameter logic [7:0] BufRbuf = 8'h3;
  parameter logic [7:0] BufCbuf = 8'h4;
  parameter int unsigned CmdMacHalfLsb = 16;
  parameter int unsigned CmdMacHalfWidth = 1;
  parameter int unsigned CmdMacWideLsb = 17;
  parameter int unsigned CmdMacWideWidth = 1;
  parameter int unsigned CmdMacInLsb = 32;
  parameter int unsigned CmdMacInWidth = 24;
  parameter int unsigned CmdMacLenLsb = 64;
  parameter int unsigned CmdMacLenWidth = 24;
  parameter int unsigned CmdMacPtrLsb = 96;
  parameter int unsigned CmdMacPtrWidth = 24;
  parameter int unsigned CmdMacWeightsLsb = 128;
  parameter int unsigned CmdMacWeightsWidth = 24;
  parameter int unsigned CmdMacCodebookLsb = 160;
  parameter int unsigned CmdMacCodebookWidth = 8;
  parameter int unsigned CmdDrainHalfLsb = 16;
  parameter int unsigned CmdDrainHalfWidth = 1;
  parameter int unsigned CmdDrainOutLsb = 32;
  parameter int unsigned CmdDrainOutWidth = 24;
  parameter int unsigned CmdDrainStrideLsb = 64;
  parameter int unsigned CmdDrainStrideWidth = 24;
  parameter int unsigned CmdDrainStepsLsb = 96;
  parameter int unsigned CmdDrainStepsWidth = 16;
  parameter int unsigned CmdDrainParamLsb = 128;
  parameter int unsigned CmdDrainParamWidth = 24;
  parameter int unsigned CmdDrainLoLsb = 160;
  parameter int unsigned CmdDrainLoWidth = 16;
  parameter int unsigned CmdDrainHiLsb = 176;
  parameter int unsigned CmdDrainHiWidth = 16;
  parameter int unsigned CmdVmacHalfLsb = 16;
  parameter int unsigned CmdVmacHalfWidth = 1;
  parameter int unsigned CmdVmacWideLsb = 17;
  parameter int unsigned CmdVmacWideWidth = 1;
  parameter int unsigned CmdVmacOriginLsb = 18;
  parameter int unsigned CmdVmacOriginWidth = 3;
  parameter int unsigned CmdVmacCodebookLsb = 24;
  parameter int unsigned CmdVmacCodebookWidth = 8;
  parameter int unsigned CmdVmacInLsb = 32;
  parameter int unsigned CmdVmacInWidth = 24;
  parameter int unsigned CmdVmacKernelYLsb = 56;
  parameter int unsigned CmdVmacKernelYWidth = 4;
  parameter int unsigned CmdVmacKernelXLsb = 60;
  parameter int unsigned CmdVmacKernelXWidth = 4;
  parameter int unsigned CmdVmacPtrLsb = 64;
  parameter int unsigned CmdVmacPtrWidth = 16;
  parameter int unsigned CmdVmacWeightsLsb = 80;
  parameter int unsigned CmdVmacWeightsWidth = 16;
  parameter int unsigned CmdVmacPlaneLsb = 96;
  parameter int unsigned CmdVmacPlaneWidth = 20;
  parameter int unsigned CmdVmacChannelsLsb = 116;
  parameter int unsigned CmdVmacChannelsWidth = 12;
  parameter int unsigned CmdVmacInXLsb = 128;
  parameter int unsigned CmdVmacInXWidth = 12;
  parameter int unsigned CmdVmacInYLsb = 140;
  parameter int unsigned CmdVmacInYWidth = 12;
  parameter int unsigned CmdVmacStrideXLsb = 152;
  parameter int unsigned CmdVmacStrideXWidth = 4;
  parameter int unsigned CmdVmacStrideYLsb = 156;
  parameter int unsigned CmdVmacStrideYWidth = 4;
  parameter int unsigned CmdVmacOutXLsb = 160;
  parameter int unsigned CmdVmacOutXWidth = 12;
  parameter int unsigned CmdVmacRowsLsb = 172;
  parameter int unsigned CmdVmacRowsWidth = 12;
  parameter int unsigned CmdVmacDilateXLsb = 184;
  parameter int unsigned CmdVmacDilateXWidth = 4;
  parameter int unsigned CmdVmacDilateYLsb = 188;
  parameter int unsigned CmdVmacDilateYWidth = 4;
  parameter int unsigned CmdVmacFirstXLsb = 192;
  parameter int unsigned CmdVmacFirstXWidth = 12;
  parameter int unsigned CmdVmacFirstYLsb = 204;
  parameter int unsigned CmdVmacFirstYWidth = 12;
  parameter int unsigned CmdVmacPadXLsb = 216;
  parameter int unsigned CmdVmacPadXWidth = 8;
  parameter int unsigned CmdVmacGroupsLsb = 224;
  parameter int unsigned CmdVmacGroupsWidth = 12;
  parameter int unsigned CmdVmacPadYLsb = 236;
  parameter int unsigned CmdVmacPadYWidth = 8;
  parameter int unsigned CmdVmacTailLsb = 244;
  parameter int unsigned CmdVmacTailWidth = 3;
  parameter int unsigned CmdVdrainHalfLsb = 16;
  parameter int unsigned CmdVdrainHalfWidth = 1;
  parameter int unsigned CmdVdrainTailLsb = 18;
  parameter int unsigned CmdVdrainTailWidth = 3;
  parameter int unsigned CmdVdrainOutLsb = 32;
  parameter int unsigned CmdVdrainOutWidth = 24;
  parameter int unsigned CmdVdrainPlaneLsb = 64;
  parameter int unsigned CmdVdrainPlaneWidth = 20;
  parameter int unsigned CmdVdrainRowsLsb = 96;
  parameter int unsigned CmdVdrainRowsWidth = 12;
  parameter int unsigned CmdVdrainGroupsLsb = 108;
  parameter int unsigned CmdVdrainGroupsWidth = 12;
  parameter int unsigned CmdVdrainParamLsb = 128;
  parameter int unsigned CmdVdrainParamWidth = 24;
  parameter int unsigned CmdVdrainLoLsb = 160;
  parameter int unsigned CmdVdrainLoWidth = 16;
  parameter int unsigned CmdVdrainHiLsb = 176;
  parameter int unsigned CmdVdrainHiWidth = 16;
  parameter int unsigned CmdVpoolOriginLsb = 18;
  parameter int unsigned CmdVpoolOriginWidth = 3;
  parameter int unsigned CmdVpoolSumLsb = 16;
  parameter int unsigned CmdVpoolSumWidth = 1;
  parameter int unsigned CmdVpoolShiftLsb = 24;
  parameter int unsigned CmdVpoolShiftWidth = 5;
  parameter int unsigned CmdVpoolInLsb = 32;
  parameter int unsigned CmdVpoolInWidth = 24;
  parameter int unsigned CmdVpoolKernelYLsb = 56;
  parameter int unsigned CmdVpoolKernelYWidth = 4;
  parameter int unsigned CmdVpoolKernelXLsb = 60;
  parameter int unsigned CmdVpoolKernelXWidth = 4;
  parameter int unsigned CmdVpoolOutLsb = 64;
  parameter int unsigned CmdVpoolOutWidth = 24;
  parameter int unsigned CmdVpoolPlaneLsb = 96;
  parameter int unsigned CmdVpoolPlaneWidth = 20;
  parameter int unsigned CmdVpoolChannelsLsb = 116;
  parameter int unsigned CmdVpoolChannelsWidth = 12;
  parameter int unsigned CmdVpoolInXLsb = 128;
  parameter int unsigned CmdVpoolInXWidth = 12;
  parameter int unsigned CmdVpoolInYLsb = 140;
  parameter int unsigned CmdVpoolInYWidth = 12;
  parameter int unsigned CmdVpoolStrideXLsb = 152;
  parameter int unsigned CmdVpoolStrideXWidth = 4;
  parameter int unsigned CmdVpoolStrideYLsb = 156;
  parameter int unsigned CmdVpoolStrideYWidth = 4;
  parameter int unsigned CmdVpoolOutXLsb = 160;
  parameter int unsigned CmdVpoolOutXWidth = 12;
  parameter int unsigned CmdVpoolOutPlaneLsb = 172;
  parameter int unsigned CmdVpoolOutPlaneWidth = 12;
  parameter int unsigned CmdVpoolDilateXLsb = 184;
  parameter int unsigned CmdVpoolDilateXWidth = 4;
  parameter int unsigned CmdVpoolDilateYLsb = 188;
  parameter int unsigned CmdVpoolDilateYWidth = 4;
  parameter int unsigned CmdVpoolFirstXLsb = 192;
  parameter int unsigned CmdVpoolFirstXWidth = 12;
  parameter int unsigned CmdVpoolFirstYLsb = 204;
  parameter int unsigned CmdVpoolFirstYWidth = 12;
  parameter int unsigned CmdVpoolPadXLsb = 216;
  parameter int unsigned CmdVpoolPadXWidth = 8;
  parameter int unsigned CmdVpoolGroupsLsb = 224;
  parameter int unsigned CmdVpoolGroupsWidth = 12;
  parameter int unsigned CmdVpoolPadYLsb = 236;
  parameter int unsigned CmdVpoolPadYWidth = 8;
  parameter int unsigned CmdVpoolTailLsb = 244;
  parameter int unsigned CmdVpoolTailWidth = 3;

  // Column pointer
  parameter int unsigned PtrStartBits = 32'h14;
  parameter int unsigned PtrLenBits = 32'hc;

  // Weight entry
  parameter int unsigned NarrowSpan = 32'h10;
  parameter int unsigned WideSpan = 32'h100;

  // Row parameter
  parameter int unsigned ShiftMax = 32'h2f;

endpackage
// verilator lint_on UNUSEDPARAM
