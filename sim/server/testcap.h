/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/*
 * The simulated device's test capability: a vendor-specific capability (ID 0x09) in PCI configuration space, which no board
 * has. A test inside the virtual machine reads counters and asks for faults through it (sysfs file "config" of the device,
 * or setpci), while the driver works, without one register access that the driver does not make.
 *
 * All words are 32 bits, little-endian, aligned. Offsets are from the start of the capability.
 */
#ifndef EIE_TESTCAP_H
#define EIE_TESTCAP_H

#define TESTCAP_ID		0x09	/* byte 0 of the capability: vendor-specific */
#define TESTCAP_LENGTH		0x40	/* byte 2 */
#define TESTCAP_VERSION		0xe1	/* byte 3: tells ours from other vendors' */

/* Counters since power-on; they wrap. Writes are ignored. */
#define TESTCAP_MMIO_READS	0x04	/* of BAR 0, by dword */
#define TESTCAP_MMIO_WRITES	0x08
#define TESTCAP_INTERRUPTS	0x0c	/* messages sent, lost ones not counted, spurious ones counted */
#define TESTCAP_LOST		0x10	/* messages that LOSE_IRQS swallowed */
#define TESTCAP_BURSTS		0x14	/* memory bursts of the engine */
#define TESTCAP_BAD_BURSTS	0x18	/* those answered with an error: no memory there, no bus mastering, or a fault asked for */

/* Faults. 0 means off, which they are at power-on. */
#define TESTCAP_LOSE_IRQS	0x1c	/* swallow that many next messages; counts down */
#define TESTCAP_STORM		0x20	/* send every vector that many times, from now on, besides the real ones; counts down */
#define TESTCAP_DIE		0x24	/* that many cycles of the engine later it falls off the bus: everything reads all
					 * ones, no DMA, no messages. Only this word can still be written; 0: power-on
					 * reset of the engine, and it answers again. 1: at once
					 */
#define TESTCAP_FAIL_BURST	0x28	/* the n-th memory burst from now is answered with a bus error; counts down */
#define TESTCAP_BAD_ADDR_LO	0x2c	/* bursts that touch BAD_SIZE bytes from this bus address get a bus error */
#define TESTCAP_BAD_ADDR_HI	0x30
#define TESTCAP_BAD_SIZE	0x34
#define TESTCAP_SLOW		0x38	/* microseconds of sleep after every 256 cycles */
#define TESTCAP_HOLD		0x3c	/* 1: memory answers no burst, so that a job hangs and no reset of the engine ends; until
					 * written 0, or until the function may no longer master the bus: the bursts then get errors
					 */

#endif
