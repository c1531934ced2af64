/*
 * Walks a stack for panic(), by the table of frame sizes that tools/unwind
 * makes, packed as kernel/unpack.h says: for each change of the size, by how
 * much and how far behind the one before. The size is (words up to the
 * caller's stack pointer) * 2, plus 1 if an interrupt's frame lies there. The
 * stack may be damaged: a word is read only if it is mapped, and the walk goes
 * up, less than a stack at a time.
 */
#include "kernel/x86/stacktrace.h"

#include "kernel/mm/vmalloc.h"
#include "kernel/unpack.h"
#include "kernel/x86/layout.h"
#include "kernel/x86/paging.h"
#include "kernel/x86/sections.h"

/* The first link goes without. */
extern const u8 unwind_table[] __weak;

/* As tools/unwind calls them. */
#define STEP_BITS	10
#define END		512
#define FAR		255

/* A frame without locals, as everything has at its first instruction. */
#define FRAME_OF_CALL	(1u << 1)
#define FRAME_OF_IRQ	1u

/* How far the next row is from the one before it. */
static u32 read_distance(struct unpacker *u, u32 step, u32 step_before)
{
	const u32 contexts[] = {
		step << 1 | 1u << 24, step << 10 | step_before | 1u << 25,
	};
	const u32 far = 1u << 27;
	u32 distance = unpack(u, 8, contexts, ARRAY_SIZE(contexts));

	return distance < FAR ? distance : unpack(u, 16, &far, 1);
}

/* The code for @pc, 0 if it is nowhere that we know. */
static u32 frame_at(u64 pc)
{
	u64 at = (u64)__text_start;
	u32 step, step_before = 0, code = 0, found = 0;
	struct unpacker u;

	if (!&unwind_table || !unpack_start(&u, unwind_table))
		return 0;
	for (;;) {
		const u32 contexts[] = {
			step_before, code << STEP_BITS | step_before,
		};

		step = unpack(&u, STEP_BITS, contexts, ARRAY_SIZE(contexts));
		if (step == END)
			break;
		at += read_distance(&u, step, step_before);
		if (at > pc)
			break;
		code = (code + step) % (1u << STEP_BITS);
		found = code;
		step_before = step;
	}
	unpack_end(&u);
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
