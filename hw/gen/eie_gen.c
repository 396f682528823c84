// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Prints the C header, the SystemVerilog package or the register page from
 * hw/eie_hw.def:   eie_gen c|sv|md
 */
#include <ctype.h>
#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum kind { K_SECTION, K_CONST, K_ENUM_BEGIN, K_ENUM, K_REG, K_RFIELD, K_STRUCT, K_MEMBER, K_FIELD };

struct row {
	enum kind kind;
	const char *owner, *name, *text, *access;
	uint64_t a, b, c;
};

#define SECTION(title, text) { K_SECTION, NULL, title, text, NULL, 0, 0, 0 },
#define CONST(name, value, text) { K_CONST, NULL, #name, text, NULL, value, 0, 0 },
#define ENUM_BEGIN(name, text) { K_ENUM_BEGIN, NULL, #name, text, NULL, 0, 0, 0 },
#define ENUM(owner, name, value, text) { K_ENUM, #owner, #name, text, NULL, value, 0, 0 },
#define REG(name, offset, access, reset, text) { K_REG, NULL, #name, text, #access, offset, reset, 0 },
#define RFIELD(owner, name, lsb, width, text) { K_RFIELD, #owner, #name, text, NULL, 0, lsb, width },
#define STRUCT_BEGIN(name, bytes, text) { K_STRUCT, NULL, #name, text, NULL, bytes, 0, 0 },
#define MEMBER(owner, name, offset, bits, text) { K_MEMBER, #owner, #name, text, NULL, offset, bits, 0 },
#define FIELD(owner, name, dword, lsb, width, text) { K_FIELD, #owner, #name, text, NULL, dword, lsb, width },

static const struct row rows[] = {
#include "../eie_hw.def"
};

#define NROWS (sizeof(rows) / sizeof(rows[0]))
#define FOR_ROWS(r) for (const struct row *r = rows; r < rows + NROWS; r++)

static const char *lower(const char *s)
{
	static char buf[4][64];
	static int turn;
	char *d = buf[turn++ & 3];
	size_t i;

	for (i = 0; s[i] && i < sizeof(buf[0]) - 1; i++)
		d[i] = (char)tolower((unsigned char)s[i]);
	d[i] = '\0';
	return d;
}

/* "FAULT_ADDR" -> "FaultAddr", as lowRISC names parameters */
static const char *camel(const char *s)
{
	static char buf[4][64];
	static int turn;
	char *d = buf[turn++ & 3], *p = d;
	int up = 1;

	for (; *s && p < d + sizeof(buf[0]) - 1; s++) {
		if (*s == '_') {
			up = 1;
			continue;
		}
		*p++ = (char)(up ? toupper((unsigned char)*s) : tolower((unsigned char)*s));
		up = 0;
	}
	*p = '\0';
	return d;
}

static uint32_t mask(const struct row *r)
{
	return (uint32_t)((r->c == 32 ? 0xffffffffull : (1ull << r->c) - 1));
}

/* A structure overlapping itself or leaving its size would silently corrupt every user. */
static void check(void)
{
	static uint8_t used[4096];

	FOR_ROWS(s) {
		if (s->kind != K_STRUCT)
			continue;
		memset(used, 0, sizeof(used));
		FOR_ROWS(m) {
			if (m->kind != K_MEMBER || strcmp(m->owner, s->name))
				continue;
			for (uint64_t i = m->a; i < m->a + m->b / 8; i++) {
				if (i >= s->a || used[i]++ || m->a % (m->b / 8)) {
					fprintf(stderr, "eie_gen: %s.%s overlaps, is misaligned or leaves its structure\n",
						s->name, m->name);
					exit(1);
				}
			}
		}
		FOR_ROWS(f) {
			if (f->kind == K_FIELD && !strcmp(f->owner, s->name) &&
			    (f->a * 4 >= s->a || f->b + f->c > 32)) {
				fprintf(stderr, "eie_gen: field %s.%s leaves its dword\n", s->name, f->name);
				exit(1);
			}
		}
	}
}

