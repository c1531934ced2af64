/*
 * Walks a stack for panic(), by walking over the kernel's code to learn the
 * size of the frame at each return address, as unwind.h says. The stack may be
 * damaged: a word is read only if it is mapped, and the walk goes up, less
 * than a stack at a time.
 */
#include "kernel/x86/stacktrace.h"

#include "kernel/mm/vmalloc.h"
#include "kernel/unpack.h"
#include "kernel/x86/layout.h"
#include "kernel/x86/paging.h"
#include "kernel/x86/sections.h"
#include "kernel/x86/tracesite.h"
#include "kernel/x86/unwind.h"

/* The first link goes without. */
extern const u8 unwind_table[] __weak;

static u32 read_bits(struct unpacker *u, u32 bits, u32 context)
{
	return unpack(u, bits, &context, 1);
}

/* What the code does not tell: at which place the frame is what. */
struct exception {
	const u8 *at;
	u32 code;
};

static void next_exception(struct unpacker *u, struct exception *e)
{
	u32 far = read_bits(u, UNWIND_FAR_BITS, UNWIND_FAR);

	e->at += far << UNWIND_NEAR_BITS;
	e->at += read_bits(u, UNWIND_NEAR_BITS, UNWIND_NEAR);
	e->code = read_bits(u, FRAME_BITS, UNWIND_CODE);
}

/* The code of the frame behind the instruction that ends here. */
static u32 read_code(struct unpacker *u, struct unwind *w)
{
	enum unwind_effect effect = unwind_effect(w);
	u32 contexts[UNPACK_CONTEXTS];

	if (effect == UNWIND_KEEPS)
		return w->code;
	unwind_bit_contexts(w, contexts);
	if (!unpack(u, 1, contexts, UNPACK_CONTEXTS))
		return w->code;
	if (effect == UNWIND_MOVES)
		return unwind_moved(w);
	unwind_code_contexts(w, contexts);
	return unpack(u, FRAME_BITS, contexts, UNPACK_CONTEXTS);
}

/* A trace site that is on was a nop when the table was made. */
static void next_insn(struct unwind *w)
{
	unwind_next(w);
	if (w->next.op == 0xe9 && trace_site_at(w->at))
		w->next.op = INSN_0F | 0x1f;
}

/* The code for @pc, 0 if it is nowhere that we know. */
static u32 frame_at(u64 pc)
{
	struct exception e = { .at = (const u8 *)__text_start };
	struct unpacker u;
	struct unwind w;

	if (pc < (u64)__text_start || pc >= (u64)__text_end ||
	    !&unwind_table || !unpack_start(&u, unwind_table))
		return 0;
	unwind_start(&w, e.at);
	next_exception(&u, &e);
	do {
		if (w.at >= e.at) {
			unwind_set(&w, e.code);
			next_exception(&u, &e);
		} else {
			unwind_set(&w, read_code(&u, &w));
		}
		next_insn(&w);
	} while ((u64)w.at <= pc);
	unpack_end(&u);
	return w.code;
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
