// SPDX-License-Identifier: GPL-2.0 OR MIT
#include "entropy.h"

const char *const entropy_names[] = { [ENTROPY_NONE] = "none", [ENTROPY_HUFFMAN] = "huffman", [ENTROPY_ANS] = "ans" };

void entropy_plan(const uint64_t *count, const struct entropy_alphabet *a, struct entropy_plan *plan)
{
	struct entropy_plan ans;
	uint64_t n = 0;

	for (unsigned int s = 0; s < a->n; s++)
		n += count[s];
	huffman_plan(count, a, plan);
	ans_plan(count, a, &ans);
	if (ans.bytes < plan->bytes)
		*plan = ans;
	/* ANS may be some bytes shorter than it was taken for, and must not break the rule then */
	if (!n || n / ENTROPY_EXPAND + 16 > plan->bytes)
		plan->coding = ENTROPY_NONE;
}

int entropy_encode(const struct entropy_plan *plan, const struct entropy_alphabet *a, const uint8_t *symbols, uint64_t n, uint8_t **blob, size_t *size)
{
	return plan->coding == ENTROPY_ANS ? ans_encode(plan, a, symbols, n, blob, size) : huffman_encode(plan, a, symbols, n, blob, size);
}

const char *entropy_decode(enum entropy_coding coding, const uint8_t *blob, uint64_t size, const struct entropy_alphabet *a, uint8_t *symbols, uint64_t n)
{
	return coding == ENTROPY_ANS ? ans_decode(blob, size, a, symbols, n) : huffman_decode(blob, size, a, symbols, n);
}
