/*
 * How long an instruction is, for those that walk over code to find where the
 * next one begins: what gcc and our assembler files use of the instruction
 * set in 64-bit mode, without VEX. See the opcode maps in appendix A of the
 * processor manual's volume 2. Reads 16 bytes from where it is told.
 */
#pragma once

#include "kernel/types.h"

#define INSN_0F		0x100	/* added to an opcode that 0x0f escapes to */

struct insn {
	u8 len;
	u8 modrm;		/* 0 without one */
	u16 op;			/* the opcode */
};

/* What follows an opcode. */
#define INSN_MODRM	1	/* the ModRM byte and its address */
#define INSN_BYTE	2	/* an immediate of one byte */
#define INSN_WORD	4	/* one of the operand's size, up to 32 bits */
#define INSN_QUAD	8	/* one of 64 bits behind REX.W, or as above */
#define INSN_GROUP	16	/* BYTE or WORD are of the first two only */

/* A character for each opcode from 0x60 on, the low bits are the above. */
static inline u32 insn_form(u32 op)
{
	static const char map[] =
		"@@@A@@@@DEBC@@@@" "BBBBBBBBBBBBBBBB" "CECCAAAAAAAAAAAA"
		"@@@@@@@@@@@@@@@@" "@@@@@@@@BD@@@@@@" "BBBBBBBBHHHHHHHH"
		"CC@@AACE@@@@@B@@" "AAAA@@@@AAAAAAAA" "BBBBBBBBDD@B@@@@"
		"@@@@@@SU@@@@@@AA";

	if (op >= 0x60)
		return (u32)map[op - 0x60];
	return op < 0x40 ? (u32)"AAAABD@@"[op % 8] : 0;
}

static inline u32 insn_form_0f(u32 op)
{
	if (op < 0x10)
		return op < 4 || op == 0x0d;
	if ((op & 0xf0) == 0x80)
		return INSN_WORD;
	/* Not bt and bts, 0xa3 and 0xab. */
	if ((op & 0xf0) == 0x30 || (op & 0xf8) == 0xc8 ||
	    ((op & 0xf4) == 0xa0 && op % 4 != 3))
		return 0;
	if (op == 0xba || (op & 0xf7) == 0xa4)
		return INSN_MODRM | INSN_BYTE;
	return INSN_MODRM;
}

/* How many bytes the address in memory has with its ModRM byte at @p. */
static inline u32 insn_address(const u8 *p)
{
	u32 mod = p[0] >> 6, low = p[0] % 8, len = 1;

	if (mod == 3)
		return 1;
	if (low == 4) {
		len = 2;
		low = p[1] % 8;
	}
	if (mod == 1)
		return len + 1;
	return mod == 2 || low == 5 ? len + 4 : len;
}

static inline struct insn insn_decode(const u8 *from)
{
	bool wide = false;
	struct insn in = { 0 };
	const u8 *p = from;
	u32 form, word = 4;

	/* Prefixes: of size, REX, of lock and repetition, of segments. */
	for (; p < from + 8; p++) {
		if (*p == 0x66)
			word = 2;
		else if ((*p & 0xf0) == 0x40)
			wide = *p & 8;
		else if ((*p & 0xfc) != 0xf0 && (*p & 0xfe) != 0x64 &&
			 (*p & 0xe7) != 0x26)
			break;
	}
	in.op = *p++;
	form = insn_form(in.op);
	if (in.op == 0x0f) {
		in.op = INSN_0F | *p++;
		form = insn_form_0f(in.op & 0xff);
	}
	if (form & INSN_MODRM) {
		in.modrm = *p;
		p += insn_address(p);
	}
	if (!(form & INSN_GROUP) || !(in.modrm & 0x30)) {
		p += (form & INSN_BYTE) / INSN_BYTE;
		if (form & (INSN_WORD | INSN_QUAD))
			p += form & INSN_QUAD && wide ? 8 : word;
	}
	in.len = (u8)(p - from);
	return in;
}
