/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/* IEEE 754 binary16 and bfloat16 from and to float32, rounding to nearest even. */
#ifndef ACCEL_HALF_H
#define ACCEL_HALF_H

#include <stdint.h>
#include <string.h>

static inline float half_from_bits(uint32_t bits)
{
	float f;

	memcpy(&f, &bits, sizeof(f));
	return f;
}

static inline uint32_t half_bits(float f)
{
	uint32_t bits;

	memcpy(&bits, &f, sizeof(bits));
	return bits;
}

static inline float half_to_float(uint16_t h)
{
	uint32_t sign = (uint32_t)(h & 0x8000) << 16, exponent = h >> 10 & 31, fraction = h & 0x3ff;

	if (exponent == 31)
		return half_from_bits(sign | 0x7f800000 | fraction << 13);
	if (exponent)
		return half_from_bits(sign | (exponent + 112) << 23 | fraction << 13);
	/* subnormal: fraction * 2^-24, exact in float32 */
	return (sign ? -1.0f : 1.0f) * (float)fraction * 0x1p-24f;
}

static inline uint16_t float_to_half(float f)
{
	uint32_t bits = half_bits(f), sign = bits >> 16 & 0x8000, magnitude = bits & 0x7fffffff;

	if (magnitude > 0x7f800000)
		return (uint16_t)(sign | 0x7e00);
	if (magnitude >= 0x477ff000)   /* 65520 and above round to infinity */
		return (uint16_t)(sign | 0x7c00);
	if (magnitude < 0x38800000) {  /* below 2^-14: adding 0.5 rounds to multiples of 2^-24 */
		uint32_t sum = half_bits(half_from_bits(magnitude) + 0.5f);

		return (uint16_t)(sign | (sum - 0x3f000000));
	}
	magnitude += 0xfff + (magnitude >> 13 & 1);
	return (uint16_t)(sign | ((magnitude >> 13) - (112u << 10)));
}

static inline float bfloat_to_float(uint16_t b)
{
	return half_from_bits((uint32_t)b << 16);
}

static inline uint16_t float_to_bfloat(float f)
{
	uint32_t bits = half_bits(f);

	if ((bits & 0x7fffffff) > 0x7f800000)
		return (uint16_t)(bits >> 16 | 0x40);
	return (uint16_t)((bits + 0x7fff + (bits >> 16 & 1)) >> 16);
}

#endif
