/* Return addresses on a stack without frame pointers. */
#pragma once

#include "kernel/compiler.h"
#include "kernel/types.h"

/* A place in the code, and the stack pointer there. */
struct stack_pos {
	u64 pc, sp;
};

/* Where the caller is. */
static __always_inline struct stack_pos stack_here(void)
{
	struct stack_pos here;

	asm volatile("leaq 1f(%%rip), %0\n1:\tmovq %%rsp, %1"
		     : "=r"(here.pc), "=r"(here.sp));
	return here;
}

/*
 * Writes the return addresses above @from to @pcs, innermost first, and
 * returns how many; of what an interrupt broke into, where it did. Any
 * context, any @from: reads nothing that is not mapped, and stops where the
 * stack makes no sense.
 */
unsigned int stack_trace(struct stack_pos from, u64 *pcs, unsigned int max);
