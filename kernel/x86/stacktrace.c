/*
 * Walks a stack for panic(), by the table of frame sizes that tools/unwind
 * makes: for each change of the size, how far behind the one before (LEB128),
 * and (words up to the caller's stack pointer) * 2 (LEB128), plus 1 if an
 * interrupt's frame lies there. The stack may be damaged: a word is read only
 * if it is mapped, and the walk goes up, less than a stack at a time.
 */
#include "kernel/x86/stacktrace.h"

#include "kernel/mm/vmalloc.h"
#include "kernel/x86/layout.h"
#include "kernel/x86/paging.h"
#include "kernel/x86/sections.h"

struct unwind_table {
	u32 count;
	u8 rows[];
};

/* The first link goes without. */
extern const struct unwind_table unwind_table __weak;

/* A frame without locals, as everything has at its first instruction. */
#define FRAME_OF_CALL	(1u << 1)
#define FRAME_OF_IRQ	1u

static u64 read_leb128(const u8 **p)
{
	unsigned int shift = 0;
	u64 value = 0;
	u8 b;

	do {
		b = *(*p)++;
		value |= (u64)(b & 0x7f) << shift;
		shift += 7;
	} while (b & 0x80);
	return value;
}

/* The code for @pc, 0 if it is nowhere that we know. */
static u32 frame_at(u64 pc)
{
	const u8 *p = unwind_table.rows;
	u64 at = (u64)__text_start;
	u32 found = 0;

	if (!&unwind_table)
		return 0;
	for (u32 i = 0; i < unwind_table.count; i++) {
		at += read_leb128(&p);
		if (at > pc)
			break;
		found = (u32)read_leb128(&p);
	}
	return found;
}

static bool read_word(u64 va, u64 *word)
{
	if (va % 8 || va < DIRECT_MAP_START || !kernel_va_mapped(va))
		return false;
	*word = *(const u64 *)va;
	return true;
}

unsigned int stack_trace(struct stack_pos at, u64 *pcs, unsigned int max)
{
	u32 frame = frame_at(at.pc);
	unsigned int n = 0;

	/* A call to nowhere: at least who called is known. */
	if (!frame)
		frame = FRAME_OF_CALL;
	while (n < max && frame) {
		u64 sp = at.sp + (frame >> 1) * 8;

		if (!read_word(sp - 8, &at.pc))
			break;
		if (frame & FRAME_OF_IRQ && !read_word(sp + 16, &sp))
			break;
		/* The first frame of a task returns to nowhere. */
		if (!at.pc || sp <= at.sp || sp - at.sp > KSTACK_SIZE)
			break;
		at.sp = sp;
		pcs[n++] = at.pc;
		/* A call may be a function's last instruction: one back. */
		frame = frame_at(at.pc - !(frame & FRAME_OF_IRQ));
	}
	return n;
}
