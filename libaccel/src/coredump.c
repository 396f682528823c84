// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Names of registers, members, fields and values come from hw/eie_hw.def itself, the source that the hardware is made from: a dump is
 * printed completely, whatever is added there.
 */
#include "coredump.h"

#include <drm/eie_accel.h>
#include <eie_hw.h>
#include <endian.h>
#include <inttypes.h>
#include <stdbool.h>
#include <string.h>
#include <time.h>

struct name {
	const char *group, *name; /* register, structure or enumeration; "" for a global register */
	uint32_t at;		  /* byte offset, dword or value */
	uint8_t lsb, width;	  /* bits */
};

#define SECTION(title, text)
#define CONST(name, value, text)
#define ENUM_BEGIN(group, text)
#define STRUCT_BEGIN(name, bytes, text)
#define ENUM(group, name, value, text)
#define REG(name, offset, access, reset, text)
#define RFIELD(reg, name, lsb, width, text)
#define MEMBER(group, name, offset, bits, text)
#define FIELD(group, name, dword, lsb, width, text)

#undef REG
#define REG(name, offset, access, reset, text) { "", #name, offset, 0, 32 },
static const struct name registers[] = {
#include "eie_hw.def"
};
#undef REG
#define REG(name, offset, access, reset, text)

#undef RFIELD
#define RFIELD(reg, name, lsb, width, text) { #reg, #name, 0, lsb, width },
static const struct name register_fields[] = {
#include "eie_hw.def"
};
#undef RFIELD
#define RFIELD(reg, name, lsb, width, text)

#undef MEMBER
#define MEMBER(group, name, offset, bits, text) { #group, #name, offset, 0, bits },
static const struct name members[] = {
#include "eie_hw.def"
};
#undef MEMBER
#define MEMBER(group, name, offset, bits, text)

#undef FIELD
#define FIELD(group, name, dword, lsb, width, text) { #group, #name, 4 * dword, lsb, width },
static const struct name fields[] = {
#include "eie_hw.def"
};
#undef FIELD
#define FIELD(group, name, dword, lsb, width, text)

#undef ENUM
#define ENUM(group, name, value, text) { #group, #name, value, 0, 0 },
static const struct name values[] = {
#include "eie_hw.def"
};

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

struct dump {
	FILE *out;
	const uint8_t *data;
	const char *bold, *reset;
	struct drm_eie_dump_header header;
};

static uint64_t load(const uint8_t *p, unsigned int bits)
{
	uint64_t v = 0;

	for (unsigned int i = bits / 8; i--;)
		v = v << 8 | p[i];
	return v;
}

static const char *value_name(const char *group, uint64_t value)
{
	for (size_t i = 0; i < COUNT(values); i++)
		if (!strcmp(values[i].group, group) && values[i].at == value)
			return values[i].name;
	return "unknown";
}

static struct drm_eie_dump_section section(const struct dump *d, uint32_t i)
{
	struct drm_eie_dump_section s;

	memcpy(&s, d->data + sizeof(d->header) + i * sizeof(s), sizeof(s));
	return (struct drm_eie_dump_section){ le32toh(s.type), le32toh(s.index), le32toh(s.offset), le32toh(s.size) };
}

/* --------------------------------------------------------------- registers */

static void print_registers(const struct dump *d, const struct drm_eie_dump_section *s)
{
	bool queue = s->type == DRM_EIE_DUMP_QUEUE_REGS;

	for (size_t i = 0; i < COUNT(registers); i++) {
		const struct name *r = &registers[i];
		uint32_t v;

		if (queue != !strncmp(r->name, "Q_", 2) || (uint64_t)r->at + 4 > s->size)
			continue;
		v = (uint32_t)load(d->data + s->offset + r->at, 32);
		fprintf(d->out, "  %-15s 0x%08" PRIx32, r->name, v);
		for (size_t f = 0; f < COUNT(register_fields); f++) {
			const struct name *n = &register_fields[f];
			uint32_t bits = n->width < 32 ? (v >> n->lsb) & ((1u << n->width) - 1) : v;

			if (strcmp(n->group, r->name) || !bits)
				continue;
			fprintf(d->out, "  %s", n->name);
			if (!strcmp(n->name, "CAUSE"))
				fprintf(d->out, "=%s", value_name("HALT", bits));
			else if (n->width > 1)
				fprintf(d->out, "=%" PRIu32, bits);
		}
		fputc('\n', d->out);
	}
}

