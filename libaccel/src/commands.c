// SPDX-License-Identifier: GPL-2.0 OR MIT
#include <stddef.h>

#include "commands.h"

const char *eie_status_name(uint32_t status)
{
	static const char *const names[] = {
		[EIE_STATUS_OK] = "OK",
		[EIE_STATUS_BAD_DESCRIPTOR] = "BAD_DESCRIPTOR",
		[EIE_STATUS_BAD_COMMAND] = "BAD_COMMAND",
		[EIE_STATUS_BAD_RANGE] = "BAD_RANGE",
		[EIE_STATUS_MISALIGNED] = "MISALIGNED",
		[EIE_STATUS_PAGE_FAULT] = "PAGE_FAULT",
		[EIE_STATUS_BUS_ERROR] = "BUS_ERROR",
		[EIE_STATUS_UNWRITTEN] = "UNWRITTEN",
		[EIE_STATUS_BAD_STREAM] = "BAD_STREAM",
		[EIE_STATUS_BAD_PARAM] = "BAD_PARAM",
		[EIE_STATUS_TOKEN_OVERFLOW] = "TOKEN_OVERFLOW",
		[EIE_STATUS_TIMEOUT] = "TIMEOUT",
		[EIE_STATUS_ABORTED] = "ABORTED",
	};

	return status < sizeof(names) / sizeof(names[0]) ? names[status] : "unknown";
}

const char *eie_op_name(uint32_t opcode)
{
	switch (opcode) {
	case EIE_OP_LOAD:
		return "LOAD";
	case EIE_OP_SELECT:
		return "SELECT";
	case EIE_OP_SYNC:
		return "SYNC";
	case EIE_OP_MAC:
		return "MAC";
	case EIE_OP_DRAIN:
		return "DRAIN";
	case EIE_OP_VMAC:
		return "VMAC";
	case EIE_OP_VDRAIN:
		return "VDRAIN";
	case EIE_OP_VPOOL:
		return "VPOOL";
	case EIE_OP_VMUL:
		return "VMUL";
	case EIE_OP_VTABLE:
		return "VTABLE";
	case EIE_OP_STORE:
		return "STORE";
	default:
		return "unknown";
	}
}