static void print_c_struct(const struct row *s)
{
	uint64_t at = 0;
	int pad = 0;

	printf("struct eie_%s {\n", lower(s->name));
	FOR_ROWS(m) {
		if (m->kind != K_MEMBER || strcmp(m->owner, s->name))
			continue;
		if (m->a != at)
			printf("\t__u8 rsvd%d[%" PRIu64 "];\n", pad++, m->a - at);
		if (m->b == 8)
			printf("\t__u8 %s;\n", lower(m->name));
		else
			printf("\t__le%" PRIu64 " %s;\n", m->b, lower(m->name));
		at = m->a + m->b / 8;
	}
	if (!at)
		printf("\t__le32 dw[%" PRIu64 "];\n", s->a / 4);
	else if (at != s->a)
		printf("\t__u8 rsvd%d[%" PRIu64 "];\n", pad, s->a - at);
	printf("};\n");
}

static void print_c(void)
{
	printf("/* SPDX-License-Identifier: GPL-2.0 OR MIT */\n"
	       "/* Generated from hw/eie_hw.def by hw/gen/eie_gen.c; do not edit. */\n"
	       "#ifndef EIE_HW_H\n#define EIE_HW_H\n\n#include <linux/types.h>\n\n"
	       "/*\n * A field F of a structure is dword F_DW, bits F_SHIFT and up, F_MASK when shifted down;\n"
	       " * a register field is the same without F_DW.\n */\n");
	FOR_ROWS(r) {
		switch (r->kind) {
		case K_SECTION:
			printf("\n/* %s: %s */\n", r->name, r->text);
			break;
		case K_CONST:
			printf("#define EIE_%s 0x%" PRIx64 " /* %s */\n", r->name, r->a, r->text);
			break;
		case K_ENUM_BEGIN:
			printf("\n/* enum %s: %s */\n", lower(r->name), r->text);
			break;
		case K_ENUM:
			printf("#define EIE_%s_%s 0x%" PRIx64 " /* %s */\n", r->owner, r->name, r->a, r->text);
			break;
		case K_REG:
			printf("#define EIE_REG_%s 0x%03" PRIx64 " /* %s, reset 0x%" PRIx64 ": %s */\n", r->name, r->a,
			       lower(r->access), r->b, r->text);
			break;
		case K_RFIELD:
			printf("#define   EIE_%s_%s_SHIFT %" PRIu64 " /* %s */\n", r->owner, r->name, r->b, r->text);
			printf("#define   EIE_%s_%s_MASK 0x%" PRIx32 "\n", r->owner, r->name, mask(r));
			break;
		case K_STRUCT:
			print_c_struct(r);
			break;
		case K_MEMBER:
			printf("#define EIE_%s_%s_OFFSET 0x%02" PRIx64 " /* %s */\n", r->owner, r->name, r->a, r->text);
			break;
		case K_FIELD:
			printf("#define   EIE_%s_%s_DW %" PRIu64 " /* %s */\n", r->owner, r->name, r->a, r->text);
			printf("#define   EIE_%s_%s_SHIFT %" PRIu64 "\n", r->owner, r->name, r->b);
			printf("#define   EIE_%s_%s_MASK 0x%" PRIx32 "\n", r->owner, r->name, mask(r));
			break;
		}
	}
	printf("\n#endif\n");
}

static void print_sv(void)
{
	printf("// SPDX-License-Identifier: GPL-2.0 OR MIT\n"
	       "// Generated from hw/eie_hw.def by hw/gen/eie_gen.c; do not edit.\n"
	       "//\n"
	       "// <Struct><Member>Lsb is a bit position in the structure taken as one vector, byte 0 lowest.\n\n"
	       "// verilator lint_off UNUSEDPARAM\n"
	       "package eie_pkg;\n");
	FOR_ROWS(r) {
		switch (r->kind) {
		case K_SECTION:
			printf("\n  // %s\n", r->name);
			break;
		case K_CONST:
			printf("  parameter int unsigned %s = 32'h%" PRIx64 ";\n", camel(r->name), r->a);
			break;
		case K_ENUM_BEGIN:
			printf("\n  // %s\n", r->name);
			break;
		case K_ENUM:
			printf("  parameter logic [7:0] %s%s = 8'h%" PRIx64 ";\n", camel(r->owner), camel(r->name), r->a);
			break;
		case K_REG:
			printf("  parameter logic [15:0] Reg%s = 16'h%" PRIx64 ";\n", camel(r->name), r->a);
			break;
		case K_RFIELD:
			printf("  parameter int unsigned %s%sLsb = %" PRIu64 ";\n", camel(r->owner), camel(r->name), r->b);
			printf("  parameter int unsigned %s%sWidth = %" PRIu64 ";\n", camel(r->owner), camel(r->name), r->c);
			break;
		case K_STRUCT:
			printf("  parameter int unsigned %sBits = %" PRIu64 ";\n", camel(r->name), r->a * 8);
			break;
		case K_MEMBER:
			printf("  parameter int unsigned %s%sLsb = %" PRIu64 ";\n", camel(r->owner), camel(r->name), r->a * 8);
			break;
		case K_FIELD:
			printf("  parameter int unsigned %s%sLsb = %" PRIu64 ";\n", camel(r->owner), camel(r->name),
			       r->a * 32 + r->b);
			printf("  parameter int unsigned %s%sWidth = %" PRIu64 ";\n", camel(r->owner), camel(r->name), r->c);
			break;
		}
	}
	printf("\nendpackage\n// verilator lint_on UNUSEDPARAM\n");
}

