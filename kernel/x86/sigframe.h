/* The stack frame of a signal handler, and the way back from it. */
#pragma once

#include "kernel/compiler.h"
#include "kernel/types.h"

struct ksignal;
struct pt_regs;

/*
 * Lays the frame out on the user's stack, with @mask as the one to put back,
 * and points @regs at the handler. 0 or -EFAULT, then @regs are unchanged.
 * Own task, interrupts on.
 */
int setup_sigframe(struct pt_regs *regs, const struct ksignal *k, u64 mask)
	__must_check;

/*
 * rt_sigreturn(2), once @regs are complete: registers, mask and alternate
 * stack as the frame at the user's stack pointer has them. A bad frame is
 * SIGSEGV. Own task, interrupts on.
 */
void restore_sigframe(struct pt_regs *regs);
