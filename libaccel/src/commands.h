/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/* Fields of commands by name, from the generated masks: CMD_SET(&cmd, XFER_LEN, 4). */
#ifndef ACCEL_COMMANDS_H
#define ACCEL_COMMANDS_H

#include <assert.h>
#include <eie_hw.h>
#include <endian.h>
#include <stdbool.h>
#include <stdint.h>

#define CMD_GET(cmd, field) \
	((le32toh((cmd)->dw[EIE_CMD_##field##_DW]) >> EIE_CMD_##field##_SHIFT) & EIE_CMD_##field##_MASK)
#define CMD_SET(cmd, field, value) \
	cmd_set(cmd, EIE_CMD_##field##_DW, EIE_CMD_##field##_SHIFT, EIE_CMD_##field##_MASK, value)

/* The caller keeps values within the field: the compiler checks its limits before it makes commands. */
static inline void cmd_set(struct eie_cmd *cmd, unsigned int dw, unsigned int shift, uint32_t mask, uint64_t value)
{
	assert(value <= mask);
	cmd->dw[dw] = htole32((le32toh(cmd->dw[dw]) & ~(mask << shift)) | (uint32_t)value << shift);
}

/* Commands of the load engine. */
static inline bool eie_op_loads(uint32_t op)
{
	return op == EIE_OP_LOAD || op == EIE_OP_SELECT;
}

/* commands.c: names for error texts; "unknown" for numbers that have none. */
const char *eie_status_name(uint32_t status);
const char *eie_op_name(uint32_t opcode);

#endif