static void md_head(enum kind now, enum kind *table)
{
	if (now == *table)
		return;
	*table = now;
	switch (now) {
	case K_CONST:
		printf("\n| constant | value | meaning |\n|---|---|---|\n");
		break;
	case K_ENUM:
		printf("\n| name | value | meaning |\n|---|---|---|\n");
		break;
	case K_REG:
		printf("\n| register | bits | offset | access | reset | meaning |\n|---|---|---|---|---|---|\n");
		break;
	case K_MEMBER:
		printf("\n| member | bytes | meaning |\n|---|---|---|\n");
		break;
	case K_FIELD:
		printf("\n| field | dword | bits | meaning |\n|---|---|---|---|\n");
		break;
	default:
		break;
	}
}

static void print_md(void)
{
	enum kind table = K_SECTION;

	printf("<!-- SPDX-License-Identifier: GPL-2.0 OR MIT -->\n"
	       "<!-- Generated from hw/eie_hw.def by hw/gen/eie_gen.c; do not edit. -->\n"
	       "# Registers, queue entries, page tables, commands\n");
	FOR_ROWS(r) {
		switch (r->kind) {
		case K_SECTION:
			table = K_SECTION;
			printf("\n## %s\n\n%s\n", r->name, r->text);
			break;
		case K_ENUM_BEGIN:
			table = K_SECTION;
			printf("\n### enum %s\n\n%s.\n", lower(r->name), r->text);
			break;
		case K_STRUCT:
			table = K_SECTION;
			printf("\n### %s (%" PRIu64 " bytes): %s\n", r->name, r->a, r->text);
			break;
		case K_CONST:
			md_head(K_CONST, &table);
			printf("| %s | %" PRIu64 " (0x%" PRIx64 ") | %s |\n", r->name, r->a, r->a, r->text);
			break;
		case K_ENUM:
			md_head(K_ENUM, &table);
			printf("| %s | 0x%" PRIx64 " | %s |\n", r->name, r->a, r->text);
			break;
		case K_REG:
			md_head(K_REG, &table);
			printf("| %s | 31:0 | 0x%03" PRIx64 " | %s | 0x%" PRIx64 " | %s |\n", r->name, r->a, lower(r->access),
			       r->b, r->text);
			break;
		case K_RFIELD:
			md_head(K_REG, &table);
			printf("| .%s | %" PRIu64 ":%" PRIu64 " | | | | %s |\n", r->name, r->b + r->c - 1, r->b, r->text);
			break;
		case K_MEMBER:
			md_head(K_MEMBER, &table);
			printf("| %s | 0x%02" PRIx64 "-0x%02" PRIx64 " | %s |\n", r->name, r->a, r->a + r->b / 8 - 1, r->text);
			break;
		case K_FIELD:
			md_head(K_FIELD, &table);
			printf("| %s | %" PRIu64 " | %" PRIu64 ":%" PRIu64 " | %s |\n", r->name, r->a, r->b + r->c - 1, r->b,
			       r->text);
			break;
		}
	}
}

int main(int argc, char **argv)
{
	check();
	if (argc == 2 && !strcmp(argv[1], "c"))
		print_c();
	else if (argc == 2 && !strcmp(argv[1], "sv"))
		print_sv();
	else if (argc == 2 && !strcmp(argv[1], "md"))
		print_md();
	else
		return fprintf(stderr, "usage: eie_gen c|sv|md\n"), 2;
	return fflush(stdout) || ferror(stdout) ? 1 : 0;
}
