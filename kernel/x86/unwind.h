/*
 * How large the stack frame is behind every instruction of the kernel, told by
 * the code itself, which pushes and pops, and by few bits: does the code of
 * the frame really change here, and to what behind a jump or a return? Shared
 * by who packs these bits (tools/pack.c, from the compiler's debug
 * information) and who reads them (kernel/x86/stacktrace.c). No bits of
 * addresses are looked at: they differ where the kernel was moved to.
 */
#pragma once

#include "kernel/x86/insn.h"

/*
 * A frame's code: (words up to the caller's stack pointer) * 2, plus 1 if an
 * interrupt's frame lies there. 0 for what nobody has called.
 */
#define FRAME_BITS	10
#define FRAME_OF_CALL	2u	/* as everything has it at its first one */
#define FRAME_OF_IRQ	1u

/*
 * What cannot be told so is an exception: how far behind the one before it, in
 * two parts, and the code. The last one is farther than the code is long.
 */
#define UNWIND_FAR_BITS	12
#define UNWIND_NEAR_BITS 8

/* The contexts of these three. */
#define UNWIND_FAR	(1u << 24)
#define UNWIND_NEAR	(2u << 24)
#define UNWIND_CODE	(3u << 24)

/* ModRM bytes of 0x81 and 0x83. */
#define SUB_RSP		0xec
#define ADD_RSP		0xc4

enum unwind_effect {
	UNWIND_KEEPS,		/* the frame stays as it is */
	UNWIND_MOVES,		/* perhaps it changes by .words */
	UNWIND_LEAVES,		/* what follows comes from elsewhere */
};

/* A place between two instructions. */
struct unwind {
	const u8 *at;
	struct insn before, last, next;
	u32 code, body;		/* the frame here; where the function works */
	s32 words;
	bool changed;		/* by the instruction before the last */
};

static inline void unwind_start(struct unwind *w, const u8 *text)
{
	*w = (struct unwind){ .at = text, .next = insn_decode(text) };
}

static inline void unwind_next(struct unwind *w)
{
	w->at += w->next.len;
	w->before = w->last;
	w->last = w->next;
	w->next = insn_decode(w->at);
}

/* Which instruction of its group it is. */
static inline u32 unwind_reg(const struct insn *in)
{
	return in->modrm >> 3 & 7;
}

/* The immediate that ends an instruction, of bytes, as words. */
static inline s32 unwind_words(const u8 *end, u32 op)
{
	s32 imm = (s8)end[-1];

	if (op == 0x81)
		__builtin_memcpy(&imm, end - sizeof(imm), sizeof(imm));
	return imm >> 3;
}

static inline enum unwind_effect unwind_effect(struct unwind *w)
{
	const struct insn *in = &w->last;

	w->words = 1;
	switch (in->op) {
	case 0x50 ... 0x57:
	case 0x68:
	case 0x6a:
		return UNWIND_MOVES;
	case 0x58 ... 0x5f:
		w->words = -1;
		return UNWIND_MOVES;
	case 0x81:
	case 0x83:
		w->words = unwind_words(w->at, in->op);
		if (in->modrm == ADD_RSP)
			w->words = -w->words;
		return in->modrm == ADD_RSP || in->modrm == SUB_RSP ?
		       UNWIND_MOVES : UNWIND_KEEPS;
	case 0xff:
		if (unwind_reg(in) == 6)
			return UNWIND_MOVES;
		return unwind_reg(in) == 4 ? UNWIND_LEAVES : UNWIND_KEEPS;
	case 0xc3:
	case 0xcf:
	case 0xe8:
	case 0xe9:
	case 0xeb:
	case INSN_0F | 0x0b:
		return UNWIND_LEAVES;
	default:
		return UNWIND_KEEPS;
	}
}

/* The code that a move would make. */
static inline u32 unwind_moved(const struct unwind *w)
{
	return (w->code + 2 * (u32)w->words) % (1u << FRAME_BITS);
}

/* In which contexts the bit stands that says whether it changes. */
static inline void unwind_bit_contexts(const struct unwind *w, u32 *contexts)
{
	u32 op = w->last.op;

	contexts[0] = op | w->next.op << 9 | (u32)w->changed << 18;
	contexts[1] = op | w->before.op << 9 | (u32)w->changed << 18 | 1u << 20;
	contexts[2] = op | w->code << 9 | (u32)(w->code == w->body) << 19 |
		      2u << 20;
}

/* And those of the code behind a jump. */
static inline void unwind_code_contexts(const struct unwind *w, u32 *contexts)
{
	contexts[0] = w->body | 3u << 20;
	contexts[1] = w->body | w->next.op << 10 | 4u << 20;
	contexts[2] = w->last.op | w->next.op << 9 | 5u << 20;
}

static inline void unwind_set(struct unwind *w, u32 code)
{
	w->changed = code != w->code;
	if (code > w->code || w->code == FRAME_OF_CALL)
		w->body = code;
	w->code = code;
}