/* ------------------------------------------------------------------- rings */

static bool is_zero(const uint8_t *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (p[i])
			return false;
	return true;
}

static void print_member(const struct dump *d, const struct name *n, const uint8_t *entry)
{
	uint64_t v = load(entry + n->at, n->width);

	if (!strcmp(n->name, "STATUS"))
		fprintf(d->out, "  %s=%s", n->name, value_name("STATUS", v));
	else if (v && n->width == 64)
		fprintf(d->out, "  %s=0x%" PRIx64, n->name, v);
	else if (v)
		fprintf(d->out, "  %s=%" PRIu64, n->name, v);
}

/* Entries that were never written are not worth a line. */
static void print_ring(const struct dump *d, const struct drm_eie_dump_section *s, const char *group, size_t bytes)
{
	for (uint32_t i = 0; i < s->size / bytes; i++) {
		const uint8_t *entry = d->data + s->offset + i * bytes;

		if (is_zero(entry, bytes))
			continue;
		fprintf(d->out, "  entry %" PRIu32 ":", i);
		for (size_t m = 0; m < COUNT(members); m++)
			if (!strcmp(members[m].group, group))
				print_member(d, &members[m], entry);
		fputc('\n', d->out);
	}
}

/* ---------------------------------------------------------------- commands */

/* Fields that the opcode has: common ones, and those whose names begin with its own; SELECT has its own beside those of XFER_. */
static bool belongs(const char *field, uint64_t opcode)
{
	static const char *const own[] = { "XFER_", "SELECT_", "MAC_", "DRAIN_", "VMAC_", "VDRAIN_", "VPOOL_", "VMUL_", "VTABLE_" };
	const char *wants = opcode == EIE_OP_LOAD || opcode == EIE_OP_STORE ? "XFER_" :
			    opcode == EIE_OP_MAC			     ? "MAC_" :
			    opcode == EIE_OP_DRAIN			     ? "DRAIN_" :
			    opcode == EIE_OP_VMAC			     ? "VMAC_" :
			    opcode == EIE_OP_VDRAIN			     ? "VDRAIN_" :
			    opcode == EIE_OP_VPOOL			     ? "VPOOL_" :
			    opcode == EIE_OP_VMUL			     ? "VMUL_" :
			    opcode == EIE_OP_VTABLE			     ? "VTABLE_" :
									       "";

	if (opcode == EIE_OP_SELECT && (!strncmp(field, "SELECT_", 7) || !strncmp(field, "XFER_", 5)))
		return strcmp(field, "XFER_BUF_STRIDE");   /* whose bits are SELECT_PTR's */
	for (size_t i = 0; i < COUNT(own); i++)
		if (!strncmp(field, own[i], strlen(own[i])))
			return !strcmp(own[i], wants);
	return true;
}

static void print_commands(const struct dump *d, const struct drm_eie_dump_section *s)
{
	for (uint32_t i = 0; i < s->size / EIE_CMD_BYTES; i++) {
		const uint8_t *cmd = d->data + s->offset + (size_t)i * EIE_CMD_BYTES;
		uint64_t opcode = cmd[0];

		fprintf(d->out, "  %8" PRIu64 "  %-7s", (uint64_t)s->index + i, value_name("OP", opcode));
		for (size_t f = 0; f < COUNT(fields); f++) {
			const struct name *n = &fields[f];
			uint64_t v;

			if (strcmp(n->group, "CMD") || !strcmp(n->name, "OPCODE") || !belongs(n->name, opcode))
				continue;
			v = load(cmd + n->at, 32) >> n->lsb & ((UINT64_C(1) << n->width) - 1);
			if (v && !strcmp(n->name, "XFER_TARGET"))
				fprintf(d->out, "  %s=%s", n->name, value_name("BUF", v));
			else if (v && n->width == 1)
				fprintf(d->out, "  %s", n->name);
			else if (v)
				fprintf(d->out, "  %s=%" PRIu64, n->name, v);
		}
		fputc('\n', d->out);
	}
}

