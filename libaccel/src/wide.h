/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/*
 * For functions of plain loops over elements: compiled once for each width of vectors, and chosen when the library is loaded. The order of additions stays (no -ffast-math, no contraction), so the results
 * are the same bits on every machine. Sanitizers run before what chooses can.
 */
#ifndef ACCEL_WIDE_H
#define ACCEL_WIDE_H

#include <stdint.h>            /* says whether this is glibc, which can choose when it loads */

#if defined(__x86_64__) && defined(__gnu_linux__) && defined(__GLIBC__) && !defined(__clang__) && !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
#define WIDE __attribute__((target_clones("avx512f", "avx2", "default")))
#else
#define WIDE
#endif

#endif
