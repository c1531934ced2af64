/*
 * The user registers at the top of a task's kernel stack, as the entry code
 * leaves them. A system call stores only from `r9` upwards; the slow way out
 * (kernel/x86/entry.S) completes the rest before C code may look. entry.S
 * knows this layout.
 */
#pragma once

#include "kernel/types.h"

struct pt_regs {
	/* Only on slow paths and in exceptions. */
	u64 r15, r14, r13, r12, rbx;
	/* Also in interrupts. */
	u64 rbp, r11, rcx, rax;
	/* Always. */
	u64 r9, r8, r10, rdx, rsi, rdi;
	u64 orig_rax;		/* call number, error code or vector */
	/* What the CPU pushes and iretq takes. */
	u64 rip, cs, rflags, rsp, ss;
};

_Static_assert(sizeof(struct pt_regs) == 21 * 8, "entry.S knows it");

static inline bool user_mode(const struct pt_regs *regs)
{
	return regs->cs & 3;
}