/* -------------------------------------------------------------- the whole */

static const char *check(struct dump *d, size_t size)
{
	struct drm_eie_dump_header *h = &d->header;

	if (size < sizeof(*h))
		return "it is shorter than a header";
	memcpy(h, d->data, sizeof(*h));
	if (memcmp(h->magic, DRM_EIE_DUMP_MAGIC, sizeof(h->magic)))
		return "it does not begin with " DRM_EIE_DUMP_MAGIC ": not a core dump of driver eie";
	if (le32toh(h->version) != DRM_EIE_DUMP_VERSION)
		return "its format is of another version: use the eie command of the driver's release";
	if (le32toh(h->size) > size)
		return "it is truncated";
	h->sections = le32toh(h->sections);
	if (h->sections > (size - sizeof(*h)) / sizeof(struct drm_eie_dump_section))
		return "its table of sections does not fit";
	for (uint32_t i = 0; i < h->sections; i++) {
		struct drm_eie_dump_section s = section(d, i);

		if (s.offset > size || s.size > size - s.offset)
			return "a section lies outside of it";
	}
	return NULL;
}

static void print_header(const struct dump *d)
{
	static const char *const reasons[] = {
		[DRM_EIE_DUMP_HANG] = "a job made no progress",
		[DRM_EIE_DUMP_STOPPED] = "the queue stopped: bus error on its rings, or a refused doorbell",
		[DRM_EIE_DUMP_PROTOCOL] = "the device wrote a completion entry that is none",
	};
	uint32_t reason = le32toh(d->header.reason);
	uint64_t ns = le64toh(d->header.time_ns);
	time_t seconds = (time_t)(ns / 1000000000);
	char when[40] = "";
	struct tm tm;

	if (gmtime_r(&seconds, &tm))
		strftime(when, sizeof(when), "%Y-%m-%d %H:%M:%S UTC", &tm);
	fprintf(d->out, "%sQueue %" PRIu32 " was reset: %s%s\n", d->bold, le32toh(d->header.queue),
		reason < COUNT(reasons) && reasons[reason] ? reasons[reason] : "unknown reason", d->reset);
	fprintf(d->out, "  time            %s\n  address space   %" PRIu32 "\n  fence           0x%" PRIx64 "\n", when,
		le32toh(d->header.asid), (uint64_t)le64toh(d->header.fence));
}

const char *coredump_print(FILE *out, const void *data, size_t size, const char *bold, const char *reset)
{
	struct dump d = { .out = out, .data = data, .bold = bold, .reset = reset };
	const char *wrong = check(&d, size);

	if (wrong)
		return wrong;
	print_header(&d);
	for (uint32_t i = 0; i < d.header.sections; i++) {
		struct drm_eie_dump_section s = section(&d, i);

		fprintf(out, "\n%s", bold);
		switch (s.type) {
		case DRM_EIE_DUMP_REGS:
			fprintf(out, "Global registers%s\n", reset);
			print_registers(&d, &s);
			break;
		case DRM_EIE_DUMP_QUEUE_REGS:
			fprintf(out, "Registers of queue %" PRIu32 "%s\n", s.index, reset);
			print_registers(&d, &s);
			break;
		case DRM_EIE_DUMP_SQ:
			fprintf(out, "Submission ring of queue %" PRIu32 "%s\n", s.index, reset);
			print_ring(&d, &s, "DESC", EIE_DESC_BYTES);
			break;
		case DRM_EIE_DUMP_CQ:
			fprintf(out, "Completion ring of queue %" PRIu32 "%s\n", s.index, reset);
			print_ring(&d, &s, "CPL", EIE_CPL_BYTES);
			break;
		case DRM_EIE_DUMP_CMDS:
			fprintf(out, "Commands from %" PRIu32 "%s\n", s.index, reset);
			print_commands(&d, &s);
			break;
		case DRM_EIE_DUMP_RESTORE:
			fprintf(out, "Restore commands from %" PRIu32 "%s\n", s.index, reset);
			print_commands(&d, &s);
			break;
		default:
			fprintf(out, "Section of unknown type %" PRIu32 ", %" PRIu32 " bytes%s\n", s.type, s.size, reset);
			break;
		}
	}
	return NULL;
}
